/* Calls whose bodies are larger than blocks can be numbered. RFC 7959 section 2.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

/* RFC 7959 2.2: a block's number has 20 bits. */
static void a_body_of_more_blocks_than_there_are_numbers_is_refused_at_once(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_call_options options = {.read = talk_read, .size = (uint64_t)16 << 20, .block_size = 16};
  talk->source_size = ++options.size;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_PUT, "a", 0, &options), COPAL_ERR_BODY_SIZE);
  leaves_nothing(talk);
  talk->source_size = --options.size;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &options);
  asks(talk, "CON PUT /a 1:0/1/16 size:16777216 tag +16");
  talk_close(talk);
}

/* That a server wants smaller ones is not known before. */
static void smaller_blocks_may_be_too_many(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk->source_size = ((uint64_t)16 << 20) + 1;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0,
             &(copal_call_options){.read = talk_read, .size = talk->source_size, .block_size = 32});
  asks(talk, "CON PUT /a 1:0/1/32 size:16777217 tag +32");
  answers(talk, "2.31 1:0/1/16");
  fails_with(talk, COPAL_ERR_BODY_SIZE);
  leaves_nothing(talk);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_body_of_more_blocks_than_there_are_numbers_is_refused_at_once),
      cmocka_unit_test(smaller_blocks_may_be_too_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
