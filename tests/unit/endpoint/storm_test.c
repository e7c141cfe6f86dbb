/* A storm of everything at once on small endpoints: random requests, duplicates, answers, errors, cancellations and
 * times, with handlers that do as much again. Nothing may be read or written where it should not; in the end all that
 * was taken is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/dice.h"

enum { KEPT = 32, CALLS_MAX = 8000 };

/* A call is told of its end once, unless it is cancelled; a group's answers come before that. */
struct call_record {
  struct storm *storm;
  copal_tx tx;
  bool group, cancelled;
  uint32_t ends;
};

struct storm {
  struct bare *bare;
  struct dice dice;
  copal_tx txs[KEPT];
  struct call_record calls[CALLS_MAX];
  copal_deferred deferred[KEPT];
  copal_rx rxs[KEPT]; /* without their messages, which do not live on */
  uint8_t seen[KEPT][64];
  size_t seen_size[KEPT];
  copal_path seen_path[KEPT];
  uint32_t asked; /* calls made */
  int depth;
};

static uint32_t pick(struct storm *storm, uint32_t sides) { return dice_below(&storm->dice, sides); }

static uint16_t port(struct storm *storm) { return (uint16_t)(7000 + pick(storm, 6)); }

static void act(struct storm *storm);

/* --- What the application does -------------------------------------------------------------------- */

static void called(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context) {
  (void)rx;
  struct call_record *call = context;
  struct storm *storm = call->storm;
  assert_false(call->cancelled);
  assert_int_equal(call->ends, 0);
  if (!call->group || error != COPAL_OK) ++call->ends;
  if (pick(storm, 4) == 0) {
    assert_int_equal(copal_cancel(endpoint, request), COPAL_OK);
    call->cancelled = true;
  }
  if (error == COPAL_OK && pick(storm, 2) == 0) act(storm);
}

static void handler(copal_request *request, void *context) {
  struct storm *storm = context;
  uint32_t choice = pick(storm, 8);
  if (choice < 3) {
    copal_deferred *deferred = &storm->deferred[pick(storm, KEPT)];
    copal_deferred_drop(storm->bare->endpoint, *deferred);
    if (copal_defer(request, deferred) == COPAL_OK) {
      act(storm);
      return;
    }
  }
  act(storm);
  static const uint8_t payload[300] = {1};
  if (choice == 7) return; /* says nothing */
  copal_reply(request, choice == 6 ? COPAL_NOT_FOUND : COPAL_CONTENT, COPAL_FORMAT_NONE, payload, pick(storm, 270));
  if (pick(storm, 3) == 0) act(storm);
}

static copal_message *compose(struct storm *storm, struct bare_message *message) {
  static const uint8_t codes[] = {COPAL_GET, COPAL_POST, COPAL_CONTENT, COPAL_EMPTY, COPAL_NOT_FOUND};
  static char payload[256];
  memset(payload, 'x', sizeof payload - 1);
  payload[pick(storm, 240)] = 0;
  copal_message *written = bare_write(message, (copal_type)pick(storm, 2), codes[pick(storm, 5)], NULL, payload);
  if (pick(storm, 3) == 0) copal_message_set_token(written, "abcdefghijklmnop", pick(storm, 17));
  return written;
}

static void send(struct storm *storm) {
  struct bare_message message;
  copal_message *written = compose(storm, &message);
  copal_address remote = pick(storm, 20) == 0 ? bare_group() : bare_address(port(storm));
  copal_tx *tx = &storm->txs[pick(storm, KEPT)], lost;
  if (pick(storm, 2) == 0) {
    copal_error error = copal_send(storm->bare->endpoint, written, &remote, pick(storm, 8) == 0 ? NULL : tx);
    assert_true(error <= COPAL_OK);
    return;
  }
  copal_time timeout = pick(storm, 2) == 0 ? COPAL_NEVER : pick(storm, 60) * COPAL_SECOND;
  if (storm->asked == CALLS_MAX) return;
  struct call_record *call = &storm->calls[storm->asked];
  *call = (struct call_record){.storm = storm, .group = copal_address_is_multicast(&remote)};
  copal_error error = copal_request_send(storm->bare->endpoint, written, &remote, timeout, called, call, &lost);
  if (error != COPAL_OK) return;
  ++storm->asked;
  *tx = call->tx = lost;
}

static copal_error cancel(struct storm *storm, copal_tx tx) {
  copal_error error = copal_cancel(storm->bare->endpoint, tx);
  for (uint32_t i = 0; i < storm->asked && error == COPAL_OK; ++i)
    if (copal_same_tx(storm->calls[i].tx, tx)) storm->calls[i].cancelled = true;
  return error;
}

static void act(struct storm *storm) {
  copal_endpoint *endpoint = storm->bare->endpoint;
  if (storm->depth > 3) return;
  ++storm->depth;
  struct bare_message message;
  copal_tx tx = storm->txs[pick(storm, KEPT)];
  copal_rx *rx = &storm->rxs[pick(storm, KEPT)];
  copal_tx_info info;
  copal_error error = COPAL_OK;
  switch (pick(storm, 9)) {
    case 0: error = cancel(storm, tx); break;
    case 1: error = copal_tx_get(endpoint, tx, &info); break;
    case 2:
    case 3: error = copal_deferred_reply(endpoint, storm->deferred[pick(storm, KEPT)], compose(storm, &message)); break;
    case 4:
      if (rx->endpoint != NULL) error = copal_ack(rx, pick(storm, 2) == 0 ? NULL : compose(storm, &message));
      break;
    case 5:
      if (rx->endpoint != NULL) error = copal_reset(rx);
      break;
    case 6:
      if (rx->endpoint != NULL) error = copal_respond(rx, compose(storm, &message), &storm->txs[pick(storm, KEPT)]);
      break;
    default: send(storm);
  }
  assert_true(error <= COPAL_OK);
  --storm->depth;
}

/* --- What the network does ------------------------------------------------------------------------ */

static void take_events(struct storm *storm) {
  copal_event event;
  while (copal_endpoint_event(storm->bare->endpoint, &event)) {
    if (event.kind != COPAL_EVENT_MESSAGE) continue;
    copal_rx *rx = &storm->rxs[pick(storm, KEPT)];
    *rx = event.rx;
    rx->message.token = rx->message.options = rx->message.payload = (copal_bytes){NULL, 0};
  }
}

static void deliver(struct storm *storm, const copal_path *path, const uint8_t *bytes, size_t size) {
  bare_in_bytes(storm->bare, path, bytes, size);
  take_events(storm);
}

/* A request, a duplicate of the last few, an answer to what was sent, or noise. */
static void receive(struct storm *storm) {
  uint8_t bytes[300] = {0};
  uint32_t at = pick(storm, KEPT);
  copal_path path = pick(storm, 12) == 0 ? bare_group_path(port(storm)) : bare_path(port(storm));
  copal_encoder encoder;
  switch (pick(storm, 6)) {
    case 0:
    case 1:
      copal_encode_begin(&encoder, bytes, sizeof bytes, (copal_type)pick(storm, 2), (uint8_t)(1 + pick(storm, 3)),
                         (uint16_t)pick(storm, 300), "tttttttttttttttttttttttt", pick(storm, 20));
      if (pick(storm, 10) == 0) copal_encode_option(&encoder, 9, "x", 1); /* critical */
      copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, pick(storm, 5) == 0 ? "b" : "a", 1);
      copal_encode_payload(&encoder, "pppp", pick(storm, 4));
      memcpy(storm->seen[at], bytes, encoder.size < 64 ? encoder.size : 64);
      storm->seen_size[at] = encoder.size < 64 ? encoder.size : 64;
      storm->seen_path[at] = path;
      deliver(storm, &path, bytes, encoder.size);
      break;
    case 2:
      if (storm->seen_size[at] > 0) deliver(storm, &storm->seen_path[at], storm->seen[at], storm->seen_size[at]);
      break;
    case 3:
      for (size_t i = 0; i < 40; ++i) bytes[i] = (uint8_t)dice_u64(&storm->dice);
      deliver(storm, &path, bytes, pick(storm, 41));
      break;
    default: {
      if (storm->bare->sent_count == 0) break;
      const struct bare_sent *sent = &storm->bare->sent[pick(storm, (uint32_t)storm->bare->sent_count)];
      path = sent->path;
      if (pick(storm, 10) == 0) path = bare_path(port(storm));
      if (path.local.family == COPAL_FAMILY_NONE) path.local = bare_path(1).local;
      bool piggybacked = pick(storm, 2) == 0;
      static const copal_type separate[] = {COPAL_CON, COPAL_NON};
      if (pick(storm, 2) == 0) {
        copal_encode_begin(&encoder, bytes, sizeof bytes, pick(storm, 2) == 0 ? COPAL_ACK : COPAL_RST, COPAL_EMPTY,
                           sent->view.message_id, NULL, 0);
      } else {
        copal_encode_begin(&encoder, bytes, sizeof bytes, piggybacked ? COPAL_ACK : separate[pick(storm, 2)],
                           COPAL_CONTENT, piggybacked ? sent->view.message_id : (uint16_t)pick(storm, 100),
                           sent->view.token.data, sent->view.token.size);
        if (pick(storm, 10) == 0) copal_encode_option(&encoder, 9, "x", 1);
        copal_encode_payload(&encoder, "response", pick(storm, 9));
      }
      if (encoder.error == COPAL_OK) deliver(storm, &path, bytes, encoder.size);
    }
  }
}

static void fail_to_send(struct storm *storm) {
  if (storm->bare->sent_count == 0) return;
  const struct bare_sent *sent = &storm->bare->sent[pick(storm, (uint32_t)storm->bare->sent_count)];
  size_t size = pick(storm, 3) == 0 ? pick(storm, (uint32_t)sent->size + 1) : sent->size;
  copal_endpoint_unreachable(storm->bare->endpoint, storm->bare->now, &sent->path, sent->bytes, size);
}

/* --- The storm ------------------------------------------------------------------------------------ */

static void assert_usage_is_bounded(const struct storm *storm, const copal_config *config) {
  copal_usage usage = copal_endpoint_usage(storm->bare->endpoint);
  assert_true(usage.peers <= config->peers_max && usage.exchanges <= config->exchanges_max);
  assert_true(usage.deferred <= config->deferred_max && usage.receptions <= config->receptions_max);
  assert_true(usage.messages_size <= config->messages_size && usage.replies_size <= config->replies_size);
}

static void calm_down(struct storm *storm) {
  for (int i = 0; i < KEPT; ++i) copal_deferred_drop(storm->bare->endpoint, storm->deferred[i]);
  for (int i = 0; i < 400; ++i) {
    take_events(storm);
    bare_out(storm->bare);
    storm->bare->now += 40 * COPAL_SECOND;
  }
  take_events(storm);
  copal_usage usage = copal_endpoint_usage(storm->bare->endpoint);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.receptions, 0);
  assert_int_equal(usage.deferred, 0);
  assert_int_equal(usage.messages_size, 0);
  assert_true(copal_endpoint_deadline(storm->bare->endpoint) == COPAL_NEVER);
  bare_in(storm->bare, "40017fffb162"); /* and it still answers, or hands out */
  if (!bare_has_event(storm->bare)) assert_out(storm->bare, "60847fff" BARE_NOT_FOUND);
}

static uint32_t rage(const copal_config *config, uint64_t seed) {
  struct storm *storm = calloc(1, sizeof *storm);
  storm->bare = bare_open_seeded(config, (uint8_t)seed);
  storm->dice = (struct dice){seed * 77 + 1};
  copal_route(storm->bare->endpoint, COPAL_GET, "/a", handler, storm);
  copal_route(storm->bare->endpoint, COPAL_POST, "/a", handler, storm);
  for (int i = 0; i < 6000; ++i) {
    switch (pick(storm, 10)) {
      case 0:
      case 1:
      case 2:
      case 3: receive(storm); break;
      case 4:
      case 5: act(storm); break;
      case 6: fail_to_send(storm); break;
      case 7:
        storm->bare->batch = 1 + pick(storm, 9);
        bare_out(storm->bare);
        break;
      case 8: storm->bare->now += pick(storm, 500) * COPAL_MILLISECOND; break;
      case 9:
        if (pick(storm, 5) == 0) storm->bare->now += pick(storm, 100) * COPAL_SECOND;
    }
    if (i % 16 == 0) assert_usage_is_bounded(storm, config);
  }
  calm_down(storm);
  for (uint32_t i = 0; i < storm->asked; ++i) assert_true(storm->calls[i].cancelled || storm->calls[i].ends == 1);
  uint32_t asked = storm->asked;
  bare_close(storm->bare);
  free(storm);
  return asked;
}

static void small_endpoints_survive(void **state) {
  (void)state;
  uint32_t asked = 0;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    copal_config config = copal_config_small();
    config.parameters.nstart = (uint8_t)(1 + seed % 3);
    config.peers_max = (uint32_t)(1 + seed % 8);
    config.outbox_max = (uint32_t)(1 + seed % 5);
    asked += rage(&config, seed);
  }
  assert_true(asked > 500); /* it did rage */
}

static void raw_endpoints_survive(void **state) {
  (void)state;
  uint32_t asked = 0;
  for (uint64_t seed = 101; seed <= 125; ++seed) {
    copal_config config = copal_config_small();
    config.raw = true;
    config.receptions_max = (uint32_t)(seed % 4);
    config.exchanges_max = (uint32_t)(1 + seed % 9);
    asked += rage(&config, seed);
  }
  assert_true(asked > 500); /* it did rage */
}

static void the_smallest_endpoint_survives(void **state) {
  (void)state;
  uint32_t asked = 0;
  for (uint64_t seed = 201; seed <= 220; ++seed) {
    copal_config config = copal_config_small();
    config.peers_max = config.exchanges_max = config.outbox_max = config.peer_replies_max = config.deferred_max = 1;
    config.messages_size = 256;
    config.replies_size = 2 * (256 + 64);
    asked += rage(&config, seed);
  }
  assert_true(asked > 20); /* it did rage */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_endpoints_survive),
      cmocka_unit_test(raw_endpoints_survive),
      cmocka_unit_test(the_smallest_endpoint_survives),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
