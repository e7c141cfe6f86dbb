/* The bounded text writer: see writer.h. Once something did not fit, nothing more is written, so that the text is
 * always a beginning of what it would have been. */
#include "base/writer.h"

#include <assert.h>
#include <string.h>

static const char ellipsis[] = "...";
#define ELLIPSIS_SIZE (sizeof ellipsis - 1)

void writer_init(struct writer *writer, char *buffer, size_t capacity) {
  assert(writer != NULL && (buffer != NULL || capacity == 0));
  writer->buffer = buffer;
  writer->capacity = capacity;
  writer->size = 0;
  writer->cut = false;
}

void writer_char(struct writer *writer, char letter) { writer_bytes(writer, &letter, 1); }

void writer_text(struct writer *writer, const char *text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  writer_bytes(writer, text, size);
}

void writer_bytes(struct writer *writer, const void *data, size_t size) {
  if (writer->cut) return;
  size_t space = writer->capacity == 0 ? 0 : writer->capacity - 1 - writer->size;
  if (size > space) {
    writer->cut = true;
    size = space;
  }
  if (size == 0) return;
  memcpy(writer->buffer + writer->size, data, size);
  writer->size += size;
}

void writer_decimal(struct writer *writer, uint64_t value, unsigned digits_min) {
  char digits[20];
  size_t at = sizeof digits;
  assert(digits_min <= sizeof digits);
  while (value != 0 || sizeof digits - at < digits_min || at == sizeof digits) {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  }
  writer_bytes(writer, digits + at, sizeof digits - at);
}

void writer_hex(struct writer *writer, const void *data, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const uint8_t *bytes = data;
  for (size_t index = 0; index < size && !writer->cut; ++index) {
    char pair[2] = {digits[bytes[index] >> 4], digits[bytes[index] & 15]};
    writer_bytes(writer, pair, sizeof pair);
  }
}

size_t writer_finish(struct writer *writer) {
  if (writer->capacity == 0) return 0;
  if (writer->cut) {
    size_t room = writer->capacity - 1, dots = room < ELLIPSIS_SIZE ? room : ELLIPSIS_SIZE;
    size_t kept = room - dots;
    assert(writer->size == room);
    /* Bytes 10xxxxxx continue a UTF-8 character: the dots must not begin inside one. */
    while (kept > 0 && ((uint8_t)writer->buffer[kept] & 0xc0) == 0x80) --kept;
    memcpy(writer->buffer + kept, ellipsis, dots);
    writer->size = kept + dots;
  }
  writer->buffer[writer->size] = '\0';
  return writer->size;
}
