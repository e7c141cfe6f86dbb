/* Building a message in any order: it lies encoded in the caller's buffer at every moment, and each call edits it in
 * place. Putting an option into the middle or taking one out changes the delta of the option that follows, whose header
 * may so grow or shrink by up to 2 bytes; both are done in one move of what comes after.
 *
 * Space and legality are checked before the first byte moves, so that a refused call leaves the message as it was.
 * Must not know time, peers, or what options mean beyond the registry. Sources: RFC 7252 sections 3, 5.4.3 and 5.4.5,
 * RFC 8974 section 2.1. */
#include <assert.h>

#include "copal/message.h"
#include "message/wire.h"

/* The options of one number within a message, and what is around them. Where there are none, start and end are both
 * where the first would go. */
typedef struct span {
  size_t start, end;
  uint32_t previous;    /* number of the option before them, 0 for none */
  uint32_t next;        /* number of the option after them */
  uint32_t next_length; /* its value's size */
  size_t next_value_at; /* where its value begins; 0 when no option comes after */
} span;

static void add_checked(copal_message *message, const copal_option_info *info, uint16_t number, const void *value,
                        size_t size);
static bool is_present(const copal_message *message, uint16_t number);
static void insert(copal_message *message, uint16_t number, const void *value, size_t size);
static void append(copal_message *message, uint16_t number, const void *value, size_t size);
static void put(copal_message *message, const span *place, uint16_t number, const void *value, size_t size);
static span locate(const copal_message *message, uint16_t number);
static bool splice(copal_message *message, size_t at, size_t old_size, size_t new_size);
static size_t options_end(const copal_message *message);
static void latch(copal_message *message, copal_error error);
static inline void check_given(const copal_message *message, const void *data, size_t size);

void copal_message_init(copal_message *message, void *buffer, size_t capacity, copal_type type, uint8_t code) {
  assert(message != NULL && buffer != NULL && capacity >= WIRE_HEADER_SIZE && (unsigned)type <= 3);
  message->buffer = buffer;
  message->capacity = capacity;
  message->size = message->options_at = message->payload_at = WIRE_HEADER_SIZE;
  message->last_option = 0;
  message->error = COPAL_OK;
  message->buffer[0] = (uint8_t)(WIRE_VERSION | (unsigned)type << 4);
  message->buffer[1] = code;
  message->buffer[2] = message->buffer[3] = 0;
}

copal_error copal_message_copy(copal_message *message, void *buffer, size_t capacity, const void *datagram,
                               size_t size) {
  copal_view view;
  copal_error error = copal_decode(datagram, size, &view);
  if (error == COPAL_OK && size > capacity) error = COPAL_ERR_SPACE;
  if (error != COPAL_OK) {
    copal_message_init(message, buffer, capacity, COPAL_CON, COPAL_EMPTY);
    message->error = error;
    return error;
  }
  const uint8_t *start = datagram;
  message->buffer = buffer;
  message->capacity = capacity;
  message->size = size;
  message->options_at = (size_t)(view.options.data - start);
  message->payload_at = (size_t)(view.payload.data - start);
  message->last_option = 0;
  message->error = COPAL_OK;
  copal_options walk = copal_options_of(&view);
  copal_option option;
  while (copal_options_next(&walk, &option)) message->last_option = option.number;
  memmove(buffer, datagram, size);
  return COPAL_OK;
}

void copal_message_set_token(copal_message *message, const void *token, size_t size) {
  check_given(message, token, size);
  if (message->error != COPAL_OK) return;
  if (size > WIRE_LENGTH_MAX) {
    latch(message, COPAL_ERR_TOKEN_SIZE);
    return;
  }
  /* How most messages are built: the token of one that has nothing else yet. */
  if (size < WIRE_EXTENDED_1 && message->size == WIRE_HEADER_SIZE && size <= message->capacity - WIRE_HEADER_SIZE) {
    message->buffer[0] = (uint8_t)((message->buffer[0] & 0xf0u) | size);
    message->size = message->options_at = message->payload_at = WIRE_HEADER_SIZE + size;
    copal_copy(message->buffer + WIRE_HEADER_SIZE, token, size);
    return;
  }
  uint32_t length = (uint32_t)size;
  size_t old_size = message->options_at - WIRE_HEADER_SIZE, new_size = wire_extension_size(length) + size;
  if (!splice(message, WIRE_HEADER_SIZE, old_size, new_size)) return;
  message->options_at = WIRE_HEADER_SIZE + new_size;
  message->buffer[0] = (uint8_t)((message->buffer[0] & 0xf0u) | wire_nibble(length));
  copal_copy(wire_put_extension(message->buffer + WIRE_HEADER_SIZE, length), token, size);
}

void copal_message_add(copal_message *message, uint16_t number, const void *value, size_t size) {
  check_given(message, value, size);
  add_checked(message, copal_option_by_number(number), number, value, size);
}

static bool is_default(const copal_option_info *info, uint32_t value) {
  if (info == NULL || info->initial[0] == 0) return false;
  uint32_t initial = 0;
  for (const char *digit = info->initial; *digit != 0; ++digit) initial = initial * 10 + (uint32_t)(*digit - '0');
  return value == initial;
}

void copal_message_add_uint(copal_message *message, uint16_t number, uint32_t value) {
  /* RFC 7252 5.4.4: "If the value of an option is intended to be this default value, the option SHOULD NOT be included
   * in the message." */
  const copal_option_info *info = copal_option_by_number(number);
  if (is_default(info, value)) return;
  uint8_t bytes[4];
  size_t size = wire_put_uint(bytes, value);
  add_checked(message, info, number, bytes, size);
}

void copal_message_add_text(copal_message *message, uint16_t number, const char *text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  copal_message_add(message, number, text, size);
}

void copal_message_add_raw(copal_message *message, uint16_t number, const void *value, size_t size) {
  check_given(message, value, size);
  if (message->error == COPAL_OK) insert(message, number, value, size);
}

void copal_message_replace(copal_message *message, uint16_t number, const void *value, size_t size) {
  check_given(message, value, size);
  if (message->error != COPAL_OK) return;
  if (copal_option_check(number, size) != COPAL_OK) {
    latch(message, COPAL_ERR_OPTION_VALUE);
    return;
  }
  span place = locate(message, number);
  put(message, &place, number, value, size);
}

copal_error copal_message_delete(copal_message *message, uint16_t number) {
  if (message->error != COPAL_OK) return message->error;
  span place = locate(message, number);
  if (place.start == place.end) return COPAL_ERR_NOT_FOUND;
  if (place.next_value_at == 0) {
    splice(message, place.start, place.end - place.start, 0);
    message->last_option = (uint16_t)place.previous;
    return COPAL_OK;
  }
  /* A delta's header is never longer than those of two deltas that add up to it, so this always fits. */
  uint32_t delta = place.next - place.previous;
  bool fits = splice(message, place.start, place.next_value_at - place.start,
                     wire_option_header_size(delta, place.next_length));
  assert(fits);
  (void)fits;
  wire_put_option_header(message->buffer + place.start, delta, place.next_length);
  return COPAL_OK;
}

uint8_t *copal_message_payload_room(copal_message *message, size_t *size_max) {
  size_t at = options_end(message) + 1;
  bool usable = message->error == COPAL_OK && at < message->capacity;
  *size_max = usable ? message->capacity - at : 0;
  return usable ? message->buffer + at : NULL;
}

void copal_message_set_payload(copal_message *message, const void *payload, size_t size) {
  if (message->error != COPAL_OK) return;
  size_t at = options_end(message);
  bool in_place = size > 0 && at < message->capacity && payload == message->buffer + at + 1;
  if (!in_place) check_given(message, payload, size);
  if (size == 0) {
    message->size = message->payload_at = at;
    return;
  }
  if (size >= message->capacity - at) {
    latch(message, COPAL_ERR_SPACE);
    return;
  }
  message->buffer[at] = WIRE_PAYLOAD_MARKER;
  if (!in_place) memcpy(message->buffer + at + 1, payload, size);
  message->payload_at = at + 1;
  message->size = at + 1 + size;
}

void copal_message_set_code(copal_message *message, uint8_t code) {
  if (message->error == COPAL_OK) message->buffer[1] = code;
}

copal_view copal_message_view(const copal_message *message) {
  const uint8_t *start = message->buffer;
  uint32_t nibble = start[0] & 15u;
  size_t token_at = WIRE_HEADER_SIZE + wire_announced_size(nibble);
  copal_view view = {
      .token = {start + token_at, message->options_at - token_at},
      .options = {start + message->options_at, options_end(message) - message->options_at},
      .payload = {start + message->payload_at, message->size - message->payload_at},
      .message_id = (uint16_t)(start[2] << 8 | start[3]),
      .type = (uint8_t)(start[0] >> 4 & 3),
      .code = start[1],
  };
  return view;
}

/* info: what the registry says of that number, or NULL. */
static void add_checked(copal_message *message, const copal_option_info *info, uint16_t number, const void *value,
                        size_t size) {
  if (message->error != COPAL_OK) return;
  if (info != NULL && (size < info->size_min || size > info->size_max)) {
    latch(message, COPAL_ERR_OPTION_VALUE);
    return;
  }
  /* RFC 7252 5.4.5: "An option that is not repeatable MUST NOT be included more than once in a message." */
  if (info != NULL && !info->repeatable && number <= message->last_option && is_present(message, number)) {
    latch(message, COPAL_ERR_OPTION_REPEATED);
    return;
  }
  insert(message, number, value, size);
}

static bool is_present(const copal_message *message, uint16_t number) {
  span place = locate(message, number);
  return place.start != place.end;
}

/* Puts an option behind all whose number is not greater. */
static void insert(copal_message *message, uint16_t number, const void *value, size_t size) {
  if (number >= message->last_option && message->payload_at == message->size) {
    append(message, number, value, size);
    return;
  }
  span place = locate(message, number);
  if (place.start != place.end) place.previous = number;
  place.start = place.end;
  put(message, &place, number, value, size);
}

/* How most messages are built: the next option goes behind everything, so that nothing is looked for or moved. */
static void append(copal_message *message, uint16_t number, const void *value, size_t size) {
  if (size > WIRE_LENGTH_MAX) {
    latch(message, COPAL_ERR_OPTION_VALUE);
    return;
  }
  uint32_t delta = (uint32_t)(number - message->last_option), length = (uint32_t)size;
  size_t need = wire_option_header_size(delta, length) + size;
  if (need > message->capacity - message->size) {
    latch(message, COPAL_ERR_SPACE);
    return;
  }
  copal_copy(wire_put_option_header(message->buffer + message->size, delta, length), value, size);
  message->size += need;
  message->payload_at = message->size;
  message->last_option = number;
}

/* Writes an option in the place of a span, and the header of the next one anew. */
static void put(copal_message *message, const span *place, uint16_t number, const void *value, size_t size) {
  if (size > WIRE_LENGTH_MAX) {
    latch(message, COPAL_ERR_OPTION_VALUE);
    return;
  }
  uint32_t delta = number - place->previous, length = (uint32_t)size, next_delta = place->next - number;
  bool last = place->next_value_at == 0;
  size_t old_size = (last ? place->end : place->next_value_at) - place->start;
  size_t new_size = wire_option_header_size(delta, length) + size;
  if (!last) new_size += wire_option_header_size(next_delta, place->next_length);
  if (!splice(message, place->start, old_size, new_size)) return;

  uint8_t *at = wire_put_option_header(message->buffer + place->start, delta, length);
  copal_copy(at, value, size);
  if (last) {
    message->last_option = number;
  } else {
    wire_put_option_header(at + size, next_delta, place->next_length);
  }
}

static span locate(const copal_message *message, uint16_t number) {
  copal_view view = copal_message_view(message);
  copal_options walk = copal_options_of(&view);
  copal_option option;
  span place = {.start = message->options_at, .end = message->options_at};
  while (copal_options_next(&walk, &option)) {
    size_t behind = (size_t)(walk.at - message->buffer);
    if (option.number > number) {
      place.next = option.number;
      place.next_length = option.size;
      place.next_value_at = (size_t)(option.value - message->buffer);
      break;
    }
    place.end = behind;
    if (option.number < number) {
      place.previous = option.number;
      place.start = behind;
    }
  }
  return place;
}

/* Makes old_size bytes at a place new_size bytes, moving what follows. The gap's bytes are left to the caller. */
static bool splice(copal_message *message, size_t at, size_t old_size, size_t new_size) {
  assert(at + old_size <= message->size);
  if (new_size > old_size && new_size - old_size > message->capacity - message->size) {
    latch(message, COPAL_ERR_SPACE);
    return false;
  }
  size_t tail = message->size - at - old_size;
  if (tail != 0 && new_size != old_size) {
    memmove(message->buffer + at + new_size, message->buffer + at + old_size, tail);
  }
  message->size = message->size - old_size + new_size;
  message->payload_at = message->payload_at - old_size + new_size;
  return true;
}

/* A payload has its marker before it; without one, payload_at is the message's end. */
static size_t options_end(const copal_message *message) {
  return message->payload_at == message->size ? message->size : message->payload_at - 1;
}

static void latch(copal_message *message, copal_error error) { message->error = error; }

/* What is given must not move while it is being put in its place. */
static inline void check_given(const copal_message *message, const void *data, size_t size) {
  uintptr_t start = (uintptr_t)message->buffer, given = (uintptr_t)data;
  assert(data != NULL || size == 0);
  assert(size == 0 || (given >= start ? given - start >= message->capacity : start - given >= size));
  (void)start, (void)given, (void)size;
}
