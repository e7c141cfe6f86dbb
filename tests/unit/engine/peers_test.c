/* Peers: message IDs that are never reused within a lifetime, shown against a model that remembers when each of the
 * 65,536 was last used; and which peer makes room for a new one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/peers.h"
#include "support/dice.h"

static const copal_time LIFETIME = 247 * COPAL_SECOND;

struct fixture {
  struct peers peers;
  struct random random;
  void *memory;
};

static void open_peers(struct fixture *fixture, uint32_t count_max) {
  struct layout counting = {NULL, 0};
  peers_init(&fixture->peers, &counting, count_max);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  peers_init(&fixture->peers, &layout, count_max);
  static const uint8_t seed[RANDOM_SEED_SIZE] = {5};
  random_init(&fixture->random, seed);
}

static uint32_t take(struct fixture *fixture, bool *evicted) {
  return peers_take(&fixture->peers, &fixture->random, evicted);
}

/* --- Message IDs ------------------------------------------------------------------------------ */

static uint32_t count_used(const copal_time *used, copal_time now) {
  uint32_t count = 0;
  for (uint32_t mid = 0; mid < 65536; ++mid) count += used[mid] != 0 && now - used[mid] < LIFETIME + COPAL_SECOND;
  return count;
}

/* RFC 7252 4.4: "The same Message ID MUST NOT be reused (in communicating with the same endpoint) within the
 * EXCHANGE_LIFETIME". queue: how many messages may wait between getting their ID and being sent. */
static void use_ids(uint32_t rate_max, uint32_t queue_max, uint64_t seed, uint16_t first, bool group) {
  struct fixture fixture;
  open_peers(&fixture, 1);
  bool evicted;
  uint32_t peer = take(&fixture, &evicted), count = group ? 20000 : 200000, half = group ? 2048 : 28672;
  if (group) fixture.peers.records[peer].flags |= PEER_GROUP;
  fixture.peers.records[peer].next_mid = first;
  copal_time *used = calloc(65536, sizeof *used); /* 0: never */
  uint16_t *queue = calloc(queue_max + 1, sizeof *queue);
  struct dice dice = {seed};
  copal_time now = 1000 * COPAL_SECOND;
  uint32_t given = 0, waiting = 0;
  while (given < count) {
    uint16_t mid;
    if (waiting < queue_max + 1 && peers_next_mid(&fixture.peers, peer, now, LIFETIME, &mid)) {
      peers_take_mid(&fixture.peers, peer, now);
      assert_true(used[mid] == 0 || now - used[mid] >= LIFETIME);
      assert_int_equal(mid >= 0xf000, group);
      queue[waiting++] = mid;
      ++given;
    } else if (waiting < queue_max + 1) {
      assert_true(count_used(used, now) + waiting >= half); /* refused, but not for little */
      now += LIFETIME / 50;
    }
    if (waiting > 0 && (waiting == queue_max + 1 || dice_below(&dice, 3) == 0)) {
      now += dice_below(&dice, (uint32_t)(2 * COPAL_SECOND / rate_max));
      uint16_t sent = queue[0];
      memmove(queue, queue + 1, --waiting * sizeof *queue);
      assert_true(used[sent] == 0 || now - used[sent] >= LIFETIME);
      used[sent] = now;
      peers_mid_used(&fixture.peers, peer, sent, now);
    }
    if (dice_below(&dice, 20000) == 0) now += dice_below(&dice, 400) * COPAL_SECOND;
  }
  free(used);
  free(queue);
  free(fixture.memory);
}

static void ids_are_not_reused_within_a_lifetime_however_fast(void **state) {
  (void)state;
  use_ids(100000, 0, 1, 17, false);
  use_ids(1000, 0, 2, 0, false);
  use_ids(265, 0, 3, 0x7fff, false);
  use_ids(100, 0, 4, 0x8000, false);
  use_ids(20, 0, 5, 0xffff, false);
}

/* RFC 7252 8.1: "the sender MUST avoid using a Message ID that is also still active from this endpoint with any unicast
 * endpoint that might receive the multicast message". So groups have the last 4,096, and nobody else has them. */
static void groups_have_ids_of_their_own(void **state) {
  (void)state;
  use_ids(1000, 0, 1, 17, true);
  use_ids(10, 0, 2, 0xf7ff, true);
  use_ids(8, 20, 3, 0xffff, true);
}

/* A message that waits its turn (NSTART) keeps the ID that it got at once, and uses it up only when it is sent. */
static void ids_of_messages_that_wait_for_their_turn_are_not_reused_either(void **state) {
  (void)state;
  use_ids(100000, 100, 6, 17, false);
  use_ids(1000, 1000, 7, 0x7f00, false);
  use_ids(50, 3000, 8, 0xff00, false);
}

/* The same with skips between: what is skipped is not used, and nothing is used too early. */
static void ids_are_not_reused_however_many_are_skipped(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    struct fixture fixture;
    open_peers(&fixture, 1);
    bool evicted;
    uint32_t peer = take(&fixture, &evicted), skips = 0, refused = 0;
    copal_time *used = calloc(65536, sizeof *used), now = 1000 * COPAL_SECOND;
    struct dice dice = {seed};
    for (int i = 0; i < 2000; ++i) {
      uint16_t mid;
      uint32_t kind = dice_below(&dice, 3);
      if (kind == 0) now += (uint64_t)dice_below(&dice, (uint32_t)seed) * COPAL_SECOND / 2;
      if (kind == 1) {
        bool skipped = peers_skip_mids(&fixture.peers, peer, &fixture.random, now, LIFETIME);
        ++*(skipped ? &skips : &refused);
      }
      if (kind < 2 || !peers_next_mid(&fixture.peers, peer, now, LIFETIME, &mid)) continue;
      peers_take_mid(&fixture.peers, peer, now);
      peers_mid_used(&fixture.peers, peer, mid, now);
      assert_true(mid < 0xf000 && (used[mid] == 0 || now - used[mid] >= LIFETIME));
      used[mid] = now;
    }
    assert_true(skips > 4); /* as many as are free at the start */
    free(used);
    free(fixture.memory);
  }
}

/* The next ID begins a half that was used a moment ago, or stands just before it: there is no way ahead yet. */
static void nothing_is_skipped_into_a_half_that_is_not_free(void **state) {
  (void)state;
  static const uint16_t positions[] = {0, 0x8000, 0x7fff, 0xefff, 0xf000, 0x8000 - 8191, 0xf000 - 8191};
  for (size_t i = 0; i < sizeof positions / sizeof *positions; ++i) {
    struct fixture fixture;
    open_peers(&fixture, 1);
    bool evicted;
    uint32_t peer = take(&fixture, &evicted);
    struct peer *record = &fixture.peers.records[peer];
    record->next_mid = positions[i];
    record->flags |= PEER_SENT | PEER_OTHER_HALF_USED;
    record->other_half = coarse_time(1000 * COPAL_SECOND);
    copal_time now = 1000 * COPAL_SECOND + LIFETIME / 2;
    assert_false(peers_skip_mids(&fixture.peers, peer, &fixture.random, now, LIFETIME));
    assert_int_equal(record->next_mid, positions[i]);
    now += LIFETIME;
    assert_true(peers_skip_mids(&fixture.peers, peer, &fixture.random, now, LIFETIME));
    free(fixture.memory);
  }
}

/* The distance may be none. Where a half begins, that must not count as its use before an ID of it is taken. */
static void a_skip_by_nothing_changes_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open_peers(&fixture, 1);
  bool evicted;
  uint32_t peer = take(&fixture, &evicted);
  struct peer *record = &fixture.peers.records[peer];
  int tries = 0;
  do { /* one in some 16,000 */
    assert_true(++tries < 1000000);
    record->next_mid = 0x8000;
    record->flags = (uint8_t)((record->flags | PEER_SENT) & ~PEER_OTHER_HALF_USED);
    assert_true(peers_skip_mids(&fixture.peers, peer, &fixture.random, 1000 * COPAL_SECOND, LIFETIME));
    assert_int_equal((record->flags & PEER_OTHER_HALF_USED) != 0, record->next_mid != 0x8000);
  } while (record->next_mid != 0x8000);

  peers_take_mid(&fixture.peers, peer, 2000 * COPAL_SECOND);
  assert_int_not_equal(record->flags & PEER_OTHER_HALF_USED, 0);
  assert_int_equal(record->other_half, coarse_time(2000 * COPAL_SECOND));
  free(fixture.memory);
}

/* Two that are skipped to lie anywhere ahead: no ID is likely, nor the distance between them. */
static void skipped_ids_cannot_be_guessed(void **state) {
  (void)state;
  enum { PEERS_MANY = 3000 };
  struct fixture fixture;
  open_peers(&fixture, PEERS_MANY);
  uint32_t distances[16] = {0}, firsts[16] = {0};
  for (int i = 0; i < PEERS_MANY; ++i) {
    bool evicted;
    uint16_t mids[2];
    uint32_t peer = take(&fixture, &evicted);
    for (int k = 0; k < 2; ++k) {
      assert_true(peers_skip_mids(&fixture.peers, peer, &fixture.random, COPAL_SECOND, LIFETIME));
      assert_true(peers_next_mid(&fixture.peers, peer, COPAL_SECOND, LIFETIME, &mids[k]));
      peers_take_mid(&fixture.peers, peer, COPAL_SECOND);
    }
    uint32_t distance = (mids[1] + 0xf000u - mids[0]) % 0xf000u;
    assert_in_range(distance, 1, 0xf000 / 2 + 1);
    ++distances[distance / 1024 < 16 ? distance / 1024 : 15];
    ++firsts[mids[0] / 3840];
  }
  for (int i = 0; i < 16; ++i) assert_in_range(firsts[i], 120, 260);
  for (int i = 0; i < 14; ++i) assert_in_range(distances[i], 80, 260); /* all of 14,336 are there for each peer */
  free(fixture.memory);
}

/* RFC 7252 4.4: "It is strongly recommended that the initial value of the variable (e.g., on startup) be randomized" */
static void t34_first_ids_are_random(void **state) {
  (void)state;
  struct fixture fixture;
  open_peers(&fixture, 1000);
  uint8_t high[256] = {0};
  uint32_t distinct = 0;
  for (int i = 0; i < 1000; ++i) {
    bool evicted;
    uint16_t mid;
    assert_true(peers_next_mid(&fixture.peers, take(&fixture, &evicted), 0, LIFETIME, &mid));
    if (high[mid >> 8]++ == 0) ++distinct;
  }
  assert_in_range(distinct, 215, 240);                     /* of 240 that are not for groups */
  for (int i = 0; i < 256; ++i) assert_true(high[i] < 20); /* and none of them is a favourite: 4 each is the mean */
  free(fixture.memory);
}

/* An ID that was looked at but not taken is still the next: a failed send costs none. */
static void an_id_is_spent_only_when_it_is_taken(void **state) {
  (void)state;
  struct fixture fixture;
  open_peers(&fixture, 1);
  bool evicted;
  uint32_t peer = take(&fixture, &evicted);
  fixture.peers.records[peer].next_mid = 0x7ffe;
  uint16_t mid;
  for (int i = 0; i < 3; ++i) {
    uint16_t expected = (uint16_t)(0x7ffe + i);
    for (int k = 0; k < 70000; ++k) {
      assert_true(peers_next_mid(&fixture.peers, peer, 5 * COPAL_SECOND, LIFETIME, &mid));
      assert_int_equal(mid, expected);
    }
    peers_take_mid(&fixture.peers, peer, 5 * COPAL_SECOND);
  }
  free(fixture.memory);
}

static void coarse_time_is_late_but_never_early(void **state) {
  (void)state;
  struct dice dice = {9};
  for (int i = 0; i < 100000; ++i) {
    copal_time then = dice_u64(&dice) >> 20, age = dice_u64(&dice) >> 27, now = then + (dice_u64(&dice) >> 26);
    bool passed = coarse_passed(coarse_time(then), age, now);
    if (now - then < age) assert_false(passed);
    if (now - then > age + 3 * COARSE_UNIT) assert_true(passed);
  }
}

/* --- Who makes room ----------------------------------------------------------------------------- */

enum { PEERS = 7, NOBODY = 1000 };

/* order: idle peers, the least recently used first */
struct model {
  uint32_t order[PEERS], idle;
  uint32_t holds[PEERS];
};

static void model_remove(struct model *model, uint32_t peer) {
  uint32_t at = 0;
  while (at < model->idle && model->order[at] != peer) ++at;
  if (at == model->idle) return;
  memmove(model->order + at, model->order + at + 1, (--model->idle - at) * sizeof *model->order);
}

static void model_use(struct model *model, uint32_t peer) {
  if (model->holds[peer] > 0) return;
  model_remove(model, peer);
  model->order[model->idle++] = peer;
}

static void the_least_recently_used_idle_peer_makes_room(void **state) {
  (void)state;
  struct fixture fixture;
  struct model model = {.idle = 0};
  open_peers(&fixture, PEERS);
  struct dice dice = {21};
  uint32_t known = 0;
  for (int i = 0; i < 100000; ++i) {
    uint32_t peer = known == 0 ? NOBODY : dice_below(&dice, known);
    switch (peer == NOBODY ? 0 : dice_below(&dice, 4)) {
      case 0: {
        bool evicted;
        uint32_t oldest = model.idle > 0 ? model.order[0] : INDEX_NONE;
        uint16_t generation = known < PEERS || oldest == INDEX_NONE ? 0 : fixture.peers.records[oldest].generation;
        uint32_t taken = take(&fixture, &evicted);
        assert_int_equal(taken, known < PEERS ? known : oldest);
        if (taken == INDEX_NONE) break;
        assert_int_equal(evicted, known == PEERS);
        if (evicted) assert_int_equal(fixture.peers.records[taken].generation, (uint16_t)(generation + 1));
        if (known < PEERS) ++known;
        model_use(&model, taken);
        break;
      }
      case 1:
        peers_touch(&fixture.peers, peer);
        model_use(&model, peer);
        break;
      case 2:
        peers_hold(&fixture.peers, peer);
        model_remove(&model, peer);
        ++model.holds[peer];
        break;
      case 3:
        if (model.holds[peer] == 0) break;
        peers_release(&fixture.peers, peer);
        --model.holds[peer];
        model_use(&model, peer);
        break;
    }
  }
  free(fixture.memory);
}

static void a_new_peer_inherits_nothing_but_the_count_of_generations(void **state) {
  (void)state;
  struct fixture fixture;
  open_peers(&fixture, 1);
  bool evicted;
  uint32_t peer = take(&fixture, &evicted);
  struct peer *record = &fixture.peers.records[peer];
  record->unsafe_replies = 9;
  record->flags |= PEER_SILENT | PEER_OTHER_HALF_USED;
  record->limit.probing_until = 77;
  assert_int_equal(take(&fixture, &evicted), peer);
  assert_true(evicted);
  assert_int_equal(record->unsafe_replies, 0);
  assert_int_equal(record->flags, 0);
  assert_int_equal(record->limit.probing_until, 0);
  assert_int_equal(record->generation, 2);
  free(fixture.memory);
}

/* RFC 7252 4.4 speaks of endpoints, and two records may be of one. */
static void two_records_of_one_address_have_ids_far_apart(void **state) {
  (void)state;
  struct fixture fixture;
  open_peers(&fixture, 2);
  bool evicted;
  uint32_t first = take(&fixture, &evicted), second = take(&fixture, &evicted);
  for (uint32_t start = 0; start < 0xf000; start += 0x777) {
    uint16_t mid;
    fixture.peers.records[first].next_mid = (uint16_t)start;
    peers_set_apart(&fixture.peers, second, first);
    assert_true(peers_next_mid(&fixture.peers, second, 0, COPAL_SECOND, &mid));
    assert_int_equal((mid + 0xf000 - start) % 0xf000, 0x7800);
  }
  free(fixture.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_records_of_one_address_have_ids_far_apart),
      cmocka_unit_test(ids_are_not_reused_within_a_lifetime_however_fast),
      cmocka_unit_test(groups_have_ids_of_their_own),
      cmocka_unit_test(ids_of_messages_that_wait_for_their_turn_are_not_reused_either),
      cmocka_unit_test(ids_are_not_reused_however_many_are_skipped),
      cmocka_unit_test(nothing_is_skipped_into_a_half_that_is_not_free),
      cmocka_unit_test(a_skip_by_nothing_changes_nothing),
      cmocka_unit_test(skipped_ids_cannot_be_guessed),
      cmocka_unit_test(t34_first_ids_are_random),
      cmocka_unit_test(an_id_is_spent_only_when_it_is_taken),
      cmocka_unit_test(coarse_time_is_late_but_never_early),
      cmocka_unit_test(the_least_recently_used_idle_peer_makes_room),
      cmocka_unit_test(a_new_peer_inherits_nothing_but_the_count_of_generations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
