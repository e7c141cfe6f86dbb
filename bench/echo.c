/* The least that a server can do: it receives a batch, makes each request its answer by overwriting a few bytes, sends
 * the batch. It understands nothing: every request gets the same 2.05. One thread, or several with a socket each. */
#include <pthread.h>
#include <stddef.h>

#include "bench/datagrams.h"

enum { BATCH = 32, HEADER = 4, THREADS_MAX = 64 };

static const uint8_t answer[] = {0xc0, 0xff, '2', '2', '.', '3'}; /* Content-Format 0, payload */

/* The answer leaves from the address that was asked, and the interface is the routing's business, as with ours. In
 * IPv4's own form, since all clients are: the kernel copies a longer one into memory that it allocates. */
static void name_source(struct msghdr *header) {
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  if (control == NULL || control->cmsg_type != IPV6_PKTINFO) abort();
  struct in_pktinfo source = {0};
  memcpy(&source.ipi_spec_dst, CMSG_DATA(control) + offsetof(struct in6_pktinfo, ipi6_addr) + 12, 4);
  *control = (struct cmsghdr){CMSG_LEN(sizeof source), IPPROTO_IP, IP_PKTINFO};
  memcpy(CMSG_DATA(control), &source, sizeof source);
  header->msg_controllen = CMSG_SPACE(sizeof source);
}

/* A CON gets an ACK, a NON a NON; message ID and token stay. */
static void make_answer(struct datagrams *datagrams, int index) {
  uint8_t *bytes = datagrams->bytes[index];
  struct msghdr *header = &datagrams->messages[index].msg_hdr;
  size_t token_size = bytes[0] & 0x0f;
  if ((bytes[0] & 0x30) == 0) bytes[0] = (uint8_t)((bytes[0] & 0xcf) | 0x20);
  bytes[1] = 0x45;
  memcpy(bytes + HEADER + token_size, answer, sizeof answer);
  datagrams->vectors[index].iov_len = HEADER + token_size + sizeof answer;
  name_source(header);
}

static void *serve(void *context) {
  int fd = *(int *)context;
  struct datagrams *datagrams = malloc(sizeof *datagrams);
  if (datagrams == NULL) abort();
  datagrams_init(datagrams);
  for (;;) {
    int count = datagrams_receive(datagrams, fd, BATCH);
    for (int i = 0; i < count; ++i) make_answer(datagrams, i);
    if (count > 0) datagrams_send(datagrams, fd, (unsigned)count);
  }
  return NULL;
}

int main(int argc, char **argv) {
  unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
  if (threads < 1 || threads > THREADS_MAX) return 2;
  int sockets[THREADS_MAX];
  uint16_t port = 0;
  for (unsigned i = 0; i < threads; ++i) {
    sockets[i] = datagrams_listen(port, threads > 1);
    port = datagrams_port(sockets[i]);
  }
  printf("{\"port\":%u}\n", port);
  fflush(stdout);
  for (unsigned i = 1; i < threads; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, &sockets[i]) != 0) return 1;
  }
  serve(&sockets[0]);
  return 0;
}
