/* How long a command takes from its start to its end, which is what a script feels that calls it: copal and Debian's
 * coap-client-notls by turns, telling what they are, and asking our server on the loopback interface for a greeting.
 * /bin/true beside them is what any process costs on this machine, and "static" what "make static" has made. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"

enum { ROUNDS = 25, RUNS = 8, ARGUMENTS_MAX = 6, CONTENDERS = 7 };

/* A command line, and what it took. */
struct contender {
  const char *task;
  const char *tool;
  const char *arguments[ARGUMENTS_MAX];
  bool is_missing;
  struct measure measure;
};

static pid_t serve(char *uri, size_t capacity);
static double run(const struct contender *contender);
static pid_t start(const char *const *arguments, int output);
static bool find(const char *program);
static void print(const struct contender *contenders, const struct measure_options *options);

int main(int argc, char **argv) {
  struct measure_options options = measure_options(argc, argv, ROUNDS);
  static char uri[80];
  struct contender contenders[CONTENDERS] = {
      {.task = "nothing", .tool = "true", .arguments = {"/bin/true"}},
      {.task = "version", .tool = "copal", .arguments = {COPAL_COMMAND, "--version"}},
      {.task = "version", .tool = "static", .arguments = {COPAL_STATIC, "--version"}},
      {.task = "version", .tool = "libcoap", .arguments = {"coap-client-notls", "-V"}},
      {.task = "get", .tool = "copal", .arguments = {COPAL_COMMAND, "get", "-t", "5", uri}},
      {.task = "get", .tool = "static", .arguments = {COPAL_STATIC, "get", "-t", "5", uri}},
      {.task = "get", .tool = "libcoap", .arguments = {"coap-client-notls", "-B", "5", uri}},
  };
  /* Nobody's own defaults are measured. */
  setenv("COPAL_CONFIG", "/dev/null", 1);
  unsetenv("COPAL_OPTIONS");
  pid_t server = serve(uri, sizeof uri);
  for (unsigned i = 0; i < CONTENDERS; ++i) {
    contenders[i].is_missing = !find(contenders[i].arguments[0]);
    if (!contenders[i].is_missing) run(&contenders[i]);
  }
  for (unsigned round = 0; round < options.rounds; ++round) {
    double sums[CONTENDERS] = {0};
    for (unsigned turn = 0; turn < RUNS; ++turn) {
      for (unsigned i = 0; i < CONTENDERS; ++i) {
        if (!contenders[i].is_missing) sums[i] += run(&contenders[i]);
      }
    }
    for (unsigned i = 0; i < CONTENDERS; ++i) measure_add(&contenders[i].measure, sums[i] / RUNS / 1e3);
  }
  kill(server, SIGTERM);
  waitpid(server, NULL, 0);
  print(contenders, &options);
  return 0;
}

/* Our server, on a port that the system chooses, which it tells in its first line. */
static pid_t serve(char *uri, size_t capacity) {
  static const char *const arguments[] = {COPAL_COMMAND, "serve", "--bind", "coap://127.0.0.1:0", NULL};
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) abort();
  pid_t server = start(arguments, pipes[1]);
  close(pipes[1]);
  FILE *output = fdopen(pipes[0], "r");
  unsigned port;
  if (output == NULL || fscanf(output, "listening on coap://127.0.0.1:%u", &port) != 1) {
    fprintf(stderr, "%s serve did not start\n", COPAL_COMMAND);
    exit(1);
  }
  snprintf(uri, capacity, "coap://127.0.0.1:%u/hello", port);
  return server;
}

/* Nanoseconds from its start until it has ended. */
static double run(const struct contender *contender) {
  static int sink = -1;
  if (sink < 0) sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
  double begin = measure_now_ns();
  pid_t child = start(contender->arguments, sink);
  int status;
  if (waitpid(child, &status, 0) != child) abort();
  double took = measure_now_ns() - begin;
  /* libcoap's ends with 1 where it only tells its version. */
  bool is_version = strcmp(contender->task, "version") == 0;
  if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && !is_version)) {
    fprintf(stderr, "%s %s failed\n", contender->arguments[0], contender->arguments[1]);
    exit(1);
  }
  return took;
}

static pid_t start(const char *const *arguments, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  /* posix_spawn takes the strings as they are, and has no const for history's sake. */
  char *copies[ARGUMENTS_MAX + 1] = {NULL};
  for (unsigned i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; ++i) copies[i] = strdup(arguments[i]);
  pid_t child;
  if (posix_spawnp(&child, copies[0], &actions, NULL, copies, environ) != 0) {
    fprintf(stderr, "%s cannot be started\n", copies[0]);
    exit(1);
  }
  for (unsigned i = 0; copies[i] != NULL; ++i) free(copies[i]);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

static bool find(const char *program) {
  char command[4200];
  snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
  return system(command) == 0;
}

static void print(const struct contender *contenders, const struct measure_options *options) {
  if (!options->json) printf("command: from start to end, us (median of %u rounds of %d)\n", options->rounds, RUNS);
  for (unsigned i = 0; i < CONTENDERS; ++i) {
    const struct contender *contender = &contenders[i];
    if (contender->is_missing) continue;
    if (options->json) {
      printf("{\"bench\":\"command\",\"task\":\"%s\",\"tool\":\"%s\",", contender->task, contender->tool);
      measure_json(&contender->measure, "us");
      continue;
    }
    printf("  %-8s %-8s %8.0f", contender->task, contender->tool, measure_median(&contender->measure));
    bool is_rival = strcmp(contender->tool, "libcoap") == 0;
    if (is_rival) {
      /* The one that is installed as a rule stands two lines above. */
      printf("   copal takes %.2f of it",
             measure_median(&contenders[i - 2].measure) / measure_median(&contender->measure));
    }
    printf("\n");
  }
}
