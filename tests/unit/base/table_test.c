/* The hash table against a model, above all removal: with every hash in the last few slots, so that clusters wrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/table.h"
#include "support/dice.h"

struct entry {
  uint32_t hash, index;
};

struct fixture {
  struct table table;
  void *memory;
  struct entry entries[512]; /* the model: a heap of pairs */
  uint32_t count, count_max;
};

static void open_table(struct fixture *fixture, uint32_t count_max) {
  struct layout counting = {NULL, 0};
  table_init(&fixture->table, &counting, count_max);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  table_init(&fixture->table, &layout, count_max);
  assert_int_equal(layout.size, counting.size);
  fixture->count = 0;
  fixture->count_max = count_max;
}

static void insert(struct fixture *fixture, uint32_t hash, uint32_t index) {
  table_insert(&fixture->table, hash, index);
  fixture->entries[fixture->count++] = (struct entry){hash, index};
}

static void remove_at(struct fixture *fixture, uint32_t position) {
  table_remove(&fixture->table, fixture->entries[position].hash, fixture->entries[position].index);
  fixture->entries[position] = fixture->entries[--fixture->count];
}

/* A walk over a hash meets exactly the model's entries of that hash, each once. */
static void assert_walk(const struct fixture *fixture, uint32_t hash) {
  uint32_t expected = 0, met = 0, index;
  for (uint32_t i = 0; i < fixture->count; ++i) expected += fixture->entries[i].hash == hash;
  struct table_walk walk = table_walk(hash);
  while ((index = table_next(&fixture->table, &walk)) != INDEX_NONE) {
    uint32_t copies = 0;
    for (uint32_t i = 0; i < fixture->count; ++i)
      copies += fixture->entries[i].hash == hash && fixture->entries[i].index == index;
    assert_true(copies > 0);
    ++met;
  }
  assert_int_equal(met, expected);
}

/* What the comment in table.c promises: no empty slot between an entry's home and the entry. */
static void assert_sound(const struct fixture *fixture) {
  const struct table *table = &fixture->table;
  uint32_t filled = 0;
  for (uint32_t at = 0; at < table->size; ++at) {
    const struct table_slot *slot = &table->slots[at];
    if (slot->index_plus_one == 0) continue;
    ++filled;
    for (uint32_t before = table_home(table, slot->hash); before != at; before = table_ahead(table, before, 1))
      assert_int_not_equal(table->slots[before].index_plus_one, 0);
  }
  assert_int_equal(filled, fixture->count);
  assert_int_equal(table->count, fixture->count);
}

/* How hashes are drawn decides how entries crowd. */
static uint32_t draw_hash(struct dice *dice, int style, uint32_t mask) {
  switch (style) {
    case 0: return (uint32_t)dice_u64(dice);
    case 1: return mask - dice_below(dice, 3);              /* the last three homes: clusters wrap round */
    case 2: return dice_below(dice, 4) * (mask + 1) + mask; /* one home, different hashes */
    case 3: return dice_below(dice, 2) == 0 ? mask : 0;     /* both sides of the seam */
    default: return (mask + 1) * dice_below(dice, 8) + dice_below(dice, mask + 1);
  }
}

static void random_operations_agree_with_a_model(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1, 2, 3, 7, 8, 48, 300};
  struct dice dice = {7};
  for (int style = 0; style < 5; ++style)
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; ++size) {
      struct fixture fixture;
      open_table(&fixture, sizes[size]);
      for (int i = 0; i < 4000; ++i) {
        bool grow = dice_below(&dice, 100) < (i / 500 % 2 == 0 ? 70u : 30u);
        uint32_t hash = draw_hash(&dice, style, fixture.table.mask);
        if (grow && fixture.count < fixture.count_max) insert(&fixture, hash, dice_below(&dice, 1000));
        if (!grow && fixture.count > 0) remove_at(&fixture, dice_below(&dice, fixture.count));
        assert_walk(&fixture, hash);
        if (i % 16 == 0) assert_sound(&fixture);
      }
      while (fixture.count > 0) remove_at(&fixture, dice_below(&dice, fixture.count));
      assert_sound(&fixture);
      free(fixture.memory);
    }
}

/* An exchange stands in its table twice, by message ID and by token: removing one must not take the other. */
static void one_index_under_two_hashes_is_removed_under_the_hash_that_was_given(void **state) {
  (void)state;
  struct fixture fixture;
  open_table(&fixture, 6);
  uint32_t mask = fixture.table.mask;
  insert(&fixture, mask, 1);
  insert(&fixture, mask + 1, 5);        /* home 0, stands at 0 */
  insert(&fixture, mask + mask + 1, 5); /* home mask, pushed behind the others */
  table_remove(&fixture.table, mask + mask + 1, 5);
  fixture.count = 2;
  assert_walk(&fixture, mask + 1);
  assert_walk(&fixture, mask + mask + 1);
  assert_walk(&fixture, mask);
  free(fixture.memory);
}

static void a_full_table_still_ends_every_walk(void **state) {
  (void)state;
  for (uint32_t count_max = 1; count_max <= 200; ++count_max) {
    struct fixture fixture;
    open_table(&fixture, count_max);
    for (uint32_t i = 0; i < count_max; ++i) insert(&fixture, i * 3, i);
    /* the load that table.h promises */
    assert_true(count_max * 4 <= fixture.table.size_max * 3 || count_max < 4);
    assert_walk(&fixture, 0xffffffff);
    for (uint32_t i = 0; i < count_max; ++i) assert_walk(&fixture, i * 3);
    free(fixture.memory);
  }
}

/* Whatever the crowd: each time that it has grown, every entry is where a walk meets it. */
static void it_grows_with_its_entries_to_what_there_is_room_for(void **state) {
  (void)state;
  enum { ENTRIES = 9000 };
  static uint32_t hashes[ENTRIES];
  struct dice dice = {11};
  for (int style = 0; style < 4; ++style) {
    struct fixture fixture;
    open_table(&fixture, ENTRIES);
    struct table *table = &fixture.table;
    uint32_t grown = 0;
    for (uint32_t i = 0; i < ENTRIES; ++i) {
      uint32_t size = table->size, chance = (uint32_t)dice_u64(&dice);
      if (style == 1 && i % 8 == 0) chance = table->size - 1 - chance % 3; /* round the seam, where it is just now */
      if (style == 2 && i % 8 == 0) chance = chance << 20 | 0x1ff;         /* at the end of the first page */
      if (style == 3 && i % 8 == 0) chance = chance << 10 | 0x3ff;         /* at the end of each second one */
      hashes[i] = chance;
      table_insert(table, hashes[i], i);
      if (table->size == size && i + 1 < ENTRIES) continue;
      grown += table->size != size;
      fixture.count = i + 1;
      assert_sound(&fixture);
      for (uint32_t k = 0; k <= i; ++k) {
        struct table_walk walk = table_walk(hashes[k]);
        uint32_t met = 0, index;
        while ((index = table_next(table, &walk)) != INDEX_NONE) met += index == k;
        assert_int_equal(met, 1);
      }
    }
    assert_true(table->size == table->size_max && grown == table->size / 512 - 1);
    for (uint32_t i = 0; i < ENTRIES; ++i) table_remove(table, hashes[i], i);
    fixture.count = 0;
    assert_sound(&fixture);
    free(fixture.memory);
  }
}

/* Between two powers of two, too. */
static void what_has_grown_agrees_with_a_model(void **state) {
  (void)state;
  struct dice dice = {5};
  for (uint32_t pages = 1; pages <= 3; ++pages) {
    struct fixture fixture;
    open_table(&fixture, 1000); /* four pages */
    uint32_t count = 0;
    while (fixture.table.size < pages * 512) table_insert(&fixture.table, (uint32_t)dice_u64(&dice) | 1 << 15, count++);
    for (int i = 0; i < 20000; ++i) {
      uint32_t hash = dice_below(&dice, fixture.table.size);
      if (i % 3 == 0) hash = fixture.table.size - 1 - hash % 4;
      if (dice_below(&dice, 2) == 0 && fixture.count < 100)
        insert(&fixture, hash, 5000 + dice_below(&dice, 1000));
      else if (fixture.count > 0)
        remove_at(&fixture, dice_below(&dice, fixture.count));
      assert_walk(&fixture, hash);
    }
    free(fixture.memory);
  }
}

/* A page of a large one is all that a few entries need. */
static void few_entries_touch_a_page_of_it(void **state) {
  (void)state;
  struct fixture fixture;
  struct dice dice = {3};
  open_table(&fixture, 1 << 20);
  for (uint32_t i = 0; i < 128; ++i) table_insert(&fixture.table, (uint32_t)dice_u64(&dice), i);
  const uint8_t *bytes = (const uint8_t *)fixture.table.slots;
  for (size_t i = 4096; i < 8u << 20; ++i)
    if (bytes[i] != 0) fail_msg("byte %zu was touched", i);
  free(fixture.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations_agree_with_a_model),
      cmocka_unit_test(one_index_under_two_hashes_is_removed_under_the_hash_that_was_given),
      cmocka_unit_test(a_full_table_still_ends_every_walk),
      cmocka_unit_test(it_grows_with_its_entries_to_what_there_is_room_for),
      cmocka_unit_test(what_has_grown_agrees_with_a_model),
      cmocka_unit_test(few_entries_touch_a_page_of_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
