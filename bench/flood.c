/* Honest clients at a steady rate, far below what the server can do, while it is flooded: datagrams of one kind at a
 * rate of their own, each from another address in 127/8, where nobody answers. It tells how many of the honest requests
 * were answered, and right: at once, or after retransmission, for which the flood goes on. The clients are endpoints as
 * a user opens them. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <time.h>

#include "bench/datagrams.h"
#include "copal/net.h"

enum { CLIENTS = 32, BODY_SIZE = 2000, PACE = 100 * 1000, LAG_MAX = 200 };

enum errand { GET, POST, UPLOAD, ERRANDS };

static struct {
  uint16_t port;
  pid_t pid;
  uint32_t rate, flood;     /* a second */
  double seconds, patience; /* for two retransmissions */
  const char *kind;
} options = {.rate = 2000, .flood = 20000, .seconds = 1, .patience = 5, .kind = "none"};

static struct { uint32_t begun, good, wrong, left_out; } counts;

static copal_endpoint *clients[CLIENTS];
static copal_address server;
static uint32_t flooded;
static struct datagrams out;
static int fd;

/* --- The flood ------------------------------------------------------------------------------------- */

/* What a kind of flood consists of: bytes behind the header and a token of two bytes. */
struct kind {
  const char *name;
  uint8_t first; /* type and token length */
  uint8_t code;
  bool one_source, turns; /* turns: every second one is a POST */
  uint8_t size;
  uint8_t bytes[48];
};

#define TEMPERATURE 't', 'e', 'm', 'p', 'e', 'r', 'a', 't', 'u', 'r', 'e'

static const struct kind kinds[] = {
    {.name = "requests", .first = 0x42, .code = COPAL_GET, .size = 12, .bytes = {0xbb, TEMPERATURE}},
    {.name = "posts", .first = 0x42, .code = COPAL_POST, .size = 6, .bytes = {0xb5, 'c', 'o', 'u', 'n', 't'}},
    {.name = "large", .first = 0x42, .code = COPAL_GET, .size = 5, .bytes = {0xb4, 'l', 'i', 's', 't'}},
    {.name = "registrations", .first = 0x42, .code = COPAL_GET, .size = 13, .bytes = {0x60, 0x5b, TEMPERATURE}},
    /* Block1 0/1/16 */
    {.name = "uploads",
     .first = 0x42,
     .code = COPAL_PUT,
     .size = 25,
     .bytes = {0xb4, 'b', 'o', 'd', 'y', 0xd1, 3, 8, 0xff}},
    {.name = "pings", .first = 0x40, .code = COPAL_EMPTY},
    {.name = "garbage", .first = 0x4f, .code = 0xff, .size = 32, .bytes = {0xff, 0xff, 0xdd}},
    {.name = "message IDs",
     .first = 0x42,
     .code = COPAL_GET,
     .one_source = true,
     .turns = true,
     .size = 6,
     .bytes = {0xb5, 'c', 'o', 'u', 'n', 't'}},
};

static const struct kind *kind_of(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  return NULL;
}

/* Numbers neither repeat nor stand in order. */
static void write_datagram(const struct kind *kind, unsigned index) {
  uint32_t number = flooded++, source = kind->one_source ? 1 : number * 2654435761u >> 10;
  uint8_t *bytes = out.bytes[index], code = kind->turns && number % 2 == 1 ? COPAL_POST : kind->code;
  size_t token = kind->first & 2, size = 4 + token + kind->size;
  memcpy(bytes,
         (uint8_t[]){kind->first, code, (uint8_t)(number >> 8), (uint8_t)number, (uint8_t)(number >> 24),
                     (uint8_t)(number >> 16)},
         6);
  memcpy(bytes + 4 + token, kind->bytes, kind->size);
  out.vectors[index].iov_len = size;
  datagrams_address(&out, index, INADDR_LOOPBACK, options.port, 0x7f800000 + source);
}

static void flood(const struct kind *kind, uint32_t until) {
  while (flooded < until) {
    unsigned count = until - flooded < DATAGRAMS_MAX ? until - flooded : DATAGRAMS_MAX;
    for (unsigned i = 0; i < count; ++i) write_datagram(kind, i);
    datagrams_send(&out, fd, count);
  }
}

static void open_flood(void) {
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in any = {.sin_family = AF_INET};
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0) datagrams_fail("bind");
  datagrams_init(&out);
}

/* --- Honest clients -------------------------------------------------------------------------------- */

static void told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint;
  (void)call;
  enum errand errand = (enum errand)(uintptr_t)context;
  bool good = result->error == COPAL_OK;
  if (good && errand == UPLOAD) good = result->rx->message.code == COPAL_CHANGED;
  if (good && errand != UPLOAD)
    good = result->rx->message.code == COPAL_CONTENT && result->body.size == 4 &&
           memcmp(result->body.data, "22.3", 4) == 0;
  ++*(good ? &counts.good : &counts.wrong);
}

/* Eight of ten ask for the temperature. */
static void begin(uint32_t number) {
  static const uint8_t body[BODY_SIZE];
  static const struct {
    copal_code method;
    const char *path;
  } errands[ERRANDS] = {{COPAL_GET, "temperature"}, {COPAL_POST, "count"}, {COPAL_PUT, "body"}};
  enum errand errand = number % 10 == 8 ? POST : number % 10 == 9 ? UPLOAD : GET;
  uint8_t buffer[BODY_SIZE + 64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)errands[errand].method);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, errands[errand].path);
  if (errand == UPLOAD) copal_message_set_payload(&message, body, sizeof body);
  copal_call_options call = {
      .message = &message, .remote = &server, .handler = told, .context = (void *)(uintptr_t)errand};
  ++counts.begun;
  /* Where too many wait for one that was lost, this is one that is not answered. */
  if (copal_call_begin(clients[number % CLIENTS], &call, NULL) != COPAL_OK) ++counts.wrong;
}

static void open_clients(void) {
  copal_open_options with = copal_open_defaults();
  with.config = copal_config_small();
  with.config.message_size_max = 1280;
  with.config.exchanges_max = with.config.calls_max = 256;
  with.config.messages_size = 1 << 20;
  with.config.replies_size = 16 << 10;
  with.config.outbox_max = 32;
  for (int i = 0; i < CLIENTS; ++i)
    if ((clients[i] = copal_open("coap://127.0.0.1:0", &with)) == NULL) datagrams_fail("copal_open");
  server = (copal_address){.bytes = {127, 0, 0, 1}, .port = options.port, .family = COPAL_FAMILY_IPV4};
}

static void process(struct pollfd *fds) {
  if (poll(fds, CLIENTS, 0) < 0 && errno != EINTR) datagrams_fail("poll");
  for (int i = 0; i < CLIENTS; ++i)
    if ((fds[i].revents != 0 || copal_timeout(clients[i]) == 0) && copal_process(clients[i], 0, NULL) < 0) exit(1);
}

/* --- A run ----------------------------------------------------------------------------------------- */

/* A machine that was away does not catch up on the flood: that would be another rate. */
static uint32_t due(double elapsed_ns, uint32_t rate, uint32_t before) {
  uint32_t now = (uint32_t)(elapsed_ns * rate / 1e9);
  return now - before > LAG_MAX ? before + LAG_MAX : now;
}

static void run(const struct kind *kind) {
  struct pollfd fds[CLIENTS];
  for (int i = 0; i < CLIENTS; ++i) fds[i] = (struct pollfd){.fd = copal_fd(clients[i]), .events = POLLIN};
  copal_time start = copal_now();
  double elapsed = 0, end = options.seconds * 1e9;
  uint32_t number = 0, open = 0;
  while (elapsed < end || (open > 0 && elapsed < end + options.patience * 1e9)) {
    if (kind != NULL) flood(kind, due(elapsed, options.flood, flooded));
    double asked_until = elapsed < end ? elapsed : end;
    for (uint32_t until = (uint32_t)(asked_until * options.rate / 1e9); number < until; ++number) begin(number);
    process(fds);
    nanosleep(&(struct timespec){.tv_nsec = PACE}, NULL);
    elapsed = (double)(copal_now() - start);
    open = counts.begun - counts.good - counts.wrong;
  }
  printf("{\"per_second\":%.1f,\"begun\":%u,\"good\":%u,\"wrong\":%u,\"flood_per_second\":%.0f,\"waited\":%.2f}\n",
         counts.good / options.seconds, counts.begun, counts.good, counts.wrong, flooded * 1e9 / elapsed,
         (elapsed - end) / 1e9);
}

static void read_options(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    const char *option = argv[i];
    if (sscanf(option, "port=%" SCNu16, &options.port) == 1 || sscanf(option, "pid=%d", &options.pid) == 1 ||
        sscanf(option, "rate=%" SCNu32, &options.rate) == 1 || sscanf(option, "flood=%" SCNu32, &options.flood) == 1 ||
        sscanf(option, "seconds=%lf", &options.seconds) == 1 || sscanf(option, "patience=%lf", &options.patience) == 1)
      continue;
    if (strncmp(option, "kind=", 5) != 0) exit(2);
    options.kind = option + 5;
  }
  if (options.port == 0 || options.rate == 0) exit(2);
  if (strcmp(options.kind, "none") != 0 && kind_of(options.kind) == NULL) exit(2);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  open_flood();
  open_clients();
  run(kind_of(options.kind));
  for (int i = 0; i < CLIENTS; ++i) copal_close(clients[i]);
  return 0;
}
