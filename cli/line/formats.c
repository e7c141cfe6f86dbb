/* The names of Content-Formats as people type them. The registry is the library's. */
#include "cli/line/formats.h"

#include <stdio.h>
#include <string.h>

#include "cli/line/suggest.h"
#include "copal/message.h"

/* What copal_content_format_by_name takes beside media types and their second halves. */
static const char *const short_names[] = {"text", "link", "octets"};

enum { SHORT_NAMES = sizeof short_names / sizeof short_names[0] };

static void offer(struct suggestion *suggestion, const char *name, char *buffer);

bool format_next(struct format_walk *walk) {
  if (walk->index < SHORT_NAMES) {
    snprintf(walk->name, sizeof walk->name, "%s", short_names[walk->index++]);
    return true;
  }
  int number;
  while ((number = copal_content_format_at(walk->index - SHORT_NAMES)) >= 0) {
    ++walk->index;
    const char *type = copal_content_format_name((uint16_t)number), *slash = strchr(type, '/');
    snprintf(walk->name, sizeof walk->name, "%.*s", (int)strcspn(slash + 1, ";"), slash + 1);
    if (copal_content_format_by_name(walk->name) == number) return true;
  }
  return false;
}

const char *format_near(const char *typed, char buffer[FORMAT_NAME_MAX]) {
  struct suggestion suggestion = suggestion_for(typed);
  if (strchr(typed, '/') == NULL) {
    struct format_walk walk = {0};
    while (format_next(&walk)) offer(&suggestion, walk.name, buffer);
    return suggestion.name;
  }
  int number;
  for (size_t index = 0; (number = copal_content_format_at(index)) >= 0; ++index) {
    char type[FORMAT_NAME_MAX];
    const char *name = copal_content_format_name((uint16_t)number);
    snprintf(type, sizeof type, "%.*s", (int)strcspn(name, ";"), name);
    /* Some are registered with parameters only: without them the type is no answer. */
    if (copal_content_format_by_name(type) >= 0) offer(&suggestion, type, buffer);
  }
  return suggestion.name;
}

/* The name's bytes are another's soon. */
static void offer(struct suggestion *suggestion, const char *name, char *buffer) {
  suggestion_offer(suggestion, name);
  if (suggestion->name != name) return;
  snprintf(buffer, FORMAT_NAME_MAX, "%s", name);
  suggestion->name = buffer;
}
