/* The endpoints that a site is on. Knows no resource. */
#include "cli/serve/audience.h"

#include <assert.h>

void audience_add(struct audience *audience, copal_endpoint *endpoint) {
  assert(audience->count < AUDIENCE_MAX);
  audience->endpoints[audience->count++] = endpoint;
}

void audience_notify(const struct audience *audience, const char *path) {
  for (size_t i = 0; i < audience->count; ++i) (void)copal_notify(audience->endpoints[i], path);
}

void audience_end(const struct audience *audience, const char *path, copal_code code) {
  for (size_t i = 0; i < audience->count; ++i) (void)copal_notify_end(audience->endpoints[i], path, code);
}

void audience_forget(const struct audience *audience, const char *path) { audience_end(audience, path, COPAL_EMPTY); }
