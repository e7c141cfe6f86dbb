/* A storm of requests with all options that a server knows, on endpoints of many sizes, with handlers that reply in all
 * ways, later or not at all, and do as much to others meanwhile. Every reply fits, and has its request's token; in the
 * end all that was taken is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/dice.h"

enum { OWED = 8, BODY_SIZE = 4000, TOKEN_MAX = 1100, SEEN = 16 };

struct storm {
  struct bare *bare;
  struct dice dice;
  copal_config config;
  copal_deferred owed[OWED];
  struct {
    uint8_t bytes[2000];
    size_t size;
    copal_path path;
  } seen[SEEN]; /* for duplicates */
  uint32_t parts_open, handled;
  copal_call call;
  uint8_t version;
};

static uint8_t body[BODY_SIZE];

static uint32_t pick(struct storm *storm, uint32_t sides) { return dice_below(&storm->dice, sides); }

static bool hits(struct storm *storm, uint32_t one_in) { return pick(storm, one_in) == 0; }

static size_t size_of_some(struct storm *storm) {
  static const uint16_t limits[] = {2, 20, 100, 300, 1500, BODY_SIZE};
  return pick(storm, limits[pick(storm, 6)]);
}

/* --- The application ------------------------------------------------------------------------------ */

static const char *path_of(struct storm *storm) {
  static const char *const paths[] = {"/r", "/v", "/p", "/o", "/x/1", "/none"};
  return paths[pick(storm, 6)];
}

static void pay(struct storm *storm) {
  static uint8_t buffer[BODY_SIZE + 100];
  static const uint8_t codes[] = {COPAL_CONTENT, COPAL_CHANGED, COPAL_NOT_FOUND, COPAL_INTERNAL_SERVER_ERROR};
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, codes[pick(storm, 4)]);
  if (hits(storm, 4)) copal_message_add(&response, COPAL_OPTION_ETAG, "late", 4);
  copal_message_set_payload(&response, body, size_of_some(storm));
  copal_error error = copal_deferred_reply(storm->bare->endpoint, storm->owed[pick(storm, OWED)], &response);
  assert_true(error <= COPAL_OK);
}

static void told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct storm *storm = context;
  (void)endpoint;
  (void)call;
  if (result->last) storm->call = (copal_call){0};
}

static void call(struct storm *storm) {
  struct bare_message message;
  copal_address remote = bare_address((uint16_t)(6000 + pick(storm, 5)));
  copal_call_options options = {.message = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL),
                                .remote = &remote,
                                .handler = told,
                                .context = storm,
                                .timeout = 5 * COPAL_SECOND};
  if (storm->call.generation != 0) copal_call_cancel(storm->bare->endpoint, storm->call, hits(storm, 2));
  storm->call = (copal_call){0};
  copal_error error = copal_call_begin(storm->bare->endpoint, &options, &storm->call);
  if (error != COPAL_OK) storm->call = (copal_call){0};
}

static void act(struct storm *storm) {
  copal_endpoint *endpoint = storm->bare->endpoint;
  switch (pick(storm, 8)) {
    case 0:
    case 1: copal_notify(endpoint, path_of(storm)); break;
    case 2:
      if (hits(storm, 4)) copal_notify_end(endpoint, path_of(storm), hits(storm, 2) ? COPAL_EMPTY : COPAL_NOT_FOUND);
      break;
    case 3:
    case 4: pay(storm); break;
    case 5: (void)copal_deferred_drop(endpoint, storm->owed[pick(storm, OWED)]); break;
    case 6: call(storm); break;
    case 7: ++storm->version; break;
  }
}

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  size_t total = *(const size_t *)context;
  if (total == BODY_SIZE - 1) return COPAL_SIZE_UNKNOWN;
  if (offset >= total) return 0;
  size_t left = total - (size_t)offset, part = left < size ? left : size;
  memcpy(buffer, body + offset, part);
  return part;
}

static void reply_by_hand(struct storm *storm, copal_request *request) {
  static const uint8_t codes[] = {COPAL_CONTENT, COPAL_CREATED, COPAL_FORBIDDEN, COPAL_EMPTY, 0xff};
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, codes[pick(storm, 5)]);
  if (hits(storm, 2)) copal_message_add(reply, COPAL_OPTION_ETAG, body, 1 + pick(storm, 8));
  if (hits(storm, 3)) copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, "somewhere");
  if (hits(storm, 3)) copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, pick(storm, 70));
  size_t size = size_of_some(storm);
  switch (pick(storm, 4)) {
    case 0: copal_message_set_payload(reply, body, size); break;
    case 1: copal_reply_body(request, body, size); break;
    case 2: copal_reply_reader(request, size, read_body, &size); break;
    case 3: copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_body, &size); break;
  }
  if (hits(storm, 8)) copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, pick(storm, 100));
}

static void reply(struct storm *storm, copal_request *request) {
  static const uint8_t codes[] = {COPAL_CONTENT, COPAL_CHANGED, COPAL_NOT_FOUND, COPAL_SERVICE_UNAVAILABLE};
  switch (pick(storm, 8)) {
    case 0: copal_reply_code(request, codes[pick(storm, 4)]); break;
    case 1: copal_reply_problem(request, COPAL_CONFLICT, "something is amiss, and it is hard to say what"); break;
    case 2:
    case 3:
    case 4: copal_reply(request, codes[pick(storm, 4)], pick(storm, 3) * 50, body, size_of_some(storm)); break;
    case 5:
    case 6: reply_by_hand(storm, request); break;
    case 7: break; /* nothing */
  }
}

static void handle(copal_request *request, void *context) {
  struct storm *storm = context;
  ++storm->handled;
  if (hits(storm, 6)) act(storm);
  if (hits(storm, 8) && !copal_request_is_fresh(request, 10 * COPAL_SECOND)) return;
  if (hits(storm, 4)) {
    copal_deferred *owed = &storm->owed[pick(storm, OWED)];
    (void)copal_deferred_drop(storm->bare->endpoint, *owed);
    if (copal_defer(request, owed) == COPAL_OK) {
      if (hits(storm, 3)) pay(storm);
      return;
    }
  }
  reply(storm, request);
  if (hits(storm, 8)) reply(storm, request);
  if (hits(storm, 8)) act(storm);
}

static void take_part(copal_request *request, void *context) {
  struct storm *storm = context;
  copal_part part = copal_request_part(request);
  assert_true((*part.state == NULL) == (part.offset == 0));
  if (part.offset == 0) {
    ++storm->parts_open;
    *part.state = storm;
  }
  if (part.last || hits(storm, 6)) {
    --storm->parts_open;
    if (part.last)
      handle(request, context);
    else
      copal_reply_code(request, COPAL_FORBIDDEN);
  }
}

static void abandon(void *context, void *state) {
  struct storm *storm = context;
  assert_ptr_equal(state, storm);
  --storm->parts_open;
  if (hits(storm, 4)) copal_notify(storm->bare->endpoint, path_of(storm));
}

static size_t tell_version(copal_request *request, uint8_t etag[8], void *context) {
  const struct storm *storm = context;
  (void)request;
  memset(etag, storm->version, 8);
  return storm->version % 9;
}

static void open_routes(struct storm *storm) {
  static const char *const patterns[] = {"/r", "/v", "/p", "/o", "/x/{y}", "/t/*"};
  static const uint16_t formats[] = {0, 50};
  copal_endpoint *endpoint = storm->bare->endpoint;
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; ++i)
    for (copal_code method = COPAL_GET; method <= COPAL_IPATCH; ++method)
      assert_int_equal(copal_route(endpoint, method, patterns[i], i == 2 ? take_part : handle, storm), COPAL_OK);
  for (copal_code method = COPAL_GET; method <= COPAL_IPATCH; ++method)
    assert_int_equal(copal_route_parts(endpoint, method, "/p", abandon), COPAL_OK);
  assert_int_equal(copal_route_version(endpoint, "/v", tell_version, storm), COPAL_OK);
  assert_int_equal(copal_route_version(endpoint, "/p", tell_version, storm), COPAL_OK);
  assert_int_equal(copal_route_offers(endpoint, "/v", formats, 2), COPAL_OK);
  assert_int_equal(copal_route_takes(endpoint, COPAL_PUT, "/r", formats, 2), COPAL_OK);
  assert_int_equal(copal_route_observable(endpoint, "/o", 0), COPAL_OK);
  assert_int_equal(copal_route_observable(endpoint, "/v", 100 * COPAL_SECOND), COPAL_OK);
  assert_int_equal(copal_route_attributes(endpoint, "/r", "rt=\"a rather long description\";ct=50"), COPAL_OK);
}

/* --- The network ---------------------------------------------------------------------------------- */

static void put_block(struct storm *storm, copal_encoder *encoder, uint16_t number) {
  copal_block block = {hits(storm, 3) ? pick(storm, 4) : 0, hits(storm, 2),
                       (uint8_t)pick(storm, hits(storm, 20) ? 8 : 4)};
  if (hits(storm, 40)) block.number = 1048575;
  copal_encode_uint(encoder, number, copal_block_value(block));
}

static void put_path(struct storm *storm, copal_encoder *encoder) {
  static const char *const paths[][2] = {{"r"}, {"v"}, {"p"}, {"o"}, {"x", "1"}, {"t", "q"}, {".well-known", "core"}};
  uint32_t at = pick(storm, 7);
  for (int i = 0; i < 2 && paths[at][i] != NULL; ++i)
    copal_encode_option(encoder, COPAL_OPTION_URI_PATH, paths[at][i], strlen(paths[at][i]));
}

/* In ascending order, each sometimes. */
static void put_options(struct storm *storm, copal_encoder *encoder) {
  if (hits(storm, 12)) copal_encode_option(encoder, COPAL_OPTION_IF_MATCH, body, pick(storm, 9));
  if (hits(storm, 8)) copal_encode_option(encoder, COPAL_OPTION_ETAG, body, pick(storm, 10));
  if (hits(storm, 12)) copal_encode_option(encoder, COPAL_OPTION_IF_NONE_MATCH, NULL, 0);
  if (hits(storm, 3)) copal_encode_uint(encoder, COPAL_OPTION_OBSERVE, pick(storm, 3));
  put_path(storm, encoder);
  if (hits(storm, 6)) copal_encode_uint(encoder, COPAL_OPTION_CONTENT_FORMAT, pick(storm, 2) * 50);
  if (hits(storm, 6)) copal_encode_option(encoder, COPAL_OPTION_URI_QUERY, "rt=a*", 5);
  if (hits(storm, 8)) copal_encode_uint(encoder, COPAL_OPTION_ACCEPT, pick(storm, 3) * 50);
  bool quick = hits(storm, 4);
  if (quick && hits(storm, 2)) put_block(storm, encoder, COPAL_OPTION_Q_BLOCK1);
  if (hits(storm, quick ? 20 : 3)) put_block(storm, encoder, COPAL_OPTION_BLOCK2);
  if (hits(storm, quick ? 20 : 3)) put_block(storm, encoder, COPAL_OPTION_BLOCK1);
  if (hits(storm, 8)) copal_encode_uint(encoder, COPAL_OPTION_SIZE2, 0);
  for (int i = 0; quick && i < 3; ++i)
    if (hits(storm, 2)) put_block(storm, encoder, COPAL_OPTION_Q_BLOCK2);
  if (hits(storm, 30)) copal_encode_option(encoder, COPAL_OPTION_PROXY_SCHEME, "coap", 4);
  if (hits(storm, quick ? 2 : 8)) copal_encode_uint(encoder, COPAL_OPTION_SIZE1, pick(storm, 8) * 64);
  if (hits(storm, 30)) copal_encode_option(encoder, COPAL_OPTION_ECHO, body, 12);
  if (hits(storm, 8)) copal_encode_uint(encoder, COPAL_OPTION_NO_RESPONSE, pick(storm, 256));
  if (hits(storm, quick ? 2 : 8)) copal_encode_option(encoder, COPAL_OPTION_REQUEST_TAG, body, pick(storm, 3));
  if (hits(storm, 30)) copal_encode_option(encoder, 65001, NULL, 0);
}

/* Tokens are all of one kind, so that a response's is known. */
static const uint8_t token_bytes[TOKEN_MAX] = {0x5a, 0x5a};

static void request(struct storm *storm) {
  uint32_t at = pick(storm, SEEN);
  copal_encoder encoder;
  size_t limit = sizeof storm->seen[at].bytes;
  size_t token_size = hits(storm, 4) ? pick(storm, TOKEN_MAX) : pick(storm, 9);
  if (token_size + 4 > storm->config.message_size_max) token_size %= 9;
  copal_encode_begin(&encoder, storm->seen[at].bytes, limit, (copal_type)pick(storm, 2), (uint8_t)(1 + pick(storm, 8)),
                     (uint16_t)pick(storm, 5000), token_bytes, token_size);
  put_options(storm, &encoder);
  size_t sizes[] = {0, 16, 32, 64, pick(storm, 700)};
  copal_encode_payload(&encoder, body, sizes[pick(storm, 5)]);
  assert_int_equal(encoder.error, COPAL_OK);
  storm->seen[at].size = encoder.size;
  uint16_t port = (uint16_t)(6000 + pick(storm, 5));
  storm->seen[at].path = hits(storm, 12) ? bare_group_path(port) : bare_path(port);
  bare_in_bytes(storm->bare, &storm->seen[at].path, storm->seen[at].bytes, encoder.size);
}

static void repeat(struct storm *storm) {
  uint32_t at = pick(storm, SEEN);
  if (storm->seen[at].size == 0) return;
  bare_in_bytes(storm->bare, &storm->seen[at].path, storm->seen[at].bytes, storm->seen[at].size);
}

/* An ACK or a Reset for something that went out. */
static void acknowledge(struct storm *storm) {
  if (storm->bare->sent_count == 0) return;
  const struct bare_sent *sent = &storm->bare->sent[pick(storm, (uint32_t)storm->bare->sent_count)];
  bare_in_from(storm->bare, sent->path.remote.port, "%s00%04x", hits(storm, 3) ? "70" : "60", sent->view.message_id);
}

static void give_out(struct storm *storm) {
  storm->bare->batch = 1 + pick(storm, 9);
  bare_out(storm->bare);
  for (size_t i = 0; i < storm->bare->sent_count; ++i) {
    const struct bare_sent *sent = &storm->bare->sent[i];
    assert_true(sent->size <= storm->config.message_size_max);
    if (!copal_code_is_response(sent->view.code)) continue;
    assert_true(sent->view.type != COPAL_RST);
    assert_memory_equal(sent->view.token.size == 0 ? token_bytes : sent->view.token.data, token_bytes,
                        sent->view.token.size);
  }
}

/* --- The storm ------------------------------------------------------------------------------------ */

static void assert_bounds(const struct storm *storm) {
  copal_usage usage = copal_endpoint_usage(storm->bare->endpoint);
  const copal_config *config = &storm->config;
  assert_true(usage.peers <= config->peers_max && usage.exchanges <= config->exchanges_max);
  assert_true(usage.deferred <= config->deferred_max && usage.transfers <= config->transfers_max);
  assert_true(usage.observers <= config->observers_max && usage.observed <= config->observed_max);
  assert_true(usage.bodies_size <= config->bodies_size && usage.messages_size <= config->messages_size);
}

static void calm_down(struct storm *storm) {
  copal_endpoint *endpoint = storm->bare->endpoint;
  for (int i = 0; i < OWED; ++i) (void)copal_deferred_drop(endpoint, storm->owed[i]);
  static const char *const paths[] = {"/o", "/v"};
  for (int i = 0; i < 2; ++i) copal_notify_end(endpoint, paths[i], COPAL_EMPTY);
  for (int i = 0; i < 1200; ++i) {
    give_out(storm);
    storm->bare->now += 40 * COPAL_SECOND;
    for (int k = 0; k < OWED; ++k) (void)copal_deferred_drop(endpoint, storm->owed[k]);
  }
  copal_usage usage = copal_endpoint_usage(endpoint);
  assert_int_equal(usage.deferred, 0);
  assert_int_equal(usage.transfers, 0);
  assert_int_equal(usage.bodies_size, 0);
  assert_int_equal(usage.observers, 0);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.messages_size, 0);
  assert_int_equal(storm->parts_open, 0);
}

static uint32_t rage(const copal_config *config, uint64_t seed, int steps) {
  struct storm *storm = calloc(1, sizeof *storm);
  storm->config = *config;
  storm->bare = bare_open_seeded(config, (uint8_t)seed);
  storm->dice = (struct dice){seed * 31 + 7};
  open_routes(storm);
  for (int i = 0; i < steps; ++i) {
    switch (pick(storm, 12)) {
      case 0: repeat(storm); break;
      case 1: acknowledge(storm); break;
      case 2:
      case 3: act(storm); break;
      case 4:
      case 5: give_out(storm); break;
      case 6: storm->bare->now += pick(storm, 600) * COPAL_MILLISECOND; break;
      case 7:
        if (hits(storm, 40)) storm->bare->now += pick(storm, 300) * COPAL_SECOND;
        break;
      default: request(storm);
    }
    assert_bounds(storm);
  }
  calm_down(storm);
  uint32_t handled = storm->handled;
  bare_close(storm->bare);
  free(storm);
  return handled;
}

static void servers_of_all_sizes_survive(void **state) {
  (void)state;
  static const uint32_t sizes[] = {64, 65, 72, 100, 128, 256, 600, 1152, 1472};
  for (size_t i = 0; i < BODY_SIZE; ++i) body[i] = (uint8_t)(i * 5);
  uint32_t handled = 0;
  for (uint64_t seed = 1; seed <= 45; ++seed) {
    copal_config config = copal_config_small();
    config.routes_max = 60;
    config.message_size_max = sizes[seed % 9];
    config.messages_size = config.message_size_max <= 256 && seed % 2 == 0 ? 2048 : 16384;
    config.replies_size = seed % 2 == 0 ? 8192 : 32768;
    config.peers_max = (uint32_t)(2 + seed % 7);
    config.outbox_max = (uint32_t)(1 + seed % 5);
    config.deferred_max = (uint32_t)(seed % 5);
    config.body_size_max = seed % 3 == 0 ? 512 : 3000;
    config.bodies_size = seed % 3 == 1 ? 4096 : 16384;
    config.transfers_max = (uint32_t)(seed % 6);
    config.peer_transfers_max = (uint32_t)(1 + seed % 3);
    config.amplification_max = seed % 4 == 0 ? 3 : 0;
    config.peer_rate = seed % 5 == 0 ? 50 : 0;
    config.peer_replies_max = (uint32_t)(4 + seed % 60);
    config.exchanges_max = (uint32_t)(2 + seed % 9);
    handled += rage(&config, seed, 6000);
  }
  assert_true(handled > 20000); /* it did rage */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(servers_of_all_sizes_survive),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
