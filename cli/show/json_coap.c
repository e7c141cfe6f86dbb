/* What CoAP has, as members of JSON objects. Knows no endpoint and no command; what peers said is escaped by
 * show/json.h. */
#include "cli/show/json_coap.h"

#include <stdio.h>
#include <string.h>

void json_option(struct json *json, const copal_option *option) {
  const copal_option_info *info = copal_option_by_number(option->number);
  uint8_t format = info != NULL ? info->format : COPAL_FORMAT_OPAQUE;
  copal_bytes bytes = {option->value, option->size};
  json_uint(json, "number", option->number);
  json_text(json, "name", info != NULL ? info->name : NULL);
  if (format == COPAL_FORMAT_UINT && option->size <= 4) {
    json_uint(json, "value", copal_option_uint(option));
  } else if (format == COPAL_FORMAT_STRING) {
    json_string(json, "value", bytes);
  } else {
    json_hex(json, "value", bytes);
  }
}

void json_error(struct json *json, const char *name, const char *message) {
  json_object(json, "error");
  json_text(json, "name", name);
  json_text(json, "message", message);
  json_close(json);
}

const char *json_error_name(copal_error error, char name[JSON_ERROR_NAME_MAX]) {
  static const char prefix[] = "COPAL_ERR_";
  const char *constant = copal_error_name(error);
  if (constant == NULL) constant = "unknown";
  if (strncmp(constant, prefix, sizeof prefix - 1) == 0) constant += sizeof prefix - 1;
  snprintf(name, JSON_ERROR_NAME_MAX, "%s", constant);
  for (char *at = name; *at != '\0'; ++at) {
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  }
  return name;
}
