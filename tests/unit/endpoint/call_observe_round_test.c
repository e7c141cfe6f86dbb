/* Who shares a registration may, while he is told, cancel his own observation or another's, and begin one: nobody is
 * told twice or left out, and whoever comes meanwhile asks for himself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/watchers.h"

/* A, B and C watch; the next answer is a notification. */
static struct watchers *three(void) {
  struct watchers *watchers = watchers_open(WATCHERS);
  struct talk_token token = watched(watchers);
  joins(watchers, 'B', &token);
  joins(watchers, 'C', &token);
  return watchers;
}

static void leave_a(struct watcher *watcher) { leaves(watcher->all, 'A', false); }
static void leave_b(struct watcher *watcher) { leaves(watcher->all, 'B', true); }
static void leave_c(struct watcher *watcher) { leaves(watcher->all, 'C', false); }
static void begin_d(struct watcher *watcher) { watches(watcher->all, 'D'); }

static void leave_all(struct watcher *watcher) {
  leave_a(watcher);
  leave_b(watcher);
  leave_c(watcher);
}

static void begin_a_anew(struct watcher *watcher) {
  leave_a(watcher);
  watches(watcher->all, 'A');
}

/* All records are used again at once, some by others than before. */
static void shuffle(struct watcher *watcher) {
  leave_all(watcher);
  watches(watcher->all, 'D');
  watches(watcher->all, 'C');
  watches(watcher->all, 'E');
}

/* What comes while one of them does that is told to those; and then a change to these. */
static void told_while(char actor, void (*act)(struct watcher *watcher), const char *now, const char *later) {
  struct watchers *watchers = three();
  struct talk *talk = watchers->talk;
  struct talk_token token = token_of(talk);
  watcher_of(watchers, actor)->act = act;
  answers(talk, "NON 2.05 observe:2 v:1 +7");
  assert_letters(watchers, now);
  for (const char *letter = now; *letter != 0; ++letter) assert_state(watchers, *letter, 7, 1);
  watcher_of(watchers, actor)->act = NULL;
  with_token(talk, &token);
  asks_nothing(talk);
  answers(talk, "NON 2.05 observe:3 v:2 +8");
  assert_letters(watchers, later);
  for (const char *letter = later; *letter != 0; ++letter) {
    assert_state(watchers, *letter, 8, 2);
    leaves(watchers, *letter, false);
  }
  bare_out(talk->bare);
  leaves_nothing(talk);
  watchers_close(watchers);
}

static void an_observer_may_leave_while_he_is_told(void **state) {
  (void)state;
  told_while('A', leave_a, "ABC", "BC");
  told_while('B', leave_b, "ABC", "AC");
  told_while('C', leave_c, "ABC", "AB");
}

static void an_observer_may_have_another_leave(void **state) {
  (void)state;
  told_while('A', leave_b, "AC", "AC");
  told_while('A', leave_c, "AB", "AB");
  told_while('B', leave_a, "ABC", "BC");
  told_while('B', leave_c, "AB", "AB");
  told_while('C', leave_a, "ABC", "BC");
  told_while('C', leave_b, "ABC", "AC");
}

static void an_observer_may_have_all_leave(void **state) {
  (void)state;
  told_while('A', leave_all, "A", "");
  told_while('B', leave_all, "AB", "");
  told_while('C', leave_all, "ABC", "");
}

/* Whoever joins in a round asks himself; at the latest the next notification reaches him. */
static void joined_while(char actor, void (*act)(struct watcher *watcher), const char *now, const char *asked,
                         const char *later) {
  struct watchers *watchers = three();
  struct talk *talk = watchers->talk;
  struct talk_token token = token_of(talk);
  watcher_of(watchers, actor)->act = act;
  answers(talk, "NON 2.05 observe:2 v:1 +7");
  assert_letters(watchers, now);
  watcher_of(watchers, actor)->act = NULL;
  for (; *asked != 0; ++asked) {
    asks(talk, "CON GET /a");
    answers(talk, "2.05 v:1 +7");
    assert_letters(watchers, (const char[]){*asked, 0});
  }
  with_token(talk, &token);
  answers(talk, "NON 2.05 observe:3 v:2 +8");
  assert_letters(watchers, later);
  asks_nothing(talk);
  watchers_close(watchers);
}

static void an_observer_may_begin_another(void **state) {
  (void)state;
  joined_while('A', begin_d, "ABC", "D", "ABCD");
  joined_while('C', begin_d, "ABC", "D", "ABCD");
  joined_while('A', begin_a_anew, "ABC", "A", "BCA");
  joined_while('C', begin_a_anew, "ABC", "A", "BCA");
}

/* Nobody is left of those who had the registration: the new ones make one. */
static void an_observer_may_change_them_all(void **state) {
  (void)state;
  for (char actor = 'A'; actor <= 'C'; ++actor) {
    struct watchers *watchers = three();
    struct talk *talk = watchers->talk;
    watcher_of(watchers, actor)->act = shuffle;
    answers(talk, "NON 2.05 observe:2 v:1 +7");
    char now[] = "ABC";
    now[actor - 'A' + 1] = 0;
    assert_letters(watchers, now);
    watcher_of(watchers, actor)->act = NULL;
    asks(talk, "CON GET observe:0 /a"); /* C, who was the last one, has not deregistered */
    answers(talk, "2.05 observe:1 v:1 +7");
    assert_letters(watchers, "DCE");
    asks_nothing(talk);
    watchers_close(watchers);
  }
}

/* --- Ends --------------------------------------------------------------------------------------- */

/* The end is told to those, and nothing is left when what was begun meanwhile is answered. */
static void ended_while(char actor, void (*act)(struct watcher *watcher), const char *answer, const char *now,
                        const char *begun) {
  struct watchers *watchers = three();
  struct talk *talk = watchers->talk;
  watcher_of(watchers, actor)->act = act;
  answers(talk, answer);
  assert_letters(watchers, now);
  for (const char *letter = now; *letter != 0; ++letter)
    if (strchr(begun, *letter) == NULL) assert_true(watcher_of(watchers, *letter)->last);
  for (char letter = 'A'; letter < 'A' + WATCHERS; ++letter) watcher_of(watchers, letter)->act = NULL;
  if (*begun != 0) {
    asks(talk, "CON GET observe:0 /a");
    answers(talk, "2.05 +6");
    assert_letters(watchers, begun);
  }
  leaves_nothing(talk);
  watchers_close(watchers);
}

/* What ended is nobody's to cancel any more. */
static void begin_it_anew(struct watcher *watcher) {
  watches(watcher->all, (char)('A' + (watcher - watcher->all->each)));
}

static void begin_d_and_e(struct watcher *watcher) {
  watches(watcher->all, 'D');
  watches(watcher->all, 'E');
}

static void who_is_told_of_the_end_may_cancel_and_begin(void **state) {
  (void)state;
  static const char *const ends[] = {"NON 4.04", "NON 2.05 v:1 +7"};
  for (size_t i = 0; i < 2; ++i) {
    ended_while('A', leave_b, ends[i], "AC", "");
    ended_while('A', leave_c, ends[i], "AB", "");
    ended_while('B', leave_c, ends[i], "AB", "");
    ended_while('A', begin_it_anew, ends[i], "ABC", "A");
    ended_while('B', begin_it_anew, ends[i], "ABC", "B");
    ended_while('A', begin_d_and_e, ends[i], "ABC", "DE");
    ended_while('C', begin_d_and_e, ends[i], "ABC", "DE");
  }
}

static void a_failure_may_be_answered_with_another_attempt_by_all(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(3);
  struct talk *talk = watchers->talk;
  for (char letter = 'A'; letter <= 'C'; ++letter) {
    watches(watchers, letter);
    watcher_of(watchers, letter)->act = begin_it_anew;
  }
  for (int round = 0; round < 3; ++round) {
    asks(talk, "CON GET observe:0 /a");
    bare_in(talk->bare, "7000%04x", talk->mid);
    assert_letters(watchers, "ABC");
    assert_int_equal(watchers->each[2].error, COPAL_ERR_RESET);
  }
  asks(talk, "CON GET observe:0 /a");
  for (char letter = 'A'; letter <= 'C'; ++letter) watcher_of(watchers, letter)->act = NULL;
  answers(talk, "2.05 observe:1 +6");
  assert_letters(watchers, "ABC");
  watchers_close(watchers);
}

/* --- Beside a round ------------------------------------------------------------------------------ */

/* The answer to one's own request may be the occasion too: the registration is under way, or there. */
static void who_is_told_his_first_state_may_have_the_holder_leave(void **state) {
  (void)state;
  for (int registered = 0; registered < 2; ++registered) {
    struct watchers *watchers = watchers_open(3);
    struct talk *talk = watchers->talk;
    watches(watchers, 'A');
    asks(talk, "CON GET observe:0 /a");
    struct talk_token token = token_of(talk);
    if (registered)
      answers(talk, "2.05 observe:1 +6");
    else
      bare_in(talk->bare, "6000%04x", talk->mid);
    watchers->told_count = 0;
    watches(watchers, 'B');
    watcher_of(watchers, 'B')->act = leave_a;
    asks(talk, "CON GET /a");
    answers(talk, "2.05 +6");
    assert_letters(watchers, "B");
    watcher_of(watchers, 'B')->act = NULL;
    with_token(talk, &token);
    answers(talk, "NON 2.05 observe:2 v:1 +7");
    assert_letters(watchers, "B");
    assert_state(watchers, 'B', 7, 1);
    leaves(watchers, 'B', false);
    leaves_nothing(talk);
    watchers_close(watchers);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_observer_may_leave_while_he_is_told),
      cmocka_unit_test(an_observer_may_have_another_leave),
      cmocka_unit_test(an_observer_may_have_all_leave),
      cmocka_unit_test(an_observer_may_begin_another),
      cmocka_unit_test(an_observer_may_change_them_all),
      cmocka_unit_test(who_is_told_of_the_end_may_cancel_and_begin),
      cmocka_unit_test(a_failure_may_be_answered_with_another_attempt_by_all),
      cmocka_unit_test(who_is_told_his_first_state_may_have_the_holder_leave),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
