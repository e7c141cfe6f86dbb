/* JSON as CBOR, in preferred serialization: what the items are called and in which order they stand is kept. RFC 8949
 * 6.2 and 4.1. */
#include "cli/data/json_to_cbor.h"

#include <stdlib.h>

#include "cli/data/json_reader.h"
#include "cli/data/number.h"

static const char *write_token(const struct json_reader *reader, struct json_token token, struct cbor_writer *writer);
static size_t count_items(struct json_reader reader, enum json_kind kind);
static const char *write_text(copal_bytes token, struct cbor_writer *writer);
static const char *write_number(copal_bytes token, struct cbor_writer *writer);
static bool read_integer(copal_bytes token, uint64_t *number, bool *negative);

const char *json_to_cbor(copal_bytes text, struct cbor_writer *writer) {
  if (!cbor_is_built()) return "this build of the command has no CBOR: it was made without libcbor";
  struct json_reader reader;
  json_reader_begin(&reader, text);
  for (;;) {
    struct json_token token = json_reader_next(&reader);
    if (token.kind == JSON_END) break;
    const char *wrong = write_token(&reader, token, writer);
    if (wrong != NULL) return wrong;
  }
  return writer->full ? "it is too large" : NULL;
}

static const char *write_token(const struct json_reader *reader, struct json_token token, struct cbor_writer *writer) {
  switch (token.kind) {
    case JSON_OBJECT_BEGIN: cbor_write_map(writer, count_items(*reader, JSON_KEY)); return NULL;
    case JSON_ARRAY_BEGIN: cbor_write_array(writer, count_items(*reader, JSON_ARRAY_BEGIN)); return NULL;
    case JSON_KEY:
    case JSON_STRING: return write_text(token.text, writer);
    case JSON_NUMBER: return write_number(token.text, writer);
    case JSON_TRUE: cbor_write_simple(writer, CBOR_TRUE); return NULL;
    case JSON_FALSE: cbor_write_simple(writer, CBOR_FALSE); return NULL;
    case JSON_NULL: cbor_write_simple(writer, CBOR_NULL); return NULL;
    case JSON_WRONG: return reader->wrong;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
    case JSON_END: return NULL;
  }
  return NULL;
}

/* How many members or elements the level that has just begun holds. The reader is a copy, which runs ahead. */
static size_t count_items(struct json_reader reader, enum json_kind kind) {
  unsigned depth = reader.depth;
  size_t count = 0;
  for (;;) {
    unsigned before = reader.depth;
    struct json_token token = json_reader_next(&reader);
    if (reader.depth < depth || token.kind == JSON_WRONG) return count;
    bool ends = token.kind == JSON_OBJECT_END || token.kind == JSON_ARRAY_END;
    if (before == depth && !ends && (kind != JSON_KEY || token.kind == JSON_KEY)) ++count;
  }
}

static const char *write_text(copal_bytes token, struct cbor_writer *writer) {
  uint8_t *text = malloc(token.size);
  size_t size = 0;
  if (text == NULL) return "there is not enough memory for it";
  bool good = json_reader_unescape(token, text, &size);
  if (good) cbor_write_text(writer, (copal_bytes){text, size});
  free(text);
  return good ? NULL : "half of a surrogate pair is no character";
}

/* RFC 8949 6.2: "JSON numbers without fractional parts (integer numbers) are represented as integers [...], choosing
 * the shortest form; integers longer than an implementation-defined threshold may instead be represented as
 * floating-point values." The threshold is 64 bits. */
static const char *write_number(copal_bytes token, struct cbor_writer *writer) {
  uint64_t integer;
  bool negative;
  double real;
  if (read_integer(token, &integer, &negative)) {
    if (negative) {
      cbor_write_negative(writer, integer - 1);
    } else {
      cbor_write_uint(writer, integer);
    }
    return NULL;
  }
  if (!number_read(token, &real)) return "a number is too large";
  cbor_write_real(writer, real);
  return NULL;
}

/* The absolute value. False where it has a fraction or an exponent, or is -0, or does not fit. */
static bool read_integer(copal_bytes token, uint64_t *number, bool *negative) {
  *negative = token.data[0] == '-';
  *number = 0;
  for (size_t at = *negative ? 1 : 0; at < token.size; ++at) {
    if (token.data[at] < '0' || token.data[at] > '9') return false;
    uint64_t digit = token.data[at] - (uint64_t)'0';
    if (*number > (UINT64_MAX - digit) / 10) return false;
    *number = *number * 10 + digit;
  }
  return !*negative || *number > 0;
}
