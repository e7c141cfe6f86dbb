/* Who does harm on purpose: sends again what was overheard, forges and guesses answers, and floods hosts with requests
 * from addresses that are not his. He sees nothing but what he is given to overhear. */
#ifndef COPAL_SIM_ADVERSARY_H
#define COPAL_SIM_ADVERSARY_H

#include "program/scene.h"

void adversary_begin(struct scene *scene);

/* A datagram passes by. */
void adversary_overhear(struct scene *scene, const struct way *way, const copal_datagram *datagram);

#endif
