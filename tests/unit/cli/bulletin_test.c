/* That something has changed, told to the other threads. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include "cli/serve/bulletin.h"

static struct bulletin bulletin;
static struct bulletin_reader readers[2];
static copal_endpoint *endpoints[2];

static int set_up(void **state) {
  (void)state;
  bulletin = (struct bulletin)BULLETIN_INITIAL;
  for (int i = 0; i < 2; ++i) {
    copal_open_options options = copal_open_defaults();
    options.config = copal_config_small();
    endpoints[i] = copal_open("coap://127.0.0.1:0", &options);
    if (endpoints[i] == NULL) return -1;
    readers[i] = (struct bulletin_reader){0};
    bulletin_subscribe(&bulletin, &readers[i], endpoints[i]);
    bulletin_subscribe(&bulletin, &readers[i], endpoints[i]);
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int i = 0; i < 2; ++i) copal_close(endpoints[i]);
  return 0;
}

static void who_subscribes_twice_is_one_reader(void **state) {
  (void)state;
  assert_int_equal(bulletin.count, 2);
}

static void others_read_it_once_and_are_woken(void **state) {
  (void)state;
  assert_false(bulletin_read(&bulletin, &readers[1]));
  bulletin_post(&bulletin, &readers[0]);
  assert_int_equal(copal_process(endpoints[1], COPAL_NEVER, NULL), COPAL_ERR_INTERRUPTED);
  assert_true(bulletin_read(&bulletin, &readers[1]));
  assert_false(bulletin_read(&bulletin, &readers[1]));
}

static void who_posts_knows_and_is_not_woken(void **state) {
  (void)state;
  bulletin_post(&bulletin, &readers[0]);
  assert_false(bulletin_read(&bulletin, &readers[0]));
  assert_int_equal(copal_process(endpoints[0], 0, NULL), 0);
}

static void what_others_posted_before_is_still_to_be_read(void **state) {
  (void)state;
  bulletin_post(&bulletin, &readers[1]);
  bulletin_post(&bulletin, &readers[0]);
  assert_true(bulletin_read(&bulletin, &readers[0]));
  assert_true(bulletin_read(&bulletin, &readers[1]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(who_subscribes_twice_is_one_reader, set_up, tear_down),
      cmocka_unit_test_setup_teardown(others_read_it_once_and_are_woken, set_up, tear_down),
      cmocka_unit_test_setup_teardown(who_posts_knows_and_is_not_woken, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_others_posted_before_is_still_to_be_read, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
