/* The plugtests TD_COAP_CORE of CoAP#4: messages, methods and options. CORE_24 to 30 are those for proxies. Above each
 * stands what must be observed; that a piggybacked answer has the message ID and the token of its request, and any
 * other answer the token, is looked at by exchange. */
#include <stdio.h>

#include "plugtest/plugtest.h"

enum { BOTH = AS_SERVER | AS_CLIENT };

#define TIMEOUT (ACK_TIMEOUT_MS * COPAL_MILLISECOND)

/* --- Methods ------------------------------------------------------------------------------------ */

/* "2.05, same MID+token, Content-Format, non-empty payload" */
static void core_01(struct bench *bench) { exchange(bench, "CON GET /test", "ACK 2.05 cf:* +"); }

/* "2.02, same MID+token" */
static void core_02(struct bench *bench) { exchange(bench, "CON DELETE /test", "ACK 2.02"); }

/* "2.04 or 2.01, same MID+token" */
static void core_03(struct bench *bench) { exchange(bench, "CON PUT /test cf:50 +{}", "ACK 2.0[14]"); }

/* "2.01 or 2.04, same MID+token, 0+ Location-Path" */
static void core_04(struct bench *bench) { exchange(bench, "CON POST /test cf:50 +{}", "ACK 2.0[14]*"); }

/* "NON 2.05, server's own MID, same token, CF" */
static void core_05(struct bench *bench) { exchange(bench, "NON GET /test", "NON 2.05 cf:* +"); }

/* "NON 2.02" */
static void core_06(struct bench *bench) { exchange(bench, "NON DELETE /test", "NON 2.02"); }

/* "NON 2.04 or 2.01" */
static void core_07(struct bench *bench) { exchange(bench, "NON PUT /test cf:50 +{}", "NON 2.0[14]"); }

/* "NON 2.01 or 2.04" */
static void core_08(struct bench *bench) { exchange(bench, "NON POST /test cf:50 +{}", "NON 2.0[14]*"); }

/* --- Separate responses, tokens ----------------------------------------------------------------- */

/* "empty ACK (same MID), seconds later CON 2.05 with new MID, same token, CF, payload; client ACKs empty" */
static void get_separate(struct bench *bench, const char *words) {
  ask(bench, words, NULL);
  const struct passed *request = client_sends(bench, "CON GET /*");
  const struct passed *ack = server_sends(bench, "ACK empty");
  assert_same_mid(request, ack);
  assert_int_equal(ack->size, 4);
  const struct passed *response = server_sends(bench, "CON 2.05*+");
  assert_other_mid(request, response);
  assert_same_token(request, response);
  const struct passed *confirmation = client_sends(bench, "ACK empty");
  assert_same_mid(response, confirmation);
  assert_int_equal(confirmation->size, 4);
  told(bench, COPAL_CONTENT);
}

/* libcoap's server has other resources. */
static const char *either(const struct bench *bench, const char *ours, const char *libcoap) {
  return strcmp(bench->peer, "libcoap") == 0 ? libcoap : ours;
}

static void core_09(struct bench *bench) {
  get_separate(bench, either(bench, "CON GET /separate", "CON GET /async ?1"));
}

/* "token 1-8 bytes: 2.05 same MID+token" */
static void core_10(struct bench *bench) {
  static const char digits[] = "0102030405060708";
  char words[64];
  for (size_t size = 1; size <= 8; ++size) {
    snprintf(words, sizeof words, "CON GET /test token:%.*s", (int)(2 * size), digits);
    const struct passed *response = exchange(bench, words, "ACK 2.05 cf:* +");
    assert_int_equal(response->view.token.size, size);
  }
}

/* "as 09, token kept in the separate response" */
static void core_11(struct bench *bench) {
  get_separate(bench, either(bench, "CON GET /separate token:a1b2c3d4e5", "CON GET /async ?1 token:a1b2c3d4e5"));
}

/* "zero-length token: 2.05, zero-length token" */
static void core_12(struct bench *bench) {
  ask(bench, "CON GET /test", &(struct wish){.no_token = true});
  const struct passed *request = client_sends(bench, "CON GET /test");
  const struct passed *response = server_sends(bench, "ACK 2.05 cf:* +");
  assert_int_equal(request->view.token.size, 0);
  assert_int_equal(response->view.token.size, 0);
  assert_same_mid(request, response);
  told(bench, COPAL_CONTENT);
}

/* --- Options that name a resource ---------------------------------------------------------------- */

static size_t count_options(const struct passed *passed, uint16_t number, const char *forbidden) {
  copal_options walk = copal_options_of(&passed->view);
  copal_option option;
  size_t count = 0;
  while (copal_options_next(&walk, &option)) {
    if (option.number != number) continue;
    ++count;
    for (const char *at = forbidden; *at != '\0'; ++at)
      if (option.size > 0) assert_null(memchr(option.value, *at, option.size));
  }
  return count;
}

/* "three Uri-Path options; 2.05" */
static void core_13(struct bench *bench) {
  ask(bench, "CON GET /seg1/seg2/seg3", NULL);
  const struct passed *request = client_sends(bench, "CON GET /seg1/seg2/seg3");
  assert_int_equal(count_options(request, COPAL_OPTION_URI_PATH, "/"), 3);
  assert_same_mid(request, server_sends(bench, "ACK 2.05 cf:* +"));
  told(bench, COPAL_CONTENT);
}

/* "one Uri-Query each; 2.05" */
static void core_14(struct bench *bench) {
  ask(bench, "CON GET /query ?first=1&second=2&third=3", NULL);
  const struct passed *request = client_sends(bench, "CON GET /query ?first=1&second=2&third=3");
  assert_int_equal(count_options(request, COPAL_OPTION_URI_QUERY, "?&"), 3);
  assert_same_mid(request, server_sends(bench, "ACK 2.05 cf:* +"));
  told(bench, COPAL_CONTENT);
}

/* "2.01 + Location-Path location1, location2, location3 (no "/" in values)" */
static void core_18(struct bench *bench) {
  const struct passed *response =
      exchange(bench, either(bench, "CON POST /test cf:0 +x", "CON POST /location1/location2/location3 cf:50 +x"),
               "ACK 2.01 at:/location1/location2/location3");
  assert_int_equal(count_options(response, COPAL_OPTION_LOCATION_PATH, "/"), 3);
}

/* "2.01 + Location-Query first=1, second=2 (no "?" or "&")" */
static void core_19(struct bench *bench) {
  const struct passed *response = exchange(bench, "CON POST /location-query cf:0 +x", "ACK 2.01 at?first=1&second=2");
  assert_int_equal(count_options(response, COPAL_OPTION_LOCATION_QUERY, "?&"), 2);
}

/* --- Losses ------------------------------------------------------------------------------------- */

/* "lossy, until a request and a response were dropped: each loss: retransmission; finally 2.05" */
static void core_15(struct bench *bench) {
  lossy_lose(&bench->lossy, "client: CON GET /test");
  lossy_lose(&bench->lossy, "server: ACK 2.05 *");
  ask(bench, "CON GET /test", NULL);
  const struct passed *first = client_sends(bench, "CON GET /test lost");
  const struct passed *second = client_sends(bench, "again CON GET /test");
  assert_true(second->time - first->time >= TIMEOUT);
  assert_same_mid(second, server_sends(bench, "ACK 2.05 cf:* + lost"));
  const struct passed *third = client_sends(bench, "again CON GET /test");
  /* RFC 7252 4.2: "the retransmission counter is incremented, and the timeout is doubled" */
  assert_true(third->time - second->time >= 2 * TIMEOUT);
  assert_same_mid(third, server_sends(bench, "again ACK 2.05 cf:* +"));
  told(bench, COPAL_CONTENT);
}

static void lose_request(struct bench *bench) {
  lossy_lose(&bench->lossy, "client: CON GET /*");
  ask(bench, either(bench, "CON GET /separate", "CON GET /async ?1"), NULL);
  client_sends(bench, "CON GET /* lost");
  client_sends(bench, "again CON GET /*");
  server_sends(bench, "ACK empty");
  server_sends(bench, "CON 2.05*+");
  client_sends(bench, "ACK empty");
  told(bench, COPAL_CONTENT);
}

/* "for dropped request-ACK: retransmission of the request stops on arrival of the CON response" */
static void lose_ack_of_request(struct bench *bench) {
  lossy_lose(&bench->lossy, "server: ACK empty");
  ask(bench, either(bench, "CON GET /separate", "CON GET /async ?1"), NULL);
  client_sends(bench, "CON GET /*");
  server_sends(bench, "ACK empty lost");
  server_sends(bench, "CON 2.05*+");
  client_sends(bench, "ACK empty");
  told(bench, COPAL_CONTENT);
  size_t count = bench->wire.count;
  let_pass(bench, 2 * TIMEOUT);
  assert_int_equal(bench->wire.count, count);
}

static void lose_response(struct bench *bench) {
  lossy_lose(&bench->lossy, "server: CON 2.05*");
  ask(bench, either(bench, "CON GET /separate", "CON GET /async ?1"), NULL);
  client_sends(bench, "CON GET /*");
  server_sends(bench, "ACK empty");
  const struct passed *lost = server_sends(bench, "CON 2.05*+ lost");
  const struct passed *repeated = server_sends(bench, "again CON 2.05*+");
  assert_same_mid(lost, repeated);
  assert_same_mid(repeated, client_sends(bench, "ACK empty"));
  told(bench, COPAL_CONTENT);
}

static void lose_ack_of_response(struct bench *bench) {
  lossy_lose(&bench->lossy, "client: ACK empty");
  ask(bench, either(bench, "CON GET /separate", "CON GET /async ?1"), NULL);
  client_sends(bench, "CON GET /*");
  server_sends(bench, "ACK empty");
  server_sends(bench, "CON 2.05*+");
  client_sends(bench, "ACK empty lost");
  const struct passed *repeated = server_sends(bench, "again CON 2.05*+");
  assert_same_mid(repeated, client_sends(bench, "again ACK empty"));
  told(bench, COPAL_CONTENT);
}

/* "lossy, until request / its ACK / response / response's ACK each dropped: retransmission for each" */
static void core_16(struct bench *bench) {
  lose_request(bench);
  lose_ack_of_request(bench);
  lose_response(bench);
  lose_ack_of_response(bench);
}

/* "**no** ACK at all; later NON 2.05" */
static void core_17(struct bench *bench) {
  ask(bench, either(bench, "NON GET /separate", "NON GET /async ?1"), NULL);
  const struct passed *request = client_sends(bench, "NON GET /*");
  const struct passed *response = server_sends(bench, "NON 2.05*+");
  assert_same_token(request, response);
  told(bench, COPAL_CONTENT);
  nothing_passes(bench, 100 * COPAL_MILLISECOND);
}

/* --- Formats and conditions ----------------------------------------------------------------------- */

/* "Accept 0, then Accept 41: 2.05 Content-Format 0, then 41 (CF adds 50 JSON, 60 CBOR)" */
static void core_20(struct bench *bench) {
  exchange(bench, "CON GET /multi-format accept:0", "ACK 2.05 cf:0 +");
  exchange(bench, "CON GET /multi-format accept:41", "ACK 2.05 cf:41 +");
  if (!bench->is_ours) return;
  exchange(bench, "CON GET /multi-format accept:50", "ACK 2.05 cf:50 +");
  exchange(bench, "CON GET /multi-format accept:60", "ACK 2.05 cf:60 +");
}

/* A request that names the ETag of an earlier response: "CON GET /validate etag:" with its digits. */
static const char *with_etag(const char *words, const struct passed *response, char text[128]) {
  copal_bytes etag = option_of(response, COPAL_OPTION_ETAG);
  int at = snprintf(text, 128, "%s", words);
  for (size_t i = 0; i < etag.size; ++i) at += snprintf(text + at, 128 - (size_t)at, "%02x", etag.data[i]);
  return text;
}

static bool has_same_etag(const struct passed *a, const struct passed *b) {
  copal_bytes one = option_of(a, COPAL_OPTION_ETAG), other = option_of(b, COPAL_OPTION_ETAG);
  return one.size == other.size && memcmp(one.data, other.data, one.size) == 0;
}

/* "2.05+ETag1; 2.03 with ETag1, **no payload**; 2.05 with a different ETag" */
static void core_21(struct bench *bench) {
  char words[128];
  const struct passed *first = exchange(bench, "CON GET /validate", "ACK 2.05 cf:* +");
  with_etag("CON GET /validate etag:", first, words);
  assert_true(has_same_etag(exchange(bench, words, "ACK 2.03"), first));
  meanwhile(bench, "CON PUT /validate cf:0 +changed");
  const struct passed *changed = exchange(bench, words, "ACK 2.05 cf:0 +");
  assert_false(has_same_etag(changed, first));
  assert_payload(changed, "changed");
}

/* "2.04; last 4.12 and resource unchanged" */
static void core_22(struct bench *bench) {
  char words[128];
  const struct passed *first = exchange(bench, "CON GET /validate", "ACK 2.05 cf:* +");
  size_t size = strlen(with_etag("CON PUT /validate cf:0 if-match:", first, words));
  snprintf(words + size, sizeof words - size, " +mine");
  exchange(bench, words, "ACK 2.04");
  const struct passed *second = exchange(bench, "CON GET /validate", "ACK 2.05 cf:0 +");
  assert_payload(second, "mine");
  assert_false(has_same_etag(first, second));
  meanwhile(bench, "CON PUT /validate cf:0 +foreign");
  size = strlen(with_etag("CON PUT /validate cf:0 if-match:", second, words));
  snprintf(words + size, sizeof words - size, " +mine_again");
  exchange(bench, words, "ACK 4.12*");
  assert_payload(exchange(bench, "CON GET /validate", "ACK 2.05 cf:0 +"), "foreign");
}

/* "PUT /create1 If-None-Match, twice: 2.01 then 4.12" */
static void core_23(struct bench *bench) {
  exchange(bench, "CON PUT /create1 cf:0 none-match +one", "ACK 2.01");
  exchange(bench, "CON PUT /create1 cf:0 none-match +two", "ACK 4.12*");
  assert_payload(exchange(bench, "CON GET /create1", "ACK 2.05 cf:0 +"), "one");
}

/* --- Ping --------------------------------------------------------------------------------------- */

static void note_pong(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                      void *context) {
  (void)endpoint, (void)request, (void)rx;
  *(copal_error *)context = error;
}

/* "4-byte CON 0.00, no token: 4-byte RST, same MID" */
static void core_31(struct bench *bench) {
  copal_error error = COPAL_OK;
  assert_int_equal(copal_ping_send(bench->client, &bench->remote, 5 * COPAL_SECOND, note_pong, &error, NULL), COPAL_OK);
  const struct passed *ping = client_sends(bench, "CON empty");
  const struct passed *pong = server_sends(bench, "RST empty");
  assert_int_equal(ping->size, 4);
  assert_int_equal(pong->size, 4);
  assert_same_mid(ping, pong);
  let_pass(bench, 20 * COPAL_MILLISECOND);
  assert_int_equal(error, COPAL_ERR_RESET);
}

/* --- The tests ---------------------------------------------------------------------------------- */

#define SOON "--interval 0 --delay 0.1"

static const struct plugtest tests[] = {
    {"TD_COAP_CORE_01", "GET, confirmable", core_01, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_02", "DELETE, confirmable", core_02, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_03", "PUT, confirmable", core_03, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_04", "POST, confirmable", core_04, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_05", "GET, non-confirmable", core_05, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_06", "DELETE, non-confirmable", core_06, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_07", "PUT, non-confirmable", core_07, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_08", "POST, non-confirmable", core_08, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_09", "GET with a separate response", core_09, BOTH, SOON, NULL, NULL},
    {"TD_COAP_CORE_10", "GET with a token", core_10, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_11", "GET with a token and a separate response", core_11, BOTH, SOON, NULL, NULL},
    {"TD_COAP_CORE_12", "GET with an empty token", core_12, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_13", "Several Uri-Path options", core_13, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_14", "Several Uri-Query options", core_14, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_15", "Losses, piggybacked response", core_15, BOTH | LOSSY, NULL, NULL, NULL},
    {"TD_COAP_CORE_16", "Losses, separate response", core_16, BOTH | LOSSY, SOON " --ack-timeout 0.3", NULL, NULL},
    {"TD_COAP_CORE_17", "GET, non-confirmable, answered later", core_17, BOTH, SOON, NULL, NULL},
    {"TD_COAP_CORE_18", "POST that tells Location-Path", core_18, BOTH, NULL, NULL, NULL},
    {"TD_COAP_CORE_19", "POST that tells Location-Query", core_19, BOTH, NULL,
     "no: coap-server never answers with Location-Query", NULL},
    {"TD_COAP_CORE_20", "Accept", core_20, BOTH, NULL, "no: coap-server has one format for a resource", NULL},
    {"TD_COAP_CORE_21", "ETag: what is valid still", core_21, BOTH, NULL, "no: coap-server gives no ETag", NULL},
    {"TD_COAP_CORE_22", "If-Match", core_22, BOTH, NULL, "no: coap-server gives no ETag", NULL},
    {"TD_COAP_CORE_23", "If-None-Match", core_23, BOTH, NULL, "no: coap-server does not look at If-None-Match", NULL},
    {"TD_COAP_CORE_31", "Ping", core_31, BOTH, NULL, NULL, "no: node-coap answers a ping as if it were a request"},
};

int main(int argc, char **argv) { return plugtest_run(tests, sizeof tests / sizeof *tests, argc, argv); }
