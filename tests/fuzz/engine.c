/* The engine alone, ranks 0 to 2, as a state machine: the input is a script of messages to send and messages that come,
 * of time, cancellations and deferred answers, against tables so small that each gets full. What follows from a verdict
 * is done as the endpoint does it. Whatever the script is: a call ends once and is there until then; an exchange is
 * transmitted as often, as far apart and with the same bytes as RFC 7252 4.2 says; no more than NSTART are outstanding
 * with a peer; no message ID is of two; nothing that is unsafe is executed twice; what was given out stays as it is
 * until the next input or output; a peer is busy as long as something refers to it; and at the end nothing is left. */
#undef NDEBUG
#include "engine/engine.h"
#include "engine/deferred.h"
#include "fuzz/script.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 3, EXCHANGES = 6, DEFERRED = 3, DATAGRAM_MAX = 96, KEPT = 4, GIVEN_MAX = 8, EXECUTED_MAX = 64 };
enum { DUE_STEPS_MAX = 1000, QUIET_STEPS_MAX = 100000 };

/* What has been seen of an exchange, and so what may still come of it. */
struct mirror {
  uint32_t generation; /* 0: there was none */
  uint32_t peer;
  uint8_t flags;
  bool con, told;
  uint8_t transmissions;
  copal_time first, last;
  uint8_t bytes[DATAGRAM_MAX];
  size_t size;
};

struct stored {
  uint8_t bytes[DATAGRAM_MAX];
  size_t size;
  uint32_t peer;
};

/* Bytes that were given out, and what they were. */
struct given {
  const uint8_t *at;
  struct stored copy;
};

struct executed {
  struct reply_key key;
  copal_time time;
};

struct fuzz {
  struct script script;
  copal_config config;
  struct engine engine;
  struct deferreds deferreds;
  copal_time now;
  bool is_group[PEERS];
  uint64_t identities[PEERS], identity_last;
  struct mirror mirrors[EXCHANGES];
  struct stored in[KEPT], out[KEPT];
  size_t in_count, out_count;
  struct given given[GIVEN_MAX];
  size_t given_count;
  struct executed executed[EXECUTED_MAX];
  size_t executed_count;
  bool owed[DEFERRED];
  copal_time ack_due[DEFERRED]; /* COPAL_NEVER: it is gone, or none is owed */
  uint8_t policy;
};

static struct fuzz fuzz;
static const uint8_t filling[DATAGRAM_MAX];

/* --- What must always hold -------------------------------------------------------------------------------- */

static bool lives(uint32_t index) {
  copal_tx tx = {index, fuzz.mirrors[index].generation};
  return exchange_of(&fuzz.engine.exchanges, tx) == index;
}

static void check_calls(void) {
  for (uint32_t i = 0; i < EXCHANGES; ++i)
    if ((fuzz.mirrors[i].flags & EXCHANGE_CALL) != 0) assert(lives(i) == !fuzz.mirrors[i].told);
}

static void check_peers(void) {
  uint32_t holds[PEERS] = {0}, turns[PEERS] = {0};
  const struct exchanges *exchanges = &fuzz.engine.exchanges;
  for (uint32_t i = 0; i < exchanges->slab.fresh; ++i) {
    const struct exchange *exchange = exchange_at(exchanges, i);
    if (exchange->state == EXCHANGE_FREE) continue;
    ++holds[exchange->peer];
    if ((exchange->flags & EXCHANGE_TURN) != 0) ++turns[exchange->peer];
  }
  for (uint32_t i = 0; i < DEFERRED; ++i)
    if (fuzz.owed[i]) ++holds[fuzz.deferreds.records[i].peer];
  for (uint32_t i = 0; i < PEERS; ++i) {
    const struct peer *peer = &fuzz.engine.peers.records[i];
    assert(((peer->flags & PEER_BUSY) != 0) == (holds[i] > 0));
    if (holds[i] > 0) assert(peer->as.busy.holds == holds[i]);
    /* RFC 7252 4.7: "limit the number of simultaneous outstanding interactions … to NSTART". */
    assert(peer->outstanding == turns[i] && turns[i] <= fuzz.config.parameters.nstart);
  }
}

/* RFC 7252 4.4: "The same Message ID MUST NOT be reused (in communicating with the same endpoint) within the
 * EXCHANGE_LIFETIME". An observation may outlive its ID. */
static void check_mids(void) {
  const struct exchanges *exchanges = &fuzz.engine.exchanges;
  for (uint32_t i = 0; i < exchanges->slab.fresh; ++i) {
    const struct exchange *one = exchange_at(exchanges, i);
    if (one->state == EXCHANGE_FREE || one->state == EXCHANGE_OBSERVING) continue;
    assert(exchange_by_mid(exchanges, one->peer, one->mid) == i);
  }
}

static void check_given(void) {
  for (size_t i = 0; i < fuzz.given_count; ++i)
    assert(memcmp(fuzz.given[i].at, fuzz.given[i].copy.bytes, fuzz.given[i].copy.size) == 0);
}

static void check_limits(void) {
  const struct exchanges *exchanges = &fuzz.engine.exchanges;
  assert(exchanges->slab.count <= fuzz.config.exchanges_max && exchanges->store.used <= fuzz.config.messages_size);
  assert(exchanges->reception_slab.count <= fuzz.config.receptions_max);
  assert(fuzz.deferreds.slab.count <= fuzz.config.deferred_max);
  assert(fuzz.engine.idempotent.used + fuzz.engine.unsafe.used <= fuzz.config.replies_size);
}

/* --- Sending ---------------------------------------------------------------------------------------------- */

static uint8_t flags_of(uint8_t kind, bool is_request) {
  switch (kind & 3) {
    case 0: return 0;
    case 1: return EXCHANGE_RECORD;
    case 2: return EXCHANGE_CALL;
    default: return is_request ? EXCHANGE_CALL | EXCHANGE_RESPONDED : EXCHANGE_CALL;
  }
}

static void send(void) {
  static const uint8_t codes[] = {COPAL_GET, COPAL_POST, COPAL_CONTENT, COPAL_EMPTY};
  static const copal_time timeouts[] = {COPAL_NEVER, 0, 3 * COPAL_SECOND, 500 * COPAL_SECOND};
  uint8_t kind = script_byte(&fuzz.script), shape = script_byte(&fuzz.script), bytes[DATAGRAM_MAX];
  uint8_t code = codes[kind >> 2 & 3], type = (kind & 16) != 0 ? COPAL_NON : COPAL_CON;
  bool is_request = code == COPAL_GET || code == COPAL_POST;
  uint32_t peer = (kind >> 5) % PEERS;
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, code, 0, filling, (shape & 7) == 7 ? 2 : 0);
  copal_encode_payload(&encoder, filling, (size_t)(shape >> 3 & 7) * 9);
  struct transmission transmission = {.peer = peer,
                                      .type = type,
                                      .message = {bytes, encoder.size},
                                      .multicast = fuzz.is_group[peer],
                                      .flags = flags_of(kind, is_request),
                                      .delay = (shape & 64) != 0 ? COPAL_SECOND : 0,
                                      .timeout = timeouts[shape & 3]};
  transmission.no_token = (shape & 7) == 6;
  transmission.goes_on = (shape & 7) == 5;
  if (code == COPAL_CONTENT && (shape & 128) != 0) transmission.token = (copal_bytes){filling, 3};
  /* Of a burst nothing is kept. */
  if (is_request && type == COPAL_NON && (kind & 3) == 0 && (shape & 128) != 0 && !transmission.multicast) {
    transmission.in_burst = true;
    transmission.token = (copal_bytes){filling, 4};
  }
  uint32_t index;
  if (engine_send(&fuzz.engine, &transmission, &index) != COPAL_OK) return;
  const struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  assert(index < EXCHANGES && exchange->generation != fuzz.mirrors[index].generation);
  fuzz.mirrors[index] = (struct mirror){
      .generation = exchange->generation, .peer = peer, .flags = transmission.flags, .con = type == COPAL_CON};
}

static void cancel(uint32_t index) {
  const struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  if (!lives(index)) return;
  if ((exchange->flags & EXCHANGE_CALL) == 0 || exchange->state < EXCHANGE_ANSWERED)
    engine_fail(&fuzz.engine, index, EXCHANGE_UNREACHED);
  fuzz.mirrors[index].told = true;
  engine_forget(&fuzz.engine, index);
}

/* The owner of a call is told. It may ask somebody else, and what it asked may go on: as an observation. */
static void tell(uint32_t index, bool is_answered) {
  struct mirror *mirror = &fuzz.mirrors[index];
  struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  assert(lives(index));
  if ((mirror->flags & EXCHANGE_CALL) == 0) return;
  assert(!mirror->told);
  if ((fuzz.policy & 1) != 0) send();
  if (exchange->state < EXCHANGE_ANSWERED) {
    assert(is_answered && (exchange->flags & EXCHANGE_MULTICAST) != 0);
    return;
  }
  bool may_go_on = is_answered && (exchange->flags & (EXCHANGE_REQUEST | EXCHANGE_MULTICAST)) == EXCHANGE_REQUEST;
  if (may_go_on && (fuzz.policy & 2) != 0) {
    engine_observe(&fuzz.engine, index, fuzz.now + (copal_time)fuzz.policy * COPAL_SECOND);
    return;
  }
  mirror->told = true;
  engine_end(&fuzz.engine, index);
}

/* --- What comes ------------------------------------------------------------------------------------------- */

static void remember(const struct incoming *incoming, uint8_t state, size_t size) {
  struct reply *reply = engine_remember(&fuzz.engine, incoming, size);
  if (reply == NULL) return;
  assert(reply_room(reply) >= size);
  memset(reply_bytes(reply), incoming->key.mid & 0xff, size);
  replies_close(engine_replies(&fuzz.engine, &incoming->key), reply, state, size);
  if (state == REPLY_ACK || state == REPLY_NOTHING || !incoming->key.unsafe) return;
  fuzz.executed[fuzz.executed_count++ % EXECUTED_MAX] = (struct executed){incoming->key, fuzz.now};
}

static void check_is_new(const struct reply_key *key) {
  copal_time lifetime = key->con ? fuzz.engine.exchange_lifetime : fuzz.engine.non_lifetime;
  for (size_t i = 0; i < EXECUTED_MAX && i < fuzz.executed_count; ++i) {
    const struct executed *executed = &fuzz.executed[i];
    bool same = executed->key.identity == key->identity && executed->key.mid == key->mid &&
                executed->key.fingerprint == key->fingerprint;
    if (same && key->unsafe) assert(fuzz.now - executed->time > lifetime);
  }
}

static bool defer(const struct incoming *incoming) {
  uint32_t index = deferred_take(&fuzz.deferreds, &fuzz.engine, incoming, false);
  if (index == INDEX_NONE) return false;
  assert(index < DEFERRED && !fuzz.owed[index]);
  fuzz.owed[index] = true;
  bool con = incoming->view->type == COPAL_CON;
  fuzz.ack_due[index] = con ? fuzz.now + fuzz.config.parameters.ack_delay : COPAL_NEVER;
  return true;
}

static void take_request(struct incoming *incoming) {
  if (incoming->peer == INDEX_NONE) incoming->peer = (uint32_t)incoming->identity % PEERS; /* whoever is nobody yet */
  check_is_new(&incoming->key);
  if ((fuzz.policy & 4) != 0 && defer(incoming)) {
    remember(incoming, REPLY_PENDING, 0);
    return;
  }
  remember(incoming, REPLY_MESSAGE, fuzz.policy >> 4);
}

static void check_repeat(const struct incoming *incoming, const struct reply *reply) {
  assert(reply != NULL && reply->mid == incoming->view->message_id && reply->identity == incoming->identity);
  if (reply->state != REPLY_MESSAGE) return;
  for (size_t i = 0; i < reply->size; ++i)
    assert(((const uint8_t *)reply)[sizeof *reply + i] == (incoming->view->message_id & 0xff));
}

static void take_response(const struct incoming *incoming, uint32_t index, bool again) {
  struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  copal_bytes token = header_token(exchange_bytes(&fuzz.engine.exchanges, exchange));
  /* RFC 7252 5.3.2: "the tokens of the response and original request MUST match". */
  assert(token.size == incoming->view->token.size);
  assert(token.size == 0 || memcmp(token.data, incoming->view->token.data, token.size) == 0);
  assert(lives(index) && fuzz.mirrors[index].transmissions > 0 && (exchange->flags & EXCHANGE_REQUEST) != 0);
  if ((fuzz.policy & 8) != 0 &&
      (exchange->flags & EXCHANGE_MULTICAST) == 0) { /* it is refused, and that is told once */
    bool is_call = (exchange->flags & EXCHANGE_CALL) != 0;
    exchange->flags &= (uint8_t)~EXCHANGE_RESPONDED;
    if (!is_call) exchange->state = EXCHANGE_REJECTED;
    assert(again || !fuzz.mirrors[index].told);
    if (is_call) tell(index, false);
    fuzz.mirrors[index].told = true;
    return;
  }
  if ((exchange->flags & EXCHANGE_CALL) == 0) fuzz.mirrors[index].told = false; /* that is over, and may be again */
  if (incoming->view->type == COPAL_CON) remember(incoming, REPLY_ACK, 0);
  if (incoming->view->type == COPAL_NON) remember(incoming, REPLY_NOTHING, 0);
  if ((exchange->flags & EXCHANGE_CALL) == 0 && incoming->view->type == COPAL_ACK)
    (void)exchange_keep(&fuzz.engine.exchanges, index, incoming->datagram, fuzz.now);
  tell(index, true);
}

static void take_reply(const struct incoming *incoming, uint32_t index, bool failed) {
  if (index == INDEX_NONE) return;
  struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  assert(lives(index) && fuzz.mirrors[index].transmissions > 0 && exchange->mid == incoming->view->message_id);
  if ((exchange->flags & EXCHANGE_CALL) == 0)
    (void)exchange_keep(&fuzz.engine.exchanges, index, incoming->datagram, fuzz.now);
  else if (failed || exchange->state >= EXCHANGE_ANSWERED)
    tell(index, false);
}

/* RFC 7252 4.2: "recipients of Acknowledgement and Reset messages MUST NOT respond with either"; 8.1: a Reset never
 * answers what came to a group. */
static void check_verdict(const struct verdict *verdict, const struct incoming *incoming) {
  uint8_t type = incoming->view->type;
  bool is_answered = verdict->kind == VERDICT_REJECT || verdict->kind == VERDICT_REPEAT;
  if (is_answered) assert(type == COPAL_CON || type == COPAL_NON);
  if (verdict->kind == VERDICT_REJECT) assert(!incoming->multicast);
  if (verdict->kind == VERDICT_REQUEST) assert(type <= COPAL_NON && copal_code_is_request(incoming->view->code));
  if (verdict->kind == VERDICT_UNMATCHED) assert(fuzz.config.raw);
}

static void receive(const struct stored *stored, uint8_t how) {
  uint8_t *copy = exact_copy(stored->bytes, stored->size);
  copal_view view;
  check_given();
  fuzz.given_count = 0;
  exchanges_release(&fuzz.engine.exchanges, COPAL_NEVER);
  fuzz.in[fuzz.in_count++ % KEPT] = *stored;
  bool is_message = copal_decode(copy, stored->size, &view) == COPAL_OK;
  if (is_message) {
    uint32_t peer = stored->peer < PEERS && !fuzz.is_group[stored->peer] ? stored->peer : INDEX_NONE;
    copal_bytes datagram = {copy, stored->size};
    struct incoming incoming = {.view = &view,
                                .datagram = datagram,
                                .fingerprint = engine_fingerprint(&fuzz.engine, datagram),
                                .identity = peer == INDEX_NONE ? 1 : fuzz.identities[peer],
                                .peer = peer,
                                .unbound = (how & 7) == 7 ? how >> 3 & 1u : INDEX_NONE,
                                .multicast = (how & 7) == 6};
    struct verdict verdict = engine_receive(&fuzz.engine, &incoming, fuzz.now);
    check_verdict(&verdict, &incoming);
    switch (verdict.kind) {
      case VERDICT_IGNORE:
      case VERDICT_REJECT: break;
      case VERDICT_REPEAT: check_repeat(&incoming, verdict.reply); break;
      case VERDICT_REQUEST: take_request(&incoming); break;
      case VERDICT_RESPONSE: take_response(&incoming, verdict.exchange, verdict.late); break;
      case VERDICT_ACKNOWLEDGED: take_reply(&incoming, verdict.exchange, false); break;
      case VERDICT_RESET: take_reply(&incoming, verdict.exchange, !verdict.late); break;
      case VERDICT_UNMATCHED:
        if (view.type == COPAL_CON) remember(&incoming, REPLY_ACK, 0);
        break;
    }
  }
  free(copy);
}

static void receive_bytes(void) {
  struct stored stored = {.peer = script_byte(&fuzz.script)};
  uint8_t how = script_byte(&fuzz.script);
  stored.size = script_below(&fuzz.script, 24);
  for (size_t i = 0; i < stored.size; ++i) stored.bytes[i] = script_byte(&fuzz.script);
  receive(&stored, how);
}

static void receive_request(void) {
  uint8_t kind = script_byte(&fuzz.script), how = script_byte(&fuzz.script);
  struct stored stored = {.peer = kind >> 6};
  copal_encoder encoder;
  copal_encode_begin(&encoder, stored.bytes, sizeof stored.bytes, (copal_type)(kind & 1), 1 + (kind >> 1 & 3),
                     kind >> 3 & 7, filling, how >> 6);
  if ((how & 8) != 0) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK1, how & 8u);
  stored.size = encoder.size;
  receive(&stored, how);
}

/* What answers, or nearly answers, what was sent. */
static void receive_answer(void) {
  static const struct {
    copal_type type;
    uint8_t code;
  } kinds[] = {{COPAL_ACK, COPAL_EMPTY},   {COPAL_RST, COPAL_EMPTY},   {COPAL_ACK, COPAL_CONTENT},
               {COPAL_CON, COPAL_CONTENT}, {COPAL_NON, COPAL_CONTENT}, {COPAL_RST, COPAL_CONTENT},
               {COPAL_ACK, COPAL_GET},     {COPAL_CON, COPAL_EMPTY}};
  uint8_t kind = script_byte(&fuzz.script), how = script_byte(&fuzz.script);
  const struct stored *asked = &fuzz.out[(kind >> 3) % KEPT];
  copal_view view;
  if (asked->size == 0) return;
  assert(copal_decode(asked->bytes, asked->size, &view) == COPAL_OK);
  copal_type type = kinds[kind & 7].type;
  uint8_t code = kinds[kind & 7].code;
  uint16_t mid = type <= COPAL_NON ? how : view.message_id;
  struct stored stored = {.peer = (kind & 64) != 0 ? how % PEERS : asked->peer};
  copal_encoder encoder;
  copal_encode_begin(&encoder, stored.bytes, sizeof stored.bytes, type, code, mid, view.token.data,
                     code == COPAL_EMPTY ? 0 : view.token.size - ((kind & 128) != 0 && view.token.size > 0));
  if (code != COPAL_EMPTY && (how & 8) != 0) copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, how);
  stored.size = encoder.size;
  receive(&stored, how);
}

static void receive_again(void) {
  uint8_t kind = script_byte(&fuzz.script);
  struct stored stored = fuzz.in[kind % KEPT];
  if ((kind & 128) != 0) stored.peer = kind >> 2 & 3;
  receive(&stored, kind);
}

/* --- Time ------------------------------------------------------------------------------------------------- */

static void advance(copal_time now) {
  fuzz.now = now;
  fuzz.engine.now = now;
}

static void supersede(uint32_t index) {
  struct mirror *mirror = &fuzz.mirrors[index];
  const struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  uint8_t message[HEADER_SIZE + 2];
  copal_encoder encoder;
  bool is_notification = (exchange->flags & (EXCHANGE_CALL | EXCHANGE_REQUEST)) == EXCHANGE_CALL &&
                         copal_code_is_response(header_code(exchange_bytes(&fuzz.engine.exchanges, exchange)));
  if (!is_notification || (fuzz.policy & 16) == 0) return;
  copal_encode_begin(&encoder, message, sizeof message, COPAL_CON, COPAL_CHANGED, 0, NULL, 0);
  copal_encode_payload(&encoder, &fuzz.policy, 1);
  if (engine_supersede(&fuzz.engine, index, (copal_bytes){message, encoder.size}) == COPAL_OK) mirror->size = 0;
}

static void check_transmission(uint32_t index) {
  struct mirror *mirror = &fuzz.mirrors[index];
  const copal_parameters *parameters = &fuzz.config.parameters;
  const struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  assert(lives(index) && !(mirror->told && (mirror->flags & EXCHANGE_CALL) != 0));
  if (mirror->transmissions++ == 0) {
    mirror->first = fuzz.now;
  } else {
    /* RFC 7252 4.2: "the minimum spacing before another retransmission is ACK_TIMEOUT", and all of them "MUST stay in
     * the envelope of MAX_TRANSMIT_SPAN". */
    assert(mirror->con && fuzz.now - mirror->last >= parameters->ack_timeout);
    assert(fuzz.now - mirror->first <= fuzz.engine.transmit_span + parameters->ack_timeout);
  }
  assert(mirror->transmissions <= parameters->max_retransmit + 1);
  mirror->last = fuzz.now;
  supersede(index);
  const uint8_t *bytes = exchange_bytes(&fuzz.engine.exchanges, exchange);
  assert(exchange->size <= fuzz.config.message_size_max && exchange->size <= DATAGRAM_MAX);
  if (mirror->size > 0) assert(mirror->size == exchange->size && memcmp(mirror->bytes, bytes, mirror->size) == 0);
  mirror->size = exchange->size;
  memcpy(mirror->bytes, bytes, mirror->size);
  copal_view view;
  assert(copal_decode(bytes, exchange->size, &view) == COPAL_OK && view.message_id == exchange->mid);
  assert(view.type == (mirror->con ? COPAL_CON : COPAL_NON));
  struct stored *stored = &fuzz.out[fuzz.out_count++ % KEPT];
  *stored = (struct stored){.size = exchange->size, .peer = exchange->peer};
  memcpy(stored->bytes, bytes, stored->size);
  if (fuzz.given_count < GIVEN_MAX) fuzz.given[fuzz.given_count++] = (struct given){bytes, *stored};
}

static void acknowledge_deferred(void) {
  uint32_t index;
  while ((index = deferred_take_ack(&fuzz.deferreds, fuzz.now)) != INDEX_NONE) {
    assert(index < DEFERRED && fuzz.owed[index] && fuzz.ack_due[index] <= fuzz.now);
    fuzz.ack_due[index] = COPAL_NEVER;
  }
  for (uint32_t i = 0; i < DEFERRED; ++i) assert(!fuzz.owed[i] || fuzz.ack_due[i] > fuzz.now);
}

static void output(void) {
  struct due due;
  check_given();
  fuzz.given_count = 0;
  exchanges_release(&fuzz.engine.exchanges, fuzz.now);
  acknowledge_deferred();
  for (unsigned step = 0; engine_due(&fuzz.engine, fuzz.now, &due), due.kind != DUE_NOTHING; ++step) {
    assert(step < DUE_STEPS_MAX);
    if (due.kind == DUE_TRANSMIT) {
      check_transmission(due.exchange);
      continue;
    }
    assert(due.error == COPAL_ERR_TIMEOUT || due.error == COPAL_OK);
    bool is_call = (fuzz.mirrors[due.exchange].flags & EXCHANGE_CALL) != 0;
    tell(due.exchange, false);
    if (!is_call) engine_end(&fuzz.engine, due.exchange);
  }
  assert(timer_earliest(&fuzz.engine.exchanges.timers) > fuzz.now);
}

static copal_time deadline(void) {
  copal_time timer = timer_earliest(&fuzz.engine.exchanges.timers), ack = deferred_next_ack(&fuzz.deferreds);
  return timer < ack ? timer : ack;
}

static void pass_time(void) {
  static const copal_time units[] = {COPAL_MILLISECOND, 100 * COPAL_MILLISECOND, COPAL_SECOND, 60 * COPAL_SECOND};
  uint8_t kind = script_byte(&fuzz.script);
  copal_time next = deadline();
  if (kind < 128)
    advance(fuzz.now + units[kind & 3] * (kind >> 2));
  else if (next != COPAL_NEVER && next > fuzz.now)
    advance((kind & 1) != 0 ? next : next - 1);
}

/* --- A script --------------------------------------------------------------------------------------------- */

static void unreachable(uint32_t index) {
  if (!lives(index)) return;
  const struct exchange *exchange = exchange_at(&fuzz.engine.exchanges, index);
  if (exchange->transmissions == 0 || exchange->state >= EXCHANGE_ANSWERED) return;
  bool is_call = (exchange->flags & EXCHANGE_CALL) != 0;
  engine_fail(&fuzz.engine, index, EXCHANGE_UNREACHED);
  tell(index, false);
  if (!is_call) engine_end(&fuzz.engine, index);
}

/* Message IDs are skipped, as a burst does; and somebody new comes, in the place of who is idle for longest. */
static void meet(uint8_t kind) {
  bool evicted;
  uint32_t skipped = kind >> 4 & 1;
  if ((fuzz.engine.peers.records[skipped].flags & PEER_GROUP) == 0 && !fuzz.is_group[skipped])
    (void)peers_skip_mids(&fuzz.engine.peers, skipped, &fuzz.engine.random, fuzz.now, fuzz.engine.exchange_lifetime);
  uint32_t index = peers_take(&fuzz.engine.peers, &fuzz.engine.random, &evicted);
  if (index == INDEX_NONE) return;
  assert(index < PEERS && evicted);
  fuzz.identities[index] = ++fuzz.identity_last;
  fuzz.is_group[index] = kind >= 192;
}

static void give_deferred(uint32_t index) {
  if (!fuzz.owed[index]) return;
  fuzz.owed[index] = false;
  deferred_give(&fuzz.deferreds, &fuzz.engine, index);
}

static void step(void) {
  uint8_t kind = script_byte(&fuzz.script);
  switch (kind & 15) {
    case 0:
    case 1:
    case 2: send(); break;
    case 3: receive_bytes(); break;
    case 4:
    case 5: receive_request(); break;
    case 6:
    case 7:
    case 8: receive_answer(); break;
    case 9: receive_again(); break;
    case 10: pass_time(); break;
    case 11: cancel((kind >> 4) % fuzz.config.exchanges_max); break;
    case 12: unreachable((kind >> 4) % fuzz.config.exchanges_max); break;
    case 13: give_deferred((kind >> 4) % fuzz.config.deferred_max); break;
    case 14: meet(kind); break;
    case 15: fuzz.policy = script_byte(&fuzz.script); break;
  }
  if ((kind & 128) == 0) output();
  check_calls();
  check_peers();
  check_mids();
  check_limits();
}

static void come_to_rest(void) {
  fuzz.policy = 0;
  for (uint32_t i = 0; i < DEFERRED; ++i) give_deferred(i);
  output();
  for (unsigned step = 0; deadline() != COPAL_NEVER; ++step) {
    assert(step < QUIET_STEPS_MAX);
    advance(deadline());
    output();
  }
  exchanges_release(&fuzz.engine.exchanges, COPAL_NEVER);
  check_calls();
  check_peers();
  const struct exchanges *exchanges = &fuzz.engine.exchanges;
  assert(exchanges->slab.count == 0 && exchanges->store.used == 0 && exchanges->reception_slab.count == 0);
  assert(exchanges->mids.count == 0 && exchanges->tokens.count == 0);
}

static void configure(void) {
  uint8_t kind = script_byte(&fuzz.script), sizes = script_byte(&fuzz.script);
  copal_config *config = &fuzz.config;
  *config = copal_config_small();
  config->raw = (kind & 1) != 0;
  config->parameters.nstart = 1 + (kind >> 1 & 1);
  config->parameters.probing_rate = kind >> 2 & 1;
  config->parameters.max_retransmit = (kind & 8) != 0 ? 4 : kind >> 4 & 1;
  config->parameters.ack_delay = (kind & 32) != 0 ? 500 * COPAL_MILLISECOND : 0;
  config->peers_max = PEERS;
  config->exchanges_max = 1 + sizes % EXCHANGES;
  config->deferred_max = DEFERRED;
  config->receptions_max = 1 + (kind >> 6);
  config->message_size_max = 80;
  config->messages_size = (sizes & 32) != 0 ? 1024 : 256;
  config->replies_size = (sizes & 64) != 0 ? 2048 : 512;
  config->peer_replies_max = (sizes & 128) != 0 ? 4 : 1;
}

static void lay_out(struct layout *layout) {
  static const uint8_t seed[RANDOM_SEED_SIZE] = {5};
  engine_init(&fuzz.engine, layout, &fuzz.config, (struct hash_key){7, 11}, seed, fuzz.now);
  deferreds_init(&fuzz.deferreds, layout, fuzz.config.deferred_max, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* Where a half of the message IDs ends, and where all do. */
  static const uint16_t last_mids[PEERS] = {0x7ffe, 0xeffe, 0xfffe};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  bool begins_late = (script_byte(&fuzz.script) & 1) != 0;
  configure();
  struct layout counting = {NULL, 0};
  lay_out(&counting);
  struct layout layout = {(uint8_t *)calloc(1, (size_t)counting.size), 0};
  assert(layout.block != NULL);
  memset(&fuzz.engine, 0, sizeof fuzz.engine);
  lay_out(&layout);
  bool evicted;
  for (uint32_t i = 0; i < PEERS; ++i) {
    uint32_t index = peers_take(&fuzz.engine.peers, &fuzz.engine.random, &evicted);
    assert(index == i && !evicted);
    fuzz.identities[i] = fuzz.identity_last = 1000 + i;
    if (begins_late) fuzz.engine.peers.records[i].next_mid = last_mids[i];
  }
  fuzz.is_group[PEERS - 1] = true;
  while (!script_ended(&fuzz.script)) step();
  come_to_rest();
  free(layout.block);
  return 0;
}
