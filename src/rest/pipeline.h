/* Blocks of a response that are asked for before those in front of them have come, and what has come of them: it waits
 * in the store for its turn. How many there are is learned from what comes, as with TCP's slow start. Pure: exchanges
 * are known by their handles alone. RFC 7959 section 1, 7252 4.7. */
#ifndef COPAL_REST_PIPELINE_H
#define COPAL_REST_PIPELINE_H

#include "rest/operations.h"

/* How many blocks of a GET's response may be asked for ahead, where the application wants so many, and NSTART of the
 * peer's requests may be under way. */
uint8_t pipeline_most(const struct operation *operation, uint8_t wanted, uint8_t nstart);

/* Whether one more is to be asked for now; and a note that it was. */
bool pipeline_has_room(const struct operation *operation);
void pipeline_add(struct operation *operation, copal_tx exchange);

/* The place of the block that an exchange asks for: 0 is that of the next one. PIPELINE_MAX: there is none. */
uint8_t pipeline_find(struct pipeline *pipeline, copal_tx exchange);

/* Whether what was asked for ahead is still what comes next. */
bool pipeline_fits(const struct operation *operation);

/* What is known of an exchange besides its response. */
struct account {
  copal_time asked; /* when it was transmitted first */
  uint8_t transmissions;
  bool acknowledged; /* by an empty ACK */
};

/* Notes how many transmissions an exchange of the transfer took. */
void pipeline_learn(struct pipeline *pipeline, uint8_t transmissions);

/* Has none asked for ahead from now on. */
void pipeline_end(struct pipeline *pipeline);

/* Keeps a block that has come out of turn. False: there is no room for it. */
bool pipeline_keep(struct operations *operations, struct operation *operation, uint8_t place, const copal_rx *rx,
                   const struct account *account);

/* Reads what was kept in a slot of the store, which rx then points into. What is the same with every block of a
 * transfer is left as it is. */
void pipeline_read(const struct operations *operations, uint32_t slot, copal_rx *rx, struct account *account);

/* Takes the first one out, or the last. There is one. */
struct pipelined pipeline_shift(struct pipeline *pipeline);
struct pipelined pipeline_drop(struct pipeline *pipeline);

static inline struct pipelined *pipeline_at(struct pipeline *pipeline, uint8_t place) {
  return &pipeline->blocks[(pipeline->first + place) % PIPELINE_MAX];
}

#endif
