/* Requests of which nothing is kept, RFC 8974 section 3: their responses are known by their token alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dialogue.h"

enum { STATE_MAX = 2048 };

struct kept {
  unsigned count;
  uint8_t state[STATE_MAX];
  size_t state_size;
  uint8_t code;
  bool has_responded;
};

static void told(copal_endpoint *endpoint, copal_bytes state, const copal_rx *rx, void *context) {
  struct kept *kept = context;
  assert_ptr_equal(rx->endpoint, endpoint);
  ++kept->count;
  kept->state_size = state.size;
  if (state.size > 0) memcpy(kept->state, state.data, state.size);
  kept->code = rx->message.code;
  kept->has_responded = rx->has_responded;
}

static struct bare *open_client(struct kept *kept) {
  copal_config config = copal_config_small();
  config.message_size_max = 1280;
  config.messages_size = 16 << 10;
  config.replies_size = 16 << 10;
  config.parameters.probing_rate = 0;
  struct bare *bare = bare_open(&config);
  memset(kept, 0, sizeof *kept);
  copal_stateless(bare->endpoint, told, kept);
  return bare;
}

static copal_error try_to_send(struct bare *bare, copal_type type, copal_bytes state) {
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  return copal_stateless_send(bare->endpoint, bare_write(&message, type, COPAL_GET, "a", NULL), &remote, state);
}

/* Sends a request with that state; its token is the answer. */
static copal_bytes asked(struct bare *bare, const char *text, uint8_t token[512]) {
  assert_int_equal(try_to_send(bare, COPAL_NON, (copal_bytes){(const uint8_t *)text, strlen(text)}), COPAL_OK);
  const copal_view *view = &bare_out_one(bare)->view;
  assert_true(view->token.size == strlen(text) + 12 && view->token.size <= 512);
  memcpy(token, view->token.data, view->token.size);
  return (copal_bytes){token, view->token.size};
}

static void respond(struct bare *bare, copal_type type, uint16_t port, copal_bytes token, uint16_t mid) {
  uint8_t buffer[600];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, type, COPAL_CONTENT);
  copal_message_set_token(&message, token.data, token.size);
  buffer[2] = (uint8_t)(mid >> 8);
  buffer[3] = (uint8_t)mid;
  copal_path path = bare_path(port);
  bare_in_bytes(bare, &path, buffer, message.size);
}

/* --- What is known by its token -------------------------------------------------------------------- */

static void the_state_comes_back_and_nothing_was_kept(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  uint8_t bytes[512];
  copal_bytes token = asked(bare, "what I wanted", bytes);
  assert_out(bare, "");
  copal_usage usage = copal_endpoint_usage(bare->endpoint);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.calls, 0);
  assert_true(copal_endpoint_deadline(bare->endpoint) == COPAL_NEVER);
  respond(bare, COPAL_NON, BARE_PORT, token, 1);
  assert_int_equal(kept.count, 1);
  assert_int_equal(kept.state_size, 13);
  assert_memory_equal(kept.state, "what I wanted", 13);
  assert_int_equal(kept.code, COPAL_CONTENT);
  assert_true(kept.has_responded);
  assert_out(bare, "");
  bare_close(bare);
}

static void a_confirmable_response_is_acknowledged_each_time_and_told_once(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  uint8_t bytes[512];
  copal_bytes token = asked(bare, "", bytes);
  for (int i = 0; i < 2; ++i) {
    respond(bare, COPAL_CON, BARE_PORT, token, 0x1234);
    assert_out(bare, "60001234");
  }
  assert_int_equal(kept.count, 1);
  assert_int_equal(kept.state_size, 0);
  respond(bare, COPAL_ACK, BARE_PORT, token, 7); /* piggybacked, on whatever */
  assert_int_equal(kept.count, 2);
  assert_out(bare, "");
  bare_close(bare);
}

static void many_may_be_sent_in_a_row(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  uint8_t first[512], last[512] = {0};
  copal_bytes token = asked(bare, "0", first), latest = {last, 0};
  for (unsigned i = 1; i < 500; ++i) {
    char text[8];
    snprintf(text, sizeof text, "%u", i);
    latest = asked(bare, text, last);
  }
  respond(bare, COPAL_NON, BARE_PORT, latest, 1);
  assert_memory_equal(kept.state, "499", 3);
  respond(bare, COPAL_NON, BARE_PORT, token, 2);
  assert_memory_equal(kept.state, "0", 1);
  assert_int_equal(kept.count, 2);
  bare_close(bare);
}

/* An output that stops behind it leaves the transmission to be forgotten by the next. */
static void an_answer_may_overtake_the_next_output(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  assert_int_equal(try_to_send(bare, COPAL_NON, (copal_bytes){(const uint8_t *)"s", 1}), COPAL_OK);
  copal_datagram datagram;
  copal_view view;
  uint8_t token[16];
  assert_int_equal(copal_endpoint_output(bare->endpoint, bare->now, &datagram, 1), 1);
  assert_int_equal(copal_decode(datagram.data, datagram.size, &view), COPAL_OK);
  memcpy(token, view.token.data, view.token.size);
  respond(bare, COPAL_NON, BARE_PORT, (copal_bytes){token, view.token.size}, 1);
  assert_int_equal(kept.count, 1);
  assert_false(bare_has_event(bare));
  assert_out(bare, "");
  assert_out(bare, "");
  assert_int_equal(copal_endpoint_usage(bare->endpoint).exchanges, 0);
  bare_close(bare);
}

/* --- What is not ------------------------------------------------------------------------------------ */

static void a_forged_token_matches_nothing(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  uint8_t bytes[512];
  copal_bytes token = asked(bare, "state", bytes);
  for (size_t i = 0; i < token.size; ++i) {
    bytes[i] ^= 1;
    respond(bare, COPAL_CON, BARE_PORT, token, (uint16_t)i);
    char reset[9];
    snprintf(reset, sizeof reset, "7000%04x", (unsigned)i);
    assert_out(bare, reset);
    respond(bare, COPAL_NON, BARE_PORT, token, (uint16_t)(i + 100));
    respond(bare, COPAL_ACK, BARE_PORT, token, (uint16_t)(i + 200));
    assert_out(bare, "");
    bytes[i] ^= 1;
  }
  respond(bare, COPAL_NON, BARE_PORT, (copal_bytes){bytes + 1, token.size - 1}, 300);
  respond(bare, COPAL_NON, BARE_PORT, (copal_bytes){bytes, 11}, 301);
  respond(bare, COPAL_NON, BARE_PORT, (copal_bytes){bytes, 0}, 302);
  respond(bare, COPAL_NON, BARE_PORT + 1, token, 303); /* from somebody else */
  respond(bare, COPAL_RST, BARE_PORT, token, 304);     /* which is no response */
  assert_int_equal(kept.count, 0);
  bare_close(bare);
}

static void another_endpoint_s_token_matches_nothing(void **state) {
  (void)state;
  struct kept kept;
  copal_config config = copal_config_small();
  struct bare *other = bare_open_seeded(&config, 7);
  copal_stateless(other->endpoint, told, &kept);
  uint8_t bytes[512];
  copal_bytes token = asked(other, "state", bytes);
  struct bare *bare = open_client(&kept);
  respond(bare, COPAL_NON, BARE_PORT, token, 1);
  assert_int_equal(kept.count, 0);
  bare_close(other);
  bare_close(bare);
}

static void after_non_lifetime_it_is_too_late(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  uint8_t bytes[512];
  copal_bytes token = asked(bare, "state", bytes);
  copal_parameters parameters = copal_config_small().parameters;
  bare->now += copal_non_lifetime(&parameters);
  respond(bare, COPAL_NON, BARE_PORT, token, 1);
  assert_int_equal(kept.count, 1);
  bare->now += COPAL_SECOND / 10;
  respond(bare, COPAL_NON, BARE_PORT, token, 2);
  assert_int_equal(kept.count, 1);
  bare_close(bare);
}

static void without_a_handler_it_is_unmatched(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  uint8_t bytes[512];
  copal_bytes token = asked(bare, "state", bytes);
  copal_stateless(bare->endpoint, NULL, NULL);
  respond(bare, COPAL_CON, BARE_PORT, token, 1);
  assert_out(bare, "70000001");
  bare_close(bare);
}

static void what_is_not_understood_is_rejected(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  assert_int_equal(try_to_send(bare, COPAL_NON, (copal_bytes){NULL, 0}), COPAL_OK);
  char token[33];
  bare_token(bare_out_one(bare), token);
  bare_in(bare, "4c450001%se0fcdc", token); /* option 65001 */
  assert_out(bare, "70000001");
  assert_int_equal(kept.count, 0);
  bare_close(bare);
}

static void what_cannot_be_sent_so_is_refused(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  static const uint8_t large[STATE_MAX];
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT), nobody = {.family = COPAL_FAMILY_NONE}, group = bare_group();
  copal_bytes none = {NULL, 0};
  assert_int_equal(try_to_send(bare, COPAL_CON, none), COPAL_ERR_TYPE);
  assert_int_equal(try_to_send(bare, COPAL_NON, (copal_bytes){large, sizeof large}), COPAL_ERR_TOKEN_SIZE);
  bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL);
  assert_int_equal(copal_stateless_send(NULL, &message.message, &remote, none), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_stateless_send(bare->endpoint, &message.message, &nobody, none), COPAL_ERR_ADDRESS);
  assert_int_equal(copal_stateless_send(bare->endpoint, &message.message, &group, none), COPAL_ERR_TYPE);
  copal_message_set_token(&message.message, "t", 1);
  assert_int_equal(copal_stateless_send(bare->endpoint, &message.message, &remote, none), COPAL_ERR_TOKEN_SIZE);
  bare_write(&message, COPAL_NON, COPAL_CONTENT, "a", NULL);
  assert_int_equal(copal_stateless_send(bare->endpoint, &message.message, &remote, none), COPAL_ERR_TYPE);
  copal_config config = copal_config_small();
  config.raw = true;
  struct bare *raw = bare_open(&config);
  assert_int_equal(try_to_send(raw, COPAL_NON, none), COPAL_ERR_TYPE);
  bare_close(raw);
  assert_out(bare, "");
  bare_close(bare);
}

/* What is no response to us has no state of ours, whatever its token. */
static void only_responses_bring_state_back(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  assert_int_equal(try_to_send(bare, COPAL_NON, (copal_bytes){NULL, 0}), COPAL_OK);
  char token[33];
  bare_token(bare_out_one(bare), token);
  bare_in(bare, "6c010001%s", token); /* a request in an ACK */
  bare_in(bare, "6ce10001%s", token); /* a code that is none */
  copal_path path = bare_group_path(BARE_PORT);
  char hex[64];
  snprintf(hex, sizeof hex, "5c450001%s", token);
  bare_in_path(bare, &path, hex); /* to a group */
  assert_out(bare, "");
  assert_int_equal(kept.count, 0);
  bare_in(bare, "%s", hex);
  assert_int_equal(kept.count, 1);
  bare_close(bare);
}

/* A token that is longer than any of ours. */
static void a_token_that_is_too_long_is_not_ours(void **state) {
  (void)state;
  struct kept kept;
  struct bare *bare = open_client(&kept);
  static const uint8_t token[1200] = {1};
  uint8_t buffer[1300];
  for (size_t size = 980; size < sizeof token; size += 6) {
    copal_message message;
    copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
    copal_message_set_token(&message, token, size);
    copal_path path = bare_path(BARE_PORT);
    bare_in_bytes(bare, &path, buffer, message.size);
    assert_int_equal(bare_out_one(bare)->view.type, COPAL_RST);
  }
  assert_int_equal(kept.count, 0);
  bare_close(bare);
}

static void a_raw_endpoint_looks_into_no_tokens(void **state) {
  (void)state;
  struct kept kept = {.count = 0};
  copal_config config = copal_config_small();
  config.raw = true;
  struct bare *bare = bare_open(&config);
  copal_stateless(bare->endpoint, told, &kept);
  bare_in(bare, "6c450001 000000000000000000000000"); /* an ACK for nothing */
  assert_int_equal(bare_rx(bare).message.code, COPAL_CONTENT);
  bare_in(bare, "60010002"); /* and one that is a request: nobody's */
  assert_false(bare_has_event(bare));
  assert_int_equal(kept.count, 0);
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_state_comes_back_and_nothing_was_kept),
      cmocka_unit_test(a_confirmable_response_is_acknowledged_each_time_and_told_once),
      cmocka_unit_test(many_may_be_sent_in_a_row),
      cmocka_unit_test(an_answer_may_overtake_the_next_output),
      cmocka_unit_test(a_forged_token_matches_nothing),
      cmocka_unit_test(another_endpoint_s_token_matches_nothing),
      cmocka_unit_test(after_non_lifetime_it_is_too_late),
      cmocka_unit_test(without_a_handler_it_is_unmatched),
      cmocka_unit_test(what_is_not_understood_is_rejected),
      cmocka_unit_test(what_cannot_be_sent_so_is_refused),
      cmocka_unit_test(only_responses_bring_state_back),
      cmocka_unit_test(a_token_that_is_too_long_is_not_ours),
      cmocka_unit_test(a_raw_endpoint_looks_into_no_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
