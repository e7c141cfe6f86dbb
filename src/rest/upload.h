/* The body of a client's request, in one message or in blocks: Block1. What the server says of sizes and of blocks that
 * it lacks is followed. Must not know peers or exchanges. RFC 7959 sections 2.3, 2.5, 2.9, 4. */
#ifndef COPAL_REST_UPLOAD_H
#define COPAL_REST_UPLOAD_H

#include "rest/operations.h"

/* Adds the present block, or the whole, to a message that is otherwise done but for the Block2 option that goes with
 * the last block. COPAL_ERR_MESSAGE_SIZE, _BODY_READ, _BODY_SIZE. */
copal_error upload_add(struct operations *operations, struct operation *operation, copal_message *message);

/* Adds that block of a body that goes in blocks. Errors as upload_add. */
copal_error upload_add_block(struct operations *operations, struct operation *operation, uint32_t number,
                             copal_message *message);

/* Begins anew with smaller blocks, as a server hints. False: they are not smaller, or that was done before. */
bool upload_shrink(struct upload *upload, copal_block hint);

/* Whether two requests have the same body: what is read, is read. A body that cannot be had or sent is none's. */
bool upload_is_same(struct operations *operations, const struct operation *a, const struct operation *b);

/* What a response means for the body: send the next block, or the request is done (deliver), or it failed. */
enum step upload_receive(struct operation *operation, const copal_view *response, copal_error *error);

/* Adds the Request-Tag of what is sent in blocks. */
void upload_add_tag(const struct operation *operation, copal_message *message);

/* Begins with the first byte again. */
void upload_restart(struct upload *upload);

#endif
