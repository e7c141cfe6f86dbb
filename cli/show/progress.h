/* How far a long transfer has come, as one line on a terminal that goes away again. */
#ifndef COPAL_CLI_SHOW_PROGRESS_H
#define COPAL_CLI_SHOW_PROGRESS_H

#include "copal/copal.h"

/* What a line tells. */
struct progress_facts {
  const char *verb;   /* "sent", "received" */
  uint64_t done;      /* bytes */
  uint64_t total;     /* bytes; 0 where it is not known */
  copal_time elapsed; /* since the first of them was asked for */
};

/* Writes "received 1.2 MB of 3.0 MB, 40 %, 350 kB/s, 0:05 left [####----]", in at most columns characters: what does
 * not fit is left out from the end. Returns the length; capacity is at least columns + 1. Pure. */
size_t progress_line(const struct progress_facts *facts, size_t columns, char *buffer, size_t capacity);

struct progress {
  const char *verb; /* of what is under way, NULL at first */
  copal_time began; /* when that began */
  copal_time drawn; /* when the line was drawn last */
  size_t width;     /* characters on the terminal now */
  bool wanted;
};

/* wanted false: nothing is ever drawn. now is when the transfer begins. */
void progress_begin(struct progress *progress, bool wanted, copal_time now);

/* Tells how far it is. Another verb begins another line. Drawn only after half a second, and not at every call. */
void progress_update(struct progress *progress, const char *verb, uint64_t done, uint64_t total, copal_time now);

/* Clears the line: before anything else is written, and at the end. It comes back with the next update. */
void progress_clear(struct progress *progress);

#endif
