/* A server's notifications as they are seen on its wire, by an observer of both directions: of one observation there is
 * never more than one outstanding, and all have the format of the answer to its registration. Registrations are
 * confirmable, and answered at once. RFC 7641 sections 4.2 and 4.5. */
#ifndef COPAL_SIM_WIRE_H
#define COPAL_SIM_WIRE_H

#include "sim/world.h"

enum { TRACKS_MAX = 4096 };

/* One observation. */
struct track {
  copal_time at; /* of its last notification */
  uint32_t format;
  uint16_t mid;
  uint8_t client; /* the last byte of its address */
  uint8_t token[8];
  uint8_t token_size;
  bool con, outstanding;
};

struct wire {
  const struct world *world;
  struct track tracks[TRACKS_MAX];
  size_t count;
};

/* The server's watcher; its context is the wire. */
void wire_watch(struct node *node, copal_time now, const copal_datagram *datagram, bool outward, void *context);

#endif
