/* Records, calls and answers that cannot be: each is refused with its error, and nothing is sent or kept for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "support/bare.h"

static struct bare *open_endpoint(bool raw) {
  copal_config config = copal_config_small();
  config.raw = raw;
  return bare_open(&config);
}

static void assert_untouched(struct bare *bare) {
  assert_out(bare, "");
  copal_usage usage = copal_endpoint_usage(bare->endpoint);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
}

/* A message whose options did not fit: its error is told wherever it is to be sent. */
static copal_message *too_long(copal_message *message, uint8_t buffer[8], copal_type type, uint8_t code) {
  copal_message_init(message, buffer, 8, type, code);
  copal_message_add_text(message, COPAL_OPTION_URI_PATH, "too long");
  return message;
}

static void without_an_endpoint_nothing_is_sent(void **state) {
  (void)state;
  struct bare_message message;
  struct bare_call call;
  copal_address remote = bare_address(BARE_PORT);
  copal_path path = bare_path(BARE_PORT);
  const copal_message *get = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL);
  assert_int_equal(copal_send(NULL, get, &remote, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_send_path(NULL, get, &path, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_request_send(NULL, get, &remote, 0, bare_called, &call, NULL), COPAL_ERR_NOT_HOSTED);
  assert_int_equal(copal_ping_send(NULL, &remote, 0, bare_called, &call, NULL), COPAL_ERR_NOT_HOSTED);
}

static void nobody_is_sent_nothing(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  struct bare_message message;
  copal_address nobody = {.family = COPAL_FAMILY_NONE};
  const copal_message *get = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL);
  assert_int_equal(copal_send(bare->endpoint, get, &nobody, NULL), COPAL_ERR_ADDRESS);
  assert_int_equal(copal_endpoint_usage(bare->endpoint).peers, 0);
  assert_untouched(bare);
  bare_close(bare);
}

static void what_was_not_written_to_its_end_is_not_sent(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(true);
  uint8_t buffer[8];
  copal_message message;
  copal_address remote = bare_address(BARE_PORT);
  too_long(&message, buffer, COPAL_NON, COPAL_GET);
  assert_int_equal(copal_send(bare->endpoint, &message, &remote, NULL), COPAL_ERR_SPACE);
  assert_int_equal(copal_stateless_send(bare->endpoint, &message, &remote, (copal_bytes){NULL, 0}), COPAL_ERR_SPACE);
  bare_in(bare, "40010001b161");
  copal_rx rx = bare_rx(bare);
  too_long(&message, buffer, COPAL_ACK, COPAL_CONTENT);
  assert_int_equal(copal_ack(&rx, &message), COPAL_ERR_SPACE);
  assert_int_equal(copal_respond(&rx, &message, NULL), COPAL_ERR_SPACE);
  assert_untouched(bare);
  assert_int_equal(copal_ack(&rx, NULL), COPAL_OK); /* it is owed still */
  assert_out(bare, "60000001");
  bare_close(bare);
}

static void when_every_peer_is_busy_nobody_else_is_asked(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.peers_max = 1;
  struct bare *bare = bare_open(&config);
  struct bare_message message;
  copal_address other = bare_address(7001);
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  bare_out_one(bare);
  const copal_message *get = bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL);
  assert_int_equal(copal_stateless_send(bare->endpoint, get, &other, (copal_bytes){NULL, 0}), COPAL_ERR_PEERS_FULL);
  assert_int_equal(copal_cancel(bare->endpoint, tx), COPAL_OK);
  assert_int_equal(copal_stateless_send(bare->endpoint, get, &other, (copal_bytes){NULL, 0}), COPAL_OK);
  assert_int_equal(bare_out_one(bare)->path.remote.port, 7001);
  bare_close(bare);
}

/* Only a record of the application's keeps what came; of those it does what answers them, too. */
static void what_came_is_kept_with_records_alone(void **state) {
  (void)state;
  struct bare *bare = open_endpoint(false);
  struct bare_call call;
  copal_rx rx;
  char token[33];
  copal_tx tx = bare_request(bare, BARE_PORT, COPAL_CON, COPAL_GET, COPAL_NEVER, &call);
  bare_out_one(bare);
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 0, &rx), COPAL_ERR_NOT_FOUND);
  assert_int_equal(copal_cancel(bare->endpoint, tx), COPAL_OK);
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 0, &rx), COPAL_ERR_STALE);

  tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  const struct bare_sent *sent = bare_out_one(bare);
  bare_in(bare, "6845%04x%sff6869", sent->view.message_id, bare_token(sent, token));
  assert_true(copal_same_tx(bare_rx(bare).request, tx));
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 0, &rx), COPAL_OK);
  assert_int_equal(rx.type, COPAL_ACK);
  assert_int_equal(rx.message.code, COPAL_CONTENT);
  assert_true(copal_same_tx(rx.request, tx) && copal_same_tx(rx.pertains_to, tx));
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 1, &rx), COPAL_ERR_NOT_FOUND);
  tx = bare_send(bare, 7001, COPAL_CON, COPAL_GET);
  bare_in_from(bare, 7001, "6000%04x", bare_out_one(bare)->view.message_id);
  assert_int_equal(copal_tx_response(bare->endpoint, tx, 0, &rx), COPAL_OK);
  assert_true(copal_tx_none(rx.request) && copal_same_tx(rx.pertains_to, tx)); /* an empty ACK answers no request */
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_an_endpoint_nothing_is_sent),
      cmocka_unit_test(nobody_is_sent_nothing),
      cmocka_unit_test(what_was_not_written_to_its_end_is_not_sent),
      cmocka_unit_test(when_every_peer_is_busy_nobody_else_is_asked),
      cmocka_unit_test(what_came_is_kept_with_records_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
