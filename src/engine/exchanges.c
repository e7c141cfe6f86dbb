/* See exchanges.h. */
#include "engine/exchanges.h"

#include <assert.h>

#include "base/prefetch.h"
#include "message/header.h"

void exchanges_init(struct exchanges *exchanges, struct layout *layout, const copal_config *config, struct hash_key key,
                    copal_time now) {
  uint32_t count = config->exchanges_max;
  exchanges->records = (struct exchange *)layout_take(layout, count, sizeof(struct exchange));
  slab_init(&exchanges->slab, exchanges->records, sizeof(struct exchange), count);
  store_init(&exchanges->store, layout, config->messages_size, config->message_size_max);
  table_init(&exchanges->mids, layout, count);
  table_init(&exchanges->tokens, layout, count);
  exchanges->receptions = (struct reception *)layout_take(layout, config->receptions_max, sizeof(struct reception));
  slab_init(&exchanges->reception_slab, exchanges->receptions, sizeof(struct reception), config->receptions_max);
  timer_queue_init(&exchanges->timers, exchanges->records, sizeof(struct exchange), now);
  exchanges->retired = INDEX_NONE;
  exchanges->output_at = now;
  exchanges->key = key;
  exchanges->mask = (uint32_t)(key.low ^ key.high >> 32);
}

/* Kept for one exchange, lest a peer that repeats itself take them all. */
enum { RECEPTIONS_EACH = 8 };

/* Peers' numbers and message IDs are chosen here, so nobody can make them collide, and a multiplication will do. Eight
 * IDs that follow each other stand side by side: exchanges of one peer, one after the other, use the same cache line.
 */
static uint32_t mid_hash(uint32_t peer, uint16_t mid) {
  uint64_t group = ((uint64_t)peer << 16 | mid >> 3) * 0x9e3779b97f4a7c15;
  return (uint32_t)(group >> 32 & ~UINT64_C(7)) | (mid & 7);
}

static uint32_t token_hash(const struct exchanges *exchanges, uint32_t peer, copal_bytes token) {
  return (uint32_t)hash_words(&exchanges->key, peer, hash_bytes(&exchanges->key, token.data, token.size));
}

/* The record that a token names, if it was made here. */
static uint32_t named_by(const struct exchanges *exchanges, copal_bytes token) {
  uint32_t masked;
  if (token.size != EXCHANGE_TOKEN_SIZE) return INDEX_NONE;
  memcpy(&masked, token.data + EXCHANGE_TOKEN_SIZE - sizeof masked, sizeof masked);
  return masked ^ exchanges->mask;
}

static copal_bytes token_of(const struct exchanges *exchanges, const struct exchange *exchange) {
  return header_token(exchange_bytes(exchanges, exchange));
}

static uint32_t token_peer(const struct exchange *exchange) {
  return (exchange->flags & EXCHANGE_MULTICAST) != 0 ? INDEX_NONE : exchange->peer;
}

static bool is_indexed(const struct exchanges *exchanges, uint32_t index) {
  const struct exchange *exchange = exchange_at(exchanges, index);
  return (exchange->flags & EXCHANGE_REQUEST) != 0 && named_by(exchanges, token_of(exchanges, exchange)) != index;
}

/* A given token may be a copy of one that was made here, and only a given one can be the same. RFC 7252 5.3.1: "The
 * client SHOULD generate tokens in such a way that tokens currently in use for a given source/destination endpoint
 * pair are unique." */
void exchange_next_token(const struct exchanges *exchanges, uint32_t peer, struct random *random,
                         uint8_t token[EXCHANGE_TOKEN_SIZE]) {
  uint32_t masked = slab_next(&exchanges->slab) ^ exchanges->mask;
  do {
    uint32_t chance = random_u32(random);
    memcpy(token, &chance, sizeof chance);
    memcpy(token + sizeof chance, &masked, sizeof masked);
  } while (exchange_by_token(exchanges, peer, (copal_bytes){token, EXCHANGE_TOKEN_SIZE}) != INDEX_NONE);
}

copal_error exchange_take(struct exchanges *exchanges, uint32_t peer, copal_bytes message, uint16_t mid,
                          copal_bytes token, uint8_t flags, uint32_t *index) {
  *index = slab_take(&exchanges->slab);
  if (*index == INDEX_NONE) return COPAL_ERR_EXCHANGES_FULL;
  size_t size = header_size_with(message, token);
  uint32_t slot = store_take(&exchanges->store, size);
  if (slot == INDEX_NONE) {
    slab_give(&exchanges->slab, *index);
    return COPAL_ERR_MESSAGES_FULL;
  }
  struct exchange *exchange = exchange_at(exchanges, *index);
  uint32_t generation = exchange->generation + 1;
  *exchange = (struct exchange){.as.sent_at = COPAL_NEVER,
                                .event_at = COPAL_NEVER,
                                .peer = peer,
                                .generation = generation == 0 ? 1 : generation,
                                .message = slot,
                                .size = (uint16_t)size,
                                .mid = mid,
                                .flags = flags};
  if ((flags & EXCHANGE_CALL) != 0)
    exchange->of.expires_at = COPAL_NEVER;
  else
    exchange->of.receptions = INDEX_NONE;
  uint8_t *bytes = store_bytes(&exchanges->store, slot);
  header_copy(bytes, message, (flags & EXCHANGE_CON) != 0 ? COPAL_CON : COPAL_NON, mid, token);
  table_insert(&exchanges->mids, mid_hash(peer, mid), *index);
  if (is_indexed(exchanges, *index))
    table_insert(&exchanges->tokens, token_hash(exchanges, token_peer(exchange), token_of(exchanges, exchange)),
                 *index);
  return COPAL_OK;
}

copal_error exchange_replace(struct exchanges *exchanges, uint32_t index, copal_bytes message, uint16_t mid) {
  struct exchange *exchange = exchange_at(exchanges, index);
  assert((exchange->flags & EXCHANGE_REQUEST) == 0 && header_token(message.data).size == 0);
  copal_bytes token = token_of(exchanges, exchange);
  size_t size = header_size_with(message, token);
  uint32_t slot = store_take(&exchanges->store, size);
  if (slot == INDEX_NONE) return COPAL_ERR_MESSAGES_FULL;
  uint8_t type = (exchange->flags & EXCHANGE_CON) != 0 ? COPAL_CON : COPAL_NON;
  header_copy(store_bytes(&exchanges->store, slot), message, type, mid, token);
  table_remove(&exchanges->mids, mid_hash(exchange->peer, exchange->mid), index);
  table_insert(&exchanges->mids, mid_hash(exchange->peer, mid), index);
  store_give(&exchanges->store, exchange->message);
  exchange->message = slot;
  exchange->size = (uint16_t)size;
  exchange->mid = mid;
  return COPAL_OK;
}

bool exchange_keep(struct exchanges *exchanges, uint32_t index, copal_bytes datagram, copal_time time) {
  uint32_t *link = &exchange_at(exchanges, index)->of.receptions;
  int earlier = 0;
  for (; *link != INDEX_NONE; ++earlier) link = &exchanges->receptions[*link].next;
  if (earlier == RECEPTIONS_EACH) return false;
  uint32_t kept = slab_take(&exchanges->reception_slab);
  if (kept == INDEX_NONE) return false;
  uint32_t slot = store_take(&exchanges->store, datagram.size);
  if (slot == INDEX_NONE) {
    slab_give(&exchanges->reception_slab, kept);
    return false;
  }
  memcpy(store_bytes(&exchanges->store, slot), datagram.data, datagram.size);
  exchanges->receptions[kept] = (struct reception){INDEX_NONE, slot, time, (uint32_t)datagram.size};
  *link = kept;
  return true;
}

static void give_receptions(struct exchanges *exchanges, uint32_t kept) {
  while (kept != INDEX_NONE) {
    uint32_t next = exchanges->receptions[kept].next;
    store_give(&exchanges->store, exchanges->receptions[kept].message);
    slab_give(&exchanges->reception_slab, kept);
    kept = next;
  }
}

static void free_record(struct exchanges *exchanges, uint32_t index) {
  store_give(&exchanges->store, exchange_at(exchanges, index)->message);
  slab_give(&exchanges->slab, index);
}

void exchange_give(struct exchanges *exchanges, uint32_t index) {
  struct exchange *exchange = exchange_at(exchanges, index);
  assert(exchange->state != EXCHANGE_FREE);
  table_remove(&exchanges->mids, mid_hash(exchange->peer, exchange->mid), index);
  if (is_indexed(exchanges, index))
    table_remove(&exchanges->tokens, token_hash(exchanges, token_peer(exchange), token_of(exchanges, exchange)), index);
  if ((exchange->flags & EXCHANGE_CALL) == 0) give_receptions(exchanges, exchange->of.receptions);
  exchange->state = EXCHANGE_FREE;
  if (exchange->transmissions > 0 && exchange->event_at >= exchanges->output_at) {
    exchange->timer.next = exchanges->retired;
    exchanges->retired = index;
  } else {
    free_record(exchanges, index);
  }
}

void exchanges_release(struct exchanges *exchanges, copal_time output_at) {
  while (exchanges->retired != INDEX_NONE) {
    uint32_t index = exchanges->retired;
    exchanges->retired = exchange_at(exchanges, index)->timer.next;
    free_record(exchanges, index);
  }
  exchanges->output_at = output_at;
}

uint32_t exchange_by_mid(const struct exchanges *exchanges, uint32_t peer, uint16_t mid) {
  uint32_t index;
  struct table_walk walk = table_walk(mid_hash(peer, mid));
  while ((index = table_next(&exchanges->mids, &walk)) != INDEX_NONE) {
    const struct exchange *exchange = exchange_at(exchanges, index);
    if (exchange->state == EXCHANGE_OBSERVING) continue;
    if (exchange->mid == mid && exchange->peer == peer) return index;
  }
  return INDEX_NONE;
}

static bool has_token(const struct exchanges *exchanges, uint32_t index, uint32_t peer, copal_bytes token) {
  const struct exchange *exchange = exchange_at(exchanges, index);
  if ((exchange->flags & EXCHANGE_REQUEST) == 0 || token_peer(exchange) != peer) return false;
  copal_bytes own = token_of(exchanges, exchange);
  return own.size == token.size && (own.size == 0 || memcmp(own.data, token.data, own.size) == 0);
}

uint32_t exchange_by_token(const struct exchanges *exchanges, uint32_t peer, copal_bytes token) {
  uint32_t index = named_by(exchanges, token), older = INDEX_NONE;
  if (index < exchanges->slab.fresh && exchange_at(exchanges, index)->state != EXCHANGE_FREE &&
      has_token(exchanges, index, peer, token)) {
    if (exchange_awaits_response(exchange_at(exchanges, index))) return index;
    older = index;
  }
  if (exchanges->tokens.count == 0) return older;
  struct table_walk walk = table_walk(token_hash(exchanges, peer, token));
  while ((index = table_next(&exchanges->tokens, &walk)) != INDEX_NONE) {
    if (!has_token(exchanges, index, peer, token)) continue;
    if (exchange_awaits_response(exchange_at(exchanges, index))) return index;
    older = index;
  }
  return older;
}

uint32_t exchange_guess(const struct exchanges *exchanges, copal_bytes token) {
  uint32_t index = named_by(exchanges, token);
  return index < exchanges->slab.fresh ? index : INDEX_NONE;
}

void exchange_prefetch_mid(const struct exchanges *exchanges, uint32_t peer, uint16_t mid) {
  table_prefetch(&exchanges->mids, mid_hash(peer, mid));
}

/* A timer's links, which its cancellation writes to; while it is not set they are no indexes. */
static void prefetch_neighbour(const struct exchanges *exchanges, uint32_t index) {
  if (index < exchanges->slab.fresh) prefetch(exchange_at(exchanges, index));
}

void exchange_prefetch(const struct exchanges *exchanges, uint32_t index) {
  const struct exchange *exchange = exchange_at(exchanges, index);
  prefetch(exchange_bytes(exchanges, exchange));
  prefetch_neighbour(exchanges, exchange->timer.next);
  prefetch_neighbour(exchanges, exchange->timer.previous);
  table_prefetch(&exchanges->mids, mid_hash(exchange->peer, exchange->mid));
}

uint32_t exchange_of(const struct exchanges *exchanges, copal_tx tx) {
  if (tx.generation == 0 || tx.index >= exchanges->slab.fresh) return INDEX_NONE;
  const struct exchange *exchange = exchange_at(exchanges, tx.index);
  return exchange->generation == tx.generation && exchange->state != EXCHANGE_FREE ? tx.index : INDEX_NONE;
}
