/* The slab: every record is given out once, what was never used is never touched, and given back ones come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/slab.h"
#include "support/dice.h"

enum { COUNT = 257 };

struct record {
  uint32_t link;
  uint32_t kept;
};

static void a_slab_gives_each_record_once_and_then_none(void **state) {
  (void)state;
  struct record *records = calloc(COUNT, sizeof *records);
  struct slab slab;
  slab_init(&slab, records, sizeof *records, COUNT);
  bool seen[COUNT] = {false};
  for (uint32_t i = 0; i < COUNT; ++i) {
    uint32_t index = slab_take(&slab);
    assert_in_range(index, 0, COUNT - 1);
    assert_false(seen[index]);
    seen[index] = true;
  }
  assert_int_equal(slab_take(&slab), INDEX_NONE);
  assert_int_equal(slab.count, COUNT);
  free(records);
}

static void records_never_taken_are_never_touched(void **state) {
  (void)state;
  struct record *records = calloc(2, sizeof *records);
  struct slab slab;
  slab_init(&slab, records, sizeof *records, 1000000); /* two would be enough for the test: more would be overruns */
  for (int i = 0; i < 1000; ++i) {
    uint32_t a = slab_take(&slab), b = slab_take(&slab);
    slab_give(&slab, a);
    slab_give(&slab, b);
  }
  assert_int_equal(slab.fresh, 2);
  free(records);
}

static void giving_back_leaves_all_but_the_first_4_bytes(void **state) {
  (void)state;
  struct record records[2] = {{0, 0}, {0, 0}};
  struct slab slab;
  slab_init(&slab, records, sizeof *records, 2);
  uint32_t index = slab_take(&slab);
  records[index].kept = 0x12345678;
  slab_give(&slab, index);
  assert_int_equal(records[index].kept, 0x12345678);
  assert_int_equal(slab_take(&slab), index);
  assert_int_equal(records[index].kept, 0x12345678);
}

static void a_slab_of_nothing_gives_nothing(void **state) {
  (void)state;
  struct slab slab;
  slab_init(&slab, NULL, 8, 0);
  assert_int_equal(slab_take(&slab), INDEX_NONE);
}

static void random_takes_and_gives_agree_with_a_set(void **state) {
  (void)state;
  struct record *records = calloc(COUNT, sizeof *records);
  struct slab slab;
  slab_init(&slab, records, sizeof *records, COUNT);
  struct dice dice = {1};
  bool taken[COUNT] = {false};
  uint32_t count = 0;
  for (int i = 0; i < 100000; ++i) {
    if (dice_below(&dice, 1000) < (i / 10000 % 2 == 0 ? 600u : 400u)) {
      uint32_t index = slab_take(&slab);
      assert_int_equal(index == INDEX_NONE, count == COUNT);
      if (index == INDEX_NONE) continue;
      assert_in_range(index, 0, COUNT - 1);
      assert_false(taken[index]);
      taken[index] = true;
      records[index].kept = index;
      ++count;
    } else {
      uint32_t index = dice_below(&dice, COUNT);
      if (!taken[index]) continue;
      assert_int_equal(records[index].kept, index);
      slab_give(&slab, index);
      taken[index] = false;
      --count;
    }
    assert_int_equal(slab.count, count);
  }
  free(records);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_slab_gives_each_record_once_and_then_none),
      cmocka_unit_test(records_never_taken_are_never_touched),
      cmocka_unit_test(giving_back_leaves_all_but_the_first_4_bytes),
      cmocka_unit_test(a_slab_of_nothing_gives_nothing),
      cmocka_unit_test(random_takes_and_gives_agree_with_a_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
