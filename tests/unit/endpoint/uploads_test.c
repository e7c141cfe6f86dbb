/* Uploads in blocks, and what else a request may have: an Echo challenge, a last block of any size, methods and routes
 * that take none. RFC 7959 sections 2.3 and 2.5, RFC 9175 section 2.3. */
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
  int calls, abandoned;
  size_t received;
  bool wants_fresh;
};

static void answer(copal_request *request, void *context) {
  struct scene *scene = context;
  if (scene->wants_fresh && !copal_request_is_fresh(request, 10 * COPAL_SECOND)) return;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  ++scene->calls;
  scene->received = payload.size;
  if (payload.size > 0) assert_memory_equal(payload.data, steps_body(), payload.size);
  copal_reply_code(request, COPAL_CHANGED);
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
  *scene = (struct scene){.bare = bare_open(&config)};
  scene->steps = steps_begin(scene->bare, 300);
  assert_int_equal(copal_route(scene->bare->endpoint, COPAL_PUT, "/r", answer, scene), COPAL_OK);
}

static copal_usage usage(const struct scene *scene) { return copal_endpoint_usage(scene->bare->endpoint); }

/* RFC 7959 2.3: "SZX does not govern the payload size if M is unset". */
static void the_last_block_has_any_size(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT 1:0/1/64", "2.31 1:0/1/64");
  uint8_t rest[120];
  memcpy(rest, steps_body() + 64, sizeof rest);
  uint8_t datagram[200];
  copal_encoder encoder;
  copal_encode_begin(&encoder, datagram, sizeof datagram, COPAL_CON, COPAL_PUT, 77, NULL, 0);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "r", 1);
  copal_encode_uint(&encoder, COPAL_OPTION_BLOCK1, 1 << 4 | 2);
  copal_encode_payload(&encoder, rest, sizeof rest);
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(scene.bare, &path, datagram, encoder.size);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CHANGED);
  assert_int_equal(scene.received, 64 + sizeof rest);
  bare_close(scene.bare);
}

/* RFC 9175 2.3: after 4.01 with Echo "the client SHOULD resend the original request with the addition of an Echo
 * option", which is the last block: the others are still there. */
static void an_upload_waits_for_its_last_block_to_come_again_with_an_echo(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  struct steps *steps = &scene.steps;
  scene.wants_fresh = true;
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128");
  const copal_view *view = steps_exchange(steps, "PUT 1:2/0/128", "4.01 1:2/0/128");
  copal_option echo;
  assert_true(copal_find(view, COPAL_OPTION_ECHO, &echo));
  char last[100] = "PUT 1:2/0/128 echo=";
  for (uint32_t i = 0; i < echo.size; ++i) sprintf(last + strlen(last), "%02x", echo.value[i]);
  assert_int_equal(usage(&scene).transfers, 1);
  steps_exchange(steps, last, "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  assert_int_equal(scene.calls, 1);
  assert_int_equal(usage(&scene).transfers, 0);
  assert_int_equal(usage(&scene).bodies_size, 0);
  bare_close(scene.bare);
}

static void refuse_badly(copal_request *request, void *context) {
  struct scene *scene = context;
  ++scene->calls;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_FORBIDDEN);
  copal_message_set_payload(reply, steps_body(), 1000); /* more than a message holds */
}

/* "a reply to an earlier part ends the transfer", and one that cannot be sent is one, too. */
static void a_reply_to_a_part_that_cannot_be_sent_ends_the_transfer(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/r", refuse_badly, &scene), COPAL_OK);
  assert_int_equal(copal_route_parts(scene.bare->endpoint, COPAL_POST, "/r", NULL), COPAL_OK);
  steps_exchange(&scene.steps, "POST 1:0/1/128", "5.00 1:0/0/128");
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

/* Nothing is gathered for what would be refused anyway. */
static void what_no_handler_takes_takes_no_memory(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT /x 1:0/1/128", "4.04");
  steps_exchange(steps, "PUT /x 1:1/0/128", "4.04");
  steps_exchange(steps, "POST 1:0/1/128", "4.05");
  steps_exchange(steps, "GET 1:0/1/128", "4.05");
  steps_exchange(steps, "PUT if-match=aa 1:0/1/128", "4.02");
  assert_int_equal(usage(&scene).transfers, 0);
  assert_int_equal(scene.calls, 0);
  bare_close(scene.bare);
}

static void challenge_and_forbid(copal_request *request, void *context) {
  struct scene *scene = context;
  ++scene->calls;
  assert_false(copal_request_is_fresh(request, 10 * COPAL_SECOND));
  if (scene->wants_fresh) copal_reply_code(request, COPAL_FORBIDDEN);
}

/* Only a challenge that is sent asks for the last block once more. */
static void a_challenge_that_is_not_sent_ends_an_upload(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/r", challenge_and_forbid, &scene), COPAL_OK);
  scene.wants_fresh = true;
  steps_exchange(&scene.steps, "POST 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&scene.steps, "POST 1:1/0/128", "4.03 1:1/0/128");
  assert_int_equal(scene.calls, 1);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

/* What has been handed on is gone: a body in parts that is challenged begins anew. */
static void a_challenge_ends_a_body_in_parts(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/r", challenge_and_forbid, &scene), COPAL_OK);
  assert_int_equal(copal_route_parts(scene.bare->endpoint, COPAL_POST, "/r", NULL), COPAL_OK);
  steps_exchange(&scene.steps, "POST 1:0/1/128", "4.01 1:0/0/128");
  assert_int_equal(usage(&scene).transfers, 0);
  steps_exchange(&scene.steps, "POST 1:1/1/128", "4.08");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

/* Only a block that is the same in all is the latest once more. */
static void the_latest_block_as_the_last_one_is_incomplete(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "PUT 1:1/0/128", "4.08");
  steps_exchange(steps, "PUT 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

static void defer_each(copal_request *request, void *context) {
  copal_deferred deferred;
  copal_part part = copal_request_part(request);
  ++((struct scene *)context)->calls;
  assert_int_equal(copal_defer(request, &deferred), part.last ? COPAL_OK : COPAL_ERR_TYPE);
}

static void only_the_last_part_can_be_deferred(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/r", defer_each, &scene), COPAL_OK);
  assert_int_equal(copal_route_parts(scene.bare->endpoint, COPAL_POST, "/r", NULL), COPAL_OK);
  steps_exchange(&scene.steps, "POST 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&scene.steps, "POST 1:1/1/128", "2.31 1:1/1/128");
  steps_send(&scene.steps, "POST 1:2/0/128");
  assert_out(scene.bare, "");
  assert_int_equal(scene.calls, 3);
  assert_int_equal(usage(&scene).deferred, 1);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_block_has_any_size),
      cmocka_unit_test(an_upload_waits_for_its_last_block_to_come_again_with_an_echo),
      cmocka_unit_test(a_reply_to_a_part_that_cannot_be_sent_ends_the_transfer),
      cmocka_unit_test(what_no_handler_takes_takes_no_memory),
      cmocka_unit_test(a_challenge_that_is_not_sent_ends_an_upload),
      cmocka_unit_test(a_challenge_ends_a_body_in_parts),
      cmocka_unit_test(the_latest_block_as_the_last_one_is_incomplete),
      cmocka_unit_test(only_the_last_part_can_be_deferred),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
