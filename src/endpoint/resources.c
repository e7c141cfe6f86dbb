/* Registering routes and describing them: what of rest.h stands before the first request. */
#include "endpoint/endpoint.h"

enum { DAY_SECONDS = 24 * 60 * 60 };

copal_error copal_route(copal_endpoint *endpoint, copal_code method, const char *pattern, copal_handler *handler,
                        void *context) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  return routes_add(&endpoint->routes, method, pattern, handler, context);
}

copal_error copal_route_attributes(copal_endpoint *endpoint, const char *pattern, const char *attributes) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  struct route *route = routes_find(&endpoint->routes, pattern);
  if (route == NULL) return COPAL_ERR_NOT_FOUND;
  route->attributes = attributes;
  return COPAL_OK;
}

copal_error copal_route_offers(copal_endpoint *endpoint, const char *pattern, const uint16_t *formats, size_t count) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  struct route *route = routes_find(&endpoint->routes, pattern);
  if (route == NULL) return COPAL_ERR_NOT_FOUND;
  route->offers = formats;
  route->offers_count = (uint32_t)count;
  return COPAL_OK;
}

copal_error copal_route_version(copal_endpoint *endpoint, const char *pattern, copal_version_function *version,
                                void *context) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  struct route *route = routes_find(&endpoint->routes, pattern);
  if (route == NULL) return COPAL_ERR_NOT_FOUND;
  route->version = version;
  route->version_context = context;
  return COPAL_OK;
}

copal_error copal_route_observable(copal_endpoint *endpoint, const char *pattern, copal_time confirm_every) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  struct route *route = routes_find(&endpoint->routes, pattern);
  if (route == NULL) return COPAL_ERR_NOT_FOUND;
  route->observable = true;
  /* RFC 7641 4.5: a server "MUST send a notification in a confirmable message instead of a non-confirmable message at
   * least every 24 hours". */
  copal_time day = DAY_SECONDS * COPAL_SECOND;
  route->confirm_every = confirm_every < day ? confirm_every : day;
  return COPAL_OK;
}

static struct route_handler *find_handler(copal_endpoint *endpoint, copal_code method, const char *pattern) {
  struct routes *routes = &endpoint->routes;
  const struct route *route = routes_find(routes, pattern);
  if (route == NULL) return NULL;
  return routes_handler(routes, (uint32_t)(route - routes->records), (uint8_t)method);
}

copal_error copal_route_takes(copal_endpoint *endpoint, copal_code method, const char *pattern, const uint16_t *formats,
                              size_t count) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  struct route_handler *handler = find_handler(endpoint, method, pattern);
  if (handler == NULL) return COPAL_ERR_NOT_FOUND;
  handler->takes = formats;
  handler->takes_count = (uint32_t)count;
  return COPAL_OK;
}

copal_error copal_route_parts(copal_endpoint *endpoint, copal_code method, const char *pattern,
                              copal_abandon *abandon) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  struct route_handler *handler = find_handler(endpoint, method, pattern);
  if (handler == NULL) return COPAL_ERR_NOT_FOUND;
  handler->in_parts = true;
  handler->abandon = abandon;
  return COPAL_OK;
}
