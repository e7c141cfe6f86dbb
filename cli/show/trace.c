/* What an endpoint sends and receives, as it happens. Knows nothing of requests or resources. */
#include "cli/show/trace.h"

#include <stdio.h>
#include <string.h>

#include "cli/show/terminal.h"

static void count(struct trace *trace, const copal_trace *event, const copal_view *view);
static unsigned retransmissions_of(struct trace *trace, const copal_datagram *datagram);
static uint64_t hash_of(const copal_datagram *datagram);
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);

void trace_begin(struct trace *trace, bool verbose) {
  memset(trace, 0, sizeof *trace);
  trace->begin = copal_now();
  trace->verbose = verbose;
  trace_restart(trace);
}

void trace_restart(struct trace *trace) {
  trace->first_sent = COPAL_NEVER;
  trace->latest_sent = COPAL_NEVER;
  trace->body_size = 0;
  trace->transmissions = 0;
  trace->acknowledged = false;
}

void trace_datagram(const copal_trace *event, void *context) {
  struct trace *trace = context;
  copal_view view = {0};
  copal_error error = copal_decode(event->datagram.data, event->datagram.size, &view);
  if (error == COPAL_OK) count(trace, event, &view);
  if (!trace->verbose) return;

  char peer[COPAL_ADDRESS_TEXT_MAX], line[400];
  copal_address_text(trace->endpoint, &event->datagram.path.remote, peer, sizeof peer);
  copal_time since = event->time > trace->begin ? event->time - trace->begin : 0;
  fprintf(stderr, "%s%10.3f ms %s %s%s  ", terminal_style(stderr, STYLE_FAINT),
          (double)since / (double)COPAL_MILLISECOND, event->outgoing ? "->" : "<-", peer,
          terminal_style(stderr, STYLE_PLAIN));
  if (error != COPAL_OK) {
    copal_bytes bytes = {event->datagram.data, event->datagram.size};
    fprintf(stderr, "malformed: %s, %zu bytes\n", copal_error_text(error), bytes.size);
    terminal_hex(stderr, bytes, "              ");
    return;
  }
  copal_text_line(&view, line, sizeof line);
  copal_bytes text = {(const uint8_t *)line, strlen(line)};
  terminal_text(stderr, text, false);
  unsigned again = event->outgoing && view.type == COPAL_CON ? retransmissions_of(trace, &event->datagram) : 0;
  if (again > 0) {
    fprintf(stderr, "  %sretransmission %u%s", terminal_style(stderr, STYLE_WARNING), again,
            terminal_style(stderr, STYLE_PLAIN));
  }
  fputc('\n', stderr);
}

static void count(struct trace *trace, const copal_trace *event, const copal_view *view) {
  if (!event->outgoing) {
    if (view->type == COPAL_ACK && view->code == COPAL_EMPTY) trace->acknowledged = true;
    /* RFC 7959 4: "In a response carrying a Block2 Option, to indicate the current estimate the server has of the total
     * size of the resource representation, measured in bytes". */
    trace->body_size = copal_find_uint(view, COPAL_OPTION_SIZE2, (uint32_t)trace->body_size);
    return;
  }
  /* ACKs and Resets answer somebody else's message: they are no transmission of ours. */
  if (view->type == COPAL_ACK || view->type == COPAL_RST) return;
  if (trace->first_sent == COPAL_NEVER) trace->first_sent = event->time;
  if (trace->latest_sent == COPAL_NEVER || trace->latest_id != view->message_id) {
    trace->latest_sent = event->time;
    trace->latest_id = view->message_id;
    trace->transmissions = 0;
    trace->acknowledged = false;
  }
  ++trace->transmissions;
}

/* How often this datagram went out before, among the last that did. */
static unsigned retransmissions_of(struct trace *trace, const copal_datagram *datagram) {
  uint64_t hash = hash_of(datagram);
  for (size_t i = 0; i < TRACE_SEEN_MAX; ++i) {
    if (trace->seen[i].hash == hash) return ++trace->seen[i].retransmissions;
  }
  struct trace_seen *seen = &trace->seen[trace->seen_next++ % TRACE_SEEN_MAX];
  seen->hash = hash;
  seen->retransmissions = 0;
  return 0;
}

/* FNV-1a, never 0. The message ID is among the bytes, so only the same message has the same hash. */
static uint64_t hash_of(const copal_datagram *datagram) {
  uint64_t hash = 0xcbf29ce484222325u;
  hash = hash_bytes(hash, &datagram->path.remote, sizeof datagram->path.remote);
  hash = hash_bytes(hash, datagram->data, datagram->size);
  return hash | 1;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ at[i]) * 0x100000001b3u;
  return hash;
}
