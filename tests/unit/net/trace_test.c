/* What a trace function is told: what is received, what is decided of it, what is sent, in this order. */
#include <string.h>
#include <unistd.h>

#include "unit/net/loopback.h"

/* What was told, a letter each (s, r, d), where a decision about nothing that moved no counter is left out. */
struct story {
  char letters[64];
  size_t size;
  copal_counters before;
  copal_bytes latest; /* the datagram of the latest decision */
  uint8_t bytes[64];
};

static void note(const copal_trace *trace, void *context) {
  struct story *story = context;
  bool moved = memcmp(&story->before, trace->counters, sizeof story->before) != 0;
  story->before = *trace->counters;
  if (trace->kind == COPAL_TRACE_DECIDED && !moved && trace->datagram.size == 0) return;
  assert_true(story->size + 1 < sizeof story->letters && trace->datagram.size <= sizeof story->bytes);
  story->letters[story->size++] = "srd"[trace->kind];
  if (trace->kind != COPAL_TRACE_DECIDED) return;
  if (trace->datagram.size > 0) memcpy(story->bytes, trace->datagram.data, trace->datagram.size);
  story->latest = (copal_bytes){story->bytes, trace->datagram.size};
}

static copal_endpoint *open_traced(const char *uri, struct story *story, copal_time ack_timeout) {
  copal_open_options options = quick_options(false);
  options.trace = note;
  options.trace_context = story;
  options.config.parameters.ack_timeout = ack_timeout;
  return open_hello(uri, &options);
}

/* A decision with no datagram stands for what output did: it gave out datagrams. */
static void each_request_is_followed_by_what_is_decided_of_it(void **state) {
  (void)state;
  struct story story = {.size = 0};
  copal_endpoint *server = open_traced("coap://127.0.0.1:0", &story, COPAL_SECOND);
  int client = plain_socket("127.0.0.1");
  copal_address to = address_of(server);
  uint8_t request[64], other[64], reply[64];
  size_t size = make_request(request, COPAL_CON, 1, "hello");
  size_t other_size = make_request(other, COPAL_CON, 2, "hello");
  plain_send(client, &to, request, size);
  plain_send(client, &to, request, size);
  plain_send(client, &to, other, other_size);
  plain_send(client, &to, "\x4f", 1);
  for (unsigned replies = 0; replies < 3;) {
    assert_true(serve_until_readable(server, client));
    while (plain_receive(client, reply, sizeof reply, NULL) > 0) ++replies;
  }
  for (unsigned i = 0; i < 10; ++i) assert_int_equal(copal_process(server, 0, NULL), 0);
  assert_string_equal(story.letters, "rddsrddsrddsrd");
  assert_int_equal(story.latest.size, 1);
  assert_int_equal(story.before.requests, 2);
  assert_int_equal(story.before.duplicates, 1);
  assert_int_equal(story.before.repeated, 1);
  assert_int_equal(story.before.malformed, 1);
  copal_close(server);
  close(client);
}

static void giving_up_is_a_decision_about_nothing_that_came(void **state) {
  (void)state;
  struct story story = {.size = 0};
  struct outcome outcome = {0};
  copal_endpoint *client = open_traced(NULL, &story, COPAL_MILLISECOND);
  int silent = plain_socket("127.0.0.1");
  copal_address to = plain_address(silent);
  send_request(client, COPAL_CON, "hello", &to, &outcome);
  assert_true(process_until(client, NULL, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_ERR_TIMEOUT);
  for (unsigned i = 0; i < 2; ++i) assert_int_equal(copal_process(client, 0, NULL), 0);
  /* RFC 7252 4.2: "a sender may miss an opportunity to transmit", as on a machine with much to do. */
  const char *whole = "dsdsdsdsdsd";
  assert_true(story.size >= strlen("dsd") && story.size % 2 == 1);
  assert_string_equal(story.letters, whole + strlen(whole) - story.size);
  assert_int_equal(story.latest.size, 0);
  assert_int_equal(story.before.retransmissions, story.size / 2 - 1);
  assert_int_equal(story.before.given_up, 1);
  copal_close(client);
  close(silent);
}

static void what_cannot_be_delivered_is_a_decision_about_what_was_sent(void **state) {
  (void)state;
  struct story story = {.size = 0};
  struct outcome outcome = {0};
  copal_endpoint *client = open_traced(NULL, &story, 60 * COPAL_SECOND);
  copal_address nobody = closed_address("127.0.0.1");
  send_request(client, COPAL_CON, "hello", &nobody, &outcome);
  assert_true(process_until(client, NULL, &outcome, 1));
  assert_int_equal(outcome.error, COPAL_ERR_UNREACHABLE);
  assert_string_equal(story.letters, "dsd");
  assert_true(story.latest.size >= 4);
  assert_int_equal(story.before.unreachable, 1);
  copal_close(client);
}

static void note_port(const copal_trace *trace, void *context) {
  copal_address local;
  if (trace->kind != COPAL_TRACE_SENT) return;
  copal_endpoint **client = context;
  assert_int_equal(copal_local_address(*client, &local), COPAL_OK);
  assert_int_not_equal(local.port, 0);
  *client = NULL;
}

static void what_is_sent_is_told_when_its_own_port_is_known(void **state) {
  (void)state;
  struct outcome outcome = {0};
  copal_endpoint *client, *looked_at;
  copal_open_options options = quick_options(false);
  options.trace = note_port;
  options.trace_context = &looked_at;
  client = looked_at = open_endpoint(NULL, &options);
  int silent = plain_socket("127.0.0.1");
  copal_address to = plain_address(silent);
  send_request(client, COPAL_NON, "hello", &to, &outcome);
  assert_int_equal(copal_process(client, 0, NULL), 0);
  assert_null(looked_at);
  copal_close(client);
  close(silent);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_request_is_followed_by_what_is_decided_of_it),
      cmocka_unit_test(giving_up_is_a_decision_about_nothing_that_came),
      cmocka_unit_test(what_cannot_be_delivered_is_a_decision_about_what_was_sent),
      cmocka_unit_test(what_is_sent_is_told_when_its_own_port_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
