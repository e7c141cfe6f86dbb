/* Describing routes: what has no handler cannot be described, and what is described beside it stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "support/bare.h"

static void answer(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "a");
}

static size_t version(copal_request *request, uint8_t etag[8], void *context) {
  (void)request, (void)context;
  etag[0] = 1;
  return 1;
}

static const uint16_t formats[] = {COPAL_JSON};

/* All that describes a route. */
enum { DESCRIPTIONS = 6 };

static copal_error describe(copal_endpoint *endpoint, int which, copal_code method, const char *pattern) {
  switch (which) {
    case 0: return copal_route_attributes(endpoint, pattern, "if=x");
    case 1: return copal_route_offers(endpoint, pattern, formats, 1);
    case 2: return copal_route_version(endpoint, pattern, version, NULL);
    case 3: return copal_route_observable(endpoint, pattern, 0);
    case 4: return copal_route_takes(endpoint, method, pattern, formats, 1);
    default: return copal_route_parts(endpoint, method, pattern, NULL);
  }
}

static void what_has_no_handler_cannot_be_described(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a/b", answer, NULL), COPAL_OK);
  struct route before = *routes_find(&bare->endpoint->routes, "/a/b");
  static const char *const patterns[] = {"/", "/a", "/a/c", "/a/b/c", "/{a}", "/a/*", "a/b", ""};
  for (int which = 0; which < DESCRIPTIONS; ++which)
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; ++i)
      assert_int_equal(describe(bare->endpoint, which, COPAL_GET, patterns[i]), COPAL_ERR_NOT_FOUND);
  for (int which = 4; which < DESCRIPTIONS; ++which)
    assert_int_equal(describe(bare->endpoint, which, COPAL_PUT, "/a/b"), COPAL_ERR_NOT_FOUND);
  assert_memory_equal(routes_find(&bare->endpoint->routes, "/a/b"), &before, sizeof before);
  for (int which = 0; which < DESCRIPTIONS; ++which)
    assert_int_equal(describe(bare->endpoint, which, COPAL_GET, "/a/b"), COPAL_OK);
  bare_close(bare);
}

/* RFC 7641 4.5: "at least every 24 hours". */
static void a_confirmation_is_owed_once_a_day_at_the_latest(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  copal_time day = 24 * 60 * 60 * COPAL_SECOND;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", answer, NULL), COPAL_OK);
  assert_int_equal(copal_route_observable(bare->endpoint, "/a", COPAL_NEVER), COPAL_OK);
  assert_true(routes_find(&bare->endpoint->routes, "/a")->confirm_every == day);
  assert_int_equal(copal_route_observable(bare->endpoint, "/a", day - 1), COPAL_OK);
  assert_true(routes_find(&bare->endpoint->routes, "/a")->confirm_every == day - 1);
  bare_close(bare);
}

/* So that the error of copal_open, which nobody looked at, is told by the first thing that is done with its result. */
static void without_an_endpoint_everything_says_so(void **state) {
  (void)state;
  for (int which = 0; which < DESCRIPTIONS; ++which)
    assert_int_equal(describe(NULL, which, COPAL_GET, "/a"), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_route(NULL, COPAL_GET, "/a", answer, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_notify(NULL, "/a"), 0);
  assert_int_equal(copal_notify_end(NULL, "/a", COPAL_NOT_FOUND), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_has_no_handler_cannot_be_described),
      cmocka_unit_test(a_confirmation_is_owed_once_a_day_at_the_latest),
      cmocka_unit_test(without_an_endpoint_everything_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
