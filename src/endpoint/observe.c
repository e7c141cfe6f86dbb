/* Observers come and go: GET and FETCH with an Observe option, once their handler has replied. RFC 7641 section 4.1. */
#include <assert.h>

#include "endpoint/endpoint.h"
#include "message/header.h"
#include "message/wire.h"
#include "rest/request.h"

/* Values of the option in a request, RFC 7641 2. */
enum { OBSERVE_REGISTER = 0, OBSERVE_DEREGISTER = 1, OBSERVE_OTHER = 2 };

/* A later block of a body is no state of its own. RFC 7959 2.6 has the rest of a notification's blocks fetched by
 * requests without an Observe option; RFC 9177 4.5: for a missing payload, "both the request and response MUST NOT
 * include the Observe option". */
static bool is_for_later_block(const struct copal_request *request) { return request->block2.block.number > 0; }

static uint32_t wish_of(const struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  if (request->rx.multicast || (view->code != COPAL_GET && view->code != COPAL_FETCH)) return OBSERVE_OTHER;
  uint32_t wish = copal_find_uint(view, COPAL_OPTION_OBSERVE, OBSERVE_OTHER);
  return wish == OBSERVE_REGISTER && is_for_later_block(request) ? OBSERVE_OTHER : wish;
}

static bool is_success(uint8_t code) { return COPAL_CODE_CLASS(code) == 2 && code != COPAL_CONTINUE; }

/* RFC 7641 4.1: "The resulting response MUST NOT include an Observe Option, the absence of which signals to the
 * client that it will not be notified". */
static bool may_observe(const struct copal_request *request) {
  if (request->deferred || request->silent || request->route == INDEX_NONE) return false;
  if (!request->routes->records[request->route].observable) return false;
  return is_success(copal_message_view(&request->reply).code);
}

/* A reply leaves room for the longest number. */
void endpoint_add_observe(copal_endpoint *endpoint, copal_message *message, uint32_t *number) {
  uint8_t value[4];
  *number = observers_number(&endpoint->observers, endpoint->engine.now);
  size_t size = wire_put_uint(value, *number);
  copal_message_replace(message, COPAL_OPTION_OBSERVE, value, size);
  assert(message->error == COPAL_OK);
}

/* RFC 7641 7: "Without client authentication, a server therefore MUST strictly limit the number of notifications that
 * it sends between receiving acknowledgements". By the same reason who has shown that he receives what is sent to his
 * address takes the place of one who has not; and who has not may show it now, to be observed when he asks again. */
static uint32_t take_in_place(copal_endpoint *endpoint, const struct arrival *arrival,
                              const struct registration *registration, size_t reply_size) {
  enum { PINGS_SIZE = 4 * HEADER_SIZE };
  if (observers_have_share(&endpoint->observers, registration->peer)) return INDEX_NONE;
  if (!endpoint_is_verified(endpoint, registration->peer)) {
    if (endpoint_may_answer(endpoint, arrival, reply_size + PINGS_SIZE))
      endpoint_verify(endpoint, registration->peer, VERIFY_FOR_LATER);
    return INDEX_NONE;
  }
  uint32_t spare = observers_spare(&endpoint->observers, &endpoint->engine);
  if (spare == INDEX_NONE) return INDEX_NONE;
  endpoint_forget_observer(endpoint, spare);
  return observers_take(&endpoint->observers, &endpoint->engine, registration);
}

static void register_observer(copal_endpoint *endpoint, const struct arrival *arrival, struct copal_request *request) {
  struct observers *observers = &endpoint->observers;
  copal_view reply = copal_message_view(&request->reply);
  const struct route *route = &request->routes->records[request->route];
  uint32_t format = copal_find_uint(&reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  struct registration registration = {.peer = arrival->incoming.peer,
                                      .token = request->rx.message.token,
                                      .request = &request->rx.message,
                                      .format = reply.code == COPAL_VALID ? OBSERVED_FORMAT_OPEN : format,
                                      .confirm_every = route->confirm_every};
  uint32_t index = observers_take(observers, &endpoint->engine, &registration);
  if (index == INDEX_NONE) index = take_in_place(endpoint, arrival, &registration, request->reply.size);
  if (index == INDEX_NONE)
    ++endpoint->engine.counters.observers_full;
  else
    endpoint_add_observe(endpoint, &request->reply, &observers->records[index].number);
}

void endpoint_observe(copal_endpoint *endpoint, const struct arrival *arrival, struct copal_request *request) {
  uint32_t wish = wish_of(request);
  if (wish > OBSERVE_DEREGISTER) return;
  /* RFC 7641 4.1: "If an entry with a matching endpoint/token pair is already present in the list …, the server MUST
   * NOT add a new entry but MUST replace or update the existing one"; and for a deregistration "the server MUST remove
   * any existing entry with a matching endpoint/token pair". */
  copal_bytes token = request->rx.message.token;
  uint32_t earlier = observers_find(&endpoint->observers, arrival->incoming.peer, token);
  if (earlier != INDEX_NONE) endpoint_forget_observer(endpoint, earlier);
  /* RFC 7641 4.1: a server "that is unable or unwilling to add a new entry to the list of observers of a resource MAY
   * silently ignore the registration request and process the GET request as usual". */
  if (wish == OBSERVE_REGISTER && token.size <= OBSERVER_TOKEN_MAX && may_observe(request))
    register_observer(endpoint, arrival, request);
}

/* RFC 7641 3.1: only "a 2.xx response that includes an Observe Option" says that there is an entry. Who never shows
 * that he receives what is sent to his address must not be sent notifications. */
void endpoint_withdraw(copal_endpoint *endpoint, uint32_t peer, copal_bytes token, copal_bytes reply) {
  copal_view view;
  copal_option option;
  copal_error error = copal_decode(reply.data, reply.size, &view);
  assert(error == COPAL_OK);
  (void)error;
  if (!copal_find(&view, COPAL_OPTION_OBSERVE, &option)) return;
  uint32_t index = observers_find(&endpoint->observers, peer, token);
  if (index != INDEX_NONE) endpoint_forget_observer(endpoint, index);
}
