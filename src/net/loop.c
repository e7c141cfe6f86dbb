/* One pass after the other: send what is due, wait for sockets or the next deadline, take in what came. The clock is
 * read here, once a batch, and nowhere else. */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"

enum { WAKE_EVENT = NET_SOCKETS_MAX };

copal_time copal_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (copal_time)now.tv_sec * COPAL_SECOND + (copal_time)now.tv_nsec;
}

static void flush(struct net *net, copal_time now) {
  size_t count;
  do {
    count = copal_endpoint_output(net->endpoint, now, net->datagrams_out, net->batch);
    if (count > 0) net_send(net, net->datagrams_out, count, now);
  } while (count == net->batch);
}

/* Gives the endpoint what was received. True when it handed out a message. Failed transmissions are told by their
 * records (copal_tx_get). */
static bool deliver(struct net *net, copal_time now, copal_rx *rx) {
  copal_event event;
  for (;;) {
    while (copal_endpoint_event(net->endpoint, &event)) {
      if (event.kind != COPAL_EVENT_MESSAGE || rx == NULL) continue;
      *rx = event.rx;
      return true;
    }
    if (net->in_taken == net->in_count) return false;
    net->in_taken += (uint32_t)copal_endpoint_input(net->endpoint, now, net->datagrams_in + net->in_taken,
                                                    net->in_count - net->in_taken);
  }
}

/* Receives from each socket that has something. True when a message was handed out. */
static bool receive(struct net *net, copal_time now, copal_rx *rx) {
  for (uint32_t socket = 0; socket < NET_SOCKETS_MAX; ++socket) {
    uint32_t bit = (uint32_t)1 << socket;
    if ((net->failed & bit) != 0) net_read_errors(net, socket, now);
    if ((net->ready & bit) == 0) continue;
    net_receive(net, socket, now);
    if (deliver(net, now, rx)) return true;
  }
  return false;
}

static bool take_wake(struct net *net) {
  uint64_t count;
  return read(net->wake, &count, sizeof count) == sizeof count;
}

/* Waits until something is readable, or for `wait` ns. Sets *woken after copal_wake. Returns COPAL_ERR_INTERRUPTED for
 * a signal, COPAL_ERR_SOCKET for an error that should not be. */
static copal_error await(struct net *net, copal_time wait, bool *woken) {
  struct epoll_event events[NET_SOCKETS_MAX + 1];
  struct timespec timeout = {(time_t)(wait / COPAL_SECOND), (long)(wait % COPAL_SECOND)};
  int count = epoll_pwait2(net->epoll, events, NET_SOCKETS_MAX + 1, wait == COPAL_NEVER ? NULL : &timeout, NULL);
  if (count < 0) return errno == EINTR ? COPAL_ERR_INTERRUPTED : COPAL_ERR_SOCKET;
  for (int i = 0; i < count; ++i) {
    uint32_t index = events[i].data.u32;
    if (index == WAKE_EVENT) {
      *woken = take_wake(net);
      continue;
    }
    if ((events[i].events & EPOLLIN) != 0) net->ready |= (uint32_t)1 << index;
    if ((events[i].events & EPOLLERR) != 0) net->failed |= (uint32_t)1 << index;
  }
  return COPAL_OK;
}

static copal_time time_left(const struct net *net, copal_time end, copal_time now) {
  copal_time deadline = copal_endpoint_deadline(net->endpoint);
  if (deadline > end) deadline = end;
  if (net->ready != 0 || net->failed != 0 || deadline <= now) return 0;
  return deadline == COPAL_NEVER ? COPAL_NEVER : deadline - now;
}

int net_process(struct net *net, copal_time timeout, copal_rx *rx, const bool *done) {
  copal_time now = copal_now();
  copal_time end = timeout >= COPAL_NEVER - now ? COPAL_NEVER : now + timeout;
  bool woken = false, last = false;
  for (;;) {
    /* What an earlier pass received comes first: two readable sockets in one pass lose nothing. */
    bool message = deliver(net, now, rx);
    flush(net, now);
    if (message) return 1;
    if (done != NULL && *done) return 0;
    if (last) return 0;
    copal_error error = await(net, time_left(net, end, now), &woken);
    if (error != COPAL_OK) return error;
    now = copal_now();
    last = now >= end;
    message = receive(net, now, rx);
    if (message) {
      flush(net, now);
      return 1;
    }
    if (woken) {
      flush(net, now);
      return COPAL_ERR_INTERRUPTED;
    }
  }
}

int copal_process(copal_endpoint *endpoint, copal_time timeout, copal_rx *rx) {
  struct net *net = net_of(endpoint);
  return net == NULL ? COPAL_ERR_NOT_HOSTED : net_process(net, timeout, rx, NULL);
}

int copal_run(copal_endpoint *endpoint) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_ERR_NOT_HOSTED;
  int result = 0;
  while (!atomic_load(&net->stopped) && (result >= 0 || result == COPAL_ERR_INTERRUPTED))
    result = net_process(net, COPAL_NEVER, NULL, NULL);
  atomic_store(&net->stopped, false);
  return result == COPAL_ERR_INTERRUPTED ? 0 : result;
}

void copal_wake(copal_endpoint *endpoint) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return;
  const uint64_t one = 1;
  int cause = errno;
  /* The only failure is a counter that is full, which wakes as well. */
  ssize_t ignored = write(net->wake, &one, sizeof one);
  (void)ignored;
  errno = cause;
}

void copal_stop(copal_endpoint *endpoint) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return;
  atomic_store(&net->stopped, true);
  copal_wake(endpoint);
}

int copal_fd(const copal_endpoint *endpoint) {
  const struct net *net = net_of(endpoint);
  return net == NULL ? -1 : net->epoll;
}

copal_time copal_timeout(const copal_endpoint *endpoint) {
  const struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_NEVER;
  if (net->in_taken < net->in_count) return 0;
  return time_left(net, COPAL_NEVER, copal_now());
}
