/* A lossy network between a client and a server, in one process: passes UDP datagrams on, loses some of them and
 * doubles others, at random but the same way for the same seed and order of datagrams. Clients talk to it as they would
 * to the server; the server sees each client at a port of its own. Its choices know nothing of CoAP: the library only
 * puts into words what was lost. POSIX sockets.
 *
 *   relay --listen 5684 --to localhost:5683 --drop 33 --seed 7 --verbose
 *   copal get -v coap://localhost:5684/hello
 *
 * Port 0 takes a free one; the first line that it prints tells which. SIGTERM and SIGINT end it, with a summary. */
#include <copal/message.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 64, DATAGRAM_SIZE_MAX = 65536 };

/* What poll watches: the end of the relay, its clients' side, and a socket towards the server for each client. */
enum { WATCH_END, WATCH_CLIENTS, WATCH_SERVERS, WATCH_COUNT = WATCH_SERVERS + CLIENTS_MAX };

struct relay {
  struct sockaddr_storage server;
  socklen_t server_size;
  struct sockaddr_in clients[CLIENTS_MAX];
  struct pollfd watched[WATCH_COUNT];
  size_t next_client;       /* whose place the next new client takes */
  unsigned drop, duplicate; /* in a hundred datagrams */
  uint64_t random;
  bool verbose;
  unsigned long passed, dropped, duplicated;
};

static int end_pipe[2];

static bool read_arguments(struct relay *relay, int argc, char **argv, unsigned *port);
static bool read_number(const char *text, unsigned limit, unsigned *number);
static bool find_server(struct relay *relay, char *text);
static bool listen_at(struct relay *relay, unsigned port);
static bool end_on_signals(struct relay *relay);
static void pass_on(struct relay *relay);
static void from_client(struct relay *relay);
static void from_server(struct relay *relay, size_t client);
static size_t find_client(struct relay *relay, const struct sockaddr_in *address);
static unsigned copies_of(struct relay *relay, const char *way, const uint8_t *data, size_t size);
static bool chance(struct relay *relay, unsigned percent);

int main(int argc, char **argv) {
  static struct relay relay;
  unsigned port;
  for (size_t i = 0; i < WATCH_COUNT; ++i) relay.watched[i] = (struct pollfd){.fd = -1, .events = POLLIN};
  if (!read_arguments(&relay, argc, argv, &port)) {
    fprintf(stderr,
            "usage: relay --listen PORT --to HOST:PORT [--drop PERCENT] [--duplicate PERCENT] [--seed N] "
            "[--verbose]\n");
    return 2;
  }
  if (!end_on_signals(&relay) || !listen_at(&relay, port)) {
    perror("relay");
    return 1;
  }
  pass_on(&relay);
  printf("%lu passed on, %lu lost, %lu doubled\n", relay.passed, relay.dropped, relay.duplicated);
  return 0;
}

static bool read_arguments(struct relay *relay, int argc, char **argv, unsigned *port) {
  static const struct option options[] = {
      {"listen", required_argument, NULL, 'l'},
      {"to", required_argument, NULL, 't'},
      {"drop", required_argument, NULL, 'd'},
      {"duplicate", required_argument, NULL, '2'},
      {"seed", required_argument, NULL, 's'},
      {"verbose", no_argument, NULL, 'v'},
      {NULL, 0, NULL, 0},
  };
  unsigned seed = 1;
  bool listens = false, understood = true;
  for (int option; understood && (option = getopt_long(argc, argv, "v", options, NULL)) != -1;) {
    switch (option) {
      case 'l': understood = listens = read_number(optarg, 65535, port); break;
      case 't': understood = find_server(relay, optarg); break;
      case 'd': understood = read_number(optarg, 100, &relay->drop); break;
      case '2': understood = read_number(optarg, 100, &relay->duplicate); break;
      case 's': understood = read_number(optarg, UINT32_MAX, &seed); break;
      case 'v': relay->verbose = true; break;
      default: understood = false;
    }
  }
  relay->random = seed;
  return understood && optind == argc && listens && relay->server_size > 0;
}

static bool read_number(const char *text, unsigned limit, unsigned *number) {
  char *end;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  *number = (unsigned)value;
  return errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && value <= limit;
}

/* The text is HOST:PORT; brackets around the host are an IPv6 address's. */
static bool find_server(struct relay *relay, char *text) {
  char *colon = strrchr(text, ':');
  if (colon == NULL || colon == text) return false;
  *colon = '\0';
  if (text[0] == '[' && colon[-1] == ']') {
    ++text;
    colon[-1] = '\0';
  }
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM}, *found;
  int error = getaddrinfo(text, colon + 1, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "relay: %s: %s\n", text, gai_strerror(error));
    return false;
  }
  memcpy(&relay->server, found->ai_addr, found->ai_addrlen);
  relay->server_size = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

/* On the loopback interface only: a relay that the world can reach would hide who attacks the server. */
static bool listen_at(struct relay *relay, unsigned port) {
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof local;
  int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&local, size) != 0) return false;
  if (getsockname(descriptor, (struct sockaddr *)&local, &size) != 0) return false;
  relay->watched[WATCH_CLIENTS].fd = descriptor;
  printf("listening on 127.0.0.1:%u\n", ntohs(local.sin_port));
  fflush(stdout);
  return true;
}

static void on_signal(int number) {
  (void)number;
  ssize_t written = write(end_pipe[1], "", 1);
  (void)written;
}

/* A signal between a test and poll would be missed; a byte in a pipe is not. */
static bool end_on_signals(struct relay *relay) {
  struct sigaction action = {.sa_handler = on_signal};
  if (pipe(end_pipe) != 0) return false;
  relay->watched[WATCH_END].fd = end_pipe[0];
  return sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0;
}

static void pass_on(struct relay *relay) {
  while (poll(relay->watched, WATCH_COUNT, -1) >= 0 || errno == EINTR) {
    if (relay->watched[WATCH_END].revents != 0) return;
    if (relay->watched[WATCH_CLIENTS].revents != 0) from_client(relay);
    for (size_t i = 0; i < CLIENTS_MAX; ++i) {
      if (relay->watched[WATCH_SERVERS + i].revents != 0) from_server(relay, i);
    }
  }
}

/* Datagrams that cannot be sent are lost, as on any network. */
static void from_client(struct relay *relay) {
  static uint8_t data[DATAGRAM_SIZE_MAX];
  struct sockaddr_in from;
  socklen_t from_size = sizeof from;
  ssize_t size = recvfrom(relay->watched[WATCH_CLIENTS].fd, data, sizeof data, 0, (struct sockaddr *)&from, &from_size);
  if (size < 0) return;
  size_t client = find_client(relay, &from);
  if (client == CLIENTS_MAX) return;
  for (unsigned copies = copies_of(relay, "to the server", data, (size_t)size); copies > 0; --copies) {
    (void)send(relay->watched[WATCH_SERVERS + client].fd, data, (size_t)size, 0);
  }
}

static void from_server(struct relay *relay, size_t client) {
  static uint8_t data[DATAGRAM_SIZE_MAX];
  ssize_t size = recv(relay->watched[WATCH_SERVERS + client].fd, data, sizeof data, 0);
  if (size < 0) return;
  const struct sockaddr *to = (const struct sockaddr *)&relay->clients[client];
  for (unsigned copies = copies_of(relay, "to the client", data, (size_t)size); copies > 0; --copies) {
    (void)sendto(relay->watched[WATCH_CLIENTS].fd, data, (size_t)size, 0, to, sizeof relay->clients[client]);
  }
}

/* The client's place, a new one where it has none: then the oldest client's where all are taken. CLIENTS_MAX when no
 * socket is to be had for it. */
static size_t find_client(struct relay *relay, const struct sockaddr_in *address) {
  for (size_t i = 0; i < CLIENTS_MAX; ++i) {
    const struct sockaddr_in *client = &relay->clients[i];
    if (client->sin_port == address->sin_port && client->sin_addr.s_addr == address->sin_addr.s_addr) return i;
  }
  int descriptor = socket(relay->server.ss_family, SOCK_DGRAM, 0);
  if (descriptor < 0) return CLIENTS_MAX;
  if (connect(descriptor, (const struct sockaddr *)&relay->server, relay->server_size) != 0) {
    close(descriptor);
    return CLIENTS_MAX;
  }
  size_t place = relay->next_client++ % CLIENTS_MAX;
  struct pollfd *watched = &relay->watched[WATCH_SERVERS + place];
  if (watched->fd >= 0) close(watched->fd);
  *watched = (struct pollfd){.fd = descriptor, .events = POLLIN};
  relay->clients[place] = *address;
  return place;
}

/* How often this datagram arrives: not at all, once, or twice. */
static unsigned copies_of(struct relay *relay, const char *way, const uint8_t *data, size_t size) {
  bool dropped = chance(relay, relay->drop);
  bool duplicated = !dropped && chance(relay, relay->duplicate);
  relay->passed += !dropped;
  relay->dropped += dropped;
  relay->duplicated += duplicated;
  if (relay->verbose) {
    char line[200] = "no CoAP";
    copal_view view;
    if (copal_decode(data, size, &view) == COPAL_OK) copal_text_line(&view, line, sizeof line);
    printf("%-7s %s: %s\n", dropped ? "lost" : duplicated ? "doubled" : "passed", way, line);
    fflush(stdout);
  }
  return dropped ? 0 : duplicated ? 2 : 1;
}

/* SplitMix64: each step's value depends on the seed and on how many were drawn before, on nothing else. */
static bool chance(struct relay *relay, unsigned percent) {
  uint64_t value = relay->random += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return (value ^ value >> 31) % 100 < percent;
}
