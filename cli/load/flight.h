/* Requests under way: a slot each, found by token or by message ID, with the timers of RFC 7252 4.2. Pure: the time is
 * told, and nothing is sent from here.
 *
 * A slot belongs to a client, and is used again for its next request. A token names the slot and how often it had been
 * used; a message ID, too, tells which of its client's slots it belongs to. So nothing is ever searched for. */
#ifndef COPAL_CLI_LOAD_FLIGHT_H
#define COPAL_CLI_LOAD_FLIGHT_H

#include <stdbool.h>

#include "copal/copal.h"

enum { FLIGHT_TOKEN_SIZE = 8, FLIGHT_BUCKETS = 1024, FLIGHT_WINDOW_MAX = 32768 };

#define FLIGHT_NONE UINT32_MAX

enum slot_state {
  SLOT_IDLE,
  SLOT_WAITING,   /* a CON: nothing came yet */
  SLOT_EXPECTING, /* a NON, or acknowledged: nothing is sent again */
  SLOT_OBSERVING  /* answered, and notifications may come with its token */
};

/* Which part of a body is on its way; see transfer.h. */
struct transfer {
  uint32_t block; /* number */
  uint8_t phase;  /* enum transfer_phase */
  uint8_t szx;
};

struct slot {
  copal_time began;    /* what its latency is measured from */
  copal_time give_up;  /* when its present message has taken too long */
  copal_time deadline; /* when it is looked at: to be sent again, or to be given up */
  uint32_t timeout_us; /* until the next retransmission; doubled by each */
  uint32_t generation; /* how often it was used */
  uint32_t next;       /* in its bucket */
  struct transfer transfer;
  uint16_t mid;
  uint8_t state; /* enum slot_state */
  uint8_t transmissions;
  bool linked;   /* in a bucket */
  bool measured; /* it counts */
};

/* What the times of a request are. */
struct patience {
  copal_time ack_timeout;
  copal_time give_up; /* at the latest; of each message of a body in blocks */
  uint32_t retransmit;
  bool non; /* nothing is sent again */
};

struct flight {
  struct patience patience;
  uint32_t clients, window; /* each client has so many slots; */
  uint32_t stride;          /* window, as a power of two: by how much a slot's message IDs grow; */
  uint32_t observers;       /* each of which has one slot, behind those of the clients */
  uint32_t slots_count;
  uint32_t under_way;     /* slots that wait for an answer */
  uint64_t ids_reused_at; /* uses of a slot after which its message IDs come again */
  uint64_t seed;
  uint32_t key[2];    /* tokens are not the same in every run */
  copal_time tick;    /* the width of a bucket */
  copal_time soonest; /* no slot is looked at sooner after it was begun */
  uint64_t turn;      /* the bucket that is looked at, counted from time 0 */
  struct slot *slots;
  uint32_t *idle; /* a ring of slots, those that were idle longest first */
  uint32_t idle_first, idle_count;
  uint32_t buckets[FLIGHT_BUCKETS];
};

/* How a token or a message ID was found. */
enum flight_match {
  MATCH_FOUND,
  MATCH_PAST, /* of an earlier use of the slot: a duplicate, or an answer that came too late */
  MATCH_NONE
};

/* What is to be done about a slot whose time has come. */
enum flight_due { DUE_NOTHING, DUE_AGAIN, DUE_GIVEN_UP };

/* Clears its fields but patience, clients, window and observers. False where there is no memory. Close it in either
 * case. */
bool flight_open(struct flight *flight, uint64_t seed, copal_time now);
void flight_close(struct flight *flight);

/* The client that a slot belongs to; observers are clients, too, behind the others. */
uint32_t flight_client(const struct flight *flight, uint32_t slot);

/* Clients and observers. */
uint32_t flight_clients(const struct flight *flight);

/* Takes the slot that has been idle longest; FLIGHT_NONE where all are in use. Observers' slots are not among them. */
uint32_t flight_take(struct flight *flight);

/* Begins a request in a slot that is idle, or observing: it has a new message ID and, but for an observer, a new token,
 * and is sent now. */
void flight_begin(struct flight *flight, uint32_t index, copal_time began, copal_time now);

/* Goes on with another message of the same request: a new message ID and token, and its timers anew. */
void flight_continue(struct flight *flight, uint32_t index, copal_time now);

/* It was acknowledged, and its response is yet to come. */
void flight_acknowledge(struct flight *flight, uint32_t index);

/* It is over; a client's slot is idle then, an observer's what it is told. */
void flight_end(struct flight *flight, uint32_t index, enum slot_state state);

void flight_token(const struct flight *flight, uint32_t slot, uint8_t token[FLIGHT_TOKEN_SIZE]);
enum flight_match flight_by_token(const struct flight *flight, copal_bytes token, uint32_t *slot);
enum flight_match flight_by_mid(const struct flight *flight, uint32_t client, uint16_t mid, uint32_t *slot);

/* Takes the next slot whose time has come. Of DUE_AGAIN the timer is set anew. */
enum flight_due flight_next_due(struct flight *flight, copal_time now, uint32_t *slot);

/* When to look again, at the latest: COPAL_NEVER where nothing is under way. */
copal_time flight_deadline(const struct flight *flight);

#endif
