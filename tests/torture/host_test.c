/* Every system call of src/net fails in turn: a client and a server on loopback go through all that they do, again and
 * again, and each time one call more succeeds before one fails, until the last one has failed. Each time every request
 * ends once, as is stated for that failure; a failure that passes leaves an endpoint that works; and nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "copal/net.h"
#include "torture/faults.h"

#define SHORT_TIMEOUT (60 * COPAL_MILLISECOND) /* of what is perhaps never answered */

enum { BODY_SIZE = 150, LARGE_SIZE = 1500, FOR_GOOD = 1 << 30, PATIENCE_S = 20 };

/* What may come of a failure. */
enum harm {
  HARM_NONE,        /* nothing: it is tried again, or done without */
  HARM_LOSS,        /* a datagram is lost: what is confirmable arrives all the same */
  HARM_UNREACHABLE, /* the request concerned is unreachable */
  HARM_PROCESS,     /* copal_process says so, and goes on when it is called again */
  HARM_OPEN         /* an endpoint is not opened, or a group not joined: the error says why */
};

/* --- One errand --------------------------------------------------------------------------------- */

/* How one request ended. */
struct outcome {
  unsigned count;
  copal_error error;
  uint8_t code;
};

enum requests { REQUEST_CON, REQUEST_NON, REQUEST_NOBODY, REQUEST_UPLOAD, REQUEST_DOWNLOAD, REQUESTS };

struct errand {
  copal_endpoint *server, *client;
  struct outcome outcomes[REQUESTS];
  struct outcome states; /* of the observation */
  copal_call observation;
  bool observed_last, changed;
  copal_time timeouts[REQUESTS];
  unsigned interrupted, failed_passes;
  int idle; /* a plain socket */
  uint8_t body[LARGE_SIZE], buffer[4096];
};

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hello");
}

static void take(copal_request *request, void *context) {
  struct errand *errand = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  assert_int_equal(payload.size, BODY_SIZE);
  assert_memory_equal(payload.data, errand->body, BODY_SIZE);
  copal_reply_code(request, COPAL_CHANGED);
}

static void give(copal_request *request, void *context) {
  const struct errand *errand = context;
  copal_reply(request, COPAL_CONTENT, COPAL_OCTET_STREAM, errand->body, LARGE_SIZE);
}

static void told(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  (void)endpoint;
  (void)tx;
  struct outcome *outcome = context;
  ++outcome->count;
  outcome->error = error;
  if (rx != NULL) outcome->code = rx->message.code;
}

static void called(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct outcome *outcome = context;
  (void)call;
  assert_true(result->last);
  told(endpoint, (copal_tx){0, 0}, result->rx, result->error, outcome);
  if (result->error == COPAL_OK && outcome->code == COPAL_CONTENT) assert_int_equal(result->body.size, LARGE_SIZE);
}

static void observed(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct errand *errand = context;
  (void)call;
  errand->observed_last = result->last;
  told(endpoint, (copal_tx){0, 0}, result->rx, result->error, &errand->states);
}

static copal_open_options options_of(void) {
  copal_open_options options = copal_open_defaults();
  options.config = copal_config_small();
  options.config.exchanges_max = 32;
  options.config.peers_max = 16;
  options.config.message_size_max = 1472;
  options.config.messages_size = 64 << 10;
  options.config.replies_size = 64 << 10;
  options.config.peer_replies_max = 64;
  options.config.outbox_max = 32;
  options.config.calls_max = 8;
  options.config.deferred_max = 8;
  options.config.parameters.ack_timeout = 10 * COPAL_MILLISECOND;
  options.config.parameters.ack_random_permille = 1000;
  options.config.parameters.max_retransmit = 8;
  options.config.parameters.nstart = 8;
  options.config.parameters.probing_rate = 0;
  options.batch = 4;
  return options;
}

/* --- Opening ------------------------------------------------------------------------------------ */

/* "where a system call failed, errno too". */
static copal_endpoint *open_one(const char *uri, int planned) {
  copal_open_options options = options_of();
  errno = 0;
  copal_endpoint *endpoint = copal_open(uri, &options);
  if (endpoint != NULL) {
    assert_int_equal(options.error, COPAL_OK);
    return endpoint;
  }
  assert_int_equal(errno, planned);
  assert_true(options.error == COPAL_ERR_MEMORY || options.error == COPAL_ERR_SOCKET ||
              options.error == COPAL_ERR_BIND);
  return NULL;
}

static bool open_both(struct errand *errand, int planned) {
  for (size_t i = 0; i < LARGE_SIZE; ++i) errand->body[i] = (uint8_t)(i * 7 + i / 251);
  errand->server = open_one("coap://127.0.0.1:0", planned);
  if (errand->server == NULL) return false;
  assert_int_equal(copal_route(errand->server, COPAL_GET, "/hello", hello, NULL), COPAL_OK);
  assert_int_equal(copal_route(errand->server, COPAL_PUT, "/body", take, errand), COPAL_OK);
  assert_int_equal(copal_route(errand->server, COPAL_GET, "/body", give, errand), COPAL_OK);
  assert_int_equal(copal_route_observable(errand->server, "/hello", 0), COPAL_OK);
  errand->client = open_one(NULL, planned);
  return errand->client != NULL;
}

static bool is_stated(copal_error error, const copal_error *stated, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (error == stated[i]) return true;
  return false;
}

/* A group, a socket of the program's own. False where the failure was met here, as is stated. */
static bool add_sockets(const struct errand *errand) {
  static const copal_error stated[] = {COPAL_ERR_SOCKET, COPAL_ERR_BIND, COPAL_ERR_INTERFACE};
  copal_error joined = copal_join(errand->server, "224.0.1.187", "lo");
  copal_error registered = copal_register(errand->server, errand->idle);
  if (joined != COPAL_OK) assert_true(is_stated(joined, stated, 3));
  if (registered != COPAL_OK) assert_int_equal(registered, COPAL_ERR_SOCKET);
  assert_int_equal(copal_unregister(errand->server, errand->idle),
                   registered == COPAL_OK ? COPAL_OK : COPAL_ERR_NOT_FOUND);
  return joined == COPAL_OK && registered == COPAL_OK;
}

/* --- Asking --------------------------------------------------------------------------------------- */

static void ask(struct errand *errand, enum requests number, copal_type type, const copal_address *remote) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, type, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "hello");
  assert_int_equal(copal_request_send(errand->client, &message, remote, errand->timeouts[number], told,
                                      &errand->outcomes[number], NULL),
                   COPAL_OK);
}

static void begin_call(struct errand *errand, enum requests number, copal_code code, const copal_address *remote) {
  uint8_t buffer[256];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, (uint8_t)code);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "body");
  if (code == COPAL_PUT) copal_message_set_payload(&message, errand->body, BODY_SIZE);
  copal_call_options options = {.message = &message,
                                .remote = remote,
                                .handler = called,
                                .context = &errand->outcomes[number],
                                .buffer = errand->buffer,
                                .capacity = sizeof errand->buffer,
                                .block_size = code == COPAL_PUT ? 64 : 0};
  assert_int_equal(copal_call_begin(errand->client, &options, NULL), COPAL_OK);
}

static void begin_observation(struct errand *errand, const copal_address *remote) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "hello");
  copal_call_options options = {
      .message = &message, .remote = remote, .handler = observed, .context = errand, .observe = true};
  assert_int_equal(copal_call_begin(errand->client, &options, &errand->observation), COPAL_OK);
}

/* False where the client cannot ask at all. */
static bool begin_all(struct errand *errand, const copal_address *nobody) {
  copal_address server;
  if (copal_local_address(errand->server, &server) != COPAL_OK) return false;
  ask(errand, REQUEST_CON, COPAL_CON, &server);
  ask(errand, REQUEST_NON, COPAL_NON, &server);
  ask(errand, REQUEST_NOBODY, COPAL_CON, nobody);
  begin_call(errand, REQUEST_UPLOAD, COPAL_PUT, &server);
  begin_call(errand, REQUEST_DOWNLOAD, COPAL_GET, &server);
  begin_observation(errand, &server);
  copal_wake(errand->client);
  return true;
}

/* --- Waiting --------------------------------------------------------------------------------------- */

/* The resource changes when it is observed; who is told no more, because a notification could not be sent, is none. */
static bool has_seen_the_change(struct errand *errand) {
  if (errand->observed_last) return true;
  if (errand->states.count == 0) return false;
  if (!errand->changed) {
    errand->changed = true;
    copal_notify(errand->server, "/hello");
  }
  return errand->states.count >= 2 || copal_endpoint_usage(errand->server).observers == 0;
}

static bool is_over(struct errand *errand) {
  bool over = has_seen_the_change(errand) && errand->interrupted > 0;
  for (int i = 0; i < REQUESTS; ++i) over = over && errand->outcomes[i].count > 0;
  return over;
}

static void pass(struct errand *errand, copal_endpoint *endpoint) {
  int result = copal_process(endpoint, 0, NULL);
  if (result == COPAL_ERR_INTERRUPTED && endpoint == errand->client) ++errand->interrupted;
  if (result == COPAL_ERR_SOCKET) ++errand->failed_passes;
  assert_true(result == 0 || result == COPAL_ERR_INTERRUPTED || result == COPAL_ERR_SOCKET);
}

static int add_fds(const copal_endpoint *endpoint, fd_set *set) {
  int fds[COPAL_FDS_MAX], greatest = -1;
  size_t count = copal_fds(endpoint, fds);
  for (size_t i = 0; i < count; ++i) {
    FD_SET(fds[i], set);
    if (fds[i] > greatest) greatest = fds[i];
  }
  return greatest;
}

static void wait_for_both(const struct errand *errand) {
  copal_time wait = copal_timeout(errand->server), other = copal_timeout(errand->client);
  if (other < wait) wait = other;
  struct timespec span = {(time_t)(wait / COPAL_SECOND), (long)(wait % COPAL_SECOND)};
  if (wait > COPAL_SECOND) span = (struct timespec){1, 0};
  fd_set set;
  FD_ZERO(&set);
  int a = add_fds(errand->server, &set), b = add_fds(errand->client, &set);
  pselect((a > b ? a : b) + 1, &set, NULL, NULL, &span, NULL); /* which no fault stands before */
}

static void run_both(struct errand *errand) {
  time_t end = time(NULL) + PATIENCE_S;
  while (!is_over(errand)) {
    if (time(NULL) > end) fail_msg("a request does not end");
    wait_for_both(errand);
    pass(errand, errand->client);
    pass(errand, errand->server);
  }
}

/* --- What came of it -------------------------------------------------------------------------------- */

static void assert_answered(const struct outcome *outcome, uint8_t code, bool may_fail, copal_error failure) {
  assert_int_equal(outcome->count, 1);
  if (may_fail && outcome->error == failure) return;
  assert_int_equal(outcome->error, COPAL_OK);
  /* RFC 9175 2.4: who could not be verified is told so. */
  if (may_fail && outcome->code == COPAL_UNAUTHORIZED) return;
  assert_int_equal(outcome->code, code);
}

static void assert_ended_as_stated(const struct errand *errand, enum harm harm, bool met) {
  const struct outcome *outcomes = errand->outcomes;
  bool unreachable = met && harm == HARM_UNREACHABLE, may_fail = errand->timeouts[REQUEST_NON] != COPAL_NEVER;
  assert_int_equal(outcomes[REQUEST_NOBODY].count, 1);
  /* Without IP_RECVERR nobody tells. */
  if (harm != HARM_OPEN || outcomes[REQUEST_NOBODY].error != COPAL_ERR_TIMEOUT)
    assert_int_equal(outcomes[REQUEST_NOBODY].error, COPAL_ERR_UNREACHABLE);
  assert_answered(&outcomes[REQUEST_CON], COPAL_CONTENT, unreachable, COPAL_ERR_UNREACHABLE);
  assert_answered(&outcomes[REQUEST_UPLOAD], COPAL_CHANGED, unreachable, COPAL_ERR_UNREACHABLE);
  assert_answered(&outcomes[REQUEST_DOWNLOAD], COPAL_CONTENT, unreachable, COPAL_ERR_UNREACHABLE);
  if (!unreachable || outcomes[REQUEST_NON].error != COPAL_ERR_UNREACHABLE)
    assert_answered(&outcomes[REQUEST_NON], COPAL_CONTENT, may_fail, COPAL_ERR_TIMEOUT);
  if (!unreachable) assert_int_equal(errand->states.count, 2);
  if (harm != HARM_PROCESS) assert_int_equal(errand->failed_passes, 0);
}

/* What nothing would end otherwise is not waited for long. */
static void set_timeouts(struct errand *errand, enum harm harm) {
  bool is_lossy = harm == HARM_LOSS || harm == HARM_UNREACHABLE;
  for (int i = 0; i < REQUESTS; ++i) errand->timeouts[i] = COPAL_NEVER;
  if (is_lossy) errand->timeouts[REQUEST_NON] = SHORT_TIMEOUT;
  if (harm == HARM_OPEN) errand->timeouts[REQUEST_NOBODY] = SHORT_TIMEOUT;
}

static unsigned count_descriptors(void) {
  unsigned count = 0;
  DIR *folder = opendir("/proc/self/fd");
  assert_non_null(folder);
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count;
}

/* A port that is taken and where nobody listens: a connected socket hears its peer alone. */
static int open_nobody(copal_address *address) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, peer = own;
  socklen_t size = sizeof own;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  peer.sin_port = htons(9);
  assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&peer, sizeof peer), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
  assert_int_equal(copal_address_parse("127.0.0.1", ntohs(own.sin_port), address), COPAL_OK);
  return fd;
}

/* The whole errand with faults, and without any more of them once they are over. True where the first was met. */
static bool survives(const struct fault *faults, size_t count, enum harm harm) {
  copal_address nobody;
  int taken = open_nobody(&nobody);
  unsigned descriptors = count_descriptors();
  struct errand errand = {.idle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  set_timeouts(&errand, harm);
  faults_arm(faults, count);
  bool opened = open_both(&errand, faults[0].error);
  bool complete = opened && add_sockets(&errand);
  bool asked = opened && begin_all(&errand, &nobody);
  if (asked) run_both(&errand);
  copal_call_cancel(errand.client, errand.observation, false);
  copal_close(errand.client);
  copal_close(errand.server);
  bool met = faults_were_met(&faults[0]);
  faults_disarm();
  if (harm != HARM_OPEN || !met) assert_true(complete && asked);
  if (asked) assert_ended_as_stated(&errand, harm, met);
  close(errand.idle);
  assert_int_equal(count_descriptors(), descriptors);
  close(taken);
  return met;
}

/* One call more succeeds each time, until the errand is over before the failure. */
static void torture(enum fault_call call, int error, enum harm harm, unsigned times) {
  enum { CALLS_MAX = 2000 };
  unsigned at = 1;
  while (at < CALLS_MAX && survives(&(struct fault){call, at, times, error}, 1, harm)) ++at;
  if (at == 1) fail_msg("%s is never called", faults_name(call));
  assert_in_range(at, 2, CALLS_MAX - 1);
}

struct failure {
  enum fault_call call;
  int error;
  enum harm harm;
};

static void torture_all(const struct failure *failures, size_t count, unsigned times) {
  for (size_t i = 0; i < count; ++i) torture(failures[i].call, failures[i].error, failures[i].harm, times);
}

/* --- Opening and joining ------------------------------------------------------------------------------ */

static void what_cannot_be_opened_says_why_and_leaves_nothing(void **state) {
  (void)state;
  static const struct failure failures[] = {
      {FAULT_mmap, ENOMEM, HARM_OPEN},           {FAULT_getrandom, ENOSYS, HARM_OPEN},
      {FAULT_getrandom, EINTR, HARM_OPEN},       {FAULT_eventfd, ENFILE, HARM_OPEN},
      {FAULT_socket, EMFILE, HARM_OPEN},         {FAULT_socket, EAFNOSUPPORT, HARM_OPEN},
      {FAULT_socket, EACCES, HARM_OPEN},         {FAULT_bind, EADDRINUSE, HARM_OPEN},
      {FAULT_bind, EACCES, HARM_OPEN},           {FAULT_setsockopt, ENOPROTOOPT, HARM_OPEN},
      {FAULT_setsockopt, ENOMEM, HARM_OPEN},     {FAULT_getsockopt, ENOBUFS, HARM_OPEN},
      {FAULT_getsockname, ENOBUFS, HARM_OPEN},   {FAULT_fcntl, EBADF, HARM_OPEN},
      {FAULT_if_nametoindex, ENODEV, HARM_OPEN},
  };
  torture_all(failures, sizeof failures / sizeof *failures, 1);
}

static void what_fails_for_good_while_opening_leaves_nothing(void **state) {
  (void)state;
  static const enum fault_call calls[] = {FAULT_mmap,       FAULT_getrandom,   FAULT_eventfd,
                                          FAULT_socket,     FAULT_bind,        FAULT_setsockopt,
                                          FAULT_getsockopt, FAULT_getsockname, FAULT_fcntl};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) torture(calls[i], EPERM, HARM_OPEN, FOR_GOOD);
}

static void a_name_that_cannot_be_looked_up_says_so(void **state) {
  (void)state;
  static const char text[] = "coap://localhost";
  static const int errors[] = {EAI_AGAIN, EAI_NONAME, EAI_MEMORY, EAI_FAIL};
  copal_endpoint *endpoint = open_one("coap://127.0.0.1:0", 0);
  copal_uri uri;
  copal_address address;
  assert_int_equal(copal_uri_parse(text, strlen(text), &uri), COPAL_OK);
  for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i) {
    struct fault fault = {FAULT_getaddrinfo, 1, 1, errors[i]};
    faults_arm(&fault, 1);
    assert_int_equal(copal_resolve(endpoint, &uri, &address), COPAL_ERR_RESOLVE);
    assert_true(faults_were_met(&fault));
    faults_disarm();
  }
  copal_close(endpoint);
}

/* The name of a socket in the file system goes with it, however far it came. */
static void a_named_socket_that_is_not_opened_leaves_no_name(void **state) {
  (void)state;
  static const enum fault_call calls[] = {FAULT_mmap, FAULT_getrandom,  FAULT_eventfd, FAULT_socket,
                                          FAULT_bind, FAULT_getsockopt, FAULT_fcntl,   FAULT_getsockname};
  char folder[] = "/tmp/copal-torture-XXXXXX", uri[64];
  assert_non_null(mkdtemp(folder));
  snprintf(uri, sizeof uri, "coap+unix://%%2Ftmp%%2F%s%%2Fs", folder + strlen("/tmp/"));
  unsigned descriptors = count_descriptors();
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) {
    struct fault fault = {.call = calls[i], .at = 1, .times = 1, .error = ENOBUFS};
    for (bool met = true; met; ++fault.at) {
      faults_arm(&fault, 1);
      copal_endpoint *endpoint = open_one(uri, ENOBUFS);
      met = faults_were_met(&fault);
      faults_disarm();
      if (!met) assert_non_null(endpoint);
      copal_close(endpoint);
      assert_int_equal(count_descriptors(), descriptors);
    }
  }
  assert_int_equal(rmdir(folder), 0); /* it is empty */
}

/* --- Datagrams ------------------------------------------------------------------------------------------ */

static void what_fails_once_in_sending_costs_no_more_than_is_stated(void **state) {
  (void)state;
  static const struct failure failures[] = {
      {FAULT_sendmmsg, EINTR, HARM_NONE},         {FAULT_sendmmsg, EAGAIN, HARM_NONE},
      {FAULT_sendmmsg, FAULT_PARTIAL, HARM_NONE}, {FAULT_sendmmsg, ECONNREFUSED, HARM_NONE},
      {FAULT_sendmmsg, EHOSTUNREACH, HARM_NONE},  {FAULT_sendmmsg, ENETUNREACH, HARM_NONE},
      {FAULT_sendmmsg, ENOBUFS, HARM_LOSS},       {FAULT_sendmmsg, EMSGSIZE, HARM_UNREACHABLE},
      {FAULT_sendmmsg, EPERM, HARM_UNREACHABLE},  {FAULT_sendmmsg, ENOMEM, HARM_UNREACHABLE},
  };
  torture_all(failures, sizeof failures / sizeof *failures, 1);
}

static void a_client_that_can_send_nothing_is_told_so(void **state) {
  (void)state;
  static const int errors[] = {EPERM, ENETUNREACH, EACCES, EINVAL};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i)
    assert_true(survives(&(struct fault){FAULT_sendmmsg, 1, FOR_GOOD, errors[i]}, 1, HARM_UNREACHABLE));
}

/* Nobody waits for ever for a buffer that does not drain. */
static void a_full_buffer_that_cannot_be_waited_for_costs_a_datagram(void **state) {
  (void)state;
  for (unsigned at = 1;; ++at) {
    struct fault faults[] = {{FAULT_sendmmsg, at, 1, EAGAIN}, {FAULT_poll, 1, FOR_GOOD, ENOMEM}};
    if (!survives(faults, 2, HARM_LOSS)) break;
  }
}

static void what_fails_once_in_receiving_costs_nothing(void **state) {
  (void)state;
  static const struct failure failures[] = {
      {FAULT_recvmmsg, EAGAIN, HARM_NONE},        {FAULT_recvmmsg, EINTR, HARM_NONE},
      {FAULT_recvmmsg, ECONNREFUSED, HARM_NONE},  {FAULT_recvmmsg, ENOMEM, HARM_NONE},
      {FAULT_recvmmsg, FAULT_PARTIAL, HARM_NONE}, {FAULT_recvmsg, EAGAIN, HARM_NONE},
      {FAULT_recvmsg, EINTR, HARM_NONE},          {FAULT_recvmsg, ENOMEM, HARM_NONE},
  };
  torture_all(failures, sizeof failures / sizeof *failures, 1);
}

/* --- Waiting -------------------------------------------------------------------------------------------- */

static void what_fails_once_in_waiting_is_told_or_done_otherwise(void **state) {
  (void)state;
  static const struct failure failures[] = {
      {FAULT_ppoll, EINTR, HARM_NONE}, {FAULT_ppoll, ENOMEM, HARM_PROCESS},      {FAULT_read, EINTR, HARM_NONE},
      {FAULT_read, EAGAIN, HARM_NONE}, {FAULT_clock_gettime, EINVAL, HARM_NONE},
  };
  torture_all(failures, sizeof failures / sizeof *failures, 1);
}

/* The one descriptor for all is made when it is asked for: what fails then, and with a socket that comes later, leaves
 * an endpoint that works without it. */
static void a_descriptor_that_cannot_be_had_costs_nothing_else(void **state) {
  (void)state;
  static const struct fault faults[] = {
      {FAULT_epoll_create1, 1, 1, EMFILE}, {FAULT_epoll_ctl, 1, 1, ENOSPC}, {FAULT_epoll_ctl, 2, 1, ENOMEM}};
  copal_endpoint *endpoint = open_one("coap://127.0.0.1:0", 0);
  unsigned descriptors = count_descriptors();
  for (size_t i = 0; i < sizeof faults / sizeof *faults; ++i) {
    faults_arm(&faults[i], 1);
    assert_int_equal(copal_fd(endpoint), -1);
    assert_int_equal(errno, faults[i].error);
    assert_true(faults_were_met(&faults[i]));
    faults_disarm();
    assert_int_equal(count_descriptors(), descriptors);
    assert_int_equal(copal_process(endpoint, 0, NULL), 0);
  }
  int more = socket(AF_INET, SOCK_DGRAM, 0);
  assert_true(copal_fd(endpoint) >= 0);
  faults_arm(&faults[1], 1);
  assert_int_equal(copal_register(endpoint, more), COPAL_ERR_SOCKET);
  faults_disarm();
  assert_int_equal(copal_unregister(endpoint, more), COPAL_ERR_NOT_FOUND);
  assert_int_equal(copal_register(endpoint, more), COPAL_OK);
  assert_int_equal(copal_process(endpoint, 0, NULL), 0);
  copal_close(endpoint);
  close(more);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_cannot_be_opened_says_why_and_leaves_nothing),
      cmocka_unit_test(what_fails_for_good_while_opening_leaves_nothing),
      cmocka_unit_test(a_name_that_cannot_be_looked_up_says_so),
      cmocka_unit_test(a_named_socket_that_is_not_opened_leaves_no_name),
      cmocka_unit_test(what_fails_once_in_sending_costs_no_more_than_is_stated),
      cmocka_unit_test(a_client_that_can_send_nothing_is_told_so),
      cmocka_unit_test(a_full_buffer_that_cannot_be_waited_for_costs_a_datagram),
      cmocka_unit_test(what_fails_once_in_receiving_costs_nothing),
      cmocka_unit_test(what_fails_once_in_waiting_is_told_or_done_otherwise),
      cmocka_unit_test(a_descriptor_that_cannot_be_had_costs_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
