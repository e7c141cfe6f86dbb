/* A request's bodies in blocks. Knows no time and no loss. What can be said in one message is copied from the plan;
 * only messages of blocks are put together each time. */
#include "cli/load/transfer.h"

#include <string.h>

/* For Block1, Block2 and Size1 beside what the plan has, and the payload's marker. */
enum { OPTIONS_SIZE_MAX = 24, BLOCKS_MAX = 1 << 20 /* RFC 7959 2.2: numbers of 20 bits */ };

static size_t write_block(const struct transfer *transfer, const struct plan *plan, uint8_t *buffer);
static enum transfer_step next_up(struct transfer *transfer, const struct plan *plan, uint32_t value);
static enum transfer_step next_down(struct transfer *transfer, const struct plan *plan, copal_block block);

struct transfer transfer_begin(const struct plan *plan) {
  bool fits = plan->body_size <= (size_t)16 << plan->szx;
  return (struct transfer){.phase = fits ? TRANSFER_WHOLE : TRANSFER_UP, .szx = plan->szx};
}

enum transfer_step transfer_next(struct transfer *transfer, const struct plan *plan, const copal_view *answer) {
  uint32_t block1 = copal_find_uint(answer, COPAL_OPTION_BLOCK1, UINT32_MAX);
  /* RFC 7959 2.9.1: 2.31 "indicates that the transfer of this block of the request body was successful and that the
   * server encourages sending further blocks" */
  if (answer->code == COPAL_CONTINUE) {
    return transfer->phase == TRANSFER_UP && block1 != UINT32_MAX ? next_up(transfer, plan, block1) : TRANSFER_BROKEN;
  }
  uint32_t block2 = copal_find_uint(answer, COPAL_OPTION_BLOCK2, UINT32_MAX);
  if (COPAL_CODE_CLASS(answer->code) != 2 || block2 == UINT32_MAX) return TRANSFER_DONE;
  return next_down(transfer, plan, copal_block_of(block2));
}

size_t transfer_size_max(const struct plan *plan) {
  size_t block_size = (size_t)16 << plan->szx;
  size_t size = plan->head_size + OPTIONS_SIZE_MAX + block_size;
  return size > plan->farewell_size ? size : plan->farewell_size;
}

size_t transfer_write(const struct transfer *transfer, const struct plan *plan, const uint8_t token[FLIGHT_TOKEN_SIZE],
                      uint16_t mid, uint8_t *buffer) {
  size_t size = plan->whole_size;
  if (transfer->phase == TRANSFER_WHOLE) {
    memcpy(buffer, plan->whole, size);
  } else {
    size = write_block(transfer, plan, buffer);
  }
  transfer_stamp(buffer, token, mid);
  return size;
}

void transfer_stamp(uint8_t *message, const uint8_t token[FLIGHT_TOKEN_SIZE], uint16_t mid) {
  message[2] = (uint8_t)(mid >> 8);
  message[3] = (uint8_t)mid;
  memcpy(message + 4, token, FLIGHT_TOKEN_SIZE);
}

static size_t write_block(const struct transfer *transfer, const struct plan *plan, uint8_t *buffer) {
  copal_message message;
  size_t block_size = (size_t)16 << transfer->szx, offset = transfer->block * block_size;
  size_t left = transfer->phase == TRANSFER_UP ? plan->body_size - offset : 0;
  copal_block block = {.number = transfer->block, .more = left > block_size, .szx = transfer->szx};
  copal_error error = copal_message_copy(&message, buffer, transfer_size_max(plan), plan->whole, plan->head_size);
  if (error != COPAL_OK) return 0;
  if (transfer->phase == TRANSFER_UP) {
    copal_message_add_uint(&message, COPAL_OPTION_BLOCK1, copal_block_value(block));
    if (transfer->block == 0) copal_message_add_uint(&message, COPAL_OPTION_SIZE1, (uint32_t)plan->body_size);
    copal_message_set_payload(&message, plan->body + offset, left < block_size ? left : block_size);
  } else {
    (void)copal_message_delete(&message, COPAL_OPTION_BLOCK2);
    copal_message_add_uint(&message, COPAL_OPTION_BLOCK2, copal_block_value(block));
    /* What a FETCH asks for is in its payload (RFC 8132 2), so that is said again; not where it went in blocks itself.
     */
    bool repeats = plan->method == COPAL_FETCH && plan->body_size <= (size_t)16 << plan->szx;
    if (repeats) copal_message_set_payload(&message, plan->body, plan->body_size);
  }
  return message.size;
}

/* RFC 7959 2.3: the server may want smaller blocks; then "the client SHOULD use this block size or a smaller one in all
 * further requests in the transfer sequence", numbered as if it had from the start. */
static enum transfer_step next_up(struct transfer *transfer, const struct plan *plan, uint32_t value) {
  copal_block taken = copal_block_of(value);
  if (taken.number != transfer->block || taken.szx > 6) return TRANSFER_BROKEN;
  uint64_t offset = ((uint64_t)transfer->block + 1) * ((uint64_t)16 << transfer->szx);
  if (offset >= plan->body_size) return TRANSFER_BROKEN;
  if (taken.szx < transfer->szx) transfer->szx = taken.szx;
  transfer->block = (uint32_t)(offset >> (4 + transfer->szx));
  return transfer->block < BLOCKS_MAX ? TRANSFER_MORE : TRANSFER_BROKEN;
}

static enum transfer_step next_down(struct transfer *transfer, const struct plan *plan, copal_block block) {
  uint32_t wanted = transfer->phase == TRANSFER_DOWN ? transfer->block : 0;
  if (block.number != wanted || block.szx > 6) return TRANSFER_BROKEN;
  /* Which size it is, the first block decides. */
  if (transfer->phase == TRANSFER_DOWN && block.szx != transfer->szx) return TRANSFER_BROKEN;
  if (!block.more) return TRANSFER_DONE;
  transfer->phase = TRANSFER_DOWN;
  transfer->szx = block.szx;
  transfer->block = wanted + 1;
  /* A client that wants smaller blocks gets them by asking: the numbers grow with it. */
  if (plan->szx < block.szx) {
    transfer->block <<= block.szx - plan->szx;
    transfer->szx = plan->szx;
  }
  return transfer->block < BLOCKS_MAX ? TRANSFER_MORE : TRANSFER_BROKEN;
}
