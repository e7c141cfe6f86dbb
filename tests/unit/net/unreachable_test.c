/* ICMP errors: they end the exchange that they are about, and no other. RFC 7252 section 4.2. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/skip.h"
#include "unit/net/loopback.h"

/* Nothing but an ICMP error can end a request early here. */
static copal_endpoint *open_patient(const char *uri, bool raw) {
  copal_open_options options = quick_options(raw);
  options.config.parameters.ack_timeout = 60 * COPAL_SECOND;
  return open_endpoint(uri, &options);
}

static void assert_closed_port_is_unreachable(const char *uri, const char *ip, copal_type type) {
  copal_endpoint *client = open_patient(uri, false);
  copal_address nobody = closed_address(ip);
  struct outcome outcome = {0};
  send_request(client, type, "a", &nobody, &outcome);
  assert_true(process_until(client, NULL, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_ERR_UNREACHABLE);
  assert_int_equal(copal_endpoint_usage(client).exchanges, 0);
  assert_int_equal(copal_endpoint_counters(client)->unreachable, 1);
  copal_close(client);
}

static void a_closed_port_ends_a_request_at_once(void **state) {
  (void)state;
  assert_closed_port_is_unreachable("coap://127.0.0.1:0", "127.0.0.1", COPAL_CON);
  assert_closed_port_is_unreachable("coap://127.0.0.1:0", "127.0.0.1", COPAL_NON);
  assert_closed_port_is_unreachable("coap://0.0.0.0:0", "127.0.0.1", COPAL_CON);
}

static void so_it_does_over_ipv6_and_from_a_socket_for_both(void **state) {
  (void)state;
  require_ipv6();
  assert_closed_port_is_unreachable("coap://[::1]:0", "::1", COPAL_CON);
  assert_closed_port_is_unreachable("coap://[::1]:0", "::1", COPAL_NON);
  assert_closed_port_is_unreachable(NULL, "::1", COPAL_CON);
  assert_closed_port_is_unreachable(NULL, "127.0.0.1", COPAL_CON);
  assert_closed_port_is_unreachable("coap://[::]:0", "127.0.0.1", COPAL_NON);
}

static void a_record_tells_that_its_peer_was_not_reached(void **state) {
  (void)state;
  copal_endpoint *client = open_patient("coap://127.0.0.1:0", true);
  copal_address nobody = closed_address("127.0.0.1");
  uint8_t buffer[64];
  copal_message message;
  copal_tx tx;
  copal_tx_info info = {0};
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_send(client, &message, &nobody, &tx), COPAL_OK);
  copal_time end = copal_now() + PATIENCE;
  while (info.state != COPAL_TX_UNREACHED && copal_now() < end) {
    copal_rx rx;
    assert_int_equal(copal_process(client, COPAL_MILLISECOND, &rx), 0);
    assert_int_equal(copal_tx_get(client, tx, &info), COPAL_OK);
  }
  assert_int_equal(info.state, COPAL_TX_UNREACHED);
  assert_true(info.next_event_time == COPAL_NEVER);
  copal_close(client);
}

static void among_many_only_the_dead_end(void **state) {
  (void)state;
  enum { PAIRS = 30 };
  copal_endpoint *client = open_patient("coap://0.0.0.0:0", false), *server = open_hello("coap://0.0.0.0:0", NULL);
  struct outcome live[PAIRS] = {0}, dead[PAIRS] = {0};
  for (uint8_t i = 0; i < PAIRS; ++i) {
    copal_address reached = make_address("127.0.1.1", address_of(server).port), nobody = closed_address("127.0.0.1");
    reached.bytes[3] = (uint8_t)(i + 1); /* every peer is one of its own, or NSTART would queue them */
    send_request(client, i % 3 == 0 ? COPAL_NON : COPAL_CON, "hello", &nobody, &dead[i]);
    send_request(client, i % 2 == 0 ? COPAL_NON : COPAL_CON, "hello", &reached, &live[i]);
  }
  for (uint8_t i = 0; i < PAIRS; ++i) {
    assert_true(process_until(client, server, &dead[i], 1));
    assert_true(process_until(client, server, &live[i], 1));
    assert_int_equal(dead[i].error, COPAL_ERR_UNREACHABLE);
    assert_int_equal(live[i].error, COPAL_OK);
    assert_int_equal(live[i].code, COPAL_CONTENT);
  }
  assert_int_equal(copal_endpoint_counters(client)->unreachable, PAIRS);
  copal_close(client);
  copal_close(server);
}

static void a_client_that_vanished_disturbs_nobody(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int vanishing = plain_socket("127.0.0.1"), staying = plain_socket("127.0.0.1");
  copal_address to = address_of(server);
  uint8_t bytes[64];
  for (uint16_t i = 0; i < 8; ++i) {
    plain_send(vanishing, &to, bytes, make_request(bytes, i % 2 == 0 ? COPAL_NON : COPAL_CON, i, "hello"));
    plain_send(staying, &to, bytes, make_request(bytes, COPAL_NON, i, "hello"));
  }
  close(vanishing);
  for (uint16_t i = 0; i < 8; ++i) {
    assert_true(serve_until_readable(server, staying));
    assert_true(plain_receive(staying, bytes, sizeof bytes, NULL) > 0);
    assert_int_equal(bytes[1], COPAL_CONTENT);
  }
  assert_int_equal(copal_process(server, 0, NULL), 0);
  assert_int_equal(copal_process(server, 0, NULL), 0);
  assert_false(is_readable(copal_fd(server)));
  assert_int_equal(copal_endpoint_counters(server)->requests, 16);
  close(staying);
  copal_close(server);
}

/* --- ICMP messages made by hand -------------------------------------------------------------------- */

/* A socket that may send any ICMP message to 127.0.0.1, in a network of its own where the system's allows none; the
 * test is skipped where that is not allowed either. */
static int open_icmp(void) {
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (fd >= 0) return fd;
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK};
  int control = -1;
  bool ok = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && (control = socket(AF_INET, SOCK_DGRAM, 0)) >= 0 &&
            ioctl(control, SIOCSIFFLAGS, &lo) == 0;
  if (control >= 0) close(control);
  if (ok) fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (fd >= 0) return fd;
  skip_because("ICMP messages may not be made here");
  return -1;
}

static uint16_t checksum(const uint8_t *bytes, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i < size; i += 2) sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* Whose datagrams are said not to arrive. It is nobody else's address: for minutes the system cuts datagrams to it to
 * 552 bytes. */
#define BEYOND "127.83.252.7"
#define BEYOND_IPV4 0x7f53fc07u

/* What 127.0.0.1 would be told of a datagram of its own: an ICMP header, and the datagram with its headers. */
static void send_icmp(int fd, uint8_t type, uint8_t code, uint16_t from, uint16_t to, copal_bytes datagram) {
  uint8_t packet[256] = {type, code};
  struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
  struct ip ip = {.ip_v = 4, .ip_hl = 5, .ip_ttl = 64, .ip_p = IPPROTO_UDP, .ip_src = loopback};
  struct udphdr udp = {.source = htons(from), .dest = htons(to), .len = htons((uint16_t)(8 + datagram.size))};
  size_t size = ICMP_MINLEN + sizeof ip + sizeof udp + datagram.size;
  assert_true(size <= sizeof packet);
  ip.ip_dst.s_addr = htonl(BEYOND_IPV4);
  ip.ip_len = htons((uint16_t)(size - ICMP_MINLEN));
  memcpy(packet + ICMP_MINLEN, &ip, sizeof ip);
  memcpy(packet + ICMP_MINLEN + sizeof ip, &udp, sizeof udp);
  memcpy(packet + size - datagram.size, datagram.data, datagram.size);
  uint16_t sum = checksum(packet, size);
  packet[2] = (uint8_t)(sum >> 8);
  packet[3] = (uint8_t)sum;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = loopback};
  assert_int_equal(sendto(fd, packet, size, 0, (struct sockaddr *)&address, sizeof address), size);
}

/* RFC 7252 4.2: "implementations SHOULD take care to check the information about the original datagram in the ICMP
 * message …; Source Quench and Time Exceeded ICMP messages SHOULD be ignored." */
static void an_icmp_message_that_is_not_about_our_datagram_or_not_about_its_end_is_ignored(void **state) {
  (void)state;
  int icmp = open_icmp();
  copal_endpoint *client = open_patient("coap://127.0.0.1:0", true);
  int peer = plain_socket(BEYOND);
  copal_address remote = plain_address(peer);
  uint16_t from = address_of(client).port;
  uint8_t buffer[64], sent[64], forged[64];
  copal_message message;
  copal_tx tx;
  copal_tx_info info;
  copal_rx rx;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_send(client, &message, &remote, &tx), COPAL_OK);
  assert_int_equal(copal_process(client, 0, &rx), 0);
  ssize_t size = plain_receive(peer, sent, sizeof sent, NULL);
  assert_int_equal(size, 12);
  copal_bytes original = {sent, 12}, other_mid = {forged, 12}, cut = {sent, 3};

  memcpy(forged, sent, sizeof forged);
  forged[3] ^= 1;
  send_icmp(icmp, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, from, remote.port, other_mid);
  memcpy(forged, sent, sizeof forged);
  forged[11] ^= 1; /* the token's last byte */
  send_icmp(icmp, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, from, remote.port, other_mid);
  send_icmp(icmp, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, from, remote.port, cut);
  send_icmp(icmp, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, from, (uint16_t)(remote.port ^ 1), original);
  send_icmp(icmp, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, from, remote.port, original);
  send_icmp(icmp, ICMP_SOURCE_QUENCH, 0, from, remote.port, original);
  send_icmp(icmp, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, from, remote.port, original);
  for (unsigned i = 0; i < 10; ++i) assert_int_equal(copal_process(client, 2 * COPAL_MILLISECOND, &rx), 0);
  assert_int_equal(copal_tx_get(client, tx, &info), COPAL_OK);
  assert_int_equal(info.state, COPAL_TX_WAITING);
  assert_int_equal(copal_endpoint_counters(client)->unreachable, 0);

  send_icmp(icmp, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, from, remote.port, original);
  copal_time end = copal_now() + PATIENCE;
  while (info.state == COPAL_TX_WAITING && copal_now() < end) {
    assert_int_equal(copal_process(client, 2 * COPAL_MILLISECOND, &rx), 0);
    assert_int_equal(copal_tx_get(client, tx, &info), COPAL_OK);
  }
  assert_int_equal(info.state, COPAL_TX_UNREACHED);
  copal_close(client);
  close(peer);
  close(icmp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_closed_port_ends_a_request_at_once),
      cmocka_unit_test(so_it_does_over_ipv6_and_from_a_socket_for_both),
      cmocka_unit_test(a_record_tells_that_its_peer_was_not_reached),
      cmocka_unit_test(among_many_only_the_dead_end),
      cmocka_unit_test(a_client_that_vanished_disturbs_nobody),
      cmocka_unit_test(an_icmp_message_that_is_not_about_our_datagram_or_not_about_its_end_is_ignored),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
