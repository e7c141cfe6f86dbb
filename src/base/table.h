/* A hash table from 32-bit hashes to record indexes. Keys stay in the records: a lookup gives candidates of equal hash,
 * and the caller compares. Open addressing with linear probing; removal shifts back, so there are no tombstones and the
 * cost does not creep. All-zero memory is an empty table. */
#ifndef COPAL_BASE_TABLE_H
#define COPAL_BASE_TABLE_H

#include <stdint.h>

#include "base/index.h"
#include "base/layout.h"
#include "base/prefetch.h"

struct table_slot {
  uint32_t hash;
  uint32_t index_plus_one; /* 0: empty */
};

struct table {
  struct table_slot *slots;
  uint32_t mask;
  uint32_t count;
};

/* Takes room for count_max entries at a load of at most three quarters. */
void table_init(struct table *table, struct layout *layout, uint32_t count_max);

void table_insert(struct table *table, uint32_t hash, uint32_t index);

/* Removes one entry, which must be there. */
void table_remove(struct table *table, uint32_t hash, uint32_t index);

/* Has the processor fetch what a walk needs, which ends at an empty slot. Eight slots are a cache line: five further is
 * the next one, unless the walk begins with a line's first three and hardly ever leaves it. */
static inline void table_prefetch(const struct table *table, uint32_t hash) {
  prefetch(&table->slots[hash & table->mask]);
  prefetch(&table->slots[(hash + 5) & table->mask]);
}

/* A walk over the candidates for a hash. */
struct table_walk {
  uint32_t position;
};

/* The next candidate, or INDEX_NONE. The table must not change during a walk. */
static inline uint32_t table_next(const struct table *table, uint32_t hash, struct table_walk *walk) {
  for (;;) {
    const struct table_slot *slot = &table->slots[walk->position & table->mask];
    if (slot->index_plus_one == 0) return INDEX_NONE;
    ++walk->position;
    if (slot->hash == hash) return slot->index_plus_one - 1;
  }
}

static inline struct table_walk table_walk(uint32_t hash) {
  struct table_walk walk = {hash};
  return walk;
}

#endif
