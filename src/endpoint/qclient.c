/* The client's half of Q-Block transfers: bursts go out when an operation's timer is due, and what comes back finds its
 * operation by its token. What to send and what a response means is known to rest/quick.h. RFC 9177 sections 6, 7.2. */
#include <assert.h>

#include "endpoint/endpoint.h"
#include "rest/quick.h"

/* --- Tokens --------------------------------------------------------------------------------------- */

/* RFC 7252 5.3.1 asks for "at least 32 bits of randomness". */
static void choose_token(copal_endpoint *endpoint, struct operation *operation) {
  struct engine *engine = &endpoint->engine;
  uint32_t token;
  bool is_taken;
  do {
    token = random_u32(&engine->random);
    is_taken = token == 0;
    struct table_walk walk = operations_walk(&endpoint->operations, operation->peer);
    const struct operation *other;
    while ((other = operations_next_of(&endpoint->operations, operation->peer, &walk)) != NULL)
      if (other->quick.token == token) is_taken = true;
  } while (is_taken);
  operation_name(&endpoint->operations, operation, token);
  operation->quick.gap = qblock_gap(&engine->parameters, &engine->random);
}

/* RFC 9177 4.3: "The token to use MUST be one of the tokens that were received in a request for this block-wise
 * exchange": that of the first one, too, which was confirmable, is open until the operation is over. */
static void keep_token(copal_endpoint *endpoint, const struct operation *operation) {
  struct engine *engine = &endpoint->engine;
  uint32_t index = exchange_of(&engine->exchanges, operation->exchange);
  if (index == INDEX_NONE || exchange_at(&engine->exchanges, index)->state != EXCHANGE_ANSWERED) return;
  copal_time lifetime = engine->now + engine->exchange_lifetime;
  engine_observe(engine, index, lifetime < operation->expires_at ? lifetime : operation->expires_at);
}

void endpoint_wait_operation(copal_endpoint *endpoint, struct operation *operation) {
  struct quick *quick = &operation->quick;
  const struct engine *engine = &endpoint->engine;
  assert(quick->state > QUICK_OFFERED);
  if (quick->token == 0) choose_token(endpoint, operation);
  keep_token(endpoint, operation);
  unsigned tries = quick->state == QUICK_SENDING ? quick->tries + 1u : quick->tries;
  if (!quick_has_next(operation) && quick->resume_at == 0)
    quick_rest(operation, engine->now, qblock_wait(&engine->parameters, tries));
  copal_time deadline = quick_has_next(operation) ? engine->now : quick->resume_at;
  operation_schedule(&endpoint->operations, operation,
                     deadline < operation->expires_at ? deadline : operation->expires_at);
}

/* --- Sending -------------------------------------------------------------------------------------- */

static copal_error send(copal_endpoint *endpoint, struct operation *operation, bool is_first) {
  struct quick *quick = &operation->quick;
  copal_message message;
  copal_error error = quick_compose(&endpoint->operations, operation, &message);
  if (error != COPAL_OK) return error;
  struct transmission transmission = {.peer = operation->peer,
                                      .type = COPAL_NON,
                                      .message = {message.buffer, message.size},
                                      .in_burst = true,
                                      .timeout = COPAL_NEVER};
  uint32_t index;
  error = engine_send(&endpoint->engine, &transmission, &index);
  if (error != COPAL_OK) return error;
  quick->last_mid = exchange_at(&endpoint->engine.exchanges, index)->mid;
  if (is_first) quick->first_mid = quick->last_mid;
  quick_sent(operation);
  return COPAL_OK;
}

static bool is_passing(copal_error error) {
  return error == COPAL_ERR_EXCHANGES_FULL || error == COPAL_ERR_MESSAGES_FULL || error == COPAL_ERR_MESSAGE_IDS_SPENT;
}

/* The first request's token is good to have, but not at the price of its room. */
static void make_room(copal_endpoint *endpoint, struct operation *operation) {
  if (!copal_tx_none(operation->exchange)) copal_cancel(endpoint, operation->exchange);
  operation->exchange = (copal_tx){0, 0};
  operation_schedule(&endpoint->operations, operation, qblock_retry(endpoint->engine.now));
}

static void send_burst(copal_endpoint *endpoint, struct operation *operation) {
  copal_error error = COPAL_OK;
  for (bool is_first = true; error == COPAL_OK && quick_has_next(operation); is_first = false)
    error = send(endpoint, operation, is_first);
  if (error == COPAL_OK)
    endpoint_wait_operation(endpoint, operation);
  else if (is_passing(error))
    make_room(endpoint, operation);
  else
    endpoint_fail_operation(endpoint, operation, error);
}

bool endpoint_run_operation(copal_endpoint *endpoint) {
  copal_time now = endpoint->engine.now;
  struct operation *operation = operations_take_due(&endpoint->operations, now);
  if (operation == NULL) return false;
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true;
  unsigned tries_max = endpoint->engine.parameters.max_retransmit;
  if (now >= operation->expires_at || !quick_decide(operation, now, tries_max))
    endpoint_fail_operation(endpoint, operation, COPAL_ERR_TIMEOUT);
  else
    send_burst(endpoint, operation);
  endpoint->in_handler = outer;
  return true;
}

/* --- What comes back ------------------------------------------------------------------------------ */

struct operation *endpoint_burst_operation(copal_endpoint *endpoint, const struct arrival *arrival) {
  const struct operations *operations = &endpoint->operations;
  copal_bytes token = arrival->view.token;
  struct operation *operation = operations_by_token(operations, arrival->incoming.peer, token);
  return operation != NULL ? operation : operations_by_token(operations, arrival->incoming.unbound, token);
}

void endpoint_tell_operation(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx) {
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true;
  engine_verify(&endpoint->engine, operation->peer);
  copal_error error = COPAL_OK;
  enum step step = operation_receive(&endpoint->operations, operation, &rx->message, &error);
  endpoint_follow_operation(endpoint, operation, rx, step, error);
  endpoint->in_handler = outer;
}

bool endpoint_note_burst_reset(copal_endpoint *endpoint, const struct arrival *arrival) {
  struct operations *operations = &endpoint->operations;
  uint32_t peer = arrival->incoming.peer;
  if (peer == INDEX_NONE) return false;
  struct table_walk walk = operations_walk(operations, peer);
  struct operation *operation;
  while ((operation = operations_next_of(operations, peer, &walk)) != NULL) {
    const struct quick *quick = &operation->quick;
    uint16_t mid = arrival->view.message_id;
    if (quick->requests > 0 && (uint16_t)(mid - quick->first_mid) <= (uint16_t)(quick->last_mid - quick->first_mid))
      break;
  }
  if (operation == NULL) return false;
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true;
  endpoint_fail_operation(endpoint, operation, COPAL_ERR_RESET);
  endpoint->in_handler = outer;
  return true;
}
