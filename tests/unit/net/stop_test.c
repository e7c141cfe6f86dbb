/* What copal_stop leaves behind: nothing that was taken in without an answer, however many ask at the time. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "unit/net/loopback.h"

enum { WINDOW = 200, ROUNDS = 20 };

/* A client with that many requests under way, and how many it was answered. */
struct asking {
  int fd;
  copal_address server;
  uint16_t sent, answered;
};

static void ask_and_listen(struct asking *asking) {
  uint8_t bytes[64];
  while ((uint16_t)(asking->sent - asking->answered) < WINDOW) {
    size_t size = make_request(bytes, COPAL_CON, asking->sent++, "hello");
    plain_send(asking->fd, &asking->server, bytes, size);
  }
  while (plain_receive(asking->fd, bytes, sizeof bytes, NULL) > 0) ++asking->answered;
}

static void *serve(void *context) { return copal_run((copal_endpoint *)context) == 0 ? context : NULL; }

static void what_was_taken_in_is_answered_before_copal_run_returns(void **state) {
  (void)state;
  for (uint16_t round = 0; round < ROUNDS; ++round) {
    copal_open_options options = quick_options(false);
    options.batch = 8; /* several batches are under way when it is stopped */
    copal_endpoint *server = open_hello("coap://127.0.0.1:0", &options);
    struct asking asking = {.fd = plain_socket("127.0.0.1"), .server = address_of(server)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
    while (asking.answered < 50 + 37 * round) ask_and_listen(&asking);
    copal_stop(server);
    void *ended;
    assert_int_equal(pthread_join(thread, &ended), 0);
    assert_ptr_equal(ended, server);
    ask_and_listen(&asking);
    const copal_counters *counters = copal_endpoint_counters(server);
    assert_int_equal(counters->datagrams_out, counters->datagrams_in);
    assert_int_equal(asking.answered, counters->datagrams_out);
    close(asking.fd);
    copal_close(server);
  }
}

/* A pass with a timeout of 0 sends one batch; who is woken is perhaps about to end. */
static void who_is_woken_sends_all_that_is_due(void **state) {
  (void)state;
  enum { PEERS = 20 };
  copal_open_options options = quick_options(false);
  options.batch = 8;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", &options);
  int peers[PEERS];
  for (int i = 0; i < PEERS; ++i) {
    peers[i] = plain_socket("127.0.0.1");
    uint8_t buffer[64];
    copal_message message;
    copal_address remote = plain_address(peers[i]);
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    assert_int_equal(copal_send(endpoint, &message, &remote, NULL), COPAL_OK);
  }
  assert_int_equal(copal_process(endpoint, 0, NULL), 0);
  assert_int_equal(copal_endpoint_counters(endpoint)->datagrams_out, 8);
  copal_wake(endpoint);
  assert_int_equal(copal_process(endpoint, 0, NULL), COPAL_ERR_INTERRUPTED);
  for (int i = 0; i < PEERS; ++i) {
    assert_true(is_readable(peers[i]));
    close(peers[i]);
  }
  copal_close(endpoint);
}

/* The recipe of libcopal(3): what is owed is waited for, what came is answered, and all is sent. */
static copal_deferred owed;

static void postpone(copal_request *request, void *context) {
  (void)context;
  assert_int_equal(copal_defer(request, &owed), COPAL_OK);
}

static void what_is_owed_can_be_waited_for(void **state) {
  (void)state;
  copal_endpoint *server = open_hello("coap://127.0.0.1:0", NULL);
  assert_int_equal(copal_route(server, COPAL_GET, "/later", postpone, NULL), COPAL_OK);
  copal_open_options options = quick_options(false);
  copal_endpoint *client = open_endpoint("coap://127.0.0.1:0", &options);
  copal_address remote = address_of(server);
  struct outcome outcome = {.count = 0};
  send_request(client, COPAL_CON, "later", &remote, &outcome);
  while (copal_endpoint_usage(server).deferred == 0) {
    assert_int_equal(copal_process(client, COPAL_MILLISECOND, NULL), 0);
    assert_int_equal(copal_process(server, COPAL_MILLISECOND, NULL), 0);
  }
  assert_int_equal(outcome.count, 0);

  uint8_t buffer[64];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  assert_int_equal(copal_deferred_reply(server, owed, &response), COPAL_OK);
  copal_wake(server);
  assert_int_equal(copal_process(server, 0, NULL), COPAL_ERR_INTERRUPTED);
  assert_int_equal(copal_endpoint_usage(server).deferred, 0);
  copal_close(server);
  assert_true(process_until(client, NULL, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_OK);
  assert_int_equal(outcome.code, COPAL_CONTENT);
  copal_close(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_taken_in_is_answered_before_copal_run_returns),
      cmocka_unit_test(who_is_woken_sends_all_that_is_due),
      cmocka_unit_test(what_is_owed_can_be_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
