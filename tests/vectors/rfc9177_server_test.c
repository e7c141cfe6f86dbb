/* The figures of RFC 9177 section 10, with a client that is written by hand: M, T, RT and the blocks are the figures',
 * blocks have 16 bytes. Tokens of two bytes are the figures' one byte and a zero. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

enum { BLOCK = 16, NONE = -1, TEXT_MAX = 4096 };

struct server {
  struct bare *bare;
  uint8_t body[64 * BLOCK];
  size_t body_size;
  uint8_t stored[64 * BLOCK];
  size_t stored_size;
  unsigned executed;
  char text[TEXT_MAX];
};

static void handle(copal_request *request, void *context) {
  struct server *server = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  ++server->executed;
  server->stored_size = payload.size;
  if (payload.size > 0) memcpy(server->stored, payload.data, payload.size);
  copal_code code = copal_request_rx(request)->message.code == COPAL_PUT ? COPAL_CHANGED : COPAL_CONTENT;
  copal_reply(request, code, COPAL_FORMAT_NONE, server->body, server->body_size);
}

static struct server *open_server(size_t body_size) {
  copal_config config = copal_config_small();
  config.exchanges_max = 32;
  config.messages_size = 16 << 10;
  config.replies_size = 16 << 10;
  config.body_size_max = 4096;
  config.bodies_size = 16 << 10;
  config.transfers_max = 4;
  config.peer_transfers_max = 4;
  config.outbox_max = 16;
  config.amplification_max = 0;
  struct server *server = calloc(1, sizeof *server);
  server->bare = bare_open(&config);
  server->body_size = body_size;
  for (size_t i = 0; i < sizeof server->body; ++i) server->body[i] = (uint8_t)(i / BLOCK + 1);
  static const copal_code methods[] = {COPAL_GET, COPAL_PUT, COPAL_FETCH, COPAL_POST};
  for (int i = 0; i < 4; ++i)
    assert_int_equal(copal_route(server->bare->endpoint, methods[i], "/path", handle, server), COPAL_OK);
  return server;
}

static void close_server(struct server *server) {
  bare_close(server->bare);
  free(server);
}

/* --- The client -------------------------------------------------------------------------------------- */

struct ask {
  copal_type type;
  copal_code method;
  uint16_t mid;
  uint8_t token;
  int tag;
  int qb1, more; /* a block of a body, and whether others follow */
  uint32_t size1;
  int qb2[4]; /* number * 2 + M, up to the first NONE */
};

static void add_block(copal_message *message, uint16_t number, int block, int more) {
  copal_message_add_uint(message, number, copal_block_value((copal_block){(uint32_t)block, more != 0, 0}));
}

static void send(struct server *server, const struct ask *ask) {
  uint8_t buffer[256], token[2] = {ask->token, 0}, tag = (uint8_t)ask->tag, payload[BLOCK];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, ask->type, (uint8_t)ask->method);
  buffer[2] = (uint8_t)(ask->mid >> 8);
  buffer[3] = (uint8_t)ask->mid;
  copal_message_set_token(&message, token, sizeof token);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "path");
  if (ask->tag != NONE) copal_message_add(&message, COPAL_OPTION_REQUEST_TAG, &tag, 1);
  if (ask->qb1 != NONE) {
    add_block(&message, COPAL_OPTION_Q_BLOCK1, ask->qb1, ask->more);
    copal_message_add_uint(&message, COPAL_OPTION_SIZE1, ask->size1);
    memset(payload, ask->qb1 + 1, sizeof payload);
    copal_message_set_payload(&message, payload, sizeof payload);
  }
  for (int i = 0; i < 4 && ask->qb2[i] != NONE; ++i)
    add_block(&message, COPAL_OPTION_Q_BLOCK2, ask->qb2[i] / 2, ask->qb2[i] % 2);
  assert_int_equal(message.error, COPAL_OK);
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(server->bare, &path, buffer, message.size);
}

/* A block of a body of so many. */
static void put(struct server *server, copal_code method, uint16_t mid, uint8_t token, int tag, int number, int count) {
  send(server, &(struct ask){.type = COPAL_NON,
                             .method = method,
                             .mid = mid,
                             .token = token,
                             .tag = tag,
                             .qb1 = number,
                             .more = number < count - 1,
                             .size1 = (uint32_t)count * BLOCK,
                             .qb2 = {NONE}});
}

static void get(struct server *server, uint16_t mid, uint8_t token, int first, int second) {
  send(server, &(struct ask){.type = COPAL_NON,
                             .method = COPAL_GET,
                             .mid = mid,
                             .token = token,
                             .tag = NONE,
                             .qb1 = NONE,
                             .qb2 = {first, second, NONE}});
}

enum { M = 1 };
#define QB2(number) ((number)*2)

/* --- What the server says -------------------------------------------------------------------------------- */

static size_t describe(const copal_view *view, char *text, size_t capacity) {
  size_t at = (size_t)snprintf(text, capacity, "%s %u.%02u T:%02x", view->type == COPAL_NON ? "NON" : "CON",
                               view->code >> 5, view->code & 31u, view->token.data[0]);
  if (view->type == COPAL_ACK) memcpy(text, "ACK", 3);
  copal_option option;
  if (copal_find(view, COPAL_OPTION_Q_BLOCK1, &option)) {
    copal_block block = copal_block_of(copal_option_uint(&option));
    at += (size_t)snprintf(text + at, capacity - at, " QB1:%u/%d", block.number, block.more);
  }
  if (copal_find(view, COPAL_OPTION_Q_BLOCK2, &option)) {
    copal_block block = copal_block_of(copal_option_uint(&option));
    at += (size_t)snprintf(text + at, capacity - at, " QB2:%u/%d", block.number, block.more);
    for (size_t i = 0; i < view->payload.size; ++i) assert_int_equal(view->payload.data[i], block.number + 1);
  }
  if (copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, 0) == 272) {
    at += (size_t)snprintf(text + at, capacity - at, " [Missing");
    for (size_t i = 0; i < view->payload.size; ++i)
      at += (size_t)snprintf(text + at, capacity - at, "%c%u", i == 0 ? ' ' : ',', view->payload.data[i]);
    at += (size_t)snprintf(text + at, capacity - at, "]");
  }
  return at;
}

static const char *said(struct server *server) {
  size_t at = 0;
  server->text[0] = 0;
  bare_out(server->bare);
  for (size_t i = 0; i < server->bare->sent_count; ++i) {
    assert_true(at < TEXT_MAX - 200);
    at += describe(&server->bare->sent[i].view, server->text + at, TEXT_MAX - at);
    server->text[at++] = '\n';
    server->text[at] = 0;
  }
  return server->text;
}

#define assert_said(server, expected) assert_string_equal(said(server), expected)

/* Nothing until then, and then something. */
static void pass(struct server *server, copal_time time) {
  server->bare->now += time - COPAL_MILLISECOND;
  assert_said(server, "");
  server->bare->now += COPAL_MILLISECOND;
}

static void assert_stored(const struct server *server, size_t count) {
  assert_int_equal(server->executed, 1);
  assert_int_equal(server->stored_size, count * BLOCK);
  for (size_t i = 0; i < server->stored_size; ++i) assert_int_equal(server->stored[i], i / BLOCK + 1);
}

/* --- Q-Block1 ------------------------------------------------------------------------------------------- */

static void figure_2_a_put_without_loss(void **state) {
  (void)state;
  struct server *server = open_server(0);
  for (int i = 0; i < 3; ++i) put(server, COPAL_PUT, (uint16_t)(0x81 + i), (uint8_t)(0xc0 + i), 9, i, 4);
  assert_said(server, "");
  put(server, COPAL_PUT, 0x84, 0xc3, 9, 3, 4);
  assert_said(server, "NON 2.04 T:c3\n");
  assert_stored(server, 4);
  close_server(server);
}

static void figure_3_a_put_of_more_than_a_set(void **state) {
  (void)state;
  struct server *server = open_server(0);
  for (int i = 0; i < 10; ++i) put(server, COPAL_PUT, (uint16_t)(1 + i), (uint8_t)(0xf1 + i), 10, i, 11);
  assert_said(server, "NON 2.31 T:fa QB1:9/1\n");
  put(server, COPAL_PUT, 0x0b, 0xfb, 10, 10, 11);
  assert_said(server, "NON 2.04 T:fb\n");
  assert_stored(server, 11);
  close_server(server);
}

/* RFC 9177 4.3: "The token to use in the 4.08 (Request Entity Incomplete) response MUST be one of the tokens that
 * were received in a request for this block-wise body exchange." */
static void figures_4_and_5_a_put_whose_blocks_are_lost(void **state) {
  (void)state;
  struct server *server = open_server(0);
  for (int i = 0; i < 9; ++i)
    if (i != 1) put(server, COPAL_PUT, (uint16_t)(0x11 + i), (uint8_t)(0xe1 + i), 11, i, 13);
  assert_said(server, "");
  server->bare->now += 3 * COPAL_SECOND; /* NON_TIMEOUT_RANDOM (client) delay expires */
  assert_said(server, "");
  put(server, COPAL_PUT, 0x1c, 0xec, 11, 11, 13);
  assert_said(server, "NON 4.08 T:ec [Missing 1,9]\n");
  put(server, COPAL_PUT, 0x1d, 0xed, 11, 1, 13);
  put(server, COPAL_PUT, 0x1e, 0xee, 11, 9, 13);
  /* The figure has none here, but the set is whole: 7.2 has the server "send back a 2.31 (Continue) response code on
   * receipt of all of the MAX_PAYLOADS_SET". */
  assert_said(server, "NON 2.31 T:ee QB1:9/1\n");
  put(server, COPAL_PUT, 0x1f, 0xef, 11, 12, 13);
  pass(server, 4 * COPAL_SECOND); /* NON_RECEIVE_TIMEOUT (server) delay expires */
  assert_said(server, "NON 4.08 T:ef [Missing 10]\n");
  put(server, COPAL_PUT, 0x20, 0xf0, 11, 10, 13);
  assert_said(server, "NON 2.04 T:f0\n");
  assert_stored(server, 13);
  close_server(server);
}

static void figure_6_a_put_that_fails(void **state) {
  (void)state;
  struct server *server = open_server(0);
  put(server, COPAL_PUT, 0x91, 0xd0, 12, 0, 3);
  put(server, COPAL_PUT, 0x93, 0xd2, 12, 2, 3);
  for (unsigned i = 0; i < 4; ++i) {
    pass(server, ((copal_time)4 << i) * COPAL_SECOND);
    assert_said(server, "NON 4.08 T:d2 [Missing 1]\n");
  }
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 1);
  pass(server, 64 * COPAL_SECOND);
  assert_said(server, ""); /* NON_MAX_RETRANSMIT exceeded. */
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).transfers, 0);
  assert_int_equal(copal_endpoint_usage(server->bare->endpoint).bodies_size, 0);
  assert_int_equal(server->executed, 0);
  close_server(server);
}

/* --- Q-Block2 ------------------------------------------------------------------------------------------- */

static void figure_7_a_get_without_loss(void **state) {
  (void)state;
  struct server *server = open_server(4 * BLOCK);
  get(server, 1, 0xc0, QB2(0) + M, NONE);
  assert_said(server, "NON 2.05 T:c0 QB2:0/1\nNON 2.05 T:c0 QB2:1/1\nNON 2.05 T:c0 QB2:2/1\nNON 2.05 T:c0 QB2:3/0\n");
  assert_int_equal(server->executed, 1);
  close_server(server);
}

static const char first_set[] =
    "NON 2.05 T:f0 QB2:0/1\nNON 2.05 T:f0 QB2:1/1\nNON 2.05 T:f0 QB2:2/1\nNON 2.05 T:f0 QB2:3/1\n"
    "NON 2.05 T:f0 QB2:4/1\nNON 2.05 T:f0 QB2:5/1\nNON 2.05 T:f0 QB2:6/1\nNON 2.05 T:f0 QB2:7/1\n"
    "NON 2.05 T:f0 QB2:8/1\nNON 2.05 T:f0 QB2:9/1\n";

/* The rest has the token of the GET, not that of the 'Continue'. */
static void figure_8_a_get_of_more_than_a_set(void **state) {
  (void)state;
  struct server *server = open_server(11 * BLOCK);
  get(server, 1, 0xf0, QB2(0) + M, NONE);
  assert_said(server, first_set);
  get(server, 2, 0xf1, QB2(10) + M, NONE);
  assert_said(server, "NON 2.05 T:f0 QB2:10/0\n");
  assert_int_equal(server->executed, 1);
  close_server(server);
}

static void figure_9_blocks_that_were_lost(void **state) {
  (void)state;
  struct server *server = open_server(11 * BLOCK);
  get(server, 1, 0xf0, QB2(0) + M, NONE);
  assert_said(server, first_set);
  server->bare->now += 2 * COPAL_SECOND - 1;
  assert_said(server, "");
  server->bare->now += COPAL_SECOND + 1; /* NON_TIMEOUT_RANDOM (server) delay expires */
  assert_said(server, "NON 2.05 T:f0 QB2:10/0\n");
  get(server, 4, 0xf3, QB2(1), QB2(9));
  assert_said(server, "NON 2.05 T:f3 QB2:1/1\nNON 2.05 T:f3 QB2:9/1\n");
  get(server, 5, 0xf4, QB2(1), NONE);
  assert_said(server, "NON 2.05 T:f4 QB2:1/1\n");
  assert_int_equal(server->executed, 1);
  close_server(server);
}

static void figure_10_the_rest_of_a_set(void **state) {
  (void)state;
  struct server *server = open_server(11 * BLOCK);
  get(server, 1, 0xf0, QB2(0) + M, NONE);
  assert_said(server, first_set);
  server->bare->now += 3 * COPAL_SECOND;
  assert_said(server, "NON 2.05 T:f0 QB2:10/0\n");
  get(server, 6, 0xf5, QB2(2) + M, NONE);
  assert_said(server,
              "NON 2.05 T:f5 QB2:2/1\nNON 2.05 T:f5 QB2:3/1\nNON 2.05 T:f5 QB2:4/1\nNON 2.05 T:f5 QB2:5/1\n"
              "NON 2.05 T:f5 QB2:6/1\nNON 2.05 T:f5 QB2:7/1\nNON 2.05 T:f5 QB2:8/1\nNON 2.05 T:f5 QB2:9/1\n");
  get(server, 0x87, 0xf6, QB2(10) + M, NONE);
  assert_said(server, "NON 2.05 T:f0 QB2:10/0\n");
  close_server(server);
}

/* --- Both --------------------------------------------------------------------------------------------------- */

static void figure_12_a_fetch_of_more_than_a_set_either_way(void **state) {
  (void)state;
  struct server *server = open_server(11 * BLOCK);
  for (int i = 0; i < 10; ++i) put(server, COPAL_FETCH, (uint16_t)(0x30 + i), (uint8_t)(0xa0 + i), 10, i, 11);
  assert_said(server, "NON 2.31 T:a9 QB1:9/1\n");
  /* Blocks of the response are as large as fits, where nobody says otherwise: so the last one does. */
  send(server, &(struct ask){.type = COPAL_NON,
                             .method = COPAL_FETCH,
                             .mid = 0x3a,
                             .token = 0xaa,
                             .tag = 10,
                             .qb1 = 10,
                             .size1 = 11 * BLOCK,
                             .qb2 = {QB2(0) + M, NONE}});
  assert_said(server,
              "NON 2.05 T:aa QB2:0/1\nNON 2.05 T:aa QB2:1/1\nNON 2.05 T:aa QB2:2/1\nNON 2.05 T:aa QB2:3/1\n"
              "NON 2.05 T:aa QB2:4/1\nNON 2.05 T:aa QB2:5/1\nNON 2.05 T:aa QB2:6/1\nNON 2.05 T:aa QB2:7/1\n"
              "NON 2.05 T:aa QB2:8/1\nNON 2.05 T:aa QB2:9/1\n");
  send(server, &(struct ask){.type = COPAL_NON,
                             .method = COPAL_FETCH,
                             .mid = 0x3b,
                             .token = 0xab,
                             .tag = 10,
                             .qb1 = NONE,
                             .qb2 = {QB2(10) + M, NONE}});
  assert_said(server, "NON 2.05 T:aa QB2:10/0\n");
  assert_stored(server, 11);
  close_server(server);
}

static void figures_13_to_15_a_fetch_whose_blocks_are_lost_either_way(void **state) {
  (void)state;
  struct server *server = open_server(4 * BLOCK);
  struct ask ask = {
      .type = COPAL_NON, .method = COPAL_FETCH, .tag = 31, .more = 1, .size1 = 4 * BLOCK, .qb2 = {QB2(0) + M, NONE}};
  ask.mid = 0x50, ask.token = 0xc0, ask.qb1 = 0;
  send(server, &ask);
  ask.mid = 0x53, ask.token = 0xc3, ask.qb1 = 3, ask.more = 0;
  send(server, &ask);
  pass(server, 4 * COPAL_SECOND);
  assert_said(server, "NON 4.08 T:c3 [Missing 1,2]\n");
  ask.mid = 0x54, ask.token = 0xc4, ask.qb1 = 1, ask.more = 1;
  send(server, &ask);
  ask.mid = 0x55, ask.token = 0xc5, ask.qb1 = 2;
  send(server, &ask);
  /* The figure's token is an earlier one of the body's; 4.3 says of the last one that "it is desirable". */
  assert_said(server, "NON 2.05 T:c5 QB2:0/1\nNON 2.05 T:c5 QB2:1/1\nNON 2.05 T:c5 QB2:2/1\nNON 2.05 T:c5 QB2:3/0\n");
  ask = (struct ask){.type = COPAL_NON, .method = COPAL_FETCH, .mid = 0x56, .token = 0xc6, .tag = 31, .qb1 = NONE};
  ask.qb2[0] = QB2(1), ask.qb2[1] = QB2(3), ask.qb2[2] = NONE;
  send(server, &ask);
  assert_said(server, "NON 2.05 T:c6 QB2:1/1\nNON 2.05 T:c6 QB2:3/0\n");
  ask.mid = 0x57, ask.token = 0xc7, ask.qb2[1] = NONE;
  send(server, &ask);
  assert_said(server, "NON 2.05 T:c7 QB2:1/1\n");
  assert_stored(server, 4);
  close_server(server);
}

/* --- Confirmable: appendix A -------------------------------------------------------------------------------- */

static void figure_16_a_confirmable_put(void **state) {
  (void)state;
  struct server *server = open_server(0);
  for (int i = 0; i < 4; ++i) {
    send(server, &(struct ask){.type = COPAL_CON,
                               .method = COPAL_PUT,
                               .mid = (uint16_t)(1 + i),
                               .token = (uint8_t)(0xf0 + i),
                               .tag = 10,
                               .qb1 = i,
                               .more = i < 3,
                               .size1 = 4 * BLOCK,
                               .qb2 = {NONE}});
    if (i < 3) assert_out(server->bare, i == 0 ? "60000001" : i == 1 ? "60000002" : "60000003");
  }
  assert_said(server, "ACK 2.04 T:f3\n");
  assert_stored(server, 4);
  close_server(server);
}

/* The further blocks are CON as well, one after the other as NSTART has it. */
static void figure_18_a_confirmable_get(void **state) {
  (void)state;
  struct server *server = open_server(3 * BLOCK);
  send(server, &(struct ask){.type = COPAL_CON,
                             .method = COPAL_GET,
                             .mid = 1,
                             .token = 0xf0,
                             .tag = NONE,
                             .qb1 = NONE,
                             .qb2 = {QB2(0) + M, NONE}});
  assert_said(server, "ACK 2.05 T:f0 QB2:0/1\nCON 2.05 T:f0 QB2:1/1\n");
  bare_in(server->bare, "6000%04x", server->bare->sent[1].view.message_id);
  assert_said(server, "CON 2.05 T:f0 QB2:2/0\n");
  bare_in(server->bare, "6000%04x", server->bare->sent[0].view.message_id);
  assert_said(server, "");
  close_server(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figure_2_a_put_without_loss),
      cmocka_unit_test(figure_3_a_put_of_more_than_a_set),
      cmocka_unit_test(figures_4_and_5_a_put_whose_blocks_are_lost),
      cmocka_unit_test(figure_6_a_put_that_fails),
      cmocka_unit_test(figure_7_a_get_without_loss),
      cmocka_unit_test(figure_8_a_get_of_more_than_a_set),
      cmocka_unit_test(figure_9_blocks_that_were_lost),
      cmocka_unit_test(figure_10_the_rest_of_a_set),
      cmocka_unit_test(figure_12_a_fetch_of_more_than_a_set_either_way),
      cmocka_unit_test(figures_13_to_15_a_fetch_whose_blocks_are_lost_either_way),
      cmocka_unit_test(figure_16_a_confirmable_put),
      cmocka_unit_test(figure_18_a_confirmable_get),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
