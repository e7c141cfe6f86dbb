/* Notifications on their way: one takes another's place, and each has its turn. RFC 7641 section 4.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine.h"

static const copal_time START = 1000 * COPAL_SECOND;

static copal_config roomy(void) {
  copal_config config = copal_config_small();
  config.exchanges_max = 64;
  config.messages_size = 64 * 256;
  return config;
}

static copal_time earliest(const struct engine_fixture *fixture) {
  return timer_earliest(&fixture->engine.exchanges.timers);
}

static void assert_due(struct engine_fixture *fixture, copal_time now, enum due_kind kind, uint32_t exchange) {
  struct due due = engine_fixture_due(fixture, now);
  assert_int_equal(due.kind, kind);
  if (kind != DUE_NOTHING) assert_int_equal(due.exchange, exchange);
}

/* A 2.05 without token and with that payload; 64 bytes are enough for all of them. */
static copal_bytes write_state(uint8_t bytes[64], const char *payload) {
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, 64, COPAL_CON, COPAL_CONTENT, 0, NULL, 0);
  copal_encode_payload(&encoder, payload, strlen(payload));
  return (copal_bytes){bytes, encoder.size};
}

static uint32_t notify(struct engine_fixture *fixture, copal_type type, const char *payload) {
  uint8_t bytes[64];
  struct transmission transmission = {.peer = 0,
                                      .type = (uint8_t)type,
                                      .message = write_state(bytes, payload),
                                      .token = {(const uint8_t *)"tok", 3},
                                      .flags = EXCHANGE_CALL,
                                      .timeout = COPAL_NEVER};
  uint32_t index;
  assert_int_equal(engine_send(&fixture->engine, &transmission, &index), COPAL_OK);
  return index;
}

static void assert_bytes(struct engine_fixture *fixture, uint32_t index, const char *payload) {
  const struct exchange *exchange = engine_fixture_exchange(fixture, index);
  copal_view view;
  assert_int_equal(copal_decode(exchange_bytes(&fixture->engine.exchanges, exchange), exchange->size, &view), COPAL_OK);
  assert_int_equal(view.message_id, exchange->mid);
  assert_memory_equal(view.token.data, "tok", 3);
  assert_int_equal(view.payload.size, strlen(payload));
  assert_memory_equal(view.payload.data, payload, view.payload.size);
}

/* RFC 7641 4.5.2: "The new notification is transmitted with a new Message ID and the following transmission parameters:
 * if the previous (re)transmission attempt timed out, retain its transmission parameters". */
static void what_is_superseded_keeps_token_timer_and_counter(void **state) {
  (void)state;
  copal_config config = roomy();
  struct engine_fixture *fixture = engine_fixture_open(&config);
  const struct exchanges *exchanges = &fixture->engine.exchanges;
  uint8_t bytes[64];
  uint32_t index = notify(fixture, COPAL_CON, "old");
  const struct exchange *exchange = engine_fixture_exchange(fixture, index);
  /* Before it has been sent at all, it is the same message. */
  uint16_t first = exchange->mid;
  assert_due(fixture, START, DUE_TRANSMIT, index);
  assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "new")), COPAL_OK);
  assert_int_equal(exchange->mid, first);
  assert_bytes(fixture, index, "new");

  copal_time timer = earliest(fixture);
  assert_due(fixture, timer, DUE_TRANSMIT, index);
  copal_time next = earliest(fixture);
  assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "a longer one than before")), COPAL_OK);
  assert_int_not_equal(exchange->mid, first);
  assert_bytes(fixture, index, "a longer one than before");
  assert_int_equal(exchange->transmissions, 2);
  assert_true(earliest(fixture) == next);
  assert_int_equal(exchange_by_mid(exchanges, 0, first), INDEX_NONE);
  assert_int_equal(exchange_by_mid(exchanges, 0, exchange->mid), index);
  engine_fail(&fixture->engine, index, EXCHANGE_UNREACHED);
  engine_forget(&fixture->engine, index);
  engine_fixture_due(fixture, next);
  assert_int_equal(exchanges->store.used, 0);
  engine_fixture_close(fixture);
}

static void what_cannot_be_superseded_goes_as_it_is(void **state) {
  (void)state;
  copal_config config = roomy();
  struct engine_fixture *fixture = engine_fixture_open(&config);
  struct store *store = &fixture->engine.exchanges.store;
  uint8_t bytes[64];
  uint32_t index = notify(fixture, COPAL_CON, "old");
  uint16_t mid = engine_fixture_exchange(fixture, index)->mid;
  assert_due(fixture, START, DUE_TRANSMIT, index);
  assert_due(fixture, earliest(fixture), DUE_TRANSMIT, index);
  fixture->engine.message_size_max = 10;
  assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "new")), COPAL_ERR_MESSAGE_SIZE);
  fixture->engine.message_size_max = 256;
  engine_fixture_spend_mids(fixture, 0, 0x8000);
  assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "new")), COPAL_ERR_MESSAGE_IDS_SPENT);
  assert_bytes(fixture, index, "old");
  engine_fixture_spend_mids(fixture, 0, 0x8001);
  while (store_take(store, 32) != INDEX_NONE) {
  }
  assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "new")), COPAL_ERR_MESSAGES_FULL);
  assert_bytes(fixture, index, "old");
  assert_int_equal(engine_fixture_exchange(fixture, index)->mid, mid);
  assert_int_equal(exchange_by_mid(&fixture->engine.exchanges, 0, mid), index);
  engine_fixture_close(fixture);
}

static void what_is_superseded_keeps_its_type(void **state) {
  (void)state;
  copal_config config = roomy();
  for (int type = COPAL_CON; type <= COPAL_NON; ++type) {
    struct engine_fixture *fixture = engine_fixture_open(&config);
    uint8_t bytes[64];
    uint32_t index = notify(fixture, type == COPAL_CON ? COPAL_CON : COPAL_NON, "old");
    assert_due(fixture, START, DUE_TRANSMIT, index);
    assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "new")), COPAL_OK);
    assert_bytes(fixture, index, "new");
    const struct exchange *exchange = engine_fixture_exchange(fixture, index);
    assert_int_equal(header_type(exchange_bytes(&fixture->engine.exchanges, exchange)), type);
    engine_fixture_close(fixture);
  }
}

/* RFC 7641 4.5.1: outstanding is also "a non-confirmable message for which the waiting time that results from the
 * following rate-limiting rules has not yet elapsed". */
static void a_non_confirmable_notification_has_its_turn_for_3_seconds(void **state) {
  (void)state;
  copal_config config = roomy();
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t first = notify(fixture, COPAL_NON, "1"), second = notify(fixture, COPAL_NON, "2");
  assert_due(fixture, START, DUE_TRANSMIT, first);
  assert_due(fixture, START, DUE_NOTHING, 0);
  assert_int_equal(engine_fixture_exchange(fixture, second)->state, EXCHANGE_QUEUED);
  copal_time over = START + 3 * COPAL_SECOND;
  assert_true(earliest(fixture) == over);
  struct due due = engine_fixture_due(fixture, over);
  assert_int_equal(due.kind, DUE_FAILED);
  assert_int_equal(due.exchange, first);
  assert_int_equal(due.error, COPAL_ERR_TIMEOUT);
  engine_end(&fixture->engine, first);
  assert_due(fixture, over, DUE_TRANSMIT, second);
  assert_true(earliest(fixture) == over + 3 * COPAL_SECOND);
  assert_int_equal(fixture->engine.counters.given_up, 0);
  engine_fixture_close(fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_superseded_keeps_token_timer_and_counter),
      cmocka_unit_test(what_is_superseded_keeps_its_type),
      cmocka_unit_test(what_cannot_be_superseded_goes_as_it_is),
      cmocka_unit_test(a_non_confirmable_notification_has_its_turn_for_3_seconds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
