/* What an endpoint sends, receives and decides, as it happens: counted for complaints, shown under --verbose, and
 * recorded under --pcap. */
#ifndef COPAL_CLI_SHOW_TRACE_H
#define COPAL_CLI_SHOW_TRACE_H

#include "cli/capture/record.h"
#include "cli/line/settings.h"
#include "copal/net.h"

enum { TRACE_SEEN_MAX = 64 };

/* A confirmable message that went out, to tell when it goes out again. */
struct trace_seen {
  uint64_t hash; /* of its bytes and destination; 0: free */
  unsigned retransmissions;
};

struct trace {
  const copal_endpoint *endpoint; /* for addresses as text; NULL until it is open */
  struct record *record;          /* NULL: nothing is recorded */
  copal_time begin;               /* what times are shown relative to */
  uint32_t level;                 /* 0: nothing is shown; 1: messages; 2: their bytes, too */
  uint32_t retransmit;            /* how often a message goes out again at most */
  size_t columns;                 /* that a line may have; 0: any number */

  /* since trace_restart */
  copal_time first_sent; /* COPAL_NEVER: nothing was sent yet */
  uint64_t body_size;    /* of a response's body, as a Size2 option announced it; 0: none did */

  /* of the latest message sent, which of a body in blocks is only a part of it */
  copal_time latest_sent; /* for the first time */
  uint16_t latest_id;     /* its message ID */
  unsigned transmissions;
  bool acknowledged; /* an empty ACK came */

  copal_counters counters;     /* what they were when a decision was told last */
  copal_view received;         /* the message that came last, without what it borrows, */
  bool is_received, is_decent; /* whose decision is not told yet, and whether it decodes */

  struct trace_seen seen[TRACE_SEEN_MAX];
  unsigned seen_next;
};

/* As the settings say: --verbose, --quiet, --retransmit. */
void trace_begin(struct trace *trace, const struct settings *settings);

/* Counts anew: another exchange begins. */
void trace_restart(struct trace *trace);

/* Tells what is decided already. A handler that is about to print calls it: so what came, what was decided of it and
 * what is printed about it stand in this order. */
void trace_settle(struct trace *trace);

/* A copal_trace_function; context is the struct trace. */
void trace_datagram(const copal_trace *event, void *context);

#endif
