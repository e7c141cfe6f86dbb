/* An engine for tests, its memory malloc'd to the byte: peers are indexes, messages are encoded here. Include after
 * cmocka.h. */
#ifndef COPAL_TESTS_ENGINE_H
#define COPAL_TESTS_ENGINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/deferred.h"
#include "engine/engine.h"
#include "message/header.h"

struct engine_fixture {
  struct engine engine;
  struct deferreds deferreds;
  void *memory;
  copal_view view; /* of the last message received */
  uint8_t *datagram;
};

static inline void engine_fixture_lay_out(struct engine_fixture *fixture, struct layout *layout,
                                          const copal_config *config) {
  static const uint8_t seed[RANDOM_SEED_SIZE] = {9};
  engine_init(&fixture->engine, layout, config, (struct hash_key){7, 11}, seed, 1000 * COPAL_SECOND);
  deferreds_init(&fixture->deferreds, layout, config->deferred_max, 0);
}

/* With all peers taken: indexes from 0 on. */
static inline struct engine_fixture *engine_fixture_open(const copal_config *config) {
  struct engine_fixture *fixture = calloc(1, sizeof *fixture);
  struct layout counting = {NULL, 0};
  engine_fixture_lay_out(fixture, &counting, config);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  memset(&fixture->engine, 0, sizeof fixture->engine);
  engine_fixture_lay_out(fixture, &layout, config);
  bool evicted;
  for (uint32_t i = 0; i < config->peers_max; ++i)
    peers_take(&fixture->engine.peers, &fixture->engine.random, &evicted);
  return fixture;
}

static inline void engine_fixture_close(struct engine_fixture *fixture) {
  free(fixture->datagram);
  free(fixture->memory);
  free(fixture);
}

/* Sends a message without options. */
static inline copal_error engine_fixture_send(struct engine_fixture *fixture, uint32_t peer, copal_type type,
                                              uint8_t code, uint8_t flags, copal_time timeout, uint32_t *index) {
  uint8_t message[4];
  copal_encoder encoder;
  copal_encode_begin(&encoder, message, sizeof message, type, code, 0, NULL, 0);
  struct transmission transmission = {
      .peer = peer, .type = (uint8_t)type, .message = {message, encoder.size}, .flags = flags, .timeout = timeout};
  return engine_send(&fixture->engine, &transmission, index);
}

/* As if all message IDs had gone to a peer in a moment: the next one begins a half that was just used. */
static inline void engine_fixture_spend_mids(struct engine_fixture *fixture, uint32_t peer, uint16_t next_mid) {
  struct peer *record = &fixture->engine.peers.records[peer];
  record->next_mid = next_mid;
  record->flags |= PEER_SENT | PEER_OTHER_HALF_USED;
  record->other_half = coarse_time(fixture->engine.now);
}

/* Receives an encoded message from a peer; the fixture keeps it until the next. */
static inline struct verdict engine_fixture_receive(struct engine_fixture *fixture, uint32_t peer, copal_type type,
                                                    uint8_t code, uint16_t mid, copal_bytes token,
                                                    struct incoming *incoming) {
  free(fixture->datagram);
  size_t size = HEADER_SIZE + 2 + token.size;
  fixture->datagram = malloc(size);
  copal_encoder encoder;
  copal_encode_begin(&encoder, fixture->datagram, size, type, code, mid, token.data, token.size);
  assert_int_equal(copal_decode(fixture->datagram, encoder.size, &fixture->view), COPAL_OK);
  copal_bytes datagram = {fixture->datagram, encoder.size};
  *incoming = (struct incoming){.unbound = INDEX_NONE,
                                .view = &fixture->view,
                                .datagram = datagram,
                                .fingerprint = engine_fingerprint(&fixture->engine, datagram),
                                .identity = 1000 + (uint64_t)peer,
                                .peer = peer};
  return engine_receive(&fixture->engine, incoming, fixture->engine.now);
}

/* Lets time pass and takes the first thing that is due; each is an output of its own. */
static inline struct due engine_fixture_due(struct engine_fixture *fixture, copal_time now) {
  fixture->engine.now = now;
  exchanges_release(&fixture->engine.exchanges, now);
  struct due due;
  engine_due(&fixture->engine, now, &due);
  return due;
}

static inline struct exchange *engine_fixture_exchange(struct engine_fixture *fixture, uint32_t index) {
  return exchange_at(&fixture->engine.exchanges, index);
}

#endif
