/* Requests with a response handler: every way in which one can end, each told once, and handlers that send, cancel and
 * answer from within. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static const copal_time START = 1000 * COPAL_SECOND;

static struct bare *open_client(void) {
  copal_config config = copal_config_small();
  return bare_open(&config);
}

/* A request to the default port that was transmitted once. */
static copal_tx transmitted(struct bare *bare, copal_type type, struct bare_call *call, char token[33]) {
  copal_tx tx = bare_request(bare, BARE_PORT, type, COPAL_GET, COPAL_NEVER, call);
  bare_token(bare_out_one(bare), token);
  return tx;
}

static uint16_t sent_mid(const struct bare *bare) { return bare->sent[0].view.message_id; }

static void assert_nothing_is_left(struct bare *bare) {
  bare_out(bare);
  copal_usage usage = copal_endpoint_usage(bare->endpoint);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
  assert_true(copal_endpoint_deadline(bare->endpoint) == COPAL_NEVER);
}

/* --- Ends --------------------------------------------------------------------------------------- */

static void a_piggybacked_response_ends_a_call(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  copal_tx tx = transmitted(bare, COPAL_CON, &call, token);
  bare_in(bare, "6845%04x%sff6869", sent_mid(bare), token);
  assert_int_equal(call.count, 1);
  assert_int_equal(call.error, COPAL_OK);
  assert_string_equal(call.payload, "hi");
  assert_true(copal_same_tx(call.tx, tx));
  assert_true(bare_is_gone(bare, tx));
  bare_in(bare, "6845%04x%sff6869", sent_mid(bare), token); /* again: matches nothing, and nobody is told */
  assert_int_equal(call.count, 1);
  assert_out(bare, "");
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* RFC 7252 5.2.2: "the client's Acknowledgement to that response MUST also be an Empty message". */
static void a_separate_response_is_acknowledged_each_time_and_told_once(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_CON, &call, token);
  bare_in(bare, "6000%04x", sent_mid(bare));
  bare->now += 60 * COPAL_SECOND;
  assert_out(bare, ""); /* no retransmission after the ACK */
  for (int i = 0; i < 3; ++i) {
    bare_in(bare, "4845beef%sff6869", token);
    assert_out(bare, "6000beef");
  }
  assert_int_equal(call.count, 1);
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* RFC 7252 5.2.2: a response may overtake its ACK. RFC 7252 5.2.3: "an endpoint MUST be prepared to receive a
 * Non-confirmable response (preceded or followed by an Empty Acknowledgement message) in reply to a Confirmable
 * request". */
static void a_separate_response_before_the_ack_stops_the_retransmissions(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_CON, &call, token);
  uint16_t mid = sent_mid(bare);
  bare_in(bare, "5845beef%sff6869", token);
  assert_int_equal(call.count, 1);
  bare->now += 60 * COPAL_SECOND;
  assert_out(bare, "");
  bare_in(bare, "6000%04x", mid);
  assert_out(bare, "");
  assert_int_equal(call.count, 1);
  bare_close(bare);
}

static void a_reset_ends_a_call_and_so_does_silence(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_CON, &call, token);
  bare_in(bare, "7000%04x", sent_mid(bare));
  assert_int_equal(call.count, 1);
  assert_int_equal(call.error, COPAL_ERR_RESET);
  bare_in(bare, "7000%04x", sent_mid(bare));
  assert_int_equal(call.count, 1);
  assert_nothing_is_left(bare);

  transmitted(bare, COPAL_CON, &call, token);
  while (call.count == 0) {
    bare->now = copal_endpoint_deadline(bare->endpoint);
    assert_true(bare->now <= START + 94 * COPAL_SECOND);
    bare_out(bare);
  }
  assert_int_equal(call.error, COPAL_ERR_TIMEOUT);
  assert_nothing_is_left(bare);
  assert_int_equal(call.count, 1);
  bare_close(bare);
}

static void after_an_ack_a_call_waits_for_its_lifetime_or_its_timeout(void **state) {
  (void)state;
  static const copal_time timeouts[] = {COPAL_NEVER, 10 * COPAL_SECOND, 1000 * COPAL_SECOND, 0};
  static const copal_time ends[] = {247, 10, 247, 0};
  for (int i = 0; i < 4; ++i) {
    struct bare *bare = open_client();
    struct bare_call call;
    bare_request(bare, BARE_PORT, COPAL_CON, COPAL_GET, timeouts[i], &call);
    bare_out(bare);
    if (ends[i] > 0) {
      bare_in(bare, "6000%04x", sent_mid(bare));
      bare->now = START + ends[i] * COPAL_SECOND - 1;
      assert_out(bare, "");
      assert_int_equal(call.count, 0);
      bare->now += 1;
      bare_out(bare);
    }
    assert_int_equal(call.count, 1);
    assert_int_equal(call.error, COPAL_ERR_TIMEOUT);
    assert_nothing_is_left(bare);
    bare_close(bare);
  }
}

static void a_non_call_waits_for_its_lifetime(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_NON, &call, token);
  bare->now = START + 144 * COPAL_SECOND;
  assert_out(bare, "");
  assert_int_equal(call.count, 0);
  bare->now = START + 145 * COPAL_SECOND;
  assert_out(bare, "");
  assert_int_equal(call.error, COPAL_ERR_TIMEOUT);
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* RFC 7252 5.4.1: "Unrecognized options of class "critical" that occur in a Confirmable response, or piggybacked in an
 * Acknowledgement, MUST cause the response to be rejected". */
static void t16_a_response_with_an_unknown_critical_option_is_rejected(void **state) {
  (void)state;
  static const char *const headers[] = {"6845", "4845", "5845"}; /* piggybacked, CON, NON */
  for (int i = 0; i < 3; ++i) {
    struct bare *bare = open_client();
    struct bare_call call;
    char token[33];
    transmitted(bare, COPAL_CON, &call, token);
    bare_in(bare, "%s%04x%se1fe3000", headers[i], i == 0 ? sent_mid(bare) : 0xbeef, token);
    assert_int_equal(call.count, 1);
    assert_int_equal(call.error, COPAL_ERR_RESPONSE_REJECTED);
    assert_out(bare, i == 1 ? "7000beef" : "");
    assert_nothing_is_left(bare);
    bare_close(bare);
  }
}

/* RFC 7252 5.4: "In case an option is not defined for a Method or Response Code, it MUST NOT be included by a sender
 * and MUST be treated like an unrecognized option by a recipient." */
static void an_option_of_requests_is_not_understood_in_a_response(void **state) {
  (void)state;
  static const char *const options[] = {"b161", "d004", "50"}; /* Uri-Path, Accept, If-None-Match */
  for (size_t i = 0; i < sizeof options / sizeof *options; ++i) {
    struct bare *bare = open_client();
    struct bare_call call;
    char token[33];
    transmitted(bare, COPAL_CON, &call, token);
    bare_in(bare, "6845%04x%s%s", sent_mid(bare), token, options[i]);
    assert_int_equal(call.error, COPAL_ERR_RESPONSE_REJECTED);
    bare_close(bare);
  }
}

static void take_version(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                         void *context) {
  bare_called(endpoint, request, rx, error, context);
  if (rx == NULL) return;
  assert_int_equal(copal_find_uint(&rx->message, COPAL_OPTION_OCF_CONTENT_FORMAT, 0), 2048);
}

/* OCF-Content-Format-Version is critical: what it means is left to the application. RFC 7252 5.4.3 and 5.4.5: of an
 * illegal length, or a second time, it is "treated like an unrecognized option". */
static void a_version_of_the_content_format_is_understood_in_a_response(void **state) {
  (void)state;
  static const struct {
    const char *options;
    bool is_understood;
  } cases[] = {{"e206f8 0800", true}, {"e306f8 000800", false}, {"e206f8 0800 02 0800", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct bare *bare = open_client();
    struct bare_call call = {.count = 0};
    struct bare_message message;
    copal_address remote = bare_address(BARE_PORT);
    char token[33];
    assert_int_equal(copal_request_send(bare->endpoint, bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL), &remote,
                                        COPAL_NEVER, take_version, &call, NULL),
                     COPAL_OK);
    bare_token(bare_out_one(bare), token);
    bare_in(bare, "6845%04x%s%s", sent_mid(bare), token, cases[i].options);
    assert_int_equal(call.count, 1);
    assert_int_equal(call.error, cases[i].is_understood ? COPAL_OK : COPAL_ERR_RESPONSE_REJECTED);
    assert_nothing_is_left(bare);
    bare_close(bare);
  }
}

/* RFC 7252 5.5: "If a Method or Response Code is not defined to have a payload, then a sender MUST NOT include one, and
 * a recipient MUST ignore it." */
static void a_valid_response_has_no_payload(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_CON, &call, token);
  bare_in(bare, "6843%04x%sff6869", sent_mid(bare), token);
  assert_int_equal(call.code, COPAL_VALID);
  assert_string_equal(call.payload, "");
  bare_close(bare);
}

static void an_oversized_response_is_rejected(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_CON, &call, token);
  uint8_t bytes[300] = {0x48, 0x45, 0xbe, 0xef};
  assert_int_equal(bare_unhex(token, bytes + 4, 8), 8);
  bytes[12] = 0xff;
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(bare, &path, bytes, 257);
  assert_int_equal(call.error, COPAL_ERR_RESPONSE_REJECTED);
  assert_out(bare, "7000beef");
  bare_close(bare);
}

/* --- Refusals ------------------------------------------------------------------------------------ */

/* Each of its duplicates is answered alike, but the transmission has failed once. */
static void a_response_that_is_refused_again_is_told_once(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  for (int raw = 0; raw < 2; ++raw) {
    config.raw = raw != 0;
    struct bare *bare = bare_open(&config);
    copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
    char token[33];
    bare_token(bare_out_one(bare), token);
    for (int i = 0; i < 3; ++i) {
      if (i == 1) { /* an ACK that was late does not change it */
        bare_in(bare, "6000%04x", bare_info(bare, tx).message_id);
        assert_int_equal(bare_has_event(bare), raw);
      }
      bare_in(bare, "48451111%sd10c00", token);
      assert_out(bare, "70001111");
      copal_event event;
      assert_int_equal(copal_endpoint_event(bare->endpoint, &event), i == 0);
      if (i > 0) continue;
      assert_int_equal(event.kind, COPAL_EVENT_FAILED);
      assert_int_equal(event.error, COPAL_ERR_RESPONSE_REJECTED);
      assert_true(copal_same_tx(event.tx, tx));
    }
    assert_int_equal(bare_info(bare, tx).state, COPAL_TX_REJECTED);
    bare_close(bare);
  }
}

static void what_cannot_be_called_is_refused(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_message message;
  struct bare_call call = {.count = 0};
  copal_address remote = bare_address(BARE_PORT), group = bare_group(), nobody = {.port = 1};
  copal_endpoint *endpoint = bare->endpoint;
  copal_message *written = bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, NULL);
  assert_int_equal(copal_request_send(endpoint, written, &remote, 0, bare_called, &call, NULL), COPAL_ERR_TYPE);
  written = bare_write(&message, COPAL_ACK, COPAL_GET, NULL, NULL);
  assert_int_equal(copal_request_send(endpoint, written, &remote, 0, bare_called, &call, NULL), COPAL_ERR_TYPE);
  written = bare_write(&message, COPAL_CON, COPAL_GET, NULL, NULL);
  assert_int_equal(copal_request_send(endpoint, written, &group, 0, bare_called, &call, NULL), COPAL_ERR_MULTICAST_CON);
  assert_int_equal(copal_request_send(endpoint, written, &nobody, 0, bare_called, &call, NULL), COPAL_ERR_ADDRESS);
  assert_int_equal(copal_ping_send(endpoint, &group, 0, bare_called, &call, NULL), COPAL_ERR_MULTICAST_CON);
  copal_message_set_token(written, "t", 1);
  copal_tx tx;
  assert_int_equal(copal_request_send(endpoint, written, &remote, COPAL_NEVER, bare_called, &call, &tx), COPAL_OK);
  assert_int_equal(copal_request_send(endpoint, written, &remote, 0, bare_called, &call, NULL), COPAL_ERR_TOKEN_IN_USE);
  assert_int_equal(copal_cancel(endpoint, tx), COPAL_OK);
  assert_int_equal(copal_request_send(endpoint, written, &remote, COPAL_NEVER, bare_called, &call, &tx), COPAL_OK);
  copal_message_set_payload(written, "0123456789012345678901234567890123456789", 40);
  copal_message_add_raw(written, 2000, (char[240]){0}, 240);
  copal_message_set_token(written, NULL, 0);
  assert_int_equal(copal_request_send(endpoint, written, &remote, 0, bare_called, &call, NULL), COPAL_ERR_MESSAGE_SIZE);
  copal_message_add(written, COPAL_OPTION_ETAG, "", 0);
  assert_int_equal(copal_request_send(endpoint, written, &remote, 0, bare_called, &call, NULL), COPAL_ERR_OPTION_VALUE);
  assert_int_equal(call.count, 0);
  bare_close(bare);
}

static void every_full_table_has_its_error_and_recovers(void **state) {
  (void)state;
  struct bare *bare = open_client(); /* 4 peers, 8 exchanges */
  struct bare_call calls[8], extra = {.count = 0};
  struct bare_message message;
  copal_address remote = bare_address(7100);
  for (uint16_t i = 0; i < 8; ++i)
    bare_request(bare, (uint16_t)(7000 + i % 4), COPAL_CON, COPAL_GET, COPAL_NEVER, &calls[i]);
  copal_message *written = bare_write(&message, COPAL_CON, COPAL_GET, NULL, NULL);
  assert_int_equal(copal_request_send(bare->endpoint, written, &remote, 0, bare_called, &extra, NULL),
                   COPAL_ERR_PEERS_FULL);
  remote.port = 7000;
  assert_int_equal(copal_request_send(bare->endpoint, written, &remote, 0, bare_called, &extra, NULL),
                   COPAL_ERR_EXCHANGES_FULL);
  bare->now += 300 * COPAL_SECOND;
  for (int i = 0; i < 20; ++i) {
    bare_out(bare);
    bare->now += 300 * COPAL_SECOND;
  }
  for (int i = 0; i < 8; ++i) assert_int_equal(calls[i].error, COPAL_ERR_TIMEOUT);
  remote.port = 7100;
  assert_int_equal(copal_request_send(bare->endpoint, written, &remote, 0, bare_called, &extra, NULL), COPAL_OK);
  bare_out(bare);
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* --- Ping ---------------------------------------------------------------------------------------- */

/* RFC 7252 1.2: "Provoking a Reset message (e.g., by sending an Empty Confirmable message) is also useful as an
 * inexpensive check of the liveness of an endpoint ("CoAP ping")." */
static void a_ping_is_an_empty_con_and_its_reset_the_good_answer(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call = {.count = 0};
  copal_address remote = bare_address(BARE_PORT);
  copal_tx tx;
  assert_int_equal(copal_ping_send(bare->endpoint, &remote, COPAL_NEVER, bare_called, &call, &tx), COPAL_OK);
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(sent->size, 4);
  assert_int_equal(sent->bytes[0], 0x40);
  assert_int_equal(sent->bytes[1], 0);
  bare_in(bare, "7000%04x", sent_mid(bare));
  assert_int_equal(call.count, 1);
  assert_int_equal(call.error, COPAL_ERR_RESET);
  assert_true(copal_same_tx(call.tx, tx));
  assert_nothing_is_left(bare);
  bare_close(bare);
}

static void acknowledged(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                         void *context) {
  (void)endpoint, (void)request;
  assert_null(rx);
  assert_int_equal(error, COPAL_OK);
  ++*(int *)context;
}

static void who_acknowledges_a_ping_is_there_too(void **state) {
  (void)state;
  struct bare *bare = open_client();
  copal_address remote = bare_address(BARE_PORT);
  int count = 0;
  assert_int_equal(copal_ping_send(bare->endpoint, &remote, COPAL_NEVER, acknowledged, &count, NULL), COPAL_OK);
  bare_out_one(bare);
  bare_in(bare, "6000%04x", sent_mid(bare));
  assert_int_equal(count, 1);
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* --- Handlers that call back --------------------------------------------------------------------- */

struct chain {
  struct bare *bare;
  copal_tx own, other;
  int calls, length;
  bool cancels_own, cancels_other;
};

static void chain_called(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                         void *context) {
  (void)rx;
  (void)error;
  struct chain *chain = context;
  ++chain->calls;
  assert_true(copal_same_tx(request, chain->own));
  if (chain->cancels_other) assert_int_equal(copal_cancel(endpoint, chain->other), COPAL_OK);
  if (chain->cancels_own) {
    assert_int_equal(copal_cancel(endpoint, request), COPAL_OK);
    assert_int_equal(copal_cancel(endpoint, request), COPAL_ERR_STALE);
  }
  if (chain->calls == chain->length) return;
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  assert_int_equal(copal_request_send(endpoint, bare_write(&message, COPAL_CON, COPAL_GET, "n", NULL), &remote,
                                      COPAL_NEVER, chain_called, chain, &chain->own),
                   COPAL_OK);
}

static void begin(struct chain *chain) {
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  assert_int_equal(copal_request_send(chain->bare->endpoint, bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL),
                                      &remote, COPAL_NEVER, chain_called, chain, &chain->own),
                   COPAL_OK);
}

static void a_handler_may_send_the_next_request(void **state) {
  (void)state;
  for (int cancels_own = 0; cancels_own < 2; ++cancels_own) {
    struct chain chain = {.bare = open_client(), .length = 30, .cancels_own = cancels_own == 1};
    begin(&chain);
    for (int i = 0; i < 30; ++i) {
      char token[33];
      const struct bare_sent *sent = bare_out_one(chain.bare);
      bare_token(sent, token);
      switch (i % 3) {
        case 0: bare_in(chain.bare, "6845%04x%s", sent->view.message_id, token); break;
        case 1: bare_in(chain.bare, "7000%04x", sent->view.message_id); break;
        case 2:
          chain.bare->now += 250 * COPAL_SECOND; /* nothing: the failing output sends the next one at once */
          if (i < 29) continue;
          bare_out(chain.bare);
      }
    }
    assert_int_equal(chain.calls, 30);
    assert_nothing_is_left(chain.bare);
    bare_close(chain.bare);
  }
}

/* The bytes of what an output gives out stay, although a handler in the same output cancels it and sends something
 * else in its place. */
static void a_handler_may_cancel_what_the_same_output_gave_out(void **state) {
  (void)state;
  struct chain chain = {.bare = open_client(), .length = 2, .cancels_other = true};
  struct bare *bare = chain.bare;
  begin(&chain);
  bare_out(bare);
  while (bare_info(bare, chain.own).transmissions_left > 0) {
    bare->now = bare_info(bare, chain.own).next_event_time;
    bare_out(bare);
  }
  bare->now = bare_info(bare, chain.own).next_event_time - 1; /* one moment before it fails */
  bare_out(bare);
  chain.other = bare_send(bare, 7001, COPAL_CON, COPAL_GET);
  copal_bytes packed = bare_info(bare, chain.other).packed;
  uint8_t expected[64];
  memcpy(expected, packed.data, packed.size);
  bare->now += 1;
  copal_datagram datagrams[8];
  size_t count = copal_endpoint_output(bare->endpoint, bare->now, datagrams, 8);
  assert_int_equal(chain.calls, 1);
  assert_true(bare_is_gone(bare, chain.other));
  bool seen = false;
  for (size_t i = 0; i < count; ++i) {
    if (datagrams[i].path.remote.port != 7001) continue;
    seen = true;
    assert_int_equal(datagrams[i].size, packed.size);
    assert_memory_equal(datagrams[i].data, expected, packed.size);
  }
  assert_true(seen);
  bare_close(bare);
}

static void a_group_call_is_answered_many_times_and_then_told_its_end(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call = {.count = 0};
  struct bare_message message;
  copal_address group = bare_group();
  copal_tx tx;
  assert_int_equal(copal_request_send(bare->endpoint, bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL), &group,
                                      COPAL_NEVER, bare_called, &call, &tx),
                   COPAL_OK);
  char token[33];
  bare_token(bare_out_one(bare), token);
  for (uint16_t port = 7001; port <= 7010; ++port) {
    bare_in_from(bare, port, "5845%04x%sff%02x", port, token, port & 0x7f);
    assert_int_equal(call.count, port - 7000);
    assert_int_equal(call.error, COPAL_OK);
    bare_in_from(bare, port, "5845%04x%sff%02x", port, token, port & 0x7f); /* a duplicate is told once */
    assert_int_equal(call.count, port - 7000);
  }
  bare_in_from(bare, 7020, "4845abcd%sff41", token); /* a CON is acknowledged */
  assert_out(bare, "7020>6000abcd");
  bare_in_from(bare, 7021, "5845abcd%s00ff41", token + 2);
  assert_int_equal(call.count, 11);
  bare->now = START + 145 * COPAL_SECOND;
  bare_out(bare);
  assert_int_equal(call.count, 12);
  assert_int_equal(call.error, COPAL_ERR_TIMEOUT);
  bare_in_from(bare, 7030, "5845abcd%sff41", token);
  assert_int_equal(call.count, 12);
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* RFC 7252 5.4.1: what one member of a group answers is rejected for itself. */
static void of_a_groups_answers_only_those_that_are_not_understood_are_rejected(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call = {.count = 0};
  struct bare_message message;
  copal_address group = bare_group();
  char token[33];
  assert_int_equal(copal_request_send(bare->endpoint, bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL), &group,
                                      COPAL_NEVER, bare_called, &call, NULL),
                   COPAL_OK);
  bare_token(bare_out_one(bare), token);
  bare_in_from(bare, 7001, "4845abcd%sd1e001 ff41", token); /* option 237 */
  assert_out(bare, "7001>7000abcd");
  bare_in_from(bare, 7002, "5845abcd%sd1e001 ff41", token);
  assert_out(bare, "");
  assert_int_equal(call.count, 0);
  bare_in_from(bare, 7003, "5845abcd%sff41", token);
  assert_int_equal(call.count, 1);
  assert_int_equal(call.error, COPAL_OK);
  bare->now += 145 * COPAL_SECOND;
  bare_out(bare);
  assert_int_equal(call.count, 2);
  assert_int_equal(call.error, COPAL_ERR_TIMEOUT);
  assert_nothing_is_left(bare);
  bare_close(bare);
}

/* RFC 7252 4.2: a recipient acknowledges or rejects. Who makes a server reject a message that bears our name and a
 * message ID of ours has a Reset sent to us. */
static void a_reset_after_the_acknowledgement_is_not_the_end(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  char token[33];
  transmitted(bare, COPAL_CON, &call, token);
  uint16_t mid = sent_mid(bare);
  bare_in_from(bare, BARE_PORT, "6000%04x", mid);
  bare_in_from(bare, BARE_PORT, "7000%04x", mid);
  assert_int_equal(call.count, 0);
  bare_in_from(bare, BARE_PORT, "58457777%sff6f6b", token);
  assert_int_equal(call.count, 1);
  assert_int_equal(call.error, COPAL_OK);
  assert_string_equal(call.payload, "ok");
  assert_nothing_is_left(bare);
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_piggybacked_response_ends_a_call),
      cmocka_unit_test(a_separate_response_is_acknowledged_each_time_and_told_once),
      cmocka_unit_test(a_separate_response_before_the_ack_stops_the_retransmissions),
      cmocka_unit_test(a_reset_ends_a_call_and_so_does_silence),
      cmocka_unit_test(after_an_ack_a_call_waits_for_its_lifetime_or_its_timeout),
      cmocka_unit_test(a_non_call_waits_for_its_lifetime),
      cmocka_unit_test(t16_a_response_with_an_unknown_critical_option_is_rejected),
      cmocka_unit_test(an_option_of_requests_is_not_understood_in_a_response),
      cmocka_unit_test(a_version_of_the_content_format_is_understood_in_a_response),
      cmocka_unit_test(a_valid_response_has_no_payload),
      cmocka_unit_test(an_oversized_response_is_rejected),
      cmocka_unit_test(a_response_that_is_refused_again_is_told_once),
      cmocka_unit_test(what_cannot_be_called_is_refused),
      cmocka_unit_test(every_full_table_has_its_error_and_recovers),
      cmocka_unit_test(a_ping_is_an_empty_con_and_its_reset_the_good_answer),
      cmocka_unit_test(who_acknowledges_a_ping_is_there_too),
      cmocka_unit_test(a_handler_may_send_the_next_request),
      cmocka_unit_test(a_handler_may_cancel_what_the_same_output_gave_out),
      cmocka_unit_test(a_group_call_is_answered_many_times_and_then_told_its_end),
      cmocka_unit_test(of_a_groups_answers_only_those_that_are_not_understood_are_rejected),
      cmocka_unit_test(a_reset_after_the_acknowledgement_is_not_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
