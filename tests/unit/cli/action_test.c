/* Commands for the plugtests' resources: what is understood, and what is said of the rest. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/serve/action.h"

static struct action action;
static char error[100];

static bool parse(const char *line) {
  error[0] = '\0';
  return action_parse((copal_bytes){(const uint8_t *)line, strlen(line)}, &action, error, sizeof error);
}

static void assert_action(const char *line, enum action_kind kind, const char *resource) {
  if (!parse(line)) fail_msg("'%s': %s", line, error);
  assert_int_equal(action.kind, kind);
  assert_string_equal(action.resource, resource);
}

static void a_resource_is_set_to_all_that_follows(void **state) {
  (void)state;
  assert_action("obs set two words ", ACTION_SET, "obs");
  assert_int_equal(action.text.size, 10);
  assert_memory_equal(action.text.data, "two words ", 10);
  assert_action("obs set ", ACTION_SET, "obs");
  assert_int_equal(action.text.size, 0);
}

static void a_format_is_a_number_a_name_or_none(void **state) {
  (void)state;
  assert_action("obs format 50", ACTION_FORMAT, "obs");
  assert_int_equal(action.number, 50);
  assert_action("obs format cbor", ACTION_FORMAT, "obs");
  assert_int_equal(action.number, 60);
  assert_action("obs format none", ACTION_FORMAT, "obs");
  assert_int_equal(action.number, COPAL_FORMAT_NONE);
}

static void a_resource_is_changed_deleted_and_reset(void **state) {
  (void)state;
  assert_action("obs-large size 3000", ACTION_SIZE, "obs-large");
  assert_int_equal(action.number, 3000);
  assert_action("validate change", ACTION_CHANGE, "validate");
  assert_action("obs delete", ACTION_DELETE, "obs");
  assert_action("path/sub1 reset", ACTION_RESET, "path/sub1");
}

static void what_is_no_resource_has_commands_of_its_own(void **state) {
  (void)state;
  assert_action("counter set 7", ACTION_COUNTER, "");
  assert_int_equal(action.number, 7);
  assert_action("interval 0.2", ACTION_INTERVAL, "");
  assert_true(action.time == 200 * COPAL_MILLISECOND);
  assert_action("separate delay 100ms", ACTION_DELAY, "");
  assert_true(action.time == 100 * COPAL_MILLISECOND);
  assert_action("forget observers", ACTION_FORGET, "");
}

static void a_wrong_value_is_told_with_its_command(void **state) {
  (void)state;
  static const struct {
    const char *line, *words;
  } cases[] = {
      {"counter set x", "counter set NUMBER"},         {"obs size -1", "RESOURCE size NUMBER"},
      {"obs size 4294967296", "RESOURCE size NUMBER"}, {"obs format jsonn", "RESOURCE format FORMAT"},
      {"interval soon", "interval SECONDS"},           {"separate delay -1", "separate delay SECONDS"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    assert_false(parse(cases[i].line));
    if (strstr(error, cases[i].words) == NULL) fail_msg("'%s': %s", cases[i].line, error);
  }
}

static void what_is_no_command_is_told_where_they_are(void **state) {
  (void)state;
  static const char *const lines[] = {
      "",       " ",          "obs",         "obs change now", "obs  change", "obs size ", "obs size", "obs size 1 2",
      "forget", "Obs Change", "interval 1 2"};
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
    if (parse(lines[i])) fail_msg("'%s' is a command", lines[i]);
    assert_non_null(strstr(error, "/actions"));
  }
}

static void a_word_that_is_too_long_is_no_command(void **state) {
  (void)state;
  char line[200];
  memset(line, 'x', sizeof line);
  assert_false(action_parse((copal_bytes){(const uint8_t *)line, sizeof line}, &action, error, sizeof error));
}

static void a_word_with_a_nul_in_it_is_no_command(void **state) {
  (void)state;
  static const char *const lines[] = {"\0 set text", "o\0s set text", "obs\0 delete", "separate delay 1\0"};
  static const size_t sizes[] = {10, 12, 11, 17};
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
    copal_bytes line = {(const uint8_t *)lines[i], sizes[i]};
    error[0] = '\0';
    assert_false(action_parse(line, &action, error, sizeof error));
    assert_string_not_equal(error, "");
  }
}

static void lines_are_taken_one_by_one(void **state) {
  (void)state;
  static const char text[] = "\n one\r\n\ntwo\n\r\nthree";
  copal_bytes rest = {(const uint8_t *)text, sizeof text - 1}, line;
  static const char *const expected[] = {" one", "two", "three"};
  for (size_t i = 0; i < 3; ++i) {
    assert_true(action_next_line(&rest, &line));
    assert_int_equal(line.size, strlen(expected[i]));
    assert_memory_equal(line.data, expected[i], line.size);
  }
  assert_false(action_next_line(&rest, &line));
  rest = (copal_bytes){NULL, 0};
  assert_false(action_next_line(&rest, &line));
}

static void help_has_a_line_for_each_command(void **state) {
  (void)state;
  char text[2048];
  size_t size = action_help(text, sizeof text), lines = 0;
  assert_int_equal(size, strlen(text));
  for (size_t i = 0; i < size; ++i) lines += text[i] == '\n';
  assert_int_equal(lines, ACTION_KINDS);
  assert_int_equal(action_help(text, 20), 19);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_resource_is_set_to_all_that_follows),
      cmocka_unit_test(a_format_is_a_number_a_name_or_none),
      cmocka_unit_test(a_resource_is_changed_deleted_and_reset),
      cmocka_unit_test(what_is_no_resource_has_commands_of_its_own),
      cmocka_unit_test(a_wrong_value_is_told_with_its_command),
      cmocka_unit_test(what_is_no_command_is_told_where_they_are),
      cmocka_unit_test(a_word_that_is_too_long_is_no_command),
      cmocka_unit_test(a_word_with_a_nul_in_it_is_no_command),
      cmocka_unit_test(lines_are_taken_one_by_one),
      cmocka_unit_test(help_has_a_line_for_each_command),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
