/* Tables that an endpoint fills by serving: each is filled to the brim, the next request gets the answer that stands
 * with its limit in copal_config, nothing else stops, and what is released can be taken again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/brim.h"

enum { FIRST_PORT = 6000, MANY = 64, FULL = 64, ENTRY = 32 };

#define LIFETIME (248 * COPAL_SECOND)

/* --- Replies ------------------------------------------------------------------------------------ */

/* A request as it was sent, to be sent again. */
struct once {
  uint8_t bytes[512];
  size_t size;
  uint16_t port;
};

static uint8_t ask(struct brim *brim, struct once *once, copal_code code, uint16_t port) {
  once->size = brim_write(brim, once->bytes, &(struct brim_ask){.code = code, .path = "/ok"});
  once->port = port;
  copal_path path = bare_path(port);
  bare_in_bytes(brim->bare, &path, once->bytes, once->size);
  return bare_out_one(brim->bare)->view.code;
}

static uint8_t ask_again(struct brim *brim, const struct once *once) {
  copal_path path = bare_path(once->port);
  bare_in_bytes(brim->bare, &path, once->bytes, once->size);
  return bare_out_one(brim->bare)->view.code;
}

/* "When the memory for replies is full, the oldest replies to idempotent requests go first": none is refused. */
static void full_memory_for_replies_forgets_the_oldest_idempotent_ones(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.replies_size = 2048;
  struct brim brim;
  brim_open(&brim, &config);
  struct once asked[MANY];
  uint16_t count = 0;
  const copal_counters *counters = brim_counters(&brim);
  for (; counters->replies_evicted == 0 && count < MANY; ++count)
    assert_int_equal(ask(&brim, &asked[count], COPAL_GET, FIRST_PORT + count % 8), COPAL_CONTENT);
  assert_in_range(count, 10, MANY - 1);
  /* As many as there must be for the largest reply, which this one might have been. */
  uint16_t evicted = (uint16_t)counters->replies_evicted;
  assert_in_range(evicted, 1, 256 / 32);
  assert_true(brim_usage(&brim).replies_size <= 2048);

  uint64_t requests = counters->requests;
  for (uint16_t i = evicted; i < count; ++i) assert_int_equal(ask_again(&brim, &asked[i]), COPAL_CONTENT);
  assert_int_equal(counters->requests, requests);
  assert_int_equal(counters->repeated, count - evicted);
  assert_int_equal(ask_again(&brim, &asked[0]), COPAL_CONTENT);
  assert_int_equal(counters->requests, requests + 1);
  assert_works_but(&brim, 0);

  /* Those whose time is over make room uncounted. */
  brim.bare->now += LIFETIME;
  uint64_t before = counters->replies_evicted;
  for (uint16_t i = 0; i < count / 2; ++i)
    assert_int_equal(ask(&brim, &asked[i], COPAL_GET, FIRST_PORT), COPAL_CONTENT);
  assert_int_equal(counters->replies_evicted, before);
  brim_close(&brim);
}

/* "a request that is not idempotent is then answered 5.03 … rather than risk being executed twice". */
static void full_memory_for_replies_refuses_what_is_not_idempotent(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.replies_size = 2048;
  struct brim brim;
  brim_open(&brim, &config);
  struct once asked[MANY];
  uint16_t count = 0;
  while (count < MANY - 1 && ask(&brim, &asked[count], COPAL_POST, FIRST_PORT + count % 8) == COPAL_CHANGED) ++count;
  assert_in_range(count, 10, MANY - 2);
  assert_int_equal(brim.executed, count);
  assert_int_equal(brim.bare->sent[0].view.code, COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(copal_find_uint(&brim.bare->sent[0].view, COPAL_OPTION_MAX_AGE, 0), 5);
  assert_int_equal(brim_counters(&brim)->replies_full, 1);

  for (uint16_t i = 0; i < count; ++i) assert_int_equal(ask_again(&brim, &asked[i]), COPAL_CHANGED);
  assert_int_equal(brim.executed, count);
  assert_works_but(&brim, BRIM_EXECUTING | BRIM_GATHERING);
  assert_int_equal(ask_again(&brim, &asked[count]), COPAL_SERVICE_UNAVAILABLE);

  brim.bare->now += LIFETIME;
  assert_works_but(&brim, 0);
  assert_int_equal(ask_again(&brim, &asked[count]), COPAL_CHANGED);
  brim_close(&brim);
}

/* "Replies to unsafe requests remembered for one peer …; above, it gets 5.03." */
static void a_peer_with_its_share_of_replies_is_refused_alone(void **state) {
  (void)state;
  enum { REPLIES = 3 };
  copal_config config = brim_config();
  config.peer_replies_max = REPLIES;
  struct brim brim;
  brim_open(&brim, &config);
  for (int i = 0; i < REPLIES; ++i) {
    assert_int_equal(brim_post(&brim, FIRST_PORT), COPAL_CHANGED);
    brim.bare->now += COPAL_SECOND;
  }
  assert_int_equal(brim_post(&brim, FIRST_PORT), COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(brim.executed, REPLIES);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/ok"), COPAL_CONTENT);
  assert_works_but(&brim, 0);

  brim.bare->now += LIFETIME - REPLIES * COPAL_SECOND; /* the oldest one's time is over */
  assert_int_equal(brim_post(&brim, FIRST_PORT), COPAL_CHANGED);
  assert_int_equal(brim_post(&brim, FIRST_PORT), COPAL_SERVICE_UNAVAILABLE);
  brim_close(&brim);
}

/* "Replies that may wait for one output …. More are dropped; the reply to a CON is given when that comes again." */
static void a_full_outbox_drops_replies_until_they_are_asked_for_again(void **state) {
  (void)state;
  enum { OUTBOX = 4 };
  copal_config config = brim_config();
  config.outbox_max = OUTBOX;
  struct brim brim;
  brim_open(&brim, &config);
  struct once asked[OUTBOX + 2];
  copal_datagram batch[OUTBOX + 2];
  for (uint16_t i = 0; i < OUTBOX + 2; ++i) {
    asked[i].port = FIRST_PORT + i;
    asked[i].size = brim_write(&brim, asked[i].bytes, &(struct brim_ask){.code = COPAL_POST, .path = "/ok"});
    batch[i] = (copal_datagram){asked[i].bytes, asked[i].size, bare_path(asked[i].port)};
  }
  assert_int_equal(copal_endpoint_input(brim.endpoint, brim.bare->now, batch, OUTBOX + 2), OUTBOX + 2);
  bare_out(brim.bare);
  assert_int_equal(brim.bare->sent_count, OUTBOX);
  assert_int_equal(brim_counters(&brim)->outbox_full, 2);
  assert_int_equal(brim.executed, OUTBOX + 2);
  assert_works_but(&brim, 0);

  unsigned executed = brim.executed;
  for (int i = OUTBOX; i < OUTBOX + 2; ++i) assert_int_equal(ask_again(&brim, &asked[i]), COPAL_CHANGED);
  assert_int_equal(brim.executed, executed);
  assert_int_equal(brim_counters(&brim)->outbox_full, 2);
  brim_close(&brim);
}

/* GET /full, whose reply is as large as it may be: header, a token of one byte, marker and payload. */
static void give_full(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, brim_body(), FULL - 4 - 1 - 1);
}

/* Replies stay where they are until they have gone. With nothing else in their memory a response is taken all the same,
 * but nobody knows it when it comes again: RFC 7252 4.2 has it rejected, who "lacks context to process the message
 * properly". */
static void full_memory_for_replies_takes_responses_without_remembering_them(void **state) {
  (void)state;
  for (uint16_t pending = 0; pending <= 2; ++pending) {
    copal_config config = brim_config();
    config.message_size_max = FULL;
    config.replies_size = 2 * 2 * (FULL + ENTRY);
    struct brim brim;
    brim_open(&brim, &config);
    assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/full", give_full, NULL), COPAL_OK);
    struct bare_call call;
    char token[33];
    assert_int_equal(brim_begin_request(&brim, BRIM_OTHER_PORT, &call, NULL), COPAL_OK);
    bare_token(bare_out_one(brim.bare), token);

    for (uint16_t i = 0; i < pending; ++i)
      brim_send(&brim, FIRST_PORT + i, &(struct brim_ask){.code = COPAL_GET, .path = "/full"});
    bare_in_from(brim.bare, BRIM_OTHER_PORT, "4845beef%s", token);
    assert_int_equal(call.count, 1);
    assert_int_equal(call.code, COPAL_CONTENT);
    bare_out(brim.bare);
    assert_int_equal(brim.bare->sent_count, pending + 1);
    for (uint16_t i = 0; i < pending; ++i) assert_int_equal(brim.bare->sent[i].view.code, COPAL_CONTENT);
    assert_int_equal(brim.bare->sent[pending].view.type, COPAL_ACK);

    bare_in_from(brim.bare, BRIM_OTHER_PORT, "4845beef%s", token);
    const copal_view *again = &bare_out_one(brim.bare)->view;
    assert_int_equal(again->type, pending < 2 ? COPAL_ACK : COPAL_RST);
    assert_int_equal(again->message_id, 0xbeef);
    assert_int_equal(call.count, 1);
    brim_close(&brim);
  }
}

/* --- What is owed ---------------------------------------------------------------------------------- */

static void full_deferred_answers_refuse_to_defer_and_nothing_else(void **state) {
  (void)state;
  enum { DEFERRED = 3 };
  copal_config config = brim_config();
  config.deferred_max = DEFERRED;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < DEFERRED; ++i) assert_int_equal(brim_get(&brim, FIRST_PORT + i, "/later"), COPAL_EMPTY);
  assert_int_equal(brim_usage(&brim).deferred, DEFERRED);

  assert_int_equal(brim_get(&brim, FIRST_PORT, "/later"), COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(brim.defer_error, COPAL_ERR_DEFERRED_FULL);
  assert_works_but(&brim, BRIM_DEFERRING);

  brim_pay(&brim);
  assert_int_equal(bare_out_one(brim.bare)->path.remote.port, FIRST_PORT);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/later"), COPAL_EMPTY);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/later"), COPAL_SERVICE_UNAVAILABLE);
  while (brim.owed_count > 0)
    assert_int_equal(copal_deferred_drop(brim.endpoint, brim.owed[--brim.owed_count]), COPAL_OK);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* GET /large, which is more than what an address that is not verified may be sent. */
static void give_large(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, brim_body(), 200);
}

/* "and as many that wait for their addresses to be verified, and as many such addresses: above, 4.01 with Echo at
 * once". */
static void full_verifications_are_answered_4_01_at_once(void **state) {
  (void)state;
  enum { VERIFICATIONS = 2 };
  copal_config config = brim_config();
  config.deferred_max = VERIFICATIONS;
  config.amplification_max = 3;
  config.message_size_max = 512;
  struct brim brim;
  brim_open(&brim, &config);
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/large", give_large, NULL), COPAL_OK);
  struct brim_ask large = {.code = COPAL_GET, .path = "/large"};
  uint16_t mids[VERIFICATIONS][2];
  for (uint16_t i = 0; i < VERIFICATIONS; ++i) {
    brim_send(&brim, FIRST_PORT + i, &large);
    bare_out(brim.bare);
    assert_int_equal(brim.bare->sent_count, 2);
    for (int ping = 0; ping < 2; ++ping) {
      assert_int_equal(brim.bare->sent[ping].size, 4);
      mids[i][ping] = brim.bare->sent[ping].view.message_id;
    }
  }
  assert_int_equal(brim_counters(&brim)->held, VERIFICATIONS);

  assert_int_equal(brim_answer(&brim, FIRST_PORT + VERIFICATIONS, &large), COPAL_UNAUTHORIZED);
  copal_option option;
  assert_true(copal_find(&brim.bare->sent[0].view, COPAL_OPTION_ECHO, &option));
  /* What may not be executed twice is not executed: its answer, if large, could not be held. */
  assert_int_equal(brim_post(&brim, BRIM_OTHER_PORT), COPAL_UNAUTHORIZED);
  assert_works_but(&brim, BRIM_EXECUTING | BRIM_OBSERVING);

  /* Both pings of the first one are answered: its answer goes, and another one may wait. */
  bare_in_from(brim.bare, FIRST_PORT, "7000%04x", mids[0][0]);
  bare_in_from(brim.bare, FIRST_PORT, "7000%04x", mids[0][1]);
  assert_int_equal(bare_out_one(brim.bare)->view.payload.size, 200);
  brim_send(&brim, FIRST_PORT + VERIFICATIONS, &large);
  bare_out(brim.bare);
  assert_int_equal(brim.bare->sent_count, 2);
  assert_int_equal(brim_counters(&brim)->held, VERIFICATIONS + 1);
  brim.bare->now += 60 * COPAL_SECOND;
  bare_out(brim.bare);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "Replies to an address that is not verified are at most this many times its request, or 136 bytes". */
static void what_is_one_byte_over_the_amplification_waits(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.amplification_max = 3;
  config.message_size_max = 512;
  struct brim brim;
  brim_open(&brim, &config);
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/large", give_large, NULL), COPAL_OK);
  struct brim_ask large = {.code = COPAL_GET, .path = "/large"};
  uint8_t bytes[512];
  size_t bare_size = brim_write(&brim, bytes, &large), reply = 4 + 1 + 1 + 200, least = (reply + 2) / 3;
  large.payload = least - bare_size - 1;
  assert_int_equal(brim_answer(&brim, FIRST_PORT, &large), COPAL_CONTENT);
  assert_int_equal(brim.bare->sent[0].size, reply);
  --large.payload;
  brim_send(&brim, FIRST_PORT + 1, &large);
  bare_out(brim.bare);
  assert_int_equal(brim.bare->sent_count, 2); /* two pings */
  assert_int_equal(brim.bare->sent[0].size, 4);
  assert_int_equal(brim_counters(&brim)->held, 1);
  assert_works_but(&brim, BRIM_OBSERVING);
  brim.bare->now += 60 * COPAL_SECOND;
  bare_out(brim.bare);
  brim_close(&brim);
}

/* --- Others ------------------------------------------------------------------------------------------ */

/* "Calls of copal_route, and twice as many distinct path segments". They live as long as the endpoint. */
static void full_routes_refuse_routes_and_serve_those_that_there_are(void **state) {
  (void)state;
  enum { ROUTES = 8 };
  copal_config config = brim_config();
  config.routes_max = ROUTES;
  struct brim brim;
  brim_open(&brim, &config); /* has six */
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/one", brim_read, &brim), COPAL_OK);
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/two", brim_read, &brim), COPAL_OK);
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/three", brim_read, &brim), COPAL_ERR_ROUTES_FULL);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/one"), COPAL_CONTENT);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/two"), COPAL_CONTENT);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/three"), COPAL_NOT_FOUND);
  assert_works_but(&brim, 0);
  brim_close(&brim);

  brim_open(&brim, &config); /* has five segments */
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/1/2/3/4/5/6/7/8/9/a/b", brim_read, &brim), COPAL_OK);
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/c", brim_read, &brim), COPAL_ERR_ROUTES_FULL);
  assert_int_equal(copal_route(brim.endpoint, COPAL_GET, "/1/2", brim_read, &brim), COPAL_OK);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/1/2/3/4/5/6/7/8/9/a/b"), COPAL_CONTENT);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/1/2"), COPAL_CONTENT);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "Requests a second that one peer may send …: above, 4.29." */
static void a_peer_that_asks_too_often_is_refused_alone(void **state) {
  (void)state;
  enum { RATE = 20 };
  copal_config config = brim_config();
  config.peer_rate = RATE;
  struct brim brim;
  brim_open(&brim, &config);
  for (int i = 0; i < RATE; ++i) assert_int_equal(brim_get(&brim, FIRST_PORT, "/ok"), COPAL_CONTENT);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/ok"), COPAL_TOO_MANY_REQUESTS);
  assert_int_equal(copal_find_uint(&brim.bare->sent[0].view, COPAL_OPTION_MAX_AGE, 0), 1);
  assert_int_equal(brim_counters(&brim)->rate_limited, 1);
  assert_works_but(&brim, 0);
  brim.bare->now += COPAL_SECOND / RATE;
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/ok"), COPAL_CONTENT);
  assert_int_equal(brim_get(&brim, FIRST_PORT, "/ok"), COPAL_TOO_MANY_REQUESTS);
  brim_close(&brim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(full_memory_for_replies_forgets_the_oldest_idempotent_ones),
      cmocka_unit_test(full_memory_for_replies_refuses_what_is_not_idempotent),
      cmocka_unit_test(a_peer_with_its_share_of_replies_is_refused_alone),
      cmocka_unit_test(a_full_outbox_drops_replies_until_they_are_asked_for_again),
      cmocka_unit_test(full_memory_for_replies_takes_responses_without_remembering_them),
      cmocka_unit_test(full_deferred_answers_refuse_to_defer_and_nothing_else),
      cmocka_unit_test(full_verifications_are_answered_4_01_at_once),
      cmocka_unit_test(what_is_one_byte_over_the_amplification_waits),
      cmocka_unit_test(full_routes_refuse_routes_and_serve_those_that_there_are),
      cmocka_unit_test(a_peer_that_asks_too_often_is_refused_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
