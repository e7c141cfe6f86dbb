/* JSON as it is read: a strict tokenizer that knows what may follow what. Allocates nothing, prints nothing. RFC 8259
 * sections 2 to 8. */
#include "cli/data/json_reader.h"

#include <assert.h>
#include <string.h>

#include "cli/data/utf8.h"

/* What may stand next. */
enum {
  EXPECTS_VALUE,
  EXPECTS_VALUE_OR_END, /* of an array that has just begun */
  EXPECTS_KEY,
  EXPECTS_KEY_OR_END, /* of an object that has just begun */
  EXPECTS_SEPARATOR,  /* a comma, or the end of the level */
  EXPECTS_NOTHING     /* the text is over, or wrong */
};

static void skip_blanks(struct json_reader *reader);
static struct json_token separated(struct json_reader *reader);
static struct json_token value(struct json_reader *reader);
static struct json_token key(struct json_reader *reader);
static struct json_token open(struct json_reader *reader);
static struct json_token close(struct json_reader *reader);
static struct json_token string(struct json_reader *reader);
static struct json_token number(struct json_reader *reader);
static struct json_token word(struct json_reader *reader, enum json_kind kind, const char *spelled);
static struct json_token take(struct json_reader *reader, enum json_kind kind, size_t size);
static struct json_token fail(struct json_reader *reader, const char *wrong);
static int peek(const struct json_reader *reader, size_t ahead);
static size_t digits(const struct json_reader *reader, size_t ahead);
static bool in_array(const struct json_reader *reader);
static size_t escape_size(const uint8_t *at, size_t left);
static size_t plain_size(const uint8_t *at, size_t left);
static uint32_t hex4(const uint8_t *at);

void json_reader_begin(struct json_reader *reader, copal_bytes text) {
  *reader = (struct json_reader){.text = text, .expects = EXPECTS_VALUE};
}

struct json_token json_reader_next(struct json_reader *reader) {
  if (reader->wrong != NULL) return take(reader, JSON_WRONG, 0);
  skip_blanks(reader);
  int next = peek(reader, 0);
  switch (reader->expects) {
    case EXPECTS_VALUE_OR_END: return next == ']' ? close(reader) : value(reader);
    case EXPECTS_KEY_OR_END: return next == '}' ? close(reader) : key(reader);
    case EXPECTS_KEY: return key(reader);
    case EXPECTS_SEPARATOR: return separated(reader);
    case EXPECTS_NOTHING: return next < 0 ? take(reader, JSON_END, 0) : fail(reader, "something stands behind the end");
    default: return value(reader);
  }
}

bool json_reader_check(copal_bytes text, const char **wrong, size_t *at) {
  struct json_reader reader;
  json_reader_begin(&reader, text);
  struct json_token token;
  do {
    token = json_reader_next(&reader);
  } while (token.kind != JSON_END && token.kind != JSON_WRONG);
  if (wrong != NULL) *wrong = reader.wrong;
  if (at != NULL) *at = reader.at;
  return token.kind == JSON_END;
}

bool json_reader_unescape(copal_bytes token, uint8_t *buffer, size_t *size) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  const uint8_t *at = token.data + 1, *end = token.data + token.size - 1;
  size_t written = 0;
  while (at < end) {
    if (at[0] != '\\') {
      buffer[written++] = *at++;
      continue;
    }
    const char *letter = memchr(letters, at[1], sizeof letters - 1);
    if (letter != NULL) {
      buffer[written++] = (uint8_t)meant[letter - letters];
      at += 2;
      continue;
    }
    uint32_t character = hex4(at + 2);
    at += 6;
    if (character >= 0xd800 && character <= 0xdfff) {
      /* RFC 8259 7: "the character is represented as a 12-character sequence, encoding the UTF-16 surrogate pair." */
      bool paired = character < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u';
      uint32_t low = paired ? hex4(at + 2) : 0;
      if (low < 0xdc00 || low > 0xdfff) return false;
      character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    written += utf8_write(buffer + written, character);
  }
  *size = written;
  return true;
}

static void skip_blanks(struct json_reader *reader) {
  while (reader->at < reader->text.size) {
    uint8_t byte = reader->text.data[reader->at];
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') return;
    ++reader->at;
  }
}

static struct json_token separated(struct json_reader *reader) {
  bool array = in_array(reader);
  int next = peek(reader, 0);
  if (next == (array ? ']' : '}')) return close(reader);
  if (next != ',') return fail(reader, array ? "a comma or ] is missing" : "a comma or } is missing");
  ++reader->at;
  skip_blanks(reader);
  return array ? value(reader) : key(reader);
}

static struct json_token value(struct json_reader *reader) {
  int next = peek(reader, 0);
  reader->expects = reader->depth > 0 ? EXPECTS_SEPARATOR : EXPECTS_NOTHING;
  if (next == '{' || next == '[') return open(reader);
  if (next == '"') return string(reader);
  if (next == '-' || (next >= '0' && next <= '9')) return number(reader);
  if (next == 't') return word(reader, JSON_TRUE, "true");
  if (next == 'f') return word(reader, JSON_FALSE, "false");
  if (next == 'n') return word(reader, JSON_NULL, "null");
  return fail(reader, "a value is missing");
}

static struct json_token key(struct json_reader *reader) {
  if (peek(reader, 0) != '"') return fail(reader, "a name in quotes is missing");
  struct json_token token = string(reader);
  if (token.kind == JSON_WRONG) return token;
  skip_blanks(reader);
  if (peek(reader, 0) != ':') return fail(reader, "a colon is missing");
  ++reader->at;
  reader->expects = EXPECTS_VALUE;
  token.kind = JSON_KEY;
  return token;
}

static struct json_token open(struct json_reader *reader) {
  bool array = peek(reader, 0) == '[';
  if (reader->depth == JSON_NESTING_MAX) return fail(reader, "it nests more than 64 deep");
  uint64_t bit = UINT64_C(1) << reader->depth++;
  reader->arrays = array ? reader->arrays | bit : reader->arrays & ~bit;
  reader->expects = array ? EXPECTS_VALUE_OR_END : EXPECTS_KEY_OR_END;
  return take(reader, array ? JSON_ARRAY_BEGIN : JSON_OBJECT_BEGIN, 1);
}

static struct json_token close(struct json_reader *reader) {
  enum json_kind kind = in_array(reader) ? JSON_ARRAY_END : JSON_OBJECT_END;
  --reader->depth;
  reader->expects = reader->depth > 0 ? EXPECTS_SEPARATOR : EXPECTS_NOTHING;
  return take(reader, kind, 1);
}

static struct json_token string(struct json_reader *reader) {
  const uint8_t *text = reader->text.data + reader->at;
  size_t left = reader->text.size - reader->at, size = 1;
  while (size < left && text[size] != '"') {
    bool escaped = text[size] == '\\';
    size_t step = escaped ? escape_size(text + size, left - size) : plain_size(text + size, left - size);
    if (step == 0) {
      bool control = text[size] < 0x20;
      reader->at += size;
      return fail(reader, escaped   ? "that is no escape"
                          : control ? "a control character stands in a string"
                                    : "that is not UTF-8");
    }
    size += step;
  }
  if (size < left) return take(reader, JSON_STRING, size + 1);
  reader->at += left;
  return fail(reader, "a quote is missing");
}

/* RFC 8259 6: number = [ minus ] int [ frac ] [ exp ] */
static struct json_token number(struct json_reader *reader) {
  size_t size = peek(reader, 0) == '-' ? 1 : 0;
  size_t whole = digits(reader, size);
  if (whole == 0) return fail(reader, "digits are missing");
  /* "Leading zeros are not allowed." */
  if (whole > 1 && peek(reader, size) == '0') return fail(reader, "a number begins with 0");
  size += whole;
  if (peek(reader, size) == '.') {
    size_t fraction = digits(reader, size + 1);
    if (fraction == 0) return fail(reader, "digits are missing");
    size += 1 + fraction;
  }
  if (peek(reader, size) == 'e' || peek(reader, size) == 'E') {
    ++size;
    if (peek(reader, size) == '+' || peek(reader, size) == '-') ++size;
    size_t exponent = digits(reader, size);
    if (exponent == 0) return fail(reader, "digits are missing");
    size += exponent;
  }
  return take(reader, JSON_NUMBER, size);
}

static struct json_token word(struct json_reader *reader, enum json_kind kind, const char *spelled) {
  size_t size = strlen(spelled), left = reader->text.size - reader->at;
  if (left >= size && memcmp(reader->text.data + reader->at, spelled, size) == 0) return take(reader, kind, size);
  return fail(reader, "a value is missing");
}

static struct json_token take(struct json_reader *reader, enum json_kind kind, size_t size) {
  struct json_token token = {kind, {NULL, size}};
  if (size > 0) token.text.data = reader->text.data + reader->at;
  reader->at += size;
  return token;
}

static struct json_token fail(struct json_reader *reader, const char *wrong) {
  reader->wrong = wrong;
  return take(reader, JSON_WRONG, 0);
}

/* The byte there, -1 behind the end. */
static int peek(const struct json_reader *reader, size_t ahead) {
  return ahead < reader->text.size - reader->at ? reader->text.data[reader->at + ahead] : -1;
}

static size_t digits(const struct json_reader *reader, size_t ahead) {
  size_t count = 0;
  while (peek(reader, ahead + count) >= '0' && peek(reader, ahead + count) <= '9') ++count;
  return count;
}

static bool in_array(const struct json_reader *reader) {
  assert(reader->depth > 0);
  return (reader->arrays >> (reader->depth - 1) & 1) != 0;
}

/* Bytes of the escape at `at`; 0 where there is none. */
static size_t escape_size(const uint8_t *at, size_t left) {
  static const char letters[] = "\"\\/bfnrt";
  if (left < 2) return 0;
  if (at[1] != 'u') return memchr(letters, at[1], sizeof letters - 1) != NULL ? 2 : 0;
  return left >= 6 && hex4(at + 2) <= 0xffff ? 6 : 0;
}

/* Bytes of the character at `at` that stands for itself in a string; 0 where there is none. RFC 8259 7: "All Unicode
 * characters may be placed within the quotation marks, except for the characters that MUST be escaped". */
static size_t plain_size(const uint8_t *at, size_t left) { return at[0] < 0x20 ? 0 : utf8_size(at, left); }

/* Above 0xffff where these are not four hexadecimal digits. */
static uint32_t hex4(const uint8_t *at) {
  uint32_t sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    uint32_t lower = at[i] | 0x20u;
    bool decimal = at[i] >= '0' && at[i] <= '9';
    if (!decimal && (lower < 'a' || lower > 'f')) return UINT32_MAX;
    sum = sum << 4 | (decimal ? at[i] - (uint32_t)'0' : lower - 'a' + 10);
  }
  return sum;
}
