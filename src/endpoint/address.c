/* What can be told of an address by its bytes alone. */
#include <string.h>

#include "copal/copal.h"

bool copal_address_is_multicast(const copal_address *address) {
  switch (address->family) {
    case COPAL_FAMILY_IPV4: return (address->bytes[0] & 0xf0) == 0xe0;
    case COPAL_FAMILY_IPV6: return address->bytes[0] == 0xff;
  }
  return false;
}

bool copal_address_equal(const copal_address *a, const copal_address *b) { return memcmp(a, b, sizeof *a) == 0; }
