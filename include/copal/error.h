/* Errors: one list makes the enum, the names, the texts and the documentation.
 *
 * Three kinds are never mixed (see the contract in copal.h). A programmer's error is an assert. A peer's error is
 * counted and answered or dropped as the RFC says; only the decoder returns it, to whoever asked it to decode. A local
 * limit or refusal is a negative value that the function's comment lists. */
#ifndef COPAL_ERROR_H
#define COPAL_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COPAL_MUST_CHECK __attribute__((warn_unused_result))
#define COPAL_API __attribute__((visibility("default")))
#else
#define COPAL_MUST_CHECK
#define COPAL_API
#endif

/* X(name, value, text). Values are part of the ABI: append, never renumber. */
#define COPAL_ERRORS(X)                                                                                      \
  /* What is wrong with a datagram: RFC 7252 section 3, RFC 8974 section 2.1. */                             \
  X(DATAGRAM_SHORT, -1, "datagram shorter than the 4-byte header")                                           \
  X(VERSION, -2, "version is not 1")                                                                         \
  X(TOKEN_RESERVED, -3, "token length 15 is reserved")                                                       \
  X(TOKEN_LENGTH_CUT, -4, "extended token length cut off by the end of the datagram")                        \
  X(TOKEN_CUT, -5, "token runs past the end of the datagram")                                                \
  X(OPTION_DELTA_RESERVED, -6, "option delta 15 is reserved")                                                \
  X(OPTION_LENGTH_RESERVED, -7, "option length 15 is reserved")                                              \
  X(OPTION_HEADER_CUT, -8, "extended option delta or length cut off by the end of the datagram")             \
  X(OPTION_NUMBER_RANGE, -9, "option number above 65535")                                                    \
  X(OPTION_VALUE_CUT, -10, "option value runs past the end of the datagram")                                 \
  X(PAYLOAD_EMPTY, -11, "payload marker with no payload after it")                                           \
  X(EMPTY_NOT_EMPTY, -12, "empty message (code 0.00) with a token, options or payload")                      \
  /* What a writer or a parser of text refuses. */                                                           \
  X(SPACE, -20, "does not fit into the space given")                                                         \
  X(OPTION_ORDER, -21, "options must be written in ascending order")                                         \
  X(OPTION_VALUE, -22, "option value has an illegal length")                                                 \
  X(OPTION_REPEATED, -23, "option may not be repeated")                                                      \
  X(TOKEN_SIZE, -25, "token longer than RFC 8974 allows")                                                    \
  X(NOT_FOUND, -26, "not there")                                                                             \
  X(URI_SYNTAX, -27, "not a URI")                                                                            \
  X(URI_SCHEME, -28, "URI scheme is not coap")                                                               \
  X(URI_HOST, -29, "URI host is missing or malformed")                                                       \
  X(URI_PORT, -30, "URI port is not a number up to 65535")                                                   \
  X(URI_ESCAPE, -31, "broken percent-encoding in a URI")                                                     \
  X(URI_FRAGMENT, -32, "a CoAP URI has no fragment")                                                         \
  X(URI_COMPONENT, -33, "a URI path segment, query argument or host is longer than 255 bytes")               \
  X(LINK_SYNTAX, -34, "not link format")                                                                     \
  X(URI_UTF8, -35, "URI does not decode to UTF-8")                                                           \
  X(URI_USERINFO, -36, "a CoAP URI has no user information")                                                 \
  X(HOP_LIMIT, -37, "request has passed too many proxies")                                                   \
  /* What an endpoint refuses. */                                                                            \
  X(TYPE, -40, "message type does not fit this call")                                                        \
  X(MULTICAST_CON, -41, "a confirmable message cannot be sent to a group")                                   \
  X(EXCHANGES_FULL, -42, "all exchanges are in use")                                                         \
  X(MESSAGES_FULL, -43, "no memory left for another message")                                                \
  X(PEERS_FULL, -44, "every peer record is busy")                                                            \
  X(MESSAGE_IDS_SPENT, -45, "all message IDs for this peer are in use for their lifetime")                   \
  X(MESSAGE_SIZE, -46, "message larger than the endpoint's limit")                                           \
  X(STALE, -47, "the handle's record is gone")                                                               \
  X(RESPONDED, -48, "already answered")                                                                      \
  X(ROUTES_FULL, -49, "no room for another route")                                                           \
  X(ROUTE_PATTERN, -50, "route pattern is malformed or already taken")                                       \
  X(DEFERRED_FULL, -51, "no room for another deferred response")                                             \
  X(CONFIG, -52, "limits in the configuration contradict each other")                                        \
  X(MEMORY, -53, "memory block is too small for the configuration")                                          \
  X(TOKEN_IN_USE, -54, "a request with this token is outstanding to this peer")                              \
  X(CALLS_FULL, -55, "all calls are in use")                                                                 \
  X(NOTIFICATION, -56, "a notification cannot be deferred")                                                  \
  /* How an exchange can end other than by a response. */                                                    \
  X(TIMEOUT, -60, "no answer")                                                                               \
  X(RESET, -61, "peer answered with a Reset")                                                                \
  X(UNREACHABLE, -62, "peer is unreachable")                                                                 \
  X(RESPONSE_REJECTED, -64, "peer's response is too large, or has a critical option that is not understood") \
  /* How a call can end, beside these. */                                                                    \
  X(BODY_SIZE, -65, "body larger than its room, or than blocks can be numbered")                             \
  X(BODY_CHANGED, -66, "body changed while its blocks were fetched")                                         \
  X(BODY_BLOCKS, -67, "blocks do not make a whole")                                                          \
  X(BODY_READ, -68, "body cannot be read")                                                                   \
  X(BODY_WRITE, -69, "body cannot be written")                                                               \
  /* What the host refuses: sockets, names, interfaces. errno tells more. */                                 \
  X(ADDRESS, -70, "not an address")                                                                          \
  X(RESOLVE, -71, "host name cannot be resolved")                                                            \
  X(SOCKET, -72, "socket call failed")                                                                       \
  X(BIND, -73, "address cannot be bound")                                                                    \
  X(INTERFACE, -74, "no such network interface")                                                             \
  X(SOCKETS_FULL, -75, "no room for another socket")                                                         \
  X(NOT_HOSTED, -76, "endpoint has no sockets of its own")                                                   \
  X(INTERRUPTED, -77, "woken up")

#define COPAL_ERROR_ENUM(name, value, text) COPAL_ERR_##name = (value),
typedef enum copal_error { COPAL_OK = 0, COPAL_ERRORS(COPAL_ERROR_ENUM) COPAL_ERROR_LAST_ = -78 } copal_error;
#undef COPAL_ERROR_ENUM

/* The error's text, a constant string without a full stop: "no answer". Never NULL. */
COPAL_API const char *copal_error_text(copal_error error);

/* The error's name as it stands in the source: "COPAL_ERR_TIMEOUT". Never NULL. */
COPAL_API const char *copal_error_name(copal_error error);

#ifdef __cplusplus
}
#endif
#endif
