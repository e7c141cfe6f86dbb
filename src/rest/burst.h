/* A reply's body on its way in sets of Q-Block2 blocks, from the copy that is kept: which block is next, and the
 * message that carries it. Whoever has a timer sends them. Pure but for the transfers. RFC 9177 sections 4.4 and 7.2.
 */
#ifndef COPAL_REST_BURST_H
#define COPAL_REST_BURST_H

#include "rest/transfers.h"
#include "rest/wanted.h"

/* Who asks for blocks of a kept reply, and how. */
struct burst_request {
  const struct wanted *wanted;
  copal_bytes token;
  uint32_t first; /* of the blocks that are wanted, how many the reply to the request gives itself */
  uint8_t szx;
  bool con;
};

/* Notes what is asked for. False where nothing is to be sent for it. */
bool burst_begin(struct transfers *transfers, uint32_t index, const struct burst_request *request, copal_time gap,
                 copal_time now);

/* The block that goes now, and under which token; false when nothing does, at least until resume_at. */
bool burst_next(const struct transfers *transfers, uint32_t index, copal_time now, uint32_t *number,
                copal_bytes *token);

/* Notes that it has gone. */
void burst_sent(struct transfers *transfers, uint32_t index, copal_time now);

/* Whether there is something to be sent at resume_at. */
bool burst_goes_on(const struct transfers *transfers, uint32_t index);

/* Writes the message with a block, its type and message ID aside. COPAL_ERR_SPACE. */
copal_error burst_write(const struct transfers *transfers, uint32_t index, uint32_t number, copal_bytes token,
                        uint8_t *buffer, size_t capacity, copal_message *message);

#endif
