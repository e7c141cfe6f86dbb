/* Passes: what one does, how long it waits, what ends it, and what somebody else's event loop is told. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "unit/net/loopback.h"

/* A raw endpoint that sends again after 10 ms, without chance. */
static copal_endpoint *open_hasty(const char *uri) {
  copal_open_options options = quick_options(true);
  options.config.parameters.ack_timeout = 10 * COPAL_MILLISECOND;
  options.config.parameters.ack_random_permille = 1000;
  options.config.parameters.max_retransmit = 2;
  return open_endpoint(uri, &options);
}

static copal_tx send_get(copal_endpoint *endpoint, copal_type type, const copal_address *remote) {
  uint8_t buffer[64];
  copal_message message;
  copal_tx tx;
  copal_message_init(&message, buffer, sizeof buffer, type, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  assert_int_equal(copal_send(endpoint, &message, remote, &tx), COPAL_OK);
  copal_message_set_code(&message, COPAL_PUT);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "later");
  assert_int_equal(message.error, COPAL_OK);
  return tx;
}

static copal_tx_info info_of(const copal_endpoint *endpoint, copal_tx tx) {
  copal_tx_info info;
  assert_int_equal(copal_tx_get(endpoint, tx, &info), COPAL_OK);
  return info;
}

/* --- One pass ----------------------------------------------------------------------------------- */

/* The seed: "nothing is transmitted outside of process"; a message is packed when it is sent, not when it leaves. */
static void process_0_sends_what_is_due_as_it_was_when_it_was_queued(void **state) {
  (void)state;
  copal_endpoint *client = open_hasty("coap://127.0.0.1:0");
  int peer = plain_socket("127.0.0.1");
  copal_address remote = plain_address(peer);
  uint8_t bytes[128];
  copal_view view;
  send_get(client, COPAL_NON, &remote);
  assert_false(is_readable(peer));
  copal_rx rx;
  assert_int_equal(copal_process(client, 0, &rx), 0);
  ssize_t size = plain_receive(peer, bytes, sizeof bytes, NULL);
  assert_true(size > 0);
  assert_int_equal(copal_decode(bytes, (size_t)size, &view), COPAL_OK);
  assert_int_equal(view.code, COPAL_GET);
  copal_option option;
  assert_true(copal_option_index(&view, 0, &option));
  assert_memory_equal(option.value, "a", 1);
  assert_false(copal_option_index(&view, 1, &option));
  copal_close(client);
  close(peer);
}

static void process_0_polls_once(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_hasty("coap://127.0.0.1:0");
  int peer = plain_socket("127.0.0.1");
  copal_address to = address_of(endpoint);
  uint8_t request[64];
  copal_rx rx;
  assert_int_equal(copal_process(endpoint, 0, &rx), 0);
  plain_send(peer, &to, request, make_request(request, COPAL_CON, 77, "a"));
  assert_int_equal(copal_process(endpoint, 0, &rx), 1);
  assert_int_equal(rx.message.message_id, 77);
  assert_true(rx.endpoint == endpoint);
  assert_int_equal(copal_process(endpoint, 0, &rx), 0);
  copal_close(endpoint);
  close(peer);
}

static int compare_times(const void *a, const void *b) {
  copal_time left = *(const copal_time *)a, right = *(const copal_time *)b;
  return left < right ? -1 : left > right;
}

static void a_wait_is_never_shorter_than_asked_and_may_be_shorter_than_a_millisecond(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  copal_time waits[21];
  for (size_t i = 0; i < 21; ++i) {
    copal_time before = copal_now();
    assert_int_equal(copal_process(endpoint, 300 * COPAL_MICROSECOND, NULL), 0);
    waits[i] = copal_now() - before;
    assert_true(waits[i] >= 300 * COPAL_MICROSECOND);
  }
  qsort(waits, 21, sizeof *waits, compare_times);
  assert_true(waits[10] < 100 * COPAL_MILLISECOND);
  print_message("asked to wait 300 us, the median is %u us\n", (unsigned)(waits[10] / COPAL_MICROSECOND));
  copal_time before = copal_now();
  assert_int_equal(copal_process(endpoint, 30 * COPAL_MILLISECOND, NULL), 0);
  assert_true(copal_now() - before >= 30 * COPAL_MILLISECOND);
  copal_close(endpoint);
}

/* --- A transmission's times (coapy: transmission_time, last_event_time, next_event_time, packed) -------- */

struct sightings {
  unsigned count;
  copal_time times[8];
  uint8_t bytes[8][64];
  size_t sizes[8];
};

static void note_sent(const copal_trace *trace, void *context) {
  struct sightings *sightings = context;
  if (trace->kind != COPAL_TRACE_SENT || sightings->count == 8) return;
  sightings->times[sightings->count] = trace->time;
  sightings->sizes[sightings->count] = trace->datagram.size;
  memcpy(sightings->bytes[sightings->count++], trace->datagram.data, trace->datagram.size);
}

static void retransmissions_come_not_before_their_time_and_are_the_same_octets(void **state) {
  (void)state;
  /* The first timeout that this seed draws is near ACK_TIMEOUT: late passes leave the last one within the span. */
  static const uint8_t seed[32] = {2};
  struct sightings sent = {0};
  copal_open_options options = quick_options(true);
  options.config.parameters.ack_timeout = 30 * COPAL_MILLISECOND;
  options.config.parameters.ack_random_permille = 4000;
  options.config.parameters.max_retransmit = 2;
  options.seed = seed;
  options.trace = note_sent;
  options.trace_context = &sent;
  copal_endpoint *client = open_endpoint("coap://127.0.0.1:0", &options);
  int peer = plain_socket("127.0.0.1");
  copal_address remote = plain_address(peer);
  copal_tx tx = send_get(client, COPAL_CON, &remote);

  copal_tx_info info = info_of(client, tx);
  assert_true(info.transmission_time == COPAL_NEVER && info.last_event_time == COPAL_NEVER);
  assert_true(info.next_event_time <= copal_now());
  assert_int_equal(info.transmissions_left, 3);

  copal_rx rx;
  assert_int_equal(copal_process(client, 0, &rx), 0);
  info = info_of(client, tx);
  copal_time first = info.transmission_time, timeout = info.next_event_time - first;
  assert_true(info.last_event_time == first);
  assert_true(timeout >= 30 * COPAL_MILLISECOND && timeout < 60 * COPAL_MILLISECOND);
  assert_int_equal(info.packed.size, sent.sizes[0]);
  assert_memory_equal(info.packed.data, sent.bytes[0], sent.sizes[0]);

  while (info_of(client, tx).state != COPAL_TX_UNACKNOWLEDGED)
    assert_int_equal(copal_process(client, 5 * COPAL_MILLISECOND, &rx), 0);
  info = info_of(client, tx);
  assert_int_equal(sent.count, 3);
  assert_true(info.transmission_time == first && sent.times[0] == first);
  assert_true(info.last_event_time == sent.times[2]);
  assert_true(info.next_event_time == COPAL_NEVER);
  assert_true(info.is_unacknowledged);
  assert_true(sent.times[1] - sent.times[0] >= timeout);
  assert_true(sent.times[2] - sent.times[0] >= 3 * timeout);
  assert_true(copal_now() - sent.times[0] >= 7 * timeout);
  assert_true(sent.times[2] - sent.times[0] < PATIENCE);
  for (unsigned i = 1; i < 3; ++i) {
    assert_int_equal(sent.sizes[i], sent.sizes[0]);
    assert_memory_equal(sent.bytes[i], sent.bytes[0], sent.sizes[0]);
  }
  copal_close(client);
  close(peer);
}

static void a_back_off_of_10_ms_is_never_shorter(void **state) {
  (void)state;
  struct sightings sent = {0};
  copal_time waits[9];
  copal_open_options options = quick_options(true);
  options.config.parameters.ack_timeout = 10 * COPAL_MILLISECOND;
  options.config.parameters.ack_random_permille = 1000;
  options.trace = note_sent;
  options.trace_context = &sent;
  copal_endpoint *client = open_endpoint("coap://127.0.0.1:0", &options);
  int peer = plain_socket("127.0.0.1");
  copal_address remote = plain_address(peer);
  for (size_t i = 0; i < 9; ++i) {
    sent.count = 0;
    copal_tx tx = send_get(client, COPAL_CON, &remote);
    copal_rx rx;
    while (sent.count < 2) assert_int_equal(copal_process(client, COPAL_MILLISECOND, &rx), 0);
    waits[i] = sent.times[1] - sent.times[0];
    assert_true(waits[i] >= 10 * COPAL_MILLISECOND);
    assert_int_equal(copal_cancel(client, tx), COPAL_OK);
  }
  qsort(waits, 9, sizeof *waits, compare_times);
  assert_true(waits[4] < 200 * COPAL_MILLISECOND);
  print_message("sent again after 10 ms, the median is %u us\n", (unsigned)(waits[4] / COPAL_MICROSECOND));
  copal_close(client);
  close(peer);
}

static void a_reply_ends_the_waiting(void **state) {
  (void)state;
  copal_endpoint *client = open_hasty("coap://127.0.0.1:0"), *peer = open_hasty("coap://127.0.0.1:0");
  copal_address remote = address_of(peer);
  copal_tx tx = send_get(client, COPAL_CON, &remote);
  copal_rx rx;
  assert_int_equal(copal_process(client, 0, &rx), 0);
  assert_int_equal(copal_process(peer, PATIENCE, &rx), 1);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  assert_int_equal(copal_process(peer, 0, &rx), 0);
  assert_int_equal(copal_process(client, PATIENCE, &rx), 1);
  assert_true(copal_same_tx(rx.pertains_to, tx));
  copal_tx_info info = info_of(client, tx);
  assert_true(info.next_event_time == COPAL_NEVER);
  assert_true(info.last_event_time >= info.transmission_time && info.last_event_time != COPAL_NEVER);
  assert_int_equal(info.response_type, COPAL_ACK);
  assert_int_equal(info.transmissions_left, 0);
  assert_false(info.is_unacknowledged);
  copal_close(client);
  copal_close(peer);
}

/* --- What ends a wait early ----------------------------------------------------------------------- */

static copal_endpoint *signalled; /* what the signal handlers below are about */

static void wake_in_handler(int number) {
  (void)number;
  copal_wake(signalled);
}

static void stop_in_handler(int number) {
  (void)number;
  copal_stop(signalled);
}

static void do_nothing(int number) { (void)number; }

/* Lets SIGALRM come again and again, for a single one might come before the wait begins. */
static void raise_alarms(void (*handler)(int), copal_endpoint *endpoint) {
  struct sigaction action = {.sa_handler = handler};
  struct itimerval interval = {{0, 20000}, {0, 20000}};
  signalled = endpoint;
  assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
  assert_int_equal(setitimer(ITIMER_REAL, &interval, NULL), 0);
}

static void silence_alarms(void) {
  struct itimerval none = {{0, 0}, {0, 0}};
  assert_int_equal(setitimer(ITIMER_REAL, &none, NULL), 0);
}

static void *wake_from_thread(void *endpoint) {
  usleep(20000);
  copal_wake(endpoint);
  return NULL;
}

static void *stop_from_thread(void *endpoint) {
  usleep(20000);
  copal_stop(endpoint);
  return NULL;
}

static void another_thread_wakes_a_wait_without_limit(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, wake_from_thread, endpoint), 0);
  assert_int_equal(copal_process(endpoint, COPAL_NEVER, NULL), COPAL_ERR_INTERRUPTED);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(copal_process(endpoint, 0, NULL), 0);
  copal_close(endpoint);
}

static void a_signal_handler_wakes_a_wait_without_limit(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  raise_alarms(wake_in_handler, endpoint);
  assert_int_equal(copal_process(endpoint, COPAL_NEVER, NULL), COPAL_ERR_INTERRUPTED);
  silence_alarms();
  copal_close(endpoint);
}

static void a_signal_alone_does_too(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  raise_alarms(do_nothing, NULL);
  assert_int_equal(copal_process(endpoint, COPAL_NEVER, NULL), COPAL_ERR_INTERRUPTED);
  silence_alarms();
  copal_close(endpoint);
}

static void waking_leaves_errno_alone(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  errno = ENOTTY;
  copal_wake(endpoint);
  assert_int_equal(errno, ENOTTY);
  copal_close(endpoint);
}

static void a_wake_before_process_is_not_lost_and_two_are_one(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  copal_wake(endpoint);
  copal_wake(endpoint);
  assert_int_equal(copal_process(endpoint, COPAL_NEVER, NULL), COPAL_ERR_INTERRUPTED);
  assert_int_equal(copal_process(endpoint, 0, NULL), 0);
  copal_wake(endpoint);
  assert_int_equal(copal_process(endpoint, 0, NULL), COPAL_ERR_INTERRUPTED);
  copal_close(endpoint);
}

static void a_wake_beside_a_message_is_not_lost(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_hasty("coap://127.0.0.1:0");
  int peer = plain_socket("127.0.0.1");
  copal_address to = address_of(endpoint);
  uint8_t request[64];
  copal_rx rx;
  plain_send(peer, &to, request, make_request(request, COPAL_NON, 1, "a"));
  plain_send(peer, &to, request, make_request(request, COPAL_NON, 2, "a"));
  copal_wake(endpoint);
  assert_int_equal(copal_process(endpoint, 0, &rx), 1);
  assert_true(copal_timeout(endpoint) == 0);
  assert_int_equal(copal_process(endpoint, 0, &rx), 1);
  assert_true(copal_timeout(endpoint) == 0);
  assert_int_equal(copal_process(endpoint, COPAL_NEVER, &rx), COPAL_ERR_INTERRUPTED);
  assert_true(copal_timeout(endpoint) == COPAL_NEVER);
  copal_close(endpoint);
  close(peer);
}

/* --- Serving until told to stop --------------------------------------------------------------------- */

static void another_thread_stops_run(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  for (int i = 0; i < 2; ++i) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_from_thread, endpoint), 0);
    assert_int_equal(copal_run(endpoint), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  copal_close(endpoint);
}

static void a_signal_handler_stops_run(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  raise_alarms(stop_in_handler, endpoint);
  assert_int_equal(copal_run(endpoint), 0);
  silence_alarms();
  copal_close(endpoint);
}

static void a_stop_before_run_is_not_lost(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", NULL);
  copal_stop(endpoint);
  assert_int_equal(copal_run(endpoint), 0);
  copal_close(endpoint);
}

static void run_serves_and_a_wake_does_not_end_it(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL), *client = open_endpoint(NULL, NULL);
  copal_address remote = address_of(server);
  struct outcome outcome = {0};
  copal_wake(server);
  send_request(client, COPAL_CON, "hello", &remote, &outcome);
  assert_int_equal(copal_process(client, 0, NULL), 0);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, stop_from_thread, server), 0);
  assert_int_equal(copal_run(server), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(process_until(client, NULL, &outcome, 1));
  assert_int_equal(outcome.code, COPAL_CONTENT);
  copal_close(client);
  copal_close(server);
}

/* --- Somebody else's event loop ----------------------------------------------------------------------- */

static void the_descriptor_is_readable_exactly_when_there_is_something(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int fd = copal_fd(server), second = plain_socket("127.0.0.2"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address to[] = {address_of(server), plain_address(second)};
  uint8_t request[64];
  for (uint16_t i = 0; i < 4; ++i) {
    assert_false(is_readable(fd));
    plain_send(client, &to[i % 2], request, make_request(request, COPAL_CON, i, "hello"));
    assert_true(is_readable(fd));
    assert_int_equal(copal_process(server, 0, NULL), 0);
    assert_true(is_readable(client));
    assert_true(plain_receive(client, request, sizeof request, NULL) > 0);
  }
  assert_false(is_readable(fd));
  copal_wake(server);
  assert_true(is_readable(fd));
  assert_int_equal(copal_process(server, 0, NULL), COPAL_ERR_INTERRUPTED);
  assert_false(is_readable(fd));
  copal_close(server);
  close(second);
  close(client);
}

static unsigned count_readable(const copal_endpoint *endpoint) {
  int fds[COPAL_FDS_MAX];
  unsigned readable = 0;
  for (size_t i = copal_fds(endpoint, fds); i-- > 0;) readable += is_readable(fds[i]);
  return readable;
}

static void so_are_the_descriptors_that_a_loop_polls_itself(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  int second = plain_socket("127.0.0.2"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address to[] = {address_of(server), plain_address(second)};
  uint8_t request[64];
  assert_int_equal(count_readable(server), 0);
  for (uint16_t i = 0; i < 2; ++i) plain_send(client, &to[i], request, make_request(request, COPAL_CON, i, "hello"));
  assert_int_equal(count_readable(server), 2);
  copal_wake(server);
  assert_int_equal(count_readable(server), 3);
  assert_int_equal(copal_process(server, 0, NULL), COPAL_ERR_INTERRUPTED);
  assert_int_equal(count_readable(server), 0);
  assert_int_equal(copal_endpoint_counters(server)->requests, 2);
  copal_close(server);
  close(second);
  close(client);
}

static void an_icmp_error_makes_the_descriptor_readable_too(void **state) {
  (void)state;
  copal_endpoint *client = open_hasty("coap://127.0.0.1:0");
  copal_address nobody = closed_address("127.0.0.1");
  copal_tx tx = send_get(client, COPAL_CON, &nobody);
  copal_rx rx;
  while (info_of(client, tx).state < COPAL_TX_UNACKNOWLEDGED) {
    assert_true(is_readable(copal_fd(client)) || copal_timeout(client) != COPAL_NEVER);
    assert_int_equal(copal_process(client, 0, &rx), 0);
  }
  assert_int_equal(info_of(client, tx).state, COPAL_TX_UNREACHED);
  assert_int_equal(copal_process(client, 0, &rx), 0);
  assert_false(is_readable(copal_fd(client)));
  copal_close(client);
}

static void the_timeout_agrees_with_the_deadline(void **state) {
  (void)state;
  copal_endpoint *client = open_hasty("coap://127.0.0.1:0");
  int peer = plain_socket("127.0.0.1");
  copal_address remote = plain_address(peer);
  copal_rx rx;
  assert_true(copal_timeout(client) == COPAL_NEVER);
  send_get(client, COPAL_CON, &remote);
  assert_true(copal_timeout(client) == 0);
  assert_int_equal(copal_process(client, 0, &rx), 0);
  copal_time deadline = copal_endpoint_deadline(client), before = copal_now(), timeout = copal_timeout(client);
  copal_time after = copal_now();
  assert_true(deadline != COPAL_NEVER);
  if (timeout == 0)
    assert_true(deadline <= after);
  else
    assert_true(before + timeout <= deadline && after + timeout >= deadline);
  copal_close(client);
  close(peer);
}

static void messages_that_wait_in_memory_make_the_timeout_0(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_hasty("coap://127.0.0.1:0");
  int peer = plain_socket("127.0.0.1");
  copal_address to = address_of(endpoint);
  uint8_t request[64];
  copal_rx rx;
  for (uint16_t i = 0; i < 3; ++i) plain_send(peer, &to, request, make_request(request, COPAL_NON, i, "a"));
  for (uint16_t i = 0; i < 3; ++i) {
    assert_true(is_readable(copal_fd(endpoint)) || copal_timeout(endpoint) == 0);
    assert_int_equal(copal_process(endpoint, 0, &rx), 1);
    assert_int_equal(rx.message.message_id, i);
  }
  assert_false(is_readable(copal_fd(endpoint)));
  assert_true(copal_timeout(endpoint) == COPAL_NEVER);
  copal_close(endpoint);
  close(peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(process_0_sends_what_is_due_as_it_was_when_it_was_queued),
      cmocka_unit_test(process_0_polls_once),
      cmocka_unit_test(a_wait_is_never_shorter_than_asked_and_may_be_shorter_than_a_millisecond),
      cmocka_unit_test(retransmissions_come_not_before_their_time_and_are_the_same_octets),
      cmocka_unit_test(a_back_off_of_10_ms_is_never_shorter),
      cmocka_unit_test(a_reply_ends_the_waiting),
      cmocka_unit_test(another_thread_wakes_a_wait_without_limit),
      cmocka_unit_test(a_signal_handler_wakes_a_wait_without_limit),
      cmocka_unit_test(a_signal_alone_does_too),
      cmocka_unit_test(waking_leaves_errno_alone),
      cmocka_unit_test(a_wake_before_process_is_not_lost_and_two_are_one),
      cmocka_unit_test(a_wake_beside_a_message_is_not_lost),
      cmocka_unit_test(another_thread_stops_run),
      cmocka_unit_test(a_signal_handler_stops_run),
      cmocka_unit_test(a_stop_before_run_is_not_lost),
      cmocka_unit_test(run_serves_and_a_wake_does_not_end_it),
      cmocka_unit_test(the_descriptor_is_readable_exactly_when_there_is_something),
      cmocka_unit_test(so_are_the_descriptors_that_a_loop_polls_itself),
      cmocka_unit_test(an_icmp_error_makes_the_descriptor_readable_too),
      cmocka_unit_test(the_timeout_agrees_with_the_deadline),
      cmocka_unit_test(messages_that_wait_in_memory_make_the_timeout_0),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
