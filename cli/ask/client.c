/* A client's endpoint and what every asking subcommand does with it. Knows no method and prints no answer. */
#include "cli/ask/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask/failure.h"
#include "cli/line/value.h"
#include "cli/show/terminal.h"

#define ACK_TIMEOUT_MAX (3600 * COPAL_SECOND)
#define MAX_LATENCY_MAX (86400 * COPAL_SECOND)

static bool target_text(const char *operand, char *text, size_t capacity);
static enum status open_record(struct client *client);
static const char *local_uri(const struct settings *settings);
static const char *set_parameters(const struct settings *settings, copal_parameters *parameters);

enum status client_open(struct client *client, const char *command, const struct settings *settings) {
  memset(client, 0, sizeof *client);
  client->command = command;
  client->settings = settings;
  trace_begin(&client->trace, settings);
  enum status status = open_record(client);
  if (status != STATUS_SUCCESS) return status;
  copal_open_options options = copal_open_defaults();
  const char *wrong = set_parameters(settings, &options.config.parameters);
  if (wrong != NULL) {
    complain(command, "%s", wrong);
    return STATUS_USAGE;
  }
  options.segments = false; /* a capture beside it shows what the peer gets */
  options.trace = trace_datagram;
  options.trace_context = &client->trace;
  client->endpoint = copal_open(local_uri(settings), &options);
  if (client->endpoint == NULL) {
    if (options.error == COPAL_ERR_CONFIG) {
      complain(command, "--ack-timeout, --ack-random and --retransmit make waits that are too short or too long");
      return STATUS_USAGE;
    }
    complain(command, "cannot open a socket: %s (%s)", copal_error_text(options.error), strerror(errno));
    return STATUS_LOCAL;
  }
  client->trace.endpoint = client->endpoint;
  return STATUS_SUCCESS;
}

enum status client_close(struct client *client, enum status status) {
  copal_close(client->endpoint);
  client->endpoint = NULL;
  bool is_recorded = record_close(&client->record);
  return status == STATUS_SUCCESS && !is_recorded ? STATUS_LOCAL : status;
}

/* Standard output is for the answer, unless that goes to a file. */
static enum status open_record(struct client *client) {
  const struct settings *settings = client->settings;
  if (settings->pcap == NULL) return STATUS_SUCCESS;
  bool is_free = settings->output != NULL && strcmp(settings->output, "-") != 0 && !settings->json;
  if (strcmp(settings->pcap, "-") == 0 && !is_free) {
    complain(client->command, "--pcap -: standard output is where the answer goes; give a FILE, or --output FILE");
    return STATUS_USAGE;
  }
  if (!record_open(&client->record, client->command, settings->pcap)) return STATUS_LOCAL;
  client->trace.record = &client->record;
  return STATUS_SUCCESS;
}

enum status client_parse(const struct client *client, const char *operand, struct target *target) {
  target->name[0] = '\0';
  if (!target_text(operand, target->text, sizeof target->text)) {
    complain(client->command, "the URI is longer than %d characters", TARGET_TEXT_MAX - 1);
    return STATUS_USAGE;
  }
  copal_error error = copal_uri_parse(target->text, strlen(target->text), &target->uri);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  bool foreign = error == COPAL_ERR_URI_SCHEME;
  complain(client->command, "%s: %s", target->text,
           foreign ? "only coap:// and coap+unix:// are understood" : copal_error_text(error));
  return STATUS_USAGE;
}

copal_error client_look_up(struct client *client, struct target *target, char *reason, size_t capacity) {
  copal_error error = copal_resolve(client->endpoint, &target->uri, &target->address);
  if (error == COPAL_OK) {
    copal_address_text(client->endpoint, &target->address, target->name, sizeof target->name);
  } else if (error == COPAL_ERR_RESOLVE) {
    snprintf(reason, capacity,
             "%s: the name '%.*s' cannot be resolved to an address: is it right, and does this machine have a network?",
             target->text, (int)target->uri.host.size, (const char *)target->uri.host.data);
  } else if (error == COPAL_ERR_URI_SCHEME) {
    snprintf(reason, capacity, "%s: only coap:// and coap+unix:// are understood", target->text);
  } else {
    snprintf(reason, capacity, "%s: %s", target->text, copal_error_text(error));
  }
  return error;
}

enum status client_resolve(struct client *client, const char *operand, struct target *target) {
  enum status status = client_parse(client, operand, target);
  if (status != STATUS_SUCCESS) return status;
  char reason[TARGET_TEXT_MAX + 256];
  copal_error error = client_look_up(client, target, reason, sizeof reason);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  complain(client->command, "%s", reason);
  return error == COPAL_ERR_URI_SCHEME ? STATUS_USAGE : status_of_error(error);
}

enum status client_wait(struct client *client, copal_time timeout) {
  copal_time begin = copal_now();
  while (!client->done) {
    copal_time left = COPAL_NEVER;
    if (timeout != COPAL_NEVER) {
      copal_time waited = copal_now() - begin;
      if (waited >= timeout) break;
      left = timeout - waited;
    }
    int result = copal_process(client->endpoint, left, NULL);
    if (result < 0 && result != COPAL_ERR_INTERRUPTED) {
      complain(client->command, "%s (%s)", copal_error_text((copal_error)result), strerror(errno));
      return STATUS_LOCAL;
    }
  }
  return STATUS_SUCCESS;
}

void client_finish(struct client *client) {
  client->done = true;
  copal_wake(client->endpoint);
}

void client_failure(const struct client *client, copal_error error, const struct target *target, char *text) {
  const struct trace *trace = &client->trace;
  struct attempt attempt = {
      .peer = target->name,
      .group = copal_address_is_multicast(&target->address),
      .non = client->settings->non,
      .asked = trace->latest_sent,
      .now = copal_now(),
      .exchanges = trace->latest_sent != trace->first_sent ? 2 : 1,
      .transmissions = trace->transmissions,
      .acknowledged = trace->acknowledged,
  };
  failure_text(&attempt, error, text, FAILURE_TEXT_MAX);
}

enum status client_failed(const struct client *client, copal_error error, const struct target *target) {
  enum status status = status_of_error(error);
  if (client->settings->quiet) return status;
  char text[FAILURE_TEXT_MAX];
  client_failure(client, error, target, text);
  complain(client->command, "%s", text);
  return status;
}

/* What an operand means as a URI: "host/path" and "fe80::1%eth0" get "coap://". False when it is too long. */
static bool target_text(const char *operand, char *text, size_t capacity) {
  const char *before = "", *after = "";
  if (strstr(operand, "://") == NULL) {
    /* Two colons are in no "host:port": an IPv6 literal, which is bracketed in a URI (RFC 3986 3.2.2). */
    const char *colon = strchr(operand, ':');
    const char *slash = strchr(operand, '/');
    bool bare_ipv6 = operand[0] != '[' && slash == NULL && colon != NULL && strchr(colon + 1, ':') != NULL;
    before = bare_ipv6 ? "coap://[" : "coap://";
    after = bare_ipv6 ? "]" : "";
  }
  int size = snprintf(text, capacity, "%s%s%s", before, operand, after);
  return size >= 0 && (size_t)size < capacity;
}

/* What a client binds: nothing. But a UNIX socket needs a name to be answered; here the system chooses it. */
static const char *local_uri(const struct settings *settings) {
  static const char scheme[] = "coap+unix://";
  if (settings->operands_count == 0) return NULL;
  return strncmp(settings->operands[0], scheme, sizeof scheme - 1) == 0 ? "coap+unix://%00" : NULL;
}

/* What is wrong with them, or NULL. */
static const char *set_parameters(const struct settings *settings, copal_parameters *parameters) {
  enum { ACK_RANDOM_MIN = 1000, ACK_RANDOM_MAX = 4000, NSTART_MAX = 255 };
  if (settings->ack_timeout == 0 || (settings->ack_timeout != COPAL_NEVER && settings->ack_timeout > ACK_TIMEOUT_MAX)) {
    return "--ack-timeout is out of range: more than 0 and at most 3600 seconds";
  }
  if (settings->ack_timeout != COPAL_NEVER) parameters->ack_timeout = settings->ack_timeout;
  if (settings->retransmit != UINT32_MAX) parameters->max_retransmit = (uint8_t)settings->retransmit;
  if (settings->ack_random != NULL) {
    uint32_t factor;
    /* RFC 7252 4.8.1: "ACK_RANDOM_FACTOR MUST NOT be decreased below 1.0". */
    if (!value_permille(settings->ack_random, ACK_RANDOM_MAX, &factor) || factor < ACK_RANDOM_MIN) {
      return "--ack-random is a factor from 1 to 4, such as 1.5";
    }
    parameters->ack_random_permille = factor;
  }
  if (settings->max_latency != COPAL_NEVER && settings->max_latency > MAX_LATENCY_MAX) {
    return "--max-latency is out of range: at most 86400 seconds";
  }
  if (settings->max_latency != COPAL_NEVER) parameters->max_latency = settings->max_latency;
  if (settings->probing_rate != UINT32_MAX) parameters->probing_rate = settings->probing_rate;
  /* Who asks for several at a time means it, whatever RFC 7252 4.7 has for those who do not. */
  uint32_t wanted = settings->parallel > settings->ahead ? settings->parallel : settings->ahead + 1;
  uint32_t nstart = settings->nstart != 0 ? settings->nstart : wanted;
  if (nstart > 1) parameters->nstart = (uint8_t)(nstart < NSTART_MAX ? nstart : NSTART_MAX);
  return NULL;
}
