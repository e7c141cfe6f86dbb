/* A bare endpoint with its memory and its address: what a host is to a simulation. It moves datagrams between its
 * endpoint and the network, and hands the endpoint's events on. It must not know what the endpoint is used for. */
#ifndef COPAL_SIM_NODE_H
#define COPAL_SIM_NODE_H

#include "sim/network.h"

struct node;

/* Is given each event while what it borrows lives. */
typedef void node_listener(struct node *node, const copal_event *event, void *context);

/* Sees each datagram of a node as it goes or comes. */
typedef void node_watcher(struct node *node, copal_time now, const copal_datagram *datagram, bool outward,
                          void *context);

struct node {
  copal_endpoint *endpoint;
  void *memory;
  copal_config config;
  copal_address address;
  struct chance chance; /* for the sizes of its batches, and the next seed */
  node_listener *listener;
  void *context;
  node_watcher *watcher; /* or NULL */
  bool deaf;             /* nothing reaches it */
  bool off;              /* and nothing leaves it, nor does its time pass */
};

/* The address of the number-th node. */
copal_address node_address(uint32_t number);

void node_init(struct node *node, uint32_t number, const copal_config *config, struct chance chance, copal_time now,
               node_listener *listener, void *context);
void node_release(struct node *node);

/* It loses all that it knew, its routes too, and keeps its address. */
void node_restart(struct node *node, copal_time now);

/* Takes what has arrived: datagrams for this node, in order. */
void node_receive(struct node *node, copal_time now, struct packet *const *packets, size_t count);

/* Puts all that is due into the network. */
void node_transmit(struct node *node, copal_time now, struct network *network);

#endif
