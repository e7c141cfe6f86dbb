/* Messages and option values as text for people: the log and the command use it, and nothing ever reads it back.
 *
 * What peers send ends up on terminals here, so nothing is shown raw that could move the cursor, begin a line or turn
 * the direction of writing: such characters are escaped, and what is not UTF-8 is shown in hexadecimal.
 * Sources: RFC 7252 3.2 for the formats of values, RFC 7959 2.2 for block values. */
#include <assert.h>

#include "base/writer.h"
#include "copal/message.h"
#include "message/utf8.h"

/* How much of a token, a value or a payload a line shows. */
#define TOKEN_SHOWN_MAX 16u
#define HEX_SHOWN_MAX 32u
#define TEXT_SHOWN_MAX 64u

static void write_code(struct writer *writer, uint8_t code);
static void write_token(struct writer *writer, const copal_bytes *token);
static void write_option(struct writer *writer, const copal_option *option);
static void write_payload(struct writer *writer, const copal_bytes *payload);
static void write_value(struct writer *writer, const copal_option *option, size_t hex_max, size_t text_max);
static void write_opaque(struct writer *writer, const copal_option *option, size_t shown_max);
static void write_content_format(struct writer *writer, uint32_t number);
static void write_block(struct writer *writer, copal_block block);
static void write_hex(struct writer *writer, const uint8_t *data, size_t size, size_t shown_max);
static void write_quoted(struct writer *writer, const uint8_t *data, size_t size, size_t shown_max);
static void write_escaped(struct writer *writer, uint32_t letter);
static bool is_text(const uint8_t *data, size_t size, bool controls_allowed);
static bool is_control(uint32_t letter);
static size_t letter_at(const uint8_t *at, uint32_t *letter);

size_t copal_text_line(const copal_view *view, char *buffer, size_t capacity) {
  assert(view != NULL);
  struct writer writer;
  writer_init(&writer, buffer, capacity);
  writer_text(&writer, copal_type_name(view->type));
  writer_char(&writer, ' ');
  write_code(&writer, view->code);
  uint8_t message_id[2] = {(uint8_t)(view->message_id >> 8), (uint8_t)view->message_id};
  writer_text(&writer, " 0x");
  writer_hex(&writer, message_id, sizeof message_id);
  if (view->token.size != 0) write_token(&writer, &view->token);
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (!writer.cut && copal_options_next(&walk, &option)) write_option(&writer, &option);
  if (view->payload.size != 0) write_payload(&writer, &view->payload);
  return writer_finish(&writer);
}

size_t copal_text_option(const copal_option *option, char *buffer, size_t capacity) {
  assert(option != NULL);
  struct writer writer;
  writer_init(&writer, buffer, capacity);
  write_value(&writer, option, SIZE_MAX, SIZE_MAX);
  return writer_finish(&writer);
}

static void write_code(struct writer *writer, uint8_t code) {
  const char *name = copal_code_name(code);
  if (name == NULL || COPAL_CODE_CLASS(code) != 0) {
    writer_decimal(writer, COPAL_CODE_CLASS(code), 1);
    writer_char(writer, '.');
    writer_decimal(writer, COPAL_CODE_DETAIL(code), 2);
    if (name != NULL) writer_char(writer, ' ');
  }
  if (name != NULL) writer_text(writer, name);
}

static void write_token(struct writer *writer, const copal_bytes *token) {
  writer_text(writer, " token ");
  write_hex(writer, token->data, token->size, TOKEN_SHOWN_MAX);
}

static void write_option(struct writer *writer, const copal_option *option) {
  const copal_option_info *info = copal_option_by_number(option->number);
  writer_char(writer, ' ');
  if (info != NULL) {
    writer_text(writer, info->name);
  } else {
    writer_text(writer, "Option-");
    writer_decimal(writer, option->number, 1);
  }
  if (info != NULL && info->format == COPAL_FORMAT_EMPTY && option->size == 0) return;
  writer_char(writer, ' ');
  write_value(writer, option, HEX_SHOWN_MAX, TEXT_SHOWN_MAX);
}

static void write_payload(struct writer *writer, const copal_bytes *payload) {
  writer_text(writer, " | ");
  writer_decimal(writer, payload->size, 1);
  writer_text(writer, payload->size == 1 ? " byte " : " bytes ");
  if (is_text(payload->data, payload->size, false)) {
    write_quoted(writer, payload->data, payload->size, TEXT_SHOWN_MAX);
  } else {
    write_hex(writer, payload->data, payload->size, HEX_SHOWN_MAX);
  }
}

/* An option's value by its format. A value of illegal size has no meaning, and is shown as bytes. */
static void write_value(struct writer *writer, const copal_option *option, size_t hex_max, size_t text_max) {
  const copal_option_info *info = copal_option_by_number(option->number);
  if (info == NULL || copal_option_check(option->number, option->size) != COPAL_OK) {
    write_opaque(writer, option, hex_max);
    return;
  }
  switch ((copal_option_format)info->format) {
    case COPAL_FORMAT_EMPTY: return;
    case COPAL_FORMAT_OPAQUE: break;
    case COPAL_FORMAT_STRING:
      if (!is_text(option->value, option->size, true)) break;
      write_quoted(writer, option->value, option->size, text_max);
      return;
    case COPAL_FORMAT_UINT:
      switch (option->number) {
        case COPAL_OPTION_CONTENT_FORMAT:
        case COPAL_OPTION_ACCEPT: write_content_format(writer, copal_option_uint(option)); break;
        case COPAL_OPTION_BLOCK1:
        case COPAL_OPTION_BLOCK2:
        case COPAL_OPTION_Q_BLOCK1:
        case COPAL_OPTION_Q_BLOCK2: write_block(writer, copal_block_of(copal_option_uint(option))); break;
        default: writer_decimal(writer, copal_option_uint(option), 1); break;
      }
      return;
  }
  write_opaque(writer, option, hex_max);
}

static void write_opaque(struct writer *writer, const copal_option *option, size_t shown_max) {
  writer_text(writer, option->size == 0 ? "(empty)" : "0x");
  write_hex(writer, option->value, option->size, shown_max);
}

static void write_content_format(struct writer *writer, uint32_t number) {
  const char *name = copal_content_format_name((uint16_t)number);
  if (name != NULL) {
    writer_text(writer, name);
    writer_text(writer, " (");
  }
  writer_decimal(writer, number, 1);
  if (name != NULL) writer_char(writer, ')');
}

/* RFC 7959 2.2: "The value 7 for SZX (which would indicate a block size of 2048) is reserved". */
static void write_block(struct writer *writer, copal_block block) {
  writer_decimal(writer, block.number, 1);
  writer_text(writer, block.more ? "/1/" : "/0/");
  if (block.szx == 7) {
    writer_text(writer, "reserved");
  } else {
    writer_decimal(writer, 16u << block.szx, 1);
  }
}

static void write_hex(struct writer *writer, const uint8_t *data, size_t size, size_t shown_max) {
  writer_hex(writer, data, size < shown_max ? size : shown_max);
  if (size > shown_max) writer_text(writer, "...");
}

/* data is UTF-8. What is cut off is cut between two characters. */
static void write_quoted(struct writer *writer, const uint8_t *data, size_t size, size_t shown_max) {
  writer_char(writer, '"');
  size_t at = 0;
  while (at < size && !writer->cut) {
    uint32_t letter;
    size_t length = letter_at(data + at, &letter);
    if (length > shown_max - at) break;
    if (letter == '"' || letter == '\\' || is_control(letter)) {
      write_escaped(writer, letter);
    } else {
      writer_bytes(writer, data + at, length);
    }
    at += length;
  }
  writer_char(writer, '"');
  if (at < size) writer_text(writer, "...");
}

static void write_escaped(struct writer *writer, uint32_t letter) {
  static const char short_letters[] = "\"\\\n\r\t", short_escapes[] = "\"\\nrt";
  writer_char(writer, '\\');
  for (size_t index = 0; index < sizeof short_letters - 1; ++index) {
    if (letter == (uint8_t)short_letters[index]) {
      writer_char(writer, short_escapes[index]);
      return;
    }
  }
  uint8_t bytes[2] = {(uint8_t)(letter >> 8), (uint8_t)letter};
  writer_char(writer, letter < 0x80 ? 'x' : 'u');
  if (letter >= 0x80) writer_hex(writer, bytes, 1);
  writer_hex(writer, bytes + 1, 1);
}

/* Whether data is UTF-8, and without control characters other than line ends and tabs unless they are allowed. */
static bool is_text(const uint8_t *data, size_t size, bool controls_allowed) {
  if (!utf8_valid(data, size)) return false;
  for (size_t at = 0; at < size && !controls_allowed;) {
    uint32_t letter;
    at += letter_at(data + at, &letter);
    bool is_blank = letter == '\n' || letter == '\r' || letter == '\t';
    if (!is_blank && is_control(letter)) return false;
  }
  return true;
}

/* C0, DEL and C1, line and paragraph separators, marks that turn the direction of writing, the byte order mark: all of
 * them lie below U+10000. */
static bool is_control(uint32_t letter) {
  return letter < 0x20 || (letter >= 0x7f && letter <= 0x9f) || letter == 0x061c || letter == 0x200e ||
         letter == 0x200f || (letter >= 0x2028 && letter <= 0x202e) || (letter >= 0x2066 && letter <= 0x2069) ||
         letter == 0xfeff;
}

/* Reads one character of valid UTF-8; returns how many bytes it takes. */
static size_t letter_at(const uint8_t *at, uint32_t *letter) {
  uint32_t first = at[0];
  size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  *letter = length == 1 ? first : first & 0x7fu >> length;
  for (size_t index = 1; index < length; ++index) *letter = *letter << 6 | (at[index] & 0x3fu);
  return length;
}
