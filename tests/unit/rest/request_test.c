/* What a handler may ask of its request and say in reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

typedef void action(copal_request *request);

/* A route whose handler does what the test says. */
static void handler(copal_request *request, void *context) { (*(action **)context)(request); }

static struct bare *open_server(const char *pattern, action **does) {
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, pattern, handler, does), COPAL_OK);
  return bare;
}

/* --- Asking ------------------------------------------------------------------------------------- */

static void check_parameters(copal_request *request) {
  copal_bytes a = copal_request_parameter(request, "a"), b = copal_request_parameter(request, "b");
  assert_int_equal(a.size, 3);
  assert_memory_equal(a.data, "one", 3);
  assert_int_equal(b.size, 0); /* taken, but by nothing */
  assert_int_equal(copal_request_parameter(request, "c").size, 0);
  assert_int_equal(copal_request_parameter(request, "").size, 0);
  assert_int_equal(copal_request_rx(request)->message.code, COPAL_GET);
  assert_int_equal(copal_request_rx(request)->path.remote.port, BARE_PORT);
  assert_ptr_equal(copal_request_rx(request)->endpoint, copal_request_endpoint(request));
  copal_reply_code(request, COPAL_VALID);
}

static void parameters_are_what_their_segments_hold(void **state) {
  (void)state;
  action *does = check_parameters;
  struct bare *bare = open_server("/x/{a}/y/{b}", &does);
  bare_expect(bare, "40010001 b178 036f6e65 0179 00", "60430001");
  bare_close(bare);
}

static const char *expected_tail;

static void check_tail(copal_request *request) {
  char buffer[100];
  size_t need = strlen(expected_tail) + 1;
  assert_int_equal(copal_request_tail(request, buffer, sizeof buffer), COPAL_OK);
  assert_string_equal(buffer, expected_tail);
  for (size_t capacity = 1; capacity <= need; ++capacity) {
    char *exact = malloc(capacity);
    assert_int_equal(copal_request_tail(request, exact, capacity), capacity < need ? COPAL_ERR_SPACE : COPAL_OK);
    if (capacity == need) assert_string_equal(exact, expected_tail);
    free(exact);
  }
  copal_reply_code(request, COPAL_VALID);
}

static void a_tail_is_text_that_cannot_leave_its_folder_by_a_slash_or_a_nul(void **state) {
  (void)state;
  action *does = check_tail;
  struct bare *bare = open_server("/f/*", &does);
  static const struct {
    const char *segments, *tail;
  } cases[] = {{"b166", ""},
               {"b166 0161", "a"},
               {"b166 0161 0162", "a/b"},
               {"b166 00", ""},
               {"b166 0161 00 0162", "a//b"},
               {"b166 04612f2e2e", "a%2F.."},
               {"b166 03610062", "a%00b"},
               {"b166 022e2e 0161", "../a"},
               {"b166 02c3a4", "%C3%A4"},
               {"b166 0225 20", "%25%20"},
               {"b166 057e2d5f2e41", "~-_.A"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    expected_tail = cases[i].tail;
    bare_in(bare, "4001%04x%s", (unsigned)i, cases[i].segments);
    assert_int_equal(bare_out_one(bare)->view.code, COPAL_VALID);
  }
  bare_close(bare);
}

static void without_a_tail_the_whole_path_is_one(void **state) {
  (void)state;
  action *does = check_tail;
  struct bare *bare = open_server("/a/{x}", &does);
  expected_tail = "a/b";
  bare_expect(bare, "40010001 b161 0162", "60430001");
  bare_close(bare);
}

static void take_tail(copal_request *request) {
  char buffer[2048];
  assert_int_equal(copal_request_tail(request, buffer, sizeof buffer), COPAL_OK);
  assert_int_equal(strlen(buffer), 598);
  copal_reply_code(request, COPAL_VALID);
}

static void t14_600_empty_segments_are_a_tail_of_slashes(void **state) {
  (void)state;
  copal_config config = copal_config_default();
  config.peers_max = config.exchanges_max = 4;
  config.messages_size = config.replies_size = 65536;
  struct bare *bare = bare_open(&config);
  action *does = take_tail;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/*", handler, &does), COPAL_OK);
  uint8_t bytes[4 + 600] = {0x40, 1, 0, 1, 0xb0};
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(bare, &path, bytes, 4 + 599);
  assert_out(bare, "60430001");
  bare_close(bare);
}

/* --- Replying ------------------------------------------------------------------------------------ */

static void reply_twice(copal_request *request) {
  assert_int_equal(copal_reply_text(request, "first"), COPAL_OK);
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 1);
  assert_int_equal(copal_reply_code(request, COPAL_DELETED), COPAL_OK);
}

static void the_last_reply_counts_and_nothing_of_those_before_stays(void **state) {
  (void)state;
  action *does = reply_twice;
  struct bare *bare = open_server("/a", &does);
  bare_expect(bare, "42010001aabbb161", "62420001aabb");
  bare_close(bare);
}

static void build_by_hand(copal_request *request) {
  copal_message *reply = copal_reply_message(request);
  copal_message_set_payload(reply, "xy", 2);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 5);
  copal_message_add(reply, COPAL_OPTION_ETAG, "\x01", 1);
  copal_message_set_code(reply, COPAL_CREATED);
}

static void a_reply_is_built_by_hand_in_any_order(void **state) {
  (void)state;
  action *does = build_by_hand;
  struct bare *bare = open_server("/a", &does);
  bare_expect(bare, "41010001aab161", "61410001aa4101a105ff7879");
  bare_close(bare);
}

static size_t payload_size;
static copal_error reply_error;

static void reply_large(copal_request *request) {
  static const uint8_t payload[400] = {1};
  reply_error = copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, payload, payload_size);
}

static void a_reply_that_does_not_fit_goes_in_blocks(void **state) {
  (void)state;
  action *does = reply_large;
  struct bare *bare = open_server("/a", &does);
  for (payload_size = 240; payload_size < 260; ++payload_size) {
    bare_in(bare, "4201%04xaabbb161", (unsigned)payload_size);
    bool fits = 4 + 2 + 1 + payload_size <= 256;
    const struct bare_sent *sent = bare_out_one(bare);
    assert_int_equal(reply_error, COPAL_OK);
    assert_int_equal(sent->view.code, COPAL_CONTENT);
    assert_int_equal(sent->view.payload.size, fits ? payload_size : 128);
    assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_BLOCK2, 99), fits ? 99 : 0x0b);
    assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_SIZE2, 0), fits ? 0 : payload_size);
    assert_int_equal(sent->view.token.size, 2);
  }
  bare_close(bare);
}

/* Nobody could ask for the rest of it: the token leaves no room for a block. */
static void a_reply_without_room_for_a_block_becomes_5_00_with_its_token(void **state) {
  (void)state;
  action *does = reply_large;
  struct bare *bare = open_server("/a", &does);
  payload_size = 400;
  uint8_t token[230] = {7}, bytes[256];
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, COPAL_GET, 1, token, sizeof token);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "a", 1);
  assert_int_equal(encoder.error, COPAL_OK);
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(bare, &path, bytes, encoder.size);
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(reply_error, COPAL_ERR_MESSAGE_SIZE);
  assert_int_equal(sent->view.code, COPAL_INTERNAL_SERVER_ERROR);
  assert_int_equal(sent->view.token.size, sizeof token);
  bare_close(bare);
}

/* RFC 8974: whatever the token's size, the reply echoes it. RFC 7252 5.3.1: "An endpoint receiving a token it did
 * not generate MUST treat the token as opaque". */
static void t04_extended_tokens_are_echoed_in_every_reply(void **state) {
  (void)state;
  action *does = reply_twice;
  struct bare *bare = open_server("/a", &does);
  static const size_t sizes[] = {8, 9, 12, 13, 14, 200, 240};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
    for (int wrong = 0; wrong < 2; ++wrong) {
      uint8_t token[240], bytes[260];
      memset(token, (int)i, sizeof token);
      copal_encoder encoder;
      copal_encode_begin(&encoder, bytes, sizeof bytes, COPAL_CON, COPAL_GET, (uint16_t)(i * 2) + (uint16_t)wrong,
                         token, sizes[i]);
      copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, wrong == 1 ? "b" : "a", 1);
      copal_path path = bare_path(BARE_PORT);
      bare_in_bytes(bare, &path, bytes, encoder.size);
      const copal_view *view = &bare_out_one(bare)->view;
      assert_int_equal(view->code, wrong == 1 ? COPAL_NOT_FOUND : COPAL_DELETED);
      assert_int_equal(view->token.size, sizes[i]);
      assert_memory_equal(view->token.data, token, sizes[i]);
    }
  bare_close(bare);
}

/* --- Beside the path ------------------------------------------------------------------------------ */

static void options_before_the_path_are_no_segments(void **state) {
  (void)state;
  action *does = check_parameters;
  struct bare *bare = open_server("/x/{a}/y/{b}", &does);
  bare_expect(bare, "40010001 3168 30 5178 036f6e65 0179 00", "60430001"); /* Uri-Host and Observe */
  bare_close(bare);
  does = check_tail;
  bare = open_server("/f/*", &does);
  expected_tail = "a/b";
  bare_expect(bare, "40010001 3168 30 5166 0161 0162", "60430001");
  bare_close(bare);
}

static void check_query(copal_request *request) {
  copal_bytes value;
  assert_true(copal_request_query(request, "ab", &value));
  assert_int_equal(value.size, 1);
  assert_memory_equal(value.data, "7", 1);
  assert_true(copal_request_query(request, "a", &value));
  assert_int_equal(value.size, 0);
  assert_true(copal_request_query(request, "abc", &value));
  assert_int_equal(value.size, 0); /* "abc=" */
  assert_true(copal_request_query(request, "x", &value));
  assert_memory_equal(value.data, "1=2", value.size); /* of two the first, up to its end */
  assert_false(copal_request_query(request, "abcd", &value));
  assert_false(copal_request_query(request, "b", &value));
  assert_false(copal_request_query(request, "ab=", &value));
  copal_reply_code(request, COPAL_VALID);
}

/* "?abc=&ab=7&a&x=1=2&x=3" */
static void an_argument_is_found_by_its_whole_name(void **state) {
  (void)state;
  action *does = check_query;
  struct bare *bare = open_server("/q", &does);
  bare_expect(bare, "40010001 b171 446162633d 0461623d37 0161 05783d313d32 03783d33", "60430001");
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parameters_are_what_their_segments_hold),
      cmocka_unit_test(a_tail_is_text_that_cannot_leave_its_folder_by_a_slash_or_a_nul),
      cmocka_unit_test(without_a_tail_the_whole_path_is_one),
      cmocka_unit_test(t14_600_empty_segments_are_a_tail_of_slashes),
      cmocka_unit_test(the_last_reply_counts_and_nothing_of_those_before_stays),
      cmocka_unit_test(a_reply_is_built_by_hand_in_any_order),
      cmocka_unit_test(a_reply_that_does_not_fit_goes_in_blocks),
      cmocka_unit_test(a_reply_without_room_for_a_block_becomes_5_00_with_its_token),
      cmocka_unit_test(t04_extended_tokens_are_echoed_in_every_reply),
      cmocka_unit_test(options_before_the_path_are_no_segments),
      cmocka_unit_test(an_argument_is_found_by_its_whole_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
