/* Observers: who is one, and what counts as a notification. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include "cli/load/observers.h"

static struct flight flight;
static struct observers observers;

static int set_up(void **state) {
  (void)state;
  flight = (struct flight){.clients = 0, .window = 1, .observers = 3};
  flight.patience = (struct patience){.ack_timeout = 2 * COPAL_SECOND, .give_up = 93 * COPAL_SECOND, .retransmit = 4};
  observers = (struct observers){0};
  return flight_open(&flight, 1, 0) && observers_open(&observers, 3) ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  flight_close(&flight);
  observers_close(&observers);
  return 0;
}

enum { NO_OBSERVE = -1 };

static void take(uint32_t slot, copal_type type, uint16_t mid, int number, copal_time now) {
  uint8_t buffer[32];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, type, COPAL_CONTENT, mid, NULL, 0);
  if (number != NO_OBSERVE) copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, (uint32_t)number);
  copal_view view;
  assert_int_equal(copal_decode(buffer, encoder.size, &view), COPAL_OK);
  observers_take(&observers, &flight, slot, &view, now, true);
}

static void register_all(void) {
  uint32_t slot;
  while ((slot = observers_next_to_register(&observers, &flight)) != FLIGHT_NONE) {
    flight_begin(&flight, slot, 0, 0);
    take(slot, COPAL_ACK, 1, 10, 0);
  }
}

static void each_registers_once(void **state) {
  (void)state;
  register_all();
  assert_int_equal(observers.registered, 3);
  assert_int_equal(flight.under_way, 0);
  assert_int_equal(flight.slots[2].state, SLOT_OBSERVING);
}

static void an_answer_without_observe_makes_no_observer(void **state) {
  (void)state;
  uint32_t slot = observers_next_to_register(&observers, &flight);
  flight_begin(&flight, slot, 0, 0);
  take(slot, COPAL_ACK, 1, NO_OBSERVE, 0);
  assert_int_equal(observers.refused, 1);
  assert_int_equal(observers.registered, 0);
  uint32_t least, most;
  observers_spread(&observers, &least, &most);
  assert_int_equal(least, 0);
}

static void notifications_count_once_and_from_the_change(void **state) {
  (void)state;
  register_all();
  observers.changed = 1000;
  take(0, COPAL_CON, 70, 11, 1500);
  take(0, COPAL_CON, 70, 11, 1600);
  take(0, COPAL_NON, 71, 12, 1700);
  take(1, COPAL_NON, 72, 12, 1700);
  assert_int_equal(observers.notifications, 3);
  assert_int_equal(observers.repeated, 1);
  assert_int_equal(observers.outdated, 0);
  assert_int_equal(observers.latency.count, 3);
  assert_int_equal(observers.latency.shortest, 500);
  uint32_t least, most;
  observers_spread(&observers, &least, &most);
  assert_int_equal(least, 0);
  assert_int_equal(most, 2);
}

static void the_answer_to_a_registration_may_come_twice(void **state) {
  (void)state;
  register_all();
  take(0, COPAL_ACK, 1, 10, 5);
  assert_int_equal(observers.notifications, 0);
  assert_int_equal(observers.repeated, 1);
}

static void an_older_state_is_told_of(void **state) {
  (void)state;
  register_all();
  take(0, COPAL_NON, 70, 9, 0);
  assert_int_equal(observers.outdated, 1);
  assert_true(observers_is_newer(0, 0xffffff));
  assert_true(observers_is_newer(0x7fffff, 0));
  assert_false(observers_is_newer(0x800000, 0));
  assert_false(observers_is_newer(5, 5));
}

static void the_server_may_end_it(void **state) {
  (void)state;
  register_all();
  take(1, COPAL_CON, 70, NO_OBSERVE, 0);
  assert_int_equal(observers.ended, 1);
  observers.next = 0;
  observers.leaving = true;
  assert_int_equal(observers_next_to_leave(&observers, &flight), 0);
  assert_int_equal(observers_next_to_leave(&observers, &flight), 2);
  assert_int_equal(observers_next_to_leave(&observers, &flight), FLIGHT_NONE);
}

static void a_notification_does_not_end_the_leaving(void **state) {
  (void)state;
  register_all();
  observers.next = 0;
  observers.leaving = true;
  uint32_t slot = observers_next_to_leave(&observers, &flight);
  flight_begin(&flight, slot, 0, 0);
  take(slot, COPAL_NON, 70, 11, 0);
  assert_int_equal(flight.under_way, 1);
  take(slot, COPAL_ACK, 2, NO_OBSERVE, 0);
  assert_int_equal(flight.under_way, 0);
  assert_int_equal(flight.slots[slot].state, SLOT_IDLE);
  assert_int_equal(observers.refused, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(each_registers_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_answer_without_observe_makes_no_observer, set_up, tear_down),
      cmocka_unit_test_setup_teardown(notifications_count_once_and_from_the_change, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_answer_to_a_registration_may_come_twice, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_older_state_is_told_of, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_server_may_end_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_notification_does_not_end_the_leaving, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
