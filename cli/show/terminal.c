/* What goes to people: colours where they are wanted, text of peers made harmless, and complaints.
 *
 * Whether a stream gets colours, whether bodies are made readable, and why standard output failed is all that the
 * command remembers globally: it is true of the process. */
#include "cli/show/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct { bool output, error; } colored;
static enum pretty readable;
static int failure; /* of standard output, the first errno */

static bool wants_color(enum color color, FILE *stream);

void terminal_setup(enum color color) {
  colored.output = wants_color(color, stdout);
  colored.error = wants_color(color, stderr);
}

int terminal_flush(FILE *stream) {
  int result = fflush(stream);
  if (result != 0 && stream == stdout && failure == 0) failure = errno;
  return result;
}

int terminal_failure(void) {
  (void)terminal_flush(stdout);
  if (failure == 0 && ferror(stdout) != 0) failure = EIO; /* nobody looked when it happened */
  return failure;
}

bool terminal_is(FILE *stream) { return isatty(fileno(stream)) == 1; }

void terminal_set_pretty(enum pretty pretty) { readable = pretty; }

bool terminal_is_read(void) { return readable == PRETTY_ALWAYS || terminal_is(stdout); }

bool terminal_is_pretty(void) { return readable != PRETTY_NEVER; }

bool terminal_is_utf8(void) {
  /* POSIX: the first of these that is set and not empty says it. */
  static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    const char *value = getenv(names[i]);
    if (value != NULL && value[0] != '\0') return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
  }
  return false;
}

const char *terminal_style(FILE *stream, enum style style) {
  if (!(stream == stderr ? colored.error : colored.output)) return "";
  switch (style) {
    case STYLE_PLAIN: return "\033[0m";
    case STYLE_GOOD: return "\033[32m";
    case STYLE_WARNING: return "\033[33m";
    case STYLE_BAD: return "\033[31m";
    case STYLE_FAINT: return "\033[2m";
    case STYLE_BOLD: return "\033[1m";
    case STYLE_KEY: return "\033[36m";
    case STYLE_TEXT: return "\033[32m";
    case STYLE_NUMBER: return "\033[35m";
  }
  return "";
}

void terminal_text(FILE *stream, copal_bytes text, bool lines) {
  for (size_t at = 0; at < text.size;) {
    size_t size = terminal_character(text.data + at, text.size - at);
    bool passes = size > 0 || (lines && (text.data[at] == '\n' || text.data[at] == '\t'));
    if (passes) {
      size = size > 0 ? size : 1;
      fwrite(text.data + at, 1, size, stream);
      at += size;
    } else {
      fprintf(stream, "\\x%02x", text.data[at++]);
    }
  }
}

bool terminal_is_text(copal_bytes bytes) {
  for (size_t at = 0; at < bytes.size;) {
    size_t size = terminal_character(bytes.data + at, bytes.size - at);
    if (size == 0) {
      if (strchr("\n\r\t", bytes.data[at]) == NULL || bytes.data[at] == '\0') return false;
      size = 1;
    }
    at += size;
  }
  return true;
}

size_t terminal_width(copal_bytes text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size;) {
    size_t size = terminal_character(text.data + at, text.size - at);
    width += size > 0 ? 1 : sizeof "\\xNN" - 1;
    at += size > 0 ? size : 1;
  }
  return width;
}

size_t terminal_character(const uint8_t *at, size_t left) {
  uint8_t first = at[0];
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || size > left) return 0;
  uint32_t character = first & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((at[i] & 0xc0) != 0x80) return 0;
    character = character << 6 | (at[i] & 0x3f);
  }
  bool overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
  bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (overlong || surrogate || character > 0x10ffff || character < 0xa0) return 0;
  return size;
}

size_t terminal_unfinished(copal_bytes text) {
  for (size_t back = 1; back <= 3 && back <= text.size; ++back) {
    uint8_t byte = text.data[text.size - back];
    if ((byte & 0xc0) == 0x80) continue;
    size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return size > back ? back : 0;
  }
  return 0;
}

size_t terminal_break(const char *text, size_t size, size_t columns) {
  if (size <= columns) return size;
  size_t blank = 0, outside = 0;
  bool quoted = false;
  for (size_t at = 0; at <= columns; ++at) {
    if (quoted && text[at] == '\\' && at < columns) {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == ' ' && at > 0) {
      blank = at;
      /* A value stays with its name. */
      if (!quoted && at + 1 < size && text[at + 1] != '"') outside = at;
    }
  }
  if (outside > 0 && (2 * outside >= columns || blank == outside)) return outside;
  if (blank > 0) return blank;
  /* Between two characters of UTF-8, and never nothing. */
  size_t end = columns;
  while (end > 1 && ((unsigned char)text[end] & 0xc0) == 0x80) --end;
  return end > 0 ? end : 1;
}

void terminal_hex(FILE *stream, copal_bytes bytes, const char *indent) {
  for (size_t line = 0; line < bytes.size; line += 16) {
    fprintf(stream, "%s%04zx ", indent, line);
    for (size_t at = line; at < line + 16; ++at) {
      if (at < bytes.size) {
        fprintf(stream, " %02x", bytes.data[at]);
      } else {
        fputs("   ", stream);
      }
    }
    fputs("  ", stream);
    for (size_t at = line; at < line + 16 && at < bytes.size; ++at) {
      fputc(bytes.data[at] >= 0x20 && bytes.data[at] < 0x7f ? bytes.data[at] : '.', stream);
    }
    fputc('\n', stream);
  }
}

void complain(const char *command, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%scopal%s%s:%s ", terminal_style(stderr, STYLE_BAD), command[0] != '\0' ? " " : "", command,
          terminal_style(stderr, STYLE_PLAIN));
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void remark(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs(terminal_style(stderr, STYLE_FAINT), stderr);
  fputs("note: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs(terminal_style(stderr, STYLE_PLAIN), stderr);
  fputc('\n', stderr);
  va_end(arguments);
}

static bool wants_color(enum color color, FILE *stream) {
  if (color != COLOR_AUTO) return color == COLOR_ALWAYS;
  const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
  if (no_color != NULL && no_color[0] != '\0') return false;
  if (terminal == NULL || strcmp(terminal, "dumb") == 0) return false;
  return terminal_is(stream);
}
