/* The outbox: in order, never more than it holds, and a reply pinned from its push until the output after the one that
 * gave it out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "endpoint/outbox.h"
#include "support/dice.h"

enum { REPLIES = 5 };

/* A reply and the bytes behind it. */
struct kept {
  struct reply reply;
  uint8_t bytes[8];
};

struct fixture {
  struct outbox outbox;
  void *memory;
  struct kept replies[REPLIES];
};

static void open_outbox(struct fixture *fixture, uint32_t capacity) {
  *fixture = (struct fixture){.memory = NULL};
  struct layout counting = {NULL, 0};
  outbox_init(&fixture->outbox, &counting, capacity);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  outbox_init(&fixture->outbox, &layout, capacity);
  for (uint32_t i = 0; i < REPLIES; ++i) {
    fixture->replies[i].reply.size = 8;
    memset(fixture->replies[i].bytes, (int)i, 8);
  }
}

static struct path to(uint16_t port) { return (struct path){.port = port, .families = COPAL_FAMILY_IPV4}; }

static void a_reply_is_pinned_until_the_output_after_the_one_that_gave_it_out(void **state) {
  (void)state;
  struct fixture fixture;
  open_outbox(&fixture, 4);
  struct path path = to(1);
  struct reply *reply = &fixture.replies[0].reply;
  copal_datagram datagram;
  assert_true(outbox_push_reply(&fixture.outbox, &path, reply));
  assert_true(outbox_push_reply(&fixture.outbox, &path, reply));
  assert_int_equal(reply->pins, 2);
  outbox_release(&fixture.outbox);
  assert_int_equal(reply->pins, 2);
  assert_true(outbox_pop(&fixture.outbox, &datagram));
  assert_int_equal(reply->pins, 2);
  assert_ptr_equal(datagram.data, fixture.replies[0].bytes);
  assert_int_equal(datagram.size, 8);
  outbox_release(&fixture.outbox);
  assert_int_equal(reply->pins, 1);
  assert_true(outbox_pop(&fixture.outbox, &datagram));
  assert_false(outbox_pop(&fixture.outbox, &datagram));
  outbox_release(&fixture.outbox);
  assert_int_equal(reply->pins, 0);
  free(fixture.memory);
}

static void one_reply_waits_at_most_255_times(void **state) {
  (void)state;
  struct fixture fixture;
  open_outbox(&fixture, 300);
  struct path path = to(1);
  for (int i = 0; i < 255; ++i) assert_true(outbox_push_reply(&fixture.outbox, &path, &fixture.replies[0].reply));
  assert_false(outbox_push_reply(&fixture.outbox, &path, &fixture.replies[0].reply));
  assert_true(outbox_push_reply(&fixture.outbox, &path, &fixture.replies[1].reply));
  copal_datagram datagram;
  while (outbox_pop(&fixture.outbox, &datagram)) continue;
  outbox_release(&fixture.outbox);
  assert_int_equal(fixture.replies[0].reply.pins, 0);
  free(fixture.memory);
}

/* The model: numbers in order; each goes to the port of its number. */
static void random_pushes_and_pops_keep_the_order(void **state) {
  (void)state;
  for (uint32_t capacity = 1; capacity < 20; ++capacity) {
    struct fixture fixture;
    struct dice dice = {capacity};
    open_outbox(&fixture, capacity);
    uint16_t pushed = 0, popped = 0, released = 0;
    for (int i = 0; i < 20000; ++i) {
      copal_datagram datagram;
      switch (dice_below(&dice, 5)) {
        case 0:
        case 1: {
          struct path path = to(pushed);
          bool room = (uint16_t)(pushed - released) < capacity;
          bool done = pushed % 2 == 0
                          ? outbox_push_reply(&fixture.outbox, &path, &fixture.replies[pushed % REPLIES].reply)
                          : outbox_push_empty(&fixture.outbox, &path, COPAL_ACK, pushed);
          assert_int_equal(done, room);
          if (done) ++pushed;
          break;
        }
        case 2:
        case 3:
          assert_int_equal(outbox_pop(&fixture.outbox, &datagram), popped != pushed);
          if (popped == pushed) break;
          assert_int_equal(datagram.path.remote.port, popped);
          if (popped % 2 == 0)
            assert_int_equal(datagram.data[0], popped % REPLIES);
          else
            assert_int_equal(header_mid(datagram.data), popped);
          ++popped;
          break;
        case 4: outbox_release(&fixture.outbox); released = popped;
      }
      uint32_t pins = 0, expected = 0;
      for (int k = 0; k < REPLIES; ++k) pins += fixture.replies[k].reply.pins;
      for (uint16_t at = released; at != pushed; ++at) expected += at % 2 == 0;
      assert_int_equal(pins, expected);
    }
    free(fixture.memory);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reply_is_pinned_until_the_output_after_the_one_that_gave_it_out),
      cmocka_unit_test(one_reply_waits_at_most_255_times),
      cmocka_unit_test(random_pushes_and_pops_keep_the_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
