/* Files below a folder: nothing that stands in it leads out, and what is no file is not there. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/serve/folder.h"
#include "tests/support/sandbox.h"

static struct sandbox sandbox;
static struct folder folder;
static struct stat status;

/* "served" is what is served; "outside" must never be reached. */
static int setup(void **state) {
  (void)state;
  if (!sandbox_make(&sandbox)) return -1;
  bool made = sandbox_folder(&sandbox, "served") && sandbox_folder(&sandbox, "served/sub") &&
              sandbox_write(&sandbox, "served/a.txt", "a") && sandbox_write(&sandbox, "served/sub/b.txt", "bb") &&
              sandbox_folder(&sandbox, "outside") && sandbox_write(&sandbox, "outside/secret", "secret");
  return made && folder_open(&folder, sandbox_at(&sandbox, "served")) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  folder_close(&folder);
  sandbox_remove(&sandbox);
  return 0;
}

static struct place at(const char *path) {
  struct place place = {.size = strlen(path)};
  memcpy(place.text, path, place.size);
  return place;
}

static int open_place(const char *path) {
  struct place place = at(path);
  return folder_open_at(&folder, &place, &status);
}

static void assert_content(const char *path, const char *text) {
  char buffer[32];
  int fd = open_place(path);
  assert_true(fd >= 0);
  ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  assert_int_equal(size, strlen(text));
  assert_memory_equal(buffer, text, strlen(text));
  assert_int_equal(status.st_size, size);
}

static void assert_nothing(const char *path) {
  struct place place = at(path);
  if (open_place(path) >= 0) fail_msg("%s can be opened", path);
  assert_true(errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
  if (folder_status(&folder, &place, &status)) fail_msg("%s has a status", path);
}

static void files_and_folders_are_opened(void **state) {
  (void)state;
  assert_content("a.txt", "a");
  assert_content("sub/b.txt", "bb");
  int fd = open_place("sub");
  assert_true(fd >= 0);
  assert_true(S_ISDIR(status.st_mode));
  close(fd);
  fd = open_place("");
  assert_true(fd >= 0);
  assert_true(S_ISDIR(status.st_mode));
  close(fd);
}

static void what_is_not_there_is_not_found(void **state) {
  (void)state;
  assert_nothing("b.txt");
  assert_nothing("nosub/b.txt");
  assert_nothing("a.txt/b.txt");
}

static void a_file_is_no_folder(void **state) {
  (void)state;
  struct place place = at("a.txt");
  place.is_folder = true;
  assert_int_equal(folder_open_at(&folder, &place, &status), -1);
  assert_int_equal(errno, ENOENT);
}

/* T20 */
static void symbolic_links_are_not_followed(void **state) {
  (void)state;
  assert_int_equal(symlink("../outside/secret", sandbox_at(&sandbox, "served/file")), 0);
  assert_int_equal(symlink("../outside", sandbox_at(&sandbox, "served/folder")), 0);
  assert_int_equal(symlink("/", sandbox_at(&sandbox, "served/root")), 0);
  assert_int_equal(symlink("sub", sandbox_at(&sandbox, "served/inside")), 0);
  assert_nothing("file");
  assert_nothing("folder");
  assert_nothing("folder/secret");
  assert_nothing("root");
  assert_nothing("root/etc/passwd");
  assert_nothing("inside/b.txt");
}

static void a_fifo_is_no_file_and_nobody_waits_for_it(void **state) {
  (void)state;
  assert_int_equal(mkfifo(sandbox_at(&sandbox, "served/pipe"), 0666), 0);
  assert_nothing("pipe");
}

static void files_and_empty_folders_are_deleted(void **state) {
  (void)state;
  struct place file = at("sub/b.txt"), sub = at("sub");
  assert_false(folder_delete(&folder, &sub));
  assert_true(errno == ENOTEMPTY || errno == EEXIST);
  assert_true(folder_delete(&folder, &file));
  assert_false(folder_delete(&folder, &file));
  assert_int_equal(errno, ENOENT);
  assert_true(folder_delete(&folder, &sub));
  assert_nothing("sub");
}

static void the_folder_itself_is_not_deleted(void **state) {
  (void)state;
  struct place root = at("");
  assert_false(folder_delete(&folder, &root));
  assert_int_equal(errno, EACCES);
  assert_content("a.txt", "a");
}

static void a_link_is_not_deleted(void **state) {
  (void)state;
  struct place link = at("file"), below = at("folder/secret");
  assert_int_equal(symlink("../outside/secret", sandbox_at(&sandbox, "served/file")), 0);
  assert_int_equal(symlink("../outside", sandbox_at(&sandbox, "served/folder")), 0);
  assert_false(folder_delete(&folder, &link));
  assert_false(folder_delete(&folder, &below));
  assert_non_null(sandbox_read(&sandbox, "served/file"));
}

static void a_version_changes_with_the_file(void **state) {
  (void)state;
  struct place place = at("a.txt");
  assert_true(folder_status(&folder, &place, &status));
  uint64_t version = folder_version(&status);
  assert_true(folder_status(&folder, &place, &status));
  assert_true(folder_version(&status) == version);
  assert_true(sandbox_write(&sandbox, "served/a.txt", "longer"));
  assert_true(folder_status(&folder, &place, &status));
  assert_false(folder_version(&status) == version);
  version = folder_version(&status);
  assert_true(sandbox_write(&sandbox, "served/other", "longer"));
  char other[600];
  strcpy(other, sandbox_at(&sandbox, "served/other"));
  assert_int_equal(rename(other, sandbox_at(&sandbox, "served/a.txt")), 0);
  assert_true(folder_status(&folder, &place, &status));
  assert_false(folder_version(&status) == version);
}

#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_SANDBOX(files_and_folders_are_opened),
      WITH_SANDBOX(what_is_not_there_is_not_found),
      WITH_SANDBOX(a_file_is_no_folder),
      WITH_SANDBOX(symbolic_links_are_not_followed),
      WITH_SANDBOX(a_fifo_is_no_file_and_nobody_waits_for_it),
      WITH_SANDBOX(files_and_empty_folders_are_deleted),
      WITH_SANDBOX(the_folder_itself_is_not_deleted),
      WITH_SANDBOX(a_link_is_not_deleted),
      WITH_SANDBOX(a_version_changes_with_the_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
