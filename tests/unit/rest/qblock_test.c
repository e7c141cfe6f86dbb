/* The clock and the sets of Q-Block transfers. RFC 9177 section 7.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/qblock.h"

static copal_parameters parameters_of(copal_time ack_timeout, uint32_t permille) {
  copal_parameters parameters = copal_config_small().parameters;
  parameters.ack_timeout = ack_timeout;
  parameters.ack_random_permille = permille;
  return parameters;
}

/* "NON_RECEIVE_TIMEOUT … has a default value of twice NON_TIMEOUT … this MUST always be greater than NON_TIMEOUT_RANDOM
 * by at least one second"; "Every time the missing payload is re-requested, the Time-to-Wait value doubles." */
static void what_is_missing_is_waited_for_twice_as_long_as_a_gap_and_a_second_longer(void **state) {
  (void)state;
  copal_parameters parameters = parameters_of(2 * COPAL_SECOND, 1500);
  assert_true(qblock_wait(&parameters, 0) == 4 * COPAL_SECOND);
  assert_true(qblock_wait(&parameters, 3) == 32 * COPAL_SECOND);
  parameters = parameters_of(4 * COPAL_SECOND, 1500); /* twice is more */
  assert_true(qblock_wait(&parameters, 0) == 8 * COPAL_SECOND);
  parameters = parameters_of(COPAL_SECOND, 1500); /* a second longer is more */
  assert_true(qblock_wait(&parameters, 0) == 2500 * COPAL_MILLISECOND);
  parameters = parameters_of(4 * COPAL_SECOND, 4000);
  assert_true(qblock_wait(&parameters, 1) == 34 * COPAL_SECOND);
}

static void a_body_has_as_many_blocks_as_it_fills_or_begins(void **state) {
  (void)state;
  assert_int_equal(qblock_count(0, 0), 0);
  assert_int_equal(qblock_count(1, 0), 1);
  assert_int_equal(qblock_count(16, 0), 1);
  assert_int_equal(qblock_count(17, 0), 2);
  assert_int_equal(qblock_count(UINT32_MAX, 6), 1u << 22);
  assert_int_equal(qblock_set_of(9), 0);
  assert_int_equal(qblock_set_of(10), 10);
  assert_int_equal(qblock_set_of(29), 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_missing_is_waited_for_twice_as_long_as_a_gap_and_a_second_longer),
      cmocka_unit_test(a_body_has_as_many_blocks_as_it_fills_or_begins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
