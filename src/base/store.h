/* Bytes of many sizes from one bounded block, for messages that wait. A page holds slots of one power of two; it takes
 * its size when the first slot is asked for and is free again when the last is given back. All calls are O(1). */
#ifndef COPAL_BASE_STORE_H
#define COPAL_BASE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "base/layout.h"

enum { STORE_SLOT_BITS = 5, STORE_SLOT_MIN = 1 << STORE_SLOT_BITS, STORE_CLASSES = 16 }; /* 32 bytes to 1 MiB */

struct store_page;

struct store {
  uint8_t *bytes;
  struct store_page *pages;
  uint32_t page_size;
  uint32_t page_bits; /* its logarithm: what would be divided by it is shifted, which takes a tenth of the time */
  uint32_t page_count;
  uint32_t fresh;                  /* pages from here on were never used */
  uint32_t free;                   /* first free page below fresh */
  uint32_t partial[STORE_CLASSES]; /* of each size: pages with a free slot */
  size_t used;                     /* bytes in slots taken */
};

/* Takes room for size bytes, in pages that hold a slot of slot_max bytes. */
void store_init(struct store *store, struct layout *layout, uint32_t size, uint32_t slot_max);

/* A slot of at least size bytes, or INDEX_NONE when there is no room. */
uint32_t store_take(struct store *store, size_t size);

void store_give(struct store *store, uint32_t slot);

static inline uint8_t *store_bytes(const struct store *store, uint32_t slot) {
  return store->bytes + (size_t)slot * STORE_SLOT_MIN;
}

#endif
