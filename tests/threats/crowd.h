/* A server among honest clients and a flood, in virtual time. The clients are endpoints of their own, each with a
 * steady rate of errands of all kinds, whose results are checked and counted; the flood is what a test feeds in
 * between. A datagram takes no time, and an answer to it goes a tick later. */
#ifndef COPAL_THREATS_CROWD_H
#define COPAL_THREATS_CROWD_H

#include <stdbool.h>

#include "copal/rest.h"

enum { CROWD_CLIENTS = 10, CROWD_OWED_MAX = 64, CROWD_BODY_SIZE = 3000, CROWD_TICKS_PER_ERRAND = 50 };

#define CROWD_TICK (2 * COPAL_MILLISECOND)

/* What a client asks for. */
enum errand {
  ERRAND_GET,      /* a small answer */
  ERRAND_POST,     /* executes something */
  ERRAND_LARGE,    /* more than goes to an address that is not verified */
  ERRAND_UPLOAD,   /* a body in blocks */
  ERRAND_DOWNLOAD, /* an answer to a POST in blocks, which is kept for them */
  ERRAND_LATER,    /* an answer that is deferred */
  ERRAND_KINDS
};

struct score {
  unsigned begun, good;
  copal_error error; /* of the latest that was not */
  uint8_t code;
};

struct crowd;

struct client {
  copal_endpoint *endpoint;
  void *memory;
  struct crowd *crowd;
  unsigned errands;
  copal_call observation;
  bool observes;
  unsigned notified; /* the latest state that it was told of what it observes */
};

/* A deferred answer, and when it is due. */
struct owed {
  copal_deferred deferred;
  copal_time due;
};

struct crowd {
  copal_endpoint *server;
  void *memory;
  struct client clients[CROWD_CLIENTS];
  unsigned kinds; /* errands that clients have: so many of the first */
  unsigned batch; /* datagrams that the server takes in before it gives out what it has to say */
  unsigned taken; /* of those */
  struct owed owed[CROWD_OWED_MAX];
  unsigned owed_count;
  struct score scores[ERRAND_KINDS];
  unsigned executed; /* what came by POST */
  unsigned posted;   /* POSTs that were answered so */
  unsigned state;    /* of what is observed */
  unsigned ticks;
  copal_time now;
  uint64_t flood_in, flood_out;         /* bytes from and to others than the clients */
  uint64_t flood_count, flood_answered; /* datagrams likewise */
};

/* A server with these limits, and its clients with errands of so many kinds. Those who have errands of all kinds
 * observe its state, too. */
void crowd_open(struct crowd *crowd, const copal_config *config, unsigned kinds);
void crowd_close(struct crowd *crowd);

/* Gives the server a datagram of somebody's, in a block of its exact size. */
void crowd_flood(struct crowd *crowd, const copal_path *path, const uint8_t *bytes, size_t size);

/* A tick: what is due goes out, arrives, and is answered. busy: clients begin errands. */
void crowd_tick(struct crowd *crowd, bool busy);

/* Lets so much time pass without errands and without a flood. */
void crowd_rest(struct crowd *crowd, copal_time time);

/* What is observed has changed. */
void crowd_change(struct crowd *crowd);

/* A client ends its observation, and begins another one: as often as it takes. */
void crowd_observe_anew(struct crowd *crowd, unsigned client);

/* Errands that began since the last time and are over are good, at least so many of a hundred of each kind. */
void crowd_check(struct crowd *crowd, unsigned percent);

/* No table of the server holds more than it may. */
void crowd_check_bounds(const struct crowd *crowd);

#endif
