/* What is checked before a handler is called, and of its reply: Content-Formats, preconditions, validation, and which
 * responses are wanted at all. RFC 7252 sections 5.10.3 to 5.10.8, RFC 7967. */
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
  int calls, versions;
  uint8_t version; /* 0: the resource does not exist */
  copal_code code;
  uint32_t format; /* of the last reply */
};

static void answer(copal_request *request, void *context) {
  struct scene *scene = context;
  ++scene->calls;
  scene->format = copal_request_format(request);
  uint8_t method = copal_request_rx(request)->message.code;
  if (method == COPAL_GET || method == COPAL_FETCH) {
    copal_reply(request, scene->version > 0 ? COPAL_CONTENT : COPAL_NOT_FOUND, scene->format, "body", 4);
    return;
  }
  scene->version = (uint8_t)(scene->version + 1);
  copal_reply_code(request, scene->code);
}

static size_t version(copal_request *request, uint8_t etag[8], void *context) {
  struct scene *scene = context;
  assert_non_null(copal_request_rx(request));
  ++scene->versions;
  etag[0] = 0xee;
  etag[1] = scene->version;
  return scene->version > 0 ? 2 : 0;
}

static void open_scene(struct scene *scene) {
  copal_config config = copal_config_small();
  config.replies_size = 16384;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  config.peer_replies_max = 100;
  *scene = (struct scene){.bare = bare_open(&config), .code = COPAL_CHANGED, .version = 1};
  scene->steps = steps_begin(scene->bare, 200);
  static const copal_code methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_DELETE, COPAL_FETCH};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; ++i)
    assert_int_equal(copal_route(scene->bare->endpoint, methods[i], "/r", answer, scene), COPAL_OK);
}

static void open_versioned(struct scene *scene) {
  open_scene(scene);
  assert_int_equal(copal_route_version(scene->bare->endpoint, "/r", version, scene), COPAL_OK);
}

static bool has_etag(const copal_view *view, uint8_t last) {
  copal_option option;
  return copal_find(view, COPAL_OPTION_ETAG, &option) && option.size == 2 && option.value[1] == last;
}

/* --- Content-Formats ------------------------------------------------------------------------------ */

/* RFC 7252 5.10.4: "If the preferred Content-Format cannot be returned, then a 4.06 "Not Acceptable" MUST be sent". */
static void representations_are_negotiated_by_accept(void **state) {
  (void)state;
  static const uint16_t formats[] = {COPAL_TEXT_PLAIN, COPAL_XML, COPAL_CBOR};
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route_offers(scene.bare->endpoint, "/r", formats, 3), COPAL_OK);
  assert_int_equal(copal_route_offers(scene.bare->endpoint, "/q", formats, 3), COPAL_ERR_NOT_FOUND);
  const copal_view *view = steps_exchange(&scene.steps, "GET", "2.05");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_TEXT_PLAIN);
  view = steps_exchange(&scene.steps, "GET accept=41", "2.05");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_XML);
  view = steps_exchange(&scene.steps, "FETCH accept=60", "2.05");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_CBOR);
  int calls = scene.calls;
  steps_exchange(&scene.steps, "GET accept=50", "4.06");
  assert_int_equal(scene.calls, calls);
  steps_exchange(&scene.steps, "PUT accept=50", "2.04"); /* what it changes is no matter of representation */
  bare_close(scene.bare);
}

static void payloads_of_other_formats_than_those_taken_are_refused(void **state) {
  (void)state;
  static const uint16_t formats[] = {COPAL_JSON};
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route_takes(scene.bare->endpoint, COPAL_PUT, "/r", formats, 1), COPAL_OK);
  assert_int_equal(copal_route_takes(scene.bare->endpoint, COPAL_PATCH, "/r", formats, 1), COPAL_ERR_NOT_FOUND);
  steps_exchange(&scene.steps, "PUT ct=60 +4", "4.15");
  steps_exchange(&scene.steps, "PUT ct=60 1:0/1/64", "4.15"); /* before it is sent in vain */
  assert_int_equal(scene.calls, 0);
  steps_exchange(&scene.steps, "PUT ct=50 +4", "2.04");
  steps_exchange(&scene.steps, "PUT +4", "2.04");
  steps_exchange(&scene.steps, "POST ct=60 +4", "2.04");
  bare_close(scene.bare);
}

/* --- Preconditions ---------------------------------------------------------------------------------- */

/* RFC 7252 5.10.8: "If the condition given is not fulfilled, then the server MUST NOT perform the requested method.
 * Instead, the server MUST respond with the 4.12 (Precondition Failed) Response Code." */
static void if_match_protects_from_lost_updates(void **state) {
  (void)state;
  struct scene scene;
  open_versioned(&scene);
  steps_exchange(&scene.steps, "PUT if-match=ee01 +4", "2.04");
  assert_int_equal(scene.version, 2);
  steps_exchange(&scene.steps, "PUT if-match=ee01 +4", "4.12");
  steps_exchange(&scene.steps, "PUT if-match=ee if-match=ee0200 +4", "4.12");
  assert_int_equal(scene.version, 2);
  steps_exchange(&scene.steps, "PUT if-match=ee01 if-match=ee02 +4", "2.04"); /* one of them is enough */
  steps_exchange(&scene.steps, "DELETE if-match= ", "2.04");                  /* it exists */
  steps_exchange(&scene.steps, "GET if-match=ee01", "4.12");
  scene.version = 0;
  steps_exchange(&scene.steps, "PUT if-match= +4", "4.12");
  steps_exchange(&scene.steps, "PUT if-match=ee00 +4", "4.12");
  assert_int_equal(scene.version, 0);
  bare_close(scene.bare);
}

static void if_none_match_protects_what_exists(void **state) {
  (void)state;
  struct scene scene;
  open_versioned(&scene);
  steps_exchange(&scene.steps, "PUT none-match +4", "4.12");
  scene.version = 0;
  scene.code = COPAL_CREATED;
  steps_exchange(&scene.steps, "PUT none-match +4", "2.01");
  steps_exchange(&scene.steps, "PUT none-match +4", "4.12");
  assert_int_equal(scene.version, 1);
  bare_close(scene.bare);
}

/* RFC 7959 2.10: "If-None-Match only works correctly on Block1 requests with (NUM=0)": the server keeps it in mind. */
static void conditions_of_an_upload_hold_from_its_first_block_to_its_last(void **state) {
  (void)state;
  struct scene scene;
  open_versioned(&scene);
  steps_exchange(&scene.steps, "PUT none-match 1:0/1/128", "4.12");
  scene.version = 0;
  steps_exchange(&scene.steps, "PUT none-match 1:0/1/128", "2.31 1:0/1/128");
  scene.version = 7; /* somebody else was faster */
  steps_exchange(&scene.steps, "PUT 1:1/0/128", "4.12");
  assert_int_equal(scene.calls, 0);
  steps_exchange(&scene.steps, "PUT if-match=ee07 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&scene.steps, "PUT if-match=ee07 1:1/0/128", "2.04 1:1/0/128");
  assert_int_equal(scene.calls, 1);
  assert_int_equal(copal_endpoint_usage(scene.bare->endpoint).transfers, 0);
  bare_close(scene.bare);
}

/* RFC 7252 5.4.1: what is critical and not understood must not be ignored. */
static void conditions_without_a_version_are_refused(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  steps_exchange(&scene.steps, "PUT if-match= +4", "4.02");
  steps_exchange(&scene.steps, "PUT none-match +4", "4.02");
  steps_exchange(&scene.steps, "NON PUT none-match +4", "4.02");
  assert_int_equal(scene.calls, 0);
  bare_close(scene.bare);
}

/* --- Validation ------------------------------------------------------------------------------------- */

/* RFC 7252 5.9.1.3: a 2.03 "MUST include an ETag Option and MUST NOT include a payload". */
static void a_version_that_the_client_has_is_confirmed(void **state) {
  (void)state;
  struct scene scene;
  open_versioned(&scene);
  const copal_view *view = steps_exchange(&scene.steps, "GET", "2.05");
  assert_true(has_etag(view, 1));
  assert_int_equal(scene.calls, 1);
  view = steps_exchange(&scene.steps, "GET etag=aa etag=ee01", "2.03");
  assert_true(has_etag(view, 1));
  assert_int_equal(view->payload.size, 0);
  assert_int_equal(scene.calls, 1);
  scene.version = 2;
  view = steps_exchange(&scene.steps, "GET etag=ee01", "2.05");
  assert_true(has_etag(view, 2));
  assert_int_equal(view->payload.size, 4);
  scene.version = 0;
  view = steps_exchange(&scene.steps, "GET etag=ee01", "4.04");
  assert_false(has_etag(view, 0));
  bare_close(scene.bare);
}

static void answer_with_etag(copal_request *request, void *context) {
  (void)context;
  copal_message *reply = copal_reply_message(request);
  copal_message_add(reply, COPAL_OPTION_ETAG, "xy", 2);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 7);
  copal_reply_body(request, "body", 4);
}

static unsigned count_of(const copal_view *view, uint16_t number) {
  copal_options walk = copal_options_of(view);
  copal_option option;
  unsigned count = 0;
  while (copal_options_next(&walk, &option)) count += option.number == number;
  return count;
}

/* RFC 7252 5.10.6.1: "The ETag Option MUST NOT occur more than once in a response." */
static void an_etag_that_the_handler_sets_is_confirmed_too(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/e", answer_with_etag, NULL), COPAL_OK);
  const copal_view *view = steps_exchange(&scene.steps, "GET /e etag=7878", "2.05");
  assert_int_equal(count_of(view, COPAL_OPTION_ETAG), 1);
  view = steps_exchange(&scene.steps, "GET /e etag=7878 etag=7879", "2.03");
  assert_int_equal(count_of(view, COPAL_OPTION_ETAG), 1);
  assert_int_equal(view->payload.size, 0);
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_MAX_AGE, 0), 7);
  bare_close(scene.bare);
}

/* --- Responses that nobody wants -------------------------------------------------------------------- */

/* RFC 7967 2.1: 2 suppresses 2.xx, 8 suppresses 4.xx, 16 suppresses 5.xx. A CON is acknowledged all the same. And:
 * "The server MUST send back responses of the classes for which the client has not expressed any disinterest." */
static void no_response_leaves_out_the_classes_that_it_names(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  bare_expect(scene.bare, "40030001 b172 d1ea02", "60000001"); /* PUT: 2.04 is unwanted */
  bare_expect(scene.bare, "40030001 b172 d1ea02", "60000001"); /* its duplicate */
  assert_int_equal(scene.calls, 1);
  bare_expect(scene.bare, "50030002 b172 d1ea02", ""); /* NON */
  assert_int_equal(scene.calls, 2);
  bare_expect(scene.bare, "40030003 b172 d1ea18", "60440003"); /* errors are */
  bare_expect(scene.bare, "40030004 b172 d0ea", "60440004");   /* interested in all */
  bare_expect(scene.bare, "40030005 b178 d1ea0a", "60000005"); /* 4.04, 4.xx are unwanted */
  bare_in(scene.bare, "40030006 b178 d1ea02");                 /* 4.04, wanted */
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_NOT_FOUND);
  bare_close(scene.bare);
}

/* RFC 7967 2.1: "any default behavior of suppressing responses, if present, MUST be overridden to deliver those
 * responses that are of interest to the client." */
static void a_group_says_what_it_is_asked_to_say(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  copal_path path = bare_group_path(BARE_PORT);
  bare_in_path(scene.bare, &path, "50010001 b178"); /* 4.04 */
  scene.bare->now += 10 * COPAL_SECOND;
  assert_out(scene.bare, "");
  bare_in_path(scene.bare, &path, "50010002 b178 d1ea02");
  scene.bare->now += 10 * COPAL_SECOND;
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_NOT_FOUND);
  bare_close(scene.bare);
}

/* --- Where the options end ---------------------------------------------------------------------------- */

/* The root's path has no segments: nothing may follow the conditions. */
static void conditions_hold_on_the_root_too(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  copal_endpoint *endpoint = scene.bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/", answer, &scene), COPAL_OK);
  assert_int_equal(copal_route(endpoint, COPAL_PUT, "/", answer, &scene), COPAL_OK);
  assert_int_equal(copal_route_version(endpoint, "/", version, &scene), COPAL_OK);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT / if-match=ee01", "2.04");
  steps_exchange(steps, "PUT / if-match=ee01", "4.12");
  steps_exchange(steps, "GET / etag=ee01", "2.05");
  steps_exchange(steps, "GET / etag=ee02", "2.03");
  steps_exchange(steps, "GET /", "2.05");
  bare_close(scene.bare);
}

/* RFC 7959 2.10: If-None-Match comes with the first block alone, and is good for the whole. */
static void what_does_not_exist_may_be_put_in_blocks(void **state) {
  (void)state;
  struct scene scene;
  open_versioned(&scene);
  scene.version = 0;
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT 1:0/1/128 none-match", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:1/0/128", "2.04 1:1/0/128");
  assert_int_equal(scene.version, 1);
  assert_int_equal(scene.calls, 1);
  steps_exchange(steps, "PUT 1:0/1/128 none-match", "4.12");
  bare_close(scene.bare);
}

static void answer_with_a_long_etag(copal_request *request, void *context) {
  (void)context;
  copal_message *reply = copal_reply_message(request);
  copal_message_add_raw(reply, COPAL_OPTION_ETAG, "123456789", 9);
}

/* RFC 7252 5.10: an ETag has 1 to 8 bytes. What is none is nobody's to confirm. */
static void an_etag_that_is_too_long_confirms_nothing(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/e", answer_with_a_long_etag, NULL), COPAL_OK);
  steps_exchange(&scene.steps, "GET /e etag=3132333435363738", "2.05");
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(representations_are_negotiated_by_accept),
      cmocka_unit_test(payloads_of_other_formats_than_those_taken_are_refused),
      cmocka_unit_test(if_match_protects_from_lost_updates),
      cmocka_unit_test(if_none_match_protects_what_exists),
      cmocka_unit_test(conditions_of_an_upload_hold_from_its_first_block_to_its_last),
      cmocka_unit_test(conditions_without_a_version_are_refused),
      cmocka_unit_test(a_version_that_the_client_has_is_confirmed),
      cmocka_unit_test(an_etag_that_the_handler_sets_is_confirmed_too),
      cmocka_unit_test(no_response_leaves_out_the_classes_that_it_names),
      cmocka_unit_test(a_group_says_what_it_is_asked_to_say),
      cmocka_unit_test(conditions_hold_on_the_root_too),
      cmocka_unit_test(what_does_not_exist_may_be_put_in_blocks),
      cmocka_unit_test(an_etag_that_is_too_long_confirms_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
