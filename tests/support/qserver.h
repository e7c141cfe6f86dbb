/* A server with a resource /a of 50 blocks, and clients that are written by hand, datagram by datagram: bodies by
 * Q-Block. Include after cmocka.h. */
#ifndef COPAL_TESTS_QSERVER_H
#define COPAL_TESTS_QSERVER_H

#include "support/bare.h"

enum { BLOCK = 16, BODY = 50 * BLOCK };

struct server {
  struct bare *bare;
  uint8_t body[BODY];
  unsigned executed;
  uint16_t mid;
  copal_deferred deferred;
};

static inline void handle(copal_request *request, void *context) {
  struct server *server = context;
  ++server->executed;
  copal_reply(request, COPAL_CONTENT, COPAL_FORMAT_NONE, server->body, sizeof server->body);
}

static inline copal_config qserver_config(uint32_t amplification_max, uint32_t peer_transfers_max) {
  copal_config config = copal_config_small();
  config.exchanges_max = 32;
  config.messages_size = 16 << 10;
  config.replies_size = 32 << 10;
  config.body_size_max = 8192;
  config.bodies_size = 64 << 10;
  config.transfers_max = 8;
  config.peer_transfers_max = peer_transfers_max;
  config.outbox_max = 32;
  config.peer_replies_max = 64;
  config.deferred_max = 8;
  config.amplification_max = amplification_max;
  return config;
}

static inline struct server *open_configured(const copal_config *config) {
  struct server *server = calloc(1, sizeof *server);
  assert_non_null(server);
  server->bare = bare_open(config);
  static const copal_code methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST};
  for (int i = 0; i < 3; ++i)
    assert_int_equal(copal_route(server->bare->endpoint, methods[i], "/a", handle, server), COPAL_OK);
  return server;
}

static inline struct server *open_with(uint32_t amplification_max, uint32_t peer_transfers_max) {
  copal_config config = qserver_config(amplification_max, peer_transfers_max);
  return open_configured(&config);
}

static inline struct server *open_server(void) { return open_with(0, 4); }

static inline void close_server(struct server *server) {
  bare_close(server->bare);
  free(server);
}

/* --- Requests --------------------------------------------------------------------------------------------- */

struct writing {
  uint8_t buffer[512];
  copal_message message;
};

static inline copal_message *begin(struct server *server, struct writing *writing, copal_type type, copal_code method) {
  static const uint8_t token[4] = {1, 2, 3, 4};
  copal_message_init(&writing->message, writing->buffer, sizeof writing->buffer, type, (uint8_t)method);
  ++server->mid;
  writing->buffer[2] = (uint8_t)(server->mid >> 8);
  writing->buffer[3] = (uint8_t)server->mid;
  copal_message_set_token(&writing->message, token, sizeof token);
  copal_message_add_text(&writing->message, COPAL_OPTION_URI_PATH, "a");
  return &writing->message;
}

static inline void add_block(copal_message *message, uint16_t number, uint32_t block, bool more, uint8_t szx) {
  uint32_t value = copal_block_value((copal_block){block, more, szx});
  uint8_t bytes[3] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
  copal_message_add_raw(message, number, bytes, sizeof bytes);
}

static inline void send(struct server *server, const struct writing *writing) {
  assert_int_equal(writing->message.error, COPAL_OK);
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(server->bare, &path, writing->buffer, writing->message.size);
}

static inline void send_block(struct server *server, copal_type type, copal_code method, const char *tag,
                              uint32_t number, bool more, uint32_t total, size_t size) {
  struct writing writing;
  static const uint8_t payload[64];
  copal_message *message = begin(server, &writing, type, method);
  add_block(message, COPAL_OPTION_Q_BLOCK1, number, more, 0);
  if (total > 0) copal_message_add_uint(message, COPAL_OPTION_SIZE1, total);
  if (tag != NULL) copal_message_add_text(message, COPAL_OPTION_REQUEST_TAG, tag);
  copal_message_set_payload(message, payload, size);
  send(server, &writing);
}

static inline void put_block(struct server *server, const char *tag, uint32_t number, uint32_t count) {
  send_block(server, COPAL_NON, COPAL_PUT, tag, number, number + 1 < count, count * BLOCK, BLOCK);
}

static inline uint8_t answer(struct server *server) { return bare_out_one(server->bare)->view.code; }

#define assert_silent(server) assert_out((server)->bare, "")

#endif
