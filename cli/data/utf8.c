/* UTF-8 (RFC 3629), character by character. Knows nothing of what a character is for. */
#include "cli/data/utf8.h"

size_t utf8_size(const uint8_t *at, size_t left) {
  uint8_t first = at[0];
  if (first < 0x80) return 1;
  size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || size > left) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  /* RFC 3629 4: what a shorter form has, surrogates, and what is behind U+10FFFF. */
  if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] >= 0xa0)) return 0;
  if ((first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] >= 0x90)) return 0;
  return size;
}

bool utf8_check(copal_bytes bytes) {
  for (size_t at = 0; at < bytes.size;) {
    size_t size = utf8_size(bytes.data + at, bytes.size - at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

size_t utf8_write(uint8_t *buffer, uint32_t character) {
  static const uint8_t firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};
  if (character < 0x80) {
    buffer[0] = (uint8_t)character;
    return 1;
  }
  size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; --i) {
    buffer[i] = (uint8_t)(0x80 | (character & 0x3f));
    character >>= 6;
  }
  buffer[0] = (uint8_t)(firsts[size] | character);
  return size;
}
