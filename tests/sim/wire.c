/* See wire.h. */
#include "sim/wire.h"

#include <string.h>

static struct track *find_track(struct wire *wire, uint8_t client, copal_bytes token) {
  for (size_t i = 0; i < wire->count; ++i) {
    struct track *track = &wire->tracks[i];
    if (track->client == client && track->token_size == token.size && memcmp(track->token, token.data, token.size) == 0)
      return track;
  }
  return NULL;
}

static uint32_t format_of(const copal_view *view) {
  return copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
}

/* RFC 7641 4.5.1: the next notification waits for the end of the one before. With the same parameters it may take the
 * place of one that is to be transmitted again: 4.5.2. */
static void note_notification(struct wire *wire, uint8_t client, const copal_view *view, copal_time now) {
  struct track *track = find_track(wire, client, view->token);
  CHECK(wire->world, track != NULL);
  /* RFC 7641 4.2: "The Content-Format specified in a 2.xx notification MUST be the same as the one used in the initial
   * response to the GET request." */
  CHECK(wire->world, format_of(view) == track->format);
  if (track->outstanding && track->mid != view->message_id) {
    copal_time least = track->con ? 2 * COPAL_SECOND : 3 * COPAL_SECOND;
    CHECK(wire->world, now - track->at >= least);
  }
  track->at = now;
  track->mid = view->message_id;
  track->con = view->type == COPAL_CON;
  track->outstanding = true;
}

/* An answer to a registration. One that is only repeated has an older number: they follow the time. */
static void note_registered(struct wire *wire, uint8_t client, const copal_view *view, copal_time now) {
  enum { UNIT = 1 << 16, LATE_MAX = 1 << 10, MASK = (1 << 24) - 1 };
  struct track *track = find_track(wire, client, view->token);
  uint32_t number = copal_find_uint(view, COPAL_OPTION_OBSERVE, 0);
  uint32_t late = ((uint32_t)(now / UNIT) - number) & MASK;
  if (track == NULL) {
    CHECK(wire->world, wire->count < TRACKS_MAX && view->token.size <= sizeof track->token);
    track = &wire->tracks[wire->count++];
    *track = (struct track){.client = client, .token_size = (uint8_t)view->token.size};
    memcpy(track->token, view->token.data, view->token.size);
  }
  if (late < LATE_MAX || late > MASK / 2) track->format = format_of(view);
}

void wire_watch(struct node *node, copal_time now, const copal_datagram *datagram, bool outward, void *context) {
  struct wire *wire = (struct wire *)context;
  uint8_t client = datagram->path.remote.bytes[15];
  copal_view view;
  copal_option option;
  (void)node;
  CHECK(wire->world, copal_decode(datagram->data, datagram->size, &view) == COPAL_OK);
  bool observe = copal_find(&view, COPAL_OPTION_OBSERVE, &option);
  if (outward) {
    if (observe && view.type <= COPAL_NON) note_notification(wire, client, &view, now);
    if (observe && view.type == COPAL_ACK) note_registered(wire, client, &view, now);
    return;
  }
  if (copal_code_is_request(view.code) && observe) {
    struct track *track = find_track(wire, client, view.token);
    if (track != NULL) track->outstanding = false;
  }
  for (size_t i = 0; i < wire->count && view.type >= COPAL_ACK; ++i)
    if (wire->tracks[i].client == client && wire->tracks[i].mid == view.message_id) wire->tracks[i].outstanding = false;
}
