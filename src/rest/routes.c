/* See routes.h. Backtracking is bounded: a path step reaches each record at most once. */
#include "rest/routes.h"

#include <assert.h>
#include <string.h>

void routes_init(struct routes *routes, struct layout *layout, uint32_t count_max, struct hash_key key) {
  uint32_t segments_max = count_max * 2 + 1;
  routes->records = (struct route *)layout_take(layout, segments_max, sizeof(struct route));
  slab_init(&routes->slab, routes->records, sizeof(struct route), segments_max);
  routes->handlers = (struct route_handler *)layout_take(layout, count_max, sizeof(struct route_handler));
  slab_init(&routes->handler_slab, routes->handlers, sizeof(struct route_handler), count_max);
  table_init(&routes->literals, layout, segments_max);
  routes->key = key;
}

static uint64_t stir(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

/* What stands in the table is the program's own, so a peer can make no walk longer than that, and this will do. */
static uint32_t segment_hash(uint32_t parent, copal_bytes segment) {
  uint64_t hash = parent ^ (uint64_t)segment.size << 32;
  size_t at = 0;
  for (; segment.size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, segment.data + at, sizeof word);
    hash = stir(hash, word);
  }
  return (uint32_t)(stir(hash, hash_rest(segment.data + at, segment.size - at)) >> 8);
}

static bool equal(copal_bytes a, copal_bytes b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static uint32_t find_literal(const struct routes *routes, uint32_t parent, copal_bytes segment) {
  uint32_t index;
  struct table_walk walk = table_walk(segment_hash(parent, segment));
  while ((index = table_next(&routes->literals, &walk)) != INDEX_NONE)
    if (routes->records[index].parent == parent && equal(routes->records[index].segment, segment)) return index;
  return INDEX_NONE;
}

/* --- Registration ----------------------------------------------------------------------------- */

static uint32_t new_route(struct routes *routes, uint32_t parent, enum route_kind kind, copal_bytes segment) {
  uint32_t index = slab_take(&routes->slab);
  if (index == INDEX_NONE) return INDEX_NONE;
  routes->records[index] = (struct route){.segment = segment,
                                          .parent = parent,
                                          .parameter = INDEX_NONE,
                                          .tail = INDEX_NONE,
                                          .handlers = INDEX_NONE,
                                          .kind = (uint8_t)kind};
  return index;
}

/* The first segment of what is left of a pattern; the rest begins behind its "/", or is NULL. */
static copal_bytes take_segment(const char **rest) {
  const char *start = *rest, *end = start;
  while (*end != 0 && *end != '/') ++end;
  *rest = *end == '/' ? end + 1 : NULL;
  return (copal_bytes){(const uint8_t *)start, (size_t)(end - start)};
}

static enum route_kind kind_of(copal_bytes *segment, bool last) {
  if (last && segment->size == 1 && segment->data[0] == '*') return ROUTE_TAIL;
  if (segment->size < 2 || segment->data[0] != '{' || segment->data[segment->size - 1] != '}') return ROUTE_LITERAL;
  *segment = (copal_bytes){segment->data + 1, segment->size - 2};
  return ROUTE_PARAMETER;
}

/* The child of parent for a segment; made, if asked to. */
static uint32_t child(struct routes *routes, uint32_t parent, enum route_kind kind, copal_bytes segment, bool make) {
  uint32_t index = INDEX_NONE;
  switch (kind) {
    case ROUTE_LITERAL: index = find_literal(routes, parent, segment); break;
    case ROUTE_PARAMETER: index = routes->records[parent].parameter; break;
    case ROUTE_TAIL: index = routes->records[parent].tail; break;
  }
  if (index != INDEX_NONE || !make) return index;
  index = new_route(routes, parent, kind, segment);
  if (index == INDEX_NONE) return INDEX_NONE;
  switch (kind) {
    case ROUTE_LITERAL: table_insert(&routes->literals, segment_hash(parent, segment), index); break;
    case ROUTE_PARAMETER: routes->records[parent].parameter = index; break;
    case ROUTE_TAIL: routes->records[parent].tail = index; break;
  }
  return index;
}

static copal_error reach(struct routes *routes, const char *pattern, bool make, uint32_t *index) {
  if (pattern[0] != '/') return COPAL_ERR_ROUTE_PATTERN;
  /* There is always room for the root. */
  if (routes->slab.count == 0) new_route(routes, INDEX_NONE, ROUTE_LITERAL, (copal_bytes){NULL, 0});
  *index = ROUTE_ROOT;
  /* "/" is the root itself; every other "/" begins a segment. */
  for (const char *rest = pattern[1] == 0 ? NULL : pattern + 1; rest != NULL;) {
    copal_bytes segment = take_segment(&rest);
    enum route_kind kind = kind_of(&segment, rest == NULL);
    uint32_t next = child(routes, *index, kind, segment, make);
    if (next == INDEX_NONE) return make ? COPAL_ERR_ROUTES_FULL : COPAL_ERR_NOT_FOUND;
    if (!equal(routes->records[next].segment, segment)) return COPAL_ERR_ROUTE_PATTERN; /* {a} beside {b} */
    *index = next;
  }
  return COPAL_OK;
}

copal_error routes_add(struct routes *routes, copal_code method, const char *pattern, copal_handler *handler,
                       void *context) {
  assert(copal_code_is_request(method) && handler != NULL);
  if (routes->handler_slab.count == routes->handler_slab.count_max) return COPAL_ERR_ROUTES_FULL;
  uint32_t index;
  copal_error error = reach(routes, pattern, true, &index);
  if (error != COPAL_OK) return error;
  if (routes_handler(routes, index, (uint8_t)method) != NULL) return COPAL_ERR_ROUTE_PATTERN;
  struct route *route = &routes->records[index];
  uint32_t taken = slab_take(&routes->handler_slab);
  routes->handlers[taken] = (struct route_handler){
      .handler = handler, .context = context, .next = route->handlers, .method = (uint8_t)method};
  route->handlers = taken;
  route->pattern = pattern;
  return COPAL_OK;
}

struct route *routes_find(struct routes *routes, const char *pattern) {
  uint32_t index;
  copal_error error = reach(routes, pattern, false, &index);
  if (error != COPAL_OK || routes->records[index].pattern == NULL) return NULL;
  return &routes->records[index];
}

/* --- Lookup ----------------------------------------------------------------------------------- */

static bool next_segment(copal_options *walk, copal_bytes *segment) {
  copal_option option;
  while (copal_options_next(walk, &option)) {
    if (option.number > COPAL_OPTION_URI_PATH) return false;
    if (option.number < COPAL_OPTION_URI_PATH) continue;
    *segment = (copal_bytes){option.value, option.size};
    return true;
  }
  return false;
}

/* Recursive, no deeper than the longest pattern: what is in a request cannot lead below the tree. */
static uint32_t match_below(const struct routes *routes, uint32_t index, /* NOLINT(misc-no-recursion) */
                            copal_options walk) {
  const struct route *route = &routes->records[index];
  copal_bytes segment;
  if (!next_segment(&walk, &segment)) return route->pattern != NULL ? index : route->tail;
  uint32_t found = find_literal(routes, index, segment);
  if (found != INDEX_NONE) found = match_below(routes, found, walk);
  if (found == INDEX_NONE && route->parameter != INDEX_NONE) found = match_below(routes, route->parameter, walk);
  return found == INDEX_NONE ? route->tail : found;
}

uint32_t routes_match(const struct routes *routes, const copal_view *request) {
  if (routes->slab.count == 0) return INDEX_NONE;
  return match_below(routes, ROUTE_ROOT, copal_options_of(request));
}

struct route_handler *routes_handler(const struct routes *routes, uint32_t index, uint8_t method) {
  for (uint32_t at = routes->records[index].handlers; at != INDEX_NONE; at = routes->handlers[at].next)
    if (routes->handlers[at].method == method) return &routes->handlers[at];
  return NULL;
}

bool routes_is_literal(const struct routes *routes, uint32_t index) {
  for (uint32_t at = index; at != INDEX_NONE; at = routes->records[at].parent)
    if (routes->records[at].kind != ROUTE_LITERAL) return false;
  return true;
}

uint32_t routes_depth(const struct routes *routes, uint32_t index) {
  uint32_t depth = 0;
  assert(index != ROUTE_ROOT);
  for (uint32_t at = routes->records[index].parent; at != ROUTE_ROOT; ++depth) at = routes->records[at].parent;
  return depth;
}
