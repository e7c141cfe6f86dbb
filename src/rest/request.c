/* What a handler may ask of its request: the public functions on copal_request that change nothing. */
#include "rest/request.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "message/percent.h"

const copal_rx *copal_request_rx(const copal_request *request) { return &request->rx; }

copal_endpoint *copal_request_endpoint(const copal_request *request) { return request->rx.endpoint; }

bool copal_request_is_notification(const copal_request *request) { return request->notification; }

/* The path has led to a route, so it has as many segments as that. */
static copal_bytes path_segment(const copal_view *view, uint32_t position) {
  copal_options walk = copal_options_of(view);
  copal_option option = {.number = 0};
  bool any;
  do {
    any = copal_options_next(&walk, &option);
    assert(any);
  } while (option.number != COPAL_OPTION_URI_PATH || position-- > 0);
  (void)any;
  return (copal_bytes){option.value, option.size};
}

copal_bytes copal_request_parameter(const copal_request *request, const char *name) {
  copal_bytes value = {NULL, 0};
  size_t size = text_size(name);
  for (uint32_t at = request->route; at != INDEX_NONE; at = request->routes->records[at].parent) {
    const struct route *route = &request->routes->records[at];
    if (route->kind != ROUTE_PARAMETER || route->segment.size != size) continue;
    if (memcmp(route->segment.data, name, size) != 0) continue;
    value = path_segment(&request->rx.message, routes_depth(request->routes, at));
    break;
  }
  return value;
}

bool copal_request_query(const copal_request *request, const char *name, copal_bytes *value) {
  size_t size = text_size(name);
  copal_options walk = copal_options_of(&request->rx.message);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_QUERY || option.size < size || memcmp(option.value, name, size) != 0)
      continue;
    if (option.size > size && option.value[size] != '=') continue;
    size_t skip = option.size > size ? size + 1 : size;
    *value = (copal_bytes){option.value + skip, option.size - skip};
    return true;
  }
  return false;
}

copal_part copal_request_part(copal_request *request) { return request->part; }

/* All but unreserved characters are escaped: a tail is often used as a file's name, and neither "/" nor NUL within a
 * segment may pass for anything else. */
static bool append(char *buffer, size_t capacity, size_t *size, uint8_t c) {
  static const char digits[] = "0123456789ABCDEF";
  size_t need = is_unreserved(c) ? 1 : 3;
  if (capacity - *size <= need) return false;
  if (need == 1) {
    buffer[(*size)++] = (char)c;
    return true;
  }
  buffer[(*size)++] = '%';
  buffer[(*size)++] = digits[c >> 4];
  buffer[(*size)++] = digits[c & 15];
  return true;
}

copal_error copal_request_tail(const copal_request *request, char *buffer, size_t capacity) {
  assert(capacity > 0);
  uint32_t first = 0;
  if (request->routes->records[request->route].kind == ROUTE_TAIL)
    first = routes_depth(request->routes, request->route);
  copal_options walk = copal_options_of(&request->rx.message);
  copal_option option;
  size_t size = 0;
  for (uint32_t position = 0; copal_options_next(&walk, &option);) {
    if (option.number != COPAL_OPTION_URI_PATH || position++ < first) continue;
    if (position - 1 > first) {
      if (capacity - size <= 1) return COPAL_ERR_SPACE;
      buffer[size++] = '/';
    }
    for (size_t i = 0; i < option.size; ++i)
      if (!append(buffer, capacity, &size, option.value[i])) return COPAL_ERR_SPACE;
  }
  buffer[size] = 0;
  return COPAL_OK;
}

copal_error copal_defer(copal_request *request, copal_deferred *deferred) {
  assert(!request->deferred);
  if (request->notification) return COPAL_ERR_NOTIFICATION;
  if (!request->part.last) return COPAL_ERR_TYPE;
  uint32_t index = deferred_take(request->deferreds, request->engine, request->incoming, false);
  if (index == INDEX_NONE) return COPAL_ERR_DEFERRED_FULL;
  struct deferred *record = &request->deferreds->records[index];
  record->options = request_transfer_key(request).options;
  *deferred = (copal_deferred){index, record->generation};
  request->deferred = true;
  request->entry->state = REPLY_PENDING;
  return COPAL_OK;
}
