/* Peers whose message IDs are spent: RFC 7252 4.4 has none used twice within EXCHANGE_LIFETIME. Include after
 * cmocka.h. */
#ifndef COPAL_TESTS_SPENT_H
#define COPAL_TESTS_SPENT_H

#include "endpoint/endpoint.h"

/* From now on, and for EXCHANGE_LIFETIME, nothing that needs a new message ID can be sent to a peer: as if it had been
 * sent as many messages as there are IDs in half of them. */
static inline void spend_message_ids(copal_endpoint *endpoint, uint32_t peer) {
  struct peer *record = &endpoint->engine.peers.records[peer];
  record->next_mid = 0x8000;
  record->other_half = coarse_time(endpoint->engine.now);
  record->flags |= PEER_OTHER_HALF_USED | PEER_SENT;
}

#endif
