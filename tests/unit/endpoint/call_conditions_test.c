/* Calls whose requests are conditional, and go in blocks. RFC 7959 section 2.10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

enum { BODY_SIZE = 100 };

static void begin(struct talk *talk, uint16_t condition, const char *value) {
  uint8_t buffer[256], body[BODY_SIZE];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_PUT);
  copal_message_add(&message, condition, value, strlen(value));
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  talk_fill(body, 0, sizeof body, 0);
  copal_message_set_payload(&message, body, sizeof body);
  assert_int_equal(message.error, COPAL_OK);
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &(copal_call_options){.message = &message, .block_size = 64});
}

/* RFC 7959 2.10: "If-None-Match only works correctly on Block1 requests with (NUM=0) and MUST NOT be used on Block1
 * requests with NUM != 0." */
static void if_none_match_goes_with_the_first_block_alone(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  begin(talk, COPAL_OPTION_IF_NONE_MATCH, "");
  asks(talk, "CON PUT 5 /a 1:0/1/64 size:100 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON PUT /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "4.08 1:1/0/64"); /* it goes again with the first block, when that goes again */
  asks(talk, "CON PUT 5 /a 1:0/1/64 size:100 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON PUT /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.01 1:1/0/64");
  ends_with(talk, COPAL_CREATED, 0, 0);
  talk_close(talk);
}

static void if_match_goes_with_every_block(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  begin(talk, COPAL_OPTION_IF_MATCH, "tag");
  asks(talk, "CON PUT 1 /a 1:0/1/64 size:100 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON PUT 1 /a 2:0/0/64 1:1/0/64 tag +36");
  answers(talk, "2.04 1:1/0/64");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(if_none_match_goes_with_the_first_block_alone),
      cmocka_unit_test(if_match_goes_with_every_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
