/* A datagram explained for programs: the schema is in docs/json.md. Knows no capture and no network. */
#include <string.h>

#include "cli/capture/describe.h"
#include "cli/capture/dissect.h"
#include "cli/capture/explain.h"
#include "cli/capture/notes.h"
#include "cli/show/json_coap.h"
#include "cli/show/terminal.h"

static void add_header(struct json *json, copal_bytes datagram);
static void add_options(struct json *json, copal_bytes datagram);
static void add_option(struct json *json, const struct part *part, size_t available);
static void add_payload(struct json *json, copal_bytes datagram);
static void add_error(struct json *json, copal_bytes datagram);
static void add_notes(struct json *json, copal_bytes datagram);
static bool find_part(copal_bytes datagram, enum part_kind kind, struct part *part);

copal_error explain_json(struct json *json, copal_bytes datagram) {
  copal_view view = {0};
  copal_error error = copal_decode(datagram.data, datagram.size, &view);
  json_uint(json, "size", datagram.size);
  json_hex(json, "bytes", datagram);
  add_header(json, datagram);
  add_options(json, datagram);
  add_payload(json, datagram);
  add_notes(json, datagram);
  if (error != COPAL_OK) add_error(json, datagram);
  return error;
}

/* Every field that can be read, in the order of the datagram. */
static void add_header(struct json *json, copal_bytes datagram) {
  struct part part;
  bool is_known = datagram.size > 0 && datagram.data[0] >> 6 == 1;
  if (!is_known) return;
  json_text(json, "type", copal_type_name(datagram.data[0] >> 4 & 3));
  if (find_part(datagram, PART_CODE, &part)) {
    uint8_t code = part.bytes.data[0];
    char text[8];
    snprintf(text, sizeof text, "%d.%02d", COPAL_CODE_CLASS(code), COPAL_CODE_DETAIL(code));
    json_text(json, "code", text);
    json_text(json, "name", copal_code_name(code));
  }
  if (find_part(datagram, PART_MESSAGE_ID, &part)) {
    json_uint(json, "message_id", (uint64_t)(part.bytes.data[0] << 8 | part.bytes.data[1]));
  }
  copal_view view;
  if (find_part(datagram, PART_TOKEN, &part)) {
    json_hex(json, "token", part.bytes);
  } else if (copal_decode(datagram.data, datagram.size, &view) == COPAL_OK) {
    json_hex(json, "token", (copal_bytes){NULL, 0});
  }
}

/* An option whose value is cut off is not among them: the error tells where it would be. */
static void add_options(struct json *json, copal_bytes datagram) {
  struct dissection dissection = dissect(datagram);
  struct part part;
  json_array(json, "options");
  while (dissect_next(&dissection, &part)) {
    if (part.kind == PART_OPTION) add_option(json, &part, datagram.size - part.offset - part.bytes.size);
  }
  json_close(json);
}

static void add_option(struct json *json, const struct part *part, size_t available) {
  const copal_option *option = &part->option;
  if (option->size > available) return;
  json_object(json, NULL);
  json_option(json, option);
  json_uint(json, "offset", part->offset);
  json_uint(json, "size", option->size);
  json_bool(json, "critical", copal_option_is_critical(option->number));
  json_bool(json, "unsafe", copal_option_is_unsafe(option->number));
  json_bool(json, "no_cache_key", copal_option_is_no_cache_key(option->number));
  json_close(json);
}

static void add_payload(struct json *json, copal_bytes datagram) {
  struct part part;
  if (!find_part(datagram, PART_PAYLOAD, &part)) return;
  json_object(json, "payload");
  json_uint(json, "offset", part.offset);
  json_uint(json, "size", part.bytes.size);
  if (terminal_is_text(part.bytes)) {
    json_string(json, "text", part.bytes);
  } else {
    json_base64(json, "base64", part.bytes);
  }
  json_close(json);
}

static void add_error(struct json *json, copal_bytes datagram) {
  struct part part;
  char text[DESCRIBE_TEXT_MAX];
  if (!find_part(datagram, PART_WRONG, &part)) return;
  const struct rule *rule = dissect_rule(part.error);
  json_object(json, "error");
  json_uint(json, "offset", part.offset);
  json_text(json, "message", describe_part(&part, false, text, sizeof text));
  json_text(json, "section", rule->section);
  json_text(json, "rule", rule->text);
  json_close(json);
}

static void add_notes(struct json *json, copal_bytes datagram) {
  struct dissection dissection = dissect(datagram);
  struct notes notes = {0};
  struct part part;
  json_array(json, "notes");
  while (dissect_next(&dissection, &part)) {
    const struct note *found[NOTES_MAX];
    size_t count = notes_take(&notes, &part, found);
    for (size_t i = 0; i < count; ++i) {
      json_object(json, NULL);
      json_uint(json, "offset", part.offset);
      json_text(json, "message", found[i]->text);
      json_text(json, "section", found[i]->section);
      json_close(json);
    }
  }
  json_close(json);
}

static bool find_part(copal_bytes datagram, enum part_kind kind, struct part *part) {
  struct dissection dissection = dissect(datagram);
  while (dissect_next(&dissection, part)) {
    if (part->kind == kind) return true;
  }
  return false;
}
