/* Runs plugtests one after the other and notes their results. See plugtest.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugtest/bench.h"

enum { TESTS_MAX = 64 };

/* One test, and what has become of it. */
struct run {
  const struct plugtest *test;
  const struct peer *peer;
  struct bench *bench;
  bool passed;
};

static int set_up(void **state) {
  struct run *run = *state;
  run->bench = calloc(1, sizeof *run->bench);
  assert_non_null(run->bench);
  bench_open(run->bench, run->test, run->peer);
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

static const char *remark_on(const struct plugtest *test, const char *peer) {
  const char *remark = NULL;
  if (strcmp(peer, "libcoap") == 0) remark = test->libcoap;
  if (strcmp(peer, "node") == 0) remark = test->node;
  return remark == NULL ? "" : remark;
}

static bool can_run(const struct plugtest *test, const char *peer) {
  return strncmp(remark_on(test, peer), "no: ", 4) != 0;
}

/* "TD_COAP_CORE_01 | GET | copal | server client | passed | ", with the roles that ours plays: with another server only
 * the client's. */
static void write_result(const struct run *run, FILE *file) {
  const struct plugtest *test = run->test;
  const char *peer = run->peer->name;
  bool server = run->peer->port == 0 && (test->roles & AS_SERVER) != 0, client = (test->roles & AS_CLIENT) != 0;
  const char *what = !can_run(test, peer) ? "not run" : run->passed ? "passed" : "failed";
  fprintf(file, "%s | %s | %s | %s%s%s | %s | %s\n", test->id, test->what, peer, server ? "server" : "",
          server && client ? " " : "", client ? "client" : "", what, remark_on(test, peer));
}

/* For scripts/conformance: a file for each program and peer in the folder PLUGTEST_RESULTS, if there is one. */
static void write_results(const struct run *runs, size_t count, const char *program) {
  const char *folder = getenv("PLUGTEST_RESULTS"), *slash = strrchr(program, '/');
  char path[512];
  if (folder == NULL) return;
  snprintf(path, sizeof path, "%s/%s_%s", folder, runs[0].peer->name, slash == NULL ? program : slash + 1);
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  for (size_t i = 0; i < count; ++i) write_result(&runs[i], file);
  fclose(file);
}

int plugtest_run(const struct plugtest *tests, size_t count, int argc, char **argv) {
  static struct run runs[TESTS_MAX];
  static struct CMUnitTest selected[TESTS_MAX];
  struct peer peer = {.name = "copal"};
  size_t selected_count = 0;
  if (argc > 2) peer = (struct peer){.name = argv[1], .port = (uint16_t)atoi(argv[2])};
  peer.unconfirmed_port = argc > 3 ? (uint16_t)atoi(argv[3]) : peer.port;
  assert(count <= TESTS_MAX);
  for (size_t i = 0; i < count; ++i) {
    runs[i] = (struct run){.test = &tests[i], .peer = &peer};
    if (!can_run(&tests[i], peer.name)) continue;
    selected[selected_count++] = (struct CMUnitTest){tests[i].id, run_one, set_up, tear_down, &runs[i]};
  }
  int failed = _cmocka_run_group_tests("plugtests", selected, selected_count, NULL, NULL);
  write_results(runs, count, argv[0]);
  return failed;
}
