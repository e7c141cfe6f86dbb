/* A number found in a body. Knows no format but text: what is JSON is seen by its quotation marks.
 *
 * Numbers are those of RFC 8259 6, and may begin with "+" or ".", as sensors write them. */
#include "cli/observe/reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 63 };

static size_t skip_string(copal_bytes body, size_t at);
static bool names_the_value(copal_bytes name);
static bool is_blank(uint8_t character);
static bool is_digit(uint8_t character);
static bool is_of_a_word(uint8_t character);
static size_t number_at(copal_bytes body, size_t at, double *value);

bool reading_of(copal_bytes body, double *value) {
  bool found = false, wanted = false, in_word = false;
  for (size_t at = 0; at < body.size;) {
    uint8_t character = body.data[at];
    if (character == '"') {
      size_t end = skip_string(body, at);
      wanted = names_the_value((copal_bytes){body.data + at, end - at});
      in_word = false;
      at = end;
      continue;
    }
    double number;
    size_t size = in_word ? 0 : number_at(body, at, &number);
    if (size > 0 && (wanted || !found)) {
      *value = number;
      found = true;
      if (wanted) return true;
    }
    bool goes_on = is_blank(character) || character == ':';
    if (!goes_on) wanted = false;
    in_word = size > 0 || is_of_a_word(character);
    at += size > 0 ? size : 1;
  }
  return found;
}

/* Behind the string that begins at `at`. */
static size_t skip_string(copal_bytes body, size_t at) {
  for (++at; at < body.size && body.data[at] != '"'; ++at) {
    if (body.data[at] == '\\') ++at;
  }
  return at < body.size ? at + 1 : body.size;
}

static bool names_the_value(copal_bytes name) {
  static const char *const names[] = {"\"v\"", "\"value\""};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    if (name.size == strlen(names[i]) && memcmp(name.data, names[i], name.size) == 0) return true;
  }
  return false;
}

static bool is_blank(uint8_t character) { return character == ' ' || (character >= '\t' && character <= '\r'); }

static bool is_digit(uint8_t character) { return character >= '0' && character <= '9'; }

/* The 2 of "sensor2" and of "1.5.2" is no number. */
static bool is_of_a_word(uint8_t character) {
  bool is_letter = (character | 0x20) >= 'a' && (character | 0x20) <= 'z';
  return is_letter || is_digit(character) || character == '_' || character == '.';
}

/* How long the number is that begins there; 0 for none. */
static size_t number_at(copal_bytes body, size_t at, double *value) {
  char text[DIGITS_MAX + 1];
  size_t size = 0, digits = 0, left = body.size - at < DIGITS_MAX ? body.size - at : DIGITS_MAX;
  const uint8_t *from = body.data + at;
  if (size < left && (from[size] == '-' || from[size] == '+')) ++size;
  for (; size < left && is_digit(from[size]); ++size) ++digits;
  if (size < left && from[size] == '.') ++size;
  for (; size < left && is_digit(from[size]); ++size) ++digits;
  if (digits == 0) return 0;
  size_t exponent = size;
  if (exponent < left && (from[exponent] | 0x20) == 'e') ++exponent;
  if (exponent > size && exponent < left && (from[exponent] == '-' || from[exponent] == '+')) ++exponent;
  if (exponent > size && exponent < left && is_digit(from[exponent])) {
    for (size = exponent; size < left && is_digit(from[size]);) ++size;
  }
  memcpy(text, from, size);
  text[size] = '\0';
  /* The locale is C's: nobody has set another. */
  *value = strtod(text, NULL);
  return isfinite(*value) ? size : 0;
}
