/* The messages of RFC 7252 Appendix A (Figures 16 to 23) and of RFC 7959 section 3, as bytes: each decodes to what its
 * figure says, and both the encoder and the builder make these very bytes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"

typedef struct vector {
  const char *figure;
  const char *bytes; /* hexadecimal */
  copal_type type;
  uint8_t code;
  uint16_t message_id;
  const char *token; /* hexadecimal */
  const char *path;
  const char *payload;
} vector;

#define TEMPERATURE "bb74656d7065726174757265"
#define DEGREES "ff32322e332043"

static const vector vectors[] = {
    {"16 request", "40017d34" TEMPERATURE, COPAL_CON, COPAL_GET, 0x7d34, "", "temperature", ""},
    {"16 response", "60457d34" DEGREES, COPAL_ACK, COPAL_CONTENT, 0x7d34, "", "", "22.3 C"},
    {"17 request", "41017d3520" TEMPERATURE, COPAL_CON, COPAL_GET, 0x7d35, "20", "temperature", ""},
    {"17 response", "61457d3520" DEGREES, COPAL_ACK, COPAL_CONTENT, 0x7d35, "20", "", "22.3 C"},
    {"18 request", "41017d3631" TEMPERATURE, COPAL_CON, COPAL_GET, 0x7d36, "31", "temperature", ""},
    {"18 response", "61457d3631" DEGREES, COPAL_ACK, COPAL_CONTENT, 0x7d36, "31", "", "22.3 C"},
    {"19 request", "41017d3742" TEMPERATURE, COPAL_CON, COPAL_GET, 0x7d37, "42", "temperature", ""},
    {"19 response", "61457d3742" DEGREES, COPAL_ACK, COPAL_CONTENT, 0x7d37, "42", "", "22.3 C"},
    {"20 request", "41017d3853" TEMPERATURE, COPAL_CON, COPAL_GET, 0x7d38, "53", "temperature", ""},
    {"20 acknowledgement", "60007d38", COPAL_ACK, COPAL_EMPTY, 0x7d38, "", "", ""},
    {"20 response", "4145ad7b53" DEGREES, COPAL_CON, COPAL_CONTENT, 0xad7b, "53", "", "22.3 C"},
    {"20 its acknowledgement", "6000ad7b", COPAL_ACK, COPAL_EMPTY, 0xad7b, "", "", ""},
    {"21 request", "41017d3964" TEMPERATURE, COPAL_CON, COPAL_GET, 0x7d39, "64", "temperature", ""},
    {"21 acknowledgement", "60007d39", COPAL_ACK, COPAL_EMPTY, 0x7d39, "", "", ""},
    {"21 response", "4145ad7c64" DEGREES, COPAL_CON, COPAL_CONTENT, 0xad7c, "64", "", "22.3 C"},
    {"21 reset", "7000ad7c", COPAL_RST, COPAL_EMPTY, 0xad7c, "", "", ""},
    {"22 request", "51017d4075" TEMPERATURE, COPAL_NON, COPAL_GET, 0x7d40, "75", "temperature", ""},
    {"22 response", "5145ad7d75" DEGREES, COPAL_NON, COPAL_CONTENT, 0xad7d, "75", "", "22.3 C"},
    {"23 request", "51017d4186" TEMPERATURE, COPAL_NON, COPAL_GET, 0x7d41, "86", "temperature", ""},
    {"23 response of A", "514560b186" DEGREES, COPAL_NON, COPAL_CONTENT, 0x60b1, "86", "", "22.3 C"},
    {"23 response of B", "514501a086ff32302e392043", COPAL_NON, COPAL_CONTENT, 0x01a0, "86", "", "20.9 C"},
    {"23 response of C", "5184952a86", COPAL_NON, COPAL_NOT_FOUND, 0x952a, "86", "", ""},
};
#define VECTORS_COUNT (sizeof vectors / sizeof vectors[0])

static unsigned digit_of(char letter) { return (unsigned)(letter <= '9' ? letter - '0' : letter - 'a' + 10); }

static size_t from_hex(const char *text, uint8_t *bytes) {
  size_t size = 0;
  for (; text[0] != '\0'; text += 2) bytes[size++] = (uint8_t)(digit_of(text[0]) << 4 | digit_of(text[1]));
  return size;
}

static void assert_bytes(copal_bytes found, const void *expected, size_t size) {
  assert_int_equal(found.size, size);
  assert_memory_equal(found.data, expected, size);
}

static void figures_decode_to_what_they_say(void **state) {
  (void)state;
  for (size_t index = 0; index < VECTORS_COUNT; ++index) {
    const vector *figure = &vectors[index];
    uint8_t datagram[64], token[8];
    size_t size = from_hex(figure->bytes, datagram), token_size = from_hex(figure->token, token);
    copal_view view;
    assert_int_equal(copal_decode(datagram, size, &view), COPAL_OK);
    assert_int_equal(view.type, figure->type);
    assert_int_equal(view.code, figure->code);
    assert_int_equal(view.message_id, figure->message_id);
    assert_bytes(view.token, token, token_size);
    assert_bytes(view.payload, figure->payload, strlen(figure->payload));
    copal_options walk = copal_options_of(&view);
    copal_option option;
    if (figure->path[0] != '\0') {
      assert_true(copal_options_next(&walk, &option));
      assert_int_equal(option.number, COPAL_OPTION_URI_PATH);
      assert_bytes((copal_bytes){option.value, option.size}, figure->path, strlen(figure->path));
    }
    assert_false(copal_options_next(&walk, &option));
  }
}

static void figures_encode_to_their_bytes(void **state) {
  (void)state;
  for (size_t index = 0; index < VECTORS_COUNT; ++index) {
    const vector *figure = &vectors[index];
    uint8_t expected[64], token[8], buffer[64];
    size_t size = from_hex(figure->bytes, expected), token_size = from_hex(figure->token, token);
    copal_encoder encoder;
    copal_encode_begin(&encoder, buffer, sizeof buffer, figure->type, figure->code, figure->message_id, token,
                       token_size);
    if (figure->path[0] != '\0') {
      copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, figure->path, strlen(figure->path));
    }
    copal_encode_payload(&encoder, figure->payload, strlen(figure->payload));
    assert_int_equal(encoder.error, COPAL_OK);
    assert_bytes((copal_bytes){buffer, encoder.size}, expected, size);
  }
}

static void figures_are_built_to_their_bytes(void **state) {
  (void)state;
  for (size_t index = 0; index < VECTORS_COUNT; ++index) {
    const vector *figure = &vectors[index];
    uint8_t expected[64], token[8], buffer[64];
    size_t size = from_hex(figure->bytes, expected), token_size = from_hex(figure->token, token);
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, figure->type, figure->code);
    copal_message_set_payload(&message, figure->payload, strlen(figure->payload));
    if (figure->path[0] != '\0') copal_message_add_text(&message, COPAL_OPTION_URI_PATH, figure->path);
    copal_message_set_token(&message, token, token_size);
    assert_int_equal(message.error, COPAL_OK);
    /* The message ID is the sender's to stamp: the builder leaves 0 there. */
    expected[2] = expected[3] = 0;
    assert_bytes((copal_bytes){buffer, message.size}, expected, size);
  }
}

/* RFC 7959 3: "a Block2 Option value of 33 would be shown as 2:2/0/32) and a Block1 Option value of 59 would be shown
 * as 1:3/1/128." */
static void block_values_are_those_of_rfc7959(void **state) {
  (void)state;
  static const struct {
    uint32_t value, number;
    bool more;
    unsigned size;
    const char *text;
  } blocks[] = {
      {33, 2, false, 32, "2/0/32"},
      {59, 3, true, 128, "3/1/128"},
      {0, 0, false, 16, "0/0/16"},
      {0x0b, 0, true, 128, "0/1/128"},
      {0xfffffe, 1048575, true, 1024, "1048575/1/1024"},
  };
  for (size_t index = 0; index < sizeof blocks / sizeof blocks[0]; ++index) {
    copal_block block = copal_block_of(blocks[index].value);
    assert_int_equal(block.number, blocks[index].number);
    assert_int_equal(block.more, blocks[index].more);
    assert_int_equal(16u << block.szx, blocks[index].size);
    assert_int_equal(copal_block_value(block), blocks[index].value);

    uint8_t buffer[16];
    char text[32];
    copal_encoder encoder;
    copal_view view;
    copal_option option;
    copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 0, NULL, 0);
    copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, blocks[index].value);
    assert_int_equal(copal_decode(buffer, encoder.size, &view), COPAL_OK);
    assert_int_equal(copal_find_uint(&view, COPAL_OPTION_BLOCK2, 1), blocks[index].value);
    assert_true(copal_find(&view, COPAL_OPTION_BLOCK2, &option));
    copal_text_option(&option, text, sizeof text);
    assert_string_equal(text, blocks[index].text);
  }
}

/* RFC 7959, Figure 12: headers 0x41011636 and 0x61451636. */
static void an_observe_sequence_with_blocks_has_its_bytes(void **state) {
  (void)state;
  uint8_t expected[256], buffer[256], payload[128];
  memset(payload, 0x55, sizeof payload);

  size_t size = from_hex("41011636fb605b7374617475732d69636f6e", expected);
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "status-icon");
  copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, 0);
  copal_message_set_token(&message, "\xfb", 1);
  expected[2] = expected[3] = 0;
  assert_bytes((copal_bytes){buffer, message.size}, expected, size);

  size = from_hex("61451636fb446f00f38e22f38ed1040bff", expected);
  memcpy(expected + size, payload, sizeof payload);
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT, 0x1636, "\xfb", 1);
  copal_encode_option(&encoder, COPAL_OPTION_ETAG, "\x6f\x00\xf3\x8e", 4);
  copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, 62350);
  copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, copal_block_value((copal_block){0, true, 3}));
  copal_encode_payload(&encoder, payload, sizeof payload);
  assert_int_equal(encoder.error, COPAL_OK);
  assert_bytes((copal_bytes){buffer, encoder.size}, expected, size + sizeof payload);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_decode_to_what_they_say),
      cmocka_unit_test(figures_encode_to_their_bytes),
      cmocka_unit_test(figures_are_built_to_their_bytes),
      cmocka_unit_test(block_values_are_those_of_rfc7959),
      cmocka_unit_test(an_observe_sequence_with_blocks_has_its_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
