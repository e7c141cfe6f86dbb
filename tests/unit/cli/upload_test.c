/* Files that clients write: nobody sees one before it is whole, and what is given up leaves nothing behind. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <errno.h>
#include <string.h>

#include "cli/serve/upload.h"
#include "tests/support/sandbox.h"

static struct sandbox sandbox;
static struct folder folder;
static struct uploads uploads;
static bool created;

static int setup(void **state) {
  (void)state;
  memset(&uploads, 0, sizeof uploads);
  return sandbox_make(&sandbox) && folder_open(&folder, sandbox.path) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  upload_drop_all(&uploads);
  folder_close(&folder);
  sandbox_remove(&sandbox);
  return 0;
}

static struct upload *begin(const char *path) {
  struct place place = {.size = strlen(path)};
  memcpy(place.text, path, place.size);
  return upload_begin(&uploads, &folder, &place);
}

static void a_file_is_there_when_it_is_whole(void **state) {
  (void)state;
  struct upload *upload = begin("a");
  assert_non_null(upload);
  assert_true(upload_write(upload, 0, "one ", 4));
  assert_true(upload_write(upload, 4, "two", 3));
  assert_null(sandbox_read(&sandbox, "a"));
  assert_true(upload_finish(upload, false, &created));
  assert_true(created);
  assert_string_equal(sandbox_read(&sandbox, "a"), "one two");
  assert_int_equal(sandbox_count(&sandbox, "."), 1);
}

static void an_old_file_stays_until_the_new_one_is_whole(void **state) {
  (void)state;
  assert_true(sandbox_write(&sandbox, "a", "old and long"));
  struct upload *upload = begin("a");
  assert_true(upload_write(upload, 0, "new", 3));
  assert_string_equal(sandbox_read(&sandbox, "a"), "old and long");
  assert_true(upload_finish(upload, false, &created));
  assert_false(created);
  assert_string_equal(sandbox_read(&sandbox, "a"), "new");
}

static void an_empty_file_is_a_file(void **state) {
  (void)state;
  struct upload *upload = begin("a");
  assert_true(upload_finish(upload, false, &created));
  assert_string_equal(sandbox_read(&sandbox, "a"), "");
}

static void what_is_dropped_leaves_nothing(void **state) {
  (void)state;
  struct upload *upload = begin("a");
  assert_true(upload_write(upload, 0, "x", 1));
  assert_int_equal(sandbox_count(&sandbox, "."), 1);
  upload_drop(upload);
  assert_int_equal(sandbox_count(&sandbox, "."), 0);
  assert_non_null(begin("b"));
  assert_non_null(begin("c"));
  upload_drop_all(&uploads);
  assert_int_equal(sandbox_count(&sandbox, "."), 0);
}

static void only_new_replaces_nothing(void **state) {
  (void)state;
  struct upload *upload = begin("a");
  assert_true(sandbox_write(&sandbox, "a", "other"));
  assert_false(upload_finish(upload, true, &created));
  assert_int_equal(errno, EEXIST);
  assert_string_equal(sandbox_read(&sandbox, "a"), "other");
  assert_int_equal(sandbox_count(&sandbox, "."), 1);
}

static void a_folder_is_not_replaced(void **state) {
  (void)state;
  struct upload *upload = begin("a");
  assert_true(sandbox_folder(&sandbox, "a"));
  assert_false(upload_finish(upload, false, &created));
  assert_int_equal(errno, EEXIST);
  assert_int_equal(sandbox_count(&sandbox, "a"), 0);
  assert_int_equal(sandbox_count(&sandbox, "."), 1);
}

static void a_link_is_not_written_through(void **state) {
  (void)state;
  assert_true(sandbox_write(&sandbox, "target", "untouched"));
  assert_int_equal(symlink("target", sandbox_at(&sandbox, "a")), 0);
  struct upload *upload = begin("a");
  assert_true(upload_write(upload, 0, "new", 3));
  assert_false(upload_finish(upload, false, &created));
  assert_string_equal(sandbox_read(&sandbox, "target"), "untouched");
}

static void the_folder_above_must_be_there(void **state) {
  (void)state;
  assert_null(begin("no/a"));
  assert_int_equal(errno, ENOENT);
  assert_true(sandbox_write(&sandbox, "file", "x"));
  assert_null(begin("file/a"));
  assert_int_equal(errno, ENOTDIR);
}

static void two_of_the_same_name_do_not_mix(void **state) {
  (void)state;
  struct upload *one = begin("a"), *two = begin("a");
  assert_true(upload_write(one, 0, "one", 3));
  assert_true(upload_write(two, 0, "22", 2));
  assert_true(upload_finish(one, false, &created));
  assert_string_equal(sandbox_read(&sandbox, "a"), "one");
  assert_true(upload_finish(two, false, &created));
  assert_false(created);
  assert_string_equal(sandbox_read(&sandbox, "a"), "22");
}

static void above_the_limit_none_is_begun(void **state) {
  (void)state;
  for (int i = 0; i < UPLOADS_MAX; ++i) assert_non_null(begin("a"));
  assert_null(begin("a"));
  assert_int_equal(errno, ENFILE);
  upload_drop(&uploads.items[UPLOADS_MAX / 2]);
  assert_non_null(begin("a"));
}

#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_SANDBOX(a_file_is_there_when_it_is_whole), WITH_SANDBOX(an_old_file_stays_until_the_new_one_is_whole),
      WITH_SANDBOX(an_empty_file_is_a_file),          WITH_SANDBOX(what_is_dropped_leaves_nothing),
      WITH_SANDBOX(only_new_replaces_nothing),        WITH_SANDBOX(a_folder_is_not_replaced),
      WITH_SANDBOX(a_link_is_not_written_through),    WITH_SANDBOX(the_folder_above_must_be_there),
      WITH_SANDBOX(two_of_the_same_name_do_not_mix),  WITH_SANDBOX(above_the_limit_none_is_begun),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
