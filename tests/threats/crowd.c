/* See crowd.h. */
#include "threats/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT_PORT = 40000, BATCH = 64, LARGE_SIZE = 300 };

static const copal_address server_address = {.bytes = {192, 0, 2, 100}, .port = 5683, .family = COPAL_FAMILY_IPV4};

static uint8_t body[CROWD_BODY_SIZE];

/* --- The server's resources ----------------------------------------------------------------------- */

static void give_small(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "22.3");
}

static void give_large(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_OCTET_STREAM, body, LARGE_SIZE);
}

static void execute(copal_request *request, void *context) {
  (void)context;
  copal_reply_code(request, COPAL_CHANGED);
}

static void count(copal_request *request, void *context) {
  ++((struct crowd *)context)->executed;
  copal_reply_code(request, COPAL_CHANGED);
}

static void take(copal_request *request, void *context) {
  (void)context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  bool same = payload.size == sizeof body && memcmp(payload.data, body, sizeof body) == 0;
  copal_reply_code(request, same ? COPAL_CHANGED : COPAL_BAD_REQUEST);
}

static void execute_large(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CHANGED, COPAL_OCTET_STREAM, body, sizeof body);
}

static void answer_later(copal_request *request, void *context) {
  struct crowd *crowd = context;
  struct owed *owed = &crowd->owed[crowd->owed_count];
  if (crowd->owed_count < CROWD_OWED_MAX && copal_defer(request, &owed->deferred) == COPAL_OK) {
    owed->due = crowd->now + 20 * COPAL_MILLISECOND;
    ++crowd->owed_count;
  } else {
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
  }
}

static void give_state(copal_request *request, void *context) {
  uint8_t state = (uint8_t)((struct crowd *)context)->state;
  copal_reply(request, COPAL_CONTENT, COPAL_OCTET_STREAM, &state, 1);
}

static void answer_owed(struct crowd *crowd) {
  unsigned left = 0;
  for (unsigned i = 0; i < crowd->owed_count; ++i) {
    struct owed *owed = &crowd->owed[i];
    uint8_t buffer[64];
    copal_message response;
    copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
    bool due = owed->due <= crowd->now;
    if (due && copal_deferred_reply(crowd->server, owed->deferred, &response) == COPAL_OK) continue;
    crowd->owed[left++] = *owed;
  }
  crowd->owed_count = left;
}

/* --- Clients --------------------------------------------------------------------------------------- */

struct running {
  struct crowd *crowd;
  enum errand kind;
  uint8_t room[4096];
};

static bool is_good(enum errand kind, const copal_result *result) {
  if (result->error != COPAL_OK) return false;
  copal_code code = result->rx->message.code;
  size_t size = result->body.size;
  bool same = size <= sizeof body && (size == 0 || memcmp(result->body.data, body, size) == 0);
  switch (kind) {
    case ERRAND_GET: return code == COPAL_CONTENT && size == 4 && memcmp(result->body.data, "22.3", 4) == 0;
    case ERRAND_POST:
    case ERRAND_UPLOAD: return code == COPAL_CHANGED && size == 0;
    case ERRAND_LARGE: return code == COPAL_CONTENT && size == LARGE_SIZE && same;
    case ERRAND_DOWNLOAD: return code == COPAL_CHANGED && size == sizeof body && same;
    case ERRAND_LATER: return code == COPAL_CONTENT && size == 0;
    case ERRAND_KINDS: break;
  }
  return false;
}

static void told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint;
  (void)call;
  struct running *running = context;
  struct score *score = &running->crowd->scores[running->kind];
  if (is_good(running->kind, result)) {
    ++score->good;
    if (running->kind == ERRAND_POST) ++running->crowd->posted;
  } else {
    score->error = result->error;
    score->code = result->rx != NULL ? result->rx->message.code : 0;
  }
  free(running);
}

static void begin(struct client *client) {
  static const struct {
    copal_code method;
    const char *path;
  } requests[ERRAND_KINDS] = {{COPAL_GET, "small"}, {COPAL_POST, "count"},    {COPAL_GET, "large"},
                              {COPAL_PUT, "take"},  {COPAL_POST, "do-large"}, {COPAL_GET, "later"}};
  struct running *running = malloc(sizeof *running);
  assert_non_null(running);
  enum errand kind = (enum errand)(client->errands++ % client->crowd->kinds);
  *running = (struct running){.crowd = client->crowd, .kind = kind};
  uint8_t buffer[CROWD_BODY_SIZE + 100];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)requests[kind].method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, requests[kind].path);
  if (kind == ERRAND_UPLOAD) copal_message_set_payload(&message, body, sizeof body);
  copal_call_options options = {.message = &message,
                                .remote = &server_address,
                                .handler = told,
                                .context = running,
                                .buffer = running->room,
                                .capacity = sizeof running->room,
                                .block_size = 512};
  assert_int_equal(copal_call_begin(client->endpoint, &options, NULL), COPAL_OK);
  ++client->crowd->scores[kind].begun;
}

static void notified(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint;
  (void)call;
  struct client *client = context;
  assert_int_equal(result->error, COPAL_OK);
  assert_int_equal(result->body.size, 1);
  client->notified = result->body.data[0];
  client->observes = result->observed;
}

static bool observes(const struct crowd *crowd) { return crowd->kinds == ERRAND_KINDS; }

static void observe(struct client *client) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "state");
  copal_call_options options = {
      .message = &message, .remote = &server_address, .handler = notified, .context = client, .observe = true};
  client->observes = true;
  assert_int_equal(copal_call_begin(client->endpoint, &options, &client->observation), COPAL_OK);
}

void crowd_observe_anew(struct crowd *crowd, unsigned client) {
  struct client *one = &crowd->clients[client];
  if (one->observes) assert_int_equal(copal_call_cancel(one->endpoint, one->observation, true), COPAL_OK);
  one->observes = false;
}

/* --- Opening and closing ---------------------------------------------------------------------------- */

static copal_endpoint *open_endpoint(const copal_config *config, uint8_t seed_byte, copal_time now, void **memory) {
  uint8_t seed[32];
  memset(seed, seed_byte, sizeof seed);
  size_t size = copal_endpoint_size(config);
  assert_int_not_equal(size, 0);
  *memory = calloc(1, size);
  assert_non_null(*memory);
  return copal_endpoint_init(*memory, size, config, seed, now);
}

static void add_resources(struct crowd *crowd) {
  copal_endpoint *server = crowd->server;
  assert_int_equal(copal_route(server, COPAL_GET, "/small", give_small, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_POST, "/do", execute, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_GET, "/do", execute, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_POST, "/count", count, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_GET, "/large", give_large, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_PUT, "/take", take, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_POST, "/do-large", execute_large, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_GET, "/later", answer_later, crowd), COPAL_OK);
  assert_int_equal(copal_route(server, COPAL_GET, "/state", give_state, crowd), COPAL_OK);
  assert_int_equal(copal_route_observable(server, "/state", 60 * COPAL_SECOND), COPAL_OK);
}

void crowd_open(struct crowd *crowd, const copal_config *config, unsigned kinds) {
  for (size_t i = 0; i < sizeof body; ++i) body[i] = (uint8_t)(i * 7 + i / 256);
  *crowd = (struct crowd){
      .now = 1000 * COPAL_SECOND, .kinds = kinds, .batch = config->outbox_max < BATCH ? config->outbox_max : BATCH};
  crowd->server = open_endpoint(config, 1, crowd->now, &crowd->memory);
  add_resources(crowd);
  copal_config own = copal_config_small();
  own.message_size_max = 1280;
  own.exchanges_max = own.calls_max = 64;
  own.messages_size = 512 << 10;
  own.replies_size = 16 << 10;
  for (uint8_t i = 0; i < CROWD_CLIENTS; ++i) {
    struct client *client = &crowd->clients[i];
    client->crowd = crowd;
    client->errands = i;
    client->endpoint = open_endpoint(&own, (uint8_t)(10 + i), crowd->now, &client->memory);
    if (observes(crowd)) observe(client);
  }
}

void crowd_close(struct crowd *crowd) {
  for (int i = 0; i < CROWD_CLIENTS; ++i) free(crowd->clients[i].memory);
  free(crowd->memory);
}

/* --- The network ------------------------------------------------------------------------------------- */

/* Who is behind a path, or NULL. */
static struct client *client_at(struct crowd *crowd, const copal_path *path) {
  static const uint8_t bytes[4] = {192, 0, 2, 1};
  unsigned index = (unsigned)path->remote.port - CLIENT_PORT;
  return memcmp(path->remote.bytes, bytes, 4) == 0 && index < CROWD_CLIENTS ? &crowd->clients[index] : NULL;
}

static void give(copal_endpoint *endpoint, copal_time now, const copal_path *path, const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  copal_datagram datagram = {copy, size, *path};
  assert_int_equal(copal_endpoint_input(endpoint, now, &datagram, 1), 1);
  free(copy);
}

/* All that the server has to send. */
static void carry_from_server(struct crowd *crowd) {
  copal_datagram datagrams[BATCH];
  copal_path path = {.remote = server_address};
  size_t count;
  do {
    count = copal_endpoint_output(crowd->server, crowd->now, datagrams, BATCH);
    for (size_t i = 0; i < count; ++i) {
      struct client *client = client_at(crowd, &datagrams[i].path);
      if (client != NULL) {
        give(client->endpoint, crowd->now, &path, datagrams[i].data, datagrams[i].size);
      } else {
        crowd->flood_out += datagrams[i].size;
        ++crowd->flood_answered;
      }
    }
  } while (count == BATCH);
}

static void give_server(struct crowd *crowd, const copal_path *path, const uint8_t *bytes, size_t size) {
  give(crowd->server, crowd->now, path, bytes, size);
  if (++crowd->taken % crowd->batch == 0) carry_from_server(crowd);
}

static void carry_from_client(struct crowd *crowd, struct client *client) {
  copal_datagram datagrams[BATCH];
  uint16_t port = (uint16_t)(CLIENT_PORT + (client - crowd->clients));
  copal_path path = {.remote = {.bytes = {192, 0, 2, 1}, .port = port, .family = COPAL_FAMILY_IPV4},
                     .local = {.bytes = {192, 0, 2, 100}, .family = COPAL_FAMILY_IPV4}};
  size_t count = copal_endpoint_output(client->endpoint, crowd->now, datagrams, BATCH);
  assert_true(count < BATCH);
  for (size_t i = 0; i < count; ++i) give_server(crowd, &path, datagrams[i].data, datagrams[i].size);
}

void crowd_flood(struct crowd *crowd, const copal_path *path, const uint8_t *bytes, size_t size) {
  crowd->flood_in += size;
  ++crowd->flood_count;
  give_server(crowd, path, bytes, size);
}

void crowd_tick(struct crowd *crowd, bool busy) {
  crowd->now += CROWD_TICK;
  ++crowd->ticks;
  answer_owed(crowd);
  for (unsigned i = 0; i < CROWD_CLIENTS; ++i) {
    struct client *client = &crowd->clients[i];
    unsigned turn = i * (CROWD_TICKS_PER_ERRAND / CROWD_CLIENTS);
    bool turns = crowd->ticks % CROWD_TICKS_PER_ERRAND == turn;
    if (turns && !client->observes && observes(crowd)) observe(client);
    if (turns && busy) begin(client);
    if (copal_endpoint_deadline(client->endpoint) <= crowd->now) carry_from_client(crowd, client);
  }
  carry_from_server(crowd);
}

void crowd_rest(struct crowd *crowd, copal_time time) {
  copal_time end = crowd->now + time;
  while (crowd->now < end) {
    copal_time next = copal_endpoint_deadline(crowd->server);
    for (int i = 0; i < CROWD_CLIENTS; ++i) {
      copal_time deadline = copal_endpoint_deadline(crowd->clients[i].endpoint);
      if (deadline < next) next = deadline;
    }
    if (crowd->owed_count > 0) next = crowd->now;
    if (next > end) next = end;
    if (next > crowd->now + CROWD_TICK) crowd->now = next - CROWD_TICK;
    crowd_tick(crowd, false);
  }
}

void crowd_change(struct crowd *crowd) {
  crowd->state = (crowd->state + 1) & 0xff;
  copal_notify(crowd->server, "/state");
}

/* --- Checks ------------------------------------------------------------------------------------------ */

void crowd_check(struct crowd *crowd, unsigned percent) {
  static const char *const names[ERRAND_KINDS] = {"GET", "POST", "large GET", "upload", "download", "deferred GET"};
  unsigned begun = 0;
  for (int kind = 0; kind < ERRAND_KINDS; ++kind) {
    struct score *score = &crowd->scores[kind];
    if (score->good * 100 < score->begun * percent)
      fail_msg("%s: %u of %u were good; the last that was not: %s, code %u.%02u", names[kind], score->good,
               score->begun, copal_error_text(score->error), score->code >> 5, score->code & 31u);
    begun += score->begun;
    *score = (struct score){0};
  }
  assert_true(begun > 0);
  for (int i = 0; i < CROWD_CLIENTS && observes(crowd); ++i) {
    assert_true(crowd->clients[i].observes);
    assert_int_equal(crowd->clients[i].notified, crowd->state);
  }
  assert_true(percent < 100 ? crowd->executed >= crowd->posted : crowd->executed == crowd->posted);
  crowd->executed = crowd->posted = 0;
}

void crowd_check_bounds(const struct crowd *crowd) {
  copal_stats stats = copal_endpoint_stats(crowd->server);
#define CHECK(name, text) assert_true(stats.usage.name <= stats.limits.name);
  COPAL_TABLES(CHECK)
#undef CHECK
}
