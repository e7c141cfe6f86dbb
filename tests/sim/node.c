/* See node.h. */
#include "sim/node.h"

#include <assert.h>
#include <stdlib.h>

enum { BATCH_MAX = 8, COAP_PORT = 5683 };

copal_address node_address(uint32_t number) {
  copal_address address = {.bytes = {0xfd}, .port = COAP_PORT, .family = COPAL_FAMILY_IPV6};
  address.bytes[14] = (uint8_t)(number >> 8);
  address.bytes[15] = (uint8_t)number;
  return address;
}

static void begin(struct node *node, copal_time now) {
  uint8_t seed[32];
  for (size_t i = 0; i < sizeof seed; ++i) seed[i] = (uint8_t)chance_draw(&node->chance);
  size_t size = copal_endpoint_size(&node->config);
  node->memory = calloc(1, size);
  assert(size > 0 && node->memory != NULL);
  node->endpoint = copal_endpoint_init(node->memory, size, &node->config, seed, now);
  assert(node->endpoint != NULL);
}

void node_init(struct node *node, uint32_t number, const copal_config *config, struct chance chance, copal_time now,
               node_listener *listener, void *context) {
  *node = (struct node){
      .config = *config, .address = node_address(number), .chance = chance, .listener = listener, .context = context};
  begin(node, now);
}

void node_restart(struct node *node, copal_time now) {
  free(node->memory);
  begin(node, now);
}

void node_release(struct node *node) { free(node->memory); }

static void hand_on_events(struct node *node) {
  copal_event event;
  while (copal_endpoint_event(node->endpoint, &event)) node->listener(node, &event, node->context);
}

void node_receive(struct node *node, copal_time now, struct packet *const *packets, size_t count) {
  while (count > 0) {
    copal_datagram datagrams[BATCH_MAX];
    size_t batch = count < BATCH_MAX ? count : BATCH_MAX;
    for (size_t i = 0; i < batch; ++i)
      datagrams[i] = (copal_datagram){packets[i]->data, packets[i]->size, packets[i]->path};
    for (size_t i = 0; i < batch && node->watcher != NULL; ++i)
      node->watcher(node, now, &datagrams[i], false, node->context);
    size_t taken = copal_endpoint_input(node->endpoint, now, datagrams, batch);
    assert(taken > 0 && taken <= batch);
    hand_on_events(node);
    packets += taken;
    count -= taken;
  }
}

void node_transmit(struct node *node, copal_time now, struct network *network) {
  size_t count, batch;
  do {
    copal_datagram datagrams[BATCH_MAX];
    batch = 1 + (size_t)chance_below(&node->chance, BATCH_MAX);
    count = copal_endpoint_output(node->endpoint, now, datagrams, batch);
    assert(count <= batch);
    for (size_t i = 0; i < count; ++i) {
      if (node->watcher != NULL) node->watcher(node, now, &datagrams[i], true, node->context);
      network_carry(network, now, &node->address, &datagrams[i]);
    }
    hand_on_events(node);
  } while (count == batch);
}
