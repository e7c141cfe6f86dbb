/* Bodies read in parts, from files and from pipes. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask/source.h"

enum { LARGE = 200000 };

static struct source source;
static char folder[] = "/tmp/copal-source-XXXXXX";
static char path[64];

static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 31 >> 3); }

static int setup(void **state) {
  (void)state;
  memset(&source, 0, sizeof source);
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(path, sizeof path, "%s/body", folder);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  source_close(&source);
  unlink(path);
  return rmdir(folder);
}

static void make_file(size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  for (size_t i = 0; i < size; ++i) fputc(byte_at(i), file);
  assert_int_equal(fclose(file), 0);
}

/* An source from a pipe that a child fills. */
static void open_pipe(size_t size) {
  assert_int_equal(mkfifo(path, 0600), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    FILE *file = fopen(path, "wb");
    for (size_t i = 0; i < size; ++i) fputc(byte_at(i), file);
    fclose(file);
    _exit(0);
  }
  assert_true(source_open(&source, path));
}

static void assert_read(uint64_t offset, size_t size, uint64_t expected) {
  static uint8_t buffer[LARGE];
  memset(buffer, 0xee, sizeof buffer);
  assert_true(source_read(&source, offset, buffer, size) == expected);
  for (size_t i = 0; i < expected; ++i) assert_int_equal(buffer[i], byte_at(offset + i));
  for (size_t i = expected; i < size; ++i) assert_int_equal(buffer[i], 0xee);
}

static void a_file_is_read_anywhere(void **state) {
  (void)state;
  make_file(5000);
  assert_true(source_open(&source, path));
  assert_true(source.size == 5000);
  assert_read(0, 1024, 1024);
  assert_read(4096, 1024, 904);
  assert_read(0, 16, 16);
  assert_read(5000, 1, 0);
  assert_read(6000, 1, 0);
}

static void a_file_that_shrinks_cannot_be_read(void **state) {
  (void)state;
  uint8_t buffer[1024];
  make_file(5000);
  assert_true(source_open(&source, path));
  assert_int_equal(truncate(path, 1000), 0);
  assert_true(source_read(&source, 0, buffer, sizeof buffer) == COPAL_SIZE_UNKNOWN);
  assert_non_null(strstr(source.reason, "became shorter while it was read"));
}

static void a_file_that_grows_is_read_as_it_was(void **state) {
  (void)state;
  make_file(1500);
  assert_true(source_open(&source, path));
  make_file(3000);
  assert_read(1024, 1024, 476);
}

static void what_cannot_be_read_says_why(void **state) {
  (void)state;
  char expected[120];
  assert_false(source_open(&source, path));
  snprintf(expected, sizeof expected, "cannot open %s: No such file or directory", path);
  assert_string_equal(source.reason, expected);
  assert_false(source_open(&source, folder));
  snprintf(expected, sizeof expected, "cannot read %s: Is a directory", folder);
  assert_string_equal(source.reason, expected);
}

static void a_pipe_has_no_size_and_is_read_to_its_end(void **state) {
  (void)state;
  open_pipe(LARGE);
  assert_true(source.size == COPAL_SIZE_UNKNOWN);
  uint64_t offset = 0;
  for (; offset + 1024 <= LARGE; offset += 1024) assert_read(offset, 1024, 1024);
  assert_read(offset, 1024, LARGE - offset);
  assert_read(LARGE, 1024, 0);
}

static void a_look_behind_a_block_of_a_pipe_loses_nothing(void **state) {
  (void)state;
  open_pipe(2048);
  assert_read(0, 1024, 1024);
  assert_read(1024, 1, 1);
  assert_read(1024, 1024, 1024);
  assert_read(2048, 1, 0);
}

static void a_pipe_can_be_read_again_a_little(void **state) {
  (void)state;
  open_pipe(LARGE);
  assert_read(0, 1024, 1024);
  assert_read(0, 16, 16);
  assert_read(0, 30000, 30000);
  assert_read(0, 1024, 1024);
}

static void a_pipe_is_not_read_again_from_its_beginning(void **state) {
  (void)state;
  uint8_t buffer[16];
  open_pipe(LARGE);
  for (uint64_t offset = 0; offset < 150 * 1024; offset += 1024) assert_read(offset, 1024, 1024);
  assert_true(source_read(&source, 0, buffer, sizeof buffer) == COPAL_SIZE_UNKNOWN);
  assert_non_null(strstr(source.reason, "cannot be read twice: use a file"));
  assert_read(150 * 1024, 1024, 1024);
}

static void a_part_larger_than_what_is_kept_is_read_at_once(void **state) {
  (void)state;
  open_pipe(LARGE);
  assert_read(0, LARGE - 1, LARGE - 1);
  assert_read(LARGE - 1, 1024, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_file_is_read_anywhere, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_that_shrinks_cannot_be_read, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_that_grows_is_read_as_it_was, setup, teardown),
      cmocka_unit_test_setup_teardown(what_cannot_be_read_says_why, setup, teardown),
      cmocka_unit_test_setup_teardown(a_pipe_has_no_size_and_is_read_to_its_end, setup, teardown),
      cmocka_unit_test_setup_teardown(a_look_behind_a_block_of_a_pipe_loses_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(a_pipe_can_be_read_again_a_little, setup, teardown),
      cmocka_unit_test_setup_teardown(a_pipe_is_not_read_again_from_its_beginning, setup, teardown),
      cmocka_unit_test_setup_teardown(a_part_larger_than_what_is_kept_is_read_at_once, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
