/* The demonstration that "copal serve" serves: resources and what they remember. */
#ifndef COPAL_CLI_DEMO_H
#define COPAL_CLI_DEMO_H

#include "cli/store.h"
#include "copal/net.h"

enum { DEMO_LATER_MAX = 64 };

/* An answer of /async that is owed. */
struct demo_later {
  copal_endpoint *endpoint; /* NULL: the place is free */
  copal_deferred deferred;
  copal_time due;
};

/* One for all endpoints of the server. */
struct demo {
  copal_time begin;
  copal_time delay; /* of /async */
  uint32_t counter;
  struct demo_later later[DEMO_LATER_MAX];
  struct store store;
};

void demo_init(struct demo *demo, copal_time delay);

/* Registers the resources on an endpoint. Errors as copal_route. */
copal_error demo_register(struct demo *demo, copal_endpoint *endpoint);

/* When the next owed answer is due; COPAL_NEVER when none is. */
copal_time demo_deadline(const struct demo *demo);

/* Sends the answers that are due. */
void demo_work(struct demo *demo, copal_time now);

#endif
