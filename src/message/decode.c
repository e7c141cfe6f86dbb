/* From bytes to a borrowed view, and what a view can be asked.
 *
 * The decoder goes over the bytes once and looks at each at most once; option values are skipped. Everything that a
 * walk over the options relies on is checked here, so that a walk cannot fail. It must not know what options mean, time
 * or peers: which errors are answered by a Reset and which by silence is the engine's affair. Sources: RFC 7252 section
 * 3, RFC 8974 section 2.1. */
#include <assert.h>

#include "copal/message.h"
#include "message/wire.h"

/* C99 6.7.4: these are the definitions for calls that are not inlined. */
extern inline bool copal_may_have(const copal_view *view, uint16_t number);
extern inline bool copal_find(const copal_view *view, uint16_t number, copal_option *option);
extern inline uint32_t copal_find_uint(const copal_view *view, uint16_t number, uint32_t otherwise);

static copal_error refuse(copal_view *view, copal_error error);

copal_error copal_decode(const void *datagram, size_t size, copal_view *view) {
  assert(view != NULL && (datagram != NULL || size == 0));
  const uint8_t *start = datagram;
  if (size < WIRE_HEADER_SIZE) return COPAL_ERR_DATAGRAM_SHORT;
  /* RFC 7252 3: "Messages with unknown version numbers MUST be silently ignored." */
  if (start[0] >> 6 != 1) return COPAL_ERR_VERSION;
  uint32_t token_nibble = start[0] & 15u;
  view->type = (uint8_t)(start[0] >> 4 & 3);
  view->code = start[1];
  view->message_id = (uint16_t)(start[2] << 8 | start[3]);
  /* RFC 7252 4.1: "The Token Length field MUST be set to 0 and bytes of data MUST NOT be present after the Message ID
   * field. If there are any bytes, they MUST be processed as a message format error." */
  if (view->code == COPAL_EMPTY && (token_nibble != 0 || size > WIRE_HEADER_SIZE)) {
    return refuse(view, COPAL_ERR_EMPTY_NOT_EMPTY);
  }

  size_t at = WIRE_HEADER_SIZE, token_size = token_nibble;
  if (token_nibble >= WIRE_EXTENDED_1) {
    /* RFC 8974 2.1: "15: Reserved. This value MUST NOT be sent and MUST be processed as a message-format error." */
    if (token_nibble == WIRE_RESERVED) return refuse(view, COPAL_ERR_TOKEN_RESERVED);
    at += wire_announced_size(token_nibble);
    if (at > size) return refuse(view, COPAL_ERR_TOKEN_LENGTH_CUT);
    token_size = wire_extended(token_nibble, start + WIRE_HEADER_SIZE);
  }
  if (token_size > size - at) return refuse(view, COPAL_ERR_TOKEN_CUT);
  view->token.data = start + at;
  view->token.size = token_size;
  at += token_size;

  /* Two things can wait until after the loop: a value past the end ends the loop by itself, and option numbers only
   * grow, short deltas too slowly to wrap round. */
  size_t options_at = at, options_end = size;
  uint32_t number = 0, seen = 0;
  while (at < size) {
    uint32_t head = start[at++], delta = head >> 4, length = head & 15;
    if (delta >= WIRE_EXTENDED_1 || length >= WIRE_EXTENDED_1) {
      if (head == WIRE_PAYLOAD_MARKER) {
        options_end = at - 1;
        break;
      }
      /* RFC 7252 3.1, of a delta of 15: "If the field is set to this value but the entire byte is not the payload
       * marker, this MUST be processed as a message format error." And of a length of 15: "If the field is set to this
       * value, it MUST be processed as a message format error." */
      if (delta == WIRE_RESERVED) return refuse(view, COPAL_ERR_OPTION_DELTA_RESERVED);
      if (length == WIRE_RESERVED) return refuse(view, COPAL_ERR_OPTION_LENGTH_RESERVED);
      size_t delta_size = wire_announced_size(delta), length_size = wire_announced_size(length);
      if (delta_size + length_size > size - at) return refuse(view, COPAL_ERR_OPTION_HEADER_CUT);
      delta = wire_extended(delta, start + at);
      length = wire_extended(length, start + at + delta_size);
      at += delta_size + length_size;
      if (number + delta > COPAL_OPTION_MAX) return refuse(view, COPAL_ERR_OPTION_NUMBER_RANGE);
    }
    number += delta;
    at += length;
    seen |= 1u << (number & 31);
  }
  if (number > COPAL_OPTION_MAX) return refuse(view, COPAL_ERR_OPTION_NUMBER_RANGE);
  if (at > size) return refuse(view, COPAL_ERR_OPTION_VALUE_CUT);
  /* RFC 7252 3: "The presence of a marker followed by a zero-length payload MUST be processed as a message format
   * error." */
  if (at == size && options_end != size) return refuse(view, COPAL_ERR_PAYLOAD_EMPTY);

  view->options.data = start + options_at;
  view->options.size = options_end - options_at;
  view->payload.data = start + at;
  view->payload.size = size - at;
  view->absent = ~seen;
  return COPAL_OK;
}

bool copal_search(const copal_view *view, uint16_t number, copal_option *option) {
  copal_options walk = copal_options_of(view);
  copal_option candidate;
  while (copal_options_next(&walk, &candidate) && candidate.number <= number) {
    if (candidate.number == number) {
      *option = candidate;
      return true;
    }
  }
  return false;
}

bool copal_option_index(const copal_view *view, size_t index, copal_option *option) {
  copal_options walk = copal_options_of(view);
  copal_option candidate;
  while (copal_options_next(&walk, &candidate)) {
    if (index-- == 0) {
      *option = candidate;
      return true;
    }
  }
  return false;
}

uint32_t copal_option_uint(const copal_option *option) {
  if (option->size > 4) return UINT32_MAX;
  /* RFC 7252 3.2: "A recipient MUST be prepared to process values with leading zero bytes." */
  uint32_t value = 0;
  for (uint32_t index = 0; index < option->size; ++index) value = value << 8 | option->value[index];
  return value;
}

uint32_t copal_search_uint(const copal_view *view, uint16_t number, uint32_t otherwise) {
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option) && option.number <= number) {
    /* RFC 7252 5.4.3: "If the length of an option value in a request is outside the defined range, that option MUST be
     * treated like an unrecognized option". So it does not hide a legal one after it. */
    if (option.number == number && copal_option_check(number, option.size) == COPAL_OK) {
      return copal_option_uint(&option);
    }
  }
  return otherwise;
}

/* Leaves in view what a Reset needs and nothing else. */
static copal_error refuse(copal_view *view, copal_error error) {
  copal_bytes none = {NULL, 0};
  view->token = view->options = view->payload = none;
  view->absent = 0;
  return error;
}
