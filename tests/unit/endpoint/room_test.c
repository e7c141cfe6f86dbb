/* Replies in messages that leave little room: long tokens, the smallest messages, many options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

enum { SIZE_MAX_LARGE = 1152, BODY_SIZE = 3000 };

static uint8_t body[BODY_SIZE];

/* What the handler does: it replies in one of the ways that there are. */
enum way { BY_CODE, BY_PROBLEM, BY_BODY, BY_HAND, BY_READER, WAYS };

struct room {
  struct bare *bare;
  enum way way;
  size_t size; /* of the body */
  uint16_t mid;
};

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct room *room = context;
  if (offset >= room->size) return 0;
  size_t left = room->size - (size_t)offset, part = left < size ? left : size;
  memcpy(buffer, body + offset, part);
  return part;
}

static void answer(copal_request *request, void *context) {
  struct room *room = context;
  copal_message *reply;
  switch (room->way) {
    case BY_CODE: copal_reply_code(request, COPAL_CHANGED); break;
    case BY_PROBLEM: copal_reply_problem(request, COPAL_FORBIDDEN, "not at this time of the day"); break;
    case BY_BODY: copal_reply(request, COPAL_CONTENT, COPAL_OCTET_STREAM, body, room->size); break;
    case BY_HAND:
      reply = copal_reply_message(request);
      copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_OCTET_STREAM);
      copal_message_set_payload(reply, body, room->size);
      break;
    case BY_READER:
      copal_reply_message(request);
      copal_reply_reader(request, room->size, read_body, room);
      break;
    case WAYS: fail();
  }
}

static size_t version(copal_request *request, uint8_t etag[8], void *context) {
  (void)request, (void)context;
  memset(etag, 0xee, 8);
  return 8;
}

static void open_room(struct room *room, uint32_t message_size_max, bool versioned) {
  copal_config config = copal_config_small();
  config.message_size_max = message_size_max;
  config.messages_size = 65536;
  config.replies_size = 65536;
  config.body_size_max = 4096;
  config.bodies_size = 16384;
  config.amplification_max = 0;
  config.peer_replies_max = UINT16_MAX;
  *room = (struct room){.bare = bare_open(&config), .mid = 1};
  copal_endpoint *endpoint = room->bare->endpoint;
  for (copal_code method = COPAL_GET; method <= COPAL_PUT; ++method)
    assert_int_equal(copal_route(endpoint, method, "/r", answer, room), COPAL_OK);
  assert_int_equal(copal_route_observable(endpoint, "/r", 0), COPAL_OK);
  if (versioned) assert_int_equal(copal_route_version(endpoint, "/r", version, NULL), COPAL_OK);
}

/* What a request has beside its token and path. */
enum extra { OBSERVE = 1, BLOCK2 = 2, BLOCK1_FIRST = 4, BLOCK1_LAST = 8, EXTRAS = 16 };

static size_t write_request(struct room *room, uint8_t *bytes, size_t capacity, uint8_t code, size_t token_size,
                            unsigned extras) {
  static const uint8_t token[1200] = {7, 8, 9};
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, capacity, COPAL_CON, code, room->mid++, token, token_size);
  if ((extras & OBSERVE) != 0) copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, 0);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "r", 1);
  if ((extras & BLOCK2) != 0) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, 2);
  if ((extras & BLOCK1_FIRST) != 0) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK1, 8);
  if ((extras & BLOCK1_LAST) != 0) copal_encode_uint(&encoder, COPAL_OPTION_BLOCK1, 0);
  if ((extras & (BLOCK1_FIRST | BLOCK1_LAST)) != 0) copal_encode_payload(&encoder, body, 16);
  return encoder.error == COPAL_OK ? encoder.size : 0;
}

/* RFC 7641 3.1: who may observe, with a token that is kept, is told so in his reply. And each state finds its room. */
static void notify(struct room *room, const struct bare_sent *sent, size_t message_size_max) {
  copal_option option;
  bool observes = copal_find(&sent->view, COPAL_OPTION_OBSERVE, &option);
  bool is_success = COPAL_CODE_CLASS(sent->view.code) == 2 && sent->view.code != COPAL_CONTINUE;
  assert_int_equal(observes, is_success && sent->view.token.size <= 8);
  assert_int_equal(copal_notify(room->bare->endpoint, "/r"), observes);
  if (!observes) return;
  sent = bare_out_one(room->bare);
  assert_in_range(sent->size, 4, message_size_max);
  assert_true(copal_find(&sent->view, COPAL_OPTION_OBSERVE, &option) || COPAL_CODE_CLASS(sent->view.code) != 2);
}

/* RFC 7252 5.3.1: "a client-generated token that the server MUST echo (without modification) in any resulting
 * response", and RFC 8974 makes it long. */
static void exchange(struct room *room, uint8_t code, size_t token_size, unsigned extras, size_t message_size_max) {
  uint8_t bytes[1400];
  size_t size = write_request(room, bytes, message_size_max, code, token_size, extras);
  if (size == 0) return; /* no such request fits */
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(room->bare, &path, bytes, size);
  const struct bare_sent *sent = bare_out_one(room->bare);
  copal_view request;
  assert_int_equal(copal_decode(bytes, size, &request), COPAL_OK);
  assert_in_range(sent->size, 4, message_size_max);
  assert_int_equal(sent->view.message_id, request.message_id);
  assert_int_equal(sent->view.token.size, token_size);
  if (token_size > 0) assert_memory_equal(sent->view.token.data, request.token.data, token_size);
  assert_true(copal_code_is_response(sent->view.code));
  /* RFC 7959 2.3: which block is acknowledged. */
  if (sent->view.code == COPAL_CONTINUE) {
    copal_option option;
    assert_true(copal_find(&sent->view, COPAL_OPTION_BLOCK1, &option));
  }
  if ((extras & OBSERVE) != 0 && code == COPAL_GET) notify(room, sent, message_size_max);
  copal_notify_end(room->bare->endpoint, "/r", COPAL_EMPTY);
  assert_out(room->bare, "");
}

static void every_reply_has_its_token_whatever_room_that_leaves(void **state) {
  (void)state;
  static const uint32_t sizes[] = {64, 65, 80, 256, SIZE_MAX_LARGE};
  static const size_t bodies[] = {0, 1, 15, 30, 200, BODY_SIZE};
  for (size_t i = 0; i < BODY_SIZE; ++i) body[i] = (uint8_t)(i * 7);
  for (size_t i = 0; i < 2 * (sizeof sizes / sizeof *sizes); ++i) {
    struct room room;
    uint32_t size_max = sizes[i / 2];
    open_room(&room, size_max, i % 2 == 1);
    size_t step = size_max > 300 ? 7 : 1;
    for (size_t token_size = 0; token_size < size_max; token_size += step)
      for (unsigned extras = 0; extras < EXTRAS; ++extras) {
        if ((extras & BLOCK1_FIRST) != 0 && (extras & BLOCK1_LAST) != 0) continue;
        room.way = (enum way)((token_size + extras) % WAYS);
        room.size = bodies[(token_size / WAYS + extras) % (sizeof bodies / sizeof *bodies)];
        exchange(&room, (uint8_t)(COPAL_GET + extras % 3), token_size, extras, size_max);
      }
    bare_close(room.bare);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_reply_has_its_token_whatever_room_that_leaves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
