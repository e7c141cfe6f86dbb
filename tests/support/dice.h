/* Random numbers for tests that compare with a model: the same in every run, and no code of the library. */
#ifndef COPAL_TESTS_DICE_H
#define COPAL_TESTS_DICE_H

#include <stdint.h>

struct dice {
  uint64_t state; /* not 0 */
};

static inline uint64_t dice_u64(struct dice *dice) {
  dice->state ^= dice->state << 13;
  dice->state ^= dice->state >> 7;
  dice->state ^= dice->state << 17;
  return dice->state * 0x2545f4914f6cdd1d;
}

/* From 0 to sides - 1. */
static inline uint32_t dice_below(struct dice *dice, uint32_t sides) {
  return (uint32_t)((dice_u64(dice) >> 32) % sides);
}

#endif
