/* See node.h. */
#include "sim/node.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
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

/* With COPAL_TRACE every datagram is told. */
static void watch(struct node *node, copal_time now, const copal_datagram *datagram, bool outward) {
  static int traces = -1;
  if (traces < 0) traces = getenv("COPAL_TRACE") != NULL;
  copal_view view;
  char line[300];
  if (traces != 0 && copal_decode(datagram->data, datagram->size, &view) == COPAL_OK) {
    copal_text_line(&view, line, sizeof line);
    fprintf(stderr, "%10" PRIu64 " ms: %d %s %d: %s\n", now / COPAL_MILLISECOND, node->address.bytes[15],
            outward ? "->" : "<-", datagram->path.remote.bytes[15], line);
  }
  if (node->watcher != NULL) node->watcher(node, now, datagram, outward, node->context);
}

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
    for (size_t i = 0; i < batch; ++i) watch(node, now, &datagrams[i], false);
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
      watch(node, now, &datagrams[i], true);
      network_carry(network, now, &node->address, &datagrams[i]);
    }
    hand_on_events(node);
  } while (count == batch);
}
