/* Our server, as a user writes it: resources, copal_run, an endpoint for each thread. GET /temperature is small and
 * observable, GET /list is not small; POST /count executes something that must not be executed twice; PUT /body takes a
 * body. On SIGTERM it tells what it has done. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copal/net.h"

#define DAY ((copal_time)86400 * COPAL_SECOND)

enum { THREADS_MAX = 64 };

static copal_endpoint *endpoints[THREADS_MAX];
static unsigned threads = 1;
static _Atomic uint64_t executed;

static void temperature(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "22.3");
}

static void count(copal_request *request, void *context) {
  (void)context;
  atomic_fetch_add_explicit(&executed, 1, memory_order_relaxed);
  copal_reply_text(request, "22.3");
}

static void list(copal_request *request, void *context) {
  static const uint8_t body[400];
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_OCTET_STREAM, body, sizeof body);
}

static void take(copal_request *request, void *context) {
  (void)context;
  copal_reply_code(request, COPAL_CHANGED);
}

static void stop(int number) {
  (void)number;
  for (unsigned i = 0; i < threads; ++i) copal_stop(endpoints[i]);
}

static void *serve(void *context) {
  if (copal_run((copal_endpoint *)context) != 0) abort();
  return NULL;
}

/* --- What it is told -------------------------------------------------------------------------- */

/* A million clients and observers. */
static void for_a_million(copal_config *config) {
  config->peers_max = (1 << 20) + (1 << 19);
  config->observers_max = 1 << 20;
  config->exchanges_max = 1 << 20;
}

/* Unsafe requests are remembered for so long, in a ring for more than come in that time: it turns over, and none is
 * refused. Nothing switches this off; the shortest time leaves the ring in the processor's cache. */
static void for_turning_over(copal_config *config, uint32_t milliseconds) {
  enum { PER_MILLISECOND = 1000, ENTRY = 64, SLACK = 50 };
  config->parameters.ack_timeout = COPAL_MILLISECOND;
  config->parameters.max_retransmit = 0;
  config->parameters.max_latency = milliseconds * COPAL_MILLISECOND / 2;
  config->replies_size = 2 * ENTRY * PER_MILLISECOND * (milliseconds + SLACK);
  config->peer_replies_max = UINT16_MAX;
  config->amplification_max = 0; /* clients as good as verified, who may have all of it */
}

/* So little room that a flood comes to the end of every table in its first moment. */
static void for_floods(copal_config *config) {
  config->peers_max = config->exchanges_max = 4096;
  config->messages_size = 4 << 20;
  config->replies_size = 1 << 20;
  config->deferred_max = config->transfers_max = 256;
  config->bodies_size = 1 << 20;
  config->body_size_max = 16 << 10;
  config->observers_max = 1024;
}

static copal_open_options options_from(int argc, char **argv) {
  copal_open_options options = copal_open_defaults();
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "million") == 0)
      for_a_million(&options.config);
    else if (strcmp(argv[i], "floods") == 0)
      for_floods(&options.config);
    else if (sscanf(argv[i], "threads=%u", &threads) == 1)
      options.reuse_port = threads > 1;
    else if (strncmp(argv[i], "remember=", 9) == 0)
      for_turning_over(&options.config, (uint32_t)atoi(argv[i] + 9));
    else
      exit(2);
  }
  if (threads < 1 || threads > THREADS_MAX) exit(2);
  return options;
}

static uint16_t open_all(copal_open_options *options) {
  copal_address address;
  char uri[32] = "coap://[::]:0";
  for (unsigned i = 0; i < threads; ++i) {
    copal_endpoint *endpoint = endpoints[i] = copal_open(uri, options);
    if (endpoint == NULL || copal_local_address(endpoint, &address) != COPAL_OK ||
        copal_route(endpoint, COPAL_GET, "/temperature", temperature, NULL) != COPAL_OK ||
        copal_route(endpoint, COPAL_POST, "/count", count, NULL) != COPAL_OK ||
        copal_route(endpoint, COPAL_GET, "/list", list, NULL) != COPAL_OK ||
        copal_route(endpoint, COPAL_PUT, "/body", take, NULL) != COPAL_OK ||
        copal_route_observable(endpoint, "/temperature", DAY) != COPAL_OK)
      exit(1);
    snprintf(uri, sizeof uri, "coap://[::]:%u", address.port);
  }
  return address.port;
}

static void tell(void) {
  uint64_t requests = 0, duplicates = 0, refused = 0, evicted = 0, dropped = 0;
  for (unsigned i = 0; i < threads; ++i) {
    const copal_counters *counters = copal_endpoint_counters(endpoints[i]);
    requests += counters->requests;
    duplicates += counters->duplicates;
    refused += counters->replies_full + counters->peers_full;
    evicted += counters->replies_evicted;
    dropped += counters->outbox_full;
  }
  printf("{\"requests\":%" PRIu64 ",\"executed\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"refused\":%" PRIu64
         ",\"evicted\":%" PRIu64 ",\"dropped\":%" PRIu64 "}\n",
         requests, atomic_load(&executed), duplicates, refused, evicted, dropped);
}

int main(int argc, char **argv) {
  copal_open_options options = options_from(argc, argv);
  uint16_t port = open_all(&options);
  signal(SIGTERM, stop);
  printf("{\"port\":%u}\n", port);
  fflush(stdout);
  pthread_t others[THREADS_MAX];
  for (unsigned i = 1; i < threads; ++i)
    if (pthread_create(&others[i], NULL, serve, endpoints[i]) != 0) return 1;
  serve(endpoints[0]);
  for (unsigned i = 1; i < threads; ++i) pthread_join(others[i], NULL);
  tell();
  return 0;
}
