/* Why a request failed, in words. */
#ifndef COPAL_CLI_ASK_FAILURE_H
#define COPAL_CLI_ASK_FAILURE_H

#include "copal/net.h"

enum { FAILURE_TEXT_MAX = 640 };

/* What was tried. */
struct attempt {
  const char *peer; /* whom was asked, as text */
  bool group, non;
  copal_time asked; /* first transmission of the last request; COPAL_NEVER: there was none */
  copal_time now;
  uint32_t exchanges;     /* requests, the last one included */
  uint32_t transmissions; /* of the last one */
  bool acknowledged;      /* the last one */
  copal_time limit;       /* that --timeout sets to all of them; 0: none */
};

/* Writes a sentence without a full stop: what was tried, what came, what to do. */
void failure_text(const struct attempt *attempt, copal_error error, char *text, size_t capacity);

#endif
