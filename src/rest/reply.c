/* What a handler says in reply: the public functions that build it. A body is cut to the block that the client asks
 * for, or that fits; what a client cannot ask for again by repeating its request is kept until it has fetched it.
 * RFC 7959 sections 2.2, 2.4 and 4. */
#include <assert.h>

#include "base/text.h"
#include "rest/burst.h"
#include "rest/request.h"
#include "rest/window.h"

/* What options take that are added to a handler's reply, with a byte of extended delta each. */
enum {
  ETAG_ROOM = 2 + ETAG_SIZE_MAX,
  OBSERVE_ROOM = 2 + 3,
  BLOCK_ROOM = 2 + 3,
  SIZE_ROOM = 2 + 4,
  MESSAGE_SIZE_LEAST = 64,
};
_Static_assert(BLOCK_ROOM + OBSERVE_ROOM + ETAG_ROOM + BLOCK_ROOM + SIZE_ROOM <= MESSAGE_SIZE_LEAST / 2,
               "all of them leave half of the smallest message to a token and what the handler says");

/* The room that the library needs for itself, so that what it adds always fits. */
static size_t reserve(const struct copal_request *request, bool by_hand) {
  copal_option option;
  size_t size = 0;
  if (request->block1.present) size += BLOCK_ROOM;
  if (copal_find(&request->rx.message, COPAL_OPTION_OBSERVE, &option) || request->notification) size += OBSERVE_ROOM;
  if (by_hand && (request->etag_size > 0 || request->block2.present)) size += ETAG_ROOM;
  if (by_hand && request->block2.present) size += BLOCK_ROOM + SIZE_ROOM;
  return size;
}

/* Leaves that room to the library, as far as there is any: a token may take up all. */
static void limit(struct copal_request *request, bool by_hand) {
  copal_message *reply = &request->reply;
  reply->capacity = request->room_size - reserve(request, by_hand);
  if (reply->capacity < reply->size) reply->capacity = reply->size;
}

void request_begin_reply(struct copal_request *request, uint8_t code) {
  assert(!request->deferred);
  const copal_view *view = &request->rx.message;
  copal_type type = view->type == COPAL_CON ? COPAL_ACK : COPAL_NON;
  copal_message_init(&request->reply, request->room, request->room_size, type, code);
  request->room[2] = (uint8_t)(request->reply_mid >> 8);
  request->room[3] = (uint8_t)request->reply_mid;
  /* RFC 7252 5.3.1: a token "that the server MUST echo (without modification) in any resulting response". */
  copal_message_set_token(&request->reply, view->token.data, view->token.size);
  limit(request, true);
  request->replied = true;
  request->in_blocks = false;
}

copal_message *copal_reply_message(copal_request *request) {
  request_begin_reply(request, COPAL_CONTENT);
  return &request->reply;
}

copal_error copal_reply(copal_request *request, copal_code code, uint32_t content_format, const void *body,
                        size_t body_size) {
  request_begin_reply(request, (uint8_t)code);
  if (content_format != COPAL_FORMAT_NONE)
    copal_message_add_uint(&request->reply, COPAL_OPTION_CONTENT_FORMAT, content_format);
  return copal_reply_body(request, body, body_size);
}

copal_error copal_reply_text(copal_request *request, const char *text) {
  return copal_reply(request, COPAL_CONTENT, COPAL_TEXT_PLAIN, text, text_size(text));
}

/* --- Blocks --------------------------------------------------------------------------------------- */

static copal_error fail(struct copal_request *request, copal_code code, copal_error error) {
  copal_reply_code(request, code);
  return error;
}

static bool is_success(const struct copal_request *request) { return COPAL_CODE_CLASS(request->room[1]) == 2; }

/* Whether the client asks for a block: then it gets one even of a body that would fit. An error is no body to be taken
 * apart, unless it must. */
static bool asks_for_block(const struct copal_request *request) {
  return request->block2.present && is_success(request);
}

/* RFC 9177 4.1 has Q-Block2 in "payload-bearing responses (response codes 2.01, 2.02, 2.04, and 2.05)". */
static bool goes_quick(const struct copal_request *request) { return request->quick && is_success(request); }

/* Whether the rest of a body in blocks cannot be had by calling the handler again. */
static bool must_keep(const struct copal_request *request) {
  if (request->key != NULL) return true;
  return request->rx.message.code != COPAL_GET && !request->notification && request->block2.block.number == 0;
}

/* The block that is to go, by what is asked for and what there is room for. False when not even the smallest fits.
 * RFC 7959 2.4: "A server MUST use the block size indicated or a smaller size." */
static bool choose_window(struct copal_request *request, struct window *window) {
  size_t options = BLOCK_ROOM + SIZE_ROOM, room;
  copal_option etag;
  copal_view reply = copal_message_view(&request->reply);
  bool stamps = is_success(request) && (request->quick || must_keep(request));
  if (stamps && !copal_find(&reply, COPAL_OPTION_ETAG, &etag)) options += ETAG_ROOM;
  limit(request, false);
  if (copal_message_payload_room(&request->reply, &room) == NULL || room <= options) return false;
  const struct request_block *wanted = &request->block2;
  window->szx = block_szx_within(wanted->present ? wanted->block.szx : BLOCK_SZX_MAX, room - options);
  window->offset = wanted->present ? block_offset(wanted->block) : 0;
  window->size = block_size(window->szx);
  return window->szx != BLOCK_SZX_RESERVED;
}

/* Whether there is no such block: or not by the number that was asked for. */
static bool is_outside(const struct copal_request *request, const struct window *window, uint64_t size) {
  if (window->offset == 0) return false;
  return window->offset >= size || (goes_quick(request) && window->szx != request->block2.block.szx);
}

/* Whether a body of that size goes without blocks. Where nothing is answered, or a change without a body, there is
 * nothing that blocks and an ETag could be of. */
static bool is_whole(struct copal_request *request, uint64_t size) {
  size_t room;
  bool is_change = request->room[1] != COPAL_CONTENT;
  if (size == 0 && (is_change || request->quick) && request->block2.block.number == 0) return true;
  if (asks_for_block(request) || size > BLOCK_SIZE_MAX) return false;
  return copal_message_payload_room(&request->reply, &room) != NULL ? size <= room : size == 0;
}

/* RFC 9177 4.6: "The Size2 option MUST be used with the Q-Block2 option when used in a response and MUST be present in
 * all payloads of the response, preserving the same value." */
static void add_block_options(struct copal_request *request, const struct window *window, bool more, uint64_t size) {
  copal_option option;
  bool quick = goes_quick(request);
  /* RFC 7959 4: Size2 is "in a response carrying a Block2 Option, to indicate the current estimate the server has of
   * the total size of the resource representation", and in a request "to ask the server to provide a size estimate". */
  bool wanted = quick || window->offset == 0 || copal_find(&request->rx.message, COPAL_OPTION_SIZE2, &option);
  copal_message_add_uint(&request->reply, quick ? COPAL_OPTION_Q_BLOCK2 : COPAL_OPTION_BLOCK2,
                         window_value(window, more));
  if (wanted && size <= UINT32_MAX) copal_message_add_uint(&request->reply, COPAL_OPTION_SIZE2, (uint32_t)size);
  request->in_blocks = true;
}

/* RFC 7959 2.4: "The server SHOULD include an ETag Option in each response." RFC 7252 5.10.6.1: "The ETag Option
 * MUST NOT occur more than once in a response." */
static void add_etag(struct copal_request *request, const void *body, size_t size) {
  copal_option option;
  copal_view reply = copal_message_view(&request->reply);
  if (!is_success(request) || copal_find(&reply, COPAL_OPTION_ETAG, &option)) return;
  if (request->etag_size == 0) {
    uint64_t hash = hash_bytes(&request->routes->key, body, size);
    memcpy(request->etag, &hash, ETAG_SIZE_MAX);
    request->etag_size = ETAG_SIZE_MAX;
  }
  copal_message_add(&request->reply, COPAL_OPTION_ETAG, request->etag, request->etag_size);
}

/* Keeps the reply, still without payload and Block2, and its body for those who ask for more of it: a request that is
 * not repeated in full for each block, and whose handler must not be called again. */
static bool keep(struct copal_request *request, size_t head_size, const void *body, size_t size) {
  struct transfers *transfers = request->transfers;
  uint32_t index = request_begin_transfer(request, TRANSFER_KEPT);
  if (index == INDEX_NONE) return false;
  transfers->records[index].head_size = (uint32_t)head_size;
  if (transfer_append(transfers, index, request->reply.buffer, head_size) == COPAL_OK &&
      transfer_append(transfers, index, body, size) == COPAL_OK)
    return true;
  transfer_drop(transfers, index);
  return false;
}

/* What will be asked for is kept where it must be, or may be: blocks that go in sets are sent from a copy. Without one
 * the client is told to ask for blocks one by one: by Block2. */
static bool keep_rest(struct copal_request *request, size_t head_size, const void *body, size_t size) {
  if (goes_quick(request)) {
    if (keep(request, head_size, body, size)) return true;
    if (request->block2.block.number == 0) request->quick = false;
  }
  return !must_keep(request) || keep(request, head_size, body, size);
}

/* A body is given to the reply that was begun, whose code may be anything where it was set by hand. */
static bool begin_body(struct copal_request *request) {
  if (!request->replied) request_begin_reply(request, COPAL_CONTENT);
  copal_message_set_payload(&request->reply, NULL, 0);
  return copal_code_is_response(request->room[1]);
}

copal_error copal_reply_body(copal_request *request, const void *body, size_t body_size) {
  if (!begin_body(request)) return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_TYPE);
  copal_message *reply = &request->reply;
  if (is_whole(request, body_size)) {
    copal_message_set_payload(reply, body, body_size);
    return reply->error;
  }
  struct window window;
  add_etag(request, body, body_size);
  if (!choose_window(request, &window)) return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_MESSAGE_SIZE);
  if (is_outside(request, &window, body_size)) return fail(request, COPAL_BAD_REQUEST, COPAL_OK);
  size_t left = body_size - (size_t)window.offset, size = left < window.size ? left : window.size;
  if (left > size && !keep_rest(request, reply->size, body, body_size))
    return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_MESSAGE_SIZE);
  add_block_options(request, &window, left > size, body_size);
  copal_message_set_payload(reply, size == 0 ? NULL : (const uint8_t *)body + window.offset, size);
  return reply->error;
}

/* --- Bodies that are read -------------------------------------------------------------------------- */

static copal_error read_all(struct transfers *transfers, uint32_t index, copal_reader *read, void *context) {
  copal_error error = COPAL_OK;
  uint8_t chunk[256];
  for (uint64_t offset = 0, size = sizeof chunk; error == COPAL_OK && size == sizeof chunk; offset += size) {
    size = read(context, offset, chunk, sizeof chunk);
    if (size > sizeof chunk)
      error = COPAL_ERR_BODY_READ;
    else
      error = transfer_append(transfers, index, chunk, (size_t)size);
  }
  return error;
}

/* All blocks have the same ETag, which is known only when the body is: until then the head has the room for it. */
static void stamp_etag(const struct transfers *transfers, uint32_t index, const struct hash_key *key) {
  const struct transfer *transfer = &transfers->records[index];
  uint8_t *bytes = transfer_bytes(transfers, transfer);
  uint64_t hash = hash_bytes(key, bytes + transfer->head_size, transfer->size - transfer->head_size);
  copal_view head;
  copal_option option;
  copal_error error = copal_decode(bytes, transfer->head_size, &head);
  bool found = copal_find(&head, COPAL_OPTION_ETAG, &option);
  assert(error == COPAL_OK && found);
  (void)error, (void)found;
  memcpy(bytes + (option.value - bytes), &hash, sizeof hash);
}

/* A body that is to be kept is read to its end first. */
static copal_error reply_all(struct copal_request *request, uint64_t total, copal_reader *read, void *context) {
  struct transfers *transfers = request->transfers;
  if (total != COPAL_SIZE_UNKNOWN && total > transfers->body_size_max) return COPAL_ERR_MESSAGE_SIZE;
  uint32_t index = request_begin_transfer(request, TRANSFER_KEPT);
  if (index == INDEX_NONE) return COPAL_ERR_MESSAGE_SIZE;
  static const uint8_t room[ETAG_SIZE_MAX];
  copal_view view = copal_message_view(&request->reply);
  copal_option option;
  bool stamps = is_success(request) && !copal_find(&view, COPAL_OPTION_ETAG, &option);
  if (stamps) copal_message_add(&request->reply, COPAL_OPTION_ETAG, room, sizeof room);
  transfers->records[index].head_size = (uint32_t)request->reply.size;
  assert(request->reply.error == COPAL_OK); /* the window has left room for it */
  copal_error error = transfer_append(transfers, index, request->reply.buffer, request->reply.size);
  if (error == COPAL_OK) error = read_all(transfers, index, read, context);
  if (stamps) copal_message_delete(&request->reply, COPAL_OPTION_ETAG);
  if (error != COPAL_OK) {
    transfer_drop(transfers, index);
    return error == COPAL_ERR_BODY_READ ? error : COPAL_ERR_MESSAGE_SIZE;
  }
  if (stamps) stamp_etag(transfers, index, &request->routes->key);
  bool served = request_reply_kept(request);
  assert(served);
  (void)served;
  return COPAL_OK;
}

/* Reads a block right into the message, and one byte beyond it where nothing else tells whether there is more. */
static copal_error reply_window(struct copal_request *request, const struct window *window, uint64_t total,
                                copal_reader *read, void *context) {
  bool known = total != COPAL_SIZE_UNKNOWN;
  uint32_t want = window->size + (known ? 0 : 1);
  size_t room_size;
  uint8_t *room = copal_message_payload_room(&request->reply, &room_size);
  /* Options that are added afterwards move the payload. */
  assert(room != NULL && room_size >= want);
  uint64_t size = read(context, window->offset, room, want);
  if (size > want) return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_BODY_READ);
  if (size == 0 && window->offset > 0) return fail(request, COPAL_BAD_REQUEST, COPAL_OK);
  bool more = known ? window->offset + size < total : size > window->size;
  if (known && more && size < want) return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_BODY_READ);
  if (size > window->size) size = window->size;
  if (!known && window->offset == 0 && !more) total = size;
  copal_message_set_payload(&request->reply, room, (size_t)size);
  if (goes_quick(request) && window->offset == 0) add_etag(request, room, (size_t)size);
  if (more || asks_for_block(request)) add_block_options(request, window, more, total);
  return request->reply.error;
}

/* A body that turns out to be short goes without blocks, though its size was not known. */
static bool reply_whole(struct copal_request *request, uint64_t total, copal_reader *read, void *context) {
  size_t room_size;
  uint8_t *room = copal_message_payload_room(&request->reply, &room_size);
  if (asks_for_block(request) || room == NULL) return false;
  size_t limit = room_size < BLOCK_SIZE_MAX ? room_size : BLOCK_SIZE_MAX;
  if (total != COPAL_SIZE_UNKNOWN && total > limit) return false;
  uint64_t size = read(context, 0, room, total != COPAL_SIZE_UNKNOWN ? (size_t)total : limit);
  if (total != COPAL_SIZE_UNKNOWN ? size != total : size >= limit) return false;
  copal_message_set_payload(&request->reply, room, (size_t)size);
  return true;
}

copal_error copal_reply_reader(copal_request *request, uint64_t size, copal_reader *read, void *context) {
  if (!begin_body(request)) return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_TYPE);
  if (reply_whole(request, size, read, context)) return COPAL_OK;
  struct window window;
  if (request->etag_size > 0) add_etag(request, NULL, 0);
  if (!choose_window(request, &window)) return fail(request, COPAL_INTERNAL_SERVER_ERROR, COPAL_ERR_MESSAGE_SIZE);
  if (is_outside(request, &window, size)) return fail(request, COPAL_BAD_REQUEST, COPAL_OK);
  if ((must_keep(request) || goes_quick(request)) && size > window.size) {
    copal_error error = reply_all(request, size, read, context);
    if (error == COPAL_OK) return COPAL_OK;
    /* RFC 9177 4.6: with Q-Block2, Size2 "MUST" tell the size, which nobody knows. */
    bool is_lost = size == COPAL_SIZE_UNKNOWN && window.offset > 0;
    if (must_keep(request) || is_lost || error == COPAL_ERR_BODY_READ)
      return fail(request, COPAL_INTERNAL_SERVER_ERROR, error);
    if (window.offset == 0) request->quick = false;
  }
  return reply_window(request, &window, size, read, context);
}

/* --- Replies that are kept, and those made by hand --------------------------------------------------- */

static void copy_options(struct copal_request *request, const copal_view *from) {
  copal_options walk = copal_options_of(from);
  copal_option option;
  while (copal_options_next(&walk, &option))
    copal_message_add_raw(&request->reply, option.number, option.value, option.size);
}

copal_error request_reply_late(struct copal_request *request, const copal_message *response) {
  copal_view view = copal_message_view(response);
  if (view.token.size > 0) request->rx.message.token = view.token;
  request_begin_reply(request, view.code);
  copy_options(request, &view);
  copal_error error = copal_reply_body(request, view.payload.data, view.payload.size);
  request->reply.capacity = request->room_size;
  if (request->block1.present) request_add_block1(request, false);
  if (error == COPAL_OK) error = request->reply.error;
  return error == COPAL_ERR_SPACE ? COPAL_ERR_MESSAGE_SIZE : error;
}

bool request_reply_kept(struct copal_request *request) {
  struct transfers *transfers = request->transfers;
  struct transfer_key key = request_transfer_key(request);
  uint32_t index = transfers_find(transfers, TRANSFER_KEPT, &key);
  if (index == INDEX_NONE) return false;
  request_touch_transfer(request, index);
  const struct transfer *transfer = &transfers->records[index];
  const uint8_t *bytes = transfer_bytes(transfers, transfer);
  size_t head_size = transfer->head_size, body_size = transfer->size - head_size;
  copal_view head;
  copal_error error = copal_decode(bytes, head_size, &head);
  assert(error == COPAL_OK);
  (void)error;
  request_begin_reply(request, head.code);
  copy_options(request, &head);
  /* RFC 9177 4.5: "If a missing payload is requested by a client, then both the request and response MUST NOT include
   * the Observe option." */
  static const uint16_t anew[] = {COPAL_OPTION_OBSERVE, COPAL_OPTION_Q_BLOCK2, COPAL_OPTION_SIZE2};
  for (size_t i = 0; i < sizeof anew / sizeof *anew; ++i) copal_message_delete(&request->reply, anew[i]);
  struct window window;
  add_etag(request, bytes + head_size, body_size);
  if (request->qblock1.present && is_whole(request, body_size)) {
    copal_message_set_payload(&request->reply, bytes + head_size, body_size);
    return true;
  }
  if (!choose_window(request, &window) || is_outside(request, &window, body_size)) {
    copal_reply_code(request, COPAL_BAD_REQUEST);
    return true;
  }
  size_t left = body_size - (size_t)window.offset, size = left < window.size ? left : window.size;
  add_block_options(request, &window, left > size, body_size);
  copal_message_set_payload(&request->reply, bytes + head_size + window.offset, size);
  return true;
}

void request_cut_reply(struct copal_request *request) {
  copal_message *reply = &request->reply;
  size_t size = reply->size - reply->payload_at;
  if (request->in_blocks || !asks_for_block(request) || size == 0) return;
  add_etag(request, reply->buffer + reply->payload_at, size);
  copal_block block = request->block2.block;
  struct window window = {block_offset(block), block_size(block.szx), block.szx};
  if (is_outside(request, &window, size)) {
    copal_reply_code(request, COPAL_BAD_REQUEST);
    return;
  }
  uint8_t *payload = reply->buffer + reply->payload_at;
  size_t left = size - (size_t)window.offset, part = left < window.size ? left : window.size;
  if (left > part && !keep_rest(request, reply->payload_at - 1, payload, size)) {
    copal_reply_code(request, COPAL_INTERNAL_SERVER_ERROR);
    return;
  }
  memmove(payload, payload + window.offset, part);
  reply->size = reply->payload_at + part;
  add_block_options(request, &window, left > part, size);
}

static uint32_t take_off(copal_message *message, uint16_t number) {
  copal_view view = copal_message_view(message);
  uint32_t value = copal_find_uint(&view, number, UINT32_MAX);
  if (value != UINT32_MAX) copal_message_delete(message, number);
  return value;
}

/* What is kept is a whole body, and what all its blocks have in common. The one that went may be by Block2: who keeps
 * no blocks of a body ready has told so. */
void request_keep_reply(struct copal_request *request) {
  static const uint16_t of_a_block[] = {COPAL_OPTION_BLOCK2, COPAL_OPTION_SIZE2, COPAL_OPTION_Q_BLOCK2};
  enum { COUNT = sizeof of_a_block / sizeof *of_a_block };
  struct transfer_key key = request_transfer_key(request);
  if (transfers_find(request->transfers, TRANSFER_KEPT, &key) != INDEX_NONE) return; /* its body was too large */
  /* Where the last block alone was asked for, it is all that is here. */
  if (request->in_blocks && request->block2.block.number > 0) return;
  copal_message *reply = &request->reply;
  uint32_t values[COUNT];
  for (size_t i = 0; i < COUNT; ++i) values[i] = take_off(reply, of_a_block[i]);
  size_t size = reply->size - reply->payload_at, head_size = size > 0 ? reply->payload_at - 1 : reply->size;
  keep(request, head_size, reply->buffer + reply->payload_at, size);
  for (size_t i = 0; i < COUNT; ++i)
    if (values[i] != UINT32_MAX) copal_message_add_uint(reply, of_a_block[i], values[i]);
}

bool request_begin_burst(struct copal_request *request, uint32_t skipped) {
  struct transfers *transfers = request->transfers;
  struct engine *engine = request->engine;
  struct transfer_key key = request_transfer_key(request);
  uint32_t index = transfers_find(transfers, TRANSFER_KEPT, &key);
  if (index == INDEX_NONE) return false;
  uint8_t szx = request->wanted.szx;
  if (skipped > 0) {
    copal_view reply = copal_message_view(&request->reply);
    szx = copal_block_of(copal_find_uint(&reply, COPAL_OPTION_Q_BLOCK2, 0)).szx;
  }
  if (request->wanted.count == 0) wanted_by(&request->wanted, (copal_block){0, true, szx});
  struct burst_request burst = {.wanted = &request->wanted,
                                .token = request->rx.message.token,
                                .first = skipped,
                                .szx = szx,
                                .con = request->rx.message.type == COPAL_CON};
  copal_time gap = qblock_gap(&engine->parameters, &engine->random);
  if (!burst_begin(transfers, index, &burst, gap, engine->now)) return false;
  transfer_schedule(transfers, index, request->incoming->peer, engine->now);
  return true;
}
