/* Copal: CoAP (RFC 7252) in C. This header holds the contract, the endpoint and its records.
 *
 *   error.h    what can go wrong            message.h  bytes to message and back, pure functions
 *   uri.h      URIs and link format, pure   copal.h    the endpoint, sans-I/O
 *   rest.h     resources and requests on an endpoint
 *   net.h      an endpoint with sockets, a clock and entropy: what a program on a host begins with
 *
 * The contract, which holds for every function of the library:
 *
 * 1. Memory. An endpoint lives in one block, given at init, of the size that copal_endpoint_size computes from the
 *    limits in a copal_config. Nothing is allocated afterwards. So memory under flood is a constant, and every "full"
 *    has an answer, which stands with its limit: a local caller gets an error, a peer what its RFC says or silence, and
 *    a counter counts it.
 * 2. Bytes. What comes in is borrowed for the call. What goes out is valid until the next input or output. What is
 *    given for sending is copied; what describes a route is borrowed as long as the endpoint lives, a call's buffer
 *    until its last result. A message is encoded once and sent many times: again, or to all observers.
 * 3. Records. A transmission is named by a copal_tx, a call by a copal_call, an answer owed by a copal_deferred: an
 *    index and a generation. A stale one is detected, never followed.
 * 4. Errors. A programmer's error is an assert. A peer's error is counted, and answered or dropped as the RFC says;
 *    it never makes a call fail. A local limit or refusal is a negative COPAL_ERR_… that the function's comment lists.
 * 5. Time. copal_time is nanoseconds on a monotonic clock, passed in as `now` by whoever owns the clock; it never
 *    goes backwards. A call without `now` acts at the latest time that the endpoint was told; a hosted endpoint
 *    looks at its clock. COPAL_NEVER may be returned and compared, never added to.
 * 6. Entropy. A seed at init decides every message ID, token and jitter: same seed and inputs, same outputs, byte for
 *    byte. A secure host passes 32 bytes from its system.
 * 7. Threads. None inside, no lock, no mutable global. An endpoint belongs to one thread at a time.
 * 8. Callbacks. Handlers, of requests (those that output makes for observers, too), responses and results, are called
 *    with nothing half-updated beneath them: they may call any function of the library but those that pass datagrams
 *    through this same endpoint, which they are called from: input, output, unreachable; copal_process, copal_run,
 *    copal_call_wait, copal_exchange; nor close it (asserted). What is called in the midst of things, readers, writers,
 *    version and abandon functions, must leave the endpoint alone, and a trace function (net.h) only looks on.
 * 9. Batches. Datagrams go in and come out as arrays.
 * 10. Exactly once, bounded. A request is processed once for EXCHANGE_LIFETIME and its duplicates get the same reply.
 *    A duplicate is the same peer, message ID and bytes. When the memory for replies is full, the oldest replies to
 *    idempotent requests go first (RFC 7252 4.5 allows it); a request that is not idempotent is then answered 5.03, or
 *    on a raw endpoint dropped, rather than risk being executed twice. The last quarter of that memory is for addresses
 *    that are verified: others get 4.01 with Echo (RFC 9175), and are when they come again with its value. A body in
 *    blocks is processed once, when it is whole, or each of its parts once; who asks for more blocks of a reply does
 * not execute a request again, but a GET, or a FETCH that comes with its payload. */
#ifndef COPAL_H
#define COPAL_H

#include "copal/error.h"
#include "copal/message.h"
#include "copal/uri.h"

#ifdef __cplusplus
extern "C" {
#endif

#define COPAL_VERSION "0.1.0"

/* The version of the library that is linked, as "0.1.0". */
COPAL_API const char *copal_version(void);

/* --- Time ------------------------------------------------------------------------------------- */

typedef uint64_t copal_time; /* nanoseconds */

#define COPAL_NEVER UINT64_MAX
#define COPAL_MICROSECOND ((copal_time)1000)
#define COPAL_MILLISECOND ((copal_time)1000000)
#define COPAL_SECOND ((copal_time)1000000000)

/* --- Addresses -------------------------------------------------------------------------------- */

/* What kind of address it is; NONE is no address. */
typedef enum copal_family { COPAL_FAMILY_NONE, COPAL_FAMILY_IPV4, COPAL_FAMILY_IPV6, COPAL_FAMILY_UNIX } copal_family;

/* A transport address as bytes; nothing is ever resolved from it. Unused bytes are zero, so that addresses compare as
 * memory. A UNIX address is a number that net.h gives to a socket's name. */
typedef struct copal_address {
  uint8_t bytes[16]; /* network order; IPv4 in the first 4 */
  uint32_t scope;    /* IPv6: interface index of a link-local address, else 0 */
  uint16_t port;     /* host order */
  uint16_t family;   /* copal_family */
} copal_address;

/* Between whom a datagram travels. local is the address that it came to, or shall leave from; family NONE leaves the
 * choice to the socket. socket numbers the host's sockets, 0 the primary one. */
typedef struct copal_path {
  copal_address remote;
  copal_address local;
  uint32_t socket;
} copal_path;

/* Whether an address is a group: IPv4 224/4, IPv6 ff00::/8; false for anything that is not an IP address. It looks at
 * bytes and resolves nothing. */
COPAL_API bool copal_address_is_multicast(const copal_address *address);

/* Whether two addresses are the same, family, port and scope included. */
COPAL_API bool copal_address_equal(const copal_address *a, const copal_address *b);

/* One datagram on its way in or out. data is borrowed: see the contract, 2. */
typedef struct copal_datagram {
  const uint8_t *data;
  size_t size;
  copal_path path;
} copal_datagram;

/* --- Configuration ---------------------------------------------------------------------------- */

/* Transmission parameters, RFC 7252 section 4.8, with their defaults. The times derived from them (4.8.2) follow. */
typedef struct copal_parameters {
  copal_time ack_timeout;       /* ACK_TIMEOUT, 2 s; from 1 us; back-off stays below 71 minutes */
  copal_time max_latency;       /* MAX_LATENCY, 100 s */
  copal_time leisure;           /* DEFAULT_LEISURE, 5 s; 0 answers a group at once */
  copal_time ack_delay;         /* how long a deferred response may still be piggybacked, 500 ms */
  uint32_t ack_random_permille; /* ACK_RANDOM_FACTOR in thousandths, 1500; 1000 to 4000 */
  uint32_t probing_rate;        /* PROBING_RATE, bytes per second, 1; 0 switches the limit off */
  uint8_t max_retransmit;       /* MAX_RETRANSMIT, 4; at most 10 */
  uint8_t nstart;               /* NSTART, 1; at least 1 */
} copal_parameters;

/* The times that follow from the parameters: MAX_TRANSMIT_SPAN, EXCHANGE_LIFETIME, NON_LIFETIME (4.8.2). */
COPAL_API copal_time copal_max_transmit_span(const copal_parameters *parameters);
COPAL_API copal_time copal_exchange_lifetime(const copal_parameters *parameters);
COPAL_API copal_time copal_non_lifetime(const copal_parameters *parameters);

/* An endpoint's limits, and what happens at each. All memory follows from them: copal_endpoint_size adds it up. */
typedef struct copal_config {
  /* Peers remembered; the least recently used idle one makes room. When all are busy, others are not listened to, and
   * what is sent to others is COPAL_ERR_PEERS_FULL. */
  uint32_t peers_max;
  /* Messages of ours in flight, queued, or kept for their lifetime on a raw endpoint: COPAL_ERR_EXCHANGES_FULL. When
   * a quarter is in use, groups are not answered; when three quarters are, notifications wait. */
  uint32_t exchanges_max;
  /* The largest datagram to send (COPAL_ERR_MESSAGE_SIZE) or accept (4.13, or a Reset); 64 to 65,507 bytes. */
  uint32_t message_size_max;
  /* Bytes for the messages of these exchanges, of which each takes a power of two, 32 or more:
   * COPAL_ERR_MESSAGES_FULL. What observers were sent last is there, too, in half of it at most. */
  uint32_t messages_size;
  /* Bytes for replies kept for duplicates, safe and unsafe requests having half each: the contract, 10. */
  uint32_t replies_size;
  /* Replies to unsafe requests remembered for one peer, at most 65,535; above, it gets 5.03. */
  uint32_t peer_replies_max;
  /* Replies that may wait for one output: the largest batch that goes in at once. More are dropped; the reply to a CON
   * is given when that comes again. */
  uint32_t outbox_max;
  /* Responses owed later (copal_defer: COPAL_ERR_DEFERRED_FULL); and beside them as many that wait for their addresses
   * to be verified, and as many such addresses: above, 4.01 with Echo at once. */
  uint32_t deferred_max;
  /* ACKs and RSTs kept with their transmissions (copal_tx_response); more are not. */
  uint32_t receptions_max;
  /* Calls of copal_route, and twice as many distinct path segments: COPAL_ERR_ROUTES_FULL. */
  uint32_t routes_max;

  /* The largest body gathered from blocks or kept to be given in blocks, at most 1 MiB: above, a request gets 4.13, and
   * a reply that must be kept, to another method than GET, becomes 5.00. What goes and comes in parts has no limit. */
  uint32_t body_size_max;
  /* Bytes for these bodies, of which each takes a power of two. The oldest replies that are kept make room, and for a
   * verified address the oldest uploads of those that are not; when there are none, a request gets 5.03, and a reply
   * that must be kept becomes 5.00. To an address that is not verified it is 4.01 with Echo instead of 5.03. */
  uint32_t bodies_size;
  /* Such bodies, and bodies in parts, under way with all peers: likewise. 0 does without Q-Block (RFC 9177), too. */
  uint32_t transfers_max;
  /* And with one peer: above, its oldest makes room. */
  uint32_t peer_transfers_max;
  /* Calls and observations of ours (copal_call_begin): COPAL_ERR_CALLS_FULL. */
  uint32_t calls_max;
  /* Resources that are observed, each variant (query, Accept) for itself; their observers; and those of one peer, at
   * most 255. Above, and when three quarters of the peers observe, a response lacks Observe (RFC 7641 4.1), and the
   * address is verified if it is not; when it is, an observer that is not makes room. */
  uint32_t observed_max;
  uint32_t observers_max;
  uint32_t peer_observers_max;
  /* Requests a second that one peer may send, at most 1,000: above, 4.29. 0 for no limit. */
  uint32_t peer_rate;
  /* Replies to an address that is not verified are at most this many times its request, or 136 bytes (RFC 9175 2.4); 0
   * for no limit. A larger one waits until the client has answered two pings with a Reset, as every client must, and is
   * 4.01 with an Echo option if it does not. A raw endpoint leaves this to its application. */
  uint32_t amplification_max;
  bool raw; /* hand out every request and response and leave the acknowledging to the application */
  copal_parameters parameters;
} copal_config;

/* Limits for a program on a host: 65,536 exchanges and peers, 144 MiB reserved and little of it touched. */
COPAL_API copal_config copal_config_default(void);

/* Limits for a microcontroller: 8 exchanges, 4 peers, messages of up to 256 bytes; less than 16 KiB. */
COPAL_API copal_config copal_config_small(void);

/* --- Endpoint --------------------------------------------------------------------------------- */

/* An endpoint: one party of CoAP exchanges (RFC 7252 1.2), with all its state. Opaque. */
typedef struct copal_endpoint copal_endpoint;

/* What an endpoint with these limits needs, in bytes; 0 when they contradict each other. */
COPAL_API size_t copal_endpoint_size(const copal_config *config);

/* Makes an endpoint in memory, which is zeroed or fresh from the system, aligned to 8 bytes, and stays the endpoint's
 * until the program reuses it: there is nothing to release. seed is 32 bytes.
 * NULL when the limits contradict each other or size is too small. */
COPAL_API copal_endpoint *copal_endpoint_init(void *memory, size_t size, const copal_config *config,
                                              const uint8_t seed[32], copal_time now);

/* Takes datagrams in. Returns how many were taken: it stops behind one that brings an event, which borrows its bytes.
 * So after each call take events with copal_endpoint_event until there is none, then pass in the rest. */
COPAL_API size_t copal_endpoint_input(copal_endpoint *endpoint, copal_time now, const copal_datagram *datagrams,
                                      size_t count);

/* Gives out datagrams that are due, at most count_max; fewer means that no more are, or that config.outbox_max replies
 * went: the deadline tells. Their bytes are valid until the next input or output. Gives up on what got no answer:
 * response handlers may be called. Resources that were notified of are made: their handlers may be called; what these
 * notify of waits for the next output. */
COPAL_API size_t copal_endpoint_output(copal_endpoint *endpoint, copal_time now, copal_datagram *datagrams,
                                       size_t count_max);

/* When output is to be called next: never later than anything is due, `0` where something is due already, COPAL_NEVER
 * when nothing waits. May be early after a cancellation, which costs one idle call. */
COPAL_API copal_time copal_endpoint_deadline(const copal_endpoint *endpoint);

/* Tells the endpoint that a datagram could not be delivered, such as by an ICMP error or a failed send. datagram is
 * what was sent, or the part of it that the error quotes (RFC 7252 4.2: message ID and token are checked). */
COPAL_API void copal_endpoint_unreachable(copal_endpoint *endpoint, copal_time now, const copal_path *path,
                                          const void *datagram, size_t size);

/* --- Records ---------------------------------------------------------------------------------- */

/* Names a transmission. All zero names none. */
typedef struct copal_tx {
  uint32_t index;
  uint32_t generation;
} copal_tx;

/* Whether a handle names no transmission, and whether two name the same one; none is the same as nothing. */
static inline bool copal_tx_none(copal_tx tx) { return tx.generation == 0; }
static inline bool copal_same_tx(copal_tx a, copal_tx b) {
  return a.generation != 0 && a.index == b.index && a.generation == b.generation;
}

/* A message that was received. It may be copied and kept; message lives only until the next input (or
 * copal_process). */
typedef struct copal_rx {
  copal_endpoint *endpoint;
  copal_view message;
  copal_path path;      /* remote: who sent it */
  copal_time time;      /* when it came */
  copal_tx pertains_to; /* ACK and RST: the transmission that it answers, by remote and message ID */
  copal_tx request;     /* a response: the transmission that its token answers, piggybacked or separate */
  uint64_t memory;      /* where the answer is kept for duplicates; for the library */
  uint8_t type;
  bool multicast;     /* it came to a group */
  bool has_responded; /* whether it has had its ACK or RST; true from the start where none is owed */
} copal_rx;

/* Which of its two kinds an event is of. */
typedef enum copal_event_kind { COPAL_EVENT_MESSAGE, COPAL_EVENT_FAILED } copal_event_kind;

/* What an endpoint has to tell: a message (raw endpoints, and responses to copal_send), or a transmission that ended
 * without one: error is COPAL_ERR_TIMEOUT, _RESET, _UNREACHABLE or _RESPONSE_REJECTED. (A raw
 * endpoint gives the Reset itself, as a message.) */
typedef struct copal_event {
  copal_event_kind kind;
  copal_error error;
  copal_tx tx;
  copal_rx rx;
} copal_event;

/* Takes the next event; false when there is none. */
COPAL_API bool copal_endpoint_event(copal_endpoint *endpoint, copal_event *event);

/* Queues a message for remote; the next output transmits it. It is packed at this moment: later edits of message
 * change nothing. The message ID is chosen here, and a token for a request that has none.
 * type must be CON or NON. tx may be NULL; of what is no request no record is kept then, and its ACK is not handed out.
 * COPAL_ERR_TYPE: not CON or NON. COPAL_ERR_MULTICAST_CON: send it as NON. COPAL_ERR_MESSAGE_SIZE: make it smaller.
 * COPAL_ERR_EXCHANGES_FULL, _MESSAGES_FULL, _PEERS_FULL: process, then try again. COPAL_ERR_ADDRESS:
 * remote has no family. COPAL_ERR_MESSAGE_IDS_SPENT: this peer had as many messages as there are IDs (61,440, a group
 * 4,096) within their lifetime; wait.
 * COPAL_ERR_TOKEN_IN_USE: choose another token. COPAL_ERR_EMPTY_NOT_EMPTY: code 0.00 with a token, options or payload.
 * A latched error of message is returned as it is. */
COPAL_API COPAL_MUST_CHECK copal_error copal_send(copal_endpoint *endpoint, const copal_message *message,
                                                  const copal_address *remote, copal_tx *tx);

/* As copal_send, along a path: from a given local address and socket. */
COPAL_API COPAL_MUST_CHECK copal_error copal_send_path(copal_endpoint *endpoint, const copal_message *message,
                                                       const copal_path *path, copal_tx *tx);

/* Acknowledges a confirmable message; with response (type and message ID are set here, and the token where it has
 * none, while rx->message lives), piggybacked.
 * COPAL_ERR_RESPONDED: it had its answer. COPAL_ERR_TYPE: not a CON, or response is none. COPAL_ERR_MESSAGE_SIZE.
 * COPAL_ERR_MESSAGES_FULL: process, then try again. */
COPAL_API COPAL_MUST_CHECK copal_error copal_ack(copal_rx *rx, const copal_message *response);

/* Rejects a CON or NON message. COPAL_ERR_RESPONDED, COPAL_ERR_TYPE: it is an ACK or RST, or came by multicast.
 * COPAL_ERR_MESSAGES_FULL: process, then try again. */
COPAL_API COPAL_MUST_CHECK copal_error copal_reset(copal_rx *rx);

/* Sends a separate response, CON or NON, along the path on which the request came, with its token where response has
 * none (while rx->message lives). The request's ACK is not implied. Errors as copal_send; COPAL_ERR_TYPE also where
 * response's code is none of a response. */
COPAL_API COPAL_MUST_CHECK copal_error copal_respond(copal_rx *rx, const copal_message *response, copal_tx *tx);

/* Stops a transmission and forgets it; what comes for it later matches nothing. COPAL_ERR_STALE: it is gone already. */
COPAL_API copal_error copal_cancel(copal_endpoint *endpoint, copal_tx tx);

/* Where a transmission stands. */
typedef enum copal_tx_state {
  COPAL_TX_QUEUED,         /* not transmitted yet: the next output does, or NSTART makes it wait */
  COPAL_TX_WAITING,        /* transmitted; retransmissions are left */
  COPAL_TX_LAST_WAIT,      /* no transmissions left; an answer may still come in time */
  COPAL_TX_UNACKNOWLEDGED, /* given up */
  COPAL_TX_ANSWERED,       /* acknowledged, reset, or (NON) over */
  COPAL_TX_UNREACHED,      /* ended by an ICMP or a local error */
  COPAL_TX_REJECTED        /* its response had a critical option that is not understood, or is too large */
} copal_tx_state;

/* What is known of a transmission, as it stood when copal_tx_get was called. */
typedef struct copal_tx_info {
  copal_endpoint *endpoint;
  copal_path path;
  copal_bytes packed;           /* the octets, the same at every retransmission; valid until the next call */
  copal_time transmission_time; /* of the first transmission; COPAL_NEVER before */
  copal_time last_event_time;   /* last transmission or reply; COPAL_NEVER before */
  copal_time next_event_time;   /* at send: then; next retransmission or end of the last wait; COPAL_NEVER: none */
  uint16_t message_id;
  uint8_t type;
  uint8_t state; /* copal_tx_state */
  uint8_t transmissions_left;
  uint8_t transmissions;   /* made so far */
  uint8_t responses_count; /* ACKs and RSTs that came, kept or not; at most 255 */
  int8_t response_type;    /* COPAL_NON: none is needed; COPAL_ACK, COPAL_RST; -1 while a CON waits */
  bool is_unacknowledged;
  bool has_response; /* a request: its response has come */
} copal_tx_info;

/* COPAL_ERR_STALE: the record's lifetime is over (EXCHANGE_LIFETIME, NON_LIFETIME), or it was cancelled. */
COPAL_API COPAL_MUST_CHECK copal_error copal_tx_get(const copal_endpoint *endpoint, copal_tx tx, copal_tx_info *info);

/* The index-th ACK or RST that pertains to a transmission, as a reception record whose message lives as long as the
 * transmission. Kept are 8 for a transmission, and config.receptions_max over all of them.
 * COPAL_ERR_STALE as copal_tx_get; COPAL_ERR_NOT_FOUND: no such reply, or no room was left to keep it. */
COPAL_API COPAL_MUST_CHECK copal_error copal_tx_response(const copal_endpoint *endpoint, copal_tx tx, unsigned index,
                                                         copal_rx *rx);

/* --- Counters --------------------------------------------------------------------------------- */

/* X(name, what it counts) */
#define COPAL_COUNTERS(X)                                                   \
  X(datagrams_in, "datagrams taken in")                                     \
  X(datagrams_out, "datagrams given out")                                   \
  X(malformed, "datagrams with a format error")                             \
  X(rejected, "messages answered with Reset")                               \
  X(ignored, "messages dropped in silence")                                 \
  X(duplicates, "duplicates not processed again")                           \
  X(repeated, "replies given again to duplicates")                          \
  X(requests, "requests processed")                                         \
  X(responses, "responses matched to a request")                            \
  X(retransmissions, "messages sent again")                                 \
  X(given_up, "confirmable messages given up")                              \
  X(resets, "Resets received for a message of ours")                        \
  X(unreachable, "messages ended by an ICMP or local error")                \
  X(peers_evicted, "idle peers that made room")                             \
  X(peers_full, "messages dropped because every peer was busy")             \
  X(replies_evicted, "remembered replies that made room before their time") \
  X(replies_full, "requests refused because no reply could be remembered")  \
  X(outbox_full, "replies dropped because the outbox was full")             \
  X(receptions_full, "ACKs and RSTs not kept with their transmission")      \
  X(transfers_evicted, "bodies in blocks that made room before their time") \
  X(transfers_full, "bodies in blocks refused for want of room")            \
  X(observers_full, "observations refused for want of room")                \
  X(observers_gone, "observers that no longer answered")                    \
  X(notifications, "notifications sent")                                    \
  X(rate_limited, "requests answered 4.29")                                 \
  X(verified, "addresses verified")                                         \
  X(held, "answers that waited for an address to be verified")              \
  X(unverified, "answers held back from addresses that did not verify")     \
  X(challenged, "requests asked for again with Echo for want of room")

#define COPAL_COUNTER_FIELD(name, text) uint64_t name;
typedef struct copal_counters {
  COPAL_COUNTERS(COPAL_COUNTER_FIELD)
} copal_counters;
#undef COPAL_COUNTER_FIELD

/* The counters, which only grow. They live as long as the endpoint, and keep counting. */
COPAL_API const copal_counters *copal_endpoint_counters(const copal_endpoint *endpoint);

/* X(name, what is in it): the tables, each with a limit in the configuration. */
#define COPAL_TABLES(X)                                        \
  X(peers, "peers remembered")                                 \
  X(exchanges, "messages of ours in flight, queued, or kept")  \
  X(messages_size, "bytes taken from config.messages_size")    \
  X(replies, "replies remembered for duplicates")              \
  X(replies_size, "bytes of these, entries included")          \
  X(deferred, "responses owed")                                \
  X(receptions, "ACKs and RSTs kept with their transmissions") \
  X(transfers, "bodies in blocks under way, or kept")          \
  X(bodies_size, "bytes taken from config.bodies_size")        \
  X(calls, "calls and observations of ours")                   \
  X(observed, "resources observed")                            \
  X(observers, "their observers")

/* How full the tables are, or how full they may be. */
#define COPAL_TABLE_FIELD(name, text) uint32_t name;
typedef struct copal_usage {
  COPAL_TABLES(COPAL_TABLE_FIELD)
} copal_usage;
#undef COPAL_TABLE_FIELD

/* How full the tables are now. */
COPAL_API copal_usage copal_endpoint_usage(const copal_endpoint *endpoint);

/* All that there is to know of how an endpoint does, or several together do. */
typedef struct copal_stats {
  copal_counters counters;
  copal_usage usage;
  copal_usage limits;
} copal_stats;

/* How an endpoint does now. It must not be in use by another thread. */
COPAL_API copal_stats copal_endpoint_stats(const copal_endpoint *endpoint);

/* Adds another endpoint's figures to a sum. One that is too large for its field is the largest that it holds. */
COPAL_API void copal_stats_add(copal_stats *sum, const copal_stats *other);

/* Room for all figures as text, NUL included. */
#define COPAL_STATS_TEXT_MAX 6144

/* A page of them for people, a line each: the figure, of a table its limit, and what it is, as in
 * "        12  requests: requests processed". Returns the length. */
COPAL_API size_t copal_stats_text(const copal_stats *stats, char *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
