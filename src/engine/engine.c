/* See engine.h: the tables laid out, and the times that follow from the parameters (RFC 7252 section 4.8.2). */
#include "engine/engine.h"

copal_time copal_max_transmit_span(const copal_parameters *parameters) {
  uint64_t intervals = ((uint64_t)1 << parameters->max_retransmit) - 1;
  return parameters->ack_timeout * intervals / 1000 * parameters->ack_random_permille;
}

copal_time copal_exchange_lifetime(const copal_parameters *parameters) {
  return copal_max_transmit_span(parameters) + 2 * parameters->max_latency + parameters->ack_timeout;
}

copal_time copal_non_lifetime(const copal_parameters *parameters) {
  return copal_max_transmit_span(parameters) + parameters->max_latency;
}

void engine_init(struct engine *engine, struct layout *layout, const copal_config *config, struct hash_key key,
                 const uint8_t seed[RANDOM_SEED_SIZE], copal_time now) {
  engine->parameters = config->parameters;
  engine->transmit_span = copal_max_transmit_span(&config->parameters);
  engine->exchange_lifetime = copal_exchange_lifetime(&config->parameters);
  engine->non_lifetime = copal_non_lifetime(&config->parameters);
  engine->now = now;
  engine->message_size_max = config->message_size_max;
  engine->peer_replies_max = config->peer_replies_max;
  engine->peer_rate = config->peer_rate;
  engine->raw = config->raw;
  engine->trusting = config->raw || config->amplification_max == 0;
  engine->key = key;
  random_init(&engine->random, seed);
  peers_init(&engine->peers, layout, config->peers_max);
  exchanges_init(&engine->exchanges, layout, config, key, now);
  replies_init(&engine->idempotent, layout, config->replies_size / 2, false);
  replies_init(&engine->unsafe, layout, config->replies_size / 2, true);
}
