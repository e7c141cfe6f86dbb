/* The clients of all servers alike, as lean as can be: a number of peers, each with an address of its own in 127/8, a
 * number of requests in flight among them; when one is answered the next peer asks. It checks every answer, tells how
 * long each took, and how much processor time the server has used meanwhile. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "bench/datagrams.h"

enum { WINDOW_MAX = 4096, HEADER = 4, TOKEN = 8, BUCKETS = 64 * 32, ANSWER_MAX = 64 };

static const double give_up_ns = 1e9;

/* A request in flight. */
struct slot {
  uint32_t sequence;
  double sent_at;
};

static struct {
  uint16_t port;
  pid_t pid;
  uint32_t window, peers, warm;
  double seconds;
  bool post, observe;
  uint32_t requests; /* 0: for so many seconds */
} options = {.window = 16, .peers = 1, .seconds = 0.5};

static struct slot slots[WINDOW_MAX];
static uint32_t sequence; /* of the next request */
static uint32_t answered, lost, strange, refused;
static uint32_t latencies[BUCKETS];
static uint8_t answer[ANSWER_MAX]; /* behind the token, of the first answer */
static size_t answer_size;
static int fd;
static struct datagrams in, out;

/* --- Clocks ------------------------------------------------------------------------------------ */

static double clock_ns(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) datagrams_fail("clock_gettime");
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static double server_ns(void) {
  clockid_t clock;
  if (clock_getcpuclockid(options.pid, &clock) != 0) datagrams_fail("clock_getcpuclockid");
  return clock_ns(clock);
}

/* 32 buckets an octave: within 2 %. */
static unsigned bucket_of(double ns) {
  double place = ns < 1 ? 0 : log2(ns) * 32;
  return place >= BUCKETS ? BUCKETS - 1 : (unsigned)place;
}

static double quantile(double part) {
  uint64_t sum = 0, all = 0;
  for (unsigned i = 0; i < BUCKETS; ++i) all += latencies[i];
  for (unsigned i = 0; i < BUCKETS; ++i) {
    sum += latencies[i];
    if ((double)sum >= part * (double)all) return exp2((i + 0.5) / 32) / 1000;
  }
  return 0;
}

/* --- Requests ---------------------------------------------------------------------------------- */

/* Neighbours in time are no neighbours in address: all peers take their turn, in an order that looks like none. */
static uint32_t peer_of(uint32_t number) {
  return (uint32_t)((uint64_t)(number % options.peers) * 2654435761u % options.peers);
}

static size_t write_request(uint8_t *bytes, uint32_t slot) {
  static const uint8_t get[] = {0xbb, 't', 'e', 'm', 'p', 'e', 'r', 'a', 't', 'u', 'r', 'e'};
  static const uint8_t observe[] = {0x60, 0x5b, 't', 'e', 'm', 'p', 'e', 'r', 'a', 't', 'u', 'r', 'e'};
  static const uint8_t post[] = {0xb5, 'c', 'o', 'u', 'n', 't', 0xff, 'o', 'n', 'c', 'e', '!'};
  memcpy(bytes, (uint8_t[HEADER]){0x40 | TOKEN, options.post ? 2 : 1, (uint8_t)(sequence >> 8), (uint8_t)sequence},
         HEADER);
  memcpy(bytes + HEADER, &slot, sizeof slot);
  memcpy(bytes + HEADER + sizeof slot, &sequence, sizeof sequence);
  bytes += HEADER + TOKEN;
  if (options.observe) {
    memcpy(bytes, observe, sizeof observe);
    return HEADER + TOKEN + sizeof observe;
  }
  memcpy(bytes, options.post ? post : get, sizeof get);
  return HEADER + TOKEN + sizeof get;
}

static void send_requests(const uint32_t *free_slots, unsigned count, double now) {
  for (unsigned i = 0; i < count; ++i) {
    uint32_t peer = peer_of(sequence);
    out.vectors[i].iov_len = write_request(out.bytes[i], free_slots[i]);
    datagrams_address(&out, i, INADDR_LOOPBACK, options.port, 0x7f000002 + peer);
    slots[free_slots[i]] = (struct slot){sequence++, now};
  }
  datagrams_send(&out, fd, count);
}

/* --- Answers ----------------------------------------------------------------------------------- */

/* Whether it is the answer to what its token says, from there, and the same as all others. */
static bool take_answer(unsigned index, double now, uint32_t *slot) {
  const uint8_t *bytes = in.bytes[index];
  size_t size = in.messages[index].msg_len;
  uint32_t number;
  if (size < HEADER + TOKEN || bytes[0] != (0x60 | TOKEN)) return false;
  memcpy(slot, bytes + HEADER, sizeof *slot);
  memcpy(&number, bytes + HEADER + sizeof *slot, sizeof number);
  if (*slot >= options.window || slots[*slot].sequence != number || slots[*slot].sent_at == 0) return false;
  if (bytes[2] != (uint8_t)(number >> 8) || bytes[3] != (uint8_t)number) return false;
  if (datagrams_local(&in, index) != 0x7f000002 + peer_of(number)) return false;
  if (bytes[1] == 0xa3) ++refused;
  if (bytes[1] >> 5 != 2 && bytes[1] != 0xa3) return false;
  bytes += HEADER + TOKEN;
  size -= HEADER + TOKEN;
  if (answer_size == 0) memcpy(answer, bytes, answer_size = size < ANSWER_MAX ? size : ANSWER_MAX);
  ++latencies[bucket_of(now - slots[*slot].sent_at)];
  slots[*slot].sent_at = 0;
  ++answered;
  return true;
}

/* What is not answered in time is asked again, anew. */
static unsigned take_lost(uint32_t *free_slots, double now) {
  unsigned count = 0;
  for (uint32_t i = 0; i < options.window && count < DATAGRAMS_MAX; ++i) {
    if (slots[i].sent_at == 0 || now - slots[i].sent_at < give_up_ns) continue;
    free_slots[count++] = i;
    ++lost;
  }
  return count;
}

/* One batch of answers, and as many new requests. */
static void pass(bool more) {
  uint32_t free_slots[DATAGRAMS_MAX];
  unsigned freed = 0;
  int count = datagrams_receive(&in, fd, DATAGRAMS_MAX);
  if (count < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) datagrams_fail("recvmmsg");
  double now = now_ns();
  for (int i = 0; i < count; ++i) {
    if (take_answer((unsigned)i, now, &free_slots[freed]))
      ++freed;
    else
      ++strange;
  }
  if (count < 0) freed = take_lost(free_slots, now);
  if ((more || count < 0) && freed > 0) send_requests(free_slots, freed, now);
}

/* --- A run ------------------------------------------------------------------------------------- */

static void begin(void) {
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in any = {.sin_family = AF_INET};
  struct timeval patience = {.tv_usec = 100000};
  if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0) datagrams_fail("bind");
  datagrams_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  datagrams_set(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  datagrams_init(&in);
  datagrams_init(&out);
  for (uint32_t first = 0; first < options.window; first += DATAGRAMS_MAX) {
    uint32_t numbers[DATAGRAMS_MAX];
    unsigned count = options.window - first < DATAGRAMS_MAX ? options.window - first : DATAGRAMS_MAX;
    for (unsigned i = 0; i < count; ++i) numbers[i] = first + i;
    send_requests(numbers, count, now_ns());
  }
}

/* What is measured begins when all peers are known and the processor is warm. */
static void run(void) {
  begin();
  double start = now_ns();
  uint32_t warm = options.requests > 0 ? 0 : options.warm;
  while (answered < warm || (options.requests == 0 && now_ns() - start < 5e7)) pass(true);
  memset(latencies, 0, sizeof latencies);
  uint32_t before = answered, lost_before = lost;
  double cpu = server_ns(), own = clock_ns(CLOCK_PROCESS_CPUTIME_ID), end;
  start = now_ns();
  do {
    pass(options.requests == 0 || sequence < options.requests);
    end = now_ns();
  } while (options.requests > 0 ? answered < options.requests : end - start < options.seconds * 1e9);
  cpu = server_ns() - cpu;
  own = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
  double count = answered - before, wall = end - start;
  printf("{\"requests\":%.0f,\"per_second\":%.0f,\"server_ns\":%.1f,\"server_share\":%.3f,\"client_ns\":%.1f,", count,
         count * 1e9 / wall, cpu / count, cpu / wall, own / count);
  printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"lost\":%u,\"strange\":%u,\"refused\":%u,\"answered\":%u,\"answer\":\"",
         quantile(0.5), quantile(0.99), lost - lost_before, strange, refused, answered);
  for (size_t i = 0; i < answer_size; ++i) printf("%02x", answer[i]);
  printf("\"}\n");
}

static void read_options(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    const char *option = argv[i];
    if (sscanf(option, "port=%" SCNu16, &options.port) == 1 || sscanf(option, "pid=%d", &options.pid) == 1 ||
        sscanf(option, "window=%" SCNu32, &options.window) == 1 ||
        sscanf(option, "warm=%" SCNu32, &options.warm) == 1 || sscanf(option, "peers=%" SCNu32, &options.peers) == 1 ||
        sscanf(option, "seconds=%lf", &options.seconds) == 1 ||
        sscanf(option, "requests=%" SCNu32, &options.requests) == 1)
      continue;
    if (strcmp(option, "post") == 0)
      options.post = true;
    else if (strcmp(option, "observe") == 0)
      options.observe = true;
    else
      exit(2);
  }
  if (options.port == 0 || options.window < 1 || options.window > WINDOW_MAX || options.peers < 1) exit(2);
  if (options.requests > 0 && options.requests < options.window) exit(2);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  run();
  return 0;
}
