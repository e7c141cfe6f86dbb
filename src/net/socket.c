/* Sockets: made, bound, taken in, joined to groups. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"

static bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* --- Making one -------------------------------------------------------------------------------- */

/* A client that binds nothing reaches IPv4 and IPv6 through one socket, or IPv4 alone where the host has no IPv6. */
static int make_unbound(void) {
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) return fd;
  if (fd >= 0) close(fd);
  return socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static copal_error bind_to(int fd, const struct sockaddr_storage *address, socklen_t size) {
  return bind(fd, (const struct sockaddr *)address, size) == 0 ? COPAL_OK : COPAL_ERR_BIND;
}

copal_error net_make_socket(const copal_address *address, bool reuse_port, int *fd) {
  if (address->family == COPAL_FAMILY_NONE) {
    *fd = make_unbound();
    return *fd < 0 ? COPAL_ERR_SOCKET : COPAL_OK;
  }
  sa_family_t family = address->family == COPAL_FAMILY_IPV4 ? AF_INET : AF_INET6;
  *fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (*fd < 0) return COPAL_ERR_SOCKET;
  struct sockaddr_storage storage;
  socklen_t size = net_address_to(address, family, NULL, &storage);
  bool ok = !reuse_port || set(*fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (family == AF_INET6) ok = ok && set(*fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  copal_error error = ok ? bind_to(*fd, &storage, size) : COPAL_ERR_SOCKET;
  if (error == COPAL_OK) return COPAL_OK;
  int cause = errno;
  close(*fd);
  errno = cause;
  return error;
}

/* --- Taking one in ------------------------------------------------------------------------------- */

static bool is_wildcard(int fd, sa_family_t *family) {
  static const uint8_t zeros[16];
  struct sockaddr_storage storage = {0};
  socklen_t size = sizeof storage;
  if (getsockname(fd, (struct sockaddr *)&storage, &size) != 0) return false;
  *family = storage.ss_family;
  if (*family == AF_INET) return ((struct sockaddr_in *)&storage)->sin_addr.s_addr == htonl(INADDR_ANY);
  return *family == AF_INET6 && memcmp(&((struct sockaddr_in6 *)&storage)->sin6_addr, zeros, sizeof zeros) == 0;
}

static bool is_bound(int fd) {
  struct sockaddr_storage storage = {0};
  socklen_t size = sizeof storage;
  if (getsockname(fd, (struct sockaddr *)&storage, &size) != 0) return false;
  if (storage.ss_family == AF_INET) return ((struct sockaddr_in *)&storage)->sin_port != 0;
  if (storage.ss_family == AF_INET6) return ((struct sockaddr_in6 *)&storage)->sin6_port != 0;
  return size > offsetof(struct sockaddr_un, sun_path);
}

/* Each datagram then tells to which address and interface it came, and a reply can leave from there. */
static bool report_local(struct net_socket *taken) {
  taken->reports_local = true;
  if (taken->family == AF_INET6) return set(taken->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  return set(taken->fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/* Errors come with the datagram that caused them (RFC 7252 4.2 asks to check it); groups are heard only by sockets that
 * joined them. Best effort: a socket without these still works. */
static void report_errors(const struct net_socket *taken) {
  if (taken->family == AF_INET6) {
    set(taken->fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    set(taken->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  }
  set(taken->fd, IPPROTO_IP, IP_RECVERR, 1);
  set(taken->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
}

static copal_error prepare(struct net_socket *taken, bool has_segments) {
  int type, flags = fcntl(taken->fd, F_GETFL);
  socklen_t size = sizeof type;
  if (flags < 0 || getsockopt(taken->fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM)
    return COPAL_ERR_SOCKET;
  if (fcntl(taken->fd, F_SETFL, flags | O_NONBLOCK) != 0) return COPAL_ERR_SOCKET;
  bool wildcard = is_wildcard(taken->fd, &taken->family);
  if (taken->family == AF_UNIX) {
    /* An AF_UNIX socket without a name could not be answered: let the kernel choose one. */
    struct sockaddr_un unnamed = {.sun_family = AF_UNIX};
    if (!is_bound(taken->fd) && bind(taken->fd, (struct sockaddr *)&unnamed, sizeof unnamed.sun_family) != 0)
      return COPAL_ERR_BIND;
    return COPAL_OK;
  }
  if (taken->family != AF_INET && taken->family != AF_INET6) return COPAL_ERR_SOCKET;
  report_errors(taken);
  taken->segments = has_segments && set(taken->fd, IPPROTO_UDP, UDP_SEGMENT, 0);
  return !wildcard || !is_bound(taken->fd) || report_local(taken) ? COPAL_OK : COPAL_ERR_SOCKET;
}

/* -1 finds the first place that is free. */
static uint32_t find_socket(const struct net *net, int fd) {
  uint32_t index = 0;
  while (index < NET_SOCKETS_MAX && net->sockets[index].fd != fd) ++index;
  return index;
}

static copal_error take_in(struct net *net, uint32_t index, int fd, bool owned) {
  struct net_socket taken = {.fd = fd, .owned = owned};
  copal_error error = prepare(&taken, net->segments);
  if (error == COPAL_OK) error = net_watch(net, NET_WATCHED_SOCKETS + index, fd);
  if (error == COPAL_OK) net->sockets[index] = taken;
  return error;
}

copal_error net_add_socket(struct net *net, int fd, bool owned, uint32_t *index) {
  *index = find_socket(net, -1);
  return *index == NET_SOCKETS_MAX ? COPAL_ERR_SOCKETS_FULL : take_in(net, *index, fd, owned);
}

void net_remove_socket(struct net *net, uint32_t index) {
  struct net_socket *leaving = &net->sockets[index];
  net_unwatch(net, NET_WATCHED_SOCKETS + index);
  if (leaving->owned) close(leaving->fd);
  leaving->fd = -1;
  net->ready &= ~((uint32_t)1 << index);
  net->failed &= ~((uint32_t)1 << index);
}

copal_error copal_register(copal_endpoint *endpoint, int fd) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  if (fd < 0) return COPAL_ERR_SOCKET;
  uint32_t index = find_socket(net, fd);
  if (index < NET_SOCKETS_MAX && net->sockets[index].owned) return COPAL_OK;
  copal_error error = COPAL_OK;
  if (index < NET_SOCKETS_MAX) {
    /* It is the same one, whose peers know its place, or the program closed that one and the number came back. */
    net_remove_socket(net, index);
    error = take_in(net, index, fd, false);
  } else {
    error = net_add_socket(net, fd, false, &index);
  }
  if (error != COPAL_OK || net->sockets[index].family == AF_UNIX) return error;
  /* It may have joined groups: only the destination address tells. */
  if (report_local(&net->sockets[index])) return COPAL_OK;
  net_remove_socket(net, index);
  return COPAL_ERR_SOCKET;
}

copal_error copal_unregister(copal_endpoint *endpoint, int fd) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  uint32_t index = fd < 0 ? NET_SOCKETS_MAX : find_socket(net, fd);
  if (index == 0 || index == NET_SOCKETS_MAX) return COPAL_ERR_NOT_FOUND;
  net_remove_socket(net, index);
  return COPAL_OK;
}

int copal_socket(const copal_endpoint *endpoint) {
  const struct net *net = net_of(endpoint);
  return net == NULL ? -1 : net->sockets[0].fd;
}

copal_error copal_local_address(const copal_endpoint *endpoint, copal_address *address) {
  struct net *net = net_of(endpoint);
  struct sockaddr_storage storage = {0};
  socklen_t size = sizeof storage;
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  if (getsockname(net->sockets[0].fd, (struct sockaddr *)&storage, &size) != 0) return COPAL_ERR_SOCKET;
  net_address_from(address, &storage, size, &net->names);
  return COPAL_OK;
}

/* --- Groups ------------------------------------------------------------------------------------ */

static copal_error find_interface(const char *name, uint32_t *index) {
  *index = name == NULL ? 0 : if_nametoindex(name);
  return name != NULL && *index == 0 ? COPAL_ERR_INTERFACE : COPAL_OK;
}

static bool join(int fd, const copal_address *group, uint32_t interface) {
  if (group->family == COPAL_FAMILY_IPV4) {
    struct ip_mreqn request = {.imr_ifindex = (int)interface};
    memcpy(&request.imr_multiaddr, group->bytes, 4);
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0 || errno == EADDRINUSE;
  }
  struct ipv6_mreq request = {.ipv6mr_interface = interface};
  memcpy(&request.ipv6mr_multiaddr, group->bytes, 16);
  return setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof request) == 0 || errno == EADDRINUSE;
}

/* Whether the primary socket hears what is sent to a group: it must not be bound to a single address. */
static bool primary_hears(const struct net *net, const copal_address *group) {
  const struct net_socket *primary = &net->sockets[0];
  sa_family_t family;
  if (!is_bound(primary->fd) || !is_wildcard(primary->fd, &family)) return false;
  if (group->family == COPAL_FAMILY_IPV6) return family == AF_INET6;
  int only = 0;
  socklen_t size = sizeof only;
  return family == AF_INET || (getsockopt(primary->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0 && only == 0);
}

/* The socket that is bound to an address already, as by an earlier join; NET_SOCKETS_MAX for none. */
static uint32_t find_bound(const struct net *net, const struct sockaddr_storage *address, socklen_t size) {
  for (uint32_t index = 0; index < NET_SOCKETS_MAX; ++index) {
    struct sockaddr_storage bound = {0};
    socklen_t bound_size = sizeof bound;
    if (net->sockets[index].fd < 0) continue;
    if (getsockname(net->sockets[index].fd, (struct sockaddr *)&bound, &bound_size) != 0) continue;
    if (bound_size == size && memcmp(&bound, address, size) == 0) return index;
  }
  return NET_SOCKETS_MAX;
}

/* A socket bound to the group's own address and our port hears that group and nothing else. */
static copal_error join_beside(struct net *net, const copal_address *group, uint32_t interface) {
  copal_address own, address = *group;
  copal_error error = copal_local_address(net->endpoint, &own);
  if (error != COPAL_OK) return error;
  address.port = own.port != 0 ? own.port : 5683;
  if (address.family == COPAL_FAMILY_IPV6) address.scope = interface;
  sa_family_t family = group->family == COPAL_FAMILY_IPV4 ? AF_INET : AF_INET6;
  struct sockaddr_storage storage;
  socklen_t size = net_address_to(&address, family, NULL, &storage);
  uint32_t index = find_bound(net, &storage, size);
  if (index < NET_SOCKETS_MAX) return join(net->sockets[index].fd, group, interface) ? COPAL_OK : COPAL_ERR_SOCKET;
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return COPAL_ERR_SOCKET;
  if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !join(fd, group, interface))
    error = COPAL_ERR_SOCKET;
  else
    error = bind_to(fd, &storage, size);
  if (error == COPAL_OK) error = net_add_socket(net, fd, false, &index);
  if (error == COPAL_OK && !report_local(&net->sockets[index])) {
    net_remove_socket(net, index);
    error = COPAL_ERR_SOCKET;
  }
  if (error == COPAL_OK)
    net->sockets[index].owned = true;
  else
    close(fd);
  return error;
}

copal_error copal_join(copal_endpoint *endpoint, const char *group, const char *interface) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  copal_address address;
  uint32_t index;
  copal_error error = copal_address_parse(group, 0, &address);
  if (error == COPAL_OK && !copal_address_is_multicast(&address)) error = COPAL_ERR_ADDRESS;
  if (error == COPAL_OK) error = find_interface(interface, &index);
  if (error != COPAL_OK) return error;
  if (interface == NULL) index = address.scope;
  if (!primary_hears(net, &address)) return join_beside(net, &address, index);
  return join(net->sockets[0].fd, &address, index) ? COPAL_OK : COPAL_ERR_SOCKET;
}

copal_error copal_multicast_interface(copal_endpoint *endpoint, const char *interface) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  uint32_t index;
  copal_error error = find_interface(interface, &index);
  if (error != COPAL_OK) return error;
  const struct net_socket *primary = &net->sockets[0];
  struct ip_mreqn request = {.imr_ifindex = (int)index};
  bool ok = setsockopt(primary->fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) == 0;
  if (primary->family == AF_INET6) ok = set(primary->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index);
  return ok ? COPAL_OK : COPAL_ERR_SOCKET;
}
