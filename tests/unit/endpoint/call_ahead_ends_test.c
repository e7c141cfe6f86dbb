/* Calls that ask for blocks of a response ahead: what servers refuse, what changes meanwhile, where there is no room,
 * and with a server of ours. RFC 7959 section 2.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "support/asked.h"
#include "support/pair.h"

/* --- What is refused ------------------------------------------------------------------------------ */

/* Behind the end of a body there is nothing to be had. */
static void what_is_refused_behind_the_end_is_no_failure(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 64);
  answers_to(&asked, 4, "4.00");
  answers_to(&asked, 5, "4.02");
  asks_nothing(asked.talk);
  gives(&asked, 3, 64);
  ends_with(asked.talk, COPAL_CONTENT, 64, 0);
  closes(&asked);
}

/* RFC 7252 4.7: outstanding is what has not been answered, wanted or not. What has not been sent need not be. */
static void what_is_not_wanted_any_more_counts_until_it_is_answered(void **state) {
  (void)state;
  struct asked asked = open_asked(4);
  opens_up(&asked, false, 64);
  gives(&asked, 3, 64);
  ends_with(asked.talk, COPAL_CONTENT, 64, 0);
  static const char *const sent[] = {"0", "", ""}; /* one beside those for blocks 4 to 6 */
  for (size_t i = 0; i < 3; ++i) {
    asked.talk->last = false;
    talk_get(asked.talk, "b");
    asks_for(&asked, sent[i]);
  }
  answers_to(&asked, 4, "4.02");
  asks_for(&asked, "0");
  assert_false(asked.talk->last);
  talk_close(asked.talk);
}

static void what_is_not_wanted_any_more_need_not_be_sent(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 80);
  gives(&asked, 3, 80);
  gives(&asked, 4, 80);
  ends_with(asked.talk, COPAL_CONTENT, 80, 0);
  asks_nothing(asked.talk);
  assert_int_equal(copal_endpoint_usage(asked.talk->bare->endpoint).exchanges, 2); /* for blocks 5 and 6 */
  closes(&asked);
}

/* A server that cannot do several at a time is asked for one after the other. */
static void what_is_refused_out_of_turn_is_asked_for_in_turn(void **state) {
  (void)state;
  static const char *const refusals[] = {"5.03", "4.29", "4.08", "4.01 echo:e"};
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; ++i) {
    struct asked asked = open_asked(8);
    opens_up(&asked, false, 112);
    gives(&asked, 6, 112); /* which is forgotten */
    answers_to(&asked, 5, refusals[i]);
    gives(&asked, 3, 112);
    asks_for(&asked, "");
    gives(&asked, 4, 112);
    asks_for(&asked, "5");
    gives(&asked, 5, 112);
    asks_for(&asked, "6");
    gives(&asked, 6, 112);
    ends_with(asked.talk, COPAL_CONTENT, 112, 0);
    closes(&asked);
  }
}

static void so_is_what_is_reset(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 112);
  bare_in(asked.talk->bare, "7000%04x", asked.mids[4]);
  gives(&asked, 3, 112);
  asks_for(&asked, "4");
  gives(&asked, 4, 112);
  asks_for(&asked, "5");
  bare_in(asked.talk->bare, "7000%04x", asked.mids[5]);
  fails_with(asked.talk, COPAL_ERR_RESET);
  closes(&asked);
}

static void an_error_in_turn_is_the_result(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 112);
  gives(&asked, 4, 112);
  answers_to(&asked, 3, "4.04 +5");
  assert_true(asked.talk->last);
  assert_int_equal(asked.talk->code, COPAL_NOT_FOUND);
  closes(&asked);
}

/* --- What changes meanwhile ----------------------------------------------------------------------- */

static void another_version_begins_anew(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  begins(&asked, 7, true);
  answers_to(&asked, 0, "2.05 2:0/1/16 etag:a +16");
  asks_for(&asked, "1 2");
  answers_to(&asked, 2, "2.05 2:2/0/16 etag:b v:1 +16");
  answers_to(&asked, 1, "2.05 2:1/1/16 etag:a +16");
  asks_for(&asked, "0");
  answers_to(&asked, 0, "2.05 2:0/1/16 etag:b v:1 +16");
  asks_for(&asked, "1 2 3 4 5");
  answers_to(&asked, 1, "2.05 2:1/1/16 etag:b v:1 +16");
  answers_to(&asked, 2, "2.05 2:2/0/16 etag:b v:1 +16");
  assert_true(asked.talk->last && asked.talk->taken_size == 48 && asked.talk->taken_from_start == 2);
  assert_body(asked.talk->taken, 0, 48, 1);
  asks_for(&asked, "");
  closes(&asked);
}

static void smaller_blocks_are_asked_for_anew(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  copal_call_options options = {.ahead = 7, .block_size = 32};
  talk_begin(asked.talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks_for(&asked, "0");
  answers_to(&asked, 0, "2.05 2:0/1/32 +32");
  asks_for(&asked, "1 2");
  answers_to(&asked, 2, "2.05 2:2/1/32 +32"); /* which is forgotten */
  answers_to(&asked, 1, "2.05 2:2/1/16 +16");
  asks_for(&asked, "3 4 5 6");
  answers_to(&asked, 3, "2.05 2:3/0/16 +16");
  ends_with(asked.talk, COPAL_CONTENT, 64, 0);
  closes(&asked);
}

static void a_challenge_in_turn_is_answered_and_the_rest_asked_for_again(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  opens_up(&asked, false, 112);
  gives(&asked, 4, 112);
  answers_to(&asked, 3, "4.01 echo:e");
  asks_for(&asked, "3 4 5 6 7 8");
  for (unsigned i = 3; i < 7; ++i) gives(&asked, i, 112);
  ends_with(asked.talk, COPAL_CONTENT, 112, 0);
  closes(&asked);
}

static void a_newer_state_is_fetched_instead(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  copal_call_options options = {.ahead = 7, .block_size = 16, .observe = true};
  talk_begin(asked.talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks(asked.talk, "CON GET observe:0 /a 2:0/0/16");
  struct talk_token token = token_of(asked.talk);
  answers(asked.talk, "2.05 2:0/1/16 observe:1 +16");
  asks_for(&asked, "1 2");
  gives(&asked, 2, 48);
  with_token(asked.talk, &token);
  answers(asked.talk, "NON 2.05 2:0/1/16 observe:2 v:1 +16");
  asks_for(&asked, "1 2 3");
  answers_to(&asked, 2, "2.05 2:2/0/16 v:1 +16");
  answers_to(&asked, 1, "2.05 2:1/1/16 v:1 +16");
  assert_told(asked.talk, 1, 48, 1);
  assert_int_equal(copal_endpoint_usage(asked.talk->bare->endpoint).exchanges, 2); /* with that of block 3 */
  assert_int_equal(copal_call_cancel(asked.talk->bare->endpoint, asked.talk->call, false), COPAL_OK);
  closes(&asked);
}

/* A state that cannot be had is no end of what is observed. */
static void what_was_asked_for_of_a_state_that_failed_is_forgotten(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  copal_call_options options = {.ahead = 7, .block_size = 16, .observe = true};
  talk_begin(asked.talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks(asked.talk, "CON GET observe:0 /a 2:0/0/16");
  answers(asked.talk, "2.05 2:0/1/16 observe:1 +16");
  asks_for(&asked, "1 2");
  gives(&asked, 2, 48);
  bare_in(asked.talk->bare, "7000%04x", asked.mids[1]);
  assert_int_equal(asked.talk->result.error, COPAL_ERR_RESET);
  assert_false(asked.talk->last);
  assert_int_equal(copal_endpoint_usage(asked.talk->bare->endpoint).exchanges, 1);
  assert_int_equal(copal_call_cancel(asked.talk->bare->endpoint, asked.talk->call, false), COPAL_OK);
  closes(&asked);
}

/* --- Room ----------------------------------------------------------------------------------------- */

/* Where there is no room for what has come out of turn, it is asked for again. */
static void what_cannot_be_kept_is_asked_for_again(void **state) {
  (void)state;
  copal_config config = config_of(8);
  config.messages_size = 1024; /* four pages: for the call's request, and for requests in flight */
  struct asked asked = open_asked_with(&config);
  begins(&asked, 7, true);
  gives(&asked, 0, 640);
  for (unsigned round = 0; round < 400 && !asked.talk->last; ++round) {
    asks_for_some(&asked);
    /* Of those that were asked for, the latest comes first. */
    unsigned latest = 39;
    while (asked.mids[latest] == 0 || asked.times[latest] == 0) --latest;
    gives(&asked, latest, 640);
    asked.times[latest] = 0;
  }
  assert_true(asked.talk->last);
  assert_int_equal(asked.talk->taken_size, 640);
  assert_body(asked.talk->taken, 0, 640, 0);
  assert_true(asked.talk->result.exchanges > 40);
  closes(&asked);
}

static void where_there_is_room_for_one_exchange_one_goes_after_the_other(void **state) {
  (void)state;
  copal_config config = config_of(8);
  config.exchanges_max = 1;
  struct asked asked = open_asked_with(&config);
  begins(&asked, 7, false);
  gives(&asked, 0, 48);
  asks_for(&asked, "1");
  gives(&asked, 1, 48);
  asks_for(&asked, "2");
  gives(&asked, 2, 48);
  ends_with(asked.talk, COPAL_CONTENT, 48, 0);
  closes(&asked);
}

static void what_is_larger_than_any_room_is_asked_for_again(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  begins(&asked, 7, false);
  gives(&asked, 0, 48);
  asks_for(&asked, "1 2");
  answers_to(&asked, 2, "2.05 2:2/0/16 +200");
  gives(&asked, 1, 48);
  asks_for(&asked, "2 3 4 5");
  gives(&asked, 2, 48);
  ends_with(asked.talk, COPAL_CONTENT, 48, 0);
  closes(&asked);
}

static void what_is_no_block_fails_in_its_turn(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  begins(&asked, 7, false);
  gives(&asked, 0, 48);
  asks_for(&asked, "1 2");
  answers_to(&asked, 2, "2.05");
  assert_false(asked.talk->last);
  gives(&asked, 1, 48);
  fails_with(asked.talk, COPAL_ERR_BODY_BLOCKS);
  closes(&asked);
}

static bool swallow(void *context, uint64_t offset, const void *data, size_t size) {
  (void)context, (void)offset, (void)data, (void)size;
  return true;
}

/* RFC 7959 2.2: a block's number has 20 bits. A body of a million blocks is not carried here: the record is told that
 * all but the last two have come. */
static void nothing_is_asked_for_behind_the_last_number(void **state) {
  (void)state;
  struct asked asked = open_asked(8);
  copal_call_options options = {.ahead = 7, .block_size = 16, .write = swallow};
  talk_begin(asked.talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks_for(&asked, "0");
  gives(&asked, 0, 64);
  asks_for(&asked, "1 2");
  asked.talk->bare->endpoint->operations.records[0].download.size = (uint64_t)(BLOCK_NUMBER_MAX - 1) * 16;
  answers_to(&asked, 1, "2.05 2:1048574/1/16 +16");
  asks_for(&asked, "");
  answers_to(&asked, 2, "2.05 2:1048575/0/16 +16");
  assert_true(asked.talk->last && asked.talk->result.body_size == (uint64_t)1 << 24);
  closes(&asked);
}

/* --- A server of ours ------------------------------------------------------------------------------ */

static struct pair *open_ahead(bool is_reversed, unsigned lose) {
  copal_config client = pair_config(), server = pair_config();
  client.parameters.nstart = 8;
  server.peer_replies_max = 64;
  struct pair *pair = pair_open_with(&client, &server);
  pair_set_body(pair, 20000, 3);
  pair->is_reversed = is_reversed;
  pair->lose = lose;
  return pair;
}

/* Whichever datagram is lost, whatever the order in which they come. */
static void a_body_comes_whole_whatever_is_lost(void **state) {
  (void)state;
  static const char *const paths[] = {"get", "read"};
  for (unsigned path = 0; path < 2; ++path) {
    for (unsigned lose = 0; lose < 50; ++lose) {
      struct pair *pair = open_ahead(lose % 2 != 0, lose);
      talk_begin(pair->talk, COPAL_CON, COPAL_GET, paths[path], 0, &(copal_call_options){.ahead = 7});
      pair_run(pair);
      ends_with(pair->talk, COPAL_CONTENT, 20000, 3);
      assert_int_equal(pair->talk->result.blocks_in, 20);
      assert_int_equal(pair->talk->result.exchanges, 20); /* none behind the end: it says its size */
      assert_pair_is_idle(pair);
      pair_close(pair);
    }
  }
}

/* Round trips are what it saves. */
static void it_takes_less_than_a_third_of_the_time(void **state) {
  (void)state;
  copal_time took[2];
  for (int ahead = 0; ahead < 2; ++ahead) {
    struct pair *pair = open_ahead(false, 0);
    copal_time began = pair->server->now;
    talk_begin(pair->talk, COPAL_CON, COPAL_GET, "get", 0, &(copal_call_options){.ahead = ahead != 0 ? 7 : 0});
    pair_run(pair);
    ends_with(pair->talk, COPAL_CONTENT, 20000, 3);
    took[ahead] = pair->server->now - began;
    pair_close(pair);
  }
  assert_true(took[1] * 3 < took[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_refused_behind_the_end_is_no_failure),
      cmocka_unit_test(what_is_not_wanted_any_more_counts_until_it_is_answered),
      cmocka_unit_test(what_is_not_wanted_any_more_need_not_be_sent),
      cmocka_unit_test(what_is_refused_out_of_turn_is_asked_for_in_turn),
      cmocka_unit_test(so_is_what_is_reset),
      cmocka_unit_test(an_error_in_turn_is_the_result),
      cmocka_unit_test(another_version_begins_anew),
      cmocka_unit_test(smaller_blocks_are_asked_for_anew),
      cmocka_unit_test(a_challenge_in_turn_is_answered_and_the_rest_asked_for_again),
      cmocka_unit_test(a_newer_state_is_fetched_instead),
      cmocka_unit_test(what_was_asked_for_of_a_state_that_failed_is_forgotten),
      cmocka_unit_test(what_cannot_be_kept_is_asked_for_again),
      cmocka_unit_test(where_there_is_room_for_one_exchange_one_goes_after_the_other),
      cmocka_unit_test(what_is_larger_than_any_room_is_asked_for_again),
      cmocka_unit_test(what_is_no_block_fails_in_its_turn),
      cmocka_unit_test(nothing_is_asked_for_behind_the_last_number),
      cmocka_unit_test(a_body_comes_whole_whatever_is_lost),
      cmocka_unit_test(it_takes_less_than_a_third_of_the_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
