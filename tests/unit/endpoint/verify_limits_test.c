/* Verified addresses when there is no room to wait, when answers come late, and when an attacker asks. RFC 7252 section
 * 11.3, RFC 9175 sections 2.4 and 2.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/verify.h"

/* --- When there is no room to wait --------------------------------------------------------------- */

static void what_cannot_wait_is_answered_4_01_at_once(void **state) {
  (void)state;
  copal_config config = config_of(0);
  struct server server;
  open_server(&server, &config);
  char echo[25], other[25];
  for (int i = 0; i < 2; ++i) {
    bare_in(server.bare, "41010001abb16c");
    assert_challenge(bare_out_one(server.bare), COPAL_ACK, i == 0 ? echo : other);
  }
  assert_string_equal(echo, other); /* the duplicate got the same */
  bare_in(server.bare, "51010002abb16c");
  assert_challenge(bare_out_one(server.bare), COPAL_NON, other);
  assert_int_equal(counters(&server)->unverified, 2);
  bare_in(server.bare, "41010003abb16c dce4%s", echo);
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  bare_close(server.bare);
}

/* A request that was executed must not be asked for again: what can be said is said. */
static void an_unsafe_request_is_never_asked_for_again(void **state) {
  (void)state;
  for (uint32_t deferred_max = 0; deferred_max < 2; ++deferred_max) {
    copal_config config = config_of(deferred_max);
    struct server server;
    open_server(&server, &config);
    bare_in(server.bare, "41020001abb16c");
    bare_out(server.bare);
    if (deferred_max == 1) {
      assert_int_equal(server.bare->sent_count, 2);
      server.bare->now += COPAL_SECOND;
      assert_out(server.bare, "60000001");
      server.bare->now += 3 * COPAL_SECOND;
      bare_out_one(server.bare);
    }
    const copal_view *view = &server.bare->sent[0].view;
    assert_int_equal(server.bare->sent_count, 1);
    assert_int_equal(view->type, deferred_max == 1 ? COPAL_NON : COPAL_ACK);
    assert_int_equal(view->code, COPAL_CREATED);
    assert_int_equal(view->token.data[0], 0xab);
    assert_int_equal(view->options.size, 4);
    assert_memory_equal(view->options.data,
                        "\x81l\x01"
                        "7",
                        4);
    assert_int_equal(view->payload.size, 0);
    assert_int_equal(server.executed, 1);
    bare_close(server.bare);
  }
}

/* deferred_max 1: the second peer's answer finds no room. */
static void another_peer_finds_no_room_and_is_told_so(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct server server;
  open_server(&server, &config);
  char echo[25];
  bare_in(server.bare, "41010001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  bare_in_from(server.bare, 7000, "41010001abb16c");
  assert_challenge(bare_out_one(server.bare), COPAL_ACK, echo);
  bare_in(server.bare, "41010002abb16c"); /* nor does the first's second one */
  assert_challenge(bare_out_one(server.bare), COPAL_ACK, echo);
  reset(&server, mids[0]);
  reset(&server, mids[1]);
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  bare_close(server.bare);
}

/* --- Deferred answers --------------------------------------------------------------------------- */

static void reply_later(struct server *server, size_t size) {
  struct bare_message message;
  copal_message_init(&message.message, message.buffer, sizeof message.buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&message.message, body(size), size);
  assert_int_equal(copal_deferred_reply(server->bare->endpoint, server->deferred, &message.message), COPAL_OK);
}

static void a_large_deferred_answer_waits_too(void **state) {
  (void)state;
  for (int acknowledged = 0; acknowledged < 2; ++acknowledged) {
    struct server server;
    open_usual(&server);
    bare_expect(server.bare, "41010001abb164", "");
    if (acknowledged == 1) {
      server.bare->now += COPAL_SECOND;
      assert_out(server.bare, "60000001");
    }
    reply_later(&server, LARGE);
    bare_out(server.bare);
    assert_int_equal(server.bare->sent_count, 2);
    uint16_t mids[2];
    pings(&server, mids, 2);
    bare_expect(server.bare, "41010001abb164", acknowledged == 1 ? "60000001" : "");
    assert_int_equal(copal_deferred_drop(server.bare->endpoint, server.deferred), COPAL_ERR_STALE);
    reset(&server, mids[0]);
    reset(&server, mids[1]);
    const struct bare_sent *sent = bare_out_one(server.bare);
    assert_large(sent, acknowledged == 1 ? COPAL_CON : COPAL_ACK);
    if (acknowledged == 1) bare_in(server.bare, "6000%04x", sent->view.message_id);
    assert_idle(&server);
    bare_close(server.bare);
  }
}

/* RFC 9175 2.4: a separate response "would cause amplification due to retransmission": five times as much. */
static void what_would_be_repeated_counts_each_time(void **state) {
  (void)state;
  for (int separate = 0; separate < 2; ++separate) {
    struct server server;
    open_usual(&server);
    bare_in(server.bare, "41010001ab b164 ff %0200d", 0); /* 108 bytes, good for 324 */
    assert_out(server.bare, "");
    if (separate) server.bare->now += COPAL_SECOND;
    bare_out(server.bare);
    reply_later(&server, LARGE);
    bare_out(server.bare);
    assert_int_equal(server.bare->sent_count, separate ? 2 : 1);
    assert_int_equal(server.bare->sent[0].view.code, separate ? COPAL_EMPTY : COPAL_CONTENT);
    if (separate) {
      reset_pings(&server);
      assert_large(bare_out_one(server.bare), COPAL_CON);
    }
    bare_close(server.bare);
  }
}

/* A small separate answer goes at once, and who acknowledges it has shown where he is. */
static void a_separate_answer_that_is_acknowledged_verifies(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "41010001abb164");
  server.bare->now += COPAL_SECOND;
  assert_out(server.bare, "60000001");
  reply_later(&server, 100);
  const struct bare_sent *sent = bare_out_one(server.bare);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_int_equal(sent->view.type, COPAL_CON);
  bare_in(server.bare, "6000%04x", sent->view.message_id);
  assert_out(server.bare, "");
  bare_in(server.bare, "51010002abb16c");
  assert_large(bare_out_one(server.bare), COPAL_NON);
  bare_close(server.bare);
}

static void a_deferred_answer_that_cannot_wait_is_4_01(void **state) {
  (void)state;
  for (int acknowledged = 0; acknowledged < 2; ++acknowledged) {
    copal_config config = config_of(2);
    config.exchanges_max = 3;
    struct server server;
    open_server(&server, &config);
    bare_in_from(server.bare, 7000, "41010001abb16c"); /* its pings leave one exchange */
    bare_out(server.bare);
    bare_in(server.bare, "41010001abb164");
    server.bare->now += acknowledged == 1 ? COPAL_SECOND : 0;
    bare_out(server.bare);
    reply_later(&server, LARGE);
    char echo[25];
    assert_challenge(bare_out_one(server.bare), acknowledged == 1 ? COPAL_NON : COPAL_ACK, echo);
    bare_close(server.bare);
  }
}

/* --- Verification that nobody waits for ---------------------------------------------------------- */

static void a_peer_can_be_verified_for_later(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb178"); /* 4.04 */
  bare_out_one(server.bare);
  copal_path path = bare_path(CLIENT);
  struct path packed = path_pack(&path);
  uint32_t peer = endpoint_peer(server.bare->endpoint, &packed);
  endpoint_verify(server.bare->endpoint, peer, VERIFY_FOR_LATER);
  endpoint_verify(server.bare->endpoint, peer, VERIFY_FOR_LATER);
  bare_out(server.bare);
  reset_pings(&server);
  assert_out(server.bare, "");
  assert_idle(&server);
  endpoint_verify(server.bare->endpoint, peer, VERIFY_FOR_LATER);
  assert_out(server.bare, "");
  bare_in(server.bare, "41010002abb16c");
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  bare_close(server.bare);
}

/* T55: what is held for strangers takes no room from what the application owes, nor the other way round. */
static void t55_held_answers_and_deferred_ones_have_room_of_their_own(void **state) {
  (void)state;
  copal_config config = config_of(2);
  struct server server;
  open_server(&server, &config);
  copal_endpoint *endpoint = server.bare->endpoint;
  copal_deferred first;
  for (int round = 0; round < 3; ++round) {
    bare_in(server.bare, "4101%04xabb164", round);
    first = server.deferred;
    bare_in_from(server.bare, 9002, "4101%04xabb164", round);
    assert_int_equal(copal_endpoint_usage(endpoint).deferred, 2);
    for (uint16_t i = 0; i < 2; ++i) bare_in_from(server.bare, (uint16_t)(10000 + i), "4101%04xabb16c", round);
    bare_out(server.bare);
    uint16_t mids[4];
    pings(&server, mids, 4);
    assert_int_equal(counters(&server)->held, 2 * (round + 1));
    assert_int_equal(copal_deferred_drop(endpoint, first), COPAL_OK);
    assert_int_equal(copal_deferred_drop(endpoint, server.deferred), COPAL_OK);
    assert_int_equal(copal_endpoint_usage(endpoint).deferred, 0);
    bare_in(server.bare, "4101%04xabb164", 100 + round); /* those that are held are held still */
    assert_int_equal(copal_endpoint_usage(endpoint).deferred, 1);
    assert_int_equal(copal_deferred_drop(endpoint, server.deferred), COPAL_OK);
    server.bare->now += 10 * COPAL_SECOND;
    bare_out(server.bare);
    assert_idle(&server);
  }
  bare_close(server.bare);
}

/* T56: GETs can be asked for again, so they leave a quarter of the verifications to what has been executed. When that
 * is taken, too, nothing that executes anything is, before its sender has shown his address: or else its answer would
 * be lost. */
static void t56_what_executes_something_is_held_or_asked_for_before(void **state) {
  (void)state;
  struct server server;
  open_usual(&server); /* four */
  for (uint16_t i = 0; i < 10; ++i) {
    bare_in_from(server.bare, (uint16_t)(10000 + i), "41010001abb16c");
    bare_out(server.bare);
    assert_int_equal(server.bare->sent[0].view.code, i < 3 ? COPAL_EMPTY : COPAL_UNAUTHORIZED);
  }
  int executed = server.executed;
  bare_in_from(server.bare, 11000, "41020001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  assert_int_equal(server.executed, executed + 1);
  char echo[25];
  bare_in(server.bare, "41020002abb16c");
  assert_challenge(bare_out_one(server.bare), COPAL_ACK, echo);
  bare_in(server.bare, "51020003abb16c");
  assert_challenge(bare_out_one(server.bare), COPAL_NON, echo);
  assert_int_equal(server.executed, executed + 1);
  assert_int_equal(counters(&server)->challenged, 2);
  bare_in(server.bare, "41020004abb16cdce4%s", echo); /* Echo is option 252 */
  const struct bare_sent *sent = bare_out_one(server.bare);
  assert_int_equal(sent->view.code, COPAL_CREATED);
  assert_int_equal(sent->view.payload.size, LARGE);
  assert_int_equal(server.executed, executed + 2);
  server.bare->now += 10 * COPAL_SECOND;
  bare_out(server.bare);
  assert_idle(&server);
  bare_in_from(server.bare, 12000, "41020001abb16c"); /* there is room again */
  bare_out(server.bare);
  pings(&server, mids, 2);
  bare_close(server.bare);
}

/* T50: of four records three are held by verifications, and a stranger finds the fourth. */
static void t50_verifications_leave_a_record_to_strangers(void **state) {
  (void)state;
  copal_config config = config_of(8);
  config.peers_max = 4;
  struct server server;
  open_server(&server, &config);
  for (uint16_t i = 0; i < 20; ++i) {
    bare_in_from(server.bare, (uint16_t)(10000 + i), "41010001abb16c");
    bare_out(server.bare);
    assert_int_equal(server.bare->sent_count, i < 3 ? 2 : 1);
    assert_int_equal(server.bare->sent[0].view.code, i < 3 ? COPAL_EMPTY : COPAL_UNAUTHORIZED);
  }
  bare_in(server.bare, "41010001abb178");
  assert_int_equal(bare_out_one(server.bare)->view.code, COPAL_NOT_FOUND);
  assert_int_equal(counters(&server)->peers_full, 0);
  bare_close(server.bare);
}

/* --- Threats ------------------------------------------------------------------------------------ */

/* T55: separate responses to addresses that never acknowledge. Bounded, and an honest peer is served meanwhile. */
static void t55_addresses_that_never_answer(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  for (unsigned i = 0; i < 2000; ++i) {
    bare_in_from(server.bare, (uint16_t)(10000 + i), "41010001abb16c");
    bare_out(server.bare);
    assert_in_range(copal_endpoint_usage(server.bare->endpoint).exchanges, 0, 8); /* two pings each of four */
    bare_in(server.bare, "4101%04xabb178", i);
    const struct bare_sent *sent = bare_out_one(server.bare);
    assert_int_equal(sent->view.code, COPAL_NOT_FOUND);
    server.bare->now += 200 * COPAL_MILLISECOND;
    bare_out(server.bare);
  }
  server.bare->now += 10 * COPAL_SECOND;
  bare_out(server.bare);
  assert_idle(&server);
  assert_int_equal(counters(&server)->unverified, 2000);
  bare_close(server.bare);
}

static size_t bytes_out(struct server *server) {
  size_t size = 0;
  bare_out(server->bare);
  for (size_t i = 0; i < server->bare->sent_count; ++i) size += server->bare->sent[i].size;
  return size;
}

/* T56: whatever a small request from an address that says nothing more asks for, with all that follows it. */
static void t56_little_is_sent_to_an_address_that_is_not_verified(void **state) {
  (void)state;
  static const struct {
    const char *head, *tail;
  } requests[] = {{"4101", "abb16c"},
                  {"5101", "abb16c"},
                  {"4102", "abb16c"},
                  {"5102", "abb16c"},
                  {"4101", "abb16d"},
                  {"4101", "abb164"},
                  {"4101", "abbb2e77656c6c2d6b6e6f776e04636f7265"}};
  for (size_t kind = 0; kind < sizeof requests / sizeof *requests; ++kind)
    for (uint32_t deferred_max = 1; deferred_max < 5; deferred_max += 3) {
      copal_config config = config_of(deferred_max);
      struct server server;
      open_server(&server, &config);
      static char attributes[301];
      memset(attributes, 'a', 300);
      assert_int_equal(copal_route_attributes(server.bare->endpoint, "/l", attributes), COPAL_OK);
      server.size = 400;
      for (unsigned mid = 1; mid < 20; ++mid) {
        bare_in(server.bare, "%s%04x%s", requests[kind].head, mid, requests[kind].tail);
        size_t sent = bytes_out(&server);
        if (kind == 5) reply_later(&server, LARGE);
        for (int i = 0; i < 1200; ++i) {
          server.bare->now += 100 * COPAL_MILLISECOND;
          sent += bytes_out(&server);
        }
        assert_in_range(sent, 0, 136);
      }
      assert_int_equal(counters(&server)->verified, 0);
      assert_idle(&server);
      bare_close(server.bare);
    }
}

/* All message IDs, in any order, while the pings are under way: 61,440 datagrams must not make an address a verified
 * one. */
static void t56_trying_all_message_ids_does_not_verify(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  for (unsigned round = 0; round < 3; ++round) {
    bare_in(server.bare, "5101%04xabb16c", round);
    bare_out(server.bare);
    for (uint32_t mid = 0; mid < 65536; ++mid) reset(&server, (uint16_t)mid);
    for (uint32_t mid = 0; mid < 65536; ++mid) bare_in(server.bare, "6000%04x", mid);
    bare_out(server.bare);
    server.bare->now += 300 * COPAL_SECOND;
    bare_out(server.bare);
  }
  assert_int_equal(counters(&server)->verified, 0);
  assert_idle(&server);
  bare_close(server.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_cannot_wait_is_answered_4_01_at_once),
      cmocka_unit_test(an_unsafe_request_is_never_asked_for_again),
      cmocka_unit_test(another_peer_finds_no_room_and_is_told_so),
      cmocka_unit_test(a_large_deferred_answer_waits_too),
      cmocka_unit_test(what_would_be_repeated_counts_each_time),
      cmocka_unit_test(a_separate_answer_that_is_acknowledged_verifies),
      cmocka_unit_test(a_deferred_answer_that_cannot_wait_is_4_01),
      cmocka_unit_test(a_peer_can_be_verified_for_later),
      cmocka_unit_test(t55_held_answers_and_deferred_ones_have_room_of_their_own),
      cmocka_unit_test(t56_what_executes_something_is_held_or_asked_for_before),
      cmocka_unit_test(t50_verifications_leave_a_record_to_strangers),
      cmocka_unit_test(t55_addresses_that_never_answer),
      cmocka_unit_test(t56_little_is_sent_to_an_address_that_is_not_verified),
      cmocka_unit_test(t56_trying_all_message_ids_does_not_verify),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
