/* GET /.well-known/core: the routes as link format, filtered by the request's query. RFC 6690 sections 4 and 4.1,
 * RFC 7641 section 6. */
#include <string.h>

#include "base/text.h"
#include "rest/request.h"

/* The list under construction, right where the reply's payload will stand. */
struct list {
  uint8_t *bytes;
  size_t capacity, size;
  bool full;
};

static void append(struct list *list, const void *bytes, size_t size) {
  if (size > list->capacity - list->size) {
    list->full = true;
    return;
  }
  memcpy(list->bytes + list->size, bytes, size);
  list->size += size;
}

/* A pattern with a parameter is no link. One with a tail is a link to what it begins with. */
static size_t target_size(const struct routes *routes, uint32_t index) {
  const struct route *route = &routes->records[index];
  if (route->pattern == NULL) return 0;
  if (!routes_is_literal(routes, route->kind == ROUTE_TAIL ? route->parent : index)) return 0;
  size_t size = text_size(route->pattern);
  if (route->kind != ROUTE_TAIL) return size;
  if (routes->records[route->parent].pattern != NULL) return 0; /* that one is listed */
  return size > 2 ? size - 2 : 1;                               /* "/a" of a tail below it, "/" of one at the root */
}

/* RFC 6690 4.1: only links that match the query are returned. Several arguments must all match. */
static bool is_wanted(const copal_view *request, const copal_link *link) {
  copal_options walk = copal_options_of(request);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_QUERY) continue;
    if (!copal_link_matches(link, (copal_bytes){option.value, option.size})) return false;
  }
  return true;
}

static bool read_back(const struct list *list, size_t start, copal_link *link) {
  copal_bytes written = {list->bytes + start, list->size - start};
  return !list->full && copal_link_next(&written, link) == 1;
}

static void append_link(struct list *list, const copal_view *request, const struct route *route, size_t size) {
  size_t start = list->size;
  if (start > 0) append(list, ",", 1);
  size_t link_start = list->size;
  append(list, "<", 1);
  append(list, route->pattern, size);
  append(list, ">", 1);
  if (route->attributes != NULL) {
    append(list, ";", 1);
    append(list, route->attributes, text_size(route->attributes));
  }
  copal_link link;
  if (!read_back(list, link_start, &link)) return;
  copal_link_parameter obs;
  /* RFC 7641 6: "The "obs" attribute MUST NOT appear more than once in a given link-value". */
  if (route->observable && !copal_link_find(&link, "obs", &obs)) append(list, ";obs", 4);
  if (!read_back(list, link_start, &link) || !is_wanted(request, &link)) list->size = start;
}

void request_reply_core(struct copal_request *request) {
  const struct routes *routes = request->routes;
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_LINK_FORMAT);
  struct list list = {.size = 0};
  list.bytes = copal_message_payload_room(reply, &list.capacity);
  for (uint32_t index = 0; index < routes->slab.fresh && !list.full; ++index) {
    size_t size = target_size(routes, index);
    if (size > 0) append_link(&list, &request->rx.message, &routes->records[index], size);
  }
  if (list.full)
    copal_reply_code(request, COPAL_INTERNAL_SERVER_ERROR);
  else
    copal_message_set_payload(reply, list.bytes, list.size);
}
