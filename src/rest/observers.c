/* The list of observers: entries by client and token, in a ring with the others of their variant. See observers.h. */
#include "rest/observers.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct observer) <= 64, "an observer is 64 bytes");

static struct observer *at(const struct observers *observers, uint32_t index) { return &observers->records[index]; }

/* Observers hold their peers. Some are left to the others, so that a stranger always finds a record. */
static uint32_t peers_share(uint32_t peers_max) { return peers_max - peers_max / 4; }

void observers_init(struct observers *observers, struct layout *layout, const copal_config *config, struct hash_key key,
                    copal_time now) {
  uint32_t count_max = config->observers_max, observed_max = config->observed_max;
  size_t room = observed_max > 0 ? config->message_size_max : 0;
  *observers = (struct observers){.key = key,
                                  .retry_at = COPAL_NEVER,
                                  .make = INDEX_NONE,
                                  .send = INDEX_NONE,
                                  .making = INDEX_NONE,
                                  .peers_max = peers_share(config->peers_max),
                                  .peer_observers_max = config->peer_observers_max};
  observers->observed = (struct observed *)layout_take(layout, observed_max, sizeof(struct observed));
  slab_init(&observers->observed_slab, observers->observed, sizeof(struct observed), observed_max);
  observers->records = (struct observer *)layout_take(layout, count_max, sizeof(struct observer));
  slab_init(&observers->slab, observers->records, sizeof(struct observer), count_max);
  observers->room = (uint8_t *)layout_take(layout, room, 1);
  observers->path_room = (uint8_t *)layout_take(layout, room, 1);
  table_init(&observers->paths, layout, observed_max);
  table_init(&observers->variants, layout, observed_max);
  table_init(&observers->index, layout, count_max);
  timer_queue_init(&observers->timers, observers->records, sizeof(struct observer), now);
}

/* RFC 7641 4.4: "the server MUST set the value of the Observe Option of each notification it sends to the 24 least
 * significant bits of a strictly increasing sequence number. The sequence number MAY start at any value and MUST NOT
 * increase so fast that it increases by more than 2^23 within less than 256 seconds." It counts the time in units of
 * 66 us, of which there are 3.9 million in 256 s, and may be ahead of it by what is left, rounded down: then it goes no
 * faster than time does. */
uint32_t observers_number(struct observers *observers, copal_time now) {
  enum { UNIT = 1 << 16, AHEAD_MAX = 1 << 22 };
  uint64_t time = now / UNIT, next = observers->number + 1;
  if (next < time) next = time;
  if (next > time + AHEAD_MAX) next = time + AHEAD_MAX;
  observers->number = next;
  return (uint32_t)(next & 0xffffff);
}

/* --- Entries ------------------------------------------------------------------------------------ */

static uint32_t peer_hash(const struct observers *observers, uint32_t peer) {
  return (uint32_t)hash_words(&observers->key, peer, 0);
}

static bool has_token(const struct observer *observer, copal_bytes token) {
  if (observer->token_size != token.size) return false;
  return token.size == 0 || memcmp(observer->token, token.data, token.size) == 0;
}

uint32_t observers_find(const struct observers *observers, uint32_t peer, copal_bytes token) {
  uint32_t index;
  struct table_walk walk = table_walk(peer_hash(observers, peer));
  while ((index = table_next(&observers->index, &walk)) != INDEX_NONE)
    if (at(observers, index)->peer == peer && has_token(at(observers, index), token)) return index;
  return INDEX_NONE;
}

static uint32_t count_of(const struct observers *observers, uint32_t peer) {
  uint32_t index, count = 0;
  struct table_walk walk = table_walk(peer_hash(observers, peer));
  while ((index = table_next(&observers->index, &walk)) != INDEX_NONE)
    if (at(observers, index)->peer == peer) ++count;
  return count;
}

/* Puts an observer behind all others: those from the cursor on are to be visited first. */
static void ring_append(struct observers *observers, struct observed *observed, uint32_t index) {
  struct observer *observer = at(observers, index);
  if (observed->cursor == INDEX_NONE) {
    observed->cursor = observer->next = observer->previous = index;
    return;
  }
  observer->next = observed->cursor;
  observer->previous = at(observers, observed->cursor)->previous;
  at(observers, observer->previous)->next = index;
  at(observers, observed->cursor)->previous = index;
}

static void ring_remove(struct observers *observers, struct observed *observed, uint32_t index) {
  const struct observer *observer = at(observers, index);
  at(observers, observer->previous)->next = observer->next;
  at(observers, observer->next)->previous = observer->previous;
  if (observed->cursor == index) observed->cursor = observer->next == index ? INDEX_NONE : observer->next;
}

/* Others hold peers, too: verifications, bodies that go by Q-Block. */
static bool may_hold(const struct observers *observers, const struct engine *engine) {
  return observers->peers < observers->peers_max && peers_have_room(&engine->peers);
}

uint32_t observers_take(struct observers *observers, struct engine *engine, const struct registration *registration) {
  assert(registration->token.size <= OBSERVER_TOKEN_MAX);
  uint32_t peer = registration->peer, earlier = count_of(observers, peer);
  if (earlier >= observers->peer_observers_max || observers->slab.count == observers->slab.count_max) return INDEX_NONE;
  if (earlier == 0 && !may_hold(observers, engine)) return INDEX_NONE;
  uint32_t variant = observed_reach(observers, engine, registration);
  if (variant == INDEX_NONE) return INDEX_NONE;

  struct observed *observed = &observers->observed[variant];
  uint32_t index = slab_take(&observers->slab);
  struct observer *observer = at(observers, index);
  *observer = (struct observer){.peer = peer,
                                .observed = variant,
                                .exchange = INDEX_NONE,
                                .sent = observed->state,
                                .visited = observed->visit,
                                .confirmed = coarse_time(engine->now),
                                .token_size = (uint8_t)registration->token.size,
                                .flags = OBSERVER_USED};
  if (observer->token_size > 0) memcpy(observer->token, registration->token.data, observer->token_size);
  if (observer->token_size > observed->token_size_max) observed->token_size_max = observer->token_size;
  ring_append(observers, observed, index);
  ++observed->count;
  table_insert(&observers->index, peer_hash(observers, peer), index);
  peers_hold(&engine->peers, peer);
  if (earlier == 0) ++observers->peers;
  return index;
}

void observers_give(struct observers *observers, struct engine *engine, uint32_t index) {
  struct observer *observer = at(observers, index);
  struct observed *observed = &observers->observed[observer->observed];
  assert(observer->exchange == INDEX_NONE && observed->count > 0);
  if ((observer->flags & OBSERVER_TIMED) != 0) timer_cancel(&observers->timers, index);
  if (observer->visited != observed->visit) --observed->unvisited;
  ring_remove(observers, observed, index);
  table_remove(&observers->index, peer_hash(observers, observer->peer), index);
  if (count_of(observers, observer->peer) == 0) --observers->peers;
  peers_release(&engine->peers, observer->peer);
  observer->flags = 0;
  slab_give(&observers->slab, index);
  if (--observed->count == 0) observed_give(observers, engine, (uint32_t)(observed - observers->observed));
}

bool observers_have_share(const struct observers *observers, uint32_t peer) {
  return count_of(observers, peer) >= observers->peer_observers_max;
}

/* Where it is the variants that are all taken, one helps that is the only observer of its own. */
uint32_t observers_spare(struct observers *observers, const struct engine *engine) {
  enum { LOOKS_MAX = 64 };
  bool variants = observers->slab.count < observers->slab.count_max && may_hold(observers, engine);
  for (int looks = 0; looks < LOOKS_MAX && observers->slab.count > 0; ++looks) {
    if (observers->sweep >= observers->slab.fresh) observers->sweep = 0;
    const struct observer *observer = at(observers, observers->sweep++);
    if ((observer->flags & OBSERVER_USED) == 0 || engine_is_verified(engine, observer->peer)) continue;
    if (!variants || observers->observed[observer->observed].count == 1) return observers->sweep - 1;
  }
  return INDEX_NONE;
}

/* --- Visits --------------------------------------------------------------------------------------- */

uint32_t observers_next(struct observers *observers, uint32_t index) {
  struct observed *observed = &observers->observed[index];
  if (observed->unvisited == 0) return INDEX_NONE;
  uint32_t next = observed->cursor;
  struct observer *observer = at(observers, next);
  assert(observer->visited != observed->visit);
  observer->visited = observed->visit;
  observed->cursor = observer->next;
  --observed->unvisited;
  return next;
}

void observers_again(struct observers *observers, uint32_t index) {
  struct observer *observer = at(observers, index);
  struct observed *observed = &observers->observed[observer->observed];
  if (observer->visited != observed->visit) return; /* it will be anyway */
  ring_remove(observers, observed, index);
  ring_append(observers, observed, index);
  observed->cursor = index;
  observer->visited = observed->visit - 1;
  ++observed->unvisited;
  observed_send_on(observers, observer->observed);
}

/* --- Confirmation --------------------------------------------------------------------------------- */

/* RFC 7641 4.5: "A server that transmits notifications mostly in non-confirmable messages MUST send a notification in a
 * confirmable message instead of a non-confirmable message at least every 24 hours." Rather a moment early than late.
 */
bool observer_is_due(const struct observer *observer, copal_time every, copal_time now) {
  return coarse_time(now) - observer->confirmed >= coarse_time(every);
}

void observer_note_con(struct observers *observers, uint32_t index, copal_time now) {
  struct observer *observer = at(observers, index);
  if ((observer->flags & OBSERVER_TIMED) != 0) timer_cancel(&observers->timers, index);
  observer->flags &= (uint8_t) ~(OBSERVER_TIMED | OBSERVER_UNCONFIRMED);
  observer->confirmed = coarse_time(now);
}

/* RFC 7641 4.5: "above all, the server MUST ensure that a client in the list of observers of a resource eventually
 * observes the latest state if the resource does not undergo a new change in state." What is not confirmable may be
 * lost, so a timer sees to it that one that is follows. */
void observer_note_non(struct observers *observers, uint32_t index, copal_time every, copal_time now) {
  struct observer *observer = at(observers, index);
  observer->flags |= OBSERVER_UNCONFIRMED;
  if ((observer->flags & OBSERVER_TIMED) != 0) return;
  copal_time passed = (copal_time)(coarse_time(now) - observer->confirmed) * COARSE_UNIT;
  timer_set(&observers->timers, index, now + every - passed);
  observer->flags |= OBSERVER_TIMED;
}
