/* Clients observe the resources of a server over a bad network. Resources change, are deleted, change their format;
 * clients go deaf, lose their state, forget or cancel what they observe, vanish; the server loses its state. What a
 * client sees never goes back in time, no observation has two notifications outstanding, and a state is made once. When
 * all that is over, who still observes sees the newest state in time, and nothing is left of who does not. RFC 7641. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copal/rest.h"
#include "sim/body.h"
#include "sim/wire.h"

enum { CLIENTS_MAX = 4, RESOURCES = 5, VARIANTS = 2, WATCHES_MAX = RESOURCES * VARIANTS };
enum { STEPS_MAX = 2000000, BODY_MAX = 1000, RETRY_SECONDS = 5 };

/* Delays stay within MAX_LATENCY, RFC 7252 4.8.2. */
static const struct link bad = {.loss_permille = 200,
                                .duplication_permille = 150,
                                .straggler_permille = 50,
                                .delay_min = 5 * COPAL_MILLISECOND,
                                .delay_max = 600 * COPAL_MILLISECOND,
                                .straggler_max = 90 * COPAL_SECOND,
                                .granularity = 10 * COPAL_MILLISECOND};

static const struct link good = {
    .delay_min = 5 * COPAL_MILLISECOND, .delay_max = 200 * COPAL_MILLISECOND, .granularity = 10 * COPAL_MILLISECOND};

/* What a run is made of. */
struct plan {
  copal_config config; /* the server's */
  copal_config client;
  uint32_t clients, watches; /* and watches of each of them */
  uint32_t watches_in_peace; /* that everybody has room for */
  uint32_t events;           /* in bad times */
  bool is_ample;             /* nothing ever gets full */
};

/* What does not change of a resource: how it is observed, and how large it is. */
static const struct manner {
  const char *path;
  copal_time confirm_every;
  uint32_t max_age;
  size_t size;
  bool has_formats; /* it is now text, now JSON */
} manners[RESOURCES] = {{"/confirmed", 0, 60, 30, false},
                        {"/mostly-not", 30 * COPAL_SECOND, 5, 40, false},
                        {"/hardly-ever", 300 * COPAL_SECOND, 30, 40, false},
                        {"/large", 30 * COPAL_SECOND, 10, 700, false},
                        {"/formats", 0, 60, 40, true}};

struct resource {
  uint32_t version;
  uint32_t changes;        /* that observers were to be told of */
  uint32_t made[VARIANTS]; /* the change that a notification was last made for */
  bool exists, is_json;
};

/* What a client wants to see, and has seen. */
struct watch {
  struct trial *trial;
  uint32_t client, number;
  copal_call call;
  copal_time retry_at;
  uint32_t life, version; /* of the server, and of the resource: what it saw last */
  bool wanted, begun, observed;
  uint8_t buffer[BODY_MAX];
};

struct trial {
  struct world world;
  const struct plan *plan;
  struct node *server, *clients[CLIENTS_MAX];
  copal_time back_at[CLIENTS_MAX]; /* who is deaf or off, until then */
  struct resource resources[RESOURCES];
  struct watch watches[CLIENTS_MAX][WATCHES_MAX];
  struct wire wire; /* the server's */
  uint32_t life;    /* of the server */
  uint32_t seen, ended, failed, gone;
};

/* --- The server ----------------------------------------------------------------------------------- */

/* A state as text, its numbers first. */
static size_t write_state(uint8_t *buffer, uint32_t life, uint32_t number, uint32_t version) {
  int head = snprintf((char *)buffer, BODY_MAX, "%u %u %u ", (unsigned)life, (unsigned)number, (unsigned)version);
  size_t size = manners[number].size;
  struct body body = {(uint64_t)life << 48 | (uint64_t)number << 32 | version, size};
  body_write(&body, 0, buffer + head, size - (size_t)head);
  return size;
}

static void note_made(struct trial *trial, uint32_t number, const copal_request *request) {
  struct resource *resource = &trial->resources[number];
  copal_bytes value;
  uint32_t variant = copal_request_query(request, "v", &value) ? 1 : 0;
  if (!copal_request_is_notification(request) || !trial->plan->is_ample) return;
  /* In another format a variant is another one. */
  if (!manners[number].has_formats) CHECK(&trial->world, resource->made[variant] < resource->changes);
  resource->made[variant] = resource->changes;
}

static void serve(copal_request *request, void *context) {
  struct trial *trial = (struct trial *)context;
  const copal_view *view = &copal_request_rx(request)->message;
  copal_option option;
  uint32_t number = 0;
  CHECK(&trial->world, copal_find(view, COPAL_OPTION_URI_PATH, &option));
  while (strlen(manners[number].path) != option.size + 1 ||
         memcmp(manners[number].path + 1, option.value, option.size) != 0)
    ++number;
  note_made(trial, number, request);
  const struct resource *resource = &trial->resources[number];
  if (!resource->exists) {
    copal_reply_code(request, COPAL_NOT_FOUND);
    return;
  }
  uint8_t state[BODY_MAX];
  size_t size = write_state(state, trial->life, number, resource->version);
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, resource->is_json ? COPAL_JSON : COPAL_OCTET_STREAM);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, manners[number].max_age);
  CHECK(&trial->world, copal_reply_body(request, state, size) == COPAL_OK);
}

static void begin_life(struct trial *trial) {
  copal_endpoint *endpoint = trial->server->endpoint;
  ++trial->life;
  trial->wire.count = 0;
  for (uint32_t i = 0; i < RESOURCES; ++i) {
    trial->resources[i] = (struct resource){.version = 1, .exists = true};
    assert_int_equal(copal_route(endpoint, COPAL_GET, manners[i].path, serve, trial), COPAL_OK);
    assert_int_equal(copal_route(endpoint, COPAL_FETCH, manners[i].path, serve, trial), COPAL_OK);
    assert_int_equal(copal_route_observable(endpoint, manners[i].path, manners[i].confirm_every), COPAL_OK);
  }
}

static void change(struct trial *trial, uint32_t number) {
  struct resource *resource = &trial->resources[number];
  ++resource->version;
  ++resource->changes;
  resource->exists = true;
  copal_notify(trial->server->endpoint, manners[number].path);
}

static void delete (struct trial *trial, uint32_t number) {
  struct resource *resource = &trial->resources[number];
  ++resource->version;
  resource->exists = false;
  if (chance_hits(&trial->world.chance, 500)) {
    copal_notify_end(trial->server->endpoint, manners[number].path, COPAL_NOT_FOUND);
    return;
  }
  ++resource->changes;
  copal_notify(trial->server->endpoint, manners[number].path);
}

/* --- Clients ---------------------------------------------------------------------------------------- */

static void see(struct watch *watch, const copal_result *result) {
  struct trial *trial = watch->trial;
  struct world *world = &trial->world;
  char text[64] = {0};
  uint8_t expected[BODY_MAX];
  unsigned life, number, version;
  CHECK(world, result->body.size < BODY_MAX && result->body.size >= 30);
  memcpy(text, result->body.data, 30);
  CHECK(world, sscanf(text, "%u %u %u ", &life, &number, &version) == 3 && number == watch->number % RESOURCES);
  size_t size = write_state(expected, life, number, version);
  CHECK(world, result->body.size == size && memcmp(result->body.data, expected, size) == 0);
  /* RFC 7641 3.4: what is older than what was seen is dropped. */
  CHECK(world, life > watch->life || (life == watch->life && version >= watch->version));
  watch->life = life;
  watch->version = version;
  ++trial->seen;
}

static void on_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct watch *watch = (struct watch *)context;
  struct trial *trial = watch->trial;
  (void)endpoint;
  CHECK(&trial->world, watch->begun && call.index == watch->call.index && call.generation == watch->call.generation);
  CHECK(&trial->world, result->last == !result->observed);
  watch->observed = result->observed;
  if (result->rx != NULL && COPAL_CODE_CLASS(result->rx->message.code) == 2)
    see(watch, result);
  else if (result->rx != NULL) /* the rest of a state may be gone before it is fetched, and the observation go on */
    CHECK(&trial->world,
          result->last || manners[watch->number % RESOURCES].size > trial->plan->config.message_size_max);
  else
    ++trial->failed;
  if (!result->last) return;
  ++trial->ended;
  watch->begun = false;
  watch->retry_at = trial->world.now + RETRY_SECONDS * COPAL_SECOND;
}

static void begin_watch(struct watch *watch) {
  struct trial *trial = watch->trial;
  const struct node *node = trial->clients[watch->client];
  uint32_t variant = watch->number / RESOURCES;
  uint8_t buffer[128];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, variant == 0 ? COPAL_GET : COPAL_FETCH);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, manners[watch->number % RESOURCES].path + 1);
  if (variant != 0) copal_message_add_text(&message, COPAL_OPTION_URI_QUERY, "v");
  if (variant != 0) copal_message_set_payload(&message, "select", 6);
  copal_call_options options = {.message = &message,
                                .remote = &trial->server->address,
                                .handler = on_result,
                                .context = watch,
                                .buffer = watch->buffer,
                                .capacity = sizeof watch->buffer,
                                .observe = true};
  watch->retry_at = trial->world.now + RETRY_SECONDS * COPAL_SECOND;
  copal_error error = copal_call_begin(node->endpoint, &options, &watch->call);
  CHECK(&trial->world, error == COPAL_OK || !trial->plan->is_ample);
  watch->begun = error == COPAL_OK;
}

static void end_watch(struct watch *watch, bool deregister) {
  copal_endpoint *endpoint = watch->trial->clients[watch->client]->endpoint;
  watch->wanted = watch->observed = false;
  if (!watch->begun) return;
  CHECK(&watch->trial->world, copal_call_cancel(endpoint, watch->call, deregister) == COPAL_OK);
  watch->begun = false;
}

/* What it saw in its life before is no matter to it. */
static void restart_client(struct trial *trial, uint32_t client) {
  node_restart(trial->clients[client], trial->world.now);
  for (uint32_t i = 0; i < trial->plan->watches; ++i) {
    struct watch *watch = &trial->watches[client][i];
    watch->begun = watch->observed = false;
    watch->life = watch->version = 0;
  }
}

static void begin_what_is_wanted(struct trial *trial) {
  for (uint32_t client = 0; client < trial->plan->clients; ++client)
    for (uint32_t i = 0; i < trial->plan->watches; ++i) {
      struct watch *watch = &trial->watches[client][i];
      bool due = watch->wanted && !watch->begun && watch->retry_at <= trial->world.now;
      if (due && !trial->clients[client]->off) begin_watch(watch);
    }
  world_transmit(&trial->world);
}

/* --- Bad times -------------------------------------------------------------------------------------- */

static void pass_time(struct trial *trial, copal_time duration) {
  struct world *world = &trial->world;
  copal_time end = world->now + duration;
  for (uint32_t steps = 0; world->now < end; ++steps) {
    CHECK(world, steps < STEPS_MAX);
    begin_what_is_wanted(trial);
    copal_time next = world->now + RETRY_SECONDS * COPAL_SECOND;
    world_step(world, next < end ? next : end);
    for (uint32_t client = 0; client < trial->plan->clients; ++client) {
      if (trial->back_at[client] > world->now) continue;
      trial->clients[client]->off = trial->clients[client]->deaf = false;
    }
  }
}

static void disturb_client(struct trial *trial, uint32_t client) {
  struct chance *chance = &trial->world.chance;
  struct node *node = trial->clients[client];
  if (trial->back_at[client] > trial->world.now) return;
  trial->back_at[client] = trial->world.now + chance_below(chance, 1 + chance_below(chance, 400)) * COPAL_SECOND;
  switch (chance_below(chance, 3)) {
    case 0: node->deaf = true; break;
    case 1: node->off = true; break;
    case 2: restart_client(trial, client); break;
  }
}

static void happen(struct trial *trial) {
  struct chance *chance = &trial->world.chance;
  uint32_t number = (uint32_t)chance_below(chance, RESOURCES);
  uint32_t client = (uint32_t)chance_below(chance, trial->plan->clients);
  struct watch *watch = &trial->watches[client][chance_below(chance, trial->plan->watches)];
  switch (chance_below(chance, 100)) {
    case 0:
    case 1: delete (trial, number); break;
    case 2:
    case 3:
    case 4: trial->resources[RESOURCES - 1].is_json = chance_hits(chance, 500); break;
    case 5:
    case 6: disturb_client(trial, client); break;
    case 7:
    case 8:
    case 9:
    case 10: end_watch(watch, chance_hits(chance, 500)); break;
    case 11:
      if (!chance_hits(chance, 100)) break;
      node_restart(trial->server, trial->world.now);
      begin_life(trial);
      break;
    default:
      watch->wanted = true;
      change(trial, number);
      break;
  }
}

static void live_through(struct trial *trial) {
  struct chance *chance = &trial->world.chance;
  for (uint32_t i = 0; i < trial->plan->events; ++i) {
    happen(trial);
    world_transmit(&trial->world);
    pass_time(trial, chance_below(chance, chance_hits(chance, 100) ? 40 * COPAL_SECOND : 2 * COPAL_SECOND));
  }
}

/* --- In peace ---------------------------------------------------------------------------------------- */

static uint32_t count_observed(const struct trial *trial) {
  uint32_t count = 0;
  for (uint32_t client = 0; client < trial->plan->clients; ++client)
    for (uint32_t i = 0; i < trial->plan->watches; ++i) count += trial->watches[client][i].observed;
  return count;
}

static void all_see_the_newest(const struct trial *trial, uint32_t clients) {
  for (uint32_t client = 0; client < clients; ++client)
    for (uint32_t i = 0; i < trial->plan->watches_in_peace; ++i) {
      const struct watch *watch = &trial->watches[client][i];
      CHECK(&trial->world, watch->observed && watch->life == trial->life);
      CHECK(&trial->world, watch->version == trial->resources[i % RESOURCES].version);
    }
}

/* The last client is gone for good. */
static void vanish(struct trial *trial, uint32_t client) {
  trial->back_at[client] = COPAL_NEVER;
  trial->clients[client]->off = true;
  for (uint32_t i = 0; i < trial->plan->watches; ++i) {
    trial->watches[client][i].wanted = trial->watches[client][i].observed = false;
    trial->watches[client][i].begun = false;
  }
}

static void make_peace(struct trial *trial) {
  uint32_t last = trial->plan->clients - 1;
  trial->world.network.link = good;
  for (uint32_t client = 0; client < last; ++client) {
    trial->back_at[client] = 0;
    for (uint32_t i = 0; i < trial->plan->watches; ++i)
      if (i >= trial->plan->watches_in_peace)
        end_watch(&trial->watches[client][i], false);
      else
        trial->watches[client][i].wanted = true;
  }
}

static void change_all(struct trial *trial) {
  for (uint32_t i = 0; i < RESOURCES; ++i) change(trial, i);
  world_transmit(&trial->world);
}

static void be_at_peace(struct trial *trial) {
  uint32_t last = trial->plan->clients - 1;
  vanish(trial, last);
  make_peace(trial);
  /* What was under way ends, the rest is asked for again: Max-Age, 15 s, and MAX_TRANSMIT_WAIT for what a deaf client
   * had begun. Where there is no room, those who are gone must be found out first, one after the other. */
  for (int i = 0; i < (trial->plan->is_ample ? 3 : 12); ++i) {
    change_all(trial);
    pass_time(trial, 100 * COPAL_SECOND);
  }
  all_see_the_newest(trial, last);
  for (int i = 0; i < 16; ++i) {
    change_all(trial);
    /* Each client is sent one notification at a time, and non-confirmable ones every 3 seconds. */
    pass_time(trial, 4 * WATCHES_MAX * COPAL_SECOND);
    all_see_the_newest(trial, last);
    pass_time(trial, 60 * COPAL_SECOND);
  }
  CHECK(&trial->world, copal_endpoint_usage(trial->server->endpoint).observers == count_observed(trial));
}

/* --- The end ------------------------------------------------------------------------------------------ */

static void leave_nothing(struct trial *trial) {
  struct world *world = &trial->world;
  uint32_t last = trial->plan->clients - 1;
  for (uint32_t client = 0; client < last; ++client)
    for (uint32_t i = 0; i < trial->plan->watches; ++i)
      end_watch(&trial->watches[client][i], chance_hits(&world->chance, 500));
  for (int i = 0; i < 3; ++i) {
    change_all(trial);
    pass_time(trial, 120 * COPAL_SECOND);
  }
  pass_time(trial, 2 * copal_exchange_lifetime(&trial->plan->config.parameters));
  for (uint32_t i = 0; i < world->count; ++i) {
    if (world->nodes[i].off) continue;
    copal_usage usage = copal_endpoint_usage(world->nodes[i].endpoint);
    CHECK(world, usage.observers == 0 && usage.observed == 0 && usage.calls == 0 && usage.exchanges == 0);
    CHECK(world, usage.messages_size == 0 && usage.deferred == 0 && usage.transfers == 0 && usage.bodies_size == 0);
    CHECK(world, copal_endpoint_deadline(world->nodes[i].endpoint) == COPAL_NEVER);
  }
}

/* --- A run -------------------------------------------------------------------------------------------- */

/* What happened in all runs of a plan. */
struct tally {
  uint64_t seen, ended, failed, lives;
  uint64_t digest; /* of the last run's traffic */
};

static void run(const struct plan *plan, uint64_t seed, struct tally *tally) {
  struct trial *trial = calloc(1, sizeof *trial);
  assert_non_null(trial);
  trial->plan = plan;
  world_init(&trial->world, seed, &bad);
  trial->wire.world = &trial->world;
  trial->server = world_add(&trial->world, &plan->config, NULL, &trial->wire);
  if (plan->config.amplification_max == 0) trial->server->watcher = wire_watch;
  for (uint32_t client = 0; client < plan->clients; ++client) {
    trial->clients[client] = world_add(&trial->world, &plan->client, NULL, trial);
    for (uint32_t i = 0; i < WATCHES_MAX; ++i)
      trial->watches[client][i] = (struct watch){.trial = trial, .client = client, .number = i};
  }
  begin_life(trial);
  live_through(trial);
  be_at_peace(trial);
  leave_nothing(trial);
  tally->seen += trial->seen;
  tally->ended += trial->ended;
  tally->failed += trial->failed;
  tally->lives += trial->life;
  tally->digest = trial->world.network.digest;
  world_release(&trial->world);
  free(trial);
}

/* Runs in which nothing happened would prove nothing. */
static void run_seeds(const struct plan *plan, unsigned seeds) {
  struct tally tally = {0};
  uint64_t seed;
  unsigned runs = 0;
  for (; world_seed(runs, seeds, &seed); ++runs) run(plan, seed, &tally);
  if (runs < seeds) return;
  assert_true(tally.seen > 300 * runs && tally.ended > 20 * runs && tally.failed > runs && tally.lives > runs);
}

static struct plan ample_plan(void) {
  struct plan plan = {.config = copal_config_small(),
                      .clients = CLIENTS_MAX,
                      .watches = WATCHES_MAX,
                      .watches_in_peace = WATCHES_MAX,
                      .events = 400,
                      .is_ample = true};
  plan.config.peers_max = 16;
  plan.config.exchanges_max = 256;
  plan.config.message_size_max = 400;
  plan.config.messages_size = 256 << 10;
  plan.config.replies_size = 4 << 20;
  plan.config.outbox_max = 256;
  plan.config.routes_max = 32;
  plan.config.body_size_max = 4096;
  plan.config.bodies_size = 256 << 10;
  plan.config.transfers_max = 64;
  plan.config.peer_transfers_max = 32;
  plan.config.calls_max = 2 * WATCHES_MAX;
  plan.config.observed_max = 4 * WATCHES_MAX;
  plan.config.observers_max = 64 * WATCHES_MAX;
  plan.config.peer_observers_max = 16 * WATCHES_MAX;
  plan.config.amplification_max = 0;
  plan.client = plan.config;
  return plan;
}

static void observers_see_the_newest_state_at_last(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  run_seeds(&plan, 20);
}

static void several_notifications_at_a_time_mix_up_nothing(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  plan.config.parameters.nstart = plan.client.parameters.nstart = 4;
  run_seeds(&plan, 20);
}

static void unverified_observers_are_told_too(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  plan.config.amplification_max = 3;
  run_seeds(&plan, 10);
}

static void full_tables_forget_nobody_for_good(void **state) {
  (void)state;
  struct plan plan = {.config = copal_config_small(), .clients = 3, .watches = 4, .watches_in_peace = 1, .events = 400};
  plan.client = plan.config;
  plan.config.routes_max = 32;
  plan.config.transfers_max = plan.config.peer_transfers_max = 4;
  run_seeds(&plan, 20);
}

static void the_same_seed_gives_the_same_traffic(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, 1, &seed); ++i) {
    struct tally first = {0}, again = {0}, other = {0};
    run(&plan, seed, &first);
    run(&plan, seed, &again);
    run(&plan, seed + 1, &other);
    assert_true(first.digest == again.digest && first.digest != other.digest);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(observers_see_the_newest_state_at_last, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(several_notifications_at_a_time_mix_up_nothing, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(unverified_observers_are_told_too, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(full_tables_forget_nobody_for_good, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_traffic, world_prepare, world_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
