/* copal-sim: real endpoints on a virtual network, where everything goes wrong that can, and nothing may be wrong. One
 * seed decides everything. docs/testing.md tells how to use it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program/breaks.h"
#include "program/run.h"

enum { EXCHANGES_USUAL = 5000, REPORT_SECONDS = 10 };

struct arguments {
  uint64_t first, last, exchanges;
  const char *workload, *broken;
  uint32_t hosts;
  double minutes;
  bool is_traced, is_soak;
};

static const char usage[] =
    "usage: copal-sim [--seed N | --seeds A..B | --count K | --minutes N] [--exchanges M]\n"
    "                 [--workload NAME] [--nodes K] [--trace] [--break NAME]\n";

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void refuse(const char *argument) {
  fprintf(stderr, "copal-sim: %s\n%sworkloads:", argument, usage);
  for (const char *const *name = setting_workloads; *name != NULL; ++name) fprintf(stderr, " %s", *name);
  fprintf(stderr, "\nbreaks:");
#define PRINT_BREAK(name) fprintf(stderr, " " name);
  BREAKS(PRINT_BREAK)
#undef PRINT_BREAK
  fprintf(stderr, "\n");
  exit(2);
}

static uint64_t number_of(const char *name, const char *text) {
  char *end;
  uint64_t number = text == NULL ? 0 : strtoull(text, &end, 0);
  if (text == NULL || *text == 0 || *end != 0) refuse(name);
  return number;
}

static void parse_range(struct arguments *arguments, char *text) {
  char *dots = text == NULL ? NULL : strstr(text, "..");
  if (dots == NULL) refuse("--seeds A..B");
  *dots = 0;
  arguments->first = number_of("--seeds", text);
  arguments->last = number_of("--seeds", dots + 2);
}

static struct arguments parse(int count, char **values) {
  struct arguments arguments = {.first = 1, .last = 1, .exchanges = EXCHANGES_USUAL, .workload = "mix"};
  for (int i = 1; i < count; ++i) {
    const char *name = values[i];
    if (strcmp(name, "--trace") == 0) {
      arguments.is_traced = true;
      continue;
    }
    char *value = ++i < count ? values[i] : NULL;
    if (strcmp(name, "--seed") == 0)
      arguments.first = arguments.last = number_of(name, value);
    else if (strcmp(name, "--seeds") == 0)
      parse_range(&arguments, value);
    else if (strcmp(name, "--count") == 0)
      arguments.last = arguments.first + number_of(name, value) - 1;
    else if (strcmp(name, "--exchanges") == 0)
      arguments.exchanges = number_of(name, value);
    else if (strcmp(name, "--nodes") == 0)
      arguments.hosts = (uint32_t)number_of(name, value);
    else if (strcmp(name, "--minutes") == 0)
      arguments.minutes = (double)number_of(name, value), arguments.is_soak = true;
    else if (strcmp(name, "--workload") == 0 && value != NULL)
      arguments.workload = value;
    else if (strcmp(name, "--break") == 0 && value != NULL)
      arguments.broken = value;
    else
      refuse(name);
  }
  if (arguments.hosts == 1 || arguments.hosts > HOSTS_MAX) refuse("--nodes: 2 to 32");
  if (arguments.exchanges == 0 || arguments.exchanges > UINT32_MAX / 2) refuse("--exchanges: 1 to 2147483647");
  return arguments;
}

static void report(const struct account *account, double began) {
  double passed = seconds(CLOCK_MONOTONIC) - began, busy = seconds(CLOCK_PROCESS_CPUTIME_ID);
  account_print(account, stdout);
  printf("  %.0f exchanges a second, for %.1f s; %.0f a second of processor time\n",
         (double)account->exchanges / passed, passed, (double)account->exchanges / busy);
  fflush(stdout);
}

static bool is_over(const struct arguments *arguments, uint64_t seed, double passed) {
  return arguments->is_soak ? passed >= arguments->minutes * 60 : seed > arguments->last;
}

int main(int count, char **values) {
  struct arguments arguments = parse(count, values);
  struct stage *stage = stage_begin();
  struct account account = {0};
  double began = seconds(CLOCK_MONOTONIC), reported = began;
  for (uint64_t seed = arguments.first; !is_over(&arguments, seed, seconds(CLOCK_MONOTONIC) - began); ++seed) {
    struct setting setting;
    if (!setting_draw(&setting, seed, arguments.exchanges, arguments.workload, arguments.hosts)) refuse("--workload");
    if (arguments.first == arguments.last && !arguments.is_soak) setting_print(&setting, stdout);
    run(stage, &setting, arguments.is_traced, arguments.broken, &account);
    if (!arguments.is_soak || seconds(CLOCK_MONOTONIC) - reported < REPORT_SECONDS) continue;
    reported = seconds(CLOCK_MONOTONIC);
    report(&account, began);
  }
  report(&account, began);
  stage_end(stage);
  return 0;
}
