/* See loopback.h. */
#include "unit/net/loopback.h"
#include "support/skip.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"

/* --- Endpoints ---------------------------------------------------------------------------------- */

copal_open_options quick_options(bool raw) {
  copal_open_options options = copal_open_defaults();
  options.config.raw = raw;
  options.config.parameters.leisure = 50 * COPAL_MILLISECOND;
  return options;
}

copal_endpoint *open_endpoint(const char *uri, copal_open_options *options) {
  copal_open_options defaults = quick_options(false);
  if (options == NULL) options = &defaults;
  copal_endpoint *endpoint = copal_open(uri, options);
  if (endpoint == NULL) fail_msg("%s: %s", uri == NULL ? "NULL" : uri, copal_error_text(options->error));
  assert_int_equal(options->error, COPAL_OK);
  return endpoint;
}

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hello");
}

copal_endpoint *open_hello(const char *uri, copal_open_options *options) {
  copal_endpoint *endpoint = open_endpoint(uri, options);
  assert_int_equal(copal_route(endpoint, COPAL_GET, "/hello", hello, NULL), COPAL_OK);
  return endpoint;
}

/* --- Addresses ---------------------------------------------------------------------------------- */

copal_address address_of(const copal_endpoint *endpoint) {
  copal_address address;
  assert_int_equal(copal_local_address(endpoint, &address), COPAL_OK);
  return address;
}

copal_address make_address(const char *text, uint16_t port) {
  copal_address address;
  assert_int_equal(copal_address_parse(text, port, &address), COPAL_OK);
  return address;
}

copal_address make_unix(copal_endpoint *endpoint, const char *text) {
  copal_uri uri;
  copal_address address;
  assert_int_equal(copal_uri_parse(text, strlen(text), &uri), COPAL_OK);
  assert_int_equal(copal_resolve(endpoint, &uri, &address), COPAL_OK);
  return address;
}

copal_address plain_address(int fd) {
  struct sockaddr_storage storage = {0};
  socklen_t size = sizeof storage;
  assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &size), 0);
  copal_address address;
  net_address_from(&address, &storage, size, NULL);
  return address;
}

copal_address closed_address(const char *ip) {
  int fd = plain_socket(ip);
  copal_address address = plain_address(fd);
  close(fd);
  return address;
}

void require_ipv6(void) {
  copal_address address = make_address("::1", 0);
  int fd;
  if (net_make_socket(&address, false, &fd) == COPAL_OK) {
    close(fd);
    return;
  }
  skip_because("this machine has no IPv6");
}

/* --- Plain sockets -------------------------------------------------------------------------------- */

int plain_socket(const char *ip) {
  copal_address address = make_address(ip, 0);
  int fd;
  assert_int_equal(net_make_socket(&address, false, &fd), COPAL_OK);
  int size = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return fd;
}

void plain_send(int fd, const copal_address *to, const void *datagram, size_t size) {
  struct sockaddr_storage storage;
  sa_family_t family = to->family == COPAL_FAMILY_IPV4 ? AF_INET : AF_INET6;
  socklen_t storage_size = net_address_to(to, family, NULL, &storage);
  assert_int_not_equal(storage_size, 0);
  ssize_t sent = sendto(fd, datagram, size, 0, (struct sockaddr *)&storage, storage_size);
  assert_int_equal(sent, size);
}

ssize_t plain_receive(int fd, void *buffer, size_t capacity, copal_address *from) {
  struct sockaddr_storage storage = {0};
  socklen_t size = sizeof storage;
  ssize_t received = recvfrom(fd, buffer, capacity, MSG_DONTWAIT, (struct sockaddr *)&storage, &size);
  if (received >= 0 && from != NULL) net_address_from(from, &storage, size, NULL);
  return received;
}

size_t make_request(uint8_t buffer[64], copal_type type, uint16_t message_id, const char *path) {
  copal_encoder encoder;
  const uint8_t token[2] = {(uint8_t)(message_id >> 8), (uint8_t)message_id};
  copal_encode_begin(&encoder, buffer, 64, type, COPAL_GET, message_id, token, sizeof token);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, path, strlen(path));
  assert_int_equal(encoder.error, COPAL_OK);
  return encoder.size;
}

bool is_readable(int fd) {
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  return poll(&polled, 1, 0) == 1 && (polled.revents & POLLIN) != 0;
}

bool serve_until_readable(copal_endpoint *endpoint, int fd) {
  copal_time end = copal_now() + PATIENCE;
  while (!is_readable(fd)) {
    if (copal_now() > end) return false;
    assert_true(copal_process(endpoint, 5 * COPAL_MILLISECOND, NULL) >= 0);
  }
  return true;
}

/* --- Requests ------------------------------------------------------------------------------------- */

void note_outcome(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context) {
  struct outcome *outcome = context;
  (void)endpoint;
  (void)request;
  ++outcome->count;
  outcome->error = error;
  if (rx == NULL) return;
  outcome->code = rx->message.code;
  outcome->payload_size = rx->message.payload.size;
  outcome->from = rx->path.remote;
}

void send_request(copal_endpoint *client, copal_type type, const char *path, const copal_address *remote,
                  struct outcome *outcome) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, type, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  assert_int_equal(copal_request_send(client, &message, remote, COPAL_NEVER, note_outcome, outcome, NULL), COPAL_OK);
}

bool process_until(copal_endpoint *a, copal_endpoint *b, const struct outcome *outcome, unsigned count) {
  copal_time end = copal_now() + PATIENCE;
  while (outcome->count < count) {
    if (copal_now() > end) return false;
    assert_true(copal_process(a, COPAL_MILLISECOND, NULL) >= 0);
    if (b != NULL) assert_true(copal_process(b, COPAL_MILLISECOND, NULL) >= 0);
  }
  return true;
}

unsigned count_descriptors(void) {
  unsigned count = 0;
  DIR *folder = opendir("/proc/self/fd");
  assert_non_null(folder);
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count - 3; /* ".", ".." and the folder's own */
}
