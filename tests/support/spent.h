/* What may be spent, and comes back: a peer's message IDs, and the memory for messages. Include after cmocka.h. */
#ifndef COPAL_TESTS_SPENT_H
#define COPAL_TESTS_SPENT_H

#include "endpoint/endpoint.h"

/* From now on, and for EXCHANGE_LIFETIME, nothing that needs a new message ID can be sent to a peer: as if it had been
 * sent as many messages as there are IDs in half of them. RFC 7252 4.4. */
static inline void spend_message_ids(copal_endpoint *endpoint, uint32_t peer) {
  struct peer *record = &endpoint->engine.peers.records[peer];
  record->next_mid = 0x8000;
  record->other_half = coarse_time(endpoint->engine.now);
  record->flags |= PEER_OTHER_HALF_USED | PEER_SENT;
}

enum { SPENT_SLOTS_MAX = 4096 };

struct spent {
  struct store *store;
  uint32_t slots[SPENT_SLOTS_MAX];
  uint32_t count;
};

/* All that is free of a store is taken, in its smallest slots, and given back one by one. */
static inline void spend_store(struct spent *spent, struct store *store) {
  spent->store = store;
  spent->count = 0;
  for (uint32_t slot; (slot = store_take(store, 1)) != INDEX_NONE; ++spent->count) {
    assert_true(spent->count < SPENT_SLOTS_MAX);
    spent->slots[spent->count] = slot;
  }
}

static inline void give_back(struct spent *spent, uint32_t count) {
  assert_true(count <= spent->count);
  while (count-- > 0) store_give(spent->store, spent->slots[--spent->count]);
}

static inline void give_all_back(struct spent *spent) { give_back(spent, spent->count); }

#endif
