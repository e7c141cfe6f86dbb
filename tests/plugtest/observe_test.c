/* The plugtests TD_COAP_OBS of CoAP#4: observation (RFC 7641). There is no OBS_03, and OBS_04 takes so long that it
 * stands in renewal_test.c. Above each stands what must be observed. */
#include <stdio.h>

#include "plugtest/plugtest.h"

enum { BOTH = AS_SERVER | AS_CLIENT, ROUNDS = 3, LAST_SIZE = 33 };

/* What must not come would come by then. */
#define QUIET (150 * COPAL_MILLISECOND)

/* RFC 7641 3.4 */
static void assert_newer(const struct passed *later, const struct passed *earlier) {
  uint32_t ahead = (observe_of(later) - observe_of(earlier)) & 0xffffff;
  assert_true(ahead > 0 && ahead < 1u << 23);
}

/* "CON GET Observe(empty) -> ACK 2.05 + Observe + CF f": returns the answer. */
static const struct passed *observe(struct bench *bench, const char *words) {
  char pattern[64];
  char type[4] = {words[0], words[1], words[2], '\0'};
  ask(bench, words, &(struct wish){.observe = true});
  snprintf(pattern, sizeof pattern, "%s GET observe:0 %s", type, strchr(words, '/'));
  const struct passed *request = client_sends(bench, pattern);
  assert_int_equal(option_of(request, COPAL_OPTION_OBSERVE).size, 0);
  bool con = request->view.type == COPAL_CON;
  const struct passed *response = server_sends(bench, con ? "ACK 2.05 observe:* cf:*+" : "NON 2.05 observe:* cf:*+");
  if (con) assert_same_mid(request, response);
  assert_same_token(request, response);
  told(bench, COPAL_CONTENT);
  assert_true(bench->told.observed && !bench->told.last);
  return response;
}

/* "CON notifications, same token, same CF, Observe increasing mod 2^24; client ACKs each" */
static const struct passed *notified(struct bench *bench, const struct passed *before) {
  const struct passed *notification = server_sends(bench, "CON 2.05 observe:* cf:* +");
  assert_same_token(notification, before);
  assert_other_mid(notification, before);
  assert_same_format(notification, before);
  assert_newer(notification, before);
  assert_same_mid(notification, client_sends(bench, "ACK empty"));
  told(bench, COPAL_CONTENT);
  assert_int_equal(bench->told.size, notification->view.payload.size);
  assert_memory_equal(bench->told.body, notification->view.payload.data, bench->told.size);
  return notification;
}

static void obs_01(struct bench *bench) {
  const struct passed *latest = observe(bench, "CON GET /obs");
  for (int i = 0; i < ROUNDS; ++i) {
    change(bench, "obs", 20);
    latest = notified(bench, latest);
  }
}

/* "NON GET /obs-non -> NON notifications (occasional CON allowed)". Ours here sends none. */
static void obs_02(struct bench *bench) {
  const struct passed *latest = observe(bench, "NON GET /obs-non");
  unsigned unconfirmed = 0;
  /* RFC 7641 4.5.1: no more often than one in 3 seconds. */
  for (int i = 0; i < 2; ++i) {
    change(bench, "obs-non", 20);
    const struct passed *notification =
        server_sends(bench, bench->is_ours ? "NON 2.05 observe:* cf:* +" : "?ON 2.05 observe:* cf:* +");
    assert_same_token(notification, latest);
    assert_same_format(notification, latest);
    assert_newer(notification, latest);
    if (notification->view.type == COPAL_CON)
      assert_same_mid(notification, client_sends(bench, "ACK empty"));
    else
      ++unconfirmed;
    told(bench, COPAL_CONTENT);
    latest = notification;
  }
  assert_in_range(unconfirmed, 1, 2);
  nothing_passes(bench, QUIET);
}

/* "client off -> retransmissions carry an updated Observe value; server stops after final timeout" */
static void obs_05(struct bench *bench) {
  hand_sends(bench, "CON GET observe:0 /obs token:aa");
  server_sends(bench, "ACK 2.05 observe:* cf:* +");
  action(bench, "obs set one");
  const struct passed *first = server_sends(bench, "CON 2.05 observe:* cf:* +");
  assert_payload(first, "one");
  action(bench, "obs set two");
  const struct passed *second = server_sends(bench, "CON 2.05 observe:* cf:* +");
  assert_payload(second, "two");
  assert_same_token(second, first);
  assert_newer(second, first);
  /* RFC 7252 4.2: the time to the first retransmission is at least ACK_TIMEOUT. */
  assert_true(second->time - first->time >= 100 * COPAL_MILLISECOND);
  const struct passed *third = server_sends(bench, "again CON 2.05 observe:* cf:* +");
  assert_same_mid(third, second);
  /* The last time-out is over 8 times 150 ms after the first at the latest. */
  let_pass(bench, 1200 * COPAL_MILLISECOND);
  size_t count = bench->wire.count;
  action(bench, "obs set three");
  let_pass(bench, QUIET);
  assert_int_equal(bench->wire.count, count);
}

/* "client rebooted, answers notification with RST -> no more notifications" */
static void obs_06(struct bench *bench) {
  observe(bench, "CON GET /obs");
  restart_client(bench);
  change(bench, "obs", 20);
  const struct passed *notification = server_sends(bench, "CON 2.05 observe:* cf:* +");
  const struct passed *reset = client_sends(bench, "RST empty");
  assert_same_mid(notification, reset);
  assert_int_equal(reset->size, 4);
  change(bench, "obs", 20);
  nothing_passes(bench, QUIET);
}

/* What ends an observation: a confirmable notification of that code without an Observe option, and then silence. */
static void ended(struct bench *bench, const struct passed *before, const char *pattern, uint8_t code) {
  const struct passed *notification = server_sends(bench, pattern);
  assert_same_token(notification, before);
  assert_same_mid(notification, client_sends(bench, "ACK empty"));
  told(bench, code);
  assert_true(bench->told.last && !bench->told.observed);
}

/* "DELETE of observed resource -> CON 4.04 notification, no Observe option, then silence" */
static void obs_07(struct bench *bench) {
  const struct passed *latest = observe(bench, "CON GET /obs");
  meanwhile(bench, "CON DELETE /obs");
  ended(bench, latest, "CON 4.04*", COPAL_NOT_FOUND);
  meanwhile(bench, "CON PUT /obs cf:0 +again");
  nothing_passes(bench, QUIET);
}

/* "Content-Format of the resource changes -> CON 4.06, no Observe, silence" */
static void obs_08(struct bench *bench) {
  const struct passed *latest = observe(bench, "CON GET /obs");
  meanwhile(bench, "CON PUT /obs cf:50 +{}");
  ended(bench, latest, "CON 4.06*", COPAL_NOT_ACCEPTABLE);
  meanwhile(bench, "CON PUT /obs cf:0 +again");
  nothing_passes(bench, QUIET);
}

/* "PUT changes the resource -> notification with the new payload" */
static void obs_09(struct bench *bench) {
  const struct passed *latest = observe(bench, "CON GET /obs");
  meanwhile(bench, "CON PUT /obs cf:0 +new_payload");
  assert_payload(notified(bench, latest), "new_payload");
}

/* "plain GET with another token does not cancel" */
static void obs_10(struct bench *bench) {
  struct told plain = {.count = 0};
  const struct passed *latest = observe(bench, "CON GET /obs");
  ask(bench, "CON GET /obs", &(struct wish){.told = &plain});
  const struct passed *request = client_sends(bench, "CON GET /obs");
  assert_false(request->view.token.size == latest->view.token.size &&
               memcmp(request->view.token.data, latest->view.token.data, latest->view.token.size) == 0);
  assert_same_token(request, server_sends(bench, "ACK 2.05 cf:* +"));
  change(bench, "obs", 20);
  notified(bench, latest);
  assert_int_equal(plain.count, 1);
  assert_int_equal(plain.code, COPAL_CONTENT);
}

/* Looks at all that passed from a point on: no second notification while one is outstanding. One that takes the place
 * of another goes when that would have been sent again (RFC 7641 4.5.2). Returns how many states were told. */
static size_t count_states(const struct bench *bench, size_t from, copal_time timeout) {
  const struct passed *outstanding = NULL;
  size_t states = 0;
  for (size_t i = from; i < bench->wire.count; ++i) {
    const struct passed *passed = &bench->wire.passed[i];
    if (passed->outgoing && passed->view.type == COPAL_ACK && outstanding != NULL && !passed->lost &&
        passed->view.message_id == outstanding->view.message_id)
      outstanding = NULL;
    if (passed->outgoing || passed->view.type != COPAL_CON) continue;
    if (!passed->again) ++states;
    if (outstanding != NULL) assert_true(passed->time - outstanding->time >= timeout);
    outstanding = passed;
  }
  return states;
}

/* "lossy: never two notifications outstanding at once" */
static void obs_11(struct bench *bench) {
  observe(bench, "CON GET /obs");
  size_t from = bench->wire.count;
  lossy_lose(&bench->lossy, "server: CON 2.05 *");
  /* Others wait for 2 s and more each time. */
  for (int i = 0; bench->is_ours && i < 2; ++i) {
    lossy_lose(&bench->lossy, "server: CON 2.05 *");
    lossy_lose(&bench->lossy, "client: ACK empty");
  }
  for (int i = 0; i < 20; ++i) {
    change(bench, "obs", 20);
    let_pass(bench, 40 * COPAL_MILLISECOND);
  }
  change(bench, "obs", LAST_SIZE);
  for (int i = 0; i < 500 && bench->told.size != LAST_SIZE; ++i) let_pass(bench, 20 * COPAL_MILLISECOND);
  assert_int_equal(bench->told.size, LAST_SIZE);
  assert_in_range(count_states(bench, from, 100 * COPAL_MILLISECOND), 2, 21);
}

/* "GET Observe=1, same token -> 2.05 without Observe, silence after" */
static void obs_12(struct bench *bench) {
  const struct passed *latest = observe(bench, "CON GET /obs");
  assert_int_equal(copal_call_cancel(bench->client, bench->call, true), COPAL_OK);
  const struct passed *request = client_sends(bench, "CON GET observe:1 /obs");
  assert_same_token(request, latest);
  const struct passed *response = server_sends(bench, "ACK 2.05 cf:* +");
  assert_same_mid(request, response);
  assert_same_token(request, response);
  change(bench, "obs", 20);
  nothing_passes(bench, QUIET);
}

/* The blocks that follow the first one of a notification. */
static void rest_fetched(struct bench *bench, const struct passed *notification, const char *request,
                         const char *response) {
  copal_option option;
  if (!copal_find(&notification->view, COPAL_OPTION_BLOCK2, &option)) return;
  copal_block block = copal_block_of(copal_option_uint(&option));
  assert_int_equal(block.number, 0);
  while (block.more) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "%s 2:%u/0/%d", request, ++block.number, 16 << block.szx);
    const struct passed *asked = client_sends(bench, pattern);
    snprintf(pattern, sizeof pattern, "%s 2:%u/?/%d +", response, block.number, 16 << block.szx);
    const struct passed *answered = server_sends(bench, pattern);
    assert_same_token(asked, answered);
    assert_true(copal_find(&answered->view, COPAL_OPTION_BLOCK2, &option));
    block = copal_block_of(copal_option_uint(&option));
  }
}

/* "every notification Block2 0/1/x; rest fetched with plain GETs" */
static void obs_13(struct bench *bench) {
  ask(bench, "CON GET /obs-large", &(struct wish){.observe = true});
  client_sends(bench, "CON GET observe:0 /obs-large");
  const struct passed *latest = server_sends(bench, "ACK 2.05 observe:* cf:* 2:0/1/* +");
  rest_fetched(bench, latest, "CON GET /obs-large", "ACK 2.05 cf:*");
  told(bench, COPAL_CONTENT);
  for (int i = 0; i < ROUNDS; ++i) {
    change(bench, "obs-large", 2048);
    const struct passed *notification = server_sends(bench, "CON 2.05 observe:* cf:* 2:0/1/* +");
    assert_same_token(notification, latest);
    assert_same_format(notification, latest);
    assert_newer(notification, latest);
    client_sends(bench, "ACK empty");
    rest_fetched(bench, notification, "CON GET /obs-large", "ACK 2.05 cf:*");
    told(bench, COPAL_CONTENT);
    assert_int_equal(bench->told.size, 2048);
    latest = notification;
  }
}

/* "size varies across the block limit, both forms must work" */
static void obs_14(struct bench *bench) {
  const struct passed *latest = observe(bench, "CON GET /obs-pumping");
  static const size_t sizes[] = {2048, 64, 3000};
  for (size_t i = 0; i < 3; ++i) {
    change(bench, "obs-pumping", sizes[i]);
    const struct passed *notification =
        server_sends(bench, sizes[i] > 1024 ? "CON 2.05 observe:* cf:* 2:0/1/* +" : "CON 2.05 observe:* cf:* +");
    assert_same_token(notification, latest);
    assert_same_format(notification, latest);
    assert_newer(notification, latest);
    client_sends(bench, "ACK empty");
    rest_fetched(bench, notification, "CON GET /obs-pumping", "ACK 2.05 cf:*");
    told(bench, COPAL_CONTENT);
    assert_int_equal(bench->told.size, sizes[i]);
    latest = notification;
  }
}

/* Notifications of which none is confirmed follow each other in ACK_TIMEOUT at the earliest, too. */
#define QUICK "--interval 0 --ack-timeout 0.1"

#define NOT_OURS "no: our client has no part in it"
#define NO_END "no: node-coap knows no last notification"
#define NO_BLOCKS "no: node-coap sends no notification in blocks"

static const struct plugtest tests[] = {
    {"TD_COAP_OBS_01", "Observation, confirmable", obs_01, BOTH, NULL, NULL, NULL},
    {"TD_COAP_OBS_02", "Observation, non-confirmable", obs_02, BOTH | UNCONFIRMED, QUICK, NULL,
     "no: node-coap notifies with acknowledgements"},
    {"TD_COAP_OBS_05", "A client that is switched off", obs_05, AS_SERVER, QUICK " --retransmit 2", NOT_OURS, NOT_OURS},
    {"TD_COAP_OBS_06", "A client that has forgotten", obs_06, BOTH, NULL, NULL, NULL},
    {"TD_COAP_OBS_07", "What is observed is deleted", obs_07, BOTH, NULL,
     "no: coap-server ends observations with a non-confirmable message", NO_END},
    {"TD_COAP_OBS_08", "What is observed changes its format", obs_08, BOTH, NULL,
     "no: coap-server keeps the format that a resource was created with", NO_END},
    {"TD_COAP_OBS_09", "What is observed is changed by a PUT", obs_09, BOTH, NULL, NULL, NULL},
    {"TD_COAP_OBS_10", "A GET beside an observation", obs_10, BOTH, NULL, NULL, NULL},
    {"TD_COAP_OBS_11", "Losses, one notification at a time", obs_11, BOTH | LOSSY, QUICK, NULL,
     "no: node-coap sends several notifications at once"},
    {"TD_COAP_OBS_12", "A client that cancels", obs_12, BOTH, NULL, NULL, "no: node-coap does not know Observe 1"},
    {"TD_COAP_OBS_13", "Observation in blocks", obs_13, BOTH, NULL, NULL, NO_BLOCKS},
    {"TD_COAP_OBS_14", "Observation in blocks now and then", obs_14, BOTH, NULL, NULL, NO_BLOCKS},
};

int main(int argc, char **argv) { return plugtest_run(tests, sizeof tests / sizeof *tests, argc, argv); }
