/* Writing a message front to back, options in ascending order, into the caller's buffer or into none at all to learn
 * the size. The first error is latched and everything after it does nothing.
 *
 * Must not know the option registry: proxies and tests write what they like. Sources: RFC 7252 section 3, RFC 8974 2.1.
 */
#include <assert.h>

#include "copal/message.h"
#include "message/wire.h"

/* last_option once an error was latched: so far above COPAL_AFTER_PAYLOAD that no option looks like the next one. */
#define AFTER_ERROR (UINT32_MAX / 2)

/* C99 6.7.4: these are the definitions for calls that are not inlined. */
extern inline void copal_copy(uint8_t *to, const uint8_t *from, size_t size);
extern inline void copal_encode_begin(copal_encoder *encoder, void *buffer, size_t capacity, copal_type type,
                                      uint8_t code, uint16_t message_id, const void *token, size_t token_size);
extern inline void copal_encode_option(copal_encoder *encoder, uint16_t number, const void *value, size_t size);
extern inline void copal_encode_payload(copal_encoder *encoder, const void *payload, size_t size);

static void latch(copal_encoder *encoder, copal_error error);

void copal_encode_any_header(copal_encoder *encoder, void *buffer, size_t capacity, copal_type type, uint8_t code,
                             uint16_t message_id, const void *token, size_t token_size) {
  assert(encoder != NULL && (unsigned)type <= 3 && (token != NULL || token_size == 0));
  encoder->buffer = buffer;
  encoder->capacity = buffer == NULL ? SIZE_MAX : capacity;
  encoder->size = 0;
  encoder->last_option = 0;
  encoder->error = COPAL_OK;
  if (token_size > WIRE_LENGTH_MAX) {
    latch(encoder, COPAL_ERR_TOKEN_SIZE);
    return;
  }
  uint32_t length = (uint32_t)token_size;
  size_t size = WIRE_HEADER_SIZE + wire_extension_size(length) + length;
  if (size > encoder->capacity) {
    latch(encoder, COPAL_ERR_SPACE);
    return;
  }
  encoder->size = size;
  if (buffer == NULL) return;
  uint8_t *at = buffer;
  at[0] = (uint8_t)(WIRE_VERSION | (unsigned)type << 4 | wire_nibble(length));
  at[1] = code;
  at[2] = (uint8_t)(message_id >> 8);
  at[3] = (uint8_t)message_id;
  at = wire_put_extension(at + WIRE_HEADER_SIZE, length);
  copal_copy(at, token, token_size);
}

void copal_encode_uint(copal_encoder *encoder, uint16_t number, uint32_t value) {
  uint8_t bytes[4];
  size_t size = wire_put_uint(bytes, value);
  copal_encode_option(encoder, number, bytes, size);
}

void copal_encode_any_payload(copal_encoder *encoder, const void *payload, size_t size) {
  assert(payload != NULL || size == 0);
  if (encoder->error != COPAL_OK || size == 0) return;
  if (encoder->last_option == COPAL_AFTER_PAYLOAD) {
    latch(encoder, COPAL_ERR_OPTION_ORDER);
    return;
  }
  /* Not 1 + size: that could wrap round. */
  if (size >= encoder->capacity - encoder->size) {
    latch(encoder, COPAL_ERR_SPACE);
    return;
  }
  if (encoder->buffer != NULL) {
    encoder->buffer[encoder->size] = WIRE_PAYLOAD_MARKER;
    memcpy(encoder->buffer + encoder->size + 1, payload, size);
  }
  encoder->size += 1 + size;
  encoder->last_option = COPAL_AFTER_PAYLOAD;
}

/* RFC 7252 3.1: "the instances MUST appear in order of their Option Numbers and a delta encoding is used between
 * them". */
void copal_encode_any_option(copal_encoder *encoder, uint16_t number, const void *value, size_t size) {
  assert(value != NULL || size == 0);
  if (encoder->error != COPAL_OK) return;
  if (number < encoder->last_option) {
    latch(encoder, COPAL_ERR_OPTION_ORDER);
    return;
  }
  if (size > WIRE_LENGTH_MAX) {
    latch(encoder, COPAL_ERR_OPTION_VALUE);
    return;
  }
  uint32_t delta = number - encoder->last_option, length = (uint32_t)size;
  size_t need = wire_option_header_size(delta, length) + size;
  if (need > encoder->capacity - encoder->size) {
    latch(encoder, COPAL_ERR_SPACE);
    return;
  }
  if (encoder->buffer != NULL) {
    uint8_t *at = wire_put_option_header(encoder->buffer + encoder->size, delta, length);
    copal_copy(at, (const uint8_t *)value, size);
  }
  encoder->size += need;
  encoder->last_option = number;
}

static void latch(copal_encoder *encoder, copal_error error) {
  encoder->error = error;
  encoder->last_option = AFTER_ERROR;
}
