/* What a load is to be. Sends nothing: the endpoint that it opens only looks the host up. */
#include "cli/load/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask/source.h"
#include "cli/load/wires.h"
#include "cli/show/terminal.h"

/* Who sets no end gets this one. */
#define DURATION_USUAL (10 * COPAL_SECOND)

/* A non-confirmable request that has no answer by then is lost, though RFC 7252 would have us wait for 145 s. */
#define NON_TIMEOUT (5 * COPAL_SECOND)

enum { BODY_MAX = 67108864, READ_SIZE = 65536, SZX_MAX = 6 };

static const char *check(const struct settings *settings);
static enum status resolve(struct plan *plan, const char *command, const struct settings *settings);
static bool set_peers(struct plan *plan, const char *command, const struct settings *settings);
static bool set_patience(struct plan *plan, const char *command, const struct settings *settings);
static enum status read_body(struct plan *plan, const char *command, const struct settings *settings);
static bool read_file(struct plan *plan, struct source *source);
static enum status build(struct plan *plan, const char *command, const struct settings *settings);
static enum status begin_message(const struct plan *plan, const char *command, copal_message *message);
static enum status build_registration(struct plan *plan, const char *command, const struct settings *settings);
static bool make_whole(struct plan *plan, const copal_message *message);
static uint8_t *copy(const uint8_t *bytes, size_t size, size_t spare);

enum status plan_open(struct plan *plan, const char *command, const struct settings *settings) {
  const char *wrong = check(settings);
  if (wrong != NULL) {
    complain(command, "%s", wrong);
    return STATUS_USAGE;
  }
  const struct bench_settings *bench = &settings->bench;
  bool has_payload = settings->data != NULL || settings->file != NULL || settings->hex != NULL;
  if (bench->method != UINT32_MAX) {
    plan->method = (uint8_t)(bench->method + 1);
  } else {
    plan->method = has_payload || bench->size != UINT32_MAX ? COPAL_POST : COPAL_GET;
  }
  plan->non = settings->non;
  plan->rate = bench->rate;
  plan->requests = bench->requests;
  plan->warmup = bench->warmup;
  plan->duration = bench->duration;
  /* The notifications of the last change come when it was answered. */
  bool ends = plan->requests != 0 && bench->observers == 0;
  if (plan->duration == COPAL_NEVER && !ends) plan->duration = DURATION_USUAL;
  plan->szx = SZX_MAX;
  while (settings->block_size != 0 && 16u << plan->szx > settings->block_size) --plan->szx;
  enum status status = resolve(plan, command, settings);
  if (status == STATUS_SUCCESS && !set_peers(plan, command, settings)) status = STATUS_USAGE;
  if (status == STATUS_SUCCESS && !set_patience(plan, command, settings)) status = STATUS_USAGE;
  if (status == STATUS_SUCCESS) status = read_body(plan, command, settings);
  if (status == STATUS_SUCCESS) status = build(plan, command, settings);
  if (status == STATUS_SUCCESS && plan->observers > 0) status = build_registration(plan, command, settings);
  return status;
}

void plan_close(struct plan *plan) {
  free(plan->body);
  free(plan->whole);
  free(plan->registration);
  free(plan->farewell);
  plan->body = plan->whole = plan->registration = plan->farewell = NULL;
}

static const char *check(const struct settings *settings) {
  const struct bench_settings *bench = &settings->bench;
  uint32_t block_size = settings->block_size;
  if (settings->operands_count == 0) return "which resource? A URI is missing, such as coap://[::1]/hello";
  if (settings->operands_count > 1) return "one URI at a time";
  if (bench->clients == 0) return "--clients is at least 1";
  if (bench->window == 0) return "--window is at least 1";
  /* RFC 7959 2.2: sizes are powers of two, from 2**4 to 2**10. */
  bool is_power = (block_size & (block_size - 1)) == 0;
  if (block_size != 0 && (block_size < 16 || block_size > 1024 || !is_power)) {
    return "--block-size is one of 16, 32, 64, 128, 256, 512, 1024";
  }
  int given = (settings->data != NULL) + (settings->file != NULL) + (settings->hex != NULL);
  if (given + (bench->size != UINT32_MAX) > 1) return "--data, --file, --hex and --size exclude each other";
  if ((uint64_t)bench->clients * bench->window > PLAN_REQUESTS_MAX) {
    return "--clients times --window is at most 16000000";
  }
  if (bench->observers > 0 && settings->non) return "--observers: they register with confirmable requests, not --non";
  return NULL;
}

static enum status resolve(struct plan *plan, const char *command, const struct settings *settings) {
  static struct client client;
  enum status status = client_open(&client, command, settings);
  if (status == STATUS_SUCCESS) status = client_resolve(&client, settings->operands[0], &plan->target);
  status = client_close(&client, status);
  if (status != STATUS_SUCCESS) return status;
  if (plan->target.address.family == COPAL_FAMILY_UNIX) {
    complain(command, "%s: only coap:// servers are put under load", plan->target.text);
    return STATUS_USAGE;
  }
  if (!copal_address_is_multicast(&plan->target.address)) return STATUS_SUCCESS;
  complain(command, "%s is a group: a load goes to one server", plan->target.name);
  return STATUS_USAGE;
}

/* As many peers as there are clients: by addresses where the loopback has them, else by ports. */
static bool set_peers(struct plan *plan, const char *command, const struct settings *settings) {
  const struct bench_settings *bench = &settings->bench;
  bool loopback = wires_is_loopback(&plan->target.address);
  plan->observers = bench->observers;
  /* Who observes wants to know about notifications, and makes changes only when asked to. */
  bool only_observes = bench->observers > 0 && bench->rate == 0 && bench->requests == 0;
  plan->clients = only_observes ? 0 : bench->clients;
  plan->window = bench->window;
  plan->in_flight = plan->clients * plan->window;
  if (bench->in_flight != 0 && bench->in_flight < plan->in_flight) plan->in_flight = bench->in_flight;
  if (bench->sources > 1 && !loopback) {
    complain(command, "--sources: only a server on the IPv4 loopback (127.0.0.1) is asked from many addresses");
    return false;
  }
  uint32_t peers = plan->clients + plan->observers;
  assert(peers > 0);
  plan->sources = bench->sources != 0 ? bench->sources : loopback ? peers : 1;
  if (plan->sources > peers) plan->sources = peers;
  if ((peers + plan->sources - 1) / plan->sources <= WIRES_SOCKETS_MAX) return true;
  complain(command, "%" PRIu32 " clients need more than %d ports: take fewer%s", peers, WIRES_SOCKETS_MAX,
           loopback ? ", or more --sources" : "; on the IPv4 loopback there is no such limit");
  return false;
}

/* RFC 7252 4.8.2, MAX_TRANSMIT_WAIT, is how long a confirmable request may take. */
static bool set_patience(struct plan *plan, const char *command, const struct settings *settings) {
  struct patience *patience = &plan->patience;
  patience->ack_timeout = settings->ack_timeout != COPAL_NEVER ? settings->ack_timeout : 2 * COPAL_SECOND;
  patience->retransmit = settings->retransmit != UINT32_MAX ? settings->retransmit : 4;
  patience->non = plan->non;
  if (patience->ack_timeout < COPAL_MILLISECOND || patience->ack_timeout > 3600 * COPAL_SECOND) {
    complain(command, "--ack-timeout is out of range: a millisecond to 3600 seconds");
    return false;
  }
  copal_time span = patience->ack_timeout * 3 / 2 * ((UINT64_C(2) << patience->retransmit) - 1);
  if (span > 4200 * COPAL_SECOND) {
    complain(command, "--ack-timeout and --retransmit make more than 70 minutes together");
    return false;
  }
  patience->give_up = plan->non ? NON_TIMEOUT : span;
  if (settings->timeout != COPAL_NEVER) patience->give_up = settings->timeout;
  if (patience->give_up >= COPAL_MILLISECOND) return true;
  complain(command, "--timeout is out of range: at least a millisecond");
  return false;
}

/* What --data and --hex say is in the message already. */
static enum status read_body(struct plan *plan, const char *command, const struct settings *settings) {
  if (settings->bench.size != UINT32_MAX) {
    plan->body_size = settings->bench.size;
    plan->body = malloc(plan->body_size + 1);
    if (plan->body == NULL) return STATUS_LOCAL;
    for (size_t i = 0; i < plan->body_size; ++i) plan->body[i] = (uint8_t)('a' + i % 26);
    return STATUS_SUCCESS;
  }
  if (settings->file == NULL) return STATUS_SUCCESS;
  static struct source source;
  bool is_read = source_open(&source, settings->file) && read_file(plan, &source);
  source_close(&source);
  if (is_read) return STATUS_SUCCESS;
  complain(command, "%s", source.reason[0] != '\0' ? source.reason : "--file: it is larger than 64 MiB");
  return STATUS_LOCAL;
}

static bool read_file(struct plan *plan, struct source *source) {
  uint64_t got;
  do {
    if (plan->body_size > BODY_MAX) return false;
    uint8_t *larger = realloc(plan->body, plan->body_size + READ_SIZE);
    if (larger == NULL) return false;
    plan->body = larger;
    got = source_read(source, plan->body_size, plan->body + plan->body_size, READ_SIZE);
    if (got == COPAL_SIZE_UNKNOWN) return false;
    plan->body_size += (size_t)got;
  } while (got == READ_SIZE);
  return plan->body_size <= BODY_MAX;
}

static enum status build(struct plan *plan, const char *command, const struct settings *settings) {
  copal_message message;
  enum status status = begin_message(plan, command, &message);
  if (status != STATUS_SUCCESS) return status;
  char reason[300];
  status = request_fill(&message, settings, reason, sizeof reason);
  if (status != STATUS_SUCCESS) {
    complain(command, "%s", reason);
    return status;
  }
  if (settings->bench.size != UINT32_MAX && settings->format == NULL) {
    copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, COPAL_OCTET_STREAM);
  }
  bool reads = plan->method == COPAL_GET || plan->method == COPAL_FETCH;
  if (reads && settings->block_size != 0 && !request_gives_option(settings, COPAL_OPTION_BLOCK2)) {
    copal_message_add_uint(&message, COPAL_OPTION_BLOCK2, plan->szx);
  }
  if (message.error != COPAL_OK) {
    complain(command, "the request: %s", copal_error_text(message.error));
    return STATUS_USAGE;
  }
  copal_bytes payload = copal_message_view(&message).payload;
  if (payload.size > 0) {
    plan->body = copy(payload.data, payload.size, 0);
    plan->body_size = payload.size;
    if (plan->body == NULL) return STATUS_LOCAL;
    copal_message_set_payload(&message, NULL, 0);
  }
  return make_whole(plan, &message) ? STATUS_SUCCESS : STATUS_LOCAL;
}

/* The request as the URI has it, with room for a token. */
static enum status begin_message(const struct plan *plan, const char *command, copal_message *message) {
  static uint8_t buffer[REQUEST_SIZE_MAX];
  static const uint8_t token[FLIGHT_TOKEN_SIZE];
  copal_message_init(message, buffer, sizeof buffer, plan->non ? COPAL_NON : COPAL_CON, plan->method);
  copal_message_set_token(message, token, sizeof token);
  copal_error error = copal_uri_to_options(&plan->target.uri, message);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  complain(command, "%s: %s", plan->target.text, copal_error_text(error));
  return status_of_error(error);
}

/* RFC 7641 3.6: to leave, a client sends "a GET request that has the Token field set to the token of the observation to
 * be cancelled and includes an Observe Option with the value set to 1 (deregister)", other options as they were. */
static enum status build_registration(struct plan *plan, const char *command, const struct settings *settings) {
  copal_message message;
  enum status status = begin_message(plan, command, &message);
  struct settings without_payload = *settings;
  without_payload.data = without_payload.file = without_payload.hex = without_payload.format = NULL;
  char reason[300];
  if (status == STATUS_SUCCESS) status = request_fill(&message, &without_payload, reason, sizeof reason);
  if (status != STATUS_SUCCESS) return status;
  copal_message_set_code(&message, COPAL_GET);
  (void)copal_message_delete(&message, COPAL_OPTION_OBSERVE);
  copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, 0);
  plan->registration = copy(message.buffer, message.size, 0);
  plan->registration_size = message.size;
  copal_message_replace(&message, COPAL_OPTION_OBSERVE, "\1", 1);
  plan->farewell = copy(message.buffer, message.size, 0);
  plan->farewell_size = message.size;
  return plan->registration != NULL && plan->farewell != NULL ? STATUS_SUCCESS : STATUS_LOCAL;
}

static bool make_whole(struct plan *plan, const copal_message *message) {
  size_t block_size = (size_t)16 << plan->szx;
  plan->head_size = message->size;
  plan->whole_size = message->size;
  plan->whole = copy(message->buffer, message->size, 1 + block_size);
  if (plan->whole == NULL || plan->body_size == 0 || plan->body_size > block_size) return plan->whole != NULL;
  plan->whole[message->size] = 0xff;
  memcpy(plan->whole + message->size + 1, plan->body, plan->body_size);
  plan->whole_size += 1 + plan->body_size;
  return true;
}

/* NULL where there is no memory. */
static uint8_t *copy(const uint8_t *bytes, size_t size, size_t spare) {
  uint8_t *own = malloc(size + spare);
  if (own != NULL) memcpy(own, bytes, size);
  return own;
}
