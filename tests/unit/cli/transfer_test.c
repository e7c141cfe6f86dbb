/* Bodies in blocks, one message after the other, as a server answers them. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/load/transfer.h"

static uint8_t body[5000], whole[2048], sent[2048];
static const uint8_t token[FLIGHT_TOKEN_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct plan plan_of(uint8_t method, size_t body_size, uint8_t szx) {
  copal_message message;
  copal_message_init(&message, whole, sizeof whole, COPAL_CON, method);
  copal_message_set_token(&message, token, sizeof token);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "x");
  struct plan plan = {.method = method, .body = body, .body_size = body_size, .szx = szx, .whole = whole};
  plan.head_size = message.size;
  if (body_size > 0 && body_size <= (size_t)16 << szx) copal_message_set_payload(&message, body, body_size);
  plan.whole_size = message.size;
  for (size_t i = 0; i < sizeof body; ++i) body[i] = (uint8_t)(i / 16);
  return plan;
}

static copal_view written(const struct transfer *transfer, const struct plan *plan) {
  size_t size = transfer_write(transfer, plan, token, 0x1234, sent);
  assert_true(size <= transfer_size_max(plan));
  copal_view view;
  assert_int_equal(copal_decode(sent, size, &view), COPAL_OK);
  assert_int_equal(view.message_id, 0x1234);
  assert_memory_equal(view.token.data, token, sizeof token);
  return view;
}

/* What a server answers, with a Block option of that value. */
static enum transfer_step answered(struct transfer *transfer, const struct plan *plan, uint8_t code, uint16_t option,
                                   copal_block block) {
  uint8_t buffer[64];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_ACK, code, 0x1234, token, sizeof token);
  if (option != 0) copal_encode_uint(&encoder, option, copal_block_value(block));
  copal_view view;
  assert_int_equal(copal_decode(buffer, encoder.size, &view), COPAL_OK);
  return transfer_next(transfer, plan, &view);
}

static void what_fits_goes_in_one_message(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_PUT, 64, 2);
  struct transfer transfer = transfer_begin(&plan);
  copal_view view = written(&transfer, &plan);
  assert_int_equal(view.payload.size, 64);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_BLOCK1, 999), 999);
  assert_int_equal(answered(&transfer, &plan, COPAL_CHANGED, 0, (copal_block){0}), TRANSFER_DONE);
}

static void a_larger_body_goes_in_blocks_that_make_it_up(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_PUT, 150, 2);
  struct transfer transfer = transfer_begin(&plan);
  size_t size = 0;
  for (uint32_t number = 0; number < 3; ++number) {
    copal_view view = written(&transfer, &plan);
    copal_block block = copal_block_of(copal_find_uint(&view, COPAL_OPTION_BLOCK1, 999));
    assert_int_equal(block.number, number);
    assert_int_equal(block.more, number < 2);
    assert_int_equal(copal_find_uint(&view, COPAL_OPTION_SIZE1, 0), number == 0 ? 150 : 0);
    assert_memory_equal(view.payload.data, body + size, view.payload.size);
    size += view.payload.size;
    if (number == 2) break;
    assert_int_equal(answered(&transfer, &plan, COPAL_CONTINUE, COPAL_OPTION_BLOCK1, block), TRANSFER_MORE);
  }
  assert_int_equal(size, 150);
  assert_int_equal(answered(&transfer, &plan, COPAL_CHANGED, COPAL_OPTION_BLOCK1, (copal_block){2, false, 2}),
                   TRANSFER_DONE);
}

static void a_server_may_want_smaller_blocks(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_PUT, 3000, 6);
  struct transfer transfer = transfer_begin(&plan);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTINUE, COPAL_OPTION_BLOCK1, (copal_block){0, true, 2}),
                   TRANSFER_MORE);
  copal_view view = written(&transfer, &plan);
  copal_block block = copal_block_of(copal_find_uint(&view, COPAL_OPTION_BLOCK1, 999));
  assert_int_equal(block.number, 1024 / 64);
  assert_int_equal(block.szx, 2);
  assert_memory_equal(view.payload.data, body + 1024, 64);
}

static void an_error_ends_it_and_nonsense_breaks_it(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_PUT, 3000, 6);
  struct transfer transfer = transfer_begin(&plan);
  assert_int_equal(answered(&transfer, &plan, COPAL_REQUEST_ENTITY_TOO_LARGE, 0, (copal_block){0}), TRANSFER_DONE);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTINUE, 0, (copal_block){0}), TRANSFER_BROKEN);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTINUE, COPAL_OPTION_BLOCK1, (copal_block){3, true, 6}),
                   TRANSFER_BROKEN);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTINUE, COPAL_OPTION_BLOCK1, (copal_block){0, true, 7}),
                   TRANSFER_BROKEN);
  transfer.block = 2;
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTINUE, COPAL_OPTION_BLOCK1, (copal_block){2, false, 6}),
                   TRANSFER_BROKEN);
}

static void a_response_in_blocks_is_fetched_to_its_end(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_GET, 0, 6);
  struct transfer transfer = transfer_begin(&plan);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){0, true, 4}),
                   TRANSFER_MORE);
  copal_view view = written(&transfer, &plan);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_BLOCK2, 999), copal_block_value((copal_block){1, false, 4}));
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){2, true, 4}),
                   TRANSFER_BROKEN);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){1, true, 3}),
                   TRANSFER_BROKEN);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){1, true, 4}),
                   TRANSFER_MORE);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){2, false, 4}),
                   TRANSFER_DONE);
}

static void a_body_that_never_ends_ends_where_blocks_cannot_be_numbered(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_GET, 0, 6);
  struct transfer transfer = {.phase = TRANSFER_DOWN, .block = 0xffffe, .szx = 4};
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){0xffffe, true, 4}),
                   TRANSFER_MORE);
  assert_int_equal(answered(&transfer, &plan, COPAL_CONTENT, COPAL_OPTION_BLOCK2, (copal_block){0xfffff, true, 4}),
                   TRANSFER_BROKEN);
}

static void a_fetch_of_later_blocks_says_again_what_it_wants(void **state) {
  (void)state;
  struct plan plan = plan_of(COPAL_FETCH, 20, 6);
  struct transfer transfer = {.phase = TRANSFER_DOWN, .block = 3, .szx = 6};
  assert_int_equal(written(&transfer, &plan).payload.size, 20);
  plan = plan_of(COPAL_POST, 20, 6);
  assert_int_equal(written(&transfer, &plan).payload.size, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_fits_goes_in_one_message),
      cmocka_unit_test(a_larger_body_goes_in_blocks_that_make_it_up),
      cmocka_unit_test(a_server_may_want_smaller_blocks),
      cmocka_unit_test(an_error_ends_it_and_nonsense_breaks_it),
      cmocka_unit_test(a_response_in_blocks_is_fetched_to_its_end),
      cmocka_unit_test(a_body_that_never_ends_ends_where_blocks_cannot_be_numbered),
      cmocka_unit_test(a_fetch_of_later_blocks_says_again_what_it_wants),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
