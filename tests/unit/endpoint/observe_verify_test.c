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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_does_not_verify_is_told_so_and_observes_nothing),
      cmocka_unit_test(who_cannot_be_verified_now_observes_nothing),
      cmocka_unit_test(the_others_of_a_client_stay),
      cmocka_unit_test(who_verifies_gets_the_state_and_observes),
      cmocka_unit_test(a_change_is_not_told_while_the_registration_waits),
      cmocka_unit_test(a_state_that_has_grown_is_told_to_who_verifies),
      cmocka_unit_test(who_does_not_verify_is_not_told_a_state_that_has_grown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
