/* What is remembered of requests, so that none is executed twice: which are duplicates, how many a peer may have
 * remembered, and which need it at all. RFC 7252 section 4.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine.h"

static const copal_bytes NO_TOKEN = {NULL, 0};

static struct engine_fixture *open_engine(bool raw) {
  copal_config config = copal_config_small();
  config.raw = raw;
  return engine_fixture_open(&config);
}

static struct verdict receive(struct engine_fixture *fixture, uint32_t peer, copal_type type, uint8_t code,
                              uint16_t mid, copal_bytes token) {
  struct incoming incoming;
  return engine_fixture_receive(fixture, peer, type, code, mid, token, &incoming);
}

static struct reply *remember(struct engine_fixture *fixture, uint32_t peer, uint8_t code, uint16_t mid) {
  struct incoming incoming;
  struct verdict verdict = engine_fixture_receive(fixture, peer, COPAL_CON, code, mid, NO_TOKEN, &incoming);
  assert_int_equal(verdict.kind, VERDICT_REQUEST);
  return engine_remember(&fixture->engine, &incoming, 0);
}

static void a_duplicate_is_recognised_by_its_bytes(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  struct reply *reply = remember(fixture, 0, COPAL_POST, 7);
  struct verdict verdict = receive(fixture, 0, COPAL_CON, COPAL_POST, 7, NO_TOKEN);
  assert_int_equal(verdict.kind, VERDICT_REPEAT);
  assert_ptr_equal(verdict.reply, reply);
  assert_int_equal(receive(fixture, 0, COPAL_CON, COPAL_POST, 8, NO_TOKEN).kind, VERDICT_REQUEST);
  assert_int_equal(receive(fixture, 1, COPAL_CON, COPAL_POST, 7, NO_TOKEN).kind, VERDICT_REQUEST);
  static const copal_bytes TOKEN = {(const uint8_t *)"x", 1};
  assert_int_equal(receive(fixture, 0, COPAL_CON, COPAL_POST, 7, TOKEN).kind, VERDICT_REQUEST);
  assert_int_equal(receive(fixture, 0, COPAL_NON, COPAL_POST, 7, NO_TOKEN).kind, VERDICT_REQUEST);
  assert_int_equal(receive(fixture, 0, COPAL_CON, COPAL_GET, 7, NO_TOKEN).kind, VERDICT_REQUEST);
  engine_fixture_close(fixture);
}

static void t51_a_peer_has_its_share_of_unsafe_replies_and_gets_it_back_with_time(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t share = fixture->engine.peer_replies_max;
  uint16_t mid = 0;
  for (int round = 0; round < 5; ++round) {
    for (uint32_t i = 0; i < share; ++i) assert_non_null(remember(fixture, 0, COPAL_POST, ++mid));
    assert_null(remember(fixture, 0, COPAL_POST, ++mid));
    assert_non_null(remember(fixture, 0, COPAL_GET, ++mid)); /* a GET costs nothing of it */
    assert_non_null(remember(fixture, 1, COPAL_POST, ++mid));
    fixture->engine.now += fixture->engine.exchange_lifetime - COPAL_SECOND;
    assert_null(remember(fixture, 0, COPAL_POST, ++mid));
    fixture->engine.now += 2 * COPAL_SECOND;
  }
  engine_fixture_close(fixture);
}

/* RFC 7252 5.1: "PUT, DELETE … idempotent"; POST is not, nor is PATCH (RFC 8132), and of others nobody knows. */
static void methods_are_kept_apart_by_whether_they_may_be_repeated(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  for (uint8_t code = 1; code < 32; ++code) {
    bool idempotent =
        code == COPAL_GET || code == COPAL_PUT || code == COPAL_DELETE || code == COPAL_FETCH || code == COPAL_IPATCH;
    copal_view view = {.code = code};
    assert_int_equal(engine_is_unsafe(&fixture->engine, &view), !idempotent);
  }
  copal_view response = {.code = COPAL_CONTENT};
  assert_false(engine_is_unsafe(&fixture->engine, &response));
  engine_fixture_close(fixture);
}

/* Blocks before the last of an upload, and requests for more of a reply, execute nothing: but on a raw endpoint nobody
 * sees to their order. */
static void what_executes_nothing_is_not_unsafe(void **state) {
  (void)state;
  static const struct {
    uint16_t number;
    copal_block block;
    bool unsafe;
  } cases[] = {
      {COPAL_OPTION_BLOCK1, {0, true, 2}, false},   {COPAL_OPTION_BLOCK1, {7, true, 2}, false},
      {COPAL_OPTION_BLOCK1, {8, false, 2}, true},   {COPAL_OPTION_BLOCK2, {0, false, 2}, true},
      {COPAL_OPTION_BLOCK2, {1, false, 2}, false},  {COPAL_OPTION_Q_BLOCK1, {0, true, 2}, false},
      {COPAL_OPTION_Q_BLOCK1, {8, false, 2}, true}, {COPAL_OPTION_Q_BLOCK2, {0, true, 2}, true},
      {COPAL_OPTION_Q_BLOCK2, {1, true, 2}, false}, {COPAL_OPTION_SIZE1, {1, true, 2}, true},
  };
  for (int raw = 0; raw < 2; ++raw) {
    struct engine_fixture *fixture = open_engine(raw == 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
      uint8_t buffer[16];
      copal_message message;
      copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_POST);
      copal_message_add_uint(&message, cases[i].number, copal_block_value(cases[i].block));
      assert_int_equal(message.error, COPAL_OK);
      copal_view view = copal_message_view(&message);
      assert_int_equal(engine_is_unsafe(&fixture->engine, &view), raw == 1 || cases[i].unsafe);
      copal_message_set_code(&message, COPAL_PUT);
      view = copal_message_view(&message);
      assert_false(engine_is_unsafe(&fixture->engine, &view));
    }
    engine_fixture_close(fixture);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_duplicate_is_recognised_by_its_bytes),
      cmocka_unit_test(t51_a_peer_has_its_share_of_unsafe_replies_and_gets_it_back_with_time),
      cmocka_unit_test(methods_are_kept_apart_by_whether_they_may_be_repeated),
      cmocka_unit_test(what_executes_nothing_is_not_unsafe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
