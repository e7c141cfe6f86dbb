/* All datagrams of up to three bytes, and of up to 32 bytes every shape that the decoder can tell apart: it looks at
 * the first two bytes, at the head of each option and its extension, and at the payload marker, so these take all their
 * values, extensions those at their bounds, and each message is cut off at each byte. Everything else is filling, whose
 * bytes would be heads, markers and extensions if they were taken for any. Each input is compared with a second decoder
 * at both ends of a page (judge.h); how many there were is part of the test, and of docs/testing.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exhaustive/judge.h"

enum { SIZE_MAX_SHAPED = 32, HEADER = 4, DEPTH_MAX = 4, OPTIONS_MAX = 600 };

/* Values of one byte and of two bytes of extension: the least, the greatest, and what a sum can go wrong with. */
static const uint8_t bytes_at_bounds[] = {0, 1, 2, 0xff};
static const uint16_t words_at_bounds[] = {0, 1, 0x0100, 0xfefe, 0xffff};

enum { BYTES = sizeof bytes_at_bounds, WORDS = sizeof words_at_bounds / sizeof *words_at_bounds };

/* Which nibbles and how many of the extensions an option of a chain takes. */
struct alphabet {
  const uint8_t *nibbles;
  size_t nibbles_count, bytes_count, words_count;
};

static const uint8_t all_nibbles[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t many_nibbles[] = {0, 1, 2, 5, 12, 13, 14, 15};
static const uint8_t few_nibbles[] = {0, 1, 12, 13, 14, 15};

static const struct alphabet all = {all_nibbles, sizeof all_nibbles, BYTES, WORDS};
static const struct alphabet many = {many_nibbles, sizeof many_nibbles, 3, 4};
static const struct alphabet few = {few_nibbles, sizeof few_nibbles, 2, 1};

struct shape {
  uint8_t bytes[3 * SIZE_MAX_SHAPED]; /* what is behind 32 is written, and never judged */
};

struct option {
  uint8_t delta, length; /* nibbles */
  size_t delta_index, length_index;
};

static void assert_inputs(uint64_t before, uint64_t expected) {
  uint64_t count = judge_inputs - before;
  if (count != expected) fail_msg("%llu inputs", (unsigned long long)count);
}

static void fill(uint8_t *bytes, size_t size) {
  static const uint8_t filling[] = {0xff, 0xdd, 0xee, 0x00, 0xfe};
  for (size_t i = 0; i < size; ++i) bytes[i] = filling[i % sizeof filling];
}

/* --- Chains of options ------------------------------------------------------------------------------------ */

/* How many extensions a nibble has, and the index-th of them written at `at`: returns its size. */
static size_t extensions_of(const struct alphabet *alphabet, uint8_t nibble) {
  return nibble == 13 ? alphabet->bytes_count : nibble == 14 ? alphabet->words_count : 1;
}

static size_t put_extension(uint8_t *at, uint8_t nibble, size_t index) {
  if (nibble == 13) at[0] = bytes_at_bounds[index];
  if (nibble == 14) at[0] = (uint8_t)(words_at_bounds[index] >> 8), at[1] = (uint8_t)words_at_bounds[index];
  return nibble == 13 ? 1 : nibble == 14 ? 2 : 0;
}

static size_t value_of(const uint8_t *extension, uint8_t nibble) {
  if (nibble == 13) return 13u + extension[0];
  if (nibble == 14) return 269u + 256u * extension[0] + extension[1];
  return nibble;
}

static void judge_cuts(const struct shape *shape, size_t from, size_t to) {
  for (size_t size = from; size <= to && size <= SIZE_MAX_SHAPED; ++size) judge_small(shape->bytes, size);
}

/* A marker behind what is there, and payloads of up to three bytes. */
static void judge_payloads(struct shape *shape, size_t at) {
  shape->bytes[at] = 0xff;
  fill(shape->bytes + at + 1, 3);
  judge_cuts(shape, at + 1, at + 4);
}

/* All options of an alphabet. */
static size_t list_options(const struct alphabet *alphabet, struct option *options) {
  size_t count = 0;
  for (size_t i = 0; i < alphabet->nibbles_count; ++i) {
    for (size_t k = 0; k < alphabet->nibbles_count; ++k) {
      uint8_t delta = alphabet->nibbles[i], length = alphabet->nibbles[k];
      if (delta == 15 && length == 15) continue; /* that is the marker */
      for (size_t m = 0; m < extensions_of(alphabet, delta); ++m)
        for (size_t n = 0; n < extensions_of(alphabet, length); ++n)
          options[count++] = (struct option){delta, length, m, n};
    }
  }
  assert_true(count <= OPTIONS_MAX);
  return count;
}

/* One option in all the sizes that it can be cut to, and payloads behind it. Returns where another one can follow;
 * SIZE_MAX_SHAPED where none can. */
static size_t judge_option(struct shape *shape, size_t at, const struct option *option) {
  size_t end = at + 1;
  shape->bytes[at] = (uint8_t)(option->delta << 4 | option->length);
  end += put_extension(shape->bytes + end, option->delta, option->delta_index);
  const uint8_t *extension = shape->bytes + end;
  end += put_extension(shape->bytes + end, option->length, option->length_index);
  size_t value = value_of(extension, option->length), room = value < 40 ? value : 40;
  fill(shape->bytes + end, room);
  end += room;
  judge_cuts(shape, at + 1, end);
  if (end >= SIZE_MAX_SHAPED || option->delta == 15 || option->length == 15) return SIZE_MAX_SHAPED;
  judge_payloads(shape, end);
  return end;
}

/* All chains of up to depth_max options from `at` on. */
static void judge_chains(struct shape *shape, size_t at, const struct alphabet *alphabet, unsigned depth_max) {
  static struct option options[OPTIONS_MAX];
  size_t count = list_options(alphabet, options), chosen[DEPTH_MAX] = {0}, begins[DEPTH_MAX] = {at};
  unsigned depth = 0;
  for (;;) {
    if (chosen[depth] == count) {
      if (depth-- == 0) return;
      continue;
    }
    size_t end = judge_option(shape, begins[depth], &options[chosen[depth]++]);
    if (end == SIZE_MAX_SHAPED || depth + 1 == depth_max) continue;
    begins[++depth] = end;
    chosen[depth] = 0;
  }
}

static void begin(struct shape *shape, uint8_t first) {
  static const uint8_t header[HEADER] = {0x40, COPAL_GET, 0xff, 0xdd};
  memset(shape, 0, sizeof *shape);
  memcpy(shape->bytes, header, sizeof header);
  shape->bytes[0] = first;
}

/* --- Tests ------------------------------------------------------------------------------------------------ */

static void all_of_up_to_three_bytes(void **state) {
  (void)state;
  uint8_t bytes[3];
  uint64_t before = judge_inputs;
  for (size_t size = 0; size <= 3; ++size) {
    for (uint32_t value = 0; value < 1u << (8 * size); ++value) {
      for (size_t i = 0; i < size; ++i) bytes[i] = (uint8_t)(value >> (8 * i));
      judge_small(bytes, size);
    }
  }
  assert_inputs(before, 1 + 256 + 65536 + 16777216);
}

/* The decoder copies the message ID and looks at it no further. */
static void all_of_four_bytes_but_for_message_ids(void **state) {
  (void)state;
  static const uint8_t ids[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  uint64_t before = judge_inputs;
  for (uint32_t value = 0; value < 65536; ++value) {
    for (size_t i = 0; i < sizeof ids; ++i) {
      for (size_t k = 0; k < sizeof ids; ++k) {
        uint8_t bytes[4] = {(uint8_t)(value >> 8), (uint8_t)value, ids[i], ids[k]};
        judge_small(bytes, sizeof bytes);
      }
    }
  }
  assert_inputs(before, 65536 * 36);
}

static void all_two_bytes_behind_all_first_bytes(void **state) {
  (void)state;
  uint64_t before = judge_inputs;
  for (unsigned first = 0x40; first < 0x50; ++first) {
    for (unsigned pair = 0; pair < 65536; ++pair) {
      uint8_t bytes[8] = {(uint8_t)first, COPAL_GET, 0, 0, (uint8_t)(pair >> 8), (uint8_t)pair, 0xff, 'p'};
      for (size_t size = 6; size <= sizeof bytes; ++size) judge_small(bytes, size);
      if (pair < 256) judge_small(bytes, 5);
    }
  }
  assert_inputs(before, 16 * (65536 * 3 + 256));
}

static void all_pairs_of_options(void **state) {
  (void)state;
  struct shape shape;
  uint64_t before = judge_inputs;
  begin(&shape, 0x40);
  judge_chains(&shape, HEADER, &all, 2);
  assert_inputs(before, 2616803);
}

static void chains_of_three_and_of_four_options(void **state) {
  (void)state;
  struct shape shape;
  uint64_t before = judge_inputs;
  begin(&shape, 0x40);
  judge_chains(&shape, HEADER, &many, 3);
  begin(&shape, 0x40);
  judge_chains(&shape, HEADER, &few, 4);
  assert_inputs(before, 16317021);
}

/* Two heads by turns until there is no more room: as many as sixteen options. */
static void chains_of_any_two_heads_by_turns(void **state) {
  (void)state;
  uint64_t before = judge_inputs;
  for (unsigned pair = 0; pair < 65536; ++pair) {
    struct shape shape;
    begin(&shape, 0x40);
    for (size_t at = HEADER; at < SIZE_MAX_SHAPED; at += 2) {
      shape.bytes[at] = (uint8_t)(pair >> 8);
      shape.bytes[at + 1] = (uint8_t)pair;
    }
    judge_cuts(&shape, HEADER, SIZE_MAX_SHAPED);
  }
  assert_inputs(before, 65536 * 29);
}

static void all_token_lengths_before_all_options(void **state) {
  (void)state;
  uint64_t before = judge_inputs;
  for (uint8_t nibble = 0; nibble < 16; ++nibble) {
    for (size_t index = 0; index < extensions_of(&all, nibble); ++index) {
      struct shape shape;
      begin(&shape, (uint8_t)(0x40 | nibble));
      size_t at = HEADER + put_extension(shape.bytes + HEADER, nibble, index);
      size_t token = value_of(shape.bytes + HEADER, nibble), room = token < 40 ? token : 40;
      fill(shape.bytes + at, room);
      judge_cuts(&shape, HEADER, at + room);
      if (nibble == 15 || at + room >= SIZE_MAX_SHAPED) continue;
      judge_payloads(&shape, at + room);
      judge_chains(&shape, at + room, &all, 1);
    }
  }
  assert_inputs(before, 124670);
}

/* The payload begins at each byte of a message of anything. */
static void a_marker_at_every_byte(void **state) {
  (void)state;
  uint64_t before = judge_inputs;
  for (unsigned token = 0; token < 16; ++token) {
    for (unsigned filler = 0; filler < 256; ++filler) {
      for (size_t marker = HEADER; marker < SIZE_MAX_SHAPED; ++marker) {
        struct shape shape;
        begin(&shape, (uint8_t)(0x50 | token));
        memset(shape.bytes + HEADER, (int)filler, SIZE_MAX_SHAPED);
        shape.bytes[marker] = 0xff;
        judge_small(shape.bytes, marker + 1);
        judge_small(shape.bytes, marker + 2 <= SIZE_MAX_SHAPED ? marker + 2 : SIZE_MAX_SHAPED);
        judge_small(shape.bytes, SIZE_MAX_SHAPED);
      }
    }
  }
  assert_inputs(before, 16 * 256 * 28 * 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_of_up_to_three_bytes),
      cmocka_unit_test(all_of_four_bytes_but_for_message_ids),
      cmocka_unit_test(all_two_bytes_behind_all_first_bytes),
      cmocka_unit_test(all_pairs_of_options),
      cmocka_unit_test(chains_of_three_and_of_four_options),
      cmocka_unit_test(chains_of_any_two_heads_by_turns),
      cmocka_unit_test(all_token_lengths_before_all_options),
      cmocka_unit_test(a_marker_at_every_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
