/* See outbox.h. A reply stays pinned where it is kept from the push until the endpoint is called after the output that
 * gave it out. */
#include "endpoint/outbox.h"

void outbox_init(struct outbox *outbox, struct layout *layout, uint32_t capacity) {
  outbox->items = (struct outbox_item *)layout_take(layout, capacity, sizeof(struct outbox_item));
  outbox->capacity = capacity;
  outbox->tail = outbox->given = outbox->waiting = 0;
}

static struct outbox_item *item_at(const struct outbox *outbox, uint32_t count) {
  uint32_t position = outbox->tail + count;
  return &outbox->items[position < outbox->capacity ? position : position - outbox->capacity];
}

static struct outbox_item *push(struct outbox *outbox, const struct path *path) {
  if (outbox_is_full(outbox)) return NULL;
  struct outbox_item *item = item_at(outbox, outbox->given + outbox->waiting++);
  item->path = *path;
  item->reply = NULL;
  return item;
}

bool outbox_push_reply(struct outbox *outbox, const struct path *path, struct reply *reply) {
  if (reply->pins == UINT8_MAX) return false;
  struct outbox_item *item = push(outbox, path);
  if (item == NULL) return false;
  item->reply = reply;
  ++reply->pins;
  return true;
}

bool outbox_push_empty(struct outbox *outbox, const struct path *path, copal_type type, uint16_t mid) {
  struct outbox_item *item = push(outbox, path);
  if (item == NULL) return false;
  header_empty(item->empty, (uint8_t)type, mid);
  return true;
}

void outbox_release(struct outbox *outbox) {
  for (; outbox->given > 0; --outbox->given) {
    struct reply *reply = outbox->items[outbox->tail].reply;
    if (reply != NULL) --reply->pins;
    outbox->tail = outbox->tail + 1 == outbox->capacity ? 0 : outbox->tail + 1;
  }
}

bool outbox_pop(struct outbox *outbox, copal_datagram *datagram) {
  if (outbox->waiting == 0) return false;
  struct outbox_item *item = item_at(outbox, outbox->given);
  ++outbox->given;
  --outbox->waiting;
  datagram->data = item->reply != NULL ? reply_bytes(item->reply) : item->empty;
  datagram->size = item->reply != NULL ? item->reply->size : HEADER_SIZE;
  path_unpack(&item->path, &datagram->path);
  return true;
}
