/* Two endpoints with resources send each other requests over a bad network until all have ended: exactly once each, by
 * the right response or a stated failure, and a POST is executed at most once however often it arrives. Then all must
 * be quiet, and every table empty. RFC 7252 sections 4 and 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/rest.h"
#include "sim/world.h"

enum { NODES = 2, SEEDS = 20, REQUESTS = 4000, OWED_MAX = 64, RECENT = 32, STEPS_MAX = 2000000 };

/* What a run is made of. */
struct plan {
  copal_config config;
  uint32_t outstanding_max; /* requests at a time, both nodes together */
  bool is_ample;            /* nothing ever gets full */
};

/* Delays stay within MAX_LATENCY, RFC 7252 4.8.2. */
static const struct link bad = {.loss_permille = 300,
                                .duplication_permille = 200,
                                .straggler_permille = 50,
                                .delay_min = 5 * COPAL_MILLISECOND,
                                .delay_max = 600 * COPAL_MILLISECOND,
                                .straggler_max = 90 * COPAL_SECOND,
                                .granularity = 10 * COPAL_MILLISECOND};

static const struct link good = {
    .delay_min = 5 * COPAL_MILLISECOND, .delay_max = 500 * COPAL_MILLISECOND, .granularity = 10 * COPAL_MILLISECOND};

struct trial;

struct request {
  struct trial *trial;
  copal_tx tx;
  uint32_t number, client;
  uint32_t executions; /* by its server's handler */
  uint8_t method;
  bool ended;
};

/* A response that a server owes. */
struct owed {
  copal_time at;
  copal_endpoint *server;
  copal_deferred deferred;
  uint32_t number;
};

struct trial {
  struct world world;
  const struct plan *plan;
  struct request requests[REQUESTS];
  uint32_t issued, ended;
  uint32_t responses, refusals, timeouts, cancellations; /* how they ended */
  struct owed owed[OWED_MAX];
  size_t owed_count;
};

/* --- The server's side ------------------------------------------------------------------------ */

static struct request *request_of(struct trial *trial, const copal_view *message) {
  copal_option option;
  char text[16] = {0};
  CHECK(&trial->world, copal_find(message, COPAL_OPTION_URI_QUERY, &option) && option.size < sizeof text);
  memcpy(text, option.value, option.size);
  unsigned long number = strtoul(text, NULL, 10);
  CHECK(&trial->world, number < trial->issued);
  return &trial->requests[number];
}

static size_t response_text(char *text, size_t capacity, uint32_t number) {
  return (size_t)snprintf(text, capacity, "answer to %u", (unsigned)number);
}

static void answer_at_once(copal_request *request, void *context) {
  struct trial *trial = (struct trial *)context;
  struct request *asked = request_of(trial, &copal_request_rx(request)->message);
  char text[32];
  size_t size = response_text(text, sizeof text, asked->number);
  ++asked->executions;
  CHECK(&trial->world, copal_reply(request, asked->method == COPAL_GET ? COPAL_CONTENT : COPAL_CHANGED,
                                   COPAL_TEXT_PLAIN, text, size) == COPAL_OK);
}

static void answer_later(copal_request *request, void *context) {
  struct trial *trial = (struct trial *)context;
  struct request *asked = request_of(trial, &copal_request_rx(request)->message);
  struct owed owed = {.server = copal_request_endpoint(request), .number = asked->number};
  if (trial->owed_count == OWED_MAX || copal_defer(request, &owed.deferred) != COPAL_OK) {
    CHECK(&trial->world, !trial->plan->is_ample);
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
    return;
  }
  ++asked->executions;
  /* Sometimes soon enough for a piggybacked response, sometimes not. */
  owed.at = trial->world.now + chance_below(&trial->world.chance, 2 * COPAL_SECOND);
  trial->owed[trial->owed_count++] = owed;
}

static bool pay(struct trial *trial, const struct owed *owed) {
  uint8_t buffer[64];
  char text[32];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&response, text, response_text(text, sizeof text, owed->number));
  copal_error error = copal_deferred_reply(owed->server, owed->deferred, &response);
  CHECK(&trial->world, error == COPAL_OK || (!trial->plan->is_ample && error != COPAL_ERR_STALE));
  return error == COPAL_OK;
}

static copal_time next_payment(const struct trial *trial) {
  copal_time next = COPAL_NEVER;
  for (size_t i = 0; i < trial->owed_count; ++i)
    if (trial->owed[i].at < next) next = trial->owed[i].at;
  return next;
}

static void pay_what_is_due(struct trial *trial) {
  for (size_t i = 0; i < trial->owed_count; ++i) {
    if (trial->owed[i].at > trial->world.now) continue;
    if (pay(trial, &trial->owed[i]))
      trial->owed[i--] = trial->owed[--trial->owed_count];
    else
      trial->owed[i].at = trial->world.now + COPAL_SECOND;
  }
}

/* --- The client's side ------------------------------------------------------------------------ */

static void check_response(struct trial *trial, const struct request *request, const copal_rx *rx) {
  if (rx->message.code == COPAL_SERVICE_UNAVAILABLE) {
    CHECK(&trial->world, !trial->plan->is_ample);
    ++trial->refusals;
    return;
  }
  char text[32];
  size_t size = response_text(text, sizeof text, request->number);
  CHECK(&trial->world, COPAL_CODE_CLASS(rx->message.code) == 2);
  CHECK(&trial->world, rx->message.payload.size == size && memcmp(rx->message.payload.data, text, size) == 0);
  CHECK(&trial->world, request->executions > 0);
  ++trial->responses;
}

static void on_end(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  struct request *request = (struct request *)context;
  struct trial *trial = request->trial;
  (void)endpoint;
  CHECK(&trial->world, !request->ended && copal_same_tx(tx, request->tx));
  CHECK(&trial->world, (rx != NULL) == (error == COPAL_OK));
  request->ended = true;
  ++trial->ended;
  if (error == COPAL_OK) {
    check_response(trial, request, rx);
  } else {
    CHECK(&trial->world, error == COPAL_ERR_TIMEOUT);
    ++trial->timeouts;
  }
}

static bool issue(struct trial *trial) {
  struct world *world = &trial->world;
  uint32_t number = trial->issued, client = (uint32_t)chance_below(&world->chance, NODES);
  struct request *request = &trial->requests[number];
  bool is_con = chance_hits(&world->chance, 700);
  *request = (struct request){.trial = trial,
                              .number = number,
                              .client = client,
                              .method = chance_hits(&world->chance, 500) ? COPAL_GET : COPAL_POST};
  uint8_t buffer[128];
  char query[16];
  snprintf(query, sizeof query, "%u", (unsigned)number);
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, is_con ? COPAL_CON : COPAL_NON, request->method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, chance_hits(&world->chance, 500) ? "now" : "later");
  copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, query);
  ++trial->issued; /* its server may ask for it at any time from now on */
  copal_error error =
      copal_request_send(world->nodes[client].endpoint, &message, &world->nodes[(client + 1) % NODES].address,
                         COPAL_NEVER, on_end, request, &request->tx);
  if (error == COPAL_OK) return true;
  CHECK(world, !trial->plan->is_ample && (error == COPAL_ERR_EXCHANGES_FULL || error == COPAL_ERR_MESSAGES_FULL));
  --trial->issued;
  return false;
}

/* One that is cancelled hears nothing any more. */
static void cancel_some(struct trial *trial) {
  uint32_t recent = trial->issued < RECENT ? trial->issued : RECENT;
  struct request *request = &trial->requests[trial->issued - 1 - chance_below(&trial->world.chance, recent)];
  if (request->ended || !chance_hits(&trial->world.chance, 5)) return;
  CHECK(&trial->world, copal_cancel(trial->world.nodes[request->client].endpoint, request->tx) == COPAL_OK);
  request->ended = true;
  ++trial->ended;
  ++trial->cancellations;
}

/* --- A run ------------------------------------------------------------------------------------ */

static void begin(struct trial *trial, const struct plan *plan, const struct link *link, uint64_t seed) {
  *trial = (struct trial){.plan = plan};
  world_init(&trial->world, seed, link);
  for (size_t i = 0; i < NODES; ++i) world_add(&trial->world, &plan->config, NULL, NULL);
  for (size_t i = 0; i < NODES; ++i) {
    copal_endpoint *endpoint = trial->world.nodes[i].endpoint;
    assert_int_equal(copal_route(endpoint, COPAL_GET, "/now", answer_at_once, trial), COPAL_OK);
    assert_int_equal(copal_route(endpoint, COPAL_POST, "/now", answer_at_once, trial), COPAL_OK);
    assert_int_equal(copal_route(endpoint, COPAL_GET, "/later", answer_later, trial), COPAL_OK);
    assert_int_equal(copal_route(endpoint, COPAL_POST, "/later", answer_later, trial), COPAL_OK);
  }
}

static void run_until_all_have_ended(struct trial *trial) {
  for (uint32_t step = 0; trial->ended < REQUESTS; ++step) {
    CHECK(&trial->world, step < STEPS_MAX);
    while (trial->issued < REQUESTS && trial->issued - trial->ended < trial->plan->outstanding_max && issue(trial)) {
    }
    cancel_some(trial);
    world_step(&trial->world, next_payment(trial));
    pay_what_is_due(trial);
  }
}

static void run_until_quiet(struct trial *trial) {
  uint32_t step = 0;
  while (world_step(&trial->world, next_payment(trial)) || trial->owed_count > 0) {
    pay_what_is_due(trial);
    CHECK(&trial->world, ++step < STEPS_MAX);
  }
  copal_time carried = trial->world.network.carried;
  world_step(&trial->world, trial->world.now + 2 * copal_exchange_lifetime(&trial->plan->config.parameters));
  CHECK(&trial->world, trial->world.network.carried == carried);
}

static void check_end(const struct trial *trial) {
  const struct world *world = &trial->world;
  for (uint32_t i = 0; i < REQUESTS; ++i) {
    const struct request *request = &trial->requests[i];
    CHECK(world, request->ended);
    /* RFC 7252 4.5: "The recipient … SHOULD process any request or response in the message only once." GETs may be
     * forgotten where there is no room. */
    if (request->method == COPAL_POST || trial->plan->is_ample) CHECK(world, request->executions <= 1);
  }
  for (size_t i = 0; i < NODES; ++i) {
    copal_usage usage = copal_endpoint_usage(world->nodes[i].endpoint);
    CHECK(world, usage.exchanges == 0 && usage.deferred == 0 && usage.receptions == 0 && usage.messages_size == 0);
  }
}

/* A run in which nothing happened would prove nothing. */
static void it_was_hard(const struct trial *trial) {
  const copal_counters *counters = copal_endpoint_counters(trial->world.nodes[0].endpoint);
  const struct world *world = &trial->world;
  CHECK(world, world->network.lost > REQUESTS / 2 && world->network.duplicated > REQUESTS / 10);
  CHECK(world, counters->retransmissions > REQUESTS / 10 && counters->duplicates > REQUESTS / 10);
  CHECK(world, counters->given_up > 0 && trial->timeouts > REQUESTS / 50 && trial->cancellations > 0);
  CHECK(world, trial->responses > REQUESTS / (trial->plan->is_ample ? 2 : 10));
  CHECK(world, (trial->refusals > 0) == !trial->plan->is_ample);
}

static void everything_was_answered(const struct trial *trial) {
  CHECK(&trial->world, trial->responses + trial->cancellations == REQUESTS);
  for (size_t i = 0; i < NODES; ++i) {
    const copal_counters *counters = copal_endpoint_counters(trial->world.nodes[i].endpoint);
    CHECK(&trial->world, counters->retransmissions == 0 && counters->duplicates == 0);
  }
}

/* What may happen to a plan's requests. */
typedef void expectation(const struct trial *trial);

static uint64_t run(const struct plan *plan, const struct link *link, expectation *expect, uint64_t seed) {
  struct trial *trial = malloc(sizeof *trial);
  assert_non_null(trial);
  begin(trial, plan, link, seed);
  run_until_all_have_ended(trial);
  run_until_quiet(trial);
  check_end(trial);
  expect(trial);
  uint64_t digest = trial->world.network.digest;
  world_release(&trial->world);
  free(trial);
  return digest;
}

static struct plan ample_plan(void) {
  struct plan plan = {.config = copal_config_small(), .outstanding_max = 32, .is_ample = true};
  plan.config.exchanges_max = 128;
  plan.config.messages_size = 64 << 10;
  plan.config.replies_size = 4 << 20;
  plan.config.peer_replies_max = UINT16_MAX;
  plan.config.outbox_max = 256;
  plan.config.deferred_max = OWED_MAX;
  plan.config.parameters.nstart = 8;
  return plan;
}

static void every_request_ends_once_over_a_bad_network(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&plan, &bad, it_was_hard, seed);
}

static void a_good_network_answers_every_request(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&plan, &good, everything_was_answered, seed);
}

static void full_tables_execute_no_post_twice(void **state) {
  (void)state;
  struct plan plan = {.config = copal_config_small(), .outstanding_max = 12, .is_ample = false};
  plan.config.parameters.probing_rate = 0;
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&plan, &bad, it_was_hard, seed);
}

/* "Same seed and inputs, same outputs, byte for byte." */
static void the_same_seed_gives_the_same_traffic(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, 1, &seed); ++i) {
    uint64_t digest = run(&plan, &bad, it_was_hard, seed);
    assert_true(run(&plan, &bad, it_was_hard, seed) == digest);
    assert_true(run(&plan, &bad, it_was_hard, seed + 1) != digest);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_request_ends_once_over_a_bad_network, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(a_good_network_answers_every_request, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(full_tables_execute_no_post_twice, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_traffic, world_prepare, world_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
