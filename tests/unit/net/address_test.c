/* Addresses between the library's form, the kernel's and text, and from URIs. */
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "net/net.h"
#include "unit/net/loopback.h"

static void assert_text(const copal_address *address, const char *expected) {
  char text[COPAL_ADDRESS_TEXT_MAX];
  assert_int_equal(copal_address_text(NULL, address, text, sizeof text), strlen(expected));
  assert_string_equal(text, expected);
}

/* --- Text --------------------------------------------------------------------------------------- */

static void literals_are_parsed_and_written(void **state) {
  (void)state;
  copal_address address = make_address("192.0.2.1", 5683);
  assert_int_equal(address.family, COPAL_FAMILY_IPV4);
  assert_int_equal(address.bytes[0], 192);
  assert_int_equal(address.bytes[3], 1);
  assert_text(&address, "192.0.2.1:5683");
  address = make_address("2001:DB8:0:0:0::1", 65535);
  assert_int_equal(address.family, COPAL_FAMILY_IPV6);
  assert_text(&address, "[2001:db8::1]:65535");
  address = (copal_address){.family = COPAL_FAMILY_NONE};
  assert_text(&address, "-");
}

/* RFC 4007 11.2: a zone is an interface's name or its index. */
static void a_link_local_address_has_its_zone(void **state) {
  (void)state;
  uint32_t lo = if_nametoindex("lo");
  assert_int_not_equal(lo, 0);
  copal_address named = make_address("fe80::1%lo", 1);
  assert_int_equal(named.scope, lo);
  assert_text(&named, "[fe80::1%lo]:1");
  char text[32];
  snprintf(text, sizeof text, "fe80::1%%%u", lo);
  copal_address numbered = make_address(text, 1);
  assert_true(copal_address_equal(&named, &numbered));
  copal_address group = make_address("ff02::fd%lo", 0);
  assert_int_equal(group.scope, lo);
  copal_address gone = named;
  gone.scope = 999999;
  assert_text(&gone, "[fe80::1%999999]:1");
}

static void what_the_kernel_tells_without_a_zone_compares_equal(void **state) {
  (void)state;
  copal_address plain = make_address("::1", 7), zoned = make_address("::1%lo", 7);
  assert_true(copal_address_equal(&plain, &zoned));
  plain = make_address("192.0.2.1", 7);
  copal_address mapped = make_address("::ffff:192.0.2.1", 7);
  assert_true(copal_address_equal(&plain, &mapped));
}

static void what_is_no_literal_is_refused_and_changes_nothing(void **state) {
  (void)state;
  static const char *const texts[] = {"",      "localhost", "127.1",        "0x7f.0.0.1", "1.2.3.4.5",
                                      "[::1]", "::1::",     "127.0.0.1%lo", "fe80::1:"};
  copal_address address = make_address("192.0.2.1", 1), before = address;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    assert_int_equal(copal_address_parse(texts[i], 2, &address), COPAL_ERR_ADDRESS);
    assert_true(copal_address_equal(&address, &before));
  }
  static const char *const zones[] = {"fe80::1%", "fe80::1%nowhere0", "fe80::1%0",
                                      "fe80::1%an-interface-with-a-long-name"};
  for (size_t i = 0; i < sizeof zones / sizeof *zones; ++i) {
    assert_int_equal(copal_address_parse(zones[i], 2, &address), COPAL_ERR_INTERFACE);
    assert_true(copal_address_equal(&address, &before));
  }
}

static void a_buffer_that_is_too_small_is_never_overrun(void **state) {
  (void)state;
  copal_address address = make_address("2001:db8::1", 5683);
  char text[8] = "######";
  assert_int_equal(copal_address_text(NULL, &address, text, 6), 5);
  assert_string_equal(text, "[2001");
  assert_int_equal(text[6], 0);
  text[0] = '#';
  assert_int_equal(copal_address_text(NULL, &address, text, 0), 0);
  assert_int_equal(text[0], '#');
}

static void the_name_of_a_unix_socket_is_written(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap+unix://%00", NULL);
  char text[COPAL_ADDRESS_TEXT_MAX];
  copal_address address = make_unix(endpoint, "coap+unix://%2Frun%2Fno%20body");
  assert_int_equal(copal_address_text(endpoint, &address, text, sizeof text), 17);
  assert_string_equal(text, "unix:/run/no body");
  address = make_unix(endpoint, "coap+unix://%00hidden");
  copal_address_text(endpoint, &address, text, sizeof text);
  assert_string_equal(text, "unix:@hidden");
  assert_text(&address, "unix:?"); /* nobody knows the name without the endpoint */
  copal_close(endpoint);
}

/* --- The kernel's form --------------------------------------------------------------------------- */

static void addresses_go_to_the_kernel_and_come_back(void **state) {
  (void)state;
  static const char *const texts[] = {"127.0.0.1", "224.0.1.187", "::1", "fe80::1%lo", "ff02::fd%lo", "2001:db8::1"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    struct sockaddr_storage storage;
    copal_address address = make_address(texts[i], 4711);
    socklen_t size = net_address_to(&address, AF_INET6, NULL, &storage);
    assert_int_equal(size, sizeof(struct sockaddr_in6));
    copal_address back;
    net_address_from(&back, &storage, size, NULL);
    assert_true(copal_address_equal(&address, &back));
    size = net_address_to(&address, AF_INET, NULL, &storage);
    assert_int_equal(size, address.family == COPAL_FAMILY_IPV4 ? sizeof(struct sockaddr_in) : 0);
    if (size == 0) continue;
    net_address_from(&back, &storage, size, NULL);
    assert_true(copal_address_equal(&address, &back));
  }
}

static void a_family_that_a_socket_cannot_reach_has_no_form(void **state) {
  (void)state;
  static struct net_names names;
  struct sockaddr_storage storage;
  copal_address none = {.family = COPAL_FAMILY_NONE}, ip = make_address("127.0.0.1", 1);
  copal_address unix_name = net_name_intern(&names, "/a", 2), forgotten = {.bytes = {9}, .family = COPAL_FAMILY_UNIX};
  assert_int_equal(net_address_to(&none, AF_INET, &names, &storage), 0);
  assert_int_equal(net_address_to(&none, AF_INET6, &names, &storage), 0);
  assert_int_equal(net_address_to(&ip, AF_UNIX, &names, &storage), 0);
  assert_int_equal(net_address_to(&unix_name, AF_INET6, &names, &storage), 0);
  assert_int_equal(net_address_to(&forgotten, AF_UNIX, &names, &storage), 0);
}

static void a_unix_name_comes_with_and_without_its_nul(void **state) {
  (void)state;
  static struct net_names names;
  struct sockaddr_storage storage = {.ss_family = AF_UNIX};
  struct sockaddr_un *un = (struct sockaddr_un *)&storage;
  memcpy(un->sun_path, "/run/a", 7);
  socklen_t bare = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 6);
  copal_address a, b, unnamed;
  net_address_from(&a, &storage, bare, &names);
  net_address_from(&b, &storage, bare + 1, &names);
  assert_true(copal_address_equal(&a, &b));
  net_address_from(&unnamed, &storage, sizeof(sa_family_t), &names);
  assert_int_equal(unnamed.family, COPAL_FAMILY_NONE);
}

/* --- URIs --------------------------------------------------------------------------------------- */

static copal_error resolve(copal_endpoint *endpoint, const char *text, copal_address *address) {
  copal_uri uri;
  assert_int_equal(copal_uri_parse(text, strlen(text), &uri), COPAL_OK);
  return copal_resolve(endpoint, &uri, address);
}

static void uris_are_resolved(void **state) {
  (void)state;
  copal_address address, expected = make_address("127.0.0.1", 5683);
  assert_int_equal(resolve(NULL, "coap://127.0.0.1/a", &address), COPAL_OK);
  assert_true(copal_address_equal(&address, &expected));
  assert_int_equal(resolve(NULL, "coap://[::ffff:127.0.0.1]", &address), COPAL_OK);
  assert_true(copal_address_equal(&address, &expected));
  assert_int_equal(resolve(NULL, "coap://[fe80::1%25lo]:1", &address), COPAL_OK);
  expected = make_address("fe80::1%lo", 1);
  assert_true(copal_address_equal(&address, &expected));
  assert_int_equal(resolve(NULL, "coap://[::1%25lo]:1", &address), COPAL_OK);
  expected = make_address("::1", 1);
  assert_true(copal_address_equal(&address, &expected));
  assert_int_equal(resolve(NULL, "coap://localhost:77", &address), COPAL_OK);
  copal_address ipv4 = make_address("127.0.0.1", 77), ipv6 = make_address("::1", 77);
  assert_true(copal_address_equal(&address, &ipv4) || copal_address_equal(&address, &ipv6));
}

static void what_cannot_be_resolved_says_why(void **state) {
  (void)state;
  copal_address address;
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  assert_int_equal(resolve(NULL, "coap://no-such-host.invalid", &address), COPAL_ERR_RESOLVE);
  assert_int_equal(resolve(NULL, "coap://[fe80::1%25nowhere0]", &address), COPAL_ERR_INTERFACE);
  assert_int_equal(resolve(NULL, "coaps://127.0.0.1", &address), COPAL_ERR_URI_SCHEME);
  assert_int_equal(resolve(NULL, "coap+unix://%2Frun%2Fa", &address), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(resolve(endpoint, "coap+unix://%2Frun%2Fa%00b", &address), COPAL_ERR_URI_HOST);
  char text[256] = "coap+unix://%2F";
  memset(text + strlen(text), 'x', 107);
  assert_int_equal(resolve(endpoint, text, &address), COPAL_ERR_URI_HOST);
  text[strlen(text) - 1] = 0;
  assert_int_equal(resolve(endpoint, text, &address), COPAL_OK);
  copal_close(endpoint);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(literals_are_parsed_and_written),
      cmocka_unit_test(a_link_local_address_has_its_zone),
      cmocka_unit_test(what_the_kernel_tells_without_a_zone_compares_equal),
      cmocka_unit_test(what_is_no_literal_is_refused_and_changes_nothing),
      cmocka_unit_test(a_buffer_that_is_too_small_is_never_overrun),
      cmocka_unit_test(the_name_of_a_unix_socket_is_written),
      cmocka_unit_test(addresses_go_to_the_kernel_and_come_back),
      cmocka_unit_test(a_family_that_a_socket_cannot_reach_has_no_form),
      cmocka_unit_test(a_unix_name_comes_with_and_without_its_nul),
      cmocka_unit_test(uris_are_resolved),
      cmocka_unit_test(what_cannot_be_resolved_says_why),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
