/* A request as the settings describe it. Knows no peer and sends nothing. */
#include "cli/ask/request.h"

#include <stdio.h>
#include <string.h>

#include "cli/data/format.h"
#include "cli/data/json_reader.h"
#include "cli/data/json_to_cbor.h"
#include "cli/line/formats.h"
#include "cli/line/suggest.h"
#include "cli/line/value.h"

enum { OPTION_VALUE_MAX = 1100, TOKEN_MAX = 1024 };

/* One option's value as bytes. */
struct value {
  uint8_t bytes[OPTION_VALUE_MAX];
  size_t size;
};

static bool add_value(copal_message *message, uint16_t number, const char *text, const char *shown, char *error,
                      size_t error_capacity);
static bool add_etags(copal_message *message, uint16_t number, const char *name, const struct list *list, char *error,
                      size_t error_capacity);
static bool add_conditions(copal_message *message, const struct settings *settings, char *error, size_t error_capacity);
static bool read_value(uint16_t number, const char *text, struct value *value, char *error, size_t error_capacity);
static bool read_uint(uint16_t number, const char *text, struct value *value);
static bool read_format(const char *text, uint32_t *format, char *error, size_t error_capacity);
static bool add_token(copal_message *message, const struct settings *settings, char *error, size_t error_capacity);
static bool add_formats(copal_message *message, const struct settings *settings, char *error, size_t error_capacity);
static bool add_options(copal_message *message, const struct settings *settings, char *error, size_t error_capacity);
static bool add_json(const copal_message *message, const char *text, uint8_t *payload, size_t *size, char *error,
                     size_t error_capacity);
static enum status add_payload(copal_message *message, const struct settings *settings, char *error,
                               size_t error_capacity);

bool request_option_number(const char *name, size_t name_size, uint16_t *number, char *error, size_t error_capacity) {
  char typed[64];
  snprintf(typed, sizeof typed, "%.*s", (int)(name_size < sizeof typed ? name_size : sizeof typed - 1), name);
  uint32_t value;
  if (value_number(typed, COPAL_OPTION_MAX, &value)) {
    *number = (uint16_t)value;
    return true;
  }
  const copal_option_info *info = copal_option_by_name(typed);
  if (info != NULL) {
    *number = info->number;
    return true;
  }
  struct suggestion suggestion = suggestion_for(typed);
  for (size_t i = 0; (info = copal_option_at(i)) != NULL; ++i) suggestion_offer(&suggestion, info->name);
  if (suggestion.name != NULL) {
    snprintf(error, error_capacity, "no option is called '%s': did you mean %s?", typed, suggestion.name);
  } else {
    snprintf(error, error_capacity, "no option is called '%s': use its number", typed);
  }
  return false;
}

bool request_add_option(copal_message *message, const char *text, char *error, size_t error_capacity) {
  const char *equals = strchr(text, '=');
  size_t name_size = equals != NULL ? (size_t)(equals - text) : strlen(text);
  uint16_t number;
  if (!request_option_number(text, name_size, &number, error, error_capacity)) return false;
  return add_value(message, number, equals != NULL ? equals + 1 : NULL, text, error, error_capacity);
}

enum status request_fill(copal_message *message, const struct settings *settings, char *error, size_t error_capacity) {
  if (!add_token(message, settings, error, error_capacity)) return STATUS_USAGE;
  if (!add_formats(message, settings, error, error_capacity)) return STATUS_USAGE;
  if (!add_conditions(message, settings, error, error_capacity)) return STATUS_USAGE;
  if (!add_options(message, settings, error, error_capacity)) return STATUS_USAGE;
  return add_payload(message, settings, error, error_capacity);
}

bool request_gives_option(const struct settings *settings, uint16_t number) {
  for (size_t i = 0; i < settings->options.count; ++i) {
    const char *text = settings->options.items[i];
    uint16_t given;
    char error[120];
    if (request_option_number(text, strcspn(text, "="), &given, error, sizeof error) && given == number) return true;
  }
  return false;
}

static bool add_token(copal_message *message, const struct settings *settings, char *error, size_t error_capacity) {
  if (settings->token == NULL) return true;
  uint8_t token[TOKEN_MAX];
  size_t size = 0;
  enum hex_result result = value_hex(settings->token, strlen(settings->token), token, sizeof token, &size);
  if (result != HEX_OK || size == 0) {
    snprintf(error, error_capacity, "--token %s", result != HEX_OK ? value_hex_text(result) : "is empty");
    return false;
  }
  copal_message_set_token(message, token, size);
  return true;
}

static bool add_formats(copal_message *message, const struct settings *settings, char *error, size_t error_capacity) {
  uint32_t format = COPAL_FORMAT_NONE;
  if (settings->accept != NULL) {
    if (!read_format(settings->accept, &format, error, error_capacity)) return false;
    if (format != COPAL_FORMAT_NONE) copal_message_add_uint(message, COPAL_OPTION_ACCEPT, format);
  }
  /* RFC 7252 5.5.1: "there is a strong expectation that a Content-Format indication will be provided with resource
   * representations whenever possible". */
  format = COPAL_FORMAT_NONE;
  if (settings->data != NULL) format = COPAL_TEXT_PLAIN;
  if (settings->file != NULL || settings->hex != NULL) format = COPAL_OCTET_STREAM;
  if (settings->json_data != NULL) format = COPAL_JSON;
  if (settings->format != NULL && !read_format(settings->format, &format, error, error_capacity)) return false;
  if (format != COPAL_FORMAT_NONE) copal_message_add_uint(message, COPAL_OPTION_CONTENT_FORMAT, format);
  return true;
}

static bool add_conditions(copal_message *message, const struct settings *settings, char *error,
                           size_t error_capacity) {
  if (settings->if_none_match && settings->if_matches.count > 0) {
    snprintf(error, error_capacity, "--if-match and --if-none-match exclude each other");
    return false;
  }
  if (settings->if_none_match) copal_message_add(message, COPAL_OPTION_IF_NONE_MATCH, NULL, 0);
  return add_etags(message, COPAL_OPTION_IF_MATCH, "--if-match", &settings->if_matches, error, error_capacity) &&
         add_etags(message, COPAL_OPTION_ETAG, "--etag", &settings->etags, error, error_capacity);
}

static bool add_etags(copal_message *message, uint16_t number, const char *name, const struct list *list, char *error,
                      size_t error_capacity) {
  for (size_t i = 0; i < list->count; ++i) {
    if (add_value(message, number, list->items[i], list->items[i], error, error_capacity)) continue;
    if (message->error == COPAL_ERR_OPTION_VALUE) {
      snprintf(error, error_capacity, "%s: '%s' is no ETag: that is up to 8 bytes, as text or as 0x and hexadecimal",
               name, list->items[i]);
    }
    return false;
  }
  return true;
}

static bool add_options(copal_message *message, const struct settings *settings, char *error, size_t error_capacity) {
  /* What the command line says of an option that may stand only once replaces what the URI said. Said twice on the
   * command line, it is an error that the message latches. */
  for (size_t i = 0; i < settings->options.count; ++i) {
    const char *text = settings->options.items[i];
    uint16_t number;
    if (!request_option_number(text, strcspn(text, "="), &number, error, error_capacity)) return false;
    const copal_option_info *info = copal_option_by_number(number);
    if (info != NULL && !info->repeatable) (void)copal_message_delete(message, number);
  }
  for (size_t i = 0; i < settings->options.count; ++i) {
    if (!request_add_option(message, settings->options.items[i], error, error_capacity)) return false;
  }
  return true;
}

static enum status add_payload(copal_message *message, const struct settings *settings, char *error,
                               size_t error_capacity) {
  int given =
      (settings->data != NULL) + (settings->file != NULL) + (settings->hex != NULL) + (settings->json_data != NULL);
  if (given > 1) {
    snprintf(error, error_capacity, "--data, --file, --hex and --json-data exclude each other");
    return STATUS_USAGE;
  }
  static uint8_t payload[REQUEST_SIZE_MAX];
  size_t size = 0;
  if (settings->data != NULL) {
    copal_message_set_payload(message, settings->data, strlen(settings->data));
    return STATUS_SUCCESS;
  }
  if (settings->json_data != NULL && !add_json(message, settings->json_data, payload, &size, error, error_capacity)) {
    return STATUS_USAGE;
  }
  if (settings->hex != NULL) {
    enum hex_result result = value_hex(settings->hex, strlen(settings->hex), payload, sizeof payload, &size);
    if (result != HEX_OK) {
      snprintf(error, error_capacity, "--hex %s", value_hex_text(result));
      return STATUS_USAGE;
    }
  }
  copal_message_set_payload(message, payload, size);
  return STATUS_SUCCESS;
}

/* text NULL: the value is empty. shown is the option as it was typed. */
static bool add_value(copal_message *message, uint16_t number, const char *text, const char *shown, char *error,
                      size_t error_capacity) {
  struct value value = {.size = 0};
  if (text != NULL && !read_value(number, text, &value, error, error_capacity)) return false;
  copal_message_add(message, number, value.bytes, value.size);
  if (message->error == COPAL_OK) return true;
  snprintf(error, error_capacity, "option '%s': %s", shown, copal_error_text(message->error));
  return false;
}

/* JSON as it is, or as CBOR where the message's Content-Format says so; payload has room for REQUEST_SIZE_MAX. */
static bool add_json(const copal_message *message, const char *text, uint8_t *payload, size_t *size, char *error,
                     size_t error_capacity) {
  copal_bytes json = {(const uint8_t *)text, strlen(text)};
  const char *wrong;
  size_t at;
  if (!json_reader_check(json, &wrong, &at)) {
    snprintf(error, error_capacity, "--json-data is not JSON: %s at byte %zu", wrong, at + 1);
    return false;
  }
  copal_view view = copal_message_view(message);
  enum data_kind kind = data_kind_of(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE));
  wrong = NULL;
  if (kind == DATA_CBOR || kind == DATA_CBOR_SEQUENCE || kind == DATA_SENML_CBOR) {
    struct cbor_writer writer = {payload, REQUEST_SIZE_MAX, 0, false};
    wrong = json_to_cbor(json, kind == DATA_SENML_CBOR, &writer);
    *size = writer.size;
  } else if (json.size <= REQUEST_SIZE_MAX) {
    memcpy(payload, json.data, json.size);
    *size = json.size;
  } else {
    wrong = "it is too large";
  }
  if (wrong != NULL) snprintf(error, error_capacity, "--json-data cannot be sent: %s", wrong);
  return wrong == NULL;
}

static bool read_value(uint16_t number, const char *text, struct value *value, char *error, size_t error_capacity) {
  const copal_option_info *info = copal_option_by_number(number);
  uint8_t format = info != NULL ? info->format : COPAL_FORMAT_OPAQUE;
  bool hexadecimal = strncmp(text, "0x", 2) == 0;
  if (format == COPAL_FORMAT_UINT) {
    if (read_uint(number, text, value)) return true;
    snprintf(error, error_capacity, "option %s takes a number, not '%s'", info->name, text);
    return false;
  }
  if (hexadecimal && format != COPAL_FORMAT_STRING) {
    enum hex_result result = value_hex(text, strlen(text), value->bytes, sizeof value->bytes, &value->size);
    if (result == HEX_OK) return true;
    snprintf(error, error_capacity, "option value '%s' %s", text, value_hex_text(result));
    return false;
  }
  value->size = strlen(text);
  if (value->size > sizeof value->bytes) {
    snprintf(error, error_capacity, "option value is longer than %d bytes", OPTION_VALUE_MAX);
    return false;
  }
  memcpy(value->bytes, text, value->size);
  return true;
}

/* RFC 7252 3.2: "A sender SHOULD represent the integer with as few bytes as possible". */
static bool read_uint(uint16_t number, const char *text, struct value *value) {
  uint32_t uint;
  if (!value_number(text, UINT32_MAX, &uint)) {
    if (number != COPAL_OPTION_ACCEPT && number != COPAL_OPTION_CONTENT_FORMAT) return false;
    int format = copal_content_format_by_name(text);
    if (format < 0) return false;
    uint = (uint32_t)format;
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    uint8_t byte = (uint8_t)(uint >> shift);
    if (byte != 0 || value->size > 0) value->bytes[value->size++] = byte;
  }
  return true;
}

static bool read_format(const char *text, uint32_t *format, char *error, size_t error_capacity) {
  if (strcmp(text, "none") == 0) {
    *format = COPAL_FORMAT_NONE;
    return true;
  }
  int number = copal_content_format_by_name(text);
  if (number < 0) {
    char name[FORMAT_NAME_MAX];
    const char *near = format_near(text, name);
    snprintf(error, error_capacity, "content format '%s' is not known: %s%s%s", text,
             near != NULL ? "did you mean " : "use its number, or a name such as json, cbor, text/plain",
             near != NULL ? near : "", near != NULL ? "?" : "");
    return false;
  }
  *format = (uint32_t)number;
  return true;
}
