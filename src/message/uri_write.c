/* A request's options become its URI, for people, logs and proxies. RFC 7252 6.5 and 5.10.2.
 *
 * It knows no addresses: whoever has one passes it as text. What 6.5 cannot express fails with a named error instead of
 * giving a text that means something else. */
#include <assert.h>
#include <limits.h>

#include "base/ip.h"
#include "copal/uri.h"
#include "message/percent.h"
#include "message/uri.h"

/* Latches its first error; a byte of the buffer is kept for the NUL. */
typedef struct writer {
  char *buffer;
  size_t capacity;
  size_t size;
  copal_error error;
} writer;

/* What is known of the URI's front: from the message's options, and from the caller. */
typedef struct origin {
  copal_option host, port, scheme;
  bool has_host, has_port, has_scheme;
  copal_uri destination;
  bool has_destination;
} origin;

enum { NO_PORT = 65536 };

static void write_proxy_uri(writer *out, const copal_option *option);
static void write_scheme(writer *out, const origin *from, copal_scheme scheme);
static void write_host(writer *out, const origin *from);
static void write_host_option(writer *out, const copal_option *option);
static void write_parsed_host(writer *out, const copal_uri *uri);
static void write_port(writer *out, uint32_t port);
static void write_path(writer *out, const copal_view *view, bool follows_authority);
static void write_query(writer *out, const copal_view *view);
static void write_component(writer *out, const copal_option *option, uri_component component);
static void write_escaped(writer *out, uint8_t byte);
static void write_bytes(writer *out, copal_bytes bytes);
static void write_byte(writer *out, uint8_t byte);
static void fail(writer *out, copal_error error);
static void find_origin(writer *out, const copal_view *view, copal_scheme scheme, const char *authority, origin *found);
static uint32_t port_of(writer *out, const origin *from, copal_scheme scheme, bool explicit_);
static bool path_begins_empty(const copal_view *view);
static copal_bytes bytes_of(const char *text);

int copal_uri_write(const copal_view *view, copal_scheme scheme, const char *authority, bool explicit_, char *buffer,
                    size_t capacity) {
  assert(view != NULL && scheme < COPAL_SCHEME_COUNT && (buffer != NULL || capacity == 0));
  if (capacity == 0) return COPAL_ERR_SPACE;
  writer out = {buffer, capacity < INT_MAX ? capacity : INT_MAX, 0, COPAL_OK};
  copal_option proxy_uri;
  /* RFC 7252 5.10.2: "The Proxy-Uri Option MUST take precedence over any of the Uri-Host, Uri-Port, Uri-Path or
   * Uri-Query options". */
  if (copal_find(view, COPAL_OPTION_PROXY_URI, &proxy_uri)) {
    write_proxy_uri(&out, &proxy_uri);
  } else {
    origin from;
    find_origin(&out, view, scheme, authority, &from);
    uint32_t port = port_of(&out, &from, scheme, explicit_);
    bool has_scheme = explicit_ || from.has_scheme;
    bool has_authority = has_scheme || from.has_host || port != NO_PORT;
    if (has_scheme) write_scheme(&out, &from, scheme);
    if (has_authority) {
      write_host(&out, &from);
      write_port(&out, port);
    }
    write_path(&out, view, has_authority);
    write_query(&out, view);
  }
  buffer[out.error == COPAL_OK ? out.size : 0] = '\0';
  return out.error == COPAL_OK ? (int)out.size : (int)out.error;
}

/* As it is, if it is made of what URIs are made of: a line break or a NUL in it would forge somebody's log. */
static void write_proxy_uri(writer *out, const copal_option *option) {
  for (size_t i = 0; i < option->size; ++i) {
    uint8_t byte = option->value[i];
    bool delimiter = byte == '#' || byte == '[' || byte == ']' || byte == '%' || byte == '&';
    if (!delimiter && !component_allows(COMPONENT_ARGUMENT, byte)) fail(out, COPAL_ERR_URI_SYNTAX);
  }
  write_bytes(out, (copal_bytes){option->value, option->size});
}

/* RFC 7252 6.5 has step 1. RFC 7252 5.10.2: "In the resulting URI, the initial scheme up to, but not including, the
 * following colon is then replaced by the content of the Proxy-Scheme Option." */
static void write_scheme(writer *out, const origin *from, copal_scheme scheme) {
  copal_bytes name =
      from->has_scheme ? (copal_bytes){from->scheme.value, from->scheme.size} : bytes_of(scheme_name(scheme));
  for (size_t i = 0; i < name.size; ++i) {
    uint8_t byte = name.data[i];
    bool punctuation = byte == '+' || byte == '-' || byte == '.';
    bool allowed = is_alpha(byte) || (i > 0 && (is_digit(byte) || punctuation));
    if (!allowed) fail(out, COPAL_ERR_URI_SCHEME);
  }
  if (name.size == 0) fail(out, COPAL_ERR_URI_SCHEME);
  write_bytes(out, name);
  write_byte(out, ':');
}

/* RFC 7252 6.5 steps 2 and 3. */
static void write_host(writer *out, const origin *from) {
  write_bytes(out, bytes_of("//"));
  if (from->has_host) {
    write_host_option(out, &from->host);
  } else if (from->has_destination) {
    write_parsed_host(out, &from->destination);
  } else {
    fail(out, COPAL_ERR_URI_HOST);
  }
}

/* RFC 7252 6.5 step 2: "let |host| be that option's value, where any non-ASCII characters are replaced by their
 * corresponding percent-encoding. If |host| is not a valid reg-name or IP-literal or IPv4address, fail the
 * algorithm." */
static void write_host_option(writer *out, const copal_option *option) {
  copal_bytes host = {option->value, option->size};
  if (host.size == 0) fail(out, COPAL_ERR_URI_HOST);
  if (host.size > 0 && host.data[0] == '[') {
    copal_uri literal = {0};
    bool closed = host.data[host.size - 1] == ']';
    copal_error error = closed ? authority_parse(host, COPAL_SCHEME_COAP, &literal) : COPAL_ERR_URI_HOST;
    if (error != COPAL_OK) fail(out, COPAL_ERR_URI_HOST);
    write_parsed_host(out, &literal);
    return;
  }
  for (size_t i = 0; i < host.size; ++i) {
    uint8_t byte = host.data[i];
    if (byte >= 0x80) {
      write_escaped(out, byte);
      continue;
    }
    bool escape =
        byte == '%' && host.size - i > 2 && hex_digit(host.data[i + 1]) >= 0 && hex_digit(host.data[i + 2]) >= 0;
    if (!escape && !component_allows(COMPONENT_HOST, byte)) fail(out, COPAL_ERR_URI_HOST);
    write_byte(out, byte);
  }
}

/* RFC 7252 6.5 step 2: "the IP-literal (making use of the conventions of [RFC5952])"; zones as RFC 6874 has them. */
static void write_parsed_host(writer *out, const copal_uri *uri) {
  if (uri->host_kind != COPAL_HOST_IPV6) {
    write_bytes(out, uri->host);
    return;
  }
  char text[IPV6_TEXT_MAX];
  size_t size = ipv6_write(uri->address, text);
  write_byte(out, '[');
  write_bytes(out, (copal_bytes){(const uint8_t *)text, size});
  if (uri->zone.size > 0) write_bytes(out, bytes_of("%25"));
  write_bytes(out, uri->zone);
  write_byte(out, ']');
}

static void write_port(writer *out, uint32_t port) {
  if (port == NO_PORT) return;
  write_byte(out, ':');
  uint32_t unit = 10000;
  while (unit > 1 && port / unit == 0) unit /= 10;
  for (; unit > 0; unit /= 10) write_byte(out, (uint8_t)('0' + port / unit % 10));
}

/* RFC 7252 6.5 steps 6 and 7. */
static void write_path(writer *out, const copal_view *view, bool follows_authority) {
  /* Without an authority before it, "//b" would read as the host b: RFC 3986 3.3, "If a URI does not contain an
   * authority component, then the path cannot begin with two slash characters". "/." before it changes nothing. */
  if (!follows_authority && path_begins_empty(view)) write_bytes(out, bytes_of("/."));
  bool empty = true;
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_PATH) continue;
    empty = false;
    write_byte(out, '/');
    write_component(out, &option, COMPONENT_SEGMENT);
  }
  if (empty) write_byte(out, '/');
}

/* RFC 7252 6.5 step 8. */
static void write_query(writer *out, const copal_view *view) {
  uint8_t separator = '?';
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_QUERY) continue;
    write_byte(out, separator);
    separator = '&';
    write_component(out, &option, COMPONENT_ARGUMENT);
  }
}

static void write_component(writer *out, const copal_option *option, uri_component component) {
  for (size_t i = 0; i < option->size; ++i) {
    uint8_t byte = option->value[i];
    if (component_allows(component, byte)) {
      write_byte(out, byte);
    } else {
      write_escaped(out, byte);
    }
  }
}

/* RFC 7252 6.5: "the hexadecimal notation for percent-encoding in CoAP URIs MUST use uppercase letters". */
static void write_escaped(writer *out, uint8_t byte) {
  static const char digits[] = "0123456789ABCDEF";
  write_byte(out, '%');
  write_byte(out, (uint8_t)digits[byte >> 4]);
  write_byte(out, (uint8_t)digits[byte & 15]);
}

static void write_bytes(writer *out, copal_bytes bytes) {
  for (size_t i = 0; i < bytes.size; ++i) write_byte(out, bytes.data[i]);
}

static void write_byte(writer *out, uint8_t byte) {
  if (out->error != COPAL_OK) return;
  if (out->size + 1 >= out->capacity) {
    fail(out, COPAL_ERR_SPACE);
    return;
  }
  out->buffer[out->size++] = (char)byte;
}

static void fail(writer *out, copal_error error) {
  if (out->error == COPAL_OK) out->error = error;
}

static void find_origin(writer *out, const copal_view *view, copal_scheme scheme, const char *authority,
                        origin *found) {
  *found = (origin){0};
  found->has_host = copal_find(view, COPAL_OPTION_URI_HOST, &found->host);
  found->has_port = copal_find(view, COPAL_OPTION_URI_PORT, &found->port);
  found->has_scheme = copal_find(view, COPAL_OPTION_PROXY_SCHEME, &found->scheme);
  found->has_destination = authority != NULL;
  if (authority == NULL) return;
  copal_error error = authority_parse(bytes_of(authority), scheme, &found->destination);
  if (error != COPAL_OK) fail(out, error);
}

/* RFC 7252 6.5 steps 4 and 5: the Uri-Port or the destination's port, unless "the default port for the scheme". Behind
 * a Proxy-Scheme that is not one of ours, a Uri-Port stays whatever it is, since its absence would mean another port.
 */
static uint32_t port_of(writer *out, const origin *from, copal_scheme scheme, bool explicit_) {
  if (from->has_port) {
    uint32_t port = copal_option_uint(&from->port);
    if (port > 65535) fail(out, COPAL_ERR_URI_PORT);
    if (from->has_scheme) scheme = scheme_find((copal_bytes){from->scheme.value, from->scheme.size});
    return scheme < COPAL_SCHEME_COUNT && port == scheme_port(scheme) ? NO_PORT : port;
  }
  bool elided = !explicit_ || !from->has_destination || from->destination.port == scheme_port(scheme);
  return elided ? NO_PORT : from->destination.port;
}

/* Whether there are several segments and the first is empty. */
static bool path_begins_empty(const copal_view *view) {
  size_t count = 0;
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (count < 2 && copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_PATH) continue;
    if (count++ == 0 && option.size > 0) return false;
  }
  return count == 2;
}

static copal_bytes bytes_of(const char *text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return (copal_bytes){(const uint8_t *)text, size};
}
