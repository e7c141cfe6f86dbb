/* A keyed 64-bit hash for tables: who does not know the key cannot choose colliding inputs. Not a signature. */
#ifndef COPAL_BASE_HASH_H
#define COPAL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
  uint64_t start;
  uint64_t multiplier; /* odd */
};

static inline uint64_t hash_mix(const struct hash_key *key, uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * key->multiplier;
  return hash ^ hash >> 32;
}

static inline uint64_t hash_words(const struct hash_key *key, uint64_t a, uint64_t b) {
  return hash_mix(key, hash_mix(key, key->start ^ a, b), a);
}

static inline uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t size) {
  const uint8_t *at = (const uint8_t *)data;
  uint64_t hash = key->start ^ size, word;
  for (; size >= 8; at += 8, size -= 8) {
    memcpy(&word, at, 8);
    hash = hash_mix(key, hash, word);
  }
  word = 0;
  if (size > 0) memcpy(&word, at, size);
  return hash_mix(key, hash_mix(key, hash, word), size);
}

#endif
