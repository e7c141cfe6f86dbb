/* Changes in a folder that others make: each is told once, by its place. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/serve/watch.h"
#include "tests/support/sandbox.h"
#include "tests/support/skip.h"

static struct sandbox sandbox;
static struct folder folder;
static struct watch watch;
static char told[4096];

static struct place at(const char *path) {
  struct place place = {.size = strlen(path)};
  memcpy(place.text, path, place.size);
  return place;
}

static void tell(const struct place *place, bool is_gone) {
  if (is_gone) strcat(told, "-");
  strcat(told, place->text);
  strcat(told, " ");
}

static void watch_place(const char *path) {
  struct place place = at(path);
  watch_add(&watch, &folder, &place);
  if (!watch_has(&watch, &place)) skip_because("inotify is not to be had here");
}

static void assert_told(const char *expected) {
  told[0] = '\0';
  watch_work(&watch, tell);
  assert_string_equal(told, expected);
}

static int setup(void **state) {
  (void)state;
  watch_open(&watch);
  bool made = sandbox_make(&sandbox) && sandbox_folder(&sandbox, "sub") && sandbox_write(&sandbox, "a", "1");
  return made && folder_open(&folder, sandbox.path) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  watch_close(&watch);
  folder_close(&folder);
  sandbox_remove(&sandbox);
  return 0;
}

static void nothing_is_told_of_what_is_not_watched(void **state) {
  (void)state;
  watch_place("sub");
  assert_true(sandbox_write(&sandbox, "a", "2"));
  assert_told("");
}

static void a_file_is_told_of_when_it_is_written(void **state) {
  (void)state;
  watch_place("");
  assert_true(sandbox_write(&sandbox, "a", "2"));
  assert_told("a ");
  assert_told("");
}

static void a_new_file_is_told_of_once(void **state) {
  (void)state;
  watch_place("sub");
  assert_true(sandbox_write(&sandbox, "sub/b", "1"));
  assert_told("sub/b ");
}

static void a_file_that_takes_anothers_name_is_a_change(void **state) {
  (void)state;
  watch_place("");
  assert_true(sandbox_write(&sandbox, ".new", "2"));
  char from[600];
  strcpy(from, sandbox_at(&sandbox, ".new"));
  assert_int_equal(rename(from, sandbox_at(&sandbox, "a")), 0);
  assert_told("a ");
}

static void what_is_deleted_is_gone(void **state) {
  (void)state;
  watch_place("");
  assert_int_equal(unlink(sandbox_at(&sandbox, "a")), 0);
  assert_told("-a ");
}

static void a_new_folder_is_told_of(void **state) {
  (void)state;
  watch_place("");
  assert_true(sandbox_folder(&sandbox, "new"));
  assert_told("new ");
}

static void a_folder_that_is_deleted_is_watched_no_more(void **state) {
  (void)state;
  struct place sub = at("sub");
  watch_place("sub");
  assert_int_equal(rmdir(sandbox_at(&sandbox, "sub")), 0);
  assert_told("-sub ");
  assert_false(watch_has(&watch, &sub));
}

static void a_folder_is_watched_once(void **state) {
  (void)state;
  watch_place("");
  watch_place("");
  assert_true(sandbox_write(&sandbox, "a", "2"));
  assert_told("a ");
}

static void above_the_limit_the_oldest_makes_room(void **state) {
  (void)state;
  char name[16];
  struct place first = at("0"), second = at("1");
  for (int i = 0; i <= WATCHES_MAX; ++i) {
    snprintf(name, sizeof name, "%d", i);
    assert_true(sandbox_folder(&sandbox, name));
    watch_place(name);
  }
  assert_false(watch_has(&watch, &first));
  assert_true(watch_has(&watch, &second));
  assert_true(sandbox_write(&sandbox, "0/a", "1"));
  assert_told("");
  assert_true(sandbox_write(&sandbox, "64/a", "1"));
  assert_told("64/a ");
}

#define WITH_SANDBOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_SANDBOX(nothing_is_told_of_what_is_not_watched),
      WITH_SANDBOX(a_file_is_told_of_when_it_is_written),
      WITH_SANDBOX(a_new_file_is_told_of_once),
      WITH_SANDBOX(a_file_that_takes_anothers_name_is_a_change),
      WITH_SANDBOX(what_is_deleted_is_gone),
      WITH_SANDBOX(a_new_folder_is_told_of),
      WITH_SANDBOX(a_folder_that_is_deleted_is_watched_no_more),
      WITH_SANDBOX(a_folder_is_watched_once),
      WITH_SANDBOX(above_the_limit_the_oldest_makes_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
