/* Observers of one resource. Knows no socket: who sends and acknowledges is load.c. */
#include "cli/load/observers.h"

#include <stdlib.h>

static uint32_t first_slot(const struct flight *flight);
static bool is_observing(const copal_view *message);
static void answered(struct observers *observers, struct flight *flight, uint32_t slot, bool observing);
static void remember(struct observer *observer, const copal_view *message);

bool observers_open(struct observers *observers, uint32_t count) {
  observers->count = count;
  observers->list = calloc(count > 0 ? count : 1, sizeof *observers->list);
  return observers->list != NULL;
}

void observers_close(struct observers *observers) {
  free(observers->list);
  observers->list = NULL;
}

uint32_t observers_next_to_register(struct observers *observers, const struct flight *flight) {
  return observers->next < observers->count ? first_slot(flight) + observers->next++ : FLIGHT_NONE;
}

uint32_t observers_next_to_leave(struct observers *observers, const struct flight *flight) {
  while (observers->next < observers->count) {
    uint32_t slot = first_slot(flight) + observers->next++;
    if (flight->slots[slot].state == SLOT_OBSERVING) return slot;
  }
  return FLIGHT_NONE;
}

void observers_take(struct observers *observers, struct flight *flight, uint32_t slot, const copal_view *message,
                    copal_time now, bool counts) {
  struct observer *observer = &observers->list[slot - first_slot(flight)];
  uint32_t number = copal_find_uint(message, COPAL_OPTION_OBSERVE, 0) & 0xffffff;
  bool observing = is_observing(message);
  if (flight->slots[slot].state != SLOT_OBSERVING) {
    /* A notification that crosses with the wish to leave is no answer to that. */
    if (!observers->leaving || !observing) answered(observers, flight, slot, observing);
    observer->number = number;
    remember(observer, message);
    return;
  }
  /* The answer to a registration that was sent twice comes twice. */
  bool is_repeated = message->type == COPAL_ACK || (observer->was_told && observer->mid == message->message_id);
  if (is_repeated) {
    ++observers->repeated;
    return;
  }
  remember(observer, message);
  if (!observing) {
    ++observers->ended;
    flight->slots[slot].state = SLOT_IDLE;
    return;
  }
  if (!observers_is_newer(number, observer->number)) ++observers->outdated;
  observer->number = number;
  if (!counts) return;
  ++observer->told;
  ++observers->notifications;
  if (observers->changed != 0) histogram_add(&observers->latency, now - observers->changed);
}

void observers_spread(const struct observers *observers, uint32_t *least, uint32_t *most) {
  *least = observers->registered > 0 ? UINT32_MAX : 0;
  *most = 0;
  for (uint32_t i = 0; i < observers->count; ++i) {
    const struct observer *observer = &observers->list[i];
    if (observer->is_registered && observer->told < *least) *least = observer->told;
    if (observer->told > *most) *most = observer->told;
  }
}

/* RFC 7641 3.4: "(V1 < V2 and V2 - V1 < 2^23) or (V1 > V2 and V1 - V2 > 2^23)", where V1 is the value "in the
 * freshest notification so far". Being 128 seconds apart, which the third case is about, is not looked at. */
bool observers_is_newer(uint32_t number, uint32_t than) {
  uint32_t ahead = (number - than) & 0xffffff;
  return ahead != 0 && ahead < 1u << 23;
}

static uint32_t first_slot(const struct flight *flight) { return flight->clients * flight->window; }

static bool is_observing(const copal_view *message) {
  copal_option option;
  return COPAL_CODE_CLASS(message->code) == 2 && copal_find(message, COPAL_OPTION_OBSERVE, &option);
}

static void answered(struct observers *observers, struct flight *flight, uint32_t slot, bool observing) {
  flight_end(flight, slot, observing ? SLOT_OBSERVING : SLOT_IDLE);
  if (observers->leaving) return;
  observers->list[slot - first_slot(flight)].is_registered = observing;
  if (observing) {
    ++observers->registered;
  } else {
    ++observers->refused;
  }
}

static void remember(struct observer *observer, const copal_view *message) {
  observer->was_told = message->type != COPAL_ACK;
  observer->mid = message->message_id;
}
