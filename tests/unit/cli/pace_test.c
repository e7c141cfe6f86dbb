/* When requests are due at a constant rate. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include "cli/load/pace.h"

static void requests_are_due_at_equal_distances(void **state) {
  (void)state;
  struct pace pace = {.begin = 7, .rate = 1000};
  for (pace.given = 0; pace.given < 5000; ++pace.given) {
    assert_int_equal(pace_due(&pace), 7 + pace.given * COPAL_MILLISECOND);
  }
}

static void no_error_grows_where_the_distance_is_no_whole_number(void **state) {
  (void)state;
  struct pace pace = {.begin = 0, .rate = 3, .given = 3 * UINT64_C(1000000000)};
  assert_true(pace_due(&pace) == UINT64_C(1000000000) * COPAL_SECOND);
  ++pace.given;
  assert_true(pace_due(&pace) == UINT64_C(1000000000) * COPAL_SECOND + 333333334);
}

static void what_was_due_before_a_time_is_what_pace_due_says(void **state) {
  (void)state;
  static const uint32_t rates[] = {1, 3, 7, 999, 1000, 123457, 4000000000};
  for (size_t i = 0; i < sizeof rates / sizeof rates[0]; ++i) {
    struct pace pace = {.begin = 1000, .rate = rates[i]};
    for (pace.given = 0; pace.given < 300; ++pace.given) {
      copal_time due = pace_due(&pace);
      assert_true(pace_count(&pace, due) <= pace.given);
      assert_true(pace_count(&pace, due + 1) > pace.given);
    }
  }
}

static void in_a_closed_loop_nothing_is_overdue(void **state) {
  (void)state;
  struct pace pace = {.begin = 5, .given = 9};
  assert_int_equal(pace_due(&pace), 5);
  assert_int_equal(pace_count(&pace, COPAL_SECOND), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_are_due_at_equal_distances),
      cmocka_unit_test(no_error_grows_where_the_distance_is_no_whole_number),
      cmocka_unit_test(what_was_due_before_a_time_is_what_pace_due_says),
      cmocka_unit_test(in_a_closed_loop_nothing_is_overdue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
