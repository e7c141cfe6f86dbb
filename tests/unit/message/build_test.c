/* The builder: whatever the order of calls, the buffer holds a valid encoded message with its options sorted. Edits are
 * compared with the in-order encoder's bytes for the same message, by hand and for thousands of random edits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"

/* What a message should hold: the simplest thing that could be compared with. */
typedef struct model {
  struct {
    uint16_t number;
    uint16_t size;
    uint8_t fill;
  } options[256];
  size_t count;
  uint8_t token[300];
  size_t token_size;
  uint8_t payload[64];
  size_t payload_size;
} model;

static void model_add(model *expected, uint16_t number, uint16_t size, uint8_t fill) {
  size_t at = expected->count++;
  while (at > 0 && expected->options[at - 1].number > number) {
    expected->options[at] = expected->options[at - 1];
    --at;
  }
  expected->options[at].number = number;
  expected->options[at].size = size;
  expected->options[at].fill = fill;
}

static size_t model_delete(model *expected, uint16_t number) {
  size_t kept = 0, before = expected->count;
  for (size_t index = 0; index < before; ++index) {
    if (expected->options[index].number != number) expected->options[kept++] = expected->options[index];
  }
  expected->count = kept;
  return before - kept;
}

static size_t model_encode(const model *expected, uint8_t *buffer, size_t capacity) {
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, capacity, COPAL_CON, COPAL_GET, 0, expected->token, expected->token_size);
  for (size_t index = 0; index < expected->count; ++index) {
    uint8_t value[512];
    memset(value, expected->options[index].fill, sizeof value);
    copal_encode_option(&encoder, expected->options[index].number, value, expected->options[index].size);
  }
  copal_encode_payload(&encoder, expected->payload, expected->payload_size);
  return encoder.size;
}

/* The message's own account of itself agrees with its bytes. */
static void assert_sound(const copal_message *message) {
  copal_view decoded, view = copal_message_view(message);
  assert_int_equal(copal_decode(message->buffer, message->size, &decoded), COPAL_OK);
  assert_ptr_equal(view.token.data, decoded.token.data);
  assert_int_equal(view.token.size, decoded.token.size);
  assert_ptr_equal(view.options.data, decoded.options.data);
  assert_int_equal(view.options.size, decoded.options.size);
  assert_ptr_equal(view.payload.data, decoded.payload.data);
  assert_int_equal(view.payload.size, decoded.payload.size);
  assert_int_equal(view.type, decoded.type);
  assert_int_equal(view.code, decoded.code);
  assert_int_equal(view.message_id, decoded.message_id);
  copal_options walk = copal_options_of(&view);
  copal_option option = {NULL, 0, 0};
  while (copal_options_next(&walk, &option)) continue;
  assert_int_equal(message->last_option, option.number);
}

static void assert_bytes(const copal_message *message, const void *expected, size_t size) {
  assert_int_equal(message->error, COPAL_OK);
  assert_int_equal(message->size, size);
  assert_memory_equal(message->buffer, expected, size);
  assert_sound(message);
}

static void a_new_message_is_a_header(void **state) {
  (void)state;
  uint8_t buffer[4];
  copal_message message;
  memset(buffer, 0xff, sizeof buffer);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT);
  assert_bytes(&message, "\x60\x45\x00\x00", 4);
  copal_message_set_code(&message, COPAL_VALID);
  assert_bytes(&message, "\x60\x43\x00\x00", 4);
}

static void options_are_sorted_and_repeats_keep_their_order(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_set_payload(&message, "P", 1);
  copal_message_add_uint(&message, COPAL_OPTION_ACCEPT, 50);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "one");
  copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, "q");
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "two");
  copal_message_add_text(&message, COPAL_OPTION_URI_HOST, "h");
  copal_message_set_token(&message, "\xaa\xbb", 2);
  static const uint8_t expected[] = {0x42, 0x01, 0x00, 0x00, 0xaa, 0xbb, 0x31, 'h',  0x83, 'o',  'n',
                                     'e',  0x03, 't',  'w',  'o',  0x41, 'q',  0x21, 50,   0xff, 'P'};
  assert_bytes(&message, expected, sizeof expected);
}

/* The following option's delta shrinks from 3 header bytes to 1 or 2, or from 2 to 1, and grows back on deletion. */
static void putting_options_between_others_mends_the_next_delta(void **state) {
  (void)state;
  static const uint16_t positions[] = {1, 12, 13, 14, 256, 257, 268, 269, 270, 299, 31, 17};
  for (size_t index = 0; index < sizeof positions / sizeof positions[0]; ++index) {
    for (unsigned far = 20; far <= 600; far += 29) {
      if (positions[index] >= far) continue;
      uint8_t buffer[64], expected_bytes[64];
      copal_message message;
      model expected = {.count = 0};
      copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
      copal_message_add_raw(&message, (uint16_t)far, "\7\7\7", 3);
      copal_message_add_raw(&message, positions[index], "\x9\x9", 2);
      model_add(&expected, (uint16_t)far, 3, 7);
      size_t alone = model_encode(&expected, expected_bytes, sizeof expected_bytes);
      model_add(&expected, positions[index], 2, 9);
      uint8_t both[64];
      assert_bytes(&message, both, model_encode(&expected, both, sizeof both));
      assert_int_equal(copal_message_delete(&message, positions[index]), COPAL_OK);
      assert_bytes(&message, expected_bytes, alone);
    }
  }
}

static void replace_drops_all_of_that_number(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "one");
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "two");
  copal_message_add_uint(&message, COPAL_OPTION_SIZE1, 9);
  copal_message_replace(&message, COPAL_OPTION_URI_PATH, "three", 5);
  assert_bytes(&message, "\x40\x01\x00\x00\xb5three\xd1\x24\x09", 13);
  copal_message_replace(&message, COPAL_OPTION_SIZE1, "\x0a", 1);
  copal_message_replace(&message, COPAL_OPTION_URI_HOST, "h", 1);
  assert_bytes(&message, "\x40\x01\x00\x00\x31h\x85three\xd1\x24\x0a", 15);
}

static void delete_says_when_there_is_nothing(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_message_delete(&message, COPAL_OPTION_URI_PATH), COPAL_ERR_NOT_FOUND);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "b");
  copal_message_set_payload(&message, "p", 1);
  assert_int_equal(copal_message_delete(&message, COPAL_OPTION_URI_QUERY), COPAL_ERR_NOT_FOUND);
  assert_int_equal(copal_message_delete(&message, COPAL_OPTION_URI_PATH), COPAL_OK);
  assert_bytes(&message, "\x40\x01\x00\x00\xffp", 6);
  assert_int_equal(copal_message_delete(&message, COPAL_OPTION_URI_PATH), COPAL_ERR_NOT_FOUND);
  assert_int_equal(message.error, COPAL_OK);
}

static void a_payload_can_be_replaced_and_removed(void **state) {
  (void)state;
  uint8_t buffer[8];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_POST);
  copal_message_set_payload(&message, "abc", 3);
  assert_bytes(&message,
               "\x40\x02\x00\x00\xff"
               "abc",
               8);
  copal_message_set_payload(&message, "x", 1);
  assert_bytes(&message, "\x40\x02\x00\x00\xffx", 6);
  copal_message_set_payload(&message, NULL, 0);
  assert_bytes(&message, "\x40\x02\x00\x00", 4);
  copal_message_set_payload(&message, "abcd", 4);
  assert_int_equal(message.error, COPAL_ERR_SPACE);
  assert_int_equal(message.size, 4);
}

static void a_message_full_of_options_takes_no_payload(void **state) {
  (void)state;
  uint8_t buffer[8];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_POST);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "abc");
  assert_int_equal(message.size, sizeof buffer);
  copal_message_set_payload(&message, NULL, 0);
  assert_int_equal(message.error, COPAL_OK);
  copal_message_set_payload(&message, "x", 1);
  assert_int_equal(message.error, COPAL_ERR_SPACE);
  assert_int_equal(message.size, sizeof buffer);
}

static void a_payload_can_be_written_where_it_will_lie(void **state) {
  (void)state;
  uint8_t buffer[10];
  size_t room;
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_POST);
  copal_message_set_payload(&message, "old", 3);
  uint8_t *payload = copal_message_payload_room(&message, &room);
  assert_ptr_equal(payload, buffer + 5);
  assert_int_equal(room, 5);
  memcpy(payload, "12345", 5);
  copal_message_set_payload(&message, payload, 5);
  assert_bytes(&message,
               "\x40\x02\x00\x00\xff"
               "12345",
               10);
  copal_message_set_payload(&message, payload, 6);
  assert_int_equal(message.error, COPAL_ERR_SPACE);
  assert_null(copal_message_payload_room(&message, &room));
  assert_int_equal(room, 0);

  copal_message_init(&message, buffer, 5, COPAL_CON, COPAL_POST);
  assert_null(copal_message_payload_room(&message, &room));
}

static void a_token_can_grow_and_shrink_under_what_follows(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 8, 12, 13, 268, 269, 300, 4, 13, 0, 269, 1};
  uint8_t buffer[400], expected_bytes[400], token[300];
  memset(token, 0x33, sizeof token);
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "path");
  copal_message_set_payload(&message, "payload", 7);
  for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; ++index) {
    copal_message_set_token(&message, token, sizes[index]);
    copal_encoder encoder;
    copal_encode_begin(&encoder, expected_bytes, sizeof expected_bytes, COPAL_CON, COPAL_GET, 0, token, sizes[index]);
    copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "path", 4);
    copal_encode_payload(&encoder, "payload", 7);
    assert_bytes(&message, expected_bytes, encoder.size);
  }
  static uint8_t endless[65805];
  copal_message_set_token(&message, endless, sizeof endless);
  assert_int_equal(message.error, COPAL_ERR_TOKEN_SIZE);
  assert_int_equal(message.size, 18);
  uint8_t small[6];
  copal_message_init(&message, small, sizeof small, COPAL_CON, COPAL_GET);
  copal_message_set_token(&message, "abc", 3);
  assert_int_equal(message.error, COPAL_ERR_SPACE);
  assert_int_equal(message.size, 4);
}

/* RFC 7252 5.4.5: "An option that is not repeatable MUST NOT be included more than once in a message." */
static void the_registry_is_kept_to(void **state) {
  (void)state;
  static const struct {
    uint16_t first, second;
    size_t second_size;
    copal_error error;
  } cases[] = {
      {COPAL_OPTION_CONTENT_FORMAT, COPAL_OPTION_CONTENT_FORMAT, 1, COPAL_ERR_OPTION_REPEATED},
      {COPAL_OPTION_URI_PATH, COPAL_OPTION_URI_PATH, 1, COPAL_OK},
      {COPAL_OPTION_URI_PATH, COPAL_OPTION_ETAG, 9, COPAL_ERR_OPTION_VALUE},
      {COPAL_OPTION_URI_PATH, COPAL_OPTION_ETAG, 0, COPAL_ERR_OPTION_VALUE},
      {COPAL_OPTION_URI_PATH, COPAL_OPTION_ETAG, 8, COPAL_OK},
      {COPAL_OPTION_URI_PATH, COPAL_OPTION_IF_NONE_MATCH, 1, COPAL_ERR_OPTION_VALUE},
      {COPAL_OPTION_URI_PATH, COPAL_OPTION_URI_PORT, 3, COPAL_ERR_OPTION_VALUE},
      {65000, 65000, 9, COPAL_OK},
  };
  for (size_t index = 0; index < sizeof cases / sizeof cases[0]; ++index) {
    uint8_t buffer[64], before[64];
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    copal_message_add(&message, cases[index].first, "x", 1);
    size_t size = message.size;
    memcpy(before, buffer, size);
    copal_message_add(&message, cases[index].second, "123456789", cases[index].second_size);
    assert_int_equal(message.error, cases[index].error);
    if (cases[index].error == COPAL_OK) continue;
    assert_int_equal(message.size, size);
    assert_memory_equal(buffer, before, size);
  }
}

static void a_second_one_is_refused_wherever_it_would_go(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_uint(&message, COPAL_OPTION_ACCEPT, 50);
  copal_message_add_uint(&message, COPAL_OPTION_SIZE1, 50);
  copal_message_add_uint(&message, COPAL_OPTION_ACCEPT, 60);
  assert_int_equal(message.error, COPAL_ERR_OPTION_REPEATED);
  assert_sound(&message);
}

static void raw_options_pass_the_registry_by(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_raw(&message, COPAL_OPTION_URI_PORT, "abc", 3);
  copal_message_add_raw(&message, COPAL_OPTION_URI_PORT, "abc", 3);
  assert_bytes(&message,
               "\x40\x01\x00\x00\x73"
               "abc\x03"
               "abc",
               12);
}

static void replace_refuses_an_illegal_size(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add(&message, COPAL_OPTION_ETAG, "12", 2);
  copal_message_replace(&message, COPAL_OPTION_ETAG, "123456789", 9);
  assert_int_equal(message.error, COPAL_ERR_OPTION_VALUE);
  assert_int_equal(message.size, 7);
  assert_sound(&message);
}

static void values_beyond_any_length_field_are_refused(void **state) {
  (void)state;
  static uint8_t buffer[70000], value[65805];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_raw(&message, 65000, value, 65804);
  assert_int_equal(message.error, COPAL_OK);
  assert_sound(&message);
  copal_message_add_raw(&message, 65001, value, 65805);
  assert_int_equal(message.error, COPAL_ERR_OPTION_VALUE);
  message.error = COPAL_OK;
  copal_message_add_raw(&message, 64999, value, 65805);
  assert_int_equal(message.error, COPAL_ERR_OPTION_VALUE);
}

static void after_an_error_nothing_changes_any_more(void **state) {
  (void)state;
  uint8_t buffer[16] = {0}, before[16];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "abc");
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "does not fit");
  assert_int_equal(message.error, COPAL_ERR_SPACE);
  copal_message snapshot = message;
  memcpy(before, buffer, sizeof before);
  copal_message_add(&message, COPAL_OPTION_URI_PATH, "x", 1);
  copal_message_add(&message, COPAL_OPTION_ETAG, "", 0);
  copal_message_add_uint(&message, COPAL_OPTION_SIZE1, 1);
  copal_message_add_raw(&message, 1, "", 0);
  copal_message_replace(&message, COPAL_OPTION_URI_PATH, "y", 1);
  copal_message_set_token(&message, "t", 1);
  copal_message_set_payload(&message, "p", 1);
  copal_message_set_payload(&message, NULL, 0);
  copal_message_set_code(&message, COPAL_PUT);
  assert_int_equal(copal_message_delete(&message, COPAL_OPTION_URI_PATH), COPAL_ERR_SPACE);
  assert_int_equal(message.size, snapshot.size);
  assert_int_equal(message.options_at, snapshot.options_at);
  assert_int_equal(message.payload_at, snapshot.payload_at);
  assert_int_equal(message.last_option, snapshot.last_option);
  assert_int_equal(message.error, snapshot.error);
  assert_memory_equal(buffer, before, sizeof before);
  assert_sound(&message);
}

static void too_little_space_for_an_edit_leaves_the_message_whole(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x41, 0x01, 0x12, 0x34, 0x77, 0xb1, 'a', 0xe1, 0x01, 0x00, 'z', 0xff, 'p', 'q'};
  for (size_t capacity = sizeof datagram; capacity < sizeof datagram + 12; ++capacity) {
    for (unsigned edit = 0; edit < 4; ++edit) {
      uint8_t *buffer = malloc(capacity);
      copal_message message;
      assert_int_equal(copal_message_copy(&message, buffer, capacity, datagram, sizeof datagram), COPAL_OK);
      if (edit == 0) copal_message_add_raw(&message, 200, "12345678", 8);
      if (edit == 1) copal_message_add_raw(&message, 600, "12345678", 8);
      if (edit == 2) copal_message_replace(&message, COPAL_OPTION_URI_PATH, "12345678", 8);
      if (edit == 3) copal_message_set_token(&message, "12345678", 8);
      assert_sound(&message);
      if (message.error != COPAL_OK) {
        assert_int_equal(message.error, COPAL_ERR_SPACE);
        assert_int_equal(message.size, sizeof datagram);
        assert_memory_equal(buffer, datagram, sizeof datagram);
      } else {
        assert_true(message.size > sizeof datagram);
      }
      free(buffer);
    }
  }
}

static void a_message_may_fill_its_buffer_to_the_last_byte(void **state) {
  (void)state;
  for (size_t capacity = 4; capacity <= 12; ++capacity) {
    uint8_t *buffer = malloc(capacity);
    copal_message message;
    copal_message_init(&message, buffer, capacity, COPAL_CON, COPAL_GET);
    copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "abc");
    copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "def");
    assert_int_equal(message.error, capacity < 12 ? COPAL_ERR_SPACE : COPAL_OK);
    assert_int_equal(message.size, capacity < 8 ? 4 : capacity < 12 ? 8 : 12);
    assert_sound(&message);
    free(buffer);
  }
}

static void a_copy_is_the_same_message_ready_for_edits(void **state) {
  (void)state;
  static const uint8_t datagram[] = {0x52, 0x02, 0x12, 0x34, 1, 2, 0xb1, 'a', 0x11, 50, 0xff, 'p'};
  uint8_t buffer[32];
  copal_message message;
  assert_int_equal(copal_message_copy(&message, buffer, sizeof buffer, datagram, sizeof datagram), COPAL_OK);
  assert_bytes(&message, datagram, sizeof datagram);
  copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, "q");
  static const uint8_t expected[] = {0x52, 0x02, 0x12, 0x34, 1, 2, 0xb1, 'a', 0x11, 50, 0x31, 'q', 0xff, 'p'};
  assert_bytes(&message, expected, sizeof expected);

  memcpy(buffer, datagram, sizeof datagram);
  assert_int_equal(copal_message_copy(&message, buffer, sizeof buffer, buffer, sizeof datagram), COPAL_OK);
  assert_bytes(&message, datagram, sizeof datagram);
}

static void a_copy_that_fails_is_an_empty_message_with_the_error(void **state) {
  (void)state;
  uint8_t buffer[8];
  copal_message message;
  assert_int_equal(copal_message_copy(&message, buffer, sizeof buffer, "\x40\x01\x00\x00\xff", 5),
                   COPAL_ERR_PAYLOAD_EMPTY);
  assert_int_equal(message.error, COPAL_ERR_PAYLOAD_EMPTY);
  assert_sound(&message);
  assert_int_equal(copal_message_copy(&message, buffer, sizeof buffer, "\x40\x01\x00\x00\xff....", 9), COPAL_ERR_SPACE);
  assert_int_equal(message.error, COPAL_ERR_SPACE);
  assert_int_equal(message.size, 4);
  assert_sound(&message);
}

static uint32_t random_next(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

static uint16_t random_number(uint32_t *seed) {
  static const uint16_t numbers[] = {0, 1, 11, 12, 13, 14, 25, 268, 269, 270, 281, 282, 283, 600, 2000, 65523, 65535};
  return numbers[random_next(seed) % (sizeof numbers / sizeof numbers[0])];
}

static void random_edits_agree_with_the_simplest_model(void **state) {
  (void)state;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    static uint8_t buffer[32768], expected_bytes[32768];
    uint32_t random = seed * 2654435761u;
    model expected = {.count = 0};
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
    for (unsigned step = 0; step < 60; ++step) {
      static const uint16_t sizes[] = {0, 1, 2, 12, 13, 14, 100, 268, 269, 300};
      uint16_t number = random_number(&random), size = sizes[random_next(&random) % 10];
      uint8_t fill = (uint8_t)random_next(&random), value[512];
      memset(value, fill, sizeof value);
      switch (random_next(&random) % 8) {
        case 0:
          memset(expected.token, fill, sizeof expected.token);
          expected.token_size = size;
          copal_message_set_token(&message, value, size);
          break;
        case 1:
          memset(expected.payload, fill, sizeof expected.payload);
          expected.payload_size = size % sizeof expected.payload;
          copal_message_set_payload(&message, value, expected.payload_size);
          break;
        case 2:
          assert_int_equal(copal_message_delete(&message, number),
                           model_delete(&expected, number) != 0 ? COPAL_OK : COPAL_ERR_NOT_FOUND);
          break;
        case 3:
          if (copal_option_check(number, size) != COPAL_OK) break;
          model_delete(&expected, number);
          model_add(&expected, number, size, fill);
          copal_message_replace(&message, number, value, size);
          break;
        default:
          model_add(&expected, number, size, fill);
          copal_message_add_raw(&message, number, value, size);
          break;
      }
      size_t expected_size = model_encode(&expected, expected_bytes, sizeof expected_bytes);
      assert_bytes(&message, expected_bytes, expected_size);
    }
  }
}

/* RFC 7252 5.4.4: "If the value of an option is intended to be this default value, the option SHOULD NOT be included in
 * the message." */
static void a_default_is_left_out(void **state) {
  (void)state;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_ACK, COPAL_CONTENT);
  copal_message_add_uint(&message, COPAL_OPTION_MAX_AGE, 60);
  assert_int_equal(message.size, 4);
  copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, 0);
  assert_int_equal(message.size, 5);
  copal_message_add_uint(&message, COPAL_OPTION_MAX_AGE, 61);
  assert_int_equal(message.size, 7);
  copal_message_add_uint(&message, 65000, 0); /* of what is not registered there is no default */
  assert_int_equal(message.size, 10);
  assert_int_equal(message.error, COPAL_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_default_is_left_out),
      cmocka_unit_test(a_new_message_is_a_header),
      cmocka_unit_test(options_are_sorted_and_repeats_keep_their_order),
      cmocka_unit_test(putting_options_between_others_mends_the_next_delta),
      cmocka_unit_test(replace_drops_all_of_that_number),
      cmocka_unit_test(delete_says_when_there_is_nothing),
      cmocka_unit_test(a_payload_can_be_replaced_and_removed),
      cmocka_unit_test(a_message_full_of_options_takes_no_payload),
      cmocka_unit_test(a_payload_can_be_written_where_it_will_lie),
      cmocka_unit_test(a_token_can_grow_and_shrink_under_what_follows),
      cmocka_unit_test(the_registry_is_kept_to),
      cmocka_unit_test(a_second_one_is_refused_wherever_it_would_go),
      cmocka_unit_test(raw_options_pass_the_registry_by),
      cmocka_unit_test(replace_refuses_an_illegal_size),
      cmocka_unit_test(values_beyond_any_length_field_are_refused),
      cmocka_unit_test(after_an_error_nothing_changes_any_more),
      cmocka_unit_test(too_little_space_for_an_edit_leaves_the_message_whole),
      cmocka_unit_test(a_message_may_fill_its_buffer_to_the_last_byte),
      cmocka_unit_test(a_copy_is_the_same_message_ready_for_edits),
      cmocka_unit_test(a_copy_that_fails_is_an_empty_message_with_the_error),
      cmocka_unit_test(random_edits_agree_with_the_simplest_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
