/* What the bare programs share: a socket as copal_open makes one, and a batch of datagrams to receive into and to send
 * from, each with its own local address. */
#ifndef COPAL_BENCH_DATAGRAMS_H
#define COPAL_BENCH_DATAGRAMS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DATAGRAMS_MAX = 64, DATAGRAM_ROOM = 1536, DATAGRAM_CONTROL = 64 };

struct datagrams {
  struct mmsghdr messages[DATAGRAMS_MAX];
  struct iovec vectors[DATAGRAMS_MAX];
  struct sockaddr_in6 names[DATAGRAMS_MAX]; /* the larger of the two families */
  _Alignas(8) uint8_t controls[DATAGRAMS_MAX][DATAGRAM_CONTROL];
  uint8_t bytes[DATAGRAMS_MAX][DATAGRAM_ROOM];
};

static inline void datagrams_fail(const char *what) {
  perror(what);
  exit(1);
}

static inline void datagrams_set(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) datagrams_fail("setsockopt");
}

/* Bound to all addresses of both families; port 0 takes a free one. Like ours: who asked is answered from the address
 * that was asked, and ICMP errors are reported. */
static inline int datagrams_listen(uint16_t port, bool reuse_port) {
  int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) datagrams_fail("socket");
  if (reuse_port) datagrams_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  datagrams_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  datagrams_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  datagrams_set(fd, IPPROTO_IP, IP_RECVERR, 1);
  datagrams_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) datagrams_fail("bind");
  return fd;
}

static inline uint16_t datagrams_port(int fd) {
  struct sockaddr_in6 address = {.sin6_port = 0};
  socklen_t size = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) datagrams_fail("getsockname");
  return ntohs(address.sin6_port);
}

static inline void datagrams_init(struct datagrams *datagrams) {
  memset(datagrams, 0, sizeof *datagrams);
  for (int i = 0; i < DATAGRAMS_MAX; ++i) {
    datagrams->vectors[i] = (struct iovec){datagrams->bytes[i], DATAGRAM_ROOM};
    datagrams->messages[i].msg_hdr =
        (struct msghdr){.msg_name = &datagrams->names[i], .msg_iov = &datagrams->vectors[i], .msg_iovlen = 1};
  }
}

/* Waits for one datagram and takes as many as are there. -1 where none came in time or a signal did. */
static inline int datagrams_receive(struct datagrams *datagrams, int fd, unsigned count_max) {
  for (unsigned i = 0; i < count_max; ++i) {
    struct msghdr *header = &datagrams->messages[i].msg_hdr;
    header->msg_namelen = sizeof datagrams->names[i];
    header->msg_control = datagrams->controls[i];
    header->msg_controllen = DATAGRAM_CONTROL;
    datagrams->vectors[i].iov_len = DATAGRAM_ROOM;
  }
  return recvmmsg(fd, datagrams->messages, count_max, MSG_WAITFORONE, NULL);
}

/* Sends them all; an ICMP error of an earlier one is not theirs. */
static inline void datagrams_send(struct datagrams *datagrams, int fd, unsigned count) {
  unsigned sent = 0, failures = 0;
  while (sent < count) {
    int result = sendmmsg(fd, datagrams->messages + sent, count - sent, 0);
    if (result < 0 && ++failures > 1000) datagrams_fail("sendmmsg");
    if (result > 0) sent += (unsigned)result;
  }
}

/* Gives a datagram of an AF_INET socket its remote and, unless that is 0, its local address, in host order. */
static inline void datagrams_address(struct datagrams *datagrams, unsigned index, uint32_t remote, uint16_t port,
                                     uint32_t local) {
  struct msghdr *header = &datagrams->messages[index].msg_hdr;
  struct sockaddr_in *name = (struct sockaddr_in *)(void *)&datagrams->names[index];
  *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(remote)};
  header->msg_namelen = sizeof *name;
  header->msg_control = NULL;
  header->msg_controllen = 0;
  if (local == 0) return;
  struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(local)};
  header->msg_control = datagrams->controls[index];
  header->msg_controllen = CMSG_SPACE(sizeof info);
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  *control = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
  memcpy(CMSG_DATA(control), &info, sizeof info);
}

/* The address that a datagram came to on an AF_INET socket with IP_PKTINFO, in host order; 0 where it is not told. */
static inline uint32_t datagrams_local(struct datagrams *datagrams, unsigned index) {
  struct msghdr *header = &datagrams->messages[index].msg_hdr;
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  if (control == NULL || control->cmsg_level != IPPROTO_IP || control->cmsg_type != IP_PKTINFO) return 0;
  struct in_pktinfo info;
  memcpy(&info, CMSG_DATA(control), sizeof info);
  return ntohl(info.ipi_addr.s_addr);
}

#endif
