/* What a part of a datagram says, in words. Pure: prints nothing. RFC 7252 section 3; RFC 7641 2 for Observe, RFC 7959
 * 2.2 for blocks. */
#include "cli/capture/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/terminal.h"

static void describe_first(const struct part *part, char *buffer, size_t capacity);
static void describe_option(const struct part *part, bool request, char *buffer, size_t capacity);
static const char *describe_extended(uint32_t value, char *buffer, size_t capacity);
static void describe_value(const copal_option *option, bool request, char *buffer, size_t capacity);
static void describe_payload(copal_bytes payload, char *buffer, size_t capacity);
static void describe_wrong(const struct part *part, char *buffer, size_t capacity);
static bool is_block(const copal_option *option);

const char *describe_part(const struct part *part, bool request, char *buffer, size_t capacity) {
  const uint8_t *at = part->bytes.data;
  size_t size = part->bytes.size;
  char code[64];
  buffer[0] = '\0';
  switch (part->kind) {
    case PART_FIRST: describe_first(part, buffer, capacity); break;
    case PART_CODE: snprintf(buffer, capacity, "Code %s", describe_code(at[0], code, sizeof code)); break;
    case PART_MESSAGE_ID:
      snprintf(buffer, capacity, "Message ID 0x%02x%02x (%d)", at[0], at[1], at[0] << 8 | at[1]);
      break;
    case PART_TOKEN_SIZE:
      snprintf(buffer, capacity, "Token length %d", size == 1 ? 13 + at[0] : 269 + (at[0] << 8 | at[1]));
      break;
    case PART_TOKEN: snprintf(buffer, capacity, "Token, %zu byte%s", size, size == 1 ? "" : "s"); break;
    case PART_OPTION: describe_option(part, request, buffer, capacity); break;
    case PART_VALUE: describe_value(&part->option, request, buffer, capacity); break;
    case PART_MARKER: snprintf(buffer, capacity, "Payload marker"); break;
    case PART_PAYLOAD: describe_payload(part->bytes, buffer, capacity); break;
    case PART_WRONG: describe_wrong(part, buffer, capacity); break;
    case PART_REST: snprintf(buffer, capacity, "not read: %zu byte%s", size, size == 1 ? "" : "s"); break;
  }
  return buffer;
}

const char *describe_code(uint8_t code, char *buffer, size_t capacity) {
  const char *name = copal_code_name(code);
  snprintf(buffer, capacity, "%d.%02d%s%s", COPAL_CODE_CLASS(code), COPAL_CODE_DETAIL(code), name != NULL ? " " : "",
           name != NULL ? name : "");
  return buffer;
}

/* RFC 8974 2.1: a token length of 13 or 14 is that of a longer field behind the header. */
static void describe_first(const struct part *part, char *buffer, size_t capacity) {
  uint8_t byte = part->bytes.data[0];
  int type = byte >> 4 & 3, nibble = byte & 15;
  snprintf(buffer, capacity, "Ver %d, Type %s (%d), token length %d%s", byte >> 6, copal_type_name((uint8_t)type), type,
           nibble,
           nibble == 13   ? ": in the byte behind the header"
           : nibble == 14 ? ": in the two bytes behind the header"
                          : "");
}

static void describe_option(const struct part *part, bool request, char *buffer, size_t capacity) {
  const copal_option *option = &part->option;
  const copal_option_info *info = copal_option_by_number(option->number);
  char delta[40], length[40];
  int size = snprintf(buffer, capacity, "Option %u %s: delta %s, length %s; %s%s", option->number,
                      info != NULL ? info->name : "(unregistered)", describe_extended(part->delta, delta, sizeof delta),
                      describe_extended(option->size, length, sizeof length),
                      copal_option_is_critical(option->number) ? "critical" : "elective",
                      copal_option_is_unsafe(option->number)         ? ", unsafe to forward"
                      : copal_option_is_no_cache_key(option->number) ? ", no cache key"
                                                                     : "");
  bool has_value = info != NULL && info->format != COPAL_FORMAT_EMPTY && size > 0 && (size_t)size + 8 < capacity;
  if (option->size > 0 || !has_value) return;
  /* RFC 7252 3.2: a uint of no bytes is 0, and a string may be empty. */
  memcpy(buffer + size, "; value ", 9);
  describe_value(option, request, buffer + size + 8, capacity - (size_t)size - 8);
}

/* RFC 7252 3.1: one extended byte holds the value minus 13, two of them the value minus 269. */
static const char *describe_extended(uint32_t value, char *buffer, size_t capacity) {
  uint32_t base = value < 13 ? 0 : value < 269 ? 13 : 269;
  if (base == 0) {
    snprintf(buffer, capacity, "%" PRIu32, value);
  } else {
    snprintf(buffer, capacity, "%" PRIu32 " (%" PRIu32 " + %" PRIu32 ")", value, base, value - base);
  }
  return buffer;
}

static void describe_value(const copal_option *option, bool request, char *buffer, size_t capacity) {
  size_t size = copal_text_option(option, buffer, capacity);
  size_t room = capacity - size;
  bool is_legal = copal_option_check(option->number, option->size) == COPAL_OK;
  uint32_t value = copal_option_uint(option);
  if (!is_legal) return;
  if (is_block(option)) {
    copal_block block = copal_block_of(value);
    snprintf(buffer + size, room, ": block %" PRIu32 ", %s", block.number,
             block.more ? "more follow" : "no more follow");
    if (block.szx < 7) {
      size = strlen(buffer);
      snprintf(buffer + size, capacity - size, ", of %u bytes", 16u << block.szx);
    }
  } else if (option->number == COPAL_OPTION_OBSERVE && request) {
    snprintf(buffer + size, room, "%s", value == 0 ? ": register" : value == 1 ? ": deregister" : "");
  } else if (option->number == COPAL_OPTION_OBSERVE) {
    snprintf(buffer + size, room, ": sequence number");
  } else if (option->number == COPAL_OPTION_MAX_AGE) {
    snprintf(buffer + size, room, " second%s", value == 1 ? "" : "s");
  }
}

/* The library quotes strings so that no terminal obeys them: what text there is takes that way. */
static void describe_payload(copal_bytes payload, char *buffer, size_t capacity) {
  enum { SHOWN_MAX = 200 };
  int size = snprintf(buffer, capacity, "Payload, %zu byte%s", payload.size, payload.size == 1 ? "" : "s");
  if (size < 0 || (size_t)size >= capacity || !terminal_is_text(payload)) return;
  copal_bytes shown = {payload.data, payload.size < SHOWN_MAX ? payload.size : SHOWN_MAX};
  shown.size -= terminal_unfinished(shown);
  copal_option text = {shown.data, (uint32_t)shown.size, COPAL_OPTION_URI_QUERY};
  char quoted[4 * SHOWN_MAX];
  copal_text_option(&text, quoted, sizeof quoted);
  snprintf(buffer + size, capacity - (size_t)size, ": %s%s", quoted, shown.size < payload.size ? "..." : "");
}

static void describe_wrong(const struct part *part, char *buffer, size_t capacity) {
  if (part->offset == 0 && part->bytes.size == 1) {
    char first[100];
    describe_first(part, first, sizeof first);
    snprintf(buffer, capacity, "%s: %s", first, copal_error_text(part->error));
  } else if (part->size_promised > 0) {
    snprintf(buffer, capacity, "%s: %zu of its %zu bytes are there", copal_error_text(part->error), part->bytes.size,
             part->size_promised);
  } else {
    snprintf(buffer, capacity, "%s", copal_error_text(part->error));
  }
}

static bool is_block(const copal_option *option) {
  return option->number == COPAL_OPTION_BLOCK1 || option->number == COPAL_OPTION_BLOCK2 ||
         option->number == COPAL_OPTION_Q_BLOCK1 || option->number == COPAL_OPTION_Q_BLOCK2;
}
