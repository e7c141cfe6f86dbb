/* System calls that fail in the middle of a batch: the exchange concerned ends or waits, the others go on. This program
 * has a sendmmsg of its own in front of the system's, which fails where a test says so. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit/net/loopback.h"

enum { PEERS = 5 };

/* The message for `port` meets these errors, one after the other, before it may go. */
static struct {
  uint16_t port;
  unsigned count, done;
  int errors[16];
} faults;

/* A message with a source address is refused for good, as after its address has left the machine. */
static bool refuse_sources;
static unsigned calls;

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

static int fault_of(const struct mmsghdr *message) {
  const struct sockaddr_in *to = message->msg_hdr.msg_name;
  if (refuse_sources && message->msg_hdr.msg_controllen != 0) return EINVAL;
  if (ntohs(to->sin_port) != faults.port || faults.done == faults.count) return 0;
  return faults.errors[faults.done];
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  ++calls;
  int error = fault_of(&messages[0]);
  if (error != 0) {
    if (!refuse_sources) ++faults.done;
    errno = error;
    return -1;
  }
  unsigned sound = 1;
  while (sound < count && fault_of(&messages[sound]) == 0) ++sound;
  return (int)syscall(SYS_sendmmsg, fd, messages, sound, flags);
}

struct scene {
  copal_endpoint *client;
  int peers[PEERS];
  copal_tx sent[PEERS];
};

/* One message to each of five peers, in one batch, that to the third meets errors. */
static void send_to_all(struct scene *scene, const int *errors, unsigned count) {
  copal_open_options options = quick_options(true);
  options.config.parameters.ack_timeout = 20 * COPAL_MILLISECOND;
  scene->client = open_endpoint("coap://127.0.0.1:0", &options);
  for (size_t i = 0; i < PEERS; ++i) {
    uint8_t buffer[64];
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    scene->peers[i] = plain_socket("127.0.0.1");
    copal_address remote = plain_address(scene->peers[i]);
    assert_int_equal(copal_send(scene->client, &message, &remote, &scene->sent[i]), COPAL_OK);
  }
  memset(&faults, 0, sizeof faults);
  faults.port = plain_address(scene->peers[2]).port;
  faults.count = count;
  memcpy(faults.errors, errors, count * sizeof *errors);
  calls = 0;
  copal_rx rx;
  assert_int_equal(copal_process(scene->client, 0, &rx), 0);
  for (size_t i = 0; i < PEERS; ++i)
    if (i != 2) assert_true(is_readable(scene->peers[i]));
}

static uint8_t state_of_third(const struct scene *scene) {
  copal_tx_info info;
  for (size_t i = 0; i < PEERS; ++i) {
    assert_int_equal(copal_tx_get(scene->client, scene->sent[i], &info), COPAL_OK);
    if (i != 2) assert_int_equal(info.state, COPAL_TX_WAITING);
  }
  assert_int_equal(copal_tx_get(scene->client, scene->sent[2], &info), COPAL_OK);
  return info.state;
}

static void leave(struct scene *scene) {
  for (size_t i = 0; i < PEERS; ++i) close(scene->peers[i]);
  copal_close(scene->client);
}

/* T60 */
static void what_cannot_be_sent_ends_alone(void **state) {
  (void)state;
  static const int errors[] = {EMSGSIZE, EACCES, EPERM, EINVAL, EADDRNOTAVAIL, EAFNOSUPPORT};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i) {
    struct scene scene;
    send_to_all(&scene, &errors[i], 1);
    assert_int_equal(state_of_third(&scene), COPAL_TX_UNREACHED);
    assert_false(is_readable(scene.peers[2]));
    assert_int_equal(calls, 3);
    leave(&scene);
  }
}

/* T60: as if the wire had lost it. */
static void what_finds_no_buffer_is_left_to_its_retransmission(void **state) {
  (void)state;
  struct scene scene;
  send_to_all(&scene, (int[]){ENOBUFS}, 1);
  assert_int_equal(state_of_third(&scene), COPAL_TX_WAITING);
  assert_false(is_readable(scene.peers[2]));
  copal_time end = copal_now() + PATIENCE;
  copal_rx rx;
  while (!is_readable(scene.peers[2]) && copal_now() < end)
    assert_int_equal(copal_process(scene.client, 5 * COPAL_MILLISECOND, &rx), 0);
  assert_true(is_readable(scene.peers[2]));
  leave(&scene);
}

/* T60 */
static void a_full_buffer_of_our_own_is_waited_for(void **state) {
  (void)state;
  struct scene scene;
  send_to_all(&scene, (int[]){EAGAIN, EAGAIN}, 2);
  assert_int_equal(state_of_third(&scene), COPAL_TX_WAITING);
  assert_true(is_readable(scene.peers[2]));
  leave(&scene);
}

static void an_interrupted_call_is_made_again(void **state) {
  (void)state;
  struct scene scene;
  send_to_all(&scene, (int[]){EINTR, EINTR, EINTR}, 3);
  assert_int_equal(state_of_third(&scene), COPAL_TX_WAITING);
  assert_true(is_readable(scene.peers[2]));
  leave(&scene);
}

/* The kernel reports ICMP errors of earlier datagrams by the next call, whatever that is about. */
static void errors_about_others_do_not_end_it(void **state) {
  (void)state;
  struct scene scene;
  send_to_all(&scene, (int[]){ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPROTO}, 4);
  assert_int_equal(state_of_third(&scene), COPAL_TX_WAITING);
  assert_true(is_readable(scene.peers[2]));
  leave(&scene);
}

static void a_network_that_stays_unreachable_ends_it(void **state) {
  (void)state;
  int errors[16];
  for (size_t i = 0; i < 16; ++i) errors[i] = ENETUNREACH;
  struct scene scene;
  send_to_all(&scene, errors, 16);
  assert_int_equal(state_of_third(&scene), COPAL_TX_UNREACHED);
  assert_true(calls < 16);
  leave(&scene);
}

/* RFC 7252 5.3.2 asks for the address that the request went to; when it has left the machine, any other may do. */
static void a_reply_whose_source_is_gone_leaves_from_another(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://0.0.0.0:0", NULL);
  int client = plain_socket("127.0.0.1");
  uint8_t bytes[64];
  copal_address to = make_address("127.0.0.2", address_of(server).port), from;
  memset(&faults, 0, sizeof faults);
  refuse_sources = true;
  plain_send(client, &to, bytes, make_request(bytes, COPAL_CON, 1, "hello"));
  assert_int_equal(copal_process(server, 0, NULL), 0);
  refuse_sources = false;
  assert_true(plain_receive(client, bytes, sizeof bytes, &from) > 0);
  copal_address other = make_address("127.0.0.1", to.port);
  assert_true(copal_address_equal(&from, &other));
  close(client);
  copal_close(server);
}

static void cancel_the_others(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                              void *context) {
  struct scene *scene = context;
  (void)request;
  (void)rx;
  assert_int_equal(error, COPAL_ERR_UNREACHABLE);
  uint8_t buffer[64];
  copal_message message;
  for (size_t i = 0; i < PEERS; ++i)
    if (i != 2) assert_int_equal(copal_cancel(endpoint, scene->sent[i]), COPAL_OK);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_DELETE);
  copal_address remote = plain_address(scene->peers[2]);
  for (size_t i = 0; i < PEERS; ++i) assert_int_equal(copal_send(endpoint, &message, &remote, NULL), COPAL_OK);
}

/* A handler that hears of one failure may cancel what the rest of the batch consists of, and have its place used anew.
 */
static void a_handler_that_cancels_the_rest_of_a_batch_does_not_change_its_bytes(void **state) {
  (void)state;
  struct scene scene = {.client = open_endpoint("coap://127.0.0.1:0", NULL)};
  for (size_t i = 0; i < PEERS; ++i) {
    uint8_t buffer[64];
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    scene.peers[i] = plain_socket("127.0.0.1");
    copal_address remote = plain_address(scene.peers[i]);
    assert_int_equal(
        copal_request_send(scene.client, &message, &remote, COPAL_NEVER, cancel_the_others, &scene, &scene.sent[i]),
        COPAL_OK);
  }
  memset(&faults, 0, sizeof faults);
  faults.port = plain_address(scene.peers[2]).port;
  faults.count = 1;
  faults.errors[0] = EMSGSIZE;
  assert_int_equal(copal_process(scene.client, 0, NULL), 0);
  for (size_t i = 0; i < PEERS; ++i) {
    uint8_t bytes[64];
    if (i == 2) continue;
    assert_int_equal(plain_receive(scene.peers[i], bytes, sizeof bytes, NULL), 12);
    assert_int_equal(bytes[1], COPAL_GET);
  }
  leave(&scene);
}

static void a_path_through_a_socket_that_is_not_there_is_unreachable(void **state) {
  (void)state;
  static const uint32_t sockets[] = {1, 15, 16, 255};
  copal_open_options options = quick_options(true);
  copal_endpoint *client = open_endpoint("coap://127.0.0.1:0", &options);
  for (size_t i = 0; i < sizeof sockets / sizeof *sockets; ++i) {
    uint8_t buffer[64];
    copal_message message;
    copal_tx tx;
    copal_tx_info info;
    copal_rx rx;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    copal_path path = {.remote = make_address("127.0.0.1", 9), .socket = sockets[i]};
    assert_int_equal(copal_send_path(client, &message, &path, &tx), COPAL_OK);
    assert_int_equal(copal_process(client, 0, &rx), 0);
    assert_int_equal(copal_tx_get(client, tx, &info), COPAL_OK);
    assert_int_equal(info.state, COPAL_TX_UNREACHED);
  }
  copal_close(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_cannot_be_sent_ends_alone),
      cmocka_unit_test(what_finds_no_buffer_is_left_to_its_retransmission),
      cmocka_unit_test(a_full_buffer_of_our_own_is_waited_for),
      cmocka_unit_test(an_interrupted_call_is_made_again),
      cmocka_unit_test(errors_about_others_do_not_end_it),
      cmocka_unit_test(a_network_that_stays_unreachable_ends_it),
      cmocka_unit_test(a_reply_whose_source_is_gone_leaves_from_another),
      cmocka_unit_test(a_handler_that_cancels_the_rest_of_a_batch_does_not_change_its_bytes),
      cmocka_unit_test(a_path_through_a_socket_that_is_not_there_is_unreachable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
