/* A server whose answers are large for an address that is not verified. Include after cmocka.h. */
#ifndef COPAL_TESTS_VERIFY_H
#define COPAL_TESTS_VERIFY_H

#include "endpoint/endpoint.h"
#include "support/bare.h"

enum { LARGE = 200, CLIENT = BARE_PORT };

/* GET /l and POST /l give a large body, GET /m one of any size; GET /d is answered later. */
struct server {
  struct bare *bare;
  int executed;
  size_t size; /* of GET /m's body */
  copal_deferred deferred;
};

static inline const char *body(size_t size) {
  static char text[1000];
  memset(text, 'x', sizeof text);
  assert_true(size <= sizeof text);
  return text;
}

static inline void give_large(copal_request *request, void *context) {
  ++((struct server *)context)->executed;
  copal_reply(request, COPAL_CONTENT, COPAL_TEXT_PLAIN, body(LARGE), LARGE);
}

static inline void give_any(copal_request *request, void *context) {
  struct server *server = context;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, body(server->size), server->size);
}

static inline void make(copal_request *request, void *context) {
  ++((struct server *)context)->executed;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CREATED);
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, "l");
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, "7");
  copal_message_set_payload(reply, body(LARGE), LARGE);
}

static inline void defer(copal_request *request, void *context) {
  assert_int_equal(copal_defer(request, &((struct server *)context)->deferred), COPAL_OK);
}

static inline copal_config config_of(uint32_t deferred_max) {
  copal_config config = copal_config_small();
  config.message_size_max = 512;
  config.peers_max = config.exchanges_max = 16;
  config.messages_size = config.replies_size = 16384;
  config.outbox_max = 16;
  config.deferred_max = deferred_max;
  return config;
}

static inline void open_server(struct server *server, const copal_config *config) {
  *server = (struct server){.bare = bare_open(config)};
  copal_endpoint *endpoint = server->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/l", give_large, server), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_POST, "/l", make, server), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/m", give_any, server), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/d", defer, server), COPAL_OK);
}

static inline void open_usual(struct server *server) {
  copal_config config = config_of(4);
  open_server(server, &config);
}

static inline const copal_counters *counters(const struct server *server) {
  return copal_endpoint_counters(server->bare->endpoint);
}

/* The message IDs of the pings among what went out last; there are count of them. */
static inline void pings(const struct server *server, uint16_t *mids, size_t count) {
  size_t found = 0;
  for (size_t i = 0; i < server->bare->sent_count; ++i) {
    const struct bare_sent *sent = &server->bare->sent[i];
    if (sent->view.type != COPAL_CON || sent->view.code != COPAL_EMPTY) continue;
    assert_true(found < count);
    assert_int_equal(sent->size, 4);
    mids[found++] = sent->view.message_id;
  }
  assert_int_equal(found, count);
}

static inline void reset(struct server *server, uint16_t mid) { bare_in(server->bare, "7000%04x", mid); }

/* Both pings of what went out last are answered. */
static inline void reset_pings(struct server *server) {
  uint16_t mids[2];
  pings(server, mids, 2);
  reset(server, mids[1]);
  reset(server, mids[0]);
}

static inline void assert_large(const struct bare_sent *sent, copal_type type) {
  assert_int_equal(sent->view.type, type);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_int_equal(sent->view.token.size, 1);
  assert_int_equal(sent->view.token.data[0], 0xab);
  assert_int_equal(sent->view.payload.size, LARGE);
}

/* A 4.01 with an Echo option, whose value is written as hex. */
static inline void assert_challenge(const struct bare_sent *sent, copal_type type, char echo[25]) {
  copal_option option;
  assert_int_equal(sent->view.type, type);
  assert_int_equal(sent->view.code, COPAL_UNAUTHORIZED);
  assert_int_equal(sent->view.token.size, 1);
  assert_int_equal(sent->view.token.data[0], 0xab);
  assert_int_equal(sent->view.payload.size, 0);
  assert_true(copal_find(&sent->view, COPAL_OPTION_ECHO, &option));
  assert_int_equal(option.size, 12);
  for (size_t i = 0; i < 12; ++i) sprintf(echo + 2 * i, "%02x", option.value[i]);
}

/* Nothing is left of verifications and what they held. */
static inline void assert_idle(const struct server *server) {
  const struct verifications *verifications = &server->bare->endpoint->verifications;
  endpoint_release(server->bare->endpoint, server->bare->now);
  assert_int_equal(verifications->slab.count, 0);
  assert_int_equal(verifications->held_slab.count, 0);
  assert_int_equal(verifications->index.count, 0);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).exchanges, 0);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).messages_size, 0);
}

#endif
