/* Observations: servers have resources that change, and clients watch them. What a client is told never goes back in
 * time, and when nothing goes wrong any more, all that watch see the newest state. Who watches one resource twice
 * registers once. RFC 7641. */
#ifndef COPAL_SIM_OBSERVE_H
#define COPAL_SIM_OBSERVE_H

#include "program/scene.h"

struct observe *observe_begin(void);
void observe_end(struct observe *observe);

/* A new run. */
void observe_reset(struct scene *scene);

/* A host begins without any memory. */
void observe_begin_life(struct scene *scene, struct host *host);

/* A host sends something: perhaps a registration. */
void observe_look(struct scene *scene, const struct host *host, const copal_datagram *datagram);

/* Whether what a host receives is for a registration. */
bool observe_is_told(struct scene *scene, const struct host *host, const copal_datagram *datagram);

/* Has hosts watch what they are not watching; returns when it is to be called again. */
copal_time observe_ask(struct scene *scene);

/* Whether all who watch have seen the newest state; and a violation if not. */
bool observe_is_settled(const struct scene *scene);
void observe_check_settled(const struct scene *scene);

/* Resources change once more; or nobody watches any more, and servers find out. */
void observe_change(struct scene *scene);
void observe_cease(struct scene *scene);

#endif
