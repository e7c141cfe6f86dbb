/* The demonstration's /store: bodies that clients put there. */
#ifndef COPAL_CLI_SERVE_DEMO_STORE_H
#define COPAL_CLI_SERVE_DEMO_STORE_H

#include "cli/serve/store.h"
#include "copal/rest.h"

/* Registers /store and what is below it. Errors as copal_route. */
copal_error demo_store_attach(struct store *store, copal_endpoint *endpoint);

#endif
