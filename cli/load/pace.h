/* When requests are due at a constant rate, however late they are sent. Pure: the time is told. */
#ifndef COPAL_CLI_LOAD_PACE_H
#define COPAL_CLI_LOAD_PACE_H

#include "copal/copal.h"

/* Rate 0 is a closed loop: the next request is always due now. */
struct pace {
  copal_time begin;
  uint32_t rate;  /* a second */
  uint64_t given; /* requests that had their turn */
};

/* When the next request is due: the k-th, from 0, at begin + k / rate, rounded up. */
copal_time pace_due(const struct pace *pace);

/* How many were due before a time. */
uint64_t pace_count(const struct pace *pace, copal_time end);

#endif
