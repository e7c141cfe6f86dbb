/* The in-order encoder: its bytes, its counting, and its latch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"

/* RFC 7252 3.1: "the instances MUST appear in order of their Option Numbers and a delta encoding is used between
 * them". */
static void a_message_is_written_front_to_back(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_NON, COPAL_POST, 0xbeef, "\x4a\x1b", 2);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "a", 1);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "bc", 2);
  copal_encode_uint(&encoder, COPAL_OPTION_CONTENT_FORMAT, 0);
  copal_encode_uint(&encoder, COPAL_OPTION_SIZE1, 0x0102);
  copal_encode_option(&encoder, 2000, NULL, 0);
  copal_encode_payload(&encoder, "xyz", 3);
  static const uint8_t expected[] = {0x52, 0x02, 0xbe, 0xef, 0x4a, 0x1b, 0xb1, 'a',  0x02, 'b', 'c', 0x10,
                                     0xd2, 35,   0x01, 0x02, 0xe0, 0x06, 0x87, 0xff, 'x',  'y', 'z'};
  assert_int_equal(encoder.error, COPAL_OK);
  assert_int_equal(encoder.size, sizeof expected);
  assert_memory_equal(buffer, expected, sizeof expected);
}

/* RFC 7252 3.1: 0 to 12 in the nibble, 13 to 268 in one byte, 269 to 65,804 in two. */
static void deltas_and_lengths_take_their_shortest_form(void **state) {
  (void)state;
  static const struct {
    uint32_t value;
    uint8_t nibble, extension_size, extension[2];
  } forms[] = {
      {0, 0, 0, {0, 0}},          {12, 12, 0, {0, 0}},        {13, 13, 1, {0, 0}},  {14, 13, 1, {1, 0}},
      {268, 13, 1, {255, 0}},     {269, 14, 2, {0, 0}},       {270, 14, 2, {0, 1}}, {65535, 14, 2, {254, 242}},
      {65536, 14, 2, {254, 243}}, {65804, 14, 2, {255, 255}},
  };
  static uint8_t buffer[70000], value[65804];
  for (size_t of_delta = 0; of_delta < sizeof forms / sizeof forms[0]; ++of_delta) {
    if (forms[of_delta].value > 65535) continue;
    for (size_t of_size = 0; of_size < sizeof forms / sizeof forms[0]; ++of_size) {
      copal_encoder encoder;
      copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 0, NULL, 0);
      copal_encode_option(&encoder, (uint16_t)forms[of_delta].value, value, forms[of_size].value);
      uint8_t expected[5] = {(uint8_t)(forms[of_delta].nibble << 4 | forms[of_size].nibble)};
      memcpy(expected + 1, forms[of_delta].extension, forms[of_delta].extension_size);
      memcpy(expected + 1 + forms[of_delta].extension_size, forms[of_size].extension, forms[of_size].extension_size);
      size_t header = 1u + forms[of_delta].extension_size + forms[of_size].extension_size;
      assert_int_equal(encoder.error, COPAL_OK);
      assert_int_equal(encoder.size, 4 + header + forms[of_size].value);
      assert_memory_equal(buffer + 4, expected, header);
    }
  }
}

static void values_of_every_short_size_are_copied_whole(void **state) {
  (void)state;
  uint8_t value[40], buffer[64];
  for (size_t index = 0; index < sizeof value; ++index) value[index] = (uint8_t)(index + 1);
  for (size_t size = 0; size <= sizeof value; ++size) {
    copal_encoder encoder;
    memset(buffer, 0, sizeof buffer);
    copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 0, NULL, 0);
    copal_encode_option(&encoder, 1, value, size);
    assert_memory_equal(buffer + encoder.size - size, value, size);
    assert_int_equal(buffer[encoder.size], 0);
  }
}

/* RFC 8974 2.1: "A value between 0 and 12, inclusive, indicates the length of the variable-length "Token" field in
 * bytes." 13 and 14 announce one and two bytes more. */
static void tokens_take_their_shortest_form(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 8, 12, 13, 268, 269, 65804};
  static uint8_t buffer[66000], token[65804];
  memset(token, 0x77, sizeof token);
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; ++index) {
    size_t size = sizes[index], extension = size < 13 ? 0 : size < 269 ? 1 : 2;
    copal_encoder encoder;
    copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT, 1, token, size);
    assert_int_equal(encoder.error, COPAL_OK);
    assert_int_equal(encoder.size, 4 + extension + size);
    assert_int_equal(buffer[0], 0x60 | (extension == 0 ? size : 12 + extension));
    copal_view view;
    assert_int_equal(copal_decode(buffer, encoder.size, &view), COPAL_OK);
    assert_int_equal(view.token.size, size);
    assert_memory_equal(view.token.data, token, size);
  }
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 1, token, 65805);
  assert_int_equal(encoder.error, COPAL_ERR_TOKEN_SIZE);
  copal_encode_option(&encoder, 11, "a", 1);
  assert_int_equal(encoder.error, COPAL_ERR_TOKEN_SIZE);
  assert_int_equal(encoder.size, 0);
}

/* RFC 7252 3.2: "a sender SHOULD represent the integer with as few bytes as possible, i.e., without leading zero
 * bytes. For example, the number 0 is represented with an empty option value". */
static void unsigned_values_have_no_leading_zeros(void **state) {
  (void)state;
  static const struct {
    uint32_t value;
    uint8_t size, bytes[4];
  } values[] = {
      {0, 0, {0}},
      {1, 1, {1}},
      {255, 1, {255}},
      {256, 2, {1, 0}},
      {65535, 2, {255, 255}},
      {65536, 3, {1, 0, 0}},
      {0xffffff, 3, {255, 255, 255}},
      {0x1000000, 4, {1, 0, 0, 0}},
      {0xfedcba98, 4, {0xfe, 0xdc, 0xba, 0x98}},
  };
  for (size_t index = 0; index < sizeof values / sizeof values[0]; ++index) {
    uint8_t buffer[16];
    copal_encoder encoder;
    copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 0, NULL, 0);
    copal_encode_uint(&encoder, 12, values[index].value);
    assert_int_equal(encoder.size, 5u + values[index].size);
    assert_int_equal(buffer[4], 0xc0 | values[index].size);
    assert_memory_equal(buffer + 5, values[index].bytes, values[index].size);
  }
}

static void encode_rich(copal_encoder *encoder, void *buffer, size_t capacity) {
  static const uint8_t token[20] = {1, 2, 3}, value[300] = {4, 5, 6};
  copal_encode_begin(encoder, buffer, capacity, COPAL_CON, COPAL_PUT, 0x1234, token, sizeof token);
  copal_encode_option(encoder, 3, "host", 4);
  copal_encode_option(encoder, 11, value, 13);
  copal_encode_option(encoder, 11, "", 0);
  copal_encode_uint(encoder, 60, 100000);
  copal_encode_option(encoder, 65000, value, sizeof value);
  copal_encode_payload(encoder, "payload", 7);
}

static void without_a_buffer_it_counts_what_it_would_write(void **state) {
  (void)state;
  uint8_t buffer[512];
  copal_encoder counting, writing;
  encode_rich(&counting, NULL, 0);
  encode_rich(&writing, buffer, sizeof buffer);
  assert_int_equal(counting.error, COPAL_OK);
  assert_int_equal(counting.size, writing.size);
  assert_int_equal(counting.size, 4 + 21 + 5 + 15 + 1 + 5 + 305 + 8);
}

static void too_small_a_buffer_latches_and_nothing_is_written_past_it(void **state) {
  (void)state;
  copal_encoder encoder;
  encode_rich(&encoder, NULL, 0);
  size_t needed = encoder.size;
  for (size_t capacity = 1; capacity <= needed; ++capacity) {
    uint8_t *buffer = malloc(capacity);
    encode_rich(&encoder, buffer, capacity);
    assert_int_equal(encoder.error, capacity < needed ? COPAL_ERR_SPACE : COPAL_OK);
    assert_true(encoder.size <= capacity);
    free(buffer);
  }
}

static void the_first_error_stays_and_stops_all_writing(void **state) {
  (void)state;
  uint8_t buffer[12];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 0, NULL, 0);
  copal_encode_option(&encoder, 12, "a", 1);
  copal_encode_option(&encoder, 11, "b", 1);
  assert_int_equal(encoder.error, COPAL_ERR_OPTION_ORDER);
  size_t size = encoder.size;
  for (unsigned number = 0; number <= 65535; number += 5) copal_encode_option(&encoder, (uint16_t)number, "c", 1);
  copal_encode_option(&encoder, 60, "much too long a value", 21);
  copal_encode_uint(&encoder, 65535, 1);
  copal_encode_payload(&encoder, "p", 1);
  assert_int_equal(encoder.error, COPAL_ERR_OPTION_ORDER);
  assert_int_equal(encoder.size, size);
}

static void nothing_follows_a_payload(void **state) {
  (void)state;
  uint8_t buffer[32];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 0, NULL, 0);
  copal_encode_payload(&encoder, NULL, 0);
  copal_encode_option(&encoder, 11, "a", 1);
  assert_int_equal(encoder.error, COPAL_OK);
  copal_encode_payload(&encoder, "p", 1);
  copal_encoder again = encoder;
  copal_encode_option(&encoder, 65535, "a", 1);
  assert_int_equal(encoder.error, COPAL_ERR_OPTION_ORDER);
  copal_encode_payload(&again, "q", 1);
  assert_int_equal(again.error, COPAL_ERR_OPTION_ORDER);
  assert_int_equal(again.size, 8);
}

static void a_value_that_no_length_can_express_is_refused(void **state) {
  (void)state;
  static uint8_t value[65805];
  copal_encoder encoder;
  copal_encode_begin(&encoder, NULL, 0, COPAL_CON, COPAL_GET, 0, NULL, 0);
  copal_encode_option(&encoder, 11, value, 65804);
  assert_int_equal(encoder.error, COPAL_OK);
  copal_encode_option(&encoder, 11, value, 65805);
  assert_int_equal(encoder.error, COPAL_ERR_OPTION_VALUE);
}

static void assert_same_encoder(const copal_encoder *a, const copal_encoder *b, const uint8_t *bytes_a,
                                const uint8_t *bytes_b, size_t size) {
  assert_int_equal(a->error, b->error);
  assert_int_equal(a->size, b->size);
  assert_int_equal(a->capacity, b->capacity);
  assert_int_equal(a->last_option, b->last_option);
  assert_memory_equal(bytes_a, bytes_b, size);
}

/* A short cut must not be told from what it is one of: at each size that a token, a value and a payload can have near
 * its bounds, with any room, in and out of order. */
static void a_short_cut_writes_what_stands_behind_it(void **state) {
  (void)state;
  enum { ROOM = 64, SIZE = 15 };
  static const uint8_t bytes[SIZE] = "0123456789abcde";
  static const uint16_t numbers[] = {0, 11, 12, 13, 24, 25, 11};
  copal_encoder counting;
  copal_encode_begin(&counting, NULL, ROOM, COPAL_ACK, COPAL_CONTENT, 0x1234, bytes, SIZE - 3);
  assert_int_equal(counting.size, 4 + SIZE - 3);
  for (size_t capacity = 0; capacity <= ROOM; ++capacity) {
    for (size_t size = 0; size <= SIZE; ++size) {
      uint8_t here[ROOM] = {0}, there[ROOM] = {0};
      copal_encoder cut, whole;
      copal_encode_begin(&cut, here, capacity, COPAL_ACK, COPAL_CONTENT, 0x1234, bytes, size);
      copal_encode_any_header(&whole, there, capacity, COPAL_ACK, COPAL_CONTENT, 0x1234, bytes, size);
      assert_same_encoder(&cut, &whole, here, there, ROOM);
      for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        copal_encoder cut_end = cut, whole_end = whole;
        uint8_t cut_bytes[ROOM], whole_bytes[ROOM];
        memcpy(cut_bytes, here, ROOM);
        memcpy(whole_bytes, there, ROOM);
        cut_end.buffer = cut_bytes;
        whole_end.buffer = whole_bytes;
        for (int times = 0; times < 2; ++times) {
          copal_encode_payload(&cut_end, bytes, size);
          copal_encode_any_payload(&whole_end, bytes, size);
          assert_same_encoder(&cut_end, &whole_end, cut_bytes, whole_bytes, ROOM);
        }
        copal_encode_option(&cut, numbers[i], bytes, (size + i) % (SIZE + 1));
        copal_encode_any_option(&whole, numbers[i], bytes, (size + i) % (SIZE + 1));
        assert_same_encoder(&cut, &whole, here, there, ROOM);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_is_written_front_to_back),
      cmocka_unit_test(deltas_and_lengths_take_their_shortest_form),
      cmocka_unit_test(values_of_every_short_size_are_copied_whole),
      cmocka_unit_test(tokens_take_their_shortest_form),
      cmocka_unit_test(unsigned_values_have_no_leading_zeros),
      cmocka_unit_test(without_a_buffer_it_counts_what_it_would_write),
      cmocka_unit_test(too_small_a_buffer_latches_and_nothing_is_written_past_it),
      cmocka_unit_test(the_first_error_stays_and_stops_all_writing),
      cmocka_unit_test(nothing_follows_a_payload),
      cmocka_unit_test(a_value_that_no_length_can_express_is_refused),
      cmocka_unit_test(a_short_cut_writes_what_stands_behind_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
