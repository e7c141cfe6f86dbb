/* Any bytes as a body of any format that is shown: the first byte chooses it. What people get is text that moves no
 * cursor, what programs get is JSON; JSON says the same indented and compact, and as CBOR is well-formed. */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data/cbor_walk.h"
#include "cli/data/json_reader.h"
#include "cli/data/json_to_cbor.h"
#include "cli/show/body.h"
#include "cli/show/pretty_json.h"
#include "cli/show/terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A stream into memory, and what was written there. */
struct paper {
  FILE *stream;
  char *text;
  size_t size;
};

static void begin(struct paper *paper) {
  paper->text = NULL;
  paper->stream = open_memstream(&paper->text, &paper->size);
  assert(paper->stream != NULL);
}

static copal_bytes end(struct paper *paper) {
  int result = fclose(paper->stream);
  assert(result == 0);
  return (copal_bytes){(const uint8_t *)paper->text, paper->size};
}

static void fuzz_people(copal_bytes body, uint32_t format) {
  struct paper paper;
  begin(&paper);
  body_print(paper.stream, body, format);
  copal_bytes shown = end(&paper);
  assert(terminal_is_text(shown));
  assert(shown.size == 0 || memchr(shown.data, '\r', shown.size) == NULL);
  /* Nothing is shown of a list without links, be there blanks. */
  assert(shown.size == 0 || shown.data[shown.size - 1] == '\n');
  free(paper.text);
}

static void fuzz_programs(copal_bytes body, uint32_t format) {
  struct paper paper;
  struct json json;
  begin(&paper);
  json_begin(&json, paper.stream);
  body_json(&json, body, format);
  json_end(&json);
  copal_bytes line = end(&paper);
  const char *wrong;
  /* A body may nest as deep as is read; here it is one level deeper. */
  bool good = json_reader_check(line, &wrong, NULL) || strstr(wrong, "nests") != NULL;
  assert(good);
  assert(memchr(line.data, '\n', line.size - 1) == NULL);
  free(paper.text);
}

static void fuzz_json(copal_bytes text) {
  struct paper pretty, compact, again;
  if (!json_reader_check(text, NULL, NULL)) return;
  begin(&pretty);
  pretty_json(pretty.stream, text);
  begin(&compact);
  compact_json(compact.stream, text);
  copal_bytes one = end(&compact), lines = end(&pretty);
  assert(json_reader_check(lines, NULL, NULL));
  begin(&again);
  compact_json(again.stream, lines);
  copal_bytes other = end(&again);
  assert(one.size == other.size && memcmp(one.data, other.data, one.size) == 0);

  /* Nothing in CBOR is longer than in JSON but numbers: at most nine bytes for two. */
  size_t capacity = 9 * text.size + 9;
  struct cbor_writer writer = {malloc(capacity), capacity, 0, false};
  assert(writer.buffer != NULL);
  const char *wrong = json_to_cbor(text, text.size % 2 != 0, &writer);
  if (wrong == NULL) assert(cbor_walk_check((copal_bytes){writer.buffer, writer.size}, false, &wrong));
  free(writer.buffer);
  free(pretty.text);
  free(compact.text);
  free(again.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* "0" to "7" in the corpus. */
  static const uint32_t formats[] = {COPAL_FORMAT_NONE, COPAL_LINK_FORMAT, COPAL_JSON, COPAL_CBOR, 63, 110, 112,
                                     COPAL_TEXT_PLAIN};
  if (size == 0) return 0;
  terminal_setup(COLOR_NEVER);
  copal_bytes body = {data + 1, size - 1};
  uint32_t format = formats[data[0] % 8];
  fuzz_people(body, format);
  fuzz_programs(body, format);
  if (format == COPAL_JSON) fuzz_json(body);
  return 0;
}
