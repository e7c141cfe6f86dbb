/* Which request is next, and when. Pure: knows no requests, and time is given. */
#include "cli/ask/schedule.h"

#include <assert.h>

struct schedule schedule_begin(size_t uris_count, uint32_t rounds, copal_time interval) {
  assert(uris_count > 0);
  return (struct schedule){.uris_count = uris_count, .rounds = rounds, .interval = interval, .began = COPAL_NEVER};
}

bool schedule_ended(const struct schedule *schedule) {
  return schedule->rounds != 0 && schedule->round == schedule->rounds;
}

copal_time schedule_wait(const struct schedule *schedule, copal_time now) {
  assert(!schedule_ended(schedule));
  bool begins_round = schedule->next == 0 && schedule->began != COPAL_NEVER;
  copal_time since = now - schedule->began;
  return begins_round && since < schedule->interval ? schedule->interval - since : 0;
}

void schedule_pass(struct schedule *schedule, copal_time now) {
  assert(!schedule_ended(schedule));
  if (schedule->next == 0) schedule->began = now;
  if (++schedule->next < schedule->uris_count) return;
  schedule->next = 0;
  /* Without an end the count of rounds may begin anew: nobody asks for it then. */
  ++schedule->round;
}

bool schedule_is_several(const struct schedule *schedule) { return schedule->uris_count > 1 || schedule->rounds != 1; }
