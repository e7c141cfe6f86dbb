/* Calls, and what their servers answer that is odd but may come; calls that have no room; and observations that end for
 * other reasons than their server's will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"
#include "support/spent.h"

static const copal_call_options PLAIN = {.handler = NULL};

/* An answer with an option whose value is none that it may have. */
static void answers_with(struct talk *talk, const char *text, uint16_t number, const void *value, size_t size) {
  uint8_t buffer[512];
  copal_message message;
  talk_compose(talk, text, &message, buffer, sizeof buffer);
  copal_message_add_raw(&message, number, value, size);
  assert_int_equal(message.error, COPAL_OK);
  uint16_t mid = (buffer[0] >> 4 & 3) == COPAL_ACK ? talk->mid : talk->own_mid++;
  buffer[2] = (uint8_t)(mid >> 8);
  buffer[3] = (uint8_t)mid;
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(talk->bare, &path, buffer, message.size);
}

static struct talk *open_tight(void) {
  copal_config config = copal_config_small();
  config.message_size_max = 64;
  return talk_open(&config);
}

/* --- Options of no legal length --------------------------------------------------------------------------- */

/* RFC 9175 2.2.1: Echo has 1 to 40 bytes. RFC 7252 5.4.3 has an elective option of another length ignored. */
static void an_echo_value_of_no_legal_size_is_not_echoed(void **state) {
  (void)state;
  static const uint8_t value[41] = {1};
  static const size_t sizes[] = {0, 41, 1, 40};
  for (int i = 0; i < 4; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_get(talk, "a");
    asks(talk, "CON GET /a");
    answers_with(talk, "4.01", COPAL_OPTION_ECHO, value, sizes[i]);
    if (i < 2) {
      ends_with(talk, COPAL_UNAUTHORIZED, 0, 0);
    } else {
      assert_false(talk->last);
      const copal_view *view = &bare_out_one(talk->bare)->view;
      copal_option option;
      assert_true(copal_find(view, COPAL_OPTION_ECHO, &option));
      assert_int_equal(option.size, sizes[i]);
    }
    talk_close(talk);
  }
}

/* RFC 7252 5.10.6: an ETag has 1 to 8 bytes: one of 9 tells no representations apart. */
static void an_etag_that_is_too_long_is_none(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers_with(talk, "2.05 2:0/1/16 +16", COPAL_OPTION_ETAG, "123456789", 9);
  asks(talk, "CON GET /a 2:1/0/16");
  answers_with(talk, "2.05 2:1/1/16 +16", COPAL_OPTION_ETAG, "123456780", 9);
  asks(talk, "CON GET /a 2:2/0/16");
  answers(talk, "2.05 2:2/0/16 +1");
  ends_with(talk, COPAL_CONTENT, 33, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- Blocks --------------------------------------------------------------------------------------------------- */

/* A server that would rather have smaller blocks may count in that size already: RFC 7959 2.3. */
static void blocks_are_acknowledged_in_the_servers_size_or_without_one(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk->source_size = 100;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0,
             &(copal_call_options){.read = talk_read, .size = 100, .block_size = 32});
  asks(talk, "CON PUT /a 1:0/1/32 size:100 tag +32");
  answers(talk, "2.31");
  asks(talk, "CON PUT /a 1:1/1/32 tag +32");
  answers(talk, "2.31 1:2/1/16"); /* its third of 16 bytes begins there, too */
  asks(talk, "CON PUT /a 1:4/1/16 tag +16");
  answers(talk, "2.31 1:4/1/16");
  asks(talk, "CON PUT /a 1:5/1/16 tag +16");
  answers(talk, "2.31 1:6/1/16"); /* neither its number nor its place */
  fails_with(talk, COPAL_ERR_BODY_BLOCKS);
  leaves_nothing(talk);
  talk_close(talk);
}

static void blocks_of_an_error_are_followed_by_no_others(void **state) {
  (void)state;
  static const char *const texts[] = {"2.05 2:1/0/16 +3", "5.00"};
  for (int i = 0; i < 2; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_get(talk, "a");
    asks(talk, "CON GET /a");
    answers(talk, "4.04 2:0/1/16 +16");
    asks(talk, "CON GET /a 2:1/0/16");
    answers(talk, texts[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

/* RFC 8974 has longer tokens: such a one is kept with the request, and does for all that needs the same. */
static void a_long_token_of_the_applications_is_that_of_all_blocks(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_PUT);
  copal_message_set_token(&message, "123456789012", 12);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  talk->source_size = 40;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "", 0,
             &(copal_call_options){.message = &message, .read = talk_read, .size = 40, .block_size = 16});
  static const char *const texts[] = {"2.31 1:0/1/16", "2.31 1:1/1/16", "2.04 1:2/0/16"};
  for (int i = 0; i < 3; ++i) {
    const struct bare_sent *sent = bare_out_one(talk->bare);
    assert_int_equal(sent->view.token.size, 12);
    assert_memory_equal(sent->view.token.data, "123456789012", 12);
    talk->mid = sent->view.message_id;
    talk->token_size = 12;
    memcpy(talk->token, "123456789012", 12);
    answers(talk, texts[i]);
  }
  ends_with(talk, COPAL_CHANGED, 0, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- No room ---------------------------------------------------------------------------------------------------- */

/* What keeps a request holds a power of two: more than a message may have. */
static void a_request_that_is_kept_but_fits_no_message_is_refused(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 200;
  struct talk *talk = talk_open(&config);
  char path[230];
  for (size_t size = 150; size < sizeof path - 1; size += 20) {
    memset(path, 'p', size);
    path[size] = 0;
    copal_error expected = 4 + 8 + 3 + size > 200 ? COPAL_ERR_MESSAGE_SIZE : COPAL_OK;
    assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, path, 0, &PLAIN), expected);
    if (expected == COPAL_OK)
      assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
    else
      assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, path, 10, &PLAIN), COPAL_ERR_MESSAGE_SIZE);
    leaves_nothing(talk);
  }
  talk_close(talk);
}

static void without_memory_for_its_request_a_call_is_refused(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct spent spent;
  spend_store(&spent, &talk->bare->endpoint->engine.exchanges.store);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &PLAIN), COPAL_ERR_MESSAGES_FULL);
  give_back(&spent, 1); /* for its request, but not for what is sent */
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &PLAIN), COPAL_ERR_MESSAGES_FULL);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 0);
  give_back(&spent, 1);
  talk_get(talk, "a");
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  give_all_back(&spent);
  leaves_nothing(talk);
  talk_close(talk);
}

/* That blocks are to be small is said where there is room; where the application has said so it must be. */
static void a_block_size_that_cannot_be_told_is_refused(void **state) {
  (void)state;
  struct talk *talk = open_tight();
  char path[51] = {0};
  memset(path, 'p', 50); /* 4 + 8 + 2 + 50 bytes */
  talk_get(talk, path);
  bare_out_one(talk->bare);
  copal_option option;
  assert_false(copal_find(&talk->bare->sent[0].view, COPAL_OPTION_BLOCK2, &option));
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, path, 0, &(copal_call_options){.block_size = 16}),
                   COPAL_ERR_MESSAGE_SIZE);
  bare_out(talk->bare);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- Time --------------------------------------------------------------------------------------------------------- */

static void a_timeout_beyond_all_time_is_none(void **state) {
  (void)state;
  static const copal_time timeouts[] = {COPAL_NEVER, COPAL_NEVER - COPAL_SECOND, 0};
  for (int i = 0; i < 3; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.timeout = timeouts[i]});
    asks(talk, "CON GET /a");
    answers(talk, "0.00");
    talk->bare->now += 246 * COPAL_SECOND;
    asks_nothing(talk);
    assert_false(talk->last);
    talk->bare->now += 2 * COPAL_SECOND;
    asks_nothing(talk);
    fails_with(talk, COPAL_ERR_TIMEOUT);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

static void unreachable(struct talk *talk, const copal_address *remote) {
  const struct bare_sent *sent = &talk->bare->sent[0];
  copal_path path = {.remote = *remote};
  copal_endpoint_unreachable(talk->bare->endpoint, talk->bare->now, &path, sent->bytes, sent->size);
}

/* RFC 7967: silence is what was asked for; that nobody was reached is not. */
static void a_silent_group_that_cannot_be_reached_is_an_error(void **state) {
  (void)state;
  for (int reached = 0; reached < 2; ++reached) {
    struct talk *talk = talk_open_roomy();
    copal_address group = bare_group();
    uint8_t buffer[64];
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_PUT);
    copal_message_add_uint(&message, COPAL_OPTION_NO_RESPONSE, 26);
    talk_begin(talk, COPAL_NON, COPAL_PUT, "", 0, &(copal_call_options){.message = &message, .remote = &group});
    bare_out_one(talk->bare);
    if (reached == 0) {
      unreachable(talk, &group);
      fails_with(talk, COPAL_ERR_UNREACHABLE);
    }
    for (int i = 0; i < 200; ++i, talk->bare->now += COPAL_SECOND) asks_nothing(talk);
    assert_int_equal(talk->count, 1);
    assert_true(talk->last);
    assert_int_equal(talk->result.error, reached == 0 ? COPAL_ERR_UNREACHABLE : COPAL_OK);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

/* --- Observations ---------------------------------------------------------------------------------------------------
 */

static void observe(struct talk *talk, copal_code method, const char *path, uint64_t size) {
  talk->source_size = size;
  copal_call_options options = {.observe = true, .read = size > 0 ? talk_read : NULL, .size = size};
  talk_begin(talk, COPAL_CON, method, path, 0, &options);
}

/* RFC 7959 2.9.1: 2.31 is never the answer to a whole request, and so begins no observation. */
static void a_continue_begins_no_observation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  observe(talk, COPAL_FETCH, "a", 10);
  asks(talk, "CON FETCH observe:0 /a +10");
  answers(talk, "2.31 observe:5");
  fails_with(talk, COPAL_ERR_BODY_BLOCKS);
  leaves_nothing(talk);
  talk_close(talk);
}

/* RFC 7252 5.4.1: unknown critical options "MUST cause the response to be rejected". The server then takes the entry
 * off its list. */
static void a_notification_that_is_rejected_ends_the_observation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  observe(talk, COPAL_GET, "a", 0);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:5 +3");
  assert_false(talk->last);
  answers_with(talk, "CON 2.05 observe:6 +3", 237, NULL, 0);
  fails_with(talk, COPAL_ERR_RESPONSE_REJECTED);
  assert_int_equal(talk->count, 2);
  assert_int_equal(bare_out_one(talk->bare)->view.type, COPAL_RST);
  leaves_nothing(talk);
  talk_close(talk);
}

/* An error that comes late is about a datagram that has been answered. */
static void an_observation_outlives_a_late_error_about_its_request(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  observe(talk, COPAL_GET, "a", 0);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:5 +3");
  copal_address remote = bare_address(BARE_PORT);
  unreachable(talk, &remote);
  assert_false(talk->last);
  answers(talk, "NON 2.05 observe:6 +4");
  assert_told(talk, 2, 4, 0);
  talk_close(talk);
}

static void a_renewal_that_cannot_be_sent_ends_the_observation(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  observe(talk, COPAL_FETCH, "a", 10);
  asks(talk, "CON FETCH observe:0 /a +10");
  answers(talk, "2.05 observe:5 max-age:10 +3");
  talk->read_fails_at = 1;
  talk->bare->now += 30 * COPAL_SECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_BODY_READ);
  leaves_nothing(talk);
  talk_close(talk);
}

/* RFC 7641 3.6: else it is forgotten, and the next notification is answered with a Reset. */
static void assert_is_forgotten(struct talk *talk, const struct talk_token *token) {
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 0);
  with_token(talk, token);
  unsigned count = talk->count;
  answers(talk, "NON 2.05 observe:6 +3");
  const struct bare_sent *sent = bare_out_one(talk->bare);
  assert_int_equal(sent->view.type, COPAL_RST);
  assert_int_equal(talk->count, count);
}

/* The option's value is a byte more than that of the registration. */
static void a_deregistration_that_does_not_fit_is_a_reset_later(void **state) {
  (void)state;
  struct talk *talk = open_tight();
  char path[50] = {0};
  memset(path, 'p', 49); /* 4 + 8 + 1 + 2 + 49 bytes */
  observe(talk, COPAL_GET, path, 0);
  const struct bare_sent *sent = bare_out_one(talk->bare);
  assert_int_equal(sent->size, 64);
  talk->mid = sent->view.message_id;
  talk->token_size = sent->view.token.size;
  memcpy(talk->token, sent->view.token.data, talk->token_size);
  struct talk_token token = token_of(talk);
  answers(talk, "2.05 observe:5 +3");
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, true), COPAL_OK);
  asks_nothing(talk);
  assert_is_forgotten(talk, &token);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_deregistration_without_a_message_id_is_a_reset_later(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  observe(talk, COPAL_GET, "a", 0);
  asks(talk, "CON GET observe:0 /a");
  struct talk_token token = token_of(talk);
  answers(talk, "2.05 observe:5 +3");
  spend_message_ids(talk->bare->endpoint, 0);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, true), COPAL_OK);
  asks_nothing(talk);
  assert_is_forgotten(talk, &token);
  leaves_nothing(talk);
  talk_close(talk);
}

/* A body in blocks is not sent once more for that: the token says which observation it is. */
static void a_deregistration_leaves_out_a_body_in_blocks(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  observe(talk, COPAL_FETCH, "a", 1100);
  asks(talk, "CON FETCH observe:0 /a 1:0/1/1024 size:1100 tag +1024");
  struct talk_token token = token_of(talk);
  answers(talk, "2.31 1:0/1/1024");
  asks(talk, "CON FETCH observe:0 /a 1:1/0/1024 tag +76");
  answers(talk, "2.05 observe:5 1:1/0/1024 +3");
  assert_false(talk->last);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, true), COPAL_OK);
  asks(talk, "CON FETCH observe:1 /a");
  assert_int_equal(talk->token_size, token.size);
  assert_memory_equal(talk->token, token.bytes, token.size);
  answers(talk, "2.05 +3");
  leaves_nothing(talk);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_echo_value_of_no_legal_size_is_not_echoed),
      cmocka_unit_test(an_etag_that_is_too_long_is_none),
      cmocka_unit_test(blocks_are_acknowledged_in_the_servers_size_or_without_one),
      cmocka_unit_test(blocks_of_an_error_are_followed_by_no_others),
      cmocka_unit_test(a_long_token_of_the_applications_is_that_of_all_blocks),
      cmocka_unit_test(a_request_that_is_kept_but_fits_no_message_is_refused),
      cmocka_unit_test(without_memory_for_its_request_a_call_is_refused),
      cmocka_unit_test(a_block_size_that_cannot_be_told_is_refused),
      cmocka_unit_test(a_timeout_beyond_all_time_is_none),
      cmocka_unit_test(a_silent_group_that_cannot_be_reached_is_an_error),
      cmocka_unit_test(a_continue_begins_no_observation),
      cmocka_unit_test(a_notification_that_is_rejected_ends_the_observation),
      cmocka_unit_test(an_observation_outlives_a_late_error_about_its_request),
      cmocka_unit_test(a_renewal_that_cannot_be_sent_ends_the_observation),
      cmocka_unit_test(a_deregistration_that_does_not_fit_is_a_reset_later),
      cmocka_unit_test(a_deregistration_without_a_message_id_is_a_reset_later),
      cmocka_unit_test(a_deregistration_leaves_out_a_body_in_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
