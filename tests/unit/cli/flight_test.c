/* Requests under way: found by token and message ID, sent again and given up in time. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/load/flight.h"

static struct flight flight;

static void open_flight(uint32_t clients, uint32_t window, uint32_t observers, bool non) {
  flight = (struct flight){.clients = clients, .window = window, .observers = observers};
  flight.patience = (struct patience){.ack_timeout = 2 * COPAL_SECOND,
                                      .give_up = non ? 5 * COPAL_SECOND : 93 * COPAL_SECOND,
                                      .retransmit = 4,
                                      .non = non};
  assert_true(flight_open(&flight, 42, 0));
}

static int close_flight(void **state) {
  (void)state;
  flight_close(&flight);
  return 0;
}

static uint32_t begin(copal_time now) {
  uint32_t slot = flight_take(&flight);
  assert_int_not_equal(slot, FLIGHT_NONE);
  flight_begin(&flight, slot, now, now);
  return slot;
}

static enum flight_match by_token(const uint8_t *token, uint32_t *slot) {
  return flight_by_token(&flight, (copal_bytes){token, FLIGHT_TOKEN_SIZE}, slot);
}

static void clients_have_their_turns_one_after_the_other(void **state) {
  (void)state;
  open_flight(3, 2, 0, false);
  for (uint32_t i = 0; i < 6; ++i) assert_int_equal(flight_client(&flight, begin(0)), i % 3);
  assert_int_equal(flight_take(&flight), FLIGHT_NONE);
  flight_end(&flight, 4, SLOT_IDLE);
  flight_end(&flight, 1, SLOT_IDLE);
  assert_int_equal(flight_take(&flight), 4);
  assert_int_equal(flight_take(&flight), 1);
}

static void a_token_finds_its_request_until_that_is_over(void **state) {
  (void)state;
  open_flight(2, 1, 0, false);
  uint8_t first[FLIGHT_TOKEN_SIZE], second[FLIGHT_TOKEN_SIZE];
  uint32_t slot = begin(0), found;
  flight_token(&flight, slot, first);
  assert_int_equal(by_token(first, &found), MATCH_FOUND);
  assert_int_equal(found, slot);
  flight_end(&flight, slot, SLOT_IDLE);
  assert_int_equal(by_token(first, &found), MATCH_PAST);
  begin(0);
  begin(0);
  flight_token(&flight, slot, second);
  assert_memory_not_equal(first, second, FLIGHT_TOKEN_SIZE);
  assert_int_equal(by_token(first, &found), MATCH_PAST);
  assert_int_equal(by_token(second, &found), MATCH_FOUND);
}

static void a_token_that_was_never_sent_finds_nothing(void **state) {
  (void)state;
  open_flight(1, 1, 0, false);
  uint8_t token[FLIGHT_TOKEN_SIZE];
  uint32_t slot = begin(0), found;
  flight_token(&flight, slot, token);
  assert_int_equal(flight_by_token(&flight, (copal_bytes){token, 4}, &found), MATCH_NONE);
  assert_int_equal(flight_by_token(&flight, (copal_bytes){NULL, 0}, &found), MATCH_NONE);
  token[0] ^= 0x40;
  assert_int_equal(by_token(token, &found), MATCH_NONE);
  token[0] ^= 0x40;
  flight.slots[slot].generation = 7;
  flight_token(&flight, slot, token);
  flight.slots[slot].generation = 5;
  assert_int_equal(by_token(token, &found), MATCH_NONE);
}

static void a_message_id_finds_the_request_among_those_of_its_client(void **state) {
  (void)state;
  open_flight(5, 3, 2, false);
  for (int round = 0; round < 40000; ++round) {
    uint32_t slot = begin(0), found;
    uint16_t mid = flight.slots[slot].mid;
    assert_int_equal(flight_by_mid(&flight, flight_client(&flight, slot), mid, &found), MATCH_FOUND);
    assert_int_equal(found, slot);
    flight_end(&flight, slot, SLOT_IDLE);
    assert_int_equal(flight_by_mid(&flight, flight_client(&flight, slot), mid, &found), MATCH_PAST);
  }
  uint32_t found;
  assert_int_equal(flight_by_mid(&flight, 7, 1, &found), MATCH_NONE);
  assert_int_equal(flight_by_mid(&flight, UINT32_MAX, 1, &found), MATCH_NONE);
  assert_int_equal(flight_by_mid(&flight, 5, 1, &found), MATCH_NONE);
}

static void slots_of_a_client_never_have_the_same_message_id(void **state) {
  (void)state;
  open_flight(1, 100, 0, false);
  static bool seen[65536];
  memset(seen, 0, sizeof seen);
  for (uint32_t i = 0; i < 100 * flight.ids_reused_at; ++i) {
    uint32_t slot = begin(0);
    assert_false(seen[flight.slots[slot].mid]);
    seen[flight.slots[slot].mid] = true;
    flight_end(&flight, slot, SLOT_IDLE);
  }
}

static void a_con_is_sent_again_after_ever_longer_times_and_then_given_up(void **state) {
  (void)state;
  open_flight(1, 1, 0, false);
  begin(0);
  copal_time first = 0, last = 0;
  unsigned again = 0;
  for (copal_time now = 0; now < 100 * COPAL_SECOND; now += COPAL_MILLISECOND) {
    uint32_t slot;
    enum flight_due due = flight_next_due(&flight, now, &slot);
    if (due == DUE_NOTHING) continue;
    if (due == DUE_GIVEN_UP) {
      assert_int_equal(again, 4);
      assert_true(now >= 62 * COPAL_SECOND && now < 93 * COPAL_SECOND + 100 * COPAL_MILLISECOND);
      return;
    }
    ++again;
    /* RFC 7252 4.2: "the timeout is doubled" */
    if (again == 1) assert_true(now >= 2 * COPAL_SECOND && now < 3 * COPAL_SECOND + 10 * COPAL_MILLISECOND);
    if (again == 1) first = now;
    if (again > 1)
      assert_in_range(now - last, (first << (again - 1)) - 50 * COPAL_MILLISECOND,
                      (first << (again - 1)) + 50 * COPAL_MILLISECOND);
    last = now;
  }
  fail_msg("it was never given up");
}

static void what_is_acknowledged_or_non_is_not_sent_again_but_given_up(void **state) {
  bool non = *(bool *)*state;
  open_flight(1, 1, 0, non);
  begin(0);
  flight_acknowledge(&flight, 0);
  uint32_t slot;
  copal_time end = flight.patience.give_up, now = 0;
  for (; now < end; now += COPAL_MILLISECOND) assert_int_equal(flight_next_due(&flight, now, &slot), DUE_NOTHING);
  assert_int_equal(flight_next_due(&flight, end + 20 * COPAL_MILLISECOND, &slot), DUE_GIVEN_UP);
}

static void after_a_long_sleep_everything_is_still_found(void **state) {
  (void)state;
  open_flight(50, 1, 0, true);
  for (int i = 0; i < 50; ++i) begin((copal_time)i * 40 * COPAL_MILLISECOND);
  uint32_t slot, count = 0;
  while (flight_next_due(&flight, 3600 * COPAL_SECOND, &slot) == DUE_GIVEN_UP) {
    flight_end(&flight, slot, SLOT_IDLE);
    ++count;
  }
  assert_int_equal(count, 50);
  assert_int_equal(flight_deadline(&flight), COPAL_NEVER);
}

/* However late: a slot whose time has not come must not go where it is looked for next, again and again. */
static void after_any_sleep_what_is_not_due_waits_on(void **state) {
  (void)state;
  for (uint64_t ticks = 0; ticks <= 3 * FLIGHT_BUCKETS; ++ticks) {
    open_flight(1, 1, 0, false);
    uint32_t slot = begin(0);
    flight_acknowledge(&flight, slot);
    copal_time end = flight.patience.give_up;
    assert_int_equal(flight_next_due(&flight, ticks * flight.tick, &slot), DUE_NOTHING);
    assert_int_equal(flight_next_due(&flight, end - COPAL_MILLISECOND, &slot), DUE_NOTHING);
    assert_int_equal(flight_next_due(&flight, end + 20 * COPAL_MILLISECOND, &slot), DUE_GIVEN_UP);
    if (ticks < 3 * FLIGHT_BUCKETS) flight_close(&flight);
  }
}

/* A slot stays in its bucket when its request is over, so the next request's timer must not be missed. */
static void a_slot_that_is_used_again_and_again_is_found_in_time(void **state) {
  (void)state;
  open_flight(1, 1, 0, false);
  copal_time now = 0;
  uint32_t slot;
  for (int i = 0; i < 20000; ++i, now += 700 * COPAL_MICROSECOND) {
    slot = begin(now);
    assert_int_equal(flight_next_due(&flight, now, &slot), DUE_NOTHING);
    flight_end(&flight, 0, SLOT_IDLE);
  }
  slot = begin(now);
  copal_time due = flight.slots[slot].deadline;
  assert_int_equal(flight_next_due(&flight, due - COPAL_MILLISECOND, &slot), DUE_NOTHING);
  assert_int_equal(flight_next_due(&flight, due + 10 * COPAL_MILLISECOND, &slot), DUE_AGAIN);
}

static void an_observer_keeps_its_token(void **state) {
  (void)state;
  open_flight(2, 2, 3, false);
  uint8_t token[FLIGHT_TOKEN_SIZE], later[FLIGHT_TOKEN_SIZE];
  uint32_t found;
  assert_int_equal(flight_client(&flight, 5), 3);
  flight_begin(&flight, 5, 0, 0);
  flight_token(&flight, 5, token);
  flight_end(&flight, 5, SLOT_OBSERVING);
  assert_int_equal(by_token(token, &found), MATCH_FOUND);
  flight_begin(&flight, 5, 1, 1);
  flight_token(&flight, 5, later);
  assert_memory_equal(token, later, sizeof token);
  flight_end(&flight, 5, SLOT_IDLE);
  assert_int_equal(by_token(token, &found), MATCH_PAST);
}

int main(void) {
  static bool yes = true, no = false;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(clients_have_their_turns_one_after_the_other, close_flight),
      cmocka_unit_test_teardown(a_token_finds_its_request_until_that_is_over, close_flight),
      cmocka_unit_test_teardown(a_token_that_was_never_sent_finds_nothing, close_flight),
      cmocka_unit_test_teardown(a_message_id_finds_the_request_among_those_of_its_client, close_flight),
      cmocka_unit_test_teardown(slots_of_a_client_never_have_the_same_message_id, close_flight),
      cmocka_unit_test_teardown(a_con_is_sent_again_after_ever_longer_times_and_then_given_up, close_flight),
      {"what is acknowledged is not sent again", what_is_acknowledged_or_non_is_not_sent_again_but_given_up, NULL,
       close_flight, &no},
      {"what is NON is not sent again", what_is_acknowledged_or_non_is_not_sent_again_but_given_up, NULL, close_flight,
       &yes},
      cmocka_unit_test_teardown(after_a_long_sleep_everything_is_still_found, close_flight),
      cmocka_unit_test_teardown(after_any_sleep_what_is_not_due_waits_on, close_flight),
      cmocka_unit_test_teardown(a_slot_that_is_used_again_and_again_is_found_in_time, close_flight),
      cmocka_unit_test_teardown(an_observer_keeps_its_token, close_flight),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
