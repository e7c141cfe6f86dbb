/* How calls begin and end: what is refused, groups, requests that nobody is to answer, tokens, timeouts, full tables,
 * and handlers that begin and cancel calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static const copal_call_options PLAIN = {.handler = NULL};

/* --- What is refused ---------------------------------------------------------------------------- */

static void what_is_no_request_is_refused(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_address nobody = {.family = COPAL_FAMILY_NONE}, group = bare_group();
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_CONTENT, "a", 0, &PLAIN), COPAL_ERR_TYPE);
  assert_int_equal(talk_try(talk, COPAL_ACK, COPAL_GET, "a", 0, &PLAIN), COPAL_ERR_TYPE);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.remote = &nobody}),
                   COPAL_ERR_ADDRESS);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.remote = &group}),
                   COPAL_ERR_MULTICAST_CON);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.block_size = 100}),
                   COPAL_ERR_OPTION_VALUE);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.block_size = 2048}),
                   COPAL_ERR_OPTION_VALUE);
  uint8_t buffer[8];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "too long");
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.message = &message}),
                   COPAL_ERR_SPACE);
  assert_int_equal(copal_call_begin(NULL, &PLAIN, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_call_cancel(NULL, (copal_call){0, 0}, false), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, (copal_call){0, 0}, false), COPAL_ERR_STALE);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, (copal_call){99, 1}, false), COPAL_ERR_STALE);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_raw_endpoint_makes_no_calls(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.raw = true;
  struct talk *talk = talk_open(&config);
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "a", 0, &PLAIN), COPAL_ERR_TYPE);
  talk_close(talk);
}

static void a_request_that_no_message_holds_is_refused(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 64;
  struct talk *talk = talk_open(&config);
  char path[64];
  memset(path, 'a', sizeof path);
  /* Header 4, token 8, option 2 and the path make 64. */
  path[50] = 0;
  talk_begin(talk, COPAL_CON, COPAL_GET, path, 0, &PLAIN);
  assert_int_equal(bare_out_one(talk->bare)->size, 64);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  path[50] = 'a';
  path[51] = 0;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, path, 0, &PLAIN), COPAL_ERR_MESSAGE_SIZE);
  /* A body needs room for its blocks. */
  path[30] = 0;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_PUT, path, 20, &PLAIN), COPAL_ERR_MESSAGE_SIZE);
  /* And a body that is kept needs a place. */
  path[10] = 0;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_PUT, path, 3000, &PLAIN), COPAL_ERR_MESSAGE_SIZE);
  leaves_nothing(talk);
  talk_close(talk);
}

static void full_tables_refuse_and_leave_nothing(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.calls_max = 1;
  struct talk *talk = talk_open(&config);
  talk_get(talk, "a");
  copal_call first = talk->call;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "b", 0, &PLAIN), COPAL_ERR_CALLS_FULL);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, first, false), COPAL_OK);
  leaves_nothing(talk);
  talk_close(talk);

  config.calls_max = 2;
  config.exchanges_max = 1;
  talk = talk_open(&config);
  talk_get(talk, "a");
  first = talk->call;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "b", 0, &PLAIN), COPAL_ERR_EXCHANGES_FULL);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 1);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, first, false), COPAL_OK);
  leaves_nothing(talk);
  talk_close(talk);
}

/* One exchange is enough for a call of many, since each makes room for the next. */
static void one_exchange_is_enough(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.exchanges_max = 1;
  config.peers_max = 1;
  struct talk *talk = talk_open(&config);
  talk_begin(talk, COPAL_CON, COPAL_POST, "a", 100, &(copal_call_options){.block_size = 64});
  asks(talk, "CON POST /a 1:0/1/64 size:100 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON POST /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.04 1:1/0/64 2:0/1/16 +16");
  asks(talk, "CON POST /a 2:1/0/16 tag");
  answers(talk, "2.04 2:1/0/16 +16");
  ends_with(talk, COPAL_CHANGED, 32, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- Failures ----------------------------------------------------------------------------------- */

static void every_failure_of_an_exchange_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  bare_in(talk->bare, "7000%04x", talk->mid);
  fails_with(talk, COPAL_ERR_RESET);

  talk->last = false;
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  copal_path path = bare_path(BARE_PORT);
  const struct bare_sent *sent = &talk->bare->sent[0];
  copal_endpoint_unreachable(talk->bare->endpoint, talk->bare->now, &path, sent->bytes, sent->size);
  fails_with(talk, COPAL_ERR_UNREACHABLE);

  talk->last = false;
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  char token[33];
  bare_in(talk->bare, "6845%04x%se0fcdc", talk->mid, bare_token(&talk->bare->sent[0], token)); /* option 65001 */
  fails_with(talk, COPAL_ERR_RESPONSE_REJECTED);
  leaves_nothing(talk);
  talk_close(talk);
}

static void without_an_answer_it_ends_with_its_last_exchange(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/16 +16");
  for (int step = 0; step < 40 && !talk->last; ++step) {
    bare_out(talk->bare);
    talk->bare->now += 3 * COPAL_SECOND;
  }
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_int_equal(talk->count, 1);
  assert_int_equal(talk->result.exchanges, 2);
  assert_int_equal(talk->result.transmissions, 5);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_timeout_bounds_the_whole(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_time begin = talk->bare->now;
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.timeout = 1500 * COPAL_MILLISECOND});
  asks(talk, "CON GET /a");
  talk->bare->now += COPAL_SECOND;
  answers(talk, "2.05 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  assert_true(copal_endpoint_deadline(talk->bare->endpoint) <= begin + 1500 * COPAL_MILLISECOND);
  talk->bare->now += 499 * COPAL_MILLISECOND;
  asks_nothing(talk);
  assert_int_equal(talk->count, 0);
  talk->bare->now += COPAL_MILLISECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_true(talk->result.began == begin);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_call_that_waits_its_turn_has_not_begun(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_call other;
  bare_request(talk->bare, BARE_PORT, COPAL_CON, COPAL_GET, COPAL_NEVER, &other);
  bare_out(talk->bare);
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.timeout = COPAL_SECOND});
  talk->bare->now += COPAL_SECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_true(talk->result.began == COPAL_NEVER);
  assert_int_equal(talk->result.transmissions, 0);
  talk_close(talk);
}

/* --- Groups ------------------------------------------------------------------------------------- */

static void answers_from(struct talk *talk, uint16_t port, const char *text) {
  uint8_t buffer[256];
  copal_message message;
  talk_compose(talk, text, &message, buffer, sizeof buffer);
  buffer[2] = (uint8_t)(talk->own_mid >> 8);
  buffer[3] = (uint8_t)talk->own_mid++;
  copal_path path = bare_path(port);
  bare_in_bytes(talk->bare, &path, buffer, message.size);
}

static void a_group_s_answers_are_told_one_by_one_until_its_time_is_over(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_address group = bare_group();
  talk_begin(talk, COPAL_NON, COPAL_GET, "a", 0,
             &(copal_call_options){.remote = &group, .timeout = 20 * COPAL_SECOND, .write = talk_write});
  asks(talk, "NON GET /a");
  answers_from(talk, 1001, "NON 2.05 +6");
  assert_int_equal(talk->count, 1);
  assert_int_equal(talk->body_size, 6);
  assert_false(talk->last || talk->result.observed);
  answers_from(talk, 1002, "NON 2.05 2:0/1/16 +16"); /* as it is: its blocks are nobody's who did not ask there */
  assert_int_equal(talk->count, 2);
  assert_int_equal(talk->body_size, 16);
  answers_from(talk, 1003, "NON 4.01 echo:one");
  answers_from(talk, 1004, "NON 4.13 1:0/0/16");
  assert_int_equal(talk->count, 4);
  asks_nothing(talk);
  talk->bare->now += 5 * COPAL_SECOND; /* longer than one server has for its answer */
  asks_nothing(talk);
  assert_false(talk->last);
  talk->bare->now += 15 * COPAL_SECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  assert_int_equal(talk->count, 5);
  assert_int_equal(talk->taken_from_start, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_group_takes_no_blocks(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_address group = bare_group();
  copal_call_options options = {.remote = &group};
  talk_begin(talk, COPAL_NON, COPAL_PUT, "a", 500, &options);
  asks(talk, "NON PUT /a +500");
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, true), COPAL_OK);
  assert_int_equal(talk_try(talk, COPAL_NON, COPAL_PUT, "a", 2000, &options), COPAL_ERR_MESSAGE_SIZE);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- No-Response -------------------------------------------------------------------------------- */

static copal_message *quiet_request(struct bare_message *to, copal_type type, uint8_t suppressed) {
  bare_write(to, type, COPAL_PUT, "a", NULL);
  copal_message_add(&to->message, COPAL_OPTION_NO_RESPONSE, &suppressed, 1);
  return &to->message;
}

/* RFC 7967 2.1: "an option value of 26 (binary: 00011010) will request to suppress all response codes". */
static void a_non_that_nobody_is_to_answer_ends_when_it_was_sent(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  copal_call_options options = {.message = quiet_request(&message, COPAL_NON, 26)};
  talk_begin(talk, COPAL_NON, COPAL_PUT, "a", 0, &options);
  asks(talk, "NON PUT /a 258");
  assert_int_equal(talk->count, 0);
  talk->bare->now += 3 * COPAL_SECOND; /* its interval, in which an answer may yet come */
  asks_nothing(talk);
  assert_int_equal(talk->count, 1);
  assert_true(talk->last && talk->result.rx == NULL);
  assert_int_equal(talk->result.error, COPAL_OK);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_con_that_nobody_is_to_answer_ends_with_its_ack(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  copal_call_options options = {.message = quiet_request(&message, COPAL_CON, 26)};
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
  asks(talk, "CON PUT /a 258");
  bare_in(talk->bare, "6000%04x", talk->mid);
  assert_true(talk->last && talk->result.rx == NULL && talk->result.error == COPAL_OK);
  leaves_nothing(talk);
  talk_close(talk);
}

static void blocks_are_waited_for_all_the_same(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  talk->source_size = 20;
  copal_call_options options = {
      .message = quiet_request(&message, COPAL_CON, 26), .read = talk_read, .size = 20, .block_size = 16};
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
  asks(talk, "CON PUT /a 1:0/1/16 size:20 258 tag +16");
  bare_in(talk->bare, "6000%04x", talk->mid);
  assert_int_equal(talk->count, 0);
  answers(talk, "CON 2.31 1:0/1/16");
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).exchanges, 1);
  talk_close(talk);
}

static void who_answers_all_the_same_is_heard(void **state) {
  (void)state;
  static const char *const answer[] = {"4.04 +3", "NON 4.04 +3"};
  for (size_t i = 0; i < sizeof answer / sizeof *answer; ++i) {
    struct talk *talk = talk_open_roomy();
    struct bare_message message;
    copal_call_options options = {.message = quiet_request(&message, i == 0 ? COPAL_CON : COPAL_NON, 26)};
    talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
    asks(talk, i == 0 ? "CON PUT /a 258" : "NON PUT /a 258");
    answers(talk, answer[i]);
    ends_with(talk, COPAL_NOT_FOUND, 3, 0);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

static void an_unacknowledged_con_is_a_failure_whoever_is_to_answer(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  copal_call_options options = {.message = quiet_request(&message, COPAL_CON, 26), .timeout = COPAL_SECOND};
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
  asks(talk, "CON PUT /a 258");
  talk->bare->now += COPAL_SECOND;
  asks_nothing(talk);
  fails_with(talk, COPAL_ERR_TIMEOUT);
  talk_close(talk);
}

static void a_class_that_is_not_suppressed_is_waited_for(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  copal_call_options options = {.message = quiet_request(&message, COPAL_CON, 2 | 8)};
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
  asks(talk, "CON PUT /a 258");
  bare_in(talk->bare, "6000%04x", talk->mid);
  assert_int_equal(talk->count, 0);
  answers(talk, "NON 5.00");
  ends_with(talk, COPAL_INTERNAL_SERVER_ERROR, 0, 0);
  talk_close(talk);
}

static void a_group_that_is_not_to_answer_ends_well(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  copal_address group = bare_group();
  copal_call_options options = {
      .message = quiet_request(&message, COPAL_NON, 26), .remote = &group, .timeout = 5 * COPAL_SECOND};
  talk_begin(talk, COPAL_NON, COPAL_PUT, "a", 0, &options);
  asks(talk, "NON PUT /a 258");
  talk->bare->now += 5 * COPAL_SECOND;
  asks_nothing(talk);
  assert_true(talk->last && talk->result.rx == NULL && talk->result.error == COPAL_OK);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- Tokens ------------------------------------------------------------------------------------- */

/* CoAP plugtest TD_COAP_CORE_12. */
static void a_call_without_a_token_has_none_in_any_exchange(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_call_options options = {.no_token = true};
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks(talk, "CON GET /a");
  assert_int_equal(talk->token_size, 0);
  copal_call first = talk->call;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_GET, "b", 0, &options), COPAL_ERR_TOKEN_IN_USE);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 1);
  answers(talk, "2.05 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  assert_int_equal(talk->token_size, 0);
  answers(talk, "2.05 2:1/0/16 +3");
  ends_with(talk, COPAL_CONTENT, 19, 0);
  assert_int_equal(talk->call.index, first.index);
  talk->last = false;
  talk_begin(talk, COPAL_CON, COPAL_GET, "b", 0, &options); /* it is free again */
  talk_close(talk);
}

static void a_request_s_own_token_is_for_its_first_exchange(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL);
  copal_message_set_token(&message.message, "mine", 4);
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.message = &message.message, .no_token = true});
  asks(talk, "CON GET /a");
  assert_int_equal(talk->token_size, 4);
  answers(talk, "2.05 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  assert_int_equal(talk->token_size, 8);
  talk_close(talk);
}

/* A server that tells by the token what a block belongs to executes no POST twice: node-coap, whose later blocks
 * are 2.05 and lack their Content-Format. */
static void what_may_not_be_executed_twice_keeps_its_token(void **state) {
  (void)state;
  static const copal_call_options plain = {.handler = NULL};
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "a", 3, &plain);
  asks(talk, "CON POST /a +3");
  struct talk_token first = token_of(talk);
  answers(talk, "2.04 2:0/1/16 cf:0 +16");
  asks(talk, "CON POST /a 2:1/0/16");
  assert_int_equal(talk->token_size, first.size);
  assert_memory_equal(talk->token, first.bytes, first.size);
  answers(talk, "2.05 2:1/0/16 +3");
  ends_with(talk, COPAL_CONTENT, 19, 0);

  talk->last = false;
  talk_begin(talk, COPAL_NON, COPAL_POST, "a", 3, &plain); /* a late answer might be taken for another */
  asks(talk, "NON POST /a +3");
  first = token_of(talk);
  answers(talk, "NON 2.04 2:0/1/16 +16");
  asks(talk, "NON POST /a 2:1/0/16");
  assert_memory_not_equal(talk->token, first.bytes, first.size);
  talk_close(talk);
}

/* --- Block options of the request's own ----------------------------------------------------------- */

static void a_request_with_block_options_of_its_own_is_one_exchange(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL);
  copal_message_add_uint(&message.message, COPAL_OPTION_BLOCK2, copal_block_value((copal_block){3, false, 0}));
  copal_call_options options = {.message = &message.message, .block_size = 64};
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &options);
  asks(talk, "CON GET /a 2:3/0/16");
  answers(talk, "2.05 2:3/1/16 +16");
  assert_true(talk->last && talk->result.error == COPAL_OK);
  assert_int_equal(talk->body_size, 16);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- Handlers ----------------------------------------------------------------------------------- */

static void a_cancelled_call_is_never_told(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_OK);
  assert_int_equal(copal_call_cancel(talk->bare->endpoint, talk->call, false), COPAL_ERR_STALE);
  answers(talk, "2.05 +4");
  assert_int_equal(talk->count, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

struct chain {
  int left;
  unsigned told;
  bool cancels; /* itself, which is over */
};

static void begin_link(copal_endpoint *endpoint, struct chain *chain);

static void link_told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct chain *chain = context;
  ++chain->told;
  assert_true(result->last);
  assert_true(copal_tx_none(result->rx->request) && copal_tx_none(result->rx->pertains_to));
  assert_int_equal(copal_call_cancel(endpoint, call, false), COPAL_ERR_STALE);
  if (chain->left-- > 0) begin_link(endpoint, chain);
}

static void begin_link(copal_endpoint *endpoint, struct chain *chain) {
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_call_options options = {.message = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL),
                                .remote = &remote,
                                .handler = link_told,
                                .context = chain};
  assert_int_equal(copal_call_begin(endpoint, &options, NULL), COPAL_OK);
}

/* There is room for one call and one exchange: what is over has left before its owner is told. */
static void a_handler_may_begin_the_next_call(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.calls_max = config.exchanges_max = 1;
  struct talk *talk = talk_open(&config);
  struct chain chain = {.left = 3};
  begin_link(talk->bare->endpoint, &chain);
  for (int i = 0; i < 4; ++i) {
    asks(talk, "CON GET /a 2:0/0/128");
    answers(talk, "2.05 +1");
  }
  assert_int_equal(chain.told, 4);
  leaves_nothing(talk);
  talk_close(talk);
}

static void cancelling_told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  ++*(unsigned *)context;
  assert_false(result->last);
  assert_int_equal(copal_call_cancel(endpoint, call, true), COPAL_OK);
}

static void a_handler_may_cancel_what_goes_on(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  struct bare_message message;
  unsigned told = 0;
  copal_address remote = bare_address(BARE_PORT), group = bare_group();
  copal_call_options options = {.message = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL),
                                .remote = &remote,
                                .handler = cancelling_told,
                                .context = &told,
                                .observe = true};
  assert_int_equal(copal_call_begin(talk->bare->endpoint, &options, NULL), COPAL_OK);
  asks(talk, "CON GET observe:0 /a");
  answers(talk, "2.05 observe:1 +1");
  assert_int_equal(told, 1);
  asks(talk, "CON GET observe:1 /a");
  answers(talk, "2.05 +1");
  options.message = bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL);
  options.remote = &group;
  options.observe = false;
  assert_int_equal(copal_call_begin(talk->bare->endpoint, &options, NULL), COPAL_OK);
  asks(talk, "NON GET /a");
  answers_from(talk, 1001, "NON 2.05 +1");
  answers_from(talk, 1002, "NON 2.05 +1");
  assert_int_equal(told, 2);
  leaves_nothing(talk);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_no_request_is_refused),
      cmocka_unit_test(a_raw_endpoint_makes_no_calls),
      cmocka_unit_test(a_request_that_no_message_holds_is_refused),
      cmocka_unit_test(full_tables_refuse_and_leave_nothing),
      cmocka_unit_test(one_exchange_is_enough),
      cmocka_unit_test(every_failure_of_an_exchange_ends_the_call),
      cmocka_unit_test(without_an_answer_it_ends_with_its_last_exchange),
      cmocka_unit_test(a_timeout_bounds_the_whole),
      cmocka_unit_test(a_call_that_waits_its_turn_has_not_begun),
      cmocka_unit_test(a_group_s_answers_are_told_one_by_one_until_its_time_is_over),
      cmocka_unit_test(a_group_takes_no_blocks),
      cmocka_unit_test(a_non_that_nobody_is_to_answer_ends_when_it_was_sent),
      cmocka_unit_test(a_con_that_nobody_is_to_answer_ends_with_its_ack),
      cmocka_unit_test(blocks_are_waited_for_all_the_same),
      cmocka_unit_test(who_answers_all_the_same_is_heard),
      cmocka_unit_test(an_unacknowledged_con_is_a_failure_whoever_is_to_answer),
      cmocka_unit_test(a_class_that_is_not_suppressed_is_waited_for),
      cmocka_unit_test(a_group_that_is_not_to_answer_ends_well),
      cmocka_unit_test(a_call_without_a_token_has_none_in_any_exchange),
      cmocka_unit_test(a_request_s_own_token_is_for_its_first_exchange),
      cmocka_unit_test(what_may_not_be_executed_twice_keeps_its_token),
      cmocka_unit_test(a_request_with_block_options_of_its_own_is_one_exchange),
      cmocka_unit_test(a_cancelled_call_is_never_told),
      cmocka_unit_test(a_handler_may_begin_the_next_call),
      cmocka_unit_test(a_handler_may_cancel_what_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
