/* What the hosts' datagrams must obey, as an observer of their wires sees it: when a message is sent again, and how
 * often; which message IDs are used when; how many may be outstanding; how much a stranger is sent. RFC 7252 sections
 * 4.2, 4.4, 4.7; decisions 0004, 0005, 0011. */
#ifndef COPAL_SIM_WATCH_H
#define COPAL_SIM_WATCH_H

#include "program/scene.h"

struct watch *watch_begin(void);
void watch_end(struct watch *watch);

/* A new run. */
void watch_reset(struct watch *watch);

/* The hosts' watcher, and their listener; the context is the scene. */
void watch_datagram(struct node *node, copal_time now, const copal_datagram *datagram, bool outward, void *context);
void watch_event(struct node *node, const copal_event *event, void *context);

/* A host has forgotten everything. */
void watch_forget(struct scene *scene, struct host *host);

/* A request ended without an answer, or was cancelled: what was outstanding is no more. */
void watch_pardon(struct scene *scene, uint32_t host, uint32_t peer);

#endif
