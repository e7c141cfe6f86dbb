/* The example exchanges of RFC 7641, Appendix A.1: Figures 3 to 6, from both sides, as bytes. What one side chooses is
 * taken over from it: the client its message IDs, the server its message IDs and Observe numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

#define TEMPERATURE "74656d7065726174757265"

/* --- The server --------------------------------------------------------------------------------- */

struct thermometer {
  struct bare *bare;
  const char *text;
  uint32_t number; /* of the latest notification; UINT32_MAX before */
};

static void measure(copal_request *request, void *context) {
  const struct thermometer *thermometer = context;
  static const uint8_t etag[] = {0x78, 0x79, 0x7a, 0x7a, 0x79};
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 15);
  if (strcmp(thermometer->text, "19.7 Cel") == 0) copal_message_add(reply, COPAL_OPTION_ETAG, etag, sizeof etag);
  copal_reply_body(request, thermometer->text, strlen(thermometer->text));
}

static void open_server(struct thermometer *thermometer, const char *text, copal_time confirm_every) {
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  *thermometer = (struct thermometer){.bare = bare_open(&config), .text = text, .number = UINT32_MAX};
  copal_endpoint *endpoint = thermometer->bare->endpoint;
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/temperature", measure, thermometer), COPAL_OK);
  assert_int_equal(copal_route_observable(endpoint, "/temperature", confirm_every), COPAL_OK);
}

/* A response with these options, whose Observe number is newer than the one before. */
static const struct bare_sent *is_notified(struct thermometer *thermometer, copal_type type, const char *token) {
  const struct bare_sent *sent = bare_out_one(thermometer->bare);
  char text[2 * 16 + 1];
  assert_int_equal(sent->view.type, type);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_string_equal(bare_token(sent, text), token);
  uint32_t number = copal_find_uint(&sent->view, COPAL_OPTION_OBSERVE, UINT32_MAX);
  assert_in_range(number, 0, 0xffffff);
  if (thermometer->number != UINT32_MAX) assert_in_range((number - thermometer->number) & 0xffffff, 1, (1 << 23) - 1);
  thermometer->number = number;
  assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_MAX_AGE, 0), 15);
  assert_int_equal(sent->view.payload.size, strlen(thermometer->text));
  assert_memory_equal(sent->view.payload.data, thermometer->text, strlen(thermometer->text));
  return sent;
}

static void changes(struct thermometer *thermometer, const char *text, copal_time after) {
  thermometer->bare->now += after;
  thermometer->text = text;
  assert_int_equal(copal_notify(thermometer->bare->endpoint, "/temperature"), 1);
}

/* RFC 7641 4.2: "Each such notification response (including the initial response) MUST echo the token specified by
 * the client in the GET request." */
static void figures_3_and_4_the_server(void **state) {
  (void)state;
  struct thermometer thermometer;
  open_server(&thermometer, "18.5 Cel", 3600 * COPAL_SECOND);
  bare_in(thermometer.bare, "410116334a605b" TEMPERATURE);
  assert_int_equal(is_notified(&thermometer, COPAL_ACK, "4a")->view.message_id, 0x1633);
  changes(&thermometer, "19.2 Cel", 7 * COPAL_SECOND);
  is_notified(&thermometer, COPAL_NON, "4a");
  /* This one is lost, and the client asks anew with another token. */
  changes(&thermometer, "19.7 Cel", 9 * COPAL_SECOND);
  is_notified(&thermometer, COPAL_NON, "4a");
  thermometer.bare->now += 13 * COPAL_SECOND;
  bare_in(thermometer.bare, "41011634b2605b" TEMPERATURE);
  const struct bare_sent *answer = is_notified(&thermometer, COPAL_ACK, "b2");
  assert_int_equal(answer->view.message_id, 0x1634);
  copal_option etag;
  assert_true(copal_find(&answer->view, COPAL_OPTION_ETAG, &etag));
  assert_int_equal(etag.size, 5);
  assert_memory_equal(etag.value, "\x78\x79\x7a\x7a\x79", 5);
  bare_close(thermometer.bare);
}

/* Figure 5 has the server select a stored response. RFC 7641 4.3.2: "the server MAY send a 2.03 (Valid) response with
 * an appropriate ETag Option instead." Ours sends the whole, which the client understands as well. */
static void figure_5_the_server(void **state) {
  (void)state;
  struct thermometer thermometer;
  open_server(&thermometer, "20.0 Cel", 3600 * COPAL_SECOND);
  bare_in(thermometer.bare, "41011635f94578797a7a79205b" TEMPERATURE);
  assert_int_equal(is_notified(&thermometer, COPAL_ACK, "f9")->view.message_id, 0x1635);
  changes(&thermometer, "19.7 Cel", 7 * COPAL_SECOND);
  is_notified(&thermometer, COPAL_NON, "f9");
  bare_close(thermometer.bare);
}

static void figure_6_the_server(void **state) {
  (void)state;
  struct thermometer thermometer;
  open_server(&thermometer, "19.7 Cel", 0);
  bare_in(thermometer.bare, "41011635f9605b" TEMPERATURE);
  is_notified(&thermometer, COPAL_ACK, "f9");
  changes(&thermometer, "19.3 Cel", 7 * COPAL_SECOND);
  bare_in(thermometer.bare, "7000%04x", is_notified(&thermometer, COPAL_CON, "f9")->view.message_id);
  assert_out(thermometer.bare, "");
  thermometer.text = "19.0 Cel";
  assert_int_equal(copal_notify(thermometer.bare->endpoint, "/temperature"), 0);
  assert_out(thermometer.bare, "");
  bare_close(thermometer.bare);
}

/* --- The client --------------------------------------------------------------------------------- */

struct observer {
  struct bare *bare;
  copal_call call;
  unsigned count;
  bool observed;
  uint8_t code;
  char text[16];
};

static void note_state(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct observer *observer = context;
  ++observer->count;
  observer->observed = result->observed;
  assert_int_equal(result->error, COPAL_OK);
  observer->code = result->rx->message.code;
  snprintf(observer->text, sizeof observer->text, "%.*s", (int)result->body.size,
           result->body.size > 0 ? (const char *)result->body.data : "");
}

/* Begins an observation with that token, which goes out as the figures have it; returns its message ID. */
static uint16_t observe(struct observer *observer, uint8_t token, const char *etag) {
  uint8_t buffer[64], bytes[8];
  char expected[96];
  copal_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_set_token(&message, &token, 1);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "temperature");
  if (etag[0] != '\0') copal_message_add(&message, COPAL_OPTION_ETAG, bytes, bare_unhex(etag, bytes, sizeof bytes));
  copal_call_options options = {.message = &message, .remote = &remote, .handler = note_state, .context = observer};
  options.observe = true;
  assert_int_equal(copal_call_begin(observer->bare->endpoint, &options, &observer->call), COPAL_OK);
  const struct bare_sent *sent = bare_out_one(observer->bare);
  uint16_t mid = sent->view.message_id;
  snprintf(expected, sizeof expected, "4101%04x%02x%s%s%s5b" TEMPERATURE, mid, token, etag[0] != '\0' ? "45" : "", etag,
           etag[0] != '\0' ? "20" : "60");
  assert_string_equal(observer->bare->text, expected);
  return mid;
}

static void open_client(struct observer *observer) {
  copal_config config = copal_config_small();
  config.message_size_max = 1152; /* with room for the largest block, so that none is asked for */
  config.messages_size = 4 * 2048;
  config.replies_size = 2 * 4096;
  *observer = (struct observer){.bare = bare_open(&config)};
}

static void is_told(const struct observer *observer, unsigned count, uint8_t code, const char *text) {
  assert_int_equal(observer->count, count);
  assert_int_equal(observer->code, code);
  assert_string_equal(observer->text, text);
  assert_true(observer->observed);
}

static void figure_3_the_client(void **state) {
  (void)state;
  struct observer observer;
  open_client(&observer);
  uint16_t mid = observe(&observer, 0x4a, "");
  bare_in(observer.bare, "6145%04x4a6109810fff31382e352043656c", mid);
  is_told(&observer, 1, COPAL_CONTENT, "18.5 Cel");
  observer.bare->now += 7 * COPAL_SECOND;
  bare_in(observer.bare, "51457b504a6110810fff31392e322043656c");
  is_told(&observer, 2, COPAL_CONTENT, "19.2 Cel");
  assert_out(observer.bare, "");
  bare_close(observer.bare);
}

/* Nothing came for Max-Age and 5 to 15 s more: the client registers again. Figure 4 gives it a new token; RFC 7641
 * 3.3.1 has "a new GET request with the same token as the original", as ours does. */
static void figure_4_the_client(void **state) {
  (void)state;
  struct observer observer;
  open_client(&observer);
  uint16_t mid = observe(&observer, 0x4a, "");
  bare_in(observer.bare, "6145%04x4a6110810fff31392e322043656c", mid);
  observer.bare->now += 20 * COPAL_SECOND - 1;
  assert_out(observer.bare, "");
  observer.bare->now += 10 * COPAL_SECOND + 1;
  const struct bare_sent *again = bare_out_one(observer.bare);
  uint16_t later = again->view.message_id;
  assert_int_not_equal(later, mid);
  char expected[96];
  snprintf(expected, sizeof expected, "4101%04x4a605b" TEMPERATURE, later);
  assert_string_equal(observer.bare->text, expected);
  bare_in(observer.bare,
          "6145%04x4a4578797a7a7921"
          "2c810fff31392e372043656c",
          later);
  is_told(&observer, 2, COPAL_CONTENT, "19.7 Cel");
  bare_close(observer.bare);
}

static void figure_5_the_client(void **state) {
  (void)state;
  struct observer observer;
  open_client(&observer);
  uint16_t mid = observe(&observer, 0xf9, "78797a7a79");
  bare_in(observer.bare, "6145%04xf9614a810fff32302e302043656c", mid);
  is_told(&observer, 1, COPAL_CONTENT, "20.0 Cel");
  observer.bare->now += 7 * COPAL_SECOND;
  bare_in(observer.bare,
          "5143aa0cf94578797a7a7921"
          "51810f");
  is_told(&observer, 2, COPAL_VALID, "");
  bare_close(observer.bare);
}

static void figure_6_the_client(void **state) {
  (void)state;
  struct observer observer;
  open_client(&observer);
  uint16_t mid = observe(&observer, 0xf9, "");
  bare_in(observer.bare, "6145%04xf96151810fff31392e372043656c", mid);
  assert_int_equal(copal_call_cancel(observer.bare->endpoint, observer.call, false), COPAL_OK);
  bare_expect(observer.bare, "4145aa0ff9615b810fff31392e332043656c", "7000aa0f");
  assert_int_equal(observer.count, 1);
  bare_close(observer.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_3_and_4_the_server), cmocka_unit_test(figure_5_the_server),
      cmocka_unit_test(figure_6_the_server),        cmocka_unit_test(figure_3_the_client),
      cmocka_unit_test(figure_4_the_client),        cmocka_unit_test(figure_5_the_client),
      cmocka_unit_test(figure_6_the_client),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
