/* A second decoder, written straight from the text of RFC 7252 section 3 and RFC 8974 section 2.1 with no thought of
 * speed, and the comparison of the library's with it: the verdict, where everything is, and what every question that a
 * view can be asked is answered with. */
#ifndef COPAL_TESTS_EXHAUSTIVE_JUDGE_H
#define COPAL_TESTS_EXHAUSTIVE_JUDGE_H

#include "copal/message.h"

/* Decodes size bytes, which may lie where no byte beside them can be read, and compares. What decodes must encode to
 * its own bytes again, for there is only one form of every message. Returns the decoder's verdict; a difference fails
 * the test. */
copal_error judge_check(const uint8_t *data, size_t size);

/* The same of a copy of the bytes at three places where one byte read too many is noticed: in a block of the heap of
 * exactly that size, for a sanitizer, and, up to JUDGE_SMALL_MAX bytes, at the end and at the beginning of pages beside
 * which is none, for everybody. */
copal_error judge(const void *data, size_t size);

/* The same without the heap, for millions. size is at most JUDGE_SMALL_MAX. */
copal_error judge_small(const void *data, size_t size);

enum { JUDGE_SMALL_MAX = 4096 };

/* How many inputs were judged since the program began. */
extern uint64_t judge_inputs;

#endif
