/* An endpoint on a host: sockets, clock and entropy of its own, datagrams in batches. Linux.
 *
 *   static void hello(copal_request *request, void *context) { copal_reply_text(request, "hello"); }
 *
 *   int main(void) {
 *     copal_endpoint *endpoint = copal_open("coap://[::]", NULL);
 *     copal_route(endpoint, COPAL_GET, "/hello", hello, NULL);
 *     return copal_run(endpoint);
 *   }
 *
 * Functions here take an endpoint from copal_open; a bare one gets COPAL_ERR_NOT_HOSTED. An endpoint of NULL, such as
 * from a failed copal_open, gets it too, so that a program may check once. */
#ifndef COPAL_NET_H
#define COPAL_NET_H

#include "copal/copal.h"
#include "copal/rest.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a trace function is told of. */
typedef enum copal_trace_kind {
  COPAL_TRACE_SENT,     /* a datagram that was given to the system, again or for the first time */
  COPAL_TRACE_RECEIVED, /* a datagram, before the endpoint looks at it */
  COPAL_TRACE_DECIDED   /* what the endpoint made of a datagram, which counters tells: the one that it received, or the
                           one (or its beginning) that could not be delivered; an empty one where time has passed */
} copal_trace_kind;

/* What a trace function sees. */
typedef struct copal_trace {
  copal_time time;
  copal_datagram datagram;
  const copal_counters *counters; /* the endpoint's, as they are now */
  copal_trace_kind kind;
} copal_trace;

/* Looks on at what is sent, received and decided. Of the endpoint it may call nothing but copal_address_text and
 * copal_local_address. Where there is one, datagrams are received one by one, so that each is followed by what was
 * decided of it. */
typedef void copal_trace_function(const copal_trace *trace, void *context);

/* What copal_open may be told; begin with copal_open_defaults. */
typedef struct copal_open_options {
  copal_config config;
  const uint8_t *seed; /* 32 bytes; NULL takes them from the system */
  uint32_t batch;      /* datagrams a system call, 1 to 256; 32 */
  bool reuse_port;     /* SO_REUSEPORT: several endpoints share the port, one a thread */
  bool primary_source; /* answer from the primary socket whatever the request came to (coapy's rule) */
  bool segments; /* gives the kernel datagrams of one size to one peer as one (UDP_SEGMENT), which captures on this
                    host then show; true */
  copal_trace_function *trace;
  void *trace_context;
  copal_error error; /* set by a failing copal_open */
} copal_open_options;

/* The defaults: copal_config_default(), a batch of 32, segments. */
COPAL_API copal_open_options copal_open_defaults(void);

/* Opens an endpoint: "coap://[::]:5683" or "coap://[::]" binds to that address and port (dual-stack), "coap://0.0.0.0",
 * "coap://127.0.0.1:0" (a free port), "coap+unix://%2Frun%2Fcopal" (a datagram socket of that name, which knows its 256
 * latest peers; "%00" begins an abstract one, and alone leaves the choice to the system). NULL binds nothing: a
 * client's endpoint over IPv4 and IPv6. options may be NULL. NULL on failure: options->error says why (COPAL_ERR_URI_…,
 * _RESOLVE, _INTERFACE, _SOCKET, _BIND, _CONFIG, _MEMORY); where a system call failed, errno too. */
COPAL_API copal_endpoint *copal_open(const char *uri, copal_open_options *options);

/* As copal_open with a datagram socket that the program made; it is set non-blocking and closed with the endpoint. */
COPAL_API copal_endpoint *copal_open_fd(int fd, copal_open_options *options);

/* Closes sockets and gives the memory back. NULL is fine. Not from a handler: there, copal_stop. */
COPAL_API void copal_close(copal_endpoint *endpoint);

/* Does all sending, resending and receiving until a message comes for the application, or timeout (ns) is over;
 * COPAL_NEVER has no limit, 0 polls once and sends a batch of what is due: copal_timeout is 0 where more is. At least
 * one pass is always made. rx may be NULL on an endpoint that is not raw; then it returns only at the timeout. How a
 * transmission failed is told by copal_tx_get. Returns 1 and fills rx for a message, 0 for a timeout,
 * COPAL_ERR_INTERRUPTED after copal_wake or a signal, COPAL_ERR_SOCKET when a system call fails that should not. */
COPAL_API COPAL_MUST_CHECK int copal_process(copal_endpoint *endpoint, copal_time timeout, copal_rx *rx);

/* Serves until copal_stop. Messages and failures for copal_send's records are dropped (copal_tx_get still tells how
 * they stand), so it is for endpoints with resources and requests. Returns 0, or the error that ended it: fit for
 * main's return. */
COPAL_API int copal_run(copal_endpoint *endpoint);

/* Makes copal_run return after the pass it is in: what that one took in has been answered then, and all that was due
 * has been sent. What is owed (copal_usage.deferred) and not acknowledged yet (copal_usage.exchanges) is left: who
 * wants it to be done with first goes on with copal_process. From any thread, and from signal handlers. */
COPAL_API void copal_stop(copal_endpoint *endpoint);

/* Makes copal_process return COPAL_ERR_INTERRUPTED, now or when it is called next. From any thread, and from signal
 * handlers. */
COPAL_API void copal_wake(copal_endpoint *endpoint);

/* For somebody else's event loop: readable when something came. copal_process(endpoint, 0, …) has something to do then,
 * and when copal_timeout is over. It is an epoll, made by the first call, which costs a little for each datagram from
 * then on: a loop that polls does better with copal_fds. -1 when it cannot be made; errno says why. */
COPAL_API int copal_fd(const copal_endpoint *endpoint);

/* The primary socket, 15 others at most, and the wakeup. */
#define COPAL_FDS_MAX 17

/* For an event loop that polls: what copal_fd stands for, all to be polled for reading. Returns how many there are.
 * copal_register, copal_unregister and copal_join change them. */
COPAL_API size_t copal_fds(const copal_endpoint *endpoint, int fds[COPAL_FDS_MAX]);

/* For somebody else's event loop: how long it may sleep before it calls copal_process(endpoint, 0, …), in ns. */
COPAL_API copal_time copal_timeout(const copal_endpoint *endpoint);

/* The primary socket. */
COPAL_API int copal_socket(const copal_endpoint *endpoint);

/* The address that the primary socket is bound to; port 0 when it is not. COPAL_ERR_SOCKET. */
COPAL_API COPAL_MUST_CHECK copal_error copal_local_address(const copal_endpoint *endpoint, copal_address *address);

/* Adds a datagram socket to receive from; it is set non-blocking and stays the program's, which unregisters it before
 * it closes it. Twice is once. COPAL_ERR_SOCKETS_FULL: 16 are the limit. COPAL_ERR_SOCKET: no datagram socket. */
COPAL_API COPAL_MUST_CHECK copal_error copal_register(copal_endpoint *endpoint, int fd);

/* Takes a registered socket out; it is not closed. COPAL_ERR_NOT_FOUND: not registered, or the primary socket. */
COPAL_API COPAL_MUST_CHECK copal_error copal_unregister(copal_endpoint *endpoint, int fd);

/* Joins a group, such as 224.0.1.187 or ff02::fd, on the named interface (NULL: the system's choice) with the primary
 * socket, or with one made for it where the primary's family or address cannot receive for that group.
 * COPAL_ERR_ADDRESS: not a group. COPAL_ERR_INTERFACE, COPAL_ERR_SOCKET, COPAL_ERR_BIND, COPAL_ERR_SOCKETS_FULL. */
COPAL_API COPAL_MUST_CHECK copal_error copal_join(copal_endpoint *endpoint, const char *group, const char *interface);

/* Sets by which interface packets to groups leave. COPAL_ERR_INTERFACE, COPAL_ERR_SOCKET. */
COPAL_API COPAL_MUST_CHECK copal_error copal_multicast_interface(copal_endpoint *endpoint, const char *interface);

/* The monotonic clock that a hosted endpoint runs on. */
COPAL_API copal_time copal_now(void);

/* --- Addresses as text ------------------------------------------------------------------------ */

/* Room for any address as text, NUL included. */
#define COPAL_ADDRESS_TEXT_MAX 160

/* "192.0.2.1:5683", "[fe80::1%eth0]:5683", "unix:/run/copal". Returns the length. */
COPAL_API size_t copal_address_text(const copal_endpoint *endpoint, const copal_address *address, char *buffer,
                                    size_t capacity);

/* From an IP literal, "192.0.2.1" or "fe80::1%eth0", without a lookup. COPAL_ERR_ADDRESS, COPAL_ERR_INTERFACE. */
COPAL_API COPAL_MUST_CHECK copal_error copal_address_parse(const char *text, uint16_t port, copal_address *address);

/* From a URI, looking its host up (this blocks). endpoint is needed for coap+unix only.
 * COPAL_ERR_URI_…, COPAL_ERR_RESOLVE, COPAL_ERR_INTERFACE, COPAL_ERR_NOT_HOSTED. */
COPAL_API COPAL_MUST_CHECK copal_error copal_resolve(copal_endpoint *endpoint, const copal_uri *uri,
                                                     copal_address *address);

/* --- Client by URI, blocking ------------------------------------------------------------------ */

/* The largest body that a response holds, bytes. */
#define COPAL_RESPONSE_BODY_MAX 65536

/* A response with its bytes. message and payload point into it: pass it on by pointer, not by copy. It is 67 KiB, so
 * that there is nothing to give back: where a stack is small, make it static. */
typedef struct copal_response {
  copal_view message;     /* of a body in blocks, options as in the last one, payload the whole */
  const uint8_t *payload; /* followed by a NUL that payload_size does not count, but in a buffer of the caller's own;
                             empty where a writer took it */
  size_t payload_size;
  uint64_t body_size;      /* as payload_size, or what a writer took */
  uint32_t content_format; /* COPAL_FORMAT_NONE where there is none */
  copal_path path;
  copal_time round_trip; /* from the first transmission to the last of the response */
  uint32_t exchanges;    /* requests that it took */
  uint8_t code;
  uint8_t transmissions; /* of the last one */
  uint8_t head[1500];
  uint8_t body[COPAL_RESPONSE_BODY_MAX + 1];
} copal_response;

/* Sends one request on an endpoint of its own and waits. Bodies of any size go to the server in blocks; one of up to
 * COPAL_RESPONSE_BODY_MAX comes back. Returns 0 for any response (look at its code), or COPAL_ERR_TIMEOUT, _RESET,
 * _UNREACHABLE, _RESPONSE_REJECTED, _URI_…, _RESOLVE, _INTERFACE, _SOCKET, _MEMORY, _MULTICAST_CON, _MESSAGE_SIZE (of
 * the URI), _BODY_SIZE, _BODY_CHANGED, _BODY_BLOCKS. */
COPAL_API COPAL_MUST_CHECK copal_error copal_get(const char *uri, copal_response *response);
COPAL_API COPAL_MUST_CHECK copal_error copal_delete(const char *uri, copal_response *response);
COPAL_API COPAL_MUST_CHECK copal_error copal_put(const char *uri, uint32_t content_format, const void *payload,
                                                 size_t payload_size, copal_response *response);
COPAL_API COPAL_MUST_CHECK copal_error copal_post(const char *uri, uint32_t content_format, const void *payload,
                                                  size_t payload_size, copal_response *response);

/* As copal_get with a body of any size, which write takes in parts when the response is a success.
 * COPAL_ERR_BODY_WRITE: write gave up. */
COPAL_API COPAL_MUST_CHECK copal_error copal_download(const char *uri, copal_writer *write, void *context,
                                                      copal_response *response);

/* As copal_put (or with COPAL_POST, … as method) with a body that read gives in parts. size may be COPAL_SIZE_UNKNOWN.
 * COPAL_ERR_BODY_READ: read failed. */
COPAL_API COPAL_MUST_CHECK copal_error copal_upload(copal_code method, const char *uri, uint32_t content_format,
                                                    copal_reader *read, uint64_t size, void *context,
                                                    copal_response *response);

/* Makes a call on this endpoint and waits for its result (from a group, the first), serving the endpoint meanwhile;
 * messages for copal_send's records are dropped as with a copal_process without rx. handler and context of options are
 * not used, and where buffer is NULL the body is gathered in response. message's payload may be of any size. Where no
 * response was asked for, response's code is COPAL_EMPTY. COPAL_ERR_TYPE on a raw endpoint, and for an observation.
 * Errors as copal_call_begin and copal_get, COPAL_ERR_BODY_READ, _BODY_WRITE, and COPAL_ERR_INTERRUPTED. */
COPAL_API COPAL_MUST_CHECK copal_error copal_call_wait(copal_endpoint *endpoint, const copal_call_options *options,
                                                       copal_response *response);

/* copal_call_wait for a message, a remote and a timeout (COPAL_NEVER leaves EXCHANGE_LIFETIME to each exchange). */
COPAL_API COPAL_MUST_CHECK copal_error copal_exchange(copal_endpoint *endpoint, const copal_message *message,
                                                      const copal_address *remote, copal_time timeout,
                                                      copal_response *response);

#ifdef __cplusplus
}
#endif
#endif
