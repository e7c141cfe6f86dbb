/* See burst.h. */
#include "rest/burst.h"

#include <assert.h>

#include "message/header.h"
#include "rest/window.h"

static struct transfer *transfer_at(const struct transfers *transfers, uint32_t index) {
  assert(transfers->records[index].kind == TRANSFER_KEPT);
  return &transfers->records[index];
}

static uint32_t body_size(const struct transfer *transfer) { return transfer->size - transfer->head_size; }

/* --- What is asked for -------------------------------------------------------------------------- */

static bool keep_token(struct burst_token *kept, copal_bytes token) {
  if (token.size > sizeof kept->bytes) return false;
  kept->size = (uint8_t)token.size;
  if (token.size > 0) memcpy(kept->bytes, token.data, token.size);
  return true;
}

static void note_blocks(struct burst *burst, const struct burst_request *request, uint32_t blocks) {
  const struct wanted *wanted = request->wanted;
  burst->again_count = burst->again_at = 0;
  /* To whom they go cannot be kept: the reply's own block is all there is. */
  if (!keep_token(&burst->again_token, request->token)) return;
  for (uint32_t i = request->first; i < wanted->count && wanted->numbers[i] < blocks; ++i)
    burst->again[burst->again_count++] = wanted->numbers[i];
}

/* RFC 9177 10.3.2: "as 'Continue' was used, the server continues to use the same token …, since the 'Continue' is not
 * being used as a request for a new set of packets but rather is being used to instruct the server to continue its
 * transmission". Where there is none to be continued, because blocks were asked for one by one before, a Continue is a
 * request like others, with a token of its own: several calls of a client may fetch the same. */
static void begin_run(struct burst *burst, const struct burst_request *request, copal_time now) {
  const struct wanted *wanted = request->wanted;
  if (wanted->numbers[0] == 0) burst->whole = true;
  if (!burst->whole && !keep_token(&burst->run_token, request->token)) return;
  burst->runs = true;
  burst->next = wanted->numbers[0] + request->first;
  burst->end = wanted->numbers[0] + QBLOCK_SET;
  burst->resume_at = now;
}

bool burst_begin(struct transfers *transfers, uint32_t index, const struct burst_request *request, copal_time gap,
                 copal_time now) {
  struct transfer *transfer = transfer_at(transfers, index);
  struct burst *burst = &transfer->as.out;
  if (burst->gap == 0) burst->gap = gap;
  /* What is still to go is numbered in blocks of another size, and there need not be so many of this one. */
  if (request->szx != burst->szx) {
    burst->again_count = burst->again_at = 0;
    burst->runs = false;
  }
  burst->szx = request->szx;
  burst->con = request->con;
  burst->tries = 0;
  /* Confirmable blocks go at the pace of their acknowledgements: none that nobody asks for are piled up. */
  if (request->wanted->goes_on && !request->con)
    begin_run(burst, request, now);
  else
    note_blocks(burst, request, qblock_count(body_size(transfer), request->szx));
  return burst_goes_on(transfers, index);
}

/* --- What goes ---------------------------------------------------------------------------------- */

bool burst_goes_on(const struct transfers *transfers, uint32_t index) {
  const struct transfer *transfer = transfer_at(transfers, index);
  const struct burst *burst = &transfer->as.out;
  return burst->again_at < burst->again_count ||
         (burst->runs && burst->next < qblock_count(body_size(transfer), burst->szx));
}

bool burst_next(const struct transfers *transfers, uint32_t index, copal_time now, uint32_t *number,
                copal_bytes *token) {
  const struct transfer *transfer = transfer_at(transfers, index);
  const struct burst *burst = &transfer->as.out;
  *token = (copal_bytes){burst->again_token.bytes, burst->again_token.size};
  if (burst->again_at < burst->again_count) {
    *number = burst->again[burst->again_at];
    return true;
  }
  *number = burst->next;
  *token = (copal_bytes){burst->run_token.bytes, burst->run_token.size};
  if (burst->whole) *token = header_token(transfer_bytes(transfers, transfer));
  return burst_goes_on(transfers, index) && burst->resume_at <= now;
}

/* RFC 9177 7.2: "after transmission of every MAX_PAYLOADS_SET of a single body, a delay of NON_TIMEOUT_RANDOM MUST be
 * introduced before sending the next MAX_PAYLOADS_SET, unless a 'Continue' is received"; and "the server SHOULD send
 * the missing payloads before continuing to send the remainder of the MAX_PAYLOADS_SET and then go into another
 * NON_TIMEOUT_RANDOM delay". */
void burst_sent(struct transfers *transfers, uint32_t index, copal_time now) {
  struct burst *burst = &transfer_at(transfers, index)->as.out;
  if (burst->again_at < burst->again_count) {
    ++burst->again_at;
    burst->resume_at = now + burst->gap;
    return;
  }
  if (++burst->next < burst->end) return;
  burst->end += QBLOCK_SET;
  burst->resume_at = now + burst->gap;
}

/* RFC 9177 4.4: "The payloads sent back from the server as a response MUST all have the same ETag … for the same body":
 * the head has it. 4.6: "The Size2 option MUST be used with the Q-Block2 option when used in a response and MUST be
 * present in all payloads of the response, preserving the same value." */
copal_error burst_write(const struct transfers *transfers, uint32_t index, uint32_t number, copal_bytes token,
                        uint8_t *buffer, size_t capacity, copal_message *message) {
  const struct transfer *transfer = transfer_at(transfers, index);
  const uint8_t *bytes = transfer_bytes(transfers, transfer);
  uint8_t szx = transfer->as.out.szx;
  uint64_t offset = (uint64_t)number << (szx + 4);
  uint32_t left = body_size(transfer) - (uint32_t)offset, size = left < block_size(szx) ? left : block_size(szx);
  assert(number < qblock_count(body_size(transfer), szx));
  copal_error error = copal_message_copy(message, buffer, capacity, bytes, transfer->head_size);
  assert(error == COPAL_OK);
  (void)error;
  copal_block block = {number, left > size, szx};
  copal_message_set_token(message, token.data, token.size);
  copal_message_add_uint(message, COPAL_OPTION_Q_BLOCK2, copal_block_value(block));
  copal_message_add_uint(message, COPAL_OPTION_SIZE2, body_size(transfer));
  copal_message_set_payload(message, bytes + transfer->head_size + offset, size);
  return message->error;
}
