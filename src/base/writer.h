/* Writes text into a buffer of limited size. What does not fit is left out, and the text then ends in "...". It cannot
 * fail otherwise, so that a caller writes on and looks at the result once. Knows nothing of CoAP. */
#ifndef COPAL_BASE_WRITER_H
#define COPAL_BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
  char *buffer;
  size_t capacity;
  size_t size; /* bytes written so far; one more is kept free for the NUL */
  bool cut;    /* something did not fit */
};

/* Begins with an empty text. capacity includes the NUL; with 0 nothing is ever written. */
void writer_init(struct writer *writer, char *buffer, size_t capacity);

void writer_char(struct writer *writer, char letter);
void writer_text(struct writer *writer, const char *text);
void writer_bytes(struct writer *writer, const void *data, size_t size);

/* In decimal, with leading zeros up to digits_min digits. */
void writer_decimal(struct writer *writer, uint64_t value, unsigned digits_min);

/* In lower-case hexadecimal, two digits a byte. */
void writer_hex(struct writer *writer, const void *data, size_t size);

/* Ends the text with a NUL, and with "..." when it was cut, never within a UTF-8 character. Returns its length. */
size_t writer_finish(struct writer *writer);

#endif
