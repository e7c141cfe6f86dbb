/* See table.h. An entry never stands before its home, seen round the circle, and no empty slot stands between the two.
 * With each page of slots that comes into use, some of the entries of one page have their home in it: those whose hash
 * has the bit by which the two pages' numbers differ. */
#include "base/table.h"

#include <assert.h>
#include <stdbool.h>

enum { PAGE_SLOTS = 512 };

static bool is_taken(const struct table *table, uint32_t position) {
  return table->slots[position].index_plus_one != 0;
}

static void set_size(struct table *table, uint32_t size) {
  table->size = size;
  if (size - 1 > table->mask) table->mask = 2 * table->mask + 1;
  table->count_max = size == table->size_max ? size - 1 : size / 4;
}

void table_init(struct table *table, struct layout *layout, uint32_t count_max) {
  uint32_t size = layout_power_of_two((uint64_t)count_max + count_max / 3 + 1);
  table->slots = (struct table_slot *)layout_take(layout, size, sizeof(struct table_slot));
  table->size_max = size;
  table->count = 0;
  if (size > PAGE_SLOTS) size = PAGE_SLOTS;
  table->mask = size - 1;
  set_size(table, size);
}

/* --- Growing ------------------------------------------------------------------------------------ */

/* Puts an entry in the first slot that is empty, from its home on. Those between the two are to stay where they are. */
static void settle(struct table *table, struct table_slot entry) {
  uint32_t position = table_home(table, entry.hash);
  while (is_taken(table, position)) position = table_ahead(table, position, 1);
  table->slots[position] = entry;
}

static void settle_again(struct table *table, uint32_t position) {
  struct table_slot entry = table->slots[position];
  if (table_home(table, entry.hash) == position) return;
  table->slots[position].index_plus_one = 0;
  settle(table, entry);
}

/* A page more, for which another one is parted. Whoever stood behind one that leaves moves up, one after the other;
 * what stands at the beginning because the end was full comes last of all, with what stands behind it. Not inline: it
 * would cost every insertion its registers. */
static __attribute__((noinline)) void grow(struct table *table) {
  const struct table before = *table;
  assert(table->size < table->size_max);
  uint32_t wrapped = 0;
  while (is_taken(table, wrapped)) ++wrapped;
  set_size(table, before.size + PAGE_SLOTS);
  uint32_t position = before.size & table->mask >> 1, end = position + PAGE_SLOTS;
  for (; position < end || (position < before.size && is_taken(table, position)); ++position)
    if (is_taken(table, position) && table_home(&before, table->slots[position].hash) <= position)
      settle_again(table, position);
  for (position = 0; position < wrapped || is_taken(table, position); ++position)
    if (is_taken(table, position)) settle_again(table, position);
}

/* --- Entries ------------------------------------------------------------------------------------ */

void table_insert(struct table *table, uint32_t hash, uint32_t index) {
  if (table->count == table->count_max) grow(table);
  settle(table, (struct table_slot){hash, index + 1});
  ++table->count;
}

/* How many steps it is from one slot to another. */
static uint32_t distance(const struct table *table, uint32_t from, uint32_t to) {
  return to >= from ? to - from : to + table->size - from;
}

void table_remove(struct table *table, uint32_t hash, uint32_t index) {
  struct table_slot *slots = table->slots;
  uint32_t hole = table_home(table, hash);
  /* The same record may stand here under another hash, too. */
  while (slots[hole].index_plus_one != index + 1 || slots[hole].hash != hash) {
    assert(slots[hole].index_plus_one != 0);
    hole = table_ahead(table, hole, 1);
  }
  for (uint32_t next = table_ahead(table, hole, 1); is_taken(table, next); next = table_ahead(table, next, 1)) {
    /* An entry may fill the hole unless its home lies behind the hole. */
    uint32_t displacement = distance(table, table_home(table, slots[next].hash), next);
    if (displacement < distance(table, hole, next)) continue;
    slots[hole] = slots[next];
    hole = next;
  }
  slots[hole].index_plus_one = 0;
  --table->count;
}
