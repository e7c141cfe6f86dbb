/* Tables for bodies in blocks, gathered or kept: each is filled to the brim, the next body gets the answer that stands
 * with its limit in copal_config, nothing else stops, and what is released can be taken again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/brim.h"

enum { FIRST_PORT = 6000 };

static uint8_t begin_upload(struct brim *brim, uint16_t port) {
  return brim_put_block(brim, port, 0, true, BRIM_BLOCK);
}

static uint8_t end_upload(struct brim *brim, uint16_t port) { return brim_put_block(brim, port, 1, false, 1); }

/* A POST whose reply is larger than a message. */
static uint8_t ask_for_body(struct brim *brim, uint16_t port) {
  return brim_answer(brim, port, &(struct brim_ask){.code = COPAL_POST, .path = "/body"});
}

/* Its second block: a request without payload, which executes nothing. */
static uint8_t ask_for_more(struct brim *brim, uint16_t port) {
  uint8_t buffer[64];
  copal_encoder encoder;
  const uint8_t token = 0;
  unsigned executed = brim->executed;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_POST, brim->mid++, &token, 1);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "body", 4);
  copal_encode_uint(&encoder, COPAL_OPTION_BLOCK2, copal_block_value((copal_block){1, false, 2}));
  copal_path path = bare_path(port);
  bare_in_bytes(brim->bare, &path, buffer, encoder.size);
  uint8_t code = bare_out_one(brim->bare)->view.code;
  assert_int_equal(brim->executed, executed);
  return code;
}

/* "Such bodies …, under way with all peers: likewise", which is: "when there are none [to make room], a request gets
 * 5.03, and a reply that must be kept becomes 5.00". */
static void full_transfers_refuse_bodies_and_nothing_else(void **state) {
  (void)state;
  enum { TRANSFERS = 3 };
  copal_config config = brim_config();
  config.transfers_max = TRANSFERS;
  struct brim brim;
  brim_open(&brim, &config);
  brim.reply_size = 1000;
  for (uint16_t i = 0; i < TRANSFERS; ++i) assert_int_equal(begin_upload(&brim, FIRST_PORT + i), COPAL_CONTINUE);
  assert_int_equal(brim_usage(&brim).transfers, TRANSFERS);

  assert_int_equal(begin_upload(&brim, FIRST_PORT + TRANSFERS), COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(copal_find_uint(&brim.bare->sent[0].view, COPAL_OPTION_MAX_AGE, 0), 5);
  assert_int_equal(ask_for_body(&brim, FIRST_PORT + TRANSFERS), COPAL_INTERNAL_SERVER_ERROR);
  assert_int_equal(brim_counters(&brim)->transfers_full, 2);
  assert_works_but(&brim, BRIM_GATHERING);

  assert_int_equal(end_upload(&brim, FIRST_PORT), COPAL_CHANGED);
  assert_works_but(&brim, 0);
  assert_int_equal(begin_upload(&brim, FIRST_PORT + TRANSFERS), COPAL_CONTINUE);
  assert_int_equal(begin_upload(&brim, FIRST_PORT), COPAL_SERVICE_UNAVAILABLE);
  for (uint16_t i = 1; i <= TRANSFERS; ++i) assert_int_equal(end_upload(&brim, FIRST_PORT + i), COPAL_CHANGED);
  assert_int_equal(brim_usage(&brim).transfers, 0);
  assert_int_equal(brim_counters(&brim)->transfers_evicted, 0);
  brim_close(&brim);
}

/* "The oldest replies that are kept make room". */
static void the_oldest_kept_reply_makes_room_for_any_body(void **state) {
  (void)state;
  enum { TRANSFERS = 3 };
  copal_config config = brim_config();
  config.transfers_max = TRANSFERS;
  struct brim brim;
  brim_open(&brim, &config);
  brim.reply_size = 1000;
  for (uint16_t i = 0; i < TRANSFERS; ++i) assert_int_equal(ask_for_body(&brim, FIRST_PORT + i), COPAL_CONTENT);
  assert_int_equal(brim_usage(&brim).transfers, TRANSFERS);
  assert_int_equal(ask_for_body(&brim, FIRST_PORT + TRANSFERS), COPAL_CONTENT);
  assert_int_equal(brim_counters(&brim)->transfers_evicted, 1);
  assert_int_equal(ask_for_more(&brim, FIRST_PORT), COPAL_REQUEST_ENTITY_INCOMPLETE);
  for (uint16_t i = 1; i <= TRANSFERS; ++i) assert_int_equal(ask_for_more(&brim, FIRST_PORT + i), COPAL_CONTENT);
  assert_works_but(&brim, 0); /* one more goes, for an upload */
  assert_int_equal(brim_counters(&brim)->transfers_evicted, 2);
  assert_int_equal(ask_for_more(&brim, FIRST_PORT + 1), COPAL_REQUEST_ENTITY_INCOMPLETE);
  assert_int_equal(ask_for_more(&brim, FIRST_PORT + 2), COPAL_CONTENT);
  brim_close(&brim);
}

/* "And with one peer: above, its oldest makes room." */
static void a_peer_with_its_share_of_transfers_loses_its_own_oldest(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.peer_transfers_max = 2;
  struct brim brim;
  brim_open(&brim, &config);
  brim.reply_size = 1000;
  assert_int_equal(begin_upload(&brim, FIRST_PORT + 1), COPAL_CONTINUE);
  assert_int_equal(begin_upload(&brim, FIRST_PORT), COPAL_CONTINUE);
  brim.bare->now += COPAL_SECOND;
  assert_int_equal(ask_for_body(&brim, FIRST_PORT), COPAL_CONTENT);
  brim.bare->now += COPAL_SECOND;
  assert_int_equal(brim_usage(&brim).transfers, 3);
  assert_int_equal(brim_counters(&brim)->transfers_evicted, 0);

  struct brim_ask other = {.code = COPAL_PUT,
                           .path = "/body",
                           .payload = BRIM_BLOCK,
                           .has_block1 = true,
                           .block1 = {0, true, 2},
                           .tag = "2"};
  assert_int_equal(brim_answer(&brim, FIRST_PORT, &other), COPAL_CONTINUE);
  assert_int_equal(brim_usage(&brim).transfers, 3);
  assert_int_equal(brim_counters(&brim)->transfers_evicted, 1);
  assert_int_equal(end_upload(&brim, FIRST_PORT), COPAL_REQUEST_ENTITY_INCOMPLETE);
  assert_int_equal(end_upload(&brim, FIRST_PORT + 1), COPAL_CHANGED);
  assert_int_equal(ask_for_more(&brim, FIRST_PORT), COPAL_CONTENT);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

static uint8_t put_blocks(struct brim *brim, uint16_t port, uint32_t first, uint32_t end) {
  for (uint32_t block = first; block + 1 < end; ++block)
    assert_int_equal(brim_put_block(brim, port, block, true, BRIM_BLOCK), COPAL_CONTINUE);
  return brim_put_block(brim, port, end - 1, true, BRIM_BLOCK);
}

/* "Bytes for these bodies, of which each takes a power of two": three of 512 bytes and eight of 64. A body that grows
 * needs its old room and its new one. */
static void full_memory_for_bodies_refuses_bodies_and_nothing_else(void **state) {
  (void)state;
  enum { LARGE = 3, SMALL = 8 };
  copal_config config = brim_config();
  config.body_size_max = 512;
  config.bodies_size = 2048;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < LARGE; ++i) assert_int_equal(put_blocks(&brim, FIRST_PORT + i, 0, 7), COPAL_CONTINUE);
  for (uint16_t i = LARGE; i < LARGE + SMALL; ++i)
    assert_int_equal(begin_upload(&brim, FIRST_PORT + i), COPAL_CONTINUE);
  assert_int_equal(brim_usage(&brim).bodies_size, 2048);

  uint16_t another = FIRST_PORT + LARGE + SMALL;
  assert_int_equal(begin_upload(&brim, another), COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(ask_for_body(&brim, another), COPAL_CONTENT); /* all in one message */
  brim.reply_size = 400;
  assert_int_equal(ask_for_body(&brim, another), COPAL_INTERNAL_SERVER_ERROR);
  assert_int_equal(brim_counters(&brim)->transfers_full, 2);
  assert_works_but(&brim, BRIM_GATHERING);

  assert_int_equal(brim_put_block(&brim, FIRST_PORT, 7, false, BRIM_BLOCK), COPAL_CHANGED);
  assert_int_equal(brim_usage(&brim).bodies_size, 2048 - 512);
  assert_int_equal(begin_upload(&brim, another), COPAL_CONTINUE);
  for (uint16_t i = 1; i < LARGE; ++i)
    assert_int_equal(brim_put_block(&brim, FIRST_PORT + i, 7, false, BRIM_BLOCK), COPAL_CHANGED);
  for (uint16_t port = FIRST_PORT + LARGE; port <= another; ++port)
    assert_int_equal(end_upload(&brim, port), COPAL_CHANGED);
  assert_int_equal(brim_usage(&brim).bodies_size, 0);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "above, a request gets 4.13, and a reply that must be kept, to another method than GET, becomes 5.00". */
static void a_body_is_as_large_as_it_may_be_and_no_larger(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.body_size_max = 512;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint32_t block = 0; block < 7; ++block)
    assert_int_equal(brim_put_block(&brim, FIRST_PORT, block, true, BRIM_BLOCK), COPAL_CONTINUE);
  assert_int_equal(brim_put_block(&brim, FIRST_PORT, 7, false, BRIM_BLOCK), COPAL_CHANGED);
  for (uint32_t block = 0; block < 8; ++block)
    assert_int_equal(brim_put_block(&brim, FIRST_PORT, block, true, BRIM_BLOCK), COPAL_CONTINUE);
  assert_int_equal(brim_put_block(&brim, FIRST_PORT, 8, false, 1), COPAL_REQUEST_ENTITY_TOO_LARGE);
  assert_int_equal(copal_find_uint(&brim.bare->sent[0].view, COPAL_OPTION_SIZE1, 0), 512);
  assert_int_equal(brim_usage(&brim).transfers, 0);

  /* What is kept is the reply's head, and its body behind it. */
  size_t largest = 512;
  for (brim.reply_size = largest; ask_for_body(&brim, FIRST_PORT) != COPAL_CONTENT; --brim.reply_size) --largest;
  assert_in_range(largest, 480, 512);
  assert_int_equal(ask_for_more(&brim, FIRST_PORT), COPAL_CONTENT);
  brim.reply_size = largest + 1;
  assert_int_equal(ask_for_body(&brim, FIRST_PORT), COPAL_INTERNAL_SERVER_ERROR);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* --- Q-Block ---------------------------------------------------------------------------------------- */

/* RFC 9177: a block of a body in two of them. */
static uint8_t put_q_block(struct brim *brim, uint16_t port, uint32_t number, bool more) {
  uint8_t buffer[256];
  const uint8_t token[4] = {1, 2, 3, 4};
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_PUT, brim->mid++, token, sizeof token);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "body", 4);
  copal_encode_uint(&encoder, COPAL_OPTION_Q_BLOCK1, copal_block_value((copal_block){number, more, 2}));
  copal_encode_uint(&encoder, COPAL_OPTION_SIZE1, 2 * BRIM_BLOCK);
  copal_encode_option(&encoder, COPAL_OPTION_REQUEST_TAG, "t", 1);
  copal_encode_payload(&encoder, brim_body(), BRIM_BLOCK);
  assert_int_equal(encoder.error, COPAL_OK);
  copal_path path = bare_path(port);
  bare_in_bytes(brim->bare, &path, buffer, encoder.size);
  return bare_out_one(brim->bare)->view.code;
}

static void full_transfers_refuse_bodies_by_q_block_and_nothing_else(void **state) {
  (void)state;
  enum { TRANSFERS = 2 };
  copal_config config = brim_config();
  config.transfers_max = TRANSFERS;
  struct brim brim;
  brim_open(&brim, &config);
  for (uint16_t i = 0; i < TRANSFERS; ++i) assert_int_equal(put_q_block(&brim, FIRST_PORT + i, 0, true), COPAL_EMPTY);
  assert_int_equal(put_q_block(&brim, FIRST_PORT + TRANSFERS, 0, true), COPAL_SERVICE_UNAVAILABLE);
  assert_works_but(&brim, BRIM_GATHERING);
  assert_int_equal(put_q_block(&brim, FIRST_PORT, 1, false), COPAL_CHANGED);
  brim.bare->now += 300 * COPAL_SECOND;
  bare_out(brim.bare);
  assert_works_but(&brim, 0);
  brim_close(&brim);
}

/* "0 does without Q-Block (RFC 9177), too." */
static void without_transfers_there_are_no_blocks(void **state) {
  (void)state;
  copal_config config = brim_config();
  config.transfers_max = 0;
  struct brim brim;
  brim_open(&brim, &config);
  brim.reply_size = 1000;
  assert_int_equal(begin_upload(&brim, FIRST_PORT), COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(ask_for_body(&brim, FIRST_PORT), COPAL_INTERNAL_SERVER_ERROR);
  assert_int_equal(put_q_block(&brim, FIRST_PORT, 0, true), COPAL_BAD_OPTION);
  assert_works_but(&brim, BRIM_GATHERING);
  brim_close(&brim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(full_transfers_refuse_bodies_and_nothing_else),
      cmocka_unit_test(the_oldest_kept_reply_makes_room_for_any_body),
      cmocka_unit_test(a_peer_with_its_share_of_transfers_loses_its_own_oldest),
      cmocka_unit_test(full_memory_for_bodies_refuses_bodies_and_nothing_else),
      cmocka_unit_test(a_body_is_as_large_as_it_may_be_and_no_larger),
      cmocka_unit_test(full_transfers_refuse_bodies_by_q_block_and_nothing_else),
      cmocka_unit_test(without_transfers_there_are_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
