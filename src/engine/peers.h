/* What the engine knows of each peer: whether it is busy, how many interactions are outstanding (NSTART), its next
 * message ID, how soon a silent one may be sent to again (PROBING_RATE). A peer is an index; whose address that is,
 * only the endpoint knows. RFC 7252 sections 4.4, 4.7. */
#ifndef COPAL_ENGINE_PEERS_H
#define COPAL_ENGINE_PEERS_H

#include <stdbool.h>

#include "base/layout.h"
#include "base/random.h"
#include "base/slab.h"
#include "copal/copal.h"

/* A clock of 2^24 ns, 17 ms, which wraps after two years: good for lifetimes in records that must be small. */
#define COARSE_UNIT ((copal_time)1 << 24)

static inline uint32_t coarse_time(copal_time now) { return (uint32_t)(now / COARSE_UNIT); }

/* Whether at least `age` has passed since then. The first unit may have been almost over when it was noted. */
static inline bool coarse_passed(uint32_t then, copal_time age, copal_time now) {
  return coarse_time(now) - then > coarse_time(age + COARSE_UNIT - 1);
}

struct peer {
  union {
    struct {
      uint32_t newer, older; /* idle peers by last use */
    } idle;
    struct {
      uint32_t waiting; /* first exchange that waits its turn, or INDEX_NONE */
      uint32_t holds;   /* exchanges and deferred responses that refer to this peer */
    } busy;
  } as;
  union {
    uint32_t probing_until; /* PEER_SILENT, coarse: until then no NON request, unless it is heard from */
    uint32_t asked_until;   /* PEER_ASKED: what its requests have used up, in requests of its rate since time 0 */
  } limit;
  uint32_t other_half; /* coarse: when the other half of the message IDs was last used */
  uint16_t next_mid;
  uint16_t generation;     /* counts the peers that had this record */
  uint16_t unsafe_replies; /* replies to unsafe requests remembered for it */
  uint8_t outstanding;     /* interactions, at most NSTART */
  uint8_t flags;
};

enum peer_flags {
  PEER_BUSY = 1,
  PEER_SILENT = 2,
  PEER_OTHER_HALF_USED = 4,
  PEER_GROUP = 8,
  PEER_VERIFIED = 16, /* it has shown that it receives what is sent to its address */
  PEER_SENT = 32,     /* it has been given a message ID */
  PEER_ASKED = 64     /* it has asked since it was last silent */
};

struct peers {
  struct peer *records;
  struct slab slab;
  uint32_t newest, oldest; /* idle */
};

void peers_init(struct peers *peers, struct layout *layout, uint32_t count_max);

/* A record for a new peer. When all are taken, the least recently used idle one makes room: its index is the result and
 * evicted is set. INDEX_NONE when every peer is busy. */
uint32_t peers_take(struct peers *peers, struct random *random, bool *evicted);

/* Whether a new peer would find a record; where there is but one, nobody expects to. */
static inline bool peers_have_room(const struct peers *peers) {
  return peers->slab.count < peers->slab.count_max || peers->oldest != INDEX_NONE || peers->slab.count_max == 1;
}

/* Two records may be of one remote address, for which message IDs are to differ: a new one begins half of them apart.
 */
void peers_set_apart(struct peers *peers, uint32_t index, uint32_t other);

/* Notes that an idle peer was used. */
void peers_touch(struct peers *peers, uint32_t index);

/* A busy peer stays: each hold needs its release. */
void peers_hold(struct peers *peers, uint32_t index);
void peers_release(struct peers *peers, uint32_t index);

/* The next message ID for this peer; it stays the next until it is taken. False when every one was used within the last
 * lifetime (RFC 7252 4.4). */
bool peers_next_mid(const struct peers *peers, uint32_t index, copal_time now, copal_time lifetime, uint16_t *mid);

/* Takes the message ID that peers_next_mid gave. */
void peers_take_mid(struct peers *peers, uint32_t index, copal_time now);

/* Moves the next message ID ahead by a random distance, at most half of the way that is free, so that nobody can tell
 * it from earlier ones; the very first is random anyway. False when less than 8,192 IDs are free. Not for groups. */
bool peers_skip_mids(struct peers *peers, uint32_t index, struct random *random, copal_time now, copal_time lifetime);

/* Whether a peer, which is heard from, may make another request now that its rate is so many a second: as many at once,
 * and then one at a time. Notes the request if so. */
bool peers_may_ask(struct peers *peers, uint32_t index, uint32_t rate, copal_time now);

/* Notes that a message ID chosen earlier starts its lifetime only now. */
void peers_mid_used(struct peers *peers, uint32_t index, uint16_t mid, copal_time now);

#endif
