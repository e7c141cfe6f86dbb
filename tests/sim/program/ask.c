/* See work.h: how a request goes on its way, and how its client is told. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program/breaks.h"
#include "program/mishaps.h"
#include "program/trace.h"
#include "program/work.h"

enum { PAYLOAD_FITS = 100 };

static const char *const paths[KIND_COUNT] = {
    [KIND_NOW] = "now",     [KIND_LATER] = "later", [KIND_DOWNLOAD] = "body", [KIND_UPLOAD] = "body",
    [KIND_SEARCH] = "body", [KIND_GROUP] = "now",   [KIND_STATELESS] = "now"};

/* --- How it ends ------------------------------------------------------------------------------------- */

static void check_group_answer(struct request *request, const copal_rx *rx) {
  struct scene *scene = request->scene;
  struct body answer = request_answer(request);
  const copal_bytes *payload = &rx->message.payload;
  ++scene->work->group_answers;
  if (!body_is(&answer, payload->data, payload->size) && scene->network.slipped == 0)
    violation(scene, "wrong-answer", "request %u of host %u to all has an answer that is not its", request->number,
              request->client);
}

/* An end, as the client is told of it. */
static void tell(struct request *request, copal_error error, const copal_view *response, copal_bytes body) {
  if (breaks(request->scene, "lost-end", request->number)) return;
  request_close(request, error, response, body);
  if (breaks(request->scene, "end-twice", request->number)) request_close(request, error, response, body);
}

static void on_response(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  struct request *request = (struct request *)context;
  (void)endpoint;
  if (request->life == request->scene->hosts[request->client].life && !copal_same_tx(tx, request->tx))
    violation(request->scene, "ended-twice", "request %u of host %u ends in another's name", request->number,
              request->client);
  if (request->kind == KIND_GROUP && error == COPAL_OK)
    check_group_answer(request, rx);
  else
    tell(request, error, rx == NULL ? NULL : &rx->message, rx == NULL ? (copal_bytes){0} : rx->message.payload);
}

static void on_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct request *request = (struct request *)context;
  (void)endpoint, (void)call;
  if (!result->last || result->observed)
    violation(request->scene, "ended-twice", "request %u of host %u is to have more results", request->number,
              request->client);
  tell(request, result->error, result->rx == NULL ? NULL : &result->rx->message, result->body);
}

static void on_stateless(copal_endpoint *endpoint, copal_bytes state, const copal_rx *rx, void *context) {
  struct scene *scene = (struct scene *)context;
  uint32_t number = 0;
  (void)endpoint;
  if (state.size == sizeof number) memcpy(&number, state.data, sizeof number);
  const struct request *request = &scene->work->requests[number % REQUESTS_KEPT];
  struct body answer = {0};
  if (number > 0 && number <= scene->work->issued) answer = request_answer(request);
  bool is_right = body_is(&answer, rx->message.payload.data, rx->message.payload.size);
  ++scene->work->stateless_answers;
  if (!is_right && COPAL_CODE_CLASS(rx->message.code) == 2 && rx->message.payload.size > 0 &&
      scene->network.slipped == 0)
    violation(scene, "wrong-answer", "request %u without state has an answer that is not its", number);
}

/* --- How it begins ------------------------------------------------------------------------------------ */

static uint64_t give(void *context, uint64_t offset, void *buffer, size_t size) {
  struct body upload = request_upload((const struct request *)context);
  if (offset >= upload.size) return 0;
  size_t left = upload.size - (size_t)offset, part = left < size ? left : size;
  body_write(&upload, (size_t)offset, (uint8_t *)buffer, part);
  return part;
}

static copal_error begin_call(struct request *request, copal_message *message, const copal_address *server) {
  struct scene *scene = request->scene;
  struct chance *chance = &scene->work->shares[request->client].chance;
  struct body upload = request_upload(request), answer = request_answer(request);
  uint8_t bytes[PAYLOAD_FITS];
  copal_call_options options = {.message = message,
                                .remote = server,
                                .handler = on_result,
                                .context = request,
                                .body_context = request,
                                .ahead = (uint8_t)(request->number % 8),
                                .q_block = request->is_quick};
  if (request->kind == KIND_UPLOAD || request->kind == KIND_SEARCH) {
    if (upload.size <= sizeof bytes) {
      body_write(&upload, 0, bytes, upload.size);
      copal_message_set_payload(message, bytes, upload.size);
    } else {
      options.read = give;
      options.size = chance_hits(chance, 500) ? upload.size : COPAL_SIZE_UNKNOWN;
    }
  }
  request->buffer = malloc(answer.size);
  assert(request->buffer != NULL);
  options.buffer = request->buffer;
  options.capacity = answer.size;
  if (chance_hits(chance, 300)) options.block_size = (uint16_t)(64u << chance_below(chance, 3));
  return copal_call_begin(scene->hosts[request->client].node.endpoint, &options, &request->call);
}

static copal_error send_stateless(struct request *request, const copal_message *message, const copal_address *server) {
  copal_endpoint *endpoint = request->scene->hosts[request->client].node.endpoint;
  copal_stateless(endpoint, on_stateless, request->scene);
  copal_bytes state = {(const uint8_t *)&request->number, sizeof request->number};
  copal_error error = copal_stateless_send(endpoint, message, server, state);
  /* What becomes of it nobody knows. */
  if (error == COPAL_OK) request_close(request, COPAL_OK, NULL, (copal_bytes){0});
  return error;
}

copal_error ask(struct request *request) {
  struct scene *scene = request->scene;
  copal_endpoint *endpoint = scene->hosts[request->client].node.endpoint;
  const copal_address *server = &scene->hosts[request->server].node.address;
  enum kind kind = (enum kind)request->kind;
  request->is_call =
      kind != KIND_GROUP && kind != KIND_PING && kind != KIND_STATELESS && (kind >= KIND_DOWNLOAD || request->is_call);
  if (kind == KIND_PING) return copal_ping_send(endpoint, server, COPAL_NEVER, on_response, request, &request->tx);
  if (kind == KIND_GROUP || kind == KIND_STATELESS) request->is_con = false;
  uint8_t buffer[256], query[QUERY_SIZE];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, request->is_con ? COPAL_CON : COPAL_NON, request->method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, paths[kind]);
  request_write_query(request, query);
  copal_message_add(&message, COPAL_OPTION_URI_QUERY, query, sizeof query);
  trace_note(scene, "request %u: host %u asks host %u, %s", request->number, request->client, request->server,
             kind_name(kind));
  if (kind == KIND_STATELESS) return send_stateless(request, &message, server);
  if (request->is_call) return begin_call(request, &message, server);
  copal_address group = mishaps_group();
  return copal_request_send(endpoint, &message, kind == KIND_GROUP ? &group : server, COPAL_NEVER, on_response, request,
                            &request->tx);
}

void ask_cancel(struct request *request) {
  copal_endpoint *endpoint = request->scene->hosts[request->client].node.endpoint;
  copal_error error =
      request->is_call ? copal_call_cancel(endpoint, request->call, false) : copal_cancel(endpoint, request->tx);
  if (error != COPAL_OK)
    violation(request->scene, "cancel", "request %u of host %u cannot be cancelled: %s", request->number,
              request->client, copal_error_name(error));
}
