/* See work.h: what servers do with requests. */
#include <assert.h>

#include "program/breaks.h"
#include "program/trace.h"
#include "program/work.h"

enum { BODY_MAX = 1 << 16, DROPPED_PERMILLE = 20 };

/* The request that a handler is called with, or NULL: then it has been answered. */
static struct request *begin(struct scene *scene, copal_request *request) {
  struct request *asked = request_of(scene, &copal_request_rx(request)->message);
  if (asked == NULL) copal_reply_code(request, COPAL_BAD_REQUEST);
  return asked;
}

static void reply(copal_request *request, const struct request *asked) {
  static uint8_t bytes[BODY_MAX];
  struct body answer = request_answer(asked);
  if (breaks(asked->scene, "wrong-answer", asked->number)) ++answer.name;
  body_write(&answer, 0, bytes, answer.size);
  uint8_t code = asked->method == COPAL_GET || asked->method == COPAL_FETCH ? COPAL_CONTENT : COPAL_CHANGED;
  copal_error error = copal_reply(request, (copal_code)code, COPAL_FORMAT_NONE, bytes, answer.size);
  if (error != COPAL_OK && (asked->scene->setting.is_ample || error != COPAL_ERR_MESSAGE_SIZE))
    violation(asked->scene, "refused-here", "host %u cannot answer request %u: %s", asked->server, asked->number,
              copal_error_name(error));
}

static void answer_now(copal_request *request, void *context) {
  struct host *host = (struct host *)context;
  struct request *asked = begin(host->scene, request);
  if (asked == NULL) return;
  request_executed(asked, host, copal_request_rx(request));
  if (breaks(host->scene, "execute-twice", asked->number)) request_executed(asked, host, copal_request_rx(request));
  reply(request, asked);
}

/* --- Bodies ------------------------------------------------------------------------------------------ */

static void answer_body(copal_request *request, void *context) {
  struct host *host = (struct host *)context;
  struct scene *scene = host->scene;
  struct request *asked = begin(scene, request);
  if (asked == NULL) return;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  struct body upload = request_upload(asked);
  if (asked->kind != KIND_DOWNLOAD && !body_is(&upload, payload.data, payload.size) && scene->network.slipped == 0)
    violation(scene, "wrong-body", "host %u is given %zu bytes for request %u, which are not its %zu", host->number,
              payload.size, asked->number, upload.size);
  request_executed(asked, host, copal_request_rx(request));
  reply(request, asked);
}

/* --- Later ------------------------------------------------------------------------------------------- */

static void pay(struct scene *scene, uint32_t number, uint32_t place) {
  struct host *host = &scene->hosts[number];
  struct work *work = scene->work;
  struct owed *owed = &work->owed[place];
  struct request *asked = &work->requests[owed->number % REQUESTS_KEPT];
  copal_error error = COPAL_OK;
  if (owed->life == host->life && (host->is_down || host->is_stalled)) {
    scene_plan(scene, scene->now + COPAL_SECOND, pay, number, place);
    return;
  }
  if (owed->life == host->life && asked->is_dropped) {
    error = copal_deferred_drop(host->node.endpoint, owed->deferred);
  } else if (owed->life == host->life) {
    uint8_t buffer[512], bytes[256];
    struct body answer = request_answer(asked);
    copal_message response;
    body_write(&answer, 0, bytes, answer.size);
    copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
    copal_message_set_payload(&response, bytes, answer.size);
    error = copal_deferred_reply(host->node.endpoint, owed->deferred, &response);
    if (error == COPAL_ERR_MESSAGE_SIZE && !scene->setting.is_ample) {
      /* There is no room to keep it for its blocks. */
      copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_INTERNAL_SERVER_ERROR);
      error = copal_deferred_reply(host->node.endpoint, owed->deferred, &response);
    }
  }
  if (error != COPAL_OK && (scene->setting.is_ample || error == COPAL_ERR_STALE))
    violation(scene, "deferred", "host %u cannot answer request %u later: %s", number, owed->number,
              copal_error_name(error));
  scene_touch(host);
  if (error != COPAL_OK) {
    trace_note(scene, "host %u cannot answer request %u yet: %s", number, owed->number, copal_error_name(error));
    scene_plan(scene, scene->now + COPAL_SECOND, pay, number, place);
    return;
  }
  owed->next = work->owed_free;
  work->owed_free = place;
  --work->owed_count;
}

static void answer_later(copal_request *request, void *context) {
  struct host *host = (struct host *)context;
  struct scene *scene = host->scene;
  struct work *work = scene->work;
  struct request *asked = begin(scene, request);
  uint32_t place = work->owed_free;
  if (asked == NULL) return;
  struct owed owed = {.life = host->life, .number = asked->number};
  if (place == OWED_MAX || copal_defer(request, &owed.deferred) != COPAL_OK) {
    if (scene->setting.is_ample) violation(scene, "deferred", "host %u cannot defer an answer", host->number);
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
    return;
  }
  work->owed_free = work->owed[place].next;
  work->owed[place] = owed;
  ++work->owed_count;
  request_executed(asked, host, copal_request_rx(request));
  if (!scene->is_calm) asked->is_dropped = asked->is_dropped || chance_hits(&scene->chance, DROPPED_PERMILLE);
  /* Sometimes soon enough for a piggybacked response, sometimes not. */
  copal_time wait = chance_hits(&scene->chance, 900) ? 2 * COPAL_SECOND : 30 * COPAL_SECOND;
  if (breaks(scene, "leak", asked->number)) return;
  scene_plan(scene, scene_after(scene, wait / 2), pay, host->number, place);
}

/* --- Routes ------------------------------------------------------------------------------------------- */

static void route(struct host *host, copal_code method, const char *pattern, copal_handler *handler) {
  copal_error error = copal_route(host->node.endpoint, method, pattern, handler, host);
  if (error != COPAL_OK) violation(host->scene, "route", "host %u has no room for routes", host->number);
}

void serve_begin(struct host *host) {
  route(host, COPAL_GET, "/now", answer_now);
  route(host, COPAL_POST, "/now", answer_now);
  route(host, COPAL_GET, "/later", answer_later);
  route(host, COPAL_POST, "/later", answer_later);
  route(host, COPAL_GET, "/body", answer_body);
  route(host, COPAL_PUT, "/body", answer_body);
  route(host, COPAL_POST, "/body", answer_body);
  route(host, COPAL_FETCH, "/body", answer_body);
}
