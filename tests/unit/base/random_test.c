/* The generator: the published ChaCha8 stream, the same for the same seed, and even draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/random.h"

/* draft-strombergsson-chacha-test-vectors-01, TC1, 256-bit key, 8 rounds: key and nonce zero, the first block. */
static void the_stream_is_chacha8(void **state) {
  (void)state;
  static const uint8_t expected[64] = {0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f,
                                       0x09, 0xa5, 0xa1, 0x2c, 0x84, 0x0e, 0xc3, 0xce, 0x9a, 0x7f, 0x3b, 0x18, 0x1b,
                                       0xe1, 0x88, 0xef, 0x71, 0x1a, 0x1e, 0x98, 0x4c, 0xe1, 0x72, 0xb9, 0x21, 0x6f,
                                       0x41, 0x9f, 0x44, 0x53, 0x67, 0x45, 0x6d, 0x56, 0x19, 0x31, 0x4a, 0x42, 0xa3,
                                       0xda, 0x86, 0xb0, 0x01, 0x38, 0x7b, 0xfd, 0xb8, 0x0e, 0x0c, 0xfe, 0x42};
  static const uint8_t seed[RANDOM_SEED_SIZE];
  struct random random;
  random_init(&random, seed);
  for (size_t i = 0; i < sizeof expected; i += 4) {
    uint32_t word = (uint32_t)expected[i] | (uint32_t)expected[i + 1] << 8 | (uint32_t)expected[i + 2] << 16 |
                    (uint32_t)expected[i + 3] << 24;
    assert_int_equal(random_u32(&random), word);
  }
}

static void one_bit_of_the_seed_changes_everything(void **state) {
  (void)state;
  for (size_t bit = 0; bit < 256; ++bit) {
    uint8_t seed[RANDOM_SEED_SIZE] = {0};
    struct random a, b, c;
    random_init(&a, seed);
    random_init(&c, seed);
    seed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    random_init(&b, seed);
    uint64_t first = random_u64(&a);
    assert_true(first != random_u64(&b));
    assert_true(first == random_u64(&c));
  }
}

static void draws_stay_within_their_limit_and_reach_both_ends(void **state) {
  (void)state;
  static const uint8_t seed[RANDOM_SEED_SIZE] = {1};
  struct random random;
  random_init(&random, seed);
  for (uint64_t limit = 0; limit < 10; ++limit) {
    uint32_t hits[10] = {0};
    for (int i = 0; i < 2000; ++i) {
      uint64_t value = random_up_to(&random, limit);
      assert_true(value <= limit);
      ++hits[value];
    }
    for (uint64_t value = 0; value <= limit; ++value) assert_true(hits[value] > 1500 / (limit + 1));
  }
  /* ranges with an uneven rest, and the whole one */
  for (int i = 0; i < 1000; ++i) {
    assert_true(random_up_to(&random, ((uint64_t)1 << 63) + 1) <= ((uint64_t)1 << 63) + 1);
    assert_true(random_up_to(&random, UINT64_MAX - 1) <= UINT64_MAX - 1);
    (void)random_up_to(&random, UINT64_MAX);
  }
}

/* With a range of two thirds of 64 bits, taking the remainder without drawing again would make small values twice as
 * frequent. */
static void a_draw_favours_no_value(void **state) {
  (void)state;
  static const uint8_t seed[RANDOM_SEED_SIZE] = {2};
  struct random random;
  random_init(&random, seed);
  uint64_t limit = UINT64_MAX / 3 * 2;
  uint32_t low = 0, draws = 20000;
  for (uint32_t i = 0; i < draws; ++i) low += random_up_to(&random, limit) <= limit / 2;
  assert_in_range(low, draws / 2 - draws / 40, draws / 2 + draws / 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_stream_is_chacha8),
      cmocka_unit_test(one_bit_of_the_seed_changes_everything),
      cmocka_unit_test(draws_stay_within_their_limit_and_reach_both_ends),
      cmocka_unit_test(a_draw_favours_no_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
