/* One request as the command line describes it: whom it asks, where its body comes from, where the response's body
 * goes. What is sent, and how often, is the subcommand's. */
#ifndef COPAL_CLI_ASK_INQUIRY_H
#define COPAL_CLI_ASK_INQUIRY_H

#include "cli/ask/client.h"
#include "cli/ask/request.h"
#include "cli/ask/sink.h"
#include "cli/ask/source.h"
#include "cli/line/command.h"
#include "cli/show/progress.h"

/* Room for a diagnostic in blocks, a group's answer, a notification. It costs nothing until it is used. */
enum { INQUIRY_BODY_SIZE = 1048576 };

struct inquiry {
  struct client client;
  struct target target;
  struct source source;
  struct sink sink;
  struct progress progress;
  bool group;                       /* the target is one */
  copal_message message;            /* the request */
  uint8_t buffer[REQUEST_SIZE_MAX]; /* of message */
  uint8_t body[INQUIRY_BODY_SIZE];  /* where bodies are gathered that sink_write does not take */
};

/* Opens everything and builds the request; inquiry is all zeroes. STATUS_SUCCESS, or a complaint has been made. Close
 * it in either case. */
enum status inquiry_open(struct inquiry *inquiry, const struct command *command, uint8_t code,
                         const struct settings *settings);

/* What a call of it is told, but for its handler and context; the response's body is gathered. */
copal_call_options inquiry_call(struct inquiry *inquiry);

/* A copal_reader of the request's body, and a copal_writer of the response's, which show how far they are; context is
 * the struct inquiry. */
uint64_t inquiry_read(void *context, uint64_t offset, void *buffer, size_t size);
bool inquiry_write(void *context, uint64_t offset, const void *data, size_t size);

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
