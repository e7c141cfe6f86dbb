/* A state of what is observed, shown. Knows no endpoint; what the state holds came from a peer and is written
 * harmlessly. */
#include "cli/observe/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/line/value.h"
#include "cli/show/body.h"
#include "cli/show/terminal.h"
#include "cli/show/window.h"

enum { TIME_TEXT_MAX = 32, VALUE_ROOM_MIN = 16 };

static void time_of_day(char buffer[TIME_TEXT_MAX]);
static size_t print_head(const struct notice *notice);
static size_t characters_of(copal_bytes text);
static uint32_t format_of(const copal_view *message);

void notice_line(const struct notice *notice) {
  size_t columns = window_of(stdout).columns, used = print_head(notice);
  size_t room = columns > used + VALUE_ROOM_MIN ? columns - used : VALUE_ROOM_MIN;
  copal_bytes body = notice->body, line = body;
  uint32_t format = format_of(notice->message);
  if (line.size > 0 && line.data[line.size - 1] == '\n') --line.size;
  bool is_one_line = terminal_is_text(line) && memchr(line.data, '\n', line.size) == NULL;
  if (body.data != NULL && is_one_line && characters_of(line) < room) {
    fputs(terminal_style(stdout, STYLE_BOLD), stdout);
    terminal_text(stdout, line, false);
    printf("%s\n", terminal_style(stdout, STYLE_PLAIN));
  } else {
    char size[32];
    if (notice->body_size > 0) fputs(value_size_text(notice->body_size, size, sizeof size), stdout);
    fputc('\n', stdout);
    body_print(stdout, body, format);
  }
  terminal_flush(stdout);
}

static void time_of_day(char buffer[TIME_TEXT_MAX]) {
  struct timespec now;
  struct tm local;
  char text[16] = "";
  clock_gettime(CLOCK_REALTIME, &now);
  if (localtime_r(&now.tv_sec, &local) != NULL) strftime(text, sizeof text, "%H:%M:%S", &local);
  snprintf(buffer, TIME_TEXT_MAX, "%s.%03u", text, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

/* Returns how many columns it took. */
static size_t print_head(const struct notice *notice) {
  const copal_view *message = notice->message;
  char time[TIME_TEXT_MAX], sequence[16] = "-", since[32] = "", head[160], details[160] = "";
  time_of_day(time);
  uint32_t number = copal_find_uint(message, COPAL_OPTION_OBSERVE, UINT32_MAX), format = format_of(message);
  if (number != UINT32_MAX) snprintf(sequence, sizeof sequence, "#%" PRIu32, number);
  if (notice->since != COPAL_NEVER) {
    since[0] = '+';
    value_duration_text(notice->since, since + 1, sizeof since - 1);
  }
  snprintf(head, sizeof head, "%s %9s %10s  ", time, sequence, since);
  printf("%s%s%s", terminal_style(stdout, STYLE_FAINT), head, terminal_style(stdout, STYLE_PLAIN));
  size_t used = strlen(head);
  if (notice->names_uri) {
    copal_bytes uri = {(const uint8_t *)notice->uri, strlen(notice->uri)};
    terminal_text(stdout, uri, false);
    fputs("  ", stdout);
    used += characters_of(uri) + 2;
  }
  if (message->code != COPAL_CONTENT) {
    const char *name = copal_code_name(message->code);
    snprintf(details, sizeof details, "%d.%02d %s  ", COPAL_CODE_CLASS(message->code), COPAL_CODE_DETAIL(message->code),
             name != NULL ? name : "");
  }
  if (format != COPAL_FORMAT_NONE && format != COPAL_TEXT_PLAIN) {
    const char *name = copal_content_format_name((uint16_t)format);
    size_t size = strlen(details);
    if (name != NULL) snprintf(details + size, sizeof details - size, "%s  ", name);
    if (name == NULL) snprintf(details + size, sizeof details - size, "format %" PRIu32 "  ", format);
  }
  fputs(details, stdout);
  return used + strlen(details);
}

/* As many as there are first bytes of characters. */
static size_t characters_of(copal_bytes text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size; ++i) count += (text.data[i] & 0xc0) != 0x80;
  return count;
}

/* A Content-Format has two bytes. */
static uint32_t format_of(const copal_view *message) {
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  return format < COPAL_FORMAT_NONE ? format : COPAL_FORMAT_NONE;
}
