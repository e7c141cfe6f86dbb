/* Sockets of clients. Knows no CoAP. On the IPv4 loopback the socket is bound to no address, each datagram says from
 * which one it leaves (IP_PKTINFO), and whatever comes to any of them comes to this socket. Elsewhere a socket is
 * connected, so that nobody else is heard. */
#include "cli/load/wires.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* after <time.h>, whose struct timespec they use */
#include <linux/errqueue.h>
#include <linux/sock_diag.h>

enum {
  FIRST_SOURCE = 0x7f010001,
  STRIDE_SPARE = 192, /* so that the first lines of a batch's datagrams do not share a cache set */
  DATAGRAM_MAX = 65536,
  CONTROL_MAX = 64,
  BUFFER_SIZE = 4 << 20, /* of the system, for what is received while we send */
  SEND_TRIES_MAX = 8
};

struct wires_batch {
  struct mmsghdr messages[WIRES_BATCH];
  struct iovec vectors[WIRES_BATCH];
  struct sockaddr_storage addresses[WIRES_BATCH]; /* of a receiving batch */
  _Alignas(struct cmsghdr) uint8_t controls[WIRES_BATCH][CONTROL_MAX];
  size_t stride;
  uint8_t buffers[];
};

static bool allow_sockets(uint32_t count);
static int open_socket(const struct wires *wires);
static socklen_t remote_of(const copal_address *address, struct sockaddr_storage *storage);
static struct wires_batch *make_batch(const struct wires *wires, size_t size_max, bool receiving);
static size_t receive_from(struct wires *wires, uint32_t socket, struct arrival arrivals[WIRES_BATCH], bool *more);
static uint32_t client_of(const struct wires *wires, uint32_t socket, struct msghdr *header);
static bool is_from_server(const struct wires *wires, uint32_t place);
static bool recovers(struct wires *wires, int fd, int cause, unsigned tries);

bool wires_is_loopback(const copal_address *remote) {
  return remote->family == COPAL_FAMILY_IPV4 && remote->bytes[0] == 127;
}

bool wires_open(struct wires *wires, const copal_address *remote, uint32_t clients, uint32_t sources, size_t size_max) {
  memset(wires, 0, sizeof *wires);
  wires->poll = -1;
  wires->sources = sources;
  uint32_t needed = (clients + sources - 1) / sources;
  wires->remote_size = remote_of(remote, &wires->remote);
  wires->sockets = calloc(needed, sizeof *wires->sockets);
  wires->sending = make_batch(wires, size_max, false);
  wires->receiving = make_batch(wires, DATAGRAM_MAX, true);
  if (wires->sockets == NULL || wires->sending == NULL || wires->receiving == NULL) return false;
  if (needed > 1 && (!allow_sockets(needed) || (wires->poll = epoll_create1(EPOLL_CLOEXEC)) < 0)) return false;
  while (wires->count < needed) {
    int fd = open_socket(wires);
    if (fd < 0) return false;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = wires->count};
    wires->sockets[wires->count++] = fd;
    if (wires->poll >= 0 && epoll_ctl(wires->poll, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  }
  return true;
}

void wires_close(struct wires *wires) {
  for (uint32_t i = 0; i < wires->count; ++i) close(wires->sockets[i]);
  if (wires->count > 0 && wires->poll >= 0) close(wires->poll);
  free(wires->sockets);
  free(wires->sending);
  free(wires->receiving);
  memset(wires, 0, sizeof *wires);
}

/* --- Out ---------------------------------------------------------------------------------------- */

uint8_t *wires_room(struct wires *wires, uint32_t client) {
  uint32_t socket = client / wires->sources;
  if (wires->queued == WIRES_BATCH || (wires->queued > 0 && socket != wires->queued_through)) wires_flush(wires);
  return wires->sending->vectors[wires->queued].iov_base;
}

void wires_send(struct wires *wires, uint32_t client, size_t size) {
  struct wires_batch *batch = wires->sending;
  wires->queued_through = client / wires->sources;
  batch->vectors[wires->queued].iov_len = size;
  if (wires->sources > 1) {
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(FIRST_SOURCE + client % wires->sources)};
    memcpy(CMSG_DATA((struct cmsghdr *)(void *)batch->controls[wires->queued]), &info, sizeof info);
  }
  ++wires->queued;
  wires->sent_size += size;
}

void wires_flush(struct wires *wires) {
  struct mmsghdr *messages = wires->sending->messages;
  uint32_t done = 0;
  unsigned tries = 0;
  while (done < wires->queued) {
    int fd = wires->sockets[wires->queued_through];
    int result = sendmmsg(fd, messages + done, wires->queued - done, MSG_DONTWAIT);
    if (result > 0) {
      done += (uint32_t)result;
      wires->sent += (uint32_t)result;
      tries = 0;
    } else if (!recovers(wires, fd, errno, ++tries)) {
      wires->error = errno;
      ++wires->failed;
      ++done;
      tries = 0;
    }
  }
  wires->queued = 0;
}

/* Whether it is worth another try at once. An ICMP error is told by the next call on the socket, whatever that one is
 * about. */
static bool recovers(struct wires *wires, int fd, int cause, unsigned tries) {
  if (tries > SEND_TRIES_MAX) return false;
  if (cause == EINTR) return true;
  if (cause == ECONNREFUSED || cause == EHOSTUNREACH || cause == ENETUNREACH) {
    wires->has_errors = true;
    return true;
  }
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  return cause == EAGAIN && poll(&writable, 1, 10) > 0;
}

/* --- In ----------------------------------------------------------------------------------------- */

size_t wires_receive(struct wires *wires, struct arrival arrivals[WIRES_BATCH]) {
  bool more;
  if (wires->poll < 0) return receive_from(wires, 0, arrivals, &more);
  if (wires->ready_count == 0) {
    struct epoll_event events[WIRES_BATCH];
    int count = epoll_wait(wires->poll, events, WIRES_BATCH, 0);
    for (int i = 0; i < count; ++i) wires->ready[wires->ready_count++] = events[i].data.u32;
  }
  while (wires->ready_count > 0) {
    uint32_t socket = wires->ready[wires->ready_count - 1];
    size_t count = receive_from(wires, socket, arrivals, &more);
    if (!more) --wires->ready_count;
    if (count > 0) return count;
  }
  return 0;
}

void wires_wait(struct wires *wires, copal_time timeout) {
  if (wires->ready_count > 0) return;
  struct pollfd readable = {.fd = wires->poll >= 0 ? wires->poll : wires->sockets[0], .events = POLLIN};
  struct timespec span = {(time_t)(timeout / COPAL_SECOND), (long)(timeout % COPAL_SECOND)};
  (void)ppoll(&readable, 1, timeout == COPAL_NEVER ? NULL : &span, NULL);
}

static size_t receive_from(struct wires *wires, uint32_t socket, struct arrival arrivals[WIRES_BATCH], bool *more) {
  struct wires_batch *batch = wires->receiving;
  bool many = wires->sources > 1;
  for (uint32_t i = 0; many && i < WIRES_BATCH; ++i) {
    batch->messages[i].msg_hdr.msg_namelen = sizeof batch->addresses[i];
    batch->messages[i].msg_hdr.msg_controllen = CONTROL_MAX;
  }
  int count = recvmmsg(wires->sockets[socket], batch->messages, WIRES_BATCH, MSG_DONTWAIT, NULL);
  *more = count == WIRES_BATCH;
  if (count < 0 && errno != EAGAIN && errno != EINTR) wires->has_errors = true;
  size_t taken = 0;
  for (int i = 0; i < count; ++i) {
    size_t size = batch->messages[i].msg_len;
    if (many && !is_from_server(wires, (uint32_t)i)) continue;
    uint32_t client = client_of(wires, socket, &batch->messages[i].msg_hdr);
    arrivals[taken++] = (struct arrival){batch->vectors[i].iov_base, size, client};
    ++wires->received;
    wires->received_size += size;
  }
  return taken;
}

/* By the address that it came to. Whoever made one up gets a client that is none. */
static uint32_t client_of(const struct wires *wires, uint32_t socket, struct msghdr *header) {
  uint32_t first = socket * wires->sources;
  if (wires->sources == 1) return first;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level != IPPROTO_IP || control->cmsg_type != IP_PKTINFO) continue;
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(control), sizeof info);
    uint32_t source = ntohl(info.ipi_addr.s_addr) - FIRST_SOURCE;
    return source < wires->sources ? first + source : UINT32_MAX;
  }
  return UINT32_MAX;
}

static bool is_from_server(const struct wires *wires, uint32_t place) {
  const struct sockaddr_in *sender = (const struct sockaddr_in *)&wires->receiving->addresses[place];
  const struct sockaddr_in *server = (const struct sockaddr_in *)&wires->remote;
  return sender->sin_port == server->sin_port && sender->sin_addr.s_addr == server->sin_addr.s_addr;
}

size_t wires_error(struct wires *wires, void *quote, size_t capacity) {
  for (uint32_t i = 0; wires->has_errors && i < wires->count; ++i) {
    struct iovec vector = {quote, capacity};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t size = recvmsg(wires->sockets[i], &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size > 0) return (size_t)size;
  }
  wires->has_errors = false;
  return 0;
}

uint64_t wires_overrun(const struct wires *wires) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < wires->count; ++i) {
    uint32_t facts[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof facts;
    if (getsockopt(wires->sockets[i], SOL_SOCKET, SO_MEMINFO, facts, &size) == 0) sum += facts[SK_MEMINFO_DROPS];
  }
  return sum;
}

/* --- Making it ---------------------------------------------------------------------------------- */

static bool allow_sockets(uint32_t count) {
  struct rlimit limit;
  rlim_t needed = (rlim_t)count + 32;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= needed) return true;
  limit.rlim_cur = needed;
  if (limit.rlim_max < needed) limit.rlim_max = needed;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int open_socket(const struct wires *wires) {
  sa_family_t family = wires->remote.ss_family;
  int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int yes = 1, size = BUFFER_SIZE;
  /* Best effort: with less room, more is lost here, and that is counted. */
  if (wires->count < 64 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  (void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof yes);
  if (family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof yes);
  bool is_fine;
  if (wires->sources > 1) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    is_fine = setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes) == 0 &&
              bind(fd, (const struct sockaddr *)&any, sizeof any) == 0;
  } else {
    is_fine = connect(fd, (const struct sockaddr *)&wires->remote, wires->remote_size) == 0;
  }
  if (is_fine) return fd;
  int cause = errno;
  close(fd);
  errno = cause;
  return -1;
}

static socklen_t remote_of(const copal_address *address, struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  if (address->family == COPAL_FAMILY_IPV4) {
    struct sockaddr_in *in = (struct sockaddr_in *)storage;
    in->sin_family = AF_INET;
    in->sin_port = htons(address->port);
    memcpy(&in->sin_addr, address->bytes, 4);
    return sizeof *in;
  }
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(address->port);
  in6->sin6_scope_id = address->scope;
  memcpy(&in6->sin6_addr, address->bytes, 16);
  return sizeof *in6;
}

static struct wires_batch *make_batch(const struct wires *wires, size_t size_max, bool receiving) {
  size_t stride = size_max + STRIDE_SPARE;
  struct wires_batch *batch = calloc(1, sizeof *batch + WIRES_BATCH * stride);
  if (batch == NULL) return NULL;
  bool many = wires->sources > 1;
  for (size_t i = 0; i < WIRES_BATCH; ++i) {
    struct msghdr *header = &batch->messages[i].msg_hdr;
    batch->vectors[i] = (struct iovec){batch->buffers + i * stride, size_max};
    *header = (struct msghdr){.msg_iov = &batch->vectors[i], .msg_iovlen = 1};
    if (!many) continue;
    header->msg_name = receiving ? (void *)&batch->addresses[i] : (void *)(uintptr_t)&wires->remote;
    header->msg_namelen = receiving ? sizeof batch->addresses[i] : wires->remote_size;
    header->msg_control = batch->controls[i];
    header->msg_controllen = receiving ? CONTROL_MAX : CMSG_SPACE(sizeof(struct in_pktinfo));
    if (receiving) continue;
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    *control = (struct cmsghdr){CMSG_LEN(sizeof(struct in_pktinfo)), IPPROTO_IP, IP_PKTINFO};
  }
  return batch;
}
