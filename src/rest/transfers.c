/* See transfers.h. Each kind is two lists by last use, whose oldest are the next to expire. */
#include "rest/transfers.h"

#include <assert.h>

void transfers_init(struct transfers *transfers, struct layout *layout, const copal_config *config, copal_time lifetime,
                    copal_time now, struct peers *peers, copal_counters *counters) {
  uint32_t count = config->transfers_max;
  *transfers = (struct transfers){.body_size_max = config->body_size_max,
                                  .peer_max = config->peer_transfers_max,
                                  .lifetime = lifetime,
                                  .peers = peers,
                                  .counters = counters};
  transfers->records = (struct transfer *)layout_take(layout, count, sizeof(struct transfer));
  slab_init(&transfers->slab, transfers->records, sizeof(struct transfer), count);
  store_init(&transfers->store, layout, config->bodies_size, config->body_size_max);
  table_init(&transfers->index, layout, count);
  timer_queue_init(&transfers->timers, transfers->records, sizeof(struct transfer), now);
  for (int kind = 0; kind < TRANSFER_KINDS; ++kind)
    for (int verified = 0; verified < 2; ++verified)
      transfers->lists[kind][verified] = (struct transfer_list){INDEX_NONE, INDEX_NONE};
}

/* --- Lists -------------------------------------------------------------------------------------- */

static void list_insert(struct transfers *transfers, uint32_t index) {
  struct transfer *transfer = &transfers->records[index];
  struct transfer_list *list = &transfers->lists[transfer->kind][transfer->verified];
  transfer->newer = INDEX_NONE;
  transfer->older = list->newest;
  if (list->newest != INDEX_NONE)
    transfers->records[list->newest].newer = index;
  else
    list->oldest = index;
  list->newest = index;
}

static void list_remove(struct transfers *transfers, uint32_t index) {
  const struct transfer *transfer = &transfers->records[index];
  struct transfer_list *list = &transfers->lists[transfer->kind][transfer->verified];
  if (transfer->newer != INDEX_NONE)
    transfers->records[transfer->newer].older = transfer->older;
  else
    list->newest = transfer->older;
  if (transfer->older != INDEX_NONE)
    transfers->records[transfer->older].newer = transfer->newer;
  else
    list->oldest = transfer->newer;
}

/* --- Finding ------------------------------------------------------------------------------------ */

static uint32_t index_hash(uint64_t identity) { return (uint32_t)identity; }

static bool is_same(const struct transfer *transfer, enum transfer_kind kind, const struct transfer_key *key) {
  return transfer->kind == kind && transfer->key.identity == key->identity && transfer->key.options == key->options;
}

uint32_t transfers_find(const struct transfers *transfers, enum transfer_kind kind, const struct transfer_key *key) {
  uint32_t index;
  struct table_walk walk = table_walk(index_hash(key->identity));
  while ((index = table_next(&transfers->index, &walk)) != INDEX_NONE)
    if (is_same(&transfers->records[index], kind, key)) return index;
  return INDEX_NONE;
}

uint32_t transfers_next_of(const struct transfers *transfers, uint64_t identity, struct table_walk *walk) {
  uint32_t index;
  while ((index = table_next(&transfers->index, walk)) != INDEX_NONE)
    if (transfers->records[index].key.identity == identity) break;
  return index;
}

/* How many transfers a peer has, and which of them was used least recently. */
static uint32_t count_of_peer(const struct transfers *transfers, uint64_t identity, uint32_t *oldest) {
  uint32_t index, count = 0;
  struct table_walk walk = table_walk(index_hash(identity));
  *oldest = INDEX_NONE;
  while ((index = table_next(&transfers->index, &walk)) != INDEX_NONE) {
    const struct transfer *transfer = &transfers->records[index];
    if (transfer->key.identity != identity) continue;
    ++count;
    if (*oldest == INDEX_NONE || (int32_t)(transfer->touched - transfers->records[*oldest].touched) < 0)
      *oldest = index;
  }
  return count;
}

/* --- Beginning and ending ----------------------------------------------------------------------- */

static void evict(struct transfers *transfers, uint32_t index) {
  ++transfers->counters->transfers_evicted;
  transfer_drop(transfers, index);
}

/* The oldest of a list, other than one; or INDEX_NONE. */
static uint32_t oldest_of(const struct transfers *transfers, enum transfer_kind kind, bool verified, uint32_t but) {
  uint32_t oldest = transfers->lists[kind][verified].oldest;
  return oldest == but && oldest != INDEX_NONE ? transfers->records[oldest].newer : oldest;
}

static uint32_t oldest_unverified_upload(const struct transfers *transfers, uint32_t but) {
  uint32_t upload = oldest_of(transfers, TRANSFER_UPLOAD, false, but);
  uint32_t gathered = oldest_of(transfers, TRANSFER_GATHERED, false, but);
  if (upload == INDEX_NONE || gathered == INDEX_NONE) return upload == INDEX_NONE ? gathered : upload;
  return (int32_t)(transfers->records[upload].touched - transfers->records[gathered].touched) < 0 ? upload : gathered;
}

/* Nobody asks for its blocks any more: a client would have sent its request for the last time. */
static bool is_idle(const struct transfers *transfers, uint32_t index, uint32_t now) {
  return now - transfers->records[index].touched > coarse_time(transfers->lifetime / 4);
}

/* Drops what may be dropped for a transfer of that kind, in this order: decision 0016. Whoever is not verified pushes
 * out no upload, and no reply whose blocks a verified one still fetches: or else a flood from addresses that are not
 * its own could. A reply is there because its request was executed; for it one such reply may go, and then its like. */
static bool make_room(struct transfers *transfers, enum transfer_kind kind, bool verified, uint32_t but, uint32_t now) {
  bool is_urgent = verified || kind == TRANSFER_KEPT;
  uint32_t kept = oldest_of(transfers, TRANSFER_KEPT, true, but);
  uint32_t index = oldest_of(transfers, TRANSFER_KEPT, false, but);
  if (index == INDEX_NONE && kept != INDEX_NONE && is_idle(transfers, kept, now)) index = kept;
  if (index == INDEX_NONE && is_urgent) index = oldest_unverified_upload(transfers, but);
  if (index == INDEX_NONE && is_urgent) index = kept;
  if (index == INDEX_NONE) return false;
  evict(transfers, index);
  return true;
}

uint32_t transfers_begin(struct transfers *transfers, enum transfer_kind kind, const struct transfer_key *key,
                         bool verified, copal_time now) {
  transfers_expire(transfers, now);
  uint32_t index = transfers_find(transfers, kind, key), oldest;
  if (index != INDEX_NONE) transfer_drop(transfers, index);
  if (count_of_peer(transfers, key->identity, &oldest) >= transfers->peer_max && oldest != INDEX_NONE)
    evict(transfers, oldest);
  index = slab_take(&transfers->slab);
  if (index == INDEX_NONE && make_room(transfers, kind, verified, INDEX_NONE, coarse_time(now)))
    index = slab_take(&transfers->slab);
  if (index == INDEX_NONE) {
    ++transfers->counters->transfers_full;
    return INDEX_NONE;
  }
  transfers->records[index] = (struct transfer){.key = *key,
                                                .slot = INDEX_NONE,
                                                .peer = INDEX_NONE,
                                                .touched = coarse_time(now),
                                                .kind = (uint8_t)kind,
                                                .verified = verified};
  transfer_attach(transfers, index);
  return index;
}

void transfer_attach(struct transfers *transfers, uint32_t index) {
  struct transfer *transfer = &transfers->records[index];
  assert(!transfer->attached);
  transfer->attached = true;
  table_insert(&transfers->index, index_hash(transfer->key.identity), index);
  list_insert(transfers, index);
}

void transfer_detach(struct transfers *transfers, uint32_t index) {
  struct transfer *transfer = &transfers->records[index];
  assert(transfer->attached);
  transfer->attached = false;
  table_remove(&transfers->index, index_hash(transfer->key.identity), index);
  list_remove(transfers, index);
}

void transfer_touch(struct transfers *transfers, uint32_t index, bool verified, copal_time now) {
  struct transfer *transfer = &transfers->records[index];
  list_remove(transfers, index);
  transfer->touched = coarse_time(now);
  transfer->verified = transfer->verified || verified;
  list_insert(transfers, index);
}

void transfer_end(struct transfers *transfers, uint32_t index) {
  transfer_rest(transfers, index);
  if (transfers->records[index].attached) transfer_detach(transfers, index);
  transfer_empty(transfers, index);
  slab_give(&transfers->slab, index);
}

void transfer_drop(struct transfers *transfers, uint32_t index) {
  struct transfer transfer = transfers->records[index];
  transfer_end(transfers, index);
  if (transfer.abandon != NULL) transfer.abandon(transfer.context, transfer.state);
}

/* --- Bytes -------------------------------------------------------------------------------------- */

/* No memory by announcement: a slot grows with what has come, by doubling. */
static bool grow(struct transfers *transfers, uint32_t index, size_t size) {
  struct transfer *transfer = &transfers->records[index];
  uint32_t slot;
  while ((slot = store_take(&transfers->store, size)) == INDEX_NONE)
    if (!make_room(transfers, (enum transfer_kind)transfer->kind, transfer->verified, index, transfer->touched))
      return false;
  if (transfer->slot != INDEX_NONE) {
    memcpy(store_bytes(&transfers->store, slot), transfer_bytes(transfers, transfer), transfer->size);
    store_give(&transfers->store, transfer->slot);
  }
  transfer->slot = slot;
  transfer->capacity = layout_power_of_two(size < STORE_SLOT_MIN ? STORE_SLOT_MIN : size);
  return true;
}

copal_error transfer_put(struct transfers *transfers, uint32_t index, uint32_t offset, const void *data, size_t size) {
  struct transfer *transfer = &transfers->records[index];
  if (offset > transfers->body_size_max || size > transfers->body_size_max - offset) return COPAL_ERR_BODY_SIZE;
  size_t end = offset + size;
  if ((transfer->slot == INDEX_NONE || end > transfer->capacity) && !grow(transfers, index, end)) {
    ++transfers->counters->transfers_full;
    return COPAL_ERR_MEMORY;
  }
  if (size > 0) memcpy(transfer_bytes(transfers, transfer) + offset, data, size);
  if (end > transfer->size) transfer->size = (uint32_t)end;
  return COPAL_OK;
}

copal_error transfer_append(struct transfers *transfers, uint32_t index, const void *data, size_t size) {
  return transfer_put(transfers, index, transfers->records[index].size, data, size);
}

void transfer_empty(struct transfers *transfers, uint32_t index) {
  struct transfer *transfer = &transfers->records[index];
  if (transfer->slot != INDEX_NONE) store_give(&transfers->store, transfer->slot);
  transfer->slot = INDEX_NONE;
  transfer->size = transfer->capacity = 0;
}

/* --- Time --------------------------------------------------------------------------------------- */

void transfer_schedule(struct transfers *transfers, uint32_t index, uint32_t peer, copal_time deadline) {
  struct transfer *transfer = &transfers->records[index];
  peers_hold(transfers->peers, peer);
  transfer_rest(transfers, index);
  transfer->peer = peer;
  transfer->timed = true;
  timer_set(&transfers->timers, index, deadline);
}

void transfer_rest(struct transfers *transfers, uint32_t index) {
  struct transfer *transfer = &transfers->records[index];
  if (transfer->timed) timer_cancel(&transfers->timers, index);
  if (transfer->peer != INDEX_NONE) peers_release(transfers->peers, transfer->peer);
  transfer->timed = false;
  transfer->peer = INDEX_NONE;
}

uint32_t transfers_take_due(struct transfers *transfers, copal_time now) {
  uint32_t index = timer_take_due(&transfers->timers, now);
  if (index != INDEX_NONE) transfers->records[index].timed = false;
  return index;
}

void transfers_expire(struct transfers *transfers, copal_time now) {
  for (int list = 0; list < 2 * TRANSFER_KINDS; ++list) {
    uint32_t index;
    while ((index = transfers->lists[list / 2][list % 2].oldest) != INDEX_NONE &&
           coarse_passed(transfers->records[index].touched, transfers->lifetime, now))
      transfer_drop(transfers, index);
  }
}

copal_time transfers_next_expiry(const struct transfers *transfers, copal_time now) {
  copal_time next = COPAL_NEVER;
  for (int list = 0; list < 2 * TRANSFER_KINDS; ++list) {
    uint32_t index = transfers->lists[list / 2][list % 2].oldest;
    if (index == INDEX_NONE) continue;
    uint32_t age = coarse_time(now) - transfers->records[index].touched;
    copal_time limit = coarse_time(transfers->lifetime + COARSE_UNIT - 1) + 1;
    copal_time wait = age >= limit ? 0 : (limit - age) * COARSE_UNIT;
    if (now + wait < next) next = now + wait;
  }
  return next;
}
