/* JSON (RFC 8259) as it is read, token by token. Nothing is gathered: tokens point into the text, as their sender wrote
 * them. */
#ifndef COPAL_CLI_DATA_JSON_READER_H
#define COPAL_CLI_DATA_JSON_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "copal/message.h"

/* RFC 8259 9: "An implementation may set limits on the maximum depth of nesting." */
enum { JSON_NESTING_MAX = 64 };

enum json_kind {
  JSON_OBJECT_BEGIN,
  JSON_OBJECT_END,
  JSON_ARRAY_BEGIN,
  JSON_ARRAY_END,
  JSON_KEY, /* a member's name, with its quotes; its value follows */
  JSON_STRING,
  JSON_NUMBER,
  JSON_TRUE,
  JSON_FALSE,
  JSON_NULL,
  JSON_END,  /* of the text, which was a JSON text all through */
  JSON_WRONG /* it is none: reader->wrong says why, reader->at where */
};

struct json_token {
  enum json_kind kind;
  copal_bytes text; /* as it stands there */
};

/* Where the reader is. */
struct json_reader {
  copal_bytes text;
  size_t at;
  unsigned depth;
  uint64_t arrays; /* of each open level, whether it is an array */
  uint8_t expects; /* what may stand next */
  const char *wrong;
};

void json_reader_begin(struct json_reader *reader, copal_bytes text);

/* The next token; JSON_END and JSON_WRONG come again and again. The text is checked strictly, as UTF-8 too. */
struct json_token json_reader_next(struct json_reader *reader);

/* Whether text is a JSON text. If not, wrong (which may be NULL) says why, and at (which may be NULL) where. */
bool json_reader_check(copal_bytes text, const char **wrong, size_t *at);

/* Writes what a string or key stands for, escapes resolved, in UTF-8, without a NUL: never more bytes than the token
 * has. False where there is no such text: half of a surrogate pair. */
bool json_reader_unescape(copal_bytes token, uint8_t *buffer, size_t *size);

#endif
