/* What must hold before a handler is called, and what its reply is checked for afterwards: Content-Formats that are
 * offered and taken, preconditions, validation. RFC 7252 sections 5.10.3, 5.10.4, 5.10.6 and 5.10.8. */
#include <assert.h>

#include "rest/request.h"
#include "rest/window.h"

/* --- Content-Formats ------------------------------------------------------------------------------ */

static bool is_listed(const uint16_t *formats, uint32_t count, uint32_t format) {
  for (uint32_t i = 0; i < count; ++i)
    if (formats[i] == format) return true;
  return false;
}

static bool is_safe(const struct copal_request *request) {
  return request->rx.message.code == COPAL_GET || request->rx.message.code == COPAL_FETCH;
}

bool request_is_acceptable(struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  const struct route_handler *handler = request->handler;
  uint32_t format = copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  /* RFC 7252 5.9.2.10: 4.15 is "like HTTP 415 "Unsupported Media Type"". */
  if (handler->takes != NULL && format != COPAL_FORMAT_NONE &&
      !is_listed(handler->takes, handler->takes_count, format)) {
    copal_reply_code(request, COPAL_UNSUPPORTED_CONTENT_FORMAT);
    return false;
  }
  const struct route *route = &request->routes->records[request->route];
  uint32_t accept = copal_find_uint(view, COPAL_OPTION_ACCEPT, COPAL_FORMAT_NONE);
  /* RFC 7252 5.10.4: "If the preferred Content-Format cannot be returned, then a 4.06 "Not Acceptable" MUST be
   * sent as a response, unless another error code takes precedence for this response." */
  if (is_safe(request) && route->offers != NULL && accept != COPAL_FORMAT_NONE &&
      !is_listed(route->offers, route->offers_count, accept)) {
    copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
    return false;
  }
  return true;
}

uint32_t copal_request_format(const copal_request *request) {
  uint32_t accept = copal_find_uint(&request->rx.message, COPAL_OPTION_ACCEPT, COPAL_FORMAT_NONE);
  if (accept != COPAL_FORMAT_NONE) return accept;
  assert(request->route != INDEX_NONE);
  const struct route *route = &request->routes->records[request->route];
  return route->offers_count > 0 ? route->offers[0] : COPAL_FORMAT_NONE;
}

/* A route that lists no formats is held to what its handler's reply says. A request that changed something has done so:
 * only the representation of a GET or FETCH can be refused. */
static void check_accept(struct copal_request *request) {
  uint32_t accept = copal_find_uint(&request->rx.message, COPAL_OPTION_ACCEPT, COPAL_FORMAT_NONE);
  if (accept == COPAL_FORMAT_NONE || !is_safe(request)) return;
  copal_view reply = copal_message_view(&request->reply);
  uint32_t format = copal_find_uint(&reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (COPAL_CODE_CLASS(reply.code) != 2 || format == COPAL_FORMAT_NONE || accept == format) return;
  copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
}

/* --- Preconditions ---------------------------------------------------------------------------------- */

static bool is_version(const struct copal_request *request, const copal_option *option) {
  return option->size == request->etag_size && memcmp(option->value, request->etag, option->size) == 0;
}

/* RFC 7252 5.10.8.1: If-Match makes "a request conditional on the current existence or value of an ETag for one or more
 * representations of the target resource"; an empty value "places the precondition on the existence of any current
 * representation". 5.10.8.2: If-None-Match, on its nonexistence. */
static bool conditions_hold(const struct copal_request *request) {
  bool conditional = false, matched = false, exists = request->etag_size > 0;
  copal_options walk = copal_options_of(&request->rx.message);
  copal_option option;
  while (copal_options_next(&walk, &option) && option.number <= COPAL_OPTION_IF_NONE_MATCH) {
    if (option.number == COPAL_OPTION_IF_NONE_MATCH && exists) return false;
    if (option.number != COPAL_OPTION_IF_MATCH) continue;
    conditional = true;
    if (exists && (option.size == 0 || is_version(request, &option))) matched = true;
  }
  bool none_match = request->upload != INDEX_NONE && request->transfers->records[request->upload].none_match;
  return (!conditional || matched) && !(none_match && exists);
}

static bool names_version(const struct copal_request *request) {
  copal_options walk = copal_options_of(&request->rx.message);
  copal_option option;
  while (copal_options_next(&walk, &option) && option.number <= COPAL_OPTION_ETAG)
    if (option.number == COPAL_OPTION_ETAG && request->etag_size > 0 && is_version(request, &option)) return true;
  return false;
}

bool request_preconditions_hold(struct copal_request *request) {
  copal_option option;
  const copal_view *view = &request->rx.message;
  const struct route *route = request->route == INDEX_NONE ? NULL : &request->routes->records[request->route];
  if (route == NULL || route->version == NULL) {
    if (!copal_find(view, COPAL_OPTION_IF_MATCH, &option) && !copal_find(view, COPAL_OPTION_IF_NONE_MATCH, &option))
      return true;
    copal_reply_code(request, COPAL_BAD_OPTION);
    return false;
  }
  size_t size = route->version(request, request->etag, route->version_context);
  assert(size <= ETAG_SIZE_MAX && !request->replied);
  request->etag_size = (uint8_t)size;
  /* RFC 7252 5.10.8: "If the condition given is not fulfilled, then the server MUST NOT perform the requested method.
   * Instead, the server MUST respond with the 4.12 (Precondition Failed) Response Code." */
  if (!conditions_hold(request)) {
    copal_reply_code(request, COPAL_PRECONDITION_FAILED);
    return false;
  }
  /* An observer's ETags were good for its first reply. */
  if (is_safe(request) && !request->notification && names_version(request)) {
    copal_message *reply = copal_reply_message(request);
    copal_message_set_code(reply, COPAL_VALID);
    copal_message_add(reply, COPAL_OPTION_ETAG, request->etag, request->etag_size);
    return false;
  }
  return true;
}

/* --- Validation ------------------------------------------------------------------------------------- */

/* RFC 7252 5.10.6.2: "A server can issue a 2.03 Valid response … in place of a 2.05 Content response if one of the
 * ETags given is the entity-tag for the current representation". */
static void confirm(struct copal_request *request, const copal_option *etag) {
  request->etag_size = (uint8_t)etag->size;
  memcpy(request->etag, etag->value, etag->size);
  if (!names_version(request)) return;
  copal_view reply = copal_message_view(&request->reply);
  uint32_t max_age = copal_find_uint(&reply, COPAL_OPTION_MAX_AGE, 60);
  copal_message *valid = copal_reply_message(request);
  copal_message_set_code(valid, COPAL_VALID);
  copal_message_add(valid, COPAL_OPTION_ETAG, request->etag, request->etag_size);
  copal_message_add_uint(valid, COPAL_OPTION_MAX_AGE, max_age);
}

void request_validate(struct copal_request *request) {
  check_accept(request);
  bool is_conditional = copal_may_have(&request->rx.message, COPAL_OPTION_ETAG);
  if (request->etag_size == 0 && !is_conditional) return; /* there is nothing to add, and nothing to confirm */
  copal_view reply = copal_message_view(&request->reply);
  if (!is_safe(request) || reply.code != COPAL_CONTENT) return;
  copal_option etag;
  if (!copal_find(&reply, COPAL_OPTION_ETAG, &etag)) {
    if (request->etag_size > 0)
      copal_message_add(&request->reply, COPAL_OPTION_ETAG, request->etag, request->etag_size);
    return;
  }
  if (etag.size <= ETAG_SIZE_MAX && !request->notification) confirm(request, &etag);
}
