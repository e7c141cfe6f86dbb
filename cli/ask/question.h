/* One request: built as the command line describes it, with its body's source and the sink of its response's. */
#ifndef COPAL_CLI_ASK_QUESTION_H
#define COPAL_CLI_ASK_QUESTION_H

#include "cli/ask/client.h"
#include "cli/ask/request.h"
#include "cli/ask/sink.h"
#include "cli/ask/source.h"
#include "cli/line/command.h"
#include "cli/show/progress.h"
#include "cli/show/report.h"

/* Room for a diagnostic in blocks, a group's answer, a notification. It costs nothing until it is used. */
enum { QUESTION_BODY_SIZE = 1048576 };

struct question {
  struct client *client;
  const struct target *target;
  struct sink *sink; /* takes the response's body part by part; NULL gathers it in body */
  struct source source;
  struct progress progress;
  bool group;            /* the target is one */
  copal_message message; /* the request */
  copal_view view;       /* of message */

  uint8_t buffer[REQUEST_SIZE_MAX]; /* of message */
  uint8_t body[QUESTION_BODY_SIZE]; /* where bodies are gathered that no sink takes */
};

/* What every subcommand that takes these options checks before anything is asked. STATUS_SUCCESS, or a complaint has
 * been made. */
enum status question_check(const struct command *command, const struct settings *settings);

/* Builds the request for a target that may not be looked up yet. STATUS_SUCCESS, or a complaint has been made. */
enum status question_build(struct question *question, struct client *client, const struct target *target, uint8_t code);

/* Opens the file that holds the request's body, if there is one. False, with the reason in source.reason. */
bool question_open(struct question *question);
void question_close(struct question *question);

/* What a call of it is told, but for its handler and context. */
copal_call_options question_call(struct question *question);

/* Why it failed, as a sentence. result is NULL where it could not be begun. */
void question_failure(const struct question *question, copal_error error, const copal_result *result, char *text,
                      size_t capacity);

/* What was asked, for a report. */
struct asked question_asked(const struct question *question);

#endif
