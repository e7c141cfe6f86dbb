/* How soon a server that was lost is asked again. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include "cli/observe/observation.h"

static void the_delay_doubles_up_to_half_a_minute(void **state) {
  (void)state;
  static const copal_time seconds[] = {1, 2, 4, 8, 16, 30, 30};
  for (unsigned i = 0; i < 7; ++i) assert_int_equal(observation_delay(i, 0), seconds[i] * COPAL_SECOND);
  assert_int_equal(observation_delay(UINT32_MAX, 0), 30 * COPAL_SECOND);
}

static void clients_do_not_all_come_back_at_once(void **state) {
  (void)state;
  assert_int_equal(observation_delay(0, 500), 1250 * COPAL_MILLISECOND);
  for (uint32_t random = 0; random < 100000; random += 77) {
    assert_in_range(observation_delay(2, random), 4 * COPAL_SECOND, 6 * COPAL_SECOND);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_delay_doubles_up_to_half_a_minute),
      cmocka_unit_test(clients_do_not_all_come_back_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
