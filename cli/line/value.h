/* Values as people type and read them: numbers, durations, sizes, bytes in hexadecimal. Pure functions. */
#ifndef COPAL_CLI_LINE_VALUE_H
#define COPAL_CLI_LINE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

/* A decimal number, or a hexadecimal one after "0x", of at most limit; nothing else may stand in text. */
bool value_number(const char *text, uint32_t limit, uint32_t *value);

/* Seconds with an optional fraction, "2", "0.25", ".5", "1.5s", or milliseconds, "250ms". At most 10^9 seconds. */
bool value_duration(const char *text, copal_time *value);

/* A factor such as "1.5", in thousandths of at most limit; digits behind the third are dropped. */
bool value_permille(const char *text, uint32_t limit, uint32_t *value);

/* A duration for people, in the unit that suits it: "350 us", "1.2 ms", "45.0 s". Returns buffer. */
const char *value_duration_text(copal_time duration, char *buffer, size_t capacity);

/* A number of bytes for people: "950 B", "1.2 kB", "3.0 MB" (powers of 1,000). Returns buffer. */
const char *value_size_text(uint64_t size, char *buffer, size_t capacity);

/* How bytes in hexadecimal are read. */
enum hex_result { HEX_OK, HEX_NOT_HEX, HEX_ODD, HEX_TOO_LONG };

/* Pairs of hexadecimal digits; white space and colons between digits and a leading "0x" are skipped. Appends to buffer
 * at *size, which grows. */
enum hex_result value_hex(const char *text, size_t text_size, uint8_t *buffer, size_t capacity, size_t *size);

/* What is wrong, as the end of a sentence. */
const char *value_hex_text(enum hex_result result);

#endif
