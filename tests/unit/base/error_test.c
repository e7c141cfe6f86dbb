/* Errors have names and texts, both from one list: nothing of it is lost, and what is not in it has an answer, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "copal/error.h"

static const struct {
  copal_error error;
  int value;
  const char *name, *text;
} listed[] = {
#define LISTED(name, value, text) {COPAL_ERR_##name, value, "COPAL_ERR_" #name, text},
    COPAL_ERRORS(LISTED)
#undef LISTED
};

enum { LISTED_COUNT = sizeof listed / sizeof *listed };

static void each_error_has_its_name_and_its_text(void **state) {
  (void)state;
  for (size_t i = 0; i < LISTED_COUNT; ++i) {
    assert_int_equal(listed[i].error, listed[i].value);
    assert_string_equal(copal_error_name(listed[i].error), listed[i].name);
    assert_string_equal(copal_error_text(listed[i].error), listed[i].text);
  }
  assert_string_equal(copal_error_name(COPAL_OK), "COPAL_OK");
  assert_string_equal(copal_error_text(COPAL_OK), "success");
}

static void errors_are_negative_and_no_two_are_alike(void **state) {
  (void)state;
  for (size_t i = 0; i < LISTED_COUNT; ++i) {
    assert_true(listed[i].value < 0 && listed[i].value > COPAL_ERROR_LAST_);
    for (size_t other = 0; other < i; ++other) {
      assert_int_not_equal(listed[i].value, listed[other].value);
      assert_string_not_equal(listed[i].name, listed[other].name);
      assert_string_not_equal(listed[i].text, listed[other].text);
    }
  }
}

static void a_text_can_end_a_sentence_of_somebody_else(void **state) {
  (void)state;
  for (size_t i = 0; i < LISTED_COUNT; ++i) {
    size_t size = strlen(listed[i].text);
    assert_true(size > 0);
    assert_int_not_equal(listed[i].text[size - 1], '.');
  }
}

static void what_is_no_error_has_a_name_and_a_text_all_the_same(void **state) {
  (void)state;
  static const int others[] = {1, 100, COPAL_ERROR_LAST_, COPAL_ERROR_LAST_ - 1, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
    assert_string_equal(copal_error_name((copal_error)others[i]), "COPAL_ERR_UNKNOWN");
    assert_string_equal(copal_error_text((copal_error)others[i]), "unknown error");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_error_has_its_name_and_its_text),
      cmocka_unit_test(errors_are_negative_and_no_two_are_alike),
      cmocka_unit_test(a_text_can_end_a_sentence_of_somebody_else),
      cmocka_unit_test(what_is_no_error_has_a_name_and_a_text_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
