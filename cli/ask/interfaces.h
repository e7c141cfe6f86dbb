/* The network interfaces that requests to groups may leave by. */
#ifndef COPAL_CLI_ASK_INTERFACES_H
#define COPAL_CLI_ASK_INTERFACES_H

#include <net/if.h>
#include <stddef.h>

enum { INTERFACES_MAX = 16 };

struct interfaces {
  char names[INTERFACES_MAX][IF_NAMESIZE];
  size_t count; /* of a machine with more, the first ones */
};

/* Those that are up and take packets to groups. None may be. */
void interfaces_list(struct interfaces *interfaces);

#endif
