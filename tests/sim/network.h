/* A network of virtual time: datagrams put in come out later, twice, in another order, damaged, or not at all, as a
 * seed decides. It must not know what datagrams mean, nor who sends them. Packets come out of a pool, and wait in a
 * wheel of ticks, those that arrive later than that in a heap: a datagram costs the same however many are under way. */
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

  /* Losses in bursts, after Gilbert: in a burst everything is lost. */
  uint32_t burst_begins_permille, burst_ends_permille;
  /* Bits flipped, or the end cut off. A checksum finds it, and it is a loss, but for those that slip through. */
  uint32_t damage_permille, slips_permille;
  bool is_cut, is_in_burst;
};

/* A datagram under way. */
struct packet {
  copal_time at; /* of its arrival */
  uint64_t order;
  struct packet *next;
  copal_path path;   /* as its receiver sees it */
  uint32_t receiver; /* as its way said */
  uint32_t capacity; /* for the pool */
  size_t size;
  uint8_t data[];
};

/* Where a datagram goes, as its receiver is to see it. */
struct way {
  copal_address source, destination;
  uint32_t receiver;
  struct link *link;
};

/* Decides where a datagram goes: it may write other addresses into its way, chooses its link, and has it passed on,
 * once for each receiver, or not at all. */
typedef void network_router(void *context, copal_time now, struct way *way, const copal_datagram *datagram);

enum { WHEEL_SLOTS = 4096, POOL_CLASSES = 3 };

struct network {
  struct link link; /* where there is no router */
  struct chance chance;
  network_router *router; /* or NULL */
  void *context;
  copal_time tick, cursor; /* of the wheel, whose first slot is cursor's; in ticks */
  struct slot {
    struct packet *first, *last;
  } wheel[WHEEL_SLOTS];
  uint64_t occupied[WHEEL_SLOTS / 64];
  struct packet **late; /* a heap of those beyond the wheel, the earliest first */
  size_t late_count, late_capacity;
  struct packet *pool[POOL_CLASSES];
  void *blocks; /* of the pool: a list */
  size_t count; /* under way */
  uint64_t carried, lost, duplicated, damaged, slipped;
  uint64_t digest; /* of all that was put in: bytes, path and time */
};

void network_init(struct network *network, const struct link *link, struct chance chance);
void network_release(struct network *network);

/* Takes a datagram from the one with the address source. */
void network_carry(struct network *network, copal_time now, const copal_address *source,
                   const copal_datagram *datagram);

/* Sends it along its way. */
void network_pass(struct network *network, copal_time now, const struct way *way, const copal_datagram *datagram);

/* When the next datagram arrives; COPAL_NEVER for none. */
copal_time network_next(const struct network *network);

/* Takes out a datagram that has arrived by now, in order of arrival; NULL for none. The caller gives it back. */
struct packet *network_take(struct network *network, copal_time now);
void network_give(struct network *network, struct packet *packet);

#endif
