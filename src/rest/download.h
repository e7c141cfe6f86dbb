/* The body of a response to a client, in one message or in blocks: Block2. All its blocks are of one representation,
 * in order and without gaps, or there is no body. Must not know peers or exchanges. RFC 7959 sections 2.3, 2.4, 3.3. */
#ifndef COPAL_REST_DOWNLOAD_H
#define COPAL_REST_DOWNLOAD_H

#include "rest/operations.h"

/* Takes a response's part of the body. STEP_SEND: there is more to ask for, from the next block on or, where
 * `downloading` is false afterwards, from the start. */
enum step download_receive(struct operations *operations, struct operation *operation, const copal_view *response,
                           copal_error *error);

/* Forgets what came of another response's body: this one's begins. */
void download_begin(struct operation *operation, const copal_view *response);

/* Whether a response is of the same representation. */
bool download_is_same(const struct download *download, const copal_view *response);

/* Begins with the request again, because the representation has changed: STEP_SEND, or STEP_FAIL. */
enum step download_begin_anew(struct operation *operation, copal_error *error);

/* Puts the next bytes where the body goes. COPAL_ERR_BODY_SIZE, _BODY_WRITE. */
copal_error download_put(struct operations *operations, struct operation *operation, copal_bytes data);

/* Adds what asks for the next block, or for one that is so many behind it. COPAL_ERR_BODY_SIZE: there is no such block
 * number. */
copal_error download_add(const struct operation *operation, uint32_t behind, copal_message *message);

#endif
