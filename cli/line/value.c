/* Values as people type and read them: numbers, durations, sizes, bytes in hexadecimal. Pure: knows no options and
 * no output.
 *
 * strtoul and strtod are not used: they accept signs, blanks and locales, and say too little of overflow. */
#include "cli/line/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SECONDS_MAX = 1000000000 };

static int digit_of(char character);
static bool is_separator(char character);

bool value_number(const char *text, uint32_t limit, uint32_t *value) {
  uint32_t base = 10;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text += 2;
  }
  if (*text == '\0') return false;
  uint64_t sum = 0;
  for (; *text != '\0'; ++text) {
    int digit = digit_of(*text);
    if (digit < 0 || (uint32_t)digit >= base) return false;
    sum = sum * base + (uint32_t)digit;
    if (sum > limit) return false;
  }
  *value = (uint32_t)sum;
  return true;
}

bool value_duration(const char *text, copal_time *value) {
  uint64_t whole = 0, fraction = 0, fraction_unit = COPAL_SECOND;
  size_t digits = 0;
  for (; *text >= '0' && *text <= '9'; ++text, ++digits) {
    whole = whole * 10 + (uint64_t)(*text - '0');
    if (whole > (uint64_t)SECONDS_MAX * 1000) return false;
  }
  if (*text == '.') {
    /* Digits below a nanosecond are read and dropped. */
    for (++text; *text >= '0' && *text <= '9'; ++text, ++digits) {
      fraction_unit /= 10;
      fraction += (uint64_t)(*text - '0') * fraction_unit;
    }
  }
  if (digits == 0) return false;
  if (strcmp(text, "ms") == 0) {
    *value = whole * COPAL_MILLISECOND + fraction / 1000;
    return true;
  }
  if (*text != '\0' && strcmp(text, "s") != 0) return false;
  if (whole > SECONDS_MAX) return false;
  *value = whole * COPAL_SECOND + fraction;
  return true;
}

bool value_permille(const char *text, uint32_t limit, uint32_t *value) {
  uint64_t whole = 0, unit = 1000;
  size_t digits = 0;
  for (; *text >= '0' && *text <= '9'; ++text, ++digits) {
    whole = whole * 10 + (uint64_t)(*text - '0') * 1000;
    if (whole > limit) return false;
  }
  if (*text == '.') {
    for (++text; *text >= '0' && *text <= '9'; ++text, ++digits) {
      unit /= 10;
      whole += (uint64_t)(*text - '0') * unit;
    }
  }
  if (digits == 0 || *text != '\0' || whole > limit) return false;
  *value = (uint32_t)whole;
  return true;
}

const char *value_duration_text(copal_time duration, char *buffer, size_t capacity) {
  if (duration < COPAL_MILLISECOND) {
    snprintf(buffer, capacity, "%" PRIu64 " us", duration / COPAL_MICROSECOND);
  } else if (duration < COPAL_SECOND) {
    snprintf(buffer, capacity, "%.1f ms", (double)duration / (double)COPAL_MILLISECOND);
  } else {
    snprintf(buffer, capacity, "%.1f s", (double)duration / (double)COPAL_SECOND);
  }
  return buffer;
}

const char *value_size_text(uint64_t size, char *buffer, size_t capacity) {
  static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (size < 1000) {
    snprintf(buffer, capacity, "%u B", (unsigned)size);
    return buffer;
  }
  size_t unit = 0;
  double amount = (double)size / 1000.0;
  /* Not "1000.0 kB", which is what 999,960 bytes would round to. */
  while (amount >= 999.95) {
    amount /= 1000.0;
    ++unit;
  }
  snprintf(buffer, capacity, "%.1f %s", amount, units[unit]);
  return buffer;
}

enum hex_result value_hex(const char *text, size_t text_size, uint8_t *buffer, size_t capacity, size_t *size) {
  int high = -1;
  size_t at = 0;
  while (at < text_size && is_separator(text[at])) ++at;
  if (text_size - at >= 2 && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X')) at += 2;
  for (; at < text_size; ++at) {
    if (is_separator(text[at])) continue;
    int digit = digit_of(text[at]);
    if (digit < 0) return HEX_NOT_HEX;
    if (high < 0) {
      high = digit;
      continue;
    }
    if (*size == capacity) return HEX_TOO_LONG;
    buffer[(*size)++] = (uint8_t)(high << 4 | digit);
    high = -1;
  }
  return high < 0 ? HEX_OK : HEX_ODD;
}

const char *value_hex_text(enum hex_result result) {
  switch (result) {
    case HEX_OK: return "is fine";
    case HEX_NOT_HEX: return "has a character that is not a hexadecimal digit";
    case HEX_ODD: return "has an odd number of hexadecimal digits";
    case HEX_TOO_LONG: return "is too long";
  }
  return "is not hexadecimal";
}

static int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

static bool is_separator(char character) {
  return character == ':' || character == ' ' || (character >= '\t' && character <= '\r');
}
