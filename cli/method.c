/* copal get, put, post, delete, fetch, patch, ipatch: one request, and its response or responses shown. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/request.h"
#include "cli/response.h"
#include "cli/terminal.h"

/* Requests to a group have no end of their own: they wait as long as answers may be spread (RFC 7252 8.2). */
#define GROUP_TIMEOUT (6 * COPAL_SECOND)

/* One request under way. */
struct inquiry {
  struct client client;
  struct target target;
  bool group;
  unsigned answers;
  enum status status;
};

static enum status send_request(struct inquiry *inquiry, const struct command *command);
static enum status build(struct inquiry *inquiry, const struct command *command, copal_message *message);
static void answered(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context);

enum status method_run(const struct command *command, const struct settings *settings) {
  if (settings->operands_count != 1) {
    complain(command->name, settings->operands_count == 0
                                ? "which resource? A URI is missing, such as coap://[::1]/hello"
                                : "one URI at a time");
    return STATUS_USAGE;
  }
  struct inquiry inquiry = {.status = STATUS_LOCAL};
  enum status status = client_open(&inquiry.client, command->name, settings);
  if (status == STATUS_SUCCESS) status = client_resolve(&inquiry.client, settings->operands[0], &inquiry.target);
  if (status == STATUS_SUCCESS) status = send_request(&inquiry, command);
  if (status == STATUS_SUCCESS) status = client_wait(&inquiry.client, COPAL_NEVER);
  if (status == STATUS_SUCCESS) status = inquiry.status;
  client_close(&inquiry.client);
  return status;
}

static enum status send_request(struct inquiry *inquiry, const struct command *command) {
  static uint8_t buffer[REQUEST_SIZE_MAX];
  const struct settings *settings = inquiry->client.settings;
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, settings->non ? COPAL_NON : COPAL_CON, command->code);
  enum status status = build(inquiry, command, &message);
  if (status != STATUS_SUCCESS) return status;
  inquiry->group = copal_address_is_multicast(&inquiry->target.address);
  copal_time timeout = settings->timeout;
  if (inquiry->group && timeout == COPAL_NEVER) timeout = GROUP_TIMEOUT;
  copal_error error = copal_request_send(inquiry->client.endpoint, &message, &inquiry->target.address, timeout,
                                         answered, inquiry, NULL);
  return error == COPAL_OK ? STATUS_SUCCESS : client_failed(&inquiry->client, error, &inquiry->target);
}

static enum status build(struct inquiry *inquiry, const struct command *command, copal_message *message) {
  copal_error error = copal_uri_to_options(&inquiry->target.uri, message);
  if (error != COPAL_OK) {
    complain(command->name, "%s: %s", inquiry->target.text, copal_error_text(error));
    return status_of_error(error);
  }
  char reason[300];
  enum status status = request_fill(message, inquiry->client.settings, reason, sizeof reason);
  if (status != STATUS_SUCCESS) complain(command->name, "%s", reason);
  return status;
}

static void answered(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context) {
  (void)request;
  struct inquiry *inquiry = context;
  struct client *client = &inquiry->client;
  if (rx != NULL) {
    char peer[COPAL_ADDRESS_TEXT_MAX];
    copal_address_text(endpoint, &rx->path.remote, peer, sizeof peer);
    struct response_origin origin = {client->command, inquiry->group ? peer : NULL, 0};
    if (rx->time > client->trace.first_sent) origin.round_trip = rx->time - client->trace.first_sent;
    enum status status = response_show(&rx->message, &origin, client->settings);
    /* Of a group's answers, one good one makes the whole good. */
    if (inquiry->answers++ == 0 || status == STATUS_SUCCESS) inquiry->status = status;
    if (inquiry->group) return;
  } else if (inquiry->answers == 0) {
    inquiry->status = client_failed(client, error, &inquiry->target);
  }
  client_finish(client);
}
