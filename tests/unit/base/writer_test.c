/* The bounded text writer: it never writes past its buffer, and says with "..." that it left something out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"

static void text_numbers_and_bytes_follow_each_other(void **state) {
  (void)state;
  char buffer[64];
  struct writer writer;
  writer_init(&writer, buffer, sizeof buffer);
  writer_text(&writer, "a ");
  writer_decimal(&writer, 0, 1);
  writer_char(&writer, ' ');
  writer_decimal(&writer, 7, 3);
  writer_char(&writer, ' ');
  writer_decimal(&writer, UINT64_MAX, 1);
  writer_char(&writer, ' ');
  writer_hex(&writer, "\x0f\xa0", 2);
  writer_bytes(&writer, "!?", 1);
  assert_int_equal(writer_finish(&writer), 34);
  assert_string_equal(buffer, "a 0 007 18446744073709551615 0fa0!");
}

static void a_number_has_a_digit_at_least(void **state) {
  (void)state;
  char buffer[8];
  struct writer writer;
  writer_init(&writer, buffer, sizeof buffer);
  writer_decimal(&writer, 0, 0);
  writer_decimal(&writer, 5, 0);
  writer_finish(&writer);
  assert_string_equal(buffer, "05");
}

static void what_does_not_fit_ends_in_dots(void **state) {
  (void)state;
  static const char *const expected[] = {"", "", ".", "..", "...", "a...", "ab...", "abc...", "abcdefg", "abcdefg"};
  for (size_t capacity = 0; capacity < sizeof expected / sizeof expected[0]; ++capacity) {
    char *buffer = malloc(capacity);
    struct writer writer;
    writer_init(&writer, buffer, capacity);
    writer_text(&writer, "abcdefg");
    size_t size = writer_finish(&writer);
    assert_int_equal(size, strlen(expected[capacity]));
    if (capacity > 0) assert_string_equal(buffer, expected[capacity]);
    free(buffer);
  }
}

static void nothing_is_written_after_the_cut(void **state) {
  (void)state;
  char buffer[8];
  struct writer writer;
  writer_init(&writer, buffer, sizeof buffer);
  writer_text(&writer, "123456789");
  assert_true(writer.cut);
  writer_char(&writer, 'x');
  writer_hex(&writer, "y", 1);
  writer_finish(&writer);
  assert_string_equal(buffer, "1234...");
}

static void the_dots_do_not_split_a_character(void **state) {
  (void)state;
  char buffer[10];
  struct writer writer;
  writer_init(&writer, buffer, sizeof buffer);
  writer_text(&writer, "abcd\xe2\x82\xac\xe2\x82\xac"); /* two euro signs, of three bytes each */
  writer_finish(&writer);
  assert_string_equal(buffer, "abcd...");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_numbers_and_bytes_follow_each_other), cmocka_unit_test(a_number_has_a_digit_at_least),
      cmocka_unit_test(what_does_not_fit_ends_in_dots),           cmocka_unit_test(nothing_is_written_after_the_cut),
      cmocka_unit_test(the_dots_do_not_split_a_character),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
