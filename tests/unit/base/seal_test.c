/* The signature, against the vectors that were published with SipHash: key 00 01 … 0f, data 00 01 02 …, the result as
 * bytes from the lowest on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/seal.h"

static const struct hash_key KEY = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static void published_vectors(void **state) {
  (void)state;
  static const struct {
    size_t size;
    uint64_t seal;
  } vectors[] = {
      {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {2, 0x0d6c8009d9a94f5a},  {7, 0xab0200f58b01d137},
      {8, 0x93f5f5799a932462},  {9, 0x9e0082df0ba9e4b0},  {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb},
      {23, 0xa80c038ccd5ccec8}, {63, 0x958a324ceb064572},
  };
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; ++i) {
    uint8_t *data = malloc(vectors[i].size > 0 ? vectors[i].size : 1);
    for (size_t k = 0; k < vectors[i].size; ++k) data[k] = (uint8_t)k;
    assert_true(seal(&KEY, data, vectors[i].size) == vectors[i].seal);
    free(data);
  }
}

static void every_bit_of_data_and_key_matters(void **state) {
  (void)state;
  uint8_t data[20] = {0};
  uint64_t first = seal(&KEY, data, sizeof data);
  for (size_t bit = 0; bit < sizeof data * 8; ++bit) {
    data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_true(seal(&KEY, data, sizeof data) != first);
    data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  for (int bit = 0; bit < 64; ++bit) {
    struct hash_key low = {KEY.low ^ (uint64_t)1 << bit, KEY.high}, high = {KEY.low, KEY.high ^ (uint64_t)1 << bit};
    assert_true(seal(&low, data, sizeof data) != first);
    assert_true(seal(&high, data, sizeof data) != first);
  }
  assert_true(seal(&KEY, data, sizeof data - 1) != first);
  assert_true(seal(&KEY, data, sizeof data) == first);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors),
      cmocka_unit_test(every_bit_of_data_and_key_matters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
