/* See timer.h. Invariant: a set timer is in bucket_of(deadline), whatever happened since it was set. */
#include "base/timer.h"

#include <assert.h>
#include <stddef.h>

/* How many timers of the first bucket are looked at for an exact answer; beyond, its lower bound will do. */
enum { EXACT_MAX = 16 };

static struct timer *timer_at(const struct timer_queue *queue, uint32_t index) {
  return (struct timer *)(void *)(queue->timers + (size_t)index * queue->record_size);
}

static uint32_t highest_bit(uint64_t value) { return 63u - (uint32_t)__builtin_clzll(value); }

static uint32_t bucket_of(const struct timer_queue *queue, uint64_t deadline) {
  return deadline <= queue->time ? 0 : highest_bit(deadline ^ queue->time) + 1;
}

static void append(struct timer_queue *queue, uint32_t bucket, uint32_t index) {
  struct timer *timer = timer_at(queue, index);
  uint32_t first = queue->first[bucket];
  if (first == INDEX_NONE) {
    timer->next = timer->previous = index;
    queue->first[bucket] = index;
    if (bucket > 0) queue->filled |= (uint64_t)1 << (bucket - 1);
    return;
  }
  struct timer *head = timer_at(queue, first);
  timer->next = first;
  timer->previous = head->previous;
  timer_at(queue, head->previous)->next = index;
  head->previous = index;
}

static void detach(struct timer_queue *queue, uint32_t bucket, uint32_t index) {
  struct timer *timer = timer_at(queue, index);
  if (timer->next == index) {
    queue->first[bucket] = INDEX_NONE;
    if (bucket > 0) queue->filled &= ~((uint64_t)1 << (bucket - 1));
    return;
  }
  timer_at(queue, timer->previous)->next = timer->next;
  timer_at(queue, timer->next)->previous = timer->previous;
  if (queue->first[bucket] == index) queue->first[bucket] = timer->next;
}

void timer_queue_init(struct timer_queue *queue, void *timers, uint32_t record_size, uint64_t now) {
  queue->timers = (uint8_t *)timers;
  queue->record_size = record_size;
  queue->count = 0;
  queue->time = now;
  queue->filled = 0;
  for (int bucket = 0; bucket < TIMER_BUCKETS; ++bucket) queue->first[bucket] = INDEX_NONE;
}

void timer_set(struct timer_queue *queue, uint32_t index, uint64_t deadline) {
  timer_at(queue, index)->deadline = deadline;
  append(queue, bucket_of(queue, deadline), index);
  ++queue->count;
}

void timer_cancel(struct timer_queue *queue, uint32_t index) {
  assert(queue->count > 0);
  detach(queue, bucket_of(queue, timer_at(queue, index)->deadline), index);
  --queue->count;
}

/* Empties a bucket, dealing its timers out by the time now reached. */
static void deal(struct timer_queue *queue, uint32_t bucket) {
  uint32_t first = queue->first[bucket];
  assert(first != INDEX_NONE); /* or it would not count as filled */
  queue->first[bucket] = INDEX_NONE;
  queue->filled &= ~((uint64_t)1 << (bucket - 1));
  uint32_t index = first;
  do {
    uint32_t next = timer_at(queue, index)->next;
    append(queue, bucket_of(queue, timer_at(queue, index)->deadline), index);
    index = next;
  } while (index != first);
}

/* Buckets below the highest bit that changes are due whole; that bit's bucket is dealt out; those above stay. */
static void advance(struct timer_queue *queue, uint64_t now) {
  if (now <= queue->time) return;
  uint32_t top = highest_bit(now ^ queue->time) + 1;
  uint64_t reached = queue->filled & (((uint64_t)1 << (top - 1)) * 2 - 1);
  queue->time = now;
  while (reached != 0) {
    deal(queue, (uint32_t)__builtin_ctzll(reached) + 1);
    reached &= reached - 1;
  }
}

uint32_t timer_take_due(struct timer_queue *queue, uint64_t now) {
  if (queue->count == 0) return INDEX_NONE;
  advance(queue, now);
  uint32_t index = queue->first[0];
  if (index == INDEX_NONE) return INDEX_NONE;
  detach(queue, 0, index);
  --queue->count;
  return index;
}

uint64_t timer_earliest(const struct timer_queue *queue) {
  if (queue->first[0] != INDEX_NONE) return 0;
  if (queue->filled == 0) return UINT64_MAX;
  uint32_t bit = (uint32_t)__builtin_ctzll(queue->filled);
  uint32_t first = queue->first[bit + 1], index = first;
  uint64_t earliest = UINT64_MAX;
  for (int looked_at = 0; looked_at < EXACT_MAX; ++looked_at) {
    const struct timer *timer = timer_at(queue, index);
    if (timer->deadline < earliest) earliest = timer->deadline;
    index = timer->next;
    if (index == first) return earliest;
  }
  return (queue->time >> bit | 1) << bit; /* the least that this bucket can hold */
}
