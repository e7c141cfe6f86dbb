/* See missing.h. */
#include "rest/missing.h"

#include "rest/window.h"

/* RFC 8949 3: the first byte has the major type, 0 for an unsigned integer, and in its low five bits the value, or 24
 * to 27 for a value in the 1, 2, 4 or 8 bytes that follow. */
enum { CBOR_IMMEDIATE_MAX = 23, CBOR_BYTES_1 = 24, CBOR_BYTES_8 = 27 };

static size_t number_size(uint32_t number) {
  if (number <= CBOR_IMMEDIATE_MAX) return 1;
  if (number <= UINT8_MAX) return 2;
  return number <= UINT16_MAX ? 3 : MISSING_NUMBER_SIZE_MAX;
}

static void write_number(uint32_t number, size_t size, uint8_t *at) {
  switch (size) {
    case 1: at[0] = (uint8_t)number; return;
    case 2: at[0] = CBOR_BYTES_1; break;
    case 3: at[0] = CBOR_BYTES_1 + 1; break;
    default: at[0] = CBOR_BYTES_1 + 2; break;
  }
  for (size_t i = size - 1; i > 0; --i, number >>= 8) at[i] = (uint8_t)number;
}

size_t missing_write(const uint32_t *numbers, size_t count, uint8_t *buffer, size_t capacity) {
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t size = number_size(numbers[i]);
    if (size > capacity - at) break;
    write_number(numbers[i], size, buffer + at);
    at += size;
  }
  return at;
}

/* Takes a number off the front. False where there is none that could be a block's. */
static bool take_number(copal_bytes *sequence, uint32_t *number) {
  uint8_t first = sequence->data[0];
  if (first > CBOR_BYTES_8) return false;
  size_t extension = first < CBOR_BYTES_1 ? 0 : (size_t)1 << (first - CBOR_BYTES_1);
  if (sequence->size - 1 < extension) return false;
  uint64_t value = first;
  if (extension > 0) value = 0;
  for (size_t i = 1; i <= extension; ++i) value = value << 8 | sequence->data[i];
  *number = (uint32_t)value;
  sequence->data += 1 + extension;
  sequence->size -= 1 + extension;
  return value <= BLOCK_NUMBER_MAX;
}

/* RFC 9177 5: "The missing blocks MUST be reported in ascending order without any duplicates. The client SHOULD
 * silently drop 4.08 (Request Entity Incomplete) responses not adhering to this behavior"; but "the client MUST ignore
 * any duplicates in the same 4.08 (Request Entity Incomplete) response". */
size_t missing_read(copal_bytes sequence, uint32_t *numbers, size_t count_max) {
  size_t count = 0;
  uint32_t number, last = 0;
  bool any = false;
  while (sequence.size > 0) {
    if (!take_number(&sequence, &number) || (any && number < last)) return 0;
    if ((!any || number > last) && count < count_max) numbers[count++] = number;
    any = true;
    last = number;
  }
  return count;
}
