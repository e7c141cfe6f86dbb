/* Observations that are renewed while notifications are still on their way: RFC 7641 sections 3.3.1 and 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static struct talk *observing(copal_type type, const char *first) {
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, type, COPAL_GET, "a", 0, &(copal_call_options){.observe = true});
  asks(talk, type == COPAL_CON ? "CON GET observe:0 /a" : "NON GET observe:0 /a");
  answers(talk, first);
  return talk;
}

static void an_old_notification_is_not_the_answer_to_a_renewal(void **state) {
  (void)state;
  struct talk *talk = observing(COPAL_CON, "2.05 observe:10 max-age:30 +6");
  talk->bare->now += 45 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "NON 2.05 observe:9 v:1 +7");
  asks_nothing(talk);
  assert_int_equal(talk->count, 1);
  assert_false(talk->last);
  answers(talk, "NON 2.05 observe:11 max-age:0 +8"); /* the server knows the token still */
  assert_told(talk, 2, 8, 0);
  assert_true(talk->result.observed);
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  talk_close(talk);
}

static void after_an_old_notification_it_asks_again_before_long(void **state) {
  (void)state;
  struct talk *talk = observing(COPAL_CON, "2.05 observe:10 max-age:30 +6");
  talk->bare->now += 45 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "NON 2.05 observe:10 +6");
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:3 +5"); /* piggybacked: it is the answer */
  assert_told(talk, 2, 5, 0);
  talk_close(talk);
}

/* Of answers that are not piggybacked nobody knows. After 128 seconds every number is new. */
static void a_server_that_counts_anew_is_heard_at_last(void **state) {
  (void)state;
  struct talk *talk = observing(COPAL_NON, "NON 2.05 observe:500 max-age:30 +6");
  int renewals = 0;
  for (copal_time end = talk->bare->now + 200 * COPAL_SECOND; talk->bare->now < end && talk->count == 1;) {
    talk->bare->now += 15 * COPAL_SECOND;
    bare_out(talk->bare);
    if (talk->bare->sent_count == 0) continue;
    ++renewals;
    answers(talk, "NON 2.05 observe:3 +7");
  }
  assert_in_range(renewals, 2, 12);
  assert_told(talk, 2, 7, 0);
  talk_close(talk);
}

/* RFC 7641 3.3.1: "the client SHOULD at least wait for a random amount of time between 5 and 15 seconds after Max-Age
 * expired to reduce collisions with other clients". */
static void each_state_has_a_time_of_its_own_to_be_asked_for_again(void **state) {
  (void)state;
  struct talk *talk = observing(COPAL_CON, "2.05 observe:1 max-age:30 +6");
  copal_time least = COPAL_NEVER, most = 0;
  for (int number = 2; number <= 40; ++number) {
    char notification[64];
    snprintf(notification, sizeof notification, "NON 2.05 observe:%d max-age:30 +6", number);
    talk->bare->now += COPAL_SECOND;
    answers(talk, notification);
    asks_nothing(talk);
    copal_time wait = copal_endpoint_deadline(talk->bare->endpoint) - talk->bare->now;
    assert_in_range(wait, 35 * COPAL_SECOND, 45 * COPAL_SECOND);
    if (wait < least) least = wait;
    if (wait > most) most = wait;
  }
  assert_true(most - least > 2 * COPAL_SECOND);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_old_notification_is_not_the_answer_to_a_renewal),
      cmocka_unit_test(after_an_old_notification_it_asks_again_before_long),
      cmocka_unit_test(a_server_that_counts_anew_is_heard_at_last),
      cmocka_unit_test(each_state_has_a_time_of_its_own_to_be_asked_for_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
