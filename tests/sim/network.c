/* See network.h. */
#include "sim/network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/digest.h"

enum { BLOCK_PACKETS = 64 };

static const uint32_t pool_sizes[POOL_CLASSES] = {128, 640, 2048};

void network_init(struct network *network, const struct link *link, struct chance chance) {
  assert(link->delay_min <= link->delay_max && link->granularity > 0);
  *network = (struct network){.link = *link, .chance = chance, .tick = link->granularity, .digest = 0xcbf29ce484222325};
}

/* --- The pool ----------------------------------------------------------------------------------- */

static void fill_pool(struct network *network, int class) {
  size_t size = sizeof(struct packet) + pool_sizes[class];
  void **block = malloc(sizeof(void *) + BLOCK_PACKETS * size);
  assert(block != NULL);
  *block = network->blocks;
  network->blocks = block;
  for (size_t i = 0; i < BLOCK_PACKETS; ++i) {
    struct packet *packet = (struct packet *)(void *)((uint8_t *)(block + 1) + i * size);
    packet->capacity = pool_sizes[class];
    packet->next = network->pool[class];
    network->pool[class] = packet;
  }
}

static struct packet *take_packet(struct network *network, size_t size) {
  int class = 0;
  while (class < POOL_CLASSES && pool_sizes[class] < size) ++class;
  struct packet *packet;
  if (class == POOL_CLASSES) {
    packet = malloc(sizeof *packet + size);
    assert(packet != NULL);
    packet->capacity = 0;
  } else {
    if (network->pool[class] == NULL) fill_pool(network, class);
    packet = network->pool[class];
    network->pool[class] = packet->next;
  }
  packet->size = size;
  return packet;
}

void network_give(struct network *network, struct packet *packet) {
  if (packet->capacity == 0) {
    free(packet);
    return;
  }
  int class = 0;
  while (pool_sizes[class] < packet->capacity) ++class;
  packet->next = network->pool[class];
  network->pool[class] = packet;
}

void network_release(struct network *network) {
  for (struct packet *packet; (packet = network_take(network, COPAL_NEVER)) != NULL;) network_give(network, packet);
  free(network->late);
  while (network->blocks != NULL) {
    void **block = network->blocks;
    network->blocks = *block;
    free(block);
  }
}

/* --- The wheel, and what is beyond it ------------------------------------------------------------- */

static bool is_earlier(const struct packet *a, const struct packet *b) {
  return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push_late(struct network *network, struct packet *packet) {
  if (network->late_count == network->late_capacity) {
    network->late_capacity = network->late_capacity == 0 ? 64 : 2 * network->late_capacity;
    network->late = realloc(network->late, network->late_capacity * sizeof(struct packet *));
    assert(network->late != NULL);
  }
  size_t at = network->late_count++;
  for (; at > 0 && is_earlier(packet, network->late[(at - 1) / 2]); at = (at - 1) / 2)
    network->late[at] = network->late[(at - 1) / 2];
  network->late[at] = packet;
}

static struct packet *pop_late(struct network *network) {
  struct packet *first = network->late[0], *last = network->late[--network->late_count];
  size_t at = 0, child;
  while ((child = 2 * at + 1) < network->late_count) {
    if (child + 1 < network->late_count && is_earlier(network->late[child + 1], network->late[child])) ++child;
    if (!is_earlier(network->late[child], last)) break;
    network->late[at] = network->late[child];
    at = child;
  }
  network->late[at] = last;
  return first;
}

static void push(struct network *network, copal_time now, struct packet *packet) {
  assert(packet->at % network->tick == 0);
  copal_time tick = packet->at / network->tick;
  if (network->count++ == network->late_count) network->cursor = now / network->tick;
  if (tick < network->cursor || tick >= network->cursor + WHEEL_SLOTS) {
    push_late(network, packet);
    return;
  }
  size_t index = tick % WHEEL_SLOTS;
  struct slot *slot = &network->wheel[index];
  packet->next = NULL;
  if (slot->first == NULL)
    slot->first = packet;
  else
    slot->last->next = packet;
  slot->last = packet;
  network->occupied[index / 64] |= (uint64_t)1 << index % 64;
}

/* The first slot with something in it, or WHEEL_SLOTS. */
static size_t first_slot(const struct network *network) {
  if (network->count == network->late_count) return WHEEL_SLOTS;
  size_t from = network->cursor % WHEEL_SLOTS;
  uint64_t word = network->occupied[from / 64] & UINT64_MAX << from % 64;
  for (size_t i = 0; i <= WHEEL_SLOTS / 64; ++i) {
    size_t at = (from / 64 + i) % (WHEEL_SLOTS / 64);
    if (i > 0) word = network->occupied[at];
    if (word != 0) return at * 64 + (size_t)__builtin_ctzll(word);
  }
  return WHEEL_SLOTS;
}

static struct packet *pop_slot(struct network *network, size_t index) {
  struct slot *slot = &network->wheel[index];
  struct packet *packet = slot->first;
  slot->first = packet->next;
  if (slot->first == NULL) network->occupied[index / 64] &= ~((uint64_t)1 << index % 64);
  network->cursor = packet->at / network->tick;
  return packet;
}

copal_time network_next(const struct network *network) {
  size_t index = first_slot(network);
  copal_time next = index == WHEEL_SLOTS ? COPAL_NEVER : network->wheel[index].first->at;
  return network->late_count > 0 && network->late[0]->at < next ? network->late[0]->at : next;
}

struct packet *network_take(struct network *network, copal_time now) {
  if (network->count == 0) return NULL;
  size_t index = first_slot(network);
  const struct packet *early = index == WHEEL_SLOTS ? NULL : network->wheel[index].first;
  const struct packet *late = network->late_count > 0 ? network->late[0] : NULL;
  bool is_late = late != NULL && (early == NULL || is_earlier(late, early));
  if ((is_late ? late : early)->at > now) return NULL;
  struct packet *packet = is_late ? pop_late(network) : pop_slot(network, index);
  --network->count;
  return packet;
}

/* --- What happens to a datagram ------------------------------------------------------------------- */

static copal_time arrival(struct network *network, const struct link *link, copal_time now) {
  copal_time delay = link->delay_min + chance_below(&network->chance, link->delay_max - link->delay_min + 1);
  if (chance_hits(&network->chance, link->straggler_permille))
    delay = chance_below(&network->chance, link->straggler_max + 1);
  return (now + delay + link->granularity - 1) / link->granularity * link->granularity;
}

/* False: the checksum says so, and it is dropped. */
static bool damage(struct network *network, const struct link *link, struct packet *packet) {
  struct chance *chance = &network->chance;
  ++network->damaged;
  if (!chance_hits(chance, link->slips_permille) || packet->size == 0) return false;
  ++network->slipped;
  if (link->is_cut && chance_hits(chance, 300)) {
    packet->size = (size_t)chance_below(chance, packet->size);
    return true;
  }
  for (uint64_t flips = 1 + chance_below(chance, 3); flips > 0; --flips)
    packet->data[chance_below(chance, packet->size)] ^= (uint8_t)(1u << chance_below(chance, 8));
  return true;
}

static void dispatch(struct network *network, copal_time now, const struct way *way, const copal_datagram *datagram) {
  struct packet *packet = take_packet(network, datagram->size);
  packet->at = arrival(network, way->link, now);
  packet->order = network->carried++;
  packet->path = (copal_path){.remote = way->source, .local = way->destination};
  packet->receiver = way->receiver;
  memcpy(packet->data, datagram->data, datagram->size);
  const struct link *link = way->link;
  if (link->damage_permille > 0 && chance_hits(&network->chance, link->damage_permille) &&
      !damage(network, link, packet))
    network_give(network, packet);
  else
    push(network, now, packet);
}

static bool is_lost(struct network *network, struct link *link) {
  if (link->burst_begins_permille > 0) {
    uint32_t turns = link->is_in_burst ? link->burst_ends_permille : link->burst_begins_permille;
    if (chance_hits(&network->chance, turns)) link->is_in_burst = !link->is_in_burst;
    if (link->is_in_burst) return true;
  }
  return chance_hits(&network->chance, link->loss_permille);
}

void network_pass(struct network *network, copal_time now, const struct way *way, const copal_datagram *datagram) {
  if (is_lost(network, way->link)) {
    ++network->lost;
    return;
  }
  dispatch(network, now, way, datagram);
  while (chance_hits(&network->chance, way->link->duplication_permille)) {
    ++network->duplicated;
    dispatch(network, now, way, datagram);
  }
}

void network_carry(struct network *network, copal_time now, const copal_address *source,
                   const copal_datagram *datagram) {
  struct way way = {.source = *source, .destination = datagram->path.remote, .link = &network->link};
  uint64_t digest = digest_word(digest_word(network->digest, now), source->port);
  digest = digest_bytes(digest, source->bytes, sizeof source->bytes);
  digest = digest_bytes(digest, way.destination.bytes, sizeof way.destination.bytes);
  network->digest = digest_bytes(digest, datagram->data, datagram->size);
  if (network->router != NULL)
    network->router(network->context, now, &way, datagram);
  else
    network_pass(network, now, &way, datagram);
}
