/* The server of a test: "copal serve --plugtest" in a process of its own, on a free port of the loopback interface. */
#ifndef COPAL_TESTS_PLUGTEST_SERVER_H
#define COPAL_TESTS_PLUGTEST_SERVER_H

#include <sys/types.h>

#include "copal/copal.h"

struct server {
  pid_t process;
  copal_address address;
};

/* Starts it; COPAL in the environment is the command's path. options are more arguments, separated by blanks. */
void server_start(struct server *server, const char *options);
void server_stop(struct server *server);

#endif
