/* Where a Uri-Path leads: each option value is a name or none, and no place is outside the folder. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/serve/place.h"
#include "copal/uri.h"

static uint8_t buffer[4096];
static copal_message message;
static struct place place;

static int setup(void **state) {
  (void)state;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  return 0;
}

static void add(const char *segment, size_t size) {
  copal_message_add(&message, COPAL_OPTION_URI_PATH, segment, size);
  assert_int_equal(message.error, COPAL_OK);
}

static const char *find(void) {
  copal_view view = copal_message_view(&message);
  return place_find(&place, &view);
}

/* The place of a path as it stands in a URI. */
static void at(const char *path) {
  setup(NULL);
  assert_int_equal(copal_path_to_options(path, strlen(path), COPAL_OPTION_URI_PATH, &message), COPAL_OK);
  assert_null(find());
}

static void assert_uri(const char *end, const char *expected) {
  char uri[PLACE_URI_MAX + 1];
  assert_int_equal(place_uri(&place, end, uri, sizeof uri), strlen(expected));
  assert_string_equal(uri, expected);
}

static void segments_are_joined(void **state) {
  (void)state;
  at("/a/b.txt");
  assert_string_equal(place.text, "a/b.txt");
  assert_int_equal(place.size, 7);
  assert_string_equal(place_name(&place), "b.txt");
  assert_false(place.is_folder);
}

static void no_path_is_the_folder_itself(void **state) {
  (void)state;
  at("/");
  assert_string_equal(place.text, "");
  assert_string_equal(place_name(&place), "");
  assert_uri("", "/");
}

static void an_empty_segment_at_the_end_says_folder(void **state) {
  (void)state;
  at("/a/b/");
  assert_string_equal(place.text, "a/b");
  assert_true(place.is_folder);
}

static void an_empty_segment_before_the_end_leads_nowhere(void **state) {
  (void)state;
  add("a", 1);
  add("", 0);
  add("b", 1);
  assert_non_null(find());
  setup(NULL);
  add("", 0);
  add("etc", 3);
  assert_non_null(find());
}

/* T20. RFC 7252 5.10.1: "The value of a Uri-Path Option MUST NOT be "." or ".."." */
static void dots_lead_nowhere(void **state) {
  (void)state;
  static const char *const names[] = {".", "..", "...", ".hidden", "..a"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    setup(NULL);
    add("a", 1);
    add(names[i], strlen(names[i]));
    assert_non_null(find());
    setup(NULL);
    add(names[i], strlen(names[i]));
    add("a", 1);
    assert_non_null(find());
  }
}

/* T20 */
static void a_slash_in_a_segment_separates_nothing(void **state) {
  (void)state;
  static const char *const names[] = {"/", "a/b", "/etc", "a/", "a/../../b"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    setup(NULL);
    add(names[i], strlen(names[i]));
    assert_non_null(find());
  }
}

/* T20 */
static void a_nul_in_a_segment_ends_nothing(void **state) {
  (void)state;
  add("a\0.txt", 6);
  assert_non_null(find());
  setup(NULL);
  add("\0", 1);
  assert_non_null(find());
}

static void a_percent_sign_is_a_character(void **state) {
  (void)state;
  add("%2e%2e", 6);
  assert_null(find());
  assert_string_equal(place.text, "%2e%2e");
  assert_uri("", "/%252e%252e");
}

/* T20 */
static void bytes_that_are_no_utf8_are_a_name(void **state) {
  (void)state;
  add("\xff\xfe", 2);
  assert_null(find());
  assert_uri("", "/%FF%FE");
}

static void a_path_as_long_as_a_datagram_fits(void **state) {
  (void)state;
  char name[255];
  memset(name, 'x', sizeof name);
  for (int i = 0; i < 7; ++i) add(name, sizeof name);
  assert_null(find());
  assert_int_equal(place.size, 7 * 256 - 1);
  for (int i = 0; i < 2; ++i) add(name, sizeof name);
  assert_non_null(find());
}

static void a_name_is_entered_and_left(void **state) {
  (void)state;
  struct place above;
  at("/a/");
  assert_true(place_enter(&place, "b c"));
  assert_string_equal(place.text, "a/b c");
  assert_false(place.is_folder);
  assert_uri("", "/a/b%20c");
  assert_uri("/", "/a/b%20c/");
  place_parent(&place, &above);
  assert_string_equal(above.text, "a");
  place_parent(&above, &above);
  assert_string_equal(above.text, "");
  place_parent(&above, &above);
  assert_string_equal(above.text, "");
}

static void what_is_not_served_is_not_entered(void **state) {
  (void)state;
  at("/a");
  assert_false(place_enter(&place, ".."));
  assert_false(place_enter(&place, ".copal-0"));
  assert_false(place_enter(&place, ""));
  assert_false(place_enter(&place, "b/c"));
  assert_string_equal(place.text, "a");
}

static void a_place_is_the_same_with_and_without_its_slash(void **state) {
  (void)state;
  at("/a/b/");
  struct place other = place;
  at("/a/b");
  assert_true(place_equal(&place, &other));
  at("/a/c");
  assert_false(place_equal(&place, &other));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(segments_are_joined, setup),
      cmocka_unit_test_setup(no_path_is_the_folder_itself, setup),
      cmocka_unit_test_setup(an_empty_segment_at_the_end_says_folder, setup),
      cmocka_unit_test_setup(an_empty_segment_before_the_end_leads_nowhere, setup),
      cmocka_unit_test_setup(dots_lead_nowhere, setup),
      cmocka_unit_test_setup(a_slash_in_a_segment_separates_nothing, setup),
      cmocka_unit_test_setup(a_nul_in_a_segment_ends_nothing, setup),
      cmocka_unit_test_setup(a_percent_sign_is_a_character, setup),
      cmocka_unit_test_setup(bytes_that_are_no_utf8_are_a_name, setup),
      cmocka_unit_test_setup(a_path_as_long_as_a_datagram_fits, setup),
      cmocka_unit_test_setup(a_name_is_entered_and_left, setup),
      cmocka_unit_test_setup(what_is_not_served_is_not_entered, setup),
      cmocka_unit_test_setup(a_place_is_the_same_with_and_without_its_slash, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
