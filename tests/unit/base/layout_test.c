/* The layout: counting and carving agree, parts are aligned and do not overlap, sizes beyond 32 bits are noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/layout.h"

static void carve(struct layout *layout, uint8_t *parts[], const size_t sizes[][2], size_t count) {
  for (size_t i = 0; i < count; ++i) parts[i] = layout_take(layout, sizes[i][0], sizes[i][1]);
}

static void counting_and_carving_agree_and_parts_do_not_overlap(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {3, 5}, {0, 64}, {7, 8}, {1, 9}, {2, 64}};
  enum { COUNT = sizeof sizes / sizeof *sizes };
  uint8_t *parts[COUNT];
  struct layout counting = {NULL, 0};
  carve(&counting, parts, sizes, COUNT);
  for (size_t i = 0; i < COUNT; ++i) assert_null(parts[i]);

  uint8_t *block = malloc((size_t)counting.size);
  struct layout layout = {block, 0};
  carve(&layout, parts, sizes, COUNT);
  assert_int_equal(layout.size, counting.size);
  for (size_t i = 0; i < COUNT; ++i) {
    assert_int_equal((uintptr_t)parts[i] % 8, 0);
    memset(parts[i], (int)i, sizes[i][0] * sizes[i][1]); /* overruns are seen by the sanitizer */
    size_t end = (size_t)(parts[i] - block) + sizes[i][0] * sizes[i][1];
    assert_true(end <= (i + 1 < COUNT ? (size_t)(parts[i + 1] - block) : counting.size));
  }
  free(block);
}

static void a_sum_beyond_32_bits_is_not_lost(void **state) {
  (void)state;
  struct layout counting = {NULL, 0};
  layout_take(&counting, (uint64_t)1 << 28, 64);
  layout_take(&counting, 1, 1);
  assert_true(counting.size == ((uint64_t)1 << 34) + 8);
}

static void the_power_of_two_is_the_least_that_suffices(void **state) {
  (void)state;
  assert_int_equal(layout_power_of_two(0), 1);
  for (uint32_t bit = 0; bit < 31; ++bit) {
    uint32_t power = (uint32_t)1 << bit;
    assert_int_equal(layout_power_of_two(power), power);
    if (bit > 0) assert_int_equal(layout_power_of_two(power + 1), power * 2);
    if (bit > 1) assert_int_equal(layout_power_of_two(power - 1), power);
  }
}

static void beyond_the_greatest_power_of_two_it_stays_the_greatest(void **state) {
  (void)state;
  uint32_t greatest = (uint32_t)1 << 31;
  assert_int_equal(layout_power_of_two(greatest), greatest);
  assert_int_equal(layout_power_of_two((uint64_t)greatest + 1), greatest);
  assert_int_equal(layout_power_of_two(UINT32_MAX), greatest);
  assert_int_equal(layout_power_of_two(UINT64_MAX), greatest);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counting_and_carving_agree_and_parts_do_not_overlap),
      cmocka_unit_test(a_sum_beyond_32_bits_is_not_lost),
      cmocka_unit_test(the_power_of_two_is_the_least_that_suffices),
      cmocka_unit_test(beyond_the_greatest_power_of_two_it_stays_the_greatest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
