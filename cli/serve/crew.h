/* The threads of "copal serve". */
#ifndef COPAL_CLI_SERVE_CREW_H
#define COPAL_CLI_SERVE_CREW_H

#include "cli/serve/worker.h"

enum { CREW_MAX = 64 };

/* Serves a site until SIGINT or SIGTERM; SIGUSR1 has the figures printed. Complains where it cannot. */
enum status crew_serve(const struct site *site, const struct settings *settings);

#endif
