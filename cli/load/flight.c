/* Requests under way. Knows no socket and no clock.
 *
 * Timers are in buckets by time, and nothing is taken out when an answer comes: a slot stays where it is, and when its
 * bucket's turn comes it goes where its present deadline says. To be found in time it must never be in a later bucket
 * than a request asks for that was begun after it went there; so it goes `soonest` ahead at most, which no deadline
 * undercuts. A slot is looked at once in that time, not once a request. */
#include "cli/load/flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t draw(struct flight *flight);
static void set_out(struct flight *flight, uint32_t index, copal_time now);
static void link_slot(struct flight *flight, uint32_t index, copal_time now);
static enum flight_due judge(struct flight *flight, uint32_t index, copal_time now);
static bool is_under_way(const struct slot *slot);

bool flight_open(struct flight *flight, uint64_t seed, copal_time now) {
  assert(flight->window >= 1 && flight->window <= FLIGHT_WINDOW_MAX);
  uint32_t requests = flight->clients * flight->window;
  flight->slots_count = requests + flight->observers;
  flight->under_way = 0;
  for (flight->stride = 1; flight->stride < flight->window;) flight->stride *= 2;
  flight->ids_reused_at = 65536 / flight->stride;
  flight->seed = seed;
  flight->key[0] = (uint32_t)draw(flight);
  flight->key[1] = (uint32_t)draw(flight);
  flight->soonest = flight->patience.non ? flight->patience.give_up : flight->patience.ack_timeout;
  if (flight->patience.give_up < flight->soonest) flight->soonest = flight->patience.give_up;
  /* Twice as many buckets as are used: who comes late still finds none that was filled again. */
  flight->tick = flight->soonest / (FLIGHT_BUCKETS / 2 - 2) + 1;
  flight->turn = now / flight->tick;
  memset(flight->buckets, 0xff, sizeof flight->buckets);
  flight->slots = calloc(flight->slots_count > 0 ? flight->slots_count : 1, sizeof *flight->slots);
  flight->idle = calloc(requests > 0 ? requests : 1, sizeof *flight->idle);
  if (flight->slots == NULL || flight->idle == NULL) return false;
  for (uint32_t i = 0; i < flight->slots_count; ++i) {
    uint32_t place = i < requests ? i / flight->clients : 0;
    flight->slots[i].mid = (uint16_t)((uint32_t)draw(flight) / flight->stride * flight->stride + place);
  }
  for (uint32_t i = 0; i < requests; ++i) flight->idle[i] = i;
  flight->idle_first = 0;
  flight->idle_count = requests;
  return true;
}

void flight_close(struct flight *flight) {
  free(flight->slots);
  free(flight->idle);
  flight->slots = NULL;
  flight->idle = NULL;
}

/* Neighbouring slots belong to different clients: who takes them in order gives each client its turn. */
uint32_t flight_client(const struct flight *flight, uint32_t slot) {
  uint32_t requests = flight->clients * flight->window;
  return slot < requests ? slot % flight->clients : flight->clients + slot - requests;
}

uint32_t flight_clients(const struct flight *flight) { return flight->clients + flight->observers; }

uint32_t flight_take(struct flight *flight) {
  if (flight->idle_count == 0) return FLIGHT_NONE;
  uint32_t slot = flight->idle[flight->idle_first];
  if (++flight->idle_first == flight->clients * flight->window) flight->idle_first = 0;
  --flight->idle_count;
  return slot;
}

void flight_begin(struct flight *flight, uint32_t index, copal_time began, copal_time now) {
  struct slot *slot = &flight->slots[index];
  assert(!is_under_way(slot));
  ++flight->under_way;
  slot->began = began;
  bool is_observer = index >= flight->clients * flight->window;
  /* RFC 7641 3.6: who deregisters does so with the token of the registration. */
  if (!is_observer) ++slot->generation;
  set_out(flight, index, now);
}

void flight_continue(struct flight *flight, uint32_t index, copal_time now) {
  assert(is_under_way(&flight->slots[index]));
  ++flight->slots[index].generation;
  set_out(flight, index, now);
}

void flight_acknowledge(struct flight *flight, uint32_t index) {
  struct slot *slot = &flight->slots[index];
  if (slot->state != SLOT_WAITING) return;
  slot->state = SLOT_EXPECTING;
  slot->deadline = slot->give_up;
}

void flight_end(struct flight *flight, uint32_t index, enum slot_state state) {
  struct slot *slot = &flight->slots[index];
  assert(is_under_way(slot));
  --flight->under_way;
  slot->state = (uint8_t)state;
  uint32_t requests = flight->clients * flight->window;
  if (index >= requests) return;
  uint32_t at = flight->idle_first + flight->idle_count++;
  flight->idle[at < requests ? at : at - requests] = index;
}

void flight_token(const struct flight *flight, uint32_t slot, uint8_t token[FLIGHT_TOKEN_SIZE]) {
  uint32_t words[2] = {slot ^ flight->key[0], flight->slots[slot].generation ^ flight->key[1]};
  memcpy(token, words, sizeof words);
}

enum flight_match flight_by_token(const struct flight *flight, copal_bytes token, uint32_t *slot) {
  uint32_t words[2];
  if (token.size != sizeof words) return MATCH_NONE;
  memcpy(words, token.data, sizeof words);
  *slot = words[0] ^ flight->key[0];
  if (*slot >= flight->slots_count) return MATCH_NONE;
  uint32_t age = flight->slots[*slot].generation - (words[1] ^ flight->key[1]);
  if (age == 0) return flight->slots[*slot].state == SLOT_IDLE ? MATCH_PAST : MATCH_FOUND;
  return age <= flight->slots[*slot].generation ? MATCH_PAST : MATCH_NONE;
}

enum flight_match flight_by_mid(const struct flight *flight, uint32_t client, uint16_t mid, uint32_t *slot) {
  if (client >= flight_clients(flight)) return MATCH_NONE;
  if (client >= flight->clients) {
    *slot = flight->clients * flight->window + client - flight->clients;
  } else {
    uint32_t place = mid & (flight->stride - 1);
    if (place >= flight->window) return MATCH_NONE;
    *slot = place * flight->clients + client;
  }
  const struct slot *found = &flight->slots[*slot];
  if (found->transmissions == 0) return MATCH_NONE;
  return found->mid == mid && is_under_way(found) ? MATCH_FOUND : MATCH_PAST;
}

enum flight_due flight_next_due(struct flight *flight, copal_time now, uint32_t *slot) {
  uint64_t last = now / flight->tick;
  /* After a long sleep, one round over all buckets finds everything. */
  if (last > flight->turn + FLIGHT_BUCKETS) flight->turn = last - FLIGHT_BUCKETS;
  for (; flight->turn <= last; ++flight->turn) {
    uint32_t *bucket = &flight->buckets[flight->turn % FLIGHT_BUCKETS];
    while (*bucket != FLIGHT_NONE) {
      *slot = *bucket;
      struct slot *found = &flight->slots[*slot];
      *bucket = found->next;
      found->linked = false;
      enum flight_due due = judge(flight, *slot, now);
      if (due != DUE_NOTHING) return due;
    }
  }
  flight->turn = last;
  return DUE_NOTHING;
}

copal_time flight_deadline(const struct flight *flight) {
  return flight->under_way == 0 ? COPAL_NEVER : (flight->turn + 1) * flight->tick;
}

/* xorshift64*: enough for jitter. */
static uint64_t draw(struct flight *flight) {
  flight->seed ^= flight->seed >> 12;
  flight->seed ^= flight->seed << 25;
  flight->seed ^= flight->seed >> 27;
  if (flight->seed == 0) flight->seed = 1;
  return flight->seed * UINT64_C(2685821657736338717) >> 32;
}

static void set_out(struct flight *flight, uint32_t index, copal_time now) {
  struct slot *slot = &flight->slots[index];
  const struct patience *patience = &flight->patience;
  slot->mid = (uint16_t)(slot->mid + flight->stride);
  slot->transmissions = 1;
  slot->give_up = now + patience->give_up;
  slot->state = patience->non ? SLOT_EXPECTING : SLOT_WAITING;
  slot->deadline = slot->give_up;
  if (!patience->non) {
    /* RFC 7252 4.2: "the initial timeout is set to a random duration (often not an integral number of seconds) between
     * ACK_TIMEOUT and (ACK_TIMEOUT * ACK_RANDOM_FACTOR)" */
    copal_time jitter = (patience->ack_timeout / 2 >> 16) * (draw(flight) & 0xffff);
    slot->timeout_us = (uint32_t)((patience->ack_timeout + jitter) / COPAL_MICROSECOND);
    copal_time again = now + (copal_time)slot->timeout_us * COPAL_MICROSECOND;
    if (again < slot->deadline) slot->deadline = again;
  }
  if (!slot->linked) link_slot(flight, index, now);
}

static void link_slot(struct flight *flight, uint32_t index, copal_time now) {
  struct slot *slot = &flight->slots[index];
  copal_time when = slot->deadline < now + flight->soonest ? slot->deadline : now + flight->soonest;
  uint64_t turn = when / flight->tick + 1;
  if (turn <= flight->turn) turn = flight->turn + 1;
  /* Who comes late and has it taken out of one bucket must not put it into the same again, a round later: that one is
   * not empty yet. */
  if (turn >= flight->turn + FLIGHT_BUCKETS) turn = flight->turn + FLIGHT_BUCKETS - 1;
  uint32_t *bucket = &flight->buckets[turn % FLIGHT_BUCKETS];
  slot->next = *bucket;
  slot->linked = true;
  *bucket = index;
}

static enum flight_due judge(struct flight *flight, uint32_t index, copal_time now) {
  struct slot *slot = &flight->slots[index];
  if (!is_under_way(slot)) return DUE_NOTHING;
  if (slot->deadline > now) {
    link_slot(flight, index, now);
    return DUE_NOTHING;
  }
  bool is_patient = now < slot->give_up;
  if (slot->state == SLOT_WAITING && is_patient && slot->transmissions <= flight->patience.retransmit) {
    /* RFC 7252 4.2: "the retransmission counter is incremented, and the timeout is doubled." */
    ++slot->transmissions;
    slot->timeout_us *= 2;
    copal_time again = now + (copal_time)slot->timeout_us * COPAL_MICROSECOND;
    slot->deadline = again < slot->give_up ? again : slot->give_up;
    link_slot(flight, index, now);
    return DUE_AGAIN;
  }
  return DUE_GIVEN_UP;
}

static bool is_under_way(const struct slot *slot) {
  return slot->state == SLOT_WAITING || slot->state == SLOT_EXPECTING;
}
