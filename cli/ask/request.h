/* A request as the settings describe it. */
#ifndef COPAL_CLI_ASK_REQUEST_H
#define COPAL_CLI_ASK_REQUEST_H

#include "cli/line/settings.h"
#include "cli/line/status.h"
#include "copal/message.h"

enum { REQUEST_SIZE_MAX = 65536 };

/* The option that "NAME" or "NUMBER" names; false, with the reason in error, when there is none. */
bool request_option_number(const char *name, size_t name_size, uint16_t *number, char *error, size_t error_capacity);

/* Adds one option, "NAME[=VALUE]", with its value read by the option's format: text, a decimal number, or bytes as
 * 0x…; Accept and Content-Format take names too. False, with the reason in error. */
bool request_add_option(copal_message *message, const char *text, char *error, size_t error_capacity);

/* Adds what the settings say: token, Accept, Content-Format, options of the command line (which win over what the
 * URI says of them) and the payload, unless that is in a file: who sends reads it. STATUS_SUCCESS, or the reason is in
 * error. */
enum status request_fill(copal_message *message, const struct settings *settings, char *error, size_t error_capacity);

/* Whether the command line gives an option of that number. */
bool request_gives_option(const struct settings *settings, uint16_t number);

#endif
