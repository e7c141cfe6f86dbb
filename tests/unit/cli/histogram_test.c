/* Durations in buckets: bounded, and right to less than 1 in 128. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/load/histogram.h"

static struct histogram histogram;

static int clear(void **state) {
  (void)state;
  histogram_clear(&histogram);
  return 0;
}

static void an_empty_one_has_no_figures(void **state) {
  (void)state;
  assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
  assert_true(histogram_mean(&histogram) == 0);
}

static void every_duration_is_in_the_bucket_that_ends_first_behind_it(void **state) {
  (void)state;
  for (copal_time value = 0; value < 5000; ++value) {
    size_t bucket = histogram_bucket(value);
    assert_true(histogram_bucket_end(bucket) >= value);
    assert_true(bucket == 0 || histogram_bucket_end(bucket - 1) < value);
  }
  for (unsigned bit = 12; bit < HISTOGRAM_RANGE_BITS; ++bit) {
    copal_time power = (copal_time)1 << bit;
    assert_int_equal(histogram_bucket_end(histogram_bucket(power - 1)), power - 1);
    assert_int_equal(histogram_bucket(power), histogram_bucket(power - 1) + 1);
  }
}

static void a_bucket_is_narrower_than_a_128th_of_its_values(void **state) {
  (void)state;
  for (size_t bucket = 1; bucket < HISTOGRAM_BUCKETS; ++bucket) {
    copal_time first = histogram_bucket_end(bucket - 1) + 1, last = histogram_bucket_end(bucket);
    assert_true((last - first) * 128 < last);
  }
}

static void what_is_too_long_counts_in_the_last_bucket_and_is_told_as_it_was(void **state) {
  (void)state;
  assert_int_equal(histogram_bucket((copal_time)1 << HISTOGRAM_RANGE_BITS), HISTOGRAM_BUCKETS - 1);
  assert_int_equal(histogram_bucket(COPAL_NEVER), HISTOGRAM_BUCKETS - 1);
  histogram_add(&histogram, COPAL_NEVER / 2);
  assert_true(histogram_quantile(&histogram, 1) == COPAL_NEVER / 2);
}

static void quantiles_are_the_least_that_the_share_does_not_exceed(void **state) {
  (void)state;
  for (copal_time value = 1; value <= 100; ++value) histogram_add(&histogram, value);
  assert_int_equal(histogram_quantile(&histogram, 0.5), 50);
  assert_int_equal(histogram_quantile(&histogram, 0.99), 99);
  assert_int_equal(histogram_quantile(&histogram, 0.999), 100);
  assert_int_equal(histogram_quantile(&histogram, 0), 1);
  assert_int_equal(histogram_quantile(&histogram, 1), 100);
  assert_true(histogram_mean(&histogram) == 50.5);
}

static void no_quantile_is_outside_of_what_came(void **state) {
  (void)state;
  histogram_add(&histogram, 1000001);
  assert_int_equal(histogram_quantile(&histogram, 0.5), 1000001);
  histogram_add(&histogram, 2000003);
  assert_int_equal(histogram_quantile(&histogram, 0.999), 2000003);
  copal_time median = histogram_quantile(&histogram, 0.5);
  assert_true(median >= 1000001 && median < 1000001 + 1000001 / 128);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(an_empty_one_has_no_figures, clear),
      cmocka_unit_test_setup(every_duration_is_in_the_bucket_that_ends_first_behind_it, clear),
      cmocka_unit_test_setup(a_bucket_is_narrower_than_a_128th_of_its_values, clear),
      cmocka_unit_test_setup(what_is_too_long_counts_in_the_last_bucket_and_is_told_as_it_was, clear),
      cmocka_unit_test_setup(quantiles_are_the_least_that_the_share_does_not_exceed, clear),
      cmocka_unit_test_setup(no_quantile_is_outside_of_what_came, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
