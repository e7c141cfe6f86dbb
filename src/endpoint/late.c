/* Answers that come after their request's turn: from an application that acknowledges by itself, or deferred. As long
 * as the request is not acknowledged they can be piggybacked; then they are messages of their own. RFC 7252
 * section 5.2. */
#include <assert.h>

#include "endpoint/endpoint.h"
#include "message/silence.h"
#include "rest/request.h"
#include "rest/window.h"

/* Where the reply is to stand: behind the entry that was made for the request, if it still waits and has the room, as
 * it has while the handler runs that has deferred it; else in an entry of its own, for which the old one stays until it
 * is there. (Where the oldest may make room it goes first, lest it be in the way.) */
static struct reply *take_place(copal_endpoint *endpoint, const struct late *late, struct reply **old, size_t size) {
  struct engine *engine = &endpoint->engine;
  struct replies *replies = engine_replies(engine, &late->key);
  if (*old != NULL && (*old)->state == REPLY_PENDING && reply_room(*old) >= size) return *old;
  if (*old != NULL && !replies->unsafe) {
    replies_drop(replies, &engine->peers, *old);
    *old = NULL;
  }
  if (*old != NULL) ++(*old)->pins;
  struct reply *reply = replies_take(replies, &engine->peers, &late->key, late->peer, size, engine->now,
                                     engine->exchange_lifetime, &engine->counters.replies_evicted);
  if (*old != NULL) --(*old)->pins;
  return reply;
}

/* RFC 7252 4.2: "The Acknowledgement message MUST echo the Message ID of the Confirmable message and MUST carry a
 * response or be Empty". */
copal_error endpoint_piggyback(copal_endpoint *endpoint, const struct late *late, copal_bytes message) {
  struct engine *engine = &endpoint->engine;
  struct replies *replies = engine_replies(engine, &late->key);
  copal_bytes token = late->token;
  if (header_token(message.data).size > 0) token.size = 0;
  size_t size = header_size_with(message, token);
  if (size > engine->message_size_max) return COPAL_ERR_MESSAGE_SIZE;
  /* What is known of the request stays where its answer cannot go yet, lest a duplicate be executed. */
  if (outbox_is_full(&endpoint->outbox)) return COPAL_ERR_MESSAGES_FULL;

  struct reply *old = endpoint_find_reply(endpoint, &late->key);
  struct reply *reply = take_place(endpoint, late, &old, size);
  if (reply == NULL) return COPAL_ERR_MESSAGES_FULL;
  bool pushed = outbox_push_reply(&endpoint->outbox, &late->path, reply);
  assert(pushed);
  (void)pushed;
  header_copy(reply_bytes(reply), message, COPAL_ACK, late->key.mid, token);
  replies_close(replies, reply, REPLY_MESSAGE, size);
  if (old != NULL && reply != old) replies_drop(replies, &engine->peers, old);
  return COPAL_OK;
}

/* --- Deferred ---------------------------------------------------------------------------------- */

void endpoint_acknowledge(copal_endpoint *endpoint, const struct deferred *deferred) {
  struct reply *entry = endpoint_find_reply(endpoint, &deferred->key);
  /* After EXCHANGE_LIFETIME it may be that of the same request once more, and answered. */
  if (entry != NULL && entry->state == REPLY_PENDING)
    replies_close(engine_replies(&endpoint->engine, &deferred->key), entry, REPLY_ACK, 0);
  endpoint_answer_empty(endpoint, &endpoint->paths.records[deferred->peer], COPAL_ACK, deferred->key.mid);
}

static copal_bytes token_of(const copal_endpoint *endpoint, const struct deferred *deferred, copal_bytes message) {
  if (header_token(message.data).size > 0) return (copal_bytes){NULL, 0};
  return (copal_bytes){store_bytes(&endpoint->engine.exchanges.store, deferred->token), deferred->token_size};
}

/* RFC 7252 5.2.2: "Once the server sends back an Empty Acknowledgement, it MUST NOT send back the response in
 * another Acknowledgement". */
copal_error endpoint_answer_late(copal_endpoint *endpoint, const struct deferred *deferred, copal_bytes message,
                                 copal_type type) {
  copal_bytes token = token_of(endpoint, deferred, message);
  if (deferred->ack_at != COPAL_NEVER) {
    struct late late = {deferred->key, endpoint->paths.records[deferred->peer], token, deferred->peer};
    return endpoint_piggyback(endpoint, &late, message);
  }
  struct transmission transmission = {
      .peer = deferred->peer, .type = (uint8_t)type, .message = message, .token = token, .timeout = COPAL_NEVER};
  if (deferred->multicast) {
    endpoint_answer_group(endpoint, &transmission, deferred->no_response);
    return COPAL_OK;
  }
  uint32_t index;
  return engine_send(&endpoint->engine, &transmission, &index);
}

/* RFC 9175 2.4: a separate response "would cause amplification due to retransmission". A small one goes all the same:
 * its ACK verifies the address. */
static bool may_send(const copal_endpoint *endpoint, const struct deferred *deferred, size_t size) {
  bool repeated = deferred->key.con && deferred->ack_at == COPAL_NEVER && size > SMALL_SIZE;
  size_t times = repeated ? endpoint->engine.parameters.max_retransmit + 1u : 1;
  return deferred->multicast || endpoint_may_send(endpoint, deferred->peer, deferred->request_size, size * times);
}

/* held is set where the record is the verification's from now on. */
static copal_error answer_message(copal_endpoint *endpoint, uint32_t index, copal_bytes message, bool *held) {
  struct deferred *deferred = &endpoint->deferreds.records[index];
  if (!deferred->multicast && message_is_unwanted(deferred->no_response, header_code(message.data))) {
    if (deferred->ack_at != COPAL_NEVER) endpoint_acknowledge(endpoint, deferred);
    return COPAL_OK;
  }
  copal_type type = deferred->key.con ? COPAL_CON : COPAL_NON;
  size_t size = header_size_with(message, token_of(endpoint, deferred, message));
  assert(size <= endpoint->engine.message_size_max); /* what is larger goes in blocks */
  if (may_send(endpoint, deferred, size)) return endpoint_answer_late(endpoint, deferred, message, type);
  *held = endpoint_hold(endpoint, index, message);
  if (*held) return COPAL_OK;
  uint8_t buffer[SMALL_SIZE];
  message = endpoint_write_small(endpoint, deferred->peer, deferred->key.unsafe, message, buffer);
  return endpoint_answer_late(endpoint, deferred, message, COPAL_NON);
}

/* Whether the response as it was written is not what the request's blocks and the datagram's size call for. */
static bool needs_blocks(const copal_endpoint *endpoint, const struct deferred *deferred,
                         const copal_message *response) {
  if (deferred->block1 != UINT32_MAX || deferred->block2 != UINT32_MAX || deferred->quick) return true;
  return response->size + deferred->token_size + 2 > endpoint->engine.message_size_max ||
         response->size - response->payload_at > BLOCK_SIZE_MAX;
}

/* What a reply by Q-Block brings about when it has gone: its further blocks, unless nobody wants it. */
static void follow(const struct deferred *deferred, struct copal_request *request) {
  request_settle_late(request);
  if (!request->in_blocks || message_is_unwanted(deferred->no_response, request->room[1])) return;
  if (request->block2.present) wanted_by(&request->wanted, request->block2.block);
  request_begin_burst(request, 1);
}

/* The response anew, with the block of its payload that is asked for; the rest is kept. */
static copal_error answer_block(copal_endpoint *endpoint, uint32_t index, const copal_message *response, bool *held) {
  struct engine *engine = &endpoint->engine;
  const struct deferred *deferred = &endpoint->deferreds.records[index];
  uint32_t slot = store_take(&engine->exchanges.store, engine->message_size_max);
  if (slot == INDEX_NONE) return COPAL_ERR_MESSAGES_FULL;
  struct transfer_key key = {deferred->key.identity, deferred->options};
  struct incoming incoming = {.peer = deferred->peer};
  struct copal_request request = {.room = store_bytes(&engine->exchanges.store, slot),
                                  .room_size = engine->message_size_max,
                                  .routes = &endpoint->routes,
                                  .route = INDEX_NONE,
                                  .engine = engine,
                                  .transfers = &endpoint->transfers,
                                  .block1 = request_block_of(deferred->block1),
                                  .block2 = request_block_of(deferred->block2),
                                  .incoming = &incoming,
                                  .key = &key,
                                  .upload = INDEX_NONE,
                                  .quick = deferred->quick};
  request.rx.message =
      (copal_view){.token = {store_bytes(&engine->exchanges.store, deferred->token), deferred->token_size},
                   .type = deferred->key.con ? COPAL_CON : COPAL_NON,
                   .code = deferred->code};
  copal_error error = request_reply_late(&request, response);
  copal_bytes message = {request.reply.buffer, request.reply.size};
  if (error == COPAL_OK) error = answer_message(endpoint, index, message, held);
  if (error == COPAL_OK && request.quick) follow(deferred, &request);
  store_give(&engine->exchanges.store, slot);
  return error;
}

copal_error copal_deferred_reply(copal_endpoint *endpoint, copal_deferred handle, const copal_message *response) {
  uint32_t index = deferred_of(&endpoint->deferreds, handle.index, handle.generation);
  if (index == INDEX_NONE) return COPAL_ERR_STALE;
  if (response->error != COPAL_OK) return response->error;
  if (!copal_code_is_response(header_code(response->buffer))) return COPAL_ERR_TYPE;
  endpoint_read_clock(endpoint);
  bool held = false;
  copal_bytes message = {response->buffer, response->size};
  copal_error error = needs_blocks(endpoint, &endpoint->deferreds.records[index], response)
                          ? answer_block(endpoint, index, response, &held)
                          : answer_message(endpoint, index, message, &held);
  if (error != COPAL_OK) return error;
  if (held)
    deferred_hold(&endpoint->deferreds, index);
  else
    deferred_give(&endpoint->deferreds, &endpoint->engine, index);
  return COPAL_OK;
}

copal_error copal_deferred_drop(copal_endpoint *endpoint, copal_deferred handle) {
  uint32_t index = deferred_of(&endpoint->deferreds, handle.index, handle.generation);
  if (index == INDEX_NONE) return COPAL_ERR_STALE;
  deferred_give(&endpoint->deferreds, &endpoint->engine, index);
  return COPAL_OK;
}
