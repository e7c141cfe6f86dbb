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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_retransmission_leaves_as_the_first_transmission_did),
      cmocka_unit_test(an_answer_is_found_at_an_address_that_has_a_record_of_its_own),
      cmocka_unit_test(an_idle_record_takes_the_address_at_which_its_remote_asks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
