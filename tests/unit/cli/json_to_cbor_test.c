/* JSON of the command line as CBOR, in preferred serialization: the examples of RFC 8949 appendix A again. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "cli/data/json_reader.h"
#include "cli/data/json_to_cbor.h"

static bool is_senml;

static const char *encode(const char *json, char *hex) {
  static uint8_t room[256];
  struct cbor_writer writer = {room, sizeof room, 0, false};
  copal_bytes text = {(const uint8_t *)json, strlen(json)};
  assert_true(json_reader_check(text, NULL, NULL));
  const char *wrong = json_to_cbor(text, is_senml, &writer);
  for (size_t i = 0; i < writer.size; ++i) sprintf(hex + 2 * i, "%02x", room[i]);
  hex[2 * writer.size] = '\0';
  return wrong;
}

static void assert_encoded(const char *json, const char *expected) {
  char hex[513];
  const char *wrong = encode(json, hex);
  if (wrong != NULL) fail_msg("%s: %s", json, wrong);
  assert_string_equal(hex, expected);
}

static void integers_are_as_short_as_they_can_be(void **state) {
  (void)state;
  assert_encoded("0", "00");
  assert_encoded("23", "17");
  assert_encoded("24", "1818");
  assert_encoded("1000", "1903e8");
  assert_encoded("1000000", "1a000f4240");
  assert_encoded("1000000000000", "1b000000e8d4a51000");
  assert_encoded("18446744073709551615", "1bffffffffffffffff");
  assert_encoded("-1", "20");
  assert_encoded("-1000", "3903e7");
  assert_encoded("-18446744073709551615", "3bfffffffffffffffe");
}

/* RFC 8949 4.1: "Preferred serialization also uses the shortest floating-point encoding that preserves the value being
 * encoded." */
static void other_numbers_keep_their_value(void **state) {
  (void)state;
  assert_encoded("0.0", "f90000");
  assert_encoded("-0", "f98000");
  assert_encoded("1.0", "f93c00");
  assert_encoded("1.5", "f93e00");
  assert_encoded("65504.0", "f97bff");
  assert_encoded("65505.0", "fa477fe100");
  assert_encoded("5.960464477539063e-8", "f90001");
  assert_encoded("0.00006103515625", "f90400");
  assert_encoded("-4.0", "f9c400");
  assert_encoded("100000.0", "fa47c35000");
  assert_encoded("3.4028234663852886e+38", "fa7f7fffff");
  assert_encoded("1.1", "fb3ff199999999999a");
  assert_encoded("-4.1", "fbc010666666666666");
  assert_encoded("1e300", "fb7e37e43c8800759c");
  assert_encoded("1e2", "f95640");
  assert_encoded("18446744073709551616", "fa5f800000");
}

static void strings_lists_and_members_stand_in_their_order(void **state) {
  (void)state;
  assert_encoded("\"\"", "60");
  assert_encoded("\"\\u00fc\"", "62c3bc");
  assert_encoded("\"\\ud800\\udd51\"", "64f0908591");
  assert_encoded("[true, false, null]", "83f5f4f6");
  assert_encoded("[]", "80");
  assert_encoded("{}", "a0");
  assert_encoded("[1, [2, 3], [4, 5]]", "8301820203820405");
  assert_encoded("{\"a\": 1, \"b\": [2, 3]}", "a26161016162820203");
  assert_encoded("[\"a\", {\"b\": \"c\"}]", "826161a161626163");
  assert_encoded("{\"b\":{\"x\":[{}]},\"a\":0}", "a26162a1617881a0616100");
}

/* RFC 8428 6: "the CBOR representation uses integers for the labels", and "Octets in the Data Value are encoded using a
 * byte string". */
static void senml_has_its_numbers(void **state) {
  (void)state;
  is_senml = true;
  assert_encoded("[{\"bn\":\"d\",\"n\":\"x\",\"v\":1},{\"vd\":\"AQI\",\"x\":{\"n\":\"n\"}}]",
                 "82a32161640061780201a2084201026178a1616e616e");
  assert_encoded("{\"n\":1}", "a1616e01");
  char hex[513];
  assert_string_equal(encode("[{\"vd\":\"A\"}]", hex), "a data value is no base64");
  is_senml = false;
}

static void what_has_no_cbor_is_refused(void **state) {
  (void)state;
  char hex[513];
  assert_string_equal(encode("\"\\ud800\"", hex), "half of a surrogate pair is no character");
  assert_string_equal(encode("1e999", hex), "a number is too large");
  struct cbor_writer writer = {(uint8_t[4]){0}, 4, 0, false};
  static const char long_text[] = "\"abcd\"";
  assert_string_equal(json_to_cbor((copal_bytes){(const uint8_t *)long_text, 6}, false, &writer), "it is too large");
}

static void a_build_without_cbor_says_so(void **state) {
  (void)state;
  char hex[513];
  assert_string_equal(encode("1", hex), "this build of the command has no CBOR: it was made without libcbor");
}

int main(void) {
  const struct CMUnitTest without[] = {cmocka_unit_test(a_build_without_cbor_says_so)};
  if (!cbor_is_built()) return cmocka_run_group_tests(without, NULL, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers_are_as_short_as_they_can_be),
      cmocka_unit_test(other_numbers_keep_their_value),
      cmocka_unit_test(strings_lists_and_members_stand_in_their_order),
      cmocka_unit_test(senml_has_its_numbers),
      cmocka_unit_test(what_has_no_cbor_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
