/* What the resources of "copal serve --plugtest" share. They are those that the ETSI and IPSO plugtests name (CoAP#4),
 * and two that let a test change and look at the others: /actions and /counter. */
#ifndef COPAL_CLI_SERVE_PLUGTEST_H
#define COPAL_CLI_SERVE_PLUGTEST_H

#include "cli/serve/exhibit.h"
#include "cli/serve/later.h"

enum { PLUGTEST_EXHIBITS_MAX = 24, PLUGTEST_CREATED_MAX = 8 };

/* One for all endpoints of the server. */
struct plugtest {
  struct exhibition exhibition;
  copal_time delay; /* of /separate */
  copal_time next_change;
  uint32_t counter;
  struct later later;
  size_t exhibits_count;
  struct exhibit exhibits[PLUGTEST_EXHIBITS_MAX];
  uint32_t created_count;                       /* how often something was created, */
  struct exhibit created[PLUGTEST_CREATED_MAX]; /* of which these are the latest */
};

/* A method of a resource that is no exhibit. */
struct plugtest_route {
  copal_code method;
  const char *pattern;
  copal_handler *handler; /* its context is the struct plugtest */
  const char *attributes; /* with the first method of a pattern */
};

/* Registers such methods. Errors as copal_route. */
copal_error plugtest_routes(struct plugtest *plugtest, copal_endpoint *endpoint, const struct plugtest_route *routes,
                            size_t count);

/* The exhibit of that path; NULL where there is none. */
struct exhibit *plugtest_find(struct plugtest *plugtest, const char *path);

/* Forgets all observers without telling them, as a server does that has lost its memory. */
void plugtest_forget(struct plugtest *plugtest);

/* Registers the resources of the tests CORE and BLOCK that do more than exhibits. Errors as copal_route. */
copal_error plugtest_core_attach(struct plugtest *plugtest, copal_endpoint *endpoint);
copal_error plugtest_block_attach(struct plugtest *plugtest, copal_endpoint *endpoint);

/* Registers /actions and /counter. Errors as copal_route. */
copal_error plugtest_actions_attach(struct plugtest *plugtest, copal_endpoint *endpoint);

#endif
