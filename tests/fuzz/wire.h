/* The network between two endpoints, in the hands of a script: which datagram arrives next, or twice, or never, or
 * mutilated, is decided at each step. What is under way for longer than MAX_LATENCY is lost: RFC 7252 4.8.2 has times
 * follow from that. It knows no CoAP. */
#ifndef COPAL_TESTS_FUZZ_WIRE_H
#define COPAL_TESTS_FUZZ_WIRE_H

#include "copal/copal.h"
#include "fuzz/script.h"

enum { WIRE_ENDS = 2, WIRE_MAX = 24, WIRE_DATAGRAM_MAX = 512 };

/* A datagram under way. */
struct flying {
  uint8_t bytes[WIRE_DATAGRAM_MAX];
  size_t size;
  copal_time sent_at;
  unsigned to; /* end */
  bool to_group;
};

struct wire {
  struct flying flying[WIRE_MAX]; /* in the order in which they were sent */
  size_t count;
  copal_time latency_max;
};

static inline copal_address wire_address(unsigned end) {
  return (copal_address){.bytes = {192, 0, 2, (uint8_t)(1 + end)}, .port = 5683, .family = COPAL_FAMILY_IPV4};
}

static inline copal_address wire_group(void) {
  return (copal_address){.bytes = {224, 0, 1, 187}, .port = 5683, .family = COPAL_FAMILY_IPV4};
}

/* How a datagram that end sent to the other one looks to that. */
static inline copal_path wire_path(unsigned from, bool to_group) {
  copal_path path = {.remote = wire_address(from), .local = wire_address(1 - from)};
  if (to_group) path.local = wire_group();
  return path;
}

/* Takes what an end gives out. A network that is full loses it, as it does what goes to nobody. */
static inline void wire_send(struct wire *wire, unsigned from, const copal_datagram *datagram, copal_time now) {
  copal_address other = wire_address(1 - from);
  bool to_group = copal_address_is_multicast(&datagram->path.remote);
  assert(datagram->size <= WIRE_DATAGRAM_MAX);
  if (wire->count == WIRE_MAX || (!to_group && !copal_address_equal(&datagram->path.remote, &other))) return;
  struct flying *flying = &wire->flying[wire->count++];
  *flying = (struct flying){.size = datagram->size, .sent_at = now, .to = 1 - from, .to_group = to_group};
  memcpy(flying->bytes, datagram->data, datagram->size);
}

static inline void wire_lose(struct wire *wire, size_t index) {
  memmove(&wire->flying[index], &wire->flying[index + 1], (--wire->count - index) * sizeof *wire->flying);
}

/* Forgets what has been under way for too long. */
static inline void wire_expire(struct wire *wire, copal_time now) {
  for (size_t i = wire->count; i-- > 0;)
    if (now - wire->flying[i].sent_at > wire->latency_max) wire_lose(wire, i);
}

/* Changes a datagram: a bit of it, or its end. */
static inline void wire_corrupt(struct flying *flying, uint8_t how, uint8_t where) {
  if (flying->size == 0) return;
  if ((how & 1) != 0)
    flying->size = where % flying->size;
  else
    flying->bytes[where % flying->size] ^= (uint8_t)(1 << (how >> 5));
}

#endif
