/* Verdicts: every type with every code, and whom an ACK, a Reset or a response belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/engine.h"

static const copal_time START = 1000 * COPAL_SECOND;
static const copal_bytes NO_TOKEN = {NULL, 0};

static struct engine_fixture *open_engine(bool raw) {
  copal_config config = copal_config_small();
  config.raw = raw;
  return engine_fixture_open(&config);
}

/* A GET to peer 0 that was transmitted once. */
static uint32_t transmitted(struct engine_fixture *fixture, copal_type type, uint8_t flags) {
  uint32_t index;
  assert_int_equal(engine_fixture_send(fixture, 0, type, COPAL_GET, flags, COPAL_NEVER, &index), COPAL_OK);
  struct due due = engine_fixture_due(fixture, fixture->engine.now);
  assert_int_equal(due.kind, DUE_TRANSMIT);
  assert_int_equal(due.exchange, index);
  return index;
}

static uint16_t mid_of(struct engine_fixture *fixture, uint32_t index) {
  return engine_fixture_exchange(fixture, index)->mid;
}

static copal_bytes token_of(struct engine_fixture *fixture, uint32_t index) {
  return header_token(exchange_bytes(&fixture->engine.exchanges, engine_fixture_exchange(fixture, index)));
}

static struct verdict receive(struct engine_fixture *fixture, uint32_t peer, copal_type type, uint8_t code,
                              uint16_t mid, copal_bytes token) {
  struct incoming incoming;
  return engine_fixture_receive(fixture, peer, type, code, mid, token, &incoming);
}

/* --- Messages that belong to nothing ------------------------------------------------------------ */

static bool is_reserved(unsigned code) { return code >> 5 == 1 || code >> 5 == 3 || code >> 5 >= 6; }

/* RFC 7252 4.2, 4.3, 8.1, written down once more without looking at the code. */
static enum verdict_kind expected(copal_type type, unsigned code, bool multicast, bool raw) {
  bool con = type == COPAL_CON, non = type == COPAL_NON;
  enum verdict_kind rejected = con && !multicast ? VERDICT_REJECT : VERDICT_IGNORE;
  if (is_reserved(code)) return rejected;
  if (code == COPAL_EMPTY) return (con || non) ? rejected : (raw ? VERDICT_UNMATCHED : VERDICT_IGNORE);
  if (code < 32) {
    if (type == COPAL_ACK || type == COPAL_RST || (con && multicast)) return VERDICT_IGNORE;
    return VERDICT_REQUEST;
  }
  if (type == COPAL_RST || multicast) return VERDICT_IGNORE;
  return raw ? VERDICT_UNMATCHED : rejected;
}

static void t11_t12_t13_every_type_with_every_code_gets_its_verdict(void **state) {
  (void)state;
  for (int raw = 0; raw < 2; ++raw)
    for (unsigned code = 0; code < 256; ++code)
      for (int type = 0; type < 4; ++type)
        for (int multicast = 0; multicast < 2; ++multicast)
          for (int known = 0; known < 2; ++known) {
            struct engine_fixture *fixture = open_engine(raw == 1);
            uint8_t datagram[4] = {(uint8_t)(0x40 | type << 4), (uint8_t)code, 0x12, 0x34};
            assert_int_equal(copal_decode(datagram, 4, &fixture->view), COPAL_OK);
            struct incoming incoming = {.view = &fixture->view,
                                        .datagram = {datagram, 4},
                                        .peer = known == 1 ? 0 : INDEX_NONE,
                                        .multicast = multicast == 1};
            struct verdict verdict = engine_receive(&fixture->engine, &incoming, START);
            /* an ACK to a group answers nobody either */
            assert_int_equal(verdict.kind, expected((copal_type)type, code, multicast == 1, raw == 1));
            engine_fixture_close(fixture);
          }
}

/* --- ACK and Reset ------------------------------------------------------------------------------ */

/* RFC 7252 4.4: "the Message ID and source endpoint of the Acknowledgement or Reset message MUST match". */
static void t30_an_ack_or_a_reset_matches_by_peer_and_id_and_nothing_else(void **state) {
  (void)state;
  for (int type = COPAL_ACK; type <= COPAL_RST; ++type) {
    struct engine_fixture *fixture = open_engine(false);
    uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
    uint16_t mid = mid_of(fixture, index);
    static const copal_type types[] = {COPAL_CON, COPAL_NON, COPAL_ACK, COPAL_RST};
    assert_int_equal(receive(fixture, 1, types[type], COPAL_EMPTY, mid, NO_TOKEN).kind, VERDICT_IGNORE);
    assert_int_equal(receive(fixture, INDEX_NONE, types[type], COPAL_EMPTY, mid, NO_TOKEN).kind, VERDICT_IGNORE);
    assert_int_equal(receive(fixture, 0, types[type], COPAL_EMPTY, (uint16_t)(mid + 1), NO_TOKEN).kind, VERDICT_IGNORE);
    assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_WAITING);
    struct verdict verdict = receive(fixture, 0, types[type], COPAL_EMPTY, mid, NO_TOKEN);
    assert_int_equal(verdict.kind, type == COPAL_ACK ? VERDICT_ACKNOWLEDGED : VERDICT_RESET);
    assert_int_equal(verdict.exchange, index);
    assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_ANSWERED);
    engine_fixture_close(fixture);
  }
}

static void what_was_not_sent_yet_cannot_be_answered(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t ready, queued;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_CALL, COPAL_NEVER, &ready), COPAL_OK);
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_RECORD, COPAL_NEVER, &queued),
                   COPAL_OK);
  for (uint32_t index = 0; index < 2; ++index) {
    uint8_t token[8];
    memcpy(token, token_of(fixture, index).data, 8);
    copal_bytes own = {token, 8};
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN).kind,
                     VERDICT_IGNORE);
    assert_int_equal(receive(fixture, 0, COPAL_RST, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN).kind,
                     VERDICT_IGNORE);
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid_of(fixture, index), own).kind, VERDICT_IGNORE);
    assert_int_equal(receive(fixture, 0, COPAL_NON, COPAL_CONTENT, 7, own).kind, VERDICT_IGNORE);
  }
  assert_int_equal(engine_fixture_exchange(fixture, ready)->state, EXCHANGE_READY);
  assert_int_equal(engine_fixture_exchange(fixture, queued)->state, EXCHANGE_QUEUED);
  engine_fixture_close(fixture);
}

static void a_non_is_not_acknowledged_but_may_draw_a_reset(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_NON, EXCHANGE_RECORD);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN).kind, VERDICT_IGNORE);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_SENT);
  assert_int_equal(receive(fixture, 0, COPAL_RST, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN).kind, VERDICT_RESET);
  engine_fixture_close(fixture);
}

static void an_ack_lets_a_call_expect_its_response_and_the_next_one_go(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t call = transmitted(fixture, COPAL_CON, EXCHANGE_CALL), next;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_GET, EXCHANGE_CALL, COPAL_NEVER, &next), COPAL_OK);
  assert_int_equal(engine_fixture_exchange(fixture, next)->state, EXCHANGE_QUEUED);
  for (int i = 0; i < 3; ++i) {
    struct verdict verdict = receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, call), NO_TOKEN);
    assert_int_equal(verdict.kind, VERDICT_ACKNOWLEDGED);
    assert_int_equal(engine_fixture_exchange(fixture, call)->state, EXCHANGE_EXPECTING);
    assert_int_equal(engine_fixture_exchange(fixture, next)->state, EXCHANGE_READY);
    assert_int_equal(fixture->engine.peers.records[0].outstanding, 1);
  }
  engine_fixture_close(fixture);
}

/* RFC 7252 4.2: no retransmission is left, but an ACK that comes before the end of the wait counts. */
static void an_ack_to_the_last_transmission_is_not_too_late(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t call = transmitted(fixture, COPAL_CON, EXCHANGE_CALL);
  while (engine_fixture_exchange(fixture, call)->state != EXCHANGE_LAST_WAIT)
    assert_int_equal(engine_fixture_due(fixture, timer_earliest(&fixture->engine.exchanges.timers)).kind, DUE_TRANSMIT);
  struct verdict verdict = receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, call), NO_TOKEN);
  assert_int_equal(verdict.kind, VERDICT_ACKNOWLEDGED);
  assert_int_equal(engine_fixture_exchange(fixture, call)->state, EXCHANGE_EXPECTING);
  assert_int_equal(fixture->engine.peers.records[0].outstanding, 0);
  engine_fixture_close(fixture);
}

/* Decision 0011: an address is verified by what only its owner can know. An ACK repeats a message ID, for which there
 * are 65,536 tries; but then a request was received. A token of 4 bytes or more is beyond guessing. */
static void an_address_is_verified_by_an_ack_or_by_a_token_that_cannot_be_guessed(void **state) {
  (void)state;
  static const struct {
    const char *token;
    bool verified;
  } cases[] = {{"1", false}, {"123", false}, {"1234", true}, {"12345678", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct engine_fixture *fixture = open_engine(false);
    static const uint8_t get[HEADER_SIZE] = {0x40, COPAL_GET};
    copal_bytes token = {(const uint8_t *)cases[i].token, strlen(cases[i].token)};
    struct transmission transmission = {.type = COPAL_NON,
                                        .message = {get, sizeof get},
                                        .token = token,
                                        .flags = EXCHANGE_CALL,
                                        .timeout = COPAL_NEVER};
    uint32_t index;
    assert_int_equal(engine_send(&fixture->engine, &transmission, &index), COPAL_OK);
    assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
    assert_int_equal(receive(fixture, 0, COPAL_NON, COPAL_CONTENT, 5, token).kind, VERDICT_RESPONSE);
    assert_int_equal((fixture->engine.peers.records[0].flags & PEER_VERIFIED) != 0, cases[i].verified);
    assert_int_equal(fixture->engine.counters.verified, cases[i].verified);
    engine_fixture_close(fixture);
  }

  struct engine_fixture *fixture = open_engine(false);
  for (int i = 0; i < 2; ++i) {
    uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
    receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN);
    assert_int_equal(fixture->engine.counters.verified, 1); /* once */
  }
  engine_fixture_close(fixture);
}

/* RFC 7252 4.3: a ping provokes a Reset. Who acknowledges it instead need not have received anything. */
static void a_ping_that_is_acknowledged_verifies_nothing(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_EMPTY, EXCHANGE_CALL, COPAL_NEVER, &index),
                   COPAL_OK);
  assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
  struct verdict verdict = receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN);
  assert_int_equal(verdict.kind, VERDICT_ACKNOWLEDGED);
  assert_int_equal(fixture->engine.peers.records[0].flags & PEER_VERIFIED, 0);
  engine_fixture_close(fixture);
}

static void a_response_of_ours_is_forgotten_once_it_is_acknowledged_or_reset(void **state) {
  (void)state;
  for (int type = COPAL_ACK; type <= COPAL_RST; ++type) {
    struct engine_fixture *fixture = open_engine(false);
    uint32_t index;
    assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_CONTENT, 0, COPAL_NEVER, &index), COPAL_OK);
    assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
    uint16_t mid = mid_of(fixture, index);
    static const copal_type types[] = {COPAL_CON, COPAL_NON, COPAL_ACK, COPAL_RST};
    assert_int_equal(receive(fixture, 0, types[type], COPAL_EMPTY, mid, NO_TOKEN).exchange, INDEX_NONE);
    assert_int_equal(fixture->engine.exchanges.timers.count, 0);
    assert_int_equal(fixture->engine.peers.records[0].flags & PEER_BUSY, 0);
    assert_int_equal(receive(fixture, 0, types[type], COPAL_EMPTY, mid, NO_TOKEN).kind, VERDICT_IGNORE);
    engine_fixture_close(fixture);
  }
}

/* RFC 7641: a registration is answered again and again. Its message ID is another message's by then. */
/* RFC 7252 5.2.2: "The server MUST stop retransmitting its response on any matching Acknowledgement (silently ignoring
 * any Response Code or payload) or Reset message." */
static void an_ack_of_a_response_of_ours_may_say_what_it_likes(void **state) {
  (void)state;
  static const uint8_t token[] = {1, 2, 3, 4};
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index;
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_CONTENT, 0, COPAL_NEVER, &index), COPAL_OK);
  assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
  copal_bytes some = {token, sizeof token};
  struct verdict verdict = receive(fixture, 0, COPAL_ACK, COPAL_CHANGED, mid_of(fixture, index), some);
  assert_int_equal(verdict.kind, VERDICT_ACKNOWLEDGED);
  assert_int_equal(verdict.exchange, INDEX_NONE);
  assert_int_equal(fixture->engine.exchanges.timers.count, 0);
  engine_fixture_close(fixture);
}

static void who_observes_is_found_by_token_alone_until_its_time(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_CALL);
  uint16_t mid = mid_of(fixture, index);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  copal_time until = fixture->engine.now + 1000 * COPAL_SECOND;
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, own).kind, VERDICT_RESPONSE);
  for (uint16_t i = 0; i < 3; ++i) {
    engine_observe(&fixture->engine, index, until);
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, own).kind, VERDICT_IGNORE);
    assert_int_equal(receive(fixture, 0, COPAL_RST, COPAL_EMPTY, mid, NO_TOKEN).kind, VERDICT_IGNORE);
    assert_int_equal(engine_fixture_due(fixture, until - 3 + i).kind, DUE_NOTHING);
    struct verdict verdict = receive(fixture, 0, COPAL_NON, COPAL_CONTENT, i, own);
    assert_int_equal(verdict.kind, VERDICT_RESPONSE);
    assert_int_equal(verdict.exchange, index);
  }
  engine_observe(&fixture->engine, index, until);
  struct due due = engine_fixture_due(fixture, until);
  assert_int_equal(due.kind, DUE_FAILED);
  assert_int_equal(due.error, COPAL_ERR_TIMEOUT);
  engine_end(&fixture->engine, index);
  assert_int_equal(fixture->engine.exchanges.mids.count, 0);
  assert_int_equal(fixture->engine.exchanges.slab.count, 0);
  engine_fixture_close(fixture);
}

/* A renewal that was crossed by a notification is owed its answer, but only a CON has one in an ACK: RFC 7252 4.3, a
 * NON "MUST NOT be acknowledged". */
static void the_ack_of_a_renewal_that_was_crossed_answers_a_con_alone(void **state) {
  (void)state;
  for (int type = COPAL_CON; type <= COPAL_NON; ++type) {
    struct engine_fixture *fixture = open_engine(false);
    uint32_t index = transmitted(fixture, type == COPAL_CON ? COPAL_CON : COPAL_NON, EXCHANGE_CALL);
    uint8_t token[8];
    memcpy(token, token_of(fixture, index).data, 8);
    copal_bytes own = {token, 8};
    assert_int_equal(receive(fixture, 0, COPAL_NON, COPAL_CONTENT, 1, own).kind, VERDICT_RESPONSE);
    engine_observe(&fixture->engine, index, fixture->engine.now + 1000 * COPAL_SECOND);
    uint16_t mid = mid_of(fixture, index);
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, (uint16_t)(mid + 1), own).kind, VERDICT_IGNORE);
    struct verdict verdict = receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, own);
    assert_int_equal(verdict.kind, type == COPAL_CON ? VERDICT_RESPONSE : VERDICT_IGNORE);
    assert_int_equal(engine_fixture_exchange(fixture, index)->state,
                     type == COPAL_CON ? EXCHANGE_ANSWERED : EXCHANGE_OBSERVING);
    engine_fixture_close(fixture);
  }
}

static void a_call_that_nobody_is_to_answer_ends_with_its_ack(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_CALL | EXCHANGE_RESPONDED);
  struct verdict verdict = receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN);
  assert_int_equal(verdict.kind, VERDICT_ACKNOWLEDGED);
  assert_int_equal(verdict.exchange, index);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_ANSWERED);
  assert_int_equal(fixture->engine.peers.records[0].outstanding, 0);
  engine_end(&fixture->engine, index);
  /* So does one that is no request, and so cannot be answered. */
  assert_int_equal(engine_fixture_send(fixture, 0, COPAL_CON, COPAL_CONTENT, EXCHANGE_CALL, COPAL_NEVER, &index),
                   COPAL_OK);
  assert_int_equal(engine_fixture_due(fixture, fixture->engine.now).kind, DUE_TRANSMIT);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid_of(fixture, index), NO_TOKEN).exchange, index);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_ANSWERED);
  assert_int_equal(fixture->engine.exchanges.timers.count, 0);
  engine_fixture_close(fixture);
}

static void a_reset_that_comes_after_the_end_is_late(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
  uint16_t mid = mid_of(fixture, index);
  assert_false(receive(fixture, 0, COPAL_RST, COPAL_EMPTY, mid, NO_TOKEN).late);
  assert_true(receive(fixture, 0, COPAL_RST, COPAL_EMPTY, mid, NO_TOKEN).late);
  assert_int_equal(engine_fixture_exchange(fixture, index)->replies, 2);
  engine_fixture_close(fixture);
}

static void replies_beyond_255_are_not_counted_anew(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
  uint16_t mid = mid_of(fixture, index);
  for (int i = 1; i <= 300; ++i) {
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_EMPTY, mid, NO_TOKEN).kind, VERDICT_ACKNOWLEDGED);
    assert_int_equal(engine_fixture_exchange(fixture, index)->replies, i < 255 ? i : 255);
  }
  /* A Reset that comes now is not the first reply. */
  receive(fixture, 0, COPAL_RST, COPAL_EMPTY, mid, NO_TOKEN);
  assert_int_equal(engine_fixture_exchange(fixture, index)->flags & EXCHANGE_RST, 0);
  engine_fixture_close(fixture);
}

/* RFC 7641 3.6: a client that does not recognise the token "will return a Reset message". On a raw endpoint that is the
 * application's to decide. */
static void a_notification_that_nobody_waits_for_is_rejected(void **state) {
  (void)state;
  for (int raw = 0; raw < 2; ++raw) {
    struct engine_fixture *fixture = open_engine(raw == 1);
    uint8_t datagram[8];
    copal_encoder encoder;
    copal_encode_begin(&encoder, datagram, sizeof datagram, COPAL_NON, COPAL_CONTENT, 1, "t", 1);
    copal_encode_option(&encoder, COPAL_OPTION_OBSERVE, "\x05", 1);
    assert_int_equal(copal_decode(datagram, encoder.size, &fixture->view), COPAL_OK);
    struct incoming incoming = {
        .view = &fixture->view, .datagram = {datagram, encoder.size}, .peer = 0, .unbound = INDEX_NONE};
    struct verdict verdict = engine_receive(&fixture->engine, &incoming, START);
    assert_int_equal(verdict.kind, raw == 1 ? VERDICT_UNMATCHED : VERDICT_REJECT);
    engine_fixture_close(fixture);
  }
}

/* --- Responses ---------------------------------------------------------------------------------- */

/* RFC 7252 5.3.2: "the Message ID of the Confirmable request and the Acknowledgement MUST match, and the tokens of the
 * response and original request MUST match." */
static void t31_a_piggybacked_response_needs_both_id_and_token(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
  uint16_t mid = mid_of(fixture, index);
  uint8_t token[9];
  memcpy(token, token_of(fixture, index).data, 8);
  token[8] = 0;
  copal_bytes own = {token, 8}, longer = {token, 9}, shorter = {token, 7};
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, longer).kind, VERDICT_IGNORE);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, shorter).kind, VERDICT_IGNORE);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, NO_TOKEN).kind, VERDICT_IGNORE);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, (uint16_t)(mid + 1), own).kind, VERDICT_IGNORE);
  assert_int_equal(receive(fixture, 1, COPAL_ACK, COPAL_CONTENT, mid, own).kind, VERDICT_IGNORE);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_WAITING);
  assert_int_equal(engine_fixture_exchange(fixture, index)->replies, 0);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, own).kind, VERDICT_RESPONSE);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_ANSWERED);
  engine_fixture_close(fixture);
}

/* Whoever made the call has been told already; who looks at each message sees this one, too. */
static void a_piggybacked_response_that_comes_again_is_for_raw_endpoints_alone(void **state) {
  (void)state;
  for (int raw = 0; raw < 2; ++raw) {
    struct engine_fixture *fixture = open_engine(raw == 1);
    uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
    uint16_t mid = mid_of(fixture, index);
    uint8_t token[8];
    memcpy(token, token_of(fixture, index).data, 8);
    copal_bytes own = {token, 8};
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, own).kind, VERDICT_RESPONSE);
    assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid, own).kind,
                     raw == 1 ? VERDICT_RESPONSE : VERDICT_IGNORE);
    assert_int_equal(fixture->engine.counters.responses, raw == 1 ? 2 : 1);
    assert_int_equal(engine_fixture_exchange(fixture, index)->replies, 2);
    engine_fixture_close(fixture);
  }
}

/* No response was asked for (RFC 7967), so nobody has been told of one. */
static void a_response_that_was_not_asked_for_is_taken_while_the_request_is_under_way(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_CALL | EXCHANGE_RESPONDED);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_NOT_FOUND, mid_of(fixture, index), own).kind, VERDICT_RESPONSE);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_ANSWERED);
  engine_fixture_close(fixture);
}

/* A separate response before it is what ended the exchange. */
static void a_piggybacked_response_after_a_separate_one_is_ignored(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_RECORD);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  assert_int_equal(receive(fixture, 0, COPAL_CON, COPAL_CONTENT, 1, own).kind, VERDICT_RESPONSE);
  assert_int_equal(receive(fixture, 0, COPAL_ACK, COPAL_CONTENT, mid_of(fixture, index), own).kind, VERDICT_IGNORE);
  engine_fixture_close(fixture);
}

static void a_response_that_comes_again_is_answered_as_before(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_CALL);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  struct incoming incoming;
  assert_int_equal(engine_fixture_receive(fixture, 0, COPAL_CON, COPAL_CONTENT, 5, own, &incoming).kind,
                   VERDICT_RESPONSE);
  struct reply *reply = engine_remember(&fixture->engine, &incoming, 0);
  engine_end(&fixture->engine, index);
  struct verdict again = receive(fixture, 0, COPAL_CON, COPAL_CONTENT, 5, own);
  assert_int_equal(again.kind, VERDICT_REPEAT);
  assert_ptr_equal(again.reply, reply);
  assert_int_equal(receive(fixture, 0, COPAL_CON, COPAL_CONTENT, 6, own).kind, VERDICT_REJECT);
  engine_fixture_close(fixture);
}

/* Sent for nobody, it is about to be forgotten. */
static void a_request_that_nobody_made_a_call_of_has_no_response(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, 0);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  assert_int_equal(receive(fixture, 0, COPAL_NON, COPAL_CONTENT, 5, own).kind, VERDICT_IGNORE);
  assert_int_equal(receive(fixture, 0, COPAL_CON, COPAL_CONTENT, 6, own).kind, VERDICT_REJECT);
  engine_fixture_close(fixture);
}

/* RFC 7252 5.3.2: "In a separate response, just the tokens of the response and original request MUST match." */
static void t31_a_separate_response_is_taken_from_the_server_alone(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint32_t index = transmitted(fixture, COPAL_CON, EXCHANGE_CALL);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  assert_int_equal(receive(fixture, 1, COPAL_CON, COPAL_CONTENT, 1, own).kind, VERDICT_REJECT);
  assert_int_equal(receive(fixture, 1, COPAL_NON, COPAL_CONTENT, 1, own).kind, VERDICT_IGNORE);
  assert_int_equal(receive(fixture, INDEX_NONE, COPAL_NON, COPAL_CONTENT, 1, own).kind, VERDICT_IGNORE);
  /* RFC 7252 5.2.2: the response may come before the ACK, which is then no longer needed */
  struct verdict verdict = receive(fixture, 0, COPAL_NON, COPAL_CONTENT, 2, own);
  assert_int_equal(verdict.kind, VERDICT_RESPONSE);
  assert_int_equal(verdict.exchange, index);
  assert_int_equal(fixture->engine.exchanges.timers.count, 0);
  engine_fixture_close(fixture);
}

/* RFC 7252 8.2: "When matching a response to a multicast request, only the token MUST match". */
static void a_group_is_answered_by_many_and_goes_on_listening(void **state) {
  (void)state;
  struct engine_fixture *fixture = open_engine(false);
  uint8_t message[4] = {0x50, COPAL_GET, 0, 0};
  struct transmission transmission = {.peer = 0,
                                      .type = COPAL_NON,
                                      .message = {message, 4},
                                      .multicast = true,
                                      .flags = EXCHANGE_CALL,
                                      .timeout = COPAL_NEVER};
  uint32_t index;
  assert_int_equal(engine_send(&fixture->engine, &transmission, &index), COPAL_OK);
  assert_int_equal(engine_fixture_due(fixture, START).kind, DUE_TRANSMIT);
  uint8_t token[8];
  memcpy(token, token_of(fixture, index).data, 8);
  copal_bytes own = {token, 8};
  for (uint32_t peer = 1; peer < 4; ++peer)
    assert_int_equal(receive(fixture, peer, COPAL_NON, COPAL_CONTENT, 9, own).kind, VERDICT_RESPONSE);
  assert_int_equal(receive(fixture, INDEX_NONE, COPAL_CON, COPAL_CONTENT, 9, own).kind, VERDICT_RESPONSE);
  assert_int_equal(engine_fixture_exchange(fixture, index)->state, EXCHANGE_SENT);
  engine_fixture_close(fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t11_t12_t13_every_type_with_every_code_gets_its_verdict),
      cmocka_unit_test(t30_an_ack_or_a_reset_matches_by_peer_and_id_and_nothing_else),
      cmocka_unit_test(what_was_not_sent_yet_cannot_be_answered),
      cmocka_unit_test(a_non_is_not_acknowledged_but_may_draw_a_reset),
      cmocka_unit_test(an_ack_lets_a_call_expect_its_response_and_the_next_one_go),
      cmocka_unit_test(an_ack_to_the_last_transmission_is_not_too_late),
      cmocka_unit_test(an_address_is_verified_by_an_ack_or_by_a_token_that_cannot_be_guessed),
      cmocka_unit_test(a_ping_that_is_acknowledged_verifies_nothing),
      cmocka_unit_test(a_response_of_ours_is_forgotten_once_it_is_acknowledged_or_reset),
      cmocka_unit_test(an_ack_of_a_response_of_ours_may_say_what_it_likes),
      cmocka_unit_test(who_observes_is_found_by_token_alone_until_its_time),
      cmocka_unit_test(the_ack_of_a_renewal_that_was_crossed_answers_a_con_alone),
      cmocka_unit_test(a_call_that_nobody_is_to_answer_ends_with_its_ack),
      cmocka_unit_test(a_reset_that_comes_after_the_end_is_late),
      cmocka_unit_test(replies_beyond_255_are_not_counted_anew),
      cmocka_unit_test(a_notification_that_nobody_waits_for_is_rejected),
      cmocka_unit_test(t31_a_piggybacked_response_needs_both_id_and_token),
      cmocka_unit_test(a_piggybacked_response_that_comes_again_is_for_raw_endpoints_alone),
      cmocka_unit_test(a_response_that_was_not_asked_for_is_taken_while_the_request_is_under_way),
      cmocka_unit_test(a_piggybacked_response_after_a_separate_one_is_ignored),
      cmocka_unit_test(a_response_that_comes_again_is_answered_as_before),
      cmocka_unit_test(a_request_that_nobody_made_a_call_of_has_no_response),
      cmocka_unit_test(t31_a_separate_response_is_taken_from_the_server_alone),
      cmocka_unit_test(a_group_is_answered_by_many_and_goes_on_listening),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
