/* The number that a body tells. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/observe/reading.h"

static bool read_text(const char *text, double *value) {
  return reading_of((copal_bytes){(const uint8_t *)text, strlen(text)}, value);
}

static void assert_reading(const char *text, double expected) {
  double value = -1;
  if (!read_text(text, &value)) fail_msg("\"%s\" has no number", text);
  if (value > expected || value < expected) fail_msg("\"%s\" has %g", text, value);
}

static void assert_no_reading(const char *text) {
  double value;
  if (read_text(text, &value)) fail_msg("\"%s\" has %g", text, value);
}

static void a_text_may_be_a_number(void **state) {
  (void)state;
  assert_reading("21.5", 21.5);
  assert_reading("  -3\n", -3);
  assert_reading("+.5", 0.5);
  assert_reading("5.", 5);
  assert_reading("1e3", 1000);
  assert_reading("-1.5E-3", -0.0015);
}

static void words_and_units_may_stand_beside_it(void **state) {
  (void)state;
  assert_reading("21.5C", 21.5);
  assert_reading("temperature: 21.5 C", 21.5);
  assert_reading("temperature=21.5", 21.5);
  assert_reading(
      "\xc2\xb1"
      "4 %",
      4);
  assert_reading("12 of 40", 12);
}

static void a_number_within_a_word_is_none(void **state) {
  (void)state;
  assert_reading("sensor2 7", 7);
  assert_reading("room_3: 8", 8);
  assert_reading("1.5.2", 1.5);
  assert_no_reading("sensor2");
  assert_no_reading("v1.5");
}

static void of_json_it_is_the_value(void **state) {
  (void)state;
  assert_reading("{\"temperature\":21.5}", 21.5);
  assert_reading("[{\"bn\":\"urn:dev:ow:10e2073a01080063\",\"bt\":1276020076,\"n\":\"t\",\"v\":23.5,\"u\":\"Cel\"}]",
                 23.5);
  assert_reading("{\"id\":7, \"value\" : -2}", -2);
  assert_reading("[3,4]", 3);
}

static void names_and_strings_of_json_are_none(void **state) {
  (void)state;
  assert_reading("{\"sensor 9\":\"10\",\"x\":11}", 11);
  assert_reading("{\"a \\\" 9\":12}", 12);
  assert_no_reading("\"12\"");
  assert_no_reading("\"12");
  assert_no_reading("{\"v\":\"12\"}");
}

/* What is within the member is not the member's number. */
static void a_value_that_is_no_number_leaves_the_first_one(void **state) {
  (void)state;
  assert_reading("{\"x\":3,\"v\":\"high\",\"y\":4}", 3);
  assert_reading("{\"x\":3,\"v\":{\"low\":4}}", 3);
}

static void what_has_no_number_has_none(void **state) {
  (void)state;
  assert_no_reading("");
  assert_no_reading("on");
  assert_no_reading("-");
  assert_no_reading(".e5");
  assert_no_reading("nan inf");
  assert_no_reading("1e999");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_text_may_be_a_number),
      cmocka_unit_test(words_and_units_may_stand_beside_it),
      cmocka_unit_test(a_number_within_a_word_is_none),
      cmocka_unit_test(of_json_it_is_the_value),
      cmocka_unit_test(names_and_strings_of_json_are_none),
      cmocka_unit_test(a_value_that_is_no_number_leaves_the_first_one),
      cmocka_unit_test(what_has_no_number_has_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
