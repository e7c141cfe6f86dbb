/* Bodies of replies that are read, or come late: of sizes that nobody knows, where there is no room, and when reading
 * fails. */
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
  uint64_t size;      /* of the body */
  uint64_t announced; /* what the handler says of it */
  size_t head_size;   /* of an option in the reply */
  bool fails, overflows;
  copal_error error;
  copal_deferred deferred;
};

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct scene *scene = context;
  if (scene->fails) return COPAL_SIZE_UNKNOWN;
  if (scene->overflows) return size + 1;
  if (offset >= scene->size) return 0;
  uint64_t left = scene->size - offset, part = left < size ? left : size;
  memcpy(buffer, steps_body() + offset, (size_t)part);
  return part;
}

static void answer(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_message *reply = copal_reply_message(request);
  if (scene->head_size > 0) copal_message_add_raw(reply, COPAL_OPTION_LOCATION_PATH, steps_body(), scene->head_size);
  scene->error = copal_reply_reader(request, scene->announced, read_body, scene);
}

static void postpone(copal_request *request, void *context) {
  assert_int_equal(copal_defer(request, &((struct scene *)context)->deferred), COPAL_OK);
}

static void gather(copal_request *request, void *context) {
  (void)context;
  copal_reply_code(request, COPAL_CHANGED);
}

static void open_scene(struct scene *scene, uint32_t message_size_max) {
  copal_config config = copal_config_small();
  config.message_size_max = message_size_max;
  config.messages_size = 16384;
  config.replies_size = 16384;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  config.transfers_max = 40;
  config.peer_transfers_max = 40;
  config.peer_replies_max = 100;
  config.amplification_max = 0;
  *scene = (struct scene){.bare = bare_open(&config)};
  scene->steps = steps_begin(scene->bare, 1024);
  copal_endpoint *endpoint = scene->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/r", answer, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_POST, "/r", answer, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/d", postpone, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/r", gather, scene), COPAL_OK);
}

static copal_usage usage(const struct scene *scene) { return copal_endpoint_usage(scene->bare->endpoint); }

/* RFC 7959 4: Size2 is there where the size is known; else the M bit tells the end. */
static void a_body_of_unknown_size_goes_on_until_it_ends(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 256);
  scene.size = 500;
  scene.announced = COPAL_SIZE_UNKNOWN;
  const copal_view *view = steps_exchange(&scene.steps, "GET", "2.05 2:0/1/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, UINT32_MAX), UINT32_MAX);
  steps_exchange(&scene.steps, "GET 2:1/0/128", "2.05 2:1/1/128");
  steps_exchange(&scene.steps, "GET 2:3/0/128", "2.05 2:3/0/128");
  steps_exchange(&scene.steps, "GET 2:4/0/128", "4.00");
  bare_close(scene.bare);
}

/* Its end is found where the next block would begin. */
static void a_body_that_turns_out_to_be_one_block_goes_without(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 1280);
  scene.announced = COPAL_SIZE_UNKNOWN;
  static const uint64_t sizes[] = {0, 1, 1023, 1024};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    scene.size = sizes[i];
    assert_int_equal(steps_exchange(&scene.steps, "GET", "2.05")->payload.size, sizes[i]);
  }
  scene.size = 1025;
  steps_exchange(&scene.steps, "GET", "2.05 2:0/1/1024");
  bare_close(scene.bare);
}

/* What is kept of a POST's reply has an ETag, for which there must be room beside a block. */
static void without_room_for_a_block_and_its_etag_a_kept_body_is_5_00(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 64);
  scene.size = scene.announced = 100;
  for (scene.head_size = 1; scene.head_size < 48; ++scene.head_size) {
    steps_send(&scene.steps, "POST");
    const struct bare_sent *sent = bare_out_one(scene.bare);
    bool fits = scene.error == COPAL_OK;
    assert_int_equal(scene.error, fits ? COPAL_OK : COPAL_ERR_MESSAGE_SIZE);
    assert_int_equal(sent->view.code, fits ? COPAL_CONTENT : COPAL_INTERNAL_SERVER_ERROR);
    assert_int_equal(usage(&scene).transfers, fits ? 1 : 0);
    if (scene.head_size == 1) assert_true(fits);
    if (!fits) continue;
    copal_option etag;
    assert_true(copal_find(&sent->view, COPAL_OPTION_ETAG, &etag));
    assert_in_range(sent->view.payload.size, 16, 32);
    scene.bare->now += 300 * COPAL_SECOND;
    bare_out(scene.bare);
  }
  assert_int_equal(scene.error, COPAL_ERR_MESSAGE_SIZE);
  bare_close(scene.bare);
}

/* Uploads stay: there is no room for the head of what is to be kept. */
static void where_uploads_have_all_the_memory_a_kept_body_is_5_00(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 256);
  scene.size = scene.announced = 400;
  struct steps *steps = &scene.steps;
  for (unsigned tag = 10; tag < 42; ++tag) {
    char request[32];
    snprintf(request, sizeof request, "PUT tag=%u 1:0/1/128", tag);
    steps_exchange(steps, request, "2.31 1:0/1/128");
  }
  assert_int_equal(usage(&scene).bodies_size, 4096);
  steps_exchange(steps, "POST", "5.00");
  assert_int_equal(scene.error, COPAL_ERR_MESSAGE_SIZE);
  assert_int_equal(usage(&scene).transfers, 32);
  steps_exchange(steps, "GET", "2.05 2:0/1/128"); /* which keeps nothing */
  steps->body_size = 130;
  for (unsigned tag = 10; tag < 26; ++tag) {
    char request[32];
    snprintf(request, sizeof request, "PUT tag=%u 1:1/0/128", tag);
    steps_exchange(steps, request, tag < 18 ? "5.03" : "2.04 1:1/0/128"); /* room comes with those that go */
  }
  steps_exchange(steps, "POST", "2.05 2:0/1/128");
  bare_close(scene.bare);
}

/* GET /r with Q-Block2 0/1/16, whose sets are sent from a copy. */
static const struct bare_sent *ask_quick(struct scene *scene, unsigned mid) {
  bare_in(scene->bare, "5101%04xaa b172 d10708", mid);
  return bare_out_one(scene->bare);
}

static void a_reader_that_fails_makes_5_00_of_a_body_in_sets(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 256);
  scene.size = scene.announced = 400;
  scene.fails = true;
  assert_int_equal(ask_quick(&scene, 1)->view.code, COPAL_INTERNAL_SERVER_ERROR);
  assert_int_equal(scene.error, COPAL_ERR_BODY_READ);
  scene.fails = false;
  scene.overflows = true; /* more than was asked for */
  assert_int_equal(ask_quick(&scene, 2)->view.code, COPAL_INTERNAL_SERVER_ERROR);
  assert_int_equal(scene.error, COPAL_ERR_BODY_READ);
  assert_int_equal(usage(&scene).transfers, 0);
  assert_int_equal(usage(&scene).bodies_size, 0);
  bare_close(scene.bare);
}

/* "Otherwise as copal_send": what is too large for a message is refused, and stays owed. */
static void a_late_head_that_is_too_large_is_refused(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 64);
  bare_expect(scene.bare, "41010001aa b164", "");
  uint8_t buffer[512];
  for (size_t payload = 0; payload <= 100; payload += 50) {
    copal_message response;
    copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
    copal_message_add_raw(&response, COPAL_OPTION_LOCATION_PATH, steps_body(), 70);
    copal_message_set_payload(&response, steps_body(), payload);
    assert_int_equal(copal_deferred_reply(scene.bare->endpoint, scene.deferred, &response), COPAL_ERR_MESSAGE_SIZE);
    assert_int_equal(usage(&scene).deferred, 1);
    assert_int_equal(usage(&scene).transfers, 0);
    assert_out(scene.bare, "");
  }
  struct bare_message small;
  assert_int_equal(copal_deferred_reply(scene.bare->endpoint, scene.deferred,
                                        bare_write(&small, COPAL_CON, COPAL_CONTENT, NULL, "a")),
                   COPAL_OK);
  assert_out(scene.bare, "61450001aaff61");
  bare_close(scene.bare);
}

/* RFC 8974: the token may change from block to block, and leave no room for one. */
static void a_kept_block_that_finds_no_room_beside_its_token_is_4_00(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, 64);
  scene.size = scene.announced = 100;
  steps_exchange(&scene.steps, "POST 2:0/0/16", "2.05 2:0/1/16");
  uint8_t token[40] = {1}, bytes[64];
  for (size_t size = 0; size <= sizeof token; size += sizeof token) {
    copal_encoder encoder;
    copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, COPAL_POST, (uint16_t)(7 + size), token, size);
    copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "r", 1);
    copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, 1 << 4);
    copal_path path = bare_path(BARE_PORT);
    bare_in_bytes(scene.bare, &path, bytes, encoder.size);
    const struct bare_sent *sent = bare_out_one(scene.bare);
    assert_int_equal(sent->view.token.size, size);
    assert_int_equal(sent->view.code, size == 0 ? COPAL_CONTENT : COPAL_BAD_REQUEST);
  }
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_body_of_unknown_size_goes_on_until_it_ends),
      cmocka_unit_test(a_body_that_turns_out_to_be_one_block_goes_without),
      cmocka_unit_test(without_room_for_a_block_and_its_etag_a_kept_body_is_5_00),
      cmocka_unit_test(where_uploads_have_all_the_memory_a_kept_body_is_5_00),
      cmocka_unit_test(a_reader_that_fails_makes_5_00_of_a_body_in_sets),
      cmocka_unit_test(a_late_head_that_is_too_large_is_refused),
      cmocka_unit_test(a_kept_block_that_finds_no_room_beside_its_token_is_4_00),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
