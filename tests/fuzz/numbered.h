/* Bodies that tell which one they are: each begins with its number and its size, which follows from the number, and no
 * two are alike elsewhere. */
#ifndef COPAL_TESTS_FUZZ_NUMBERED_H
#define COPAL_TESTS_FUZZ_NUMBERED_H

#include "copal/message.h"
#include "fuzz/script.h"

enum { BODY_MAX = 460, HEAD_SIZE = 4 };

static inline uint8_t body_byte(uint16_t id, size_t size, size_t at) {
  uint8_t head[HEAD_SIZE] = {(uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(size >> 8), (uint8_t)size};
  return at < HEAD_SIZE ? head[at] : (uint8_t)((id * 31u + at * 7u + at / 251u) ^ id >> 7);
}

static inline size_t body_size(uint16_t id) { return HEAD_SIZE + id % 89u * 5; }

static inline size_t body_fill(uint16_t id, uint64_t offset, uint8_t *bytes, size_t size) {
  size_t whole = body_size(id), part = 0;
  for (; part < size && offset + part < whole; ++part) bytes[part] = body_byte(id, whole, (size_t)offset + part);
  return part;
}

/* The number of a body that has come, all of which must be there. */
static inline uint16_t body_id(copal_bytes body) {
  assert(body.size >= HEAD_SIZE);
  uint16_t id = (uint16_t)(body.data[0] << 8 | body.data[1]);
  assert(body.size == body_size(id));
  for (size_t i = 0; i < body.size; ++i) assert(body.data[i] == body_byte(id, body.size, i));
  return id;
}

#endif
