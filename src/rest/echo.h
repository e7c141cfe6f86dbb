/* Echo values: the moment of their making and a signature over it and the address that it was made for. Nothing is kept
 * per value, so however many are given out, they cost nothing. RFC 9175 section 2, appendix A item 2. */
#ifndef COPAL_REST_ECHO_H
#define COPAL_REST_ECHO_H

#include "base/hash.h"
#include "copal/copal.h"

enum { ECHO_SIZE = 12 };

/* Writes a value for the address that identity stands for. */
void echo_write(const struct hash_key *key, uint64_t identity, copal_time now, uint8_t value[ECHO_SIZE]);

/* Whether a request has a value of ours for that address which was surely made within max_age. What is older than 52
 * days cannot be told from what was never made. */
bool echo_check(const struct hash_key *key, uint64_t identity, copal_time now, copal_time max_age,
                const copal_view *request);

#endif
