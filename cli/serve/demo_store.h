/* The demonstration's /store: bodies that clients put there. */
#ifndef COPAL_CLI_SERVE_DEMO_STORE_H
#define COPAL_CLI_SERVE_DEMO_STORE_H

#include <pthread.h>

#include "cli/serve/store.h"
#include "copal/rest.h"

/* One for all threads. Begin with DEMO_STORE_INITIAL. */
struct demo_store {
  pthread_mutex_t lock;
  struct store store;
};

#define DEMO_STORE_INITIAL \
  { .lock = PTHREAD_MUTEX_INITIALIZER }

/* Registers /store and what is below it. Errors as copal_route. */
copal_error demo_store_attach(struct demo_store *demo_store, copal_endpoint *endpoint);

/* Lets other threads have the store, which who uses it keeps until his endpoint's pass is over: a request's conditions
 * and its handler see the same state. */
void demo_store_settle(struct demo_store *demo_store);

#endif
