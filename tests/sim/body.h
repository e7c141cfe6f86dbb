/* Bodies for simulations: a name decides every byte, so no two of them can be mixed unnoticed, and whoever knows the
 * name can check any part. */
#ifndef COPAL_SIM_BODY_H
#define COPAL_SIM_BODY_H

#include <stddef.h>
#include <string.h>

#include "sim/chance.h"

struct body {
  uint64_t name;
  size_t size;
};

static inline uint8_t body_byte(const struct body *body, size_t position) {
  struct chance chance = {body->name + (position >> 3) * 0x9e3779b97f4a7c15};
  return (uint8_t)(chance_draw(&chance) >> (position & 7) * 8);
}

/* Writes size bytes of a body, from offset on. */
static inline void body_write(const struct body *body, size_t offset, uint8_t *buffer, size_t size) {
  size_t i = 0;
  for (; i < size && (offset + i) % 8 != 0; ++i) buffer[i] = body_byte(body, offset + i);
  for (; i + 8 <= size; i += 8) {
    struct chance chance = {body->name + ((offset + i) >> 3) * 0x9e3779b97f4a7c15};
    uint64_t word = chance_draw(&chance);
    for (int byte = 0; byte < 8; ++byte) buffer[i + (size_t)byte] = (uint8_t)(word >> byte * 8);
  }
  for (; i < size; ++i) buffer[i] = body_byte(body, offset + i);
}

/* Whether these bytes stand in a body at that offset. */
static inline bool body_has(const struct body *body, size_t offset, const uint8_t *data, size_t size) {
  if (offset > body->size || size > body->size - offset) return false;
  uint8_t expected[64];
  for (size_t i = 0; i < size; i += sizeof expected) {
    size_t part = size - i < sizeof expected ? size - i : sizeof expected;
    body_write(body, offset + i, expected, part);
    if (memcmp(data + i, expected, part) != 0) return false;
  }
  return true;
}

/* Whether these bytes are a body, all of it. */
static inline bool body_is(const struct body *body, const uint8_t *data, size_t size) {
  return size == body->size && body_has(body, 0, data, size);
}

#endif
