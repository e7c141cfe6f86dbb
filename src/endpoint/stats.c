/* How an endpoint does: its counters and how full its tables are, added up and as a page of text. Changes nothing. */
#include "base/writer.h"
#include "endpoint/endpoint.h"

enum { COLUMN = 12 };

static copal_usage limits(const copal_endpoint *endpoint);
static uint32_t add_up(uint32_t a, uint32_t b);
static void write_figure(struct writer *writer, uint64_t figure);
static unsigned digits(uint64_t figure);

copal_usage copal_endpoint_usage(const copal_endpoint *endpoint) {
  const struct engine *engine = &endpoint->engine;
  copal_usage usage = {.peers = engine->peers.slab.count,
                       .exchanges = engine->exchanges.slab.count,
                       .messages_size = (uint32_t)engine->exchanges.store.used,
                       .replies = engine->idempotent.count + engine->unsafe.count,
                       .replies_size = engine->idempotent.used + engine->unsafe.used,
                       .deferred = endpoint->deferreds.owed,
                       .receptions = engine->exchanges.reception_slab.count,
                       .transfers = endpoint->transfers.slab.count,
                       .bodies_size = (uint32_t)endpoint->transfers.store.used,
                       .calls = endpoint->operations.slab.count,
                       .observed = endpoint->observers.observed_slab.count,
                       .observers = endpoint->observers.slab.count};
  return usage;
}

copal_stats copal_endpoint_stats(const copal_endpoint *endpoint) {
  return (copal_stats){*copal_endpoint_counters(endpoint), copal_endpoint_usage(endpoint), limits(endpoint)};
}

void copal_stats_add(copal_stats *sum, const copal_stats *other) {
#define ADD_COUNTER(name, text) sum->counters.name += other->counters.name;
  COPAL_COUNTERS(ADD_COUNTER)
#undef ADD_COUNTER
#define ADD_TABLE(name, text)                                   \
  sum->usage.name = add_up(sum->usage.name, other->usage.name); \
  sum->limits.name = add_up(sum->limits.name, other->limits.name);
  COPAL_TABLES(ADD_TABLE)
#undef ADD_TABLE
}

size_t copal_stats_text(const copal_stats *stats, char *buffer, size_t capacity) {
  struct writer writer;
  writer_init(&writer, buffer, capacity);
#define WRITE_COUNTER(name, text)              \
  write_figure(&writer, stats->counters.name); \
  writer_text(&writer, "  " #name ": " text "\n");
  COPAL_COUNTERS(WRITE_COUNTER)
#undef WRITE_COUNTER
#define WRITE_TABLE(name, text)                   \
  write_figure(&writer, stats->usage.name);       \
  writer_text(&writer, " of ");                   \
  writer_decimal(&writer, stats->limits.name, 1); \
  writer_text(&writer, "  " #name ": " text "\n");
  COPAL_TABLES(WRITE_TABLE)
#undef WRITE_TABLE
  return writer_finish(&writer);
}

static copal_usage limits(const copal_endpoint *endpoint) {
  const struct engine *engine = &endpoint->engine;
  const struct store *messages = &engine->exchanges.store, *bodies = &endpoint->transfers.store;
  copal_usage limit = {.peers = engine->peers.slab.count_max,
                       .exchanges = engine->exchanges.slab.count_max,
                       .messages_size = messages->page_count * messages->page_size,
                       .replies = engine->idempotent.count_max + engine->unsafe.count_max,
                       .replies_size = engine->idempotent.size + engine->unsafe.size,
                       .deferred = endpoint->deferreds.owed_max,
                       .receptions = engine->exchanges.reception_slab.count_max,
                       .transfers = endpoint->transfers.slab.count_max,
                       .bodies_size = bodies->page_count * bodies->page_size,
                       .calls = endpoint->operations.slab.count_max,
                       .observed = endpoint->observers.observed_slab.count_max,
                       .observers = endpoint->observers.slab.count_max};
  return limit;
}

static uint32_t add_up(uint32_t a, uint32_t b) { return a > UINT32_MAX - b ? UINT32_MAX : a + b; }

/* Right-aligned, so that the figures stand below each other. */
static void write_figure(struct writer *writer, uint64_t figure) {
  for (unsigned width = digits(figure); width < COLUMN; ++width) writer_char(writer, ' ');
  writer_decimal(writer, figure, 1);
}

static unsigned digits(uint64_t figure) {
  unsigned count = 1;
  for (; figure >= 10; figure /= 10) ++count;
  return count;
}
