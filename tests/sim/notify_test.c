/* A server whose resource changes, and a client that observes it several times over a bad network: it registers again,
 * deregisters, forgets, rejects, goes deaf for a while. No state may ever be followed by an older one, and when the
 * network is good at last and nothing changes any more, whoever is on the list of observers has the latest state.
 * RFC 7641 sections 1.3, 3.4 and 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "sim/world.h"

enum { SEEDS = 20, OBSERVATIONS = 6, CHANGES = 1000, STEPS_MAX = 1000000, SERVER = 0, CLIENT = 1 };

static const struct link bad = {.loss_permille = 200,
                                .duplication_permille = 200,
                                .straggler_permille = 50,
                                .delay_min = 5 * COPAL_MILLISECOND,
                                .delay_max = 600 * COPAL_MILLISECOND,
                                .straggler_max = 60 * COPAL_SECOND,
                                .granularity = 10 * COPAL_MILLISECOND};

static const struct link good = {
    .delay_min = 5 * COPAL_MILLISECOND, .delay_max = 500 * COPAL_MILLISECOND, .granularity = 10 * COPAL_MILLISECOND};

/* What the client knows of an observation; its token is its index. */
struct observation {
  bool wanted, known;
  uint32_t number; /* of the newest notification, */
  copal_time at;   /* when that came, */
  unsigned long value;
};

struct trial {
  struct world world;
  struct observation observations[OBSERVATIONS];
  unsigned long value;
  unsigned long notifications, stale, rejected;
  uint32_t handler_calls;
  copal_time deaf_until;
};

/* --- The server ----------------------------------------------------------------------------------- */

static void serve(copal_request *request, void *context) {
  struct trial *trial = (struct trial *)context;
  char text[16];
  snprintf(text, sizeof text, "%lu", trial->value);
  if (copal_request_is_notification(request)) ++trial->handler_calls;
  CHECK(&trial->world, copal_reply_text(request, text) == COPAL_OK);
}

static void change(struct trial *trial) {
  ++trial->value;
  copal_notify(trial->world.nodes[SERVER].endpoint, "/a");
}

static bool is_on_the_list(const struct trial *trial, uint8_t token) {
  const copal_endpoint *server = trial->world.nodes[SERVER].endpoint;
  for (uint32_t peer = 0; peer < server->engine.peers.slab.fresh; ++peer)
    if (observers_find(&server->observers, peer, (copal_bytes){&token, 1}) != INDEX_NONE) return true;
  return false;
}

/* --- The client ------------------------------------------------------------------------------------ */

static void ask(struct trial *trial, uint8_t token, uint32_t wish) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_set_token(&message, &token, 1);
  copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, wish);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  if (token % 2 != 0) copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, "odd");
  /* Refused while an earlier request with that token waits for its answer. */
  copal_error error =
      copal_send(trial->world.nodes[CLIENT].endpoint, &message, &trial->world.nodes[SERVER].address, NULL);
  CHECK(&trial->world, error == COPAL_OK || error == COPAL_ERR_TOKEN_IN_USE);
  if (error == COPAL_OK) trial->observations[token].wanted = wish == 0;
}

/* RFC 7641 3.4 */
static bool is_newer(const struct observation *known, uint32_t number, copal_time now) {
  return (known->number < number && number - known->number < 1u << 23) ||
         (known->number > number && known->number - number > 1u << 23) || now > known->at + 128 * COPAL_SECOND;
}

static void note(struct trial *trial, struct observation *known, const copal_view *view) {
  char text[16] = {0};
  uint32_t number = copal_find_uint(view, COPAL_OPTION_OBSERVE, UINT32_MAX);
  CHECK(&trial->world, view->code == COPAL_CONTENT && view->payload.size < sizeof text);
  memcpy(text, view->payload.data, view->payload.size);
  unsigned long value = strtoul(text, NULL, 10);
  if (number == UINT32_MAX) return;
  ++trial->notifications;
  if (known->known && !is_newer(known, number, trial->world.now)) {
    if (number == known->number) CHECK(&trial->world, value == known->value);
    ++trial->stale;
    return;
  }
  CHECK(&trial->world, !known->known || value >= known->value);
  *known = (struct observation){known->wanted, true, number, trial->world.now, value};
}

static void on_event(struct node *node, const copal_event *event, void *context) {
  (void)node;
  struct trial *trial = (struct trial *)context;
  if (event->kind != COPAL_EVENT_MESSAGE) return;
  copal_rx rx = event->rx;
  if (!copal_code_is_response(rx.message.code) || rx.message.token.size != 1) return;
  /* Its endpoint hears the answers to its requests all the same. */
  if (rx.type != COPAL_ACK && trial->world.now < trial->deaf_until) return;
  struct observation *known = &trial->observations[rx.message.token.data[0]];
  if (rx.type != COPAL_ACK && !known->wanted) {
    ++trial->rejected;
    CHECK(&trial->world, copal_reset(&rx) == COPAL_OK);
    return;
  }
  if (rx.type == COPAL_CON) CHECK(&trial->world, copal_ack(&rx, NULL) == COPAL_OK);
  note(trial, known, &rx.message);
}

static void behave(struct trial *trial) {
  struct chance *chance = &trial->world.chance;
  uint8_t token = (uint8_t)chance_below(chance, OBSERVATIONS);
  switch (chance_below(chance, 40)) {
    case 0:
    case 1:
    case 2: ask(trial, token, 0); break;
    case 3: ask(trial, token, 1); break;
    case 4: trial->observations[token].wanted = false; break;
    case 5: trial->deaf_until = trial->world.now + chance_below(chance, 20 * COPAL_SECOND); break;
  }
}

/* --- A run ------------------------------------------------------------------------------------------ */

static void begin(struct trial *trial, const copal_config *config, copal_time confirm_every, uint64_t seed) {
  *trial = (struct trial){.value = 1};
  world_init(&trial->world, seed, &bad);
  copal_endpoint *server = world_add(&trial->world, config, NULL, NULL)->endpoint;
  assert_int_equal(copal_route(server, COPAL_GET, "/a", serve, trial), COPAL_OK);
  assert_int_equal(copal_route_observable(server, "/a", confirm_every), COPAL_OK);
  /* The client sees every message, and answers by itself. */
  copal_config raw = *config;
  raw.raw = true;
  raw.exchanges_max = 512;
  raw.messages_size = 64 << 10;
  world_add(&trial->world, &raw, on_event, trial);
}

static void verify(struct trial *trial) {
  struct peers *peers = &trial->world.nodes[SERVER].endpoint->engine.peers;
  for (uint32_t i = 0; i < peers->slab.fresh; ++i) peers->records[i].flags |= PEER_VERIFIED;
}

static void run_until_quiet(struct trial *trial) {
  for (uint32_t step = 0; world_step(&trial->world, COPAL_NEVER); ++step) CHECK(&trial->world, step < STEPS_MAX);
}

static void live_through_changes(struct trial *trial) {
  struct world *world = &trial->world;
  for (uint8_t token = 0; token < OBSERVATIONS; ++token) ask(trial, token, 0);
  for (int i = 0; i < CHANGES; ++i) {
    copal_time until =
        world->now + chance_below(&world->chance, chance_hits(&world->chance, 100) ? 60 * COPAL_SECOND : COPAL_SECOND);
    verify(trial);
    change(trial);
    behave(trial);
    world_transmit(world);
    for (uint32_t step = 0; world->now < until; ++step) {
      world_step(world, until);
      CHECK(world, step < STEPS_MAX);
    }
  }
}

static void check_consistency(struct trial *trial) {
  uint32_t count = 0;
  for (uint8_t token = 0; token < OBSERVATIONS; ++token) {
    if (!is_on_the_list(trial, token)) continue;
    ++count;
    /* One that nobody wants and that has had a notification would have been rejected. */
    if (trial->observations[token].wanted) CHECK(&trial->world, trial->observations[token].value == trial->value);
  }
  copal_usage usage = copal_endpoint_usage(trial->world.nodes[SERVER].endpoint);
  CHECK(&trial->world, usage.observers == count && usage.exchanges == 0);
}

/* A run in which nothing happened would prove nothing. */
static void check_hardness(const struct trial *trial) {
  const copal_counters *counters = copal_endpoint_counters(trial->world.nodes[SERVER].endpoint);
  CHECK(&trial->world, trial->notifications > 200 && trial->stale > 10 && trial->rejected > 0);
  CHECK(&trial->world, counters->retransmissions > 20 && counters->resets > 0);
  CHECK(&trial->world, counters->notifications > trial->handler_calls / 4);
}

static void run(const copal_config *config, copal_time confirm_every, uint64_t seed) {
  struct trial *trial = malloc(sizeof *trial);
  assert_non_null(trial);
  begin(trial, config, confirm_every, seed);
  live_through_changes(trial);
  check_hardness(trial);
  trial->world.network.link = good;
  trial->deaf_until = 0;
  run_until_quiet(trial);
  check_consistency(trial);
  for (uint8_t token = 0; token < OBSERVATIONS; ++token) ask(trial, token, 0);
  run_until_quiet(trial);
  change(trial);
  world_transmit(&trial->world);
  run_until_quiet(trial);
  check_consistency(trial);
  CHECK(&trial->world, copal_endpoint_usage(trial->world.nodes[SERVER].endpoint).observers == OBSERVATIONS);

  for (uint8_t token = 0; token < OBSERVATIONS; ++token) ask(trial, token, 1);
  world_transmit(&trial->world);
  run_until_quiet(trial);
  copal_usage usage = copal_endpoint_usage(trial->world.nodes[SERVER].endpoint);
  CHECK(&trial->world, usage.observers == 0 && usage.observed == 0 && usage.messages_size == 0);
  world_release(&trial->world);
  free(trial);
}

static copal_config config_of(void) {
  copal_config config = copal_config_small();
  config.replies_size = 1 << 20;
  config.outbox_max = 64;
  config.exchanges_max = 32;
  config.messages_size = 16 << 10;
  config.observers_max = config.peer_observers_max = OBSERVATIONS;
  return config;
}

static void who_is_on_the_list_has_the_latest_state_if_all_is_confirmable(void **state) {
  (void)state;
  copal_config config = config_of();
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&config, 0, seed);
}

/* RFC 7641 4.3.1: "the server MUST keep the resource state that is observed by the client as closely in sync with
 * the actual resource state as possible." */
static void who_is_on_the_list_has_the_latest_state_if_some_are_confirmable(void **state) {
  (void)state;
  copal_config config = config_of();
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&config, 30 * COPAL_SECOND, seed);
}

/* Several at a time to one client, and room for few exchanges. */
static void the_same_with_a_larger_nstart_and_small_tables(void **state) {
  (void)state;
  copal_config config = config_of();
  config.parameters.nstart = 4;
  config.exchanges_max = 4;
  config.messages_size = 2048;
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&config, i % 2 != 0 ? 30 * COPAL_SECOND : 0, seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(who_is_on_the_list_has_the_latest_state_if_all_is_confirmable, world_prepare,
                                      world_report),
      cmocka_unit_test_setup_teardown(who_is_on_the_list_has_the_latest_state_if_some_are_confirmable, world_prepare,
                                      world_report),
      cmocka_unit_test_setup_teardown(the_same_with_a_larger_nstart_and_small_tables, world_prepare, world_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
