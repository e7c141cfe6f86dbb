/* A body by its Content-Format: readable for people, and as JSON for programs. */
#ifndef COPAL_CLI_SHOW_BODY_H
#define COPAL_CLI_SHOW_BODY_H

#include <stdint.h>
#include <stdio.h>

#include "cli/show/json.h"
#include "copal/message.h"

/* Writes a body readable, with a line feed at its end; what is not what its format says is shown as text or in
 * hexadecimal, behind a line that tells so. content_format may be COPAL_FORMAT_NONE. */
void body_print(FILE *stream, copal_bytes body, uint32_t content_format);

/* Writes a body as text or in hexadecimal, whatever its format. */
void body_print_plain(FILE *stream, copal_bytes body);

/* Writes the members "encoding" and "payload" of a response or request: "json" and the value itself, "links" and what
 * links_json writes, "text" and a string, else "base64" and a string. "cbor" has base64 too, and its diagnostic
 * notation in a member "diagnostic". */
void body_json(struct json *json, copal_bytes body, uint32_t content_format);

#endif
