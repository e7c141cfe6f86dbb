/* One request as the command line describes it. Everything local is looked at before anything is sent: usage, the
 * host's name, the file to read, the file to write. Shows no response. */
#include "cli/ask/inquiry.h"

#include <stdio.h>

#include "cli/ask/interrupt.h"
#include "cli/show/terminal.h"

static enum status open_bodies(struct inquiry *inquiry);
static enum status build(struct inquiry *inquiry, uint8_t code);

enum status inquiry_open(struct inquiry *inquiry, const struct command *command, uint8_t code,
                         const struct settings *settings) {
  enum status status = inquiry_check(command, settings);
  if (status == STATUS_SUCCESS && settings->operands_count > 1) {
    complain(command->name, "one URI at a time");
    status = STATUS_USAGE;
  }
  if (status == STATUS_SUCCESS) status = client_open(&inquiry->client, command->name, settings);
  if (status == STATUS_SUCCESS) status = client_resolve(&inquiry->client, settings->operands[0], &inquiry->target);
  if (status != STATUS_SUCCESS) return status;
  inquiry->group = copal_address_is_multicast(&inquiry->target.address);
  status = build(inquiry, code);
  return status == STATUS_SUCCESS ? open_bodies(inquiry) : status;
}

copal_call_options inquiry_call(struct inquiry *inquiry) {
  const struct settings *settings = inquiry->client.settings;
  copal_call_options options = {
      .message = &inquiry->message,
      .remote = &inquiry->target.address,
      .body_context = inquiry,
      .buffer = inquiry->body,
      .capacity = sizeof inquiry->body,
      .block_size = (uint16_t)settings->block_size,
      .q_block = settings->q_block,
      .no_token = settings->no_token,
  };
  /* 0 would be no limit. */
  if (settings->timeout != COPAL_NEVER) options.timeout = settings->timeout > 0 ? settings->timeout : 1;
  if (settings->file != NULL) {
    options.read = inquiry_read;
    options.size = inquiry->source.size;
  }
  return options;
}

uint64_t inquiry_read(void *context, uint64_t offset, void *buffer, size_t size) {
  struct inquiry *inquiry = context;
  uint64_t total = inquiry->source.size == COPAL_SIZE_UNKNOWN ? 0 : inquiry->source.size;
  if (offset > 0) progress_update(&inquiry->progress, "sent", offset, total, copal_now());
  return source_read(&inquiry->source, offset, buffer, size);
}

bool inquiry_write(void *context, uint64_t offset, const void *data, size_t size) {
  struct inquiry *inquiry = context;
  if (sink_shows(&inquiry->sink, offset + size)) {
    progress_clear(&inquiry->progress);
  } else if (offset > 0) {
    progress_update(&inquiry->progress, "received", offset + size, inquiry->client.trace.body_size, copal_now());
  }
  return sink_write(&inquiry->sink, offset, data, size);
}

enum status inquiry_failed(struct inquiry *inquiry, copal_error error) {
  if (error == COPAL_ERR_BODY_WRITE) return inquiry_unwritten(inquiry);
  if (error == COPAL_ERR_BODY_READ) {
    /* Whoever interrupts the reading of standard input knows why it ended. */
    if (interrupt_signal() == 0) complain(inquiry->client.command, "%s", inquiry->source.reason);
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
  source_close(&inquiry->source);
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

static enum status open_bodies(struct inquiry *inquiry) {
  const struct settings *settings = inquiry->client.settings;
  const char *wrong = NULL;
  if (settings->file != NULL && !source_open(&inquiry->source, settings->file)) {
    wrong = inquiry->source.reason;
  } else if (!sink_open(&inquiry->sink, settings->output)) {
    wrong = inquiry->sink.reason;
  }
  if (wrong == NULL) return STATUS_SUCCESS;
  complain(inquiry->client.command, "%s", wrong);
  return STATUS_LOCAL;
}

static enum status build(struct inquiry *inquiry, uint8_t code) {
  const struct client *client = &inquiry->client;
  copal_message *message = &inquiry->message;
  copal_message_init(message, inquiry->buffer, sizeof inquiry->buffer, client->settings->non ? COPAL_NON : COPAL_CON,
                     code);
  copal_error error = copal_uri_to_options(&inquiry->target.uri, message);
  if (error != COPAL_OK) {
    complain(client->command, "%s: %s", inquiry->target.text, copal_error_text(error));
    return status_of_error(error);
  }
  char reason[300];
  enum status status = request_fill(message, client->settings, reason, sizeof reason);
  if (status != STATUS_SUCCESS) complain(client->command, "%s", reason);
  return status;
}
