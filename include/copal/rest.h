/* Resources and requests on an endpoint. A server registers routes and answers requests in handlers; a client sends
 * requests and is called with their responses. Sans-I/O: works on a bare endpoint and on a hosted one alike.
 *
 * The endpoint acknowledges by itself: at once with the handler's reply (piggybacked), or with an empty ACK when the
 * handler defers, and the response follows on its own. Sources: RFC 7252 section 5, RFC 8132, RFC 6690. */
#ifndef COPAL_REST_H
#define COPAL_REST_H

#include "copal/copal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Server ----------------------------------------------------------------------------------- */

/* A request being handled; it lives for the handler's call. */
typedef struct copal_request copal_request;

/* Answers one request with copal_reply…, or postpones it with copal_defer. A handler that does neither answers 5.00. */
typedef void copal_handler(copal_request *request, void *context);

/* Sends requests with that method and path to handler. pattern is "/a/b"; "{name}" takes any one segment; a last "*"
 * takes all that follows, nothing included. Literal segments win over "{name}", and that over "*". pattern and context
 * are borrowed as long as the endpoint lives. A raw endpoint has no use for routes.
 * COPAL_ERR_ROUTES_FULL: raise config.routes_max. COPAL_ERR_ROUTE_PATTERN: no leading "/", or that method has a
 * handler there already. */
COPAL_API copal_error copal_route(copal_endpoint *endpoint, copal_code method, const char *pattern,
                                  copal_handler *handler, void *context);

/* Gives a route's link its attributes for /.well-known/core, as they stand there: "rt=\"temperature\";ct=0". borrowed.
 * COPAL_ERR_NOT_FOUND: no such route. */
COPAL_API copal_error copal_route_attributes(copal_endpoint *endpoint, const char *pattern, const char *attributes);

/* The request as it was received: message, remote address, time. */
COPAL_API const copal_rx *copal_request_rx(const copal_request *request);

/* The endpoint that received the request. */
COPAL_API copal_endpoint *copal_request_endpoint(const copal_request *request);

/* What "{name}" took, as bytes; empty for a name that the pattern lacks. */
COPAL_API copal_bytes copal_request_parameter(const copal_request *request, const char *name);

/* The request's Uri-Path as text below the "*" of its route, segments joined by "/" and unsafe bytes percent-encoded;
 * the whole path for a route without one. COPAL_ERR_SPACE. */
COPAL_API COPAL_MUST_CHECK copal_error copal_request_tail(const copal_request *request, char *buffer, size_t capacity);

/* Replies with a code and a body. content_format may be COPAL_FORMAT_NONE. Where it does not fit the endpoint's
 * message size the reply becomes 5.00 and COPAL_ERR_MESSAGE_SIZE is returned. */
COPAL_API copal_error copal_reply(copal_request *request, copal_code code, uint32_t content_format, const void *payload,
                                  size_t payload_size);

/* 2.05 with a text/plain body. */
COPAL_API copal_error copal_reply_text(copal_request *request, const char *text);

/* A code alone. */
COPAL_API copal_error copal_reply_code(copal_request *request, copal_code code);

/* The reply for building by hand, options in any order: set its code. It is encoded in place, in the memory that keeps
 * it for duplicates. Calling copal_reply… afterwards starts it anew. */
COPAL_API copal_message *copal_reply_message(copal_request *request);

/* Names a response that is owed. All zero names none. */
typedef struct copal_deferred {
  uint32_t index;
  uint32_t generation;
} copal_deferred;

/* Postpones the answer: the endpoint sends the empty ACK in time (parameters.ack_delay), and copal_deferred_reply sends
 * the response, now or later, from anywhere on the endpoint's thread.
 * COPAL_ERR_DEFERRED_FULL: answer now, 5.03 say. */
COPAL_API COPAL_MUST_CHECK copal_error copal_defer(copal_request *request, copal_deferred *deferred);

/* Answers a postponed request: piggybacked when the ACK has not gone yet, else as a separate response, confirmable if
 * the request was. Type and message ID are set here, and the token where response has none.
 * COPAL_ERR_STALE: answered already. Otherwise as copal_send, and the response stays owed. */
COPAL_API COPAL_MUST_CHECK copal_error copal_deferred_reply(copal_endpoint *endpoint, copal_deferred deferred,
                                                            const copal_message *response);

/* Gives up the answer that is owed: the client gets nothing more, and its request's duplicates are acknowledged no
 * more than they were. COPAL_ERR_STALE: answered already. */
COPAL_API copal_error copal_deferred_drop(copal_endpoint *endpoint, copal_deferred deferred);

/* --- Client ----------------------------------------------------------------------------------- */

/* Called once with a request's response (error COPAL_OK), or with NULL and COPAL_ERR_TIMEOUT, _RESET, _UNREACHABLE or
 * _RESPONSE_REJECTED. A request to a group is answered many times, and COPAL_ERR_TIMEOUT then says that its time is
 * over. rx and what it points to live for the call. */
typedef void copal_response_handler(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                                    void *context);

/* Sends a request and calls handler with its response. Errors as copal_send; COPAL_ERR_TYPE also when message is not a
 * request. timeout bounds the whole of it; with COPAL_NEVER it is EXCHANGE_LIFETIME (NON_LIFETIME) from the first
 * transmission, which NSTART may delay. tx may be NULL. */
COPAL_API COPAL_MUST_CHECK copal_error copal_request_send(copal_endpoint *endpoint, const copal_message *message,
                                                          const copal_address *remote, copal_time timeout,
                                                          copal_response_handler *handler, void *context, copal_tx *tx);

/* Sends a CoAP ping, an empty CON, which its receiver answers with a Reset (RFC 7252 4.3): handler is called with
 * COPAL_ERR_RESET, which here is the good answer, or with COPAL_ERR_TIMEOUT or _UNREACHABLE. */
COPAL_API COPAL_MUST_CHECK copal_error copal_ping_send(copal_endpoint *endpoint, const copal_address *remote,
                                                       copal_time timeout, copal_response_handler *handler,
                                                       void *context, copal_tx *tx);

#ifdef __cplusplus
}
#endif
#endif
