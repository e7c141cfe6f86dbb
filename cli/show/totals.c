/* What several requests came to, counted. Knows no request. */
#include "cli/show/totals.h"

#include <inttypes.h>

#include "cli/line/value.h"

static void print_count(FILE *stream, uint64_t count, const char *one, const char *many);

struct totals totals_begin(copal_time now) {
  return (struct totals){.status = STATUS_SUCCESS, .shortest = COPAL_NEVER, .began = now};
}

void totals_answer(struct totals *totals, copal_time round_trip) {
  ++totals->answers;
  totals->sum += round_trip;
  if (round_trip < totals->shortest) totals->shortest = round_trip;
  if (round_trip > totals->longest) totals->longest = round_trip;
}

void totals_end(struct totals *totals, enum status status) {
  ++totals->ended;
  if (status == STATUS_SUCCESS) return;
  if (totals->failures++ == 0) totals->status = status;
}

void totals_print(const struct totals *totals, FILE *stream, copal_time now) {
  char shortest[32], mean[32], longest[32], spent[32];
  print_count(stream, totals->requests, "request", "requests");
  fputs(", ", stream);
  print_count(stream, totals->answers, "answer", "answers");
  fputs(", ", stream);
  print_count(stream, totals->failures, "failure", "failures");
  if (totals->ended < totals->requests) fprintf(stream, ", %" PRIu64 " not awaited", totals->requests - totals->ended);
  fprintf(stream, " in %s", value_duration_text(now - totals->began, spent, sizeof spent));
  if (totals->answers > 0) {
    fprintf(stream, "; round trip min %s, mean %s, max %s",
            value_duration_text(totals->shortest, shortest, sizeof shortest),
            value_duration_text(totals->sum / totals->answers, mean, sizeof mean),
            value_duration_text(totals->longest, longest, sizeof longest));
  }
  fputc('\n', stream);
}

static void print_count(FILE *stream, uint64_t count, const char *one, const char *many) {
  fprintf(stream, "%" PRIu64 " %s", count, count == 1 ? one : many);
}
