/* The number that a body tells: what a plot draws of it. */
#ifndef COPAL_CLI_OBSERVE_READING_H
#define COPAL_CLI_OBSERVE_READING_H

#include <stdbool.h>

#include "copal/message.h"

/* The number of a text such as "21.5", "21.5 C", "temperature: 21.5", or of a JSON text: of its member "v" (SenML, RFC
 * 8428) or "value", else the first that is no part of a name or string. False where there is none that is finite. */
bool reading_of(copal_bytes body, double *value);

#endif
