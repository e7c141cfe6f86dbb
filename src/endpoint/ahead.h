/* Looks at the datagrams that come next and has the processor fetch the records that they will need, all at once: with
 * many peers and exchanges each record is a wait for memory, and one after the other they take most of the time. */
#ifndef COPAL_ENDPOINT_AHEAD_H
#define COPAL_ENDPOINT_AHEAD_H

#include "endpoint/paths.h"

/* How many are looked at together. */
enum { AHEAD_MAX = 8 };

/* What is known of a datagram before it is taken. */
struct ahead {
  struct path path;
  uint64_t identity; /* of path, and */
  uint32_t hash;
  uint32_t fingerprint; /* of the bytes; of what comes in an ACK neither this nor the identity */
  uint32_t exchange;    /* that the token names, or INDEX_NONE */
  bool multicast;
};

/* Looks at up to AHEAD_MAX datagrams. Nothing changes but what is in the processor's caches. */
void endpoint_look_ahead(const copal_endpoint *endpoint, const copal_datagram *datagrams, size_t count,
                         struct ahead ahead[AHEAD_MAX]);

#endif
