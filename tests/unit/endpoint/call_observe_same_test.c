/* Which observations are of the same resource, and share a registration: RFC 7641 section 3.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/watchers.h"

struct extra {
  uint16_t number;
  const char *value;
};

static void ask_with(struct watchers *watchers, char letter, copal_type type, const char *token, struct extra extra) {
  uint8_t buffer[128];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, type, COPAL_GET);
  copal_message_set_token(&message, token, strlen(token));
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  if (extra.value != NULL) copal_message_add(&message, extra.number, extra.value, strlen(extra.value));
  assert_int_equal(watcher_try(watchers, letter, &message, &(copal_call_options){.size = 0}), COPAL_OK);
}

/* Whether the second one registers too: A asks plainly, B with more. */
static bool registers_too(copal_type type, const char *token, struct extra extra) {
  struct watchers *watchers = watchers_open(2);
  struct talk *talk = watchers->talk;
  ask_with(watchers, 'A', COPAL_CON, "", (struct extra){0, NULL});
  bare_out_one(talk->bare);
  bare_in(talk->bare, "6000%04x", talk->bare->sent[0].view.message_id);
  ask_with(watchers, 'B', type, token, extra);
  bool registers = copal_find_uint(&bare_out_one(talk->bare)->view, COPAL_OPTION_OBSERVE, 9) == 0;
  watchers_close(watchers);
  return registers;
}

/* RFC 7641 3.1: "The target resource is identified by all options in the request that are part of the Cache-Key. This
 * includes, for example, the full request URI and the Accept Option." */
static void what_is_asked_for_is_what_the_cache_key_says(void **state) {
  (void)state;
  static const struct extra same[] = {{COPAL_OPTION_ETAG, "1"},
                                      {COPAL_OPTION_OBSERVE, "1"},
                                      {COPAL_OPTION_SIZE2, "1"},
                                      {COPAL_OPTION_ECHO, "1"},
                                      {28 + 32 * 100, "1"}};
  static const struct extra other[] = {{COPAL_OPTION_URI_PATH, "b"},    {COPAL_OPTION_URI_HOST, "h"},
                                       {COPAL_OPTION_URI_PORT, "1"},    {COPAL_OPTION_URI_QUERY, "q"},
                                       {COPAL_OPTION_ACCEPT, ""},       {COPAL_OPTION_BLOCK2, "\x02"},
                                       {COPAL_OPTION_NO_RESPONSE, "1"}, {COPAL_OPTION_IF_MATCH, "1"}};
  for (size_t i = 0; i < sizeof same / sizeof *same; ++i) assert_false(registers_too(COPAL_CON, "", same[i]));
  for (size_t i = 0; i < sizeof other / sizeof *other; ++i) assert_true(registers_too(COPAL_CON, "", other[i]));
  assert_false(registers_too(COPAL_NON, "mine", (struct extra){0, NULL}));
}

static void another_server_or_method_is_another_registration(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(4);
  struct talk *talk = watchers->talk;
  watched(watchers);
  copal_address remote = bare_address(40000);
  watches_with(watchers, 'B', (copal_call_options){.remote = &remote});
  asks(talk, "CON GET observe:0 /a");
  assert_int_equal(watcher_ask(watchers, 'C', COPAL_FETCH, 0, &(copal_call_options){.size = 0}), COPAL_OK);
  asks(talk, "CON FETCH observe:0 /a");
  watchers_close(watchers);
}

/* Whether a FETCH whose body of that size and version is read or not joins one of 40 bytes. */
static bool joins_fetch(bool is_read, bool is_other_read, uint64_t size, unsigned version, bool is_known) {
  struct watchers *watchers = watchers_open(2);
  struct talk *talk = watchers->talk;
  copal_call_options options = {.size = 40, .read = is_read ? watcher_read : NULL};
  watchers->each[0].source_size = 40;
  watchers->each[1].source_size = size;
  watchers->each[1].source_version = version;
  assert_int_equal(watcher_ask(watchers, 'A', COPAL_FETCH, is_read ? 0 : 40, &options), COPAL_OK);
  asks(talk, "CON FETCH observe:0 /a +40");
  bare_in(talk->bare, "6000%04x", talk->mid);
  options.read = is_other_read ? watcher_read : NULL;
  options.size = is_known ? size : COPAL_SIZE_UNKNOWN;
  assert_int_equal(watcher_ask(watchers, 'B', COPAL_FETCH, is_other_read ? 0 : (size_t)size, &options), COPAL_OK);
  bool registers = copal_find_uint(&bare_out_one(talk->bare)->view, COPAL_OPTION_OBSERVE, 9) == 0;
  watchers_close(watchers);
  return !registers;
}

static void the_body_of_a_fetch_counts_however_it_is_given(void **state) {
  (void)state;
  for (unsigned i = 0; i < 4; ++i) {
    bool a = (i & 1) != 0, b = (i & 2) != 0;
    assert_true(joins_fetch(a, b, 40, 0, true));
    assert_false(joins_fetch(a, b, 39, 0, true));
    assert_false(joins_fetch(a, b, 41, 0, true));
    if (b) assert_true(joins_fetch(a, b, 40, 0, false));
    if (b) assert_false(joins_fetch(a, b, 41, 0, false));
    if (b) assert_false(joins_fetch(a, b, 40, 1, true));
  }
}

static void a_body_that_cannot_be_read_is_nobodys(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(2);
  struct talk *talk = watchers->talk;
  copal_call_options options = {.size = 40, .read = watcher_read};
  watchers->each[0].source_size = 40;
  watchers->each[1].source_size = COPAL_SIZE_UNKNOWN;
  assert_int_equal(watcher_ask(watchers, 'A', COPAL_FETCH, 0, &options), COPAL_OK);
  asks(talk, "CON FETCH observe:0 /a +40");
  assert_int_equal(watcher_ask(watchers, 'B', COPAL_FETCH, 0, &options), COPAL_ERR_BODY_READ);
  assert_int_equal(copal_endpoint_usage(talk->bare->endpoint).calls, 1);
  watchers_close(watchers);
}

static void bodies_are_compared_to_their_ends(void **state) {
  (void)state;
  for (unsigned i = 0; i < 3; ++i) {
    struct watchers *watchers = watchers_open(2);
    struct talk *talk = watchers->talk;
    copal_call_options options = {.size = 2500, .read = watcher_read};
    watchers->each[0].source_size = 2500;
    watchers->each[1].source_size = i < 2 ? 2500 : 2499; /* fewer than it says */
    assert_int_equal(watcher_ask(watchers, 'A', COPAL_FETCH, 0, &options), COPAL_OK);
    asks(talk, "CON FETCH observe:0 /a 1:0/1/1024 size:2500 tag +1024");
    bare_in(talk->bare, "6000%04x", talk->mid);
    if (i == 1) options.size = 2501;
    assert_int_equal(watcher_ask(watchers, 'B', COPAL_FETCH, 0, &options), COPAL_OK);
    bool registers = copal_find_uint(&bare_out_one(talk->bare)->view, COPAL_OPTION_OBSERVE, 9) == 0;
    assert_int_equal(registers, i > 0);
    watchers_close(watchers);
  }
}

static uint64_t read_zeroes(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context, (void)offset;
  memset(buffer, 0, size);
  return size;
}

/* 1,048,576 blocks are the largest body that can be sent. */
static void a_body_without_an_end_is_nobodys(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.message_size_max = 64;
  struct watchers watchers = {.talk = talk_open(&config)};
  watchers.each[0].all = watchers.each[1].all = &watchers;
  copal_call_options options = {.size = COPAL_SIZE_UNKNOWN, .read = read_zeroes};
  for (char letter = 'A'; letter <= 'B'; ++letter) {
    assert_int_equal(watcher_ask(&watchers, letter, COPAL_FETCH, 0, &options), COPAL_OK);
    const struct bare_sent *sent = bare_out_one(watchers.talk->bare);
    assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_OBSERVE, 9), 0);
    bare_in(watchers.talk->bare, "6000%04x", sent->view.message_id);
  }
  talk_close(watchers.talk);
}

/* Who reads is gone with his body: the heir has his own. */
static void a_fetch_is_renewed_with_the_body_of_who_is_left(void **state) {
  (void)state;
  for (unsigned i = 0; i < 4; ++i) {
    bool a = (i & 1) != 0, b = (i & 2) != 0;
    struct watchers *watchers = watchers_open(2);
    struct talk *talk = watchers->talk;
    copal_call_options options = {.size = 40, .read = a ? watcher_read : NULL};
    watchers->each[0].source_size = watchers->each[1].source_size = 40;
    assert_int_equal(watcher_ask(watchers, 'A', COPAL_FETCH, a ? 0 : 40, &options), COPAL_OK);
    asks(talk, "CON FETCH observe:0 /a +40");
    struct talk_token token = token_of(talk);
    answers(talk, "2.05 observe:1 +6");
    options.read = b ? watcher_read : NULL;
    assert_int_equal(watcher_ask(watchers, 'B', COPAL_FETCH, b ? 0 : 40, &options), COPAL_OK);
    leaves(watchers, 'A', false);
    watchers->each[0].source_size = COPAL_SIZE_UNKNOWN;
    asks(talk, "CON FETCH /a +40");
    answers(talk, "2.05 +6");
    talk->bare->now += 75 * COPAL_SECOND;
    asks(talk, "CON FETCH observe:0 /a +40");
    assert_token(talk, &token, true);
    watchers_close(watchers);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_asked_for_is_what_the_cache_key_says),
      cmocka_unit_test(another_server_or_method_is_another_registration),
      cmocka_unit_test(the_body_of_a_fetch_counts_however_it_is_given),
      cmocka_unit_test(a_body_that_cannot_be_read_is_nobodys),
      cmocka_unit_test(bodies_are_compared_to_their_ends),
      cmocka_unit_test(a_body_without_an_end_is_nobodys),
      cmocka_unit_test(a_fetch_is_renewed_with_the_body_of_who_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
