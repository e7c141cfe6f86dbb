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
#include "copal/rest.h"

enum transfer_kind {
  TRANSFER_UPLOAD, /* a request's body: gathered, or handed on in parts */
  TRANSFER_KEPT,   /* a reply's head and body */
  TRANSFER_KINDS
};

/* Whose transfer it is, and of what: hashes of the peer's path and of the request's options. */
struct transfer_key {
  uint64_t identity;
  uint64_t options; /* all that make a request what it is, its Request-Tags included */
};

struct transfer {
  uint32_t newer, older; /* of the same kind, by last use */
  struct transfer_key key;
  copal_abandon *abandon; /* of an upload in parts that has not ended well; or NULL */
  void *context, *state;  /* for it */
  uint32_t slot;          /* in the store of bodies, or INDEX_NONE */
  uint32_t capacity;      /* of the slot */
  uint32_t size;          /* bytes so far */
  uint32_t head_size;     /* of a kept reply: the message before its body */
  uint32_t touched;       /* coarse time */
  uint8_t kind;           /* enum transfer_kind */
  bool attached;
  bool none_match; /* an upload that began with If-None-Match, which later blocks do not repeat */
};

struct transfers {
  struct transfer *records;
  struct slab slab;
  struct store store;
  struct table index; /* by identity, so that a walk is over one peer's transfers */
  uint32_t newest[TRANSFER_KINDS], oldest[TRANSFER_KINDS];
  uint32_t body_size_max;
  uint32_t peer_max;
  copal_time lifetime;
  copal_counters *counters;
};

void transfers_init(struct transfers *transfers, struct layout *layout, const copal_config *config, copal_time lifetime,
                    copal_counters *counters);

/* The transfer of that kind and key, or INDEX_NONE. */
uint32_t transfers_find(const struct transfers *transfers, enum transfer_kind kind, const struct transfer_key *key);

/* A new transfer, without bytes; one of the same kind and key is dropped. When its peer has its share, the peer's
 * oldest makes room; when all are taken, the oldest reply that is kept. INDEX_NONE when there is none: uploads stay. */
uint32_t transfers_begin(struct transfers *transfers, enum transfer_kind kind, const struct transfer_key *key,
                         copal_time now);

/* Appends bytes, for which kept replies make room. COPAL_ERR_BODY_SIZE: above body_size_max. COPAL_ERR_MEMORY. */
copal_error transfer_append(struct transfers *transfers, uint32_t index, const void *data, size_t size);

/* Notes that a transfer goes on. */
void transfer_touch(struct transfers *transfers, uint32_t index, copal_time now);

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
