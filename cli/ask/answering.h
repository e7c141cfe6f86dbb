/* How the answers of a run are shown: to people on standard error and output, to programs as bodies or as JSON. */
#ifndef COPAL_CLI_ASK_ANSWERING_H
#define COPAL_CLI_ASK_ANSWERING_H

#include "cli/ask/run.h"

/* A request has been sent: what stands before its answer is written where somebody looks on. */
void answering_begin(struct slot *slot);

/* Shows a response, its body included. Returns the exit status that it stands for. */
enum status answering_response(struct slot *slot, const copal_result *result);

/* Tells why a request failed; result is NULL where it could not be begun, reason where the error alone says it. Returns
 * the exit status. */
enum status answering_failure(struct slot *slot, copal_error error, const copal_result *result, const char *reason);

/* No response was asked for, and none came. */
void answering_silence(struct slot *slot, const copal_result *result);

/* Sums several requests up, where somebody looks on. */
void answering_end(const struct run *run);

#endif
