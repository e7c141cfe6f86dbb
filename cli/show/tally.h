/* What several requests came to, counted. */
#ifndef COPAL_CLI_SHOW_TALLY_H
#define COPAL_CLI_SHOW_TALLY_H

#include <stdint.h>
#include <stdio.h>

#include "cli/line/status.h"
#include "copal/copal.h"

struct tally {
  uint64_t requests, ended; /* begun, and over */
  uint64_t answers;         /* responses, of a group each */
  uint64_t failures;        /* requests whose status was not STATUS_SUCCESS */
  enum status status;       /* of the first of them */
  copal_time shortest, longest, sum;
  copal_time began;
};

struct tally tally_begin(copal_time now);

/* A response came. */
void tally_answer(struct tally *tally, copal_time round_trip);

/* A request is over. */
void tally_end(struct tally *tally, enum status status);

/* Writes one line: "3 requests, 3 answers, 0 failures in 1.2 s; round trip min 0.2 ms, mean …". */
void tally_print(const struct tally *tally, FILE *stream, copal_time now);

#endif
