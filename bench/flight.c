/* What an exchange costs while many others are in flight: a confirmable request is sent, transmitted, and matched with
 * its piggybacked response, which closes it. Every request has a peer of its own, as NSTART wants. For each one that is
 * answered another one is sent, so the number in flight stays; answers come in the order of the requests, or in a
 * random one. Virtual time passes at a rate at which each answer takes a second. */
#include <assert.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "bench/measure.h"
#include "copal/rest.h"

enum { ROUNDS = 5, BATCH = 50, STEPS_MIN = 100000, SIZES = 4, ORDERS = 2, REPLY_SIZE = 17 };

/* What is timed apart. The input calls the response handler, and the exchange is forgotten. */
enum part { PART_SEND, PART_OUTPUT, PART_INPUT, PARTS };

static const char *const part_names[PARTS] = {"send", "transmit", "match and close"};
static const char *const order_names[ORDERS] = {"in order", "random order"};
static const uint32_t sizes[SIZES] = {1000, 10000, 100000, 1000000};

/* An answer that waits for its turn, with all that it takes to make the datagram again. */
struct answer {
  uint32_t peer;
  uint8_t bytes[REPLY_SIZE];
};

struct flight {
  copal_endpoint *endpoint;
  uint8_t request[64];
  copal_message message;
  struct answer *answers; /* those in flight, in the order of their transmission: a ring */
  uint32_t count, oldest;
  uint64_t answered;
  copal_time now;
  uint64_t chance;
  double ns[PARTS];
};

static copal_address peer_address(uint32_t peer) {
  copal_address address = {.bytes = {0xfd}, .port = 5683, .family = COPAL_FAMILY_IPV6};
  memcpy(address.bytes + 12, &peer, sizeof peer);
  return address;
}

static uint32_t peer_number(const copal_path *path) {
  uint32_t peer;
  memcpy(&peer, path->remote.bytes + 12, sizeof peer);
  return peer;
}

static void on_response(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context) {
  (void)endpoint, (void)tx;
  struct flight *flight = (struct flight *)context;
  if (error != COPAL_OK || rx->message.payload.size != 4) abort();
  ++flight->answered;
}

/* --- A batch of each -------------------------------------------------------------------------- */

static void send_requests(struct flight *flight, const uint32_t *peers, size_t count) {
  copal_address addresses[BATCH];
  for (size_t i = 0; i < count; ++i) addresses[i] = peer_address(peers[i]);
  double start = measure_now_ns();
  for (size_t i = 0; i < count; ++i)
    if (copal_request_send(flight->endpoint, &flight->message, &addresses[i], COPAL_NEVER, on_response, flight, NULL) !=
        COPAL_OK)
      abort();
  flight->ns[PART_SEND] += measure_now_ns() - start;
}

/* The 2.05 to a request with an 8-byte token, "22.3" in it. */
static struct answer make_answer(const copal_datagram *datagram) {
  struct answer answer = {.peer = peer_number(&datagram->path)};
  memcpy(answer.bytes, datagram->data, 12);
  answer.bytes[0] = 0x68;
  answer.bytes[1] = COPAL_CONTENT;
  memcpy(answer.bytes + 12, "\xff\x32\x32\x2e\x33", 5);
  return answer;
}

/* What goes out becomes the answers at these places of the ring. */
static void transmit(struct flight *flight, const uint32_t *places, size_t count) {
  copal_datagram datagrams[BATCH];
  double start = measure_now_ns();
  bool is_due = copal_endpoint_deadline(flight->endpoint) <= flight->now;
  size_t sent = copal_endpoint_output(flight->endpoint, flight->now, datagrams, count);
  flight->ns[PART_OUTPUT] += measure_now_ns() - start;
  if (!is_due || sent != count) abort();
  for (size_t i = 0; i < count; ++i) flight->answers[places[i]] = make_answer(&datagrams[i]);
}

static void receive(struct flight *flight, const uint32_t *places, size_t count) {
  copal_datagram datagrams[BATCH];
  for (size_t i = 0; i < count; ++i) {
    const struct answer *answer = &flight->answers[places[i]];
    datagrams[i] = (copal_datagram){answer->bytes, REPLY_SIZE, {.remote = peer_address(answer->peer)}};
  }
  uint64_t answered = flight->answered;
  double start = measure_now_ns();
  size_t taken = copal_endpoint_input(flight->endpoint, flight->now, datagrams, count);
  flight->ns[PART_INPUT] += measure_now_ns() - start;
  if (taken != count || flight->answered != answered + count) abort();
}

/* --- A run ------------------------------------------------------------------------------------ */

static uint32_t draw(struct flight *flight, uint32_t limit) {
  flight->chance = flight->chance * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((flight->chance >> 32) * limit >> 32);
}

/* Which answers come next. In random order, one is swapped to the front for each: none comes twice in a batch. */
static void choose(struct flight *flight, bool random, uint32_t *places) {
  for (uint32_t i = 0; i < BATCH; ++i) {
    uint32_t place = (flight->oldest + i) % flight->count;
    if (random) {
      uint32_t other = (place + draw(flight, flight->count - i)) % flight->count;
      struct answer answer = flight->answers[place];
      flight->answers[place] = flight->answers[other];
      flight->answers[other] = answer;
    }
    places[i] = place;
  }
  flight->oldest = (flight->oldest + BATCH) % flight->count;
}

static void fill(struct flight *flight) {
  for (uint32_t first = 0; first < flight->count; first += BATCH) {
    uint32_t numbers[BATCH];
    for (uint32_t i = 0; i < BATCH; ++i) numbers[i] = first + i;
    send_requests(flight, numbers, BATCH);
    transmit(flight, numbers, BATCH);
  }
}

static void turn_over(struct flight *flight, bool random, uint32_t steps) {
  for (uint32_t step = 0; step < steps; step += BATCH) {
    uint32_t places[BATCH], peers[BATCH];
    flight->now += BATCH * COPAL_SECOND / flight->count;
    choose(flight, random, places);
    for (uint32_t i = 0; i < BATCH; ++i) peers[i] = flight->answers[places[i]].peer;
    receive(flight, places, BATCH);
    send_requests(flight, peers, BATCH);
    transmit(flight, places, BATCH);
  }
}

static copal_config config_for(uint32_t count) {
  copal_config config = copal_config_small();
  config.peers_max = count;
  /* What an output gave out stays until the next one, though it be answered meanwhile. */
  config.exchanges_max = count + BATCH;
  config.messages_size = config.exchanges_max * 64;
  /* In random order some wait for many seconds; a retransmission would be another benchmark. */
  config.parameters.ack_timeout = 600 * COPAL_SECOND;
  config.parameters.max_retransmit = 1;
  return config;
}

/* One count and order, from fresh memory. */
static void run(uint32_t count, bool random, double ns[PARTS]) {
  static const uint8_t seed[32] = {1};
  copal_config config = config_for(count);
  size_t size = copal_endpoint_size(&config);
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct flight flight = {.answers = calloc(count, sizeof(struct answer)), .count = count, .chance = count};
  if (size == 0 || memory == MAP_FAILED || flight.answers == NULL) abort();
  flight.endpoint = copal_endpoint_init(memory, size, &config, seed, 0);
  copal_message_init(&flight.message, flight.request, sizeof flight.request, COPAL_CON, COPAL_GET);
  copal_message_add_text(&flight.message, COPAL_OPTION_URI_PATH, "sensors");
  copal_message_add_text(&flight.message, COPAL_OPTION_URI_PATH, "indoor");

  fill(&flight);
  uint32_t steps = count < STEPS_MIN ? STEPS_MIN : count;
  if (random) turn_over(&flight, random, steps / 2); /* so that nothing lies in the order of filling any more */
  memset(flight.ns, 0, sizeof flight.ns);
  turn_over(&flight, random, steps);
  if (copal_endpoint_usage(flight.endpoint).exchanges < count) abort();
  if (copal_endpoint_counters(flight.endpoint)->retransmissions > 0) abort();
  for (int part = 0; part < PARTS; ++part) ns[part] = flight.ns[part] / steps;
  free(flight.answers);
  munmap(memory, size);
}

/* --- Output ----------------------------------------------------------------------------------- */

static struct measure_options options;
static int sizes_count = SIZES;
static struct measure figures[SIZES][ORDERS][PARTS + 1]; /* the last one is their sum */

static void print_json(void) {
  for (int size = 0; size < sizes_count; ++size) {
    for (int order = 0; order < ORDERS; ++order) {
      for (int part = 0; part <= PARTS; ++part) {
        printf("{\"benchmark\":\"flight\",\"in_flight\":%" PRIu32 ",\"order\":\"%s\",\"part\":\"%s\",", sizes[size],
               order_names[order], part < PARTS ? part_names[part] : "all");
        measure_json(&figures[size][order][part], "ns");
      }
    }
  }
}

static void print_table(int order) {
  printf("\n%-12s", order_names[order]);
  for (int part = 0; part < PARTS; ++part) printf("  %15s %6s", part_names[part], "growth");
  printf("  %10s %6s\n", "all", "growth");
  for (int size = 0; size < sizes_count; ++size) {
    printf("%12" PRIu32, sizes[size]);
    for (int part = 0; part <= PARTS; ++part) {
      double value = measure_median(&figures[size][order][part]);
      printf("  %*.0f %6.2f", part < PARTS ? 15 : 10, value, value / measure_median(&figures[0][order][part]));
    }
    printf("\n");
  }
}

int main(int argc, char **argv) {
  options = measure_options(argc, argv, ROUNDS);
  if (options.quick) sizes_count = 2;
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (int size = 0; size < sizes_count; ++size) {
      for (int order = 0; order < ORDERS; ++order) {
        double ns[PARTS], sum = 0;
        run(sizes[size], order == 1, ns);
        for (int part = 0; part < PARTS; ++part) {
          measure_add(&figures[size][order][part], ns[part]);
          sum += ns[part];
        }
        measure_add(&figures[size][order][PARTS], sum);
      }
    }
  }
  if (options.json) {
    print_json();
    return 0;
  }
  printf("flight: ns an exchange with so many in flight, medians of %u rounds; growth is to the smallest\n",
         options.rounds);
  for (int order = 0; order < ORDERS; ++order) print_table(order);
  return 0;
}
