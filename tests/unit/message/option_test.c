/* The option registry against the tables of the RFCs, transcribed here on their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"

/* C, U, N, R, format, lengths as the tables print them: "x" is set; "-" is N of an unsafe option. */
static const struct {
  uint16_t number;
  const char *flags;
  const char *name;
  copal_option_format format;
  uint16_t size_min, size_max;
  const char *initial;
} tables[] = {
    /* RFC 7252, Table 4 */
    {1, "x  x", "If-Match", COPAL_FORMAT_OPAQUE, 0, 8, ""},
    {3, "xx- ", "Uri-Host", COPAL_FORMAT_STRING, 1, 255, ""},
    {4, "   x", "ETag", COPAL_FORMAT_OPAQUE, 1, 8, ""},
    {5, "x   ", "If-None-Match", COPAL_FORMAT_EMPTY, 0, 0, ""},
    {7, "xx- ", "Uri-Port", COPAL_FORMAT_UINT, 0, 2, ""},
    {8, "   x", "Location-Path", COPAL_FORMAT_STRING, 0, 255, ""},
    {11, "xx-x", "Uri-Path", COPAL_FORMAT_STRING, 0, 255, ""},
    {12, "    ", "Content-Format", COPAL_FORMAT_UINT, 0, 2, ""},
    {14, " x- ", "Max-Age", COPAL_FORMAT_UINT, 0, 4, "60"},
    {15, "xx-x", "Uri-Query", COPAL_FORMAT_STRING, 0, 255, ""},
    {17, "x   ", "Accept", COPAL_FORMAT_UINT, 0, 2, ""},
    {20, "   x", "Location-Query", COPAL_FORMAT_STRING, 0, 255, ""},
    {35, "xx- ", "Proxy-Uri", COPAL_FORMAT_STRING, 1, 1034, ""},
    {39, "xx- ", "Proxy-Scheme", COPAL_FORMAT_STRING, 1, 255, ""},
    {60, "  x ", "Size1", COPAL_FORMAT_UINT, 0, 4, ""},
    /* RFC 7641, Table 1 */
    {6, " x- ", "Observe", COPAL_FORMAT_UINT, 0, 3, ""},
    /* RFC 7959, Tables 1 and 2 */
    {23, "xx- ", "Block2", COPAL_FORMAT_UINT, 0, 3, ""},
    {27, "xx- ", "Block1", COPAL_FORMAT_UINT, 0, 3, ""},
    {28, "  x ", "Size2", COPAL_FORMAT_UINT, 0, 4, ""},
    /* RFC 7967, Table 1 */
    {258, " x- ", "No-Response", COPAL_FORMAT_UINT, 0, 1, "0"},
    /* RFC 8613, Figure 3 */
    {9, "x   ", "OSCORE", COPAL_FORMAT_OPAQUE, 0, 255, ""},
    /* RFC 8768, Table 1 */
    {16, "    ", "Hop-Limit", COPAL_FORMAT_UINT, 1, 1, "16"},
    /* RFC 9175, Tables 1 and 2 */
    {252, "  x ", "Echo", COPAL_FORMAT_OPAQUE, 1, 40, ""},
    {292, "   x", "Request-Tag", COPAL_FORMAT_OPAQUE, 0, 8, ""},
    /* RFC 9177, Table 1 */
    {19, "xx- ", "Q-Block1", COPAL_FORMAT_UINT, 0, 3, ""},
    {31, "xx-x", "Q-Block2", COPAL_FORMAT_UINT, 0, 3, ""},
    /* RFC 9668, section 3.1 */
    {21, "x   ", "EDHOC", COPAL_FORMAT_EMPTY, 0, 0, ""},
};
#define TABLES_COUNT (sizeof tables / sizeof tables[0])

static void the_registry_says_what_the_rfcs_say(void **state) {
  (void)state;
  for (size_t index = 0; index < TABLES_COUNT; ++index) {
    uint16_t number = tables[index].number;
    const copal_option_info *info = copal_option_by_number(number);
    assert_non_null(info);
    assert_int_equal(info->number, number);
    assert_string_equal(info->name, tables[index].name);
    assert_string_equal(info->initial, tables[index].initial);
    assert_int_equal(info->format, tables[index].format);
    assert_int_equal(info->size_min, tables[index].size_min);
    assert_int_equal(info->size_max, tables[index].size_max);
    assert_int_equal(info->repeatable, tables[index].flags[3] == 'x');
    assert_int_equal(copal_option_is_critical(number), tables[index].flags[0] == 'x');
    assert_int_equal(copal_option_is_unsafe(number), tables[index].flags[1] == 'x');
    if (tables[index].flags[2] != '-') {
      assert_int_equal(copal_option_is_no_cache_key(number), tables[index].flags[2] == 'x');
    }
  }
}

static void options_come_in_ascending_order_and_end(void **state) {
  (void)state;
  size_t count = 0;
  const copal_option_info *info, *before = NULL;
  while ((info = copal_option_at(count)) != NULL) {
    assert_true(before == NULL || before->number < info->number);
    assert_ptr_equal(copal_option_by_number(info->number), info);
    assert_ptr_equal(copal_option_by_name(info->name), info);
    before = info;
    ++count;
  }
  assert_int_equal(count, TABLES_COUNT + 2); /* and OCF's two */
  assert_null(copal_option_at(SIZE_MAX));
}

static void unregistered_numbers_have_no_entry(void **state) {
  (void)state;
  size_t registered = 0;
  for (uint32_t number = 0; number <= 65535; ++number) {
    registered += copal_option_by_number((uint16_t)number) != NULL;
  }
  assert_int_equal(registered, TABLES_COUNT + 2);
  /* RFC 7252, Table 7: reserved. */
  static const uint16_t reserved[] = {0, 128, 132, 136, 140};
  for (size_t index = 0; index < 5; ++index) assert_null(copal_option_by_number(reserved[index]));
}

static void names_ignore_case_and_take_underscores_for_hyphens(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint16_t number;
  } names[] = {
      {"Uri-Path", COPAL_OPTION_URI_PATH}, {"uri_path", COPAL_OPTION_URI_PATH},
      {"URI-PATH", COPAL_OPTION_URI_PATH}, {"etag", COPAL_OPTION_ETAG},
      {"max_age", COPAL_OPTION_MAX_AGE},   {"q-block1", COPAL_OPTION_Q_BLOCK1},
      {"oscore", COPAL_OPTION_OSCORE},     {"if-none_match", COPAL_OPTION_IF_NONE_MATCH},
      {"size1", COPAL_OPTION_SIZE1},
  };
  for (size_t index = 0; index < sizeof names / sizeof names[0]; ++index) {
    const copal_option_info *info = copal_option_by_name(names[index].name);
    assert_non_null(info);
    assert_int_equal(info->number, names[index].number);
  }
}

static void the_old_drafts_names_still_lead_to_their_options(void **state) {
  (void)state;
  assert_int_equal(copal_option_by_name("content_type")->number, COPAL_OPTION_CONTENT_FORMAT);
  assert_int_equal(copal_option_by_name("location")->number, COPAL_OPTION_LOCATION_PATH);
  assert_int_equal(copal_option_by_name("uri_authority")->number, COPAL_OPTION_URI_HOST);
  assert_int_equal(copal_option_by_name("Uri-Scheme")->number, COPAL_OPTION_PROXY_SCHEME);
}

static void other_names_lead_nowhere(void **state) {
  (void)state;
  static const char *const names[] = {"", "Uri", "Uri-Pat", "Uri-Paths", " Uri-Path", "11", "Uri Path", "Option-11"};
  for (size_t index = 0; index < sizeof names / sizeof names[0]; ++index) {
    assert_null(copal_option_by_name(names[index]));
  }
}

static void sizes_are_checked_at_both_ends(void **state) {
  (void)state;
  for (size_t index = 0; index < TABLES_COUNT; ++index) {
    uint16_t number = tables[index].number;
    size_t least = tables[index].size_min, most = tables[index].size_max;
    assert_int_equal(copal_option_check(number, least), COPAL_OK);
    assert_int_equal(copal_option_check(number, most), COPAL_OK);
    assert_int_equal(copal_option_check(number, most + 1), COPAL_ERR_OPTION_VALUE);
    if (least > 0) assert_int_equal(copal_option_check(number, least - 1), COPAL_ERR_OPTION_VALUE);
  }
  assert_int_equal(copal_option_check(65000, 0), COPAL_OK);
  assert_int_equal(copal_option_check(65000, 65804), COPAL_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_registry_says_what_the_rfcs_say),
      cmocka_unit_test(options_come_in_ascending_order_and_end),
      cmocka_unit_test(unregistered_numbers_have_no_entry),
      cmocka_unit_test(names_ignore_case_and_take_underscores_for_hyphens),
      cmocka_unit_test(the_old_drafts_names_still_lead_to_their_options),
      cmocka_unit_test(other_names_lead_nowhere),
      cmocka_unit_test(sizes_are_checked_at_both_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
