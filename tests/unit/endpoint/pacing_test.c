/* How fast observers are told: one notification at a time, confirmable among others, the newest state in place of an
 * older one, and what happens when there is no room. RFC 7641 sections 4.4 and 4.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observed.h"

#define HOUR (3600 * COPAL_SECOND)

/* A single observer whose address is verified. */
static uint32_t open_one(struct observed_scene *scene, copal_time confirm_every) {
  observed_open(scene, confirm_every);
  uint32_t number = observed_register(scene, BARE_PORT, 1, 0x4a);
  observed_verify(scene);
  return number;
}

static void close_one(struct observed_scene *scene) {
  observed_deregister(scene, BARE_PORT, 0x7fff, 0x4a);
  observed_close(scene);
}

/* Goes to the next moment at which something is due. */
static void skip_to_deadline(struct observed_scene *scene) {
  copal_time next = copal_endpoint_deadline(scene->endpoint);
  assert_true(next != COPAL_NEVER);
  if (next > scene->bare->now) scene->bare->now = next;
}

/* The next datagram to go out, alone, and when it did. */
static const struct bare_sent *next_one(struct observed_scene *scene) {
  for (bare_out(scene->bare); scene->bare->sent_count == 0; bare_out(scene->bare)) skip_to_deadline(scene);
  assert_int_equal(scene->bare->sent_count, 1);
  return &scene->bare->sent[0];
}

/* --- Confirmable -------------------------------------------------------------------------------------- */

/* OBS_05, T54. RFC 7641 4.5: "if the last attempt to retransmit a confirmable notification times out, then the client
 * is considered no longer interested and the server MUST remove the associated entry from the list of observers." */
static void an_observer_that_never_acknowledges_is_dropped(void **state) {
  (void)state;
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 0);
  observed_change_to(&scene, "1");
  copal_time began = scene.bare->now;
  for (int i = 0; i < 5; ++i) observed_expect(next_one(&scene), COPAL_CON, 0x4a, "1", number);
  assert_out(scene.bare, "");
  skip_to_deadline(&scene);
  assert_out(scene.bare, "");
  assert_true(scene.bare->now - began <= 93 * COPAL_SECOND); /* MAX_TRANSMIT_WAIT */
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 1);
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 0);
  observed_close(&scene);
}

/* T54 */
static void an_unreachable_observer_is_dropped(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, 0);
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  copal_path path = bare_path(BARE_PORT);
  copal_endpoint_unreachable(scene.endpoint, scene.bare->now, &path, sent->bytes, sent->size);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 1);
  observed_close(&scene);
}

/* OBS_11. RFC 7641 4.5.1: "servers MUST strictly limit the number of simultaneous outstanding notifications/responses
 * that they transmit to a given client to NSTART". */
static void a_state_waits_for_the_acknowledgement_of_the_last_one(void **state) {
  (void)state;
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 0);
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  number = observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  uint16_t mid = sent->view.message_id;
  observed_change_to(&scene, "2");
  assert_out(scene.bare, "");
  observed_change_to(&scene, "3");
  assert_out(scene.bare, "");
  bare_in(scene.bare, "6000%04x", mid);
  sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "3", number);
  observed_acknowledge(&scene, sent);
  assert_out(scene.bare, "");
  close_one(&scene);
}

/* RFC 7641 4.5.2: "The new notification is transmitted with a new Message ID and the following transmission
 * parameters: if the previous (re)transmission attempt timed out, retain its transmission parameters, increment the
 * retransmission counter, and double the timeout". RFC 7641 4.4: "if a notification is retransmitted, the server
 * MUST update the value of the option to the sequence number that is current at that time before retransmission." */
static void a_newer_state_takes_the_place_of_what_is_retransmitted(void **state) {
  (void)state;
  static const char *const values[] = {"1", "2", "2", "3", "3"};
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 0), last = number;
  copal_time at[5];
  uint16_t mids[5];
  observed_change_to(&scene, "1");
  for (int i = 0; i < 5; ++i) {
    const struct bare_sent *sent = next_one(&scene);
    number = observed_expect(sent, COPAL_CON, 0x4a, values[i], last);
    bool is_new = i == 0 || strcmp(values[i], values[i - 1]) != 0;
    at[i] = scene.bare->now;
    mids[i] = sent->view.message_id;
    if (i > 0) assert_int_equal(mids[i] != mids[i - 1], is_new);
    if (i < 4 && strcmp(values[i], values[i + 1]) != 0) {
      last = number;
      observed_change_to(&scene, values[i + 1]);
      assert_out(scene.bare, "");
    }
  }
  for (int i = 2; i < 5; ++i) assert_true(at[i] - at[i - 1] == 2 * (at[i - 1] - at[i - 2]));
  /* An acknowledgement of what was superseded is none of this one. */
  bare_in(scene.bare, "6000%04x", mids[0]);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).observers, 1);
  assert_int_equal(copal_endpoint_usage(scene.endpoint).exchanges, 1);
  bare_in(scene.bare, "6000%04x", mids[4]);
  assert_out(scene.bare, "");
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->notifications, 3);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->retransmissions, 4);
  close_one(&scene);
}

static void the_end_takes_the_place_of_what_is_retransmitted(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, 0);
  observed_change_to(&scene, "1");
  bare_out_one(scene.bare);
  assert_int_equal(copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND), 1);
  assert_out(scene.bare, "");
  const struct bare_sent *sent = next_one(&scene);
  observed_expect_last(sent, 0x4a, COPAL_NOT_FOUND);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

/* Two observations of one client have one turn between them. What waited is the newest state when its turn comes. */
static void a_notification_that_waited_for_its_turn_is_up_to_date(void **state) {
  (void)state;
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 0);
  observed_register(&scene, BARE_PORT, 2, 0x4b);
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  uint16_t mid = sent->view.message_id;
  observed_change_to(&scene, "2");
  assert_out(scene.bare, "");
  bare_in(scene.bare, "6000%04x", mid);
  sent = bare_out_one(scene.bare);
  number = observed_expect(sent, COPAL_CON, 0x4b, "2", number);
  observed_acknowledge(&scene, sent);
  sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "2", number - 1);
  observed_acknowledge(&scene, sent);
  assert_out(scene.bare, "");
  observed_deregister(&scene, BARE_PORT, 3, 0x4b);
  close_one(&scene);
}

static void one_that_waits_for_its_turn_can_be_deregistered(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, 0);
  observed_register(&scene, BARE_PORT, 2, 0x4b);
  observed_change_to(&scene, "1");
  bare_out_one(scene.bare);
  observed_deregister(&scene, BARE_PORT, 3, 0x4b);
  close_one(&scene);
}

/* --- Non-confirmable ---------------------------------------------------------------------------------- */

/* RFC 7641 7: "any notifications sent in non-confirmable messages MUST be interspersed with confirmable messages"; who
 * has not shown that the address is his gets no others. */
static void an_unverified_address_gets_a_confirmable_one_first(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, HOUR);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  for (int i = 0; i < 3; ++i) {
    observed_change_to(&scene, "1");
    const struct bare_sent *sent = bare_out_one(scene.bare);
    number = observed_expect(sent, i == 0 ? COPAL_CON : COPAL_NON, 0x4a, "1", number);
    if (i == 0) observed_acknowledge(&scene, sent);
    scene.bare->now += 4 * COPAL_SECOND;
  }
  close_one(&scene);
}

/* RFC 7641 4.5.1: a server "SHOULD NOT send more than one non-confirmable notification every 3 seconds". */
static void non_confirmable_ones_are_three_seconds_apart(void **state) {
  (void)state;
  static const char *const values[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  struct observed_scene scene;
  uint32_t number = open_one(&scene, HOUR);
  copal_time last = 0;
  int sent_count = 0;
  for (int i = 0; i < 100; ++i, scene.bare->now += 100 * COPAL_MILLISECOND) {
    observed_change_to(&scene, values[i % 10]);
    bare_out(scene.bare);
    if (scene.bare->sent_count == 0) continue;
    number = observed_expect(&scene.bare->sent[0], COPAL_NON, 0x4a, values[i % 10], number);
    if (last > 0) assert_true(scene.bare->now - last == 3 * COPAL_SECOND);
    last = scene.bare->now;
    ++sent_count;
  }
  assert_int_equal(sent_count, 4);
  /* The last state comes, too. */
  observed_expect(next_one(&scene), COPAL_NON, 0x4a, "9", number);
  assert_true(scene.bare->now - last == 3 * COPAL_SECOND);
  close_one(&scene);
}

/* The same for all observations of one client. */
static void one_client_gets_one_in_three_seconds(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, HOUR);
  observed_register(&scene, BARE_PORT, 2, 0x4b);
  observed_change_to(&scene, "1");
  copal_time at = scene.bare->now;
  uint8_t first = bare_out_one(scene.bare)->view.token.data[0];
  const struct bare_sent *sent = next_one(&scene);
  assert_true(scene.bare->now - at == 3 * COPAL_SECOND);
  assert_int_equal(sent->view.type, COPAL_NON);
  assert_int_equal(sent->view.token.data[0], first ^ 1);
  observed_deregister(&scene, BARE_PORT, 3, 0x4b);
  close_one(&scene);
}

/* RFC 7641 4.5: "If a client rejects a confirmable or non-confirmable notification with a Reset message …". OBS_06 */
static void a_reset_to_a_non_confirmable_one_ends_the_observation(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, HOUR);
  observed_change_to(&scene, "1");
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(sent->view.type, COPAL_NON);
  scene.bare->now += 2 * COPAL_SECOND;
  observed_reject(&scene, sent);
  assert_int_equal(copal_notify(scene.endpoint, "/a"), 0);
  observed_close(&scene);
}

/* An acknowledgement that nobody asked for is none. */
static void an_acknowledgement_of_a_non_confirmable_one_is_ignored(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, HOUR);
  observed_change_to(&scene, "1");
  observed_acknowledge(&scene, bare_out_one(scene.bare));
  assert_int_equal(copal_endpoint_usage(scene.endpoint).exchanges, 1);
  close_one(&scene);
}

static void the_end_is_confirmable_and_keeps_its_distance(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, HOUR);
  observed_change_to(&scene, "1");
  copal_time at = scene.bare->now;
  assert_int_equal(bare_out_one(scene.bare)->view.type, COPAL_NON);
  copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND);
  const struct bare_sent *sent = next_one(&scene);
  observed_expect_last(sent, 0x4a, COPAL_NOT_FOUND);
  assert_true(scene.bare->now - at == 3 * COPAL_SECOND);
  observed_acknowledge(&scene, sent);
  observed_close(&scene);
}

/* A non-confirmable one that waits for its turn goes as it is; the end follows it. */
static void the_end_follows_what_waits_for_its_turn(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, HOUR);
  observed_register(&scene, BARE_PORT, 2, 0x4b);
  observed_change_to(&scene, "1");
  bare_out_one(scene.bare);
  copal_notify_end(scene.endpoint, "/a", COPAL_NOT_FOUND);
  int ends = 0;
  for (int i = 0; i < 3; ++i) {
    const struct bare_sent *sent = next_one(&scene);
    if (sent->view.code == COPAL_CONTENT) continue;
    observed_expect_last(sent, sent->view.token.data[0], COPAL_NOT_FOUND);
    observed_acknowledge(&scene, sent);
    ++ends;
  }
  assert_int_equal(ends, 2);
  observed_close(&scene);
}

/* T54. RFC 7641 4.5: "A server that transmits notifications mostly in non-confirmable messages MUST send a notification
 * in a confirmable message instead of a non-confirmable message at least every 24 hours." */
static void a_confirmable_one_comes_in_24_hours(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, 1000 * HOUR);
  copal_time confirmed = scene.bare->now;
  int cons = 0;
  for (int i = 0; i < 500; ++i) {
    scene.bare->now += 10 * 60 * COPAL_SECOND;
    observed_change_to(&scene, i % 2 != 0 ? "1" : "0");
    const struct bare_sent *sent = bare_out_one(scene.bare);
    assert_true(scene.bare->now - confirmed <= 24 * HOUR);
    if (sent->view.type == COPAL_NON) continue;
    assert_true(scene.bare->now - confirmed >= 23 * HOUR);
    confirmed = scene.bare->now;
    ++cons;
    observed_acknowledge(&scene, sent);
  }
  assert_int_equal(cons, 3);
  close_one(&scene);
}

/* RFC 7641 4.5: "above all, the server MUST ensure that a client in the list of observers of a resource eventually
 * observes the latest state if the resource does not undergo a new change in state." */
static void the_last_state_is_confirmed_in_time(void **state) {
  (void)state;
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 60 * COPAL_SECOND);
  copal_time began = scene.bare->now;
  scene.bare->now += 10 * COPAL_SECOND;
  observed_change_to(&scene, "1");
  number = observed_expect(bare_out_one(scene.bare), COPAL_NON, 0x4a, "1", number);
  const struct bare_sent *sent = next_one(&scene);
  observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  assert_true(scene.bare->now - began >= 59 * COPAL_SECOND && scene.bare->now - began <= 61 * COPAL_SECOND);
  assert_int_equal(scene.notifications, 1);
  observed_acknowledge(&scene, sent);
  assert_out(scene.bare, "");
  assert_true(copal_endpoint_deadline(scene.endpoint) == COPAL_NEVER);
  close_one(&scene);
}

/* The timer was set for a minute, while the address was not verified. */
static void an_address_that_is_verified_meanwhile_confirms_as_others_do(void **state) {
  (void)state;
  struct observed_scene scene;
  observed_open(&scene, HOUR);
  observed_register(&scene, BARE_PORT, 1, 0x4a);
  for (int i = 0; i < 2; ++i) {
    observed_change_to(&scene, "1");
    observed_acknowledge(&scene, bare_out_one(scene.bare));
  }
  copal_time began = scene.bare->now;
  observed_verify(&scene);
  const struct bare_sent *sent = next_one(&scene);
  assert_int_equal(sent->view.type, COPAL_CON);
  assert_in_range((scene.bare->now - began) / COPAL_SECOND, 3599, 3601);
  observed_acknowledge(&scene, sent);
  close_one(&scene);
}

static void an_observer_that_went_away_is_found_out(void **state) {
  (void)state;
  struct observed_scene scene;
  open_one(&scene, 60 * COPAL_SECOND);
  observed_change_to(&scene, "1");
  assert_int_equal(bare_out_one(scene.bare)->view.type, COPAL_NON);
  for (int i = 0; i < 5; ++i) assert_int_equal(next_one(&scene)->view.type, COPAL_CON);
  skip_to_deadline(&scene);
  assert_out(scene.bare, "");
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 1);
  observed_close(&scene);
}

/* --- Full tables --------------------------------------------------------------------------------------- */

static void register_many(struct observed_scene *scene, uint16_t count) {
  for (uint16_t i = 0; i < count; ++i) observed_register(scene, (uint16_t)(1000 + i), i, 0x4a);
}

/* With room for few exchanges the others wait, and a quarter stays free for other purposes. */
static void observers_take_turns_when_exchanges_are_few(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.exchanges_max = 8;
  observed_open_with(&scene, &config, 0);
  register_many(&scene, 100);
  observed_change_to(&scene, "1");
  int told = 0;
  while (told < 100) {
    bare_out(scene.bare);
    assert_in_range(scene.bare->sent_count, 1, 6);
    assert_true(copal_endpoint_deadline(scene.endpoint) > scene.bare->now);
    for (size_t i = 0; i < scene.bare->sent_count; ++i, ++told) observed_acknowledge(&scene, &scene.bare->sent[i]);
    if (told < 100) assert_true(copal_endpoint_deadline(scene.endpoint) == 0);
  }
  assert_int_equal(scene.notifications, 1);
  for (uint16_t i = 0; i < 100; ++i) observed_deregister(&scene, (uint16_t)(1000 + i), (uint16_t)(1000 + i), 0x4a);
  observed_close(&scene);
}

/* Nobody answers: time makes room. */
static void the_dead_do_not_keep_the_others_waiting_for_ever(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.exchanges_max = 8;
  observed_open_with(&scene, &config, 0);
  register_many(&scene, 20);
  observed_change_to(&scene, "1");
  for (int i = 0; i < 10000 && copal_endpoint_usage(scene.endpoint).observers > 0; ++i) {
    skip_to_deadline(&scene);
    bare_out(scene.bare);
  }
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_gone, 20);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->notifications, 20);
  observed_close(&scene);
}

/* Without memory for messages a state is made again later. */
static void what_finds_no_memory_comes_later(void **state) {
  (void)state;
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 0);
  struct store *store = &scene.endpoint->engine.exchanges.store;
  uint32_t slots[4096];
  size_t count = 0;
  while ((slots[count] = store_take(store, 32)) != INDEX_NONE) ++count;
  observed_change_to(&scene, "1");
  assert_out(scene.bare, "");
  copal_time next = copal_endpoint_deadline(scene.endpoint);
  assert_true(next > scene.bare->now && next <= scene.bare->now + COPAL_SECOND);
  while (count > 0) store_give(store, slots[--count]);
  skip_to_deadline(&scene);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, "1", number);
  observed_acknowledge(&scene, sent);
  close_one(&scene);
}

/* Observed resources keep half of the store at most; with the least store that there is, they are told of. */
static void a_state_that_outgrows_the_store_ends_its_observations(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.messages_size = 512;
  observed_open_with(&scene, &config, 0);
  uint32_t number = observed_register(&scene, BARE_PORT, 1, 0x4a);
  char payload[201];
  memset(payload, 'x', sizeof payload);
  payload[100] = 0;
  observed_change_to(&scene, payload);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x4a, payload, number);
  observed_acknowledge(&scene, sent);
  payload[100] = 'x';
  payload[200] = 0;
  observed_change_to(&scene, payload);
  sent = bare_out_one(scene.bare);
  observed_expect_last(sent, 0x4a, COPAL_SERVICE_UNAVAILABLE);
  observed_acknowledge(&scene, sent);
  assert_int_equal(copal_endpoint_counters(scene.endpoint)->observers_full, 1);
  observed_close(&scene);
}

/* A thousand changes a second and a client that acknowledges each: when the message IDs of EXCHANGE_LIFETIME are spent,
 * it waits, and gets the newest state then. */
static void a_client_whose_message_ids_are_spent_waits(void **state) {
  (void)state;
  struct observed_scene scene;
  uint32_t number = open_one(&scene, 0);
  uint32_t told = 0;
  for (;; ++told, scene.bare->now += COPAL_MILLISECOND) {
    assert_in_range(told, 0, 61440);
    observed_change_to(&scene, "1");
    bare_out(scene.bare);
    if (scene.bare->sent_count == 0) break;
    number = observed_expect(&scene.bare->sent[0], COPAL_CON, 0x4a, "1", number);
    observed_acknowledge(&scene, &scene.bare->sent[0]);
  }
  assert_in_range(told, 30000, 61440);
  observed_change_to(&scene, "2");
  const struct bare_sent *sent = next_one(&scene);
  observed_expect(sent, COPAL_CON, 0x4a, "2", number);
  observed_acknowledge(&scene, sent);
  close_one(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_observer_that_never_acknowledges_is_dropped),
      cmocka_unit_test(an_unreachable_observer_is_dropped),
      cmocka_unit_test(a_state_waits_for_the_acknowledgement_of_the_last_one),
      cmocka_unit_test(a_newer_state_takes_the_place_of_what_is_retransmitted),
      cmocka_unit_test(the_end_takes_the_place_of_what_is_retransmitted),
      cmocka_unit_test(a_notification_that_waited_for_its_turn_is_up_to_date),
      cmocka_unit_test(one_that_waits_for_its_turn_can_be_deregistered),
      cmocka_unit_test(an_unverified_address_gets_a_confirmable_one_first),
      cmocka_unit_test(non_confirmable_ones_are_three_seconds_apart),
      cmocka_unit_test(one_client_gets_one_in_three_seconds),
      cmocka_unit_test(a_reset_to_a_non_confirmable_one_ends_the_observation),
      cmocka_unit_test(an_acknowledgement_of_a_non_confirmable_one_is_ignored),
      cmocka_unit_test(the_end_is_confirmable_and_keeps_its_distance),
      cmocka_unit_test(the_end_follows_what_waits_for_its_turn),
      cmocka_unit_test(a_confirmable_one_comes_in_24_hours),
      cmocka_unit_test(the_last_state_is_confirmed_in_time),
      cmocka_unit_test(an_address_that_is_verified_meanwhile_confirms_as_others_do),
      cmocka_unit_test(an_observer_that_went_away_is_found_out),
      cmocka_unit_test(observers_take_turns_when_exchanges_are_few),
      cmocka_unit_test(the_dead_do_not_keep_the_others_waiting_for_ever),
      cmocka_unit_test(what_finds_no_memory_comes_later),
      cmocka_unit_test(a_state_that_outgrows_the_store_ends_its_observations),
      cmocka_unit_test(a_client_whose_message_ids_are_spent_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
