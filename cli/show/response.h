/* A response, shown: its status line, options and diagnostic on standard error, its body on standard output. */
#ifndef COPAL_CLI_SHOW_RESPONSE_H
#define COPAL_CLI_SHOW_RESPONSE_H

#include "cli/line/settings.h"
#include "cli/line/status.h"
#include "copal/net.h"

/* A response, and where it came from. */
struct answer {
  const copal_view *message; /* its code and options; of a body in blocks, those of the last one */
  copal_bytes body;          /* what there is of the body here */
  uint64_t body_size;        /* bytes of the whole */
  const char *peer;          /* its address as text; shown where several may answer, else NULL */
  copal_time round_trip;     /* COPAL_NEVER: it answers nothing that was just asked; none is shown */
};

/* Shows all but the body and returns the exit status that the response stands for. The status line is left out where
 * nobody looks on: standard output and error are no terminals, the answer is 2.xx and --verbose was not given. The body
 * of a 4.xx or 5.xx is a diagnostic (RFC 7252 5.5.2), which is shown here. */
enum status response_show(const struct answer *answer, const struct settings *settings);

/* Shows a body on standard output: to a program as it is, to a person readable for its Content-Format. */
void response_show_body(copal_bytes body, uint32_t content_format);

#endif
