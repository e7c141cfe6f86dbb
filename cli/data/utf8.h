/* UTF-8 (RFC 3629), character by character. Pure functions. */
#ifndef COPAL_CLI_DATA_UTF8_H
#define COPAL_CLI_DATA_UTF8_H

#include <stdbool.h>

#include "copal/message.h"

/* Bytes of the character at `at`, 1 to 4, control characters too; 0 where none is. left is at least 1. */
size_t utf8_size(const uint8_t *at, size_t left);

/* Whether bytes are UTF-8 all through. */
bool utf8_check(copal_bytes bytes);

/* Writes a character of up to U+10FFFF, which takes up to 4 bytes; returns how many. */
size_t utf8_write(uint8_t *buffer, uint32_t character);

#endif
