/* Bodies written in parts: what a file holds then, whichever way it ends. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask/sink.h"
#include "copal/message.h"

static struct sink sink;
static char folder[] = "/tmp/copal-sink-XXXXXX";
static char path[64];

static int setup(void **state) {
  (void)state;
  memset(&sink, 0, sizeof sink);
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(path, sizeof path, "%s/body", folder);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

static void make_file(const char *text) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *expected) {
  char text[100] = "";
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("%s is not there", path);
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  assert_string_equal(text, expected);
}

static bool write_text(uint64_t offset, const char *text) { return sink_write(&sink, offset, text, strlen(text)); }

static void parts_make_a_file(void **state) {
  (void)state;
  assert_true(sink_open(&sink, path));
  assert_true(write_text(0, "first"));
  assert_true(write_text(5, ", second"));
  assert_true(sink_end(&sink, COPAL_FORMAT_NONE, false));
  assert_true(sink_close(&sink));
  assert_file("first, second");
}

static void a_file_keeps_what_it_has_until_a_body_comes(void **state) {
  (void)state;
  make_file("what was there before");
  assert_true(sink_open(&sink, path));
  assert_true(sink_close(&sink));
  assert_file("what was there before");
  assert_true(sink_open(&sink, path));
  assert_true(write_text(0, "new"));
  assert_true(sink_end(&sink, COPAL_FORMAT_NONE, false));
  assert_true(sink_close(&sink));
  assert_file("new");
}

static void a_file_that_was_made_for_nothing_goes_again(void **state) {
  (void)state;
  assert_true(sink_open(&sink, path));
  assert_int_equal(access(path, F_OK), 0);
  assert_true(sink_close(&sink));
  assert_int_equal(access(path, F_OK), -1);
}

static void an_empty_body_makes_an_empty_file(void **state) {
  (void)state;
  assert_true(sink_open(&sink, path));
  assert_true(sink_end(&sink, COPAL_FORMAT_NONE, false));
  assert_true(sink_close(&sink));
  assert_file("");
  make_file("what was there before");
  assert_true(sink_open(&sink, path));
  assert_true(sink_end(&sink, COPAL_FORMAT_NONE, false));
  assert_true(sink_close(&sink));
  assert_file("");
}

static void a_body_that_begins_anew_replaces_its_beginning(void **state) {
  (void)state;
  assert_true(sink_open(&sink, path));
  assert_true(write_text(0, "old and long"));
  assert_true(write_text(12, ", and longer"));
  assert_true(write_text(0, "new"));
  assert_int_equal(sink.size, 3);
  assert_true(sink_end(&sink, COPAL_FORMAT_NONE, false));
  assert_true(sink_close(&sink));
  assert_file("new");
}

static void a_part_of_a_body_stays(void **state) {
  (void)state;
  assert_true(sink_open(&sink, path));
  assert_true(write_text(0, "the first part"));
  assert_true(sink_close(&sink));
  assert_file("the first part");
}

static void bodies_follow_one_another(void **state) {
  (void)state;
  make_file("before");
  assert_true(sink_open(&sink, path));
  assert_true(write_text(0, "21.5"));
  assert_true(sink_end(&sink, COPAL_TEXT_PLAIN, true));
  assert_true(write_text(0, "22.0\n"));
  assert_true(sink_end(&sink, COPAL_TEXT_PLAIN, true));
  assert_true(write_text(0, "changes"));
  assert_true(write_text(0, "22.5"));
  assert_true(sink_end(&sink, COPAL_TEXT_PLAIN, true));
  assert_true(sink_close(&sink));
  assert_file("21.5\n22.0\n22.5\n");
}

static void a_pipe_does_not_take_a_body_that_begins_anew(void **state) {
  (void)state;
  assert_int_equal(mkfifo(path, 0600), 0);
  int reader = open(path, O_RDONLY | O_NONBLOCK);
  assert_true(reader >= 0);
  assert_true(sink_open(&sink, path));
  assert_true(write_text(0, "old"));
  assert_false(write_text(0, "new"));
  assert_non_null(strstr(sink.reason, "the body changed while it was fetched"));
  assert_true(sink_close(&sink));
  close(reader);
}

static void what_cannot_be_written_says_why(void **state) {
  (void)state;
  char expected[120], below[80];
  assert_false(sink_open(&sink, folder));
  snprintf(expected, sizeof expected, "cannot open %s: Is a directory", folder);
  assert_string_equal(sink.reason, expected);
  snprintf(below, sizeof below, "%s/no/such", folder);
  assert_false(sink_open(&sink, below));
  snprintf(expected, sizeof expected, "cannot open %s: No such file or directory", below);
  assert_string_equal(sink.reason, expected);
  assert_true(sink_close(&sink));
}

static void a_full_disk_is_told(void **state) {
  (void)state;
  if (access("/dev/full", W_OK) != 0) skip();
  assert_true(sink_open(&sink, "/dev/full"));
  assert_true(write_text(0, "lost"));
  assert_false(sink_end(&sink, COPAL_FORMAT_NONE, false));
  assert_string_equal(sink.reason, "cannot write /dev/full: No space left on device");
  (void)sink_close(&sink);
}

static void a_person_is_not_shown_a_large_binary_body(void **state) {
  (void)state;
  static uint8_t zeroes[SINK_SCREEN_SIZE];
  sink.screen = true;
  sink.stream = stdout;
  assert_false(sink_shows(&sink, sizeof zeroes));
  assert_true(sink_write(&sink, 0, zeroes, sizeof zeroes));
  assert_true(sink_shows(&sink, sizeof zeroes + 1));
  assert_false(sink_write(&sink, sizeof zeroes, zeroes, 1));
  assert_non_null(strstr(sink.reason, "--output FILE"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(parts_make_a_file, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_keeps_what_it_has_until_a_body_comes, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_that_was_made_for_nothing_goes_again, setup, teardown),
      cmocka_unit_test_setup_teardown(an_empty_body_makes_an_empty_file, setup, teardown),
      cmocka_unit_test_setup_teardown(a_body_that_begins_anew_replaces_its_beginning, setup, teardown),
      cmocka_unit_test_setup_teardown(a_part_of_a_body_stays, setup, teardown),
      cmocka_unit_test_setup_teardown(bodies_follow_one_another, setup, teardown),
      cmocka_unit_test_setup_teardown(a_pipe_does_not_take_a_body_that_begins_anew, setup, teardown),
      cmocka_unit_test_setup_teardown(what_cannot_be_written_says_why, setup, teardown),
      cmocka_unit_test_setup_teardown(a_full_disk_is_told, setup, teardown),
      cmocka_unit_test_setup_teardown(a_person_is_not_shown_a_large_binary_body, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
