/* JSON as it is read: what RFC 8259 allows and what it does not, and what strings stand for. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/data/json_reader.h"
#include "cli/data/number.h"

static copal_bytes bytes(const char *text) { return (copal_bytes){(const uint8_t *)text, strlen(text)}; }

static void assert_good(const char *text) {
  const char *wrong;
  size_t at;
  if (!json_reader_check(bytes(text), &wrong, &at)) fail_msg("%s: %s at %zu", text, wrong, at);
}

static void assert_wrong(const char *text, size_t where, const char *why) {
  const char *wrong;
  size_t at;
  if (json_reader_check(bytes(text), &wrong, &at)) fail_msg("%s passes", text);
  assert_string_equal(wrong, why);
  if (at != where) fail_msg("%s: at %zu", text, at);
}

/* RFC 8259 2: "A JSON text is a serialized value. Note that certain previous specifications of JSON constrained a JSON
 * text to be an object or an array." */
static void every_value_is_a_text(void **state) {
  (void)state;
  const char *const texts[] = {"0",
                               "-0",
                               "10.5",
                               "1e5",
                               "1E+5",
                               "-1.0e-05",
                               "\"\"",
                               "true",
                               "false",
                               " null\t\r\n ",
                               "[]",
                               "{}",
                               "[1,2]",
                               "[[],{}]",
                               "{\"a\":1}",
                               "{\"a\" : [ ] , \"a\":{}}",
                               "\"\\\"\\/\\b\\f\\n\\r\\t\\u00e9\"",
                               "\"\xc3\xa9\xf0\x9f\x98\x80\x7f\""};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) assert_good(texts[i]);
}

static void what_is_no_json_is_told_with_its_place(void **state) {
  (void)state;
  assert_wrong("", 0, "a value is missing");
  assert_wrong("  ", 2, "a value is missing");
  assert_wrong("nul", 0, "a value is missing");
  assert_wrong("NaN", 0, "a value is missing");
  assert_wrong("[1,]", 3, "a value is missing");
  assert_wrong("[1 2]", 3, "a comma or ] is missing");
  assert_wrong("[1", 2, "a comma or ] is missing");
  assert_wrong("{\"a\":1,}", 7, "a name in quotes is missing");
  assert_wrong("{a:1}", 1, "a name in quotes is missing");
  assert_wrong("{\"a\" 1}", 5, "a colon is missing");
  assert_wrong("{\"a\":1 \"b\":2}", 7, "a comma or } is missing");
  assert_wrong("{\"a\":1]", 6, "a comma or } is missing");
  assert_wrong("1 2", 2, "something stands behind the end");
  assert_wrong("01", 0, "a number begins with 0");
  assert_wrong("-", 0, "digits are missing");
  assert_wrong("1.", 0, "digits are missing");
  assert_wrong(".5", 0, "a value is missing");
  assert_wrong("1e", 0, "digits are missing");
  assert_wrong("+1", 0, "a value is missing");
  assert_wrong("\"a", 2, "a quote is missing");
  assert_wrong("\"a\\", 2, "that is no escape");
  assert_wrong("\"\\x\"", 1, "that is no escape");
  assert_wrong("\"\\u12g4\"", 1, "that is no escape");
  assert_wrong("\"a\nb\"", 2, "a control character stands in a string");
  assert_wrong("\"\xc3\"", 1, "that is not UTF-8");
  assert_wrong("\"\xc0\x80\"", 1, "that is not UTF-8");
  assert_wrong("\"\xed\xa0\x80\"", 1, "that is not UTF-8");
  assert_wrong("\"\xf4\x90\x80\x80\"", 1, "that is not UTF-8");
  assert_wrong("\xef\xbb\xbf{}", 0, "a value is missing");
}

static void levels_end_at_the_limit(void **state) {
  (void)state;
  char text[2 * JSON_NESTING_MAX + 4];
  memset(text, '[', JSON_NESTING_MAX);
  memset(text + JSON_NESTING_MAX, ']', JSON_NESTING_MAX);
  text[2 * JSON_NESTING_MAX] = '\0';
  assert_good(text);
  memset(text, '[', JSON_NESTING_MAX + 1);
  assert_wrong(text, JSON_NESTING_MAX, "it nests more than 64 deep");
}

static void tokens_come_as_they_stand(void **state) {
  (void)state;
  static const struct {
    enum json_kind kind;
    const char *text;
  } expected[] = {
      {JSON_OBJECT_BEGIN, "{"}, {JSON_KEY, "\"k\""},   {JSON_ARRAY_BEGIN, "["}, {JSON_NUMBER, "1.50"},
      {JSON_TRUE, "true"},      {JSON_ARRAY_END, "]"}, {JSON_KEY, "\"l\""},     {JSON_STRING, "\"\\u0041\""},
      {JSON_OBJECT_END, "}"},   {JSON_END, ""},        {JSON_END, ""}};
  struct json_reader reader;
  json_reader_begin(&reader, bytes(" { \"k\" : [ 1.50 , true ] , \"l\":\"\\u0041\" } "));
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; ++i) {
    struct json_token token = json_reader_next(&reader);
    assert_int_equal(token.kind, expected[i].kind);
    assert_int_equal(token.text.size, strlen(expected[i].text));
    if (token.text.size > 0) assert_memory_equal(token.text.data, expected[i].text, token.text.size);
  }
}

static void assert_unescaped(const char *token, const char *expected) {
  uint8_t buffer[64];
  size_t size;
  assert_true(json_reader_unescape(bytes(token), buffer, &size));
  assert_int_equal(size, strlen(expected));
  assert_memory_equal(buffer, expected, size);
}

/* RFC 8259 7: "a string containing only the G clef character (U+1D11E) may be represented as "\\uD834\\uDD1E"". */
static void escapes_are_resolved(void **state) {
  (void)state;
  assert_unescaped("\"plain\"", "plain");
  assert_unescaped("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
  assert_unescaped("\"\\u0041\\u00e9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac");
  assert_unescaped("\"\\uD834\\uDD1E\"", "\xf0\x9d\x84\x9e");
  uint8_t buffer[64];
  size_t size;
  assert_false(json_reader_unescape(bytes("\"\\ud834\""), buffer, &size));
  assert_false(json_reader_unescape(bytes("\"\\udd1e\\ud834\""), buffer, &size));
  assert_false(json_reader_unescape(bytes("\"\\ud834\\u0041\""), buffer, &size));
}

static void assert_number(double number, const char *plain, const char *with_fraction) {
  char text[NUMBER_TEXT_MAX];
  assert_string_equal(number_text(number, false, text), plain);
  assert_string_equal(number_text(number, true, text), with_fraction);
}

/* RFC 8949 appendix A has these. */
static void numbers_are_as_short_as_they_can_be(void **state) {
  (void)state;
  assert_number(0.0, "0", "0.0");
  assert_number(-0.0, "-0", "-0.0");
  assert_number(1.0, "1", "1.0");
  assert_number(1.1, "1.1", "1.1");
  assert_number(-4.1, "-4.1", "-4.1");
  assert_number(65504.0, "65504", "65504.0");
  assert_number(100000.0, "100000", "100000.0");
  assert_number(3.4028234663852886e+38, "3.4028234663852886e+38", "3.4028234663852886e+38");
  assert_number(1.0e+300, "1e+300", "1.0e+300");
  assert_number(5.960464477539063e-8, "5.960464477539063e-8", "5.960464477539063e-8");
  assert_number(0.00006103515625, "0.00006103515625", "0.00006103515625");
  assert_number(123456789012345680000.0, "123456789012345680000", "123456789012345680000.0");
  assert_number(1e21, "1e+21", "1.0e+21");
  assert_number(-1.7976931348623157e308, "-1.7976931348623157e+308", "-1.7976931348623157e+308");
  assert_number(5e-324, "5e-324", "5.0e-324");
}

static void a_number_that_no_double_holds_is_refused(void **state) {
  (void)state;
  double number;
  assert_true(number_read(bytes("-12.5e1"), &number));
  assert_true(number == -125.0);
  assert_true(number_read(bytes("1e-999"), &number));
  assert_false(number_read(bytes("1e999"), &number));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_value_is_a_text),
      cmocka_unit_test(what_is_no_json_is_told_with_its_place),
      cmocka_unit_test(levels_end_at_the_limit),
      cmocka_unit_test(tokens_come_as_they_stand),
      cmocka_unit_test(escapes_are_resolved),
      cmocka_unit_test(numbers_are_as_short_as_they_can_be),
      cmocka_unit_test(a_number_that_no_double_holds_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
