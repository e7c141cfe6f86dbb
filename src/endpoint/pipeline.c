/* See pipeline.h. */
#include "endpoint/pipeline.h"

struct account endpoint_account(const copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx) {
  const struct exchange *exchange = exchange_at(&endpoint->engine.exchanges, tx.index);
  bool piggybacked = rx != NULL && rx->type == COPAL_ACK;
  bool acknowledged = exchange->replies > 0 && (exchange->flags & EXCHANGE_RST) == 0 && !piggybacked;
  return (struct account){exchange->as.sent_at, exchange->transmissions, acknowledged};
}

/* What is on its way to a server that answers stays an outstanding interaction (NSTART, RFC 7252 4.7), though nobody
 * waits for it: no other one goes in its place. */
static void let_go(copal_endpoint *endpoint, copal_tx tx) {
  bool is_on_its_way = exchange_at(&endpoint->engine.exchanges, tx.index)->transmissions > 0;
  endpoint->calls[tx.index] = (struct call){endpoint_ignore_end, NULL};
  if (!is_on_its_way) copal_cancel(endpoint, tx);
}

static void drop_last(copal_endpoint *endpoint, struct operation *operation, bool cancels) {
  struct pipelined last = pipeline_drop(&operation->pipeline);
  if (last.answer != INDEX_NONE)
    store_give(endpoint->operations.store, last.answer);
  else if (cancels)
    copal_cancel(endpoint, last.exchange);
  else
    let_go(endpoint, last.exchange);
}

void endpoint_drop_ahead(copal_endpoint *endpoint, struct operation *operation, uint8_t count) {
  while (operation->pipeline.count > count) drop_last(endpoint, operation, false);
}

void endpoint_cancel_ahead(copal_endpoint *endpoint, struct operation *operation) {
  while (operation->pipeline.count > 0) drop_last(endpoint, operation, true);
}

void endpoint_ask_ahead(copal_endpoint *endpoint, struct operation *operation) {
  while (pipeline_has_room(operation)) {
    copal_message message;
    copal_tx tx;
    if (operation_compose_ahead(&endpoint->operations, operation, &message) != COPAL_OK) return;
    if (endpoint_send_request(endpoint, operation, &message, &tx) != COPAL_OK) return;
    pipeline_add(operation, tx);
  }
}

/* What fails out of turn proves nothing: it may lie behind the end of the body, or be too much at a time for the
 * server. It is asked for when its turn comes, and none ahead from then on. */
void endpoint_told_ahead(copal_endpoint *endpoint, struct operation *operation, uint8_t place, const copal_rx *rx) {
  struct pipeline *pipeline = &operation->pipeline;
  struct account account = endpoint_account(endpoint, pipeline_at(pipeline, place)->exchange, rx);
  if (account.transmissions > 1) operation->retransmissions += account.transmissions - 1u;
  pipeline_learn(pipeline, account.transmissions);
  bool came = rx != NULL && COPAL_CODE_CLASS(rx->message.code) == 2;
  if (came && pipeline_keep(&endpoint->operations, operation, place, rx, &account)) return;
  if (!came) pipeline_end(pipeline);
  endpoint_drop_ahead(endpoint, operation, place);
}

bool endpoint_next_is_here(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx, copal_rx *kept,
                           uint32_t *slot) {
  struct pipeline *pipeline = &operation->pipeline;
  if (!pipeline_fits(operation)) endpoint_drop_ahead(endpoint, operation, 0);
  if (pipeline->count == 0 || pipeline_at(pipeline, 0)->answer == INDEX_NONE) return false;
  if (rx != kept) *kept = *rx;
  if (*slot != INDEX_NONE) store_give(endpoint->operations.store, *slot);
  *slot = pipeline_shift(pipeline).answer;
  struct account account;
  pipeline_read(&endpoint->operations, *slot, kept, &account);
  operation->asked = account.asked;
  operation->transmissions = account.transmissions;
  operation->acknowledged = account.acknowledged;
  return true;
}

bool endpoint_take_ahead(struct operation *operation) {
  if (operation->pipeline.count == 0) return false;
  operation->exchange = pipeline_shift(&operation->pipeline).exchange;
  operation->transmissions = 0;
  operation->acknowledged = false;
  return true;
}
