/* A datagram taken apart. It is the second reader of this format beside copal_decode, since that one stops at the first
 * error and tells no position; a fuzz target sees to it that both agree. Knows nothing of what options mean. */
#include "cli/capture/dissect.h"

enum { HEADER_SIZE = 4, EXTENDED_1 = 13, EXTENDED_2 = 14, RESERVED = 15, MARKER = 0xff };

static const struct rule rules[] = {
    {COPAL_ERR_DATAGRAM_SHORT, "RFC 7252 3", "The message format starts with a fixed-size 4-byte header."},
    {COPAL_ERR_VERSION, "RFC 7252 3", "Messages with unknown version numbers MUST be silently ignored."},
    {COPAL_ERR_TOKEN_RESERVED, "RFC 8974 2.1",
     "15: Reserved. This value MUST NOT be sent and MUST be processed as a message-format error."},
    {COPAL_ERR_TOKEN_LENGTH_CUT, "RFC 8974 2.1",
     "13: An 8-bit unsigned integer directly precedes the \"Token\" field and indicates the length of the \"Token\" "
     "field minus 13. 14: A 16-bit unsigned integer in network byte order directly precedes the \"Token\" field"},
    {COPAL_ERR_TOKEN_CUT, "RFC 7252 3", "Indicates the length of the variable-length Token field"},
    {COPAL_ERR_OPTION_DELTA_RESERVED, "RFC 7252 3.1",
     "If the field is set to this value but the entire byte is not the payload marker, this MUST be processed as a "
     "message format error."},
    {COPAL_ERR_OPTION_LENGTH_RESERVED, "RFC 7252 3.1",
     "If the field is set to this value, it MUST be processed as a message format error."},
    {COPAL_ERR_OPTION_HEADER_CUT, "RFC 7252 3.1",
     "13: An 8-bit unsigned integer follows the initial byte and indicates the Option Delta minus 13. 14: A 16-bit "
     "unsigned integer in network byte order follows the initial byte"},
    {COPAL_ERR_OPTION_NUMBER_RANGE, "RFC 7252 12.2",
     "The option numbers between 65000 and 65535 inclusive are reserved for experiments."},
    {COPAL_ERR_OPTION_VALUE_CUT, "RFC 7252 3.1", "Value: A sequence of exactly Option Length bytes."},
    {COPAL_ERR_PAYLOAD_EMPTY, "RFC 7252 3",
     "The presence of a marker followed by a zero-length payload MUST be processed as a message format error."},
    {COPAL_ERR_EMPTY_NOT_EMPTY, "RFC 7252 4.1",
     "The Token Length field MUST be set to 0 and bytes of data MUST NOT be present after the Message ID field. If "
     "there are any bytes, they MUST be processed as a message format error."},
};

static copal_error header_error(copal_bytes datagram);
static bool take_first(struct dissection *dissection, struct part *part);
static bool take_header(struct dissection *dissection, struct part *part);
static bool take_token_size(struct dissection *dissection, struct part *part);
static bool take_token(struct dissection *dissection, struct part *part);
static bool take_option(struct dissection *dissection, struct part *part);
static bool take_value(struct dissection *dissection, struct part *part);
static bool take_marker(struct dissection *dissection, struct part *part);
static bool take(struct dissection *dissection, struct part *part, size_t size, enum part_kind next);
static bool refuse(struct dissection *dissection, struct part *part, copal_error error, size_t size);
static size_t left(const struct dissection *dissection);
static size_t extension_size(uint32_t nibble);
static uint32_t extended(uint32_t nibble, const uint8_t *at);
static uint32_t token_nibble(const struct dissection *dissection);

struct dissection dissect(copal_bytes datagram) {
  struct dissection dissection = {.datagram = datagram, .next = PART_FIRST};
  dissection.header_error = header_error(datagram);
  return dissection;
}

bool dissect_next(struct dissection *dissection, struct part *part) {
  *part = (struct part){.kind = dissection->next, .offset = dissection->at};
  switch (dissection->next) {
    case PART_FIRST: return take_first(dissection, part);
    case PART_CODE:
    case PART_MESSAGE_ID: return take_header(dissection, part);
    case PART_TOKEN_SIZE: return take_token_size(dissection, part);
    case PART_TOKEN: return take_token(dissection, part);
    case PART_OPTION: return take_option(dissection, part);
    case PART_VALUE: return take_value(dissection, part);
    case PART_MARKER: return take_marker(dissection, part);
    case PART_WRONG: return refuse(dissection, part, dissection->header_error, left(dissection));
    case PART_PAYLOAD:
    case PART_REST: return left(dissection) > 0 && take(dissection, part, left(dissection), PART_REST);
  }
  return false;
}

const struct rule *dissect_rule(copal_error error) {
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; ++i) {
    if (rules[i].error == error) return &rules[i];
  }
  return NULL;
}

/* What is wrong with the header as a whole, in the decoder's order. */
static copal_error header_error(copal_bytes datagram) {
  if (datagram.size < HEADER_SIZE) return COPAL_ERR_DATAGRAM_SHORT;
  if (datagram.data[0] >> 6 != 1) return COPAL_ERR_VERSION;
  uint32_t nibble = datagram.data[0] & 15u;
  if (datagram.data[1] == COPAL_EMPTY && (nibble != 0 || datagram.size > HEADER_SIZE)) {
    return COPAL_ERR_EMPTY_NOT_EMPTY;
  }
  return nibble == RESERVED ? COPAL_ERR_TOKEN_RESERVED : COPAL_OK;
}

static bool take_first(struct dissection *dissection, struct part *part) {
  copal_error error = dissection->header_error;
  if (left(dissection) == 0) return refuse(dissection, part, error, 0);
  /* Another version means another format, so nothing behind it can be read. */
  if (dissection->datagram.data[0] >> 6 != 1) return refuse(dissection, part, COPAL_ERR_VERSION, 1);
  bool is_token_length = error == COPAL_ERR_EMPTY_NOT_EMPTY && token_nibble(dissection) != 0;
  if (error != COPAL_ERR_TOKEN_RESERVED && !is_token_length) return take(dissection, part, 1, PART_CODE);
  refuse(dissection, part, error, 1);
  dissection->next = PART_CODE;
  return true;
}

static bool take_header(struct dissection *dissection, struct part *part) {
  size_t size = part->kind == PART_CODE ? 1 : 2;
  if (left(dissection) < size) return refuse(dissection, part, COPAL_ERR_DATAGRAM_SHORT, left(dissection));
  if (part->kind == PART_CODE) return take(dissection, part, size, PART_MESSAGE_ID);
  if (dissection->error != COPAL_OK) return take(dissection, part, size, PART_REST);
  take(dissection, part, size, PART_TOKEN_SIZE);
  if (dissection->header_error == COPAL_ERR_EMPTY_NOT_EMPTY) dissection->next = PART_WRONG;
  return true;
}

static bool take_token_size(struct dissection *dissection, struct part *part) {
  size_t size = extension_size(token_nibble(dissection));
  if (size > left(dissection)) return refuse(dissection, part, COPAL_ERR_TOKEN_LENGTH_CUT, left(dissection));
  if (size > 0) return take(dissection, part, size, PART_TOKEN);
  part->kind = dissection->next = PART_TOKEN;
  return take_token(dissection, part);
}

static bool take_token(struct dissection *dissection, struct part *part) {
  size_t size = extended(token_nibble(dissection), dissection->datagram.data + HEADER_SIZE);
  if (size > left(dissection)) {
    part->size_promised = size;
    return refuse(dissection, part, COPAL_ERR_TOKEN_CUT, left(dissection));
  }
  if (size > 0) return take(dissection, part, size, PART_OPTION);
  part->kind = dissection->next = PART_OPTION;
  return take_option(dissection, part);
}

static bool take_option(struct dissection *dissection, struct part *part) {
  const uint8_t *at = dissection->datagram.data + dissection->at;
  if (left(dissection) == 0) return false;
  if (at[0] == MARKER) {
    part->kind = PART_MARKER;
    return take_marker(dissection, part);
  }
  uint32_t delta = (uint32_t)(at[0] >> 4), length = at[0] & 15u;
  if (delta == RESERVED) return refuse(dissection, part, COPAL_ERR_OPTION_DELTA_RESERVED, 1);
  if (length == RESERVED) return refuse(dissection, part, COPAL_ERR_OPTION_LENGTH_RESERVED, 1);
  size_t delta_size = extension_size(delta), size = 1 + delta_size + extension_size(length);
  if (size > left(dissection)) return refuse(dissection, part, COPAL_ERR_OPTION_HEADER_CUT, left(dissection));
  part->delta = extended(delta, at + 1);
  uint32_t value_size = extended(length, at + 1 + delta_size);
  if (dissection->number + part->delta > COPAL_OPTION_MAX) {
    return refuse(dissection, part, COPAL_ERR_OPTION_NUMBER_RANGE, size);
  }
  dissection->number += part->delta;
  part->option = (copal_option){at + size, value_size, (uint16_t)dissection->number};
  dissection->option = part->option;
  return take(dissection, part, size, value_size > 0 ? PART_VALUE : PART_OPTION);
}

static bool take_value(struct dissection *dissection, struct part *part) {
  part->option = dissection->option;
  if (part->option.size <= left(dissection)) return take(dissection, part, part->option.size, PART_OPTION);
  part->size_promised = part->option.size;
  return refuse(dissection, part, COPAL_ERR_OPTION_VALUE_CUT, left(dissection));
}

static bool take_marker(struct dissection *dissection, struct part *part) {
  if (left(dissection) == 1) return refuse(dissection, part, COPAL_ERR_PAYLOAD_EMPTY, 1);
  return take(dissection, part, 1, PART_PAYLOAD);
}

static bool take(struct dissection *dissection, struct part *part, size_t size, enum part_kind next) {
  part->bytes = (copal_bytes){dissection->datagram.data + dissection->at, size};
  dissection->at += size;
  dissection->next = next;
  return true;
}

static bool refuse(struct dissection *dissection, struct part *part, copal_error error, size_t size) {
  part->kind = PART_WRONG;
  part->error = dissection->error = error;
  part->bytes.size = size;
  if (size > 0) part->bytes.data = dissection->datagram.data + dissection->at;
  dissection->at += size;
  dissection->next = PART_REST;
  return true;
}

static size_t left(const struct dissection *dissection) { return dissection->datagram.size - dissection->at; }

static size_t extension_size(uint32_t nibble) { return nibble < EXTENDED_1 ? 0 : nibble - EXTENDED_1 + 1; }

/* RFC 7252 3.1 and RFC 8974 2.1: the value of a nibble, or of the bytes that it announces. */
static uint32_t extended(uint32_t nibble, const uint8_t *at) {
  if (nibble < EXTENDED_1) return nibble;
  if (nibble == EXTENDED_1) return 13u + at[0];
  return 269u + ((uint32_t)at[0] << 8 | at[1]);
}

static uint32_t token_nibble(const struct dissection *dissection) { return dissection->datagram.data[0] & 15u; }
