/* Several sockets and several addresses of one endpoint: registering, and from where a reply leaves. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/net/loopback.h"

/* Asks for /hello at `to` and returns the address from which the answer came. */
static copal_address answered_from(copal_endpoint *server, const copal_address *to) {
  static uint16_t message_id;
  uint8_t request[64], response[256];
  copal_address from;
  copal_view view;
  int client = plain_socket(to->family == COPAL_FAMILY_IPV4 ? "127.0.0.1" : "::1");
  plain_send(client, to, request, make_request(request, COPAL_CON, ++message_id, "hello"));
  assert_true(serve_until_readable(server, client));
  ssize_t size = plain_receive(client, response, sizeof response, &from);
  assert_true(size > 0);
  assert_int_equal(copal_decode(response, (size_t)size, &view), COPAL_OK);
  assert_int_equal(view.code, COPAL_CONTENT);
  assert_int_equal(view.message_id, message_id);
  close(client);
  return from;
}

static void assert_answered_by(copal_endpoint *server, const copal_address *to, const copal_address *expected) {
  copal_address from = answered_from(server, to);
  char text[2][COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(NULL, &from, text[0], sizeof text[0]);
  copal_address_text(NULL, expected, text[1], sizeof text[1]);
  assert_string_equal(text[0], text[1]);
}

/* --- From where a reply leaves --------------------------------------------------------------------- */

/* RFC 7252 5.3.2: "The source endpoint of the response MUST be the same as the destination endpoint of the original
 * request." */
static void a_reply_leaves_from_the_address_that_was_asked(void **state) {
  (void)state;
  static const char *const asked[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
  copal_endpoint *server = open_hello("coap://0.0.0.0:0", NULL);
  for (size_t i = 0; i < 3; ++i) {
    copal_address to = make_address(asked[i], address_of(server).port);
    assert_answered_by(server, &to, &to);
  }
  copal_close(server);
}

static void so_it_does_from_a_socket_for_both_families(void **state) {
  (void)state;
  require_ipv6();
  static const char *const asked[] = {"127.0.0.2", "::1", "127.0.0.3"};
  copal_endpoint *server = open_hello("coap://[::]:0", NULL);
  for (size_t i = 0; i < 3; ++i) {
    copal_address to = make_address(asked[i], address_of(server).port);
    assert_answered_by(server, &to, &to);
  }
  copal_close(server);
}

static void so_it_does_from_a_registered_socket(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int second = plain_socket("127.0.0.2");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address to = plain_address(second), primary = address_of(server);
  assert_answered_by(server, &to, &to);
  assert_answered_by(server, &primary, &primary);
  copal_close(server);
  close(second);
}

/* The seed: "all responses are sent from the primary socket". */
static void with_primary_source_it_leaves_from_the_primary_socket(void **state) {
  (void)state;
  copal_open_options options = quick_options(false);
  options.primary_source = true;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", &options);
  int second = plain_socket("127.0.0.2");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address to = plain_address(second), primary = address_of(server);
  assert_answered_by(server, &to, &primary);
  copal_close(server);
  close(second);

  server = open_hello("coap://0.0.0.0:0", &options);
  to = make_address("127.0.0.2", address_of(server).port);
  copal_address chosen = make_address("127.0.0.1", to.port); /* by the kernel, towards 127.0.0.1 */
  assert_answered_by(server, &to, &chosen);
  copal_close(server);
}

static void a_primary_socket_of_another_family_does_not_swallow_replies(void **state) {
  (void)state;
  require_ipv6();
  copal_open_options options = quick_options(false);
  options.primary_source = true;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", &options);
  int second = plain_socket("::1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address to = plain_address(second);
  assert_answered_by(server, &to, &to);
  copal_close(server);
  close(second);
}

static void the_address_that_was_asked_is_in_the_reception_record(void **state) {
  (void)state;
  copal_open_options options = quick_options(true);
  copal_endpoint *server = open_endpoint("coap://0.0.0.0:0", &options);
  uint8_t request[64];
  int client = plain_socket("127.0.0.1");
  copal_address to = make_address("127.0.0.2", address_of(server).port), remote = plain_address(client);
  plain_send(client, &to, request, make_request(request, COPAL_CON, 1, "a"));
  copal_rx rx;
  assert_int_equal(copal_process(server, PATIENCE, &rx), 1);
  to.port = 0; /* a destination is told without its port */
  assert_true(copal_address_equal(&rx.path.local, &to));
  assert_true(copal_address_equal(&rx.path.remote, &remote));
  assert_int_equal(rx.path.socket, 0);
  assert_false(rx.multicast);
  close(client);
  copal_close(server);
}

/* --- Registering ----------------------------------------------------------------------------------- */

static void a_registered_socket_is_made_non_blocking_and_stays_the_programs(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int second = plain_socket("127.0.0.2");
  assert_int_equal(fcntl(second, F_SETFL, fcntl(second, F_GETFL) & ~O_NONBLOCK), 0);
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_true((fcntl(second, F_GETFL) & O_NONBLOCK) != 0);
  copal_close(server);
  assert_int_equal(close(second), 0);
}

static void registering_twice_is_once(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int second = plain_socket("127.0.0.2");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_register(server, copal_socket(server)), COPAL_OK);
  copal_address to = plain_address(second);
  assert_answered_by(server, &to, &to);
  assert_int_equal(copal_endpoint_counters(server)->datagrams_in, 1);
  assert_int_equal(copal_unregister(server, second), COPAL_OK);
  assert_int_equal(copal_unregister(server, second), COPAL_ERR_NOT_FOUND);
  copal_close(server);
  close(second);
}

/* Peers are known by the socket, too. */
static void a_socket_that_is_registered_again_keeps_its_place(void **state) {
  (void)state;
  copal_open_options options = quick_options(true);
  copal_endpoint *server = open_endpoint("coap://127.0.0.1:0", &options);
  int second = plain_socket("127.0.0.2"), third = plain_socket("127.0.0.3"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_register(server, third), COPAL_OK);
  assert_int_equal(copal_unregister(server, second), COPAL_OK);
  copal_address to = plain_address(third);
  uint8_t request[64];
  for (uint16_t i = 0; i < 2; ++i) {
    copal_rx rx;
    assert_int_equal(copal_register(server, third), COPAL_OK);
    plain_send(client, &to, request, make_request(request, COPAL_NON, i, "a"));
    assert_int_equal(copal_process(server, 5 * COPAL_SECOND, &rx), 1);
    assert_int_equal(rx.path.socket, 2);
  }
  copal_close(server);
  close(second);
  close(third);
  close(client);
}

static void an_unregistered_socket_is_left_alone(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int second = plain_socket("127.0.0.2"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_unregister(server, second), COPAL_OK);
  uint8_t request[64], found[64];
  size_t size = make_request(request, COPAL_CON, 3, "hello");
  copal_address to = plain_address(second);
  plain_send(client, &to, request, size);
  assert_int_equal(copal_process(server, 20 * COPAL_MILLISECOND, NULL), 0);
  assert_int_equal(copal_endpoint_counters(server)->datagrams_in, 0);
  assert_int_equal(plain_receive(second, found, sizeof found, NULL), size);
  assert_memory_equal(found, request, size);
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_answered_by(server, &to, &to);
  copal_close(server);
  close(second);
  close(client);
}

/* Polled, it would end every wait at once. */
static void a_socket_that_was_closed_unasked_is_forgotten_and_its_number_may_come_back(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int second = plain_socket("127.0.0.2"), fds[COPAL_FDS_MAX];
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_fds(server, fds), 3);
  close(second);
  assert_int_equal(copal_process(server, 0, NULL), 0);
  assert_int_equal(copal_fds(server, fds), 2);
  assert_int_equal(copal_unregister(server, second), COPAL_ERR_NOT_FOUND);
  assert_int_equal(plain_socket("127.0.0.3"), second);
  assert_int_equal(copal_register(server, second), COPAL_OK);
  close(second);
  assert_int_equal(plain_socket("127.0.0.4"), second);
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_fds(server, fds), 3);
  copal_address to = plain_address(second);
  assert_answered_by(server, &to, &to);
  copal_close(server);
  close(second);
}

static void the_primary_socket_cannot_be_unregistered(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  assert_int_equal(copal_unregister(server, copal_socket(server)), COPAL_ERR_NOT_FOUND);
  assert_int_equal(copal_unregister(server, -1), COPAL_ERR_NOT_FOUND);
  copal_address primary = address_of(server);
  assert_answered_by(server, &primary, &primary);
  copal_close(server);
}

static void what_is_no_datagram_socket_cannot_be_registered(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int stream = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(copal_register(server, stream), COPAL_ERR_SOCKET);
  assert_int_equal(copal_register(server, -1), COPAL_ERR_SOCKET);
  assert_int_equal(copal_unregister(server, stream), COPAL_ERR_NOT_FOUND);
  assert_int_equal(close(stream), 0);
  copal_close(server);
}

static void sixteen_sockets_are_the_limit(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int fds[16];
  for (size_t i = 0; i < 16; ++i) {
    fds[i] = plain_socket("127.0.0.2");
    assert_int_equal(copal_register(server, fds[i]), i < 15 ? COPAL_OK : COPAL_ERR_SOCKETS_FULL);
  }
  for (size_t i = 0; i < 15; ++i) {
    copal_address to = plain_address(fds[i]);
    assert_answered_by(server, &to, &to);
  }
  assert_int_equal(copal_unregister(server, fds[4]), COPAL_OK);
  assert_int_equal(copal_register(server, fds[15]), COPAL_OK);
  copal_address to = plain_address(fds[15]);
  assert_answered_by(server, &to, &to);
  copal_close(server);
  for (size_t i = 0; i < 16; ++i) close(fds[i]);
}

static void a_unix_socket_may_stand_beside_a_udp_one(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL), *client = open_endpoint("coap+unix://%00", NULL);
  char uri[64];
  snprintf(uri, sizeof uri, "coap+unix://%%00copal-beside-%ld", (long)getpid());
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  int size = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "copal-beside-%ld", (long)getpid());
  int second = socket(AF_UNIX, SOCK_DGRAM, 0);
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
  assert_int_equal(bind(second, (struct sockaddr *)&name, length), 0);
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address remote = make_unix(client, uri);
  struct outcome outcome = {0};
  send_request(client, COPAL_CON, "hello", &remote, &outcome);
  assert_true(process_until(client, server, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_OK);
  assert_true(copal_address_equal(&outcome.from, &remote));
  copal_close(client);
  copal_close(server);
  close(second);
}

/* --- Several sockets at once ----------------------------------------------------------------------- */

/* The seed's own code loses the datagrams of all sockets but the first that a pass finds readable. */
static void sockets_readable_in_one_pass_lose_nothing(void **state) {
  (void)state;
  copal_open_options options = quick_options(true);
  copal_endpoint *server = open_endpoint("coap://127.0.0.1:0", &options);
  int second = plain_socket("127.0.0.2"), third = plain_socket("127.0.0.3"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  assert_int_equal(copal_register(server, third), COPAL_OK);
  copal_address to[] = {address_of(server), plain_address(second), plain_address(third)};
  uint8_t request[64];
  for (uint16_t i = 0; i < 6; ++i) plain_send(client, &to[i % 3], request, make_request(request, COPAL_NON, i, "a"));
  unsigned seen = 0;
  for (unsigned i = 0; i < 6; ++i) {
    copal_rx rx;
    assert_int_equal(copal_process(server, 0, &rx), 1);
    assert_int_equal(rx.path.socket, rx.message.message_id % 3);
    seen |= 1u << rx.message.message_id;
  }
  assert_int_equal(seen, 0x3f);
  copal_rx rx;
  assert_int_equal(copal_process(server, 0, &rx), 0);
  copal_close(server);
  close(second);
  close(third);
  close(client);
}

static void a_busy_socket_does_not_keep_the_others_waiting(void **state) {
  (void)state;
  copal_open_options options = quick_options(true);
  options.batch = 2;
  copal_endpoint *server = open_endpoint("coap://127.0.0.1:0", &options);
  int second = plain_socket("127.0.0.2"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address busy = address_of(server), quiet = plain_address(second);
  uint8_t request[64];
  uint16_t message_id = 0;
  for (; message_id < 20; ++message_id)
    plain_send(client, &busy, request, make_request(request, COPAL_NON, message_id, "a"));
  plain_send(client, &quiet, request, make_request(request, COPAL_NON, 9999, "a"));
  bool heard = false;
  for (unsigned i = 0; i < 6 && !heard; ++i) {
    copal_rx rx;
    assert_int_equal(copal_process(server, 0, &rx), 1);
    heard = rx.message.message_id == 9999;
    plain_send(client, &busy, request, make_request(request, COPAL_NON, message_id++, "a"));
  }
  assert_true(heard);
  copal_close(server);
  close(second);
  close(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reply_leaves_from_the_address_that_was_asked),
      cmocka_unit_test(so_it_does_from_a_socket_for_both_families),
      cmocka_unit_test(so_it_does_from_a_registered_socket),
      cmocka_unit_test(with_primary_source_it_leaves_from_the_primary_socket),
      cmocka_unit_test(a_primary_socket_of_another_family_does_not_swallow_replies),
      cmocka_unit_test(the_address_that_was_asked_is_in_the_reception_record),
      cmocka_unit_test(a_registered_socket_is_made_non_blocking_and_stays_the_programs),
      cmocka_unit_test(registering_twice_is_once),
      cmocka_unit_test(a_socket_that_is_registered_again_keeps_its_place),
      cmocka_unit_test(an_unregistered_socket_is_left_alone),
      cmocka_unit_test(a_socket_that_was_closed_unasked_is_forgotten_and_its_number_may_come_back),
      cmocka_unit_test(the_primary_socket_cannot_be_unregistered),
      cmocka_unit_test(what_is_no_datagram_socket_cannot_be_registered),
      cmocka_unit_test(sixteen_sockets_are_the_limit),
      cmocka_unit_test(a_unix_socket_may_stand_beside_a_udp_one),
      cmocka_unit_test(sockets_readable_in_one_pass_lose_nothing),
      cmocka_unit_test(a_busy_socket_does_not_keep_the_others_waiting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
