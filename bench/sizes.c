/* How large things are: every public record, and an endpoint's memory for 8, 1,000 and 1,000,000 exchanges, term by
 * term. The terms are taken from the same functions that lay the memory out, and must add up to copal_endpoint_size. */
#include <inttypes.h>

#include "bench/measure.h"
#include "copal/net.h"
#include "copal/rest.h"
#include "endpoint/endpoint.h"

/* --- Records ---------------------------------------------------------------------------------- */

#define RECORD(type) \
  { #type, sizeof(type) }

static const struct {
  const char *name;
  size_t size;
} records[] = {
    RECORD(copal_bytes),     RECORD(copal_view),       RECORD(copal_option),     RECORD(copal_options),
    RECORD(copal_encoder),   RECORD(copal_message),    RECORD(copal_uri),        RECORD(copal_link),
    RECORD(copal_block),     RECORD(copal_address),    RECORD(copal_path),       RECORD(copal_datagram),
    RECORD(copal_tx),        RECORD(copal_tx_info),    RECORD(copal_rx),         RECORD(copal_event),
    RECORD(copal_deferred),  RECORD(copal_parameters), RECORD(copal_config),     RECORD(copal_counters),
    RECORD(copal_usage),     RECORD(struct exchange),  RECORD(struct peer),      RECORD(struct path),
    RECORD(struct reply),    RECORD(struct deferred),  RECORD(struct reception), RECORD(struct operation),
    RECORD(struct transfer), RECORD(struct observed),  RECORD(struct observer),
};

static void print_records(bool json) {
  if (!json) printf("records: bytes each; those without copal_ are the engine's own\n\n");
  for (size_t i = 0; i < sizeof records / sizeof *records; ++i)
    printf(json ? "{\"benchmark\":\"sizes\",\"record\":\"%s\",\"bytes\":%zu}\n" : "  %-18s %6zu\n", records[i].name,
           records[i].size);
}

/* --- Memory ----------------------------------------------------------------------------------- */

enum { TERMS_MAX = 20 };

struct terms {
  struct {
    const char *name;
    uint64_t size;
  } list[TERMS_MAX];
  size_t count;
  struct layout layout; /* counts, like copal_endpoint_size */
};

/* What was laid out since the last term. */
static void note(struct terms *terms, const char *name) {
  uint64_t before = 0;
  for (size_t i = 0; i < terms->count; ++i) before += terms->list[i].size;
  if (terms->count == TERMS_MAX) abort();
  terms->list[terms->count].name = name;
  terms->list[terms->count++].size = terms->layout.size - before;
}

static void take(struct terms *terms, const char *name, uint32_t count, size_t size) {
  layout_take(&terms->layout, count, size);
  note(terms, name);
}

static void add_up(struct terms *terms, const copal_config *config) {
  static copal_endpoint endpoint; /* filled with what the functions below count for */
  const struct hash_key key = {0, 1};
  struct layout *layout = &terms->layout;
  take(terms, "the endpoint itself", 1, sizeof(copal_endpoint));
  take(terms, "exchanges", config->exchanges_max, sizeof(struct exchange));
  store_init(&endpoint.engine.exchanges.store, layout, config->messages_size, config->message_size_max);
  note(terms, "their messages");
  table_init(&endpoint.engine.exchanges.mids, layout, config->exchanges_max);
  note(terms, "their index, by message ID");
  table_init(&endpoint.engine.exchanges.tokens, layout, config->exchanges_max);
  note(terms, "and by token, where that does not name them");
  take(terms, "whom to call with their ends", config->exchanges_max, sizeof(struct call));
  operations_init(&endpoint.operations, layout, config, &endpoint.engine.exchanges.store, key, 0);
  note(terms, "calls, and where their requests are composed");
  take(terms, "failures to be told", config->exchanges_max, sizeof(struct failure));
  take(terms, "receptions", config->receptions_max, sizeof(struct reception));
  peers_init(&endpoint.engine.peers, layout, config->peers_max);
  note(terms, "peers");
  paths_init(&endpoint.paths, layout, config->peers_max, key);
  note(terms, "their paths, and the index");
  replies_init(&endpoint.engine.idempotent, layout, config->replies_size / 2, false);
  note(terms, "replies to idempotent requests, and the index");
  replies_init(&endpoint.engine.unsafe, layout, config->replies_size / 2, true);
  note(terms, "replies to unsafe requests, and the index");
  deferreds_init(&endpoint.deferreds, layout, config->deferred_max, verifications_max(config));
  note(terms, "deferred responses");
  verifications_init(&endpoint.verifications, layout, config, key);
  note(terms, "addresses to be verified, and what waits for it");
  outbox_init(&endpoint.outbox, layout, config->outbox_max);
  note(terms, "outbox");
  routes_init(&endpoint.routes, layout, config->routes_max, key);
  note(terms, "routes");
  transfers_init(&endpoint.transfers, layout, config, 0, 0, &endpoint.engine.peers, &endpoint.engine.counters);
  note(terms, "bodies in blocks");
  observers_init(&endpoint.observers, layout, config, key, 0);
  note(terms, "observers, and what they observe");
}

/* A peer for each exchange, 64 bytes for its message and 64 for a reply kept for duplicates, with its entry. */
static copal_config config_for(uint32_t exchanges) {
  copal_config config = copal_config_small();
  if (exchanges == config.exchanges_max) return config;
  config.exchanges_max = config.peers_max = exchanges;
  config.messages_size = exchanges * 64;
  config.replies_size = exchanges * (64 + (uint32_t)sizeof(struct reply));
  config.message_size_max = 1472;
  config.outbox_max = config.deferred_max = config.receptions_max = exchanges / 16;
  config.routes_max = 64;
  return config;
}

/* --- Each ------------------------------------------------------------------------------------- */

enum { MANY = 1000000 };

/* What one more takes, its share of the indexes included, where there are a million. */
static void print_each(bool json, const char *name, size_t record, copal_config config) {
  copal_config none = config_for(8);
  double each = ((double)copal_endpoint_size(&config) - (double)copal_endpoint_size(&none)) / MANY;
  if (json)
    printf("{\"benchmark\":\"sizes\",\"each\":\"%s\",\"record\":%zu,\"bytes\":%.1f}\n", name, record, each);
  else
    printf("  %-46s %13zu %13.1f\n", name, record, each);
}

static void print_all_each(bool json) {
  copal_config config = config_for(8);
  if (!json) printf("\nwhere there are a million %34s %13s\n\n", "record", "with indexes");
  config.peers_max = MANY;
  print_each(json, "idle peer", sizeof(struct peer) + sizeof(struct path), config);
  config = config_for(8);
  config.observers_max = MANY;
  print_each(json, "observer", sizeof(struct observer), config);
  config = config_for(8);
  config.exchanges_max = MANY;
  print_each(json, "exchange, without its message", sizeof(struct exchange), config);
  config = config_for(8);
  config.replies_size += MANY * (uint32_t)sizeof(struct reply);
  print_each(json, "remembered duplicate, without its reply", sizeof(struct reply), config);
}

static void print_json(const struct terms *terms, uint32_t exchanges) {
  for (size_t i = 0; i < terms->count; ++i)
    printf("{\"benchmark\":\"sizes\",\"exchanges\":%" PRIu32 ",\"term\":\"%s\",\"bytes\":%" PRIu64 "}\n", exchanges,
           terms->list[i].name, terms->list[i].size);
  printf("{\"benchmark\":\"sizes\",\"exchanges\":%" PRIu32 ",\"term\":\"all\",\"bytes\":%" PRIu64 "}\n", exchanges,
         terms->layout.size);
}

static void print_terms(const struct terms *terms, uint32_t exchanges) {
  printf("\nmemory for %" PRIu32 " exchanges %*s %13s %13s\n\n", exchanges, exchanges == 8 ? 26 : 20, "", "bytes",
         "an exchange");
  for (size_t i = 0; i < terms->count; ++i)
    printf("  %-46s %13" PRIu64 " %13.1f\n", terms->list[i].name, terms->list[i].size,
           (double)terms->list[i].size / exchanges);
  printf("  %-46s %13" PRIu64 " %13.1f\n", "all", terms->layout.size, (double)terms->layout.size / exchanges);
}

int main(int argc, char **argv) {
  static const uint32_t sizes[] = {8, 1000, 1000000};
  bool json = measure_options(argc, argv, 1).json;
  print_records(json);
  print_all_each(json);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    struct terms terms = {.count = 0};
    copal_config config = config_for(sizes[i]);
    add_up(&terms, &config);
    if (json)
      print_json(&terms, sizes[i]);
    else
      print_terms(&terms, sizes[i]);
    if (terms.layout.size == copal_endpoint_size(&config)) continue;
    fprintf(stderr, "sizes: copal_endpoint_size says %zu\n", copal_endpoint_size(&config));
    return 1;
  }
  return 0;
}
