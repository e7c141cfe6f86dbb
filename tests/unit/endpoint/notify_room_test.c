/* Notifications when message IDs or memory are spent, and when what is to be made goes away meanwhile: nobody is told
 * twice, nobody is forgotten, and nothing stays behind. RFC 7641 sections 4.2 to 4.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observed.h"
#include "support/spent.h"

enum { OTHER_PORT = 7001 };

static void open_two(struct observed_scene *scene, copal_time confirm_every) {
  observed_open(scene, confirm_every);
  assert_int_equal(copal_route(scene->endpoint, COPAL_GET, "/b", observed_handler, scene), COPAL_OK);
  assert_int_equal(copal_route_observable(scene->endpoint, "/b", confirm_every), COPAL_OK);
}

/* A port registers at /b, or at /a with a query of its own. */
static uint32_t register_as(struct observed_scene *scene, uint16_t port, uint8_t token, const char *path) {
  bare_in_from(scene->bare, port, "4101%04x%02x60%s", port, token, path);
  uint32_t number;
  assert_true(observed_has_number(bare_out_one(scene->bare), &number));
  return number;
}

static void deregister_as(struct observed_scene *scene, uint16_t port, uint8_t token, const char *path) {
  bare_in_from(scene->bare, port, "4101%04x%02x6101%s", port + 1u, token, path);
  bare_out_one(scene->bare);
}

/* --- Message IDs -------------------------------------------------------------------------------------------- */

/* RFC 7641 4.5.2 has a newer state take the place of one that is retransmitted, with an ID of its own; without one the
 * old state goes once more, and the new one later. */
static void without_a_message_id_the_old_state_is_retransmitted(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  number = observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  uint16_t mid = sent->view.message_id;
  spend_message_ids(scene.endpoint, 0);
  observed_change_to(&scene, "2");
  assert_out(scene.bare, ""); /* it is made */
  assert_int_equal(scene.notifications, 2);
  scene.bare->now += 3 * COPAL_SECOND;
  sent = bare_out_one(scene.bare);
  assert_int_equal(sent->view.message_id, mid);
  assert_memory_equal(sent->view.payload.data, "1", 1);
  observed_acknowledge(&scene, sent);
  assert_out(scene.bare, "");
  scene.endpoint->engine.peers.records[0].next_mid = 1;
  scene.bare->now += COPAL_SECOND;
  sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "2", number);
  observed_acknowledge(&scene, sent);
  assert_int_equal(scene.notifications, 2);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* Whoever waits for a message ID gets the newest state when it has one, once, and so do the others. */
static void a_state_that_changes_while_somebody_waits_is_told_once(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t first = register_as(&scene, BARE_PORT, 0x4a, "5161 4178"); /* /a?x */
  uint32_t second = register_as(&scene, OTHER_PORT, 0x4b, "5161 4179");
  observed_verify(&scene);
  spend_message_ids(scene.endpoint, 0);
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(sent->path.remote.port, OTHER_PORT);
  second = observed_expect(sent, COPAL_CON, 0x4b, "1", second);
  observed_acknowledge(&scene, sent);
  assert_out(scene.bare, "");
  scene.endpoint->engine.peers.records[0].next_mid = 1;
  scene.bare->now += COPAL_SECOND; /* it would be tried again by now */
  observed_change_to(&scene, "2");
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  for (size_t i = 0; i < 2; ++i) {
    sent = &scene.bare->sent[i];
    bool is_first = sent->path.remote.port == BARE_PORT;
    observed_expect(sent, COPAL_CON, is_first ? 0x4a : 0x4b, "2", is_first ? first : second);
    observed_acknowledge(&scene, sent);
  }
  assert_out(scene.bare, "");
  deregister_as(&scene, BARE_PORT, 0x4a, "5161 4178");
  deregister_as(&scene, OTHER_PORT, 0x4b, "5161 4179");
  observed_close(&scene);
}

/* The deadline is that of whichever comes first. */
static void a_confirmation_is_not_late_because_somebody_waits(void **state) {
  (void)state;
  struct observed_scene scene;
  open_two(&scene, 60 * COPAL_SECOND);
  register_as(&scene, BARE_PORT, 0x4a, "5161");
  uint32_t number = register_as(&scene, OTHER_PORT, 0x4b, "5162");
  observed_verify(&scene);
  assert_int_equal(copal_notify(scene.endpoint, "/b"), 1);
  number = observed_expect(bare_out_one(scene.bare), COPAL_NON, 0x4b, "0", number);
  scene.bare->now += 4 * COPAL_SECOND;
  assert_out(scene.bare, ""); /* its three seconds are over */
  copal_time confirms = copal_endpoint_deadline(scene.endpoint);
  assert_true(confirms > scene.bare->now + 50 * COPAL_SECOND && confirms != COPAL_NEVER);
  spend_message_ids(scene.endpoint, 0);
  scene.bare->now = confirms - 50 * COPAL_MILLISECOND;
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 1);
  assert_out(scene.bare, "");
  assert_true(copal_endpoint_deadline(scene.endpoint) == confirms);
  scene.bare->now = confirms;
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4b, "0", number);
  observed_acknowledge(&scene, sent);
  deregister_as(&scene, BARE_PORT, 0x4a, "5161");
  deregister_as(&scene, OTHER_PORT, 0x4b, "5162");
  assert_out(scene.bare, "");
  scene.bare->now += COPAL_SECOND; /* when it would have been tried again */
  observed_close(&scene);
}

/* --- Memory -------------------------------------------------------------------------------------------------- */

/* RFC 7641 4.4: "The sequence number selected for a notification MUST be greater than that of any preceding
 * notification". */
static void a_confirmation_waits_for_memory_and_has_a_new_number(void **state) {
  (void)state;
  struct observed_scene scene;
  struct spent spent;
  observed_open(&scene, 60 * COPAL_SECOND);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  observed_verify(&scene);
  observed_change_to(&scene, "1");
  number = observed_expect(bare_out_one(scene.bare), COPAL_NON, 0x4a, "1", number);
  scene.bare->now += 10 * COPAL_SECOND;
  assert_out(scene.bare, "");
  spend_store(&spent, &scene.endpoint->engine.exchanges.store);
  scene.bare->now += 60 * COPAL_SECOND;
  assert_out(scene.bare, "");
  assert_true(copal_endpoint_deadline(scene.endpoint) > scene.bare->now);
  give_all_back(&spent);
  scene.bare->now += COPAL_SECOND;
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  observed_acknowledge(&scene, sent);
  assert_int_equal(scene.notifications, 1);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* Notifications leave a quarter of the memory for messages to others. */
static void observers_take_turns_when_memory_is_little(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.messages_size = 2048;
  observed_open_with(&scene, &config, 0);
  for (uint16_t i = 0; i < 30; ++i) observed_register(&scene, (uint16_t)(1000 + i), i, 0x4a);
  char payload[101];
  memset(payload, 'x', 100);
  payload[100] = 0;
  observed_change_to(&scene, payload);
  int told = 0;
  for (int rounds = 0; told < 30; ++rounds) {
    assert_in_range(rounds, 0, 10);
    bare_out(scene.bare);
    assert_in_range(scene.bare->sent_count, 1, 12);
    assert_true(copal_endpoint_usage(scene.endpoint).messages_size <= 1536);
    for (size_t i = 0; i < scene.bare->sent_count; ++i, ++told) observed_acknowledge(&scene, &scene.bare->sent[i]);
  }
  assert_int_equal(scene.notifications, 1);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->notifications, 30);
  for (uint16_t i = 0; i < 30; ++i) observed_deregister(&scene, (uint16_t)(1000 + i), (uint16_t)(1000 + i), 0x4a);
  observed_close(&scene);
}

/* An error ends the observations anyway: of one that may not be kept, its code is told. */
static void an_error_that_outgrows_the_store_is_told_by_its_code(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.messages_size = 512;
  observed_open_with(&scene, &config, 0);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  char payload[201];
  memset(payload, 'x', 200);
  payload[200] = 0;
  scene.code = COPAL_FORBIDDEN;
  observed_change_to(&scene, payload);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect_last(sent, 0x4a, COPAL_FORBIDDEN);
  assert_int_equal(sent->view.payload.size, 0);
  observed_acknowledge(&scene, sent);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_full, 1);
  observed_close(&scene);
}

/* Of two pages the request has one and its last state the other: the notification itself goes where the request was. */
static void a_last_state_goes_though_the_store_has_no_more_than_two_pages(void **state) {
  (void)state;
  enum { QUERY_SIZE = 80, STATE_SIZE = 26 };
  struct observed_scene scene;
  copal_config config = observed_config();
  config.messages_size = 512;
  observed_open_with(&scene, &config, 0);
  char target[32 + 2 * QUERY_SIZE + 1] = "5161 4d43", payload[STATE_SIZE + 1] = "";
  for (int i = 0; i < QUERY_SIZE; ++i) strcat(target, "78");
  for (int i = 0; i < STATE_SIZE; ++i) strcat(payload, "x");
  register_as(&scene, BARE_PORT, 0x4a, target);
  scene.code = COPAL_FORBIDDEN;
  observed_change_to(&scene, payload);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect_last(sent, 0x4a, COPAL_FORBIDDEN);
  assert_int_equal(sent->view.payload.size, STATE_SIZE);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

/* --- What is made -------------------------------------------------------------------------------------------- */

static void confirm_it(struct observed_scene *scene, copal_request *request) {
  if (copal_request_is_notification(request)) scene->code = COPAL_VALID;
}

/* RFC 7641 4.2: a notification is "2.05 (Content) or 2.03 (Valid)", which has no Content-Format to be the same. */
static void a_notification_may_say_that_what_is_known_is_valid(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a), later;
  scene.then = confirm_it;
  scene.format = COPAL_FORMAT_NONE;
  observed_change_to(&scene, "");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(sent->view.code, COPAL_VALID);
  assert_true(observed_has_number(sent, &later) && observed_is_newer(later, number));
  observed_acknowledge(&scene, sent);
  scene.then = NULL;
  scene.code = COPAL_CONTENT;
  scene.format = COPAL_TEXT_PLAIN;
  observed_change_to(&scene, "1");
  sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "1", later);
  observed_acknowledge(&scene, sent);
  observed_deregister(&scene, BARE_PORT, 2, 0x4a);
  observed_close(&scene);
}

/* The last observer of /a is given up in the very output in which its new state was to be made, and in which somebody
 * of /b is owed a confirmation. */
static void what_was_to_be_made_may_have_nobody_left(void **state) {
  (void)state;
  struct observed_scene scene;
  open_two(&scene, 200 * COPAL_SECOND);
  register_as(&scene, OTHER_PORT, 0x4b, "5162");
  observed_verify(&scene);
  assert_int_equal(copal_notify(scene.endpoint, "/b"), 1);
  assert_int_equal(bare_out_one(scene.bare)->view.type, COPAL_NON);
  register_as(&scene, BARE_PORT, 0x4a, "5161"); /* not verified: confirmable */
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 1);
  for (int transmissions = 0; transmissions < 5;) { /* then its last wait is on */
    copal_time next = copal_endpoint_deadline(scene.endpoint);
    if (next > scene.bare->now) scene.bare->now = next;
    bare_out(scene.bare);
    transmissions += (int)scene.bare->sent_count;
  }
  int made = scene.notifications;
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 1);
  scene.bare->now += 200 * COPAL_SECOND;
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(sent->path.remote.port, OTHER_PORT);
  assert_int_equal(sent->view.type, COPAL_CON);
  observed_acknowledge(&scene, sent);
  assert_int_equal(scene.notifications, made);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 1);
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 0);
  deregister_as(&scene, OTHER_PORT, 0x4b, "5162");
  observed_close(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_message_id_the_old_state_is_retransmitted),
      cmocka_unit_test(a_state_that_changes_while_somebody_waits_is_told_once),
      cmocka_unit_test(a_confirmation_is_not_late_because_somebody_waits),
      cmocka_unit_test(a_confirmation_waits_for_memory_and_has_a_new_number),
      cmocka_unit_test(observers_take_turns_when_memory_is_little),
      cmocka_unit_test(an_error_that_outgrows_the_store_is_told_by_its_code),
      cmocka_unit_test(a_last_state_goes_though_the_store_has_no_more_than_two_pages),
      cmocka_unit_test(a_notification_may_say_that_what_is_known_is_valid),
      cmocka_unit_test(what_was_to_be_made_may_have_nobody_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
