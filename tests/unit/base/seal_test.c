/* Seals: the vectors of SipHash-2-4, and what a seal must tell apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/seal.h"

/* The key of the authors' vectors: bytes 00 to 0f; their inputs are 00, 01, 02 and so on. */
static const struct hash_key KEY = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static void the_authors_vectors_hold(void **state) {
  (void)state;
  static const struct {
    size_t size;
    uint64_t seal;
  } vectors[] = {{0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137}, {8, 0x93f5f5799a932462},
                 {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb}, {63, 0x958a324ceb064572}};
  uint8_t input[64];
  for (size_t i = 0; i < sizeof input; ++i) input[i] = (uint8_t)i;
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; ++i)
    assert_true(seal(&KEY, input, vectors[i].size) == vectors[i].seal);
}

static void it_depends_on_the_key_the_size_and_every_byte(void **state) {
  (void)state;
  uint8_t input[40] = {0};
  uint64_t first = seal(&KEY, input, sizeof input);
  struct hash_key other = KEY;
  other.high ^= 1;
  assert_true(seal(&other, input, sizeof input) != first);
  assert_true(seal(&KEY, input, sizeof input - 1) != first);
  for (size_t i = 0; i < sizeof input; ++i) {
    input[i] ^= 0x80;
    assert_true(seal(&KEY, input, sizeof input) != first);
    input[i] ^= 0x80;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_authors_vectors_hold),
      cmocka_unit_test(it_depends_on_the_key_the_size_and_every_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
