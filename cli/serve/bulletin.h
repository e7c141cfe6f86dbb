/* That something has changed, told to all threads that have observers of it: each finds it out in its next pass. */
#ifndef COPAL_CLI_SERVE_BULLETIN_H
#define COPAL_CLI_SERVE_BULLETIN_H

#include <pthread.h>
#include <stdatomic.h>

#include "copal/net.h"

enum { BULLETIN_READERS_MAX = 64 };

/* Begin with BULLETIN_INITIAL. */
struct bulletin {
  atomic_uint issue; /* how often something was posted */
  pthread_mutex_t lock;
  struct bulletin_reader *readers[BULLETIN_READERS_MAX];
  size_t count;
};

#define BULLETIN_INITIAL \
  { .lock = PTHREAD_MUTEX_INITIALIZER }

/* One thread. All zero has read nothing, of nothing. */
struct bulletin_reader {
  copal_endpoint *endpoint; /* which is woken when somebody else posts */
  unsigned issue;           /* the latest that it read */
};

/* The endpoint must not be closed while others may post. */
void bulletin_subscribe(struct bulletin *bulletin, struct bulletin_reader *reader, copal_endpoint *endpoint);

/* Tells the others: who posts knows. */
void bulletin_post(struct bulletin *bulletin, struct bulletin_reader *reader);

/* Whether somebody else has posted since the reader read last. */
bool bulletin_read(struct bulletin *bulletin, struct bulletin_reader *reader);

#endif
