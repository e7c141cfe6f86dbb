/* The files that answers go to: their names, whatever the path. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/ask/goal.h"

static char name[GOAL_NAME_MAX];

static const char *name_of(const char *uri_text) {
  uint8_t buffer[2048];
  copal_message message;
  copal_uri uri;
  assert_int_equal(copal_uri_parse(uri_text, strlen(uri_text), &uri), COPAL_OK);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_uri_to_options(&uri, &message), COPAL_OK);
  copal_view view = copal_message_view(&message);
  memset(name, 'x', sizeof name);
  goal_name(&view, name);
  return name;
}

static void the_last_part_of_the_path_is_the_name(void **state) {
  (void)state;
  assert_string_equal(name_of("coap://h/a/b.json?c=d"), "b.json");
  assert_string_equal(name_of("coap://h/a/b/"), "b");
  assert_string_equal(name_of("coap://h"), "index");
  assert_string_equal(name_of("coap://h/"), "index");
  assert_string_equal(name_of("coap://h/Temperatur-K%C3%BCche_1"), "Temperatur-Küche_1");
}

static void no_name_leads_elsewhere(void **state) {
  (void)state;
  assert_string_equal(name_of("coap://h/a%2F..%2Fb"), "a_.._b");
  assert_string_equal(name_of("coap://h/%2Fetc%2Fpasswd"), "_etc_passwd");
  assert_string_equal(name_of("coap://h/.profile"), "_profile");
  assert_string_equal(name_of("coap://h/a%5C..%5Cb"), "a_.._b");
  assert_string_equal(name_of("coap://h/%7E%2F..."), "__...");
}

static void no_name_holds_control_characters(void **state) {
  (void)state;
  assert_string_equal(name_of("coap://h/a%00b%0Ac%1B%5B31m"), "a_b_c__31m");
  assert_string_equal(name_of("coap://h/a%C2%9Bb"), "a__b");
  assert_string_equal(name_of("coap://h/-%20%24%28x%29%22"), "-___x__");
}

static void a_long_name_ends_with_a_whole_character(void **state) {
  (void)state;
  char uri[1000] = "coap://h/a";
  for (int i = 0; i < 110; ++i) strcat(uri, "%C3%BC");
  assert_int_equal(strlen(name_of(uri)), 199);
  assert_string_equal(name_of("coap://h/%C3%BC"), "ü");
  uri[9] = '\0';
  for (int i = 0; i < 110; ++i) strcat(uri, "%C3%BC");
  assert_int_equal(strlen(name_of(uri)), 198);
}

static void goals_with_one_file_are_found(void **state) {
  (void)state;
  static struct goal goals[3];
  strcpy(goals[0].output, "a/x");
  strcpy(goals[1].output, "a/y");
  strcpy(goals[2].output, "a/x");
  assert_null(goal_with_same_output(goals, 1));
  assert_null(goal_with_same_output(goals, 2));
  assert_ptr_equal(goal_with_same_output(goals, 3), &goals[0]);
  goals[0].output[0] = goals[2].output[0] = '\0';
  assert_null(goal_with_same_output(goals, 3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_part_of_the_path_is_the_name),
      cmocka_unit_test(no_name_leads_elsewhere),
      cmocka_unit_test(no_name_holds_control_characters),
      cmocka_unit_test(a_long_name_ends_with_a_whole_character),
      cmocka_unit_test(goals_with_one_file_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
