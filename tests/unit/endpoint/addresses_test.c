/* One remote, several addresses of ours: a request stays one request, whatever else comes in meanwhile, and answers
 * find it. RFC 7252 5.3.2, and decision 0006. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "support/bare.h"

static copal_path local_path(uint8_t last) {
  copal_path path = bare_path(BARE_PORT);
  path.local.bytes[3] = last;
  return path;
}

/* The ACK with a response to what was sent last, come to that address of ours. */
static void answer(struct bare *bare, const struct bare_sent *request, uint8_t last) {
  char token[33], hex[80];
  uint16_t mid = request->view.message_id;
  snprintf(hex, sizeof hex, "6845%04x%sff6f6b", mid, bare_token(request, token));
  copal_path path = local_path(last);
  bare_in_path(bare, &path, hex);
}

static void a_retransmission_leaves_as_the_first_transmission_did(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_POST);
  assert_int_equal(bare_out_one(bare)->path.local.family, COPAL_FAMILY_NONE);
  /* The same remote asks at another address than the one that the system chose for us. */
  copal_path other = local_path(102);
  bare_in_path(bare, &other, "40010001b161");
  assert_int_equal(bare_out_one(bare)->path.local.bytes[3], 102);

  bare->now += 4 * COPAL_SECOND;
  const struct bare_sent *again = bare_out_one(bare);
  assert_int_equal(again->path.local.family, COPAL_FAMILY_NONE);
  answer(bare, again, 101);
  assert_true(bare_info(bare, tx).has_response);
  /* From here on it is known where it answers. */
  bare_send(bare, BARE_PORT, COPAL_CON, COPAL_POST);
  bare_close(bare);
}

static void an_answer_is_found_at_an_address_that_has_a_record_of_its_own(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  copal_path first = local_path(105), second = local_path(106);
  bare_in_path(bare, &first, "40010001b161");
  bare_in_path(bare, &second, "40010002b161");
  bare_out(bare);
  endpoint_unbind(bare->endpoint, &first); /* that address is lost */
  for (int i = 0; i < 4; ++i) {
    copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
    const struct bare_sent *request = bare_out_one(bare);
    answer(bare, request, 106);
    assert_true(bare_info(bare, tx).has_response);
    assert_true(bare_has_event(bare));
    bare->now += COPAL_SECOND;
  }
  bare_close(bare);
}

static void an_idle_record_takes_the_address_at_which_its_remote_asks(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  copal_address remote = bare_address(BARE_PORT);
  struct bare_message message;
  /* A response without a handle is forgotten once it is sent: the peer is then idle. */
  copal_message *response = bare_write(&message, COPAL_NON, COPAL_CONTENT, NULL, "on");
  assert_int_equal(copal_send(bare->endpoint, response, &remote, NULL), COPAL_OK);
  bare_out_one(bare);
  bare_out(bare);
  copal_path path = local_path(102);
  bare_in_path(bare, &path, "40010001b161");
  assert_int_equal(copal_endpoint_usage(bare->endpoint).peers, 1);
  bare_close(bare);
}

/* RFC 7252 8.2: whoever answers a group does so from an address of his own. That says nothing of where other messages
 * to him leave from. */
static void an_answer_to_a_group_binds_nobody(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  struct bare_message message;
  struct bare_call call = {.count = 0};
  copal_address group = bare_group();
  char token[33];
  assert_int_equal(copal_request_send(bare->endpoint, bare_write(&message, COPAL_NON, COPAL_GET, "a", NULL), &group,
                                      COPAL_NEVER, bare_called, &call, NULL),
                   COPAL_OK);
  bare_token(bare_out_one(bare), token);
  bare_send(bare, 7001, COPAL_CON, COPAL_GET); /* it is not known where it answers */
  bare_out_one(bare);
  bare_in_from(bare, 7001, "5845abcd%sff41", token);
  assert_int_equal(call.count, 1);
  bare->now += 4 * COPAL_SECOND;
  const struct bare_sent *again = bare_out_one(bare);
  assert_int_equal(again->path.remote.port, 7001);
  assert_int_equal(again->path.local.family, COPAL_FAMILY_NONE);
  bare_close(bare);
}

static void whoever_is_unknown_loses_no_address(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  copal_path known = local_path(105), unknown = bare_path(7001);
  bare_in_path(bare, &known, "40010001b161");
  bare_out(bare);
  endpoint_unbind(bare->endpoint, &unknown);
  assert_int_equal(copal_endpoint_usage(bare->endpoint).peers, 1);
  bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  assert_int_equal(bare_out_one(bare)->path.local.bytes[3], 105);
  bare_close(bare);
}

static copal_time host_now;
static copal_time host_clock(void) { return host_now; }

/* The contract, 5: "A call without `now` acts at the latest time that the endpoint was told; a hosted endpoint looks at
 * its clock." */
static void a_hosted_endpoint_acts_at_its_clocks_time(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  bare->endpoint->clock = host_clock;
  host_now = bare->now + 70 * COPAL_SECOND;
  copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  bare_out_one(bare); /* told of an earlier time, which has been */
  assert_true(bare_info(bare, tx).transmission_time == host_now);
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_retransmission_leaves_as_the_first_transmission_did),
      cmocka_unit_test(an_answer_is_found_at_an_address_that_has_a_record_of_its_own),
      cmocka_unit_test(an_idle_record_takes_the_address_at_which_its_remote_asks),
      cmocka_unit_test(an_answer_to_a_group_binds_nobody),
      cmocka_unit_test(whoever_is_unknown_loses_no_address),
      cmocka_unit_test(a_hosted_endpoint_acts_at_its_clocks_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
