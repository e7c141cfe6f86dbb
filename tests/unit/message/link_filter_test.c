/* Filtering: whole values, prefixes, lists, escapes, the target. RFC 6690 4.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "message/link.h"

static copal_bytes bytes_of(const char *text) { return (copal_bytes){(const uint8_t *)text, strlen(text)}; }

/* As one piece, and as a server has it: in parts, the attributes without their first semicolon. */
static bool matches(const char *text, const char *argument) {
  copal_bytes document = bytes_of(text);
  copal_link link;
  assert_int_equal(copal_link_next(&document, &link), 1);
  bool matching = copal_link_matches(&link, bytes_of(argument));
  copal_bytes attributes = link.parameters;
  if (attributes.size > 0) attributes = (copal_bytes){attributes.data + 1, attributes.size - 1};
  assert_int_equal(link_matches(link.target, attributes, bytes_of(argument)), matching);
  return matching;
}

/* RFC 6690 4.1: "a Complete Value String matches a target attribute if it is bitwise identical" RFC 6690 3: "When the
 * values of attributes are compared, they MUST be compared as strings." */
static void a_whole_value_matches_itself_only(void **state) {
  (void)state;
  assert_true(matches("</a>;foo=bar", "foo=bar"));
  assert_true(matches("</a>;foo=\"bar\"", "foo=bar"));
  assert_false(matches("</a>;foo=bar", "foo=ba"));
  assert_false(matches("</a>;foo=bar", "foo=barley"));
  assert_false(matches("</a>;foo=bar", "foo=Bar"));
  assert_false(matches("</a>;foo=bar", "foo="));
  assert_false(matches("</a>;fo=bar", "foo=bar"));
  assert_false(matches("</a>;foob=bar", "foo=bar"));
  assert_true(matches("</a>;sz=262144", "sz=262144"));
  assert_false(matches("</a>;sz=262144", "sz=0262144"));
  assert_true(matches("</a>;foo=\"\"", "foo="));
  assert_true(matches("</a>;foo=a=b", "foo=a=b"));
}

/* "A Prefix Value String matches a target attribute if it is a bitwise prefix of the target attribute (where any string
 * is a prefix of itself). Empty Prefix Value Strings are allowed; by the definition above, they match any target
 * attribute that does exist." */
static void a_prefix_ends_in_a_star(void **state) {
  (void)state;
  assert_true(matches("</a>;foo=bar", "foo=bar*"));
  assert_true(matches("</a>;foo=barley", "foo=bar*"));
  assert_true(matches("</a>;foo=bar", "foo=*"));
  assert_true(matches("</a>;foo=\"\"", "foo=*"));
  assert_true(matches("</a>;foo", "foo=*"));
  assert_false(matches("</a>;foo=ba", "foo=bar*"));
  assert_false(matches("</a>;foo=rebar", "foo=bar*"));
  assert_false(matches("</a>;other=bar", "foo=*"));
  assert_true(matches("</a>;foo=b*r", "foo=b*r"));
  assert_false(matches("</a>;foo=bar", "foo=b*r"));
  assert_true(matches("</a>;foo=b*r", "foo=b**"));
  assert_false(matches("</a>;foo=bar", "foo=b**"));
}

/* RFC 6690 3.3, of sizes: "Implementations MUST be prepared to accept large values." */
static void a_size_has_any_number_of_digits(void **state) {
  (void)state;
  assert_true(matches("</a>;sz=340282366920938463463374607431768211456", "sz=340282366920938463463374607431768211456"));
  assert_false(matches("</a>;sz=340282366920938463463374607431768211456", "sz=0"));
}

static void a_name_alone_asks_for_existence(void **state) {
  (void)state;
  assert_true(matches("</a>;obs", "obs"));
  assert_true(matches("</a>;obs=1", "obs"));
  assert_false(matches("</a>;ob", "obs"));
  assert_true(matches("</a>", "href"));
  assert_false(matches("</a>;foo=bar", ""));
  assert_false(matches("</a>;foo=bar", "=bar"));
  assert_true(matches("</a>;OBS", "obs"));
}

static void a_link_without_attributes_has_none_to_match(void **state) {
  (void)state;
  assert_false(matches("</a>", "obs"));
  assert_false(matches("</a>", "rt=*"));
  assert_false(matches("</a>", ""));
}

/* "The search name "href" refers to the URI-reference between the "<" and ">" characters of a link." */
static void href_is_the_target(void **state) {
  (void)state;
  assert_true(matches("</foo>;x", "href=/foo"));
  assert_true(matches("</foo/bar>", "href=/foo*"));
  assert_true(matches("</foo>", "href=/foo*"));
  assert_true(matches("</foo>", "href=*"));
  assert_true(matches("<>", "href="));
  assert_false(matches("</foo>", "href=/fo"));
  assert_false(matches("</foo>", "href=/fop"));
  assert_false(matches("</foo>", "href=/g*"));
  assert_false(matches("</foo>", "href=/foo/"));
  assert_false(matches("</fo>", "href=/foo*"));
  assert_false(matches("</foo>", "href="));
  assert_true(matches("</a%20b>", "href=/a%20b"));
}

/* RFC 6690 4.1: "Note that relation-type target attributes can contain multiple values, and each value MUST be treated
 * as a separate target attribute when matching." RFC 7252 7.2.1 has such lists in ct. */
static void lists_match_by_item(void **state) {
  (void)state;
  static const char *const names[] = {"rt", "if", "rel", "rev", "ct"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    char link[64] = "</a>;", argument[64];
    strcat(strcat(link, names[i]), "=\"one  two three\"");
    static const struct {
      const char *text;
      bool expected;
    } cases[] = {
        {"one", true},  {"two", true},      {"three", true},     {"on", false},
        {"two*", true}, {"tw*", true},      {"thr*", true},      {"*", true},
        {"x*", false},  {"", false},        {"one  two", false}, {"one two three", false},
        {"wo", false},  {"twofold", false}, {"twofold*", false}, {"two three*", false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
      strcpy(argument, names[i]);
      strcat(strcat(argument, "="), cases[k].text);
      if (matches(link, argument) != cases[k].expected) fail_msg("%s on %s", argument, link);
    }
  }
}

static void an_empty_list_exists(void **state) {
  (void)state;
  assert_true(matches("</a>;rt=\"\"", "rt=*"));
  assert_true(matches("</a>;rt=\"\"", "rt="));
  assert_true(matches("</a>;rt=\"  \"", "rt=*"));
  assert_false(matches("</a>;rt=\"\"", "rt=a*"));
  assert_true(matches("</a>;rt", "rt"));
  assert_true(matches("</a>;rt=\" a \"", "rt=a"));
  assert_false(matches("</a>;rt=\" a \"", "rt="));
}

static void other_values_are_not_split(void **state) {
  (void)state;
  assert_false(matches("</a>;title=\"one two\"", "title=two"));
  assert_true(matches("</a>;title=\"one two\"", "title=one two"));
  assert_true(matches("</a>;title=\"one two\"", "title=one t*"));
  assert_true(matches("</a>;anchor=\"/x\"", "anchor=/x"));
}

/* "any target attributes notated as quoted-string are interpreted as defined in Section 2.2 of [RFC2616]" */
static void escapes_are_resolved_before_matching(void **state) {
  (void)state;
  assert_true(matches("</a>;title=\"say \\\"hi\\\"\"", "title=say \"hi\""));
  assert_true(matches("</a>;title=\"\\a\\b\"", "title=ab"));
  assert_true(matches("</a>;rt=\"a\\b c\"", "rt=ab"));
  assert_false(matches("</a>;title=\"\\\\a\"", "title=a"));
}

/* RFC 5988 5.3: "occurrences after the first MUST be ignored by parsers" */
static void only_the_first_of_most_counts(void **state) {
  (void)state;
  assert_true(matches("</a>;rt=one;rt=two", "rt=one"));
  assert_false(matches("</a>;rt=one;rt=two", "rt=two"));
  assert_true(matches("</a>;hreflang=de;hreflang=fr", "hreflang=fr"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_value_matches_itself_only),
      cmocka_unit_test(a_prefix_ends_in_a_star),
      cmocka_unit_test(a_size_has_any_number_of_digits),
      cmocka_unit_test(a_name_alone_asks_for_existence),
      cmocka_unit_test(a_link_without_attributes_has_none_to_match),
      cmocka_unit_test(href_is_the_target),
      cmocka_unit_test(lists_match_by_item),
      cmocka_unit_test(an_empty_list_exists),
      cmocka_unit_test(other_values_are_not_split),
      cmocka_unit_test(escapes_are_resolved_before_matching),
      cmocka_unit_test(only_the_first_of_most_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
