/* The plugtest TD_COAP_OBS_04 of CoAP#4: a server loses its memory, and a client of ours asks again. RFC 7641 3.3.1 has
 * it wait for Max-Age, which here is 1 s, and 5 to 15 s more: the one test that takes so long. */
#include <stdio.h>

#include "plugtest/plugtest.h"

/* "server loses state -> after Max-Age (+MAX_LATENCY 100 s) client re-registers with the **same token**; new sequence
 * may be lower" */
static void obs_04(struct bench *bench) {
  ask(bench, "CON GET /obs", &(struct wish){.observe = true});
  const struct passed *request = client_sends(bench, "CON GET observe:0 /obs");
  const struct passed *latest = server_sends(bench, "ACK 2.05 observe:* cf:0 +");
  assert_int_equal(option_of(latest, COPAL_OPTION_MAX_AGE).size, 1);
  assert_int_equal(option_of(latest, COPAL_OPTION_MAX_AGE).data[0], 1);
  told(bench, COPAL_CONTENT);
  action(bench, "forget observers\ninterval 0");
  let_pass(bench, 200 * COPAL_MILLISECOND);
  skip_what_passed(bench);
  copal_time from = copal_now();
  nothing_passes(bench, 5 * COPAL_SECOND);
  const struct passed *again = client_sends(bench, "CON GET observe:0 /obs");
  assert_in_range(again->time - from, 5 * COPAL_SECOND, 17 * COPAL_SECOND);
  assert_same_token(again, request);
  assert_other_mid(again, request);
  assert_same_token(again, server_sends(bench, "ACK 2.05 observe:* cf:0 +"));
  bench->told.heard = bench->told.count - (bench->told.count > 1 ? 1 : 0);
  told(bench, COPAL_CONTENT);
  action(bench, "obs change");
  assert_same_token(again, server_sends(bench, "CON 2.05 observe:* cf:0 +"));
  client_sends(bench, "ACK empty");
}

#define FORGETFUL "no: it cannot be told to forget"

static const struct plugtest tests[] = {
    {"TD_COAP_OBS_04", "A server that has forgotten", obs_04, AS_SERVER | AS_CLIENT, "--interval 0.2", FORGETFUL,
     FORGETFUL},
};

int main(int argc, char **argv) { return plugtest_run(tests, sizeof tests / sizeof *tests, argc, argv); }
