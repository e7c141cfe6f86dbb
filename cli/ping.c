/* copal ping: empty confirmable messages, which the other end answers with a Reset. RFC 7252 4.3. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask/client.h"
#include "cli/ask/failure.h"
#include "cli/ask/interrupt.h"
#include "cli/line/command.h"
#include "cli/line/value.h"
#include "cli/show/report.h"
#include "cli/show/terminal.h"

/* An answer that takes longer is no answer, though the library would send the ping again for a minute and a half. */
#define PING_TIMEOUT (5 * COPAL_SECOND)

/* All pings of one call. */
struct ping {
  struct client client;
  struct target target;
  uint32_t sent, answered;
  copal_error last_error;
  bool ended; /* the ping under way: answered or failed */
  copal_time shortest, longest, sum;
};

static enum status look_up(struct ping *ping);
static enum status ping_all(struct ping *ping);
static enum status ping_once(struct ping *ping);
static void ping_ended(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                       void *context);
static void count_answer(struct ping *ping, copal_time round_trip);
static void print(const struct ping *ping, copal_error error, unsigned transmissions, copal_time round_trip);
static void report(const struct ping *ping, copal_error error, unsigned transmissions, copal_time round_trip,
                   const char *reason);
static enum status summarize(const struct ping *ping);
static void print_summary(const struct ping *ping);

enum status ping_run(const struct command *command, const struct settings *settings) {
  if (settings->operands_count != 1) {
    complain(command->name, settings->operands_count == 0 ? "whom? A URI or address is missing" : "one URI at a time");
    return STATUS_USAGE;
  }
  struct ping ping = {.shortest = COPAL_NEVER};
  enum status status = client_open(&ping.client, command->name, settings);
  if (status == STATUS_SUCCESS) status = look_up(&ping);
  if (status == STATUS_SUCCESS && copal_address_is_multicast(&ping.target.address)) {
    complain(command->name, "%s is a group: a ping is confirmable and goes to one address", ping.target.name);
    status = STATUS_USAGE;
  }
  if (status == STATUS_SUCCESS) status = ping_all(&ping);
  return client_close(&ping.client, status);
}

static enum status look_up(struct ping *ping) {
  struct client *client = &ping->client;
  const char *operand = client->settings->operands[0];
  if (!client->settings->json) return client_resolve(client, operand, &ping->target);
  enum status status = client_parse(client, operand, &ping->target);
  if (status != STATUS_SUCCESS) return status;
  char reason[FAILURE_TEXT_MAX];
  copal_error error = client_look_up(client, &ping->target, reason, sizeof reason);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  report(ping, error, 0, COPAL_NEVER, reason);
  return status_of_error(error);
}

static enum status ping_all(struct ping *ping) {
  const struct settings *settings = ping->client.settings;
  interrupt_watch(&ping->client);
  enum status status = STATUS_SUCCESS;
  while (status == STATUS_SUCCESS && interrupt_signal() == 0 &&
         (settings->count == 0 || ping->sent < settings->count)) {
    copal_time begin = copal_now();
    status = ping_once(ping);
    bool last = settings->count != 0 && ping->sent == settings->count;
    copal_time spent = copal_now() - begin;
    if (status != STATUS_SUCCESS || last || interrupt_signal() != 0 || spent >= settings->interval) continue;
    ping->client.done = interrupt_signal() != 0;
    status = client_wait(&ping->client, settings->interval - spent);
  }
  interrupt_release();
  return status == STATUS_SUCCESS ? summarize(ping) : status;
}

static enum status ping_once(struct ping *ping) {
  const struct settings *settings = ping->client.settings;
  copal_time timeout = settings->timeout == COPAL_NEVER ? PING_TIMEOUT : settings->timeout;
  trace_restart(&ping->client.trace);
  ping->ended = false;
  ping->client.done = interrupt_signal() != 0;
  copal_error error = copal_ping_send(ping->client.endpoint, &ping->target.address, timeout, ping_ended, ping, NULL);
  if (error != COPAL_OK) {
    if (!settings->json) return client_failed(&ping->client, error, &ping->target);
    report(ping, error, 0, COPAL_NEVER, NULL);
    return status_of_error(error);
  }
  ++ping->sent;
  enum status status = client_wait(&ping->client, COPAL_NEVER);
  /* The one that an interruption cut short counts neither as answered nor as lost. */
  if (status == STATUS_SUCCESS && !ping->ended) --ping->sent;
  return status;
}

static void ping_ended(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                       void *context) {
  (void)rx;
  struct ping *ping = context;
  copal_tx_info info;
  unsigned transmissions = copal_tx_get(endpoint, request, &info) == COPAL_OK ? info.transmissions : 0;
  /* An acknowledgement is no good answer to a ping, but who sends one is alive. */
  bool answered = error == COPAL_ERR_RESET || error == COPAL_OK;
  copal_time round_trip = answered ? copal_now() - ping->client.trace.first_sent : COPAL_NEVER;
  trace_settle(&ping->client.trace);
  ping->ended = true;
  ping->last_error = error;
  if (answered) count_answer(ping, round_trip);
  if (ping->client.settings->json) {
    report(ping, answered ? COPAL_OK : error, transmissions, round_trip, NULL);
  } else {
    print(ping, error, transmissions, round_trip);
  }
  client_finish(&ping->client);
}

static void count_answer(struct ping *ping, copal_time round_trip) {
  ++ping->answered;
  ping->sum += round_trip;
  if (round_trip < ping->shortest) ping->shortest = round_trip;
  if (round_trip > ping->longest) ping->longest = round_trip;
}

static void print(const struct ping *ping, copal_error error, unsigned transmissions, copal_time round_trip) {
  if (round_trip != COPAL_NEVER) {
    char text[32];
    printf("%s from %s: ping %" PRIu32 ", %s", error == COPAL_OK ? "acknowledgement" : "reset", ping->target.name,
           ping->sent, value_duration_text(round_trip, text, sizeof text));
    if (transmissions > 1) printf(" (%u transmissions)", transmissions);
    printf("\n");
  } else {
    printf("%s: ping %" PRIu32 ", %s\n", ping->target.name, ping->sent, copal_error_text(error));
  }
  terminal_flush(stdout);
}

/* reason NULL: the error alone says it. */
static void report(const struct ping *ping, copal_error error, unsigned transmissions, copal_time round_trip,
                   const char *reason) {
  const struct target *target = &ping->target;
  struct attempt attempt = {.peer = target->name,
                            .asked = ping->client.trace.first_sent,
                            .now = copal_now(),
                            .exchanges = 1,
                            .transmissions = transmissions};
  char text[FAILURE_TEXT_MAX];
  if (reason == NULL) failure_text(&attempt, error, text, sizeof text);
  struct asked asked = {target->text, NULL, target->name[0] != '\0' ? target->name : NULL};
  struct outcome outcome = {.round_trip = round_trip,
                            .error = error,
                            .error_text = reason != NULL ? reason : text,
                            .transmissions = transmissions,
                            .retransmissions = transmissions > 1 ? transmissions - 1 : 0,
                            .status = status_of_error(error)};
  report_pong(&asked, &outcome);
}

static enum status summarize(const struct ping *ping) {
  bool json = ping->client.settings->json;
  if (!json) print_summary(ping);
  if (ping->answered > 0 || ping->sent == 0) return STATUS_SUCCESS;
  if (json) return status_of_error(ping->last_error);
  return client_failed(&ping->client, ping->last_error, &ping->target);
}

static void print_summary(const struct ping *ping) {
  uint32_t lost = ping->sent - ping->answered;
  printf("%" PRIu32 " sent, %" PRIu32 " answered, %.0f %% lost", ping->sent, ping->answered,
         ping->sent > 0 ? 100.0 * lost / ping->sent : 0.0);
  if (ping->answered > 0) {
    char shortest[32], mean[32], longest[32];
    printf("; round trip min %s, mean %s, max %s", value_duration_text(ping->shortest, shortest, sizeof shortest),
           value_duration_text(ping->sum / ping->answered, mean, sizeof mean),
           value_duration_text(ping->longest, longest, sizeof longest));
  }
  printf("\n");
}
