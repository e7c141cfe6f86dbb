/* How the command ends: one number for each way, the same for every subcommand. */
#ifndef COPAL_CLI_LINE_STATUS_H
#define COPAL_CLI_LINE_STATUS_H

#include <stdint.h>

#include "copal/error.h"

/* X(name, status, meaning): the list makes the enum and the last lines of every help. */
#define STATUSES(X)                \
  X(SUCCESS, 0, "success")         \
  X(LOCAL, 1, "local error")       \
  X(USAGE, 2, "bad usage")         \
  X(CLIENT_ERROR, 4, "for 4.xx")   \
  X(SERVER_ERROR, 5, "for 5.xx")   \
  X(TIMEOUT, 6, "no answer")       \
  X(RESET, 7, "a Reset")           \
  X(UNREACHABLE, 8, "unreachable") \
  X(MALFORMED, 9, "malformed answer")

#define STATUS_ENUM(name, value, meaning) STATUS_##name = (value),
enum status { STATUSES(STATUS_ENUM) };
#undef STATUS_ENUM

/* The status that a response's code stands for. */
enum status status_of_code(uint8_t code);

/* The status that an error of the library stands for. */
enum status status_of_error(copal_error error);

#endif
