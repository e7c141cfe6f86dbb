/* Limits: which contradict each other or the protocol, and so make no endpoint; and that the outermost ones do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "copal/copal.h"

enum { RECORDS_MAX = 1 << 28 };

/* The small configuration with one limit changed. */
#define SIZE_WITH(change)                       \
  do {                                          \
    copal_config config = copal_config_small(); \
    config.change;                              \
    size = copal_endpoint_size(&config);        \
  } while (0)

#define assert_refused(change) \
  do {                         \
    size_t size;               \
    SIZE_WITH(change);         \
    assert_int_equal(size, 0); \
  } while (0)

#define assert_taken(change)       \
  do {                             \
    size_t size;                   \
    SIZE_WITH(change);             \
    assert_int_not_equal(size, 0); \
  } while (0)

#define assert_largest(limit, most)     \
  do {                                  \
    assert_taken(limit = (most));       \
    assert_refused(limit = (most) + 1); \
  } while (0)

#define assert_least(limit, least)     \
  do {                                 \
    assert_taken(limit = (least));     \
    assert_refused(limit = (least)-1); \
  } while (0)

/* RFC 7252 4.8.1: "ACK_RANDOM_FACTOR MUST NOT be decreased below 1.0". Back-off and lifetimes are to be computed
 * without overflow. */
static void transmission_parameters_keep_to_their_bounds(void **state) {
  (void)state;
  assert_least(parameters.ack_timeout, COPAL_MICROSECOND);
  assert_refused(
      parameters = ((copal_parameters){
          .ack_timeout = 3601 * COPAL_SECOND, .ack_random_permille = 1000, .max_retransmit = 0, .nstart = 1}));
  assert_taken(parameters = ((copal_parameters){
                   .ack_timeout = 3600 * COPAL_SECOND, .ack_random_permille = 1000, .max_retransmit = 0, .nstart = 1}));
  assert_least(parameters.ack_random_permille, 1000);
  assert_largest(parameters.ack_random_permille, 4000);
  assert_refused(parameters = ((copal_parameters){
                     .ack_timeout = COPAL_SECOND, .ack_random_permille = 1000, .max_retransmit = 11, .nstart = 1}));
  assert_taken(parameters = ((copal_parameters){
                   .ack_timeout = COPAL_SECOND, .ack_random_permille = 1000, .max_retransmit = 10, .nstart = 1}));
  assert_least(parameters.nstart, 1);
  assert_largest(parameters.max_latency, 86400 * COPAL_SECOND);
  assert_largest(parameters.leisure, 86400 * COPAL_SECOND);
  assert_largest(parameters.ack_delay, 86400 * COPAL_SECOND);
  assert_taken(parameters.max_retransmit = 10);
  assert_refused(parameters.ack_timeout = 600 * COPAL_SECOND); /* times 1.5, doubled four times: four hours */
}

static void messages_have_bounds(void **state) {
  (void)state;
  assert_least(message_size_max, 64);
  assert_taken(message_size_max = 65507; config.messages_size = config.replies_size = 1 << 20);
  assert_refused(message_size_max = 65508; config.messages_size = config.replies_size = 1 << 20);
  assert_refused(messages_size = 255); /* less than a message of the largest size takes */
  assert_refused(replies_size = 512);
  assert_largest(replies_size, 1u << 31);
  assert_largest(peer_replies_max, UINT16_MAX);
  assert_largest(body_size_max, 1u << 20);
  assert_largest(bodies_size, 1u << 30);
}

static void tables_have_bounds(void **state) {
  (void)state;
  assert_least(peers_max, 1);
  assert_largest(peers_max, RECORDS_MAX);
  assert_least(exchanges_max, 1);
  assert_largest(exchanges_max, RECORDS_MAX);
  assert_least(outbox_max, 1);
  assert_largest(outbox_max, RECORDS_MAX);
  assert_largest(deferred_max, RECORDS_MAX);
  assert_largest(receptions_max, RECORDS_MAX);
  assert_largest(routes_max, RECORDS_MAX);
  assert_largest(transfers_max, RECORDS_MAX);
  assert_largest(calls_max, RECORDS_MAX);
  assert_largest(observed_max, RECORDS_MAX);
  assert_largest(observers_max, RECORDS_MAX);
  assert_largest(peer_observers_max, UINT8_MAX);
}

static void an_endpoint_needs_the_memory_that_it_says(void **state) {
  (void)state;
  static const uint8_t seed[32];
  copal_config config = copal_config_small();
  size_t size = copal_endpoint_size(&config);
  void *memory = calloc(1, size);
  assert_null(copal_endpoint_init(memory, size - 1, &config, seed, 0));
  config.peers_max = 0;
  assert_null(copal_endpoint_init(memory, size, &config, seed, 0));
  config = copal_config_small();
  assert_non_null(copal_endpoint_init(memory, size, &config, seed, 0));
  free(memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transmission_parameters_keep_to_their_bounds),
      cmocka_unit_test(messages_have_bounds),
      cmocka_unit_test(tables_have_bounds),
      cmocka_unit_test(an_endpoint_needs_the_memory_that_it_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
