/* Whether bytes are UTF-8. */
#ifndef COPAL_MESSAGE_UTF8_H
#define COPAL_MESSAGE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. No bytes at all are valid. */
bool utf8_valid(const uint8_t *bytes, size_t size);

/* How many bytes from the first on are. */
size_t utf8_valid_size(const uint8_t *bytes, size_t size);

#endif
