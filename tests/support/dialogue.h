/* A client's call on a bare endpoint, and the server that it talks to, in the notation of RFC 7959's figures:
 *
 *   asks(&talk, "CON PUT /options 1:0/1/128 +128");      what went out, and nothing else did
 *   answers(&talk, "2.31 1:0/1/128");                    piggybacked on it
 *   answers(&talk, "CON 2.05 2:0/1/64 observe:7 +64");   as a message of its own, with the same token
 *
 * "q1:0/1/128" and "q2:0/1/128" are Q-Block options, "missing:1,9" is the payload of a 4.08 that lists blocks, and
 * asks_all checks a burst, a message a line. "+128" is that many bytes of a body in which each byte is told by its
 * position, so a block's place is checked with its bytes; "v:1" is another version of that body. Include after
 * cmocka.h. */
#ifndef COPAL_TESTS_DIALOGUE_H
#define COPAL_TESTS_DIALOGUE_H

#include "support/bare.h"

enum { TALK_BODY_MAX = 1 << 17, TALK_TOKEN_MAX = 16 };

struct talk {
  struct bare *bare;
  uint8_t token[TALK_TOKEN_MAX]; /* of the request that is answered next */
  size_t token_size;
  uint16_t mid;
  uint16_t own_mid; /* of the server */
  /* What the call's handler was told. */
  unsigned count;
  bool last;
  copal_result result;
  uint8_t code;
  uint32_t content_format;
  copal_call call;
  uint8_t body[TALK_BODY_MAX]; /* a copy */
  size_t body_size;
  /* What a reader gives, and a writer took. */
  uint64_t source_size; /* bytes that there are */
  unsigned source_version;
  uint64_t read_fails_at; /* 0: never */
  uint8_t taken[TALK_BODY_MAX];
  uint64_t taken_size;
  unsigned taken_from_start; /* times */
  uint64_t write_fails_at;   /* 0: never */
  uint8_t buffer[TALK_BODY_MAX];
};

static inline uint8_t talk_byte(uint64_t position, unsigned version) {
  return (uint8_t)(position * 7 + position / 251 + version * 101 + 1);
}

static inline void talk_fill(uint8_t *bytes, uint64_t offset, size_t size, unsigned version) {
  for (size_t i = 0; i < size; ++i) bytes[i] = talk_byte(offset + i, version);
}

static inline void assert_body(const uint8_t *bytes, uint64_t offset, size_t size, unsigned version) {
  for (size_t i = 0; i < size; ++i)
    if (bytes[i] != talk_byte(offset + i, version)) fail_msg("byte %zu of the body is wrong", (size_t)offset + i);
}

/* --- The application ---------------------------------------------------------------------------- */

static inline void talk_told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct talk *talk = context;
  assert_ptr_equal(endpoint, talk->bare->endpoint);
  assert_false(talk->last); /* nothing comes after the last */
  ++talk->count;
  talk->last = result->last;
  talk->result = *result;
  talk->call = call;
  talk->body_size = result->body.size;
  talk->code = 0;
  assert_true(result->body.size <= sizeof talk->body);
  if (result->body.size > 0) memcpy(talk->body, result->body.data, result->body.size);
  if (result->rx == NULL) return;
  talk->code = result->rx->message.code;
  talk->content_format = copal_find_uint(&result->rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
}

static inline uint64_t talk_read(void *context, uint64_t offset, void *buffer, size_t size) {
  struct talk *talk = context;
  if (talk->read_fails_at > 0 && offset + size > talk->read_fails_at) return COPAL_SIZE_UNKNOWN;
  assert_true(offset <= talk->source_size);
  if (size > talk->source_size - offset) size = (size_t)(talk->source_size - offset);
  talk_fill(buffer, offset, size, talk->source_version);
  return size;
}

static inline bool talk_write(void *context, uint64_t offset, const void *data, size_t size) {
  struct talk *talk = context;
  if (offset == 0) {
    talk->taken_size = 0;
    ++talk->taken_from_start;
  }
  assert_true(offset == talk->taken_size); /* no gaps */
  if (talk->write_fails_at > 0 && offset + size > talk->write_fails_at) return false;
  assert_true(offset + size <= sizeof talk->taken);
  if (size > 0) memcpy(talk->taken + offset, data, size);
  talk->taken_size += size;
  return true;
}

static inline struct talk *talk_open(const copal_config *config) {
  struct talk *talk = calloc(1, sizeof *talk);
  assert_non_null(talk);
  talk->bare = bare_open(config);
  talk->own_mid = 0x7000;
  return talk;
}

/* An endpoint whose messages hold blocks of 1,024 bytes. */
static inline struct talk *talk_open_roomy(void) {
  copal_config config = copal_config_small();
  config.message_size_max = 1280;
  config.messages_size = 64 << 10;
  config.replies_size = 32 << 10;
  return talk_open(&config);
}

static inline void talk_close(struct talk *talk) {
  bare_close(talk->bare);
  free(talk);
}

/* Begins a call: a request for /path with a payload of that many bytes in the message. What else is wanted stands in
 * options, whose buffer is the talk's where none is given. */
static inline copal_error talk_try(struct talk *talk, copal_type type, copal_code method, const char *path,
                                   size_t payload, const copal_call_options *wanted) {
  uint8_t buffer[8192];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, type, (uint8_t)method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  uint8_t bytes[4096];
  assert_true(payload <= sizeof bytes);
  talk_fill(bytes, 0, payload, 0);
  copal_message_set_payload(&message, bytes, payload);
  copal_address remote = bare_address(BARE_PORT);
  copal_call_options options = *wanted;
  options.message = wanted->message != NULL ? wanted->message : &message;
  if (options.remote == NULL) options.remote = &remote;
  options.handler = talk_told;
  options.context = options.body_context = talk;
  if (options.buffer == NULL && options.capacity == 0) {
    options.buffer = talk->buffer;
    options.capacity = sizeof talk->buffer;
  }
  copal_error error = copal_call_begin(talk->bare->endpoint, &options, &talk->call);
  memset(buffer, 0xee, sizeof buffer); /* it was copied */
  return error;
}

static inline void talk_begin(struct talk *talk, copal_type type, copal_code method, const char *path, size_t payload,
                              const copal_call_options *wanted) {
  assert_int_equal(talk_try(talk, type, method, path, payload, wanted), COPAL_OK);
}

static inline void talk_get(struct talk *talk, const char *path) {
  talk_begin(talk, COPAL_CON, COPAL_GET, path, 0, &(copal_call_options){.handler = NULL});
}

/* --- What went out ------------------------------------------------------------------------------ */

static inline size_t talk_text_option(const copal_option *option, char *text, size_t capacity) {
  uint32_t value = copal_option_uint(option);
  copal_block block = copal_block_of(value);
  switch (option->number) {
    case COPAL_OPTION_URI_PATH:
      return (size_t)snprintf(text, capacity, " /%.*s", (int)option->size, (const char *)option->value);
    case COPAL_OPTION_OBSERVE: return (size_t)snprintf(text, capacity, " observe:%u", value);
    case COPAL_OPTION_CONTENT_FORMAT: return (size_t)snprintf(text, capacity, " cf:%u", value);
    case COPAL_OPTION_BLOCK1:
    case COPAL_OPTION_BLOCK2:
      return (size_t)snprintf(text, capacity, " %c:%u/%d/%u", option->number == COPAL_OPTION_BLOCK1 ? '1' : '2',
                              block.number, block.more, 16u << block.szx);
    case COPAL_OPTION_Q_BLOCK1:
    case COPAL_OPTION_Q_BLOCK2:
      return (size_t)snprintf(text, capacity, " q%c:%u/%d/%u", option->number == COPAL_OPTION_Q_BLOCK1 ? '1' : '2',
                              block.number, block.more, 16u << block.szx);
    case COPAL_OPTION_SIZE1: return (size_t)snprintf(text, capacity, " size:%u", value);
    case COPAL_OPTION_ECHO:
      return (size_t)snprintf(text, capacity, " echo:%.*s", (int)option->size, (const char *)option->value);
    case COPAL_OPTION_REQUEST_TAG: return (size_t)snprintf(text, capacity, " tag");
  }
  return (size_t)snprintf(text, capacity, " %u", option->number);
}

/* A request as text, its payload checked against the body that is sent. */
static inline void talk_text(const struct talk *talk, const copal_view *view, char *text, size_t capacity) {
  size_t at = (size_t)snprintf(text, capacity, "%s %s", copal_type_name(view->type),
                               view->code == COPAL_EMPTY ? "empty" : copal_code_name(view->code));
  uint64_t offset = 0;
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    at += talk_text_option(&option, text + at, capacity - at);
    copal_block block = copal_block_of(copal_option_uint(&option));
    if (option.number == COPAL_OPTION_BLOCK1 || option.number == COPAL_OPTION_Q_BLOCK1)
      offset = (uint64_t)block.number << (block.szx + 4);
  }
  if (view->payload.size == 0) return;
  assert_body(view->payload.data, offset, view->payload.size, talk->source_version);
  snprintf(text + at, capacity - at, " +%zu", view->payload.size);
}

/* Checks what is sent now: one request, which the next answer is for. */
static inline void asks(struct talk *talk, const char *expected) {
  const struct bare_sent *sent = bare_out_one(talk->bare);
  char text[256];
  talk_text(talk, &sent->view, text, sizeof text);
  assert_string_equal(text, expected);
  assert_true(sent->view.token.size <= sizeof talk->token);
  talk->token_size = sent->view.token.size;
  if (talk->token_size > 0) memcpy(talk->token, sent->view.token.data, talk->token_size);
  talk->mid = sent->view.message_id;
}

/* Checks all that is sent now, a message a line; the next answer is for the last one. */
static inline void asks_all(struct talk *talk, const char *expected) {
  char text[4096];
  size_t at = 0;
  text[0] = 0;
  bare_out(talk->bare);
  for (size_t i = 0; i < talk->bare->sent_count; ++i) {
    const struct bare_sent *sent = &talk->bare->sent[i];
    assert_true(at + 256 < sizeof text);
    talk_text(talk, &sent->view, text + at, 256);
    at += strlen(text + at);
    text[at++] = '\n';
    text[at] = 0;
    talk->token_size = sent->view.token.size;
    if (talk->token_size > 0) memcpy(talk->token, sent->view.token.data, talk->token_size);
    talk->mid = sent->view.message_id;
  }
  assert_string_equal(text, expected);
}

static inline void asks_nothing(struct talk *talk) {
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 0);
}

/* --- What comes back ---------------------------------------------------------------------------- */

static inline void talk_parse_block(const char *word, copal_message *message, copal_block *block) {
  unsigned number, more, size;
  char which;
  bool quick = word[0] == 'q';
  assert_int_equal(sscanf(quick ? word + 1 : word, "%c:%u/%u/%u", &which, &number, &more, &size), 4);
  uint8_t szx = 0;
  while (16u << szx < size) ++szx;
  copal_block parsed = {number, more != 0, szx};
  uint16_t upload = quick ? COPAL_OPTION_Q_BLOCK1 : COPAL_OPTION_BLOCK1;
  uint16_t download = quick ? COPAL_OPTION_Q_BLOCK2 : COPAL_OPTION_BLOCK2;
  copal_message_add_uint(message, which == '1' ? upload : download, copal_block_value(parsed));
  if (which == '2') *block = parsed; /* whose payload it is */
}

/* A list of blocks below 24, each a byte of CBOR. */
static inline void talk_parse_missing(const char *list, copal_message *message) {
  uint8_t payload[64];
  size_t size = 0;
  for (char *end = NULL; *list != 0; list = *end == ',' ? end + 1 : end) {
    payload[size++] = (uint8_t)strtoul(list, &end, 10);
    assert_true(payload[size - 1] < 24 && size < sizeof payload);
  }
  copal_message_add_uint(message, COPAL_OPTION_CONTENT_FORMAT, 272);
  copal_message_set_payload(message, payload, size);
}

/* A number that is no option's default stays; Max-Age 60 is left out as it should be. */
static inline bool talk_parse_number(const char *word, copal_message *message) {
  static const struct {
    const char *name;
    uint16_t number;
  } options[] = {{"observe:", COPAL_OPTION_OBSERVE},
                 {"max-age:", COPAL_OPTION_MAX_AGE},
                 {"cf:", COPAL_OPTION_CONTENT_FORMAT},
                 {"size:", COPAL_OPTION_SIZE2}};
  for (size_t i = 0; i < sizeof options / sizeof *options; ++i) {
    size_t size = strlen(options[i].name);
    if (strncmp(word, options[i].name, size) != 0) continue;
    copal_message_add_uint(message, options[i].number, (uint32_t)strtoul(word + size, NULL, 10));
    return true;
  }
  return false;
}

/* Writes a response as it is described, with the token of the last request. */
static inline void talk_compose(struct talk *talk, const char *text, copal_message *message, uint8_t *buffer,
                                size_t capacity) {
  char words[256];
  assert_true(strlen(text) < sizeof words);
  strcpy(words, text);
  copal_block block = {0, false, 0};
  unsigned version = 0;
  copal_message_init(message, buffer, capacity, COPAL_ACK, 0);
  copal_message_set_token(message, talk->token, talk->token_size);
  for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
    if (strcmp(word, "CON") == 0 || strcmp(word, "NON") == 0)
      message->buffer[0] = (uint8_t)((message->buffer[0] & 0xcf) | (word[0] == 'N') << 4);
    else if (word[1] == '.')
      copal_message_set_code(message, COPAL_CODE(word[0] - '0', (word[2] - '0') * 10 + word[3] - '0'));
    else if (strncmp(word, "missing:", 8) == 0)
      talk_parse_missing(word + 8, message);
    else if (word[0] == '2' || word[0] == '1' || word[0] == 'q')
      talk_parse_block(word, message, &block);
    else if (strncmp(word, "etag:", 5) == 0)
      copal_message_add(message, COPAL_OPTION_ETAG, word + 5, strlen(word + 5));
    else if (strncmp(word, "echo:", 5) == 0)
      copal_message_add(message, COPAL_OPTION_ECHO, word + 5, strlen(word + 5));
    else if (strncmp(word, "v:", 2) == 0)
      version = (unsigned)atoi(word + 2);
    else if (word[0] == '+') {
      uint8_t payload[2048];
      size_t size = (size_t)atoi(word + 1);
      assert_true(size <= sizeof payload);
      talk_fill(payload, (uint64_t)block.number << (block.szx + 4), size, version);
      copal_message_set_payload(message, payload, size);
    } else if (!talk_parse_number(word, message)) {
      fail_msg("what is \"%s\"?", word);
    }
  }
  assert_int_equal(message->error, COPAL_OK);
}

static inline void answers(struct talk *talk, const char *text) {
  uint8_t buffer[4096];
  copal_message message;
  talk_compose(talk, text, &message, buffer, sizeof buffer);
  if (buffer[1] == COPAL_EMPTY) copal_message_set_token(&message, NULL, 0);
  uint16_t mid = (buffer[0] >> 4 & 3) == COPAL_ACK ? talk->mid : talk->own_mid++;
  buffer[2] = (uint8_t)(mid >> 8);
  buffer[3] = (uint8_t)mid;
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(talk->bare, &path, buffer, message.size);
}

/* The token of an observation, for what the server says of its own accord. */
struct talk_token {
  uint8_t bytes[TALK_TOKEN_MAX];
  size_t size;
};

static inline struct talk_token token_of(const struct talk *talk) {
  struct talk_token token = {.size = talk->token_size};
  memcpy(token.bytes, talk->token, sizeof token.bytes);
  return token;
}

static inline void with_token(struct talk *talk, const struct talk_token *token) {
  memcpy(talk->token, token->bytes, sizeof talk->token);
  talk->token_size = token->size;
}

/* --- The result --------------------------------------------------------------------------------- */

/* The call is over, with that code and a body of that size and version. */
static inline void ends_with(struct talk *talk, uint8_t code, size_t size, unsigned version) {
  assert_true(talk->last);
  assert_int_equal(talk->result.error, COPAL_OK);
  assert_int_equal(talk->code, code);
  assert_int_equal(talk->body_size, size);
  assert_true(talk->result.body_size == size);
  assert_body(talk->body, 0, size, version);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 0);
}

/* The handler was told that many times, lately of a state of that size. */
static inline void assert_told(const struct talk *talk, unsigned count, size_t size, unsigned version) {
  assert_int_equal(talk->count, count);
  assert_int_equal(talk->result.error, COPAL_OK);
  assert_int_equal(talk->body_size, size);
  assert_body(talk->body, 0, size, version);
}

static inline void fails_with(const struct talk *talk, copal_error error) {
  assert_true(talk->last);
  assert_int_equal(talk->result.error, error);
  assert_null(talk->result.rx);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 0);
}

/* Nothing is kept and nothing waits. */
static inline void leaves_nothing(struct talk *talk) {
  asks_nothing(talk);
  copal_usage usage = copal_endpoint_usage(talk->bare->endpoint);
  assert_int_equal(usage.calls, 0);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
  assert_true(copal_endpoint_deadline(talk->bare->endpoint) == COPAL_NEVER);
}

#endif
