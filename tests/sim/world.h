/* Nodes, the network between them, and virtual time, which jumps from one thing that happens to the next. One seed
 * decides everything. Where a check fails, seed and command to replay are printed. */
#ifndef COPAL_SIM_WORLD_H
#define COPAL_SIM_WORLD_H

#include "sim/node.h"

enum { WORLD_NODES_MAX = 8 };

struct world {
  uint64_t seed;
  struct chance chance; /* for what the test decides */
  struct network network;
  struct node nodes[WORLD_NODES_MAX];
  uint32_t count; /* of nodes */
  copal_time now;
};

void world_init(struct world *world, uint64_t seed, const struct link *link);

/* A further node. The pointer is good as long as the world is. */
struct node *world_add(struct world *world, const copal_config *config, node_listener *listener, void *context);

/* The seed's run was good. */
void world_release(struct world *world);

/* Moves to the next thing that happens, but no later than until: what arrives is taken in, what is due goes out. False
 * when nothing will ever happen of itself; time is then where until says, or stays for COPAL_NEVER. */
bool world_step(struct world *world, copal_time until);

/* What an application did at this moment goes out. */
void world_transmit(struct world *world);

/* The seed to replay from COPAL_SEED alone, or the count-th of a test's own; false after the last. */
bool world_seed(unsigned count, unsigned count_max, uint64_t *seed);

/* Set-up and teardown of a test: the teardown tells how to replay a run that did not reach world_release. */
int world_prepare(void **state);
int world_report(void **state);

void world_check(const struct world *world, bool condition, const char *text, const char *file, int line);

#define CHECK(world, condition) world_check(world, condition, #condition, __FILE__, __LINE__)

#endif
