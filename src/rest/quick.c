/* See quick.h. */
#include "rest/quick.h"

#include <assert.h>

#include "engine/engine.h"
#include "message/header.h"
#include "rest/download.h"
#include "rest/missing.h"
#include "rest/upload.h"

/* A server that lacks the same block again and again is not to be sent to for ever. */
enum { REPEATS_MAX = 10 };

static uint32_t upload_count(const struct operation *operation) {
  return qblock_count((uint32_t)operation->upload.total, operation->upload.szx);
}

static uint32_t download_count(const struct operation *operation) {
  return qblock_count((uint32_t)operation->quick.total, operation->download.szx);
}

/* --- The offer ---------------------------------------------------------------------------------- */

/* Of an observation each state is a transfer that the server begins: those go by Block2. */
bool quick_is_possible(const struct operation *operation) {
  bool alone = operation->plain || operation->multicast || operation->observe || operation->unanswered;
  uint64_t total = operation->upload.total, limit = (uint64_t)BLOCK_NUMBER_MAX << (operation->upload.szx + 4);
  return !alone && total <= UINT32_MAX && total <= limit;
}

/* RFC 9177 4.1: "To indicate support for Q-Block2 responses, the CoAP client MUST include the Q-Block2 option in a GET
 * or similar request …, the Q-Block2 option in a PUT or similar request …, or the Q-Block1 option in a PUT or similar
 * request". A body's blocks ask for the whole response (M), a request that may have to be answered by a server that
 * does not know the option for the first block. */
void quick_offer(const struct operation *operation, copal_message *message) {
  copal_block block = {0, operation->upload.in_blocks, operation->szx_wanted};
  copal_message_add_uint(message, COPAL_OPTION_Q_BLOCK2, copal_block_value(block));
}

static void forget(struct operations *operations, struct operation *operation, enum quick_state state) {
  struct quick *quick = &operation->quick;
  bool restarted = quick->restarted;
  operation_rest(operations, operation);
  operation_name(operations, operation, 0);
  *quick = (struct quick){.state = (uint8_t)state, .restarted = restarted};
}

void quick_give_up(struct operations *operations, struct operation *operation) {
  forget(operations, operation, QUICK_OFF);
}

/* RFC 9177 4.3: "the client MUST ensure that it is unique for every different body of transmitted data". */
void quick_restart(struct operations *operations, struct operation *operation) {
  forget(operations, operation, QUICK_OFFERED);
  operation->tag = operations->tag++;
  operation->downloading = false;
  upload_restart(&operation->upload);
}

enum step quick_repeat(struct operations *operations, struct operation *operation) {
  if (operation->quick.state != QUICK_FETCHING) {
    quick_restart(operations, operation);
    return STEP_SEND;
  }
  operation->quick.asks = true;
  return STEP_WAIT;
}

/* --- Tokens --------------------------------------------------------------------------------------- */

static uint32_t get_word(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_word(uint8_t *bytes, uint32_t word) {
  for (int i = 3; i >= 0; --i, word >>= 8) bytes[i] = (uint8_t)word;
}

/* RFC 9177 6: "By using 8-byte tokens, it is possible to easily minimize the number of tokens that have to be tracked
 * by clients, by keeping the bottom 32 bits the same for the same body and the upper 32 bits containing the current
 * body's request number". */
bool quick_token_is_of(const struct quick *quick, const uint8_t *token) {
  uint32_t request = get_word(token);
  assert(quick->token != 0);
  return get_word(token + 4) == quick->token && request > 0 && request <= quick->requests;
}

/* --- The request's body --------------------------------------------------------------------------- */

static void begin_sending(struct operation *operation) {
  struct quick *quick = &operation->quick;
  uint32_t count = upload_count(operation);
  quick->state = QUICK_SENDING;
  quick->next = 1;
  quick->end = count < QBLOCK_SET ? count : QBLOCK_SET;
}

bool quick_acknowledged(struct operation *operation) {
  if (operation->quick.state != QUICK_OFFERED || !operation->upload.in_blocks) return false;
  begin_sending(operation);
  return true;
}

static void allow_next_set(struct operation *operation) {
  struct quick *quick = &operation->quick;
  uint32_t count = upload_count(operation), end = qblock_set_of(quick->next) + QBLOCK_SET;
  quick->end = end < count ? end : count;
}

/* RFC 9177 7.2: "if the server responds with a 2.31 (Continue) response code for the latest payload sent, then the
 * client can continue to send the next MAX_PAYLOADS_SET without any further delay." */
static void take_continue(struct operation *operation, const copal_view *response) {
  struct quick *quick = &operation->quick;
  copal_option option;
  quick->tries = 0;
  bool has_block = copal_find(response, COPAL_OPTION_Q_BLOCK1, &option);
  uint32_t received = has_block ? copal_block_of(copal_option_uint(&option)).number + 1 : quick->next;
  if (received >= quick->next && quick->next == quick->end) allow_next_set(operation);
}

/* RFC 9177 7.2: "Upon receipt of the 4.08 (Request Entity Incomplete) response code, the client SHOULD send the missing
 * payloads before continuing to send the remainder of the MAX_PAYLOADS_SET". Of those that were never sent it knows
 * itself. */
static enum step take_missing(struct operation *operation, const copal_view *response, copal_error *error) {
  struct quick *quick = &operation->quick;
  uint32_t numbers[QBLOCK_SET];
  size_t count = missing_read(response->payload, numbers, QBLOCK_SET);
  /* Overtaken by a later one. */
  if (count == 0 || numbers[0] < quick->lowest) return STEP_WAIT;
  quick->repeats = numbers[0] > quick->lowest ? 0 : quick->repeats + 1;
  quick->lowest = numbers[0];
  if (quick->repeats > REPEATS_MAX) {
    *error = COPAL_ERR_BODY_BLOCKS;
    return STEP_FAIL;
  }
  quick->tries = 0;
  quick->again_count = quick->again_at = 0;
  for (size_t i = 0; i < count && numbers[i] < quick->next; ++i) quick->again[quick->again_count++] = numbers[i];
  if (quick->again_count == 0 && quick->next == quick->end) allow_next_set(operation);
  return STEP_WAIT;
}

/* Of the blocks that the server lacks. */
static bool is_list(const copal_view *response) {
  return response->code == COPAL_REQUEST_ENTITY_INCOMPLETE &&
         copal_find_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE) == MISSING_FORMAT;
}

/* False for a response to the whole. */
static bool receive_while_sending(struct operations *operations, struct operation *operation,
                                  const copal_view *response, enum step *step, copal_error *error) {
  copal_option option;
  *step = STEP_WAIT;
  switch (response->code) {
    case COPAL_CONTINUE:
      quick_acknowledged(operation);
      take_continue(operation, response);
      return true;
    case COPAL_REQUEST_ENTITY_INCOMPLETE:
      quick_acknowledged(operation);
      if (is_list(response)) {
        *step = take_missing(operation, response, error);
        return true;
      }
      /* RFC 9177 4.3: "this response code returned without content type "application/missing-blocks+cbor-seq" … is
       * handled as in Section 2.9.2 of [RFC7959]". */
      if (operation->quick.restarted) return false;
      operation->quick.restarted = true;
      quick_restart(operations, operation);
      *step = STEP_SEND;
      return true;
    case COPAL_REQUEST_ENTITY_TOO_LARGE:
      if (!copal_find(response, COPAL_OPTION_Q_BLOCK1, &option)) return false;
      if (!upload_shrink(&operation->upload, copal_block_of(copal_option_uint(&option)))) return false;
      quick_restart(operations, operation);
      *step = STEP_SEND;
      return true;
  }
  return false;
}

/* --- The response's body -------------------------------------------------------------------------- */

static enum step fail(copal_error *error, copal_error cause) {
  *error = cause;
  return STEP_FAIL;
}

/* RFC 9177 4.6: Size2 "MUST be used with the Q-Block2 option when used in a response", and tells what will be missing.
 */
static copal_error begin_fetching(struct operation *operation, const copal_view *response, copal_block block) {
  struct quick *quick = &operation->quick;
  struct download *download = &operation->download;
  uint32_t total = copal_find_uint(response, COPAL_OPTION_SIZE2, 0);
  if (total == 0 || block.szx > BLOCK_SZX_MAX) return COPAL_ERR_BODY_BLOCKS;
  download_begin(operation, response);
  download->szx = block.szx;
  download->in_blocks = true;
  quick->total = total;
  quick->gaps = (struct gaps){0, 0};
  quick->told = 0;
  quick->tries = 0;
  quick->resume_at = 0;
  quick->state = QUICK_FETCHING;
  operation->downloading = true;
  return download->writing || total <= download->capacity ? COPAL_OK : COPAL_ERR_BODY_SIZE;
}

static bool is_sound(const struct operation *operation, const copal_view *response, copal_block block) {
  uint64_t end = block_offset(block) + response->payload.size, total = operation->quick.total;
  if (block.szx != operation->download.szx) return false;
  if (copal_find_uint(response, COPAL_OPTION_SIZE2, 0) != total) return false;
  if (block.more) return response->payload.size == block_size(block.szx) && end < total;
  return response->payload.size > 0 && response->payload.size <= block_size(block.szx) && end == total;
}

static copal_error put(struct operations *operations, struct operation *operation, copal_block block,
                       copal_bytes payload) {
  struct download *download = &operation->download;
  if (download->writing) return download_put(operations, operation, payload);
  ++download->blocks;
  memcpy(download->buffer + block_offset(block), payload.data, payload.size);
  return COPAL_OK;
}

/* RFC 9177 7.2: the client "SHOULD send a 'Continue' Q-Block2 request … for the next MAX_PAYLOADS_SET on receipt of all
 * of the MAX_PAYLOADS_SET"; and "Upon receipt of a payload from the new MAX_PAYLOADS_SET, the client SHOULD send a
 * request indicating any missing payloads from any previous MAX_PAYLOADS_SET." */
static void decide_to_ask(struct operation *operation, uint32_t number, uint32_t first_before) {
  struct quick *quick = &operation->quick;
  uint32_t first = quick->gaps.first;
  if (first != first_before && first % QBLOCK_SET == 0) quick->asks = true;
  if (qblock_set_of(number) <= qblock_set_of(first) || qblock_set_of(number) <= quick->told) return;
  quick->told = qblock_set_of(number);
  quick->asks = true;
}

/* A writer gets its bytes in order: what comes too early is asked for again. RFC 9177 4.4: "If the client receives a
 * duplicate block with the same ETag, it MUST silently ignore the payload." */
static enum step take_block(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_block block, copal_error *error) {
  struct quick *quick = &operation->quick;
  uint32_t number = block.number, first = quick->gaps.first;
  if (!is_sound(operation, response, block)) return fail(error, COPAL_ERR_BODY_BLOCKS);
  if (gaps_has(&quick->gaps, number)) return STEP_WAIT;
  bool is_early = operation->download.writing && number != first;
  if (gaps_reach(&quick->gaps, number) && !is_early) {
    copal_error cause = put(operations, operation, block, response->payload);
    if (cause != COPAL_OK) return fail(error, cause);
    gaps_note(&quick->gaps, number);
    quick->tries = 0;
    quick->resume_at = 0;
  }
  decide_to_ask(operation, number, first);
  if (quick->gaps.first < download_count(operation)) return STEP_WAIT;
  operation->download.size = quick->total;
  operation->downloading = false;
  return STEP_DELIVER;
}

static enum step take_first(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_block block, copal_error *error) {
  /* Only one block was asked for, unless the request's body has brought it about that all of them come. */
  bool alone = operation->quick.state == QUICK_OFFERED;
  copal_error cause = begin_fetching(operation, response, block);
  if (cause != COPAL_OK) return fail(error, cause);
  enum step step = take_block(operations, operation, response, block, error);
  if (alone) operation->quick.asks = true;
  return step;
}

bool quick_receive(struct operations *operations, struct operation *operation, const copal_view *response,
                   enum step *step, copal_error *error) {
  struct quick *quick = &operation->quick;
  copal_option option;
  bool fetching = quick->state == QUICK_FETCHING;
  /* RFC 9177 4.3: 4.02 "MUST be returned for a Confirmable request if the server does not support the Q-Block options."
   */
  if (quick->state == QUICK_OFFERED && response->code == COPAL_BAD_OPTION) {
    quick_give_up(operations, operation);
    upload_restart(&operation->upload);
    *step = STEP_SEND;
    return true;
  }
  if (!fetching && operation->upload.in_blocks && receive_while_sending(operations, operation, response, step, error))
    return true;
  bool has_block = COPAL_CODE_CLASS(response->code) == 2 && copal_find(response, COPAL_OPTION_Q_BLOCK2, &option);
  copal_block block = copal_block_of(has_block ? copal_option_uint(&option) : 0);
  if (fetching && (response->code == COPAL_CONTINUE || is_list(response))) {
    *step = STEP_WAIT; /* it is late */
    return true;
  }
  if (!has_block || (!fetching && !block.more && block.number == 0)) {
    quick_give_up(operations, operation);
    return false;
  }
  if (!fetching) {
    *step = take_first(operations, operation, response, block, error);
  } else if (download_is_same(&operation->download, response)) {
    *step = take_block(operations, operation, response, block, error);
  } else {
    *step = download_begin_anew(operation, error);
    if (*step == STEP_SEND) quick_restart(operations, operation);
  }
  return true;
}

/* --- Messages ------------------------------------------------------------------------------------- */

static bool decide_to_send(struct operation *operation, unsigned tries_max) {
  struct quick *quick = &operation->quick;
  uint32_t count = upload_count(operation);
  bool idle = quick->again_at == quick->again_count && quick->next == quick->end;
  if (!idle) return true;
  if (quick->next < count) {
    allow_next_set(operation);
    return true;
  }
  if (quick->tries >= tries_max) return false;
  /* Nobody asks for anything, and nobody answers: the answer may have been lost. RFC 9177 4.3: a server that receives a
   * block again "MUST still respond as if the block was received for the first time." */
  ++quick->tries;
  quick->again[0] = count - 1;
  quick->again_count = 1;
  quick->again_at = 0;
  return true;
}

/* RFC 9177 7.2: "If the repeat request count for a missing payload exceeds NON_MAX_RETRANSMIT, the client SHOULD
 * discard the partial body and stop requesting the missing payloads." */
static bool decide_to_fetch(struct operation *operation, unsigned tries_max) {
  struct quick *quick = &operation->quick;
  if (quick->asks) return true;
  if (quick->tries >= tries_max) return false;
  ++quick->tries;
  quick->asks = true;
  return true;
}

bool quick_decide(struct operation *operation, copal_time now, unsigned tries_max) {
  assert(quick_has_next(operation) || now >= operation->quick.resume_at);
  (void)now;
  if (operation->quick.state == QUICK_SENDING) return decide_to_send(operation, tries_max);
  return decide_to_fetch(operation, tries_max);
}

bool quick_has_next(const struct operation *operation) {
  const struct quick *quick = &operation->quick;
  if (quick->state == QUICK_FETCHING) return quick->asks;
  return quick->again_at < quick->again_count || quick->next < quick->end;
}

/* As many as there is room for, and at least one.
 * RFC 9177 4.4: "Generally, the M bit on the Q-Block2 option(s) SHOULD be unset, although the M bit MAY be set to
 * request this and later blocks from this MAX_PAYLOADS_SET". */
static void add_missing(const struct operation *operation, copal_message *message) {
  const struct gaps *gaps = &operation->quick.gaps;
  uint32_t numbers[QBLOCK_SET], count = download_count(operation), end = qblock_set_of(gaps->first) + QBLOCK_SET;
  if (end > count) end = count;
  size_t missing = gaps_list(gaps, end, numbers, QBLOCK_SET);
  bool all = missing == end - gaps->first && (missing > 1 || gaps->first % QBLOCK_SET == 0);
  for (size_t i = 0; i < (all ? 1 : missing); ++i) {
    copal_block block = {numbers[i], all, operation->download.szx};
    copal_message_add_uint(message, COPAL_OPTION_Q_BLOCK2, copal_block_value(block));
    if (i > 0 && message->error == COPAL_ERR_SPACE) message->error = COPAL_OK; /* it is as it was */
  }
}

copal_error quick_compose(struct operations *operations, struct operation *operation, copal_message *message) {
  struct quick *quick = &operation->quick;
  uint8_t token[EXCHANGE_TOKEN_SIZE];
  put_word(token, quick->requests + 1);
  put_word(token + 4, quick->token);
  operation_begin_message(operations, operation, (copal_bytes){token, sizeof token}, message);
  copal_error error = COPAL_OK;
  if (quick->state == QUICK_SENDING) {
    bool again = quick->again_at < quick->again_count;
    error = upload_add_block(operations, operation, again ? quick->again[quick->again_at] : quick->next, message);
    quick_offer(operation, message);
  } else {
    /* RFC 9177 10.3.3: "following Section 2.7 of [RFC7959], the FETCH request does not include the Q-Block1 or any
     * payload", but it does the Request-Tag. */
    if (operation->upload.in_blocks) upload_add_tag(operation, message);
    add_missing(operation, message);
  }
  if (error != COPAL_OK) return error;
  return message->error == COPAL_ERR_SPACE ? COPAL_ERR_MESSAGE_SIZE : message->error;
}

void quick_sent(struct operation *operation) {
  struct quick *quick = &operation->quick;
  quick->resume_at = 0;
  ++quick->requests;
  ++operation->exchanges;
  if (quick->state == QUICK_FETCHING)
    quick->asks = false;
  else if (quick->again_at < quick->again_count)
    ++quick->again_at;
  else
    ++quick->next;
}

void quick_rest(struct operation *operation, copal_time now, copal_time wait) {
  struct quick *quick = &operation->quick;
  bool more = quick->state == QUICK_SENDING && quick->next < upload_count(operation);
  quick->resume_at = now + (more ? quick->gap : wait);
}
