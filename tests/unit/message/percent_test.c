/* Character sets and percent-encoding, each set written out against RFC 3986's words. */
#include "message/percent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static copal_bytes bytes_of(const char *text) { return (copal_bytes){(const uint8_t *)text, strlen(text)}; }

static void assert_set(uri_component component, const char *allowed) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    bool expected = byte != 0 && byte < 128 && strchr(allowed, (int)byte) != NULL;
    if (component_allows(component, (uint8_t)byte) != expected) fail_msg("byte %u", byte);
  }
}

/* RFC 3986 2.2, 2.3 and 3.2.2, RFC 7252 6.5 steps 6 and 8. */
static void each_component_has_its_characters(void **state) {
  (void)state;
  assert_set(COMPONENT_HOST, UNRESERVED "!$&'()*+,;=");
  assert_set(COMPONENT_SEGMENT, UNRESERVED "!$&'()*+,;=:@");
  assert_set(COMPONENT_ARGUMENT, UNRESERVED "!$'()*+,;=:@/?");
}

static void escapes_become_bytes(void **state) {
  (void)state;
  uint8_t buffer[8];
  assert_int_equal(percent_decode(bytes_of("a%2fB%C3%a9"), false, buffer, sizeof buffer), 5);
  assert_memory_equal(buffer, "a/B\xc3\xa9", 5);
  assert_int_equal(percent_decode(bytes_of("%00%25%32%35"), false, buffer, sizeof buffer), 4);
  assert_memory_equal(buffer, "\0%25", 4);
}

static void only_what_was_not_encoded_is_lowered(void **state) {
  (void)state;
  uint8_t buffer[8];
  assert_int_equal(percent_decode(bytes_of("AZ%41az"), true, buffer, sizeof buffer), 5);
  assert_memory_equal(buffer, "azAaz", 5);
}

static void space_is_respected_to_the_byte(void **state) {
  (void)state;
  uint8_t buffer[4];
  assert_int_equal(percent_decode(bytes_of("a%20bc"), false, buffer, 4), 4);
  assert_int_equal(percent_decode(bytes_of("a%20bcd"), false, buffer, 4), COPAL_ERR_SPACE);
  assert_int_equal(percent_decode(bytes_of(""), false, buffer, 0), 0);
}

static void broken_escapes_are_told_from_stray_bytes(void **state) {
  (void)state;
  static const char *const broken[] = {"%", "%4", "a%", "a%4", "%g0", "%0g", "%%41", "%-1"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; ++i) {
    uint8_t buffer[8];
    assert_int_equal(percent_check(bytes_of(broken[i]), COMPONENT_SEGMENT, '/'), COPAL_ERR_URI_ESCAPE);
    assert_int_equal(percent_decode(bytes_of(broken[i]), false, buffer, sizeof buffer), COPAL_ERR_URI_ESCAPE);
  }
  static const char *const stray[] = {"a b", "\"", "<", "\xc3\xa9", "a\n", "[", "a#"};
  for (size_t i = 0; i < sizeof stray / sizeof *stray; ++i) {
    assert_int_equal(percent_check(bytes_of(stray[i]), COMPONENT_SEGMENT, '/'), COPAL_ERR_URI_SYNTAX);
  }
  copal_bytes nul = {(const uint8_t *)"a\0", 2};
  assert_int_equal(percent_check(nul, COMPONENT_SEGMENT, '\0'), COPAL_ERR_URI_SYNTAX);
  assert_int_equal(percent_check(bytes_of("a/%2F/b"), COMPONENT_SEGMENT, '/'), COPAL_OK);
  assert_int_equal(percent_check(bytes_of("a/b"), COMPONENT_SEGMENT, '\0'), COPAL_ERR_URI_SYNTAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_component_has_its_characters),        cmocka_unit_test(escapes_become_bytes),
      cmocka_unit_test(only_what_was_not_encoded_is_lowered),     cmocka_unit_test(space_is_respected_to_the_byte),
      cmocka_unit_test(broken_escapes_are_told_from_stray_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
