/* See ahead.h. In steps, each of which has what the step before had fetched. A guess that is wrong costs nothing but
 * its fetch. */
#include "endpoint/ahead.h"

#include <assert.h>

#include "base/prefetch.h"
#include "endpoint/endpoint.h"
#include "message/header.h"

static uint32_t named_exchange(const copal_endpoint *endpoint, const copal_datagram *datagram) {
  const uint8_t *bytes = (const uint8_t *)datagram->data;
  if (datagram->size < HEADER_SIZE + EXCHANGE_TOKEN_SIZE || !copal_code_is_response(header_code(bytes)))
    return INDEX_NONE;
  return exchange_guess(&endpoint->engine.exchanges, header_token(bytes));
}

/* A group is no address to answer from. */
static struct path answering_path(const copal_datagram *datagram, bool multicast) {
  if (!multicast) return path_pack(&datagram->path);
  copal_path path = datagram->path;
  path.local = (copal_address){.family = COPAL_FAMILY_NONE};
  return path_pack(&path);
}

static void look_for_duplicate(const copal_endpoint *endpoint, const copal_datagram *datagram, struct ahead *ahead) {
  const struct engine *engine = &endpoint->engine;
  ahead->fingerprint = engine_fingerprint(engine, (copal_bytes){(const uint8_t *)datagram->data, datagram->size});
  engine_prefetch_reply(engine, header_code((const uint8_t *)datagram->data), ahead->identity, ahead->fingerprint);
}

static void look_at_bytes(const copal_endpoint *endpoint, const copal_datagram *datagram, struct ahead *ahead) {
  const uint8_t *bytes = (const uint8_t *)datagram->data;
  ahead->multicast = copal_address_is_multicast(&datagram->path.local);
  ahead->path = answering_path(datagram, ahead->multicast);
  bool may_repeat = datagram->size >= HEADER_SIZE && header_type(bytes) != COPAL_ACK;
  ahead->identity = ahead->fingerprint = 0;
  if (may_repeat)
    ahead->identity = path_hashes(&endpoint->paths, &ahead->path, &ahead->hash);
  else
    ahead->hash = path_hash(&endpoint->paths, &ahead->path);
  ahead->exchange = named_exchange(endpoint, datagram);
  table_prefetch(&endpoint->paths.index, ahead->hash);
  if (may_repeat) look_for_duplicate(endpoint, datagram, ahead);
  if (ahead->exchange == INDEX_NONE) return;
  prefetch(exchange_at(&endpoint->engine.exchanges, ahead->exchange));
  prefetch(&endpoint->calls[ahead->exchange]);
}

static void look_at_records(const copal_endpoint *endpoint, const struct ahead *ahead) {
  uint32_t peer = paths_guess(&endpoint->paths, ahead->hash);
  if (peer != INDEX_NONE) {
    prefetch(&endpoint->paths.records[peer]);
    prefetch(&endpoint->engine.peers.records[peer]);
  }
  if (ahead->exchange != INDEX_NONE) exchange_prefetch(&endpoint->engine.exchanges, ahead->exchange);
}

void endpoint_look_ahead(const copal_endpoint *endpoint, const copal_datagram *datagrams, size_t count,
                         struct ahead ahead[AHEAD_MAX]) {
  assert(count <= AHEAD_MAX);
  for (size_t i = 0; i < count; ++i) look_at_bytes(endpoint, &datagrams[i], &ahead[i]);
  for (size_t i = 0; i < count; ++i) look_at_records(endpoint, &ahead[i]);
}
