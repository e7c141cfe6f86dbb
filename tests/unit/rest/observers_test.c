/* The tables of observers: numbers, entries, variants, visits; and many random steps, compared with a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/observers.h"
#include "rest/variant.h"
#include "support/collision.h"
#include "support/dice.h"
#include "support/engine.h"

struct fixture {
  struct engine_fixture *engine;
  struct observers observers;
  void *memory;
  uint8_t request[64];
  copal_view view;
};

static const struct hash_key KEY = {3, 5};

static copal_config config_of(void) {
  copal_config config = copal_config_small();
  config.peers_max = 16;
  config.exchanges_max = 16;
  config.messages_size = 16 * 1024;
  config.observed_max = 8;
  config.observers_max = 40;
  config.peer_observers_max = 5;
  return config;
}

static void open(struct fixture *fixture) {
  copal_config config = config_of();
  memset(fixture, 0, sizeof *fixture);
  fixture->engine = engine_fixture_open(&config);
  struct layout counting = {NULL, 0};
  observers_init(&fixture->observers, &counting, &config, KEY, 0);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  observers_init(&fixture->observers, &layout, &config, KEY, fixture->engine->engine.now);
}

static void close(struct fixture *fixture) {
  assert_int_equal(fixture->observers.slab.count, 0);
  assert_int_equal(fixture->observers.observed_slab.count, 0);
  assert_int_equal(fixture->observers.paths.count, 0);
  assert_int_equal(fixture->observers.variants.count, 0);
  assert_int_equal(fixture->observers.index.count, 0);
  assert_int_equal(fixture->observers.timers.count, 0);
  assert_int_equal(fixture->observers.peers, 0);
  assert_int_equal(fixture->observers.to_make, 0);
  assert_int_equal(fixture->observers.make, INDEX_NONE);
  assert_int_equal(fixture->observers.send, INDEX_NONE);
  assert_int_equal(fixture->engine->engine.exchanges.store.used, 0);
  engine_fixture_close(fixture->engine);
  free(fixture->memory);
}

/* GET /<path>?<query>, each of one letter. */
static uint64_t write_request(struct fixture *fixture, char path, char query) {
  copal_message message;
  copal_message_init(&message, fixture->request, sizeof fixture->request, COPAL_CON, COPAL_GET);
  copal_message_add(&message, COPAL_OPTION_URI_PATH, &path, 1);
  copal_message_add(&message, COPAL_OPTION_URI_QUERY, &query, 1);
  fixture->view = copal_message_view(&message);
  return variant_path(&KEY, &fixture->view);
}

static uint32_t take(struct fixture *fixture, uint32_t peer, uint8_t token, char path, char query) {
  write_request(fixture, path, query);
  struct registration registration = {
      .peer = peer, .token = {&token, 1}, .request = &fixture->view, .confirm_every = 60 * COPAL_SECOND};
  return observers_take(&fixture->observers, &fixture->engine->engine, &registration);
}

static void give(struct fixture *fixture, uint32_t index) {
  observers_give(&fixture->observers, &fixture->engine->engine, index);
}

/* --- Numbers ------------------------------------------------------------------------------------------- */

/* RFC 7641 4.4: "a strictly increasing sequence number … MUST NOT increase so fast that it increases by more than
 * 2^23 within less than 256 seconds." And: "The sequence number selected for a notification MUST be greater than
 * that of any preceding notification sent to the same client with the same token for the same resource." */
static void numbers_increase_and_not_too_fast(void **state) {
  (void)state;
  struct observers observers = {.number = 0};
  copal_time now = 1000 * COPAL_SECOND;
  uint64_t first = 0, last = 0;
  observers_number(&observers, now);
  first = last = observers.number;
  /* A million in a moment, and every 50 us for 256 s: about as many as there may be. */
  for (int i = 0; i < 1000000; ++i, last = observers.number) {
    uint32_t number = observers_number(&observers, now);
    assert_int_equal(number, observers.number & 0xffffff);
    assert_true(observers.number > last);
  }
  for (int i = 0; i < 5120000; ++i, now += 50 * COPAL_MICROSECOND, last = observers.number) {
    observers_number(&observers, now);
    assert_true(observers.number >= last);
  }
  assert_true(last - first <= 1u << 23);
  /* However many: it stands still rather than run away, and goes on as time does. */
  for (int i = 0; i < 10000000; ++i) observers_number(&observers, now);
  assert_true(observers.number - first <= 1u << 23);
  last = observers.number;
  observers_number(&observers, now + 66 * COPAL_MICROSECOND);
  assert_true(observers.number > last);
}

/* --- Entries ------------------------------------------------------------------------------------------- */

static void an_entry_is_found_by_client_and_token(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  uint32_t a = take(&fixture, 1, 0xaa, 'a', 'x'), b = take(&fixture, 2, 0xaa, 'a', 'x');
  uint8_t token[8] = {0xaa};
  assert_int_equal(observers_find(&fixture.observers, 1, (copal_bytes){token, 1}), a);
  assert_int_equal(observers_find(&fixture.observers, 2, (copal_bytes){token, 1}), b);
  assert_int_equal(observers_find(&fixture.observers, 3, (copal_bytes){token, 1}), INDEX_NONE);
  assert_int_equal(observers_find(&fixture.observers, 1, (copal_bytes){token, 2}), INDEX_NONE);
  assert_int_equal(observers_find(&fixture.observers, 1, (copal_bytes){NULL, 0}), INDEX_NONE);
  give(&fixture, a);
  assert_int_equal(observers_find(&fixture.observers, 1, (copal_bytes){token, 1}), INDEX_NONE);
  give(&fixture, b);
  close(&fixture);
}

static void a_peer_is_busy_while_it_observes(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  const struct peer *peer = &fixture.engine->engine.peers.records[1];
  uint32_t a = take(&fixture, 1, 1, 'a', 'x'), b = take(&fixture, 1, 2, 'b', 'x');
  give(&fixture, a);
  assert_true((peer->flags & PEER_BUSY) != 0);
  give(&fixture, b);
  assert_true((peer->flags & PEER_BUSY) == 0);
  close(&fixture);
}

static void variants_of_a_path_change_together(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  uint32_t indexes[] = {take(&fixture, 1, 1, 'a', 'x'), take(&fixture, 2, 1, 'a', 'y'), take(&fixture, 3, 1, 'a', 'x'),
                        take(&fixture, 4, 1, 'b', 'x')};
  assert_int_equal(fixture.observers.observed_slab.count, 3);
  assert_int_equal(observed_change(&fixture.observers, write_request(&fixture, 'a', 'z')), 3);
  assert_int_equal(fixture.observers.to_make, 2);
  assert_int_equal(observed_change(&fixture.observers, write_request(&fixture, 'a', 'z')), 3);
  assert_int_equal(fixture.observers.to_make, 2);
  assert_int_equal(observed_change(&fixture.observers, write_request(&fixture, 'c', 'z')), 0);
  assert_int_equal(observed_end(&fixture.observers, write_request(&fixture, 'a', 'z'), COPAL_NOT_FOUND), 3);
  assert_int_equal(observed_change(&fixture.observers, write_request(&fixture, 'a', 'z')), 0);
  /* Who comes now is no part of what has ended. */
  uint32_t later = take(&fixture, 5, 1, 'a', 'x');
  assert_int_not_equal(fixture.observers.records[later].observed, fixture.observers.records[indexes[0]].observed);
  assert_int_equal(observed_change(&fixture.observers, write_request(&fixture, 'a', 'z')), 1);
  for (size_t i = 0; i < 4; ++i) give(&fixture, indexes[i]);
  give(&fixture, later);
  close(&fixture);
}

static void full_tables_refuse_and_keep_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  uint32_t indexes[40], count = 0;
  for (; count < 8; ++count) indexes[count] = take(&fixture, 1 + count / 5, (uint8_t)count, 'a', (char)('0' + count));
  size_t used = fixture.engine->engine.exchanges.store.used;
  assert_int_equal(take(&fixture, 9, 1, 'a', '8'), INDEX_NONE); /* a ninth variant */
  for (; count < 40; ++count) indexes[count] = take(&fixture, 1 + count / 5, (uint8_t)(100 + count), 'a', '0');
  assert_int_equal(take(&fixture, 9, 1, 'a', '0'), INDEX_NONE); /* a 41st observer */
  give(&fixture, indexes[--count]);
  assert_int_equal(take(&fixture, 1, 1, 'a', '0'), INDEX_NONE); /* a sixth of one peer */
  assert_int_equal(fixture.engine->engine.exchanges.store.used, used);
  while (count > 0) give(&fixture, indexes[--count]);
  close(&fixture);
}

/* --- Confirmation ---------------------------------------------------------------------------------------- */

static void a_timer_stands_for_the_confirmation_that_is_owed(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  struct observers *observers = &fixture.observers;
  copal_time start = fixture.engine->engine.now;
  uint32_t index = take(&fixture, 1, 1, 'a', 'x');
  const struct observer *observer = &observers->records[index];
  copal_time every = 60 * COPAL_SECOND;
  observer_note_non(observers, index, every, start + 10 * COPAL_SECOND);
  observer_note_non(observers, index, every, start + 20 * COPAL_SECOND);
  copal_time due = timer_earliest(&observers->timers);
  assert_true(due >= start + 60 * COPAL_SECOND - COARSE_UNIT && due <= start + 60 * COPAL_SECOND + COARSE_UNIT);
  assert_true(observer_is_due(observer, every, due));
  assert_false(observer_is_due(observer, every, due - 2 * COARSE_UNIT));
  observer_note_con(observers, index, due);
  assert_int_equal(observers->timers.count, 0);
  assert_false(observer_is_due(observer, every, due));
  observer_note_non(observers, index, every, due);
  give(&fixture, index); /* its timer with it */
  close(&fixture);
}

/* --- Many steps -------------------------------------------------------------------------------------------- */

enum { PEERS = 12, TOKENS = 6, STEPS = 200000 };

/* What is known of each client and token: its entry, or INDEX_NONE; and whether it still has to be visited. */
struct model {
  uint32_t index[PEERS][TOKENS];
  bool to_visit[PEERS][TOKENS];
  uint32_t count;
};

static void step_entry(struct fixture *fixture, struct model *model, struct dice *dice) {
  uint32_t peer = dice_below(dice, PEERS), token = dice_below(dice, TOKENS);
  uint32_t *index = &model->index[peer][token];
  if (*index == INDEX_NONE) {
    *index = take(fixture, peer, (uint8_t)token, (char)('a' + dice_below(dice, 3)), (char)('x' + dice_below(dice, 2)));
    model->to_visit[peer][token] = false;
    if (*index != INDEX_NONE) ++model->count;
  } else {
    give(fixture, *index);
    *index = INDEX_NONE;
    --model->count;
  }
}

/* Every observer of the variant is to be visited. */
static void step_state(struct fixture *fixture, struct model *model, struct dice *dice) {
  struct observers *observers = &fixture->observers;
  uint64_t path = write_request(fixture, (char)('a' + dice_below(dice, 3)), 'x');
  size_t expected = 0;
  for (int peer = 0; peer < PEERS; ++peer) {
    for (int token = 0; token < TOKENS; ++token) {
      uint32_t index = model->index[peer][token];
      if (index == INDEX_NONE || observers->observed[observers->records[index].observed].path != path) continue;
      model->to_visit[peer][token] = true;
      ++expected;
    }
  }
  assert_int_equal(observed_change(observers, path), expected);
  while (observers->make != INDEX_NONE) {
    uint32_t variant = observers->make;
    observed_rest(observers, variant);
    assert_true(observed_keep(observers, &fixture->engine->engine, variant, (copal_bytes){(const uint8_t *)"abcd", 4}));
  }
}

static bool *mark_of(struct model *model, const struct observer *observer) {
  return &model->to_visit[observer->peer][observer->token[0]];
}

static void step_visit(struct fixture *fixture, struct model *model, struct dice *dice) {
  struct observers *observers = &fixture->observers;
  observed_turn(observers);
  if (observers->send == INDEX_NONE) {
    for (int peer = 0; peer < PEERS; ++peer)
      for (int token = 0; token < TOKENS; ++token)
        assert_false(model->index[peer][token] != INDEX_NONE && model->to_visit[peer][token]);
    return;
  }
  uint32_t variant = observers->send, index = observers_next(observers, variant);
  if (index == INDEX_NONE) {
    observed_rest(observers, variant);
    return;
  }
  bool *mark = mark_of(model, &observers->records[index]);
  assert_true(*mark);
  *mark = dice_below(dice, 8) == 0;
  if (*mark) observers_again(observers, index);
}

static void step_again(struct fixture *fixture, struct model *model, struct dice *dice) {
  uint32_t peer = dice_below(dice, PEERS), token = dice_below(dice, TOKENS);
  if (model->index[peer][token] == INDEX_NONE) return;
  observers_again(&fixture->observers, model->index[peer][token]);
  model->to_visit[peer][token] = true;
}

static void every_observer_is_visited_once_for_each_state(void **state) {
  (void)state;
  struct fixture fixture;
  struct model model = {.count = 0};
  struct dice dice = {7};
  open(&fixture);
  for (int peer = 0; peer < PEERS; ++peer)
    for (int token = 0; token < TOKENS; ++token) model.index[peer][token] = INDEX_NONE;
  for (int step = 0; step < STEPS; ++step) {
    uint32_t kind = dice_below(&dice, 64);
    if (kind == 0)
      step_state(&fixture, &model, &dice);
    else if (kind < 4)
      step_again(&fixture, &model, &dice);
    else if (kind < 16)
      step_entry(&fixture, &model, &dice);
    else
      step_visit(&fixture, &model, &dice);
    assert_int_equal(fixture.observers.slab.count, model.count);
  }
  for (int peer = 0; peer < PEERS; ++peer)
    for (int token = 0; token < TOKENS; ++token)
      if (model.index[peer][token] != INDEX_NONE) give(&fixture, model.index[peer][token]);
  close(&fixture);
}

static void peers_with_the_same_hash_have_entries_of_their_own(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  fixture.observers.key = COLLISION_KEY;
  assert_peers_collide();
  uint8_t token = 0xaa;
  uint32_t first = take(&fixture, COLLISION_PEER, token, 'a', 'x');
  assert_int_equal(observers_find(&fixture.observers, COLLISION_OTHER, (copal_bytes){&token, 1}), INDEX_NONE);
  uint32_t others[5];
  for (uint8_t i = 0; i < 5; ++i) others[i] = take(&fixture, COLLISION_OTHER, (uint8_t)(token + i), 'a', 'x');
  assert_int_equal(observers_find(&fixture.observers, COLLISION_PEER, (copal_bytes){&token, 1}), first);
  assert_int_equal(observers_find(&fixture.observers, COLLISION_OTHER, (copal_bytes){&token, 1}), others[0]);
  assert_int_equal(take(&fixture, COLLISION_OTHER, 1, 'a', 'x'), INDEX_NONE); /* which has its share now, */
  uint32_t second = take(&fixture, COLLISION_PEER, 1, 'a', 'x');              /* but not the first one */
  assert_int_not_equal(second, INDEX_NONE);
  assert_int_equal(fixture.observers.peers, 2);
  give(&fixture, first);
  give(&fixture, second);
  assert_int_equal(fixture.observers.peers, 1);
  for (int i = 0; i < 5; ++i) give(&fixture, others[i]);
  close(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_increase_and_not_too_fast),
      cmocka_unit_test(an_entry_is_found_by_client_and_token),
      cmocka_unit_test(a_peer_is_busy_while_it_observes),
      cmocka_unit_test(variants_of_a_path_change_together),
      cmocka_unit_test(full_tables_refuse_and_keep_nothing),
      cmocka_unit_test(a_timer_stands_for_the_confirmation_that_is_owed),
      cmocka_unit_test(every_observer_is_visited_once_for_each_state),
      cmocka_unit_test(peers_with_the_same_hash_have_entries_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
