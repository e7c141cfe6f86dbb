/* A call's requests for blocks, of which several may be under way: each is answered by its number, in any order. On top
 * of dialogue.h. Include after cmocka.h. */
#ifndef COPAL_TESTS_ASKED_H
#define COPAL_TESTS_ASKED_H

#include "support/dialogue.h"

enum { BLOCKS_MAX = 64, ASKED_MAX = 256 };

/* The requests that went out, by the block that they ask for. */
struct asked {
  struct talk *talk;
  struct talk_token tokens[BLOCKS_MAX];
  uint16_t mids[BLOCKS_MAX]; /* 0: it has not been asked for, or is answered */
  unsigned times[BLOCKS_MAX];
};

static inline copal_config config_of(uint8_t nstart) {
  copal_config config = copal_config_small();
  config.messages_size = 8 << 10;
  config.exchanges_max = 16;
  config.calls_max = 4;
  config.parameters.nstart = nstart;
  return config;
}

static inline struct asked open_asked_with(const copal_config *config) {
  struct asked asked = {.talk = talk_open(config)};
  return asked;
}

static inline struct asked open_asked(uint8_t nstart) {
  copal_config config = config_of(nstart);
  return open_asked_with(&config);
}

/* Takes what is sent now, which is requests for blocks: their numbers as text. */
static inline void note_asked(struct asked *asked, char text[ASKED_MAX]) {
  size_t at = 0;
  text[0] = 0;
  bare_out(asked->talk->bare);
  for (size_t i = 0; i < asked->talk->bare->sent_count; ++i) {
    const copal_view *view = &asked->talk->bare->sent[i].view;
    copal_block block = copal_block_of(copal_find_uint(view, COPAL_OPTION_BLOCK2, 0));
    assert_true(block.number < BLOCKS_MAX && view->code == COPAL_GET && !block.more);
    at += (size_t)snprintf(text + at, ASKED_MAX - at, "%s%u", i > 0 ? " " : "", block.number);
    struct talk_token *token = &asked->tokens[block.number];
    token->size = view->token.size;
    memcpy(token->bytes, view->token.data, token->size);
    asked->mids[block.number] = view->message_id;
    ++asked->times[block.number];
  }
}

/* Checks what is sent now: requests for these blocks, in this order. */
static inline void asks_for(struct asked *asked, const char *numbers) {
  char text[ASKED_MAX];
  note_asked(asked, text);
  assert_string_equal(text, numbers);
}

static inline void asks_for_some(struct asked *asked) {
  char text[ASKED_MAX];
  note_asked(asked, text);
}

/* Answers the latest request for a block with a response as in dialogue.h. */
static inline void answers_to(struct asked *asked, unsigned number, const char *text) {
  with_token(asked->talk, &asked->tokens[number]);
  asked->talk->mid = asked->mids[number];
  answers(asked->talk, text);
}

/* Answers it with 16 bytes of a body, and with as many as are left where it is the last one. */
static inline void gives(struct asked *asked, unsigned number, size_t body_size) {
  char text[64];
  size_t left = body_size - (size_t)number * 16;
  snprintf(text, sizeof text, "2.05 2:%u/%d/16 +%zu", number, left > 16, left > 16 ? 16 : left);
  answers_to(asked, number, text);
}

static inline void begins(struct asked *asked, uint8_t ahead, bool by_writer) {
  copal_call_options options = {.ahead = ahead, .block_size = 16, .write = by_writer ? talk_write : NULL};
  talk_begin(asked->talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks_for(asked, "0");
}

/* What is still under way has its time. */
static inline void closes(struct asked *asked) {
  for (unsigned i = 0; i < 100 && copal_endpoint_usage(asked->talk->bare->endpoint).exchanges > 0; ++i) {
    asked->talk->bare->now += COPAL_SECOND;
    bare_out(asked->talk->bare);
  }
  leaves_nothing(asked->talk);
  talk_close(asked->talk);
}

/* Three ahead of the first that is missing. */
static inline void opens_up(struct asked *asked, bool by_writer, size_t body_size) {
  begins(asked, 7, by_writer);
  gives(asked, 0, body_size);
  asks_for(asked, "1 2");
  gives(asked, 1, body_size);
  asks_for(asked, "3 4");
  gives(asked, 2, body_size);
  asks_for(asked, "5 6");
}

#endif
