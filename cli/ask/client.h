/* A client's endpoint and what every asking subcommand does with it: open it as the settings say, find the target,
 * wait, and explain a failure. */
#ifndef COPAL_CLI_ASK_CLIENT_H
#define COPAL_CLI_ASK_CLIENT_H

#include <signal.h>

#include "cli/line/settings.h"
#include "cli/line/status.h"
#include "cli/show/trace.h"
#include "copal/net.h"

enum { TARGET_TEXT_MAX = 4096 };

/* Whom to ask, and for what. */
struct target {
  char text[TARGET_TEXT_MAX]; /* the URI, with a scheme where none was typed; uri points into it */
  copal_uri uri;
  copal_address address;
  char name[COPAL_ADDRESS_TEXT_MAX]; /* address, as text; "" before it is known */
};

struct client {
  const char *command; /* for complaints */
  const struct settings *settings;
  copal_endpoint *endpoint;
  struct trace trace;
  struct record record;
  volatile sig_atomic_t done;
};

/* STATUS_SUCCESS, or a complaint has been made. Close the client in either case. */
enum status client_open(struct client *client, const char *command, const struct settings *settings);

/* Returns status, or STATUS_LOCAL in place of success where a capture could not be written, which has been told. */
enum status client_close(struct client *client, enum status status);

/* Parses an operand, and sends nothing. STATUS_SUCCESS, or a complaint has been made. */
enum status client_parse(const struct client *client, const char *operand, struct target *target);

/* Looks the host of what was parsed up. Where that fails, reason is a sentence without a full stop. */
copal_error client_look_up(struct client *client, struct target *target, char *reason, size_t capacity);

/* Both. STATUS_SUCCESS, or a complaint has been made. */
enum status client_resolve(struct client *client, const char *operand, struct target *target);

/* Sends and receives until client_finish or the timeout; COPAL_NEVER has none. STATUS_SUCCESS in both cases, or a
 * complaint has been made. */
enum status client_wait(struct client *client, copal_time timeout);

/* Makes client_wait return. From a response handler or a signal handler. */
void client_finish(struct client *client);

/* Why an exchange with target failed, the only one that is under way: what was tried, what came, what to do. text has
 * room for FAILURE_TEXT_MAX. */
void client_failure(const struct client *client, copal_error error, const struct target *target, char *text);

/* Complains of that, and returns the exit status. */
enum status client_failed(const struct client *client, copal_error error, const struct target *target);

#endif
