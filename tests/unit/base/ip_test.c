/* IP literals: what is one, what only looks like one, and the one form in which they are written. */
#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_ipv6(const char *text, const uint8_t expected[16]) {
  uint8_t address[16];
  if (!ipv6_parse(text, strlen(text), address)) fail_msg("refused: %s", text);
  assert_memory_equal(address, expected, 16);
}

static void assert_canonical(const char *text, const char *expected) {
  uint8_t address[16];
  char written[IPV6_TEXT_MAX];
  if (!ipv6_parse(text, strlen(text), address)) fail_msg("refused: %s", text);
  assert_int_equal(ipv6_write(address, written), strlen(expected));
  assert_string_equal(written, expected);
}

static void ipv4_is_four_decimal_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint8_t address[4];
  } cases[] = {
      {"0.0.0.0", {0, 0, 0, 0}},
      {"127.0.0.1", {127, 0, 0, 1}},
      {"198.51.100.1", {198, 51, 100, 1}},
      {"255.255.255.255", {255, 255, 255, 255}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint8_t address[4];
    char written[IPV4_TEXT_MAX];
    assert_true(ipv4_parse(cases[i].text, strlen(cases[i].text), address));
    assert_memory_equal(address, cases[i].address, 4);
    assert_int_equal(ipv4_write(address, written), strlen(cases[i].text));
    assert_string_equal(written, cases[i].text);
  }
}

static void what_lenient_readers_take_for_ipv4_is_refused(void **state) {
  (void)state;
  static const char *const cases[] = {"",          "1",         "127.1",      "1.2.3",    "1.2.3.",
                                      ".1.2.3",    "1.2.3.4.",  "1.2.3.4.5",  "1..2.3",   "256.0.0.1",
                                      "1.2.3.256", "01.2.3.4",  "1.2.3.04",   "00.0.0.0", "0x7f.0.0.1",
                                      "1.2.3.4 ",  " 1.2.3.4",  "1.2.3.-4",   "+1.2.3.4", "1,2,3,4",
                                      "1.2.3.4a",  "999.1.1.1", "1.2.3.1000", "a.b.c.d",  "2130706433"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint8_t address[4] = {9, 9, 9, 9};
    if (ipv4_parse(cases[i], strlen(cases[i]), address)) fail_msg("taken: %s", cases[i]);
    assert_memory_equal(address, ((uint8_t[]){9, 9, 9, 9}), 4);
  }
}

static void text_need_not_be_terminated(void **state) {
  (void)state;
  uint8_t address[16];
  assert_true(ipv4_parse("1.2.3.45", 7, address));
  assert_int_equal(address[3], 4);
  assert_true(ipv6_parse("::12", 3, address));
  assert_int_equal(address[15], 1);
}

/* RFC 4291 2.2. */
static void ipv6_is_read_in_all_its_forms(void **state) {
  (void)state;
  assert_ipv6("::", (uint8_t[16]){0});
  assert_ipv6("::1", (uint8_t[16]){[15] = 1});
  assert_ipv6("1::", (uint8_t[16]){0, 1});
  assert_ipv6("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", (uint8_t[16]){0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89,
                                                                       0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89});
  assert_ipv6("2001:DB8:0:0:8:800:200C:417A",
              (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [9] = 8, [10] = 8, [12] = 0x20, 0x0c, 0x41, 0x7a});
  assert_ipv6("2001:DB8::8:800:200C:417A",
              (uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [9] = 8, [10] = 8, [12] = 0x20, 0x0c, 0x41, 0x7a});
  assert_ipv6("FF01::101", (uint8_t[16]){0xff, 1, [14] = 1, 1});
  assert_ipv6("0:0:0:0:0:0:13.1.68.3", (uint8_t[16]){[12] = 13, 1, 68, 3});
  assert_ipv6("::FFFF:129.144.52.38", (uint8_t[16]){[10] = 0xff, 0xff, 129, 144, 52, 38});
  assert_ipv6("1::2:3:4:5:6:7", (uint8_t[16]){0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7});
  assert_ipv6("1:2:3:4:5:6:7::", (uint8_t[16]){0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0});
  assert_ipv6("::2:3:4:5:6:7:8", (uint8_t[16]){0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8});
  assert_ipv6("64:ff9b::1.2.3.4", (uint8_t[16]){0, 0x64, 0xff, 0x9b, [12] = 1, 2, 3, 4});
}

static void what_is_not_ipv6_is_refused(void **state) {
  (void)state;
  static const char *const cases[] = {"",
                                      ":",
                                      ":::",
                                      "1",
                                      "1:",
                                      ":1",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:",
                                      ":2:3:4:5:6:7:8",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8:",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1:2:3:4:5:6:7:8",
                                      "1:2:3:4::5:6:7:8",
                                      "1::2::3",
                                      "12345::",
                                      "g::",
                                      "1:::2",
                                      "::1.2.3",
                                      "::1.2.3.256",
                                      "::1.2.3.4:5",
                                      "1.2.3.4",
                                      "1.2.3.4::",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::01.2.3.4",
                                      "::1%eth0",
                                      "[::1]",
                                      "::1 ",
                                      "::-1"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint8_t address[16] = {0xee}, untouched[16] = {0xee};
    if (ipv6_parse(cases[i], strlen(cases[i]), address)) fail_msg("taken: %s", cases[i]);
    assert_memory_equal(address, untouched, 16);
  }
}

/* RFC 5952 4 and 5. */
static void ipv6_is_written_in_its_recommended_form(void **state) {
  (void)state;
  assert_canonical("::", "::");
  assert_canonical("::1", "::1");
  assert_canonical("1::", "1::");
  /* 4.1: "Leading zeros MUST be suppressed." 4.3: lowercase. */
  assert_canonical("2001:0DB8::0001", "2001:db8::1");
  /* 4.2.1: "The use of the symbol "::" MUST be used to its maximum capability." */
  assert_canonical("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");
  /* 4.2.2: "The symbol "::" MUST NOT be used to shorten just one 16-bit 0 field." */
  assert_canonical("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
  /* 4.2.3: the longest run, and the first of equals. */
  assert_canonical("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
  assert_canonical("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
  assert_canonical("0:0:1:2:3:4:5:6", "::1:2:3:4:5:6");
  assert_canonical("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::");
  assert_canonical("0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1");
  /* 5: mixed notation under a well-known prefix, and under no other. */
  assert_canonical("::ffff:c000:0201", "::ffff:192.0.2.1");
  assert_canonical("::fffe:c000:0201", "::fffe:c000:201");
  assert_canonical("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  /* Every pattern of zero and other groups. */
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    uint8_t address[16] = {0}, again[16];
    char text[IPV6_TEXT_MAX];
    for (size_t i = 0; i < 8; ++i) address[2 * i + i % 2] = pattern >> i & 1 ? (uint8_t)(0x1f * (i + 1)) : 0;
    size_t size = ipv6_write(address, text);
    assert_true(ipv6_parse(text, size, again));
    assert_memory_equal(again, address, 16);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ipv4_is_four_decimal_numbers), cmocka_unit_test(what_lenient_readers_take_for_ipv4_is_refused),
      cmocka_unit_test(text_need_not_be_terminated),  cmocka_unit_test(ipv6_is_read_in_all_its_forms),
      cmocka_unit_test(what_is_not_ipv6_is_refused),  cmocka_unit_test(ipv6_is_written_in_its_recommended_form),
      cmocka_unit_test(what_is_written_is_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
