/* What broken and hostile peers send, each test with the number of its row in docs/threats.md. After every datagram: at
 * most one reply, nothing kept but what is remembered of an answered request, and the next good request is answered.
 * Datagrams lie in heap blocks of their exact size, and so does the endpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/dice.h"

struct target {
  struct bare *bare;
  int executed; /* times that the handler ran, good requests not counted */
  uint16_t mid; /* of the good requests */
};

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hi");
}

static void count(copal_request *request, void *context) {
  ++((struct target *)context)->executed;
  copal_reply_code(request, COPAL_CHANGED);
}

static void open_target(struct target *target, const copal_config *config) {
  *target = (struct target){.bare = bare_open(config), .mid = 0x4000};
  assert_int_equal(copal_route(target->bare->endpoint, COPAL_GET, "/good", hello, target), COPAL_OK);
  assert_int_equal(copal_route(target->bare->endpoint, COPAL_POST, "/p", count, target), COPAL_OK);
  assert_int_equal(copal_route(target->bare->endpoint, COPAL_GET, "/p", count, target), COPAL_OK);
}

static void open_small(struct target *target) {
  copal_config config = copal_config_small();
  open_target(target, &config);
}

/* The next good request is answered. */
static void assert_alive(struct target *target) {
  char expected[40];
  bare_in_from(target->bare, 6000, "4101%04x9cb4676f6f64", ++target->mid);
  snprintf(expected, sizeof expected, "6000>6145%04x9cc0ff6869", target->mid);
  assert_out(target->bare, expected);
}

/* What an answered request leaves is its sender's record and its reply; what is not answered, or rejected, leaves
 * nothing. */
static void assert_no_growth(struct target *target, copal_usage before) {
  copal_usage after = copal_endpoint_usage(target->bare->endpoint);
  bool answered = target->bare->sent_count == 1 && target->bare->sent[0].view.type != COPAL_RST;
  assert_true(target->bare->sent_count <= 1);
  if (answered) {
    assert_in_range(after.peers, before.peers, before.peers + 1);
    assert_true(after.replies <= before.replies + 1); /* older ones may have made room */
    after.peers = before.peers;
    after.replies = before.replies;
    after.replies_size = before.replies_size;
  }
  assert_memory_equal(&before, &after, sizeof before);
}

struct attempt {
  const char *in, *out;
};

static void attempts(const struct attempt *list, size_t size) {
  struct target target;
  open_small(&target);
  for (size_t i = 0; i < size / sizeof *list; ++i) {
    copal_usage before = copal_endpoint_usage(target.bare->endpoint);
    bare_in(target.bare, "%s", list[i].in);
    assert_out(target.bare, list[i].out);
    assert_no_growth(&target, before);
    assert_alive(&target);
  }
  assert_int_equal(target.executed, 0);
  bare_close(target.bare);
}

/* --- Parsing -------------------------------------------------------------------------------------- */

static void t01_short_datagrams(void **state) {
  (void)state;
  static const struct attempt list[] = {{"", ""}, {"40", ""}, {"4001", ""}, {"400100", ""}, {"ffffff", ""}};
  attempts(list, sizeof list);
}

static void t02_other_versions(void **state) {
  (void)state;
  static const struct attempt list[] = {{"00010001", ""},     {"80010001", ""}, {"c0010001", ""},
                                        {"8f0100010000", ""}, {"c0000001", ""}, {"004500010000ff", ""}};
  attempts(list, sizeof list);
}

static void t03_token_lengths(void **state) {
  (void)state;
  static const struct attempt list[] = {{"4f010001", "70000001"},
                                        {"4f01000200000000", "70000002"},
                                        {"48010003aabb", "70000003"},
                                        {"4d010004", "70000004"},
                                        {"4e01000500", "70000005"},
                                        {"4d010006ff00", "70000006"},
                                        {"4e010007ffff", "70000007"},
                                        {"5f010008", ""},
                                        {"6f010009", ""},
                                        {"7d01000a", ""}};
  attempts(list, sizeof list);
}

/* RFC 8974 2.2.2: "it MUST NOT reject the message, as that would imply that extended token lengths are not supported at
 * all"; what does not even fit a datagram of ours cannot be echoed and gets nothing. */
static void send_long_tokens(struct target *target, uint32_t message_size_max) {
  static const size_t sizes[] = {13, 200, 230, 245, 247, 248, 268, 269, 1000, 65000, 65400};
  static uint8_t token[65400], bytes[65500];
  for (int kind = 0; kind < 4; ++kind)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
      memset(token, (int)i + 1, sizeof token);
      copal_encoder encoder;
      copal_encode_begin(&encoder, bytes, sizeof bytes, kind < 3 ? COPAL_CON : COPAL_NON,
                         kind == 1 ? COPAL_PUT : COPAL_GET, (uint16_t)(i + (size_t)kind * 100), token, sizes[i]);
      if (kind == 2) copal_encode_option(&encoder, 65001, "x", 1);
      copal_encode_option(&encoder, kind == 2 ? 65003 : COPAL_OPTION_URI_PATH, "p", 1);
      copal_path path = bare_path(BARE_PORT);
      copal_usage before = copal_endpoint_usage(target->bare->endpoint);
      bare_in_bytes(target->bare, &path, bytes, encoder.size);
      bare_out(target->bare);
      size_t reply = 4u + (sizes[i] < 269 ? 1u : 2u) + sizes[i];
      assert_int_equal(target->bare->sent_count, reply <= message_size_max);
      if (target->bare->sent_count == 1) {
        const copal_view *view = &target->bare->sent[0].view;
        assert_int_equal(view->token.size, sizes[i]);
        assert_memory_equal(view->token.data, token, sizes[i]);
        assert_true(target->bare->sent[0].size <= message_size_max);
        assert_no_growth(target, before);
      }
      assert_alive(target);
      target->bare->now += 300 * COPAL_SECOND;
    }
}

static void t04_extended_tokens(void **state) {
  (void)state;
  struct target target;
  open_small(&target); /* datagrams of 256 bytes */
  send_long_tokens(&target, 256);
  bare_close(target.bare);
  copal_config config = copal_config_small();
  config.message_size_max = 65507;
  config.messages_size = config.replies_size = 1 << 19;
  open_target(&target, &config);
  send_long_tokens(&target, 65507);
  bare_close(target.bare);
}

static void t05_reserved_and_cut_options(void **state) {
  (void)state;
  static const struct attempt list[] = {{"40010001f0", "70000001"},   {"400100020f", "70000002"},
                                        {"40010003d1", "70000003"},   {"40010004e001", "70000004"},
                                        {"40010005bd", "70000005"},   {"40010006be00", "70000006"},
                                        {"40010007b261", "70000007"}, {"40010008b4676f6fbe", "60840008" BARE_NOT_FOUND},
                                        {"40010009ff", "70000009"},   {"5001000af0", ""},
                                        {"6045000bf0", ""},           {"7000000cf0", ""}};
  attempts(list, sizeof list);
}

static void t06_option_numbers_never_wrap_onto_uri_path(void **state) {
  (void)state;
  static const struct attempt list[] = {{"40010001 e0fef2 c170", "70000001"}, /* 65,535 and 12 would be 11 */
                                        {"40010002 e0feff", "70000002"},
                                        {"40010003 e0fef2 e1fef3 70", "70000003"}};
  attempts(list, sizeof list);
  struct target target;
  open_small(&target);
  char text[1200] = "40020004";
  for (int i = 0; i < 250; ++i) strcat(text, "d0ff");
  bare_in(target.bare, "%s", text);
  assert_out(target.bare, "70000004");
  assert_alive(&target);
  bare_close(target.bare);
}

static void t07_t08_lengths_and_markers_with_nothing_behind(void **state) {
  (void)state;
  static const struct attempt list[] = {{"40010001 beffff", "70000001"}, {"40010002 befeff61", "70000002"},
                                        {"40010003 ff", "70000003"},     {"40010004 b170ff", "70000004"},
                                        {"41010005 aaff", "70000005"},   {"50010006 b170ff", ""}};
  attempts(list, sizeof list);
}

static void t09_a_marker_byte_inside_a_value_is_a_value(void **state) {
  (void)state;
  static const struct attempt list[] = {{"40010001 b1ff", "60840001" BARE_NOT_FOUND},
                                        {"40010002 b3ffffff ff41", "60840002" BARE_NOT_FOUND}};
  attempts(list, sizeof list);
}

static void t10_empty_messages_that_are_not_empty(void **state) {
  (void)state;
  static const struct attempt list[] = {
      {"41000001aa", "70000001"}, {"40000002b170", "70000002"}, {"40000003ff41", "70000003"}, {"61000004aa", ""},
      {"60000005b170", ""},       {"71000006aa", ""},           {"51000007aa", ""},           {"50000008ff41", ""}};
  attempts(list, sizeof list);
}

/* RFC 7252 4.2: "reject the message if the recipient lacks context to process the message properly, including
 * situations where the message is Empty, uses a code with a reserved class (1, 6, or 7), or has a message format
 * error." */
static void t11_reserved_classes(void **state) {
  (void)state;
  static const struct attempt list[] = {{"40200001", "70000001"}, {"403f0002b170", "70000002"},
                                        {"40600003", "70000003"}, {"40c00004", "70000004"},
                                        {"40e10005", "70000005"}, {"40ff0006", "70000006"},
                                        {"50210007", ""},         {"60e20008", ""},
                                        {"70e20009", ""},         {"50e1000a", ""}};
  attempts(list, sizeof list);
}

/* RFC 7252 4.2: "recipients of Acknowledgement and Reset messages MUST NOT respond with either Acknowledgement or
 * Reset messages." */
static void t12_requests_in_acks_and_acks_for_nothing(void **state) {
  (void)state;
  static const struct attempt list[] = {{"60020001b170", ""}, {"70020002b170", ""}, {"60000003", ""},
                                        {"70000004", ""},     {"70450005", ""},     {"60450006ff41", ""}};
  attempts(list, sizeof list);
}

static void t13_responses_to_nothing(void **state) {
  (void)state;
  static const struct attempt list[] = {
      {"41450001aaff41", "70000001"}, {"51450002aaff41", ""}, {"61450003aaff41", ""}, {"40840004", "70000004"}};
  attempts(list, sizeof list);
}

static void t14_hundreds_of_empty_options(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 1472;
  config.messages_size = config.replies_size = 16384;
  struct target target;
  open_target(&target, &config);
  uint8_t bytes[1104] = {0x40, 2, 0, 1, 0xb0};
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(target.bare, &path, bytes, 4 + 600);
  assert_out(target.bare, "60840001" BARE_NOT_FOUND);
  memset(bytes + 4, 0, 1100); /* option 0, 1,100 times: even, unknown, ignored */
  bytes[3] = 2;
  bare_in_bytes(target.bare, &path, bytes, sizeof bytes);
  assert_out(target.bare, "60840002" BARE_NOT_FOUND);
  memset(bytes + 4, 0x10, 1100); /* option 1, 2, 3, … */
  bytes[3] = 3;
  bare_in_bytes(target.bare, &path, bytes, sizeof bytes);
  assert_int_equal(bare_out_one(target.bare)->view.code, COPAL_BAD_OPTION);
  assert_alive(&target);
  bare_close(target.bare);
}

static void t15_options_that_end_where_the_datagram_ends(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  bare_expect(target.bare, "40020001b170", "60440001");
  bare_expect(target.bare, "40020002b17040", "60440002"); /* an empty Uri-Query */
  assert_int_equal(target.executed, 2);
  assert_alive(&target);
  bare_close(target.bare);
}

/* Rows 16 to 19 with all their options are in rest/dispatch_test.c and, for responses, in calls_test.c. */
static void t16_to_t19_options(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 1472;
  config.messages_size = config.replies_size = 16384;
  struct target target;
  open_target(&target, &config);
  bare_in(target.bare, "40020001b170 e1fe2500"); /* T16: CON */
  assert_int_equal(bare_out_one(target.bare)->view.code, COPAL_BAD_OPTION);
  bare_expect(target.bare, "50020002b170 e1fe2500", ""); /* NON */
  assert_alive(&target);
  uint8_t bytes[300] = {0x40, 2, 0, 4, 0xb1, 'p', 0x4d, 243}; /* T18: a Uri-Query of 256 bytes */
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(target.bare, &path, bytes, 8 + 256);
  assert_int_equal(bare_out_one(target.bare)->view.code, COPAL_BAD_OPTION);
  assert_alive(&target);
  assert_int_equal(target.executed, 0);
  bare_expect(target.bare, "40020005b170 e1fe2400", "60440005"); /* T17 */
  bare_expect(target.bare, "40010006b170 620000", "60440006");   /* T19: Accept 0 with leading zeros */
  assert_int_equal(target.executed, 2);
  assert_alive(&target);
  bare_close(target.bare);
}

static void t23_source_port_0(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  bare_in_from(target.bare, 0, "40020001b170");
  assert_out(target.bare, "");
  copal_path path = bare_path(BARE_PORT);
  path.remote.family = COPAL_FAMILY_NONE;
  bare_in_path(target.bare, &path, "40020001b170");
  assert_out(target.bare, "");
  assert_int_equal(target.executed, 0);
  assert_alive(&target);
  bare_close(target.bare);
}

/* Every two bytes behind a good header, and random datagrams: whatever comes, at most one reply. */
static void any_bytes_at_all(void **state) {
  (void)state;
  struct target target;
  open_small(&target);
  struct dice dice = {13};
  copal_path path = bare_path(BARE_PORT);
  for (uint32_t i = 0; i < 150000; ++i) {
    uint8_t bytes[64] = {0x40, 1, (uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)i};
    size_t size = 6;
    if (i >= 65536) {
      size = dice_below(&dice, 40);
      for (size_t k = 0; k < size; ++k) bytes[k] = (uint8_t)dice_u64(&dice);
      if (size > 1 && dice_below(&dice, 4) != 0) bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x33));
      if (size > 1 && dice_below(&dice, 2) != 0) bytes[1] &= 3;
    }
    bare_in_bytes(target.bare, &path, bytes, size);
    copal_datagram datagrams[4];
    size_t replies = copal_endpoint_output(target.bare->endpoint, target.bare->now, datagrams, 4);
    assert_true(replies <= 1);
    if (i % 1000 == 0) assert_alive(&target);
    target.bare->now += COPAL_MILLISECOND;
  }
  bare_close(target.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t01_short_datagrams),
      cmocka_unit_test(t02_other_versions),
      cmocka_unit_test(t03_token_lengths),
      cmocka_unit_test(t04_extended_tokens),
      cmocka_unit_test(t05_reserved_and_cut_options),
      cmocka_unit_test(t06_option_numbers_never_wrap_onto_uri_path),
      cmocka_unit_test(t07_t08_lengths_and_markers_with_nothing_behind),
      cmocka_unit_test(t09_a_marker_byte_inside_a_value_is_a_value),
      cmocka_unit_test(t10_empty_messages_that_are_not_empty),
      cmocka_unit_test(t11_reserved_classes),
      cmocka_unit_test(t12_requests_in_acks_and_acks_for_nothing),
      cmocka_unit_test(t13_responses_to_nothing),
      cmocka_unit_test(t14_hundreds_of_empty_options),
      cmocka_unit_test(t15_options_that_end_where_the_datagram_ends),
      cmocka_unit_test(t16_to_t19_options),
      cmocka_unit_test(t23_source_port_0),
      cmocka_unit_test(any_bytes_at_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
