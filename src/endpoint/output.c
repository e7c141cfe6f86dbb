/* The way out: replies first, then the ACKs of deferred responses, then whatever a timer brought about, then as many
 * notifications as there is room for. */
#include <assert.h>

#include "endpoint/endpoint.h"

static void fail(copal_endpoint *endpoint, uint32_t index, copal_error error) {
  bool is_call = (exchange_at(&endpoint->engine.exchanges, index)->flags & EXCHANGE_CALL) != 0;
  endpoint_tell(endpoint, index, NULL, error);
  if (!is_call) engine_end(&endpoint->engine, index);
}

static void acknowledge_deferred(copal_endpoint *endpoint, copal_time now) {
  uint32_t index;
  while (endpoint->outbox.given + endpoint->outbox.waiting < endpoint->outbox.capacity &&
         (index = deferred_take_ack(&endpoint->deferreds, now)) != INDEX_NONE)
    endpoint_acknowledge(endpoint, &endpoint->deferreds.records[index]);
}

static void give_out(const copal_endpoint *endpoint, uint32_t index, copal_datagram *datagram) {
  const struct exchange *exchange = exchange_at(&endpoint->engine.exchanges, index);
  datagram->data = exchange_bytes(&endpoint->engine.exchanges, exchange);
  datagram->size = exchange->size;
  path_unpack(&endpoint->paths.records[exchange->peer], &datagram->path);
}

size_t copal_endpoint_output(copal_endpoint *endpoint, copal_time now, copal_datagram *datagrams, size_t count_max) {
  assert(!endpoint->in_handler);
  endpoint_advance(endpoint, now);
  endpoint_release(endpoint, endpoint->engine.now);
  endpoint->in_handler = true; /* whoever took an upload in parts may be told that it is over */
  transfers_expire(&endpoint->transfers, endpoint->engine.now);
  endpoint->in_handler = false;
  acknowledge_deferred(endpoint, endpoint->engine.now);
  endpoint->observers.makes = endpoint->observers.to_make;
  size_t count = 0;
  while (count < count_max) {
    /* Again and again, since a handler that is told of a failure may answer somebody. */
    if (outbox_pop(&endpoint->outbox, &datagrams[count])) {
      ++count;
      continue;
    }
    struct due due;
    engine_due(&endpoint->engine, endpoint->engine.now, &due);
    if (due.kind == DUE_TRANSMIT) {
      endpoint_refresh(endpoint, due.exchange);
      give_out(endpoint, due.exchange, &datagrams[count++]);
    } else if (due.kind == DUE_FAILED) {
      fail(endpoint, due.exchange, due.error);
    } else if (endpoint_run_transfer(endpoint) || endpoint_run_operation(endpoint)) {
      continue;
    } else if (!endpoint_notify(endpoint, count_max - count)) {
      break;
    }
  }
  endpoint->engine.counters.datagrams_out += count;
  return count;
}

/* RFC 7252 4.2: "implementations SHOULD take care to check the information about the original datagram in the ICMP
 * message, including port numbers and CoAP header information such as message type and code, Message ID, and Token". */
void copal_endpoint_unreachable(copal_endpoint *endpoint, copal_time now, const copal_path *path, const void *datagram,
                                size_t size) {
  assert(!endpoint->in_handler);
  endpoint_advance(endpoint, now);
  const uint8_t *bytes = (const uint8_t *)datagram;
  struct path packed = path_pack(path);
  uint32_t unbound, peer = paths_find(&endpoint->paths, &packed, path_hash(&endpoint->paths, &packed), &unbound);
  if (peer == INDEX_NONE) peer = unbound;
  if (peer == INDEX_NONE || size < HEADER_SIZE) return;
  struct exchanges *exchanges = &endpoint->engine.exchanges;
  uint32_t index = exchange_by_mid(exchanges, peer, header_mid(bytes));
  if (index == INDEX_NONE) return;
  const struct exchange *exchange = exchange_at(exchanges, index);
  if (exchange->transmissions == 0 || exchange->state >= EXCHANGE_ANSWERED) return;
  const uint8_t *sent = exchange_bytes(exchanges, exchange);
  copal_bytes token = header_token(sent);
  size_t quoted = size < exchange->size ? size : exchange->size;
  if (quoted < (size_t)(token.data - sent) + token.size || memcmp(sent, bytes, quoted) != 0) return;
  ++endpoint->engine.counters.unreachable;
  engine_fail(&endpoint->engine, index, EXCHANGE_UNREACHED);
  fail(endpoint, index, COPAL_ERR_UNREACHABLE);
}
