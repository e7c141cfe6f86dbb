/* The calls of the application: each exchange of an operation is sent from here, its end is told to here, and the
 * operation goes on or its owner is told the result. What to send and what a response means is known to rest/. An
 * observation keeps the exchange that registered it, whose token the notifications bear, and uses others beside it; who
 * else observes the same is told what comes with that, and fetches what he needs besides for himself. RFC 7252 section
 * 5, 7641 section 3, 7959, 7967. */
#include <assert.h>

#include "endpoint/endpoint.h"
#include "endpoint/pipeline.h"
#include "rest/quick.h"
#include "rest/sharing.h"

static void told(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context);

/* --- Exchanges ---------------------------------------------------------------------------------- */

static void drop(copal_endpoint *endpoint, copal_tx *tx) {
  if (!copal_tx_none(*tx)) copal_cancel(endpoint, *tx);
  *tx = (copal_tx){0, 0};
}

static copal_time time_left(const copal_endpoint *endpoint, const struct operation *operation) {
  if (operation->expires_at == COPAL_NEVER) return COPAL_NEVER;
  copal_time now = endpoint->engine.now;
  return operation->expires_at > now ? operation->expires_at - now : 0;
}

static void begin_round(const copal_endpoint *endpoint, struct operation *operation) {
  copal_time now = endpoint->engine.now;
  bool bounded = operation->timeout > 0 && operation->timeout < COPAL_NEVER - now;
  operation->expires_at = bounded ? now + operation->timeout : COPAL_NEVER;
}

/* Whoever made the token: the next request may need it again. A longer one is the request's own, which is kept with
 * that. */
static void note_token(const struct exchanges *exchanges, struct operation *operation, uint32_t index) {
  copal_bytes token = header_token(exchange_bytes(exchanges, exchange_at(exchanges, index)));
  bool is_observed = !operation->registering && !copal_tx_none(operation->observation);
  if (is_observed || token.size > sizeof operation->token) return;
  operation->token_size = (uint8_t)token.size;
  if (token.size > 0) memcpy(operation->token, token.data, token.size);
}

/* Forgets what was asked for and has not come. */
static void drop_requests(copal_endpoint *endpoint, struct operation *operation) {
  drop(endpoint, &operation->exchange);
  endpoint_cancel_ahead(endpoint, operation);
}

copal_error endpoint_send_request(copal_endpoint *endpoint, struct operation *operation, const copal_message *message,
                                  copal_tx *tx) {
  bool unanswered = operation->unanswered && !operation->upload.in_blocks;
  /* RFC 9177 4.1: "it is therefore REQUIRED that clients use a Confirmable message for determining support for the
   * Q-Block1 and Q-Block2 options." */
  struct transmission transmission = {
      .peer = operation->peer,
      .type = operation_is_probing(operation) ? COPAL_CON : header_type(message->buffer),
      .message = {message->buffer, message->size},
      .multicast = operation->multicast,
      .no_token = operation_is_tokenless(operation),
      .goes_on = operation->exchanges > 0,
      .flags = EXCHANGE_CALL | (unanswered ? EXCHANGE_RESPONDED : 0),
      .timeout = time_left(endpoint, operation)};
  uint32_t index;
  copal_error error = engine_send(&endpoint->engine, &transmission, &index);
  if (error != COPAL_OK) return error;
  endpoint->calls[index] = (struct call){told, operation};
  *tx = exchange_handle(&endpoint->engine.exchanges, index);
  ++operation->exchanges;
  return COPAL_OK;
}

/* The exchange before has been dropped: it may have been the last one that there is room for. */
static copal_error send_next(copal_endpoint *endpoint, struct operation *operation) {
  copal_message message;
  copal_error error = operation_compose(&endpoint->operations, operation, &message);
  if (error == COPAL_OK) error = endpoint_send_request(endpoint, operation, &message, &operation->exchange);
  if (error != COPAL_OK) return error;
  operation->transmissions = 0;
  operation->acknowledged = false;
  note_token(&endpoint->engine.exchanges, operation, operation->exchange.index);
  return COPAL_OK;
}

/* --- Results ------------------------------------------------------------------------------------ */

static void own(copal_endpoint *endpoint, copal_tx tx, struct operation *operation) {
  if (exchange_of(&endpoint->engine.exchanges, tx) != INDEX_NONE) endpoint->calls[tx.index].context = operation;
}

/* The server is not to know that another one is told. */
static void pass_on(copal_endpoint *endpoint, struct operation *operation, struct operation *heir) {
  if (operation->registering) drop_requests(endpoint, heir);
  sharing_pass_on(&endpoint->operations, operation, heir);
  own(endpoint, heir->observation, heir);
  own(endpoint, heir->exchange, heir);
}

static void forget(copal_endpoint *endpoint, struct operation *operation) {
  struct operation *heir = sharing_heir(&endpoint->operations, operation);
  if (heir != NULL) pass_on(endpoint, operation, heir);
  sharing_leave(&endpoint->operations, operation);
  drop_requests(endpoint, operation);
  drop(endpoint, &operation->observation);
  peers_release(&endpoint->engine.peers, operation->peer);
  operation_give(&endpoint->operations, operation);
}

static copal_bytes body_of(const struct download *download, const copal_rx *rx) {
  if (rx == NULL || download->writing) return (copal_bytes){NULL, 0};
  if (!download->in_blocks) return rx->message.payload;
  return (copal_bytes){download->buffer, (size_t)download->size};
}

/* The owner may begin and cancel calls: the last thing that is done with an operation. Where it is over, its record is
 * free again before the owner is told. */
static void deliver(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx, copal_error error,
                    bool last) {
  copal_rx told_rx;
  if (rx != NULL) {
    /* The transmission is the operation's: nobody is to cancel it. */
    told_rx = *rx;
    told_rx.request = told_rx.pertains_to = (copal_tx){0, 0};
  }
  if (error == COPAL_OK)
    endpoint_drop_ahead(endpoint, operation, 0);
  else
    endpoint_cancel_ahead(endpoint, operation);
  const struct download *download = &operation->download;
  copal_result result = {.error = error,
                         .rx = rx == NULL ? NULL : &told_rx,
                         .body = body_of(download, rx),
                         .began = operation->began,
                         .asked = operation->asked,
                         .exchanges = operation->exchanges,
                         .transmissions = operation->transmissions,
                         .retransmissions = operation->retransmissions,
                         .blocks_out = operation->upload.blocks,
                         .blocks_in = download->in_blocks ? download->blocks : 0,
                         .acknowledged = operation->acknowledged,
                         .last = last,
                         .observed = operation_is_observed(operation)};
  if (rx != NULL) result.body_size = download->in_blocks ? download->size : rx->message.payload.size;
  copal_call call = operation_handle(&endpoint->operations, operation);
  copal_call_handler *handler = operation->handler;
  void *context = operation->context;
  if (last) forget(endpoint, operation);
  handler(endpoint, call, &result, context);
}

/* Nobody is told by a registration any more that has failed. */
static void fail_all(copal_endpoint *endpoint, struct operation *holder, copal_error error) {
  struct operation *operation;
  holder->registering = false;
  sharing_begin_round(&endpoint->operations, holder, true);
  while ((operation = sharing_take(&endpoint->operations)) != NULL) deliver(endpoint, operation, NULL, error, true);
}

/* A state of an observation that cannot be had does not end it: the next one may. */
void endpoint_fail_operation(copal_endpoint *endpoint, struct operation *operation, copal_error error) {
  if (operation->registering)
    fail_all(endpoint, operation, error);
  else
    deliver(endpoint, operation, NULL, error, !operation_is_observed(operation));
}

/* The next request may have been sent already. */
static void go_on(copal_endpoint *endpoint, struct operation *operation) {
  drop(endpoint, &operation->exchange);
  copal_error error = COPAL_OK;
  if (!endpoint_take_ahead(operation)) error = send_next(endpoint, operation);
  if (error == COPAL_OK)
    endpoint_ask_ahead(endpoint, operation);
  else
    endpoint_fail_operation(endpoint, operation, error);
}

/* What has come ahead of its turn is taken in its turn, and kept for as long as its owner may look at it. */
void endpoint_follow_operation(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx,
                               enum step step, copal_error error) {
  copal_rx kept;
  uint32_t slot = INDEX_NONE;
  while (step == STEP_SEND && endpoint_next_is_here(endpoint, operation, rx, &kept, &slot)) {
    drop(endpoint, &operation->exchange);
    rx = &kept;
    step = operation_receive(&endpoint->operations, operation, &kept.message, &error);
  }
  switch (step) {
    case STEP_SEND: go_on(endpoint, operation); break;
    case STEP_WAIT: endpoint_wait_operation(endpoint, operation); break;
    case STEP_DELIVER:
      deliver(endpoint, operation, rx, COPAL_OK, !operation_is_observed(operation) && !operation->multicast);
      break;
    case STEP_FAIL: endpoint_fail_operation(endpoint, operation, error); break;
  }
  if (slot != INDEX_NONE) store_give(endpoint->operations.store, slot);
}

/* --- Observations ------------------------------------------------------------------------------- */

/* RFC 7641 3.1: "If the server returns a 2.xx response that includes an Observe Option as well, the server has
 * successfully added an entry with the client endpoint and request token to the list of observers". */
static bool is_notification(const copal_view *response, uint32_t *sequence) {
  if (COPAL_CODE_CLASS(response->code) != 2 || response->code == COPAL_CONTINUE) return false;
  *sequence = copal_find_uint(response, COPAL_OPTION_OBSERVE, UINT32_MAX);
  return *sequence != UINT32_MAX;
}

/* Waits for the next notification, or for the time to ask again. */
static void keep_observing(copal_endpoint *endpoint, struct operation *operation, copal_tx tx) {
  operation->observation = tx;
  engine_observe(&endpoint->engine, tx.index, operation->renew_at);
}

static void note_state(copal_endpoint *endpoint, struct operation *operation, copal_tx tx, const copal_view *response,
                       uint32_t sequence) {
  struct engine *engine = &endpoint->engine;
  uint32_t max_age = copal_find_uint(response, COPAL_OPTION_MAX_AGE, MAX_AGE_DEFAULT);
  operation->freshness = (struct freshness){sequence, engine->now, true};
  operation->renew_at = freshness_renewal(engine->now, max_age, &engine->random);
  keep_observing(endpoint, operation, tx);
}

/* What was sent before a renewal and comes after it looks like its answer, and may be older than what has come. What is
 * piggybacked is the answer, whatever its number: the server may have begun to count anew. */
static bool is_late_notification(const copal_endpoint *endpoint, const struct operation *operation,
                                 const copal_rx *rx) {
  uint32_t sequence;
  return operation->registering && rx->type != COPAL_ACK && is_notification(&rx->message, &sequence) &&
         !freshness_is_newer(&operation->freshness, sequence, endpoint->engine.now);
}

/* It has ended the exchange. The server may have taken the request or not: it is asked again before long. */
static void ask_again(copal_endpoint *endpoint, struct operation *operation) {
  struct engine *engine = &endpoint->engine;
  copal_tx tx = operation->exchange;
  operation->registering = false;
  operation->renew_at = freshness_renewal(engine->now, 0, &engine->random);
  operation->exchange = (copal_tx){0, 0};
  keep_observing(endpoint, operation, tx);
}

static void tell_state(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx) {
  drop_requests(endpoint, operation);
  begin_round(endpoint, operation);
  copal_error error = COPAL_OK;
  enum step step = operation_notified(&endpoint->operations, operation, &rx->message, &error);
  endpoint_follow_operation(endpoint, operation, rx, step, error);
}

/* RFC 7641 3.1: "the stream of updates resulting from one observation request can be used to satisfy another". An owner
 * may begin and cancel whatever there is: who comes next is known to nobody but the round. */
static void tell_round(copal_endpoint *endpoint, const copal_rx *rx) {
  struct operation *operation;
  while ((operation = sharing_take(&endpoint->operations)) != NULL) tell_state(endpoint, operation, rx);
}

static void answered_registration(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx,
                                  enum step step, copal_error error) {
  uint32_t sequence;
  bool goes_on = step == STEP_SEND && !operation->downloading;
  if (goes_on) {
    endpoint_follow_operation(endpoint, operation, rx, step, error);
    return;
  }
  bool observed = is_notification(&rx->message, &sequence);
  operation->registering = false;
  if (observed) {
    note_state(endpoint, operation, operation->exchange, &rx->message, sequence);
    operation->exchange = (copal_tx){0, 0};
  }
  sharing_begin_round(&endpoint->operations, operation, !observed);
  struct operation *first = sharing_take(&endpoint->operations);
  assert(first == operation);
  endpoint_follow_operation(endpoint, first, rx, step, error);
  tell_round(endpoint, rx);
}

static void notified(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx) {
  copal_tx tx = operation->observation;
  uint32_t sequence;
  bool is_state = is_notification(&rx->message, &sequence);
  bool is_newer = is_state && freshness_is_newer(&operation->freshness, sequence, endpoint->engine.now);
  /* RFC 7641 3.5: "A notification can be confirmable or non-confirmable". What is piggybacked is an answer to the
   * registration, which is answered already: without a number nobody knows whether it is older. Should the server have
   * forgotten its observer, the next renewal tells. */
  bool is_straggler = !is_state && rx->type == COPAL_ACK && COPAL_CODE_CLASS(rx->message.code) == 2;
  if ((is_state && !is_newer) || is_straggler) {
    keep_observing(endpoint, operation, tx);
    return;
  }
  /* RFC 7641 3.2: "Non-2.xx responses do not include an Observe Option", and end it. The exchange ends by itself. */
  if (is_state)
    note_state(endpoint, operation, tx, &rx->message, sequence);
  else
    operation->observation = (copal_tx){0, 0};
  sharing_begin_round(&endpoint->operations, operation, !is_state);
  tell_round(endpoint, rx);
}

/* RFC 7641 3.3.1: "To make sure it has a current representation and/or to re-register its interest in a resource, a
 * client MAY issue a new GET request with the same token as the original at any time." */
static void renew(copal_endpoint *endpoint, struct operation *operation) {
  drop_requests(endpoint, operation);
  drop(endpoint, &operation->observation);
  begin_round(endpoint, operation);
  operation_renew(operation);
  copal_error error = send_next(endpoint, operation);
  if (error != COPAL_OK) endpoint_fail_operation(endpoint, operation, error);
}

/* A state that is fetched slower than it gets old would be begun again and again, and never be told. The fetch comes to
 * its end by itself. */
static bool is_fetching(const copal_endpoint *endpoint, const struct operation *operation) {
  const struct operation *each = operation;
  do {
    if (exchange_of(&endpoint->engine.exchanges, each->exchange) != INDEX_NONE) return true;
    each = sharing_beside(&endpoint->operations, each);
  } while (each != operation);
  return false;
}

static void renew_later(copal_endpoint *endpoint, struct operation *operation) {
  struct engine *engine = &endpoint->engine;
  operation->renew_at = freshness_renewal(engine->now, 0, &engine->random);
  keep_observing(endpoint, operation, operation->observation);
}

static void told_of_observation(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx,
                                copal_error error) {
  if (rx != NULL) {
    notified(endpoint, operation, rx);
  } else if (error == COPAL_ERR_TIMEOUT && is_fetching(endpoint, operation)) {
    renew_later(endpoint, operation);
  } else if (error == COPAL_ERR_TIMEOUT) {
    renew(endpoint, operation);
  } else {
    operation->observation = (copal_tx){0, 0};
    fail_all(endpoint, operation, error);
  }
}

/* --- What becomes of an exchange ------------------------------------------------------------------ */

/* A group's exchange, and one of a burst, is looked at again and again. */
static void note_transmissions(const copal_endpoint *endpoint, struct operation *operation, copal_tx tx,
                               const copal_rx *rx) {
  struct account account = endpoint_account(endpoint, tx, rx);
  uint8_t before = operation->transmissions > 1 ? operation->transmissions : 1;
  operation->transmissions = account.transmissions;
  if (account.transmissions == 0) return;
  if (account.transmissions > before) operation->retransmissions += (uint32_t)(account.transmissions - before);
  operation->acknowledged = account.acknowledged;
  operation->asked = account.asked;
  if (operation->began == COPAL_NEVER) operation->began = account.asked;
}

/* RFC 9177 4.3: "a Reset message may be sent in case of" a server that does not know Q-Block. A forged ping with the
 * same message ID brings one as well, from a server that is at work: what has gone whole is sent again only if it
 * reads. Once Q-Block is known the exchange is no more than one of the tokens under which the response may come. */
static bool outlives(copal_endpoint *endpoint, struct operation *operation, copal_error error) {
  uint8_t state = operation->quick.state;
  bool may_repeat = operation->reads || operation->upload.more;
  bool refused = state == QUICK_OFFERED && error == COPAL_ERR_RESET && may_repeat;
  bool under_way = state > QUICK_OFFERED && error == COPAL_ERR_TIMEOUT && time_left(endpoint, operation) > 0;
  if (!refused && !under_way) return false;
  drop(endpoint, &operation->exchange);
  if (under_way) return true;
  quick_give_up(&endpoint->operations, operation);
  error = send_next(endpoint, operation);
  if (error != COPAL_OK) endpoint_fail_operation(endpoint, operation, error);
  return true;
}

static void told(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  struct operation *operation = (struct operation *)context;
  assert(operation->used);
  if (copal_same_tx(tx, operation->observation)) {
    told_of_observation(endpoint, operation, rx, error);
    return;
  }
  uint8_t place = pipeline_find(&operation->pipeline, tx);
  if (place < PIPELINE_MAX) {
    endpoint_told_ahead(endpoint, operation, place, rx);
    return;
  }
  assert(copal_same_tx(tx, operation->exchange));
  note_transmissions(endpoint, operation, tx, rx);
  if (rx == NULL && outlives(endpoint, operation, error)) return;
  if (rx == NULL) {
    /* A group that is not to answer has no sooner end than its time. */
    bool done = operation->unanswered && operation->multicast && error == COPAL_ERR_TIMEOUT;
    drop(endpoint, &operation->exchange);
    endpoint_fail_operation(endpoint, operation, done ? COPAL_OK : error);
    return;
  }
  if (is_late_notification(endpoint, operation, rx)) {
    ask_again(endpoint, operation);
    return;
  }
  pipeline_learn(&operation->pipeline, operation->transmissions);
  copal_error cause = COPAL_OK;
  enum step step = operation_receive(&endpoint->operations, operation, &rx->message, &cause);
  if (operation->registering)
    answered_registration(endpoint, operation, rx, step, cause);
  else
    endpoint_follow_operation(endpoint, operation, rx, step, cause);
}

void endpoint_note_acknowledged(copal_endpoint *endpoint, uint32_t exchange) {
  if (endpoint->calls[exchange].handler != told) return;
  struct operation *operation = (struct operation *)endpoint->calls[exchange].context;
  assert(operation->exchange.index == exchange ||
         pipeline_find(&operation->pipeline, exchange_handle(&endpoint->engine.exchanges, exchange)) < PIPELINE_MAX);
  if (!quick_acknowledged(operation)) return;
  note_transmissions(endpoint, operation, operation->exchange, NULL);
  endpoint_wait_operation(endpoint, operation);
}

/* --- Beginning and cancelling ---------------------------------------------------------------------- */

static copal_error check(const copal_endpoint *endpoint, const copal_call_options *options) {
  const copal_message *message = options->message;
  if (message->error != COPAL_OK) return message->error;
  uint8_t code = header_code(message->buffer), type = header_type(message->buffer);
  if (endpoint->engine.raw || !copal_code_is_request(code) || type > COPAL_NON) return COPAL_ERR_TYPE;
  bool multicast = copal_address_is_multicast(options->remote);
  if (options->observe && (multicast || (code != COPAL_GET && code != COPAL_FETCH))) return COPAL_ERR_TYPE;
  if (type == COPAL_CON && multicast) return COPAL_ERR_MULTICAST_CON;
  return options->remote->family == COPAL_FAMILY_NONE ? COPAL_ERR_ADDRESS : COPAL_OK;
}

/* RFC 7641 3.1: "A client MUST aggregate such requests and MUST NOT register more than once for the same target
 * resource." Who joins asks for the present state, which nobody has kept for him, without registering. */
static void share(copal_endpoint *endpoint, struct operation *operation) {
  struct operations *operations = &endpoint->operations;
  const struct path *path = &endpoint->paths.records[operation->peer];
  struct table_walk walk = sharing_walk(operations, operation, path_hash(&endpoint->paths, path));
  struct operation *holder;
  while ((holder = sharing_next(operations, operation, &walk)) != NULL)
    if (path_is_to_same(&endpoint->paths.records[holder->peer], path)) break;
  if (holder != NULL)
    sharing_join(operations, operation, holder);
  else
    sharing_open(operations, operation);
}

copal_error copal_call_begin(copal_endpoint *endpoint, const copal_call_options *options, copal_call *call) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  assert(!endpoint->operations.in_body);
  copal_error error = check(endpoint, options);
  if (error != COPAL_OK) return error;
  endpoint_read_clock(endpoint);
  copal_path path = {.remote = *options->remote};
  struct path packed = path_pack(&path);
  uint32_t peer = endpoint_peer(endpoint, &packed), index;
  if (peer == INDEX_NONE) return COPAL_ERR_PEERS_FULL;
  error = operation_take(&endpoint->operations, options, &index);
  if (error != COPAL_OK) return error;
  struct operation *operation = &endpoint->operations.records[index];
  operation->peer = peer;
  peers_hold(&endpoint->engine.peers, peer);
  begin_round(endpoint, operation);
  if (operation->observe) share(endpoint, operation);
  error = send_next(endpoint, operation);
  if (error != COPAL_OK)
    forget(endpoint, operation);
  else if (call != NULL)
    *call = operation_handle(&endpoint->operations, operation);
  return error;
}

/* RFC 7641 3.6: "a client MAY explicitly deregister by issuing a GET request that has the Token field set to the token
 * of the observation to be cancelled and includes an Observe Option with the value set to 1 (deregister)." Should it
 * not get through, the next notification is answered with a Reset. */
static void deregister(copal_endpoint *endpoint, struct operation *operation) {
  copal_message message;
  drop_requests(endpoint, operation);
  drop(endpoint, &operation->observation);
  if (operation_compose_end(&endpoint->operations, operation, &message) != COPAL_OK) return;
  struct transmission transmission = {.peer = operation->peer,
                                      .type = header_type(message.buffer),
                                      .message = {message.buffer, message.size},
                                      .no_token = operation_is_tokenless(operation),
                                      .flags = EXCHANGE_CALL,
                                      .timeout = COPAL_NEVER};
  uint32_t index;
  if (engine_send(&endpoint->engine, &transmission, &index) != COPAL_OK) return;
  endpoint->calls[index] = (struct call){endpoint_ignore_end, NULL};
}

copal_error copal_call_cancel(copal_endpoint *endpoint, copal_call call, bool deregistered) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  assert(!endpoint->operations.in_body);
  struct operation *operation = operation_of(&endpoint->operations, call);
  if (operation == NULL) return COPAL_ERR_STALE;
  endpoint_read_clock(endpoint);
  bool may_be_observed = operation->registering || !copal_tx_none(operation->observation);
  bool is_last = sharing_heir(&endpoint->operations, operation) == NULL;
  if (deregistered && may_be_observed && is_last) deregister(endpoint, operation);
  forget(endpoint, operation);
  return COPAL_OK;
}
