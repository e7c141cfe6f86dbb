/* A load under way: requests made, answers matched, everything counted. */
#ifndef COPAL_CLI_LOAD_LOAD_H
#define COPAL_CLI_LOAD_LOAD_H

#include "cli/load/histogram.h"
#include "cli/load/observers.h"
#include "cli/load/pace.h"
#include "cli/load/plan.h"
#include "cli/load/tally.h"
#include "cli/load/wires.h"

enum load_phase {
  LOAD_REGISTERING, /* observers become it */
  LOAD_ASKING,      /* this is what is measured */
  LOAD_LEAVING      /* observers say so */
};

struct load {
  const struct plan *plan;
  enum load_phase phase;
  copal_time phase_end; /* of leaving */
  struct wires wires;
  struct flight flight;
  struct pace pace;
  struct tally tally;
  struct observers observers;
  struct histogram latency; /* of the responses to requests that count */
  struct histogram recent;  /* since load_clear_recent */
  copal_time now;
  copal_time began, counted_from, counted_until; /* counted_until grows until the end is known */
  uint64_t begun;                                /* requests that count */
  uint64_t refusals;                             /* ICMP errors, where nothing else ever came */
  bool is_ending;                                /* no more requests are begun */
  bool ids_reused;                               /* message IDs came again sooner than they may */
};

/* Opens the sockets. STATUS_SUCCESS, or a complaint has been made. Close it in either case. */
enum status load_open(struct load *load, const struct plan *plan, const char *command);
void load_close(struct load *load);

/* Begins, with observers if there are any; then does what there is to do until `until`, or the load is over: false
 * then. */
void load_begin(struct load *load);
bool load_run(struct load *load, copal_time until);

/* Begins no more requests; those under way still have a while. */
void load_end(struct load *load);

void load_clear_recent(struct load *load);

#endif
