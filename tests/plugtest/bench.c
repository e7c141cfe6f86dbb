/* The client of a plugtest, and what it sees. See plugtest.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugtest/bench.h"

/* So long is waited for what must come. */
#define PATIENCE (20 * COPAL_SECOND)

/* --- Opening and closing ------------------------------------------------------------------------ */

static void note_trace(const copal_trace *trace, void *context) {
  if (trace->kind == COPAL_TRACE_DECIDED) return;
  wire_note(context, trace->kind == COPAL_TRACE_SENT, false, trace->time, trace->datagram.data, trace->datagram.size);
}

static void open_client(struct bench *bench, bool lossy, const char *uri) {
  copal_open_options options = copal_open_defaults();
  options.config.exchanges_max = options.config.peers_max = 64;
  if (lossy) {
    options.config.parameters.ack_timeout = ACK_TIMEOUT_MS * COPAL_MILLISECOND;
  } else {
    options.trace = note_trace;
    options.trace_context = &bench->wire;
  }
  bench->client = copal_open(uri, &options);
  if (bench->client == NULL) fail_msg("%s", copal_error_text(options.error));
}

void bench_open(struct bench *bench, const struct plugtest *test, const struct peer *peer) {
  bool lossy = (test->roles & LOSSY) != 0;
  bench->peer = peer->name;
  bench->is_ours = peer->port == 0;
  bench->hand = -1;
  if (bench->is_ours) {
    server_start(&bench->server, test->options == NULL ? "--interval 0" : test->options);
  } else {
    uint16_t port = (test->roles & UNCONFIRMED) != 0 ? peer->unconfirmed_port : peer->port;
    assert_int_equal(copal_address_parse("127.0.0.1", port, &bench->server.address), COPAL_OK);
  }
  bench->remote = bench->server.address;
  if (lossy) {
    lossy_open(&bench->lossy, &bench->wire, &bench->server.address);
    bench->remote = bench->lossy.address;
  }
  open_client(bench, lossy, "coap://127.0.0.1:0");
}

void bench_close(struct bench *bench) {
  copal_close(bench->client);
  if (bench->lossy.wire != NULL) lossy_close(&bench->lossy);
  if (bench->hand >= 0) close(bench->hand);
  wire_clear(&bench->wire);
  server_stop(&bench->server);
}

void restart_client(struct bench *bench) {
  copal_address address;
  char uri[64];
  assert_int_equal(copal_local_address(bench->client, &address), COPAL_OK);
  copal_close(bench->client);
  snprintf(uri, sizeof uri, "coap://127.0.0.1:%u", address.port);
  open_client(bench, bench->lossy.wire != NULL, uri);
}

/* --- What passes -------------------------------------------------------------------------------- */

static void receive_by_hand(struct bench *bench) {
  uint8_t bytes[2048];
  ssize_t size;
  while ((size = recv(bench->hand, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0)
    wire_note(&bench->wire, false, false, copal_now(), bytes, (size_t)size);
}

/* One pass of all that takes part, after at most so long. */
static void pump(struct bench *bench, copal_time timeout) {
  struct pollfd polled[4] = {{.fd = copal_fd(bench->client), .events = POLLIN},
                             {.fd = bench->hand, .events = POLLIN},
                             {.fd = -1, .events = POLLIN},
                             {.fd = -1, .events = POLLIN}};
  if (bench->lossy.wire != NULL) {
    polled[2].fd = bench->lossy.client_side;
    polled[3].fd = bench->lossy.server_side;
  }
  copal_time due = copal_timeout(bench->client);
  if (due < timeout) timeout = due;
  assert_true(poll(polled, 4, (int)((timeout + COPAL_MILLISECOND - 1) / COPAL_MILLISECOND)) >= 0 || errno == EINTR);
  assert_true(copal_process(bench->client, 0, NULL) >= 0);
  if (bench->lossy.wire != NULL) lossy_pump(&bench->lossy);
  if (bench->hand >= 0) receive_by_hand(bench);
}

void let_pass(struct bench *bench, copal_time duration) {
  copal_time end = copal_now() + duration;
  for (copal_time now; (now = copal_now()) < end;) pump(bench, end - now);
}

static const struct passed *await_next(struct bench *bench, bool again_wanted, const char *pattern) {
  copal_time end = copal_now() + PATIENCE;
  const struct passed *passed;
  while ((passed = wire_next(&bench->wire, again_wanted)) == NULL) {
    if (copal_now() > end) fail_msg("nothing came, not %s", pattern);
    pump(bench, 50 * COPAL_MILLISECOND);
  }
  return passed;
}

static const struct passed *expect(struct bench *bench, const char *who, const char *pattern) {
  char wanted[WORDS_MAX], text[WORDS_MAX];
  snprintf(wanted, sizeof wanted, "%s: %s", who, pattern);
  const struct passed *passed = await_next(bench, strncmp(pattern, "again ", 6) == 0, wanted);
  wire_words(passed, text, sizeof text);
  if (fnmatch(wanted, text, FNM_NOESCAPE) != 0) fail_msg("%s, not %s", text, wanted);
  return passed;
}

const struct passed *client_sends(struct bench *bench, const char *pattern) { return expect(bench, "client", pattern); }
const struct passed *server_sends(struct bench *bench, const char *pattern) { return expect(bench, "server", pattern); }

void nothing_passes(struct bench *bench, copal_time duration) {
  char text[WORDS_MAX];
  let_pass(bench, duration);
  const struct passed *passed = wire_next(&bench->wire, false);
  if (passed == NULL) return;
  wire_words(passed, text, sizeof text);
  fail_msg("%s, not silence", text);
}

void skip_what_passed(struct bench *bench) { bench->wire.looked_at = bench->wire.count; }

void assert_same_mid(const struct passed *a, const struct passed *b) {
  assert_int_equal(a->view.message_id, b->view.message_id);
}

void assert_other_mid(const struct passed *a, const struct passed *b) {
  assert_int_not_equal(a->view.message_id, b->view.message_id);
}

void assert_same_token(const struct passed *a, const struct passed *b) {
  assert_int_equal(a->view.token.size, b->view.token.size);
  if (a->view.token.size > 0) assert_memory_equal(a->view.token.data, b->view.token.data, a->view.token.size);
}

void assert_same_format(const struct passed *a, const struct passed *b) {
  copal_bytes one = option_of(a, COPAL_OPTION_CONTENT_FORMAT), other = option_of(b, COPAL_OPTION_CONTENT_FORMAT);
  assert_int_equal(one.size, other.size);
  if (one.size > 0) assert_memory_equal(one.data, other.data, one.size);
}

void assert_payload(const struct passed *passed, const char *text) {
  assert_int_equal(passed->view.payload.size, strlen(text));
  assert_memory_equal(passed->view.payload.data, text, strlen(text));
}

copal_bytes option_of(const struct passed *passed, uint16_t number) {
  copal_option option;
  if (!copal_find(&passed->view, number, &option)) fail_msg("option %u is missing", number);
  return (copal_bytes){option.value, option.size};
}

uint32_t observe_of(const struct passed *passed) {
  copal_option option;
  assert_true(copal_find(&passed->view, COPAL_OPTION_OBSERVE, &option));
  return copal_option_uint(&option);
}

/* --- Our client --------------------------------------------------------------------------------- */

static void note_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct told *note = context;
  ++note->count;
  note->error = result->error;
  note->code = result->rx == NULL ? COPAL_EMPTY : result->rx->message.code;
  note->last = result->last;
  note->observed = result->observed;
  note->size = result->body.size;
  assert_true(result->body.size <= sizeof note->body);
  if (result->body.size > 0) memcpy(note->body, result->body.data, result->body.size);
}

void ask(struct bench *bench, const char *words, const struct wish *wish) {
  static uint8_t buffer[BODY_MAX];
  copal_message message;
  words_compose(words, &message, buffer, sizeof buffer);
  struct told *note = wish != NULL && wish->told != NULL ? wish->told : &bench->told;
  copal_call_options options = {.message = &message,
                                .remote = &bench->remote,
                                .handler = note_result,
                                .context = note,
                                .buffer = bench->gathered,
                                .capacity = sizeof bench->gathered};
  if (wish != NULL) {
    if (wish->size > 0) copal_message_set_payload(&message, wish->payload, wish->size);
    options.block_size = wish->block_size;
    options.observe = wish->observe;
    options.no_token = wish->no_token;
  }
  note->last = false;
  assert_int_equal(copal_call_begin(bench->client, &options, &bench->call), COPAL_OK);
}

void told(struct bench *bench, uint8_t code) {
  struct told *note = &bench->told;
  copal_time end = copal_now() + PATIENCE;
  while (note->count == note->heard) {
    if (copal_now() > end) fail_msg("the call was told nothing");
    pump(bench, 50 * COPAL_MILLISECOND);
  }
  ++note->heard;
  if (note->error != COPAL_OK) fail_msg("the call failed: %s", copal_error_text(note->error));
  assert_int_equal(note->code, code);
}

const struct passed *exchange(struct bench *bench, const char *words, const char *pattern) {
  uint8_t buffer[2048];
  char request[WORDS_MAX];
  copal_message message;
  words_compose(words, &message, buffer, sizeof buffer);
  copal_view view = copal_message_view(&message);
  words_of(&view, request, sizeof request);
  ask(bench, words, NULL);
  const struct passed *asked = client_sends(bench, request);
  const struct passed *answered = server_sends(bench, pattern);
  assert_int_equal(answered->view.type, asked->view.type == COPAL_NON ? COPAL_NON : COPAL_ACK);
  if (asked->view.type == COPAL_CON) assert_same_mid(asked, answered);
  assert_same_token(asked, answered);
  told(bench, answered->view.code);
  assert_true(bench->told.last);
  return answered;
}

/* --- By hand ------------------------------------------------------------------------------------ */

static int socket_to(const copal_address *address) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(address->port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

static const struct passed *send_by_hand(struct bench *bench, copal_message *message, uint16_t message_id) {
  if (bench->hand < 0) bench->hand = socket_to(&bench->remote);
  message->buffer[2] = (uint8_t)(message_id >> 8);
  message->buffer[3] = (uint8_t)message_id;
  assert_int_equal(send(bench->hand, message->buffer, message->size, 0), message->size);
  wire_note(&bench->wire, true, false, copal_now(), message->buffer, message->size);
  struct passed *passed = &bench->wire.passed[bench->wire.count - 1];
  passed->by_hand = true;
  return passed;
}

const struct passed *hand_sends(struct bench *bench, const char *words) {
  uint8_t buffer[2048];
  copal_message message;
  words_compose(words, &message, buffer, sizeof buffer);
  return send_by_hand(bench, &message, ++bench->hand_mid);
}

void hand_settles(struct bench *bench, copal_type type, const struct passed *passed) {
  uint8_t buffer[8];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, type, COPAL_EMPTY);
  send_by_hand(bench, &message, passed->view.message_id);
}

/* --- Others ------------------------------------------------------------------------------------- */

void meanwhile(struct bench *bench, const char *words) {
  static copal_response response;
  uint8_t buffer[2048];
  copal_message message;
  copal_open_options options = copal_open_defaults();
  options.config = copal_config_small();
  copal_endpoint *other = copal_open(NULL, &options);
  assert_non_null(other);
  words_compose(words, &message, buffer, sizeof buffer);
  copal_error error = copal_exchange(other, &message, &bench->server.address, PATIENCE, &response);
  copal_close(other);
  if (error != COPAL_OK) fail_msg("%s: %s", words, copal_error_text(error));
  if (COPAL_CODE_CLASS(response.code) != 2) fail_msg("%s: %d.%02d", words, response.code >> 5, response.code & 31);
}

void change(struct bench *bench, const char *resource, size_t size) {
  static copal_response response;
  static uint8_t body[BODY_MAX];
  static unsigned round;
  char text[128];
  if (bench->is_ours) {
    snprintf(text, sizeof text, "%s size %zu", resource, size);
    action(bench, text);
    return;
  }
  assert_true(size <= sizeof body);
  snprintf(text, sizeof text, "coap://127.0.0.1:%u/%s", bench->server.address.port, resource);
  memset(body, 'a' + (int)(round++ % 26), size);
  assert_int_equal(copal_put(text, COPAL_JSON, body, size, &response), COPAL_OK);
  assert_int_equal(COPAL_CODE_CLASS(response.code), 2);
}

void action(struct bench *bench, const char *line) {
  static copal_response response;
  char uri[64];
  assert_true(bench->is_ours);
  snprintf(uri, sizeof uri, "coap://127.0.0.1:%u/actions", bench->server.address.port);
  assert_int_equal(copal_post(uri, COPAL_TEXT_PLAIN, line, strlen(line), &response), COPAL_OK);
  assert_int_equal(response.code, COPAL_CHANGED);
}
