/* A bare endpoint whose /a is observable, and the clients that observe it: ports, and tokens of one byte. Include after
 * cmocka.h. */
#ifndef COPAL_TESTS_OBSERVED_H
#define COPAL_TESTS_OBSERVED_H

#include "endpoint/endpoint.h"
#include "support/bare.h"

/* What the handler of /a replies with, and what it saw. */
struct observed_scene {
  struct bare *bare;
  copal_endpoint *endpoint;
  uint8_t code;
  uint32_t format;
  const char *payload;
  bool defers;
  int calls;         /* for clients */
  int notifications; /* for observers */
  copal_error defer_error;
  void (*then)(struct observed_scene *scene, copal_request *request);
};

static inline void observed_handler(copal_request *request, void *context) {
  struct observed_scene *scene = context;
  bool for_observers = copal_request_is_notification(request);
  ++*(for_observers ? &scene->notifications : &scene->calls);
  if (scene->then != NULL) scene->then(scene, request);
  copal_deferred deferred;
  if (scene->defers) scene->defer_error = copal_defer(request, &deferred);
  if (scene->defers) return;
  copal_reply(request, scene->code, scene->format, scene->payload, strlen(scene->payload));
}

static inline void observed_put(copal_request *request, void *context) {
  (void)context;
  copal_notify(copal_request_endpoint(request), "/a");
  copal_reply_code(request, COPAL_CHANGED);
}

static inline void observed_delete(copal_request *request, void *context) {
  (void)context;
  copal_notify_end(copal_request_endpoint(request), "/a", COPAL_NOT_FOUND);
  copal_reply_code(request, COPAL_DELETED);
}

/* Room for a hundred observers or so. */
static inline copal_config observed_config(void) {
  copal_config config = copal_config_small();
  config.peers_max = 256;
  config.exchanges_max = 256;
  config.messages_size = 64 * 1024;
  config.replies_size = 128 * 1024;
  config.outbox_max = 256;
  config.observed_max = 16;
  config.observers_max = 128;
  config.peer_observers_max = 8;
  return config;
}

static inline void observed_open_with(struct observed_scene *scene, const copal_config *config,
                                      copal_time confirm_every) {
  *scene = (struct observed_scene){.code = COPAL_CONTENT, .format = COPAL_TEXT_PLAIN, .payload = "0"};
  scene->bare = bare_open(config);
  scene->bare->batch = 16;
  scene->endpoint = scene->bare->endpoint;
  assert_int_equal(copal_route(scene->endpoint, COPAL_GET, "/a", observed_handler, scene), COPAL_OK);
  assert_int_equal(copal_route(scene->endpoint, COPAL_FETCH, "/a", observed_handler, scene), COPAL_OK);
  assert_int_equal(copal_route(scene->endpoint, COPAL_PUT, "/a", observed_put, scene), COPAL_OK);
  assert_int_equal(copal_route(scene->endpoint, COPAL_DELETE, "/a", observed_delete, scene), COPAL_OK);
  assert_int_equal(copal_route_observable(scene->endpoint, "/a", confirm_every), COPAL_OK);
}

/* confirm_every 0: all notifications are confirmable. */
static inline void observed_open(struct observed_scene *scene, copal_time confirm_every) {
  copal_config config = observed_config();
  observed_open_with(scene, &config, confirm_every);
}

/* Everything that observers cost is given back when they are gone; what is left is the memory of replies. */
static inline void observed_close(struct observed_scene *scene) {
  assert_out(scene->bare, "");
  copal_usage usage = copal_endpoint_usage(scene->endpoint);
  assert_int_equal(usage.observers, 0);
  assert_int_equal(usage.observed, 0);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
  assert_true(copal_endpoint_deadline(scene->endpoint) == COPAL_NEVER);
  bare_close(scene->bare);
}

/* Addresses count as verified from here on. */
static inline void observed_verify(struct observed_scene *scene) {
  struct peers *peers = &scene->endpoint->engine.peers;
  for (uint32_t i = 0; i < peers->slab.fresh; ++i) peers->records[i].flags |= PEER_VERIFIED;
}

/* --- What clients send ---------------------------------------------------------------------------- */

/* A CON GET /a with an Observe option, and what it is answered with: the only thing that goes out. */
static inline const struct bare_sent *observed_ask(struct observed_scene *scene, uint16_t port, uint16_t mid,
                                                   uint8_t token, uint8_t wish) {
  if (wish == 0)
    bare_in_from(scene->bare, port, "4101%04x%02x605161", mid, token);
  else
    bare_in_from(scene->bare, port, "4101%04x%02x61%02x5161", mid, token, wish);
  return bare_out_one(scene->bare);
}

static inline bool observed_has_number(const struct bare_sent *sent, uint32_t *number) {
  *number = copal_find_uint(&sent->view, COPAL_OPTION_OBSERVE, UINT32_MAX);
  return *number != UINT32_MAX;
}

/* Registers, and returns the number of the answer. */
static inline uint32_t observed_register(struct observed_scene *scene, uint16_t port, uint16_t mid, uint8_t token) {
  const struct bare_sent *sent = observed_ask(scene, port, mid, token, 0);
  uint32_t number;
  assert_int_equal(sent->view.type, COPAL_ACK);
  assert_true(observed_has_number(sent, &number));
  return number;
}

static inline void observed_deregister(struct observed_scene *scene, uint16_t port, uint16_t mid, uint8_t token) {
  uint32_t number;
  assert_false(observed_has_number(observed_ask(scene, port, mid, token, 1), &number));
}

static inline void observed_acknowledge(struct observed_scene *scene, const struct bare_sent *sent) {
  bare_in_from(scene->bare, sent->path.remote.port, "6000%04x", sent->view.message_id);
}

static inline void observed_reject(struct observed_scene *scene, const struct bare_sent *sent) {
  bare_in_from(scene->bare, sent->path.remote.port, "7000%04x", sent->view.message_id);
}

/* --- What they get ---------------------------------------------------------------------------------- */

/* RFC 7641 3.4: whether a number is newer than another one of the last 128 s. */
static inline bool observed_is_newer(uint32_t number, uint32_t than) {
  return (than < number && number - than < 1u << 23) || (than > number && than - number > 1u << 23);
}

/* A state of the resource, newer than `than`. Returns its number. */
static inline uint32_t observed_expect(const struct bare_sent *sent, copal_type type, uint8_t token,
                                       const char *payload, uint32_t than) {
  uint32_t number;
  assert_int_equal(sent->view.type, type);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_int_equal(sent->view.token.size, 1);
  assert_int_equal(sent->view.token.data[0], token);
  assert_int_equal(sent->view.payload.size, strlen(payload));
  assert_memory_equal(sent->view.payload.data, payload, strlen(payload));
  assert_true(observed_has_number(sent, &number));
  assert_true(observed_is_newer(number, than));
  return number;
}

/* The end of an observation. */
static inline void observed_expect_last(const struct bare_sent *sent, uint8_t token, uint8_t code) {
  uint32_t number;
  assert_int_equal(sent->view.type, COPAL_CON);
  assert_int_equal(sent->view.code, code);
  assert_int_equal(sent->view.token.size, 1);
  assert_int_equal(sent->view.token.data[0], token);
  assert_false(observed_has_number(sent, &number));
}

/* The resource changes. */
static inline size_t observed_change_to(struct observed_scene *scene, const char *payload) {
  scene->payload = payload;
  return copal_notify(scene->endpoint, "/a");
}

#endif
