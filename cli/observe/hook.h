/* A command that is run with each value: one at a time, and while one runs only the newest value waits. What is
 * observed is a state, and who is late wants the newest one (RFC 7641 1.3: eventual consistency). */
#ifndef COPAL_CLI_OBSERVE_HOOK_H
#define COPAL_CLI_OBSERVE_HOOK_H

#include <stdint.h>
#include <sys/types.h>

#include "copal/net.h"

enum {
  HOOK_VALUE_MAX = 8192, /* a larger text is on standard input alone */
  HOOK_NAME_MAX = 64,
  HOOK_REASON_MAX = 200
};

/* What a command is told. */
struct hook_input {
  int body; /* a file without a name that has the value; -1: there is no such input */
  char uri[4096], peer[COPAL_ADDRESS_TEXT_MAX], code[8], format[HOOK_NAME_MAX], sequence[16], size[24];
  char value[HOOK_VALUE_MAX + 1]; /* text alone, without a line feed at its end */
  bool has_value;
};

/* Begin with hook_begin. */
struct hook {
  const char *command;
  pid_t running; /* 0: none */
  struct hook_input waiting;
  uint32_t skipped; /* values that a newer one took the place of */
  uint32_t failed;  /* commands that did not end with 0 */
};

/* What is to be told of a value. */
struct hook_news {
  const char *uri, *peer;
  const copal_view *message;
  copal_bytes body;
};

/* command is one for /bin/sh, and borrowed. */
void hook_begin(struct hook *hook, const char *command);

/* Runs the command with a value, now or when the one that runs has ended. COPAL_URI, COPAL_PEER, COPAL_CODE,
 * COPAL_FORMAT, COPAL_SEQUENCE, COPAL_SIZE and, of text that is not too large, COPAL_VALUE are in its environment, and
 * the value is its standard input. False, with the reason, where it cannot be run. */
bool hook_run(struct hook *hook, const struct hook_news *news, char reason[HOOK_REASON_MAX]);

/* Looks whether the command has ended, and runs it with what waits. False, with the reason, where it has failed; call
 * it again then. */
bool hook_work(struct hook *hook, char reason[HOOK_REASON_MAX]);

/* Whether a command runs. */
bool hook_is_busy(const struct hook *hook);

/* Forgets what waits. */
void hook_drop(struct hook *hook);

#endif
