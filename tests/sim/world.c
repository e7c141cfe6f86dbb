/* See world.h. */
#include "sim/world.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

enum { ARRIVALS_MAX = 64 };

/* How to replay what is running now; empty between runs. */
static char replay[256];

static void print_replay(void) {
  fputs(replay, stderr);
  replay[0] = 0;
}

static void on_abort(int number) {
  print_replay();
  signal(number, SIG_DFL);
}

int world_prepare(void **state) {
  (void)state;
  signal(SIGABRT, on_abort);
  return 0;
}

int world_report(void **state) {
  (void)state;
  print_replay();
  return 0;
}

bool world_seed(unsigned count, unsigned count_max, uint64_t *seed) {
  const char *given = getenv("COPAL_SEED");
  *seed = given != NULL ? strtoull(given, NULL, 0) : 1 + count;
  return count < (given != NULL ? 1 : count_max);
}

void world_check(const struct world *world, bool condition, const char *text, const char *file, int line) {
  if (condition) return;
  print_error("%s:%d: at %" PRIu64 " ms: %s\n", file, line, world->now / COPAL_MILLISECOND, text);
  fail();
}

void world_init(struct world *world, uint64_t seed, const struct link *link) {
  snprintf(replay, sizeof replay, "to replay: COPAL_SEED=%" PRIu64 " %s\n", seed, program_invocation_name);
  *world = (struct world){.seed = seed, .chance = {seed}, .now = COPAL_SECOND};
  network_init(&world->network, link, chance_split(&world->chance));
}

struct node *world_add(struct world *world, const copal_config *config, node_listener *listener, void *context) {
  assert_true(world->count < WORLD_NODES_MAX);
  struct node *node = &world->nodes[world->count++];
  node_init(node, world->count, config, chance_split(&world->chance), world->now, listener, context);
  return node;
}

void world_release(struct world *world) {
  for (size_t i = 0; i < world->count; ++i) node_release(&world->nodes[i]);
  network_release(&world->network);
  replay[0] = 0;
}

static void arrive_at(struct world *world, struct node *node, struct packet **packets, size_t count) {
  struct packet *own[ARRIVALS_MAX];
  size_t own_count = 0;
  for (size_t i = 0; i < count; ++i)
    if (copal_address_equal(&packets[i]->path.local, &node->address)) own[own_count++] = packets[i];
  if (own_count > 0 && !node->off && !node->deaf) node_receive(node, world->now, own, own_count);
}

static void arrive(struct world *world) {
  struct packet *packets[ARRIVALS_MAX];
  size_t count;
  do {
    count = 0;
    while (count < ARRIVALS_MAX && (packets[count] = network_take(&world->network, world->now)) != NULL) ++count;
    for (size_t i = 0; i < world->count; ++i) arrive_at(world, &world->nodes[i], packets, count);
    for (size_t i = 0; i < count; ++i) network_give(&world->network, packets[i]);
  } while (count == ARRIVALS_MAX);
}

void world_transmit(struct world *world) {
  for (size_t i = 0; i < world->count; ++i) {
    if (world->nodes[i].off) continue;
    node_transmit(&world->nodes[i], world->now, &world->network);
    /* Else the next step would not move, nor any after it. */
    CHECK(world, copal_endpoint_deadline(world->nodes[i].endpoint) > world->now);
  }
}

bool world_step(struct world *world, copal_time until) {
  copal_time next = network_next(&world->network);
  for (size_t i = 0; i < world->count; ++i) {
    copal_time deadline = world->nodes[i].off ? COPAL_NEVER : copal_endpoint_deadline(world->nodes[i].endpoint);
    if (deadline < next) next = deadline;
  }
  bool happens = next != COPAL_NEVER;
  if (until < next) next = until;
  if (next != COPAL_NEVER && next > world->now) world->now = next;
  arrive(world);
  world_transmit(world);
  return happens;
}
