/* URIs taken apart: schemes, hosts, zones, ports, paths and queries, and what is refused with which error. */
#include "message/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static copal_uri parse(const char *text) {
  copal_uri uri;
  copal_error error = copal_uri_parse(text, strlen(text), &uri);
  if (error != COPAL_OK) fail_msg("%s: %s", text, copal_error_text(error));
  return uri;
}

static void assert_bytes(copal_bytes bytes, const char *expected) {
  assert_int_equal(bytes.size, strlen(expected));
  if (bytes.size > 0) assert_memory_equal(bytes.data, expected, bytes.size);
}

static void assert_refused(const char *text, copal_error expected) {
  copal_uri uri, untouched;
  memset(&uri, 0xee, sizeof uri);
  memset(&untouched, 0xee, sizeof untouched);
  copal_error error = copal_uri_parse(text, strlen(text), &uri);
  if (error != expected) fail_msg("%s: %s", text, copal_error_name(error));
  assert_memory_equal(&uri, &untouched, sizeof uri);
}

static void a_uri_has_its_parts(void **state) {
  (void)state;
  copal_uri uri = parse("coap://example.net:61616/a/b%20c?x=1&y/?");
  assert_int_equal(uri.scheme, COPAL_SCHEME_COAP);
  assert_int_equal(uri.host_kind, COPAL_HOST_NAME);
  assert_bytes(uri.host, "example.net");
  assert_int_equal(uri.port, 61616);
  assert_bytes(uri.path, "a/b%20c");
  assert_true(uri.has_query);
  assert_bytes(uri.query, "x=1&y/?");
  assert_bytes(uri.zone, "");
}

static void each_scheme_has_its_default_port(void **state) {
  (void)state;
  static const struct {
    const char *text;
    copal_scheme scheme;
    uint16_t port;
  } cases[] = {
      {"coap://h", COPAL_SCHEME_COAP, 5683},           {"coaps://h", COPAL_SCHEME_COAPS, 5684},
      {"coap+tcp://h", COPAL_SCHEME_COAP_TCP, 5683},   {"coaps+tcp://h", COPAL_SCHEME_COAPS_TCP, 5684},
      {"coap+ws://h", COPAL_SCHEME_COAP_WS, 80},       {"coaps+ws://h", COPAL_SCHEME_COAPS_WS, 443},
      {"coap+unix://h", COPAL_SCHEME_COAP_UNIX, 0},    {"COAP://h", COPAL_SCHEME_COAP, 5683},
      {"CoAPs+Tcp://h", COPAL_SCHEME_COAPS_TCP, 5684},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_uri uri = parse(cases[i].text);
    assert_int_equal(uri.scheme, cases[i].scheme);
    assert_int_equal(uri.port, cases[i].port);
    assert_int_equal(scheme_port(cases[i].scheme), cases[i].port);
  }
  assert_string_equal(scheme_name(COPAL_SCHEME_COAPS_WS), "coaps+ws");
}

/* RFC 7252 6.1: "If it is empty or not given, then the default port 5683 is assumed." */
static void an_empty_port_is_the_default(void **state) {
  (void)state;
  assert_int_equal(parse("coap://h:").port, 5683);
  assert_int_equal(parse("coap://h:/a").port, 5683);
  assert_int_equal(parse("coaps://[::1]:?q").port, 5684);
  assert_int_equal(parse("coap://h:0").port, 0);
  assert_int_equal(parse("coap://h:65535").port, 65535);
  assert_int_equal(parse("coap://h:0005683").port, 5683);
}

static void paths_and_queries_may_be_empty_or_absent(void **state) {
  (void)state;
  copal_uri uri = parse("coap://h");
  assert_bytes(uri.path, "");
  assert_false(uri.has_query);
  uri = parse("coap://h/");
  assert_bytes(uri.path, "");
  assert_false(uri.has_query);
  uri = parse("coap://h?");
  assert_bytes(uri.path, "");
  assert_true(uri.has_query);
  assert_bytes(uri.query, "");
  uri = parse("coap://h?a");
  assert_bytes(uri.query, "a");
  uri = parse("coap://h//a?b?c");
  assert_bytes(uri.path, "/a");
  assert_bytes(uri.query, "b?c");
}

static void address_literals_are_recognised(void **state) {
  (void)state;
  copal_uri uri = parse("coap://198.51.100.1:61616/");
  assert_int_equal(uri.host_kind, COPAL_HOST_IPV4);
  assert_memory_equal(uri.address, ((uint8_t[]){198, 51, 100, 1}), 4);
  assert_bytes(uri.host, "198.51.100.1");

  uri = parse("coap://[2001:db8::2:1]:5683/");
  assert_int_equal(uri.host_kind, COPAL_HOST_IPV6);
  assert_memory_equal(uri.address, ((uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [13] = 2, [15] = 1}), 16);
  assert_bytes(uri.host, "2001:db8::2:1");

  uri = parse("coap://[::ffff:192.0.2.1]");
  assert_memory_equal(uri.address, ((uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 1}), 16);
}

/* RFC 3986 3.2.2: what is not quite an IPv4address is a reg-name. */
static void what_is_not_quite_an_address_is_a_name(void **state) {
  (void)state;
  static const char *const cases[] = {"coap://1.2.3", "coap://1.2.3.256", "coap://01.2.3.4", "coap://1.2.3.4.",
                                      "coap://%31.2.3.4"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    assert_int_equal(parse(cases[i]).host_kind, COPAL_HOST_NAME);
  }
}

/* RFC 6874 2, and the form that people type. */
static void a_literal_may_have_a_zone(void **state) {
  (void)state;
  copal_uri uri = parse("coap://[fe80::1%25eth0]:1/a");
  assert_bytes(uri.zone, "eth0");
  assert_bytes(uri.host, "fe80::1");
  assert_int_equal(uri.port, 1);
  assert_bytes(parse("coap://[fe80::1%eth0]").zone, "eth0");
  assert_bytes(parse("coap://[ff02::fd%25wlan-0.1_~]").zone, "wlan-0.1_~");
  assert_bytes(parse("coap://[fe80::1%3]").zone, "3");
  assert_bytes(parse("coap://[fe80::1%2]").zone, "2");
  assert_bytes(parse("coap://[fe80::1%24]").zone, "24");

  char text[16];
  uri = parse("coap://[fe80::1%25a%40b]");
  assert_int_equal(uri_zone_text(&uri, text, sizeof text), 3);
  assert_string_equal(text, "a@b");
  uri = parse("coap://[fe80::1]");
  assert_int_equal(uri_zone_text(&uri, text, sizeof text), 0);
  assert_string_equal(text, "");
}

static void a_socket_has_its_name_as_host(void **state) {
  (void)state;
  char name[32];
  copal_uri uri = parse("coap+unix://%2Frun%2FX/path");
  assert_int_equal(uri.host_kind, COPAL_HOST_NAME);
  assert_bytes(uri.path, "path");
  assert_int_equal(uri_host_text(&uri, name, sizeof name), 6);
  assert_string_equal(name, "/run/X");
  assert_int_equal(parse("coap+unix://1.2.3.4/").host_kind, COPAL_HOST_NAME);
  assert_refused("coap+unix://%2Frun%2Fx:5683/", COPAL_ERR_URI_PORT);
  assert_refused("coap+unix://[::1]/", COPAL_ERR_URI_HOST);
}

static void a_host_for_a_resolver_is_whole(void **state) {
  (void)state;
  char name[8];
  copal_uri uri = parse("coap://a%2Db");
  assert_int_equal(uri_host_text(&uri, name, 4), 3);
  assert_string_equal(name, "a-b");
  assert_int_equal(uri_host_text(&uri, name, 3), COPAL_ERR_SPACE);
  assert_int_equal(uri_host_text(&uri, name, 0), COPAL_ERR_SPACE);
  uri = parse("coap://good%00evil");
  assert_int_equal(uri_host_text(&uri, name, sizeof name), COPAL_ERR_SPACE);
  uri = parse("coap://a%00b");
  assert_int_equal(uri_host_text(&uri, name, sizeof name), COPAL_ERR_URI_HOST);
}

/* T24 */
static void what_is_no_uri_is_refused(void **state) {
  (void)state;
  assert_refused("", COPAL_ERR_URI_SYNTAX);
  assert_refused("/a/b", COPAL_ERR_URI_SYNTAX);
  assert_refused("example.net", COPAL_ERR_URI_SYNTAX);
  assert_refused("//h/a", COPAL_ERR_URI_SYNTAX);
  assert_refused("://h", COPAL_ERR_URI_SYNTAX);
  assert_refused(" coap://h", COPAL_ERR_URI_SYNTAX);
  assert_refused("1coap://h", COPAL_ERR_URI_SYNTAX);
  assert_refused("co ap://h", COPAL_ERR_URI_SYNTAX);
  assert_refused("coap://h/a b", COPAL_ERR_URI_SYNTAX);
  assert_refused("coap://h/a\n", COPAL_ERR_URI_SYNTAX);
  assert_refused("coap://h/\xc3\xa9", COPAL_ERR_URI_SYNTAX);
  assert_refused("coap://h/[", COPAL_ERR_URI_SYNTAX);
  assert_refused("coap://h/?a\"b", COPAL_ERR_URI_SYNTAX);
  copal_uri uri;
  assert_int_equal(copal_uri_parse("coap://h/\0", 10, &uri), COPAL_ERR_URI_SYNTAX);
  assert_int_equal(copal_uri_parse(NULL, 0, &uri), COPAL_ERR_URI_SYNTAX);
}

static void other_schemes_are_refused(void **state) {
  (void)state;
  assert_refused("http://h/", COPAL_ERR_URI_SCHEME);
  assert_refused("coap+udp://h/", COPAL_ERR_URI_SCHEME);
  assert_refused("coa://h/", COPAL_ERR_URI_SCHEME);
  assert_refused("coapss://h/", COPAL_ERR_URI_SCHEME);
  assert_refused("localhost:5683", COPAL_ERR_URI_SCHEME);
  assert_refused("coap2://h/", COPAL_ERR_URI_SCHEME);
  assert_refused("svn-1.ssh+coap://h/", COPAL_ERR_URI_SCHEME);
}

/* RFC 7252 6.1: "The host MUST NOT be empty; if a URI is received with a missing authority or an empty host, then it
 * MUST be considered invalid." */
static void a_host_is_needed(void **state) {
  (void)state;
  assert_refused("coap:", COPAL_ERR_URI_HOST);
  assert_refused("coap:/", COPAL_ERR_URI_HOST);
  assert_refused("coap:a", COPAL_ERR_URI_HOST);
  assert_refused("coap:/a", COPAL_ERR_URI_HOST);
  assert_refused("coap:host/a", COPAL_ERR_URI_HOST);
  assert_refused("coap:?//h", COPAL_ERR_URI_HOST);
  assert_refused("coap://", COPAL_ERR_URI_HOST);
  assert_refused("coap:///a", COPAL_ERR_URI_HOST);
  assert_refused("coap://:5683/", COPAL_ERR_URI_HOST);
  assert_refused("coap://?a", COPAL_ERR_URI_HOST);
}

static void malformed_hosts_are_refused(void **state) {
  (void)state;
  assert_refused("coap://a b/", COPAL_ERR_URI_HOST);
  assert_refused("coap://a\\b/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[::1/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[1.2.3.4]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[::1]5683/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[::1]]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[::g]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[v1.a]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[fe80::1%]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[fe80::1%25]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[fe80::1%25a b]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://[fe80::1%a%40]/", COPAL_ERR_URI_HOST);
  assert_refused("coap://a]/", COPAL_ERR_URI_HOST);
}

static void malformed_ports_are_refused(void **state) {
  (void)state;
  assert_refused("coap://h:65536/", COPAL_ERR_URI_PORT);
  assert_refused("coap://h:99999999999999999999/", COPAL_ERR_URI_PORT);
  assert_refused("coap://h:-1/", COPAL_ERR_URI_PORT);
  assert_refused("coap://h:+1/", COPAL_ERR_URI_PORT);
  assert_refused("coap://h:1:2/", COPAL_ERR_URI_PORT);
  assert_refused("coap://h:a/", COPAL_ERR_URI_PORT);
  assert_refused("coap://::1/", COPAL_ERR_URI_HOST);
  assert_refused("coap://fe80::1/", COPAL_ERR_URI_PORT);
}

/* The ABNF of RFC 7252 6.1 and 6.2 has neither; 6.4 step 4 names the fragment. */
static void user_information_and_fragments_are_refused(void **state) {
  (void)state;
  assert_refused("coap://user@h/", COPAL_ERR_URI_USERINFO);
  assert_refused("coap://user:secret@h:1/", COPAL_ERR_URI_USERINFO);
  assert_refused("coap://@h/", COPAL_ERR_URI_USERINFO);
  assert_refused("coap://h/#f", COPAL_ERR_URI_FRAGMENT);
  assert_refused("coap://h#", COPAL_ERR_URI_FRAGMENT);
  assert_refused("coap://h/a?b#c", COPAL_ERR_URI_FRAGMENT);
  assert_bytes(parse("coap://h/a@b?c@d").path, "a@b");
}

static void broken_escapes_are_refused(void **state) {
  (void)state;
  assert_refused("coap://h%/", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://%4/", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://h/%", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://h/%4g", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://h/%4/1", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://h/?a=%x0", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://h/?%", COPAL_ERR_URI_ESCAPE);
  assert_refused("coap://[fe80::1%25a%4]/", COPAL_ERR_URI_ESCAPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_uri_has_its_parts),
      cmocka_unit_test(each_scheme_has_its_default_port),
      cmocka_unit_test(an_empty_port_is_the_default),
      cmocka_unit_test(paths_and_queries_may_be_empty_or_absent),
      cmocka_unit_test(address_literals_are_recognised),
      cmocka_unit_test(what_is_not_quite_an_address_is_a_name),
      cmocka_unit_test(a_literal_may_have_a_zone),
      cmocka_unit_test(a_socket_has_its_name_as_host),
      cmocka_unit_test(a_host_for_a_resolver_is_whole),
      cmocka_unit_test(what_is_no_uri_is_refused),
      cmocka_unit_test(other_schemes_are_refused),
      cmocka_unit_test(a_host_is_needed),
      cmocka_unit_test(malformed_hosts_are_refused),
      cmocka_unit_test(malformed_ports_are_refused),
      cmocka_unit_test(user_information_and_fragments_are_refused),
      cmocka_unit_test(broken_escapes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
