/* What a server does about Q-Block transfers when tokens are long, conditions fail, nothing can be sent, or blocks are
 * asked for beside an observation. RFC 9177 sections 4 and 7.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/qserver.h"
#include "support/spent.h"

static copal_usage usage(const struct server *server) { return copal_endpoint_usage(server->bare->endpoint); }

static void get_blocks(struct server *server, uint32_t number, bool more, uint8_t szx, size_t token_size) {
  static const uint8_t token[16] = {9, 8, 7};
  struct writing writing;
  copal_message *message = begin(server, &writing, COPAL_NON, COPAL_GET);
  copal_message_set_token(message, token, token_size);
  add_block(message, COPAL_OPTION_Q_BLOCK2, number, more, szx);
  send(server, &writing);
}

static uint32_t number_of(const copal_view *view) {
  return copal_block_of(copal_find_uint(view, COPAL_OPTION_Q_BLOCK2, UINT32_MAX)).number;
}

static void assert_set(const struct server *server, uint32_t first) {
  assert_int_equal(server->bare->sent_count, 10);
  for (uint32_t i = 0; i < 10; ++i) assert_int_equal(number_of(&server->bare->sent[i].view), first + i);
}

/* --- Continue ------------------------------------------------------------------------------------------------ */

/* RFC 9177 4.4: a 'Continue' is also "a request for that block and for all of the remaining blocks in the current
 * MAX_PAYLOADS_SET". Under a token that is too long to be kept that block goes, and no others. */
static void a_continue_with_a_token_that_cannot_be_kept_gets_its_block(void **state) {
  (void)state;
  struct server *server = open_server();
  get_blocks(server, 0, false, 0, 4);
  assert_int_equal(answer(server), COPAL_CONTENT);
  get_blocks(server, 10, true, 0, 8);
  bare_out(server->bare);
  assert_set(server, 10);
  server->bare->now += 300 * COPAL_SECOND;
  bare_out(server->bare);
  get_blocks(server, 0, false, 0, 4);
  assert_int_equal(answer(server), COPAL_CONTENT);
  for (uint32_t number = 10; number < 50; number += 10) {
    get_blocks(server, number, true, 0, 9);
    const copal_view *view = &bare_out_one(server->bare)->view;
    assert_int_equal(view->token.size, 9);
    assert_int_equal(number_of(view), number);
  }
  assert_int_equal(server->executed, 2);
  close_server(server);
}

/* Of the whole the blocks have the first request's token, whatever its size. */
static void a_continue_of_the_whole_keeps_the_first_token(void **state) {
  (void)state;
  struct server *server = open_server();
  get_blocks(server, 0, true, 0, 12);
  bare_out(server->bare);
  assert_set(server, 0);
  get_blocks(server, 10, true, 0, 14);
  bare_out(server->bare);
  assert_set(server, 10);
  for (size_t i = 0; i < 10; ++i) assert_int_equal(server->bare->sent[i].view.token.size, 12);
  close_server(server);
}

static void a_continue_behind_the_end_is_a_bad_request(void **state) {
  (void)state;
  struct server *server = open_server();
  get_blocks(server, 0, false, 0, 4);
  assert_int_equal(answer(server), COPAL_CONTENT);
  get_blocks(server, 50, true, 0, 4);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  close_server(server);
}

static void handle_much(copal_request *request, void *context) {
  static const uint8_t much[12000];
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, much, sizeof much);
}

/* Messages of 256 bytes hold none of 1,024: nothing goes, now or later. */
static void a_continue_in_blocks_that_no_message_holds_is_in_vain(void **state) {
  (void)state;
  copal_config config = qserver_config(0, 4);
  config.body_size_max = 16384;
  struct server *server = open_configured(&config);
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_FETCH, "/a", handle_much, NULL), COPAL_OK);
  struct writing writing;
  copal_message *message = begin(server, &writing, COPAL_NON, COPAL_FETCH);
  add_block(message, COPAL_OPTION_Q_BLOCK2, 0, false, 0);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_CONTENT);
  add_block(begin(server, &writing, COPAL_NON, COPAL_FETCH), COPAL_OPTION_Q_BLOCK2, 10, true, 6);
  send(server, &writing);
  for (int i = 0; i < 10; ++i, server->bare->now += COPAL_SECOND) assert_silent(server);
  assert_int_equal(usage(server).exchanges, 0);
  server->bare->now += 300 * COPAL_SECOND;
  assert_silent(server);
  assert_int_equal(usage(server).transfers, 0);
  close_server(server);
}

/* --- Nothing can be sent --------------------------------------------------------------------------------------- */

static void begin_whole(struct server *server) {
  get_blocks(server, 0, true, 0, 4);
  bare_out(server->bare);
  assert_set(server, 0);
}

/* The next set is due 2 to 3 s later. */
static void a_burst_waits_for_room_for_its_messages(void **state) {
  (void)state;
  struct server *server = open_server();
  begin_whole(server);
  struct spent spent;
  server->bare->now += 3 * COPAL_SECOND;
  endpoint_release(server->bare->endpoint, COPAL_NEVER);
  spend_store(&spent, &server->bare->endpoint->engine.exchanges.store);
  assert_silent(server);
  assert_true(copal_endpoint_deadline(server->bare->endpoint) > server->bare->now);
  give_all_back(&spent);
  server->bare->now += COPAL_SECOND / 64;
  bare_out(server->bare);
  assert_set(server, 10);
  close_server(server);
}

static void a_burst_waits_for_message_ids(void **state) {
  (void)state;
  struct server *server = open_server();
  begin_whole(server);
  spend_message_ids(server->bare->endpoint, 0);
  server->bare->now += 3 * COPAL_SECOND;
  assert_silent(server);
  server->bare->now += 240 * COPAL_SECOND;
  assert_silent(server);
  assert_int_equal(usage(server).transfers, 1);
  server->bare->now += 10 * COPAL_SECOND;
  bare_out(server->bare);
  assert_set(server, 10);
  close_server(server);
}

/* --- Blocks of a request ------------------------------------------------------------------------------------------ */

static void a_list_that_cannot_be_sent_is_sent_later(void **state) {
  (void)state;
  struct server *server = open_server();
  put_block(server, "t", 0, 5);
  assert_silent(server);
  spend_message_ids(server->bare->endpoint, 0);
  server->bare->now += 4 * COPAL_SECOND;
  assert_silent(server);
  assert_int_equal(copal_endpoint_counters(server->bare->endpoint)->outbox_full, 1);
  server->bare->endpoint->engine.peers.records[0].next_mid = 1;
  server->bare->now += 8 * COPAL_SECOND;
  assert_int_equal(answer(server), COPAL_REQUEST_ENTITY_INCOMPLETE);
  close_server(server);
}

/* RFC 9175 2.4: amplification. A list is told again and again, so it counts as often. */
static void a_list_that_would_be_told_often_waits_for_its_address_to_be_verified(void **state) {
  (void)state;
  copal_config config = qserver_config(3, 4);
  config.parameters.max_retransmit = 10;
  struct server *server = open_configured(&config);
  put_block(server, "t", 0, 30);
  assert_silent(server);
  server->bare->now += 4 * COPAL_SECOND;
  bare_out(server->bare);
  assert_int_equal(server->bare->sent_count, 2);
  uint16_t mids[2];
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(server->bare->sent[i].view.code, COPAL_EMPTY);
    assert_int_equal(server->bare->sent[i].view.type, COPAL_CON);
    mids[i] = server->bare->sent[i].view.message_id;
  }
  for (int i = 0; i < 2; ++i) bare_in(server->bare, "7000%04x", mids[i]);
  assert_silent(server);
  server->bare->now += 8 * COPAL_SECOND;
  assert_int_equal(answer(server), COPAL_REQUEST_ENTITY_INCOMPLETE);
  close_server(server);
}

static void without_a_token_that_is_kept_no_list_is_told(void **state) {
  (void)state;
  struct server *server = open_server();
  static const uint8_t token[9] = {1}, payload[BLOCK];
  struct writing writing;
  copal_message *message = begin(server, &writing, COPAL_NON, COPAL_PUT);
  copal_message_set_token(message, token, sizeof token);
  add_block(message, COPAL_OPTION_Q_BLOCK1, 0, true, 0);
  copal_message_add_uint(message, COPAL_OPTION_SIZE1, 5 * BLOCK);
  copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, "t");
  copal_message_set_payload(message, payload, sizeof payload);
  send(server, &writing);
  for (int i = 0; i < 130; ++i, server->bare->now += COPAL_SECOND) assert_silent(server);
  assert_int_equal(usage(server).transfers, 0); /* discarded, as if it had been asked for in vain */
  close_server(server);
}

static void a_body_keeps_the_size_of_its_blocks(void **state) {
  (void)state;
  struct server *server = open_server();
  static const uint8_t payload[32];
  struct writing writing;
  put_block(server, "t", 0, 4);
  assert_silent(server);
  copal_message *message = begin(server, &writing, COPAL_NON, COPAL_PUT);
  add_block(message, COPAL_OPTION_Q_BLOCK1, 1, false, 1);
  copal_message_add_uint(message, COPAL_OPTION_SIZE1, 4 * BLOCK);
  copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, "t");
  copal_message_set_payload(message, payload, sizeof payload);
  send(server, &writing);
  assert_int_equal(answer(server), COPAL_BAD_REQUEST);
  for (uint32_t number = 1; number < 4; ++number) put_block(server, "t", number, 4);
  bare_out(server->bare);
  assert_int_equal(server->executed, 1);
  close_server(server);
}

static size_t version(copal_request *request, uint8_t etag[8], void *context) {
  (void)request, (void)context;
  etag[0] = 1;
  return 1;
}

/* RFC 7252 5.10.8.2: what exists is not to be overwritten; and its blocks are not kept. */
static void a_body_whose_condition_does_not_hold_is_dropped(void **state) {
  (void)state;
  struct server *server = open_server();
  assert_int_equal(copal_route_version(server->bare->endpoint, "/a", version, NULL), COPAL_OK);
  for (uint32_t number = 0; number < 2; ++number) {
    static const uint8_t payload[BLOCK];
    struct writing writing;
    copal_message *message = begin(server, &writing, COPAL_NON, COPAL_PUT);
    copal_message_add(message, COPAL_OPTION_IF_NONE_MATCH, NULL, 0);
    add_block(message, COPAL_OPTION_Q_BLOCK1, number, number == 0, 0);
    copal_message_add_uint(message, COPAL_OPTION_SIZE1, 2 * BLOCK);
    copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, "t");
    copal_message_set_payload(message, payload, sizeof payload);
    send(server, &writing);
    if (number == 0) assert_silent(server);
  }
  assert_int_equal(answer(server), COPAL_PRECONDITION_FAILED);
  assert_int_equal(server->executed, 0);
  put_block(server, "t", 0, 2); /* again: its answer is kept */
  assert_int_equal(answer(server), COPAL_PRECONDITION_FAILED);
  assert_int_equal(usage(server).transfers, 1);
  close_server(server);
}

/* The contract, 10: a request that cannot be remembered "is then answered 5.03 … rather than risk being executed
 * twice". What was remembered when a slow body began has been forgotten. */
static void a_slow_post_that_cannot_be_remembered_is_not_executed(void **state) {
  (void)state;
  copal_config config = qserver_config(0, 4);
  config.peer_replies_max = 1;
  struct server *server = open_configured(&config);
  static const copal_time times[] = {0, 200, 200};
  for (int i = 0; i < 3; ++i) {
    server->bare->now += times[i] * COPAL_SECOND;
    send_block(server, COPAL_NON, COPAL_POST, "t", 0, true, 2 * BLOCK, BLOCK);
    copal_endpoint_deadline(server->bare->endpoint);
  }
  send_block(server, COPAL_NON, COPAL_POST, "t", 1, false, 2 * BLOCK, BLOCK);
  assert_int_equal(answer(server), COPAL_SERVICE_UNAVAILABLE);
  assert_int_equal(server->executed, 0);
  assert_int_equal(usage(server).transfers, 0);
  assert_int_equal(usage(server).bodies_size, 0);
  close_server(server);
}

/* --- Beside observations ---------------------------------------------------------------------------------------------
 */

static void observe(struct server *server, copal_message *message) {
  copal_message_add_uint(message, COPAL_OPTION_OBSERVE, 0);
  assert_int_equal(copal_route_observable(server->bare->endpoint, "/a", 0), COPAL_OK);
}

/* RFC 9177 4.5: "If a missing payload is requested by a client, then both the request and response MUST NOT include the
 * Observe option." */
static void who_asks_for_a_missing_block_does_not_register(void **state) {
  (void)state;
  struct server *server = open_server();
  struct writing writing;
  for (uint32_t number = 0; number < 4; number += 3) {
    copal_message *message = begin(server, &writing, COPAL_NON, COPAL_GET);
    observe(server, message);
    add_block(message, COPAL_OPTION_Q_BLOCK2, number, false, 0);
    send(server, &writing);
    copal_option option;
    const copal_view *view = &bare_out_one(server->bare)->view;
    assert_int_equal(view->code, COPAL_CONTENT);
    assert_int_equal(copal_find(view, COPAL_OPTION_OBSERVE, &option), number == 0);
    assert_int_equal(usage(server).observers, 1); /* the earlier one stays */
  }
  close_server(server);
}

/* What is not answered yet registers nobody. */
static void a_block_of_a_request_s_body_does_not_register(void **state) {
  (void)state;
  struct server *server = open_server();
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_FETCH, "/a", handle, server), COPAL_OK);
  for (uint32_t number = 0; number < 2; ++number) {
    static const uint8_t payload[BLOCK];
    struct writing writing;
    copal_message *message = begin(server, &writing, COPAL_NON, COPAL_FETCH);
    observe(server, message);
    add_block(message, COPAL_OPTION_Q_BLOCK1, number, number == 0, 0);
    copal_message_add_uint(message, COPAL_OPTION_SIZE1, 2 * BLOCK);
    copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, "t");
    copal_message_set_payload(message, payload, sizeof payload);
    send(server, &writing);
    if (number == 0) assert_silent(server);
    assert_int_equal(usage(server).observers, number);
  }
  bare_out(server->bare);
  assert_int_equal(server->executed, 1);
  close_server(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_continue_with_a_token_that_cannot_be_kept_gets_its_block),
      cmocka_unit_test(a_continue_of_the_whole_keeps_the_first_token),
      cmocka_unit_test(a_continue_behind_the_end_is_a_bad_request),
      cmocka_unit_test(a_continue_in_blocks_that_no_message_holds_is_in_vain),
      cmocka_unit_test(a_burst_waits_for_room_for_its_messages),
      cmocka_unit_test(a_burst_waits_for_message_ids),
      cmocka_unit_test(a_list_that_cannot_be_sent_is_sent_later),
      cmocka_unit_test(a_list_that_would_be_told_often_waits_for_its_address_to_be_verified),
      cmocka_unit_test(without_a_token_that_is_kept_no_list_is_told),
      cmocka_unit_test(a_body_keeps_the_size_of_its_blocks),
      cmocka_unit_test(a_body_whose_condition_does_not_hold_is_dropped),
      cmocka_unit_test(a_slow_post_that_cannot_be_remembered_is_not_executed),
      cmocka_unit_test(who_asks_for_a_missing_block_does_not_register),
      cmocka_unit_test(a_block_of_a_request_s_body_does_not_register),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
