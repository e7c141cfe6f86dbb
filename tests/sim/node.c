/* See node.h. */
#include "sim/node.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_USUAL = 8, COAP_PORT = 5683, GUARD_SIZE = 64, GUARD_BYTE = 0xa5 };

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
  node->memory = calloc(1, size + 2 * (size_t)GUARD_SIZE);
  assert(size > 0 && node->memory != NULL);
  memset(node->memory, GUARD_BYTE, GUARD_SIZE);
  memset(node->memory + GUARD_SIZE + size, GUARD_BYTE, GUARD_SIZE);
  node->endpoint = copal_endpoint_init(node->memory + GUARD_SIZE, size, &node->config, seed, node_time(node, now));
  assert(node->endpoint != NULL);
}

bool node_is_intact(const struct node *node) {
  const uint8_t *behind = node->memory + GUARD_SIZE + copal_endpoint_size(&node->config);
  for (size_t i = 0; i < GUARD_SIZE; ++i)
    if (node->memory[i] != GUARD_BYTE || behind[i] != GUARD_BYTE) return false;
  return true;
}

copal_time node_time(const struct node *node, copal_time now) {
  return now + node->clock_shift + now / COPAL_MILLISECOND * node->clock_gain;
}

copal_time node_deadline(const struct node *node) {
  copal_time deadline = copal_endpoint_deadline(node->endpoint);
  if (deadline == COPAL_NEVER) return deadline;
  if (deadline <= node->clock_shift) return 0;
  deadline -= node->clock_shift;
  if (node->clock_gain == 0) return deadline;
  copal_time moment = deadline / (COPAL_MILLISECOND + node->clock_gain) * COPAL_MILLISECOND;
  copal_time missing = deadline - moment - moment / COPAL_MILLISECOND * node->clock_gain;
  moment += missing < COPAL_MILLISECOND ? missing : COPAL_MILLISECOND;
  return moment;
}

void node_init(struct node *node, uint32_t number, const copal_config *config, struct chance chance, copal_time now,
               node_listener *listener, void *context) {
  *node = (struct node){.config = *config,
                        .address = node_address(number),
                        .chance = chance,
                        .listener = listener,
                        .context = context,
                        .batch_max = BATCH_USUAL};
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
  copal_time time = node_time(node, now);
  while (count > 0) {
    copal_datagram datagrams[NODE_BATCH_MAX];
    size_t batch = count < node->batch_max ? count : node->batch_max;
    for (size_t i = 0; i < batch; ++i)
      datagrams[i] = (copal_datagram){packets[i]->data, packets[i]->size, packets[i]->path};
    for (size_t i = 0; i < batch; ++i) watch(node, now, &datagrams[i], false);
    size_t taken = copal_endpoint_input(node->endpoint, time, datagrams, batch);
    assert(taken > 0 && taken <= batch);
    hand_on_events(node);
    packets += taken;
    count -= taken;
  }
}

void node_transmit(struct node *node, copal_time now, struct network *network) {
  size_t count, batch;
  copal_time time = node_time(node, now);
  do {
    copal_datagram datagrams[NODE_BATCH_MAX];
    batch = 1 + (size_t)chance_below(&node->chance, node->batch_max);
    count = copal_endpoint_output(node->endpoint, time, datagrams, batch);
    assert(count <= batch);
    for (size_t i = 0; i < count; ++i) {
      watch(node, now, &datagrams[i], true);
      network_carry(network, now, &node->address, &datagrams[i]);
    }
    hand_on_events(node);
  } while (count == batch);
}
