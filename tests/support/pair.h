/* Two bare endpoints that talk to each other, a client and a server, over a link that loses what it is told to, and a
 * clock that jumps to the next deadline. Bodies are told by position, as a dialogue's are. Include after cmocka.h. */
#ifndef COPAL_TESTS_PAIR_H
#define COPAL_TESTS_PAIR_H

#include "support/dialogue.h"

enum { PAIR_CLIENT_PORT = 40000, PAIR_LOG_MAX = 4000 };

struct pair {
  struct talk *talk; /* the client */
  struct bare *server;
  uint8_t body[TALK_BODY_MAX]; /* what the server's resource has, */
  size_t body_size;
  uint8_t stored[TALK_BODY_MAX]; /* and what was put there */
  size_t stored_size;
  unsigned executed; /* times that a handler was called for a whole body */
  unsigned gets;
  unsigned abandoned;
  bool defers;
  copal_deferred deferred;
  /* The link. */
  unsigned passed;    /* datagrams so far */
  unsigned lose;      /* the number of the one that is lost, from 1 on; 0: none */
  uint64_t lose_more; /* and of the 64 after it, by bit */
  bool (*loses)(struct pair *pair, const copal_view *view, bool to_server);
  bool is_reversed; /* each batch arrives in reverse */
  copal_time latency;
  char log[PAIR_LOG_MAX];
  size_t log_size;
};

/* --- The server's resource ------------------------------------------------------------------------ */

static inline uint64_t pair_read(void *context, uint64_t offset, void *buffer, size_t size) {
  struct pair *pair = context;
  if (offset > pair->body_size) return 0;
  if (size > pair->body_size - offset) size = pair->body_size - (size_t)offset;
  if (size > 0) memcpy(buffer, pair->body + offset, size);
  return size;
}

static inline void pair_get(copal_request *request, void *context) {
  struct pair *pair = context;
  ++pair->gets;
  copal_reply(request, COPAL_CONTENT, COPAL_OCTET_STREAM, pair->body, pair->body_size);
}

static inline void pair_get_read(copal_request *request, void *context) {
  struct pair *pair = context;
  ++pair->gets;
  copal_reply_reader(request, pair->body_size, pair_read, pair);
}

static inline void pair_put(copal_request *request, void *context) {
  struct pair *pair = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  ++pair->executed;
  pair->stored_size = payload.size;
  assert_true(payload.size <= sizeof pair->stored);
  if (payload.size > 0) memcpy(pair->stored, payload.data, payload.size);
  if (pair->defers)
    assert_int_equal(copal_defer(request, &pair->deferred), COPAL_OK);
  else
    copal_reply_code(request, COPAL_CHANGED);
}

/* Answers with a body, too. */
static inline void pair_post(copal_request *request, void *context) {
  struct pair *pair = context;
  pair_put(request, context);
  copal_reply(request, COPAL_CHANGED, COPAL_OCTET_STREAM, pair->body, pair->body_size);
}

static inline void pair_put_part(copal_request *request, void *context) {
  struct pair *pair = context;
  copal_part part = copal_request_part(request);
  if (part.offset == 0) pair->stored_size = 0;
  assert_int_equal(part.offset, pair->stored_size);
  assert_true(part.offset + part.size <= sizeof pair->stored);
  if (part.size > 0) memcpy(pair->stored + part.offset, part.data, part.size);
  pair->stored_size += part.size;
  if (!part.last) return;
  ++pair->executed;
  copal_reply_code(request, COPAL_CHANGED);
}

static inline void pair_abandon(void *context, void *state) {
  (void)state;
  ++((struct pair *)context)->abandoned;
}

/* --- Opening and closing -------------------------------------------------------------------------- */

static inline copal_config pair_config(void) {
  copal_config config = copal_config_small();
  config.peers_max = 8;
  config.exchanges_max = 32;
  config.message_size_max = 1280;
  config.messages_size = 128 << 10;
  config.replies_size = 64 << 10;
  config.outbox_max = 32;
  config.body_size_max = 64 << 10;
  config.bodies_size = 256 << 10;
  config.transfers_max = 8;
  config.peer_transfers_max = 4;
  config.peer_replies_max = 64;
  config.deferred_max = 4;
  return config;
}

static inline struct pair *pair_open_with(const copal_config *client, const copal_config *server) {
  struct pair *pair = calloc(1, sizeof *pair);
  assert_non_null(pair);
  pair->talk = talk_open(client);
  pair->server = bare_open_seeded(server, 77);
  pair->latency = 20 * COPAL_MILLISECOND;
  copal_endpoint *endpoint = pair->server->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/get", pair_get, pair), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/read", pair_get_read, pair), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/put", pair_put, pair), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_POST, "/put", pair_put, pair), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_POST, "/post", pair_post, pair), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_FETCH, "/post", pair_post, pair), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/parts", pair_put_part, pair), COPAL_OK);
  assert_int_equal(copal_route_parts(endpoint, COPAL_PUT, "/parts", pair_abandon), COPAL_OK);
  return pair;
}

static inline struct pair *pair_open(void) {
  copal_config config = pair_config();
  return pair_open_with(&config, &config);
}

static inline void pair_close(struct pair *pair) {
  talk_close(pair->talk);
  bare_close(pair->server);
  free(pair);
}

static inline void pair_set_body(struct pair *pair, size_t size, unsigned version) {
  assert_true(size <= sizeof pair->body);
  pair->body_size = size;
  talk_fill(pair->body, 0, size, version);
}

/* --- The link --------------------------------------------------------------------------------------- */

static inline bool pair_is_lost(struct pair *pair, const copal_view *view, bool to_server) {
  unsigned number = ++pair->passed;
  if (pair->loses != NULL && pair->loses(pair, view, to_server)) return true;
  if (pair->lose == 0 || number < pair->lose) return false;
  if (number == pair->lose) return true;
  return number - pair->lose <= 64 && (pair->lose_more >> (number - pair->lose - 1) & 1) != 0;
}

/* "NON PUT 1:0/1/1024", "NON 4.08 [1 9]": as much of a message as RFC 9177's figures show of it. */
static inline void pair_log(struct pair *pair, const copal_view *view, bool to_server, bool lost) {
  static const char *const types[] = {"CON", "NON", "ACK", "RST"};
  static const char *const methods[] = {"", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "IPATCH"};
  char text[256];
  size_t at = 0;
  at += (size_t)snprintf(text + at, sizeof text - at, "%s %s ",
                         to_server ? lost ? "->X" : "->"
                         : lost    ? "X<-"
                                   : "<-",
                         types[view->type]);
  if (view->code > 0 && view->code < 8)
    at += (size_t)snprintf(text + at, sizeof text - at, "%s", methods[view->code]);
  else
    at += (size_t)snprintf(text + at, sizeof text - at, "%u.%02u", view->code >> 5, view->code & 31u);
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option) && at < sizeof text - 40) {
    const char *name = NULL;
    if (option.number == COPAL_OPTION_Q_BLOCK1) name = "QB1";
    if (option.number == COPAL_OPTION_Q_BLOCK2) name = "QB2";
    if (option.number == COPAL_OPTION_BLOCK1) name = "B1";
    if (option.number == COPAL_OPTION_BLOCK2) name = "B2";
    if (name == NULL) continue;
    copal_block block = copal_block_of(copal_option_uint(&option));
    at +=
        (size_t)snprintf(text + at, sizeof text - at, " %s:%u/%d/%u", name, block.number, block.more, 16u << block.szx);
  }
  if (copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, 0) == 272) {
    at += (size_t)snprintf(text + at, sizeof text - at, " [");
    for (size_t i = 0; i < view->payload.size && at < sizeof text - 8; ++i)
      at += (size_t)snprintf(text + at, sizeof text - at, i > 0 ? " %u" : "%u", view->payload.data[i]);
    at += (size_t)snprintf(text + at, sizeof text - at, "]");
  }
  if (pair->log_size + at + 2 > sizeof pair->log) return;
  memcpy(pair->log + pair->log_size, text, at);
  pair->log_size += at;
  pair->log[pair->log_size++] = '\n';
  pair->log[pair->log_size] = 0;
}

static inline void pair_forget_log(struct pair *pair) {
  pair->log_size = 0;
  pair->log[0] = 0;
}

/* Carries all that one end has to send to the other one. Returns how many datagrams it had. */
static inline size_t pair_carry(struct pair *pair, bool to_server) {
  struct bare *from = to_server ? pair->talk->bare : pair->server;
  struct bare *to = to_server ? pair->server : pair->talk->bare;
  bare_out(from);
  size_t count = from->sent_count;
  copal_path path = bare_path(to_server ? PAIR_CLIENT_PORT : BARE_PORT);
  for (size_t i = 0; i < count; ++i) {
    const struct bare_sent *sent = &from->sent[pair->is_reversed ? count - 1 - i : i];
    bool lost = pair_is_lost(pair, &sent->view, to_server);
    pair_log(pair, &sent->view, to_server, lost);
    if (!lost) bare_in_bytes(to, &path, sent->bytes, sent->size);
  }
  return count;
}

static inline void pair_set_time(struct pair *pair, copal_time now) { pair->talk->bare->now = pair->server->now = now; }

/* Until the call is over, or so much time has passed. */
static inline void pair_run_for(struct pair *pair, copal_time limit) {
  copal_time now = pair->server->now, end = now + limit;
  while (!pair->talk->last && now < end) {
    bool any = pair_carry(pair, true) > 0;
    pair_set_time(pair, now += pair->latency);
    if (pair_carry(pair, false) > 0) any = true;
    if (pair->talk->last) break;
    if (any) continue;
    copal_time client = copal_endpoint_deadline(pair->talk->bare->endpoint);
    copal_time server = copal_endpoint_deadline(pair->server->endpoint);
    copal_time next = client < server ? client : server;
    assert_true(next != COPAL_NEVER);
    if (next > now) pair_set_time(pair, now = next);
  }
}

static inline void pair_run(struct pair *pair) { pair_run_for(pair, 2000 * COPAL_SECOND); }

/* Begins a call with Q-Block. */
static inline void pair_begin(struct pair *pair, copal_code method, const char *path, copal_call_options *options) {
  options->q_block = true;
  pair->talk->last = false;
  pair->talk->count = 0;
  copal_error error = talk_try(pair->talk, COPAL_CON, method, path, 0, options);
  assert_int_equal(error, COPAL_OK);
}

/* Nothing is left of a call at either end once its time is over. */
static inline void assert_pair_is_idle(struct pair *pair) {
  copal_time now = pair->server->now;
  for (int i = 0; i < 100; ++i) {
    pair_carry(pair, true);
    pair_carry(pair, false);
    pair_set_time(pair, now += 10 * COPAL_SECOND);
  }
  struct bare *ends[] = {pair->talk->bare, pair->server};
  for (int i = 0; i < 2; ++i) {
    copal_usage usage = copal_endpoint_usage(ends[i]->endpoint);
    assert_int_equal(usage.transfers, 0);
    assert_int_equal(usage.bodies_size, 0);
    assert_int_equal(usage.exchanges, 0);
    assert_int_equal(usage.messages_size, 0);
    assert_int_equal(usage.calls, 0);
    assert_int_equal(usage.deferred, 0);
  }
}

#endif
