/* Notifications: what observers are sent when a resource changes, when, and how it ends. RFC 7641 sections 4.2 to 4.5.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observed.h"

#define HOUR (3600 * COPAL_SECOND)

/* Lets time pass, a moment at a time, until something goes out; at most until then. */
static const struct bare_sent *wait_for_one(struct observed_scene *scene, copal_time until) {
  for (bare_out(scene->bare); scene->bare->sent_count == 0; bare_out(scene->bare)) {
    copal_time next = copal_endpoint_deadline(scene->endpoint);
    assert_true(next <= until);
    scene->bare->now = next > scene->bare->now ? next : scene->bare->now;
  }
  assert_int_equal(scene->bare->sent_count, 1);
  return &scene->bare->sent[0];
}

static void assert_silence(struct observed_scene *scene, copal_time span) {
  copal_time end = scene->bare->now + span;
  while (scene->bare->now < end) {
    assert_out(scene->bare, "");
    copal_time next = copal_endpoint_deadline(scene->endpoint);
    scene->bare->now = next > scene->bare->now && next < end ? next : end;
  }
  assert_out(scene->bare, "");
}

/* --- A new state ------------------------------------------------------------------------------------ */

/* OBS_01 */
static void confirmable_notifications_follow_each_other(void **state) {
  (void)state;
  static const char *const values[] = {"1", "2", "3", "4"};
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  for (int i = 0; i < 4; ++i) {
    scene.bare->now += 5 * COPAL_SECOND;
    assert_int_equal(observed_change_to(&scene, values[i]), 1);
    assert_true(copal_endpoint_deadline(scene.endpoint) == 0);
    const struct bare_sent *sent = bare_out_one(scene.bare);
    number = observed_expect(sent, COPAL_CON, 0x4a, values[i], number);
    assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_TEXT_PLAIN);
    observed_acknowledge(&scene, sent);
    assert_silence(&scene, COPAL_SECOND);
  }
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->notifications, 4);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* OBS_02 */
static void non_confirmable_notifications_follow_each_other(void **state) {
  (void)state;
  static const char *const values[] = {"1", "2", "3", "4"};
  struct observed_scene scene;
  observed_open(&scene, HOUR);
  bare_in(scene.bare, "510100014a605161");
  uint32_t number;
  assert_true(observed_has_number(bare_out_one(scene.bare), &number));
  observed_verify(&scene);
  for (int i = 0; i < 4; ++i) {
    scene.bare->now += 5 * COPAL_SECOND;
    observed_change_to(&scene, values[i]);
    number = observed_expect(bare_out_one(scene.bare), COPAL_NON, 0x4a, values[i], number);
  }
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* OBS_09 */
static void a_put_notifies_whoever_observes(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.payload = "new";
  bare_in_from(scene.bare, 1000, "41030002bbb161ff6e6577");
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  assert_int_equal(scene.bare->sent[0].view.code, COPAL_CHANGED);
  observed_expect(&scene.bare->sent[1], COPAL_CON, 0x4a, "new", number);
  observed_reject(&scene, &scene.bare->sent[1]);
  observed_close(&scene);
}

static void changes_before_an_output_are_one(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_change_to(&scene, "1");
  observed_change_to(&scene, "2");
  observed_change_to(&scene, "3");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "3", number);
  assert_int_equal(scene.notifications, 1);
  observed_reject(&scene, sent);
  observed_close(&scene);
}

/* One call of the handler for all who asked alike, whoever they are and whatever their tokens. */
static void a_variant_is_made_once_for_all(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  for (uint16_t i = 0; i < 100; ++i)
    bare_in_from(scene.bare, (uint16_t)(1000 + i), "4201%04xaa%02x605161%s", i, i, i % 2 != 0 ? "4178" : "");
  bare_out(scene.bare);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observed, 2);
  assert_int_equal(observed_change_to(&scene, "1"), 100);
  bare_out(scene.bare);
  assert_int_equal(scene.notifications, 2);
  assert_int_equal(scene.bare->sent_count, 100);
  bool told[100] = {false};
  for (size_t i = 0; i < 100; ++i) {
    const struct bare_sent *sent = &scene.bare->sent[i];
    uint16_t client = (uint16_t)(sent->path.remote.port - 1000);
    assert_int_equal(sent->view.token.data[1], client);
    assert_false(told[client]);
    told[client] = true;
  }
  for (size_t i = 0; i < 100; ++i) observed_reject(&scene, &scene.bare->sent[i]);
  observed_close(&scene);
}

/* What is one client's own makes no other variant; what says what is wanted does. */
static void variants_differ_by_what_is_asked_for(void **state) {
  (void)state;
  static const char *const alike[] = {"605161", "41ff205161", "605161d1ea08",
                                      "605161d2e4aabb"}; /* ETag, No-Response, Echo */
  static const char *const different[] = {"6051614178", "60516160", "3161305161"};
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint16_t client = 0;
  for (size_t i = 0; i < sizeof alike / sizeof *alike; ++i, ++client)
    bare_in_from(scene.bare, (uint16_t)(1000 + client), "4101%04x4a%s", client, alike[i]);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observed, 1);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 4);
  for (size_t i = 0; i < sizeof different / sizeof *different; ++i, ++client)
    bare_in_from(scene.bare, (uint16_t)(1000 + client), "4101%04x4a%s", client, different[i]);
  bare_in_from(scene.bare, 2000, "410500014a605161ff31");
  bare_in_from(scene.bare, 2001, "410500014a605161ff32");
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observed, 6);
  bare_out(scene.bare);
  assert_int_equal(observed_change_to(&scene, "1"), 9);
  bare_out(scene.bare);
  assert_int_equal(scene.notifications, 6);
  for (size_t i = 0; i < 9; ++i) observed_reject(&scene, &scene.bare->sent[i]);
  observed_close(&scene);
}

static void echo_payload(struct observed_scene *scene, copal_request *request) {
  static char payload[16];
  const copal_rx *rx = copal_request_rx(request);
  memcpy(payload, rx->message.payload.data, rx->message.payload.size);
  payload[rx->message.payload.size] = 0;
  scene->payload = payload;
}

static void a_fetch_is_made_anew_with_its_payload(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  scene.then = echo_payload;
  bare_in(scene.bare, "410500014a605161ff6b6579");
  uint32_t number = observed_expect(bare_out_one(scene.bare), COPAL_ACK, 0x4a, "key", UINT32_MAX);
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "key", number);
  observed_reject(&scene, sent);
  observed_close(&scene);
}

static void a_path_is_named_as_in_a_uri(void **state) {
  (void)state;
  static const char *const same[] = {"/a", "a", "/%61", "/b/../a", "/./a"};
  static const char *const other[] = {"", "/", "/A", "/a/", "/a/b", "/b", "/%zz"};
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  for (size_t i = 0; i < sizeof other / sizeof *other; ++i) assert_int_equal(copal_notify(scene.endpoint, other[i]), 0);
  assert_out(scene.bare, "");
  for (size_t i = 0; i < sizeof same / sizeof *same; ++i) assert_int_equal(copal_notify(scene.endpoint, same[i]), 1);
  observed_reject(&scene, bare_out_one(scene.bare));
  observed_close(&scene);
}

/* --- How it ends ------------------------------------------------------------------------------------- */

/* OBS_07. RFC 7641 4.2: "a non-2.xx notification MUST NOT include an Observe Option", and the server "MUST remove the
 * associated entry from the list of observers of the resource". */
static void a_deleted_resource_ends_its_observations(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, HOUR);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_verify(&scene);
  bare_in_from(scene.bare, 1000, "41040002bbb161");
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  observed_expect_last(&scene.bare->sent[1], 0x4a, COPAL_NOT_FOUND);
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 0);
  observed_acknowledge(&scene, &scene.bare->sent[1]);
  assert_int_equal(scene.notifications, 0);
  assert_silence(&scene, 100 * COPAL_SECOND);
  observed_close(&scene);
}

static void a_handler_that_fails_ends_the_observations(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, HOUR);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_verify(&scene);
  scene.code = COPAL_FORBIDDEN;
  observed_change_to(&scene, "go away");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect_last(sent, 0x4a, COPAL_FORBIDDEN);
  assert_int_equal(sent->view.payload.size, 7);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

/* OBS_08. RFC 7641 4.2: "If the server is unable to continue sending notifications in this format, it SHOULD send a
 * notification with a 4.06 (Not Acceptable) response code". And: "The Content-Format specified in a 2.xx
 * notification MUST be the same as the one used in the initial response to the GET request." */
static void another_content_format_ends_the_observations(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, HOUR);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_verify(&scene);
  scene.format = COPAL_JSON;
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect_last(sent, 0x4a, COPAL_NOT_ACCEPTABLE);
  observed_acknowledge(&scene, sent);
  assert_silence(&scene, 10 * COPAL_SECOND);
  observed_close(&scene);
}

/* Who was told 2.03 has not been told a format. */
static void a_first_answer_without_content_leaves_the_format_open(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  scene.code = COPAL_VALID;
  scene.format = COPAL_FORMAT_NONE;
  scene.payload = "";
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.code = COPAL_CONTENT;
  scene.format = COPAL_JSON;
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  observed_acknowledge(&scene, sent);
  scene.format = COPAL_CBOR;
  observed_change_to(&scene, "2");
  sent = bare_out_one(scene.bare);
  observed_expect_last(sent, 0x4a, COPAL_NOT_ACCEPTABLE);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

/* And what their first state was makes no difference to those who come later. */
static void who_is_told_2_03_later_joins_the_others(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  for (uint16_t i = 0; i < 3; ++i) {
    scene.code = COPAL_VALID;
    scene.format = COPAL_FORMAT_NONE;
    scene.payload = "";
    observed_register(&scene, (uint16_t)(1000 + i), 1, 0x4a);
    scene.code = COPAL_CONTENT;
    scene.format = COPAL_JSON;
    observed_change_to(&scene, "1");
    bare_out(scene.bare);
    assert_int_equal(scene.bare->sent_count, i + 1u);
    for (size_t k = 0; k <= i; ++k) observed_acknowledge(&scene, &scene.bare->sent[k]);
  }
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observed, 1);
  assert_int_equal(scene.notifications, 3);
  for (uint16_t i = 0; i < 3; ++i) observed_deregister(&scene, (uint16_t)(1000 + i), 2, 0x4a);
  observed_close(&scene);
}

static void a_notification_cannot_be_deferred(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.defers = true;
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(scene.defer_error, COPAL_ERR_NOTIFICATION);
  observed_expect_last(sent, 0x4a, COPAL_INTERNAL_SERVER_ERROR);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

static void the_last_notification_is_repeated_until_it_is_acknowledged(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND), 1);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND), 0);
  for (int i = 0; i < 5; ++i) observed_expect_last(wait_for_one(&scene, COPAL_NEVER - 1), 0x4a, COPAL_NOT_FOUND);
  assert_silence(&scene, 100 * COPAL_SECOND);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 1);
  observed_close(&scene);
}

static void observers_are_forgotten_without_a_word(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_register(&scene, 1000, 1, 0x4b);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_EMPTY), 2);
  assert_silence(&scene, 100 * COPAL_SECOND);
  assert_int_equal(observed_change_to(&scene, "1"), 0);
  observed_close(&scene);
}

static void a_notification_under_way_is_forgotten_with_its_observer(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_change_to(&scene, "1");
  bare_out_one(scene.bare);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_EMPTY), 1);
  assert_silence(&scene, 100 * COPAL_SECOND);
  observed_close(&scene);
}

static void where_nothing_is_limited_every_address_is_trusted(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.amplification_max = 0;
  observed_open_with(&scene, &config, 60 * COPAL_SECOND);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_change_to(&scene, "1");
  observed_expect(bare_out_one(scene.bare), COPAL_NON, 0x4a, "1", UINT32_MAX);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_EMPTY), 1);
  assert_silence(&scene, 10 * COPAL_SECOND);
  observed_close(&scene);
}

/* The resource is there again before the last notification has gone. */
static void who_registers_after_the_end_observes(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND);
  bare_in_from(scene.bare, 1000, "410100024b605161");
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  observed_expect_last(&scene.bare->sent[1], 0x4a, COPAL_NOT_FOUND);
  observed_acknowledge(&scene, &scene.bare->sent[1]);
  assert_int_equal(observed_change_to(&scene, "1"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4b, "1", UINT32_MAX);
  observed_reject(&scene, sent);
  observed_close(&scene);
}

/* --- Handlers ----------------------------------------------------------------------------------------- */

static void notify_itself(struct observed_scene *scene, copal_request *request) {
  assert_int_equal(copal_notify(copal_request_endpoint(request), "/a"),
                   copal_endpoint_usage(scene->endpoint).observers);
}

static void a_handler_that_notifies_itself_is_called_once(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.then = notify_itself;
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(scene.notifications, 1);
  observed_acknowledge(&scene, sent);
  assert_silence(&scene, 10 * COPAL_SECOND);
  assert_int_equal(scene.notifications, 1);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

static void end_itself(struct observed_scene *scene, copal_request *request) {
  (void)request;
  copal_notify_end(scene->endpoint, "/a", COPAL_SERVICE_UNAVAILABLE);
}

static void a_handler_may_end_its_own_observations(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  scene.then = end_itself;
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = wait_for_one(&scene, COPAL_NEVER - 1);
  observed_expect_last(sent, 0x4a, COPAL_SERVICE_UNAVAILABLE);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

static void notify_other(copal_request *request, void *context) {
  const char *const *other = context;
  copal_notify(copal_request_endpoint(request), *other);
  copal_reply_text(request, "x");
}

/* Each call of output has each of them make one state: neither it nor the clock stands still. */
static void handlers_that_notify_each_other_do_not_hold_an_output_up(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  for (int i = 0; i < 2; ++i) {
    static const char *paths[] = {"/x", "/y"};
    assert_int_equal(copal_route(scene.endpoint, COPAL_GET, paths[i], notify_other, &paths[1 - i]), COPAL_OK);
    assert_int_equal(copal_route_observable(scene.endpoint, paths[i], 0), COPAL_OK);
  }
  bare_in_from(scene.bare, 1000, "410100014a605178");
  bare_in_from(scene.bare, 1001, "410100014a605179");
  bare_out(scene.bare);
  for (int i = 0; i < 3; ++i) bare_out(scene.bare);
  bare_in_from(scene.bare, 1000, "410100024a61015178");
  bare_in_from(scene.bare, 1001, "410100024a61015179");
  bare_out(scene.bare);
  observed_close(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(confirmable_notifications_follow_each_other),
      cmocka_unit_test(non_confirmable_notifications_follow_each_other),
      cmocka_unit_test(a_put_notifies_whoever_observes),
      cmocka_unit_test(changes_before_an_output_are_one),
      cmocka_unit_test(a_variant_is_made_once_for_all),
      cmocka_unit_test(variants_differ_by_what_is_asked_for),
      cmocka_unit_test(a_fetch_is_made_anew_with_its_payload),
      cmocka_unit_test(a_path_is_named_as_in_a_uri),
      cmocka_unit_test(a_deleted_resource_ends_its_observations),
      cmocka_unit_test(a_handler_that_fails_ends_the_observations),
      cmocka_unit_test(another_content_format_ends_the_observations),
      cmocka_unit_test(a_first_answer_without_content_leaves_the_format_open),
      cmocka_unit_test(who_is_told_2_03_later_joins_the_others),
      cmocka_unit_test(a_notification_cannot_be_deferred),
      cmocka_unit_test(the_last_notification_is_repeated_until_it_is_acknowledged),
      cmocka_unit_test(observers_are_forgotten_without_a_word),
      cmocka_unit_test(a_notification_under_way_is_forgotten_with_its_observer),
      cmocka_unit_test(where_nothing_is_limited_every_address_is_trusted),
      cmocka_unit_test(who_registers_after_the_end_observes),
      cmocka_unit_test(a_handler_that_notifies_itself_is_called_once),
      cmocka_unit_test(a_handler_may_end_its_own_observations),
      cmocka_unit_test(handlers_that_notify_each_other_do_not_hold_an_output_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
