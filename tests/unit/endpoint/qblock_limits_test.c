/* What a server does with Q-Block options that are wrong, with clients of ill will, and when it has no room: it answers
 * as RFC 9177 says, sends nobody much who has not shown his address, and keeps little for what is announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/qserver.h"

/* --- Options that are wrong --------------------------------------------------------------------------------- */

/* RFC 9177 4.3: 4.00 "MUST be returned if the request does not include a Request-Tag option or a Size1 option but does
 * include a Q-Block1 option." */
static void a_block_without_tag_or_size_is_a_bad_request(void **state) {
  (void)state;
  struct server *server = open_server();
  send_block(server, COPAL_NON, COPAL_PUT, NULL, 0, true, 48, BLOCK);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  send_block(server, COPAL_CON, COPAL_PUT, "t", 0, true, 0, BLOCK);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 0);
  close_server(server);
}

static void a_block_that_does_not_fit_its_body_is_a_bad_request(void **state) {
  (void)state;
  static const struct {
    uint32_t number, total;
    size_t size;
    bool more;
  } blocks[] = {{0, 48, 15, true},  {0, 48, 17, true}, {0, 16, 16, true},  {2, 48, 16, true}, {1, 48, 16, false},
                {2, 48, 15, false}, {3, 48, 0, false}, {3, 48, 16, false}, {9, 48, 16, true}};
  struct server *server = open_server();
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; ++i) {
    send_block(server, COPAL_NON, COPAL_PUT, "t", blocks[i].number, blocks[i].more, blocks[i].total, blocks[i].size);
    assert_int_equal(answer(server), COPAL_BAD_REQUEST);
    assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 0);
  }
  close_server(server);
}

static void a_body_keeps_its_size(void **state) {
  (void)state;
  struct server *server = open_server();
  put_block(server, "t", 0, 5);
  assert_silent(server);
  put_block(server, "t", 1, 6);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 1);
  close_server(server);
}

/* RFC 9177 4.1: "there MUST NOT be a mix of Q-Block and Block options in the same packet." And: "Messages that do
 * not adhere to this behavior MUST be rejected with a 4.02 (Bad Option)." */
static void q_block_and_block_options_do_not_go_together(void **state) {
  (void)state;
  static const uint16_t pairs[][2] = {{COPAL_OPTION_Q_BLOCK1, COPAL_OPTION_BLOCK1},
                                      {COPAL_OPTION_Q_BLOCK1, COPAL_OPTION_BLOCK2},
                                      {COPAL_OPTION_Q_BLOCK2, COPAL_OPTION_BLOCK1},
                                      {COPAL_OPTION_Q_BLOCK2, COPAL_OPTION_BLOCK2}};
  struct server *server = open_server();
  for (int i = 0; i < 4; ++i) {
    struct writing writing;
    copal_message *message = begin(server, &writing, COPAL_CON, COPAL_PUT);
    add_block(message, pairs[i][0], 0, false, 0);
    add_block(message, pairs[i][1], 0, false, 0);
    send(server, &writing);
    assert_int_equal(answer(server), COPAL_BAD_OPTION);
  }
  assert_int_equal(server->executed, 0);
  close_server(server);
}

/* RFC 9177 4.1: "any request carrying multiple Q-Block1 … options MUST be handled following the procedure specified in
 * Section 5.4.5 of [RFC7252]." */
static void two_q_block1_options_are_a_bad_option(void **state) {
  (void)state;
  struct server *server = open_server();
  struct writing writing;
  copal_message *message = begin(server, &writing, COPAL_CON, COPAL_PUT);
  add_block(message, COPAL_OPTION_Q_BLOCK1, 0, false, 0);
  add_block(message, COPAL_OPTION_Q_BLOCK1, 1, false, 0);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_BAD_OPTION);
  close_server(server);
}

static void a_reserved_size_and_blocks_out_of_order_are_bad_requests(void **state) {
  (void)state;
  struct server *server = open_server();
  struct writing writing;
  add_block(begin(server, &writing, COPAL_CON, COPAL_GET), COPAL_OPTION_Q_BLOCK2, 0, false, 7);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  copal_message *message = begin(server, &writing, COPAL_CON, COPAL_GET);
  add_block(message, COPAL_OPTION_Q_BLOCK2, 3, false, 0);
  add_block(message, COPAL_OPTION_Q_BLOCK2, 2, false, 0);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  add_block(begin(server, &writing, COPAL_CON, COPAL_GET), COPAL_OPTION_Q_BLOCK2, 50, false, 0);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST); /* behind the end */
  close_server(server);
}

/* RFC 9177 4.8: "Servers MUST ignore multicast requests that contain the Q-Block2 option." */
static void a_group_is_not_asked_so(void **state) {
  (void)state;
  struct server *server = open_server();
  struct writing writing;
  add_block(begin(server, &writing, COPAL_NON, COPAL_GET), COPAL_OPTION_Q_BLOCK2, 0, false, 0);
  copal_path path = bare_group_path(BARE_PORT);
  bare_in_bytes(server->bare, &path, writing.buffer, writing.message.size);
  server->bare->now += 10 * COPAL_SECOND;
  assert_silent(server);
  assert_int_equal(server->executed, 0);
  close_server(server);
}

/* --- Bodies that come in ---------------------------------------------------------------------------------- */

/* RFC 9177 4.3: "If the server receives a duplicate block with the same Request-Tag, it MUST ignore the payload of the
 * packet but MUST still respond as if the block was received for the first time." */
static void a_block_that_comes_again_is_answered_again(void **state) {
  (void)state;
  struct server *server = open_server();
  for (uint32_t i = 0; i < 10; ++i) put_block(server, "t", i, 12);
  assert_int_equal(answer(server), COPAL_CONTINUE);
  put_block(server, "t", 9, 12);
  assert_int_equal(answer(server), COPAL_CONTINUE);
  put_block(server, "t", 10, 12);
  put_block(server, "t", 11, 12);
  bare_out(server->bare);
  assert_int_equal(server->executed, 1);
  for (uint32_t i = 0; i < 12; ++i) {
    put_block(server, "t", i, 12);
    bare_out(server->bare);
    assert_true(server->bare->sent_count > 0);
    assert_int_equal(server->bare->sent[0].view.code, COPAL_CONTENT);
  }
  assert_int_equal(server->executed, 1);
  close_server(server);
}

/* RFC 9177 4.3: "If a server receives payloads with different Request-Tags for the same resource, it should continue to
 * process all the bodies". */
static void bodies_with_different_tags_are_different_bodies(void **state) {
  (void)state;
  struct server *server = open_server();
  put_block(server, "x", 0, 2);
  put_block(server, "y", 1, 2);
  assert_silent(server);
  put_block(server, "x", 1, 2);
  bare_out(server->bare);
  assert_int_equal(server->executed, 1);
  put_block(server, "y", 0, 2);
  bare_out(server->bare);
  assert_int_equal(server->executed, 2);
  close_server(server);
}

/* What asks for the first block of an answer that is no longer there has no body, and is not to be executed. */
static void an_answer_that_is_forgotten_is_not_made_anew(void **state) {
  (void)state;
  struct server *server = open_server();
  struct writing writing;
  copal_message *message = begin(server, &writing, COPAL_NON, COPAL_POST);
  add_block(message, COPAL_OPTION_Q_BLOCK2, 0, true, 2);
  copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, "t");
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_REQUEST_ENTITY_INCOMPLETE);
  assert_int_equal(server->executed, 0);
  close_server(server);
}

static void post_block(struct server *server, uint32_t number) {
  send_block(server, COPAL_NON, COPAL_POST, "t", number, number == 0, 2 * BLOCK, BLOCK);
}

/* Its answer was lost, and has made room. */
static void a_post_that_comes_again_is_not_executed_again(void **state) {
  (void)state;
  struct server *server = open_with(0, 1);
  post_block(server, 0);
  assert_silent(server);
  post_block(server, 1);
  bare_out(server->bare);
  assert_int_equal(server->executed, 1);
  put_block(server, "u", 0, 2);
  assert_int_equal(copal_endpoint_counters(server->bare->endpoint)->transfers_evicted, 1);
  bare_out(server->bare);
  for (uint32_t number = 0; number < 2; ++number) {
    post_block(server, number);
    assert_int_equal(answer(server), COPAL_INTERNAL_SERVER_ERROR);
  }
  assert_int_equal(server->executed, 1);
  server->bare->now += 248 * COPAL_SECOND;
  post_block(server, 0);
  post_block(server, 1);
  assert_int_equal(server->executed, 2);
  close_server(server);
}

static void little_is_taken_for_what_is_announced(void **state) {
  (void)state;
  struct server *server = open_server();
  put_block(server, "t", 29, 500);
  assert_int_equal(answer(server), COPAL_REQUEST_ENTITY_INCOMPLETE);
  assert_true(copal_endpoint_usage(server->bare->endpoint).bodies_size <= 512);
  for (uint32_t i = 30; i < 499; ++i) put_block(server, "t", i, 500);
  bare_out(server->bare);
  assert_true(copal_endpoint_usage(server->bare->endpoint).bodies_size <= 512);
  /* A list for each set at most. */
  assert_true(server->bare->sent_count <= 47);
  close_server(server);
}

static void a_client_has_no_more_bodies_than_its_share(void **state) {
  (void)state;
  struct server *server = open_with(0, 2);
  static const char *const tags[] = {"1", "2", "3", "4", "5"};
  for (int i = 0; i < 5; ++i) put_block(server, tags[i], 0, 5);
  assert_silent(server);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 2);
  assert_true(copal_endpoint_counters(server->bare->endpoint)->transfers_evicted == 3);
  close_server(server);
}

/* RFC 9177 4.3: "On receipt of the Reset message, the server SHOULD delete the partial body." */
static void a_reset_to_a_list_deletes_the_body(void **state) {
  (void)state;
  struct server *server = open_server();
  put_block(server, "t", 0, 5);
  assert_silent(server);
  server->bare->now += 4 * COPAL_SECOND;
  const struct bare_sent *sent = bare_out_one(server->bare);
  assert_int_equal(sent->view.code, COPAL_REQUEST_ENTITY_INCOMPLETE);
  uint16_t mid = sent->view.message_id;
  bare_in(server->bare, "7000%04x", (uint16_t)(mid + 1));
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 1);
  bare_in(server->bare, "7000%04x", mid);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 0);
  assert_true(copal_endpoint_deadline(server->bare->endpoint) == COPAL_NEVER);
  close_server(server);
}

/* --- Bodies that go out ------------------------------------------------------------------------------------ */

static void get(struct server *server, uint32_t number, bool more) {
  struct writing writing;
  add_block(begin(server, &writing, COPAL_NON, COPAL_GET), COPAL_OPTION_Q_BLOCK2, number, more, 0);
  send(server, &writing);
}

static uint64_t read_without_end(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context, (void)offset;
  memset(buffer, 'x', size);
  return size;
}

static void stream(copal_request *request, void *context) {
  (void)context;
  assert_int_equal(copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_without_end, NULL), COPAL_ERR_MESSAGE_SIZE);
}

/* RFC 9177 4.6: Size2 "MUST be used with the Q-Block2 option when used in a response". */
static void what_has_no_size_and_is_not_kept_has_no_later_block(void **state) {
  (void)state;
  struct server *server = open_server();
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_GET, "/a/b", stream, NULL), COPAL_OK);
  struct writing writing;
  copal_message *message = begin(server, &writing, COPAL_CON, COPAL_GET);
  copal_message_add_text(message, COPAL_OPTION_URI_PATH, "b");
  add_block(message, COPAL_OPTION_Q_BLOCK2, 1, false, 0);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_INTERNAL_SERVER_ERROR);
  close_server(server);
}

static void a_reset_stops_a_body(void **state) {
  (void)state;
  struct server *server = open_server();
  get(server, 0, true);
  bare_out(server->bare);
  assert_int_equal(server->bare->sent_count, 10);
  uint16_t mid = server->bare->sent[5].view.message_id;
  bare_in(server->bare, "7000%04x", mid);
  server->bare->now += 10 * COPAL_SECOND;
  assert_silent(server);
  close_server(server);
}

static void sets_go_on_at_their_pace_until_the_end(void **state) {
  (void)state;
  struct server *server = open_server();
  get(server, 0, true);
  unsigned count = 0;
  for (int i = 0; i < 5; ++i) {
    bare_out(server->bare);
    assert_int_equal(server->bare->sent_count, 10);
    count += (unsigned)server->bare->sent_count;
    copal_time next = copal_endpoint_deadline(server->bare->endpoint);
    if (i == 4) break;
    assert_true(next >= server->bare->now + 2 * COPAL_SECOND && next <= server->bare->now + 3 * COPAL_SECOND);
    server->bare->now = next;
  }
  assert_int_equal(count, 50);
  server->bare->now += 100 * COPAL_SECOND;
  assert_silent(server);
  assert_int_equal(server->executed, 1);
  close_server(server);
}

/* Tables of a microcontroller: the set goes as there is room. */
static void a_set_waits_for_room(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  config.exchanges_max = 3;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  struct server *server = calloc(1, sizeof *server);
  server->bare = bare_open(&config);
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_GET, "/a", handle, server), COPAL_OK);
  get(server, 0, true);
  unsigned count = 0;
  for (int i = 0; i < 20 && count < 10; ++i) {
    bare_out(server->bare);
    count += (unsigned)server->bare->sent_count;
    server->bare->now += COPAL_SECOND / 64;
  }
  assert_int_equal(count, 10);
  close_server(server);
}

/* A token that is too long to be kept beside a block: the first of them is answered, and the client asks again. */
static void long_tokens_get_one_block_at_a_time(void **state) {
  (void)state;
  struct server *server = open_server();
  get(server, 0, false);
  bare_out(server->bare);
  struct writing writing;
  static const uint8_t token[20] = {9};
  copal_message *message = begin(server, &writing, COPAL_NON, COPAL_GET);
  copal_message_set_token(message, token, sizeof token);
  add_block(message, COPAL_OPTION_Q_BLOCK2, 1, true, 0);
  send(server, &writing);
  assert_int_equal(bare_out_one(server->bare)->view.token.size, 20);
  close_server(server);
}

/* --- Addresses that are not verified: decision 0011 ----------------------------------------------------------- */

static size_t sent_size(const struct bare *bare) {
  size_t size = 0;
  for (size_t i = 0; i < bare->sent_count; ++i) size += bare->sent[i].size;
  return size;
}

/* All that is sent in four minutes to somebody who never answers. */
static size_t all_sent(struct server *server) {
  size_t size = 0;
  for (int i = 0; i < 2400; ++i) {
    bare_out(server->bare);
    size += sent_size(server->bare);
    server->bare->now += 100 * COPAL_MILLISECOND;
  }
  return size;
}

static void an_address_that_is_not_verified_gets_no_burst(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; ++kind) {
    struct server *server = open_with(3, 4);
    get(server, 0, true);
    if (kind == 1) get(server, 10, true);
    /* The pings, each once more, and what goes instead of the answers. */
    assert_true(all_sent(server) <= (size_t)(kind + 1) * 136 + 2 * 2 * 4);
    close_server(server);
  }
}

static void nor_is_it_asked_for_blocks_beyond_its_due(void **state) {
  (void)state;
  struct server *server = open_with(3, 4);
  put_block(server, "t", 0, 5);
  assert_true(all_sent(server) <= 136);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 0);
  close_server(server);
}

static void a_verified_address_gets_its_burst_then(void **state) {
  (void)state;
  struct server *server = open_with(3, 4);
  get(server, 0, true);
  bare_out(server->bare);
  unsigned pings = 0;
  uint16_t mids[8];
  for (size_t i = 0; i < server->bare->sent_count; ++i)
    if (server->bare->sent[i].view.code == COPAL_EMPTY) mids[pings++] = server->bare->sent[i].view.message_id;
  assert_int_equal(pings, 2);
  for (unsigned i = 0; i < pings; ++i) bare_in(server->bare, "7000%04x", mids[i]);
  unsigned blocks = 0;
  for (int i = 0; i < 10; ++i) {
    bare_out(server->bare);
    blocks += (unsigned)server->bare->sent_count;
    server->bare->now += 100 * COPAL_MILLISECOND;
  }
  assert_int_equal(blocks, 9); /* the first one is small enough to go at once */
  close_server(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_block_without_tag_or_size_is_a_bad_request),
      cmocka_unit_test(a_block_that_does_not_fit_its_body_is_a_bad_request),
      cmocka_unit_test(a_body_keeps_its_size),
      cmocka_unit_test(q_block_and_block_options_do_not_go_together),
      cmocka_unit_test(two_q_block1_options_are_a_bad_option),
      cmocka_unit_test(a_reserved_size_and_blocks_out_of_order_are_bad_requests),
      cmocka_unit_test(a_group_is_not_asked_so),
      cmocka_unit_test(a_block_that_comes_again_is_answered_again),
      cmocka_unit_test(bodies_with_different_tags_are_different_bodies),
      cmocka_unit_test(an_answer_that_is_forgotten_is_not_made_anew),
      cmocka_unit_test(a_post_that_comes_again_is_not_executed_again),
      cmocka_unit_test(little_is_taken_for_what_is_announced),
      cmocka_unit_test(a_client_has_no_more_bodies_than_its_share),
      cmocka_unit_test(a_reset_to_a_list_deletes_the_body),
      cmocka_unit_test(what_has_no_size_and_is_not_kept_has_no_later_block),
      cmocka_unit_test(a_reset_stops_a_body),
      cmocka_unit_test(sets_go_on_at_their_pace_until_the_end),
      cmocka_unit_test(a_set_waits_for_room),
      cmocka_unit_test(long_tokens_get_one_block_at_a_time),
      cmocka_unit_test(an_address_that_is_not_verified_gets_no_burst),
      cmocka_unit_test(nor_is_it_asked_for_blocks_beyond_its_due),
      cmocka_unit_test(a_verified_address_gets_its_burst_then),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
