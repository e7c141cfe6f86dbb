// Uses the installed library from C++: every public header, with C++'s stricter rules and C linkage.
#include <copal/copal.h>
#include <copal/error.h>
#include <copal/message.h>
#include <copal/net.h>
#include <copal/rest.h>

#include <cstring>

int main() {
  const copal_config config = copal_config_small();
  const copal_tx none = {0, 0};
  if (std::strcmp(copal_version(), COPAL_VERSION) != 0) return 1;
  if (copal_endpoint_size(&config) == 0) return 2;
  return copal_tx_none(none) ? 0 : 3;
}
