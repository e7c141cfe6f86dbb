/* Answers that come late, in all combinations: when, to which type, with which blocks, wanted or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

enum { BODY_SIZE = 200, LATER_BLOCK = 2 };

static uint8_t body[BODY_SIZE];

/* When the answer is given. */
enum moment { BY_THE_HANDLER, BEFORE_THE_ACK, AFTER_THE_ACK, MOMENTS };

/* What the request has. */
enum blocks { NO_BLOCKS, FIRST_BLOCK, SECOND_BLOCK, WITH_BLOCK1, BLOCKS };

struct scene {
  struct bare *bare;
  enum moment moment;
  copal_type type;
  enum blocks blocks;
  uint8_t code;
  uint32_t no_response; /* 0: none */
  copal_deferred deferred;
  uint16_t mid;
  int calls;
};

static void answer_now(struct scene *scene) {
  uint8_t buffer[300];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, scene->code);
  copal_message_add_uint(&response, COPAL_OPTION_CONTENT_FORMAT, COPAL_OCTET_STREAM);
  copal_message_set_payload(&response, body, BODY_SIZE);
  copal_endpoint *endpoint = scene->bare->endpoint;
  assert_int_equal(copal_deferred_reply(endpoint, scene->deferred, &response), COPAL_OK);
  assert_int_equal(copal_deferred_reply(endpoint, scene->deferred, &response), COPAL_ERR_STALE);
}

static void postpone(copal_request *request, void *context) {
  struct scene *scene = context;
  ++scene->calls;
  assert_int_equal(copal_defer(request, &scene->deferred), COPAL_OK);
  if (scene->moment == BY_THE_HANDLER) answer_now(scene);
}

static void ask(struct scene *scene) {
  uint8_t bytes[64];
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, sizeof bytes, scene->type, COPAL_POST, ++scene->mid, "tk", 2);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "r", 1);
  if (scene->blocks == FIRST_BLOCK) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, 2);
  if (scene->blocks == SECOND_BLOCK) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, LATER_BLOCK << 4 | 2);
  if (scene->blocks == WITH_BLOCK1) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK1, 0);
  if (scene->no_response > 0) copal_encode_uint(&encoder, COPAL_OPTION_NO_RESPONSE, scene->no_response);
  if (scene->blocks == WITH_BLOCK1) copal_encode_payload(&encoder, "p", 1);
  if (scene->blocks == SECOND_BLOCK) bytes[1] = COPAL_GET; /* others would be asking for more of a reply */
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(scene->bare, &path, bytes, encoder.size);
}

static bool is_wanted(const struct scene *scene) {
  return (scene->no_response >> (COPAL_CODE_CLASS(scene->code) - 1) & 1) == 0;
}

static void expect_block(const struct scene *scene, const copal_view *view) {
  uint32_t block2 = copal_find_uint(view, COPAL_OPTION_BLOCK2, UINT32_MAX);
  bool success = COPAL_CODE_CLASS(scene->code) == 2;
  bool cut = success && (scene->blocks == FIRST_BLOCK || scene->blocks == SECOND_BLOCK);
  assert_int_equal(block2 != UINT32_MAX, cut);
  size_t offset = 0, size = BODY_SIZE;
  if (cut) {
    copal_block block = copal_block_of(block2);
    offset = block.number * 64u;
    size = 64;
    assert_int_equal(block.number, scene->blocks == SECOND_BLOCK ? LATER_BLOCK : 0);
    assert_true(block.more && block.szx == 2);
  }
  assert_int_equal(view->payload.size, size);
  assert_memory_equal(view->payload.data, body + offset, size);
  uint32_t block1 = copal_find_uint(view, COPAL_OPTION_BLOCK1, UINT32_MAX);
  assert_int_equal(block1 == UINT32_MAX, scene->blocks != WITH_BLOCK1);
}

static void expect_answer(struct scene *scene, bool acknowledged) {
  const copal_view *view = &bare_out_one(scene->bare)->view;
  bool con = scene->type == COPAL_CON;
  if (!con)
    assert_int_equal(view->type, COPAL_NON);
  else
    assert_int_equal(view->type, acknowledged ? COPAL_CON : COPAL_ACK);
  if (con && !acknowledged) assert_int_equal(view->message_id, scene->mid);
  assert_int_equal(view->code, scene->code);
  assert_int_equal(view->token.size, 2);
  assert_memory_equal(view->token.data, "tk", 2);
  expect_block(scene, view);
  if (view->type == COPAL_CON) bare_in(scene->bare, "6000%04x", view->message_id);
}

static void expect_ack(struct scene *scene) {
  const copal_view *view = &bare_out_one(scene->bare)->view;
  assert_int_equal(view->type, COPAL_ACK);
  assert_int_equal(view->code, COPAL_EMPTY);
  assert_int_equal(view->message_id, scene->mid);
}

static void run(struct scene *scene) {
  scene->calls = 0;
  ask(scene);
  bool con = scene->type == COPAL_CON, acknowledged = false;
  if (scene->moment == AFTER_THE_ACK) {
    scene->bare->now += COPAL_SECOND;
    if (con)
      expect_ack(scene);
    else
      assert_out(scene->bare, "");
    acknowledged = con;
  }
  if (scene->moment != BY_THE_HANDLER) answer_now(scene);
  if (is_wanted(scene))
    expect_answer(scene, acknowledged);
  else if (con && !acknowledged)
    expect_ack(scene);
  scene->bare->now += 10 * COPAL_SECOND;
  assert_out(scene->bare, "");
  assert_int_equal(scene->calls, 1);
  copal_usage usage = copal_endpoint_usage(scene->bare->endpoint);
  assert_int_equal(usage.deferred, 0);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
}

static void late_answers_are_as_early_ones_would_be(void **state) {
  (void)state;
  for (size_t i = 0; i < BODY_SIZE; ++i) body[i] = (uint8_t)(i * 3);
  copal_config config = copal_config_small();
  config.messages_size = 4096;
  config.replies_size = 65536;
  config.peer_replies_max = UINT16_MAX;
  config.amplification_max = 0;
  struct scene scene = {.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/r", postpone, &scene), COPAL_OK);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/r", postpone, &scene), COPAL_OK);
  static const uint8_t codes[] = {COPAL_CHANGED, COPAL_CONTENT, COPAL_FORBIDDEN, COPAL_BAD_GATEWAY};
  static const uint32_t disinterests[] = {0, 2, 8, 24};
  for (unsigned number = 0; number < MOMENTS * 2 * BLOCKS * 4 * 4; ++number) {
    unsigned rest = number;
    scene.moment = (enum moment)(rest % MOMENTS);
    rest /= MOMENTS;
    scene.type = (copal_type)(rest % 2);
    rest /= 2;
    scene.blocks = (enum blocks)(rest % BLOCKS);
    rest /= BLOCKS;
    scene.code = codes[rest % 4];
    scene.no_response = disinterests[rest / 4];
    run(&scene);
    scene.bare->now += 300 * COPAL_SECOND;
    bare_out(scene.bare); /* what is kept is forgotten */
  }
  bare_close(scene.bare);
}

/* "The token where response has none": a token of its own stays, whether or not the answer is cut to blocks. */
static void an_answer_keeps_the_token_that_it_was_written_with(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.messages_size = 4096;
  config.amplification_max = 0;
  struct scene scene = {.bare = bare_open(&config), .type = COPAL_CON, .moment = BEFORE_THE_ACK};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/r", postpone, &scene), COPAL_OK);
  for (int blocks = NO_BLOCKS; blocks <= FIRST_BLOCK; ++blocks) {
    scene.blocks = (enum blocks)blocks;
    ask(&scene);
    uint8_t buffer[300];
    copal_message response;
    copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CHANGED);
    copal_message_set_token(&response, "own", 3);
    copal_message_set_payload(&response, body, BODY_SIZE);
    assert_int_equal(copal_deferred_reply(scene.bare->endpoint, scene.deferred, &response), COPAL_OK);
    copal_bytes token = bare_out_one(scene.bare)->view.token;
    assert_int_equal(token.size, 3);
    assert_memory_equal(token.data, "own", 3);
  }
  bare_close(scene.bare);
}

static void answer_the_first(copal_request *request, void *context) {
  struct scene *scene = context;
  if (scene->calls++ == 0) {
    assert_int_equal(copal_defer(request, &scene->deferred), COPAL_OK);
    return;
  }
  copal_message *reply = copal_reply_message(request);
  uint8_t buffer[16];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_VALID);
  assert_int_equal(copal_deferred_reply(scene->bare->endpoint, scene->deferred, &response), COPAL_OK);
  copal_message_set_payload(reply, body, BODY_SIZE);
}

/* A handler's reply stands in the room of its request's entry. A late answer to the same request, which was forgotten
 * and came again, has room of its own. */
static void a_late_answer_leaves_the_room_of_a_running_handler_alone(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  struct scene scene = {.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/r", answer_the_first, &scene), COPAL_OK);
  bare_in(scene.bare, "41010001aa b172");
  for (unsigned mid = 2; mid < 60; ++mid) {
    bare_in_from(scene.bare, 9000, "4001%04xb178", mid);
    bare_out(scene.bare);
  }
  bare_in(scene.bare, "41010001aa b172");
  assert_int_equal(scene.calls, 2);
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  assert_int_equal(scene.bare->sent[0].view.code, COPAL_VALID);
  assert_int_equal(scene.bare->sent[1].view.code, COPAL_CONTENT);
  assert_int_equal(scene.bare->sent[1].view.payload.size, BODY_SIZE);
  assert_memory_equal(scene.bare->sent[1].view.payload.data, body, BODY_SIZE);
  bare_close(scene.bare);
}

/* RFC 7252 4.5: "The recipient … SHOULD process any request or response in the message only once." An idempotent
 * request's memory makes room for its answer, but not before that has a place in the outbox. */
static void a_duplicate_is_not_executed_when_its_answer_had_to_wait_for_the_outbox(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.outbox_max = 1;
  struct scene scene = {.bare = bare_open(&config), .moment = BEFORE_THE_ACK};
  copal_endpoint *endpoint = scene.bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/r", postpone, &scene), COPAL_OK);
  uint8_t buffer[64];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&response, "state", 5);
  bare_in_from(scene.bare, 5001, "410100010ab172");
  bare_in_from(scene.bare, 5001, "40000002"); /* whose Reset fills the outbox */
  assert_int_equal(copal_deferred_reply(endpoint, scene.deferred, &response), COPAL_ERR_MESSAGES_FULL);
  assert_string_equal(bare_out(scene.bare), "5001>70000002");
  bare_in_from(scene.bare, 5001, "410100010ab172");
  assert_int_equal(scene.calls, 1);
  assert_int_equal(copal_deferred_reply(endpoint, scene.deferred, &response), COPAL_OK);
  assert_string_equal(bare_out(scene.bare), "5001>614500010aff7374617465");
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(late_answers_are_as_early_ones_would_be),
      cmocka_unit_test(an_answer_keeps_the_token_that_it_was_written_with),
      cmocka_unit_test(a_late_answer_leaves_the_room_of_a_running_handler_alone),
      cmocka_unit_test(a_duplicate_is_not_executed_when_its_answer_had_to_wait_for_the_outbox),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
