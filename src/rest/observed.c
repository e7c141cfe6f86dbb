/* Resources that are observed, in their variants: how they are found, when they have something to be made or sent. See
 * observers.h. */
#include <assert.h>
#include <string.h>

#include "message/header.h"
#include "rest/observers.h"
#include "rest/variant.h"

static struct observed *at(const struct observers *observers, uint32_t index) { return &observers->observed[index]; }

static uint32_t path_hash(uint64_t path) { return (uint32_t)path; }

/* --- Memory ------------------------------------------------------------------------------------- */

/* What a slot takes of the store. */
static size_t slot_size(size_t size) { return layout_power_of_two(size < STORE_SLOT_MIN ? STORE_SLOT_MIN : size); }

static bool may_keep(const struct observers *observers, const struct engine *engine, size_t size) {
  return observers->kept_size + size <=
         (size_t)engine->exchanges.store.page_count * engine->exchanges.store.page_size / 2;
}

static uint32_t take_slot(struct observers *observers, struct engine *engine, const void *bytes, size_t size) {
  uint32_t slot = store_take(&engine->exchanges.store, size);
  if (slot == INDEX_NONE) return INDEX_NONE;
  memcpy(store_bytes(&engine->exchanges.store, slot), bytes, size);
  observers->kept_size += slot_size(size);
  return slot;
}

static void give_slot(struct observers *observers, struct engine *engine, uint32_t slot, size_t size) {
  if (slot == INDEX_NONE) return;
  observers->kept_size -= slot_size(size);
  store_give(&engine->exchanges.store, slot);
}

static void give_request(struct observers *observers, struct engine *engine, struct observed *observed) {
  give_slot(observers, engine, observed->request, observed->request_size);
  observed->request = INDEX_NONE;
}

/* --- Finding ------------------------------------------------------------------------------------ */

/* The first of those with a path; the others are in its ring. */
static uint32_t find_path(const struct observers *observers, uint64_t path) {
  struct table_walk walk = table_walk(path_hash(path));
  uint32_t index;
  while ((index = table_next(&observers->paths, &walk)) != INDEX_NONE)
    if (at(observers, index)->path == path) return index;
  return INDEX_NONE;
}

static uint32_t find_variant(const struct observers *observers, const struct engine *engine, uint32_t hash, size_t size,
                             uint32_t format) {
  struct table_walk walk = table_walk(hash);
  uint32_t index;
  while ((index = table_next(&observers->variants, &walk)) != INDEX_NONE) {
    const struct observed *observed = at(observers, index);
    uint32_t first = (observed->flags & OBSERVED_OPEN) != 0 ? OBSERVED_FORMAT_OPEN : observed->format;
    if (first != format || observed->request_size != size) continue;
    if (memcmp(store_bytes(&engine->exchanges.store, observed->request), observers->room, size) == 0) return index;
  }
  return INDEX_NONE;
}

static void insert(struct observers *observers, uint32_t index) {
  struct observed *observed = at(observers, index);
  uint32_t first = find_path(observers, observed->path);
  table_insert(&observers->variants, observed->hash, index);
  if (first == INDEX_NONE) {
    observed->next = observed->previous = index;
    table_insert(&observers->paths, path_hash(observed->path), index);
    return;
  }
  observed->next = first;
  observed->previous = at(observers, first)->previous;
  at(observers, observed->previous)->next = index;
  at(observers, first)->previous = index;
}

static uint32_t make(struct observers *observers, struct engine *engine, const struct registration *registration,
                     uint32_t hash, size_t size) {
  /* With its first message, of which only the least size is known. */
  if (!may_keep(observers, engine, slot_size(size) + STORE_SLOT_MIN)) return INDEX_NONE;
  uint32_t slot = take_slot(observers, engine, observers->room, size);
  if (slot == INDEX_NONE) return INDEX_NONE;
  uint32_t index = slab_take(&observers->observed_slab);
  if (index == INDEX_NONE) {
    give_slot(observers, engine, slot, size);
    return INDEX_NONE;
  }
  *at(observers, index) = (struct observed){.path = variant_path(&observers->key, registration->request),
                                            .confirm_every = registration->confirm_every,
                                            .hash = hash,
                                            .request = slot,
                                            .message = INDEX_NONE,
                                            .cursor = INDEX_NONE,
                                            .format = registration->format,
                                            .request_size = (uint16_t)size,
                                            .flags = registration->format == OBSERVED_FORMAT_OPEN ? OBSERVED_OPEN : 0};
  insert(observers, index);
  return index;
}

uint32_t observed_reach(struct observers *observers, struct engine *engine, const struct registration *registration) {
  size_t size = variant_write(registration->request, observers->room, engine->message_size_max);
  if (size == 0) return INDEX_NONE;
  uint64_t request = hash_bytes(&observers->key, observers->room, size);
  uint32_t hash = (uint32_t)hash_words(&observers->key, request, registration->format);
  uint32_t index = find_variant(observers, engine, hash, size, registration->format);
  return index != INDEX_NONE ? index : make(observers, engine, registration, hash, size);
}

void observed_detach(struct observers *observers, uint32_t index) {
  struct observed *observed = at(observers, index);
  assert((observed->flags & OBSERVED_ENDING) == 0);
  observed->flags |= OBSERVED_ENDING;
  table_remove(&observers->variants, observed->hash, index);
  if (find_path(observers, observed->path) == index) {
    table_remove(&observers->paths, path_hash(observed->path), index);
    if (observed->next != index) table_insert(&observers->paths, path_hash(observed->path), observed->next);
  }
  at(observers, observed->previous)->next = observed->next;
  at(observers, observed->next)->previous = observed->previous;
}

void observed_give(struct observers *observers, struct engine *engine, uint32_t index) {
  struct observed *observed = at(observers, index);
  assert(observed->count == 0 && observers->making != index);
  observed_rest(observers, index);
  if ((observed->flags & OBSERVED_ENDING) == 0) observed_detach(observers, index);
  give_slot(observers, engine, observed->message, observed->message_size);
  give_request(observers, engine, observed);
  observed->unsent = false;
  slab_give(&observers->observed_slab, index);
}

/* --- What is to be done --------------------------------------------------------------------------- */

static void ring_append(struct observers *observers, uint32_t *first, uint32_t index) {
  struct observed *observed = at(observers, index);
  if (*first == INDEX_NONE) {
    *first = observed->behind = observed->before = index;
    return;
  }
  observed->behind = *first;
  observed->before = at(observers, *first)->before;
  at(observers, observed->before)->behind = index;
  at(observers, *first)->before = index;
}

static void ring_remove(struct observers *observers, uint32_t *first, uint32_t index) {
  struct observed *observed = at(observers, index);
  at(observers, observed->before)->behind = observed->behind;
  at(observers, observed->behind)->before = observed->before;
  if (*first == index) *first = observed->behind == index ? INDEX_NONE : observed->behind;
}

void observed_rest(struct observers *observers, uint32_t index) {
  struct observed *observed = at(observers, index);
  if ((observed->flags & OBSERVED_TO_MAKE) != 0) {
    ring_remove(observers, &observers->make, index);
    --observers->to_make;
  }
  if ((observed->flags & OBSERVED_TO_SEND) != 0) ring_remove(observers, &observers->send, index);
  observed->flags &= (uint8_t) ~(OBSERVED_TO_MAKE | OBSERVED_TO_SEND);
}

/* RFC 7641 4.5.2: "Should the resource have changed its state more than once in the meantime, the notifications for the
 * intermediate states are silently skipped." So a state that is still being sent gives way at once. */
void observed_make_later(struct observers *observers, uint32_t index) {
  struct observed *observed = at(observers, index);
  if ((observed->flags & OBSERVED_TO_MAKE) != 0) return;
  observed_rest(observers, index);
  observed->flags |= OBSERVED_TO_MAKE;
  ring_append(observers, &observers->make, index);
  ++observers->to_make;
}

void observed_turn(struct observers *observers) {
  if (observers->send != INDEX_NONE) observers->send = at(observers, observers->send)->behind;
}

/* The handler that makes a notification reads the newest state of its path: that it has changed is no news then, and
 * would never come to an end. */
static bool is_being_made(const struct observers *observers, uint64_t path) {
  return observers->making != INDEX_NONE && at(observers, observers->making)->path == path;
}

size_t observed_change(struct observers *observers, uint64_t path) {
  uint32_t first = find_path(observers, path), index = first;
  size_t count = 0;
  if (first == INDEX_NONE) return 0;
  do {
    if (!is_being_made(observers, path)) observed_make_later(observers, index);
    count += at(observers, index)->count;
    index = at(observers, index)->next;
  } while (index != first);
  return count;
}

size_t observed_end(struct observers *observers, uint64_t path, uint8_t code) {
  size_t count = 0;
  for (uint32_t index; (index = find_path(observers, path)) != INDEX_NONE;) {
    struct observed *observed = at(observers, index);
    observed->end_code = code;
    count += observed->count;
    observed_detach(observers, index);
    observed_make_later(observers, index);
  }
  return count;
}

/* --- A new state ---------------------------------------------------------------------------------- */

bool observed_may_keep(const struct observers *observers, const struct engine *engine, uint32_t index, size_t size) {
  const struct observed *observed = at(observers, index);
  size_t old = observed->message == INDEX_NONE ? 0 : slot_size(observed->message_size), need = slot_size(size);
  return need <= old || may_keep(observers, engine, need - old);
}

bool observed_keep(struct observers *observers, struct engine *engine, uint32_t index, copal_bytes message) {
  struct observed *observed = at(observers, index);
  if (!observed_rewrite(observers, engine, index, message)) return false;
  /* Of the last state no other is made: in a small store the request's page may be the only one for its exchanges. */
  if ((observed->flags & OBSERVED_ENDING) != 0) give_request(observers, engine, observed);
  ++observed->state;
  observed_visit(observers, index);
  return true;
}

bool observed_rewrite(struct observers *observers, struct engine *engine, uint32_t index, copal_bytes message) {
  struct observed *observed = at(observers, index);
  if (!observed_may_keep(observers, engine, index, message.size)) return false;
  uint32_t slot = take_slot(observers, engine, message.data, message.size);
  if (slot == INDEX_NONE) return false;
  give_slot(observers, engine, observed->message, observed->message_size);
  observed->message = slot;
  observed->message_size = (uint16_t)message.size;
  return true;
}

void observed_keep_end(struct observers *observers, struct engine *engine, uint32_t index) {
  struct observed *observed = at(observers, index);
  assert((observed->flags & OBSERVED_ENDING) != 0 && observed->end_code != 0);
  give_slot(observers, engine, observed->message, observed->message_size);
  uint8_t *bytes = store_bytes(&engine->exchanges.store, observed->request);
  header_empty(bytes, COPAL_CON, 0);
  bytes[1] = observed->end_code;
  observed->message = INDEX_NONE;
  observed->message_size = HEADER_SIZE;
  ++observed->state;
  observed_visit(observers, index);
}

void observed_visit(struct observers *observers, uint32_t index) {
  struct observed *observed = at(observers, index);
  ++observed->visit;
  observed->unvisited = observed->count;
  observed->unsent = false;
  observed_rest(observers, index);
  observed_send_on(observers, index);
}

/* One that is to be made is visited then. */
void observed_send_on(struct observers *observers, uint32_t index) {
  struct observed *observed = at(observers, index);
  if ((observed->flags & (OBSERVED_TO_MAKE | OBSERVED_TO_SEND)) != 0) return;
  observed->flags |= OBSERVED_TO_SEND;
  ring_append(observers, &observers->send, index);
}
