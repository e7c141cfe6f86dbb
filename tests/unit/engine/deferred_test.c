/* Deferred responses: the ACKs that are owed come in order and in time, tokens of any size are kept, handles go stale,
 * and everything returns. Against a model for random orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dice.h"
#include "support/engine.h"

enum { COUNT = 16 };

static copal_config config_of(uint32_t deferred_max) {
  copal_config config = copal_config_small();
  config.deferred_max = deferred_max;
  config.messages_size = 65536;
  config.message_size_max = 1024;
  config.replies_size = 8192;
  return config;
}

static uint32_t defer(struct engine_fixture *fixture, uint32_t peer, copal_type type, uint16_t mid, copal_bytes token) {
  struct incoming incoming;
  engine_fixture_receive(fixture, peer, type, COPAL_GET, mid, token, &incoming);
  return deferred_take(&fixture->deferreds, &fixture->engine, &incoming, false);
}

static void acks_are_owed_in_order_after_the_delay(void **state) {
  (void)state;
  copal_config config = config_of(8);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  copal_time start = fixture->engine.now, delay = fixture->engine.parameters.ack_delay;
  static const copal_bytes none = {NULL, 0};
  uint32_t indexes[4];
  for (uint32_t i = 0; i < 4; ++i) {
    fixture->engine.now = start + i * COPAL_MILLISECOND;
    indexes[i] = defer(fixture, i, COPAL_CON, (uint16_t)i, none);
  }
  assert_int_not_equal(defer(fixture, 0, COPAL_NON, 9, none), INDEX_NONE); /* owes no ACK */
  deferred_give(&fixture->deferreds, &fixture->engine, indexes[1]);
  assert_true(deferred_next_ack(&fixture->deferreds) == start + delay);
  assert_int_equal(deferred_take_ack(&fixture->deferreds, start + delay - 1), INDEX_NONE);
  assert_int_equal(deferred_take_ack(&fixture->deferreds, start + delay), indexes[0]);
  assert_int_equal(deferred_take_ack(&fixture->deferreds, start + delay), INDEX_NONE);
  assert_int_equal(deferred_take_ack(&fixture->deferreds, start + COPAL_SECOND), indexes[2]);
  assert_int_equal(deferred_take_ack(&fixture->deferreds, start + COPAL_SECOND), indexes[3]);
  assert_int_equal(deferred_take_ack(&fixture->deferreds, COPAL_NEVER - 1), INDEX_NONE);
  assert_true(deferred_next_ack(&fixture->deferreds) == COPAL_NEVER);
  engine_fixture_close(fixture);
}

static void tokens_of_any_size_are_kept_to_the_byte(void **state) {
  (void)state;
  copal_config config = config_of(8);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  static const size_t sizes[] = {0, 1, 8, 12, 13, 200, 268, 269, 1000};
  uint8_t token[1000];
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    memset(token, (int)i + 1, sizeof token);
    uint32_t index = defer(fixture, 0, COPAL_CON, (uint16_t)i, (copal_bytes){token, sizes[i]});
    assert_int_not_equal(index, INDEX_NONE);
    const struct deferred *deferred = &fixture->deferreds.records[index];
    assert_int_equal(deferred->token_size, sizes[i]);
    if (sizes[i] > 0)
      assert_memory_equal(store_bytes(&fixture->engine.exchanges.store, deferred->token), token, sizes[i]);
    deferred_give(&fixture->deferreds, &fixture->engine, index);
  }
  assert_int_equal(fixture->engine.exchanges.store.used, 0);
  engine_fixture_close(fixture);
}

static void no_room_for_record_or_token_costs_nothing(void **state) {
  (void)state;
  copal_config config = config_of(2);
  config.messages_size = 1024;
  struct engine_fixture *fixture = engine_fixture_open(&config);
  uint8_t token[1000] = {0};
  uint32_t large = defer(fixture, 0, COPAL_CON, 1, (copal_bytes){token, 1000});
  assert_int_not_equal(large, INDEX_NONE);
  assert_int_equal(defer(fixture, 1, COPAL_CON, 2, (copal_bytes){token, 1}), INDEX_NONE);
  assert_int_equal(fixture->engine.peers.records[1].flags & PEER_BUSY, 0);
  deferred_give(&fixture->deferreds, &fixture->engine, large);
  uint32_t a = defer(fixture, 1, COPAL_CON, 2, (copal_bytes){token, 1});
  uint32_t b = defer(fixture, 1, COPAL_CON, 3, (copal_bytes){token, 1});
  size_t used = fixture->engine.exchanges.store.used;
  assert_int_equal(defer(fixture, 1, COPAL_CON, 4, (copal_bytes){token, 1}), INDEX_NONE);
  assert_int_equal(fixture->engine.exchanges.store.used, used);
  deferred_give(&fixture->deferreds, &fixture->engine, a);
  deferred_give(&fixture->deferreds, &fixture->engine, b);
  assert_int_equal(fixture->engine.peers.records[1].flags & PEER_BUSY, 0);
  engine_fixture_close(fixture);
}

/* Of an endpoint that is gone, for instance. */
static void a_handle_that_was_never_given_out_names_nothing(void **state) {
  (void)state;
  copal_config config = config_of(2);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  const struct deferreds *deferreds = &fixture->deferreds;
  static const copal_bytes none = {NULL, 0};
  assert_int_equal(deferred_of(deferreds, 0, 1), INDEX_NONE);
  uint32_t index = defer(fixture, 0, COPAL_CON, 1, none), generation = deferreds->records[index].generation;
  assert_int_equal(deferred_of(deferreds, index, generation), index);
  assert_int_equal(deferred_of(deferreds, index, 0), INDEX_NONE);
  assert_int_equal(deferred_of(deferreds, index, generation + 1), INDEX_NONE);
  assert_int_equal(deferred_of(deferreds, index + 1, generation), INDEX_NONE);
  assert_int_equal(deferred_of(deferreds, UINT32_MAX, generation), INDEX_NONE);
  engine_fixture_close(fixture);
}

static void generations_never_begin_anew_at_the_one_that_names_nothing(void **state) {
  (void)state;
  copal_config config = config_of(2);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  struct deferreds *deferreds = &fixture->deferreds;
  uint32_t index = defer(fixture, 0, COPAL_CON, 1, (copal_bytes){NULL, 0});
  deferreds->records[index].generation = UINT32_MAX;
  deferred_hold(deferreds, index);
  uint32_t generation = deferreds->records[index].generation;
  assert_int_not_equal(generation, 0);
  assert_int_equal(deferred_of(deferreds, index, generation), index);
  assert_int_equal(deferred_of(deferreds, index, UINT32_MAX), INDEX_NONE);
  engine_fixture_close(fixture);
}

/* RFC 9177: the blocks of an answer are Q-Block2 where the request is of that kind. */
static void the_block_options_of_the_request_are_kept(void **state) {
  (void)state;
  static const struct {
    uint16_t number;
    bool quick;
    uint32_t block1, block2;
  } cases[] = {{COPAL_OPTION_BLOCK1, false, 0x12, UINT32_MAX},
               {COPAL_OPTION_BLOCK2, false, UINT32_MAX, 0x12},
               {COPAL_OPTION_Q_BLOCK1, true, UINT32_MAX, UINT32_MAX},
               {COPAL_OPTION_Q_BLOCK2, true, UINT32_MAX, 0x12}};
  copal_config config = config_of(2);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct engine_fixture *fixture = engine_fixture_open(&config);
    uint8_t buffer[16];
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_FETCH);
    copal_message_add_uint(&message, cases[i].number, 0x12);
    copal_view view = copal_message_view(&message);
    struct incoming incoming = {.view = &view, .datagram = {buffer, message.size}, .peer = 0};
    uint32_t index = deferred_take(&fixture->deferreds, &fixture->engine, &incoming, false);
    const struct deferred *deferred = &fixture->deferreds.records[index];
    assert_int_equal(deferred->quick, cases[i].quick);
    assert_int_equal(deferred->block1, cases[i].block1);
    assert_int_equal(deferred->block2, cases[i].block2);
    assert_int_equal(deferred->code, COPAL_FETCH);
    engine_fixture_close(fixture);
  }
}

struct owed {
  bool used;
  copal_time ack_at; /* 0: none is owed */
  uint32_t generation;
};

static void random_orders_agree_with_a_model(void **state) {
  (void)state;
  copal_config config = config_of(COUNT);
  struct engine_fixture *fixture = engine_fixture_open(&config);
  struct owed model[COUNT] = {{.used = false}};
  struct dice dice = {5};
  uint16_t mid = 0;
  for (int i = 0; i < 50000; ++i) {
    uint32_t index = dice_below(&dice, COUNT);
    switch (dice_below(&dice, 4)) {
      case 0: {
        copal_type type = dice_below(&dice, 3) == 0 ? COPAL_NON : COPAL_CON;
        uint8_t token[40] = {0};
        index = defer(fixture, dice_below(&dice, 4), type, ++mid, (copal_bytes){token, dice_below(&dice, 40)});
        if (index == INDEX_NONE) break;
        assert_false(model[index].used);
        uint32_t generation = fixture->deferreds.records[index].generation;
        assert_int_not_equal(generation, model[index].generation);
        model[index] = (struct owed){
            true, type == COPAL_CON ? fixture->engine.now + fixture->engine.parameters.ack_delay : 0, generation};
        break;
      }
      case 1:
        if (!model[index].used) break;
        deferred_give(&fixture->deferreds, &fixture->engine, index);
        model[index].used = false;
        break;
      case 2: {
        uint32_t taken = deferred_take_ack(&fixture->deferreds, fixture->engine.now);
        copal_time least = COPAL_NEVER;
        for (int k = 0; k < COUNT; ++k)
          if (model[k].used && model[k].ack_at != 0 && model[k].ack_at < least) least = model[k].ack_at;
        assert_int_equal(taken == INDEX_NONE, least > fixture->engine.now);
        if (taken == INDEX_NONE) break;
        assert_true(model[taken].used && model[taken].ack_at == least);
        model[taken].ack_at = 0;
        break;
      }
      case 3: fixture->engine.now += dice_below(&dice, 300) * COPAL_MILLISECOND;
    }
    uint32_t of = dice_below(&dice, COUNT);
    uint32_t named = deferred_of(&fixture->deferreds, of, model[of].generation);
    assert_int_equal(named, model[of].used ? of : INDEX_NONE);
  }
  engine_fixture_close(fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(acks_are_owed_in_order_after_the_delay),
      cmocka_unit_test(tokens_of_any_size_are_kept_to_the_byte),
      cmocka_unit_test(no_room_for_record_or_token_costs_nothing),
      cmocka_unit_test(a_handle_that_was_never_given_out_names_nothing),
      cmocka_unit_test(generations_never_begin_anew_at_the_one_that_names_nothing),
      cmocka_unit_test(the_block_options_of_the_request_are_kept),
      cmocka_unit_test(random_orders_agree_with_a_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
