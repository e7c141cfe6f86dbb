/* The decoder at the bounds of everything that has a size: every first byte, every code with every type, every option
 * byte in every surrounding, every extension at its bounds, and every truncation of rich messages. Each is compared
 * with a second decoder, at places where one byte read too many is noticed: judge.h. All small inputs are in
 * shapes_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"
#include "exhaustive/judge.h"

static void every_first_byte_with_every_short_length(void **state) {
  (void)state;
  uint8_t datagram[32];
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned filler = 0; filler < 256; filler += 17) {
      memset(datagram, (int)filler, sizeof datagram);
      datagram[0] = (uint8_t)first;
      datagram[1] = COPAL_GET;
      for (size_t size = 0; size <= sizeof datagram; ++size) judge(datagram, size);
    }
  }
}

static void every_code_with_every_type_and_remainder(void **state) {
  (void)state;
  static const struct {
    size_t size;
    uint8_t bytes[8];
  } rest[] = {{0, {0}}, {1, {0xff}}, {1, {0x00}}, {2, {0xb1, 'a'}}, {2, {0xff, 'p'}}, {4, {0xb1, 'a', 0xff, 'p'}}};
  for (unsigned code = 0; code < 256; ++code) {
    for (unsigned type = 0; type < 4; ++type) {
      for (unsigned token = 0; token < 16; ++token) {
        for (size_t index = 0; index < sizeof rest / sizeof rest[0]; ++index) {
          uint8_t datagram[4 + 8] = {(uint8_t)(0x40 | type << 4 | token), (uint8_t)code, 0x12, 0x34};
          memcpy(datagram + 4, rest[index].bytes, rest[index].size);
          copal_error error = judge(datagram, 4 + rest[index].size);
          /* The code decides nothing but whether more may follow: reserved classes are the engine's to refuse. */
          if (code != 0 && token == 0 && rest[index].size != 1) assert_int_equal(error, COPAL_OK);
          if (code == 0 && token + rest[index].size != 0) assert_int_equal(error, COPAL_ERR_EMPTY_NOT_EMPTY);
        }
      }
    }
  }
}

static void every_two_bytes_where_options_are(void **state) {
  (void)state;
  for (unsigned pair = 0; pair < 65536; ++pair) {
    uint8_t datagram[4 + 6] = {0x40, COPAL_GET, 0x12, 0x34, (uint8_t)(pair >> 8), (uint8_t)pair, 0x00, 0x01, 0xff, 'p'};
    judge(datagram, 6);
    judge(datagram, 7);
    judge(datagram, sizeof datagram);
  }
}

static void every_option_byte_after_every_option_byte(void **state) {
  (void)state;
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      uint8_t datagram[4 + 48] = {0x40, COPAL_GET, 0x12, 0x34, (uint8_t)first};
      unsigned delta = first >> 4, length = first & 15;
      size_t at = 5u + (delta > 12 ? delta - 12 : 0) + (length > 12 ? length - 12 : 0) + (length == 13 ? 13 : length);
      if (length < 14 && at < sizeof datagram) datagram[at++] = (uint8_t)second;
      for (size_t size = 5; size <= sizeof datagram; size += 3) judge(datagram, size);
      judge(datagram, at);
    }
  }
}

static const uint32_t bounds[] = {0,   1,   11,  12,  13,    14,    255,   256,   267,
                                  268, 269, 270, 271, 65534, 65535, 65536, 65803, 65804};
#define BOUNDS_COUNT (sizeof bounds / sizeof bounds[0])

static size_t put_number(uint8_t *at, uint32_t value) {
  if (value < 13) return 0;
  if (value < 269) {
    at[0] = (uint8_t)(value - 13);
    return 1;
  }
  at[0] = (uint8_t)((value - 269) >> 8);
  at[1] = (uint8_t)(value - 269);
  return 2;
}

static unsigned nibble_of(uint32_t value) { return value < 13 ? value : value < 269 ? 13 : 14; }

/* Two options whose deltas, and one of whose lengths, run over all bounds, whole and with bytes missing at the end. */
static void every_extension_at_its_bounds(void **state) {
  (void)state;
  static uint8_t datagram[70000];
  for (size_t first = 0; first < BOUNDS_COUNT; ++first) {
    for (size_t second = 0; second < BOUNDS_COUNT; ++second) {
      for (size_t length = 0; length < BOUNDS_COUNT; ++length) {
        size_t at = 4;
        memset(datagram, 0, sizeof datagram);
        datagram[0] = 0x40;
        datagram[1] = COPAL_GET;
        datagram[at++] = (uint8_t)(nibble_of(bounds[first]) << 4);
        at += put_number(datagram + at, bounds[first]);
        datagram[at++] = (uint8_t)(nibble_of(bounds[second]) << 4 | nibble_of(bounds[length]));
        at += put_number(datagram + at, bounds[second]);
        at += put_number(datagram + at, bounds[length]);
        size_t value_at = at;
        at += bounds[length];
        copal_error expected = bounds[first] + bounds[second] > 65535 ? COPAL_ERR_OPTION_NUMBER_RANGE : COPAL_OK;
        assert_int_equal(judge(datagram, at), expected);
        if (expected != COPAL_OK) continue;
        if (bounds[length] != 0) assert_int_equal(judge(datagram, at - 1), COPAL_ERR_OPTION_VALUE_CUT);
        for (size_t size = 4; size < value_at; ++size) judge(datagram, size);
        assert_int_equal(judge(datagram, at + 1), COPAL_OK);
      }
    }
  }
}

static void every_token_length_at_its_bounds(void **state) {
  (void)state;
  static uint8_t datagram[70000];
  for (size_t index = 0; index < BOUNDS_COUNT; ++index) {
    memset(datagram, 0xff, sizeof datagram);
    datagram[0] = (uint8_t)(0x40 | nibble_of(bounds[index]));
    datagram[1] = COPAL_GET;
    size_t extension = put_number(datagram + 4, bounds[index]), whole = 4 + extension + bounds[index];
    assert_int_equal(judge(datagram, whole), COPAL_OK);
    if (bounds[index] != 0) assert_int_equal(judge(datagram, whole - 1), COPAL_ERR_TOKEN_CUT);
    assert_int_equal(judge(datagram, whole + 1), COPAL_ERR_PAYLOAD_EMPTY);
    assert_int_equal(judge(datagram, whole + 2), COPAL_OK);
    for (size_t size = 4; size < 4 + extension; ++size) {
      assert_int_equal(judge(datagram, size), COPAL_ERR_TOKEN_LENGTH_CUT);
    }
  }
}

static size_t encode_rich(unsigned which, uint8_t *buffer, size_t capacity) {
  static const uint8_t filler[400] = {0xff, 0xfe, 0xdd, 0xee, 0xff};
  static const size_t token_sizes[] = {0, 4, 8, 13, 269};
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, capacity, COPAL_CON, COPAL_PUT, 0x1234, filler, token_sizes[which]);
  copal_encode_option(&encoder, COPAL_OPTION_URI_HOST, "example.net", 11);
  copal_encode_option(&encoder, COPAL_OPTION_ETAG, filler, 8);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, ".well-known", 11);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "core", 4);
  copal_encode_option(&encoder, COPAL_OPTION_URI_QUERY, filler, 13 + 50 * which);
  copal_encode_uint(&encoder, COPAL_OPTION_BLOCK1, 0x12345b);
  copal_encode_uint(&encoder, COPAL_OPTION_SIZE1, 0x01020304);
  copal_encode_option(&encoder, COPAL_OPTION_ECHO, filler, 40);
  copal_encode_option(&encoder, COPAL_OPTION_REQUEST_TAG, filler, which);
  copal_encode_option(&encoder, 65000, filler, 300);
  if (which != 2) copal_encode_payload(&encoder, filler, 100);
  assert_int_equal(encoder.error, COPAL_OK);
  return encoder.size;
}

/* A message cut anywhere is either malformed or a shorter message; both decoders must agree which. */
static void every_truncation_of_rich_messages(void **state) {
  (void)state;
  for (unsigned which = 0; which < 5; ++which) {
    uint8_t datagram[2048];
    size_t size = encode_rich(which, datagram, sizeof datagram), good = 0;
    for (size_t cut = 0; cut <= size; ++cut) good += judge(datagram, cut) == COPAL_OK;
    assert_int_equal(judge(datagram, size), COPAL_OK);
    /* After header and token, after each of ten options, and anywhere within the payload. */
    assert_int_equal(good, 11 + (which == 2 ? 0 : 100));
  }
}

static void every_bit_of_rich_messages_flipped(void **state) {
  (void)state;
  for (unsigned which = 0; which < 5; ++which) {
    uint8_t datagram[2048];
    size_t size = encode_rich(which, datagram, sizeof datagram);
    for (size_t bit = 0; bit < 8 * size; ++bit) {
      uint8_t mask = (uint8_t)(1u << (bit & 7));
      datagram[bit >> 3] ^= mask;
      judge(datagram, size);
      datagram[bit >> 3] ^= mask;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_first_byte_with_every_short_length),
      cmocka_unit_test(every_code_with_every_type_and_remainder),
      cmocka_unit_test(every_two_bytes_where_options_are),
      cmocka_unit_test(every_option_byte_after_every_option_byte),
      cmocka_unit_test(every_extension_at_its_bounds),
      cmocka_unit_test(every_token_length_at_its_bounds),
      cmocka_unit_test(every_truncation_of_rich_messages),
      cmocka_unit_test(every_bit_of_rich_messages_flipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
