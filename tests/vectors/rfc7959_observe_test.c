/* RFC 7959 section 3.4, Observe and Block2: Figures 12 and 13 from the server's side, as bytes but for what the server
 * chooses: message IDs of notifications, and Observe numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

#define ICON "7374617475732d69636f6e"

/* 53 bytes are left for a block behind two of 128, or four of 64. */
enum { ICON_SIZE = 2 * 128 + 53 };

struct icon {
  struct bare *bare;
  uint8_t bytes[ICON_SIZE];
  uint8_t etag[4];
};

static void show(copal_request *request, void *context) {
  const struct icon *icon = context;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  copal_message_add(reply, COPAL_OPTION_ETAG, icon->etag, sizeof icon->etag);
  copal_reply_body(request, icon->bytes, sizeof icon->bytes);
}

static void draw(struct icon *icon, const char *etag, uint8_t shade) {
  bare_unhex(etag, icon->etag, sizeof icon->etag);
  for (size_t i = 0; i < sizeof icon->bytes; ++i) icon->bytes[i] = (uint8_t)(i * 7 + i / 64 + shade);
}

static void open_icon(struct icon *icon) {
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  *icon = (struct icon){.bare = bare_open(&config)};
  draw(icon, "6f00f38e", 0);
  assert_int_equal(copal_route(icon->bare->endpoint, COPAL_GET, "/status-icon", show, icon), COPAL_OK);
  assert_int_equal(copal_route_observable(icon->bare->endpoint, "/status-icon", 0), COPAL_OK);
}

/* The block with that value of Block2, all its bytes, and the present ETag. Returns its Observe number, or -1. */
static int32_t is_block(const struct icon *icon, const struct bare_sent *sent, copal_type type, const char *token,
                        uint32_t block2) {
  copal_block block = copal_block_of(block2);
  size_t at = (size_t)block.number << (block.szx + 4), left = ICON_SIZE - at, size = (size_t)16 << block.szx;
  char text[2 * 16 + 1];
  copal_option option;
  assert_int_equal(sent->view.type, type);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_string_equal(bare_token(sent, text), token);
  assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_BLOCK2, UINT32_MAX), block2);
  assert_true(copal_find(&sent->view, COPAL_OPTION_ETAG, &option));
  assert_int_equal(option.size, sizeof icon->etag);
  assert_memory_equal(option.value, icon->etag, sizeof icon->etag);
  assert_int_equal(sent->view.payload.size, left < size ? left : size);
  assert_memory_equal(sent->view.payload.data, icon->bytes + at, sent->view.payload.size);
  return copal_find(&sent->view, COPAL_OPTION_OBSERVE, &option) ? (int32_t)copal_option_uint(&option) : -1;
}

/* Registration and notification with a first block; early is the Block2 option of the request, in hex, or "". */
static void first_blocks(struct icon *icon, const char *early, uint32_t first) {
  open_icon(icon);
  bare_in(icon->bare, "41011636fb605b" ICON "%s", early);
  const struct bare_sent *answer = bare_out_one(icon->bare);
  int32_t registered = is_block(icon, answer, COPAL_ACK, "fb", first);
  assert_int_equal(answer->view.message_id, 0x1636);
  assert_true(registered >= 0);
  draw(icon, "6f00f392", 100);
  assert_int_equal(copal_notify(icon->bare->endpoint, "/status-icon"), 1);
  const struct bare_sent *notification = bare_out_one(icon->bare);
  int32_t notified = is_block(icon, notification, COPAL_CON, "fb", first);
  assert_in_range((notified - registered) & 0xffffff, 1, (1 << 23) - 1);
  bare_in(icon->bare, "6000%04x", notification->view.message_id);
  assert_out(icon->bare, "");
}

/* RFC 7959 3.4: "requests for additional blocks cannot make use of the token of the Observation relationship", and what
 * answers them has no Observe option. */
static void is_fetched(struct icon *icon, uint16_t mid, uint8_t block2, uint32_t answered) {
  bare_in(icon->bare, "4101%04xfcbb" ICON "c1%02x", mid, block2);
  const struct bare_sent *answer = bare_out_one(icon->bare);
  assert_int_equal(is_block(icon, answer, COPAL_ACK, "fc", answered), -1);
  assert_int_equal(answer->view.message_id, mid);
}

/* Values of Block2 are 16 times the number, 8 for more, and 3 for 128 bytes, 2 for 64. */
static void figure_12_observe_with_blocks(void **state) {
  (void)state;
  struct icon icon;
  first_blocks(&icon, "", 0x0b);
  is_fetched(&icon, 0x1637, 0x13, 0x1b);
  is_fetched(&icon, 0x1638, 0x23, 0x23);
  assert_int_equal(copal_notify(icon.bare->endpoint, "/status-icon"), 1);
  bare_close(icon.bare);
}

static void figure_13_observe_with_early_negotiation(void **state) {
  (void)state;
  struct icon icon;
  first_blocks(&icon, "c102", 0x0a);
  is_fetched(&icon, 0x1637, 0x12, 0x1a);
  is_fetched(&icon, 0x1638, 0x42, 0x42);
  assert_int_equal(copal_notify(icon.bare->endpoint, "/status-icon"), 1);
  bare_close(icon.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figure_12_observe_with_blocks),
      cmocka_unit_test(figure_13_observe_with_early_negotiation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
