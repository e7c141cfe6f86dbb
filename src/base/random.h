/* The endpoint's only entropy: a ChaCha8 key stream from the seed. Same seed, same bytes; without it, nobody who saw
 * some tokens can tell the next (RFC 7252 5.3.1 asks for tokens that cannot be guessed). */
#ifndef COPAL_BASE_RANDOM_H
#define COPAL_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { RANDOM_SEED_SIZE = 32 };

struct random {
  uint32_t key[8];
  uint64_t counter;
  uint32_t block[16];
  uint32_t used; /* words of block given out */
};

void random_init(struct random *random, const uint8_t seed[RANDOM_SEED_SIZE]);

uint32_t random_u32(struct random *random);
uint64_t random_u64(struct random *random);

/* From 0 to limit, both included: as even as 32 bits allow, which is plenty for jitter, and without a division. */
static inline uint32_t random_jitter(struct random *random, uint32_t limit) {
  return (uint32_t)(((uint64_t)limit + 1) * random_u32(random) >> 32);
}

/* Evenly from 0 to limit, both included. */
uint64_t random_up_to(struct random *random, uint64_t limit);

#endif
