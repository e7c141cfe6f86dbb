/* What the decoder accepts, which error each malformed datagram gets, and what a view answers. Test names that end in
 * t and a number show a row of the list of hostile inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"

/* Decodes from a heap block of exactly that size, so that a sanitizer sees every byte read too many. */
static copal_error decode_exact(const void *data, size_t size, copal_view *view) {
  uint8_t *exact = malloc(size);
  if (size != 0) memcpy(exact, data, size);
  copal_error error = copal_decode(exact, size, view);
  free(exact);
  return error;
}

#define assert_refused(expected, ...)                                          \
  do {                                                                         \
    const uint8_t bytes_[] = {__VA_ARGS__};                                    \
    copal_view view_;                                                          \
    assert_int_equal(decode_exact(bytes_, sizeof bytes_, &view_), (expected)); \
    assert_int_equal(view_.type, bytes_[0] >> 4 & 3);                          \
    assert_int_equal(view_.code, bytes_[1]);                                   \
    assert_int_equal(view_.message_id, bytes_[2] << 8 | bytes_[3]);            \
    assert_int_equal(view_.token.size, 0);                                     \
    assert_int_equal(view_.options.size, 0);                                   \
    assert_int_equal(view_.payload.size, 0);                                   \
  } while (0)

static void a_request_decodes_into_its_parts(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x52, 0x01, 0x7d, 0x34, 0x4a, 0x1b, 0xb1, 'a',
                                     0x01, 'b',  0x11, 60,   0xff, 'x',  'y'};
  copal_view view;
  assert_int_equal(copal_decode(datagram, sizeof datagram, &view), COPAL_OK);
  assert_int_equal(view.type, COPAL_NON);
  assert_int_equal(view.code, COPAL_GET);
  assert_int_equal(view.message_id, 0x7d34);
  assert_ptr_equal(view.token.data, datagram + 4);
  assert_int_equal(view.token.size, 2);
  assert_ptr_equal(view.options.data, datagram + 6);
  assert_int_equal(view.options.size, 6);
  assert_ptr_equal(view.payload.data, datagram + 13);
  assert_int_equal(view.payload.size, 2);

  copal_options walk = copal_options_of(&view);
  copal_option option;
  static const struct {
    uint16_t number;
    uint8_t value;
  } expected[] = {{11, 'a'}, {11, 'b'}, {12, 60}};
  for (size_t index = 0; index < 3; ++index) {
    assert_true(copal_options_next(&walk, &option));
    assert_int_equal(option.number, expected[index].number);
    assert_int_equal(option.size, 1);
    assert_int_equal(option.value[0], expected[index].value);
  }
  assert_false(copal_options_next(&walk, &option));
}

static void fewer_than_four_bytes_leave_the_view_untouched_t1(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x40, 0x01, 0x00};
  for (size_t size = 0; size <= 3; ++size) {
    copal_view view, before;
    memset(&view, 0xa5, sizeof view);
    memcpy(&before, &view, sizeof view);
    assert_int_equal(decode_exact(datagram, size, &view), COPAL_ERR_DATAGRAM_SHORT);
    assert_memory_equal(&view, &before, sizeof view);
  }
}

/* RFC 7252 3: "Messages with unknown version numbers MUST be silently ignored." */
static void another_version_leaves_the_view_untouched_t2(void **state) {
  (void)state;
  static const uint8_t versions[] = {0x00, 0x80, 0xc0};
  for (size_t index = 0; index < sizeof versions; ++index) {
    for (unsigned rest = 0; rest < 64; ++rest) {
      const uint8_t datagram[] = {(uint8_t)(versions[index] | rest), 0x01, 0x12, 0x34, 0xff};
      copal_view view, before;
      memset(&view, 0xa5, sizeof view);
      memcpy(&before, &view, sizeof view);
      assert_int_equal(decode_exact(datagram, sizeof datagram, &view), COPAL_ERR_VERSION);
      assert_memory_equal(&view, &before, sizeof view);
    }
  }
}

/* RFC 8974 2.1, of 15: "Reserved. This value MUST NOT be sent and MUST be processed as a message-format error." */
static void each_broken_token_length_has_its_error_t3(void **state) {
  (void)state;
  assert_refused(COPAL_ERR_TOKEN_RESERVED, 0x4f, 0x01, 0x12, 0x34);
  assert_refused(COPAL_ERR_TOKEN_RESERVED, 0x6f, 0x45, 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  assert_refused(COPAL_ERR_TOKEN_CUT, 0x41, 0x01, 0x12, 0x34);
  assert_refused(COPAL_ERR_TOKEN_CUT, 0x48, 0x01, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7);
  assert_refused(COPAL_ERR_TOKEN_CUT, 0x4c, 0x01, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  assert_refused(COPAL_ERR_TOKEN_LENGTH_CUT, 0x4d, 0x01, 0x12, 0x34);
  assert_refused(COPAL_ERR_TOKEN_LENGTH_CUT, 0x4e, 0x01, 0x12, 0x34);
  assert_refused(COPAL_ERR_TOKEN_LENGTH_CUT, 0x4e, 0x01, 0x12, 0x34, 0x00);
  assert_refused(COPAL_ERR_TOKEN_CUT, 0x4d, 0x01, 0x12, 0x34, 0x00, 1, 2, 3);
  assert_refused(COPAL_ERR_TOKEN_CUT, 0x4e, 0x01, 0x12, 0x34, 0xff, 0xff, 1, 2, 3);
}

static void extended_tokens_up_to_the_longest_are_taken_whole_t4(void **state) {
  (void)state;
  static const size_t sizes[] = {12, 13, 14, 200, 268, 269, 270, 1000, 65535, 65536, 65804};
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; ++index) {
    size_t size = sizes[index], extension = size < 13 ? 0 : size < 269 ? 1 : 2, total = 4 + extension + size;
    uint8_t *datagram = malloc(total);
    memset(datagram, 0x5a, total);
    datagram[0] = (uint8_t)(0x40 | (extension == 0 ? size : 12 + extension));
    datagram[1] = COPAL_GET;
    if (extension == 1) datagram[4] = (uint8_t)(size - 13);
    if (extension == 2) {
      datagram[4] = (uint8_t)((size - 269) >> 8);
      datagram[5] = (uint8_t)(size - 269);
    }
    copal_view view;
    assert_int_equal(copal_decode(datagram, total, &view), COPAL_OK);
    assert_int_equal(view.token.size, size);
    assert_ptr_equal(view.token.data, datagram + 4 + extension);
    assert_int_equal(view.options.size, 0);
    assert_int_equal(view.payload.size, 0);
    assert_int_equal(copal_decode(datagram, total - 1, &view), COPAL_ERR_TOKEN_CUT);
    free(datagram);
  }
}

/* RFC 7252 3.1, of a delta of 15: "If the field is set to this value but the entire byte is not the payload marker,
 * this MUST be processed as a message format error." */
static void each_broken_option_has_its_error_t5(void **state) {
  (void)state;
  for (unsigned length = 0; length < 15; ++length) {
    assert_refused(COPAL_ERR_OPTION_DELTA_RESERVED, 0x40, 0x01, 0x12, 0x34, (uint8_t)(0xf0 | length), 0, 0, 0, 0);
  }
  for (unsigned delta = 0; delta < 15; ++delta) {
    assert_refused(COPAL_ERR_OPTION_LENGTH_RESERVED, 0x40, 0x01, 0x12, 0x34, (uint8_t)(delta << 4 | 15), 0, 0, 0, 0);
  }
  assert_refused(COPAL_ERR_OPTION_HEADER_CUT, 0x40, 0x01, 0x12, 0x34, 0xd1);
  assert_refused(COPAL_ERR_OPTION_HEADER_CUT, 0x40, 0x01, 0x12, 0x34, 0xe0);
  assert_refused(COPAL_ERR_OPTION_HEADER_CUT, 0x40, 0x01, 0x12, 0x34, 0xe0, 0x01);
  assert_refused(COPAL_ERR_OPTION_HEADER_CUT, 0x40, 0x01, 0x12, 0x34, 0xbd);
  assert_refused(COPAL_ERR_OPTION_HEADER_CUT, 0x40, 0x01, 0x12, 0x34, 0xbe, 0x00);
  assert_refused(COPAL_ERR_OPTION_HEADER_CUT, 0x40, 0x01, 0x12, 0x34, 0xee, 0x00, 0x00, 0x00);
  assert_refused(COPAL_ERR_OPTION_VALUE_CUT, 0x40, 0x01, 0x12, 0x34, 0xb2, 'a');
  assert_refused(COPAL_ERR_OPTION_VALUE_CUT, 0x40, 0x01, 0x12, 0x34, 0xd1, 0x00);
  assert_refused(COPAL_ERR_OPTION_VALUE_CUT, 0x40, 0x01, 0x12, 0x34, 0xbd, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
}

static void option_numbers_never_wrap_round_t6(void **state) {
  (void)state;
  /* 65535 is the last number there is; 12 more would be Uri-Path if it wrapped round. */
  static const uint8_t last[] = {0x40, 0x01, 0x12, 0x34, 0xe0, 0xfe, 0xf2};
  copal_view view;
  copal_option option;
  assert_int_equal(decode_exact(last, sizeof last, &view), COPAL_OK);
  assert_int_equal(copal_decode(last, sizeof last, &view), COPAL_OK);
  assert_true(copal_find(&view, 65535, &option));
  assert_refused(COPAL_ERR_OPTION_NUMBER_RANGE, 0x40, 0x01, 0x12, 0x34, 0xe0, 0xfe, 0xf2, 0xc0);
  assert_refused(COPAL_ERR_OPTION_NUMBER_RANGE, 0x40, 0x01, 0x12, 0x34, 0xe0, 0xfe, 0xf2, 0x10, 0xff, 'x');
  assert_refused(COPAL_ERR_OPTION_NUMBER_RANGE, 0x40, 0x01, 0x12, 0x34, 0xe0, 0xfe, 0xf3);

  uint8_t many[4 + 2 * 250] = {0x40, 0x01, 0x12, 0x34};
  for (size_t index = 0; index < 250; ++index) {
    many[4 + 2 * index] = 0xd0;
    many[5 + 2 * index] = 0xff;
  }
  assert_int_equal(decode_exact(many, sizeof many, &view), COPAL_ERR_OPTION_NUMBER_RANGE);

  /* As many of the greatest deltas as bring a number of 32 bits nearly round, and one that makes it Uri-Path. */
  uint32_t count = UINT32_MAX / 65804, rest = 0u - count * 65804u + COPAL_OPTION_URI_PATH - 269u;
  size_t size = 4 + 3 * ((size_t)count + 1);
  uint8_t *round = malloc(size);
  memset(round, 0xff, size);
  memcpy(round, many, 4);
  for (size_t at = 4; at < size; at += 3) round[at] = 0xe0;
  round[size - 2] = (uint8_t)(rest >> 8);
  round[size - 1] = (uint8_t)rest;
  assert_true(rest <= 0xffff);
  assert_int_equal(copal_decode(round, size, &view), COPAL_ERR_OPTION_NUMBER_RANGE);
  free(round);
}

static void a_length_beyond_the_datagram_is_refused_t7(void **state) {
  (void)state;
  assert_refused(COPAL_ERR_OPTION_VALUE_CUT, 0x40, 0x01, 0x12, 0x34, 0xbe, 0xff, 0xff, 'a', 'b');
}

/* RFC 7252 3: "The presence of a marker followed by a zero-length payload MUST be processed as a message format
 * error." */
static void a_payload_marker_needs_a_payload_t8(void **state) {
  (void)state;
  assert_refused(COPAL_ERR_PAYLOAD_EMPTY, 0x40, 0x01, 0x12, 0x34, 0xff);
  assert_refused(COPAL_ERR_PAYLOAD_EMPTY, 0x41, 0x01, 0x12, 0x34, 0xff, 0xff);
  assert_refused(COPAL_ERR_PAYLOAD_EMPTY, 0x40, 0x01, 0x12, 0x34, 0xb1, 0xff, 0xff);
}

/* RFC 7252 3: "The byte 0xFF has the meaning of a payload marker only where the beginning of another option could
 * occur." */
static void a_marker_byte_inside_a_value_is_a_value_byte_t9(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x41, 0x01, 0x12, 0x34, 0xff, 0xb3, 0xff, 0xff, 0xff, 0xff, 0xff};
  copal_view view;
  copal_option option;
  assert_int_equal(copal_decode(datagram, sizeof datagram, &view), COPAL_OK);
  assert_int_equal(view.token.data[0], 0xff);
  assert_true(copal_find(&view, COPAL_OPTION_URI_PATH, &option));
  assert_int_equal(option.size, 3);
  assert_int_equal(view.payload.size, 1);
  assert_int_equal(view.payload.data[0], 0xff);
}

/* RFC 7252 4.1: "The Token Length field MUST be set to 0 and bytes of data MUST NOT be present after the Message ID
 * field. If there are any bytes, they MUST be processed as a message format error." */
static void an_empty_message_is_four_bytes_t10(void **state) {
  (void)state;
  for (unsigned type = 0; type < 4; ++type) {
    const uint8_t datagram[] = {(uint8_t)(0x40 | type << 4), 0x00, 0x12, 0x34};
    copal_view view;
    assert_int_equal(decode_exact(datagram, sizeof datagram, &view), COPAL_OK);
    assert_int_equal(view.type, type);
    assert_int_equal(view.message_id, 0x1234);
  }
  assert_refused(COPAL_ERR_EMPTY_NOT_EMPTY, 0x41, 0x00, 0x12, 0x34, 0x01);
  assert_refused(COPAL_ERR_EMPTY_NOT_EMPTY, 0x41, 0x00, 0x12, 0x34);
  assert_refused(COPAL_ERR_EMPTY_NOT_EMPTY, 0x60, 0x00, 0x12, 0x34, 0xb1, 'a');
  assert_refused(COPAL_ERR_EMPTY_NOT_EMPTY, 0x70, 0x00, 0x12, 0x34, 0xff, 'a');
}

static void hundreds_of_empty_options_are_all_there_t14(void **state) {
  (void)state;
  uint8_t paths[4 + 600] = {0x40, 0x01, 0x12, 0x34, 0xb0};
  copal_view view;
  copal_option option;
  size_t count = 0;
  assert_int_equal(copal_decode(paths, sizeof paths, &view), COPAL_OK);
  copal_options walk = copal_options_of(&view);
  while (copal_options_next(&walk, &option)) {
    assert_int_equal(option.number, COPAL_OPTION_URI_PATH);
    assert_int_equal(option.size, 0);
    ++count;
  }
  assert_int_equal(count, 600);

  uint8_t nothings[4 + 1100] = {0x40, 0x01, 0x12, 0x34};
  assert_int_equal(copal_decode(nothings, sizeof nothings, &view), COPAL_OK);
  assert_true(copal_option_index(&view, 1099, &option));
  assert_int_equal(option.number, 0);
  assert_false(copal_option_index(&view, 1100, &option));
}

static void options_may_end_where_the_datagram_ends_t15(void **state) {
  (void)state;
  static const uint8_t template[] = {0x40, 0x01, 0x12, 0x34, 0xb4, 't', 'e', 's', 't'};
  uint8_t *exact = malloc(sizeof template);
  memcpy(exact, template, sizeof template);
  copal_view view;
  copal_option option;
  assert_int_equal(copal_decode(exact, sizeof template, &view), COPAL_OK);
  assert_true(copal_find(&view, COPAL_OPTION_URI_PATH, &option));
  assert_memory_equal(option.value, "test", 4);
  assert_false(copal_find(&view, COPAL_OPTION_URI_QUERY, &option));
  assert_int_equal(view.payload.size, 0);
  free(exact);
}

/* RFC 7252 3.2: "A recipient MUST be prepared to process values with leading zero bytes." */
static void unsigned_values_may_have_leading_zeros_t19(void **state) {
  (void)state;
  static const uint8_t bytes[] = {0x00, 0x00, 0x01, 0x02};
  static const uint32_t expected[] = {0, 0, 0, 1, 0x0102};
  for (uint32_t size = 0; size <= 4; ++size) {
    copal_option option = {bytes, size, COPAL_OPTION_MAX_AGE};
    assert_int_equal(copal_option_uint(&option), expected[size]);
  }
  static const uint8_t large[] = {0xff, 0xfe, 0xfd, 0xfc, 0xfb};
  copal_option four = {large, 4, COPAL_OPTION_MAX_AGE}, five = {large, 5, COPAL_OPTION_MAX_AGE};
  assert_int_equal(copal_option_uint(&four), 0xfffefdfc);
  assert_int_equal(copal_option_uint(&five), UINT32_MAX);
}

static void values_of_every_extension_size_are_found(void **state) {
  (void)state;
  static const uint32_t sizes[] = {0, 12, 13, 268, 269, 270, 65535, 65536, 65804};
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; ++index) {
    uint32_t size = sizes[index], extension = size < 13 ? 0 : size < 269 ? 1 : 2, total = 4 + 1 + extension + size + 1;
    uint8_t *datagram = calloc(1, total);
    datagram[0] = 0x40;
    datagram[1] = COPAL_GET;
    datagram[4] = (uint8_t)(0xb0 | (extension == 0 ? size : 12 + extension));
    if (extension == 1) datagram[5] = (uint8_t)(size - 13);
    if (extension == 2) {
      datagram[5] = (uint8_t)((size - 269) >> 8);
      datagram[6] = (uint8_t)(size - 269);
    }
    datagram[total - 1] = 0x40; /* Uri-Query, empty */
    copal_view view;
    copal_option option;
    assert_int_equal(copal_decode(datagram, total, &view), COPAL_OK);
    assert_true(copal_find(&view, COPAL_OPTION_URI_PATH, &option));
    assert_int_equal(option.size, size);
    assert_ptr_equal(option.value, datagram + 5 + extension);
    assert_true(copal_find(&view, COPAL_OPTION_URI_QUERY, &option));
    assert_int_equal(option.size, 0);
    assert_int_equal(copal_decode(datagram, total - 2, &view), size == 0 ? COPAL_OK : COPAL_ERR_OPTION_VALUE_CUT);
    free(datagram);
  }
}

static void find_gives_the_first_and_leaves_option_untouched_without_one(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x40, 0x01, 0x12, 0x34, 0x31, 'h', 0x81, 'a', 0x01, 'b', 0x61, 50};
  copal_view view;
  assert_int_equal(copal_decode(datagram, sizeof datagram, &view), COPAL_OK);
  copal_option option = {datagram, 77, 88};
  assert_false(copal_find(&view, COPAL_OPTION_ETAG, &option));
  assert_false(copal_find(&view, COPAL_OPTION_SIZE1, &option));
  assert_ptr_equal(option.value, datagram);
  assert_int_equal(option.size, 77);
  assert_int_equal(option.number, 88);
  assert_true(copal_find(&view, COPAL_OPTION_URI_PATH, &option));
  assert_int_equal(option.value[0], 'a');
  assert_true(copal_option_index(&view, 2, &option));
  assert_int_equal(option.value[0], 'b');
  assert_true(copal_option_index(&view, 3, &option));
  assert_int_equal(option.number, COPAL_OPTION_ACCEPT);
  assert_false(copal_option_index(&view, 4, &option));
}

/* RFC 7252 5.4.3: "If the length of an option value in a request is outside the defined range, that option MUST be
 * treated like an unrecognized option". */
static void find_uint_passes_over_values_of_illegal_size(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x40, 0x45, 0x12, 0x34, 0xc3, 1, 2, 3, 0x01, 40, 0x20, 0xd1, 50, 7};
  copal_view view;
  assert_int_equal(copal_decode(datagram, sizeof datagram, &view), COPAL_OK);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, 99), 40);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_MAX_AGE, 60), 0);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_ACCEPT, 99), 99);
  assert_int_equal(copal_find_uint(&view, 77, 99), 7);
  static const uint8_t only_illegal[] = {0x40, 0x45, 0x12, 0x34, 0xc3, 1, 2, 3};
  assert_int_equal(copal_decode(only_illegal, sizeof only_illegal, &view), COPAL_OK);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE), COPAL_FORMAT_NONE);
}

/* However the numbers of those that are there compare with it. */
static void what_is_not_there_is_not_found(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x40, 0x45, 0x12, 0x34, 0xd1, 64, 7, 0xe1, 1, 0, 9}; /* 77 and 602 */
  copal_view view;
  copal_option option;
  assert_int_equal(copal_decode(datagram, sizeof datagram, &view), COPAL_OK);
  for (uint16_t number = 0; number < 2000; ++number) {
    uint32_t expected = number == 77 ? 7 : number == 602 ? 9 : 99;
    assert_int_equal(copal_find_uint(&view, number, 99), expected);
    assert_int_equal(copal_find(&view, number, &option), expected != 99);
  }
}

static void a_view_of_nothing_has_no_options(void **state) {
  (void)state;
  copal_view view = {0};
  copal_options walk = copal_options_of(&view);
  copal_option option;
  assert_false(copal_options_next(&walk, &option));
  assert_false(copal_find(&view, 0, &option));
  assert_false(copal_option_index(&view, 0, &option));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_decodes_into_its_parts),
      cmocka_unit_test(fewer_than_four_bytes_leave_the_view_untouched_t1),
      cmocka_unit_test(another_version_leaves_the_view_untouched_t2),
      cmocka_unit_test(each_broken_token_length_has_its_error_t3),
      cmocka_unit_test(extended_tokens_up_to_the_longest_are_taken_whole_t4),
      cmocka_unit_test(each_broken_option_has_its_error_t5),
      cmocka_unit_test(option_numbers_never_wrap_round_t6),
      cmocka_unit_test(a_length_beyond_the_datagram_is_refused_t7),
      cmocka_unit_test(a_payload_marker_needs_a_payload_t8),
      cmocka_unit_test(a_marker_byte_inside_a_value_is_a_value_byte_t9),
      cmocka_unit_test(an_empty_message_is_four_bytes_t10),
      cmocka_unit_test(hundreds_of_empty_options_are_all_there_t14),
      cmocka_unit_test(options_may_end_where_the_datagram_ends_t15),
      cmocka_unit_test(unsigned_values_may_have_leading_zeros_t19),
      cmocka_unit_test(values_of_every_extension_size_are_found),
      cmocka_unit_test(find_gives_the_first_and_leaves_option_untouched_without_one),
      cmocka_unit_test(find_uint_passes_over_values_of_illegal_size),
      cmocka_unit_test(what_is_not_there_is_not_found),
      cmocka_unit_test(a_view_of_nothing_has_no_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
