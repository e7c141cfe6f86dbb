/* Requests of which nothing is kept: the token carries the client's state, the time, and a seal over both and over whom
 * it was sent to, so that only the response of that peer, in time, is taken for one. RFC 8974 section 3. */
#include "base/seal.h"
#include "endpoint/endpoint.h"
#include "message/critical.h"

/* A token: state, time, seal. */
enum { TIME_SIZE = 4, SEAL_SIZE = 8, TRAILER_SIZE = TIME_SIZE + SEAL_SIZE, SEALED_SIZE_MAX = 1024 };

static void put(uint8_t *bytes, uint64_t value, size_t size) {
  for (size_t i = size; i > 0; --i, value >>= 8) bytes[i - 1] = (uint8_t)value;
}

static uint64_t get(const uint8_t *bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

/* What our own address was is not known when the request is sent. */
static struct path whom(const copal_path *path) {
  copal_path remote = {.remote = path->remote, .socket = path->socket};
  return path_pack(&remote);
}

/* Over the peer, and over what stands before the seal in the token. */
static uint64_t seal_of(const copal_endpoint *endpoint, const copal_path *path, const uint8_t *token, size_t size) {
  uint8_t sealed[SEALED_SIZE_MAX];
  struct path peer = whom(path);
  memcpy(sealed, &peer, sizeof peer);
  memcpy(sealed + sizeof peer, token, size);
  return seal(&endpoint->stateless_key, sealed, sizeof peer + size);
}

static bool fits(size_t state_size) { return state_size <= SEALED_SIZE_MAX - sizeof(struct path) - TIME_SIZE; }

/* --- Sending ------------------------------------------------------------------------------------ */

static size_t write_token(const copal_endpoint *endpoint, const copal_path *path, copal_bytes state, uint8_t *token) {
  if (state.size > 0) memcpy(token, state.data, state.size);
  put(token + state.size, coarse_time(endpoint->engine.now), TIME_SIZE);
  size_t sealed = state.size + TIME_SIZE;
  put(token + sealed, seal_of(endpoint, path, token, sealed), SEAL_SIZE);
  return sealed + SEAL_SIZE;
}

static copal_error check(const copal_endpoint *endpoint, const copal_message *message, const copal_address *remote,
                         size_t state_size) {
  if (message->error != COPAL_OK) return message->error;
  const uint8_t *bytes = message->buffer;
  if (endpoint->engine.raw || copal_address_is_multicast(remote)) return COPAL_ERR_TYPE;
  if (!copal_code_is_request(header_code(bytes)) || header_type(bytes) != COPAL_NON) return COPAL_ERR_TYPE;
  if (header_token(bytes).size > 0 || !fits(state_size)) return COPAL_ERR_TOKEN_SIZE;
  return remote->family == COPAL_FAMILY_NONE ? COPAL_ERR_ADDRESS : COPAL_OK;
}

copal_error copal_stateless_send(copal_endpoint *endpoint, const copal_message *message, const copal_address *remote,
                                 copal_bytes state) {
  if (endpoint == NULL) return COPAL_ERR_NOT_HOSTED;
  copal_error error = check(endpoint, message, remote, state.size);
  if (error != COPAL_OK) return error;
  endpoint_read_clock(endpoint);
  copal_path path = {.remote = *remote};
  struct path packed = path_pack(&path);
  uint32_t peer = endpoint_peer(endpoint, &packed), index;
  if (peer == INDEX_NONE) return COPAL_ERR_PEERS_FULL;
  uint8_t token[SEALED_SIZE_MAX];
  size_t token_size = write_token(endpoint, &path, state, token);
  struct transmission transmission = {.peer = peer,
                                      .type = COPAL_NON,
                                      .message = {message->buffer, message->size},
                                      .token = {token, token_size},
                                      .timeout = COPAL_NEVER};
  return engine_send(&endpoint->engine, &transmission, &index);
}

/* --- What comes back ---------------------------------------------------------------------------- */

void copal_stateless(copal_endpoint *endpoint, copal_stateless_handler *handler, void *context) {
  endpoint->stateless = handler;
  endpoint->stateless_context = context;
}

/* RFC 8974 3.1: "A client SHOULD protect the integrity of the state information serialized in a token", and it "SHOULD
 * include freshness information (e.g., a timestamp) in the serialized state and reject any response where the freshness
 * information is insufficiently fresh." */
static bool open_token(const copal_endpoint *endpoint, const struct arrival *arrival, copal_bytes *state) {
  copal_bytes token = arrival->view.token;
  if (token.size < TRAILER_SIZE || !fits(token.size - TRAILER_SIZE)) return false;
  size_t sealed = token.size - SEAL_SIZE;
  if (get(token.data + sealed, SEAL_SIZE) != seal_of(endpoint, &arrival->datagram->path, token.data, sealed))
    return false;
  *state = (copal_bytes){token.data, sealed - TIME_SIZE};
  uint32_t then = (uint32_t)get(token.data + state->size, TIME_SIZE);
  const struct engine *engine = &endpoint->engine;
  return !coarse_passed(then, engine->non_lifetime, engine->now);
}

bool endpoint_stateless_state(const copal_endpoint *endpoint, const struct arrival *arrival, copal_bytes *state) {
  if (endpoint->stateless == NULL || endpoint->engine.raw || arrival->incoming.multicast) return false;
  if (!copal_code_is_response(arrival->view.code)) return false;
  return open_token(endpoint, arrival, state);
}

void endpoint_tell_stateless(copal_endpoint *endpoint, const copal_rx *rx, copal_bytes state) {
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true;
  endpoint->stateless(endpoint, state, rx, endpoint->stateless_context);
  endpoint->in_handler = outer;
}
