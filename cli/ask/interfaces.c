/* The network interfaces that requests to groups may leave by. */
#include "cli/ask/interfaces.h"

#include <ifaddrs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_listed(const struct interfaces *interfaces, const char *name);

void interfaces_list(struct interfaces *interfaces) {
  struct ifaddrs *addresses;
  interfaces->count = 0;
  if (getifaddrs(&addresses) != 0) return;
  for (const struct ifaddrs *entry = addresses; entry != NULL; entry = entry->ifa_next) {
    bool good = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_MULTICAST) != 0;
    /* An interface has an entry for each of its addresses. */
    if (!good || interfaces->count == INTERFACES_MAX || is_listed(interfaces, entry->ifa_name)) continue;
    snprintf(interfaces->names[interfaces->count++], IF_NAMESIZE, "%s", entry->ifa_name);
  }
  freeifaddrs(addresses);
}

static bool is_listed(const struct interfaces *interfaces, const char *name) {
  for (size_t i = 0; i < interfaces->count; ++i) {
    if (strcmp(interfaces->names[i], name) == 0) return true;
  }
  return false;
}
