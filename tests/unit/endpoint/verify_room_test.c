/* Verified addresses where tables are full, tokens are long, message IDs are spent, or peers have the same hash: what
 * waits is whose it is, and what cannot wait leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/collision.h"
#include "support/spent.h"
#include "support/verify.h"

static void make_much(copal_request *request, void *context) {
  const struct server *server = context;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CREATED);
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, "l");
  copal_message_add_raw(reply, COPAL_OPTION_LOCATION_QUERY, body(server->size), server->size);
  copal_message_set_payload(reply, body(LARGE), LARGE);
}

/* RFC 9175 2.4 has 136 bytes: of what an executed request has made its place is told, as far as it fits. */
static void where_something_was_made_is_told_where_it_fits(void **state) {
  (void)state;
  copal_config config = config_of(0);
  config.peer_replies_max = 200;
  config.replies_size = 128 << 10;
  struct server server;
  open_server(&server, &config);
  assert_int_equal(copal_route(server.bare->endpoint, COPAL_POST, "/n", make_much, &server), COPAL_OK);
  unsigned mid = 1;
  for (server.size = 1; server.size < 160; ++server.size, ++mid) {
    bare_in(server.bare, "4102%04xabb16e", mid);
    const struct bare_sent *sent = bare_out_one(server.bare);
    copal_option option;
    bool told = copal_find(&sent->view, COPAL_OPTION_LOCATION_QUERY, &option);
    assert_int_equal(sent->view.code, COPAL_CREATED);
    assert_int_equal(sent->view.payload.size, 0);
    assert_in_range(sent->size, 5, 136 + 1); /* beside the token */
    assert_int_equal(told, server.size <= 136 - 4 - 2 - 2);
    assert_int_equal(copal_find(&sent->view, COPAL_OPTION_LOCATION_PATH, &option), told);
  }
  bare_close(server.bare);
}

/* RFC 8974: a token may be so long that beside it there is no room for an Echo value. */
static void a_token_that_leaves_no_room_for_a_challenge_gets_nothing(void **state) {
  (void)state;
  copal_config config = config_of(0);
  config.amplification_max = 1;
  struct server server;
  open_server(&server, &config);
  server.size = 10;
  uint8_t token[500] = {1}, bytes[512];
  unsigned challenged = 0, silent = 0;
  for (size_t size = 480; size <= 495; ++size) {
    copal_encoder encoder;
    copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, COPAL_GET, (uint16_t)size, token, size);
    copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "m", 1);
    copal_path path = bare_path(CLIENT);
    for (int i = 0; i < 2; ++i) { /* and its duplicate the same */
      bare_in_bytes(server.bare, &path, bytes, encoder.size);
      bare_out(server.bare);
      unsigned count = (unsigned)server.bare->sent_count;
      assert_in_range(count, 0, 1);
      if (count == 1) assert_int_equal(server.bare->sent[0].view.code, COPAL_UNAUTHORIZED);
      ++*(count == 1 ? &challenged : &silent);
    }
  }
  assert_int_equal(challenged, 2 * 13);
  assert_int_equal(silent, 2 * 3);
  assert_int_equal(counters(&server)->ignored, 3);
  assert_int_equal(counters(&server)->duplicates, 16);
  bare_close(server.bare);
}

/* One address is verified for a transfer that does not wait here: another has no room for that. */
static void an_answer_that_finds_no_verification_leaves_nothing_behind(void **state) {
  (void)state;
  copal_config config = config_of(1);
  struct server server;
  open_server(&server, &config);
  bare_in_from(server.bare, 7001, "50010001b178"); /* who is then known */
  bare_out(server.bare);
  endpoint_verify(server.bare->endpoint, 0, VERIFY_EXECUTED);
  bare_out(server.bare);
  assert_int_equal(server.bare->sent_count, 2);
  char echo[25];
  bare_in(server.bare, "41010002abb16c");
  assert_challenge(bare_out_one(server.bare), COPAL_ACK, echo);
  assert_int_equal(copal_endpoint_usage(server.bare->endpoint).deferred, 0);
  assert_int_equal(server.bare->endpoint->verifications.held_slab.count, 0);
  for (int i = 0; i < 10; ++i, server.bare->now += COPAL_SECOND) bare_out(server.bare);
  assert_idle(&server);
  bare_close(server.bare);
}

static void peers_with_the_same_hash_are_verified_each(void **state) {
  (void)state;
  copal_config config = config_of(4);
  struct server server;
  open_server(&server, &config);
  assert_peers_collide();
  server.bare->endpoint->verifications.key = COLLISION_KEY;
  for (uint16_t i = 0; i <= COLLISION_OTHER; ++i) bare_in_from(server.bare, (uint16_t)(7000 + i), "50010001b178");
  bare_out(server.bare);
  uint16_t mids[2][2];
  static const uint16_t ports[] = {7000 + COLLISION_PEER, 7000 + COLLISION_OTHER};
  for (int i = 0; i < 2; ++i) {
    bare_in_from(server.bare, ports[i], "51010002abb16c");
    bare_out(server.bare);
    pings(&server, mids[i], 2);
  }
  assert_int_equal(server.bare->endpoint->verifications.slab.count, 2);
  for (int i = 1; i >= 0; --i) {
    for (int k = 0; k < 2; ++k) bare_in_from(server.bare, ports[i], "7000%04x", mids[i][k]);
    const struct bare_sent *sent = bare_out_one(server.bare);
    assert_int_equal(sent->path.remote.port, ports[i]);
    assert_large(sent, COPAL_NON);
  }
  server.bare->now += COPAL_SECOND;
  bare_out(server.bare);
  assert_idle(&server);
  bare_close(server.bare);
}

/* --- Without message IDs -------------------------------------------------------------------------------------- */

/* RFC 7252 4.4: "The same Message ID MUST NOT be reused … within the EXCHANGE_LIFETIME": so NON requests of a peer that
 * was sent too much cannot be answered for a while, neither by a handler nor by a refusal; nor are they executed. */
static void a_non_request_is_not_taken_while_its_answer_has_no_message_id(void **state) {
  (void)state;
  copal_config config = config_of(4);
  struct server server;
  open_server(&server, &config);
  bare_in(server.bare, "50010001b178");
  assert_int_equal(bare_out_one(server.bare)->view.code, COPAL_NOT_FOUND);
  spend_message_ids(server.bare->endpoint, 0);
  uint32_t before = (uint32_t)counters(&server)->ignored;
  bare_in(server.bare, "51020002abb16c");        /* POST /l */
  bare_in(server.bare, "51010003ab c100 01 00"); /* one that would be refused: too short for its options */
  uint8_t large[600] = {0x50, 1, 0, 4};
  copal_path path = bare_path(CLIENT);
  memset(large + 4, 0, sizeof large - 4);
  bare_in_bytes(server.bare, &path, large, sizeof large); /* 4.13 */
  assert_out(server.bare, "");
  assert_int_equal(server.executed, 0);
  assert_true(counters(&server)->ignored >= before + 2);
  bare_in(server.bare, "41020005abb16c"); /* an ACK has the request's own */
  bare_out(server.bare);
  assert_int_equal(server.executed, 1);
  server.bare->now += 250 * COPAL_SECOND;
  bare_out(server.bare);
  bare_in(server.bare, "51020002abb16c"); /* again, and now it is taken */
  assert_int_equal(server.executed, 2);
  bare_close(server.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(where_something_was_made_is_told_where_it_fits),
      cmocka_unit_test(a_token_that_leaves_no_room_for_a_challenge_gets_nothing),
      cmocka_unit_test(an_answer_that_finds_no_verification_leaves_nothing_behind),
      cmocka_unit_test(peers_with_the_same_hash_are_verified_each),
      cmocka_unit_test(a_non_request_is_not_taken_while_its_answer_has_no_message_id),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
