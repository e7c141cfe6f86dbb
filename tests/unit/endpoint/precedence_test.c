/* When the room for bodies, or for replies that must not be forgotten, runs out: who has shown that his address is his
 * own goes before who has not, and who has not is told how. Decision 0016. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/steps.h"

enum { HONEST = 7000, STRANGERS = 6000 };

struct scene {
  struct bare *bare;
  struct steps steps;
  unsigned executed, abandoned;
  size_t received;
  char echo[25]; /* what the last 4.01 gave */
};

static void put(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  ++scene->executed;
  scene->received = payload.size;
  if (payload.size > 0) assert_memory_equal(payload.data, steps_body(), payload.size);
  copal_reply_code(request, COPAL_CHANGED);
}

static void post_large(copal_request *request, void *context) {
  ++((struct scene *)context)->executed;
  copal_reply(request, COPAL_CHANGED, COPAL_FORMAT_NONE, steps_body(), 300);
}

static void put_part(copal_request *request, void *context) {
  (void)context;
  if (copal_request_part(request).last) copal_reply_code(request, COPAL_CHANGED);
}

static void abandon(void *context, void *state) {
  (void)state;
  ++((struct scene *)context)->abandoned;
}

/* Four bodies of 1 KiB; replies of any size go at once. */
static copal_config config_of_four(void) {
  copal_config config = copal_config_small();
  config.replies_size = 32768;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  config.transfers_max = 4;
  config.peer_transfers_max = 3;
  config.peer_replies_max = 100;
  config.peers_max = 64;
  config.amplification_max = 1000;
  return config;
}

static void open_scene(struct scene *scene, const copal_config *config) {
  *scene = (struct scene){.bare = bare_open(config)};
  scene->steps = steps_begin(scene->bare, 300);
  copal_endpoint *endpoint = scene->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/r", put, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_POST, "/r", put, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_POST, "/large", post_large, scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/parts", put_part, scene), COPAL_OK);
  assert_int_equal(copal_route_parts(endpoint, COPAL_PUT, "/parts", abandon), COPAL_OK);
}

static void open_four(struct scene *scene) {
  copal_config config = config_of_four();
  open_scene(scene, &config);
}

static copal_usage usage(const struct scene *scene) { return copal_endpoint_usage(scene->bare->endpoint); }

static const copal_counters *counters(const struct scene *scene) {
  return copal_endpoint_counters(scene->bare->endpoint);
}

static const copal_view *from(struct scene *scene, unsigned port, const char *request, const char *response) {
  scene->steps.port = (uint16_t)port;
  return steps_exchange(&scene->steps, request, response);
}

/* The request is answered 4.01 with an Echo value, and with that as it should be. */
static void challenged(struct scene *scene, unsigned port, const char *request, const char *response) {
  copal_option option;
  char again[100];
  const copal_view *view = from(scene, port, request, "4.01");
  assert_true(copal_find(view, COPAL_OPTION_ECHO, &option));
  assert_int_equal(option.size, 12);
  for (size_t i = 0; i < 12; ++i) sprintf(scene->echo + 2 * i, "%02x", option.value[i]);
  snprintf(again, sizeof again, "%s echo=%s", request, scene->echo);
  from(scene, port, again, response);
}

/* Uploads of strangers take all that there is. */
static void fill_with_uploads(struct scene *scene, const char *path, unsigned count) {
  char request[64];
  snprintf(request, sizeof request, "PUT %s 1:0/1/128", path);
  for (unsigned i = 0; i < count; ++i) from(scene, STRANGERS + i, request, "2.31 1:0/1/128");
}

/* --- Uploads -------------------------------------------------------------------------------------- */

static void t52_who_is_there_takes_the_place_of_the_oldest_upload_of_who_may_not_be(void **state) {
  (void)state;
  struct scene scene;
  open_four(&scene);
  fill_with_uploads(&scene, "/r", 4);
  from(&scene, STRANGERS, "PUT 1:1/1/128", "2.31 1:1/1/128"); /* now the second is the oldest */
  challenged(&scene, HONEST, "PUT 1:0/1/128", "2.31 1:0/1/128");
  assert_int_equal(usage(&scene).transfers, 4);
  from(&scene, STRANGERS + 1, "PUT 1:1/1/128", "4.08");
  from(&scene, STRANGERS, "PUT 1:2/0/128", "2.04 1:2/0/128");
  from(&scene, HONEST, "PUT 1:1/1/128", "2.31 1:1/1/128");
  from(&scene, HONEST, "PUT 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  assert_int_equal(scene.executed, 2);
  assert_int_equal(counters(&scene)->transfers_evicted, 1);
  bare_close(scene.bare);
}

static void t52_an_upload_of_who_is_there_makes_room_for_nobody(void **state) {
  (void)state;
  struct scene scene;
  open_four(&scene);
  fill_with_uploads(&scene, "/r", 4);
  for (unsigned i = 0; i < 4; ++i) challenged(&scene, HONEST + i, "PUT 1:0/1/128", "2.31 1:0/1/128");
  for (unsigned i = 0; i < 20; ++i) from(&scene, STRANGERS + i, "PUT 1:0/1/128", "4.01");
  challenged(&scene, HONEST + 4, "PUT 1:0/1/128", "5.03");
  for (unsigned i = 0; i < 4; ++i) from(&scene, HONEST + i, "PUT 1:1/1/128", "2.31 1:1/1/128");
  bare_close(scene.bare);
}

/* Who had begun before there was a flood keeps what he has sent. */
static void t52_bytes_are_made_room_for_as_records_are(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_four();
  config.transfers_max = 40;
  open_scene(&scene, &config);
  from(&scene, HONEST, "PUT 1:0/1/128", "2.31 1:0/1/128");
  unsigned strangers = 0;
  for (bool full = false; !full; ++strangers) {
    from(&scene, STRANGERS + strangers, "PUT 1:0/1/128", "2.31 1:0/1/128");
    steps_send(&scene.steps, "PUT 1:1/1/128");
    full = bare_out_one(scene.bare)->view.code == COPAL_UNAUTHORIZED;
  }
  assert_in_range(strangers, 10, 16); /* of 256 bytes each */
  challenged(&scene, HONEST, "PUT 1:1/1/128", "2.31 1:1/1/128");
  from(&scene, HONEST, "PUT 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  from(&scene, STRANGERS, "PUT 1:2/0/128", "4.08"); /* the oldest has made room */
  assert_int_equal(usage(&scene).transfers, strangers - counters(&scene)->transfers_evicted);
  bare_close(scene.bare);
}

static void an_upload_in_parts_that_makes_room_is_abandoned(void **state) {
  (void)state;
  struct scene scene;
  open_four(&scene);
  fill_with_uploads(&scene, "/parts", 4);
  challenged(&scene, HONEST, "PUT /parts 1:0/1/128", "2.31 1:0/1/128");
  assert_int_equal(scene.abandoned, 1);
  from(&scene, HONEST, "PUT /parts 1:1/0/128", "2.04 1:1/0/128");
  assert_int_equal(scene.abandoned, 1);
  bare_close(scene.bare);
}

/* Where no address is verified nobody goes before others. */
static void without_verification_a_full_table_is_5_03(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_four();
  config.amplification_max = 0;
  open_scene(&scene, &config);
  fill_with_uploads(&scene, "/r", 4);
  from(&scene, HONEST, "PUT 1:0/1/128", "5.03");
  bare_close(scene.bare);
}

/* --- Replies that are kept ------------------------------------------------------------------------ */

static void t52_what_who_is_there_still_fetches_makes_no_room_for_uploads(void **state) {
  (void)state;
  struct scene scene;
  open_four(&scene);
  fill_with_uploads(&scene, "/r", 4);
  challenged(&scene, HONEST, "PUT 1:0/1/128", "2.31 1:0/1/128");
  from(&scene, HONEST, "POST /large 2:0/0/128", "2.04 2:0/1/128");
  for (unsigned i = 0; i < 50; ++i) from(&scene, 5000 + i, "PUT 1:0/1/128", "4.01");
  from(&scene, HONEST, "POST /large 2:1/0/128", "2.04 2:1/1/128");
  scene.bare->now += 61 * COPAL_SECOND;
  from(&scene, STRANGERS + 60, "PUT 1:0/1/128", "4.01");
  scene.bare->now += 3 * COPAL_SECOND;
  from(&scene, STRANGERS + 60, "PUT 1:0/1/128", "2.31 1:0/1/128"); /* by now nobody fetches any more */
  from(&scene, HONEST, "POST /large 2:2/0/128", "4.08");
  bare_close(scene.bare);
}

/* What has been executed is answered whoever asked: the oldest upload of a stranger goes, then the oldest such reply.
 */
static void t52_a_reply_takes_the_place_of_its_like(void **state) {
  (void)state;
  struct scene scene;
  open_four(&scene);
  fill_with_uploads(&scene, "/r", 4);
  for (unsigned i = 0; i < 50; ++i) from(&scene, 5000 + i, "POST /large 2:0/0/128", "2.04 2:0/1/128");
  assert_int_equal(scene.executed, 50);
  for (unsigned i = 1; i < 4; ++i) from(&scene, STRANGERS + i, "PUT 1:1/1/128", "2.31 1:1/1/128");
  from(&scene, 5049, "POST /large 2:1/0/128", "2.04 2:1/1/128");
  from(&scene, 5048, "POST /large 2:1/0/128", "4.08");
  bare_close(scene.bare);
}

/* --- Peers ---------------------------------------------------------------------------------------- */

/* Of two records one is held by a body that goes by Q-Block: the other is left to strangers. */
static void t50_bodies_by_q_block_and_observers_leave_a_record_to_strangers(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_four();
  config.peers_max = 2;
  open_scene(&scene, &config);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/r", post_large, &scene), COPAL_OK);
  char bytes[300] = "5103000aaa b172 810a d11c64 d1db01 ff"; /* Q-Block1 0/1/64, Size1 100, a Request-Tag */
  for (int i = 0; i < 64; ++i) strcat(bytes, "00");
  bare_in_from(scene.bare, STRANGERS, "%s", bytes);
  assert_out(scene.bare, "");
  assert_int_equal(usage(&scene).transfers, 1);
  bare_in_from(scene.bare, STRANGERS + 1, "%s", bytes);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_UNAUTHORIZED);
  bare_in_from(scene.bare, STRANGERS + 2, "4101000baa b172 d10703"); /* Q-Block2 0/0/128 */
  copal_option option;
  const copal_view *view = &bare_out_one(scene.bare)->view;
  assert_int_equal(view->code, COPAL_CHANGED);
  assert_false(copal_find(view, COPAL_OPTION_Q_BLOCK2, &option));
  assert_true(copal_find(view, COPAL_OPTION_BLOCK2, &option)); /* one by one, then */
  assert_int_equal(copal_route_observable(scene.bare->endpoint, "/r", 0), COPAL_OK);
  bare_in_from(scene.bare, STRANGERS + 3, "4101000daa 60 5172");
  assert_false(copal_find(&bare_out_one(scene.bare)->view, COPAL_OPTION_OBSERVE, &option));
  from(&scene, HONEST, "PUT +16", "2.04");
  assert_int_equal(counters(&scene)->peers_full, 0);
  for (int i = 0; i < 300; ++i) {
    scene.bare->now += COPAL_SECOND;
    bare_out(scene.bare);
  }
  assert_int_equal(usage(&scene).transfers, 0);
  bare_in_from(scene.bare, STRANGERS + 2, "4101000caa b172 d10703");
  bare_out(scene.bare);
  assert_true(copal_find(&scene.bare->sent[0].view, COPAL_OPTION_Q_BLOCK2, &option));
  bare_close(scene.bare);
}

/* --- What must not be executed twice -------------------------------------------------------------- */

/* The memory for POSTs has 42 entries here. */
static copal_config config_of_posts(void) {
  copal_config config = config_of_four();
  config.replies_size = 4096;
  return config;
}

static void t51_the_last_quarter_is_for_those_who_are_there(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_posts();
  open_scene(&scene, &config);
  unsigned served = 0;
  for (unsigned i = 0; i < 60; ++i) {
    scene.steps.port = (uint16_t)(STRANGERS + i);
    steps_send(&scene.steps, "POST");
    uint8_t code = bare_out_one(scene.bare)->view.code;
    assert_int_equal(code, served == i && i < 33 ? COPAL_CHANGED : COPAL_UNAUTHORIZED);
    served += code == COPAL_CHANGED;
  }
  assert_int_equal(served, 33);
  assert_int_equal(counters(&scene)->challenged, 27);
  for (unsigned i = 0; i < 5; ++i) challenged(&scene, HONEST + i, "POST", "2.04");
  assert_int_equal(scene.executed, 38);
  for (unsigned i = 0; i < 20; ++i) {
    scene.steps.port = HONEST;
    steps_send(&scene.steps, "POST");
    bare_out_one(scene.bare);
  }
  from(&scene, HONEST, "POST", "5.03"); /* all is taken by those who are */
  assert_int_equal(scene.executed, 42);
  scene.steps.mid = 1234; /* the very first once more */
  from(&scene, STRANGERS, "POST", "2.04");
  assert_int_equal(scene.executed, 42);
  scene.steps.mid = 2000;
  scene.bare->now += 250 * COPAL_SECOND;
  from(&scene, STRANGERS + 59, "POST", "2.04");
  bare_close(scene.bare);
}

/* Where all there is holds few of the largest replies, some of it is left all the same; and the first of all is served
 * in any case. */
static void t51_the_smallest_memory_has_a_quarter_too(void **state) {
  (void)state;
  for (int least = 0; least < 2; ++least) {
    struct scene scene;
    copal_config config = config_of_posts();
    config.replies_size = least == 1 ? 2 * (256 + 64) : 2048;
    open_scene(&scene, &config);
    unsigned served = 0;
    for (unsigned i = 0; i < 30; ++i) {
      scene.steps.port = (uint16_t)(STRANGERS + i);
      steps_send(&scene.steps, "POST");
      served += bare_out_one(scene.bare)->view.code == COPAL_CHANGED;
    }
    assert_int_equal(served, least == 1 ? 1 : 14);
    assert_int_equal(counters(&scene)->challenged, 30 - served);
    challenged(&scene, HONEST, "POST", least == 1 ? "5.03" : "2.04");
    bare_close(scene.bare);
  }
}

/* A NON is answered by a NON, a group not at all, and what begins a body as its last block. */
static void t51_every_way_to_ask_is_challenged_alike(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_posts();
  open_scene(&scene, &config);
  for (unsigned i = 0; i < 33; ++i) from(&scene, STRANGERS + i, "POST", "2.04");
  from(&scene, HONEST, "NON POST", "4.01");
  assert_int_equal(scene.bare->sent[0].view.type, COPAL_NON);
  copal_path group = bare_group_path(HONEST);
  bare_in_path(scene.bare, &group, "510203e8aab172");
  scene.bare->now += 6 * COPAL_SECOND;
  assert_out(scene.bare, "");
  char quick[300] = "510203e9aa b172 810a d11c64 d1db01 ff"; /* Q-Block1 0/1/64, Size1 100, a Request-Tag */
  for (int i = 0; i < 64; ++i) strcat(quick, "00");
  bare_in_from(scene.bare, HONEST, "%s", quick);
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_UNAUTHORIZED);
  from(&scene, HONEST, "POST 1:0/1/128", "2.31 1:0/1/128"); /* executes nothing yet */
  assert_int_equal(usage(&scene).transfers, 1);
  assert_int_equal(scene.executed, 33);
  bare_close(scene.bare);
}

static void t51_the_last_block_is_challenged_and_the_others_are_not_lost(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_posts();
  open_scene(&scene, &config);
  from(&scene, HONEST, "POST 1:0/1/128", "2.31 1:0/1/128");
  from(&scene, HONEST, "POST 1:1/1/128", "2.31 1:1/1/128");
  for (unsigned i = 0; i < 33; ++i) from(&scene, STRANGERS + i, "POST", "2.04");
  challenged(&scene, HONEST, "POST 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  assert_int_equal(scene.executed, 34);
  bare_close(scene.bare);
}

static void without_verification_all_of_it_is_for_everybody(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_posts();
  config.amplification_max = 0;
  open_scene(&scene, &config);
  for (unsigned i = 0; i < 42; ++i) from(&scene, STRANGERS + i, "POST", "2.04");
  from(&scene, HONEST, "POST", "5.03");
  bare_close(scene.bare);
}

/* T32, T39: it is repeated with the Echo value under another message ID, and executed so; then the first one comes
 * again. */
static void a_late_duplicate_of_what_was_challenged_is_not_executed(void **state) {
  (void)state;
  struct scene scene;
  copal_config config = config_of_posts();
  open_scene(&scene, &config);
  for (unsigned i = 0; i < 33; ++i) from(&scene, STRANGERS + i, "POST", "2.04");
  unsigned executed = scene.executed;
  uint16_t first = scene.steps.mid;
  challenged(&scene, HONEST, "POST", "2.04");
  for (int i = 0; i < 2; ++i) {
    scene.steps.mid = first;
    from(&scene, HONEST, "POST", "4.01"); /* as it was answered */
  }
  assert_int_equal(scene.executed, executed + 1);
  assert_int_equal(counters(&scene)->duplicates, 2);
  scene.bare->now += 248 * COPAL_SECOND; /* EXCHANGE_LIFETIME is over */
  scene.steps.mid = first;
  from(&scene, HONEST, "POST", "2.04");
  assert_int_equal(scene.executed, executed + 2);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t52_who_is_there_takes_the_place_of_the_oldest_upload_of_who_may_not_be),
      cmocka_unit_test(t52_an_upload_of_who_is_there_makes_room_for_nobody),
      cmocka_unit_test(t52_bytes_are_made_room_for_as_records_are),
      cmocka_unit_test(an_upload_in_parts_that_makes_room_is_abandoned),
      cmocka_unit_test(without_verification_a_full_table_is_5_03),
      cmocka_unit_test(t52_what_who_is_there_still_fetches_makes_no_room_for_uploads),
      cmocka_unit_test(t52_a_reply_takes_the_place_of_its_like),
      cmocka_unit_test(t50_bodies_by_q_block_and_observers_leave_a_record_to_strangers),
      cmocka_unit_test(t51_the_last_quarter_is_for_those_who_are_there),
      cmocka_unit_test(t51_the_smallest_memory_has_a_quarter_too),
      cmocka_unit_test(t51_every_way_to_ask_is_challenged_alike),
      cmocka_unit_test(t51_the_last_block_is_challenged_and_the_others_are_not_lost),
      cmocka_unit_test(without_verification_all_of_it_is_for_everybody),
      cmocka_unit_test(a_late_duplicate_of_what_was_challenged_is_not_executed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
