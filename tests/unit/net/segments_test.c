/* Datagrams of one size to one peer are given to the kernel as one, and arrive as many; where it takes none such, they
 * go one by one. This program has a sendmmsg of its own in front of the system's, which counts, and fails where a test
 * says so. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit/net/loopback.h"

static unsigned messages_sent, refusals;
static int refusal; /* what a message of several datagrams meets; 0: nothing */

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  unsigned sound = 0;
  while (sound < count && (refusal == 0 || messages[sound].msg_hdr.msg_iovlen == 1)) ++sound;
  if (sound == 0) {
    ++refusals;
    errno = refusal;
    return -1;
  }
  int sent = (int)syscall(SYS_sendmmsg, fd, messages, sound, flags);
  if (sent > 0) messages_sent += (unsigned)sent;
  return sent;
}

static copal_endpoint *open_sender(bool segments) {
  copal_open_options options = quick_options(true);
  options.segments = segments;
  options.config.parameters.nstart = 200;
  options.config.parameters.probing_rate = 0;
  messages_sent = refusals = 0;
  refusal = 0;
  return open_endpoint("coap://127.0.0.1:0", &options);
}

/* A NON with a payload of that size, whose first byte is its number. */
static void send_sized(copal_endpoint *endpoint, const copal_address *to, uint8_t number, size_t size) {
  uint8_t buffer[256], payload[200] = {number};
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_POST);
  copal_message_set_payload(&message, payload, size);
  assert_int_equal(copal_send(endpoint, &message, to, NULL), COPAL_OK);
}

static void assert_arrives(int fd, uint8_t number, size_t size) {
  uint8_t bytes[4096];
  copal_view view;
  ssize_t received = plain_receive(fd, bytes, sizeof bytes, NULL);
  assert_true(received > 0);
  assert_int_equal(copal_decode(bytes, (size_t)received, &view), COPAL_OK);
  assert_int_equal(view.payload.size, size);
  assert_int_equal(view.payload.data[0], number);
}

static void process(copal_endpoint *endpoint) {
  copal_rx rx;
  assert_int_equal(copal_process(endpoint, 0, &rx), 0);
}

static void twenty_to_one_peer(copal_endpoint *endpoint, int peer) {
  copal_address to = plain_address(peer);
  for (uint8_t i = 0; i < 20; ++i) send_sized(endpoint, &to, i, 100);
  process(endpoint);
  for (uint8_t i = 0; i < 20; ++i) assert_arrives(peer, i, 100);
  assert_false(is_readable(peer));
}

static void datagrams_of_one_size_go_as_one_and_arrive_as_many(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_sender(true);
  int peer = plain_socket("127.0.0.1");
  twenty_to_one_peer(endpoint, peer);
  assert_int_equal(messages_sent, 1);
  close(peer);
  copal_close(endpoint);
}

static void without_segments_each_goes_alone(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_sender(false);
  int peer = plain_socket("127.0.0.1");
  twenty_to_one_peer(endpoint, peer);
  assert_int_equal(messages_sent, 20);
  close(peer);
  copal_close(endpoint);
}

/* Only the last may be shorter, a longer one begins anew, and three are too few. */
static void sizes_decide_what_goes_together(void **state) {
  (void)state;
  static const uint8_t sizes[] = {50, 50, 50, 50, 20, 60, 60, 60, 90, 80, 70, 40, 40, 40, 40};
  copal_endpoint *endpoint = open_sender(true);
  int peer = plain_socket("127.0.0.1");
  copal_address to = plain_address(peer);
  for (uint8_t i = 0; i < sizeof sizes; ++i) send_sized(endpoint, &to, i, sizes[i]);
  process(endpoint);
  for (uint8_t i = 0; i < sizeof sizes; ++i) assert_arrives(peer, i, sizes[i]);
  assert_int_equal(messages_sent, 1 + 3 + 3 + 1);
  close(peer);
  copal_close(endpoint);
}

static void peers_are_kept_apart(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_sender(true);
  int peers[2] = {plain_socket("127.0.0.1"), plain_socket("127.0.0.1")};
  for (uint8_t i = 0; i < 20; ++i) {
    copal_address to = plain_address(peers[i / 4 % 2]);
    send_sized(endpoint, &to, i, 100);
  }
  process(endpoint);
  for (uint8_t i = 0; i < 20; ++i) assert_arrives(peers[i / 4 % 2], i, 100);
  assert_int_equal(messages_sent, 5);
  for (int i = 0; i < 2; ++i) close(peers[i]);
  copal_close(endpoint);
}

/* A device without checksum offload, or an MTU below the segments' size. */
static void where_the_kernel_takes_no_segments_they_go_one_by_one(void **state) {
  (void)state;
  static const int errors[] = {EIO, EINVAL, EMSGSIZE, EOPNOTSUPP, EADDRNOTAVAIL};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i) {
    copal_endpoint *endpoint = open_sender(true);
    int peer = plain_socket("127.0.0.1");
    refusal = errors[i];
    twenty_to_one_peer(endpoint, peer);
    twenty_to_one_peer(endpoint, peer);
    assert_int_equal(messages_sent, 40);
    assert_int_equal(refusals, 1);
    close(peer);
    copal_close(endpoint);
  }
}

/* Our own buffer is full: all of them are lost, as on the wire, and segments stay. */
static void what_finds_no_buffer_is_lost_together(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_sender(true);
  int peer = plain_socket("127.0.0.1");
  copal_address to = plain_address(peer);
  refusal = ENOBUFS;
  for (uint8_t i = 0; i < 20; ++i) send_sized(endpoint, &to, i, 100);
  process(endpoint);
  assert_false(is_readable(peer));
  refusal = 0;
  twenty_to_one_peer(endpoint, peer);
  assert_int_equal(messages_sent, 1);
  close(peer);
  copal_close(endpoint);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(datagrams_of_one_size_go_as_one_and_arrive_as_many),
      cmocka_unit_test(without_segments_each_goes_alone),
      cmocka_unit_test(sizes_decide_what_goes_together),
      cmocka_unit_test(peers_are_kept_apart),
      cmocka_unit_test(where_the_kernel_takes_no_segments_they_go_one_by_one),
      cmocka_unit_test(what_finds_no_buffer_is_lost_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
