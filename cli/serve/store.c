/* The demonstration's store. Knows no CoAP but the number of a format, which it only keeps. */
#include "cli/serve/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct store_entry *place_of(struct store *store, const char *name);

const struct store_entry *store_find(const struct store *store, const char *name) {
  if (name[0] == '\0') return NULL;
  for (size_t i = 0; i < STORE_ENTRIES_MAX; ++i) {
    if (strcmp(store->entries[i].name, name) == 0) return &store->entries[i];
  }
  return NULL;
}

enum store_result store_put(struct store *store, const char *name, uint32_t format, const void *body, size_t size) {
  size_t name_size = strlen(name);
  if (name_size == 0 || name_size >= STORE_NAME_MAX) return STORE_BAD_NAME;
  if (size > STORE_BODY_MAX) return STORE_TOO_LARGE;
  struct store_entry *entry = place_of(store, name);
  if (entry == NULL) return STORE_FULL;
  bool created = entry->name[0] == '\0';
  memcpy(entry->name, name, name_size + 1);
  if (size > 0) memcpy(entry->body, body, size);
  entry->size = size;
  entry->format = format;
  entry->version = ++store->version;
  return created ? STORE_CREATED : STORE_CHANGED;
}

bool store_delete(struct store *store, const char *name) {
  struct store_entry *entry = name[0] != '\0' ? place_of(store, name) : NULL;
  if (entry == NULL || entry->name[0] == '\0') return false;
  entry->name[0] = '\0';
  ++store->version;
  return true;
}

void store_new_name(struct store *store, char *name, size_t capacity) {
  do {
    snprintf(name, capacity, "%" PRIu32, ++store->last_name);
  } while (store_find(store, name) != NULL);
}

/* The entry of that name, else a free place, else NULL. */
static struct store_entry *place_of(struct store *store, const char *name) {
  struct store_entry *place = NULL;
  for (size_t i = 0; i < STORE_ENTRIES_MAX; ++i) {
    struct store_entry *entry = &store->entries[i];
    if (strcmp(entry->name, name) == 0) return entry;
    if (place == NULL && entry->name[0] == '\0') place = entry;
  }
  return place;
}
