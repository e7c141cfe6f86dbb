/* Observers come and go: GET and FETCH with an Observe option, once their handler has replied. RFC 7641 section 4.1. */
#include <assert.h>

#include "endpoint/endpoint.h"
#include "message/wire.h"
#include "rest/request.h"

/* Values of the option in a request, RFC 7641 2. */
enum { OBSERVE_REGISTER = 0, OBSERVE_DEREGISTER = 1, OBSERVE_OTHER = 2 };

/* A later block of a body is no state of its own. RFC 7959 2.6 has the rest of a notification's blocks fetched by
 * requests without an Observe option. */
static bool is_for_later_block(const copal_view *view) {
  return copal_block_of(copal_find_uint(view, COPAL_OPTION_BLOCK2, 0)).number > 0;
}

static uint32_t wish_of(const struct copal_request *request) {
  const copal_view *view = &request->rx.message;
  if (request->rx.multicast || (view->code != COPAL_GET && view->code != COPAL_FETCH)) return OBSERVE_OTHER;
  uint32_t wish = copal_find_uint(view, COPAL_OPTION_OBSERVE, OBSERVE_OTHER);
  return wish == OBSERVE_REGISTER && is_for_later_block(view) ? OBSERVE_OTHER : wish;
}

static bool is_success(uint8_t code) { return COPAL_CODE_CLASS(code) == 2 && code != COPAL_CONTINUE; }

/* RFC 7641 4.1: "The resulting response MUST NOT include an Observe Option, the absence of which signals to the
 * client that it will not be notified". */
static bool may_observe(const struct copal_request *request) {
  if (request->deferred || request->silent || request->route == INDEX_NONE) return false;
  if (!request->routes->records[request->route].observable) return false;
  return is_success(copal_message_view(&request->reply).code);
}

bool endpoint_add_observe(copal_endpoint *endpoint, copal_message *message, uint32_t *number) {
  uint8_t value[4];
  *number = observers_number(&endpoint->observers, endpoint->engine.now);
  size_t size = wire_put_uint(value, *number);
  copal_message_replace(message, COPAL_OPTION_OBSERVE, value, size);
  if (message->error == COPAL_OK) return true;
  message->error = COPAL_OK; /* it is as it was */
  return false;
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
  /* A notification with the longest number must fit, too. */
  if (request->room_size - request->reply.size < OBSERVE_ROOM) return;
  uint32_t index = observers_take(observers, &endpoint->engine, &registration);
  if (index == INDEX_NONE) {
    ++endpoint->engine.counters.observers_full;
    return;
  }
  if (!endpoint_add_observe(endpoint, &request->reply, &observers->records[index].number))
    observers_give(observers, &endpoint->engine, index);
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
