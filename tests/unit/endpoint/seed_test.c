/* Rows of docs/coapy.md that no other test shows alone, each test named by its row. Public functions only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static struct bare *open_raw(void) {
  copal_config config = copal_config_small();
  config.raw = true;
  return bare_open(&config);
}

static copal_message begin(uint8_t *buffer, size_t capacity, copal_type type, uint8_t code) {
  copal_message message;
  copal_message_init(&message, buffer, capacity, type, code);
  return message;
}

static void assert_bytes(copal_bytes bytes, const char *text) {
  assert_int_equal(bytes.size, strlen(text));
  assert_memory_equal(bytes.data, text, bytes.size);
}

/* --- EndPoint ------------------------------------------------------------------------------------ */

static void s05_a_raw_endpoint_acknowledges_nothing_by_itself(void **state) {
  (void)state;
  static const char *const messages[] = {"4001 1234 b161", "5001 1235 b161", "4045 1236 ff61", "5045 1237 ff61"};
  struct bare *bare = open_raw();
  for (size_t i = 0; i < sizeof messages / sizeof messages[0]; ++i) {
    bare_in(bare, "%s", messages[i]);
    copal_rx rx = bare_rx(bare);
    assert_int_equal(rx.message.message_id, 0x1234 + i);
    assert_out(bare, "");
  }
  bare_close(bare);
}

static void s05_what_no_application_may_see_is_answered_for_it(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"4000 1234", "70001234"},      /* a ping */
      {"4001 1235 ff", "70001235"},   /* a payload marker without payload */
      {"4f01 1236", "70001236"},      /* token length 15 */
      {"4001 1237 d00c", "60821237"}, /* option 25, critical and unknown: 4.02 */
      {"4020 1238", "70001238"},      /* code classes 1, 6 and 7 are reserved */
      {"40c0 1239", "70001239"},
      {"40e1 123a", "7000123a"},
      {"40", ""}, /* nothing that could be answered */
      {"8001 123b", ""},
      {"5001 123c ff", ""},
  };
  struct bare *bare = open_raw();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    bare_in(bare, "%s", cases[i][0]);
    const char *out = bare_out(bare), *header = cases[i][1];
    assert_int_equal(bare->sent_count, header[0] == '\0' ? 0 : 1);
    assert_memory_equal(out, header, strlen(header)); /* a 4.02 may say more */
    assert_false(bare_has_event(bare));
  }
  bare_close(bare);
}

/* --- Message ------------------------------------------------------------------------------------- */

static void s13_a_message_has_type_code_and_payload(void **state) {
  (void)state;
  for (unsigned type = COPAL_CON; type <= COPAL_RST; ++type) {
    uint8_t buffer[32];
    copal_message message = begin(buffer, sizeof buffer, (copal_type)type, COPAL_CONTENT);
    copal_message_set_payload(&message, "22.3 C", 6);
    copal_view view = copal_message_view(&message);
    assert_int_equal(view.type, type);
    assert_int_equal(view.code, COPAL_CONTENT);
    assert_bytes(view.payload, "22.3 C");
    assert_int_equal(message.error, COPAL_OK);
  }
}

static void s14_a_keyword_becomes_an_option_or_an_error(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message = begin(buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  const copal_option_info *info = copal_option_by_name("uri_path");
  assert_non_null(info);
  copal_message_add_text(&message, info->number, "temperature");
  copal_view view = copal_message_view(&message);
  copal_option option;
  assert_true(copal_find(&view, COPAL_OPTION_URI_PATH, &option));
  assert_bytes((copal_bytes){option.value, option.size}, "temperature");
  assert_null(copal_option_by_name("uri_pfad"));
}

static void s24_an_option_is_found_by_number_by_class_and_by_instance(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message = begin(buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_uint(&message, COPAL_OPTION_MAX_AGE, 300);
  copal_view view = copal_message_view(&message);
  copal_option option, again;
  assert_true(copal_find(&view, COPAL_OPTION_MAX_AGE, &option));
  assert_int_equal(copal_option_uint(&option), 300);
  assert_true(copal_find(&view, copal_option_by_name("max_age")->number, &again));
  assert_ptr_equal(again.value, option.value);
  assert_true(copal_find(&view, option.number, &again));
  assert_ptr_equal(again.value, option.value);
  assert_false(copal_find(&view, COPAL_OPTION_ETAG, &option));
}

static void s29_a_type_stays_what_it_was_made_as(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message = begin(buffer, sizeof buffer, COPAL_NON, COPAL_GET);
  copal_message_set_code(&message, COPAL_PUT);
  copal_message_set_token(&message, "token", 5);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  copal_message_set_payload(&message, "b", 1);
  assert_int_equal(copal_message_view(&message).type, COPAL_NON);
  assert_int_equal(copal_message_view(&message).code, COPAL_PUT);
}

/* RFC 7252 3: "Implementations of this specification MUST set this field to 1 (01 binary)." */
static void s30_the_version_is_1(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message = begin(buffer, sizeof buffer, COPAL_RST, COPAL_EMPTY);
  assert_int_equal(buffer[0] >> 6, 1);
  copal_view view;
  assert_int_equal(copal_decode(buffer, message.size, &view), COPAL_OK);
  for (unsigned version = 0; version < 4; ++version) {
    buffer[0] = (uint8_t)((buffer[0] & 0x3f) | version << 6);
    assert_int_equal(copal_decode(buffer, message.size, &view), version == 1 ? COPAL_OK : COPAL_ERR_VERSION);
  }
}

static void s31_decode_gives_the_id_and_the_message_or_the_reason(void **state) {
  (void)state;
  static const uint8_t packed[] = {0x42, 0x01, 0x7d, 0x34, 0x0a, 0x0b, 0xb1, 'a', 0xff, 'b'};
  copal_view view;
  assert_int_equal(copal_decode(packed, sizeof packed, &view), COPAL_OK);
  assert_int_equal(view.message_id, 0x7d34);
  assert_int_equal(view.type, COPAL_CON);
  assert_int_equal(view.code, COPAL_GET);
  assert_bytes(view.token, "\x0a\x0b");
  assert_bytes(view.payload, "b");
  assert_int_equal(copal_decode(packed, 3, &view), COPAL_ERR_DATAGRAM_SHORT);
  assert_int_equal(copal_decode(packed, 5, &view), COPAL_ERR_TOKEN_CUT);
  assert_int_equal(copal_decode(packed, 7, &view), COPAL_ERR_OPTION_VALUE_CUT);
  assert_int_equal(copal_decode(packed, 9, &view), COPAL_ERR_PAYLOAD_EMPTY);
  assert_string_equal(copal_error_text(COPAL_ERR_PAYLOAD_EMPTY), "payload marker with no payload after it");
}

/* --- Records ------------------------------------------------------------------------------------- */

static void s32_s36_to_s39_a_reception_knows_where_it_comes_from(void **state) {
  (void)state;
  struct bare *bare = open_raw();
  bare_in_from(bare, 4711, "4102 beef 2a b161 ff62");
  copal_rx rx = bare_rx(bare);
  copal_address remote = bare_address(4711);
  assert_ptr_equal(rx.endpoint, bare->endpoint);
  assert_true(copal_address_equal(&rx.path.remote, &remote));
  assert_int_equal(rx.message.message_id, 0xbeef);
  assert_int_equal(rx.message.code, COPAL_POST);
  assert_bytes(rx.message.token, "*");
  assert_bytes(rx.message.payload, "b");
  assert_true(rx.time == bare->now);
  bare_close(bare);
}

/* --- What goes with them --------------------------------------------------------------------------- */

static void s56_every_registered_option_is_written_and_read_back(void **state) {
  (void)state;
  static uint8_t value[65536], buffer[sizeof value + 64];
  memset(value, 'v', sizeof value);
  const copal_option_info *info;
  for (size_t i = 0; (info = copal_option_at(i)) != NULL; ++i) {
    const size_t sizes[] = {info->size_min, info->size_max};
    for (size_t k = 0; k < 2; ++k) {
      copal_message message = begin(buffer, sizeof buffer, COPAL_CON, COPAL_GET);
      copal_message_add(&message, info->number, value, sizes[k]);
      assert_int_equal(message.error, COPAL_OK);
      copal_view view;
      copal_option option;
      assert_int_equal(copal_decode(buffer, message.size, &view), COPAL_OK);
      assert_true(copal_find(&view, info->number, &option));
      assert_int_equal(option.size, sizes[k]);
      assert_memory_equal(option.value, value, sizes[k]);
    }
    copal_message message = begin(buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    copal_message_add(&message, info->number, value, info->size_max + (size_t)1);
    assert_int_equal(message.error, COPAL_ERR_OPTION_VALUE);
  }
}

static void s56_content_format_0_is_written_and_a_missing_max_age_is_60(void **state) {
  (void)state;
  uint8_t buffer[16];
  copal_message message = begin(buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT);
  copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  copal_view view = copal_message_view(&message);
  copal_option option;
  assert_true(copal_find(&view, COPAL_OPTION_CONTENT_FORMAT, &option));
  assert_int_equal(option.size, 0);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE), COPAL_TEXT_PLAIN);
  uint32_t otherwise = (uint32_t)strtoul(copal_option_by_number(COPAL_OPTION_MAX_AGE)->initial, NULL, 10);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_MAX_AGE, otherwise), 60);
}

static void s58_each_endpoint_has_its_own_timing(void **state) {
  (void)state;
  copal_config patient = copal_config_small(), hasty = patient;
  hasty.raw = patient.raw = true;
  hasty.parameters.ack_timeout = 10 * COPAL_MILLISECOND;
  hasty.parameters.ack_random_permille = 1000;
  hasty.parameters.max_retransmit = 1;
  struct bare *slow = bare_open(&patient), *fast = bare_open(&hasty);
  copal_tx slow_tx = bare_send(slow, BARE_PORT, COPAL_CON, COPAL_GET);
  copal_tx fast_tx = bare_send(fast, BARE_PORT, COPAL_CON, COPAL_GET);
  bare_out_one(slow);
  bare_out_one(fast);
  assert_true(bare_info(fast, fast_tx).next_event_time == fast->now + 10 * COPAL_MILLISECOND);
  assert_true(bare_info(slow, slow_tx).next_event_time >= slow->now + 2 * COPAL_SECOND);
  assert_true(bare_info(slow, slow_tx).next_event_time <= slow->now + 3 * COPAL_SECOND);

  fast->now += 10 * COPAL_MILLISECOND;
  bare_out_one(fast);
  fast->now += 20 * COPAL_MILLISECOND;
  assert_out(fast, "");
  assert_true(bare_info(fast, fast_tx).is_unacknowledged);
  slow->now = fast->now;
  assert_out(slow, "");
  assert_int_equal(bare_info(slow, slow_tx).transmissions_left, 4);
  bare_close(slow);
  bare_close(fast);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(s05_a_raw_endpoint_acknowledges_nothing_by_itself),
      cmocka_unit_test(s05_what_no_application_may_see_is_answered_for_it),
      cmocka_unit_test(s13_a_message_has_type_code_and_payload),
      cmocka_unit_test(s14_a_keyword_becomes_an_option_or_an_error),
      cmocka_unit_test(s24_an_option_is_found_by_number_by_class_and_by_instance),
      cmocka_unit_test(s29_a_type_stays_what_it_was_made_as),
      cmocka_unit_test(s30_the_version_is_1),
      cmocka_unit_test(s31_decode_gives_the_id_and_the_message_or_the_reason),
      cmocka_unit_test(s32_s36_to_s39_a_reception_knows_where_it_comes_from),
      cmocka_unit_test(s56_every_registered_option_is_written_and_read_back),
      cmocka_unit_test(s56_content_format_0_is_written_and_a_missing_max_age_is_60),
      cmocka_unit_test(s58_each_endpoint_has_its_own_timing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
