/* Requests that wait for their response, by URI and on an endpoint of one's own. The peer is a raw endpoint in a
 * thread, which does what the request's path says, and counts blocks by itself. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/net/loopback.h"

/* --- The peer --------------------------------------------------------------------------------------- */

enum { PAYLOAD_MAX = 1400, BLOCK = 1024, LARGER = COPAL_RESPONSE_BODY_MAX + 1, UNKNOWN_CRITICAL = 65001 };

static copal_endpoint *peer;
static pthread_t peer_thread;
static char base[64]; /* "coap://127.0.0.1:PORT" */

static bool path_is(const copal_rx *rx, const char *path) {
  copal_option option;
  return copal_find(&rx->message, COPAL_OPTION_URI_PATH, &option) && option.size == strlen(path) &&
         memcmp(option.value, path, option.size) == 0;
}

static uint8_t byte_at(uint64_t position) { return (uint8_t)(position + position / BLOCK); }

/* A body of that size, as far as one message goes: the block that is asked for. */
static void add_block_of(size_t size, const copal_rx *rx, copal_message *response) {
  uint8_t bytes[BLOCK];
  copal_block block = copal_block_of(copal_find_uint(&rx->message, COPAL_OPTION_BLOCK2, 6));
  size_t offset = (size_t)block.number * BLOCK, left = size - offset;
  block.more = left > BLOCK;
  if (left > BLOCK) left = BLOCK;
  for (size_t i = 0; i < left; ++i) bytes[i] = byte_at(offset + i);
  copal_message_add_uint(response, COPAL_OPTION_BLOCK2, copal_block_value(block));
  copal_message_set_payload(response, bytes, left);
}

/* Counts the bytes of a request's body; false while there are more to come. */
static bool gather(const copal_rx *rx, size_t *size, copal_message *response) {
  static size_t gathered;
  copal_block block = copal_block_of(copal_find_uint(&rx->message, COPAL_OPTION_BLOCK1, 0));
  if (block.number == 0) gathered = 0;
  for (size_t i = 0; i < rx->message.payload.size; ++i)
    if (block.szx > 0 && rx->message.payload.data[i] != byte_at(gathered + i)) abort();
  gathered += rx->message.payload.size;
  *size = gathered;
  if (block.szx > 0) copal_message_add_uint(response, COPAL_OPTION_BLOCK1, copal_block_value(block));
  if (block.more) copal_message_set_code(response, COPAL_CONTINUE);
  return !block.more;
}

static void compose(const copal_rx *rx, copal_message *response, uint8_t *buffer, size_t capacity) {
  size_t gathered;
  copal_message_init(response, buffer, capacity, COPAL_ACK, COPAL_CONTENT);
  copal_message_add_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  if (path_is(rx, "method")) {
    char text[32];
    if (!gather(rx, &gathered, response)) return;
    int size =
        snprintf(text, sizeof text, "%s %u %u", copal_code_name(rx->message.code),
                 copal_find_uint(&rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE), (unsigned)gathered);
    copal_message_set_payload(response, text, (size_t)size);
  } else if (path_is(rx, "fits")) {
    add_block_of(COPAL_RESPONSE_BODY_MAX, rx, response);
  } else if (path_is(rx, "too-large")) {
    add_block_of(LARGER, rx, response);
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
  if (path_is(rx, "quiet")) {
    must(copal_ack(rx, NULL));
    return;
  }
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
  assert_int_equal(response.payload_size, COPAL_RESPONSE_BODY_MAX);
  assert_true(response.body_size == COPAL_RESPONSE_BODY_MAX);
  assert_int_equal(response.exchanges, COPAL_RESPONSE_BODY_MAX / BLOCK);
  assert_int_equal(response.message.payload.size, COPAL_RESPONSE_BODY_MAX);
  for (size_t i = 0; i < COPAL_RESPONSE_BODY_MAX; ++i) assert_int_equal(response.payload[i], byte_at(i));
  assert_int_equal(response.payload[COPAL_RESPONSE_BODY_MAX], 0);
  assert_int_equal(copal_get(at("too-large"), &response), COPAL_ERR_BODY_SIZE);
}

/* --- Bodies in parts -------------------------------------------------------------------------------- */

struct parts {
  uint64_t size; /* taken, or there to be given */
  bool fails;
};

static bool take_part(void *context, uint64_t offset, const void *data, size_t size) {
  struct parts *parts = context;
  const uint8_t *bytes = data;
  assert_true(offset == parts->size);
  for (size_t i = 0; i < size; ++i) assert_int_equal(bytes[i], byte_at(offset + i));
  parts->size += size;
  return !parts->fails;
}

static uint64_t give_part(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct parts *parts = context;
  uint8_t *bytes = buffer;
  if (parts->fails) return COPAL_SIZE_UNKNOWN;
  if (size > parts->size - offset) size = (size_t)(parts->size - offset);
  for (size_t i = 0; i < size; ++i) bytes[i] = byte_at(offset + i);
  return size;
}

static void a_download_goes_to_its_writer(void **state) {
  (void)state;
  struct parts parts = {.size = 0};
  assert_int_equal(copal_download(at("too-large"), take_part, &parts, &response), COPAL_OK);
  assert_true(parts.size == LARGER && response.body_size == LARGER);
  assert_text("");
  assert_int_equal(response.content_format, COPAL_TEXT_PLAIN);
  parts = (struct parts){.size = 0};
  assert_int_equal(copal_download(at("nothing"), take_part, &parts, &response), COPAL_OK);
  assert_int_equal(response.code, COPAL_NOT_FOUND);
  assert_true(parts.size == 0);
  parts = (struct parts){.fails = true};
  assert_int_equal(copal_download(at("too-large"), take_part, &parts, &response), COPAL_ERR_BODY_WRITE);
  assert_true(parts.size == BLOCK);
}

static void an_upload_comes_from_its_reader(void **state) {
  (void)state;
  struct parts parts = {.size = 5000};
  assert_int_equal(copal_upload(COPAL_PUT, at("method"), COPAL_OCTET_STREAM, give_part, 5000, &parts, &response),
                   COPAL_OK);
  assert_text("PUT 42 5000");
  assert_int_equal(response.exchanges, 5);
  parts.size = 3 * BLOCK;
  assert_int_equal(
      copal_upload(COPAL_POST, at("method"), COPAL_FORMAT_NONE, give_part, COPAL_SIZE_UNKNOWN, &parts, &response),
      COPAL_OK);
  assert_text("POST 65536 3072");
  assert_int_equal(response.exchanges, 3);
  parts.fails = true;
  assert_int_equal(copal_upload(COPAL_PUT, at("method"), COPAL_OCTET_STREAM, give_part, 5000, &parts, &response),
                   COPAL_ERR_BODY_READ);
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

static void what_is_larger_than_a_message_goes_in_blocks(void **state) {
  (void)state;
  static uint8_t payload[200000];
  for (size_t i = 0; i < sizeof payload; ++i) payload[i] = byte_at(i);
  assert_int_equal(copal_put(at("method"), COPAL_OCTET_STREAM, payload, BLOCK, &response), COPAL_OK);
  assert_text("PUT 42 1024");
  assert_int_equal(response.exchanges, 1);
  assert_int_equal(copal_put(at("method"), COPAL_OCTET_STREAM, payload, BLOCK + 1, &response), COPAL_OK);
  assert_text("PUT 42 1025");
  assert_int_equal(response.exchanges, 2);
  assert_int_equal(copal_post(at("method"), COPAL_OCTET_STREAM, payload, sizeof payload, &response), COPAL_OK);
  assert_text("POST 42 200000");
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

static void a_call_has_its_own_buffer_or_the_response_s(void **state) {
  (void)state;
  static uint8_t room[LARGER];
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  uint8_t buffer[64];
  copal_message message;
  copal_address remote = address_of(peer);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "too-large");
  copal_call_options options = {.message = &message, .remote = &remote};
  assert_int_equal(copal_call_wait(endpoint, &options, &response), COPAL_ERR_BODY_SIZE);
  options.buffer = room;
  options.capacity = sizeof room;
  assert_int_equal(copal_call_wait(endpoint, &options, &response), COPAL_OK);
  assert_ptr_equal(response.payload, room);
  assert_int_equal(response.payload_size, LARGER);
  options.observe = true;
  assert_int_equal(copal_call_wait(endpoint, &options, &response), COPAL_ERR_TYPE);
  assert_int_equal(copal_call_wait(NULL, &options, &response), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_call_wait(peer, &options, &response), COPAL_ERR_TYPE); /* a raw one */
  assert_int_equal(copal_endpoint_usage(endpoint).calls, 0);
  copal_close(endpoint);
}

static void nothing_is_waited_for_that_is_not_to_come(void **state) {
  (void)state;
  copal_endpoint *endpoint = open_endpoint(NULL, NULL);
  uint8_t buffer[64];
  copal_message message;
  copal_address remote = address_of(peer);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_PUT);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "quiet");
  copal_message_add_uint(&message, COPAL_OPTION_NO_RESPONSE, 26);
  assert_int_equal(copal_exchange(endpoint, &message, &remote, COPAL_NEVER, &response), COPAL_OK);
  assert_int_equal(response.code, COPAL_EMPTY);
  assert_text("");
  assert_int_equal(copal_endpoint_usage(endpoint).exchanges, 0);
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
      cmocka_unit_test(a_download_goes_to_its_writer),
      cmocka_unit_test(an_upload_comes_from_its_reader),
      cmocka_unit_test(what_the_peer_does_wrong_is_told),
      cmocka_unit_test(what_cannot_be_asked_is_told_and_leaks_nothing),
      cmocka_unit_test(what_is_larger_than_a_message_goes_in_blocks),
      cmocka_unit_test(one_endpoint_makes_many_exchanges),
      cmocka_unit_test(the_timeout_bounds_the_wait),
      cmocka_unit_test(without_answer_it_ends_after_the_last_wait),
      cmocka_unit_test(a_wake_ends_the_wait_and_cancels),
      cmocka_unit_test(the_endpoint_is_served_meanwhile),
      cmocka_unit_test(a_call_has_its_own_buffer_or_the_response_s),
      cmocka_unit_test(nothing_is_waited_for_that_is_not_to_come),
      cmocka_unit_test(what_copal_send_refuses_is_told),
  };
  return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
