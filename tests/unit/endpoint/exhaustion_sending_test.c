/* Tables that an endpoint fills by sending: each is filled to the brim, the next one gets the answer that stands with
 * its limit in copal_config, nothing else stops, and what is released can be taken again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/brim.h"

enum { FIRST_PORT = 6000 };

static copal_error send_to(struct brim *brim, uint16_t port, size_t payload, copal_tx *tx) {
  struct bare_message message;
  copal_path path = bare_path(port);
  bare_write(&message, COPAL_CON, COPAL_PUT, "a", NULL);
  if (payload > 0) copal_message_set_payload(&message.message, brim_body(), payload);
  return copal_send_path(brim->endpoint, &message.message, &path, tx);
}

static void cancel(struct brim *brim, copal_tx tx) { assert_int_equal(copal_cancel(brim->endpoint, tx), COPAL_OK); }

/* "When all are busy, others are not listened to, and what is sent to others is COPAL_ERR_PEERS_FULL." */
static void busy_peers_are_kept_and_others_are_not_listened_to(void **state) {
  (void)state;
  enum { PEERS = 3 };
  copal_config config = brim_config();
  config.peers_max = PEERS;
  struct brim brim;
  brim_open(&brim, &config);
  copal_tx tx[PEERS + 1];
  for (uint16_t i = 0; i < PEERS; ++i) assert_int_equal(send_to(&brim, FIRST_PORT + i, 0, &tx[i]), COPAL_OK);
  bare_out(brim.bare);
  assert_int_equal(brim.bare->sent_count, PEERS);

  assert_int_equal(send_to(&brim, FIRST_PORT + PEERS, 0, &tx[PEERS]), COPAL_ERR_PEERS_FULL);
  uint64_t ignored = brim_counters(&brim)->ignored;
  assert_int_equal(brim_get(&brim, FIRST_PORT + PEERS, "/ok"), COPAL_EMPTY);
  assert_int_equal(brim_counters(&brim)->ignored, ignored + 1);
  assert_int_equal(brim_counters(&brim)->peers_full, 2);
  for (uint16_t i = 0; i < PEERS; ++i) {
    assert_int_equal(brim_get(&brim, FIRST_PORT + i, "/ok"), COPAL_CONTENT);
    assert_int_equal(brim_post(&brim, FIRST_PORT + i), COPAL_CHANGED);
  }

  cancel(&brim, tx[0]);
  assert_int_equal(send_to(&brim, FIRST_PORT + PEERS, 0, &tx[0]), COPAL_OK);
  assert_int_equal(send_to(&brim, FIRST_PORT + PEERS + 1, 0, &tx[PEERS]), COPAL_ERR_PEERS_FULL);
  for (int i = 0; i < PEERS; ++i) cancel(&brim, tx[i]);
  /* Idle ones make room. */
  uint64_t evicted = brim_counters(&brim)->peers_evicted;
  for (uint16_t i = 0; i < 3 * PEERS; ++i)
    assert_int_equal(brim_get(&brim, FIRST_PORT + 100 + i, "/ok"), COPAL_CONTENT);
  assert_int_equal(brim_counters(&brim)->peers_evicted, evicted + 3 * PEERS);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

static void full_exchanges_refuse_what_is_sent_and_nothing_else(void **state) {
  (void)state;
  enum { EXCHANGES = 5 };
  copal_config config = brim_config();
  config.exchanges_max = EXCHANGES;
  struct brim brim;
  brim_open(&brim, &config);
  copal_tx tx[EXCHANGES + 1], pinged;
  struct bare_call called;
  copal_call call;
  copal_address remote = bare_address(FIRST_PORT);
  for (uint16_t i = 0; i < EXCHANGES; ++i) assert_int_equal(send_to(&brim, FIRST_PORT + i, 0, &tx[i]), COPAL_OK);
  bare_out(brim.bare);
  assert_int_equal(brim_usage(&brim).exchanges, EXCHANGES);

  assert_int_equal(send_to(&brim, FIRST_PORT, 0, &tx[EXCHANGES]), COPAL_ERR_EXCHANGES_FULL);
  assert_int_equal(brim_begin_request(&brim, FIRST_PORT, &called, NULL), COPAL_ERR_EXCHANGES_FULL);
  assert_int_equal(brim_begin_call(&brim, FIRST_PORT, &call), COPAL_ERR_EXCHANGES_FULL);
  assert_int_equal(copal_ping_send(brim.endpoint, &remote, COPAL_NEVER, bare_called, &called, &pinged),
                   COPAL_ERR_EXCHANGES_FULL);
  assert_works_but(&brim, BRIM_ASKING | BRIM_CALLING | BRIM_OBSERVING);

  cancel(&brim, tx[0]);
  assert_works_but(&brim, BRIM_OBSERVING); /* of which a quarter is kept free */
  assert_int_equal(send_to(&brim, FIRST_PORT, 0, &tx[0]), COPAL_OK);
  assert_int_equal(send_to(&brim, FIRST_PORT, 0, &tx[EXCHANGES]), COPAL_ERR_EXCHANGES_FULL);
  for (int i = 0; i < EXCHANGES; ++i) cancel(&brim, tx[i]);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "When a quarter is in use, groups are not answered". */
static void a_quarter_of_the_exchanges_is_all_that_groups_get(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.exchanges_max = 8;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < 4; ++i) {
    copal_path path = bare_group_path(FIRST_PORT + i);
    char hex[32];
    snprintf(hex, sizeof hex, "5001%04xb26f6b", 100 + i);
    bare_in_path(brim.bare, &path, hex);
    assert_int_equal(brim_usage(&brim).exchanges, i < 2 ? i + 1 : 2);
  }
  assert_int_equal(brim_counters(&brim)->ignored, 2);
  brim.bare->now += config.parameters.leisure;
  bare_out(brim.bare);
  assert_int_equal(brim.bare->sent_count, 2);
  brim.bare->now += 300 * COPAL_SECOND;
  bare_out(brim.bare);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

static void a_message_is_as_large_as_it_may_be_and_no_larger(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.message_size_max = 128;
  struct brim brim;
  brim_open(&brim, &config);
  copal_tx tx;
  /* Header, token, Uri-Path "a", payload marker. */
  size_t room = 128;
  while (send_to(&brim, FIRST_PORT, room, &tx) != COPAL_OK) --room;
  assert_int_equal(bare_out_one(brim.bare)->size, 128);
  cancel(&brim, tx);
  assert_int_equal(send_to(&brim, FIRST_PORT, room + 1, &tx), COPAL_ERR_MESSAGE_SIZE);

  struct brim_ask ask = {.code = COPAL_POST, .path = "/ok"};
  uint8_t bytes[512];
  ask.payload = 128 - brim_write(&brim, bytes, &ask) - 1;
  assert_int_equal(brim_answer(&brim, FIRST_PORT, &ask), COPAL_CHANGED);
  ++ask.payload;
  assert_int_equal(brim_answer(&brim, FIRST_PORT, &ask), COPAL_REQUEST_ENTITY_TOO_LARGE);
  assert_int_equal(brim.executed, 1);

  /* A response that is too large: a Reset, and the request has failed. */
  struct bare_call called;
  assert_int_equal(brim_begin_request(&brim, FIRST_PORT, &called, NULL), COPAL_OK);
  char token[33];
  bare_token(bare_out_one(brim.bare), token);
  char hex[300];
  int at = snprintf(hex, sizeof hex, "4%zx45%04x%sff", strlen(token) / 2, 77, token);
  while (at < 2 * 129) at += snprintf(hex + at, sizeof hex - (size_t)at, "00");
  bare_in_from(brim.bare, FIRST_PORT, "%s", hex);
  assert_int_equal(bare_out_one(brim.bare)->view.type, COPAL_RST);
  assert_int_equal(called.error, COPAL_ERR_RESPONSE_REJECTED);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "each takes a power of two, 32 or more": four of 256 bytes, or thirty-two of 32. */
static void full_memory_for_messages_refuses_what_is_sent_and_nothing_else(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.messages_size = 1024;
  for (int turn = 0; turn < 2; ++turn) {
    uint16_t count = turn == 0 ? 4 : 32;
    size_t payload = turn == 0 ? 200 : 0;
    struct brim brim;
    brim_open(&brim, &config);
    copal_tx tx[33];
    struct bare_call called;
    for (uint16_t i = 0; i < count; ++i) assert_int_equal(send_to(&brim, FIRST_PORT + i, payload, &tx[i]), COPAL_OK);
    bare_out(brim.bare);
    assert_int_equal(brim_usage(&brim).messages_size, 1024);

    assert_int_equal(send_to(&brim, FIRST_PORT, payload, &tx[count]), COPAL_ERR_MESSAGES_FULL);
    assert_int_equal(brim_begin_request(&brim, FIRST_PORT, &called, NULL), COPAL_ERR_MESSAGES_FULL);
    assert_int_equal(brim_get(&brim, BRIM_OTHER_PORT, "/later"), COPAL_SERVICE_UNAVAILABLE);
    assert_int_equal(brim.defer_error, COPAL_ERR_DEFERRED_FULL);
    assert_works_but(&brim, BRIM_ASKING | BRIM_CALLING | BRIM_DEFERRING | BRIM_OBSERVING);

    cancel(&brim, tx[1]);
    bare_out(brim.bare);
    assert_works_but(&brim, BRIM_OBSERVING | BRIM_CALLING);
    assert_int_equal(send_to(&brim, FIRST_PORT, payload, &tx[1]), COPAL_OK);
    assert_int_equal(send_to(&brim, FIRST_PORT, payload, &tx[count]), COPAL_ERR_MESSAGES_FULL);
    for (int i = 0; i < count; ++i) cancel(&brim, tx[i]);
    bare_out(brim.bare);
    assert_works_but(&brim, 0);
    brim_close(&brim);
  }
}

/* "ACKs and RSTs kept with their transmissions (copal_tx_response); more are not." They are handed out all the same. */
static void full_receptions_keep_no_more_but_hand_out_all(void **state) {
  (void)state;
  enum { RECEPTIONS = 3 };
  copal_config config = brim_config();
  config.receptions_max = RECEPTIONS;
  config.raw = true;
  struct brim brim;
  brim_open(&brim, &config);
  copal_tx tx[RECEPTIONS + 2];
  copal_rx rx;
  for (uint16_t i = 0; i < RECEPTIONS + 2; ++i) {
    assert_int_equal(send_to(&brim, FIRST_PORT + i, 0, &tx[i]), COPAL_OK);
    bare_in_from(brim.bare, FIRST_PORT + i, "6000%04x", bare_out_one(brim.bare)->view.message_id);
    assert_true(copal_same_tx(bare_rx(brim.bare).pertains_to, tx[i]));
    assert_int_equal(copal_tx_response(brim.endpoint, tx[i], 0, &rx), i < RECEPTIONS ? COPAL_OK : COPAL_ERR_NOT_FOUND);
    assert_int_equal(bare_info(brim.bare, tx[i]).state, COPAL_TX_ANSWERED);
  }
  assert_int_equal(brim_usage(&brim).receptions, RECEPTIONS);
  assert_int_equal(brim_counters(&brim)->receptions_full, 2);

  cancel(&brim, tx[0]);
  assert_int_equal(send_to(&brim, FIRST_PORT, 0, &tx[0]), COPAL_OK);
  bare_in_from(brim.bare, FIRST_PORT, "6000%04x", bare_out_one(brim.bare)->view.message_id);
  bare_rx(brim.bare);
  assert_int_equal(copal_tx_response(brim.endpoint, tx[0], 0, &rx), COPAL_OK);
  assert_int_equal(brim_usage(&brim).receptions, RECEPTIONS);
  for (int i = 0; i < RECEPTIONS + 2; ++i) cancel(&brim, tx[i]);
  brim_close(&brim);
}

static void full_calls_refuse_calls_and_nothing_else(void **state) {
  (void)state;
  enum { CALLS = 3 };
  copal_config config = brim_config();
  config.calls_max = CALLS;
  struct brim brim;
  brim_open(&brim, &config);
  copal_call call[CALLS + 1];
  for (uint16_t i = 0; i < CALLS; ++i) assert_int_equal(brim_begin_call(&brim, FIRST_PORT + i, &call[i]), COPAL_OK);
  assert_int_equal(brim_usage(&brim).calls, CALLS);
  bare_out(brim.bare);
  struct bare_sent first = brim.bare->sent[0];
  uint8_t bytes[64];
  memcpy(bytes, first.bytes, first.size);
  assert_int_equal(copal_decode(bytes, first.size, &first.view), COPAL_OK);

  assert_int_equal(brim_begin_call(&brim, FIRST_PORT, &call[CALLS]), COPAL_ERR_CALLS_FULL);
  assert_works_but(&brim, BRIM_CALLING);

  brim_respond(&brim, &first);
  assert_int_equal(brim.ended, 1);
  assert_works_but(&brim, 0);
  assert_int_equal(brim_begin_call(&brim, FIRST_PORT, &call[0]), COPAL_OK);
  assert_int_equal(brim_begin_call(&brim, FIRST_PORT, &call[CALLS]), COPAL_ERR_CALLS_FULL);
  for (int i = 0; i < CALLS; ++i) assert_int_equal(copal_call_cancel(brim.endpoint, call[i], false), COPAL_OK);
  brim_close(&brim);
}

/* RFC 8974 3: what carries its state in its token takes a place only until the output after the one that sent it. */
static void requests_without_state_fill_nothing(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.exchanges_max = 2;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint32_t i = 0; i < 100; ++i) {
    struct bare_message message;
    copal_address remote = bare_address(FIRST_PORT);
    copal_bytes context = {(const uint8_t *)&i, sizeof i};
    assert_int_equal(
        copal_stateless_send(brim.endpoint, bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL), &remote, context),
        COPAL_OK);
    bare_out_one(brim.bare);
  }
  assert_out(brim.bare, "");
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(busy_peers_are_kept_and_others_are_not_listened_to),
      cmocka_unit_test(full_exchanges_refuse_what_is_sent_and_nothing_else),
      cmocka_unit_test(a_quarter_of_the_exchanges_is_all_that_groups_get),
      cmocka_unit_test(a_message_is_as_large_as_it_may_be_and_no_larger),
      cmocka_unit_test(full_memory_for_messages_refuses_what_is_sent_and_nothing_else),
      cmocka_unit_test(full_receptions_keep_no_more_but_hand_out_all),
      cmocka_unit_test(full_calls_refuse_calls_and_nothing_else),
      cmocka_unit_test(requests_without_state_fill_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
