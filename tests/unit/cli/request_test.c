/* Requests built from settings: options by name, number and format, and what wins over what. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "cli/ask/request.h"

static uint8_t buffer[REQUEST_SIZE_MAX];
static copal_message message;
static struct settings settings;
static char error[300];

static int setup(void **state) {
  (void)state;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_PUT);
  settings = settings_default();
  error[0] = '\0';
  return 0;
}

static void assert_option(const char *text, uint16_t number, const char *value, size_t size) {
  setup(NULL);
  if (!request_add_option(&message, text, error, sizeof error)) fail_msg("'%s': %s", text, error);
  copal_view view = copal_message_view(&message);
  copal_option option;
  assert_true(copal_option_index(&view, 0, &option));
  assert_int_equal(option.number, number);
  assert_int_equal(option.size, size);
  if (size > 0) assert_memory_equal(option.value, value, size);
  assert_false(copal_option_index(&view, 1, &option));
}

static void an_option_is_read_by_its_format(void **state) {
  (void)state;
  assert_option("Uri-Path=a=b", COPAL_OPTION_URI_PATH, "a=b", 3);
  assert_option("uri_path=0x41", COPAL_OPTION_URI_PATH, "0x41", 4); /* text stays text */
  assert_option("11=a", COPAL_OPTION_URI_PATH, "a", 1);
  assert_option("ETag=0x0aFF", COPAL_OPTION_ETAG, "\x0a\xff", 2);
  assert_option("ETag=abc", COPAL_OPTION_ETAG, "abc", 3);
  assert_option("If-None-Match", COPAL_OPTION_IF_NONE_MATCH, "", 0);
  assert_option("65001=0x00", 65001, "\0", 1);
  assert_option("65000=text", 65000, "text", 4);
  assert_option("65000", 65000, "", 0);
}

/* RFC 7252 3.2: "A sender SHOULD represent the integer with as few bytes as possible, i.e., without leading zero
 * bytes." */
static void a_number_takes_as_few_bytes_as_possible(void **state) {
  (void)state;
  assert_option("Max-Age=0", COPAL_OPTION_MAX_AGE, "", 0);
  assert_option("Max-Age=255", COPAL_OPTION_MAX_AGE, "\xff", 1);
  assert_option("Max-Age=0x10000", COPAL_OPTION_MAX_AGE, "\x01\0\0", 3);
  assert_option("Max-Age=4294967295", COPAL_OPTION_MAX_AGE, "\xff\xff\xff\xff", 4);
}

static void formats_have_names(void **state) {
  (void)state;
  assert_option("Accept=json", COPAL_OPTION_ACCEPT, "\x32", 1);
  assert_option("Content-Format=text", COPAL_OPTION_CONTENT_FORMAT, "", 0);
  assert_option("Accept=11542", COPAL_OPTION_ACCEPT, "\x2d\x16", 2);
}

static void assert_refused(const char *text, const char *reason) {
  setup(NULL);
  assert_false(request_add_option(&message, text, error, sizeof error));
  assert_string_equal(error, reason);
}

static void a_bad_option_says_why(void **state) {
  (void)state;
  assert_refused("Uri-Pat=x", "no option is called 'Uri-Pat': did you mean Uri-Path?");
  assert_refused("Xyzzy=x", "no option is called 'Xyzzy': use its number");
  assert_refused("65536", "no option is called '65536': use its number");
  assert_refused("Max-Age=soon", "option Max-Age takes a number, not 'soon'");
  assert_refused("Accept=nonsense", "option Accept takes a number, not 'nonsense'");
  assert_refused("ETag=0x1", "option value '0x1' has an odd number of hexadecimal digits");
  assert_refused("ETag=0x010203040506070809", "option 'ETag=0x010203040506070809': option value has an illegal length");
  assert_refused("If-None-Match=1", "option 'If-None-Match=1': option value has an illegal length");
  assert_refused("", "no option is called '': use its number");
}

static void the_command_line_wins_over_the_uri(void **state) {
  (void)state;
  copal_message_add_text(&message, COPAL_OPTION_URI_HOST, "example.net");
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  settings.accept = "json";
  settings.options.items[0] = "Uri-Host=other";
  settings.options.items[1] = "Uri-Path=b";
  settings.options.items[2] = "Accept=60";
  settings.options.count = 3;
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  copal_view view = copal_message_view(&message);
  copal_option option;
  assert_true(copal_option_index(&view, 0, &option));
  assert_memory_equal(option.value, "other", 5);
  assert_true(copal_option_index(&view, 2, &option));
  assert_memory_equal(option.value, "b", 1);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_ACCEPT, 0), COPAL_CBOR);
}

static void an_option_that_may_stand_once_is_refused_twice(void **state) {
  (void)state;
  settings.options.items[0] = "Max-Age=1";
  settings.options.items[1] = "Max-Age=2";
  settings.options.count = 2;
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
  assert_string_equal(error, "option 'Max-Age=2': option may not be repeated");
}

static void a_payload_has_a_format_unless_told_otherwise(void **state) {
  (void)state;
  settings.data = "on";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  copal_view view = copal_message_view(&message);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_TEXT_PLAIN);
  assert_int_equal(view.payload.size, 2);
  assert_memory_equal(view.payload.data, "on", 2);

  setup(NULL);
  settings.hex = "ff:00";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  view = copal_message_view(&message);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_OCTET_STREAM);
  assert_memory_equal(view.payload.data, "\xff\0", 2);

  setup(NULL);
  settings.data = "on";
  settings.format = "none";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  view = copal_message_view(&message);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, 99), 99);

  setup(NULL);
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  assert_int_equal(message.size, 4);
}

static void a_payload_in_a_file_is_left_to_who_sends(void **state) {
  (void)state;
  settings.file = "/no/such/file";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  copal_view view = copal_message_view(&message);
  assert_int_equal(view.payload.size, 0);
  assert_int_equal(copal_find_uint(&view, COPAL_OPTION_CONTENT_FORMAT, 99), COPAL_OCTET_STREAM);
}

static void an_option_is_known_to_be_given_by_name_or_number(void **state) {
  (void)state;
  settings.options.items[0] = "block2=0";
  settings.options.items[1] = "258=26";
  settings.options.count = 2;
  assert_true(request_gives_option(&settings, COPAL_OPTION_BLOCK2));
  assert_true(request_gives_option(&settings, COPAL_OPTION_NO_RESPONSE));
  assert_false(request_gives_option(&settings, COPAL_OPTION_BLOCK1));
}

static void two_payloads_are_refused(void **state) {
  (void)state;
  settings.data = "a";
  settings.hex = "00";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
  assert_string_equal(error, "--data, --file, --hex and --json-data exclude each other");
}

static void conditions_are_options(void **state) {
  (void)state;
  settings.if_matches = (struct list){{"0x0102", "text", ""}, 3};
  settings.etags = (struct list){{"0xff"}, 1};
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  copal_view view = copal_message_view(&message);
  static const struct {
    uint16_t number;
    size_t size;
    const char *value;
  } expected[] = {{COPAL_OPTION_IF_MATCH, 2, "\x01\x02"},
                  {COPAL_OPTION_IF_MATCH, 4, "text"},
                  {COPAL_OPTION_IF_MATCH, 0, ""},
                  {COPAL_OPTION_ETAG, 1, "\xff"}};
  copal_option option;
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; ++i) {
    assert_true(copal_option_index(&view, i, &option));
    assert_int_equal(option.number, expected[i].number);
    assert_int_equal(option.size, expected[i].size);
    if (option.size > 0) assert_memory_equal(option.value, expected[i].value, option.size);
  }
  assert_false(copal_option_index(&view, 4, &option));
  settings.if_none_match = true;
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
  assert_non_null(strstr(error, "exclude each other"));
}

static void what_is_no_etag_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"nine char", "0x010203040506070809", "0xzz", "0x1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    setup(state);
    settings.if_matches = (struct list){{bad[i]}, 1};
    assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
    assert_non_null(strstr(error, bad[i]));
  }
  setup(state);
  settings.etags = (struct list){{""}, 1};
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
}

static void a_token_is_taken_as_it_is(void **state) {
  (void)state;
  settings.token = "4a 1b";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_SUCCESS);
  copal_view view = copal_message_view(&message);
  assert_int_equal(view.token.size, 2);
  assert_memory_equal(view.token.data, "\x4a\x1b", 2);
  setup(NULL);
  settings.token = "";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
  assert_string_equal(error, "--token is empty");
  settings.token = "4";
  assert_int_equal(request_fill(&message, &settings, error, sizeof error), STATUS_USAGE);
  assert_string_equal(error, "--token has an odd number of hexadecimal digits");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(an_option_is_read_by_its_format, setup),
      cmocka_unit_test_setup(a_number_takes_as_few_bytes_as_possible, setup),
      cmocka_unit_test_setup(formats_have_names, setup),
      cmocka_unit_test_setup(a_bad_option_says_why, setup),
      cmocka_unit_test_setup(the_command_line_wins_over_the_uri, setup),
      cmocka_unit_test_setup(an_option_that_may_stand_once_is_refused_twice, setup),
      cmocka_unit_test_setup(a_payload_has_a_format_unless_told_otherwise, setup),
      cmocka_unit_test_setup(a_payload_in_a_file_is_left_to_who_sends, setup),
      cmocka_unit_test_setup(an_option_is_known_to_be_given_by_name_or_number, setup),
      cmocka_unit_test_setup(two_payloads_are_refused, setup),
      cmocka_unit_test_setup(conditions_are_options, setup),
      cmocka_unit_test_setup(what_is_no_etag_is_refused, setup),
      cmocka_unit_test_setup(a_token_is_taken_as_it_is, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
