/* See network.h. */
#include "sim/network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void network_init(struct network *network, const struct link *link, struct chance chance) {
  assert(link->delay_min <= link->delay_max && link->granularity > 0);
  *network = (struct network){.link = *link, .chance = chance, .digest = 0xcbf29ce484222325};
}

void network_release(struct network *network) {
  for (size_t i = 0; i < network->count; ++i) free(network->packets[i]);
  free(network->packets);
}

/* FNV-1a. */
static void digest(struct network *network, const void *data, size_t size) {
  const uint8_t *bytes = (const uint8_t *)data;
  for (size_t i = 0; i < size; ++i) network->digest = (network->digest ^ bytes[i]) * 0x100000001b3;
}

static bool is_earlier(const struct packet *a, const struct packet *b) {
  return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct network *network, struct packet *packet) {
  if (network->count == network->capacity) {
    network->capacity = network->capacity == 0 ? 64 : 2 * network->capacity;
    network->packets = realloc(network->packets, network->capacity * sizeof(struct packet *));
    assert(network->packets != NULL);
  }
  size_t at = network->count++;
  for (; at > 0 && is_earlier(packet, network->packets[(at - 1) / 2]); at = (at - 1) / 2)
    network->packets[at] = network->packets[(at - 1) / 2];
  network->packets[at] = packet;
}

static copal_time arrival(struct network *network, copal_time now) {
  const struct link *link = &network->link;
  copal_time delay = link->delay_min + chance_below(&network->chance, link->delay_max - link->delay_min + 1);
  if (chance_hits(&network->chance, link->straggler_permille))
    delay = chance_below(&network->chance, link->straggler_max + 1);
  return (now + delay + link->granularity - 1) / link->granularity * link->granularity;
}

static void dispatch(struct network *network, copal_time now, const copal_address *source,
                     const copal_datagram *datagram) {
  struct packet *packet = malloc(sizeof *packet + datagram->size);
  assert(packet != NULL);
  packet->at = arrival(network, now);
  packet->order = network->carried++;
  packet->path = (copal_path){.remote = *source, .local = datagram->path.remote};
  packet->size = datagram->size;
  memcpy(packet->data, datagram->data, datagram->size);
  push(network, packet);
}

void network_carry(struct network *network, copal_time now, const copal_address *source,
                   const copal_datagram *datagram) {
  digest(network, &now, sizeof now);
  digest(network, source, sizeof *source);
  digest(network, &datagram->path.remote, sizeof datagram->path.remote);
  digest(network, datagram->data, datagram->size);
  if (chance_hits(&network->chance, network->link.loss_permille)) {
    ++network->lost;
    return;
  }
  dispatch(network, now, source, datagram);
  while (chance_hits(&network->chance, network->link.duplication_permille)) {
    ++network->duplicated;
    dispatch(network, now, source, datagram);
  }
}

copal_time network_next(const struct network *network) {
  return network->count == 0 ? COPAL_NEVER : network->packets[0]->at;
}

struct packet *network_take(struct network *network, copal_time now) {
  if (network_next(network) > now || network->count == 0) return NULL;
  struct packet *first = network->packets[0], *last = network->packets[--network->count];
  size_t at = 0, child;
  while ((child = 2 * at + 1) < network->count) {
    if (child + 1 < network->count && is_earlier(network->packets[child + 1], network->packets[child])) ++child;
    if (!is_earlier(network->packets[child], last)) break;
    network->packets[at] = network->packets[child];
    at = child;
  }
  network->packets[at] = last;
  return first;
}
