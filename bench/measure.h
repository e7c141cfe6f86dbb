/* What benchmarks share: the clock, figures of several rounds, and how they are written. With --json a figure is a line
 * of JSON, else the program draws its tables itself. */
#ifndef COPAL_BENCH_MEASURE_H
#define COPAL_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEASURE_ROUNDS_MAX = 31 };

/* One figure, measured in every round. */
struct measure {
  double values[MEASURE_ROUNDS_MAX];
  unsigned count;
};

static inline double measure_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline void measure_add(struct measure *measure, double value) {
  if (measure->count == MEASURE_ROUNDS_MAX) abort();
  measure->values[measure->count++] = value;
}

static inline int measure_compare(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static inline double measure_quantile(const struct measure *measure, double quantile) {
  double values[MEASURE_ROUNDS_MAX];
  if (measure->count == 0) abort();
  memcpy(values, measure->values, measure->count * sizeof *values);
  qsort(values, measure->count, sizeof *values, measure_compare);
  return values[(unsigned)(quantile * (measure->count - 1) + 0.5)];
}

static inline double measure_median(const struct measure *measure) { return measure_quantile(measure, 0.5); }

/* The median, smallest and largest value as the end of a line of JSON that the caller began with its own fields. */
static inline void measure_json(const struct measure *measure, const char *unit) {
  printf("\"unit\":\"%s\",\"median\":%.2f,\"min\":%.2f,\"max\":%.2f,\"rounds\":%u}\n", unit, measure_median(measure),
         measure_quantile(measure, 0), measure_quantile(measure, 1), measure->count);
}

/* What every program here may be told. */
struct measure_options {
  bool json, quick; /* quick: leave out what takes long; a test looks only at the form */
  unsigned rounds;
  const char *only; /* which part of it; NULL for all */
};

/* [--json] [--quick] [--rounds N] [PART]; anything else ends the program. */
static inline struct measure_options measure_options(int argc, char **argv, unsigned rounds) {
  struct measure_options options = {.rounds = rounds};
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--json") == 0) {
      options.json = true;
    } else if (strcmp(argv[i], "--quick") == 0) {
      options.quick = true;
    } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
      options.rounds = (unsigned)atoi(argv[++i]);
    } else if (argv[i][0] != '-' && options.only == NULL) {
      options.only = argv[i];
    } else {
      fprintf(stderr, "usage: %s [--json] [--quick] [--rounds N] [PART]\n", argv[0]);
      exit(2);
    }
  }
  if (options.rounds < 1 || options.rounds > MEASURE_ROUNDS_MAX) exit(2);
  return options;
}

/* Keeps the compiler from leaving out what only a benchmark wants, or from moving it out of a loop. */
static inline void measure_keep(const void *memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

#endif
