/* Q-Block transfers between two endpoints, without losses: what goes over the wire, as RFC 9177's figures show it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pair.h"

static void first(void **state) {
  (void)state;
  struct pair *pair = pair_open();
  pair_set_body(pair, 25 * 1024 + 5, 1);
  copal_call_options options = {.handler = NULL};
  pair_begin(pair, COPAL_GET, "get", &options);
  pair_run(pair);
  printf("%s\n", pair->log);
  printf("%s size %zu\n", copal_error_name(pair->talk->result.error), pair->talk->body_size);
  pair_forget_log(pair);
  pair->talk->source_size = 25 * 1024 + 5;
  options = (copal_call_options){.read = talk_read, .size = 25 * 1024 + 5};
  pair_begin(pair, COPAL_PUT, "put", &options);
  pair_run(pair);
  printf("%s\n", pair->log);
  printf("%s %d size %zu\n", copal_error_name(pair->talk->result.error), pair->talk->code, pair->stored_size);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(first)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
