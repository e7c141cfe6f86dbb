/* Hop-Limit: what a proxy puts into a request, takes from it, and must not forward. RFC 8768 section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

/* GET /a with that Hop-Limit in raw bytes, and Accept behind it; NULL for none. */
static copal_message *request(struct bare_message *to, const char *hops, size_t size) {
  copal_message *message = bare_write(to, COPAL_CON, COPAL_GET, "a", "body");
  if (hops != NULL) copal_message_add_raw(message, COPAL_OPTION_HOP_LIMIT, hops, size);
  copal_message_add_uint(message, COPAL_OPTION_ACCEPT, COPAL_JSON);
  return message;
}

static void assert_hops(const copal_message *message, uint32_t hops) {
  copal_view view = copal_message_view(message);
  copal_option option;
  assert_true(copal_find(&view, COPAL_OPTION_HOP_LIMIT, &option));
  assert_int_equal(option.size, 1);
  assert_int_equal(option.value[0], hops);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_ACCEPT, COPAL_FORMAT_NONE), COPAL_JSON);
  assert_int_equal(view.payload.size, 4);
}

/* RFC 8768 3: "If no initial value is explicitly provided, the default initial Hop-Limit value of 16 MUST be used." */
static void a_request_without_gets_sixteen_and_each_hop_takes_one(void **state) {
  (void)state;
  struct bare_message message;
  copal_message *get = request(&message, NULL, 0);
  for (uint32_t hops = 16; hops >= 1; --hops) {
    assert_int_equal(copal_message_hop(get), COPAL_OK);
    assert_hops(get, hops);
  }
  assert_int_equal(copal_message_hop(get), COPAL_ERR_HOP_LIMIT);
  assert_hops(get, 1); /* as it came, for the one who answers 5.08 */
  assert_int_equal(get->error, COPAL_OK);
}

/* RFC 8768 3: "a CoAP proxy that understands the Hop-Limit option MUST decrement the value of the option by 1 prior
 * to forwarding it. CoAP requests MUST NOT be forwarded if the Hop-Limit option is set to '0' after decrement". */
static void all_that_is_legal_is_decremented(void **state) {
  (void)state;
  for (int hops = 2; hops <= 255; ++hops) {
    struct bare_message message;
    char value = (char)hops;
    copal_message *get = request(&message, &value, 1);
    assert_int_equal(copal_message_hop(get), COPAL_OK);
    assert_hops(get, (uint32_t)hops - 1);
  }
}

static void a_request_without_is_legal(void **state) {
  (void)state;
  struct bare_message message;
  copal_view view = copal_message_view(request(&message, NULL, 0));
  assert_true(copal_hop_limit_is_legal(&view));
  view = copal_message_view(request(&message, "\1", 1));
  assert_true(copal_hop_limit_is_legal(&view));
}

/* RFC 8768 3: "This value MUST be between 1 and 255 inclusive. CoAP requests received with a Hop-Limit option set to
 * '0' or greater than '255' MUST be rejected by a CoAP server/proxy using 4.00 (Bad Request)." */
static void what_is_illegal_is_not_forwarded(void **state) {
  (void)state;
  static const struct {
    const char *value;
    size_t size;
  } cases[] = {{"", 0}, {"\0", 1}, {"\0\0", 2}, {"\1\0", 2}, {"\377\377\377\377\377", 5}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct bare_message message;
    copal_message *get = request(&message, cases[i].value, cases[i].size);
    copal_view view = copal_message_view(get);
    assert_false(copal_hop_limit_is_legal(&view));
    assert_int_equal(copal_message_hop(get), COPAL_ERR_OPTION_VALUE);
    assert_int_equal(get->error, COPAL_OK);
  }
}

/* RFC 7252 5.4.5: a supernumerary one is ignored. */
static void of_several_the_first_counts(void **state) {
  (void)state;
  struct bare_message message;
  copal_message *get = request(&message, "\7", 1);
  copal_message_add_raw(get, COPAL_OPTION_HOP_LIMIT, "\1", 1);
  assert_int_equal(copal_message_hop(get), COPAL_OK);
  assert_hops(get, 6);
  assert_int_equal(copal_message_delete(get, COPAL_OPTION_HOP_LIMIT), COPAL_OK);
  assert_int_equal(copal_message_delete(get, COPAL_OPTION_HOP_LIMIT), COPAL_ERR_NOT_FOUND);
}

static void a_full_message_says_so(void **state) {
  (void)state;
  uint8_t buffer[6];
  copal_message get;
  copal_message_init(&get, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&get, COPAL_OPTION_URI_PATH, "a");
  assert_int_equal(copal_message_hop(&get), COPAL_ERR_SPACE);
  assert_int_equal(copal_message_hop(&get), COPAL_ERR_SPACE);
}

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hi");
}

static void a_server_rejects_what_is_illegal(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", hello, NULL), COPAL_OK);
  bare_expect(bare, "40010001 b161 5101", "60450001c0ff6869");
  bare_expect(bare, "40010002 b161 51ff", "60450002c0ff6869");
  static const char *const illegal[] = {"50", "5100", "520100"};
  for (unsigned i = 0; i < 3; ++i) {
    uint8_t expected[40];
    size_t size = bare_unhex("60800003 c20101 ff a2 20 6b 4261642052657175657374 27 10" /* Bad Request, option 16 */,
                             expected, sizeof expected);
    bare_in(bare, "4001%04x b161 %s", i + 3, illegal[i]);
    expected[3] = (uint8_t)(i + 3);
    const struct bare_sent *sent = bare_out_one(bare);
    assert_int_equal(sent->size, size);
    assert_memory_equal(sent->bytes, expected, size);
  }
  copal_path path = bare_group_path(BARE_PORT);
  bare_in_path(bare, &path, "50010006 b161 5100");
  bare->now += 10 * COPAL_SECOND;
  assert_out(bare, "");
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_without_gets_sixteen_and_each_hop_takes_one),
      cmocka_unit_test(all_that_is_legal_is_decremented),
      cmocka_unit_test(a_request_without_is_legal),
      cmocka_unit_test(what_is_illegal_is_not_forwarded),
      cmocka_unit_test(of_several_the_first_counts),
      cmocka_unit_test(a_full_message_says_so),
      cmocka_unit_test(a_server_rejects_what_is_illegal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
