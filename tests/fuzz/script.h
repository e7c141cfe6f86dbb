/* An input read as a script: numbers one after the other, zeros past its end, so that every input is a whole script and
 * a shorter one a prefix of a longer. */
#ifndef COPAL_TESTS_FUZZ_SCRIPT_H
#define COPAL_TESTS_FUZZ_SCRIPT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct script {
  const uint8_t *at, *end;
};

static inline struct script script_begin(const uint8_t *data, size_t size) {
  return size == 0 ? (struct script){NULL, NULL} : (struct script){data, data + size};
}

static inline bool script_ended(const struct script *script) { return script->at == script->end; }

static inline uint8_t script_byte(struct script *script) { return script_ended(script) ? 0 : *script->at++; }

static inline uint8_t script_below(struct script *script, uint8_t limit) {
  return (uint8_t)(script_byte(script) % limit);
}

static inline uint16_t script_uint16(struct script *script) {
  unsigned high = script_byte(script);
  return (uint16_t)(high << 8 | script_byte(script));
}

/* A copy in a block of exactly its size, so that a sanitizer sees one byte read too many. The caller frees it. */
static inline uint8_t *exact_copy(const void *data, size_t size) {
  uint8_t *copy = (uint8_t *)malloc(size > 0 ? size : 1);
  assert(copy != NULL);
  if (size > 0) memcpy(copy, data, size);
  return copy;
}

#endif
