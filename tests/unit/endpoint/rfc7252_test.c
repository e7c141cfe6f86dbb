/* RFC 7252 as exchanges with a bare endpoint: the figures of Appendix A to the byte, the instants of retransmission,
 * what limits sending, and multicast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static const copal_time START = 1000 * COPAL_SECOND;

/* --- Appendix A, against a server ---------------------------------------------------------------- */

#define GET_TEMPERATURE "bb74656d7065726174757265"
#define CELSIUS "ff32322e332043"

struct server {
  struct bare *bare;
  int requests;
  bool defers;
  copal_deferred deferred;
};

/* The figures' "22.3 C" comes without a Content-Format. */
static void temperature(copal_request *request, void *context) {
  struct server *server = context;
  ++server->requests;
  if (server->defers)
    assert_int_equal(copal_defer(request, &server->deferred), COPAL_OK);
  else
    copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, "22.3 C", 6);
}

static void open_server(struct server *server) {
  copal_config config = copal_config_small();
  *server = (struct server){.bare = bare_open(&config)};
  assert_int_equal(copal_route(server->bare->endpoint, COPAL_GET, "/temperature", temperature, server), COPAL_OK);
}

static void figures_16_and_17_confirmable_request_piggybacked_response(void **state) {
  (void)state;
  struct server server;
  open_server(&server);
  bare_expect(server.bare, "40017d34" GET_TEMPERATURE, "60457d34" CELSIUS);
  bare_expect(server.bare, "41017d3520" GET_TEMPERATURE, "61457d3520" CELSIUS);
  bare_close(server.bare);
}

/* Figure 19: the ACK is lost; the retransmitted request gets the same response and is not processed again. */
static void figures_18_and_19_lost_request_and_lost_response(void **state) {
  (void)state;
  struct server server;
  open_server(&server);
  bare_expect(server.bare, "41017d3631" GET_TEMPERATURE, "61457d3631" CELSIUS);
  bare_expect(server.bare, "41017d3742" GET_TEMPERATURE, "61457d3742" CELSIUS);
  server.bare->now += 2500 * COPAL_MILLISECOND;
  bare_expect(server.bare, "41017d3742" GET_TEMPERATURE, "61457d3742" CELSIUS);
  assert_int_equal(server.requests, 2);
  bare_close(server.bare);
}

static void figure_20_a_separate_response(void **state) {
  (void)state;
  struct server server;
  open_server(&server);
  server.defers = true;
  bare_expect(server.bare, "41017d3853" GET_TEMPERATURE, "");
  server.bare->now += COPAL_SECOND;
  assert_out(server.bare, "60007d38");
  struct bare_message message;
  bare_write(&message, COPAL_CON, COPAL_CONTENT, NULL, "22.3 C");
  assert_int_equal(copal_deferred_reply(server.bare->endpoint, server.deferred, &message.message), COPAL_OK);
  const struct bare_sent *sent = bare_out_one(server.bare);
  uint8_t expected[] = {0x41, 0x45, sent->bytes[2], sent->bytes[3], 0x53, 0xff, 0x32, 0x32, 0x2e, 0x33, 0x20, 0x43};
  assert_int_equal(sent->size, sizeof expected);
  assert_memory_equal(sent->bytes, expected, sizeof expected);
  bare_in(server.bare, "6000%02x%02x", expected[2], expected[3]);
  server.bare->now += 300 * COPAL_SECOND;
  assert_out(server.bare, "");
  bare_close(server.bare);
}

static void figure_22_a_non_confirmable_request(void **state) {
  (void)state;
  struct server server;
  open_server(&server);
  bare_in(server.bare, "51017d4075" GET_TEMPERATURE);
  const struct bare_sent *sent = bare_out_one(server.bare);
  uint8_t expected[] = {0x51, 0x45, sent->bytes[2], sent->bytes[3], 0x75, 0xff, 0x32, 0x32, 0x2e, 0x33, 0x20, 0x43};
  assert_memory_equal(sent->bytes, expected, sizeof expected);
  bare_close(server.bare);
}

/* --- Appendix A, against a client ---------------------------------------------------------------- */

static struct bare *open_client(void) {
  copal_config config = copal_config_small();
  return bare_open(&config);
}

static void send_get(struct bare *bare, copal_type type, const copal_address *to, struct bare_call *call) {
  struct bare_message message;
  *call = (struct bare_call){.count = 0};
  copal_message *written = bare_write(&message, type, COPAL_GET, "temperature", NULL);
  copal_message_set_token(written, "\x20", 1);
  assert_int_equal(copal_request_send(bare->endpoint, written, to, COPAL_NEVER, bare_called, call, NULL), COPAL_OK);
}

/* Figure 18: the request is lost, the identical one is sent again, and the response ends it. */
static void figures_17_and_18_by_a_client(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  copal_address server = bare_address(BARE_PORT);
  send_get(bare, COPAL_CON, &server, &call);
  const struct bare_sent *sent = bare_out_one(bare);
  uint8_t first[64];
  size_t size = sent->size;
  memcpy(first, sent->bytes, size);
  assert_int_equal(size, 17);
  assert_memory_equal(first + 4, "\x20\xbbtemperature", 13);
  bare->now = copal_endpoint_deadline(bare->endpoint);
  sent = bare_out_one(bare);
  assert_int_equal(sent->size, size);
  assert_memory_equal(sent->bytes, first, size);
  bare_in(bare, "6145%02x%02x20" CELSIUS, first[2], first[3]);
  assert_int_equal(call.count, 1);
  assert_string_equal(call.payload, "22.3 C");
  bare->now += 100 * COPAL_SECOND;
  assert_out(bare, "");
  bare_close(bare);
}

/* Figure 20 and 21: a separate response is acknowledged; one that is unknown is rejected, and what acknowledges nothing
 * is ignored. */
static void figures_20_and_21_by_a_client(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  copal_address server = bare_address(BARE_PORT);
  send_get(bare, COPAL_CON, &server, &call);
  bare_in(bare, "6000%04x", bare_out_one(bare)->view.message_id);
  bare_expect(bare, "4145ad7b20" CELSIUS, "6000ad7b");
  assert_int_equal(call.count, 1);
  bare_expect(bare, "4145ad7c64" CELSIUS, "7000ad7c");
  bare_expect(bare, "60007d39", "");
  bare_close(bare);
}

/* Figure 23: three servers answer a group. */
static void figure_23_by_a_client(void **state) {
  (void)state;
  struct bare *bare = open_client();
  struct bare_call call;
  copal_address group = bare_group();
  send_get(bare, COPAL_NON, &group, &call);
  assert_int_equal(bare_out_one(bare)->view.type, COPAL_NON);
  bare_in_from(bare, 7001, "514560b120" CELSIUS);
  assert_string_equal(call.payload, "22.3 C");
  bare_in_from(bare, 7002, "514501a020ff32302e392043");
  assert_string_equal(call.payload, "20.9 C");
  bare_in_from(bare, 7003, "5184952a20");
  assert_int_equal(call.code, COPAL_NOT_FOUND);
  assert_int_equal(call.count, 3);
  assert_out(bare, "");
  bare_close(bare);
}

/* --- 4.2: retransmission ---------------------------------------------------------------------------- */

/* "the initial timeout is set to a random duration (often not an integral number of seconds) between ACK_TIMEOUT and
 * (ACK_TIMEOUT * ACK_RANDOM_FACTOR) … the timeout is doubled." With the defaults: 2 to 3 s, then 4 to 6, 8 to 12, 16 to
 * 24, and 32 to 48 s until it is given up. */
static void section_4_2_instants_of_retransmission(void **state) {
  (void)state;
  double least = 10, most = 0;
  for (uint8_t seed = 0; seed < 100; ++seed) {
    copal_config config = copal_config_small();
    struct bare *bare = bare_open_seeded(&config, seed);
    copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
    copal_time instants[6];
    for (int i = 0; i < 5; ++i) {
      bare_out_one(bare);
      instants[i] = bare->now;
      assert_true(copal_endpoint_deadline(bare->endpoint) == bare_info(bare, tx).next_event_time);
      bare->now = bare_info(bare, tx).next_event_time;
    }
    assert_out(bare, "");
    assert_true(bare_info(bare, tx).is_unacknowledged);
    instants[5] = bare->now;
    copal_time first = instants[1] - instants[0];
    for (int i = 0; i < 5; ++i) assert_true(instants[i + 1] - instants[i] == first << i);
    /* 4.8.2: MAX_TRANSMIT_SPAN 45 s and MAX_TRANSMIT_WAIT 93 s are the maxima */
    assert_true(instants[4] - START <= 45 * COPAL_SECOND && instants[5] - START <= 93 * COPAL_SECOND);
    assert_true(first >= 2 * COPAL_SECOND && first <= 3 * COPAL_SECOND);
    double seconds = (double)first / 1e9;
    least = seconds < least ? seconds : least;
    most = seconds > most ? seconds : most;
    bare_close(bare);
  }
  assert_true(least < 2.1 && most > 2.9); /* random over the whole window */
}

/* Timing parameters are the endpoint's: 10 ms back-off works as well. */
/* RFC 7252 4.8.1: "ACK_RANDOM_FACTOR MUST NOT be decreased below 1.0, and it SHOULD have a value that is sufficiently
 * different from 1.0". */
static void section_4_8_1_the_random_factor_is_1_at_least(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  assert_true(config.parameters.ack_random_permille == 1500);
  config.parameters.ack_random_permille = 1000;
  assert_int_not_equal(copal_endpoint_size(&config), 0);
  config.parameters.ack_random_permille = 999;
  assert_int_equal(copal_endpoint_size(&config), 0);
}

static void section_4_8_parameters_can_be_set(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.parameters.ack_timeout = 10 * COPAL_MILLISECOND;
  config.parameters.ack_random_permille = 1000;
  config.parameters.max_retransmit = 3;
  assert_true(copal_max_transmit_span(&config.parameters) == 70 * COPAL_MILLISECOND);
  struct bare *bare = bare_open(&config);
  bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
  static const copal_time instants[] = {0, 10, 30, 70};
  for (int i = 0; i < 4; ++i) {
    bare->now = START + instants[i] * COPAL_MILLISECOND - 1;
    if (i > 0) assert_out(bare, "");
    bare->now += 1;
    bare_out_one(bare);
  }
  bare_close(bare);
}

static void section_4_8_2_times_that_follow_from_the_parameters(void **state) {
  (void)state;
  copal_parameters parameters = copal_config_default().parameters;
  assert_true(copal_max_transmit_span(&parameters) == 45 * COPAL_SECOND);
  assert_true(copal_exchange_lifetime(&parameters) == 247 * COPAL_SECOND);
  assert_true(copal_non_lifetime(&parameters) == 145 * COPAL_SECOND);
}

/* --- 4.4: message IDs, 5.3.1: tokens ---------------------------------------------------------------- */

/* T34. RFC 7252 5.3.1: "The client SHOULD generate tokens in such a way that tokens currently in use for a given
 * source/destination endpoint pair are unique." */
static void section_5_3_1_tokens_of_many_clients_do_not_repeat(void **state) {
  (void)state;
  static uint8_t tokens[2000][8];
  size_t count = 0;
  for (uint8_t seed = 0; seed < 50; ++seed) {
    copal_config config = copal_config_small();
    struct bare *bare = bare_open_seeded(&config, seed);
    uint16_t previous = 0;
    for (int i = 0; i < 40; ++i) {
      copal_tx tx = bare_send(bare, BARE_PORT, COPAL_CON, COPAL_GET);
      const struct bare_sent *sent = bare_out_one(bare);
      assert_int_equal(sent->view.token.size, 8); /* "at least 32 bits of randomness" */
      memcpy(tokens[count++], sent->view.token.data, 8);
      if (i > 0) assert_int_equal(sent->view.message_id, (uint16_t)(previous + 1 < 0xf000 ? previous + 1 : 0));
      previous = sent->view.message_id;
      assert_int_equal(copal_cancel(bare->endpoint, tx), COPAL_OK);
    }
    bare_close(bare);
  }
  for (size_t a = 0; a < count; ++a)
    for (size_t b = 0; b < a; ++b) assert_memory_not_equal(tokens[a], tokens[b], 4);
}

/* "The same Message ID MUST NOT be reused (in communicating with the same endpoint) within the EXCHANGE_LIFETIME": NONs
 * as fast as they go use all IDs up, and then have to wait. */
static void section_4_4_message_ids_run_out_rather_than_repeat(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_message *written = bare_write(&message, COPAL_NON, COPAL_CONTENT, NULL, "n");
  static bool used[65536];
  uint32_t sent = 0;
  copal_error error;
  copal_tx tx;
  while ((error = copal_send(bare->endpoint, written, &remote, &tx)) == COPAL_OK) {
    uint16_t mid = bare_out_one(bare)->view.message_id;
    assert_false(used[mid]);
    used[mid] = true;
    ++sent;
    assert_int_equal(copal_cancel(bare->endpoint, tx), COPAL_OK);
  }
  assert_int_equal(error, COPAL_ERR_MESSAGE_IDS_SPENT);
  assert_in_range(sent, 28672, 61440); /* the others are for groups */
  bare->now += 246 * COPAL_SECOND;
  bare_out(bare); /* a call without `now` acts at the latest time that the endpoint was told */
  assert_int_equal(copal_send(bare->endpoint, written, &remote, &tx), COPAL_ERR_MESSAGE_IDS_SPENT);
  bare->now += 2 * COPAL_SECOND;
  bare_out(bare);
  assert_int_equal(copal_send(bare->endpoint, written, &remote, &tx), COPAL_OK);
  bare_close(bare);
}

/* --- 4.7: congestion control -------------------------------------------------------------------------- */

/* T55: one silent address delays nobody else. */
static void section_4_7_nstart_holds_for_each_peer(void **state) {
  (void)state;
  struct bare *bare = open_client();
  copal_tx silent[2] = {bare_send(bare, 7001, COPAL_CON, COPAL_GET), bare_send(bare, 7001, COPAL_CON, COPAL_GET)};
  copal_tx other[2] = {bare_send(bare, 7002, COPAL_CON, COPAL_GET), bare_send(bare, 7002, COPAL_CON, COPAL_GET)};
  bare_out(bare);
  assert_int_equal(bare->sent_count, 2);
  bare_in_from(bare, 7002, "6000%04x", bare_info(bare, other[0]).message_id);
  assert_int_equal(bare_out_one(bare)->path.remote.port, 7002);
  assert_int_equal(bare_info(bare, silent[1]).state, COPAL_TX_QUEUED);
  while (bare_info(bare, silent[0]).next_event_time != COPAL_NEVER) {
    assert_int_equal(bare_info(bare, silent[1]).transmissions, 0);
    bare->now = bare_info(bare, silent[0]).next_event_time;
    bare_out(bare);
  }
  assert_int_equal(bare_info(bare, silent[1]).transmissions, 1); /* given up: the next one's turn, in the same output */
  bare_close(bare);
}

/* "an endpoint does not exceed an average data rate of PROBING_RATE in sending to another endpoint that does not
 * respond": over ten minutes of NON requests to a silent peer. */
static void section_4_7_probing_rate(void **state) {
  (void)state;
  for (uint32_t rate = 1; rate <= 8; rate *= 2) {
    copal_config config = copal_config_small();
    config.parameters.probing_rate = rate;
    struct bare *bare = bare_open(&config);
    struct bare_call calls[8];
    for (int i = 0; i < 8; ++i) calls[i].count = 1;
    uint64_t bytes = 0, last = 0;
    for (; bare->now < START + 600 * COPAL_SECOND; bare->now += COPAL_SECOND / 2) {
      for (int i = 0; i < 8; ++i)
        if (calls[i].count > 0) bare_request(bare, BARE_PORT, COPAL_NON, COPAL_GET, 20 * COPAL_SECOND, &calls[i]);
      bare_out(bare);
      for (size_t i = 0; i < bare->sent_count; ++i) bytes += last = bare->sent[i].size;
    }
    assert_true(bytes <= 600 * rate + last);
    assert_true(bytes >= 600 * rate / 4); /* but it does go on probing */
    bare_close(bare);
  }
}

/* --- 8.1, 8.2: multicast ------------------------------------------------------------------------------- */

/* "the server … SHOULD then pick a random point of time within the chosen leisure period to send back the unicast
 * response". */
static void section_8_2_answers_to_a_group_spread_over_the_leisure(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.exchanges_max = config.peers_max = 1024; /* answers to groups get a quarter */
  config.messages_size = 65536;
  struct server server = {.bare = bare_open(&config)};
  struct bare *bare = server.bare;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/temperature", temperature, &server), COPAL_OK);
  for (uint16_t i = 0; i < 200; ++i) {
    copal_path path = bare_group_path((uint16_t)(7000 + i));
    bare_in_path(bare, &path, "51017d4186" GET_TEMPERATURE);
  }
  uint32_t quarters[4] = {0}, sent = 0;
  for (; bare->now <= START + 5 * COPAL_SECOND; bare->now += 10 * COPAL_MILLISECOND) {
    bare_out(bare);
    sent += (uint32_t)bare->sent_count;
    size_t quarter = (size_t)((bare->now - START) * 4 / (5 * COPAL_SECOND));
    quarters[quarter < 4 ? quarter : 3] += (uint32_t)bare->sent_count;
    for (size_t i = 0; i < bare->sent_count; ++i) {
      assert_int_equal(bare->sent[i].view.type, COPAL_NON);
      assert_int_equal(bare->sent[i].view.token.data[0], 0x86);
      assert_int_equal(bare->sent[i].path.local.family, COPAL_FAMILY_NONE);
    }
  }
  assert_int_equal(sent, 200);
  for (int i = 0; i < 4; ++i) assert_in_range(quarters[i], 25, 80);
  assert_out(bare, "");
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_16_and_17_confirmable_request_piggybacked_response),
      cmocka_unit_test(figures_18_and_19_lost_request_and_lost_response),
      cmocka_unit_test(figure_20_a_separate_response),
      cmocka_unit_test(figure_22_a_non_confirmable_request),
      cmocka_unit_test(figures_17_and_18_by_a_client),
      cmocka_unit_test(figures_20_and_21_by_a_client),
      cmocka_unit_test(figure_23_by_a_client),
      cmocka_unit_test(section_4_2_instants_of_retransmission),
      cmocka_unit_test(section_4_8_1_the_random_factor_is_1_at_least),
      cmocka_unit_test(section_4_8_parameters_can_be_set),
      cmocka_unit_test(section_4_8_2_times_that_follow_from_the_parameters),
      cmocka_unit_test(section_5_3_1_tokens_of_many_clients_do_not_repeat),
      cmocka_unit_test(section_4_4_message_ids_run_out_rather_than_repeat),
      cmocka_unit_test(section_4_7_nstart_holds_for_each_peer),
      cmocka_unit_test(section_4_7_probing_rate),
      cmocka_unit_test(section_8_2_answers_to_a_group_spread_over_the_leisure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
