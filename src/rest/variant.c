/* See variant.h. */
#include "rest/variant.h"

#include <string.h>

/* Whether an option says what is wanted, rather than how, by whom, or with what in hand already. */
static bool is_kept(uint16_t number) {
  switch (number) {
    /* RFC 7641 2: "The Observe Option is not part of the Cache-Key: a cacheable response obtained with an Observe
     * Option in the request can be used to satisfy a request without an Observe Option, and vice versa." */
    case COPAL_OPTION_OBSERVE:
    /* RFC 7641 3.6 has a deregistration equal its registration "except for the set of ETag Options". */
    case COPAL_OPTION_ETAG:
    case COPAL_OPTION_NO_RESPONSE:
    /* Of the transfer of a payload, which is whole by now, and of one of a response that is not to be had here. */
    case COPAL_OPTION_BLOCK1:
    case COPAL_OPTION_Q_BLOCK1:
    case COPAL_OPTION_Q_BLOCK2:
    case COPAL_OPTION_REQUEST_TAG: return false;
  }
  /* RFC 7252 5.4.2: "if all NoCacheKey bits are 1, it is not". */
  return !copal_option_is_no_cache_key(number);
}

size_t variant_write(const copal_view *request, uint8_t *buffer, size_t capacity) {
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, capacity, COPAL_NON, request->code, 0, NULL, 0);
  copal_options walk = copal_options_of(request);
  copal_option option;
  while (copal_options_next(&walk, &option))
    if (is_kept(option.number)) copal_encode_option(&encoder, option.number, option.value, option.size);
  copal_encode_payload(&encoder, request->payload.data, request->payload.size);
  return encoder.error == COPAL_OK ? encoder.size : 0;
}

uint64_t variant_path(const struct hash_key *key, const copal_view *request) {
  copal_options walk = copal_options_of(request);
  copal_option option;
  uint64_t path = 0;
  while (copal_options_next(&walk, &option))
    if (option.number == COPAL_OPTION_URI_PATH)
      path = hash_words(key, path, hash_bytes(key, option.value, option.size));
  return path;
}

/* --- What a client asks for ----------------------------------------------------------------------- */

/* RFC 7641 3.1: "The target resource is identified by all options in the request that are part of the Cache-Key. This
 * includes, for example, the full request URI and the Accept Option." Options of its own for the transfer are: who
 * gives a Block option, or No-Response, is told another thing. */
static bool is_of_target(uint16_t number) {
  return number != COPAL_OPTION_OBSERVE && number != COPAL_OPTION_ETAG && !copal_option_is_no_cache_key(number);
}

static bool next_of_target(copal_options *walk, copal_option *option) {
  while (copal_options_next(walk, option))
    if (is_of_target(option->number)) return true;
  return false;
}

uint64_t variant_target(const struct hash_key *key, const copal_view *request) {
  struct hash_state state = hash_begin(key);
  copal_options walk = copal_options_of(request);
  copal_option option;
  hash_add(&state, request->code);
  while (next_of_target(&walk, &option)) {
    hash_add(&state, option.number);
    hash_add(&state, hash_bytes(key, option.value, option.size));
  }
  return hash_end(&state);
}

bool variant_is_same_target(const copal_view *a, const copal_view *b) {
  copal_options walk = copal_options_of(a), other_walk = copal_options_of(b);
  copal_option option, other;
  if (a->code != b->code) return false;
  while (next_of_target(&walk, &option)) {
    if (!next_of_target(&other_walk, &other) || option.number != other.number || option.size != other.size)
      return false;
    if (memcmp(option.value, other.value, option.size) != 0) return false;
  }
  return !next_of_target(&other_walk, &other);
}
