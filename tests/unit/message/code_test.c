/* Names of codes and types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "copal/message.h"

static void registered_codes_have_their_names(void **state) {
  (void)state;
  static const struct {
    uint8_t code;
    const char *name;
  } codes[] = {
      {0x00, "Empty"},
      {0x01, "GET"},
      {0x04, "DELETE"},
      {0x07, "iPATCH"},
      {0x41, "Created"},
      {0x45, "Content"},
      {0x5f, "Continue"},
      {0x80, "Bad Request"},
      {0x84, "Not Found"},
      {0x88, "Request Entity Incomplete"},
      {0x8f, "Unsupported Content-Format"},
      {0x9d, "Too Many Requests"},
      {0xa0, "Internal Server Error"},
      {0xa8, "Hop Limit Reached"},
      {0xe1, "CSM"},
      {0xe5, "Abort"},
  };
  for (size_t index = 0; index < sizeof codes / sizeof codes[0]; ++index) {
    assert_string_equal(copal_code_name(codes[index].code), codes[index].name);
  }
}

static void other_codes_have_none(void **state) {
  (void)state;
  size_t named = 0;
  for (unsigned code = 0; code < 256; ++code) named += copal_code_name((uint8_t)code) != NULL;
#define CODE_COUNT(name, class_, detail, text) +1
  assert_int_equal(named, COPAL_CODES(CODE_COUNT));
#undef CODE_COUNT
  static const uint8_t unregistered[] = {0x08, 0x20, 0x40, 0x46, 0x60, 0x87, 0x9f, 0xa6, 0xc0, 0xe0, 0xff};
  for (size_t index = 0; index < sizeof unregistered; ++index) assert_null(copal_code_name(unregistered[index]));
}

/* RFC 7252 3: "The class can indicate a request (0), a success response (2), a client error response (4), or a server
 * error response (5)." */
static void classes_tell_requests_from_responses(void **state) {
  (void)state;
  for (unsigned code = 0; code < 256; ++code) {
    unsigned class_ = code >> 5;
    assert_int_equal(copal_code_is_request(code), class_ == 0 && code != 0);
    assert_int_equal(copal_code_is_response(code), class_ == 2 || class_ == 4 || class_ == 5);
    assert_int_equal(COPAL_CODE(COPAL_CODE_CLASS(code), COPAL_CODE_DETAIL(code)), code);
  }
}

static void types_have_their_names(void **state) {
  (void)state;
  assert_string_equal(copal_type_name(COPAL_CON), "CON");
  assert_string_equal(copal_type_name(COPAL_NON), "NON");
  assert_string_equal(copal_type_name(COPAL_ACK), "ACK");
  assert_string_equal(copal_type_name(COPAL_RST), "RST");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(registered_codes_have_their_names),
      cmocka_unit_test(other_codes_have_none),
      cmocka_unit_test(classes_tell_requests_from_responses),
      cmocka_unit_test(types_have_their_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
