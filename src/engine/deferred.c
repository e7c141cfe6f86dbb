/* See deferred.h. The delay is the same for all, so those that owe an ACK stand in the order of their requests. */
#include "engine/deferred.h"

#include <assert.h>

#include "message/silence.h"

void deferreds_init(struct deferreds *deferreds, struct layout *layout, uint32_t owed_max, uint32_t held_max) {
  uint32_t count_max = owed_max + held_max;
  deferreds->records = (struct deferred *)layout_take(layout, count_max, sizeof(struct deferred));
  slab_init(&deferreds->slab, deferreds->records, sizeof(struct deferred), count_max);
  deferreds->first = INDEX_NONE;
  deferreds->owed = 0;
  deferreds->owed_max = owed_max;
}

static void ring_append(struct deferreds *deferreds, uint32_t index) {
  struct deferred *deferred = &deferreds->records[index];
  if (deferreds->first == INDEX_NONE) {
    deferreds->first = deferred->next = deferred->previous = index;
    return;
  }
  struct deferred *first = &deferreds->records[deferreds->first];
  deferred->next = deferreds->first;
  deferred->previous = first->previous;
  deferreds->records[first->previous].next = index;
  first->previous = index;
}

static void ring_remove(struct deferreds *deferreds, uint32_t index) {
  struct deferred *deferred = &deferreds->records[index];
  deferreds->records[deferred->previous].next = deferred->next;
  deferreds->records[deferred->next].previous = deferred->previous;
  if (deferreds->first == index) deferreds->first = deferred->next == index ? INDEX_NONE : deferred->next;
  deferred->ack_at = COPAL_NEVER;
}

static uint32_t next_generation(uint32_t generation) { return generation + 1 == 0 ? 1 : generation + 1; }

uint32_t deferred_take(struct deferreds *deferreds, struct engine *engine, const struct incoming *incoming, bool held) {
  copal_bytes token = incoming->view->token;
  if (!held && deferreds->owed == deferreds->owed_max) return INDEX_NONE;
  uint32_t slot = store_take(&engine->exchanges.store, token.size);
  if (slot == INDEX_NONE) return INDEX_NONE;
  uint32_t index = slab_take(&deferreds->slab);
  if (index == INDEX_NONE) {
    store_give(&engine->exchanges.store, slot);
    return INDEX_NONE;
  }
  if (token.size > 0) memcpy(store_bytes(&engine->exchanges.store, slot), token.data, token.size);
  struct deferred *deferred = &deferreds->records[index];
  uint32_t generation = next_generation(deferred->generation);
  copal_option option;
  bool is_quick = copal_find(incoming->view, COPAL_OPTION_Q_BLOCK1, &option) ||
                  copal_find(incoming->view, COPAL_OPTION_Q_BLOCK2, &option);
  uint16_t block2 = is_quick ? COPAL_OPTION_Q_BLOCK2 : COPAL_OPTION_BLOCK2;
  *deferred = (struct deferred){.generation = generation,
                                .peer = incoming->peer,
                                .ack_at = COPAL_NEVER,
                                .key = incoming->key,
                                .token = slot,
                                .token_size = (uint16_t)token.size,
                                .request_size = (uint16_t)incoming->datagram.size,
                                .code = incoming->view->code,
                                .no_response = message_no_response(incoming->view),
                                .block1 = copal_find_uint(incoming->view, COPAL_OPTION_BLOCK1, UINT32_MAX),
                                .block2 = copal_find_uint(incoming->view, block2, UINT32_MAX),
                                .used = true,
                                .quick = is_quick,
                                .held = held,
                                .multicast = incoming->multicast};
  if (!held) ++deferreds->owed;
  peers_hold(&engine->peers, incoming->peer);
  if (incoming->view->type == COPAL_CON) {
    deferred->ack_at = engine->now + engine->parameters.ack_delay;
    ring_append(deferreds, index);
  }
  return index;
}

void deferred_hold(struct deferreds *deferreds, uint32_t index) {
  struct deferred *deferred = &deferreds->records[index];
  assert(!deferred->held && deferreds->owed > 0);
  deferred->generation = next_generation(deferred->generation);
  deferred->held = true;
  --deferreds->owed;
}

void deferred_give(struct deferreds *deferreds, struct engine *engine, uint32_t index) {
  struct deferred *deferred = &deferreds->records[index];
  if (deferred->ack_at != COPAL_NEVER) ring_remove(deferreds, index);
  store_give(&engine->exchanges.store, deferred->token);
  peers_release(&engine->peers, deferred->peer);
  deferred->used = false;
  if (!deferred->held) --deferreds->owed;
  slab_give(&deferreds->slab, index);
}

copal_time deferred_next_ack(const struct deferreds *deferreds) {
  return deferreds->first == INDEX_NONE ? COPAL_NEVER : deferreds->records[deferreds->first].ack_at;
}

uint32_t deferred_take_ack(struct deferreds *deferreds, copal_time now) {
  uint32_t index = deferreds->first;
  if (index == INDEX_NONE || deferreds->records[index].ack_at > now) return INDEX_NONE;
  ring_remove(deferreds, index);
  return index;
}

uint32_t deferred_of(const struct deferreds *deferreds, uint32_t index, uint32_t generation) {
  if (generation == 0 || index >= deferreds->slab.fresh) return INDEX_NONE;
  const struct deferred *deferred = &deferreds->records[index];
  return deferred->used && deferred->generation == generation ? index : INDEX_NONE;
}
