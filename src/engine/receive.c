/* One verdict for each message that comes in: what it is, and to which message of ours it belongs. The rules of RFC
 * 7252 sections 4.2 to 4.5, 5.3.2 and 8. */
#include <assert.h>

#include "engine/engine.h"
#include "message/header.h"

static struct verdict verdict(enum verdict_kind kind, uint32_t exchange) {
  return (struct verdict){.kind = kind, .exchange = exchange};
}

static struct verdict repeat(struct reply *reply) {
  return (struct verdict){.kind = VERDICT_REPEAT, .exchange = INDEX_NONE, .reply = reply};
}

/* RFC 7252 4.2: "Rejecting a Confirmable message is effected by sending a matching Reset message"; 4.3: a NON is
 * "silently ignored"; 8.1: what came by multicast is not answered with one. */
static struct verdict reject(const struct incoming *incoming) {
  bool answerable = incoming->view->type == COPAL_CON && !incoming->multicast;
  return verdict(answerable ? VERDICT_REJECT : VERDICT_IGNORE, INDEX_NONE);
}

/* RFC 7252 4.2: "recipients of Acknowledgement and Reset messages MUST NOT respond with either Acknowledgement or
 * Reset messages." */
static struct verdict unmatched(const struct engine *engine, const struct incoming *incoming) {
  if (engine->raw) return verdict(VERDICT_UNMATCHED, INDEX_NONE);
  return reject(incoming);
}

/* --- The exchange that is answered ------------------------------------------------------------- */

/* The message layer is done with an exchange: no more transmissions. A call's owner is to be told next, and its timer
 * is off; a record stays, with the end of its lifetime as timer. */
static void conclude(struct engine *engine, uint32_t index, enum exchange_state state) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if (exchange->state >= EXCHANGE_ANSWERED) {
    /* That its response was refused stays true whatever empty message comes. */
    if (exchange->state != EXCHANGE_REJECTED) exchange->state = (uint8_t)state;
    return;
  }
  timer_cancel(&engine->exchanges.timers, index);
  exchange->state = (uint8_t)state;
  engine_pass_turn(engine, index);
  if ((exchange->flags & EXCHANGE_RECORD) != 0) engine_set_timer(engine, index, engine_lifetime_end(engine, exchange));
}

static void note_reply(struct exchange *exchange, bool reset, copal_time now) {
  if (exchange->replies == 0 && reset) exchange->flags |= EXCHANGE_RST;
  if (exchange->replies < UINT8_MAX) ++exchange->replies;
  exchange->event_at = now;
}

/* The exchange of ours that an ACK or RST answers: same peer, same message ID, and on its way. RFC 7252 4.4: "the
 * Message ID and source endpoint of the Acknowledgement or Reset message MUST match the Message ID and destination
 * endpoint of the Confirmable or Non-confirmable message." */
static uint32_t answered_by_mid(const struct engine *engine, const struct incoming *incoming) {
  const struct exchanges *exchanges = &engine->exchanges;
  uint32_t index = exchange_by_mid(exchanges, incoming->peer, incoming->view->message_id);
  if (index == INDEX_NONE && incoming->unbound != INDEX_NONE)
    index = exchange_by_mid(exchanges, incoming->unbound, incoming->view->message_id);
  if (index == INDEX_NONE) return INDEX_NONE;
  const struct exchange *exchange = exchange_at(exchanges, index);
  if (exchange->transmissions == 0) return INDEX_NONE;
  if (incoming->view->type == COPAL_ACK && (exchange->flags & EXCHANGE_CON) == 0) return INDEX_NONE;
  return index;
}

static struct verdict receive_empty_ack(struct engine *engine, const struct incoming *incoming, copal_time now) {
  uint32_t index = answered_by_mid(engine, incoming);
  if (index == INDEX_NONE) return unmatched(engine, incoming);
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  note_reply(exchange, false, now);
  uint8_t code = header_code(exchange_bytes(&engine->exchanges, exchange));
  /* Whoever acknowledges has received. A ping is not acknowledged but rejected, and for that it has two. */
  if (code != COPAL_EMPTY) engine_verify(engine, exchange->peer);
  bool awaited = (exchange->flags & EXCHANGE_REQUEST) != 0 && exchange_awaits_response(exchange);
  if ((exchange->flags & EXCHANGE_CALL) != 0 && awaited) {
    if (exchange->state == EXCHANGE_WAITING || exchange->state == EXCHANGE_LAST_WAIT) {
      timer_cancel(&engine->exchanges.timers, index);
      engine_pass_turn(engine, index);
      exchange->state = EXCHANGE_EXPECTING;
      engine_set_timer(engine, index, COPAL_NEVER);
    }
  } else {
    conclude(engine, index, EXCHANGE_ANSWERED);
    if ((exchange->flags & (EXCHANGE_RECORD | EXCHANGE_CALL)) == 0) {
      engine_forget(engine, index);
      index = INDEX_NONE;
    }
  }
  return verdict(VERDICT_ACKNOWLEDGED, index);
}

/* RFC 7252 4.2: a CON's recipient "MUST either (a) acknowledge a Confirmable message … or (b) reject the message". What
 * has been acknowledged may have been executed: a Reset that comes afterwards, to something else that bears the message
 * ID in our name, must not have it sent anew. */
static bool is_acknowledged(const struct exchange *exchange) {
  return (exchange->flags & EXCHANGE_CALL) != 0 && (exchange->flags & EXCHANGE_CON) != 0 &&
         exchange->state == EXCHANGE_EXPECTING;
}

static struct verdict receive_reset(struct engine *engine, const struct incoming *incoming, copal_time now) {
  uint32_t index = answered_by_mid(engine, incoming);
  if (index == INDEX_NONE) return unmatched(engine, incoming);
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if (is_acknowledged(exchange)) return verdict(VERDICT_IGNORE, INDEX_NONE);
  struct verdict result = {.kind = VERDICT_RESET, .exchange = index, .late = exchange->state >= EXCHANGE_ANSWERED};
  note_reply(exchange, true, now);
  ++engine->counters.resets;
  conclude(engine, index, EXCHANGE_ANSWERED);
  if ((exchange->flags & (EXCHANGE_RECORD | EXCHANGE_CALL)) == 0) {
    engine_forget(engine, index);
    result.exchange = INDEX_NONE;
  }
  return result;
}

/* RFC 7252 5.3.2: "The source endpoint of the response MUST be the same as the destination endpoint of the original
 * request" (but for groups, 8.2), and the tokens must be equal. */
static uint32_t answered_by_token(const struct engine *engine, const struct incoming *incoming) {
  copal_bytes token = incoming->view->token;
  uint32_t index = INDEX_NONE;
  if (incoming->peer != INDEX_NONE) index = exchange_by_token(&engine->exchanges, incoming->peer, token);
  if (index == INDEX_NONE && incoming->unbound != INDEX_NONE)
    index = exchange_by_token(&engine->exchanges, incoming->unbound, token);
  if (index == INDEX_NONE) index = exchange_by_token(&engine->exchanges, INDEX_NONE, token);
  if (index == INDEX_NONE) return INDEX_NONE;
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  /* Nobody waits for what is about to be forgotten after its transmission. */
  bool is_awaited = exchange->transmissions > 0 && (exchange->flags & (EXCHANGE_CALL | EXCHANGE_RECORD)) != 0;
  return is_awaited ? index : INDEX_NONE;
}

void engine_verify(struct engine *engine, uint32_t peer) {
  struct peer *record = &engine->peers.records[peer];
  if ((record->flags & PEER_VERIFIED) != 0) return;
  record->flags |= PEER_VERIFIED;
  ++engine->counters.verified;
}

/* Who returns a token that cannot be guessed has received it. A message ID alone proves less: see decision 0011. RFC
 * 7252 5.3.1 asks for "at least 32 bits of randomness". */
static void note_token(struct engine *engine, const struct exchange *exchange) {
  enum { TOKEN_SIZE_PROVING = 4 };
  copal_bytes token = header_token(exchange_bytes(&engine->exchanges, exchange));
  if (token.size >= TOKEN_SIZE_PROVING) engine_verify(engine, exchange->peer);
}

static struct verdict take_response(struct engine *engine, uint32_t index) {
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  struct verdict result = {.kind = VERDICT_RESPONSE, .exchange = index, .late = exchange->state == EXCHANGE_REJECTED};
  exchange->flags |= EXCHANGE_RESPONDED;
  ++engine->counters.responses;
  if ((exchange->flags & EXCHANGE_MULTICAST) != 0) return result;
  note_token(engine, exchange);
  /* RFC 7252 4.2: after a separate response "it is clear to the requester that only the ACK was lost and a
   * retransmission of the request would serve no purpose". */
  conclude(engine, index, EXCHANGE_ANSWERED);
  exchange->state = EXCHANGE_ANSWERED;
  return result;
}

/* RFC 7641 3.3.1 has an observation renewed with its token, so a notification that crosses the request goes for the
 * answer. The answer itself may be newer, and is owed still. */
static uint32_t answered_once_more(const struct engine *engine, const struct incoming *incoming, copal_time now) {
  uint32_t index = answered_by_token(engine, incoming);
  if (index == INDEX_NONE) return INDEX_NONE;
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  bool owed = exchange->state == EXCHANGE_OBSERVING && (exchange->flags & EXCHANGE_CON) != 0 && exchange->replies == 0;
  bool is_its_ack =
      exchange->mid == incoming->view->message_id && now - exchange->as.sent_at <= engine->exchange_lifetime;
  return owed && is_its_ack ? index : INDEX_NONE;
}

/* RFC 7252 5.2.2: "The server MUST stop retransmitting its response on any matching Acknowledgement (silently ignoring
 * any Response Code or payload) or Reset message." */
static bool is_response(const struct engine *engine, uint32_t index) {
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  return copal_code_is_response(header_code(exchange_bytes(&engine->exchanges, exchange)));
}

/* RFC 7252 5.3.2: "In a piggybacked response, the Message ID of the Confirmable request and the Acknowledgement MUST
 * match, and the tokens of the response and original request MUST match." */
static struct verdict receive_piggybacked(struct engine *engine, const struct incoming *incoming, copal_time now) {
  uint32_t index = answered_by_mid(engine, incoming);
  if (index == INDEX_NONE) index = answered_once_more(engine, incoming, now);
  if (index == INDEX_NONE) return unmatched(engine, incoming);
  if (is_response(engine, index)) return receive_empty_ack(engine, incoming, now);
  if (answered_by_token(engine, incoming) != index) return verdict(VERDICT_IGNORE, INDEX_NONE);
  struct exchange *exchange = exchange_at(&engine->exchanges, index);
  note_reply(exchange, false, now);
  /* A repeated one is for those who look at each message. */
  bool repeated = (exchange->flags & EXCHANGE_RESPONDED) != 0 && exchange->state >= EXCHANGE_ANSWERED;
  if (repeated && !engine->raw) return verdict(VERDICT_IGNORE, INDEX_NONE);
  return take_response(engine, index);
}

/* RFC 7641 3.6: a client that forgot an observation "will not recognize the token in the message and thus will return a
 * Reset message. This causes the server to remove the associated entry from the list of observers." */
static struct verdict unmatched_response(const struct engine *engine, const struct incoming *incoming) {
  copal_option observe;
  bool notification = incoming->view->type == COPAL_NON && copal_find(incoming->view, COPAL_OPTION_OBSERVE, &observe);
  if (notification && !engine->raw) return verdict(VERDICT_REJECT, INDEX_NONE);
  return unmatched(engine, incoming);
}

/* --- What is new ------------------------------------------------------------------------------- */

/* Blocks before the last of a body, and requests for more of a reply, execute nothing: their own order sees to that, so
 * a long body does not use up the memory of what does. The last block does: were its reply forgotten, its repetition
 * would be incomplete, and the client send all of it again. Where blocks have no order it is known which bodies are
 * whole. */
static bool is_part_by(const copal_view *request, uint16_t upload, uint16_t download) {
  uint32_t block1 = copal_find_uint(request, upload, UINT32_MAX);
  if (block1 != UINT32_MAX) return copal_block_of(block1).more;
  return copal_block_of(copal_find_uint(request, download, 0)).number > 0;
}

static bool is_part(const copal_view *request) {
  return is_part_by(request, COPAL_OPTION_BLOCK1, COPAL_OPTION_BLOCK2) ||
         is_part_by(request, COPAL_OPTION_Q_BLOCK1, COPAL_OPTION_Q_BLOCK2);
}

/* RFC 7252 5.1 and RFC 8132: GET, PUT, DELETE, FETCH and iPATCH are idempotent; of unknown methods nobody knows. */
static bool may_be_unsafe(uint8_t code) {
  switch (code) {
    case COPAL_GET:
    case COPAL_PUT:
    case COPAL_DELETE:
    case COPAL_FETCH:
    case COPAL_IPATCH: return false;
  }
  return copal_code_is_request(code);
}

bool engine_is_unsafe(const struct engine *engine, const copal_view *request) {
  return may_be_unsafe(request->code) && (engine->raw || !is_part(request));
}

void engine_prefetch_reply(const struct engine *engine, uint8_t code, uint64_t identity, uint32_t fingerprint) {
  replies_prefetch(may_be_unsafe(code) ? &engine->unsafe : &engine->idempotent, identity, fingerprint);
}

static bool has_its_share(const struct engine *engine, uint32_t peer) {
  assert(peer != INDEX_NONE); /* whose request that is has a record before it is processed */
  return engine->peers.records[peer].unsafe_replies >= engine->peer_replies_max;
}

bool engine_must_verify(struct engine *engine, uint32_t peer) {
  size_t size_max = engine->message_size_max;
  if (engine_is_verified(engine, peer) || !replies_are_scarce(&engine->unsafe, size_max)) return false;
  replies_expire(&engine->unsafe, &engine->peers, engine->now, engine->exchange_lifetime);
  return replies_are_scarce(&engine->unsafe, size_max);
}

struct reply *engine_remember(struct engine *engine, const struct incoming *incoming, size_t size_max) {
  struct replies *replies = engine_replies(engine, &incoming->key);
  uint32_t peer = incoming->peer;
  if (replies->unsafe && has_its_share(engine, peer)) {
    replies_expire(replies, &engine->peers, engine->now, engine->exchange_lifetime);
    if (has_its_share(engine, peer)) return NULL;
  }
  return replies_take(replies, &engine->peers, &incoming->key, peer, size_max, engine->now, engine->exchange_lifetime,
                      &engine->counters.replies_evicted);
}

void engine_remember_refusal(struct engine *engine, struct reply *reply, size_t size) {
  engine->refused_until = engine->now + engine->exchange_lifetime;
  replies_close(&engine->idempotent, reply, REPLY_MESSAGE, size);
}

static struct reply *find_duplicate(struct engine *engine, struct incoming *incoming, copal_time now) {
  incoming->key = (struct reply_key){.identity = incoming->identity,
                                     .fingerprint = incoming->fingerprint,
                                     .mid = incoming->view->message_id,
                                     .con = incoming->view->type == COPAL_CON,
                                     .unsafe = engine_is_unsafe(engine, incoming->view)};
  struct reply *reply = replies_find(engine_replies(engine, &incoming->key), &incoming->key, now,
                                     engine->exchange_lifetime, engine->non_lifetime);
  if (reply != NULL || !incoming->key.unsafe || now >= engine->refused_until) return reply;
  return replies_find(&engine->idempotent, &incoming->key, now, engine->exchange_lifetime, engine->non_lifetime);
}

static struct verdict receive_request(struct engine *engine, struct incoming *incoming, copal_time now) {
  uint8_t type = incoming->view->type;
  /* RFC 7252 4.2: "the case where the Acknowledgement carries a request" is to be silently ignored. 8.1: a multicast
   * request "MUST be Non-confirmable". */
  if (type == COPAL_ACK || type == COPAL_RST || (type == COPAL_CON && incoming->multicast))
    return verdict(VERDICT_IGNORE, INDEX_NONE);
  struct reply *duplicate = find_duplicate(engine, incoming, now);
  if (duplicate != NULL) return repeat(duplicate);
  return verdict(VERDICT_REQUEST, INDEX_NONE);
}

static struct verdict receive_response(struct engine *engine, struct incoming *incoming, copal_time now) {
  uint8_t type = incoming->view->type;
  if (type == COPAL_RST || incoming->multicast) return verdict(VERDICT_IGNORE, INDEX_NONE);
  if (type == COPAL_ACK) return receive_piggybacked(engine, incoming, now);
  struct reply *duplicate = find_duplicate(engine, incoming, now);
  if (duplicate != NULL) return repeat(duplicate);
  uint32_t index = answered_by_token(engine, incoming);
  if (index == INDEX_NONE) return unmatched_response(engine, incoming);
  return take_response(engine, index);
}

static void note_heard(struct engine *engine, uint32_t peer) {
  if (peer == INDEX_NONE) return;
  engine->peers.records[peer].flags &= (uint8_t)~PEER_SILENT;
  peers_touch(&engine->peers, peer);
}

struct verdict engine_receive(struct engine *engine, struct incoming *incoming, copal_time now) {
  const copal_view *view = incoming->view;
  note_heard(engine, incoming->peer);
  note_heard(engine, incoming->unbound);
  if (copal_code_is_request(view->code)) return receive_request(engine, incoming, now);
  if (copal_code_is_response(view->code)) return receive_response(engine, incoming, now);
  /* RFC 7252 4.2: rejected "where the message is Empty, uses a code with a reserved class (1, 6, or 7)". A CON that is
   * empty is a ping: its Reset is the answer. */
  if (view->code != COPAL_EMPTY) return reject(incoming);
  switch ((copal_type)view->type) {
    case COPAL_ACK: return receive_empty_ack(engine, incoming, now);
    case COPAL_RST: return receive_reset(engine, incoming, now);
    case COPAL_CON:
    case COPAL_NON: break;
  }
  return reject(incoming);
}
