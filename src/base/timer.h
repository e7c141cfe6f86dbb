/* A queue of deadlines in which setting and cancelling are O(1) however many there are: a radix heap. Time only moves
 * forward; a deadline waits in the bucket of the highest bit in which it differs from the time reached. When time
 * passes that bit, the bucket is dealt out to lower ones, at most once per bit, and those that are due form bucket 0.
 * Intrusive: a timer lives in its record, and the record's index names it. */
#ifndef COPAL_BASE_TIMER_H
#define COPAL_BASE_TIMER_H

#include <stdint.h>

#include "base/index.h"

struct timer {
  uint64_t deadline;
  uint32_t next, previous; /* a ring of record indexes; free for other lists while the timer is not set */
};

enum { TIMER_BUCKETS = 65 };

struct timer_queue {
  uint8_t *timers; /* the first record's timer */
  uint32_t record_size;
  uint32_t count;
  uint64_t time;                 /* reached so far */
  uint64_t filled;               /* bit b - 1: bucket b is not empty */
  uint32_t first[TIMER_BUCKETS]; /* of each bucket's ring */
};

void timer_queue_init(struct timer_queue *queue, void *timers, uint32_t record_size, uint64_t now);

/* Sets a timer that is not set. A deadline in the past is due at once. */
void timer_set(struct timer_queue *queue, uint32_t index, uint64_t deadline);

/* Cancels a timer that is set. */
void timer_cancel(struct timer_queue *queue, uint32_t index);

/* Takes a timer that is due at now, in the order of setting among equals; INDEX_NONE when none is. */
uint32_t timer_take_due(struct timer_queue *queue, uint64_t now);

/* The earliest deadline or a moment before it: 0 when one is due already, UINT64_MAX when no timer is set. */
uint64_t timer_earliest(const struct timer_queue *queue);

#endif
