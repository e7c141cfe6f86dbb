/* A request on its way through a handler. It lives on the stack of the endpoint's dispatch; the reply is built straight
 * into the memory that keeps it for duplicates. */
#ifndef COPAL_REST_REQUEST_H
#define COPAL_REST_REQUEST_H

#include "engine/deferred.h"
#include "rest/routes.h"

struct copal_request {
  copal_rx rx;
  copal_message reply;
  uint8_t *room; /* where the reply is built */
  size_t room_size;
  const struct routes *routes;
  uint32_t route; /* index, or INDEX_NONE for none */
  struct engine *engine;
  struct deferreds *deferreds;
  const struct incoming *incoming;
  uint16_t reply_mid;
  bool replied, deferred;
  bool notification; /* the handler is called for observers: nothing is known of the client but its request */
};

/* Begins the reply anew: type, message ID and token are set, nothing else is. */
void request_begin_reply(struct copal_request *request, uint8_t code);

/* Gives a reply that was begun its problem as payload. False when there is no room, or nothing is said. */
bool request_put_problem(copal_message *reply, const copal_problem *problem);

/* A code's name, for a problem's title. */
copal_bytes request_title(uint8_t code);

/* Finds the handler, calls it, and sees that there is a reply or a deferral afterwards. */
void request_dispatch(struct copal_request *request);

/* Replies with the list of routes: GET /.well-known/core. */
void request_reply_core(struct copal_request *request);

#endif
