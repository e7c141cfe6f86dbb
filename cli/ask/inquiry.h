/* One request on a client of its own, for subcommands that ask one thing: whom it asks, where its body comes from,
 * where the response's body goes. What is sent, and how often, is the subcommand's. */
#ifndef COPAL_CLI_ASK_INQUIRY_H
#define COPAL_CLI_ASK_INQUIRY_H

#include "cli/ask/question.h"
#include "cli/line/command.h"

struct inquiry {
  struct client client;
  struct target target;
  struct sink sink;
  bool group; /* the target is one */
  struct question question;
};

/* Opens everything and builds the request; inquiry is all zeroes. STATUS_SUCCESS, or a complaint has been made. Close
 * it in either case. */
enum status inquiry_open(struct inquiry *inquiry, const struct command *command, uint8_t code,
                         const struct settings *settings);

/* What a call of it is told, but for its handler and context; the response's body is gathered. */
copal_call_options inquiry_call(struct inquiry *inquiry);

/* Explains why it failed. Returns the exit status. */
enum status inquiry_failed(struct inquiry *inquiry, copal_error error);

/* Complains that the response's body could not be written. Returns STATUS_LOCAL. */
enum status inquiry_unwritten(const struct inquiry *inquiry);

/* Complains where the body could not be written to its end. Returns status, or STATUS_LOCAL. */
enum status inquiry_close(struct inquiry *inquiry, enum status status);

/* What every subcommand that takes these options checks before anything is asked. STATUS_SUCCESS, or a complaint has
 * been made. */
enum status inquiry_check(const struct command *command, const struct settings *settings);

#endif
