/* The demonstration's /store: PUT, GET and DELETE below it, POST to create under a new name, GET of itself for a list.
 * An entry's version is its ETag. */
#include "cli/serve/demo_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Each entry's link has its name, "</store/>", ";ct=65535" and a comma. */
enum { LIST_SIZE_MAX = STORE_ENTRIES_MAX * (STORE_NAME_MAX + 20) };

static struct store *borrow(void *context);
static size_t version_of(copal_request *request, uint8_t etag[8], void *context);
static void list(copal_request *request, const struct store *store);
static void create(copal_request *request, void *context);
static void read_entry(copal_request *request, void *context);
static void write_entry(copal_request *request, void *context);
static void delete_entry(copal_request *request, void *context);
static bool name_of(copal_request *request, char *name, size_t capacity);
static bool accepts(copal_request *request, uint32_t format);
static void reply_stored(copal_request *request, enum store_result result, const char *created_name,
                         const struct store_entry *entry);
static void add_etag(copal_message *reply, const struct store_entry *entry);
static size_t etag_bytes(uint32_t version, uint8_t etag[8]);
static uint32_t format_of(const copal_view *message);

/* By this thread. */
static _Thread_local bool is_borrowed;

static const struct {
  copal_code method;
  copal_handler *handler;
} handlers[] = {
    {COPAL_GET, read_entry},
    {COPAL_PUT, write_entry},
    {COPAL_POST, create},
    {COPAL_DELETE, delete_entry},
};

copal_error demo_store_attach(struct demo_store *demo_store, copal_endpoint *endpoint) {
  copal_error error = COPAL_OK;
  for (size_t i = 0; error == COPAL_OK && i < sizeof handlers / sizeof handlers[0]; ++i) {
    error = copal_route(endpoint, handlers[i].method, "/store/*", handlers[i].handler, demo_store);
  }
  if (error == COPAL_OK) error = copal_route_version(endpoint, "/store/*", version_of, demo_store);
  if (error != COPAL_OK) return error;
  return copal_route_attributes(endpoint, "/store/*", "title=\"PUT, GET, DELETE below; POST creates\";ct=40");
}

void demo_store_settle(struct demo_store *demo_store) {
  if (!is_borrowed) return;
  is_borrowed = false;
  pthread_mutex_unlock(&demo_store->lock);
}

/* The store, for this thread alone until demo_store_settle. */
static struct store *borrow(void *context) {
  struct demo_store *demo_store = context;
  if (!is_borrowed) pthread_mutex_lock(&demo_store->lock);
  is_borrowed = true;
  return &demo_store->store;
}

/* The list's version is the store's, an entry's its own: both are other ones after every change. */
static size_t version_of(copal_request *request, uint8_t etag[8], void *context) {
  const struct store *store = borrow(context);
  char name[STORE_NAME_MAX];
  if (copal_request_tail(request, name, sizeof name) != COPAL_OK) return 0;
  const struct store_entry *entry = store_find(store, name);
  if (name[0] != '\0' && entry == NULL) return 0;
  return etag_bytes(name[0] == '\0' ? store->version : entry->version, etag);
}

static void list(copal_request *request, const struct store *store) {
  if (!accepts(request, COPAL_LINK_FORMAT)) return;
  char document[LIST_SIZE_MAX];
  copal_link_writer writer = {.buffer = document, .capacity = sizeof document};
  for (size_t i = 0; i < STORE_ENTRIES_MAX; ++i) {
    const struct store_entry *entry = &store->entries[i];
    if (entry->name[0] == '\0') continue;
    char target[STORE_NAME_MAX + 8], format[12];
    int size = snprintf(target, sizeof target, "/store/%s", entry->name);
    copal_link_write(&writer, target, (size_t)size);
    if (entry->format == COPAL_FORMAT_NONE) continue;
    size = snprintf(format, sizeof format, "%" PRIu32, entry->format);
    copal_link_write_parameter(&writer, "ct", format, (size_t)size, false);
  }
  copal_reply(request, COPAL_CONTENT, COPAL_LINK_FORMAT, document, writer.size);
}

static void create(copal_request *request, void *context) {
  struct store *store = borrow(context);
  const copal_view *message = &copal_request_rx(request)->message;
  char name[STORE_NAME_MAX];
  if (!name_of(request, name, sizeof name)) return;
  if (name[0] != '\0') {
    copal_reply_code(request, COPAL_METHOD_NOT_ALLOWED);
    return;
  }
  store_new_name(store, name, sizeof name);
  enum store_result result = store_put(store, name, format_of(message), message->payload.data, message->payload.size);
  reply_stored(request, result, name, store_find(store, name));
}

static void read_entry(copal_request *request, void *context) {
  const struct store *store = borrow(context);
  char name[STORE_NAME_MAX];
  if (!name_of(request, name, sizeof name)) return;
  if (name[0] == '\0') {
    list(request, store);
    return;
  }
  const struct store_entry *entry = store_find(store, name);
  if (entry == NULL) {
    copal_reply_code(request, COPAL_NOT_FOUND);
    return;
  }
  if (accepts(request, entry->format)) {
    copal_reply(request, COPAL_CONTENT, entry->format, entry->body, entry->size);
  }
}

static void write_entry(copal_request *request, void *context) {
  struct store *store = borrow(context);
  const copal_view *message = &copal_request_rx(request)->message;
  char name[STORE_NAME_MAX];
  if (!name_of(request, name, sizeof name)) return;
  enum store_result result = store_put(store, name, format_of(message), message->payload.data, message->payload.size);
  reply_stored(request, result, NULL, store_find(store, name));
}

/* RFC 7252 5.8.4: "A 2.02 (Deleted) Response Code SHOULD be used on success or in case the resource did not exist
 * before the request." */
static void delete_entry(copal_request *request, void *context) {
  struct store *store = borrow(context);
  char name[STORE_NAME_MAX];
  if (!name_of(request, name, sizeof name)) return;
  (void)store_delete(store, name);
  copal_reply_code(request, COPAL_DELETED);
}

/* The path below /store, "" for /store itself. False where it is too long: then the request is answered. */
static bool name_of(copal_request *request, char *name, size_t capacity) {
  if (copal_request_tail(request, name, capacity) == COPAL_OK) return true;
  copal_reply_problem(request, COPAL_BAD_REQUEST, "a name below /store has at most 63 characters");
  return false;
}

/* Whether what there is will do; where not, the request is answered. */
static bool accepts(copal_request *request, uint32_t format) {
  uint32_t wanted = copal_request_format(request);
  if (wanted == COPAL_FORMAT_NONE || wanted == format) return true;
  copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
  return false;
}

static void reply_stored(copal_request *request, enum store_result result, const char *created_name,
                         const struct store_entry *entry) {
  copal_message *reply = copal_reply_message(request);
  switch (result) {
    case STORE_CREATED:
      copal_message_set_code(reply, COPAL_CREATED);
      if (created_name != NULL) {
        copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, "store");
        copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, created_name);
      }
      add_etag(reply, entry);
      return;
    case STORE_CHANGED:
      copal_message_set_code(reply, COPAL_CHANGED);
      add_etag(reply, entry);
      return;
    case STORE_FULL:
      copal_message_set_code(reply, COPAL_SERVICE_UNAVAILABLE);
      copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 60);
      return;
    /* RFC 7959 2.9.3: a 4.13 says in Size1 how much would have been welcome. */
    case STORE_TOO_LARGE:
      copal_message_set_code(reply, COPAL_REQUEST_ENTITY_TOO_LARGE);
      copal_message_add_uint(reply, COPAL_OPTION_SIZE1, STORE_BODY_MAX);
      return;
    /* PUT of /store itself: what it lists is made by what is below. */
    case STORE_BAD_NAME: copal_message_set_code(reply, COPAL_METHOD_NOT_ALLOWED); return;
  }
}

static void add_etag(copal_message *reply, const struct store_entry *entry) {
  uint8_t etag[8];
  copal_message_add(reply, COPAL_OPTION_ETAG, etag, etag_bytes(entry->version, etag));
}

static size_t etag_bytes(uint32_t version, uint8_t etag[8]) {
  for (int i = 0; i < 4; ++i) etag[i] = (uint8_t)(version >> (24 - 8 * i));
  return 4;
}

static uint32_t format_of(const copal_view *message) {
  return copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
}
