/* See store.h. A slot is named by its position in units of the smallest slot. Free slots of a page that were used
 * before form a list through their first bytes. */
#include "base/store.h"

#include <assert.h>
#include <string.h>

struct store_page {
  uint32_t next, previous; /* in the partial ring of its class, or next in the free list */
  uint16_t free;           /* first free slot of the page + 1, 0 for none */
  uint16_t fresh;          /* slots from here on were never used */
  uint16_t used;           /* slots taken */
  uint16_t class;          /* slots have STORE_SLOT_MIN << class bytes */
};

enum { PAGE_SIZE_MIN = 4096 };

void store_init(struct store *store, struct layout *layout, uint32_t size, uint32_t slot_max) {
  uint32_t page_size = layout_power_of_two(slot_max < STORE_SLOT_MIN ? STORE_SLOT_MIN : slot_max);
  /* Large stores have pages of several slots each; small ones, on small machines, no more than they must. */
  if (page_size < PAGE_SIZE_MIN && size >= 64 * PAGE_SIZE_MIN) page_size = PAGE_SIZE_MIN;
  store->page_size = page_size;
  store->page_bits = (uint32_t)__builtin_ctz(page_size);
  store->page_count = size / page_size;
  store->fresh = 0;
  store->free = INDEX_NONE;
  store->used = 0;
  for (int class = 0; class < STORE_CLASSES; ++class) store->partial[class] = INDEX_NONE;
  store->pages = (struct store_page *)layout_take(layout, store->page_count, sizeof(struct store_page));
  store->bytes = (uint8_t *)layout_take(layout, (uint64_t)store->page_count * page_size, 1);
}

static uint16_t class_of(size_t size) {
  uint16_t class = 0;
  while (((size_t)STORE_SLOT_MIN << class) < size) ++class;
  return class;
}

static uint32_t slot_bits(const struct store_page *page) { return STORE_SLOT_BITS + (uint32_t)page->class; }

static void partial_insert(struct store *store, uint32_t index) {
  struct store_page *page = &store->pages[index];
  uint32_t first = store->partial[page->class];
  if (first == INDEX_NONE) {
    page->next = page->previous = index;
  } else {
    page->next = first;
    page->previous = store->pages[first].previous;
    store->pages[page->previous].next = index;
    store->pages[first].previous = index;
  }
  store->partial[page->class] = index;
}

static void partial_remove(struct store *store, uint32_t index) {
  struct store_page *page = &store->pages[index];
  store->pages[page->previous].next = page->next;
  store->pages[page->next].previous = page->previous;
  if (store->partial[page->class] == index) store->partial[page->class] = page->next == index ? INDEX_NONE : page->next;
}

static uint32_t page_take(struct store *store, uint16_t class) {
  uint32_t index = store->free;
  if (index != INDEX_NONE) {
    store->free = store->pages[index].next;
  } else {
    if (store->fresh == store->page_count) return INDEX_NONE;
    index = store->fresh++;
  }
  store->pages[index] = (struct store_page){.class = class};
  partial_insert(store, index);
  return index;
}

uint32_t store_take(struct store *store, size_t size) {
  if (size > store->page_size) return INDEX_NONE;
  uint16_t class = class_of(size);
  uint32_t index = store->partial[class];
  if (index == INDEX_NONE) index = page_take(store, class);
  if (index == INDEX_NONE) return INDEX_NONE;

  struct store_page *page = &store->pages[index];
  uint32_t bits = slot_bits(page);
  size_t start = (size_t)index << store->page_bits, at;
  if (page->free != 0) {
    at = start + ((size_t)(page->free - 1u) << bits);
    memcpy(&page->free, store->bytes + at, sizeof page->free);
  } else {
    at = start + ((size_t)page->fresh++ << bits);
  }
  if (++page->used == store->page_size >> bits) partial_remove(store, index);
  store->used += (size_t)1 << bits;
  return (uint32_t)(at >> STORE_SLOT_BITS);
}

void store_give(struct store *store, uint32_t slot) {
  size_t at = (size_t)slot * STORE_SLOT_MIN;
  uint32_t index = (uint32_t)(at >> store->page_bits);
  assert(index < store->fresh);
  struct store_page *page = &store->pages[index];
  uint32_t bits = slot_bits(page);
  assert(page->used > 0);
  memcpy(store->bytes + at, &page->free, sizeof page->free);
  page->free = (uint16_t)(((at & (store->page_size - 1)) >> bits) + 1);
  store->used -= (size_t)1 << bits;
  if (page->used-- == store->page_size >> bits) partial_insert(store, index);
  if (page->used > 0) return;
  partial_remove(store, index);
  page->next = store->free;
  store->free = index;
}
