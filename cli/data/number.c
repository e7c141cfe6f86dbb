/* Floating-point numbers as text, and back. Text is laid out as ECMAScript does it, which RFC 8949 appendix A follows.
 */
#include "cli/data/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_SIZE_MAX = 400, DIGITS_MAX = 17 };

static int shortest(double number, char *digits);
static void lay_out(const char *digits, int exponent, bool fraction, char *out, size_t capacity);

const char *number_text(double number, bool fraction, char *buffer) {
  if (!isfinite(number)) {
    snprintf(buffer, NUMBER_TEXT_MAX, "%s", isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
    return buffer;
  }
  char digits[DIGITS_MAX + 1];
  int exponent = shortest(fabs(number), digits);
  size_t sign = signbit(number) ? 1 : 0;
  buffer[0] = '-';
  lay_out(digits, exponent, fraction, buffer + sign, NUMBER_TEXT_MAX - sign);
  return buffer;
}

bool number_read(copal_bytes token, double *number) {
  char text[TOKEN_SIZE_MAX + 1];
  if (token.size > TOKEN_SIZE_MAX) return false;
  memcpy(text, token.data, token.size);
  text[token.size] = '\0';
  *number = strtod(text, NULL);
  return isfinite(*number);
}

/* The fewest digits, without zeros at their end; returns the exponent of the first one. */
static int shortest(double number, char *digits) {
  char text[DIGITS_MAX + 16];
  for (int precision = 0; precision < DIGITS_MAX; ++precision) {
    snprintf(text, sizeof text, "%.*e", precision, number);
    if (strtod(text, NULL) == number) break;
    /* Beside a power of two, numbers that read back as it are more above than below: printf finds the nearest only. */
    char *last = strchr(text, 'e') - 1;
    *last = (char)(*last + (*last < '9' ? 1 : 0));
    if (strtod(text, NULL) == number) break;
  }
  char *mark = strchr(text, 'e');
  size_t count = 0;
  for (const char *at = text; at < mark; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  while (count > 1 && digits[count - 1] == '0') --count;
  digits[count] = '\0';
  return (int)strtol(mark + 1, NULL, 10);
}

static void lay_out(const char *digits, int exponent, bool fraction, char *out, size_t capacity) {
  int count = (int)strlen(digits);
  const char *whole_end = fraction ? ".0" : "";
  if (exponent >= 21 || exponent < -6) {
    const char *point = count > 1 ? "." : whole_end;
    snprintf(out, capacity, "%c%s%se%+d", digits[0], point, digits + 1, exponent);
  } else if (exponent < 0) {
    snprintf(out, capacity, "0.%.*s%s", -exponent - 1, "000000", digits);
  } else if (exponent >= count - 1) {
    snprintf(out, capacity, "%s%.*s%s", digits, exponent - count + 1, "00000000000000000000", whole_end);
  } else {
    snprintf(out, capacity, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
  }
}
