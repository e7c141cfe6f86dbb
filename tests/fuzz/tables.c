/* The structures that everything else stands on, each against a model so simple that it is obviously right: the slab
 * of records, the hash table, the timer queue, the byte store, the ring of replies. The first byte chooses one, the
 * rest is a script of calls. After each call both must say the same; all memory is of exactly the size asked for. */
#undef NDEBUG
#include "base/layout.h"
#include "base/slab.h"
#include "base/store.h"
#include "base/table.h"
#include "base/timer.h"
#include "engine/replies.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 40, ENTRIES_MAX = 1020, RUN = 32 };

/* --- Slab ------------------------------------------------------------------------------------------------- */

/* A free record's first 4 bytes are the slab's, "the others are left as they were". */
struct slab_record {
  uint32_t link;
  uint8_t own[5];
};

static void fuzz_slab(struct script *script) {
  uint32_t count_max = script_below(script, RECORDS_MAX + 1), count = 0;
  bool used[RECORDS_MAX] = {false}, touched[RECORDS_MAX] = {false};
  struct slab_record *records = (struct slab_record *)calloc(count_max > 0 ? count_max : 1, sizeof *records);
  struct slab slab;
  assert(records != NULL);
  slab_init(&slab, records, sizeof *records, count_max);
  while (!script_ended(script)) {
    uint8_t step = script_byte(script);
    if (step % 2 == 0) {
      uint32_t next = slab_next(&slab), index = slab_take(&slab);
      assert((index == INDEX_NONE) == (count == count_max));
      if (index == INDEX_NONE) continue;
      assert(index == next && index < count_max && !used[index]);
      for (size_t i = 0; i < 5; ++i) assert(records[index].own[i] == (touched[index] ? (uint8_t)(index + 1) : 0));
      used[index] = touched[index] = true;
      ++count;
      memset(&records[index], (int)(index + 1), sizeof *records);
    } else if (count > 0) {
      uint32_t index = step % count_max;
      while (!used[index]) index = (index + 1) % count_max;
      used[index] = false;
      --count;
      slab_give(&slab, index);
    }
    assert(slab.count == count);
  }
  free(records);
}

/* --- Hash table ------------------------------------------------------------------------------------------- */

struct entry {
  uint32_t hash, index;
};

struct entries {
  struct entry items[ENTRIES_MAX];
  uint32_t count;
};

/* Hashes that crowd together, at the end of the table too, and that differ in their upper bits only. */
static uint32_t hash_of(uint8_t choice) {
  uint32_t low = choice & 15u;
  switch (choice >> 4 & 3) {
    case 0: return low;
    case 1: return UINT32_MAX - low;
    case 2: return low << 28 | 7;
    default: return low * 0x9e3779b1u;
  }
}

static bool entries_has(const struct entries *entries, uint32_t hash, uint32_t index) {
  for (uint32_t i = 0; i < entries->count; ++i)
    if (entries->items[i].hash == hash && entries->items[i].index == index) return true;
  return false;
}

static void check_candidates(const struct table *table, const struct entries *entries, uint32_t hash) {
  uint32_t expected = 0, found = 0, index;
  struct table_walk walk = table_walk(hash);
  while ((index = table_next(table, &walk)) != INDEX_NONE) {
    assert(entries_has(entries, hash, index));
    ++found;
  }
  for (uint32_t i = 0; i < entries->count; ++i) expected += entries->items[i].hash == hash;
  assert(found == expected);
}

/* Once it has grown, every entry stands somewhere else. */
static void check_all(const struct table *table, const struct entries *entries) {
  for (uint32_t i = 0; i < entries->count; ++i) check_candidates(table, entries, entries->items[i].hash);
}

static void insert_run(struct table *table, struct entries *entries, uint32_t count_max, uint32_t hash, uint32_t index,
                       uint32_t count) {
  uint32_t size = table->size;
  for (uint32_t i = 0; i < count; ++i) {
    struct entry entry = {hash + i * 3, index + i * 256};
    if (entries->count == count_max || entries_has(entries, entry.hash, entry.index)) continue;
    table_insert(table, entry.hash, entry.index);
    entries->items[entries->count++] = entry;
  }
  if (table->size != size) check_all(table, entries);
}

static void fuzz_table(struct script *script) {
  static struct entries entries;
  uint32_t count_max = script_byte(script) * 4u;
  struct table table;
  struct layout counting = {NULL, 0};
  entries.count = 0;
  table_init(&table, &counting, count_max);
  struct layout layout = {(uint8_t *)calloc(1, (size_t)counting.size), 0};
  assert(layout.block != NULL);
  table_init(&table, &layout, count_max);
  while (!script_ended(script)) {
    uint8_t step = script_byte(script);
    uint32_t hash = hash_of(step), index = script_byte(script);
    if ((step & 128) == 0) {
      insert_run(&table, &entries, count_max, hash, index, (step & 64) != 0 ? RUN : 1);
    } else if (entries.count > 0) {
      struct entry *entry = &entries.items[index % entries.count];
      table_remove(&table, entry->hash, entry->index);
      *entry = entries.items[--entries.count];
    }
    assert(table.count == entries.count);
    for (uint8_t choice = 0; choice < 64; ++choice) check_candidates(&table, &entries, hash_of(choice));
  }
  free(layout.block);
}

/* --- Timer queue ------------------------------------------------------------------------------------------ */

struct timer_record {
  uint32_t own; /* not the queue's */
  struct timer timer;
};

struct timers {
  struct timer_record records[RECORDS_MAX];
  uint64_t order[RECORDS_MAX]; /* in which they were set, from 1 on; 0: not set */
  uint64_t deadlines[RECORDS_MAX];
  uint64_t sets, now;
  struct timer_queue queue;
};

static uint64_t least_deadline(const struct timers *timers) {
  uint64_t least = UINT64_MAX;
  for (unsigned i = 0; i < RECORDS_MAX; ++i)
    if (timers->order[i] > 0 && timers->deadlines[i] < least) least = timers->deadlines[i];
  return least;
}

/* Takes one that is due: of those with its deadline the one that was set first. False when there was none. */
static bool take_timer(struct timers *timers) {
  uint32_t index = timer_take_due(&timers->queue, timers->now);
  assert((index == INDEX_NONE) == (least_deadline(timers) > timers->now));
  if (index == INDEX_NONE) return false;
  assert(index < RECORDS_MAX && timers->order[index] > 0 && timers->deadlines[index] <= timers->now);
  for (unsigned i = 0; i < RECORDS_MAX; ++i)
    if (timers->order[i] > 0 && timers->deadlines[i] == timers->deadlines[index])
      assert(timers->order[i] >= timers->order[index]);
  timers->order[index] = 0;
  return true;
}

static void check_earliest(const struct timers *timers) {
  uint64_t earliest = timer_earliest(&timers->queue), least = least_deadline(timers);
  if (least == UINT64_MAX) assert(earliest == UINT64_MAX);
  if (least <= timers->now) assert(earliest == 0);
  if (least > timers->now && least < UINT64_MAX) assert(earliest > timers->now && earliest <= least);
}

/* Deadlines near and far, on both sides of powers of two, and in the past. */
static uint64_t deadline_of(const struct timers *timers, uint8_t shape, uint8_t value) {
  uint64_t distance = (uint64_t)(value & 15) << (shape & 60);
  return value < 240 ? timers->now + distance : timers->now - (value & 15);
}

static void fuzz_timers(struct script *script) {
  static struct timers timers;
  timers = (struct timers){.now = (uint64_t)script_byte(script) << (script_byte(script) & 55)};
  timers.now += 16;
  timer_queue_init(&timers.queue, &timers.records[0].timer, sizeof *timers.records, timers.now);
  while (!script_ended(script)) {
    uint8_t step = script_byte(script), value = script_byte(script);
    unsigned index = value % RECORDS_MAX;
    if (step < 128) {
      if (timers.order[index] > 0) {
        timer_cancel(&timers.queue, index);
        timers.order[index] = 0;
      } else {
        uint64_t deadline = deadline_of(&timers, step, script_byte(script));
        if (deadline == UINT64_MAX) continue; /* is for who waits for ever */
        timer_set(&timers.queue, index, deadline);
        timers.deadlines[index] = deadline;
        timers.order[index] = ++timers.sets;
      }
    } else if (step < 192) {
      uint64_t passed = (uint64_t)value << (step & 31);
      if (timers.now < UINT64_MAX / 2) timers.now += passed;
      take_timer(&timers);
    } else {
      /* Who sleeps until the earliest deadline, again and again, is awake when one is due. */
      if (least_deadline(&timers) == UINT64_MAX) continue;
      for (unsigned sleeps = 0; !take_timer(&timers); ++sleeps) {
        assert(sleeps <= 64);
        timers.now = timer_earliest(&timers.queue);
      }
    }
    if (timers.queue.time == timers.now) check_earliest(&timers);
  }
  timers.now = UINT64_MAX - 1;
  while (take_timer(&timers)) continue;
  assert(timers.queue.count == 0 && timers.queue.filled == 0);
}

/* --- Byte store ------------------------------------------------------------------------------------------- */

struct slot {
  uint32_t at; /* in units of the smallest slot */
  uint32_t size, class_size;
};

struct slots {
  struct slot items[ENTRIES_MAX];
  uint32_t count;
  size_t used;
};

static uint32_t class_size_of(uint32_t size) {
  uint32_t class_size = STORE_SLOT_MIN;
  while (class_size < size) class_size *= 2;
  return class_size;
}

static uint8_t mark_of(const struct slot *slot) { return (uint8_t)(slot->at * 7 + slot->size); }

/* Whether some page has a slot of that size left, or is of no size yet. */
static bool has_room(const struct slots *slots, const struct store *store, uint32_t class_size) {
  for (uint32_t page = 0; page < store->page_count; ++page) {
    uint32_t taken = 0, page_class = 0;
    for (uint32_t i = 0; i < slots->count; ++i) {
      if (slots->items[i].at * STORE_SLOT_MIN / store->page_size != page) continue;
      assert(page_class == 0 || page_class == slots->items[i].class_size);
      page_class = slots->items[i].class_size;
      ++taken;
    }
    if (taken == 0 || (page_class == class_size && taken < store->page_size / class_size)) return true;
  }
  return false;
}

static void take_slot(struct slots *slots, struct store *store, uint32_t size) {
  if (slots->count == ENTRIES_MAX) return;
  uint32_t class_size = class_size_of(size), at = store_take(store, size);
  bool expected = size <= store->page_size && has_room(slots, store, class_size);
  assert((at != INDEX_NONE) == expected);
  if (at == INDEX_NONE) return;
  struct slot slot = {at, size, class_size};
  assert((size_t)at * STORE_SLOT_MIN + class_size <= (size_t)store->page_count * store->page_size);
  for (uint32_t i = 0; i < slots->count; ++i) {
    const struct slot *other = &slots->items[i];
    assert(at + class_size / STORE_SLOT_MIN <= other->at || other->at + other->class_size / STORE_SLOT_MIN <= at);
  }
  slots->items[slots->count++] = slot;
  slots->used += class_size;
  if (size > 0) memset(store_bytes(store, at), mark_of(&slot), size);
}

static void give_slot(struct slots *slots, struct store *store, uint32_t index) {
  struct slot slot = slots->items[index];
  for (uint32_t i = 0; i < slot.size; ++i) assert(store_bytes(store, slot.at)[i] == mark_of(&slot));
  slots->items[index] = slots->items[--slots->count];
  slots->used -= slot.class_size;
  store_give(store, slot.at);
}

static void fuzz_store(struct script *script) {
  static struct slots slots;
  slots = (struct slots){.count = 0};
  uint32_t size = (uint32_t)script_uint16(script), slot_max = (uint32_t)1 << script_below(script, 13);
  if ((size & 1) != 0) size *= 8; /* from 256 KiB on, pages hold several slots */
  struct store store;
  struct layout counting = {NULL, 0};
  store_init(&store, &counting, size, slot_max);
  struct layout layout = {(uint8_t *)calloc(1, counting.size > 0 ? (size_t)counting.size : 1), 0};
  assert(layout.block != NULL);
  store_init(&store, &layout, size, slot_max);
  while (!script_ended(script)) {
    uint8_t step = script_byte(script);
    if (step < 160)
      take_slot(&slots, &store, (uint32_t)script_byte(script) << (step & 7));
    else if (slots.count > 0)
      give_slot(&slots, &store, step % slots.count);
    assert(store.used == slots.used);
  }
  while (slots.count > 0) give_slot(&slots, &store, slots.count / 2);
  assert(store.used == 0);
  for (uint32_t page = 0; page < store.page_count; ++page) assert(store_take(&store, store.page_size) != INDEX_NONE);
  free(layout.block);
}

/* --- Ring of replies -------------------------------------------------------------------------------------- */

enum { PEERS = 2, LIFETIME_S = 10 };
static const copal_time for_ever = (copal_time)1 << 55; /* as far as coarse time goes */

struct remembered {
  struct reply *reply; /* NULL: dropped by us */
  struct reply_key key;
  copal_time time;
  uint16_t size;
  uint32_t peer;
};

struct ring {
  struct replies replies;
  struct peers peers;
  struct remembered items[ENTRIES_MAX]; /* in order of arrival */
  uint32_t count;
  copal_time now;
};

static struct reply *find(const struct ring *ring, const struct remembered *item, copal_time lifetime) {
  return replies_find(&ring->replies, &item->key, ring->now, lifetime, lifetime);
}

static void check_bytes(const struct remembered *item) {
  assert(item->reply->size == item->size && item->reply->mid == item->key.mid);
  for (uint16_t i = 0; i < item->size; ++i) assert(reply_bytes(item->reply)[i] == (uint8_t)item->key.mid);
}

/* The oldest go first, and where requests are unsafe none goes before its time; what is there has its bytes. */
static void check_ring(const struct ring *ring) {
  bool any = false;
  uint16_t counted[PEERS] = {0};
  uint32_t there = 0;
  for (uint32_t i = 0; i < ring->count; ++i) {
    const struct remembered *item = &ring->items[i];
    if (item->reply == NULL) continue;
    struct reply *reply = find(ring, item, for_ever);
    assert(!any || reply != NULL);
    copal_time age = ring->now - item->time;
    if (ring->replies.unsafe && age <= LIFETIME_S * COPAL_SECOND) assert(reply != NULL);
    if (reply == NULL) continue;
    any = true;
    assert(reply == item->reply);
    check_bytes(item);
    bool is_alive = find(ring, item, LIFETIME_S * COPAL_SECOND) != NULL;
    if (age <= LIFETIME_S * COPAL_SECOND) assert(is_alive);
    if (age > LIFETIME_S * COPAL_SECOND + 2 * COARSE_UNIT) assert(!is_alive);
    if (item->peer != INDEX_NONE) ++counted[item->peer];
    ++there;
  }
  assert(ring->replies.count == there && ring->replies.used <= ring->replies.size);
  for (unsigned peer = 0; peer < PEERS; ++peer)
    assert(ring->peers.records[peer].unsafe_replies == (ring->replies.unsafe ? counted[peer] : 0));
}

static void remember(struct ring *ring, uint8_t step, uint8_t room, uint8_t used) {
  if (ring->count == ENTRIES_MAX) return;
  struct remembered *item = &ring->items[ring->count];
  uint32_t number = ring->count;
  uint64_t evicted = 0;
  *item = (struct remembered){.key = {.identity = step & 3, .mid = (uint16_t)number, .con = (step & 4) != 0},
                              .time = ring->now,
                              .size = used > room ? room : used,
                              .peer = (step & 8) != 0 ? step >> 4 & 1u : INDEX_NONE};
  item->key.fingerprint = number % 3; /* few, so that there are long walks */
  item->key.unsafe = ring->replies.unsafe;
  item->reply = replies_take(&ring->replies, &ring->peers, &item->key, item->peer, room, ring->now,
                             LIFETIME_S * COPAL_SECOND, &evicted);
  assert(evicted == 0 || !ring->replies.unsafe);
  if (item->reply == NULL) return;
  assert(reply_room(item->reply) >= room);
  memset(reply_bytes(item->reply), (uint8_t)number, item->size);
  replies_close(&ring->replies, item->reply, REPLY_MESSAGE, item->size);
  ++ring->count;
}

static void step_ring(struct ring *ring, struct script *script) {
  uint8_t step = script_byte(script), value = script_byte(script);
  struct remembered *item = ring->count > 0 ? &ring->items[ring->count - 1 - value % ring->count] : NULL;
  bool is_there = item != NULL && item->reply != NULL && find(ring, item, for_ever) == item->reply;
  switch (step >> 5) {
    case 4: ring->now += (copal_time)value << 26; break;
    case 5: replies_expire(&ring->replies, &ring->peers, ring->now, LIFETIME_S * COPAL_SECOND); break;
    case 6: /* as the outbox does it; the endpoint lets go of all before it comes to rest */
      if (is_there && item->reply->pins < 3) ++item->reply->pins;
      break;
    case 7:
      if (!is_there) break;
      if (item->reply->pins > 0) {
        --item->reply->pins;
      } else {
        replies_drop(&ring->replies, &ring->peers, item->reply);
        item->reply = NULL;
      }
      break;
    default: remember(ring, step, value, script_byte(script)); break;
  }
}

static void fuzz_replies(struct script *script) {
  static struct ring ring;
  static const uint8_t seed[RANDOM_SEED_SIZE] = {3};
  ring = (struct ring){.now = 1000 * COPAL_SECOND};
  uint8_t kind = script_byte(script);
  uint32_t size = 64 + 16u * (kind & 127);
  struct random random;
  struct layout counting = {NULL, 0};
  peers_init(&ring.peers, &counting, PEERS);
  replies_init(&ring.replies, &counting, size, kind >= 128);
  struct layout layout = {(uint8_t *)calloc(1, (size_t)counting.size), 0};
  assert(layout.block != NULL);
  peers_init(&ring.peers, &layout, PEERS);
  replies_init(&ring.replies, &layout, size, kind >= 128);
  random_init(&random, seed);
  bool evicted;
  for (unsigned peer = 0; peer < PEERS; ++peer) assert(peers_take(&ring.peers, &random, &evicted) == peer);
  while (!script_ended(script)) {
    step_ring(&ring, script);
    check_ring(&ring);
  }
  free(layout.block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct script script = script_begin(data, size);
  switch (script_byte(&script) % 5) {
    case 0: fuzz_slab(&script); break;
    case 1: fuzz_table(&script); break;
    case 2: fuzz_timers(&script); break;
    case 3: fuzz_store(&script); break;
    case 4: fuzz_replies(&script); break;
  }
  return 0;
}
