/* What a request costs the bare endpoint, from the datagram that comes in to the one that goes out: with few and with
 * many peers; with few and with many requests remembered, the memory being full and turning over; on one thread, and on
 * two at once with an endpoint each. The clock is virtual, so the figures are the engine's alone. */
#include <inttypes.h>
#include <pthread.h>
#include <sys/mman.h>

#include "bench/measure.h"
#include "copal/rest.h"

enum { ROUNDS = 5, BATCH = 32, STEPS = 300000, WARM_DEFAULT = 300000, SIZE_MAX_REQUEST = 64, THREADS_MAX = 2 };

struct subject {
  const char *name;
  copal_code method;
  uint32_t peers, remembered; /* 0 remembered: whatever the default is */
  unsigned threads;
  bool quick;
};

static const struct subject subjects[] = {
    {"peers", COPAL_GET, 10, 0, 1, true},
    {"peers", COPAL_GET, 1000, 0, 1, true},
    {"peers", COPAL_GET, 100000, 0, 1, false},
    {"peers", COPAL_GET, 1000000, 0, 1, false},
    {"remembered", COPAL_POST, 1000, 100, 1, true},
    {"remembered", COPAL_POST, 1000, 10000, 1, true},
    {"remembered", COPAL_POST, 1000, 100000, 1, false},
    {"remembered", COPAL_POST, 1000, 1000000, 1, false},
    {"threads", COPAL_GET, 1000, 0, 1, true},
    {"threads", COPAL_GET, 1000, 0, 2, true},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

struct server {
  const struct subject *subject;
  copal_endpoint *endpoint;
  void *memory;
  size_t size;
  copal_time now, pace; /* between two batches */
  uint32_t sequence;
  uint64_t executed;
  double ns;
};

static void answer(copal_request *request, void *context) {
  ++((struct server *)context)->executed;
  copal_reply_text(request, "22.3");
}

/* The processor's time, since two threads may have to share one. */
static double thread_ns(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) abort();
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* --- A batch ----------------------------------------------------------------------------------- */

struct batch {
  uint8_t bytes[BATCH][SIZE_MAX_REQUEST];
  copal_datagram datagrams[BATCH];
};

/* All peers take their turn, in an order that looks like none, with message IDs and tokens that they had not yet. */
static void make_batch(struct server *server, struct batch *batch) {
  for (uint32_t i = 0; i < BATCH; ++i) {
    uint32_t number = server->sequence++, token[2] = {number, ~number};
    uint32_t peer = (uint32_t)((uint64_t)(number % server->subject->peers) * 2654435761u % server->subject->peers);
    copal_encoder encoder;
    copal_encode_begin(&encoder, batch->bytes[i], SIZE_MAX_REQUEST, COPAL_CON, (uint8_t)server->subject->method,
                       (uint16_t)(number / server->subject->peers), token, sizeof token);
    copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "temperature", 11);
    copal_address remote = {.port = 5683, .family = COPAL_FAMILY_IPV4};
    memcpy(remote.bytes, (uint8_t[4]){127, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer}, 4);
    batch->datagrams[i] = (copal_datagram){batch->bytes[i], encoder.size, {.remote = remote}};
  }
}

static void serve(struct server *server, const struct batch *batch) {
  copal_datagram out[BATCH];
  server->now += server->pace;
  double start = thread_ns();
  size_t taken = copal_endpoint_input(server->endpoint, server->now, batch->datagrams, BATCH);
  size_t given = copal_endpoint_output(server->endpoint, server->now, out, BATCH);
  server->ns += thread_ns() - start;
  if (taken != BATCH || given != BATCH || out[BATCH - 1].data[1] != COPAL_CONTENT) abort();
}

/* --- A run ------------------------------------------------------------------------------------- */

static copal_config config_for(const struct subject *subject) {
  copal_config config = copal_config_default();
  if (config.peers_max < subject->peers) config.peers_max = subject->peers;
  if (subject->remembered == 0) return config;
  /* An entry with this reply takes 64 bytes at most; a batch more, since what is over goes when the next one comes. */
  config.replies_size = 2 * 64 * (subject->remembered + subject->remembered / 8 + 4 * BATCH);
  config.peer_replies_max = UINT16_MAX;
  config.amplification_max = 0; /* clients as good as verified, who may have all of it */
  return config;
}

static void begin(struct server *server, const struct subject *subject) {
  static const uint8_t seed[32] = {1};
  copal_config config = config_for(subject);
  *server = (struct server){.subject = subject, .pace = COPAL_MICROSECOND * BATCH};
  if (subject->remembered > 0) server->pace = copal_exchange_lifetime(&config.parameters) / subject->remembered * BATCH;
  server->size = copal_endpoint_size(&config);
  server->memory = mmap(NULL, server->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (server->size == 0 || server->memory == MAP_FAILED) abort();
  server->endpoint = copal_endpoint_init(server->memory, server->size, &config, seed, 0);
  if (copal_route(server->endpoint, subject->method, "/temperature", answer, server) != COPAL_OK) abort();
}

/* A request that comes again is not executed again. */
static void check(struct server *server, struct batch *batch) {
  make_batch(server, batch);
  serve(server, batch);
  uint64_t executed = server->executed;
  server->pace = 0;
  serve(server, batch);
  if (server->executed != executed || executed != server->sequence) abort();
  const copal_counters *counters = copal_endpoint_counters(server->endpoint);
  if (counters->duplicates != BATCH || counters->replies_full > 0 || counters->peers_full > 0) abort();
}

static void *run(void *context) {
  struct server *server = (struct server *)context;
  const struct subject *subject = server->subject;
  struct batch batch;
  /* Twice round, so that every peer is known, and every place of the memory was used; of the default's, every place of
   * its index (decision 0021). */
  uint32_t warm = 2 * (subject->remembered > subject->peers ? subject->remembered : subject->peers);
  if (subject->remembered == 0 && warm < WARM_DEFAULT) warm = WARM_DEFAULT;
  while (server->sequence < warm) {
    make_batch(server, &batch);
    serve(server, &batch);
  }
  server->ns = 0;
  for (uint32_t step = 0; step < STEPS; step += BATCH) {
    make_batch(server, &batch);
    serve(server, &batch);
  }
  double ns = server->ns / STEPS;
  check(server, &batch);
  server->ns = ns;
  return NULL;
}

static double ns_of(const struct subject *subject) {
  struct server servers[THREADS_MAX];
  pthread_t threads[THREADS_MAX];
  double ns = 0;
  for (unsigned i = 0; i < subject->threads; ++i) {
    begin(&servers[i], subject);
    if (pthread_create(&threads[i], NULL, run, &servers[i]) != 0) abort();
  }
  for (unsigned i = 0; i < subject->threads; ++i) {
    pthread_join(threads[i], NULL);
    ns += servers[i].ns / subject->threads;
    munmap(servers[i].memory, servers[i].size);
  }
  return ns;
}

/* --- Output ------------------------------------------------------------------------------------ */

static uint32_t size_of(const struct subject *subject) {
  if (subject->threads > 1 || strcmp(subject->name, "threads") == 0) return subject->threads;
  return subject->remembered > 0 ? subject->remembered : subject->peers;
}

static bool is_wanted(const struct subject *subject, const struct measure_options *options) {
  if (options->only != NULL && strcmp(options->only, subject->name) != 0) return false;
  return subject->quick || !options->quick;
}

int main(int argc, char **argv) {
  static struct measure figures[SUBJECTS];
  struct measure_options options = measure_options(argc, argv, ROUNDS);
  for (unsigned round = 0; round < options.rounds; ++round)
    for (int i = 0; i < SUBJECTS; ++i)
      if (is_wanted(&subjects[i], &options)) measure_add(&figures[i], ns_of(&subjects[i]));
  if (!options.json) printf("requests: ns each on the bare endpoint, medians of %u rounds\n\n", options.rounds);
  for (int i = 0; i < SUBJECTS; ++i) {
    if (figures[i].count == 0) continue;
    if (options.json) {
      printf("{\"benchmark\":\"requests\",\"of\":\"%s\",\"count\":%" PRIu32 ",", subjects[i].name,
             size_of(&subjects[i]));
      measure_json(&figures[i], "ns");
    } else {
      printf("%-12s %10" PRIu32 " %10.0f\n", subjects[i].name, size_of(&subjects[i]), measure_median(&figures[i]));
    }
  }
  return 0;
}
