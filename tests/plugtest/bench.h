/* Opening and closing what a plugtest works with. See plugtest.h. */
#ifndef COPAL_TESTS_PLUGTEST_BENCH_H
#define COPAL_TESTS_PLUGTEST_BENCH_H

#include "plugtest/plugtest.h"

/* bench is all zero. other_server NULL: a server of ours is started. */
void bench_open(struct bench *bench, const struct plugtest *test, const copal_address *other_server);
void bench_close(struct bench *bench);

#endif
