/* Text of peers, made harmless for a terminal. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/terminal.h"

static copal_bytes bytes_of(const char *text, size_t size) { return (copal_bytes){(const uint8_t *)text, size}; }

#define BYTES(text) bytes_of(text, sizeof(text) - 1)

static void assert_shown(copal_bytes bytes, bool lines, const char *expected) {
  char *shown = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&shown, &size);
  assert_non_null(stream);
  terminal_text(stream, bytes, lines);
  fclose(stream);
  assert_string_equal(shown, expected);
  free(shown);
}

static void text_passes_as_it_is(void **state) {
  (void)state;
  assert_shown(BYTES("22.3 C, \"quoted\" \\ ~"), false, "22.3 C, \"quoted\" \\ ~");
  assert_shown(BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xa1"), false, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xa1");
  assert_shown(bytes_of(NULL, 0), false, "");
}

static void line_feeds_and_tabs_pass_where_lines_are_wanted(void **state) {
  (void)state;
  assert_shown(BYTES("a\tb\nc"), true, "a\tb\nc");
  assert_shown(BYTES("a\tb\nc"), false, "a\\x09b\\x0ac");
  assert_shown(BYTES("a\rb"), true, "a\\x0db");
}

static void control_characters_are_written_out(void **state) {
  (void)state;
  assert_shown(BYTES("\033[31m\a\x7f"), true, "\\x1b[31m\\x07\\x7f");
  assert_shown(bytes_of("a\0b", 3), true, "a\\x00b");
  assert_shown(BYTES("\xc2\x9b"), true, "\\xc2\\x9b"); /* C1: CSI in one character */
  assert_shown(BYTES("\xc2\xa0"), true, "\xc2\xa0");
}

static void what_is_no_utf8_is_written_out(void **state) {
  (void)state;
  assert_shown(BYTES("\xc0\xaf"), true, "\\xc0\\xaf");                   /* overlong */
  assert_shown(BYTES("\xe0\x80\xaf"), true, "\\xe0\\x80\\xaf");          /* overlong */
  assert_shown(BYTES("\xf0\x82\x82\xac"), true, "\\xf0\\x82\\x82\\xac"); /* overlong */
  assert_shown(BYTES("\xed\xa0\x80"), true, "\\xed\\xa0\\x80");          /* a surrogate */
  assert_shown(BYTES("\xf4\x90\x80\x80"), true, "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
  assert_shown(BYTES("\x80z"), true, "\\x80z");                          /* a continuation alone */
  assert_shown(BYTES("\xe2\x82"), true, "\\xe2\\x82");                   /* cut off */
  assert_shown(BYTES("\xe2z\xac"), true, "\\xe2z\\xac");                 /* interrupted */
  assert_shown(BYTES("\xff\xfe"), true, "\\xff\\xfe");
}

static void text_is_told_from_other_bytes(void **state) {
  (void)state;
  assert_true(terminal_is_text(BYTES("one\r\n\ttwo \xe2\x82\xac")));
  assert_true(terminal_is_text(bytes_of(NULL, 0)));
  assert_false(terminal_is_text(BYTES("a\033b")));
  assert_false(terminal_is_text(bytes_of("a\0b", 3)));
  assert_false(terminal_is_text(BYTES("\xff")));
}

static void hexadecimal_has_16_bytes_a_line_with_their_characters(void **state) {
  (void)state;
  char *shown = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&shown, &size);
  assert_non_null(stream);
  terminal_hex(stream, BYTES("0123456789abcdef\x1b!"), "  ");
  fclose(stream);
  assert_string_equal(shown,
                      "  0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
                      "  0010  1b 21                                            .!\n");
  free(shown);
}

static void assert_broken(const char *text, size_t columns, const char *first) {
  size_t size = terminal_break(text, strlen(text), columns);
  assert_int_equal(size, strlen(first));
  assert_memory_equal(text, first, size);
}

static void a_line_is_broken_where_it_hurts_least(void **state) {
  (void)state;
  assert_broken("as it is", 8, "as it is");
  assert_broken("one two three", 9, "one two");
  assert_broken("one two three", 7, "one two");
  assert_broken("", 5, "");
  assert_broken("a long name one \"a b c\"", 18, "a long name"); /* a value stays with its name */
  assert_broken("Uri-Path one \"b c d e f g h\"", 20, "Uri-Path one \"b c d");
  assert_broken("number 1 and \"b c d e\"", 16, "number 1");
  assert_broken("\"a \\\" b\" c d", 11, "\"a \\\" b\" c"); /* an escaped quote ends nothing */
  assert_broken("unbreakable", 4, "unbr");
  assert_broken("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 4, "\xe2\x82\xac");
  assert_broken("\xe2\x82\xac\xe2\x82\xac", 0, "\xe2");
}

static void a_character_that_is_cut_off_is_noticed(void **state) {
  (void)state;
  assert_int_equal(terminal_unfinished(bytes_of(NULL, 0)), 0);
  assert_int_equal(terminal_unfinished(BYTES("a")), 0);
  assert_int_equal(terminal_unfinished(BYTES("a\xc3")), 1);
  assert_int_equal(terminal_unfinished(BYTES("a\xc3\xa9")), 0);
  assert_int_equal(terminal_unfinished(BYTES("\xe2\x82")), 2);
  assert_int_equal(terminal_unfinished(BYTES("\xe2\x82\xac")), 0);
  assert_int_equal(terminal_unfinished(BYTES("a\xf0\x9f\x8c")), 3);
  assert_int_equal(terminal_unfinished(BYTES("\xf0\x9f\x8c\xa1")), 0);
  assert_int_equal(terminal_unfinished(BYTES("\x80\x80\x80\x80")), 0); /* no character begins there */
}

static void styles_are_empty_without_colours(void **state) {
  (void)state;
  terminal_setup(COLOR_NEVER);
  assert_string_equal(terminal_style(stdout, STYLE_BAD), "");
  terminal_setup(COLOR_ALWAYS);
  assert_string_equal(terminal_style(stdout, STYLE_BAD), "\033[31m");
  assert_string_equal(terminal_style(stderr, STYLE_PLAIN), "\033[0m");
  terminal_setup(COLOR_NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_passes_as_it_is),
      cmocka_unit_test(line_feeds_and_tabs_pass_where_lines_are_wanted),
      cmocka_unit_test(control_characters_are_written_out),
      cmocka_unit_test(what_is_no_utf8_is_written_out),
      cmocka_unit_test(text_is_told_from_other_bytes),
      cmocka_unit_test(hexadecimal_has_16_bytes_a_line_with_their_characters),
      cmocka_unit_test(a_line_is_broken_where_it_hurts_least),
      cmocka_unit_test(a_character_that_is_cut_off_is_noticed),
      cmocka_unit_test(styles_are_empty_without_colours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
