/* The way in: batches and events, what a raw endpoint sees and what it never sees, records on an endpoint with
 * resources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static struct bare *open_endpoint(bool raw) {
  copal_config config = copal_config_small();
  config.raw = raw;
  return bare_open(&config);
}

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hi");
}

static const copal_counters *counters(const struct bare *bare) { return copal_endpoint_counters(bare->endpoint); }

/* --- Batches ------------------------------------------------------------------------------------ */

static void a_batch_stops_at_each_event_and_loses_nothing(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  uint8_t bytes[5][4] = {{0x40, 1, 0, 1}, {0x40, 0, 0, 2}, {0x50, 1, 0, 3}, {0xff}, {0x50, 1, 0, 4}};
  copal_datagram batch[5];
  for (int i = 0; i < 5; ++i) batch[i] = (copal_datagram){bytes[i], 4, bare_path(BARE_PORT)};
  batch[3].size = 1;
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, batch, 5), 1);
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, batch + 1, 4), 0); /* its event waits still */
  assert_int_equal(bare_rx(bare).message.message_id, 1);
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, batch + 1, 4), 2);
  assert_int_equal(bare_rx(bare).message.message_id, 3);
  assert_false(bare_has_event(bare));
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, batch + 3, 2), 2);
  assert_int_equal(bare_rx(bare).message.message_id, 4);
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, batch, 0), 0);
  assert_out(bare, "70000002");
  assert_int_equal(counters(bare)->datagrams_in, 5);
  bare_close(bare);
}

/* Seen by the message IDs of NON replies, which count up as long as a peer is remembered. */
static void whoever_speaks_often_is_remembered_longest(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.peers_max = 2;
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", hello, NULL), COPAL_OK);
  bare_in(bare, "50010001b161");
  uint16_t first = bare_out_one(bare)->view.message_id;
  for (uint16_t i = 0; i < 20; ++i) {
    bare_expect(bare, "40007d34", "70007d34");                /* a ping is enough */
    bare_in_from(bare, (uint16_t)(7000 + i), "50010001b161"); /* always another one */
    bare_out(bare);
  }
  bare_in(bare, "50010002b161");
  assert_int_equal(bare_out_one(bare)->view.message_id, (uint16_t)(first + 1));
  assert_int_equal(counters(bare)->peers_evicted, 19);
  bare_close(bare);
}

static void time_never_goes_back(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  bare_in(bare, "40010001");
  copal_time first = bare_rx(bare).time;
  bare->now -= 500 * COPAL_SECOND;
  bare_in(bare, "40010002");
  assert_true(bare_rx(bare).time == first);
  bare_close(bare);
}

/* --- Raw endpoints ------------------------------------------------------------------------------- */

/* S5: "the engine itself answers what the RFC says no application may see". */
static void s05_a_raw_endpoint_answers_only_what_no_application_may_see(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  static const struct {
    const char *in, *out;
  } cases[] = {{"40007d34", "70007d34"},                           /* ping */
               {"41007d35", "70007d35"},                           /* malformed */
               {"4f017d36", "70007d36"}, {"40217d37", "70007d37"}, /* reserved class 1 */
               {"40e17d38", "70007d38"},                           /* signalling on UDP */
               {"50007d39", ""},         {"60017d3a", ""},         /* an ACK with a request */
               {"50e17d3b", ""},         {"00017d3c", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    bare_in(bare, "%s", cases[i].in);
    assert_false(bare_has_event(bare));
    assert_out(bare, cases[i].out);
  }
  bare_in(bare, "42017d3d aabb e1fe3000"); /* unknown critical option: 4.02 with its token */
  assert_false(bare_has_event(bare));
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(sent->view.code, COPAL_BAD_OPTION);
  assert_int_equal(sent->view.token.size, 2);
  bare_close(bare);
}

static void s05_and_acknowledges_nothing_else_by_itself(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  static const char *const handed_out[] = {"42017d34aabbb161",  "42457d35aabbff31", "52017d36aabb", "52457d37aabb",
                                           "62457d38aabb",      "60007d39",         "70007d3a",     "42087d3baabb",
                                           "42017d3c aabb 11aa"}; /* If-Match: the application's matter */
  for (size_t i = 0; i < sizeof handed_out / sizeof *handed_out; ++i) {
    bare_in(bare, "%s", handed_out[i]);
    assert_int_equal(bare_rx(bare).message.message_id, 0x7d34 + i);
    assert_out(bare, "");
  }
  bare_close(bare);
}

static void duplicates_are_handed_out_once_and_answered_as_the_first(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  static const char *const messages[] = {"40017d34b161", "40027d35b161", "40457d36ff31"};
  for (int i = 0; i < 3; ++i) {
    bare_in(bare, "%s", messages[i]);
    copal_rx rx = bare_rx(bare);
    bare_in(bare, "%s", messages[i]);
    assert_false(bare_has_event(bare)); /* not answered yet: silence */
    assert_out(bare, "");
    assert_int_equal(i == 1 ? copal_reset(&rx) : copal_ack(&rx, NULL), COPAL_OK);
    static const char *const answers[] = {"60007d34", "70007d35", "60007d36"};
    const char *expected = answers[i];
    assert_out(bare, expected);
    bare_in(bare, "%s", messages[i]);
    assert_false(bare_has_event(bare));
    assert_out(bare, expected);
  }
  bare_in(bare, "50027d37b161");
  bare_rx(bare);
  bare_in(bare, "50027d37b161");
  assert_false(bare_has_event(bare));
  bare_close(bare);
}

static void a_raw_endpoint_answers_4_13_to_what_is_too_large(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  uint8_t bytes[300] = {0x41, 2, 0, 1, 0xab, 0xff};
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(bare, &path, bytes, 257);
  assert_false(bare_has_event(bare));
  assert_out(bare, "618d0001ab");
  bytes[1] = COPAL_CONTENT; /* a response that answers nothing */
  bare_in_bytes(bare, &path, bytes, 257);
  assert_false(bare_has_event(bare));
  assert_out(bare, "70000001");
  bytes[0] = 0x51;
  bare_in_bytes(bare, &path, bytes, 257);
  assert_out(bare, "");
  bytes[3] = 2;
  bare_in_bytes(bare, &path, bytes, 256);
  assert_int_equal(bare_rx(bare).message.payload.size, 250);
  bare_close(bare);
}

/* --- Answers -------------------------------------------------------------------------------------- */

/* RFC 8974 through all three ways in which an application of a raw endpoint answers. */
static void t04_extended_tokens_come_back_in_raw_answers(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 8, 13, 200, 268, 269, 1000, 1440};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
    for (int way = 0; way < 3; ++way) {
      copal_config config = copal_config_small();
      config.raw = true;
      config.message_size_max = 1472;
      config.messages_size = config.replies_size = 16384;
      struct bare *bare = bare_open(&config);
      uint8_t token[1440], bytes[1472];
      memset(token, 0xa5, sizeof token);
      copal_encoder encoder;
      copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, COPAL_GET, 77, token, sizes[i]);
      copal_path path = bare_path(BARE_PORT);
      bare_in_bytes(bare, &path, bytes, encoder.size);
      copal_rx rx = bare_rx(bare);
      struct bare_message message;
      copal_message *response = bare_write(&message, way == 2 ? COPAL_NON : COPAL_CON, COPAL_CONTENT, NULL, "xyz");
      assert_int_equal(way == 0 ? copal_ack(&rx, response) : copal_respond(&rx, response, NULL), COPAL_OK);
      const copal_view *view = &bare_out_one(bare)->view;
      assert_int_equal(view->type, way == 0 ? COPAL_ACK : way == 1 ? COPAL_CON : COPAL_NON);
      assert_int_equal(view->token.size, sizes[i]);
      if (sizes[i] > 0) assert_memory_equal(view->token.data, token, sizes[i]);
      bare_close(bare);
    }
}

static void raw_answers_are_refused_whole_or_sent_whole(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  for (size_t size = 238; size < 256; ++size)
    for (int way = 0; way < 2; ++way) {
      char payload[256];
      memset(payload, 'x', size);
      payload[size] = 0;
      bare_in_from(bare, 7001, "4201%04zxaabb", size * 2 + (size_t)way);
      copal_rx rx = bare_rx(bare);
      struct bare_message message;
      copal_message *response = bare_write(&message, COPAL_NON, COPAL_CONTENT, NULL, payload);
      bool fits = 4 + 2 + 1 + size <= 256;
      copal_error error = way == 0 ? copal_ack(&rx, response) : copal_respond(&rx, response, NULL);
      assert_int_equal(error, fits ? COPAL_OK : COPAL_ERR_MESSAGE_SIZE);
      if (!fits) assert_int_equal(copal_reset(&rx), COPAL_OK); /* it was not answered yet */
      bare_out(bare);
      assert_int_equal(bare->sent_count, 1);
      assert_int_equal(bare->sent[0].size, fits ? 7 + size : 4);
      bare->now += 150 * COPAL_SECOND;
      bare_out(bare);
      while (bare_has_event(bare)) continue;
    }
  struct bare_message message;
  bare_in(bare, "42010001aabb");
  copal_rx rx = bare_rx(bare);
  assert_int_equal(copal_ack(&rx, bare_write(&message, COPAL_NON, COPAL_GET, NULL, NULL)), COPAL_ERR_TYPE);
  assert_int_equal(copal_respond(&rx, bare_write(&message, COPAL_NON, COPAL_GET, NULL, NULL), NULL), COPAL_ERR_TYPE);
  assert_int_equal(copal_respond(&rx, bare_write(&message, COPAL_ACK, COPAL_CONTENT, NULL, NULL), NULL),
                   COPAL_ERR_TYPE);
  bare_close(bare);
}

static void an_answer_goes_back_along_the_path_of_its_request(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  copal_path path = bare_path(7001);
  path.local.bytes[3] = 77;
  path.socket = 3;
  bare_in_path(bare, &path, "40010001");
  copal_rx rx = bare_rx(bare);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK);
  struct bare_message message;
  assert_int_equal(copal_respond(&rx, bare_write(&message, COPAL_NON, COPAL_CONTENT, NULL, NULL), NULL), COPAL_OK);
  bare_out(bare);
  assert_int_equal(bare->sent_count, 2);
  for (int i = 0; i < 2; ++i) {
    assert_true(copal_address_equal(&bare->sent[i].path.remote, &path.remote));
    assert_true(copal_address_equal(&bare->sent[i].path.local, &path.local));
    assert_int_equal(bare->sent[i].path.socket, 3);
  }
  copal_path group = bare_group_path(7002); /* what came to a group is answered from an address of one's own */
  bare_in_path(bare, &group, "50010002");
  rx = bare_rx(bare);
  assert_int_equal(copal_respond(&rx, bare_write(&message, COPAL_NON, COPAL_CONTENT, NULL, NULL), NULL), COPAL_OK);
  assert_int_equal(bare_out_one(bare)->path.local.family, COPAL_FAMILY_NONE);
  bare_close(bare);
}

/* --- Records on an endpoint with resources --------------------------------------------------------- */

static void responses_to_records_are_acknowledged_and_handed_out(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", hello, NULL), COPAL_OK);
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  char token[33];
  bare_token(bare_out_one(bare), token);
  bare_in(bare, "6000%04x", bare_info(bare, tx).message_id);
  assert_false(bare_has_event(bare)); /* an empty ACK is nothing to tell here */
  bare_in(bare, "4845beef%sff31", token);
  copal_rx rx = bare_rx(bare);
  assert_true(rx.has_responded);
  assert_true(copal_same_tx(rx.request, tx));
  assert_int_equal(copal_ack(&rx, NULL), COPAL_ERR_RESPONDED);
  assert_out(bare, "6000beef");
  bare_expect(bare, "40010001b161", "60450001c0ff6869"); /* and serves meanwhile */
  assert_false(bare_has_event(bare));
  bare_close(bare);
}

static void a_failure_is_told_once(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  bare_out(bare);
  for (int i = 0; i < 3; ++i) bare_in(bare, "7000%04x", bare_info(bare, tx).message_id);
  copal_event event;
  assert_true(copal_endpoint_event(bare->endpoint, &event));
  assert_int_equal(event.kind, COPAL_EVENT_FAILED);
  assert_int_equal(event.error, COPAL_ERR_RESET);
  assert_true(copal_same_tx(event.tx, tx));
  assert_false(bare_has_event(bare));

  tx = bare_send(bare, 7001, COPAL_CON, COPAL_GET);
  while (bare_info(bare, tx).next_event_time != COPAL_NEVER) {
    bare->now = bare_info(bare, tx).next_event_time;
    bare_out(bare);
  }
  assert_true(copal_endpoint_event(bare->endpoint, &event));
  assert_int_equal(event.error, COPAL_ERR_TIMEOUT);
  bare_in_from(bare, 7001, "7000%04x", bare_info(bare, tx).message_id);
  assert_false(bare_has_event(bare));
  bare_close(bare);
}

static void failures_of_cancelled_records_are_not_told(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  copal_tx txs[3];
  for (uint16_t i = 0; i < 3; ++i) txs[i] = bare_send(bare, (uint16_t)(7001 + i), COPAL_CON, COPAL_GET);
  bare_out(bare);
  for (int i = 0; i < 40; ++i) {
    bare->now += 3 * COPAL_SECOND;
    bare_out(bare);
  }
  assert_int_equal(copal_cancel(bare->endpoint, txs[1]), COPAL_OK);
  copal_event event;
  assert_true(copal_endpoint_event(bare->endpoint, &event));
  assert_false(copal_same_tx(event.tx, txs[1]));
  assert_true(copal_endpoint_event(bare->endpoint, &event));
  assert_false(copal_same_tx(event.tx, txs[1]));
  assert_false(bare_has_event(bare));
  bare_close(bare);
}

/* --- Failures that nobody takes -------------------------------------------------------------------- */

static void fail_all(struct bare *bare, copal_tx *txs) {
  for (uint16_t i = 0; i < 3; ++i) txs[i] = bare_send(bare, (uint16_t)(7001 + i), COPAL_CON, COPAL_GET);
  bare_out(bare);
  assert_int_equal(bare->sent_count, 3);
  for (size_t i = 0; i < 3; ++i)
    bare_in_from(bare, bare->sent[i].path.remote.port, "7000%04x", bare->sent[i].view.message_id);
}

/* There are as many as records, of which one fails once: above that are those that were cancelled. */
static void failures_that_nobody_takes_make_room_for_later_ones(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.exchanges_max = 3;
  struct bare *bare = bare_open(&config);
  copal_tx txs[3];
  for (int round = 0; round < 5; ++round) {
    fail_all(bare, txs);
    if (round == 4) break;
    for (int i = 0; i < 3; ++i) assert_int_equal(copal_cancel(bare->endpoint, txs[i]), COPAL_OK);
    bare_out(bare);
  }
  bool told[3] = {false};
  copal_event event;
  while (copal_endpoint_event(bare->endpoint, &event)) {
    assert_int_equal(event.error, COPAL_ERR_RESET);
    for (int i = 0; i < 3; ++i) told[i] = told[i] || copal_same_tx(event.tx, txs[i]);
  }
  assert_true(told[0] && told[1] && told[2]);
  bare_close(bare);
}

/* --- More of the way in ----------------------------------------------------------------------------- */

static void a_large_batch_is_taken_whole(void **state) {
  (void)state;
  enum { COUNT = 27 };
  copal_config config = copal_config_small();
  config.outbox_max = 32;
  struct bare *bare = bare_open(&config);
  uint8_t bytes[COUNT][4];
  copal_datagram batch[COUNT];
  for (uint8_t i = 0; i < COUNT; ++i) {
    uint8_t ping[4] = {0x40, 0, 0x12, i};
    memcpy(bytes[i], ping, 4);
    batch[i] = (copal_datagram){bytes[i], 4, bare_path(BARE_PORT)};
  }
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, batch, COUNT), COUNT);
  bare_out(bare);
  assert_int_equal(bare->sent_count, COUNT);
  for (uint8_t i = 0; i < COUNT; ++i) assert_int_equal(bare->sent[i].view.message_id, 0x1200 + i);
  bare_close(bare);
}

/* A socket's name has no port. RFC 768: a UDP port of 0 is one that cannot be answered. */
static void who_can_be_answered_is_listened_to(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  copal_path path = {.remote = {.bytes = {[3] = 7}, .family = COPAL_FAMILY_UNIX}};
  bare_in_path(bare, &path, "40000001");
  assert_int_equal(bare_out_one(bare)->path.remote.family, COPAL_FAMILY_UNIX);
  path = bare_path(0);
  bare_in_path(bare, &path, "40000002");
  path = bare_path(BARE_PORT);
  path.remote = bare_group();
  bare_in_path(bare, &path, "40000003");
  path.remote.family = COPAL_FAMILY_NONE;
  bare_in_path(bare, &path, "40000004");
  assert_out(bare, "");
  assert_int_equal(counters(bare)->ignored, 3);
  bare_close(bare);
}

/* RFC 8613 8.4 and RFC 9668: responses that are not what they seem to who does not know the option. */
static void protected_responses_are_rejected(void **state) {
  (void)state;
  static const char *const options[] = {"90", "d008"}; /* OSCORE, and EDHOC: 21 */
  for (int i = 0; i < 2; ++i) {
    struct bare *bare = open_endpoint(false);
    struct bare_call call;
    char token[33];
    bare_request(bare, BARE_PORT, COPAL_CON, COPAL_GET, COPAL_NEVER, &call);
    const struct bare_sent *sent = bare_out_one(bare);
    bare_in(bare, "6845%04x%s%s", sent->view.message_id, bare_token(sent, token), options[i]);
    assert_int_equal(call.count, 1);
    assert_int_equal(call.error, COPAL_ERR_RESPONSE_REJECTED);
    bare_close(bare);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_batch_stops_at_each_event_and_loses_nothing),
      cmocka_unit_test(whoever_speaks_often_is_remembered_longest),
      cmocka_unit_test(time_never_goes_back),
      cmocka_unit_test(s05_a_raw_endpoint_answers_only_what_no_application_may_see),
      cmocka_unit_test(s05_and_acknowledges_nothing_else_by_itself),
      cmocka_unit_test(duplicates_are_handed_out_once_and_answered_as_the_first),
      cmocka_unit_test(a_raw_endpoint_answers_4_13_to_what_is_too_large),
      cmocka_unit_test(t04_extended_tokens_come_back_in_raw_answers),
      cmocka_unit_test(raw_answers_are_refused_whole_or_sent_whole),
      cmocka_unit_test(an_answer_goes_back_along_the_path_of_its_request),
      cmocka_unit_test(responses_to_records_are_acknowledged_and_handed_out),
      cmocka_unit_test(a_failure_is_told_once),
      cmocka_unit_test(failures_of_cancelled_records_are_not_told),
      cmocka_unit_test(failures_that_nobody_takes_make_room_for_later_ones),
      cmocka_unit_test(a_large_batch_is_taken_whole),
      cmocka_unit_test(who_can_be_answered_is_listened_to),
      cmocka_unit_test(protected_responses_are_rejected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
