/* See table.h. A slot's home is hash & mask; an entry never stands before its home, seen round the circle, and no empty
 * slot stands between the two. */
#include "base/table.h"

#include <assert.h>

void table_init(struct table *table, struct layout *layout, uint32_t count_max) {
  uint32_t capacity = layout_power_of_two((uint64_t)count_max + count_max / 3 + 1);
  table->slots = (struct table_slot *)layout_take(layout, capacity, sizeof(struct table_slot));
  table->mask = capacity - 1;
  table->count = 0;
}

void table_insert(struct table *table, uint32_t hash, uint32_t index) {
  assert(table->count < table->mask);
  uint32_t position = hash & table->mask;
  while (table->slots[position].index_plus_one != 0) position = (position + 1) & table->mask;
  table->slots[position].hash = hash;
  table->slots[position].index_plus_one = index + 1;
  ++table->count;
}

void table_remove(struct table *table, uint32_t hash, uint32_t index) {
  struct table_slot *slots = table->slots;
  uint32_t hole = hash & table->mask;
  /* The same record may stand here under another hash, too. */
  while (slots[hole].index_plus_one != index + 1 || slots[hole].hash != hash) {
    assert(slots[hole].index_plus_one != 0);
    hole = (hole + 1) & table->mask;
  }
  for (uint32_t next = (hole + 1) & table->mask; slots[next].index_plus_one != 0; next = (next + 1) & table->mask) {
    /* An entry may fill the hole unless its home lies behind the hole. */
    uint32_t displacement = (next - slots[next].hash) & table->mask;
    if (displacement < ((next - hole) & table->mask)) continue;
    slots[hole] = slots[next];
    hole = next;
  }
  slots[hole].index_plus_one = 0;
  --table->count;
}
