/* The page of counters and tables. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include "support/bare.h"

static char page[COPAL_STATS_TEXT_MAX];

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hello");
}

static struct bare *open_with_one_request(void) {
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", hello, NULL), COPAL_OK);
  copal_datagram datagram = {(const uint8_t *)"\x40\x01\x00\x01\xb1"
                                              "a",
                             6,
                             {.remote = {.bytes = {127, 0, 0, 1}, .port = 1, .family = COPAL_FAMILY_IPV4}}};
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, &datagram, 1), 1);
  return bare;
}

static void figures_are_those_of_the_endpoint_and_its_limits(void **state) {
  (void)state;
  struct bare *bare = open_with_one_request();
  copal_config config = copal_config_small();
  copal_stats stats = copal_endpoint_stats(bare->endpoint);
  assert_int_equal(stats.counters.requests, 1);
  assert_int_equal(stats.usage.peers, 1);
  assert_int_equal(stats.usage.replies, 1);
  assert_int_equal(stats.limits.peers, config.peers_max);
  assert_int_equal(stats.limits.exchanges, config.exchanges_max);
  assert_int_equal(stats.limits.deferred, config.deferred_max);
  assert_int_equal(stats.limits.calls, config.calls_max);
  assert_int_equal(stats.limits.observers, config.observers_max);
  assert_in_range(stats.limits.messages_size, 1, config.messages_size);
  assert_in_range(stats.limits.replies_size, stats.usage.replies_size, config.replies_size);
  bare_close(bare);
}

static void endpoints_add_up(void **state) {
  (void)state;
  struct bare *bare = open_with_one_request();
  copal_stats stats = {.usage = {.observers = UINT32_MAX}}, one = copal_endpoint_stats(bare->endpoint);
  one.usage.observers = 2;
  for (int i = 0; i < 3; ++i) copal_stats_add(&stats, &one);
  assert_int_equal(stats.counters.requests, 3);
  assert_int_equal(stats.usage.peers, 3);
  assert_int_equal(stats.limits.peers, 3 * copal_config_small().peers_max);
  assert_int_equal(stats.usage.observers, UINT32_MAX);
  bare_close(bare);
}

static void the_page_has_a_line_for_each(void **state) {
  (void)state;
  copal_stats stats = {0};
  stats.counters.requests = 12;
  stats.usage.peers = 3;
  stats.limits.peers = 4;
  size_t size = copal_stats_text(&stats, page, sizeof page);
  assert_int_equal(size, strlen(page));
  assert_non_null(strstr(page, "\n          12  requests: requests processed\n"));
  assert_non_null(strstr(page, "\n           3 of 4  peers: peers remembered\n"));
#define ASSERT_NAMED(name, text) assert_non_null(strstr(page, "  " #name ": " text "\n"));
  COPAL_COUNTERS(ASSERT_NAMED)
  COPAL_TABLES(ASSERT_NAMED)
#undef ASSERT_NAMED
}

static void the_greatest_figures_fit(void **state) {
  (void)state;
  copal_stats stats;
  memset(&stats, 0xff, sizeof stats);
  copal_stats_text(&stats, page, sizeof page);
  assert_null(strstr(page, "..."));
  assert_non_null(strstr(page, "18446744073709551615  datagrams_in"));
}

static void a_small_buffer_gets_a_part(void **state) {
  (void)state;
  copal_stats stats = {0};
  char small[30];
  size_t size = copal_stats_text(&stats, small, sizeof small);
  assert_true(size < sizeof small);
  assert_int_equal(strlen(small), size);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_are_those_of_the_endpoint_and_its_limits),
      cmocka_unit_test(endpoints_add_up),
      cmocka_unit_test(the_page_has_a_line_for_each),
      cmocka_unit_test(the_greatest_figures_fit),
      cmocka_unit_test(a_small_buffer_gets_a_part),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
