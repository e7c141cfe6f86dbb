/* What hostile servers and late messages do to a client, each test with the number of its row in docs/threats.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static const copal_call_options OBSERVE = {.observe = true};

/* The next good request of ours is answered. */
static void assert_alive(struct talk *talk) {
  talk->last = false;
  talk_get(talk, "good");
  asks(talk, "CON GET /good");
  answers(talk, "2.05 cf:0 +3");
  ends_with(talk, COPAL_CONTENT, 3, 0);
  leaves_nothing(talk);
}

/* An ACK with the token that is awaited, options and payload as they stand. */
static void answer_raw(struct talk *talk, const char *rest) {
  char token[2 * TALK_TOKEN_MAX + 1] = "";
  for (size_t i = 0; i < talk->token_size; ++i) sprintf(token + 2 * i, "%02x", talk->token[i]);
  bare_in(talk->bare, "6%zx45%04x%s%s", talk->token_size, talk->mid, token, rest);
}

/* RFC 7252 5.4.3: an option of illegal length "MUST be treated like an unrecognized option", and these are elective. */
static void t22_a_content_format_of_three_bytes_is_ignored(void **state) {
  (void)state;
  static const char *const rests[] = {"c3010203 ff61", "c8 0102030405060708 ff61",
                                      "49 010203040506070809 ff61", /* an ETag of 9 bytes */
                                      "d5010102030405 ff61"};       /* a Max-Age of 5 */
  for (size_t i = 0; i < sizeof rests / sizeof *rests; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_get(talk, "a");
    asks(talk, "CON GET /a");
    answer_raw(talk, rests[i]);
    assert_true(talk->last);
    assert_int_equal(talk->result.error, COPAL_OK);
    assert_int_equal(talk->code, COPAL_CONTENT);
    assert_int_equal(talk->content_format, COPAL_FORMAT_NONE);
    assert_int_equal(talk->body_size, 1);
    assert_int_equal(talk->body[0], 'a');
    assert_alive(talk);
    talk_close(talk);
  }
}

/* RFC 7641 3.6: a client that is no longer interested "will not recognize the token in the message and thus will return
 * a Reset message". */
static void t35_a_notification_after_deregistration_is_rejected(void **state) {
  (void)state;
  for (int deregister = 0; deregister < 2; ++deregister) {
    struct talk *talk = talk_open_roomy();
    talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &OBSERVE);
    asks(talk, "CON GET observe:0 /a");
    struct talk_token token = token_of(talk);
    answers(talk, "2.05 observe:9 +6");
    assert_told(talk, 1, 6, 0);
    assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, deregister == 1), COPAL_OK);
    if (deregister == 1) {
      asks(talk, "CON GET observe:1 /a");
      answers(talk, "2.05 +6");
    }
    static const char *const late[] = {"CON 2.05 observe:10 +6", "NON 2.05 observe:11 +6", "CON 4.04"};
    for (size_t i = 0; i < sizeof late / sizeof *late; ++i) {
      with_token(talk, &token);
      answers(talk, late[i]);
      const struct bare_sent *sent = bare_out_one(talk->bare);
      assert_int_equal(sent->view.type, COPAL_RST);
      assert_int_equal(sent->view.message_id, talk->own_mid - 1);
      assert_int_equal(talk->count, 1);
    }
    talk->count = 0;
    assert_alive(talk);
    talk_close(talk);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t22_a_content_format_of_three_bytes_is_ignored),
      cmocka_unit_test(t35_a_notification_after_deregistration_is_rejected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
