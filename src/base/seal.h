/* A signature of 64 bits: SipHash-2-4. Who does not know the key cannot make one, so what comes back with it is what
 * was given away. Bytes are taken in the same order on every machine, since a signature does leave the endpoint. */
#ifndef COPAL_BASE_SEAL_H
#define COPAL_BASE_SEAL_H

#include "base/hash.h"

static inline void seal_add(struct hash_state *state, uint64_t word) {
  state->d ^= word;
  hash_round(state);
  hash_round(state);
  state->a ^= word;
}

static inline uint64_t seal(const struct hash_key *key, const void *data, size_t size) {
  struct hash_state state = hash_begin(key);
  const uint8_t *at = (const uint8_t *)data;
  uint64_t word = 0;
  for (size_t i = 0; i < size; ++i) {
    word |= (uint64_t)at[i] << (8 * (i % 8));
    if (i % 8 != 7) continue;
    seal_add(&state, word);
    word = 0;
  }
  seal_add(&state, word | (uint64_t)(uint8_t)size << 56);
  state.c ^= 0xff;
  for (int i = 0; i < 4; ++i) hash_round(&state);
  return state.a ^ state.b ^ state.c ^ state.d;
}

#endif
