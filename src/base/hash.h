/* A keyed 64-bit hash for tables and for telling inputs apart: SipHash-1-3. Who does not know the key cannot find two
 * inputs that collide, which matters where a peer chooses them. Not a signature. */
#ifndef COPAL_BASE_HASH_H
#define COPAL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
  uint64_t low, high;
};

struct hash_state {
  uint64_t a, b, c, d;
};

static inline uint64_t hash_rotate(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

static inline void hash_round(struct hash_state *state) {
  state->a += state->b;
  state->c += state->d;
  state->b = hash_rotate(state->b, 13) ^ state->a;
  state->d = hash_rotate(state->d, 16) ^ state->c;
  state->a = hash_rotate(state->a, 32);
  state->c += state->b;
  state->a += state->d;
  state->b = hash_rotate(state->b, 17) ^ state->c;
  state->d = hash_rotate(state->d, 21) ^ state->a;
  state->c = hash_rotate(state->c, 32);
}

static inline struct hash_state hash_begin(const struct hash_key *key) {
  struct hash_state state = {key->low ^ 0x736f6d6570736575, key->high ^ 0x646f72616e646f6d,
                             key->low ^ 0x6c7967656e657261, key->high ^ 0x7465646279746573};
  return state;
}

static inline void hash_add(struct hash_state *state, uint64_t word) {
  state->d ^= word;
  hash_round(state);
  state->a ^= word;
}

static inline uint64_t hash_end(struct hash_state *state) {
  state->c ^= 0xff;
  for (int i = 0; i < 3; ++i) hash_round(state);
  return state->a ^ state->b ^ state->c ^ state->d;
}

static inline uint64_t hash_words(const struct hash_key *key, uint64_t a, uint64_t b) {
  struct hash_state state = hash_begin(key);
  hash_add(&state, a);
  hash_add(&state, b);
  return hash_end(&state);
}

static inline uint64_t hash_four(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The last size bytes, below 8, as a word: read from both ends, where they may overlap. */
static inline uint64_t hash_rest(const uint8_t *at, size_t size) {
  if (size >= 4) return hash_four(at) | hash_four(at + size - 4) << 8 * (size - 4);
  if (size == 0) return 0;
  return at[0] | (uint64_t)at[size / 2] << 8 * (size / 2) | (uint64_t)at[size - 1] << 8 * (size - 1);
}

/* Whole words are read as they lie, in whatever order of bytes: the hash never leaves the endpoint. */
static inline uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t size) {
  struct hash_state state = hash_begin(key);
  const uint8_t *at = (const uint8_t *)data;
  uint64_t word;
  size_t left = size;
  for (; left >= 8; at += 8, left -= 8) {
    memcpy(&word, at, 8);
    hash_add(&state, word);
  }
  /* The size tells inputs apart that differ in trailing zeros only. */
  hash_add(&state, hash_rest(at, left) ^ (uint64_t)(uint8_t)size * ((uint64_t)1 << 56));
  return hash_end(&state);
}

#endif
