/* From copal_send to the last retransmission: an exchange takes its turn with its peer, is transmitted, waits with
 * exponential back-off, and is given up. The first transmission is a timer like the others: one code path.
 * RFC 7252 sections 4.2, 4.3, 4.7. */
#include <assert.h>

#include "engine/engine.h"
#include "message/header.h"

/* RFC 7641 4.5.1: a server "SHOULD NOT send more than one non-confirmable notification every 3 seconds". */
#define NOTIFICATION_INTERVAL (3 * COPAL_SECOND)

/* How often a request that waits for PROBING_RATE looks whether its peer has been heard from. */
#define PROBING_LOOK (2 * COPAL_SECOND)

/* A non-confirmable notification: its owner is told when its time is over, or of a Reset. */
static bool is_non_notification(const struct exchange *exchange) {
  return (exchange->flags & (EXCHANGE_CALL | EXCHANGE_CON | EXCHANGE_REQUEST)) == EXCHANGE_CALL;
}

static bool needs_turn(const struct engine *engine, const struct exchange *exchange) {
  /* RFC 7252 4.7: outstanding is "either a CON for which an ACK has not yet been received but is still expected
   * (message layer) or a request for which neither a response nor an Acknowledgment message has yet been received". A
   * ping is neither: what is expected of it is a Reset. */
  if ((exchange->flags & EXCHANGE_MULTICAST) != 0) return false;
  /* RFC 7641 4.5.1: "An outstanding notification/response is either a confirmable message … or a non-confirmable
   * message for which the waiting time that results from the following rate-limiting rules has not yet elapsed." */
  if (is_non_notification(exchange)) return true;
  if (header_code(exchange_bytes(&engine->exchanges, exchange)) == COPAL_EMPTY) return false;
  return (exchange->flags & (EXCHANGE_CON | EXCHANGE_REQUEST)) != 0;
}

static bool timer_is_set(const struct exchange *exchange) {
  return exchange->state != EXCHANGE_QUEUED || exchange_expiry(exchange) != COPAL_NEVER;
}

void engine_set_timer(struct engine *engine, uint32_t index, copal_time deadline) {
  copal_time expiry = exchange_expiry(exchange_at(&engine->exchanges, index));
  timer_set(&engine->exchanges.timers, index, deadline < expiry ? deadline : expiry);
}

copal_time engine_lifetime_end(const struct engine *engine, const struct exchange *exchange) {
  copal_time lifetime = (exchange->flags & EXCHANGE_CON) != 0 ? engine->exchange_lifetime : engine->non_lifetime;
  copal_time from = exchange->as.sent_at == COPAL_NEVER ? engine->now : exchange->as.sent_at;
  return from + lifetime;
}

/* --- Taking a message ------------------------------------------------------------------------- */

/* A message that comes without a token gets one: a response its request's, a request the given or a new one. */
static copal_error choose_token(struct engine *engine, const struct transmission *transmission,
                                uint8_t fresh[EXCHANGE_TOKEN_SIZE], copal_bytes *chosen) {
  copal_bytes given = header_token(transmission->message.data);
  *chosen = (copal_bytes){fresh, 0};
  if (!copal_code_is_request(header_code(transmission->message.data))) {
    if (given.size == 0) *chosen = transmission->token;
    return COPAL_OK;
  }
  if (given.size == 0 && transmission->token.size > 0) {
    *chosen = transmission->token;
    return COPAL_OK;
  }
  uint32_t peer = transmission->multicast ? INDEX_NONE : transmission->peer;
  if (given.size > 0 || transmission->no_token) {
    uint32_t other = exchange_by_token(&engine->exchanges, peer, given);
    bool in_use = other != INDEX_NONE && exchange_awaits_response(exchange_at(&engine->exchanges, other));
    return in_use ? COPAL_ERR_TOKEN_IN_USE : COPAL_OK;
  }
  /* RFC 7252 5.3.1: "a client … SHOULD use a nontrivial, randomized token … at least 32 bits of randomness". */
  chosen->size = EXCHANGE_TOKEN_SIZE;
  exchange_next_token(&engine->exchanges, peer, &engine->random, fresh);
  return COPAL_OK;
}

static copal_error check(const struct transmission *transmission) {
  const uint8_t *message = transmission->message.data;
  uint8_t type = transmission->type, code = header_code(message);
  if (type != COPAL_CON && type != COPAL_NON) return COPAL_ERR_TYPE;
  /* RFC 7252 4.3: "A Non-confirmable message … MUST NOT be Empty." */
  if (type == COPAL_NON && code == COPAL_EMPTY) return COPAL_ERR_TYPE;
  /* RFC 7252 4.1: of an Empty message, "bytes of data MUST NOT be present after the Message ID field". */
  if (code == COPAL_EMPTY && transmission->message.size > HEADER_SIZE) return COPAL_ERR_EMPTY_NOT_EMPTY;
  /* RFC 7252 8.1: "Such multicast requests MUST be Non-confirmable." */
  if (type == COPAL_CON && transmission->multicast) return COPAL_ERR_MULTICAST_CON;
  return COPAL_OK;
}

static void enqueue(struct engine *engine, uint32_t index) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  struct peer *peer = &engine->peers.records[exchange->peer];
  exchange->state = EXCHANGE_QUEUED;
  uint32_t first = peer->as.busy.waiting;
  if (first == INDEX_NONE) {
    peer->as.busy.waiting = exchange->as.queue.next = exchange->as.queue.previous = index;
  } else {
    struct exchange *head = exchange_at(&engine->exchanges, first);
    exchange->as.queue.next = first;
    exchange->as.queue.previous = head->as.queue.previous;
    exchange_at(&engine->exchanges, head->as.queue.previous)->as.queue.next = index;
    head->as.queue.previous = index;
  }
  if (timer_is_set(exchange)) engine_set_timer(engine, index, COPAL_NEVER);
}

static void dequeue(struct engine *engine, uint32_t index) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  struct peer *peer = &engine->peers.records[exchange->peer];
  uint32_t next = exchange->as.queue.next, previous = exchange->as.queue.previous;
  if (next == index) {
    peer->as.busy.waiting = INDEX_NONE;
  } else {
    exchange_at(&engine->exchanges, previous)->as.queue.next = next;
    exchange_at(&engine->exchanges, next)->as.queue.previous = previous;
    if (peer->as.busy.waiting == index) peer->as.busy.waiting = next;
  }
  exchange->as.sent_at = COPAL_NEVER;
}

static void take_turn(struct engine *engine, struct exchange *exchange) {
  exchange->flags |= EXCHANGE_TURN;
  ++engine->peers.records[exchange->peer].outstanding;
}

static void make_ready(struct engine *engine, uint32_t index, copal_time when) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  exchange->state = EXCHANGE_READY;
  if (needs_turn(engine, exchange)) take_turn(engine, exchange);
  engine_set_timer(engine, index, when);
}

/* A body of more than 61,440 blocks would stop for minutes when its peer's IDs are spent. Its blocks follow each other,
 * one at a time and each answered: decision 0013. */
static bool may_reuse(const struct engine *engine, const struct transmission *transmission, uint16_t mid) {
  return transmission->goes_on && transmission->type == COPAL_CON &&
         exchange_by_mid(&engine->exchanges, transmission->peer, mid) == INDEX_NONE;
}

copal_error engine_send(struct engine *engine, const struct transmission *transmission, uint32_t *index) {
  copal_error error = check(transmission);
  if (error != COPAL_OK) return error;

  uint8_t flags = transmission->flags, code = header_code(transmission->message.data);
  if (transmission->type == COPAL_CON) flags |= EXCHANGE_CON;
  /* RFC 9177 7.2: "A single body will be subjected to PROBING_RATE (Section 4.7 of [RFC7252]), not the individual
   * packets"; nor do its packets take turns. */
  if (copal_code_is_request(code) && !transmission->in_burst) flags |= EXCHANGE_REQUEST;
  if (transmission->multicast) flags |= EXCHANGE_MULTICAST;

  uint8_t fresh[EXCHANGE_TOKEN_SIZE];
  copal_bytes token;
  error = choose_token(engine, transmission, fresh, &token);
  if (error != COPAL_OK) return error;
  if (header_size_with(transmission->message, token) > engine->message_size_max) return COPAL_ERR_MESSAGE_SIZE;

  uint16_t mid;
  copal_time mid_lifetime = transmission->multicast ? engine->non_lifetime : engine->exchange_lifetime;
  if (transmission->multicast) engine->peers.records[transmission->peer].flags |= PEER_GROUP;
  if (!peers_next_mid(&engine->peers, transmission->peer, engine->now, mid_lifetime, &mid) &&
      !may_reuse(engine, transmission, mid))
    return COPAL_ERR_MESSAGE_IDS_SPENT;
  error = exchange_take(&engine->exchanges, transmission->peer, transmission->message, mid, token, flags, index);
  if (error != COPAL_OK) return error;

  peers_take_mid(&engine->peers, transmission->peer, engine->now);
  peers_hold(&engine->peers, transmission->peer);
  struct exchange *exchange = exchange_at(&engine->exchanges, *index);
  if ((flags & EXCHANGE_CALL) != 0 && transmission->timeout < COPAL_NEVER - engine->now)
    exchange->of.expires_at = engine->now + transmission->timeout;
  const struct peer *peer = &engine->peers.records[transmission->peer];
  if (needs_turn(engine, exchange) && peer->outstanding >= engine->parameters.nstart)
    enqueue(engine, *index);
  else
    make_ready(engine, *index, engine->now + transmission->delay);
  return COPAL_OK;
}

/* --- Timers ----------------------------------------------------------------------------------- */

/* RFC 7252 4.7: "an endpoint does not exceed an average data rate of PROBING_RATE in sending to another endpoint that
 * does not respond." So each NON request to a silent peer pays for its bytes before the next may go. */
static bool must_probe_later(struct engine *engine, const struct exchange *exchange, copal_time now, copal_time *when) {
  if ((exchange->flags & (EXCHANGE_CON | EXCHANGE_MULTICAST)) != 0 || (exchange->flags & EXCHANGE_REQUEST) == 0)
    return false;
  struct peer *peer = &engine->peers.records[exchange->peer];
  uint32_t wait = peer->limit.probing_until - coarse_time(now);
  if (wait == 0 || wait > UINT32_MAX / 2) peer->flags &= (uint8_t)~PEER_SILENT; /* paid for */
  if ((peer->flags & PEER_SILENT) == 0) return false;
  *when = now + (wait * COARSE_UNIT);
  return true;
}

static void note_probe(struct engine *engine, const struct exchange *exchange, copal_time now) {
  if (engine->parameters.probing_rate == 0 || (exchange->flags & EXCHANGE_REQUEST) == 0) return;
  struct peer *peer = &engine->peers.records[exchange->peer];
  peer->flags = (uint8_t)((peer->flags & ~(unsigned)PEER_ASKED) | PEER_SILENT);
  peer->limit.probing_until = coarse_time(now + COPAL_SECOND * exchange->size / engine->parameters.probing_rate) + 1;
}

static uint32_t first_timeout_us(struct engine *engine) {
  /* RFC 7252 4.2: "the initial timeout is set to a random duration … between ACK_TIMEOUT and (ACK_TIMEOUT *
   * ACK_RANDOM_FACTOR)". */
  uint32_t least_us = (uint32_t)(engine->parameters.ack_timeout / COPAL_MICROSECOND);
  uint64_t spread_us = (uint64_t)least_us * (engine->parameters.ack_random_permille - 1000u) / 1000;
  return least_us + random_jitter(&engine->random, (uint32_t)spread_us);
}

/* RFC 7252 4.2: "an endpoint may be late for a specific retransmission due to its sleep schedule and may catch up on
 * the next one. However, the minimum spacing before another retransmission is ACK_TIMEOUT". */
static void wait_on(struct engine *engine, uint32_t index, copal_time planned, copal_time now) {
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  copal_time next = planned + exchange->timeout_us * COPAL_MICROSECOND;
  copal_time soonest = now + engine->parameters.ack_timeout;
  engine_set_timer(engine, index, next < soonest ? soonest : next);
}

static void note_first_transmission(struct engine *engine, struct exchange *exchange, copal_time now) {
  exchange->as.sent_at = now;
  exchange->timeout_us = first_timeout_us(engine);
  peers_mid_used(&engine->peers, exchange->peer, exchange->mid, now);
  if ((exchange->flags & EXCHANGE_CALL) == 0) return;
  copal_time end = engine_lifetime_end(engine, exchange);
  if (is_non_notification(exchange)) end = now + NOTIFICATION_INTERVAL;
  if (end < exchange->of.expires_at) exchange->of.expires_at = end;
}

static void transmit(struct engine *engine, uint32_t index, copal_time now) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  copal_time planned = exchange->timer.deadline;
  exchange->event_at = now;
  if (exchange->transmissions++ == 0) {
    planned = now;
    note_first_transmission(engine, exchange, now);
  } else {
    exchange->timeout_us *= 2;
    ++engine->counters.retransmissions;
  }
  if ((exchange->flags & EXCHANGE_CON) != 0) {
    bool last = exchange->transmissions > engine->parameters.max_retransmit;
    exchange->state = last ? EXCHANGE_LAST_WAIT : EXCHANGE_WAITING;
    wait_on(engine, index, planned, now);
  } else {
    exchange->state = EXCHANGE_SENT;
    note_probe(engine, exchange, now);
    bool awaited = (exchange->flags & (EXCHANGE_CALL | EXCHANGE_RECORD)) != 0;
    copal_time interval =
        is_non_notification(exchange) ? NOTIFICATION_INTERVAL : exchange->timeout_us * COPAL_MICROSECOND;
    engine_set_timer(engine, index, awaited ? now + interval : now);
  }
}

/* RFC 7252 4.2: "the entire sequence of (re-)transmissions MUST stay in the envelope of MAX_TRANSMIT_SPAN … even if
 * that means a sender may miss an opportunity to transmit." An answer is waited for all the same. What is planned stays
 * in it, and may touch its end; a clock's inaccuracy, of which 4.2 asks little, does not count. */
static bool has_missed_opportunity(struct engine *engine, uint32_t index, copal_time now) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  copal_time planned = exchange->timer.deadline;
  bool late = now - planned > engine->parameters.ack_timeout;
  if ((late ? now : planned) - exchange->as.sent_at <= engine->transmit_span) return false;
  exchange->state = EXCHANGE_LAST_WAIT;
  exchange->timeout_us *= 2;
  wait_on(engine, index, exchange->timer.deadline, now);
  return true;
}

/* A NON's interval is over. True for a call that is over with it. */
static bool settle(struct engine *engine, uint32_t index) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  engine_pass_turn(engine, index);
  bool awaited = exchange_awaits_response(exchange) || (exchange->flags & EXCHANGE_MULTICAST) != 0;
  if ((exchange->flags & EXCHANGE_CALL) != 0 && awaited) {
    exchange->state = EXCHANGE_EXPECTING;
    engine_set_timer(engine, index, COPAL_NEVER);
    return false;
  }
  exchange->state = EXCHANGE_ANSWERED;
  if ((exchange->flags & EXCHANGE_CALL) != 0) return true;
  if ((exchange->flags & EXCHANGE_RECORD) != 0)
    engine_set_timer(engine, index, engine_lifetime_end(engine, exchange));
  else
    engine_forget(engine, index);
  return false;
}

/* A NON request waits for PROBING_RATE without keeping others from their turn. False when it cannot go now. */
static bool may_begin(struct engine *engine, uint32_t index, copal_time now) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  copal_time later;
  if (must_probe_later(engine, exchange, now, &later)) {
    copal_time look_again = now + PROBING_LOOK;
    engine_pass_turn(engine, index);
    engine_set_timer(engine, index, later < look_again ? later : look_again);
    return false;
  }
  if (!needs_turn(engine, exchange) || (exchange->flags & EXCHANGE_TURN) != 0) return true;
  if (engine->peers.records[exchange->peer].outstanding >= engine->parameters.nstart) {
    enqueue(engine, index);
    return false;
  }
  take_turn(engine, exchange);
  return true;
}

static enum due_kind fail(struct exchange *exchange, copal_error *error) {
  exchange->state = EXCHANGE_UNACKNOWLEDGED;
  *error = COPAL_ERR_TIMEOUT;
  return DUE_FAILED;
}

/* What it means that an exchange's timer is over. DUE_NOTHING: it waits for something else, or is gone. */
static enum due_kind take_due(struct engine *engine, uint32_t index, copal_time now, copal_error *error) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if (now >= exchange_expiry(exchange)) {
    assert(exchange->state < EXCHANGE_ANSWERED); /* a call that is over has no timer */
    if (exchange->state == EXCHANGE_QUEUED) dequeue(engine, index);
    return fail(exchange, error);
  }
  switch ((enum exchange_state)exchange->state) {
    case EXCHANGE_READY:
      if (!may_begin(engine, index, now)) return DUE_NOTHING;
      transmit(engine, index, now);
      return DUE_TRANSMIT;
    case EXCHANGE_WAITING:
      if (has_missed_opportunity(engine, index, now)) return DUE_NOTHING;
      transmit(engine, index, now);
      return DUE_TRANSMIT;
    case EXCHANGE_LAST_WAIT: ++engine->counters.given_up; return fail(exchange, error);
    case EXCHANGE_SENT: return settle(engine, index) ? DUE_FAILED : DUE_NOTHING;
    case EXCHANGE_ANSWERED:
    case EXCHANGE_UNACKNOWLEDGED:
    case EXCHANGE_UNREACHED:
    case EXCHANGE_REJECTED: engine_forget(engine, index); return DUE_NOTHING;
    case EXCHANGE_FREE:
    case EXCHANGE_QUEUED:
    case EXCHANGE_EXPECTING:
    case EXCHANGE_OBSERVING: assert(false); break; /* their timer is their expiry */
  }
  return DUE_NOTHING;
}

void engine_due(struct engine *engine, copal_time now, struct due *due) {
  due->kind = DUE_NOTHING;
  due->error = COPAL_OK;
  while (due->kind == DUE_NOTHING && (due->exchange = timer_take_due(&engine->exchanges.timers, now)) != INDEX_NONE)
    due->kind = take_due(engine, due->exchange, now, &due->error);
}

/* RFC 7641 4.5.2: "The new notification is transmitted with a new Message ID and the following transmission parameters:
 * if the previous (re)transmission attempt timed out, retain its transmission parameters". One that has not been
 * transmitted before keeps its message ID. */
copal_error engine_supersede(struct engine *engine, uint32_t index, copal_bytes message) {
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  assert(exchange->transmissions > 0 && exchange->event_at == engine->now);
  copal_bytes token = header_token(exchange_bytes(&engine->exchanges, exchange));
  if (header_size_with(message, token) > engine->message_size_max) return COPAL_ERR_MESSAGE_SIZE;
  uint16_t mid = exchange->mid;
  if (exchange->transmissions == 1) return exchange_replace(&engine->exchanges, index, message, mid);
  if (!peers_next_mid(&engine->peers, exchange->peer, engine->now, engine->exchange_lifetime, &mid))
    return COPAL_ERR_MESSAGE_IDS_SPENT;
  copal_error error = exchange_replace(&engine->exchanges, index, message, mid);
  if (error == COPAL_OK) peers_take_mid(&engine->peers, exchange->peer, engine->now);
  return error;
}

/* --- Ends ------------------------------------------------------------------------------------- */

void engine_pass_turn(struct engine *engine, uint32_t index) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if ((exchange->flags & EXCHANGE_TURN) == 0) return;
  exchange->flags &= (uint8_t)~EXCHANGE_TURN;
  struct peer *peer = &engine->peers.records[exchange->peer];
  assert(peer->outstanding > 0);
  --peer->outstanding;
  uint32_t next = peer->as.busy.waiting;
  if (next == INDEX_NONE) return;
  if (timer_is_set(exchange_at(&engine->exchanges, next))) timer_cancel(&engine->exchanges.timers, next);
  dequeue(engine, next);
  make_ready(engine, next, engine->now);
}

void engine_fail(struct engine *engine, uint32_t index, enum exchange_state state) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if (timer_is_set(exchange)) timer_cancel(&engine->exchanges.timers, index);
  if (exchange->state == EXCHANGE_QUEUED) dequeue(engine, index);
  exchange->state = (uint8_t)state;
}

/* The timer of the exchange is not set here: it fired, or was cancelled by what ended the exchange. */
void engine_end(struct engine *engine, uint32_t index) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  assert(exchange->state >= EXCHANGE_ANSWERED);
  engine_pass_turn(engine, index);
  if ((exchange->flags & EXCHANGE_RECORD) != 0)
    engine_set_timer(engine, index, engine_lifetime_end(engine, exchange));
  else
    engine_forget(engine, index);
}

void engine_observe(struct engine *engine, uint32_t index, copal_time until) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  assert(exchange->state == EXCHANGE_ANSWERED || exchange->state == EXCHANGE_UNACKNOWLEDGED);
  assert((exchange->flags & EXCHANGE_CALL) != 0);
  exchange->state = EXCHANGE_OBSERVING;
  exchange->flags &= (uint8_t)~EXCHANGE_RESPONDED;
  exchange->of.expires_at = until;
  engine_set_timer(engine, index, COPAL_NEVER);
}

void engine_forget(struct engine *engine, uint32_t index) {
  uint32_t peer = exchange_at(&engine->exchanges, index)->peer;
  engine_pass_turn(engine, index);
  exchange_give(&engine->exchanges, index);
  peers_release(&engine->peers, peer);
}
