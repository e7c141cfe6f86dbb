/* What engine_send takes, and what it refuses: types, sizes, tokens, message IDs. What becomes of it afterwards is in
 * transmit_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine.h"

static const copal_time START = 1000 * COPAL_SECOND;

static struct engine_fixture *open_engine(uint32_t exchanges_max, uint8_t nstart) {
  copal_config config = copal_config_small();
  config.exchanges_max = exchanges_max;
  config.messages_size = 64 * 256;
  config.parameters.nstart = nstart;
  return engine_fixture_open(&config);
}

static uint32_t send_get(struct engine_fixture *fixture, copal_type type, uint8_t flags) {
  uint32_t index;
  assert_int_equal(engine_fixture_send(fixture, 0, type, COPAL_GET, flags, COPAL_NEVER, &index), COPAL_OK);
  return index;
}

/* --- What is refused ---------------------------------------------------------------------------- */

static void what_no_message_may_be_is_refused_and_costs_nothing(void **state) {
  (void)state;
  static const uint8_t get[HEADER_SIZE] = {0x40, COPAL_GET}, ping[HEADER_SIZE] = {0x40, COPAL_EMPTY},
                       token_ping[HEADER_SIZE + 1] = {0x41, COPAL_EMPTY, 0, 0, 'x'};
  static const struct {
    copal_bytes message;
    copal_type type;
    bool multicast;
    copal_error error;
  } cases[] = {
      {{get, sizeof get}, COPAL_ACK, false, COPAL_ERR_TYPE},
      {{get, sizeof get}, COPAL_RST, false, COPAL_ERR_TYPE},
      /* RFC 7252 4.3: "A Non-confirmable message … MUST NOT be Empty." */
      {{ping, sizeof ping}, COPAL_NON, false, COPAL_ERR_TYPE},
      /* RFC 7252 4.1: of an Empty message, "bytes of data MUST NOT be present after the Message ID field". */
      {{token_ping, sizeof token_ping}, COPAL_CON, false, COPAL_ERR_EMPTY_NOT_EMPTY},
      /* RFC 7252 8.1: "Such multicast requests MUST be Non-confirmable." */
      {{get, sizeof get}, COPAL_CON, true, COPAL_ERR_MULTICAST_CON},
  };
  struct engine_fixture *fixture = open_engine(64, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct transmission transmission = {.type = (uint8_t)cases[i].type,
                                        .message = cases[i].message,
                                        .multicast = cases[i].multicast,
                                        .timeout = COPAL_NEVER};
    uint32_t index;
    assert_int_equal(engine_send(&fixture->engine, &transmission, &index), cases[i].error);
  }
  assert_int_equal(fixture->engine.exchanges.slab.count, 0);
  assert_int_equal(fixture->engine.peers.records[0].flags & (PEER_BUSY | PEER_SENT), 0);
  engine_fixture_close(fixture);
}

/* With the token that it is going to have. */
static void the_limit_of_sizes_is_for_the_whole_message(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(64, 4);
  uint32_t index;
  fixture->engine.message_size_max = HEADER_SIZE + EXCHANGE_TOKEN_SIZE - 1;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, 0, COPAL_NEVER, &index),
                   COPAL_ERR_MESSAGE_SIZE);
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_CONTENT, 0, COPAL_NEVER, &index), COPAL_OK);
  ++fixture->engine.message_size_max;
  send_get(fixture, COPAL_CON, 0);
  engine_fixture_close(fixture);
}

/* --- Tokens ------------------------------------------------------------------------------------- */

static copal_error send_with(struct engine_fixture *fixture, uint32_t peer, bool no_token, copal_bytes token,
                             uint32_t *index) {
  static const uint8_t get[HEADER_SIZE] = {0x40, COPAL_GET};
  struct transmission transmission = {.peer = peer,
                                      .type = COPAL_CON,
                                      .message = {get, sizeof get},
                                      .token = token,
                                      .no_token = no_token,
                                      .flags = EXCHANGE_CALL,
                                      .timeout = COPAL_NEVER};
  return engine_send(&fixture->engine, &transmission, index);
}

static void a_token_is_none_or_the_given_one_where_that_is_wanted(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(64, 4);
  copal_bytes none = {NULL, 0}, given = {(const uint8_t *)"given", 5};
  uint32_t index;
  assert_int_equal(send_with(fixture, 0, true, none, &index), COPAL_OK);
  assert_int_equal(engine_fixture_exchange(fixture, index)->size, HEADER_SIZE);
  assert_int_equal(send_with(fixture, 0, true, none, &index), COPAL_ERR_TOKEN_IN_USE);
  assert_int_equal(send_with(fixture, 1, true, none, &index), COPAL_OK);
  assert_int_equal(send_with(fixture, 0, false, given, &index), COPAL_OK);
  const struct exchange *exchange = engine_fixture_exchange(fixture, index);
  assert_int_equal(exchange->size, HEADER_SIZE + 5);
  assert_memory_equal(exchange_bytes(&fixture->engine.exchanges, exchange) + HEADER_SIZE, "given", 5);
  engine_fixture_close(fixture);
}

/* A message that brings its token, of 3 bytes. */
static copal_error send_own(struct engine_fixture *fixture, uint8_t code, copal_bytes token, uint32_t *index) {
  uint8_t message[HEADER_SIZE + 3] = {0x43, code, 0, 0, 'o', 'w', 'n'};
  struct transmission transmission = {.type = COPAL_CON,
                                      .message = {message, sizeof message},
                                      .token = token,
                                      .flags = EXCHANGE_RECORD,
                                      .timeout = COPAL_NEVER};
  return engine_send(&fixture->engine, &transmission, index);
}

static void assert_token(struct engine_fixture *fixture, uint32_t index, const char *expected) {
  copal_bytes token = header_token(exchange_bytes(&fixture->engine.exchanges, engine_fixture_exchange(fixture, index)));
  assert_int_equal(token.size, strlen(expected));
  assert_memory_equal(token.data, expected, token.size);
}

static void a_message_that_has_a_token_keeps_it(void **state) {
  (void)state;
  static const uint8_t codes[] = {COPAL_GET, COPAL_CONTENT};
  for (size_t i = 0; i < sizeof codes; ++i) {
    struct engine_fixture *fixture = open_engine(64, 1);
    uint32_t index;
    copal_bytes other = {(const uint8_t *)"other", 5};
    assert_int_equal(send_own(fixture, codes[i], other, &index), COPAL_OK);
    assert_token(fixture, index, "own");
    engine_fixture_close(fixture);
  }
}

static void a_response_without_a_token_gets_that_of_its_request(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(64, 1);
  static const uint8_t content[HEADER_SIZE] = {0x40, COPAL_CONTENT};
  struct transmission transmission = {
      .type = COPAL_NON, .message = {content, sizeof content}, .token = {(const uint8_t *)"request's", 9}};
  uint32_t index;
  assert_int_equal(engine_send(&fixture->engine, &transmission, &index), COPAL_OK);
  assert_token(fixture, index, "request's");
  engine_fixture_close(fixture);
}

/* RFC 7252 5.3.1: "The client SHOULD generate tokens in such a way that tokens currently in use for a given
 * source/destination endpoint pair are unique." One that was answered is not in use, though its record stays. */
static void a_token_is_in_use_until_it_is_answered(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(64, 4);
  copal_bytes none = {NULL, 0};
  uint32_t first, second;
  assert_int_equal(send_own(fixture, COPAL_GET, none, &first), COPAL_OK);
  assert_int_equal(send_own(fixture, COPAL_GET, none, &second), COPAL_ERR_TOKEN_IN_USE);
  assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
  struct incoming incoming;
  copal_bytes token = {(const uint8_t *)"own", 3};
  uint16_t mid = engine_fixture_exchange(fixture, first)->mid;
  struct verdict verdict = engine_fixture_receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, token, &incoming);
  assert_int_equal(verdict.kind, VERDICT_RESPONSE);
  assert_int_equal(send_own(fixture, COPAL_GET, none, &second), COPAL_OK);
  assert_int_equal(exchange_by_token(&fixture->engine.exchanges, 0, token), second);
  engine_fixture_close(fixture);
}

/* RFC 9177 7.2: "A single body will be subjected to PROBING_RATE …, not the individual packets". Its packets take no
 * turns either, and their tokens are known to their owner alone. */
static void messages_in_a_burst_go_at_once_and_are_forgotten(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(64, 1);
  static const uint8_t put[HEADER_SIZE + 3] = {0x43, COPAL_PUT, 0, 0, 'o', 'w', 'n'};
  for (int i = 0; i < 5; ++i) {
    struct transmission transmission = {.type = COPAL_NON, .message = {put, sizeof put}, .in_burst = true};
    uint32_t index;
    assert_int_equal(engine_send(&fixture->engine, &transmission, &index), COPAL_OK);
  }
  for (int i = 0; i < 5; ++i) assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
  copal_bytes token = {(const uint8_t *)"own", 3};
  assert_int_equal(exchange_by_token(&fixture->engine.exchanges, 0, token), INDEX_NONE);
  assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_NOTHING);
  assert_int_equal(fixture->engine.exchanges.timers.count, 0);
  assert_int_equal(fixture->engine.peers.records[0].flags & (PEER_BUSY | PEER_SILENT), 0);
  engine_fixture_close(fixture);
}

/* --- Message IDs -------------------------------------------------------------------------------- */

static void a_send_that_fails_spends_no_message_id(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(1, 1);
  uint32_t index;
  uint16_t mid = engine_fixture_exchange(fixture, send_get(fixture, COPAL_CON, EXCHANGE_RECORD))->mid;
  for (int i = 0; i < 70000; ++i)
    assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, 0, COPAL_NEVER, &index),
                     COPAL_ERR_EXCHANGES_FULL);
  engine_fail(&fixture->engine, 0, EXCHANGE_UNREACHED);
  engine_forget(&fixture->engine, 0);
  assert_int_equal(engine_fixture_exchange(fixture, send_get(fixture, COPAL_CON, 0))->mid, (uint16_t)(mid + 1));
  engine_fixture_close(fixture);
}

static copal_error send_block(struct engine_fixture *fixture, copal_type type, bool goes_on, uint32_t *index) {
  static const uint8_t put[HEADER_SIZE] = {0x40, COPAL_PUT};
  struct transmission transmission = {.peer = 0,
                                      .type = (uint8_t)type,
                                      .message = {put, sizeof put},
                                      .goes_on = goes_on,
                                      .flags = EXCHANGE_CALL,
                                      .timeout = COPAL_NEVER};
  return engine_send(&fixture->engine, &transmission, index);
}

/* Decision 0013: an ID comes again before its time for a block after the first, which is confirmable, if no message of
 * ours that has it is on its way. */
static void spent_message_ids_are_for_blocks_that_follow_each_other(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(64, 4);
  uint32_t index;
  engine_fixture_spend_mids(fixture, 0, 0x8000);
  assert_int_equal(send_block(fixture, COPAL_CON, false, &index), COPAL_ERR_MESSAGE_IDS_SPENT);
  assert_int_equal(send_block(fixture, COPAL_NON, true, &index), COPAL_ERR_MESSAGE_IDS_SPENT);
  assert_int_equal(fixture->engine.exchanges.slab.count, 0);
  assert_int_equal(send_block(fixture, COPAL_CON, true, &index), COPAL_OK);
  assert_int_equal(engine_fixture_exchange(fixture, index)->mid, 0x8000);
  engine_fixture_spend_mids(fixture, 0, 0x8000);
  assert_int_equal(send_block(fixture, COPAL_CON, true, &index), COPAL_ERR_MESSAGE_IDS_SPENT);
  fixture->engine.now += fixture->engine.exchange_lifetime + COPAL_SECOND;
  assert_int_equal(send_block(fixture, COPAL_CON, false, &index), COPAL_OK);
  engine_fixture_close(fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_no_message_may_be_is_refused_and_costs_nothing),
      cmocka_unit_test(the_limit_of_sizes_is_for_the_whole_message),
      cmocka_unit_test(a_token_is_none_or_the_given_one_where_that_is_wanted),
      cmocka_unit_test(a_message_that_has_a_token_keeps_it),
      cmocka_unit_test(a_response_without_a_token_gets_that_of_its_request),
      cmocka_unit_test(a_token_is_in_use_until_it_is_answered),
      cmocka_unit_test(messages_in_a_burst_go_at_once_and_are_forgotten),
      cmocka_unit_test(a_send_that_fails_spends_no_message_id),
      cmocka_unit_test(spent_message_ids_are_for_blocks_that_follow_each_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
