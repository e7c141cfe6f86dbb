/* Which block of a body goes into a message: from what the client asks for and what the message has room for. Pure.
 * RFC 7959 sections 2.2 and 2.4. */
#ifndef COPAL_REST_WINDOW_H
#define COPAL_REST_WINDOW_H

#include "copal/message.h"

enum {
  BLOCK_SZX_MAX = 6,
  BLOCK_SZX_RESERVED = 7,
  BLOCK_SIZE_MAX = 1024,
  BLOCK_NUMBER_MAX = (1 << 20) - 1 /* RFC 7959 2.2: 20 bits */
};

struct window {
  uint64_t offset;
  uint32_t size; /* of a whole block */
  uint8_t szx;
};

static inline uint32_t block_size(uint8_t szx) { return (uint32_t)16 << szx; }

static inline uint64_t block_offset(copal_block block) { return (uint64_t)block.number << (block.szx + 4); }

/* The largest szx up to `wanted` whose blocks fit `room` bytes; BLOCK_SZX_RESERVED when none does. */
static inline uint8_t block_szx_within(uint8_t wanted, size_t room) {
  for (int szx = wanted < BLOCK_SZX_MAX ? wanted : BLOCK_SZX_MAX; szx >= 0; --szx)
    if (block_size((uint8_t)szx) <= room) return (uint8_t)szx;
  return BLOCK_SZX_RESERVED;
}

/* The option's value for a window. */
static inline uint32_t window_value(const struct window *window, bool more) {
  copal_block block = {(uint32_t)(window->offset >> (window->szx + 4)), more, window->szx};
  return copal_block_value(block);
}

#endif
