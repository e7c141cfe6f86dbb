/* Reads a CoAP URI apart: scheme, host, port, path, query. RFC 7252 6.1 and 6.2 with the syntax of RFC 3986, RFC 8323 8
 * for TCP and WebSockets, RFC 6874 for zones.
 *
 * Nothing is decoded here and nothing copied; the parts point into the text, and what they become as options is
 * uri_options.c. Names are not resolved: that is for whoever has a resolver. */
#include "message/uri.h"

#include <assert.h>
#include <string.h>

#include "base/ip.h"
#include "message/percent.h"

static const struct {
  const char *name;
  uint16_t port;
} schemes[COPAL_SCHEME_COUNT] = {
#define SCHEME_ENTRY(id, text, default_port) [COPAL_SCHEME_##id] = {text, default_port},
    COPAL_SCHEMES(SCHEME_ENTRY)
#undef SCHEME_ENTRY
};

static copal_error parse_scheme(copal_bytes *rest, copal_uri *uri);
static copal_error parse_ip_literal(copal_bytes text, copal_uri *uri);
static copal_error parse_zone(copal_bytes text, copal_uri *uri);
static copal_error parse_name(copal_bytes text, copal_uri *uri);
static copal_error parse_port(copal_bytes text, copal_uri *uri);
static int decode_name(copal_bytes text, char *buffer, size_t capacity);
static size_t find(copal_bytes text, uint8_t byte);
static copal_bytes front(copal_bytes text, size_t size);
static copal_bytes after(copal_bytes text, size_t size);

copal_error copal_uri_parse(const char *text, size_t size, copal_uri *uri) {
  assert(uri != NULL && (text != NULL || size == 0));
  copal_bytes rest = {(const uint8_t *)text, size};
  copal_uri parsed;
  memset(&parsed, 0, sizeof parsed);
  copal_error error = parse_scheme(&rest, &parsed);
  if (error != COPAL_OK) return error;

  /* RFC 7252 6.4 step 4: "If |url| has a <fragment> component, then fail this algorithm." */
  if (find(rest, '#') != rest.size) return COPAL_ERR_URI_FRAGMENT;

  size_t query_at = find(rest, '?');
  parsed.has_query = query_at != rest.size;
  if (parsed.has_query) parsed.query = after(rest, query_at + 1);
  rest = front(rest, query_at);

  /* RFC 7252 6.1: "if a URI is received with a missing authority or an empty host, then it MUST be considered
   * invalid." */
  if (rest.size < 2 || rest.data[0] != '/' || rest.data[1] != '/') return COPAL_ERR_URI_HOST;
  rest = after(rest, 2);
  size_t path_at = find(rest, '/');
  error = authority_parse(front(rest, path_at), (copal_scheme)parsed.scheme, &parsed);
  if (error != COPAL_OK) return error;

  if (path_at < rest.size) parsed.path = after(rest, path_at + 1);
  error = percent_check(parsed.path, COMPONENT_SEGMENT, '/');
  if (error == COPAL_OK) error = percent_check(parsed.query, COMPONENT_ARGUMENT, '&');
  if (error == COPAL_OK) *uri = parsed;
  return error;
}

copal_error authority_parse(copal_bytes text, copal_scheme scheme, copal_uri *uri) {
  assert(scheme < COPAL_SCHEME_COUNT);
  uri->scheme = (uint8_t)scheme;
  uri->zone = (copal_bytes){NULL, 0};

  /* The ABNF of RFC 7252 6.1 has no userinfo. */
  if (find(text, '@') != text.size) return COPAL_ERR_URI_USERINFO;
  bool bracketed = text.size > 0 && text.data[0] == '[';
  size_t close = bracketed ? find(text, ']') : 0;
  if (bracketed && close == text.size) return COPAL_ERR_URI_HOST;
  size_t host_size = bracketed ? close + 1 : find(text, ':');
  copal_bytes port = after(text, host_size);
  if (port.size > 0 && port.data[0] != ':') return COPAL_ERR_URI_HOST;

  copal_bytes host = front(text, host_size);
  copal_error error = bracketed ? parse_ip_literal(after(front(host, close), 1), uri) : parse_name(host, uri);
  if (error != COPAL_OK) return error;
  return parse_port(port.size > 0 ? after(port, 1) : port, uri);
}

const char *scheme_name(copal_scheme scheme) {
  assert(scheme < COPAL_SCHEME_COUNT);
  return schemes[scheme].name;
}

uint16_t scheme_port(copal_scheme scheme) {
  assert(scheme < COPAL_SCHEME_COUNT);
  return schemes[scheme].port;
}

copal_scheme scheme_find(copal_bytes name) {
  for (unsigned scheme = 0; scheme < COPAL_SCHEME_COUNT; ++scheme) {
    const char *candidate = schemes[scheme].name;
    size_t at = 0;
    while (at < name.size && candidate[at] != '\0' && to_lower(name.data[at]) == (uint8_t)candidate[at]) ++at;
    if (at == name.size && candidate[at] == '\0') return (copal_scheme)scheme;
  }
  return COPAL_SCHEME_COUNT;
}

int uri_host_text(const copal_uri *uri, char *buffer, size_t capacity) {
  return decode_name(uri->host, buffer, capacity);
}

int uri_zone_text(const copal_uri *uri, char *buffer, size_t capacity) {
  return decode_name(uri->zone, buffer, capacity);
}

/* Takes "scheme:" off the front. RFC 3986 3.1: a letter, then letters, digits, "+", "-" and "."; case-insensitive. */
static copal_error parse_scheme(copal_bytes *rest, copal_uri *uri) {
  size_t size = find(*rest, ':');
  if (size == 0 || size == rest->size) return COPAL_ERR_URI_SYNTAX;
  assert(rest->data != NULL);
  if (!is_alpha(rest->data[0])) return COPAL_ERR_URI_SYNTAX;
  for (size_t i = 1; i < size; ++i) {
    uint8_t c = rest->data[i];
    if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return COPAL_ERR_URI_SYNTAX;
  }
  copal_scheme scheme = scheme_find(front(*rest, size));
  if (scheme == COPAL_SCHEME_COUNT) return COPAL_ERR_URI_SCHEME;
  uri->scheme = (uint8_t)scheme;
  *rest = after(*rest, size + 1);
  return COPAL_OK;
}

/* What stands between brackets. IPvFuture is an address that no socket of today has. */
static copal_error parse_ip_literal(copal_bytes text, copal_uri *uri) {
  if (uri->scheme == COPAL_SCHEME_COAP_UNIX) return COPAL_ERR_URI_HOST;
  size_t zone_at = find(text, '%');
  if (zone_at < text.size) {
    copal_error error = parse_zone(after(text, zone_at + 1), uri);
    if (error != COPAL_OK) return error;
  }
  uri->host = front(text, zone_at);
  uri->host_kind = COPAL_HOST_IPV6;
  bool valid = ipv6_parse((const char *)uri->host.data, uri->host.size, uri->address);
  return valid ? COPAL_OK : COPAL_ERR_URI_HOST;
}

/* RFC 6874 2: "%25" and the zone, which is unreserved or percent-encoded. What people type, and what tools print, has a
 * bare "%": taken as well, where nothing but unreserved characters follows. "%25" alone is refused, since it could be
 * either an empty zone or the zone 25. */
static copal_error parse_zone(copal_bytes text, copal_uri *uri) {
  bool encoded = text.size >= 2 && text.data[0] == '2' && text.data[1] == '5';
  if (encoded) text = after(text, 2);
  if (text.size == 0) return COPAL_ERR_URI_HOST;
  for (size_t i = 0; i < text.size; ++i) {
    if (!is_unreserved(text.data[i]) && !(encoded && text.data[i] == '%')) return COPAL_ERR_URI_HOST;
  }
  uri->zone = text;
  return percent_check(text, COMPONENT_HOST, '\0');
}

/* A name or an IPv4 address. RFC 3986 3.2.2: "If host matches the rule for IPv4address, then it should be considered
 * an IPv4 address literal and not a reg-name." The host of coap+unix is a socket's name whatever it looks like. */
static copal_error parse_name(copal_bytes text, copal_uri *uri) {
  if (text.size == 0) return COPAL_ERR_URI_HOST;
  copal_error error = percent_check(text, COMPONENT_HOST, '\0');
  if (error != COPAL_OK) return error == COPAL_ERR_URI_ESCAPE ? error : COPAL_ERR_URI_HOST;
  uri->host = text;
  bool ipv4 = uri->scheme != COPAL_SCHEME_COAP_UNIX && ipv4_parse((const char *)text.data, text.size, uri->address);
  uri->host_kind = ipv4 ? COPAL_HOST_IPV4 : COPAL_HOST_NAME;
  return COPAL_OK;
}

/* RFC 7252 6.1: "If it is empty or not given, then the default port 5683 is assumed." Port 0 is a number like another
 * here: it asks for any free port where a URI says what to bind to. A socket's name has no port. */
static copal_error parse_port(copal_bytes text, copal_uri *uri) {
  uri->port = schemes[uri->scheme].port;
  if (text.size == 0) return COPAL_OK;
  if (uri->scheme == COPAL_SCHEME_COAP_UNIX) return COPAL_ERR_URI_PORT;
  unsigned port = 0;
  for (size_t i = 0; i < text.size; ++i) {
    if (!is_digit(text.data[i])) return COPAL_ERR_URI_PORT;
    port = port * 10 + (unsigned)(text.data[i] - '0');
    if (port > 65535) return COPAL_ERR_URI_PORT;
  }
  uri->port = (uint16_t)port;
  return COPAL_OK;
}

static int decode_name(copal_bytes text, char *buffer, size_t capacity) {
  if (capacity == 0) return COPAL_ERR_SPACE;
  int size = percent_decode(text, false, (uint8_t *)buffer, capacity - 1);
  if (size < 0) return size;
  copal_bytes decoded = {(const uint8_t *)buffer, (size_t)size};
  if (find(decoded, '\0') != decoded.size) return COPAL_ERR_URI_HOST;
  buffer[size] = '\0';
  return size;
}

/* Where the byte first stands; the size where it does not. */
static size_t find(copal_bytes text, uint8_t byte) {
  size_t at = 0;
  while (at < text.size && text.data[at] != byte) ++at;
  return at;
}

static copal_bytes front(copal_bytes text, size_t size) {
  assert(size <= text.size);
  return (copal_bytes){text.data, size};
}

static copal_bytes after(copal_bytes text, size_t size) {
  assert(size <= text.size);
  return size == 0 ? text : (copal_bytes){text.data + size, text.size - size};
}
