/* The endpoints that a site is on, which all have observers of their own: a change is told on each. */
#ifndef COPAL_CLI_SERVE_AUDIENCE_H
#define COPAL_CLI_SERVE_AUDIENCE_H

#include "copal/rest.h"

enum { AUDIENCE_MAX = 16 };

/* All zero is none. */
struct audience {
  copal_endpoint *endpoints[AUDIENCE_MAX];
  size_t count;
};

/* Adds an endpoint; there are at most AUDIENCE_MAX (assert). */
void audience_add(struct audience *audience, copal_endpoint *endpoint);

/* copal_notify on each endpoint. */
void audience_notify(const struct audience *audience, const char *path);

/* copal_notify_end on each endpoint. */
void audience_end(const struct audience *audience, const char *path, copal_code code);

/* Forgets the observers of a path without telling them. */
void audience_forget(const struct audience *audience, const char *path);

#endif
