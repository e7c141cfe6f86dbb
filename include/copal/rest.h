/* Resources and requests on an endpoint. A server registers routes and answers requests in handlers; a client makes
 * calls and is told their results. Sans-I/O: works on a bare endpoint and on a hosted one alike.
 *
 * A server's handler sees whole requests and gives whole replies; the endpoint does the rest: it acknowledges (with the
 * reply piggybacked, or empty when the handler defers), takes and gives bodies in blocks, checks preconditions and
 * Content-Formats, keeps observers told. A client's call is one request and its result, however many exchanges that
 * takes. Sources: RFC 7252 section 5, 6690, 7641 (Observe), 7959 (Block), 7967 (No-Response), 8132 (FETCH, PATCH), 8516
 * (4.29), 9175 (Echo, Request-Tag), 9177 (Q-Block), 9290 (problem details). */
#ifndef COPAL_REST_H
#define COPAL_REST_H

#include "copal/copal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Bodies in parts -------------------------------------------------------------------------- */

#define COPAL_SIZE_UNKNOWN UINT64_MAX

/* Readers and writers are called in the midst of things: they must not call the endpoint. */

/* Gives size bytes of a body, from offset on, into buffer. Returns how many; fewer than size only where the body ends
 * there. It may be asked for the same bytes again. COPAL_SIZE_UNKNOWN says that reading failed. */
typedef uint64_t copal_reader(void *context, uint64_t offset, void *buffer, size_t size);

/* Takes size bytes of a body that begin at offset: parts come in order and without gaps, and offset 0 begins anew.
 * false gives the transfer up. */
typedef bool copal_writer(void *context, uint64_t offset, const void *data, size_t size);

/* --- Server: routes --------------------------------------------------------------------------- */

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

/* What follows describes a route that has a handler already; each returns COPAL_ERR_NOT_FOUND where there is none. What
 * is given is borrowed as long as the endpoint lives. */

/* Gives a route's link its attributes for /.well-known/core, as they stand there: "rt=\"temperature\";ct=0". */
COPAL_API copal_error copal_route_attributes(copal_endpoint *endpoint, const char *pattern, const char *attributes);

/* Lists the Content-Formats in which GET and FETCH can answer, the usual one first: a request whose Accept is none of
 * them gets 4.06 before the handler is called; copal_request_format tells the one that is wanted. */
COPAL_API copal_error copal_route_offers(copal_endpoint *endpoint, const char *pattern, const uint16_t *formats,
                                         size_t count);

/* Lists the Content-Formats of payloads that a method takes: any other gets 4.15. COPAL_FORMAT_NONE is not listed: a
 * payload without a Content-Format is passed on. */
COPAL_API copal_error copal_route_takes(copal_endpoint *endpoint, copal_code method, const char *pattern,
                                        const uint16_t *formats, size_t count);

/* Tells the present version of a resource: writes its ETag, 1 to 8 bytes, and returns its size; 0 says that the
 * resource does not exist. It looks at the request, and does no more with it. */
typedef size_t copal_version_function(copal_request *request, uint8_t etag[8], void *context);

/* Has requests checked against the resource's version before the handler is called: If-Match and If-None-Match that do
 * not hold get 4.12, a GET or FETCH that names the version in an ETag option gets 2.03, and other 2.05 replies are
 * given the ETag. Without a version function, conditional requests are refused with 4.02: they must not be ignored. */
COPAL_API copal_error copal_route_version(copal_endpoint *endpoint, const char *pattern,
                                          copal_version_function *version, void *context);

/* Lets a route's GET and FETCH be observed: copal_notify tells observers of changes. confirm_every: notifications are
 * non-confirmable, but for one in that time that is confirmable (RFC 7641 4.5); where nothing has changed since, the
 * last one is repeated as such. 0 makes all of them confirmable, and above 24 hours is 24 hours. Observers whose
 * address is not verified get confirmable ones until they acknowledge one. Of the non-confirmable, a client gets one in
 * 3 seconds, the newest. */
COPAL_API copal_error copal_route_observable(copal_endpoint *endpoint, const char *pattern, copal_time confirm_every);

/* Called when a body in parts ends before its last part: the client went away or began anew, or another body took its
 * room. Like a reader, it must not call the endpoint. */
typedef void copal_abandon(void *context, void *state);

/* Has a method's handler called with each part of a request's body as it comes, in order, instead of once with the
 * whole: copal_request_part. What Q-Block brings too early waits for its turn in config.bodies_size, up to 30 blocks;
 * where there is no room for it, it must come again. abandon may be NULL. */
COPAL_API copal_error copal_route_parts(copal_endpoint *endpoint, copal_code method, const char *pattern,
                                        copal_abandon *abandon);

/* Tells the observers of a path, such as "/sensors/3", that it has changed: the next output has the handler make the
 * new representation, once for all who asked alike, and sends it to each. Any number of changes until then count as
 * one, and so does one that the handler itself notes while it makes a notification of that path. A reply that is no
 * success, or has another Content-Format than the first one, ends the observation. Returns how many observers there
 * are; 0 for a path that is none. */
COPAL_API size_t copal_notify(copal_endpoint *endpoint, const char *path);

/* Ends the observations of a path with a last notification of that code, such as 4.04; with COPAL_EMPTY, without one.
 * Returns how many there were. */
COPAL_API size_t copal_notify_end(copal_endpoint *endpoint, const char *path, copal_code code);

/* --- Server: the request ---------------------------------------------------------------------- */

/* The request as it was received: message, remote address, time. Of a body that came in blocks, the message's payload
 * is the whole; a GET or DELETE has none, whatever was sent with it (RFC 7252 5.5). */
COPAL_API const copal_rx *copal_request_rx(const copal_request *request);

/* The endpoint that received the request. */
COPAL_API copal_endpoint *copal_request_endpoint(const copal_request *request);

/* What "{name}" took, as bytes; empty for a name that the pattern lacks. */
COPAL_API copal_bytes copal_request_parameter(const copal_request *request, const char *name);

/* The request's Uri-Path as text below the "*" of its route, segments joined by "/" and unsafe bytes percent-encoded;
 * the whole path for a route without one. COPAL_ERR_SPACE. */
COPAL_API COPAL_MUST_CHECK copal_error copal_request_tail(const copal_request *request, char *buffer, size_t capacity);

/* The value of the query argument "name=value": "" for a bare "name". false where there is none. */
COPAL_API bool copal_request_query(const copal_request *request, const char *name, copal_bytes *value);

/* The Content-Format that the reply is to have: the request's Accept, else the first that the route offers, else
 * COPAL_FORMAT_NONE. */
COPAL_API uint32_t copal_request_format(const copal_request *request);

/* Whether the handler is called for observers rather than for one who asks now: it cannot defer then, and the request
 * comes from nobody. It is what they have in common: without token, ETag, Echo, No-Response. */
COPAL_API bool copal_request_is_notification(const copal_request *request);

/* A part of a body on a route with copal_route_parts. A body in one message is its first and last part. */
typedef struct copal_part {
  const uint8_t *data;
  size_t size;
  uint64_t offset;
  uint64_t total; /* as announced by Size1; COPAL_SIZE_UNKNOWN where it was not */
  bool last;      /* now reply; a reply to an earlier part ends the transfer */
  void **state;   /* the application's own, NULL at first, the same for all parts of a body */
} copal_part;

/* The part that the handler is called with. */
COPAL_API copal_part copal_request_part(copal_request *request);

/* Whether the request is known to have been sent within max_age, by an Echo option (RFC 9175 2.3). Where it is not, the
 * request has been answered 4.01 with a new Echo value, and the handler returns. */
COPAL_API COPAL_MUST_CHECK bool copal_request_is_fresh(copal_request *request, copal_time max_age);

/* --- Server: the reply ------------------------------------------------------------------------ */

/* Replies with a code and a body of any size: what does not fit one message goes in blocks (RFC 7959). A GET's handler
 * is then called for each block, and the block's bytes are taken from its body; give an ETag, or leave it to the
 * library, which hashes the body. What the other methods reply is kept, as far as config.body_size_max and bodies_size
 * permit. content_format may be COPAL_FORMAT_NONE. Where a body cannot be kept the reply becomes 5.00 and
 * COPAL_ERR_MESSAGE_SIZE is returned. */
COPAL_API copal_error copal_reply(copal_request *request, copal_code code, uint32_t content_format, const void *body,
                                  size_t body_size);

/* 2.05 with a text/plain body. */
COPAL_API copal_error copal_reply_text(copal_request *request, const char *text);

/* A code alone; an error gets its name as problem details. */
COPAL_API copal_error copal_reply_code(copal_request *request, copal_code code);

/* An error, with what is wrong in words as concise problem details (RFC 9290). detail may be NULL. */
COPAL_API copal_error copal_reply_problem(copal_request *request, copal_code code, const char *detail);

/* The reply for building by hand, options in any order: set its code. It is encoded in place, in the memory that keeps
 * it for duplicates. A payload is better set with copal_reply_body, which knows of blocks. Calling this or copal_reply
 * afterwards starts it anew. */
COPAL_API copal_message *copal_reply_message(copal_request *request);

/* Gives the reply that copal_reply_message began its body. COPAL_ERR_MESSAGE_SIZE as copal_reply. COPAL_ERR_TYPE: its
 * code is none of a response, and the reply is 5.00. */
COPAL_API copal_error copal_reply_body(copal_request *request, const void *body, size_t body_size);

/* The same with a body that is read in parts, as far as the client asks: read is called before this returns. size may
 * be COPAL_SIZE_UNKNOWN. Give the reply an ETag that changes with the body. COPAL_ERR_BODY_READ: the reply is 5.00.
 * Otherwise as copal_reply_body. */
COPAL_API copal_error copal_reply_reader(copal_request *request, uint64_t size, copal_reader *read, void *context);

/* Names a response that is owed. All zero names none. */
typedef struct copal_deferred {
  uint32_t index;
  uint32_t generation;
} copal_deferred;

/* Postpones the answer (of a body in parts, of its last): the endpoint sends the empty ACK in time
 * (parameters.ack_delay), and copal_deferred_reply sends the response, now or later, from anywhere on the endpoint's
 * thread. COPAL_ERR_DEFERRED_FULL: answer now, 5.03 say. COPAL_ERR_NOTIFICATION, COPAL_ERR_TYPE: not the last part. */
COPAL_API COPAL_MUST_CHECK copal_error copal_defer(copal_request *request, copal_deferred *deferred);

/* Answers a postponed request: piggybacked when the ACK has not gone yet, else as a separate response, confirmable if
 * the request was. Type and message ID are set here, and the token where response has none. A payload larger than a
 * block goes in blocks, and is kept for them.
 * COPAL_ERR_STALE: answered already. Otherwise as copal_send, and the response stays owed. */
COPAL_API COPAL_MUST_CHECK copal_error copal_deferred_reply(copal_endpoint *endpoint, copal_deferred deferred,
                                                            const copal_message *response);

/* Gives up the answer that is owed: the client gets nothing more, and its request's duplicates are acknowledged no
 * more than they were. COPAL_ERR_STALE: answered already. */
COPAL_API copal_error copal_deferred_drop(copal_endpoint *endpoint, copal_deferred deferred);

/* --- Client: calls ---------------------------------------------------------------------------- */

/* Names a call under way. All zero names none. */
typedef struct copal_call {
  uint32_t index;
  uint32_t generation;
} copal_call;

/* How a call stands when its handler is called. It lives for that call. */
typedef struct copal_result {
  copal_error error;        /* COPAL_OK: a response has come, whatever its code */
  const copal_rx *rx;       /* the response, of several exchanges the last; NULL with an error, and where the request's
                               No-Response option (RFC 7967) asks for none. It names no transmissions */
  copal_bytes body;         /* whole; empty when a writer has taken it */
  uint64_t body_size;       /* bytes of the whole body */
  copal_time began;         /* first transmission; COPAL_NEVER: there was none */
  copal_time asked;         /* that of the last request; COPAL_NEVER: there was none */
  uint32_t exchanges;       /* requests that it took */
  uint32_t transmissions;   /* of the last one */
  uint32_t retransmissions; /* of all of them */
  uint32_t blocks_out;      /* blocks of the request's body that were made, those that were made again included; 0: it
                               went in one message */
  uint32_t blocks_in;       /* blocks that the response's body came in; 0: it came in one message */
  bool acknowledged;        /* the last request had an empty ACK: its response comes separately, or was to */
  bool last;                /* the handler is not called again. Observations and groups: more may come */
  bool observed; /* the server keeps telling of changes, or, of one that has joined another, may yet say so */
} copal_result;

/* Told the result of a call: once, or, of an observation, at each change, and of a request to a group, at each answer,
 * until result->last: a group's time is over with COPAL_ERR_TIMEOUT. An error that is not the last says that one state
 * of what is observed could not be had. */
typedef void copal_call_handler(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);

/* What a call is to do. Begin with zeroes; message, remote and handler are needed. */
typedef struct copal_call_options {
  const copal_message *message; /* method, path, options; CON or NON. Its payload is the body, if read is NULL.
                                   Copied: it need not live on. With a Block option of its own it is one exchange,
                                   whose response is told as it is */
  const copal_address *remote;
  copal_call_handler *handler;
  void *context;
  copal_time timeout; /* of the whole, or of each state that is observed; 0 leaves each exchange its own
                         (EXCHANGE_LIFETIME) */

  copal_reader *read;  /* gives the request's body in parts, */
  uint64_t size;       /* of this size; may be COPAL_SIZE_UNKNOWN */
  copal_writer *write; /* takes a successful response's body in parts; NULL gathers it */
  void *body_context;  /* of read and write */
  void *buffer;        /* where the response's body is gathered when it comes in blocks, and how much may; */
  size_t capacity;     /* NULL and 0: a body in blocks is COPAL_ERR_BODY_SIZE */

  uint8_t ahead; /* blocks of a GET's response that may be asked for before those in front of them have come, up to 7
                    and within NSTART; the message is CON. Some servers then see requests for blocks behind the
                    last one, which they refuse */
  uint16_t block_size; /* 16 to 1,024 bytes, a power of two, which the server is told at once; 0 means 1,024, or what
                          a message holds, and leaves the response's to the server */
  bool observe;        /* RFC 7641; the method is GET or FETCH. Renewed by itself until copal_call_cancel; a renewal
                          without an answer ends it. One that is like another at this endpoint joins it */
  bool q_block;        /* RFC 9177 where the server offers it too: after the first request, which is confirmable, blocks
                          go ten at a time and non-confirmable. Not for observations, nor where size is unknown */
  bool no_token;       /* a token of zero bytes, where message has none, instead of a random one */
} copal_call_options;

/* Observations that ask the same of the same remote share one registration (RFC 7641 3.1): the options that make the
 * cache-key (RFC 7252 5.4.6) but ETag, the method and the body count; message type, token, timeouts and buffers do not.
 * A body that is given by read is compared by reading both. The first one has the server told. Who joins sends the same
 * request without Observe for his first state; should that fail, or be answered with an error, he is told so, and it is
 * not the last. Each notification after that is told to all, in the order in which they began; of one that comes in
 * blocks, each fetches the rest for himself. His first state has no number, so one notification that was overtaken by
 * it may be told later. What ends the registration, such as an error, a Reset, or the timeout of whoever began it, is
 * the end of all; copal_call_cancel ends one, and the next one keeps the registration. A handler may begin and cancel
 * any. */

/* Begins a call: sends the request, and whatever is needed after it, and calls handler with the result. It follows
 * Block1 and Block2 (RFC 7959), 4.01 with Echo (RFC 9175 2.3), 4.13 with a smaller block size, and separate responses.
 * From a group, responses are told as they are, and a body goes to it in one message.
 * Errors as copal_send, and COPAL_ERR_TYPE: message is no request, or none that can be observed, or the endpoint is
 * raw; COPAL_ERR_CALLS_FULL: config.calls_max are under way; COPAL_ERR_OPTION_VALUE: block_size; COPAL_ERR_BODY_READ;
 * COPAL_ERR_BODY_SIZE: it makes more blocks than 1,048,576.
 * COPAL_ERR_MESSAGE_SIZE: besides message's options there is no room for a block, or its payload is larger than what
 * keeps messages (a power of two, config.message_size_max or more): give it by read. call may be NULL. */
COPAL_API COPAL_MUST_CHECK copal_error copal_call_begin(copal_endpoint *endpoint, const copal_call_options *options,
                                                        copal_call *call);

/* Ends a call without a result; its handler is not called again. An observation's server learns of it, if no other
 * shares the registration: by a GET with Observe 1 if deregister is true, else by a Reset to its next notification.
 * COPAL_ERR_STALE: it is over. */
COPAL_API copal_error copal_call_cancel(copal_endpoint *endpoint, copal_call call, bool deregister);

/* --- Client: single exchanges ----------------------------------------------------------------- */

/* Called once with a request's response (error COPAL_OK), or with NULL and COPAL_ERR_TIMEOUT, _RESET, _UNREACHABLE or
 * _RESPONSE_REJECTED. A request to a group is answered many times, and COPAL_ERR_TIMEOUT then says that its time is
 * over. rx and what it points to live for the call. */
typedef void copal_response_handler(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                                    void *context);

/* Sends one request and calls handler with its response as it is, a block for instance; a call does more. Errors as
 * copal_send; COPAL_ERR_TYPE also when message is not a request. timeout bounds the whole of it; with COPAL_NEVER it is
 * EXCHANGE_LIFETIME (NON_LIFETIME) from the first transmission, which NSTART may delay. tx may be NULL. */
COPAL_API COPAL_MUST_CHECK copal_error copal_request_send(copal_endpoint *endpoint, const copal_message *message,
                                                          const copal_address *remote, copal_time timeout,
                                                          copal_response_handler *handler, void *context, copal_tx *tx);

/* Sends a CoAP ping, an empty CON, which its receiver answers with a Reset (RFC 7252 4.3): handler is called with
 * COPAL_ERR_RESET, which here is the good answer, or with COPAL_ERR_TIMEOUT or _UNREACHABLE. A peer that acknowledges
 * it instead is there too: COPAL_OK, and rx is NULL. */
COPAL_API COPAL_MUST_CHECK copal_error copal_ping_send(copal_endpoint *endpoint, const copal_address *remote,
                                                       copal_time timeout, copal_response_handler *handler,
                                                       void *context, copal_tx *tx);

/* --- Client: without state, RFC 8974 section 3 ------------------------------------------------- */

/* Called with a response to a request of copal_stateless_send, and the state that was sent with it. A response may come
 * twice: nothing is remembered that could tell. */
typedef void copal_stateless_handler(copal_endpoint *endpoint, copal_bytes state, const copal_rx *rx, void *context);

/* Sets who is told of such responses; NULL for nobody, as at first. */
COPAL_API void copal_stateless(copal_endpoint *endpoint, copal_stateless_handler *handler, void *context);

/* Sends a NON request whose token carries the client's state, authenticated: nothing is kept here, however many are
 * sent. Responses of the last NON_LIFETIME are accepted, from the address that was asked. The state travels in clear.
 * The token is 12 bytes longer than the state, so the server must know RFC 8974: a Reset from one that does not is
 * lost. Errors as copal_send; COPAL_ERR_TYPE: no NON request, a group, or a raw endpoint. COPAL_ERR_TOKEN_SIZE: message
 * has a token, or state is larger than 980 bytes. */
COPAL_API COPAL_MUST_CHECK copal_error copal_stateless_send(copal_endpoint *endpoint, const copal_message *message,
                                                            const copal_address *remote, copal_bytes state);

#ifdef __cplusplus
}
#endif
#endif
