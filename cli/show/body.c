/* A body by its Content-Format. What it holds came from a peer and is written harmlessly; each format is in a file of
 * its own, this one only decides. */
#include "cli/show/body.h"

#include <stdarg.h>
#include <stdlib.h>

#include "cli/data/cbor_walk.h"
#include "cli/data/format.h"
#include "cli/data/json_reader.h"
#include "cli/show/diagnostic.h"
#include "cli/show/links.h"
#include "cli/show/pretty_json.h"
#include "cli/show/senml_table.h"
#include "cli/show/terminal.h"

static bool print_as(FILE *stream, copal_bytes body, enum data_kind kind);
static bool print_json(FILE *stream, copal_bytes body, bool is_senml);
static bool print_cbor(FILE *stream, copal_bytes body, enum data_kind kind);
static void note(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool write_as(struct json *json, copal_bytes body, enum data_kind kind);
static bool write_json(struct json *json, copal_bytes body);
static void write_cbor(struct json *json, copal_bytes body, bool sequence);

void body_print(FILE *stream, copal_bytes body, uint32_t content_format) {
  if (body.size == 0) return;
  if (!print_as(stream, body, data_kind_of(content_format))) body_print_plain(stream, body);
}

void body_print_plain(FILE *stream, copal_bytes body) {
  if (body.size == 0) return;
  if (!terminal_is_text(body)) {
    terminal_hex(stream, body, "");
    return;
  }
  terminal_text(stream, body, true);
  if (body.data[body.size - 1] != '\n') fputc('\n', stream);
}

void body_json(struct json *json, copal_bytes body, uint32_t content_format) {
  if (write_as(json, body, data_kind_of(content_format))) return;
  if (terminal_is_text(body)) {
    json_text(json, "encoding", "text");
    json_string(json, "payload", body);
  } else {
    json_text(json, "encoding", "base64");
    json_base64(json, "payload", body);
  }
}

/* False where nothing but a note was written. */
static bool print_as(FILE *stream, copal_bytes body, enum data_kind kind) {
  switch (kind) {
    case DATA_OTHER: return false;
    case DATA_LINKS:
      if (links_print(stream, body, NULL, NULL) >= 0) return true;
      note(stream, "not link format");
      return false;
    case DATA_JSON:
    case DATA_SENML_JSON: return print_json(stream, body, kind == DATA_SENML_JSON);
    case DATA_CBOR:
    case DATA_CBOR_SEQUENCE:
    case DATA_SENML_CBOR: return print_cbor(stream, body, kind);
  }
  return false;
}

static bool print_json(FILE *stream, copal_bytes body, bool is_senml) {
  const char *wrong;
  size_t at;
  if (!json_reader_check(body, &wrong, &at)) {
    note(stream, "not JSON: %s at byte %zu", wrong, at + 1);
    return false;
  }
  if (is_senml && senml_table(stream, body, false, &wrong)) return true;
  if (is_senml) note(stream, "not SenML: %s", wrong);
  pretty_json(stream, body);
  return true;
}

static bool print_cbor(FILE *stream, copal_bytes body, enum data_kind kind) {
  const char *wrong;
  bool sequence = kind == DATA_CBOR_SEQUENCE;
  if (!cbor_is_built()) {
    note(stream, "CBOR, which this build cannot read");
    return false;
  }
  if (!cbor_walk_check(body, sequence, &wrong)) {
    note(stream, "not CBOR: %s", wrong);
    return false;
  }
  if (kind == DATA_SENML_CBOR) {
    if (senml_table(stream, body, true, &wrong)) return true;
    note(stream, "not SenML: %s", wrong);
  }
  diagnostic_print(stream, body, sequence);
  return true;
}

static void note(FILE *stream, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stream, "%s(", terminal_style(stream, STYLE_FAINT));
  vfprintf(stream, format, arguments);
  fprintf(stream, ")%s\n", terminal_style(stream, STYLE_PLAIN));
  va_end(arguments);
}

/* False, with nothing written, where the body is not what its format says. */
static bool write_as(struct json *json, copal_bytes body, enum data_kind kind) {
  const char *wrong;
  bool sequence = kind == DATA_CBOR_SEQUENCE;
  switch (kind) {
    case DATA_OTHER: return false;
    case DATA_LINKS:
      if (!links_check(body)) return false;
      json_text(json, "encoding", "links");
      links_json(json, "payload", body, NULL);
      return true;
    case DATA_JSON:
    case DATA_SENML_JSON: return json_reader_check(body, NULL, NULL) && write_json(json, body);
    case DATA_CBOR:
    case DATA_CBOR_SEQUENCE:
    case DATA_SENML_CBOR:
      if (cbor_is_built() && !cbor_walk_check(body, sequence, &wrong)) return false;
      write_cbor(json, body, sequence);
      return true;
  }
  return false;
}

static bool write_json(struct json *json, copal_bytes body) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (stream == NULL) return false;
  compact_json(stream, body);
  bool good = fclose(stream) == 0;
  if (good) {
    json_text(json, "encoding", "json");
    json_raw(json, "payload", (copal_bytes){(const uint8_t *)text, size});
  }
  free(text);
  return good;
}

static void write_cbor(struct json *json, copal_bytes body, bool sequence) {
  json_text(json, "encoding", "cbor");
  json_base64(json, "payload", body);
  if (!cbor_is_built()) return;
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (stream == NULL) return;
  diagnostic_line(stream, body, sequence);
  if (fclose(stream) == 0) json_string(json, "diagnostic", (copal_bytes){(const uint8_t *)text, size});
  free(text);
}
