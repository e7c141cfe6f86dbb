/* JSON as its sender wrote it, with other white space: no number, escape or order changes. */
#ifndef COPAL_CLI_SHOW_PRETTY_JSON_H
#define COPAL_CLI_SHOW_PRETTY_JSON_H

#include <stdio.h>

#include "copal/message.h"

/* A JSON text (json_reader_check), indented, in colours where stream gets some, with a line feed at its end. */
void pretty_json(FILE *stream, copal_bytes text);

/* The same on one line without blanks, colours or a line feed. */
void compact_json(FILE *stream, copal_bytes text);

#endif
