/* What "copal serve" can serve: the demonstration, the files of a folder, the resources of the plugtests. One site
 * serves all endpoints of the command. Each function is called in every thread that serves, and its state is that
 * thread's own but for what the site shares. */
#ifndef COPAL_CLI_SERVE_SITE_H
#define COPAL_CLI_SERVE_SITE_H

#include "cli/line/settings.h"
#include "cli/line/status.h"
#include "copal/net.h"

struct site {
  /* Gets ready before the first endpoint is opened; complains where it cannot. */
  enum status (*open)(const struct settings *settings);
  /* Changes what the endpoints are opened with; NULL where the defaults suit. */
  void (*configure)(copal_config *config);
  /* Registers the resources on an endpoint. Errors as copal_route. */
  copal_error (*attach)(copal_endpoint *endpoint);
  /* When there is something to do by itself, COPAL_NEVER for no such time, */
  copal_time (*deadline)(void);
  /* and a descriptor that is readable when there is; NULL where the site needs none. */
  int (*descriptor)(void);
  /* Does what is due; called in every pass of the loop. */
  void (*work)(copal_time now);
  /* Lets go of what handlers hold until their requests are done with; NULL where that is nothing. */
  void (*settle)(void);
  /* The server ends at that time at the latest: what is owed until then is answered, and nothing is postponed any more.
   * NULL where nothing ever is. */
  void (*finish)(copal_time end);
  /* Ends it, after the last endpoint was closed; NULL where nothing is left to do. */
  void (*close)(void);
};

extern const struct site demo_site, files_site, plugtest_site;

#endif
