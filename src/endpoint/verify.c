/* No amplification, and no client left out: as long as an address is not verified it is sent little for a request, and
 * a larger answer waits for two pings to be answered, which every client must do. Who does not answer them gets 4.01
 * with an Echo option. RFC 7252 sections 4.3 and 11.3, RFC 9175 sections 2.4 and 2.6, decision 0011. */
#include "endpoint/verify.h"

#include <assert.h>

#include "endpoint/endpoint.h"
#include "rest/echo.h"
#include "rest/request.h"

enum {
  SAFE_SIZE = 136,
  STRAYS_MAX = 8, /* repeated Resets are few: who sends more is guessing */
  PING_TIMES = 2  /* ACK_TIMEOUTs that a pair of pings is waited for: each is sent at most twice */
};

#define SPARE_DELAY (300 * COPAL_MILLISECOND)

uint32_t verifications_max(const copal_config *config) {
  return config->amplification_max > 0 && !config->raw ? config->deferred_max : 0;
}

void verifications_init(struct verifications *verifications, struct layout *layout, const copal_config *config,
                        struct hash_key key) {
  uint32_t count_max = verifications_max(config);
  verifications->records = (struct verification *)layout_take(layout, count_max, sizeof(struct verification));
  slab_init(&verifications->slab, verifications->records, sizeof(struct verification), count_max);
  verifications->held = (struct held *)layout_take(layout, count_max, sizeof(struct held));
  slab_init(&verifications->held_slab, verifications->held, sizeof(struct held), count_max);
  table_init(&verifications->index, layout, count_max);
  verifications->key = key;
  verifications->amplification_max = config->raw ? 0 : config->amplification_max;
}

static uint32_t peer_hash(const struct verifications *verifications, uint32_t peer) {
  return (uint32_t)hash_words(&verifications->key, peer, 0);
}

static struct verification *find(const struct verifications *verifications, uint32_t peer) {
  uint32_t index;
  struct table_walk walk = table_walk(peer_hash(verifications, peer));
  while ((index = table_next(&verifications->index, &walk)) != INDEX_NONE)
    if (verifications->records[index].peer == peer) return &verifications->records[index];
  return NULL;
}

bool endpoint_is_verified(const copal_endpoint *endpoint, uint32_t peer) {
  return engine_is_verified(&endpoint->engine, peer);
}

/* RFC 9175 2.4: "don't send more than three times the number of bytes received until the peer's address is confirmed";
 * "a safe default is sending initial responses no larger than 136 bytes". */
bool endpoint_may_send(const copal_endpoint *endpoint, uint32_t peer, size_t request_size, size_t size) {
  if (size <= SAFE_SIZE || endpoint_is_verified(endpoint, peer)) return true;
  return size <= (uint64_t)request_size * endpoint->verifications.amplification_max;
}

bool endpoint_may_answer(const copal_endpoint *endpoint, const struct arrival *arrival, size_t reply_size) {
  return endpoint_may_send(endpoint, arrival->incoming.peer, arrival->datagram->size, reply_size);
}

/* --- Pings, and the end of a verification -------------------------------------------------------- */

copal_bytes endpoint_write_small(copal_endpoint *endpoint, uint32_t peer, bool executed, copal_bytes message,
                                 uint8_t buffer[SMALL_SIZE]) {
  struct engine *engine = &endpoint->engine;
  copal_message small;
  ++engine->counters.unverified;
  copal_message_init(&small, buffer, SMALL_SIZE, COPAL_NON, COPAL_UNAUTHORIZED);
  if (!executed) {
    uint8_t value[ECHO_SIZE];
    uint64_t identity = path_identity(&endpoint->paths, &endpoint->paths.records[peer]);
    echo_write(&engine->seal_key, identity, engine->now, value);
    copal_message_add(&small, COPAL_OPTION_ECHO, value, sizeof value);
    return (copal_bytes){buffer, small.size};
  }
  copal_view view;
  copal_error error = copal_decode(message.data, message.size, &view);
  assert(error == COPAL_OK);
  (void)error;
  copal_message_set_code(&small, view.code);
  copal_options walk = copal_options_of(&view);
  for (copal_option option; copal_options_next(&walk, &option);)
    if (option.number == COPAL_OPTION_LOCATION_PATH || option.number == COPAL_OPTION_LOCATION_QUERY)
      copal_message_add_raw(&small, option.number, option.value, option.size);
  if (small.error != COPAL_OK) copal_message_init(&small, buffer, SMALL_SIZE, COPAL_NON, view.code);
  return (copal_bytes){buffer, small.size};
}

/* RFC 9175 2.4: "When an Echo response is sent to mitigate amplification, it MUST be sent as a piggybacked or
 * Non-confirmable response, never as a separate one (which would cause amplification due to retransmission)." */
static void release(copal_endpoint *endpoint, uint32_t peer, const struct held *held) {
  struct store *store = &endpoint->engine.exchanges.store;
  const struct deferred *deferred = &endpoint->deferreds.records[held->deferred];
  copal_bytes message = {store_bytes(store, held->message), held->size};
  copal_type type = deferred->key.con ? COPAL_CON : COPAL_NON;
  uint8_t buffer[SMALL_SIZE];
  if (!endpoint_is_verified(endpoint, peer)) {
    type = COPAL_NON;
    endpoint_withdraw(endpoint, peer, (copal_bytes){store_bytes(store, deferred->token), deferred->token_size},
                      message);
    message = endpoint_write_small(endpoint, peer, deferred->key.unsafe, message, buffer);
  }
  if (endpoint_answer_late(endpoint, deferred, message, type) != COPAL_OK) ++endpoint->engine.counters.outbox_full;
  store_give(store, held->message);
  deferred_give(&endpoint->deferreds, &endpoint->engine, held->deferred);
}

static void cancel_pings(copal_endpoint *endpoint, const struct verification *verification) {
  for (int i = 0; i < VERIFY_PINGS; ++i)
    if (verification->pings[i].generation != 0) copal_cancel(endpoint, verification->pings[i]);
}

/* What is held goes: whole, if the peer is verified by now. */
static void end(copal_endpoint *endpoint, struct verification *verification) {
  struct verifications *verifications = &endpoint->verifications;
  uint32_t peer = verification->peer, index = (uint32_t)(verification - verifications->records);
  cancel_pings(endpoint, verification);
  for (uint32_t at = verification->first; at != INDEX_NONE;) {
    uint32_t next = verifications->held[at].next;
    release(endpoint, peer, &verifications->held[at]);
    slab_give(&verifications->held_slab, at);
    at = next;
  }
  table_remove(&verifications->index, peer_hash(verifications, peer), index);
  slab_give(&verifications->slab, index);
  peers_release(&endpoint->engine.peers, peer);
}

static void told(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context);

/* RFC 7252 4.2: "A recipient MUST either (a) acknowledge a Confirmable message with an Acknowledgement message or (b)
 * reject the message if the recipient lacks context to process the message properly, including situations where the
 * message is Empty". So every client answers a ping with a Reset, and only who received it knows its message ID. */
static bool ping(copal_endpoint *endpoint, struct verification *verification, copal_time delay, copal_time timeout,
                 copal_tx *tx) {
  struct engine *engine = &endpoint->engine;
  uint32_t peer = verification->peer, index;
  uint8_t message[HEADER_SIZE];
  header_empty(message, COPAL_CON, 0);
  struct transmission transmission = {.peer = peer,
                                      .type = COPAL_CON,
                                      .message = {message, sizeof message},
                                      .flags = EXCHANGE_CALL,
                                      .delay = delay,
                                      .timeout = timeout};
  if (!peers_skip_mids(&engine->peers, peer, &engine->random, engine->now, engine->exchange_lifetime)) return false;
  if (engine_send(engine, &transmission, &index) != COPAL_OK) return false;
  endpoint->calls[index] = (struct call){told, verification};
  *tx = exchange_handle(&engine->exchanges, index);
  return true;
}

static uint32_t count_pings(const struct verification *verification) {
  uint32_t count = 0;
  for (int i = 0; i < VERIFY_PINGS; ++i) count += verification->pings[i].generation != 0;
  return count;
}

/* Somebody is there, so a second Reset that does not come at once was lost or held back: libcoap sends one every
 * quarter of a second. */
static void ping_again(copal_endpoint *endpoint, struct verification *verification) {
  copal_tx *spare = &verification->pings[VERIFY_PINGS - 1];
  assert(spare->generation == 0); /* of a pair one is second */
  ping(endpoint, verification, SPARE_DELAY, COPAL_NEVER, spare);
}

static void told(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  struct verification *verification = (struct verification *)context;
  (void)rx;
  for (int i = 0; i < VERIFY_PINGS; ++i)
    if (verification->pings[i].generation != 0 && verification->pings[i].index == tx.index)
      verification->pings[i] = (copal_tx){0};
  if (error == COPAL_ERR_RESET) --verification->awaited;
  if (error == COPAL_ERR_RESET && verification->awaited > 0) ping_again(endpoint, verification);
  if (verification->awaited == 0) engine_verify(&endpoint->engine, verification->peer);
  if (count_pings(verification) < verification->awaited || verification->awaited == 0) end(endpoint, verification);
}

void endpoint_note_verified(copal_endpoint *endpoint, uint32_t peer) {
  engine_verify(&endpoint->engine, peer);
  struct verification *verification = find(&endpoint->verifications, peer);
  if (verification != NULL) end(endpoint, verification);
}

/* All message IDs can be tried in 61,440 datagrams. */
void endpoint_note_stray(copal_endpoint *endpoint, uint32_t peer) {
  if (peer == INDEX_NONE) return;
  struct verification *verification = find(&endpoint->verifications, peer);
  if (verification != NULL && ++verification->strays > STRAYS_MAX) end(endpoint, verification);
}

/* --- Its beginning ------------------------------------------------------------------------------ */

static struct verification *begin(copal_endpoint *endpoint, uint32_t peer) {
  struct verifications *verifications = &endpoint->verifications;
  /* It keeps its peer's record for seconds: a stranger must find another one. */
  uint32_t index = peers_have_room(&endpoint->engine.peers) ? slab_take(&verifications->slab) : INDEX_NONE;
  if (index == INDEX_NONE) return NULL;
  struct verification *verification = &verifications->records[index];
  *verification = (struct verification){.peer = peer, .first = INDEX_NONE, .last = INDEX_NONE, .awaited = VERIFY_PAIR};
  copal_time timeout = PING_TIMES * endpoint->engine.parameters.ack_timeout;
  for (int i = 0; i < VERIFY_PAIR; ++i) {
    if (ping(endpoint, verification, 0, timeout, &verification->pings[i])) continue;
    cancel_pings(endpoint, verification);
    slab_give(&verifications->slab, index);
    return NULL;
  }
  table_insert(&verifications->index, peer_hash(verifications, peer), index);
  peers_hold(&endpoint->engine.peers, peer);
  return verification;
}

static struct verification *find_or_begin(copal_endpoint *endpoint, uint32_t peer) {
  struct verification *verification = find(&endpoint->verifications, peer);
  return verification != NULL ? verification : begin(endpoint, peer);
}

bool endpoint_verify(copal_endpoint *endpoint, uint32_t peer, uint32_t quarters) {
  if (endpoint_is_verified(endpoint, peer) || endpoint_is_verifying(endpoint, peer)) return true;
  return verifications_have_room(&endpoint->verifications, quarters) && begin(endpoint, peer) != NULL;
}

bool endpoint_is_verifying(const copal_endpoint *endpoint, uint32_t peer) {
  return find(&endpoint->verifications, peer) != NULL;
}

/* --- What waits --------------------------------------------------------------------------------- */

/* A record with a copy of the answer, or INDEX_NONE. */
static uint32_t keep(copal_endpoint *endpoint, uint32_t deferred, copal_bytes message) {
  struct verifications *verifications = &endpoint->verifications;
  struct store *store = &endpoint->engine.exchanges.store;
  uint32_t index = slab_take(&verifications->held_slab);
  assert(index != INDEX_NONE); /* there are as many as deferred records, and each has one */
  uint32_t slot = store_take(store, message.size);
  if (slot == INDEX_NONE) {
    slab_give(&verifications->held_slab, index);
    return INDEX_NONE;
  }
  memcpy(store_bytes(store, slot), message.data, message.size);
  verifications->held[index] =
      (struct held){.next = INDEX_NONE, .message = slot, .deferred = deferred, .size = (uint16_t)message.size};
  return index;
}

bool endpoint_hold(copal_endpoint *endpoint, uint32_t deferred, copal_bytes message) {
  struct verifications *verifications = &endpoint->verifications;
  bool executed = endpoint->deferreds.records[deferred].key.unsafe;
  if (!verifications_have_room(verifications, executed ? VERIFY_EXECUTED : VERIFY_REPEATABLE)) return false;
  uint32_t index = keep(endpoint, deferred, message);
  if (index == INDEX_NONE) return false;
  struct verification *verification = find_or_begin(endpoint, endpoint->deferreds.records[deferred].peer);
  if (verification == NULL) {
    store_give(&endpoint->engine.exchanges.store, verifications->held[index].message);
    slab_give(&verifications->held_slab, index);
    return false;
  }
  if (verification->first == INDEX_NONE)
    verification->first = index;
  else
    verifications->held[verification->last].next = index;
  verification->last = index;
  ++endpoint->engine.counters.held;
  return true;
}

static bool hold(copal_endpoint *endpoint, const struct arrival *arrival, copal_bytes message) {
  uint32_t index = deferred_take(&endpoint->deferreds, &endpoint->engine, &arrival->incoming, true);
  if (index == INDEX_NONE) return false;
  if (endpoint_hold(endpoint, index, message)) return true;
  deferred_give(&endpoint->deferreds, &endpoint->engine, index);
  return false;
}

void endpoint_hold_answer(copal_endpoint *endpoint, struct arrival *arrival, struct reply *entry,
                          const struct copal_request *request) {
  struct replies *replies = engine_replies(&endpoint->engine, &arrival->incoming.key);
  bool con = arrival->view.type == COPAL_CON;
  copal_bytes message = {reply_bytes(entry), request->reply.size}, token = arrival->view.token;
  if (hold(endpoint, arrival, message)) {
    replies_close(replies, entry, REPLY_PENDING, 0);
    return;
  }
  uint8_t buffer[SMALL_SIZE];
  bool executed = arrival->incoming.key.unsafe;
  endpoint_withdraw(endpoint, arrival->incoming.peer, token, message);
  copal_bytes small = endpoint_write_small(endpoint, arrival->incoming.peer, executed, message, buffer);
  size_t size = header_size_with(small, token);
  if (size > reply_room(entry)) { /* a token that takes up all of it */
    replies_close(replies, entry, REPLY_NOTHING, 0);
    ++endpoint->engine.counters.ignored;
    return;
  }
  header_copy(reply_bytes(entry), small, con ? COPAL_ACK : COPAL_NON, request->reply_mid, token);
  replies_close(replies, entry, REPLY_MESSAGE, size);
  endpoint_answer(endpoint, &arrival->path, entry);
}
