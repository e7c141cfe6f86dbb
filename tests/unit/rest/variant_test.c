/* A request in the form that all who ask alike have in common, and the hash of its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/variant.h"

struct request {
  uint8_t bytes[256], variant[256];
  copal_message message;
};

static void begin(struct request *request, uint8_t code) {
  copal_message_init(&request->message, request->bytes, sizeof request->bytes, COPAL_CON, code);
  copal_message_set_token(&request->message, "token", 5);
  copal_message_add_text(&request->message, COPAL_OPTION_URI_PATH, "a");
}

static size_t write(struct request *request) {
  copal_view view = copal_message_view(&request->message);
  return variant_write(&view, request->variant, sizeof request->variant);
}

static void assert_variant(struct request *request, const void *expected, size_t size) {
  assert_int_equal(write(request), size);
  assert_memory_equal(request->variant, expected, size);
}

#define assert_bytes(request, text) assert_variant(request, text, sizeof(text) - 1)

static void what_is_one_clients_own_is_left_out(void **state) {
  (void)state;
  static const uint16_t own[] = {COPAL_OPTION_ETAG,        COPAL_OPTION_OBSERVE,  COPAL_OPTION_BLOCK1,
                                 COPAL_OPTION_Q_BLOCK1,    COPAL_OPTION_Q_BLOCK2, COPAL_OPTION_SIZE1,
                                 COPAL_OPTION_SIZE2,       COPAL_OPTION_ECHO,     COPAL_OPTION_NO_RESPONSE,
                                 COPAL_OPTION_REQUEST_TAG, 28 + 32 * 100};
  for (size_t i = 0; i < sizeof own / sizeof *own; ++i) {
    struct request request;
    begin(&request, COPAL_GET);
    copal_message_add(&request.message, own[i], "x", 1);
    assert_bytes(&request,
                 "\x50\x01\0\0\xb1"
                 "a");
  }
}

static void what_says_what_is_wanted_stays(void **state) {
  (void)state;
  static const uint16_t kept[] = {COPAL_OPTION_URI_HOST, COPAL_OPTION_URI_PORT, COPAL_OPTION_URI_QUERY,
                                  COPAL_OPTION_ACCEPT,   COPAL_OPTION_BLOCK2,   COPAL_OPTION_IF_MATCH,
                                  2 + 32 * 100};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; ++i) {
    struct request request;
    copal_view view;
    copal_option option;
    begin(&request, COPAL_GET);
    copal_message_add(&request.message, kept[i], "x", 1);
    size_t size = write(&request);
    assert_int_equal(copal_decode(request.variant, size, &view), COPAL_OK);
    assert_true(copal_find(&view, kept[i], &option));
    assert_int_equal(option.value[0], 'x');
  }
}

static void a_payload_stays(void **state) {
  (void)state;
  struct request request;
  begin(&request, COPAL_FETCH);
  copal_message_set_payload(&request.message, "key", 3);
  assert_bytes(&request,
               "\x50\x05\0\0\xb1"
               "a\xff"
               "key");
}

static void what_does_not_fit_is_told(void **state) {
  (void)state;
  struct request request;
  begin(&request, COPAL_FETCH);
  copal_message_set_payload(&request.message, "key", 3);
  copal_view view = copal_message_view(&request.message);
  assert_int_equal(variant_write(&view, request.variant, 9), 0);
  assert_int_equal(variant_write(&view, request.variant, 10), 10);
}

static uint64_t path_of(const char *const *segments, size_t count) {
  static const struct hash_key key = {1, 2};
  uint8_t bytes[64];
  copal_message message;
  copal_message_init(&message, bytes, sizeof bytes, COPAL_CON, COPAL_GET);
  for (size_t i = 0; i < count; ++i) copal_message_add_text(&message, COPAL_OPTION_URI_PATH, segments[i]);
  copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, "of no account");
  copal_view view = copal_message_view(&message);
  return variant_path(&key, &view);
}

static void paths_differ_by_their_segments(void **state) {
  (void)state;
  static const char *const paths[][3] = {
      {"a", "b"}, {"b", "a"}, {"ab", ""}, {"a/b", "x"}, {"", "ab"}, {"a", "b", ""}, {"a", "b", "c"},
  };
  static const size_t counts[] = {2, 2, 2, 1, 2, 3, 3};
  uint64_t hashes[8];
  for (size_t i = 0; i < 7; ++i) hashes[i] = path_of(paths[i], counts[i]);
  hashes[7] = path_of(NULL, 0);
  for (size_t i = 0; i < 8; ++i)
    for (size_t k = 0; k < i; ++k) assert_true(hashes[i] != hashes[k]);
  assert_true(path_of(paths[0], 2) == hashes[0]);
}

/* RFC 7641 3.1: "The target resource is identified by all options in the request that are part of the Cache-Key." */
static void targets_are_compared_by_method_and_options(void **state) {
  (void)state;
  static const struct {
    uint8_t code;
    const char *path, *query;
  } cases[] = {{COPAL_GET, "a", NULL},  {COPAL_FETCH, "a", NULL}, {COPAL_GET, "b", NULL}, {COPAL_GET, "ab", NULL},
               {COPAL_GET, NULL, NULL}, {COPAL_GET, "a", "q"},    {COPAL_GET, NULL, "a"}};
  enum { CASES = sizeof cases / sizeof *cases };
  static const struct hash_key key = {1, 2};
  uint8_t bytes[CASES][64];
  copal_view views[CASES];
  for (size_t i = 0; i < CASES; ++i) {
    copal_message message;
    copal_message_init(&message, bytes[i], sizeof bytes[i], COPAL_CON, cases[i].code);
    copal_message_add(&message, COPAL_OPTION_ETAG, &i, sizeof(char));
    if (cases[i].path != NULL) copal_message_add_text(&message, COPAL_OPTION_URI_PATH, cases[i].path);
    if (cases[i].query != NULL) copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, cases[i].query);
    if (i % 2 == 0) copal_message_add_uint(&message, COPAL_OPTION_SIZE2, 0);
    views[i] = copal_message_view(&message);
  }
  for (size_t i = 0; i < CASES; ++i)
    for (size_t k = 0; k < CASES; ++k) {
      assert_int_equal(variant_is_same_target(&views[i], &views[k]), i == k);
      assert_int_equal(variant_target(&key, &views[i]) == variant_target(&key, &views[k]), i == k);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_one_clients_own_is_left_out),
      cmocka_unit_test(what_says_what_is_wanted_stays),
      cmocka_unit_test(a_payload_stays),
      cmocka_unit_test(what_does_not_fit_is_told),
      cmocka_unit_test(paths_differ_by_their_segments),
      cmocka_unit_test(targets_are_compared_by_method_and_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
