/* The answers of a group, as a table. */
#ifndef COPAL_CLI_SHOW_TABLE_H
#define COPAL_CLI_SHOW_TABLE_H

#include <stdio.h>

#include "cli/show/response.h"

/* Writes the names of the columns. */
void table_head(FILE *stream);

/* Writes a line for an answer: its peer, code, format, size, round trip, and the first line of a body that is text. */
void table_row(FILE *stream, const struct answer *answer);

#endif
