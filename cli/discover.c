/* copal discover: GET /.well-known/core of a server or of a group, and who answered with what. RFC 6690, RFC 7252 7 and
 * 8: a group is asked with a NON and answers as it likes. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cli/ask/client.h"
#include "cli/line/command.h"
#include "cli/show/links.h"
#include "cli/show/response.h"
#include "cli/show/terminal.h"

enum { QUESTIONS_MAX = 2, QUESTION_SIZE_MAX = 2048, LIST_SIZE_MAX = 262144 };

/* One request of a discovery. */
struct question {
  struct discovery *discovery;
  struct target target;
  copal_error error; /* why it has no answer */
  bool group;
  uint8_t list[LIST_SIZE_MAX]; /* where a list in blocks is gathered */
};

/* The requests under way, and what came of them. */
struct discovery {
  struct client client;
  struct question questions[QUESTIONS_MAX];
  unsigned pending, answers;
  enum status status; /* of the latest answer */
};

/* DEFAULT_LEISURE, RFC 7252 4.8. */
#define LEISURE (5 * COPAL_SECOND)

static enum status discover_all(struct discovery *discovery);
static enum status explain(const struct discovery *discovery, size_t count);
static enum status ask(struct discovery *discovery, struct question *question, const char *operand);
static enum status build(const struct question *question, copal_message *message);
static copal_error add_filter(copal_message *message, const char *name, const char *value);
static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static enum status show(const struct discovery *discovery, const copal_result *result, const char *peer);
static enum status show_other(const struct discovery *discovery, const copal_result *result, const char *peer);

enum status discover_run(const struct command *command, const struct settings *settings) {
  if (settings->operands_count > 1) {
    complain(command->name, "one URI at a time");
    return STATUS_USAGE;
  }
  static struct discovery discovery;
  discovery.status = STATUS_SUCCESS;
  enum status status = client_open(&discovery.client, command->name, settings);
  if (status == STATUS_SUCCESS && settings->interface != NULL) {
    copal_error error = copal_multicast_interface(discovery.client.endpoint, settings->interface);
    if (error != COPAL_OK) {
      complain(command->name, "--interface %s: %s", settings->interface, copal_error_text(error));
      status = STATUS_LOCAL;
    }
  }
  if (status == STATUS_SUCCESS) status = discover_all(&discovery);
  client_close(&discovery.client);
  return status;
}

static enum status discover_all(struct discovery *discovery) {
  /* RFC 7252 12.8: the All CoAP Nodes addresses. */
  static const char *const groups[QUESTIONS_MAX] = {"coap://224.0.1.187", "coap://[ff02::fd]"};
  const struct settings *settings = discovery->client.settings;
  size_t count = settings->operands_count > 0 ? 1 : QUESTIONS_MAX;
  for (size_t i = 0; i < count; ++i) {
    const char *operand = settings->operands_count > 0 ? settings->operands[0] : groups[i];
    enum status status = ask(discovery, &discovery->questions[i], operand);
    if (status != STATUS_SUCCESS) return status;
  }
  if (discovery->pending > 0) {
    enum status status = client_wait(&discovery->client, COPAL_NEVER);
    if (status != STATUS_SUCCESS) return status;
  }
  if (discovery->answers > 0) return discovery->status;
  return explain(discovery, count);
}

/* Nobody answered. Where one address family is missing, what became of the other one counts. */
static enum status explain(const struct discovery *discovery, size_t count) {
  const struct settings *settings = discovery->client.settings;
  const struct question *silent = NULL;
  for (size_t i = 0; i < count; ++i) {
    if (discovery->questions[i].error == COPAL_ERR_TIMEOUT) silent = &discovery->questions[i];
  }
  if (silent == NULL || !silent->group) {
    const struct question *question = &discovery->questions[0];
    return client_failed(&discovery->client, question->error, &question->target);
  }
  if (!settings->quiet) {
    complain("discover", "nobody answered within %.1f s: are servers on this network, and in the group?%s%s",
             (double)settings->wait / (double)COPAL_SECOND,
             settings->interface == NULL ? " --interface chooses another network" : "",
             settings->wait < LEISURE ? "; servers may take 5 s to answer a group, --wait is shorter" : "");
  }
  return STATUS_TIMEOUT;
}

static enum status ask(struct discovery *discovery, struct question *question, const char *operand) {
  const struct settings *settings = discovery->client.settings;
  question->discovery = discovery;
  enum status status = client_resolve(&discovery->client, operand, &question->target);
  if (status != STATUS_SUCCESS) return status;
  copal_address *address = &question->target.address;
  question->group = copal_address_is_multicast(address);
  if (question->group && address->family == COPAL_FAMILY_IPV6 && address->scope == 0 && settings->interface != NULL) {
    address->scope = if_nametoindex(settings->interface);
    copal_address_text(discovery->client.endpoint, address, question->target.name, sizeof question->target.name);
  }
  uint8_t buffer[QUESTION_SIZE_MAX];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, question->group ? COPAL_NON : COPAL_CON, COPAL_GET);
  status = build(question, &message);
  if (status != STATUS_SUCCESS) return status;
  copal_time timeout = question->group ? settings->wait : settings->timeout;
  copal_call_options options = {
      .message = &message,
      .remote = address,
      .handler = answered,
      .context = question,
      /* 0 would be no limit. */
      .timeout = timeout == COPAL_NEVER ? 0
                 : timeout > 0          ? timeout
                                        : 1,
      .buffer = question->list,
      .capacity = sizeof question->list,
  };
  question->error = copal_call_begin(discovery->client.endpoint, &options, NULL);
  if (question->error == COPAL_OK) ++discovery->pending;
  return STATUS_SUCCESS;
}

static enum status build(const struct question *question, copal_message *message) {
  const struct settings *settings = question->discovery->client.settings;
  copal_error error = copal_uri_to_options(&question->target.uri, message);
  if (error == COPAL_OK && question->target.uri.path.size == 0) {
    static const char well_known[] = "/.well-known/core";
    error = copal_path_to_options(well_known, sizeof well_known - 1, COPAL_OPTION_URI_PATH, message);
  }
  if (error == COPAL_OK) error = add_filter(message, "rt", settings->rt);
  if (error == COPAL_OK) error = add_filter(message, "if", settings->interface_type);
  if (error == COPAL_OK) error = add_filter(message, "href", settings->href);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  complain("discover", "%s: %s", question->target.text, copal_error_text(error));
  return STATUS_USAGE;
}

/* RFC 6690 4.1: "resource-param" filters are query arguments. */
static copal_error add_filter(copal_message *message, const char *name, const char *value) {
  if (value == NULL) return COPAL_OK;
  char argument[256];
  int size = snprintf(argument, sizeof argument, "%s=%s", name, value);
  if (size < 0 || (size_t)size >= sizeof argument) return COPAL_ERR_URI_COMPONENT;
  copal_message_add(message, COPAL_OPTION_URI_QUERY, argument, (size_t)size);
  return message->error;
}

static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)call;
  struct question *question = context;
  struct discovery *discovery = question->discovery;
  struct client *client = &discovery->client;
  copal_error error = result->error;
  trace_settle(&client->trace);
  if (error == COPAL_OK) {
    char peer[COPAL_ADDRESS_TEXT_MAX];
    copal_address_text(endpoint, &result->rx->path.remote, peer, sizeof peer);
    enum status status = show(discovery, result, peer);
    if (discovery->answers++ == 0 || status == STATUS_SUCCESS) discovery->status = status;
  } else {
    question->error = error;
    if (client->settings->verbose > 0 && error == COPAL_ERR_UNREACHABLE)
      remark("%s is unreachable", question->target.name);
  }
  if (result->last && --discovery->pending == 0) client_finish(client);
}

static enum status show(const struct discovery *discovery, const copal_result *result, const char *peer) {
  const struct client *client = &discovery->client;
  const copal_view *response = &result->rx->message;
  uint32_t format = copal_find_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (COPAL_CODE_CLASS(response->code) != 2 || format != COPAL_LINK_FORMAT) return show_other(discovery, result, peer);
  char before[COPAL_ADDRESS_TEXT_MAX + 2];
  snprintf(before, sizeof before, "%s  ", peer);
  int count = links_print(stdout, result->body, before);
  fflush(stdout);
  if (count < 0) {
    complain(client->command, "what %s sent is not link format all through: the list stops there", peer);
    return STATUS_MALFORMED;
  }
  if (count == 0) printf("%s  (no resources)\n", peer);
  return STATUS_SUCCESS;
}

/* An answer that is no list of links. */
static enum status show_other(const struct discovery *discovery, const copal_result *result, const char *peer) {
  const copal_rx *rx = result->rx;
  struct answer answer = {&rx->message, result->body, result->body_size, peer, 0};
  if (rx->time > result->began) answer.round_trip = rx->time - result->began;
  enum status status = response_show(&answer, discovery->client.settings);
  uint32_t format = copal_find_uint(&rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (status == STATUS_SUCCESS) response_show_body(result->body, format);
  return status;
}
