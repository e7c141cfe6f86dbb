/* What an endpoint has to tell: responses to their handlers; messages and failures to the application, which takes them
 * with copal_endpoint_event. */
#include <assert.h>

#include "endpoint/endpoint.h"

static void note_failure(copal_endpoint *endpoint, copal_tx tx, copal_error error);
static bool take_failure(copal_endpoint *endpoint, copal_event *event);

bool copal_endpoint_event(copal_endpoint *endpoint, copal_event *event) {
  if (!endpoint->has_waiting) return take_failure(endpoint, event);
  endpoint->has_waiting = false;
  *event = (copal_event){.kind = COPAL_EVENT_MESSAGE, .error = COPAL_OK, .rx = endpoint->waiting};
  return true;
}

static bool take_failure(copal_endpoint *endpoint, copal_event *event) {
  struct failures *failures = &endpoint->failures;
  while (failures->count > 0) {
    struct failure failure = failures->records[failures->tail];
    failures->tail = failures->tail + 1 == failures->capacity ? 0 : failures->tail + 1;
    --failures->count;
    if (exchange_of(&endpoint->engine.exchanges, failure.tx) == INDEX_NONE) continue; /* cancelled meanwhile */
    *event = (copal_event){.kind = COPAL_EVENT_FAILED, .error = failure.error, .tx = failure.tx};
    return true;
  }
  return false;
}

void endpoint_hand_out(copal_endpoint *endpoint, const copal_rx *rx) {
  assert(!endpoint->has_waiting);
  endpoint->waiting = *rx;
  endpoint->has_waiting = true;
}

/* A handler may do anything to the endpoint, so the exchange is looked up again after it. One that goes on, to a group
 * or as an observation, is not over. */
void endpoint_tell(copal_endpoint *endpoint, uint32_t index, const copal_rx *rx, copal_error error) {
  struct exchanges *exchanges = &endpoint->engine.exchanges;
  copal_tx tx = exchange_handle(exchanges, index);
  uint8_t flags = exchange_at(exchanges, index)->flags;
  if ((flags & EXCHANGE_CALL) != 0) {
    struct call call = endpoint->calls[index];
    bool outer = endpoint->in_handler;
    endpoint->in_handler = true;
    call.handler(endpoint, tx, rx, error, call.context);
    endpoint->in_handler = outer;
    if (exchange_of(exchanges, tx) == INDEX_NONE || exchange_at(exchanges, index)->state < EXCHANGE_ANSWERED) return;
    engine_end(&endpoint->engine, index);
  } else if ((flags & EXCHANGE_RECORD) != 0) {
    note_failure(endpoint, tx, error);
  }
}

void endpoint_ignore_end(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  (void)endpoint, (void)tx, (void)rx, (void)error, (void)context;
}

static void note_failure(copal_endpoint *endpoint, copal_tx tx, copal_error error) {
  struct failures *failures = &endpoint->failures;
  if (failures->count == failures->capacity) {
    failures->tail = failures->tail + 1 == failures->capacity ? 0 : failures->tail + 1;
    --failures->count;
  }
  uint32_t position = (failures->tail + failures->count++) % failures->capacity;
  failures->records[position] = (struct failure){tx, error};
}
