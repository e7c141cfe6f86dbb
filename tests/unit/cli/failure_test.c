/* Why a request failed, in words: what was tried, what came, what to do. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/ask/failure.h"

static char text[FAILURE_TEXT_MAX];

static const struct attempt USUAL = {
    .peer = "192.0.2.1:5683", .asked = COPAL_SECOND, .now = 46 * COPAL_SECOND, .exchanges = 1, .transmissions = 5};

static const char *said(const struct attempt *attempt, copal_error error) {
  failure_text(attempt, error, text, sizeof text);
  return text;
}

static void silence_is_told_with_what_was_tried(void **state) {
  (void)state;
  assert_string_equal(said(&USUAL, COPAL_ERR_TIMEOUT),
                      "no answer from 192.0.2.1:5683 after 5 transmissions in 45.0 s: is a server running there?");
  struct attempt attempt = USUAL;
  attempt.transmissions = 1;
  assert_non_null(strstr(said(&attempt, COPAL_ERR_TIMEOUT), " after 1 transmission in "));
  attempt.acknowledged = true;
  assert_non_null(strstr(said(&attempt, COPAL_ERR_TIMEOUT), "acknowledged the request but sent no response within 45"));
  attempt.acknowledged = false;
  attempt.exchanges = 2;
  assert_non_null(strstr(said(&attempt, COPAL_ERR_TIMEOUT), "where it had answered before"));
  attempt.limit = 3 * COPAL_SECOND;
  assert_string_equal(said(&attempt, COPAL_ERR_TIMEOUT),
                      "192.0.2.1:5683 had not sent all within 3.0 s: try a longer --timeout");
  attempt.transmissions = 2;
  assert_non_null(strstr(said(&attempt, COPAL_ERR_TIMEOUT), "where it had answered before"));
  attempt.exchanges = 1;
  attempt.non = true;
  assert_non_null(strstr(said(&attempt, COPAL_ERR_TIMEOUT), "without --non it is sent again"));
  attempt.group = true;
  assert_non_null(
      strstr(said(&attempt, COPAL_ERR_TIMEOUT), "nobody in the group 192.0.2.1:5683 answered within 45.0 s"));
}

static void what_was_never_sent_is_told_so(void **state) {
  (void)state;
  struct attempt attempt = USUAL;
  attempt.asked = COPAL_NEVER;
  assert_non_null(strstr(said(&attempt, COPAL_ERR_TIMEOUT), "was not sent in time"));
}

static void every_error_names_the_peer(void **state) {
  (void)state;
#define ROW(name, value, meaning) COPAL_ERR_##name,
  static const copal_error errors[] = {COPAL_ERRORS(ROW)};
#undef ROW
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; ++i) {
    size_t size = strlen(said(&USUAL, errors[i]));
    assert_non_null(strstr(text, "192.0.2.1:5683"));
    assert_true(text[size - 1] != '.');
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(silence_is_told_with_what_was_tried),
      cmocka_unit_test(what_was_never_sent_is_told_so),
      cmocka_unit_test(every_error_names_the_peer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
