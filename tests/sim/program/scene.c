/* See scene.h. */
#include "program/scene.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program/adversary.h"
#include "program/mishaps.h"
#include "program/observe.h"
#include "program/watch.h"
#include "program/work.h"

enum { GENERATION_BYTE = 13, KIND_BYTE = 12, NUMBER_BYTE = 15, STEP_ROUNDS_MAX = 10000 };

/* --- Addresses ------------------------------------------------------------------------------------ */

copal_address scene_address(const struct host *host) {
  copal_address address = host->node.address;
  address.bytes[GENERATION_BYTE] = host->generation;
  address.port = (uint16_t)(address.port + host->generation);
  return address;
}

uint32_t scene_host_of(const struct scene *scene, const copal_address *address) {
  uint32_t number = address->bytes[NUMBER_BYTE] - 1u;
  if (address->bytes[KIND_BYTE] != 0 || address->bytes[0] != 0xfd || number >= scene->count) return NOBODY;
  return address->bytes[GENERATION_BYTE] == scene->hosts[number].generation ? number : NOBODY;
}

uint16_t scene_address_number(const copal_address *address) {
  uint8_t high = address->bytes[KIND_BYTE] != 0 ? address->bytes[14] | 0x80 : address->bytes[GENERATION_BYTE] & 0x7f;
  return (uint16_t)(high << 8 | address->bytes[NUMBER_BYTE]);
}

/* --- The agenda ----------------------------------------------------------------------------------- */

static bool is_earlier(const struct plan *a, const struct plan *b) {
  return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void scene_plan(struct scene *scene, copal_time at, void (*act)(struct scene *, uint32_t, uint32_t), uint32_t host,
                uint32_t number) {
  if (scene->plans_count == scene->plans_capacity) {
    scene->plans_capacity = scene->plans_capacity == 0 ? 64 : 2 * scene->plans_capacity;
    scene->plans = realloc(scene->plans, scene->plans_capacity * sizeof *scene->plans);
    assert(scene->plans != NULL);
  }
  struct plan plan = {.at = at, .order = scene->plans_order++, .act = act, .host = host, .number = number};
  size_t i = scene->plans_count++;
  for (; i > 0 && is_earlier(&plan, &scene->plans[(i - 1) / 2]); i = (i - 1) / 2)
    scene->plans[i] = scene->plans[(i - 1) / 2];
  scene->plans[i] = plan;
}

static struct plan pop_plan(struct scene *scene) {
  struct plan first = scene->plans[0], last = scene->plans[--scene->plans_count];
  size_t i = 0, child;
  while ((child = 2 * i + 1) < scene->plans_count) {
    if (child + 1 < scene->plans_count && is_earlier(&scene->plans[child + 1], &scene->plans[child])) ++child;
    if (!is_earlier(&scene->plans[child], &last)) break;
    scene->plans[i] = scene->plans[child];
    i = child;
  }
  scene->plans[i] = last;
  return first;
}

copal_time scene_after(struct scene *scene, copal_time mean) {
  return scene->now + 1 + chance_below(&scene->chance, 2 * mean);
}

/* --- Beginning and end ----------------------------------------------------------------------------- */

static void begin_host(struct scene *scene, uint32_t number) {
  const struct setting *setting = &scene->setting;
  struct host *host = &scene->hosts[number];
  host->number = number;
  host->scene = scene;
  host->serves = number < setting->servers;
  host->asks = setting->all_ask || !host->serves;
  node_init(&host->node, number + 1, host->serves ? &setting->server : &setting->client, chance_split(&scene->chance),
            scene->now, watch_event, scene);
  host->node.watcher = watch_datagram;
  host->node.batch_max = setting->batch_max;
  if (setting->drift_max > 0) {
    host->node.clock_shift = chance_below(&scene->chance, 1000 * COPAL_SECOND);
    host->node.clock_gain = (uint32_t)chance_below(&scene->chance, setting->drift_max + 1);
    node_restart(&host->node, scene->now);
  }
  work_begin_life(scene, host);
  host->is_touched = true;
}

void scene_init(struct scene *scene, const struct setting *setting) {
  scene->setting = *setting;
  scene->now = COPAL_SECOND;
  scene->chance = (struct chance){setting->seed};
  scene->count = setting->hosts;
  network_init(&scene->network, &setting->link, chance_split(&scene->chance));
  work_reset(scene);
  observe_reset(scene);
  watch_reset(scene->watch);
  mishaps_begin(scene);
  adversary_begin(scene);
  for (uint32_t i = 0; i < scene->count; ++i) begin_host(scene, i);
}

void scene_release(struct scene *scene) {
  for (uint32_t i = 0; i < scene->count; ++i) {
    struct host *host = &scene->hosts[i];
    for (struct packet *packet; (packet = host->first) != NULL;) {
      host->first = packet->next;
      network_give(&scene->network, packet);
    }
    node_release(&host->node);
  }
  network_release(&scene->network);
  free(scene->plans);
}

void scene_forget(struct scene *scene, struct host *host) {
  if (!node_is_intact(&host->node)) violation(scene, "memory", "host %u wrote beside its endpoint", host->number);
  ++host->life;
  node_restart(&host->node, scene->now);
  watch_forget(scene, host);
  work_begin_life(scene, host);
  host->is_touched = true;
}

/* --- A step ----------------------------------------------------------------------------------------- */

static copal_time on_tick(const struct scene *scene, copal_time at) {
  copal_time tick = scene->setting.tick;
  return at >= COPAL_NEVER - tick ? at : (at + tick - 1) / tick * tick;
}

static void deliver(struct scene *scene, struct host *host) {
  node_receive(&host->node, scene->now, host->arrivals, host->arrivals_count);
  for (uint32_t i = 0; i < host->arrivals_count; ++i) network_give(&scene->network, host->arrivals[i]);
  host->arrivals_count = 0;
  host->is_touched = true;
}

static void accept_packet(struct scene *scene, struct host *host, struct packet *packet) {
  if (host->is_down) {
    ++scene->tally.cut_off;
    network_give(&scene->network, packet);
    return;
  }
  if (host->is_stalled) {
    packet->next = NULL;
    if (host->first == NULL)
      host->first = packet;
    else
      host->last->next = packet;
    host->last = packet;
    return;
  }
  if (host->arrivals_count == ARRIVALS_MAX) deliver(scene, host);
  host->arrivals[host->arrivals_count++] = packet;
}

/* Who comes back from a stall has all that came meanwhile at once. */
static void catch_up(struct scene *scene, struct host *host) {
  while (host->first != NULL) {
    struct packet *packet = host->first;
    host->first = packet->next;
    accept_packet(scene, host, packet);
  }
}

static void arrive(struct scene *scene) {
  for (struct packet *packet; (packet = network_take(&scene->network, scene->now)) != NULL;)
    accept_packet(scene, &scene->hosts[packet->receiver], packet);
  for (uint32_t i = 0; i < scene->count; ++i) {
    struct host *host = &scene->hosts[i];
    if (host->first != NULL && !host->is_stalled && !host->is_down) catch_up(scene, host);
    if (host->arrivals_count > 0) deliver(scene, host);
  }
}

static void transmit(struct scene *scene) {
  for (uint32_t i = 0; i < scene->count; ++i) {
    struct host *host = &scene->hosts[i];
    if (host->is_down || host->is_stalled || (!host->is_touched && host->deadline > scene->now)) continue;
    host->is_touched = false;
    uint64_t sent;
    do {
      sent = scene->tally.datagrams;
      node_transmit(&host->node, scene->now, &scene->network);
      host->deadline = node_deadline(&host->node);
      /* An outbox that was full gives more the next time. */
    } while (host->deadline <= scene->now && sent < scene->tally.datagrams);
    /* Else the next step would not move, nor any after it. */
    if (host->deadline <= scene->now)
      violation(scene, "deadline", "host %u has more to send, and did not send it", host->number);
  }
}

bool scene_step(struct scene *scene, copal_time until) {
  copal_time next = network_next(&scene->network);
  for (uint32_t i = 0; i < scene->count; ++i) {
    const struct host *host = &scene->hosts[i];
    if (host->is_down || host->is_stalled) continue;
    copal_time deadline = host->is_touched ? scene->now : host->deadline;
    if (deadline < next) next = deadline;
  }
  if (scene->plans_count > 0 && scene->plans[0].at < next) next = scene->plans[0].at;
  bool happens = next != COPAL_NEVER;
  if (until < next) next = until;
  next = on_tick(scene, next);
  if (next != COPAL_NEVER && next > scene->now) scene->now = next;
  while (scene->plans_count > 0 && scene->plans[0].at <= scene->now) {
    struct plan plan = pop_plan(scene);
    plan.act(scene, plan.host, plan.number);
  }
  arrive(scene);
  transmit(scene);
  return happens;
}

void scene_inject(struct scene *scene, uint32_t host, const copal_address *source, const uint8_t *data, size_t size) {
  copal_datagram datagram = {data, size, {.remote = scene_address(&scene->hosts[host])}};
  network_carry(&scene->network, scene->now, source, &datagram);
}
