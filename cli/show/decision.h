/* What an endpoint made of a datagram, or of time that passed, in words. */
#ifndef COPAL_CLI_SHOW_DECISION_H
#define COPAL_CLI_SHOW_DECISION_H

#include "copal/copal.h"

enum { DECISION_TEXT_MAX = 512 };

/* What was decided about. */
enum decision_subject {
  DECISION_RECEIVED,    /* a datagram that came */
  DECISION_UNDELIVERED, /* one of ours that could not be delivered */
  DECISION_TIME         /* none */
};

/* Writes what the counters' way from before to after tells: "duplicate: the reply is repeated". view is the message of
 * the datagram; NULL where it does not decode, or there is none. "" where nothing was decided. Returns buffer. */
const char *decision_text(enum decision_subject subject, const copal_view *view, const copal_counters *before,
                          const copal_counters *after, char *buffer, size_t capacity);

#endif
