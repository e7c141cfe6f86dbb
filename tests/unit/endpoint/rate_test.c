/* The rate at which one peer may ask: a second's worth at once, then one at a time; 4.29 above. RFC 8516. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/peers.h"
#include "support/bare.h"
#include "support/dice.h"

static void hello(copal_request *request, void *context) {
  ++*(int *)context;
  copal_reply_text(request, "hi");
}

static struct bare *open_server(uint32_t rate, int *executed) {
  copal_config config = copal_config_small();
  config.peer_rate = rate;
  config.replies_size = 65536;
  struct bare *bare = bare_open(&config);
  *executed = 0;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", hello, executed), COPAL_OK);
  return bare;
}

/* GET /a: the answer's code, 0 for none. */
static uint8_t get_from(struct bare *bare, uint16_t port) {
  static uint16_t mid;
  bare_in_from(bare, port, "4101%04xabb161", ++mid);
  bare_out(bare);
  return bare->sent_count == 0 ? 0 : bare->sent[0].view.code;
}

static uint8_t get(struct bare *bare) { return get_from(bare, BARE_PORT); }

static void a_seconds_worth_at_once_and_then_one_at_a_time(void **state) {
  (void)state;
  for (uint32_t rate = 1; rate <= 1000; rate = rate * 3 + 1) {
    int executed;
    struct bare *bare = open_server(rate, &executed);
    for (uint32_t i = 0; i < rate; ++i) assert_int_equal(get(bare), COPAL_CONTENT);
    for (int i = 0; i < 3; ++i) {
      assert_int_equal(get(bare), COPAL_TOO_MANY_REQUESTS);
      bare->now += COPAL_SECOND / rate + 1;
      assert_int_equal(get(bare), COPAL_CONTENT);
    }
    assert_int_equal(executed, rate + 3);
    assert_int_equal(copal_endpoint_counters(bare->endpoint)->rate_limited, 3);
    assert_int_equal(copal_endpoint_counters(bare->endpoint)->requests, rate + 3);
    bare_close(bare);
  }
}

/* RFC 8516 3: "The Max-Age option is used to indicate the number of seconds after which the server assumes it is OK for
 * the client to retry the request." "The 4.29 response code is only returned to the client(s) sending requests too
 * frequently". */
static void a_refusal_tells_when_to_ask_again_and_others_are_not_refused(void **state) {
  (void)state;
  int executed;
  struct bare *bare = open_server(2, &executed);
  for (int i = 0; i < 2; ++i) assert_int_equal(get(bare), COPAL_CONTENT);
  assert_int_equal(get(bare), COPAL_TOO_MANY_REQUESTS);
  assert_int_equal(bare->sent[0].view.type, COPAL_ACK);
  uint32_t seconds = copal_find_uint(&bare->sent[0].view, COPAL_OPTION_MAX_AGE, 60);
  assert_int_equal(seconds, 1);
  assert_int_equal(get_from(bare, 7000), COPAL_CONTENT);
  bare->now += seconds * COPAL_SECOND;
  for (int i = 0; i < 2; ++i) assert_int_equal(get(bare), COPAL_CONTENT);
  assert_int_equal(get(bare), COPAL_TOO_MANY_REQUESTS);
  bare_close(bare);
}

static void duplicates_of_answered_requests_do_not_count(void **state) {
  (void)state;
  int executed;
  struct bare *bare = open_server(2, &executed);
  for (int i = 0; i < 10; ++i) bare_expect(bare, "41010001abb161", "61450001abc0ff6869");
  assert_int_equal(get(bare), COPAL_CONTENT);
  assert_int_equal(executed, 2);
  bare_close(bare);
}

static void a_non_is_refused_with_a_non_and_a_group_in_silence(void **state) {
  (void)state;
  int executed;
  struct bare *bare = open_server(1, &executed);
  assert_int_equal(get(bare), COPAL_CONTENT);
  bare_in(bare, "51010001abb161");
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(sent->view.type, COPAL_NON);
  assert_int_equal(sent->view.code, COPAL_TOO_MANY_REQUESTS);
  copal_path path = bare_group_path(BARE_PORT);
  bare_in_path(bare, &path, "51010002abb161");
  assert_out(bare, "");
  assert_int_equal(executed, 1);
  assert_int_equal(copal_endpoint_counters(bare->endpoint)->rate_limited, 2);
  bare_close(bare);
}

/* What was refused is sent anew, as a message of its own, when it is time; then a late duplicate of the first one
 * comes. Of a GET that does no harm. */
static void a_late_duplicate_of_a_post_that_was_refused_is_not_executed(void **state) {
  (void)state;
  int executed;
  struct bare *bare = open_server(1, &executed);
  assert_int_equal(copal_route(bare->endpoint, COPAL_POST, "/a", hello, &executed), COPAL_OK);
  bare_expect(bare, "41020001abb161", "61450001abc0ff6869");
  bare_in(bare, "41020002abb161");
  assert_int_equal(bare_out_one(bare)->view.code, COPAL_TOO_MANY_REQUESTS);
  bare_in(bare, "41010003abb161"); /* a GET */
  assert_int_equal(bare_out_one(bare)->view.code, COPAL_TOO_MANY_REQUESTS);
  bare->now += 2 * COPAL_SECOND;
  bare_expect(bare, "41020004abb161", "61450004abc0ff6869");
  bare->now += 2 * COPAL_SECOND;
  bare_in(bare, "41020002abb161");
  assert_int_equal(bare_out_one(bare)->view.code, COPAL_TOO_MANY_REQUESTS);
  assert_int_equal(executed, 2);
  bare_expect(bare, "41010003abb161", "61450003abc0ff6869");
  bare_close(bare);
}

static void rates_are_bounded_and_none_is_no_limit(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  assert_int_equal(config.peer_rate, 0);
  config.peer_rate = 1000;
  assert_int_not_equal(copal_endpoint_size(&config), 0);
  config.peer_rate = 1001;
  assert_int_equal(copal_endpoint_size(&config), 0);
  int executed;
  struct bare *bare = open_server(0, &executed);
  for (int i = 0; i < 2000; ++i) assert_int_equal(get(bare), COPAL_CONTENT);
  bare_close(bare);
}

/* Against a model that keeps all that was allowed: no second and a bit has more than twice the rate, nobody who is slow
 * is refused, and the 32 bits may come round. */
static void a_rate_is_kept_over_any_time(void **state) {
  (void)state;
  struct dice dice = {5};
  for (uint32_t rate = 1; rate <= 1000; rate = rate * 4 + 3) {
    struct peer record = {0};
    struct peers peers = {.records = &record};
    copal_time now = (((uint64_t)1 << 32) / rate - 5) * COPAL_SECOND, began = now;
    uint64_t allowed = 0;
    for (int i = 0; i < 30000; ++i) {
      now += dice_u64(&dice) % (COPAL_SECOND / rate);
      allowed += peers_may_ask(&peers, 0, rate, now);
      uint64_t elapsed = (now - began) / (COPAL_SECOND / rate);
      assert_in_range(allowed, 0, elapsed + rate + 1);
      /* Twice as many as may be were asked for. */
      if (i > 3000) assert_in_range(allowed, elapsed - elapsed / 50 - 1, elapsed + rate + 1);
    }
    for (int i = 0; i < 1000; ++i) {
      now += COPAL_SECOND / rate + 1000;
      assert_true(i == 0 || peers_may_ask(&peers, 0, rate, now));
    }
  }
}

/* Its state shares its place with the time until which a silent peer is spared: either way it is valid. */
static void a_peer_that_was_silent_begins_anew(void **state) {
  (void)state;
  struct peer record = {.flags = PEER_SILENT, .limit.probing_until = UINT32_MAX};
  struct peers peers = {.records = &record};
  assert_true(peers_may_ask(&peers, 0, 1, 77 * COPAL_SECOND));
  assert_int_equal(record.flags, PEER_ASKED);
  assert_false(peers_may_ask(&peers, 0, 1, 77 * COPAL_SECOND));
  assert_true(peers_may_ask(&peers, 0, 1, 78 * COPAL_SECOND));

  int executed;
  struct bare *bare = open_server(2, &executed);
  copal_path path = bare_path(BARE_PORT);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 2; ++i) assert_int_equal(get(bare), COPAL_CONTENT);
    assert_int_equal(get(bare), COPAL_TOO_MANY_REQUESTS);
    struct bare_message message;
    copal_message *probe = bare_write(&message, COPAL_NON, COPAL_GET, "b", NULL);
    for (int i = 0; i < 2; ++i) /* the second has to wait for PROBING_RATE */
      assert_int_equal(copal_send_path(bare->endpoint, probe, &path, NULL), COPAL_OK);
    bare_out_one(bare);
    bare->now += 10 * COPAL_SECOND;
    assert_out(bare, "");
    bare->now += 300 * COPAL_SECOND;
    bare_out_one(bare);
    bare->now += 300 * COPAL_SECOND;
    assert_out(bare, "");
  }
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_seconds_worth_at_once_and_then_one_at_a_time),
      cmocka_unit_test(a_refusal_tells_when_to_ask_again_and_others_are_not_refused),
      cmocka_unit_test(duplicates_of_answered_requests_do_not_count),
      cmocka_unit_test(a_non_is_refused_with_a_non_and_a_group_in_silence),
      cmocka_unit_test(a_late_duplicate_of_a_post_that_was_refused_is_not_executed),
      cmocka_unit_test(rates_are_bounded_and_none_is_no_limit),
      cmocka_unit_test(a_rate_is_kept_over_any_time),
      cmocka_unit_test(a_peer_that_was_silent_begins_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
