/* A bare endpoint for tests: its memory is malloc'd to the byte, time is a variable, datagrams are written in hex.
 * Every datagram goes in as a heap copy of its exact size, so that a read outside it is an error; every one that comes
 * out is decoded. Include after cmocka.h. */
#ifndef COPAL_TESTS_BARE_H
#define COPAL_TESTS_BARE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copal/rest.h"

enum { BARE_PORT = 5683, BARE_SENT_MAX = 600, BARE_TEXT_MAX = 200000 };

struct bare_sent {
  uint8_t *bytes;
  size_t size;
  copal_path path;
  copal_view view;
};

struct bare {
  copal_endpoint *endpoint;
  void *memory;
  uint8_t *last; /* the last datagram that went in */
  copal_time now;
  size_t batch; /* of output */
  struct bare_sent sent[BARE_SENT_MAX];
  size_t sent_count;
  char text[BARE_TEXT_MAX];
};

/* --- Opening and closing ------------------------------------------------------------------------ */

static inline struct bare *bare_open_seeded(const copal_config *config, uint8_t seed_byte) {
  uint8_t seed[32];
  memset(seed, seed_byte, sizeof seed);
  struct bare *bare = calloc(1, sizeof *bare);
  size_t size = copal_endpoint_size(config);
  assert_int_not_equal(size, 0);
  bare->memory = calloc(1, size);
  bare->now = 1000 * COPAL_SECOND;
  bare->batch = 7;
  bare->endpoint = copal_endpoint_init(bare->memory, size, config, seed, bare->now);
  assert_non_null(bare->endpoint);
  return bare;
}

static inline struct bare *bare_open(const copal_config *config) { return bare_open_seeded(config, 42); }

static inline void bare_forget_sent(struct bare *bare) {
  for (size_t i = 0; i < bare->sent_count; ++i) free(bare->sent[i].bytes);
  bare->sent_count = 0;
}

static inline void bare_close(struct bare *bare) {
  bare_forget_sent(bare);
  free(bare->last);
  free(bare->memory);
  free(bare);
}

/* --- Addresses ---------------------------------------------------------------------------------- */

/* Peers are ports of 192.0.2.1. */
static inline copal_address bare_address(uint16_t port) {
  copal_address address = {.bytes = {192, 0, 2, 1}, .port = port, .family = COPAL_FAMILY_IPV4};
  return address;
}

static inline copal_path bare_path(uint16_t port) {
  copal_path path = {.remote = bare_address(port),
                     .local = {.bytes = {192, 0, 2, 100}, .family = COPAL_FAMILY_IPV4}}; /* the socket knows the port */
  return path;
}

static inline copal_address bare_group(void) {
  copal_address address = {.bytes = {224, 0, 1, 187}, .port = BARE_PORT, .family = COPAL_FAMILY_IPV4};
  return address;
}

static inline copal_path bare_group_path(uint16_t port) {
  copal_path path = {.remote = bare_address(port), .local = bare_group()};
  return path;
}

/* --- In ----------------------------------------------------------------------------------------- */

static inline int bare_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* Bytes of hex digits; blanks are skipped. */
static inline size_t bare_unhex(const char *text, uint8_t *bytes, size_t capacity) {
  size_t size = 0;
  for (; *text != 0; ++text) {
    if (*text == ' ') continue;
    int high = bare_digit(text[0]), low = bare_digit(text[1]);
    assert_true(high >= 0 && low >= 0 && size < capacity);
    bytes[size++] = (uint8_t)(high << 4 | low);
    ++text;
  }
  return size;
}

static inline void bare_in_bytes(struct bare *bare, const copal_path *path, const uint8_t *bytes, size_t size) {
  free(bare->last);
  bare->last = malloc(size > 0 ? size : 1);
  if (size > 0) memcpy(bare->last, bytes, size);
  copal_datagram datagram = {bare->last, size, *path};
  assert_int_equal(copal_endpoint_input(bare->endpoint, bare->now, &datagram, 1), 1);
}

static inline void bare_in_path(struct bare *bare, const copal_path *path, const char *hex) {
  uint8_t bytes[4096];
  size_t size = bare_unhex(hex, bytes, sizeof bytes);
  bare_in_bytes(bare, path, bytes, size);
}

/* hex is a format of printf. */
static inline void bare_in_from(struct bare *bare, uint16_t port, const char *hex, ...)
    __attribute__((format(printf, 3, 4)));
static inline void bare_in_from(struct bare *bare, uint16_t port, const char *hex, ...) {
  char text[8200];
  va_list arguments;
  va_start(arguments, hex);
  vsnprintf(text, sizeof text, hex, arguments);
  va_end(arguments);
  copal_path path = bare_path(port);
  bare_in_path(bare, &path, text);
}

#define bare_in(bare, ...) bare_in_from(bare, BARE_PORT, __VA_ARGS__)

/* --- Out ---------------------------------------------------------------------------------------- */

static inline void bare_keep(struct bare *bare, const copal_datagram *datagram) {
  assert_true(bare->sent_count < BARE_SENT_MAX);
  struct bare_sent *sent = &bare->sent[bare->sent_count++];
  sent->bytes = malloc(datagram->size);
  memcpy(sent->bytes, datagram->data, datagram->size);
  sent->size = datagram->size;
  sent->path = datagram->path;
  assert_int_equal(copal_decode(sent->bytes, sent->size, &sent->view), COPAL_OK);
}

/* All that is due, as hex, one datagram after the other with a blank between; "port>" stands before what goes to
 * another port than 5683. Also in bare->sent. */
static inline const char *bare_out(struct bare *bare) {
  bare_forget_sent(bare);
  copal_datagram datagrams[64];
  assert_true(bare->batch <= 64);
  size_t count;
  do {
    count = copal_endpoint_output(bare->endpoint, bare->now, datagrams, bare->batch);
    for (size_t i = 0; i < count; ++i) bare_keep(bare, &datagrams[i]);
  } while (count == bare->batch);
  size_t at = 0;
  bare->text[0] = 0;
  for (size_t i = 0; i < bare->sent_count; ++i) {
    const struct bare_sent *sent = &bare->sent[i];
    if (at + 2 * sent->size + 16 > sizeof bare->text) break;
    if (i > 0) bare->text[at++] = ' ';
    if (sent->path.remote.port != BARE_PORT) at += (size_t)sprintf(bare->text + at, "%u>", sent->path.remote.port);
    for (size_t k = 0; k < sent->size; ++k) at += (size_t)sprintf(bare->text + at, "%02x", sent->bytes[k]);
    bare->text[at] = 0;
  }
  return bare->text;
}

/* What stands behind header and token of an error that says no more than its name: problem details. */
#define BARE_NOT_FOUND "c20101ffa120694e6f7420466f756e64"
#define BARE_METHOD_NOT_ALLOWED "c20101ffa120724d6574686f64204e6f7420416c6c6f776564"
#define BARE_NOT_ACCEPTABLE "c20101ffa1206e4e6f742041636365707461626c65"
#define BARE_PROXYING_NOT_SUPPORTED "c20101ffa1207650726f7879696e67204e6f7420537570706f72746564"
#define BARE_INTERNAL_SERVER_ERROR "c20101ffa12075496e7465726e616c20536572766572204572726f72"
#define BARE_SERVICE_UNAVAILABLE "c20101ffa120735365727669636520556e617661696c61626c65"

#define assert_out(bare, expected) assert_string_equal(bare_out(bare), expected)

/* The datagram that went out alone. */
static inline const struct bare_sent *bare_out_one(struct bare *bare) {
  bare_out(bare);
  assert_int_equal(bare->sent_count, 1);
  return &bare->sent[0];
}

static inline void bare_expect(struct bare *bare, const char *in, const char *out) {
  bare_in(bare, "%s", in);
  assert_out(bare, out);
}

/* The token of what was sent, as hex. */
static inline const char *bare_token(const struct bare_sent *sent, char text[2 * 16 + 1]) {
  assert_true(sent->view.token.size <= 16);
  text[0] = 0;
  for (size_t i = 0; i < sent->view.token.size; ++i) sprintf(text + 2 * i, "%02x", sent->view.token.data[i]);
  return text;
}

/* --- Events ------------------------------------------------------------------------------------- */

static inline copal_rx bare_rx(struct bare *bare) {
  copal_event event;
  assert_true(copal_endpoint_event(bare->endpoint, &event));
  assert_int_equal(event.kind, COPAL_EVENT_MESSAGE);
  return event.rx;
}

static inline bool bare_has_event(struct bare *bare) {
  copal_event event;
  return copal_endpoint_event(bare->endpoint, &event);
}

/* --- Messages to send --------------------------------------------------------------------------- */

struct bare_message {
  uint8_t buffer[1500];
  copal_message message;
};

/* path is one segment, payload is text; either may be NULL. */
static inline copal_message *bare_write(struct bare_message *to, copal_type type, uint8_t code, const char *path,
                                        const char *payload) {
  copal_message_init(&to->message, to->buffer, sizeof to->buffer, type, code);
  if (path != NULL) copal_message_add_text(&to->message, COPAL_OPTION_URI_PATH, path);
  if (payload != NULL) copal_message_set_payload(&to->message, payload, strlen(payload));
  return &to->message;
}

/* Sends a message with that type and code to a port; the answer is its record. */
static inline copal_tx bare_send(struct bare *bare, uint16_t port, copal_type type, uint8_t code) {
  struct bare_message message;
  copal_address remote = bare_address(port);
  copal_tx tx;
  assert_int_equal(copal_send(bare->endpoint, bare_write(&message, type, code, "a", NULL), &remote, &tx), COPAL_OK);
  return tx;
}

static inline copal_tx_info bare_info(struct bare *bare, copal_tx tx) {
  copal_tx_info info;
  assert_int_equal(copal_tx_get(bare->endpoint, tx, &info), COPAL_OK);
  return info;
}

static inline bool bare_is_gone(struct bare *bare, copal_tx tx) {
  copal_tx_info info;
  return copal_tx_get(bare->endpoint, tx, &info) == COPAL_ERR_STALE;
}

/* --- Answers to requests of ours ---------------------------------------------------------------- */

/* What a response handler was called with. */
struct bare_call {
  int count;
  copal_error error;
  uint8_t code;
  char payload[64];
  copal_tx tx;
};

static inline void bare_called(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error,
                               void *context) {
  (void)endpoint;
  struct bare_call *call = context;
  ++call->count;
  call->error = error;
  call->tx = request;
  assert_int_equal(rx == NULL, error != COPAL_OK);
  if (rx == NULL) return;
  call->code = rx->message.code;
  assert_true(rx->message.payload.size < sizeof call->payload);
  if (rx->message.payload.size > 0) memcpy(call->payload, rx->message.payload.data, rx->message.payload.size);
  call->payload[rx->message.payload.size] = 0;
}

static inline copal_tx bare_request(struct bare *bare, uint16_t port, copal_type type, uint8_t code, copal_time timeout,
                                    struct bare_call *call) {
  struct bare_message message;
  copal_address remote = bare_address(port);
  copal_tx tx;
  memset(call, 0, sizeof *call);
  assert_int_equal(copal_request_send(bare->endpoint, bare_write(&message, type, code, "a", NULL), &remote, timeout,
                                      bare_called, call, &tx),
                   COPAL_OK);
  return tx;
}

#endif
