/* Fowler, Noll and Vo's hash FNV-1a of 64 bits, and the bits mixed once more: it alone spreads short inputs badly. */
#include "cli/serve/fingerprint.h"

uint64_t fingerprint(uint64_t before, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  uint64_t hash = before ^ 0xcbf29ce484222325;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}
