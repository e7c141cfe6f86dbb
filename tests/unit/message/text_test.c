/* Text for people: what a line says, and that no peer can make it say more than one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"

static void assert_line(const void *datagram, size_t size, const char *expected) {
  copal_view view;
  char line[512];
  assert_int_equal(copal_decode(datagram, size, &view), COPAL_OK);
  assert_int_equal(copal_text_line(&view, line, sizeof line), strlen(expected));
  assert_string_equal(line, expected);
}

static void assert_option(uint16_t number, const void *value, uint32_t size, const char *expected) {
  copal_option option = {value, size, number};
  char text[512];
  assert_int_equal(copal_text_option(&option, text, sizeof text), strlen(expected));
  assert_string_equal(text, expected);
}

static void a_line_names_type_code_id_token_options_and_payload(void **state) {
  (void)state;
  static const uint8_t request[] = {0x42, 0x02, 0x7d, 0x34, 0x4a, 0x1b, 0xbb, 't', 'e', 'm', 'p', 'e', 'r',
                                    'a',  't',  'u',  'r',  'e',  0xff, '2',  '2', '.', '3', ' ', 'C'};
  assert_line(request, sizeof request, "CON POST 0x7d34 token 4a1b Uri-Path \"temperature\" | 6 bytes \"22.3 C\"");
  assert_line("\x60\x45\x00\x01\xc1\x32\xff{", 8,
              "ACK 2.05 Content 0x0001 Content-Format application/json (50) | 1 byte \"{\"");
  assert_line("\x70\x00\xab\xcd", 4, "RST Empty 0xabcd");
  assert_line("\x50\x1f\x00\x00", 4, "NON 0.31 0x0000");
  assert_line("\x50\x46\x00\x00", 4, "NON 2.06 0x0000");
  assert_line("\x40\xe2\x00\x00", 4, "CON 7.02 Ping 0x0000");
  assert_line("\x40\x03\x00\x00\x50\xe1\xfc\xe3\x07", 9, "CON PUT 0x0000 If-None-Match Option-65013 0x07");
}

static void values_are_shown_by_their_format(void **state) {
  (void)state;
  assert_option(COPAL_OPTION_URI_PATH, "temperature", 11, "\"temperature\"");
  assert_option(COPAL_OPTION_URI_PATH, "", 0, "\"\"");
  assert_option(COPAL_OPTION_MAX_AGE, "\x3c", 1, "60");
  assert_option(COPAL_OPTION_MAX_AGE, "", 0, "0");
  assert_option(COPAL_OPTION_SIZE1, "\xff\xff\xff\xff", 4, "4294967295");
  assert_option(COPAL_OPTION_ETAG, "\x1f\x2e", 2, "0x1f2e");
  assert_option(COPAL_OPTION_IF_MATCH, "", 0, "(empty)");
  assert_option(COPAL_OPTION_IF_NONE_MATCH, "", 0, "");
  assert_option(COPAL_OPTION_ACCEPT, "", 0, "text/plain; charset=utf-8 (0)");
  assert_option(COPAL_OPTION_CONTENT_FORMAT, "\x32", 1, "application/json (50)");
  assert_option(COPAL_OPTION_CONTENT_FORMAT, "\xff\xff", 2, "65535");
  assert_option(65000, "\x01\x02", 2, "0x0102");
}

/* RFC 7959 2.2: NUM, M and SZX, block size = 2**(SZX + 4). */
static void block_values_are_number_more_and_size(void **state) {
  (void)state;
  assert_option(COPAL_OPTION_BLOCK2, "\x21", 1, "2/0/32");
  assert_option(COPAL_OPTION_BLOCK1, "\x3b", 1, "3/1/128");
  assert_option(COPAL_OPTION_Q_BLOCK1, "", 0, "0/0/16");
  assert_option(COPAL_OPTION_Q_BLOCK2, "\xff\xff\xfe", 3, "1048575/1/1024");
  assert_option(COPAL_OPTION_BLOCK2, "\x0f", 1, "0/1/reserved");
}

static void values_of_illegal_size_are_shown_as_bytes(void **state) {
  (void)state;
  assert_option(COPAL_OPTION_URI_PORT, "\x01\x02\x03", 3, "0x010203");
  assert_option(COPAL_OPTION_BLOCK2, "\x01\x02\x03\x04", 4, "0x01020304");
  assert_option(COPAL_OPTION_IF_NONE_MATCH, "\x01", 1, "0x01");
  assert_option(COPAL_OPTION_URI_HOST, "", 0, "(empty)");
}

static void what_could_forge_a_line_is_escaped(void **state) {
  (void)state;
  assert_option(COPAL_OPTION_URI_PATH, "a\nb\r\t\"\\", 7, "\"a\\nb\\r\\t\\\"\\\\\"");
  assert_option(COPAL_OPTION_URI_PATH, "\x1b[2J\x7f", 5, "\"\\x1b[2J\\x7f\"");
  assert_option(COPAL_OPTION_URI_PATH, "\0", 1, "\"\\x00\"");
  assert_option(COPAL_OPTION_URI_PATH, "\xc2\x9b", 2, "\"\\u009b\"");
  assert_option(COPAL_OPTION_URI_PATH, "\xe2\x80\xae", 3, "\"\\u202e\"");
  static const char *const controls[][2] = {
      {"\xd8\x9c", "\"\\u061c\""},     {"\xe2\x80\x8e", "\"\\u200e\""}, {"\xe2\x80\x8f", "\"\\u200f\""},
      {"\xe2\x80\xa8", "\"\\u2028\""}, {"\xe2\x81\xa6", "\"\\u2066\""}, {"\xe2\x81\xa9", "\"\\u2069\""},
      {"\xef\xbb\xbf", "\"\\ufeff\""},
  };
  for (size_t i = 0; i < sizeof controls / sizeof *controls; ++i)
    assert_option(COPAL_OPTION_URI_PATH, controls[i][0], (uint32_t)strlen(controls[i][0]), controls[i][1]);
  assert_option(COPAL_OPTION_URI_PATH, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\xa1", 11,
                "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\xa1\"");
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static void what_is_not_utf8_is_shown_as_bytes(void **state) {
  (void)state;
  assert_option(COPAL_OPTION_URI_PATH, "\xff", 1, "0xff");
  assert_option(COPAL_OPTION_URI_PATH, "a\x80", 2, "0x6180");
  assert_option(COPAL_OPTION_URI_PATH, "\xc3", 1, "0xc3");
  assert_option(COPAL_OPTION_URI_PATH, "\xc3(", 2, "0xc328");
  assert_option(COPAL_OPTION_URI_PATH, "\xc0\xaf", 2, "0xc0af");
  assert_option(COPAL_OPTION_URI_PATH, "\xe0\x80\xaf", 3, "0xe080af");
  assert_option(COPAL_OPTION_URI_PATH, "\xed\xa0\x80", 3, "0xeda080");
  assert_option(COPAL_OPTION_URI_PATH, "\xf4\x90\x80\x80", 4, "0xf4908080");
  assert_option(COPAL_OPTION_URI_PATH, "\xf8\x88\x80\x80\x80", 5, "0xf888808080");
}

/* Next to marks that turn the direction of writing. */
static void letters_beside_the_marks_are_letters(void **state) {
  (void)state;
  static const char *const letters[] = {
      "\"\xd8\x9b\"",     /* U+061B, Arabic semicolon */
      "\"\xe2\x80\x90\"", /* U+2010, hyphen */
      "\"\xe2\x80\xb0\"", /* U+2030, per mille sign */
      "\"\xe2\x81\xb0\"", /* U+2070, superscript zero */
      "\"\xe2\x82\xac\"", /* U+20AC, euro sign */
  };
  for (size_t i = 0; i < sizeof letters / sizeof *letters; ++i)
    assert_option(COPAL_OPTION_URI_PATH, letters[i] + 1, (uint32_t)strlen(letters[i]) - 2, letters[i]);
}

static void an_empty_option_that_holds_something_shows_it(void **state) {
  (void)state;
  assert_line("\x40\x01\x00\x00\x50", 5, "CON GET 0x0000 If-None-Match");
  assert_line("\x40\x01\x00\x00\x51\xab", 6, "CON GET 0x0000 If-None-Match 0xab");
}

static void a_payload_is_text_or_bytes(void **state) {
  (void)state;
  assert_line("\x40\x02\x00\x00\xffok\n", 8, "CON POST 0x0000 | 3 bytes \"ok\\n\"");
  assert_line(
      "\x40\x02\x00\x00\xff"
      "a\tb\r\n",
      10, "CON POST 0x0000 | 5 bytes \"a\\tb\\r\\n\"");
  assert_line("\x40\x02\x00\x00\xff\x00\x01", 7, "CON POST 0x0000 | 2 bytes 0001");
  assert_line("\x40\x02\x00\x00\xff\xa1\x61", 7, "CON POST 0x0000 | 2 bytes a161");
}

static void long_tokens_values_and_payloads_are_shortened(void **state) {
  (void)state;
  static uint8_t datagram[1024];
  uint8_t bytes[200];
  copal_encoder encoder;
  memset(bytes, 'x', sizeof bytes);
  bytes[63] = 0xc3; /* the 64th byte is within a character */
  bytes[64] = 0xbc;
  copal_encode_begin(&encoder, datagram, sizeof datagram, COPAL_CON, COPAL_GET, 0, bytes, 17);
  copal_encode_option(&encoder, COPAL_OPTION_URI_QUERY, bytes, 200);
  copal_encode_option(&encoder, 65000, bytes, 33);
  copal_encode_payload(&encoder, bytes, 64);
  assert_line(datagram, encoder.size,
              "CON GET 0x0000 token 78787878787878787878787878787878..."
              " Uri-Query \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..."
              " Option-65000 0x7878787878787878787878787878787878787878787878787878787878787878..."
              " | 64 bytes 7878787878787878787878787878787878787878787878787878787878787878...");
}

static void an_option_alone_is_shown_whole(void **state) {
  (void)state;
  char value[255], expected[258];
  memset(value, 'y', sizeof value);
  memset(expected, 'y', sizeof expected);
  expected[0] = expected[256] = '"';
  expected[257] = '\0';
  assert_option(COPAL_OPTION_URI_PATH, value, sizeof value, expected);
}

static void a_line_never_exceeds_its_capacity(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x42, 0x01, 0x7d, 0x34, 0x4a, 0x1b, 0xb4, 't',
                                     0xc3, 0xbc, 'x',  0x21, 50,   0xff, 'p'};
  copal_view view;
  char whole[256];
  assert_int_equal(copal_decode(datagram, sizeof datagram, &view), COPAL_OK);
  size_t length = copal_text_line(&view, whole, sizeof whole);
  assert_int_equal(copal_text_line(&view, NULL, 0), 0);
  for (size_t capacity = 1; capacity <= length + 2; ++capacity) {
    char *buffer = malloc(capacity);
    size_t size = copal_text_line(&view, buffer, capacity);
    assert_true(size < capacity);
    assert_int_equal(strlen(buffer), size);
    if (capacity > length) {
      assert_string_equal(buffer, whole);
    } else if (size >= 3) {
      assert_string_equal(buffer + size - 3, "...");
      assert_memory_equal(buffer, whole, size - 3);
    }
    free(buffer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_names_type_code_id_token_options_and_payload),
      cmocka_unit_test(values_are_shown_by_their_format),
      cmocka_unit_test(block_values_are_number_more_and_size),
      cmocka_unit_test(values_of_illegal_size_are_shown_as_bytes),
      cmocka_unit_test(what_could_forge_a_line_is_escaped),
      cmocka_unit_test(what_is_not_utf8_is_shown_as_bytes),
      cmocka_unit_test(letters_beside_the_marks_are_letters),
      cmocka_unit_test(an_empty_option_that_holds_something_shows_it),
      cmocka_unit_test(a_payload_is_text_or_bytes),
      cmocka_unit_test(long_tokens_values_and_payloads_are_shortened),
      cmocka_unit_test(an_option_alone_is_shown_whole),
      cmocka_unit_test(a_line_never_exceeds_its_capacity),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
