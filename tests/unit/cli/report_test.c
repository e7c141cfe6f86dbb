/* What requests came to, as JSON: lines that are the same whoever asks. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/show/report.h"

static char printed[4096];
static uint8_t buffer[256], response_buffer[256];
static copal_view request, response;

static int setup(void **state) {
  (void)state;
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a\"b");
  request = copal_message_view(&message);
  copal_message_init(&message, response_buffer, sizeof response_buffer, COPAL_NON, COPAL_CONTENT);
  copal_message_set_token(&message, "\x01\xff", 2);
  copal_message_add(&message, COPAL_OPTION_ETAG, "\x0a", 1);
  copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, 7);
  copal_message_add(&message, 65000, "xy", 2);
  response = copal_message_view(&message);
  return 0;
}

/* Standard output goes to a file meanwhile. */
static const char *print(void (*report)(const struct asked *, const struct outcome *), const struct asked *asked,
                         const struct outcome *outcome) {
  FILE *file = tmpfile();
  assert_non_null(file);
  fflush(stdout);
  int saved = dup(STDOUT_FILENO);
  dup2(fileno(file), STDOUT_FILENO);
  report(asked, outcome);
  fflush(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  rewind(file);
  printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
  fclose(file);
  return printed;
}

static struct outcome answer(void) {
  return (struct outcome){.message = &response,
                          .body = {(const uint8_t *)"hi", 2},
                          .body_size = 2,
                          .round_trip = 1500 * COPAL_MICROSECOND,
                          .exchanges = 1,
                          .transmissions = 2,
                          .retransmissions = 1};
}

static const struct asked ASKED = {"coap://h/a", &request, "192.0.2.1:5683"};

#define REQUEST                                                                                          \
  "\"request\":{\"method\":\"GET\",\"uri\":\"coap://h/a\",\"type\":\"CON\",\"options\":[{\"number\":11," \
  "\"name\":\"Uri-Path\",\"value\":\"a\\\"b\"}]},\"peer\":\"192.0.2.1:5683\""
#define BLOCKS "\"blocks\":{\"requests\":1,\"sent\":0,\"received\":0}"

static void a_notification_is_one_line(void **state) {
  (void)state;
  struct outcome outcome = answer();
  assert_string_equal(
      print(report_notification, &ASKED, &outcome),
      "{\"kind\":\"notification\"," REQUEST
      ",\"response\":{\"code\":\"2.05\",\"name\":\"Content\",\"type\":\"NON\","
      "\"token\":\"01ff\",\"options\":[{\"number\":4,\"name\":\"ETag\",\"value\":\"0a\"},{\"number\":6,\"name\":"
      "\"Observe\",\"value\":7},{\"number\":65000,\"name\":null,\"value\":\"7879\"}],\"content_format\":null,\"size\":"
      "2,"
      "\"encoding\":\"text\",\"payload\":\"hi\"},\"sequence\":7,\"round_trip_s\":0.001500,"
      "\"transmissions\":2,\"retransmissions\":1," BLOCKS ",\"status\":0}\n");
}

static void a_body_that_is_elsewhere_is_left_out(void **state) {
  (void)state;
  struct outcome outcome = answer();
  outcome.body.data = NULL;
  print(report_response, &ASKED, &outcome);
  assert_non_null(strstr(printed, "\"size\":2},"));
  assert_null(strstr(printed, "payload"));
}

static void an_error_has_its_name_in_small_letters(void **state) {
  (void)state;
  struct outcome outcome = answer();
  outcome.message = NULL;
  outcome.round_trip = COPAL_NEVER;
  outcome.error = COPAL_ERR_BODY_BLOCKS;
  outcome.error_text = "it went \"wrong\"";
  outcome.status = STATUS_MALFORMED;
  assert_string_equal(print(report_response, &ASKED, &outcome),
                      "{\"kind\":\"error\"," REQUEST ",\"transmissions\":2,\"retransmissions\":1," BLOCKS
                      ",\"error\":{\"name\":\"body_blocks\",\"message\":\"it went \\\"wrong\\\"\"},\"status\":9}\n");
}

static void a_pong_has_no_response(void **state) {
  (void)state;
  static const struct asked asked = {"coap://h", NULL, "192.0.2.1:5683"};
  struct outcome outcome = {.round_trip = COPAL_MILLISECOND, .transmissions = 1};
  assert_string_equal(print(report_pong, &asked, &outcome),
                      "{\"kind\":\"pong\",\"request\":{\"method\":\"PING\",\"uri\":\"coap://h\",\"type\":\"CON\","
                      "\"options\":[]},\"peer\":\"192.0.2.1:5683\",\"round_trip_s\":0.001000,\"transmissions\":1,"
                      "\"retransmissions\":0,\"status\":0}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_notification_is_one_line, setup),
      cmocka_unit_test_setup(a_body_that_is_elsewhere_is_left_out, setup),
      cmocka_unit_test_setup(an_error_has_its_name_in_small_letters, setup),
      cmocka_unit_test_setup(a_pong_has_no_response, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
