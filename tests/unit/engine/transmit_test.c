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

/* RFC 7252 4.2: "an endpoint may be late for a specific retransmission due to its sleep schedule and may catch up on
 * the next one." */
static void who_is_woken_late_catches_up_with_the_next_retransmission(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t index = send(fixture, 0, COPAL_CON, 0);
  assert_due(fixture, START, DUE_TRANSMIT, index);
  copal_time planned = earliest(fixture), timeout = planned - START;
  assert_due(fixture, planned + COPAL_SECOND, DUE_TRANSMIT, index);
  assert_true(earliest(fixture) == planned + 2 * timeout);
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

/* The one that waits looks again in the very unit of the coarse clock in which the debt is paid. */
static void a_request_goes_as_soon_as_the_one_before_is_paid_for(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t first = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  uint32_t paid = fixture->engine.peers.records[0].limit.probing_until;
  fixture->engine.now = paid * COARSE_UNIT - 1;
  uint32_t early = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, fixture->engine.now, DUE_NOTHING, 0);
  copal_time again = earliest(fixture);
  assert_int_equal(coarse_time(again), paid);
  assert_due(fixture, again, DUE_TRANSMIT, early);
  engine_fixture_close(fixture);
}

/* It gave its turn back while it waited. */
static void who_waited_for_probing_rate_queues_behind_who_has_the_turn_since(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t first = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  copal_time interval = START + 3 * COPAL_SECOND;
  assert_due(fixture, interval, DUE_NOTHING, 0); /* the first is over */
  uint32_t waiting = send(fixture, 0, COPAL_NON, 0);
  assert_due(fixture, interval, DUE_NOTHING, 0);
  uint32_t con = send(fixture, 0, COPAL_CON, EXCHANGE_CALL);
  assert_due(fixture, interval, DUE_TRANSMIT, con);
  struct incoming incoming;
  engine_fixture_receive(fixture, 0, COPAL_NON, COPAL_EMPTY, 1, (copal_bytes){NULL, 0}, &incoming);
  while (engine_fixture_exchange(fixture, waiting)->state != EXCHANGE_QUEUED) {
    struct due due = engine_fixture_due(fixture, earliest(fixture));
    assert_true(due.kind == DUE_NOTHING || due.exchange == con);
  }
  engine_fail(&fixture->engine, con, EXCHANGE_UNREACHED);
  engine_end(&fixture->engine, con);
  assert_due(fixture, fixture->engine.now, DUE_TRANSMIT, waiting);
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

/* The turn of a call that waits comes before its end: the timer of that end becomes the one of its transmission. */
static void a_call_that_has_waited_ends_at_its_timeout_all_the_same(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint32_t first = send(fixture, 0, COPAL_CON, EXCHANGE_CALL), second;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_CALL, 10 * COPAL_SECOND, &second),
                   COPAL_OK);
  assert_due(fixture, START, DUE_TRANSMIT, first);
  assert_int_equal(engine_fixture_exchange(fixture, second)->state, EXCHANGE_QUEUED);
  fixture->engine.now = START + COPAL_SECOND;
  engine_fail(&fixture->engine, first, EXCHANGE_UNREACHED);
  engine_end(&fixture->engine, first);
  assert_due(fixture, fixture->engine.now, DUE_TRANSMIT, second);
  while (earliest(fixture) < START + 10 * COPAL_SECOND) assert_due(fixture, earliest(fixture), DUE_TRANSMIT, second);
  assert_due(fixture, START + 10 * COPAL_SECOND - 1, DUE_NOTHING, 0);
  assert_due(fixture, START + 10 * COPAL_SECOND, DUE_FAILED, second);
  engine_end(&fixture->engine, second);
  assert_int_equal(fixture->engine.exchanges.timers.count, 0);
  engine_fixture_close(fixture);
}

/* RFC 7252 8.2: responses to a group's request may come for as long as somebody listens. */
static void a_call_to_a_group_listens_until_its_timeout(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  static const uint8_t get[HEADER_SIZE] = {0x50, COPAL_GET};
  struct transmission transmission = {.type = COPAL_NON,
                                      .message = {get, sizeof get},
                                      .multicast = true,
                                      .flags = EXCHANGE_CALL,
                                      .timeout = 100 * COPAL_SECOND};
  uint32_t index;
  assert_int_equal(engine_send(&fixture->engine, &transmission, &index), COPAL_OK);
  assert_due(fixture, START, DUE_TRANSMIT, index);
  engine_fixture_exchange(fixture, index)->flags |= EXCHANGE_RESPONDED; /* by one of them */
  assert_due(fixture, START + 50 * COPAL_SECOND, DUE_NOTHING, 0);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_EXPECTING);
  assert_due(fixture, START + 100 * COPAL_SECOND, DUE_FAILED, index);
  engine_fixture_close(fixture);
}

/* RFC 7252 4.8.2: a NON's message ID lives for NON_LIFETIME, a CON's for EXCHANGE_LIFETIME. So do their records. */
static void a_record_stays_for_the_lifetime_of_its_message_id_whatever_its_end(void **state) {
  (void)state;
  static const struct {
    copal_type type;
    enum exchange_state end;
  } cases[] = {{COPAL_NON, EXCHANGE_ANSWERED},
               {COPAL_CON, EXCHANGE_ANSWERED},
               {COPAL_CON, EXCHANGE_UNREACHED},
               {COPAL_CON, EXCHANGE_REJECTED},
               {COPAL_CON, EXCHANGE_UNACKNOWLEDGED}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_config config = config_of(1);
    struct engine_fixture *fixture = engine_fixture_open(&config);
    uint32_t index = send(fixture, 0, cases[i].type, EXCHANGE_RECORD);
    assert_due(fixture, START, DUE_TRANSMIT, index);
    if (cases[i].type == COPAL_NON) {
      assert_due(fixture, START + 3 * COPAL_SECOND, DUE_NOTHING, 0);
    } else {
      engine_fail(&fixture->engine, index, cases[i].end);
      engine_end(&fixture->engine, index);
    }
    assert_int_equal(engine_fixture_exchange(fixture, index)->state, cases[i].end);
    bool con = cases[i].type == COPAL_CON;
    copal_time end = START + (con ? fixture->engine.exchange_lifetime : fixture->engine.non_lifetime);
    assert_due(fixture, end - 1, DUE_NOTHING, 0);
    assert_int_equal(fixture->engine.exchanges.slab.count, 1);
    assert_due(fixture, end, DUE_NOTHING, 0);
    assert_int_equal(fixture->engine.exchanges.slab.count, 0);
    assert_int_equal(fixture->engine.peers.records[0].flags & PEER_BUSY, 0);
    engine_fixture_close(fixture);
  }
}

/* Nobody can have received it, yet its owner may look for what became of it. */
static void a_record_that_was_never_sent_stays_a_lifetime_from_its_end_on(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  send(fixture, 0, COPAL_CON, EXCHANGE_RECORD);
  uint32_t queued = send(fixture, 0, COPAL_CON, EXCHANGE_RECORD);
  assert_int_equal(engine_fixture_exchange(fixture, queued)->state, EXCHANGE_QUEUED);
  copal_tx tx = exchange_handle(&fixture->engine.exchanges, queued);
  fixture->engine.now = START + 10 * COPAL_SECOND;
  engine_fail(&fixture->engine, queued, EXCHANGE_UNREACHED);
  engine_end(&fixture->engine, queued);
  copal_time end = fixture->engine.now + fixture->engine.exchange_lifetime;
  assert_true(engine_fixture_exchange(fixture, queued)->timer.deadline == end);
  while (engine_fixture_due(fixture, end - 1).kind != DUE_NOTHING) {
  }
  assert_int_equal(exchange_of(&fixture->engine.exchanges, tx), queued);
  assert_due(fixture, end, DUE_NOTHING, 0);
  assert_int_equal(exchange_of(&fixture->engine.exchanges, tx), INDEX_NONE);
  engine_fixture_close(fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_confirmable_message_is_sent_5_times_at_doubling_intervals_and_then_given_up),
      cmocka_unit_test(who_is_woken_late_does_not_transmit_outside_the_envelope),
      cmocka_unit_test(who_is_woken_late_catches_up_with_the_next_retransmission),
      cmocka_unit_test(no_factor_no_retransmissions_and_the_longest_times_work),
      cmocka_unit_test(what_would_overflow_a_timer_is_refused_as_a_configuration),
      cmocka_unit_test(nstart_messages_go_at_once_and_the_others_wait_in_order),
      cmocka_unit_test(pings_wait_for_nobody_and_nobody_for_them),
      cmocka_unit_test(whoever_is_forgotten_while_it_waits_leaves_the_queue_whole),
      cmocka_unit_test(responses_of_ours_need_no_turn_unless_they_are_confirmable),
      cmocka_unit_test(a_silent_peer_is_probed_at_the_rate_and_a_live_one_is_not),
      cmocka_unit_test(a_request_goes_as_soon_as_the_one_before_is_paid_for),
      cmocka_unit_test(a_peer_that_is_heard_from_is_silent_no_more),
      cmocka_unit_test(probing_can_be_switched_off),
      cmocka_unit_test(a_call_ends_at_its_timeout_in_every_state),
      cmocka_unit_test(a_non_that_nobody_is_to_answer_ends_with_its_interval),
      cmocka_unit_test(a_timeout_that_cannot_be_added_means_never),
      cmocka_unit_test(who_waited_for_probing_rate_queues_behind_who_has_the_turn_since),
      cmocka_unit_test(a_call_that_has_waited_ends_at_its_timeout_all_the_same),
      cmocka_unit_test(a_call_to_a_group_listens_until_its_timeout),
      cmocka_unit_test(a_record_stays_for_the_lifetime_of_its_message_id_whatever_its_end),
      cmocka_unit_test(a_record_that_was_never_sent_stays_a_lifetime_from_its_end_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
