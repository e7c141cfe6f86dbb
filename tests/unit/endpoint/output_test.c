/* The way out: batches of any size, deadlines that are never late, deferred ACKs behind a full outbox, ICMP errors in
 * each state, and the same outputs for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/dice.h"

static const copal_time START = 1000 * COPAL_SECOND;

static struct bare *open_endpoint(bool raw) {
  copal_config config = copal_config_small();
  config.raw = raw;
  config.exchanges_max = 64;
  config.peers_max = 64;
  config.messages_size = 64 * 256;
  config.deferred_max = 16;
  return bare_open(&config);
}

static copal_deferred deferred[16];
static size_t deferred_count;

static void defer(copal_request *request, void *context) {
  (void)context;
  assert_int_equal(copal_defer(request, &deferred[deferred_count++]), COPAL_OK);
}

/* --- Batches and deadlines ----------------------------------------------------------------------- */

static void any_batch_size_gives_out_everything_in_order(void **state) {
  (void)state;
  for (size_t batch = 1; batch < 12; ++batch) {
    struct bare *bare = open_endpoint(false);
    bare->batch = batch;
    for (uint16_t i = 0; i < 10; ++i) bare_send(bare, (uint16_t)(7000 + i), COPAL_CON, COPAL_GET);
    bare_in(bare, "40007d34");
    bare_out(bare);
    assert_int_equal(bare->sent_count, 11);
    assert_int_equal(bare->sent[0].view.type, COPAL_RST); /* replies first */
    for (size_t i = 0; i < 10; ++i) assert_int_equal(bare->sent[i + 1].path.remote.port, 7000 + i);
    assert_int_equal(copal_endpoint_counters(bare->endpoint)->datagrams_out, 11);
    bare_close(bare);
  }
}

static void no_room_in_the_batch_loses_nothing(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  bare_send(bare, 7000, COPAL_CON, COPAL_GET);
  bare_in(bare, "40007d34");
  copal_datagram datagram;
  assert_int_equal(copal_endpoint_output(bare->endpoint, bare->now, &datagram, 0), 0);
  assert_int_equal(copal_endpoint_deadline(bare->endpoint), 0);
  bare_out(bare);
  assert_int_equal(bare->sent_count, 2);
  bare_close(bare);
}

/* Who sleeps until the deadline finds something due or sleeps on; who does not, finds nothing before it. */
static void the_deadline_is_never_late_and_seldom_early(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  struct dice dice = {4};
  for (uint16_t i = 0; i < 40; ++i) bare_send(bare, (uint16_t)(7000 + i), COPAL_CON, COPAL_GET);
  bare_out(bare);
  uint32_t sent = 0, calls = 0;
  for (copal_time deadline; (deadline = copal_endpoint_deadline(bare->endpoint)) != COPAL_NEVER; ++calls) {
    assert_true(deadline > bare->now);
    copal_time before = bare->now + dice_below(&dice, 1000) * ((deadline - bare->now) / 1000);
    bare->now = before;
    assert_out(bare, "");
    assert_true(copal_endpoint_deadline(bare->endpoint) >= deadline || before == deadline);
    bare->now = deadline;
    bare_out(bare);
    sent += (uint32_t)bare->sent_count;
  }
  assert_int_equal(sent, 40 * 4);
  assert_in_range(calls, 40, 40 * 8 + 200);
  bare_close(bare);
}

static void a_deferred_ack_has_its_deadline_too(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  deferred_count = 0;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", defer, NULL), COPAL_OK);
  bare_in(bare, "40010001b161");
  assert_true(copal_endpoint_deadline(bare->endpoint) == START + 500 * COPAL_MILLISECOND);
  bare->now = START + 500 * COPAL_MILLISECOND - 1;
  assert_out(bare, "");
  bare->now += 1;
  assert_out(bare, "60000001");
  assert_true(copal_endpoint_deadline(bare->endpoint) == COPAL_NEVER);
  bare_close(bare);
}

static void deferred_acks_wait_for_room_in_the_outbox(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false); /* outbox_max is 4 */
  deferred_count = 0;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", defer, NULL), COPAL_OK);
  for (unsigned mid = 1; mid <= 10; ++mid) bare_in(bare, "4001%04xb161", mid);
  bare->now += COPAL_SECOND;
  bare->batch = 64;
  uint32_t acknowledged = 0;
  for (int i = 0; i < 3; ++i) {
    assert_true(copal_endpoint_deadline(bare->endpoint) <= bare->now);
    bare_out(bare);
    for (size_t k = 0; k < bare->sent_count; ++k) acknowledged |= (uint32_t)1 << bare->sent[k].view.message_id;
  }
  assert_int_equal(acknowledged, 0x7fe);
  assert_int_equal(copal_endpoint_counters(bare->endpoint)->outbox_full, 0);
  bare_close(bare);
}

/* --- Unreachable: T60 ---------------------------------------------------------------------------- */

static void unreachable(struct bare *bare, uint16_t port, const uint8_t *bytes, size_t size) {
  copal_path path = bare_path(port);
  uint8_t *exact = malloc(size > 0 ? size : 1);
  if (size > 0) memcpy(exact, bytes, size);
  copal_endpoint_unreachable(bare->endpoint, bare->now, &path, exact, size);
  free(exact);
}

static void t60_only_the_exchange_that_the_error_quotes_ends(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  struct bare_call calls[3];
  for (uint16_t i = 0; i < 3; ++i)
    bare_request(bare, (uint16_t)(7000 + i), COPAL_CON, COPAL_GET, COPAL_NEVER, &calls[i]);
  bare_out(bare);
  assert_int_equal(bare->sent_count, 3);
  uint8_t quote[64];
  size_t size = bare->sent[1].size;
  memcpy(quote, bare->sent[1].bytes, size);
  unreachable(bare, 7001, quote, 3); /* too little to tell */
  unreachable(bare, 7001, NULL, 0);
  unreachable(bare, 7000, quote, size); /* another peer */
  unreachable(bare, 7999, quote, size);
  for (size_t i = 0; i < size; ++i) {
    quote[i] ^= 1; /* RFC 7252 4.2: "message type and code, Message ID, and Token" */
    unreachable(bare, 7001, quote, size);
    quote[i] ^= 1;
  }
  for (int i = 0; i < 3; ++i) assert_int_equal(calls[i].count, 0);
  unreachable(bare, 7001, quote, 11); /* without the whole token nobody can tell */
  assert_int_equal(calls[1].count, 0);
  unreachable(bare, 7001, quote, 12);
  assert_int_equal(calls[1].count, 1);
  assert_int_equal(calls[1].error, COPAL_ERR_UNREACHABLE);
  unreachable(bare, 7001, quote, size);
  assert_int_equal(calls[1].count, 1);
  assert_int_equal(calls[0].count + calls[2].count, 0);
  assert_int_equal(copal_endpoint_counters(bare->endpoint)->unreachable, 1);
  bare_close(bare);
}

/* Queued, waiting, in its last wait, given up, answered. */
static void t60_an_error_counts_only_while_an_answer_is_awaited(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  copal_tx tx = bare_send(bare, 7000, COPAL_CON, COPAL_GET);
  uint8_t quote[64];
  copal_bytes packed = bare_info(bare, tx).packed;
  memcpy(quote, packed.data, packed.size);
  unreachable(bare, 7000, quote, packed.size);
  assert_int_equal(bare_info(bare, tx).state, COPAL_TX_QUEUED); /* nothing was sent yet */
  while (bare_info(bare, tx).next_event_time != COPAL_NEVER) {
    bare->now = bare_info(bare, tx).next_event_time;
    bare_out(bare);
  }
  unreachable(bare, 7000, quote, packed.size);
  assert_int_equal(bare_info(bare, tx).state, COPAL_TX_UNACKNOWLEDGED);
  while (bare_has_event(bare)) continue;

  for (int transmissions = 1; transmissions <= 5; ++transmissions) {
    uint16_t port = (uint16_t)(7000 + transmissions);
    tx = bare_send(bare, port, transmissions == 5 ? COPAL_NON : COPAL_CON, COPAL_GET);
    bare_out(bare);
    for (int i = 1; i < transmissions && transmissions < 5; ++i) {
      bare->now = bare_info(bare, tx).next_event_time;
      bare_out(bare);
    }
    packed = bare_info(bare, tx).packed;
    memcpy(quote, packed.data, packed.size);
    unreachable(bare, port, quote, packed.size);
    copal_tx_info info = bare_info(bare, tx);
    assert_int_equal(info.state, COPAL_TX_UNREACHED);
    assert_int_equal(info.transmissions_left, 0);
    assert_true(info.next_event_time == COPAL_NEVER);
    assert_false(info.is_unacknowledged);
    copal_event event;
    assert_true(copal_endpoint_event(bare->endpoint, &event));
    assert_int_equal(event.error, COPAL_ERR_UNREACHABLE);
    assert_true(copal_same_tx(event.tx, tx));
  }
  tx = bare_send(bare, 7020, COPAL_CON, COPAL_GET);
  bare_out(bare);
  packed = bare_info(bare, tx).packed;
  memcpy(quote, packed.data, packed.size);
  bare_in_from(bare, 7020, "6000%04x", bare_info(bare, tx).message_id);
  bare_rx(bare);
  unreachable(bare, 7020, quote, packed.size);
  assert_int_equal(bare_info(bare, tx).state, COPAL_TX_ANSWERED);
  assert_false(bare_has_event(bare));
  bare_close(bare);
}

static void t60_whoever_waits_behind_an_unreachable_one_goes_on(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  struct bare_call calls[3];
  for (int i = 0; i < 3; ++i) bare_request(bare, 7000, COPAL_CON, COPAL_GET, COPAL_NEVER, &calls[i]);
  for (int i = 0; i < 3; ++i) {
    const struct bare_sent *sent = bare_out_one(bare);
    unreachable(bare, 7000, sent->bytes, sent->size);
    assert_int_equal(calls[i].error, COPAL_ERR_UNREACHABLE);
  }
  assert_out(bare, "");
  assert_int_equal(copal_endpoint_usage(bare->endpoint).exchanges, 0);
  bare_close(bare);
}

/* In the middle of a batch that is still being sent, one fails: the bytes of the others stay. */
static void t60_the_rest_of_a_batch_stays_whole(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  struct bare_call calls[4];
  for (uint16_t i = 0; i < 4; ++i)
    bare_request(bare, (uint16_t)(7000 + i), COPAL_CON, COPAL_GET, COPAL_NEVER, &calls[i]);
  copal_datagram datagrams[4];
  assert_int_equal(copal_endpoint_output(bare->endpoint, bare->now, datagrams, 4), 4);
  uint8_t before[4][64];
  for (int i = 0; i < 4; ++i) memcpy(before[i], datagrams[i].data, datagrams[i].size);
  for (int i = 0; i < 4; ++i) {
    copal_endpoint_unreachable(bare->endpoint, bare->now, &datagrams[i].path, datagrams[i].data, datagrams[i].size);
    assert_int_equal(calls[i].error, COPAL_ERR_UNREACHABLE);
    for (int k = 0; k < 4; ++k) assert_memory_equal(datagrams[k].data, before[k], datagrams[k].size);
  }
  bare_close(bare);
}

/* --- Determinism ---------------------------------------------------------------------------------- */

/* Contract 6: "same seed and inputs, same outputs, byte for byte". */
static void the_same_seed_gives_the_same_bytes_and_another_seed_others(void **state) {
  (void)state;
  static char texts[3][20000];
  for (int run = 0; run < 3; ++run) {
    copal_config config = copal_config_small();
    struct bare *bare = bare_open_seeded(&config, run < 2 ? 1 : 2);
    size_t at = 0;
    for (uint16_t i = 0; i < 30; ++i) {
      struct bare_call call;
      bare_request(bare, (uint16_t)(7000 + i % 4), i % 2 == 0 ? COPAL_CON : COPAL_NON, COPAL_GET, COPAL_SECOND, &call);
      bare_in(bare, "5101%04xab", i);
      at += (size_t)snprintf(texts[run] + at, sizeof texts[run] - at, "%s\n", bare_out(bare));
      bare->now += 3 * COPAL_SECOND;
      at += (size_t)snprintf(texts[run] + at, sizeof texts[run] - at, "%s\n", bare_out(bare));
    }
    bare_close(bare);
  }
  assert_true(strlen(texts[0]) > 1000);
  assert_string_equal(texts[0], texts[1]);
  assert_string_not_equal(texts[0], texts[2]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_batch_size_gives_out_everything_in_order),
      cmocka_unit_test(no_room_in_the_batch_loses_nothing),
      cmocka_unit_test(the_deadline_is_never_late_and_seldom_early),
      cmocka_unit_test(a_deferred_ack_has_its_deadline_too),
      cmocka_unit_test(deferred_acks_wait_for_room_in_the_outbox),
      cmocka_unit_test(t60_only_the_exchange_that_the_error_quotes_ends),
      cmocka_unit_test(t60_an_error_counts_only_while_an_answer_is_awaited),
      cmocka_unit_test(t60_whoever_waits_behind_an_unreachable_one_goes_on),
      cmocka_unit_test(t60_the_rest_of_a_batch_stays_whole),
      cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_seed_others),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
