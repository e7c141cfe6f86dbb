/* application/missing-blocks+cbor-seq: written, read, and read where it is hostile. RFC 9177 section 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rest/missing.h"
#include "rest/window.h"

enum { COUNT_MAX = 10 };

/* Reads a heap copy of the exact size, so that a read outside it is an error. */
static size_t read_exactly(const uint8_t *bytes, size_t size, uint32_t *numbers, size_t count_max) {
  uint8_t *copy = malloc(size > 0 ? size : 1);
  if (size > 0) memcpy(copy, bytes, size);
  size_t count = missing_read((copal_bytes){copy, size}, numbers, count_max);
  free(copy);
  return count;
}

static void assert_reads(const char *bytes, size_t size, const uint32_t *expected, size_t count) {
  uint32_t numbers[COUNT_MAX];
  assert_int_equal(read_exactly((const uint8_t *)bytes, size, numbers, COUNT_MAX), count);
  for (size_t i = 0; i < count; ++i) assert_int_equal(numbers[i], expected[i]);
}

#define assert_refused(bytes) assert_reads(bytes, sizeof bytes - 1, NULL, 0)

/* RFC 9177 Figure 5, "[Missing 1,9]"; RFC 8949 appendix A has the numbers. */
static void numbers_are_written_in_their_shortest_form(void **state) {
  (void)state;
  static const uint32_t numbers[] = {1, 9, 23, 24, 255, 256, 65535, 65536, BLOCK_NUMBER_MAX};
  static const uint8_t expected[] = {0x01, 0x09, 0x17, 0x18, 0x18, 0x18, 0xff, 0x19, 0x01, 0x00, 0x19, 0xff,
                                     0xff, 0x1a, 0x00, 0x01, 0x00, 0x00, 0x1a, 0x00, 0x0f, 0xff, 0xff};
  uint8_t buffer[64];
  size_t size = missing_write(numbers, 9, buffer, sizeof buffer);
  assert_int_equal(size, sizeof expected);
  assert_memory_equal(buffer, expected, size);
  uint32_t again[COUNT_MAX];
  assert_int_equal(read_exactly(buffer, size, again, COUNT_MAX), 9);
  assert_memory_equal(again, numbers, sizeof numbers);
}

/* RFC 9177 5: "the number of reported missing blocks MUST be limited so that the response can fit into a single
 * packet." */
static void what_does_not_fit_is_left_out_whole(void **state) {
  (void)state;
  static const uint32_t numbers[] = {1, 300, 70000};
  for (size_t capacity = 0; capacity <= 9; ++capacity) {
    uint8_t buffer[9], untouched = 0xee;
    memset(buffer, untouched, sizeof buffer);
    size_t expected = capacity < 1 ? 0 : capacity < 4 ? 1 : capacity < 9 ? 4 : 9;
    assert_int_equal(missing_write(numbers, 3, buffer, capacity), expected);
    for (size_t i = expected; i < sizeof buffer; ++i) assert_int_equal(buffer[i], untouched);
  }
}

static void longer_forms_of_a_number_are_read_as_well(void **state) {
  (void)state;
  static const uint32_t five[] = {5};
  assert_reads("\x05", 1, five, 1);
  assert_reads("\x18\x05", 2, five, 1);
  assert_reads("\x19\x00\x05", 3, five, 1);
  assert_reads("\x1a\x00\x00\x00\x05", 5, five, 1);
  assert_reads("\x1b\x00\x00\x00\x00\x00\x00\x00\x05", 9, five, 1);
}

/* RFC 9177 5: "the client MUST ignore any duplicates in the same 4.08 (Request Entity Incomplete) response." */
static void duplicates_are_ignored(void **state) {
  (void)state;
  static const uint32_t expected[] = {1, 7};
  assert_reads("\x01\x01\x18\x01\x07\x07", 6, expected, 2);
}

/* RFC 9177 5: "The missing blocks MUST be reported in ascending order without any duplicates. The client SHOULD
 * silently drop 4.08 (Request Entity Incomplete) responses not adhering to this behavior." */
static void what_does_not_ascend_is_dropped(void **state) {
  (void)state;
  assert_refused("\x02\x01");
  assert_refused("\x00\x05\x04");
}

static void anything_but_block_numbers_is_dropped(void **state) {
  (void)state;
  assert_refused("");
  assert_refused("\x20");                                 /* a negative number */
  assert_refused("\x41\x00");                             /* a string of bytes */
  assert_refused("\x81\x01");                             /* an array around it */
  assert_refused("\xf4");                                 /* false */
  assert_refused("\x1c");                                 /* reserved */
  assert_refused("\x1f");                                 /* indefinite */
  assert_refused("\x01\xff");                             /* a good one and a break */
  assert_refused("\x1a\x00\x10\x00\x00");                 /* 2^20, one too many */
  assert_refused("\x1b\x00\x00\x00\x01\x00\x00\x00\x01"); /* 1 in its low 32 bits only */
  assert_refused("\x1b\xff\xff\xff\xff\xff\xff\xff\xff");
}

static void a_number_that_is_cut_off_is_dropped(void **state) {
  (void)state;
  assert_refused("\x18");
  assert_refused("\x19\x00");
  assert_refused("\x1a\x00\x00\x00");
  assert_refused("\x1b\x00\x00\x00\x00\x00\x00\x00");
  assert_refused("\x01\x18");
}

static void more_than_wanted_is_read_and_not_kept(void **state) {
  (void)state;
  uint8_t bytes[200];
  uint32_t numbers[COUNT_MAX + 1];
  numbers[COUNT_MAX] = 4711;
  for (unsigned i = 0; i < 24; ++i) bytes[i] = (uint8_t)i;
  assert_int_equal(read_exactly(bytes, 24, numbers, COUNT_MAX), COUNT_MAX);
  for (unsigned i = 0; i < COUNT_MAX; ++i) assert_int_equal(numbers[i], i);
  assert_int_equal(numbers[COUNT_MAX], 4711);
  bytes[23] = 0x20; /* behind those that are kept, and wrong all the same */
  assert_int_equal(read_exactly(bytes, 24, numbers, COUNT_MAX), 0);
}

/* Whatever is taken is what the writer would have written, but for duplicates and long forms. */
static void of_all_short_sequences_only_sound_ones_are_taken(void **state) {
  (void)state;
  unsigned taken = 0;
  for (uint32_t value = 0; value < 1u << 24; value += 7) {
    uint8_t bytes[3] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    uint32_t numbers[3];
    size_t count = missing_read((copal_bytes){bytes, sizeof bytes}, numbers, 3);
    for (size_t i = 0; i < count; ++i) assert_true(numbers[i] <= UINT16_MAX && (i == 0 || numbers[i] > numbers[i - 1]));
    if (count > 0) ++taken;
    if (bytes[0] > 0x1b) assert_int_equal(count, 0);
  }
  assert_true(taken > 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_written_in_their_shortest_form),
      cmocka_unit_test(what_does_not_fit_is_left_out_whole),
      cmocka_unit_test(longer_forms_of_a_number_are_read_as_well),
      cmocka_unit_test(duplicates_are_ignored),
      cmocka_unit_test(what_does_not_ascend_is_dropped),
      cmocka_unit_test(anything_but_block_numbers_is_dropped),
      cmocka_unit_test(a_number_that_is_cut_off_is_dropped),
      cmocka_unit_test(more_than_wanted_is_read_and_not_kept),
      cmocka_unit_test(of_all_short_sequences_only_sound_ones_are_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
