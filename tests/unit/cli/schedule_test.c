/* Which request is next, and when. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include "cli/ask/schedule.h"

#define S COPAL_SECOND

static void each_uri_has_its_turn_round_after_round(void **state) {
  (void)state;
  struct schedule schedule = schedule_begin(3, 2, 0);
  assert_true(schedule_is_several(&schedule));
  for (uint32_t i = 0; i < 6; ++i) {
    assert_false(schedule_ended(&schedule));
    assert_int_equal(schedule.next, i % 3);
    assert_int_equal(schedule.round, i / 3);
    assert_true(schedule_wait(&schedule, 5 * S) == 0);
    schedule_pass(&schedule, 5 * S);
  }
  assert_true(schedule_ended(&schedule));
}

static void one_request_is_not_several(void **state) {
  (void)state;
  struct schedule schedule = schedule_begin(1, 1, 0);
  assert_false(schedule_is_several(&schedule));
  schedule = schedule_begin(1, 0, 0);
  assert_true(schedule_is_several(&schedule));
}

static void an_interval_is_from_one_beginning_to_the_next(void **state) {
  (void)state;
  struct schedule schedule = schedule_begin(2, 3, 10 * S);
  assert_true(schedule_wait(&schedule, 100 * S) == 0);
  schedule_pass(&schedule, 100 * S);
  /* Within a round nothing is waited for. */
  assert_true(schedule_wait(&schedule, 101 * S) == 0);
  schedule_pass(&schedule, 104 * S);
  assert_true(schedule_wait(&schedule, 104 * S) == 6 * S);
  assert_true(schedule_wait(&schedule, 110 * S) == 0);
  /* A round that took longer is followed at once, and what was missed is not made up for. */
  schedule_pass(&schedule, 125 * S);
  schedule_pass(&schedule, 126 * S);
  assert_true(schedule_wait(&schedule, 126 * S) == 9 * S);
}

static void no_rounds_are_no_end(void **state) {
  (void)state;
  struct schedule schedule = schedule_begin(1, 0, 0);
  schedule.round = UINT32_MAX;
  for (int i = 0; i < 3; ++i) {
    assert_false(schedule_ended(&schedule));
    schedule_pass(&schedule, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_uri_has_its_turn_round_after_round),
      cmocka_unit_test(one_request_is_not_several),
      cmocka_unit_test(an_interval_is_from_one_beginning_to_the_next),
      cmocka_unit_test(no_rounds_are_no_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
