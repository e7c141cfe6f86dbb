/* An endpoint as a state machine: the input is a script of datagrams, time and application calls, against tables so
 * small that each gets full. What must hold after every step stands in check_usage, check_answers and step_output; at
 * the end of the script all must come to rest. The numbers of a script mean the same on a raw endpoint and on one with
 * resources; its first bytes choose. */
#undef NDEBUG
#include "endpoint/endpoint.h"
#include "copal/rest.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
  PATHS = 7,
  DATAGRAM_MAX = 160,
  KEPT = 4,
  BATCH_MAX = 3,
  CALLS = 16,
  QUIET_STEPS_MAX = 100000,
  MESSAGES_SIZE_LARGE = 1024
};

/* --- The state that it drives ------------------------------------------------------------------- */

struct stored {
  copal_path path;
  size_t size;
  uint8_t bytes[DATAGRAM_MAX];
};

/* A request with a handler: how often it may still be called. */
struct call_state {
  copal_tx tx;
  bool open, multicast, ping;
};

struct fuzz {
  struct script script;
  copal_config config;
  copal_endpoint *endpoint;
  copal_time now;
  struct stored in[KEPT], out[KEPT]; /* the latest of each, for duplicates and answers */
  size_t in_count, out_count;
  copal_datagram given[BATCH_MAX]; /* by the last output, with a copy of the bytes */
  struct stored given_copies[BATCH_MAX];
  size_t given_count;
  copal_rx rx[KEPT]; /* handed out; their messages lie in rx_bytes */
  uint8_t rx_bytes[KEPT][DATAGRAM_MAX];
  size_t rx_count;
  copal_tx tx[KEPT];
  size_t tx_count;
  copal_deferred deferred[KEPT]; /* more than can be owed, each at its own index */
  unsigned deferred_last;
  struct call_state calls[CALLS];
  uint32_t handled;     /* handlers called */
  uint32_t volunteered; /* replies that handlers made beyond the one that is expected of them */
  uint8_t server_policy, client_policy;
};

static struct fuzz fuzz;

/* Payloads and tokens, where their bytes do not matter. */
static const uint8_t filling[DATAGRAM_MAX * 2];

static copal_path path_of(unsigned number) {
  copal_path path = {.local = {.bytes = {192, 0, 2, 1}, .port = 5683, .family = COPAL_FAMILY_IPV4}};
  path.remote = (copal_address){.bytes = {192, 0, 2, 77}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  switch (number % PATHS) {
    case 0: break;
    case 1: path.remote.port = 40000; break;
    case 2: /* to a group */ path.local.bytes[0] = 224; break;
    case 3: /* another socket's */
      path.remote = (copal_address){.bytes = {0xfe, 0x80, 1}, .scope = 3, .port = 9, .family = COPAL_FAMILY_IPV6};
      path.local = (copal_address){.family = COPAL_FAMILY_NONE};
      path.socket = 1;
      break;
    case 4: path.remote.bytes[3] = 78; break;
    /* Nobody who could be answered: no port, and a group. */
    case 5: path.remote.port = 0; break;
    case 6: path.remote.bytes[0] = 224; break;
  }
  return path;
}

/* Where a message may be sent to: to those who send, and to a group. */
static copal_address remote_of(unsigned number) {
  if (number % PATHS == 2) return (copal_address){.bytes = {224, 0, 1, 187}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  return path_of(number).remote;
}

static bool has_source(const copal_path *path) {
  return path->remote.port != 0 && !copal_address_is_multicast(&path->remote);
}

/* --- What must always hold ---------------------------------------------------------------------- */

static void check_usage(void) {
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.peers <= fuzz.config.peers_max && usage.exchanges <= fuzz.config.exchanges_max);
  assert(usage.deferred <= fuzz.config.deferred_max && usage.receptions <= fuzz.config.receptions_max);
  assert(usage.observed <= fuzz.config.observed_max && usage.observers <= fuzz.config.observers_max);
  assert(usage.messages_size <= fuzz.config.messages_size && usage.replies_size <= fuzz.config.replies_size);
  assert(fuzz.endpoint->outbox.given + fuzz.endpoint->outbox.waiting <= fuzz.config.outbox_max);
}

/* RFC 7252 4.2: "recipients of Acknowledgement and Reset messages MUST NOT respond with either". RFC 7252 3: "Messages
 * with unknown version numbers MUST be silently ignored." 8.1: nor does a Reset answer what came to a group. */
static bool must_not_be_answered(const copal_datagram *datagram) {
  if (datagram->size < 4 || datagram->data[0] >> 6 != 1 || !has_source(&datagram->path)) return true;
  copal_type type = (copal_type)(datagram->data[0] >> 4 & 3);
  return type == COPAL_ACK || type == COPAL_RST || copal_address_is_multicast(&datagram->path.local);
}

static void check_answers(const copal_datagram *datagram, uint32_t waiting_before) {
  uint32_t answers = fuzz.endpoint->outbox.waiting - waiting_before - fuzz.volunteered;
  assert(answers <= 1);
  if (must_not_be_answered(datagram)) assert(answers == 0);
}

/* What was given out is still there when the next batch goes in or out, whatever the application did meanwhile. */
static void check_given(void) {
  for (size_t i = 0; i < fuzz.given_count; ++i)
    assert(memcmp(fuzz.given[i].data, fuzz.given_copies[i].bytes, fuzz.given_copies[i].size) == 0);
}

/* --- The application's handlers ----------------------------------------------------------------- */

static void build(copal_message *message, uint8_t *buffer, size_t capacity, copal_type type, uint8_t code) {
  uint8_t shape = script_byte(&fuzz.script);
  copal_message_init(message, buffer, capacity, type, code);
  if ((shape & 1) != 0) copal_message_add_text(message, COPAL_OPTION_URI_PATH, "a");
  if ((shape & 2) != 0) copal_message_set_token(message, filling, 1 + (shape >> 7));
  if ((shape & 4) != 0) copal_message_set_payload(message, filling, shape >> 3);
}

static void deferred_reply(unsigned index) {
  uint8_t buffer[DATAGRAM_MAX];
  copal_message response;
  build(&response, buffer, sizeof buffer, COPAL_NON, COPAL_CONTENT);
  uint32_t waiting = fuzz.endpoint->outbox.waiting;
  copal_error error = copal_deferred_reply(fuzz.endpoint, fuzz.deferred[index % KEPT], &response);
  if (error == COPAL_OK)
    assert(copal_deferred_reply(fuzz.endpoint, fuzz.deferred[index % KEPT], &response) != COPAL_OK);
  fuzz.volunteered += fuzz.endpoint->outbox.waiting - waiting;
}

static void send_request(void);
static void cancel(unsigned index);

static bool defer(copal_request *request) {
  copal_deferred deferred;
  if (copal_defer(request, &deferred) != COPAL_OK) return false;
  fuzz.deferred_last = deferred.index % KEPT;
  fuzz.deferred[fuzz.deferred_last] = deferred;
  return true;
}

/* A resource changes, or its observations end; and by now some addresses may be verified. */
static void change(uint8_t kind) {
  struct peers *peers = &fuzz.endpoint->engine.peers;
  for (uint32_t i = 0; i < peers->slab.fresh && (kind & 16) != 0; ++i) peers->records[i].flags |= PEER_VERIFIED;
  size_t count = (kind & 32) != 0 ? copal_notify_end(fuzz.endpoint, "/a", COPAL_NOT_FOUND)
                                  : copal_notify(fuzz.endpoint, (kind & 64) != 0 ? "/b/c" : "/a");
  assert(count <= copal_endpoint_usage(fuzz.endpoint).observers);
}

static void serve(copal_request *request, void *context) {
  (void)context;
  ++fuzz.handled;
  if ((fuzz.client_policy & 64) != 0) change(fuzz.client_policy);
  assert(copal_request_rx(request)->has_responded);
  char tail[8];
  copal_error error = copal_request_tail(request, tail, sizeof tail);
  assert(error == COPAL_ERR_SPACE || (error == COPAL_OK && strlen(tail) < sizeof tail));
  switch (fuzz.server_policy % 8) {
    case 0: copal_reply_text(request, "text"); break;
    case 1: break; /* no reply at all */
    case 2: copal_reply(request, COPAL_CONTENT, COPAL_JSON, filling, 1u + fuzz.server_policy); break;
    case 3: copal_message_set_payload(copal_reply_message(request), filling, fuzz.config.message_size_max); break;
    case 4: defer(request); break;
    case 5: /* deferred, and answered at once: that is its one answer */
      if (!defer(request)) break;
      deferred_reply(fuzz.deferred_last);
      if (fuzz.volunteered > 0) --fuzz.volunteered;
      break;
    case 6:
      send_request();
      copal_reply_code(request, COPAL_CHANGED);
      break;
    case 7:
      deferred_reply(fuzz.server_policy >> 3);
      copal_reply_code(request, COPAL_DELETED);
      break;
  }
}

static void on_end(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  struct call_state *call = (struct call_state *)context;
  ++fuzz.handled;
  assert(endpoint == fuzz.endpoint && call->open && copal_same_tx(tx, call->tx));
  assert(rx == NULL ? error != COPAL_OK || call->ping : error == COPAL_OK); /* a ping may be acknowledged, wrongly */
  call->open = call->multicast && error == COPAL_OK;
  switch (fuzz.client_policy % 5) {
    case 0: break;
    case 1:
      if (copal_cancel(endpoint, tx) == COPAL_OK) call->open = false;
      break;
    case 2: send_request(); break;
    case 3: deferred_reply(fuzz.client_policy >> 3); break;
    case 4:
      cancel(fuzz.client_policy >> 3);
      send_request();
      break;
  }
}

/* --- Calls of the application ------------------------------------------------------------------- */

static void note_tx(copal_tx tx) { fuzz.tx[fuzz.tx_count++ % KEPT] = tx; }

static void send_request(void) {
  static const copal_time timeouts[] = {COPAL_NEVER, 0, COPAL_SECOND, 100 * COPAL_SECOND};
  struct call_state *call = fuzz.calls;
  while (call->open)
    if (++call == fuzz.calls + CALLS) return;
  uint8_t kind = script_byte(&fuzz.script), buffer[DATAGRAM_MAX];
  copal_address remote = remote_of(kind >> 3);
  copal_time timeout = timeouts[kind & 3];
  *call = (struct call_state){.open = true, .multicast = copal_address_is_multicast(&remote)};
  copal_error error;
  call->ping = (kind & 7) == 7;
  if (call->ping) {
    error = copal_ping_send(fuzz.endpoint, &remote, timeout, on_end, call, &call->tx);
  } else {
    copal_message message;
    build(&message, buffer, sizeof buffer, (kind & 4) != 0 ? COPAL_NON : COPAL_CON, COPAL_GET);
    error = copal_request_send(fuzz.endpoint, &message, &remote, timeout, on_end, call, &call->tx);
  }
  call->open = error == COPAL_OK;
  if (call->open) note_tx(call->tx);
}

static void send_message(void) {
  static const uint8_t codes[] = {COPAL_GET, COPAL_POST, COPAL_CONTENT, COPAL_EMPTY};
  uint8_t kind = script_byte(&fuzz.script), buffer[DATAGRAM_MAX];
  copal_message message;
  build(&message, buffer, sizeof buffer, (copal_type)(kind & 3), codes[kind >> 2 & 3]);
  copal_path path = path_of(kind >> 4);
  path.remote = remote_of(kind >> 4);
  if (copal_address_is_multicast(&path.local)) path.local = (copal_address){.family = COPAL_FAMILY_NONE};
  copal_tx tx;
  if (copal_send_path(fuzz.endpoint, &message, &path, &tx) == COPAL_OK) note_tx(tx);
}

static void cancel(unsigned index) {
  copal_tx tx = fuzz.tx[index % KEPT];
  copal_error error = copal_cancel(fuzz.endpoint, tx);
  assert(error == COPAL_OK || error == COPAL_ERR_STALE);
  assert(copal_cancel(fuzz.endpoint, tx) == COPAL_ERR_STALE);
  for (struct call_state *call = fuzz.calls; error == COPAL_OK && call < fuzz.calls + CALLS; ++call)
    if (copal_same_tx(call->tx, tx)) call->open = false;
}

static void look_at(unsigned index) {
  copal_tx_info info;
  copal_rx rx;
  copal_tx tx = fuzz.tx[index % KEPT];
  if (copal_tx_get(fuzz.endpoint, tx, &info) != COPAL_OK) {
    assert(copal_tx_response(fuzz.endpoint, tx, 0, &rx) == COPAL_ERR_STALE);
    return;
  }
  copal_view view;
  assert(copal_decode(info.packed.data, info.packed.size, &view) == COPAL_OK);
  assert(view.message_id == info.message_id && view.type == info.type);
  assert(info.transmissions <= fuzz.config.parameters.max_retransmit + 1);
  for (unsigned i = 0; copal_tx_response(fuzz.endpoint, tx, i, &rx) == COPAL_OK; ++i)
    assert(i < info.responses_count && rx.message.message_id == info.message_id);
}

/* Acknowledges, rejects or answers what was handed out: now or later, once or again. */
static void answer(void) {
  uint8_t kind = script_byte(&fuzz.script), buffer[DATAGRAM_MAX];
  copal_rx *rx = &fuzz.rx[kind >> 3 & (KEPT - 1)];
  if (rx->endpoint == NULL) return;
  copal_message response;
  build(&response, buffer, sizeof buffer, (kind & 1) != 0 ? COPAL_NON : COPAL_CON, COPAL_CONTENT);
  copal_error error = COPAL_OK;
  copal_tx tx;
  bool may_be_answered = rx->type == COPAL_CON || rx->type == COPAL_NON;
  switch (kind & 7) {
    case 0:
    case 1:
    case 2: error = copal_ack(rx, NULL); break;
    case 3: error = copal_ack(rx, &response); break;
    case 4:
    case 5: error = copal_reset(rx); break;
    case 6:
    case 7:
      if (copal_respond(rx, &response, &tx) == COPAL_OK) note_tx(tx);
      return;
  }
  if (error == COPAL_OK) assert(may_be_answered && rx->has_responded);
}

static void take_events(void) {
  copal_event event;
  while (copal_endpoint_event(fuzz.endpoint, &event)) {
    note_tx(event.kind == COPAL_EVENT_FAILED ? event.tx : event.rx.pertains_to);
    if (event.kind == COPAL_EVENT_FAILED) continue;
    /* Kept with a copy of its datagram, as an application would that answers later. */
    size_t index = fuzz.rx_count++ % KEPT;
    const struct stored *last = &fuzz.in[(fuzz.in_count - 1) % KEPT];
    memcpy(fuzz.rx_bytes[index], last->bytes, last->size);
    fuzz.rx[index] = event.rx;
    assert(copal_decode(fuzz.rx_bytes[index], last->size, &fuzz.rx[index].message) == COPAL_OK);
    assert(fuzz.rx[index].message.message_id == event.rx.message.message_id);
  }
}

/* --- Datagrams in ------------------------------------------------------------------------------- */

static void input(const copal_path *path, const uint8_t *bytes, size_t size) {
  assert(size <= DATAGRAM_MAX);
  uint8_t *copy = malloc(size > 0 ? size : 1); /* of exactly its size, for the sanitizer */
  assert(copy != NULL);
  memmove(copy, bytes, size);
  struct stored *stored = &fuzz.in[fuzz.in_count++ % KEPT];
  *stored = (struct stored){.path = *path, .size = size};
  memcpy(stored->bytes, copy, size);
  copal_datagram datagram = {copy, size, *path};
  uint32_t waiting = fuzz.endpoint->outbox.waiting;
  fuzz.volunteered = 0;
  if ((size & 1) != 0) take_events(); /* else failures add up */
  check_given();
  fuzz.given_count = 0;
  assert(copal_endpoint_input(fuzz.endpoint, fuzz.now, &datagram, 1) == 1);
  check_answers(&datagram, waiting);
  take_events();
  free(copy);
}

static void input_bytes(void) {
  uint8_t bytes[DATAGRAM_MAX];
  copal_path path = path_of(script_byte(&fuzz.script));
  size_t size = script_below(&fuzz.script, DATAGRAM_MAX + 1);
  for (size_t i = 0; i < size; ++i) bytes[i] = script_byte(&fuzz.script);
  input(&path, bytes, size);
}

static void input_request(void) {
  static const char *const paths[] = {"a", "b", ".well-known", "x"};
  uint8_t kind = script_byte(&fuzz.script), more = script_byte(&fuzz.script), bytes[DATAGRAM_MAX];
  copal_encoder encoder;
  bool observes = (more & 7) == 7;
  copal_path path = path_of(observes ? more >> 4 & 1 : more & 7);
  copal_encode_begin(&encoder, bytes, sizeof bytes, (kind & 1) != 0 ? COPAL_NON : COPAL_CON,
                     (uint8_t)(1 + (kind >> 1 & 3)), (uint16_t)(kind >> 6), filling, (size_t)more >> 3);
  if (observes) copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, more >> 7);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, paths[kind >> 4 & 3], strlen(paths[kind >> 4 & 3]));
  if ((kind >> 4 & 3) == 2) copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "core", 4);
  if ((kind & 8) != 0) copal_encode_option(&encoder, 13, NULL, 0);
  assert(encoder.error == COPAL_OK);
  input(&path, bytes, encoder.size);
}

/* Something that answers, or nearly answers, what was sent. */
static void input_answer(void) {
  static const struct {
    copal_type type;
    uint8_t code;
  } kinds[] = {{COPAL_ACK, COPAL_EMPTY},   {COPAL_RST, COPAL_EMPTY},   {COPAL_ACK, COPAL_CONTENT},
               {COPAL_CON, COPAL_CONTENT}, {COPAL_NON, COPAL_CONTENT}, {COPAL_RST, COPAL_CONTENT},
               {COPAL_ACK, COPAL_GET},     {COPAL_CON, COPAL_EMPTY}};
  uint8_t kind = script_byte(&fuzz.script), more = script_byte(&fuzz.script), bytes[DATAGRAM_MAX];
  if (fuzz.out_count == 0) return;
  const struct stored *asked = &fuzz.out[(kind >> 3) % KEPT];
  copal_view view;
  if (asked->size == 0) return;
  assert(copal_decode(asked->bytes, asked->size, &view) == COPAL_OK);
  copal_type type = kinds[kind & 7].type;
  uint8_t code = kinds[kind & 7].code;
  bool has_own_mid = type == COPAL_CON || type == COPAL_NON;
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, sizeof bytes, type, code, has_own_mid ? more : view.message_id, view.token.data,
                     code == COPAL_EMPTY ? 0 : view.token.size - ((kind & 128) != 0 && view.token.size > 0));
  if ((kind & 64) != 0 && code != COPAL_EMPTY) copal_encode_option(&encoder, more | 1u, NULL, 0);
  copal_path path = asked->path;
  if (copal_address_is_multicast(&path.remote)) path = path_of(more);
  if ((kind & 32) != 0) path = path_of(more);
  assert(encoder.error == COPAL_OK);
  input(&path, bytes, encoder.size);
}

static void input_again(void) {
  uint8_t kind = script_byte(&fuzz.script);
  struct stored stored = fuzz.in[kind % KEPT];
  if (fuzz.in_count == 0) return;
  if ((kind & 128) != 0) stored.path = path_of(kind >> 2);
  if (stored.path.remote.family != COPAL_FAMILY_NONE) input(&stored.path, stored.bytes, stored.size);
}

static void input_unreachable(void) {
  uint8_t kind = script_byte(&fuzz.script);
  struct stored *sent = &fuzz.out[kind % KEPT];
  size_t size = (kind & 4) != 0 ? sent->size : (size_t)kind >> 3;
  if (size > sent->size) size = sent->size;
  copal_endpoint_unreachable(fuzz.endpoint, fuzz.now, &sent->path, sent->bytes, size);
}

/* --- Time and datagrams out --------------------------------------------------------------------- */

static void step_output(size_t count_max) {
  check_given();
  copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
  uint32_t handled = fuzz.handled, failures = fuzz.endpoint->failures.count;
  copal_datagram datagrams[BATCH_MAX];
  size_t count = copal_endpoint_output(fuzz.endpoint, fuzz.now, datagrams, count_max);
  assert(count <= count_max);
  /* The deadline is "never later than anything is due". */
  if (deadline > fuzz.now) assert(count == 0 && fuzz.handled == handled && fuzz.endpoint->failures.count == failures);
  /* What is given out keeps its place in the outbox: ACKs of deferred responses may have to wait for the next call. */
  bool is_full = fuzz.endpoint->outbox.given == fuzz.config.outbox_max;
  /* So does what handlers have notified of meanwhile. */
  bool is_early = is_full || fuzz.endpoint->observers.to_make > 0;
  if (count < count_max && !is_early) assert(copal_endpoint_deadline(fuzz.endpoint) > fuzz.now);
  fuzz.given_count = count;
  for (size_t i = 0; i < count; ++i) {
    copal_view view;
    assert(datagrams[i].size <= fuzz.config.message_size_max);
    assert(copal_decode(datagrams[i].data, datagrams[i].size, &view) == COPAL_OK);
    struct stored *stored = &fuzz.out[fuzz.out_count++ % KEPT];
    *stored = (struct stored){.path = datagrams[i].path, .size = datagrams[i].size};
    memcpy(stored->bytes, datagrams[i].data, datagrams[i].size);
    fuzz.given[i] = datagrams[i];
    fuzz.given_copies[i] = *stored;
  }
}

static void step_time(void) {
  static const copal_time units[] = {
      0, COPAL_MILLISECOND, 100 * COPAL_MILLISECOND, 2 * COPAL_SECOND, 60 * COPAL_SECOND, 300 * COPAL_SECOND};
  uint8_t kind = script_byte(&fuzz.script);
  copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
  if (kind % 8 < 6)
    fuzz.now += units[kind % 8] * (1 + (kind >> 3));
  else if (deadline != COPAL_NEVER && deadline > fuzz.now)
    fuzz.now = kind % 8 == 6 ? deadline : deadline - 1;
}

static void wait_until_nothing_is_due(void) {
  for (unsigned step = 0; copal_endpoint_deadline(fuzz.endpoint) != COPAL_NEVER; ++step) {
    assert(step < QUIET_STEPS_MAX);
    copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
    if (deadline > fuzz.now) fuzz.now = deadline;
    step_output(BATCH_MAX);
  }
  fuzz.now += 365 * 86400 * COPAL_SECOND;
  step_output(BATCH_MAX);
  assert(fuzz.given_count == 0);
}

/* Everything that waits ends of itself, but for the responses that are owed. When these are sent, nothing is left. */
static void come_to_rest(void) {
  fuzz.script.at = fuzz.script.end;
  fuzz.server_policy = fuzz.client_policy = 0;
  copal_notify_end(fuzz.endpoint, "/a", COPAL_NOT_FOUND);
  wait_until_nothing_is_due();
  for (unsigned i = 0; i < KEPT; ++i) {
    deferred_reply(i);
    wait_until_nothing_is_due();
  }
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.exchanges == 0 && usage.receptions == 0 && usage.observers == 0 && usage.observed == 0);
  /* The smallest store may have no room for a response beside the tokens of those that are owed. */
  if (usage.deferred > 0) {
    assert(fuzz.config.messages_size < MESSAGES_SIZE_LARGE);
    return;
  }
  assert(usage.messages_size == 0);
  for (size_t i = 0; i < CALLS; ++i) assert(!fuzz.calls[i].open);
  for (uint32_t i = 0; i < usage.peers; ++i) assert((fuzz.endpoint->engine.peers.records[i].flags & PEER_BUSY) == 0);
}

/* --- A script ----------------------------------------------------------------------------------- */

static void step(void) {
  switch (script_below(&fuzz.script, 16)) {
    case 0: input_bytes(); break;
    case 1:
    case 2: input_request(); break;
    case 3:
    case 4: input_answer(); break;
    case 5: input_again(); break;
    case 6: input_unreachable(); break;
    case 7: step_time(); break;
    case 8: step_output(script_below(&fuzz.script, BATCH_MAX + 1)); break;
    case 9: send_message(); break;
    case 10: send_request(); break;
    case 11: cancel(script_byte(&fuzz.script)); break;
    case 12: deferred_reply(script_byte(&fuzz.script)); break;
    case 13: answer(); break;
    case 14: look_at(script_byte(&fuzz.script)); break;
    case 15:
      fuzz.server_policy = script_byte(&fuzz.script);
      fuzz.client_policy = script_byte(&fuzz.script);
      if ((fuzz.server_policy & 8) != 0) change(fuzz.server_policy);
      break;
  }
  check_usage();
}

static void configure(void) {
  uint8_t kind = script_byte(&fuzz.script), sizes = script_byte(&fuzz.script);
  copal_config *config = &fuzz.config;
  *config = copal_config_small();
  config->raw = (kind & 1) != 0;
  config->parameters.nstart = (kind & 2) != 0 ? 2 : 1;
  config->parameters.probing_rate = (kind & 4) != 0 ? 1 : 0;
  config->parameters.max_retransmit = (kind & 8) != 0 ? 4 : kind >> 4 & 1;
  config->parameters.ack_delay = (kind & 32) != 0 ? 500 * COPAL_MILLISECOND : 0;
  config->parameters.leisure = (kind & 64) != 0 ? 5 * COPAL_SECOND : 0;
  config->peers_max = 1 + (sizes & 3);
  config->exchanges_max = 1 + (sizes >> 2 & 3);
  config->message_size_max = (sizes & 16) != 0 ? 128 : 64;
  config->messages_size = (sizes & 32) != 0 ? MESSAGES_SIZE_LARGE : 128;
  config->replies_size = (sizes & 64) != 0 ? 2048 : 2 * (config->message_size_max + 64);
  config->peer_replies_max = (sizes & 128) != 0 ? 4 : 1;
  config->outbox_max = 1 + (kind >> 7);
  /* In the smallest store the tokens of responses that are owed may be in the way of notifications for ever. */
  if (config->messages_size < MESSAGES_SIZE_LARGE) config->observed_max = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[32] = {1};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  configure();
  size_t need = copal_endpoint_size(&fuzz.config);
  void *memory = calloc(1, need);
  assert(need > 0 && memory != NULL);
  fuzz.endpoint = copal_endpoint_init(memory, need, &fuzz.config, seed, fuzz.now);
  assert(fuzz.endpoint != NULL);
  assert(copal_route(fuzz.endpoint, COPAL_GET, "/a", serve, NULL) == COPAL_OK);
  assert(copal_route(fuzz.endpoint, COPAL_POST, "/a", serve, NULL) == COPAL_OK);
  assert(copal_route(fuzz.endpoint, COPAL_GET, "/b/*", serve, NULL) == COPAL_OK);
  if (!fuzz.config.raw) {
    copal_time confirm_every = (fuzz.config.outbox_max & 1) != 0 ? 30 * COPAL_SECOND : 0;
    assert(copal_route_observable(fuzz.endpoint, "/a", confirm_every) == COPAL_OK);
  }
  while (fuzz.script.at != fuzz.script.end) step();
  come_to_rest();
  free(memory);
  return 0;
}
