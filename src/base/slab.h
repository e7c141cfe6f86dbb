/* Which records of a table are in use: a free list through the records themselves. Memory that was never used is never
 * touched, so a table for a million records costs nothing until they come. */
#ifndef COPAL_BASE_SLAB_H
#define COPAL_BASE_SLAB_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/index.h"

/* A free record's first 4 bytes hold the next free index; the others are left as they were. */
struct slab {
  uint8_t *records;
  uint32_t record_size;
  uint32_t count_max;
  uint32_t count; /* in use */
  uint32_t fresh; /* records from here on were never used */
  uint32_t free;  /* first free record below fresh, or INDEX_NONE */
};

static inline void slab_init(struct slab *slab, void *records, size_t record_size, uint32_t count_max) {
  assert(record_size >= sizeof(uint32_t));
  *slab = (struct slab){(uint8_t *)records, (uint32_t)record_size, count_max, 0, 0, INDEX_NONE};
}

/* The record that slab_take gives next; count_max when all are in use. */
static inline uint32_t slab_next(const struct slab *slab) {
  return slab->free != INDEX_NONE ? slab->free : slab->fresh;
}

/* An unused record's index, or INDEX_NONE when all are in use. */
static inline uint32_t slab_take(struct slab *slab) {
  uint32_t index = slab->free;
  if (index != INDEX_NONE) {
    memcpy(&slab->free, slab->records + (size_t)index * slab->record_size, sizeof slab->free);
  } else {
    if (slab->fresh == slab->count_max) return INDEX_NONE;
    index = slab->fresh++;
  }
  ++slab->count;
  return index;
}

static inline void slab_give(struct slab *slab, uint32_t index) {
  assert(index < slab->fresh && slab->count > 0);
  memcpy(slab->records + (size_t)index * slab->record_size, &slab->free, sizeof slab->free);
  slab->free = index;
  --slab->count;
}

#endif
