/* An endpoint's memory, its start, and what it tells of itself. */
#include "endpoint/endpoint.h"

_Static_assert(sizeof(struct exchange) == 64, "an exchange is 64 bytes and its message");
_Static_assert(sizeof(struct path) + sizeof(struct peer) <= 64, "an idle peer is 64 bytes");
_Static_assert(sizeof(struct reply) == 32, "a remembered message is 32 bytes and its reply");

const char *copal_version(void) { return COPAL_VERSION; }

copal_config copal_config_default(void) {
  copal_config config = copal_config_small();
  config.peers_max = 65536;
  config.exchanges_max = 65536;
  config.message_size_max = 1472; /* what an Ethernet frame leaves of UDP over IPv4 */
  config.messages_size = 32u << 20;
  config.replies_size = 64u << 20;
  config.peer_replies_max = 4096;
  config.outbox_max = 1024;
  config.deferred_max = 4096;
  config.receptions_max = 4096;
  config.routes_max = 1024;
  config.body_size_max = 1u << 20;
  config.bodies_size = 16u << 20;
  config.transfers_max = 1024;
  config.peer_transfers_max = 8;
  config.calls_max = 1024;
  config.observed_max = 1024;
  config.observers_max = 16384;
  config.peer_observers_max = 32;
  return config;
}

copal_config copal_config_small(void) {
  copal_config config = {.peers_max = 4,
                         .exchanges_max = 8,
                         .message_size_max = 256,
                         .messages_size = 2048,
                         .replies_size = 2048,
                         .peer_replies_max = 4,
                         .outbox_max = 4,
                         .deferred_max = 2,
                         .receptions_max = 2,
                         .routes_max = 8,
                         .body_size_max = 512,
                         .bodies_size = 1024,
                         .transfers_max = 2,
                         .peer_transfers_max = 1,
                         .calls_max = 2,
                         .observed_max = 2,
                         .observers_max = 4,
                         .peer_observers_max = 2,
                         .amplification_max = 3,
                         /* RFC 7252 4.8, Table 2 */
                         .parameters = {.ack_timeout = 2 * COPAL_SECOND,
                                        .max_latency = 100 * COPAL_SECOND,
                                        .leisure = 5 * COPAL_SECOND,
                                        .ack_delay = 500 * COPAL_MILLISECOND,
                                        .ack_random_permille = 1500,
                                        .probing_rate = 1,
                                        .max_retransmit = 4,
                                        .nstart = 1}};
  return config;
}

enum { RECORDS_MAX = 1 << 28 };

/* --- Memory ----------------------------------------------------------------------------------- */

/* For a timer of the last transmission at most. */
static copal_time longest_wait(const copal_parameters *parameters) {
  return parameters->ack_timeout / 1000 * parameters->ack_random_permille << parameters->max_retransmit;
}

static bool parameters_are_sound(const copal_parameters *parameters) {
  /* RFC 7252 4.8.1: "ACK_RANDOM_FACTOR MUST NOT be decreased below 1.0". The other bounds keep times within 64 bits and
   * back-off within 32. */
  return parameters->ack_timeout >= COPAL_MICROSECOND && parameters->ack_timeout <= 3600 * COPAL_SECOND &&
         parameters->ack_random_permille >= 1000 && parameters->ack_random_permille <= 4000 &&
         parameters->max_retransmit <= 10 && parameters->nstart >= 1 &&
         parameters->max_latency <= 86400 * COPAL_SECOND && parameters->leisure <= 86400 * COPAL_SECOND &&
         parameters->ack_delay <= 86400 * COPAL_SECOND && longest_wait(parameters) <= UINT32_MAX * COPAL_MICROSECOND;
}

/* A page for messages, and in each half of the replies an entry for a request and one with the largest reply, all as
 * they will be laid out. */
static bool holds_one_message(const copal_config *config) {
  uint32_t ring = config->replies_size / 2 & ~(uint32_t)7;
  return config->messages_size >= layout_power_of_two(config->message_size_max) &&
         ring >= ((config->message_size_max + 2 * sizeof(struct reply) + 7) & ~(size_t)7);
}

static bool bodies_are_sound(const copal_config *config) {
  enum { BODY_SIZE_MAX = 1 << 20, BODIES_SIZE_MAX = 1 << 30 };
  return config->body_size_max <= BODY_SIZE_MAX && config->bodies_size <= BODIES_SIZE_MAX &&
         config->transfers_max <= RECORDS_MAX;
}

static bool is_sound(const copal_config *config) {
  enum { UDP_PAYLOAD_MAX = 65507, PEER_RATE_MAX = 1000 };
  return config->peers_max >= 1 && config->peers_max <= RECORDS_MAX && config->exchanges_max >= 1 &&
         config->exchanges_max <= RECORDS_MAX && config->message_size_max >= 64 &&
         config->message_size_max <= UDP_PAYLOAD_MAX && holds_one_message(config) &&
         config->replies_size <= (uint32_t)1 << 31 && config->peer_replies_max <= UINT16_MAX &&
         config->outbox_max >= 1 && config->outbox_max <= RECORDS_MAX && config->deferred_max <= RECORDS_MAX &&
         config->receptions_max <= RECORDS_MAX && config->routes_max <= RECORDS_MAX &&
         config->calls_max <= RECORDS_MAX && config->observed_max <= RECORDS_MAX &&
         config->observers_max <= RECORDS_MAX && config->peer_observers_max <= UINT8_MAX &&
         config->peer_rate <= PEER_RATE_MAX && bodies_are_sound(config) && parameters_are_sound(&config->parameters);
}

/* Without a block it only counts. */
static void lay_out(copal_endpoint *endpoint, struct layout *layout, const copal_config *config, struct hash_key key,
                    const uint8_t seed[RANDOM_SEED_SIZE], copal_time now) {
  engine_init(&endpoint->engine, layout, config, key, seed, now);
  deferreds_init(&endpoint->deferreds, layout, config->deferred_max, verifications_max(config));
  routes_init(&endpoint->routes, layout, config->routes_max, key);
  transfers_init(&endpoint->transfers, layout, config, endpoint->engine.exchange_lifetime, now, &endpoint->engine.peers,
                 &endpoint->engine.counters);
  observers_init(&endpoint->observers, layout, config, key, now);
  paths_init(&endpoint->paths, layout, config->peers_max, key);
  outbox_init(&endpoint->outbox, layout, config->outbox_max);
  verifications_init(&endpoint->verifications, layout, config, key);
  endpoint->calls = (struct call *)layout_take(layout, config->exchanges_max, sizeof(struct call));
  operations_init(&endpoint->operations, layout, config, &endpoint->engine.exchanges.store, key, now);
  endpoint->failures = (struct failures){.capacity = config->exchanges_max};
  endpoint->failures.records = (struct failure *)layout_take(layout, config->exchanges_max, sizeof(struct failure));
}

size_t copal_endpoint_size(const copal_config *config) {
  static const uint8_t seed[RANDOM_SEED_SIZE];
  if (!is_sound(config)) return 0;
  copal_endpoint endpoint;
  struct layout layout = {NULL, 0};
  layout_take(&layout, 1, sizeof(copal_endpoint));
  lay_out(&endpoint, &layout, config, (struct hash_key){0, 0}, seed, 0);
  return layout.size > SIZE_MAX / 2 ? 0 : (size_t)layout.size;
}

copal_endpoint *copal_endpoint_init(void *memory, size_t size, const copal_config *config, const uint8_t seed[32],
                                    copal_time now) {
  size_t need = copal_endpoint_size(config);
  if (need == 0 || size < need) return NULL;
  /* The tables' keys come from the seed, but never meet the wire: they are drawn from a generator of their own. */
  struct random random;
  random_init(&random, seed);
  random.counter = (uint64_t)1 << 63;
  struct hash_key key = {random_u64(&random), random_u64(&random)};
  struct hash_key seal_key = {random_u64(&random), random_u64(&random)};
  struct layout layout = {(uint8_t *)memory, 0};
  copal_endpoint *endpoint = (copal_endpoint *)layout_take(&layout, 1, sizeof(copal_endpoint));
  *endpoint = (copal_endpoint){0};
  lay_out(endpoint, &layout, config, key, seed, now);
  endpoint->engine.seal_key = seal_key;
  endpoint->stateless_key.low = random_u64(&random);
  endpoint->stateless_key.high = random_u64(&random);
  return endpoint;
}

/* --- What the files of this folder share -------------------------------------------------------- */

void endpoint_advance(copal_endpoint *endpoint, copal_time now) {
  if (now > endpoint->engine.now) endpoint->engine.now = now;
}

void endpoint_release(copal_endpoint *endpoint, copal_time output_at) {
  outbox_release(&endpoint->outbox);
  exchanges_release(&endpoint->engine.exchanges, output_at);
}

void endpoint_read_clock(copal_endpoint *endpoint) {
  if (endpoint->clock != NULL) endpoint_advance(endpoint, endpoint->clock());
}

void endpoint_unbind(copal_endpoint *endpoint, const copal_path *path) {
  struct path packed = path_pack(path);
  uint32_t unbound, peer = paths_find(&endpoint->paths, &packed, path_hash(&endpoint->paths, &packed), &unbound);
  if (peer != INDEX_NONE) paths_unbind(&endpoint->paths, peer);
}

uint32_t endpoint_peer(copal_endpoint *endpoint, const struct path *path) {
  uint32_t unbound, peer = paths_find(&endpoint->paths, path, path_hash(&endpoint->paths, path), &unbound);
  if (peer != INDEX_NONE) return peer;
  /* What is under way from an address that the system chose must not go on from another one. */
  if (unbound != INDEX_NONE && (endpoint->engine.peers.records[unbound].flags & PEER_BUSY) == 0) {
    paths_bind(&endpoint->paths, unbound, path);
    return unbound;
  }
  bool evicted;
  peer = peers_take(&endpoint->engine.peers, &endpoint->engine.random, &evicted);
  if (peer == INDEX_NONE) {
    ++endpoint->engine.counters.peers_full;
    return INDEX_NONE;
  }
  if (evicted) {
    ++endpoint->engine.counters.peers_evicted;
    paths_clear(&endpoint->paths, peer);
  }
  if (unbound != INDEX_NONE) peers_set_apart(&endpoint->engine.peers, peer, unbound);
  paths_set(&endpoint->paths, peer, path);
  return peer;
}

/* RFC 7252 5.5: "If a Method or Response Code is not defined to have a payload, then a sender MUST NOT include one, and
 * a recipient MUST ignore it." Of a raw endpoint the application is the recipient. */
static bool has_no_payload(uint8_t code) { return code == COPAL_GET || code == COPAL_DELETE || code == COPAL_VALID; }

void endpoint_rx(copal_endpoint *endpoint, const struct arrival *arrival, copal_rx *rx) {
  rx->endpoint = endpoint;
  rx->message = arrival->view;
  rx->path = arrival->datagram->path;
  rx->time = endpoint->engine.now;
  rx->pertains_to = rx->request = (copal_tx){0, 0};
  rx->memory = arrival->incoming.key.fingerprint;
  rx->type = arrival->view.type;
  rx->multicast = arrival->incoming.multicast;
  rx->has_responded = arrival->view.type != COPAL_CON;
  if (!endpoint->engine.raw && has_no_payload(arrival->view.code)) rx->message.payload.size = 0;
}

void endpoint_answer_empty(copal_endpoint *endpoint, const struct path *path, copal_type type, uint16_t mid) {
  if (type == COPAL_RST) ++endpoint->engine.counters.rejected;
  if (!outbox_push_empty(&endpoint->outbox, path, type, mid)) ++endpoint->engine.counters.outbox_full;
}

void endpoint_answer(copal_endpoint *endpoint, const struct path *path, struct reply *reply) {
  if (!outbox_push_reply(&endpoint->outbox, path, reply)) ++endpoint->engine.counters.outbox_full;
}

struct reply *endpoint_find_reply(copal_endpoint *endpoint, const struct reply_key *key) {
  struct engine *engine = &endpoint->engine;
  return replies_find(engine_replies(engine, key), key, engine->now, engine->exchange_lifetime, engine->non_lifetime);
}

/* --- What it tells ------------------------------------------------------------------------------ */

copal_time copal_endpoint_deadline(const copal_endpoint *endpoint) {
  if (endpoint->outbox.waiting > 0) return 0;
  copal_time timer = timer_earliest(&endpoint->engine.exchanges.timers);
  copal_time ack = deferred_next_ack(&endpoint->deferreds);
  copal_time expiry = transfers_next_expiry(&endpoint->transfers, endpoint->engine.now);
  copal_time notify = endpoint_notify_at(endpoint);
  copal_time transfer = timer_earliest(&endpoint->transfers.timers);
  copal_time operation = timer_earliest(&endpoint->operations.timers);
  if (transfer < timer) timer = transfer;
  if (operation < timer) timer = operation;
  if (ack < timer) timer = ack;
  if (expiry < timer) timer = expiry;
  return timer < notify ? timer : notify;
}

const copal_counters *copal_endpoint_counters(const copal_endpoint *endpoint) { return &endpoint->engine.counters; }
