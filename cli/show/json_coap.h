/* What CoAP has, as members of JSON objects: the same wherever --json prints them. */
#ifndef COPAL_CLI_SHOW_JSON_COAP_H
#define COPAL_CLI_SHOW_JSON_COAP_H

#include "cli/show/json.h"

/* Writes "number", "name" and "value": a number, text, or bytes in hexadecimal. Which it is follows from the option
 * alone, not from its value. */
void json_option(struct json *json, const copal_option *option);

/* Writes a member "error", an object of "name", which never changes, and "message", a sentence for people. */
void json_error(struct json *json, const char *name, const char *message);

enum { JSON_ERROR_NAME_MAX = 40 };

/* The name of one of the library's errors: COPAL_ERR_BODY_SIZE is "body_size". Returns name. */
const char *json_error_name(copal_error error, char name[JSON_ERROR_NAME_MAX]);

#endif
