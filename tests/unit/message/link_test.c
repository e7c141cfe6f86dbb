/* Link format read: links, parameters, quoting, blanks, and documents that are broken. */
#include "message/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static copal_bytes bytes_of(const char *text) { return (copal_bytes){(const uint8_t *)text, strlen(text)}; }

static void assert_bytes(copal_bytes bytes, const char *expected) {
  assert_int_equal(bytes.size, strlen(expected));
  if (bytes.size > 0) assert_memory_equal(bytes.data, expected, bytes.size);
}

static copal_link next_link(copal_bytes *document, const char *target) {
  copal_link link;
  assert_int_equal(copal_link_next(document, &link), 1);
  assert_bytes(link.target, target);
  return link;
}

/* value NULL: a flag. */
static void next_parameter(copal_link *link, const char *name, const char *value) {
  copal_link_parameter parameter;
  assert_int_equal(copal_link_parameter_next(&link->parameters, &parameter), 1);
  assert_bytes(parameter.name, name);
  assert_int_equal(parameter.has_value, value != NULL);
  assert_bytes(parameter.value, value != NULL ? value : "");
}

static void no_more_parameters(copal_link *link) {
  copal_link_parameter parameter;
  assert_int_equal(copal_link_parameter_next(&link->parameters, &parameter), 0);
  assert_int_equal(link->parameters.size, 0);
}

static void no_more_links(copal_bytes *document) {
  copal_link link;
  assert_int_equal(copal_link_next(document, &link), 0);
  assert_int_equal(document->size, 0);
}

/* RFC 6690 2: "link-value-list = [ link-value *[ "," link-value ]]". */
static void a_document_is_links_or_nothing(void **state) {
  (void)state;
  copal_bytes document = bytes_of("");
  no_more_links(&document);
  document = (copal_bytes){NULL, 0};
  no_more_links(&document);
  document = bytes_of("</a>,<>,</b>");
  next_link(&document, "/a");
  next_link(&document, "");
  copal_link link = next_link(&document, "/b");
  no_more_parameters(&link);
  no_more_links(&document);
}

static void parameters_are_tokens_strings_or_flags(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a>;ct=40;rt=\"x y\";obs;title*=UTF-8''%e2%82%ac;x=<=>@{}");
  copal_link link = next_link(&document, "/a");
  assert_bytes(link.parameters, ";ct=40;rt=\"x y\";obs;title*=UTF-8''%e2%82%ac;x=<=>@{}");
  next_parameter(&link, "ct", "40");
  copal_bytes rest = link.parameters;
  copal_link_parameter parameter;
  assert_int_equal(copal_link_parameter_next(&rest, &parameter), 1);
  assert_true(parameter.quoted);
  next_parameter(&link, "rt", "x y");
  next_parameter(&link, "obs", NULL);
  next_parameter(&link, "title*", "UTF-8''%e2%82%ac");
  next_parameter(&link, "x", "<=>@{}");
  no_more_parameters(&link);
  no_more_links(&document);
}

/* RFC 6690 2: "Note that commas can also occur in quoted strings and URIs but do not end a description." */
static void commas_and_semicolons_may_be_inside(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a,b;c>;title=\"d,e;f<g>=\";x,</h>");
  copal_link link = next_link(&document, "/a,b;c");
  next_parameter(&link, "title", "d,e;f<g>=");
  next_parameter(&link, "x", NULL);
  no_more_parameters(&link);
  next_link(&document, "/h");
  no_more_links(&document);
}

static void escapes_end_where_they_are_read(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a>;title=\"a \\\"b\\\\\\c\\\";\",</b>");
  copal_link link = next_link(&document, "/a");
  copal_link_parameter parameter;
  assert_true(copal_link_find(&link, "title", &parameter));
  assert_bytes(parameter.value, "a \\\"b\\\\\\c\\\";");
  char text[16];
  assert_int_equal(copal_link_unescape(&parameter, text, sizeof text), 8);
  assert_memory_equal(text, "a \"b\\c\";", 8);
  assert_int_equal(copal_link_unescape(&parameter, text, 7), COPAL_ERR_SPACE);
  assert_int_equal(copal_link_unescape(&parameter, NULL, 0), COPAL_ERR_SPACE);
  next_link(&document, "/b");
}

static void more_capacity_than_a_length_can_tell_is_enough(void **state) {
  (void)state;
  copal_link_parameter parameter = {.value = bytes_of("ab"), .has_value = true};
  char text[2];
  assert_int_equal(copal_link_unescape(&parameter, text, SIZE_MAX), 2);
  assert_memory_equal(text, "ab", 2);
}

/* The reader gives none such; somebody else may. */
static void a_backslash_with_nothing_behind_it_is_itself(void **state) {
  (void)state;
  copal_link_parameter parameter = {.value = bytes_of("a\\"), .has_value = true, .quoted = true};
  char text[4];
  assert_int_equal(copal_link_unescape(&parameter, text, sizeof text), 2);
  assert_memory_equal(text, "a\\", 2);
}

/* RFC 2616 2.2: TEXT is "any OCTET except CTLs, but including LWS", which are blanks, tabs and line breaks. */
static void blanks_of_every_kind_may_be_in_a_string(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a>;title=\"a\tb\r\n c\"");
  copal_link link = next_link(&document, "/a");
  next_parameter(&link, "title", "a\tb\r\n c");
  no_more_links(&document);
}

static void a_token_has_no_escapes(void **state) {
  (void)state;
  copal_link_parameter parameter = {.value = bytes_of("a\\b"), .has_value = true};
  char text[4];
  assert_int_equal(copal_link_unescape(&parameter, text, 3), 3);
  assert_memory_equal(text, "a\\b", 3);
}

static void an_empty_string_is_a_value(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a>;rt=\"\"");
  copal_link link = next_link(&document, "/a");
  next_parameter(&link, "rt", "");
}

static void blanks_between_elements_are_taken(void **state) {
  (void)state;
  copal_bytes document = bytes_of(" </a> ; ct = 40 ; rt = \"x\" ; f ,\r\n\t</b>\n;g\n;h\n");
  copal_link link = next_link(&document, "/a");
  next_parameter(&link, "ct", "40");
  next_parameter(&link, "rt", "x");
  next_parameter(&link, "f", NULL);
  no_more_parameters(&link);
  link = next_link(&document, "/b");
  next_parameter(&link, "g", NULL);
  next_parameter(&link, "h", NULL);
  no_more_parameters(&link);
  no_more_links(&document);
  document = bytes_of(" \r\n ");
  no_more_links(&document);
}

static void bytes_beyond_ascii_are_kept(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</\xc3\xa9>;title=\"\xe2\x82\xac\"");
  copal_link link = next_link(&document, "/\xc3\xa9");
  next_parameter(&link, "title", "\xe2\x82\xac");
}

static void the_first_parameter_of_a_name_is_found(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a>;rt=1;RT=2;x;rt*=3");
  copal_link link = next_link(&document, "/a");
  copal_link_parameter parameter;
  assert_true(copal_link_find(&link, "rt", &parameter));
  assert_bytes(parameter.value, "1");
  assert_true(copal_link_find(&link, "rt*", &parameter));
  assert_bytes(parameter.value, "3");
  assert_true(copal_link_find(&link, "X", &parameter));
  assert_false(parameter.has_value);
  assert_false(copal_link_find(&link, "r", &parameter));
  assert_false(copal_link_find(&link, "href", &parameter));
  assert_bytes(parameter.name, "x");
}

/* T24 */
static void broken_documents_are_refused(void **state) {
  (void)state;
  static const char *const cases[] = {
      "a",                /* no target */
      "/a",               /* no brackets */
      "<",                /* unclosed target */
      "</a",              /* unclosed target */
      "</a b>",           /* blank in a target */
      "</a<b>",           /* bracket in a target */
      "</a\"b>",          /* quote in a target */
      "</a\n>",           /* line break in a target */
      "</a\x7f>",         /* control character in a target */
      ",</a>",            /* empty element */
      "</a>,",            /* empty element */
      "</a>, ",           /* empty element */
      "</a>,,</b>",       /* empty element */
      "</a>x",            /* neither comma nor semicolon */
      "</a></b>",         /* no comma */
      "</a> </b>",        /* no comma */
      "</a>;",            /* no name */
      "</a>;;x",          /* no name */
      "</a>;=x",          /* no name */
      "</a>;\"x\"",       /* no name */
      "</a>;*=x",         /* no name */
      "</a>;x**=y",       /* two stars */
      "</a>;x=",          /* no value */
      "</a>;x=;y",        /* no value */
      "</a>;x=,</b>",     /* no value */
      "</a>;x=\"",        /* unclosed string */
      "</a>;x=\"y",       /* unclosed string */
      "</a>;x=\"y\\",     /* cut escape */
      "</a>;x=\"y\\\"",   /* escaped closing quote */
      "</a>;x=\"y\"z",    /* something after a string */
      "</a>;x=y\"z\"",    /* a quote in a token */
      "</a>;x=y\\z",      /* a backslash in a token */
      "</a>;x=40 50",     /* a blank in a token */
      "</a>;x=\xc3\xa9",  /* a token is ASCII */
      "</a>;x y",         /* two names */
      "</a>;x=\"a\x01\"", /* control character */
      "</a>;x=\"a\x7f\"", /* control character */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_bytes document = bytes_of(cases[i]);
    copal_link link;
    int result;
    while ((result = copal_link_next(&document, &link)) > 0) {
    }
    if (result != COPAL_ERR_LINK_SYNTAX) fail_msg("taken: %s", cases[i]);
    copal_bytes before = document;
    assert_int_equal(copal_link_next(&document, &link), COPAL_ERR_LINK_SYNTAX);
    assert_int_equal(document.size, before.size);
  }
}

static void links_before_an_error_are_handed_out(void **state) {
  (void)state;
  copal_bytes document = bytes_of("</a>;x,</b>;");
  next_link(&document, "/a");
  copal_link link;
  assert_int_equal(copal_link_next(&document, &link), COPAL_ERR_LINK_SYNTAX);
}

static void parameters_alone_are_checked_too(void **state) {
  (void)state;
  static const char *const cases[] = {"x", ",", ";", ";x=", ";x=\"", ";x y"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_bytes parameters = bytes_of(cases[i]);
    copal_link_parameter parameter;
    int result;
    while ((result = copal_link_parameter_next(&parameters, &parameter)) > 0) {
    }
    assert_int_equal(result, COPAL_ERR_LINK_SYNTAX);
  }
}

/* RFC 6690 2: ptokenchar; RFC 5987 3.2.1: attr-char. */
static void characters_are_those_of_the_grammar(void **state) {
  (void)state;
  static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (unsigned byte = 1; byte < 256; ++byte) {
    bool common = byte < 128 && strchr(alphanumeric, (int)byte) != NULL;
    bool token = common || (byte < 128 && strchr("!#$%&'()*+-./:<=>?@[]^_`{|}~", (int)byte) != NULL);
    bool name = common || (byte < 128 && strchr("!#$&+-.^_`|~", (int)byte) != NULL);
    assert_int_equal(link_is_token((uint8_t)byte), token);
    assert_int_equal(link_is_name((uint8_t)byte), name);
  }
  assert_false(link_is_token(0) || link_is_name(0) || link_is_target(0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_document_is_links_or_nothing),
      cmocka_unit_test(parameters_are_tokens_strings_or_flags),
      cmocka_unit_test(commas_and_semicolons_may_be_inside),
      cmocka_unit_test(escapes_end_where_they_are_read),
      cmocka_unit_test(more_capacity_than_a_length_can_tell_is_enough),
      cmocka_unit_test(a_backslash_with_nothing_behind_it_is_itself),
      cmocka_unit_test(blanks_of_every_kind_may_be_in_a_string),
      cmocka_unit_test(a_token_has_no_escapes),
      cmocka_unit_test(an_empty_string_is_a_value),
      cmocka_unit_test(blanks_between_elements_are_taken),
      cmocka_unit_test(bytes_beyond_ascii_are_kept),
      cmocka_unit_test(the_first_parameter_of_a_name_is_found),
      cmocka_unit_test(broken_documents_are_refused),
      cmocka_unit_test(links_before_an_error_are_handed_out),
      cmocka_unit_test(parameters_alone_are_checked_too),
      cmocka_unit_test(characters_are_those_of_the_grammar),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
