/* Options composed into a URI, explicit or as the message holds them, and what fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "copal/uri.h"

static uint8_t storage[2048];
static copal_message message;
static char text[2048];

static void begin(void) { copal_message_init(&message, storage, sizeof storage, COPAL_CON, COPAL_GET); }

static void add(uint16_t number, const char *value) { copal_message_add_raw(&message, number, value, strlen(value)); }

static void add_port(uint32_t port) { copal_message_add_uint(&message, COPAL_OPTION_URI_PORT, port); }

static int write_uri(copal_scheme scheme, const char *authority, bool explicit_) {
  copal_view view = copal_message_view(&message);
  return copal_uri_write(&view, scheme, authority, explicit_, text, sizeof text);
}

static void assert_written(const char *authority, bool explicit_, const char *expected) {
  int size = write_uri(COPAL_SCHEME_COAP, authority, explicit_);
  if (size < 0) fail_msg("%s: %s", expected, copal_error_text((copal_error)size));
  assert_string_equal(text, expected);
  assert_int_equal(size, strlen(expected));
}

static void assert_failed(const char *authority, bool explicit_, copal_error expected) {
  int result = write_uri(COPAL_SCHEME_COAP, authority, explicit_);
  assert_int_equal(result, expected);
  assert_string_equal(text, "");
}

static void without_options_it_is_a_slash(void **state) {
  (void)state;
  begin();
  assert_written(NULL, false, "/");
  assert_written("192.0.2.1", false, "/");
  assert_written("192.0.2.1", true, "coap://192.0.2.1/");
  assert_failed(NULL, true, COPAL_ERR_URI_HOST);
}

static void not_explicit_writes_what_the_message_holds(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_PATH, "a");
  add(COPAL_OPTION_URI_PATH, "b");
  assert_written("192.0.2.1:9", false, "/a/b");
  assert_written("192.0.2.1:9", true, "coap://192.0.2.1:9/a/b");
  add(COPAL_OPTION_URI_HOST, "host");
  assert_written("192.0.2.1:9", false, "//host/a/b");
  add_port(1);
  assert_written("192.0.2.1:9", false, "//host:1/a/b");
  assert_written(NULL, true, "coap://host:1/a/b");
  add(COPAL_OPTION_URI_QUERY, "c=d");
  assert_written(NULL, false, "//host:1/a/b?c=d");
}

/* A port cannot be written without a host. */
static void a_port_brings_its_host_along(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_PATH, "s");
  add_port(1);
  assert_written("[2001:db8::1]", false, "//[2001:db8::1]:1/s");
  assert_failed(NULL, false, COPAL_ERR_URI_HOST);
}

/* RFC 7252 6.5 steps 4 and 5. */
static void the_default_port_is_left_out(void **state) {
  (void)state;
  begin();
  assert_written("h:5683", true, "coap://h/");
  assert_written("h:", true, "coap://h/");
  assert_written("h:5684", true, "coap://h:5684/");
  assert_int_equal(write_uri(COPAL_SCHEME_COAPS, "h:5684", true), 10);
  assert_string_equal(text, "coaps://h/");
  add_port(5683);
  assert_written("h:61616", true, "coap://h/");
  assert_written(NULL, false, "/");
  add(COPAL_OPTION_URI_HOST, "x");
  assert_written("h:61616", true, "coap://x/");
  assert_written(NULL, false, "//x/");
}

/* RFC 7252 6.5 step 4: "Otherwise, let |port| be the request's destination UDP port." */
static void a_host_takes_the_destination_port(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_HOST, "example.net");
  assert_written("[2001:db8::2:1]:61616", true, "coap://example.net:61616/");
  assert_written(NULL, true, "coap://example.net/");
}

/* RFC 7252 6.5 step 2: "making use of the conventions of [RFC5952]". */
static void address_literals_are_written_in_one_form(void **state) {
  (void)state;
  begin();
  assert_written("[2001:DB8:0:0:0:0:2:1]", true, "coap://[2001:db8::2:1]/");
  assert_written("[::FFFF:1.2.3.4]:7", true, "coap://[::ffff:1.2.3.4]:7/");
  assert_written("[fe80::1%eth0]:5683", true, "coap://[fe80::1%25eth0]/");
  assert_written("[fe80::1%25eth0]", true, "coap://[fe80::1%25eth0]/");
  assert_int_equal(write_uri(COPAL_SCHEME_COAP_UNIX, "%2Frun%2Fx", true), 23);
  assert_string_equal(text, "coap+unix://%2Frun%2Fx/");
}

static void malformed_authorities_are_refused(void **state) {
  (void)state;
  begin();
  assert_failed("", true, COPAL_ERR_URI_HOST);
  assert_failed("::1", true, COPAL_ERR_URI_HOST);
  assert_failed("a b", true, COPAL_ERR_URI_HOST);
  assert_failed("a:x", true, COPAL_ERR_URI_PORT);
  assert_failed("[::1", true, COPAL_ERR_URI_HOST);
  assert_failed("u@h", false, COPAL_ERR_URI_USERINFO);
}

/* RFC 7252 6.5 step 2. */
static void a_host_is_checked_and_encoded(void **state) {
  (void)state;
  static const struct {
    const char *host, *expected;
  } cases[] = {
      {"example.net", "coap://example.net/"},       {"\xc3\xa9.example", "coap://%C3%A9.example/"},
      {"a!$&'()*+,;=~_", "coap://a!$&'()*+,;=~_/"}, {"[2001:db8::1]", "coap://[2001:db8::1]/"},
      {"192.0.2.1", "coap://192.0.2.1/"},           {"a%2Db", "coap://a%2Db/"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    begin();
    add(COPAL_OPTION_URI_HOST, cases[i].host);
    assert_written(NULL, true, cases[i].expected);
  }
  static const char *const refused[] = {"",     "a/b", "a b",  "a:1",    "a@b",    "::1",     "[::1]:1",
                                        "[::1", "[]",  "a\nb", "evil?x", "a%",     "a%4",     "a%zz",
                                        "a%4g", "a#b", "[a]",  "[",      "[::1]]", "[::1]:]", "[v1.a]"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    begin();
    add(COPAL_OPTION_URI_HOST, refused[i]);
    assert_failed("h", true, COPAL_ERR_URI_HOST);
    assert_failed("h", false, COPAL_ERR_URI_HOST);
  }
  begin();
  copal_message_add_raw(&message, COPAL_OPTION_URI_HOST, "a\0b", 3);
  assert_failed(NULL, true, COPAL_ERR_URI_HOST);
}

/* RFC 7252 6.5 steps 6 and 8: every byte, as it is or as "%" and two upper-case digits. And: "the hexadecimal
 * notation for percent-encoding in CoAP URIs MUST use uppercase letters". */
static void each_byte_of_a_component_is_encoded_or_not(void **state) {
  (void)state;
  static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  static const char digits[] = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; ++byte) {
    uint8_t value = (uint8_t)byte;
    bool plain = byte != 0 && byte < 128 && (strchr(unreserved, (int)byte) || strchr("!$'()*+,;=:@", (int)byte));
    bool in_path = plain || byte == '&', in_query = plain || byte == '/' || byte == '?';
    char path[] = "/%00", query[] = "/?%00";
    path[2] = query[3] = digits[byte >> 4];
    path[3] = query[4] = digits[byte & 15];
    if (in_path) path[1] = (char)byte, path[2] = '\0';
    if (in_query) query[2] = (char)byte, query[3] = '\0';
    begin();
    copal_message_add(&message, COPAL_OPTION_URI_PATH, &value, 1);
    assert_written(NULL, false, path);
    begin();
    copal_message_add(&message, COPAL_OPTION_URI_QUERY, &value, 1);
    assert_written(NULL, false, query);
  }
}

static void empty_components_leave_their_separators(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_PATH, "");
  assert_written("h", true, "coap://h/");
  add(COPAL_OPTION_URI_PATH, "");
  assert_written("h", true, "coap://h//");
  begin();
  add(COPAL_OPTION_URI_PATH, "a");
  add(COPAL_OPTION_URI_PATH, "");
  assert_written(NULL, false, "/a/");
  begin();
  add(COPAL_OPTION_URI_QUERY, "");
  assert_written(NULL, false, "/?");
  add(COPAL_OPTION_URI_QUERY, "");
  assert_written(NULL, false, "/?&");
}

/* RFC 3986 3.3: "If a URI does not contain an authority component, then the path cannot begin with two slash characters
 * ("//")." */
static void an_empty_first_segment_is_no_authority(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_PATH, "");
  assert_written(NULL, false, "/");
  add(COPAL_OPTION_URI_PATH, "evil");
  assert_written(NULL, false, "/.//evil");
  assert_written("h", true, "coap://h//evil");
  add(COPAL_OPTION_URI_HOST, "x");
  assert_written(NULL, false, "//x//evil");
}

/* RFC 7252 5.10.2: "The Proxy-Uri Option MUST take precedence over any of the Uri-Host, Uri-Port, Uri-Path or Uri-Query
 * options". */
static void a_proxy_uri_is_the_uri(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_HOST, "h");
  add(COPAL_OPTION_URI_PATH, "a");
  add(COPAL_OPTION_PROXY_URI, "http://u@[::1]:8/a%20b?c&d#e");
  assert_written(NULL, false, "http://u@[::1]:8/a%20b?c&d#e");
  assert_written("z", true, "http://u@[::1]:8/a%20b?c&d#e");
  static const char *const refused[] = {"http://h/a b", "http://h/\r\nforged", "http://\xc3\xa9/"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    begin();
    add(COPAL_OPTION_PROXY_URI, refused[i]);
    assert_failed(NULL, false, COPAL_ERR_URI_SYNTAX);
  }
}

/* RFC 7252 5.10.2: "the initial scheme up to, but not including, the following colon is then replaced by the content of
 * the Proxy-Scheme Option". */
static void a_proxy_scheme_is_the_scheme(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_HOST, "h");
  add(COPAL_OPTION_URI_PATH, "a");
  add(COPAL_OPTION_PROXY_SCHEME, "http");
  assert_written(NULL, false, "http://h/a");
  assert_written("proxy", true, "http://h/a");
  add_port(5683);
  assert_written(NULL, true, "http://h:5683/a");
  copal_message_replace(&message, COPAL_OPTION_PROXY_SCHEME, "COAPS", 5);
  assert_written(NULL, true, "COAPS://h:5683/a");
  copal_message_replace(&message, COPAL_OPTION_URI_PORT, "\x16\x34", 2);
  assert_written(NULL, true, "COAPS://h/a");

  begin();
  add(COPAL_OPTION_PROXY_SCHEME, "coap");
  assert_failed(NULL, false, COPAL_ERR_URI_HOST);
  assert_written("h", false, "coap://h/");
  begin();
  add(COPAL_OPTION_PROXY_SCHEME, "svn-1.2+ssh");
  assert_written("h", false, "svn-1.2+ssh://h/");
  static const char *const refused[] = {"", "1a", "a b", "a:", "+", "-", "."};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
    begin();
    add(COPAL_OPTION_PROXY_SCHEME, refused[i]);
    assert_failed("h", false, COPAL_ERR_URI_SCHEME);
  }
}

static void an_impossible_port_is_refused(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_HOST, "h");
  copal_message_add_raw(&message, COPAL_OPTION_URI_PORT, "\x01\x00\x00", 3);
  assert_failed(NULL, true, COPAL_ERR_URI_PORT);
  begin();
  add(COPAL_OPTION_URI_HOST, "h");
  copal_message_add_raw(&message, COPAL_OPTION_URI_PORT, "\0\0\0\0\1", 5);
  assert_failed(NULL, true, COPAL_ERR_URI_PORT);
  begin();
  add(COPAL_OPTION_URI_HOST, "h");
  copal_message_add_raw(&message, COPAL_OPTION_URI_PORT, "", 0);
  assert_written(NULL, true, "coap://h:0/");
  begin();
  add(COPAL_OPTION_URI_HOST, "h");
  add_port(65535);
  assert_written(NULL, true, "coap://h:65535/");
}

static void every_capacity_below_the_need_is_refused(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_HOST, "host");
  add(COPAL_OPTION_URI_PATH, "a b");
  add(COPAL_OPTION_URI_QUERY, "c");
  add_port(1);
  copal_view view = copal_message_view(&message);
  static const char expected[] = "coap://host:1/a%20b?c";
  for (size_t capacity = 0; capacity <= sizeof expected; ++capacity) {
    char buffer[sizeof expected + 1];
    memset(buffer, '#', sizeof buffer);
    int size = copal_uri_write(&view, COPAL_SCHEME_COAP, NULL, true, buffer, capacity);
    assert_int_equal(buffer[capacity], '#');
    if (capacity < sizeof expected) {
      assert_int_equal(size, COPAL_ERR_SPACE);
      if (capacity > 0) assert_string_equal(buffer, "");
    } else {
      assert_int_equal(size, sizeof expected - 1);
      assert_string_equal(buffer, expected);
    }
  }
}

static void more_capacity_than_a_length_can_tell_is_enough(void **state) {
  (void)state;
  begin();
  add(COPAL_OPTION_URI_PATH, "a");
  copal_view view = copal_message_view(&message);
  char buffer[3];
  assert_int_equal(copal_uri_write(&view, COPAL_SCHEME_COAP, NULL, false, buffer, SIZE_MAX), 2);
  assert_string_equal(buffer, "/a");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_options_it_is_a_slash),
      cmocka_unit_test(not_explicit_writes_what_the_message_holds),
      cmocka_unit_test(a_port_brings_its_host_along),
      cmocka_unit_test(the_default_port_is_left_out),
      cmocka_unit_test(a_host_takes_the_destination_port),
      cmocka_unit_test(address_literals_are_written_in_one_form),
      cmocka_unit_test(malformed_authorities_are_refused),
      cmocka_unit_test(a_host_is_checked_and_encoded),
      cmocka_unit_test(each_byte_of_a_component_is_encoded_or_not),
      cmocka_unit_test(empty_components_leave_their_separators),
      cmocka_unit_test(an_empty_first_segment_is_no_authority),
      cmocka_unit_test(a_proxy_uri_is_the_uri),
      cmocka_unit_test(a_proxy_scheme_is_the_scheme),
      cmocka_unit_test(an_impossible_port_is_refused),
      cmocka_unit_test(every_capacity_below_the_need_is_refused),
      cmocka_unit_test(more_capacity_than_a_length_can_tell_is_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
