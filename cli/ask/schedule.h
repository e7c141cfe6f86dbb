/* Which request is next, and when, where several are made: each URI in turn, round after round. Pure. */
#ifndef COPAL_CLI_ASK_SCHEDULE_H
#define COPAL_CLI_ASK_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "copal/copal.h"

struct schedule {
  size_t uris_count;
  uint32_t rounds;     /* 0: without end */
  copal_time interval; /* from one round's beginning to the next one's */
  size_t next;         /* URI */
  uint32_t round;      /* that it belongs to, from 0 */
  copal_time began;    /* the present round; COPAL_NEVER before the first */
};

struct schedule schedule_begin(size_t uris_count, uint32_t rounds, copal_time interval);

/* Whether nothing is left. */
bool schedule_ended(const struct schedule *schedule);

/* How long to wait for the next request; 0: it may go. Not after the end. */
copal_time schedule_wait(const struct schedule *schedule, copal_time now);

/* Goes on behind the next request. */
void schedule_pass(struct schedule *schedule, copal_time now);

/* Whether more than one request is made. */
bool schedule_is_several(const struct schedule *schedule);

#endif
