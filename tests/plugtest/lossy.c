/* See lossy.h. */
#include "plugtest/lossy.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <arpa/inet.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "copal/net.h"

enum { DATAGRAM_MAX = 2048 };

static struct sockaddr_in loopback(uint16_t port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  struct sockaddr_in any = loopback(0);
  assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
  return fd;
}

void lossy_open(struct lossy *lossy, struct wire *wire, const copal_address *server) {
  *lossy = (struct lossy){.wire = wire, .client_side = open_socket(), .server_side = open_socket(), .address = *server};
  struct sockaddr_in to = loopback(server->port), own;
  socklen_t size = sizeof own;
  assert_int_equal(connect(lossy->server_side, (struct sockaddr *)&to, sizeof to), 0);
  assert_int_equal(getsockname(lossy->client_side, (struct sockaddr *)&own, &size), 0);
  lossy->address.port = ntohs(own.sin_port);
}

void lossy_close(struct lossy *lossy) {
  close(lossy->client_side);
  close(lossy->server_side);
}

void lossy_lose(struct lossy *lossy, const char *pattern) {
  for (size_t i = 0; i < LOSSES_MAX; ++i) {
    if (lossy->losses[i] != NULL) continue;
    lossy->losses[i] = pattern;
    return;
  }
  fail_msg("there is no room to lose %s", pattern);
}

static bool is_to_lose(struct lossy *lossy, bool outgoing, const uint8_t *bytes, size_t size) {
  char text[WORDS_MAX];
  struct passed passed = {.outgoing = outgoing};
  assert_int_equal(copal_decode(bytes, size, &passed.view), COPAL_OK);
  wire_words(&passed, text, sizeof text);
  for (size_t i = 0; i < LOSSES_MAX; ++i) {
    if (lossy->losses[i] == NULL || fnmatch(lossy->losses[i], text, FNM_NOESCAPE) != 0) continue;
    lossy->losses[i] = NULL;
    return true;
  }
  return false;
}

/* False when nothing has come. */
static bool pass_on(struct lossy *lossy, bool outgoing) {
  uint8_t bytes[DATAGRAM_MAX];
  struct sockaddr_in from;
  socklen_t from_size = sizeof from;
  int in = outgoing ? lossy->client_side : lossy->server_side;
  ssize_t size = recvfrom(in, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_size);
  if (size < 0) return false;
  if (outgoing) lossy->client.port = ntohs(from.sin_port);
  bool lost = is_to_lose(lossy, outgoing, bytes, (size_t)size);
  wire_note(lossy->wire, outgoing, lost, copal_now(), bytes, (size_t)size);
  if (lost) return true;
  struct sockaddr_in to = loopback(lossy->client.port);
  ssize_t sent = outgoing ? send(lossy->server_side, bytes, (size_t)size, 0)
                          : sendto(lossy->client_side, bytes, (size_t)size, 0, (struct sockaddr *)&to, sizeof to);
  assert_int_equal(sent, size);
  return true;
}

void lossy_pump(struct lossy *lossy) {
  for (bool busy = true; busy;) {
    busy = pass_on(lossy, true);
    busy = pass_on(lossy, false) || busy;
  }
}
