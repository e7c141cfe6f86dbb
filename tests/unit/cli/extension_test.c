/* Content-Formats by the ending of a name, and back. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include "cli/serve/extension.h"
#include "copal/message.h"

static void endings_have_their_formats(void **state) {
  (void)state;
  assert_int_equal(extension_format("a.txt"), 0);
  assert_int_equal(extension_format("a.link"), 40);
  assert_int_equal(extension_format("a.xml"), 41);
  assert_int_equal(extension_format("a.bin"), 42);
  assert_int_equal(extension_format("a.json"), 50);
  assert_int_equal(extension_format("a.cbor"), 60);
  assert_int_equal(extension_format("a.jpg"), 22);
  assert_int_equal(extension_format("a.senml"), 110);
}

static void a_subtype_of_the_registry_is_an_ending(void **state) {
  (void)state;
  assert_int_equal(extension_format("a.exi"), 47);
  assert_int_equal(extension_format("a.jpeg"), 22);
  assert_int_equal(extension_format("a.cwt"), 61);
}

static void the_last_ending_counts_in_whatever_case(void **state) {
  (void)state;
  assert_int_equal(extension_format("a.json.txt"), 0);
  assert_int_equal(extension_format("A.JSON"), 50);
}

static void what_tells_nothing_is_octets(void **state) {
  (void)state;
  static const char *const names[] = {"", "a", "json", ".json", "a.", "a.unheard-of", "a.50", "a.0", "a.txt~"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    assert_int_equal(extension_format(names[i]), COPAL_OCTET_STREAM);
  }
}

static void a_new_file_gets_an_ending_that_has_its_format(void **state) {
  (void)state;
  assert_string_equal(extension_for(COPAL_TEXT_PLAIN), ".txt");
  assert_string_equal(extension_for(COPAL_JSON), ".json");
  assert_string_equal(extension_for(COPAL_CBOR), ".cbor");
  assert_string_equal(extension_for(COPAL_OCTET_STREAM), "");
  assert_string_equal(extension_for(COPAL_FORMAT_NONE), "");
  assert_string_equal(extension_for(65000), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(endings_have_their_formats),
      cmocka_unit_test(a_subtype_of_the_registry_is_an_ending),
      cmocka_unit_test(the_last_ending_counts_in_whatever_case),
      cmocka_unit_test(what_tells_nothing_is_octets),
      cmocka_unit_test(a_new_file_gets_an_ending_that_has_its_format),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
