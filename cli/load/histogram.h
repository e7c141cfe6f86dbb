/* How often each duration came, in buckets that are as fine as their values are small: bounded memory, and percentiles
 * that are right to less than 1 in 128. Pure. */
#ifndef COPAL_CLI_LOAD_HISTOGRAM_H
#define COPAL_CLI_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

enum {
  HISTOGRAM_FINE_BITS = 7,   /* every power of two is divided into so many parts, as a power of two */
  HISTOGRAM_RANGE_BITS = 42, /* values up to 2^42 ns, an hour and 13 minutes; larger ones count as that */
  HISTOGRAM_BUCKETS = (HISTOGRAM_RANGE_BITS - HISTOGRAM_FINE_BITS + 1) << HISTOGRAM_FINE_BITS
};

/* All zero is empty. */
struct histogram {
  uint64_t count;
  copal_time shortest, longest, sum; /* as they were, not as the buckets have them */
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, copal_time duration);

/* The duration that this share of all does not exceed, 0.99 for 99 %; 0 where there is none. Not above the longest. */
copal_time histogram_quantile(const struct histogram *histogram, double share);

/* 0 where there is none. */
double histogram_mean(const struct histogram *histogram);

void histogram_clear(struct histogram *histogram);

/* Where a duration is counted, and the greatest that is counted there. */
size_t histogram_bucket(copal_time duration);
copal_time histogram_bucket_end(size_t bucket);

#endif
