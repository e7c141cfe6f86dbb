/* Where defaults come from: the configuration file, and COPAL_OPTIONS over it. */
#ifndef COPAL_CLI_LINE_DEFAULTS_H
#define COPAL_CLI_LINE_DEFAULTS_H

#include "cli/line/command.h"

/* The file is $COPAL_CONFIG, which has to be there, or $XDG_CONFIG_HOME/copal/config, or ~/.config/copal/config.
 * STATUS_SUCCESS, also where there are none; otherwise error says where what is wrong. settings borrow memory that
 * stays. */
enum status defaults_apply(const struct command *command, struct settings *settings, char *error,
                           size_t error_capacity);

#endif
