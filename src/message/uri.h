/* What the parts of the URI code share with each other, and with those who resolve hosts. */
#ifndef COPAL_MESSAGE_URI_H
#define COPAL_MESSAGE_URI_H

#include "copal/uri.h"

/* "coap" for COPAL_SCHEME_COAP, and its default port (0 where it has none). */
const char *scheme_name(copal_scheme scheme);
uint16_t scheme_port(copal_scheme scheme);

/* The scheme of that name, letter case ignored; COPAL_SCHEME_COUNT for another one. */
copal_scheme scheme_find(copal_bytes name);

/* Reads "host", "host:", "host:port" as an authority of that scheme: fills host, zone, address, host_kind and port.
 * COPAL_ERR_URI_HOST, _URI_PORT, _URI_USERINFO, _URI_ESCAPE. */
COPAL_MUST_CHECK copal_error authority_parse(copal_bytes text, copal_scheme scheme, copal_uri *uri);

/* The host's name or the socket's as what a resolver takes: percent-decoded and NUL-terminated. Returns the length,
 * COPAL_ERR_SPACE, or COPAL_ERR_URI_HOST where the name itself holds a NUL and would be cut short there. */
COPAL_MUST_CHECK int uri_host_text(const copal_uri *uri, char *buffer, size_t capacity);

/* The zone in the same way; 0 for none. */
COPAL_MUST_CHECK int uri_zone_text(const copal_uri *uri, char *buffer, size_t capacity);

#endif
