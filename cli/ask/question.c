/* One request: built as the command line describes it, and its bodies on their way. What is sent, and when, and what is
 * shown of the response, is known to who asks. */
#include "cli/ask/question.h"

#include <stdio.h>

#include "cli/ask/failure.h"
#include "cli/show/terminal.h"

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size);
static bool write_body(void *context, uint64_t offset, const void *data, size_t size);

enum status question_check(const struct command *command, const struct settings *settings) {
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

enum status question_build(struct question *question, struct client *client, const struct target *target,
                           uint8_t code) {
  copal_message *message = &question->message;
  question->client = client;
  question->target = target;
  question->group = copal_address_is_multicast(&target->address);
  copal_message_init(message, question->buffer, sizeof question->buffer, client->settings->non ? COPAL_NON : COPAL_CON,
                     code);
  copal_error error = copal_uri_to_options(&target->uri, message);
  if (error != COPAL_OK) {
    complain(client->command, "%s: %s", target->text, copal_error_text(error));
    return status_of_error(error);
  }
  char reason[300];
  enum status status = request_fill(message, client->settings, reason, sizeof reason);
  if (status != STATUS_SUCCESS) complain(client->command, "%s", reason);
  question->view = copal_message_view(message);
  return status;
}

bool question_open(struct question *question) {
  const char *file = question->client->settings->file;
  return file == NULL || source_open(&question->source, file);
}

void question_close(struct question *question) { source_close(&question->source); }

copal_call_options question_call(struct question *question) {
  const struct settings *settings = question->client->settings;
  copal_call_options options = {
      .message = &question->message,
      .remote = &question->target->address,
      .body_context = question,
      .buffer = question->body,
      .capacity = sizeof question->body,
      .block_size = (uint16_t)settings->block_size,
      .ahead = (uint8_t)settings->ahead,
      .q_block = settings->q_block,
      .no_token = settings->no_token,
  };
  /* 0 would be no limit. */
  if (settings->timeout != COPAL_NEVER) options.timeout = settings->timeout > 0 ? settings->timeout : 1;
  if (settings->file != NULL) {
    options.read = read_body;
    options.size = question->source.size;
  }
  /* What a group's members answer may come all at a time. */
  if (question->sink != NULL && !question->group) options.write = write_body;
  return options;
}

void question_failure(const struct question *question, copal_error error, const copal_result *result, char *text,
                      size_t capacity) {
  if (error == COPAL_ERR_BODY_READ) {
    snprintf(text, capacity, "%s", question->source.reason);
    return;
  }
  if (error == COPAL_ERR_BODY_WRITE && question->sink != NULL) {
    snprintf(text, capacity, "%s", question->sink->reason);
    return;
  }
  struct attempt attempt = {
      .peer = question->target->name,
      .group = question->group,
      .non = question->client->settings->non,
      .asked = result != NULL ? result->asked : COPAL_NEVER,
      .now = copal_now(),
      .exchanges = result != NULL ? result->exchanges : 0,
      .transmissions = result != NULL ? result->transmissions : 0,
      .acknowledged = result != NULL && result->acknowledged,
      .limit = question->client->settings->timeout != COPAL_NEVER ? question->client->settings->timeout : 0,
  };
  failure_text(&attempt, error, text, capacity);
}

struct asked question_asked(const struct question *question) {
  const struct target *target = question->target;
  return (struct asked){target->text, &question->view, target->name[0] != '\0' ? target->name : NULL};
}

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  struct question *question = context;
  uint64_t total = question->source.size == COPAL_SIZE_UNKNOWN ? 0 : question->source.size;
  if (offset > 0) progress_update(&question->progress, "sent", offset, total, copal_now());
  return source_read(&question->source, offset, buffer, size);
}

static bool write_body(void *context, uint64_t offset, const void *data, size_t size) {
  struct question *question = context;
  trace_settle(&question->client->trace);
  if (sink_shows(question->sink, offset + size)) {
    progress_clear(&question->progress);
  } else if (offset > 0) {
    progress_update(&question->progress, "received", offset + size, question->client->trace.body_size, copal_now());
  }
  return sink_write(question->sink, offset, data, size);
}
