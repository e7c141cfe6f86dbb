/* See mishaps.h. Each mishap plans the next one of its kind; in a calm none is planned. */
#include "program/mishaps.h"

#include <string.h>

#include "program/adversary.h"
#include "program/watch.h"

copal_address mishaps_group(void) {
  copal_address group = node_address(0);
  group.bytes[0] = 0xff;
  group.bytes[1] = 0x02;
  return group;
}

/* --- Links ------------------------------------------------------------------------------------------ */

static void tell_error(struct scene *scene, uint32_t number, uint32_t place) {
  struct host *host = &scene->hosts[number];
  const struct quote *quote = &scene->quotes[place];
  if (host->is_down || host->is_stalled || host->life != quote->life || scene->is_calm) return;
  ++scene->tally.errors_told;
  copal_endpoint_unreachable(host->node.endpoint, node_time(&host->node, scene->now), &quote->path, quote->data,
                             quote->size);
  watch_pardon(scene, number, NOBODY);
  scene_touch(host);
}

/* What gets nowhere: its sender may be told. */
static void get_nowhere(struct scene *scene, uint32_t from, const copal_datagram *datagram) {
  ++scene->tally.cut_off;
  if (from == NOBODY || scene->is_calm || !chance_hits(&scene->chance, scene->setting.icmp_permille)) return;
  uint32_t place = (uint32_t)(scene->plans_order % QUOTES_MAX);
  struct quote *quote = &scene->quotes[place];
  *quote = (struct quote){.path = datagram->path, .life = scene->hosts[from].life};
  quote->size = datagram->size < sizeof quote->data ? datagram->size : sizeof quote->data;
  memcpy(quote->data, datagram->data, quote->size);
  scene_plan(scene, scene->now + COPAL_MILLISECOND, tell_error, from, place);
}

static void pass(struct scene *scene, struct way *way, uint32_t from, uint32_t to, const copal_datagram *datagram) {
  way->receiver = to;
  way->link = from == NOBODY ? &scene->network.link : &scene->links[from][to];
  network_pass(&scene->network, scene->now, way, datagram);
}

/* Inside, an address is always the same: what is outside is the network's affair. */
static void route(void *context, copal_time now, struct way *way, const copal_datagram *datagram) {
  struct scene *scene = (struct scene *)context;
  (void)now;
  ++scene->tally.datagrams;
  copal_address outer = way->source;
  uint32_t from = NOBODY;
  if (way->source.bytes[12] == 0 && way->source.bytes[15] - 1u < scene->count) from = way->source.bytes[15] - 1u;
  if (from != NOBODY && copal_address_equal(&way->source, &scene->hosts[from].node.address))
    outer = scene_address(&scene->hosts[from]);
  way->source = outer;
  adversary_overhear(scene, way, datagram);
  if (copal_address_is_multicast(&way->destination)) {
    for (uint32_t to = 0; to < scene->count; ++to)
      if (to != from && !(from != NOBODY && scene->is_cut[from][to])) pass(scene, way, from, to, datagram);
    return;
  }
  uint32_t to = scene_host_of(scene, &way->destination);
  if (to == NOBODY || (from != NOBODY && scene->is_cut[from][to]) || scene->hosts[to].is_down) {
    get_nowhere(scene, from, datagram);
    return;
  }
  way->destination = scene->setting.tells_local ? scene->hosts[to].node.address : (copal_address){0};
  pass(scene, way, from, to, datagram);
}

static uint32_t vary(struct chance *chance, uint32_t permille) {
  uint32_t varied = (uint32_t)chance_below(chance, 2 * (uint64_t)permille + 1);
  return varied < 900 ? varied : 900;
}

static void lay_links(struct scene *scene) {
  for (uint32_t from = 0; from < scene->count; ++from)
    for (uint32_t to = 0; to < scene->count; ++to) {
      struct link *link = &scene->links[from][to];
      *link = scene->setting.link;
      if (!scene->setting.is_asymmetric) continue;
      link->loss_permille = vary(&scene->chance, link->loss_permille);
      link->duplication_permille = vary(&scene->chance, link->duplication_permille);
      link->straggler_permille = vary(&scene->chance, link->straggler_permille);
      link->delay_max = link->delay_min + chance_below(&scene->chance, link->delay_max - link->delay_min + 1);
    }
}

/* --- Between hosts ------------------------------------------------------------------------------------ */

static void heal(struct scene *scene, uint32_t from, uint32_t to) {
  scene->is_cut[from][to] = scene->is_cut[to][from] = false;
}

static void cut(struct scene *scene, uint32_t host, uint32_t number) {
  (void)host, (void)number;
  if (scene->is_calm) return;
  uint32_t from = (uint32_t)chance_below(&scene->chance, scene->count);
  uint32_t to = (uint32_t)chance_below(&scene->chance, scene->count);
  ++scene->tally.partitions;
  scene->is_cut[from][to] = true;
  if (chance_hits(&scene->chance, 700)) scene->is_cut[to][from] = true;
  scene_plan(scene, scene_after(scene, scene->setting.partition_for), heal, from, to);
  scene_plan(scene, scene_after(scene, scene->setting.partition_every), cut, 0, 0);
}

static void rebind(struct scene *scene, uint32_t host, uint32_t number) {
  (void)host, (void)number;
  if (scene->is_calm) return;
  struct host *moved = &scene->hosts[chance_below(&scene->chance, scene->count)];
  if (moved->asks && !moved->serves && moved->generation < 100) {
    ++moved->generation;
    ++scene->tally.rebinds;
  }
  scene_plan(scene, scene_after(scene, scene->setting.rebind_every), rebind, 0, 0);
}

/* --- Of hosts ------------------------------------------------------------------------------------------ */

static void come_up(struct scene *scene, uint32_t number, uint32_t unused) {
  struct host *host = &scene->hosts[number];
  (void)unused;
  if (!host->is_down && !host->is_stalled) return;
  host->is_down = host->is_stalled = false;
  host->late_at = node_time(&host->node, scene->now);
  scene_touch(host);
}

static struct host *choose(struct scene *scene) {
  struct host *host = &scene->hosts[chance_below(&scene->chance, scene->count)];
  return host->is_down || host->is_stalled ? NULL : host;
}

static void crash(struct scene *scene, uint32_t unused, uint32_t number) {
  (void)unused, (void)number;
  if (scene->is_calm) return;
  struct host *host = choose(scene);
  if (host != NULL) {
    ++scene->tally.crashes;
    if (chance_hits(&scene->chance, scene->setting.forget_permille)) {
      ++scene->tally.amnesias;
      scene_forget(scene, host);
    }
    host->is_down = true;
    scene_plan(scene, scene_after(scene, scene->setting.crash_for), come_up, host->number, 0);
  }
  scene_plan(scene, scene_after(scene, scene->setting.crash_every), crash, 0, 0);
}

static void stall(struct scene *scene, uint32_t unused, uint32_t number) {
  (void)unused, (void)number;
  if (scene->is_calm) return;
  struct host *host = choose(scene);
  if (host != NULL) {
    ++scene->tally.stalls;
    host->is_stalled = true;
    scene_plan(scene, scene_after(scene, scene->setting.stall_for), come_up, host->number, 0);
  }
  scene_plan(scene, scene_after(scene, scene->setting.stall_every), stall, 0, 0);
}

/* --- Beginning and end --------------------------------------------------------------------------------- */

static void begin(struct scene *scene, copal_time mean, void (*act)(struct scene *, uint32_t, uint32_t)) {
  if (mean > 0) scene_plan(scene, scene_after(scene, mean), act, 0, 0);
}

void mishaps_begin(struct scene *scene) {
  const struct setting *setting = &scene->setting;
  scene->network.router = route;
  scene->network.context = scene;
  lay_links(scene);
  begin(scene, setting->partition_every, cut);
  begin(scene, setting->crash_every, crash);
  begin(scene, setting->stall_every, stall);
  begin(scene, setting->rebind_every, rebind);
}

void mishaps_end(struct scene *scene) {
  copal_time tick = scene->setting.tick;
  scene->is_calm = true;
  scene->calm_since = scene->now + 1;
  memset(scene->is_cut, 0, sizeof scene->is_cut);
  for (uint32_t from = 0; from < scene->count; ++from) {
    for (uint32_t to = 0; to < scene->count; ++to)
      scene->links[from][to] =
          (struct link){.delay_min = COPAL_MILLISECOND, .delay_max = 200 * COPAL_MILLISECOND, .granularity = tick};
    come_up(scene, from, 0);
  }
}
