/* Transfers of bodies: whose is whose when hashes are the same, the least shares, and when what nobody asks for goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/transfers.h"
#include "support/engine.h"

enum { BODY_MAX = 512 };

struct fixture {
  struct engine_fixture *engine;
  struct transfers transfers;
  void *memory;
};

static void open(struct fixture *fixture, uint32_t peer_transfers_max) {
  copal_config config = copal_config_small();
  config.transfers_max = 4;
  config.body_size_max = BODY_MAX;
  config.bodies_size = 4 * BODY_MAX;
  config.peer_transfers_max = peer_transfers_max;
  fixture->engine = engine_fixture_open(&config);
  struct engine *engine = &fixture->engine->engine;
  struct layout counting = {NULL, 0};
  transfers_init(&fixture->transfers, &counting, &config, engine->exchange_lifetime, 0, NULL, NULL);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  transfers_init(&fixture->transfers, &layout, &config, engine->exchange_lifetime, engine->now, &engine->peers,
                 &engine->counters);
}

static void close(struct fixture *fixture) {
  assert_int_equal(fixture->transfers.slab.count, 0);
  assert_int_equal(fixture->transfers.store.used, 0);
  assert_int_equal(fixture->transfers.index.count, 0);
  engine_fixture_close(fixture->engine);
  free(fixture->memory);
}

static uint32_t begin(struct fixture *fixture, uint64_t identity, uint64_t options) {
  struct transfer_key key = {identity, options};
  return transfers_begin(&fixture->transfers, TRANSFER_UPLOAD, &key, true, fixture->engine->engine.now);
}

static uint32_t find(struct fixture *fixture, enum transfer_kind kind, uint64_t identity, uint64_t options) {
  struct transfer_key key = {identity, options};
  return transfers_find(&fixture->transfers, kind, &key);
}

/* Peers are told by 64 bits, of which the table looks at 32. */
static void peers_with_the_same_hash_have_transfers_of_their_own(void **state) {
  (void)state;
  const uint64_t peer = 7, other = 7 + (UINT64_C(1) << 32);
  struct fixture fixture;
  open(&fixture, 2);
  uint32_t first = begin(&fixture, peer, 1);
  assert_int_equal(find(&fixture, TRANSFER_UPLOAD, other, 1), INDEX_NONE);
  assert_int_equal(find(&fixture, TRANSFER_UPLOAD, peer, 2), INDEX_NONE);
  assert_int_equal(find(&fixture, TRANSFER_KEPT, peer, 1), INDEX_NONE);
  uint32_t second = begin(&fixture, other, 1), third = begin(&fixture, other, 2);
  assert_int_equal(find(&fixture, TRANSFER_UPLOAD, peer, 1), first);
  assert_int_equal(find(&fixture, TRANSFER_UPLOAD, other, 1), second);
  struct table_walk walk = transfers_walk(peer);
  assert_int_equal(transfers_next_of(&fixture.transfers, peer, &walk), first);
  assert_int_equal(transfers_next_of(&fixture.transfers, peer, &walk), INDEX_NONE);
  assert_int_equal(begin(&fixture, other, 3), second); /* above its share, its oldest makes room, not the peer's */
  assert_int_equal(find(&fixture, TRANSFER_UPLOAD, peer, 1), first);
  transfer_end(&fixture.transfers, first);
  transfer_end(&fixture.transfers, second);
  transfer_end(&fixture.transfers, third);
  close(&fixture);
}

/* A share of none is one: the oldest makes room, and there is none. */
static void a_peer_without_a_share_has_one_transfer(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture, 0);
  begin(&fixture, 7, 1);
  uint32_t last = begin(&fixture, 7, 2);
  assert_int_equal(fixture.transfers.slab.count, 1);
  assert_int_equal(find(&fixture, TRANSFER_UPLOAD, 7, 2), last);
  transfer_end(&fixture.transfers, last);
  close(&fixture);
}

static void a_body_ends_where_it_may_not_grow(void **state) {
  (void)state;
  static const uint8_t bytes[BODY_MAX + 1];
  struct fixture fixture;
  open(&fixture, 1);
  struct transfers *transfers = &fixture.transfers;
  uint32_t index = begin(&fixture, 7, 1);
  assert_int_equal(transfer_put(transfers, index, 0, bytes, BODY_MAX + 1), COPAL_ERR_BODY_SIZE);
  assert_int_equal(transfer_put(transfers, index, BODY_MAX - 1, bytes, 2), COPAL_ERR_BODY_SIZE);
  assert_int_equal(transfer_put(transfers, index, BODY_MAX + 1, bytes, 0), COPAL_ERR_BODY_SIZE);
  assert_int_equal(transfer_put(transfers, index, UINT32_MAX, bytes, 2), COPAL_ERR_BODY_SIZE);
  assert_int_equal(transfers->records[index].size, 0);
  assert_int_equal(transfer_put(transfers, index, BODY_MAX - 1, bytes, 1), COPAL_OK);
  assert_int_equal(transfers->records[index].size, BODY_MAX);
  transfer_end(transfers, index);
  close(&fixture);
}

static void the_expiry_is_now_once_it_is_past(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture, 1);
  struct transfers *transfers = &fixture.transfers;
  copal_time began = fixture.engine->engine.now;
  assert_true(transfers_next_expiry(transfers, began) == COPAL_NEVER);
  begin(&fixture, 7, 1);
  copal_time at = transfers_next_expiry(transfers, began);
  assert_true(at > began + transfers->lifetime && at < began + transfers->lifetime + COPAL_SECOND);
  transfers_expire(transfers, at - 2 * COARSE_UNIT);
  assert_int_equal(transfers->slab.count, 1);
  copal_time later = at + 100 * COPAL_SECOND;
  assert_true(transfers_next_expiry(transfers, later) == later);
  transfers_expire(transfers, later);
  assert_true(transfers_next_expiry(transfers, later) == COPAL_NEVER);
  close(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(peers_with_the_same_hash_have_transfers_of_their_own),
      cmocka_unit_test(a_peer_without_a_share_has_one_transfer),
      cmocka_unit_test(a_body_ends_where_it_may_not_grow),
      cmocka_unit_test(the_expiry_is_now_once_it_is_past),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
