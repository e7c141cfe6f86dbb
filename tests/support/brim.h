/* An endpoint of which a test fills one table to the brim, and what must go on working meanwhile: probes, each of which
 * uses a part of the endpoint and leaves nothing behind but the memory of replies. Include after cmocka.h. */
#ifndef COPAL_TESTS_BRIM_H
#define COPAL_TESTS_BRIM_H

#include "support/bare.h"

enum { BRIM_OWED_MAX = 16, BRIM_BLOCK = 64, BRIM_BODY_MAX = 2048, BRIM_OTHER_PORT = 4000 };

struct brim {
  struct bare *bare;
  copal_endpoint *endpoint;
  uint16_t mid;
  unsigned executed; /* requests that are not idempotent */
  unsigned ended;    /* calls */
  size_t reply_size; /* of what POST /body gives */
  copal_deferred owed[BRIM_OWED_MAX];
  unsigned owed_count;
  copal_error defer_error;
};

/* Room for everything. */
static inline copal_config brim_config(void) {
  copal_config config = copal_config_small();
  config.peers_max = config.exchanges_max = 64;
  config.messages_size = config.replies_size = 64 << 10;
  config.outbox_max = 64;
  config.peer_replies_max = 64;
  config.deferred_max = BRIM_OWED_MAX;
  config.receptions_max = 32;
  config.routes_max = 16;
  config.body_size_max = 1024;
  config.bodies_size = 64 << 10;
  config.transfers_max = 32;
  config.peer_transfers_max = 8;
  config.calls_max = 16;
  config.observed_max = 16;
  config.observers_max = 32;
  config.peer_observers_max = 8;
  config.amplification_max = 0;
  config.parameters.probing_rate = 0;
  return config;
}

/* --- Resources ---------------------------------------------------------------------------------- */

static inline const uint8_t *brim_body(void) {
  static uint8_t body[BRIM_BODY_MAX];
  for (size_t i = 0; i < sizeof body; ++i) body[i] = (uint8_t)(i * 7 + i / 251);
  return body;
}

static inline void brim_read(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "ok");
}

static inline void brim_execute(copal_request *request, void *context) {
  ++((struct brim *)context)->executed;
  copal_reply_code(request, COPAL_CHANGED);
}

static inline void brim_give_body(copal_request *request, void *context) {
  struct brim *brim = context;
  ++brim->executed;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, brim_body(), brim->reply_size);
}

static inline void brim_defer(copal_request *request, void *context) {
  struct brim *brim = context;
  copal_deferred deferred;
  brim->defer_error = copal_defer(request, &deferred);
  if (brim->defer_error == COPAL_OK) {
    assert_true(brim->owed_count < BRIM_OWED_MAX);
    brim->owed[brim->owed_count++] = deferred;
  } else {
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
  }
}

static inline void brim_open(struct brim *brim, const copal_config *config) {
  *brim = (struct brim){.bare = bare_open(config), .mid = 1, .reply_size = 3 * BRIM_BLOCK};
  brim->endpoint = brim->bare->endpoint;
  static const struct {
    copal_code code;
    const char *path;
    copal_handler *handler;
  } routes[] = {{COPAL_GET, "/ok", brim_read},         {COPAL_POST, "/ok", brim_execute},
                {COPAL_GET, "/later", brim_defer},     {COPAL_PUT, "/body", brim_execute},
                {COPAL_POST, "/body", brim_give_body}, {COPAL_GET, "/watch/{it}", brim_read}};
  if (config->raw) return;
  for (size_t i = 0; i < sizeof routes / sizeof *routes; ++i)
    assert_int_equal(copal_route(brim->endpoint, routes[i].code, routes[i].path, routes[i].handler, brim), COPAL_OK);
  assert_int_equal(copal_route_observable(brim->endpoint, "/watch/{it}", 0), COPAL_OK);
}

static inline copal_usage brim_usage(const struct brim *brim) { return copal_endpoint_usage(brim->endpoint); }

static inline const copal_counters *brim_counters(const struct brim *brim) {
  return copal_endpoint_counters(brim->endpoint);
}

/* --- Requests to it ------------------------------------------------------------------------------ */

struct brim_ask {
  copal_code code;
  const char *path;
  size_t payload;  /* of the body, from the block on */
  bool has_block1; /* of BRIM_BLOCK bytes */
  copal_block block1;
  const char *tag; /* Request-Tag, or NULL */
  bool has_observe;
  uint32_t observe;
  uint8_t token;
};

/* Writes a request, CON, with a new message ID. */
static inline size_t brim_write(struct brim *brim, uint8_t buffer[512], const struct brim_ask *ask) {
  copal_message message;
  copal_message_init(&message, buffer, 512, COPAL_CON, (uint8_t)ask->code);
  copal_message_set_token(&message, &ask->token, 1);
  copal_error error = copal_path_to_options(ask->path, strlen(ask->path), COPAL_OPTION_URI_PATH, &message);
  assert_int_equal(error, COPAL_OK);
  if (ask->has_observe) copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, ask->observe);
  size_t offset = 0;
  if (ask->has_block1) {
    copal_message_add_uint(&message, COPAL_OPTION_BLOCK1, copal_block_value(ask->block1));
    offset = (size_t)ask->block1.number * BRIM_BLOCK;
  }
  if (ask->tag != NULL) copal_message_add_text(&message, COPAL_OPTION_REQUEST_TAG, ask->tag);
  if (ask->payload > 0) copal_message_set_payload(&message, brim_body() + offset, ask->payload);
  assert_int_equal(message.error, COPAL_OK);
  buffer[2] = (uint8_t)(brim->mid >> 8);
  buffer[3] = (uint8_t)brim->mid++;
  return message.size;
}

static inline void brim_send(struct brim *brim, uint16_t port, const struct brim_ask *ask) {
  uint8_t buffer[512];
  size_t size = brim_write(brim, buffer, ask);
  copal_path path = bare_path(port);
  bare_in_bytes(brim->bare, &path, buffer, size);
}

/* The code that it is answered with, the only thing that goes out; COPAL_EMPTY where nothing does. */
static inline uint8_t brim_answer(struct brim *brim, uint16_t port, const struct brim_ask *ask) {
  brim_send(brim, port, ask);
  bare_out(brim->bare);
  if (brim->bare->sent_count == 0) return COPAL_EMPTY;
  assert_int_equal(brim->bare->sent_count, 1);
  assert_int_equal(brim->bare->sent[0].path.remote.port, port);
  return brim->bare->sent[0].view.code;
}

static inline uint8_t brim_get(struct brim *brim, uint16_t port, const char *path) {
  return brim_answer(brim, port, &(struct brim_ask){.code = COPAL_GET, .path = path});
}

static inline uint8_t brim_post(struct brim *brim, uint16_t port) {
  return brim_answer(brim, port, &(struct brim_ask){.code = COPAL_POST, .path = "/ok"});
}

/* A block of PUT /body. */
static inline uint8_t brim_put_block(struct brim *brim, uint16_t port, uint32_t number, bool more, size_t size) {
  return brim_answer(
      brim, port,
      &(struct brim_ask){
          .code = COPAL_PUT, .path = "/body", .payload = size, .has_block1 = true, .block1 = {number, more, 2}});
}

/* Whether an observer was registered, or with 1 any more is. */
static inline bool brim_observe(struct brim *brim, uint16_t port, const char *path, uint8_t token, uint32_t observe) {
  struct brim_ask ask = {.code = COPAL_GET, .path = path, .has_observe = true, .observe = observe, .token = token};
  assert_int_equal(brim_answer(brim, port, &ask), COPAL_CONTENT);
  copal_option option;
  return copal_find(&brim->bare->sent[0].view, COPAL_OPTION_OBSERVE, &option);
}

/* --- Requests of its own ---------------------------------------------------------------------------- */

static inline void brim_ended(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint;
  (void)call;
  ((struct brim *)context)->ended += result->last;
}

static inline copal_error brim_begin_call(struct brim *brim, uint16_t port, copal_call *call) {
  struct bare_message message;
  copal_address remote = bare_address(port);
  copal_call_options options = {.message = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL),
                                .remote = &remote,
                                .handler = brim_ended,
                                .context = brim};
  return copal_call_begin(brim->endpoint, &options, call);
}

static inline copal_error brim_begin_request(struct brim *brim, uint16_t port, struct bare_call *call, copal_tx *tx) {
  struct bare_message message;
  copal_address remote = bare_address(port);
  memset(call, 0, sizeof *call);
  return copal_request_send(brim->endpoint, bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL), &remote, COPAL_NEVER,
                            bare_called, call, tx);
}

/* What went out last is answered: piggybacked, 2.05. */
static inline void brim_respond(struct brim *brim, const struct bare_sent *to) {
  uint8_t buffer[64];
  copal_encoder encoder;
  copal_path path = bare_path(to->path.remote.port);
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT, to->view.message_id,
                     to->view.token.data, to->view.token.size);
  assert_int_equal(encoder.error, COPAL_OK);
  bare_in_bytes(brim->bare, &path, buffer, encoder.size);
}

/* --- What works whatever is full ------------------------------------------------------------------ */

static inline void brim_probe_serving(struct brim *brim) {
  assert_int_equal(brim_get(brim, BRIM_OTHER_PORT, "/ok"), COPAL_CONTENT);
}

static inline void brim_probe_executing(struct brim *brim) {
  unsigned executed = brim->executed;
  assert_int_equal(brim_post(brim, BRIM_OTHER_PORT), COPAL_CHANGED);
  assert_int_equal(brim->executed, executed + 1);
}

static inline void brim_probe_pings(struct brim *brim) {
  bare_in_from(brim->bare, BRIM_OTHER_PORT, "4000%04x", brim->mid);
  const struct bare_sent *sent = bare_out_one(brim->bare);
  assert_int_equal(sent->view.type, COPAL_RST);
  assert_int_equal(sent->view.message_id, brim->mid++);
}

static inline void brim_probe_asking(struct brim *brim) {
  struct bare_call call;
  assert_int_equal(brim_begin_request(brim, BRIM_OTHER_PORT, &call, NULL), COPAL_OK);
  brim_respond(brim, bare_out_one(brim->bare));
  assert_int_equal(call.count, 1);
  assert_int_equal(call.code, COPAL_CONTENT);
}

static inline void brim_probe_calling(struct brim *brim) {
  copal_call call;
  unsigned ended = brim->ended;
  assert_int_equal(brim_begin_call(brim, BRIM_OTHER_PORT, &call), COPAL_OK);
  brim_respond(brim, bare_out_one(brim->bare));
  assert_int_equal(brim->ended, ended + 1);
}

/* Answers what is owed longest. */
static inline void brim_pay(struct brim *brim) {
  struct bare_message message;
  assert_true(brim->owed_count > 0);
  assert_int_equal(
      copal_deferred_reply(brim->endpoint, brim->owed[0], bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, NULL)),
      COPAL_OK);
  memmove(brim->owed, brim->owed + 1, --brim->owed_count * sizeof *brim->owed);
}

static inline void brim_probe_deferring(struct brim *brim) {
  assert_int_equal(brim->owed_count, 0);
  assert_int_equal(brim_get(brim, BRIM_OTHER_PORT, "/later"), COPAL_EMPTY);
  assert_int_equal(brim->defer_error, COPAL_OK);
  brim_pay(brim);
  assert_int_equal(bare_out_one(brim->bare)->view.type, COPAL_ACK);
}

static inline void brim_probe_gathering(struct brim *brim) {
  unsigned executed = brim->executed;
  assert_int_equal(brim_put_block(brim, BRIM_OTHER_PORT, 0, true, BRIM_BLOCK), COPAL_CONTINUE);
  assert_int_equal(brim_put_block(brim, BRIM_OTHER_PORT, 1, false, 1), COPAL_CHANGED);
  assert_int_equal(brim->executed, executed + 1);
}

static inline void brim_probe_observing(struct brim *brim) {
  assert_true(brim_observe(brim, BRIM_OTHER_PORT, "/watch/other", 0xee, 0));
  assert_int_equal(copal_notify(brim->endpoint, "/watch/other"), 1);
  const struct bare_sent *sent = bare_out_one(brim->bare);
  bare_in_from(brim->bare, BRIM_OTHER_PORT, "6000%04x", sent->view.message_id);
  assert_false(brim_observe(brim, BRIM_OTHER_PORT, "/watch/other", 0xee, 1));
}

enum brim_probes {
  BRIM_SERVING = 1,
  BRIM_EXECUTING = 2,
  BRIM_PINGS = 4,
  BRIM_ASKING = 8,
  BRIM_CALLING = 16,
  BRIM_DEFERRING = 32,
  BRIM_GATHERING = 64,
  BRIM_OBSERVING = 128,
  BRIM_ALL = 255
};

/* All but these work. */
static inline void assert_works_but(struct brim *brim, unsigned but) {
  if ((but & BRIM_SERVING) == 0) brim_probe_serving(brim);
  if ((but & BRIM_EXECUTING) == 0) brim_probe_executing(brim);
  if ((but & BRIM_PINGS) == 0) brim_probe_pings(brim);
  if ((but & BRIM_ASKING) == 0) brim_probe_asking(brim);
  if ((but & BRIM_CALLING) == 0) brim_probe_calling(brim);
  if ((but & BRIM_DEFERRING) == 0) brim_probe_deferring(brim);
  if ((but & BRIM_GATHERING) == 0) brim_probe_gathering(brim);
  if ((but & BRIM_OBSERVING) == 0) brim_probe_observing(brim);
}

/* Nothing is held any more, and everything works. Replies that are remembered, and peers, stay until others need their
 * room. */
static inline void brim_close(struct brim *brim) {
  if (brim_usage(brim).transfers > 0) brim->bare->now += 300 * COPAL_SECOND;
  assert_out(brim->bare, "");
  assert_out(brim->bare, ""); /* lets go of what the output before gave out */
  copal_usage usage = brim_usage(brim);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
  assert_int_equal(usage.deferred, 0);
  assert_int_equal(usage.receptions, 0);
  assert_int_equal(usage.transfers, 0);
  assert_int_equal(usage.bodies_size, 0);
  assert_int_equal(usage.calls, 0);
  assert_int_equal(usage.observed, 0);
  assert_int_equal(usage.observers, 0);
  assert_true(copal_endpoint_deadline(brim->endpoint) == COPAL_NEVER);
  bare_close(brim->bare);
}

#endif
