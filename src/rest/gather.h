/* What is missing of a request's body, for whoever tells the client on his own: when nothing more has come in time.
 * RFC 9177 section 5. */
#ifndef COPAL_REST_GATHER_H
#define COPAL_REST_GATHER_H

#include "rest/transfers.h"

/* Where the set ends that has the first missing block. */
uint32_t gather_set_end(const struct gathering *in);

/* Makes a message 4.08 with the numbers of the first blocks that are missing before end. */
void gather_write_missing(const struct gathering *in, uint32_t end, copal_message *message);

#endif
