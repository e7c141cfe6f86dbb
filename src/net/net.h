/* A hosted endpoint's own part: sockets, what is waited for, batch buffers. One block of memory holds it, another the
 * endpoint; the endpoint's host pointer leads back here. */
#ifndef COPAL_NET_NET_H
#define COPAL_NET_NET_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "copal/net.h"
#include "endpoint/endpoint.h"
#include "net/names.h"

enum { NET_SOCKETS_MAX = COPAL_FDS_MAX - 1, NET_BATCH_MAX = 256 };

/* Of what is waited for, the first is the wakeup; the sockets follow. */
enum { NET_WATCHED_WAKE = 0, NET_WATCHED_SOCKETS = 1 };

struct net_socket {
  int fd; /* -1: this place is free */
  sa_family_t family;
  bool owned;         /* closed with the endpoint */
  bool reports_local; /* bound to no single address: each datagram tells which one it came to */
  bool segments;      /* datagrams of one size to one peer may be given to the kernel as one: UDP_SEGMENT */
};

struct net {
  copal_endpoint *endpoint;
  size_t endpoint_size, size;
  struct net_socket sockets[NET_SOCKETS_MAX]; /* 0: the primary one */
  struct net_names names;                     /* of AF_UNIX peers */
  struct pollfd watched[COPAL_FDS_MAX];       /* -1 for places that are free */
  int epoll;                                  /* of copal_fd; -1 until somebody asks for it */
  uint32_t ready;                             /* sockets that may have more to read, a bit each */
  uint32_t failed;                            /* sockets with something in their error queue */
  uint32_t turn;                              /* the socket to look at first */
  bool woken;                                 /* copal_wake was called, and copal_process has not told yet */
  uint32_t batch, batch_in; /* datagrams a system call; to receive, one where there is a trace function */
  bool primary_source, segments;
  atomic_bool stopped;
  char bound_name[108]; /* of an AF_UNIX socket that is to be unlinked */
  copal_trace_function *trace;
  void *trace_context;
  struct net_batch *receiving, *sending;
  copal_datagram *datagrams_in; /* decoded addresses of the batch that came in */
  uint32_t in_count, in_taken;  /* what of it the endpoint has not taken yet */
  copal_datagram *datagrams_out;
};

/* The host of an endpoint, or NULL for a bare one and for NULL. */
static inline struct net *net_of(const copal_endpoint *endpoint) {
  return endpoint == NULL ? NULL : (struct net *)endpoint->host;
}

/* --- Sockets: socket.c ------------------------------------------------------------------------- */

/* Adds a socket: non-blocking, watched, with what it needs to tell of addresses and errors. */
copal_error net_add_socket(struct net *net, int fd, bool owned, uint32_t *index);
void net_remove_socket(struct net *net, uint32_t index);

/* Makes a datagram socket bound to address (family NONE: unbound, dual-stack where possible). */
copal_error net_make_socket(const copal_address *address, bool reuse_port, int *fd);

/* --- Datagrams: udp.c -------------------------------------------------------------------------- */

size_t net_batch_size(uint32_t count, bool receiving);
struct net_batch *net_batch_init(void *memory, uint32_t count, bool receiving);

/* Receives one batch from a socket into net->datagrams_in. */
void net_receive(struct net *net, uint32_t socket, copal_time now);

/* Sends datagrams; what cannot be sent is told to the endpoint or, like a loss on the wire, left to retransmission. */
void net_send(struct net *net, const copal_datagram *datagrams, size_t count, copal_time now);

/* Calls the trace function, if there is one. datagram may be NULL: the decision is about none. */
void net_trace(const struct net *net, copal_trace_kind kind, const copal_datagram *datagram, copal_time now);

/* Reads a socket's error queue and tells the endpoint what could not be delivered. */
void net_read_errors(struct net *net, uint32_t socket, copal_time now);

/* --- What is waited for: watch.c ----------------------------------------------------------------- */

/* A place of net->watched is a descriptor's from now on, or nobody's. COPAL_ERR_SOCKET: nothing has changed. */
copal_error net_watch(struct net *net, uint32_t place, int fd);
void net_unwatch(struct net *net, uint32_t place);

/* --- The loop: loop.c -------------------------------------------------------------------------- */

/* copal_process, which also ends, with 0, when *done becomes true. done may be NULL. */
int net_process(struct net *net, copal_time timeout, copal_rx *rx, const bool *done);

/* --- Addresses: address.c ----------------------------------------------------------------------- */

/* Addresses are written in place: decision 0019. */

/* From and to the kernel's form. An IPv4 address becomes a mapped one for an AF_INET6 socket, and back. */
void net_address_from(copal_address *address, const struct sockaddr_storage *from, socklen_t size,
                      struct net_names *names);

/* Of four bytes; and of 16, which may be a mapped one. Ports are the host's. */
void net_ipv4_address(copal_address *address, const void *bytes, uint16_t port);
void net_ipv6_address(copal_address *address, const uint8_t bytes[16], uint32_t scope, uint16_t port);

/* The size, or 0 when the socket's family cannot reach that address. */
socklen_t net_address_to(const copal_address *address, sa_family_t family, const struct net_names *names,
                         struct sockaddr_storage *to);

/* The first address of a host name, or the literal. */
copal_error net_resolve(const copal_uri *uri, sa_family_t family, struct net_names *names, copal_address *address);

#endif
