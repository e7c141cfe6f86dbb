/* A hash table from 32-bit hashes to record indexes. Keys stay in the records: a lookup gives candidates of equal hash,
 * and the caller compares. Open addressing with linear probing; removal shifts back, so there are no tombstones and the
 * cost does not creep. What is used of its room grows with the entries, a page at a time (linear hashing): decision
 * 0021. All-zero memory is an empty table. */
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
  uint32_t size;     /* slots that are in use so far, */
  uint32_t mask;     /* as many bits as their numbers have */
  uint32_t size_max; /* a power of two */
  uint32_t count;
  uint32_t count_max; /* entries, before more slots are used */
};

/* Takes room for count_max entries at a load of at most three quarters. */
void table_init(struct table *table, struct layout *layout, uint32_t count_max);

void table_insert(struct table *table, uint32_t hash, uint32_t index);

/* Removes one entry, which must be there. */
void table_remove(struct table *table, uint32_t hash, uint32_t index);

/* Where an entry stands unless others were there first. */
static inline uint32_t table_home(const struct table *table, uint32_t hash) {
  uint32_t home = hash & table->mask;
  return home < table->size ? home : home & table->mask >> 1;
}

/* Slots go round in a circle. `steps` is below their number. */
static inline uint32_t table_ahead(const struct table *table, uint32_t position, uint32_t steps) {
  position += steps;
  return position < table->size ? position : position - table->size;
}

/* Has the processor fetch what a walk needs, which ends at an empty slot. Eight slots are a cache line: five further is
 * the next one, unless the walk begins with a line's first three and hardly ever leaves it. */
static inline void table_prefetch(const struct table *table, uint32_t hash) {
  uint32_t home = table_home(table, hash), further = home + 5;
  prefetch(&table->slots[home]);
  prefetch(&table->slots[further < table->size ? further : 0]);
}

/* A walk over the candidates for a hash. */
struct table_walk {
  uint32_t hash, steps;
};

static inline struct table_walk table_walk(uint32_t hash) {
  struct table_walk walk = {hash, 0};
  return walk;
}

/* The next candidate, or INDEX_NONE. The table must not change during a walk. */
static inline uint32_t table_next(const struct table *table, struct table_walk *walk) {
  uint32_t position = table_ahead(table, table_home(table, walk->hash), walk->steps);
  for (;;) {
    const struct table_slot *slot = &table->slots[position];
    if (slot->index_plus_one == 0) return INDEX_NONE;
    ++walk->steps;
    if (slot->hash == walk->hash) return slot->index_plus_one - 1;
    position = table_ahead(table, position, 1);
  }
}

#endif
