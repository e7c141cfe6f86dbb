/* What a folder holds, as link format. */
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

#include "cli/serve/listing.h"
#include "tests/support/sandbox.h"

static struct sandbox sandbox;
static struct folder folder;
static struct listing listing;

static int setup(void **state) {
  (void)state;
  listing.is_valid = false;
  return sandbox_make(&sandbox) && folder_open(&folder, sandbox.path) ? 0 : -1;
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

static bool list(const char *path) {
  struct place place = at(path);
  struct stat status;
  int fd = folder_open_at(&folder, &place, &status);
  assert_true(fd >= 0);
  return listing_make(&listing, fd, &place, 1000);
}

static void assert_list(const char *path, const char *text) {
  assert_true(list(path));
  assert_int_equal(listing.size, strlen(text));
  assert_memory_equal(listing.text, text, listing.size);
}

static void files_have_format_and_size_and_folders_a_slash(void **state) {
  (void)state;
  assert_true(sandbox_write(&sandbox, "b.json", "{}"));
  assert_true(sandbox_write(&sandbox, "a", ""));
  assert_true(sandbox_folder(&sandbox, "c"));
  assert_list("", "</a>;ct=42;sz=0,</b.json>;ct=50;sz=2,</c/>;ct=40");
}

static void targets_are_whole_paths(void **state) {
  (void)state;
  assert_true(sandbox_folder(&sandbox, "c d"));
  assert_true(sandbox_write(&sandbox, "c d/e,<f>", "x"));
  assert_list("c d", "</c%20d/e%2C%3Cf%3E>;ct=42;sz=1");
}

static void an_empty_folder_has_an_empty_list(void **state) {
  (void)state;
  assert_list("", "");
}

static void what_is_not_served_is_not_listed(void **state) {
  (void)state;
  assert_true(sandbox_write(&sandbox, ".copal-0123", "x"));
  assert_true(sandbox_folder(&sandbox, ".git"));
  assert_int_equal(symlink("/etc/passwd", sandbox_at(&sandbox, "link")), 0);
  assert_int_equal(mkfifo(sandbox_at(&sandbox, "pipe"), 0666), 0);
  assert_list("", "");
}

static void the_version_changes_with_what_is_listed(void **state) {
  (void)state;
  assert_true(sandbox_write(&sandbox, "a", "1"));
  assert_true(list(""));
  uint64_t version = listing.version;
  assert_true(sandbox_write(&sandbox, "a", "2"));
  assert_true(list(""));
  assert_true(listing.version == version); /* the list reads the same */
  assert_true(sandbox_write(&sandbox, "a", "33"));
  assert_true(list(""));
  assert_false(listing.version == version);
}

static void a_list_serves_for_its_time_and_its_place(void **state) {
  (void)state;
  struct place root = at(""), other = at("other");
  assert_false(listing_is(&listing, &root, 1000, 10));
  assert_true(list(""));
  assert_true(listing_is(&listing, &root, 1010, 10));
  assert_false(listing_is(&listing, &root, 1011, 10));
  assert_false(listing_is(&listing, &other, 1000, 10));
}

static void many_files_are_listed_and_too_many_are_told(void **state) {
  (void)state;
  char name[260];
  memset(name, 'n', sizeof name);
  static const int fit = LISTING_SIZE_MAX / 200 - 400;
  for (int i = 0; i < fit + 800; ++i) {
    if (i == fit) {
      assert_true(list(""));
      assert_int_equal(listing.links_count, fit);
      copal_bytes document = {(const uint8_t *)listing.text, listing.size};
      copal_link link;
      int count = 0;
      while (copal_link_next(&document, &link) == 1) ++count;
      assert_int_equal(count, fit);
    }
    snprintf(name + 176, sizeof name - 176, "%07d", i);
    int fd = open(sandbox_at(&sandbox, name), O_WRONLY | O_CREAT, 0666);
    assert_true(fd >= 0);
    close(fd);
  }
  assert_false(list(""));
  assert_int_equal(errno, EFBIG);
  assert_false(listing.is_valid);
}

#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_SANDBOX(files_have_format_and_size_and_folders_a_slash),
      WITH_SANDBOX(targets_are_whole_paths),
      WITH_SANDBOX(an_empty_folder_has_an_empty_list),
      WITH_SANDBOX(what_is_not_served_is_not_listed),
      WITH_SANDBOX(the_version_changes_with_what_is_listed),
      WITH_SANDBOX(a_list_serves_for_its_time_and_its_place),
      WITH_SANDBOX(many_files_are_listed_and_too_many_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
