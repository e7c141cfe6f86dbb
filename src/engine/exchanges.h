/* Messages of ours that somebody may still answer: one record each, found by peer and message ID, or by peer and token.
 * A token that is made here says which record it is of; others have an index. What happens to them is in transmit.c and
 * receive.c. RFC 7252 sections 4.2 to 4.4. */
#ifndef COPAL_ENGINE_EXCHANGES_H
#define COPAL_ENGINE_EXCHANGES_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/slab.h"
#include "base/store.h"
#include "base/table.h"
#include "base/timer.h"
#include "copal/copal.h"

enum exchange_state {
  EXCHANGE_FREE,
  EXCHANGE_QUEUED,         /* another one has the turn (NSTART); the timer, if any, is its expiry */
  EXCHANGE_READY,          /* has its turn; the timer is its first transmission */
  EXCHANGE_WAITING,        /* CON: the timer is the next retransmission */
  EXCHANGE_LAST_WAIT,      /* CON: none is left; the timer is the end of the wait for an answer */
  EXCHANGE_SENT,           /* NON: the timer is the end of the one interval in which an answer is awaited */
  EXCHANGE_EXPECTING,      /* a call whose message got through: the timer is its expiry */
  EXCHANGE_OBSERVING,      /* a call that was answered, and whose token is answered again: the timer is its expiry */
  EXCHANGE_ANSWERED,       /* over; raw endpoints keep the record: the timer is the end of its lifetime */
  EXCHANGE_UNACKNOWLEDGED, /* the same, given up */
  EXCHANGE_UNREACHED,      /* the same, after an ICMP or local error */
  EXCHANGE_REJECTED        /* the same, with a response that could not be accepted */
};

enum exchange_flags {
  EXCHANGE_CON = 1,
  EXCHANGE_REQUEST = 2,
  EXCHANGE_MULTICAST = 4,
  EXCHANGE_CALL = 8,       /* somebody is called with its end, and then it is forgotten */
  EXCHANGE_RESPONDED = 16, /* the response to this request has come, or none is to */
  EXCHANGE_RST = 32,       /* the first reply was a Reset */
  EXCHANGE_RECORD = 64,    /* the application has its copal_tx: keep it for its lifetime */
  EXCHANGE_TURN = 128      /* counts as outstanding with its peer */
};

struct exchange {
  struct timer timer;
  union {
    copal_time sent_at; /* first transmission; COPAL_NEVER before */
    struct {
      uint32_t next, previous; /* ring of those queued for a peer */
    } queue;
  } as;
  copal_time event_at; /* last transmission or reply */
  union {
    copal_time expires_at; /* a call's end, whatever comes */
    uint32_t receptions;   /* a record's replies that are kept, or INDEX_NONE */
  } of;
  uint32_t peer;
  uint32_t generation;
  uint32_t message; /* slot in the store */
  uint32_t timeout_us;
  uint16_t size;
  uint16_t mid;
  uint8_t state;
  uint8_t flags;
  uint8_t transmissions;
  uint8_t replies; /* ACKs and RSTs that came, at most 255 */
};

/* An ACK or RST kept with the record that it answers. */
struct reception {
  uint32_t next;    /* of the same exchange */
  uint32_t message; /* slot in the store */
  copal_time time;
  uint32_t size;
};

struct exchanges {
  struct exchange *records;
  struct reception *receptions;
  struct slab reception_slab;
  struct slab slab;
  struct store store;
  struct table mids;   /* by peer and message ID */
  struct table tokens; /* by peer and token: requests whose token does not name their record */
  struct timer_queue timers;
  uint32_t retired;     /* forgotten since the last output, whose bytes it may have given out: a list through timers */
  copal_time output_at; /* when that was; COPAL_NEVER: nothing of it is read any more */
  struct hash_key key;
  uint32_t mask; /* hides in tokens which record they name */
};

/* Bytes of a token that is made here. */
enum { EXCHANGE_TOKEN_SIZE = 8 };

void exchanges_init(struct exchanges *exchanges, struct layout *layout, const copal_config *config, struct hash_key key,
                    copal_time now);

static inline struct exchange *exchange_at(const struct exchanges *exchanges, uint32_t index) {
  return &exchanges->records[index];
}

static inline uint8_t *exchange_bytes(const struct exchanges *exchanges, const struct exchange *exchange) {
  return store_bytes(&exchanges->store, exchange->message);
}

/* A record with a copy of an encoded message, mid and token stamped into it. token size 0 leaves the message's own.
 * COPAL_ERR_EXCHANGES_FULL, COPAL_ERR_MESSAGES_FULL. */
copal_error exchange_take(struct exchanges *exchanges, uint32_t peer, copal_bytes message, uint16_t mid,
                          copal_bytes token, uint8_t flags, uint32_t *index);

/* Writes a token that names the record which the next exchange_take gives, for a request to peer (INDEX_NONE: to a
 * group); nobody else's is the same. */
void exchange_next_token(const struct exchanges *exchanges, uint32_t peer, struct random *random,
                         uint8_t token[EXCHANGE_TOKEN_SIZE]);

/* Gives a record another message, with its token and that message ID, from the next transmission on.
 * COPAL_ERR_MESSAGES_FULL: it has the old one still. */
copal_error exchange_replace(struct exchanges *exchanges, uint32_t index, copal_bytes message, uint16_t mid);

/* Forgets a record whose timer is not set. If its message was among the last to go out, the bytes stay until
 * exchanges_release: another one of the batch may have brought this about while the batch is still being sent. */
void exchange_give(struct exchanges *exchanges, uint32_t index);

/* What was given out before output_at is not read any more. */
void exchanges_release(struct exchanges *exchanges, copal_time output_at);

/* Keeps a reply with a record, behind the earlier ones. False when there is no room. */
bool exchange_keep(struct exchanges *exchanges, uint32_t index, copal_bytes datagram, copal_time time);

/* When a call is to end, whatever comes. */
static inline copal_time exchange_expiry(const struct exchange *exchange) {
  return (exchange->flags & EXCHANGE_CALL) != 0 ? exchange->of.expires_at : COPAL_NEVER;
}

/* The exchange with that peer and message ID, or INDEX_NONE. One that is observing may be older than a message ID
 * lives, and is not found by it. */
uint32_t exchange_by_mid(const struct exchanges *exchanges, uint32_t peer, uint16_t mid);

/* Whether the response to a request may still come. */
static inline bool exchange_awaits_response(const struct exchange *exchange) {
  return (exchange->flags & (EXCHANGE_RESPONDED | EXCHANGE_RST)) == 0 && exchange->state <= EXCHANGE_ANSWERED;
}

/* The request with that peer and token, or INDEX_NONE; rather one that awaits its response than an older record.
 * Requests to groups have peer INDEX_NONE here. */
uint32_t exchange_by_token(const struct exchanges *exchanges, uint32_t peer, copal_bytes token);

/* The record that a token made here names, if it is one, or INDEX_NONE: for who wants to look ahead. */
uint32_t exchange_guess(const struct exchanges *exchanges, copal_bytes token);

/* Has the processor fetch what finds an exchange by its message ID, once there is one. */
void exchange_prefetch_mid(const struct exchanges *exchanges, uint32_t peer, uint16_t mid);

/* Has the processor fetch what the end of an exchange needs besides its record. */
void exchange_prefetch(const struct exchanges *exchanges, uint32_t index);

/* The record that a handle names, or INDEX_NONE when it is gone. */
uint32_t exchange_of(const struct exchanges *exchanges, copal_tx tx);

static inline copal_tx exchange_handle(const struct exchanges *exchanges, uint32_t index) {
  copal_tx tx = {index, exchanges->records[index].generation};
  return tx;
}

#endif
