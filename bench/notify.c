/* One notification to many observers over sockets: what each costs the server, processor time until the last one is
 * sent, and acknowledged where it is confirmable, beside sendmmsg of as many bytes to as many addresses. The observers
 * are one process with a core of its own and an address in 127/8 for each. The first change is told confirmably, since
 * nobody is verified yet, the second one not. */
#include <inttypes.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/datagrams.h"
#include "bench/measure.h"
#include "copal/net.h"

enum { ROUNDS = 5, BATCH = 32, SIZES = 3, WINDOW = 64, HEADER = 4, TOKEN = 4, STATE = 12 };
enum way { BARE, CON, NON, WAYS };

static const char *const way_names[WAYS] = {"bare sendmmsg", "CON", "NON"};
static const uint32_t sizes[SIZES] = {100, 10000, 1000000};
static const uint32_t repetitions[SIZES] = {20, 3, 1};

/* The crowd's side of it, shared by both processes. */
struct crowd {
  _Atomic uint32_t registered, confirmed, plain;
  _Atomic uint16_t port;
};

static struct crowd *crowd;
static uint32_t count; /* of observers */

static void pin(size_t core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores); /* where there is but one core, they share it */
}

/* --- The crowd --------------------------------------------------------------------------------- */

static size_t write_registration(uint8_t *bytes, uint32_t number) {
  static const uint8_t options[] = {0x60, 0x55, 's', 't', 'a', 't', 'e'};
  memcpy(bytes, (uint8_t[HEADER]){0x40 | TOKEN, 1, 0, 1}, HEADER);
  memcpy(bytes + HEADER, &number, TOKEN);
  memcpy(bytes + HEADER + TOKEN, options, sizeof options);
  return HEADER + TOKEN + sizeof options;
}

static void register_some(struct datagrams *out, int fd, uint16_t server, uint32_t first, unsigned some) {
  for (unsigned i = 0; i < some; ++i) {
    out->vectors[i].iov_len = write_registration(out->bytes[i], first + i);
    datagrams_address(out, i, INADDR_LOOPBACK, server, 0x7f000002 + first + i);
  }
  if (some > 0) datagrams_send(out, fd, some);
}

/* Acknowledges what is confirmable, counts everything, and registers one more for each that is registered. */
static void take(struct datagrams *in, struct datagrams *out, int fd, uint16_t server, int received) {
  unsigned acks = 0, registered = 0;
  for (int i = 0; i < received; ++i) {
    const uint8_t *bytes = in->bytes[i];
    unsigned type = bytes[0] >> 4 & 3;
    if (type == COPAL_ACK) ++registered;
    if (type == COPAL_NON) atomic_fetch_add(&crowd->plain, 1);
    if (type != COPAL_CON) continue;
    atomic_fetch_add(&crowd->confirmed, 1);
    memcpy(out->bytes[acks], (uint8_t[HEADER]){0x60, 0, bytes[2], bytes[3]}, HEADER);
    out->vectors[acks].iov_len = HEADER;
    datagrams_address(out, acks++, INADDR_LOOPBACK, server, datagrams_local(in, (unsigned)i));
  }
  if (acks > 0) datagrams_send(out, fd, acks);
  if (registered == 0) return;
  uint32_t done = atomic_fetch_add(&crowd->registered, registered) + registered, begun = done - registered + WINDOW;
  uint32_t left = begun < count ? count - begun : 0;
  register_some(out, fd, server, begun, registered < left ? registered : left);
}

/* server is 0 where nobody registers. */
static void be_crowd(uint16_t server) {
  static struct datagrams in, out;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 1 << 30;
  struct sockaddr_in any = {.sin_family = AF_INET};
  socklen_t size = sizeof any;
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, size) != 0 || getsockname(fd, (struct sockaddr *)&any, &size) != 0)
    datagrams_fail("bind");
  datagrams_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
    datagrams_set(fd, SOL_SOCKET, SO_RCVBUF, room);
  datagrams_init(&in);
  datagrams_init(&out);
  atomic_store(&crowd->port, ntohs(any.sin_port));
  if (server != 0) register_some(&out, fd, server, 0, count < WINDOW ? count : WINDOW);
  for (;;) {
    int received = datagrams_receive(&in, fd, BATCH);
    if (received > 0) take(&in, &out, fd, server, received);
  }
}

static pid_t start_crowd(uint16_t server) {
  memset(crowd, 0, sizeof *crowd);
  pid_t pid = fork();
  if (pid < 0) datagrams_fail("fork");
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin(1);
  be_crowd(server);
  exit(1);
}

static void stop_crowd(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

/* --- Figures ----------------------------------------------------------------------------------- */

static double processor_ns(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) abort();
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

struct cost {
  double processor[WAYS], wall[WAYS]; /* ns, of all together */
  uint64_t retransmissions;
  bool lacks[WAYS]; /* where acknowledgements were lost in the server's own buffer */
};

/* --- Bare -------------------------------------------------------------------------------------- */

/* As much as is known of an observer. */
struct target {
  struct sockaddr_in6 address;
  uint8_t token[TOKEN];
  uint16_t mid;
};

static void send_bare(int fd, struct target *targets) {
  static const uint8_t state[STATE] = {0x63, 1, 2, 3, 0x60, 0xff, 's', 't', 'a', 't', 'e', '!'};
  static struct datagrams out;
  datagrams_init(&out);
  for (uint32_t first = 0; first < count; first += BATCH) {
    unsigned some = count - first < BATCH ? count - first : BATCH;
    for (unsigned i = 0; i < some; ++i) {
      struct target *target = &targets[first + i];
      struct msghdr *header = &out.messages[i].msg_hdr;
      uint16_t mid = ++target->mid;
      memcpy(out.bytes[i], (uint8_t[HEADER]){0x50 | TOKEN, COPAL_CONTENT, (uint8_t)(mid >> 8), (uint8_t)mid}, HEADER);
      memcpy(out.bytes[i] + HEADER, target->token, TOKEN);
      memcpy(out.bytes[i] + HEADER + TOKEN, state, STATE);
      out.vectors[i].iov_len = HEADER + TOKEN + STATE;
      out.names[i] = target->address;
      header->msg_namelen = sizeof target->address;
      header->msg_control = out.controls[i];
      struct in6_pktinfo info = {.ipi6_addr.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
      header->msg_controllen = CMSG_SPACE(sizeof info);
      struct cmsghdr *control = CMSG_FIRSTHDR(header);
      *control = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
      memcpy(CMSG_DATA(control), &info, sizeof info);
    }
    datagrams_send(&out, fd, some);
  }
}

static void run_bare(struct cost *cost) {
  int fd = datagrams_listen(0, false);
  struct target *targets = calloc(count, sizeof *targets);
  pid_t pid = start_crowd(0);
  uint16_t port;
  while ((port = atomic_load(&crowd->port)) == 0) usleep(1000);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t ip = htonl(0x7f000002 + i);
    targets[i].address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(targets[i].address.sin6_addr.s6_addr + 10, 0xff, 2);
    memcpy(targets[i].address.sin6_addr.s6_addr + 12, &ip, sizeof ip);
    memcpy(targets[i].token, &i, sizeof targets[i].token);
  }
  double processor = processor_ns(), wall = measure_now_ns();
  send_bare(fd, targets);
  cost->processor[BARE] += processor_ns() - processor;
  cost->wall[BARE] += measure_now_ns() - wall;
  while (atomic_load(&crowd->plain) < count) usleep(1000);
  stop_crowd(pid);
  free(targets);
  close(fd);
}

/* --- Ours -------------------------------------------------------------------------------------- */

static void state(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "state!");
}

static copal_endpoint *open_server(void) {
  copal_open_options options = copal_open_defaults();
  copal_config *config = &options.config;
  if (config->peers_max < count + count / 2) config->peers_max = count + count / 2;
  if (config->observers_max < count) config->observers_max = count;
  if (config->exchanges_max < count + count / 2) config->exchanges_max = count + count / 2;
  if (config->messages_size < config->exchanges_max * 64) config->messages_size = config->exchanges_max * 64;
  copal_endpoint *endpoint = copal_open("coap://[::]:0", &options);
  if (endpoint == NULL || copal_route(endpoint, COPAL_GET, "/state", state, NULL) != COPAL_OK ||
      copal_route_observable(endpoint, "/state", (copal_time)86400 * COPAL_SECOND) != COPAL_OK)
    abort();
  return endpoint;
}

static void fail(const copal_endpoint *endpoint, const char *what) {
  const copal_counters *counters = copal_endpoint_counters(endpoint);
  fprintf(stderr,
          "notify: %s: %" PRIu32 " of %" PRIu32 " left, %" PRIu64 " sent again, %" PRIu64 " given up, %" PRIu64
          " refused\n",
          what, copal_endpoint_usage(endpoint).observers, count, counters->retransmissions, counters->given_up,
          counters->observers_full);
  exit(1);
}

static void process(copal_endpoint *endpoint) {
  if (copal_process(endpoint, COPAL_MILLISECOND, NULL) < 0) abort();
}

/* A change, told to all; done when the last one is sent and, where it is confirmable, acknowledged. What it costs when
 * the interval of a non-confirmable one is over is bench/observe.c's to tell. False, and no figure, where more than
 * half had to be sent again. */
static bool change(copal_endpoint *endpoint, enum way way, struct cost *cost) {
  const copal_counters *counters = copal_endpoint_counters(endpoint);
  _Atomic uint32_t *heard = way == CON ? &crowd->confirmed : &crowd->plain;
  uint64_t due = counters->notifications + count, before = counters->retransmissions;
  double processor = processor_ns(), wall = measure_now_ns();
  if (copal_notify(endpoint, "/state") != count) fail(endpoint, "observers are missing");
  while (counters->notifications < due || (way == CON && copal_endpoint_usage(endpoint).exchanges > 0)) {
    process(endpoint);
    if (counters->retransmissions - before > count / 2) return false;
  }
  cost->wall[way] += measure_now_ns() - wall;
  cost->processor[way] += processor_ns() - processor;
  while (atomic_load(heard) < count) usleep(1000);
  if (copal_endpoint_usage(endpoint).observers != count) fail(endpoint, "observers are gone");
  return true;
}

/* Whether all observers have acknowledged the first change in the end. */
static bool settle(copal_endpoint *endpoint) {
  double end = measure_now_ns() + 5e9;
  while (copal_endpoint_usage(endpoint).exchanges > 0 && measure_now_ns() < end) process(endpoint);
  copal_usage usage = copal_endpoint_usage(endpoint);
  return usage.exchanges == 0 && usage.observers == count;
}

static void run_copal(struct cost *cost) {
  copal_endpoint *endpoint = open_server();
  copal_address address;
  if (copal_local_address(endpoint, &address) != COPAL_OK) abort();
  pid_t pid = start_crowd(address.port);
  while (atomic_load(&crowd->registered) < count) process(endpoint);
  if (!change(endpoint, CON, cost)) cost->lacks[CON] = true;
  if (!settle(endpoint) || !change(endpoint, NON, cost)) cost->lacks[NON] = true;
  cost->retransmissions += copal_endpoint_counters(endpoint)->retransmissions;
  stop_crowd(pid);
  copal_close(endpoint);
}

/* --- Output ------------------------------------------------------------------------------------ */

static struct measure processors[SIZES][WAYS], walls[SIZES][WAYS], again[SIZES];

static void run(int size) {
  struct cost cost = {.retransmissions = 0};
  count = sizes[size];
  for (uint32_t i = 0; i < repetitions[size]; ++i) {
    run_bare(&cost);
    run_copal(&cost);
  }
  double all = (double)count * repetitions[size];
  for (int way = 0; way < WAYS; ++way) {
    if (cost.lacks[way]) continue;
    measure_add(&processors[size][way], cost.processor[way] / all);
    measure_add(&walls[size][way], cost.wall[way] / all);
  }
  measure_add(&again[size], (double)cost.retransmissions / all);
}

static void print_json(int size) {
  for (int way = 0; way < WAYS; ++way) {
    if (processors[size][way].count == 0) continue;
    printf("{\"benchmark\":\"notify\",\"observers\":%" PRIu32 ",\"way\":\"%s\",\"of\":\"processor\",", sizes[size],
           way_names[way]);
    measure_json(&processors[size][way], "ns");
    printf("{\"benchmark\":\"notify\",\"observers\":%" PRIu32 ",\"way\":\"%s\",\"of\":\"wall\",", sizes[size],
           way_names[way]);
    measure_json(&walls[size][way], "ns");
  }
  printf("{\"benchmark\":\"notify\",\"observers\":%" PRIu32 ",\"way\":\"CON\",\"of\":\"retransmissions\",",
         sizes[size]);
  measure_json(&again[size], "each");
}

int main(int argc, char **argv) {
  struct measure_options options = measure_options(argc, argv, ROUNDS);
  int sizes_count = options.quick ? 1 : SIZES;
  crowd = mmap(NULL, sizeof *crowd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (crowd == MAP_FAILED) abort();
  pin(0);
  for (unsigned round = 0; round < options.rounds; ++round)
    for (int size = 0; size < sizes_count; ++size) run(size);
  if (!options.json)
    printf("notify: ns of the server's processor a notification (ns of wall time), medians of %u rounds\n\n",
           options.rounds);
  for (int size = 0; size < sizes_count; ++size) {
    if (options.json) {
      print_json(size);
      continue;
    }
    printf("%10" PRIu32, sizes[size]);
    for (int way = 0; way < WAYS; ++way)
      if (processors[size][way].count > 0)
        printf("  %s %.0f (%.0f)", way_names[way], measure_median(&processors[size][way]),
               measure_median(&walls[size][way]));
    printf("  %.3f sent again\n", measure_median(&again[size]));
  }
  return 0;
}
