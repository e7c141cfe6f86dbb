/* What several requests came to, counted. Knows no request. */
#include "cli/show/tally.h"

#include <inttypes.h>

#include "cli/line/value.h"

static void print_count(FILE *stream, uint64_t count, const char *one, const char *many);

struct tally tally_begin(copal_time now) {
  return (struct tally){.status = STATUS_SUCCESS, .shortest = COPAL_NEVER, .began = now};
}

void tally_answer(struct tally *tally, copal_time round_trip) {
  ++tally->answers;
  tally->sum += round_trip;
  if (round_trip < tally->shortest) tally->shortest = round_trip;
  if (round_trip > tally->longest) tally->longest = round_trip;
}

void tally_end(struct tally *tally, enum status status) {
  ++tally->ended;
  if (status == STATUS_SUCCESS) return;
  if (tally->failures++ == 0) tally->status = status;
}

void tally_print(const struct tally *tally, FILE *stream, copal_time now) {
  char shortest[32], mean[32], longest[32], spent[32];
  print_count(stream, tally->requests, "request", "requests");
  fputs(", ", stream);
  print_count(stream, tally->answers, "answer", "answers");
  fputs(", ", stream);
  print_count(stream, tally->failures, "failure", "failures");
  if (tally->ended < tally->requests) fprintf(stream, ", %" PRIu64 " not awaited", tally->requests - tally->ended);
  fprintf(stream, " in %s", value_duration_text(now - tally->began, spent, sizeof spent));
  if (tally->answers > 0) {
    fprintf(stream, "; round trip min %s, mean %s, max %s",
            value_duration_text(tally->shortest, shortest, sizeof shortest),
            value_duration_text(tally->sum / tally->answers, mean, sizeof mean),
            value_duration_text(tally->longest, longest, sizeof longest));
  }
  fputc('\n', stream);
}

static void print_count(FILE *stream, uint64_t count, const char *one, const char *many) {
  fprintf(stream, "%" PRIu64 " %s", count, count == 1 ? one : many);
}
