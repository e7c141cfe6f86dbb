/* Observed resources: what has the hash of another variant or path is none of it, and where there is no room for a
 * variant nothing is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/observers.h"
#include "rest/variant.h"
#include "support/collision.h"
#include "support/engine.h"
#include "support/spent.h"

static const struct hash_key KEY = {3, 5};

struct fixture {
  struct engine_fixture *engine;
  struct observers observers;
  void *memory;
  uint8_t request[600];
  copal_view view;
};

static void open(struct fixture *fixture, uint32_t messages_size) {
  copal_config config = copal_config_small();
  config.peers_max = 16;
  config.messages_size = messages_size;
  config.observed_max = 64;
  config.observers_max = 64;
  config.peer_observers_max = 64;
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
  assert_int_equal(fixture->observers.kept_size, 0);
  assert_int_equal(fixture->engine->engine.exchanges.store.used, 0);
  engine_fixture_close(fixture->engine);
  free(fixture->memory);
}

/* GET /<number>, without leading zeros, and a payload of that size. */
static void write_request(struct fixture *fixture, uint32_t number, size_t payload_size) {
  copal_message message;
  char text[16];
  static const uint8_t payload[512];
  snprintf(text, sizeof text, "%u", number);
  copal_message_init(&message, fixture->request, sizeof fixture->request, COPAL_NON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, text);
  copal_message_set_payload(&message, payload, payload_size);
  assert_int_equal(message.error, COPAL_OK);
  fixture->view = copal_message_view(&message);
}

static uint32_t take(struct fixture *fixture, uint8_t token, uint32_t number, uint32_t format, size_t payload_size) {
  write_request(fixture, number, payload_size);
  struct registration registration = {.peer = 1, .token = {&token, 1}, .request = &fixture->view, .format = format};
  return observers_take(&fixture->observers, &fixture->engine->engine, &registration);
}

static void give(struct fixture *fixture, uint32_t index) {
  observers_give(&fixture->observers, &fixture->engine->engine, index);
}

/* --- The same hash ------------------------------------------------------------------------------------- */

static uint32_t hash_of_path(void *context, uint32_t number) {
  struct fixture *fixture = context;
  write_request(fixture, number, 0);
  return (uint32_t)variant_path(&KEY, &fixture->view);
}

/* As observed_reach makes it. */
static uint32_t hash_of_variant(struct fixture *fixture, uint32_t number, uint32_t format) {
  uint8_t room[64];
  write_request(fixture, number, 0);
  size_t size = variant_write(&fixture->view, room, sizeof room);
  return (uint32_t)hash_words(&KEY, hash_bytes(&KEY, room, size), format);
}

static uint32_t hash_of_request(void *context, uint32_t number) {
  return hash_of_variant(context, number, COPAL_TEXT_PLAIN);
}

static uint32_t hash_of_format(void *context, uint32_t number) { return hash_of_variant(context, 1, number); }

static bool any(uint32_t a, uint32_t b) { return a != b; }

static int digits(uint32_t number) {
  int count = 1;
  for (; number >= 10; number /= 10) ++count;
  return count;
}

static bool of_one_size(uint32_t a, uint32_t b) { return digits(a) == digits(b); }

static bool of_two_sizes(uint32_t a, uint32_t b) { return digits(a) != digits(b); }

static void assert_two_variants(struct fixture *fixture, uint32_t first, uint32_t second) {
  const struct observer *records = fixture->observers.records;
  uint32_t a = records[first].observed, b = records[second].observed;
  assert_int_not_equal(a, b);
  assert_int_equal(fixture->observers.observed[a].hash, fixture->observers.observed[b].hash);
}

static void requests_with_the_same_hash_are_variants_of_their_own(void **state) {
  (void)state;
  static bool (*const kinds[])(uint32_t, uint32_t) = {of_one_size, of_two_sizes};
  for (int kind = 0; kind < 2; ++kind) {
    struct fixture fixture;
    uint32_t numbers[2];
    open(&fixture, 4096);
    collision_find(hash_of_request, &fixture, kinds[kind], numbers);
    uint32_t first = take(&fixture, 1, numbers[0], COPAL_TEXT_PLAIN, 0);
    uint32_t second = take(&fixture, 2, numbers[1], COPAL_TEXT_PLAIN, 0);
    assert_two_variants(&fixture, first, second);
    uint32_t third = take(&fixture, 3, numbers[0], COPAL_TEXT_PLAIN, 0);
    assert_int_equal(fixture.observers.records[third].observed, fixture.observers.records[first].observed);
    give(&fixture, first);
    give(&fixture, third);
    uint32_t fourth = take(&fixture, 3, numbers[1], COPAL_TEXT_PLAIN, 0);
    assert_int_equal(fixture.observers.records[fourth].observed, fixture.observers.records[second].observed);
    give(&fixture, second);
    give(&fixture, fourth);
    close(&fixture);
  }
}

static void formats_with_the_same_hash_are_variants_of_their_own(void **state) {
  (void)state;
  struct fixture fixture;
  uint32_t numbers[2];
  open(&fixture, 4096);
  collision_find(hash_of_format, &fixture, any, numbers);
  uint32_t first = take(&fixture, 1, 1, numbers[0], 0), second = take(&fixture, 2, 1, numbers[1], 0);
  assert_two_variants(&fixture, first, second);
  give(&fixture, first);
  give(&fixture, second);
  close(&fixture);
}

static void a_path_with_the_same_hash_has_not_changed(void **state) {
  (void)state;
  struct fixture fixture;
  uint32_t numbers[2];
  open(&fixture, 4096);
  collision_find(hash_of_path, &fixture, any, numbers);
  uint32_t first = take(&fixture, 1, numbers[0], COPAL_TEXT_PLAIN, 0);
  write_request(&fixture, numbers[1], 0);
  uint64_t other = variant_path(&KEY, &fixture.view);
  assert_int_equal(observed_change(&fixture.observers, other), 0);
  assert_int_equal(observed_end(&fixture.observers, other, COPAL_NOT_FOUND), 0);
  uint32_t second = take(&fixture, 2, numbers[1], COPAL_TEXT_PLAIN, 0);
  assert_int_equal(observed_change(&fixture.observers, other), 1);
  assert_int_equal(fixture.observers.to_make, 1);
  assert_int_equal(fixture.observers.make, fixture.observers.records[second].observed);
  give(&fixture, first);
  give(&fixture, second);
  close(&fixture);
}

/* --- No room ---------------------------------------------------------------------------------------------- */

/* Variants have half of the store, each with its request and the least message. */
static void variants_leave_half_of_the_store_to_others(void **state) {
  (void)state;
  struct fixture fixture;
  uint32_t indexes[64], count = 0;
  open(&fixture, 2048);
  for (; count < 64; ++count) {
    indexes[count] = take(&fixture, (uint8_t)count, count, COPAL_TEXT_PLAIN, 0);
    if (indexes[count] == INDEX_NONE) break;
  }
  assert_int_equal(count, 31); /* the 32nd would have no room for a message */
  assert_int_equal(fixture.observers.observed_slab.count, 31);
  uint32_t joins = take(&fixture, 100, 0, COPAL_TEXT_PLAIN, 0);
  assert_int_not_equal(joins, INDEX_NONE); /* who asks alike needs no more */
  give(&fixture, joins);
  while (count > 0) give(&fixture, indexes[--count]);
  close(&fixture);
}

static void a_variant_that_finds_the_store_full_keeps_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture, 2048);
  struct spent spent;
  spend_store(&spent, &fixture.engine->engine.exchanges.store);
  assert_int_equal(take(&fixture, 1, 1, COPAL_TEXT_PLAIN, 0), INDEX_NONE);
  assert_int_equal(fixture.observers.kept_size, 0);
  assert_int_equal(fixture.observers.observed_slab.count, 0);
  give_back(&spent, 1);
  uint32_t index = take(&fixture, 1, 1, COPAL_TEXT_PLAIN, 0);
  assert_int_not_equal(index, INDEX_NONE);
  give(&fixture, index);
  give_all_back(&spent);
  close(&fixture);
}

/* A payload that came in blocks may be larger than what a message holds. */
static void a_request_that_no_message_holds_is_not_observed(void **state) {
  (void)state;
  struct fixture fixture;
  open(&fixture, 4096);
  assert_int_equal(take(&fixture, 1, 1, COPAL_TEXT_PLAIN, 300), INDEX_NONE);
  uint32_t index = take(&fixture, 1, 1, COPAL_TEXT_PLAIN, 200);
  assert_int_not_equal(index, INDEX_NONE);
  give(&fixture, index);
  close(&fixture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_with_the_same_hash_are_variants_of_their_own),
      cmocka_unit_test(formats_with_the_same_hash_are_variants_of_their_own),
      cmocka_unit_test(a_path_with_the_same_hash_has_not_changed),
      cmocka_unit_test(variants_leave_half_of_the_store_to_others),
      cmocka_unit_test(a_variant_that_finds_the_store_full_keeps_nothing),
      cmocka_unit_test(a_request_that_no_message_holds_is_not_observed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
