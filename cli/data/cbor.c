/* CBOR through libcbor's streaming functions, which allocate nothing: a head may claim any size. RFC 8949. */
#include "cli/data/cbor.h"

#include <cbor/encoding.h>
#include <cbor/streaming.h>
#include <math.h>
#include <string.h>

/* The longest head, RFC 8949 3: one byte and eight. */
enum { HEAD_SIZE_MAX = 9 };

static bool read_simple(copal_bytes *rest, struct cbor_head *head);
static void on_uint8(void *context, uint8_t number);
static void on_uint16(void *context, uint16_t number);
static void on_uint32(void *context, uint32_t number);
static void on_uint64(void *context, uint64_t number);
static void on_negative8(void *context, uint8_t number);
static void on_negative16(void *context, uint16_t number);
static void on_negative32(void *context, uint32_t number);
static void on_negative64(void *context, uint64_t number);
static void on_bytes(void *context, cbor_data data, size_t size);
static void on_bytes_begin(void *context);
static void on_text(void *context, cbor_data data, size_t size);
static void on_text_begin(void *context);
static void on_array(void *context, size_t count);
static void on_array_begin(void *context);
static void on_map(void *context, size_t count);
static void on_map_begin(void *context);
static void on_tag(void *context, uint64_t number);
static void on_float(void *context, float real);
static void on_double(void *context, double real);
static void on_undefined(void *context);
static void on_null(void *context);
static void on_bool(void *context, bool value);
static void on_break(void *context);
static void append(struct cbor_writer *writer, const uint8_t *bytes, size_t size);
static bool keeps(const uint8_t *bytes, size_t size, double real);

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint8 = on_negative8,
    .negint16 = on_negative16,
    .negint32 = on_negative32,
    .negint64 = on_negative64,
    .byte_string = on_bytes,
    .byte_string_start = on_bytes_begin,
    .string = on_text,
    .string_start = on_text_begin,
    .array_start = on_array,
    .indef_array_start = on_array_begin,
    .map_start = on_map,
    .indef_map_start = on_map_begin,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_undefined,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_break,
};

bool cbor_is_built(void) { return true; }

bool cbor_read(copal_bytes *rest, struct cbor_head *head) {
  *head = (struct cbor_head){.kind = CBOR_BREAK};
  if (rest->size == 0) return false;
  if (read_simple(rest, head)) return true;
  struct cbor_decoder_result result = cbor_stream_decode(rest->data, rest->size, &callbacks, head);
  if (result.status != CBOR_DECODER_FINISHED || result.read == 0 || result.read > rest->size) return false;
  rest->data += result.read;
  rest->size -= result.read;
  return true;
}

void cbor_write_uint(struct cbor_writer *writer, uint64_t number) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_uint(number, head, sizeof head));
}

void cbor_write_negative(struct cbor_writer *writer, uint64_t number) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_negint(number, head, sizeof head));
}

void cbor_write_bytes(struct cbor_writer *writer, copal_bytes bytes) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_bytestring_start(bytes.size, head, sizeof head));
  append(writer, bytes.data, bytes.size);
}

void cbor_write_text(struct cbor_writer *writer, copal_bytes text) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_string_start(text.size, head, sizeof head));
  append(writer, text.data, text.size);
}

void cbor_write_array(struct cbor_writer *writer, size_t count) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_array_start(count, head, sizeof head));
}

void cbor_write_map(struct cbor_writer *writer, size_t count) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_map_start(count, head, sizeof head));
}

void cbor_write_simple(struct cbor_writer *writer, uint8_t number) {
  uint8_t head[HEAD_SIZE_MAX];
  append(writer, head, cbor_encode_ctrl(number, head, sizeof head));
}

/* RFC 8949 4.1: "Preferred serialization also uses the shortest floating-point encoding that preserves the value being
 * encoded." */
void cbor_write_real(struct cbor_writer *writer, double real) {
  uint8_t head[HEAD_SIZE_MAX];
  float narrow = (float)real;
  size_t size = cbor_encode_half(narrow, head, sizeof head);
  if (!keeps(head, size, real)) size = cbor_encode_single(narrow, head, sizeof head);
  if (!keeps(head, size, real)) size = cbor_encode_double(real, head, sizeof head);
  append(writer, head, size);
}

/* Simple values without a meaning, which libcbor refuses. RFC 8949 3.3: "an encoder MUST NOT issue two-byte sequences
 * that start with 0xf8 [...] and continue with a byte less than 0x20". */
static bool read_simple(copal_bytes *rest, struct cbor_head *head) {
  uint8_t first = rest->data[0];
  bool short_form = first >= 0xe0 && first < 0xe0 + CBOR_FALSE;
  bool long_form = first == 0xf8 && rest->size > 1 && rest->data[1] >= 32;
  if (!short_form && !long_form) return false;
  head->kind = CBOR_SIMPLE;
  head->number = short_form ? first & 31u : rest->data[1];
  size_t size = short_form ? 1 : 2;
  rest->data += size;
  rest->size -= size;
  return true;
}

static void set(void *context, enum cbor_kind kind, uint64_t number) {
  struct cbor_head *head = context;
  head->kind = kind;
  head->number = number;
}

static void set_bytes(void *context, enum cbor_kind kind, cbor_data data, size_t size) {
  struct cbor_head *head = context;
  head->kind = kind;
  head->bytes = (copal_bytes){data, size};
}

static void set_indefinite(void *context, enum cbor_kind kind) {
  struct cbor_head *head = context;
  head->kind = kind;
  head->indefinite = true;
}

static void on_uint8(void *context, uint8_t number) { set(context, CBOR_UINT, number); }
static void on_uint16(void *context, uint16_t number) { set(context, CBOR_UINT, number); }
static void on_uint32(void *context, uint32_t number) { set(context, CBOR_UINT, number); }
static void on_uint64(void *context, uint64_t number) { set(context, CBOR_UINT, number); }
static void on_negative8(void *context, uint8_t number) { set(context, CBOR_NEGATIVE, number); }
static void on_negative16(void *context, uint16_t number) { set(context, CBOR_NEGATIVE, number); }
static void on_negative32(void *context, uint32_t number) { set(context, CBOR_NEGATIVE, number); }
static void on_negative64(void *context, uint64_t number) { set(context, CBOR_NEGATIVE, number); }
static void on_bytes(void *context, cbor_data data, size_t size) { set_bytes(context, CBOR_BYTES, data, size); }
static void on_bytes_begin(void *context) { set_indefinite(context, CBOR_BYTES); }
static void on_text(void *context, cbor_data data, size_t size) { set_bytes(context, CBOR_TEXT, data, size); }
static void on_text_begin(void *context) { set_indefinite(context, CBOR_TEXT); }
static void on_array(void *context, size_t count) { set(context, CBOR_ARRAY, count); }
static void on_array_begin(void *context) { set_indefinite(context, CBOR_ARRAY); }
static void on_map(void *context, size_t count) { set(context, CBOR_MAP, count); }
static void on_map_begin(void *context) { set_indefinite(context, CBOR_MAP); }
static void on_tag(void *context, uint64_t number) { set(context, CBOR_TAGGED, number); }
static void on_float(void *context, float real) { on_double(context, (double)real); }

static void on_double(void *context, double real) {
  struct cbor_head *head = context;
  head->kind = CBOR_REAL;
  head->real = real;
}

static void on_undefined(void *context) { set(context, CBOR_SIMPLE, CBOR_UNDEFINED); }
static void on_null(void *context) { set(context, CBOR_SIMPLE, CBOR_NULL); }
static void on_bool(void *context, bool value) { set(context, CBOR_SIMPLE, value ? CBOR_TRUE : CBOR_FALSE); }
static void on_break(void *context) { set(context, CBOR_BREAK, 0); }

static void append(struct cbor_writer *writer, const uint8_t *bytes, size_t size) {
  if (writer->full || size > writer->capacity - writer->size) {
    writer->full = true;
    return;
  }
  if (size > 0) memcpy(writer->buffer + writer->size, bytes, size);
  writer->size += size;
}

/* Whether these bytes say the same number, -0 being another one than 0. */
static bool keeps(const uint8_t *bytes, size_t size, double real) {
  copal_bytes rest = {bytes, size};
  struct cbor_head head;
  return cbor_read(&rest, &head) && head.kind == CBOR_REAL && head.real == real && signbit(head.real) == signbit(real);
}
