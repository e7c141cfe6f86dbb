/* URIs, as options and as text, and link format, in which links stand for resources. Pure functions, which borrow and
 * write as those of message.h do. Sources: RFC 7252 section 6, RFC 6690. */
#ifndef COPAL_URI_H
#define COPAL_URI_H

#include "copal/message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- URIs, RFC 7252 section 6 ----------------------------------------------------------------- */

/* X(name, scheme, default port): what a CoAP URI can begin with. RFC 7252 6.1 and 6.2, RFC 8323 8. */
#define COPAL_SCHEMES(X)          \
  X(COAP, "coap", 5683)           \
  X(COAPS, "coaps", 5684)         \
  X(COAP_TCP, "coap+tcp", 5683)   \
  X(COAPS_TCP, "coaps+tcp", 5684) \
  X(COAP_WS, "coap+ws", 80)       \
  X(COAPS_WS, "coaps+ws", 443)    \
  X(COAP_UNIX, "coap+unix", 0)

#define COPAL_SCHEME_ENUM(name, text, port) COPAL_SCHEME_##name,
typedef enum copal_scheme { COPAL_SCHEMES(COPAL_SCHEME_ENUM) COPAL_SCHEME_COUNT } copal_scheme;
#undef COPAL_SCHEME_ENUM

/* What the host of a URI is written as. */
typedef enum copal_host_kind { COPAL_HOST_NAME, COPAL_HOST_IPV4, COPAL_HOST_IPV6 } copal_host_kind;

/* A parsed URI; everything points into its text. host is as written, without brackets and zone; path and query are
 * still percent-encoded, path without its leading "/". */
typedef struct copal_uri {
  copal_bytes host;
  copal_bytes zone; /* of an IPv6 literal: "eth0" in [fe80::1%25eth0] (RFC 6874) or [fe80::1%eth0], as written */
  copal_bytes path;
  copal_bytes query;
  uint8_t address[16]; /* of an IP literal, network order; IPv4 uses the first 4 */
  uint16_t port;       /* the scheme's default where none is written; 0 may be written: a free port to bind to */
  uint8_t scheme;      /* copal_scheme */
  uint8_t host_kind;   /* copal_host_kind */
  bool has_query;
} copal_uri;

/* Parses an absolute coap, coaps, … URI. The errors COPAL_ERR_URI_… name what is wrong; uri is untouched then. */
COPAL_API COPAL_MUST_CHECK copal_error copal_uri_parse(const char *text, size_t size, copal_uri *uri);

/* Adds Uri-Host (unless the host is an IP literal, or a socket's name), Uri-Path and Uri-Query options as RFC 7252 6.4
 * says, dot segments removed. Uri-Port is not added: the request goes to that very port. Latches in message, which is
 * then partly filled, and returns what is latched: COPAL_ERR_URI_SYNTAX, _ESCAPE, _UTF8 or _COMPONENT, or an error of
 * copal_message_add. So do the next two. */
COPAL_API COPAL_MUST_CHECK copal_error copal_uri_to_options(const copal_uri *uri, copal_message *message);

/* Adds Uri-Path (or Location-Path) options for a path as it stands in a URI: "/a/b%20c", "a/b"; "" and "/" add none. */
COPAL_API COPAL_MUST_CHECK copal_error copal_path_to_options(const char *path, size_t size, uint16_t number,
                                                             copal_message *message);

/* Adds Uri-Query (or Location-Query) options for a query as it stands in a URI, without its "?": one an argument, so
 * "" adds an empty one. */
COPAL_API COPAL_MUST_CHECK copal_error copal_query_to_options(const char *query, size_t size, uint16_t number,
                                                              copal_message *message);

/* Writes the request's URI, RFC 7252 6.5, NUL-terminated. authority is "host" or "host:port" to use where the message
 * has no Uri-Host (the destination address; IPv6 in brackets), may be NULL. scheme is used where there is no
 * Proxy-Scheme. With explicit_ false, scheme and authority are written only as the message holds them: "/", "/a/b",
 * "//host:1/s"; with true they are always there. A Proxy-Uri is the URI.
 * Returns the length without the NUL, or COPAL_ERR_SPACE; COPAL_ERR_URI_HOST without any host or where one is
 * malformed; COPAL_ERR_URI_PORT, _SCHEME, _SYNTAX where Uri-Port, Proxy-Scheme, Proxy-Uri are. buffer then holds "". */
COPAL_API COPAL_MUST_CHECK int copal_uri_write(const copal_view *view, copal_scheme scheme, const char *authority,
                                               bool explicit_, char *buffer, size_t capacity);

/* --- Link format, RFC 6690 -------------------------------------------------------------------- */

/* One link: its target as written between < and >, and its parameters, still encoded. Points into the document. */
typedef struct copal_link {
  copal_bytes target;
  copal_bytes parameters; /* ";rt=\"a b\";ct=40" */
} copal_link;

/* One parameter. value has no quotes but may hold backslash escapes when quoted; see copal_link_unescape. */
typedef struct copal_link_parameter {
  copal_bytes name;
  copal_bytes value;
  bool has_value, quoted;
} copal_link_parameter;

/* Takes the next link off the front of document (which shrinks). 1 a link, 0 at the end, COPAL_ERR_LINK_SYNTAX. */
COPAL_API COPAL_MUST_CHECK int copal_link_next(copal_bytes *document, copal_link *link);

/* Takes the next parameter off the front of parameters. 1 a parameter, 0 at the end, COPAL_ERR_LINK_SYNTAX. */
COPAL_API COPAL_MUST_CHECK int copal_link_parameter_next(copal_bytes *parameters, copal_link_parameter *parameter);

/* The first parameter of that name (RFC 6690: only the first of most counts); false where there is none. */
COPAL_API bool copal_link_find(const copal_link *link, const char *name, copal_link_parameter *parameter);

/* Copies a value with its escapes resolved, without a NUL; returns the length or COPAL_ERR_SPACE. */
COPAL_API COPAL_MUST_CHECK int copal_link_unescape(const copal_link_parameter *parameter, char *buffer,
                                                   size_t capacity);

/* Whether the link passes one filter argument, RFC 6690 section 4.1: "rt=temp*", "href=/a", "if=core.s", "sz=*".
 * Space-separated relation types match by item. An argument without "=" is compared by name alone. */
COPAL_API bool copal_link_matches(const copal_link *link, copal_bytes argument);

/* Writes a link-format document. With buffer NULL it counts. Latches COPAL_ERR_SPACE, or COPAL_ERR_LINK_SYNTAX for what
 * could not be read back; the document is then what it was before that call. */
typedef struct copal_link_writer {
  char *buffer;
  size_t capacity;
  size_t size;
  copal_error error;
} copal_link_writer;

/* Begins a link: `<target>`, after a comma where it is not the first. */
COPAL_API void copal_link_write(copal_link_writer *writer, const char *target, size_t target_size);

/* value NULL writes a bare name. quoted puts the value in quotes and escapes what must be. */
COPAL_API void copal_link_write_parameter(copal_link_writer *writer, const char *name, const char *value,
                                          size_t value_size, bool quoted);

#ifdef __cplusplus
}
#endif
#endif
