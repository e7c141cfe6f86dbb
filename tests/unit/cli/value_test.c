/* Numbers, durations and hexadecimal bytes as typed on the command line. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/line/value.h"

static void a_number_is_decimal_or_hexadecimal(void **state) {
  (void)state;
  uint32_t value = 7;
  assert_true(value_number("0", 10, &value));
  assert_int_equal(value, 0);
  assert_true(value_number("0x1F", 100, &value));
  assert_int_equal(value, 31);
  assert_true(value_number("4294967295", UINT32_MAX, &value));
  assert_true(value == UINT32_MAX);
}

static void a_number_has_nothing_beside_its_digits(void **state) {
  (void)state;
  static const char *const bad[] = {"", "0x", "-1", "+1", " 1", "1 ", "1f", "0xg", "1.0", "99999999999999999999"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    uint32_t value = 7;
    if (value_number(bad[i], UINT32_MAX, &value)) fail_msg("'%s' was taken as %u", bad[i], value);
    assert_int_equal(value, 7);
  }
}

static void a_number_above_its_limit_is_refused(void **state) {
  (void)state;
  uint32_t value;
  assert_true(value_number("10", 10, &value));
  assert_false(value_number("11", 10, &value));
  assert_false(value_number("4294967296", UINT32_MAX, &value));
}

static void a_duration_is_seconds_with_a_fraction(void **state) {
  (void)state;
  static const struct {
    const char *text;
    copal_time expected;
  } cases[] = {
      {"0", 0},
      {"2", 2 * COPAL_SECOND},
      {"2s", 2 * COPAL_SECOND},
      {"0.25", 250 * COPAL_MILLISECOND},
      {".5", 500 * COPAL_MILLISECOND},
      {"3.", 3 * COPAL_SECOND},
      {"1.000000001", COPAL_SECOND + 1},
      {"0.0000000019", 1},
      {"250ms", 250 * COPAL_MILLISECOND},
      {"0.5ms", 500 * COPAL_MICROSECOND},
      {"1000000000", 1000000000 * COPAL_SECOND},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    copal_time value = 77;
    if (!value_duration(cases[i].text, &value)) fail_msg("'%s' was refused", cases[i].text);
    if (value != cases[i].expected) fail_msg("'%s' became %llu ns", cases[i].text, (unsigned long long)value);
  }
}

static void what_is_no_duration_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "", ".", "s", "ms", "-1", "1m", "1 s", "1e3", "1.2.3", "1000000001", "99999999999999999999999", "inf"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    copal_time value;
    if (value_duration(bad[i], &value)) fail_msg("'%s' was taken", bad[i]);
  }
}

static void a_duration_is_shown_in_the_unit_that_suits_it(void **state) {
  (void)state;
  char text[32];
  assert_string_equal(value_duration_text(0, text, sizeof text), "0 us");
  assert_string_equal(value_duration_text(350 * COPAL_MICROSECOND, text, sizeof text), "350 us");
  assert_string_equal(value_duration_text(1240 * COPAL_MICROSECOND, text, sizeof text), "1.2 ms");
  assert_string_equal(value_duration_text(45 * COPAL_SECOND, text, sizeof text), "45.0 s");
}

static enum hex_result hex(const char *text, uint8_t *bytes, size_t capacity, size_t *size) {
  *size = 0;
  return value_hex(text, strlen(text), bytes, capacity, size);
}

static void a_factor_is_read_in_thousandths(void **state) {
  (void)state;
  uint32_t value = 7;
  assert_true(value_permille("1.5", 4000, &value));
  assert_int_equal(value, 1500);
  assert_true(value_permille("4", 4000, &value));
  assert_int_equal(value, 4000);
  assert_true(value_permille(".25", 4000, &value));
  assert_int_equal(value, 250);
  assert_true(value_permille("1.23456789", 4000, &value));
  assert_int_equal(value, 1234);
  static const char *const bad[] = {"", ".", "1.5x", "-1", "1,5", "4.001", "99999999999999999999", "4294967.297"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) assert_false(value_permille(bad[i], 4000, &value));
  assert_int_equal(value, 1234);
}

static void hexadecimal_skips_blanks_colons_and_a_prefix(void **state) {
  (void)state;
  static const uint8_t expected[] = {0x40, 0x01, 0x7d, 0xAB};
  static const char *const same[] = {"40017dab", "0x40017dAB", " 40 01\n7d\tab\n", "40:01:7d:ab", "4 0 0 1 7 d a b"};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; ++i) {
    uint8_t bytes[8];
    size_t size;
    assert_int_equal(hex(same[i], bytes, sizeof bytes, &size), HEX_OK);
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
  }
}

static void hexadecimal_appends(void **state) {
  (void)state;
  uint8_t bytes[3];
  size_t size = 0;
  assert_int_equal(value_hex("01", 2, bytes, sizeof bytes, &size), HEX_OK);
  assert_int_equal(value_hex("0203", 4, bytes, sizeof bytes, &size), HEX_OK);
  assert_int_equal(size, 3);
  assert_memory_equal(bytes, "\x01\x02\x03", 3);
}

static void what_is_no_hexadecimal_is_named(void **state) {
  (void)state;
  uint8_t bytes[2];
  size_t size;
  assert_int_equal(hex("4g", bytes, sizeof bytes, &size), HEX_NOT_HEX);
  assert_int_equal(hex("40 0x01", bytes, sizeof bytes, &size), HEX_NOT_HEX);
  assert_int_equal(hex("401", bytes, sizeof bytes, &size), HEX_ODD);
  assert_int_equal(hex("010203", bytes, sizeof bytes, &size), HEX_TOO_LONG);
  assert_int_equal(hex("", bytes, sizeof bytes, &size), HEX_OK);
  assert_int_equal(size, 0);
}

static void a_size_is_shown_in_the_unit_that_suits_it(void **state) {
  (void)state;
  static const struct {
    uint64_t size;
    const char *expected;
  } cases[] = {
      {0, "0 B"},
      {999, "999 B"},
      {1000, "1.0 kB"},
      {1500, "1.5 kB"},
      {999949, "999.9 kB"},
      {999950, "1.0 MB"},
      {104857600, "104.9 MB"},
      {5000000000, "5.0 GB"},
      {UINT64_MAX, "18.4 EB"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    char text[32];
    assert_string_equal(value_size_text(cases[i].size, text, sizeof text), cases[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_number_is_decimal_or_hexadecimal),
      cmocka_unit_test(a_number_has_nothing_beside_its_digits),
      cmocka_unit_test(a_number_above_its_limit_is_refused),
      cmocka_unit_test(a_duration_is_seconds_with_a_fraction),
      cmocka_unit_test(what_is_no_duration_is_refused),
      cmocka_unit_test(a_duration_is_shown_in_the_unit_that_suits_it),
      cmocka_unit_test(a_size_is_shown_in_the_unit_that_suits_it),
      cmocka_unit_test(a_factor_is_read_in_thousandths),
      cmocka_unit_test(hexadecimal_skips_blanks_colons_and_a_prefix),
      cmocka_unit_test(hexadecimal_appends),
      cmocka_unit_test(what_is_no_hexadecimal_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
