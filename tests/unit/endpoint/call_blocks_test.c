/* Calls whose bodies are larger than a message, from the client's side: what servers do beside
 * the examples of RFC 7959. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

static const copal_call_options PLAIN = {.handler = NULL};

/* --- Bodies in one message ---------------------------------------------------------------------- */

static void a_body_that_fits_goes_without_blocks(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 1024, &PLAIN);
  asks(talk, "CON PUT /a +1024");
  answers(talk, "2.04 +7");
  ends_with(talk, COPAL_CHANGED, 7, 0);
  talk->last = false;
  talk->source_size = 16;
  talk_begin(talk, COPAL_NON, COPAL_PUT, "a", 0,
             &(copal_call_options){.read = talk_read, .size = COPAL_SIZE_UNKNOWN, .block_size = 16});
  asks(talk, "NON PUT /a 2:0/0/16 +16");
  answers(talk, "NON 2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk_close(talk);
}

static void a_body_in_one_message_needs_no_buffer(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.capacity = 9}); /* of nothing */
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/0/1024 cf:50 +700");
  ends_with(talk, COPAL_CONTENT, 700, 0);
  assert_int_equal(talk->content_format, COPAL_JSON);
  leaves_nothing(talk);
  talk_close(talk);
}

static void an_empty_body_of_unknown_size_is_no_payload(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "a", 0, &(copal_call_options){.read = talk_read, .size = COPAL_SIZE_UNKNOWN});
  asks(talk, "CON POST /a");
  answers(talk, "2.01");
  ends_with(talk, COPAL_CREATED, 0, 0);
  talk_close(talk);
}

static void whose_messages_are_small_says_so_from_the_start(void **state) {
  (void)state;
  copal_config config = copal_config_small(); /* messages of 256 bytes */
  struct talk *talk = talk_open(&config);
  talk_get(talk, "a");
  asks(talk, "CON GET /a 2:0/0/128");
  answers(talk, "2.05 2:0/1/128 +128");
  asks(talk, "CON GET /a 2:1/0/128");
  answers(talk, "2.05 2:1/0/128 +9");
  ends_with(talk, COPAL_CONTENT, 137, 0);
  talk_close(talk);
}

/* The option's size grows with the block's number, the message must not. */
static void blocks_shrink_to_what_a_message_holds(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 64;
  struct talk *talk = talk_open(&config);
  talk->source_size = 70000;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &(copal_call_options){.read = talk_read, .size = 70000});
  for (unsigned i = 0; i * 16 < 70000; ++i) {
    char expected[64], answer[64];
    unsigned left = 70000 - i * 16;
    snprintf(expected, sizeof expected, "CON PUT /a%s 1:%u/%d/16%s tag +%u", left > 16 ? "" : " 2:0/0/16", i, left > 16,
             i == 0 ? " size:70000" : "", left > 16 ? 16 : left);
    asks(talk, expected);
    assert_true(talk->bare->sent[0].size <= 64);
    snprintf(answer, sizeof answer, left > 16 ? "2.31 1:%u/1/16" : "2.04 1:%u/0/16", i);
    answers(talk, answer);
  }
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk_close(talk);
}

/* Whatever of a message the path leaves: the body goes, in blocks that fit beside all options. */
static void every_length_of_path_leaves_room_for_some_block(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 128;
  for (int length = 1; length <= 77; ++length) {
    struct talk *talk = talk_open(&config);
    char path[80];
    memset(path, 'p', sizeof path);
    path[length] = 0;
    talk->source_size = 64;
    talk_begin(talk, COPAL_CON, COPAL_PUT, path, 0,
               &(copal_call_options){.read = talk_read, .size = 64, .block_size = 64});
    assert_true(bare_out_one(talk->bare)->size <= 128);
    talk_close(talk);
  }
}

/* Their answers are told apart by message IDs, and some servers know an upload by its token. */
static void the_blocks_of_a_confirmable_upload_have_one_token_and_those_of_others_have_not(void **state) {
  (void)state;
  static const char *const asked[2][2] = {
      {"CON PUT /a 1:0/1/16 size:20 tag +16", "CON PUT /a 2:0/0/16 1:1/0/16 tag +4"},
      {"NON PUT /a 1:0/1/16 size:20 tag +16", "NON PUT /a 2:0/0/16 1:1/0/16 tag +4"}};
  for (int type = COPAL_CON; type <= COPAL_NON; ++type) {
    struct talk *talk = talk_open_roomy();
    talk_begin(talk, (copal_type)type, COPAL_PUT, "a", 20, &(copal_call_options){.block_size = 16});
    asks(talk, asked[type][0]);
    struct talk_token first = token_of(talk);
    answers(talk, type == COPAL_CON ? "2.31 1:0/1/16" : "NON 2.31 1:0/1/16");
    asks(talk, asked[type][1]);
    assert_int_equal(memcmp(first.bytes, talk->token, first.size) == 0, type == COPAL_CON);
    answers(talk, type == COPAL_CON ? "2.31 1:1/0/16" : "NON 2.31 1:1/0/16"); /* which it is not */
    assert_int_equal(talk->result.error, COPAL_ERR_BODY_BLOCKS);
    talk_close(talk);
  }
}

/* --- The server's wishes for a request's body ------------------------------------------------------ */

static void after_4_13_with_smaller_blocks_it_begins_anew_as_long_as_they_get_smaller(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 200, &(copal_call_options){.block_size = 128});
  asks(talk, "CON PUT /a 1:0/1/128 size:200 tag +128");
  answers(talk, "4.13 1:0/1/64");
  asks(talk, "CON PUT /a 1:0/1/64 size:200 tag +64");
  /* A server may not have reckoned with the options that come with blocks. */
  answers(talk, "4.13 1:0/1/16");
  asks(talk, "CON PUT /a 1:0/1/16 size:200 tag +16");
  answers(talk, "4.13 1:0/1/16");
  ends_with(talk, COPAL_REQUEST_ENTITY_TOO_LARGE, 0, 0);
  talk_close(talk);
}

static void after_4_13_a_body_without_blocks_is_tried_in_blocks(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 100, &PLAIN);
  asks(talk, "CON PUT /a +100");
  answers(talk, "4.13 1:0/0/64");
  asks(talk, "CON PUT /a 1:0/1/64 size:100 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON PUT /a 1:1/0/64 tag +36");
  answers(talk, "2.04 1:1/0/64");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk_close(talk);
}

static void a_4_13_without_a_hint_is_the_result(void **state) {
  (void)state;
  static const char *const hints[] = {"4.13", "4.13 1:0/1/128", "4.13 1:0/1/2048"};
  for (size_t i = 0; i < sizeof hints / sizeof *hints; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 200, &(copal_call_options){.block_size = 128});
    asks(talk, "CON PUT /a 1:0/1/128 size:200 tag +128");
    answers(talk, hints[i]);
    ends_with(talk, COPAL_REQUEST_ENTITY_TOO_LARGE, 0, 0);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

static void after_4_08_it_begins_anew_once(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 150, &(copal_call_options){.block_size = 64});
  for (int round = 0; round < 2; ++round) {
    asks(talk, "CON PUT /a 1:0/1/64 size:150 tag +64");
    answers(talk, "2.31 1:0/1/64");
    asks(talk, "CON PUT /a 1:1/1/64 tag +64");
    assert_int_equal(talk->count, 0);
    answers(talk, "4.08 1:1/1/64");
  }
  ends_with(talk, COPAL_REQUEST_ENTITY_INCOMPLETE, 0, 0);
  talk_close(talk);
}

static void a_4_08_to_the_first_block_is_the_result(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 150, &(copal_call_options){.block_size = 64});
  asks(talk, "CON PUT /a 1:0/1/64 size:150 tag +64");
  answers(talk, "4.08");
  ends_with(talk, COPAL_REQUEST_ENTITY_INCOMPLETE, 0, 0);
  talk_close(talk);
}

static void an_error_between_blocks_is_the_result(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 150, &(copal_call_options){.block_size = 64});
  asks(talk, "CON PUT /a 1:0/1/64 size:150 tag +64");
  answers(talk, "4.15 +12");
  ends_with(talk, COPAL_UNSUPPORTED_CONTENT_FORMAT, 12, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

static void another_block_acknowledged_is_an_error(void **state) {
  (void)state;
  static const char *const wrong[] = {"2.31 1:1/1/64", "2.31 1:0/1/2048"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 150, &(copal_call_options){.block_size = 64});
    asks(talk, "CON PUT /a 1:0/1/64 size:150 tag +64");
    answers(talk, wrong[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

static void a_reader_that_fails_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk->source_size = 5000;
  talk->read_fails_at = 2000;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 0, &(copal_call_options){.read = talk_read, .size = 5000});
  asks(talk, "CON PUT /a 1:0/1/1024 size:5000 tag +1024");
  answers(talk, "2.31 1:0/1/1024");
  fails_with(talk, COPAL_ERR_BODY_READ);
  leaves_nothing(talk);

  /* Less than was promised; and at the very beginning it is the call's own error. */
  talk->last = false;
  talk->read_fails_at = 0;
  talk->source_size = 10;
  assert_int_equal(talk_try(talk, COPAL_CON, COPAL_PUT, "a", 0, &(copal_call_options){.read = talk_read, .size = 11}),
                   COPAL_ERR_BODY_READ);
  leaves_nothing(talk);
  talk_close(talk);
}

/* RFC 9175 3.4: "Clients that use Request-Tag for a particular purpose (like in Section 3.5) MUST NOT recycle a
 * request tag unless the first operation has concluded." */
static void each_transfer_has_a_request_tag_of_its_own(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  copal_option first, option;
  uint8_t kept[3];
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 100, &(copal_call_options){.block_size = 64});
  asks(talk, "CON PUT /a 1:0/1/64 size:100 tag +64");
  assert_true(copal_find(&talk->bare->sent[0].view, COPAL_OPTION_REQUEST_TAG, &first));
  memcpy(kept, first.value, sizeof kept);
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON PUT /a 2:0/0/64 1:1/0/64 tag +36");
  assert_true(copal_find(&talk->bare->sent[0].view, COPAL_OPTION_REQUEST_TAG, &option));
  assert_memory_equal(option.value, kept, sizeof kept);
  answers(talk, "2.04 1:1/0/64");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  talk->last = false;
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 100, &(copal_call_options){.block_size = 64});
  asks(talk, "CON PUT /a 1:0/1/64 size:100 tag +64");
  assert_true(copal_find(&talk->bare->sent[0].view, COPAL_OPTION_REQUEST_TAG, &option));
  assert_memory_not_equal(option.value, kept, sizeof kept);
  talk_close(talk);
}

/* --- The response's body -------------------------------------------------------------------------- */

static void a_writer_takes_a_success_in_parts(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.write = talk_write, .capacity = 1});
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 size:100 +64");
  assert_true(talk->taken_size == 64);
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 +36");
  assert_true(talk->last && talk->result.error == COPAL_OK);
  assert_true(talk->result.body_size == 100 && talk->result.body.size == 0);
  assert_true(talk->taken_size == 100);
  assert_body(talk->taken, 0, 100, 0);

  talk->last = false;
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.write = talk_write});
  asks(talk, "CON GET /a");
  answers(talk, "2.05 +9");
  assert_true(talk->last && talk->result.body_size == 9 && talk->result.body.size == 0);
  assert_true(talk->taken_size == 9);
  talk_close(talk);
}

static void a_writer_is_spared_errors(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.write = talk_write});
  asks(talk, "CON GET /a");
  answers(talk, "4.04 2:0/1/16 +16");
  asks(talk, "CON GET /a 2:1/0/16");
  answers(talk, "4.04 2:1/0/16 +3");
  ends_with(talk, COPAL_NOT_FOUND, 19, 0);
  assert_int_equal(talk->taken_from_start, 0);
  talk_close(talk);
}

static void a_writer_that_gives_up_ends_the_call(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk->write_fails_at = 100;
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.write = talk_write});
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/1/64 +64");
  fails_with(talk, COPAL_ERR_BODY_WRITE);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_body_larger_than_its_room_is_an_error_not_a_part(void **state) {
  (void)state;
  uint8_t room[100];
  struct talk *talk = talk_open_roomy();
  memset(room, 0xaa, sizeof room);
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.buffer = room, .capacity = 99});
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 size:64 +64"); /* what a server says of the size binds nobody */
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 +36");
  fails_with(talk, COPAL_ERR_BODY_SIZE);
  assert_int_equal(room[64], 0xaa);
  talk->last = false;
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.capacity = 99}); /* no buffer at all */
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 +64");
  fails_with(talk, COPAL_ERR_BODY_SIZE);
  leaves_nothing(talk);
  talk_close(talk);
}

static void blocks_that_make_no_whole_are_an_error(void **state) {
  (void)state;
  static const char *const second[] = {
      "2.05 2:2/1/64 +64",   /* one is left out */
      "2.05 2:0/1/64 +64",   /* the first again */
      "2.05 2:1/1/64 +63",   /* not as large as it says */
      "2.05 2:1/1/128 +128", /* another place */
      "2.05 2:1/1/2048 +64", /* the reserved size */
      "2.05 +64",            /* nowhere */
  };
  for (size_t i = 0; i < sizeof second / sizeof *second; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_get(talk, "a");
    asks(talk, "CON GET /a");
    answers(talk, "2.05 2:0/1/64 +64");
    asks(talk, "CON GET /a 2:1/0/64");
    answers(talk, second[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    leaves_nothing(talk);
    talk_close(talk);
  }
  static const char *const first[] = {"2.05 2:1/1/64 +64", "2.05 2:3/0/64 +6", "2.05 2:0/1/64 +65", "2.05 2:0/1/64"};
  for (size_t i = 0; i < sizeof first / sizeof *first; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_get(talk, "a");
    asks(talk, "CON GET /a");
    answers(talk, first[i]);
    fails_with(talk, COPAL_ERR_BODY_BLOCKS);
    talk_close(talk);
  }
}

/* T37. RFC 7959 2.4: "the client … MUST compare ETag Options." */
static void a_body_that_changes_is_fetched_anew_once(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.write = talk_write});
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 etag:one +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/1/64 etag:two v:1 +64");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 etag:two v:1 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 2:1/0/64 etag:two v:1 +8");
  assert_true(talk->last && talk->result.error == COPAL_OK);
  assert_int_equal(talk->taken_from_start, 2);
  assert_true(talk->taken_size == 72);
  assert_body(talk->taken, 0, 72, 1);
  talk_close(talk);
}

static void a_writer_learns_that_a_body_became_empty(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "a", 0, &(copal_call_options){.write = talk_write});
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 etag:one +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "2.05 etag:two");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 etag:two");
  assert_true(talk->last && talk->result.error == COPAL_OK && talk->result.body_size == 0);
  assert_int_equal(talk->taken_from_start, 2);
  assert_true(talk->taken_size == 0);
  talk_close(talk);
}

/* T37 */
static void a_body_that_goes_on_changing_is_an_error(void **state) {
  (void)state;
  static const char *const changed[] = {"2.05 2:1/0/64 etag:two +6", "2.05 2:1/0/64 +6",
                                        "2.05 2:1/0/64 etag:one cf:0 +6"};
  for (size_t i = 0; i < sizeof changed / sizeof *changed; ++i) {
    struct talk *talk = talk_open_roomy();
    talk_get(talk, "a");
    for (int round = 0; round < 2; ++round) {
      assert_int_equal(talk->count, 0);
      asks(talk, "CON GET /a");
      answers(talk, "2.05 2:0/1/64 etag:one +64");
      asks(talk, "CON GET /a 2:1/0/64");
      answers(talk, changed[i]);
    }
    fails_with(talk, COPAL_ERR_BODY_CHANGED);
    leaves_nothing(talk);
    talk_close(talk);
  }
}

static void what_is_not_safe_is_not_repeated_for_a_changed_body(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_POST, "a", 5, &PLAIN);
  asks(talk, "CON POST /a +5");
  answers(talk, "2.04 2:0/1/64 etag:one +64");
  asks(talk, "CON POST /a 2:1/0/64");
  answers(talk, "2.04 2:1/0/64 etag:two +6");
  fails_with(talk, COPAL_ERR_BODY_CHANGED);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_fetch_is_repeated_with_its_body(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_FETCH, "a", 100, &(copal_call_options){.block_size = 64});
  for (int round = 0; round < 2; ++round) {
    asks(talk, "CON FETCH /a 1:0/1/64 size:100 tag +64");
    answers(talk, "2.31 1:0/1/64");
    asks(talk, "CON FETCH /a 2:0/0/64 1:1/0/64 tag +36");
    answers(talk, "2.05 2:0/1/64 1:1/0/64 etag:one +64");
    asks(talk, "CON FETCH /a 2:1/0/64 tag");
    if (round == 0) answers(talk, "2.05 2:1/0/64 etag:two +6");
  }
  answers(talk, "2.05 2:1/0/64 etag:one +6");
  ends_with(talk, COPAL_CONTENT, 70, 0);
  talk_close(talk);
}

static void an_error_instead_of_the_next_block_is_the_result(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/64 +64");
  asks(talk, "CON GET /a 2:1/0/64");
  answers(talk, "5.03 +3");
  ends_with(talk, COPAL_SERVICE_UNAVAILABLE, 3, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* RFC 7959 2.4: "the requester MUST take note of the actual block size used in the response it receives to its
 * initial request and proceed to use it in subsequent requests." */
static void a_server_may_go_down_in_size_midway(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers(talk, "2.05 2:0/1/128 +128");
  asks(talk, "CON GET /a 2:1/0/128");
  answers(talk, "2.05 2:4/1/32 +32");
  asks(talk, "CON GET /a 2:5/0/32");
  answers(talk, "2.05 2:5/0/32 +32");
  ends_with(talk, COPAL_CONTENT, 192, 0);
  talk_close(talk);
}

static void separate_responses_and_non_requests_carry_blocks_too(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_NON, COPAL_GET, "a", 0, &PLAIN);
  asks(talk, "NON GET /a");
  answers(talk, "CON 2.05 2:0/1/16 +16");
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 2); /* the ACK, then the next request */
  assert_int_equal(talk->bare->sent[0].view.type, COPAL_ACK);
  talk->token_size = talk->bare->sent[1].view.token.size;
  memcpy(talk->token, talk->bare->sent[1].view.token.data, talk->token_size);
  answers(talk, "NON 2.05 2:1/0/16 +2");
  ends_with(talk, COPAL_CONTENT, 18, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

/* --- Echo ----------------------------------------------------------------------------------------- */

/* RFC 9175, Figure 1. */
static void a_4_01_with_echo_is_answered_with_the_same_request(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "lock", 1, &PLAIN);
  asks(talk, "CON PUT /lock +1");
  uint8_t token[8];
  memcpy(token, talk->token, sizeof token);
  answers(talk, "4.01 echo:t0");
  asks(talk, "CON PUT /lock echo:t0 +1");
  assert_memory_not_equal(talk->token, token, sizeof token);
  answers(talk, "2.04");
  ends_with(talk, COPAL_CHANGED, 0, 0);
  assert_int_equal(talk->result.exchanges, 2);
  talk_close(talk);
}

static void it_is_repeated_once(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers(talk, "4.01 echo:one");
  asks(talk, "CON GET /a echo:one");
  answers(talk, "4.01 echo:two +4");
  ends_with(talk, COPAL_UNAUTHORIZED, 4, 0);
  talk->last = false;
  talk_get(talk, "a");
  asks(talk, "CON GET /a");
  answers(talk, "4.01");
  ends_with(talk, COPAL_UNAUTHORIZED, 0, 0);
  leaves_nothing(talk);
  talk_close(talk);
}

static void a_block_is_repeated_with_echo(void **state) {
  (void)state;
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_PUT, "a", 150, &(copal_call_options){.block_size = 64});
  asks(talk, "CON PUT /a 1:0/1/64 size:150 tag +64");
  answers(talk, "2.31 1:0/1/64");
  asks(talk, "CON PUT /a 1:1/1/64 tag +64");
  answers(talk, "4.01 echo:one");
  asks(talk, "CON PUT /a 1:1/1/64 echo:one tag +64");
  answers(talk, "2.31 1:1/1/64 echo:two"); /* "the client SHOULD echo the Echo option value in the next request" */
  asks(talk, "CON PUT /a 2:0/0/64 1:2/0/64 echo:two tag +22");
  answers(talk, "4.01 echo:three");
  asks(talk, "CON PUT /a 2:0/0/64 1:2/0/64 echo:three tag +22");
  answers(talk, "2.05 2:0/1/64 +64");
  asks(talk, "CON PUT /a 2:1/0/64 echo:three tag");
  answers(talk, "2.05 2:1/0/64 +1");
  ends_with(talk, COPAL_CONTENT, 65, 0);
  talk_close(talk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_body_that_fits_goes_without_blocks),
      cmocka_unit_test(a_body_in_one_message_needs_no_buffer),
      cmocka_unit_test(an_empty_body_of_unknown_size_is_no_payload),
      cmocka_unit_test(whose_messages_are_small_says_so_from_the_start),
      cmocka_unit_test(blocks_shrink_to_what_a_message_holds),
      cmocka_unit_test(every_length_of_path_leaves_room_for_some_block),
      cmocka_unit_test(the_blocks_of_a_confirmable_upload_have_one_token_and_those_of_others_have_not),
      cmocka_unit_test(after_4_13_with_smaller_blocks_it_begins_anew_as_long_as_they_get_smaller),
      cmocka_unit_test(after_4_13_a_body_without_blocks_is_tried_in_blocks),
      cmocka_unit_test(a_4_13_without_a_hint_is_the_result),
      cmocka_unit_test(after_4_08_it_begins_anew_once),
      cmocka_unit_test(a_4_08_to_the_first_block_is_the_result),
      cmocka_unit_test(an_error_between_blocks_is_the_result),
      cmocka_unit_test(another_block_acknowledged_is_an_error),
      cmocka_unit_test(a_reader_that_fails_ends_the_call),
      cmocka_unit_test(each_transfer_has_a_request_tag_of_its_own),
      cmocka_unit_test(a_writer_takes_a_success_in_parts),
      cmocka_unit_test(a_writer_is_spared_errors),
      cmocka_unit_test(a_writer_that_gives_up_ends_the_call),
      cmocka_unit_test(a_body_larger_than_its_room_is_an_error_not_a_part),
      cmocka_unit_test(blocks_that_make_no_whole_are_an_error),
      cmocka_unit_test(a_body_that_changes_is_fetched_anew_once),
      cmocka_unit_test(a_writer_learns_that_a_body_became_empty),
      cmocka_unit_test(a_body_that_goes_on_changing_is_an_error),
      cmocka_unit_test(what_is_not_safe_is_not_repeated_for_a_changed_body),
      cmocka_unit_test(a_fetch_is_repeated_with_its_body),
      cmocka_unit_test(an_error_instead_of_the_next_block_is_the_result),
      cmocka_unit_test(a_server_may_go_down_in_size_midway),
      cmocka_unit_test(separate_responses_and_non_requests_carry_blocks_too),
      cmocka_unit_test(a_4_01_with_echo_is_answered_with_the_same_request),
      cmocka_unit_test(it_is_repeated_once),
      cmocka_unit_test(a_block_is_repeated_with_echo),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
