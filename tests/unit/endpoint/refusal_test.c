/* Answers that no handler makes, and what they tell the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/steps.h"

struct scene {
  struct bare *bare;
  struct steps steps;
  int calls;
};

static void answer(copal_request *request, void *context) {
  struct scene *scene = context;
  ++scene->calls;
  copal_reply_code(request, COPAL_CHANGED);
}

static copal_config config_of(uint32_t message_size_max) {
  copal_config config = copal_config_small();
  config.message_size_max = message_size_max;
  config.messages_size = 4096;
  config.replies_size = 16384;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  return config;
}

static void open_scene(struct scene *scene, const copal_config *config) {
  *scene = (struct scene){.bare = bare_open(config)};
  scene->steps = steps_begin(scene->bare, 1024);
  copal_endpoint *endpoint = scene->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/r", answer, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/r", answer, scene), COPAL_OK);
}

/* --- Too large ------------------------------------------------------------------------------------ */

/* RFC 7959 2.9.3: a 4.13 "to a request that does not employ Block1" is "a hint for the client to try sending Block1",
 * and "where the response carries a smaller SZX in its Block1 Option is a hint to try that smaller SZX". RFC 7252
 * 5.9.2.9: it "SHOULD include a Size1 Option". */
static void a_datagram_too_large_is_told_the_block_size_that_fits(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of(256);
  open_scene(&scene, &config);
  struct steps *steps = &scene.steps;
  const copal_view *view = steps_exchange(steps, "PUT +300", "4.13 1:0/0/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE1, 0), 1024);
  steps_exchange(steps, "PUT 1:0/1/1024", "4.13 1:0/0/128");
  steps_exchange(steps, "PUT 1:0/1/256", "4.13 1:0/0/128");
  steps_exchange(steps, "PUT 1:1/1/256", "4.13 1:1/0/128");
#define LONG "012345678901234567890123456789012345678901234567890123456789"
  steps_exchange(steps, "PUT /r/" LONG "/" LONG " 1:0/1/256", "4.13 1:0/0/64"); /* beside such a path */
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  assert_int_equal(scene.calls, 0);
  bare_close(scene.bare);
}

/* A body that is taken in parts is as large as it likes. */
static void where_parts_are_taken_no_size_is_proposed(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of(256);
  open_scene(&scene, &config);
  assert_int_equal(copal_route_parts(scene.bare->endpoint, COPAL_PUT, "/r", NULL), COPAL_OK);
  const copal_view *view = steps_exchange(&scene.steps, "PUT +300", "4.13 1:0/0/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE1, 0), 0);
  view = steps_exchange(&scene.steps, "PUT /x +300", "4.13 1:0/0/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE1, 0), 1024);
  bare_close(scene.bare);
}

/* Where smaller blocks would not help none are proposed. */
static void what_is_too_large_for_other_reasons_is_told_no_block_size(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of(64);
  open_scene(&scene, &config);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "GET /r/0123456789012345678901234567890123456789012345678901234567890123456789", "4.13");
  steps_exchange(steps, "PUT /r/0123456789012345678901234567890123456789012345 +40", "4.13");
  steps_exchange(steps, "PUT +100", "4.13 1:0/0/32");
  bare_close(scene.bare);
}

/* A raw endpoint does not know what its application does with blocks, and one without memory for them takes none. */
static void who_takes_no_blocks_proposes_none(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of(256);
  config.raw = true;
  open_scene(&scene, &config);
  steps_exchange(&scene.steps, "PUT +300", "4.13");
  bare_close(scene.bare);
  config.raw = false;
  config.transfers_max = 0;
  open_scene(&scene, &config);
  steps_exchange(&scene.steps, "PUT +300", "4.13");
  bare_close(scene.bare);
}

/* --- To who does not want to know ----------------------------------------------------------------- */

/* RFC 7967 1: the client "expresses its disinterest for all or some selected classes of responses"; those count, too,
 * that no handler has anything to do with: 3.2 names 4.29. A CON is acknowledged all the same. */
static void a_refusal_that_nobody_wants_is_an_empty_ack(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of(256);
  config.peer_rate = 1;
  open_scene(&scene, &config);
  bare_expect(scene.bare, "40030001 91 00 2172 d1ea08", "60000001"); /* option 9 */
  bare_expect(scene.bare, "40030002 91 00 2172 d1ea08", "60000002"); /* too often */
  bare_expect(scene.bare, "50030003 91 00 2172 d1ea08", "");         /* a NON */
  bare_expect(scene.bare, "40030004 b172 d1ea02", "609d0004d10101"); /* other classes are wanted */
  scene.bare->now += COPAL_SECOND;
  char large[2 * 300 + 1];
  memset(large, '1', sizeof large - 1);
  large[sizeof large - 1] = 0;
  bare_in(scene.bare, "40030005 b172 d1ea08 ff %s", large);
  assert_out(scene.bare, "60000005");
  assert_int_equal(scene.calls, 0);
  bare_close(scene.bare);
}

/* RFC 7967 2.1: "Set bit number (n-1) … to suppress all responses belonging to class n.xx." */
static void all_bits_suppress_all_classes(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of(256);
  open_scene(&scene, &config);
  bare_expect(scene.bare, "40030001 b172 d1eaff", "60000001");
  bare_expect(scene.bare, "50030002 b172 d1eaff", "");
  bare_expect(scene.bare, "40030003 b178 d1eaff", "60000003"); /* 4.04 */
  assert_int_equal(scene.calls, 2);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_datagram_too_large_is_told_the_block_size_that_fits),
      cmocka_unit_test(where_parts_are_taken_no_size_is_proposed),
      cmocka_unit_test(what_is_too_large_for_other_reasons_is_told_no_block_size),
      cmocka_unit_test(who_takes_no_blocks_proposes_none),
      cmocka_unit_test(a_refusal_that_nobody_wants_is_an_empty_ack),
      cmocka_unit_test(all_bits_suppress_all_classes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
