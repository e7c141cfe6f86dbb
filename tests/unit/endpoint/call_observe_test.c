/* Calls that observe, from the client's side: RFC 7641 and its use with blocks, RFC 7959 section 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observing.h"

static void cancelled(struct talk *talk, bool deregister) {
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, deregister), COPAL_OK);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, deregister), COPAL_ERR_STALE);
}

/* --- Notifications ------------------------------------------------------------------------------ */

/* RFC 7641, Figure 1. */
static void each_notification_is_told_and_acknowledged(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:9 max-age:15 +6");
  assert_told(talk, 1, 6, 0);
  assert_true(talk->result.observed && !talk->last);
  answers(talk, "CON 2.05 observe:16 max-age:15 v:1 +7");
  answered_by(talk, COPAL_ACK);
  assert_told(talk, 2, 7, 1);
  assert_true(talk->result.observed && !talk->last);
  answers(talk, "NON 2.05 observe:44 v:2 +8");
  asks_nothing(talk);
  assert_told(talk, 3, 8, 2);
  assert_int_equal(talk->result.exchanges, 1);
  cancelled(talk, false);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_duplicate_notification_is_acknowledged_and_told_once(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:9 +6");
  answers(talk, "CON 2.05 observe:10 +6");
  answered_by(talk, COPAL_ACK);
  --talk->own_mid;
  answers(talk, "CON 2.05 observe:10 +6");
  answered_by(talk, COPAL_ACK);
  assert_int_equal(talk->count, 2);
  answers(talk, "2.05 observe:9 +6"); /* the first one's piggybacked copy */
  assert_int_equal(talk->count, 2);
  talk_close(talk);
}

static void an_error_ends_it(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:5 +6");
  answers(talk, "CON 4.04 +3");
  answered_by(talk, COPAL_ACK);
  ends_with(talk, COPAL_NOT_FOUND, 3, 0);
  assert_false(talk->result.observed);
  leaves_nothing(talk);
  answers(talk, "CON 2.05 observe:6 +6"); /* nobody asked for that */
  answered_by(talk, COPAL_RST);
  talk_close(talk);
}

static void a_server_that_does_not_observe_answers_once(void **state) {
  (void)state;
  static const char *const answer[] = {"2.05 +6", "4.05 observe:7 +6"};
  for (size_t i = 0; i < sizeof answer / sizeof *answer; ++i) {
    struct talk *talk = observing(answer[i]);
    assert_true(talk->last && !talk->result.observed);
    assert_told(talk, 1, 6, 0);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

static void a_response_without_observe_is_the_last(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:5 +6");
  answers(talk, "NON 2.05 v:1 +7");
  ends_with(talk, COPAL_CONTENT, 7, 1);
  assert_false(talk->result.observed);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_registration_without_an_answer_is_a_call_without_one(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.observe = true, .timeout = COPAL_SECOND});
  asks(talk, "CON GET observe:0 /a");
  talk->bare->now += COPAL_SECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  talk_close(talk);
}

static void it_lasts_longer_than_its_timeout_and_its_message_id(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.observe = true, .timeout = COPAL_SECOND});
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:0 +1");
  char text[64];
  for (unsigned i = 1; i < 20; ++i) {
    talk->bare->now += 50 * COPAL_SECOND;
    snprintf(text, sizeof text, "CON 2.05 observe:%u +%u", i, i);
    answers(talk, text);
    answered_by(talk, COPAL_ACK);
    assert_told(talk, i + 1, i, 0);
  }
  bare_in(talk->bare, "7000%04x", talk->mid); /* what was sent so long ago is not to be reset any more */
  assert_int_equal(talk->count, 20);
  assert_false(talk->last);
  talk_close(talk);
}

/* --- Renewal ------------------------------------------------------------------------------------ */

/* RFC 7641 3.3.1: "the client SHOULD at least wait for a random amount of time between 5 and 15 seconds after
 * Max-Age expired". And: "All options MUST be identical to those in the original request except for the set of ETag
 * Options." */
static void without_news_it_asks_again_with_the_same_token(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:500 max-age:30 +6");
  uint8_t token[8];
  memcpy(token, talk->token, sizeof token);
  talk->bare->now += 35 * COPAL_SECOND - 1;
  asks_nothing(talk);
  talk->bare->now += 10 * COPAL_SECOND + 1;
  asks(talk, "CON GET observe:0 /temperature");
  assert_memory_equal(talk->token, token, sizeof token);
  assert_int_equal(talk->count, 1);
  answers(talk, "2.05 observe:3 +7"); /* "new sequence may be lower" */
  assert_told(talk, 2, 7, 0);
  assert_true(talk->result.observed);
  answers(talk, "NON 2.05 observe:4 +8");
  assert_told(talk, 3, 8, 0);
  cancelled(talk, false);
  leaves_nothing(talk);
  talk_close(talk);
}

static void the_deadline_is_the_renewal(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:5 max-age:30 +6");
  copal_time deadline;
  while ((deadline = copal_endpoint_deadline(talk->bare->endpoint)) < talk->bare->now + 50 * COPAL_SECOND) {
    talk->bare->now = deadline;
    bare_out(talk->bare);
    if (talk->bare->sent_count > 0) break;
  }
  assert_int_equal(talk->bare->sent_count, 1);
  assert_in_range(talk->bare->now - 1000 * COPAL_SECOND, 35 * COPAL_SECOND, 45 * COPAL_SECOND);
  talk_close(talk);
}

static void a_renewal_without_an_answer_ends_it(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:500 max-age:0 +6");
  for (int step = 0; step < 20 && !talk->last; ++step) {
    talk->bare->now += 15 * COPAL_SECOND;
    bare_out(talk->bare);
  }
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_int_equal(talk->count, 2);
  assert_false(talk->result.observed);
  talk_close(talk);
}

static void a_request_s_own_token_stays_that_of_the_observation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_set_token(&message, "mine", 4);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.message = &message, .observe = true});
  asks(talk, "CON GET observe:0 /a");
  assert_int_equal(talk->token_size, 4);
  answers(talk, "2.05 observe:1 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  assert_int_equal(talk->token_size, 8);
  answers(talk, "2.05 2:1/0/16 +1");
  assert_told(talk, 1, 17, 0);
  talk->bare->now += 75 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  assert_memory_equal(talk->token, "mine", 4);
  talk_close(talk);
}

/* --- Blocks ------------------------------------------------------------------------------------- */

/* The first state has come whole; the token is the observation's. */
static struct talk *observing_blocks(struct talk_token *token) {
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &OBSERVE);
  asks(talk, "CON GET observe:0 /a");
  *token = token_of(talk);
  answers(talk, "2.05 2:0/1/64 observe:1 etag:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:1 +1");
  assert_told(talk, 1, 65, 0);
  with_token(talk, token);
  return talk;
}

static void a_newer_notification_ends_the_fetch_of_the_older(void **state) {
  (void)state;
  struct talk_token token;
  struct talk *talk = observing_blocks(&token);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  struct talk_token fetch = token_of(talk);
  uint16_t mid = talk->mid;
  with_token(talk, &token);
  answers(talk, "NON 2.05 2:0/1/64 observe:3 etag:3 v:2 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  struct talk_token latest = token_of(talk);
  uint16_t latest_mid = talk->mid;
  with_token(talk, &fetch);
  talk->mid = mid;
  answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9"); /* of the older one, too late */
  assert_int_equal(talk->count, 1);
  with_token(talk, &latest);
  talk->mid = latest_mid;
  answers(talk, "2.05 2:1/0/64 etag:3 v:2 +9");
  assert_told(talk, 2, 73, 2);
  talk_close(talk);
}

static void a_newer_notification_in_one_message_ends_the_fetch_too(void **state) {
  (void)state;
  struct talk_token token;
  struct talk *talk = observing_blocks(&token);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  struct talk_token fetch = token_of(talk);
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:3 v:2 +4");
  assert_told(talk, 2, 4, 2);
  with_token(talk, &fetch);
  answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
  asks_nothing(talk);
  assert_int_equal(talk->count, 2);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).exchanges, 1);
  talk_close(talk);
}

static void an_older_notification_does_not_disturb_the_fetch(void **state) {
  (void)state;
  struct talk_token token;
  struct talk *talk = observing_blocks(&token);
  answers(talk, "NON 2.05 2:0/1/64 observe:3 etag:2 v:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  struct talk_token fetch = token_of(talk);
  with_token(talk, &token);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:9 v:2 +64");
  asks_nothing(talk);
  with_token(talk, &fetch);
  answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
  assert_told(talk, 2, 73, 1);
  talk_close(talk);
}

static void a_state_that_changes_meanwhile_is_fetched_anew_without_registering(void **state) {
  (void)state;
  struct talk_token token;
  struct talk *talk = observing_blocks(&token);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:3 v:2 +9");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 etag:3 v:2 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:3 v:2 +9");
  assert_told(talk, 2, 73, 2);
  assert_true(talk->result.observed && !talk->last);
  talk_close(talk);
}

static void a_state_that_cannot_be_had_does_not_end_it(void **state) {
  (void)state;
  struct talk_token token;
  struct talk *talk = observing_blocks(&token);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:2/0/64 etag:2 v:1 +9");
  assert_int_equal(talk->result.error, COPAL_ERR_BODY_BLOCKS);
  assert_true(talk->result.observed && !talk->last);
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:3 etag:3 v:2 +4");
  assert_told(talk, 3, 4, 2);
  talk_close(talk);
}

static void the_last_state_may_be_in_blocks_too(void **state) {
  (void)state;
  struct talk_token token;
  struct talk *talk = observing_blocks(&token);
  answers(talk, "NON 2.05 2:0/1/64 etag:2 v:1 +64"); /* no Observe: no more notifications */
  asks(talk, "CON GET /a 2:1/0/64");
  assert_false(talk->last);
  answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
  ends_with(talk, COPAL_CONTENT, 73, 1);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- FETCH, Echo and no token -------------------------------------------------------------------- */

static void a_fetch_with_a_large_body_observes(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_FETCH, "a", 100, &(copal_call_options){.observe = true, .block_size = 64});
  asks(talk, "CON FETCH observe:0 /a 1:0/1/64 size:100 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON FETCH observe:0 /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.05 1:1/0/64 observe:1 +6");
  assert_told(talk, 1, 6, 0);
  assert_true(talk->result.observed);
  answers(talk, "NON 2.05 observe:2 +7");
  assert_told(talk, 2, 7, 0);
  talk->bare->now += 75 * COPAL_SECOND;
  asks(talk, "CON FETCH observe:0 /a 1:0/1/64 size:100 tag +64");
  talk_close(talk);
}

static void each_registration_may_begin_anew_once(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_FETCH, "a", 20, &(copal_call_options){.observe = true, .block_size = 16});
  for (unsigned round = 0; round < 2; ++round) {
    asks(talk, "CON FETCH observe:0 /a 1:0/1/16 size:20 tag +16");
    answers(talk, "2.31 1:0/1/16");
    asks(talk, "CON FETCH observe:0 /a 2:0/0/16 1:1/0/16 tag +4");
    answers(talk, "4.08");
    asks(talk, "CON FETCH observe:0 /a 1:0/1/16 size:20 tag +16");
    answers(talk, "2.31 1:0/1/16");
    asks(talk, "CON FETCH observe:0 /a 2:0/0/16 1:1/0/16 tag +4");
    answers(talk, "2.05 1:1/0/16 observe:1 +6");
    assert_told(talk, round + 1, 6, 0);
    talk->bare->now += 75 * COPAL_SECOND;
  }
  talk_close(talk);
}

static void a_registration_is_repeated_with_echo(void **state) {
  (void)state;
  struct talk *talk = observing("4.01 echo:one");
  asks(talk, "CON GET observe:0 /temperature echo:one");
  answers(talk, "2.05 observe:1 +6");
  assert_told(talk, 1, 6, 0);
  answers(talk, "NON 2.05 observe:2 +7");
  assert_told(talk, 2, 7, 0);
  talk_close(talk);
}

static void without_a_token_the_rest_is_fetched_with_one(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.observe = true, .no_token = true});
  asks(talk, "CON GET observe:0 /a");
  assert_int_equal(talk->token_size, 0);
  answers(talk, "2.05 2:0/1/16 observe:1 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  assert_int_equal(talk->token_size, 8);
  answers(talk, "2.05 2:1/0/16 +1");
  assert_told(talk, 1, 17, 0);
  talk->token_size = 0;
  answers(talk, "NON 2.05 observe:2 +7");
  assert_told(talk, 2, 7, 0);
  talk->bare->now += 75 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  assert_int_equal(talk->token_size, 0);
  talk_close(talk);
}

/* --- Cancelling --------------------------------------------------------------------------------- */

/* RFC 7641 3.6: "the client will not recognize the token in the message and thus will return a Reset message." RFC
 * 7641 3.5: "If a client does not recognize the token in a confirmable notification, it MUST NOT acknowledge the
 * message and SHOULD reject it with a Reset message". */
static void what_is_forgotten_is_answered_with_a_reset(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:1 +6");
  cancelled(talk, false);
  leaves_nothing(talk);
  answers(talk, "NON 2.05 observe:2 +7");
  answered_by(talk, COPAL_RST);
  answers(talk, "CON 2.05 observe:3 +7");
  answered_by(talk, COPAL_RST);
  answers(talk, "NON 2.05 +7"); /* no notification */
  asks_nothing(talk);
  answers(talk, "2.05 observe:4 +7"); /* an ACK is never rejected */
  asks_nothing(talk);
  assert_int_equal(talk->count, 1);
  talk_close(talk);
}

static void nobody_resets_what_came_to_a_group(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_path path = bare_group_path(BARE_PORT);
  bare_in_path(talk->bare, &path, "51457000016101ff31");
  asks_nothing(talk);
  talk_close(talk);
}

/* RFC 7641 3.6: "All other options MUST be identical to those in the registration request except for the set of
 * ETag Options." */
static void deregistering_asks_with_observe_1_and_the_same_token(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:1 echo:one +6");
  uint8_t token[8];
  memcpy(token, talk->token, sizeof token);
  cancelled(talk, true);
  asks(talk, "CON GET observe:1 /temperature echo:one");
  assert_memory_equal(talk->token, token, sizeof token);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 0);
  answers(talk, "2.05 +6");
  assert_int_equal(talk->count, 1);
  assert_false(bare_has_event(talk->bare));
  leaves_nothing(talk);
  talk_close(talk);
}

static void deregistering_may_fail_in_silence(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:1 +6");
  cancelled(talk, true);
  talk->bare->now += 300 * COPAL_SECOND;
  for (int step = 0; step < 10; ++step) {
    bare_out(talk->bare);
    talk->bare->now += 300 * COPAL_SECOND;
  }
  assert_int_equal(talk->count, 1);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_fetch_deregisters_with_its_body(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_FETCH, "a", 20, &OBSERVE);
  asks(talk, "CON FETCH observe:0 /a +20");
  answers(talk, "2.05 observe:1 +6");
  cancelled(talk, true);
  asks(talk, "CON FETCH observe:1 /a +20");
  talk_close(talk);
}

/* RFC 7641 3.6: "All other options MUST be identical to those in the registration request". */
static void deregistering_asks_for_the_same_block_size(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.observe = true, .block_size = 64});
  asks(talk, "CON GET observe:0 /a 2:0/0/64");
  answers(talk, "2.05 observe:1 +6");
  cancelled(talk, true);
  asks(talk, "CON GET observe:1 /a 2:0/0/64");
  talk_close(talk);
}

static void a_registration_under_way_can_be_cancelled(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &OBSERVE);
  asks(talk, "CON GET observe:0 /a");
  cancelled(talk, false);
  leaves_nothing(talk);
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &OBSERVE);
  asks(talk, "CON GET observe:0 /a");
  cancelled(talk, true);
  asks(talk, "CON GET observe:1 /a");
  talk_close(talk);
}

static void only_a_get_or_fetch_to_one_server_observes(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_address group = bare_group();
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_PUT, "a", 0, &OBSERVE), COPAL_ERR_TYPE);
  assert_int_equal(
      talk_try(talk, COPAL_NON, COPAL_GET, "a", 0, &(copal_call_options){.observe = true, .remote = &group}),
      COPAL_ERR_TYPE);
  leaves_nothing(talk);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_notification_is_told_and_acknowledged),
      cmocka_unit_test(a_duplicate_notification_is_acknowledged_and_told_once),
      cmocka_unit_test(an_error_ends_it),
      cmocka_unit_test(a_server_that_does_not_observe_answers_once),
      cmocka_unit_test(a_response_without_observe_is_the_last),
      cmocka_unit_test(a_registration_without_an_answer_is_a_call_without_one),
      cmocka_unit_test(it_lasts_longer_than_its_timeout_and_its_message_id),
      cmocka_unit_test(without_news_it_asks_again_with_the_same_token),
      cmocka_unit_test(the_deadline_is_the_renewal),
      cmocka_unit_test(a_renewal_without_an_answer_ends_it),
      cmocka_unit_test(a_request_s_own_token_stays_that_of_the_observation),
      cmocka_unit_test(a_newer_notification_ends_the_fetch_of_the_older),
      cmocka_unit_test(a_newer_notification_in_one_message_ends_the_fetch_too),
      cmocka_unit_test(an_older_notification_does_not_disturb_the_fetch),
      cmocka_unit_test(a_state_that_changes_meanwhile_is_fetched_anew_without_registering),
      cmocka_unit_test(a_state_that_cannot_be_had_does_not_end_it),
      cmocka_unit_test(the_last_state_may_be_in_blocks_too),
      cmocka_unit_test(a_fetch_with_a_large_body_observes),
      cmocka_unit_test(each_registration_may_begin_anew_once),
      cmocka_unit_test(a_registration_is_repeated_with_echo),
      cmocka_unit_test(without_a_token_the_rest_is_fetched_with_one),
      cmocka_unit_test(what_is_forgotten_is_answered_with_a_reset),
      cmocka_unit_test(nobody_resets_what_came_to_a_group),
      cmocka_unit_test(deregistering_asks_with_observe_1_and_the_same_token),
      cmocka_unit_test(deregistering_may_fail_in_silence),
      cmocka_unit_test(a_fetch_deregisters_with_its_body),
      cmocka_unit_test(deregistering_asks_for_the_same_block_size),
      cmocka_unit_test(a_registration_under_way_can_be_cancelled),
      cmocka_unit_test(only_a_get_or_fetch_to_one_server_observes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
