/* Records of calls: handles, tokens of bursts, limits of what their blocks can count. What calls do is in
 * unit/endpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/download.h"
#include "rest/operations.h"
#include "support/collision.h"
#include "support/engine.h"

struct fixture {
  struct engine_fixture *engine;
  struct operations operations;
  void *memory;
};

static void open(struct fixture *fixture) {
  copal_config config = copal_config_small();
  config.calls_max = 3;
  fixture->engine = engine_fixture_open(&config);
  struct engine *engine = &fixture->engine->engine;
  struct layout counting = {NULL, 0};
  operations_init(&fixture->operations, &counting, &config, &engine->exchanges.store, COLLISION_KEY, 0);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  operations_init(&fixture->operations, &layout, &config, &engine->exchanges.store, COLLISION_KEY, engine->now);
}

static void close(struct fixture *fixture) {
  assert_int_equal(fixture->operations.slab.count, 0);
  assert_int_equal(fixture->operations.index.count, 0);
  assert_int_equal(fixture->engine->engine.exchanges.store.used, 0);
  engine_fixture_close(fixture->engine);
  free(fixture->memory);
}

static struct operation *take(struct fixture *fixture, uint32_t peer) {
  uint8_t buffer[16];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_address remote = {.family = COPAL_FAMILY_IPV4, .port = 5683};
  copal_call_options options = {.message = &message, .remote = &remote, .q_block = true};
  uint32_t index;
  assert_int_equal(operation_take(&fixture->operations, &options, &index), COPAL_OK);
  struct operation *operation = &fixture->operations.records[index];
  operation->peer = peer;
  return operation;
}

static void a_handle_is_good_for_one_call(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  struct operation *operation = take(&fixture, 0);
  copal_call first = operation_handle(&fixture.operations, operation);
  assert_ptr_equal(operation_of(&fixture.operations, first), operation);
  operation_give(&fixture.operations, operation);
  assert_null(operation_of(&fixture.operations, first));
  assert_ptr_equal(take(&fixture, 0), operation); /* the same record */
  copal_call second = operation_handle(&fixture.operations, operation);
  assert_null(operation_of(&fixture.operations, first));
  assert_ptr_equal(operation_of(&fixture.operations, second), operation);
  assert_null(operation_of(&fixture.operations, (copal_call){0, 0}));
  assert_null(operation_of(&fixture.operations, (copal_call){1, second.generation}));
  operation_give(&fixture.operations, operation);
  close(&fixture);
}

/* A generation of 0 would be the handle of none. */
static void generations_leave_out_zero(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture);
  struct operation *operation = take(&fixture, 0);
  operation_give(&fixture.operations, operation);
  operation->generation = UINT32_MAX;
  operation = take(&fixture, 0);
  assert_int_equal(operation_handle(&fixture.operations, operation).generation, 1);
  operation_give(&fixture.operations, operation);
  close(&fixture);
}

/* RFC 9177 6 has tokens of bursts that begin with the request's number and end alike. */
static void bursts_to_peers_with_the_same_hash_are_told_apart(void **state) {
  (void)state;
  static const uint8_t token[8] = {0, 0, 0, 1, 0, 0, 0, 42};
  struct fixture fixture;
  open(&fixture);
  assert_peers_collide();
  struct operations *operations = &fixture.operations;
  struct operation *first = take(&fixture, COLLISION_PEER), *second = take(&fixture, COLLISION_OTHER);
  first->quick.requests = second->quick.requests = 1;
  operation_name(operations, first, 42);
  assert_null(operations_by_token(operations, COLLISION_OTHER, (copal_bytes){token, 8}));
  operation_name(operations, second, 42);
  assert_ptr_equal(operations_by_token(operations, COLLISION_PEER, (copal_bytes){token, 8}), first);
  assert_ptr_equal(operations_by_token(operations, COLLISION_OTHER, (copal_bytes){token, 8}), second);
  operation_give(operations, first);
  assert_null(operations_by_token(operations, COLLISION_PEER, (copal_bytes){token, 8}));
  operation_give(operations, second);
  close(&fixture);
}

/* RFC 7959 2.2: a block's number has 20 bits. */
static void a_body_ends_with_the_last_number_that_a_block_can_have(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  struct operation operation = {.download = {.size = (uint64_t)BLOCK_NUMBER_MAX * 16, .szx = 0}};
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(download_add(&operation, 0, &message), COPAL_OK);
  copal_view view = copal_message_view(&message);
  copal_block block = copal_block_of(copal_find_uint(&view, COPAL_OPTION_BLOCK2, 0));
  assert_int_equal(block.number, BLOCK_NUMBER_MAX);
  assert_int_equal(download_add(&operation, 1, &message), COPAL_ERR_BODY_SIZE);
  operation.download.size += 16;
  assert_int_equal(download_add(&operation, 0, &message), COPAL_ERR_BODY_SIZE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_handle_is_good_for_one_call),
      cmocka_unit_test(generations_leave_out_zero),
      cmocka_unit_test(bursts_to_peers_with_the_same_hash_are_told_apart),
      cmocka_unit_test(a_body_ends_with_the_last_number_that_a_block_can_have),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
