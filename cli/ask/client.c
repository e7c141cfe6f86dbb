/* A client's endpoint and what every asking subcommand does with it. Knows no method and prints no answer. */
#include "cli/ask/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/line/value.h"
#include "cli/show/terminal.h"

static enum status open_record(struct client *client);
static const char *local_uri(const struct settings *settings);
static void explain_timeout(const struct client *client, const struct target *target);

bool target_text(const char *operand, char *text, size_t capacity) {
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

enum status client_open(struct client *client, const char *command, const struct settings *settings) {
  memset(client, 0, sizeof *client);
  client->command = command;
  client->settings = settings;
  trace_begin(&client->trace, settings);
  enum status status = open_record(client);
  if (status != STATUS_SUCCESS) return status;
  copal_open_options options = copal_open_defaults();
  if (settings->ack_timeout != COPAL_NEVER) options.config.parameters.ack_timeout = settings->ack_timeout;
  if (settings->retransmit != UINT32_MAX) options.config.parameters.max_retransmit = (uint8_t)settings->retransmit;
  options.trace = trace_datagram;
  options.trace_context = &client->trace;
  client->endpoint = copal_open(local_uri(settings), &options);
  if (client->endpoint == NULL) {
    if (options.error == COPAL_ERR_CONFIG && settings->ack_timeout != COPAL_NEVER) {
      complain(command, "--ack-timeout is out of range: more than 0 and at most 3600 seconds");
      return STATUS_USAGE;
    }
    complain(command, "cannot open a socket: %s (%s)", copal_error_text(options.error), strerror(errno));
    return STATUS_LOCAL;
  }
  client->trace.endpoint = client->endpoint;
  return STATUS_SUCCESS;
}

void client_close(struct client *client) {
  copal_close(client->endpoint);
  client->endpoint = NULL;
  record_close(&client->record);
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

enum status client_resolve(struct client *client, const char *operand, struct target *target) {
  if (!target_text(operand, target->text, sizeof target->text)) {
    complain(client->command, "the URI is longer than %d characters", TARGET_TEXT_MAX - 1);
    return STATUS_USAGE;
  }
  copal_error error = copal_uri_parse(target->text, strlen(target->text), &target->uri);
  if (error == COPAL_OK) error = copal_resolve(client->endpoint, &target->uri, &target->address);
  if (error == COPAL_ERR_URI_SCHEME) {
    complain(client->command, "%s: only coap:// and coap+unix:// are understood", target->text);
    return STATUS_USAGE;
  }
  if (error == COPAL_ERR_RESOLVE) {
    complain(client->command, "%s: the name '%.*s' cannot be resolved to an address", target->text,
             (int)target->uri.host.size, (const char *)target->uri.host.data);
    return STATUS_UNREACHABLE;
  }
  if (error != COPAL_OK) {
    complain(client->command, "%s: %s", target->text, copal_error_text(error));
    return status_of_error(error);
  }
  copal_address_text(client->endpoint, &target->address, target->name, sizeof target->name);
  return STATUS_SUCCESS;
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

enum status client_failed(const struct client *client, copal_error error, const struct target *target) {
  enum status status = status_of_error(error);
  if (client->settings->quiet) return status;
  if (error == COPAL_ERR_TIMEOUT) {
    explain_timeout(client, target);
  } else if (error == COPAL_ERR_RESET) {
    complain(client->command,
             "%s answered with a Reset: it has no use for this message; \"copal ping\" tells whether it speaks CoAP",
             target->name);
  } else if (error == COPAL_ERR_UNREACHABLE) {
    complain(client->command, "%s is unreachable: nothing listens there, or no route leads there", target->name);
  } else if (error == COPAL_ERR_RESPONSE_REJECTED) {
    complain(
        client->command,
        "the response from %s is rejected: a critical option in it is not understood, or malformed, or it is larger"
        " than a datagram may be here; --verbose shows it",
        target->name);
  } else if (error == COPAL_ERR_MULTICAST_CON) {
    complain(client->command, "%s is a group: a request to a group is non-confirmable, add --non", target->name);
  } else if (error == COPAL_ERR_MESSAGE_SIZE || error == COPAL_ERR_SPACE) {
    complain(client->command, "the request is larger than a datagram to %s may be: send a smaller payload",
             target->name);
  } else if (error == COPAL_ERR_BODY_SIZE) {
    complain(client->command,
             "a body to or from %s is larger than there is room for here, or has more blocks than can be numbered",
             target->name);
  } else if (error == COPAL_ERR_BODY_CHANGED) {
    complain(client->command,
             "what %s sends changed while its blocks were fetched, again and again: try later, or with a larger"
             " --block-size",
             target->name);
  } else if (error == COPAL_ERR_BODY_BLOCKS) {
    complain(client->command,
             "the blocks from %s do not make a whole: one is missing, or is not the one that was asked for;"
             " --verbose shows them",
             target->name);
  } else {
    complain(client->command, "cannot send to %s: %s", target->name, copal_error_text(error));
  }
  return status;
}

/* What a client binds: nothing. But a UNIX socket needs a name to be answered; here the system chooses it. */
static const char *local_uri(const struct settings *settings) {
  static const char scheme[] = "coap+unix://";
  if (settings->operands_count == 0) return NULL;
  return strncmp(settings->operands[0], scheme, sizeof scheme - 1) == 0 ? "coap+unix://%00" : NULL;
}

static void explain_timeout(const struct client *client, const struct target *target) {
  const struct trace *trace = &client->trace;
  char waited[32] = "0 s";
  if (trace->latest_sent != COPAL_NEVER) value_duration_text(copal_now() - trace->latest_sent, waited, sizeof waited);
  if (copal_address_is_multicast(&target->address)) {
    complain(client->command, "nobody in the group %s answered within %s", target->name, waited);
  } else if (trace->acknowledged) {
    complain(client->command, "%s acknowledged the request but sent no response within %s: try a longer --timeout",
             target->name, waited);
  } else if (trace->latest_sent != trace->first_sent) {
    complain(client->command, "no answer from %s after %u transmission%s in %s, where it had answered before",
             target->name, trace->transmissions, trace->transmissions == 1 ? "" : "s", waited);
  } else if (client->settings->non) {
    complain(client->command,
             "no answer from %s to a non-confirmable request within %s: it may be lost, and without"
             " --non it is sent again",
             target->name, waited);
  } else {
    complain(client->command, "no answer from %s after %u transmission%s in %s: is a server running there?",
             target->name, trace->transmissions, trace->transmissions == 1 ? "" : "s", waited);
  }
}
