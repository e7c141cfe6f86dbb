/* The memory of what was received and how it was answered, so that a duplicate is processed once and answered alike: a
 * ring of entries in order of arrival, each followed by its reply's bytes. The oldest make room. RFC 7252 section 4.5.
 * An entry's peer is remembered by a hash of its address, which outlives the peer's record. */
#ifndef COPAL_ENGINE_REPLIES_H
#define COPAL_ENGINE_REPLIES_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/table.h"
#include "copal/copal.h"
#include "engine/peers.h"

enum reply_state {
  REPLY_DEAD,    /* not found any more: superseded, or a gap */
  REPLY_BEGUN,   /* its handler is being called, whose reply stands behind the entry: nobody else's may */
  REPLY_PENDING, /* being processed: nothing to repeat yet */
  REPLY_MESSAGE, /* answered with the bytes behind the entry */
  REPLY_ACK,     /* answered with an empty ACK */
  REPLY_RESET,   /* rejected */
  REPLY_NOTHING  /* needs no answer */
};

struct reply {
  uint64_t identity;    /* hash of who sent the message */
  uint32_t fingerprint; /* hash of the message's bytes */
  uint32_t time;        /* coarse, of arrival */
  uint32_t peer;        /* for the count in its record, if it still has that generation */
  uint16_t size;        /* of the reply behind this entry */
  uint16_t mid;
  uint16_t peer_generation;
  uint16_t extent; /* entry, reply and unused room, in units of 8 bytes */
  uint8_t state;
  uint8_t pins; /* times it waits in the outbox or is being sent */
  bool con;
  bool found; /* is in the index */
};

struct replies {
  uint8_t *bytes;
  uint32_t size;
  uint32_t head, tail, used;
  uint32_t count; /* in the index */
  uint32_t count_max;
  struct table index;
  bool unsafe; /* entries stay for their lifetime: a full ring takes no more */
};

/* Who sent a message, and which. */
struct reply_key {
  uint64_t identity;
  uint32_t fingerprint;
  uint16_t mid;
  bool con;
  bool unsafe; /* kept among the replies to requests that must not be executed twice */
};

void replies_init(struct replies *replies, struct layout *layout, uint32_t size, bool unsafe);

/* How many bytes fit behind an entry. */
static inline size_t reply_room(const struct reply *reply) { return (size_t)reply->extent * 8 - sizeof *reply; }

static inline uint8_t *reply_bytes(struct reply *reply) { return (uint8_t *)reply + sizeof *reply; }

/* Whether three quarters of the entries are taken, or of the room that replies of at most size_max bytes can use. */
bool replies_are_scarce(const struct replies *replies, size_t size_max);

/* The entry of a duplicate, or NULL. lifetimes: of CON and of NON messages. */
struct reply *replies_find(const struct replies *replies, const struct reply_key *key, copal_time now,
                           copal_time con_lifetime, copal_time non_lifetime);

/* Has the processor fetch what the search for a duplicate begins with. */
void replies_prefetch(const struct replies *replies, uint64_t identity, uint32_t fingerprint);

/* A pending entry with room for a reply of size_max bytes. What has outlived its time is dropped to make it, and on a
 * ring that is not unsafe what has not, too: evicted counts these. NULL when there is no room. */
struct reply *replies_take(struct replies *replies, struct peers *peers, const struct reply_key *key, uint32_t peer,
                           size_t size_max, copal_time now, copal_time lifetime, uint64_t *evicted);

/* Closes an entry: the reply has size bytes. The room that it does not need goes back if it was the last one taken. */
void replies_close(struct replies *replies, struct reply *reply, uint8_t state, size_t size);

/* Drops the oldest entries as far as they have outlived their time. */
void replies_expire(struct replies *replies, struct peers *peers, copal_time now, copal_time lifetime);

/* Makes an entry a dead one: its message will not be recognised again. */
void replies_drop(struct replies *replies, struct peers *peers, struct reply *reply);

static inline uint32_t reply_offset(const struct replies *replies, const struct reply *reply) {
  return (uint32_t)((const uint8_t *)reply - replies->bytes);
}

static inline struct reply *reply_at(const struct replies *replies, uint32_t offset) {
  return (struct reply *)(void *)(replies->bytes + offset);
}

#endif
