/* Addresses that are being verified, and the answers that wait for it. A verification is a pair of pings, and a spare
 * one: who answers two with a Reset has received them. Records are found by peer; their answers are a list. */
#ifndef COPAL_ENDPOINT_VERIFY_H
#define COPAL_ENDPOINT_VERIFY_H

#include "base/hash.h"
#include "base/slab.h"
#include "base/table.h"
#include "copal/copal.h"

/* An answer that waits, encoded in the exchanges' store. */
struct held {
  uint32_t next; /* for the same peer */
  uint32_t message;
  uint32_t deferred; /* the request that it answers */
  uint16_t size;
};

/* How much of the records may be used up, in quarters, for whom: an answer to what was executed cannot be asked for
 * again, another one can, and an address may be verified later as well. */
enum { VERIFY_EXECUTED = 4, VERIFY_REPEATABLE = 3, VERIFY_FOR_LATER = 2 };

enum {
  VERIFY_PAIR = 2,
  VERIFY_PINGS = 3,
  /* RFC 9175 2.4: "Given the token also takes up space in the request, responding with 132 bytes after the token is
   * safe as well." */
  SMALL_SIZE = 136
};

struct verification {
  uint32_t peer;
  uint32_t first, last;         /* of the answers held */
  copal_tx pings[VERIFY_PINGS]; /* those under way; the last is the spare one */
  uint8_t awaited;              /* Resets */
  uint8_t strays;               /* Resets that belong to no ping */
};

struct verifications {
  struct verification *records;
  struct slab slab;
  struct held *held;
  struct slab held_slab;
  struct table index; /* by peer */
  struct hash_key key;
  uint32_t amplification_max; /* 0: nothing is limited */
};

/* How many addresses may be verified at a time, and how many answers may wait for it. */
uint32_t verifications_max(const copal_config *config);

void verifications_init(struct verifications *verifications, struct layout *layout, const copal_config *config,
                        struct hash_key key);

/* Whether less than so many quarters of the records are in use. */
static inline bool verifications_have_room(const struct verifications *verifications, uint32_t quarters) {
  const struct slab *records = &verifications->slab, *held = &verifications->held_slab;
  uint32_t count = records->count > held->count ? records->count : held->count;
  return (uint64_t)count * 4 < (uint64_t)records->count_max * quarters;
}

#endif
