/* From a request to its handler, and the answers that need none: 4.04, 4.05, 5.05, and what the other files of this
 * folder find to be amiss. RFC 7252 sections 5.8, 5.10. */
#include <string.h>

#include "base/text.h"
#include "message/silence.h"
#include "rest/request.h"
#include "rest/window.h"

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

/* --- Blocks --------------------------------------------------------------------------------------- */

struct request_block request_block_of(uint32_t value) {
  if (value == UINT32_MAX) return (struct request_block){.present = false};
  return (struct request_block){copal_block_of(value), true};
}

/* Notifications go block by block, and so does the reply that begins them: decision 0012. */
static bool may_be_observed(const copal_view *view) {
  return copal_find_uint(view, COPAL_OPTION_OBSERVE, UINT32_MAX) == 0 &&
         (view->code == COPAL_GET || view->code == COPAL_FETCH);
}

/* RFC 9177 4.1: "there MUST NOT be a mix of Q-Block and Block options in the same packet", and those
 * "that do not adhere to this behavior MUST be rejected with a 4.02 (Bad Option)". */
static copal_code reads_q_blocks(struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  request->qblock1 = request_block_of(copal_find_uint(view, COPAL_OPTION_Q_BLOCK1, UINT32_MAX));
  if (!wanted_read(view, &request->wanted) || request->qblock1.block.szx == BLOCK_SZX_RESERVED)
    return COPAL_BAD_REQUEST;
  bool any = request->qblock1.present || request->wanted.count > 0;
  if (any && (request->block1.present || request->block2.present)) return COPAL_BAD_OPTION;
  if (request->wanted.count > 0) {
    copal_block block = {request->wanted.numbers[0], false, request->wanted.szx};
    request->block2 = (struct request_block){block, true};
  }
  /* Blocks that go on their own keep their peer's record for as long: a stranger must find another one. */
  bool may_begin = peers_have_room(&request->engine->peers) || request->block2.block.number > 0;
  request->quick = any && !may_be_observed(view) && may_begin;
  return COPAL_EMPTY;
}

/* RFC 7959 2.2: an SZX of 7 "MUST lead to a 4.00 Bad Request response code upon reception in a request." EMPTY: nothing
 * is wrong. */
static copal_code reads_blocks(struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  request->block1 = request_block_of(copal_find_uint(view, COPAL_OPTION_BLOCK1, UINT32_MAX));
  request->block2 = request_block_of(copal_find_uint(view, COPAL_OPTION_BLOCK2, UINT32_MAX));
  if (request->block1.block.szx == BLOCK_SZX_RESERVED || request->block2.block.szx == BLOCK_SZX_RESERVED)
    return COPAL_BAD_REQUEST;
  return reads_q_blocks(request);
}

/* A request for more of a reply that was given already: it must not be executed again, even where nothing is kept any
 * more. Only a GET, and a FETCH that comes with its payload, can be answered anew. */
static bool is_for_more(const struct copal_request *request) {
  if (request->block1.present || request->qblock1.present) return false;
  if (request->block2.block.number == 0 && !request->wanted.several) return false;
  return request->rx.message.payload.size == 0 || request->rx.message.code != COPAL_FETCH;
}

static bool is_kept(const struct copal_request *request) {
  struct transfer_key key = request_transfer_key(request);
  return transfers_find(request->transfers, TRANSFER_KEPT, &key) != INDEX_NONE;
}

/* RFC 9177 7.2: "The server SHOULD recognize the 'Continue' Q-Block2 request … and just continue the transmission of
 * the body … rather than treat 'Continue' as a request for the remaining missing blocks." */
static bool goes_on(struct copal_request *request) {
  if (!request->quick || !request->wanted.goes_on || request->rx.message.type == COPAL_CON || !is_kept(request))
    return false;
  /* Else it asks for what is not there, or has a token that cannot be kept: then it is a request like others. */
  request->silent = request_begin_burst(request, 0);
  return request->silent;
}

/* The first block alone of what a body with that Request-Tag brought about: RFC 9177 10.3.3 repeats it. That body did
 * not come with this request, so it must not be executed without. */
static bool recovers_first(const struct copal_request *request) {
  copal_option tag;
  const copal_view *view = &request->rx.message;
  return request->wanted.count > 0 && !request->qblock1.present && view->payload.size == 0 && view->code != COPAL_GET &&
         copal_find(view, COPAL_OPTION_REQUEST_TAG, &tag);
}

static bool answers_more(struct copal_request *request) {
  if (!is_for_more(request) && !recovers_first(request)) return false;
  if (goes_on(request) || request_reply_kept(request)) return true;
  if (request->rx.message.code == COPAL_GET) return false;
  copal_reply_code(request, COPAL_REQUEST_ENTITY_INCOMPLETE);
  return true;
}

/* --- The handler ------------------------------------------------------------------------------------ */

/* What is kept of an earlier answer is no part of the new one. Of other methods the new one takes its place. */
static void forget_kept(struct copal_request *request) {
  struct transfers *transfers = request->transfers;
  if (request->rx.message.code != COPAL_GET || request->block2.block.number > 0) return;
  if (!transfers_have_kept(transfers)) return;
  struct transfer_key key = request_transfer_key(request);
  uint32_t index = transfers_find(transfers, TRANSFER_KEPT, &key);
  if (index != INDEX_NONE) transfer_end(transfers, index);
}

/* Whether a reply may go: what a handler has built by hand may be anything. */
static bool is_sound(const struct copal_request *request) {
  return request->reply.error == COPAL_OK && copal_code_is_response(request->room[1]);
}

static void call_handler(struct copal_request *request) {
  const struct route_handler *handler = request->handler;
  forget_kept(request);
  request->handled = true;
  handler->handler(request, handler->context);
  if (request->deferred) return;
  bool owes = request->replied ? !is_sound(request) : request->part.last;
  if (owes) copal_reply_code(request, COPAL_INTERNAL_SERVER_ERROR);
  if (!request->replied) return;
  request->reply.capacity = request->room_size;
  request_validate(request);
  request_cut_reply(request);
}

/* Preconditions are looked at when a body begins, so that nothing is sent in vain, and again when it is whole. */
static void handle(struct copal_request *request) {
  if (!request_is_acceptable(request)) return;
  bool begins = request->block1.block.number == 0 && !request->qblock1.present;
  if (begins && !request_preconditions_hold(request)) return;
  if (!request_take_block(request)) return;
  bool ends = request->upload != INDEX_NONE && request->part.last; /* one block begins and ends no upload */
  if (ends && !request_preconditions_hold(request)) return;
  call_handler(request);
  request_finish_block(request);
}

static void reply_core(struct copal_request *request) {
  if (request->rx.message.code != COPAL_GET) {
    copal_reply_code(request, COPAL_METHOD_NOT_ALLOWED);
    return;
  }
  if (request->block1.present) {
    copal_reply_code(request, COPAL_BAD_OPTION);
    return;
  }
  if (!request_preconditions_hold(request)) return;
  request_reply_core(request);
  request->reply.capacity = request->room_size;
  request_validate(request);
}

static void find_and_handle(struct copal_request *request) {
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
  if (!own && is_well_known_core(view)) {
    request->route = INDEX_NONE;
    reply_core(request);
    return;
  }
  if (request->route == INDEX_NONE) {
    /* RFC 7252 5.8: "A request with an unrecognized or unsupported Method Code MUST generate a 4.05". */
    copal_reply_code(request, view->code > COPAL_IPATCH ? COPAL_METHOD_NOT_ALLOWED : COPAL_NOT_FOUND);
    return;
  }
  request->handler = routes_handler(request->routes, request->route, view->code);
  if (request->handler == NULL)
    copal_reply_code(request, COPAL_METHOD_NOT_ALLOWED);
  else if (!answers_more(request))
    handle(request);
}

void request_dispatch(struct copal_request *request) {
  request->upload = INDEX_NONE;
  copal_code wrong = reads_blocks(request);
  if (wrong == COPAL_EMPTY)
    find_and_handle(request);
  else
    copal_reply_code(request, wrong);
  if (request->deferred || request->silent) return;
  request->reply.capacity = request->room_size;
  bool unwanted = message_is_unwanted(message_no_response(&request->rx.message), request->room[1]);
  if (request->quick && request->in_blocks && !unwanted) request_begin_burst(request, 1);
}
