/* Q-Block for a handler who takes parts in order: what comes before its turn waits, where there is room, and costs no
 * second transmission. RFC 9177 section 4.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/bare.h"

enum { BLOCK = 16, BLOCKS_MAX = 50, LAST = 5 };

struct scene {
  struct bare *bare;
  uint8_t taken[BLOCKS_MAX * BLOCK];
  size_t size;
  unsigned parts, ended;
  unsigned mid;
};

static void take(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_part part = copal_request_part(request);
  assert_int_equal(part.offset, scene->size);
  assert_true(part.size <= sizeof scene->taken - scene->size);
  memcpy(scene->taken + scene->size, part.data, part.size);
  scene->size += part.size;
  ++scene->parts;
  if (!part.last) return;
  ++scene->ended;
  copal_reply_code(request, COPAL_CHANGED);
}

static void open_scene(struct scene *scene, uint32_t bodies_size) {
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  config.body_size_max = 512;
  config.bodies_size = bodies_size;
  *scene = (struct scene){.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene->bare->endpoint, COPAL_PUT, "/p", take, scene), COPAL_OK);
  assert_int_equal(copal_route_parts(scene->bare->endpoint, COPAL_PUT, "/p", NULL), COPAL_OK);
}

/* Uri-Path p, Q-Block1 of 16 bytes, Size1, Request-Tag t; each byte of a block is its number. */
static void put(struct scene *scene, unsigned number, unsigned size) {
  char payload[2 * BLOCK + 1];
  unsigned end = (number + 1) * BLOCK, count = end < size ? BLOCK : size - number * BLOCK;
  for (unsigned i = 0; i < count; ++i) snprintf(payload + 2 * i, 3, "%02x", number);
  unsigned value = number << 4 | (end < size ? 8 : 0);
  bare_in(scene->bare, "5003%04x b170 82%04x d21c%04x d1db74 ff %s", ++scene->mid, value, size, payload);
}

static void assert_taken(const struct scene *scene, unsigned blocks) {
  assert_int_equal(scene->size, blocks * BLOCK);
  for (unsigned i = 0; i < blocks * BLOCK; ++i) assert_int_equal(scene->taken[i], i / BLOCK);
}

static void what_came_too_early_is_handed_on_in_its_turn(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 4096);
  put(&scene, 0, LAST * BLOCK);
  assert_taken(&scene, 1);
  put(&scene, 4, LAST * BLOCK);
  put(&scene, 2, LAST * BLOCK);
  assert_taken(&scene, 1);
  put(&scene, 1, LAST * BLOCK);
  assert_taken(&scene, 3);
  assert_int_equal(scene.parts, 2);
  put(&scene, 2, LAST * BLOCK); /* again */
  put(&scene, 3, LAST * BLOCK);
  assert_taken(&scene, LAST);
  assert_int_equal(scene.parts, 3);
  assert_int_equal(scene.ended, 1);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CHANGED);
  bare_close(scene.bare);
}

static void the_last_block_may_be_short_and_come_first(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 4096);
  for (unsigned number = 3; number-- > 0;) put(&scene, number, 2 * BLOCK + 1);
  assert_int_equal(scene.size, 2 * BLOCK + 1);
  assert_int_equal(scene.taken[2 * BLOCK], 2);
  assert_int_equal(scene.parts, 1);
  assert_int_equal(scene.ended, 1);
  bare_close(scene.bare);
}

/* The window holds as much as a body may have: what is behind it is asked for when its turn comes. */
static void what_finds_no_room_must_come_again(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 4096);
  enum { SIZE = 50 * BLOCK, WINDOW = 30 };
  for (unsigned number = 1; number < 50; ++number) {
    put(&scene, number, SIZE);
    bare_out(scene.bare);
  }
  assert_int_equal(scene.size, 0);
  put(&scene, 0, SIZE);
  assert_taken(&scene, WINDOW);
  /* RFC 9177 7.2: the list is of one set. */
  const copal_view *view = &bare_out_one(scene.bare)->view;
  assert_int_equal(view->code, COPAL_REQUEST_ENTITY_INCOMPLETE);
  assert_int_equal(view->payload.data[1], WINDOW);
  for (unsigned number = WINDOW; number < 50; ++number) put(&scene, number, SIZE);
  assert_taken(&scene, 50);
  assert_int_equal(scene.ended, 1);
  bare_close(scene.bare);
}

static void where_bodies_have_no_memory_parts_still_come_in_order(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 0);
  put(&scene, 1, 3 * BLOCK);
  put(&scene, 0, 3 * BLOCK);
  assert_taken(&scene, 1);
  put(&scene, 1, 3 * BLOCK);
  put(&scene, 2, 3 * BLOCK);
  assert_taken(&scene, 3);
  assert_int_equal(scene.ended, 1);
  bare_close(scene.bare);
}

static void what_waits_is_forgotten_with_its_body(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 4096);
  put(&scene, 2, 3 * BLOCK);
  assert_true(copal_endpoint_usage(scene.bare->endpoint).bodies_size > 0);
  scene.bare->now += 1000 * COPAL_SECOND;
  bare_out(scene.bare);
  copal_usage usage = copal_endpoint_usage(scene.bare->endpoint);
  assert_int_equal(usage.bodies_size, 0);
  assert_int_equal(usage.transfers, 0);
  assert_int_equal(scene.parts, 0);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_came_too_early_is_handed_on_in_its_turn),
      cmocka_unit_test(the_last_block_may_be_short_and_come_first),
      cmocka_unit_test(what_finds_no_room_must_come_again),
      cmocka_unit_test(where_bodies_have_no_memory_parts_still_come_in_order),
      cmocka_unit_test(what_waits_is_forgotten_with_its_body),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
