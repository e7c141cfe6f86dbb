/* Calls by Q-Block in messages that leave little room: blocks keep their size whatever else comes to be in them, and
 * what does not fit is asked for later. RFC 9177 section 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

enum { MESSAGE_MAX = 112, PATH_MAX_SIZE = 100 };

static struct talk *open_tight(void) {
  copal_config config = copal_config_small();
  config.message_size_max = MESSAGE_MAX;
  config.exchanges_max = 32;
  config.messages_size = config.replies_size = 16 << 10;
  return talk_open(&config);
}

/* A request for a path of that many letters, with a token of that size. */
static copal_error begin(struct talk *talk, copal_code method, size_t path_size, size_t token_size,
                         copal_call_options *options) {
  static const uint8_t token[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  uint8_t buffer[256];
  char path[PATH_MAX_SIZE + 1] = {0};
  copal_message message;
  memset(path, 'p', path_size);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)method);
  copal_message_set_token(&message, token, token_size);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  assert_int_equal(message.error, COPAL_OK);
  options->message = &message;
  options->q_block = true;
  return talk_try(talk, COPAL_CON, method, "", 0, options);
}

/* The only request that goes out now; its token is for the next answer. */
static const copal_view *asked(struct talk *talk) {
  const struct bare_sent *sent = bare_out_one(talk->bare);
  talk->mid = sent->view.message_id;
  talk->token_size = sent->view.token.size;
  memcpy(talk->token, sent->view.token.data, talk->token_size);
  return &sent->view;
}

static uint8_t szx_of(const copal_view *view) {
  return copal_block_of(copal_find_uint(view, COPAL_OPTION_Q_BLOCK1, 7)).szx;
}

/* Whatever went out fits, and its blocks are of that size. */
static void assert_blocks(const struct talk *talk, uint8_t szx) {
  assert_true(talk->bare->sent_count > 0);
  for (size_t i = 0; i < talk->bare->sent_count; ++i) {
    assert_true(talk->bare->sent[i].size <= MESSAGE_MAX);
    assert_int_equal(szx_of(&talk->bare->sent[i].view), szx);
  }
}

/* RFC 9177 4.3 has a body's blocks told by number: a server refuses those of another size. The bursts' tokens may be
 * longer than the first one, and an Echo value may come meanwhile (RFC 9175 2.3: "the client SHOULD echo" it). */
static void all_blocks_of_a_body_have_one_size(void **state) {
  (void)state;
  unsigned fitting = 0, shrunk = 0;
  for (size_t token_size = 1; token_size <= 8; ++token_size)
    for (size_t path_size = 1; path_size <= PATH_MAX_SIZE; ++path_size) {
      struct talk *talk = open_tight();
      talk->source_size = 15 * 64;
      copal_call_options options = {.read = talk_read, .size = talk->source_size};
      copal_error error = begin(talk, COPAL_PUT, path_size, token_size, &options);
      if (error != COPAL_OK) assert_int_equal(error, COPAL_ERR_MESSAGE_SIZE);
      if (error == COPAL_OK) {
        ++fitting;
        uint8_t szx = szx_of(asked(talk));
        if (szx < 2) ++shrunk;
        answers(talk, "0.00");
        bare_out(talk->bare);
        assert_blocks(talk, szx);
        answers(talk, "NON 2.31 echo:0123456789");
        bare_out(talk->bare);
        assert_blocks(talk, szx);
        answers(talk, "NON 2.04");
        assert_true(talk->last);
        assert_int_equal(talk->result.error, COPAL_OK);
      }
      bare_out(talk->bare);
      leaves_nothing(talk);
      talk_close(talk);
    }
  assert_in_range(fitting, 100, 700);
  assert_in_range(shrunk, 50, 700);
}

/* Of many gaps as many are named as there is room for: the others have their turn when these have come. */
static void as_much_is_asked_for_as_fits(void **state) {
  (void)state;
  unsigned all = 0, some = 0, none = 0;
  for (size_t path_size = 1; path_size <= PATH_MAX_SIZE; ++path_size) {
    struct talk *talk = open_tight();
    copal_call_options options = {.block_size = 16};
    copal_error error = begin(talk, COPAL_GET, path_size, 1, &options);
    if (error == COPAL_OK) {
      asked(talk);
      answers(talk, "2.05 q2:0/1/16 size:320 +16");
      bare_out(talk->bare);
      if (talk->last) { /* not even one has room */
        fails_with(talk, COPAL_ERR_MESSAGE_SIZE);
        ++none;
      } else {
        /* Of the first set 1, 3, 5, 7 and 9 get lost, which the next one shows. */
        for (int number = 2; number <= 10; number += 2) {
          char text[64];
          snprintf(text, sizeof text, "NON 2.05 q2:%d/1/16 size:320 +16", number);
          talk->token[3] = 1;
          answers(talk, text);
        }
        const struct bare_sent *sent = bare_out_one(talk->bare);
        assert_true(sent->size <= MESSAGE_MAX);
        copal_options walk = copal_options_of(&sent->view);
        copal_option option;
        uint32_t next = 1;
        for (; copal_options_next(&walk, &option);) {
          if (option.number != COPAL_OPTION_Q_BLOCK2) continue;
          assert_int_equal(copal_block_of(copal_option_uint(&option)).number, next);
          next += 2;
        }
        ++*(next > 9 ? &all : &some);
        assert_true(next > 1);
      }
    }
    talk_close(talk);
  }
  assert_in_range(all, 10, PATH_MAX_SIZE);
  assert_int_equal(some, 8); /* each of four options has two bytes */
  assert_in_range(none, 1, PATH_MAX_SIZE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_blocks_of_a_body_have_one_size),
      cmocka_unit_test(as_much_is_asked_for_as_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
