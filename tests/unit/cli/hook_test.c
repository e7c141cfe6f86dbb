/* Commands that are run with values: what they are told, one at a time, and only the newest value waits. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/observe/hook.h"

enum { OUTPUT_MAX = 4096 };

static char folder[] = "/tmp/copal-hook-XXXXXX";
static char reason[HOOK_REASON_MAX];
static uint8_t buffer[64];

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int remove_folder(void **state) {
  (void)state;
  remove("out");
  remove("go");
  return chdir("/") == 0 ? rmdir(folder) : -1;
}

static bool run_value(struct hook *hook, const void *value, size_t size, uint32_t sequence) {
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_CONTENT);
  copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, sequence);
  copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, COPAL_JSON);
  copal_view view = copal_message_view(&message);
  struct hook_news news = {"coap://a/b", "192.0.2.1:5683", &view, {value, size}};
  reason[0] = '\0';
  return hook_run(hook, &news, reason);
}

static bool run_text(struct hook *hook, const char *text) { return run_value(hook, text, strlen(text), 5); }

/* Until nothing runs. False where a command has failed; the reason is that of the last one. */
static bool await(struct hook *hook) {
  bool good = true;
  while (hook_is_busy(hook)) {
    if (!hook_work(hook, reason)) good = false;
    usleep(1000);
  }
  return good;
}

static void assert_output(const char *expected) {
  char text[OUTPUT_MAX];
  FILE *file = fopen("out", "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  remove("out");
  assert_string_equal(text, expected);
}

static void a_command_is_told_the_value_and_what_came_with_it(void **state) {
  (void)state;
  struct hook hook;
  hook_begin(&hook,
             "{ cat; echo \"$COPAL_VALUE|$COPAL_URI|$COPAL_PEER|$COPAL_CODE|$COPAL_FORMAT|$COPAL_SEQUENCE|"
             "$COPAL_SIZE\"; } >out");
  assert_true(run_text(&hook, "21.5\n"));
  assert_true(await(&hook));
  assert_output("21.5\n21.5|coap://a/b|192.0.2.1:5683|2.05|application/json|5|5\n");
}

static void what_is_no_text_is_on_standard_input_alone(void **state) {
  (void)state;
  struct hook hook;
  setenv("COPAL_VALUE", "of somebody else", 1);
  hook_begin(&hook, "{ od -An -tx1; echo \"${COPAL_VALUE-none} $COPAL_SIZE\"; } >out");
  assert_true(run_value(&hook, "a\0b", 3, 1));
  assert_true(await(&hook));
  assert_output(" 61 00 62\nnone 3\n");
  unsetenv("COPAL_VALUE");
}

static void a_large_value_is_on_standard_input_alone(void **state) {
  (void)state;
  static char large[HOOK_VALUE_MAX + 1];
  memset(large, 'x', sizeof large);
  struct hook hook;
  hook_begin(&hook, "{ wc -c; echo \"${COPAL_VALUE-none}\"; } >out");
  assert_true(run_value(&hook, large, sizeof large, 1));
  assert_true(await(&hook));
  assert_output("8193\nnone\n");
}

static void nobody_waits_for_a_command_that_does_not_read(void **state) {
  (void)state;
  static char large[1048576];
  struct hook hook;
  hook_begin(&hook, "while [ ! -e go ]; do sleep 0.01; done; echo done >out");
  assert_true(run_value(&hook, large, sizeof large, 1));
  assert_true(hook_is_busy(&hook));
  fclose(fopen("go", "w"));
  assert_true(await(&hook));
  remove("go");
  assert_output("done\n");
}

/* RFC 7641 abstract: "The protocol follows a best-effort approach for sending new representations to clients and
 * provides eventual consistency between the state observed by each client and the actual resource state". */
static void while_one_runs_only_the_newest_value_waits(void **state) {
  (void)state;
  struct hook hook;
  hook_begin(&hook, "while [ ! -e go ]; do sleep 0.01; done; cat >>out");
  assert_true(run_text(&hook, "first "));
  assert_true(run_text(&hook, "second "));
  assert_true(run_text(&hook, "third "));
  assert_true(run_text(&hook, "last"));
  assert_int_equal(hook.skipped, 2);
  fclose(fopen("go", "w"));
  assert_true(await(&hook));
  remove("go");
  assert_output("first last");
}

static void what_waits_can_be_left_out(void **state) {
  (void)state;
  struct hook hook;
  hook_begin(&hook, "cat >>out");
  assert_true(run_text(&hook, "first"));
  assert_true(run_text(&hook, "second"));
  hook_drop(&hook);
  assert_true(await(&hook));
  assert_output("first");
}

static void a_failing_command_is_told_and_counted(void **state) {
  (void)state;
  struct hook hook;
  hook_begin(&hook, "exit 3");
  assert_true(run_text(&hook, "1"));
  assert_false(await(&hook));
  assert_string_equal(reason, "--exec: the command ended with 3");
  hook.command = "kill -9 $$";
  assert_true(run_text(&hook, "2"));
  assert_false(await(&hook));
  assert_string_equal(reason, "--exec: the command was ended by signal 9 (Killed)");
  assert_int_equal(hook.failed, 2);
}

static void after_a_failing_command_the_next_value_has_its_turn(void **state) {
  (void)state;
  struct hook hook;
  hook_begin(&hook, "cat >>out; exit 1");
  assert_true(run_text(&hook, "1"));
  assert_true(run_text(&hook, "2"));
  assert_false(await(&hook));
  assert_output("12");
  assert_int_equal(hook.failed, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_command_is_told_the_value_and_what_came_with_it),
      cmocka_unit_test(what_is_no_text_is_on_standard_input_alone),
      cmocka_unit_test(a_large_value_is_on_standard_input_alone),
      cmocka_unit_test(nobody_waits_for_a_command_that_does_not_read),
      cmocka_unit_test(while_one_runs_only_the_newest_value_waits),
      cmocka_unit_test(what_waits_can_be_left_out),
      cmocka_unit_test(a_failing_command_is_told_and_counted),
      cmocka_unit_test(after_a_failing_command_the_next_value_has_its_turn),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
