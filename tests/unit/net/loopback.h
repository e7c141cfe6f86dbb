/* What the tests of src/net share: endpoints and plain sockets on loopback, on ports that the kernel chooses. What
 * fails here fails the test. */
#ifndef COPAL_TESTS_UNIT_NET_LOOPBACK_H
#define COPAL_TESTS_UNIT_NET_LOOPBACK_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdbool.h>
#include <sys/types.h>

#include "copal/net.h"

/* So long a test waits for what must come. */
#define PATIENCE (20 * COPAL_SECOND)

/* Options whose groups are answered quickly; raw or with resources. */
copal_open_options quick_options(bool raw);

/* An endpoint; options may be NULL. */
copal_endpoint *open_endpoint(const char *uri, copal_open_options *options);

/* An endpoint with GET /hello. */
copal_endpoint *open_hello(const char *uri, copal_open_options *options);

copal_address address_of(const copal_endpoint *endpoint);
copal_address make_address(const char *text, uint16_t port);
copal_address make_unix(copal_endpoint *endpoint, const char *uri);

/* Skips the test, and says so, where the machine has no IPv6. */
void require_ipv6(void);

/* A plain non-blocking UDP socket bound to an address and a free port, and its address. */
int plain_socket(const char *ip);
copal_address plain_address(int fd);
void plain_send(int fd, const copal_address *to, const void *datagram, size_t size);

/* The next datagram's size, or -1 when there is none now. from may be NULL. */
ssize_t plain_receive(int fd, void *buffer, size_t capacity, copal_address *from);

/* A port where nobody listens. */
copal_address closed_address(const char *ip);

/* An encoded request with a token of two bytes, and its size. */
size_t make_request(uint8_t buffer[64], copal_type type, uint16_t message_id, const char *path);

/* Makes passes of the endpoint until fd is readable; false when it is not in time. */
bool serve_until_readable(copal_endpoint *endpoint, int fd);
bool is_readable(int fd);

/* How a request of copal_request_send ended. */
struct outcome {
  unsigned count;
  copal_error error;
  uint8_t code;
  size_t payload_size;
  copal_address from;
};
void note_outcome(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context);

/* Sends a request for path; its end is noted in outcome. */
void send_request(copal_endpoint *client, copal_type type, const char *path, const copal_address *remote,
                  struct outcome *outcome);

/* Makes passes of both endpoints until the outcome has come that many times. b may be NULL. */
bool process_until(copal_endpoint *a, copal_endpoint *b, const struct outcome *outcome, unsigned count);

/* How many file descriptors are open. */
unsigned count_descriptors(void);

#endif
