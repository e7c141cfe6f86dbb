/* How far a long transfer has come. The line's text is made by a pure function; only the drawing knows a terminal.
 *
 * No escape sequence is used, so that any terminal can take the line back: it is overwritten with blanks. */
#include "cli/show/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/line/value.h"
#include "cli/show/window.h"

/* What takes no longer needs no line. */
#define QUIET_TIME (500 * COPAL_MILLISECOND)
#define REDRAW_TIME (100 * COPAL_MILLISECOND)

/* A server may claim any size, and send as slowly as it likes. */
#define SECONDS_LEFT_MAX 1e7

enum { LINE_SIZE_MAX = 160, BAR_MIN = 10, BAR_MAX = 30, PARTS_MAX = 5, PART_SIZE_MAX = 64 };

static size_t write_parts(const struct progress_facts *facts, char parts[PARTS_MAX][PART_SIZE_MAX]);
static size_t write_bar(const struct progress_facts *facts, size_t room, char *buffer);
static void left_text(copal_time left, char *buffer, size_t capacity);
static size_t room(void);

size_t progress_line(const struct progress_facts *facts, size_t columns, char *buffer, size_t capacity) {
  char parts[PARTS_MAX][PART_SIZE_MAX];
  size_t count = write_parts(facts, parts), size = 0;
  if (columns >= capacity) columns = capacity - 1;
  for (size_t i = 0; i < count; ++i) {
    size_t part_size = strlen(parts[i]);
    if (size + part_size > columns) break;
    memcpy(buffer + size, parts[i], part_size);
    size += part_size;
  }
  size += write_bar(facts, columns - size, buffer + size);
  buffer[size] = '\0';
  return size;
}

void progress_begin(struct progress *progress, bool wanted, copal_time now) {
  memset(progress, 0, sizeof *progress);
  progress->wanted = wanted;
  progress->began = now;
}

void progress_update(struct progress *progress, const char *verb, uint64_t done, uint64_t total, copal_time now) {
  if (!progress->wanted) return;
  if (progress->verb == NULL || strcmp(progress->verb, verb) != 0) {
    /* The request's body took its own time before the response's began. */
    if (progress->verb != NULL) progress->began = now;
    progress->verb = verb;
  }
  if (now - progress->began < QUIET_TIME || now - progress->drawn < REDRAW_TIME) return;
  progress->drawn = now;
  struct progress_facts facts = {verb, done, total, now - progress->began};
  char line[LINE_SIZE_MAX];
  size_t size = progress_line(&facts, room(), line, sizeof line);
  fprintf(stderr, "\r%s", line);
  /* The cursor stays behind the line: what is typed is not to begin another one. */
  if (size < progress->width) fprintf(stderr, "%*s\r%s", (int)(room() - size), "", line);
  fflush(stderr);
  progress->width = size;
}

void progress_clear(struct progress *progress) {
  if (progress->width == 0) return;
  /* What was typed, "^C" for instance, may stand behind it. */
  fprintf(stderr, "\r%*s\r", (int)room(), "");
  fflush(stderr);
  progress->width = 0;
}

/* The line's parts, the dearest first. */
static size_t write_parts(const struct progress_facts *facts, char parts[PARTS_MAX][PART_SIZE_MAX]) {
  bool known = facts->total != 0 && facts->done <= facts->total;
  double seconds = (double)facts->elapsed / (double)COPAL_SECOND;
  double rate = seconds > 0 ? (double)facts->done / seconds : 0;
  char done[32], total[32], speed[32];
  size_t count = 0;
  snprintf(parts[count++], PART_SIZE_MAX, "%s %s", facts->verb, value_size_text(facts->done, done, sizeof done));
  if (known) {
    snprintf(parts[count++], PART_SIZE_MAX, " of %s", value_size_text(facts->total, total, sizeof total));
    /* Rounded down: 100 % is when all is there. */
    snprintf(parts[count++], PART_SIZE_MAX, ", %d %%", (int)(100.0 * (double)facts->done / (double)facts->total));
  }
  snprintf(parts[count++], PART_SIZE_MAX, ", %s/s", value_size_text((uint64_t)rate, speed, sizeof speed));
  double seconds_left = known && rate > 0 ? (double)(facts->total - facts->done) / rate : SECONDS_LEFT_MAX;
  if (seconds_left < SECONDS_LEFT_MAX) {
    char left[32];
    left_text((copal_time)(seconds_left * (double)COPAL_SECOND), left, sizeof left);
    snprintf(parts[count++], PART_SIZE_MAX, ", %s left", left);
  }
  return count;
}

static size_t write_bar(const struct progress_facts *facts, size_t room, char *buffer) {
  if (facts->total == 0 || facts->done > facts->total || room < BAR_MIN + 3) return 0;
  size_t width = room - 3 < BAR_MAX ? room - 3 : BAR_MAX;
  size_t filled = (size_t)((double)facts->done / (double)facts->total * (double)width);
  buffer[0] = ' ';
  buffer[1] = '[';
  for (size_t i = 0; i < width; ++i) buffer[2 + i] = i < filled ? '#' : '-';
  buffer[2 + width] = ']';
  return width + 3;
}

static void left_text(copal_time left, char *buffer, size_t capacity) {
  uint64_t seconds = (left + COPAL_SECOND / 2) / COPAL_SECOND;
  uint64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
  if (hours > 0) {
    snprintf(buffer, capacity, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes, seconds % 60);
  } else {
    snprintf(buffer, capacity, "%" PRIu64 ":%02" PRIu64, minutes, seconds % 60);
  }
}

/* The last column stays free: some terminals begin a new line behind it. */
static size_t room(void) { return window_of(stderr).columns - 1; }
