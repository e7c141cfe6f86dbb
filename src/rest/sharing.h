/* Observations of one resource share a registration. Who observes it first holds that; others who ask the same of the
 * same server join him, and are told what he is told, in the order in which they came. They stand in a ring, of which
 * the holder is the first; when he leaves, the next one holds the registration. Must not know exchanges, but for their
 * handles. RFC 7641 section 3.1. */
#ifndef COPAL_REST_SHARING_H
#define COPAL_REST_SHARING_H

#include "rest/operations.h"

/* A walk over the observations that ask the same as a new one and have a registration; where is a hash of whom it asks,
 * and whether they ask him is to be looked at. A body that is read is compared by reading. */
struct table_walk sharing_walk(struct operations *operations, struct operation *operation, uint32_t where);
struct operation *sharing_next(struct operations *operations, const struct operation *operation,
                               struct table_walk *walk);

/* A new observation has a registration, to be joined from now on; or joins that of another. After a walk. */
void sharing_open(struct operations *operations, struct operation *operation);
void sharing_join(struct operations *operations, struct operation *operation, struct operation *holder);

/* Who shares a registration with an operation, one after the other; after the last one comes the first. */
static inline struct operation *sharing_beside(const struct operations *operations, const struct operation *operation) {
  return &operations->records[operation->next];
}

/* Who is to hold the registration when an operation leaves, or NULL: it holds none, or nobody else is there. */
struct operation *sharing_heir(const struct operations *operations, const struct operation *operation);

/* The heir holds the registration from now on, with all that the server knows of it: whom it asks, the request, the
 * token, and while it is under way, the exchange, which takes the place of what the heir has under way. */
void sharing_pass_on(struct operations *operations, struct operation *holder, struct operation *heir);

/* An operation is to be told nothing more by others, nor they by it. */
void sharing_leave(struct operations *operations, struct operation *operation);

/* A round of all who share a holder's registration now; where it ends, nobody joins it any more. */
void sharing_begin_round(struct operations *operations, struct operation *holder, bool ends);

/* Takes the next one of the round, or NULL; of a registration that ends, it stands alone then. Between two of them, any
 * may leave, be given back and join. */
struct operation *sharing_take(struct operations *operations);

#endif
