/* Requests that wait for their response: on an endpoint of one's own, or on one made for a single URI. A call does the
 * work; here is the waiting, and the storage that a response is put into. */
#include <assert.h>
#include <string.h>

#include "net/net.h"

/* --- One call ------------------------------------------------------------------------------------ */

struct wait {
  const copal_call_options *options; /* as the caller gave them */
  copal_bytes payload;               /* the request's body, where options have no reader */
  copal_response *response;
  copal_error error;
  bool done;
};

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct wait *wait = context;
  if (wait->options->read != NULL) return wait->options->read(wait->options->body_context, offset, buffer, size);
  size_t left = wait->payload.size - (size_t)offset;
  if (size > left) size = left;
  if (size > 0) memcpy(buffer, wait->payload.data + offset, size);
  return size;
}

static bool write_body(void *context, uint64_t offset, const void *data, size_t size) {
  const struct wait *wait = context;
  return wait->options->write(wait->options->body_context, offset, data, size);
}

static copal_error keep_body(const copal_result *result, copal_response *response) {
  const uint8_t *body = result->body.data;
  size_t size = result->body.size;
  response->payload = response->body;
  response->payload_size = size;
  /* What was gathered in the caller's own buffer stays there. */
  if (result->rx != NULL && size > 0 && body != response->body && body != result->rx->message.payload.data) {
    response->payload = body;
    return COPAL_OK;
  }
  if (size >= sizeof response->body) return COPAL_ERR_BODY_SIZE;
  if (size > 0 && body != response->body) memcpy(response->body, body, size);
  response->body[size] = 0;
  return COPAL_OK;
}

static copal_error keep(const copal_result *result, copal_response *response) {
  copal_error error = keep_body(result, response);
  response->message = (copal_view){.payload = {response->payload, response->payload_size}};
  response->body_size = result->body_size;
  response->content_format = COPAL_FORMAT_NONE;
  response->path = (copal_path){.socket = 0};
  response->round_trip = 0;
  response->exchanges = result->exchanges;
  response->code = COPAL_EMPTY;
  response->transmissions = (uint8_t)result->transmissions;
  if (error != COPAL_OK || result->rx == NULL) return error;

  const copal_view *from = &result->rx->message;
  size_t token = from->token.size, options = from->options.size;
  if (token + options > sizeof response->head) return COPAL_ERR_MESSAGE_SIZE;
  uint8_t *at = response->head;
  if (token > 0) memcpy(at, from->token.data, token);
  if (options > 0) memcpy(at + token, from->options.data, options);
  response->message = (copal_view){.token = {at, token},
                                   .options = {at + token, options},
                                   .payload = response->message.payload,
                                   .message_id = from->message_id,
                                   .type = from->type,
                                   .code = from->code};
  response->content_format = copal_find_uint(from, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  response->path = result->rx->path;
  response->round_trip = result->rx->time - result->began;
  response->code = from->code;
  return COPAL_OK;
}

static void finish(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct wait *wait = context;
  (void)endpoint, (void)call;
  if (wait->done) return;
  wait->done = true;
  wait->error = result->error != COPAL_OK ? result->error : keep(result, wait->response);
}

/* The request's body stays where it is, however large: it lives while its call is waited for. */
static copal_call_options options_of(struct wait *wait) {
  const copal_call_options *given = wait->options;
  copal_call_options options = *given;
  options.handler = finish;
  options.context = wait;
  options.body_context = wait;
  wait->payload = copal_message_view(given->message).payload;
  if (given->read == NULL) options.size = wait->payload.size;
  options.read = read_body;
  if (given->write != NULL) options.write = write_body;
  if (given->buffer == NULL) {
    options.buffer = wait->response->body;
    options.capacity = COPAL_RESPONSE_BODY_MAX;
  }
  return options;
}

copal_error copal_call_wait(copal_endpoint *endpoint, const copal_call_options *given, copal_response *response) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  if (given->message->error != COPAL_OK) return given->message->error;
  if (given->observe) return COPAL_ERR_TYPE;
  struct wait wait = {.options = given, .response = response};
  copal_call_options options = options_of(&wait);
  copal_call call;
  copal_error error = copal_call_begin(endpoint, &options, &call);
  if (error != COPAL_OK) return error;
  int result = 0;
  while (!wait.done && result >= 0) result = net_process(net, COPAL_NEVER, NULL, &wait.done);
  /* A request to a group goes on after its first response; wait does not. */
  error = copal_call_cancel(endpoint, call, false);
  assert(error == COPAL_OK || error == COPAL_ERR_STALE);
  return wait.done ? wait.error : (copal_error)result;
}

copal_error copal_exchange(copal_endpoint *endpoint, const copal_message *message, const copal_address *remote,
                           copal_time timeout, copal_response *response) {
  copal_call_options options = {.message = message, .remote = remote};
  /* A call has no limit with 0. */
  if (timeout != COPAL_NEVER) options.timeout = timeout > 0 ? timeout : 1;
  return copal_call_wait(endpoint, &options, response);
}

/* --- By URI ---------------------------------------------------------------------------------------- */

/* What one request needs, and room for what its peer may send of its own accord. */
static copal_open_options options_for_one(void) {
  copal_open_options options = copal_open_defaults();
  options.config = copal_config_small();
  options.config.message_size_max = 1472;
  options.config.messages_size = 64u << 10;
  options.config.replies_size = 64u << 10;
  options.config.outbox_max = 32;
  options.batch = 4;
  return options;
}

/* The request's body, and the method's. */
struct asked {
  copal_code method;
  uint32_t content_format;
  copal_call_options options;
};

static copal_error request_uri(copal_endpoint *endpoint, const copal_uri *uri, const struct asked *asked,
                               copal_response *response) {
  uint8_t buffer[1472];
  copal_message message;
  copal_address remote;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)asked->method);
  copal_error error = copal_uri_to_options(uri, &message);
  if (error == COPAL_ERR_SPACE) return COPAL_ERR_MESSAGE_SIZE;
  if (error == COPAL_OK) error = copal_resolve(endpoint, uri, &remote);
  if (error != COPAL_OK) return error;
  if (asked->content_format != COPAL_FORMAT_NONE)
    copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, asked->content_format);
  if (message.error == COPAL_ERR_SPACE) return COPAL_ERR_MESSAGE_SIZE;
  copal_call_options options = asked->options;
  options.message = &message;
  options.remote = &remote;
  return copal_call_wait(endpoint, &options, response);
}

static copal_error request(const char *text, const struct asked *asked, copal_response *response) {
  copal_uri uri;
  copal_error error = copal_uri_parse(text, strlen(text), &uri);
  if (error != COPAL_OK) return error;
  copal_open_options options = options_for_one();
  const char *local = uri.scheme == COPAL_SCHEME_COAP_UNIX ? "coap+unix://%00" : NULL;
  copal_endpoint *endpoint = copal_open(local, &options);
  if (endpoint == NULL) return options.error;
  error = request_uri(endpoint, &uri, asked, response);
  copal_close(endpoint);
  return error;
}

static uint64_t read_payload(void *context, uint64_t offset, void *buffer, size_t size) {
  const copal_bytes *payload = context;
  memcpy(buffer, payload->data + offset, size);
  return size;
}

static copal_error send_payload(copal_code method, const char *uri, uint32_t content_format, copal_bytes payload,
                                copal_response *response) {
  struct asked asked = {method, content_format, {.read = read_payload, .size = payload.size, .body_context = &payload}};
  return request(uri, &asked, response);
}

copal_error copal_get(const char *uri, copal_response *response) {
  struct asked asked = {COPAL_GET, COPAL_FORMAT_NONE, {.read = NULL}};
  return request(uri, &asked, response);
}

copal_error copal_delete(const char *uri, copal_response *response) {
  struct asked asked = {COPAL_DELETE, COPAL_FORMAT_NONE, {.read = NULL}};
  return request(uri, &asked, response);
}

copal_error copal_put(const char *uri, uint32_t content_format, const void *payload, size_t payload_size,
                      copal_response *response) {
  return send_payload(COPAL_PUT, uri, content_format, (copal_bytes){payload, payload_size}, response);
}

copal_error copal_post(const char *uri, uint32_t content_format, const void *payload, size_t payload_size,
                       copal_response *response) {
  return send_payload(COPAL_POST, uri, content_format, (copal_bytes){payload, payload_size}, response);
}

copal_error copal_download(const char *uri, copal_writer *write, void *context, copal_response *response) {
  struct asked asked = {COPAL_GET, COPAL_FORMAT_NONE, {.write = write, .body_context = context}};
  return request(uri, &asked, response);
}

copal_error copal_upload(copal_code method, const char *uri, uint32_t content_format, copal_reader *read, uint64_t size,
                         void *context, copal_response *response) {
  struct asked asked = {method, content_format, {.read = read, .size = size, .body_context = context}};
  return request(uri, &asked, response);
}
