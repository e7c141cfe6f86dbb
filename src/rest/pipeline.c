/* See pipeline.h. */
#include "rest/pipeline.h"

#include <assert.h>

/* Tokens tell the answers apart. RFC 7959 1: non-confirmable requests "would escalate the overall non-delivery
 * probability". */
uint8_t pipeline_most(const struct operation *operation, uint8_t wanted, uint8_t nstart) {
  if (!operation->con || operation->no_token || operation->unanswered || operation->plain) return 0;
  uint8_t most = wanted < PIPELINE_MAX ? wanted : PIPELINE_MAX;
  return most < nstart ? most : (uint8_t)(nstart - 1);
}

/* --- The ring ------------------------------------------------------------------------------------- */

/* RFC 7959 4: Size2 tells "the current estimate the server has", so it only ends what is asked for ahead. */
bool pipeline_has_room(const struct operation *operation) {
  const struct pipeline *pipeline = &operation->pipeline;
  const struct download *download = &operation->download;
  if (!operation->downloading || pipeline->count >= pipeline->limit) return false;
  uint64_t offset = download->size + (pipeline->count + (uint64_t)1) * block_size(download->szx);
  return download->expected == 0 || offset < download->expected;
}

void pipeline_add(struct operation *operation, copal_tx exchange) {
  struct pipeline *pipeline = &operation->pipeline;
  assert(pipeline->count < PIPELINE_MAX);
  if (pipeline->count == 0) pipeline->szx = operation->download.szx;
  *pipeline_at(pipeline, pipeline->count++) = (struct pipelined){exchange, INDEX_NONE};
}

uint8_t pipeline_find(struct pipeline *pipeline, copal_tx exchange) {
  for (uint8_t place = 0; place < pipeline->count; ++place)
    if (copal_same_tx(pipeline_at(pipeline, place)->exchange, exchange)) return place;
  return PIPELINE_MAX;
}

struct pipelined pipeline_shift(struct pipeline *pipeline) {
  assert(pipeline->count > 0);
  struct pipelined first = *pipeline_at(pipeline, 0);
  pipeline->first = (uint8_t)((pipeline->first + 1) % PIPELINE_MAX);
  --pipeline->count;
  return first;
}

struct pipelined pipeline_drop(struct pipeline *pipeline) {
  assert(pipeline->count > 0);
  return *pipeline_at(pipeline, --pipeline->count);
}

bool pipeline_fits(const struct operation *operation) {
  return operation->downloading && !operation->repeated && operation->pipeline.szx == operation->download.szx;
}

/* --- How many ------------------------------------------------------------------------------------- */

/* RFC 7252 4.8.1: NSTART may be increased only with "mechanisms that ensure congestion control safety". */
void pipeline_learn(struct pipeline *pipeline, uint8_t transmissions) {
  if (transmissions > 1)
    pipeline->limit /= 2;
  else if (pipeline->limit < pipeline->most)
    ++pipeline->limit;
}

void pipeline_end(struct pipeline *pipeline) { pipeline->limit = pipeline->most = 0; }

/* --- What waits for its turn ---------------------------------------------------------------------- */

/* Token, options and payload follow. */
struct kept {
  copal_view view;
  copal_time time;
  struct account account;
};

static void move(copal_bytes *bytes, uint8_t **to) {
  if (bytes->size > 0) memcpy(*to, bytes->data, bytes->size);
  bytes->data = *to;
  *to += bytes->size;
}

bool pipeline_keep(struct operations *operations, struct operation *operation, uint8_t place, const copal_rx *rx,
                   const struct account *account) {
  struct kept kept = {rx->message, rx->time, *account};
  size_t size = sizeof kept + kept.view.token.size + kept.view.options.size + kept.view.payload.size;
  uint32_t slot = size > operations->store->page_size ? INDEX_NONE : store_take(operations->store, size);
  if (slot == INDEX_NONE) return false;
  uint8_t *bytes = store_bytes(operations->store, slot), *at = bytes + sizeof kept;
  move(&kept.view.token, &at);
  move(&kept.view.options, &at);
  move(&kept.view.payload, &at);
  memcpy(bytes, &kept, sizeof kept);
  *pipeline_at(&operation->pipeline, place) = (struct pipelined){{0, 0}, slot};
  return true;
}

void pipeline_read(const struct operations *operations, uint32_t slot, copal_rx *rx, struct account *account) {
  struct kept kept;
  memcpy(&kept, store_bytes(operations->store, slot), sizeof kept);
  rx->message = kept.view;
  rx->time = kept.time;
  rx->type = kept.view.type;
  *account = kept.account;
}
