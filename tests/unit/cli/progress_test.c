/* The line that tells how far a transfer is. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/show/progress.h"

static void assert_line(struct progress_facts facts, size_t columns, const char *expected) {
  char line[161];
  size_t size = progress_line(&facts, columns, line, sizeof line);
  assert_string_equal(line, expected);
  assert_int_equal(size, strlen(line));
  assert_true(size <= columns);
}

static void a_known_total_gives_percentage_time_left_and_a_bar(void **state) {
  (void)state;
  struct progress_facts facts = {"received", 1000000, 4000000, 2 * COPAL_SECOND};
  assert_line(facts, 80, "received 1.0 MB of 4.0 MB, 25 %, 500.0 kB/s, 0:06 left [#####------------------]");
  assert_line(facts, 160, "received 1.0 MB of 4.0 MB, 25 %, 500.0 kB/s, 0:06 left [#######-----------------------]");
}

static void an_unknown_total_gives_bytes_and_rate(void **state) {
  (void)state;
  assert_line((struct progress_facts){"sent", 999, 0, COPAL_SECOND}, 80, "sent 999 B, 999 B/s");
}

static void a_total_that_was_wrong_counts_as_unknown(void **state) {
  (void)state;
  assert_line((struct progress_facts){"received", 2000, 1000, COPAL_SECOND}, 80, "received 2.0 kB, 2.0 kB/s");
}

static void a_narrow_terminal_gets_what_fits(void **state) {
  (void)state;
  struct progress_facts facts = {"received", 1000000, 4000000, 2 * COPAL_SECOND};
  assert_line(facts, 60, "received 1.0 MB of 4.0 MB, 25 %, 500.0 kB/s, 0:06 left");
  assert_line(facts, 40, "received 1.0 MB of 4.0 MB, 25 %");
  assert_line(facts, 20, "received 1.0 MB");
  assert_line(facts, 5, "");
  assert_line(facts, 0, "");
}

static void a_hundred_percent_is_the_whole(void **state) {
  (void)state;
  assert_line((struct progress_facts){"sent", 99999, 100000, COPAL_SECOND}, 50,
              "sent 100.0 kB of 100.0 kB, 99 %, 100.0 kB/s");
  assert_line((struct progress_facts){"sent", 100000, 100000, COPAL_SECOND}, 33, "sent 100.0 kB of 100.0 kB, 100 %");
}

/* A server that claims 4 GB and sends 32 bytes in five minutes. */
static void a_time_left_beyond_all_patience_is_not_told(void **state) {
  (void)state;
  assert_line((struct progress_facts){"received", 32, UINT32_MAX, 300 * COPAL_SECOND}, 47,
              "received 32 B of 4.3 GB, 0 %, 0 B/s");
  assert_line((struct progress_facts){"received", 1000, UINT32_MAX, COPAL_SECOND}, 62,
              "received 1.0 kB of 4.3 GB, 0 %, 1.0 kB/s, 1193:02:46 left");
}

static void a_long_time_left_is_told_in_hours(void **state) {
  (void)state;
  assert_line((struct progress_facts){"sent", 1000, 3662000, COPAL_SECOND}, 62,
              "sent 1.0 kB of 3.7 MB, 0 %, 1.0 kB/s, 1:01:01 left");
  assert_line((struct progress_facts){"sent", 1000, 63000, COPAL_SECOND}, 60,
              "sent 1.0 kB of 63.0 kB, 1 %, 1.0 kB/s, 1:02 left");
}

static void nothing_is_divided_by_no_time(void **state) {
  (void)state;
  assert_line((struct progress_facts){"sent", 0, 1000, 0}, 40, "sent 0 B of 1.0 kB, 0 %, 0 B/s");
}

static void a_transfer_that_is_not_to_be_shown_is_not(void **state) {
  (void)state;
  struct progress progress;
  progress_begin(&progress, false, 0);
  progress_update(&progress, "sent", 1, 2, 10 * COPAL_SECOND);
  assert_int_equal(progress.width, 0);
}

static void what_takes_no_time_gets_no_line(void **state) {
  (void)state;
  struct progress progress;
  progress_begin(&progress, true, COPAL_SECOND);
  progress_update(&progress, "sent", 1, 2, COPAL_SECOND + 499 * COPAL_MILLISECOND);
  assert_int_equal(progress.width, 0);
  progress_update(&progress, "received", 1, 2, 2 * COPAL_SECOND);
  assert_int_equal(progress.width, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_known_total_gives_percentage_time_left_and_a_bar),
      cmocka_unit_test(an_unknown_total_gives_bytes_and_rate),
      cmocka_unit_test(a_total_that_was_wrong_counts_as_unknown),
      cmocka_unit_test(a_narrow_terminal_gets_what_fits),
      cmocka_unit_test(a_hundred_percent_is_the_whole),
      cmocka_unit_test(a_time_left_beyond_all_patience_is_not_told),
      cmocka_unit_test(a_long_time_left_is_told_in_hours),
      cmocka_unit_test(nothing_is_divided_by_no_time),
      cmocka_unit_test(a_transfer_that_is_not_to_be_shown_is_not),
      cmocka_unit_test(what_takes_no_time_gets_no_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
