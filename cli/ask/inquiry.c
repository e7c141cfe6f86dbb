/* One request as the command line describes it. Everything local is looked at before anything is sent: usage, the
 * host's name, the file to read, the file to write. Shows no response. */
#include "cli/ask/inquiry.h"

#include <stdio.h>

#include "cli/ask/failure.h"
#include "cli/ask/interrupt.h"
#include "cli/show/terminal.h"

static enum status look_up(struct inquiry *inquiry);
static enum status open_bodies(struct inquiry *inquiry);

enum status inquiry_open(struct inquiry *inquiry, const struct command *command, uint8_t code,
                         const struct settings *settings) {
  enum status status = inquiry_check(command, settings);
  if (status == STATUS_SUCCESS && settings->operands_count > 1) {
    complain(command->name, "one URI at a time");
    status = STATUS_USAGE;
  }
  struct client *client = &inquiry->client;
  if (status == STATUS_SUCCESS) status = client_open(client, command->name, settings);
  if (status == STATUS_SUCCESS) status = client_parse(client, settings->operands[0], &inquiry->target);
  if (status == STATUS_SUCCESS) status = question_build(&inquiry->question, client, &inquiry->target, code);
  if (status == STATUS_SUCCESS) status = look_up(inquiry);
  /* Whether it is a group is known only now. */
  if (status == STATUS_SUCCESS) status = question_build(&inquiry->question, client, &inquiry->target, code);
  inquiry->group = inquiry->question.group;
  return status == STATUS_SUCCESS ? open_bodies(inquiry) : status;
}

copal_call_options inquiry_call(struct inquiry *inquiry) { return question_call(&inquiry->question); }

enum status inquiry_failed(struct inquiry *inquiry, copal_error error) {
  if (error == COPAL_ERR_BODY_READ) {
    /* Whoever interrupts the reading of standard input knows why it ended. */
    if (interrupt_signal() == 0) complain(inquiry->client.command, "%s", inquiry->question.source.reason);
    return STATUS_LOCAL;
  }
  return client_failed(&inquiry->client, error, &inquiry->target);
}

enum status inquiry_unwritten(const struct inquiry *inquiry) {
  /* What standard output does not take is told when the program ends, once for all subcommands. */
  bool told_later = !inquiry->sink.named && ferror(stdout) != 0;
  if (!told_later) complain(inquiry->client.command, "%s", inquiry->sink.reason);
  return STATUS_LOCAL;
}

enum status inquiry_close(struct inquiry *inquiry, enum status status) {
  if (!sink_close(&inquiry->sink)) {
    complain(inquiry->client.command, "%s", inquiry->sink.reason);
    status = STATUS_LOCAL;
  }
  question_close(&inquiry->question);
  client_close(&inquiry->client);
  return status;
}

enum status inquiry_check(const struct command *command, const struct settings *settings) {
  const char *wrong = NULL;
  uint32_t block_size = settings->block_size;
  if (settings->operands_count == 0) {
    wrong = "which resource? A URI is missing, such as coap://[::1]/hello";
  } else if (block_size != 0 && (block_size < 16 || (block_size & (block_size - 1)) != 0)) {
    /* RFC 7959 2.2: sizes are powers of two, from 2**4 to 2**10. */
    wrong = "--block-size is one of 16, 32, 64, 128, 256, 512, 1024";
  } else if (settings->no_token && settings->token != NULL) {
    wrong = "--token and --no-token exclude each other";
  }
  if (wrong == NULL) return STATUS_SUCCESS;
  complain(command->name, "%s", wrong);
  return STATUS_USAGE;
}

static enum status look_up(struct inquiry *inquiry) {
  struct client *client = &inquiry->client;
  char reason[FAILURE_TEXT_MAX];
  copal_error error = client_look_up(client, &inquiry->target, reason, sizeof reason);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  if (error == COPAL_ERR_URI_SCHEME || !client->settings->json) {
    complain(client->command, "%s", reason);
    return error == COPAL_ERR_URI_SCHEME ? STATUS_USAGE : status_of_error(error);
  }
  struct asked asked = question_asked(&inquiry->question);
  struct outcome outcome = {
      .round_trip = COPAL_NEVER, .error = error, .error_text = reason, .status = status_of_error(error)};
  report_notification(&asked, &outcome);
  return outcome.status;
}

static enum status open_bodies(struct inquiry *inquiry) {
  const char *wrong = NULL;
  if (!question_open(&inquiry->question)) {
    wrong = inquiry->question.source.reason;
  } else if (!sink_open(&inquiry->sink, inquiry->client.settings->output)) {
    wrong = inquiry->sink.reason;
  }
  if (wrong == NULL) return STATUS_SUCCESS;
  complain(inquiry->client.command, "%s", wrong);
  return STATUS_LOCAL;
}
