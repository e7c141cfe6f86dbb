/* Strings without libc, which a microcontroller need not have. */
#ifndef COPAL_BASE_TEXT_H
#define COPAL_BASE_TEXT_H

#include <stddef.h>

static inline size_t text_size(const char *text) {
  size_t size = 0;
  while (text[size] != 0) ++size;
  return size;
}

#endif
