/* A walk over CBOR data items and what stands in them, checked as it goes: what it has passed is well-formed, its text
 * is UTF-8. Without recursion, since a peer decides how deep items nest. */
#ifndef COPAL_CLI_DATA_CBOR_WALK_H
#define COPAL_CLI_DATA_CBOR_WALK_H

#include "cli/data/cbor.h"

enum cbor_event {
  CBOR_ITEM,  /* a head; of what holds others, these follow up to its CBOR_CLOSE */
  CBOR_CLOSE, /* nothing more stands in a tag, an array, a map or a string in chunks; head is what it began with */
  CBOR_END,
  CBOR_WRONG /* not well-formed: walk->wrong says why */
};

struct cbor_step {
  enum cbor_event event;
  struct cbor_head head;
  bool outermost;        /* it stands in nothing; else in */
  enum cbor_kind within; /* this, */
  uint64_t index;        /* behind so many other items; keys and values of a map count alike */
  uint64_t count;        /* of CBOR_CLOSE: how many items stood in it */
};

struct cbor_level {
  struct cbor_head head;
  uint64_t index; /* items so far */
};

struct cbor_walk {
  copal_bytes rest;
  bool sequence;  /* any number of items (RFC 8742), else one */
  uint64_t index; /* outermost items so far */
  unsigned depth;
  struct cbor_level levels[CBOR_NESTING_MAX];
  const char *wrong;
};

/* Whether other items stand in what has this head: in a tag, an array, a map, a string in chunks. */
bool cbor_holds(const struct cbor_head *head);

void cbor_walk_begin(struct cbor_walk *walk, copal_bytes bytes, bool sequence);

/* The next step; CBOR_END and CBOR_WRONG come again and again. */
struct cbor_step cbor_walk_next(struct cbor_walk *walk);

/* Whether bytes are one CBOR item, or a sequence of them. If not, wrong says why. */
bool cbor_walk_check(copal_bytes bytes, bool sequence, const char **wrong);

#endif
