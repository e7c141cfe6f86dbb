/* Chance for simulations: SplitMix64, whose whole state is one number. Whoever needs chance of its own splits some off,
 * so that one part's draws do not disturb another's. Not for anything that must not be guessed. */
#ifndef COPAL_SIM_CHANCE_H
#define COPAL_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
  uint64_t state;
};

static inline uint64_t chance_draw(struct chance *chance) {
  uint64_t value = chance->state += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

/* From 0 to limit - 1. */
static inline uint64_t chance_below(struct chance *chance, uint64_t limit) { return chance_draw(chance) % limit; }

/* True in permille of 1,000 cases. */
static inline bool chance_hits(struct chance *chance, uint32_t permille) {
  return chance_below(chance, 1000) < permille;
}

static inline struct chance chance_split(struct chance *chance) {
  struct chance part = {chance_draw(chance)};
  return part;
}

#endif
