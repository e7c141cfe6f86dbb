/* A URI's parts become options: percent-decoding, dot segments, UTF-8. RFC 7252 6.4 steps 2, 5, 8 and 9.
 *
 * It knows nothing of destinations: Uri-Port (steps 6 and 7) is left out because the request goes to the URI's own
 * port, and an address literal is taken for the destination. Nothing is allocated: dot segments are resolved by
 * looking ahead, not by editing a copy. */
#include <assert.h>

#include "copal/uri.h"
#include "message/percent.h"
#include "message/utf8.h"

enum { COMPONENT_SIZE_MAX = 255 };

static copal_error add_segments(copal_bytes path, uint16_t number, copal_message *message);
static copal_error add_arguments(copal_bytes query, uint16_t number, copal_message *message);
static copal_error add(copal_bytes text, uri_component component, uint16_t number, copal_message *message);
static copal_error fail(copal_message *message, copal_error error);
static copal_bytes piece_at(copal_bytes text, size_t at, char separator);
static unsigned dots_of(copal_bytes segment);
static size_t last_parent_end(copal_bytes path);
static size_t cancelled_until(copal_bytes path, size_t at, size_t limit);

copal_error copal_uri_to_options(const copal_uri *uri, copal_message *message) {
  assert(uri != NULL && message != NULL);
  /* RFC 7252 6.4 step 5: "If the <host> component of |url| does not represent the request's destination IP address as
   * an IP-literal or IPv4address, include a Uri-Host Option". A socket's name is the destination as well. */
  if (uri->host_kind == COPAL_HOST_NAME && uri->scheme != COPAL_SCHEME_COAP_UNIX) {
    copal_error error = add(uri->host, COMPONENT_HOST, COPAL_OPTION_URI_HOST, message);
    if (error != COPAL_OK) return error;
  }
  copal_error error = add_segments(uri->path, COPAL_OPTION_URI_PATH, message);
  if (error != COPAL_OK || !uri->has_query) return error;
  return add_arguments(uri->query, COPAL_OPTION_URI_QUERY, message);
}

/* RFC 7252 5.10.7: "The value of a Location-Path Option MUST NOT be "." or ".."." */
copal_error copal_path_to_options(const char *path, size_t size, uint16_t number, copal_message *message) {
  assert(message != NULL && (path != NULL || size == 0));
  copal_bytes segments = {(const uint8_t *)path, size};
  if (size > 0 && path[0] == '/') segments = (copal_bytes){segments.data + 1, size - 1};
  return add_segments(segments, number, message);
}

copal_error copal_query_to_options(const char *query, size_t size, uint16_t number, copal_message *message) {
  assert(message != NULL && (query != NULL || size == 0));
  return add_arguments((copal_bytes){(const uint8_t *)query, size}, number, message);
}

/* One option a segment of a path without its leading "/", dot segments removed as RFC 3986 5.2.4 does. RFC 7252 5.10.1:
 * "The value of a Uri-Path Option MUST NOT be "." or ".." (as the request URI must be resolved before parsing it into
 * options)." So "%2E" counts as the "." that it is equivalent to.
 *
 * A segment stays unless a later ".." takes it away, with all that stands between. Looking for that ".." ends at the
 * last one of the path, so a path costs its length for each segment that stays before it, and those fit a message. */
static copal_error add_segments(copal_bytes path, uint16_t number, copal_message *message) {
  const copal_bytes empty = {path.data, 0};
  size_t parents_end = last_parent_end(path), count = 0, at = 0;
  while (at <= path.size && message->error == COPAL_OK) {
    copal_bytes segment = piece_at(path, at, '/');
    size_t next = at + segment.size + 1;
    if (dots_of(segment) == 0) {
      size_t resume = cancelled_until(path, next, parents_end);
      if (resume == 0) {
        /* RFC 7252 6.4 step 8: "If the value of the <path> component of |url| is empty or consists of a single slash
         * character (U+002F SOLIDUS "/"), then move to the next step." */
        if (segment.size == 0 && next > path.size && count == 0) return message->error;
        copal_error error = add(segment, COMPONENT_SEGMENT, number, message);
        if (error != COPAL_OK) return error;
        ++count;
        at = next;
        continue;
      }
      copal_bytes cancelled = {path.data + at, resume - 1 - at};
      copal_error error = percent_check(cancelled, COMPONENT_SEGMENT, '/');
      if (error != COPAL_OK) return fail(message, error);
      next = resume;
    }
    /* A path that ends in a dot segment is resolved to one that ends in a slash: "/a/." and "/a/b/.." to "/a/". */
    if (next > path.size && count > 0) return add(empty, COMPONENT_SEGMENT, number, message);
    at = next;
  }
  return message->error;
}

/* One option an argument. RFC 7252 6.1: a query "consists of a sequence of arguments separated by an ampersand", so an
 * empty query, which is there, has one empty argument. */
static copal_error add_arguments(copal_bytes query, uint16_t number, copal_message *message) {
  for (size_t at = 0; at <= query.size && message->error == COPAL_OK;) {
    copal_bytes argument = piece_at(query, at, '&');
    copal_error error = add(argument, COMPONENT_ARGUMENT, number, message);
    if (error != COPAL_OK) return error;
    at += argument.size + 1;
  }
  return message->error;
}

static copal_error add(copal_bytes text, uri_component component, uint16_t number, copal_message *message) {
  uint8_t value[COMPONENT_SIZE_MAX];
  copal_error error = percent_check(text, component, '\0');
  if (error != COPAL_OK) return fail(message, error);
  /* RFC 7252 6.4 step 5: the host is "converted to ASCII lowercase", and the percent-encodings are converted "then". */
  int size = percent_decode(text, component == COMPONENT_HOST, value, sizeof value);
  if (size < 0) return fail(message, COPAL_ERR_URI_COMPONENT);
  if (!utf8_valid(value, (size_t)size)) return fail(message, COPAL_ERR_URI_UTF8);
  copal_message_add(message, number, value, (size_t)size);
  return message->error;
}

static copal_error fail(copal_message *message, copal_error error) {
  if (message->error == COPAL_OK) message->error = error;
  return message->error;
}

/* What stands from there to the next separator or the end. */
static copal_bytes piece_at(copal_bytes text, size_t at, char separator) {
  size_t end = at;
  while (end < text.size && text.data[end] != (uint8_t)separator) ++end;
  return (copal_bytes){at == 0 ? text.data : text.data + at, end - at};
}

/* 1 for ".", 2 for "..", 0 for every other segment. */
static unsigned dots_of(copal_bytes segment) {
  unsigned count = 0;
  for (size_t at = 0; at < segment.size; ++count) {
    bool encoded = segment.size - at >= 3 && segment.data[at] == '%' && segment.data[at + 1] == '2' &&
                   to_lower(segment.data[at + 2]) == 'e';
    if ((!encoded && segment.data[at] != '.') || count == 2) return 0;
    at += encoded ? 3 : 1;
  }
  return count;
}

/* Where the last ".." of the path ends; 0 where there is none. */
static size_t last_parent_end(copal_bytes path) {
  size_t end = 0;
  for (size_t at = 0; at <= path.size;) {
    copal_bytes segment = piece_at(path, at, '/');
    at += segment.size + 1;
    if (dots_of(segment) == 2) end = at - 1;
  }
  return end;
}

/* Where the path goes on behind the ".." that takes away the segment before `at`; 0 where none does. */
static size_t cancelled_until(copal_bytes path, size_t at, size_t limit) {
  size_t depth = 1;
  while (at < limit) {
    copal_bytes segment = piece_at(path, at, '/');
    unsigned dots = dots_of(segment);
    at += segment.size + 1;
    if (dots == 0) ++depth;
    if (dots == 2 && --depth == 0) return at;
  }
  return 0;
}
