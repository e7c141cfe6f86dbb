/* Link format written: separators, quoting, counting, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "copal/uri.h"

static char text[256];

static copal_link_writer begin(void) {
  memset(text, '#', sizeof text);
  return (copal_link_writer){text, sizeof text, 0, COPAL_OK};
}

static void link_to(copal_link_writer *writer, const char *target) { copal_link_write(writer, target, strlen(target)); }

static void parameter(copal_link_writer *writer, const char *name, const char *value, bool quoted) {
  copal_link_write_parameter(writer, name, value, value != NULL ? strlen(value) : 0, quoted);
}

static void write_sample(copal_link_writer *writer) {
  link_to(writer, "/a");
  parameter(writer, "rt", "x y", true);
  parameter(writer, "ct", "40", false);
  parameter(writer, "obs", NULL, false);
  link_to(writer, "/b");
  parameter(writer, "title*", "UTF-8''b", false);
}

static const char sample[] = "</a>;rt=\"x y\";ct=40;obs,</b>;title*=UTF-8''b";

static void assert_document(const copal_link_writer *writer, const char *expected) {
  assert_int_equal(writer->error, COPAL_OK);
  assert_int_equal(writer->size, strlen(expected));
  assert_memory_equal(text, expected, writer->size);
  assert_int_equal(text[writer->size], '#');
}

static void a_document_is_written_in_order(void **state) {
  (void)state;
  copal_link_writer writer = begin();
  write_sample(&writer);
  assert_document(&writer, sample);
}

static void nothing_written_is_an_empty_document(void **state) {
  (void)state;
  copal_link_writer writer = begin();
  assert_document(&writer, "");
}

static void an_empty_target_is_a_target(void **state) {
  (void)state;
  copal_link_writer writer = begin();
  copal_link_write(&writer, NULL, 0);
  link_to(&writer, "");
  assert_document(&writer, "<>,<>");
}

static void quotes_and_backslashes_are_escaped(void **state) {
  (void)state;
  copal_link_writer writer = begin();
  link_to(&writer, "/a");
  parameter(&writer, "title", "say \"\\\" \x01\xc3\xa9,;\n", true);
  parameter(&writer, "x", "", true);
  assert_document(&writer, "</a>;title=\"say \\\"\\\\\\\" \\\x01\xc3\xa9,;\n\";x=\"\"");
}

/* Blanks as they are, other control characters as RFC 2616 2.2 has them: behind a backslash. */
static void every_character_of_a_string_can_be_read_back(void **state) {
  (void)state;
  char all[255], back[sizeof all];
  for (size_t i = 0; i < sizeof all; ++i) all[i] = (char)(i + 1);
  char buffer[600];
  copal_link_writer writer = {.buffer = buffer, .capacity = sizeof buffer};
  link_to(&writer, "/a");
  copal_link_write_parameter(&writer, "x", all, sizeof all, true);
  assert_int_equal(writer.error, COPAL_OK);
  /* 31 control characters but for 3 blanks, DEL, the quote and the backslash have one before them. */
  assert_int_equal(writer.size, strlen("</a>;x=\"\"") + sizeof all + 28 + 3);

  copal_bytes document = {(const uint8_t *)buffer, writer.size};
  copal_link link;
  copal_link_parameter read;
  assert_int_equal(copal_link_next(&document, &link), 1);
  assert_true(copal_link_find(&link, "x", &read));
  assert_int_equal(copal_link_unescape(&read, back, sizeof back), sizeof all);
  assert_memory_equal(back, all, sizeof all);
}

static void an_escape_that_does_not_fit_takes_its_parameter_along(void **state) {
  (void)state;
  static const char expected[] = "</a>;x=\"\\\"\\\\\"";
  for (size_t capacity = 4; capacity < sizeof expected - 1; ++capacity) {
    copal_link_writer writer = begin();
    writer.capacity = capacity;
    link_to(&writer, "/a");
    parameter(&writer, "x", "\"\\", true);
    assert_int_equal(writer.error, COPAL_ERR_SPACE);
    assert_int_equal(writer.size, 4);
    assert_int_equal(text[capacity], '#');
  }
}

static void without_a_buffer_it_counts(void **state) {
  (void)state;
  copal_link_writer writer = {0};
  write_sample(&writer);
  assert_int_equal(writer.error, COPAL_OK);
  assert_int_equal(writer.size, sizeof sample - 1);
}

static void what_does_not_fit_leaves_whole_elements(void **state) {
  (void)state;
  static const size_t ends[] = {0, 4, 13, 19, 23, 28, sizeof sample - 1};
  for (size_t capacity = 0; capacity < sizeof sample; ++capacity) {
    copal_link_writer writer = begin();
    writer.capacity = capacity;
    write_sample(&writer);
    assert_int_equal(text[capacity], '#');
    if (capacity == sizeof sample - 1) {
      assert_document(&writer, sample);
      continue;
    }
    size_t end = 0;
    while (end + 1 < sizeof ends / sizeof *ends && ends[end + 1] <= capacity) ++end;
    assert_int_equal(writer.error, COPAL_ERR_SPACE);
    assert_int_equal(writer.size, ends[end]);
    assert_memory_equal(text, sample, writer.size);
  }
}

static void what_could_not_be_read_back_is_refused(void **state) {
  (void)state;
  static const char *const targets[] = {"/a>b", "/a<b", "/a b", "/a\nb", "\""};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; ++i) {
    copal_link_writer writer = begin();
    link_to(&writer, "/x");
    link_to(&writer, targets[i]);
    assert_int_equal(writer.error, COPAL_ERR_LINK_SYNTAX);
    assert_int_equal(writer.size, 4);
  }
  static const struct {
    const char *name, *value;
    bool quoted;
  } cases[] = {
      {"", "x", false},    {"a b", "x", false},  {"*", "x", false},  {"a**", "x", true},
      {"a=", NULL, false}, {"a\"", NULL, false}, {"a", "", false},   {"a", "x y", false},
      {"a", "x,", false},  {"a", "x;y", false},  {"a", "\"", false}, {"a", "\xc3\xa9", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_link_writer writer = begin();
    link_to(&writer, "/x");
    parameter(&writer, cases[i].name, cases[i].value, cases[i].quoted);
    assert_int_equal(writer.error, COPAL_ERR_LINK_SYNTAX);
    assert_int_equal(writer.size, 4);
  }
}

static void the_first_error_stays(void **state) {
  (void)state;
  copal_link_writer writer = begin();
  writer.capacity = 5;
  link_to(&writer, "/a>");
  link_to(&writer, "/long-enough");
  parameter(&writer, "x", NULL, false);
  assert_int_equal(writer.error, COPAL_ERR_LINK_SYNTAX);
  assert_int_equal(writer.size, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_document_is_written_in_order),
      cmocka_unit_test(nothing_written_is_an_empty_document),
      cmocka_unit_test(an_empty_target_is_a_target),
      cmocka_unit_test(quotes_and_backslashes_are_escaped),
      cmocka_unit_test(every_character_of_a_string_can_be_read_back),
      cmocka_unit_test(an_escape_that_does_not_fit_takes_its_parameter_along),
      cmocka_unit_test(without_a_buffer_it_counts),
      cmocka_unit_test(what_does_not_fit_leaves_whole_elements),
      cmocka_unit_test(what_could_not_be_read_back_is_refused),
      cmocka_unit_test(the_first_error_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
