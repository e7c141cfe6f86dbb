/* One thread of "copal serve": an endpoint for each --bind, with the resources of the site on it, and the loop that
 * serves them. */
#ifndef COPAL_CLI_SERVE_WORKER_H
#define COPAL_CLI_SERVE_WORKER_H

#include "cli/serve/audience.h"
#include "cli/serve/site.h"
#include "cli/show/trace.h"

enum { BINDS_MAX = AUDIENCE_MAX, BIND_URI_MAX = 400 };

struct worker {
  const struct settings *settings;
  const struct site *site;
  copal_endpoint *endpoints[BINDS_MAX];
  struct trace traces[BINDS_MAX];
  struct record *record; /* of all threads; NULL: none is made */
  size_t count;
  bool is_shared; /* other threads have endpoints at the same addresses */
  bool is_open;   /* the site is */
  bool is_ending;
  copal_time end;  /* then: the latest time that it sleeps until */
  int signals;     /* a descriptor that is readable after a signal; -1: that is another thread's */
  unsigned stated; /* the last request for figures that it answered */
  copal_stats stats;
};

/* Opens the site and an endpoint for each URI. fallback: a system without IPv6 gets IPv4. STATUS_SUCCESS, or a
 * complaint has been made. Close it in either case, in the same thread. */
enum status worker_open(struct worker *worker, const char *const *uris, size_t count, bool fallback);

/* Joins the groups, and tells where it listens. STATUS_SUCCESS, or a complaint has been made. */
enum status worker_join(const struct worker *worker, char (*uris)[BIND_URI_MAX]);

/* Sleeps until there is something to do, and does it. has_signal: the descriptor of signals is readable.
 * STATUS_SUCCESS, or a complaint has been made. */
enum status worker_pass(struct worker *worker, bool *has_signal);

/* From now on it gets ready to end, at that time at the latest: what it owes is answered in the passes that follow. */
void worker_prepare(struct worker *worker, copal_time end);

/* Whether every request that was taken in has been answered, and every answer acknowledged that is to be. */
bool worker_is_settled(const struct worker *worker);

/* Has what came by now answered, and sends all that is due. */
void worker_finish(const struct worker *worker);

/* Makes its pass end. From any thread, while it is not being closed. */
void worker_wake(const struct worker *worker);

/* Brings stats up to date. In its own thread. */
void worker_state(struct worker *worker);

/* In its own thread, when no other one can wake it any more. */
void worker_close(struct worker *worker);

#endif
