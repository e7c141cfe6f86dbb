/* Registrations from addresses that are not verified, whose answers are large: who is not told the state is no
 * observer. RFC 7641 sections 4.1 and 7, RFC 9175 section 2.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/observed.h"

static const char LARGE[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
    "0123456789012345678901234567890123456789012345678901234567890123456789";

static void open_large(struct observed_scene *scene, uint32_t deferred_max) {
  copal_config config = observed_config();
  config.message_size_max = 512;
  config.deferred_max = deferred_max;
  observed_open_with(scene, &config, 0);
  scene->payload = LARGE;
}

static uint32_t observers_of(const struct observed_scene *scene) {
  return copal_endpoint_usage(scene->endpoint).observers;
}

/* Two pings go out for the request, and no answer. */
static void ask_large(struct observed_scene *scene) {
  bare_in_from(scene->bare, 5001, "410100010a605161");
  bare_out(scene->bare);
  assert_int_equal(scene->bare->sent_count, 2);
  for (size_t i = 0; i < 2; ++i) assert_int_equal(scene->bare->sent[i].view.code, COPAL_EMPTY);
  assert_int_equal(observers_of(scene), 1);
}

/* T56 */
static void who_does_not_verify_is_told_so_and_observes_nothing(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 2);
  ask_large(&scene);
  bool told = false;
  for (int step = 0; step < 12; ++step) {
    scene.bare->now += COPAL_SECOND;
    bare_out(scene.bare);
    for (size_t i = 0; i < scene.bare->sent_count; ++i)
      if (scene.bare->sent[i].view.code == COPAL_UNAUTHORIZED) told = true;
  }
  assert_true(told);
  assert_int_equal(observers_of(&scene), 0);
  assert_int_equal(observed_change_to(&scene, "1"), 0);
  assert_out(scene.bare, "");
  observed_close(&scene);
}

static void who_cannot_be_verified_now_observes_nothing(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 0);
  bare_in_from(scene.bare, 5001, "410100010a605161");
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_UNAUTHORIZED);
  assert_int_equal(observers_of(&scene), 0);
  observed_close(&scene);
}

/* A registration that is told 4.01 leaves another one of the same client alone. */
static void the_others_of_a_client_stay(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 0);
  scene.payload = "small";
  observed_register(&scene, 5001, 1, 0x0a);
  scene.payload = LARGE;
  bare_in_from(scene.bare, 5001, "410100020b605161");
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_UNAUTHORIZED);
  assert_int_equal(observers_of(&scene), 1);
  observed_deregister(&scene, 5001, 3, 0x0a);
  observed_close(&scene);
}

static void who_verifies_gets_the_state_and_observes(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 2);
  ask_large(&scene);
  uint16_t pings[2] = {scene.bare->sent[0].view.message_id, scene.bare->sent[1].view.message_id};
  for (size_t i = 0; i < 2; ++i) bare_in_from(scene.bare, 5001, "7000%04x", pings[i]);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  uint32_t number;
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_true(observed_has_number(sent, &number));
  assert_int_equal(observers_of(&scene), 1);
  assert_int_equal(observed_change_to(&scene, "1"), 1);
  observed_expect(bare_out_one(scene.bare), COPAL_CON, 0x0a, "1", number);
  observed_acknowledge(&scene, &scene.bare->sent[0]);
  observed_deregister(&scene, 5001, 2, 0x0a);
  observed_close(&scene);
}

/* --- When the list is full ------------------------------------------------------------------------- */

/* Addresses that are not their senders' fill the list. */
static void fill(struct observed_scene *scene, uint16_t count) {
  for (uint16_t i = 0; i < count; ++i) observed_register(scene, (uint16_t)(1000 + i), i, 0x0a);
}

static void answer_pings(struct observed_scene *scene, uint16_t port) {
  uint16_t mids[2];
  assert_int_equal(scene->bare->sent_count, 3);
  size_t found = 0;
  for (size_t i = 0; i < 3; ++i)
    if (scene->bare->sent[i].view.code == COPAL_EMPTY) mids[found++] = scene->bare->sent[i].view.message_id;
  assert_int_equal(found, 2);
  for (size_t i = 0; i < 2; ++i) bare_in_from(scene->bare, port, "7000%04x", mids[i]);
  assert_out(scene->bare, "");
}

/* T53: the first time he is answered as usual, and pinged; once he has shown that he is there he is observed, in the
 * place of one who has not. Those who are verified keep their places. */
static void t53_who_is_there_takes_the_place_of_who_may_not_be(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.observers_max = 8;
  observed_open_with(&scene, &config, 0);
  fill(&scene, 8);
  uint32_t number;
  for (uint16_t i = 0; i < 8; ++i) {
    uint16_t port = (uint16_t)(5000 + i);
    bare_in_from(scene.bare, port, "4101%04x0a605161", i);
    bare_out(scene.bare);
    assert_false(observed_has_number(&scene.bare->sent[0], &number));
    answer_pings(&scene, port);
    observed_register(&scene, port, (uint16_t)(100 + i), 0x0a);
    assert_int_equal(observers_of(&scene), 8);
  }
  assert_false(observed_has_number(observed_ask(&scene, 5000, 50, 0x0b, 0), &number)); /* all are verified now */
  assert_int_equal(observed_change_to(&scene, "1"), 8);
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 8);
  for (size_t i = 0; i < 8; ++i) {
    assert_true(scene.bare->sent[i].path.remote.port >= 5000);
    observed_reject(&scene, &scene.bare->sent[i]);
  }
  observed_close(&scene);
}

/* Nor do variants that nobody else asks for, or observers who hold peers, keep him out. */
static void t53_neither_do_variants_nor_peers_run_out_for_who_is_there(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; ++kind) {
    struct observed_scene scene;
    copal_config config = observed_config();
    config.observed_max = kind == 0 ? 6 : 16;
    config.peers_max = kind == 0 ? 64 : 8;
    config.deferred_max = 0;
    observed_open_with(&scene, &config, 0);
    for (unsigned i = 0; i < 6; ++i) {
      bare_in_from(scene.bare, (uint16_t)(1000 + i), "4101%04x0a60516141%02x", i, kind == 0 ? i : 0);
      bare_out_one(scene.bare);
    }
    uint32_t number;
    assert_int_equal(observers_of(&scene), 6);
    assert_false(observed_has_number(observed_ask(&scene, 5000, 1, 0x0a, 0), &number));
    struct path packed = path_pack(&(copal_path){.remote = bare_address(5000), .local = bare_path(1).local});
    engine_verify(&scene.endpoint->engine, endpoint_peer(scene.endpoint, &packed));
    observed_register(&scene, 5000, 2, 0x0a);
    assert_int_equal(observers_of(&scene), 6);
    observed_deregister(&scene, 5000, 3, 0x0a);
    for (unsigned i = 0; i < 6; ++i) {
      bare_in_from(scene.bare, (uint16_t)(1000 + i), "4101%04x0a6101516141%02x", 100 + i, kind == 0 ? i : 0);
      bare_out_one(scene.bare);
    }
    observed_close(&scene);
  }
}

/* Who has his share takes nobody's place. */
static void a_share_is_not_larger_for_who_is_verified(void **state) {
  (void)state;
  struct observed_scene scene;
  copal_config config = observed_config();
  config.observers_max = 10;
  observed_open_with(&scene, &config, 0);
  fill(&scene, 2);
  for (uint8_t token = 0; token < 8; ++token) observed_register(&scene, 5000, token, token);
  observed_verify(&scene);
  struct peers *peers = &scene.endpoint->engine.peers;
  for (uint32_t i = 0; i < peers->slab.fresh; ++i)
    if (scene.endpoint->paths.records[i].port < 5000) peers->records[i].flags &= (uint8_t)~PEER_VERIFIED;
  uint32_t number;
  assert_false(observed_has_number(observed_ask(&scene, 5000, 50, 0x50, 0), &number));
  assert_int_equal(observers_of(&scene), 10);
  for (uint8_t token = 0; token < 8; ++token) observed_deregister(&scene, 5000, 1000 + token, token);
  for (uint16_t i = 0; i < 2; ++i) observed_deregister(&scene, (uint16_t)(1000 + i), (uint16_t)(100 + i), 0x0a);
  observed_close(&scene);
}

/* The answer that is held has an Observe option, and its address does not verify; but nobody observes any more. */
static void who_deregisters_meanwhile_is_not_withdrawn_again(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 4);
  ask_large(&scene);
  scene.payload = "0";
  bare_in_from(scene.bare, 5001, "410100020a61015161");
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_CONTENT);
  assert_int_equal(observers_of(&scene), 0);
  bool told = false;
  for (int step = 0; step < 12; ++step) {
    scene.bare->now += COPAL_SECOND;
    bare_out(scene.bare);
    for (size_t i = 0; i < scene.bare->sent_count; ++i)
      if (scene.bare->sent[i].view.code == COPAL_UNAUTHORIZED) told = true;
  }
  assert_true(told);
  observed_close(&scene);
}

static void pass_seconds(struct observed_scene *scene, int seconds, size_t size_max) {
  for (int step = 0; step < 10 * seconds; ++step) {
    scene->bare->now += 100 * COPAL_MILLISECOND;
    bare_out(scene->bare);
    for (size_t i = 0; i < scene->bare->sent_count; ++i) assert_true(scene->bare->sent[i].size <= size_max);
  }
}

/* RFC 9175 2.4: "don't send more than three times the number of bytes received until the peer's address is confirmed";
 * a change must not bring what the answer to the registration is not allowed to. */
static void a_change_is_not_told_while_the_registration_waits(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 2);
  ask_large(&scene);
  assert_int_equal(observed_change_to(&scene, LARGE), 1);
  pass_seconds(&scene, 10, 136);
  assert_int_equal(observers_of(&scene), 0);
  observed_close(&scene);
}

static void a_state_that_has_grown_is_told_to_who_verifies(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 2);
  scene.payload = "small";
  observed_register(&scene, 5001, 1, 0x0a);
  assert_int_equal(observed_change_to(&scene, LARGE), 1);
  bare_out(scene.bare);
  assert_int_equal(scene.bare->sent_count, 2);
  uint16_t pings[2] = {scene.bare->sent[0].view.message_id, scene.bare->sent[1].view.message_id};
  for (size_t i = 0; i < 2; ++i) bare_in_from(scene.bare, 5001, "7000%04x", pings[i]);
  scene.bare->now += COPAL_SECOND;
  const struct bare_sent *sent = bare_out_one(scene.bare);
  uint32_t number;
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_true(observed_has_number(sent, &number));
  observed_acknowledge(&scene, sent);
  observed_deregister(&scene, 5001, 2, 0x0a);
  observed_close(&scene);
}

static void who_does_not_verify_is_not_told_a_state_that_has_grown(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 2);
  scene.payload = "small";
  observed_register(&scene, 5001, 1, 0x0a);
  assert_int_equal(observed_change_to(&scene, LARGE), 1);
  pass_seconds(&scene, 10, 136);
  assert_int_equal(observers_of(&scene), 0);
  observed_close(&scene);
}

/* RFC 7641 4.5.2: "the server MAY optimize the transmission process by aborting the transmission of the old
 * notification": not for one that is larger than what may be sent. The old one goes on, number and all, and so stays
 * older than the state that follows its acknowledgement. */
static void a_retransmission_gives_way_to_no_state_that_is_too_large(void **state) {
  (void)state;
  struct observed_scene scene;
  open_large(&scene, 2);
  scene.payload = "0";
  uint32_t number = observed_register(&scene, 5001, 1, 0x0a);
  assert_int_equal(observed_change_to(&scene, "1"), 1);
  const struct bare_sent *sent = bare_out_one(scene.bare);
  uint16_t mid = sent->view.message_id;
  uint32_t old = observed_expect(sent, COPAL_CON, 0x0a, "1", number);
  assert_int_equal(observed_change_to(&scene, LARGE), 1);
  assert_out(scene.bare, ""); /* it is made */
  assert_int_equal(scene.notifications, 2);
  for (int i = 0; i < 2; ++i) {
    scene.bare->now = copal_endpoint_deadline(scene.endpoint);
    sent = bare_out_one(scene.bare);
    assert_int_equal(sent->view.message_id, mid);
    assert_int_equal(observed_expect(sent, COPAL_CON, 0x0a, "1", number), old);
  }
  observed_acknowledge(&scene, sent);
  sent = bare_out_one(scene.bare);
  observed_expect(sent, COPAL_CON, 0x0a, LARGE, old);
  observed_acknowledge(&scene, sent);
  observed_deregister(&scene, 5001, 2, 0x0a);
  observed_close(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_does_not_verify_is_told_so_and_observes_nothing),
      cmocka_unit_test(who_cannot_be_verified_now_observes_nothing),
      cmocka_unit_test(the_others_of_a_client_stay),
      cmocka_unit_test(who_verifies_gets_the_state_and_observes),
      cmocka_unit_test(t53_who_is_there_takes_the_place_of_who_may_not_be),
      cmocka_unit_test(t53_neither_do_variants_nor_peers_run_out_for_who_is_there),
      cmocka_unit_test(a_share_is_not_larger_for_who_is_verified),
      cmocka_unit_test(who_deregisters_meanwhile_is_not_withdrawn_again),
      cmocka_unit_test(a_change_is_not_told_while_the_registration_waits),
      cmocka_unit_test(a_state_that_has_grown_is_told_to_who_verifies),
      cmocka_unit_test(who_does_not_verify_is_not_told_a_state_that_has_grown),
      cmocka_unit_test(a_retransmission_gives_way_to_no_state_that_is_too_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
