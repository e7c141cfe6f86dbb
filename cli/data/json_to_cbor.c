/* JSON as CBOR, in preferred serialization: what the items are called and in which order they stand is kept. RFC 8949
 * 6.2 and 4.1. */
#include "cli/data/json_to_cbor.h"

#include <stdlib.h>

#include "cli/data/base64.h"
#include "cli/data/json_reader.h"
#include "cli/data/number.h"
#include "cli/data/senml.h"

static const char *write_token(const struct json_reader *reader, struct json_token token, struct cbor_writer *writer);
static size_t count_items(struct json_reader reader, enum json_kind kind);
static bool in_record(const struct json_reader *reader);
static const char *write_label(copal_bytes token, struct cbor_writer *writer, bool *is_data);
static const char *write_data(copal_bytes token, struct cbor_writer *writer);
static const char *write_text(copal_bytes token, struct cbor_writer *writer);
static const char *write_number(copal_bytes token, struct cbor_writer *writer);
static bool read_integer(copal_bytes token, uint64_t *number, bool *negative);

const char *json_to_cbor(copal_bytes text, bool is_senml, struct cbor_writer *writer) {
  if (!cbor_is_built()) return "this build of the command has no CBOR: it was made without libcbor";
  struct json_reader reader;
  json_reader_begin(&reader, text);
  bool is_data = false;
  for (;;) {
    struct json_token token = json_reader_next(&reader);
    if (token.kind == JSON_END) break;
    const char *wrong;
    if (is_senml && token.kind == JSON_KEY && in_record(&reader)) {
      wrong = write_label(token.text, writer, &is_data);
    } else {
      wrong =
          is_data && token.kind == JSON_STRING ? write_data(token.text, writer) : write_token(&reader, token, writer);
      is_data = false;
    }
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

/* Of SenML: in an object in the array. */
static bool in_record(const struct json_reader *reader) { return reader->depth == 2 && (reader->arrays & 3) == 1; }

static const char *write_label(copal_bytes token, struct cbor_writer *writer, bool *is_data) {
  int number;
  enum senml_label label = senml_label((copal_bytes){token.data + 1, token.size - 2}, &number);
  *is_data = label == SENML_LABEL_DATA;
  if (label == SENML_LABEL_NAME) return write_text(token, writer);
  if (number >= 0) {
    cbor_write_uint(writer, (uint64_t)number);
  } else {
    cbor_write_negative(writer, (uint64_t)(-1 - number));
  }
  return NULL;
}

static const char *write_data(copal_bytes token, struct cbor_writer *writer) {
  uint8_t *data = malloc(token.size);
  size_t size = 0;
  if (data == NULL) return "there is not enough memory for it";
  bool good = json_reader_unescape(token, data, &size) && base64_read((copal_bytes){data, size}, data, &size);
  if (good) cbor_write_bytes(writer, (copal_bytes){data, size});
  free(data);
  return good ? NULL : "a data value is no base64";
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
