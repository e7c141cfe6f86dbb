/* What an endpoint sends, receives and decides, as it happens. Knows nothing of requests or resources.
 *
 * One line a message, with decisions on lines of their own beneath it. On a terminal, long lines go on indented; in a
 * file they are left whole, since programs search them. */
#include "cli/show/trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/capture/explain.h"
#include "cli/show/decision.h"
#include "cli/show/terminal.h"

enum { LINE_MAX_SIZE = 2000, COLUMNS_MIN = 60, COLUMNS_MAX = 100, RETRANSMIT_DEFAULT = 4, INDENT = 17, ROOM_MIN = 30 };

static void count(struct trace *trace, const copal_trace *event, const copal_view *view);
static void show(struct trace *trace, const copal_trace *event, const copal_view *view, copal_error error);
static void show_line(const struct trace *trace, size_t column, const char *line);
static void decide(struct trace *trace, enum decision_subject subject, const copal_view *view,
                   const copal_counters *counters);
static size_t columns_of(FILE *stream);
static unsigned retransmissions_of(struct trace *trace, const copal_datagram *datagram);
static uint64_t hash_of(const copal_datagram *datagram);
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);

void trace_begin(struct trace *trace, const struct settings *settings) {
  memset(trace, 0, sizeof *trace);
  trace->begin = copal_now();
  trace->level = settings->quiet ? 0 : settings->verbose;
  trace->retransmit = settings->retransmit != UINT32_MAX ? settings->retransmit : RETRANSMIT_DEFAULT;
  trace->columns = columns_of(stderr);
  trace_restart(trace);
}

void trace_restart(struct trace *trace) {
  trace->first_sent = COPAL_NEVER;
  trace->latest_sent = COPAL_NEVER;
  trace->body_size = 0;
  trace->transmissions = 0;
  trace->acknowledged = false;
}

void trace_settle(struct trace *trace) {
  if (trace->endpoint == NULL) return;
  enum decision_subject subject = trace->is_received ? DECISION_RECEIVED : DECISION_TIME;
  decide(trace, subject, trace->is_decent ? &trace->received : NULL, copal_endpoint_counters(trace->endpoint));
}

void trace_datagram(const copal_trace *event, void *context) {
  struct trace *trace = context;
  copal_view view = {0};
  copal_error error = copal_decode(event->datagram.data, event->datagram.size, &view);
  if (event->kind == COPAL_TRACE_DECIDED) {
    enum decision_subject subject = trace->is_received         ? DECISION_RECEIVED
                                    : event->datagram.size > 0 ? DECISION_UNDELIVERED
                                                               : DECISION_TIME;
    decide(trace, subject, error == COPAL_OK ? &view : NULL, event->counters);
    trace->is_received = false;
    return;
  }
  if (trace->record != NULL) record_datagram(trace->record, trace->endpoint, event);
  if (error == COPAL_OK) count(trace, event, &view);
  if (trace->level > 0) show(trace, event, &view, error);
  trace->is_received = event->kind == COPAL_TRACE_RECEIVED;
  trace->is_decent = error == COPAL_OK;
  trace->received = (copal_view){.message_id = view.message_id, .type = view.type, .code = view.code};
}

static void count(struct trace *trace, const copal_trace *event, const copal_view *view) {
  if (event->kind == COPAL_TRACE_RECEIVED) {
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

static void show(struct trace *trace, const copal_trace *event, const copal_view *view, copal_error error) {
  bool sent = event->kind == COPAL_TRACE_SENT;
  char peer[COPAL_ADDRESS_TEXT_MAX], line[LINE_MAX_SIZE];
  copal_bytes bytes = {event->datagram.data, event->datagram.size};
  copal_address_text(trace->endpoint, &event->datagram.path.remote, peer, sizeof peer);
  copal_time since = event->time > trace->begin ? event->time - trace->begin : 0;
  int column = snprintf(line, sizeof line, "%10.3f ms %s %s", (double)since / (double)COPAL_MILLISECOND,
                        sent ? "->" : "<-", peer);
  fprintf(stderr, "%s%s%s  ", terminal_style(stderr, STYLE_FAINT), line, terminal_style(stderr, STYLE_PLAIN));
  if (error == COPAL_OK) {
    copal_text_line(view, line, sizeof line);
  } else {
    snprintf(line, sizeof line, "malformed: %s, %zu bytes", copal_error_text(error), bytes.size);
  }
  show_line(trace, (size_t)column + 2, line);
  unsigned again =
      error == COPAL_OK && sent && view->type == COPAL_CON ? retransmissions_of(trace, &event->datagram) : 0;
  if (again > 0) {
    fprintf(stderr, "  %sretransmission %u of %u%s", terminal_style(stderr, STYLE_WARNING), again, trace->retransmit,
            terminal_style(stderr, STYLE_PLAIN));
  }
  fputc('\n', stderr);
  if (trace->level > 1 || error != COPAL_OK) explain_table(stderr, bytes, &explain_compact);
}

static void show_line(const struct trace *trace, size_t column, const char *line) {
  size_t left = strlen(line), at = column;
  while (left > 0) {
    size_t room = trace->columns == 0 ? left : trace->columns > at + ROOM_MIN ? trace->columns - at : ROOM_MIN;
    size_t size = terminal_break(line, left, room);
    terminal_text(stderr, (copal_bytes){(const uint8_t *)line, size}, false);
    for (line += size, left -= size; left > 0 && *line == ' '; --left) ++line;
    if (left > 0) fprintf(stderr, "\n%*s", INDENT, "");
    at = INDENT;
  }
}

static void decide(struct trace *trace, enum decision_subject subject, const copal_view *view,
                   const copal_counters *counters) {
  char text[DECISION_TEXT_MAX];
  bool is_told = subject == DECISION_RECEIVED && memcmp(&trace->counters, counters, sizeof *counters) == 0;
  if (trace->level > 0 && !is_told) {
    decision_text(subject, view, &trace->counters, counters, text, sizeof text);
    if (text[0] != '\0') {
      fprintf(stderr, "%*s%s", INDENT, "", terminal_style(stderr, STYLE_FAINT));
      show_line(trace, INDENT, text);
      fprintf(stderr, "%s\n", terminal_style(stderr, STYLE_PLAIN));
    }
  }
  trace->counters = *counters;
}

/* 0: stream is no terminal, and its lines stay whole. */
static size_t columns_of(FILE *stream) {
  struct winsize size = {0};
  if (!terminal_is(stream)) return 0;
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < COLUMNS_MIN) return COLUMNS_MAX;
  return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
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
