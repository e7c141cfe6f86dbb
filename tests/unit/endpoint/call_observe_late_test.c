/* Calls that observe, and what comes late: answers and notifications overtake each other. RFC 7641 section 3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observing.h"

/* RFC 7641 3.4: "a client MUST consider the notification that was sent most recently as the freshest,
 * regardless of the order of arrival." */
static void what_was_overtaken_is_acknowledged_but_not_told(void **state) {
  (void)state;
  static const struct {
    unsigned first, second;
    bool newer;
  } cases[] = {{5, 6, true},
               {5, 4, false},
               {5, 5, false},
               {0xffffff, 0, true},
               {0, 0xffffff, false},
               {1, 1 + (1 << 23) - 1, true},
               {1, 1 + (1 << 23), false},
               {1 + (1 << 23), 1, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    char text[64];
    snprintf(text, sizeof text, "2.05 observe:%u +6", cases[i].first);
    struct talk *talk = observing(text);
    snprintf(text, sizeof text, "CON 2.05 observe:%u +7", cases[i].second);
    answers(talk, text);
    answered_by(talk, COPAL_ACK);
    assert_int_equal(talk->count, cases[i].newer ? 2 : 1);
    answers(talk, "NON 4.04"); /* it goes on all the same */
    assert_true(talk->last);
    talk_close(talk);
  }
}

static void after_128_seconds_every_number_is_new(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:5 max-age:1000 +6");
  talk->bare->now += 128 * COPAL_SECOND;
  answers(talk, "NON 2.05 observe:4 +7");
  assert_int_equal(talk->count, 1);
  talk->bare->now += 1;
  answers(talk, "NON 2.05 observe:4 +7");
  assert_int_equal(talk->count, 2);
  talk_close(talk);
}

static void a_notification_may_answer_the_renewal(void **state) {
  (void)state;
  struct talk *talk = observing("2.05 observe:5 max-age:0 +6");
  talk->bare->now += 15 * COPAL_SECOND;
  asks(talk, "CON GET observe:0 /temperature");
  answers(talk, "NON 2.05 observe:6 +7"); /* it crossed the request, whose own response follows */
  assert_told(talk, 2, 7, 0);
  answers(talk, "2.05 observe:6 +7");
  assert_int_equal(talk->count, 2);
  answers(talk, "NON 2.05 observe:7 +8");
  assert_told(talk, 3, 8, 0);
  talk_close(talk);
}

/* A registration is answered three times where the server forgets its duplicates: first without observing for want of
 * room. What was sent before the notification that came is of an older state, though it has no number. */
static void an_answer_that_straggles_behind_a_notification_neither_tells_nor_ends(void **state) {
  (void)state;
  static const char *const late[] = {"2.05 +6", "2.05 observe:4 +6"};
  for (size_t i = 0; i < sizeof late / sizeof *late; ++i) {
    struct talk *talk = observing("NON 2.05 observe:5 max-age:30 +7");
    assert_told(talk, 1, 7, 0);
    answers(talk, late[i]);
    assert_int_equal(talk->count, 1);
    answers(talk, "NON 2.05 observe:6 max-age:30 +8");
    assert_told(talk, 2, 8, 0);
    assert_true(talk->result.observed && !talk->last);
    answers(talk, late[i]); /* and the server forgot the observer */
    talk->bare->now += 45 * COPAL_SECOND;
    asks(talk, "CON GET observe:0 /temperature");
    talk_close(talk);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_overtaken_is_acknowledged_but_not_told),
      cmocka_unit_test(after_128_seconds_every_number_is_new),
      cmocka_unit_test(a_notification_may_answer_the_renewal),
      cmocka_unit_test(an_answer_that_straggles_behind_a_notification_neither_tells_nor_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
