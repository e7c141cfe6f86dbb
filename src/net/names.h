/* Names of AF_UNIX peers, so that an address stays a few bytes: an address holds a number, and this table the name.
 * Bounded; the oldest name makes room, and its number is then nobody's. */
#ifndef COPAL_NET_NAMES_H
#define COPAL_NET_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

enum { NET_NAMES_MAX = 256, NET_NAME_SIZE_MAX = 108 };

struct net_name {
  uint32_t number; /* 0: free */
  uint32_t size;
  char text[NET_NAME_SIZE_MAX]; /* an abstract name begins with NUL */
};

struct net_names {
  struct net_name names[NET_NAMES_MAX];
  uint32_t last; /* number given */
};

/* The address for a name, known or new. */
copal_address net_name_intern(struct net_names *names, const char *text, size_t size);

/* The name of an address, or NULL when it had to make room. */
const struct net_name *net_name_find(const struct net_names *names, const copal_address *address);

#endif
