/* Observers of one resource (RFC 7641), as many as wanted: who is one, and what each has been told. */
#ifndef COPAL_CLI_LOAD_OBSERVERS_H
#define COPAL_CLI_LOAD_OBSERVERS_H

#include "cli/load/flight.h"
#include "cli/load/histogram.h"

struct observer {
  uint32_t number; /* of the newest state that it knows, 24 bits */
  uint32_t told;   /* notifications that count */
  uint16_t mid;    /* of the last of them */
  bool was_told;   /* mid is one */
  bool is_registered;
};

struct observers {
  struct observer *list;
  uint32_t count;
  uint32_t next; /* who registers, or leaves, next */
  bool leaving;

  uint32_t registered;
  uint32_t refused;         /* answered, but not taken for observers */
  uint32_t failed;          /* not answered */
  uint32_t ended;           /* by the server */
  uint64_t notifications;   /* that count */
  uint64_t repeated;        /* notifications that came twice */
  uint64_t outdated;        /* that told of an older state than the one before */
  copal_time changed;       /* when the resource was last asked to change; 0: it was not */
  copal_time registering;   /* how long it took until all were registered */
  struct histogram latency; /* from `changed` to a notification */
};

/* False where there is no memory. All zero needs no close. */
bool observers_open(struct observers *observers, uint32_t count);
void observers_close(struct observers *observers);

/* The slot that is to register next; FLIGHT_NONE when all have. Then the slots that are to leave. */
uint32_t observers_next_to_register(struct observers *observers, const struct flight *flight);
uint32_t observers_next_to_leave(struct observers *observers, const struct flight *flight);

/* Takes a response with the token of an observer's slot, which ends its registration, its leaving, or neither; counts
 * says whether notifications count now. */
void observers_take(struct observers *observers, struct flight *flight, uint32_t slot, const copal_view *message,
                    copal_time now, bool counts);

/* How many notifications that count the observers have who have the fewest and the most. */
void observers_spread(const struct observers *observers, uint32_t *least, uint32_t *most);

/* Whether a state's number is newer than another's. */
bool observers_is_newer(uint32_t number, uint32_t than);

#endif
