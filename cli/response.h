/* A response, shown: its status line and options on standard error, its body on standard output or in a file. */
#ifndef COPAL_CLI_RESPONSE_H
#define COPAL_CLI_RESPONSE_H

#include "cli/settings.h"
#include "cli/status.h"
#include "copal/net.h"

/* Where a response came from and how long it took. */
struct response_origin {
  const char *command; /* for complaints */
  const char *peer;    /* its address as text; shown where several may answer, else NULL */
  copal_time round_trip;
};

/* Shows a response and returns the exit status that it stands for, or STATUS_LOCAL after a complaint. The status line
 * is left out where nobody looks on: standard output and error are no terminals, the answer is 2.xx and --verbose was
 * not given. The body of a 4.xx or 5.xx is a diagnostic (RFC 7252 5.5.2) and goes to standard error. */
enum status response_show(const copal_view *response, const struct response_origin *origin,
                          const struct settings *settings);

#endif
