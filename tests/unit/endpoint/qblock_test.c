/* Q-Block transfers between two endpoints that lose nothing: what goes over the wire, as RFC 9177's figures show it,
 * and what becomes of bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pair.h"

enum { K = 1024 };

/* A server that knows the client's address already. */
static struct pair *open_known(void) {
  copal_config config = pair_config();
  config.amplification_max = 0;
  return pair_open_with(&config, &config);
}

static void fetched(struct pair *pair, size_t size, unsigned version) {
  assert_true(pair->talk->last);
  assert_int_equal(pair->talk->result.error, COPAL_OK);
  assert_int_equal(pair->talk->body_size, size);
  assert_int_equal(pair->talk->result.body_size, size);
  assert_body(pair->talk->body, 0, size, version);
}

static void stored(struct pair *pair, size_t size) {
  assert_true(pair->talk->last);
  assert_int_equal(pair->talk->result.error, COPAL_OK);
  assert_int_equal(pair->talk->code, COPAL_CHANGED);
  assert_int_equal(pair->stored_size, size);
  assert_body(pair->stored, 0, size, 0);
  assert_int_equal(pair->executed, 1);
}

static void get(struct pair *pair, const char *path) {
  pair_begin(pair, COPAL_GET, path, &(copal_call_options){.handler = NULL});
  pair_run(pair);
}

static void put(struct pair *pair, copal_code method, const char *path, size_t size) {
  pair->talk->source_size = size;
  pair_begin(pair, method, path, &(copal_call_options){.read = talk_read, .size = size});
  pair_run(pair);
}

/* --- What goes over the wire ---------------------------------------------------------------------- */

/* RFC 9177 4.1: "it is therefore REQUIRED that clients use a Confirmable message for determining support for the
 * Q-Block1 and Q-Block2 options." */
static void a_get_asks_for_sets_once_the_server_is_known_to_know_them(void **state) {
  (void)state;
  struct pair *pair = open_known();
  pair_set_body(pair, 11 * K, 1);
  get(pair, "get");
  assert_string_equal(pair->log,
                      "-> CON GET QB2:0/0/1024\n"
                      "<- ACK 2.05 QB2:0/1/1024\n"
                      "-> NON GET QB2:1/1/1024\n"
                      "<- NON 2.05 QB2:1/1/1024\n"
                      "<- NON 2.05 QB2:2/1/1024\n"
                      "<- NON 2.05 QB2:3/1/1024\n"
                      "<- NON 2.05 QB2:4/1/1024\n"
                      "<- NON 2.05 QB2:5/1/1024\n"
                      "<- NON 2.05 QB2:6/1/1024\n"
                      "<- NON 2.05 QB2:7/1/1024\n"
                      "<- NON 2.05 QB2:8/1/1024\n"
                      "<- NON 2.05 QB2:9/1/1024\n"
                      "-> NON GET QB2:10/1/1024\n"
                      "<- NON 2.05 QB2:10/0/1024\n");
  fetched(pair, 11 * K, 1);
  assert_int_equal(pair->gets, 1); /* the handler's body is kept */
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* RFC 9177 Figure 3, but for the first message. */
static void a_put_waits_for_2_31_after_each_set(void **state) {
  (void)state;
  struct pair *pair = open_known();
  put(pair, COPAL_PUT, "put", 11 * K - 1);
  assert_string_equal(pair->log,
                      "-> CON PUT QB1:0/1/1024 QB2:0/1/1024\n"
                      "<- ACK 0.00\n"
                      "-> NON PUT QB1:1/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:2/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:3/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:4/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:5/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:6/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:7/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:8/1/1024 QB2:0/1/1024\n"
                      "-> NON PUT QB1:9/1/1024 QB2:0/1/1024\n"
                      "<- NON 2.31 QB1:9/1/1024\n"
                      "-> NON PUT QB1:10/0/1024 QB2:0/1/1024\n"
                      "<- NON 2.04\n");
  stored(pair, 11 * K - 1);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* RFC 9177 Figure 11, without Observe. */
static void a_fetch_has_both_bodies_in_blocks(void **state) {
  (void)state;
  struct pair *pair = open_known();
  pair_set_body(pair, 3 * K + 1, 1);
  put(pair, COPAL_FETCH, "post", 2 * K + 1);
  assert_string_equal(pair->log,
                      "-> CON FETCH QB1:0/1/1024 QB2:0/1/1024\n"
                      "<- ACK 0.00\n"
                      "-> NON FETCH QB1:1/1/1024 QB2:0/1/1024\n"
                      "-> NON FETCH QB1:2/0/1024 QB2:0/1/1024\n"
                      "<- NON 2.04 QB2:0/1/1024\n"
                      "<- NON 2.04 QB2:1/1/1024\n"
                      "<- NON 2.04 QB2:2/1/1024\n"
                      "<- NON 2.04 QB2:3/0/1024\n");
  fetched(pair, 3 * K + 1, 1);
  stored(pair, 2 * K + 1);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* RFC 9177 4.3: "The Request-Tag value MUST be the same for all of the requests for the body of data that is being
 * transferred", and RFC 9177 4.6: "The Size1 option MUST be … present in all payloads of the request". RFC 9177
 * 4.3: "When the Q-Block1 option is used, the client MUST include a Request-Tag option". */
static void tags_sizes_tokens_and_etags_are_as_they_must_be(void **state) {
  (void)state;
  struct pair *pair = open_known();
  struct talk *talk = pair->talk;
  talk->source_size = 3 * K;
  pair_begin(pair, COPAL_PUT, "put", &(copal_call_options){.read = talk_read, .size = 3 * K});
  pair_carry(pair, true);
  pair_carry(pair, false);
  bare_out(talk->bare);
  assert_int_equal(talk->bare->sent_count, 2);
  copal_option tags[2];
  for (int i = 0; i < 2; ++i) {
    const copal_view *view = &talk->bare->sent[i].view;
    assert_int_equal(view->type, COPAL_NON);
    assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE1, 0), 3 * K);
    assert_true(copal_find(view, COPAL_OPTION_REQUEST_TAG, &tags[i]));
    assert_int_equal(view->token.size, 8);
  }
  assert_int_equal(tags[0].size, tags[1].size);
  assert_memory_equal(tags[0].value, tags[1].value, tags[0].size);
  /* RFC 9177 6: "keeping the bottom 32 bits the same for the same body and the upper 32 bits containing the current
   * body's request number (incrementing every request …)" */
  const uint8_t *first = talk->bare->sent[0].view.token.data, *second = talk->bare->sent[1].view.token.data;
  assert_memory_equal(first + 4, second + 4, 4);
  assert_int_equal(second[3], first[3] + 1);
  pair_close(pair);
}

/* RFC 9177 4.4: "The payloads sent back from the server as a response MUST all have the same ETag … for the same
 * body." */
static void blocks_of_one_response_have_one_etag_and_its_size(void **state) {
  (void)state;
  static const char *const paths[] = {"get", "read"};
  for (int i = 0; i < 2; ++i) {
    struct pair *pair = open_known();
    pair_set_body(pair, 4 * K + 7, 1);
    pair_begin(pair, COPAL_GET, paths[i], &(copal_call_options){.handler = NULL});
    pair_carry(pair, true);
    bare_out(pair->server);
    copal_option etag, other;
    assert_true(copal_find(&pair->server->sent[0].view, COPAL_OPTION_ETAG, &etag));
    uint8_t value[8];
    memcpy(value, etag.value, 8);
    copal_path path = bare_path(BARE_PORT);
    bare_in_bytes(pair->talk->bare, &path, pair->server->sent[0].bytes, pair->server->sent[0].size);
    pair_carry(pair, true);
    bare_out(pair->server);
    assert_int_equal(pair->server->sent_count, 4);
    for (int k = 0; k < 4; ++k) {
      const copal_view *view = &pair->server->sent[k].view;
      assert_int_equal(view->type, COPAL_NON);
      assert_true(copal_find(view, COPAL_OPTION_ETAG, &other));
      assert_int_equal(other.size, 8);
      assert_memory_equal(other.value, value, 8);
      assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 4 * K + 7);
      if (i == 0) assert_int_equal(copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, 0), COPAL_OCTET_STREAM);
    }
    pair_close(pair);
  }
}

/* --- Bodies ------------------------------------------------------------------------------------------ */

static void bodies_of_all_sizes_around_blocks_and_sets_arrive(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 1023, 1024, 1025, 2048, 10239, 10240, 10241, 20480, 20481, 65536};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    struct pair *pair = pair_open();
    pair_set_body(pair, sizes[i], 2);
    get(pair, "get");
    fetched(pair, sizes[i], 2);
    get(pair, "read");
    fetched(pair, sizes[i], 2);
    put(pair, COPAL_PUT, "put", sizes[i]);
    stored(pair, sizes[i]);
    pair->executed = 0;
    put(pair, COPAL_PUT, "parts", sizes[i]);
    stored(pair, sizes[i]);
    assert_pair_is_idle(pair);
    pair_close(pair);
  }
}

static void small_bodies_take_one_exchange(void **state) {
  (void)state;
  struct pair *pair = open_known();
  pair_set_body(pair, 100, 1);
  get(pair, "get");
  assert_string_equal(pair->log, "-> CON GET QB2:0/0/1024\n<- ACK 2.05 QB2:0/0/1024\n");
  fetched(pair, 100, 1);
  assert_int_equal(pair->talk->result.exchanges, 1);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

static void a_writer_takes_its_bytes_in_order_whatever_comes_first(void **state) {
  (void)state;
  for (int reversed = 0; reversed < 2; ++reversed) {
    struct pair *pair = pair_open();
    pair_set_body(pair, 23 * K + 3, 1);
    pair->is_reversed = reversed != 0;
    pair_begin(pair, COPAL_GET, "get", &(copal_call_options){.write = talk_write});
    pair_run(pair);
    assert_int_equal(pair->talk->result.error, COPAL_OK);
    assert_int_equal(pair->talk->taken_size, 23 * K + 3);
    assert_int_equal(pair->talk->result.body_size, 23 * K + 3);
    assert_int_equal(pair->talk->taken_from_start, 1);
    assert_body(pair->talk->taken, 0, 23 * K + 3, 1);
    assert_pair_is_idle(pair);
    pair_close(pair);
  }
}

static void blocks_may_come_in_reverse(void **state) {
  (void)state;
  struct pair *pair = pair_open();
  pair_set_body(pair, 23 * K + 3, 1);
  pair->is_reversed = true;
  get(pair, "get");
  fetched(pair, 23 * K + 3, 1);
  put(pair, COPAL_PUT, "put", 23 * K + 3);
  stored(pair, 23 * K + 3);
  pair->executed = 0;
  put(pair, COPAL_PUT, "parts", 23 * K + 3);
  stored(pair, 23 * K + 3);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

static void smaller_blocks_are_used_where_they_are_wanted(void **state) {
  (void)state;
  struct pair *pair = open_known();
  pair_set_body(pair, 500, 1);
  pair->talk->source_size = 300;
  pair_begin(pair, COPAL_FETCH, "post", &(copal_call_options){.read = talk_read, .size = 300, .block_size = 128});
  pair_run(pair);
  assert_non_null(strstr(pair->log, "-> NON FETCH QB1:2/0/128 QB2:0/1/128\n<- NON 2.04 QB2:0/1/128\n"));
  fetched(pair, 500, 1);
  stored(pair, 300);
  pair_close(pair);
}

/* All tables as small as a microcontroller's. */
static void small_endpoints_do_it_with_what_they_have(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.body_size_max = 4096;
  config.bodies_size = 8192;
  struct pair *pair = pair_open_with(&config, &config);
  pair_set_body(pair, 3000, 1);
  get(pair, "get");
  fetched(pair, 3000, 1);
  put(pair, COPAL_PUT, "put", 3000);
  stored(pair, 3000);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

enum { CALLS = 3 };

static void count_good_end(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct pair *pair = context;
  assert_int_equal(result->error, COPAL_OK);
  assert_true(result->last);
  if (++pair->talk->count == CALLS) pair->talk->last = true;
}

static void begin_one_of_several(struct pair *pair, copal_code method, const char *path, copal_call_options options) {
  uint8_t buffer[64];
  copal_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  options.message = &message;
  options.remote = &remote;
  options.handler = count_good_end;
  options.context = pair;
  options.body_context = pair->talk;
  options.q_block = true;
  assert_int_equal(copal_call_begin(pair->talk->bare->endpoint, &options, NULL), COPAL_OK);
}

/* Two of them fetch the same. */
static void several_transfers_go_on_at_once(void **state) {
  (void)state;
  copal_config config = pair_config();
  config.calls_max = CALLS;
  struct pair *pair = pair_open_with(&config, &config);
  pair_set_body(pair, 23 * K, 1);
  pair->talk->source_size = 17 * K;
  uint8_t *buffer = pair->talk->buffer;
  begin_one_of_several(pair, COPAL_GET, "get", (copal_call_options){.buffer = buffer, .capacity = 24 * K});
  begin_one_of_several(pair, COPAL_GET, "get", (copal_call_options){.buffer = buffer + 24 * K, .capacity = 24 * K});
  begin_one_of_several(pair, COPAL_PUT, "put", (copal_call_options){.read = talk_read, .size = 17 * K});
  pair_run(pair);
  assert_int_equal(pair->talk->count, CALLS);
  assert_body(buffer, 0, 23 * K, 1);
  assert_body(buffer + 24 * K, 0, 23 * K, 1);
  assert_int_equal(pair->stored_size, 17 * K);
  assert_body(pair->stored, 0, 17 * K, 0);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* --- Answers that come late ----------------------------------------------------------------------------- */

static void run_until_deferred(struct pair *pair) {
  pair_run_for(pair, 5 * COPAL_SECOND);
  assert_false(pair->talk->last);
  assert_int_equal(pair->executed, 1);
}

static void reply_late(struct pair *pair, size_t size) {
  uint8_t buffer[16 * K], body[12 * K];
  copal_message message;
  assert_true(size <= sizeof body);
  talk_fill(body, 0, size, 5);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_NON, COPAL_CHANGED);
  copal_message_set_payload(&message, body, size);
  assert_int_equal(copal_deferred_reply(pair->server->endpoint, pair->deferred, &message), COPAL_OK);
}

static void a_handler_may_answer_a_body_later(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 10, 5 * K + 1, 11 * K + 1};
  for (int i = 0; i < 4; ++i) {
    struct pair *pair = open_known();
    pair->defers = true;
    pair->talk->source_size = 3 * K;
    pair_begin(pair, COPAL_POST, "put", &(copal_call_options){.read = talk_read, .size = 3 * K});
    run_until_deferred(pair);
    reply_late(pair, sizes[i]);
    pair_run(pair);
    fetched(pair, sizes[i], 5);
    stored(pair, 3 * K);
    assert_pair_is_idle(pair);
    pair_close(pair);
  }
}

static bool loses_changed(struct pair *pair, const copal_view *view, bool to_server) {
  (void)to_server;
  if (view->code != COPAL_CHANGED || pair->lose_more > 0) return false;
  pair->lose_more = 1; /* once */
  return true;
}

/* RFC 9177 4.3: the server "MUST still respond as if the block was received for the first time". */
static void a_late_answer_that_is_lost_comes_again_and_nothing_is_done_twice(void **state) {
  (void)state;
  struct pair *pair = open_known();
  pair->defers = true;
  pair->loses = loses_changed;
  pair->talk->source_size = 3 * K;
  pair_begin(pair, COPAL_POST, "put", &(copal_call_options){.read = talk_read, .size = 3 * K});
  run_until_deferred(pair);
  reply_late(pair, 10);
  pair_run(pair);
  fetched(pair, 10, 5);
  assert_int_equal(pair->executed, 1);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* --- Where it is not to be had --------------------------------------------------------------------------- */

static void a_body_that_cannot_be_kept_goes_block_by_block(void **state) {
  (void)state;
  static const char *const paths[] = {"get", "read"};
  for (int i = 0; i < 2; ++i) {
    copal_config config = pair_config();
    config.body_size_max = 4096;
    config.bodies_size = 8192;
    struct pair *pair = pair_open_with(&config, &config);
    pair_set_body(pair, 5 * K, 1);
    get(pair, paths[i]);
    assert_non_null(strstr(pair->log, "2.05 B2:0/1/1024"));
    assert_non_null(strstr(pair->log, "-> CON GET B2:4/0/1024"));
    fetched(pair, 5 * K, 1);
    assert_pair_is_idle(pair);
    pair_close(pair);
  }
}

static void a_body_that_is_too_large_is_refused_at_once(void **state) {
  (void)state;
  copal_config config = pair_config();
  config.body_size_max = 4096;
  config.bodies_size = 8192;
  struct pair *pair = pair_open_with(&config, &config);
  put(pair, COPAL_PUT, "put", 4097);
  assert_int_equal(pair->talk->result.error, COPAL_OK);
  assert_int_equal(pair->talk->code, COPAL_REQUEST_ENTITY_TOO_LARGE);
  assert_int_equal(copal_endpoint_usage(pair->server->endpoint).transfers, 0);
  put(pair, COPAL_PUT, "put", 4096);
  stored(pair, 4096);
  pair_close(pair);
}

/* RFC 9177 4.1: a server without either option answers 4.02. And: "A CoAP endpoint (or proxy) MUST support either
 * both or neither of the Q-Block1 and Q-Block2 options." */
static void a_server_without_transfers_has_no_q_block(void **state) {
  (void)state;
  copal_config client = pair_config(), server = pair_config();
  server.transfers_max = 0;
  struct pair *pair = pair_open_with(&client, &server);
  pair_set_body(pair, 5 * K, 1);
  get(pair, "get");
  assert_non_null(strstr(pair->log, "-> CON GET QB2:0/0/1024\n<- ACK 4.02\n-> CON GET\n"));
  assert_non_null(strstr(pair->log, "-> CON GET B2:4/0/1024"));
  fetched(pair, 5 * K, 1);
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* Who sends and who fetches is busy as long as that goes on; then he makes room for others. */
static void a_peer_whose_transfers_are_over_makes_room(void **state) {
  (void)state;
  static const uint8_t empty_get[] = {0x40, COPAL_GET, 0x12, 0x34};
  copal_config client = pair_config(), server = pair_config();
  server.amplification_max = 0;
  server.peers_max = 1;
  struct pair *pair = pair_open_with(&client, &server);
  pair_set_body(pair, 11 * K, 1);
  put(pair, COPAL_PUT, "put", 11 * K - 1);
  stored(pair, 11 * K - 1);
  get(pair, "get");
  fetched(pair, 11 * K, 1);
  assert_pair_is_idle(pair);
  copal_path stranger = bare_path(PAIR_CLIENT_PORT + 1);
  bare_in_bytes(pair->server, &stranger, empty_get, sizeof empty_get);
  assert_int_equal(bare_out_one(pair->server)->view.code, COPAL_NOT_FOUND);
  assert_int_equal(copal_endpoint_counters(pair->server->endpoint)->peers_full, 0);
  assert_int_equal(copal_endpoint_counters(pair->server->endpoint)->peers_evicted, 1);
  pair_close(pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_get_asks_for_sets_once_the_server_is_known_to_know_them),
      cmocka_unit_test(a_put_waits_for_2_31_after_each_set),
      cmocka_unit_test(a_fetch_has_both_bodies_in_blocks),
      cmocka_unit_test(tags_sizes_tokens_and_etags_are_as_they_must_be),
      cmocka_unit_test(blocks_of_one_response_have_one_etag_and_its_size),
      cmocka_unit_test(bodies_of_all_sizes_around_blocks_and_sets_arrive),
      cmocka_unit_test(small_bodies_take_one_exchange),
      cmocka_unit_test(a_writer_takes_its_bytes_in_order_whatever_comes_first),
      cmocka_unit_test(blocks_may_come_in_reverse),
      cmocka_unit_test(smaller_blocks_are_used_where_they_are_wanted),
      cmocka_unit_test(small_endpoints_do_it_with_what_they_have),
      cmocka_unit_test(several_transfers_go_on_at_once),
      cmocka_unit_test(a_handler_may_answer_a_body_later),
      cmocka_unit_test(a_late_answer_that_is_lost_comes_again_and_nothing_is_done_twice),
      cmocka_unit_test(a_body_that_cannot_be_kept_goes_block_by_block),
      cmocka_unit_test(a_body_that_is_too_large_is_refused_at_once),
      cmocka_unit_test(a_server_without_transfers_has_no_q_block),
      cmocka_unit_test(a_peer_whose_transfers_are_over_makes_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
