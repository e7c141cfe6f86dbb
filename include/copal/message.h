/* CoAP messages: bytes to message and back, options, text. Pure functions: no time, no peers, no allocation, no state.
 * Sources: RFC 7252 sections 3 and 5, RFC 8974, and the options' own RFCs.
 *
 * What a function reads it borrows: a view points into the bytes that it was decoded from. What a function writes goes
 * into the caller's buffer. Writers latch their first error: write on, and check once at the end. */
#ifndef COPAL_MESSAGE_H
#define COPAL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "copal/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes. data may be NULL only where size is 0. */
typedef struct copal_bytes {
  const uint8_t *data;
  size_t size;
} copal_bytes;

/* Message types, RFC 7252 section 3. */
typedef enum copal_type { COPAL_CON = 0, COPAL_NON = 1, COPAL_ACK = 2, COPAL_RST = 3 } copal_type;

/* Codes: class and detail as in "4.04", RFC 7252 section 12.1. */
#define COPAL_CODE(class_, detail) ((uint8_t)((class_) << 5 | (detail)))
#define COPAL_CODE_CLASS(code) ((code) >> 5)
#define COPAL_CODE_DETAIL(code) ((code)&31)

/* X(name, class, detail, text): every registered request and response code. */
#define COPAL_CODES(X)                                               \
  X(EMPTY, 0, 0, "Empty")                                            \
  X(GET, 0, 1, "GET")                                                \
  X(POST, 0, 2, "POST")                                              \
  X(PUT, 0, 3, "PUT")                                                \
  X(DELETE, 0, 4, "DELETE")                                          \
  X(FETCH, 0, 5, "FETCH")                                            \
  X(PATCH, 0, 6, "PATCH")                                            \
  X(IPATCH, 0, 7, "iPATCH")                                          \
  X(CREATED, 2, 1, "Created")                                        \
  X(DELETED, 2, 2, "Deleted")                                        \
  X(VALID, 2, 3, "Valid")                                            \
  X(CHANGED, 2, 4, "Changed")                                        \
  X(CONTENT, 2, 5, "Content")                                        \
  X(CONTINUE, 2, 31, "Continue")                                     \
  X(BAD_REQUEST, 4, 0, "Bad Request")                                \
  X(UNAUTHORIZED, 4, 1, "Unauthorized")                              \
  X(BAD_OPTION, 4, 2, "Bad Option")                                  \
  X(FORBIDDEN, 4, 3, "Forbidden")                                    \
  X(NOT_FOUND, 4, 4, "Not Found")                                    \
  X(METHOD_NOT_ALLOWED, 4, 5, "Method Not Allowed")                  \
  X(NOT_ACCEPTABLE, 4, 6, "Not Acceptable")                          \
  X(REQUEST_ENTITY_INCOMPLETE, 4, 8, "Request Entity Incomplete")    \
  X(CONFLICT, 4, 9, "Conflict")                                      \
  X(PRECONDITION_FAILED, 4, 12, "Precondition Failed")               \
  X(REQUEST_ENTITY_TOO_LARGE, 4, 13, "Request Entity Too Large")     \
  X(UNSUPPORTED_CONTENT_FORMAT, 4, 15, "Unsupported Content-Format") \
  X(UNPROCESSABLE_ENTITY, 4, 22, "Unprocessable Entity")             \
  X(TOO_MANY_REQUESTS, 4, 29, "Too Many Requests")                   \
  X(INTERNAL_SERVER_ERROR, 5, 0, "Internal Server Error")            \
  X(NOT_IMPLEMENTED, 5, 1, "Not Implemented")                        \
  X(BAD_GATEWAY, 5, 2, "Bad Gateway")                                \
  X(SERVICE_UNAVAILABLE, 5, 3, "Service Unavailable")                \
  X(GATEWAY_TIMEOUT, 5, 4, "Gateway Timeout")                        \
  X(PROXYING_NOT_SUPPORTED, 5, 5, "Proxying Not Supported")          \
  X(HOP_LIMIT_REACHED, 5, 8, "Hop Limit Reached")                    \
  X(CSM, 7, 1, "CSM")                                                \
  X(PING, 7, 2, "Ping")                                              \
  X(PONG, 7, 3, "Pong")                                              \
  X(RELEASE, 7, 4, "Release")                                        \
  X(ABORT, 7, 5, "Abort")

#define COPAL_CODE_ENUM(name, class_, detail, text) COPAL_##name = ((class_) << 5 | (detail)),
typedef enum copal_code { COPAL_CODES(COPAL_CODE_ENUM) COPAL_CODE_MAX = 255 } copal_code;
#undef COPAL_CODE_ENUM

/* Requests are 0.01 to 0.31; responses are classes 2, 4 and 5. RFC 7252 section 3. */
static inline bool copal_code_is_request(unsigned code) { return code >= 1 && code <= 31; }
static inline bool copal_code_is_response(unsigned code) { return code >> 5 == 2 || code >> 5 == 4 || code >> 5 == 5; }

/* The code's name, "Not Found", or NULL where none is registered. */
COPAL_API const char *copal_code_name(uint8_t code);

/* "CON", "NON", "ACK" or "RST"; type is 0 to 3. */
COPAL_API const char *copal_type_name(uint8_t type);

/* --- Options ---------------------------------------------------------------------------------- */

/* Value formats, RFC 7252 section 3.2. */
typedef enum copal_option_format {
  COPAL_FORMAT_EMPTY,
  COPAL_FORMAT_OPAQUE,
  COPAL_FORMAT_UINT,
  COPAL_FORMAT_STRING
} copal_option_format;

/* X(name, number, registered name, format, smallest size, largest size, repeatable, text of the default or "").
 * The IANA "CoAP Option Numbers" registry. Sizes are bytes. OSCORE, EDHOC and the OCF options are listed with the
 * lengths that their documents give. */
#define COPAL_OPTIONS(X)                                                          \
  X(IF_MATCH, 1, "If-Match", OPAQUE, 0, 8, true, "")                              \
  X(URI_HOST, 3, "Uri-Host", STRING, 1, 255, false, "")                           \
  X(ETAG, 4, "ETag", OPAQUE, 1, 8, true, "")                                      \
  X(IF_NONE_MATCH, 5, "If-None-Match", EMPTY, 0, 0, false, "")                    \
  X(OBSERVE, 6, "Observe", UINT, 0, 3, false, "")                                 \
  X(URI_PORT, 7, "Uri-Port", UINT, 0, 2, false, "")                               \
  X(LOCATION_PATH, 8, "Location-Path", STRING, 0, 255, true, "")                  \
  X(OSCORE, 9, "OSCORE", OPAQUE, 0, 255, false, "")                               \
  X(URI_PATH, 11, "Uri-Path", STRING, 0, 255, true, "")                           \
  X(CONTENT_FORMAT, 12, "Content-Format", UINT, 0, 2, false, "")                  \
  X(MAX_AGE, 14, "Max-Age", UINT, 0, 4, false, "60")                              \
  X(URI_QUERY, 15, "Uri-Query", STRING, 0, 255, true, "")                         \
  X(HOP_LIMIT, 16, "Hop-Limit", UINT, 1, 1, false, "16")                          \
  X(ACCEPT, 17, "Accept", UINT, 0, 2, false, "")                                  \
  X(Q_BLOCK1, 19, "Q-Block1", UINT, 0, 3, false, "")                              \
  X(LOCATION_QUERY, 20, "Location-Query", STRING, 0, 255, true, "")               \
  X(EDHOC, 21, "EDHOC", EMPTY, 0, 0, false, "")                                   \
  X(BLOCK2, 23, "Block2", UINT, 0, 3, false, "")                                  \
  X(BLOCK1, 27, "Block1", UINT, 0, 3, false, "")                                  \
  X(SIZE2, 28, "Size2", UINT, 0, 4, false, "")                                    \
  X(Q_BLOCK2, 31, "Q-Block2", UINT, 0, 3, true, "")                               \
  X(PROXY_URI, 35, "Proxy-Uri", STRING, 1, 1034, false, "")                       \
  X(PROXY_SCHEME, 39, "Proxy-Scheme", STRING, 1, 255, false, "")                  \
  X(SIZE1, 60, "Size1", UINT, 0, 4, false, "")                                    \
  X(ECHO, 252, "Echo", OPAQUE, 1, 40, false, "")                                  \
  X(NO_RESPONSE, 258, "No-Response", UINT, 0, 1, false, "0")                      \
  X(REQUEST_TAG, 292, "Request-Tag", OPAQUE, 0, 8, true, "")                      \
  X(OCF_ACCEPT, 2049, "OCF-Accept-Content-Format-Version", UINT, 0, 2, false, "") \
  X(OCF_CONTENT_FORMAT, 2053, "OCF-Content-Format-Version", UINT, 0, 2, false, "")

#define COPAL_OPTION_ENUM(id, number, name, format, min, max, repeatable, initial) COPAL_OPTION_##id = (number),
typedef enum copal_option_number { COPAL_OPTIONS(COPAL_OPTION_ENUM) COPAL_OPTION_MAX = 65535 } copal_option_number;
#undef COPAL_OPTION_ENUM

/* What the registry says of an option. */
typedef struct copal_option_info {
  const char *name;    /* "Uri-Path" */
  const char *initial; /* the default value as text, "60"; "" where there is none */
  uint16_t number;
  uint16_t size_min, size_max; /* legal value sizes, bytes */
  uint8_t format;              /* copal_option_format */
  bool repeatable;
} copal_option_info;

/* The three properties that an option's number carries, RFC 7252 section 5.4.6. */
static inline bool copal_option_is_critical(unsigned number) { return (number & 1) != 0; }
static inline bool copal_option_is_unsafe(unsigned number) { return (number & 2) != 0; }
static inline bool copal_option_is_no_cache_key(unsigned number) { return (number & 0x1e) == 0x1c; }

/* The registry's entry, or NULL for an unregistered number. */
COPAL_API const copal_option_info *copal_option_by_number(uint16_t number);

/* By name, letter case ignored, "_" and "-" alike: "Uri-Path", "uri_path"; also the names of the older draft that
 * coapy spoke (content_type, location, uri_authority, uri_scheme). NULL where none is registered. */
COPAL_API const copal_option_info *copal_option_by_name(const char *name);

/* The index-th registered option in ascending order, NULL past the last. */
COPAL_API const copal_option_info *copal_option_at(size_t index);

/* COPAL_OK, or COPAL_ERR_OPTION_VALUE when size is illegal for this option. Unregistered options may have any size. */
COPAL_API copal_error copal_option_check(uint16_t number, size_t size);

/* Content-Formats, RFC 7252 section 12.3 and the IANA registry. Those that code names: */
enum {
  COPAL_TEXT_PLAIN = 0,
  COPAL_LINK_FORMAT = 40,
  COPAL_XML = 41,
  COPAL_OCTET_STREAM = 42,
  COPAL_JSON = 50,
  COPAL_CBOR = 60,
  COPAL_PROBLEM = 257,      /* concise problem details, RFC 9290 */
  COPAL_FORMAT_NONE = 65536 /* no Content-Format or Accept option */
};

/* "application/json" for 50; NULL where none is registered. Includes parameters ("text/plain; charset=utf-8") and a
 * content coding as RFC 9193 writes it ("application/json@deflate"). */
COPAL_API const char *copal_content_format_name(uint16_t number);

/* The number of a media type, of its subtype alone ("json", "cbor", "senml+json"), of a short name ("text", "link",
 * "octets") or of decimal digits; COPAL_ERR_NOT_FOUND otherwise. Letter case, blanks, quotes and a charset parameter
 * are ignored. */
COPAL_API COPAL_MUST_CHECK int copal_content_format_by_name(const char *name);

/* The number of the index-th registered Content-Format in ascending order, COPAL_ERR_NOT_FOUND past the last. */
COPAL_API COPAL_MUST_CHECK int copal_content_format_at(size_t index);

/* --- Reading ---------------------------------------------------------------------------------- */

/* A decoded message: it points into the datagram and lives as long as that. */
typedef struct copal_view {
  copal_bytes token;
  copal_bytes options; /* encoded; walk it with copal_options */
  copal_bytes payload;
  uint16_t message_id;
  uint8_t type; /* copal_type */
  uint8_t code;
  uint32_t absent; /* bit n % 32: option n is not there, and need not be looked for; 0 where nothing is known */
} copal_view;

/* Decodes a whole datagram; allocates nothing and checks every rule of RFC 7252 section 3 and RFC 8974 section 2.1.
 * On COPAL_ERR_DATAGRAM_SHORT and COPAL_ERR_VERSION view is untouched, since nothing in it can be trusted. On every
 * other error view holds type, code and message ID, which is what a Reset needs, and its other fields are empty. */
COPAL_API COPAL_MUST_CHECK copal_error copal_decode(const void *datagram, size_t size, copal_view *view);

/* One option of a message. value lives as long as the datagram. size is up to 65,804, hence its 32 bits. */
typedef struct copal_option {
  const uint8_t *value;
  uint32_t size;
  uint16_t number;
} copal_option;

/* A walk over decoded options, ascending by number, repeats in the order in which they were sent. */
typedef struct copal_options {
  const uint8_t *at, *end;
  size_t number; /* no narrower than the others, so that a copy need not wait for its parts */
} copal_options;

/* Begins a walk over the options of a decoded message. */
static inline copal_options copal_options_of(const copal_view *view) {
  copal_options walk = {view->options.data, view->options.data, 0};
  /* A view that nothing was decoded into has no data, and C has no NULL + 0. */
  if (view->options.size != 0) walk.end += view->options.size;
  return walk;
}

/* Steps to the next option; false at the end. The bytes were checked by copal_decode, so a walk cannot fail. */
static inline bool copal_options_next(copal_options *walk, copal_option *option) {
  if (walk->at == walk->end) return false;
  const uint8_t *at = walk->at;
  uint32_t delta = (uint32_t)(*at >> 4), size = (uint32_t)(*at & 15);
  ++at;
  if (delta >= 13 || size >= 13) {
    uint32_t delta_extension = delta < 13 ? 0 : delta - 12, size_extension = size < 13 ? 0 : size - 12;
    if (delta_extension == 1) delta = 13u + at[0];
    if (delta_extension == 2) delta = 269u + ((uint32_t)at[0] << 8 | at[1]);
    at += delta_extension;
    if (size_extension == 1) size = 13u + at[0];
    if (size_extension == 2) size = 269u + ((uint32_t)at[0] << 8 | at[1]);
    at += size_extension;
  }
  walk->number += delta;
  option->number = (uint16_t)walk->number;
  option->size = size;
  option->value = at;
  walk->at = at + size;
  return true;
}

/* Whether an option of that number may be there: false is certain, and nearly always known without a look. */
COPAL_API inline bool copal_may_have(const copal_view *view, uint16_t number) {
  return (view->absent >> (number & 31) & 1) == 0;
}

/* What stands behind copal_find and copal_find_uint, which are inline: a walk. */
COPAL_API bool copal_search(const copal_view *view, uint16_t number, copal_option *option);
COPAL_API uint32_t copal_search_uint(const copal_view *view, uint16_t number, uint32_t otherwise);

/* The first option of that number; false and option untouched where there is none. */
COPAL_API inline bool copal_find(const copal_view *view, uint16_t number, copal_option *option) {
  return copal_may_have(view, number) && copal_search(view, number, option);
}

/* The index-th option of the message in ascending order (coapy's `options`); false past the last. */
COPAL_API bool copal_option_index(const copal_view *view, size_t index, copal_option *option);

/* An unsigned value, RFC 7252 section 3.2: leading zeros allowed. Values longer than 4 bytes give UINT32_MAX. */
COPAL_API uint32_t copal_option_uint(const copal_option *option);

/* The unsigned value of the first option of that number with a legal size, or otherwise (absent, illegal). */
COPAL_API inline uint32_t copal_find_uint(const copal_view *view, uint16_t number, uint32_t otherwise) {
  return copal_may_have(view, number) ? copal_search_uint(view, number, otherwise) : otherwise;
}

/* --- Writing, in order ------------------------------------------------------------------------ */

/* Writes a message front to back. With buffer NULL it only counts: size is then what the message would need. */
typedef struct copal_encoder {
  uint8_t *buffer;
  size_t capacity;
  size_t size;          /* bytes written so far */
  uint32_t last_option; /* number of the last option written; above 65535 after a payload or an error */
  copal_error error;    /* the first error, or COPAL_OK */
} copal_encoder;

/* last_option once a payload was written: above every option number, so that one comparison refuses both an option out
 * of order and an option after the payload. */
#define COPAL_AFTER_PAYLOAD 65536u

/* What stands behind the three calls that follow, which are short cuts for what nearly every message is. These are
 * given a copy of the encoder: where its address goes nowhere, compilers keep it in registers from call to call. */
COPAL_API void copal_encode_any_header(copal_encoder *encoder, void *buffer, size_t capacity, copal_type type,
                                       uint8_t code, uint16_t message_id, const void *token, size_t token_size);
COPAL_API void copal_encode_any_option(copal_encoder *encoder, uint16_t number, const void *value, size_t size);
COPAL_API void copal_encode_any_payload(copal_encoder *encoder, const void *payload, size_t size);

/* memcpy for the short values that options have: below 17 bytes, two moves of a fixed size, which may overlap, cost
 * less than a call. from may be NULL where size is 0. */
COPAL_API inline void copal_copy(uint8_t *to, const uint8_t *from, size_t size) {
  if (size > 16) {
    memcpy(to, from, size);
  } else if (size >= 8) {
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + size - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + size - 8, &tail, 8);
  } else if (size >= 4) {
    uint32_t head, tail;
    memcpy(&head, from, 4);
    memcpy(&tail, from + size - 4, 4);
    memcpy(to, &head, 4);
    memcpy(to + size - 4, &tail, 4);
  } else if (size > 0) {
    uint8_t first = from[0], middle = from[size / 2], last = from[size - 1];
    to[0] = first;
    to[size / 2] = middle;
    to[size - 1] = last;
  }
}

/* Begins a message. token_size above 65,804 latches COPAL_ERR_TOKEN_SIZE. */
COPAL_API inline void copal_encode_begin(copal_encoder *encoder, void *buffer, size_t capacity, copal_type type,
                                         uint8_t code, uint16_t message_id, const void *token, size_t token_size) {
  if (token_size >= 13 || capacity < 4 + token_size || (unsigned)type > 3 || buffer == NULL ||
      (token == NULL && token_size > 0)) {
    copal_encoder begun;
    copal_encode_any_header(&begun, buffer, capacity, type, code, message_id, token, token_size);
    *encoder = begun;
    return;
  }
  uint8_t *at = (uint8_t *)buffer;
  at[0] = (uint8_t)(0x40 | (unsigned)type << 4 | (unsigned)token_size);
  at[1] = code;
  at[2] = (uint8_t)(message_id >> 8);
  at[3] = (uint8_t)message_id;
  copal_copy(at + 4, (const uint8_t *)token, token_size);
  encoder->buffer = at;
  encoder->capacity = capacity;
  encoder->size = 4 + token_size;
  encoder->last_option = 0;
  encoder->error = COPAL_OK;
}

/* Appends an option. A number below the last one, or after the payload, latches COPAL_ERR_OPTION_ORDER; a value above
 * 65,804 bytes latches COPAL_ERR_OPTION_VALUE. Value sizes of the registry are not enforced here: tests and proxies
 * need to write what they like.
 * The short cut is for a one-byte header, and what fits. One comparison of the delta finds that the number is in order,
 * no payload was written and no error latched, since it wraps round to a great one otherwise. */
COPAL_API inline void copal_encode_option(copal_encoder *encoder, uint16_t number, const void *value, size_t size) {
  uint32_t delta = number - encoder->last_option;
  if (delta >= 13 || size >= 13 || size >= encoder->capacity - encoder->size || encoder->buffer == NULL ||
      value == NULL) {
    copal_encoder appended = *encoder;
    copal_encode_any_option(&appended, number, value, size);
    *encoder = appended;
    return;
  }
  uint8_t *at = encoder->buffer + encoder->size;
  *at = (uint8_t)(delta << 4 | (uint32_t)size);
  encoder->size += 1 + size;
  encoder->last_option = number;
  copal_copy(at + 1, (const uint8_t *)value, size);
}

/* Appends an option with an unsigned value in its shortest form, RFC 7252 section 3.2. */
COPAL_API void copal_encode_uint(copal_encoder *encoder, uint16_t number, uint32_t value);

/* Appends the payload marker and the payload; nothing for size 0. A second one latches COPAL_ERR_OPTION_ORDER. */
COPAL_API inline void copal_encode_payload(copal_encoder *encoder, const void *payload, size_t size) {
  if (size == 0) return;
  if (encoder->last_option >= COPAL_AFTER_PAYLOAD || size >= encoder->capacity - encoder->size ||
      encoder->buffer == NULL || payload == NULL) {
    copal_encoder ended = *encoder;
    copal_encode_any_payload(&ended, payload, size);
    *encoder = ended;
    return;
  }
  encoder->buffer[encoder->size] = 0xff;
  memcpy(encoder->buffer + encoder->size + 1, payload, size);
  encoder->size += 1 + size;
  encoder->last_option = COPAL_AFTER_PAYLOAD;
}

/* --- Building, in any order ------------------------------------------------------------------- */

/* A message under construction: always a complete, encoded message in the caller's buffer, which the calls below
 * change in place, options kept sorted. So a size is known at every moment and sending needs no further step.
 * Type, message ID and an empty token may be stamped at sending. A call that latches an error changes nothing else, and
 * so do all calls after it. Tokens, values and payloads given must not lie in the message's own buffer (assert), but
 * for a payload in its room. */
typedef struct copal_message {
  uint8_t *buffer;
  size_t capacity;
  size_t size;          /* bytes of the encoded message */
  size_t options_at;    /* where options begin: after header and token */
  size_t payload_at;    /* where the payload begins; size when there is none */
  uint16_t last_option; /* greatest option number present, 0 for none */
  copal_error error;    /* the first error, or COPAL_OK */
} copal_message;

/* Begins a message without token, options and payload, message ID 0. capacity is at least 4 (assert). */
COPAL_API void copal_message_init(copal_message *message, void *buffer, size_t capacity, copal_type type, uint8_t code);

/* Begins with a copy of an encoded message, which may lie in buffer already. capacity is at least 4 (assert). Returns
 * copal_decode's errors, or COPAL_ERR_SPACE; message then latches the error and is an empty CON. */
COPAL_API COPAL_MUST_CHECK copal_error copal_message_copy(copal_message *message, void *buffer, size_t capacity,
                                                          const void *datagram, size_t size);

/* Sets the token, replacing an earlier one. Latches COPAL_ERR_TOKEN_SIZE or COPAL_ERR_SPACE. */
COPAL_API void copal_message_set_token(copal_message *message, const void *token, size_t size);

/* Adds an option behind those of the same number. Latches COPAL_ERR_OPTION_VALUE for a registered option of illegal
 * size, COPAL_ERR_OPTION_REPEATED for a second one of an option that may not be repeated, COPAL_ERR_SPACE. */
COPAL_API void copal_message_add(copal_message *message, uint16_t number, const void *value, size_t size);

/* Adds an unsigned value in its shortest form. The option's default (Max-Age 60) is left out, RFC 7252 5.4.4. */
COPAL_API void copal_message_add_uint(copal_message *message, uint16_t number, uint32_t value);
COPAL_API void copal_message_add_text(copal_message *message, uint16_t number, const char *text);

/* As add, without the registry's checks: for tests and for options of one's own. */
COPAL_API void copal_message_add_raw(copal_message *message, uint16_t number, const void *value, size_t size);

/* Drops all options of that number, then adds this one. Latches as add does. */
COPAL_API void copal_message_replace(copal_message *message, uint16_t number, const void *value, size_t size);

/* Removes all options of that number. COPAL_ERR_NOT_FOUND when there was none. */
COPAL_API copal_error copal_message_delete(copal_message *message, uint16_t number);

/* Sets the payload, replacing an earlier one; size 0 removes it. Latches COPAL_ERR_SPACE. */
COPAL_API void copal_message_set_payload(copal_message *message, const void *payload, size_t size);

/* Where a payload may be written in place: up to size_max bytes, for copal_message_set_payload with this very pointer,
 * which then copies nothing. Until an option or the token changes. NULL when there is no room. */
COPAL_API uint8_t *copal_message_payload_room(copal_message *message, size_t *size_max);

/* Sets the code. */
COPAL_API void copal_message_set_code(copal_message *message, uint8_t code);

/* Takes one hop off a request that a proxy is about to forward: Hop-Limit is decremented, and added where there is none
 * (RFC 8768 section 3). COPAL_ERR_HOP_LIMIT: answer 5.08 instead. COPAL_ERR_OPTION_VALUE: it is illegal, answer 4.00.
 * message is as it was then. A latched error is returned, COPAL_ERR_SPACE latched. */
COPAL_API COPAL_MUST_CHECK copal_error copal_message_hop(copal_message *message);

/* Whether a request's Hop-Limit, if any, is 1 to 255. Servers answer others 4.00. */
COPAL_API bool copal_hop_limit_is_legal(const copal_view *request);

/* The message as a view: valid until the message changes. */
COPAL_API copal_view copal_message_view(const copal_message *message);

/* --- Problem details, RFC 9290 ---------------------------------------------------------------- */

enum { COPAL_PROBLEM_OPTIONS_MAX = 8 };

/* What an error's payload of Content-Format COPAL_PROBLEM says. Texts are UTF-8, without a NUL; what is not said is
 * empty or 0. */
typedef struct copal_problem {
  copal_bytes title;                           /* the kind of problem: "Not Found" */
  copal_bytes detail;                          /* what it was this time */
  uint16_t options[COPAL_PROBLEM_OPTIONS_MAX]; /* numbers of the request's options that could not be processed */
  uint8_t options_count;
  uint8_t code; /* of the response */
} copal_problem;

/* Writes the payload, in the one form that deterministic CBOR has for it; a text is cut off before what is not UTF-8.
 * With buffer NULL it counts. Returns the size, 0 where nothing is said, or COPAL_ERR_SPACE. */
COPAL_API COPAL_MUST_CHECK int copal_problem_write(const copal_problem *problem, void *buffer, size_t capacity);

/* Reads a received payload; texts point into it. Entries that are not in copal_problem are passed over, as is a text
 * that is not UTF-8 or comes in chunks. false where the payload is not well-formed, nests more than 16 deep, or is
 * something else; problem is empty then. */
COPAL_API COPAL_MUST_CHECK bool copal_problem_read(copal_bytes payload, copal_problem *problem);

/* --- Text, for people ------------------------------------------------------------------------- */

/* One line: `CON POST 0x7d34 token 4a1b Uri-Path "temperature" | 6 bytes "22.3 C"`. NUL-terminated, never longer than
 * capacity: what does not fit ends in "...". Returns the length written. */
COPAL_API size_t copal_text_line(const copal_view *view, char *buffer, size_t capacity);

/* One option's value by its format: `"temperature"`, `60`, `0x1f2e`, `application/json (50)`, Block as 2/1/128. */
COPAL_API size_t copal_text_option(const copal_option *option, char *buffer, size_t capacity);

/* Block option values, RFC 7959 section 2.2. size is 16 << szx. */
typedef struct copal_block {
  uint32_t number;
  bool more;
  uint8_t szx; /* 0 to 7; 7 is reserved on UDP */
} copal_block;

/* A Block option's parts from its value, and its value from its parts. */
static inline copal_block copal_block_of(uint32_t value) {
  copal_block block = {value >> 4, (value & 8) != 0, (uint8_t)(value & 7)};
  return block;
}
static inline uint32_t copal_block_value(copal_block block) {
  return block.number << 4 | (block.more ? 8u : 0u) | block.szx;
}

#ifdef __cplusplus
}
#endif
#endif
