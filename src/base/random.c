/* See random.h. ChaCha as in RFC 8439 2.3 with 8 rounds, a 64-bit counter and a zero nonce. */
#include "base/random.h"

#include <string.h>

void random_init(struct random *random, const uint8_t seed[RANDOM_SEED_SIZE]) {
  for (int i = 0; i < 8; ++i) {
    const uint8_t *at = seed + 4 * (size_t)i;
    random->key[i] = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
  }
  random->counter = 0;
  random->used = 16;
}

static uint32_t rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
  *d = rotate(*d ^ (*a += *b), 16);
  *b = rotate(*b ^ (*c += *d), 12);
  *d = rotate(*d ^ (*a += *b), 8);
  *b = rotate(*b ^ (*c += *d), 7);
}

static void refill(struct random *random) {
  uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  memcpy(input + 4, random->key, sizeof random->key);
  input[12] = (uint32_t)random->counter;
  input[13] = (uint32_t)(random->counter >> 32);
  uint32_t x[16];
  memcpy(x, input, sizeof x);
  for (int round = 0; round < 8; round += 2) {
    for (int i = 0; i < 4; ++i) quarter_round(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
    for (int i = 0; i < 4; ++i) quarter_round(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4], &x[12 + (i + 3) % 4]);
  }
  for (int i = 0; i < 16; ++i) random->block[i] = x[i] + input[i];
  ++random->counter;
  random->used = 0;
}

uint32_t random_u32(struct random *random) {
  if (random->used == 16) refill(random);
  return random->block[random->used++];
}

uint64_t random_u64(struct random *random) {
  uint64_t high = random_u32(random);
  return high << 32 | random_u32(random);
}

uint64_t random_up_to(struct random *random, uint64_t limit) {
  if (limit == UINT64_MAX) return random_u64(random);
  /* Draws from the uneven rest above the last full run of the range would favour small values: draw again. */
  uint64_t range = limit + 1, rest = (UINT64_MAX % range + 1) % range, value;
  do value = random_u64(random);
  while (value > UINT64_MAX - rest);
  return value % range;
}
