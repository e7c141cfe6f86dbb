/* See replies.h. Entries never wrap: what is left at the end of the ring, too small for the next one, is a dead entry
 * or, below an entry's size, skipped. */
#include "engine/replies.h"

#include <assert.h>

enum { ENTRY_SIZE = sizeof(struct reply), ENTRY_TYPICAL = ENTRY_SIZE + 16, EXTENT_UNIT = 8 };

void replies_init(struct replies *replies, struct layout *layout, uint32_t size, bool unsafe) {
  size &= ~(uint32_t)7;
  *replies = (struct replies){.size = size, .count_max = size / ENTRY_TYPICAL, .unsafe = unsafe};
  replies->bytes = (uint8_t *)layout_take(layout, size, 1);
  table_init(&replies->index, layout, replies->count_max);
}

/* Both are keyed hashes, and together they are of all that makes a duplicate: a client that reuses message IDs too
 * early makes no long walks. */
static uint32_t key_hash(uint64_t identity, uint32_t fingerprint) { return (uint32_t)identity ^ fingerprint; }

struct reply *replies_find(const struct replies *replies, const struct reply_key *key, copal_time now,
                           copal_time con_lifetime, copal_time non_lifetime) {
  uint32_t unit;
  struct table_walk walk = table_walk(key_hash(key->identity, key->fingerprint));
  while ((unit = table_next(&replies->index, &walk)) != INDEX_NONE) {
    struct reply *reply = reply_at(replies, unit * EXTENT_UNIT);
    if (reply->identity != key->identity || reply->mid != key->mid) continue;
    assert(reply->fingerprint == key->fingerprint); /* by the two hashes that are equal */
    if (!coarse_passed(reply->time, reply->con ? con_lifetime : non_lifetime, now)) return reply;
  }
  return NULL;
}

void replies_prefetch(const struct replies *replies, uint64_t identity, uint32_t fingerprint) {
  table_prefetch(&replies->index, key_hash(identity, fingerprint));
}

void replies_drop(struct replies *replies, struct peers *peers, struct reply *reply) {
  reply->state = REPLY_DEAD;
  if (!reply->found) return;
  reply->found = false;
  table_remove(&replies->index, key_hash(reply->identity, reply->fingerprint),
               reply_offset(replies, reply) / EXTENT_UNIT);
  --replies->count;
  if (!replies->unsafe || reply->peer == INDEX_NONE) return;
  struct peer *peer = &peers->records[reply->peer];
  if (peer->generation == reply->peer_generation && peer->unsafe_replies > 0) --peer->unsafe_replies;
}

/* Whether the tail stands in what is left at the end of the ring. */
static bool tail_is_at_rest(const struct replies *replies) { return replies->size - replies->tail < ENTRY_SIZE; }

static bool is_over(const struct reply *reply, copal_time now, copal_time lifetime) {
  return reply->state == REPLY_DEAD || coarse_passed(reply->time, lifetime, now);
}

/* When it is dropped, its place in the index has been fetched. The one after the oldest, because a fetch may take
 * longer than a request. */
static void prefetch_second_oldest(const struct replies *replies) {
  if (replies->used == 0 || tail_is_at_rest(replies)) return;
  uint32_t second = replies->tail + (uint32_t)reply_at(replies, replies->tail)->extent * EXTENT_UNIT;
  if (replies->size - second < ENTRY_SIZE) return;
  const struct reply *reply = reply_at(replies, second);
  table_prefetch(&replies->index, key_hash(reply->identity, reply->fingerprint));
}

/* Frees the oldest entry's room. False when it has to stay. */
static bool drop_oldest(struct replies *replies, struct peers *peers, copal_time now, copal_time lifetime,
                        uint64_t *evicted) {
  if (tail_is_at_rest(replies)) {
    replies->used -= replies->size - replies->tail;
    replies->tail = 0;
    return true;
  }
  struct reply *oldest = reply_at(replies, replies->tail);
  if (oldest->pins > 0) return false;
  if (!is_over(oldest, now, lifetime)) {
    if (replies->unsafe) return false;
    ++*evicted;
  }
  replies_drop(replies, peers, oldest);
  uint32_t extent = (uint32_t)oldest->extent * EXTENT_UNIT;
  replies->used -= extent;
  replies->tail += extent;
  if (replies->tail == replies->size) replies->tail = 0;
  prefetch_second_oldest(replies);
  return true;
}

void replies_expire(struct replies *replies, struct peers *peers, copal_time now, copal_time lifetime) {
  uint64_t evicted = 0;
  while (replies->used > 0) {
    if (!tail_is_at_rest(replies) && !is_over(reply_at(replies, replies->tail), now, lifetime)) break;
    if (!drop_oldest(replies, peers, now, lifetime, &evicted)) break;
  }
  assert(evicted == 0);
}

/* The contiguous room at the head. */
static uint32_t room(const struct replies *replies) {
  if (replies->used == 0) return replies->size - replies->head;
  if (replies->head > replies->tail) return replies->size - replies->head;
  return replies->tail - replies->head; /* 0 when full */
}

/* Gives up the end of the ring, so that the head starts anew. */
static void skip_end(struct replies *replies) {
  uint32_t rest = replies->size - replies->head;
  if (rest >= ENTRY_SIZE) {
    struct reply *gap = reply_at(replies, replies->head);
    *gap = (struct reply){.peer = INDEX_NONE, .extent = (uint16_t)(rest / EXTENT_UNIT), .state = REPLY_DEAD};
  }
  replies->used += rest;
  replies->head = 0;
}

/* What an entry with room for so large a reply takes until it is closed. */
static uint32_t extent_of(size_t size_max) {
  return (uint32_t)((ENTRY_SIZE + size_max + EXTENT_UNIT - 1) / EXTENT_UNIT) * EXTENT_UNIT;
}

bool replies_are_scarce(const struct replies *replies, size_t size_max) {
  assert(replies->size >= extent_of(size_max));
  uint32_t room = replies->size - extent_of(size_max);
  return replies->used > room - room / 4 || replies->count > replies->count_max - replies->count_max / 4;
}

struct reply *replies_take(struct replies *replies, struct peers *peers, const struct reply_key *key, uint32_t peer,
                           size_t size_max, copal_time now, copal_time lifetime, uint64_t *evicted) {
  uint32_t need = extent_of(size_max);
  assert(replies->count_max > 0);
  if (need > replies->size) return NULL;
  if (replies->used == 0) replies->head = replies->tail = 0;
  while (replies->count >= replies->count_max || room(replies) < need) {
    assert(replies->used > 0); /* or there would be room */
    bool at_end = replies->head > replies->tail;
    if (replies->count < replies->count_max && at_end && replies->tail > 0) {
      skip_end(replies);
      continue;
    }
    if (!drop_oldest(replies, peers, now, lifetime, evicted)) return NULL;
    if (replies->used == 0) replies->head = replies->tail = 0;
  }

  struct reply *reply = reply_at(replies, replies->head);
  *reply = (struct reply){.identity = key->identity,
                          .fingerprint = key->fingerprint,
                          .time = coarse_time(now),
                          .peer = peer,
                          .mid = key->mid,
                          .peer_generation = peer == INDEX_NONE ? 0 : peers->records[peer].generation,
                          .extent = (uint16_t)(need / EXTENT_UNIT),
                          .state = REPLY_PENDING,
                          .con = key->con,
                          .found = true};
  table_insert(&replies->index, key_hash(key->identity, key->fingerprint), replies->head / EXTENT_UNIT);
  ++replies->count;
  if (replies->unsafe && peer != INDEX_NONE) ++peers->records[peer].unsafe_replies;
  replies->used += need;
  replies->head += need;
  if (replies->head == replies->size) replies->head = 0;
  return reply;
}

void replies_close(struct replies *replies, struct reply *reply, uint8_t state, size_t size) {
  reply->state = state;
  reply->size = (uint16_t)size;
  uint32_t extent = (uint32_t)((ENTRY_SIZE + size + EXTENT_UNIT - 1) / EXTENT_UNIT);
  assert(extent <= reply->extent);
  uint32_t end = reply_offset(replies, reply) + (uint32_t)reply->extent * EXTENT_UNIT;
  if (end != (replies->head == 0 ? replies->size : replies->head)) return;
  uint32_t excess = (reply->extent - extent) * EXTENT_UNIT;
  reply->extent = (uint16_t)extent;
  replies->used -= excess;
  replies->head = end - excess;
  if (replies->head == replies->size) replies->head = 0;
}
