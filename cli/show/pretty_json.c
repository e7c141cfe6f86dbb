/* JSON as its sender wrote it, with other white space: its own tokens are written again. */
#include "cli/show/pretty_json.h"

#include "cli/data/json_reader.h"
#include "cli/show/terminal.h"

enum { INDENT = 2 };

static void print(FILE *stream, copal_bytes text, bool pretty);
static void separate(FILE *stream, enum json_kind last, enum json_kind kind);
static void break_line(FILE *stream, unsigned depth);
static void put_token(FILE *stream, copal_bytes token);
static enum style style_of(enum json_kind kind);
static bool begins(enum json_kind kind);
static bool ends(enum json_kind kind);

void pretty_json(FILE *stream, copal_bytes text) {
  print(stream, text, true);
  fputc('\n', stream);
}

void compact_json(FILE *stream, copal_bytes text) { print(stream, text, false); }

static void print(FILE *stream, copal_bytes text, bool pretty) {
  struct json_reader reader;
  json_reader_begin(&reader, text);
  enum json_kind last = JSON_END;
  for (;;) {
    struct json_token token = json_reader_next(&reader);
    if (token.kind == JSON_END || token.kind == JSON_WRONG) return;
    separate(stream, last, token.kind);
    bool is_empty = ends(token.kind) && begins(last);
    if (pretty && last != JSON_END && last != JSON_KEY && !is_empty) {
      break_line(stream, begins(token.kind) ? reader.depth - 1 : reader.depth);
    }
    enum style style = pretty ? style_of(token.kind) : STYLE_PLAIN;
    if (style != STYLE_PLAIN) fputs(terminal_style(stream, style), stream);
    put_token(stream, token.text);
    if (style != STYLE_PLAIN) fputs(terminal_style(stream, STYLE_PLAIN), stream);
    if (token.kind == JSON_KEY) fputs(pretty ? ": " : ":", stream);
    last = token.kind;
  }
}

static void separate(FILE *stream, enum json_kind last, enum json_kind kind) {
  if (last != JSON_END && last != JSON_KEY && !begins(last) && !ends(kind)) fputc(',', stream);
}

static void break_line(FILE *stream, unsigned depth) { fprintf(stream, "\n%*s", (int)depth * INDENT, ""); }

/* JSON lets some control characters stand as they are, which a terminal might obey. */
static void put_token(FILE *stream, copal_bytes token) {
  for (size_t at = 0; at < token.size;) {
    size_t size = terminal_character(token.data + at, token.size - at);
    if (size > 0) {
      fwrite(token.data + at, 1, size, stream);
      at += size;
    } else if (token.data[at] == 0x7f) {
      fputs("\\u007f", stream);
      ++at;
    } else {
      /* U+0080 to U+009F: what else is no printable character is not JSON. */
      fprintf(stream, "\\u%04x", token.data[at + 1]);
      at += 2;
    }
  }
}

static enum style style_of(enum json_kind kind) {
  if (kind == JSON_KEY) return STYLE_KEY;
  if (kind == JSON_STRING) return STYLE_TEXT;
  if (begins(kind) || ends(kind)) return STYLE_PLAIN;
  return STYLE_NUMBER;
}

static bool begins(enum json_kind kind) { return kind == JSON_OBJECT_BEGIN || kind == JSON_ARRAY_BEGIN; }

static bool ends(enum json_kind kind) { return kind == JSON_OBJECT_END || kind == JSON_ARRAY_END; }
