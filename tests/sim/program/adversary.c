/* See adversary.h. */
#include "program/adversary.h"

#include <string.h>

enum { KEPT_SIZE = 256 };

/* --- Overhearing, and sending again --------------------------------------------------------------------- */

void adversary_overhear(struct scene *scene, const struct way *way, const copal_datagram *datagram) {
  struct adversary *adversary = &scene->adversary;
  if (scene->setting.replay_every == 0 || scene->is_calm || datagram->size > KEPT_SIZE) return;
  struct overheard *overheard = &adversary->overheard[adversary->next++ % OVERHEARD_MAX];
  overheard->source = way->source;
  overheard->destination = way->destination;
  overheard->size = datagram->size;
  memcpy(overheard->data, datagram->data, datagram->size);
}

/* From where it came, or from another address. */
static void replay(struct scene *scene, uint32_t host, uint32_t number) {
  (void)host, (void)number;
  if (scene->is_calm) return;
  const struct adversary *adversary = &scene->adversary;
  uint64_t count = adversary->next < OVERHEARD_MAX ? adversary->next : OVERHEARD_MAX;
  scene_plan(scene, scene_after(scene, scene->setting.replay_every), replay, 0, 0);
  if (count == 0) return;
  struct overheard copy = adversary->overheard[chance_below(&scene->chance, count)];
  if (chance_hits(&scene->chance, 300))
    copy.source = scene_address(&scene->hosts[chance_below(&scene->chance, scene->count)]);
  uint32_t to = scene_host_of(scene, &copy.destination);
  if (to == NOBODY) return;
  ++scene->tally.replays;
  scene_inject(scene, to, &copy.source, copy.data, copy.size);
}

/* --- Forging, and guessing -------------------------------------------------------------------------------- */

static copal_address stranger(struct scene *scene) {
  copal_address address = node_address((uint32_t)chance_below(&scene->chance, 256));
  address.bytes[12] = STRANGER;
  return address;
}

static void send_forgery(struct scene *scene, uint32_t to, const copal_address *source, copal_type type, uint8_t code) {
  uint8_t buffer[64], token[8];
  copal_encoder encoder;
  for (size_t i = 0; i < sizeof token; ++i) token[i] = (uint8_t)chance_draw(&scene->chance);
  copal_encode_begin(&encoder, buffer, sizeof buffer, type, code, (uint16_t)chance_draw(&scene->chance), token,
                     code == COPAL_EMPTY ? 0 : sizeof token);
  if (code != COPAL_EMPTY) copal_encode_payload(&encoder, "not the answer", 14);
  scene_inject(scene, to, source, buffer, encoder.size);
}

/* An answer to nothing that was asked, from where nobody was asked. */
static void forge(struct scene *scene, uint32_t host, uint32_t number) {
  (void)host, (void)number;
  if (scene->is_calm) return;
  copal_address source = node_address(200);
  uint32_t to = (uint32_t)chance_below(&scene->chance, scene->count);
  copal_type type = (copal_type)chance_below(&scene->chance, 4);
  source.bytes[12] = 1;
  ++scene->tally.forgeries;
  send_forgery(scene, to, &source, type, type == COPAL_RST ? COPAL_EMPTY : COPAL_CONTENT);
  scene_plan(scene, scene_after(scene, scene->setting.forge_every), forge, 0, 0);
}

/* In another's name, with a message ID and a token that may be right: what he does not see he can only guess. */
static void guess(struct scene *scene, uint32_t host, uint32_t number) {
  (void)host, (void)number;
  if (scene->is_calm) return;
  uint32_t to = (uint32_t)chance_below(&scene->chance, scene->count);
  copal_address source = scene_address(&scene->hosts[chance_below(&scene->chance, scene->count)]);
  copal_type type = (copal_type)chance_below(&scene->chance, 4);
  bool is_empty = type == COPAL_RST || (type != COPAL_NON && chance_hits(&scene->chance, 500));
  ++scene->tally.guesses;
  send_forgery(scene, to, &source, type, is_empty ? COPAL_EMPTY : COPAL_CONTENT);
  scene_plan(scene, scene_after(scene, scene->setting.guess_every), guess, 0, 0);
}

/* --- Flooding ---------------------------------------------------------------------------------------------- */

static const char *const targets[] = {"flood", "flood", "large", "state", ".well-known"};

/* A burst of requests in the name of strangers, who will be sent the answers. */
static void flood(struct scene *scene, uint32_t host, uint32_t number) {
  (void)host, (void)number;
  if (scene->is_calm) return;
  struct chance *chance = &scene->chance;
  uint32_t to = (uint32_t)chance_below(chance, scene->setting.servers);
  for (uint64_t count = 1 + chance_below(chance, 20); count > 0; --count) {
    uint8_t buffer[64], token = (uint8_t)chance_draw(chance);
    copal_address source = stranger(scene);
    const char *target = targets[chance_below(chance, sizeof targets / sizeof targets[0])];
    copal_encoder encoder;
    copal_type type = chance_hits(chance, 500) ? COPAL_CON : COPAL_NON;
    copal_encode_begin(&encoder, buffer, sizeof buffer, type, COPAL_GET, (uint16_t)chance_draw(chance), &token, 1);
    if (chance_hits(chance, 200)) copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, 0);
    copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, target, strlen(target));
    if (target[0] == '.') copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "core", 4);
    ++scene->tally.floods;
    scene_inject(scene, to, &source, buffer, encoder.size);
  }
  scene_plan(scene, scene_after(scene, scene->setting.flood_every), flood, 0, 0);
}

/* --- Beginning --------------------------------------------------------------------------------------------- */

static void begin(struct scene *scene, copal_time mean, void (*act)(struct scene *, uint32_t, uint32_t)) {
  if (mean > 0) scene_plan(scene, scene_after(scene, mean), act, 0, 0);
}

void adversary_begin(struct scene *scene) {
  const struct setting *setting = &scene->setting;
  begin(scene, setting->replay_every, replay);
  begin(scene, setting->forge_every, forge);
  begin(scene, setting->guess_every, guess);
  begin(scene, setting->flood_every, flood);
}
