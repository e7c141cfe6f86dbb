/* What is waited for, and how somebody else's event loop waits for it: a list for ppoll, and, once somebody asked for
 * the one descriptor that stands for all, an epoll with the same in it. Must not know what is received. */
#include <sys/epoll.h>
#include <unistd.h>

#include "net/net.h"

static bool epoll_add(const struct net *net, int fd) {
  struct epoll_event event = {.events = EPOLLIN};
  return epoll_ctl(net->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

copal_error net_watch(struct net *net, uint32_t place, int fd) {
  if (net->epoll >= 0 && !epoll_add(net, fd)) return COPAL_ERR_SOCKET;
  net->watched[place].fd = fd;
  return COPAL_OK;
}

/* What it said last is about the one that was there. */
void net_unwatch(struct net *net, uint32_t place) {
  if (net->epoll >= 0) epoll_ctl(net->epoll, EPOLL_CTL_DEL, net->watched[place].fd, NULL);
  net->watched[place] = (struct pollfd){.fd = -1, .events = POLLIN};
}

int copal_fd(const copal_endpoint *endpoint) {
  struct net *net = net_of(endpoint);
  if (net == NULL || net->epoll >= 0) return net == NULL ? -1 : net->epoll;
  net->epoll = epoll_create1(EPOLL_CLOEXEC);
  bool ok = net->epoll >= 0;
  for (uint32_t i = 0; ok && i < COPAL_FDS_MAX; ++i) ok = net->watched[i].fd < 0 || epoll_add(net, net->watched[i].fd);
  if (ok || net->epoll < 0) return net->epoll;
  close(net->epoll);
  return net->epoll = -1;
}

size_t copal_fds(const copal_endpoint *endpoint, int fds[COPAL_FDS_MAX]) {
  const struct net *net = net_of(endpoint);
  size_t count = 0;
  for (uint32_t i = 0; net != NULL && i < COPAL_FDS_MAX; ++i)
    if (net->watched[i].fd >= 0) fds[count++] = net->watched[i].fd;
  return count;
}
