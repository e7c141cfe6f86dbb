/* What the simulator itself does wrong on demand, so that it can be seen to notice: --break NAME. */
#ifndef COPAL_SIM_BREAKS_H
#define COPAL_SIM_BREAKS_H

#include <string.h>

#include "program/scene.h"

/* X(name): end-twice a client is told an end again, lost-end not at all; execute-twice a handler runs again,
 * wrong-answer it answers another request; leak a deferred answer is forgotten; retransmit a datagram leaves again at
 * once; mid one leaves with a message ID that is in use; amplify a stranger is sent something unasked; garble something
 * that is no message is; crowd more is begun than NSTART allows; overrun memory is written beyond; stale an observer is
 * told an older state; register-twice a client registers beside a registration. */
#define BREAKS(X)    \
  X("end-twice")     \
  X("lost-end")      \
  X("execute-twice") \
  X("wrong-answer")  \
  X("leak")          \
  X("retransmit")    \
  X("mid")           \
  X("amplify")       \
  X("garble")        \
  X("crowd")         \
  X("overrun")       \
  X("stale")         \
  X("register-twice")

/* Whether that is to be done wrong now: once in a while. */
static inline bool breaks(const struct scene *scene, const char *name, uint32_t number) {
  return scene->broken != NULL && number % 64 == 50 && strcmp(scene->broken, name) == 0;
}

#endif
