/* A client's operation by Q-Block1 and Q-Block2: offered with its first request, which is confirmable; then bodies go
 * either way in sets of non-confirmable messages, and what was lost is sent or asked for again. Pure: it says which
 * message is next, and what a response means. Must not know peers or timers. RFC 9177 sections 4, 6 and 7.2. */
#ifndef COPAL_REST_QUICK_H
#define COPAL_REST_QUICK_H

#include "rest/operations.h"

/* Whether an operation is one that Q-Block is for. */
bool quick_is_possible(const struct operation *operation);

/* Adds what tells the server that Q-Block2 is known to a request. */
void quick_offer(const struct operation *operation, copal_message *message);

/* Whether a token, of 8 bytes, was sent with a burst. */
bool quick_token_is_of(const struct quick *quick, const uint8_t *token);

/* Goes on by Block1 and Block2. */
void quick_give_up(struct operations *operations, struct operation *operation);

/* Begins anew with the offer. */
void quick_restart(struct operations *operations, struct operation *operation);

/* Sends again what was answered with 4.01 and an Echo option: a request for blocks, or the whole of it. */
enum step quick_repeat(struct operations *operations, struct operation *operation);

/* The server has acknowledged the offer, and so knows Q-Block. False where it is not known what of. */
bool quick_acknowledged(struct operation *operation);

/* What a response means. False: what it would without Q-Block, by which the operation goes on or is over. */
bool quick_receive(struct operations *operations, struct operation *operation, const copal_view *response,
                   enum step *step, copal_error *error);

/* --- Messages ------------------------------------------------------------------------------------ */

/* Decides what to do now that the time has come, or something else has. False: nothing answers any more. */
bool quick_decide(struct operation *operation, copal_time now, unsigned tries_max);

/* Whether a message is to go now. */
bool quick_has_next(const struct operation *operation);

/* Writes it. Errors as operation_compose. */
copal_error quick_compose(struct operations *operations, struct operation *operation, copal_message *message);

/* Notes that it has gone. */
void quick_sent(struct operation *operation);

/* Notes that all went that may, for now; wait: for what is missing. */
void quick_rest(struct operation *operation, copal_time now, copal_time wait);

#endif
