/* What a request came to, as JSON: one object a line on standard output. The schema is docs/copal.schema.json. */
#ifndef COPAL_CLI_SHOW_REPORT_H
#define COPAL_CLI_SHOW_REPORT_H

#include "cli/line/status.h"
#include "copal/net.h"

/* What was asked. */
struct asked {
  const char *uri;           /* with its scheme */
  const copal_view *message; /* the request: its code, type and options; NULL for a ping */
  const char *peer;          /* whom: the address as text; NULL where none was found */
};

/* What came of it, and what it took. */
struct outcome {
  const copal_view *message; /* the response; NULL where there was none */
  copal_bytes body;          /* of the response; data NULL: it is elsewhere, in a file */
  uint64_t body_size;
  copal_time round_trip;    /* COPAL_NEVER: it answers nothing that was just asked */
  const char *peer;         /* whose response, as text: a group's member; NULL: who was asked */
  copal_error error;        /* COPAL_OK for a response, and where none was wanted */
  const char *error_text;   /* a sentence: what was tried, what came, what to do */
  uint32_t exchanges;       /* requests */
  uint32_t transmissions;   /* of the last one */
  uint32_t retransmissions; /* of all */
  uint32_t blocks_out, blocks_in;
  enum status status; /* what the command would end with if this were all */
};

/* What a call's result tells by itself: all but peer and error_text. The status of a response is that of its code. */
struct outcome outcome_of(const copal_result *result);

/* Prints a response, or "error" where outcome has an error. */
void report_response(const struct asked *asked, const struct outcome *outcome);

/* The same for a state of an observed resource: its kind is "notification", and it has the sequence number. */
void report_notification(const struct asked *asked, const struct outcome *outcome);

/* The same for a ping; round trip, transmissions and error are looked at. */
void report_pong(const struct asked *asked, const struct outcome *outcome);

#endif
