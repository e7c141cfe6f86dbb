/* Observations whose states, renewals and fetches of blocks meet each other. RFC 7641 sections 3.3 and 3.4, RFC 7959
 * section 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static struct talk *observing(const copal_call_options *options, copal_code method, size_t payload) {
  struct talk *talk = talk_open_roomy();
  copal_call_options observe = *options;
  observe.observe = true;
  talk_begin(talk, COPAL_CON, method, "a", payload, &observe);
  return talk;
}

static const copal_call_options PLAIN = {.handler = NULL};

/* --- Renewals ----------------------------------------------------------------------------------- */

/* A state that is fetched slower than it gets old would never be told. */
static void a_renewal_waits_for_the_fetch(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_GET, 0);
  asks(talk, "CON GET observe:0 /a");
  struct talk_token token = token_of(talk);
  answers(talk, "2.05 2:0/1/16 observe:1 max-age:0 +16");
  char text[64];
  for (unsigned number = 1; number < 20; ++number) {
    snprintf(text, sizeof text, "CON GET /a 2:%u/0/16", number);
    asks(talk, text);
    bare_in(talk->bare, "6000%04x", talk->mid); /* acknowledged, and answered later */
    talk->bare->now += 10 * COPAL_SECOND;
    asks_nothing(talk);
    snprintf(text, sizeof text, "NON 2.05 2:%u/%d/16 +16", number, number < 19);
    answers(talk, text);
  }
  assert_told(talk, 1, 320, 0);
  assert_true(talk->result.observed && !talk->last);
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  assert_memory_equal(talk->token, token.bytes, token.size);
  talk_close(talk);
}

/* A fetch whose server falls silent ends of itself, and so the renewal has its turn. */
static void a_renewal_does_not_wait_for_ever(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_GET, 0);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 2:0/1/16 observe:1 max-age:0 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  bare_in(talk->bare, "6000%04x", talk->mid);
  for (unsigned step = 0; talk->bare->sent_count == 0 || talk->count == 0; ++step) {
    assert_true(step < 50);
    talk->bare->now += 10 * COPAL_SECOND;
    bare_out(talk->bare);
  }
  assert_int_equal(talk->result.error, COPAL_ERR_TIMEOUT);
  assert_false(talk->last);
  assert_int_equal(talk->bare->sent_count, 1);
  assert_int_equal(copal_find_uint(&talk->bare->sent[0].view, COPAL_OPTION_OBSERVE, 9), 0);
  talk_close(talk);
}

/* A notification that crosses a renewal goes for its answer. The answer itself may be newer. */
static void the_answer_to_a_renewal_counts_after_a_notification_that_crossed_it(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_GET, 0);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:5 max-age:0 +6");
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "NON 2.05 observe:6 max-age:9999 +7");
  assert_told(talk, 2, 7, 0);
  answers(talk, "2.05 observe:7 max-age:9999 +8");
  assert_told(talk, 3, 8, 0);
  answers(talk, "2.05 observe:7 max-age:9999 +8"); /* once more */
  asks_nothing(talk);
  assert_told(talk, 3, 8, 0);
  answers(talk, "NON 2.05 observe:8 +9");
  assert_told(talk, 4, 9, 0);
  talk_close(talk);
}

static void an_error_in_answer_to_a_renewal_ends_it_after_a_notification_too(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_GET, 0);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:5 max-age:0 +6");
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "NON 2.05 observe:6 max-age:9999 +7");
  answers(talk, "4.04 +3");
  ends_with(talk, COPAL_NOT_FOUND, 3, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* Its message ID may be another message's by then. */
static void after_exchange_lifetime_it_counts_no_more(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_GET, 0);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:5 max-age:0 +6");
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "NON 2.05 observe:6 max-age:9999 +7");
  talk->bare->now += 248 * COPAL_SECOND;
  answers(talk, "2.05 observe:7 max-age:9999 +8");
  asks_nothing(talk);
  assert_told(talk, 2, 7, 0);
  talk_close(talk);
}

/* --- Requests with a body ------------------------------------------------------------------------- */

static void a_changed_state_of_a_large_fetch_is_asked_for_beside_the_observation(void **state) {
  (void)state;
  struct talk *talk = observing(&(copal_call_options){.block_size = 64}, COPAL_FETCH, 100);
  asks(talk, "CON FETCH observe:0 /a 1:0/1/64 size:100 tag +64");
  struct talk_token token = token_of(talk);
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON FETCH observe:0 /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.05 1:1/0/64 observe:1 +6");
  assert_told(talk, 1, 6, 0);
  answers(talk, "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64");
  asks(talk, "CON FETCH /a 2:1/0/64 tag");
  answers(talk, "2.05 2:1/0/64 etag:3 v:2 +9");
  asks(talk, "CON FETCH /a 1:0/1/64 size:100 tag +64");
  assert_memory_not_equal(talk->token, token.bytes, token.size);
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON FETCH /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.05 1:1/0/64 etag:3 v:2 +7");
  assert_told(talk, 2, 7, 2);
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:3 +8");
  assert_told(talk, 3, 8, 0);
  talk_close(talk);
}

/* The server has nothing from which to give the second block: what is not repeated with a request cannot be answered
 * but from what was kept, and a notification is kept for nobody. */
static void after_4_08_a_fetch_is_repeated_in_full_once(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_FETCH, 20);
  asks(talk, "CON FETCH observe:0 /a +20");
  struct talk_token token = token_of(talk);
  answers(talk, "2.05 observe:1 +6");
  for (unsigned round = 0; round < 2; ++round) {
    answers(talk,
            round == 0 ? "NON 2.05 2:0/1/64 observe:2 etag:2 v:1 +64" : "NON 2.05 2:0/1/64 observe:3 etag:2 v:1 +64");
    asks(talk, "CON FETCH /a 2:1/0/64");
    answers(talk, "4.08");
    asks(talk, "CON FETCH /a +20");
    answers(talk, "2.05 2:0/1/64 etag:2 v:1 +64");
    asks(talk, "CON FETCH /a 2:1/0/64");
    if (round == 0) {
      answers(talk, "2.05 2:1/0/64 etag:2 v:1 +9");
      assert_told(talk, 2, 73, 1);
    } else {
      answers(talk, "4.08");
      assert_int_equal(talk->code, COPAL_REQUEST_ENTITY_INCOMPLETE);
      assert_int_equal(talk->count, 3);
    }
    assert_true(talk->result.observed && !talk->last);
    with_token(talk, &token);
  }
  talk_close(talk);
}

static void what_is_not_safe_is_not_repeated_after_4_08(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "a", 5, &PLAIN);
  asks(talk, "CON POST /a +5");
  answers(talk, "2.04 2:0/1/64 +64");
  asks(talk, "CON POST /a 2:1/0/64");
  answers(talk, "4.08");
  ends_with(talk, COPAL_REQUEST_ENTITY_INCOMPLETE, 0, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- What is no notification ------------------------------------------------------------------------ */

/* RFC 7252 5.4.3: an option of illegal length "MUST be treated like an unrecognized option", and an elective one
 * "silently ignored". */
static void t17_an_observe_option_of_illegal_length_promises_nothing(void **state) {
  (void)state;
  struct talk *talk = observing(&PLAIN, COPAL_GET, 0);
  asks(talk, "CON GET observe:0 /a");
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT);
  copal_message_set_token(&message, talk->token, talk->token_size);
  copal_message_add_raw(&message, COPAL_OPTION_OBSERVE, "\1\2\3\4", 4);
  assert_int_equal(message.error, COPAL_OK);
  buffer[2] = (uint8_t)(talk->mid >> 8);
  buffer[3] = (uint8_t)talk->mid;
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(talk->bare, &path, buffer, message.size);
  ends_with(talk, COPAL_CONTENT, 0, 0);
  assert_false(talk->result.observed);
  leaves_nothing(talk);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_renewal_waits_for_the_fetch),
      cmocka_unit_test(a_renewal_does_not_wait_for_ever),
      cmocka_unit_test(the_answer_to_a_renewal_counts_after_a_notification_that_crossed_it),
      cmocka_unit_test(an_error_in_answer_to_a_renewal_ends_it_after_a_notification_too),
      cmocka_unit_test(after_exchange_lifetime_it_counts_no_more),
      cmocka_unit_test(a_changed_state_of_a_large_fetch_is_asked_for_beside_the_observation),
      cmocka_unit_test(after_4_08_a_fetch_is_repeated_in_full_once),
      cmocka_unit_test(what_is_not_safe_is_not_repeated_after_4_08),
      cmocka_unit_test(t17_an_observe_option_of_illegal_length_promises_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
