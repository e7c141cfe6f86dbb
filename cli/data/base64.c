/* Base64 with the URL-safe alphabet, as it is read. RFC 4648 section 5. */
#include "cli/data/base64.h"

#include <string.h>

bool base64_read(copal_bytes text, uint8_t *buffer, size_t *size) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint32_t bits = 0;
  unsigned held = 0;
  size_t written = 0;
  for (size_t at = 0; at < text.size; ++at) {
    const char *digit = memchr(digits, text.data[at], sizeof digits - 1);
    if (digit == NULL) return false;
    bits = bits << 6 | (uint32_t)(digit - digits);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    buffer[written++] = (uint8_t)(bits >> held);
    bits &= (1u << held) - 1;
  }
  *size = written;
  /* A digit alone makes no byte, and bits that are left over are 0 (RFC 4648 3.5). */
  return held != 6 && bits == 0;
}
