/* Fingerprints: the same for the same bytes in the same order, in as many calls as you like. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include "cli/serve/fingerprint.h"

static void the_same_bytes_have_the_same(void **state) {
  (void)state;
  assert_true(fingerprint(0, "abc", 3) == fingerprint(0, "abc", 3));
  assert_true(fingerprint(fingerprint(0, "a", 1), "b", 1) == fingerprint(fingerprint(0, "a", 1), "b", 1));
}

static void other_bytes_have_another(void **state) {
  (void)state;
  assert_false(fingerprint(0, "abc", 3) == fingerprint(0, "acb", 3));
  assert_false(fingerprint(0, "a", 1) == fingerprint(0, "a\0", 2));
  assert_false(fingerprint(0, "", 0) == fingerprint(0, "\0", 1));
  assert_false(fingerprint(fingerprint(0, "a", 1), "b", 1) == fingerprint(fingerprint(0, "b", 1), "a", 1));
}

/* Numbers that count up must not meet in any half: ETags of neighbours would. */
static void neighbours_differ_in_both_halves(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 1000; ++i) {
    uint32_t next = i + 1;
    uint64_t a = fingerprint(0, &i, sizeof i), b = fingerprint(0, &next, sizeof next);
    assert_int_not_equal((uint32_t)a, (uint32_t)b);
    assert_int_not_equal((uint32_t)(a >> 32), (uint32_t)(b >> 32));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_bytes_have_the_same),
      cmocka_unit_test(other_bytes_have_another),
      cmocka_unit_test(neighbours_differ_in_both_halves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
