/* See run.h. */
#include "program/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "program/adversary.h"
#include "program/breaks.h"
#include "program/mishaps.h"
#include "program/observe.h"
#include "program/watch.h"

enum { CALM_SHARE = 16, STARVED_SECONDS = 5000 };

struct stage *stage_begin(void) {
  struct stage *stage = calloc(1, sizeof *stage);
  assert(stage != NULL);
  stage->work = work_begin();
  stage->watch = watch_begin();
  stage->observe = observe_begin();
  return stage;
}

void stage_end(struct stage *stage) {
  work_end(stage->work);
  watch_end(stage->watch);
  observe_end(stage->observe);
  free(stage);
}

/* --- Phases ---------------------------------------------------------------------------------------------- */

static void step(struct scene *scene, uint32_t issued_max, copal_time until) {
  copal_time ask_at = work_ask(scene, issued_max), watch_at = observe_ask(scene);
  if (ask_at < until) until = ask_at;
  if (watch_at < until) until = watch_at;
  scene_step(scene, until);
}

/* What the longest wait for anything may be once nothing goes wrong: the lifetime of all that is under way, with what
 * slow clocks make of it; and what waits for its turn with somebody who does not answer, since his tables are full or
 * his address has changed, is given up one after the other. */
static copal_time patience(const struct setting *setting) {
  const copal_parameters *parameters = &setting->server.parameters;
  copal_time wait = (parameters->ack_timeout << (parameters->max_retransmit + 1)) / 1000;
  uint32_t turns = setting->outstanding_max + setting->watches;
  return 4 * copal_exchange_lifetime(parameters) + turns * wait * parameters->ack_random_permille;
}

static void await_ends(struct scene *scene) {
  copal_time end = scene->now + patience(&scene->setting);
  while (scene->work->ended < scene->work->issued) {
    if (scene->now > end)
      violation(scene, "convergence", "%u requests have not ended", scene->work->issued - scene->work->ended);
    step(scene, 0, end + 1);
  }
}

/* Requests are made as long as there is room for them: small tables may be taken up for good. */
static void storm(struct scene *scene, uint32_t issued_max) {
  const struct work *work = scene->work;
  uint32_t issued = work->issued;
  copal_time issued_at = scene->now;
  while (work->issued < issued_max && scene->now - issued_at < STARVED_SECONDS * COPAL_SECOND) {
    step(scene, issued_max, issued_at + STARVED_SECONDS * COPAL_SECOND);
    if (work->issued == issued) continue;
    issued = work->issued;
    issued_at = scene->now;
  }
  if (work->issued < issued_max && scene->setting.is_ample)
    violation(scene, "starvation", "no request could be made for %d s", STARVED_SECONDS);
}

static void settle_observations(struct scene *scene) {
  if (scene->setting.watches == 0) return;
  observe_change(scene);
  copal_time end = scene->now + patience(&scene->setting);
  while (scene->now < end && !observe_is_settled(scene)) step(scene, 0, scene->now + 2 * COPAL_SECOND);
  if (scene->network.slipped == 0 && scene->setting.is_ample) observe_check_settled(scene);
}

static void check_tables(const struct scene *scene, const struct host *host) {
  copal_usage usage = copal_endpoint_usage(host->node.endpoint);
  const struct {
    const char *name;
    uint32_t count;
  } tables[] = {{"exchanges", usage.exchanges},   {"messages", usage.messages_size}, {"deferred", usage.deferred},
                {"receptions", usage.receptions}, {"transfers", usage.transfers},    {"bodies", usage.bodies_size},
                {"calls", usage.calls},           {"observed", usage.observed},      {"observers", usage.observers}};
  char text[256] = "";
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; ++i)
    if (tables[i].count > 0)
      snprintf(text + strlen(text), sizeof text - strlen(text), " %s %u", tables[i].name, tables[i].count);
  if (text[0] != 0) violation(scene, "tables", "host %u still has%s", host->number, text);
  if (copal_endpoint_deadline(host->node.endpoint) != COPAL_NEVER)
    violation(scene, "tables", "host %u still waits for something", host->number);
}

static void pass_time(struct scene *scene, copal_time duration) {
  for (copal_time end = scene->now + duration; scene->now < end;) step(scene, 0, end);
}

static void fall_silent(struct scene *scene) {
  observe_cease(scene);
  pass_time(scene, 100 * COPAL_SECOND);
  /* Somebody's registration may have been under way still. */
  observe_change(scene);
  pass_time(scene, patience(&scene->setting));
  /* What was given out last is kept until the next output. */
  for (uint32_t i = 0; i < scene->count; ++i) scene_touch(&scene->hosts[i]);
  scene_step(scene, scene->now);
  if (scene->network.count > 0) violation(scene, "silence", "%zu datagrams are still under way", scene->network.count);
  if (scene->work->owed_count > 0 && scene->broken == NULL)
    violation(scene, "tables", "%u answers are still owed", scene->work->owed_count);
  for (uint32_t i = 0; i < scene->count; ++i) {
    struct host *host = &scene->hosts[i];
    if (breaks(scene, "overrun", 50)) host->node.memory[0] = 0;
    check_tables(scene, host);
    if (!node_is_intact(&host->node)) violation(scene, "memory", "host %u wrote beside its endpoint", i);
  }
}

static void check_account(const struct scene *scene) {
  const struct work *work = scene->work;
  uint64_t ends = 0;
  for (int i = 0; i < END_COUNT; ++i) ends += work->ends[i];
  if (ends != work->issued || work->ended != work->issued)
    violation(scene, "account", "%u requests, and %" PRIu64 " ends", work->issued, ends);
}

/* --- A run -------------------------------------------------------------------------------------------------- */

static void add_words(uint64_t *sum, const uint64_t *words, size_t count) {
  for (size_t i = 0; i < count; ++i) sum[i] += words[i];
}

static void account_add(struct account *account, const struct scene *scene) {
  const struct work *work = scene->work;
  struct tally tally = scene->tally;
  tally.lost = scene->network.lost;
  tally.duplicated = scene->network.duplicated;
  tally.damaged = scene->network.damaged;
  tally.slipped = scene->network.slipped;
  ++account->runs;
  account->exchanges += work->issued;
  account->executions += work->executions;
  account->repeats += work->repeats;
  account->refusals += work->refusals;
  account->group_answers += work->group_answers;
  account->stateless_answers += work->stateless_answers;
  account->time += scene->now;
  account->digest = scene->network.digest;
  add_words(account->ends, work->ends, END_COUNT);
  add_words(account->kinds, work->kinds, KIND_COUNT);
  add_words((uint64_t *)&account->tally, (const uint64_t *)&tally, sizeof tally / sizeof(uint64_t));
}

void run(struct stage *stage, const struct setting *setting, bool is_traced, const char *broken,
         struct account *account) {
  struct scene *scene = &stage->scene;
  memset(scene, 0, sizeof *scene);
  scene->work = stage->work;
  scene->watch = stage->watch;
  scene->observe = stage->observe;
  scene->is_traced = is_traced;
  scene->broken = broken;
  scene_init(scene, setting);
  uint32_t exchanges = (uint32_t)setting->exchanges;
  storm(scene, exchanges - exchanges / CALM_SHARE);
  mishaps_end(scene);
  await_ends(scene);
  scene->calm_since = scene->now + 1;
  step(scene, 0, scene->now + 100 * COPAL_SECOND);
  storm(scene, exchanges);
  await_ends(scene);
  settle_observations(scene);
  fall_silent(scene);
  check_account(scene);
  account_add(account, scene);
  scene_release(scene);
}

/* --- For people --------------------------------------------------------------------------------------------- */

static void print_count(FILE *file, const char *name, uint64_t count) {
  if (count > 0) fprintf(file, ", %s %" PRIu64, name, count);
}

void account_print(const struct account *account, FILE *file) {
  fprintf(file, "exchanges %" PRIu64 " in %" PRIu64 " runs, ", account->exchanges, account->runs);
  if (account->time > 1000000 * COPAL_SECOND)
    fprintf(file, "%.3f virtual years\n", (double)account->time / 1e9 / 31557600);
  else
    fprintf(file, "%" PRIu64 " virtual seconds\n", account->time / COPAL_SECOND);
  fprintf(file, "  kinds: executions %" PRIu64, account->executions);
#define PRINT_KIND(name, text) print_count(file, text, account->kinds[KIND_##name]);
  KINDS(PRINT_KIND)
#undef PRINT_KIND
  fprintf(file, "\n  ends: executed again %" PRIu64, account->repeats);
#define PRINT_END(name, text) print_count(file, text, account->ends[END_##name]);
  ENDS(PRINT_END)
#undef PRINT_END
  fprintf(file, "\n  faults: datagrams %" PRIu64, account->tally.datagrams);
#define PRINT_TALLY(name, text) print_count(file, text, account->tally.name);
  TALLIES(PRINT_TALLY)
#undef PRINT_TALLY
  print_count(file, "not begun for want of room", account->refusals);
  fprintf(file, "\n");
}
