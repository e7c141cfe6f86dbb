/* URIs decomposed into options: decoding, dot segments, empty components, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copal/uri.h"

static uint8_t storage[2048];
static copal_message message;

static void begin(size_t capacity) { copal_message_init(&message, storage, capacity, COPAL_CON, COPAL_GET); }

static copal_error decompose(const char *text) {
  copal_uri uri;
  copal_error error = copal_uri_parse(text, strlen(text), &uri);
  if (error != COPAL_OK) fail_msg("%s: %s", text, copal_error_text(error));
  begin(sizeof storage);
  return copal_uri_to_options(&uri, &message);
}

/* The message's options as "3:example.net 11:a ", one after the other. */
static const char *listing(void) {
  static char text[2048];
  copal_view view = copal_message_view(&message);
  copal_options walk = copal_options_of(&view);
  copal_option option;
  size_t size = 0;
  text[0] = '\0';
  while (copal_options_next(&walk, &option)) {
    size += (size_t)snprintf(text + size, sizeof text - size, "%u:%.*s ", option.number, option.size,
                             (const char *)option.value);
  }
  return text;
}

static void assert_options(const char *uri, const char *expected) {
  copal_error error = decompose(uri);
  if (error != COPAL_OK) fail_msg("%s: %s", uri, copal_error_text(error));
  if (strcmp(listing(), expected) != 0) fail_msg("%s gives %s", uri, listing());
}

static void assert_path(const char *path, const char *expected) {
  begin(sizeof storage);
  copal_error error = copal_path_to_options(path, strlen(path), COPAL_OPTION_URI_PATH, &message);
  if (error != COPAL_OK) fail_msg("%s: %s", path, copal_error_text(error));
  if (strcmp(listing(), expected) != 0) fail_msg("%s gives %s", path, listing());
}

static void assert_latched(copal_error returned, copal_error expected) {
  if (returned != expected) fail_msg("%s", copal_error_name(returned));
  assert_int_equal(message.error, expected);
}

/* RFC 7252 6.4 step 5. */
static void a_name_becomes_uri_host(void **state) {
  (void)state;
  assert_options("coap://example.net", "3:example.net ");
  assert_options("coap://EXAMPLE.Net/", "3:example.net ");
  assert_options("coap://a%2Db/", "3:a-b ");
  /* "converted to ASCII lowercase, and then convert all percent-encodings" */
  assert_options("coap://A%41/", "3:aA ");
  assert_options("coap://%C3%A9.example/", "3:\xc3\xa9.example ");
}

static void a_destination_gives_no_host(void **state) {
  (void)state;
  assert_options("coap://192.0.2.1/", "");
  assert_options("coap://[2001:db8::1]:61616/", "");
  assert_options("coap://[fe80::1%25eth0]/a", "11:a ");
  assert_options("coap+unix://%2Frun%2Fx/path", "11:path ");
}

/* RFC 7252 6.4 steps 6 and 7, the destination being the URI's own port. */
static void no_port_is_added(void **state) {
  (void)state;
  assert_options("coap://example.net:61616/", "3:example.net ");
}

/* RFC 7252 6.4 step 8. */
static void each_segment_becomes_uri_path(void **state) {
  (void)state;
  assert_options("coap://[::1]", "");
  assert_options("coap://[::1]/", "");
  assert_options("coap://[::1]/a", "11:a ");
  assert_options("coap://[::1]/a/b/c", "11:a 11:b 11:c ");
  assert_options("coap://[::1]/a/", "11:a 11: ");
  assert_options("coap://[::1]//", "11: 11: ");
  assert_options("coap://[::1]//a", "11: 11:a ");
  assert_options("coap://[::1]/a%2Fb%3F%23%20", "11:a/b?#  ");
  assert_options("coap://[::1]/%E3%81%93", "11:\xe3\x81\x93 ");
  assert_options("coap://[::1]/a;b=c,d:e@f", "11:a;b=c,d:e@f ");
}

/* RFC 7252 6.4 step 9. */
static void each_argument_becomes_uri_query(void **state) {
  (void)state;
  assert_options("coap://[::1]?a=b", "15:a=b ");
  assert_options("coap://[::1]/?a=b&c", "15:a=b 15:c ");
  assert_options("coap://[::1]/?", "15: ");
  assert_options("coap://[::1]/?&", "15: 15: ");
  assert_options("coap://[::1]/?a&&b&", "15:a 15: 15:b 15: ");
  assert_options("coap://[::1]/?%26=%3D/?", "15:&==/? ");
  assert_options("coap://[::1]/?../.", "15:../. ");
}

/* RFC 7252 5.10.1: "The value of a Uri-Path Option MUST NOT be "." or ".." (as the request URI must be resolved before
 * parsing it into options)." RFC 3986 5.2.4 and 5.4. */
static void dot_segments_are_removed(void **state) {
  (void)state;
  assert_path("/a/b/c/./../../g", "11:a 11:g ");
  assert_path("mid/content=5/../6", "11:mid 11:6 ");
  assert_path(".", "");
  assert_path("..", "");
  assert_path("/.", "");
  assert_path("/..", "");
  assert_path("/./", "");
  assert_path("/../", "");
  assert_path("/a/.", "11:a 11: ");
  assert_path("/a/..", "");
  assert_path("/a/../", "");
  assert_path("/a/b/..", "11:a 11: ");
  assert_path("/a/b/../", "11:a 11: ");
  assert_path("/a/b/../..", "");
  assert_path("/../../../a", "11:a ");
  assert_path("/a/../../b", "11:b ");
  assert_path("/../a/b/../c/./d", "11:a 11:c 11:d ");
  assert_path("/./a/./b/.", "11:a 11:b 11: ");
  assert_path("//..", "");
  assert_path("//../a", "11:a ");
  assert_path("/a//..", "11:a 11: ");
  assert_path("/a//../..", "");
  assert_path("/..//b", "11: 11:b ");
  assert_path("/a/..//", "11: 11: ");
  assert_path("/a/b/c/../d/../../e/..", "11:a 11: ");
  assert_path("/.../a../..b/.c/d.", "11:... 11:a.. 11:..b 11:.c 11:d. ");
}

/* RFC 3986 6.2.2.2: "%2E" is the "." that it stands for. */
static void encoded_dots_are_dots(void **state) {
  (void)state;
  assert_path("/a/%2E/b", "11:a 11:b ");
  assert_path("/a/%2e%2E/b", "11:b ");
  assert_path("/a/.%2e/b", "11:b ");
  assert_path("/a/%2E./b", "11:b ");
  assert_path("/%2e", "");
  assert_path("/%2e%2e%2e", "11:... ");
  assert_path("/%252e", "11:%2e ");
}

static void a_path_has_one_leading_slash_or_none(void **state) {
  (void)state;
  assert_path("", "");
  assert_path("/", "");
  assert_path("a/b", "11:a 11:b ");
  assert_path("/a/b%20c", "11:a 11:b c ");
  assert_path("//", "11: 11: ");
  begin(sizeof storage);
  assert_int_equal(copal_path_to_options(NULL, 0, COPAL_OPTION_URI_PATH, &message), COPAL_OK);
  assert_string_equal(listing(), "");
}

/* RFC 7252 5.10.7: "The value of a Location-Path Option MUST NOT be "." or ".."." */
static void other_options_are_filled_alike(void **state) {
  (void)state;
  begin(sizeof storage);
  assert_int_equal(copal_path_to_options("/a/../b", 7, COPAL_OPTION_LOCATION_PATH, &message), COPAL_OK);
  assert_int_equal(copal_query_to_options("c&%64", 5, COPAL_OPTION_LOCATION_QUERY, &message), COPAL_OK);
  assert_string_equal(listing(), "8:b 20:c 20:d ");
  begin(sizeof storage);
  assert_int_equal(copal_query_to_options("", 0, COPAL_OPTION_URI_QUERY, &message), COPAL_OK);
  assert_string_equal(listing(), "15: ");
  begin(sizeof storage);
  assert_int_equal(copal_query_to_options(NULL, 0, COPAL_OPTION_URI_QUERY, &message), COPAL_OK);
  assert_string_equal(listing(), "15: ");
}

static void components_have_255_bytes_at_most(void **state) {
  (void)state;
  char uri[2048] = "coap://[::1]/";
  size_t front = strlen(uri);
  for (size_t i = 0; i < 255; ++i) memcpy(uri + front + 3 * i, "%61", 4);
  assert_int_equal(decompose(uri), COPAL_OK);
  assert_int_equal(message.size, 4 + 2 + 255);
  strcat(uri, "b");
  assert_latched(decompose(uri), COPAL_ERR_URI_COMPONENT);
  uri[front - 1] = '?';
  assert_latched(decompose(uri), COPAL_ERR_URI_COMPONENT);
  memcpy(uri, "coap://aaaaa", 12);
  memset(uri + 12, 'a', 256);
  uri[7 + 256] = '\0';
  assert_latched(decompose(uri), COPAL_ERR_URI_COMPONENT);
  uri[7 + 255] = '\0';
  assert_int_equal(decompose(uri), COPAL_OK);
}

/* RFC 7252 6.4 step 2: "the decoded components will be interpreted in UTF-8 [RFC3629] after steps 5, 8, and 9". */
static void what_decodes_to_something_else_than_utf8_is_refused(void **state) {
  (void)state;
  assert_latched(decompose("coap://%ff/"), COPAL_ERR_URI_UTF8);
  assert_latched(decompose("coap://[::1]/a/%c3"), COPAL_ERR_URI_UTF8);
  assert_latched(decompose("coap://[::1]/%c3/%a9"), COPAL_ERR_URI_UTF8);
  assert_latched(decompose("coap://[::1]/?%ed%a0%80"), COPAL_ERR_URI_UTF8);
}

static void paths_and_queries_alone_are_checked_too(void **state) {
  (void)state;
  static const struct {
    const char *text;
    copal_error error;
  } cases[] = {
      {"/a b", COPAL_ERR_URI_SYNTAX},        {"/a#b", COPAL_ERR_URI_SYNTAX},    {"/\xc3\xa9", COPAL_ERR_URI_SYNTAX},
      {"/a%", COPAL_ERR_URI_ESCAPE},         {"/%zz/..", COPAL_ERR_URI_ESCAPE}, {"/a b/../c", COPAL_ERR_URI_SYNTAX},
      {"/a/b /../..", COPAL_ERR_URI_SYNTAX},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    begin(sizeof storage);
    size_t size = strlen(cases[i].text);
    assert_latched(copal_path_to_options(cases[i].text, size, COPAL_OPTION_URI_PATH, &message), cases[i].error);
  }
  begin(sizeof storage);
  assert_latched(copal_path_to_options("/a?b", 4, COPAL_OPTION_URI_PATH, &message), COPAL_ERR_URI_SYNTAX);
  begin(sizeof storage);
  assert_latched(copal_query_to_options("a b", 3, COPAL_OPTION_URI_QUERY, &message), COPAL_ERR_URI_SYNTAX);
  begin(sizeof storage);
  assert_latched(copal_query_to_options("a&%4", 4, COPAL_OPTION_URI_QUERY, &message), COPAL_ERR_URI_ESCAPE);
}

static void a_full_message_latches(void **state) {
  (void)state;
  begin(8);
  assert_latched(copal_path_to_options("/a/b/c", 6, COPAL_OPTION_URI_PATH, &message), COPAL_ERR_SPACE);
  assert_string_equal(listing(), "11:a 11:b ");
  assert_latched(copal_query_to_options("", 0, COPAL_OPTION_URI_QUERY, &message), COPAL_ERR_SPACE);
  assert_string_equal(listing(), "11:a 11:b ");
}

static void the_first_error_stays(void **state) {
  (void)state;
  begin(sizeof storage);
  message.error = COPAL_ERR_TOKEN_SIZE;
  assert_latched(copal_path_to_options("/a%", 3, COPAL_OPTION_URI_PATH, &message), COPAL_ERR_TOKEN_SIZE);
  assert_string_equal(listing(), "");
  copal_uri uri;
  assert_int_equal(copal_uri_parse("coap://%ff/", 11, &uri), COPAL_OK);
  assert_latched(copal_uri_to_options(&uri, &message), COPAL_ERR_TOKEN_SIZE);
  assert_string_equal(listing(), "");
}

/* A path of nothing but steps down and up again must not take time that grows with its square. */
static void a_deep_path_that_comes_up_again_costs_its_length(void **state) {
  (void)state;
  static char path[600000];
  size_t size = 0;
  for (size_t i = 0; i < 100000; ++i) path[size++] = '/', path[size++] = 'a';
  for (size_t i = 0; i < 100000; ++i) path[size++] = '/', path[size++] = '.', path[size++] = '.';
  begin(sizeof storage);
  assert_int_equal(copal_path_to_options(path, size, COPAL_OPTION_URI_PATH, &message), COPAL_OK);
  assert_string_equal(listing(), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_becomes_uri_host),
      cmocka_unit_test(a_destination_gives_no_host),
      cmocka_unit_test(no_port_is_added),
      cmocka_unit_test(each_segment_becomes_uri_path),
      cmocka_unit_test(each_argument_becomes_uri_query),
      cmocka_unit_test(dot_segments_are_removed),
      cmocka_unit_test(encoded_dots_are_dots),
      cmocka_unit_test(a_path_has_one_leading_slash_or_none),
      cmocka_unit_test(other_options_are_filled_alike),
      cmocka_unit_test(components_have_255_bytes_at_most),
      cmocka_unit_test(what_decodes_to_something_else_than_utf8_is_refused),
      cmocka_unit_test(paths_and_queries_alone_are_checked_too),
      cmocka_unit_test(a_full_message_latches),
      cmocka_unit_test(the_first_error_stays),
      cmocka_unit_test(a_deep_path_that_comes_up_again_costs_its_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
