/* GET /.well-known/core: the routes as link format, filtered by the request's query, of any length: only the bytes of
 * the wanted block are written. RFC 6690 sections 4 and 4.1, RFC 7641 section 6. */
#include <string.h>

#include "base/text.h"
#include "message/link.h"
#include "rest/request.h"

/* RFC 6690 4.1: the query is "a 1-element list that has a single name/value pair". A few more do no harm; hundreds,
 * each compared with each link, would be much work for one datagram. */
enum { FILTERS_MAX = 4 };

/* A piece of a link on its way into the list. */
struct list {
  uint8_t *buffer; /* takes bytes from offset on, size of them */
  uint64_t offset;
  size_t size, taken;
  uint64_t position; /* of the whole list */
  const struct hash_key *key;
  struct hash_state *hash; /* of all of it, if that is wanted */
};

static void append(struct list *list, const void *bytes, size_t size) {
  uint64_t from = list->position, to = from + size, end = list->offset + list->size;
  list->position = to;
  if (list->hash != NULL) hash_add(list->hash, hash_bytes(list->key, bytes, size));
  if (from < list->offset) from = list->offset;
  if (to > end) to = end;
  if (from >= to) return;
  const uint8_t *source = (const uint8_t *)bytes + (from - (list->position - size));
  memcpy(list->buffer + (from - list->offset), source, (size_t)(to - from));
  list->taken += (size_t)(to - from);
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

/* RFC 7641 6: the attribute "obs" is "a hint indicating that the destination of a link is useful for observation". */
static const copal_bytes observable = {(const uint8_t *)"obs", 3};

static copal_bytes attributes_of(const struct route *route) {
  return (copal_bytes){(const uint8_t *)route->attributes,
                       route->attributes == NULL ? 0 : text_size(route->attributes)};
}

/* RFC 6690 4.1: only links that match the query are returned. Several arguments must all match. */
static bool is_wanted(const copal_view *request, const struct route *route, copal_bytes target) {
  copal_options walk = copal_options_of(request);
  copal_option option;
  copal_bytes attributes = attributes_of(route);
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_QUERY) continue;
    copal_bytes argument = {option.value, option.size};
    if (link_matches(target, attributes, argument)) continue;
    if (!route->observable || !link_matches(target, observable, argument)) return false;
  }
  return true;
}

static void append_link(struct list *list, const struct route *route, copal_bytes target) {
  if (list->position > 0) append(list, ",", 1);
  append(list, "<", 1);
  append(list, target.data, target.size);
  append(list, ">", 1);
  if (route->attributes != NULL) {
    append(list, ";", 1);
    append(list, route->attributes, text_size(route->attributes));
  }
  /* RFC 7641 6: "The "obs" attribute MUST NOT appear more than once in a given link-value". */
  if (!route->observable || link_matches(target, attributes_of(route), observable)) return;
  append(list, ";", 1);
  append(list, observable.data, observable.size);
}

/* Writes the list up to the end of what is wanted; where its hash is wanted, all of it. */
static void write_list(const struct copal_request *request, struct list *list) {
  const struct routes *routes = request->routes;
  for (uint32_t index = 0; index < routes->slab.fresh; ++index) {
    const struct route *route = &routes->records[index];
    copal_bytes target = {(const uint8_t *)route->pattern, target_size(routes, index)};
    if (target.size > 0 && is_wanted(&request->rx.message, route, target)) append_link(list, route, target);
    if (list->hash == NULL && list->position >= list->offset + list->size) break;
  }
}

static uint64_t read_list(void *context, uint64_t offset, void *buffer, size_t size) {
  struct list list = {.buffer = buffer, .offset = offset, .size = size};
  write_list((const struct copal_request *)context, &list);
  return list.taken;
}

/* The list's size, and the ETag that RFC 7959 2.4 wants in each of its blocks: "The server SHOULD include an ETag
 * Option in each response". */
static uint64_t measure_list(struct copal_request *request) {
  struct hash_state hash = hash_begin(&request->routes->key);
  struct list list = {.key = &request->routes->key, .hash = &hash};
  write_list(request, &list);
  uint64_t etag = hash_end(&hash);
  memcpy(request->etag, &etag, ETAG_SIZE_MAX);
  request->etag_size = ETAG_SIZE_MAX;
  return list.position;
}

static bool has_few_filters(const copal_view *request) {
  copal_options walk = copal_options_of(request);
  copal_option option;
  uint32_t count = 0;
  while (copal_options_next(&walk, &option)) count += option.number == COPAL_OPTION_URI_QUERY;
  return count <= FILTERS_MAX;
}

/* RFC 6690 4: "The resource representation of this resource MUST be the CoRE Link Format". */
void request_reply_core(struct copal_request *request) {
  if (!has_few_filters(&request->rx.message)) {
    copal_reply_problem(request, COPAL_BAD_REQUEST, "too many filters");
    return;
  }
  uint64_t size = measure_list(request);
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_LINK_FORMAT);
  copal_reply_reader(request, size, read_list, request);
  if (!request->in_blocks) request->etag_size = 0; /* a short list does without */
}
