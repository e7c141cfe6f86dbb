/* Replies that wait for the next output, in order: what answers a datagram goes back along its path, without a peer's
 * record having to be found again. */
#ifndef COPAL_ENDPOINT_OUTBOX_H
#define COPAL_ENDPOINT_OUTBOX_H

#include "endpoint/paths.h"
#include "engine/replies.h"
#include "message/header.h"

struct outbox_item {
  struct path path;
  struct reply *reply;        /* whose bytes are to go, or NULL: */
  uint8_t empty[HEADER_SIZE]; /* an ACK or a Reset */
};

/* A ring: items from tail to next were given out, those from next to head wait. */
struct outbox {
  struct outbox_item *items;
  uint32_t capacity;
  uint32_t tail, given, waiting; /* position, and the counts behind it */
};

void outbox_init(struct outbox *outbox, struct layout *layout, uint32_t capacity);

static inline bool outbox_is_full(const struct outbox *outbox) {
  return outbox->given + outbox->waiting == outbox->capacity;
}

/* False when the outbox is full. */
bool outbox_push_reply(struct outbox *outbox, const struct path *path, struct reply *reply);
bool outbox_push_empty(struct outbox *outbox, const struct path *path, copal_type type, uint16_t mid);

/* Lets go of what was given out before. */
void outbox_release(struct outbox *outbox);

/* Gives out the next item's datagram; false when none waits. */
bool outbox_pop(struct outbox *outbox, copal_datagram *datagram);

#endif
