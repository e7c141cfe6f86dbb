/* The ring of replies against a model: random sizes, closes, pins, drops and times. What is remembered is found with
 * its bytes whole; what goes, goes from the oldest on; nothing that is pinned is ever touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/replies.h"
#include "support/dice.h"

enum { ITEMS = 4096, PEERS = 5 };

static const copal_time LIFETIME = 247 * COPAL_SECOND;

struct item {
  struct reply *reply;
  struct reply_key key;
  size_t size; /* of the bytes that must stay */
  copal_time time;
  uint32_t peer;
  uint8_t fill, pins;
  bool closed, dropped;
};

struct fixture {
  struct replies replies;
  struct peers peers;
  void *memory;
  struct item items[ITEMS]; /* oldest first */
  uint32_t count;
  copal_time now;
  uint64_t evicted, gone, identity;
  struct dice dice;
};

static void lay_out(struct fixture *fixture, struct layout *layout, uint32_t size, bool unsafe) {
  replies_init(&fixture->replies, layout, size, unsafe);
  peers_init(&fixture->peers, layout, PEERS);
}

static struct fixture *open_ring(uint32_t size, bool unsafe, uint64_t seed) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  struct layout counting = {NULL, 0};
  lay_out(fixture, &counting, size, unsafe);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  lay_out(fixture, &layout, size, unsafe);
  fixture->now = 5000 * COPAL_SECOND;
  fixture->dice = (struct dice){seed};
  struct random random;
  static const uint8_t random_seed[RANDOM_SEED_SIZE];
  random_init(&random, random_seed);
  bool evicted;
  for (int i = 0; i < PEERS; ++i) peers_take(&fixture->peers, &random, &evicted);
  return fixture;
}

static void close_ring(struct fixture *fixture) {
  free(fixture->memory);
  free(fixture);
}

static struct reply *find(const struct fixture *fixture, const struct reply_key *key) {
  return replies_find(&fixture->replies, key, fixture->now, LIFETIME, LIFETIME);
}

static struct reply *take(struct fixture *fixture, const struct reply_key *key, uint32_t peer, size_t size_max) {
  return replies_take(&fixture->replies, &fixture->peers, key, peer, size_max, fixture->now, LIFETIME,
                      &fixture->evicted);
}

/* Surely over, surely not over, or within the clock's coarseness. */
static bool may_be_over(const struct fixture *fixture, const struct item *item) {
  return fixture->now - item->time >= LIFETIME;
}
static bool must_be_over(const struct fixture *fixture, const struct item *item) {
  return fixture->now - item->time > LIFETIME + 3 * COARSE_UNIT;
}

static void assert_bytes(const struct item *item) {
  for (size_t i = 0; i < item->size; ++i) assert_int_equal(reply_bytes(item->reply)[i], item->fill);
}

/* Takes out of the model what the ring no longer knows, after asserting that it was allowed to forget it. */
static void settle(struct fixture *fixture) {
  uint32_t kept = 0;
  uint64_t lost = 0;
  for (uint32_t i = fixture->count; i-- > 0;) {
    struct item *item = &fixture->items[i];
    bool found = find(fixture, &item->key) == item->reply;
    if (item->dropped || must_be_over(fixture, item)) assert_false(found);
    if (!found && !item->dropped && !may_be_over(fixture, item)) {
      assert_false(fixture->replies.unsafe);
      assert_int_equal(item->pins, 0);
      ++lost;
    }
  }
  fixture->gone += lost;
  bool older_lives = false;
  for (uint32_t i = 0; i < fixture->count; ++i) {
    struct item item = fixture->items[i];
    bool found = find(fixture, &item.key) == item.reply;
    /* first in, first out: nothing is evicted while something older that is not pinned stays */
    if (!found && !item.dropped && !may_be_over(fixture, &item)) assert_false(older_lives);
    if (found) older_lives = true;
    if (found || item.pins > 0) {
      assert_bytes(&item);
      fixture->items[kept++] = item;
    }
  }
  fixture->count = kept;
  assert_int_equal(fixture->gone, fixture->evicted);
}

static void assert_counts(const struct fixture *fixture) {
  uint32_t of_peer[PEERS] = {0}, count = 0;
  for (uint32_t i = 0; i < fixture->count; ++i) {
    const struct item *item = &fixture->items[i];
    if (item->dropped || !item->reply->found) continue;
    ++count;
    if (item->peer != INDEX_NONE) ++of_peer[item->peer];
  }
  assert_true(fixture->replies.used <= fixture->replies.size);
  assert_true(fixture->replies.count >= count); /* it may still hold some that are over */
  for (uint32_t peer = 0; peer < PEERS; ++peer)
    if (fixture->replies.unsafe) assert_true(fixture->peers.records[peer].unsafe_replies >= of_peer[peer]);
}

static void try_take(struct fixture *fixture, size_t size_most) {
  if (fixture->count == ITEMS) return;
  struct reply_key key = {++fixture->identity, (uint32_t)dice_u64(&fixture->dice),
                          (uint16_t)dice_below(&fixture->dice, 4), dice_below(&fixture->dice, 2) == 0, false};
  uint32_t peer = dice_below(&fixture->dice, PEERS + 1);
  if (peer == PEERS) peer = INDEX_NONE;
  size_t size = dice_below(&fixture->dice, (uint32_t)size_most + 1);
  struct reply *reply = take(fixture, &key, peer, size);
  if (reply == NULL) {
    /* Refused: then the oldest has a reason to stay, or the ring could never hold so much. */
    bool reason = size + sizeof(struct reply) > fixture->replies.size - 8;
    for (uint32_t i = 0; i < fixture->count; ++i)
      reason = reason || fixture->items[i].pins > 0 ||
               (fixture->replies.unsafe && !fixture->items[i].dropped && !must_be_over(fixture, &fixture->items[i]));
    assert_true(reason);
    return;
  }
  assert_int_equal((uintptr_t)reply % 8, 0);
  uint8_t fill = (uint8_t)dice_u64(&fixture->dice);
  memset(reply_bytes(reply), fill, size);
  fixture->items[fixture->count++] =
      (struct item){.reply = reply, .key = key, .size = size, .time = fixture->now, .peer = peer, .fill = fill};
  assert_ptr_equal(find(fixture, &key), reply);
}

static void touch(struct fixture *fixture, struct item *item) {
  switch (dice_below(&fixture->dice, 6)) {
    case 0:
      if (item->pins == 3) break;
      ++item->reply->pins;
      ++item->pins;
      break;
    case 1:
    case 2:
      if (item->pins == 0) break;
      --item->reply->pins;
      --item->pins;
      break;
    case 3:
      if (item->dropped) break;
      replies_drop(&fixture->replies, &fixture->peers, item->reply);
      item->dropped = true;
      break;
    default:
      if (item->closed || item->dropped) break;
      item->size = dice_below(&fixture->dice, (uint32_t)item->size + 1);
      replies_close(&fixture->replies, item->reply, REPLY_MESSAGE, item->size);
      item->closed = true;
      assert_int_equal(item->reply->size, item->size);
  }
}

static void random_operations(uint32_t ring, size_t size_most, bool unsafe, bool pins, uint64_t seed) {
  struct fixture *fixture = open_ring(ring, unsafe, seed);
  for (int i = 0; i < 20000; ++i) {
    try_take(fixture, size_most);
    settle(fixture);
    /* as the endpoint does: most entries are closed before the next is taken */
    if (fixture->count > 0 && dice_below(&fixture->dice, 4) != 0) {
      struct item *last = &fixture->items[fixture->count - 1];
      if (!last->closed && !last->dropped) {
        last->size = dice_below(&fixture->dice, (uint32_t)last->size + 1);
        replies_close(&fixture->replies, last->reply, REPLY_MESSAGE, last->size);
        last->closed = true;
      }
    }
    if (pins && fixture->count > 0) {
      struct item *item = &fixture->items[dice_below(&fixture->dice, fixture->count)];
      if (item->reply->found || item->pins > 0) touch(fixture, item);
    }
    fixture->now += dice_below(&fixture->dice, (uint32_t)COPAL_SECOND) * (unsafe ? 8u : 2u);
    if (dice_below(&fixture->dice, 5) == 0) replies_expire(&fixture->replies, &fixture->peers, fixture->now, LIFETIME);
    settle(fixture);
    assert_counts(fixture);
  }
  for (uint32_t i = 0; i < fixture->count; ++i) fixture->items[i].reply->pins = fixture->items[i].pins = 0;
  fixture->now += 2 * LIFETIME;
  replies_expire(&fixture->replies, &fixture->peers, fixture->now, LIFETIME);
  assert_int_equal(fixture->replies.used, 0);
  assert_int_equal(fixture->replies.count, 0);
  assert_int_equal(fixture->replies.index.count, 0);
  for (uint32_t peer = 0; peer < PEERS; ++peer) assert_int_equal(fixture->peers.records[peer].unsafe_replies, 0);
  close_ring(fixture);
}

static void the_ring_of_idempotent_requests_agrees_with_a_model(void **state) {
  (void)state;
  random_operations(2000, 200, false, false, 1);
  random_operations(2000, 1500, false, true, 2);
  random_operations(4096, 0, false, true, 3);
  random_operations(50000, 1472, false, true, 4);
  random_operations(331, 299, false, false, 5);
}

static void the_ring_of_unsafe_requests_agrees_with_a_model(void **state) {
  (void)state;
  random_operations(2000, 200, true, false, 1);
  random_operations(2000, 1500, true, true, 2);
  random_operations(4096, 0, true, true, 3);
  random_operations(50000, 1472, true, true, 4);
  random_operations(331, 299, true, false, 5);
}

static struct reply_key key_of(uint64_t identity, uint16_t mid, uint32_t fingerprint) {
  return (struct reply_key){identity, fingerprint, mid, true, false};
}

static void an_entry_is_found_by_who_sent_it_its_id_and_its_bytes_alone(void **state) {
  (void)state;
  struct fixture *fixture = open_ring(4096, false, 1);
  struct reply_key key = key_of(7, 0x1234, 99);
  struct reply *reply = take(fixture, &key, INDEX_NONE, 10);
  struct reply_key others[] = {key_of(8, 0x1234, 99), key_of(7, 0x1235, 99), key_of(7, 0x1234, 98)};
  assert_ptr_equal(find(fixture, &key), reply);
  for (size_t i = 0; i < 3; ++i) assert_null(find(fixture, &others[i]));
  /* the same ID with other bytes lives beside it */
  struct reply *second = take(fixture, &others[2], INDEX_NONE, 10);
  assert_ptr_equal(find(fixture, &key), reply);
  assert_ptr_equal(find(fixture, &others[2]), second);
  close_ring(fixture);
}

/* The index knows 32 bits of the two hashes together. */
static void senders_that_the_index_cannot_tell_apart_are_told_apart(void **state) {
  (void)state;
  struct fixture *fixture = open_ring(4096, false, 1);
  struct reply_key key = key_of(7, 0x1234, 99), other = key_of(7 ^ 1, 0x1234, 99 ^ 1),
                   far = key_of((uint64_t)1 << 32 | 7, 0x1234, 99);
  struct reply *reply = take(fixture, &key, INDEX_NONE, 10);
  assert_null(find(fixture, &other));
  assert_null(find(fixture, &far));
  struct reply *others = take(fixture, &other, INDEX_NONE, 10), *fars = take(fixture, &far, INDEX_NONE, 10);
  replies_drop(&fixture->replies, &fixture->peers, reply);
  assert_null(find(fixture, &key));
  assert_ptr_equal(find(fixture, &other), others);
  assert_ptr_equal(find(fixture, &far), fars);
  close_ring(fixture);
}

/* RFC 7252 4.5: a duplicate is one "(as indicated by the Message ID and source endpoint)" that comes "within the
 * EXCHANGE_LIFETIME" for a CON and "within NON_LIFETIME" for a NON. */
static void con_and_non_are_remembered_for_their_own_lifetimes(void **state) {
  (void)state;
  struct fixture *fixture = open_ring(4096, false, 1);
  struct reply_key con = key_of(7, 1, 1), non = key_of(7, 2, 2);
  non.con = false;
  take(fixture, &con, INDEX_NONE, 0);
  take(fixture, &non, INDEX_NONE, 0);
  copal_time start = fixture->now, margin = 3 * COARSE_UNIT;
  static const copal_time CON = 247 * COPAL_SECOND, NON = 145 * COPAL_SECOND;
  assert_non_null(replies_find(&fixture->replies, &con, start + CON, CON, NON));
  assert_null(replies_find(&fixture->replies, &con, start + CON + margin, CON, NON));
  assert_non_null(replies_find(&fixture->replies, &non, start + NON, CON, NON));
  assert_null(replies_find(&fixture->replies, &non, start + NON + margin, CON, NON));
  close_ring(fixture);
}

static void a_message_that_comes_again_after_its_time_finds_the_new_entry(void **state) {
  (void)state;
  struct fixture *fixture = open_ring(4096, true, 1);
  struct reply_key key = key_of(7, 1, 1);
  struct reply *old = take(fixture, &key, 0, 0);
  fixture->now += LIFETIME + COPAL_SECOND;
  struct reply *young = take(fixture, &key, 0, 0);
  assert_ptr_not_equal(old, young);
  assert_ptr_equal(find(fixture, &key), young);
  close_ring(fixture);
}

/* The count in a peer's record is not for the one who has the record next. */
static void a_new_peer_does_not_pay_for_the_replies_of_the_one_before(void **state) {
  (void)state;
  struct fixture *fixture = open_ring(4096, true, 1);
  struct reply_key key = key_of(7, 1, 1);
  struct reply *reply = take(fixture, &key, 0, 0);
  assert_int_equal(fixture->peers.records[0].unsafe_replies, 1);
  ++fixture->peers.records[0].generation;
  fixture->peers.records[0].unsafe_replies = 3;
  replies_drop(&fixture->replies, &fixture->peers, reply);
  assert_int_equal(fixture->peers.records[0].unsafe_replies, 3);
  close_ring(fixture);
}

/* Generations wrap. Somebody else has the record then, with none of its replies. */
static void a_peer_of_the_same_generation_has_no_fewer_replies_than_none(void **state) {
  (void)state;
  struct fixture *fixture = open_ring(4096, true, 1);
  static const uint8_t seed[RANDOM_SEED_SIZE];
  struct random random;
  random_init(&random, seed);
  struct reply_key key = key_of(7, 1, 1);
  struct reply *reply = take(fixture, &key, 0, 0);
  struct peer *peer = &fixture->peers.records[0];
  uint16_t generation = peer->generation;
  bool evicted;
  do peers_take(&fixture->peers, &random, &evicted);
  while (peer->generation != generation);
  assert_int_equal(peer->unsafe_replies, 0);
  replies_drop(&fixture->replies, &fixture->peers, reply);
  assert_int_equal(peer->unsafe_replies, 0);
  close_ring(fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_ring_of_idempotent_requests_agrees_with_a_model),
      cmocka_unit_test(the_ring_of_unsafe_requests_agrees_with_a_model),
      cmocka_unit_test(an_entry_is_found_by_who_sent_it_its_id_and_its_bytes_alone),
      cmocka_unit_test(senders_that_the_index_cannot_tell_apart_are_told_apart),
      cmocka_unit_test(con_and_non_are_remembered_for_their_own_lifetimes),
      cmocka_unit_test(a_message_that_comes_again_after_its_time_finds_the_new_entry),
      cmocka_unit_test(a_new_peer_does_not_pay_for_the_replies_of_the_one_before),
      cmocka_unit_test(a_peer_of_the_same_generation_has_no_fewer_replies_than_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
