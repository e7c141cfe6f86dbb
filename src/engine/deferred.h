/* Responses owed: requests whose handler will answer later. Until the ACK has gone, an answer can be piggybacked; after
 * ack_delay the empty ACK goes on its own, and the answer becomes a separate response. RFC 7252 section 5.2.2. */
#ifndef COPAL_ENGINE_DEFERRED_H
#define COPAL_ENGINE_DEFERRED_H

#include "engine/engine.h"

struct deferred {
  uint32_t next, previous; /* of those whose ACK is owed, a ring in order of time */
  uint32_t generation;
  uint32_t peer;
  copal_time ack_at; /* COPAL_NEVER: gone, or none is needed (NON) */
  struct reply_key key;
  uint32_t token; /* slot in the exchanges' store */
  uint16_t token_size;
  uint16_t request_size;   /* bytes */
  uint8_t code;            /* of the request */
  uint8_t no_response;     /* its No-Response option, or NO_RESPONSE_ABSENT */
  uint32_t block1, block2; /* its Block options, or UINT32_MAX; block2 may be that of Q-Block2 */
  uint64_t options;        /* hash of what makes it one with its other blocks */
  bool used;
  bool multicast;
  bool quick; /* it has a Q-Block option */
  bool held;  /* its answer is known, and waits for an address to be verified */
};

struct deferreds {
  struct deferred *records;
  struct slab slab;
  uint32_t first;          /* whose ACK is due next */
  uint32_t owed, owed_max; /* by the application */
};

/* For so many that the application answers, and so many whose answers are held: neither take the others' room. */
void deferreds_init(struct deferreds *deferreds, struct layout *layout, uint32_t owed_max, uint32_t held_max);

/* Notes that a request will be answered later; held: not by the application. INDEX_NONE when there is no room. */
uint32_t deferred_take(struct deferreds *deferreds, struct engine *engine, const struct incoming *incoming, bool held);

/* The application has answered, and the answer is held: handles that were given out for the record are stale. */
void deferred_hold(struct deferreds *deferreds, uint32_t index);

/* Its answer is on the way, or will never be. */
void deferred_give(struct deferreds *deferreds, struct engine *engine, uint32_t index);

/* When the next empty ACK is due; COPAL_NEVER for none. */
copal_time deferred_next_ack(const struct deferreds *deferreds);

/* Takes one off the ring whose ACK is due; INDEX_NONE when none is. */
uint32_t deferred_take_ack(struct deferreds *deferreds, copal_time now);

/* The record that a handle names, or INDEX_NONE. */
uint32_t deferred_of(const struct deferreds *deferreds, uint32_t index, uint32_t generation);

#endif
