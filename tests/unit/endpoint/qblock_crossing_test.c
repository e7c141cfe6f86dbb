/* Q-Block where one thing gets in another's way: late answers, requests that overtake what was asked for before. RFC
 * 9177 sections 4.3 and 4.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

struct scene {
  struct bare *bare;
  copal_deferred deferred;
  int begun, ended, abandoned;
};

static void take(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_part part = copal_request_part(request);
  if (part.offset == 0) ++scene->begun;
  *part.state = scene;
  if (!part.last) return;
  ++scene->ended;
  assert_int_equal(copal_defer(request, &scene->deferred), COPAL_OK);
}

static void abandon(void *context, void *state) {
  struct scene *scene = context;
  assert_ptr_equal(state, scene);
  ++scene->abandoned;
}

static void answer(struct scene *scene) {
  struct bare_message message;
  const copal_message *changed = bare_write(&message, COPAL_NON, COPAL_CHANGED, NULL, "done");
  assert_int_equal(copal_deferred_reply(scene->bare->endpoint, scene->deferred, changed), COPAL_OK);
}

/* A client that sends the same body again with smaller blocks and the same tag: the answer to the first is none to the
 * second, which goes on, or is abandoned in time. */
static void a_late_answer_ends_no_other_body(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  struct scene scene = {.bare = bare_open(&config)};
  copal_endpoint *endpoint = scene.bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/p", take, &scene), COPAL_OK);
  assert_int_equal(copal_route_parts(endpoint, COPAL_PUT, "/p", abandon), COPAL_OK);
  /* Uri-Path p, Q-Block1 0/0/128, Size1 40, Request-Tag t */
  bare_in(scene.bare, "50030001 b170 8103 d11c28 d1db74 ff %080d", 0);
  assert_int_equal(scene.ended, 1);
  bare_in(scene.bare, "50030002 b170 8108 d11c28 d1db74 ff %032d", 0); /* Q-Block1 0/1/16 */
  assert_int_equal(scene.begun, 2);
  answer(&scene);
  assert_int_equal(copal_endpoint_usage(endpoint).transfers, 1);
  for (int i = 0; i < 100; ++i) {
    scene.bare->now += 10 * COPAL_SECOND;
    bare_out(scene.bare);
  }
  assert_int_equal(scene.abandoned, 1);
  assert_int_equal(copal_endpoint_usage(endpoint).transfers, 0);
  bare_close(scene.bare);
}

/* RFC 9177 4.3: the server "MUST still respond as if the block was received for the first time": to one that comes
 * while the answer is owed, in its own time. */
static void a_block_of_a_body_whose_answer_is_owed_gets_none_of_its_own(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  struct scene scene = {.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_PUT, "/p", take, &scene), COPAL_OK);
  /* Uri-Path p, Q-Block1 0/1/16 and 1/0/16, Size1 32, Request-Tag t */
  bare_in(scene.bare, "50030001 b170 8108 d11c20 d1db74 ff %032d", 0);
  bare_in(scene.bare, "50030002 b170 8110 d11c20 d1db74 ff %032d", 0);
  assert_int_equal(scene.ended, 1);
  bare_in(scene.bare, "50030003 b170 8110 d11c20 d1db74 ff %032d", 0);
  assert_out(scene.bare, "");
  assert_int_equal(scene.ended, 1);
  answer(&scene);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CHANGED);
  bare_in(scene.bare, "50030004 b170 8110 d11c20 d1db74 ff %032d", 0);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CHANGED);
  assert_int_equal(scene.ended, 1);
  bare_close(scene.bare);
}

static void give(copal_request *request, void *context) {
  static const uint8_t body[480];
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, body, sizeof body);
}

/* Uri-Path a, and Q-Block2 (31) once or more. Of 16 bytes there are 30 blocks, of 32 there are 15. */
static void what_is_asked_for_in_larger_blocks_is_not_what_was_in_smaller_ones(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  config.exchanges_max = 1;
  config.bodies_size = 4096;
  struct scene scene = {.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/a", give, NULL), COPAL_OK);
  bare_in(scene.bare, "50010001 b161 d20701a0 0201b0 0201c0"); /* 26, 27 and 28 of 16 bytes; the last waits for room */
  bare_in(scene.bare, "50010002 b161 d107a9");                 /* 10 of 32 bytes, and all that follow: a Continue */
  unsigned blocks = 0;
  for (int i = 0; i < 100; ++i) {
    bare_out(scene.bare);
    for (size_t k = 0; k < scene.bare->sent_count; ++k) {
      copal_option option;
      assert_true(copal_find(&scene.bare->sent[k].view, COPAL_OPTION_Q_BLOCK2, &option));
      blocks += copal_block_of(copal_option_uint(&option)).szx == 1;
    }
    scene.bare->now += 100 * COPAL_MILLISECOND;
  }
  assert_int_equal(blocks, 5);
  bare_close(scene.bare);
}

static void answer_whole(copal_request *request, void *context) {
  static const uint8_t body[48] = {1};
  ++((struct scene *)context)->ended;
  copal_reply(request, COPAL_CHANGED, COPAL_FORMAT_NONE, body, sizeof body);
}

/* An answer that went in one block is kept for its repetition, which may be asked for in smaller ones. */
static void an_answer_of_one_block_is_given_in_several(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  struct scene scene = {.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_PUT, "/w", answer_whole, &scene), COPAL_OK);
  /* Uri-Path w, Q-Block1 0/1/16 and 1/0/16, Q-Block2 0/1/64, Size1 32, Request-Tag t */
  bare_in(scene.bare, "50030001 b177 8108 c10a d11020 d1db74 ff %032d", 0);
  bare_in(scene.bare, "50030002 b177 8110 c10a d11020 d1db74 ff %032d", 0);
  const copal_view *view = &bare_out_one(scene.bare)->view;
  assert_int_equal(view->payload.size, 48);
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_Q_BLOCK2, 99), 2);
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 48);
  bare_in(scene.bare, "50030003 b177 d10710 0120 d1f874"); /* 1 and 2 of 16 bytes */
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  for (size_t i = 0; i < 2; ++i) {
    view = &scene.bare->sent[i].view;
    assert_int_equal(view->payload.size, 16);
    assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 48);
  }
  assert_int_equal(scene.ended, 1);
  scene.bare->now += 300 * COPAL_SECOND;
  bare_out(scene.bare);
  assert_int_equal(copal_endpoint_usage(scene.bare->endpoint).transfers, 0);
  bare_close(scene.bare);
}

static void defer(copal_request *request, void *context) {
  assert_int_equal(copal_defer(request, &((struct scene *)context)->deferred), COPAL_OK);
}

static void assert_answered_by(struct bare *bare, uint16_t number) {
  copal_option option;
  const copal_view *view = &bare_out_one(bare)->view;
  uint16_t other = number == COPAL_OPTION_BLOCK2 ? COPAL_OPTION_Q_BLOCK2 : COPAL_OPTION_BLOCK2;
  assert_int_equal(view->payload.size, 48);
  assert_int_equal(view->payload.data[0], 1);
  assert_int_equal(copal_find_uint(view, number, 99), 2);
  assert_false(copal_find(view, other, &option));
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 48);
}

/* While nobody new would find room no blocks are kept ready, and the answer goes by Block2: it is given again when
 * there is room. */
static void an_answer_by_block2_is_given_by_q_block2_when_there_is_room(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  config.peers_max = 2;
  struct scene scene = {.bare = bare_open(&config)};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_PUT, "/w", answer_whole, &scene), COPAL_OK);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/d", defer, &scene), COPAL_OK);
  /* Uri-Path w, Q-Block1 0/1/16 and 1/0/16, Q-Block2 0/1/64, Size1 32, Request-Tag t */
  bare_in(scene.bare, "50030001 b177 8108 c10a d11020 d1db74 ff %032d", 0);
  bare_in_from(scene.bare, BARE_PORT + 1, "40010001 b164");
  bare_in(scene.bare, "50030002 b177 8110 c10a d11020 d1db74 ff %032d", 0);
  assert_answered_by(scene.bare, COPAL_OPTION_BLOCK2);
  answer(&scene);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CHANGED);
  bare_in(scene.bare, "50030003 b177 8110 c10a d11020 d1db74 ff %032d", 0);
  assert_answered_by(scene.bare, COPAL_OPTION_Q_BLOCK2);
  assert_int_equal(scene.ended, 1);
  bare_close(scene.bare);
}

static void tell_size(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, copal_request_rx(request)->message.payload.size == 32 ? "32" : "?");
}

/* RFC 9177 4.3: "If the FETCH request includes the Observe option, then the server MUST use the same token as used for
 * the 2.05 (Content) response for returning any triggered Observe responses so that the client can match them up." */
static void a_fetch_in_blocks_observes_under_the_token_of_its_answer(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  config.observed_max = config.observers_max = config.peer_observers_max = 2;
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_FETCH, "/a", tell_size, NULL), COPAL_OK);
  assert_int_equal(copal_route_observable(bare->endpoint, "/a", 0), COPAL_OK);
  /* Observe 0, Uri-Path a, Q-Block1 0/1/16 and 1/0/16, Size1 32, Request-Tag t */
  bare_in(bare, "51050001 01 60 5161 8108 d11c20 d1db74 ff %032d", 0);
  assert_out(bare, "");
  bare_in(bare, "51050002 02 60 5161 8110 d11c20 d1db74 ff %032d", 0);
  for (int i = 0; i < 2; ++i) {
    const struct bare_sent *sent = bare_out_one(bare);
    copal_option observe;
    assert_int_equal(sent->view.code, COPAL_CONTENT);
    assert_true(copal_find(&sent->view, COPAL_OPTION_OBSERVE, &observe));
    assert_int_equal(sent->view.token.size, 1);
    assert_int_equal(sent->view.token.data[0], 2);
    assert_memory_equal(sent->view.payload.data, "32", 2);
    if (i == 0) assert_int_equal(copal_notify(bare->endpoint, "/a"), 1);
  }
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_late_answer_ends_no_other_body),
      cmocka_unit_test(a_block_of_a_body_whose_answer_is_owed_gets_none_of_its_own),
      cmocka_unit_test(an_answer_of_one_block_is_given_in_several),
      cmocka_unit_test(an_answer_by_block2_is_given_by_q_block2_when_there_is_room),
      cmocka_unit_test(a_fetch_in_blocks_observes_under_the_token_of_its_answer),
      cmocka_unit_test(what_is_asked_for_in_larger_blocks_is_not_what_was_in_smaller_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
