/* A load under way. Knows no terminal.
 *
 * In a closed loop a request is due as soon as a client has room for it, at a constant rate when its time has come,
 * from which its latency is then measured: who is slow cannot have fewer of them, and one that waits because others are
 * slow counts as slow, too. Requests that were begun while it counts are waited for after its end, lest the slowest be
 * left out. RFC 7252 4.2, 5.2, 5.3. */
#include "cli/load/load.h"

#include <errno.h>
#include <string.h>

#include "cli/ask/interrupt.h"
#include "cli/load/transfer.h"
#include "cli/show/terminal.h"

/* How long what is under way has, when the time is over: a retransmission, and its answer. */
#define FAREWELL_TIME (5 * COPAL_SECOND)

/* An answer that comes within this is awaited without sleep: to be woken takes longer. */
#define SPIN_TIME (30 * COPAL_MICROSECOND)

/* What is due sooner is not slept for, since one wakes up later than one asked for. */
#define WAKE_TIME (80 * COPAL_MICROSECOND)

/* And how long observers have to say that they leave. */
#define LEAVING_TIME (2 * COPAL_SECOND)

#define LIFETIME (247 * COPAL_SECOND) /* EXCHANGE_LIFETIME */

enum { ERRORS_MAX = 64, QUOTE_SIZE = 64, REGISTRATIONS_MAX = 64 /* at once */, REFUSALS_MAX = 1000 };

static void begin_asking(struct load *load);
static bool go_on(struct load *load);
static bool is_over(const struct load *load);
static void conclude(struct load *load);
static size_t begin_requests(struct load *load);
static size_t begin_observers(struct load *load);
static size_t look_at_timers(struct load *load);
static void look_at_errors(struct load *load);
static void rest(struct load *load, copal_time until);
static void transmit(struct load *load, uint32_t index);
static void take(struct load *load, const struct arrival *arrival);
static void take_empty(struct load *load, const struct arrival *arrival, const copal_view *message);
static void take_response(struct load *load, const struct arrival *arrival, const copal_view *message);
static size_t write_observer(const struct load *load, const uint8_t *token, uint16_t mid, uint8_t *room);
static void answer(struct load *load, uint32_t client, copal_type type, uint16_t mid);
static void finish(struct load *load, uint32_t index, uint64_t *end);

enum status load_open(struct load *load, const struct plan *plan, const char *command) {
  load->plan = plan;
  load->flight = (struct flight){
      .patience = plan->patience, .clients = plan->clients, .window = plan->window, .observers = plan->observers};
  copal_time now = copal_now();
  if (!flight_open(&load->flight, now, now) || !observers_open(&load->observers, plan->observers)) {
    complain(command, "no memory for so many requests");
    return STATUS_LOCAL;
  }
  uint32_t clients = flight_clients(&load->flight);
  if (wires_open(&load->wires, &plan->target.address, clients, plan->sources, transfer_size_max(plan))) {
    return STATUS_SUCCESS;
  }
  bool unreachable = errno == ENETUNREACH || errno == EHOSTUNREACH;
  complain(command, "cannot open sockets for %s: %s", plan->target.name, strerror(errno));
  return unreachable ? STATUS_UNREACHABLE : STATUS_LOCAL;
}

void load_close(struct load *load) {
  wires_close(&load->wires);
  flight_close(&load->flight);
  observers_close(&load->observers);
}

void load_begin(struct load *load) {
  load->now = load->began = copal_now();
  load->counted_from = load->counted_until = COPAL_NEVER;
  load->phase = LOAD_REGISTERING;
  if (load->plan->observers == 0) begin_asking(load);
}

bool load_run(struct load *load, copal_time until) {
  struct arrival arrivals[WIRES_BATCH];
  copal_time busy = load->now;
  while (load->now < until) {
    load->now = copal_now();
    if (load->now >= load->counted_until || interrupt_signal() != 0) load_end(load);
    size_t sent = load->phase == LOAD_ASKING ? begin_requests(load) : begin_observers(load);
    sent += look_at_timers(load);
    wires_flush(&load->wires);
    size_t count = wires_receive(&load->wires, arrivals);
    if (count > 0) load->now = copal_now();
    for (size_t i = 0; i < count; ++i) take(load, &arrivals[i]);
    if (load->wires.has_errors) look_at_errors(load);
    if (!go_on(load)) return false;
    if (sent + count > 0) {
      busy = load->now;
    } else if (load->now - busy > SPIN_TIME) {
      rest(load, until);
    }
  }
  return true;
}

void load_end(struct load *load) {
  if (load->is_ending) return;
  load->is_ending = true;
  if (load->now < load->counted_until) load->counted_until = load->now;
  if (load->counted_until < load->counted_from) load->counted_from = load->counted_until;
  uint64_t due = pace_count(&load->pace, load->counted_until);
  if (load->plan->requests == 0 && due > load->pace.given) load->tally.unsent = due - load->pace.given;
}

void load_clear_recent(struct load *load) { histogram_clear(&load->recent); }

/* --- One phase after the other ------------------------------------------------------------------ */

static void begin_asking(struct load *load) {
  const struct plan *plan = load->plan;
  load->phase = LOAD_ASKING;
  load->observers.registering = load->now - load->began;
  load->began = load->now;
  load->pace = (struct pace){.begin = load->began, .rate = plan->rate};
  load->counted_from = load->began + plan->warmup;
  load->counted_until = plan->duration == COPAL_NEVER ? COPAL_NEVER : load->counted_from + plan->duration;
}

/* False when all is over. */
static bool go_on(struct load *load) {
  struct observers *observers = &load->observers;
  bool is_idle = observers->next == observers->count && load->flight.under_way == 0;
  switch (load->phase) {
    case LOAD_REGISTERING:
      if (!is_idle && interrupt_signal() == 0) return true;
      begin_asking(load);
      return true;
    case LOAD_ASKING:
      if (!is_over(load)) return true;
      conclude(load);
      load->phase = LOAD_LEAVING;
      load->phase_end = load->now + LEAVING_TIME;
      observers->leaving = true;
      observers->next = 0;
      return observers->registered > 0;
    case LOAD_LEAVING: return !is_idle && load->now < load->phase_end;
  }
  return false;
}

static bool is_over(const struct load *load) {
  const struct plan *plan = load->plan;
  bool enough = plan->requests != 0 && plan->observers == 0 && load->begun == plan->requests;
  if (!load->is_ending && !enough) return false;
  if (load->flight.under_way == 0 || interrupt_signal() != 0) return true;
  return load->is_ending && load->now > load->counted_until + FAREWELL_TIME;
}

/* A load that was to end by itself took as long as it took. */
static void conclude(struct load *load) {
  load_end(load);
  for (uint32_t i = 0; i < load->flight.slots_count; ++i) {
    const struct slot *slot = &load->flight.slots[i];
    bool is_under_way = slot->state == SLOT_WAITING || slot->state == SLOT_EXPECTING;
    if (is_under_way && slot->measured) ++load->tally.unfinished;
  }
}

/* --- Out ---------------------------------------------------------------------------------------- */

/* As many as one batch holds: then what has come is looked at. */
static size_t begin_requests(struct load *load) {
  const struct plan *plan = load->plan;
  bool counts = load->now >= load->counted_from;
  size_t count = 0;
  for (; count < WIRES_BATCH && !load->is_ending; ++count) {
    if (plan->requests != 0 && load->begun == plan->requests) break;
    if (load->flight.under_way >= plan->in_flight) break;
    copal_time due = plan->rate != 0 ? pace_due(&load->pace) : load->now;
    if (due > load->now) break;
    uint32_t index = flight_take(&load->flight);
    if (index == FLIGHT_NONE) break;
    ++load->pace.given;
    struct slot *slot = &load->flight.slots[index];
    slot->transfer = transfer_begin(plan);
    slot->measured = counts;
    if (counts) {
      ++load->begun;
      ++load->tally.requests;
    }
    if (load->plan->method != COPAL_GET && load->plan->method != COPAL_FETCH) load->observers.changed = load->now;
    flight_begin(&load->flight, index, due, load->now);
    transmit(load, index);
  }
  return count;
}

/* They come and go a few at a time: how fast that is, is not what is measured. */
static size_t begin_observers(struct load *load) {
  size_t count = 0;
  for (; load->flight.under_way < REGISTRATIONS_MAX; ++count) {
    uint32_t slot = load->phase == LOAD_REGISTERING ? observers_next_to_register(&load->observers, &load->flight)
                                                    : observers_next_to_leave(&load->observers, &load->flight);
    if (slot == FLIGHT_NONE) break;
    flight_begin(&load->flight, slot, load->now, load->now);
    transmit(load, slot);
  }
  return count;
}

static size_t look_at_timers(struct load *load) {
  size_t count = 0;
  uint32_t slot;
  for (; count < WIRES_BATCH; ++count) {
    enum flight_due due = flight_next_due(&load->flight, load->now, &slot);
    if (due == DUE_NOTHING) break;
    if (due == DUE_AGAIN) {
      ++load->tally.retransmissions;
      transmit(load, slot);
    } else {
      finish(load, slot, &load->tally.timeouts);
    }
  }
  return count;
}

static void transmit(struct load *load, uint32_t index) {
  const struct slot *slot = &load->flight.slots[index];
  uint8_t token[FLIGHT_TOKEN_SIZE];
  uint32_t client = flight_client(&load->flight, index);
  flight_token(&load->flight, index, token);
  uint8_t *room = wires_room(&load->wires, client);
  bool is_observer = client >= load->flight.clients;
  size_t size = is_observer ? write_observer(load, token, slot->mid, room)
                            : transfer_write(&slot->transfer, load->plan, token, slot->mid, room);
  wires_send(&load->wires, client, size);
  if (slot->generation == load->flight.ids_reused_at + 1 && load->now - load->began < LIFETIME) load->ids_reused = true;
}

static size_t write_observer(const struct load *load, const uint8_t *token, uint16_t mid, uint8_t *room) {
  const struct plan *plan = load->plan;
  bool leaves = load->phase == LOAD_LEAVING;
  size_t size = leaves ? plan->farewell_size : plan->registration_size;
  memcpy(room, leaves ? plan->farewell : plan->registration, size);
  transfer_stamp(room, token, mid);
  return size;
}

/* An empty ACK or RST. */
static void answer(struct load *load, uint32_t client, copal_type type, uint16_t mid) {
  if (client >= flight_clients(&load->flight)) return;
  uint8_t *room = wires_room(&load->wires, client);
  copal_encoder encoder;
  copal_encode_begin(&encoder, room, 4, type, COPAL_EMPTY, mid, NULL, 0);
  wires_send(&load->wires, client, encoder.size);
}

/* Until something is due or comes. */
static void rest(struct load *load, copal_time until) {
  copal_time wake = flight_deadline(&load->flight);
  if (until < wake) wake = until;
  bool may_begin = !load->is_ending && load->flight.idle_count > 0 && load->flight.under_way < load->plan->in_flight;
  if (may_begin && load->plan->rate != 0 && pace_due(&load->pace) < wake) wake = pace_due(&load->pace);
  if (!load->is_ending && load->counted_until < wake) wake = load->counted_until;
  if (wake > load->now + WAKE_TIME) wires_wait(&load->wires, wake - load->now - WAKE_TIME);
}

/* --- In ----------------------------------------------------------------------------------------- */

static void take(struct load *load, const struct arrival *arrival) {
  copal_view message;
  if (copal_decode(arrival->data, arrival->size, &message) != COPAL_OK) {
    ++load->tally.malformed;
  } else if (message.code == COPAL_EMPTY) {
    take_empty(load, arrival, &message);
  } else if (copal_code_is_response(message.code)) {
    take_response(load, arrival, &message);
  } else {
    ++load->tally.mismatched;
  }
}

static void take_empty(struct load *load, const struct arrival *arrival, const copal_view *message) {
  uint32_t slot;
  if (message->type == COPAL_CON) {
    /* RFC 7252 4.2: "Rejecting a Confirmable message is effected by sending a matching Reset message". Servers verify
     * addresses so. */
    ++load->tally.pings;
    answer(load, arrival->client, COPAL_RST, message->message_id);
    return;
  }
  enum flight_match match = flight_by_mid(&load->flight, arrival->client, message->message_id, &slot);
  if (match == MATCH_FOUND && message->type == COPAL_ACK) {
    ++load->tally.acknowledgements;
    flight_acknowledge(&load->flight, slot);
  } else if (match == MATCH_FOUND) {
    finish(load, slot, &load->tally.resets);
  } else if (match == MATCH_PAST) {
    ++load->tally.duplicates;
  } else {
    ++load->tally.mismatched;
  }
}

static void take_response(struct load *load, const struct arrival *arrival, const copal_view *message) {
  uint32_t index = FLIGHT_NONE;
  enum flight_match match = flight_by_token(&load->flight, message->token, &index);
  struct slot *slot = &load->flight.slots[match == MATCH_NONE ? 0 : index];
  /* RFC 7252 5.3.2: "in a piggybacked response, the Message ID of the Confirmable request and the Acknowledgement MUST
   * match" */
  bool is_stray = message->type == COPAL_ACK && match == MATCH_FOUND && message->message_id != slot->mid;
  if (match == MATCH_NONE || message->type == COPAL_RST || is_stray) {
    ++load->tally.mismatched;
    if (message->type == COPAL_CON) answer(load, arrival->client, COPAL_RST, message->message_id);
    return;
  }
  bool is_observer = index >= load->flight.clients * load->flight.window;
  if (message->type == COPAL_CON) {
    /* RFC 7641 3.6: who is no observer any more rejects, and is forgotten. */
    copal_type reply = is_observer && match == MATCH_PAST ? COPAL_RST : COPAL_ACK;
    answer(load, arrival->client, reply, message->message_id);
  }
  if (match == MATCH_PAST) {
    ++load->tally.duplicates;
    return;
  }
  if (is_observer) {
    bool counts = load->now >= load->counted_from && load->now < load->counted_until;
    observers_take(&load->observers, &load->flight, index, message, load->now, counts);
    return;
  }
  if (slot->measured) {
    ++load->tally.exchanges;
    load->tally.body_received += message->payload.size;
  }
  switch (transfer_next(&slot->transfer, load->plan, message)) {
    case TRANSFER_MORE:
      flight_continue(&load->flight, index, load->now);
      transmit(load, index);
      return;
    case TRANSFER_BROKEN: finish(load, index, &load->tally.broken); return;
    case TRANSFER_DONE: break;
  }
  if (load->now >= load->counted_from && load->now < load->counted_until) ++load->tally.in_time;
  if (slot->measured) {
    ++load->tally.codes[message->code];
    load->tally.body_sent += load->plan->body_size;
    histogram_add(&load->latency, load->now - slot->began);
  }
  histogram_add(&load->recent, load->now - slot->began);
  finish(load, index, &load->tally.responses);
}

/* What could not be delivered is quoted, and it is one of our own messages: its token is where we put it. */
static void look_at_errors(struct load *load) {
  uint8_t quote[QUOTE_SIZE];
  for (int i = 0; i < ERRORS_MAX; ++i) {
    size_t size = wires_error(&load->wires, quote, sizeof quote);
    if (size == 0) return;
    uint32_t slot;
    copal_bytes token = {quote + 4, FLIGHT_TOKEN_SIZE};
    bool is_request = size >= 4 + FLIGHT_TOKEN_SIZE && (quote[0] & 15) == FLIGHT_TOKEN_SIZE;
    if (!is_request || flight_by_token(&load->flight, token, &slot) != MATCH_FOUND) continue;
    finish(load, slot, &load->tally.unreachable);
    /* Where nobody ever was there is no use in going on. */
    if (load->wires.received == 0 && ++load->refusals == REFUSALS_MAX) load_end(load);
  }
}

/* How it ended is counted where the request counts. */
static void finish(struct load *load, uint32_t index, uint64_t *end) {
  bool is_observer = index >= load->flight.clients * load->flight.window;
  if (is_observer && load->phase == LOAD_REGISTERING) ++load->observers.failed;
  if (load->flight.slots[index].measured) ++*end;
  flight_end(&load->flight, index, SLOT_IDLE);
}
