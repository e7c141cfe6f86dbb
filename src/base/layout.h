/* Carves one block of memory into tables. The same sequence of calls first adds the sizes up (block NULL) and then
 * hands the parts out, so the sum and the use of it cannot differ. */
#ifndef COPAL_BASE_LAYOUT_H
#define COPAL_BASE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

struct layout {
  uint8_t *block; /* NULL to count */
  uint64_t size;  /* 64 bits wide, so that limits which do not fit a small machine are noticed */
};

/* The next count records of size bytes each, aligned to 8; NULL while counting. */
static inline void *layout_take(struct layout *layout, uint64_t count, size_t size) {
  uint64_t at = layout->size;
  layout->size = (at + count * size + 7) & ~(uint64_t)7;
  return layout->block == NULL ? NULL : layout->block + (size_t)at;
}

/* The least power of two that is at least n, from 1 on; 2^31, the greatest there is, for whatever is more. */
static inline uint32_t layout_power_of_two(uint64_t n) {
  uint32_t power = 1;
  while (power < n && power < (uint32_t)1 << 31) power *= 2;
  return power;
}

#endif
