/* See operations.h. */
#include "rest/operations.h"

#include <assert.h>

#include "engine/engine.h"
#include "message/header.h"
#include "rest/download.h"
#include "rest/pipeline.h"
#include "rest/quick.h"
#include "rest/upload.h"

enum { SZX_INVALID = 7, SUPPRESS_ALL = 2 | 8 | 16, OBSERVE_REGISTER = 0, OBSERVE_DEREGISTER = 1 };

void operations_init(struct operations *operations, struct layout *layout, const copal_config *config,
                     struct store *store, struct hash_key key, copal_time now) {
  uint32_t count = config->calls_max;
  operations->records = (struct operation *)layout_take(layout, count, sizeof(struct operation));
  slab_init(&operations->slab, operations->records, sizeof(struct operation), count);
  operations->scratch = (uint8_t *)layout_take(layout, config->message_size_max, 1);
  /* What a message holds, and the byte that is read ahead. */
  uint32_t part = config->message_size_max < BLOCK_SIZE_MAX ? config->message_size_max : BLOCK_SIZE_MAX;
  operations->block = (uint8_t *)layout_take(layout, (uint64_t)part + 1, 1);
  operations->store = store;
  operations->message_size_max = config->message_size_max;
  operations->tag = (uint32_t)hash_words(&key, COPAL_OPTION_REQUEST_TAG, 0);
  operations->nstart = config->parameters.nstart;
  operations->in_body = false;
  operations->key = key;
  table_init(&operations->index, layout, count);
  table_init(&operations->shared, layout, count);
  operations->turn = INDEX_NONE;
  timer_queue_init(&operations->timers, operations->records, sizeof(struct operation), now);
}

/* --- Records ------------------------------------------------------------------------------------ */

static uint8_t szx_of(uint32_t size) {
  uint8_t szx = 0;
  while (szx < SZX_INVALID && block_size(szx) != size) ++szx;
  return szx;
}

/* The largest block that a message holds besides its options. */
static uint8_t szx_that_fits(uint32_t message_size_max) {
  enum { HEAD_SIZE = 48 };
  uint8_t szx = BLOCK_SZX_MAX;
  while (szx > 0 && block_size(szx) + HEAD_SIZE > message_size_max) --szx;
  return szx;
}

/* RFC 7967 2.1: the value 26 "will request to suppress all response codes defined in [RFC7252]". */
static bool is_unanswered(const copal_view *request) {
  return (copal_find_uint(request, COPAL_OPTION_NO_RESPONSE, 0) & SUPPRESS_ALL) == SUPPRESS_ALL;
}

static bool has_block_option(const copal_view *request) {
  copal_option option;
  return copal_find(request, COPAL_OPTION_BLOCK1, &option) || copal_find(request, COPAL_OPTION_BLOCK2, &option) ||
         copal_find(request, COPAL_OPTION_Q_BLOCK1, &option) || copal_find(request, COPAL_OPTION_Q_BLOCK2, &option);
}

/* Keeps the request: without a payload that read gives. */
static copal_error keep_request(struct operations *operations, const copal_call_options *options,
                                struct operation *operation) {
  const copal_message *message = options->message;
  size_t payload = message->size - message->payload_at;
  operation->head_size = (uint32_t)(payload > 0 ? message->payload_at - 1 : message->size);
  bool whole = options->read == NULL && payload > 0;
  size_t size = whole ? message->size : operation->head_size;
  if (size > operations->store->page_size) return COPAL_ERR_MESSAGE_SIZE;
  operation->request = store_take(operations->store, size);
  if (operation->request == INDEX_NONE) return COPAL_ERR_MESSAGES_FULL;
  memcpy(store_bytes(operations->store, operation->request), message->buffer, size);
  operation->upload.read = options->read;
  operation->upload.total = options->read != NULL ? options->size : payload;
  return COPAL_OK;
}

static copal_error fill(struct operations *operations, const copal_call_options *options, struct operation *operation) {
  copal_view view = copal_message_view(options->message);
  uint8_t largest = szx_that_fits(operations->message_size_max);
  uint8_t szx = options->block_size == 0 ? largest : szx_of(options->block_size);
  if (szx == SZX_INVALID) return COPAL_ERR_OPTION_VALUE;
  bool multicast = copal_address_is_multicast(options->remote);
  *operation = (struct operation){.handler = options->handler,
                                  .context = options->context,
                                  .body_context = options->body_context,
                                  .timeout = options->timeout,
                                  .began = COPAL_NEVER,
                                  .asked = COPAL_NEVER,
                                  .download = {.write = options->write,
                                               .buffer = (uint8_t *)options->buffer,
                                               .capacity = options->buffer == NULL ? 0 : options->capacity},
                                  .generation = operation->generation + 1,
                                  .tag = operations->tag++,
                                  .szx_wanted = szx < largest ? szx : largest,
                                  .negotiates = options->block_size != 0 || (largest < BLOCK_SZX_MAX && !multicast),
                                  .insists = options->block_size != 0,
                                  .plain = has_block_option(&view),
                                  .multicast = multicast,
                                  .con = header_type(options->message->buffer) == COPAL_CON,
                                  .reads = view.code == COPAL_GET || view.code == COPAL_FETCH,
                                  .no_token = options->no_token && view.token.size == 0,
                                  .observe = options->observe,
                                  .registering = options->observe,
                                  .unanswered = is_unanswered(&view)};
  if (operation->generation == 0) operation->generation = 1;
  operation->upload.szx = operation->szx_wanted;
  if (operation->plain) operation->negotiates = false;
  if (view.code == COPAL_GET) operation->pipeline.most = pipeline_most(operation, options->ahead, operations->nstart);
  copal_error error = keep_request(operations, options, operation);
  if (options->q_block && quick_is_possible(operation)) operation->quick.state = QUICK_OFFERED;
  return error;
}

copal_error operation_take(struct operations *operations, const copal_call_options *options, uint32_t *index) {
  *index = slab_take(&operations->slab);
  if (*index == INDEX_NONE) return COPAL_ERR_CALLS_FULL;
  struct operation *operation = &operations->records[*index];
  copal_error error = fill(operations, options, operation);
  operation->used = error == COPAL_OK;
  operation->next = operation->previous = *index;
  if (error != COPAL_OK) slab_give(&operations->slab, *index);
  return error;
}

void operation_give(struct operations *operations, struct operation *operation) {
  assert(operation->used && operation->pipeline.count == 0);
  operation->used = false;
  operation_rest(operations, operation);
  operation_name(operations, operation, 0);
  store_give(operations->store, operation->request);
  slab_give(&operations->slab, (uint32_t)(operation - operations->records));
}

struct operation *operation_of(const struct operations *operations, copal_call call) {
  if (call.generation == 0 || call.index >= operations->slab.fresh) return NULL;
  struct operation *operation = &operations->records[call.index];
  return operation->used && operation->generation == call.generation ? operation : NULL;
}

copal_call operation_handle(const struct operations *operations, const struct operation *operation) {
  return (copal_call){(uint32_t)(operation - operations->records), operation->generation};
}

/* --- Bursts --------------------------------------------------------------------------------------- */

void operation_schedule(struct operations *operations, struct operation *operation, copal_time deadline) {
  operation_rest(operations, operation);
  operation->timed = true;
  timer_set(&operations->timers, (uint32_t)(operation - operations->records), deadline);
}

void operation_rest(struct operations *operations, struct operation *operation) {
  if (operation->timed) timer_cancel(&operations->timers, (uint32_t)(operation - operations->records));
  operation->timed = false;
}

struct operation *operations_take_due(struct operations *operations, copal_time now) {
  uint32_t index = timer_take_due(&operations->timers, now);
  if (index == INDEX_NONE) return NULL;
  operations->records[index].timed = false;
  return &operations->records[index];
}

static uint32_t peer_hash(const struct operations *operations, uint32_t peer) {
  return (uint32_t)hash_words(&operations->key, peer, 0);
}

void operation_name(struct operations *operations, struct operation *operation, uint32_t token) {
  uint32_t hash = peer_hash(operations, operation->peer), index = (uint32_t)(operation - operations->records);
  assert(token == 0 || !operation->found);
  if (token != 0) table_insert(&operations->index, hash, index);
  if (token == 0 && operation->found) table_remove(&operations->index, hash, index);
  operation->found = token != 0;
  operation->quick.token = token;
}

struct table_walk operations_walk(const struct operations *operations, uint32_t peer) {
  return table_walk(peer_hash(operations, peer));
}

struct operation *operations_next_of(const struct operations *operations, uint32_t peer, struct table_walk *walk) {
  uint32_t index;
  while ((index = table_next(&operations->index, walk)) != INDEX_NONE)
    if (operations->records[index].peer == peer) return &operations->records[index];
  return NULL;
}

struct operation *operations_by_token(const struct operations *operations, uint32_t peer, copal_bytes token) {
  if (token.size != EXCHANGE_TOKEN_SIZE || peer == INDEX_NONE) return NULL;
  struct table_walk walk = operations_walk(operations, peer);
  struct operation *operation;
  while ((operation = operations_next_of(operations, peer, &walk)) != NULL)
    if (quick_token_is_of(&operation->quick, token.data)) break;
  return operation;
}

/* --- The next request --------------------------------------------------------------------------- */

bool operation_is_tokenless(const struct operation *operation) {
  return operation->no_token && (operation->registering || !operation_is_observed(operation));
}

bool operation_keeps_token(const struct operation *operation) {
  bool continues = operation->downloading ? !operation->reads : operation->upload.in_blocks;
  return operation->registering || (operation->con && continues && copal_tx_none(operation->observation));
}

/* The request's own token is for what it began: the first exchange, and an observation. Beside the registration of
 * another, which may have the same, it is for nothing. "As usual, the client is free to choose tokens for each exchange
 * as it likes" (RFC 7959 3.4). */
static void set_token(const struct operation *operation, copal_message *message) {
  bool keeps = operation_keeps_token(operation);
  if (keeps && operation->token_size > 0)
    copal_message_set_token(message, operation->token, operation->token_size);
  else if (!keeps && (operation->exchanges > 0 || operation->follows))
    copal_message_set_token(message, NULL, 0);
  bool made_later = message->options_at == HEADER_SIZE && !operation_is_tokenless(operation);
  if (!made_later) return;
  message->capacity -= EXCHANGE_TOKEN_SIZE;
  if (message->size > message->capacity) message->error = COPAL_ERR_SPACE;
}

static void begin(const struct operations *operations, const struct operation *operation, copal_message *message) {
  const uint8_t *request = store_bytes(operations->store, operation->request);
  copal_error error =
      copal_message_copy(message, operations->scratch, operations->message_size_max, request, operation->head_size);
  if (error != COPAL_OK) return;
  set_token(operation, message);
  bool observes = operation->observe || operation->exchanges > 0;
  if (observes) copal_message_delete(message, COPAL_OPTION_OBSERVE);
  if (operation->echo_size > 0)
    copal_message_replace(message, COPAL_OPTION_ECHO, operation->echo, operation->echo_size);
}

static copal_error finish(const copal_message *message, copal_error error) {
  if (error != COPAL_OK) return error;
  return message->error == COPAL_ERR_SPACE ? COPAL_ERR_MESSAGE_SIZE : message->error;
}

void operation_begin_message(const struct operations *operations, const struct operation *operation, copal_bytes token,
                             copal_message *message) {
  begin(operations, operation, message);
  message->capacity = operations->message_size_max;
  copal_message_set_token(message, token.data, token.size);
}

/* A response larger than a message of ours would be refused. Where there is no room to say so, it may still be small.
 */
static void negotiate(const struct operation *operation, copal_message *message) {
  copal_block block = {0, false, operation->szx_wanted};
  copal_error before = message->error;
  copal_message_add_uint(message, COPAL_OPTION_BLOCK2, copal_block_value(block));
  if (message->error == COPAL_ERR_SPACE && !operation->insists) message->error = before;
}

copal_error operation_compose(struct operations *operations, struct operation *operation, copal_message *message) {
  begin(operations, operation, message);
  if (operation->registering) copal_message_add_uint(message, COPAL_OPTION_OBSERVE, OBSERVE_REGISTER);
  if (operation->downloading) return finish(message, download_add(operation, 0, message));
  copal_error error = upload_add(operations, operation, message);
  /* RFC 7959 2.10: "If-None-Match only works correctly on Block1 requests with (NUM=0) and MUST NOT be used on Block1
   * requests with NUM != 0." */
  if (operation->upload.offset > 0) copal_message_delete(message, COPAL_OPTION_IF_NONE_MATCH);
  /* RFC 7959 3.3, Figure 11: with the last block of the request the size of the response's is negotiated. */
  if (operation_is_probing(operation))
    quick_offer(operation, message);
  else if (operation->negotiates && !operation->upload.more)
    negotiate(operation, message);
  return finish(message, error);
}

copal_error operation_compose_ahead(struct operations *operations, struct operation *operation,
                                    copal_message *message) {
  begin(operations, operation, message);
  return finish(message, download_add(operation, operation->pipeline.count + 1u, message));
}

/* RFC 7641 3.6: "All other options MUST be identical to those in the registration request except for the set of ETag
 * Options." A FETCH's body is sent with it where one message holds it; else the token must do. */
copal_error operation_compose_end(struct operations *operations, struct operation *operation, copal_message *message) {
  operation->registering = true;
  begin(operations, operation, message);
  copal_message_add_uint(message, COPAL_OPTION_OBSERVE, OBSERVE_DEREGISTER);
  if (operation->upload.in_blocks) return finish(message, COPAL_OK);
  upload_restart(&operation->upload);
  copal_error error = upload_add(operations, operation, message);
  if (operation->negotiates) negotiate(operation, message);
  return finish(message, error);
}

/* --- What comes back ---------------------------------------------------------------------------- */

/* RFC 9175 2.3: "Upon receiving any other response with the Echo option, the client SHOULD echo the Echo option value
 * in the next request to the server." */
static bool note_echo(struct operation *operation, const copal_view *response) {
  copal_option echo;
  if (!copal_find(response, COPAL_OPTION_ECHO, &echo)) return false;
  if (echo.size == 0 || echo.size > sizeof operation->echo) return false;
  memcpy(operation->echo, echo.value, echo.size);
  operation->echo_size = (uint8_t)echo.size;
  return true;
}

enum step operation_receive(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_error *error) {
  /* RFC 9175 2.3: "Upon receiving a 4.01 (Unauthorized) response with the Echo option, the client SHOULD resend the
   * original request with the addition of an Echo option with the received Echo option value." */
  bool challenged = note_echo(operation, response) && response->code == COPAL_UNAUTHORIZED;
  bool repeat = challenged && !operation->repeated && !operation->multicast;
  enum step step;
  operation->repeated = repeat;
  if (operation->quick.state != QUICK_OFF) {
    if (repeat) return quick_repeat(operations, operation);
    if (quick_receive(operations, operation, response, &step, error)) return step;
  }
  if (repeat) return STEP_SEND;
  if (!operation->downloading && !operation->plain && !operation->multicast) {
    step = upload_receive(operation, response, error);
    if (step != STEP_DELIVER) return step;
  }
  return download_receive(operations, operation, response, error);
}

static void begin_round(struct operation *operation) {
  operation->downloading = operation->repeated = false;
  operation->download.restarted = false;
  operation->upload.restarted = false;
}

enum step operation_notified(struct operations *operations, struct operation *operation, const copal_view *response,
                             copal_error *error) {
  begin_round(operation);
  note_echo(operation, response);
  return download_receive(operations, operation, response, error);
}

void operation_renew(struct operation *operation) {
  begin_round(operation);
  operation->registering = true;
  upload_restart(&operation->upload);
}
