/* A constant rate. Times are computed from the beginning, never added up: no error grows. */
#include "cli/load/pace.h"

copal_time pace_due(const struct pace *pace) {
  if (pace->rate == 0) return pace->begin;
  uint64_t seconds = pace->given / pace->rate, rest = pace->given % pace->rate;
  return pace->begin + seconds * COPAL_SECOND + (rest * COPAL_SECOND + pace->rate - 1) / pace->rate;
}

uint64_t pace_count(const struct pace *pace, copal_time end) {
  if (pace->rate == 0 || end <= pace->begin) return 0;
  copal_time last = end - pace->begin - 1;
  return last / COPAL_SECOND * pace->rate + last % COPAL_SECOND * pace->rate / COPAL_SECOND + 1;
}
