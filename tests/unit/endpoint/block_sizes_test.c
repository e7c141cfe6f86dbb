/* Sizes that are not those that were asked for: blocks that a message does not hold, bodies at their limit. RFC 7959
 * sections 2.4 and 2.9.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/steps.h"

enum { BODY_MAX = 500 };

struct scene {
  struct bare *bare;
  struct steps steps;
  size_t received;
};

static void give(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, steps_body(), BODY_MAX);
}

static void take(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  scene->received = payload.size;
  assert_memory_equal(payload.data, steps_body(), payload.size);
  copal_reply_code(request, COPAL_CHANGED);
}

static void open_scene(struct scene *scene, uint32_t message_size_max) {
  copal_config config = copal_config_small();
  config.message_size_max = message_size_max;
  config.replies_size = 16384;
  config.body_size_max = BODY_MAX;
  config.bodies_size = 4096;
  config.amplification_max = 0;
  *scene = (struct scene){.bare = bare_open(&config)};
  scene->steps = steps_begin(scene->bare, BODY_MAX);
  copal_endpoint *endpoint = scene->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/r", give, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/r", take, scene), COPAL_OK);
}

/* RFC 7959 2.4: "A server MUST use the block size indicated or a smaller size." The number that was asked for tells
 * which bytes are wanted: in smaller blocks another one begins with them. */
static void a_smaller_block_begins_where_the_one_that_was_asked_for_does(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 128);
  steps_exchange(&scene.steps, "GET 2:0/0/256", "2.05 2:0/1/64");
  steps_exchange(&scene.steps, "GET 2:1/0/256", "2.05 2:4/1/64");
  steps_exchange(&scene.steps, "GET 2:3/0/128", "2.05 2:6/1/64");
  bare_close(scene.bare);
}

/* RFC 7959 2.9.3: 4.13 may come "at any time during a Block1 transfer to indicate that it does not currently have the
 * resources to store blocks for a transfer". */
static void a_body_is_as_large_as_the_limit_and_no_byte_larger(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 512);
  steps_exchange(&scene.steps, "PUT 1:0/1/256", "2.31 1:0/1/256");
  steps_exchange(&scene.steps, "PUT 1:1/0/256", "2.04 1:1/0/256");
  assert_int_equal(scene.received, BODY_MAX);
  scene.steps.body_size = BODY_MAX + 1;
  steps_exchange(&scene.steps, "PUT 1:0/1/256", "2.31 1:0/1/256");
  const copal_view *refused = steps_exchange(&scene.steps, "PUT 1:1/0/256", "4.13");
  assert_int_equal(copal_find_uint(refused, COPAL_OPTION_SIZE1, 0), BODY_MAX);
  assert_int_equal(copal_endpoint_usage(scene.bare->endpoint).transfers, 0);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_smaller_block_begins_where_the_one_that_was_asked_for_does),
      cmocka_unit_test(a_body_is_as_large_as_the_limit_and_no_byte_larger),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
