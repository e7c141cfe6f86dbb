/* Calls by Q-Block: what is no offer, answers that are wrong, early or say little, and what is sent when there is no
 * room. RFC 9177 sections 4 and 7.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"
#include "support/spent.h"

static struct talk *open_client(void) {
  copal_config config = copal_config_small();
  config.exchanges_max = 32;
  config.messages_size = 16 << 10;
  config.replies_size = 16 << 10;
  return talk_open(&config);
}

static struct talk *begin_get(copal_call_options options) {
  struct talk *talk = open_client();
  options.block_size = 16;
  options.q_block = true;
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks(talk, "CON GET /a q2:0/0/16");
  return talk;
}

static struct talk *begin_put(uint64_t size, copal_time timeout) {
  struct talk *talk = open_client();
  talk->source_size = size;
  talk_begin(
      talk, COPAL_CON, COPAL_PUT, "a", 0,
      &(copal_call_options){.read = talk_read, .size = size, .block_size = 16, .q_block = true, .timeout = timeout});
  char text[80];
  snprintf(text, sizeof text, "CON PUT /a q1:0/1/16 q2:0/1/16 size:%u tag +16", (unsigned)size);
  asks(talk, text);
  return talk;
}

/* Blocks first to last went out, and nothing else. */
static void assert_sent(struct talk *talk, uint32_t first, uint32_t last) {
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, last - first + 1);
  for (uint32_t i = 0; i <= last - first; ++i) {
    uint32_t value = copal_find_uint(&talk->bare->sent[i].view, COPAL_OPTION_Q_BLOCK1, UINT32_MAX);
    assert_int_equal(copal_block_of(value).number, first + i);
  }
}

static void end(struct talk *talk) {
  bare_out(talk->bare);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- What is no offer ----------------------------------------------------------------------------------- */

/* "With a Block option of its own it is one exchange, whose response is told as it is." */
static void a_request_with_a_block_option_of_its_own_is_left_alone(void **state) {
  (void)state;
  static const struct {
    uint16_t number;
    const char *asked;
  } cases[] = {{COPAL_OPTION_BLOCK1, "CON PUT /a 1:3/0/16 +10"},
               {COPAL_OPTION_BLOCK2, "CON PUT /a 2:3/0/16 +10"},
               {COPAL_OPTION_Q_BLOCK1, "CON PUT /a q1:3/0/16 +10"},
               {COPAL_OPTION_Q_BLOCK2, "CON PUT /a q2:3/0/16 +10"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct talk *talk = open_client();
    uint8_t buffer[64], payload[10];
    copal_message message;
    talk_fill(payload, i == 0 || i == 2 ? 48 : 0, sizeof payload, 0);
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_PUT);
    copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
    copal_message_add_uint(&message, cases[i].number, copal_block_value((copal_block){3, false, 0}));
    copal_message_set_payload(&message, payload, sizeof payload);
    talk_begin(talk, COPAL_CON, COPAL_PUT, "", 0, &(copal_call_options){.message = &message, .q_block = true});
    asks(talk, cases[i].asked);
    answers(talk, "2.05 2:0/1/16 +16");
    ends_with(talk, COPAL_CONTENT, 16, 0);
    end(talk);
  }
}

/* RFC 9177 4.8 has no Q-Block with groups. */
static void a_group_is_offered_nothing(void **state) {
  (void)state;
  struct talk *talk = open_client();
  copal_address group = bare_group();
  talk_begin(talk, COPAL_NON, COPAL_GET, "a", 0, &(copal_call_options){.remote = &group, .q_block = true});
  asks(talk, "NON GET /a"); /* nor a size of blocks, though messages are small */
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  end(talk);
}

/* RFC 7967: who wants no response is not told whether the server knows Q-Block. */
static void a_request_without_response_offers_nothing(void **state) {
  (void)state;
  struct talk *talk = open_client();
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_uint(&message, COPAL_OPTION_NO_RESPONSE, 26);
  talk_begin(talk, COPAL_CON, COPAL_GET, "", 0, &(copal_call_options){.message = &message, .q_block = true});
  bare_out_one(talk->bare);
  copal_option option;
  assert_false(copal_find(&talk->bare->sent[0].view, COPAL_OPTION_Q_BLOCK2, &option));
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  end(talk);
}

/* RFC 7959 2.2: 20 bits of block numbers. */
static void a_body_of_too_many_blocks_for_their_numbers_goes_by_block1(void **state) {
  (void)state;
  struct talk *talk = open_client();
  talk->source_size = (uint64_t)16 << 20;
  copal_call_options options = {.read = talk_read, .size = talk->source_size, .block_size = 16, .q_block = true};
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
  asks(talk, "CON PUT /a 1:0/1/16 size:16777216 tag +16");
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  end(talk);
}

static void what_leaves_no_room_for_a_block_is_refused(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 64;
  char path[64];
  unsigned refused = 0;
  for (size_t size = 10; size < 50; ++size) {
    struct talk *talk = talk_open(&config);
    memset(path, 'p', size);
    path[size] = 0;
    talk->source_size = 100;
    copal_call_options options = {.read = talk_read, .size = 100, .q_block = size % 2 == 0};
    copal_error error = talk_try(talk, COPAL_CON, COPAL_PUT, path, 0, &options);
    if (error != COPAL_OK) {
      assert_int_equal(error, COPAL_ERR_MESSAGE_SIZE);
      leaves_nothing(talk);
      ++refused;
    }
    talk_close(talk);
  }
  assert_in_range(refused, 25, 40);
}

/* --- Answers to blocks ----------------------------------------------------------------------------------- */

static void a_continue_without_a_block_is_for_all_that_went(void **state) {
  (void)state;
  struct talk *talk = begin_put(25 * 16, 0);
  answers(talk, "0.00");
  assert_sent(talk, 1, 9);
  answers(talk, "NON 2.31");
  assert_sent(talk, 10, 19);
  answers(talk, "NON 2.31");
  assert_sent(talk, 20, 24);
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  end(talk);
}

/* What is still to go in a set goes, whatever is said of it. */
static void answers_within_a_set_change_nothing(void **state) {
  (void)state;
  static const char *const texts[] = {"NON 2.31 q1:0/1/16", "NON 2.31", "NON 4.08 missing:5"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    struct talk *talk = begin_put(25 * 16, 0);
    answers(talk, "0.00");
    answers(talk, texts[i]);
    assert_sent(talk, 1, 9);
    asks_nothing(talk);
    answers(talk, "NON 2.04");
    end(talk);
  }
}

/* RFC 7959 2.9.3: only a smaller size is a hint. */
static void a_4_13_that_offers_no_smaller_blocks_is_the_answer(void **state) {
  (void)state;
  static const char *const texts[] = {"4.13 q1:0/0/16", "4.13 q1:0/0/64"};
  for (int i = 0; i < 2; ++i) {
    struct talk *talk = begin_put(48, 0);
    answers(talk, texts[i]);
    ends_with(talk, COPAL_REQUEST_ENTITY_TOO_LARGE, 0, 0);
    end(talk);
  }
}

/* --- Blocks that come ------------------------------------------------------------------------------------- */

static void a_first_block_that_cannot_be_one_fails_the_call(void **state) {
  (void)state;
  static const char *const texts[] = {"2.05 q2:0/1/2048 size:4096 +16", "2.05 q2:0/1/16 +16",
                                      "2.05 q2:0/1/16 size:48 +15"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    struct talk *talk = begin_get((copal_call_options){.handler = NULL});
    answers(talk, texts[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    end(talk);
  }
}

static void a_last_block_that_does_not_end_the_body_fails_the_call(void **state) {
  (void)state;
  static const char *const texts[] = {"NON 2.05 q2:2/0/16 size:32", "NON 2.05 q2:1/0/16 size:40 +24",
                                      "NON 2.05 q2:2/0/16 size:40 +7", "NON 2.05 q2:2/0/32 size:40 +8"};
  static const unsigned sizes[] = {32, 40, 40, 40};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    struct talk *talk = begin_get((copal_call_options){.handler = NULL});
    char first[64];
    snprintf(first, sizeof first, "2.05 q2:0/1/16 size:%u +16", sizes[i]);
    answers(talk, first);
    bare_out_one(talk->bare);
    answers(talk, texts[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    end(talk);
  }
}

/* What came of a body is known for 64 blocks from the first gap on. */
static void a_block_far_ahead_of_the_others_is_asked_for_again(void **state) {
  (void)state;
  struct talk *talk = begin_get((copal_call_options){.handler = NULL});
  answers(talk, "2.05 q2:0/1/16 size:1600 +16");
  asks(talk, "NON GET /a q2:1/1/16");
  answers(talk, "NON 2.05 q2:70/1/16 size:1600 +16");
  asks(talk, "NON GET /a q2:1/1/16");
  for (int number = 1; number < 100; ++number) {
    char text[64];
    snprintf(text, sizeof text, "NON 2.05 q2:%d/%d/16 size:1600 +16", number, number < 99);
    assert_false(talk->last);
    answers(talk, text);
    bare_out(talk->bare);
  }
  ends_with(talk, COPAL_CONTENT, 1600, 0);
  end(talk);
}

/* RFC 7252 5.4.1: unknown critical options "in a Confirmable response … MUST cause the response to be rejected". */
static void a_block_with_an_unknown_critical_option_does_not_count(void **state) {
  (void)state;
  struct talk *talk = begin_get((copal_call_options){.handler = NULL});
  answers(talk, "2.05 q2:0/1/16 size:32 +16");
  asks(talk, "NON GET /a q2:1/0/16");
  char token[33];
  bare_token(&talk->bare->sent[0], token);
  bare_in(talk->bare, "58450001 %s d1e001 ff00", token); /* option 237 */
  assert_out(talk->bare, "");
  bare_in(talk->bare, "48450002 %s d1e001 ff00", token);
  assert_out(talk->bare, "70000002");
  assert_false(talk->last);
  answers(talk, "NON 2.05 q2:1/0/16 size:32 +16");
  ends_with(talk, COPAL_CONTENT, 32, 0);
  end(talk);
}

/* --- Ends --------------------------------------------------------------------------------------------------- */

/* A Reset is for a message of a burst, and none has gone. */
static void a_reset_before_the_first_burst_ends_nothing(void **state) {
  (void)state;
  struct talk *talk = begin_put(48, 0);
  answers(talk, "0.00");
  bare_in(talk->bare, "70000000");
  assert_false(talk->last);
  assert_sent(talk, 1, 2);
  bare_in(talk->bare, "7000%04x", talk->bare->sent[1].view.message_id);
  fails_with(talk, COPAL_ERR_RESET);
  end(talk);
}

/* The first request's token is kept for the answer; who cannot be reached will not give it. */
static void a_server_that_cannot_be_reached_any_more_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = begin_put(48, 0);
  uint8_t quoted[128];
  size_t size = talk->bare->sent[0].size;
  memcpy(quoted, talk->bare->sent[0].bytes, size);
  answers(talk, "NON 2.31");
  assert_sent(talk, 1, 2);
  copal_path path = bare_path(BARE_PORT);
  copal_endpoint_unreachable(talk->bare->endpoint, talk->bare->now, &path, quoted, size);
  assert_false(talk->last); /* its response has come */
  talk->bare->now += COPAL_SECOND;
  answers(talk, "NON 2.04");
  end(talk);

  talk = begin_put(48, 0);
  size = talk->bare->sent[0].size;
  memcpy(quoted, talk->bare->sent[0].bytes, size);
  answers(talk, "0.00"); /* acknowledged, and expected still */
  assert_sent(talk, 1, 2);
  copal_endpoint_unreachable(talk->bare->endpoint, talk->bare->now, &path, quoted, size);
  fails_with(talk, COPAL_ERR_UNREACHABLE);
  end(talk);
}

/* Where a server answers the offer with a Reset all begins anew, if it can. */
static void a_body_that_cannot_be_read_anew_fails_the_call(void **state) {
  (void)state;
  struct talk *talk = begin_put(48, 0);
  talk->read_fails_at = 1;
  bare_in(talk->bare, "7000%04x", talk->mid);
  fails_with(talk, COPAL_ERR_BODY_READ);
  end(talk);
}

/* It need not be about the offer: a ping that somebody forges with the request's message ID is answered by one, too. */
static void a_reset_of_the_offer_executes_nothing_twice(void **state) {
  (void)state;
  static const struct {
    copal_code method;
    bool again;
  } cases[] = {{COPAL_GET, true}, {COPAL_FETCH, true}, {COPAL_POST, false}, {COPAL_PUT, false}, {COPAL_DELETE, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_begin(talk, COPAL_CON, cases[i].method, "a", 0, &(copal_call_options){.q_block = true});
    bare_out_one(talk->bare);
    uint16_t mid = talk->bare->sent[0].view.message_id;
    bare_in(talk->bare, "7000%04x", mid);
    if (cases[i].again) {
      copal_option option;
      const struct bare_sent *sent = bare_out_one(talk->bare);
      assert_int_equal(sent->view.code, cases[i].method);
      assert_false(copal_find(&sent->view, COPAL_OPTION_Q_BLOCK2, &option));
    } else {
      fails_with(talk, COPAL_ERR_RESET);
    }
    talk_close(talk);
  }
}

static void a_burst_waits_for_message_ids(void **state) {
  (void)state;
  struct talk *talk = begin_put(48, 0);
  spend_message_ids(talk->bare->endpoint, 0);
  answers(talk, "NON 2.31");
  asks_nothing(talk);
  asks_nothing(talk);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).exchanges, 0); /* the first token gave its room up */
  for (int i = 0; i < 240; ++i, talk->bare->now += COPAL_SECOND) asks_nothing(talk);
  talk->bare->now += 10 * COPAL_SECOND;
  assert_sent(talk, 1, 2);
  answers(talk, "NON 2.31"); /* to a token that is forgotten */
  talk->token_size = 8;
  memcpy(talk->token, talk->bare->sent[1].view.token.data, 8);
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  bare_out(talk->bare);
  end(talk);
}

static void a_burst_waits_no_longer_than_the_call_may_take(void **state) {
  (void)state;
  struct talk *talk = begin_put(48, 5 * COPAL_SECOND);
  answers(talk, "NON 2.31");
  spend_message_ids(talk->bare->endpoint, 0);
  asks_nothing(talk);
  talk->bare->now += 4 * COPAL_SECOND;
  asks_nothing(talk);
  assert_false(talk->last);
  talk->bare->now += COPAL_SECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  end(talk);
}

/* RFC 9177 6: the last four bytes of its tokens tell a body from others that go to the same server. */
static void bodies_under_way_have_tokens_of_their_own(void **state) {
  (void)state;
  struct talk *talk = begin_put(48, 0);
  struct engine *engine = &talk->bare->endpoint->engine;
  copal_call first = talk->call;
  answers(talk, "0.00");
  assert_sent(talk, 1, 2);
  struct operation *operation = operation_of(&talk->bare->endpoint->operations, first);
  talk_begin(talk, COPAL_CON, COPAL_PUT, "b", 0,
             &(copal_call_options){.read = talk_read, .size = 48, .block_size = 16, .q_block = true});
  asks(talk, "CON PUT /b q1:0/1/16 q2:0/1/16 size:48 tag +16");
  struct random next = engine->random;
  operation->quick.token = random_u32(&next); /* what would be drawn next is taken */
  answers(talk, "0.00");
  assert_sent(talk, 1, 2);
  const uint8_t *token = talk->bare->sent[0].view.token.data;
  uint32_t drawn = (uint32_t)token[4] << 24 | (uint32_t)token[5] << 16 | (uint32_t)token[6] << 8 | token[7];
  assert_int_not_equal(drawn, operation->quick.token);
  assert_int_equal(drawn, random_u32(&next));
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, first, false), COPAL_OK);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  end(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_with_a_block_option_of_its_own_is_left_alone),
      cmocka_unit_test(a_group_is_offered_nothing),
      cmocka_unit_test(a_request_without_response_offers_nothing),
      cmocka_unit_test(a_body_of_too_many_blocks_for_their_numbers_goes_by_block1),
      cmocka_unit_test(what_leaves_no_room_for_a_block_is_refused),
      cmocka_unit_test(a_continue_without_a_block_is_for_all_that_went),
      cmocka_unit_test(answers_within_a_set_change_nothing),
      cmocka_unit_test(a_4_13_that_offers_no_smaller_blocks_is_the_answer),
      cmocka_unit_test(a_first_block_that_cannot_be_one_fails_the_call),
      cmocka_unit_test(a_last_block_that_does_not_end_the_body_fails_the_call),
      cmocka_unit_test(a_block_far_ahead_of_the_others_is_asked_for_again),
      cmocka_unit_test(a_block_with_an_unknown_critical_option_does_not_count),
      cmocka_unit_test(a_reset_before_the_first_burst_ends_nothing),
      cmocka_unit_test(a_server_that_cannot_be_reached_any_more_ends_the_call),
      cmocka_unit_test(a_body_that_cannot_be_read_anew_fails_the_call),
      cmocka_unit_test(a_reset_of_the_offer_executes_nothing_twice),
      cmocka_unit_test(a_burst_waits_for_message_ids),
      cmocka_unit_test(a_burst_waits_no_longer_than_the_call_may_take),
      cmocka_unit_test(bodies_under_way_have_tokens_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
