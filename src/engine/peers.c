/* See peers.h. Idle peers stand in a list from the newest to the oldest; a busy one is out of it, and the two links
 * then serve its exchanges. */
#include "engine/peers.h"

#include <assert.h>

/* RFC 7252 8.1: "the sender MUST avoid using a Message ID that is also still active from this endpoint with any unicast
 * endpoint that might receive the multicast message". So groups have the last 4,096 IDs to themselves. */
enum { GROUP_MIDS = 0xf000, SECOND_HALF = 0x8000, SKIP_FREE_MIN = 8192 };

void peers_init(struct peers *peers, struct layout *layout, uint32_t count_max) {
  peers->records = (struct peer *)layout_take(layout, count_max, sizeof(struct peer));
  slab_init(&peers->slab, peers->records, sizeof(struct peer), count_max);
  peers->newest = peers->oldest = INDEX_NONE;
}

static void idle_insert(struct peers *peers, uint32_t index) {
  struct peer *peer = &peers->records[index];
  peer->as.idle.newer = INDEX_NONE;
  peer->as.idle.older = peers->newest;
  if (peers->newest != INDEX_NONE) peers->records[peers->newest].as.idle.newer = index;
  peers->newest = index;
  if (peers->oldest == INDEX_NONE) peers->oldest = index;
}

static void idle_remove(struct peers *peers, uint32_t index) {
  uint32_t newer = peers->records[index].as.idle.newer, older = peers->records[index].as.idle.older;
  if (newer != INDEX_NONE)
    peers->records[newer].as.idle.older = older;
  else
    peers->newest = older;
  if (older != INDEX_NONE)
    peers->records[older].as.idle.newer = newer;
  else
    peers->oldest = newer;
}

uint32_t peers_take(struct peers *peers, struct random *random, bool *evicted) {
  uint32_t index = slab_take(&peers->slab);
  *evicted = index == INDEX_NONE;
  if (*evicted) {
    index = peers->oldest;
    if (index == INDEX_NONE) return INDEX_NONE;
    idle_remove(peers, index);
  }
  struct peer *peer = &peers->records[index];
  uint16_t generation = (uint16_t)(peer->generation + 1);
  /* RFC 7252 4.4: "It is strongly recommended that the initial value of the variable (e.g., on startup) be randomized"
   */
  *peer = (struct peer){.next_mid = (uint16_t)random_up_to(random, GROUP_MIDS - 1), .generation = generation};
  idle_insert(peers, index);
  return index;
}

void peers_set_apart(struct peers *peers, uint32_t index, uint32_t other) {
  assert((peers->records[index].flags & PEER_SENT) == 0);
  peers->records[index].next_mid = (uint16_t)((peers->records[other].next_mid + GROUP_MIDS / 2) % GROUP_MIDS);
}

void peers_touch(struct peers *peers, uint32_t index) {
  if ((peers->records[index].flags & PEER_BUSY) != 0 || peers->newest == index) return;
  idle_remove(peers, index);
  idle_insert(peers, index);
}

void peers_hold(struct peers *peers, uint32_t index) {
  struct peer *peer = &peers->records[index];
  if ((peer->flags & PEER_BUSY) == 0) {
    idle_remove(peers, index);
    peer->flags |= PEER_BUSY;
    peer->as.busy.waiting = INDEX_NONE;
    peer->as.busy.holds = 0;
  }
  ++peer->as.busy.holds;
}

void peers_release(struct peers *peers, uint32_t index) {
  struct peer *peer = &peers->records[index];
  assert((peer->flags & PEER_BUSY) != 0 && peer->as.busy.holds > 0);
  if (--peer->as.busy.holds > 0) return;
  assert(peer->as.busy.waiting == INDEX_NONE && peer->outstanding == 0);
  peer->flags &= (uint8_t)~PEER_BUSY;
  idle_insert(peers, index);
}

/* The bit that tells the two halves of a peer's message IDs apart. */
static uint16_t half_bit(const struct peer *peer) { return (peer->flags & PEER_GROUP) != 0 ? 0x800 : 0x8000; }

static bool begins_half(const struct peer *peer, uint16_t mid) { return (mid & (half_bit(peer) - 1)) == 0; }

static uint16_t next_mid(const struct peer *peer) {
  if ((peer->flags & PEER_GROUP) != 0) return peer->next_mid | GROUP_MIDS;
  return peer->next_mid < GROUP_MIDS ? peer->next_mid : 0;
}

static bool other_half_is_free(const struct peer *peer, copal_time now, copal_time lifetime) {
  return (peer->flags & PEER_OTHER_HALF_USED) == 0 || coarse_passed(peer->other_half, lifetime, now);
}

static void enter_half(struct peer *peer, copal_time now) {
  peer->flags |= PEER_OTHER_HALF_USED;
  peer->other_half = coarse_time(now);
}

/* RFC 7252 4.4: "The same Message ID MUST NOT be reused (in communicating with the same endpoint) within the
 * EXCHANGE_LIFETIME". IDs are given out in order, so it is enough to know, when one half of them begins again, that the
 * last one of that half is old enough. */
bool peers_next_mid(const struct peers *peers, uint32_t index, copal_time now, copal_time lifetime, uint16_t *mid) {
  const struct peer *peer = &peers->records[index];
  *mid = next_mid(peer);
  return !begins_half(peer, *mid) || other_half_is_free(peer, now, lifetime);
}

void peers_take_mid(struct peers *peers, uint32_t index, copal_time now) {
  struct peer *peer = &peers->records[index];
  uint16_t mid = next_mid(peer);
  if (begins_half(peer, mid)) enter_half(peer, now);
  peer->flags |= PEER_SENT;
  peer->next_mid = (uint16_t)(mid + 1);
}

/* IDs are skipped in order, too: the way ahead ends with this half, or with the other one where that is free. */
bool peers_skip_mids(struct peers *peers, uint32_t index, struct random *random, copal_time now, copal_time lifetime) {
  struct peer *peer = &peers->records[index];
  assert((peer->flags & PEER_GROUP) == 0);
  if ((peer->flags & PEER_SENT) == 0) return true;
  uint32_t mid = next_mid(peer);
  bool begins = begins_half(peer, (uint16_t)mid), free = other_half_is_free(peer, now, lifetime);
  uint32_t end = mid < SECOND_HALF ? SECOND_HALF : GROUP_MIDS, ahead = end - mid;
  if (begins && !free) return false;
  if (!begins && free) ahead += end == SECOND_HALF ? GROUP_MIDS - SECOND_HALF : SECOND_HALF;
  if (ahead < SKIP_FREE_MIN) return false;
  uint32_t distance = (uint32_t)random_up_to(random, ahead / 2);
  /* An ID that begins a half leaves this to be noted when it is taken. */
  if ((begins && distance > 0) || mid + distance > end) enter_half(peer, now);
  peer->next_mid = (uint16_t)((mid + distance) % GROUP_MIDS);
  return true;
}

void peers_mid_used(struct peers *peers, uint32_t index, uint16_t mid, copal_time now) {
  struct peer *peer = &peers->records[index];
  uint16_t last = (uint16_t)(peer->next_mid - 1);
  if (((mid ^ last) & half_bit(peer)) != 0) peer->other_half = coarse_time(now);
}

/* Time is counted in requests, so that 32 bits last for 49 days at the highest rate. Each request is one further than
 * the one before, or than now; a second's worth may lie ahead. */
bool peers_may_ask(struct peers *peers, uint32_t index, uint32_t rate, copal_time now) {
  struct peer *peer = &peers->records[index];
  assert(rate > 0);
  uint64_t elapsed = now / COPAL_SECOND * rate + now % COPAL_SECOND * rate / COPAL_SECOND;
  uint32_t ahead = peer->limit.asked_until - (uint32_t)elapsed;
  if ((peer->flags & PEER_ASKED) == 0 || ahead > rate) ahead = 0;
  if (ahead == rate) return false;
  peer->flags = (uint8_t)((peer->flags & ~(unsigned)PEER_SILENT) | PEER_ASKED);
  peer->limit.asked_until = (uint32_t)elapsed + ahead + 1;
  return true;
}
