/* The first bytes of an encoded message, for those who stamp and compare them: type, message ID, token. The message
 * must be whole and well-formed. RFC 7252 section 3, RFC 8974 section 2.1. */
#ifndef COPAL_MESSAGE_HEADER_H
#define COPAL_MESSAGE_HEADER_H

#include <string.h>

#include "copal/message.h"
#include "message/wire.h"

enum { HEADER_SIZE = WIRE_HEADER_SIZE };

static inline uint8_t header_type(const uint8_t *message) { return (uint8_t)(message[0] >> 4 & 3); }

static inline uint8_t header_code(const uint8_t *message) { return message[1]; }

static inline uint16_t header_mid(const uint8_t *message) { return (uint16_t)(message[2] << 8 | message[3]); }

static inline void header_stamp(uint8_t *message, uint8_t type, uint16_t mid) {
  message[0] = (uint8_t)((message[0] & 0xcf) | type << 4);
  message[2] = (uint8_t)(mid >> 8);
  message[3] = (uint8_t)mid;
}

/* An empty message: an ACK, a Reset or a ping. */
static inline void header_empty(uint8_t message[HEADER_SIZE], uint8_t type, uint16_t mid) {
  message[0] = (uint8_t)(WIRE_VERSION | (unsigned)type << 4);
  message[1] = COPAL_EMPTY;
  message[2] = (uint8_t)(mid >> 8);
  message[3] = (uint8_t)mid;
}

static inline copal_bytes header_token(const uint8_t *message) {
  uint32_t nibble = message[0] & 15u;
  const uint8_t *at = message + HEADER_SIZE;
  copal_bytes token = {at + wire_announced_size(nibble), wire_extended(nibble, at)};
  return token;
}

/* The size of a message that has no token, once it has that one. */
static inline size_t header_size_with(copal_bytes message, copal_bytes token) {
  return message.size + token.size + wire_extension_size((uint32_t)token.size);
}

/* Copies a message, giving it that type and message ID and, where token is not empty, that token in place of none. */
static inline void header_copy(uint8_t *destination, copal_bytes message, uint8_t type, uint16_t mid,
                               copal_bytes token) {
  uint8_t *at = destination + HEADER_SIZE;
  memcpy(destination, message.data, HEADER_SIZE);
  header_stamp(destination, type, mid);
  if (token.size > 0) {
    destination[0] = (uint8_t)((destination[0] & 0xf0) | wire_nibble((uint32_t)token.size));
    at = wire_put_extension(at, (uint32_t)token.size);
    memcpy(at, token.data, token.size);
    at += token.size;
  }
  memcpy(at, message.data + HEADER_SIZE, message.size - HEADER_SIZE);
}

#endif
