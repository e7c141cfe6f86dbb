/* The answers of a group, as a table: rows are printed as they come, so columns are as wide as they mostly need. What
 * answers hold came from peers and is written harmlessly. */
#include "cli/show/table.h"

#include <stdio.h>
#include <string.h>

#include "cli/line/value.h"
#include "cli/show/terminal.h"

enum { FIRST_LINE_MAX = 40 };

static const char *format_text(const copal_view *message, char *buffer, size_t capacity);
static enum style style_of(uint8_t code);
static void write_first_line(FILE *stream, copal_bytes body);

void table_head(FILE *stream) {
  fprintf(stream, "%s%-24s %-15s %-20s %8s %9s  %s%s\n", terminal_style(stream, STYLE_BOLD), "FROM", "CODE", "FORMAT",
          "SIZE", "TIME", "BODY", terminal_style(stream, STYLE_PLAIN));
}

void table_row(FILE *stream, const struct answer *answer) {
  const copal_view *message = answer->message;
  const char *name = copal_code_name(message->code);
  char code[64], format[32], size[32], round_trip[32];
  snprintf(code, sizeof code, "%d.%02d %s", COPAL_CODE_CLASS(message->code), COPAL_CODE_DETAIL(message->code),
           name != NULL ? name : "");
  fprintf(stream, "%-24s %s%-15s%s %-20s %8s %9s  ", answer->peer, terminal_style(stream, style_of(message->code)),
          code, terminal_style(stream, STYLE_PLAIN), format_text(message, format, sizeof format),
          value_size_text(answer->body_size, size, sizeof size),
          value_duration_text(answer->round_trip, round_trip, sizeof round_trip));
  write_first_line(stream, answer->body);
  fputc('\n', stream);
}

static const char *format_text(const copal_view *message, char *buffer, size_t capacity) {
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  const char *name = format < COPAL_FORMAT_NONE ? copal_content_format_name((uint16_t)format) : "-";
  if (name == NULL) {
    snprintf(buffer, capacity, "format %u", format);
  } else {
    /* Parameters of a media type make no column wider. */
    snprintf(buffer, capacity, "%.*s", (int)strcspn(name, ";"), name);
  }
  return buffer;
}

static enum style style_of(uint8_t code) {
  if (COPAL_CODE_CLASS(code) == 2) return STYLE_GOOD;
  return COPAL_CODE_CLASS(code) == 4 ? STYLE_WARNING : STYLE_BAD;
}

static void write_first_line(FILE *stream, copal_bytes body) {
  if (!terminal_is_text(body)) return;
  size_t size = 0;
  while (size < body.size && size < FIRST_LINE_MAX && strchr("\r\n", body.data[size]) == NULL) ++size;
  bool cut = size < body.size && strchr("\r\n", body.data[size]) == NULL;
  copal_bytes line = {body.data, size};
  if (cut) line.size -= terminal_unfinished(line);
  terminal_text(stream, line, false);
  if (cut) fputs("...", stream);
}
