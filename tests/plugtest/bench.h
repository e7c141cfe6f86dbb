/* Opening and closing what a plugtest works with. See plugtest.h. */
#ifndef COPAL_TESTS_PLUGTEST_BENCH_H
#define COPAL_TESTS_PLUGTEST_BENCH_H

#include "plugtest/plugtest.h"

/* Whose server it is, and where; port 0: one of ours, which is to be started. */
struct peer {
  const char *name;
  uint16_t port, unconfirmed_port;
};

/* bench is all zero. */
void bench_open(struct bench *bench, const struct plugtest *test, const struct peer *peer);
void bench_close(struct bench *bench);

#endif
