/* Requests that wait for their response, by URI and on an endpoint of one's own. The peer is a raw endpoint in a
 * thread, which does what the request's path says. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/net/loopback.h"

/* --- The peer --------------------------------------------------------------------------------------- */

enum { PAYLOAD_MAX = 1400, UNKNOWN_CRITICAL = 65001 };

static copal_endpoint *peer;
static pthread_t peer_thread;
static char base[64]; /* "coap://127.0.0.1:PORT" */

static bool path_is(const copal_rx *rx, const char *path) {
  copal_option option;
  return copal_find(&rx->message, COPAL_OPTION_URI_PATH, &option) && option.size == strlen(path) &&
         memcmp(option.value, path, option.size) == 0;
}

static void compose(const copal_rx *rx, copal_message *response, uint8_t *buffer, size_t capacity) {
  static const uint8_t filling[PAYLOAD_MAX];
  copal_message_init(response, buffer, capacity, COPAL_ACK, COPAL_CONTENT);
  copal_message_add_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  if (path_is(rx, "method")) {
    char text[32];
    int size = snprintf(text, sizeof text, "%s %u %u", copal_code_name(rx->message.code),
                        copal_find_uint(&rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE),
                        (unsigned)rx->message.payload.size);
    copal_message_set_payload(response, text, (size_t)size);
  } else if (path_is(rx, "fits")) {
    copal_message_set_payload(response, filling, 1270);
  } else if (path_is(rx, "too-large")) {
    copal_message_set_payload(response, filling, PAYLOAD_MAX);
  } else if (path_is(rx, "critical")) {
    copal_message_add_raw(response, UNKNOWN_CRITICAL, "x", 1);
  } else if (path_is(rx, "nothing")) {
    copal_message_init(response, buffer, capacity, COPAL_ACK, COPAL_NOT_FOUND);
  } else {
    copal_message_set_payload(response, "hello", 5);
  }
}

/* cmocka's asserts are for the thread that runs the tests. */
static void must(copal_error error) {
  if (error != COPAL_OK) abort();
}

static void answer(copal_rx *rx) {
  uint8_t buffer[PAYLOAD_MAX + 64];
  copal_message response;
  if (rx->type == COPAL_ACK || path_is(rx, "silent")) return;
  if (path_is(rx, "reset")) {
    must(copal_reset(rx));
    return;
  }
  compose(rx, &response, buffer, sizeof buffer);
  if (path_is(rx, "separate")) {
    copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
    copal_message_set_payload(&response, "later", 5);
    must(copal_ack(rx, NULL));
    must(copal_respond(rx, &response, NULL));
    return;
  }
  must(copal_ack(rx, &response));
}

static void *serve(void *unused) {
  copal_rx rx;
  int result;
  (void)unused;
  while ((result = copal_process(peer, COPAL_NEVER, &rx)) >= 0)
    if (result == 1) answer(&rx);
  return NULL;
}

static int start_peer(void **state) {
  (void)state;
  copal_open_options options = quick_options(true);
  peer = open_endpoint("coap://127.0.0.1:0", &options);
  snprintf(base, sizeof base, "coap://127.0.0.1:%u", address_of(peer).port);
  return pthread_create(&peer_thread, NULL, serve, NULL);
}

static int stop_peer(void **state) {
  (void)state;
  copal_wake(peer);
  int result = pthread_join(peer_thread, NULL);
  copal_close(peer);
  return result;
}

static const char *at(const char *path) {
  static char uri[128];
  snprintf(uri, sizeof uri, "%s/%s", base, path);
  return uri;
}

/* --- By URI ------------------------------------------------------------------------------------------- */

static copal_response response;

static void assert_text(const char *expected) {
  assert_int_equal(response.payload_size, strlen(expected));
  assert_string_equal((const char *)response.payload, expected); /* the NUL behind it, too */
}

static void get_brings_the_whole_response(void **state) {
  (void)state;
  copal_time before = copal_now();
  assert_int_equal(copal_get(at("hello"), &response), COPAL_OK);
  copal_time took = copal_now() - before;
  assert_int_equal(response.code, COPAL_CONTENT);
  assert_text("hello");
  assert_int_equal(response.content_format, COPAL_TEXT_PLAIN);
  assert_int_equal(response.message.type, COPAL_ACK);
  assert_int_equal(response.message.token.size, 8);
  assert_int_equal(copal_find_uint(&response.message, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_TEXT_PLAIN);
  assert_true(response.round_trip > 0 && response.round_trip <= took);
  assert_true(response.transmissions >= 1);
  char text[COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(NULL, &response.path.remote, text, sizeof text);
  assert_string_equal(text, base + strlen("coap://"));
}

static void every_method_brings_its_payload_there(void **state) {
  (void)state;
  assert_int_equal(copal_get(at("method"), &response), COPAL_OK);
  assert_text("GET 65536 0");
  assert_int_equal(copal_delete(at("method"), &response), COPAL_OK);
  assert_text("DELETE 65536 0");
  assert_int_equal(copal_put(at("method"), COPAL_JSON, "{}", 2, &response), COPAL_OK);
  assert_text("PUT 50 2");
  assert_int_equal(copal_post(at("method"), COPAL_FORMAT_NONE, "a", 1, &response), COPAL_OK);
  assert_text("POST 65536 1");
  assert_int_equal(copal_post(at("method"), COPAL_FORMAT_NONE, NULL, 0, &response), COPAL_OK);
  assert_text("POST 65536 0");
}

static void an_error_response_is_a_response(void **state) {
  (void)state;
  assert_int_equal(copal_get(at("nothing"), &response), COPAL_OK);
  assert_int_equal(response.code, COPAL_NOT_FOUND);
  assert_int_equal(response.content_format, COPAL_FORMAT_NONE);
  assert_text("");
}

static void a_separate_response_is_waited_for(void **state) {
  (void)state;
  assert_int_equal(copal_get(at("separate"), &response), COPAL_OK);
  assert_text("later");
  assert_int_equal(response.message.type, COPAL_CON);
}

static void *run(void *server) {
  copal_run(server);
  return NULL;
}

static void a_unix_socket_is_asked_by_uri(void **state) {
  (void)state;
  char uri[96];
  snprintf(uri, sizeof uri, "coap+unix://%%00copal-client-%ld", (long)getpid());
  copal_endpoint *server = open_hello(uri, NULL);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run, server), 0);
  strcat(uri, "/hello");
  assert_int_equal(copal_get(uri, &response), COPAL_OK);
  assert_text("hello");
  copal_stop(server);
  assert_int_equal(pthread_join(thread, NULL), 0);
  copal_close(server);
}

static void what_is_larger_than_its_storage_is_refused(void **state) {
  (void)state;
  assert_int_equal(copal_get(at("fits"), &response), COPAL_OK);
  assert_int_equal(response.payload_size, 1270);
  assert_int_equal(response.payload[1270], 0);
  assert_int_equal(copal_get(at("too-large"), &response), COPAL_ERR_MESSAGE_SIZE);
}

static void what_the_peer_does_wrong_is_told(void **state) {
  (void)state;
  assert_int_equal(copal_get(at("reset"), &response), COPAL_ERR_RESET);
  assert_int_equal(copal_get(at("critical"), &response), COPAL_ERR_RESPONSE_REJECTED);
  char uri[64];
  snprintf(uri, sizeof uri, "coap://127.0.0.1:%u/a", closed_address("127.0.0.1").port);
  assert_int_equal(copal_get(uri, &response), COPAL_ERR_UNREACHABLE);
}

static void what_cannot_be_asked_is_told_and_leaks_nothing(void **state) {
  (void)state;
  static const struct {
    const char *uri;
    copal_error error;
  } cases[] = {
      {"", COPAL_ERR_URI_SYNTAX},
      {"http://127.0.0.1/", COPAL_ERR_URI_SCHEME},
      {"coaps://127.0.0.1/", COPAL_ERR_URI_SCHEME},
      {"coap://127.0.0.1:x/", COPAL_ERR_URI_PORT},
      {"coap://127.0.0.1/%zz", COPAL_ERR_URI_ESCAPE},
      {"coap://no-such-host.invalid/", COPAL_ERR_RESOLVE},
      {"coap://[fe80::1%25nowhere0]/", COPAL_ERR_INTERFACE},
      {"coap://224.0.1.187/", COPAL_ERR_MULTICAST_CON},
      {"coap+unix://%2Fno%2Fsuch%2Fsocket", COPAL_ERR_UNREACHABLE},
  };
  unsigned before = count_descriptors();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_error error = copal_get(cases[i].uri, &response);
    if (error != cases[i].error) fail_msg("%s: %s", cases[i].uri, copal_error_name(error));
  }
  assert_int_equal(count_descriptors(), before);
}

static void what_is_larger_than_a_message_is_told(void **state) {
  (void)state;
  static uint8_t payload[2000];
  assert_int_equal(copal_put(at("method"), COPAL_OCTET_STREAM, payload, 1400, &response), COPAL_OK);
  assert_text("PUT 42 1400");
  assert_int_equal(copal_put(at("method"), COPAL_OCTET_STREAM, payload, 1472 - 4 - 12, &response),
                   COPAL_ERR_MESSAGE_SIZE);
  assert_int_equal(copal_put(at("method"), COPAL_OCTET_STREAM, payload, sizeof payload, &response),
                   COPAL_ERR_MESSAGE_SIZE);
  char uri[2048];
  int size = snprintf(uri, sizeof uri, "%s", base);
  for (unsigned i = 0; i < 16; ++i) {
    uri[size++] = '/';
    memset(uri + size, 'a', 100);
    size += 100;
  }
  uri[size] = 0;
  assert_int_equal(copal_get(uri, &response), COPAL_ERR_MESSAGE_SIZE);
}

/* --- On an endpoint of one's own ------------------------------------------------------------------------ */

static copal_error exchange(copal_endpoint *endpoint, const char *path, copal_time timeout) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  copal_address remote = address_of(peer);
  return copal_exchange(endpoint, &message, &remote, timeout, &response);
}

static void one_endpoint_makes_many_exchanges(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  for (unsigned i = 0; i < 50; ++i) {
    assert_int_equal(exchange(endpoint, i % 2 == 0 ? "hello" : "separate", COPAL_NEVER), COPAL_OK);
    assert_text(i % 2 == 0 ? "hello" : "later");
  }
  assert_int_equal(copal_endpoint_usage(endpoint).exchanges, 0);
  copal_close(endpoint);
}

static void the_timeout_bounds_the_wait(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  copal_time before = copal_now();
  assert_int_equal(exchange(endpoint, "silent", 50 * COPAL_MILLISECOND), COPAL_ERR_TIMEOUT);
  copal_time took = copal_now() - before;
  assert_true(took >= 50 * COPAL_MILLISECOND);
  assert_true(took < 2 * COPAL_SECOND); /* ACK_TIMEOUT would be the next thing to wait for */
  assert_int_equal(copal_endpoint_usage(endpoint).exchanges, 0);
  assert_int_equal(exchange(endpoint, "hello", COPAL_NEVER), COPAL_OK);
  copal_close(endpoint);
}

static void without_answer_it_ends_after_the_last_wait(void **state) {
  (void)state;
  copal_open_options options = quick_options(false);
  options.config.parameters.ack_timeout = 10 * COPAL_MILLISECOND;
  options.config.parameters.max_retransmit = 2;
  copal_endpoint *endpoint = open_endpoint(NULL, &options);
  assert_int_equal(exchange(endpoint, "silent", COPAL_NEVER), COPAL_ERR_TIMEOUT);
  assert_int_equal(copal_endpoint_counters(endpoint)->given_up, 1);
  assert_true(copal_endpoint_counters(endpoint)->retransmissions >= 1);
  copal_close(endpoint);
}

static void *wake_later(void *endpoint) {
  usleep(20000);
  copal_wake(endpoint);
  return NULL;
}

static void a_wake_ends_the_wait_and_cancels(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, wake_later, endpoint), 0);
  assert_int_equal(exchange(endpoint, "silent", COPAL_NEVER), COPAL_ERR_INTERRUPTED);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(copal_endpoint_usage(endpoint).exchanges, 0);
  assert_int_equal(exchange(endpoint, "hello", COPAL_NEVER), COPAL_OK);
  copal_close(endpoint);
}

static void the_endpoint_is_served_meanwhile(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_hello("coap://127.0.0.1:0", NULL);
  int client = plain_socket("127.0.0.1");
  copal_address to = address_of(endpoint);
  uint8_t bytes[64];
  plain_send(client, &to, bytes, make_request(bytes, COPAL_CON, 5, "hello"));
  assert_int_equal(exchange(endpoint, "silent", 50 * COPAL_MILLISECOND), COPAL_ERR_TIMEOUT);
  assert_true(plain_receive(client, bytes, sizeof bytes, NULL) > 0);
  assert_int_equal(bytes[1], COPAL_CONTENT);
  close(client);
  copal_close(endpoint);
}

static void what_copal_send_refuses_is_told(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  uint8_t buffer[64];
  copal_message message;
  copal_address remote = address_of(peer), nobody = {.family = COPAL_FAMILY_NONE};
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  assert_int_equal(copal_exchange(endpoint, &message, &remote, 0, &response), COPAL_ERR_TYPE);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_ACK, COPAL_GET);
  assert_int_equal(copal_exchange(endpoint, &message, &remote, 0, &response), COPAL_ERR_TYPE);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_exchange(endpoint, &message, &nobody, 0, &response), COPAL_ERR_ADDRESS);
  copal_close(endpoint);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(get_brings_the_whole_response),
      cmocka_unit_test(every_method_brings_its_payload_there),
      cmocka_unit_test(an_error_response_is_a_response),
      cmocka_unit_test(a_separate_response_is_waited_for),
      cmocka_unit_test(a_unix_socket_is_asked_by_uri),
      cmocka_unit_test(what_is_larger_than_its_storage_is_refused),
      cmocka_unit_test(what_the_peer_does_wrong_is_told),
      cmocka_unit_test(what_cannot_be_asked_is_told_and_leaks_nothing),
      cmocka_unit_test(what_is_larger_than_a_message_is_told),
      cmocka_unit_test(one_endpoint_makes_many_exchanges),
      cmocka_unit_test(the_timeout_bounds_the_wait),
      cmocka_unit_test(without_answer_it_ends_after_the_last_wait),
      cmocka_unit_test(a_wake_ends_the_wait_and_cancels),
      cmocka_unit_test(the_endpoint_is_served_meanwhile),
      cmocka_unit_test(what_copal_send_refuses_is_told),
  };
  return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
