/* What observers ask for: a resource in one variant. Requests that differ only in what is one client's own are the same
 * variant, and one answer serves them all. RFC 7252 section 5.4.2, RFC 7641 section 2, RFC 8132 section 2.1. */
#ifndef COPAL_REST_VARIANT_H
#define COPAL_REST_VARIANT_H

#include "base/hash.h"
#include "copal/message.h"

/* Writes a request as it stands for all who ask alike: a NON without message ID, token and the client's own options.
 * Returns its size, or 0 where it does not fit. */
size_t variant_write(const copal_view *request, uint8_t *buffer, size_t capacity);

/* A client's side of it, without the payload: a hash of the resource that a request is for in that variant, and whether
 * two are for the same. RFC 7641 section 3.1. */
uint64_t variant_target(const struct hash_key *key, const copal_view *request);
bool variant_is_same_target(const copal_view *a, const copal_view *b);

/* A hash that stands for the path of a request: its Uri-Path options and nothing else. */
uint64_t variant_path(const struct hash_key *key, const copal_view *request);

#endif
