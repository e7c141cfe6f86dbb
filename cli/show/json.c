/* JSON as it is written. Knows no CoAP. */
#include "cli/show/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "cli/show/terminal.h"

static void open_level(struct json *json, const char *key, bool array);
static void begin_value(struct json *json, const char *key);
static size_t put_escape(FILE *stream, const uint8_t *at, size_t left);

void json_begin(struct json *json, FILE *stream) {
  *json = (struct json){.stream = stream, .depth = 1};
  fputc('{', stream);
}

void json_end(struct json *json) {
  assert(json->depth == 1);
  fputs("}\n", json->stream);
  terminal_flush(json->stream);
}

void json_object(struct json *json, const char *key) { open_level(json, key, false); }

void json_array(struct json *json, const char *key) { open_level(json, key, true); }

void json_close(struct json *json) {
  assert(json->depth > 1);
  --json->depth;
  fputc((json->arrays >> json->depth & 1) != 0 ? ']' : '}', json->stream);
}

void json_string(struct json *json, const char *key, copal_bytes text) {
  begin_value(json, key);
  json_quote(json->stream, text);
}

void json_text(struct json *json, const char *key, const char *text) {
  if (text == NULL) {
    json_null(json, key);
  } else {
    json_string(json, key, (copal_bytes){(const uint8_t *)text, strlen(text)});
  }
}

void json_hex(struct json *json, const char *key, copal_bytes bytes) {
  begin_value(json, key);
  fputc('"', json->stream);
  for (size_t i = 0; i < bytes.size; ++i) fprintf(json->stream, "%02x", bytes.data[i]);
  fputc('"', json->stream);
}

void json_base64(struct json *json, const char *key, copal_bytes bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  begin_value(json, key);
  fputc('"', json->stream);
  for (size_t at = 0; at < bytes.size; at += 3) {
    size_t left = bytes.size - at;
    uint32_t group = (uint32_t)bytes.data[at] << 16;
    if (left > 1) group |= (uint32_t)bytes.data[at + 1] << 8;
    if (left > 2) group |= bytes.data[at + 2];
    fputc(digits[group >> 18], json->stream);
    fputc(digits[group >> 12 & 63], json->stream);
    fputc(left > 1 ? digits[group >> 6 & 63] : '=', json->stream);
    fputc(left > 2 ? digits[group & 63] : '=', json->stream);
  }
  fputc('"', json->stream);
}

void json_uint(struct json *json, const char *key, uint64_t number) {
  begin_value(json, key);
  fprintf(json->stream, "%" PRIu64, number);
}

void json_real(struct json *json, const char *key, double number, int decimals) {
  begin_value(json, key);
  fprintf(json->stream, "%.*f", decimals, number);
}

void json_bool(struct json *json, const char *key, bool value) {
  begin_value(json, key);
  fputs(value ? "true" : "false", json->stream);
}

void json_null(struct json *json, const char *key) {
  begin_value(json, key);
  fputs("null", json->stream);
}

void json_raw(struct json *json, const char *key, copal_bytes text) {
  begin_value(json, key);
  fwrite(text.data, 1, text.size, json->stream);
}

void json_quote(FILE *stream, copal_bytes text) {
  fputc('"', stream);
  for (size_t at = 0; at < text.size;) {
    size_t size = terminal_character(text.data + at, text.size - at);
    if (size == 0) {
      at += put_escape(stream, text.data + at, text.size - at);
      continue;
    }
    if (text.data[at] == '"' || text.data[at] == '\\') fputc('\\', stream);
    fwrite(text.data + at, 1, size, stream);
    at += size;
  }
  fputc('"', stream);
}

static void open_level(struct json *json, const char *key, bool array) {
  assert(json->depth < JSON_DEPTH_MAX);
  begin_value(json, key);
  uint64_t bit = UINT64_C(1) << json->depth++;
  json->arrays = array ? json->arrays | bit : json->arrays & ~bit;
  json->filled &= ~bit;
  fputc(array ? '[' : '{', json->stream);
}

static void begin_value(struct json *json, const char *key) {
  uint64_t bit = UINT64_C(1) << (json->depth - 1);
  assert((key == NULL) == ((json->arrays & bit) != 0));
  if ((json->filled & bit) != 0) fputc(',', json->stream);
  json->filled |= bit;
  if (key == NULL) return;
  json_quote(json->stream, (copal_bytes){(const uint8_t *)key, strlen(key)});
  fputc(':', json->stream);
}

/* RFC 8259 7: "All Unicode characters may be placed within the quotation marks, except for the characters that MUST be
 * escaped: quotation mark, reverse solidus, and the control characters (U+0000 through U+001F)." Those from U+0080 on
 * are escaped too, since some terminals obey them. Returns how many bytes that was. */
static size_t put_escape(FILE *stream, const uint8_t *at, size_t left) {
  bool control = at[0] == 0xc2 && left > 1 && at[1] >= 0x80 && at[1] < 0xa0;
  if (at[0] == '\n') {
    fputs("\\n", stream);
  } else if (at[0] == '\t') {
    fputs("\\t", stream);
  } else if (at[0] < 0x80 || control) {
    fprintf(stream, "\\u%04x", control ? at[1] : at[0]);
  } else {
    fputs("\\ufffd", stream);
  }
  return control ? 2 : 1;
}
