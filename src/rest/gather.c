/* A request's body in blocks that come in any order: Q-Block1. What has come is put where it belongs; the client is
 * told when a set is whole and what is missing of it when it is not, and the handler is called with the whole. A
 * handler that takes parts gets them in order: a block that comes too early waits for its turn in a window of three
 * sets. RFC 9177 sections 4.3 and 5. */
#include "rest/gather.h"

#include <string.h>

#include "rest/missing.h"
#include "rest/request.h"
#include "rest/window.h"

enum { AHEAD_MAX = 3 * QBLOCK_SET };

static struct gathering *gathering_of(const struct copal_request *request, uint32_t index) {
  return &request->transfers->records[index].as.in;
}

static uint32_t count_of(const struct gathering *in) { return qblock_count(in->total, in->szx); }

/* --- What is missing ---------------------------------------------------------------------------- */

/* RFC 9177 5: "If the size of the 4.08 (Request Entity Incomplete) response packet is larger than that defined by
 * Section 4.6 of [RFC7252], then the number of reported missing blocks MUST be limited"; and "Consider limiting the
 * number of missing payloads to MAX_PAYLOADS". */
void gather_write_missing(const struct gathering *in, uint32_t end, copal_message *message) {
  uint32_t numbers[QBLOCK_SET];
  size_t count = gaps_list(&in->gaps, end < count_of(in) ? end : count_of(in), numbers, QBLOCK_SET);
  uint8_t payload[QBLOCK_SET * MISSING_NUMBER_SIZE_MAX];
  size_t size = missing_write(numbers, count, payload, sizeof payload);
  copal_message_set_code(message, COPAL_REQUEST_ENTITY_INCOMPLETE);
  copal_message_add_uint(message, COPAL_OPTION_CONTENT_FORMAT, MISSING_FORMAT);
  copal_message_set_payload(message, payload, size);
}

uint32_t gather_set_end(const struct gathering *in) { return qblock_set_of(in->gaps.first) + QBLOCK_SET; }

/* --- Answers ------------------------------------------------------------------------------------ */

static void tell_missing(struct copal_request *request, uint32_t index, uint32_t end) {
  gather_write_missing(gathering_of(request, index), end, copal_reply_message(request));
}

/* RFC 9177 4.3: 2.31 "can be used to indicate that all of the blocks up to and including the Q-Block1 option block NUM
 * (all having the M bit set) have been successfully received". */
static void tell_whole_set(struct copal_request *request, uint32_t index) {
  const struct gathering *in = gathering_of(request, index);
  copal_block block = {in->gaps.first - 1, true, in->szx};
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTINUE);
  copal_message_add_uint(reply, COPAL_OPTION_Q_BLOCK1, copal_block_value(block));
}

/* A set is whole. Of what came too early it is known that it must come again. */
static void answer_whole_set(struct copal_request *request, uint32_t index) {
  const struct gathering *in = gathering_of(request, index);
  uint32_t end = gather_set_end(in);
  if (in->dropped > in->gaps.first)
    tell_missing(request, index, in->dropped < end ? in->dropped : end);
  else
    tell_whole_set(request, index);
}

/* RFC 9177 4.3: 2.31 "SHOULD only be generated when all the payload requests are Non-confirmable and a MAX_PAYLOADS_SET
 * has been received by the server", also for a block that came before: the server "MUST still respond as if the block
 * was received for the first time". 7.2: "On receipt of a payload from the next MAX_PAYLOADS_SET, the server SHOULD
 * send a 4.08 (Request Entity Incomplete) response code indicating any missing payloads from any previous
 * MAX_PAYLOADS_SET." Once: what it brings about is on its way when the next block of that set comes. A block that fills
 * the last gap of several sets, of which the client has sent the latest already, is answered for all of them. */
static void answer_block(struct copal_request *request, uint32_t index, uint32_t first_before) {
  struct gathering *in = gathering_of(request, index);
  uint32_t number = request->qblock1.block.number, first = in->gaps.first;
  bool con = request->rx.message.type == COPAL_CON;
  bool lost = number >= first && !gaps_has(&in->gaps, number); /* it came too early */
  uint32_t end = lost ? number + 1 : qblock_set_of(number);
  bool ends_set = first % QBLOCK_SET == 0 && number < first;
  if (!con && ends_set && (number >= first - QBLOCK_SET || number == first_before)) {
    answer_whole_set(request, index);
  } else if (!con && qblock_set_of(number) > qblock_set_of(first) && qblock_set_of(number) > in->told) {
    in->told = qblock_set_of(number);
    tell_missing(request, index, end);
  } else {
    request->silent = true;
  }
}

/* --- What must not be executed twice ------------------------------------------------------------ */

/* A body's blocks come again when its answer was lost, and what is kept of that may have made room. So a body that
 * executes something has an entry of its own among the replies to such requests: pending until it is executed. */
static struct reply_key mark_key(const struct copal_request *request) {
  struct transfer_key key = request_transfer_key(request);
  return (struct reply_key){
      .identity = key.identity, .fingerprint = (uint32_t)key.options, .con = true, .unsafe = true};
}

static bool needs_mark(const struct copal_request *request) {
  return engine_is_unsafe(request->engine, &(copal_view){.code = request->rx.message.code});
}

static struct reply *find_mark(const struct copal_request *request) {
  const struct engine *engine = request->engine;
  struct reply_key key = mark_key(request);
  return replies_find(&engine->unsafe, &key, engine->now, engine->exchange_lifetime, engine->exchange_lifetime);
}

static bool is_executed(const struct copal_request *request) {
  const struct reply *mark = needs_mark(request) ? find_mark(request) : NULL;
  return mark != NULL && mark->state == REPLY_NOTHING;
}

/* False when there is no room for it. */
static bool take_mark(struct copal_request *request) {
  struct incoming incoming = *request->incoming;
  if (!needs_mark(request) || find_mark(request) != NULL) return true;
  if (engine_must_verify(request->engine, incoming.peer)) return false;
  incoming.key = mark_key(request);
  return engine_remember(request->engine, &incoming, 0) != NULL;
}

/* False when there is no room for its mark, which a slow body may have outlived. */
static bool note_executed(struct copal_request *request) {
  if (!needs_mark(request)) return true;
  if (!take_mark(request)) return false;
  replies_close(&request->engine->unsafe, find_mark(request), REPLY_NOTHING, 0);
  return true;
}

/* --- A block ------------------------------------------------------------------------------------ */

/* RFC 9177 4.3: 4.00 "MUST be returned if the request does not include a Request-Tag option or a Size1 option but does
 * include a Q-Block1 option"; 4.6: Size1 "MUST exactly represent the size of the data on the body". */
static bool is_sound(const struct copal_request *request, uint32_t *total) {
  const copal_view *view = &request->rx.message;
  copal_block block = request->qblock1.block;
  copal_option option;
  if (!copal_find(view, COPAL_OPTION_REQUEST_TAG, &option) || !copal_find(view, COPAL_OPTION_SIZE1, &option))
    return false;
  *total = copal_find_uint(view, COPAL_OPTION_SIZE1, 0);
  uint64_t end = block_offset(block) + view->payload.size;
  if (block.more) return view->payload.size == block_size(block.szx) && end < *total;
  return view->payload.size <= block_size(block.szx) && end == *total && (block.number == 0 || view->payload.size > 0);
}

static void begin(struct copal_request *request, uint32_t index, uint32_t total) {
  struct gathering *in = gathering_of(request, index);
  *in = (struct gathering){.total = total, .szx = request->qblock1.block.szx};
  request->transfers->records[index].none_match = false;
}

/* The body that a block belongs to, or INDEX_NONE: the request is answered. */
static uint32_t find_body(struct copal_request *request, uint32_t total) {
  struct transfers *transfers = request->transfers;
  struct transfer_key key = request_transfer_key(request);
  uint32_t index = transfers_find(transfers, TRANSFER_GATHERED, &key);
  if (index != INDEX_NONE) {
    const struct gathering *in = gathering_of(request, index);
    if (in->total == total && in->szx == request->qblock1.block.szx) return index;
    request_refuse_block(request, COPAL_BAD_REQUEST);
    return INDEX_NONE;
  }
  /* It was whole before, and its answer was lost. */
  if (request_reply_kept(request)) return INDEX_NONE;
  if (is_executed(request)) {
    request_refuse_block(request, COPAL_INTERNAL_SERVER_ERROR); /* its answer is gone; 4.08 would bring it again */
    return INDEX_NONE;
  }
  if (!request->handler->in_parts && total > transfers->body_size_max) {
    request_refuse_block(request, COPAL_REQUEST_ENTITY_TOO_LARGE);
    return INDEX_NONE;
  }
  /* It keeps its peer's record for as long as it waits for blocks: a stranger must find another one. */
  if (peers_have_room(&request->engine->peers) && take_mark(request))
    index = request_begin_transfer(request, TRANSFER_GATHERED);
  if (index == INDEX_NONE)
    request_refuse_room(request);
  else
    begin(request, index, total);
  return index;
}

/* RFC 9177 5: "It is desirable that the token to use for the response is the token that was used in the last block
 * number received so far with the same Request-Tag value." RFC 9177 4.3: "The token to use in the 4.08 (Request
 * Entity Incomplete) response MUST be one of the tokens that were received in a request for this block-wise body
 * exchange." */
static void note_sender(struct copal_request *request, uint32_t index) {
  struct gathering *in = gathering_of(request, index);
  copal_bytes token = request->rx.message.token;
  in->can_tell = token.size <= sizeof in->token && request->rx.message.type == COPAL_NON;
  in->token_size = in->can_tell ? (uint8_t)token.size : 0;
  if (in->token_size > 0) memcpy(in->token, token.data, token.size);
  in->request_size = (uint16_t)request->incoming->datagram.size;
}

/* Not much memory by announcement: so far ahead, and no farther. */
static bool is_in_reach(const struct gathering *in, uint32_t number) { return number - in->gaps.first < AHEAD_MAX; }

/* Where a block is put: a body's own place, or that in the window of a handler who takes parts, which begins with the
 * first block that is missing. */
static copal_error put(struct copal_request *request, uint32_t index) {
  const struct gathering *in = gathering_of(request, index);
  copal_bytes payload = request->rx.message.payload;
  copal_block block = request->qblock1.block;
  if (request->handler->in_parts) block.number -= in->gaps.first;
  return transfer_put(request->transfers, index, (uint32_t)block_offset(block), payload.data, payload.size);
}

/* Puts a block where it belongs. RFC 9177 4.3: "If the server receives a duplicate block with the same Request-Tag, it
 * MUST ignore the payload of the packet". A part that comes in its turn, with none waiting for it, is copied nowhere;
 * one that comes before its turn and finds no room must come again. */
static copal_error take(struct copal_request *request, uint32_t index) {
  struct gathering *in = gathering_of(request, index);
  bool in_parts = request->handler->in_parts;
  uint32_t number = request->qblock1.block.number;
  if (gaps_has(&in->gaps, number)) return COPAL_OK;
  bool is_handed_on = in_parts && number == in->gaps.first && in->gaps.came == 0;
  copal_error error = is_handed_on || !is_in_reach(in, number) ? COPAL_OK : put(request, index);
  if (error != COPAL_OK && !in_parts) return error;
  if (error != COPAL_OK || !is_in_reach(in, number)) {
    if (number >= in->dropped) in->dropped = number + 1;
    return COPAL_OK;
  }
  gaps_note(&in->gaps, number);
  in->tries = 0;
  return COPAL_OK;
}

/* --- Parts that wait for their turn --------------------------------------------------------------- */

/* What a handler who takes parts is given: the block, with those behind it that came before it. */
static copal_bytes part_of(const struct copal_request *request, uint32_t index) {
  const struct transfer *transfer = &request->transfers->records[index];
  const struct gathering *in = &transfer->as.in;
  uint32_t count = in->gaps.first - request->qblock1.block.number;
  if (transfer->slot == INDEX_NONE) return request->rx.message.payload;
  size_t size = (size_t)count * block_size(in->szx);
  return (copal_bytes){transfer_bytes(request->transfers, transfer), size < transfer->size ? size : transfer->size};
}

/* The window begins anew behind what was handed on. */
static void move_window(struct transfers *transfers, uint32_t index, size_t size) {
  struct transfer *transfer = &transfers->records[index];
  if (transfer->slot == INDEX_NONE) return;
  uint8_t *bytes = transfer_bytes(transfers, transfer);
  transfer->size -= (uint32_t)size;
  memmove(bytes, bytes + size, transfer->size);
  if (transfer->size == 0) transfer_empty(transfers, index);
}

/* Whether the handler is to be called: with the whole, or with the part that came. */
static bool hand_on(struct copal_request *request, uint32_t index, uint32_t first_before) {
  struct transfers *transfers = request->transfers;
  struct transfer *transfer = &transfers->records[index];
  const struct gathering *in = &transfer->as.in;
  bool whole = in->gaps.first == count_of(in);
  if (!request->handler->in_parts) {
    if (!whole) return false;
    request->rx.message.payload = (copal_bytes){transfer_bytes(transfers, transfer), transfer->size};
    request_describe_part(request, 0, true, &request->state);
    return true;
  }
  if (in->gaps.first == first_before) return false;
  transfer->abandon = request->handler->abandon;
  transfer->context = request->handler->context;
  request->rx.message.payload = part_of(request, index);
  request_describe_part(request, block_offset(request->qblock1.block), whole, &transfer->state);
  return true;
}

bool request_gather(struct copal_request *request) {
  struct transfers *transfers = request->transfers;
  struct engine *engine = request->engine;
  uint32_t total;
  if (!is_sound(request, &total)) return request_refuse_block(request, COPAL_BAD_REQUEST);
  /* A body of one block, which is as good as none. */
  if (request->qblock1.block.number == 0 && !request->qblock1.block.more) return true;
  uint32_t index = find_body(request, total);
  if (index == INDEX_NONE) return false;
  struct gathering *in = gathering_of(request, index);
  request_touch_transfer(request, index);
  if (in->whole) {
    request->silent = true; /* the answer comes in its own time */
    return false;
  }
  note_sender(request, index);
  uint32_t first = in->gaps.first;
  copal_error error = take(request, index);
  if (error != COPAL_OK) {
    transfer_drop(transfers, index);
    return request_refuse_room(request);
  }
  transfer_schedule(transfers, index, request->incoming->peer,
                    engine->now + qblock_wait(&engine->parameters, in->tries));
  if (!hand_on(request, index, first)) {
    answer_block(request, index, first);
    return false;
  }
  if (request->part.last && !note_executed(request)) {
    transfer_drop(transfers, index);
    return request_refuse_block(request, COPAL_SERVICE_UNAVAILABLE);
  }
  request->upload = index;
  /* What the handler brings about must not push out what it is looking at. */
  transfer_detach(transfers, index);
  return true;
}

/* --- After the handler -------------------------------------------------------------------------- */

void request_finish_gathering(struct copal_request *request) {
  uint32_t index = request->upload;
  if (request->deferred || index == INDEX_NONE || request->part.last || request->replied) return;
  request->upload = INDEX_NONE;
  transfer_attach(request->transfers, index);
  move_window(request->transfers, index, request->part.size);
  answer_block(request, index, request->qblock1.block.number);
}

void request_settle_late(struct copal_request *request) {
  uint32_t index = transfers_find(request->transfers, TRANSFER_GATHERED, request->key);
  /* A body of one block has none; what is still coming is another one. */
  if (index == INDEX_NONE || !request->transfers->records[index].as.in.whole) return;
  transfer_end(request->transfers, index);
  request_keep_reply(request);
}

/* The answer is kept for whoever sends a block once more because it was lost: it must not begin a new body. */
void request_end_gathering(struct copal_request *request) {
  struct transfers *transfers = request->transfers;
  uint32_t index = request->upload;
  request->upload = INDEX_NONE;
  if (request->deferred) {
    transfer_attach(transfers, index);
    transfer_rest(transfers, index);
    transfer_empty(transfers, index);
    transfers->records[index].as.in.whole = true;
    transfers->records[index].abandon = NULL;
    return;
  }
  if (request->handled)
    transfer_end(transfers, index);
  else
    transfer_drop(transfers, index);
  request_keep_reply(request);
}
