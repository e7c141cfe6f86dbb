/* Which blocks have come, against a plain array of all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rest/gaps.h"

enum { BLOCKS = 300 };

static uint64_t chance = 7;

static uint32_t next_below(uint32_t limit) {
  chance = chance * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(chance >> 33) % limit;
}

static void blocks_in_order_leave_no_gaps(void **state) {
  (void)state;
  struct gaps gaps = {0, 0};
  for (uint32_t number = 0; number < BLOCKS; ++number) {
    assert_false(gaps_has(&gaps, number));
    gaps_note(&gaps, number);
    assert_true(gaps_has(&gaps, number));
    assert_int_equal(gaps.first, number + 1);
    assert_true(gaps.came == 0);
  }
}

static void whatever_the_order_what_has_come_is_known(void **state) {
  (void)state;
  for (int round = 0; round < 50; ++round) {
    struct gaps gaps = {0, 0};
    bool came[BLOCKS] = {false};
    for (int step = 0; step < 2000 && gaps.first < BLOCKS; ++step) {
      uint32_t number = gaps.first + next_below(GAPS_REACH + 20), first = 0;
      if (number >= BLOCKS || !gaps_reach(&gaps, number)) continue;
      gaps_note(&gaps, number);
      came[number] = true;
      while (first < BLOCKS && came[first]) ++first;
      assert_int_equal(gaps.first, first);
      for (uint32_t i = 0; i < BLOCKS; ++i) assert_int_equal(gaps_has(&gaps, i), came[i]);
    }
  }
}

static void a_block_that_came_before_changes_nothing(void **state) {
  (void)state;
  struct gaps gaps = {0, 0};
  gaps_note(&gaps, 0);
  gaps_note(&gaps, 5);
  struct gaps before = gaps;
  gaps_note(&gaps, 0);
  gaps_note(&gaps, 5);
  assert_int_equal(gaps.first, before.first);
  assert_int_equal(gaps.came, before.came);
}

static void what_is_too_far_ahead_is_out_of_reach(void **state) {
  (void)state;
  struct gaps gaps = {10, 0};
  assert_true(gaps_reach(&gaps, 0));
  assert_true(gaps_reach(&gaps, 10 + GAPS_REACH - 1));
  assert_false(gaps_reach(&gaps, 10 + GAPS_REACH));
  assert_false(gaps_reach(&gaps, UINT32_MAX));
  assert_false(gaps_has(&gaps, 10 + GAPS_REACH));
  gaps_note(&gaps, 10 + GAPS_REACH - 1);
  assert_true(gaps_has(&gaps, 10 + GAPS_REACH - 1));
}

static void the_list_of_gaps_is_ascending_and_ends_where_it_is_to(void **state) {
  (void)state;
  struct gaps gaps = {0, 0};
  static const uint32_t come[] = {0, 2, 3, 8, 11};
  for (int i = 0; i < 5; ++i) gaps_note(&gaps, come[i]);
  uint32_t numbers[10];
  static const uint32_t expected[] = {1, 4, 5, 6, 7, 9, 10, 12};
  assert_int_equal(gaps_list(&gaps, 13, numbers, 10), 8);
  assert_memory_equal(numbers, expected, sizeof expected);
  assert_int_equal(gaps_list(&gaps, 13, numbers, 3), 3);
  assert_int_equal(gaps_list(&gaps, 5, numbers, 10), 2);
  assert_int_equal(gaps_list(&gaps, 1, numbers, 10), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_in_order_leave_no_gaps),
      cmocka_unit_test(whatever_the_order_what_has_come_is_known),
      cmocka_unit_test(a_block_that_came_before_changes_nothing),
      cmocka_unit_test(what_is_too_far_ahead_is_out_of_reach),
      cmocka_unit_test(the_list_of_gaps_is_ascending_and_ends_where_it_is_to),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
