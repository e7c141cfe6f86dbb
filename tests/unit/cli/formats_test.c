/* Names of Content-Formats: those that are listed, and which is suggested for a mistyped one. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/line/formats.h"
#include "copal/message.h"

static void every_name_that_is_listed_is_one(void **state) {
  (void)state;
  struct format_walk walk = {0};
  size_t count = 0;
  while (format_next(&walk)) {
    if (copal_content_format_by_name(walk.name) < 0) fail_msg("'%s' is no format", walk.name);
    if (strpbrk(walk.name, " ;/'\"") != NULL) fail_msg("'%s' is no short name", walk.name);
    ++count;
  }
  assert_true(count > 40);
}

/* Several are COSE, and differ in a parameter only: none of them has a short name. */
static void what_would_name_another_format_is_not_listed(void **state) {
  (void)state;
  struct format_walk walk = {0};
  while (format_next(&walk)) assert_string_not_equal(walk.name, "cose");
}

static void the_nearest_name_is_found(void **state) {
  (void)state;
  char buffer[FORMAT_NAME_MAX];
  assert_string_equal(format_near("jsno", buffer), "json");
  assert_string_equal(format_near("txet", buffer), "text");
  assert_string_equal(format_near("senml+jsno", buffer), "senml+json");
  assert_string_equal(format_near("application/cbro", buffer), "application/cbor");
  /* There are three of application/cose, which the type alone does not tell apart. */
  assert_true(copal_content_format_by_name(format_near("application/cosee", buffer)) >= 0);
  assert_null(format_near("xyzzy-xyzzy", buffer));
  assert_null(format_near("", buffer));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_name_that_is_listed_is_one),
      cmocka_unit_test(what_would_name_another_format_is_not_listed),
      cmocka_unit_test(the_nearest_name_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
