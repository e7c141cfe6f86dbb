/* Tells people what happens, a line each. */
#ifndef COPAL_SIM_TRACE_H
#define COPAL_SIM_TRACE_H

#include "program/scene.h"

void trace_datagram(const struct scene *scene, const struct host *host, const copal_datagram *datagram, bool outward);

/* Anything else; nothing where the run is not traced. */
void trace_note(const struct scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
