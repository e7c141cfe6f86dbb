/* A datagram explained for people. Knows no capture and no network. */
#include "cli/capture/explain.h"

#include <string.h>

#include "cli/capture/describe.h"
#include "cli/capture/dissect.h"
#include "cli/capture/notes.h"
#include "cli/show/terminal.h"

enum { ROW_SIZE = 8, COLUMNS = 100, TEXT_COLUMN = 6 + 3 * ROW_SIZE + 1, LINE_SIZE = 1200 };

const struct explain_style explain_full = {16, "", true};
const struct explain_style explain_compact = {4, "                 ", false};

/* A part on its way to the screen: bytes at the left, text at the right, each with lines of its own. */
struct row {
  FILE *stream;
  const struct explain_style *style;
  copal_bytes bytes;
  size_t offset, at; /* of bytes: how many are written */
};

static void print_part(FILE *stream, const struct explain_style *style, const struct part *part, const char *text);
static void print_note(FILE *stream, const struct explain_style *style, const char *text, const char *section,
                       const char *rule);
static void print_lines(struct row *row, const char *text, enum style color);
static void print_bytes(struct row *row, bool padded);
static void print_code(FILE *stream, const copal_view *view, size_t size);

copal_error explain_datagram(FILE *stream, copal_bytes datagram) {
  copal_view view = {0};
  copal_error error = copal_decode(datagram.data, datagram.size, &view);
  if (error == COPAL_OK) {
    print_code(stream, &view, datagram.size);
  } else {
    fprintf(stream, "%smalformed%s: %s, %zu byte%s\n", terminal_style(stream, STYLE_BAD),
            terminal_style(stream, STYLE_PLAIN), copal_error_text(error), datagram.size, datagram.size == 1 ? "" : "s");
  }
  explain_table(stream, datagram, &explain_full);
  return error;
}

copal_error explain_line(FILE *stream, copal_bytes datagram) {
  copal_view view = {0};
  char line[LINE_SIZE];
  copal_error error = copal_decode(datagram.data, datagram.size, &view);
  if (error == COPAL_OK) {
    copal_text_line(&view, line, sizeof line);
    terminal_text(stream, (copal_bytes){(const uint8_t *)line, strlen(line)}, false);
    fputc('\n', stream);
    return error;
  }
  struct dissection dissection = dissect(datagram);
  struct part part;
  while (dissect_next(&dissection, &part) && part.kind != PART_WRONG) continue;
  const struct rule *rule = dissect_rule(part.error);
  fprintf(stream, "%smalformed%s at byte %zu of %zu: %s (%s)\n", terminal_style(stream, STYLE_BAD),
          terminal_style(stream, STYLE_PLAIN), part.offset, datagram.size, copal_error_text(part.error), rule->section);
  return error;
}

void explain_table(FILE *stream, copal_bytes datagram, const struct explain_style *style) {
  struct dissection dissection = dissect(datagram);
  struct notes notes = {0};
  struct part part;
  bool request = datagram.size > 1 && copal_code_is_request(datagram.data[1]);
  while (dissect_next(&dissection, &part)) {
    char text[DESCRIBE_TEXT_MAX];
    const struct note *found[NOTES_MAX];
    print_part(stream, style, &part, describe_part(&part, request, text, sizeof text));
    size_t count = notes_take(&notes, &part, found);
    for (size_t i = 0; i < count; ++i) print_note(stream, style, found[i]->text, found[i]->section, NULL);
    if (part.kind != PART_WRONG) continue;
    const struct rule *rule = dissect_rule(part.error);
    print_note(stream, style, NULL, rule->section, rule->text);
  }
}

static void print_part(FILE *stream, const struct explain_style *style, const struct part *part, const char *text) {
  struct row row = {.stream = stream, .style = style, .bytes = part->bytes, .offset = part->offset};
  size_t shown_max = style->rows_max * ROW_SIZE;
  if (row.bytes.size > shown_max) row.bytes.size = shown_max;
  char line[DESCRIBE_TEXT_MAX + 8];
  bool is_wrong = part->kind == PART_WRONG;
  snprintf(line, sizeof line, "%s%s", is_wrong ? "wrong: " : "", text);
  print_lines(&row, line, is_wrong ? STYLE_BAD : STYLE_PLAIN);
  while (row.at < row.bytes.size) {
    print_bytes(&row, false);
    fputc('\n', stream);
  }
  if (part->bytes.size > shown_max) {
    fprintf(stream, "%s      ... and %zu bytes more\n", style->indent, part->bytes.size - shown_max);
  }
}

/* "RFC 7252 3: "…"": what the rule is, or what the note says and where that stands. */
static void print_note(FILE *stream, const struct explain_style *style, const char *text, const char *section,
                       const char *rule) {
  char line[LINE_SIZE];
  struct row row = {.stream = stream, .style = style};
  if (text != NULL) {
    snprintf(line, sizeof line, "note: %s (%s)", text, section);
  } else if (style->has_rules) {
    snprintf(line, sizeof line, "%s: \"%s\"", section, rule);
  } else {
    snprintf(line, sizeof line, "%s", section);
  }
  print_lines(&row, line, text != NULL ? STYLE_WARNING : STYLE_BAD);
}

/* Every line of the text with the bytes that come beside it. */
static void print_lines(struct row *row, const char *text, enum style color) {
  size_t left = strlen(text), indent = strlen(row->style->indent);
  size_t room = COLUMNS - TEXT_COLUMN - indent;
  do {
    size_t size = terminal_break(text, left, room);
    print_bytes(row, true);
    fputs(color != STYLE_PLAIN ? terminal_style(row->stream, color) : "", row->stream);
    terminal_text(row->stream, (copal_bytes){(const uint8_t *)text, size}, false);
    fputs(color != STYLE_PLAIN ? terminal_style(row->stream, STYLE_PLAIN) : "", row->stream);
    fputc('\n', row->stream);
    for (text += size, left -= size; left > 0 && *text == ' '; --left) ++text;
  } while (left > 0);
}

/* The next bytes and the offset of the first one, or as many blanks. A part without bytes has its offset all the same.
 */
static void print_bytes(struct row *row, bool padded) {
  size_t count = row->bytes.size - row->at;
  if (count > ROW_SIZE) count = ROW_SIZE;
  fputs(row->style->indent, row->stream);
  if (count == 0) {
    fprintf(row->stream, "%*s", TEXT_COLUMN, "");
    return;
  }
  fprintf(row->stream, "%s%04zx%s ", terminal_style(row->stream, STYLE_FAINT), row->offset + row->at,
          terminal_style(row->stream, STYLE_PLAIN));
  for (size_t i = 0; i < count; ++i) fprintf(row->stream, " %02x", row->bytes.data[row->at + i]);
  if (padded) fprintf(row->stream, "%*s", (int)(3 * (ROW_SIZE - count)) + 2, "");
  row->at += count;
}

static void print_code(FILE *stream, const copal_view *view, size_t size) {
  char code[64];
  fprintf(stream, "%s%s %s%s, %zu bytes\n", terminal_style(stream, STYLE_BOLD), copal_type_name(view->type),
          describe_code(view->code, code, sizeof code), terminal_style(stream, STYLE_PLAIN), size);
}
