/* What goes wrong by itself: links, partitions, addresses that change, and hosts that crash, forget, or stall. */
#ifndef COPAL_SIM_MISHAPS_H
#define COPAL_SIM_MISHAPS_H

#include "program/scene.h"

/* Lays the links and plans what will happen to them. */
void mishaps_begin(struct scene *scene);

/* From now on nothing goes wrong: everybody is up, can be reached, and is told quickly. */
void mishaps_end(struct scene *scene);

/* The address of all hosts together. */
copal_address mishaps_group(void);

#endif
