/* Clients call an archive over a bad network: bodies of any size go either way, documents change while they are
 * fetched. Every call ends once, with one version of what it asked for or with an error that something accounts for;
 * a POST is executed at most once, and once where the client has its 2.xx; parts come in order, and end. Then the
 * network is good, and everything that is wanted still must succeed. RFC 7959, 9175. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/transfer.h"

enum { STEPS_MAX = 2000000, RECENT = 16, ATTEMPTS_MAX = 40 };

/* Delays stay within MAX_LATENCY, RFC 7252 4.8.2. */
static const struct link bad = {.loss_permille = 150,
                                .duplication_permille = 150,
                                .straggler_permille = 30,
                                .delay_min = 5 * COPAL_MILLISECOND,
                                .delay_max = 600 * COPAL_MILLISECOND,
                                .straggler_max = 90 * COPAL_SECOND,
                                .granularity = 10 * COPAL_MILLISECOND};

static const struct link good = {
    .delay_min = 5 * COPAL_MILLISECOND, .delay_max = 200 * COPAL_MILLISECOND, .granularity = 10 * COPAL_MILLISECOND};

/* --- Under bad conditions ----------------------------------------------------------------------- */

static void issue_some(struct trial *trial) {
  struct chance *chance = &trial->world.chance;
  for (uint32_t client = 0; client < CLIENTS; ++client) {
    if (trial->issued >= trial->plan->errands || trial->outstanding[client] >= trial->plan->outstanding_max) continue;
    enum errand_kind kind = (enum errand_kind)chance_below(chance, ERRAND_KINDS);
    /* Documents are what changes, and are fetched more than others. */
    if (chance_hits(chance, 250)) kind = ERRAND_GET;
    /* Few of them are written, at the same time by the same client. */
    errand_issue(trial, client, kind, (uint32_t)chance_below(chance, kind == ERRAND_PUT ? 2 : DOCUMENTS));
  }
}

static void cancel_some(struct trial *trial) {
  uint32_t recent = trial->issued < RECENT ? trial->issued : RECENT;
  struct errand *errand = &trial->errands[trial->issued - 1 - chance_below(&trial->world.chance, recent)];
  if (!errand->ended && chance_hits(&trial->world.chance, 1)) errand_cancel(errand);
}

static void step(struct trial *trial, copal_time until) {
  copal_time payment = archive_next_payment(trial);
  world_step(&trial->world, payment < until ? payment : until);
  archive_pay(trial);
  world_transmit(&trial->world);
}

static void run_errands(struct trial *trial) {
  struct chance *chance = &trial->world.chance;
  copal_time change_at = 0;
  for (uint32_t steps = 0; trial->ended < trial->plan->errands; ++steps) {
    CHECK(&trial->world, steps < STEPS_MAX);
    issue_some(trial);
    cancel_some(trial);
    world_transmit(&trial->world);
    if (change_at <= trial->world.now) {
      archive_change(trial, (uint32_t)chance_below(chance, DOCUMENTS));
      change_at = trial->world.now + chance_below(chance, 4 * COPAL_SECOND);
    }
    step(trial, change_at);
  }
}

/* --- Rest --------------------------------------------------------------------------------------- */

static void come_to_rest(struct trial *trial) {
  struct world *world = &trial->world;
  copal_time lifetime = copal_exchange_lifetime(&trial->plan->config.parameters);
  copal_time end = world->now + 4 * lifetime;
  for (uint32_t steps = 0; world->now < end; ++steps) {
    CHECK(world, steps < STEPS_MAX);
    step(trial, end);
  }
  CHECK(world, trial->owed_count == 0 && trial->intakes == 0 && world->network.count == 0);
  for (uint32_t i = 0; i < world->count; ++i) {
    copal_usage usage = copal_endpoint_usage(world->nodes[i].endpoint);
    CHECK(world, usage.exchanges == 0 && usage.deferred == 0 && usage.receptions == 0 && usage.messages_size == 0);
    CHECK(world, usage.calls == 0 && usage.transfers == 0 && usage.bodies_size == 0);
    CHECK(world, copal_endpoint_deadline(world->nodes[i].endpoint) == COPAL_NEVER);
  }
}

static void check_errands(const struct trial *trial) {
  for (uint32_t i = 0; i < trial->issued; ++i) {
    const struct errand *errand = &trial->errands[i];
    CHECK(&trial->world, errand->ended);
    bool is_post = errand_manner(errand->kind)->method == COPAL_POST;
    CHECK(&trial->world, !is_post || errand->executions <= 1);
  }
  CHECK(&trial->world, trial->ended == trial->issued);
  CHECK(&trial->world, trial->successes + trial->failures + trial->cancellations == trial->issued);
}

/* --- In peace ----------------------------------------------------------------------------------- */

/* Those that are fetched are not those that are written. */
static uint32_t document_for(struct trial *trial, enum errand_kind kind) {
  uint32_t half = DOCUMENTS / 2, number = (uint32_t)chance_below(&trial->world.chance, half);
  return kind == ERRAND_GET ? number : half + number;
}

static void succeed(struct trial *trial, uint32_t client, enum errand_kind kind) {
  struct world *world = &trial->world;
  for (uint32_t attempt = 0;; ++attempt) {
    CHECK(world, attempt < (trial->plan->is_ample ? 1 : ATTEMPTS_MAX));
    const struct errand *errand = errand_issue(trial, client, kind, document_for(trial, kind));
    world_transmit(world);
    while (!errand->ended) step(trial, COPAL_NEVER);
    if (errand->succeeded) return;
    /* 5.03's Max-Age, and more. */
    for (copal_time end = world->now + 20 * COPAL_SECOND; world->now < end;) step(trial, end);
  }
}

static void everything_succeeds(struct trial *trial) {
  trial->peace = true;
  trial->world.network.link = good;
  for (uint32_t i = 0; i < DOCUMENTS; ++i) archive_change(trial, i);
  for (uint32_t kind = 0; kind < ERRAND_KINDS; ++kind)
    for (uint32_t client = 0; client < CLIENTS; ++client) succeed(trial, client, (enum errand_kind)kind);
}

/* --- A run -------------------------------------------------------------------------------------- */

/* What happened in all runs of a plan. */
struct tally {
  uint64_t lost, duplicates, successes, failures, parts, abandoned, evictions;
  uint64_t digest; /* of the last run's traffic */
};

static void count(const struct trial *trial, struct tally *tally) {
  const copal_counters *counters = copal_endpoint_counters(trial->archive->endpoint);
  tally->lost += trial->world.network.lost;
  tally->duplicates += counters->duplicates;
  tally->successes += trial->successes;
  tally->failures += trial->failures;
  tally->parts += trial->parts;
  tally->abandoned += trial->abandoned;
  tally->evictions += counters->transfers_evicted + counters->transfers_full;
  tally->digest = trial->world.network.digest;
}

static void run(const struct plan *plan, uint64_t seed, struct tally *tally) {
  struct trial *trial = calloc(1, sizeof *trial);
  assert_non_null(trial);
  trial->plan = plan;
  world_init(&trial->world, seed, &bad);
  trial->archive = world_add(&trial->world, &plan->config, NULL, NULL);
  for (uint32_t i = 0; i < CLIENTS; ++i) trial->clients[i] = world_add(&trial->world, &plan->client, NULL, NULL);
  archive_open(trial);
  run_errands(trial);
  come_to_rest(trial);
  check_errands(trial);
  count(trial, tally);
  everything_succeeds(trial);
  come_to_rest(trial);
  check_errands(trial);
  archive_close(trial);
  world_release(&trial->world);
  free(trial);
}

static struct plan ample_plan(void) {
  struct plan plan = {.config = copal_config_small(),
                      .document_size_max = 3000,
                      .upload_size_max = 3000,
                      .answer_size_max = 3000,
                      .errands = 150,
                      .outstanding_max = 3,
                      .is_ample = true};
  plan.config.exchanges_max = 64;
  plan.config.message_size_max = 600;
  plan.config.messages_size = 256 << 10;
  plan.config.replies_size = 8 << 20;
  plan.config.peer_replies_max = UINT16_MAX;
  plan.config.outbox_max = 256;
  plan.config.deferred_max = OWED_MAX;
  plan.config.routes_max = 32;
  plan.config.body_size_max = 4096;
  plan.config.bodies_size = 1 << 20;
  plan.config.transfers_max = 128;
  plan.config.peer_transfers_max = 64;
  plan.config.calls_max = 8;
  plan.config.amplification_max = 0;
  plan.config.parameters.nstart = 3;
  plan.client = plan.config;
  return plan;
}

/* Runs in which nothing happened would prove nothing. */
static void run_seeds(const struct plan *plan, unsigned seeds) {
  struct tally tally = {0};
  uint64_t seed;
  unsigned runs = 0;
  for (; world_seed(runs, seeds, &seed); ++runs) run(plan, seed, &tally);
  if (runs < seeds) return;
  assert_true(tally.lost > 100 * runs && tally.duplicates > 100 * runs && tally.parts > 30 * runs);
  assert_true(tally.successes > plan->errands / 3 * runs && tally.failures > 5 * runs && tally.abandoned > runs / 2);
  assert_true(plan->is_ample || tally.evictions > 20 * runs);
}

static void bodies_come_whole_over_a_bad_network(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  run_seeds(&plan, 40);
}

static void unverified_addresses_get_their_answers(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  plan.config.amplification_max = 3;
  plan.client.parameters.nstart = 1;
  run_seeds(&plan, 40);
}

static void blocks_that_are_not_waited_for_come_whole_too(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  plan.q_block_permille = 600;
  run_seeds(&plan, 40);
}

static void blocks_that_are_asked_for_ahead_come_whole_too(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  plan.client.parameters.nstart = 16;
  plan.client.message_size_max = 300; /* more blocks */
  run_seeds(&plan, 40);
}

static void full_tables_mix_up_nothing(void **state) {
  (void)state;
  struct plan plan = {.config = copal_config_small(),
                      .document_size_max = 900,
                      .upload_size_max = 400,
                      .answer_size_max = 400,
                      .errands = 150,
                      .outstanding_max = 2,
                      .q_block_permille = 200};
  plan.client = plan.config;
  plan.config.routes_max = 32;
  run_seeds(&plan, 40);
}

static void small_clients_do_with_a_large_archive(void **state) {
  (void)state;
  struct plan plan = ample_plan();
  plan.client = copal_config_small();
  plan.outstanding_max = plan.client.calls_max;
  run_seeds(&plan, 20);
}

static void the_usual_limits_do(void **state) {
  (void)state;
  struct plan plan = {.config = copal_config_default(),
                      .document_size_max = 20000,
                      .upload_size_max = 20000,
                      .answer_size_max = 20000,
                      .errands = 80,
                      .outstanding_max = 3,
                      .is_ample = true};
  plan.config.peer_transfers_max = 64;
  plan.client = plan.config;
  run_seeds(&plan, 10);
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
      cmocka_unit_test_setup_teardown(bodies_come_whole_over_a_bad_network, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(unverified_addresses_get_their_answers, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(blocks_that_are_not_waited_for_come_whole_too, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(blocks_that_are_asked_for_ahead_come_whole_too, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(full_tables_mix_up_nothing, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(small_clients_do_with_a_large_archive, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(the_usual_limits_do, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_traffic, world_prepare, world_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
