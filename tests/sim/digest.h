/* A quick hash for simulations, eight bytes at a time. Not for anything that somebody could want to forge. */
#ifndef COPAL_SIM_DIGEST_H
#define COPAL_SIM_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t digest_word(uint64_t digest, uint64_t word) {
  digest = (digest ^ word) * 0x9e3779b97f4a7c15;
  return digest ^ digest >> 29;
}

static inline uint64_t digest_bytes(uint64_t digest, const void *data, size_t size) {
  const uint8_t *bytes = (const uint8_t *)data;
  uint64_t word;
  for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
    memcpy(&word, bytes, sizeof word);
    digest = digest_word(digest, word);
  }
  word = size;
  memcpy((uint8_t *)&word + 1, bytes, size);
  return digest_word(digest, word);
}

#endif
