/* See observe.h. */
#include "program/observe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "copal/rest.h"
#include "program/breaks.h"
#include "program/trace.h"
#include "program/watch.h"
#include "sim/body.h"

enum { RESOURCES = 3, LARGE = 2, WATCHES_MAX = 16, STATE_MAX = 1200, HEAD_SIZE = 16 };
enum { RETRY_SECONDS = 5 };
#define UNNUMBERED UINT32_MAX

static const char *const paths[RESOURCES] = {"/state", "/level", "/large"};

/* A resource: its state is its server's life and a number that grows. */
struct resource {
  uint32_t version;
};

struct watching {
  struct scene *scene;
  uint32_t client, life, server, resource;
  copal_call call;
  copal_time retry_at;
  uint32_t seen_life, seen_version;
  copal_time seen_at;   /* by the client's clock */
  uint32_t seen_number; /* of the notification that it saw last; UNNUMBERED when that was none */
  bool begun, observed;
  bool shares; /* the registration that is open, as far as the wire tells */
  uint8_t buffer[STATE_MAX];
};

/* The token with which a host has registered for a resource, as long as anybody there watches it. */
struct registration {
  uint8_t token[8];
  size_t token_size;
  bool is_open;
};

struct observe {
  struct resource resources[HOSTS_MAX][RESOURCES];
  struct watching watchings[HOSTS_MAX][WATCHES_MAX];
  struct registration registrations[HOSTS_MAX][HOSTS_MAX][RESOURCES]; /* of whom, with whom */
  uint32_t looks;
  bool has_ceased;
};

struct observe *observe_begin(void) {
  struct observe *observe = calloc(1, sizeof *observe);
  assert(observe != NULL);
  return observe;
}

void observe_end(struct observe *observe) { free(observe); }

/* --- Servers ---------------------------------------------------------------------------------------------- */

/* A state as bytes, its numbers first; nothing else has these. */
static size_t write_state(uint8_t *bytes, uint32_t server, uint32_t resource, uint32_t life, uint32_t version) {
  const uint32_t head[4] = {server, resource, life, version};
  struct body body = {(uint64_t)life << 48 | (uint64_t)server << 40 | (uint64_t)resource << 32 | version, 0};
  body.size = resource == LARGE ? 200 + version % 7 * 100 : version % 5 * 8;
  memcpy(bytes, head, sizeof head);
  body_write(&body, 0, bytes + HEAD_SIZE, body.size);
  return HEAD_SIZE + body.size;
}

static void give_state(copal_request *request, const struct host *host, uint32_t resource) {
  uint8_t state[STATE_MAX];
  struct scene *scene = host->scene;
  size_t size =
      write_state(state, host->number, resource, host->life, scene->observe->resources[host->number][resource].version);
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 30);
  copal_error error = copal_reply_body(request, state, size);
  if (error != COPAL_OK && scene->setting.is_ample)
    violation(scene, "refused-here", "host %u cannot give a state: %s", host->number, copal_error_name(error));
}

static void give_first(copal_request *request, void *context) { give_state(request, (const struct host *)context, 0); }
static void give_second(copal_request *request, void *context) { give_state(request, (const struct host *)context, 1); }
static void give_third(copal_request *request, void *context) { give_state(request, (const struct host *)context, 2); }

static void change(struct scene *scene, struct host *host, uint32_t resource) {
  ++scene->observe->resources[host->number][resource].version;
  copal_notify(host->node.endpoint, paths[resource]);
  scene_touch(host);
}

static void change_one(struct scene *scene, uint32_t number, uint32_t unused) {
  (void)unused;
  if (scene->is_calm) return;
  struct host *host = &scene->hosts[number];
  if (!host->is_down && !host->is_stalled) change(scene, host, (uint32_t)chance_below(&scene->chance, RESOURCES));
  scene_plan(scene, scene_after(scene, scene->setting.change_every), change_one, number, 0);
}

void observe_change(struct scene *scene) {
  for (uint32_t i = 0; i < scene->setting.servers; ++i)
    for (uint32_t resource = 0; resource < RESOURCES; ++resource) change(scene, &scene->hosts[i], resource);
}

static void begin_server(struct host *host) {
  static copal_handler *const handlers[RESOURCES] = {give_first, give_second, give_third};
  const struct setting *setting = &host->scene->setting;
  for (uint32_t i = 0; i < RESOURCES; ++i) {
    copal_endpoint *endpoint = host->node.endpoint;
    if (copal_route(endpoint, COPAL_GET, paths[i], handlers[i], host) != COPAL_OK ||
        copal_route_observable(endpoint, paths[i], setting->confirm_every) != COPAL_OK)
      violation(host->scene, "route", "host %u has no room for routes", host->number);
  }
}

/* --- Clients ------------------------------------------------------------------------------------------------ */

static struct registration *registration_of(const struct watching *watching) {
  return &watching->scene->observe->registrations[watching->client][watching->server][watching->resource];
}

static bool has_token(const struct registration *registration, copal_bytes token) {
  return registration->token_size == token.size && memcmp(registration->token, token.data, token.size) == 0;
}

/* Whoever watches then may still fetch what he was told of, but is told nothing more. */
static void end_registration(struct scene *scene, uint32_t client, uint32_t server, uint32_t resource) {
  scene->observe->registrations[client][server][resource].is_open = false;
  for (uint32_t i = 0; i < WATCHES_MAX; ++i) {
    struct watching *watching = &scene->observe->watchings[client][i];
    if (watching->server == server && watching->resource == resource) watching->shares = false;
  }
}

bool observe_is_told(struct scene *scene, const struct host *host, const copal_datagram *datagram) {
  copal_view view;
  copal_option option;
  uint32_t server = scene_host_of(scene, &datagram->path.remote);
  if (scene->setting.watches == 0 || server == NOBODY) return false;
  if (copal_decode(datagram->data, datagram->size, &view) != COPAL_OK || !copal_code_is_response(view.code))
    return false;
  bool is_challenge = view.code == COPAL_UNAUTHORIZED && copal_find(&view, COPAL_OPTION_ECHO, &option);
  bool goes_on = is_challenge || (COPAL_CODE_CLASS(view.code) == 2 && copal_find(&view, COPAL_OPTION_OBSERVE, &option));
  bool is_told = false;
  for (uint32_t i = 0; i < RESOURCES; ++i) {
    struct registration *registration = &scene->observe->registrations[host->number][server][i];
    if (registration->token_size == 0 || !has_token(registration, view.token)) continue;
    if (!goes_on) end_registration(scene, host->number, server, i);
    is_told = true;
  }
  return is_told;
}

/* RFC 7641 3.1: "A client MUST aggregate such requests and MUST NOT register more than once for the same target
 * resource." */
void observe_look(struct scene *scene, const struct host *host, const copal_datagram *datagram) {
  copal_view view;
  copal_option path;
  uint32_t server = scene_host_of(scene, &datagram->path.remote), resource = 0;
  if (scene->setting.watches == 0 || server == NOBODY || datagram->size < 4 || datagram->data[1] != COPAL_GET) return;
  if (copal_decode(datagram->data, datagram->size, &view) != COPAL_OK) return;
  if (copal_find_uint(&view, COPAL_OPTION_OBSERVE, 1) != 0 || !copal_find(&view, COPAL_OPTION_URI_PATH, &path)) return;
  while (resource < RESOURCES &&
         (strlen(paths[resource]) != path.size + 1 || memcmp(paths[resource] + 1, path.value, path.size) != 0))
    ++resource;
  if (resource == RESOURCES || view.token.size > sizeof(uint64_t)) return;
  struct registration *registration = &scene->observe->registrations[host->number][server][resource];
  bool is_same = has_token(registration, view.token);
  if (breaks(scene, "register-twice", ++scene->observe->looks)) is_same = false;
  if (registration->is_open && !is_same)
    violation(scene, "registered-twice", "host %u registers for host %u's %s beside a registration", host->number,
              server, paths[resource]);
  registration->is_open = true;
  registration->token_size = view.token.size;
  memcpy(registration->token, view.token.data, view.token.size);
}

/* The last one ends it. */
static void leave_registration(const struct watching *watching) {
  for (uint32_t i = 0; i < WATCHES_MAX; ++i) {
    const struct watching *other = &watching->scene->observe->watchings[watching->client][i];
    bool is_same = other->server == watching->server && other->resource == watching->resource;
    if (is_same && other->begun && other->shares) return;
  }
  registration_of(watching)->is_open = false;
}

/* RFC 7641 3.4: "(V1 < V2 and V2 - V1 < 2^23) or (V1 > V2 and V1 - V2 > 2^23) or (T2 > T1 + 128 seconds)" is taken for
 * newer, and so is what somebody has recorded, and sends again when numbers have come half round, or then. */
static bool may_be_replayed(const struct watching *watching, copal_time now, uint32_t number) {
  uint32_t ahead = (number - watching->seen_number) & 0xffffff;
  bool has_newer_number = number != UNNUMBERED && ahead > 0 && ahead < 1 << 23;
  return watching->scene->setting.replay_every > 0 &&
         (has_newer_number || now - watching->seen_at > 128 * COPAL_SECOND);
}

/* number: UNNUMBERED when it was no notification. */
static void see(struct watching *watching, copal_bytes body, copal_time now, uint32_t number) {
  struct scene *scene = watching->scene;
  uint32_t head[4];
  uint8_t expected[STATE_MAX];
  bool is_right = body.size >= sizeof head && body.size <= STATE_MAX;
  if (is_right) memcpy(head, body.data, sizeof head);
  is_right = is_right && head[0] == watching->server && head[1] == watching->resource;
  is_right = is_right && write_state(expected, head[0], head[1], head[2], head[3]) == body.size &&
             memcmp(expected, body.data, body.size) == 0;
  if (!is_right && scene->network.slipped > 0) return;
  if (!is_right)
    violation(scene, "wrong-state", "host %u is told a state of host %u's that is none", watching->client,
              watching->server);
  trace_note(scene, "host %u sees host %u's %s in life %u, version %u", watching->client, watching->server,
             paths[watching->resource], head[2], head[3]);
  /* RFC 7641 3.4: what is older than what was seen is dropped. A state that was asked for beside a registration, or
   * fetched in blocks, and anew since it had changed meanwhile, has no number: what is older than that cannot be told.
   */
  if (breaks(scene, "stale", head[3])) watching->seen_version = head[3] + 1;
  bool is_older = head[2] < watching->seen_life || (head[2] == watching->seen_life && head[3] < watching->seen_version);
  is_older = is_older && watching->resource != LARGE && watching->seen_number != UNNUMBERED;
  is_older = is_older && !may_be_replayed(watching, now, number);
  if (is_older && scene->network.slipped == 0)
    violation(scene, "back-in-time", "host %u is told version %u of host %u's %s after %u", watching->client, head[3],
              watching->server, paths[watching->resource], watching->seen_version);
  watching->seen_life = head[2];
  watching->seen_version = head[3];
  watching->seen_at = now;
  watching->seen_number = number;
}

static void on_state(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct watching *watching = (struct watching *)context;
  struct scene *scene = watching->scene;
  (void)endpoint;
  if (!watching->begun || call.index != watching->call.index || call.generation != watching->call.generation)
    violation(scene, "ended-twice", "host %u is told of what it does not watch", watching->client);
  watching->observed = result->observed;
  watch_pardon(scene, watching->client, watching->server);
  if (result->rx != NULL && COPAL_CODE_CLASS(result->rx->message.code) == 2) {
    ++scene->tally.states;
    see(watching, result->body, result->rx->time,
        copal_find_uint(&result->rx->message, COPAL_OPTION_OBSERVE, UNNUMBERED));
  }
  if (!result->last) return;
  watching->begun = false;
  leave_registration(watching);
  watching->retry_at = scene->now + RETRY_SECONDS * COPAL_SECOND;
}

static void begin_watching(struct watching *watching) {
  struct scene *scene = watching->scene;
  struct host *host = &scene->hosts[watching->client];
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, paths[watching->resource] + 1);
  copal_call_options options = {.message = &message,
                                .remote = &scene->hosts[watching->server].node.address,
                                .handler = on_state,
                                .context = watching,
                                .buffer = watching->buffer,
                                .capacity = sizeof watching->buffer,
                                .observe = true};
  watching->retry_at = scene->now + RETRY_SECONDS * COPAL_SECOND;
  watching->life = host->life;
  copal_error error = copal_call_begin(host->node.endpoint, &options, &watching->call);
  if (error != COPAL_OK && scene->setting.is_ample && error != COPAL_ERR_MESSAGE_IDS_SPENT)
    violation(scene, "refused-here", "host %u cannot begin to watch: %s", host->number, copal_error_name(error));
  watching->begun = watching->shares = error == COPAL_OK;
  scene_touch(host);
}

static void stop_watching(struct watching *watching, bool deregister) {
  struct scene *scene = watching->scene;
  struct host *host = &scene->hosts[watching->client];
  if (!watching->begun) return;
  if (copal_call_cancel(host->node.endpoint, watching->call, deregister) != COPAL_OK)
    violation(scene, "cancel", "host %u cannot stop to watch", host->number);
  watch_pardon(scene, watching->client, watching->server);
  watching->begun = watching->observed = false;
  leave_registration(watching);
  scene_touch(host);
}

copal_time observe_ask(struct scene *scene) {
  copal_time next = COPAL_NEVER;
  uint32_t count = scene->setting.watches < WATCHES_MAX ? scene->setting.watches : WATCHES_MAX;
  if (count == 0 || scene->observe->has_ceased) return next;
  for (uint32_t i = 0; i < scene->count; ++i) {
    const struct host *host = &scene->hosts[i];
    for (uint32_t j = 0; host->asks && !host->is_down && !host->is_stalled && j < count; ++j) {
      struct watching *watching = &scene->observe->watchings[i][j];
      if (!watching->begun && watching->retry_at <= scene->now) begin_watching(watching);
      if (!watching->begun && watching->retry_at < next) next = watching->retry_at;
    }
  }
  return next;
}

/* Now and then somebody stops, and begins again later. */
static void stop_one(struct scene *scene, uint32_t number, uint32_t place) {
  if (scene->is_calm) return;
  const struct host *host = &scene->hosts[number];
  struct watching *watching = &scene->observe->watchings[number][place];
  if (!host->is_down && !host->is_stalled) {
    stop_watching(watching, chance_hits(&scene->chance, 500));
    watching->retry_at = scene->now + chance_below(&scene->chance, 60 * COPAL_SECOND);
  }
  scene_plan(scene, scene_after(scene, 300 * COPAL_SECOND), stop_one, number, place);
}

/* --- Runs ------------------------------------------------------------------------------------------------------ */

void observe_reset(struct scene *scene) {
  const struct setting *setting = &scene->setting;
  memset(scene->observe, 0, sizeof *scene->observe);
  if (setting->watches == 0) return;
  for (uint32_t i = 0; i < scene->setting.hosts; ++i)
    for (uint32_t j = 0; j < WATCHES_MAX; ++j) {
      struct watching *watching = &scene->observe->watchings[i][j];
      uint32_t server = (uint32_t)chance_below(&scene->chance, setting->servers);
      if (server == i) server = (server + 1) % setting->servers;
      *watching = (struct watching){
          .scene = scene, .client = i, .server = server, .resource = (uint32_t)chance_below(&scene->chance, RESOURCES)};
      if (j < setting->watches && (setting->all_ask || i >= setting->servers))
        scene_plan(scene, scene_after(scene, 300 * COPAL_SECOND), stop_one, i, j);
    }
  for (uint32_t i = 0; i < setting->servers; ++i)
    scene_plan(scene, scene_after(scene, setting->change_every), change_one, i, 0);
}

/* What a client saw in its life before is no matter to it; a server's versions go on in another life. */
void observe_begin_life(struct scene *scene, struct host *host) {
  if (host->serves) begin_server(host);
  for (uint32_t i = 0; i < WATCHES_MAX; ++i) {
    struct watching *watching = &scene->observe->watchings[host->number][i];
    watching->begun = watching->observed = false;
    watching->seen_life = watching->seen_version = 0;
  }
  memset(scene->observe->registrations[host->number], 0, sizeof scene->observe->registrations[host->number]);
  for (uint32_t i = 0; i < RESOURCES; ++i) scene->observe->resources[host->number][i].version = 1;
}

static const struct watching *find_behind(const struct scene *scene) {
  for (uint32_t i = 0; i < scene->count; ++i)
    for (uint32_t j = 0; j < scene->setting.watches && j < WATCHES_MAX && scene->hosts[i].asks; ++j) {
      const struct watching *watching = &scene->observe->watchings[i][j];
      const struct host *server = &scene->hosts[watching->server];
      uint32_t version = scene->observe->resources[watching->server][watching->resource].version;
      bool is_behind = watching->seen_life != server->life || watching->seen_version != version;
      if (is_behind || (scene->setting.is_ample && !watching->observed)) return watching;
    }
  return NULL;
}

bool observe_is_settled(const struct scene *scene) { return find_behind(scene) == NULL; }

void observe_check_settled(const struct scene *scene) {
  const struct watching *behind = find_behind(scene);
  if (behind == NULL) return;
  violation(scene, "newest-state",
            "host %u has not seen the newest state of host %u's %s: life %u, version %u of %u, %s", behind->client,
            behind->server, paths[behind->resource], behind->seen_life, behind->seen_version,
            scene->observe->resources[behind->server][behind->resource].version,
            behind->observed ? "observing" : "not observing");
}

void observe_cease(struct scene *scene) {
  scene->observe->has_ceased = true;
  for (uint32_t i = 0; i < scene->count; ++i)
    for (uint32_t j = 0; j < WATCHES_MAX; ++j) {
      struct watching *watching = &scene->observe->watchings[i][j];
      if (watching->begun) stop_watching(watching, j % 2 == 0);
    }
  observe_change(scene);
}
