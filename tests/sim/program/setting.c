/* See setting.h. */
#include "program/setting.h"

#include <inttypes.h>
#include <string.h>

#include "sim/node.h"

/* What a workload is made of, in shares; and whether it has the faults that a seed draws. */
struct mix {
  const char *name;
  uint32_t shares[KIND_COUNT];
  uint32_t q_block_permille, watches;
  bool is_faultless;
};

static const struct mix mixes[] = {
    {"mix", {500, 200, 10, 80, 80, 60, 10, 30}, 300, 3, false},
    {"plain", {1000, 0, 0, 0, 0, 0, 0, 0}, 0, 0, false},
    {"separate", {100, 900, 0, 0, 0, 0, 0, 0}, 0, 0, false},
    {"block", {50, 0, 0, 400, 400, 200, 0, 0}, 0, 0, false},
    {"q-block", {50, 0, 0, 400, 400, 200, 0, 0}, 1000, 0, false},
    {"observe", {900, 100, 0, 0, 0, 0, 0, 0}, 0, 8, false},
    {"group", {500, 0, 0, 0, 0, 0, 500, 0}, 0, 0, false},
    {"stateless", {200, 0, 100, 0, 0, 0, 0, 700}, 0, 0, false},
    {"speed", {1000, 0, 0, 0, 0, 0, 0, 0}, 0, 0, true},
};

enum { MIXES = sizeof mixes / sizeof mixes[0] };

const char *const setting_workloads[] = {"mix",     "plain", "separate",  "block", "q-block",
                                         "observe", "group", "stateless", "speed", NULL};

const char *kind_name(enum kind kind) {
#define KIND_NAME(name, text) [KIND_##name] = (text),
  static const char *const names[] = {KINDS(KIND_NAME)};
#undef KIND_NAME
  return names[kind];
}

/* --- Drawing ------------------------------------------------------------------------------------------ */

/* One of several values, each as likely as the others. */
#define PICK(chance, ...) pick(chance, (const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8)

static uint64_t pick(struct chance *chance, const uint64_t *values, size_t count) {
  return values[chance_below(chance, count)];
}

static copal_config ample_config(struct chance *chance) {
  copal_config config = copal_config_small();
  config.peers_max = 1024;
  config.exchanges_max = 4096;
  config.message_size_max = (uint32_t)PICK(chance, 300, 600, 1152, 1152);
  config.messages_size = 2 << 20;
  config.replies_size = 16 << 20;
  config.peer_replies_max = UINT16_MAX;
  config.outbox_max = 1024;
  config.deferred_max = 512;
  config.routes_max = 32;
  config.body_size_max = 16 << 10;
  config.bodies_size = 8 << 20;
  config.transfers_max = 512;
  config.peer_transfers_max = 256;
  config.calls_max = 512;
  config.observed_max = 64;
  config.observers_max = 512;
  config.peer_observers_max = 64;
  return config;
}

/* Tables that run full: the small ones, or some of them made a little larger or smaller. */
static copal_config small_config(struct chance *chance) {
  copal_config config = copal_config_small();
  config.routes_max = 32;
  if (chance_hits(chance, 200)) return config;
  config.peers_max = (uint32_t)PICK(chance, 2, 4, 8, 16);
  config.exchanges_max = (uint32_t)PICK(chance, 4, 8, 16, 64);
  config.messages_size = (uint32_t)PICK(chance, 2048, 4096, 16384);
  config.replies_size = (uint32_t)PICK(chance, 2048, 4096, 16384, 65536);
  config.outbox_max = (uint32_t)PICK(chance, 2, 4, 8, 32);
  config.deferred_max = (uint32_t)PICK(chance, 1, 2, 4, 16);
  config.transfers_max = (uint32_t)PICK(chance, 0, 1, 2, 4);
  config.calls_max = (uint32_t)PICK(chance, 1, 2, 8);
  config.peer_rate = (uint32_t)PICK(chance, 0, 0, 0, 5);
  return config;
}

static void draw_parameters(struct setting *setting, struct chance *chance) {
  copal_parameters *parameters = &setting->server.parameters;
  parameters->nstart = (uint8_t)PICK(chance, 1, 1, 2, 4, 16);
  parameters->probing_rate = (uint32_t)PICK(chance, 0, 0, 1, 1000);
  if (chance_hits(chance, 200)) parameters->ack_timeout = PICK(chance, 1, 3) * COPAL_SECOND;
  if (chance_hits(chance, 200)) parameters->ack_random_permille = (uint32_t)PICK(chance, 1000, 1200, 2000);
  if (chance_hits(chance, 200)) parameters->max_retransmit = (uint8_t)PICK(chance, 1, 2, 5);
  if (chance_hits(chance, 200)) parameters->ack_delay = PICK(chance, 0, 100, 1500) * COPAL_MILLISECOND;
  setting->client.parameters = *parameters;
}

/* Delays stay within MAX_LATENCY, RFC 7252 4.8.2, also where a host that stalls adds to them. */
static void draw_link(struct setting *setting, struct chance *chance) {
  struct link *link = &setting->link;
  link->loss_permille = (uint32_t)PICK(chance, 0, 10, 100, 200, 300);
  link->duplication_permille = (uint32_t)PICK(chance, 0, 10, 150, 300);
  link->straggler_permille = (uint32_t)PICK(chance, 0, 10, 50);
  link->straggler_max = PICK(chance, 2, 20, 60) * COPAL_SECOND;
  link->delay_max = PICK(chance, 20, 200, 600, 1500) * COPAL_MILLISECOND;
  if (chance_hits(chance, 300)) {
    link->burst_begins_permille = (uint32_t)PICK(chance, 2, 10, 50);
    link->burst_ends_permille = (uint32_t)PICK(chance, 50, 200, 500);
  }
  if (chance_hits(chance, 300)) {
    link->damage_permille = (uint32_t)PICK(chance, 5, 50);
    link->is_cut = chance_hits(chance, 500);
    /* Where nothing could tell wrong content from damage, little would be shown: few runs have that. */
    link->slips_permille = (uint32_t)PICK(chance, 0, 0, 0, 100);
  }
  setting->is_asymmetric = chance_hits(chance, 400);
}

static void draw_mishaps(struct setting *setting, struct chance *chance) {
  if (chance_hits(chance, 300)) setting->partition_every = PICK(chance, 20, 100, 500) * COPAL_SECOND;
  setting->partition_for = PICK(chance, 2, 30, 200) * COPAL_SECOND;
  if (chance_hits(chance, 300)) setting->crash_every = PICK(chance, 20, 100, 500) * COPAL_SECOND;
  setting->crash_for = PICK(chance, 1, 10, 100) * COPAL_SECOND;
  setting->forget_permille = (uint32_t)PICK(chance, 0, 500, 1000);
  if (chance_hits(chance, 300)) setting->stall_every = PICK(chance, 20, 100, 500) * COPAL_SECOND;
  setting->stall_for = PICK(chance, 1, 5, 15) * COPAL_SECOND;
  if (chance_hits(chance, 200)) setting->rebind_every = PICK(chance, 20, 100, 500) * COPAL_SECOND;
  if (chance_hits(chance, 300)) setting->icmp_permille = (uint32_t)PICK(chance, 100, 1000);
  if (chance_hits(chance, 400)) setting->drift_max = (uint32_t)PICK(chance, 10, 1000, 10000);
  if (chance_hits(chance, 200)) setting->replay_every = PICK(chance, 100, 1000, 10000) * COPAL_MILLISECOND;
  if (chance_hits(chance, 200)) setting->forge_every = PICK(chance, 100, 1000, 10000) * COPAL_MILLISECOND;
  if (chance_hits(chance, 200)) setting->flood_every = PICK(chance, 50, 500, 5000) * COPAL_MILLISECOND;
  if (chance_hits(chance, 200)) setting->guess_every = PICK(chance, 100, 1000, 10000) * COPAL_MILLISECOND;
}

static void draw_work(struct setting *setting, struct chance *chance, const struct mix *mix) {
  for (int i = 0; i < KIND_COUNT; ++i) {
    setting->shares[i] = mix->shares[i];
    if (setting->shares[i] > 0) setting->shares[i] += (uint32_t)chance_below(chance, setting->shares[i]);
    setting->shares_sum += setting->shares[i];
  }
  setting->q_block_permille = mix->q_block_permille;
  setting->con_permille = (uint32_t)PICK(chance, 500, 800, 1000);
  setting->post_permille = (uint32_t)PICK(chance, 100, 500);
  setting->call_permille = (uint32_t)PICK(chance, 0, 300, 1000);
  setting->cancel_permille = (uint32_t)PICK(chance, 0, 0, 5);
  setting->watches = mix->watches == 0 ? 0 : (uint32_t)chance_below(chance, 2 * mix->watches);
  setting->change_every = PICK(chance, 100, 1000, 5000) * COPAL_MILLISECOND;
  setting->confirm_every = PICK(chance, 0, 10, 60) * COPAL_SECOND;
  setting->body_max = setting->is_ample ? (uint32_t)PICK(chance, 500, 2000, 12000) : (uint32_t)PICK(chance, 200, 900);
  setting->outstanding_max = (uint32_t)PICK(chance, 1, 4, 16, 64);
  /* Observations must not take up all calls. */
  if (setting->watches > setting->client.calls_max / 2) setting->watches = setting->client.calls_max / 2;
  if (!setting->is_ample) setting->outstanding_max = (uint32_t)PICK(chance, 1, 2, 4, 8);
  if (chance_hits(chance, 400)) setting->pause = PICK(chance, 50, 500, 5000) * COPAL_MILLISECOND;
}

/* As many exchanges as possible in little time: all pairs of hosts, wide windows, and nothing goes wrong. */
static void draw_speed(struct setting *setting, struct chance *chance) {
  setting->hosts = 8;
  setting->servers = 4;
  setting->is_ample = false; /* message IDs are what runs out */
  setting->server = setting->client = ample_config(chance);
  setting->server.message_size_max = setting->client.message_size_max = 256;
  setting->server.replies_size = 256 << 10;
  setting->server.exchanges_max = setting->client.exchanges_max = 1024;
  setting->server.parameters.nstart = setting->client.parameters.nstart = 48;
  setting->shares[KIND_NOW] = setting->shares_sum = 1;
  setting->con_permille = 1000;
  setting->outstanding_max = 128;
  setting->batch_max = NODE_BATCH_MAX;
  setting->tick = 100 * COPAL_MILLISECOND;
  setting->link.delay_min = 100 * COPAL_MILLISECOND;
  setting->link.delay_max = 400 * COPAL_MILLISECOND;
  setting->link.granularity = setting->tick;
  setting->body_max = 100;
}

static void draw_all(struct setting *setting, struct chance *chance, const struct mix *mix) {
  setting->servers = 1 + (uint32_t)chance_below(chance, 3);
  setting->hosts = setting->servers + 1 + (uint32_t)chance_below(chance, 4);
  if (chance_hits(chance, 100)) setting->hosts += (uint32_t)chance_below(chance, 16);
  if (setting->hosts_given > 0) setting->hosts = setting->hosts_given;
  if (setting->servers >= setting->hosts) setting->servers = setting->hosts - 1;
  setting->all_ask = setting->servers > 1 && chance_hits(chance, 300);
  setting->is_ample = chance_hits(chance, 600);
  setting->server = setting->is_ample ? ample_config(chance) : small_config(chance);
  setting->client = setting->is_ample ? ample_config(chance) : small_config(chance);
  if (setting->all_ask && setting->server.calls_max < setting->client.calls_max)
    setting->client.calls_max = setting->server.calls_max;
  draw_parameters(setting, chance);
  draw_work(setting, chance, mix);
  setting->batch_max = (uint32_t)PICK(chance, 1, 8, 8, 64);
  setting->tick = PICK(chance, 1, 1000, 10000) * COPAL_MICROSECOND;
  setting->tells_local = chance_hits(chance, 200);
  bool has_faults = !chance_hits(chance, 50);
  setting->link.delay_min = COPAL_MILLISECOND;
  setting->link.delay_max = 200 * COPAL_MILLISECOND;
  setting->link.granularity = setting->tick;
  if (!has_faults) return;
  draw_link(setting, chance);
  draw_mishaps(setting, chance);
  /* Whoever floods, fills. */
  if (setting->flood_every > 0 || setting->replay_every > 0) setting->is_ample = false;
}

bool setting_draw(struct setting *setting, uint64_t seed, uint64_t exchanges, const char *workload, uint32_t hosts) {
  const struct mix *mix = mixes;
  while (mix < mixes + MIXES && strcmp(mix->name, workload) != 0) ++mix;
  if (mix == mixes + MIXES) return false;
  struct chance chance = {seed * 0x9e3779b97f4a7c15 + 1};
  *setting = (struct setting){.seed = seed, .exchanges = exchanges, .workload = mix->name, .hosts_given = hosts};
  if (mix->is_faultless)
    draw_speed(setting, &chance);
  else
    draw_all(setting, &chance, mix);
  return true;
}

/* --- Printing ----------------------------------------------------------------------------------------- */

static void print_time(FILE *file, const char *name, copal_time time) {
  if (time >= COPAL_SECOND || time == 0)
    fprintf(file, " %s %" PRIu64 " s", name, time / COPAL_SECOND);
  else
    fprintf(file, " %s %" PRIu64 " us", name, time / COPAL_MICROSECOND);
}

static void print_config(FILE *file, const char *name, const copal_config *config) {
  fprintf(file,
          "  %s: peers %u, exchanges %u, message %u of %u, replies %u, outbox %u, deferred %u, transfers %u, "
          "calls %u, rate %u\n",
          name, config->peers_max, config->exchanges_max, config->message_size_max, config->messages_size,
          config->replies_size, config->outbox_max, config->deferred_max, config->transfers_max, config->calls_max,
          config->peer_rate);
}

void setting_print(const struct setting *setting, FILE *file) {
  const struct link *link = &setting->link;
  const copal_parameters *parameters = &setting->server.parameters;
  fprintf(file, "seed %" PRIu64 ", workload %s, %" PRIu64 " exchanges, %u hosts, %u of them servers%s, %s tables\n",
          setting->seed, setting->workload, setting->exchanges, setting->hosts, setting->servers,
          setting->all_ask ? " that ask, too" : "", setting->is_ample ? "ample" : "small");
  print_config(file, "servers", &setting->server);
  print_config(file, "clients", &setting->client);
  fprintf(file, "  NSTART %u, probing %u, retransmit %u, factor %u,", parameters->nstart, parameters->probing_rate,
          parameters->max_retransmit, parameters->ack_random_permille);
  print_time(file, "ACK timeout", parameters->ack_timeout);
  print_time(file, "ACK delay", parameters->ack_delay);
  fprintf(file, "\n  work:");
  for (int i = 0; i < KIND_COUNT; ++i)
    if (setting->shares[i] > 0) fprintf(file, " %s %u", kind_name((enum kind)i), setting->shares[i]);
  fprintf(file, ", outstanding %u, CON %u, POST %u, calls %u, Q-Block %u, cancelled %u, bodies %u, watches %u,",
          setting->outstanding_max, setting->con_permille, setting->post_permille, setting->call_permille,
          setting->q_block_permille, setting->cancel_permille, setting->body_max, setting->watches);
  print_time(file, "pause", setting->pause);
  print_time(file, "changes", setting->change_every);
  print_time(file, "confirmed", setting->confirm_every);
  fprintf(file, "\n  network: loss %u, bursts %u to %u, twice %u, late %u,", link->loss_permille,
          link->burst_begins_permille, link->burst_ends_permille, link->duplication_permille, link->straggler_permille);
  print_time(file, "by", link->straggler_max);
  print_time(file, "delay", link->delay_max);
  print_time(file, "tick", setting->tick);
  fprintf(file, ", damage %u, slips %u%s, ICMP %u\n  faults:", link->damage_permille, link->slips_permille,
          setting->is_asymmetric ? ", asymmetric" : "", setting->icmp_permille);
  if (setting->tells_local) fprintf(file, " local addresses told,");
  print_time(file, "partitions", setting->partition_every);
  print_time(file, "crashes", setting->crash_every);
  fprintf(file, " amnesia %u", setting->forget_permille);
  print_time(file, "stalls", setting->stall_every);
  print_time(file, "rebinding", setting->rebind_every);
  fprintf(file, " drift %u ppm; adversary:", setting->drift_max);
  print_time(file, "replay", setting->replay_every);
  print_time(file, "forge", setting->forge_every);
  print_time(file, "flood", setting->flood_every);
  print_time(file, "guess", setting->guess_every);
  fprintf(file, "\n");
}
