/* The demonstration's store: bounded, and nothing changes where it refuses. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "cli/serve/store.h"

static struct store store;

static int setup(void **state) {
  (void)state;
  memset(&store, 0, sizeof store);
  return 0;
}

static void a_new_name_is_created_and_an_old_one_changed(void **state) {
  (void)state;
  assert_int_equal(store_put(&store, "a", 0, "one", 3), STORE_CREATED);
  uint32_t version = store_find(&store, "a")->version;
  assert_int_equal(store_put(&store, "a", 50, "{}", 2), STORE_CHANGED);
  const struct store_entry *entry = store_find(&store, "a");
  assert_int_equal(entry->size, 2);
  assert_memory_equal(entry->body, "{}", 2);
  assert_int_equal(entry->format, 50);
  assert_int_not_equal(entry->version, version);
}

static void a_body_may_be_empty(void **state) {
  (void)state;
  assert_int_equal(store_put(&store, "a", 0, NULL, 0), STORE_CREATED);
  assert_int_equal(store_find(&store, "a")->size, 0);
}

static void what_was_deleted_is_gone_and_comes_back_with_another_version(void **state) {
  (void)state;
  assert_false(store_delete(&store, "a"));
  assert_int_equal(store_put(&store, "a", 0, "x", 1), STORE_CREATED);
  uint32_t version = store_find(&store, "a")->version;
  assert_true(store_delete(&store, "a"));
  assert_null(store_find(&store, "a"));
  assert_false(store_delete(&store, "a"));
  assert_int_equal(store_put(&store, "a", 0, "x", 1), STORE_CREATED);
  assert_true(store_find(&store, "a")->version > version);
}

static void a_body_above_the_limit_is_refused_and_changes_nothing(void **state) {
  (void)state;
  static uint8_t body[STORE_BODY_MAX + 1];
  assert_int_equal(store_put(&store, "a", 0, body, STORE_BODY_MAX), STORE_CREATED);
  uint32_t version = store.version;
  assert_int_equal(store_put(&store, "a", 0, body, STORE_BODY_MAX + 1), STORE_TOO_LARGE);
  assert_int_equal(store_put(&store, "b", 0, body, STORE_BODY_MAX + 1), STORE_TOO_LARGE);
  assert_int_equal(store_find(&store, "a")->size, STORE_BODY_MAX);
  assert_null(store_find(&store, "b"));
  assert_int_equal(store.version, version);
}

static void a_full_store_changes_but_does_not_create(void **state) {
  (void)state;
  char name[STORE_NAME_MAX];
  for (int i = 0; i < STORE_ENTRIES_MAX; ++i) {
    snprintf(name, sizeof name, "n%d", i);
    assert_int_equal(store_put(&store, name, 0, "x", 1), STORE_CREATED);
  }
  assert_int_equal(store_put(&store, "more", 0, "x", 1), STORE_FULL);
  assert_null(store_find(&store, "more"));
  assert_int_equal(store_put(&store, "n63", 0, "y", 1), STORE_CHANGED);
  assert_true(store_delete(&store, "n17"));
  assert_int_equal(store_put(&store, "more", 0, "x", 1), STORE_CREATED);
}

static void names_have_1_to_63_characters(void **state) {
  (void)state;
  char name[STORE_NAME_MAX + 1];
  memset(name, 'a', STORE_NAME_MAX);
  name[STORE_NAME_MAX] = '\0';
  assert_int_equal(store_put(&store, name, 0, "x", 1), STORE_BAD_NAME);
  name[STORE_NAME_MAX - 1] = '\0';
  assert_int_equal(store_put(&store, name, 0, "x", 1), STORE_CREATED);
  assert_non_null(store_find(&store, name));
  assert_int_equal(store_put(&store, "", 0, "x", 1), STORE_BAD_NAME);
  assert_null(store_find(&store, ""));
  assert_false(store_delete(&store, ""));
}

static void a_new_name_is_one_that_no_entry_has(void **state) {
  (void)state;
  char name[16];
  assert_int_equal(store_put(&store, "2", 0, "x", 1), STORE_CREATED);
  store_new_name(&store, name, sizeof name);
  assert_string_equal(name, "1");
  store_new_name(&store, name, sizeof name);
  assert_string_equal(name, "3");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_new_name_is_created_and_an_old_one_changed, setup),
      cmocka_unit_test_setup(a_body_may_be_empty, setup),
      cmocka_unit_test_setup(what_was_deleted_is_gone_and_comes_back_with_another_version, setup),
      cmocka_unit_test_setup(a_body_above_the_limit_is_refused_and_changes_nothing, setup),
      cmocka_unit_test_setup(a_full_store_changes_but_does_not_create, setup),
      cmocka_unit_test_setup(names_have_1_to_63_characters, setup),
      cmocka_unit_test_setup(a_new_name_is_one_that_no_entry_has, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
