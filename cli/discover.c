/* copal discover: GET /.well-known/core of a server or of a group, and who answered with what. RFC 6690, RFC 7252 7 and
 * 8: a group is asked with a NON and answers as it likes; what does not fit one message is asked for again, of the one
 * member that has it (RFC 7959 2.8). */
#include <stdio.h>
#include <string.h>

#include "cli/ask/client.h"
#include "cli/ask/failure.h"
#include "cli/ask/interfaces.h"
#include "cli/line/command.h"
#include "cli/show/resources.h"
#include "cli/show/terminal.h"

enum {
  GROUPS = 2,
  FOLLOWED_MAX = 32, /* members whose lists come in blocks */
  QUESTIONS_MAX = GROUPS * INTERFACES_MAX + FOLLOWED_MAX,
  HOSTS_MAX = 1024, /* that are remembered: a host may be reached by several ways */
  QUESTION_SIZE_MAX = 2048,
  LIST_SIZE_MAX = 262144,
  FILTER_SIZE_MAX = 256
};

/* DEFAULT_LEISURE, RFC 7252 4.8. */
#define LEISURE (5 * COPAL_SECOND)

/* One request of a discovery. */
struct question {
  struct discovery *discovery;
  struct target target;
  copal_error error; /* why it has no answer */
  bool group;
  bool follows; /* asks a group's member for what did not fit its answer */
  uint16_t block_size;
  uint8_t list[LIST_SIZE_MAX]; /* where a list in blocks is gathered */
};

/* The requests under way, and what came of them. */
struct discovery {
  struct client client;
  struct question questions[QUESTIONS_MAX];
  size_t questions_count;
  copal_address hosts[HOSTS_MAX];
  size_t hosts_count;
  char filter_texts[LINK_FILTERS_MAX][FILTER_SIZE_MAX];
  struct link_filters filters;
  unsigned pending, answers;
  enum status status; /* of the latest answer */
};

static enum status read_filters(struct discovery *discovery);
static enum status discover(struct discovery *discovery);
static enum status ask_named(struct discovery *discovery, const char *operand);
static enum status look_up(struct discovery *discovery, const char *operand, struct target *target);
static enum status ask_everywhere(struct discovery *discovery, const char *operand);
static enum status ask_by(struct discovery *discovery, const char *interface, const char *operand);
static enum status explain(const struct discovery *discovery);
static enum status fail(const struct question *question, copal_error error);
static struct question *add_question(struct discovery *discovery);
static enum status ask(struct discovery *discovery, struct question *question);
static enum status build(const struct question *question, copal_message *message);
static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static void take_answer(struct question *question, const copal_result *result);
static void give_up(struct question *question, copal_error error);
static bool has_more(const copal_view *response, uint16_t *block_size);
static void follow(const struct question *group, const copal_address *member, uint16_t block_size);
static bool is_known(struct discovery *discovery, const copal_address *host);

enum status discover_run(const struct command *command, const struct settings *settings) {
  if (settings->operands_count > 1) {
    complain(command->name, "one URI at a time");
    return STATUS_USAGE;
  }
  static struct discovery discovery;
  discovery.status = STATUS_SUCCESS;
  enum status status = client_open(&discovery.client, command->name, settings);
  if (status == STATUS_SUCCESS) status = read_filters(&discovery);
  if (status == STATUS_SUCCESS) status = discover(&discovery);
  return client_close(&discovery.client, status);
}

/* RFC 6690 4.1: "resource-param" filters are query arguments. */
static enum status read_filters(struct discovery *discovery) {
  const struct settings *settings = discovery->client.settings;
  const char *names[] = {"rt", "if", "href"};
  const char *values[] = {settings->rt, settings->interface_type, settings->href};
  size_t count = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    if (values[i] == NULL) continue;
    char *text = discovery->filter_texts[count];
    int size = snprintf(text, FILTER_SIZE_MAX, "%s=%s", names[i], values[i]);
    if (size < 0 || size >= FILTER_SIZE_MAX) {
      complain("discover", "--%s is longer than %d characters", names[i], FILTER_SIZE_MAX - (int)strlen(names[i]) - 2);
      return STATUS_USAGE;
    }
    discovery->filters.arguments[count++] = text;
  }
  return STATUS_SUCCESS;
}

static enum status discover(struct discovery *discovery) {
  /* RFC 7252 12.8: the All CoAP Nodes addresses. */
  static const char *const groups[GROUPS] = {"coap://224.0.1.187", "coap://[ff02::fd]"};
  const struct settings *settings = discovery->client.settings;
  bool all = settings->operands_count == 0 || strcmp(settings->operands[0], "all") == 0;
  enum status status = STATUS_SUCCESS;
  if (all) {
    for (size_t i = 0; i < GROUPS && status == STATUS_SUCCESS; ++i) status = ask_everywhere(discovery, groups[i]);
  } else {
    status = ask_named(discovery, settings->operands[0]);
  }
  if (status == STATUS_SUCCESS && discovery->pending > 0) status = client_wait(&discovery->client, COPAL_NEVER);
  if (status != STATUS_SUCCESS) return status;
  return discovery->answers > 0 ? discovery->status : explain(discovery);
}

static enum status ask_named(struct discovery *discovery, const char *operand) {
  struct target target;
  enum status status = look_up(discovery, operand, &target);
  if (status != STATUS_SUCCESS) return status;
  if (copal_address_is_multicast(&target.address) && target.address.scope == 0) {
    return ask_everywhere(discovery, operand);
  }
  return ask_by(discovery, NULL, operand);
}

static enum status look_up(struct discovery *discovery, const char *operand, struct target *target) {
  struct client *client = &discovery->client;
  if (!client->settings->json) return client_resolve(client, operand, target);
  enum status status = client_parse(client, operand, target);
  if (status != STATUS_SUCCESS) return status;
  char reason[FAILURE_TEXT_MAX];
  copal_error error = client_look_up(client, target, reason, sizeof reason);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  status = error == COPAL_ERR_URI_SCHEME ? STATUS_USAGE : status_of_error(error);
  if (status == STATUS_USAGE) {
    complain(client->command, "%s", reason);
  } else {
    resources_failed(NULL, error, reason, status);
  }
  return status;
}

/* A group by each interface that leads to some, since each one has other members. */
static enum status ask_everywhere(struct discovery *discovery, const char *operand) {
  const struct settings *settings = discovery->client.settings;
  struct interfaces interfaces;
  interfaces_list(&interfaces);
  if (settings->interface != NULL || interfaces.count == 0) return ask_by(discovery, settings->interface, operand);
  enum status status = STATUS_SUCCESS;
  for (size_t i = 0; i < interfaces.count && status == STATUS_SUCCESS; ++i) {
    status = ask_by(discovery, interfaces.names[i], operand);
  }
  return status;
}

/* interface NULL leaves the way to the system. */
static enum status ask_by(struct discovery *discovery, const char *interface, const char *operand) {
  struct client *client = &discovery->client;
  struct question *question = add_question(discovery);
  if (question == NULL) return STATUS_SUCCESS;
  enum status status = look_up(discovery, operand, &question->target);
  if (status != STATUS_SUCCESS) return status;
  copal_address *address = &question->target.address;
  question->group = copal_address_is_multicast(address);
  if (interface != NULL) {
    copal_error error = copal_multicast_interface(client->endpoint, interface);
    if (error != COPAL_OK) {
      complain(client->command, "--interface %s: %s", interface, copal_error_text(error));
      return STATUS_LOCAL;
    }
    if (question->group && address->family == COPAL_FAMILY_IPV6 && address->scope == 0) {
      address->scope = if_nametoindex(interface);
      copal_address_text(client->endpoint, address, question->target.name, sizeof question->target.name);
    }
  }
  status = ask(discovery, question);
  /* It is to leave now, before the next one changes the interface. */
  int result = status == STATUS_SUCCESS ? copal_process(client->endpoint, 0, NULL) : 0;
  if (result < 0 && result != COPAL_ERR_INTERRUPTED) {
    complain(client->command, "%s", copal_error_text((copal_error)result));
    return STATUS_LOCAL;
  }
  return status;
}

/* Nobody answered. Where one way leads nowhere, what became of the others counts. */
static enum status explain(const struct discovery *discovery) {
  const struct settings *settings = discovery->client.settings;
  const struct question *question = &discovery->questions[0];
  for (size_t i = 1; i < discovery->questions_count; ++i) {
    if (discovery->questions[i].error == COPAL_ERR_TIMEOUT) question = &discovery->questions[i];
  }
  if (question->error != COPAL_ERR_TIMEOUT || !question->group) return fail(question, question->error);
  char reason[FAILURE_TEXT_MAX];
  snprintf(reason, sizeof reason, "nobody answered within %.1f s: are servers on this network, and in the group?%s%s",
           (double)settings->wait / (double)COPAL_SECOND,
           settings->interface == NULL ? " --interface chooses another network" : "",
           settings->wait < LEISURE ? "; servers may take 5 s to answer a group, --wait is shorter" : "");
  if (settings->json) {
    resources_failed(question->target.name, COPAL_ERR_TIMEOUT, reason, STATUS_TIMEOUT);
  } else if (!settings->quiet) {
    complain("discover", "%s", reason);
  }
  return STATUS_TIMEOUT;
}

/* Tells that a question has no answer. */
static enum status fail(const struct question *question, copal_error error) {
  const struct client *client = &question->discovery->client;
  if (!client->settings->json) return client_failed(client, error, &question->target);
  char reason[FAILURE_TEXT_MAX];
  client_failure(client, error, &question->target, reason);
  resources_failed(question->target.name, error, reason, status_of_error(error));
  return status_of_error(error);
}

/* NULL where there is no room: what more there is stays unasked. */
static struct question *add_question(struct discovery *discovery) {
  if (discovery->questions_count == QUESTIONS_MAX) return NULL;
  struct question *question = &discovery->questions[discovery->questions_count++];
  question->discovery = discovery;
  return question;
}

static enum status ask(struct discovery *discovery, struct question *question) {
  const struct settings *settings = discovery->client.settings;
  uint8_t buffer[QUESTION_SIZE_MAX];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, question->group ? COPAL_NON : COPAL_CON, COPAL_GET);
  enum status status = build(question, &message);
  if (status != STATUS_SUCCESS) return status;
  copal_time timeout = question->group ? settings->wait : settings->timeout;
  copal_call_options options = {
      .message = &message,
      .remote = &question->target.address,
      .handler = answered,
      .context = question,
      /* 0 would be no limit. */
      .timeout = timeout == COPAL_NEVER ? 0
                 : timeout > 0          ? timeout
                                        : 1,
      .buffer = question->list,
      .capacity = sizeof question->list,
      .block_size = question->block_size,
  };
  question->error = copal_call_begin(discovery->client.endpoint, &options, NULL);
  if (question->error == COPAL_OK) ++discovery->pending;
  return STATUS_SUCCESS;
}

static enum status build(const struct question *question, copal_message *message) {
  copal_error error = copal_uri_to_options(&question->target.uri, message);
  if (error == COPAL_OK && question->target.uri.path.size == 0) {
    static const char well_known[] = "/.well-known/core";
    error = copal_path_to_options(well_known, sizeof well_known - 1, COPAL_OPTION_URI_PATH, message);
  }
  const struct link_filters *filters = &question->discovery->filters;
  for (size_t i = 0; i < LINK_FILTERS_MAX && filters->arguments[i] != NULL; ++i) {
    copal_message_add_text(message, COPAL_OPTION_URI_QUERY, filters->arguments[i]);
  }
  if (error == COPAL_OK) error = message->error;
  if (error == COPAL_OK) return STATUS_SUCCESS;
  complain("discover", "%s: %s", question->target.text, copal_error_text(error));
  return STATUS_USAGE;
}

static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct question *question = context;
  struct discovery *discovery = question->discovery;
  trace_settle(&discovery->client.trace);
  if (result->error == COPAL_OK) {
    take_answer(question, result);
  } else if (question->follows) {
    give_up(question, result->error);
  } else {
    question->error = result->error;
    if (discovery->client.settings->verbose > 0 && result->error == COPAL_ERR_UNREACHABLE) {
      remark("%s is unreachable", question->target.name);
    }
  }
  if (result->last && --discovery->pending == 0) client_finish(&discovery->client);
}

static void take_answer(struct question *question, const copal_result *result) {
  struct discovery *discovery = question->discovery;
  const copal_rx *rx = result->rx;
  if (question->group) {
    if (is_known(discovery, &rx->path.remote)) return;
    uint16_t block_size;
    if (has_more(&rx->message, &block_size)) {
      follow(question, &rx->path.remote, block_size);
      return;
    }
  }
  char peer[COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(discovery->client.endpoint, &rx->path.remote, peer, sizeof peer);
  struct finding finding = {
      .message = &rx->message,
      .body = result->body,
      .peer = peer,
      .body_size = result->body_size,
      .filters = &discovery->filters,
  };
  if (rx->time > result->began) finding.round_trip = rx->time - result->began;
  enum status status = resources_show(&finding, discovery->client.settings);
  if (discovery->answers++ == 0 || status == STATUS_SUCCESS) discovery->status = status;
}

/* A member of a group began with its list, but the rest of it does not come. */
static void give_up(struct question *question, copal_error error) {
  struct discovery *discovery = question->discovery;
  enum status status = fail(question, error);
  if (discovery->answers++ == 0) discovery->status = status;
}

static bool has_more(const copal_view *response, uint16_t *block_size) {
  copal_option option;
  if (!copal_find(response, COPAL_OPTION_BLOCK2, &option) || option.size > 3) return false;
  copal_block block = copal_block_of(copal_option_uint(&option));
  if (block.szx > 6) return false;
  *block_size = (uint16_t)(16u << block.szx);
  return block.more;
}

/* RFC 7959 2.8: "the client retrieves any further blocks using unicast exchanges; in the unicast requests, the client
 * SHOULD heed any block size preferences indicated by the server in the response to the multicast request." The first
 * block is asked for again too, since the list may change meanwhile. */
static void follow(const struct question *group, const copal_address *member, uint16_t block_size) {
  struct discovery *discovery = group->discovery;
  struct question *question = add_question(discovery);
  if (question == NULL) {
    remark("more than %d servers have long lists: ask the others one by one", QUESTIONS_MAX);
    return;
  }
  question->target = group->target;
  question->target.address = *member;
  question->follows = true;
  question->block_size = block_size;
  copal_address_text(discovery->client.endpoint, member, question->target.name, sizeof question->target.name);
  enum status status = ask(discovery, question);
  if (status == STATUS_SUCCESS && question->error != COPAL_OK) give_up(question, question->error);
}

/* Whether a host has answered before, by another way. With more of them than fit, some may be shown twice. */
static bool is_known(struct discovery *discovery, const copal_address *host) {
  for (size_t i = 0; i < discovery->hosts_count; ++i) {
    if (copal_address_equal(&discovery->hosts[i], host)) return true;
  }
  if (discovery->hosts_count < HOSTS_MAX) discovery->hosts[discovery->hosts_count++] = *host;
  return false;
}
