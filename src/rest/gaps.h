/* Which blocks of a body have come, when they may come in any order: all before the first that is missing, and some of
 * those within reach of it. One word for a body of any size. Pure. RFC 9177 section 4. */
#ifndef COPAL_REST_GAPS_H
#define COPAL_REST_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GAPS_REACH = 64 };

struct gaps {
  uint32_t first; /* the first block that is missing */
  uint64_t came;  /* bit i: block first + i has come; bit 0 never */
};

/* Whether a block could be noted: it is not too far ahead. */
static inline bool gaps_reach(const struct gaps *gaps, uint32_t number) {
  return number < gaps->first || number - gaps->first < GAPS_REACH;
}

/* Whether a block has come. */
static inline bool gaps_has(const struct gaps *gaps, uint32_t number) {
  if (number < gaps->first) return true;
  return gaps_reach(gaps, number) && (gaps->came >> (number - gaps->first) & 1) != 0;
}

/* Notes a block that is within reach. */
static inline void gaps_note(struct gaps *gaps, uint32_t number) {
  if (number < gaps->first) return;
  gaps->came |= (uint64_t)1 << (number - gaps->first);
  for (; (gaps->came & 1) != 0; gaps->came >>= 1) ++gaps->first;
}

/* The first blocks that are missing before end, in ascending order; at most count_max of them. Returns how many. */
static inline size_t gaps_list(const struct gaps *gaps, uint32_t end, uint32_t *numbers, size_t count_max) {
  size_t count = 0;
  for (uint32_t number = gaps->first; number < end && count < count_max; ++number)
    if (!gaps_has(gaps, number)) numbers[count++] = number;
  return count;
}

#endif
