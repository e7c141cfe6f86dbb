/* Requests on an endpoint with resources: duplicates in each state of their answer, deferred responses, handlers that
 * call back into the endpoint, and tables that are full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

/* What the handler of /a is to do, and what it did. */
struct scene {
  struct bare *bare;
  int calls;
  bool defers, replied;
  copal_deferred deferred[8];
  copal_error error;
  void (*then)(struct scene *scene, copal_request *request);
};

static void handler(copal_request *request, void *context) {
  struct scene *scene = context;
  int call = scene->calls++;
  if (scene->defers) scene->error = copal_defer(request, &scene->deferred[call % 8]);
  if (scene->then != NULL) scene->then(scene, request);
  if (scene->defers || scene->replied) return;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, &(char){(char)('0' + call)}, 1);
}

static void open_scene(struct scene *scene, const copal_config *config) {
  *scene = (struct scene){.bare = bare_open(config)};
  static const copal_code methods[] = {COPAL_GET, COPAL_POST, COPAL_PUT};
  for (int i = 0; i < 3; ++i)
    assert_int_equal(copal_route(scene->bare->endpoint, methods[i], "/a", handler, scene), COPAL_OK);
}

static void open_small(struct scene *scene) {
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  open_scene(scene, &config);
}

static copal_error reply_later(struct scene *scene, int call, uint8_t code, const char *payload) {
  struct bare_message message;
  return copal_deferred_reply(scene->bare->endpoint, scene->deferred[call],
                              bare_write(&message, COPAL_CON, code, NULL, payload));
}

/* --- Duplicates --------------------------------------------------------------------------------- */

static void a_duplicate_of_an_answered_request_gets_the_same_reply(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  for (int i = 0; i < 3; ++i) bare_expect(scene.bare, "41020001abb161", "61450001abff30");
  assert_int_equal(scene.calls, 1);
  scene.bare->now += 246 * COPAL_SECOND;
  bare_expect(scene.bare, "41020001abb161", "61450001abff30");
  scene.bare->now += 2 * COPAL_SECOND;
  bare_expect(scene.bare, "41020001abb161", "61450001abff31");
  assert_int_equal(copal_endpoint_counters(scene.bare->endpoint)->duplicates, 3);
  bare_close(scene.bare);
}

static void duplicates_that_arrive_in_one_batch_are_answered_each(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  for (int i = 0; i < 3; ++i) bare_in(scene.bare, "41020001abb161");
  assert_out(scene.bare, "61450001abff30 61450001abff30 61450001abff30");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

static void a_duplicate_non_is_answered_once(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  for (int i = 0; i < 3; ++i) {
    bare_in(scene.bare, "51020001abb161");
    bare_out(scene.bare);
    assert_int_equal(scene.bare->sent_count, i == 0);
  }
  scene.bare->now += 146 * COPAL_SECOND; /* NON_LIFETIME */
  bare_in(scene.bare, "51020001abb161");
  bare_out_one(scene.bare);
  assert_int_equal(scene.calls, 2);
  bare_close(scene.bare);
}

/* Pending, acknowledged, answered separately, acknowledged by its receiver. RFC 7252 4.2: "it MUST retain the state
 * to create the ACK for the request, if needed, even if a Confirmable response was already acknowledged by the
 * requester." RFC 7252 5.2.2: "Once the server sends back an Empty Acknowledgement, it MUST NOT send back the
 * response in another Acknowledgement, even if the client retransmits another identical request." */
static void a_duplicate_of_a_deferred_request_gets_what_it_has_got_so_far(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  bare_expect(scene.bare, "41020001abb161", "");
  bare_expect(scene.bare, "41020001abb161", "");
  scene.bare->now += 500 * COPAL_MILLISECOND;
  assert_out(scene.bare, "60000001");
  bare_expect(scene.bare, "41020001abb161", "60000001");
  assert_int_equal(reply_later(&scene, 0, COPAL_CONTENT, "x"), COPAL_OK);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  assert_int_equal(sent->view.type, COPAL_CON);
  assert_int_equal(sent->view.token.data[0], 0xab);
  uint16_t mid = sent->view.message_id;
  bare_expect(scene.bare, "41020001abb161", "60000001");
  bare_in(scene.bare, "6000%04x", mid);
  bare_expect(scene.bare, "41020001abb161", "60000001");
  scene.bare->now += 100 * COPAL_SECOND;
  assert_out(scene.bare, "");
  assert_int_equal(scene.calls, 1);
  assert_int_equal(copal_endpoint_usage(scene.bare->endpoint).exchanges, 0);
  bare_close(scene.bare);
}

/* A device that slept for longer than EXCHANGE_LIFETIME takes in what came before it sends what it owes. */
static void an_ack_that_is_long_overdue_leaves_a_later_request_s_answer_alone(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  bare_expect(scene.bare, "41020001abb161", "");
  scene.defers = false;
  scene.bare->now += 300 * COPAL_SECOND;
  bare_expect(scene.bare, "41020001abb161", "61450001abff31 60000001");
  bare_expect(scene.bare, "41020001abb161", "61450001abff31");
  bare_close(scene.bare);
}

static void a_deferred_response_that_is_ready_in_time_is_piggybacked_and_repeated(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  bare_in(scene.bare, "41020001abb161");
  scene.bare->now += 499 * COPAL_MILLISECOND;
  assert_out(scene.bare, "");
  assert_int_equal(reply_later(&scene, 0, COPAL_CHANGED, NULL), COPAL_OK);
  assert_out(scene.bare, "61440001ab");
  bare_expect(scene.bare, "41020001abb161", "61440001ab");
  assert_int_equal(reply_later(&scene, 0, COPAL_CHANGED, NULL), COPAL_ERR_STALE);
  scene.bare->now += 10 * COPAL_SECOND;
  assert_out(scene.bare, "");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

static void a_deferred_non_gets_a_non_and_no_ack(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  bare_in(scene.bare, "51020001abb161");
  scene.bare->now += 10 * COPAL_SECOND;
  assert_out(scene.bare, "");
  assert_int_equal(reply_later(&scene, 0, COPAL_CONTENT, "x"), COPAL_OK);
  assert_int_equal(bare_out_one(scene.bare)->view.type, COPAL_NON);
  bare_expect(scene.bare, "51020001abb161", "");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

/* An evicted reply: contract 10, a request that is idempotent may then be processed again. */
static void a_duplicate_whose_reply_was_evicted_is_processed_again(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  bare_expect(scene.bare, "41010001abb161", "61450001abff30");
  for (unsigned mid = 2; mid < 100; ++mid) {
    bare_in(scene.bare, "4101%04xabb161", mid);
    bare_out_one(scene.bare);
  }
  assert_true(copal_endpoint_counters(scene.bare->endpoint)->replies_evicted > 0);
  int calls = scene.calls;
  bare_in(scene.bare, "41010001abb161");
  bare_out_one(scene.bare);
  assert_int_equal(scene.calls, calls + 1);
  bare_close(scene.bare);
}

/* --- Deferred: errors --------------------------------------------------------------------------- */

static void a_deferred_response_goes_whole_or_in_blocks(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  static char payload[260];
  memset(payload, 'x', sizeof payload - 1);
  for (int separate = 0; separate < 2; ++separate)
    for (size_t size = 240; size < 256; ++size) {
      bare_in(scene.bare, "4101%04zxabb161", size + (size_t)separate * 1000);
      scene.deferred[0] = scene.deferred[(scene.calls - 1) % 8];
      if (separate == 1) scene.bare->now += COPAL_SECOND;
      bare_out(scene.bare);
      payload[size] = 0;
      bool fits = 4 + 1 + 1 + size <= 256;
      assert_int_equal(reply_later(&scene, 0, COPAL_CONTENT, payload), COPAL_OK);
      payload[size] = 'x';
      const struct bare_sent *sent = bare_out_one(scene.bare);
      assert_int_equal(sent->view.payload.size, fits ? size : 128);
      assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_BLOCK2, 99), fits ? 99 : 0x0b);
      bare_in(scene.bare, "6000%04x", sent->view.message_id);
      bare_out(scene.bare);
    }
  bare_close(scene.bare);
}

static void only_responses_answer_a_deferred_request(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  bare_in(scene.bare, "41010001abb161");
  assert_int_equal(reply_later(&scene, 0, COPAL_GET, NULL), COPAL_ERR_TYPE);
  assert_int_equal(reply_later(&scene, 0, COPAL_EMPTY, NULL), COPAL_ERR_TYPE);
  struct bare_message message;
  bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, NULL);
  copal_message_add(&message.message, COPAL_OPTION_ETAG, "", 0);
  assert_int_equal(copal_deferred_reply(scene.bare->endpoint, scene.deferred[0], &message.message),
                   COPAL_ERR_OPTION_VALUE);
  copal_deferred none = {0, 0}, wrong = {scene.deferred[0].index, scene.deferred[0].generation + 1};
  bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, NULL);
  assert_int_equal(copal_deferred_reply(scene.bare->endpoint, none, &message.message), COPAL_ERR_STALE);
  assert_int_equal(copal_deferred_reply(scene.bare->endpoint, wrong, &message.message), COPAL_ERR_STALE);
  assert_int_equal(reply_later(&scene, 0, COPAL_CONTENT, NULL), COPAL_OK);
  assert_out(scene.bare, "61450001ab");
  bare_close(scene.bare);
}

static void say_unavailable(struct scene *scene, copal_request *request) {
  if (scene->error == COPAL_ERR_DEFERRED_FULL) copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
}

static void a_deferred_request_that_is_dropped_gets_nothing_more(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene); /* deferred_max is 2 */
  scene.defers = true;
  for (unsigned mid = 1; mid <= 10; ++mid) {
    bare_in(scene.bare, "4101%04xabb161", mid);
    assert_int_equal(scene.error, COPAL_OK);
    if (mid % 2 == 0) scene.bare->now += COPAL_SECOND;
    bare_out(scene.bare);
    assert_int_equal(scene.bare->sent_count, mid % 2 == 0); /* acknowledged or not */
    copal_deferred last = scene.deferred[(scene.calls - 1) % 8];
    assert_int_equal(copal_deferred_drop(scene.bare->endpoint, last), COPAL_OK);
    assert_int_equal(copal_deferred_drop(scene.bare->endpoint, last), COPAL_ERR_STALE);
    scene.bare->now += 2 * COPAL_SECOND;
    assert_out(scene.bare, "");
  }
  copal_usage usage = copal_endpoint_usage(scene.bare->endpoint);
  assert_int_equal(usage.deferred + usage.messages_size, 0);
  bare_close(scene.bare);
}

static void a_handler_that_cannot_defer_answers_itself(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene); /* deferred_max is 2 */
  scene.defers = true;
  scene.then = say_unavailable;
  bare_expect(scene.bare, "40010001b161", "");
  bare_expect(scene.bare, "40010002b161", "");
  bare_expect(scene.bare, "40010003b161", "60a30003" BARE_SERVICE_UNAVAILABLE);
  assert_int_equal(reply_later(&scene, 0, COPAL_CONTENT, NULL), COPAL_OK);
  assert_out(scene.bare, "60450001");
  bare_expect(scene.bare, "40010004b161", "");
  bare_close(scene.bare);
}

/* RFC 8974: a token of any size comes back, whenever. */
static void t04_extended_tokens_survive_a_deferral(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 8, 13, 200, 268, 269, 1000, 1400};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
    for (int separate = 0; separate < 2; ++separate) {
      copal_config config = copal_config_small();
      config.amplification_max = 0;
      config.message_size_max = 1472;
      config.messages_size = config.replies_size = 16384;
      struct scene scene;
      open_scene(&scene, &config);
      scene.defers = true;
      uint8_t token[1400], bytes[1472];
      memset(token, 0xa5, sizeof token);
      copal_encoder encoder;
      copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, COPAL_POST, 77, token, sizes[i]);
      copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "a", 1);
      copal_path path = bare_path(BARE_PORT);
      bare_in_bytes(scene.bare, &path, bytes, encoder.size);
      if (separate == 1) scene.bare->now += COPAL_SECOND;
      bare_out(scene.bare);
      assert_int_equal(reply_later(&scene, 0, COPAL_CONTENT, "xyz"), COPAL_OK);
      const copal_view *view = &bare_out_one(scene.bare)->view;
      assert_int_equal(view->type, separate == 1 ? COPAL_CON : COPAL_ACK);
      assert_int_equal(view->token.size, sizes[i]);
      if (sizes[i] > 0) assert_memory_equal(view->token.data, token, sizes[i]);
      assert_int_equal(view->payload.size, 3);
      bare_close(scene.bare);
    }
}

/* --- Handlers that call back -------------------------------------------------------------------- */

static void answer_the_first(struct scene *scene, copal_request *request) {
  (void)request;
  if (scene->calls == 1) return;
  assert_int_equal(reply_later(scene, 0, COPAL_VALID, NULL), COPAL_OK);
}

static void a_handler_may_answer_another_deferred_request(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.defers = true;
  scene.then = answer_the_first;
  bare_expect(scene.bare, "41020001abb161", "");
  bare_in(scene.bare, "41020002cdb161");
  assert_out(scene.bare, "61430001ab");
  bare_close(scene.bare);
}

static void answer_all_at_length(struct scene *scene, copal_request *request) {
  static char payload[201];
  memset(payload, 'x', 200);
  if (scene->defers) return;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, "mine", 4);
  scene->replied = true;
  for (int i = 0; i < 8; ++i) {
    copal_error error = reply_later(scene, i, COPAL_CONTENT, payload);
    assert_true(error == COPAL_OK || error == COPAL_ERR_MESSAGES_FULL);
    scene->error = error;
  }
}

/* However many replies it brings about: the one that it is writing stays where it is. */
static void a_handlers_own_reply_is_not_evicted_by_those_that_it_sends(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = copal_config_small(); /* a ring of 1,024 bytes */
  config.amplification_max = 0;
  config.deferred_max = 8;
  open_scene(&scene, &config);
  scene.defers = true;
  for (unsigned mid = 1; mid <= 8; ++mid) bare_in(scene.bare, "4001%04xb161", mid);
  scene.defers = false;
  for (unsigned mid = 100; mid < 130; ++mid) { /* which push out what stands for the deferred ones */
    bare_in(scene.bare, "4001%04xb161", mid);
    bare_out(scene.bare);
  }
  scene.then = answer_all_at_length;
  bare_in(scene.bare, "41010009abb161");
  assert_int_equal(scene.error, COPAL_ERR_MESSAGES_FULL); /* so the ring was full */
  bare_out(scene.bare);
  bool mine = false;
  for (size_t i = 0; i < scene.bare->sent_count; ++i) {
    const copal_view *view = &scene.bare->sent[i].view;
    if (view->message_id != 9) assert_int_equal(view->payload.size, 200);
    mine = mine || (view->message_id == 9 && memcmp(view->payload.data, "mine", view->payload.size) == 0);
  }
  assert_true(mine);
  bare_close(scene.bare);
}

static void answer_at_once(struct scene *scene, copal_request *request) {
  (void)request;
  assert_int_equal(reply_later(scene, scene->calls - 1, COPAL_VALID, "now"), COPAL_OK);
}

/* The entry that stood for the deferral must not keep its room for a whole lifetime. */
static void a_handler_may_answer_what_it_has_just_deferred(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = copal_config_small();
  config.peer_replies_max = 100;
  open_scene(&scene, &config);
  scene.defers = true;
  scene.then = answer_at_once;
  for (unsigned mid = 1; mid <= 8; ++mid) {
    bare_in(scene.bare, "4002%04xb161", mid);
    assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_VALID);
    bare_in(scene.bare, "4002%04xb161", mid);
    assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_VALID);
    assert_int_equal(scene.calls, mid);
  }
  bare_close(scene.bare);
}

static void send_many(struct scene *scene, copal_request *request) {
  (void)request;
  for (uint16_t port = 7001; port < 7020; ++port) {
    struct bare_message message;
    copal_address remote = bare_address(port);
    copal_error error =
        copal_send(scene->bare->endpoint, bare_write(&message, COPAL_NON, COPAL_GET, "b", "0123456789"), &remote, NULL);
    assert_true(error == COPAL_OK || error == COPAL_ERR_PEERS_FULL || error == COPAL_ERR_EXCHANGES_FULL ||
                error == COPAL_ERR_MESSAGES_FULL);
  }
}

static void a_handler_may_send_until_every_table_is_full(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.then = send_many;
  for (unsigned mid = 1; mid < 30; ++mid) {
    bare_in(scene.bare, "4101%04xabb161", mid);
    bare_out(scene.bare);
    assert_true(scene.bare->sent_count >= 1);
    assert_int_equal(scene.bare->sent[0].view.message_id, mid);
    assert_int_equal(scene.bare->sent[0].view.code, COPAL_CONTENT);
    scene.bare->now += 200 * COPAL_SECOND;
    bare_out(scene.bare);
    while (bare_has_event(scene.bare)) continue;
  }
  bare_close(scene.bare);
}

static void send_many_and_defer(struct scene *scene, copal_request *request) {
  send_many(scene, request);
  assert_int_equal(copal_defer(request, &scene->deferred[0]), COPAL_OK);
  scene->replied = true;
}

/* Other peers take every record meanwhile, but not the one of the request that is being handled. */
static void a_peer_stays_who_it_is_while_its_request_is_handled(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene);
  scene.then = send_many_and_defer;
  bare_in(scene.bare, "41010001abb161");
  assert_int_equal(reply_later(&scene, 0, COPAL_VALID, NULL), COPAL_OK);
  bare_out(scene.bare);
  assert_true(scene.bare->sent_count > 3);
  assert_int_equal(scene.bare->sent[0].path.remote.port, BARE_PORT);
  assert_int_equal(scene.bare->sent[0].view.code, COPAL_VALID);
  bare_close(scene.bare);
}

/* --- Tables that are full ------------------------------------------------------------------------ */

/* The smallest configuration there is: one of each. */
static void one_of_everything_is_enough(void **state) {
  (void)state;
  copal_config config = {.peers_max = 1,
                         .exchanges_max = 1,
                         .message_size_max = 64,
                         .messages_size = 64,
                         .replies_size = 256,
                         .outbox_max = 1,
                         .routes_max = 3,
                         .peer_replies_max = 1,
                         .parameters = copal_config_small().parameters};
  struct scene scene;
  open_scene(&scene, &config);
  for (unsigned mid = 1; mid < 50; ++mid) {
    bare_in_from(scene.bare, (uint16_t)(7000 + mid), "4101%04xabb161", mid);
    bare_out(scene.bare);
    assert_int_equal(scene.bare->sent_count, 1);
    assert_int_equal(scene.bare->sent[0].view.code, COPAL_CONTENT);
  }
  bare_close(scene.bare);
}

static void what_would_hold_nothing_is_refused_as_a_configuration(void **state) {
  (void)state;
  for (uint32_t size = 64; size < 300; ++size)
    for (uint32_t messages = 64; messages < 600; messages += 31) {
      copal_config config = copal_config_small();
      config.message_size_max = size;
      config.messages_size = messages;
      config.replies_size = 2 * (size + 64) + size % 24;
      if (copal_endpoint_size(&config) == 0) continue;
      /* Accepted: then the largest message goes out, and the largest reply. */
      struct scene scene;
      open_scene(&scene, &config);
      static uint8_t bytes[300] = {0x40, 1, 0, 1, 0xb1, 'a', 0xd0, 0xff};
      copal_path path = bare_path(BARE_PORT);
      bare_in_bytes(scene.bare, &path, bytes, 6);
      assert_out(scene.bare, "60450001ff30");
      struct bare_message message;
      copal_address remote = bare_address(BARE_PORT);
      copal_message_init(&message.message, message.buffer, size, COPAL_CON, COPAL_CONTENT);
      copal_message_set_payload(&message.message, bytes, size - 5);
      assert_int_equal(copal_send(scene.bare->endpoint, &message.message, &remote, NULL), COPAL_OK);
      assert_int_equal(bare_out_one(scene.bare)->size, size);
      bare_close(scene.bare);
    }
}

static void a_full_outbox_drops_replies_but_remembers_them(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene); /* outbox_max is 4 */
  for (unsigned mid = 1; mid <= 6; ++mid) bare_in(scene.bare, "4001%04xb161", mid);
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 4);
  assert_int_equal(copal_endpoint_counters(scene.bare->endpoint)->outbox_full, 2);
  bare_expect(scene.bare, "40010005b161", "60450005ff34");
  assert_int_equal(scene.calls, 6);
  bare_close(scene.bare);
}

/* Contract 10: "a request that is not idempotent is then answered 5.03 rather than risk being executed twice". */
static void t51_unsafe_requests_get_5_03_when_they_cannot_be_remembered(void **state) {
  (void)state;
  struct scene scene;
  open_small(&scene); /* peer_replies_max is 4 */
  for (unsigned mid = 1; mid <= 4; ++mid) {
    bare_in(scene.bare, "4002%04xb161", mid);
    bare_out(scene.bare);
  }
  bare_expect(scene.bare, "41020005abb161", "61a30005abd10105"); /* Max-Age 5 */
  bare_expect(scene.bare, "41010006abb161", "61450006abff34");
  assert_int_equal(scene.calls, 5);
  bare_in_from(scene.bare, 7001, "40020001b161");
  assert_out(scene.bare, "7001>60450001ff35"); /* another peer has its own share */
  scene.bare->now += 250 * COPAL_SECOND;
  bare_expect(scene.bare, "41020005abb161", "61450005abff36"); /* and gets it back with time */
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_duplicate_of_an_answered_request_gets_the_same_reply),
      cmocka_unit_test(duplicates_that_arrive_in_one_batch_are_answered_each),
      cmocka_unit_test(a_duplicate_non_is_answered_once),
      cmocka_unit_test(a_duplicate_of_a_deferred_request_gets_what_it_has_got_so_far),
      cmocka_unit_test(an_ack_that_is_long_overdue_leaves_a_later_request_s_answer_alone),
      cmocka_unit_test(a_deferred_response_that_is_ready_in_time_is_piggybacked_and_repeated),
      cmocka_unit_test(a_deferred_non_gets_a_non_and_no_ack),
      cmocka_unit_test(a_duplicate_whose_reply_was_evicted_is_processed_again),
      cmocka_unit_test(a_deferred_response_goes_whole_or_in_blocks),
      cmocka_unit_test(only_responses_answer_a_deferred_request),
      cmocka_unit_test(a_deferred_request_that_is_dropped_gets_nothing_more),
      cmocka_unit_test(a_handler_that_cannot_defer_answers_itself),
      cmocka_unit_test(t04_extended_tokens_survive_a_deferral),
      cmocka_unit_test(a_handler_may_answer_another_deferred_request),
      cmocka_unit_test(a_handlers_own_reply_is_not_evicted_by_those_that_it_sends),
      cmocka_unit_test(a_handler_may_answer_what_it_has_just_deferred),
      cmocka_unit_test(a_handler_may_send_until_every_table_is_full),
      cmocka_unit_test(a_peer_stays_who_it_is_while_its_request_is_handled),
      cmocka_unit_test(one_of_everything_is_enough),
      cmocka_unit_test(what_would_hold_nothing_is_refused_as_a_configuration),
      cmocka_unit_test(a_full_outbox_drops_replies_but_remembers_them),
      cmocka_unit_test(t51_unsafe_requests_get_5_03_when_they_cannot_be_remembered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
