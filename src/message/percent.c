/* The character sets of RFC 3986 and percent-encoding, shared by the reader and the writer of URIs so that both mean
 * the same. It knows neither options nor messages. RFC 3986 sections 2 and 3, RFC 7252 6.5 steps 6 and 8. */
#include "message/percent.h"

#include <assert.h>
#include <limits.h>

static bool is_sub_delimiter(uint8_t byte);
static int decode_escape(copal_bytes text, size_t at);

bool component_allows(uri_component component, uint8_t byte) {
  if (is_unreserved(byte)) return true;
  switch (component) {
    case COMPONENT_HOST: return is_sub_delimiter(byte);
    case COMPONENT_SEGMENT: return is_sub_delimiter(byte) || byte == ':' || byte == '@';
    case COMPONENT_ARGUMENT:
      /* RFC 7252 6.5: "in the "sub-delims" set (except U+0026 AMPERSAND (&))": it separates arguments. */
      return (is_sub_delimiter(byte) && byte != '&') || byte == ':' || byte == '@' || byte == '/' || byte == '?';
  }
  return false;
}

copal_error percent_check(copal_bytes text, uri_component component, char separator) {
  for (size_t at = 0; at < text.size; ++at) {
    uint8_t byte = text.data[at];
    if (byte == '%') {
      if (decode_escape(text, at) < 0) return COPAL_ERR_URI_ESCAPE;
      at += 2;
    } else if (byte == 0 || (byte != (uint8_t)separator && !component_allows(component, byte))) {
      return COPAL_ERR_URI_SYNTAX;
    }
  }
  return COPAL_OK;
}

int percent_decode(copal_bytes text, bool lower, uint8_t *buffer, size_t capacity) {
  assert(capacity <= INT_MAX);
  size_t size = 0;
  for (size_t at = 0; at < text.size; ++at) {
    if (size == capacity) return COPAL_ERR_SPACE;
    if (text.data[at] == '%') {
      int byte = decode_escape(text, at);
      if (byte < 0) return COPAL_ERR_URI_ESCAPE;
      buffer[size++] = (uint8_t)byte;
      at += 2;
    } else {
      buffer[size++] = lower ? to_lower(text.data[at]) : text.data[at];
    }
  }
  return (int)size;
}

int hex_digit(uint8_t byte) {
  if (is_digit(byte)) return byte - '0';
  uint8_t letter = to_lower(byte);
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

/* RFC 3986 2.2. */
static bool is_sub_delimiter(uint8_t byte) {
  switch (byte) {
    case '!':
    case '$':
    case '&':
    case '\'':
    case '(':
    case ')':
    case '*':
    case '+':
    case ',':
    case ';':
    case '=': return true;
    default: return false;
  }
}

/* The byte that the "%" at that place and two digits stand for, or -1. */
static int decode_escape(copal_bytes text, size_t at) {
  if (text.size - at < 3) return -1;
  int high = hex_digit(text.data[at + 1]), low = hex_digit(text.data[at + 2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}
