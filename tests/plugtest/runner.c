/* Runs plugtests one after the other and prints what scripts/conformance makes a document of. See plugtest.h. */
#include <stdio.h>
#include <stdlib.h>

#include "plugtest/bench.h"

enum { TESTS_MAX = 64 };

/* One test, and what has become of it. */
struct run {
  const struct plugtest *test;
  const copal_address *other_server;
  struct bench *bench;
  bool passed;
};

static int set_up(void **state) {
  struct run *run = *state;
  run->bench = calloc(1, sizeof *run->bench);
  assert_non_null(run->bench);
  bench_open(run->bench, run->test, run->other_server);
  return 0;
}

static void run_one(void **state) {
  struct run *run = *state;
  run->test->run(run->bench);
  run->passed = true;
}

static int tear_down(void **state) {
  struct run *run = *state;
  bench_close(run->bench);
  free(run->bench);
  return 0;
}

static const char *why_not(const struct plugtest *test, const char *peer) {
  if (strcmp(peer, "libcoap") == 0) return test->not_libcoap;
  return strcmp(peer, "node") == 0 ? test->not_node : NULL;
}

/* "result: CORE_01 | GET | copal | server client | passed". The roles are ours; with another server only the client's
 * is. */
static void print_result(const struct run *run, const char *peer) {
  const struct plugtest *test = run->test;
  const char *reason = why_not(test, peer);
  bool server = run->other_server == NULL && (test->roles & AS_SERVER) != 0, client = (test->roles & AS_CLIENT) != 0;
  printf("result: %s | %s | %s | %s%s%s | %s%s\n", test->id, test->what, peer, server ? "server" : "",
         server && client ? " " : "", client ? "client" : "", reason != NULL ? "not: " : "",
         reason != NULL ? reason
         : run->passed  ? "passed"
                        : "failed");
}

int plugtest_run(const struct plugtest *tests, size_t count, int argc, char **argv) {
  static struct run runs[TESTS_MAX];
  static struct CMUnitTest selected[TESTS_MAX];
  copal_address other_server;
  const char *peer = argc == 3 ? argv[1] : "copal";
  size_t selected_count = 0;
  if (argc == 3 && copal_address_parse("127.0.0.1", (uint16_t)atoi(argv[2]), &other_server) != COPAL_OK) return 2;
  for (size_t i = 0; i < count && i < TESTS_MAX; ++i) {
    runs[i] = (struct run){.test = &tests[i], .other_server = argc == 3 ? &other_server : NULL};
    if (why_not(&tests[i], peer) != NULL || (argc == 3 && (tests[i].roles & AS_CLIENT) == 0)) continue;
    selected[selected_count++] = (struct CMUnitTest){tests[i].id, run_one, set_up, tear_down, &runs[i]};
  }
  int failed = _cmocka_run_group_tests("plugtests", selected, selected_count, NULL, NULL);
  for (size_t i = 0; i < count; ++i) print_result(&runs[i], peer);
  return failed;
}
