/* The records of the application: transmissions that it sent, receptions that it answers. The states and times of a
 * transmission are the engine's, told in the words of copal_tx_info. */
#include <assert.h>

#include "endpoint/endpoint.h"

/* --- Sending ---------------------------------------------------------------------------------- */

static copal_error send_bytes(copal_endpoint *endpoint, copal_bytes message, copal_bytes token, const copal_path *path,
                              copal_tx *tx) {
  if (path->remote.family == COPAL_FAMILY_NONE) return COPAL_ERR_ADDRESS;
  endpoint_read_clock(endpoint);
  /* Nobody will ask for a response that was sent without a handle. */
  bool is_request = copal_code_is_request(header_code(message.data));
  struct path packed = path_pack(path);
  uint32_t peer = endpoint_peer(endpoint, &packed);
  if (peer == INDEX_NONE) return COPAL_ERR_PEERS_FULL;
  struct transmission transmission = {.peer = peer,
                                      .type = header_type(message.data),
                                      .message = message,
                                      .token = token,
                                      .multicast = copal_address_is_multicast(&path->remote),
                                      .flags = tx != NULL || is_request ? EXCHANGE_RECORD : 0,
                                      .timeout = COPAL_NEVER};
  uint32_t index;
  copal_error error = engine_send(&endpoint->engine, &transmission, &index);
  if (error == COPAL_OK && tx != NULL) *tx = exchange_handle(&endpoint->engine.exchanges, index);
  return error;
}

copal_error copal_send_path(copal_endpoint *endpoint, const copal_message *message, const copal_path *path,
                            copal_tx *tx) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  if (message->error != COPAL_OK) return message->error;
  return send_bytes(endpoint, (copal_bytes){message->buffer, message->size}, (copal_bytes){NULL, 0}, path, tx);
}

copal_error copal_send(copal_endpoint *endpoint, const copal_message *message, const copal_address *remote,
                       copal_tx *tx) {
  copal_path path = {.remote = *remote};
  return copal_send_path(endpoint, message, &path, tx);
}

copal_error copal_cancel(copal_endpoint *endpoint, copal_tx tx) {
  struct engine *engine = &endpoint->engine;
  uint32_t index = exchange_of(&engine->exchanges, tx);
  if (index == INDEX_NONE) return COPAL_ERR_STALE;
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  /* A call that is over is just being told of it: its timer is off already. */
  if ((exchange->flags & EXCHANGE_CALL) == 0 || exchange->state < EXCHANGE_ANSWERED)
    engine_fail(engine, index, EXCHANGE_UNREACHED);
  engine_forget(engine, index);
  return COPAL_OK;
}

/* --- Answering what was received ---------------------------------------------------------------- */

/* How a message is found among those that are remembered. What came to a group was found by a path without local
 * address, but is never acknowledged nor reset. */
static struct reply_key key_of(const copal_rx *rx) {
  struct path path = path_pack(&rx->path);
  struct reply_key key = {.identity = path_identity(&rx->endpoint->paths, &path),
                          .fingerprint = (uint32_t)rx->memory,
                          .mid = rx->message.message_id,
                          .con = rx->type == COPAL_CON,
                          .unsafe = engine_is_unsafe(&rx->endpoint->engine, &rx->message)};
  return key;
}

static struct reply *entry_of(const copal_rx *rx) {
  struct reply_key key = key_of(rx);
  return endpoint_find_reply(rx->endpoint, &key);
}

static bool is_answered(const copal_rx *rx, const struct reply *entry) {
  if (entry != NULL) return entry->state != REPLY_PENDING && entry->state != REPLY_NOTHING;
  return rx->type == COPAL_CON && rx->has_responded;
}

static copal_error answer_empty(copal_rx *rx, struct reply *entry, copal_type type) {
  struct path path = path_pack(&rx->path);
  if (!outbox_push_empty(&rx->endpoint->outbox, &path, type, rx->message.message_id)) return COPAL_ERR_MESSAGES_FULL;
  if (entry != NULL) entry->state = type == COPAL_ACK ? REPLY_ACK : REPLY_RESET;
  rx->has_responded = true;
  return COPAL_OK;
}

static copal_error answer_piggybacked(copal_rx *rx, const struct reply *entry, const copal_message *response) {
  struct path path = path_pack(&rx->path);
  struct late late = {
      .key = key_of(rx), .path = path, .token = rx->message.token, .peer = entry != NULL ? entry->peer : INDEX_NONE};
  copal_error error = endpoint_piggyback(rx->endpoint, &late, (copal_bytes){response->buffer, response->size});
  if (error == COPAL_OK) rx->has_responded = true;
  return error;
}

copal_error copal_ack(copal_rx *rx, const copal_message *response) {
  /* RFC 7252 4.3: "A Non-confirmable message MUST NOT be acknowledged by the recipient." */
  if (rx->type != COPAL_CON) return COPAL_ERR_TYPE;
  if (response != NULL && response->error != COPAL_OK) return response->error;
  if (response != NULL && !copal_code_is_response(header_code(response->buffer))) return COPAL_ERR_TYPE;
  struct reply *entry = entry_of(rx);
  if (is_answered(rx, entry)) return COPAL_ERR_RESPONDED;
  return response == NULL ? answer_empty(rx, entry, COPAL_ACK) : answer_piggybacked(rx, entry, response);
}

copal_error copal_reset(copal_rx *rx) {
  /* RFC 7252 4.2: "recipients of Acknowledgement and Reset messages MUST NOT respond with either"; 8.1: nor may a
   * Reset answer what came by multicast. */
  if (rx->type == COPAL_ACK || rx->type == COPAL_RST || rx->multicast) return COPAL_ERR_TYPE;
  struct reply *entry = entry_of(rx);
  if (is_answered(rx, entry)) return COPAL_ERR_RESPONDED;
  return answer_empty(rx, entry, COPAL_RST);
}

copal_error copal_respond(copal_rx *rx, const copal_message *response, copal_tx *tx) {
  if (response->error != COPAL_OK) return response->error;
  if (!copal_code_is_response(header_code(response->buffer))) return COPAL_ERR_TYPE;
  copal_path path = rx->path;
  /* RFC 7252 8.2: what came to a group is answered from an address of one's own. */
  if (rx->multicast) path.local = (copal_address){.family = COPAL_FAMILY_NONE};
  return send_bytes(rx->endpoint, (copal_bytes){response->buffer, response->size}, rx->message.token, &path, tx);
}

/* --- Looking at transmissions ------------------------------------------------------------------- */

static uint8_t public_state(const struct exchange *exchange) {
  switch ((enum exchange_state)exchange->state) {
    case EXCHANGE_QUEUED:
    case EXCHANGE_READY: return COPAL_TX_QUEUED;
    case EXCHANGE_WAITING: return COPAL_TX_WAITING;
    case EXCHANGE_LAST_WAIT:
    case EXCHANGE_SENT: return COPAL_TX_LAST_WAIT;
    case EXCHANGE_UNACKNOWLEDGED: return COPAL_TX_UNACKNOWLEDGED;
    case EXCHANGE_UNREACHED: return COPAL_TX_UNREACHED;
    case EXCHANGE_REJECTED: return COPAL_TX_REJECTED;
    case EXCHANGE_FREE:
    case EXCHANGE_EXPECTING:
    case EXCHANGE_OBSERVING:
    case EXCHANGE_ANSWERED: break;
  }
  return COPAL_TX_ANSWERED;
}

static uint8_t transmissions_left(const struct engine *engine, const struct exchange *exchange) {
  bool con = (exchange->flags & EXCHANGE_CON) != 0;
  uint8_t all = con ? (uint8_t)(engine->parameters.max_retransmit + 1) : 1;
  if (exchange->state > EXCHANGE_WAITING) return 0;
  return (uint8_t)(all - exchange->transmissions);
}

static copal_time next_event(const struct engine *engine, const struct exchange *exchange) {
  if (exchange->state == EXCHANGE_QUEUED) return engine->now;
  return exchange->state <= EXCHANGE_SENT ? exchange->timer.deadline : COPAL_NEVER;
}

static int8_t response_type(const struct exchange *exchange) {
  if ((exchange->flags & EXCHANGE_CON) == 0) return COPAL_NON;
  if (exchange->replies == 0) return -1;
  return (exchange->flags & EXCHANGE_RST) != 0 ? COPAL_RST : COPAL_ACK;
}

copal_error copal_tx_get(const copal_endpoint *endpoint, copal_tx tx, copal_tx_info *info) {
  const struct engine *engine = &endpoint->engine;
  uint32_t index = exchange_of(&engine->exchanges, tx);
  if (index == INDEX_NONE) return COPAL_ERR_STALE;
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  uint8_t left = transmissions_left(engine, exchange);
  *info = (copal_tx_info){.endpoint = (copal_endpoint *)(uintptr_t)endpoint,
                          .packed = {exchange_bytes(&engine->exchanges, exchange), exchange->size},
                          .transmission_time = exchange->transmissions > 0 ? exchange->as.sent_at : COPAL_NEVER,
                          .last_event_time = exchange->event_at,
                          .next_event_time = next_event(engine, exchange),
                          .message_id = exchange->mid,
                          .type = (exchange->flags & EXCHANGE_CON) != 0 ? COPAL_CON : COPAL_NON,
                          .state = public_state(exchange),
                          .transmissions_left = left,
                          .transmissions = exchange->transmissions,
                          .responses_count = exchange->replies,
                          .response_type = response_type(exchange),
                          .is_unacknowledged = exchange->state == EXCHANGE_UNACKNOWLEDGED,
                          .has_response = (exchange->flags & EXCHANGE_RESPONDED) != 0};
  path_unpack(&endpoint->paths.records[exchange->peer], &info->path);
  return COPAL_OK;
}

copal_error copal_tx_response(const copal_endpoint *endpoint, copal_tx tx, unsigned index, copal_rx *rx) {
  const struct exchanges *exchanges = &endpoint->engine.exchanges;
  uint32_t at = exchange_of(exchanges, tx);
  if (at == INDEX_NONE) return COPAL_ERR_STALE;
  const struct exchange *exchange = exchange_at(exchanges, at);
  if ((exchange->flags & EXCHANGE_CALL) != 0) return COPAL_ERR_NOT_FOUND;
  uint32_t kept = exchange->of.receptions;
  while (kept != INDEX_NONE && index-- > 0) kept = exchanges->receptions[kept].next;
  if (kept == INDEX_NONE) return COPAL_ERR_NOT_FOUND;
  const struct reception *reception = &exchanges->receptions[kept];
  *rx = (copal_rx){.endpoint = (copal_endpoint *)(uintptr_t)endpoint,
                   .time = reception->time,
                   .pertains_to = tx,
                   .has_responded = true};
  path_unpack(&endpoint->paths.records[exchange->peer], &rx->path);
  copal_error error = copal_decode(store_bytes(&exchanges->store, reception->message), reception->size, &rx->message);
  assert(error == COPAL_OK);
  rx->type = rx->message.type;
  if (copal_code_is_response(rx->message.code)) rx->request = tx;
  return error;
}
