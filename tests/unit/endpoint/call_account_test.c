/* What a call's result tells of the messages that it took: requests, transmissions, acknowledgements, blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static const copal_call_options PLAIN = {.handler = NULL};

static void one_request_is_one_transmission(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 +5");
  ends_with(talk, COPAL_CONTENT, 5, 0);
  assert_int_equal(talk->result.exchanges, 1);
  assert_int_equal(talk->result.transmissions, 1);
  assert_int_equal(talk->result.retransmissions, 0);
  assert_int_equal(talk->result.blocks_out, 0);
  assert_int_equal(talk->result.blocks_in, 0);
  assert_false(talk->result.acknowledged);
  assert_true(talk->result.asked == talk->result.began);
  talk_close(talk);
}

static void silence_is_told_with_its_transmissions(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  unsigned seen = 0;
  for (int i = 0; i < 20 && !talk->last; ++i) {
    bare_out(talk->bare);
    seen += (unsigned)talk->bare->sent_count;
    talk->bare->now = copal_endpoint_deadline(talk->bare->endpoint);
  }
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_int_equal(seen, 5);
  assert_int_equal(talk->result.transmissions, 5);
  assert_int_equal(talk->result.retransmissions, 4);
  assert_false(talk->result.acknowledged);
  talk_close(talk);
}

static void an_acknowledgement_without_a_response_is_told(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.timeout = 9 * COPAL_SECOND});
  asks(talk, "CON GET /a");
  answers(talk, "0.00");
  talk->bare->now += 10 * COPAL_SECOND;
  bare_out(talk->bare);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_true(talk->result.acknowledged);
  assert_int_equal(talk->result.transmissions, 1);
  talk_close(talk);
}

static void a_reset_is_no_acknowledgement(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  copal_path path = bare_path(BARE_PORT);
  const uint8_t reset[] = {0x70, 0, (uint8_t)(talk->mid >> 8), (uint8_t)talk->mid};
  bare_in_bytes(talk->bare, &path, reset, sizeof reset);
  fails_with(talk, COPAL_ERR_RESET);
  assert_false(talk->result.acknowledged);
  talk_close(talk);
}

static void blocks_are_counted_each_way(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "a", 1500, &PLAIN);
  asks(talk, "CON POST /a 1:0/1/1024 size:1500 tag +1024");
  copal_time later = talk->bare->now += COPAL_MILLISECOND;
  answers(talk, "2.31 1:0/1/1024");
  asks(talk, "CON POST /a 1:1/0/1024 tag +476");
  answers(talk, "2.04 1:1/0/1024 2:0/1/64 +64");
  asks(talk, "CON POST /a 2:1/0/64 tag");
  answers(talk, "2.04 2:1/0/64 +10");
  ends_with(talk, COPAL_CHANGED, 74, 0);
  assert_int_equal(talk->result.exchanges, 3);
  assert_int_equal(talk->result.blocks_out, 2);
  assert_int_equal(talk->result.blocks_in, 2);
  assert_int_equal(talk->result.retransmissions, 0);
  assert_true(talk->result.asked >= later);
  assert_true(talk->result.began < later);
  talk_close(talk);
}

static void what_was_sent_again_is_counted_over_all_requests(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  talk->bare->now = copal_endpoint_deadline(talk->bare->endpoint);
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 +10");
  ends_with(talk, COPAL_CONTENT, 74, 0);
  assert_int_equal(talk->result.transmissions, 1);
  assert_int_equal(talk->result.retransmissions, 1);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_request_is_one_transmission),
      cmocka_unit_test(silence_is_told_with_its_transmissions),
      cmocka_unit_test(an_acknowledgement_without_a_response_is_told),
      cmocka_unit_test(a_reset_is_no_acknowledgement),
      cmocka_unit_test(blocks_are_counted_each_way),
      cmocka_unit_test(what_was_sent_again_is_counted_over_all_requests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
