/* What both ends of a Q-Block transfer go by: blocks travel in sets of MAX_PAYLOADS, and each end waits by the same
 * clock. RFC 9177 section 7.2. */
#ifndef COPAL_REST_QBLOCK_H
#define COPAL_REST_QBLOCK_H

#include "base/random.h"
#include "copal/copal.h"

enum {
  QBLOCK_SET = 10,       /* RFC 9177 7.2: MAX_PAYLOADS "with a default value of 10" */
  QBLOCK_TOKEN_MAX = 8,  /* the longest token under which more than one message is sent */
  QBLOCK_PER_SECOND = 64 /* how often room is looked for again where there was none */
};

/* The first block of the set that a block is in. */
static inline uint32_t qblock_set_of(uint32_t number) { return number - number % QBLOCK_SET; }

/* How many blocks of that size a body has; an empty one has none. */
static inline uint32_t qblock_count(uint32_t size, uint8_t szx) {
  return (uint32_t)(((uint64_t)size + ((uint64_t)1 << (szx + 4)) - 1) >> (szx + 4));
}

/* RFC 9177 7.2: NON_TIMEOUT_RANDOM "is a random duration … between NON_TIMEOUT and (NON_TIMEOUT * ACK_RANDOM_FACTOR)";
 * "By default, NON_TIMEOUT has the same value as ACK_TIMEOUT". */
static inline copal_time qblock_gap(const copal_parameters *parameters, struct random *random) {
  copal_time least = parameters->ack_timeout;
  return least + random_up_to(random, least / 1000 * (parameters->ack_random_permille - 1000u));
}

/* How long what is missing is waited for, when it was asked for so many times. RFC 9177 7.2: NON_RECEIVE_TIMEOUT "has a
 * default value of twice NON_TIMEOUT" and "MUST always be greater than NON_TIMEOUT_RANDOM by at least one second";
 * "Every time the missing payload is re-requested, the Time-to-Wait value doubles." */
static inline copal_time qblock_wait(const copal_parameters *parameters, unsigned tries) {
  copal_time twice = 2 * parameters->ack_timeout;
  copal_time least = parameters->ack_timeout / 1000 * parameters->ack_random_permille + COPAL_SECOND;
  return (twice > least ? twice : least) << tries;
}

/* When to look for room again. */
static inline copal_time qblock_retry(copal_time now) { return now + COPAL_SECOND / QBLOCK_PER_SECOND; }

#endif
