/* Zeroes a record of some hundred bytes. */
#ifndef COPAL_BASE_CLEAR_H
#define COPAL_BASE_CLEAR_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* size: a multiple of 4. Of so long an initializer, and of this loop if they saw that it is one, compilers make a
 * string instruction, which takes longer to begin than all these moves. */
static inline void clear(void *record, size_t size) {
  assert(size % 4 == 0);
  uint8_t *at = (uint8_t *)record;
  for (; size >= 64; at += 64, size -= 64) {
    memset(at, 0, 64);
    __asm__ volatile("" ::: "memory");
  }
  for (; size > 0; at += 4, size -= 4) memset(at, 0, 4);
}

#endif
