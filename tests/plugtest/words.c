/* See words.h. */
#include "plugtest/words.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copal/uri.h"

static const struct {
  const char *prefix;
  uint16_t number;
} numbers[] = {{"observe:", COPAL_OPTION_OBSERVE},
               {"cf:", COPAL_OPTION_CONTENT_FORMAT},
               {"accept:", COPAL_OPTION_ACCEPT}},
  bytes[] = {{"etag:", COPAL_OPTION_ETAG}, {"if-match:", COPAL_OPTION_IF_MATCH}};

static const uint16_t left_out[] = {COPAL_OPTION_ETAG,     COPAL_OPTION_MAX_AGE, COPAL_OPTION_SIZE1,
                                    COPAL_OPTION_SIZE2,    COPAL_OPTION_ECHO,    COPAL_OPTION_REQUEST_TAG,
                                    COPAL_OPTION_URI_HOST, COPAL_OPTION_URI_PORT};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- To words ----------------------------------------------------------------------------------- */

static bool is_left_out(uint16_t number) {
  for (size_t i = 0; i < COUNT(left_out); ++i)
    if (left_out[i] == number) return true;
  return false;
}

static int option_words(const copal_option *option, bool first, char *text, size_t capacity) {
  uint32_t value = copal_option_uint(option);
  copal_block block = copal_block_of(value);
  const char *before = "";
  switch (option->number) {
    case COPAL_OPTION_URI_PATH: before = first ? " /" : "/"; break;
    case COPAL_OPTION_LOCATION_PATH: before = first ? " at:/" : "/"; break;
    case COPAL_OPTION_URI_QUERY: before = first ? " ?" : "&"; break;
    case COPAL_OPTION_LOCATION_QUERY: before = first ? " at?" : "&"; break;
    case COPAL_OPTION_IF_MATCH: return snprintf(text, capacity, " if-match");
    case COPAL_OPTION_IF_NONE_MATCH: return snprintf(text, capacity, " none-match");
    case COPAL_OPTION_OBSERVE: return snprintf(text, capacity, " observe:%u", value);
    case COPAL_OPTION_CONTENT_FORMAT: return snprintf(text, capacity, " cf:%u", value);
    case COPAL_OPTION_ACCEPT: return snprintf(text, capacity, " accept:%u", value);
    case COPAL_OPTION_BLOCK1:
    case COPAL_OPTION_BLOCK2:
      return snprintf(text, capacity, " %c:%u/%d/%d", option->number == COPAL_OPTION_BLOCK1 ? '1' : '2', block.number,
                      block.more, 16 << block.szx);
    default: return snprintf(text, capacity, " option:%u", option->number);
  }
  return snprintf(text, capacity, "%s%.*s", before, (int)option->size, (const char *)option->value);
}

void words_of(const copal_view *view, char *text, size_t capacity) {
  int at = snprintf(text, capacity, "%s ", copal_type_name(view->type));
  if (view->code == COPAL_EMPTY) {
    at += snprintf(text + at, capacity - (size_t)at, "empty");
  } else if (copal_code_is_request(view->code)) {
    at += snprintf(text + at, capacity - (size_t)at, "%s", copal_code_name(view->code));
  } else {
    at += snprintf(text + at, capacity - (size_t)at, "%d.%02d", COPAL_CODE_CLASS(view->code),
                   COPAL_CODE_DETAIL(view->code));
  }
  copal_options walk = copal_options_of(view);
  copal_option option;
  uint16_t last = 0;
  while (copal_options_next(&walk, &option)) {
    if (!is_left_out(option.number))
      at += option_words(&option, option.number != last, text + at, capacity - (size_t)at);
    assert_true((size_t)at < capacity);
    last = option.number;
  }
  if (view->payload.size > 0) snprintf(text + at, capacity - (size_t)at, " +");
}

/* --- From words --------------------------------------------------------------------------------- */

static const char *after(const char *word, const char *prefix) {
  size_t size = strlen(prefix);
  return strncmp(word, prefix, size) == 0 ? word + size : NULL;
}

static size_t unhex(const char *hex, uint8_t *out, size_t capacity) {
  size_t size = 0;
  unsigned byte;
  for (; hex[0] != '\0'; hex += 2) {
    assert_true(size < capacity && sscanf(hex, "%2x", &byte) == 1);
    out[size++] = (uint8_t)byte;
  }
  return size;
}

static bool add_known(const char *word, copal_message *message) {
  const char *value;
  for (size_t i = 0; i < COUNT(numbers); ++i) {
    if ((value = after(word, numbers[i].prefix)) == NULL) continue;
    copal_message_add_uint(message, numbers[i].number, (uint32_t)strtoul(value, NULL, 10));
    return true;
  }
  for (size_t i = 0; i < COUNT(bytes); ++i) {
    uint8_t out[8];
    if ((value = after(word, bytes[i].prefix)) == NULL) continue;
    copal_message_add(message, bytes[i].number, out, unhex(value, out, sizeof out));
    return true;
  }
  return false;
}

static bool add_block(const char *word, copal_message *message) {
  unsigned which, number, more, size;
  if (sscanf(word, "%u:%u/%u/%u", &which, &number, &more, &size) != 4) return false;
  copal_block block = {number, more != 0, 0};
  while (16u << block.szx < size) ++block.szx;
  copal_message_add_uint(message, which == 1 ? COPAL_OPTION_BLOCK1 : COPAL_OPTION_BLOCK2, copal_block_value(block));
  return true;
}

static void add_word(const char *word, copal_message *message) {
  const char *value;
  if ((value = after(word, "/")) != NULL) {
    assert_int_equal(copal_path_to_options(value, strlen(value), COPAL_OPTION_URI_PATH, message), COPAL_OK);
  } else if ((value = after(word, "?")) != NULL) {
    assert_int_equal(copal_query_to_options(value, strlen(value), COPAL_OPTION_URI_QUERY, message), COPAL_OK);
  } else if ((value = after(word, "+")) != NULL) {
    copal_message_set_payload(message, value, strlen(value));
  } else if ((value = after(word, "token:")) != NULL) {
    uint8_t token[8];
    copal_message_set_token(message, token, unhex(value, token, sizeof token));
  } else if (strcmp(word, "none-match") == 0) {
    copal_message_add(message, COPAL_OPTION_IF_NONE_MATCH, NULL, 0);
  } else if (!add_known(word, message) && !add_block(word, message)) {
    fail_msg("no such word: %s", word);
  }
}

static copal_type type_of(const char *word) {
  for (int type = COPAL_CON; type <= COPAL_RST; ++type)
    if (strcmp(word, copal_type_name((uint8_t)type)) == 0) return (copal_type)type;
  fail_msg("no type: %s", word);
  return COPAL_CON;
}

static uint8_t code_of(const char *word) {
  if (strcmp(word, "empty") == 0) return COPAL_EMPTY;
  for (int code = COPAL_GET; code <= COPAL_IPATCH; ++code)
    if (strcmp(word, copal_code_name((uint8_t)code)) == 0) return (uint8_t)code;
  fail_msg("no method: %s", word);
  return COPAL_EMPTY;
}

void words_compose(const char *words, copal_message *message, uint8_t *buffer, size_t capacity) {
  char text[WORDS_MAX], *rest = text;
  assert_true(strlen(words) < sizeof text);
  strcpy(text, words);
  copal_type type = type_of(strtok_r(rest, " ", &rest));
  copal_message_init(message, buffer, capacity, type, code_of(strtok_r(NULL, " ", &rest)));
  for (char *word; (word = strtok_r(NULL, " ", &rest)) != NULL;) add_word(word, message);
  assert_int_equal(message->error, COPAL_OK);
}
