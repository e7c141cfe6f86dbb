/* How lengths, deltas and unsigned values look in bytes: what decoder, encoder and builder share.
 *
 * Option deltas, option lengths and token lengths are written alike: a nibble, and 0, 1 or 2 bytes of extension. The
 * three ranges do not overlap, so every value has exactly one form, and a decoded message encodes to its own bytes.
 * Must not know messages or buffers' ends: callers check the space. Sources: RFC 7252 3.1 and 3.2, RFC 8974 2.1. */
#ifndef COPAL_MESSAGE_WIRE_H
#define COPAL_MESSAGE_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Version 1 in the two uppermost bits of the first byte, RFC 7252 section 3. */
#define WIRE_VERSION 0x40u
#define WIRE_HEADER_SIZE 4u
#define WIRE_PAYLOAD_MARKER 0xffu

/* Nibbles below 13 are the value itself; 13 and 14 say how many bytes of extension follow; 15 is reserved. */
#define WIRE_EXTENDED_1 13u
#define WIRE_EXTENDED_2 14u
#define WIRE_RESERVED 15u
#define WIRE_BASE_1 13u
#define WIRE_BASE_2 269u
#define WIRE_LENGTH_MAX (269u + 65535u)

static inline unsigned wire_nibble(uint32_t value) {
  return value < WIRE_BASE_1 ? (unsigned)value : value < WIRE_BASE_2 ? WIRE_EXTENDED_1 : WIRE_EXTENDED_2;
}

static inline size_t wire_extension_size(uint32_t value) {
  return (size_t)(value >= WIRE_BASE_1) + (size_t)(value >= WIRE_BASE_2);
}

/* How many bytes of extension a nibble announces; it is not the reserved one. */
static inline size_t wire_announced_size(uint32_t nibble) {
  return nibble < WIRE_EXTENDED_1 ? 0 : nibble - WIRE_EXTENDED_1 + 1;
}

/* The value of a nibble whose extension is at `at`. */
static inline uint32_t wire_extended(uint32_t nibble, const uint8_t *at) {
  if (nibble < WIRE_EXTENDED_1) return nibble;
  if (nibble == WIRE_EXTENDED_1) return WIRE_BASE_1 + at[0];
  return WIRE_BASE_2 + ((uint32_t)at[0] << 8 | at[1]);
}

/* Writes what follows the nibble; returns where the next byte goes. */
static inline uint8_t *wire_put_extension(uint8_t *at, uint32_t value) {
  if (value < WIRE_BASE_1) return at;
  if (value < WIRE_BASE_2) {
    *at = (uint8_t)(value - WIRE_BASE_1);
    return at + 1;
  }
  value -= WIRE_BASE_2;
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}

static inline size_t wire_option_header_size(uint32_t delta, uint32_t size) {
  return 1 + wire_extension_size(delta) + wire_extension_size(size);
}

static inline uint8_t *wire_put_option_header(uint8_t *at, uint32_t delta, uint32_t size) {
  *at = (uint8_t)(wire_nibble(delta) << 4 | wire_nibble(size));
  return wire_put_extension(wire_put_extension(at + 1, delta), size);
}

/* RFC 7252 3.2: "a sender SHOULD represent the integer with as few bytes as possible, i.e., without leading zero
 * bytes." Returns how many bytes it took. */
static inline size_t wire_put_uint(uint8_t bytes[4], uint32_t value) {
  size_t size = (size_t)(value > 0) + (size_t)(value > 0xff) + (size_t)(value > 0xffff) + (size_t)(value > 0xffffff);
  for (size_t index = size; index > 0; --index, value >>= 8) bytes[index - 1] = (uint8_t)value;
  return size;
}

#endif
