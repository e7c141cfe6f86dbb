/* Datagrams: batches, traces, sizes, and the AF_UNIX sockets that the same code serves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/net/loopback.h"

/* Room for what a test lets wait in a socket. */
static void enlarge(int fd) {
  int size = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* --- Batches -------------------------------------------------------------------------------------- */

static unsigned passes_for_200(uint32_t batch, uint32_t outbox_max) {
  copal_open_options options = quick_options(false);
  options.batch = batch;
  options.config.outbox_max = outbox_max;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", &options);
  enlarge(copal_socket(server));
  int client = plain_socket("127.0.0.1");
  copal_address to = address_of(server);
  uint8_t bytes[64];
  for (uint16_t i = 0; i < 200; ++i) plain_send(client, &to, bytes, make_request(bytes, COPAL_CON, i, "hello"));
  unsigned passes = 0;
  while (copal_endpoint_counters(server)->requests < 200) {
    assert_int_equal(copal_process(server, 0, NULL), 0);
    assert_true(++passes <= 200);
  }
  for (uint16_t i = 0; i < 200; ++i) {
    copal_view view;
    ssize_t size = plain_receive(client, bytes, sizeof bytes, NULL);
    assert_true(size > 0);
    assert_int_equal(copal_decode(bytes, (size_t)size, &view), COPAL_OK);
    assert_int_equal(view.message_id, i);
    assert_int_equal(view.code, COPAL_CONTENT);
  }
  assert_int_equal(copal_endpoint_counters(server)->outbox_full, 0);
  close(client);
  copal_close(server);
  return passes;
}

static void two_hundred_datagrams_take_few_passes(void **state) {
  (void)state;
  assert_int_equal(passes_for_200(256, 1024), 1);
  assert_int_equal(passes_for_200(32, 1024), 7);
  assert_int_equal(passes_for_200(1, 1024), 200);
}

static void no_more_comes_in_at_once_than_the_outbox_answers(void **state) {
  (void)state;
  assert_int_equal(passes_for_200(32, 32), 7);
  assert_int_equal(passes_for_200(32, 4), 50);
}

static void a_raw_endpoint_hands_out_every_one_in_order(void **state) {
  (void)state;
  copal_open_options options = quick_options(true);
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", &options);
  enlarge(copal_socket(endpoint));
  int client = plain_socket("127.0.0.1");
  copal_address to = address_of(endpoint);
  uint8_t bytes[64];
  copal_rx rx;
  for (uint16_t i = 0; i < 200; ++i) plain_send(client, &to, bytes, make_request(bytes, COPAL_CON, i, "a"));
  for (uint16_t i = 0; i < 200; ++i) {
    assert_int_equal(copal_process(endpoint, 0, &rx), 1);
    assert_int_equal(rx.message.message_id, i);
    assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  }
  assert_int_equal(copal_process(endpoint, 0, &rx), 0);
  for (uint16_t i = 0; i < 200; ++i) {
    assert_int_equal(plain_receive(client, bytes, sizeof bytes, NULL), 4);
    assert_int_equal(bytes[2] << 8 | bytes[3], i);
  }
  copal_close(endpoint);
  close(client);
}

/* --- Traces --------------------------------------------------------------------------------------- */

struct sighting {
  copal_path path;
  uint16_t message_id;
  bool outgoing;
};

struct sightings {
  unsigned count;
  struct sighting seen[16];
  copal_time last;
};

static void note(const copal_trace *trace, void *context) {
  struct sightings *sightings = context;
  assert_true(trace->time >= sightings->last);
  sightings->last = trace->time;
  if (trace->kind == COPAL_TRACE_DECIDED) return;
  assert_true(sightings->count < 16);
  const uint8_t *data = trace->datagram.data;
  sightings->seen[sightings->count++] =
      (struct sighting){trace->datagram.path, (uint16_t)(data[2] << 8 | data[3]), trace->kind == COPAL_TRACE_SENT};
}

static void a_trace_sees_each_datagram_once_in_each_direction(void **state) {
  (void)state;
  struct sightings sightings = {0};
  copal_open_options options = quick_options(false);
  options.trace = note;
  options.trace_context = &sightings;
  copal_endpoint *server = open_hello("coap://0.0.0.0:0", &options);
  int second = plain_socket("127.0.0.3"), client = plain_socket("127.0.0.1");
  assert_int_equal(copal_register(server, second), COPAL_OK);
  copal_address to[] = {make_address("127.0.0.2", address_of(server).port), plain_address(second)};
  copal_address remote = plain_address(client);
  uint8_t bytes[64];
  for (uint16_t i = 0; i < 4; ++i) {
    plain_send(client, &to[i % 2], bytes, make_request(bytes, COPAL_CON, i, "hello"));
    assert_true(serve_until_readable(server, client));
    assert_true(plain_receive(client, bytes, sizeof bytes, NULL) > 0);
  }
  assert_int_equal(sightings.count, 8);
  for (unsigned i = 0; i < 8; ++i) {
    const struct sighting *seen = &sightings.seen[i];
    copal_address local = to[i / 2 % 2];
    local.port = 0;
    assert_int_equal(seen->message_id, i / 2);
    assert_int_equal(seen->outgoing, i % 2);
    assert_true(copal_address_equal(&seen->path.remote, &remote));
    assert_true(copal_address_equal(&seen->path.local, &local));
    assert_int_equal(seen->path.socket, i / 2 % 2);
  }
  copal_close(server);
  close(second);
  close(client);
}

/* --- Sizes ----------------------------------------------------------------------------------------- */

static void echo(copal_request *request, void *context) {
  copal_bytes payload = copal_request_rx(request)->message.payload;
  *(size_t *)context = payload.size;
  /* By hand, since copal_reply would take so much apart. */
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CHANGED);
  copal_message_set_payload(reply, payload.data, payload.size);
}

static copal_open_options large_options(void) {
  copal_open_options options = quick_options(false);
  options.config.message_size_max = 65507;
  options.batch = 4;
  return options;
}

/* The largest payload of UDP over IPv4: 65,535 less 8 and 20. */
static void the_largest_datagram_goes_in_and_out(void **state) {
  (void)state;
  enum { LARGEST = 65507, TOKEN = 8, HEADERS = 4 + TOKEN + 1 };
  copal_open_options options = large_options();
  copal_endpoint *server = open_endpoint("coap://127.0.0.1:0", &options);
  copal_endpoint *client = open_endpoint("coap://127.0.0.1:0", &options);
  size_t received = 0;
  assert_int_equal(copal_route(server, COPAL_POST, "/", echo, &received), COPAL_OK);
  uint8_t *buffer = malloc(LARGEST), *payload = malloc(LARGEST);
  assert_non_null(buffer);
  assert_non_null(payload);
  memset(payload, 'p', LARGEST);
  copal_message message;
  copal_message_init(&message, buffer, LARGEST, COPAL_CON, COPAL_POST);
  copal_message_set_payload(&message, payload, LARGEST - HEADERS);
  assert_int_equal(message.error, COPAL_OK);
  struct outcome outcome = {0};
  copal_address remote = address_of(server);
  assert_int_equal(copal_request_send(client, &message, &remote, COPAL_NEVER, note_outcome, &outcome, NULL), COPAL_OK);
  assert_true(process_until(client, server, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_OK);
  assert_int_equal(outcome.code, COPAL_CHANGED);
  assert_int_equal(received, LARGEST - HEADERS);
  assert_int_equal(outcome.payload_size, LARGEST - HEADERS);
  copal_message_set_payload(&message, payload, LARGEST - HEADERS + 1);
  assert_int_equal(message.error, COPAL_OK);
  assert_int_equal(copal_request_send(client, &message, &remote, COPAL_NEVER, note_outcome, &outcome, NULL),
                   COPAL_ERR_MESSAGE_SIZE);
  free(buffer);
  free(payload);
  copal_close(client);
  copal_close(server);
}

/* Answers one request of that size and returns the code of the answer. */
static uint8_t code_for_size(copal_endpoint *server, copal_type type, size_t size) {
  static uint16_t message_id = 100;
  uint8_t bytes[1024];
  copal_message message;
  copal_view view;
  int client = plain_socket("127.0.0.1");
  copal_message_init(&message, bytes, size, type, COPAL_POST);
  copal_message_set_token(&message, "t", 1);
  static const uint8_t payload[1024];
  copal_message_set_payload(&message, payload, size - 6);
  assert_int_equal(message.error, COPAL_OK);
  assert_int_equal(message.size, size);
  bytes[3] = (uint8_t)++message_id;
  copal_address to = address_of(server);
  plain_send(client, &to, bytes, size);
  assert_true(serve_until_readable(server, client));
  ssize_t received = plain_receive(client, bytes, sizeof bytes, NULL);
  assert_true(received > 0);
  assert_int_equal(copal_decode(bytes, (size_t)received, &view), COPAL_OK);
  assert_int_equal(view.type, type == COPAL_CON ? COPAL_ACK : COPAL_NON);
  assert_int_equal(view.token.size, 1);
  assert_int_equal(view.token.data[0], 't');
  close(client);
  return view.code;
}

/* RFC 7252 4.6: "A server can thus fully interpret a request and return a 4.13 (Request Entity Too Large […]) Response
 * Code if the payload was truncated." */
static void a_request_above_the_limit_is_answered_4_13(void **state) {
  (void)state;
  for (int raw = 0; raw < 2; ++raw) {
    copal_open_options options = quick_options(raw == 1);
    options.config.message_size_max = 200;
    copal_endpoint *server = open_endpoint("coap://127.0.0.1:0", &options);
    assert_int_equal(code_for_size(server, COPAL_CON, 201), COPAL_REQUEST_ENTITY_TOO_LARGE);
    assert_int_equal(code_for_size(server, COPAL_CON, 1024), COPAL_REQUEST_ENTITY_TOO_LARGE);
    assert_int_equal(code_for_size(server, COPAL_NON, 201), COPAL_REQUEST_ENTITY_TOO_LARGE);
    if (raw == 0) assert_int_equal(code_for_size(server, COPAL_CON, 200), COPAL_NOT_FOUND);
    copal_close(server);
  }
}

/* --- AF_UNIX --------------------------------------------------------------------------------------- */

/* A plain AF_UNIX socket with a name of its own, and the URI of that name. */
static int plain_unix(char uri[64]) {
  static unsigned count;
  char name[48];
  int size = snprintf(name, sizeof name, "copal-plain-%ld-%u", (long)getpid(), count++);
  snprintf(uri, 64, "coap+unix://%%00%s", name);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path + 1, name, (size_t)size);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
  return fd;
}

static copal_endpoint *open_unix(bool raw) {
  copal_open_options options = quick_options(raw);
  options.config.parameters.ack_timeout = 50 * COPAL_MILLISECOND;
  return open_endpoint("coap+unix://%00", &options);
}

static copal_tx send_unix(copal_endpoint *endpoint, const copal_address *remote) {
  uint8_t buffer[64];
  copal_message message;
  copal_tx tx;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_send(endpoint, &message, remote, &tx), COPAL_OK);
  return tx;
}

static uint8_t state_of(const copal_endpoint *endpoint, copal_tx tx) {
  copal_tx_info info;
  assert_int_equal(copal_tx_get(endpoint, tx, &info), COPAL_OK);
  return info.state;
}

static void raw_unix_endpoints_exchange(void **state) {
  (void)state;
  copal_endpoint *client = open_unix(true), *server = open_unix(true);
  char name[COPAL_ADDRESS_TEXT_MAX], uri[COPAL_ADDRESS_TEXT_MAX + 16];
  copal_address address = address_of(server);
  copal_address_text(server, &address, name, sizeof name);
  snprintf(uri, sizeof uri, "coap+unix://%%00%s", name + 6);
  address = make_unix(client, uri);
  copal_tx tx = send_unix(client, &address);
  copal_rx rx;
  assert_int_equal(copal_process(client, 0, &rx), 0);
  assert_int_equal(copal_process(server, PATIENCE, &rx), 1);
  assert_int_equal(rx.message.code, COPAL_GET);
  uint8_t buffer[64];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT);
  assert_int_equal(copal_ack(&rx, &response), COPAL_OK);
  assert_int_equal(copal_process(server, 0, &rx), 0);
  assert_int_equal(copal_process(client, PATIENCE, &rx), 1);
  assert_true(copal_same_tx(rx.request, tx));
  assert_true(copal_address_equal(&rx.path.remote, &address));
  copal_close(client);
  copal_close(server);
}

static void whoever_has_no_name_is_not_answered_and_harms_nobody(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap+unix://%00", NULL);
  struct sockaddr_un name = {0};
  socklen_t size = sizeof name;
  assert_int_equal(getsockname(copal_socket(server), (struct sockaddr *)&name, &size), 0);
  int nameless = socket(AF_UNIX, SOCK_DGRAM, 0);
  uint8_t request[64];
  size_t request_size = make_request(request, COPAL_CON, 1, "hello");
  assert_int_equal(sendto(nameless, request, request_size, 0, (struct sockaddr *)&name, size), request_size);
  assert_int_equal(copal_process(server, 0, NULL), 0);
  assert_int_equal(copal_endpoint_counters(server)->ignored, 1);
  close(nameless);
  copal_close(server);
}

/* What does not fit into a buffer was cut off by the kernel: it must not be taken for a whole message. */
static void a_datagram_that_was_cut_off_is_no_message(void **state) {
  (void)state;
  copal_open_options options = large_options();
  copal_endpoint *server = open_hello("coap+unix://%00", &options);
  struct sockaddr_un name = {0};
  socklen_t size = sizeof name;
  assert_int_equal(getsockname(copal_socket(server), (struct sockaddr *)&name, &size), 0);
  char uri[64];
  int client = plain_unix(uri);
  enum { TOO_LARGE = 100000 };
  uint8_t *bytes = malloc(TOO_LARGE);
  assert_non_null(bytes);
  memset(bytes, 0, TOO_LARGE);
  make_request(bytes, COPAL_CON, 1, "hello");
  assert_int_equal(sendto(client, bytes, TOO_LARGE, 0, (struct sockaddr *)&name, size), TOO_LARGE);
  size_t request_size = make_request(bytes, COPAL_CON, 2, "hello");
  assert_int_equal(sendto(client, bytes, request_size, 0, (struct sockaddr *)&name, size), request_size);
  assert_int_equal(copal_process(server, 0, NULL), 0);
  assert_int_equal(copal_endpoint_counters(server)->datagrams_in, 1);
  ssize_t received = recv(client, bytes, TOO_LARGE, MSG_DONTWAIT);
  assert_true(received > 0);
  assert_int_equal(bytes[3], 2);
  assert_int_equal(recv(client, bytes, TOO_LARGE, MSG_DONTWAIT), -1);
  free(bytes);
  close(client);
  copal_close(server);
}

static void a_receiver_with_a_full_queue_delays_nobody_else(void **state) {
  (void)state;
  copal_endpoint *client = open_unix(true);
  char full_uri[64], live_uri[64];
  int full = plain_unix(full_uri), live = plain_unix(live_uri), filler = plain_unix((char[64]){0});
  struct sockaddr_un name = {0};
  socklen_t size = sizeof name;
  assert_int_equal(getsockname(full, (struct sockaddr *)&name, &size), 0);
  while (sendto(filler, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&name, size) == 1) continue;
  copal_address to_full = make_unix(client, full_uri), to_live = make_unix(client, live_uri);
  copal_tx stuck = send_unix(client, &to_full);
  send_unix(client, &to_live);
  copal_rx rx;
  assert_int_equal(copal_process(client, 0, &rx), 0);
  assert_true(is_readable(live));
  assert_int_equal(state_of(client, stuck), COPAL_TX_WAITING);

  /* When there is room, the retransmission comes. */
  uint8_t bytes[64];
  ssize_t received;
  while (recv(full, bytes, sizeof bytes, MSG_DONTWAIT) >= 0) continue;
  copal_time end = copal_now() + PATIENCE;
  while ((received = recv(full, bytes, sizeof bytes, MSG_DONTWAIT)) < 0 && copal_now() < end)
    assert_int_equal(copal_process(client, 5 * COPAL_MILLISECOND, &rx), 0);
  copal_tx_info info;
  assert_int_equal(copal_tx_get(client, stuck, &info), COPAL_OK);
  assert_int_equal(received, info.packed.size);
  assert_memory_equal(bytes, info.packed.data, info.packed.size);
  assert_true(info.transmissions >= 2);
  copal_close(client);
  close(full);
  close(live);
  close(filler);
}

static void a_receiver_that_is_gone_is_unreachable_at_once(void **state) {
  (void)state;
  copal_endpoint *client = open_unix(true);
  char gone_uri[64], live_uri[64];
  int gone = plain_unix(gone_uri), live = plain_unix(live_uri);
  close(gone);
  copal_address to_gone = make_unix(client, gone_uri), to_live = make_unix(client, live_uri);
  copal_address to_nowhere = make_unix(client, "coap+unix://%2Fno%2Fsuch%2Fsocket");
  copal_tx dead[] = {send_unix(client, &to_gone), send_unix(client, &to_nowhere)};
  copal_tx alive = send_unix(client, &to_live);
  copal_rx rx;
  assert_int_equal(copal_process(client, 0, &rx), 0);
  assert_int_equal(state_of(client, dead[0]), COPAL_TX_UNREACHED);
  assert_int_equal(state_of(client, dead[1]), COPAL_TX_UNREACHED);
  assert_int_equal(state_of(client, alive), COPAL_TX_WAITING);
  assert_true(is_readable(live));
  copal_close(client);
  close(live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_hundred_datagrams_take_few_passes),
      cmocka_unit_test(no_more_comes_in_at_once_than_the_outbox_answers),
      cmocka_unit_test(a_raw_endpoint_hands_out_every_one_in_order),
      cmocka_unit_test(a_trace_sees_each_datagram_once_in_each_direction),
      cmocka_unit_test(the_largest_datagram_goes_in_and_out),
      cmocka_unit_test(a_request_above_the_limit_is_answered_4_13),
      cmocka_unit_test(raw_unix_endpoints_exchange),
      cmocka_unit_test(whoever_has_no_name_is_not_answered_and_harms_nobody),
      cmocka_unit_test(a_datagram_that_was_cut_off_is_no_message),
      cmocka_unit_test(a_receiver_with_a_full_queue_delays_nobody_else),
      cmocka_unit_test(a_receiver_that_is_gone_is_unreachable_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
