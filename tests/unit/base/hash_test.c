/* The keyed hash: it depends on every bit of key and data, spreads over small tables, and reads nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/hash.h"

static const struct hash_key KEY = {0x0123456789abcdef, 0x9e3779b97f4a7c15};

static void every_bit_of_the_data_matters(void **state) {
  (void)state;
  for (size_t size = 1; size <= 40; ++size) {
    uint8_t *bytes = malloc(size); /* exact: a read past the end is an error */
    for (size_t i = 0; i < size; ++i) bytes[i] = (uint8_t)(i * 37);
    uint64_t hash = hash_bytes(&KEY, bytes, size);
    for (size_t bit = 0; bit < size * 8; ++bit) {
      bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
      uint64_t other = hash_bytes(&KEY, bytes, size);
      assert_true(other != hash);
      assert_int_not_equal((uint32_t)other, (uint32_t)hash); /* tables use the low half */
      bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(hash_bytes(&KEY, bytes, size) == hash);
    free(bytes);
  }
}

static void the_size_matters_where_all_bytes_are_zero(void **state) {
  (void)state;
  static const uint8_t zeros[64];
  for (size_t a = 0; a <= 64; ++a)
    for (size_t b = 0; b < a; ++b) assert_true(hash_bytes(&KEY, zeros, a) != hash_bytes(&KEY, zeros, b));
  assert_true(hash_bytes(&KEY, NULL, 0) == hash_bytes(&KEY, zeros, 0));
}

static void the_key_matters(void **state) {
  (void)state;
  static const uint8_t bytes[] = "temperature";
  for (int bit = 0; bit < 64; ++bit) {
    struct hash_key low = {KEY.low ^ (uint64_t)1 << bit, KEY.high};
    struct hash_key high = {KEY.low, KEY.high ^ (uint64_t)1 << bit};
    assert_true(hash_bytes(&low, bytes, 11) != hash_bytes(&KEY, bytes, 11));
    assert_true(hash_bytes(&high, bytes, 11) != hash_bytes(&KEY, bytes, 11));
  }
}

static void the_order_of_words_matters(void **state) {
  (void)state;
  for (uint64_t a = 0; a < 100; ++a)
    for (uint64_t b = 0; b < a; ++b) assert_true(hash_words(&KEY, a, b) != hash_words(&KEY, b, a));
}

/* Peers and message IDs are small numbers in a row: they must not crowd in a table of 4,096 homes. */
static void small_numbers_in_a_row_spread(void **state) {
  (void)state;
  static uint32_t homes[4096];
  uint32_t most = 0;
  for (uint64_t peer = 0; peer < 64; ++peer)
    for (uint64_t mid = 0; mid < 64; ++mid) {
      uint32_t home = (uint32_t)hash_words(&KEY, peer, mid << 8 | 1) & 4095;
      if (++homes[home] > most) most = homes[home];
    }
  assert_in_range(most, 1, 12); /* 4,096 balls in 4,096 boxes: 6 or 7 is usual */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_bit_of_the_data_matters),
      cmocka_unit_test(the_size_matters_where_all_bytes_are_zero),
      cmocka_unit_test(the_key_matters),
      cmocka_unit_test(the_order_of_words_matters),
      cmocka_unit_test(small_numbers_in_a_row_spread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
