/* The configuration's lines and the words of COPAL_OPTIONS, for the command's own subcommands. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/line/config.h"

static struct settings settings;
static char error[400];

/* As the command "get" or another reads it. What settings borrow stays until the next. */
static bool read_bytes(const char *command, const char *bytes, size_t size) {
  static char text[4096];
  assert_true(size < sizeof text);
  memcpy(text, bytes, size);
  text[size] = '\0';
  settings = settings_default();
  error[0] = '\0';
  return config_parse(command_find(command), "file", text, size, &settings, error, sizeof error);
}

static bool read(const char *command, const char *text) { return read_bytes(command, text, strlen(text)); }

static void lines_set_what_options_set(void **state) {
  (void)state;
  assert_true(read("get", "timeout = 3\nnon=true\n\toption = Uri-Query=a=b \n option=Max-Age=1\r\ncolor = never\n"));
  assert_true(settings.timeout == 3 * COPAL_SECOND);
  assert_true(settings.non);
  assert_int_equal(settings.options.count, 2);
  assert_string_equal(settings.options.items[0], "Uri-Query=a=b");
  assert_string_equal(settings.options.items[1], "Max-Age=1");
  assert_int_equal(settings.color, COLOR_NEVER);
}

static void nothing_is_a_configuration(void **state) {
  (void)state;
  assert_true(read("get", ""));
  assert_true(read("get", "\n\n   \n"));
  assert_true(settings.timeout == COPAL_NEVER);
}

static void the_last_line_needs_no_line_feed(void **state) {
  (void)state;
  assert_true(read("get", "accept = json"));
  assert_string_equal(settings.accept, "json");
}

static void comments_stand_alone_or_behind_a_blank(void **state) {
  (void)state;
  assert_true(
      read("get", "# timeout = x\n  # y\ntimeout = 4 # seconds\naccept = a#b\noutput = #x\n[get] # the section\n"));
  assert_true(settings.timeout == 4 * COPAL_SECOND);
  assert_string_equal(settings.accept, "a#b");
  assert_string_equal(settings.output, "");
}

static void quotes_keep_blanks_and_hashes(void **state) {
  (void)state;
  assert_true(read("get", "accept = \" a # b \" # c\noutput = 'it is \"so\"'\n"));
  assert_string_equal(settings.accept, " a # b ");
  assert_string_equal(settings.output, "it is \"so\"");
  assert_false(read("get", "accept = \"a\n"));
  assert_false(read("get", "accept = \"a\" b\n"));
  assert_string_equal(error, "file:1: the value begins with a quotation mark and does not end with it");
}

static void flags_are_true_or_false(void **state) {
  (void)state;
  assert_true(read("get", "non = true\nnon = false\nverbose = 2\n"));
  assert_false(settings.non);
  assert_int_equal(settings.verbose, 2);
  assert_true(read("get", "verbose = true"));
  assert_int_equal(settings.verbose, 1);
  assert_false(read("get", "\nnon = yes"));
  assert_string_equal(error, "file:2: non: 'yes' is neither true nor false");
  assert_false(read("get", "non"));
  assert_string_equal(error, "file:1: 'non' has no value: a line is NAME = VALUE, such as quiet = true");
}

static void a_section_is_for_one_command(void **state) {
  (void)state;
  static const char text[] = "timeout = 3\n[put]\ntimeout = 4\ndata = x\n[get]\ntimeout = 5\n[put]\nhex = 00\n";
  assert_true(read("get", text));
  assert_true(settings.timeout == 5 * COPAL_SECOND);
  assert_null(settings.data);
  assert_true(read("put", text));
  assert_true(settings.timeout == 4 * COPAL_SECOND);
  assert_string_equal(settings.data, "x");
  assert_string_equal(settings.hex, "00");
  assert_true(read("post", text));
  assert_true(settings.timeout == 3 * COPAL_SECOND);
}

static void the_general_part_may_be_for_others(void **state) {
  (void)state;
  assert_true(read("get", "amplification = 5\ntimeout = 3\n"));
  assert_true(settings.amplification == UINT32_MAX);
  assert_true(settings.timeout == 3 * COPAL_SECOND);
  assert_true(read("serve", "amplification = 5\ntimeout = 3\n"));
  assert_int_equal(settings.amplification, 5);
}

static void a_section_has_only_what_its_command_takes(void **state) {
  (void)state;
  assert_false(read("get", "[get]\namplification = 5\n"));
  assert_string_equal(error, "file:2: copal get has no option --amplification");
}

/* Else a mistake would show only when the other subcommand is wanted. */
static void the_sections_of_others_are_checked_too(void **state) {
  (void)state;
  assert_false(read("get", "[serve]\namplification = much\n"));
  assert_string_equal(error, "file:2: amplification: 'much' is not a number from 0 to 1000");
  assert_false(read("get", "[serve]\ntimeout = 3\n"));
  assert_string_equal(error, "file:2: copal serve has no option --timeout");
}

static void unknown_names_get_suggestions(void **state) {
  (void)state;
  assert_false(read("get", "# one\n\ntimeuot = 3\n"));
  assert_string_equal(error, "file:3: unknown option 'timeuot': did you mean timeout?");
  assert_false(read("get", "xyzzyxyzzy = 3\n"));
  assert_string_equal(error, "file:1: unknown option 'xyzzyxyzzy'");
  assert_false(read("get", "[obsrve]\n"));
  assert_string_equal(error, "file:1: unknown command [obsrve]: did you mean [observe]?");
  assert_false(read("get", " = 3\n"));
  assert_false(read("get", "[get\n"));
  assert_false(read("get", "[get] x\n"));
  assert_string_equal(error, "file:1: a section is the name of a command in brackets, such as [get]");
}

static void some_options_are_for_the_command_line(void **state) {
  (void)state;
  assert_false(read("get", "help = true\n"));
  assert_string_equal(error, "file:1: help is for the command line only");
  assert_false(read("get", "[get]\nno-config = true\n"));
  assert_string_equal(error, "file:2: no-config is for the command line only");
}

static void a_byte_of_zero_is_no_text(void **state) {
  (void)state;
  static const char text[] = "timeout = 3\nnon = true\0x\n";
  assert_false(read_bytes("get", text, sizeof text - 1));
  assert_string_equal(error, "file:2: this is no text: there is a byte of zero in it");
}

static void a_list_has_a_bound_in_a_file_too(void **state) {
  (void)state;
  char text[4096] = "";
  for (int i = 0; i < LIST_MAX; ++i) strcat(text, "option = ETag=0x01\n");
  assert_true(read("get", text));
  strcat(text, "option = ETag=0x01\n");
  assert_false(read("get", text));
  assert_string_equal(error, "file:65: option is given more than 64 times");
}

/* At most 4 words. */
static bool split(const char *given, size_t *count, char **words) {
  static char text[256];
  strcpy(text, given);
  error[0] = '\0';
  return config_split(text, words, 4, count, error, sizeof error);
}

static void words_are_cut_at_white_space(void **state) {
  (void)state;
  char *words[4];
  size_t count;
  assert_true(split("  --timeout\t3\n-v ", &count, words));
  assert_int_equal(count, 3);
  assert_string_equal(words[0], "--timeout");
  assert_string_equal(words[1], "3");
  assert_string_equal(words[2], "-v");
  assert_true(split("", &count, words));
  assert_int_equal(count, 0);
  assert_true(split(" \t ", &count, words));
  assert_int_equal(count, 0);
}

static void quotes_hold_words_together(void **state) {
  (void)state;
  char *words[4];
  size_t count;
  assert_true(split("-O 'Uri-Query=a b' --data=\"it's\" ''", &count, words));
  assert_int_equal(count, 4);
  assert_string_equal(words[1], "Uri-Query=a b");
  assert_string_equal(words[2], "--data=it's");
  assert_string_equal(words[3], "");
  assert_false(split("a 'b", &count, words));
  assert_string_equal(error, "the quotation mark ' is not closed");
}

static void words_have_a_bound(void **state) {
  (void)state;
  char *words[4];
  size_t count;
  assert_true(split("a b c d ", &count, words));
  assert_false(split("a b c d e", &count, words));
  assert_string_equal(error, "more than 4 words");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_set_what_options_set),
      cmocka_unit_test(nothing_is_a_configuration),
      cmocka_unit_test(the_last_line_needs_no_line_feed),
      cmocka_unit_test(comments_stand_alone_or_behind_a_blank),
      cmocka_unit_test(quotes_keep_blanks_and_hashes),
      cmocka_unit_test(flags_are_true_or_false),
      cmocka_unit_test(a_section_is_for_one_command),
      cmocka_unit_test(the_general_part_may_be_for_others),
      cmocka_unit_test(a_section_has_only_what_its_command_takes),
      cmocka_unit_test(the_sections_of_others_are_checked_too),
      cmocka_unit_test(unknown_names_get_suggestions),
      cmocka_unit_test(some_options_are_for_the_command_line),
      cmocka_unit_test(a_byte_of_zero_is_no_text),
      cmocka_unit_test(a_list_has_a_bound_in_a_file_too),
      cmocka_unit_test(words_are_cut_at_white_space),
      cmocka_unit_test(quotes_hold_words_together),
      cmocka_unit_test(words_have_a_bound),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
