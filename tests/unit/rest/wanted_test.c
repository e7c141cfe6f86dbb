/* Which blocks a request's Q-Block2 options ask for. RFC 9177 section 4.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/wanted.h"
#include "rest/window.h"

/* Reads a request with blocks of that number and M bit; a negative number ends them. */
static bool reads(struct wanted *wanted, const int (*blocks)[2], uint8_t szx) {
  uint8_t buffer[256];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  for (; (*blocks)[0] >= 0; ++blocks) {
    copal_block block = {(uint32_t)(*blocks)[0], (*blocks)[1] != 0, szx};
    copal_message_add_uint(&message, COPAL_OPTION_Q_BLOCK2, copal_block_value(block));
  }
  assert_int_equal(message.error, COPAL_OK);
  copal_view view = copal_message_view(&message);
  return wanted_read(&view, wanted);
}

#define assert_wants(wanted, ...)                                            \
  do {                                                                       \
    static const uint32_t expected_[] = {__VA_ARGS__};                       \
    assert_int_equal((wanted)->count, sizeof expected_ / sizeof *expected_); \
    assert_memory_equal((wanted)->numbers, expected_, sizeof expected_);     \
  } while (0)

#define BLOCKS(...) ((const int[][2]){__VA_ARGS__, {-1, 0}})

static void without_an_option_nothing_is_asked_for(void **state) {
  (void)state;
  struct wanted wanted;
  static const int none[][2] = {{-1, 0}};
  assert_true(reads(&wanted, none, 6));
  assert_int_equal(wanted.count, 0);
}

/* RFC 9177 4.4: "In a request for any block number, an unset M bit indicates the request is just for that block." */
static void without_the_m_bit_it_is_that_block_alone(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({0, 0}), 6));
  assert_wants(&wanted, 0);
  assert_false(wanted.goes_on);
  assert_true(reads(&wanted, BLOCKS({10, 0}), 2));
  assert_wants(&wanted, 10);
  assert_false(wanted.goes_on);
  assert_int_equal(wanted.szx, 2);
}

/* RFC 9177 4.4: "NUM is zero: This is a request for the entire body"; and a NUM that is a multiple of MAX_PAYLOADS "is
 * the 'Continue' Q-Block-2". */
static void with_it_a_set_begins_and_others_follow(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({0, 1}), 6));
  assert_wants(&wanted, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  assert_true(wanted.goes_on);
  assert_true(reads(&wanted, BLOCKS({20, 1}), 6));
  assert_wants(&wanted, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
  assert_true(wanted.goes_on);
}

/* RFC 9177 4.4: "Any other value of NUM: This is a request for that block and for all of the remaining blocks in the
 * current MAX_PAYLOADS_SET." */
static void from_within_a_set_it_is_the_rest_of_it(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({17, 1}), 6));
  assert_wants(&wanted, 17, 18, 19);
  assert_false(wanted.goes_on);
}

static void a_single_option_asks_for_the_same_by_itself(void **state) {
  (void)state;
  static const struct {
    uint32_t number;
    bool more;
  } cases[] = {{0, true}, {0, false}, {3, true}, {10, true}, {17, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct wanted read, wanted;
    assert_true(reads(&read, BLOCKS({(int)cases[i].number, cases[i].more}), 2));
    wanted_by(&wanted, (copal_block){cases[i].number, cases[i].more, 2});
    assert_int_equal(wanted.count, read.count);
    assert_memory_equal(wanted.numbers, read.numbers, read.count * sizeof *read.numbers);
    assert_int_equal(wanted.szx, 2);
    assert_false(wanted.several);
    assert_int_equal(wanted.goes_on, read.goes_on);
  }
}

static void several_options_ask_for_single_blocks(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({1, 0}, {9, 0}), 6));
  assert_wants(&wanted, 1, 9);
  assert_true(wanted.several);
  assert_true(reads(&wanted, BLOCKS({0, 1}, {12, 0}), 6));
  assert_false(wanted.goes_on);
}

/* RFC 9177 4.4: "the server MUST only send back one instance of that block." */
static void blocks_that_are_asked_for_twice_count_once(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({3, 1}, {5, 0}, {8, 1}, {11, 0}), 6));
  assert_wants(&wanted, 3, 4, 5, 6, 7, 8, 9, 11);
}

/* RFC 9177 7.2: "The sending of a set of missing blocks of a body is restricted to those in a MAX_PAYLOADS_SET at a
 * time." */
static void no_more_than_a_set_is_taken(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({5, 1}, {15, 1}, {25, 1}), 6));
  assert_wants(&wanted, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19);
  assert_true(reads(&wanted, BLOCKS({BLOCK_NUMBER_MAX - 1, 1}), 6));
  assert_wants(&wanted, BLOCK_NUMBER_MAX - 1, BLOCK_NUMBER_MAX);
}

/* RFC 9177 4.4: "The missing block numbers requested by the client MUST have an increasing block number in each
 * additional Q-Block2 option with no duplicates." */
static void what_does_not_increase_is_refused(void **state) {
  (void)state;
  struct wanted wanted;
  assert_false(reads(&wanted, BLOCKS({2, 0}, {1, 0}), 6));
  assert_false(reads(&wanted, BLOCKS({2, 0}, {2, 0}), 6));
}

static void a_reserved_size_and_two_sizes_are_refused(void **state) {
  (void)state;
  struct wanted wanted;
  assert_false(reads(&wanted, BLOCKS({2, 0}), 7));
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_GET);
  copal_message_add_uint(&message, COPAL_OPTION_Q_BLOCK2, copal_block_value((copal_block){1, false, 6}));
  copal_message_add_uint(&message, COPAL_OPTION_Q_BLOCK2, copal_block_value((copal_block){2, false, 5}));
  copal_view view = copal_message_view(&message);
  assert_false(wanted_read(&view, &wanted));
}

/* RFC 9177 4.4: a 'Continue' is a request with that option alone. */
static void beside_other_blocks_a_set_is_no_continue(void **state) {
  (void)state;
  struct wanted wanted;
  assert_true(reads(&wanted, BLOCKS({10, 1}), 6));
  assert_true(wanted.goes_on);
  assert_true(reads(&wanted, BLOCKS({3, 0}, {10, 1}), 6));
  assert_false(wanted.goes_on);
  assert_true(wanted.several);
  assert_wants(&wanted, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_an_option_nothing_is_asked_for),
      cmocka_unit_test(without_the_m_bit_it_is_that_block_alone),
      cmocka_unit_test(with_it_a_set_begins_and_others_follow),
      cmocka_unit_test(from_within_a_set_it_is_the_rest_of_it),
      cmocka_unit_test(a_single_option_asks_for_the_same_by_itself),
      cmocka_unit_test(several_options_ask_for_single_blocks),
      cmocka_unit_test(blocks_that_are_asked_for_twice_count_once),
      cmocka_unit_test(no_more_than_a_set_is_taken),
      cmocka_unit_test(what_does_not_increase_is_refused),
      cmocka_unit_test(a_reserved_size_and_two_sizes_are_refused),
      cmocka_unit_test(beside_other_blocks_a_set_is_no_continue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
