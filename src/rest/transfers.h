/* Bodies that come or go in blocks over several exchanges: what has come of an upload, and what is kept of a reply
 * whose blocks are still asked for. Bounded in number, in bytes and for each peer; what nobody asks for any more goes
 * after EXCHANGE_LIFETIME. Knows blocks' order and bytes, not messages. RFC 7959 sections 2.4, 2.5; RFC 9175 section 3.
 */
#ifndef COPAL_REST_TRANSFERS_H
#define COPAL_REST_TRANSFERS_H

#include <stdbool.h>

#include "base/slab.h"
#include "base/store.h"
#include "base/table.h"
#include "base/timer.h"
#include "copal/rest.h"
#include "engine/peers.h"
#include "rest/gaps.h"
#include "rest/qblock.h"

enum transfer_kind {
  TRANSFER_UPLOAD,   /* a request's body: gathered, or handed on in parts */
  TRANSFER_GATHERED, /* the same, of blocks that may come in any order */
  TRANSFER_KEPT,     /* a reply's head and body */
  TRANSFER_KINDS
};

/* Transfers by last use. */
struct transfer_list {
  uint32_t newest, oldest;
};

/* A request's body of Q-Block1 blocks. */
struct gathering {
  struct gaps gaps;
  uint32_t total;        /* bytes, by Size1 */
  uint32_t told;         /* gaps before this block have been told */
  uint32_t dropped;      /* blocks that came too early were before this one */
  uint16_t request_size; /* of the latest block's message */
  uint16_t mid;          /* of the latest message that tells gaps on its own */
  uint8_t szx;
  uint8_t tries; /* times that gaps were told since the latest block */
  uint8_t token_size;
  uint8_t token[QBLOCK_TOKEN_MAX]; /* of the latest block */
  bool can_tell;                   /* its token is kept */
  bool whole;                      /* its request has been handled, and the answer is owed */
};

/* A token under which blocks go out. */
struct burst_token {
  uint8_t bytes[QBLOCK_TOKEN_MAX];
  uint8_t size;
};

/* Blocks of a kept reply on their way out. */
struct burst {
  copal_time resume_at;         /* when the next set may go */
  copal_time gap;               /* between sets */
  uint32_t next, end;           /* of the run of sets */
  uint32_t again[QBLOCK_SET];   /* blocks that were asked for one by one */
  struct burst_token run_token; /* unless it is the kept head's */
  struct burst_token again_token;
  uint8_t again_count, again_at;
  uint8_t szx;
  uint8_t tries;                /* to have the address verified */
  uint16_t first_mid, last_mid; /* of the latest messages */
  bool con;                     /* the request was */
  bool runs;
  bool whole; /* the run is for the request that the head answers */
};

/* Whose transfer it is, and of what: hashes of the peer's path and of the request's options. */
struct transfer_key {
  uint64_t identity;
  uint64_t options; /* all that make a request what it is, its Request-Tags included */
};

struct transfer {
  struct timer timer;
  uint32_t newer, older; /* in its list */
  struct transfer_key key;
  copal_abandon *abandon; /* of an upload in parts that has not ended well; or NULL */
  void *context, *state;  /* for it */
  uint32_t slot;          /* in the store of bodies, or INDEX_NONE */
  uint32_t capacity;      /* of the slot */
  uint32_t size;          /* bytes so far */
  uint32_t head_size;     /* of a kept reply: the message before its body */
  uint32_t touched;       /* coarse time */
  uint32_t peer;          /* to whom something is to be sent when the timer is due, and held; or INDEX_NONE */
  union {
    struct gathering in;
    struct burst out;
  } as;
  uint8_t kind; /* enum transfer_kind */
  bool attached;
  bool verified;   /* the peer was known to be where its address says, at some time */
  bool timed;      /* the timer is set */
  bool none_match; /* an upload that began with If-None-Match, which later blocks do not repeat */
};

struct transfers {
  struct transfer *records;
  struct slab slab;
  struct store store;
  struct table index; /* by identity, so that a walk is over one peer's transfers */
  struct timer_queue timers;
  struct peers *peers;
  struct transfer_list lists[TRANSFER_KINDS][2]; /* of peers that were not verified, and of those that were */
  uint32_t body_size_max;
  uint32_t peer_max;
  copal_time lifetime;
  copal_counters *counters;
};

void transfers_init(struct transfers *transfers, struct layout *layout, const copal_config *config, copal_time lifetime,
                    copal_time now, struct peers *peers, copal_counters *counters);

/* The transfer of that kind and key, or INDEX_NONE. */
uint32_t transfers_find(const struct transfers *transfers, enum transfer_kind kind, const struct transfer_key *key);

/* Whether any reply is kept. */
static inline bool transfers_have_kept(const struct transfers *transfers) {
  const struct transfer_list *lists = transfers->lists[TRANSFER_KEPT];
  return lists[0].oldest != INDEX_NONE || lists[1].oldest != INDEX_NONE;
}

/* A walk over the transfers of a peer. */
static inline struct table_walk transfers_walk(uint64_t identity) { return table_walk((uint32_t)identity); }
uint32_t transfers_next_of(const struct transfers *transfers, uint64_t identity, struct table_walk *walk);

/* A new transfer, without bytes; one of the same kind and key is dropped. When its peer has its share, the peer's
 * oldest makes room; when all are taken, another one does: decision 0016. INDEX_NONE when none may be pushed out. */
uint32_t transfers_begin(struct transfers *transfers, enum transfer_kind kind, const struct transfer_key *key,
                         bool verified, copal_time now);

/* Appends bytes, for which others make room likewise. COPAL_ERR_BODY_SIZE: above body_size_max. COPAL_ERR_MEMORY. */
copal_error transfer_append(struct transfers *transfers, uint32_t index, const void *data, size_t size);

/* Writes bytes at a place of a body, of which nothing need be known before it. Errors as transfer_append. */
copal_error transfer_put(struct transfers *transfers, uint32_t index, uint32_t offset, const void *data, size_t size);

/* Frees a transfer's bytes; it stays. */
void transfer_empty(struct transfers *transfers, uint32_t index);

/* Has something sent to a peer at that time, instead of whenever it was to be; and no more. */
void transfer_schedule(struct transfers *transfers, uint32_t index, uint32_t peer, copal_time deadline);
void transfer_rest(struct transfers *transfers, uint32_t index);

/* Takes a transfer that is to send something by now, or INDEX_NONE. Its peer is held until transfer_rest all the same.
 */
uint32_t transfers_take_due(struct transfers *transfers, copal_time now);

/* Notes that a transfer goes on, and whether its peer is verified by now. */
void transfer_touch(struct transfers *transfers, uint32_t index, bool verified, copal_time now);

/* Takes a transfer out of everybody's sight while its bytes are in use, so that it cannot make room; and back. */
void transfer_detach(struct transfers *transfers, uint32_t index);
void transfer_attach(struct transfers *transfers, uint32_t index);

/* Ends a transfer that has its last byte: its memory is free. */
void transfer_end(struct transfers *transfers, uint32_t index);

/* Ends one that has not: an application that takes parts is told. */
void transfer_drop(struct transfers *transfers, uint32_t index);

/* Drops what has outlived its time. */
void transfers_expire(struct transfers *transfers, copal_time now);

/* When that is to be done next; COPAL_NEVER when there is nothing. */
copal_time transfers_next_expiry(const struct transfers *transfers, copal_time now);

static inline uint8_t *transfer_bytes(const struct transfers *transfers, const struct transfer *transfer) {
  return store_bytes(&transfers->store, transfer->slot);
}

#endif
