/* A sensor node as a microcontroller would run it: a bare endpoint in static memory, no malloc, no sockets of Copal's.
 * The board gives a clock, a radio and entropy; here a POSIX system stands in for it, at the end of the file. The node
 * offers /temperature, which may be observed and is told when it has changed by half a degree, and /interval, how often
 * it measures. */
#include <copal/rest.h>
#include <string.h>

/* What a board must have. */
static copal_time board_now(void);
static void board_seed(uint8_t seed[32]);
static size_t board_receive(uint8_t *buffer, size_t capacity, copal_path *path, copal_time timeout);
static void board_send(const copal_datagram *datagram);
static int board_measure(void); /* tenths of a degree */

/* 16 KiB hold an endpoint with these limits, also where pointers have 64 bits. */
static _Alignas(8) uint8_t memory[16384];
static struct {
  int measured, told; /* tenths of a degree */
  uint32_t interval;  /* seconds */
} sensor = {.interval = 1};

static void read_temperature(copal_request *request, void *context) {
  (void)context;
  char text[8];
  size_t size = 0;
  int value = sensor.measured;
  if (value >= 100) text[size++] = (char)('0' + value / 100 % 10);
  text[size++] = (char)('0' + value / 10 % 10);
  text[size++] = '.';
  text[size++] = (char)('0' + value % 10);
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, sensor.interval);
  copal_reply_body(request, text, size);
}

static void set_interval(copal_request *request, void *context) {
  (void)context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  uint32_t seconds = 0;
  for (size_t i = 0; i < payload.size && i < 4 && payload.data[i] >= '0' && payload.data[i] <= '9'; ++i)
    seconds = seconds * 10 + (uint32_t)(payload.data[i] - '0');
  if (seconds == 0) {
    copal_reply_problem(request, COPAL_BAD_REQUEST, "a number of seconds, 1 to 9999");
    return;
  }
  sensor.interval = seconds;
  copal_reply_code(request, COPAL_CHANGED);
}

static void measure(copal_endpoint *endpoint) {
  sensor.measured = board_measure();
  int change = sensor.measured - sensor.told;
  if (change > -5 && change < 5) return;
  sensor.told = sensor.measured;
  copal_notify(endpoint, "/temperature");
}

static copal_endpoint *open_node(void) {
  uint8_t seed[32];
  copal_config config = copal_config_small();
  config.calls_max = 0; /* it is asked, and asks nobody */
  if (copal_endpoint_size(&config) > sizeof memory) return NULL;
  board_seed(seed);
  copal_endpoint *endpoint = copal_endpoint_init(memory, sizeof memory, &config, seed, board_now());
  copal_route(endpoint, COPAL_GET, "/temperature", read_temperature, NULL);
  copal_route_attributes(endpoint, "/temperature", "rt=\"temperature-c\";ct=0");
  copal_route_observable(endpoint, "/temperature", 60 * COPAL_SECOND);
  copal_route(endpoint, COPAL_PUT, "/interval", set_interval, NULL);
  return endpoint;
}

/* One turn: what came goes in, what is due goes out, then sleep until the next of both. */
static void turn(copal_endpoint *endpoint, copal_time wake_at) {
  uint8_t buffer[257]; /* a byte more than the largest message, so that a larger one is seen to be */
  copal_datagram datagram = {.data = buffer};
  copal_time now = board_now(), deadline = copal_endpoint_deadline(endpoint);
  if (wake_at < deadline) deadline = wake_at;
  datagram.size = board_receive(buffer, sizeof buffer, &datagram.path, deadline > now ? deadline - now : 0);
  if (datagram.size > 0) copal_endpoint_input(endpoint, board_now(), &datagram, 1);
  copal_event event;
  while (copal_endpoint_event(endpoint, &event)) continue;
  copal_datagram out;
  while (copal_endpoint_output(endpoint, board_now(), &out, 1) > 0) board_send(&out);
}

static void run_node(copal_endpoint *endpoint, copal_time end) {
  copal_time measure_at = 0;
  while (board_now() < end) {
    if (board_now() >= measure_at) {
      measure(endpoint);
      measure_at = board_now() + sensor.interval * COPAL_SECOND;
    }
    turn(endpoint, measure_at < end ? measure_at : end);
  }
}

/* --- The board: POSIX --------------------------------------------------------------------------------- */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int radio;

static copal_time board_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (copal_time)now.tv_sec * COPAL_SECOND + (copal_time)now.tv_nsec;
}

static void board_seed(uint8_t seed[32]) {
  if (getrandom(seed, 32, 0) != 32) abort();
}

static int board_measure(void) { return 200 + (int)(board_now() / (100 * COPAL_MILLISECOND) % 50); }

static size_t board_receive(uint8_t *buffer, size_t capacity, copal_path *path, copal_time timeout) {
  struct pollfd descriptor = {.fd = radio, .events = POLLIN};
  struct sockaddr_in from = {.sin_family = AF_INET};
  socklen_t size = sizeof from;
  if (poll(&descriptor, 1, (int)(timeout / COPAL_MILLISECOND) + 1) != 1) return 0;
  ssize_t received = recvfrom(radio, buffer, capacity, 0, (struct sockaddr *)&from, &size);
  *path = (copal_path){.remote = {.port = ntohs(from.sin_port), .family = COPAL_FAMILY_IPV4}};
  memcpy(path->remote.bytes, &from.sin_addr, 4);
  return received > 0 ? (size_t)received : 0;
}

static void board_send(const copal_datagram *datagram) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(datagram->path.remote.port)};
  memcpy(&to.sin_addr, datagram->path.remote.bytes, 4);
  /* What the radio does not take is lost, and sent again when it matters. */
  if (sendto(radio, datagram->data, datagram->size, 0, (struct sockaddr *)&to, sizeof to) < 0) return;
}

int main(int argc, char **argv) {
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof local;
  radio = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(radio, (struct sockaddr *)&local, size) != 0) return perror("bind"), 1;
  getsockname(radio, (struct sockaddr *)&local, &size);
  copal_endpoint *endpoint = open_node();
  if (endpoint == NULL) return fprintf(stderr, "the memory is too small\n"), 1;
  printf("listening on coap://127.0.0.1:%u\n", ntohs(local.sin_port));
  fflush(stdout);
  run_node(endpoint, board_now() + (argc > 1 ? strtoul(argv[1], NULL, 10) : 60) * COPAL_SECOND);
  puts("ended");
  return 0;
}
