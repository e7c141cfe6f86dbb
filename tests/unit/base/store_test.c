/* The store against a model: slots never overlap, bytes stay as they were written, and all room returns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "support/dice.h"

struct piece {
  uint32_t slot;
  size_t size;
  uint8_t fill;
};

struct fixture {
  struct store store;
  void *memory;
  struct piece pieces[4096];
  uint32_t count;
};

static void open_store(struct fixture *fixture, uint32_t size, uint32_t slot_max) {
  struct layout counting = {NULL, 0};
  store_init(&fixture->store, &counting, size, slot_max);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  store_init(&fixture->store, &layout, size, slot_max);
  fixture->count = 0;
}

static bool take(struct fixture *fixture, size_t size, uint8_t fill) {
  uint32_t slot = store_take(&fixture->store, size);
  if (slot == INDEX_NONE) return false;
  assert_true(size <= fixture->store.page_size);
  memset(store_bytes(&fixture->store, slot), fill, size);
  fixture->pieces[fixture->count++] = (struct piece){slot, size, fill};
  return true;
}

static void give(struct fixture *fixture, uint32_t position) {
  const struct piece *piece = &fixture->pieces[position];
  const uint8_t *bytes = store_bytes(&fixture->store, piece->slot);
  for (size_t i = 0; i < piece->size; ++i) assert_int_equal(bytes[i], piece->fill);
  store_give(&fixture->store, piece->slot);
  fixture->pieces[position] = fixture->pieces[--fixture->count];
}

static size_t slot_size(size_t size) {
  size_t slot = STORE_SLOT_MIN;
  while (slot < size) slot *= 2;
  return slot;
}

static void assert_no_overlap(const struct fixture *fixture) {
  size_t used = 0;
  for (uint32_t i = 0; i < fixture->count; ++i) {
    size_t start = (size_t)fixture->pieces[i].slot * STORE_SLOT_MIN, size = slot_size(fixture->pieces[i].size);
    used += size;
    assert_true(start + size <= (size_t)fixture->store.page_count * fixture->store.page_size);
    for (uint32_t k = 0; k < i; ++k) {
      size_t other = (size_t)fixture->pieces[k].slot * STORE_SLOT_MIN;
      assert_true(start + size <= other || other + slot_size(fixture->pieces[k].size) <= start);
    }
  }
  assert_int_equal(used, fixture->store.used);
}

/* After everything is given back, the store holds as much as a new one. */
static void assert_all_returns(struct fixture *fixture, struct dice *dice, size_t slot_max) {
  while (fixture->count > 0) give(fixture, dice_below(dice, fixture->count));
  assert_int_equal(fixture->store.used, 0);
  uint32_t whole = 0;
  while (take(fixture, slot_max, 1)) ++whole;
  assert_int_equal(whole, fixture->store.page_count * (fixture->store.page_size / slot_size(slot_max)));
  while (fixture->count > 0) give(fixture, 0);
}

static void random_takes_and_gives_agree_with_a_model(void **state) {
  (void)state;
  static const struct {
    uint32_t size, slot_max;
  } stores[] = {{2048, 256}, {2047, 100}, {4096, 32}, {300000, 1472}, {65536, 65507}, {262144, 40000}, {512, 64}};
  struct dice dice = {3};
  for (size_t s = 0; s < sizeof stores / sizeof *stores; ++s) {
    struct fixture *fixture = malloc(sizeof *fixture);
    open_store(fixture, stores[s].size, stores[s].slot_max);
    for (int i = 0; i < 20000; ++i) {
      if (dice_below(&dice, 100) < (i / 2000 % 2 == 0 ? 65u : 35u)) {
        uint32_t most = dice_below(&dice, 3) == 0 ? stores[s].slot_max : 64;
        if (fixture->count < 4096) take(fixture, dice_below(&dice, most + 1), (uint8_t)i);
      } else if (fixture->count > 0) {
        give(fixture, dice_below(&dice, fixture->count));
      }
      if (i % 500 == 0) assert_no_overlap(fixture);
    }
    assert_all_returns(fixture, &dice, stores[s].slot_max);
    free(fixture->memory);
    free(fixture);
  }
}

static void a_page_serves_any_size_again_once_it_is_empty(void **state) {
  (void)state;
  struct fixture fixture;
  open_store(&fixture, 512, 256);
  for (int i = 0; i < 16; ++i) assert_true(take(&fixture, 32, (uint8_t)i));
  assert_false(take(&fixture, 1, 0));
  assert_false(take(&fixture, 256, 0));
  for (int i = 0; i < 8; ++i) give(&fixture, 0);
  for (int i = 0; i < 8; ++i) give(&fixture, 0);
  assert_true(take(&fixture, 256, 1));
  assert_true(take(&fixture, 129, 2));
  assert_false(take(&fixture, 0, 0));
  give(&fixture, 0);
  assert_true(take(&fixture, 0, 0));
  give(&fixture, 0);
  give(&fixture, 0);
  free(fixture.memory);
}

static void what_is_larger_than_a_page_is_refused_and_the_rest_goes_on(void **state) {
  (void)state;
  struct fixture fixture;
  open_store(&fixture, 1024, 200);
  assert_true(take(&fixture, 256, 1)); /* a page is the next power of two */
  assert_false(take(&fixture, 257, 1));
  assert_false(take(&fixture, SIZE_MAX, 1));
  assert_true(take(&fixture, 200, 2));
  while (fixture.count > 0) give(&fixture, 0);
  free(fixture.memory);
}

static void a_store_smaller_than_a_page_holds_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open_store(&fixture, 100, 128);
  assert_false(take(&fixture, 1, 0));
  free(fixture.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_takes_and_gives_agree_with_a_model),
      cmocka_unit_test(a_page_serves_any_size_again_once_it_is_empty),
      cmocka_unit_test(what_is_larger_than_a_page_is_refused_and_the_rest_goes_on),
      cmocka_unit_test(a_store_smaller_than_a_page_holds_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
