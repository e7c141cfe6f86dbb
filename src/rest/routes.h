/* Which handler a path has: a tree of segments in which each step is one hash lookup, so that the number of routes does
 * not matter. Patterns are borrowed. */
#ifndef COPAL_REST_ROUTES_H
#define COPAL_REST_ROUTES_H

#include "base/hash.h"
#include "base/slab.h"
#include "base/table.h"
#include "copal/rest.h"

/* One segment below its parent. A segment's kind decides who wins: literal before parameter before tail. */
enum route_kind { ROUTE_LITERAL, ROUTE_PARAMETER, ROUTE_TAIL };

struct route {
  copal_bytes segment;    /* of a parameter: its name */
  const char *pattern;    /* of the route that ends here, or NULL */
  const char *attributes; /* of its link, or NULL */
  const uint16_t *offers; /* Content-Formats of replies, or NULL for any */
  copal_version_function *version;
  void *version_context;
  copal_time confirm_every; /* of notifications */
  uint32_t offers_count;
  uint32_t parent;
  uint32_t parameter, tail; /* children */
  uint32_t handlers;        /* list, or INDEX_NONE */
  uint8_t kind;
  bool observable;
};

struct route_handler {
  copal_handler *handler;
  void *context;
  copal_abandon *abandon;
  const uint16_t *takes; /* Content-Formats of payloads, or NULL for any */
  uint32_t takes_count;
  uint32_t next;
  uint8_t method;
  bool in_parts; /* called with each part of a body */
};

struct routes {
  struct route *records;
  struct slab slab;
  struct route_handler *handlers;
  struct slab handler_slab;
  struct table literals; /* by parent and segment */
  struct hash_key key;
};

enum { ROUTE_ROOT = 0 };

void routes_init(struct routes *routes, struct layout *layout, uint32_t count_max, struct hash_key key);

copal_error routes_add(struct routes *routes, copal_code method, const char *pattern, copal_handler *handler,
                       void *context);

/* The route of a pattern that has a handler, to be described further; NULL where there is none. */
struct route *routes_find(struct routes *routes, const char *pattern);

/* The route that a request's Uri-Path leads to, or INDEX_NONE. */
uint32_t routes_match(const struct routes *routes, const copal_view *request);

/* A route's handler for a method, or NULL. */
struct route_handler *routes_handler(const struct routes *routes, uint32_t index, uint8_t method);

/* Whether a route has no parameter and no tail. */
bool routes_is_literal(const struct routes *routes, uint32_t index);

/* How many segments lie above a route's own: a parameter's position in the path. */
uint32_t routes_depth(const struct routes *routes, uint32_t index);

#endif
