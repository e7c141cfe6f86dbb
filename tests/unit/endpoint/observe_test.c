/* Observers come and go: registration, deregistration, whose entry is whose, and tables that are full. RFC 7641
 * sections 2, 3.6 and 4.1, and the figures of its appendix A.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observed.h"

/* --- The appendix ---------------------------------------------------------------------------------- */

struct temperature {
  struct bare *bare;
  const char *value;
  bool tagged;
};

/* Every representation has a Max-Age of 15 s; 19.7 Cel has an ETag. */
static void temperature(copal_request *request, void *context) {
  const struct temperature *resource = context;
  copal_message *reply = copal_reply_message(request);
  if (resource->tagged) copal_message_add(reply, COPAL_OPTION_ETAG, "xyzzy", 5);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 15);
  copal_message_set_payload(reply, resource->value, strlen(resource->value));
}

static void open_temperature(struct temperature *resource) {
  copal_config config = observed_config();
  *resource = (struct temperature){.bare = bare_open(&config)};
  copal_endpoint *endpoint = resource->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/temperature", temperature, resource), COPAL_OK);
  assert_int_equal(copal_route_observable(endpoint, "/temperature", COPAL_SECOND * 3600), COPAL_OK);
}

static void change_temperature(struct temperature *resource, const char *value) {
  struct peers *peers = &resource->bare->endpoint->engine.peers;
  peers->records[0].flags |= PEER_VERIFIED;
  resource->value = value;
  resource->bare->now += 10 * COPAL_SECOND;
  assert_int_equal(copal_notify(resource->bare->endpoint, "/temperature"), 1);
}

/* What goes out, as hex, with x for the digits of the Observe option and, of a message of ours, of its message ID. */
static const char *out_masked(struct bare *bare, bool mask_mid) {
  const struct bare_sent *sent = bare_out_one(bare);
  copal_option option;
  assert_true(copal_find(&sent->view, COPAL_OPTION_OBSERVE, &option));
  assert_int_equal(option.size, 3);
  memset(bare->text + 2 * (size_t)(option.value - sent->bytes), 'x', 6);
  if (mask_mid) memset(bare->text + 4, 'x', 4);
  return bare->text;
}

static void the_appendix_figures_come_out_as_they_stand(void **state) {
  (void)state;
  struct temperature resource;
  open_temperature(&resource);
  struct bare *bare = resource.bare;
  /* Figure 3 */
  resource.value = "18.5 Cel";
  bare_in(bare, "410116334a605b74656d7065726174757265");
  assert_string_equal(out_masked(bare, false), "614516334a63xxxxxx810fff31382e352043656c");
  change_temperature(&resource, "19.2 Cel");
  assert_string_equal(out_masked(bare, true), "5145xxxx4a63xxxxxx810fff31392e322043656c");
  /* Figure 4: a notification is lost, and the client registers anew with another token. */
  change_temperature(&resource, "19.7 Cel");
  assert_string_equal(out_masked(bare, true), "5145xxxx4a63xxxxxx810fff31392e372043656c");
  resource.tagged = true;
  bare->now += 10 * COPAL_SECOND;
  bare_out(bare);
  bare_in(bare, "41011634b2605b74656d7065726174757265");
  assert_string_equal(out_masked(bare, false), "61451634b24578797a7a7923xxxxxx810fff31392e372043656c");
  /* Figure 5: after a crash, with yet another token, and the ETag of what it has stored. */
  resource.tagged = false;
  resource.value = "20.0 Cel";
  bare_in(bare, "41011635f94578797a7a79205b74656d7065726174757265");
  assert_string_equal(out_masked(bare, false), "61451635f963xxxxxx810fff32302e302043656c");
  bare_close(bare);
}

/* Figure 6, OBS_06: the client answers a notification with a Reset, and is left alone. */
static void a_reset_ends_the_observation(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 0x1635, 0xf9);
  assert_int_equal(observed_change_to(&scene, "19.3"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0xf9, "19.3", number);
  observed_reject(&scene, sent);
  assert_int_equal(observed_change_to(&scene, "19.0"), 0);
  assert_out(scene.bare, "");
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 0);
  observed_close(&scene);
}

/* --- Registration ------------------------------------------------------------------------------------ */

static void a_registration_is_answered_with_a_number(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  const struct bare_sent *sent = observed_ask(&scene, BARE_PORT, 1, 0x4a, 0);
  observed_expect(sent, COPAL_ACK, 0x4a, "0", UINT32_MAX);
  copal_usage usage = copal_endpoint_usage(scene.endpoint);
  assert_int_equal(usage.observed, 1);
  assert_int_equal(usage.observers, 1);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

static void a_registration_by_non_is_answered_by_non(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  bare_in(scene.bare, "510100014a605161");
  observed_expect(bare_out_one(scene.bare), COPAL_NON, 0x4a, "0", UINT32_MAX);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* RFC 7641 4.1: "The resulting response MUST NOT include an Observe Option, the absence of which signals to the client
 * that it will not be notified of changes to the resource". */
static void what_cannot_be_observed_is_answered_as_usual(void **state) {
  (void)state;
  static const char *const requests[] = {
      "410100014a605162",                 /* GET /b, not observable */
      "410100024a61025161",               /* Observe: 2 */
      "410100034a64000000005161",         /* Observe of 4 bytes */
      "410300044a605161",                 /* PUT /a */
      "490100054a4a4a4a4a4a4a4a4a605161", /* a token of 9 bytes */
      "410100064a605161c116",             /* Block2 1/0/1024 */
  };
  struct observed_scene scene;
  observed_open(&scene, 0);
  assert_int_equal(copal_route(scene.endpoint, COPAL_GET, "/b", observed_handler, &scene), COPAL_OK);
  for (size_t i = 0; i < sizeof requests / sizeof *requests; ++i) {
    uint32_t number;
    bare_in(scene.bare, "%s", requests[i]);
    const struct bare_sent *sent = bare_out_one(scene.bare);
    assert_false(observed_has_number(sent, &number));
  }
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 0);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_full, 0);
  observed_close(&scene);
}

static void an_error_is_not_observed(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  scene.code = COPAL_FORBIDDEN;
  uint32_t number;
  assert_false(observed_has_number(observed_ask(&scene, BARE_PORT, 1, 0x4a, 0), &number));
  observed_close(&scene);
}

static void a_group_is_not_observed(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  copal_path path = bare_group_path(BARE_PORT);
  bare_in_path(scene.bare, &path, "510100014a605161");
  scene.bare->now += 5 * COPAL_SECOND;
  uint32_t number;
  assert_false(observed_has_number(bare_out_one(scene.bare), &number));
  observed_close(&scene);
}

static void a_deferred_answer_is_not_observed(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.defers = true;
  bare_in(scene.bare, "410100024a605161");
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 0);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).deferred, 1);
  bare_close(scene.bare);
}

static void a_duplicate_registration_is_one(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  assert_int_equal(observed_register(&scene, BARE_PORT, 1, 0x4a), number);
  assert_int_equal(scene.calls, 1);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 1);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* RFC 7641 4.1: "If an entry with a matching endpoint/token pair is already present in the list …, the server MUST NOT
 * add a new entry but MUST replace or update the existing one." */
static void a_token_is_registered_once(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  number = observed_expect(observed_ask(&scene, BARE_PORT, 2, 0x4a, 0), COPAL_ACK, 0x4a, "0", number);
  assert_int_equal(observed_change_to(&scene, "1"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  number = observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  /* With a notification on its way: that is over, and nothing more comes of it. */
  uint16_t mid = sent->view.message_id;
  observed_register(&scene, BARE_PORT, 3, 0x4a);
  scene.bare->now += 10 * COPAL_SECOND;
  assert_out(scene.bare, "");
  bare_in(scene.bare, "7000%04x", mid);
  assert_int_equal(observed_change_to(&scene, "2"), 1);
  observed_acknowledge(&scene, bare_out_one(scene.bare));
  observed_deregister(&scene, BARE_PORT, 4, 0x4a);
  observed_close(&scene);
}

/* The same token, for another variant of the resource. */
static void a_registration_replaces_one_for_something_else(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  bare_in(scene.bare, "410100024a6051614178"); /* ?x */
  bare_out_one(scene.bare);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observed, 1);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 1);
  observed_deregister(&scene, BARE_PORT, 3, 0x4a);
  observed_close(&scene);
}

static void a_registration_that_fails_ends_the_earlier_one(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.code = COPAL_NOT_FOUND;
  bare_in(scene.bare, "410100024a605161");
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_NOT_FOUND);
  observed_close(&scene);
}

/* --- Deregistration ----------------------------------------------------------------------------------- */

/* OBS_12. RFC 7641 4.1: "the server MUST remove any existing entry with a matching endpoint/token pair from the list of
 * observers and process the GET request as usual. The resulting response MUST NOT include an Observe Option." */
static void a_deregistration_is_answered_and_followed_by_silence(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  uint32_t number;
  const struct bare_sent *sent = observed_ask(&scene, BARE_PORT, 2, 0x4a, 1);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_false(observed_has_number(sent, &number));
  assert_int_equal(observed_change_to(&scene, "1"), 0);
  assert_out(scene.bare, "");
  observed_close(&scene);
}

static void a_deregistration_ends_a_notification_under_way(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_change_to(&scene, "1");
  bare_out_one(scene.bare);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  scene.bare->now += 100 * COPAL_SECOND;
  assert_out(scene.bare, "");
  observed_close(&scene);
}

static void only_the_same_client_and_token_deregister(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_deregister(&scene, BARE_PORT, 2, 0x4b);
  observed_deregister(&scene, 1000, 3, 0x4a);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 1);
  observed_deregister(&scene, BARE_PORT, 4, 0x4a);
  observed_close(&scene);
}

/* OBS_10 */
static void a_plain_get_with_another_token_cancels_nothing(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  bare_in(scene.bare, "410100024bb161");
  bare_out_one(scene.bare);
  assert_int_equal(observed_change_to(&scene, "1"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  observed_reject(&scene, sent);
  observed_close(&scene);
}

/* --- Limits ------------------------------------------------------------------------------------------- */

/* Nobody is pinged: who may take whose place is in observe_verify_test.c. */
static void open_without_pings(struct observed_scene *scene, uint32_t peers_max) {
  copal_config config = observed_config();
  config.deferred_max = 0;
  config.peers_max = peers_max;
  observed_open_with(scene, &config, 0);
}

/* T53: 50,000 registrations; the first ones are still served. */
static void registrations_past_the_bound_are_answered_as_usual(void **state) {
  (void)state;
  struct observed_scene scene;
  open_without_pings(&scene, 256);
  for (uint32_t i = 0; i < 50000; ++i) {
    uint32_t number;
    const struct bare_sent *sent = observed_ask(&scene, (uint16_t)(i + 1), (uint16_t)i, 0x4a, 0);
    assert_int_equal(sent->view.code, COPAL_CONTENT);
    assert_int_equal(observed_has_number(sent, &number), i < 128);
  }
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_full, 50000 - 128);
  assert_int_equal(observed_change_to(&scene, "1"), 128);
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 128);
  assert_int_equal(scene.notifications, 1);
  for (size_t i = 0; i < 128; ++i) observed_reject(&scene, &scene.bare->sent[i]);
  observed_close(&scene);
}

/* T53: 100 tokens on one address. */
static void one_address_has_its_share(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  for (uint8_t token = 0; token < 100; ++token) {
    uint32_t number;
    assert_int_equal(observed_has_number(observed_ask(&scene, BARE_PORT, token, token, 0), &number), token < 8);
  }
  observed_register(&scene, 1000, 1, 0x4a);
  observed_deregister(&scene, 1000, 2, 0x4a);
  for (uint8_t token = 0; token < 8; ++token) observed_deregister(&scene, BARE_PORT, 1000 + token, token);
  observed_close(&scene);
}

static void variants_past_the_bound_are_answered_as_usual(void **state) {
  (void)state;
  struct observed_scene scene;
  open_without_pings(&scene, 256);
  for (unsigned i = 0; i < 20; ++i) {
    uint32_t number;
    bare_in_from(scene.bare, (uint16_t)(1000 + i), "4101%04x4a60516141%02x", i, i);
    assert_int_equal(observed_has_number(bare_out_one(scene.bare), &number), i < 16);
  }
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observed, 16);
  for (unsigned i = 0; i < 16; ++i) {
    bare_in_from(scene.bare, (uint16_t)(1000 + i), "4101%04x4a6101516141%02x", 100 + i, i);
    bare_out_one(scene.bare);
  }
  observed_close(&scene);
}

/* Observers hold the records of their peers: a quarter of these stays free, so strangers are answered. */
static void observers_leave_peers_to_others(void **state) {
  (void)state;
  struct observed_scene scene;
  open_without_pings(&scene, 8);
  uint32_t number;
  for (uint16_t port = 1; port <= 20; ++port)
    assert_int_equal(observed_has_number(observed_ask(&scene, port, port, 0x4a, 0), &number), port <= 6);
  for (uint16_t port = 1; port <= 6; ++port) observed_deregister(&scene, port, 100 + port, 0x4a);
  observed_register(&scene, 20, 200, 0x4a);
  observed_deregister(&scene, 20, 201, 0x4a);
  observed_close(&scene);
}

static void what_has_no_room_beside_the_option_is_observed_by_its_first_block(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.amplification_max = 0;
  observed_open_with(&scene, &config, 0);
  char payload[256];
  memset(payload, 'x', sizeof payload);
  for (size_t size = 240; size < 251; ++size) {
    uint32_t number;
    payload[size] = 0;
    scene.payload = payload;
    const struct bare_sent *sent = observed_ask(&scene, BARE_PORT, (uint16_t)size, 0x4a, 0);
    bool fits = 5 + 5 + 1 + 1 + size <= 256; /* header and token, Observe, Content-Format, marker: else a block of it */
    assert_int_equal(sent->view.payload.size, fits ? size : 128);
    assert_true(observed_has_number(sent, &number));
    assert_int_equal(copal_notify(scene.endpoint, "/a"), 1);
    sent = bare_out_one(scene.bare);
    assert_int_equal(sent->view.payload.size, fits ? size : 128);
    observed_reject(&scene, sent);
    payload[size] = 'x';
  }
  observed_close(&scene);
}

/* RFC 7959 2.6: "Observation relationships always apply to an entire resource; the Block2 Option does not provide a way
 * to observe a single block of a resource." Who asks for a later block with the options of the first one neither begins
 * an observation nor ends it. */
static void a_request_for_a_later_block_leaves_the_observation_alone(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.amplification_max = 0;
  observed_open_with(&scene, &config, 0);
  char payload[101];
  memset(payload, 'x', 100);
  payload[100] = 0;
  scene.payload = payload;
  uint32_t number;
  bare_in(scene.bare, "410100014a 60 5161 c102");
  assert_true(observed_has_number(bare_out_one(scene.bare), &number));
  bare_in(scene.bare, "410100024a 60 5161 c112");
  assert_false(observed_has_number(bare_out_one(scene.bare), &number));
  assert_int_equal(scene.bare->sent[0].view.payload.size, 36);
  assert_int_equal(observed_change_to(&scene, "1"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_true(observed_has_number(sent, &number));
  observed_reject(&scene, sent);
  observed_close(&scene);
}

static void without_tables_nothing_is_observed(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.observed_max = config.observers_max = config.peer_observers_max = 0;
  observed_open_with(&scene, &config, 0);
  uint32_t number;
  assert_false(observed_has_number(observed_ask(&scene, BARE_PORT, 1, 0x4a, 0), &number));
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 0);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND), 0);
  observed_close(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_appendix_figures_come_out_as_they_stand),
      cmocka_unit_test(a_reset_ends_the_observation),
      cmocka_unit_test(a_registration_is_answered_with_a_number),
      cmocka_unit_test(a_registration_by_non_is_answered_by_non),
      cmocka_unit_test(what_cannot_be_observed_is_answered_as_usual),
      cmocka_unit_test(an_error_is_not_observed),
      cmocka_unit_test(a_group_is_not_observed),
      cmocka_unit_test(a_deferred_answer_is_not_observed),
      cmocka_unit_test(a_duplicate_registration_is_one),
      cmocka_unit_test(a_token_is_registered_once),
      cmocka_unit_test(a_registration_replaces_one_for_something_else),
      cmocka_unit_test(a_registration_that_fails_ends_the_earlier_one),
      cmocka_unit_test(a_deregistration_is_answered_and_followed_by_silence),
      cmocka_unit_test(a_deregistration_ends_a_notification_under_way),
      cmocka_unit_test(only_the_same_client_and_token_deregister),
      cmocka_unit_test(a_plain_get_with_another_token_cancels_nothing),
      cmocka_unit_test(registrations_past_the_bound_are_answered_as_usual),
      cmocka_unit_test(one_address_has_its_share),
      cmocka_unit_test(variants_past_the_bound_are_answered_as_usual),
      cmocka_unit_test(observers_leave_peers_to_others),
      cmocka_unit_test(what_has_no_room_beside_the_option_is_observed_by_its_first_block),
      cmocka_unit_test(a_request_for_a_later_block_leaves_the_observation_alone),
      cmocka_unit_test(without_tables_nothing_is_observed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
