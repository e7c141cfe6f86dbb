/* Uses the installed library from C: something of the message layer, of the endpoint and of the host. */
#include <copal/copal.h>
#include <copal/message.h>
#include <copal/net.h>
#include <copal/rest.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  copal_config config = copal_config_small();
  if (strcmp(copal_version(), COPAL_VERSION) != 0) return 1;
  if (copal_endpoint_size(&config) == 0) return 2;
  if (copal_now() == COPAL_NEVER) return 3;
  printf("copal %s: %s\n", copal_version(), copal_error_text(COPAL_ERR_TIMEOUT));
  return 0;
}
