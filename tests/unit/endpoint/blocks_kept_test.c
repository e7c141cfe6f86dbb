/* What is kept of replies for those who ask for more of them, and when it is not to be asked any more. RFC 7959 section
 * 2.7. */
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
  copal_deferred deferred;
  bool defers;
  size_t body_size, skipped; /* of the steps' body */
};

static void answer(copal_request *request, void *context) {
  struct scene *scene = context;
  ++scene->calls;
  if (scene->defers) {
    assert_int_equal(copal_defer(request, &scene->deferred), COPAL_OK);
    return;
  }
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, steps_body() + scene->skipped, scene->body_size);
}

static void open_scene(struct scene *scene) {
  copal_config config = copal_config_small();
  config.replies_size = 16384;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  config.transfers_max = 4;
  config.peer_transfers_max = 3;
  config.peers_max = 8;
  config.amplification_max = 0;
  *scene = (struct scene){.bare = bare_open(&config), .body_size = 500};
  scene->steps = steps_begin(scene->bare, 300);
  for (copal_code method = COPAL_GET; method <= COPAL_IPATCH; ++method)
    assert_int_equal(copal_route(scene->bare->endpoint, method, "/r", answer, scene), COPAL_OK);
}

static copal_usage usage(const struct scene *scene) { return copal_endpoint_usage(scene->bare->endpoint); }

static void pay(struct scene *scene, size_t size) {
  uint8_t buffer[1000];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&response, steps_body(), size);
  assert_int_equal(copal_deferred_reply(scene->bare->endpoint, scene->deferred, &response), COPAL_OK);
}

/* What was kept of the answer before is no part of the new one. */
static void a_new_answer_ends_what_is_kept_of_the_old(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  struct steps *steps = &scene.steps;
  scene.defers = true;
  steps_send(steps, "GET 2:0/0/64");
  pay(&scene, 500);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CONTENT);
  steps_exchange(steps, "GET 2:1/0/64", "2.05 2:1/1/64");
  assert_int_equal(scene.calls, 1);
  scene.defers = false;
  steps_exchange(steps, "GET 2:0/0/64", "2.05 2:0/1/64");
  scene.skipped = 64; /* it has changed */
  steps_send(steps, "GET 2:0/0/64");
  assert_memory_equal(bare_out_one(scene.bare)->view.payload.data, steps_body() + 64, 64);
  steps_send(steps, "GET 2:1/0/64");
  assert_memory_equal(bare_out_one(scene.bare)->view.payload.data, steps_body() + 128, 64);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

/* RFC 7959 2.7: to go on, the client "leaves out the Block1 Options and includes a Block2 request option with non-zero
 * NUM". One that sends the payload once more does not want it to be executed once more. */
static void more_of_a_reply_is_never_a_second_execution(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  struct steps *steps = &scene.steps;
  static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "IPATCH"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; ++i) {
    char first[40], more[40], uploads[40];
    snprintf(first, sizeof first, "%s +10", methods[i]);
    snprintf(more, sizeof more, "%s 2:1/0/128 +10", methods[i]);
    snprintf(uploads, sizeof uploads, "%s tag=07 2:1/0/128 +10", methods[i]);
    scene.calls = 0;
    steps_exchange(steps, first, "2.05 2:0/1/128");
    steps_exchange(steps, more, "2.05 2:1/1/128");
    steps_exchange(steps, uploads, "4.08"); /* of nothing that is kept */
    assert_int_equal(scene.calls, 1);
  }
  scene.calls = 0;
  steps_exchange(steps, "FETCH 2:1/0/128 +10", "2.05 2:1/1/128"); /* which is safe, and says what is wanted */
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_answer_ends_what_is_kept_of_the_old),
      cmocka_unit_test(more_of_a_reply_is_never_a_second_execution),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
