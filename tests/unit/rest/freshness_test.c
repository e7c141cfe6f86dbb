/* The order of notifications and the time of renewal, RFC 7641 sections 3.3.1 and 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/freshness.h"

enum { MODULUS = 1 << OBSERVE_BITS, HALF = MODULUS / 2 };

/* RFC 7641 3.4, as it is written. */
static bool is_newer(uint32_t v1, uint32_t v2, copal_time t1, copal_time t2) {
  return (v1 < v2 && v2 - v1 < HALF) || (v1 > v2 && v1 - v2 > HALF) || (t2 > t1 + 128 * COPAL_SECOND);
}

static void the_order_is_that_of_the_rfc(void **state) {
  (void)state;
  static const uint32_t values[] = {0, 1, 2, HALF - 1, HALF, HALF + 1, MODULUS - 2, MODULUS - 1};
  static const copal_time ages[] = {0, COPAL_SECOND, 128 * COPAL_SECOND, 128 * COPAL_SECOND + 1, 3600 * COPAL_SECOND};
  const copal_time then = 77 * COPAL_SECOND;
  for (size_t i = 0; i < sizeof values / sizeof *values; ++i)
    for (size_t k = 0; k < sizeof values / sizeof *values; ++k)
      for (size_t n = 0; n < sizeof ages / sizeof *ages; ++n) {
        struct freshness latest = {values[i], then, true};
        bool newer = is_newer(values[i], values[k], then, then + ages[n]);
        assert_int_equal(freshness_is_newer(&latest, values[k], then + ages[n]), newer);
      }
}

static void the_first_one_is_new(void **state) {
  (void)state;
  struct freshness none = {0, 0, false};
  assert_true(freshness_is_newer(&none, 0, 0));
  assert_true(freshness_is_newer(&none, HALF + 1, 0));
}

static void renewal_is_5_to_15_seconds_after_max_age(void **state) {
  (void)state;
  static const uint8_t seed[RANDOM_SEED_SIZE] = {3};
  static const uint32_t ages[] = {0, 60, UINT32_MAX};
  struct random random;
  random_init(&random, seed);
  const copal_time now = 1000 * COPAL_SECOND;
  for (size_t i = 0; i < sizeof ages / sizeof *ages; ++i) {
    copal_time least = UINT64_MAX, most = 0, over = now + ages[i] * COPAL_SECOND;
    for (int k = 0; k < 1000; ++k) {
      copal_time wait = freshness_renewal(now, ages[i], &random) - over;
      if (wait < least) least = wait;
      if (wait > most) most = wait;
    }
    assert_in_range(least, 5 * COPAL_SECOND, 6 * COPAL_SECOND);
    assert_in_range(most, 14 * COPAL_SECOND, 15 * COPAL_SECOND);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_order_is_that_of_the_rfc),
      cmocka_unit_test(the_first_one_is_new),
      cmocka_unit_test(renewal_is_5_to_15_seconds_after_max_age),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
