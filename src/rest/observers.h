/* Who observes what: resources that are observed, each in one variant, and their observers. A variant has its newest
 * state as one encoded message for all; each observer knows which state it was sent last, and so who still needs the
 * newest one is a comparison. What is sent when is decided above. RFC 7641 section 4.
 *
 * A variant with work to do is in one of two rings: to be made (its resource has changed) or to be sent (its observers
 * are being visited). It is there for as long as it has observers, and in no ring most of the time. */
#ifndef COPAL_REST_OBSERVERS_H
#define COPAL_REST_OBSERVERS_H

#include "engine/engine.h"

enum { OBSERVER_TOKEN_MAX = 8 };

/* The Content-Format of a variant whose observers have not seen a representation yet: theirs was a 2.03. */
enum { OBSERVED_FORMAT_OPEN = COPAL_FORMAT_NONE + 1 };

enum observed_flags {
  OBSERVED_TO_MAKE = 1, /* in the ring of those whose newest state is to be made */
  OBSERVED_TO_SEND = 2, /* in the ring of those whose observers are visited */
  OBSERVED_ENDING = 4,  /* its message, made or to be made, is the last; nobody finds it any more */
  OBSERVED_OPEN = 8     /* its observers have been told 2.03 first: the format is that of its first state */
};

/* A resource in one variant. Its observers are a ring; those from the cursor on have not been visited yet. */
struct observed {
  uint64_t path; /* hash */
  copal_time confirm_every;
  uint32_t hash;    /* of the request and the format */
  uint32_t request; /* slot in the store: the request of all, as variant_write leaves it; INDEX_NONE at the end */
  uint32_t message; /* slot of the newest state, without token; INDEX_NONE: none, or an end in request's */
  uint32_t next, previous; /* ring of those with the same path */
  uint32_t behind, before; /* ring of those to be made, or to be sent */
  uint32_t cursor;         /* the observer to visit next */
  uint32_t unvisited;      /* how many from there on */
  uint32_t count;          /* observers */
  uint32_t state;          /* number of the newest state */
  uint32_t number;         /* of its Observe option */
  uint32_t visit;          /* number of the visit to all of them */
  uint32_t format;         /* Content-Format of the first reply, which stays; or OBSERVED_FORMAT_OPEN */
  uint16_t request_size, message_size;
  uint8_t token_size_max; /* of its observers so far */
  uint8_t end_code;       /* of a last notification that no handler makes */
  uint8_t flags;
  bool unsent; /* somebody could not be sent the newest state: they are all visited again */
};

enum observer_flags {
  OBSERVER_UNCONFIRMED = 1, /* the last notification was non-confirmable */
  OBSERVER_TIMED = 2,       /* its timer is set: the time by which a confirmable one is owed */
  OBSERVER_ASKED = 4,       /* a notification was too large for its address, which is to be verified */
  OBSERVER_USED = 8
};

/* One observation: a client and a token. RFC 7641 4.1: "The entry in the list of observers is keyed by the client
 * endpoint and the token specified by the client in the request." */
struct observer {
  struct timer timer;
  uint32_t next, previous; /* ring of its variant */
  uint32_t peer;
  uint32_t observed;
  uint32_t exchange;  /* the notification under way, or INDEX_NONE */
  uint32_t sent;      /* number of the state that it was sent last */
  uint32_t visited;   /* number of its last visit */
  uint32_t number;    /* of the Observe option that it was sent last */
  uint32_t confirmed; /* coarse: when it was sent its last confirmable notification, or registered */
  uint8_t token[OBSERVER_TOKEN_MAX];
  uint8_t token_size;
  uint8_t flags;
};

struct observers {
  struct observed *observed;
  struct observer *records;
  uint8_t *room;      /* where requests are brought into their common form, and notifications are made */
  uint8_t *path_room; /* where paths become options */
  struct slab observed_slab, slab;
  struct table paths;    /* the first variant of each path, by the path */
  struct table variants; /* by request and format */
  struct table index;    /* observers by peer */
  struct timer_queue timers;
  struct hash_key key;
  uint64_t number; /* of the last Observe option */
  copal_time retry_at;
  size_t kept_size;    /* bytes of the store that variants take */
  uint32_t make, send; /* the rings' first */
  uint32_t to_make;    /* how many are to be made, */
  uint32_t makes;      /* and how many of them this output makes: what a handler brings about waits for the next */
  uint32_t making;     /* the variant whose handler is being called, or INDEX_NONE */
  uint32_t peers, peers_max;
  uint32_t peer_observers_max;
  uint32_t sweep; /* where the search for one that may go stands */
  bool blocked;   /* no room for another notification, till one is over or retry_at comes */
  bool unsent;    /* some variant is */
};

void observers_init(struct observers *observers, struct layout *layout, const copal_config *config, struct hash_key key,
                    copal_time now);

/* --- Observers: observers.c ------------------------------------------------------------------- */

/* The entry of that client and token, or INDEX_NONE. */
uint32_t observers_find(const struct observers *observers, uint32_t peer, copal_bytes token);

/* A client that wants to observe, and has just been answered with the newest state. */
struct registration {
  uint32_t peer;
  copal_bytes token; /* at most OBSERVER_TOKEN_MAX bytes */
  const copal_view *request;
  uint32_t format; /* Content-Format of the answer */
  copal_time confirm_every;
};

/* A new entry; its client and token have none. INDEX_NONE when there is no room. */
uint32_t observers_take(struct observers *observers, struct engine *engine, const struct registration *registration);

/* An entry of an address that is not verified, in whose place a registration may be that found no room; or INDEX_NONE.
 * The search is short and goes on where the last one stood. */
uint32_t observers_spare(struct observers *observers, const struct engine *engine);

/* Whether a client has as many entries as it may have. */
bool observers_have_share(const struct observers *observers, uint32_t peer);

/* Takes an entry off the list, and its variant where it was the last one. Its exchange is the caller's matter. */
void observers_give(struct observers *observers, struct engine *engine, uint32_t index);

/* The value of the next Observe option. */
uint32_t observers_number(struct observers *observers, copal_time now);

/* The next observer to visit of the variant of that index; INDEX_NONE when all have been. */
uint32_t observers_next(struct observers *observers, uint32_t index);

/* An observer is visited once more, before the others: it was not free, or it is owed a confirmation. */
void observers_again(struct observers *observers, uint32_t index);

/* Whether an observer that is to confirm every so often is owed a confirmable notification by now. */
bool observer_is_due(const struct observer *observer, copal_time every, copal_time now);

/* Notes that a confirmable notification was sent; or one that is not, and is to be followed by one in time. */
void observer_note_con(struct observers *observers, uint32_t index, copal_time now);
void observer_note_non(struct observers *observers, uint32_t index, copal_time every, copal_time now);

/* --- Observed resources: observed.c ----------------------------------------------------------- */

/* The variant of a registration, made if it is new; INDEX_NONE when there is no room. */
uint32_t observed_reach(struct observers *observers, struct engine *engine, const struct registration *registration);

/* Lets go of a variant that has no observers. */
void observed_give(struct observers *observers, struct engine *engine, uint32_t index);

/* Notes that the resource at a path, given as a hash, has changed. Returns how many observers it has. */
size_t observed_change(struct observers *observers, uint64_t path);

/* Notes that the observations of a path end with that code. Returns how many there were. */
size_t observed_end(struct observers *observers, uint64_t path, uint8_t code);

/* A variant is to be made, again or at last. */
void observed_make_later(struct observers *observers, uint32_t index);

/* Nobody finds a variant any more: what is made next is its last message. */
void observed_detach(struct observers *observers, uint32_t index);

/* Whether a variant may keep a message of that size, where there is room: all of them have half of the store, and
 * what is on its way to observers the rest. */
bool observed_may_keep(const struct observers *observers, const struct engine *engine, uint32_t index, size_t size);

/* Makes a message the newest state, to be sent to all observers. False when there is no room for it. */
bool observed_keep(struct observers *observers, struct engine *engine, uint32_t index, copal_bytes message);

/* Makes a bare code the last message of a variant that nobody finds any more, in the room that its request had. */
void observed_keep_end(struct observers *observers, struct engine *engine, uint32_t index);

/* Puts a message in the place of the newest state's, which says the same. False when there is no room for it. */
bool observed_rewrite(struct observers *observers, struct engine *engine, uint32_t index, copal_bytes message);

/* All observers of a variant are visited, from the cursor on. */
void observed_visit(struct observers *observers, uint32_t index);

/* A variant's observers are visited, from where that stands. */
void observed_send_on(struct observers *observers, uint32_t index);

/* A variant leaves the ring that it is in, if any. */
void observed_rest(struct observers *observers, uint32_t index);

/* The rings go on by one, so that no variant waits for all observers of another. */
void observed_turn(struct observers *observers);

static inline copal_bytes observed_message(const struct engine *engine, const struct observed *observed) {
  uint32_t slot = observed->message != INDEX_NONE ? observed->message : observed->request;
  copal_bytes message = {store_bytes(&engine->exchanges.store, slot), observed->message_size};
  return message;
}

#endif
