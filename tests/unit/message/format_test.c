/* The Content-Format registry, by number and by what people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "copal/message.h"

static void numbers_have_their_media_types(void **state) {
  (void)state;
  /* RFC 7252, Table 9. */
  assert_string_equal(copal_content_format_name(0), "text/plain; charset=utf-8");
  assert_string_equal(copal_content_format_name(COPAL_LINK_FORMAT), "application/link-format");
  assert_string_equal(copal_content_format_name(COPAL_XML), "application/xml");
  assert_string_equal(copal_content_format_name(COPAL_OCTET_STREAM), "application/octet-stream");
  assert_string_equal(copal_content_format_name(47), "application/exi");
  assert_string_equal(copal_content_format_name(COPAL_JSON), "application/json");
  /* RFC 8132, 8949, 8428, 9177, 9290, 8613. */
  assert_string_equal(copal_content_format_name(52), "application/merge-patch+json");
  assert_string_equal(copal_content_format_name(COPAL_CBOR), "application/cbor");
  assert_string_equal(copal_content_format_name(110), "application/senml+json");
  assert_string_equal(copal_content_format_name(115), "application/sensml-exi");
  assert_string_equal(copal_content_format_name(311), "application/sensml+xml");
  assert_string_equal(copal_content_format_name(272), "application/missing-blocks+cbor-seq");
  assert_string_equal(copal_content_format_name(257), "application/concise-problem-details+cbor");
  assert_string_equal(copal_content_format_name(10001), "application/oscore");
  assert_string_equal(copal_content_format_name(30000), "image/svg+xml");
}

static void unregistered_numbers_have_none(void **state) {
  (void)state;
  static const uint16_t numbers[] = {1, 15, 20, 43, 66, 255, 282, 1542, 29999, 30001, 65535};
  for (size_t index = 0; index < sizeof numbers / sizeof numbers[0]; ++index) {
    assert_null(copal_content_format_name(numbers[index]));
  }
}

/* What is found in steps by number is also found in order, so the table must be sorted; and its names are distinct. */
static void every_name_leads_back_to_its_number(void **state) {
  (void)state;
  size_t count = 0;
  for (uint32_t number = 0; number <= 65535; ++number) {
    const char *name = copal_content_format_name((uint16_t)number);
    if (name == NULL) continue;
    assert_int_equal(copal_content_format_by_name(name), number);
    ++count;
  }
  assert_int_equal(count, 77);
}

static void media_types_are_found_as_people_write_them(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int number;
  } names[] = {
      {"text/plain", 0},
      {"text/plain; charset=utf-8", 0},
      {"Text/Plain;Charset=\"UTF-8\"", 0},
      {"application/json", 50},
      {" application / json ", 50},
      {"application/json;\tcharset=utf-8", 50},
      {"application/json; charset=utf-8", 50},
      {"application/json;charset=utf-8@deflate", 11050},
      {"application/cbor@deflate", 11060},
      {"application/cose; cose-type=\"cose-sign1\"", 18},
      {"application/cose;cose-type=cose-sign1", 18},
      {"application/cose; charset=utf-8; cose-type=cose-mac0", 17},
      {"application/yang-data+cbor", 340},
      {"application/yang-data+cbor;id=sid", 140},
      {"json", 50},
      {"JSON", 50},
      {"cbor", 60},
      {"xml", 41},
      {"senml+cbor", 112},
      {"text", 0},
      {"plain", 0},
      {"link", 40},
      {"link-format", 40},
      {"octets", 42},
      {"octet-stream", 42},
      {"0", 0},
      {"50", 50},
      {"0050", 50},
      {"1", 1},
      {"65535", 65535},
  };
  for (size_t index = 0; index < sizeof names / sizeof names[0]; ++index) {
    assert_int_equal(copal_content_format_by_name(names[index].name), names[index].number);
  }
}

static void anything_else_is_not_found(void **state) {
  (void)state;
  static const char *const names[] = {"",
                                      " ",
                                      "65536",
                                      "99999999999999999999",
                                      "-1",
                                      "5 0",
                                      "jso",
                                      "jsonx",
                                      "application/",
                                      "application",
                                      "/json",
                                      "application/json; version=2",
                                      "application/cose",
                                      "charset=utf-8"};
  for (size_t index = 0; index < sizeof names / sizeof names[0]; ++index) {
    assert_int_equal(copal_content_format_by_name(names[index]), COPAL_ERR_NOT_FOUND);
  }
}

static void all_that_have_a_name_are_listed_in_order(void **state) {
  (void)state;
  size_t count = 0;
  for (int number = 0; number <= 65535; ++number) {
    if (copal_content_format_name((uint16_t)number) == NULL) continue;
    assert_int_equal(copal_content_format_at(count++), number);
  }
  assert_int_equal(copal_content_format_at(count), COPAL_ERR_NOT_FOUND);
  assert_int_equal(copal_content_format_at(SIZE_MAX), COPAL_ERR_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_have_their_media_types),
      cmocka_unit_test(unregistered_numbers_have_none),
      cmocka_unit_test(every_name_leads_back_to_its_number),
      cmocka_unit_test(media_types_are_found_as_people_write_them),
      cmocka_unit_test(anything_else_is_not_found),
      cmocka_unit_test(all_that_have_a_name_are_listed_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
