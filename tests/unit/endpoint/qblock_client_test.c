/* Calls by Q-Block, with a server that is written by hand: what it asks for is sent again, what it lacks is asked for,
 * and what it says wrongly, late or with ill intent does no harm. RFC 9177 sections 4, 5 and 7.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static struct talk *open_client(void) {
  copal_config config = copal_config_small();
  config.exchanges_max = 32;
  config.messages_size = 16 << 10;
  config.replies_size = 16 << 10;
  return talk_open(&config);
}

static struct talk *begin_put(uint64_t size) {
  struct talk *talk = open_client();
  talk->source_size = size;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0,
             &(copal_call_options){.read = talk_read, .size = size, .block_size = 16, .q_block = true});
  return talk;
}

static struct talk *begin_get(bool writes) {
  struct talk *talk = open_client();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0,
             &(copal_call_options){.write = writes ? talk_write : NULL, .block_size = 16, .q_block = true});
  asks(talk, "CON GET /a q2:0/0/16");
  return talk;
}

static void pass(struct talk *talk, copal_time time) {
  talk->bare->now += time - COPAL_MILLISECOND;
  asks_nothing(talk);
  talk->bare->now += COPAL_MILLISECOND;
}

static void end(struct talk *talk) {
  bare_out(talk->bare);
  bare_out(talk->bare);
  copal_usage usage = copal_endpoint_usage(talk->bare->endpoint);
  assert_int_equal(usage.calls, 0);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
  talk_close(talk);
}

/* A put of three blocks that are all sent. */
static struct talk *put_three(void) {
  struct talk *talk = begin_put(48);
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:48 tag +16");
  answers(talk, "0.00");
  asks_all(talk,
           "NON PUT /a q1:1/1/16 q2:0/1/16 size:48 tag +16\n"
           "NON PUT /a q1:2/0/16 q2:0/1/16 size:48 tag +16\n");
  return talk;
}

/* --- Whether the server knows it ---------------------------------------------------------------------- */

static void a_server_that_says_bad_option_gets_block1(void **state) {
  (void)state;
  struct talk *talk = begin_put(48);
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:48 tag +16");
  answers(talk, "4.02");
  asks(talk, "CON PUT /a 1:0/1/16 size:48 tag +16");
  answers(talk, "2.31 1:0/1/16");
  asks(talk, "CON PUT /a 1:1/1/16 tag +16");
  answers(talk, "2.31 1:1/1/16");
  asks(talk, "CON PUT /a 2:0/0/16 1:2/0/16 tag +16");
  answers(talk, "2.04 1:2/0/16");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  end(talk);
}

static void a_server_that_says_reset_gets_block2(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  bare_in(talk->bare, "7000%04x", talk->mid);
  asks(talk, "CON GET /a 2:0/0/16");
  answers(talk, "2.05 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  answers(talk, "2.05 2:1/0/16 +3");
  ends_with(talk, COPAL_CONTENT, 19, 0);
  end(talk);
}

static void a_server_that_answers_with_block2_is_asked_with_block2(void **state) {
  (void)state;
  struct talk *talk = begin_get(true);
  answers(talk, "2.05 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  answers(talk, "2.05 2:1/0/16 +3");
  assert_int_equal(talk->taken_size, 19);
  end(talk);
}

static void a_silent_server_is_a_timeout(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  for (int i = 0; i < 200 && !talk->last; ++i) {
    talk->bare->now += COPAL_SECOND;
    bare_out(talk->bare);
  }
  fails_with(talk, COPAL_ERR_TIMEOUT);
  end(talk);
}

/* RFC 9177 7.1: "all requests and responses using Q-Block1 and Q-Block2 will be Non-confirmable … apart from the
 * initial Q-Block functionality negotiation." */
static void what_the_application_calls_non_confirmable_begins_confirmable_too(void **state) {
  (void)state;
  struct talk *talk = open_client();
  talk_begin(talk, COPAL_NON, COPAL_GET, "a", 0, &(copal_call_options){.q_block = true});
  asks(talk, "CON GET /a q2:0/0/128");
  answers(talk, "4.02");
  asks(talk, "NON GET /a 2:0/0/128");
  answers(talk, "NON 2.05 +3");
  ends_with(talk, COPAL_CONTENT, 3, 0);
  end(talk);
}

static void where_it_is_not_for_it_is_not_offered(void **state) {
  (void)state;
  struct talk *talk = open_client();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.observe = true, .q_block = true});
  asks(talk, "CON GET observe:0 /a 2:0/0/128");
  talk_close(talk);
  talk = open_client();
  talk->source_size = 300;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0,
             &(copal_call_options){.read = talk_read, .size = COPAL_SIZE_UNKNOWN, .q_block = true});
  asks(talk, "CON PUT /a 1:0/1/128 tag +128"); /* Size1 must be exact, and is not known */
  talk_close(talk);
}

/* --- Sending -------------------------------------------------------------------------------------------- */

/* RFC 9177 4.3: "The token to use MUST be one of the tokens that were received in a request for this block-wise
 * exchange." */
static void the_answer_may_come_with_any_token_of_the_body(void **state) {
  (void)state;
  for (int which = 0; which < 3; ++which) {
    struct talk *talk = begin_put(48);
    asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:48 tag +16");
    struct talk_token token = token_of(talk);
    answers(talk, "0.00");
    bare_out(talk->bare);
    assert_int_equal(talk->bare->sent_count, 2);
    if (which > 0) {
      const copal_view *view = &talk->bare->sent[which - 1].view;
      token.size = view->token.size;
      memcpy(token.bytes, view->token.data, view->token.size);
    }
    with_token(talk, &token);
    answers(talk, "NON 2.04");
    ends_with(talk, COPAL_CHANGED, 0, 0);
    end(talk);
  }
}

static void a_token_that_was_not_sent_is_none_of_the_body_s(void **state) {
  (void)state;
  struct talk *talk = put_three();
  talk->token[3] = 9; /* of a request that is yet to come */
  answers(talk, "NON 2.04");
  assert_false(talk->last);
  talk->token[3] = 0;
  answers(talk, "NON 2.04");
  assert_false(talk->last);
  talk->token[3] = 2;
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  end(talk);
}

/* RFC 9177 4.3: "The client then retransmits the individual missing payloads using the same Request-Tag, Size1, and
 * Q-Block1 options". */
static void what_the_server_lacks_is_sent_again(void **state) {
  (void)state;
  struct talk *talk = put_three();
  answers(talk, "NON 4.08 missing:0,1");
  asks_all(talk,
           "NON PUT /a q1:0/1/16 q2:0/1/16 size:48 tag +16\n"
           "NON PUT /a q1:1/1/16 q2:0/1/16 size:48 tag +16\n");
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  end(talk);
}

/* RFC 9177 7.2: "the client SHOULD send the missing payloads before continuing to send the remainder of the
 * MAX_PAYLOADS_SET and then go into another NON_TIMEOUT_RANDOM delay prior to sending the next MAX_PAYLOADS_SET." */
static void a_set_waits_for_its_time_unless_the_server_continues(void **state) {
  (void)state;
  struct talk *talk = begin_put(23 * 16);
  bare_out(talk->bare);
  talk->mid = talk->bare->sent[0].view.message_id;
  answers(talk, "0.00");
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 9);
  talk->bare->now += 2 * COPAL_SECOND - 1; /* NON_TIMEOUT is the least */
  asks_nothing(talk);
  talk->bare->now += COPAL_SECOND + 1; /* and half as much again the most */
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 10);
  const copal_view *view = &talk->bare->sent[9].view;
  talk->token_size = view->token.size;
  memcpy(talk->token, view->token.data, view->token.size);
  answers(talk, "NON 2.31 q1:9/1/16"); /* late: it is of the set before */
  asks_nothing(talk);
  answers(talk, "NON 4.08 missing:3");
  asks_all(talk, "NON PUT /a q1:3/1/16 q2:0/1/16 size:368 tag +16\n");
  talk->bare->now += 2 * COPAL_SECOND - 1;
  asks_nothing(talk);
  answers(talk, "NON 2.31 q1:19/1/16");
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 3);
  talk_close(talk);
}

/* RFC 9177 4.3: with another payload, 4.08 "is handled as in Section 2.9.2 of [RFC7959]". */
static void a_4_08_without_a_list_begins_the_body_anew_once(void **state) {
  (void)state;
  struct talk *talk = put_three();
  answers(talk, "NON 4.08");
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:48 tag +16");
  answers(talk, "0.00");
  bare_out(talk->bare);
  talk->token_size = 8;
  memcpy(talk->token, talk->bare->sent[1].view.token.data, 8);
  answers(talk, "NON 4.08");
  /* Then block by block, of which the same is true. */
  asks(talk, "CON PUT /a 1:0/1/16 size:48 tag +16");
  answers(talk, "4.08");
  ends_with(talk, COPAL_REQUEST_ENTITY_INCOMPLETE, 0, 0);
  end(talk);
}

static void a_hint_at_smaller_blocks_is_followed(void **state) {
  (void)state;
  struct talk *talk = open_client();
  talk->source_size = 48;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0,
             &(copal_call_options){.read = talk_read, .size = 48, .block_size = 32, .q_block = true});
  asks(talk, "CON PUT /a q1:0/1/32 q2:0/1/32 size:48 tag +32");
  answers(talk, "4.13 q1:0/1/16");
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/32 size:48 tag +16");
  answers(talk, "0.00");
  asks_all(talk,
           "NON PUT /a q1:1/1/16 q2:0/1/32 size:48 tag +16\n"
           "NON PUT /a q1:2/0/16 q2:0/1/32 size:48 tag +16\n");
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  end(talk);
}

/* RFC 9175 2.3: the request is sent again with the Echo value: all of it. */
static void an_echo_is_returned_with_the_whole_body(void **state) {
  (void)state;
  struct talk *talk = put_three();
  answers(talk, "NON 4.01 echo:xyz");
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:48 echo:xyz tag +16");
  answers(talk, "0.00");
  asks_all(talk,
           "NON PUT /a q1:1/1/16 q2:0/1/16 size:48 echo:xyz tag +16\n"
           "NON PUT /a q1:2/0/16 q2:0/1/16 size:48 echo:xyz tag +16\n");
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  end(talk);
}

static void a_body_that_cannot_be_read_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = begin_put(48);
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:48 tag +16");
  talk->read_fails_at = 33;
  answers(talk, "0.00");
  bare_out(talk->bare);
  fails_with(talk, COPAL_ERR_BODY_READ);
  end(talk);
}

/* --- A server of ill will --------------------------------------------------------------------------------- */

/* RFC 9177 5: such "responses not adhering to this behavior" are dropped in silence. */
static void lists_that_are_no_lists_are_dropped(void **state) {
  (void)state;
  struct talk *talk = put_three();
  static const char *const lists[] = {"NON 4.08 cf:272", "NON 4.08 missing:1,0", "NON 4.08 cf:272 +16"};
  for (int i = 0; i < 3; ++i) {
    answers(talk, lists[i]);
    asks_nothing(talk);
    assert_false(talk->last);
  }
  talk_close(talk);
}

static void blocks_that_there_are_not_are_not_sent(void **state) {
  (void)state;
  struct talk *talk = put_three();
  answers(talk, "NON 4.08 missing:2,3,20");
  asks_all(talk, "NON PUT /a q1:2/0/16 q2:0/1/16 size:48 tag +16\n");
  answers(talk, "NON 4.08 missing:21,22");
  asks_nothing(talk);
  talk_close(talk);
}

static void a_server_that_never_has_enough_is_left(void **state) {
  (void)state;
  struct talk *talk = put_three();
  unsigned count = 0;
  for (; !talk->last; ++count) {
    assert_true(count < 20);
    answers(talk, "NON 4.08 missing:0,1,2");
    bare_out(talk->bare);
  }
  fails_with(talk, COPAL_ERR_BODY_BLOCKS);
  assert_true(count > 4);
  end(talk);
}

/* What it has had it cannot lack: such a list was overtaken. */
static void a_list_that_goes_back_is_dropped(void **state) {
  (void)state;
  struct talk *talk = put_three();
  answers(talk, "NON 4.08 missing:1");
  asks_all(talk, "NON PUT /a q1:1/1/16 q2:0/1/16 size:48 tag +16\n");
  answers(talk, "NON 4.08 missing:0,1");
  asks_nothing(talk);
  talk_close(talk);
}

static void a_reset_of_a_block_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = put_three();
  uint16_t first = talk->bare->sent[0].view.message_id, last = talk->mid;
  bare_in(talk->bare, "7000%04x", (uint16_t)(last + 1));
  bare_in(talk->bare, "7000%04x", (uint16_t)(first - 2)); /* before the confirmable one */
  assert_false(talk->last);
  bare_in(talk->bare, "7000%04x", first);
  fails_with(talk, COPAL_ERR_RESET);
  end(talk);
}

/* --- Fetching ------------------------------------------------------------------------------------------- */

static void what_is_missing_is_asked_for_after_a_while_and_then_less_often(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  answers(talk, "2.05 q2:0/1/16 size:80 etag:A +16");
  asks(talk, "NON GET /a q2:1/1/16");
  answers(talk, "NON 2.05 q2:2/1/16 size:80 etag:A +16");
  answers(talk, "NON 2.05 q2:4/0/16 size:80 etag:A +16");
  for (unsigned i = 0; i < 4; ++i) {
    pass(talk, ((copal_time)4 << i) * COPAL_SECOND);
    asks(talk, "NON GET /a q2:1/0/16 q2:3/0/16");
  }
  answers(talk, "NON 2.05 q2:3/1/16 size:80 etag:A +16");
  pass(talk, 4 * COPAL_SECOND); /* something has come: from the beginning */
  asks(talk, "NON GET /a q2:1/0/16");
  answers(talk, "NON 2.05 q2:1/1/16 size:80 etag:A +16");
  ends_with(talk, COPAL_CONTENT, 80, 0);
  end(talk);
}

static void nothing_is_asked_for_for_ever(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  answers(talk, "2.05 q2:0/1/16 size:80 etag:A +16");
  asks(talk, "NON GET /a q2:1/1/16");
  for (unsigned i = 0; i < 4; ++i) {
    pass(talk, ((copal_time)4 << i) * COPAL_SECOND);
    asks(talk, "NON GET /a q2:1/1/16");
  }
  pass(talk, 64 * COPAL_SECOND);
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  end(talk);
}

/* RFC 9177 4.4: "If the client receives a duplicate block with the same ETag, it MUST silently ignore the payload." */
static void a_block_that_comes_twice_is_ignored(void **state) {
  (void)state;
  struct talk *talk = begin_get(true);
  answers(talk, "2.05 q2:0/1/16 size:48 etag:A +16");
  asks(talk, "NON GET /a q2:1/1/16");
  answers(talk, "NON 2.05 q2:0/1/16 size:48 etag:A +16");
  answers(talk, "NON 2.05 q2:1/1/16 size:48 etag:A +16");
  answers(talk, "NON 2.05 q2:1/1/16 size:48 etag:A +16");
  answers(talk, "NON 2.05 q2:2/0/16 size:48 etag:A +16");
  assert_true(talk->last);
  assert_int_equal(talk->result.error, COPAL_OK);
  assert_int_equal(talk->taken_size, 48);
  end(talk);
}

static void blocks_that_make_no_whole_end_the_call(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "NON 2.05 q2:1/1/16 size:48 etag:A +15", /* not of its size */
      "NON 2.05 q2:1/1/32 size:48 etag:A +32", /* of another */
      "NON 2.05 q2:1/1/16 size:49 etag:A +16", /* of a body of another size */
      "NON 2.05 q2:1/1/16 etag:A +16",         /* of one that is not told */
      "NON 2.05 q2:2/1/16 size:48 etag:A +16", /* more after the last */
      "NON 2.05 q2:3/0/16 size:48 etag:A +16", /* after the last */
      "NON 2.05 q2:2/0/16 size:48 etag:A +15", /* too short */
      "NON 2.05 q2:1048575/1/16 size:48 etag:A +16",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    struct talk *talk = begin_get(false);
    answers(talk, "2.05 q2:0/1/16 size:48 etag:A +16");
    asks(talk, "NON GET /a q2:1/1/16");
    answers(talk, wrong[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    end(talk);
  }
}

static void a_first_block_without_a_size_or_too_large_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  answers(talk, "2.05 q2:0/1/16 etag:A +16");
  fails_with(talk, COPAL_ERR_BODY_BLOCKS);
  end(talk);
  talk = open_client();
  uint8_t small[40];
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0,
             &(copal_call_options){.buffer = small, .capacity = sizeof small, .block_size = 16, .q_block = true});
  asks(talk, "CON GET /a q2:0/0/16");
  answers(talk, "2.05 q2:0/1/16 size:41 etag:A +16");
  fails_with(talk, COPAL_ERR_BODY_SIZE);
  end(talk);
}

/* RFC 9177 4.4: "the client should treat the partial body with the old ETag as no longer being fresh." */
static void another_etag_begins_the_body_anew_once(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  answers(talk, "2.05 q2:0/1/16 size:48 etag:A +16");
  asks(talk, "NON GET /a q2:1/1/16");
  struct talk_token old = token_of(talk);
  answers(talk, "NON 2.05 q2:1/1/16 size:64 etag:B v:1 +16");
  asks(talk, "CON GET /a q2:0/0/16");
  answers(talk, "2.05 q2:0/1/16 size:64 etag:B v:1 +16");
  asks(talk, "NON GET /a q2:1/1/16");
  struct talk_token new = token_of(talk);
  with_token(talk, &old);
  answers(talk, "NON 2.05 q2:2/0/16 size:48 etag:A +16"); /* the old one's, late */
  assert_false(talk->last);
  with_token(talk, &new);
  answers(talk, "NON 2.05 q2:1/1/16 size:64 etag:B v:1 +16");
  answers(talk, "NON 2.05 q2:2/1/16 size:64 etag:C v:2 +16");
  fails_with(talk, COPAL_ERR_BODY_CHANGED);
  end(talk);
}

static void an_error_instead_of_a_block_is_the_result(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  answers(talk, "2.05 q2:0/1/16 size:48 etag:A +16");
  asks(talk, "NON GET /a q2:1/1/16");
  answers(talk, "NON 4.04");
  ends_with(talk, COPAL_NOT_FOUND, 0, 0);
  end(talk);
}

/* They were sent while the request's blocks were on their way, and are none of the response's business. A 4.08 without
 * a list is: what was executed is not to be sent again. */
static void late_answers_to_an_upload_do_not_begin_it_anew(void **state) {
  (void)state;
  struct talk *talk = begin_put(32);
  asks(talk, "CON PUT /a q1:0/1/16 q2:0/1/16 size:32 tag +16");
  answers(talk, "0.00");
  asks(talk, "NON PUT /a q1:1/0/16 q2:0/1/16 size:32 tag +16");
  answers(talk, "NON 2.04 q2:0/1/16 size:48 etag:A +16");
  answers(talk, "NON 4.08 missing:1");
  answers(talk, "NON 2.31");
  assert_false(talk->last);
  answers(talk, "NON 4.08");
  ends_with(talk, COPAL_REQUEST_ENTITY_INCOMPLETE, 0, 0);
  end(talk);
}

static void a_confirmable_block_is_acknowledged_and_taken(void **state) {
  (void)state;
  struct talk *talk = begin_get(false);
  answers(talk, "2.05 q2:0/1/16 size:32 etag:A +16");
  asks(talk, "NON GET /a q2:1/0/16");
  answers(talk, "CON 2.05 q2:1/0/16 size:32 etag:A +16");
  ends_with(talk, COPAL_CONTENT, 32, 0);
  asks(talk, "ACK empty");
  end(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server_that_says_bad_option_gets_block1),
      cmocka_unit_test(a_server_that_says_reset_gets_block2),
      cmocka_unit_test(a_server_that_answers_with_block2_is_asked_with_block2),
      cmocka_unit_test(a_silent_server_is_a_timeout),
      cmocka_unit_test(what_the_application_calls_non_confirmable_begins_confirmable_too),
      cmocka_unit_test(where_it_is_not_for_it_is_not_offered),
      cmocka_unit_test(the_answer_may_come_with_any_token_of_the_body),
      cmocka_unit_test(a_token_that_was_not_sent_is_none_of_the_body_s),
      cmocka_unit_test(what_the_server_lacks_is_sent_again),
      cmocka_unit_test(a_set_waits_for_its_time_unless_the_server_continues),
      cmocka_unit_test(a_4_08_without_a_list_begins_the_body_anew_once),
      cmocka_unit_test(a_hint_at_smaller_blocks_is_followed),
      cmocka_unit_test(an_echo_is_returned_with_the_whole_body),
      cmocka_unit_test(a_body_that_cannot_be_read_ends_the_call),
      cmocka_unit_test(lists_that_are_no_lists_are_dropped),
      cmocka_unit_test(blocks_that_there_are_not_are_not_sent),
      cmocka_unit_test(a_server_that_never_has_enough_is_left),
      cmocka_unit_test(a_list_that_goes_back_is_dropped),
      cmocka_unit_test(a_reset_of_a_block_ends_the_call),
      cmocka_unit_test(what_is_missing_is_asked_for_after_a_while_and_then_less_often),
      cmocka_unit_test(nothing_is_asked_for_for_ever),
      cmocka_unit_test(a_block_that_comes_twice_is_ignored),
      cmocka_unit_test(blocks_that_make_no_whole_end_the_call),
      cmocka_unit_test(a_first_block_without_a_size_or_too_large_ends_the_call),
      cmocka_unit_test(another_etag_begins_the_body_anew_once),
      cmocka_unit_test(an_error_instead_of_a_block_is_the_result),
      cmocka_unit_test(late_answers_to_an_upload_do_not_begin_it_anew),
      cmocka_unit_test(a_confirmable_block_is_acknowledged_and_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
