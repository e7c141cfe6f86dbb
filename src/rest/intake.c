/* A request's body that comes in blocks: gathered until it is whole, or handed to the handler part by part. Blocks come
 * in order; what is out of it is answered 4.08, and block 0 always begins anew. RFC 7959 sections 2.3, 2.5 and 2.9, RFC
 * 9175 section 3. */
#include "base/hash.h"
#include "rest/request.h"
#include "rest/window.h"

/* --- Which transfer ------------------------------------------------------------------------------- */

/* What differs from block to block, or may. RFC 7959 2.10: "If-None-Match … MUST NOT be used on Block1 requests with
 * NUM != 0." */
static bool varies(uint16_t number) {
  switch (number) {
    case COPAL_OPTION_IF_MATCH:
    case COPAL_OPTION_IF_NONE_MATCH:
    case COPAL_OPTION_ETAG:
    case COPAL_OPTION_OBSERVE:
    case COPAL_OPTION_BLOCK1:
    case COPAL_OPTION_BLOCK2:
    case COPAL_OPTION_Q_BLOCK1:
    case COPAL_OPTION_Q_BLOCK2: return true;
  }
  return copal_option_is_no_cache_key(number); /* Size1, Size2, No-Response, Echo … */
}

/* RFC 7959 2.3: "If blocks of a request arrive at a server with mismatching Content-Format Options, the server MUST NOT
 * assemble them into a single request". RFC 9175 3.3: nor with different Request-Tags. Both are among what is hashed.
 */
struct transfer_key request_transfer_key(const struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  if (request->key != NULL) return *request->key;
  struct hash_state hash = hash_begin(&request->routes->key);
  hash_add(&hash, view->code);
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (varies(option.number)) continue;
    hash_add(&hash, (uint64_t)option.number << 32 | option.size);
    hash_add(&hash, hash_bytes(&request->routes->key, option.value, option.size));
  }
  return (struct transfer_key){request->incoming->identity, hash_end(&hash)};
}

static bool is_verified(const struct copal_request *request) {
  return engine_is_verified(request->engine, request->incoming->peer);
}

uint32_t request_begin_transfer(const struct copal_request *request, enum transfer_kind kind) {
  struct transfer_key key = request_transfer_key(request);
  return transfers_begin(request->transfers, kind, &key, is_verified(request), request->engine->now);
}

void request_touch_transfer(const struct copal_request *request, uint32_t index) {
  transfer_touch(request->transfers, index, is_verified(request), request->engine->now);
}

/* --- Answers ---------------------------------------------------------------------------------------- */

/* The largest block that a request to this endpoint may bring: its options need about as much room as a reply's. */
static uint8_t szx_max(const struct copal_request *request) {
  enum { OPTIONS_SIZE = 96 };
  size_t options = request->room_size / 3 < OPTIONS_SIZE ? request->room_size / 3 : OPTIONS_SIZE;
  return block_szx_within(BLOCK_SZX_MAX, request->room_size - options);
}

/* RFC 7959 2.3: a Block1 option in a response tells "what block number is being acknowledged", with the M bit whether
 * "this response does not carry the final response", and the size "the server suggests". */
void request_add_block1(struct copal_request *request, bool more) {
  copal_block block = request->block1.block;
  uint8_t szx = szx_max(request);
  if (szx < block.szx) block.szx = szx;
  block.more = more;
  request->reply.capacity = request->room_size;
  copal_message_add_uint(&request->reply, COPAL_OPTION_BLOCK1, copal_block_value(block));
}

static bool takes_parts(const struct copal_request *request) {
  uint32_t route = routes_match(request->routes, &request->rx.message);
  if (route == INDEX_NONE) return false;
  const struct route_handler *handler = routes_handler(request->routes, route, request->rx.message.code);
  return handler != NULL && handler->in_parts;
}

/* RFC 7959 2.9.3: a 4.13 is "a hint for the client to try sending Block1", and one with "a smaller SZX in its Block1
 * Option is a hint to try that smaller SZX." RFC 7252 5.9.2.9: it "SHOULD include a Size1 Option". */
void request_propose_blocks(struct copal_request *request) {
  enum { OPTION_ROOM = 2 + 3 };
  const copal_view *view = &request->rx.message;
  const struct transfers *transfers = request->transfers;
  if (request->engine->raw || transfers->slab.count_max == 0 || view->payload.size == 0) return;
  struct request_block sent = request_block_of(copal_find_uint(view, COPAL_OPTION_BLOCK1, UINT32_MAX));
  size_t beside = request->incoming->datagram.size - view->payload.size + (sent.present ? 0 : OPTION_ROOM);
  size_t size_max = request->engine->message_size_max, room = beside < size_max ? size_max - beside : 0;
  copal_block block = {sent.block.number, false, block_szx_within(BLOCK_SZX_MAX, room)};
  if (block.szx == BLOCK_SZX_RESERVED) return;
  copal_message_add_uint(&request->reply, COPAL_OPTION_BLOCK1, copal_block_value(block));
  if (!takes_parts(request)) copal_message_add_uint(&request->reply, COPAL_OPTION_SIZE1, transfers->body_size_max);
}

bool request_refuse_block(struct copal_request *request, copal_code code) {
  copal_reply_code(request, code);
  /* RFC 7252 5.9.2.9: 4.13 "SHOULD include a Size1 Option … to indicate the maximum size of request entity the server
   * is able and willing to handle". */
  if (code == COPAL_REQUEST_ENTITY_TOO_LARGE)
    copal_message_add_uint(&request->reply, COPAL_OPTION_SIZE1, request->transfers->body_size_max);
  if (code == COPAL_SERVICE_UNAVAILABLE) copal_message_add_uint(&request->reply, COPAL_OPTION_MAX_AGE, 5);
  return false;
}

/* RFC 9175 2.3: "The server may also include the Echo option in a response to force a client to demonstrate
 * reachability at its claimed network address." Others make room for who has done so. */
bool request_refuse_room(struct copal_request *request) {
  if (is_verified(request)) return request_refuse_block(request, COPAL_SERVICE_UNAVAILABLE);
  ++request->engine->counters.challenged;
  request_challenge(request);
  return false;
}

/* RFC 7959 2.3: "In this case, the response MUST NOT carry a Block2 Option." */
static bool go_on(struct copal_request *request) {
  copal_reply_message(request);
  copal_message_set_code(&request->reply, COPAL_CONTINUE);
  request_add_block1(request, true);
  return false;
}

/* --- A block ---------------------------------------------------------------------------------------- */

/* RFC 7959 2.3: "The block size implied by SZX MUST match the size of the payload in bytes, if the M bit is set. (SZX
 * does not govern the payload size if M is unset)." */
static bool has_its_size(const struct copal_request *request) {
  copal_block block = request->block1.block;
  return !block.more || request->rx.message.payload.size == block_size(block.szx);
}

/* Finds the upload that a block goes on with, or begins one. INDEX_NONE: the request is answered. RFC 7959 2.5: "If
 * not all previous blocks are available at the server at the time of processing the final block, the transfer fails
 * and error code 4.08 (Request Entity Incomplete, Section 2.9.2) MUST be returned." */
static uint32_t find_upload(struct copal_request *request) {
  struct transfers *transfers = request->transfers;
  struct transfer_key key = request_transfer_key(request);
  uint64_t offset = block_offset(request->block1.block);
  copal_option option;
  if (offset > 0) {
    uint32_t index = transfers_find(transfers, TRANSFER_UPLOAD, &key);
    if (index != INDEX_NONE && transfers->records[index].size == offset) return index;
    /* The latest block once more: its answer was lost with the message that asked. */
    uint64_t end = offset + request->rx.message.payload.size;
    if (index != INDEX_NONE && transfers->records[index].size == end && request->block1.block.more)
      go_on(request);
    else
      request_refuse_block(request, COPAL_REQUEST_ENTITY_INCOMPLETE);
    return INDEX_NONE;
  }
  /* Nothing is taken from an announcement but that it is too large. */
  bool gathered = !request->handler->in_parts;
  if (gathered && copal_find_uint(&request->rx.message, COPAL_OPTION_SIZE1, 0) > transfers->body_size_max) {
    request_refuse_block(request, COPAL_REQUEST_ENTITY_TOO_LARGE);
    return INDEX_NONE;
  }
  uint32_t index = request_begin_transfer(request, TRANSFER_UPLOAD);
  if (index == INDEX_NONE) {
    request_refuse_room(request);
    return INDEX_NONE;
  }
  transfers->records[index].none_match = copal_find(&request->rx.message, COPAL_OPTION_IF_NONE_MATCH, &option);
  return index;
}

void request_describe_part(struct copal_request *request, uint64_t offset, bool last, void **state) {
  const copal_view *view = &request->rx.message;
  uint32_t total = copal_find_uint(view, COPAL_OPTION_SIZE1, UINT32_MAX);
  request->part = (copal_part){.data = view->payload.data,
                               .size = view->payload.size,
                               .offset = offset,
                               .total = total == UINT32_MAX ? COPAL_SIZE_UNKNOWN : total,
                               .last = last,
                               .state = state};
}

/* A part of an upload: only its position is kept. */
static bool take_part(struct copal_request *request, uint32_t index) {
  struct transfer *transfer = &request->transfers->records[index];
  request_describe_part(request, transfer->size, !request->block1.block.more, &transfer->state);
  transfer->abandon = request->handler->abandon;
  transfer->context = request->handler->context;
  transfer->size += (uint32_t)request->rx.message.payload.size;
  return true;
}

static bool gather(struct copal_request *request, uint32_t index) {
  struct transfers *transfers = request->transfers;
  copal_bytes payload = request->rx.message.payload;
  copal_error error = transfer_append(transfers, index, payload.data, payload.size);
  if (error == COPAL_ERR_MEMORY && !is_verified(request))
    return request_refuse_room(request); /* the block may come again */
  if (error != COPAL_OK) {
    request->upload = INDEX_NONE;
    transfer_drop(transfers, index);
    return request_refuse_block(
        request, error == COPAL_ERR_BODY_SIZE ? COPAL_REQUEST_ENTITY_TOO_LARGE : COPAL_SERVICE_UNAVAILABLE);
  }
  if (request->block1.block.more) return go_on(request);
  const struct transfer *transfer = &transfers->records[index];
  request->rx.message.payload = (copal_bytes){transfer_bytes(transfers, transfer), transfer->size};
  return true;
}

bool request_take_block(struct copal_request *request) {
  copal_block block = request->block1.block;
  request_describe_part(request, 0, true, &request->state);
  if (request->qblock1.present) return request_gather(request);
  if (!request->block1.present || (block.number == 0 && !block.more)) return true;
  if (!has_its_size(request)) return request_refuse_block(request, COPAL_BAD_REQUEST);
  uint32_t index = find_upload(request);
  if (index == INDEX_NONE) return false;
  request->upload = index;
  request_touch_transfer(request, index);
  bool whole = request->handler->in_parts ? take_part(request, index) : gather(request, index);
  /* What the handler brings about must not push out what it is looking at. */
  if (whole) transfer_detach(request->transfers, index);
  return whole;
}

void request_finish_block(struct copal_request *request) {
  if (request->qblock1.present) request_finish_gathering(request);
  if (!request->block1.present || request->deferred) return;
  if (!request->part.last && !request->replied) {
    go_on(request);
    return;
  }
  request_add_block1(request, false);
}

/* RFC 9175 2.3: a client that is given an Echo value "SHOULD resend the original request" with it: the last block. */
static bool is_to_come_again(const struct copal_request *request) {
  return request->challenged && request->room[1] == COPAL_UNAUTHORIZED && !request->handler->in_parts;
}

void request_end(struct copal_request *request) {
  struct transfers *transfers = request->transfers;
  uint32_t index = request->upload;
  if (index == INDEX_NONE) return;
  if (request->qblock1.present) {
    request_end_gathering(request);
    return;
  }
  request->upload = INDEX_NONE;
  /* The upload goes on, unless it was whole or its handler has ended it. */
  bool goes_on = !request->deferred && request->block1.block.more && request->room[1] == COPAL_CONTINUE;
  if (!request->deferred && is_to_come_again(request)) {
    transfers->records[index].size = (uint32_t)block_offset(request->block1.block);
    goes_on = true;
  }
  if (goes_on && !transfers->records[index].attached) transfer_attach(transfers, index);
  if (goes_on) return;
  if (request->handled)
    transfer_end(transfers, index);
  else
    transfer_drop(transfers, index);
}
