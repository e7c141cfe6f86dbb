/* Answers by Q-Block that come late: a client gets the blocks that it has asked for, whether its request is answered at
 * once or deferred. RFC 9177 section 4.4, RFC 7967. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/qserver.h"

enum { BLOCKS = 25 };

static const uint8_t answered[BLOCKS * BLOCK] = {1, 2, 3};

/* Who asks for what, and how he is answered. */
struct asking {
  copal_type type;
  bool deferred;
  bool is_open;    /* he does not say which blocks: there is no Q-Block2 */
  uint32_t number; /* of that */
  bool more;
  uint32_t no_response; /* 0: none */
};

static void answer_at_once(copal_request *request, void *context) {
  ++((struct server *)context)->executed;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, answered, sizeof answered);
}

static void answer_later(copal_request *request, void *context) {
  struct server *server = context;
  ++server->executed;
  assert_int_equal(copal_defer(request, &server->deferred), COPAL_OK);
}

static void answer_now(struct server *server) {
  uint8_t buffer[512];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_CONTENT);
  copal_message_set_payload(&message, answered, sizeof answered);
  assert_int_equal(copal_deferred_reply(server->bare->endpoint, server->deferred, &message), COPAL_OK);
}

/* A body of two blocks, each of which asks for those of the answer. */
static void fetch(struct server *server, const struct asking *asking) {
  static const uint8_t payload[BLOCK];
  for (uint32_t i = 0; i < 2; ++i) {
    struct writing writing;
    copal_message *message = begin(server, &writing, asking->type, COPAL_FETCH);
    add_block(message, COPAL_OPTION_Q_BLOCK1, i, i == 0, 0);
    if (!asking->is_open) add_block(message, COPAL_OPTION_Q_BLOCK2, asking->number, asking->more, 0);
    copal_message_add_uint(message, COPAL_OPTION_SIZE1, 2 * BLOCK);
    copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, "t");
    if (asking->no_response > 0) copal_message_add_uint(message, COPAL_OPTION_NO_RESPONSE, asking->no_response);
    copal_message_set_payload(message, payload, sizeof payload);
    send(server, &writing);
  }
}

/* Notes the blocks among what is sent now, and acknowledges what is to be. Returns how many they are, 4.00 included. */
static unsigned take_blocks(struct server *server, bool seen[BLOCKS]) {
  struct bare *bare = server->bare;
  unsigned count = 0;
  uint16_t mids[BARE_SENT_MAX];
  size_t con_count = 0;
  bare_out(bare);
  for (size_t i = 0; i < bare->sent_count; ++i) {
    const copal_view *view = &bare->sent[i].view;
    if (view->type == COPAL_CON) mids[con_count++] = view->message_id;
    if (view->code == COPAL_EMPTY) continue;
    ++count;
    if (view->code == COPAL_BAD_REQUEST) continue;
    assert_int_equal(view->code, COPAL_CONTENT);
    copal_block block = copal_block_of(copal_find_uint(view, COPAL_OPTION_Q_BLOCK2, UINT32_MAX));
    size_t size = (size_t)16 << block.szx, offset = block.number * size;
    assert_true(offset < sizeof answered && !seen[block.number]);
    assert_int_equal(block.more, offset + size < sizeof answered);
    assert_int_equal(view->payload.size, block.more ? size : sizeof answered - offset);
    assert_memory_equal(view->payload.data, answered + offset, view->payload.size);
    seen[block.number] = true;
  }
  for (size_t i = 0; i < con_count; ++i) bare_in(bare, "6000%04x", mids[i]);
  return count;
}

/* All that are sent in a time in which two more sets go. */
static unsigned take_all(struct server *server, bool seen[BLOCKS]) {
  unsigned count = 0;
  for (int i = 0; i < 80; ++i) {
    count += take_blocks(server, seen);
    server->bare->now += 100 * COPAL_MILLISECOND;
  }
  return count;
}

/* Returns how many answers there are in all. */
static unsigned ask(const struct asking *asking, bool seen[BLOCKS]) {
  struct server *server = open_server();
  copal_handler *handler = asking->deferred ? answer_later : answer_at_once;
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_FETCH, "/a", handler, server), COPAL_OK);
  fetch(server, asking);
  assert_int_equal(server->executed, 1);
  if (asking->deferred) answer_now(server);
  unsigned count = take_all(server, seen);
  close_server(server);
  return count;
}

/* RFC 9177 4.4: M unset "indicates the request is just for that block"; set with a NUM of 0 is for "the entire body",
 * with a multiple of MAX_PAYLOADS for that set and those that follow, and else "for that block and for all of the
 * remaining blocks in the current MAX_PAYLOADS_SET". Confirmable sets do not follow unasked. */
static void a_late_answer_has_the_blocks_that_are_asked_for(void **state) {
  (void)state;
  static const struct {
    uint32_t number;
    bool more;
    unsigned count, count_con; /* 0: 4.00 */
  } cases[] = {{0, true, 25, 10}, {0, false, 1, 1}, {3, true, 7, 7},  {3, false, 1, 1}, {10, true, 15, 10},
               {10, false, 1, 1}, {20, true, 5, 5}, {25, true, 0, 0}, {30, false, 0, 0}};
  for (size_t i = 0; i < 4 * (sizeof cases / sizeof *cases); ++i) {
    bool seen[BLOCKS] = {false};
    struct asking asking = {.type = i % 2 == 0 ? COPAL_NON : COPAL_CON,
                            .deferred = i / 2 % 2 == 0,
                            .number = cases[i / 4].number,
                            .more = cases[i / 4].more};
    unsigned expected = i % 2 == 0 ? cases[i / 4].count : cases[i / 4].count_con;
    assert_int_equal(ask(&asking, seen), expected > 0 ? expected : 1);
    for (uint32_t k = 0; k < BLOCKS; ++k) assert_int_equal(seen[k], k >= asking.number && k < asking.number + expected);
  }
}

/* Messages of 256 bytes have room for blocks of 128. */
static void a_late_answer_goes_whole_where_no_blocks_are_asked_for(void **state) {
  (void)state;
  for (int i = 0; i < 2; ++i) {
    bool seen[BLOCKS] = {false};
    struct asking asking = {.type = COPAL_NON, .deferred = i == 0, .is_open = true};
    assert_int_equal(ask(&asking, seen), (sizeof answered + 127) / 128);
  }
}

/* RFC 7967 2.1: 2 is no interest in 2.xx. What is not said in its first block is not said in the others. */
static void an_answer_that_nobody_wants_has_no_blocks(void **state) {
  (void)state;
  for (int i = 0; i < 4; ++i) {
    bool seen[BLOCKS] = {false};
    struct asking asking = {
        .type = i % 2 == 0 ? COPAL_NON : COPAL_CON, .deferred = i / 2 == 0, .more = true, .no_response = 2};
    assert_int_equal(ask(&asking, seen), 0);
  }
}

/* Who has had the last block only has had no body: when he asks for all of it, that block is not taken for it. */
static void a_block_alone_is_not_kept_as_the_body(void **state) {
  (void)state;
  bool last[BLOCKS] = {false}, all[BLOCKS] = {false};
  struct server *server = open_server();
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_FETCH, "/a", answer_at_once, server), COPAL_OK);
  fetch(server, &(struct asking){.type = COPAL_NON, .number = BLOCKS - 1});
  assert_int_equal(take_blocks(server, last), 1);
  assert_true(last[BLOCKS - 1]);
  fetch(server, &(struct asking){.type = COPAL_NON, .more = true});
  assert_int_equal(take_all(server, all), BLOCKS);
  close_server(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_late_answer_has_the_blocks_that_are_asked_for),
      cmocka_unit_test(a_late_answer_goes_whole_where_no_blocks_are_asked_for),
      cmocka_unit_test(an_answer_that_nobody_wants_has_no_blocks),
      cmocka_unit_test(a_block_alone_is_not_kept_as_the_body),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
