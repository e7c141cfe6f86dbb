/* A datagram explained: byte by byte, in one line, or as JSON. */
#ifndef COPAL_CLI_CAPTURE_EXPLAIN_H
#define COPAL_CLI_CAPTURE_EXPLAIN_H

#include <stdio.h>

#include "cli/show/json.h"
#include "copal/message.h"

/* How much of a value or payload is shown, and what stands before each line. */
struct explain_style {
  size_t rows_max; /* of 8 bytes */
  const char *indent;
  bool has_rules; /* quotes the rule that is broken */
};

extern const struct explain_style explain_full, explain_compact;

/* Writes a headline and the table. These three return copal_decode's error. */
copal_error explain_datagram(FILE *stream, copal_bytes datagram);

/* Writes one line: what it says, or what is wrong with it. */
copal_error explain_line(FILE *stream, copal_bytes datagram);

/* Adds members to an object: what it says as far as it can be read, and what is wrong with it. */
copal_error explain_json(struct json *json, copal_bytes datagram);

/* Writes a line for each part: where it is, its bytes, what they say. What is wrong stands where it is found. */
void explain_table(FILE *stream, copal_bytes datagram, const struct explain_style *style);

#endif
