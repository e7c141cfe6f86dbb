/* Opening and closing: every form of URI, every failure with its error, nothing left behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/net/loopback.h"

static void assert_refused(const char *uri, copal_open_options *options, copal_error error) {
  unsigned before = count_descriptors();
  copal_endpoint *endpoint = copal_open(uri, options);
  if (endpoint != NULL || options->error != error)
    fail_msg("%s: %s instead of %s", uri, copal_error_name(options->error), copal_error_name(error));
  assert_int_equal(count_descriptors(), before);
}

/* --- What can be opened -------------------------------------------------------------------------- */

/* GET /hello from a plain socket is answered. */
static void assert_reached(copal_endpoint *server, const char *from, const char *to) {
  uint8_t request[64], response[256];
  copal_view view;
  int client = plain_socket(from);
  copal_address address = make_address(to, address_of(server).port);
  plain_send(client, &address, request, make_request(request, COPAL_CON, 7, "hello"));
  assert_true(serve_until_readable(server, client));
  ssize_t size = plain_receive(client, response, sizeof response, NULL);
  assert_true(size > 0);
  assert_int_equal(copal_decode(response, (size_t)size, &view), COPAL_OK);
  assert_int_equal(view.code, COPAL_CONTENT);
  assert_int_equal(view.message_id, 7);
  close(client);
}

static void an_ipv4_address_and_a_free_port(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  copal_address address = address_of(server), expected = make_address("127.0.0.1", address.port);
  assert_true(copal_address_equal(&address, &expected));
  assert_int_not_equal(address.port, 0);
  assert_reached(server, "127.0.0.1", "127.0.0.1");
  copal_close(server);
}

static void all_ipv4_addresses(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://0.0.0.0:0", NULL);
  assert_reached(server, "127.0.0.1", "127.0.0.1");
  assert_reached(server, "127.0.0.1", "127.0.0.9");
  copal_close(server);
}

static void an_ipv6_address(void **state) {
  (void)state;
  require_ipv6();
  copal_endpoint *server = open_hello("coap://[::1]:0", NULL);
  copal_address address = address_of(server), expected = make_address("::1", address.port);
  assert_true(copal_address_equal(&address, &expected));
  assert_reached(server, "::1", "::1");
  copal_close(server);
}

static void all_addresses_of_both_families(void **state) {
  (void)state;
  require_ipv6();
  copal_endpoint *server = open_hello("coap://[::]:0", NULL);
  assert_reached(server, "127.0.0.1", "127.0.0.1");
  assert_reached(server, "::1", "::1");
  copal_close(server);
}

static void a_host_name(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://localhost:0", NULL);
  copal_address address = address_of(server);
  const char *ip = address.family == COPAL_FAMILY_IPV4 ? "127.0.0.1" : "::1";
  assert_reached(server, ip, ip);
  copal_close(server);
}

/* The seed's EndPoint(): an unbound socket, which the first transmission binds. */
static void nothing_is_bound_until_something_is_sent(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL), *client = open_endpoint(NULL, NULL);
  assert_int_equal(address_of(client).port, 0);
  copal_address remote = address_of(server);
  struct outcome outcome = {0};
  send_request(client, COPAL_CON, "hello", &remote, &outcome);
  assert_int_equal(copal_process(client, 0, NULL), 0);
  assert_int_not_equal(address_of(client).port, 0);
  assert_true(process_until(client, server, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_OK);
  copal_close(client);
  copal_close(server);
}

static void an_unbound_endpoint_reaches_both_families(void **state) {
  (void)state;
  require_ipv6();
  copal_endpoint *server = open_hello("coap://[::]:0", NULL), *client = open_endpoint(NULL, NULL);
  uint16_t port = address_of(server).port;
  copal_address ipv4 = make_address("127.0.0.1", port), ipv6 = make_address("::1", port);
  struct outcome outcome = {0};
  send_request(client, COPAL_CON, "hello", &ipv4, &outcome);
  send_request(client, COPAL_CON, "hello", &ipv6, &outcome);
  assert_true(process_until(client, server, &outcome, 2));
  assert_int_equal(outcome.code, COPAL_CONTENT);
  assert_int_equal(copal_endpoint_counters(client)->responses, 2);
  copal_close(client);
  copal_close(server);
}

static void several_endpoints_share_a_port_when_asked(void **state) {
  (void)state;
  copal_open_options options = quick_options(false);
  options.reuse_port = true;
  copal_endpoint *first = open_endpoint("coap://127.0.0.1:0", &options);
  char uri[64];
  snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", address_of(first).port);
  copal_endpoint *second = open_endpoint(uri, &options);
  assert_int_equal(address_of(second).port, address_of(first).port);
  copal_close(second);
  copal_close(first);
}

static void two_endpoints_meet(const char *first_uri, const char *second_uri) {
  copal_endpoint *server = open_hello(first_uri, NULL), *client = open_endpoint(second_uri, NULL);
  copal_address remote = make_unix(client, first_uri);
  struct outcome outcome = {0};
  send_request(client, COPAL_CON, "hello", &remote, &outcome);
  assert_true(process_until(client, server, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_OK);
  assert_int_equal(outcome.code, COPAL_CONTENT);
  copal_close(client);
  copal_close(server);
}

static void a_unix_socket_is_unlinked_at_close(void **state) {
  (void)state;
  char folder[] = "/tmp/copal-open-XXXXXX", path[64], uri[96];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/s", folder);
  snprintf(uri, sizeof uri, "coap+unix://%%2Ftmp%%2F%s%%2Fs", folder + 5);
  copal_endpoint *endpoint = open_endpoint(uri, NULL);
  struct stat status;
  assert_int_equal(stat(path, &status), 0);
  assert_true(S_ISSOCK(status.st_mode));
  copal_open_options options = quick_options(false);
  assert_refused(uri, &options, COPAL_ERR_BIND); /* and the socket of the first stays */
  assert_int_equal(stat(path, &status), 0);
  copal_close(endpoint);
  assert_int_equal(stat(path, &status), -1);
  two_endpoints_meet(uri, "coap+unix://%00");
  assert_int_equal(rmdir(folder), 0);
}

static void an_abstract_unix_socket(void **state) {
  (void)state;
  char uri[64];
  snprintf(uri, sizeof uri, "coap+unix://%%00copal-%ld", (long)getpid());
  two_endpoints_meet(uri, "coap+unix://%00");
}

static void the_system_chooses_a_unix_name(void **state) {
  (void)state;
  copal_endpoint *a = open_endpoint("coap+unix://%00", NULL), *b = open_endpoint("coap+unix://%00", NULL);
  char a_name[COPAL_ADDRESS_TEXT_MAX], b_name[COPAL_ADDRESS_TEXT_MAX];
  copal_address a_address = address_of(a), b_address = address_of(b);
  copal_address_text(a, &a_address, a_name, sizeof a_name);
  copal_address_text(b, &b_address, b_name, sizeof b_name);
  assert_memory_equal(a_name, "unix:@", 6);
  assert_string_not_equal(a_name, b_name);
  copal_close(a);
  copal_close(b);
}

static void a_socket_of_the_program(void **state) {
  (void)state;
  int fd = plain_socket("127.0.0.1");
  assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
  copal_open_options options = quick_options(false);
  copal_endpoint *endpoint = copal_open_fd(fd, &options);
  assert_non_null(endpoint);
  assert_int_equal(copal_socket(endpoint), fd);
  assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  copal_close(endpoint);
  assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed with the endpoint */
}

/* The seed's unit tests hand AF_UNIX sockets to their endpoints. One without a name gets one, or nobody could answer.
 */
static void a_unix_socket_of_the_program_gets_a_name(void **state) {
  (void)state;
  copal_endpoint *endpoint = copal_open_fd(socket(AF_UNIX, SOCK_DGRAM, 0), NULL);
  assert_non_null(endpoint);
  assert_int_equal(address_of(endpoint).family, COPAL_FAMILY_UNIX);
  copal_close(endpoint);
}

/* --- What cannot -------------------------------------------------------------------------------- */

static void what_is_no_address_to_bind_says_why(void **state) {
  (void)state;
  static const struct {
    const char *uri;
    copal_error error;
  } cases[] = {
      {"", COPAL_ERR_URI_SYNTAX},
      {"127.0.0.1", COPAL_ERR_URI_SYNTAX},
      {"http://127.0.0.1", COPAL_ERR_URI_SCHEME},
      {"coaps://127.0.0.1:0", COPAL_ERR_URI_SCHEME},
      {"coap+tcp://127.0.0.1:0", COPAL_ERR_URI_SCHEME},
      {"coap://", COPAL_ERR_URI_HOST},
      {"coap://127.0.0.1:65536", COPAL_ERR_URI_PORT},
      {"coap://127.0.0.1:0#a", COPAL_ERR_URI_FRAGMENT},
      {"coap://no-such-host.invalid:0", COPAL_ERR_RESOLVE},
      {"coap://[fe80::1%25nowhere0]:0", COPAL_ERR_INTERFACE},
      {"coap://192.0.2.1:0", COPAL_ERR_BIND},
      {"coap+unix://%2Fno%2Fsuch%2Ffolder%2Fsocket", COPAL_ERR_BIND},
      {"coap+unix://%2Ftmp%2Fa%00b", COPAL_ERR_URI_HOST},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_open_options options = quick_options(false);
    assert_refused(cases[i].uri, &options, cases[i].error);
    assert_null(copal_open(cases[i].uri, NULL));
  }
}

static void a_port_in_use_is_told(void **state) {
  (void)state;
  copal_endpoint *first = open_endpoint("coap://127.0.0.1:0", NULL);
  char uri[64];
  snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", address_of(first).port);
  copal_open_options options = quick_options(false);
  errno = 0;
  assert_refused(uri, &options, COPAL_ERR_BIND);
  copal_close(first);
  copal_endpoint *second = open_endpoint(uri, &options);
  copal_close(second);
}

static void errno_tells_more(void **state) {
  (void)state;
  copal_open_options options = quick_options(false);
  assert_null(copal_open("coap://192.0.2.1:0", &options));
  assert_int_equal(errno, EADDRNOTAVAIL);
  assert_null(copal_open("coap+unix://%2Fno%2Fsuch%2Ffolder%2Fsocket", &options));
  assert_int_equal(errno, ENOENT);
}

static void limits_that_contradict_are_refused(void **state) {
  (void)state;
  copal_open_options options = quick_options(false);
  options.config.message_size_max = 63;
  assert_refused(NULL, &options, COPAL_ERR_CONFIG);
  options = quick_options(false);
  options.config.outbox_max = 0;
  assert_refused(NULL, &options, COPAL_ERR_CONFIG);
  options = quick_options(false);
  options.config.parameters.nstart = 0;
  assert_refused(NULL, &options, COPAL_ERR_CONFIG);
  options = quick_options(false);
  options.batch = 0;
  assert_refused(NULL, &options, COPAL_ERR_CONFIG);
  options.batch = 257;
  assert_refused(NULL, &options, COPAL_ERR_CONFIG);
  options.batch = 256;
  copal_close(open_endpoint(NULL, &options));
  assert_int_equal(options.error, COPAL_OK);
}

static void what_is_no_datagram_socket_is_refused_and_stays_open(void **state) {
  (void)state;
  int fds[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_STREAM, 0), open("/dev/null", O_RDWR),
               socket(AF_NETLINK, SOCK_DGRAM, 0)};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; ++i) {
    copal_open_options options = quick_options(false);
    assert_true(fds[i] >= 0);
    unsigned before = count_descriptors();
    assert_null(copal_open_fd(fds[i], &options));
    assert_int_equal(options.error, COPAL_ERR_SOCKET);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(close(fds[i]), 0);
  }
  copal_open_options options = quick_options(false);
  assert_null(copal_open_fd(-1, &options));
  assert_int_equal(options.error, COPAL_ERR_SOCKET);
  assert_null(copal_open_fd(-1, NULL));
  assert_null(copal_open_fd(fds[0], &options)); /* closed by now */
  assert_int_equal(options.error, COPAL_ERR_SOCKET);
}

/* The wakeup's eventfd, the socket: each may be the one for which no descriptor is left. */
static void nothing_leaks_when_descriptors_run_out(void **state) {
  (void)state;
  struct rlimit before, few;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  int next = open("/dev/null", O_RDONLY);
  assert_true(next >= 0);
  close(next);
  for (unsigned free = 0; free < 2; ++free) {
    copal_open_options options = quick_options(false);
    few = before;
    few.rlim_cur = (rlim_t)next + free;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    copal_endpoint *endpoint = copal_open("coap://127.0.0.1:0", &options);
    int cause = errno;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_null(endpoint);
    assert_int_equal(options.error, COPAL_ERR_SOCKET);
    assert_int_equal(cause, EMFILE);
    int lowest = open("/dev/null", O_RDONLY);
    assert_int_equal(lowest, next);
    close(lowest);
  }
}

static void memory_that_is_not_there_is_told(void **state) {
  (void)state;
  struct rlimit before, none;
  assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
  none = before;
  none.rlim_cur = 1;
  copal_open_options options = quick_options(false);
  assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
  copal_endpoint *endpoint = copal_open(NULL, &options);
  assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
  assert_null(endpoint);
  assert_int_equal(options.error, COPAL_ERR_MEMORY);
}

/* --- Seed, end, and no endpoint at all -------------------------------------------------------------- */

static uint16_t first_message_id(const uint8_t *seed) {
  copal_open_options options = quick_options(false);
  options.seed = seed;
  copal_endpoint *endpoint = open_endpoint(NULL, &options);
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_GET);
  copal_address remote = make_address("127.0.0.1", 9);
  copal_tx tx;
  copal_tx_info info;
  assert_int_equal(copal_send(endpoint, &message, &remote, &tx), COPAL_OK);
  assert_int_equal(copal_tx_get(endpoint, tx, &info), COPAL_OK);
  copal_close(endpoint);
  return info.message_id;
}

static void the_seed_decides_and_without_one_it_is_random(void **state) {
  (void)state;
  static const uint8_t seed[32] = {1, 2, 3}, other[32] = {4};
  assert_int_equal(first_message_id(seed), first_message_id(seed));
  assert_int_not_equal(first_message_id(seed), first_message_id(other));
  uint16_t ids[4];
  for (size_t i = 0; i < 4; ++i) ids[i] = first_message_id(NULL);
  assert_false(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] == ids[3]);
}

static unsigned long pages_in_use(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return pages;
}

static void a_hundred_endpoints_leave_nothing_behind(void **state) {
  (void)state;
  static const char *const uris[] = {NULL, "coap://127.0.0.1:0", "coap+unix://%00", "coap://192.0.2.1:0"};
  unsigned descriptors = count_descriptors();
  unsigned long pages = pages_in_use();
  for (unsigned i = 0; i < 100; ++i) {
    copal_endpoint *endpoint = copal_open(uris[i % 4], NULL);
    assert_true((endpoint == NULL) == (i % 4 == 3));
    if (endpoint != NULL) assert_true(copal_process(endpoint, 0, NULL) == 0);
    copal_close(endpoint);
  }
  assert_int_equal(count_descriptors(), descriptors);
  /* One endpoint is 200 MiB; some pages are libc's. */
  assert_true(pages_in_use() < pages + (64u << 20) / (unsigned long)sysconf(_SC_PAGESIZE));
}

static void assert_not_hosted(copal_endpoint *endpoint) {
  copal_address address = make_address("127.0.0.1", 9);
  copal_message message;
  copal_rx rx;
  static copal_response response;
  uint8_t buffer[64];
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_process(endpoint, 0, &rx), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_run(endpoint), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_local_address(endpoint, &address), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_register(endpoint, 0), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_unregister(endpoint, 0), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_join(endpoint, "224.0.1.187", NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_multicast_interface(endpoint, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_exchange(endpoint, &message, &address, 0, &response), COPAL_ERR_NOT_HOSTED);
  int fds[COPAL_FDS_MAX];
  assert_int_equal(copal_fd(endpoint), -1);
  assert_int_equal(copal_fds(endpoint, fds), 0);
  assert_int_equal(copal_socket(endpoint), -1);
  assert_true(copal_timeout(endpoint) == COPAL_NEVER);
  copal_wake(endpoint);
  copal_stop(endpoint);
  copal_close(endpoint);
}

static void no_endpoint_and_a_bare_one_are_told_apart_from_hosted_ones(void **state) {
  (void)state;
  assert_not_hosted(NULL);
  copal_message message;
  uint8_t buffer[64];
  copal_address remote = make_address("127.0.0.1", 9);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_route(NULL, COPAL_GET, "/a", NULL, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_route_attributes(NULL, "/a", ""), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_send(NULL, &message, &remote, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_request_send(NULL, &message, &remote, COPAL_NEVER, note_outcome, NULL, NULL),
                   COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_ping_send(NULL, &remote, COPAL_NEVER, note_outcome, NULL, NULL), COPAL_ERR_NOT_HOSTED);

  copal_config config = copal_config_small();
  static const uint8_t seed[32];
  void *memory = calloc(1, copal_endpoint_size(&config));
  copal_endpoint *bare = copal_endpoint_init(memory, copal_endpoint_size(&config), &config, seed, 0);
  assert_non_null(bare);
  assert_not_hosted(bare);
  free(memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ipv4_address_and_a_free_port),
      cmocka_unit_test(all_ipv4_addresses),
      cmocka_unit_test(an_ipv6_address),
      cmocka_unit_test(all_addresses_of_both_families),
      cmocka_unit_test(a_host_name),
      cmocka_unit_test(nothing_is_bound_until_something_is_sent),
      cmocka_unit_test(an_unbound_endpoint_reaches_both_families),
      cmocka_unit_test(several_endpoints_share_a_port_when_asked),
      cmocka_unit_test(a_unix_socket_is_unlinked_at_close),
      cmocka_unit_test(an_abstract_unix_socket),
      cmocka_unit_test(the_system_chooses_a_unix_name),
      cmocka_unit_test(a_socket_of_the_program),
      cmocka_unit_test(a_unix_socket_of_the_program_gets_a_name),
      cmocka_unit_test(what_is_no_address_to_bind_says_why),
      cmocka_unit_test(a_port_in_use_is_told),
      cmocka_unit_test(errno_tells_more),
      cmocka_unit_test(limits_that_contradict_are_refused),
      cmocka_unit_test(what_is_no_datagram_socket_is_refused_and_stays_open),
      cmocka_unit_test(nothing_leaks_when_descriptors_run_out),
      cmocka_unit_test(memory_that_is_not_there_is_told),
      cmocka_unit_test(the_seed_decides_and_without_one_it_is_random),
      cmocka_unit_test(a_hundred_endpoints_leave_nothing_behind),
      cmocka_unit_test(no_endpoint_and_a_bare_one_are_told_apart_from_hosted_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
