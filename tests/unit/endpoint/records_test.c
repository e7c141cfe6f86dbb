/* Records as coapy has them, row by row of docs/coapy.md: S8 to S10, S12, S33 to S35, S40 to S55. Raw endpoints:
 * the application acknowledges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static const copal_time START = 1000 * COPAL_SECOND;

static struct bare *open_raw(void) {
  copal_config config = copal_config_small();
  config.raw = true;
  config.receptions_max = 3;
  return bare_open(&config);
}

/* A CON GET to the default port, transmitted once. */
static copal_tx transmitted(struct bare *bare, copal_type type) {
  copal_tx tx = bare_send(bare, BARE_PORT, type, COPAL_GET);
  bare_out_one(bare);
  return tx;
}

/* Sleeps until the endpoint's next deadline, the end of the record's lifetime not included. */
static void give_up(struct bare *bare, copal_tx tx) {
  while (bare_info(bare, tx).next_event_time != COPAL_NEVER) {
    bare->now = bare_info(bare, tx).next_event_time;
    bare_out(bare);
  }
}

/* --- Sending: S8 to S12 ------------------------------------------------------------------------- */

/* RFC 7252 4.3: "A Non-confirmable message always carries either a request or response and MUST NOT be Empty." */
static void s08_only_con_and_non_can_be_sent(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  static const copal_type wrong[] = {COPAL_ACK, COPAL_RST};
  for (size_t i = 0; i < 2; ++i) {
    copal_message *written = bare_write(&message, wrong[i], COPAL_CONTENT, NULL, NULL);
    assert_int_equal(copal_send(bare->endpoint, written, &remote, NULL), COPAL_ERR_TYPE);
  }
  assert_int_equal(copal_send(bare->endpoint, bare_write(&message, COPAL_NON, COPAL_EMPTY, NULL, NULL), &remote, NULL),
                   COPAL_ERR_TYPE);
  assert_out(bare, "");
  bare_close(bare);
}

static void s09_each_send_returns_a_record_of_its_own(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx a = bare_send(bare, 7001, COPAL_CON, COPAL_GET), b = bare_send(bare, 7001, COPAL_CON, COPAL_GET);
  assert_false(copal_tx_none(a));
  assert_true(copal_same_tx(a, a));
  assert_false(copal_same_tx(a, b));
  copal_tx none = {0, 0};
  copal_tx_info info;
  assert_false(copal_same_tx(none, none));
  assert_int_equal(copal_tx_get(bare->endpoint, none, &info), COPAL_ERR_STALE);
  bare_close(bare);
}

static void s10_send_only_queues_and_packs_at_once(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_tx tx;
  copal_message *written = bare_write(&message, COPAL_CON, COPAL_PUT, "a", "before");
  assert_int_equal(copal_send(bare->endpoint, written, &remote, &tx), COPAL_OK);
  bare_write(&message, COPAL_NON, COPAL_DELETE, "another", "after");
  assert_int_equal(copal_endpoint_counters(bare->endpoint)->datagrams_out, 0);
  assert_int_equal(copal_endpoint_deadline(bare->endpoint), 0);
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(sent->view.code, COPAL_PUT);
  assert_int_equal(sent->view.type, COPAL_CON);
  assert_int_equal(sent->view.payload.size, 6);
  assert_memory_equal(sent->view.payload.data, "before", 6);
  bare_close(bare);
}

static void s12_one_message_may_be_sent_many_times_with_an_id_each(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_message *written = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL);
  uint16_t ids[5];
  for (int i = 0; i < 5; ++i) {
    copal_tx tx;
    assert_int_equal(copal_send(bare->endpoint, written, &remote, &tx), COPAL_OK);
    ids[i] = bare_info(bare, tx).message_id;
    for (int k = 0; k < i; ++k) assert_int_not_equal(ids[i], ids[k]);
  }
  assert_int_equal(copal_message_view(written).message_id, 0);
  assert_int_equal(copal_message_view(written).token.size, 0);
  bare_close(bare);
}

/* --- Answering: S33 to S35 ---------------------------------------------------------------------- */

/* RFC 7252 4.3: "A Non-confirmable message MUST NOT be acknowledged by the recipient." RFC 7252 4.2: "The
 * Acknowledgement message MUST echo the Message ID of the Confirmable message and MUST carry a response or be
 * Empty". */
static void s33_ack_is_empty_or_carries_the_response_and_comes_once(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  bare_expect(bare, "42017d34 aabb b161", "");
  copal_rx rx = bare_rx(bare);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_ERR_RESPONDED);
  assert_int_equal(copal_reset(&rx), COPAL_ERR_RESPONDED);
  assert_out(bare, "60007d34");

  bare_in(bare, "42017d35aabbb161");
  rx = bare_rx(bare);
  struct bare_message message;
  bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, "hi");
  assert_int_equal(copal_ack(&rx, &message.message), COPAL_OK);
  assert_int_equal(copal_ack(&rx, &message.message), COPAL_ERR_RESPONDED);
  assert_out(bare, "62457d35aabbff6869");
  bare_expect(bare, "42017d35aabbb161", "62457d35aabbff6869"); /* a duplicate gets the same, and is not handed out */
  assert_false(bare_has_event(bare));

  bare_in(bare, "5201 7d36 aabb b161");
  rx = bare_rx(bare);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_ERR_TYPE); /* RFC 7252 4.3 */
  assert_out(bare, "");
  bare_close(bare);
}

static void s33_copies_of_a_reception_record_share_its_answer(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  bare_in(bare, "40017d34b161");
  copal_rx rx = bare_rx(bare), copy = rx;
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  assert_false(copy.has_responded);
  assert_int_equal(copal_ack(&copy, NULL), COPAL_ERR_RESPONDED);
  assert_out(bare, "60007d34");
  bare_close(bare);
}

/* RFC 7252 4.2: "The Reset message MUST echo the Message ID of the Confirmable message and MUST be Empty." */
static void s34_reset_rejects_a_con_and_a_non_but_nothing_from_a_group(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  bare_in(bare, "40017d34b161");
  copal_rx rx = bare_rx(bare);
  assert_int_equal(copal_reset(&rx), COPAL_OK);
  assert_out(bare, "70007d34");
  bare_expect(bare, "40017d34b161", "70007d34");

  bare_in(bare, "50017d35b161");
  rx = bare_rx(bare);
  assert_int_equal(copal_reset(&rx), COPAL_OK);
  assert_int_equal(copal_reset(&rx), COPAL_ERR_RESPONDED);
  assert_out(bare, "70007d35");

  copal_path group = bare_group_path(BARE_PORT);
  bare_in_path(bare, &group, "50017d36b161");
  rx = bare_rx(bare);
  assert_true(rx.multicast);
  assert_int_equal(copal_reset(&rx), COPAL_ERR_TYPE);
  assert_out(bare, "");
  bare_close(bare);
}

static void s35_has_responded_says_whether_an_answer_is_owed(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  bare_in(bare, "40017d34b161");
  copal_rx rx = bare_rx(bare);
  assert_false(rx.has_responded);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  assert_true(rx.has_responded);
  static const char *const owe_nothing[] = {"50017d35b161", "60007d36", "70007d37", "60457d38"};
  for (size_t i = 0; i < 4; ++i) {
    bare_in(bare, "%s", owe_nothing[i]);
    assert_true(bare_rx(bare).has_responded);
  }
  bare_close(bare);
}

/* --- S40: what a message answers ---------------------------------------------------------------- */

static void s40_an_ack_or_reset_pertains_to_the_transmission_with_its_remote_and_id(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = transmitted(bare, COPAL_CON);
  uint16_t mid = bare_info(bare, tx).message_id;
  bare_in_from(bare, 7777, "6000%04x", mid);
  assert_true(copal_tx_none(bare_rx(bare).pertains_to));
  bare_in(bare, "6000%04x", (mid + 1) & 0xffff);
  assert_true(copal_tx_none(bare_rx(bare).pertains_to));
  bare_in(bare, "7000%04x", mid);
  copal_rx rx = bare_rx(bare);
  assert_true(copal_same_tx(rx.pertains_to, tx));
  assert_int_equal(rx.type, COPAL_RST);
  bare_close(bare);
}

static void s40_a_separate_response_names_its_request_and_pertains_to_nothing(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  char token[33];
  bare_token(bare_out_one(bare), token);
  bare_in(bare, "6000%04x", bare_info(bare, tx).message_id);
  bare_rx(bare);
  assert_false(bare_info(bare, tx).has_response);
  bare_in(bare, "4845abcd%sff33", token);
  copal_rx rx = bare_rx(bare);
  assert_true(copal_tx_none(rx.pertains_to));
  assert_true(copal_same_tx(rx.request, tx));
  assert_true(bare_info(bare, tx).has_response);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  assert_out(bare, "6000abcd");
  bare_close(bare);
}

static void s40_a_piggybacked_response_does_both(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  char token[33];
  const struct bare_sent *sent = bare_out_one(bare);
  bare_in(bare, "6845%04x%sff33", sent->view.message_id, bare_token(sent, token));
  copal_rx rx = bare_rx(bare);
  assert_true(copal_same_tx(rx.pertains_to, tx));
  assert_true(copal_same_tx(rx.request, tx));
  bare_close(bare);
}

static void s40_nothing_pertains_to_an_expired_transmission(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = transmitted(bare, COPAL_CON);
  uint16_t mid = bare_info(bare, tx).message_id;
  give_up(bare, tx);
  bare->now = START + 247 * COPAL_SECOND;
  bare_out(bare);
  assert_true(bare_is_gone(bare, tx));
  while (bare_has_event(bare)) continue;
  bare_in(bare, "6000%04x", mid);
  assert_true(copal_tx_none(bare_rx(bare).pertains_to));
  bare_close(bare);
}

/* --- S41 to S48 --------------------------------------------------------------------------------- */

static void s41_to_s45_a_transmission_record_knows_endpoint_message_remote_and_id(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, 7001, COPAL_NON, COPAL_DELETE);
  copal_tx_info info = bare_info(bare, tx);
  copal_address remote = bare_address(7001);
  assert_ptr_equal(info.endpoint, bare->endpoint);
  assert_true(copal_address_equal(&info.path.remote, &remote));
  assert_int_equal(info.type, COPAL_NON);
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(sent->view.message_id, info.message_id);
  assert_int_equal(sent->view.code, COPAL_DELETE);
  assert_true(copal_address_equal(&sent->path.remote, &remote));
  bare_close(bare);
}

static void s46_the_same_octets_go_at_every_retransmission(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  uint8_t first[64];
  copal_bytes packed = bare_info(bare, tx).packed;
  memcpy(first, packed.data, packed.size);
  int transmissions = 0;
  for (; bare_info(bare, tx).next_event_time != COPAL_NEVER; bare->now = copal_endpoint_deadline(bare->endpoint)) {
    if (bare->now == 0) bare->now = START;
    bare_out(bare);
    for (size_t i = 0; i < bare->sent_count; ++i, ++transmissions) {
      assert_int_equal(bare->sent[i].size, packed.size);
      assert_memory_equal(bare->sent[i].bytes, first, packed.size);
    }
  }
  assert_int_equal(transmissions, 5);
  bare_close(bare);
}

static void s47_s48_times_of_the_first_transmission_and_of_the_last_event(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  assert_true(bare_info(bare, tx).transmission_time == COPAL_NEVER);
  assert_true(bare_info(bare, tx).last_event_time == COPAL_NEVER);
  bare->now = START + 5;
  bare_out(bare);
  assert_true(bare_info(bare, tx).transmission_time == START + 5);
  assert_true(bare_info(bare, tx).last_event_time == START + 5);
  copal_time second = bare_info(bare, tx).next_event_time;
  bare->now = second;
  bare_out(bare);
  assert_true(bare_info(bare, tx).transmission_time == START + 5);
  assert_true(bare_info(bare, tx).last_event_time == second);
  bare->now += 7;
  bare_in(bare, "6000%04x", bare_info(bare, tx).message_id);
  assert_true(bare_info(bare, tx).last_event_time == second + 7);
  bare_close(bare);
}

/* --- S49 to S51: what is to come ----------------------------------------------------------------- */

static void s49_next_event_is_now_then_retransmissions_then_the_last_wait_then_none(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  assert_true(bare_info(bare, tx).next_event_time == START);
  copal_tx queued = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  bare_out(bare);
  /* RFC 7252 4.7 rules: queued behind the first, it has no transmission and all of them left */
  assert_true(bare_info(bare, queued).transmission_time == COPAL_NEVER);
  assert_int_equal(bare_info(bare, queued).transmissions_left, 5);
  assert_int_equal(bare_info(bare, queued).state, COPAL_TX_QUEUED);
  copal_time wait = bare_info(bare, tx).next_event_time - START;
  assert_in_range(wait, 2 * COPAL_SECOND, 3 * COPAL_SECOND);
  bare->now += wait;
  bare_out(bare);
  assert_true(bare_info(bare, tx).next_event_time == bare->now + 2 * wait);
  assert_int_equal(copal_cancel(bare->endpoint, queued), COPAL_OK);
  give_up(bare, tx);
  assert_true(bare_info(bare, tx).next_event_time == COPAL_NEVER);
  assert_true(bare->now == START + 31 * wait);

  copal_tx answered = transmitted(bare, COPAL_CON);
  bare_in(bare, "6000%04x", bare_info(bare, answered).message_id);
  assert_true(bare_info(bare, answered).next_event_time == COPAL_NEVER);
  bare_close(bare);
}

static void s49_a_non_waits_one_interval(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = transmitted(bare, COPAL_NON);
  assert_int_equal(bare_info(bare, tx).state, COPAL_TX_LAST_WAIT);
  copal_time wait = bare_info(bare, tx).next_event_time - START;
  assert_in_range(wait, 2 * COPAL_SECOND, 3 * COPAL_SECOND);
  bare->now += wait;
  assert_out(bare, "");
  assert_true(bare_info(bare, tx).next_event_time == COPAL_NEVER);
  assert_int_equal(bare_info(bare, tx).state, COPAL_TX_ANSWERED);
  assert_false(bare_info(bare, tx).is_unacknowledged);
  bare_close(bare);
}

static void s50_transmissions_left_counts_down_from_5_or_1(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx con = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET), non = bare_send(bare, 7001, COPAL_NON, COPAL_GET);
  assert_int_equal(bare_info(bare, con).transmissions_left, 5);
  assert_int_equal(bare_info(bare, non).transmissions_left, 1);
  for (uint8_t left = 4; left < 5; --left) {
    bare_out(bare);
    copal_tx_info info = bare_info(bare, con);
    assert_int_equal(info.transmissions_left, left);
    assert_int_equal(info.transmissions, 5 - left);
    assert_int_equal(info.state, left > 0 ? COPAL_TX_WAITING : COPAL_TX_LAST_WAIT);
    assert_true(info.next_event_time != COPAL_NEVER);
    assert_int_equal(bare_info(bare, non).transmissions_left, 0);
    bare->now = info.next_event_time;
  }
  copal_tx answered = bare_send(bare, 7002, COPAL_CON, COPAL_GET);
  bare_out(bare);
  bare_in_from(bare, 7002, "6000%04x", bare_info(bare, answered).message_id);
  assert_int_equal(bare_info(bare, answered).transmissions_left, 0);
  bare_close(bare);
}

static void s51_unacknowledged_is_a_con_whose_last_wait_is_over(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  while (bare_info(bare, tx).next_event_time != COPAL_NEVER) {
    assert_false(bare_info(bare, tx).is_unacknowledged);
    bare->now = bare_info(bare, tx).next_event_time;
    bare_out(bare);
  }
  assert_true(bare_info(bare, tx).is_unacknowledged);
  assert_int_equal(bare_info(bare, tx).state, COPAL_TX_UNACKNOWLEDGED);
  copal_event event;
  assert_true(copal_endpoint_event(bare->endpoint, &event));
  assert_int_equal(event.kind, COPAL_EVENT_FAILED);
  assert_int_equal(event.error, COPAL_ERR_TIMEOUT);
  assert_true(copal_same_tx(event.tx, tx));

  bare_in(bare, "6000%04x", bare_info(bare, tx).message_id); /* late, but within its lifetime */
  assert_true(copal_same_tx(bare_rx(bare).pertains_to, tx));
  assert_false(bare_info(bare, tx).is_unacknowledged);
  assert_int_equal(bare_info(bare, tx).response_type, COPAL_ACK);
  assert_false(bare_has_event(bare)); /* the failure was reported once */
  bare_close(bare);
}

/* --- S52 to S55 --------------------------------------------------------------------------------- */

static void s52_s53_the_first_and_all_acks_and_resets_are_kept_as_far_as_there_is_room(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = transmitted(bare, COPAL_CON);
  uint16_t mid = bare_info(bare, tx).message_id;
  copal_rx rx;
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 0, &rx), COPAL_ERR_NOT_FOUND);
  for (int i = 0; i < 5; ++i) {
    bare->now += COPAL_SECOND;
    bare_in(bare, "%s%04x", i == 1 ? "7000" : "6000", mid);
    assert_true(copal_same_tx(bare_rx(bare).pertains_to, tx));
  }
  assert_int_equal(bare_info(bare, tx).responses_count, 5);
  for (unsigned i = 0; i < 3; ++i) {
    assert_int_equal(copal_tx_response(bare->endpoint, tx, i, &rx), COPAL_OK);
    assert_int_equal(rx.type, i == 1 ? COPAL_RST : COPAL_ACK);
    assert_int_equal(rx.message.message_id, mid);
    assert_true(rx.time == START + (i + 1) * COPAL_SECOND);
    assert_true(copal_same_tx(rx.pertains_to, tx));
    assert_true(rx.has_responded);
  }
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 3, &rx), COPAL_ERR_NOT_FOUND);
  assert_int_equal(copal_endpoint_counters(bare->endpoint)->receptions_full, 2);
  assert_int_equal(copal_cancel(bare->endpoint, tx), COPAL_OK);
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 0, &rx), COPAL_ERR_STALE);
  bare_close(bare);
}

static void s54_the_type_of_the_first_reply_stays(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  copal_tx tx = transmitted(bare, COPAL_CON), reset = bare_send(bare, 7001, COPAL_CON, COPAL_GET);
  bare_out(bare);
  assert_int_equal(bare_info(bare, tx).response_type, -1);
  bare_in(bare, "6000%04x", bare_info(bare, tx).message_id);
  bare_rx(bare);
  bare_in(bare, "7000%04x", bare_info(bare, tx).message_id);
  bare_rx(bare);
  assert_int_equal(bare_info(bare, tx).response_type, COPAL_ACK);
  bare_in_from(bare, 7001, "7000%04x", bare_info(bare, reset).message_id);
  bare_rx(bare);
  bare_in_from(bare, 7001, "6000%04x", bare_info(bare, reset).message_id);
  bare_rx(bare);
  assert_int_equal(bare_info(bare, reset).response_type, COPAL_RST);

  copal_tx non = bare_send(bare, 7002, COPAL_NON, COPAL_GET);
  assert_int_equal(bare_info(bare, non).response_type, COPAL_NON);
  bare_out(bare);
  bare_in_from(bare, 7002, "7000%04x", bare_info(bare, non).message_id);
  assert_int_equal(bare_info(bare, non).response_type, COPAL_NON); /* though it drew a Reset */
  assert_int_equal(bare_info(bare, non).responses_count, 1);
  bare_close(bare);
}

/* RFC 7252 8.1: "Such multicast requests MUST be Non-confirmable." */
static void s55_groups_are_told_by_their_bytes_and_get_no_con(void **state) {
  (void)state;
  static const struct {
    copal_address address;
    bool multicast;
  } cases[] = {{{.bytes = {223, 255, 255, 255}, .family = COPAL_FAMILY_IPV4}, false},
               {{.bytes = {224, 0, 0, 0}, .family = COPAL_FAMILY_IPV4}, true},
               {{.bytes = {239, 255, 255, 255}, .family = COPAL_FAMILY_IPV4}, true},
               {{.bytes = {240, 0, 0, 0}, .family = COPAL_FAMILY_IPV4}, false},
               {{.bytes = {255, 255, 255, 255}, .family = COPAL_FAMILY_IPV4}, false},
               {{.bytes = {0xff, 0}, .family = COPAL_FAMILY_IPV6}, true},
               {{.bytes = {0xfe, 0xff}, .family = COPAL_FAMILY_IPV6}, false},
               {{.bytes = {0xe0}, .family = COPAL_FAMILY_IPV6}, false},
               {{.bytes = {0xff, 0xe0}, .family = COPAL_FAMILY_UNIX}, false},
               {{.bytes = {0xff, 0xe0}, .family = COPAL_FAMILY_NONE}, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    assert_int_equal(copal_address_is_multicast(&cases[i].address), cases[i].multicast);

  struct bare *bare = open_raw();
  struct bare_message message;
  copal_address group = bare_group();
  assert_int_equal(copal_send(bare->endpoint, bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL), &group, NULL),
                   COPAL_ERR_MULTICAST_CON);
  copal_tx tx;
  assert_int_equal(copal_send(bare->endpoint, bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL), &group, &tx),
                   COPAL_OK);
  assert_int_equal(bare_info(bare, tx).transmissions_left, 1);
  bare_out_one(bare);
  bare->now += 100 * COPAL_SECOND;
  assert_out(bare, "");
  bare_close(bare);
}

/* The entry of the request that is answered is the oldest: it must not keep its own answer from finding room. */
static void an_answer_finds_room_where_its_request_is_the_oldest(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.raw = true;
  struct bare *bare = bare_open(&config);
  bare_in(bare, "41017d0001b473746f72");
  copal_rx slow = bare_rx(bare);
  for (unsigned mid = 1; mid < 200; ++mid) {
    bare_in(bare, "4101%04x01b473746f72", mid);
    copal_rx rx = bare_rx(bare);
    struct bare_message ack;
    copal_message *response =
        bare_write(&ack, COPAL_ACK, COPAL_CONTENT, NULL, "0123456789012345678901234567890123456789");
    copal_error error = copal_ack(&rx, response);
    assert_int_equal(error, COPAL_OK);
    bare_out(bare);
  }
  struct bare_message late;
  static char payload[200];
  memset(payload, 'x', sizeof payload - 1);
  copal_message *response = bare_write(&late, COPAL_ACK, COPAL_CONTENT, NULL, payload);
  copal_message_set_token(response, "\x01", 1);
  assert_int_equal(copal_ack(&slow, response), COPAL_OK);
  assert_int_equal(bare_out_one(bare)->view.message_id, 0x7d00);
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_finds_room_where_its_request_is_the_oldest),
      cmocka_unit_test(s08_only_con_and_non_can_be_sent),
      cmocka_unit_test(s09_each_send_returns_a_record_of_its_own),
      cmocka_unit_test(s10_send_only_queues_and_packs_at_once),
      cmocka_unit_test(s12_one_message_may_be_sent_many_times_with_an_id_each),
      cmocka_unit_test(s33_ack_is_empty_or_carries_the_response_and_comes_once),
      cmocka_unit_test(s33_copies_of_a_reception_record_share_its_answer),
      cmocka_unit_test(s34_reset_rejects_a_con_and_a_non_but_nothing_from_a_group),
      cmocka_unit_test(s35_has_responded_says_whether_an_answer_is_owed),
      cmocka_unit_test(s40_an_ack_or_reset_pertains_to_the_transmission_with_its_remote_and_id),
      cmocka_unit_test(s40_a_separate_response_names_its_request_and_pertains_to_nothing),
      cmocka_unit_test(s40_a_piggybacked_response_does_both),
      cmocka_unit_test(s40_nothing_pertains_to_an_expired_transmission),
      cmocka_unit_test(s41_to_s45_a_transmission_record_knows_endpoint_message_remote_and_id),
      cmocka_unit_test(s46_the_same_octets_go_at_every_retransmission),
      cmocka_unit_test(s47_s48_times_of_the_first_transmission_and_of_the_last_event),
      cmocka_unit_test(s49_next_event_is_now_then_retransmissions_then_the_last_wait_then_none),
      cmocka_unit_test(s49_a_non_waits_one_interval),
      cmocka_unit_test(s50_transmissions_left_counts_down_from_5_or_1),
      cmocka_unit_test(s51_unacknowledged_is_a_con_whose_last_wait_is_over),
      cmocka_unit_test(s52_s53_the_first_and_all_acks_and_resets_are_kept_as_far_as_there_is_room),
      cmocka_unit_test(s54_the_type_of_the_first_reply_stays),
      cmocka_unit_test(s55_groups_are_told_by_their_bytes_and_get_no_con),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
