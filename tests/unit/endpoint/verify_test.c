/* Verified addresses: what goes to an address that has not shown yet that it receives, what waits for that, and how it
 * is shown. RFC 7252 section 11.3, RFC 9175 sections 2.4 and 2.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/echo.h"
#include "support/verify.h"

/* --- The pings ---------------------------------------------------------------------------------- */

static void who_answers_pings_gets_the_whole_answer_a_round_trip_later(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "41010001abb16c");
  bare_out(server.bare);
  assert_int_equal(server.bare->sent_count, 2);
  reset_pings(&server);
  const struct bare_sent *sent = bare_out_one(server.bare);
  assert_large(sent, COPAL_ACK);
  assert_int_equal(sent->view.message_id, 1);
  assert_int_equal(counters(&server)->held, 1);
  assert_int_equal(counters(&server)->verified, 1);
  assert_int_equal(counters(&server)->unverified, 0);
  assert_idle(&server);
  bare_in(server.bare, "41010002abb16c"); /* from now on at once */
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  assert_int_equal(counters(&server)->held, 1);
  assert_int_equal(server.executed, 2);
  bare_close(server.bare);
}

/* RFC 7252 5.2.2: the client must not be kept waiting for its ACK. */
static void a_longer_round_trip_makes_it_a_separate_answer(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "41010001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  server.bare->now += 500 * COPAL_MILLISECOND;
  assert_out(server.bare, "60000001");
  reset(&server, mids[0]);
  reset(&server, mids[1]);
  const struct bare_sent *sent = bare_out_one(server.bare);
  assert_large(sent, COPAL_CON);
  bare_in(server.bare, "6000%04x", sent->view.message_id);
  assert_out(server.bare, "");
  assert_idle(&server);
  bare_close(server.bare);
}

static void a_non_gets_a_non_and_no_ack(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb16c");
  bare_out(server.bare);
  assert_int_equal(server.bare->sent_count, 2);
  reset_pings(&server);
  assert_large(bare_out_one(server.bare), COPAL_NON);
  bare_in(server.bare, "51010001abb16c"); /* RFC 7252 4.5: a duplicate NON is silently ignored */
  assert_out(server.bare, "");
  bare_close(server.bare);
}

static void a_request_that_waits_is_executed_once(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "41010001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  for (int i = 0; i < 3; ++i) bare_expect(server.bare, "41010001abb16c", "");
  reset(&server, mids[0]);
  bare_expect(server.bare, "41010001abb16c", "");
  reset(&server, mids[1]);
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  bare_in(server.bare, "41010001abb16c");
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  assert_int_equal(server.executed, 1);
  bare_close(server.bare);
}

static void answers_to_one_peer_share_a_pair_of_pings_and_keep_their_order(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  server.size = 150;
  bare_in(server.bare, "51010002abb16d");
  bare_in(server.bare, "51010003abb16c");
  assert_out(server.bare, "");
  reset(&server, mids[0]);
  reset(&server, mids[1]);
  bare_out(server.bare);
  assert_int_equal(server.bare->sent_count, 3);
  assert_large(&server.bare->sent[0], COPAL_NON);
  assert_int_equal(server.bare->sent[1].view.payload.size, 150);
  assert_large(&server.bare->sent[2], COPAL_NON);
  assert_int_equal(counters(&server)->verified, 1);
  bare_close(server.bare);
}

/* The pings do not wait for each other (NSTART), nor for what else is outstanding. */
static void pings_take_no_turn(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  struct bare_message message;
  copal_path path = bare_path(CLIENT);
  copal_message *get = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL);
  assert_int_equal(copal_send_path(server.bare->endpoint, get, &path, NULL), COPAL_OK);
  bare_out_one(server.bare);
  bare_in(server.bare, "41010001abb16c");
  bare_out(server.bare);
  reset_pings(&server);
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  assert_int_equal(counters(&server)->verified, 1);
  bare_close(server.bare);
}

/* RFC 9175 2.4: "When an Echo response is sent to mitigate amplification, it MUST be sent as a piggybacked or
 * Non-confirmable response, never as a separate one". */
static void who_does_not_answer_gets_4_01_and_with_its_echo_the_whole_answer(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "41010001abb16c");
  bare_out(server.bare);
  uint16_t first[2], again[2];
  pings(&server, first, 2);
  server.bare->now += 3 * COPAL_SECOND;
  bare_out(server.bare);
  pings(&server, again, 2);
  assert_true((first[0] == again[0] && first[1] == again[1]) || (first[0] == again[1] && first[1] == again[0]));
  server.bare->now += COPAL_SECOND;
  char echo[25];
  assert_challenge(bare_out_one(server.bare), COPAL_NON, echo);
  assert_int_equal(counters(&server)->unverified, 1);
  server.bare->now += 100 * COPAL_SECOND;
  assert_out(server.bare, ""); /* it is not repeated */
  assert_idle(&server);
  bare_expect(server.bare, "41010001abb16c", "60000001");
  bare_in(server.bare, "41010002abb16c dce4%s", echo);
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  assert_int_equal(counters(&server)->verified, 1);
  bare_close(server.bare);
}

/* It executes nothing: RFC 7959 2.4, and may be asked again. */
static void who_asks_for_more_of_a_posts_answer_and_does_not_answer_gets_4_01(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  char echo[25];
  server.size = 450;
  assert_int_equal(copal_route(server.bare->endpoint, COPAL_POST, "/m", give_any, &server), COPAL_OK);
  bare_in(server.bare, "41020001ab b16d c102 ff %0160d", 0); /* Block2 0/0/64; the request is large enough */
  assert_int_equal(bare_out_one(server.bare)->view.code, COPAL_CONTENT);
  bare_in(server.bare, "41020002ab b16d c114"); /* 1/0/256 */
  bare_out(server.bare);
  server.bare->now += 3 * COPAL_SECOND;
  bare_out(server.bare);
  server.bare->now += COPAL_SECOND;
  assert_challenge(bare_out_one(server.bare), COPAL_NON, echo);
  bare_close(server.bare);
}

/* Whoever has failed is tried again, with message IDs that cannot be told from the first. */
static void who_failed_may_try_again(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  uint16_t last[2] = {0, 0};
  for (unsigned round = 1; round <= 3; ++round) {
    bare_in(server.bare, "4101%04xabb16c", round);
    bare_out(server.bare);
    uint16_t mids[2];
    pings(&server, mids, 2);
    assert_int_not_equal(mids[0], last[1] + 1);
    assert_int_not_equal(mids[1], mids[0] + 1);
    memcpy(last, mids, sizeof last);
    server.bare->now += 4 * COPAL_SECOND;
    bare_out(server.bare);
    server.bare->now += 300 * COPAL_SECOND;
    bare_out(server.bare);
  }
  assert_int_equal(counters(&server)->unverified, 3);
  assert_idle(&server);
  bare_close(server.bare);
}

/* One ID can be found by trying them all. */
static void one_reset_is_not_enough(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  reset(&server, mids[0]);
  assert_out(server.bare, "");
  char echo[25];
  bool challenged = false;
  for (int k = 0; k < 300 && !challenged; ++k) {
    server.bare->now += COPAL_SECOND;
    bare_out(server.bare);
    challenged = server.bare->sent_count == 1 && server.bare->sent[0].view.code != COPAL_EMPTY;
  }
  assert_challenge(&server.bare->sent[0], COPAL_NON, echo);
  assert_int_equal(counters(&server)->verified, 0);
  assert_idle(&server);
  bare_close(server.bare);
}

/* libcoap answers pings with one Reset every quarter of a second; and datagrams are lost. Somebody is there: so a third
 * ping goes, with all its retransmissions. */
static void after_one_reset_another_ping_goes_and_any_two_will_do(void **state) {
  (void)state;
  for (int lost = 0; lost < 5; ++lost) {
    struct server server;
    open_usual(&server);
    bare_in(server.bare, "51010001abb16c");
    bare_out(server.bare);
    uint16_t mids[2], third;
    pings(&server, mids, 2);
    reset(&server, mids[lost % 2]);
    assert_out(server.bare, "");
    server.bare->now += 299 * COPAL_MILLISECOND;
    assert_out(server.bare, "");
    server.bare->now += COPAL_MILLISECOND;
    bare_out(server.bare);
    pings(&server, &third, 1);
    assert_true(third != mids[0] && third != mids[1]);
    for (int i = 0; i < lost;) {
      server.bare->now += 100 * COPAL_MILLISECOND;
      bare_out(server.bare);
      for (size_t k = 0; k < server.bare->sent_count; ++k) i += server.bare->sent[k].view.message_id == third;
    }
    server.bare->now += COPAL_MILLISECOND;
    reset(&server, third);
    assert_large(bare_out_one(server.bare), COPAL_NON);
    assert_idle(&server);
    bare_close(server.bare);
  }
}

static void a_spare_ping_is_not_sent_where_two_are_answered(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb16c");
  bare_out(server.bare);
  reset_pings(&server);
  assert_large(bare_out_one(server.bare), COPAL_NON);
  server.bare->now += COPAL_SECOND;
  assert_out(server.bare, "");
  assert_idle(&server);
  bare_close(server.bare);
}

static void who_guesses_is_not_waited_for(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb16c");
  bare_out(server.bare);
  uint16_t mids[2];
  pings(&server, mids, 2);
  reset(&server, mids[0]);
  for (uint16_t i = 1; i <= 8; ++i) reset(&server, (uint16_t)(mids[1] + i));
  assert_out(server.bare, "");
  reset(&server, (uint16_t)(mids[1] + 9));
  char echo[25];
  assert_challenge(bare_out_one(server.bare), COPAL_NON, echo);
  reset(&server, mids[1]);
  assert_out(server.bare, "");
  assert_int_equal(counters(&server)->verified, 0);
  bare_close(server.bare);
}

static void an_echo_value_lets_go_of_what_waits(void **state) {
  (void)state;
  struct server server;
  open_usual(&server);
  bare_in(server.bare, "51010001abb16c");
  bare_out(server.bare);
  uint8_t value[ECHO_SIZE];
  copal_path path = bare_path(CLIENT);
  struct path packed = path_pack(&path);
  const struct engine *engine = &server.bare->endpoint->engine;
  echo_write(&engine->seal_key, path_identity(&server.bare->endpoint->paths, &packed), engine->now, value);
  uint8_t bytes[19] = {0x51, 1, 0, 2, 0xab, 0xdc, 239};
  memcpy(bytes + 7, value, sizeof value);
  bare_in_bytes(server.bare, &path, bytes, sizeof bytes);
  bare_out(server.bare);
  assert_int_equal(server.bare->sent_count, 2);
  assert_int_equal(server.bare->sent[0].view.code, COPAL_NOT_FOUND);
  assert_large(&server.bare->sent[1], COPAL_NON);
  server.bare->now += 10 * COPAL_SECOND;
  assert_out(server.bare, "");
  assert_idle(&server);
  bare_close(server.bare);
}

/* --- What else verifies, and what does not ------------------------------------------------------- */

static void a_token_or_an_ack_that_comes_back_verifies(void **state) {
  (void)state;
  for (int kind = 0; kind < 3; ++kind) {
    struct server server;
    open_usual(&server);
    struct bare_call call;
    bare_request(server.bare, CLIENT, COPAL_CON, COPAL_GET, COPAL_NEVER, &call);
    const struct bare_sent *sent = bare_out_one(server.bare);
    char token[33];
    bare_token(sent, token);
    if (kind == 0) bare_in(server.bare, "6845%04x%s", sent->view.message_id, token);
    if (kind == 1) bare_in(server.bare, "58450777%s", token);
    if (kind == 2) bare_in(server.bare, "6000%04x", sent->view.message_id);
    assert_int_equal(counters(&server)->verified, 1);
    bare_close(server.bare);
  }
}

/* --- What may be sent --------------------------------------------------------------------------- */

/* RFC 9175 2.4: "don't send more than three times the number of bytes received until the peer's address is confirmed";
 * "a safe default is sending initial responses no larger than 136 bytes". */
static void three_times_the_request_or_136_bytes_go_at_once(void **state) {
  (void)state;
  for (size_t request = 7; request <= 100; ++request) {
    size_t limit = 3 * request > 136 ? 3 * request : 136;
    for (size_t reply = limit - 1; reply <= limit + 1; ++reply) {
      struct server server;
      open_usual(&server);
      server.size = reply - 6;
      uint8_t bytes[200] = {0x41, 1, 0, 1, 0xab, 0xb1, 'm', 0xd0, 255 - 13, 0xff};
      size_t size = request < 11 ? 7 : request; /* with an option of no meaning and a payload where there is room */
      copal_path path = bare_path(CLIENT);
      if (size == 7 && request != 7) {
        bare_close(server.bare);
        continue;
      }
      bare_in_bytes(server.bare, &path, bytes, size);
      bare_out(server.bare);
      if (reply <= limit) {
        assert_int_equal(server.bare->sent_count, 1);
        assert_int_equal(server.bare->sent[0].size, reply);
      } else {
        assert_int_equal(server.bare->sent_count, 2);
      }
      bare_close(server.bare);
    }
  }
}

static void no_limit_is_no_limit(void **state) {
  (void)state;
  copal_config config = config_of(4);
  config.amplification_max = 0;
  struct server server;
  open_server(&server, &config);
  bare_in(server.bare, "41010001abb16c");
  assert_large(bare_out_one(server.bare), COPAL_ACK);
  endpoint_verify(server.bare->endpoint, 0, VERIFY_FOR_LATER);
  assert_out(server.bare, "");
  bare_close(server.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_answers_pings_gets_the_whole_answer_a_round_trip_later),
      cmocka_unit_test(a_longer_round_trip_makes_it_a_separate_answer),
      cmocka_unit_test(a_non_gets_a_non_and_no_ack),
      cmocka_unit_test(a_request_that_waits_is_executed_once),
      cmocka_unit_test(answers_to_one_peer_share_a_pair_of_pings_and_keep_their_order),
      cmocka_unit_test(pings_take_no_turn),
      cmocka_unit_test(who_does_not_answer_gets_4_01_and_with_its_echo_the_whole_answer),
      cmocka_unit_test(who_asks_for_more_of_a_posts_answer_and_does_not_answer_gets_4_01),
      cmocka_unit_test(who_failed_may_try_again),
      cmocka_unit_test(one_reset_is_not_enough),
      cmocka_unit_test(after_one_reset_another_ping_goes_and_any_two_will_do),
      cmocka_unit_test(a_spare_ping_is_not_sent_where_two_are_answered),
      cmocka_unit_test(who_guesses_is_not_waited_for),
      cmocka_unit_test(an_echo_value_lets_go_of_what_waits),
      cmocka_unit_test(a_token_or_an_ack_that_comes_back_verifies),
      cmocka_unit_test(three_times_the_request_or_136_bytes_go_at_once),
      cmocka_unit_test(no_limit_is_no_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
