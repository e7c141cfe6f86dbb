/* Observations of one resource at one endpoint share a registration. RFC 7641 3.1: "A client MUST aggregate such
 * requests and MUST NOT register more than once for the same target resource." */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/watchers.h"

static void assert_rejected(struct watchers *watchers) {
  const struct bare_sent *sent = bare_out_one(watchers->talk->bare);
  assert_int_equal(sent->view.type, COPAL_RST);
  assert_int_equal(sent->view.message_id, watchers->talk->own_mid - 1);
}

/* --- Joining ------------------------------------------------------------------------------------ */

static void who_joins_asks_for_the_state_without_registering(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  watches(watchers, 'B');
  asks(talk, "CON GET /a");
  assert_token(talk, &token, false);
  answers(talk, "2.05 v:1 +7");
  assert_letters(watchers, "B");
  assert_state(watchers, 'B', 7, 1);
  assert_true(watchers->each[1].observed && !watchers->each[1].last);
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:2 v:2 +8");
  asks_nothing(talk);
  assert_letters(watchers, "AB");
  assert_state(watchers, 'A', 8, 2);
  assert_state(watchers, 'B', 8, 2);
  watchers_close(watchers);
}

static void who_joins_before_the_answer_is_told_that(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  watches(watchers, 'A');
  watches(watchers, 'B');
  watches(watchers, 'C');
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:1 +6");
  asks_nothing(talk);
  assert_letters(watchers, "ABC");
  assert_state(watchers, 'C', 6, 0);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).exchanges, 1);
  watchers_close(watchers);
}

static void all_are_told_in_the_order_in_which_they_came(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  joins(watchers, 'C', &token);
  answers(talk, "NON 2.05 observe:2 +6");
  assert_letters(watchers, "ABC");
  leaves(watchers, 'A', false);
  joins(watchers, 'A', &token);
  answers(talk, "NON 2.05 observe:3 +6");
  assert_letters(watchers, "BCA");
  leaves(watchers, 'C', true);
  joins(watchers, 'C', &token);
  answers(talk, "NON 2.05 observe:4 +6");
  assert_letters(watchers, "BAC");
  answers(talk, "NON 2.05 observe:4 +6"); /* not newer */
  assert_letters(watchers, "");
  asks_nothing(talk);
  watchers_close(watchers);
}

static void a_first_state_that_fails_is_not_the_end(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  watches_with(watchers, 'B', (copal_call_options){.timeout = COPAL_SECOND});
  asks(talk, "CON GET /a");
  talk->bare->now += COPAL_SECOND;
  asks_nothing(talk);
  assert_letters(watchers, "B");
  assert_int_equal(watchers->each[1].error, COPAL_ERR_TIMEOUT);
  assert_true(watchers->each[1].observed && !watchers->each[1].last);
  watches(watchers, 'C');
  asks(talk, "CON GET /a");
  answers(talk, "5.03");
  assert_letters(watchers, "C");
  assert_int_equal(watchers->each[2].code, COPAL_SERVICE_UNAVAILABLE);
  assert_true(watchers->each[2].observed && !watchers->each[2].last);
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:2 v:1 +7");
  assert_letters(watchers, "ABC");
  assert_state(watchers, 'B', 7, 1);
  watchers_close(watchers);
}

/* What is fetched slower than it gets old would never be told. */
static void a_renewal_waits_for_whoever_fetches(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  watched(watchers);
  watches(watchers, 'B');
  asks(talk, "CON GET /a");
  bare_in(talk->bare, "6000%04x", talk->mid); /* acknowledged: the answer takes its time */
  talk->bare->now += 75 * COPAL_SECOND;
  asks_nothing(talk);
  answers(talk, "CON 2.05 v:1 +7");
  assert_letters(watchers, "B");
  bare_out(talk->bare);
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:0 v:2 +8");
  assert_letters(watchers, "AB");
  watchers_close(watchers);
}

static void where_there_is_no_room_to_ask_nobody_joins(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(2);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  while (copal_request_send(talk->bare->endpoint,
                            &(copal_message){.buffer = (uint8_t[]){0x40, 1, 0, 0}, .size = 4, .options_at = 4},
                            &(copal_address){.bytes = {192, 0, 2, 9}, .port = 1, .family = COPAL_FAMILY_IPV4},
                            COPAL_NEVER, (copal_response_handler *)NULL, NULL, NULL) == COPAL_OK) {
  }
  assert_int_equal(watcher_ask(watchers, 'B', COPAL_GET, 0, &(copal_call_options){.size = 0}),
                   COPAL_ERR_EXCHANGES_FULL);
  bare_out(talk->bare);
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:2 v:1 +7");
  assert_letters(watchers, "A");
  watchers_close(watchers);
}

/* --- Blocks ------------------------------------------------------------------------------------- */

static void each_fetches_the_rest_of_a_state_for_himself(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  assert_letters(watchers, "");
  for (int i = 0; i < 2; ++i) {
    asks(talk, "CON GET /a 2:1/0/64");
    answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
  }
  assert_letters(watchers, "AB");
  assert_state(watchers, 'A', 73, 1);
  assert_state(watchers, 'B', 73, 1);
  asks_nothing(talk);
  watchers_close(watchers);
}

/* What one cannot hold is no matter to the other. */
static void a_state_that_one_cannot_have_is_told_to_the_other(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  copal_address remote = bare_address(BARE_PORT);
  copal_call_options options = {
      .message = &message, .remote = &remote, .handler = watcher_told, .context = &watchers->each[1], .observe = true};
  assert_int_equal(copal_call_begin(talk->bare->endpoint, &options, &watchers->each[1].call), COPAL_OK);
  asks(talk, "CON GET /a");
  answers(talk, "2.05 +6");
  with_token(talk, &token);
  watchers->told_count = 0;
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  assert_letters(watchers, "B");
  assert_int_equal(watchers->each[1].error, COPAL_ERR_BODY_SIZE);
  assert_false(watchers->each[1].last);
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
  assert_letters(watchers, "A");
  assert_state(watchers, 'A', 73, 1);
  watchers_close(watchers);
}

static void the_last_state_is_fetched_by_each(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  answers(talk, "NON 2.05 2:0/1/64 etag:2 v:1 +64"); /* no Observe: no more notifications */
  for (int i = 0; i < 2; ++i) {
    asks(talk, "CON GET /a 2:1/0/64");
    answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
  }
  assert_letters(watchers, "AB");
  assert_true(watchers->each[0].last && watchers->each[1].last);
  leaves_nothing(talk);
  watchers_close(watchers);
}

/* --- Leaving ------------------------------------------------------------------------------------ */

/* RFC 7641 3.6: "a client MAY explicitly deregister by issuing a GET request that has the Token field set to the token
 * of the observation to be cancelled and includes an Observe Option with the value set to 1 (deregister)." */
static void only_the_last_one_deregisters(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  joins(watchers, 'C', &token);
  leaves(watchers, 'A', true);
  asks_nothing(talk);
  leaves(watchers, 'C', true);
  asks_nothing(talk);
  answers(talk, "CON 2.05 observe:2 v:1 +7");
  assert_int_equal(bare_out_one(talk->bare)->view.type, COPAL_ACK);
  assert_letters(watchers, "B");
  leaves(watchers, 'B', true);
  asks(talk, "CON GET observe:1 /a");
  assert_token(talk, &token, true);
  answers(talk, "2.05 +6");
  leaves_nothing(talk);
  watchers_close(watchers);
}

static void after_the_last_one_the_next_notification_is_rejected(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  leaves(watchers, 'A', false);
  answers(talk, "NON 2.05 observe:2 v:1 +7");
  asks_nothing(talk);
  assert_letters(watchers, "B");
  leaves(watchers, 'B', false);
  leaves_nothing(talk);
  answers(talk, "NON 2.05 observe:3 v:1 +7");
  assert_rejected(watchers);
  watches(watchers, 'C');
  asks(talk, "CON GET observe:0 /a");
  assert_token(talk, &token, false);
  watchers_close(watchers);
}

/* RFC 7641 3.3.1: "All options MUST be identical to those in the original request except for the set of ETag
 * Options." */
static void a_registration_stays_what_it_was_when_it_is_passed_on(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  watches_with(watchers, 'A', (copal_call_options){.block_size = 64, .no_token = true});
  asks(talk, "CON GET observe:0 /a 2:0/0/64");
  struct talk_token token = token_of(talk);
  assert_int_equal(token.size, 0);
  answers(talk, "2.05 observe:1 echo:one +6");
  watches_with(watchers, 'B', (copal_call_options){.no_token = true});
  asks(talk, "CON GET /a");
  assert_int_equal(talk->token_size, 8); /* that of the observation is taken */
  answers(talk, "2.05 +6");
  leaves(watchers, 'A', true);
  talk->bare->now += 75 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a 2:0/0/64 echo:one");
  assert_token(talk, &token, true);
  answers(talk, "2.05 observe:2 v:1 +7");
  assert_letters(watchers, "ABB");
  leaves(watchers, 'B', true);
  asks(talk, "CON GET observe:1 /a 2:0/0/64 echo:one");
  assert_token(talk, &token, true);
  answers(talk, "2.05 +7");
  leaves_nothing(talk);
  watchers_close(watchers);
}

static void a_registration_under_way_is_passed_on(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  watches(watchers, 'A');
  asks(talk, "CON GET observe:0 /a");
  watches(watchers, 'B');
  leaves(watchers, 'A', true);
  asks_nothing(talk);
  answers(talk, "2.05 observe:1 +6");
  assert_letters(watchers, "B");
  asks_nothing(talk);
  answers(talk, "NON 2.05 observe:2 +7");
  assert_letters(watchers, "B");
  leaves(watchers, 'B', false);
  leaves_nothing(talk);
  watchers_close(watchers);
}

static void a_registration_in_blocks_is_passed_on_between_two(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  copal_call_options options = {.block_size = 64};
  assert_int_equal(watcher_ask(watchers, 'A', COPAL_FETCH, 100, &options), COPAL_OK);
  asks(talk, "CON FETCH observe:0 /a 1:0/1/64 size:100 tag +64");
  options.block_size = 0;
  assert_int_equal(watcher_ask(watchers, 'B', COPAL_FETCH, 100, &options), COPAL_OK);
  leaves(watchers, 'A', false);
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON FETCH observe:0 /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.05 1:1/0/64 observe:1 +6");
  assert_letters(watchers, "B");
  assert_state(watchers, 'B', 6, 0);
  leaves(watchers, 'B', false);
  leaves_nothing(talk);
  watchers_close(watchers);
}

/* Of a body in blocks nothing is sent with it: the token must do. */
static void a_registration_in_blocks_is_ended_by_who_never_sent_one(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  copal_call_options options = {.block_size = 64};
  assert_int_equal(watcher_ask(watchers, 'A', COPAL_FETCH, 100, &options), COPAL_OK);
  asks(talk, "CON FETCH observe:0 /a 1:0/1/64 size:100 tag +64");
  struct talk_token token = token_of(talk);
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON FETCH observe:0 /a 2:0/0/64 1:1/0/64 tag +36");
  assert_int_equal(watcher_ask(watchers, 'B', COPAL_FETCH, 100, &options), COPAL_OK);
  answers(talk, "2.05 1:1/0/64 observe:1 +6");
  assert_letters(watchers, "AB");
  leaves(watchers, 'A', false);
  leaves(watchers, 'B', true);
  asks(talk, "CON FETCH observe:1 /a");
  assert_token(talk, &token, true);
  watchers_close(watchers);
}

/* --- Ends --------------------------------------------------------------------------------------- */

static void ended(struct watchers *watchers, copal_error error, uint8_t code) {
  assert_letters(watchers, "ABC");
  for (size_t i = 0; i < 3; ++i) {
    assert_true(watchers->each[i].last && !watchers->each[i].observed);
    assert_int_equal(watchers->each[i].error, error);
    assert_int_equal(watchers->each[i].code, code);
  }
  leaves_nothing(watchers->talk);
  watchers_close(watchers);
}

static struct watchers *three_registering(void) {
  struct watchers *watchers = watchers_open(3);
  watches_with(watchers, 'A', (copal_call_options){.timeout = 10 * COPAL_SECOND});
  asks(watchers->talk, "CON GET observe:0 /a");
  watches(watchers, 'B');
  watches(watchers, 'C');
  return watchers;
}

static struct watchers *three_watching(void) {
  struct watchers *watchers = watchers_open(3);
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  joins(watchers, 'C', &token);
  return watchers;
}

static void a_registration_that_fails_is_the_end_of_all(void **state) {
  (void)state;
  static const struct {
    const char *answer;
    uint8_t code;
  } cases[] = {{"4.04", COPAL_NOT_FOUND}, {"2.05 +6", COPAL_CONTENT}, {"4.05 observe:7", COPAL_METHOD_NOT_ALLOWED}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct watchers *watchers = three_registering();
    answers(watchers->talk, cases[i].answer);
    ended(watchers, COPAL_OK, cases[i].code);
  }
  struct watchers *watchers = three_registering();
  bare_in(watchers->talk->bare, "7000%04x", watchers->talk->mid);
  ended(watchers, COPAL_ERR_RESET, 0);
  watchers = three_registering();
  watchers->talk->bare->now += 10 * COPAL_SECOND;
  bare_out(watchers->talk->bare);
  ended(watchers, COPAL_ERR_TIMEOUT, 0);
}

static void a_notification_that_ends_it_ends_all(void **state) {
  (void)state;
  static const struct {
    const char *answer;
    uint8_t code;
  } cases[] = {{"NON 4.04", COPAL_NOT_FOUND}, {"NON 2.05 +6", COPAL_CONTENT}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct watchers *watchers = three_watching();
    answers(watchers->talk, cases[i].answer);
    ended(watchers, COPAL_OK, cases[i].code);
  }
}

static void a_renewal_without_an_answer_is_the_end_of_all(void **state) {
  (void)state;
  struct watchers *watchers = three_watching();
  for (int step = 0; step < 40 && !watchers->each[2].last; ++step) {
    watchers->talk->bare->now += 15 * COPAL_SECOND;
    bare_out(watchers->talk->bare);
  }
  ended(watchers, COPAL_ERR_TIMEOUT, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_joins_asks_for_the_state_without_registering),
      cmocka_unit_test(who_joins_before_the_answer_is_told_that),
      cmocka_unit_test(all_are_told_in_the_order_in_which_they_came),
      cmocka_unit_test(a_first_state_that_fails_is_not_the_end),
      cmocka_unit_test(a_renewal_waits_for_whoever_fetches),
      cmocka_unit_test(where_there_is_no_room_to_ask_nobody_joins),
      cmocka_unit_test(each_fetches_the_rest_of_a_state_for_himself),
      cmocka_unit_test(a_state_that_one_cannot_have_is_told_to_the_other),
      cmocka_unit_test(the_last_state_is_fetched_by_each),
      cmocka_unit_test(only_the_last_one_deregisters),
      cmocka_unit_test(after_the_last_one_the_next_notification_is_rejected),
      cmocka_unit_test(a_registration_stays_what_it_was_when_it_is_passed_on),
      cmocka_unit_test(a_registration_under_way_is_passed_on),
      cmocka_unit_test(a_registration_in_blocks_is_passed_on_between_two),
      cmocka_unit_test(a_registration_in_blocks_is_ended_by_who_never_sent_one),
      cmocka_unit_test(a_registration_that_fails_is_the_end_of_all),
      cmocka_unit_test(a_notification_that_ends_it_ends_all),
      cmocka_unit_test(a_renewal_without_an_answer_is_the_end_of_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
