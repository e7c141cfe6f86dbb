/* Concise problem details: what a server says of an error, as CBOR. The writer makes the one deterministic form (RFC
 * 8949 4.2.1); the reader takes any well-formed one and passes over what it does not know. It keeps nothing but
 * positions, so its work and its stack are bounded by the bytes and by NESTING_MAX. RFC 9290, RFC 8949 section 3. */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "copal/message.h"
#include "message/utf8.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

/* Standard Problem Detail keys are negative: the argument n stands for -1 - n. */
enum { KEY_TITLE = 0, KEY_DETAIL = 1, KEY_CODE = 3, KEY_OPTIONS = 7 };

enum { TAG_LANGUAGE = 38, INFO_INDEFINITE = 31, BREAK = 0xff, NESTING_MAX = 16 };

/* What is written stays within an int. */
enum { TEXT_SIZE_MAX = INT_MAX / 4 };

/* --- Writing ------------------------------------------------------------------------------------ */

struct sink {
  uint8_t *at; /* NULL: count only */
  size_t capacity, size;
};

static void put(struct sink *sink, const void *data, size_t size) {
  if (sink->at != NULL && sink->size <= sink->capacity && size <= sink->capacity - sink->size)
    memcpy(sink->at + sink->size, data, size);
  sink->size += size;
}

/* RFC 8949 4.2.1: "Preferred serialization MUST be used", which is the shortest. */
static void put_head(struct sink *sink, enum major major, uint32_t argument) {
  uint8_t head[5];
  int size = argument < 24 ? 0 : argument <= UINT8_MAX ? 1 : argument <= UINT16_MAX ? 2 : 4;
  static const uint8_t infos[] = {[1] = 24, [2] = 25, [4] = 26};
  head[0] = (uint8_t)((unsigned)major << 5 | (size == 0 ? (unsigned)argument : infos[size]));
  for (int i = size; i > 0; --i, argument >>= 8) head[i] = (uint8_t)argument;
  put(sink, head, (size_t)size + 1);
}

static void put_text(struct sink *sink, uint32_t key, copal_bytes text) {
  if (text.size == 0) return;
  put_head(sink, NEGATIVE, key);
  put_head(sink, TEXT, (uint32_t)text.size);
  put(sink, text.data, text.size);
}

/* RFC 9290 3.1.1: "one-or-more<T> = T / [ 2* T ]". */
static void put_options(struct sink *sink, const copal_problem *problem) {
  if (problem->options_count == 0) return;
  put_head(sink, NEGATIVE, KEY_OPTIONS);
  if (problem->options_count > 1) put_head(sink, ARRAY, problem->options_count);
  for (unsigned i = 0; i < problem->options_count; ++i) put_head(sink, UNSIGNED, problem->options[i]);
}

int copal_problem_write(const copal_problem *problem, void *buffer, size_t capacity) {
  assert(problem->options_count <= COPAL_PROBLEM_OPTIONS_MAX);
  if (problem->title.size > TEXT_SIZE_MAX || problem->detail.size > TEXT_SIZE_MAX) return COPAL_ERR_SPACE;
  /* RFC 8949 3.1: a text string is "encoded as UTF-8". */
  copal_bytes title = {problem->title.data, utf8_valid_size(problem->title.data, problem->title.size)};
  copal_bytes detail = {problem->detail.data, utf8_valid_size(problem->detail.data, problem->detail.size)};
  uint32_t count = (uint32_t)(title.size > 0) + (detail.size > 0) + (problem->code > 0) + (problem->options_count > 0);
  struct sink sink = {.at = buffer, .capacity = capacity};
  if (count == 0) return 0; /* RFC 9290 2: "non-empty" */
  put_head(&sink, MAP, count);
  put_text(&sink, KEY_TITLE, title);
  put_text(&sink, KEY_DETAIL, detail);
  if (problem->code > 0) {
    put_head(&sink, NEGATIVE, KEY_CODE);
    put_head(&sink, UNSIGNED, problem->code);
  }
  put_options(&sink, problem);
  if (buffer != NULL && sink.size > capacity) return COPAL_ERR_SPACE;
  return (int)sink.size;
}

/* --- Reading ------------------------------------------------------------------------------------ */

struct cursor {
  const uint8_t *at, *end;
};

struct head {
  uint64_t argument;
  uint8_t major;
  bool indefinite;
};

static size_t left(const struct cursor *cursor) { return (size_t)(cursor->end - cursor->at); }

static bool take_head(struct cursor *cursor, struct head *head) {
  if (left(cursor) == 0) return false;
  uint8_t first = *cursor->at++, info = first & 31;
  *head = (struct head){.argument = info, .major = first >> 5, .indefinite = info == INFO_INDEFINITE};
  if (info < 24) return true;
  /* RFC 8949 3: additional information 28 to 30 is reserved; 3.2: 31 is for strings, arrays and maps. */
  if (info == INFO_INDEFINITE) return head->major >= BYTES && head->major <= MAP;
  if (info > 27) return false;
  size_t size = (size_t)1 << (info - 24);
  if (left(cursor) < size) return false;
  head->argument = 0;
  for (size_t i = 0; i < size; ++i) head->argument = head->argument << 8 | *cursor->at++;
  /* RFC 8949 3.3: a simple value below 32 in two bytes is "not well-formed". */
  return head->major != SIMPLE || info > 24 || head->argument >= 32;
}

static bool take_break(struct cursor *cursor) {
  if (left(cursor) == 0 || *cursor->at != BREAK) return false;
  ++cursor->at;
  return true;
}

static bool take_bytes(struct cursor *cursor, uint64_t size, copal_bytes *bytes) {
  if (size > left(cursor)) return false;
  *bytes = (copal_bytes){cursor->at, (size_t)size};
  cursor->at += size;
  return true;
}

/* RFC 8949 3.2.3: the chunks are definite-length strings of the same type. */
static bool skip_string(struct cursor *cursor, const struct head *head) {
  copal_bytes bytes;
  if (!head->indefinite) return take_bytes(cursor, head->argument, &bytes);
  while (!take_break(cursor)) {
    struct head chunk;
    if (!take_head(cursor, &chunk) || chunk.major != head->major || chunk.indefinite) return false;
    if (!take_bytes(cursor, chunk.argument, &bytes)) return false;
  }
  return true;
}

/* Of an array, a map or a tag that is being passed over: the items that are still to come. */
struct level {
  uint64_t left;
  bool in_pairs, indefinite;
};

static bool is_over(struct cursor *cursor, const struct level *level) {
  if (!level->indefinite) return level->left == 0;
  /* RFC 8949 3.2.2: "If the "break" stop code appears after a key in a map, in place of that key's value, the map is
   * not well-formed." */
  return (!level->in_pairs || level->left % 2 == 0) && take_break(cursor);
}

/* Each item has a byte at least: a count that promises more than there is, is none. */
static bool open_level(const struct cursor *cursor, const struct head *head, struct level *level) {
  uint64_t count = head->major == TAG ? 1 : head->argument;
  if (!head->indefinite && count > left(cursor)) return false;
  level->in_pairs = head->major == MAP;
  level->indefinite = head->indefinite;
  level->left = head->indefinite ? UINT64_MAX - 1 : level->in_pairs ? 2 * count : count;
  return true;
}

/* One item, which lies depth levels deep. */
static bool skip(struct cursor *cursor, int depth) {
  struct level levels[NESTING_MAX + 2] = {{.left = 1}};
  for (int top = 0; top >= 0;) {
    struct level *level = &levels[top];
    struct head head;
    if (is_over(cursor, level)) {
      --top;
      continue;
    }
    if (depth + top > NESTING_MAX || !take_head(cursor, &head)) return false;
    --level->left;
    switch ((enum major)head.major) {
      case UNSIGNED:
      case NEGATIVE:
      case SIMPLE: break;
      case BYTES:
      case TEXT:
        if (!skip_string(cursor, &head)) return false;
        break;
      case ARRAY:
      case MAP:
      case TAG:
        if (!open_level(cursor, &head, &levels[++top])) return false;
        break;
    }
  }
  return true;
}

/* The head of an item that was passed over before: it is known to be well-formed. */
static struct head head_again(struct cursor *cursor) {
  struct head head;
  bool taken = take_head(cursor, &head);
  assert(taken);
  (void)taken;
  return head;
}

/* A text, plain or with its language (RFC 9290 appendix A: [language, text, ? direction]); empty for anything else. */
static copal_bytes text_at(struct cursor cursor) {
  copal_bytes none = {NULL, 0};
  struct head head = head_again(&cursor);
  if (head.major == TAG && head.argument == TAG_LANGUAGE) {
    head = head_again(&cursor);
    if (head.major != ARRAY || (!head.indefinite && head.argument < 2)) return none;
    /* An indefinite array may end before either. */
    if (!skip(&cursor, 0) || !take_head(&cursor, &head)) return none;
  }
  if (head.major != TEXT || head.indefinite) return none;
  copal_bytes text = {cursor.at, (size_t)head.argument};
  return utf8_valid(text.data, text.size) ? text : none;
}

static uint64_t number_at(struct cursor cursor, uint64_t max) {
  struct head head;
  return take_head(&cursor, &head) && head.major == UNSIGNED && head.argument <= max ? head.argument : 0;
}

static void note_options(struct cursor cursor, copal_problem *problem) {
  struct cursor first = cursor;
  struct head head = head_again(&cursor);
  uint64_t count = 1;
  if (head.major != ARRAY)
    cursor = first;
  else
    count = head.indefinite ? COPAL_PROBLEM_OPTIONS_MAX : head.argument;
  for (uint64_t i = 0; i < count && problem->options_count < COPAL_PROBLEM_OPTIONS_MAX; ++i) {
    uint64_t number = number_at(cursor, UINT16_MAX);
    if (!skip(&cursor, 0)) return;
    if (number > 0) problem->options[problem->options_count++] = (uint16_t)number;
  }
}

static void note_entry(uint64_t key, struct cursor value, copal_problem *problem) {
  if (key == KEY_TITLE && problem->title.size == 0) problem->title = text_at(value);
  if (key == KEY_DETAIL && problem->detail.size == 0) problem->detail = text_at(value);
  if (key == KEY_CODE && problem->code == 0) problem->code = (uint8_t)number_at(value, UINT8_MAX);
  if (key == KEY_OPTIONS && problem->options_count == 0) note_options(value, problem);
}

/* RFC 9290 3: "Consumers of a Concise Problem Details data item MUST ignore any Standard Problem Detail entries or
 * Custom Problem Detail entries, or keys inside the Custom Problem Detail entries, that they do not recognize". */
static bool read_entries(struct cursor *cursor, const struct head *map, copal_problem *problem) {
  for (uint64_t i = 0; map->indefinite || i < map->argument; ++i) {
    if (map->indefinite && take_break(cursor)) return true;
    struct cursor at = *cursor;
    struct head key;
    bool standard = take_head(&at, &key) && key.major == NEGATIVE;
    if (!skip(cursor, 1)) return false;
    at = *cursor;
    if (!skip(cursor, 1)) return false;
    if (standard) note_entry(key.argument, at, problem);
  }
  return true;
}

bool copal_problem_read(copal_bytes payload, copal_problem *problem) {
  *problem = (copal_problem){0};
  if (payload.size == 0) return false;
  struct cursor cursor = {payload.data, payload.data + payload.size};
  struct head map;
  copal_problem found = {0};
  if (!take_head(&cursor, &map) || map.major != MAP) return false;
  if (!read_entries(&cursor, &map, &found) || cursor.at != cursor.end) return false;
  *problem = found;
  return true;
}
