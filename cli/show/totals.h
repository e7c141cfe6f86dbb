/* What several requests came to, counted. */
#ifndef COPAL_CLI_SHOW_TOTALS_H
#define COPAL_CLI_SHOW_TOTALS_H

#include <stdint.h>
#include <stdio.h>

#include "cli/line/status.h"
#include "copal/copal.h"

struct totals {
  uint64_t requests, ended; /* begun, and over */
  uint64_t answers;         /* responses, of a group each */
  uint64_t failures;        /* requests whose status was not STATUS_SUCCESS */
  enum status status;       /* of the first of them */
  copal_time shortest, longest, sum;
  copal_time began;
};

struct totals totals_begin(copal_time now);

/* A response came. */
void totals_answer(struct totals *totals, copal_time round_trip);

/* A request is over. */
void totals_end(struct totals *totals, enum status status);

/* Writes one line: "3 requests, 3 answers, 0 failures in 1.2 s; round trip min 0.2 ms, mean …". */
void totals_print(const struct totals *totals, FILE *stream, copal_time now);

#endif
