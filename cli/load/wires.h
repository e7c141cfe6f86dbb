/* The sockets that clients send from, and datagrams in batches. Each client is a peer of its own to the server: on the
 * IPv4 loopback it has an address of its own in 127/8, by which one socket serves millions; elsewhere a socket of its
 * own, which is a port. */
#ifndef COPAL_CLI_LOAD_WIRES_H
#define COPAL_CLI_LOAD_WIRES_H

#include <stdbool.h>
#include <sys/socket.h>

#include "copal/copal.h"

/* From 127.1.0.1 on; what servers are bound to is mostly below that. */
enum { WIRES_SOURCES_MAX = 0xfdffff, WIRES_SOCKETS_MAX = 20000, WIRES_BATCH = 64 };

/* What came in; valid until the next call. */
struct arrival {
  const uint8_t *data;
  size_t size;
  uint32_t client; /* to whom */
};

struct wires_batch;

struct wires {
  int *sockets;
  uint32_t count;
  uint32_t sources; /* clients that share a socket, each with an address of its own; 1 where they cannot */
  int poll;         /* epoll; -1 where there is one socket only */
  struct sockaddr_storage remote;
  socklen_t remote_size;
  struct wires_batch *sending, *receiving;
  uint32_t queued;         /* in the sending batch; */
  uint32_t queued_through; /* all for that socket */
  uint32_t ready[WIRES_BATCH];
  uint32_t ready_count; /* sockets that may have something */

  uint64_t sent, received, sent_size, received_size; /* datagrams and their bytes */
  uint64_t failed;                                   /* that the system did not send: they are lost */
  int error;                                         /* errno of the last of these */
  bool has_errors;                                   /* wires_error has something to tell */
};

/* Whether an address is one that clients of any number can have addresses of their own for. */
bool wires_is_loopback(const copal_address *remote);

/* Opens all that so many clients need, of which `sources` at a time share a socket. sizes are what a datagram may be.
 * False, with errno. Close it in either case. */
bool wires_open(struct wires *wires, const copal_address *remote, uint32_t clients, uint32_t sources, size_t size_max);
void wires_close(struct wires *wires);

/* Room for the next datagram, of size_max bytes; wires_send sends what was written there, soon. */
uint8_t *wires_room(struct wires *wires, uint32_t client);
void wires_send(struct wires *wires, uint32_t client, size_t size);

/* Sends what waits. */
void wires_flush(struct wires *wires);

/* Receives one batch into arrivals; 0 where there is nothing. What did not come from the server is passed over. */
size_t wires_receive(struct wires *wires, struct arrival arrivals[WIRES_BATCH]);

/* Takes the next datagram that could not be delivered: its first bytes, and their number; 0 where there is none. */
size_t wires_error(struct wires *wires, void *quote, size_t capacity);

/* Sleeps until something comes or it is time, or a signal. */
void wires_wait(struct wires *wires, copal_time timeout);

/* Datagrams that the system dropped because they were not taken from our sockets in time. */
uint64_t wires_overrun(const struct wires *wires);

#endif
