/* Transmission, one exchange and one timer at a time: back-off, the envelope, turns (NSTART), probing, ends. What the
 * whole endpoint does with it is in tests/unit/endpoint/rfc7252_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine.h"

static const copal_time START = 1000 * COPAL_SECOND;

static copal_config config_of(uint8_t nstart) {
  copal_config config = copal_config_small();
  config.exchanges_max = 64;
  config.messages_size = 64 * 256;
  config.parameters.nstart = nstart;
  return config;
}

static copal_time earliest(const struct engine_fixture *fixture) {
  return timer_earliest(&fixture->engine.exchanges.timers);
}

static uint32_t send(struct engine_fixture *fixture, uint32_t peer, copal_type type, uint8_t flags) {
  uint32_t index;
  uint8_t code = COPAL_GET;
  assert_int_equal(engine_fixture_send(fixture, peer, type, code, flags, COPAL_NEVER, &index), COPAL_OK);
  return index;
}

static void assert_due(struct engine_fixture *fixture, copal_time now, enum due_kind kind, uint32_t exchange) {
  struct due due = engine_fixture_due(fixture, now);
  assert_int_equal(due.kind, kind);
  if (kind != DUE_NOTHING) assert_int_equal(due.exchange, exchange);
}

/* RFC 7252 4.2: "the initial timeout is set to a random duration … When the timeout is triggered and the retransmission
 * counter is less than MAX_RETRANSMIT, the message is retransmitted, the retransmission counter is incremented, and the
 * timeout is doubled." */
static void a_confirmable_message_is_sent_5_times_at_doubling_intervals_and_then_given_up(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  for (int round = 0; round < 50; ++round) {
    copal_time now = fixture->engine.now;
    uint32_t index = send(fixture, 0, COPAL_CON, 0);
    assert_due(fixture, now, DUE_TRANSMIT, index);
    copal_time timeout = 0, sent = now;
    for (int transmission = 1; transmission <= 5; ++transmission) {
      assert_due(fixture, now, DUE_NOTHING, 0);
      copal_time next = earliest(fixture);
      if (transmission == 1) assert_in_range(next - now, 2 * COPAL_SECOND, 3 * COPAL_SECOND);
      if (transmission > 1) assert_true(next - now == 2 * timeout);
      timeout = next - now;
      assert_due(fixture, next - 1, DUE_NOTHING, 0);
      assert_due(fixture, next, transmission < 5 ? DUE_TRANSMIT : DUE_FAILED, index);
      now = next;
      /* MAX_TRANSMIT_SPAN 45 s, MAX_TRANSMIT_WAIT 93 s */
      assert_true(now - sent <= (transmission < 5 ? 45 : 93) * COPAL_SECOND);
    }
    engine_end(&fixture->engine, index);
    assert_int_equal(fixture->engine.exchanges.slab.count, 0);
    fixture->engine.now += 1;
  }
  assert_int_equal(fixture->engine.counters.retransmissions, 200);
  assert_int_equal(fixture->engine.counters.given_up, 50);
  engine_fixture_close(fixture);
}

/* RFC 7252 4.2: "the entire sequence of (re-)transmissions MUST stay in the envelope of MAX_TRANSMIT_SPAN". */
static void who_is_woken_late_does_not_transmit_outside_the_envelope(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t index = send(fixture, 0, COPAL_CON, 0);
  assert_due(fixture, START, DUE_TRANSMIT, index);
  assert_due(fixture, START + 40 * COPAL_SECOND, DUE_TRANSMIT, index); /* far too late, but within */
  assert_due(fixture, START + 46 * COPAL_SECOND, DUE_NOTHING, 0);      /* missed; an answer may come all the same */
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_LAST_WAIT);
  assert_due(fixture, earliest(fixture), DUE_FAILED, index);
  assert_true(fixture->engine.now <= START + 93 * COPAL_SECOND);
  engine_fixture_close(fixture);
}

static void no_factor_no_retransmissions_and_the_longest_times_work(void **state) {
  (void)state;
  static const struct {
    copal_time ack_timeout;
    uint32_t permille;
    uint8_t max_retransmit;
  } cases[] = {{2 * COPAL_SECOND, 1000, 0},    {3600 * COPAL_SECOND, 1000, 0}, {COPAL_SECOND, 4000, 10},
               {COPAL_MICROSECOND, 1000, 10},  {COPAL_SECOND, 1500, 10},       {10 * COPAL_MILLISECOND, 1000, 4},
               {1000 * COPAL_SECOND, 4000, 0}, {60 * COPAL_SECOND, 4000, 4}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_config config = config_of(1);
    config.parameters.ack_timeout = cases[i].ack_timeout;
    config.parameters.ack_random_permille = cases[i].permille;
    config.parameters.max_retransmit = cases[i].max_retransmit;
    assert_int_not_equal(copal_endpoint_size(&config), 0);
    struct engine_fixture *fixture = engine_fixture_open(&config);
    uint32_t index = send(fixture, 0, COPAL_CON, 0);
    copal_time now = START, timeout = cases[i].ack_timeout / 1000 * 1000; /* timers have microseconds */
    for (int transmission = 0; transmission <= cases[i].max_retransmit; ++transmission) {
      assert_due(fixture, now, DUE_TRANSMIT, index);
      copal_time wait = (copal_time)engine_fixture_exchange(fixture, index)->timeout_us * 1000;
      assert_true(wait >= timeout << transmission);
      assert_true(wait <= (cases[i].ack_timeout / 1000 * cases[i].permille) << transmission);
      now += wait;
    }
    assert_due(fixture, now, DUE_FAILED, index);
    engine_fixture_close(fixture);
  }
}

static void what_would_overflow_a_timer_is_refused_as_a_configuration(void **state) {
  (void)state;
  copal_config config = config_of(1);
  config.parameters.max_retransmit = 0;
  config.parameters.ack_timeout = 3600 * COPAL_SECOND;
  config.parameters.ack_random_permille = 1500; /* 5,400 s are more microseconds than 32 bits hold */
  assert_int_equal(copal_endpoint_size(&config), 0);
  config.parameters.max_retransmit = 10;
  config.parameters.ack_timeout = 4 * COPAL_SECOND;
  assert_int_equal(copal_endpoint_size(&config), 0);
}

/* RFC 7252 4.7: "limit the number of simultaneous outstanding interactions that they maintain to a given server … to
 * NSTART". */
static void nstart_messages_go_at_once_and_the_others_wait_in_order(void **state) {
  (void)state;
  for (uint8_t nstart = 1; nstart <= 3; ++nstart) {
    copal_config config = config_of(nstart);
    struct engine_fixture *fixture = engine_fixture_open(&config);
    uint32_t indexes[10];
    for (int i = 0; i < 10; ++i) indexes[i] = send(fixture, 0, i % 3 == 0 ? COPAL_NON : COPAL_CON, EXCHANGE_RECORD);
    uint32_t other = send(fixture, 1, COPAL_CON, 0); /* another peer waits for nobody */
    for (int i = 0; i < nstart; ++i) assert_due(fixture, START, DUE_TRANSMIT, indexes[i]);
    assert_due(fixture, START, DUE_TRANSMIT, other);
    assert_due(fixture, START, DUE_NOTHING, 0);
    for (int i = 0; i + nstart < 10; ++i) {
      engine_fail(&fixture->engine, indexes[i], EXCHANGE_ANSWERED);
      engine_end(&fixture->engine, indexes[i]);
      fixture->engine.peers.records[0].flags &= (uint8_t)~PEER_SILENT;
      assert_due(fixture, START, DUE_TRANSMIT, indexes[i + nstart]);
      assert_due(fixture, START, DUE_NOTHING, 0);
      assert_int_equal(fixture->engine.peers.records[0].outstanding, nstart);
    }
    engine_fixture_close(fixture);
  }
}

/* RFC 7252 4.7: "An outstanding interaction is either a CON for which an ACK has not yet been received but is still
 * expected (message layer) or a request": a ping is answered by a Reset, and is no request. */
static void pings_wait_for_nobody_and_nobody_for_them(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t pings[3];
  for (int i = 0; i < 2; ++i)
    assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_EMPTY, EXCHANGE_CALL, COPAL_NEVER, &pings[i]),
                     COPAL_OK);
  uint32_t first = send(fixture, 0, COPAL_CON, 0), second = send(fixture, 0, COPAL_CON, 0);
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_EMPTY, EXCHANGE_CALL, COPAL_NEVER, &pings[2]),
                   COPAL_OK);
  assert_due(fixture, START, DUE_TRANSMIT, pings[0]);
  assert_due(fixture, START, DUE_TRANSMIT, pings[1]);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  assert_due(fixture, START, DUE_TRANSMIT, pings[2]);
  assert_due(fixture, START, DUE_NOTHING, 0);
  assert_int_equal(fixture->engine.peers.records[0].outstanding, 1);
  for (int i = 0; i < 3; ++i) {
    engine_fail(&fixture->engine, pings[i], EXCHANGE_ANSWERED);
    engine_end(&fixture->engine, pings[i]);
    assert_due(fixture, START, DUE_NOTHING, 0);
  }
  engine_fail(&fixture->engine, first, EXCHANGE_ANSWERED);
  engine_end(&fixture->engine, first);
  assert_due(fixture, START, DUE_TRANSMIT, second);
  engine_fixture_close(fixture);
}

static void whoever_is_forgotten_while_it_waits_leaves_the_queue_whole(void **state) {
  (void)state;
  copal_config config = config_of(1);
  for (int gone = 0; gone < 6; ++gone) {
    struct engine_fixture *fixture = engine_fixture_open(&config);
    uint32_t indexes[6];
    for (int i = 0; i < 6; ++i) indexes[i] = send(fixture, 0, COPAL_CON, EXCHANGE_RECORD);
    engine_fail(&fixture->engine, indexes[gone], EXCHANGE_UNREACHED);
    engine_forget(&fixture->engine, indexes[gone]);
    for (int i = 0; i < 6; ++i) {
      if (i == gone) continue;
      assert_due(fixture, START, DUE_TRANSMIT, indexes[i]);
      assert_due(fixture, START, DUE_NOTHING, 0);
      engine_fail(&fixture->engine, indexes[i], EXCHANGE_UNREACHED);
      engine_forget(&fixture->engine, indexes[i]);
    }
    assert_int_equal(fixture->engine.peers.records[0].flags & PEER_BUSY, 0);
    assert_int_equal(fixture->engine.peers.records[0].outstanding, 0);
    assert_int_equal(fixture->engine.exchanges.timers.count, 0);
    engine_fixture_close(fixture);
  }
}

static void responses_of_ours_need_no_turn_unless_they_are_confirmable(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t con, non, response;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_CONTENT, 0, COPAL_NEVER, &con), COPAL_OK);
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_NON, COPAL_CONTENT, 0, COPAL_NEVER, &non), COPAL_OK);
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_CONTENT, 0, COPAL_NEVER, &response), COPAL_OK);
  assert_due(fixture, START, DUE_TRANSMIT, con);
  assert_due(fixture, START, DUE_TRANSMIT, non);
  assert_due(fixture, START, DUE_NOTHING, 0);
  engine_fixture_close(fixture);
}

/* RFC 7252 4.7: "an endpoint does not exceed an average data rate of PROBING_RATE in sending to another
 * endpoint that does not respond". A request here has 12 bytes: 12 seconds at 1 byte a second. */
static void a_silent_peer_is_probed_at_the_rate_and_a_live_one_is_not(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t first = send(fixture, 0, COPAL_NON, 0), second = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  assert_due(fixture, START, DUE_NOTHING, 0);
  assert_due(fixture, START + 12 * COPAL_SECOND - 1, DUE_NOTHING, 0);
  assert_due(fixture, START + 12 * COPAL_SECOND + 3 * COARSE_UNIT, DUE_TRANSMIT, second);
  copal_time now = fixture->engine.now + 3 * COPAL_SECOND;
  assert_due(fixture, now, DUE_NOTHING, 0);
  struct incoming incoming;
  engine_fixture_receive(fixture, 0, COPAL_NON, COPAL_EMPTY, 1, (copal_bytes){NULL, 0}, &incoming);
  uint32_t third = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, now, DUE_TRANSMIT, third);
  engine_fixture_close(fixture);
}

/* What waits already goes, too, two seconds later at most. */
static void a_peer_that_is_heard_from_is_silent_no_more(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t first = send(fixture, 0, COPAL_NON, 0), second = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  assert_due(fixture, START, DUE_NOTHING, 0);
  struct incoming incoming;
  engine_fixture_receive(fixture, 0, COPAL_NON, COPAL_EMPTY, 1, (copal_bytes){NULL, 0}, &incoming);
  assert_due(fixture, START + 2 * COPAL_SECOND, DUE_TRANSMIT, second);
  engine_fixture_close(fixture);
}

static void probing_can_be_switched_off(void **state) {
  (void)state;
  copal_config config = config_of(5);
  config.parameters.probing_rate = 0;
  struct engine_fixture *fixture = engine_fixture_open(&config);
  for (int i = 0; i < 5; ++i) assert_due(fixture, START, DUE_TRANSMIT, send(fixture, 0, COPAL_NON, 0));
  engine_fixture_close(fixture);
}

static void a_call_ends_at_its_timeout_in_every_state(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  static const copal_time TIMEOUT = 1500 * COPAL_MILLISECOND;
  uint32_t first, second, queued;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_CALL, TIMEOUT, &first), COPAL_OK);
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_CALL, TIMEOUT, &queued), COPAL_OK);
  assert_int_equal(engine_fixture_send(fixture, 1, COPAL_NON, COPAL_GET, EXCHANGE_CALL, TIMEOUT, &second), COPAL_OK);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  assert_due(fixture, START, DUE_TRANSMIT, second);
  assert_due(fixture, START + TIMEOUT - 1, DUE_NOTHING, 0);
  uint32_t failed = 0;
  for (int i = 0; i < 3; ++i) {
    struct due due = engine_fixture_due(fixture, START + TIMEOUT);
    assert_int_equal(due.kind, DUE_FAILED);
    assert_int_equal(due.error, COPAL_ERR_TIMEOUT);
    engine_end(&fixture->engine, due.exchange);
    failed |= (uint32_t)1 << due.exchange;
  }
  assert_int_equal(failed, 7);
  assert_due(fixture, START + TIMEOUT, DUE_NOTHING, 0);
  assert_int_equal(fixture->engine.exchanges.slab.count, 0);
  assert_int_equal(fixture->engine.exchanges.timers.count, 0);
  engine_fixture_close(fixture);
}

static void a_non_that_nobody_is_to_answer_ends_with_its_interval(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t index = send(fixture, 0, COPAL_NON, EXCHANGE_CALL | EXCHANGE_RESPONDED);
  assert_due(fixture, START, DUE_TRANSMIT, index);
  copal_time end = earliest(fixture);
  assert_in_range(end - START, 1, 3 * COPAL_SECOND);
  struct due due = engine_fixture_due(fixture, START + 3 * COPAL_SECOND);
  assert_int_equal(due.kind, DUE_FAILED);
  assert_int_equal(due.error, COPAL_OK);
  assert_int_equal(fixture->engine.peers.records[0].outstanding, 0);
  engine_end(&fixture->engine, index);
  assert_int_equal(fixture->engine.exchanges.slab.count, 0);
  engine_fixture_close(fixture);
}

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
  copal_config config = config_of(4);
  struct engine_fixture *fixture = engine_fixture_open(&config);
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

static void a_timeout_that_cannot_be_added_means_never(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t index;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_CALL, COPAL_NEVER - 1, &index),
                   COPAL_OK);
  assert_due(fixture, START, DUE_TRANSMIT, index);
  engine_fixture_close(fixture);
}

static void a_send_that_fails_spends_no_message_id(void **state) {
  (void)state;
  copal_config config = config_of(1);
  config.exchanges_max = 1;
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t index;
  uint16_t mid = engine_fixture_exchange(fixture, send(fixture, 0, COPAL_CON, EXCHANGE_RECORD))->mid;
  for (int i = 0; i < 70000; ++i)
    assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, 0, COPAL_NEVER, &index),
                     COPAL_ERR_EXCHANGES_FULL);
  engine_fail(&fixture->engine, 0, EXCHANGE_UNREACHED);
  engine_forget(&fixture->engine, 0);
  assert_int_equal(engine_fixture_exchange(fixture, send(fixture, 0, COPAL_CON, 0))->mid, (uint16_t)(mid + 1));
  engine_fixture_close(fixture);
}

/* --- Notifications ------------------------------------------------------------------------------ */

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
  copal_config config = config_of(1);
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
  copal_config config = config_of(1);
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
  while (store_take(store, 32) != INDEX_NONE) {
  }
  assert_int_equal(engine_supersede(&fixture->engine, index, write_state(bytes, "new")), COPAL_ERR_MESSAGES_FULL);
  assert_bytes(fixture, index, "old");
  assert_int_equal(engine_fixture_exchange(fixture, index)->mid, mid);
  assert_int_equal(exchange_by_mid(&fixture->engine.exchanges, 0, mid), index);
  engine_fixture_close(fixture);
}

/* RFC 7641 4.5.1: outstanding is also "a non-confirmable message for which the waiting time that results from the
 * following rate-limiting rules has not yet elapsed". */
static void a_non_confirmable_notification_has_its_turn_for_3_seconds(void **state) {
  (void)state;
  copal_config config = config_of(1);
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
      cmocka_unit_test(a_confirmable_message_is_sent_5_times_at_doubling_intervals_and_then_given_up),
      cmocka_unit_test(who_is_woken_late_does_not_transmit_outside_the_envelope),
      cmocka_unit_test(no_factor_no_retransmissions_and_the_longest_times_work),
      cmocka_unit_test(what_would_overflow_a_timer_is_refused_as_a_configuration),
      cmocka_unit_test(nstart_messages_go_at_once_and_the_others_wait_in_order),
      cmocka_unit_test(pings_wait_for_nobody_and_nobody_for_them),
      cmocka_unit_test(whoever_is_forgotten_while_it_waits_leaves_the_queue_whole),
      cmocka_unit_test(responses_of_ours_need_no_turn_unless_they_are_confirmable),
      cmocka_unit_test(a_silent_peer_is_probed_at_the_rate_and_a_live_one_is_not),
      cmocka_unit_test(a_peer_that_is_heard_from_is_silent_no_more),
      cmocka_unit_test(probing_can_be_switched_off),
      cmocka_unit_test(a_call_ends_at_its_timeout_in_every_state),
      cmocka_unit_test(a_non_that_nobody_is_to_answer_ends_with_its_interval),
      cmocka_unit_test(a_token_is_none_or_the_given_one_where_that_is_wanted),
      cmocka_unit_test(a_timeout_that_cannot_be_added_means_never),
      cmocka_unit_test(a_send_that_fails_spends_no_message_id),
      cmocka_unit_test(what_is_superseded_keeps_token_timer_and_counter),
      cmocka_unit_test(what_cannot_be_superseded_goes_as_it_is),
      cmocka_unit_test(a_non_confirmable_notification_has_its_turn_for_3_seconds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
