/* Any text as a value that people type: numbers, durations, factors, hexadecimal, base64, names of formats and options,
 * lines that change the plugtests' resources. Each is read a second time here, as plainly as can be, or written and
 * read again; both must say the same. */
#undef NDEBUG
#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "cli/data/base64.h"
#include "cli/data/json_reader.h"
#include "cli/data/number.h"
#include "cli/data/utf8.h"
#include "cli/line/formats.h"
#include "cli/line/suggest.h"
#include "cli/line/value.h"
#include "cli/serve/action.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 512, UNTOUCHED = 77 };

/* --- Numbers ---------------------------------------------------------------------------------------------- */

/* Digits, and nothing else. */
static bool is_number(const char *text, bool hexadecimal) {
  if (*text == '\0') return false;
  for (; *text != '\0'; ++text)
    if (hexadecimal ? !isxdigit((unsigned char)*text) : !isdigit((unsigned char)*text)) return false;
  return true;
}

static void fuzz_number(const char *text) {
  static const uint32_t limits[] = {0, 9, 255, 65535, UINT32_MAX};
  bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const char *digits = text + (hexadecimal ? 2 : 0);
  double expected = is_number(digits, hexadecimal) ? strtod(hexadecimal ? text : digits, NULL) : -1;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
    uint32_t value = UNTOUCHED;
    bool good = value_number(text, limits[i], &value);
    assert(good == (expected >= 0 && expected <= limits[i]));
    if (good) assert((double)value >= expected && (double)value <= expected);
    if (!good) assert(value == UNTOUCHED);
  }
}

/* Digits with at most one point among them, one digit at least; returns where they end, or NULL. */
static const char *skip_decimal(const char *text) {
  size_t digits = 0, points = 0;
  for (; isdigit((unsigned char)*text) || (*text == '.' && points == 0); ++text) *text == '.' ? ++points : ++digits;
  return digits > 0 ? text : NULL;
}

static void fuzz_duration(const char *text) {
  copal_time value = UNTOUCHED;
  bool good = value_duration(text, &value);
  const char *end = skip_decimal(text);
  bool in_ms = end != NULL && strcmp(end, "ms") == 0;
  bool plain = end != NULL && (*end == '\0' || strcmp(end, "s") == 0 || in_ms);
  long double seconds = plain ? strtold(text, NULL) / (in_ms ? 1000 : 1) : -1;
  if (!plain) assert(!good);
  if (!good) assert(value == UNTOUCHED && (seconds < 0 || seconds >= 1e9L));
  if (!good) return;
  assert(seconds < 1e9L + 1 && fabsl((long double)value / 1e9L - seconds) < 2e-6L);
  char shown[40];
  assert(strlen(value_duration_text(value, shown, sizeof shown)) < sizeof shown - 1);
}

static void fuzz_permille(const char *text) {
  uint32_t value = UNTOUCHED;
  bool good = value_permille(text, 4000, &value);
  const char *end = skip_decimal(text);
  bool plain = end != NULL && *end == '\0';
  double factor = plain ? strtod(text, NULL) : -1;
  if (!plain) assert(!good);
  if (!good) assert(value == UNTOUCHED && (!plain || factor > 3.9999));
  if (good) assert(fabs(value / 1000.0 - factor) < 0.00101);
}

/* --- Bytes ------------------------------------------------------------------------------------------------ */

static void fuzz_hex(const char *text, size_t size) {
  static const char digits[] = "0123456789abcdef";
  uint8_t room[TEXT_MAX], plain[TEXT_MAX];
  size_t count = 0, expected = 0, at = 0;
  int high = -1;
  bool is_hex = true;
  enum hex_result result = value_hex(text, size, room, sizeof room, &count);
  while (at < size && (isspace((unsigned char)text[at]) || text[at] == ':')) ++at;
  if (size - at >= 2 && text[at] == '0' && tolower((unsigned char)text[at + 1]) == 'x') at += 2;
  for (; at < size && is_hex; ++at) {
    if (isspace((unsigned char)text[at]) || text[at] == ':') continue;
    const char *digit = memchr(digits, tolower((unsigned char)text[at]), 16);
    is_hex = digit != NULL;
    if (!is_hex) break;
    if (high >= 0) plain[expected++] = (uint8_t)(high << 4 | (int)(digit - digits));
    high = high >= 0 ? -1 : (int)(digit - digits);
  }
  assert(result == (!is_hex ? HEX_NOT_HEX : high >= 0 ? HEX_ODD : HEX_OK));
  assert(count == expected && memcmp(room, plain, count) == 0);
  if (count == 0) return;
  /* One byte less than there is: nothing is written behind it. */
  uint8_t *exact = exact_copy(room, count - 1);
  size_t less = 0;
  assert(value_hex(text, size, exact, count - 1, &less) != HEX_OK && less <= count - 1);
  free(exact);
}

static void fuzz_base64(const char *text, size_t size) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint8_t *bytes = exact_copy(text, size); /* it is read into its own place */
  size_t count = 0;
  bool good = base64_read((copal_bytes){bytes, size}, bytes, &count);
  assert(count <= size);
  if (good) {
    /* Written again it is the same text: there is one for all bytes. */
    assert((count * 8 + 5) / 6 == size);
    for (size_t i = 0; i < size; ++i) {
      unsigned bits = 0;
      for (size_t bit = i * 6; bit < i * 6 + 6; ++bit)
        bits = bits << 1 | (bit / 8 < count ? (unsigned)bytes[bit / 8] >> (7 - bit % 8) & 1u : 0);
      assert(text[i] == digits[bits]);
    }
  }
  free(bytes);
}

static void fuzz_utf8(const uint8_t *data, size_t size) {
  bool good = true;
  for (size_t at = 0; at < size;) {
    size_t length = utf8_size(data + at, size - at);
    if (length == 0) {
      good = false;
      break;
    }
    uint32_t character = length == 1 ? data[at] : data[at] & (0x7fu >> length);
    for (size_t i = 1; i < length; ++i) character = character << 6 | (data[at + i] & 0x3f);
    uint8_t again[4];
    assert(character <= 0x10ffff && (character < 0xd800 || character > 0xdfff));
    assert(utf8_write(again, character) == length && memcmp(again, data + at, length) == 0);
    at += length;
  }
  assert(utf8_check((copal_bytes){data, size}) == good);
}

/* --- Numbers and strings of JSON -------------------------------------------------------------------------- */

static void fuzz_json(const uint8_t *data, size_t size) {
  struct json_reader reader;
  json_reader_begin(&reader, (copal_bytes){data, size});
  for (;;) {
    struct json_token token = json_reader_next(&reader);
    if (token.kind == JSON_END || token.kind == JSON_WRONG) return;
    assert(token.text.data >= data && token.text.data + token.text.size <= data + size);
    double number, again;
    if (token.kind == JSON_NUMBER && number_read(token.text, &number)) {
      char shown[NUMBER_TEXT_MAX];
      number_text(number, token.text.size % 2 == 0, shown);
      assert(strlen(shown) < NUMBER_TEXT_MAX);
      assert(number_read((copal_bytes){(const uint8_t *)shown, strlen(shown)}, &again));
      assert(number >= again && number <= again && signbit(number) == signbit(again));
    }
    if (token.kind != JSON_KEY && token.kind != JSON_STRING) continue;
    uint8_t *text = exact_copy(token.text.data, token.text.size);
    size_t text_size = 0;
    if (json_reader_unescape(token.text, text, &text_size)) {
      assert(text_size <= token.text.size && utf8_check((copal_bytes){text, text_size}));
    }
    free(text);
  }
}

/* --- Names ------------------------------------------------------------------------------------------------ */

static void fuzz_names(const char *text) {
  char buffer[FORMAT_NAME_MAX];
  int format = copal_content_format_by_name(text);
  assert(format >= 0 ? format < COPAL_FORMAT_NONE : format == COPAL_ERR_NOT_FOUND);
  const char *near = format_near(text, buffer);
  if (near != NULL) assert(strlen(near) < sizeof buffer && copal_content_format_by_name(near) >= 0);
  const copal_option_info *info = copal_option_by_name(text);
  if (info != NULL) assert(copal_option_by_number(info->number) == info);
  /* Longer names are not compared. */
  assert(suggest_distance(text, text) == (strlen(text) > 32 ? strlen(text) : 0));
  assert(suggest_distance(text, "") == suggest_distance("", text));
  assert(suggest_distance(text, "content-format") == suggest_distance("content-format", text));
}

static void fuzz_actions(copal_bytes text) {
  copal_bytes line, rest = text;
  while (action_next_line(&rest, &line)) {
    struct action action;
    char error[200] = "";
    assert(line.size > 0 && line.data >= text.data && line.data + line.size <= text.data + text.size);
    if (!action_parse(line, &action, error, sizeof error)) {
      assert(error[0] != '\0');
      continue;
    }
    assert(action.kind < ACTION_KINDS);
    if (action.kind == ACTION_SET && action.text.size > 0)
      assert(action.text.data >= line.data && action.text.data + action.text.size <= line.data + line.size);
    if (action.kind >= ACTION_SET && action.kind <= ACTION_RESET)
      assert(memchr(action.resource, '\0', sizeof action.resource) != NULL);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size >= TEXT_MAX) return 0;
  uint8_t *copy = exact_copy(data, size);
  char *text = (char *)malloc(size + 1);
  assert(text != NULL);
  if (size > 0) memcpy(text, data, size);
  text[size] = '\0';
  fuzz_number(text);
  fuzz_duration(text);
  fuzz_permille(text);
  fuzz_names(text);
  fuzz_hex((const char *)copy, size);
  fuzz_base64((const char *)copy, size);
  fuzz_utf8(copy, size);
  fuzz_json(copy, size);
  fuzz_actions((copal_bytes){copy, size});
  free(text);
  free(copy);
  return 0;
}
