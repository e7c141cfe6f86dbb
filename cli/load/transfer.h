/* A request's bodies in blocks (RFC 7959), as a client sees them: which message is next, and what stands in it. Pure.
 */
#ifndef COPAL_CLI_LOAD_TRANSFER_H
#define COPAL_CLI_LOAD_TRANSFER_H

#include "cli/load/plan.h"

enum transfer_phase {
  TRANSFER_WHOLE, /* one message asks */
  TRANSFER_UP,    /* the request's body goes in blocks */
  TRANSFER_DOWN   /* the response's body comes in blocks, of which the first has come */
};

enum transfer_step {
  TRANSFER_DONE,  /* the response is whole, or an error that ends it */
  TRANSFER_MORE,  /* another message is to be sent */
  TRANSFER_BROKEN /* the server's blocks make no sense */
};

struct transfer transfer_begin(const struct plan *plan);

/* What an answer means. */
enum transfer_step transfer_next(struct transfer *transfer, const struct plan *plan, const copal_view *answer);

/* Bytes that a message may have. */
size_t transfer_size_max(const struct plan *plan);

/* Writes the next message, of that token and message ID. Returns its size. */
size_t transfer_write(const struct transfer *transfer, const struct plan *plan, const uint8_t token[FLIGHT_TOKEN_SIZE],
                      uint16_t mid, uint8_t *buffer);

/* Gives a message of the plan its token and message ID. */
void transfer_stamp(uint8_t *message, const uint8_t token[FLIGHT_TOKEN_SIZE], uint16_t mid);

#endif
