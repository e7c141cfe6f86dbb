/* A link-format document as a list for people. Whatever it holds came from a peer and is written harmlessly. */
#include "cli/show/links.h"

#include "cli/show/terminal.h"

enum { TARGET_WIDTH_MAX = 40 };

static int target_width(copal_bytes document);
static void print_attributes(FILE *stream, copal_bytes parameters);

int links_print(FILE *stream, copal_bytes document, const char *before) {
  int width = target_width(document), count = 0, result;
  copal_link link;
  while ((result = copal_link_next(&document, &link)) > 0) {
    fprintf(stream, "%s%s", before, terminal_style(stream, STYLE_BOLD));
    terminal_text(stream, link.target, false);
    fputs(terminal_style(stream, STYLE_PLAIN), stream);
    if (link.parameters.size > 0) {
      int pad = width - (int)link.target.size;
      fprintf(stream, "%*s", pad > 0 ? pad : 0, "");
      print_attributes(stream, link.parameters);
    }
    fputc('\n', stream);
    ++count;
  }
  return result < 0 ? result : count;
}

static int target_width(copal_bytes document) {
  size_t width = 0;
  copal_link link;
  while (copal_link_next(&document, &link) > 0) {
    if (link.target.size > width) width = link.target.size;
  }
  return (int)(width < TARGET_WIDTH_MAX ? width : TARGET_WIDTH_MAX);
}

static void print_attributes(FILE *stream, copal_bytes parameters) {
  copal_link_parameter parameter;
  while (copal_link_parameter_next(&parameters, &parameter) > 0) {
    fputs("  ", stream);
    terminal_text(stream, parameter.name, false);
    if (!parameter.has_value) continue;
    fputs(parameter.quoted ? "=\"" : "=", stream);
    terminal_text(stream, parameter.value, false);
    if (parameter.quoted) fputc('"', stream);
  }
}
