/* Groups: joined, heard, and answered by unicast within the leisure. All in a network of the test's own, whose loopback
 * carries multicast, or in the system's where that is not allowed; skipped where neither does. RFC 7252 section 8. */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/skip.h"
#include "unit/net/loopback.h"

#define GROUP_IPV4 "224.0.1.187"
#define GROUP_IPV6 "ff02::fd"

static bool lo_carries_multicast(int control) {
  struct ifreq lo = {.ifr_name = "lo"};
  return ioctl(control, SIOCGIFFLAGS, &lo) == 0 && (lo.ifr_flags & IFF_UP) != 0 && (lo.ifr_flags & IFF_MULTICAST) != 0;
}

/* Loopback has an IPv6 route for ::1 alone. */
static bool route_ipv6_groups_to_lo(void) {
  struct in6_rtmsg route = {
      .rtmsg_dst_len = 8, .rtmsg_metric = 1, .rtmsg_type = RTN_LOCAL, .rtmsg_flags = RTF_UP | RTF_LOCAL};
  route.rtmsg_dst.s6_addr[0] = 0xff;
  route.rtmsg_ifindex = (int)if_nametoindex("lo");
  int control = socket(AF_INET6, SOCK_DGRAM, 0);
  if (control < 0) return false;
  int result = ioctl(control, SIOCADDRT, &route);
  close(control);
  return result == 0;
}

static bool prepared, prepared_ipv6;

static int enter_own_network(void **state) {
  (void)state;
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK | IFF_MULTICAST};
  bool own = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  int control = socket(AF_INET, SOCK_DGRAM, 0);
  if (control < 0) return -1;
  if (own && ioctl(control, SIOCSIFFLAGS, &lo) == 0) prepared_ipv6 = route_ipv6_groups_to_lo();
  prepared = lo_carries_multicast(control);
  close(control);
  return 0;
}

static void require_multicast(void) {
  if (prepared) return;
  skip_because("the loopback interface carries no multicast, and no network of one's own can be made");
}

static void require_multicast_ipv6(void) {
  require_multicast();
  require_ipv6();
  if (prepared_ipv6) return;
  skip_because("there is no IPv6 route for groups on the loopback interface, and none can be made");
}

static void unhelpful(copal_request *request, void *context) {
  ++*(unsigned *)context;
  copal_reply_code(request, COPAL_BAD_REQUEST);
}

struct answers {
  unsigned count;
  copal_address from[4];
  copal_time times[4];
};

static void note_answer(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                        void *context) {
  struct answers *answers = context;
  (void)endpoint;
  (void)request;
  assert_int_equal(error, COPAL_OK);
  assert_true(answers->count < 4);
  assert_int_equal(rx->message.code, COPAL_CONTENT);
  assert_int_equal(rx->message.type, COPAL_NON);
  answers->times[answers->count] = copal_now();
  answers->from[answers->count++] = rx->path.remote;
}

/* Asks a group, and serves until it has answered that many times and twice the leisure has brought no more. */
static struct answers ask(copal_endpoint *client, copal_endpoint *server, const char *group, uint16_t port,
                          const char *path, unsigned expected) {
  struct answers answers = {0};
  uint8_t buffer[64];
  copal_message message;
  copal_tx tx;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  copal_address remote = make_address(group, port);
  if (remote.family == COPAL_FAMILY_IPV6) remote.scope = if_nametoindex("lo");
  assert_int_equal(copal_request_send(client, &message, &remote, COPAL_NEVER, note_answer, &answers, &tx), COPAL_OK);
  copal_time end = copal_now() + PATIENCE, quiet = copal_now() + 100 * COPAL_MILLISECOND;
  while (copal_now() < quiet || (answers.count < expected && copal_now() < end)) {
    assert_int_equal(copal_process(client, COPAL_MILLISECOND, NULL), 0);
    assert_int_equal(copal_process(server, COPAL_MILLISECOND, NULL), 0);
  }
  assert_int_equal(answers.count, expected);
  assert_int_equal(copal_cancel(client, tx), COPAL_OK);
  return answers;
}

static copal_endpoint *open_client(const char *uri) {
  copal_endpoint *client = open_endpoint(uri, NULL);
  assert_int_equal(copal_multicast_interface(client, "lo"), COPAL_OK);
  return client;
}

static void assert_answers(const char *server_uri, const char *client_uri, const char *group, const char *own_address) {
  copal_endpoint *server = open_hello(server_uri, NULL), *client = open_client(client_uri);
  assert_int_equal(copal_join(server, group, "lo"), COPAL_OK);
  assert_int_equal(copal_join(server, group, "lo"), COPAL_OK); /* twice is once */
  uint16_t port = address_of(server).port;
  struct answers answers = ask(client, server, group, port, "hello", 1);
  /* RFC 7252 8.2: "the unicast response to the multicast request" comes from an address of the server's own. */
  copal_address own = make_address(own_address, port);
  assert_true(copal_address_equal(&answers.from[0], &own));
  assert_int_equal(copal_endpoint_counters(server)->requests, 1);

  /* 8.2: "the server MAY always ignore the request, in particular if it doesn't have anything useful to respond". */
  ask(client, server, group, port, "nothing", 0);
  assert_int_equal(copal_endpoint_counters(server)->requests, 2);
  unsigned handled = 0;
  assert_int_equal(copal_route(server, COPAL_GET, "/unhelpful", unhelpful, &handled), COPAL_OK);
  ask(client, server, group, port, "unhelpful", 0);
  assert_int_equal(handled, 1);

  /* And what is sent to it alone it answers as ever. */
  struct outcome outcome = {0};
  send_request(client, COPAL_CON, "hello", &own, &outcome);
  assert_true(process_until(client, server, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_OK);
  copal_close(client);
  copal_close(server);
}

static void an_ipv4_group_is_answered_by_unicast(void **state) {
  (void)state;
  require_multicast();
  assert_answers("coap://0.0.0.0:0", "coap://127.0.0.1:0", GROUP_IPV4, "127.0.0.1");
}

static void so_it_is_by_a_socket_for_both_families(void **state) {
  (void)state;
  require_multicast();
  require_ipv6();
  assert_answers("coap://[::]:0", NULL, GROUP_IPV4, "127.0.0.1");
}

static void an_ipv6_group_is_answered_by_unicast(void **state) {
  (void)state;
  require_multicast_ipv6();
  assert_answers("coap://[::]:0", "coap://[::1]:0", GROUP_IPV6, "::1");
}

static void a_socket_bound_to_one_address_gets_another_beside_it(void **state) {
  (void)state;
  require_multicast();
  assert_answers("coap://127.0.0.1:0", "coap://127.0.0.1:0", GROUP_IPV4, "127.0.0.1");
}

static void a_socket_of_the_other_family_gets_another_beside_it(void **state) {
  (void)state;
  require_multicast_ipv6();
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL), *client = open_client("coap://[::1]:0");
  assert_int_equal(copal_join(server, GROUP_IPV6, "lo"), COPAL_OK);
  unsigned before = count_descriptors();
  assert_int_equal(copal_join(server, GROUP_IPV6, "lo"), COPAL_OK); /* twice is once */
  assert_int_equal(count_descriptors(), before);
  uint16_t port = address_of(server).port;
  struct answers answers = ask(client, server, GROUP_IPV6, port, "hello", 1);
  copal_address own = make_address("::1", port);
  assert_true(copal_address_equal(&answers.from[0], &own));
  copal_close(client);
  copal_close(server);
}

static void who_has_not_joined_does_not_hear(void **state) {
  (void)state;
  require_multicast();
  /* The member makes the kernel take the group's datagrams in; the other socket is bound to that port, too. */
  copal_open_options options = quick_options(false);
  options.reuse_port = true;
  copal_endpoint *other = open_hello("coap://0.0.0.0:0", &options);
  char uri[64];
  snprintf(uri, sizeof uri, "coap://0.0.0.0:%u", address_of(other).port);
  copal_endpoint *member = open_hello(uri, &options), *client = open_client("coap://127.0.0.1:0");
  assert_int_equal(copal_join(member, GROUP_IPV4, "lo"), COPAL_OK);
  ask(client, member, GROUP_IPV4, address_of(member).port, "hello", 1);
  assert_int_equal(copal_process(other, 0, NULL), 0);
  assert_int_equal(copal_endpoint_counters(other)->datagrams_in, 0);
  copal_close(client);
  copal_close(member);
  copal_close(other);
}

/* RFC 7252 8.2: "The server SHOULD then pick a random point of time within the chosen leisure period". */
static void answers_are_spread_over_the_leisure(void **state) {
  (void)state;
  require_multicast();
  copal_endpoint *server = open_hello("coap://0.0.0.0:0", NULL);
  assert_int_equal(copal_join(server, GROUP_IPV4, "lo"), COPAL_OK);
  uint16_t port = address_of(server).port;
  copal_time shortest = COPAL_NEVER, longest = 0;
  for (unsigned i = 0; i < 8; ++i) {
    copal_endpoint *client = open_client("coap://127.0.0.1:0");
    copal_time before = copal_now();
    struct answers answers = ask(client, server, GROUP_IPV4, port, "hello", 1);
    copal_time took = answers.times[0] - before;
    if (took < shortest) shortest = took;
    if (took > longest) longest = took;
    copal_close(client);
  }
  /* Eight points of 50 ms that all lie within 2 ms of each other would be no chance. */
  assert_true(longest - shortest > 2 * COPAL_MILLISECOND);
  copal_close(server);
}

static void a_registered_socket_may_have_joined_by_itself(void **state) {
  (void)state;
  require_multicast();
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL), *client = open_client("coap://127.0.0.1:0");
  int member = plain_socket("0.0.0.0");
  struct ip_mreqn request = {.imr_ifindex = (int)if_nametoindex("lo")};
  copal_address group = make_address(GROUP_IPV4, 0);
  memcpy(&request.imr_multiaddr, group.bytes, 4);
  assert_int_equal(setsockopt(member, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), 0);
  assert_int_equal(copal_register(server, member), COPAL_OK);
  struct answers answers = ask(client, server, GROUP_IPV4, plain_address(member).port, "hello", 1);
  copal_address primary = address_of(server);
  assert_true(copal_address_equal(&answers.from[0], &primary));
  copal_close(client);
  copal_close(server);
  close(member);
}

static void a_raw_endpoint_is_told_that_it_came_to_a_group(void **state) {
  (void)state;
  require_multicast();
  copal_open_options options = quick_options(true);
  copal_endpoint *server = open_endpoint("coap://0.0.0.0:0", &options), *client = open_client("coap://127.0.0.1:0");
  assert_int_equal(copal_join(server, GROUP_IPV4, "lo"), COPAL_OK);
  copal_address group = make_address(GROUP_IPV4, address_of(server).port);
  struct outcome outcome = {0};
  send_request(client, COPAL_NON, "a", &group, &outcome);
  assert_int_equal(copal_process(client, 0, NULL), 0);
  copal_rx rx;
  assert_int_equal(copal_process(server, PATIENCE, &rx), 1);
  assert_true(rx.multicast);
  group.port = 0;
  assert_true(copal_address_equal(&rx.path.local, &group));
  assert_int_equal(copal_reset(&rx), COPAL_ERR_TYPE);
  copal_close(client);
  copal_close(server);
}

static void what_cannot_be_joined_says_why(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  unsigned before = count_descriptors();
  assert_int_equal(copal_join(endpoint, "127.0.0.1", "lo"), COPAL_ERR_ADDRESS);
  assert_int_equal(copal_join(endpoint, "all-coap-nodes", "lo"), COPAL_ERR_ADDRESS);
  assert_int_equal(copal_join(endpoint, GROUP_IPV4, "nowhere0"), COPAL_ERR_INTERFACE);
  assert_int_equal(copal_join(endpoint, "ff02::fd%nowhere0", NULL), COPAL_ERR_INTERFACE);
  assert_int_equal(copal_multicast_interface(endpoint, "nowhere0"), COPAL_ERR_INTERFACE);
  assert_int_equal(count_descriptors(), before);
  copal_close(endpoint);
}

static void groups_beyond_the_sockets_are_refused_and_leave_nothing_open(void **state) {
  (void)state;
  require_multicast();
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  unsigned before = count_descriptors();
  for (unsigned i = 1; i < 16; ++i) {
    char group[32];
    snprintf(group, sizeof group, "224.0.2.%u", i);
    assert_int_equal(copal_join(endpoint, group, "lo"), COPAL_OK);
  }
  assert_int_equal(copal_join(endpoint, "224.0.2.99", "lo"), COPAL_ERR_SOCKETS_FULL);
  assert_int_equal(count_descriptors(), before + 15);
  copal_close(endpoint);
  assert_true(count_descriptors() < before);
}

static void the_interface_for_groups_may_be_left_to_the_system_again(void **state) {
  (void)state;
  require_multicast();
  copal_endpoint *ipv4 = open_client("coap://127.0.0.1:0");
  struct in_addr interface = {1};
  socklen_t size = sizeof interface;
  assert_int_equal(copal_multicast_interface(ipv4, NULL), COPAL_OK);
  assert_int_equal(getsockopt(copal_socket(ipv4), IPPROTO_IP, IP_MULTICAST_IF, &interface, &size), 0);
  assert_int_equal(interface.s_addr, 0);
  copal_close(ipv4);
  require_ipv6();
  copal_endpoint *both = open_client(NULL);
  unsigned index = 0;
  size = sizeof index;
  assert_int_equal(getsockopt(copal_socket(both), IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, &size), 0);
  assert_int_equal(index, if_nametoindex("lo"));
  assert_int_equal(copal_multicast_interface(both, NULL), COPAL_OK);
  assert_int_equal(getsockopt(copal_socket(both), IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, &size), 0);
  assert_int_equal(index, 0);
  copal_close(both);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ipv4_group_is_answered_by_unicast),
      cmocka_unit_test(so_it_is_by_a_socket_for_both_families),
      cmocka_unit_test(an_ipv6_group_is_answered_by_unicast),
      cmocka_unit_test(a_socket_bound_to_one_address_gets_another_beside_it),
      cmocka_unit_test(a_socket_of_the_other_family_gets_another_beside_it),
      cmocka_unit_test(who_has_not_joined_does_not_hear),
      cmocka_unit_test(answers_are_spread_over_the_leisure),
      cmocka_unit_test(a_registered_socket_may_have_joined_by_itself),
      cmocka_unit_test(a_raw_endpoint_is_told_that_it_came_to_a_group),
      cmocka_unit_test(what_cannot_be_joined_says_why),
      cmocka_unit_test(groups_beyond_the_sockets_are_refused_and_leave_nothing_open),
      cmocka_unit_test(the_interface_for_groups_may_be_left_to_the_system_again),
  };
  return cmocka_run_group_tests(tests, enter_own_network, NULL);
}
