/* One pass after the other: send what is due, wait for sockets or the next deadline, take in what came. The clock is
 * read here, once a batch, and nowhere else. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"

enum { ROUNDS_MAX = 8 };

copal_time copal_now(void) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (copal_time)now.tv_sec * COPAL_SECOND + (copal_time)now.tv_nsec;
}

/* Where the call fails, as in a container that forbids it, no time passes; none that goes back, and is waited for. */
static copal_time read_clock(const struct net *net) {
  copal_time now = copal_now(), latest = net->endpoint->engine.now;
  return now > latest ? now : latest;
}

/* True where more is due. */
static bool flush_batch(struct net *net, copal_time now) {
  size_t count = copal_endpoint_output(net->endpoint, now, net->datagrams_out, net->batch);
  net_trace(net, COPAL_TRACE_DECIDED, NULL, now);
  if (count > 0) net_send(net, net->datagrams_out, count, now);
  return count == net->batch && copal_endpoint_deadline(net->endpoint) <= now;
}

static void flush(struct net *net, copal_time now) {
  while (flush_batch(net, now)) continue;
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
    const copal_datagram *next = &net->datagrams_in[net->in_taken];
    net->in_taken += (uint32_t)copal_endpoint_input(net->endpoint, now, next, net->in_count - net->in_taken);
    net_trace(net, COPAL_TRACE_DECIDED, next, now);
  }
}

/* Receives from each socket that has something. True when a message was handed out: the next socket then has the next
 * turn, lest a busy one keep the others waiting. */
static bool receive(struct net *net, copal_time now, copal_rx *rx) {
  for (uint32_t i = 0; i < NET_SOCKETS_MAX; ++i) {
    uint32_t socket = net->turn, bit = (uint32_t)1 << socket;
    net->turn = (socket + 1) % NET_SOCKETS_MAX;
    if ((net->failed & bit) != 0) net_read_errors(net, socket, now);
    if ((net->ready & bit) == 0) continue;
    net_receive(net, socket, now);
    if (deliver(net, now, rx)) return true;
  }
  return false;
}

static void take_wake(struct net *net) {
  uint64_t count;
  if (read(net->watched[NET_WATCHED_WAKE].fd, &count, sizeof count) == sizeof count) net->woken = true;
}

/* What the program closed without unregistering it is gone: polled, it would end every wait at once. */
static void take_events(struct net *net, uint32_t socket, short events) {
  uint32_t bit = (uint32_t)1 << socket;
  if ((events & POLLIN) != 0) net->ready |= bit;
  if ((events & POLLERR) != 0) net->failed |= bit;
  if ((events & POLLNVAL) != 0) net_remove_socket(net, socket);
}

/* Waits until something is readable, or for `wait` ns. COPAL_ERR_SOCKET for an error that should not be. Not by epoll,
 * which is called back for each datagram that is sent or received: decision 0017. */
static copal_error await(struct net *net, copal_time wait) {
  struct timespec timeout = {(time_t)(wait / COPAL_SECOND), (long)(wait % COPAL_SECOND)};
  int count = ppoll(net->watched, COPAL_FDS_MAX, wait == COPAL_NEVER ? NULL : &timeout, NULL);
  if (count < 0 && errno != EINTR) return COPAL_ERR_SOCKET;
  if (count < 0) {
    /* A signal wakes as copal_wake does; where its handler called that, the two are one. */
    take_wake(net);
    net->woken = true;
    return COPAL_OK;
  }
  if (count > 0 && net->watched[NET_WATCHED_WAKE].revents != 0) take_wake(net);
  for (uint32_t i = 0; count > 0 && i < NET_SOCKETS_MAX; ++i)
    take_events(net, i, net->watched[NET_WATCHED_SOCKETS + i].revents);
  return COPAL_OK;
}

static copal_time time_left(const struct net *net, copal_time end, copal_time now) {
  copal_time deadline = copal_endpoint_deadline(net->endpoint);
  if (deadline > end) deadline = end;
  if (net->ready != 0 || net->failed != 0 || net->woken || deadline <= now) return 0;
  return deadline == COPAL_NEVER ? COPAL_NEVER : deadline - now;
}

static bool is_set(const bool *done) { return done != NULL && *done; }

/* Each pass receives before it sends: after a pause, an answer that has come already must not be given up, nor asked
 * for again. While more than a batch is due, all that came is taken in before the next one goes: what many peers answer
 * at a time would overflow the socket's buffer. What an earlier call received comes first of all: two readable sockets
 * in one pass lose nothing. */
int net_process(struct net *net, copal_time timeout, copal_rx *rx, const bool *done) {
  copal_time now = read_clock(net);
  copal_time end = timeout >= COPAL_NEVER - now ? COPAL_NEVER : now + timeout;
  bool message = deliver(net, now, rx);
  bool more = false;
  for (copal_time wait = 0; !message; wait = more ? 0 : time_left(net, end, now)) {
    copal_error error = await(net, wait);
    if (error != COPAL_OK) return error;
    now = read_clock(net);
    for (int round = 0; round < (more ? ROUNDS_MAX : 1) && !message && (round == 0 || net->ready != 0); ++round)
      message = receive(net, now, rx);
    if (message) break;
    more = flush_batch(net, now);
    if (more && (is_set(done) || net->woken)) flush(net, now);
    if (is_set(done)) return 0;
    if (net->woken) {
      net->woken = false;
      return COPAL_ERR_INTERRUPTED;
    }
    if (now >= end) return 0;
  }
  flush(net, now);
  return 1;
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
  ssize_t ignored = write(net->watched[NET_WATCHED_WAKE].fd, &one, sizeof one);
  (void)ignored;
  errno = cause;
}

void copal_stop(copal_endpoint *endpoint) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return;
  atomic_store(&net->stopped, true);
  copal_wake(endpoint);
}

copal_time copal_timeout(const copal_endpoint *endpoint) {
  const struct net *net = net_of(endpoint);
  if (net == NULL) return COPAL_NEVER;
  if (net->in_taken < net->in_count) return 0;
  return time_left(net, COPAL_NEVER, read_clock(net));
}
