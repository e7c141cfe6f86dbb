/* JSON (RFC 8259) as it is written, value by value, on one line: what --json prints. Nothing is gathered. */
#ifndef COPAL_CLI_SHOW_JSON_H
#define COPAL_CLI_SHOW_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "copal/message.h"

enum { JSON_DEPTH_MAX = 64 };

/* Where a document is: of each open level, whether it is an array, and whether it holds something. */
struct json {
  FILE *stream;
  unsigned depth;
  uint64_t arrays, filled;
};

/* Begins a document, an object, on stream; json_end ends it with a line feed and passes it on at once. */
void json_begin(struct json *json, FILE *stream);
void json_end(struct json *json);

/* Below, key names a member; it is NULL in an array. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_close(struct json *json); /* the innermost object or array */

/* Text of anybody's: bytes that are no UTF-8 become U+FFFD each. */
void json_string(struct json *json, const char *key, copal_bytes text);
void json_text(struct json *json, const char *key, const char *text); /* NULL is null */
void json_hex(struct json *json, const char *key, copal_bytes bytes);
void json_base64(struct json *json, const char *key, copal_bytes bytes); /* RFC 4648 4 */
void json_uint(struct json *json, const char *key, uint64_t number);
void json_real(struct json *json, const char *key, double number, int decimals);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Text that is JSON already, on one line. */
void json_raw(struct json *json, const char *key, copal_bytes text);

/* A string with its quotes, as json_string writes it, into no document. */
void json_quote(FILE *stream, copal_bytes text);

#endif
