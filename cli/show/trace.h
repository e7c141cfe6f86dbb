/* What an endpoint sends and receives, as it happens: counted for complaints, and shown under --verbose. */
#ifndef COPAL_CLI_SHOW_TRACE_H
#define COPAL_CLI_SHOW_TRACE_H

#include "copal/net.h"

enum { TRACE_SEEN_MAX = 64 };

/* A confirmable message that went out, to tell when it goes out again. */
struct trace_seen {
  uint64_t hash; /* of its bytes and destination; 0: free */
  unsigned retransmissions;
};

struct trace {
  const copal_endpoint *endpoint; /* for addresses as text; NULL until it is open */
  copal_time begin;               /* what times are shown relative to */
  bool verbose;

  /* since trace_restart */
  copal_time first_sent; /* COPAL_NEVER: nothing was sent yet */
  uint64_t body_size;    /* of a response's body, as a Size2 option announced it; 0: none did */

  /* of the latest message sent, which of a body in blocks is only a part of it */
  copal_time latest_sent; /* for the first time */
  uint16_t latest_id;     /* its message ID */
  unsigned transmissions;
  bool acknowledged; /* an empty ACK came */

  struct trace_seen seen[TRACE_SEEN_MAX];
  unsigned seen_next;
};

void trace_begin(struct trace *trace, bool verbose);

/* Counts anew: another exchange begins. */
void trace_restart(struct trace *trace);

/* A copal_trace_function; context is the struct trace. */
void trace_datagram(const copal_trace *event, void *context);

#endif
