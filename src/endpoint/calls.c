/* Requests whose owner is called with the response: the client side of rest.h. */
#include "endpoint/endpoint.h"

static copal_error call(copal_endpoint *endpoint, copal_bytes message, const copal_address *remote, copal_time timeout,
                        struct call owner, copal_tx *tx) {
  if (remote->family == COPAL_FAMILY_NONE) return COPAL_ERR_ADDRESS;
  endpoint_read_clock(endpoint);
  copal_path path = {.remote = *remote};
  struct path packed = path_pack(&path);
  uint32_t peer = endpoint_peer(endpoint, &packed);
  if (peer == INDEX_NONE) return COPAL_ERR_PEERS_FULL;
  struct transmission transmission = {.peer = peer,
                                      .type = header_type(message.data),
                                      .message = message,
                                      .multicast = copal_address_is_multicast(remote),
                                      .flags = EXCHANGE_CALL,
                                      .timeout = timeout};
  uint32_t index;
  copal_error error = engine_send(&endpoint->engine, &transmission, &index);
  if (error != COPAL_OK) return error;
  endpoint->calls[index] = owner;
  if (tx != NULL) *tx = exchange_handle(&endpoint->engine.exchanges, index);
  return COPAL_OK;
}

copal_error copal_request_send(copal_endpoint *endpoint, const copal_message *message, const copal_address *remote,
                               copal_time timeout, copal_response_handler *handler, void *context, copal_tx *tx) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  if (message->error != COPAL_OK) return message->error;
  if (!copal_code_is_request(header_code(message->buffer))) return COPAL_ERR_TYPE;
  return call(endpoint, (copal_bytes){message->buffer, message->size}, remote, timeout, (struct call){handler, context},
              tx);
}

copal_error copal_ping_send(copal_endpoint *endpoint, const copal_address *remote, copal_time timeout,
                            copal_response_handler *handler, void *context, copal_tx *tx) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  uint8_t ping[HEADER_SIZE];
  header_empty(ping, COPAL_CON, 0);
  return call(endpoint, (copal_bytes){ping, sizeof ping}, remote, timeout, (struct call){handler, context}, tx);
}
