/* The examples of RFC 7959, Figures 2 to 13, from the client's side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static const copal_call_options PLAIN = {.handler = NULL}, OBSERVE = {.observe = true};

/* --- Block2 and Block1 ---------------------------------------------------------------------------- */

static void figure_2_simple_block_wise_get(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "status");
  asks(talk, "CON GET /status");
  answers(talk, "2.05 2:0/1/128 +128");
  asks(talk, "CON GET /status 2:1/0/128");
  answers(talk, "2.05 2:1/1/128 +128");
  asks(talk, "CON GET /status 2:2/0/128");
  assert_int_equal(talk->count, 0);
  answers(talk, "2.05 2:2/0/128 +100");
  ends_with(talk, COPAL_CONTENT, 356, 0);
  assert_int_equal(talk->result.exchanges, 3);
  assert_int_equal(talk->result.transmissions, 1);
  assert_true(talk->result.began == talk->bare->now);
  leaves_nothing(talk);
  talk_close(talk);
}

static void figure_3_early_negotiation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "status", 0, &(copal_call_options){.block_size = 64});
  asks(talk, "CON GET /status 2:0/0/64");
  answers(talk, "2.05 2:0/1/64 +64");
  asks(talk, "CON GET /status 2:1/0/64");
  answers(talk, "2.05 2:1/1/64 +64");
  asks(talk, "CON GET /status 2:2/0/64");
  answers(talk, "2.05 2:2/0/64 +1");
  ends_with(talk, COPAL_CONTENT, 129, 0);
  talk_close(talk);
}

/* Figure 4: who gets larger blocks than it wants goes on with its own, counted anew. */
static void figure_4_late_negotiation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "status", 0, &(copal_call_options){.block_size = 64});
  asks(talk, "CON GET /status 2:0/0/64");
  answers(talk, "2.05 2:0/1/128 +128");
  asks(talk, "CON GET /status 2:2/0/64");
  answers(talk, "2.05 2:2/1/64 +64");
  asks(talk, "CON GET /status 2:3/0/64");
  answers(talk, "2.05 2:3/1/64 +64");
  asks(talk, "CON GET /status 2:4/0/64");
  answers(talk, "2.05 2:4/1/64 +64");
  asks(talk, "CON GET /status 2:5/0/64");
  answers(talk, "2.05 2:5/0/64 +64");
  ends_with(talk, COPAL_CONTENT, 384, 0);
  talk_close(talk);
}

static void figures_5_and_6_losses_are_the_message_layer_s(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "status");
  asks(talk, "CON GET /status");
  answers(talk, "2.05 2:0/1/128 +128");
  asks(talk, "CON GET /status 2:1/0/128");
  uint16_t mid = talk->mid;
  talk->bare->now += 3 * COPAL_SECOND;
  asks(talk, "CON GET /status 2:1/0/128");
  assert_int_equal(talk->mid, mid);
  answers(talk, "2.05 2:1/0/128 +5");
  ends_with(talk, COPAL_CONTENT, 133, 0);
  assert_int_equal(talk->result.transmissions, 2);
  assert_int_equal(talk->result.exchanges, 2);
  answers(talk, "2.05 2:1/0/128 +5"); /* a late copy */
  leaves_nothing(talk);
  talk_close(talk);
}

static void figure_7_atomic_put(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "options", 300, &(copal_call_options){.block_size = 128});
  asks(talk, "CON PUT /options 1:0/1/128 size:300 tag +128");
  answers(talk, "2.31 1:0/1/128");
  asks(talk, "CON PUT /options 1:1/1/128 tag +128");
  answers(talk, "2.31 1:1/1/128");
  asks(talk, "CON PUT /options 2:0/0/128 1:2/0/128 tag +44");
  answers(talk, "2.04 1:2/0/128");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  assert_int_equal(talk->result.exchanges, 3);
  leaves_nothing(talk);
  talk_close(talk);
}

static void figure_8_stateless_put(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk->source_size = 2500;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "options", 0, &(copal_call_options){.read = talk_read, .size = 2500});
  asks(talk, "CON PUT /options 1:0/1/1024 size:2500 tag +1024");
  answers(talk, "2.04 1:0/0/1024");
  asks(talk, "CON PUT /options 1:1/1/1024 tag +1024");
  answers(talk, "2.04 1:1/0/1024");
  asks(talk, "CON PUT /options 1:2/0/1024 tag +452");
  assert_int_equal(talk->count, 0);
  answers(talk, "2.04 1:2/0/1024");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk_close(talk);
}

static void figure_9_the_server_s_smaller_size_is_followed(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk->source_size = 220;
  copal_call_options options = {.read = talk_read, .size = COPAL_SIZE_UNKNOWN, .block_size = 128};
  talk_begin(talk, COPAL_CON, COPAL_PUT, "options", 0, &options);
  asks(talk, "CON PUT /options 1:0/1/128 tag +128");
  answers(talk, "2.31 1:0/1/32");
  asks(talk, "CON PUT /options 1:4/1/32 tag +32");
  answers(talk, "2.31 1:4/1/32");
  asks(talk, "CON PUT /options 1:5/1/32 tag +32");
  answers(talk, "2.31 1:5/1/32");
  asks(talk, "CON PUT /options 2:0/0/128 1:6/0/32 tag +28");
  answers(talk, "2.04 1:6/0/32");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk_close(talk);
}

static void figure_10_both_ways(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "soap", 1100, &PLAIN);
  asks(talk, "CON POST /soap 1:0/1/1024 size:1100 tag +1024");
  answers(talk, "2.31 1:0/1/128");
  asks(talk, "CON POST /soap 1:8/0/128 tag +76");
  answers(talk, "2.04 2:0/1/128 1:8/0/128 +128");
  asks(talk, "CON POST /soap 2:1/0/128 tag"); /* "no payload for requests with Block2 with NUM != 0" */
  answers(talk, "2.04 2:1/1/128 +128");
  asks(talk, "CON POST /soap 2:2/0/128 tag");
  answers(talk, "2.04 2:2/0/128 +9");
  ends_with(talk, COPAL_CHANGED, 265, 0);
  talk_close(talk);
}

static void figure_11_both_ways_with_early_negotiation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "soap", 150, &(copal_call_options){.block_size = 64});
  asks(talk, "CON POST /soap 1:0/1/64 size:150 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON POST /soap 1:1/1/64 tag +64");
  answers(talk, "2.31 1:1/1/64");
  asks(talk, "CON POST /soap 2:0/0/64 1:2/0/64 tag +22");
  answers(talk, "2.04 1:2/0/64 2:0/1/64 +64");
  asks(talk, "CON POST /soap 2:1/0/64 tag");
  answers(talk, "2.04 2:1/0/64 +64");
  ends_with(talk, COPAL_CHANGED, 128, 0);
  talk_close(talk);
}

/* --- Observe and Block2 --------------------------------------------------------------------------- */

static void figure_12_the_rest_of_a_notification_is_fetched(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "status-icon", 0, &OBSERVE);
  asks(talk, "CON GET observe:0 /status-icon");
  struct talk_token token = token_of(talk);
  answers(talk, "2.05 2:0/1/128 observe:62350 etag:8e +128");
  asks(talk, "CON GET /status-icon 2:1/0/128");
  answers(talk, "2.05 2:1/0/128 etag:8e +53");
  assert_told(talk, 1, 181, 0);
  assert_true(talk->result.observed);

  with_token(talk, &token);
  answers(talk, "CON 2.05 2:0/1/128 observe:62354 etag:92 v:1 +128");
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 2);
  assert_int_equal(talk->bare->sent[0].view.type, COPAL_ACK);
  const copal_view *view = &talk->bare->sent[1].view;
  char text[128];
  talk_text(talk, view, text, sizeof text);
  assert_string_equal(text, "CON GET /status-icon 2:1/0/128");
  assert_int_not_equal(memcmp(view->token.data, token.bytes, token.size), 0);
  talk->mid = view->message_id;
  memcpy(talk->token, view->token.data, view->token.size);
  answers(talk, "2.05 2:1/1/128 etag:92 v:1 +128");
  assert_int_equal(talk->count, 1);
  asks(talk, "CON GET /status-icon 2:2/0/128");
  answers(talk, "2.05 2:2/0/128 etag:92 v:1 +53");
  assert_told(talk, 2, 309, 1);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  leaves_nothing(talk);
  talk_close(talk);
}

static void figure_13_with_early_negotiation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "icon", 0, &(copal_call_options){.observe = true, .block_size = 64});
  asks(talk, "CON GET observe:0 /icon 2:0/0/64");
  struct talk_token token = token_of(talk);
  answers(talk, "2.05 2:0/1/64 observe:62350 etag:8e +64");
  asks(talk, "CON GET /icon 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:8e +53");
  assert_told(talk, 1, 117, 0);
  with_token(talk, &token);
  answers(talk, "NON 2.05 2:0/1/64 observe:62354 etag:92 v:1 +64");
  asks(talk, "CON GET /icon 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:92 v:1 +5");
  assert_told(talk, 2, 69, 1);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figure_2_simple_block_wise_get),
      cmocka_unit_test(figure_3_early_negotiation),
      cmocka_unit_test(figure_4_late_negotiation),
      cmocka_unit_test(figures_5_and_6_losses_are_the_message_layer_s),
      cmocka_unit_test(figure_7_atomic_put),
      cmocka_unit_test(figure_8_stateless_put),
      cmocka_unit_test(figure_9_the_server_s_smaller_size_is_followed),
      cmocka_unit_test(figure_10_both_ways),
      cmocka_unit_test(figure_11_both_ways_with_early_negotiation),
      cmocka_unit_test(figure_12_the_rest_of_a_notification_is_fetched),
      cmocka_unit_test(figure_13_with_early_negotiation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
