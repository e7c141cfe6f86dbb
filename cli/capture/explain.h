/* A datagram explained, field by field. */
#ifndef COPAL_CLI_CAPTURE_EXPLAIN_H
#define COPAL_CLI_CAPTURE_EXPLAIN_H

#include <stdio.h>

#include "copal/message.h"

/* Writes what a datagram says; of a malformed one, what is wrong with it and its bytes. Returns copal_decode's error.
 */
copal_error explain_datagram(FILE *stream, copal_bytes datagram);

#endif
