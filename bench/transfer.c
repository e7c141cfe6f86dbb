/* How fast a large body goes between two processes on one core, which take turns anyway: in blocks of 1 KiB, one after
 * the other or some of them ahead, beside a bare ping-pong of as many bytes; and by Q-Block in sets of ten, beside bare
 * sets of ten by sendmmsg, each answered once. All with a tenth of all datagrams lost, too, which a filter on the
 * receiving socket sees to, for bare ones and ours alike. Bare programs send again after the same time as ours, and
 * only what is missing. */
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/datagrams.h"
#include "bench/measure.h"
#include "copal/net.h"

enum {
  ROUNDS = 5,
  BLOCK = 1024,
  SET = 10,
  HEADER = 20,
  BODY_MAX = 16 << 20,
  AHEAD = 7,
  ACK_TIMEOUT_MS = 2,
  TRIES_MAX = 16
};

enum way { BARE_BLOCKS, COPAL_BLOCKS, COPAL_AHEAD, BARE_SETS, COPAL_SETS, WAYS };

static const char *const way_names[WAYS] = {"bare ping-pong", "block-wise", "block-wise, 7 ahead", "bare sets of ten",
                                            "Q-Block"};

/* What is sent with a bare block: which one it is, and, in the last of a burst, that an answer is wanted. */
struct head {
  uint32_t number;
  uint32_t wants_answer;
  uint8_t rest[HEADER - 8]; /* as many bytes as a CoAP header and its options take */
};

static uint8_t body[BODY_MAX];
static size_t body_size;
static bool lossy;
static uint64_t received;

/* --- Both sides -------------------------------------------------------------------------------- */

static void lose(int fd) {
  struct sock_filter code[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)},
                               {BPF_JMP | BPF_JGE | BPF_K, 1, 0, UINT32_MAX / 10},
                               {BPF_RET | BPF_K, 0, 0, 0},
                               {BPF_RET | BPF_K, 0, 0, UINT32_MAX}};
  struct sock_fprog program = {4, code};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) datagrams_fail("SO_ATTACH_FILTER");
}

/* Both processes: to wake another core takes many times as long as what is measured, and never the same time. */
static void pin(void) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(0, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) datagrams_fail("sched_setaffinity");
}

static int bare_socket(uint16_t *port) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    datagrams_fail("bind");
  if (lossy) lose(fd);
  *port = ntohs(address.sin_port);
  return fd;
}

/* Waits for an answer as long as a CON does at that try. */
static bool await(int fd, unsigned tries) {
  struct pollfd readable = {fd, POLLIN, 0};
  if (tries >= TRIES_MAX) abort();
  return !lossy || poll(&readable, 1, (ACK_TIMEOUT_MS + ACK_TIMEOUT_MS / 4) << tries) > 0;
}

/* --- Bare, in blocks --------------------------------------------------------------------------- */

static void bare_blocks_serve(int fd) {
  uint8_t bytes[HEADER + BLOCK];
  struct sockaddr_in from;
  for (;;) {
    socklen_t size = sizeof from;
    if (recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size) != HEADER) abort();
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    memcpy(bytes + HEADER, body + (size_t)number * BLOCK, BLOCK);
    sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, size);
  }
}

static void bare_blocks_fetch(int fd, const struct sockaddr_in *server) {
  for (uint32_t number = 0; number < body_size / BLOCK; ++number) {
    uint8_t bytes[HEADER + BLOCK];
    uint32_t answered = UINT32_MAX;
    for (unsigned tries = 0; answered != number; ++tries) {
      struct head head = {.number = number};
      sendto(fd, &head, sizeof head, 0, (const struct sockaddr *)server, sizeof *server);
      if (!await(fd, tries)) continue;
      if (recv(fd, bytes, sizeof bytes, 0) != sizeof bytes) abort();
      memcpy(&answered, bytes, sizeof answered);
    }
    if (memcmp(bytes + HEADER, body + (size_t)number * BLOCK, BLOCK) != 0) abort();
    received += BLOCK;
  }
}

/* --- Bare, in sets ----------------------------------------------------------------------------- */

/* Says of each set, when it is asked to, which blocks are missing. */
static void bare_sets_serve(int fd) {
  static struct datagrams in;
  static uint16_t came[BODY_MAX / BLOCK / SET + 1];
  datagrams_init(&in);
  memset(came, 0, sizeof came);
  for (;;) {
    int count = datagrams_receive(&in, fd, SET);
    for (int i = 0; i < count; ++i) {
      struct head head;
      memcpy(&head, in.bytes[i], sizeof head);
      uint32_t set = head.number / SET;
      if (memcmp(in.bytes[i] + HEADER, body + (size_t)head.number * BLOCK, BLOCK) != 0) abort();
      came[set] |= (uint16_t)(1u << head.number % SET);
      if (head.wants_answer == 0) continue;
      struct head answer = {.number = set, .wants_answer = came[set]};
      sendto(fd, &answer, sizeof answer, 0, in.messages[i].msg_hdr.msg_name, in.messages[i].msg_hdr.msg_namelen);
    }
  }
}

static void send_missing(struct datagrams *out, int fd, const struct sockaddr_in *server, uint32_t set, uint16_t came,
                         uint16_t whole) {
  unsigned count = 0;
  for (uint32_t i = 0; i < SET; ++i) {
    if ((whole & ~came & 1 << i) == 0) continue;
    struct head head = {.number = set * SET + i};
    memcpy(out->bytes[count], &head, sizeof head);
    memcpy(out->bytes[count] + HEADER, body + (size_t)head.number * BLOCK, BLOCK);
    out->vectors[count].iov_len = HEADER + BLOCK;
    datagrams_address(out, count++, ntohl(server->sin_addr.s_addr), ntohs(server->sin_port), 0);
  }
  struct head last;
  memcpy(&last, out->bytes[count - 1], sizeof last);
  last.wants_answer = 1;
  memcpy(out->bytes[count - 1], &last, sizeof last);
  datagrams_send(out, fd, count);
}

static void bare_sets_send(int fd, const struct sockaddr_in *server) {
  static struct datagrams out;
  datagrams_init(&out);
  uint32_t blocks = (uint32_t)(body_size / BLOCK);
  for (uint32_t set = 0; set * SET < blocks; ++set) {
    uint32_t count = blocks - set * SET < SET ? blocks - set * SET : SET;
    uint16_t whole = (uint16_t)((1u << count) - 1), came = 0;
    for (unsigned tries = 0; came != whole;) {
      struct head answer;
      send_missing(&out, fd, server, set, came, whole);
      if (!await(fd, tries++)) continue;
      if (recv(fd, &answer, sizeof answer, 0) != sizeof answer) abort();
      if (answer.number == set && (came | answer.wants_answer) != came) tries = 0;
      if (answer.number == set) came |= (uint16_t)answer.wants_answer;
    }
    received += (uint64_t)count * BLOCK;
  }
}

/* --- Ours -------------------------------------------------------------------------------------- */

static void give(copal_request *request, void *context) {
  (void)context;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  copal_message_add(reply, COPAL_OPTION_ETAG, "1", 1);
  copal_reply_body(request, body, body_size);
}

static void take(copal_request *request, void *context) {
  (void)context;
  copal_part part = copal_request_part(request);
  if (memcmp(part.data, body + part.offset, part.size) != 0) abort();
  if (part.last) copal_reply_code(request, part.offset + part.size == body_size ? COPAL_CHANGED : COPAL_BAD_REQUEST);
}

static bool is_ours(enum way way) { return way == COPAL_BLOCKS || way == COPAL_AHEAD || way == COPAL_SETS; }

static copal_endpoint *open_endpoint(const char *uri, enum way way) {
  copal_open_options options = copal_open_defaults();
  if (way == COPAL_AHEAD) options.config.parameters.nstart = AHEAD + 1;
  /* Nothing may be said of where it began to be slow: enough tries, as soon as the bare ones. */
  if (lossy) options.config.parameters.ack_timeout = ACK_TIMEOUT_MS * COPAL_MILLISECOND;
  if (lossy) options.config.parameters.max_retransmit = 10;
  copal_endpoint *endpoint = copal_open(uri, &options);
  if (endpoint == NULL) abort();
  if (lossy) lose(copal_socket(endpoint));
  return endpoint;
}

static copal_endpoint *copal_server(uint16_t *port, enum way way) {
  copal_address address;
  copal_endpoint *endpoint = open_endpoint("coap://127.0.0.1:0", way);
  if (copal_route(endpoint, COPAL_GET, "/body", give, NULL) != COPAL_OK ||
      copal_route(endpoint, COPAL_PUT, "/body", take, NULL) != COPAL_OK ||
      copal_route_parts(endpoint, COPAL_PUT, "/body", NULL) != COPAL_OK ||
      copal_local_address(endpoint, &address) != COPAL_OK)
    abort();
  *port = address.port;
  return endpoint;
}

static bool take_part(void *context, uint64_t offset, const void *data, size_t size) {
  (void)context;
  if (memcmp(data, body + offset, size) != 0) abort();
  received = offset + size;
  return true;
}

static uint64_t give_part(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context;
  size_t count = body_size - offset < size ? body_size - offset : size;
  memcpy(buffer, body + offset, count);
  return count;
}

static void copal_transfer(copal_endpoint *client, enum way way, const copal_address *server) {
  static copal_response response;
  uint8_t bytes[64];
  copal_message message;
  copal_message_init(&message, bytes, sizeof bytes, COPAL_CON, way == COPAL_SETS ? COPAL_PUT : COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "body");
  copal_call_options options = {.message = &message, .remote = server};
  if (way != COPAL_SETS) {
    options.write = take_part;
    options.ahead = way == COPAL_AHEAD ? AHEAD : 0;
  } else {
    options.q_block = true;
    options.read = give_part;
    options.size = body_size;
  }
  copal_error error = copal_call_wait(client, &options, &response);
  if (error != COPAL_OK || COPAL_CODE_CLASS(response.code) != 2) {
    fprintf(stderr, "%s: %s, %u\n", way_names[way], copal_error_text(error), response.code);
    exit(1);
  }
  if (way == COPAL_SETS) received = body_size;
}

/* --- A run ------------------------------------------------------------------------------------- */

/* The server is a process of its own; it says where it listens. */
static pid_t start_server(enum way way, uint16_t *port) {
  int ends[2];
  if (pipe(ends) != 0) datagrams_fail("pipe");
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    copal_endpoint *endpoint = NULL;
    int fd = -1;
    if (is_ours(way))
      endpoint = copal_server(port, way);
    else
      fd = bare_socket(port);
    if (write(ends[1], port, sizeof *port) != sizeof *port) abort();
    if (way == BARE_BLOCKS) bare_blocks_serve(fd);
    if (way == BARE_SETS) bare_sets_serve(fd);
    exit(copal_run(endpoint) == 0 ? 0 : 1);
  }
  if (pid < 0 || read(ends[0], port, sizeof *port) != sizeof *port) abort();
  close(ends[0]);
  close(ends[1]);
  return pid;
}

static double clock_ns(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) abort();
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

struct cost {
  double wall, processor; /* ns a block; of both processes together */
};

static struct cost cost_of(enum way way) {
  uint16_t port, own;
  pid_t pid = start_server(way, &port);
  bool ours = is_ours(way);
  struct sockaddr_in server = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  copal_address address = {.bytes = {127, 0, 0, 1}, .port = port, .family = COPAL_FAMILY_IPV4};
  copal_endpoint *client = ours ? open_endpoint("coap://127.0.0.1:0", way) : NULL;
  int fd = ours ? -1 : bare_socket(&own);
  clockid_t clock;
  if (clock_getcpuclockid(pid, &clock) != 0) abort();
  received = 0;
  double processor = clock_ns(clock) + clock_ns(CLOCK_PROCESS_CPUTIME_ID), wall = measure_now_ns();
  if (ours) copal_transfer(client, way, &address);
  if (way == BARE_BLOCKS) bare_blocks_fetch(fd, &server);
  if (way == BARE_SETS) bare_sets_send(fd, &server);
  wall = measure_now_ns() - wall;
  processor = clock_ns(clock) + clock_ns(CLOCK_PROCESS_CPUTIME_ID) - processor;
  if (received != body_size) abort();
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  copal_close(client);
  if (fd >= 0) close(fd);
  double blocks = (double)body_size / BLOCK;
  return (struct cost){wall / blocks, processor / blocks};
}

/* Where each lost block costs milliseconds, less has to do. Sets have the whole: what a transfer loses at its end, it
 * loses once. */
static size_t size_of(enum way way, bool quick) {
  if (quick) return 1 << 15;
  return lossy && way < BARE_SETS ? 1 << 17 : BODY_MAX;
}

/* --- Output ------------------------------------------------------------------------------------ */

static struct measure walls[2][WAYS], processors[2][WAYS];

static void print_one(bool json, int loss, int way) {
  if (!json) {
    printf("%-20s %3d %% lost %10.2f MB/s %10.0f ns of processors a block\n", way_names[way], loss * 10,
           BLOCK * 1e3 / measure_median(&walls[loss][way]), measure_median(&processors[loss][way]));
    return;
  }
  printf("{\"benchmark\":\"transfer\",\"way\":\"%s\",\"loss\":%d,\"of\":\"wall\",", way_names[way], loss * 10);
  measure_json(&walls[loss][way], "ns");
  printf("{\"benchmark\":\"transfer\",\"way\":\"%s\",\"loss\":%d,\"of\":\"processor\",", way_names[way], loss * 10);
  measure_json(&processors[loss][way], "ns");
}

int main(int argc, char **argv) {
  struct measure_options options = measure_options(argc, argv, ROUNDS);
  pin();
  for (size_t i = 0; i < BODY_MAX; ++i) body[i] = (uint8_t)(i * 2654435761u >> 13);
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (int loss = 0; loss < 2; ++loss) {
      lossy = loss == 1;
      for (int way = 0; way < WAYS; ++way) {
        body_size = size_of((enum way)way, options.quick);
        struct cost cost = cost_of((enum way)way);
        measure_add(&walls[loss][way], cost.wall);
        measure_add(&processors[loss][way], cost.processor);
      }
    }
  }
  for (int loss = 0; loss < 2; ++loss)
    for (int way = 0; way < WAYS; ++way) print_one(options.json, loss, way);
  return 0;
}
