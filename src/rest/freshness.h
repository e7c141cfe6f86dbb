/* Which of two notifications is the newer one, and how long it may be relied on, as a client sees it. RFC 7641 sections
 * 3.3.1 and 3.4. */
#ifndef COPAL_REST_FRESHNESS_H
#define COPAL_REST_FRESHNESS_H

#include "base/random.h"
#include "copal/copal.h"

/* The freshest notification so far. */
struct freshness {
  uint32_t sequence;
  copal_time at;
  bool known; /* there was one */
};

enum { OBSERVE_BITS = 24, MAX_AGE_DEFAULT = 60 };

/* RFC 7641 3.4: "a client MUST consider the notification that was sent most recently as the freshest, regardless of
 * the order of arrival." */
static inline bool freshness_is_newer(const struct freshness *latest, uint32_t sequence, copal_time now) {
  /* RFC 7641 3.4: "(V1 < V2 and V2 - V1 < 2^23) or (V1 > V2 and V1 - V2 > 2^23) or (T2 > T1 + 128 seconds)" */
  uint32_t half = (uint32_t)1 << (OBSERVE_BITS - 1), ahead = (sequence - latest->sequence) & (2 * half - 1);
  return !latest->known || (ahead > 0 && ahead < half) || now > latest->at + 128 * COPAL_SECOND;
}

/* When to ask again. RFC 7641 3.3.1: "the client SHOULD at least wait for a random amount of time between 5 and 15
 * seconds after Max-Age expired to reduce collisions with other clients." */
static inline copal_time freshness_renewal(copal_time now, uint32_t max_age, struct random *random) {
  return now + max_age * COPAL_SECOND + 5 * COPAL_SECOND + random_up_to(random, 10 * COPAL_SECOND);
}

#endif
