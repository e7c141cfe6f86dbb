/* Different things with the same hash of 32 bits, by which tables give candidates: whoever looks something up must not
 * take one for the other. Include after cmocka.h. */
#ifndef COPAL_TESTS_COLLISION_H
#define COPAL_TESTS_COLLISION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"

/* --- Peers -------------------------------------------------------------------------------------- */

/* A key with which two low peer indexes have the same hash; one in 36 million has. */
#define COLLISION_KEY ((struct hash_key){20669183, 0})

enum { COLLISION_PEER = 3, COLLISION_OTHER = 9 };

static inline void assert_peers_collide(void) {
  struct hash_key key = COLLISION_KEY;
  assert_int_equal((uint32_t)hash_words(&key, COLLISION_PEER, 0), (uint32_t)hash_words(&key, COLLISION_OTHER, 0));
}

/* --- Anything that is made from a number --------------------------------------------------------- */

enum { COLLISION_RANGE = 1 << 18 }; /* 2^35 pairs, of which eight or so collide */

struct collision {
  uint32_t hash, number;
};

static inline int collision_compare(const void *a, const void *b) {
  uint32_t first = ((const struct collision *)a)->hash, second = ((const struct collision *)b)->hash;
  return (first > second) - (first < second);
}

/* Finds two numbers of a kind whose hashes are the same. */
static inline void collision_find(uint32_t (*hash)(void *context, uint32_t number), void *context,
                                  bool (*is_wanted)(uint32_t a, uint32_t b), uint32_t numbers[2]) {
  struct collision *all = malloc(COLLISION_RANGE * sizeof *all);
  assert_non_null(all);
  for (uint32_t i = 0; i < COLLISION_RANGE; ++i) all[i] = (struct collision){hash(context, i), i};
  qsort(all, COLLISION_RANGE, sizeof *all, collision_compare);
  bool found = false;
  for (uint32_t i = 1; i < COLLISION_RANGE && !found; ++i) {
    found = all[i - 1].hash == all[i].hash && is_wanted(all[i - 1].number, all[i].number);
    numbers[0] = all[i - 1].number;
    numbers[1] = all[i].number;
  }
  free(all);
  assert_true(found); /* else another key is to be tried */
}

#endif
