/* See work.h: requests from their beginning to their end. */
#include "program/work.h"

#include <assert.h>
#include <stdlib.h>

#include "program/observe.h"
#include "program/trace.h"
#include "program/watch.h"
#include "sim/digest.h"

struct work *work_begin(void) {
  struct work *work = calloc(1, sizeof *work);
  assert(work != NULL);
  work->requests = calloc(REQUESTS_KEPT, sizeof *work->requests);
  assert(work->requests != NULL);
  return work;
}

void work_end(struct work *work) {
  free(work->requests);
  free(work);
}

void work_reset(struct scene *scene) {
  struct request *requests = scene->work->requests;
  struct chance chance = {scene->setting.seed ^ 0x5eed};
  *scene->work = (struct work){.requests = requests, .name = chance_draw(&chance)};
  for (uint32_t i = 0; i < HOSTS_MAX; ++i) scene->work->shares[i].chance = chance_split(&chance);
  for (uint32_t i = 0; i < OWED_MAX; ++i) scene->work->owed[i].next = i + 1;
}

void work_begin_life(struct scene *scene, struct host *host) {
  if (host->life > 0) work_crash(scene, host);
  if (host->serves) serve_begin(host);
  observe_begin_life(scene, host);
}

/* --- Names ------------------------------------------------------------------------------------------ */

static uint32_t check_of(const struct request *request) {
  return (uint32_t)digest_word(request->scene->work->name, (uint64_t)request->number << 8 | request->method);
}

static uint64_t name_of(const struct request *request, uint64_t what) {
  return digest_word(digest_word(request->scene->work->name, request->number), what);
}

/* Most bodies are small. */
static size_t size_of(const struct request *request, uint64_t name) {
  uint32_t body_max = request->scene->setting.body_max;
  if (request->kind < KIND_DOWNLOAD || request->kind > KIND_SEARCH)
    return 8 + (name % 8 != 0 ? name / 8 % 24 : name / 8 % 150);
  return 8 + (name % 4 != 0 ? name / 4 % (body_max / 8 + 1) : name / 4 % body_max);
}

struct body request_answer(const struct request *request) {
  uint64_t name = name_of(request, 1);
  return (struct body){name, size_of(request, name >> 8)};
}

struct body request_upload(const struct request *request) {
  uint64_t name = name_of(request, 2);
  return (struct body){name, size_of(request, name >> 8)};
}

static void write_nibbles(uint8_t *text, uint32_t value) {
  for (int i = 7; i >= 0; --i, value >>= 4) text[i] = (uint8_t)('a' + (value & 15));
}

static bool read_nibbles(const uint8_t *text, uint32_t *value) {
  *value = 0;
  for (int i = 0; i < 8; ++i) {
    uint8_t nibble = (uint8_t)(text[i] - 'a');
    if (nibble > 15) return false;
    *value = *value << 4 | nibble;
  }
  return true;
}

void request_write_query(const struct request *request, uint8_t query[QUERY_SIZE]) {
  query[0] = 'n';
  write_nibbles(query + 1, request->number);
  write_nibbles(query + 9, check_of(request));
}

static struct request *look_up(struct scene *scene, const copal_view *message) {
  copal_option option;
  uint32_t number, check;
  if (!copal_find(message, COPAL_OPTION_URI_QUERY, &option) || option.size != QUERY_SIZE) return NULL;
  if (!read_nibbles(option.value + 1, &number) || !read_nibbles(option.value + 9, &check)) return NULL;
  uint32_t issued = scene->work->issued;
  if (number == 0 || number > issued || issued - number >= REQUESTS_KEPT) return NULL;
  struct request *request = &scene->work->requests[number % REQUESTS_KEPT];
  return check == check_of(request) && request->method == message->code ? request : NULL;
}

struct request *request_of(struct scene *scene, const copal_view *message) {
  struct request *request = look_up(scene, message);
  if (request == NULL && scene->network.slipped == 0)
    violation(scene, "strange-request", "a handler is given a request that nobody has made");
  return request;
}

/* --- Execution ---------------------------------------------------------------------------------------- */

/* Which requests a server may execute again, when it needs the memory, or to give another block. */
static bool may_repeat(const struct request *request, const struct host *server) {
  const copal_counters *counters = copal_endpoint_counters(server->node.endpoint);
  if (request->kind == KIND_DOWNLOAD || request->kind == KIND_SEARCH) return true;
  /* A refusal for want of room is remembered as long as there is room for that: decision 0016. */
  if (request->method == COPAL_POST) return counters->challenged > 0 && counters->replies_evicted > 0;
  if (request->is_call) return true;
  return counters->replies_evicted > 0 || counters->unverified > 0 || request->kind == KIND_UPLOAD;
}

/* RFC 7252 4.5: "The recipient … SHOULD process any request or response in the message only once." That holds for as
 * long as its message ID does, for what comes from the same address, and while the server remembers anything. */
void request_executed(struct request *request, struct host *server, const copal_rx *rx) {
  struct scene *scene = request->scene;
  const copal_parameters *parameters = &server->node.config.parameters;
  copal_time lifetime = request->is_con ? copal_exchange_lifetime(parameters) : copal_non_lifetime(parameters);
  uint16_t source = scene_address_number(&rx->path.remote);
  bool is_again = request->executions > 0 && request->server_life == server->life && request->source == source &&
                  rx->time - request->executed < lifetime;
  ++scene->work->executions;
  if (is_again) {
    ++scene->work->repeats;
    if (!may_repeat(request, server) && scene->network.slipped == 0 && request->kind != KIND_GROUP)
      violation(scene, "executed-twice", "host %u executes request %u of host %u again", server->number,
                request->number, request->client);
    return;
  }
  request->executed = rx->time;
  request->server_life = server->life;
  request->source = source;
  ++request->executions;
}

/* --- The end -------------------------------------------------------------------------------------------- */

static enum end end_by_error(const struct request *request, copal_error error) {
  const struct scene *scene = request->scene;
  const struct tally *tally = &scene->tally;
  bool in_calm = scene->is_calm && request->began >= scene->calm_since, is_good = true;
  bool mangled = scene->network.slipped > 0;
  enum end end = END_BROKEN;
  if (error == COPAL_ERR_TIMEOUT) {
    end = END_TIMED_OUT;
    is_good = !in_calm || request->is_dropped || request->kind == KIND_GROUP || !scene->setting.is_ample;
  } else if (error == COPAL_ERR_RESET) {
    end = END_RESET;
    bool forged = tally->guesses > 0 || tally->forgeries > 0 || tally->replays > 0;
    is_good = !in_calm && (tally->amnesias > 0 || forged || mangled);
    if (request->kind == KIND_PING) return END_ANSWERED;
  } else if (error == COPAL_ERR_UNREACHABLE) {
    end = END_UNREACHED;
    is_good = scene->setting.icmp_permille > 0 && !in_calm;
  } else if (error == COPAL_ERR_RESPONSE_REJECTED) {
    end = END_REJECTED;
    is_good = mangled && !in_calm;
  } else {
    is_good = mangled || !scene->setting.is_ample;
    /* A server's ETags are its own, and new in its next life. */
    if (error == COPAL_ERR_BODY_CHANGED) is_good = is_good || tally->amnesias > 0;
    /* With Q-Block, the same blocks are missing time and again. */
    if (error == COPAL_ERR_BODY_BLOCKS) is_good = is_good || (request->is_quick && !in_calm);
  }
  if (!is_good)
    violation(scene, "unaccounted-end", "request %u (%s) of host %u to host %u ends with %s", request->number,
              kind_name((enum kind)request->kind), request->client, request->server, copal_error_name(error));
  return end;
}

/* Whether a response that is no success has its reason. */
static bool has_reason(const struct request *request, uint8_t code) {
  const struct scene *scene = request->scene;
  const struct host *server = &scene->hosts[request->server];
  bool is_small = !scene->setting.is_ample;
  switch (code) {
    case COPAL_SERVICE_UNAVAILABLE:
    case COPAL_INTERNAL_SERVER_ERROR: return is_small;
    case COPAL_TOO_MANY_REQUESTS: return server->node.config.peer_rate > 0;
    case COPAL_UNAUTHORIZED:
      return copal_endpoint_counters(server->node.endpoint)->unverified > 0 ||
             copal_endpoint_counters(server->node.endpoint)->challenged > 0 || server->life > 0;
    case COPAL_REQUEST_ENTITY_TOO_LARGE: return is_small;
    /* What nobody asks for is forgotten after a while, and by who forgets everything. */
    case COPAL_REQUEST_ENTITY_INCOMPLETE: return is_small || request->began < scene->calm_since || !scene->is_calm;
    default: return false;
  }
}

/* Of what must not be done again, an address that cannot be verified in time is told no more than that it is done. */
static bool is_withheld(const struct request *request, copal_bytes body) {
  const struct host *server = &request->scene->hosts[request->server];
  return body.size == 0 && request->method == COPAL_POST &&
         (copal_endpoint_counters(server->node.endpoint)->unverified > 0 || server->life > 0);
}

static enum end end_by_response(const struct request *request, const copal_view *response, copal_bytes body) {
  const struct scene *scene = request->scene;
  bool mangled = scene->network.slipped > 0;
  if (COPAL_CODE_CLASS(response->code) != 2) {
    if (!has_reason(request, response->code) && !mangled)
      violation(scene, "unaccounted-end", "request %u (%s) of host %u to host %u is answered %u.%02u", request->number,
                kind_name((enum kind)request->kind), request->client, request->server, response->code >> 5,
                response->code & 31u);
    return mangled ? END_MANGLED : END_REFUSED;
  }
  struct body answer = request_answer(request);
  bool is_right = body_is(&answer, body.data, body.size) || is_withheld(request, body);
  if (!is_right && mangled) return END_MANGLED;
  if (!is_right)
    violation(scene, "wrong-answer", "request %u (%s) of host %u to host %u has an answer of %zu bytes that is not its",
              request->number, kind_name((enum kind)request->kind), request->client, request->server, body.size);
  if (request->executions == 0 && !mangled)
    violation(scene, "not-executed", "request %u of host %u is answered, and was not executed", request->number,
              request->client);
  return END_ANSWERED;
}

static void finish(struct request *request, enum end end) {
  struct work *work = request->scene->work;
  request->ended = true;
  free(request->buffer);
  request->buffer = NULL;
  ++work->ended;
  ++work->ends[end];
  --work->shares[request->client].outstanding;
}

void request_close(struct request *request, copal_error error, const copal_view *response, copal_bytes body) {
  struct scene *scene = request->scene;
  if (request->ended)
    violation(scene, "ended-twice", "request %u of host %u has ended before", request->number, request->client);
  if (request->life != scene->hosts[request->client].life)
    violation(scene, "ended-after-life", "request %u is of an earlier life of host %u", request->number,
              request->client);
  if (error != COPAL_OK) watch_pardon(scene, request->client, request->server);
  trace_note(scene, "request %u ends: %s", request->number, copal_error_name(error));
  bool is_empty = error == COPAL_OK && response == NULL; /* a ping that was acknowledged */
  finish(request, error != COPAL_OK ? end_by_error(request, error)
                  : is_empty        ? END_ANSWERED
                                    : end_by_response(request, response, body));
}

void work_crash(struct scene *scene, struct host *host) {
  struct work *work = scene->work;
  uint32_t kept = work->issued < REQUESTS_KEPT ? work->issued : REQUESTS_KEPT;
  for (uint32_t number = work->issued; number > work->issued - kept; --number) {
    struct request *request = &work->requests[number % REQUESTS_KEPT];
    if (work->shares[host->number].outstanding == 0) break;
    if (!request->ended && request->client == host->number) finish(request, END_CRASHED);
  }
}

/* --- The beginning ---------------------------------------------------------------------------------------- */

static enum kind draw_kind(const struct setting *setting, struct chance *chance) {
  uint64_t draw = chance_below(chance, setting->shares_sum);
  uint32_t kind = 0;
  while (draw >= setting->shares[kind]) draw -= setting->shares[kind++];
  return (enum kind)kind;
}

static uint32_t draw_server(const struct setting *setting, struct chance *chance, uint32_t client) {
  uint32_t server = (uint32_t)chance_below(chance, setting->servers);
  if (server != client) return server;
  return (server + 1) % setting->servers;
}

static uint8_t draw_method(const struct setting *setting, struct chance *chance, enum kind kind) {
  if (kind == KIND_SEARCH) return COPAL_FETCH;
  if (kind == KIND_UPLOAD) return chance_hits(chance, 700) ? COPAL_POST : COPAL_PUT;
  if (kind == KIND_DOWNLOAD || kind == KIND_GROUP) return COPAL_GET;
  return chance_hits(chance, setting->post_permille) ? COPAL_POST : COPAL_GET;
}

/* False: there is no room now. */
static bool issue(struct scene *scene, struct host *host) {
  const struct setting *setting = &scene->setting;
  struct work *work = scene->work;
  struct share *share = &work->shares[host->number];
  uint32_t number = work->issued + 1;
  struct request *request = &work->requests[number % REQUESTS_KEPT];
  if (number > REQUESTS_KEPT && !request->ended) return false;
  enum kind kind = draw_kind(setting, &share->chance);
  *request = (struct request){.scene = scene,
                              .number = number,
                              .life = host->life,
                              .client = (uint8_t)host->number,
                              .server = (uint8_t)draw_server(setting, &share->chance, host->number),
                              .kind = (uint8_t)kind,
                              .method = draw_method(setting, &share->chance, kind),
                              .is_con = chance_hits(&share->chance, setting->con_permille),
                              .is_call = chance_hits(&share->chance, setting->call_permille),
                              .is_quick = chance_hits(&share->chance, setting->q_block_permille),
                              .began = scene->now};
  work->issued = number;
  ++share->outstanding;
  copal_error error = ask(request);
  if (error == COPAL_OK) {
    ++work->kinds[kind];
    return true;
  }
  if (setting->is_ample && error != COPAL_ERR_MESSAGE_IDS_SPENT)
    violation(scene, "refused-here", "host %u cannot begin a request: %s", host->number, copal_error_name(error));
  free(request->buffer);
  --share->outstanding;
  --work->issued;
  ++work->refusals;
  return false;
}

static void ask_as_much(struct scene *scene, struct host *host, uint32_t issued_max) {
  const struct setting *setting = &scene->setting;
  struct share *share = &scene->work->shares[host->number];
  while (share->retry_at <= scene->now && share->outstanding < setting->outstanding_max &&
         scene->work->issued < issued_max) {
    if (!issue(scene, host))
      share->retry_at = scene->now + COPAL_SECOND;
    else if (setting->pause > 0)
      share->retry_at = scene->now + chance_below(&share->chance, setting->pause);
    scene_touch(host);
  }
}

static void cancel_some(struct scene *scene) {
  const struct work *work = scene->work;
  if (work->issued == 0 || !chance_hits(&scene->chance, scene->setting.cancel_permille)) return;
  uint32_t recent = work->issued < 32 ? work->issued : 32;
  struct request *request = &work->requests[(work->issued - chance_below(&scene->chance, recent)) % REQUESTS_KEPT];
  const struct host *host = &scene->hosts[request->client];
  if (request->ended || host->is_down || host->is_stalled) return;
  ask_cancel(request);
  watch_pardon(scene, request->client, request->server);
  finish(request, END_CANCELLED);
}

copal_time work_ask(struct scene *scene, uint32_t issued_max) {
  copal_time next = COPAL_NEVER;
  if (!scene->is_calm && scene->setting.cancel_permille > 0) cancel_some(scene);
  if (scene->work->issued >= issued_max) return next;
  for (uint32_t i = 0; i < scene->count; ++i) {
    struct host *host = &scene->hosts[i];
    if (!host->asks || host->is_down || host->is_stalled) continue;
    ask_as_much(scene, host, issued_max);
    copal_time retry_at = scene->work->shares[i].retry_at;
    if (scene->work->shares[i].outstanding < scene->setting.outstanding_max && retry_at > scene->now && retry_at < next)
      next = retry_at;
  }
  return next;
}
