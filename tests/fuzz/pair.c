/* Two endpoints that both serve and ask, with tables so small that each gets full, and a network between them that the
 * input rules: it is a script of calls, of what handlers do, of datagrams that arrive, late, twice, in any order or not
 * at all, and of time. On half of the networks datagrams are mutilated, too, or come from a stranger; on the others a
 * body that arrives is a body that was sent, a response is the response to its request, and what is not idempotent is
 * executed once at most. In any case a call ends once, its handlers are called while it is there, an endpoint stays
 * within its memory and its limits, and has something to do when its deadline says so. At the end the network works:
 * then every observation gets the newest state, every call ends, and nothing is left. */
#undef NDEBUG
#include "copal/rest.h"
#include "endpoint/endpoint.h"
#include "fuzz/numbered.h"
#include "fuzz/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS = 6, ROOM_MAX = 520, IDS_MAX = 200, OWED = 4, TX_KEPT = 4, BATCH_MAX = 3 };
enum { GUARD_SIZE = 64, GUARD = 0xa5, ANSWER = 0x8000, QUIET_STEPS_MAX = 200000, STATE_SIZE = 5 };

/* A call of the application, and what it may still be told. */
struct caller {
  copal_call call;
  bool open, observes, multicast, writes, unanswered;
  bool no_token; /* what it is answered with may be the answer to an earlier one without a token */
  uint16_t id;   /* of the request's body, and so of the answer's */
  uint8_t method;
  size_t source_size, taken, capacity;
  uint16_t seen;      /* version of what is observed */
  bool is_state_lost; /* the latest state could not be had: there is no room for it, say */
  uint8_t room[ROOM_MAX];
};

/* A single request: copal_request_send, copal_ping_send. */
struct asker {
  copal_tx tx;
  bool open, multicast;
};

struct end {
  unsigned number;
  uint8_t *memory;
  size_t need;
  copal_config config;
  copal_endpoint *endpoint;
  struct caller callers[CALLS];
  struct asker askers[CALLS];
  copal_tx tx[TX_KEPT];
  unsigned tx_count;
  copal_deferred owed[OWED];
  uint16_t owed_ids[OWED];
  unsigned owed_count;
  uint16_t version;               /* of what is observed */
  uint8_t policy, mood, reaction; /* of handlers of requests, and of results */
  uint8_t executed[IDS_MAX];
  int parts;
};

struct fuzz {
  struct script script;
  struct wire wire;
  struct end ends[WIRE_ENDS];
  copal_time now;
  uint16_t ids;
  unsigned depth;
  bool hostile; /* datagrams are mutilated */
};

static struct fuzz fuzz;

/* --- What must always hold --------------------------------------------------------------------------------- */

static void check_end(const struct end *end) {
  const copal_config *config = &end->config;
  copal_usage usage = copal_endpoint_usage(end->endpoint);
  assert(usage.peers <= config->peers_max && usage.exchanges <= config->exchanges_max);
  assert(usage.deferred <= config->deferred_max && usage.receptions <= config->receptions_max);
  assert(usage.messages_size <= config->messages_size && usage.replies_size <= config->replies_size);
  assert(usage.transfers <= config->transfers_max && usage.bodies_size <= config->bodies_size);
  assert(usage.observed <= config->observed_max && usage.observers <= config->observers_max);
  uint32_t open = 0;
  for (unsigned i = 0; i < CALLS; ++i) open += end->callers[i].open;
  assert(usage.calls == open);
  assert(end->parts >= 0 && (uint32_t)end->parts <= usage.transfers);
  for (size_t i = 0; i < GUARD_SIZE; ++i)
    assert(end->memory[i] == GUARD && end->memory[GUARD_SIZE + end->need + i] == GUARD);
}

/* --- Calls of the application ------------------------------------------------------------------------------ */

static void begin_call(struct end *end);
static void cancel_call(struct end *end, unsigned number);

static struct end *end_of(const copal_endpoint *endpoint) {
  return &fuzz.ends[endpoint == fuzz.ends[1].endpoint ? 1 : 0];
}

static uint64_t read_source(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct caller *caller = (const struct caller *)context;
  assert(caller->open && offset <= caller->source_size && size > 0);
  return body_fill(caller->id, offset, (uint8_t *)buffer, size);
}

static bool write_sink(void *context, uint64_t offset, const void *data, size_t size) {
  struct caller *caller = (struct caller *)context;
  assert(caller->open && caller->writes);
  if (offset == 0) caller->taken = 0;
  assert(offset == caller->taken);
  if (size > ROOM_MAX - caller->taken) return false;
  memcpy(caller->room + caller->taken, data, size);
  caller->taken += size;
  return true;
}

/* What a call was answered with: the body that belongs to it. */
static void check_answer(struct caller *caller, const copal_result *result) {
  uint8_t code = result->rx->message.code;
  copal_bytes body = result->body;
  if (COPAL_CODE_CLASS(code) != 2 || caller->multicast || caller->no_token) return;
  if (caller->writes && body.size == 0) body = (copal_bytes){caller->room, caller->taken};
  assert(result->body_size == body.size);
  if (code != COPAL_CONTENT) {
    if (body.size == 0) return;
    assert(body_id(body) == (caller->id | ANSWER));
    return;
  }
  uint16_t version = body_id(body);
  assert((version & ANSWER) == 0);
  if (!caller->observes) return;
  caller->seen = version;
}

static void on_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct caller *caller = (struct caller *)context;
  struct end *end = end_of(endpoint);
  assert(caller->open && (caller->call.generation == 0 || caller->call.generation == call.generation));
  assert(result->error == COPAL_OK || result->rx == NULL);
  assert(result->rx != NULL || result->error != COPAL_OK || caller->unanswered || fuzz.hostile);
  assert(result->last || caller->observes || caller->multicast);
  if (result->rx != NULL && !fuzz.hostile) check_answer(caller, result);
  caller->is_state_lost = result->rx == NULL || COPAL_CODE_CLASS(result->rx->message.code) != 2;
  caller->open = !result->last;
  caller->taken = 0;
  if (fuzz.depth > 1) return;
  ++fuzz.depth;
  if ((end->reaction & 3) == 1) begin_call(end);
  if ((end->reaction & 3) == 2) cancel_call(end, end->reaction >> 2);
  --fuzz.depth;
}

static void begin_call(struct end *end) {
  static const uint8_t methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_FETCH};
  static const char *const paths[] = {"whole", "parts", "seen", "later"};
  static const copal_time timeouts[] = {0, 0, 5 * COPAL_SECOND, 200 * COPAL_SECOND};
  struct caller *caller = end->callers;
  while (caller->open)
    if (++caller == end->callers + CALLS) return;
  uint8_t kind = script_byte(&fuzz.script), shape = script_byte(&fuzz.script), buffer[ROOM_MAX + 64], body[BODY_MAX];
  if (fuzz.ids == IDS_MAX) return;
  *caller = (struct caller){.open = true, .method = methods[kind & 3], .id = fuzz.ids++, .writes = (shape & 1) != 0};
  caller->multicast = caller->method == COPAL_GET && shape >= 250;
  caller->observes = caller->method == COPAL_GET && (kind & 4) != 0 && !caller->multicast;
  caller->capacity = (shape & 2) != 0 ? ROOM_MAX : 0;
  caller->source_size = body_size(caller->id);
  copal_address remote = caller->multicast ? wire_group() : wire_address(1 - end->number);
  bool reads = caller->method != COPAL_GET && (shape & 4) != 0;
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, (kind & 8) != 0 || caller->multicast ? COPAL_NON : COPAL_CON,
                     caller->method);
  caller->no_token = (kind & 192) == 128;
  const char *path = caller->observes ? "seen" : paths[kind >> 4 & 3];
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  caller->unanswered = (kind & 192) == 192 && !caller->observes;
  if (caller->unanswered) copal_message_add_uint(&message, COPAL_OPTION_NO_RESPONSE, 26);
  if (caller->method != COPAL_GET && !reads)
    copal_message_set_payload(&message, body, body_fill(caller->id, 0, body, sizeof body));
  copal_call_options options = {.message = &message,
                                .remote = &remote,
                                .handler = on_result,
                                .context = caller,
                                .timeout = timeouts[shape >> 3 & 3],
                                .read = reads ? read_source : NULL,
                                .size = reads ? caller->source_size : 0,
                                .write = caller->writes ? write_sink : NULL,
                                .body_context = caller,
                                .buffer = caller->capacity > 0 && !caller->writes ? caller->room : NULL,
                                .capacity = caller->writes ? 0 : caller->capacity,
                                .block_size = (uint16_t)((shape & 32) != 0 ? 16 << (shape >> 6) : 0),
                                .ahead = shape & 7,
                                .observe = caller->observes,
                                .q_block = (kind & 64) != 0,
                                .no_token = caller->no_token};
  caller->open = copal_call_begin(end->endpoint, &options, &caller->call) == COPAL_OK;
}

static void cancel_call(struct end *end, unsigned number) {
  struct caller *caller = &end->callers[number % CALLS];
  copal_error error = copal_call_cancel(end->endpoint, caller->call, (number & 8) != 0);
  assert(error == (caller->open ? COPAL_OK : COPAL_ERR_STALE));
  assert(copal_call_cancel(end->endpoint, caller->call, false) == COPAL_ERR_STALE);
  caller->open = false;
}

static void on_response(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  struct asker *asker = (struct asker *)context;
  (void)endpoint;
  assert(asker->open && copal_same_tx(tx, asker->tx));
  assert(rx == NULL || error == COPAL_OK);
  asker->open = asker->multicast && error == COPAL_OK;
}

static void note_tx(struct end *end, copal_tx tx) { end->tx[end->tx_count++ % TX_KEPT] = tx; }

/* A request of one exchange, a ping, one without state, or a message with a record. */
static void send_single(struct end *end) {
  uint8_t kind = script_byte(&fuzz.script), buffer[64], state[STATE_SIZE] = {'s', 't', 'a', 't', 'e'};
  struct asker *asker = &end->askers[kind >> 5 & 3];
  copal_address remote = (kind & 16) != 0 ? wire_group() : wire_address(1 - end->number);
  copal_message message;
  copal_error error = COPAL_ERR_TYPE;
  copal_tx tx;
  copal_message_init(&message, buffer, sizeof buffer, (kind & 4) != 0 ? COPAL_NON : COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "whole");
  if ((kind & 3) == 2) copal_message_set_payload(&message, state, sizeof state);
  if ((kind & 3) == 3) {
    copal_bytes given = {state, sizeof state};
    error = copal_stateless_send(end->endpoint, &message, &remote, given);
    assert(error != COPAL_OK || (kind & 20) == 4);
    return;
  }
  if ((kind & 3) == 2) {
    if (copal_send(end->endpoint, &message, &remote, &tx) == COPAL_OK) note_tx(end, tx);
    return;
  }
  if (asker->open) return;
  *asker = (struct asker){.open = true, .multicast = (kind & 16) != 0};
  copal_time timeout = (kind & 8) != 0 ? COPAL_NEVER : 30 * COPAL_SECOND;
  if ((kind & 3) == 0)
    error = copal_request_send(end->endpoint, &message, &remote, timeout, on_response, asker, &asker->tx);
  else
    error = copal_ping_send(end->endpoint, &remote, timeout, on_response, asker, &asker->tx);
  asker->open = error == COPAL_OK;
  if (asker->open) note_tx(end, asker->tx);
}

static void cancel_single(struct end *end, unsigned number) {
  copal_tx tx = end->tx[number % TX_KEPT];
  bool gone = copal_cancel(end->endpoint, tx) == COPAL_ERR_STALE;
  assert(copal_cancel(end->endpoint, tx) == COPAL_ERR_STALE);
  for (struct asker *asker = end->askers; !gone && asker < end->askers + CALLS; ++asker)
    if (copal_same_tx(asker->tx, tx)) asker->open = false;
}

static void on_stateless(copal_endpoint *endpoint, copal_bytes state, const copal_rx *rx, void *context) {
  (void)endpoint;
  assert(context == &fuzz && rx != NULL && copal_code_is_response(rx->message.code));
  assert(state.size == STATE_SIZE && memcmp(state.data, "state", STATE_SIZE) == 0);
}

static void take_events(struct end *end) {
  copal_event event;
  while (copal_endpoint_event(end->endpoint, &event)) {
    /* Only responses to copal_send are handed out, and failures of it. */
    copal_tx tx = event.kind == COPAL_EVENT_FAILED ? event.tx : event.rx.request;
    copal_tx_info info;
    assert(!copal_tx_none(tx) && copal_tx_get(end->endpoint, tx, &info) == COPAL_OK);
  }
}

/* --- Handlers of requests ---------------------------------------------------------------------------------- */

static void react(struct end *end) {
  if (fuzz.depth > 1) return;
  ++fuzz.depth;
  if ((end->policy & 0xe0) == 0x20) begin_call(end);
  if ((end->policy & 0xe0) == 0x40) cancel_call(end, end->policy >> 2);
  if ((end->policy & 0xe0) == 0x60) copal_notify(end->endpoint, "/seen");
  --fuzz.depth;
}

static uint64_t read_answer(void *context, uint64_t offset, void *buffer, size_t size) {
  return body_fill(*(const uint16_t *)context, offset, (uint8_t *)buffer, size);
}

static uint64_t read_nothing(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context, (void)offset, (void)buffer, (void)size;
  return COPAL_SIZE_UNKNOWN;
}

/* Replies that are no answers, or have another form than those before. */
static bool answer_badly(const struct end *end, copal_request *request, copal_message *reply) {
  switch (end->mood % 8) {
    case 1: copal_reply_code(request, COPAL_NOT_FOUND); return true;
    case 2: copal_reply_reader(request, 100, read_nothing, NULL); return true;
    case 3: copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, 60); return false;
    case 4: copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, end->mood); return false;
  }
  return false;
}

static void answer(struct end *end, copal_request *request, uint16_t id, copal_code code) {
  uint8_t body[BODY_MAX];
  react(end);
  bool may_defer = end->owed_count < OWED && !copal_request_is_notification(request);
  if (may_defer && (end->policy & 3) == 3 && copal_defer(request, &end->owed[end->owed_count]) == COPAL_OK) {
    end->owed_ids[end->owed_count++] = id;
    return;
  }
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, (uint8_t)code);
  if (answer_badly(end, request, reply)) return;
  if ((end->policy & 16) != 0) {
    copal_message_set_payload(reply, body, body_fill(id, 0, body, sizeof body));
    return;
  }
  if ((end->policy & 4) == 0) {
    copal_reply_body(request, body, body_fill(id, 0, body, sizeof body));
    return;
  }
  uint8_t etag[2] = {(uint8_t)(id >> 8), (uint8_t)id}; /* what is read in parts has to say which version they are of */
  copal_message_add(reply, COPAL_OPTION_ETAG, etag, sizeof etag);
  copal_reply_reader(request, (end->policy & 8) != 0 ? COPAL_SIZE_UNKNOWN : body_size(id), read_answer, &id);
}

/* A body arrived that was sent; what is not idempotent does so once. */
static void serve(copal_request *request, void *context) {
  struct end *end = (struct end *)context;
  const copal_view *view = &copal_request_rx(request)->message;
  if (end->mood % 8 == 5 && !copal_request_is_fresh(request, 10 * COPAL_SECOND)) return;
  if (view->code == COPAL_GET) {
    answer(end, request, end->version, COPAL_CONTENT);
    return;
  }
  uint16_t id = 0;
  if (!fuzz.hostile) {
    id = body_id(view->payload);
    assert(id < fuzz.ids);
    if (view->code == COPAL_POST) assert(++end->executed[id] == 1);
  }
  answer(end, request, id | ANSWER, COPAL_CHANGED);
}

static void serve_part(copal_request *request, void *context) {
  struct end *end = (struct end *)context;
  copal_part part = copal_request_part(request);
  uintptr_t taken = (uintptr_t)*part.state;
  assert(part.offset + 1 == (taken == 0 ? 1 : taken));
  if (taken == 0) ++end->parts;
  *part.state = (void *)(part.offset + part.size + 1);
  if (!part.last) return;
  --end->parts;
  copal_reply_code(request, COPAL_CHANGED);
}

static void abandon(void *context, void *state) {
  assert(state != NULL);
  --((struct end *)context)->parts;
}

static void pay(struct end *end) {
  uint8_t buffer[BODY_MAX + 64], body[BODY_MAX];
  if (end->owed_count == 0) return;
  copal_deferred owed = end->owed[--end->owed_count];
  uint16_t id = end->owed_ids[end->owed_count];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, (id & ANSWER) != 0 ? COPAL_CHANGED : COPAL_CONTENT);
  copal_message_set_payload(&response, body, body_fill(id, 0, body, sizeof body));
  if (copal_deferred_reply(end->endpoint, owed, &response) != COPAL_OK)
    assert(copal_deferred_drop(end->endpoint, owed) == COPAL_OK);
  assert(copal_deferred_drop(end->endpoint, owed) == COPAL_ERR_STALE);
}

static void change(struct end *end) {
  end->version = (uint16_t)((end->version + 1) % ANSWER);
  assert(copal_notify(end->endpoint, "/seen") <= copal_endpoint_usage(end->endpoint).observers);
}

/* --- The network ------------------------------------------------------------------------------------------- */

static void input(struct end *end, const struct flying *flying, bool from_stranger) {
  uint8_t *copy = exact_copy(flying->bytes, flying->size);
  copal_datagram datagram = {copy, flying->size, wire_path(1 - flying->to, flying->to_group)};
  if (from_stranger) datagram.path.remote.port = 40000;
  assert(copal_endpoint_input(end->endpoint, fuzz.now, &datagram, 1) == 1);
  take_events(end);
  free(copy);
}

static void output(struct end *end, size_t count_max) {
  copal_datagram datagrams[BATCH_MAX + 1] = {0};
  size_t count = copal_endpoint_output(end->endpoint, fuzz.now, datagrams, count_max);
  assert(count <= count_max && datagrams[count_max].data == NULL);
  bool is_full = end->endpoint->outbox.given == end->config.outbox_max;
  bool is_early = is_full || end->endpoint->observers.to_make > 0;
  if (count < count_max && !is_early) assert(copal_endpoint_deadline(end->endpoint) > fuzz.now);
  for (size_t i = 0; i < count; ++i) {
    copal_view view;
    assert(datagrams[i].size <= end->config.message_size_max);
    assert(copal_decode(datagrams[i].data, datagrams[i].size, &view) == COPAL_OK);
    wire_send(&fuzz.wire, end->number, &datagrams[i], fuzz.now);
  }
  take_events(end);
}

static void deliver(uint8_t kind) {
  if (fuzz.wire.count == 0) return;
  size_t index = (size_t)(kind >> 4) % fuzz.wire.count;
  struct flying flying = fuzz.wire.flying[index];
  bool twice = (kind & 8) != 0, from_stranger = false;
  if (!twice) wire_lose(&fuzz.wire, index);
  if (fuzz.hostile && twice) {
    uint8_t how = script_byte(&fuzz.script);
    from_stranger = (how & 2) != 0 && !flying.to_group;
    wire_corrupt(&flying, how, script_byte(&fuzz.script));
  }
  input(&fuzz.ends[flying.to], &flying, from_stranger);
}

/* It is lost, and the sender may learn of it. */
static void lose(uint8_t kind) {
  if (fuzz.wire.count == 0) return;
  size_t index = (size_t)(kind >> 5) % fuzz.wire.count;
  struct flying flying = fuzz.wire.flying[index];
  wire_lose(&fuzz.wire, index);
  if ((kind & 16) == 0) return;
  copal_path path = {.remote = wire_address(flying.to)};
  copal_endpoint_unreachable(fuzz.ends[1 - flying.to].endpoint, fuzz.now, &path, flying.bytes, flying.size);
  take_events(&fuzz.ends[1 - flying.to]);
}

static copal_time deadline(void) {
  copal_time one = copal_endpoint_deadline(fuzz.ends[0].endpoint);
  copal_time other = copal_endpoint_deadline(fuzz.ends[1].endpoint);
  return one < other ? one : other;
}

static void pass_time(void) {
  static const copal_time units[] = {COPAL_MILLISECOND, 100 * COPAL_MILLISECOND, COPAL_SECOND, 10 * COPAL_SECOND};
  uint8_t kind = script_byte(&fuzz.script);
  copal_time next = deadline();
  if (kind < 96)
    fuzz.now += units[kind & 3] * (kind >> 2);
  else if (next != COPAL_NEVER && next > fuzz.now)
    fuzz.now = next;
  wire_expire(&fuzz.wire, fuzz.now);
}

/* --- A script ---------------------------------------------------------------------------------------------- */

static void step(void) {
  uint8_t kind = script_byte(&fuzz.script);
  struct end *end = &fuzz.ends[kind >> 7];
  switch (kind & 15) {
    case 0:
    case 1: begin_call(end); break;
    case 2: send_single(end); break;
    case 3: cancel_call(end, script_byte(&fuzz.script)); break;
    case 4: cancel_single(end, kind >> 4); break;
    case 5: change(end); break;
    case 6: pay(end); break;
    case 7:
      end->policy = script_byte(&fuzz.script);
      end->mood = (end->policy & 3) == 2 ? script_byte(&fuzz.script) : 0;
      break;
    case 8: end->reaction = script_byte(&fuzz.script); break;
    case 9: lose(kind); break;
    case 10: pass_time(); break;
    case 11: copal_notify_end(end->endpoint, "/seen", (kind & 16) != 0 ? COPAL_EMPTY : COPAL_NOT_FOUND); break;
    case 12: output(end, (kind >> 4) % (BATCH_MAX + 1)); break;
    default: deliver(script_byte(&fuzz.script)); break;
  }
  if ((kind & 64) == 0)
    for (unsigned i = 0; i < WIRE_ENDS; ++i) output(&fuzz.ends[i], BATCH_MAX);
  for (unsigned i = 0; i < WIRE_ENDS; ++i) check_end(&fuzz.ends[i]);
}

/* A network that loses nothing, until nothing is due or so much time has passed. */
static void run(copal_time duration) {
  copal_time until = fuzz.now + duration;
  for (unsigned steps = 0; fuzz.now < until; ++steps) {
    assert(steps < QUIET_STEPS_MAX);
    for (unsigned i = 0; i < WIRE_ENDS; ++i) output(&fuzz.ends[i], BATCH_MAX);
    if (fuzz.wire.count > 0) {
      deliver(0);
      continue;
    }
    copal_time next = deadline();
    if (next == COPAL_NEVER) break;
    if (next > fuzz.now) fuzz.now = next;
  }
  for (unsigned i = 0; i < WIRE_ENDS; ++i) check_end(&fuzz.ends[i]);
}

static void check_observations(void) {
  for (unsigned i = 0; i < WIRE_ENDS; ++i)
    for (unsigned k = 0; k < CALLS; ++k) {
      const struct caller *caller = &fuzz.ends[i].callers[k];
      if (caller->open && caller->observes)
        assert(caller->is_state_lost || caller->no_token || caller->seen == fuzz.ends[1 - i].version);
    }
}

static void come_to_rest(void) {
  fuzz.script.at = fuzz.script.end;
  for (unsigned i = 0; i < WIRE_ENDS; ++i) {
    struct end *end = &fuzz.ends[i];
    end->policy = end->mood = end->reaction = 0;
    while (end->owed_count > 0) pay(end);
    change(end);
  }
  run(700 * COPAL_SECOND);
  if (!fuzz.hostile) check_observations();
  for (unsigned i = 0; i < WIRE_ENDS; ++i) {
    for (unsigned k = 0; k < CALLS; ++k)
      if (fuzz.ends[i].callers[k].observes) cancel_call(&fuzz.ends[i], k);
    copal_notify_end(fuzz.ends[i].endpoint, "/seen", COPAL_NOT_FOUND);
  }
  run(100000 * COPAL_SECOND);
  for (unsigned i = 0; i < WIRE_ENDS; ++i) {
    struct end *end = &fuzz.ends[i];
    assert(copal_endpoint_deadline(end->endpoint) == COPAL_NEVER);
    copal_usage usage = copal_endpoint_usage(end->endpoint);
    assert(usage.exchanges == 0 && usage.deferred == 0 && usage.receptions == 0 && usage.messages_size == 0);
    assert(usage.calls == 0 && usage.transfers == 0 && usage.bodies_size == 0 && end->parts == 0);
    assert(usage.observed == 0 && usage.observers == 0);
    for (unsigned k = 0; k < CALLS; ++k) assert(!end->callers[k].open && !end->askers[k].open);
  }
}

static void configure(struct end *end) {
  uint8_t kind = script_byte(&fuzz.script), sizes = script_byte(&fuzz.script), more = script_byte(&fuzz.script);
  copal_config *config = &end->config;
  *config = copal_config_small();
  config->peers_max = (kind & 1) != 0 ? 4 : 2;
  config->exchanges_max = (kind & 2) != 0 ? 12 : 3;
  config->message_size_max = (kind & 4) != 0 ? 256 : 96;
  config->messages_size = (kind & 8) != 0 ? 8192 : 1024;
  config->replies_size = (kind & 16) != 0 ? 4096 : 1024;
  config->outbox_max = (kind & 32) != 0 ? 8 : 1;
  config->deferred_max = (kind & 64) != 0 ? OWED : 1;
  config->calls_max = (kind & 128) != 0 ? CALLS : 2;
  config->peer_replies_max = (sizes & 1) != 0 ? 16 : 2;
  config->transfers_max = (sizes & 2) != 0 ? 4 : 1;
  config->peer_transfers_max = (sizes & 4) != 0 ? 2 : 1;
  config->bodies_size = (sizes & 8) != 0 ? 4096 : 512;
  config->observers_max = (sizes & 16) != 0 ? 4 : 1;
  config->parameters.nstart = (sizes & 32) != 0 ? 3 : 1;
  config->amplification_max = (sizes & 64) != 0 ? 3 : 0;
  config->parameters.probing_rate = (sizes & 128) != 0 ? 1 : 0;
  config->peer_rate = (more & 1) != 0 ? 2 : 0;
  config->observed_max = (more & 2) != 0 ? 1 : 2;
  config->parameters.ack_delay = (more & 4) != 0 ? 0 : 500 * COPAL_MILLISECOND;
  config->parameters.max_retransmit = (more & 8) != 0 ? 0 : 4;
  config->body_size_max = (more & 16) != 0 ? 128 : 512;
  if ((more & 32) != 0) config->transfers_max = 0;
}

static void open_end(struct end *end) {
  static const copal_code methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_FETCH};
  uint8_t seed[32] = {(uint8_t)(20 + end->number)};
  configure(end);
  end->need = copal_endpoint_size(&end->config);
  end->memory = (uint8_t *)malloc(end->need + 2 * GUARD_SIZE);
  assert(end->need > 0 && end->memory != NULL);
  memset(end->memory, GUARD, end->need + 2 * GUARD_SIZE);
  memset(end->memory + GUARD_SIZE, 0, end->need);
  end->endpoint = copal_endpoint_init(end->memory + GUARD_SIZE, end->need, &end->config, seed, fuzz.now);
  assert(end->endpoint != NULL);
  for (unsigned i = 0; i < 4; ++i) assert(copal_route(end->endpoint, methods[i], "/whole", serve, end) == COPAL_OK);
  assert(copal_route(end->endpoint, COPAL_GET, "/seen", serve, end) == COPAL_OK);
  assert(copal_route(end->endpoint, COPAL_PUT, "/parts", serve_part, end) == COPAL_OK);
  assert(copal_route(end->endpoint, COPAL_POST, "/parts", serve_part, end) == COPAL_OK);
  assert(copal_route_parts(end->endpoint, COPAL_PUT, "/parts", abandon) == COPAL_OK);
  assert(copal_route_parts(end->endpoint, COPAL_POST, "/parts", abandon) == COPAL_OK);
  assert(copal_route_observable(end->endpoint, "/seen", (end->config.observers_max & 1) * 30 * COPAL_SECOND) ==
         COPAL_OK);
  copal_stateless(end->endpoint, on_stateless, &fuzz);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  fuzz.hostile = (script_byte(&fuzz.script) & 1) != 0;
  for (unsigned i = 0; i < WIRE_ENDS; ++i) {
    fuzz.ends[i].number = i;
    open_end(&fuzz.ends[i]);
  }
  fuzz.wire.latency_max = fuzz.ends[0].config.parameters.max_latency;
  while (!script_ended(&fuzz.script)) step();
  come_to_rest();
  for (unsigned i = 0; i < WIRE_ENDS; ++i) free(fuzz.ends[i].memory);
  return 0;
}
