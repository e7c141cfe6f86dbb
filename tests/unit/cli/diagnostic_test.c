/* CBOR in diagnostic notation: the examples of RFC 8949 appendix A, and what is not well-formed. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>
#include <string.h>

#include "cli/data/cbor_walk.h"
#include "cli/line/value.h"
#include "cli/show/diagnostic.h"

/* Appendix A, all of it; bignums are shown as what they are, tags and byte strings, and characters as themselves. */
static const struct {
  const char *hex, *text;
} examples[] = {
    {"00", "0"},
    {"01", "1"},
    {"0a", "10"},
    {"17", "23"},
    {"1818", "24"},
    {"1819", "25"},
    {"1864", "100"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"c249010000000000000000", "2(h'010000000000000000')"},
    {"3bffffffffffffffff", "-18446744073709551616"},
    {"c349010000000000000000", "3(h'010000000000000000')"},
    {"20", "-1"},
    {"29", "-10"},
    {"3863", "-100"},
    {"3903e7", "-1000"},
    {"f90000", "0.0"},
    {"f98000", "-0.0"},
    {"f93c00", "1.0"},
    {"fb3ff199999999999a", "1.1"},
    {"f93e00", "1.5"},
    {"f97bff", "65504.0"},
    {"fa47c35000", "100000.0"},
    {"fa7f7fffff", "3.4028234663852886e+38"},
    {"fb7e37e43c8800759c", "1.0e+300"},
    {"f90001", "5.960464477539063e-8"},
    {"f90400", "0.00006103515625"},
    {"f9c400", "-4.0"},
    {"fbc010666666666666", "-4.1"},
    {"f97c00", "Infinity"},
    {"f97e00", "NaN"},
    {"f9fc00", "-Infinity"},
    {"fa7f800000", "Infinity"},
    {"fa7fc00000", "NaN"},
    {"faff800000", "-Infinity"},
    {"fb7ff0000000000000", "Infinity"},
    {"fb7ff8000000000000", "NaN"},
    {"fbfff0000000000000", "-Infinity"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "undefined"},
    {"f0", "simple(16)"},
    {"f8ff", "simple(255)"},
    {"c074323031332d30332d32315432303a30343a30305a", "0(\"2013-03-21T20:04:00Z\")"},
    {"c11a514b67b0", "1(1363896240)"},
    {"c1fb41d452d9ec200000", "1(1363896240.5)"},
    {"d74401020304", "23(h'01020304')"},
    {"d818456449455446", "24(h'6449455446')"},
    {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", "32(\"http://www.example.com\")"},
    {"40", "h''"},
    {"4401020304", "h'01020304'"},
    {"60", "\"\""},
    {"6161", "\"a\""},
    {"6449455446", "\"IETF\""},
    {"62225c", "\"\\\"\\\\\""},
    {"62c3bc", "\"ü\""},
    {"63e6b0b4", "\"水\""},
    {"64f0908591", "\"𐅑\""},
    {"80", "[]"},
    {"83010203", "[1, 2, 3]"},
    {"8301820203820405", "[1, [2, 3], [4, 5]]"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
     "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"},
    {"a0", "{}"},
    {"a201020304", "{1: 2, 3: 4}"},
    {"a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"},
    {"826161a161626163", "[\"a\", {\"b\": \"c\"}]"},
    {"a56161614161626142616361436164614461656145",
     "{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}"},
    {"5f42010243030405ff", "(_ h'0102', h'030405')"},
    {"7f657374726561646d696e67ff", "(_ \"strea\", \"ming\")"},
    {"9fff", "[_ ]"},
    {"9f018202039f0405ffff", "[_ 1, [2, 3], [_ 4, 5]]"},
    {"9f01820203820405ff", "[_ 1, [2, 3], [4, 5]]"},
    {"83018202039f0405ff", "[1, [2, 3], [_ 4, 5]]"},
    {"83019f0203ff820405", "[1, [_ 2, 3], [4, 5]]"},
    {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
     "[_ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"},
    {"bf61610161629f0203ffff", "{_ \"a\": 1, \"b\": [_ 2, 3]}"},
    {"826161bf61626163ff", "[\"a\", {_ \"b\": \"c\"}]"},
    {"bf6346756ef563416d7421ff", "{_ \"Fun\": true, \"Amt\": -2}"},
};

static uint8_t room[512];

static copal_bytes from_hex(const char *hex) {
  size_t size = 0;
  assert_int_equal(value_hex(hex, strlen(hex), room, sizeof room, &size), HEX_OK);
  return (copal_bytes){room, size};
}

static void assert_shown(const char *hex, bool sequence, bool pretty, const char *expected) {
  copal_bytes bytes = from_hex(hex);
  const char *wrong;
  if (!cbor_walk_check(bytes, sequence, &wrong)) fail_msg("%s: %s", hex, wrong);
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  assert_non_null(stream);
  if (pretty) {
    diagnostic_print(stream, bytes, sequence);
  } else {
    diagnostic_line(stream, bytes, sequence);
  }
  fclose(stream);
  assert_string_equal(text, expected);
  free(text);
}

static void assert_wrong(const char *hex, const char *why) {
  const char *wrong;
  if (cbor_walk_check(from_hex(hex), false, &wrong)) fail_msg("%s passes", hex);
  assert_string_equal(wrong, why);
}

static void the_examples_of_rfc_8949_are_shown_as_it_does(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; ++i) {
    assert_shown(examples[i].hex, false, false, examples[i].text);
  }
}

/* RFC 8949 8.1: "The basic forms ''_ and ""_ can be used instead and are reserved for the case of no chunks only". */
static void strings_without_chunks_are_told_apart(void **state) {
  (void)state;
  assert_shown("5fff", false, false, "''_");
  assert_shown("7fff", false, false, "\"\"_");
  assert_shown("5f40ff", false, false, "(_ h'')");
}

static void people_get_a_line_an_item(void **state) {
  (void)state;
  assert_shown("a2016161028301f6a0", false, true, "{\n  1: \"a\",\n  2: [\n    1,\n    null,\n    {}\n  ]\n}\n");
  assert_shown("bf61619f01ffff", false, true, "{_\n  \"a\": [_\n    1\n  ]\n}\n");
}

static void a_sequence_has_any_number_of_items(void **state) {
  (void)state;
  assert_shown("", true, false, "");
  assert_shown("016161f6", true, false, "1, \"a\", null");
  assert_shown("0102", true, true, "1,\n2\n");
}

static void text_that_a_terminal_would_obey_is_escaped(void **state) {
  (void)state;
  assert_shown("641b5b326d", false, false, "\"\\u001b[2m\"");
  assert_shown("62c29b", false, false, "\"\\u009b\"");
}

/* RFC 8949 appendix F has such examples. */
static void what_is_not_well_formed_is_refused(void **state) {
  (void)state;
  assert_wrong("", "it ends too early");
  assert_wrong("18", "an item is cut short, or of no known kind");
  assert_wrong("5affffffff00", "an item is cut short, or of no known kind");
  assert_wrong("1c", "an item is cut short, or of no known kind");
  assert_wrong("3f", "an item is cut short, or of no known kind");
  assert_wrong("df00", "an item is cut short, or of no known kind");
  assert_wrong("f800", "an item is cut short, or of no known kind");
  assert_wrong("f81f", "an item is cut short, or of no known kind");
  assert_wrong("8201", "it ends too early");
  assert_wrong("9f01", "it ends too early");
  assert_wrong("9bffffffffffffffff00", "it ends too early");
  assert_wrong("bbffffffffffffffff00", "it ends too early");
  assert_wrong("bb800000000000000000", "it ends too early");
  assert_wrong("c0", "it ends too early");
  assert_wrong("0000", "something stands behind the end");
  assert_wrong("ff", "a break stands where nothing is to be ended");
  assert_wrong("81ff", "a break stands where nothing is to be ended");
  assert_wrong("c1ff", "a break stands where nothing is to be ended");
  assert_wrong("bf00ff", "a key has no value");
  assert_wrong("5f00ff", "a string has a chunk of another kind");
  assert_wrong("5f6100ff", "a string has a chunk of another kind");
  assert_wrong("7f7f6100ffff", "a string has a chunk of another kind");
  assert_wrong("5fc040ff", "a string has a chunk of another kind");
  assert_wrong("61ff", "a text is not UTF-8");
  assert_wrong("7f61c361a9ff", "a text is not UTF-8");
}

static void levels_end_at_the_limit(void **state) {
  (void)state;
  uint8_t deep[CBOR_NESTING_MAX + 2];
  const char *wrong;
  memset(deep, 0x81, sizeof deep);
  deep[CBOR_NESTING_MAX] = 0;
  assert_true(cbor_walk_check((copal_bytes){deep, CBOR_NESTING_MAX + 1}, false, &wrong));
  deep[CBOR_NESTING_MAX] = 0xc1;
  deep[CBOR_NESTING_MAX + 1] = 0;
  assert_false(cbor_walk_check((copal_bytes){deep, CBOR_NESTING_MAX + 2}, false, &wrong));
  assert_string_equal(wrong, "it nests more than 64 deep");
}

int main(void) {
  if (!cbor_is_built()) return 0;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_examples_of_rfc_8949_are_shown_as_it_does),
      cmocka_unit_test(strings_without_chunks_are_told_apart),
      cmocka_unit_test(people_get_a_line_an_item),
      cmocka_unit_test(a_sequence_has_any_number_of_items),
      cmocka_unit_test(text_that_a_terminal_would_obey_is_escaped),
      cmocka_unit_test(what_is_not_well_formed_is_refused),
      cmocka_unit_test(levels_end_at_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
