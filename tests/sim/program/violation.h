/* The end of a run in which something was wrong. */
#ifndef COPAL_SIM_VIOLATION_H
#define COPAL_SIM_VIOLATION_H

#include "copal/copal.h"

struct scene;

/* Says which invariant does not hold, when, and how to see it again; then the program is over. */
_Noreturn void violation(const struct scene *scene, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
