/* What an endpoint decided, in words: from what its counters did. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/show/decision.h"

static const copal_view con_get = {.type = COPAL_CON, .code = COPAL_GET},
                        non_get = {.type = COPAL_NON, .code = COPAL_GET},
                        con_content = {.type = COPAL_CON, .code = COPAL_CONTENT},
                        non_content = {.type = COPAL_NON, .code = COPAL_CONTENT},
                        ack_content = {.type = COPAL_ACK, .code = COPAL_CONTENT},
                        ping = {.type = COPAL_CON, .code = COPAL_EMPTY}, ack = {.type = COPAL_ACK, .code = COPAL_EMPTY},
                        rst = {.type = COPAL_RST, .code = COPAL_EMPTY}, signal = {.type = COPAL_CON, .code = COPAL_CSM};

struct sample {
  enum decision_subject subject;
  const copal_view *view;
  copal_counters moved;
  const char *text;
};

/* Counters have a past. */
static const char *text_of(const struct sample *sample, char *buffer, size_t capacity) {
  copal_counters before, after;
#define PAST(name, text) before.name = 1000, after.name = 1000 + sample->moved.name;
  COPAL_COUNTERS(PAST)
#undef PAST
  return decision_text(sample->subject, sample->view, &before, &after, buffer, capacity);
}

static void a_decision_is_told_in_words(void **state) {
  (void)state;
  static const struct sample samples[] = {
      {DECISION_RECEIVED, &con_get, {.requests = 1}, "processed"},
      {DECISION_RECEIVED, &con_get, {.duplicates = 1, .repeated = 1}, "duplicate: the reply is repeated"},
      {DECISION_RECEIVED, &con_get, {.duplicates = 1}, "duplicate: not processed again, and there is no reply yet"},
      {DECISION_RECEIVED, &non_get, {.duplicates = 1}, "duplicate: ignored"},
      {DECISION_RECEIVED, &con_get, {.rate_limited = 1}, "rate limited: refused with 4.29"},
      {DECISION_RECEIVED, &con_get, {.datagrams_in = 1}, "refused before it was processed"},
      {DECISION_RECEIVED, &con_get, {.replies_full = 1}, "refused: no room to remember its reply"},
      {DECISION_RECEIVED,
       &con_get,
       {.challenged = 1},
       "refused for want of room, until the peer's address is verified"},
      {DECISION_RECEIVED,
       &con_get,
       {.requests = 1, .held = 1},
       "processed; the answer is held until the peer's address is verified"},
      {DECISION_RECEIVED, &ack_content, {.responses = 1}, "accepted: the response to our request"},
      {DECISION_RECEIVED, &con_content, {.rejected = 1}, "unknown token: rejected with a Reset"},
      {DECISION_RECEIVED, &non_content, {.ignored = 1}, "unknown token: ignored"},
      {DECISION_RECEIVED, &ack_content, {.ignored = 1}, "ignored: no message of ours with this ID waits for it"},
      {DECISION_RECEIVED, &ping, {.rejected = 1}, "a ping: answered with a Reset"},
      {DECISION_RECEIVED, &signal, {.rejected = 1}, "code of a reserved class: rejected with a Reset"},
      {DECISION_RECEIVED, &ack, {.datagrams_in = 1}, "accepted: our message with this ID has arrived"},
      {DECISION_RECEIVED,
       &rst,
       {.resets = 1, .verified = 1},
       "accepted: ends our message with this ID; the peer's address is verified now"},
      {DECISION_RECEIVED, &rst, {.ignored = 1}, "ignored: no message of ours with this ID waits for it"},
      {DECISION_RECEIVED, NULL, {.malformed = 1, .rejected = 1}, "malformed: rejected with a Reset"},
      {DECISION_RECEIVED, NULL, {.malformed = 1}, "malformed: dropped in silence"},
      {DECISION_RECEIVED, NULL, {.ignored = 1}, "ignored: its source cannot be answered"},
      {DECISION_TIME, NULL, {.given_up = 1}, "gave up: no answer after the last retransmission"},
      {DECISION_TIME, NULL, {.given_up = 3}, "gave up: no answer after the last retransmission (3 times)"},
      {DECISION_TIME, NULL, {.retransmissions = 1, .datagrams_out = 1}, ""},
      {DECISION_UNDELIVERED, &con_get, {.unreachable = 0}, ""},
      {DECISION_UNDELIVERED,
       &con_get,
       {.unreachable = 1},
       "unreachable: nothing listens there, or no route leads there; it is not sent again"},
  };
  for (size_t i = 0; i < sizeof samples / sizeof samples[0]; ++i) {
    char text[DECISION_TEXT_MAX];
    assert_string_equal(text_of(&samples[i], text, sizeof text), samples[i].text);
  }
}

static void a_small_room_holds_a_beginning(void **state) {
  (void)state;
  static const struct sample sample = {
      DECISION_RECEIVED, &con_get, {.requests = 1, .held = 1, .peers_evicted = 1}, NULL};
  char whole[DECISION_TEXT_MAX], text[DECISION_TEXT_MAX];
  text_of(&sample, whole, sizeof whole);
  for (size_t capacity = 1; capacity <= strlen(whole); ++capacity) {
    text_of(&sample, text, capacity);
    assert_int_equal(strlen(text), capacity - 1);
    assert_memory_equal(text, whole, capacity - 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_decision_is_told_in_words),
      cmocka_unit_test(a_small_room_holds_a_beginning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
