/* No-Response: which responses a client says that it has no interest in. RFC 7967 section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message/silence.h"

/* The option of a request that has it with that value; NULL for a request without. */
static uint8_t no_response(const char *value, size_t size) {
  static uint8_t buffer[32];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_PUT);
  if (value != NULL) copal_message_add_raw(&message, COPAL_OPTION_NO_RESPONSE, value, size);
  assert_int_equal(message.error, COPAL_OK);
  copal_view view = copal_message_view(&message);
  return message_no_response(&view);
}

static void assert_unwanted(uint8_t no_response, bool success, bool client_error, bool server_error) {
  assert_int_equal(message_is_unwanted(no_response, COPAL_CHANGED), success);
  assert_int_equal(message_is_unwanted(no_response, COPAL_NOT_FOUND), client_error);
  assert_int_equal(message_is_unwanted(no_response, COPAL_INTERNAL_SERVER_ERROR), server_error);
}

/* RFC 7967 2.1, table 2: 2, 8 and 16 for "not interested in" 2.xx, 4.xx and 5.xx responses. */
static void each_class_has_its_bit(void **state) {
  (void)state;
  for (int value = 0; value < 256; ++value) {
    char byte = (char)value;
    assert_unwanted(no_response(&byte, 1), (value & 2) != 0, (value & 8) != 0, (value & 16) != 0);
  }
}

/* RFC 7967 2.1: the empty option, which is 0, stands for "interested in all responses". */
static void without_the_option_or_with_none_of_its_bits_all_are_wanted(void **state) {
  (void)state;
  assert_unwanted(no_response(NULL, 0), false, false, false);
  assert_unwanted(no_response("", 0), false, false, false);
  assert_int_equal(no_response(NULL, 0), NO_RESPONSE_ABSENT);
  assert_int_not_equal(no_response("", 0), NO_RESPONSE_ABSENT);
}

/* RFC 7252 5.4.3 has an elective option of illegal length ignored. */
static void an_option_of_illegal_size_is_none(void **state) {
  (void)state;
  assert_int_equal(no_response("\x02\x02", 2), NO_RESPONSE_ABSENT);
}

/* RFC 7959 2.9.1: 2.31 is not the response to the whole request, and the next block waits for it. */
static void a_client_that_sends_blocks_is_told_to_continue(void **state) {
  (void)state;
  assert_false(message_is_unwanted(no_response("\x1a", 1), COPAL_CONTINUE));
  assert_true(message_is_unwanted(no_response("\x1a", 1), COPAL_CREATED));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_class_has_its_bit),
      cmocka_unit_test(without_the_option_or_with_none_of_its_bits_all_are_wanted),
      cmocka_unit_test(an_option_of_illegal_size_is_none),
      cmocka_unit_test(a_client_that_sends_blocks_is_told_to_continue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
