/* Datagrams in and out in batches: recvmmsg and sendmmsg over buffers that are made once. The address that a datagram
 * came to travels with it, and its reply leaves from there (RFC 7252 5.3.2). Errors come back with the datagram that
 * caused them. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <time.h>

/* after <time.h>, whose struct timespec it uses */
#include <linux/errqueue.h>

#include "net/net.h"

enum {
  DATAGRAM_MAX = 65536,
  STRIDE = DATAGRAM_MAX + 192, /* not a power of two, so that the first lines of a batch do not share a cache set */
  CONTROL_MAX = 128,
  SEGMENTS_MIN = 4,  /* a few small ones gain nothing, and captures on this host show them as one */
  SEGMENTS_MAX = 64, /* UDP_MAX_SEGMENTS of kernels before 6.9 */
  SEGMENTED_MAX = 65000,
  SEND_WAIT_MS = 10,
  SEND_TRIES_MAX = 8 /* of a datagram that errors of others stand before */
};

struct net_batch {
  struct mmsghdr *messages;
  struct iovec *vectors;
  struct sockaddr_storage *addresses;
  uint8_t (*controls)[CONTROL_MAX];
  uint8_t *buffers; /* of a receiving batch */
};

/* --- Memory ------------------------------------------------------------------------------------- */

static void *carve(uint8_t *memory, size_t *at, size_t size) {
  size_t start = (*at + 15) & ~(size_t)15;
  *at = start + size;
  return memory == NULL ? NULL : memory + start;
}

static size_t lay_out(uint8_t *memory, uint32_t count, bool receiving, struct net_batch *batch) {
  size_t at = sizeof *batch;
  batch->messages = carve(memory, &at, count * sizeof *batch->messages);
  batch->vectors = carve(memory, &at, count * sizeof *batch->vectors);
  batch->addresses = carve(memory, &at, count * sizeof *batch->addresses);
  batch->controls = carve(memory, &at, count * sizeof *batch->controls);
  batch->buffers = carve(memory, &at, receiving ? count * (size_t)STRIDE : 0);
  return at;
}

size_t net_batch_size(uint32_t count, bool receiving) {
  struct net_batch batch;
  return lay_out(NULL, count, receiving, &batch);
}

struct net_batch *net_batch_init(void *memory, uint32_t count, bool receiving) {
  struct net_batch *batch = memory;
  lay_out(memory, count, receiving, batch);
  for (uint32_t i = 0; i < count; ++i) {
    if (receiving) batch->vectors[i] = (struct iovec){batch->buffers + i * (size_t)STRIDE, DATAGRAM_MAX};
    batch->messages[i].msg_hdr =
        (struct msghdr){.msg_name = &batch->addresses[i], .msg_iov = &batch->vectors[i], .msg_iovlen = 1};
  }
  return batch;
}

/* --- Onlookers ---------------------------------------------------------------------------------- */

void net_trace(const struct net *net, copal_trace_kind kind, const copal_datagram *datagram, copal_time now) {
  if (net->trace == NULL) return;
  copal_trace seen = {.time = now, .counters = copal_endpoint_counters(net->endpoint), .kind = kind};
  if (datagram != NULL) seen.datagram = *datagram;
  net->trace(&seen, net->trace_context);
}

/* --- In ----------------------------------------------------------------------------------------- */

/* The address and, for a link-local one, the interface that a datagram came to. */
static void read_destination(struct msghdr *header, copal_address *local) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      net_ipv4_address(local, CMSG_DATA(control) + offsetof(struct in_pktinfo, ipi_addr), 0);
      return;
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(control), sizeof info);
      net_ipv6_address(local, info.ipi6_addr.s6_addr, info.ipi6_ifindex, 0);
      return;
    }
  }
}

static bool primary_reaches(const struct net *net, const copal_address *remote) {
  struct sockaddr_storage storage;
  return net_address_to(remote, net->sockets[0].family, &net->names, &storage) != 0;
}

/* Of what came to a group the answer leaves from the primary socket, as coapy has it: the socket that heard it is
 * bound to the group. With primary_source that holds for everything. A primary socket of another family cannot. */
static void choose_reply_path(const struct net *net, copal_path *path) {
  bool group = copal_address_is_multicast(&path->local);
  if ((!group && !net->primary_source) || !primary_reaches(net, &path->remote)) return;
  path->socket = 0;
  if (!group) path->local = (copal_address){.family = COPAL_FAMILY_NONE};
}

void net_receive(struct net *net, uint32_t socket, copal_time now) {
  const struct net_socket *from = &net->sockets[socket];
  struct net_batch *batch = net->receiving;
  for (uint32_t i = 0; i < net->batch_in; ++i) {
    struct msghdr *header = &batch->messages[i].msg_hdr;
    header->msg_namelen = sizeof(struct sockaddr_storage);
    header->msg_control = from->reports_local ? batch->controls[i] : NULL;
    header->msg_controllen = from->reports_local ? CONTROL_MAX : 0;
  }
  int count = recvmmsg(from->fd, batch->messages, net->batch_in, MSG_DONTWAIT, NULL);
  if (count < (int)net->batch_in) net->ready &= ~((uint32_t)1 << socket);
  net->in_taken = net->in_count = 0;
  if (count < 0) {
    /* An ICMP error may stand before the datagrams: it is read, and they are received in the next round. */
    if (errno != EAGAIN && errno != EINTR) net->failed |= (uint32_t)1 << socket;
    return;
  }
  for (int i = 0; i < count; ++i) {
    struct mmsghdr *message = &batch->messages[i];
    /* No UDP datagram is as large as a buffer. An AF_UNIX one may be, and its rest is lost. */
    if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
    copal_datagram *datagram = &net->datagrams_in[net->in_count++];
    *datagram = (copal_datagram){.data = batch->vectors[i].iov_base, .size = message->msg_len};
    net_address_from(&datagram->path.remote, &batch->addresses[i], message->msg_hdr.msg_namelen, &net->names);
    datagram->path.socket = socket;
    if (from->reports_local) read_destination(&message->msg_hdr, &datagram->path.local);
    net_trace(net, COPAL_TRACE_RECEIVED, datagram, now);
    choose_reply_path(net, &datagram->path);
  }
}

/* --- Out ---------------------------------------------------------------------------------------- */

static uint8_t *add_control(struct msghdr *header, uint8_t *controls, int level, int type, const void *data,
                            size_t size) {
  struct cmsghdr *control = (struct cmsghdr *)(void *)(controls + header->msg_controllen);
  *control = (struct cmsghdr){CMSG_LEN(size), level, type};
  memcpy(CMSG_DATA(control), data, size);
  header->msg_control = controls;
  header->msg_controllen += CMSG_SPACE(size);
  return CMSG_DATA(control);
}

/* An IPv4 source in IPv4's own form on a socket of both families, too: it is so short that the kernel allocates no
 * memory for it. */
static void set_source(struct msghdr *header, uint8_t *controls, const copal_address *local, sa_family_t family) {
  header->msg_control = NULL;
  header->msg_controllen = 0;
  if (local->family == COPAL_FAMILY_IPV4) {
    struct in_pktinfo info = {0};
    uint8_t *data = add_control(header, controls, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    memcpy(data + offsetof(struct in_pktinfo, ipi_spec_dst), local->bytes, sizeof info.ipi_spec_dst);
  } else if (local->family == COPAL_FAMILY_IPV6 && family == AF_INET6) {
    struct in6_pktinfo info = {.ipi6_ifindex = local->scope};
    memcpy(&info.ipi6_addr, local->bytes, sizeof info.ipi6_addr);
    add_control(header, controls, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  }
}

/* False when the datagram cannot leave through its socket at all. */
static bool prepare(struct net *net, uint32_t place, const copal_datagram *datagram) {
  struct net_batch *batch = net->sending;
  const struct net_socket *through = &net->sockets[datagram->path.socket];
  struct msghdr *header = &batch->messages[place].msg_hdr;
  if (through->fd < 0) return false;
  header->msg_namelen = net_address_to(&datagram->path.remote, through->family, &net->names, &batch->addresses[place]);
  if (header->msg_namelen == 0) return false;
  set_source(header, batch->controls[place], &datagram->path.local, through->family);
  return true;
}

static bool is_same_path(const copal_path *a, const copal_path *b) {
  return copal_address_equal(&a->remote, &b->remote) && copal_address_equal(&a->local, &b->local);
}

/* Whether a datagram can be one more segment of the message that the ones before it are in: all but the last have the
 * size of the first. */
static bool joins(const struct net *net, const copal_datagram *first, const copal_datagram *next) {
  const copal_datagram *last = next - 1;
  if (last->size != first->size || next->size > first->size || next->size == 0) return false;
  if (next - first >= SEGMENTS_MAX || (size_t)(next - first + 1) * first->size > SEGMENTED_MAX) return false;
  return net->sockets[first->path.socket].segments && is_same_path(&first->path, &next->path);
}

/* The kernel makes datagrams of it again, as late as it can: on the way to one peer, that is several times faster. */
static void set_segment_size(struct msghdr *header, uint8_t *controls, size_t size) {
  uint16_t segment = (uint16_t)size;
  add_control(header, controls, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
}

/* Makes a message of the first datagram, with as many others as can be segments of it. Returns how many: 0 when it
 * cannot leave at all. */
static uint32_t prepare_message(struct net *net, uint32_t place, const copal_datagram *datagrams, uint32_t at,
                                size_t count) {
  const copal_datagram *first = &datagrams[at];
  struct net_batch *batch = net->sending;
  if (!prepare(net, place, first)) return 0;
  uint32_t segments = 1;
  while (at + segments < count && joins(net, first, first + segments)) ++segments;
  if (segments < SEGMENTS_MIN) segments = 1;
  for (uint32_t i = 0; i < segments; ++i)
    batch->vectors[at + i] = (struct iovec){(void *)(uintptr_t)first[i].data, first[i].size};
  struct msghdr *header = &batch->messages[place].msg_hdr;
  header->msg_iov = &batch->vectors[at];
  header->msg_iovlen = segments;
  if (segments > 1) set_segment_size(header, batch->controls[place], first->size);
  return segments;
}

/* What becomes of a datagram that sendmmsg refused. */
enum fate {
  FATE_AGAIN,
  FATE_LOST,       /* as on the wire: its retransmission is another chance */
  FATE_UNREACHABLE /* its exchange ends */
};

/* A pending ICMP error is reported by the next call on the socket, whatever that one is about. */
static bool is_about_another(const struct net_socket *through, int cause) {
  if (through->family == AF_UNIX) return false;
  return cause == ECONNREFUSED || cause == EHOSTUNREACH || cause == ENETUNREACH || cause == EPROTO;
}

static enum fate recover(struct net *net, uint32_t socket, struct msghdr *header, unsigned tries, int cause) {
  const struct net_socket *through = &net->sockets[socket];
  struct pollfd writable = {.fd = through->fd, .events = POLLOUT};
  if (is_about_another(through, cause)) {
    net->failed |= (uint32_t)1 << socket;
    return tries < SEND_TRIES_MAX ? FATE_AGAIN : FATE_UNREACHABLE;
  }
  switch (cause) {
    case EINTR: return FATE_AGAIN;
    case EAGAIN:
      /* Our own buffer is full: it drains soon. A full AF_UNIX receiver may stay so, and nobody waits for it. */
      return through->family != AF_UNIX && poll(&writable, 1, SEND_WAIT_MS) > 0 ? FATE_AGAIN : FATE_LOST;
    case ENOBUFS: return FATE_LOST;
    case EINVAL:
    case EADDRNOTAVAIL:
      /* The address that the peer once wrote to is ours no more: any other is better than none. */
      if (header->msg_control == NULL) break;
      header->msg_control = NULL;
      header->msg_controllen = 0;
      return FATE_AGAIN;
  }
  return FATE_UNREACHABLE;
}

/* Not every device can take segments, and none takes those that are larger than its MTU. */
static bool gives_up_segments(struct net *net, uint32_t socket, const struct msghdr *header, enum fate fate,
                              int cause) {
  bool refused = fate == FATE_UNREACHABLE || cause == EINVAL || cause == EADDRNOTAVAIL;
  if (header->msg_iovlen == 1 || !refused || is_about_another(&net->sockets[socket], cause)) return false;
  net->sockets[socket].segments = false;
  return true;
}

/* Sends messages. Returns how many datagrams were dealt with: fewer where segments have to go one by one. */
static uint32_t send_messages(struct net *net, uint32_t socket, uint32_t count, bool *unreachable) {
  struct mmsghdr *messages = net->sending->messages;
  uint32_t sent = 0, done = 0;
  unsigned tries = 0;
  while (sent < count) {
    int result = sendmmsg(net->sockets[socket].fd, messages + sent, count - sent, MSG_DONTWAIT);
    for (int i = 0; i < result; ++i) done += (uint32_t)messages[sent++].msg_hdr.msg_iovlen;
    if (result > 0) {
      tries = 0;
      continue;
    }
    struct msghdr *header = &messages[sent].msg_hdr;
    int cause = errno;
    enum fate fate = recover(net, socket, header, ++tries, cause);
    if (gives_up_segments(net, socket, header, fate, cause)) return done;
    if (fate == FATE_AGAIN) continue;
    for (size_t i = 0; i < header->msg_iovlen; ++i) unreachable[done++] = fate == FATE_UNREACHABLE;
    ++sent;
    tries = 0;
  }
  return done;
}

/* Where the source had to be left to the system, the peer's address of ours is lost: what it sends next comes to
 * another one, and must still find it. */
static void forget_lost_sources(struct net *net, const copal_datagram *datagrams, uint32_t count) {
  const struct mmsghdr *message = net->sending->messages;
  for (uint32_t i = 0; i < count; i += (uint32_t)message++->msg_hdr.msg_iovlen) {
    if (datagrams[i].path.local.family == COPAL_FAMILY_NONE) continue;
    if (message->msg_hdr.msg_control == NULL) endpoint_unbind(net->endpoint, &datagrams[i].path);
  }
}

/* After they were sent: only then is an unbound socket's own address known. */
static void trace_run(const struct net *net, const copal_datagram *datagrams, uint32_t count, copal_time now) {
  for (uint32_t i = 0; net->trace != NULL && i < count; ++i) net_trace(net, COPAL_TRACE_SENT, &datagrams[i], now);
}

static void tell_unreachable(struct net *net, const copal_datagram *datagram, copal_time now) {
  copal_endpoint_unreachable(net->endpoint, now, &datagram->path, datagram->data, datagram->size);
  net_trace(net, COPAL_TRACE_DECIDED, datagram, now);
}

/* Sends the first datagrams, which leave through one socket. Returns how many were dealt with. */
static uint32_t send_run(struct net *net, const copal_datagram *datagrams, size_t count, copal_time now,
                         bool *unreachable) {
  uint32_t socket = datagrams->path.socket, messages = 0, at = 0;
  while (socket < NET_SOCKETS_MAX && at < count && datagrams[at].path.socket == socket) {
    uint32_t segments = prepare_message(net, messages, datagrams, at, count);
    if (segments == 0) break;
    ++messages;
    at += segments;
  }
  if (messages == 0) {
    unreachable[0] = true;
    return 1;
  }
  uint32_t done = send_messages(net, socket, messages, unreachable);
  trace_run(net, datagrams, done, now);
  forget_lost_sources(net, datagrams, done);
  return done;
}

/* Only when all are sent is the endpoint told what could not be: a handler that it calls then may do anything to it. */
void net_send(struct net *net, const copal_datagram *datagrams, size_t count, copal_time now) {
  bool unreachable[NET_BATCH_MAX] = {false};
  for (size_t done = 0; done < count;) done += send_run(net, datagrams + done, count - done, now, unreachable + done);
  for (size_t i = 0; i < count; ++i)
    if (unreachable[i]) tell_unreachable(net, &datagrams[i], now);
}

/* --- Errors -------------------------------------------------------------------------------------- */

/* RFC 7252 4.2: "Source Quench and Time Exceeded ICMP messages SHOULD be ignored. Host, network, port, or protocol
 * unreachable errors or parameter problem errors MAY, after appropriate vetting, be used to inform the application".
 * Packet Too Big has an errno of its own, Time Exceeded has not. */
static bool tells_of_destination(const struct sock_extended_err *error) {
  if (error->ee_origin == SO_EE_ORIGIN_ICMP) return error->ee_type == ICMP_DEST_UNREACH;
  return error->ee_origin != SO_EE_ORIGIN_ICMP6 || error->ee_type == ICMP6_DST_UNREACH;
}

static bool is_unreachable(struct msghdr *header) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control)) {
    bool ipv4 = control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR;
    bool ipv6 = control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR;
    if (!ipv4 && !ipv6) continue;
    struct sock_extended_err error;
    memcpy(&error, CMSG_DATA(control), sizeof error);
    return tells_of_destination(&error) &&
           (error.ee_errno == ECONNREFUSED || error.ee_errno == EHOSTUNREACH || error.ee_errno == ENETUNREACH ||
            error.ee_errno == ENOPROTOOPT || error.ee_errno == EACCES);
  }
  return false;
}

/* Forgets an error that stands on the socket without a datagram, lest the socket be reported for ever. */
static void clear_error(int fd) {
  int error;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
}

void net_read_errors(struct net *net, uint32_t socket, copal_time now) {
  enum { QUOTE_MAX = 1500, ROUNDS_MAX = 64 };
  net->failed &= ~((uint32_t)1 << socket);
  if (net->sockets[socket].family == AF_UNIX) {
    /* It has no error queue: reading one would take a datagram. */
    clear_error(net->sockets[socket].fd);
    return;
  }
  for (int round = 0; round < ROUNDS_MAX; ++round) {
    uint8_t quote[QUOTE_MAX], control[512];
    struct sockaddr_storage address = {0};
    struct iovec vector = {quote, sizeof quote};
    struct msghdr header = {.msg_name = &address,
                            .msg_namelen = sizeof address,
                            .msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    ssize_t size = recvmsg(net->sockets[socket].fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) {
      clear_error(net->sockets[socket].fd);
      return;
    }
    if (!is_unreachable(&header)) continue;
    copal_path path = {.socket = socket};
    net_address_from(&path.remote, &address, header.msg_namelen, &net->names);
    tell_unreachable(net, &(copal_datagram){quote, (size_t)size, path}, now);
  }
  net->failed |= (uint32_t)1 << socket; /* more than a round's worth: go on in the next pass */
}
