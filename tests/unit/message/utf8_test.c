/* UTF-8: the borders of every range of RFC 3629 section 4. */
#include "message/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_borders_of_every_range_are_valid(void **state) {
  (void)state;
  static const char *const cases[] = {
      "",
      "a",
      "\x7f",
      "\xc2\x80",
      "\xdf\xbf",
      "\xe0\xa0\x80",
      "\xed\x9f\xbf",
      "\xee\x80\x80",
      "\xef\xbf\xbf",
      "\xf0\x90\x80\x80",
      "\xf4\x8f\xbf\xbf",
      "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf",
      "x\xc3\xa9y",
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    if (!utf8_valid((const uint8_t *)cases[i], strlen(cases[i]))) fail_msg("case %zu", i);
  }
  assert_true(utf8_valid((const uint8_t *)"a\0b", 3));
  assert_true(utf8_valid(NULL, 0));
}

static void what_lies_beyond_the_borders_is_not(void **state) {
  (void)state;
  static const char *const cases[] = {
      "\x80",             /* continuation alone */
      "\xbf",             /* continuation alone */
      "\xc0\x80",         /* overlong NUL */
      "\xc1\xbf",         /* overlong */
      "\xc2",             /* cut off */
      "\xc2\x41",         /* no continuation */
      "\xc2\xc0",         /* no continuation */
      "\xe0\x9f\xbf",     /* overlong */
      "\xe1\x80",         /* cut off */
      "\xe1\x80\x41",     /* no continuation */
      "\xe1\x80\xc0",     /* no continuation */
      "\xed\xa0\x80",     /* surrogate */
      "\xed\xbf\xbf",     /* surrogate */
      "\xf0\x8f\xbf\xbf", /* overlong */
      "\xf1\x80\x80",     /* cut off */
      "\xf1\x80\x80\x7f", /* no continuation */
      "\xf4\x90\x80\x80", /* above U+10FFFF */
      "\xf5\x80\x80\x80", /* above U+10FFFF */
      "\xff",             /* no lead */
      "ab\xe9",           /* Latin-1 */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    if (utf8_valid((const uint8_t *)cases[i], strlen(cases[i]))) fail_msg("case %zu", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_borders_of_every_range_are_valid),
      cmocka_unit_test(what_lies_beyond_the_borders_is_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
