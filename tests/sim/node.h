/* A bare endpoint with its memory, its address and its clock: what a host is to a simulation. It moves datagrams
 * between its endpoint and the network, and hands the endpoint's events on. It must not know what the endpoint is used
 * for. */
#ifndef COPAL_SIM_NODE_H
#define COPAL_SIM_NODE_H

#include "sim/network.h"

struct node;

/* Is given each event while what it borrows lives. */
typedef void node_listener(struct node *node, const copal_event *event, void *context);

/* Sees each datagram of a node as it goes or comes. now is the network's. */
typedef void node_watcher(struct node *node, copal_time now, const copal_datagram *datagram, bool outward,
                          void *context);

enum { NODE_BATCH_MAX = 64 };

struct node {
  copal_endpoint *endpoint;
  uint8_t *memory; /* with guards on both sides of the endpoint's */
  copal_config config;
  copal_address address;
  struct chance chance; /* for the sizes of its batches, and the next seed */
  node_listener *listener;
  void *context;
  node_watcher *watcher;  /* or NULL */
  bool deaf;              /* nothing reaches it */
  bool off;               /* and nothing leaves it, nor does its time pass */
  uint32_t batch_max;     /* at most NODE_BATCH_MAX */
  copal_time clock_shift; /* its clock shows so much more than the network's, */
  uint32_t clock_gain;    /* and gains so many nanoseconds in a millisecond */
};

/* The address of the number-th node. */
copal_address node_address(uint32_t number);

void node_init(struct node *node, uint32_t number, const copal_config *config, struct chance chance, copal_time now,
               node_listener *listener, void *context);
void node_release(struct node *node);

/* It loses all that it knew, its routes too, and keeps its address. */
void node_restart(struct node *node, copal_time now);

/* Whether nothing has written beside the endpoint's memory. */
bool node_is_intact(const struct node *node);

/* What the node's clock shows, and the earliest moment of the network's at which its endpoint has something to do. */
copal_time node_time(const struct node *node, copal_time now);
copal_time node_deadline(const struct node *node);

/* Takes what has arrived: datagrams for this node, in order. */
void node_receive(struct node *node, copal_time now, struct packet *const *packets, size_t count);

/* Puts all that is due into the network. */
void node_transmit(struct node *node, copal_time now, struct network *network);

#endif
