/* Echo values: good for their address and their time, and for nothing else; and what a handler is told of a request's
 * freshness. RFC 9175 section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/echo.h"
#include "support/bare.h"
#include "support/dice.h"

static const struct hash_key KEY = {1, 2};
#define NOW (1000 * COPAL_SECOND)
#define DAY (86400 * COPAL_SECOND)

/* A view of a request with that Echo option. */
static copal_view with_echo(const uint8_t *value, size_t size, struct bare_message *to) {
  copal_message *message = bare_write(to, COPAL_CON, COPAL_GET, "a", NULL);
  copal_message_add_raw(message, COPAL_OPTION_ECHO, value, size);
  return copal_message_view(message);
}

static bool check(const struct hash_key *key, uint64_t identity, copal_time now, copal_time max_age,
                  const uint8_t *value, size_t size) {
  struct bare_message message;
  copal_view view = with_echo(value, size, &message);
  return echo_check(key, identity, now, max_age, &view);
}

static void a_value_is_good_for_its_time(void **state) {
  (void)state;
  struct dice dice = {3};
  for (int i = 0; i < 20000; ++i) {
    copal_time made = dice_u64(&dice) >> 8, age = dice_u64(&dice) % (51 * DAY), max_age = dice_u64(&dice) % (51 * DAY);
    if (i % 3 == 0) max_age = age - 5 * COPAL_MILLISECOND + dice_below(&dice, 10000000);
    uint8_t value[ECHO_SIZE];
    echo_write(&KEY, 7, made, value);
    bool good = check(&KEY, 7, made + age, max_age, value, sizeof value);
    if (age > max_age) assert_false(good); /* never too long */
    if (age + 3 * COPAL_MILLISECOND < max_age) assert_true(good);
  }
}

static void a_value_is_good_for_nothing_else(void **state) {
  (void)state;
  uint8_t value[ECHO_SIZE];
  echo_write(&KEY, 7, NOW, value);
  assert_true(check(&KEY, 7, NOW, COPAL_NEVER, value, sizeof value));
  assert_false(check(&KEY, 8, NOW, COPAL_NEVER, value, sizeof value));
  assert_false(check(&(struct hash_key){1, 3}, 7, NOW, COPAL_NEVER, value, sizeof value));
  assert_false(check(&KEY, 7, NOW - COPAL_SECOND, COPAL_NEVER, value, sizeof value)); /* from the future */
  for (size_t bit = 0; bit < sizeof value * 8; ++bit) {
    value[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_false(check(&KEY, 7, NOW, COPAL_NEVER, value, sizeof value));
    value[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  /* What has the right size in 32 bits again, 52 days later. */
  copal_time round = (copal_time)1 << 52;
  assert_false(check(&KEY, 7, NOW + round, COPAL_NEVER, value, sizeof value));
}

static uint32_t first_word(const uint8_t *value) {
  return (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 | value[3];
}

/* RFC 9175 6: "Implementations SHOULD NOT put any privacy-sensitive information in the Echo or Request-Tag option
 * values." */
static void a_value_does_not_show_its_time(void **state) {
  (void)state;
  uint8_t value[ECHO_SIZE];
  uint32_t near = 0;
  for (copal_time i = 0; i < 1000; ++i) {
    uint32_t ticks = (uint32_t)((NOW + i * COPAL_SECOND) >> 20);
    echo_write(&KEY, 7, NOW + i * COPAL_SECOND, value);
    if ((first_word(value) ^ ticks) >> 22 == 0) ++near;
  }
  assert_in_range(near, 0, 20); /* one in 1,024 by chance */
}

static void other_sizes_are_no_values(void **state) {
  (void)state;
  uint8_t value[41] = {0};
  echo_write(&KEY, 7, NOW, value);
  for (size_t size = 0; size <= sizeof value; ++size)
    assert_int_equal(check(&KEY, 7, NOW, COPAL_NEVER, value, size), size == ECHO_SIZE);
  struct bare_message message;
  copal_view view = copal_message_view(bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL));
  assert_false(echo_check(&KEY, 7, NOW, COPAL_NEVER, &view));
}

/* --- Freshness ---------------------------------------------------------------------------------- */

struct lock {
  struct bare *bare;
  int opened;
  copal_time max_age;
};

static void open_lock(copal_request *request, void *context) {
  struct lock *lock = context;
  if (!copal_request_is_fresh(request, lock->max_age)) return;
  ++lock->opened;
  copal_reply_code(request, COPAL_CHANGED);
}

static void begin(struct lock *lock, copal_time max_age) {
  copal_config config = copal_config_small();
  config.peer_replies_max = 100;
  config.replies_size = 262144;
  *lock = (struct lock){.bare = bare_open(&config), .max_age = max_age};
  assert_int_equal(copal_route(lock->bare->endpoint, COPAL_POST, "/l", open_lock, lock), COPAL_OK);
}

/* POST /l with that Echo value, or none: the reply's code; a new value is written over echo where there is one. */
static uint8_t post_from(struct lock *lock, uint16_t port, char echo[25]) {
  static uint16_t mid;
  copal_option option;
  if (echo[0] != 0)
    bare_in_from(lock->bare, port, "4102%04xabb16cdce4%s", ++mid, echo);
  else
    bare_in_from(lock->bare, port, "4102%04xabb16c", ++mid);
  const struct bare_sent *sent = bare_out_one(lock->bare);
  assert_int_equal(sent->view.type, COPAL_ACK);
  assert_int_equal(copal_find(&sent->view, COPAL_OPTION_ECHO, &option), sent->view.code == COPAL_UNAUTHORIZED);
  if (sent->view.code != COPAL_UNAUTHORIZED) return sent->view.code;
  assert_int_equal(option.size, ECHO_SIZE);
  for (size_t i = 0; i < ECHO_SIZE; ++i) sprintf(echo + 2 * i, "%02x", option.value[i]);
  return sent->view.code;
}

static uint8_t post(struct lock *lock, char echo[25]) { return post_from(lock, BARE_PORT, echo); }

/* RFC 9175 2.3, figure 1: 4.01 with Echo, then 2.04. A value is good for more than one request. */
static void the_first_request_is_asked_again(void **state) {
  (void)state;
  struct lock lock;
  char echo[25] = "";
  begin(&lock, 30 * COPAL_SECOND);
  assert_int_equal(post(&lock, echo), COPAL_UNAUTHORIZED);
  for (int i = 0; i < 5; ++i) {
    lock.bare->now += 5 * COPAL_SECOND;
    assert_int_equal(post(&lock, echo), COPAL_CHANGED);
  }
  assert_int_equal(lock.opened, 5);
  assert_int_equal(copal_endpoint_counters(lock.bare->endpoint)->verified, 1);
  bare_close(lock.bare);
}

/* T39: a request that was held back on its way, or recorded, opens nothing minutes later. */
static void t39_a_replayed_request_is_not_fresh(void **state) {
  (void)state;
  struct lock lock;
  char echo[25] = "", replayed[25];
  begin(&lock, 10 * COPAL_SECOND);
  assert_int_equal(post(&lock, echo), COPAL_UNAUTHORIZED);
  strcpy(replayed, echo);
  assert_int_equal(post(&lock, echo), COPAL_CHANGED);
  lock.bare->now += 10 * COPAL_SECOND;
  for (int i = 0; i < 20; ++i) {
    strcpy(echo, replayed);
    assert_int_equal(post(&lock, echo), COPAL_UNAUTHORIZED);
    assert_string_not_equal(echo, replayed);
    lock.bare->now += 60 * COPAL_SECOND;
  }
  assert_int_equal(lock.opened, 1);
  bare_close(lock.bare);
}

/* T40: 4.01 with a new value, which is good; and nothing is kept per challenge. */
static void t40_forged_foreign_and_expired_values_get_a_new_one(void **state) {
  (void)state;
  struct lock lock;
  begin(&lock, 10 * COPAL_SECOND);
  char mine[25] = "", other[25] = "", forged[25] = "000000000000000000000000", expired[25] = "";
  assert_int_equal(post(&lock, expired), COPAL_UNAUTHORIZED);
  lock.bare->now += 11 * COPAL_SECOND;
  copal_usage before = copal_endpoint_usage(lock.bare->endpoint);
  assert_int_equal(post(&lock, expired), COPAL_UNAUTHORIZED);
  assert_int_equal(post(&lock, forged), COPAL_UNAUTHORIZED);
  assert_int_equal(post_from(&lock, 7000, other), COPAL_UNAUTHORIZED);
  assert_string_not_equal(other, forged);
  strcpy(mine, other);
  assert_int_equal(post(&lock, mine), COPAL_UNAUTHORIZED);
  assert_int_equal(lock.opened, 0);
  for (int i = 0; i < 1000; ++i)
    assert_int_equal(post_from(&lock, (uint16_t)(8000 + i), (char[25]){0}), COPAL_UNAUTHORIZED);
  copal_usage after = copal_endpoint_usage(lock.bare->endpoint);
  assert_int_equal(after.exchanges, before.exchanges);
  assert_int_equal(after.messages_size, before.messages_size);
  assert_int_equal(post(&lock, expired), COPAL_CHANGED); /* the new ones */
  assert_int_equal(post(&lock, forged), COPAL_CHANGED);
  assert_int_equal(post(&lock, mine), COPAL_CHANGED);
  assert_int_equal(post_from(&lock, 7000, other), COPAL_CHANGED);
  bare_close(lock.bare);
}

/* The option is elective: where nobody asks for freshness, a value that is not good is as none. */
static void where_nobody_asks_any_value_will_do(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  bare_in(bare, "41010001ab dcef000000000000000000000000");
  assert_int_equal(bare_out_one(bare)->view.code, COPAL_NOT_FOUND);
  assert_int_equal(copal_endpoint_counters(bare->endpoint)->verified, 0);
  bare_close(bare);
}

static void another_endpoint_makes_other_values(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  char echo[2][25] = {"", ""};
  for (uint8_t i = 0; i < 2; ++i) {
    struct lock lock = {.bare = bare_open_seeded(&config, (uint8_t)(i + 1)), .max_age = COPAL_SECOND};
    assert_int_equal(copal_route(lock.bare->endpoint, COPAL_POST, "/l", open_lock, &lock), COPAL_OK);
    assert_int_equal(post(&lock, echo[i]), COPAL_UNAUTHORIZED);
    if (i == 1) assert_int_equal(post(&lock, echo[0]), COPAL_UNAUTHORIZED);
    bare_close(lock.bare);
  }
  assert_memory_equal(echo[0], echo[1], 8); /* the time */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_is_good_for_its_time),
      cmocka_unit_test(a_value_is_good_for_nothing_else),
      cmocka_unit_test(a_value_does_not_show_its_time),
      cmocka_unit_test(other_sizes_are_no_values),
      cmocka_unit_test(the_first_request_is_asked_again),
      cmocka_unit_test(t39_a_replayed_request_is_not_fresh),
      cmocka_unit_test(t40_forged_foreign_and_expired_values_get_a_new_one),
      cmocka_unit_test(where_nobody_asks_any_value_will_do),
      cmocka_unit_test(another_endpoint_makes_other_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
