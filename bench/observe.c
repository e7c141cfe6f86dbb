/* What a notification costs when a resource has many observers, each with an address of its own: a change is noted, its
 * handler is called once, and every observer is sent the new state. Non-confirmable ones are followed by the end of
 * their interval, confirmable ones by their acknowledgements, in the order in which they went out. */
#include <inttypes.h>
#include <sys/mman.h>

#include "bench/measure.h"
#include "endpoint/endpoint.h"

enum { ROUNDS = 5, BATCH = 50, SIZES = 5, CHANGES_MIN = 100000 };

enum part { PART_REGISTER, PART_NON, PART_NON_OVER, PART_CON, PART_CON_OVER, PARTS };

static const char *const part_names[PARTS] = {"register", "NON", "interval over", "CON", "acknowledged"};
static const uint32_t sizes[SIZES] = {100, 1000, 10000, 100000, 1000000};

struct crowd {
  copal_endpoint *endpoint;
  uint32_t count;
  copal_time now;
  uint64_t handler_calls, notifications;
  double ns[PARTS];
};

static copal_address address_of(uint32_t number) {
  copal_address address = {.bytes = {0xfd}, .port = 5683, .family = COPAL_FAMILY_IPV6};
  memcpy(address.bytes + 12, &number, sizeof number);
  return address;
}

static void temperature(copal_request *request, void *context) {
  struct crowd *crowd = (struct crowd *)context;
  if (copal_request_is_notification(request)) ++crowd->handler_calls;
  copal_reply_text(request, "22.3");
}

/* --- Registration ----------------------------------------------------------------------------- */

/* GET /sensors with an Observe option and a token of 4 bytes. */
static size_t write_request(uint8_t *bytes, uint32_t number) {
  copal_encoder encoder;
  copal_encode_begin(&encoder, bytes, 64, COPAL_CON, COPAL_GET, (uint16_t)number, &number, sizeof number);
  copal_encode_uint(&encoder, COPAL_OPTION_OBSERVE, 0);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "sensors", 7);
  return encoder.size;
}

static void register_all(struct crowd *crowd) {
  for (uint32_t first = 0; first < crowd->count; first += BATCH) {
    uint8_t bytes[BATCH][64];
    copal_datagram in[BATCH], out[BATCH];
    for (uint32_t i = 0; i < BATCH; ++i) {
      size_t size = write_request(bytes[i], first + i);
      in[i] = (copal_datagram){bytes[i], size, {.remote = address_of(first + i)}};
    }
    double start = measure_now_ns();
    size_t taken = copal_endpoint_input(crowd->endpoint, crowd->now, in, BATCH);
    size_t answered = copal_endpoint_output(crowd->endpoint, crowd->now, out, BATCH);
    crowd->ns[PART_REGISTER] += measure_now_ns() - start;
    if (taken != BATCH || answered != BATCH) abort();
  }
  if (copal_endpoint_usage(crowd->endpoint).observers != crowd->count) abort();
  struct peers *peers = &crowd->endpoint->engine.peers;
  for (uint32_t i = 0; i < crowd->count; ++i) peers->records[i].flags |= PEER_VERIFIED;
}

/* --- One change ------------------------------------------------------------------------------- */

struct sent {
  uint16_t mid;
  copal_path path;
};

static void send_all(struct crowd *crowd, enum part part, struct sent *sent) {
  double start = measure_now_ns();
  if (copal_notify(crowd->endpoint, "/sensors") != crowd->count) abort();
  crowd->ns[part] += measure_now_ns() - start;
  for (uint32_t done = 0; done < crowd->count;) {
    copal_datagram out[BATCH];
    start = measure_now_ns();
    size_t count = copal_endpoint_output(crowd->endpoint, crowd->now, out, BATCH);
    crowd->ns[part] += measure_now_ns() - start;
    if (count == 0) abort();
    for (size_t i = 0; i < count; ++i)
      sent[done++] = (struct sent){(uint16_t)(out[i].data[2] << 8 | out[i].data[3]), out[i].path};
  }
}

static void let_intervals_end(struct crowd *crowd) {
  copal_datagram out[BATCH];
  crowd->now += 4 * COPAL_SECOND;
  double start = measure_now_ns();
  if (copal_endpoint_output(crowd->endpoint, crowd->now, out, BATCH) != 0) abort();
  crowd->ns[PART_NON_OVER] += measure_now_ns() - start;
}

static void acknowledge_all(struct crowd *crowd, const struct sent *sent) {
  for (uint32_t first = 0; first < crowd->count; first += BATCH) {
    uint8_t bytes[BATCH][4];
    copal_datagram in[BATCH];
    for (uint32_t i = 0; i < BATCH; ++i) {
      const struct sent *one = &sent[first + i];
      memcpy(bytes[i], (uint8_t[4]){0x60, 0, (uint8_t)(one->mid >> 8), (uint8_t)one->mid}, 4);
      in[i] = (copal_datagram){bytes[i], 4, one->path};
    }
    double start = measure_now_ns();
    if (copal_endpoint_input(crowd->endpoint, crowd->now, in, BATCH) != BATCH) abort();
    crowd->ns[PART_CON_OVER] += measure_now_ns() - start;
  }
  copal_datagram out[BATCH];
  if (copal_endpoint_output(crowd->endpoint, crowd->now, out, BATCH) != 0) abort();
}

/* --- A run ------------------------------------------------------------------------------------ */

static copal_config config_for(uint32_t count) {
  copal_config config = copal_config_small();
  config.peers_max = count + count / 2; /* a quarter of which is left to others, */
  config.exchanges_max = count + count / 2;
  config.messages_size = config.exchanges_max * 64;
  config.observers_max = count;
  config.outbox_max = BATCH;
  config.replies_size = 1 << 20;
  return config;
}

static void change(struct crowd *crowd, struct sent *sent, bool con, uint32_t changes) {
  copal_route_observable(crowd->endpoint, "/sensors", con ? 0 : COPAL_SECOND * 24 * 3600);
  register_all(crowd);
  for (uint32_t i = 0; i <= changes; ++i) {
    /* The first one touches memory that was never used before. */
    if (i == 1) memset(crowd->ns + PART_NON, 0, sizeof *crowd->ns * (PARTS - PART_NON));
    crowd->now += COPAL_SECOND;
    send_all(crowd, con ? PART_CON : PART_NON, sent);
    if (con)
      acknowledge_all(crowd, sent);
    else
      let_intervals_end(crowd);
  }
  const copal_counters *counters = copal_endpoint_counters(crowd->endpoint);
  if (crowd->handler_calls != changes + 1 || counters->notifications != (changes + 1ull) * crowd->count) abort();
  if (counters->retransmissions > 0 || copal_endpoint_usage(crowd->endpoint).exchanges > 0) abort();
}

/* One count and type, from fresh memory. */
static void run(uint32_t count, bool con, double ns[PARTS]) {
  static const uint8_t seed[32] = {1};
  copal_config config = config_for(count);
  size_t size = copal_endpoint_size(&config);
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sent *sent = calloc(count, sizeof *sent);
  struct crowd crowd = {.count = count};
  if (size == 0 || memory == MAP_FAILED || sent == NULL) abort();
  crowd.endpoint = copal_endpoint_init(memory, size, &config, seed, 0);
  if (copal_route(crowd.endpoint, COPAL_GET, "/sensors", temperature, &crowd) != COPAL_OK) abort();
  uint32_t changes = count < CHANGES_MIN ? CHANGES_MIN / count : 1;
  change(&crowd, sent, con, changes);
  ns[PART_REGISTER] = crowd.ns[PART_REGISTER] / count;
  for (int part = PART_NON; part < PARTS; ++part)
    if (crowd.ns[part] > 0) ns[part] = crowd.ns[part] / changes / count;
  free(sent);
  munmap(memory, size);
}

/* --- Output ----------------------------------------------------------------------------------- */

static struct measure_options options;
static int sizes_count = SIZES;
static struct measure figures[SIZES][PARTS];

static void print_json(void) {
  for (int size = 0; size < sizes_count; ++size) {
    for (int part = 0; part < PARTS; ++part) {
      printf("{\"benchmark\":\"observe\",\"observers\":%" PRIu32 ",\"part\":\"%s\",", sizes[size], part_names[part]);
      measure_json(&figures[size][part], "ns");
    }
  }
}

static void print_table(void) {
  printf("observe: ns for each observer, medians of %u rounds; one call of the handler a change\n\n%12s",
         options.rounds, "observers");
  for (int part = 0; part < PARTS; ++part) printf("  %14s", part_names[part]);
  printf("\n");
  for (int size = 0; size < sizes_count; ++size) {
    printf("%12" PRIu32, sizes[size]);
    for (int part = 0; part < PARTS; ++part) printf("  %14.0f", measure_median(&figures[size][part]));
    printf("\n");
  }
}

int main(int argc, char **argv) {
  options = measure_options(argc, argv, ROUNDS);
  if (options.quick) sizes_count = 2;
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (int size = 0; size < sizes_count; ++size) {
      double ns[PARTS];
      run(sizes[size], false, ns);
      run(sizes[size], true, ns);
      for (int part = 0; part < PARTS; ++part) measure_add(&figures[size][part], ns[part]);
    }
  }
  if (options.json)
    print_json();
  else
    print_table();
  return 0;
}
