/* Requests that wait for their response: on an endpoint of one's own, or on one made for a single URI. */
#include <assert.h>
#include <string.h>

#include "net/net.h"

/* --- One exchange -------------------------------------------------------------------------------- */

struct wait {
  copal_response *response;
  copal_error error;
  bool done;
};

static copal_error keep(const copal_rx *rx, const copal_tx_info *info, copal_response *response) {
  const copal_view *from = &rx->message;
  size_t token = from->token.size, options = from->options.size, payload = from->payload.size;
  if (token + options > sizeof response->head || payload >= sizeof response->body) return COPAL_ERR_MESSAGE_SIZE;
  /* A block with more to follow is no whole body, and must not pass for one. */
  copal_block block = copal_block_of(copal_find_uint(from, COPAL_OPTION_BLOCK2, 0));
  if (block.more || block.number > 0) return COPAL_ERR_MESSAGE_SIZE;
  uint8_t *at = response->head;
  response->message = *from;
  if (token > 0) memcpy(at, from->token.data, token);
  response->message.token.data = at;
  if (options > 0) memcpy(at + token, from->options.data, options);
  response->message.options.data = at + token;
  if (payload > 0) memcpy(response->body, from->payload.data, payload);
  response->message.payload.data = response->payload = response->body;
  response->body[payload] = 0;
  response->payload_size = payload;
  response->content_format = copal_find_uint(from, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  response->path = rx->path;
  response->code = from->code;
  response->round_trip = rx->time - info->transmission_time;
  response->transmissions = info->transmissions;
  return COPAL_OK;
}

static void finish(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context) {
  struct wait *wait = context;
  copal_tx_info info;
  if (wait->done) return;
  wait->error = error;
  wait->done = true;
  if (rx == NULL || copal_tx_get(endpoint, request, &info) != COPAL_OK) return;
  wait->error = keep(rx, &info, wait->response);
}

copal_error copal_exchange(copal_endpoint *endpoint, const copal_message *message, const copal_address *remote,
                           copal_time timeout, copal_response *response) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  if (endpoint->engine.raw) return COPAL_ERR_TYPE;
  struct wait wait = {.response = response};
  copal_tx tx;
  copal_error error = copal_request_send(endpoint, message, remote, timeout, finish, &wait, &tx);
  if (error != COPAL_OK) return error;
  int result = 0;
  while (!wait.done && result >= 0) result = net_process(net, COPAL_NEVER, NULL, &wait.done);
  /* A request to a group goes on after its first response; wait does not. */
  error = copal_cancel(endpoint, tx);
  assert(error == COPAL_OK || error == COPAL_ERR_STALE);
  return wait.done ? wait.error : (copal_error)result;
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

static copal_error request_uri(copal_endpoint *endpoint, const copal_uri *uri, copal_code method,
                               uint32_t content_format, copal_bytes payload, copal_response *response) {
  uint8_t buffer[1472];
  copal_message message;
  copal_address remote;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)method);
  copal_error error = copal_uri_to_options(uri, &message);
  if (error == COPAL_ERR_SPACE) return COPAL_ERR_MESSAGE_SIZE;
  if (error == COPAL_OK) error = copal_resolve(endpoint, uri, &remote);
  if (error != COPAL_OK) return error;
  if (content_format != COPAL_FORMAT_NONE)
    copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, content_format);
  copal_message_set_payload(&message, payload.data, payload.size);
  if (message.error == COPAL_ERR_SPACE) return COPAL_ERR_MESSAGE_SIZE;
  return copal_exchange(endpoint, &message, &remote, COPAL_NEVER, response);
}

static copal_error request(const char *text, copal_code method, uint32_t content_format, copal_bytes payload,
                           copal_response *response) {
  copal_uri uri;
  copal_error error = copal_uri_parse(text, strlen(text), &uri);
  if (error != COPAL_OK) return error;
  copal_open_options options = options_for_one();
  const char *local = uri.scheme == COPAL_SCHEME_COAP_UNIX ? "coap+unix://%00" : NULL;
  copal_endpoint *endpoint = copal_open(local, &options);
  if (endpoint == NULL) return options.error;
  error = request_uri(endpoint, &uri, method, content_format, payload, response);
  copal_close(endpoint);
  return error;
}

copal_error copal_get(const char *uri, copal_response *response) {
  return request(uri, COPAL_GET, COPAL_FORMAT_NONE, (copal_bytes){NULL, 0}, response);
}

copal_error copal_delete(const char *uri, copal_response *response) {
  return request(uri, COPAL_DELETE, COPAL_FORMAT_NONE, (copal_bytes){NULL, 0}, response);
}

copal_error copal_put(const char *uri, uint32_t content_format, const void *payload, size_t payload_size,
                      copal_response *response) {
  return request(uri, COPAL_PUT, content_format, (copal_bytes){payload, payload_size}, response);
}

copal_error copal_post(const char *uri, uint32_t content_format, const void *payload, size_t payload_size,
                       copal_response *response) {
  return request(uri, COPAL_POST, content_format, (copal_bytes){payload, payload_size}, response);
}
