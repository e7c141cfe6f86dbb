/* Edit distance, and which name is suggested for a mistyped one. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include "cli/line/suggest.h"

static void distance_counts_single_edits(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    size_t expected;
  } cases[] = {
      {"", "", 0},        {"get", "get", 0},       {"get", "GET", 0},        {"", "abc", 3},    {"gt", "get", 1},
      {"gget", "get", 1}, {"gat", "get", 1},       {"gte", "get", 1},        {"egt", "get", 1}, {"ca", "abc", 3},
      {"put", "post", 2}, {"ouptut", "output", 1}, {"kitten", "sitting", 3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    size_t there = suggest_distance(cases[i].a, cases[i].b), back = suggest_distance(cases[i].b, cases[i].a);
    if (there != cases[i].expected || back != there) {
      fail_msg("'%s' and '%s' are %zu and %zu apart", cases[i].a, cases[i].b, there, back);
    }
  }
}

static void names_too_long_for_the_table_are_far_apart(void **state) {
  (void)state;
  const char *name = "an-option-name-that-is-longer-than-thirty-two-characters";
  assert_true(suggest_distance(name, "output") > 32);
  assert_true(suggest_distance("output", name) > 32);
}

static const char *nearest(const char *typed) {
  static const char *const names[] = {"get", "put", "post", "delete", "discover", "decode", "rt", "if"};
  struct suggestion suggestion = suggestion_for(typed);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) suggestion_offer(&suggestion, names[i]);
  return suggestion.name;
}

static void the_nearest_name_is_suggested(void **state) {
  (void)state;
  assert_string_equal(nearest("gte"), "get");
  assert_string_equal(nearest("pots"), "post");
  assert_string_equal(nearest("delet"), "delete");
  assert_string_equal(nearest("dicsover"), "discover");
}

static void nothing_is_suggested_for_what_is_far_from_all(void **state) {
  (void)state;
  assert_null(nearest("xyzzy"));
  assert_null(nearest("zz"));
  assert_null(nearest(""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distance_counts_single_edits),
      cmocka_unit_test(names_too_long_for_the_table_are_far_apart),
      cmocka_unit_test(the_nearest_name_is_suggested),
      cmocka_unit_test(nothing_is_suggested_for_what_is_far_from_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
