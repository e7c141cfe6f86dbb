/* A network of virtual time: datagrams put in come out later, twice, in another order, or not at all, as a seed
 * decides. It must not know what datagrams mean, nor who sends them. */
#ifndef COPAL_SIM_NETWORK_H
#define COPAL_SIM_NETWORK_H

#include "copal/copal.h"
#include "sim/chance.h"

/* What the network does to a datagram. Each copy has a delay of its own, so copies and neighbours overtake each other.
 */
struct link {
  uint32_t loss_permille;
  uint32_t duplication_permille; /* of those not lost; a duplicate may be duplicated again */
  uint32_t straggler_permille;   /* of the copies: delayed by up to straggler_max instead */
  copal_time delay_min, delay_max, straggler_max;
  copal_time granularity; /* arrivals are rounded up to this, so that several come at once */
};

/* A datagram under way. */
struct packet {
  copal_time at; /* of its arrival */
  uint64_t order;
  copal_path path; /* as its receiver sees it */
  size_t size;
  uint8_t data[];
};

struct network {
  struct link link;
  struct chance chance;
  struct packet **packets; /* a heap, the earliest first */
  size_t count, capacity;
  uint64_t carried, lost, duplicated;
  uint64_t digest; /* of all that was put in: bytes, path and time */
};

void network_init(struct network *network, const struct link *link, struct chance chance);
void network_release(struct network *network);

/* Takes a datagram from the one with the address source. */
void network_carry(struct network *network, copal_time now, const copal_address *source,
                   const copal_datagram *datagram);

/* When the next datagram arrives; COPAL_NEVER for none. */
copal_time network_next(const struct network *network);

/* Takes out a datagram that has arrived by now, in order of arrival; NULL for none. The caller frees it. */
struct packet *network_take(struct network *network, copal_time now);

#endif
