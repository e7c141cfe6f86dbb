/* Calls that ask for blocks of a response before those in front of them have come: how many, and what becomes of what
 * comes out of turn, or is lost. RFC 7959 section 2.4, RFC 7252 section 4.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/asked.h"

/* --- How many ------------------------------------------------------------------------------------- */

/* With each block that comes, one more than before is asked for. */
static void more_are_asked_for_the_more_have_come(void **state) {
  (void)state;
  static const char *const asked_then[] = {"1 2", "3 4", "5 6", "7 8", "9 10", "11 12", "13 14", "15", "16", "17"};
  struct asked asked = open_asked(8);
  begins(&asked, 7, false);
  for (unsigned i = 0; i < 10; ++i) {
    gives(&asked, i, 11 * 16);
    asks_for(&asked, asked_then[i]);
  }
  gives(&asked, 10, 11 * 16);
  ends_with(asked.talk, COPAL_CONTENT, 11 * 16, 0);
  assert_int_equal(asked.talk->result.blocks_in, 11);
  assert_int_equal(asked.talk->result.exchanges, 18);
  assert_int_equal(asked.talk->result.retransmissions, 0);
  closes(&asked);
}

static void no_more_than_nstart_are_under_way(void **state) {
  (void)state;
  struct asked asked = open_asked(2);
  begins(&asked, 7, false);
  gives(&asked, 0, 64);
  asks_for(&asked, "1 2");
  gives(&asked, 1, 64);
  asks_for(&asked, "3");
  gives(&asked, 2, 64);
  asks_for(&asked, "4");
  gives(&asked, 3, 64);
  ends_with(asked.talk, COPAL_CONTENT, 64, 0);
  closes(&asked);
  asked = open_asked(1);
  begins(&asked, 7, false);
  gives(&asked, 0, 32);
  asks_for(&asked, "1");
  gives(&asked, 1, 32);
  ends_with(asked.talk, COPAL_CONTENT, 32, 0);
  closes(&asked);
}

static void no_more_than_is_wished_for_are_under_way(void **state) {
  (void)state;
  struct asked asked = open_asked(200);
  begins(&asked, 1, false);
  for (unsigned i = 0; i < 5; ++i) {
    char expected[16];
    gives(&asked, i, 320);
    snprintf(expected, sizeof expected, i == 0 ? "1 2" : "%u", i + 2);
    asks_for(&asked, expected);
  }
  assert_int_equal(copal_call_cancel(asked.talk->bare->endpoint, asked.talk->call, false), COPAL_OK);
  closes(&asked);
}

static void there_is_a_bound_to_what_may_be_wished_for(void **state) {
  (void)state;
  struct asked asked = open_asked(200);
  begins(&asked, UINT8_MAX, false);
  for (unsigned i = 0; i < 20; ++i) {
    gives(&asked, i, 640);
    asks_for_some(&asked);
  }
  assert_int_equal(copal_endpoint_usage(asked.talk->bare->endpoint).exchanges, 8);
  assert_int_equal(copal_call_cancel(asked.talk->bare->endpoint, asked.talk->call, false), COPAL_OK);
  closes(&asked);
}

/* What is behind the end is not asked for where the server tells the size; what it tells may be wrong. */
static void what_the_server_reckons_ends_what_is_asked_for_ahead(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  begins(&asked, 7, false);
  answers_to(&asked, 0, "2.05 2:0/1/16 size:50 +16");
  asks_for(&asked, "1 2");
  gives(&asked, 1, 50);
  asks_for(&asked, "3");
  gives(&asked, 2, 50);
  asks_for(&asked, "");
  gives(&asked, 3, 50);
  ends_with(asked.talk, COPAL_CONTENT, 50, 0);
  asked.talk->last = false;
  begins(&asked, 7, false);
  answers_to(&asked, 0, "2.05 2:0/1/16 size:32 +16");
  asks_for(&asked, "1");
  gives(&asked, 1, 64);
  asks_for(&asked, "2");
  gives(&asked, 2, 64);
  asks_for(&asked, "3");
  gives(&asked, 3, 64);
  ends_with(asked.talk, COPAL_CONTENT, 64, 0);
  closes(&asked);
}

/* Nothing else may be asked for in any order, and each needs a token of its own. */
static void only_confirmable_gets_with_tokens_ask_ahead(void **state) {
  (void)state;
  static const struct {
    copal_type type;
    copal_code method;
    copal_call_options options;
  } calls[] = {{COPAL_CON, COPAL_FETCH, {.block_size = 16}},
               {COPAL_CON, COPAL_POST, {.block_size = 16}},
               {COPAL_NON, COPAL_GET, {.block_size = 16}},
               {COPAL_CON, COPAL_GET, {.block_size = 16, .no_token = true}}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) {
    struct asked asked = open_asked(8);
    copal_call_options options = calls[i].options;
    options.ahead = 7;
    talk_begin(asked.talk, calls[i].type, calls[i].method, "a", 0, &options);
    for (unsigned number = 0; number < 4; ++number) {
      char text[64];
      const struct bare_sent *sent = bare_out_one(asked.talk->bare);
      asked.tokens[number].size = sent->view.token.size;
      if (sent->view.token.size > 0) memcpy(asked.tokens[number].bytes, sent->view.token.data, sent->view.token.size);
      asked.mids[number] = sent->view.message_id;
      snprintf(text, sizeof text, "%s2.05 2:%u/%d/16 +16", calls[i].type == COPAL_NON ? "NON " : "", number,
               number < 3);
      answers_to(&asked, number, text);
    }
    ends_with(asked.talk, COPAL_CONTENT, 64, 0);
    assert_int_equal(asked.talk->result.exchanges, 4);
    closes(&asked);
  }
}

/* --- Out of turn ---------------------------------------------------------------------------------- */

static void what_comes_out_of_turn_waits_for_its_turn(void **state) {
  (void)state;
  for (int by_writer = 0; by_writer < 2; ++by_writer) {
    struct asked asked = open_asked(8);
    opens_up(&asked, by_writer != 0, 112);
    gives(&asked, 6, 112);
    gives(&asked, 4, 112);
    gives(&asked, 5, 112);
    asks_nothing(asked.talk);
    assert_false(asked.talk->last);
    gives(&asked, 3, 112);
    assert_true(asked.talk->last);
    assert_int_equal(asked.talk->code, COPAL_CONTENT);
    assert_int_equal(asked.talk->result.body_size, 112);
    assert_int_equal(asked.talk->result.blocks_in, 7);
    assert_int_equal(asked.talk->result.exchanges, 7);
    if (by_writer != 0) {
      assert_int_equal(asked.talk->taken_size, 112);
      assert_body(asked.talk->taken, 0, 112, 0);
    } else {
      ends_with(asked.talk, COPAL_CONTENT, 112, 0);
    }
    closes(&asked);
  }
}

static void what_comes_in_turn_is_followed_by_what_has_come(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, true, 640);
  gives(&asked, 4, 640);
  gives(&asked, 3, 640);
  assert_int_equal(asked.talk->taken_size, 80);
  asks_for(&asked, "7 8 9 10");
  gives(&asked, 6, 640);
  gives(&asked, 5, 640);
  assert_int_equal(asked.talk->taken_size, 112);
  asks_for(&asked, "11 12 13 14");
  assert_int_equal(copal_call_cancel(asked.talk->bare->endpoint, asked.talk->call, false), COPAL_OK);
  closes(&asked);
}

/* Twice the same, from a server that does not hear its acknowledgements, or a forger. */
static void an_answer_that_comes_again_is_nothing_new(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, true, 112);
  gives(&asked, 5, 112);
  size_t used = copal_endpoint_usage(asked.talk->bare->endpoint).messages_size;
  for (unsigned i = 0; i < 100; ++i) gives(&asked, 5, 112);
  assert_int_equal(copal_endpoint_usage(asked.talk->bare->endpoint).messages_size, used);
  for (unsigned i = 3; i < 7; ++i)
    if (i != 5) gives(&asked, i, 112);
  assert_true(asked.talk->last && asked.talk->taken_size == 112);
  closes(&asked);
}

static void separate_responses_wait_for_their_turn_too(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 112);
  for (unsigned i = 6; i > 2; --i) {
    char text[64];
    answers_to(&asked, i, "0.00");
    snprintf(text, sizeof text, "CON 2.05 2:%u/%d/16 +16", i, i < 6);
    answers_to(&asked, i, text);
    assert_int_equal(bare_out_one(asked.talk->bare)->view.type, COPAL_ACK);
  }
  ends_with(asked.talk, COPAL_CONTENT, 112, 0);
  assert_true(asked.talk->result.acknowledged);
  closes(&asked);
}

/* What the handler is told of lies where it is kept. */
struct begun_again {
  struct asked *asked;
  size_t payload_size;
  unsigned told;
};

static void begin_again(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct begun_again *again = context;
  (void)call;
  assert_int_equal(result->error, COPAL_OK);
  ++again->told;
  copal_message message;
  uint8_t buffer[256], other[100];
  memset(other, 0xee, sizeof other);
  copal_address remote = bare_address(BARE_PORT);
  for (int i = 0; i < 2; ++i) {
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_PUT);
    copal_message_set_payload(&message, other, sizeof other);
    copal_call_options options = {
        .message = &message, .remote = &remote, .handler = talk_told, .context = again->asked->talk};
    assert_int_equal(copal_call_begin(endpoint, &options, &again->asked->talk->call), COPAL_OK);
  }
  assert_int_equal(result->rx->message.payload.size, again->payload_size);
  assert_body(result->rx->message.payload.data, 32, again->payload_size, 0);
  assert_int_equal(copal_find_uint(&result->rx->message, COPAL_OPTION_BLOCK2, 0), 2 << 4);
  assert_int_equal(result->rx->type, COPAL_ACK);
  assert_int_equal(result->rx->path.remote.port, BARE_PORT);
}

static void what_was_kept_lives_for_as_long_as_it_is_told_of(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  struct begun_again again = {&asked, 9, 0};
  copal_message message;
  uint8_t buffer[64], body[64];
  copal_address remote = bare_address(BARE_PORT);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_call_options options = {.message = &message,
                                .remote = &remote,
                                .handler = begin_again,
                                .context = &again,
                                .buffer = body,
                                .capacity = sizeof body,
                                .ahead = 7,
                                .block_size = 16};
  assert_int_equal(copal_call_begin(asked.talk->bare->endpoint, &options, NULL), COPAL_OK);
  asks_for(&asked, "0");
  gives(&asked, 0, 41);
  asks_for(&asked, "1 2");
  gives(&asked, 2, 41);
  gives(&asked, 1, 41);
  assert_int_equal(again.told, 1);
  assert_body(body, 0, 41, 0);
  talk_close(asked.talk);
}

/* --- What does not come --------------------------------------------------------------------------- */

/* Each that had to be sent again halves the number: RFC 7252 4.8.1 asks for congestion control where NSTART is raised.
 */
static void what_is_lost_is_sent_again_and_fewer_are_asked_for(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 640);
  gives(&asked, 4, 640);
  gives(&asked, 5, 640);
  gives(&asked, 6, 640);
  asked.talk->bare->now += 3 * COPAL_SECOND;
  asks_for(&asked, "3");
  gives(&asked, 3, 640);
  asks_for(&asked, "7 8 9 10"); /* six ahead would be allowed, and now three are */
  assert_int_equal(copal_endpoint_usage(asked.talk->bare->endpoint).exchanges, 4);
  for (unsigned i = 7; i < 40; ++i) {
    gives(&asked, i, 640);
    asks_for_some(&asked);
  }
  ends_with(asked.talk, COPAL_CONTENT, 640, 0);
  assert_int_equal(asked.talk->result.retransmissions, 1);
  closes(&asked);
}

static void what_is_lost_out_of_turn_counts_as_well(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  begins(&asked, 7, false);
  gives(&asked, 0, 48);
  asks_for(&asked, "1 2");
  asked.talk->bare->now += 3 * COPAL_SECOND;
  asks_for(&asked, "1 2");
  gives(&asked, 2, 48);
  gives(&asked, 1, 48);
  ends_with(asked.talk, COPAL_CONTENT, 48, 0);
  assert_int_equal(asked.talk->result.retransmissions, 2);
  assert_int_equal(asked.talk->result.transmissions, 2);
  assert_true(asked.talk->result.asked == asked.talk->bare->now - 3 * COPAL_SECOND);
  closes(&asked);
}

static void a_block_that_never_comes_is_the_end(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 640);
  gives(&asked, 5, 640);
  while (!asked.talk->last) {
    asked.talk->bare->now += COPAL_SECOND;
    bare_out(asked.talk->bare);
  }
  fails_with(asked.talk, COPAL_ERR_TIMEOUT);
  closes(&asked);
}

/* T61: what is kept for a turn that does not come is bounded, and given back with the call. */
static void t61_a_server_that_answers_all_but_the_first(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  begins(&asked, 7, true);
  char text[ASKED_MAX];
  for (unsigned i = 0; i < 7; ++i) {
    gives(&asked, i, 1024);
    note_asked(&asked, text);
  }
  assert_string_equal(text, "13 14");
  size_t before = copal_endpoint_usage(asked.talk->bare->endpoint).messages_size;
  for (unsigned i = 8; i <= 14; ++i) gives(&asked, i, 1024);
  asks_nothing(asked.talk);
  size_t kept = copal_endpoint_usage(asked.talk->bare->endpoint).messages_size - before;
  assert_true(kept > 0 && kept <= 7 * 256);
  while (!asked.talk->last) {
    asked.talk->bare->now += COPAL_SECOND;
    note_asked(&asked, text);
    assert_true(text[0] == 0 || strcmp(text, "7") == 0);
  }
  fails_with(asked.talk, COPAL_ERR_TIMEOUT);
  closes(&asked);
}

static void the_time_of_the_whole_is_that_of_each_block(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  copal_call_options options = {.ahead = 7, .block_size = 16, .timeout = COPAL_SECOND};
  talk_begin(asked.talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks_for(&asked, "0");
  gives(&asked, 0, 640);
  asks_for(&asked, "1 2");
  gives(&asked, 2, 640);
  asked.talk->bare->now += COPAL_SECOND;
  asks_nothing(asked.talk);
  fails_with(asked.talk, COPAL_ERR_TIMEOUT);
  closes(&asked);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(more_are_asked_for_the_more_have_come),
      cmocka_unit_test(no_more_than_nstart_are_under_way),
      cmocka_unit_test(no_more_than_is_wished_for_are_under_way),
      cmocka_unit_test(there_is_a_bound_to_what_may_be_wished_for),
      cmocka_unit_test(what_the_server_reckons_ends_what_is_asked_for_ahead),
      cmocka_unit_test(only_confirmable_gets_with_tokens_ask_ahead),
      cmocka_unit_test(what_comes_out_of_turn_waits_for_its_turn),
      cmocka_unit_test(what_comes_in_turn_is_followed_by_what_has_come),
      cmocka_unit_test(an_answer_that_comes_again_is_nothing_new),
      cmocka_unit_test(separate_responses_wait_for_their_turn_too),
      cmocka_unit_test(what_was_kept_lives_for_as_long_as_it_is_told_of),
      cmocka_unit_test(what_is_lost_is_sent_again_and_fewer_are_asked_for),
      cmocka_unit_test(what_is_lost_out_of_turn_counts_as_well),
      cmocka_unit_test(a_block_that_never_comes_is_the_end),
      cmocka_unit_test(t61_a_server_that_answers_all_but_the_first),
      cmocka_unit_test(the_time_of_the_whole_is_that_of_each_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
