/* See wire.h. */
#include "plugtest/wire.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_same(const struct passed *a, const struct passed *b) {
  return a->outgoing == b->outgoing && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void wire_note(struct wire *wire, bool outgoing, bool lost, copal_time time, const void *bytes, size_t size) {
  assert_true(wire->count < WIRE_MAX);
  struct passed *passed = &wire->passed[wire->count];
  *passed = (struct passed){.outgoing = outgoing, .lost = lost, .time = time, .bytes = malloc(size), .size = size};
  memcpy(passed->bytes, bytes, size);
  assert_int_equal(copal_decode(passed->bytes, size, &passed->view), COPAL_OK);
  for (size_t i = 0; i < wire->count && !passed->again; ++i) passed->again = is_same(&wire->passed[i], passed);
  ++wire->count;
}

const struct passed *wire_next(struct wire *wire, bool again_wanted) {
  while (wire->looked_at < wire->count) {
    const struct passed *passed = &wire->passed[wire->looked_at++];
    if (!passed->by_hand && (again_wanted || !passed->again)) return passed;
  }
  return NULL;
}

void wire_words(const struct passed *passed, char *text, size_t capacity) {
  char words[WORDS_MAX];
  words_of(&passed->view, words, sizeof words);
  snprintf(text, capacity, "%s: %s%s%s", passed->outgoing ? "client" : "server", passed->again ? "again " : "", words,
           passed->lost ? " lost" : "");
}

void wire_clear(struct wire *wire) {
  for (size_t i = 0; i < wire->count; ++i) free(wire->passed[i].bytes);
  wire->count = wire->looked_at = 0;
}
