/* The demonstration's store: named bodies with their formats, in a fixed number of fixed places. */
#ifndef COPAL_CLI_SERVE_STORE_H
#define COPAL_CLI_SERVE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_ENTRIES_MAX = 64, STORE_BODY_MAX = 65536, STORE_NAME_MAX = 64 };

struct store_entry {
  char name[STORE_NAME_MAX]; /* a path, percent-encoded; "": the place is free */
  uint8_t body[STORE_BODY_MAX];
  size_t size;
  uint32_t format;  /* a Content-Format, or COPAL_FORMAT_NONE */
  uint32_t version; /* another one after every change in the store, so fit for an ETag */
};

/* All zero is an empty store. */
struct store {
  struct store_entry entries[STORE_ENTRIES_MAX];
  uint32_t version;   /* of the latest change */
  uint32_t last_name; /* that store_new_name gave */
};

enum store_result { STORE_CREATED, STORE_CHANGED, STORE_FULL, STORE_TOO_LARGE, STORE_BAD_NAME };

/* NULL where there is none of that name. */
const struct store_entry *store_find(const struct store *store, const char *name);

/* Creates or changes an entry; in the other cases nothing has changed. */
enum store_result store_put(struct store *store, const char *name, uint32_t format, const void *body, size_t size);

/* False where there was none of that name. */
bool store_delete(struct store *store, const char *name);

/* Writes a name that no entry has: "1", "2", … capacity is at least 12. */
void store_new_name(struct store *store, char *name, size_t capacity);

#endif
