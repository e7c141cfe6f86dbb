/* A state of what is observed, shown: as a line for people, as JSON for programs. */
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

/* Writes one object on one line on standard output. */
void notice_json(const struct notice *notice);

/* The same for a failure, which is an object of kind "error". delay: until the server is asked again; COPAL_NEVER: it
 * is not. */
void notice_error(const struct notice *notice, copal_error error, copal_time delay);

#endif
