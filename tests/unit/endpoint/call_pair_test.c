/* A client and a server of ours, face to face: what each makes of the other's blocks and notifications. RFC 7641,
 * RFC 7959 section 3.4, RFC 8132 section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

enum { CLIENT_PORT = 40000, SERVER_PORT = BARE_PORT, STATE_SIZE = 2500 };

struct pair {
  struct bare *client, *server;
  copal_call call;
  unsigned told;
  bool last;
  copal_error error;
  uint8_t code, state; /* as told */
  size_t size;
  uint8_t buffer[STATE_SIZE];
  uint8_t now; /* the state, with which every byte of the body is filled */
};

static void give_state(copal_request *request, void *context) {
  const struct pair *pair = context;
  uint8_t body[STATE_SIZE];
  memset(body, pair->now, sizeof body);
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 86400);
  copal_reply_body(request, body, sizeof body);
}

static void on_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct pair *pair = context;
  ++pair->told;
  pair->last = result->last;
  pair->error = result->error;
  pair->code = result->rx != NULL ? result->rx->message.code : 0;
  pair->size = result->body.size;
  if (result->body.size == 0) return;
  pair->state = result->body.data[0];
  for (size_t i = 0; i < result->body.size; ++i) assert_int_equal(result->body.data[i], pair->state);
}

/* Carries what one has to say to the other. True when there was anything. */
static bool carry(struct bare *from, struct bare *to, uint16_t from_port) {
  bare_out(from);
  for (size_t i = 0; i < from->sent_count; ++i) {
    copal_path path = bare_path(from_port);
    bare_in_bytes(to, &path, from->sent[i].bytes, from->sent[i].size);
  }
  return from->sent_count > 0;
}

static void settle(struct pair *pair) {
  for (unsigned round = 0; round < 100; ++round) {
    bool moved = carry(pair->client, pair->server, CLIENT_PORT);
    moved |= carry(pair->server, pair->client, SERVER_PORT);
    if (!moved) return;
  }
  fail_msg("they do not come to rest");
}

static struct pair *open_pair(void) {
  struct pair *pair = calloc(1, sizeof *pair);
  copal_config config = copal_config_small();
  config.message_size_max = 1280;
  config.messages_size = 64 << 10;
  config.replies_size = 64 << 10;
  config.body_size_max = 4096;
  config.bodies_size = 16 << 10;
  config.outbox_max = 16;
  pair->client = bare_open(&config);
  pair->server = bare_open_seeded(&config, 7);
  pair->now = 'a';
  static const copal_code methods[] = {COPAL_GET, COPAL_FETCH};
  for (size_t i = 0; i < 2; ++i)
    assert_int_equal(copal_route(pair->server->endpoint, methods[i], "/a", give_state, pair), COPAL_OK);
  assert_int_equal(copal_route_observable(pair->server->endpoint, "/a", 0), COPAL_OK);
  return pair;
}

static void close_pair(struct pair *pair) {
  bare_close(pair->client);
  bare_close(pair->server);
  free(pair);
}

static void a_large_state_is_observed(copal_code method) {
  struct pair *pair = open_pair();
  struct bare_message message;
  copal_address remote = bare_address(SERVER_PORT);
  copal_call_options options = {
      .message = bare_write(&message, COPAL_CON, (uint8_t)method, "a", method == COPAL_FETCH ? "all" : NULL),
      .remote = &remote,
      .handler = on_result,
      .context = pair,
      .buffer = pair->buffer,
      .capacity = sizeof pair->buffer,
      .observe = true};
  assert_int_equal(copal_call_begin(pair->client->endpoint, &options, &pair->call), COPAL_OK);
  settle(pair);
  for (unsigned change = 0; change < 3; ++change) {
    assert_int_equal(pair->told, change + 1);
    assert_int_equal(pair->error, COPAL_OK);
    assert_int_equal(pair->code, COPAL_CONTENT);
    assert_int_equal(pair->size, STATE_SIZE);
    assert_int_equal(pair->state, pair->now);
    assert_false(pair->last);
    /* What the server has kept of earlier answers is forgotten by now. */
    pair->server->now = pair->client->now += 300 * COPAL_SECOND;
    ++pair->now;
    assert_int_equal(copal_notify(pair->server->endpoint, "/a"), 1);
    settle(pair);
  }
  assert_int_equal(copal_call_cancel(pair->client->endpoint, pair->call, true), COPAL_OK);
  settle(pair);
  assert_int_equal(copal_endpoint_usage(pair->server->endpoint).observers, 0);
  assert_int_equal(copal_endpoint_usage(pair->client->endpoint).exchanges, 0);
  close_pair(pair);
}

static void a_large_state_is_observed_by_get(void **state) {
  (void)state;
  a_large_state_is_observed(COPAL_GET);
}

static void a_large_state_is_observed_by_fetch(void **state) {
  (void)state;
  a_large_state_is_observed(COPAL_FETCH);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_large_state_is_observed_by_get),
      cmocka_unit_test(a_large_state_is_observed_by_fetch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
