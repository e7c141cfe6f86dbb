/* The exchanges of blocks that an operation asks for ahead. Which blocks, and how many, is known to rest/pipeline.h. */
#ifndef COPAL_ENDPOINT_PIPELINE_H
#define COPAL_ENDPOINT_PIPELINE_H

#include "endpoint/endpoint.h"
#include "rest/pipeline.h"

/* Sends a request of an operation: operations.c. Errors as engine_send. */
copal_error endpoint_send_request(copal_endpoint *endpoint, struct operation *operation, const copal_message *message,
                                  copal_tx *tx);

/* How an exchange went that is answered by rx, or not. */
struct account endpoint_account(const copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx);

/* Asks for as many blocks ahead as may be. */
void endpoint_ask_ahead(copal_endpoint *endpoint, struct operation *operation);

/* What was asked for ahead, at a place in the pipeline, has come, or will not: rx is NULL. */
void endpoint_told_ahead(copal_endpoint *endpoint, struct operation *operation, uint8_t place, const copal_rx *rx);

/* Goes on with what has come already. False: the next block has not come, or it was not asked for. What was asked for
 * in vain is forgotten. kept begins as a copy of rx. slot is what it lies in, and before, if any, what is given back.
 */
bool endpoint_next_is_here(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx, copal_rx *kept,
                           uint32_t *slot);

/* The operation waits for the first of those that were asked for ahead. False: there is none. */
bool endpoint_take_ahead(struct operation *operation);

/* Forgets all but the first `count` blocks that were asked for ahead: nobody waits for them any more. */
void endpoint_drop_ahead(copal_endpoint *endpoint, struct operation *operation, uint8_t count);

/* Forgets all of them, and sends none of them again. */
void endpoint_cancel_ahead(copal_endpoint *endpoint, struct operation *operation);

#endif
