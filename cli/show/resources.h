/* What a host has, as copal discover shows it: a tree for people, JSON for programs. */
#ifndef COPAL_CLI_SHOW_RESOURCES_H
#define COPAL_CLI_SHOW_RESOURCES_H

#include "cli/line/settings.h"
#include "cli/line/status.h"
#include "cli/show/links.h"
#include "copal/rest.h"

/* An answer to a discovery. */
struct finding {
  const copal_view *message;
  copal_bytes body;
  const char *peer; /* who answered, as text */
  uint64_t body_size;
  copal_time round_trip;
  const struct link_filters *filters;
};

/* Shows it on standard output, and what is wrong with it. Returns the exit status that it stands for. */
enum status resources_show(const struct finding *finding, const struct settings *settings);

/* Says as JSON that peer did not answer, or not fully, and why, as a sentence. peer is NULL where its name is not
 * found.
 */
void resources_failed(const char *peer, copal_error error, const char *text, enum status status);

#endif
