/* The way in: a datagram is decoded, its path becomes a peer, the engine gives its verdict, and what follows from it is
 * done here, in this order and nowhere else. */
#include <assert.h>

#include "base/writer.h"
#include "endpoint/ahead.h"
#include "endpoint/endpoint.h"
#include "message/critical.h"
#include "rest/echo.h"
#include "rest/request.h"

/* What an endpoint with resources understands of critical options; the rest gets 4.02. */
static bool resources_understand(uint16_t number) {
  switch (number) {
    case COPAL_OPTION_URI_HOST:
    case COPAL_OPTION_URI_PORT:
    case COPAL_OPTION_URI_PATH:
    case COPAL_OPTION_URI_QUERY:
    case COPAL_OPTION_ACCEPT:
    case COPAL_OPTION_IF_MATCH:
    case COPAL_OPTION_IF_NONE_MATCH:
    case COPAL_OPTION_BLOCK1:
    case COPAL_OPTION_BLOCK2:
    case COPAL_OPTION_PROXY_URI:
    case COPAL_OPTION_PROXY_SCHEME: return true;
  }
  return false;
}

/* Where bodies in blocks can be kept they may come in any order, too. RFC 9177 4.1: an endpoint "MUST support either
 * both or neither of the Q-Block1 and Q-Block2 options". */
static bool resources_understand_more(uint16_t number) {
  return number == COPAL_OPTION_Q_BLOCK1 || number == COPAL_OPTION_Q_BLOCK2 || resources_understand(number);
}

static critical_understood *understood_by(const copal_endpoint *endpoint) {
  if (endpoint->engine.raw) return critical_registered;
  return endpoint->transfers.slab.count_max > 0 ? resources_understand_more : resources_understand;
}

/* And of those in responses. RFC 7252 5.4: "In case an option is not defined for a Method or Response Code, it … MUST
 * be treated like an unrecognized option by a recipient." */
static bool responses_understand(uint16_t number) {
  switch (number) {
    case COPAL_OPTION_BLOCK1:
    case COPAL_OPTION_BLOCK2:
    case COPAL_OPTION_Q_BLOCK1:
    case COPAL_OPTION_Q_BLOCK2:
    case COPAL_OPTION_OCF_CONTENT_FORMAT: return true;
  }
  return false;
}

static void ignore(copal_endpoint *endpoint) { ++endpoint->engine.counters.ignored; }

/* RFC 7252 4.2: "The Reset message MUST echo the Message ID of the Confirmable message and MUST be Empty." */
static void reject(copal_endpoint *endpoint, const struct arrival *arrival) {
  endpoint_answer_empty(endpoint, &arrival->path, COPAL_RST, arrival->view.message_id);
}

/* RFC 7252 4.2: a CON with a format error is rejected. RFC 7252 3: "Messages with unknown version numbers MUST be
 * silently ignored." RFC 7252 8.1: nor is anything that came to a group answered with a Reset. */
static void handle_malformed(copal_endpoint *endpoint, const struct arrival *arrival, copal_error error) {
  ++endpoint->engine.counters.malformed;
  if (error == COPAL_ERR_DATAGRAM_SHORT || error == COPAL_ERR_VERSION) return;
  if (arrival->view.type == COPAL_CON && !arrival->incoming.multicast) reject(endpoint, arrival);
}

/* Keeps in mind that a message came, and how it is answered: so its duplicates are recognised. Where replies that have
 * not gone yet fill the memory it is taken all the same. It executes nothing: at worst its duplicate is told once more,
 * or rejected, since nobody waits for it any more. */
static void remember(copal_endpoint *endpoint, const struct arrival *arrival, uint8_t state) {
  struct reply *reply = engine_remember(&endpoint->engine, &arrival->incoming, 0);
  if (reply == NULL) return;
  replies_close(engine_replies(&endpoint->engine, &arrival->incoming.key), reply, state, 0);
}

/* --- Requests --------------------------------------------------------------------------------- */

/* RFC 7252 4.2: "it MUST retain the state to create the ACK for the request, if needed, even if a Confirmable
 * response was already acknowledged by the requester." */
static void repeat(copal_endpoint *endpoint, const struct arrival *arrival, struct reply *reply) {
  ++endpoint->engine.counters.duplicates;
  /* RFC 7252 4.5: "The recipient SHOULD acknowledge each duplicate copy of a Confirmable message using the same
   * Acknowledgement or Reset message"; a duplicate NON it "SHOULD silently ignore". */
  if (!reply->con) return;
  switch ((enum reply_state)reply->state) {
    case REPLY_MESSAGE: endpoint_answer(endpoint, &arrival->path, reply); break;
    case REPLY_ACK: endpoint_answer_empty(endpoint, &arrival->path, COPAL_ACK, reply->mid); break;
    case REPLY_RESET: endpoint_answer_empty(endpoint, &arrival->path, COPAL_RST, reply->mid); break;
    case REPLY_DEAD:
    case REPLY_BEGUN:
    case REPLY_PENDING:
    case REPLY_NOTHING: return;
  }
  ++endpoint->engine.counters.repeated;
}

/* RFC 7252 5.4.1: unrecognized critical options "in a Confirmable request MUST cause the return of a 4.02 (Bad Option)
 * response. This response SHOULD include a diagnostic payload describing the unrecognized option(s)"; in a NON they
 * "MUST cause the message to be rejected". RFC 9290 3.1.1: problem details with the option's number "can be used in
 * fulfillment of the "SHOULD" requirement". */
static void refuse_option(copal_endpoint *endpoint, struct arrival *arrival, uint16_t number) {
  if (arrival->view.type != COPAL_CON) {
    ignore(endpoint);
    return;
  }
  char detail[64];
  struct writer writer;
  const copal_option_info *info = copal_option_by_number(number);
  writer_init(&writer, detail, sizeof detail);
  writer_text(&writer, "option ");
  writer_decimal(&writer, number, 1);
  if (info != NULL) {
    writer_text(&writer, ", ");
    writer_text(&writer, info->name);
  }
  size_t size = writer_finish(&writer);
  copal_problem problem = {.title = request_title(COPAL_BAD_OPTION),
                           .detail = {(const uint8_t *)detail, size},
                           .options = {number},
                           .options_count = 1};
  endpoint_refuse(endpoint, arrival, COPAL_BAD_OPTION, &problem);
}

/* A raw endpoint's application answers; until it does, duplicates are dropped. What cannot be remembered is not handed
 * out, lest it be executed twice: the peer may repeat it when there is room. */
static void hand_out_request(copal_endpoint *endpoint, const struct arrival *arrival) {
  struct engine *engine = &endpoint->engine;
  struct reply *reply = engine_remember(engine, &arrival->incoming, 0);
  if (reply == NULL) {
    ++engine->counters.replies_full;
    return;
  }
  replies_close(engine_replies(engine, &arrival->incoming.key), reply, REPLY_PENDING, 0);
  copal_rx rx;
  endpoint_rx(endpoint, arrival, &rx);
  endpoint_hand_out(endpoint, &rx);
}

static bool is_oversized(const copal_endpoint *endpoint, const struct arrival *arrival) {
  return arrival->datagram->size > endpoint->engine.message_size_max;
}

/* Who returns an Echo value of ours has received it. It is elective: what is not good is not looked at. */
static void note_echo(copal_endpoint *endpoint, const struct arrival *arrival) {
  const struct engine *engine = &endpoint->engine;
  const struct incoming *incoming = &arrival->incoming;
  if (incoming->multicast) return;
  if (echo_check(&engine->seal_key, incoming->identity, engine->now, engine->exchange_lifetime, &arrival->view))
    endpoint_note_verified(endpoint, incoming->peer);
}

/* RFC 8516 3: "If a CoAP server is unable to serve a client that is sending CoAP request messages more often than the
 * server is capable or willing to handle, the server SHOULD respond to the request(s) with the response code 4.29". */
static bool is_too_much(copal_endpoint *endpoint, struct arrival *arrival) {
  struct engine *engine = &endpoint->engine;
  if (engine->peer_rate == 0) return false;
  if (peers_may_ask(&engine->peers, arrival->incoming.peer, engine->peer_rate, engine->now)) return false;
  ++engine->counters.rate_limited;
  if (!arrival->incoming.multicast) endpoint_refuse(endpoint, arrival, COPAL_TOO_MANY_REQUESTS, NULL);
  return true;
}

/* RFC 9177 4.8: "Servers MUST ignore multicast requests that contain the Q-Block2 option." */
static bool is_quick(const struct arrival *arrival) {
  copal_option option;
  return copal_find(&arrival->view, COPAL_OPTION_Q_BLOCK1, &option) ||
         copal_find(&arrival->view, COPAL_OPTION_Q_BLOCK2, &option);
}

/* RFC 8768 3: "CoAP requests received with a Hop-Limit option set to '0' or greater than '255' MUST be rejected by a
 * CoAP server/proxy using 4.00 (Bad Request)." */
static void refuse_hop_limit(copal_endpoint *endpoint, struct arrival *arrival) {
  copal_problem problem = {
      .title = request_title(COPAL_BAD_REQUEST), .options = {COPAL_OPTION_HOP_LIMIT}, .options_count = 1};
  if (arrival->incoming.multicast)
    ignore(endpoint);
  else
    endpoint_refuse(endpoint, arrival, COPAL_BAD_REQUEST, &problem);
}

static void handle_request(copal_endpoint *endpoint, struct arrival *arrival) {
  struct engine *engine = &endpoint->engine;
  if (arrival->incoming.peer == INDEX_NONE) arrival->incoming.peer = endpoint_peer(endpoint, &arrival->path);
  if (arrival->incoming.peer == INDEX_NONE) {
    ignore(endpoint);
    return;
  }
  if (is_too_much(endpoint, arrival)) return;
  ++engine->counters.requests;
  note_echo(endpoint, arrival);
  int32_t refused = critical_refused(&arrival->view, understood_by(endpoint));
  if (arrival->incoming.multicast && (is_oversized(endpoint, arrival) || refused != CRITICAL_NONE || is_quick(arrival)))
    ignore(endpoint);
  else if (is_oversized(endpoint, arrival))
    /* RFC 7252 4.6: "A server can thus fully interpret a request and return a 4.13 (Request Entity Too Large)". */
    endpoint_refuse(endpoint, arrival, COPAL_REQUEST_ENTITY_TOO_LARGE, NULL);
  else if (refused != CRITICAL_NONE)
    refuse_option(endpoint, arrival, (uint16_t)refused);
  else if (engine->raw)
    hand_out_request(endpoint, arrival);
  else if (!copal_hop_limit_is_legal(&arrival->view))
    refuse_hop_limit(endpoint, arrival);
  else
    endpoint_serve(endpoint, arrival);
}

/* --- Responses and replies -------------------------------------------------------------------- */

/* RFC 7252 5.4.1: "Unrecognized options of class "critical" that occur in a Confirmable response, or piggybacked in an
 * Acknowledgement, MUST cause the response to be rejected". */
static void refuse_response(copal_endpoint *endpoint, const struct arrival *arrival, uint32_t index, bool again) {
  struct exchange *exchange = exchange_at(&endpoint->engine.exchanges, index);
  if (arrival->view.type == COPAL_CON) reject(endpoint, arrival);
  if ((exchange->flags & EXCHANGE_MULTICAST) != 0) return;
  exchange->flags &= (uint8_t)~EXCHANGE_RESPONDED;
  if ((exchange->flags & EXCHANGE_CALL) == 0) exchange->state = EXCHANGE_REJECTED;
  if (!again) endpoint_tell(endpoint, index, NULL, COPAL_ERR_RESPONSE_REJECTED);
}

static bool is_acceptable(const copal_endpoint *endpoint, const struct arrival *arrival) {
  critical_understood *understood = endpoint->engine.raw ? critical_registered : responses_understand;
  return !is_oversized(endpoint, arrival) && critical_refused(&arrival->view, understood) == CRITICAL_NONE;
}

/* RFC 7252 5.2.2: "the client's Acknowledgement to that response MUST also be an Empty message". */
static void acknowledge(copal_endpoint *endpoint, const struct arrival *arrival) {
  uint8_t type = arrival->view.type;
  bool raw = endpoint->engine.raw;
  if (type == COPAL_CON && !raw) endpoint_answer_empty(endpoint, &arrival->path, COPAL_ACK, arrival->view.message_id);
  if (type == COPAL_CON) remember(endpoint, arrival, raw ? REPLY_PENDING : REPLY_ACK);
  if (type == COPAL_NON) remember(endpoint, arrival, REPLY_NOTHING);
}

/* RFC 7252 5.2.3: "an endpoint MUST be prepared to receive a Non-confirmable response (preceded or followed by an
 * Empty Acknowledgement message) in reply to a Confirmable request, or a Confirmable response in reply to a
 * Non-confirmable request." */
static void handle_response(copal_endpoint *endpoint, struct arrival *arrival, const struct verdict *verdict) {
  struct engine *engine = &endpoint->engine;
  uint32_t index = verdict->exchange;
  if (!is_acceptable(endpoint, arrival)) {
    refuse_response(endpoint, arrival, index, verdict->late);
    return;
  }
  acknowledge(endpoint, arrival);
  uint8_t type = arrival->view.type;
  copal_rx rx;
  endpoint_rx(endpoint, arrival, &rx);
  rx.has_responded = rx.has_responded || !engine->raw;
  rx.request = exchange_handle(&engine->exchanges, index);
  if (type == COPAL_ACK) rx.pertains_to = rx.request;
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if ((exchange->flags & EXCHANGE_CALL) != 0) {
    endpoint_tell(endpoint, index, &rx, COPAL_OK);
    return;
  }
  if (type == COPAL_ACK && !exchange_keep(&engine->exchanges, index, arrival->incoming.datagram, rx.time))
    ++engine->counters.receptions_full;
  endpoint_hand_out(endpoint, &rx);
}

/* RFC 8974 3.3: "If a separate response passes the checks for token integrity and freshness, the client processes the
 * message as specified in RFC 7252; otherwise, it rejects the message". False: it is what it seemed. */
static bool handle_stateless(copal_endpoint *endpoint, const struct arrival *arrival) {
  copal_bytes state;
  if (!endpoint_stateless_state(endpoint, arrival, &state) || !is_acceptable(endpoint, arrival)) return false;
  acknowledge(endpoint, arrival);
  ++endpoint->engine.counters.responses;
  copal_rx rx;
  endpoint_rx(endpoint, arrival, &rx);
  rx.has_responded = true;
  endpoint_tell_stateless(endpoint, &rx, state);
  return true;
}

/* A response to one of many requests that went at once, of which no record is kept each. */
static bool handle_burst(copal_endpoint *endpoint, const struct arrival *arrival) {
  bool is_response = copal_code_is_response(arrival->view.code) && arrival->view.type <= COPAL_NON;
  if (!is_response || arrival->incoming.multicast) return false;
  struct operation *operation = endpoint_burst_operation(endpoint, arrival);
  if (operation == NULL || !is_acceptable(endpoint, arrival)) return false;
  acknowledge(endpoint, arrival);
  ++endpoint->engine.counters.responses;
  copal_rx rx;
  endpoint_rx(endpoint, arrival, &rx);
  rx.has_responded = true;
  endpoint_tell_operation(endpoint, operation, &rx);
  return true;
}

/* A message that belongs to no exchange. */
static bool handle_other(copal_endpoint *endpoint, const struct arrival *arrival) {
  if (arrival->view.type == COPAL_RST)
    return endpoint_note_reset(endpoint, arrival) || endpoint_note_burst_reset(endpoint, arrival);
  return handle_burst(endpoint, arrival) || handle_stateless(endpoint, arrival);
}

/* An empty ACK or a Reset for a message of ours. failed: it ended the exchange. */
static void handle_reply(copal_endpoint *endpoint, const struct arrival *arrival, uint32_t index, bool failed) {
  struct engine *engine = &endpoint->engine;
  if (index == INDEX_NONE) return;
  const struct exchange *exchange = exchange_at(&engine->exchanges, index);
  if ((exchange->flags & EXCHANGE_CALL) != 0) {
    if (failed) endpoint_tell(endpoint, index, NULL, COPAL_ERR_RESET);
    if (!failed && exchange->state == EXCHANGE_EXPECTING) endpoint_note_acknowledged(endpoint, index);
    /* No request, or one whose response nobody wants: its ACK is all that was awaited. */
    if (!failed && exchange->state >= EXCHANGE_ANSWERED) endpoint_tell(endpoint, index, NULL, COPAL_OK);
    return;
  }
  copal_rx rx;
  endpoint_rx(endpoint, arrival, &rx);
  rx.pertains_to = exchange_handle(&engine->exchanges, index);
  if (!exchange_keep(&engine->exchanges, index, arrival->incoming.datagram, rx.time))
    ++engine->counters.receptions_full;
  if (engine->raw)
    endpoint_hand_out(endpoint, &rx);
  else if (failed)
    endpoint_tell(endpoint, index, NULL, COPAL_ERR_RESET);
}

static void handle_unmatched(copal_endpoint *endpoint, const struct arrival *arrival) {
  if (is_oversized(endpoint, arrival)) {
    if (arrival->view.type == COPAL_CON)
      reject(endpoint, arrival);
    else
      ignore(endpoint);
    return;
  }
  if (arrival->view.type == COPAL_CON) remember(endpoint, arrival, REPLY_PENDING);
  if (arrival->view.type == COPAL_NON) remember(endpoint, arrival, REPLY_NOTHING);
  copal_rx rx;
  endpoint_rx(endpoint, arrival, &rx);
  endpoint_hand_out(endpoint, &rx);
}

/* --- One datagram ------------------------------------------------------------------------------ */

static bool has_source(const copal_address *remote) {
  /* RFC 768: a source port of zero means that no reply is wanted, so nobody could be answered. RFC 1122 3.2.1.3: a
   * group is never a source. */
  if (remote->family == COPAL_FAMILY_UNIX) return true;
  return remote->family != COPAL_FAMILY_NONE && remote->port != 0 && !copal_address_is_multicast(remote);
}

/* A peer that answers from somewhere is from now on sent to from there. */
static void note_local_address(copal_endpoint *endpoint, const struct arrival *arrival, uint32_t index) {
  const struct incoming *incoming = &arrival->incoming;
  if (index == INDEX_NONE || incoming->unbound == INDEX_NONE || incoming->peer != INDEX_NONE) return;
  if (exchange_at(&endpoint->engine.exchanges, index)->peer == incoming->unbound)
    paths_bind(&endpoint->paths, incoming->unbound, &arrival->path);
}

static void follow(copal_endpoint *endpoint, struct arrival *arrival, const struct verdict *verdict) {
  note_local_address(endpoint, arrival, verdict->exchange);
  switch (verdict->kind) {
    case VERDICT_IGNORE:
      if (handle_other(endpoint, arrival)) break;
      if (arrival->view.type == COPAL_RST) endpoint_note_stray(endpoint, arrival->incoming.peer);
      ignore(endpoint);
      break;
    case VERDICT_REJECT:
      if (!handle_other(endpoint, arrival)) reject(endpoint, arrival);
      break;
    case VERDICT_REPEAT: repeat(endpoint, arrival, verdict->reply); break;
    case VERDICT_REQUEST: handle_request(endpoint, arrival); break;
    case VERDICT_RESPONSE: handle_response(endpoint, arrival, verdict); break;
    case VERDICT_ACKNOWLEDGED: handle_reply(endpoint, arrival, verdict->exchange, false); break;
    case VERDICT_RESET: handle_reply(endpoint, arrival, verdict->exchange, !verdict->late); break;
    case VERDICT_UNMATCHED: handle_unmatched(endpoint, arrival); break;
  }
}

static void take(copal_endpoint *endpoint, const copal_datagram *datagram, const struct ahead *ahead) {
  ++endpoint->engine.counters.datagrams_in;
  if (!has_source(&datagram->path.remote)) {
    ignore(endpoint);
    return;
  }
  struct arrival arrival = {.datagram = datagram, .path = ahead->path};
  arrival.incoming = (struct incoming){.view = &arrival.view,
                                       .datagram = {datagram->data, datagram->size},
                                       .identity = ahead->identity,
                                       .fingerprint = ahead->fingerprint,
                                       .multicast = ahead->multicast};
  copal_error error = copal_decode(datagram->data, datagram->size, &arrival.view);
  if (error != COPAL_OK) {
    handle_malformed(endpoint, &arrival, error);
    return;
  }
  arrival.incoming.peer = paths_find(&endpoint->paths, &arrival.path, ahead->hash, &arrival.incoming.unbound);
  struct verdict verdict = engine_receive(&endpoint->engine, &arrival.incoming, endpoint->engine.now);
  follow(endpoint, &arrival, &verdict);
}

size_t copal_endpoint_input(copal_endpoint *endpoint, copal_time now, const copal_datagram *datagrams, size_t count) {
  struct ahead ahead[AHEAD_MAX];
  assert(!endpoint->in_handler);
  endpoint_advance(endpoint, now);
  endpoint_release(endpoint, COPAL_NEVER);
  size_t taken = 0;
  for (; taken < count && !endpoint->has_waiting; ++taken) {
    size_t left = count - taken;
    if (taken % AHEAD_MAX == 0)
      endpoint_look_ahead(endpoint, datagrams + taken, left < AHEAD_MAX ? left : AHEAD_MAX, ahead);
    take(endpoint, &datagrams[taken], &ahead[taken % AHEAD_MAX]);
  }
  return taken;
}
