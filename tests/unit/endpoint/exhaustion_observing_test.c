/* Tables for observers: each is filled to the brim, the next one's response lacks Observe, nothing else stops, and what
 * is released can be taken again. RFC 7641 4.1: a server "that is unable or unwilling to add a new entry to the list of
 * observers of a resource MAY silently ignore the registration request and process the GET request as usual". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/brim.h"

enum { FIRST_PORT = 6000 };

static bool begin(struct brim *brim, uint16_t port, const char *path) { return brim_observe(brim, port, path, 7, 0); }

static void end(struct brim *brim, uint16_t port, const char *path) {
  assert_false(brim_observe(brim, port, path, 7, 1));
}

/* The resource has changed: so many are told, and acknowledge it. */
static void assert_told(struct brim *brim, const char *path, size_t count) {
  assert_int_equal(copal_notify(brim->endpoint, path), count);
  bare_out(brim->bare);
  assert_int_equal(brim->bare->sent_count, count);
  uint16_t ports[64], mids[64];
  for (size_t i = 0; i < count; ++i) {
    ports[i] = brim->bare->sent[i].path.remote.port;
    mids[i] = brim->bare->sent[i].view.message_id;
  }
  for (size_t i = 0; i < count; ++i) bare_in_from(brim->bare, ports[i], "6000%04x", mids[i]);
}

static void full_observers_are_told_and_no_more_are_taken(void **state) {
  (void)state;
  enum { OBSERVERS = 3 };
  copal_config config = brim_config();
  config.observers_max = OBSERVERS;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < OBSERVERS; ++i) assert_true(begin(&brim, FIRST_PORT + i, "/watch/a"));
  assert_int_equal(brim_usage(&brim).observers, OBSERVERS);
  assert_false(begin(&brim, FIRST_PORT + OBSERVERS, "/watch/a"));
  assert_int_equal(brim_counters(&brim)->observers_full, 1);
  assert_true(begin(&brim, FIRST_PORT, "/watch/a")); /* who is one already is one still */
  assert_works_but(&brim, BRIM_OBSERVING);
  assert_told(&brim, "/watch/a", OBSERVERS);

  end(&brim, FIRST_PORT, "/watch/a");
  assert_true(begin(&brim, FIRST_PORT + OBSERVERS, "/watch/a"));
  assert_false(begin(&brim, FIRST_PORT, "/watch/a"));
  assert_told(&brim, "/watch/a", OBSERVERS);
  for (uint16_t i = 1; i <= OBSERVERS; ++i) end(&brim, FIRST_PORT + i, "/watch/a");
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "Resources that are observed, each variant … for itself". */
static void full_observed_resources_take_observers_of_their_own_and_no_more(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.observed_max = 2;
  struct brim brim;
  brim_open(&brim, &config);
  assert_true(begin(&brim, FIRST_PORT, "/watch/a"));
  assert_true(begin(&brim, FIRST_PORT + 1, "/watch/b"));
  assert_int_equal(brim_usage(&brim).observed, 2);
  assert_false(begin(&brim, FIRST_PORT + 2, "/watch/c"));
  assert_int_equal(brim_counters(&brim)->observers_full, 1);
  assert_true(begin(&brim, FIRST_PORT + 2, "/watch/a"));
  assert_works_but(&brim, BRIM_OBSERVING);
  assert_told(&brim, "/watch/a", 2);
  assert_told(&brim, "/watch/b", 1);

  end(&brim, FIRST_PORT + 1, "/watch/b");
  assert_int_equal(brim_usage(&brim).observed, 1);
  assert_true(begin(&brim, FIRST_PORT + 1, "/watch/c"));
  assert_false(begin(&brim, FIRST_PORT + 3, "/watch/b"));
  end(&brim, FIRST_PORT, "/watch/a");
  end(&brim, FIRST_PORT + 1, "/watch/c");
  end(&brim, FIRST_PORT + 2, "/watch/a");
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

static void a_peer_with_its_share_of_observers_is_taken_no_more_alone(void **state) {
  (void)state;
  enum { SHARE = 3 };
  copal_config config = brim_config();
  config.peer_observers_max = SHARE;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint8_t token = 0; token < SHARE; ++token) assert_true(brim_observe(&brim, FIRST_PORT, "/watch/a", token, 0));
  assert_false(brim_observe(&brim, FIRST_PORT, "/watch/a", SHARE, 0));
  assert_int_equal(brim_counters(&brim)->observers_full, 1);
  assert_works_but(&brim, 0);

  assert_false(brim_observe(&brim, FIRST_PORT, "/watch/a", 0, 1));
  assert_true(brim_observe(&brim, FIRST_PORT, "/watch/a", SHARE, 0));
  assert_false(brim_observe(&brim, FIRST_PORT, "/watch/a", 0, 0));
  assert_int_equal(copal_notify_end(brim.endpoint, "/watch/a", COPAL_EMPTY), SHARE);
  assert_out(brim.bare, "");
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "when three quarters of the peers observe, a response lacks Observe". */
static void a_quarter_of_the_peers_stays_for_others(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.peers_max = 8;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < 6; ++i) assert_true(begin(&brim, FIRST_PORT + i, "/watch/a"));
  assert_false(begin(&brim, FIRST_PORT + 6, "/watch/a"));
  assert_true(brim_observe(&brim, FIRST_PORT, "/watch/b", 8, 0)); /* who observes already may observe more */
  assert_works_but(&brim, BRIM_OBSERVING);
  for (uint16_t i = 0; i < 50; ++i) assert_int_equal(brim_get(&brim, FIRST_PORT + 100 + i, "/ok"), COPAL_CONTENT);
  end(&brim, FIRST_PORT + 1, "/watch/a");
  assert_true(begin(&brim, FIRST_PORT + 6, "/watch/a"));
  copal_notify_end(brim.endpoint, "/watch/a", COPAL_EMPTY);
  copal_notify_end(brim.endpoint, "/watch/b", COPAL_EMPTY);
  assert_out(brim.bare, "");
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "when three quarters [of the exchanges] are [in use], notifications wait". */
static void notifications_leave_a_quarter_of_the_exchanges_and_wait(void **state) {
  (void)state;
  enum { OBSERVERS = 10 };
  copal_config config = brim_config();
  config.exchanges_max = 8;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < OBSERVERS; ++i) assert_true(begin(&brim, FIRST_PORT + i, "/watch/a"));
  assert_int_equal(copal_notify(brim.endpoint, "/watch/a"), OBSERVERS);
  bare_out(brim.bare);
  assert_int_equal(brim.bare->sent_count, 6);
  assert_int_equal(brim_usage(&brim).exchanges, 6);
  uint16_t ports[OBSERVERS], mids[OBSERVERS];
  for (size_t i = 0; i < 6; ++i) {
    ports[i] = brim.bare->sent[i].path.remote.port;
    mids[i] = brim.bare->sent[i].view.message_id;
  }
  assert_works_but(&brim, BRIM_OBSERVING); /* which waits, too */
  size_t told = 0;
  for (; told < OBSERVERS; ++told) {
    bare_in_from(brim.bare, ports[told], "6000%04x", mids[told]);
    if (told < OBSERVERS - 6) {
      const struct bare_sent *sent = bare_out_one(brim.bare);
      ports[told + 6] = sent->path.remote.port;
      mids[told + 6] = sent->view.message_id;
    }
  }
  assert_out(brim.bare, "");
  assert_int_equal(brim_counters(&brim)->notifications, OBSERVERS);
  assert_works_but(&brim, 0);
  copal_notify_end(brim.endpoint, "/watch/a", COPAL_EMPTY);
  brim_close(&brim);
}

/* "What observers were sent last is there, too, in half of it at most." */
static void what_observers_were_sent_takes_half_of_the_memory_for_messages(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.messages_size = 1024;
  config.observed_max = 64;
  struct brim brim;
  brim_open(&brim, &config);
  char path[16];
  uint16_t count = 0;
  for (; count < 32; ++count) {
    snprintf(path, sizeof path, "/watch/%02u", count);
    if (!begin(&brim, FIRST_PORT + count, path)) break;
    assert_told(&brim, path, 1);
  }
  assert_int_equal(count, 8); /* the request that they share and the newest state, 32 bytes each */
  assert_int_equal(brim_usage(&brim).messages_size, 512);
  assert_works_but(&brim, BRIM_OBSERVING);
  end(&brim, FIRST_PORT, "/watch/00");
  assert_works_but(&brim, 0);
  assert_true(begin(&brim, FIRST_PORT, path));
  assert_false(begin(&brim, FIRST_PORT + 20, "/watch/00"));
  copal_notify_end(brim.endpoint, path, COPAL_EMPTY);
  for (uint16_t i = 1; i < count; ++i) {
    snprintf(path, sizeof path, "/watch/%02u", i);
    assert_int_equal(copal_notify_end(brim.endpoint, path, COPAL_EMPTY), 1);
  }
  brim_close(&brim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(full_observers_are_told_and_no_more_are_taken),
      cmocka_unit_test(full_observed_resources_take_observers_of_their_own_and_no_more),
      cmocka_unit_test(a_peer_with_its_share_of_observers_is_taken_no_more_alone),
      cmocka_unit_test(a_quarter_of_the_peers_stays_for_others),
      cmocka_unit_test(notifications_leave_a_quarter_of_the_exchanges_and_wait),
      cmocka_unit_test(what_observers_were_sent_takes_half_of_the_memory_for_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
