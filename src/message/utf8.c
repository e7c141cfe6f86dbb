/* Whether bytes are UTF-8, as RFC 3629 section 4 has it. RFC 7252 3.2 makes strings "encoded using UTF-8 … in
 * Net-Unicode form"; the form is not looked at, since 5.4 compares strings byte by byte. */
#include "message/utf8.h"

static size_t sequence_size(uint8_t first, uint8_t *second_min, uint8_t *second_max);

bool utf8_valid(const uint8_t *bytes, size_t size) { return utf8_valid_size(bytes, size) == size; }

size_t utf8_valid_size(const uint8_t *bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    uint8_t second_min, second_max;
    size_t length = sequence_size(bytes[at], &second_min, &second_max);
    if (length == 0 || length > size - at) return at;
    if (length > 1 && (bytes[at + 1] < second_min || bytes[at + 1] > second_max)) return at;
    for (size_t i = 2; i < length; ++i) {
      if (bytes[at + i] < 0x80 || bytes[at + i] > 0xbf) return at;
    }
    at += length;
  }
  return size;
}

/* How many bytes a sequence has, by its first one; 0 where no sequence begins so. Overlong forms, surrogates and what
 * lies above U+10FFFF show in the range of the second byte. */
static size_t sequence_size(uint8_t first, uint8_t *second_min, uint8_t *second_max) {
  *second_min = 0x80;
  *second_max = 0xbf;
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) {
    if (first == 0xe0) *second_min = 0xa0;
    if (first == 0xed) *second_max = 0x9f;
    return 3;
  }
  if (first > 0xf4) return 0;
  if (first == 0xf0) *second_min = 0x90;
  if (first == 0xf4) *second_max = 0x8f;
  return 4;
}
