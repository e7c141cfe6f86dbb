/* Exchanges written as the figures of RFC 7959 write them: "PUT 1:0/1/128" is a request for /r with the Block1 option
 * 0/1/128 and the 128 bytes of the body that belong to it; "2.31 1:0/1/128" is what answers it. Beside blocks a step
 * may have "tag=01" (Request-Tag), "etag=…", "if-match=…", "none-match", "size1=N", "size2=N", "ct=N", "accept=N",
 * "observe=N", "echo=…", "/path", "+N" (N bytes of payload) and, in a response, "#N" (N bytes of payload, the body's
 * own from the block on). Include after bare.h. */
#ifndef COPAL_TESTS_STEPS_H
#define COPAL_TESTS_STEPS_H

#include "support/bare.h"

enum { STEPS_BODY_MAX = 70000 };

/* The byte at a position of every body: no two blocks are alike. */
static inline uint8_t steps_byte(size_t position) { return (uint8_t)(position * 7 + position / 251); }

static inline const uint8_t *steps_body(void) {
  static uint8_t body[STEPS_BODY_MAX];
  for (size_t i = 0; i < sizeof body; ++i) body[i] = steps_byte(i);
  return body;
}

struct steps {
  struct bare *bare;
  uint16_t mid;
  uint16_t port;
  size_t body_size; /* of what is uploaded */
};

static inline struct steps steps_begin(struct bare *bare, size_t body_size) {
  return (struct steps){bare, 1234, BARE_PORT, body_size};
}

/* "1:0/1/128": the Block option's number and value. */
static inline bool steps_block(const char *word, uint16_t *number, copal_block *block) {
  unsigned option, num, more, size;
  if (sscanf(word, "%u:%u/%u/%u", &option, &num, &more, &size) != 4) return false;
  *number = option == 1 ? COPAL_OPTION_BLOCK1 : COPAL_OPTION_BLOCK2;
  *block = (copal_block){num, more != 0, 0};
  while (block->szx < 7 && 16u << block->szx < size) ++block->szx;
  return true;
}

static inline void steps_hex_option(copal_message *message, uint16_t number, const char *hex) {
  uint8_t bytes[64];
  copal_message_add_raw(message, number, bytes, bare_unhex(hex, bytes, sizeof bytes));
}

static inline void steps_number(copal_message *message, uint16_t number, const char *decimal) {
  uint32_t value = (uint32_t)strtoul(decimal, NULL, 10);
  uint8_t bytes[4];
  size_t size = 0;
  for (int shift = 24; shift >= 0; shift -= 8)
    if (size > 0 || value >> shift != 0) bytes[size++] = (uint8_t)(value >> shift);
  copal_message_add_raw(message, number, bytes, size);
}

static inline uint8_t steps_method(const char *word) {
  static const char *const names[] = {"GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "IPATCH"};
  for (uint8_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (strcmp(word, names[i]) == 0) return (uint8_t)(i + 1);
  fail_msg("no method: %s", word);
  return 0;
}

static inline const char *steps_after(const char *word, const char *prefix) {
  return strncmp(word, prefix, strlen(prefix)) == 0 ? word + strlen(prefix) : NULL;
}

static inline void steps_add(const struct steps *steps, copal_message *message, const char *word, bool *path) {
  const char *value;
  copal_block block;
  uint16_t number;
  if (steps_block(word, &number, &block)) {
    char decimal[16];
    snprintf(decimal, sizeof decimal, "%u", copal_block_value(block));
    steps_number(message, number, decimal);
    if (number != COPAL_OPTION_BLOCK1) return;
    size_t offset = (size_t)block.number << (block.szx + 4), size = (size_t)16 << block.szx;
    size_t left = offset < steps->body_size ? steps->body_size - offset : 0;
    copal_message_set_payload(message, steps_body() + offset, left < size ? left : size);
  } else if ((value = steps_after(word, "+")) != NULL) {
    copal_message_set_payload(message, steps_body(), strtoul(value, NULL, 10));
  } else if ((value = steps_after(word, "/")) != NULL) {
    if (*value != 0) assert_int_equal(copal_path_to_options(value, strlen(value), COPAL_OPTION_URI_PATH, message), 0);
    *path = true;
  } else if ((value = steps_after(word, "tag=")) != NULL) {
    steps_hex_option(message, COPAL_OPTION_REQUEST_TAG, value);
  } else if ((value = steps_after(word, "etag=")) != NULL) {
    steps_hex_option(message, COPAL_OPTION_ETAG, value);
  } else if ((value = steps_after(word, "if-match=")) != NULL) {
    steps_hex_option(message, COPAL_OPTION_IF_MATCH, value);
  } else if ((value = steps_after(word, "echo=")) != NULL) {
    steps_hex_option(message, COPAL_OPTION_ECHO, value);
  } else if (strcmp(word, "none-match") == 0) {
    copal_message_add_raw(message, COPAL_OPTION_IF_NONE_MATCH, NULL, 0);
  } else if ((value = steps_after(word, "size1=")) != NULL) {
    steps_number(message, COPAL_OPTION_SIZE1, value);
  } else if ((value = steps_after(word, "size2=")) != NULL) {
    steps_number(message, COPAL_OPTION_SIZE2, value);
  } else if ((value = steps_after(word, "ct=")) != NULL) {
    steps_number(message, COPAL_OPTION_CONTENT_FORMAT, value);
  } else if ((value = steps_after(word, "accept=")) != NULL) {
    steps_number(message, COPAL_OPTION_ACCEPT, value);
  } else if ((value = steps_after(word, "observe=")) != NULL) {
    steps_number(message, COPAL_OPTION_OBSERVE, value);
  } else {
    fail_msg("no such word: %s", word);
  }
}

/* Sends a request that is written as a step, CON unless it begins with "NON". */
static inline void steps_send(struct steps *steps, const char *request) {
  char text[300];
  uint8_t buffer[2000];
  copal_message message;
  snprintf(text, sizeof text, "%s", request);
  char *rest = text, *word = strtok_r(rest, " ", &rest);
  copal_type type = COPAL_CON;
  if (strcmp(word, "NON") == 0) {
    type = COPAL_NON;
    word = strtok_r(NULL, " ", &rest);
  }
  copal_message_init(&message, buffer, sizeof buffer, type, steps_method(word));
  uint8_t token = (uint8_t)steps->port;
  copal_message_set_token(&message, &token, 1);
  bool path = false;
  while ((word = strtok_r(NULL, " ", &rest)) != NULL) steps_add(steps, &message, word, &path);
  if (!path) copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "r");
  assert_int_equal(message.error, COPAL_OK);
  buffer[2] = (uint8_t)(steps->mid >> 8);
  buffer[3] = (uint8_t)steps->mid++;
  copal_path from = bare_path(steps->port);
  bare_in_bytes(steps->bare, &from, buffer, message.size);
}

static inline void steps_describe(const copal_view *view, char *text, size_t capacity) {
  int at = snprintf(text, capacity, "%d.%02d", COPAL_CODE_CLASS(view->code), COPAL_CODE_DETAIL(view->code));
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    bool one = option.number == COPAL_OPTION_BLOCK1;
    if (!one && option.number != COPAL_OPTION_BLOCK2) continue;
    copal_block block = copal_block_of(copal_option_uint(&option));
    at += snprintf(text + at, capacity - (size_t)at, " %d:%u/%d/%d", one ? 1 : 2, block.number, block.more,
                   16 << block.szx);
  }
}

/* One request, one reply: code and blocks must be these, and a block's bytes those of the body. */
static inline const copal_view *steps_exchange(struct steps *steps, const char *request, const char *response) {
  steps_send(steps, request);
  const copal_view *view = &bare_out_one(steps->bare)->view;
  char text[100];
  steps_describe(view, text, sizeof text);
  if (strcmp(text, response) != 0) fail_msg("%s: %s, not %s", request, text, response);
  copal_option option;
  if (copal_find(view, COPAL_OPTION_BLOCK2, &option)) {
    copal_block block = copal_block_of(copal_option_uint(&option));
    size_t offset = (size_t)block.number << (block.szx + 4), size = (size_t)16 << block.szx;
    assert_true(block.more ? view->payload.size == size : view->payload.size <= size);
    if (view->payload.size > 0) assert_memory_equal(view->payload.data, steps_body() + offset, view->payload.size);
  }
  return view;
}

#endif
