/* What may stand in which part of a URI, and percent-encoding. RFC 3986 sections 2 and 3. */
#ifndef COPAL_MESSAGE_PERCENT_H
#define COPAL_MESSAGE_PERCENT_H

#include <stdbool.h>

#include "copal/message.h"

/* The parts of a URI that an option holds. */
typedef enum component {
  COMPONENT_HOST,    /* reg-name */
  COMPONENT_SEGMENT, /* of a path, between slashes */
  COMPONENT_ARGUMENT /* of a query, between ampersands */
} uri_component;

/* Whether a byte may stand as it is in such a component; if not, it must be percent-encoded. */
bool component_allows(uri_component component, uint8_t byte);

/* Whether text is made of what the component allows, separators and whole percent-encodings. COPAL_OK,
 * COPAL_ERR_URI_SYNTAX for a stray byte, COPAL_ERR_URI_ESCAPE for a broken percent-encoding. separator may be '\0' for
 * none: a NUL byte is never part of a URI. */
copal_error percent_check(copal_bytes text, uri_component component, char separator);

/* Copies text with its percent-encodings resolved. lower makes letters lower-case that were not encoded: RFC 7252 6.4
 * step 5 converts first and decodes then. Returns the size, COPAL_ERR_URI_ESCAPE, or COPAL_ERR_SPACE. */
COPAL_MUST_CHECK int percent_decode(copal_bytes text, bool lower, uint8_t *buffer, size_t capacity);

/* The value of a hexadecimal digit, or -1. */
int hex_digit(uint8_t byte);

static inline bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }
static inline bool is_upper(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }
static inline bool is_alpha(uint8_t byte) { return is_upper(byte) || (byte >= 'a' && byte <= 'z'); }
static inline uint8_t to_lower(uint8_t byte) { return is_upper(byte) ? (uint8_t)(byte | 0x20) : byte; }

/* RFC 3986 2.3. */
static inline bool is_unreserved(uint8_t byte) {
  return is_alpha(byte) || is_digit(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

#endif
