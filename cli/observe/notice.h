/* A state of what is observed, as a line for people. */
#ifndef COPAL_CLI_OBSERVE_NOTICE_H
#define COPAL_CLI_OBSERVE_NOTICE_H

#include <stdbool.h>

#include "cli/line/status.h"
#include "copal/net.h"

/* What is shown. */
struct notice {
  const char *uri, *peer;
  bool names_uri; /* there are others beside it */
  const copal_view *message;
  copal_bytes body; /* data NULL: it is elsewhere, in a file */
  uint64_t body_size;
  copal_time since; /* the state before; COPAL_NEVER: there was none */
};

/* Writes one line on standard output: time of day, sequence number, time since the state before, code and format where
 * they are not the usual ones, and the value; a value that is no short text stands below it. */
void notice_line(const struct notice *notice);

#endif
