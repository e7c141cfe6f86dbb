/* Requests on an endpoint with resources: the reply is built where it will be kept, goes out piggybacked.
 * RFC 7252 sections 5.2 and 8.2. */
#include <assert.h>

#include "base/clear.h"
#include "endpoint/endpoint.h"
#include "message/silence.h"
#include "rest/request.h"

enum { REFUSAL_OPTIONS_MAX = 24 };

/* RFC 7252 5.9.3.4: 5.03 uses Max-Age "to indicate the number of seconds after which to retry". RFC 8516 3: so does
 * 4.29. At no rate is it longer than a second until the next request may come. */
static uint32_t retry_after_seconds(uint8_t code) {
  switch (code) {
    case COPAL_SERVICE_UNAVAILABLE: return 5;
    case COPAL_TOO_MANY_REQUESTS: return 1;
  }
  return 0;
}

/* Room for a refusal, which may make room itself whatever it refuses. */
static struct reply *take_room(copal_endpoint *endpoint, struct arrival *arrival, size_t size_max) {
  struct engine *engine = &endpoint->engine;
  return replies_take(&engine->idempotent, &engine->peers, &arrival->incoming.key, INDEX_NONE, size_max, engine->now,
                      engine->exchange_lifetime, &engine->counters.replies_evicted);
}

static void forget(copal_endpoint *endpoint, struct reply *reply, size_t size) {
  struct engine *engine = &endpoint->engine;
  replies_drop(&engine->idempotent, &engine->peers, reply);
  replies_close(&engine->idempotent, reply, REPLY_DEAD, size);
}

/* What was refused for a reason that passes is not to be executed by a late duplicate, when its sender has long sent it
 * anew. Any other refusal is made again. */
static bool is_remembered(const struct arrival *arrival, uint8_t code) {
  bool passes = code == COPAL_UNAUTHORIZED || code == COPAL_SERVICE_UNAVAILABLE || code == COPAL_TOO_MANY_REQUESTS;
  return arrival->incoming.key.unsafe && passes;
}

static bool begin(copal_endpoint *endpoint, const struct arrival *arrival, struct reply *reply, size_t size_max,
                  struct copal_request *request) {
  struct engine *engine = &endpoint->engine;
  clear(request, sizeof *request);
  endpoint_rx(endpoint, arrival, &request->rx);
  request->rx.has_responded = true;
  request->entry = reply;
  request->room = reply_bytes(reply);
  request->room_size = size_max;
  request->routes = &endpoint->routes;
  request->route = INDEX_NONE;
  request->engine = engine;
  request->deferreds = &endpoint->deferreds;
  request->transfers = &endpoint->transfers;
  request->upload = INDEX_NONE;
  request->incoming = &arrival->incoming;
  request->reply_mid = arrival->view.message_id;
  if (arrival->view.type == COPAL_CON || arrival->incoming.multicast) return true;
  uint32_t peer = arrival->incoming.peer;
  if (!peers_next_mid(&engine->peers, peer, engine->now, engine->exchange_lifetime, &request->reply_mid)) return false;
  peers_take_mid(&engine->peers, peer, engine->now);
  return true;
}

/* The room for a refusal: the token has precedence over what else it says. 0 where not even the token fits. */
static size_t refusal_size(const copal_endpoint *endpoint, const struct arrival *arrival,
                           const copal_problem *problem) {
  int payload = problem == NULL ? 0 : copal_problem_write(problem, NULL, 0);
  assert(payload >= 0);
  size_t least = header_size_with((copal_bytes){NULL, HEADER_SIZE}, arrival->view.token);
  size_t most = least + REFUSAL_OPTIONS_MAX + 1 + (size_t)payload, limit = endpoint->engine.message_size_max;
  if (least > limit) return 0;
  return most < limit ? most : limit;
}

static void acknowledge(copal_endpoint *endpoint, const struct arrival *arrival) {
  if (arrival->view.type == COPAL_CON)
    endpoint_answer_empty(endpoint, &arrival->path, COPAL_ACK, arrival->view.message_id);
}

void endpoint_refuse(copal_endpoint *endpoint, struct arrival *arrival, uint8_t code, const copal_problem *problem) {
  if (message_is_unwanted(message_no_response(&arrival->view), code)) {
    acknowledge(endpoint, arrival);
    return;
  }
  size_t size_max = refusal_size(endpoint, arrival, problem);
  struct reply *reply = size_max == 0 ? NULL : take_room(endpoint, arrival, size_max);
  struct copal_request request;
  if (reply == NULL) {
    ++endpoint->engine.counters.ignored;
    return;
  }
  if (!begin(endpoint, arrival, reply, size_max, &request)) {
    forget(endpoint, reply, 0);
    return;
  }
  request_begin_reply(&request, code);
  if (problem != NULL && !request_put_problem(&request.reply, problem)) request_begin_reply(&request, code);
  uint32_t retry_after = retry_after_seconds(code);
  if (retry_after > 0) copal_message_add_uint(&request.reply, COPAL_OPTION_MAX_AGE, retry_after);
  if (code == COPAL_REQUEST_ENTITY_TOO_LARGE) request_propose_blocks(&request);
  if (code == COPAL_UNAUTHORIZED) request_challenge(&request);
  if (is_remembered(arrival, code))
    engine_remember_refusal(&endpoint->engine, reply, request.reply.size);
  else
    forget(endpoint, reply, request.reply.size);
  endpoint_answer(endpoint, &arrival->path, reply);
}

/* An answer to a group waits for its moment with an exchange and a peer. When a quarter of either is in use, for
 * whatever purpose, groups get none, so that requests to them cannot keep others out. */
static bool is_busy(const struct engine *engine) {
  const struct slab *exchanges = &engine->exchanges.slab, *peers = &engine->peers.slab;
  uint32_t least = exchanges->count_max < peers->count_max ? exchanges->count_max : peers->count_max;
  return exchanges->count >= (least + 3) / 4;
}

/* RFC 7252 8.2: "the server MAY always ignore the request, in particular if it doesn't have anything useful to respond
 * (e.g., if it only has an empty payload or an error response)". RFC 6690 4.1 says so of a list of
 * links "if the filter does not match (to avoid a needless response storm)". RFC 7967 2.1: a No-Response option that
 * shows interest overrides that. */
static bool is_of_interest(const copal_view *response, uint8_t no_response) {
  if (no_response != NO_RESPONSE_ABSENT) return !message_is_unwanted(no_response, response->code);
  return COPAL_CODE_CLASS(response->code) == 2 && response->payload.size > 0;
}

/* RFC 7252 8.2: the server "SHOULD then pick a random point of time within the chosen leisure period to send back the
 * unicast response". */
void endpoint_answer_group(copal_endpoint *endpoint, const struct transmission *transmission, uint8_t no_response) {
  struct engine *engine = &endpoint->engine;
  copal_view view;
  copal_error error = copal_decode(transmission->message.data, transmission->message.size, &view);
  assert(error == COPAL_OK);
  (void)error;
  if (!is_of_interest(&view, no_response)) return;
  if (is_busy(engine)) {
    ++engine->counters.ignored;
    return;
  }
  struct transmission delayed = *transmission;
  delayed.delay = random_up_to(&engine->random, engine->parameters.leisure);
  uint32_t index;
  if (engine_send(engine, &delayed, &index) != COPAL_OK) ++engine->counters.outbox_full;
}

/* --- One's own requests ---------------------------------------------------------------------------- */

/* RFC 7967 3: a response that nobody wants is not sent; a CON is acknowledged all the same. */
static void say_nothing(copal_endpoint *endpoint, const struct arrival *arrival, struct replies *replies,
                        struct reply *reply) {
  replies_close(replies, reply, arrival->view.type == COPAL_CON ? REPLY_ACK : REPLY_NOTHING, 0);
  acknowledge(endpoint, arrival);
}

/* What has become of the request goes its way. */
static void finish(copal_endpoint *endpoint, struct arrival *arrival, struct reply *reply,
                   const struct copal_request *request) {
  struct replies *replies = engine_replies(&endpoint->engine, &arrival->incoming.key);
  uint8_t no_response = message_no_response(&arrival->view);
  bool multicast = arrival->incoming.multicast;
  if (request->deferred) {
    /* Unless the handler itself has answered what it deferred. */
    if (reply->state == REPLY_PENDING) replies_close(replies, reply, REPLY_PENDING, 0);
  } else if (request->silent || (!multicast && message_is_unwanted(no_response, request->room[1]))) {
    say_nothing(endpoint, arrival, replies, reply);
  } else if (multicast) {
    struct transmission transmission = {.peer = arrival->incoming.peer,
                                        .type = COPAL_NON,
                                        .message = {request->room, request->reply.size},
                                        .timeout = COPAL_NEVER};
    endpoint_answer_group(endpoint, &transmission, no_response);
    replies_close(replies, reply, REPLY_NOTHING, 0);
  } else if (!endpoint_may_answer(endpoint, arrival, request->reply.size)) {
    endpoint_hold_answer(endpoint, arrival, reply, request);
  } else {
    replies_close(replies, reply, REPLY_MESSAGE, request->reply.size);
    endpoint_answer(endpoint, &arrival->path, reply);
  }
}

/* There is no room, or only for those whose addresses are verified. RFC 9175 2.3: "The server may also include the Echo
 * option in a response to force a client to demonstrate reachability at its claimed network address." */
static void refuse_room(copal_endpoint *endpoint, struct arrival *arrival, copal_code code) {
  copal_counters *counters = &endpoint->engine.counters;
  ++*(code == COPAL_UNAUTHORIZED ? &counters->challenged : &counters->replies_full);
  if (!arrival->incoming.multicast) endpoint_refuse(endpoint, arrival, (uint8_t)code, NULL);
}

/* Whether something must not be executed yet: it could not be remembered, or its answer, if that is large, be held
 * until its sender's address is verified. */
static bool must_verify(copal_endpoint *endpoint, const struct arrival *arrival) {
  uint32_t peer = arrival->incoming.peer;
  if (!arrival->incoming.key.unsafe || endpoint_is_verified(endpoint, peer)) return false;
  const struct verifications *verifications = &endpoint->verifications;
  bool holds = verifications->slab.count_max == 0 || verifications_have_room(verifications, VERIFY_EXECUTED);
  return engine_must_verify(&endpoint->engine, peer) || (!holds && !arrival->incoming.multicast);
}

void endpoint_serve(copal_endpoint *endpoint, struct arrival *arrival) {
  struct engine *engine = &endpoint->engine;
  struct replies *replies = engine_replies(engine, &arrival->incoming.key);
  size_t size_max = engine->message_size_max;
  if (must_verify(endpoint, arrival)) {
    refuse_room(endpoint, arrival, COPAL_UNAUTHORIZED);
    return;
  }
  struct reply *reply = engine_remember(engine, &arrival->incoming, size_max);
  if (reply == NULL) {
    refuse_room(endpoint, arrival, COPAL_SERVICE_UNAVAILABLE);
    return;
  }
  struct copal_request request;
  if (!begin(endpoint, arrival, reply, size_max, &request)) {
    replies_drop(replies, &engine->peers, reply);
    replies_close(replies, reply, REPLY_DEAD, 0);
    ++engine->counters.ignored;
    return;
  }
  /* The handler may bring other replies about: this one stays where it is. The peer, too, stays who it is. */
  ++reply->pins;
  reply->state = REPLY_BEGUN;
  peers_hold(&engine->peers, arrival->incoming.peer);
  endpoint->in_handler = true;
  request_dispatch(&request);
  endpoint_observe(endpoint, arrival, &request);
  request_end(&request);
  endpoint->in_handler = false;
  --reply->pins;
  finish(endpoint, arrival, reply, &request);
  while (endpoint_run_transfer(endpoint)) continue; /* what was asked for goes before it can be asked for again */
  peers_release(&engine->peers, arrival->incoming.peer);
}
