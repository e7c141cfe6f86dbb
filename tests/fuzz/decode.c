/* Fuzzing the codec with libFuzzer: an input is a datagram. What decodes is walked, looked into, shown as text, and
 * must encode and copy to its own bytes, for every message has one form only. Then the same bytes, read as a list of
 * edits, are done to a message in a small buffer, which must stay a valid message whose own account of itself is right.
 *
 * Built with clang -fsanitize=fuzzer,address,undefined; seeds are in corpus/decode. */
#include <stdlib.h>
#include <string.h>

#include "copal/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

static bool lies_within(const void *part, size_t part_size, const uint8_t *whole, size_t whole_size) {
  const uint8_t *start = part;
  return start >= whole && part_size <= whole_size && (size_t)(start - whole) <= whole_size - part_size;
}

static void look_into(const copal_view *view, const uint8_t *data, size_t size) {
  copal_options walk = copal_options_of(view);
  copal_option option, found;
  uint32_t before = 0;
  size_t count = 0;
  unsigned sum = 0;
  while (copal_options_next(&walk, &option)) {
    require(option.number >= before);
    require(lies_within(option.value, option.size, data, size));
    for (uint32_t index = 0; index < option.size; ++index) sum += option.value[index];
    if (count == 0 || option.number != before) {
      require(copal_find(view, option.number, &found) && found.value == option.value && found.size == option.size);
    }
    if (count < 16) require(copal_option_index(view, count, &found) && found.value == option.value);
    copal_find_uint(view, option.number, sum);
    before = option.number;
    ++count;
    char text[64];
    size_t capacity = sum % sizeof text;
    size_t length = copal_text_option(&option, text, capacity);
    require(capacity == 0 ? length == 0 : length < capacity && text[length] == '\0');
  }
  require(!copal_option_index(view, count, &found));
  char line[600];
  size_t length = copal_text_line(view, line, sizeof line);
  require(length < sizeof line && strlen(line) == length && strchr(line, '\n') == NULL);
}

static void encode_again(const copal_view *view, const uint8_t *data, size_t size) {
  uint8_t *buffer = malloc(size);
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, size, (copal_type)view->type, view->code, view->message_id, view->token.data,
                     view->token.size);
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) copal_encode_option(&encoder, option.number, option.value, option.size);
  copal_encode_payload(&encoder, view->payload.data, view->payload.size);
  require(encoder.error == COPAL_OK && encoder.size == size && memcmp(buffer, data, size) == 0);
  free(buffer);
}

static void require_sound(const copal_message *message) {
  copal_view decoded, view = copal_message_view(message);
  require(message->size <= message->capacity);
  require(copal_decode(message->buffer, message->size, &decoded) == COPAL_OK);
  require(decoded.token.data == view.token.data && decoded.token.size == view.token.size);
  require(decoded.options.data == view.options.data && decoded.options.size == view.options.size);
  require(decoded.payload.data == view.payload.data && decoded.payload.size == view.payload.size);
  copal_options walk = copal_options_of(&view);
  copal_option option = {NULL, 0, 0};
  while (copal_options_next(&walk, &option)) continue;
  require(message->last_option == option.number);
}

static size_t count_of(const copal_message *message, uint16_t number) {
  copal_view view = copal_message_view(message);
  copal_options walk = copal_options_of(&view);
  copal_option option;
  size_t count = 0;
  while (copal_options_next(&walk, &option)) count += option.number == number;
  return count;
}

/* Options that lie close together and far apart, registered and not. */
static uint16_t number_of(uint8_t selector) {
  static const uint16_t numbers[] = {1, 4, 11, 12, 14, 23, 24, 60, 258, 269, 292, 550, 2049, 65000, 65535, 0};
  return selector < 128 ? numbers[selector % 16] : (uint16_t)(selector * 5);
}

/* RFC 7252 5.4.4: a default is left out. */
static bool is_default(uint16_t number, unsigned value) {
  const copal_option_info *info = copal_option_by_number(number);
  return info != NULL && info->initial[0] != '\0' && strtoul(info->initial, NULL, 10) == value;
}

/* One edit: an operation, a number, and a size of data from the input's beginning. */
static void edit(copal_message *message, const uint8_t *step, const uint8_t *data, size_t size) {
  uint16_t number = number_of(step[1]);
  size_t value_size = step[2] < 200 ? step[2] % 20 : step[2] + 70u;
  if (value_size > size) value_size = size;
  size_t before = count_of(message, number);
  copal_error error = message->error;
  switch (step[0] % 8) {
    case 0:
    case 1: copal_message_add_raw(message, number, data, value_size); break;
    case 2: copal_message_add(message, number, data, value_size); break;
    case 3: copal_message_add_uint(message, number, (uint32_t)(step[2] * 77777u)); break;
    case 4: copal_message_replace(message, number, data, value_size); break;
    case 5: {
      copal_error deleted = copal_message_delete(message, number);
      require(deleted == (error != COPAL_OK ? error : before == 0 ? COPAL_ERR_NOT_FOUND : COPAL_OK));
      require(error != COPAL_OK || count_of(message, number) == 0);
      return;
    }
    case 6: copal_message_set_token(message, data, value_size); return;
    default: copal_message_set_payload(message, data, value_size); return;
  }
  size_t expected = message->error != COPAL_OK ? before : step[0] % 8 == 4 ? 1 : before + 1;
  if (step[0] % 8 == 3 && is_default(number, step[2] * 77777u)) expected = before;
  require(count_of(message, number) == expected);
}

static void edit_all(copal_message *message, const uint8_t *data, size_t size) {
  for (size_t at = 0; at + 3 <= size && at < 300; at += 3) {
    copal_message before = *message;
    uint8_t copy[512];
    require(before.size <= sizeof copy);
    memcpy(copy, message->buffer, before.size);
    edit(message, data + at, data, size);
    require_sound(message);
    if (message->error != COPAL_OK) {
      require(message->size == before.size && memcmp(copy, message->buffer, before.size) == 0);
      if (data[at] & 0x80) break;
      message->error = COPAL_OK;
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  copal_view view;
  copal_message message;
  uint8_t *buffer = malloc(512);
  copal_error error = copal_decode(data, size, &view);
  if (error == COPAL_OK) {
    look_into(&view, data, size);
    encode_again(&view, data, size);
  }
  copal_error copied = copal_message_copy(&message, buffer, 512, data, size);
  require(copied == (error == COPAL_OK && size > 512 ? COPAL_ERR_SPACE : error));
  require_sound(&message);
  if (copied != COPAL_OK || view.code == COPAL_EMPTY) {
    copal_message_init(&message, buffer, 64 + size % 449, COPAL_CON, COPAL_GET);
  }
  edit_all(&message, data, size);
  free(buffer);
  return 0;
}
