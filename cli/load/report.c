/* What a load came to. Counts nothing itself; what --json prints is described in docs/json.md. */
#include "cli/load/report.h"

#include <inttypes.h>
#include <string.h>

#include "cli/line/value.h"
#include "cli/show/json.h"
#include "cli/show/terminal.h"

static const struct {
  const char *name; /* as a member of JSON, and for people */
  const char *key;
  double share;
} quantiles[] = {
    {"50 %", "p50", 0.5},
    {"90 %", "p90", 0.9},
    {"99 %", "p99", 0.99},
    {"99.9 %", "p99_9", 0.999},
};
enum { QUANTILES = sizeof quantiles / sizeof quantiles[0] };

struct row {
  const char *text;
  uint64_t count;
};

static double seconds_of(copal_time time);
static double rate_of(const struct load *load, uint64_t count);
static void text_setting(FILE *stream, const struct load *load);
static void text_latency(FILE *stream, const struct histogram *latency);
static void text_observers(FILE *stream, const struct load *load);
static void text_rows(FILE *stream, const struct row *rows, size_t count);
static void text_codes(FILE *stream, const struct tally *tally);
static void text_remarks(FILE *stream, const struct load *load);
static void json_setting(struct json *json, const struct load *load);
static void json_latency(struct json *json, const char *key, const struct histogram *latency);
static void json_observers(struct json *json, const struct load *load);
static void json_codes(struct json *json, const struct tally *tally);

#define ROW(name, text) {text, tally->name},

void report_text(FILE *stream, const struct load *load) {
  const struct tally *tally = &load->tally;
  const struct row ends[] = {TALLY_ENDS(ROW)};
  const struct row messages[] = {TALLY_MESSAGES(ROW)};
  char sent[32], received[32];
  text_setting(stream, load);
  fprintf(stream, "\n%12.0f responses/s\n", rate_of(load, tally->in_time));
  if (tally->exchanges > tally->responses + load->flight.slots_count) {
    char body[32];
    uint64_t size = tally->body_sent + tally->body_received;
    value_size_text((uint64_t)rate_of(load, size), body, sizeof body);
    fprintf(stream, "%12s/s of bodies\n", body);
  }
  if (tally->responses > 0) text_latency(stream, &load->latency);
  if (load->plan->observers > 0) text_observers(stream, load);
  fprintf(stream, "\n%12" PRIu64 " requests\n", tally->requests);
  text_rows(stream, ends, sizeof ends / sizeof ends[0]);
  text_codes(stream, tally);
  fprintf(stream, "\n%12" PRIu64 " datagrams sent, %s\n", load->wires.sent,
          value_size_text(load->wires.sent_size, sent, sizeof sent));
  fprintf(stream, "%12" PRIu64 " datagrams received, %s\n", load->wires.received,
          value_size_text(load->wires.received_size, received, sizeof received));
  text_rows(stream, messages, sizeof messages / sizeof messages[0]);
  text_remarks(stream, load);
}

void report_json(FILE *stream, const struct load *load) {
  const struct tally *tally = &load->tally;
  struct json json;
  json_begin(&json, stream);
  json_setting(&json, load);
  json_real(&json, "seconds", seconds_of(load->counted_until - load->counted_from), 6);
  json_real(&json, "responses_per_second", rate_of(load, tally->in_time), 1);
  json_uint(&json, "requests", tally->requests);
#define MEMBER(name, text) json_uint(&json, #name, tally->name);
  TALLY_ENDS(MEMBER)
  json_uint(&json, "unsent", tally->unsent);
  json_codes(&json, tally);
  json_latency(&json, "latency_us", &load->latency);
  json_observers(&json, load);
  json_object(&json, "messages");
  json_uint(&json, "sent", load->wires.sent);
  json_uint(&json, "received", load->wires.received);
  json_uint(&json, "exchanges", tally->exchanges);
  TALLY_MESSAGES(MEMBER)
#undef MEMBER
  json_uint(&json, "not_sent", load->wires.failed);
  json_uint(&json, "overrun", wires_overrun(&load->wires));
  json_bool(&json, "ids_reused", load->ids_reused);
  json_close(&json);
  json_object(&json, "bytes");
  json_uint(&json, "sent", load->wires.sent_size);
  json_uint(&json, "received", load->wires.received_size);
  json_uint(&json, "body_sent", tally->body_sent);
  json_uint(&json, "body_received", tally->body_received);
  json_close(&json);
  json_end(&json);
}

enum status report_status(const struct load *load) {
  const struct tally *tally = &load->tally;
  const struct observers *observers = &load->observers;
  uint64_t client_errors = 0, server_errors = 0;
  if (observers->registered > 0) return STATUS_SUCCESS;
  for (int code = 0; code < 256; ++code) {
    if (tally->codes[code] == 0) continue;
    if (COPAL_CODE_CLASS(code) == 2) return STATUS_SUCCESS;
    if (COPAL_CODE_CLASS(code) == 4) client_errors += tally->codes[code];
    if (COPAL_CODE_CLASS(code) == 5) server_errors += tally->codes[code];
  }
  if (client_errors + server_errors > 0) {
    return client_errors >= server_errors ? STATUS_CLIENT_ERROR : STATUS_SERVER_ERROR;
  }
  if (tally->broken > 0) return STATUS_MALFORMED;
  if (tally->resets > 0) return STATUS_RESET;
  if (tally->unreachable > 0) return STATUS_UNREACHABLE;
  if (load->wires.sent == 0 && load->wires.failed > 0) return STATUS_LOCAL;
  return tally->requests > 0 || observers->failed > 0 ? STATUS_TIMEOUT : STATUS_SUCCESS;
}

void report_line(const struct load *load, copal_time span, char *buffer, size_t capacity) {
  const struct histogram *recent = &load->recent;
  char median[32], slow[32];
  value_duration_text(histogram_quantile(recent, 0.5), median, sizeof median);
  value_duration_text(histogram_quantile(recent, 0.99), slow, sizeof slow);
  double rate = span > 0 ? (double)recent->count / seconds_of(span) : 0;
  snprintf(buffer, capacity, "%.0f s: %.0f/s, median %s, 99 %% in %s, %" PRIu32 " under way, %" PRIu64 " sent again",
           seconds_of(load->now - load->began), rate, median, slow, load->flight.under_way,
           load->tally.retransmissions);
}

static double seconds_of(copal_time time) { return (double)time / (double)COPAL_SECOND; }

static double rate_of(const struct load *load, uint64_t count) {
  double seconds = seconds_of(load->counted_until - load->counted_from);
  return seconds > 0 ? (double)count / seconds : 0;
}

/* --- Text --------------------------------------------------------------------------------------- */

static void text_setting(FILE *stream, const struct load *load) {
  const struct plan *plan = load->plan;
  char span[32];
  value_duration_text(load->counted_until - load->counted_from, span, sizeof span);
  fprintf(stream, "%s %s to %s (", plan->non ? "NON" : "CON", copal_code_name(plan->method), plan->target.name);
  terminal_text(stream, (copal_bytes){(const uint8_t *)plan->target.text, strlen(plan->target.text)}, false);
  fprintf(stream, "), %s, %" PRIu32 " client%s with a window of %" PRIu32, span, plan->clients,
          plan->clients == 1 ? "" : "s", plan->window);
  if (plan->in_flight < plan->clients * plan->window) fprintf(stream, ", %" PRIu32 " at once", plan->in_flight);
  if (plan->rate != 0) fprintf(stream, ", %" PRIu32 " due a second", plan->rate);
  fprintf(stream, "\n");
}

static void text_latency(FILE *stream, const struct histogram *latency) {
  char text[32];
  fprintf(stream, "\n%12s least\n", value_duration_text(latency->shortest, text, sizeof text));
  for (size_t i = 0; i < QUANTILES; ++i) {
    copal_time value = histogram_quantile(latency, quantiles[i].share);
    fprintf(stream, "%12s for %s\n", value_duration_text(value, text, sizeof text), quantiles[i].name);
  }
  fprintf(stream, "%12s most\n", value_duration_text(latency->longest, text, sizeof text));
  fprintf(stream, "%12s mean\n", value_duration_text((copal_time)histogram_mean(latency), text, sizeof text));
}

static void text_observers(FILE *stream, const struct load *load) {
  const struct observers *observers = &load->observers;
  uint32_t least, most;
  char span[32];
  observers_spread(observers, &least, &most);
  value_duration_text(observers->registering, span, sizeof span);
  fprintf(stream, "\n%12" PRIu32 " observers, registered in %s\n", observers->registered, span);
  const struct row rows[] = {
      {"answered, but not taken for observers", observers->refused},
      {"not answered when they registered", observers->failed},
      {"ended by the server", observers->ended},
      {"notifications that came twice", observers->repeated},
      {"notifications of an older state than the one before", observers->outdated},
  };
  text_rows(stream, rows, sizeof rows / sizeof rows[0]);
  fprintf(stream, "%12" PRIu64 " notifications, %.0f/s; each observer had %" PRIu32 " to %" PRIu32 "\n",
          observers->notifications, rate_of(load, observers->notifications), least, most);
  if (observers->latency.count == 0) return;
  fprintf(stream, "\n             from the latest change asked for to its notifications\n");
  text_latency(stream, &observers->latency);
}

/* What did not happen is not told. */
static void text_rows(FILE *stream, const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (rows[i].count > 0) fprintf(stream, "%12" PRIu64 " %s\n", rows[i].count, rows[i].text);
  }
}

static void text_codes(FILE *stream, const struct tally *tally) {
  for (int code = 0; code < 256; ++code) {
    if (tally->codes[code] == 0) continue;
    const char *name = copal_code_name((uint8_t)code);
    fprintf(stream, "%12" PRIu64 " %d.%02d%s%s\n", tally->codes[code], COPAL_CODE_CLASS(code), COPAL_CODE_DETAIL(code),
            name != NULL ? " " : "", name != NULL ? name : "");
  }
}

/* What one has to know to judge the figures. */
static void text_remarks(FILE *stream, const struct load *load) {
  uint64_t overrun = wires_overrun(&load->wires);
  if (load->tally.unsent > 0) {
    fprintf(stream,
            "\n%" PRIu64
            " requests were due and could not be sent: the rate is more than was answered, or than this"
            " machine can send\n",
            load->tally.unsent);
  }
  if (overrun > 0) {
    fprintf(stream, "\n%" PRIu64 " datagrams were lost here, since they came faster than they were read\n", overrun);
  }
  if (load->wires.failed > 0) {
    fprintf(stream, "\n%" PRIu64 " datagrams could not be sent: %s\n", load->wires.failed, strerror(load->wires.error));
  }
  if (load->ids_reused) {
    fprintf(stream,
            "\nMessage IDs were used again before their 247 s were over (RFC 7252 4.4), which some servers take"
            " for duplicates: more clients make that rarer\n");
  }
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void json_setting(struct json *json, const struct load *load) {
  const struct plan *plan = load->plan;
  json_text(json, "kind", "bench");
  json_text(json, "uri", plan->target.text);
  json_text(json, "peer", plan->target.name);
  json_text(json, "method", copal_code_name(plan->method));
  json_text(json, "type", plan->non ? "NON" : "CON");
  json_uint(json, "clients", plan->clients);
  json_uint(json, "window", plan->window);
  json_uint(json, "in_flight", plan->in_flight);
  json_uint(json, "request_size", plan->whole_size);
  json_uint(json, "body_size", plan->body_size);
  if (plan->rate != 0) {
    json_uint(json, "rate", plan->rate);
  } else {
    json_null(json, "rate");
  }
}

static void json_latency(struct json *json, const char *key, const struct histogram *latency) {
  json_object(json, key);
  json_uint(json, "count", latency->count);
  json_real(json, "min", (double)latency->shortest / 1000, 3);
  json_real(json, "mean", histogram_mean(latency) / 1000, 3);
  for (size_t i = 0; i < QUANTILES; ++i) {
    json_real(json, quantiles[i].key, (double)histogram_quantile(latency, quantiles[i].share) / 1000, 3);
  }
  json_real(json, "max", (double)latency->longest / 1000, 3);
  json_close(json);
}

static void json_observers(struct json *json, const struct load *load) {
  const struct observers *observers = &load->observers;
  if (observers->count == 0) {
    json_null(json, "observers");
    return;
  }
  uint32_t least, most;
  observers_spread(observers, &least, &most);
  json_object(json, "observers");
  json_uint(json, "wanted", observers->count);
  json_uint(json, "registered", observers->registered);
  json_uint(json, "refused", observers->refused);
  json_uint(json, "failed", observers->failed);
  json_uint(json, "ended", observers->ended);
  json_real(json, "registering_seconds", seconds_of(observers->registering), 6);
  json_uint(json, "notifications", observers->notifications);
  json_real(json, "notifications_per_second", rate_of(load, observers->notifications), 1);
  json_uint(json, "repeated", observers->repeated);
  json_uint(json, "outdated", observers->outdated);
  json_uint(json, "least", least);
  json_uint(json, "most", most);
  json_latency(json, "latency_us", &observers->latency);
  json_close(json);
}

static void json_codes(struct json *json, const struct tally *tally) {
  json_object(json, "codes");
  for (int code = 0; code < 256; ++code) {
    if (tally->codes[code] == 0) continue;
    char key[24];
    snprintf(key, sizeof key, "%d.%02d", COPAL_CODE_CLASS(code), COPAL_CODE_DETAIL(code));
    json_uint(json, key, tally->codes[code]);
  }
  json_close(json);
}
