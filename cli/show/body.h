/* A body by its Content-Format: readable for people, and as JSON for programs. */
#ifndef COPAL_CLI_SHOW_BODY_H
#define COPAL_CLI_SHOW_BODY_H

#include <stdint.h>
#include <stdio.h>

#include "cli/show/json.h"
#include "copal/message.h"

/* Writes a body readable, with a line feed at its end; what is not what its format says is shown as text or in
 * hexadecimal. content_format may be COPAL_FORMAT_NONE. */
void body_print(FILE *stream, copal_bytes body, uint32_t content_format);

/* Writes the members "encoding" and "payload" of a response or request. */
void body_json(struct json *json, copal_bytes body, uint32_t content_format);

#endif
