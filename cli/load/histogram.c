/* Durations in buckets. Knows no clock. Below 2^7 ns every value has a bucket of its own; above, each power of two has
 * 2^7 of them. */
#include "cli/load/histogram.h"

#include <string.h>

static unsigned width_of(copal_time value);

void histogram_add(struct histogram *histogram, copal_time duration) {
  if (histogram->count == 0 || duration < histogram->shortest) histogram->shortest = duration;
  if (duration > histogram->longest) histogram->longest = duration;
  histogram->sum += duration;
  ++histogram->count;
  ++histogram->buckets[histogram_bucket(duration)];
}

copal_time histogram_quantile(const struct histogram *histogram, double share) {
  if (histogram->count == 0) return 0;
  /* The rank counts from 1 and is rounded up: of 10 values, the 99th percentile is the tenth. */
  double exact = share * (double)histogram->count;
  uint64_t rank = (uint64_t)exact;
  if ((double)rank < exact || rank == 0) ++rank;
  uint64_t seen = 0;
  size_t bucket = 0;
  for (; bucket < HISTOGRAM_BUCKETS - 1; ++bucket) {
    seen += histogram->buckets[bucket];
    if (seen >= rank) break;
  }
  copal_time end = histogram_bucket_end(bucket);
  if (bucket == HISTOGRAM_BUCKETS - 1 || end > histogram->longest) return histogram->longest;
  return end < histogram->shortest ? histogram->shortest : end;
}

double histogram_mean(const struct histogram *histogram) {
  return histogram->count == 0 ? 0 : (double)histogram->sum / (double)histogram->count;
}

void histogram_clear(struct histogram *histogram) { memset(histogram, 0, sizeof *histogram); }

size_t histogram_bucket(copal_time duration) {
  unsigned width = width_of(duration);
  if (width <= HISTOGRAM_FINE_BITS) return (size_t)duration;
  if (width > HISTOGRAM_RANGE_BITS) return HISTOGRAM_BUCKETS - 1;
  /* The leading bit chooses the power of two, those behind it the part. */
  unsigned shift = width - 1 - HISTOGRAM_FINE_BITS;
  return ((size_t)shift << HISTOGRAM_FINE_BITS) + (size_t)(duration >> shift);
}

copal_time histogram_bucket_end(size_t bucket) {
  size_t parts = (size_t)1 << HISTOGRAM_FINE_BITS;
  if (bucket < 2 * parts) return bucket;
  unsigned shift = (unsigned)(bucket / parts) - 1;
  copal_time part = parts + bucket % parts;
  return ((part + 1) << shift) - 1;
}

static unsigned width_of(copal_time value) { return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value); }
