/* The threats that are no matter of one datagram, each test with the number of its row: who may answer whom,
 * duplicates, floods, groups, loops. After each, honest peers are served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static const copal_time START = 1000 * COPAL_SECOND;

struct target {
  struct bare *bare;
  int executed;
  copal_deferred deferred[64];
  int deferred_count;
};

static void count(copal_request *request, void *context) {
  struct target *target = context;
  copal_reply(request, COPAL_CHANGED, COPAL_FORMAT_NONE, &(char){(char)('a' + target->executed++ % 26)}, 1);
}

static void defer(copal_request *request, void *context) {
  struct target *target = context;
  ++target->executed;
  if (copal_defer(request, &target->deferred[target->deferred_count % 64]) == COPAL_OK)
    ++target->deferred_count;
  else
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
}

static void open_target(struct target *target, const copal_config *config) {
  *target = (struct target){.bare = bare_open(config)};
  assert_int_equal(copal_route(target->bare->endpoint, COPAL_GET, "/p", count, target), COPAL_OK);
  assert_int_equal(copal_route(target->bare->endpoint, COPAL_POST, "/p", count, target), COPAL_OK);
  assert_int_equal(copal_route(target->bare->endpoint, COPAL_GET, "/d", defer, target), COPAL_OK);
}

static void open_small(struct target *target) {
  copal_config config = copal_config_small();
  open_target(target, &config);
}

/* An honest peer's GET is answered by 2.04. */
static void assert_honest(struct target *target, uint16_t mid) {
  bare_in_from(target->bare, 6000, "4101%04x9cb170", mid);
  const struct bare_sent *sent = bare_out_one(target->bare);
  assert_int_equal(sent->path.remote.port, 6000);
  assert_int_equal(sent->view.code, COPAL_CHANGED);
  assert_int_equal(sent->view.message_id, mid);
}

static const copal_counters *counters(const struct target *target) {
  return copal_endpoint_counters(target->bare->endpoint);
}

/* --- Binding and freshness ------------------------------------------------------------------------- */

static void t30_acks_and_resets_from_elsewhere_change_nothing(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  struct bare_call call;
  bare_request(target.bare, 7000, COPAL_CON, COPAL_GET, COPAL_NEVER, &call);
  uint16_t mid = bare_out_one(target.bare)->view.message_id;
  static const char *const types[] = {"6000", "7000"};
  for (int i = 0; i < 2; ++i) {
    copal_path address = bare_path(7000), socket = address;
    char text[16];
    snprintf(text, sizeof text, "%s%04x", types[i], mid);
    bare_in_from(target.bare, 7001, "%s", text);
    address.remote.bytes[3] = 2;
    bare_in_path(target.bare, &address, text);
    socket.socket = 1;
    bare_in_path(target.bare, &socket, text);
    assert_out(target.bare, "");
  }
  target.bare->now = copal_endpoint_deadline(target.bare->endpoint);
  assert_int_equal(bare_out_one(target.bare)->view.message_id, mid); /* retransmission goes on */
  assert_int_equal(call.count, 0);
  bare_close(target.bare);
}

static void t31_responses_from_elsewhere_or_with_a_wrong_token_are_not_delivered(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  struct bare_call call;
  char token[33];
  bare_request(target.bare, 7000, COPAL_CON, COPAL_GET, COPAL_NEVER, &call);
  const struct bare_sent *sent = bare_out_one(target.bare);
  uint16_t mid = sent->view.message_id;
  bare_token(sent, token);
  bare_in_from(target.bare, 7001, "48450001%sff41", token);
  assert_out(target.bare, "7001>70000001");
  bare_in_from(target.bare, 7001, "58450002%sff41", token);
  bare_in_from(target.bare, 7001, "6845%04x%sff41", mid, token);
  bare_in_from(target.bare, 7000, "6845%04x%.14s%sff41", mid, token, strcmp(token + 14, "00") == 0 ? "01" : "00");
  bare_in_from(target.bare, 7000, "6045%04xff41", mid);
  bare_in_from(target.bare, 7000, "6845%04x%sff41", (mid + 1) & 0xffff, token);
  assert_out(target.bare, "");
  assert_int_equal(call.count, 0);
  bare_in_from(target.bare, 7000, "6845%04x%sff41", mid, token);
  assert_int_equal(call.count, 1);
  bare_close(target.bare);
}

static void t32_three_times_the_same_post_is_one_execution_and_three_equal_replies(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  for (int i = 0; i < 3; ++i) {
    bare_expect(target.bare, "41027d34aab170ff41", "61447d34aaff61");
    target.bare->now += 20 * COPAL_SECOND;
  }
  assert_int_equal(target.executed, 1);
  bare_in_from(target.bare, 7001, "41027d34aab170ff41"); /* another port is another client */
  assert_out(target.bare, "7001>61447d34aaff62");
  assert_int_equal(target.executed, 2);
  bare_close(target.bare);
}

static void t33_the_same_id_with_other_bytes_is_another_request(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  bare_expect(target.bare, "41027d34aab170ff41", "61447d34aaff61");
  bare_expect(target.bare, "41027d34bbb170ff41", "61447d34bbff62");
  bare_expect(target.bare, "41027d34aab170ff42", "61447d34aaff63");
  bare_expect(target.bare, "41027d34aab170ff41", "61447d34aaff61");
  bare_expect(target.bare, "41027d34bbb170ff41", "61447d34bbff62");
  assert_int_equal(target.executed, 3);
  bare_close(target.bare);
}

static void t35_a_late_response_matches_nothing(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  struct bare_call call;
  char token[33];
  copal_tx tx = bare_request(target.bare, BARE_PORT, COPAL_CON, COPAL_GET, COPAL_SECOND, &call);
  bare_token(bare_out_one(target.bare), token);
  target.bare->now += COPAL_SECOND;
  bare_out(target.bare);
  assert_int_equal(call.error, COPAL_ERR_TIMEOUT);
  bare_in(target.bare, "48450001%sff41", token);
  assert_out(target.bare, "70000001");
  bare_in(target.bare, "58450002%sff41", token);
  assert_out(target.bare, "");
  tx = bare_request(target.bare, BARE_PORT, COPAL_CON, COPAL_GET, COPAL_NEVER, &call);
  bare_token(bare_out_one(target.bare), token);
  assert_int_equal(copal_cancel(target.bare->endpoint, tx), COPAL_OK);
  bare_in(target.bare, "48450003%sff41", token);
  assert_out(target.bare, "70000003");
  assert_int_equal(call.count, 0);
  bare_close(target.bare);
}

/* --- Exhaustion ------------------------------------------------------------------------------------ */

static void t50_a_million_sources_cost_no_memory_and_honest_peers_go_on(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.peers_max = 100;
  config.replies_size = 65536;
  config.outbox_max = 64;
  struct target target;
  open_target(&target, &config);
  copal_path path = bare_path(1);
  uint8_t request[] = {0x41, 1, 0, 1, 0xaa, 0xb1, 'p'};
  for (uint32_t i = 0; i < 1000000; ++i) {
    path.remote.bytes[1] = (uint8_t)(i >> 16);
    path.remote.bytes[2] = (uint8_t)(i >> 8);
    path.remote.bytes[3] = (uint8_t)i;
    path.remote.port = (uint16_t)(1 + i % 60000);
    request[1] = i % 10 == 0 ? COPAL_POST : COPAL_GET;
    copal_datagram in = {request, sizeof request, path}, out[4];
    assert_int_equal(copal_endpoint_input(target.bare->endpoint, target.bare->now, &in, 1), 1);
    size_t replies = copal_endpoint_output(target.bare->endpoint, target.bare->now, out, 4);
    assert_int_equal(replies, 1); /* answered, if only by 5.03 */
    if (i % 1000 == 0) assert_honest(&target, (uint16_t)(i / 1000));
    target.bare->now += 10 * COPAL_MICROSECOND;
  }
  copal_usage usage = copal_endpoint_usage(target.bare->endpoint);
  assert_true(usage.peers <= 100 && usage.replies_size <= 65536);
  assert_int_equal(usage.exchanges, 0);
  bare_close(target.bare);
}

static void t51_a_flood_of_ids_from_one_source_pushes_out_no_unsafe_reply(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.replies_size = 16384;
  config.peer_replies_max = 20;
  struct target target;
  open_target(&target, &config);
  bare_in_from(target.bare, 6001, "41020001aab170");
  assert_out(target.bare, "6001>61440001aaff61");
  for (uint32_t i = 0; i < 60000; ++i) {
    bare_in(target.bare, "%x10%u%04xaab170", i % 2 == 0 ? 4 : 5, i % 4 < 2 ? 1 : 2, i & 0xffff);
    bare_out(target.bare);
    assert_true(target.bare->sent_count <= 1);
    if (i % 5000 == 0) {
      bare_in_from(target.bare, 6001, "41020001aab170"); /* the honest one's duplicate gets its reply still */
      assert_out(target.bare, "6001>61440001aaff61");
      assert_honest(&target, (uint16_t)i);
    }
  }
  assert_true(counters(&target)->replies_full > 0);
  assert_true(copal_endpoint_usage(target.bare->endpoint).replies_size <= 16384);
  bare_close(target.bare);
}

static void t55_separate_responses_to_the_silent_are_bounded_and_delay_nobody(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.peers_max = 16;
  config.exchanges_max = 6;
  config.deferred_max = 12;
  config.outbox_max = 16;
  config.messages_size = 8192;
  struct target target;
  open_target(&target, &config);
  for (uint16_t i = 0; i < 12; ++i) {
    bare_in_from(target.bare, i < 8 ? 7000 : (uint16_t)(7000 + i), "4101%04xaab164", i); /* eight from one address */
    bare_out(target.bare);
  }
  target.bare->now += COPAL_SECOND;
  bare_out(target.bare); /* the ACKs */
  struct bare_message message;
  bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, "x");
  int full = 0;
  for (int i = 11; i >= 0; --i) {
    copal_error error = copal_deferred_reply(target.bare->endpoint, target.deferred[i], &message.message);
    assert_true(error == COPAL_OK || error == COPAL_ERR_EXCHANGES_FULL);
    full += error != COPAL_OK; /* stays owed */
  }
  assert_int_equal(full, 6);
  bare_out(target.bare);
  assert_int_equal(target.bare->sent_count, 5); /* four addresses of one, and the first of the other's */
  assert_honest(&target, 1);
  for (int i = 0; i < 200; ++i) {
    target.bare->now += 3 * COPAL_SECOND;
    bare_out(target.bare);
  }
  assert_int_equal(copal_endpoint_usage(target.bare->endpoint).exchanges, 0);
  for (int i = 0; i < 6; ++i)
    assert_int_equal(copal_deferred_reply(target.bare->endpoint, target.deferred[i], &message.message), COPAL_OK);
  assert_int_equal(copal_endpoint_usage(target.bare->endpoint).deferred, 0);
  bare_close(target.bare);
}

/* --- Groups ---------------------------------------------------------------------------------------- */

/* RFC 7252 8.1: "when a server is aware that a request arrived via multicast, it MUST NOT return a Reset message in
 * reply to a Non-confirmable message." */
static void t57_nothing_that_comes_to_a_group_is_rejected_or_answered_by_an_error(void **state) {
  (void)state;
  static const char *const silent[] = {"40010001b170", "4f010002",     "5f010003",
                                       "40000004",     "400100 05ff",  "50010006b178",
                                       "50030007b170", "50210008",     "50010009b170e1fe2500",
                                       "5045000aff41", "4045000bff41", "6000000c",
                                       "7000000d",     "5000000e"};
  struct target target;
  open_small(&target);
  copal_path group = bare_group_path(7000);
  for (size_t i = 0; i < sizeof silent / sizeof *silent; ++i) {
    bare_in_path(target.bare, &group, silent[i]);
    assert_out(target.bare, "");
    target.bare->now += 6 * COPAL_SECOND;
    assert_out(target.bare, "");
  }
  uint8_t large[257] = {0x50, 1, 0, 0x20, 0xb1, 'p', 0xff};
  bare_in_bytes(target.bare, &group, large, sizeof large);
  bare_out(target.bare);
  target.bare->now += 6 * COPAL_SECOND;
  bare_out(target.bare);
  for (size_t i = 0; i < target.bare->sent_count; ++i) assert_int_equal(target.bare->sent[i].view.code >> 5, 2);
  assert_honest(&target, 1);
  bare_close(target.bare);
}

static void t57_500_requests_in_a_row_are_bounded_and_spread(void **state) {
  (void)state;
  struct target target;
  open_small(&target); /* 8 exchanges, 4 peers */
  for (unsigned i = 0; i < 500; ++i) {
    copal_path group = bare_group_path((uint16_t)(7000 + i));
    char text[32];
    snprintf(text, sizeof text, "5101%04x%02xb170", i, i & 0xff);
    bare_in_path(target.bare, &group, text);
  }
  assert_true(copal_endpoint_usage(target.bare->endpoint).exchanges <= 8);
  uint32_t sent = 0;
  for (int i = 0; i < 60; ++i) {
    bare_out(target.bare);
    sent += (uint32_t)target.bare->sent_count;
    assert_true(target.bare->sent_count <= 4);
    target.bare->now += 100 * COPAL_MILLISECOND;
  }
  assert_in_range(sent, 1, 8);
  target.bare->now += 10 * COPAL_SECOND;
  bare_out(target.bare);
  assert_honest(&target, 1);
  bare_close(target.bare);
}

static void t57_a_duplicate_to_a_group_is_answered_once(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  copal_path group = bare_group_path(7000);
  for (int i = 0; i < 5; ++i) bare_in_path(target.bare, &group, "51010001aab170");
  target.bare->now += 6 * COPAL_SECOND;
  bare_out_one(target.bare);
  assert_int_equal(target.executed, 1);
  bare_close(target.bare);
}

/* --- Loops, logs, lost connections ------------------------------------------------------------------ */

/* Whatever either sends goes to the other: after any malformed start it ends at once. */
static void t58_two_endpoints_fed_each_others_messages_fall_silent(void **state) {
  (void)state;
  static const char *const starts[] = {"4f010001",     "40000001",     "41000001",       "40210001",
                                       "40450001ff41", "60000001",     "70000001",       "6f010001",
                                       "40010001ff",   "40010001b170", "41450001aaff41", "4801"};
  for (int raw = 0; raw < 2; ++raw)
    for (size_t i = 0; i < sizeof starts / sizeof *starts; ++i) {
      copal_config config = copal_config_small();
      config.raw = raw == 1;
      struct bare *pair[2] = {bare_open_seeded(&config, 1), bare_open_seeded(&config, 2)};
      bare_in(pair[0], "%s", starts[i]);
      int turns = 0;
      for (size_t moved = 1; moved > 0; ++turns) {
        struct bare *from = pair[turns % 2], *to = pair[(turns + 1) % 2];
        while (bare_has_event(from)) continue;
        bare_out(from);
        moved = from->sent_count;
        copal_path path = bare_path(BARE_PORT);
        for (size_t k = 0; k < moved; ++k) {
          bare_in_bytes(to, &path, from->sent[k].bytes, from->sent[k].size);
          while (bare_has_event(to)) continue;
        }
      }
      assert_true(turns <= 3);
      bare_close(pair[0]);
      bare_close(pair[1]);
    }
}

static void t59_a_bad_datagram_a_microsecond_is_only_counted(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  copal_usage before = copal_endpoint_usage(target.bare->endpoint);
  static const char *const bad[] = {"", "40", "80010001", "5f010001", "6f010001", "7f010001", "50010001ff"};
  for (unsigned i = 0; i < 70000; ++i) {
    bare_in(target.bare, "%s", bad[i % 7]);
    target.bare->now += COPAL_MICROSECOND;
  }
  assert_out(target.bare, "");
  copal_usage after = copal_endpoint_usage(target.bare->endpoint);
  assert_memory_equal(&before, &after, sizeof before);
  assert_int_equal(counters(&target)->datagrams_in, 70000);
  assert_int_equal(counters(&target)->malformed, 70000);
  assert_honest(&target, 1);
  bare_close(target.bare);
}

static void t60_an_icmp_error_ends_one_exchange_and_the_others_go_on(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  struct bare_call calls[3];
  for (uint16_t i = 0; i < 3; ++i)
    bare_request(target.bare, (uint16_t)(7000 + i), COPAL_CON, COPAL_GET, COPAL_NEVER, &calls[i]);
  bare_out(target.bare);
  copal_endpoint_unreachable(target.bare->endpoint, target.bare->now, &target.bare->sent[1].path,
                             target.bare->sent[1].bytes, target.bare->sent[1].size);
  assert_int_equal(calls[1].error, COPAL_ERR_UNREACHABLE);
  target.bare->now = START + 3 * COPAL_SECOND;
  bare_out(target.bare);
  assert_int_equal(target.bare->sent_count, 2);
  assert_int_equal(calls[0].count + calls[2].count, 0);
  assert_honest(&target, 1);
  bare_close(target.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t30_acks_and_resets_from_elsewhere_change_nothing),
      cmocka_unit_test(t31_responses_from_elsewhere_or_with_a_wrong_token_are_not_delivered),
      cmocka_unit_test(t32_three_times_the_same_post_is_one_execution_and_three_equal_replies),
      cmocka_unit_test(t33_the_same_id_with_other_bytes_is_another_request),
      cmocka_unit_test(t35_a_late_response_matches_nothing),
      cmocka_unit_test(t50_a_million_sources_cost_no_memory_and_honest_peers_go_on),
      cmocka_unit_test(t51_a_flood_of_ids_from_one_source_pushes_out_no_unsafe_reply),
      cmocka_unit_test(t55_separate_responses_to_the_silent_are_bounded_and_delay_nobody),
      cmocka_unit_test(t57_nothing_that_comes_to_a_group_is_rejected_or_answered_by_an_error),
      cmocka_unit_test(t57_500_requests_in_a_row_are_bounded_and_spread),
      cmocka_unit_test(t57_a_duplicate_to_a_group_is_answered_once),
      cmocka_unit_test(t58_two_endpoints_fed_each_others_messages_fall_silent),
      cmocka_unit_test(t59_a_bad_datagram_a_microsecond_is_only_counted),
      cmocka_unit_test(t60_an_icmp_error_ends_one_exchange_and_the_others_go_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
