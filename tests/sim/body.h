/* Bodies for simulations: a name decides every byte, so no two of them can be mixed unnoticed, and whoever knows the
 * name can check any part. */
#ifndef COPAL_SIM_BODY_H
#define COPAL_SIM_BODY_H

#include <stddef.h>

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
  for (size_t i = 0; i < size; ++i) buffer[i] = body_byte(body, offset + i);
}

/* Whether these bytes stand in a body at that offset. */
static inline bool body_has(const struct body *body, size_t offset, const uint8_t *data, size_t size) {
  if (offset > body->size || size > body->size - offset) return false;
  for (size_t i = 0; i < size; ++i)
    if (data[i] != body_byte(body, offset + i)) return false;
  return true;
}

/* Whether these bytes are a body, all of it. */
static inline bool body_is(const struct body *body, const uint8_t *data, size_t size) {
  return size == body->size && body_has(body, 0, data, size);
}

#endif
