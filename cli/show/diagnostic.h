/* CBOR in diagnostic notation (RFC 8949 8): a form for people, close to JSON. */
#ifndef COPAL_CLI_SHOW_DIAGNOSTIC_H
#define COPAL_CLI_SHOW_DIAGNOSTIC_H

#include <stdbool.h>
#include <stdio.h>

#include "copal/message.h"

/* One CBOR item, or a sequence of them (cbor_walk_check), indented, in colours where stream gets some, with a line feed
 * at its end. */
void diagnostic_print(FILE *stream, copal_bytes bytes, bool sequence);

/* The same on one line without colours or a line feed. */
void diagnostic_line(FILE *stream, copal_bytes bytes, bool sequence);

#endif
