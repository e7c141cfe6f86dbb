/* The timer queue against a model that looks at every timer: random operations with deadlines near, far and at the ends
 * of 64 bits. Promised are: all that is due and nothing else comes out, equals in the order of setting, and earliest is
 * never late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "base/timer.h"
#include "support/dice.h"

enum { COUNT = 400 };

struct record {
  struct timer timer;
  uint64_t other; /* timers live within larger records */
};

struct fixture {
  struct record *records;
  struct timer_queue queue;
  uint64_t now;
  uint64_t order[COUNT]; /* 0: not set; else the count of timers set before it, and 1 */
  uint64_t deadline[COUNT];
  uint64_t set;
  uint32_t count;
};

static void open_queue(struct fixture *fixture, uint64_t now) {
  *fixture = (struct fixture){.now = now};
  fixture->records = calloc(COUNT, sizeof *fixture->records);
  timer_queue_init(&fixture->queue, fixture->records, sizeof *fixture->records, now);
}

static void set(struct fixture *fixture, uint32_t index, uint64_t deadline) {
  timer_set(&fixture->queue, index, deadline);
  fixture->order[index] = ++fixture->set;
  fixture->deadline[index] = deadline;
  ++fixture->count;
}

static void cancel(struct fixture *fixture, uint32_t index) {
  timer_cancel(&fixture->queue, index);
  fixture->order[index] = 0;
  --fixture->count;
}

static uint32_t count_due(const struct fixture *fixture) {
  uint32_t due = 0;
  for (uint32_t i = 0; i < COUNT; ++i) due += fixture->order[i] != 0 && fixture->deadline[i] <= fixture->now;
  return due;
}

static void assert_earliest(const struct fixture *fixture) {
  uint64_t least = UINT64_MAX;
  for (uint32_t i = 0; i < COUNT; ++i)
    if (fixture->order[i] != 0 && fixture->deadline[i] < least) least = fixture->deadline[i];
  uint64_t earliest = timer_earliest(&fixture->queue);
  assert_true(earliest <= least);
  if (fixture->count == 0) assert_true(earliest == UINT64_MAX);
  if (fixture->count <= 16 && least > fixture->now) assert_true(earliest == least);
  /* What is early must come nearer, or waiting for it would never end. */
  if (least > fixture->now && fixture->queue.time == fixture->now) assert_true(earliest > fixture->now);
}

/* Takes all that is due: each once, none early, equals in the order of setting. */
static void take_all(struct fixture *fixture) {
  uint32_t due = count_due(fixture), index;
  for (uint64_t last_deadline = 0, last_order = 0;
       (index = timer_take_due(&fixture->queue, fixture->now)) != INDEX_NONE; --due) {
    assert_true(due > 0);
    assert_true(fixture->order[index] != 0);
    assert_true(fixture->deadline[index] <= fixture->now);
    if (fixture->deadline[index] == last_deadline) assert_true(fixture->order[index] > last_order);
    last_deadline = fixture->deadline[index];
    last_order = fixture->order[index];
    fixture->order[index] = 0;
    --fixture->count;
  }
  assert_int_equal(due, 0);
  assert_int_equal(fixture->queue.count, fixture->count);
}

static uint64_t draw_deadline(struct dice *dice, uint64_t now) {
  switch (dice_below(dice, 12)) {
    case 0: return UINT64_MAX;
    case 1: return UINT64_MAX - dice_below(dice, 3);
    case 2: return dice_u64(dice);
    case 3: return now == 0 ? 0 : now - 1; /* in the past */
    case 4: return now;
    case 5: return now + 1 == 0 ? now : now + 1;
    case 6: return ((uint64_t)1 << 63) + dice_below(dice, 5) - 2;
    case 7: return (now | 0xffff) + 1; /* the seam of buckets */
    default: break;
  }
  uint64_t distance = dice_u64(dice) >> (20 + dice_below(dice, 44));
  return distance > UINT64_MAX - now ? UINT64_MAX : now + distance;
}

static uint64_t draw_step(struct dice *dice, uint64_t now) {
  uint64_t step = dice_below(dice, 2000) == 0 ? dice_u64(dice) >> dice_below(dice, 64)
                                              : dice_u64(dice) >> (30 + dice_below(dice, 34));
  return step > UINT64_MAX - now ? UINT64_MAX : now + step;
}

static void random_operations(uint64_t start, uint64_t seed, int operations) {
  struct fixture fixture;
  struct dice dice = {seed};
  open_queue(&fixture, start);
  for (int i = 0; i < operations; ++i) {
    uint32_t index = dice_below(&dice, i / 1000 % 2 == 0 ? COUNT : 12);
    if (fixture.order[index] == 0)
      set(&fixture, index, draw_deadline(&dice, fixture.now));
    else
      cancel(&fixture, index);
    if (dice_below(&dice, 8) == 0) fixture.now = draw_step(&dice, fixture.now);
    if (dice_below(&dice, 4) == 0) take_all(&fixture);
    if (i % 8 == 0) assert_earliest(&fixture);
  }
  fixture.now = UINT64_MAX;
  take_all(&fixture);
  assert_int_equal(fixture.count, 0);
  assert_true(timer_earliest(&fixture.queue) == UINT64_MAX);
  free(fixture.records);
}

static void random_operations_agree_with_a_model(void **state) {
  (void)state;
  random_operations(0, 3, 100000);
  random_operations((uint64_t)1 << 40, 5, 100000);
  random_operations(((uint64_t)1 << 63) - 1000, 7, 50000);
  random_operations(UINT64_MAX - 100000, 9, 20000);
}

static void equal_deadlines_come_in_the_order_of_setting_whenever_they_were_set(void **state) {
  (void)state;
  struct fixture fixture;
  open_queue(&fixture, 0);
  for (uint32_t i = 0; i < 200; ++i) {
    set(&fixture, i, 1000000);
    fixture.now += i * 49; /* the same deadline is set from ever nearer, so from many buckets */
    take_all(&fixture);
  }
  fixture.now = 1000000;
  for (uint32_t i = 0; i < 200; ++i) assert_int_equal(timer_take_due(&fixture.queue, fixture.now), i);
  free(fixture.records);
}

/* Who sleeps until earliest, again and again, sleeps seldom and never too long. */
static void sleeping_until_earliest_reaches_every_deadline_in_few_steps(void **state) {
  (void)state;
  struct fixture fixture;
  open_queue(&fixture, 12345);
  struct dice dice = {11};
  for (uint32_t i = 0; i < COUNT; ++i) set(&fixture, i, fixture.now + 2000000000 + dice_below(&dice, 1000000000));
  uint32_t steps = 0;
  for (; fixture.count > 0; ++steps) {
    fixture.now = timer_earliest(&fixture.queue);
    assert_true(fixture.now != 0 && fixture.now != UINT64_MAX);
    for (uint32_t i = 0; i < COUNT; ++i) assert_true(fixture.order[i] == 0 || fixture.deadline[i] >= fixture.now);
    take_all(&fixture);
  }
  assert_in_range(steps, 1, 3 * COUNT);
  free(fixture.records);
}

static void time_that_goes_back_changes_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open_queue(&fixture, 1000);
  set(&fixture, 0, 1500);
  assert_int_equal(timer_take_due(&fixture.queue, 1400), INDEX_NONE);
  assert_int_equal(timer_take_due(&fixture.queue, 5), INDEX_NONE);
  assert_true(timer_earliest(&fixture.queue) == 1500);
  timer_cancel(&fixture.queue, 0);
  timer_set(&fixture.queue, 0, 1300); /* due since long ago */
  assert_true(timer_earliest(&fixture.queue) == 0);
  assert_int_equal(timer_take_due(&fixture.queue, 5), 0);
  free(fixture.records);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations_agree_with_a_model),
      cmocka_unit_test(equal_deadlines_come_in_the_order_of_setting_whenever_they_were_set),
      cmocka_unit_test(sleeping_until_earliest_reaches_every_deadline_in_few_steps),
      cmocka_unit_test(time_that_goes_back_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
