/* From a request to its handler, and the answers that need none: 4.04, 4.05, 4.06, 5.05. RFC 7252 sections 5.8, 5.10.
 */
#include <string.h>

#include "base/text.h"
#include "rest/request.h"

static bool is_well_known_core(const copal_view *view) {
  static const char *const path[] = {".well-known", "core"};
  copal_options walk = copal_options_of(view);
  copal_option option;
  size_t count = 0;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_PATH) continue;
    if (count == 2 || option.size != text_size(path[count]) || memcmp(option.value, path[count], option.size) != 0)
      return false;
    ++count;
  }
  return count == 2;
}

/* RFC 7252 5.10.4: "If the preferred Content-Format cannot be returned, then a 4.06 "Not Acceptable" MUST be
 * sent as a response, unless another error code takes precedence for this response." */
static void check_accept(struct copal_request *request) {
  copal_view reply = copal_message_view(&request->reply);
  if (COPAL_CODE_CLASS(reply.code) != 2) return;
  uint32_t accept = copal_find_uint(&request->rx.message, COPAL_OPTION_ACCEPT, COPAL_FORMAT_NONE);
  uint32_t format = copal_find_uint(&reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (accept == COPAL_FORMAT_NONE || format == COPAL_FORMAT_NONE || accept == format) return;
  copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
}

static void call_handler(struct copal_request *request, const struct route_handler *handler) {
  handler->handler(request, handler->context);
  if (request->deferred) return;
  if (!request->replied || request->reply.error != COPAL_OK) copal_reply_code(request, COPAL_INTERNAL_SERVER_ERROR);
  /* A request that changed something has done so: only the representation of a GET or FETCH can be refused. */
  uint8_t method = request->rx.message.code;
  if (method == COPAL_GET || method == COPAL_FETCH) check_accept(request);
}

void request_dispatch(struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  copal_option option;
  /* RFC 7252 5.10.2: "An endpoint receiving a request with a Proxy-Uri Option that is unable or unwilling to act as a
   * forward-proxy for the request MUST cause the return of a 5.05 (Proxying Not Supported) response." */
  if (copal_find(view, COPAL_OPTION_PROXY_URI, &option) || copal_find(view, COPAL_OPTION_PROXY_SCHEME, &option)) {
    copal_reply_code(request, COPAL_PROXYING_NOT_SUPPORTED);
    return;
  }
  request->route = routes_match(request->routes, view);
  bool own = request->route != INDEX_NONE && routes_is_literal(request->routes, request->route);
  bool core = !own && is_well_known_core(view);
  if (request->route == INDEX_NONE || core) {
    if (!core) {
      /* RFC 7252 5.8: "A request with an unrecognized or unsupported Method Code MUST generate a 4.05". */
      copal_reply_code(request, view->code > COPAL_IPATCH ? COPAL_METHOD_NOT_ALLOWED : COPAL_NOT_FOUND);
    } else if (view->code == COPAL_GET) {
      request_reply_core(request);
      check_accept(request);
    } else {
      copal_reply_code(request, COPAL_METHOD_NOT_ALLOWED);
    }
    return;
  }
  const struct route_handler *handler = routes_handler(request->routes, request->route, view->code);
  if (handler == NULL)
    copal_reply_code(request, COPAL_METHOD_NOT_ALLOWED);
  else
    call_handler(request, handler);
}
