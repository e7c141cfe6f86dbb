/* Several observations at one bare endpoint, told apart by letters: each has its own call, buffer and results, and may
 * do something when it is told. What goes over the wire is a dialogue's. Include after cmocka.h. */
#ifndef COPAL_TESTS_WATCHERS_H
#define COPAL_TESTS_WATCHERS_H

#include "support/dialogue.h"

enum { WATCHERS = 5, WATCHER_ROOM = 256, WATCHERS_TOLD_MAX = 64 };

struct watchers;

struct watcher {
  struct watchers *all;
  copal_call call;
  unsigned count; /* times that it was told */
  bool last, observed;
  copal_error error;
  uint8_t code; /* 0: no response */
  size_t body_size;
  uint8_t body[WATCHER_ROOM], buffer[WATCHER_ROOM];
  void (*act)(struct watcher *watcher); /* when it is told, or NULL */
  uint64_t source_size;                 /* of what it reads */
  unsigned source_version;
};

struct watchers {
  struct talk *talk;
  struct watcher each[WATCHERS];
  char told[WATCHERS_TOLD_MAX]; /* letters, in order */
  size_t told_count;
};

static inline struct watchers *watchers_open(uint32_t calls_max) {
  copal_config config = copal_config_small();
  config.message_size_max = 1280;
  config.messages_size = 64 << 10;
  config.replies_size = 32 << 10;
  config.calls_max = calls_max;
  struct watchers *watchers = calloc(1, sizeof *watchers);
  assert_non_null(watchers);
  watchers->talk = talk_open(&config);
  for (size_t i = 0; i < WATCHERS; ++i) watchers->each[i].all = watchers;
  return watchers;
}

static inline void watchers_close(struct watchers *watchers) {
  talk_close(watchers->talk);
  free(watchers);
}

static inline struct watcher *watcher_of(struct watchers *watchers, char letter) {
  assert_in_range(letter, 'A', 'A' + WATCHERS - 1);
  return &watchers->each[letter - 'A'];
}

static inline void watcher_told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct watcher *watcher = context;
  struct watchers *watchers = watcher->all;
  assert_ptr_equal(endpoint, watchers->talk->bare->endpoint);
  assert_int_equal(call.index, watcher->call.index);
  assert_int_equal(call.generation, watcher->call.generation);
  assert_false(watcher->last); /* nothing comes after the last */
  assert_true(watchers->told_count < WATCHERS_TOLD_MAX - 1);
  watchers->told[watchers->told_count++] = (char)('A' + (watcher - watchers->each));
  ++watcher->count;
  watcher->last = result->last;
  watcher->observed = result->observed;
  watcher->error = result->error;
  watcher->code = result->rx == NULL ? 0 : result->rx->message.code;
  watcher->body_size = result->body.size;
  assert_true(result->body.size <= WATCHER_ROOM);
  if (result->body.size > 0) memcpy(watcher->body, result->body.data, result->body.size);
  if (watcher->act != NULL) watcher->act(watcher);
}

static inline uint64_t watcher_read(void *context, uint64_t offset, void *buffer, size_t size) {
  struct watcher *watcher = context;
  if (watcher->source_size == COPAL_SIZE_UNKNOWN) return COPAL_SIZE_UNKNOWN;
  assert_true(offset <= watcher->source_size && size > 0);
  if (size > watcher->source_size - offset) size = (size_t)(watcher->source_size - offset);
  talk_fill(buffer, offset, size, watcher->source_version);
  return size;
}

/* Begins an observation; of options, message, block_size, size, timeout, no_token and read may be given. */
static inline copal_error watcher_try(struct watchers *watchers, char letter, const copal_message *message,
                                      const copal_call_options *wanted) {
  struct watcher *watcher = watcher_of(watchers, letter);
  copal_address remote = bare_address(BARE_PORT);
  copal_call_options options = *wanted;
  options.message = message;
  if (options.remote == NULL) options.remote = &remote;
  options.handler = watcher_told;
  options.context = options.body_context = watcher;
  options.observe = true;
  options.buffer = watcher->buffer;
  options.capacity = sizeof watcher->buffer;
  watcher->last = false;
  return copal_call_begin(watchers->talk->bare->endpoint, &options, &watcher->call);
}

/* The same of /a, by method and with a payload of that many bytes. */
static inline copal_error watcher_ask(struct watchers *watchers, char letter, copal_code method, size_t payload,
                                      const copal_call_options *wanted) {
  uint8_t buffer[512], bytes[256];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  talk_fill(bytes, 0, payload, 0);
  copal_message_set_payload(&message, bytes, payload);
  return watcher_try(watchers, letter, &message, wanted);
}

static inline void watches(struct watchers *watchers, char letter) {
  assert_int_equal(watcher_ask(watchers, letter, COPAL_GET, 0, &(copal_call_options){.size = 0}), COPAL_OK);
}

static inline void watches_with(struct watchers *watchers, char letter, copal_call_options wanted) {
  assert_int_equal(watcher_ask(watchers, letter, COPAL_GET, 0, &wanted), COPAL_OK);
}

static inline void leaves(struct watchers *watchers, char letter, bool deregister) {
  copal_endpoint *endpoint = watchers->talk->bare->endpoint;
  assert_int_equal(copal_call_cancel(endpoint, watcher_of(watchers, letter)->call, deregister), COPAL_OK);
  assert_int_equal(copal_call_cancel(endpoint, watcher_of(watchers, letter)->call, deregister), COPAL_ERR_STALE);
}

/* Who was told since the last time, in that order. */
static inline void assert_letters(struct watchers *watchers, const char *letters) {
  watchers->told[watchers->told_count] = 0;
  assert_string_equal(watchers->told, letters);
  watchers->told_count = 0;
}

/* What one was told last. */
static inline void assert_state(struct watchers *watchers, char letter, size_t size, unsigned version) {
  const struct watcher *watcher = watcher_of(watchers, letter);
  assert_int_equal(watcher->error, COPAL_OK);
  assert_int_equal(watcher->body_size, size);
  assert_body(watcher->body, 0, size, version);
}

/* Whether the latest request has that token. */
static inline void assert_token(const struct talk *talk, const struct talk_token *token, bool is_same) {
  bool same = talk->token_size == token->size && memcmp(talk->token, token->bytes, token->size) == 0;
  assert_int_equal(same, is_same);
}

/* A registration of A's, which the server has taken with a first state of 6 bytes; its token. */
static inline struct talk_token watched(struct watchers *watchers) {
  watches(watchers, 'A');
  asks(watchers->talk, "CON GET observe:0 /a");
  struct talk_token token = token_of(watchers->talk);
  answers(watchers->talk, "2.05 observe:1 +6");
  assert_letters(watchers, "A");
  return token;
}

/* One more joins, is told a state of 6 bytes, and the next answer is a notification. */
static inline void joins(struct watchers *watchers, char letter, const struct talk_token *token) {
  watches(watchers, letter);
  asks(watchers->talk, "CON GET /a");
  answers(watchers->talk, "2.05 +6");
  assert_letters(watchers, (const char[]){letter, 0});
  with_token(watchers->talk, token);
}

#endif
