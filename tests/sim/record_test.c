/* Two raw endpoints, whose applications acknowledge, reset and respond by themselves, over a bad network: every request
 * ends by its response, a Reset, a failure, or with its record's lifetime; one that is handed out is handed out once; a
 * transmission's record says what became of it and then goes. RFC 7252 sections 4 and 5.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world.h"

enum { NODES = 2, SEEDS = 20, REQUESTS = 2000, OUTSTANDING_MAX = 48, OWED_MAX = 4096, STEPS_MAX = 2000000 };

static const struct link bad = {.loss_permille = 300,
                                .duplication_permille = 200,
                                .straggler_permille = 50,
                                .delay_min = 5 * COPAL_MILLISECOND,
                                .delay_max = 600 * COPAL_MILLISECOND,
                                .straggler_max = 90 * COPAL_SECOND,
                                .granularity = 10 * COPAL_MILLISECOND};

static const struct link good = {
    .delay_min = 5 * COPAL_MILLISECOND, .delay_max = 500 * COPAL_MILLISECOND, .granularity = 10 * COPAL_MILLISECOND};

/* How a request ended; the first of these that happens counts. */
enum end { END_NONE, END_RESPONSE, END_RESET, END_FAILURE, END_LIFETIME, END_COUNT };

struct request {
  copal_tx tx;
  uint32_t number, client;
  uint32_t handed_out; /* to its server */
  uint32_t responses;  /* to its client, duplicates of an ACK included */
  bool con, acknowledged, reset;
  enum end end;
};

/* A separate response that a server owes, with what the request's record lends only for a while. */
struct owed {
  copal_time at;
  uint32_t server, number;
  copal_path path;
  uint8_t token[8];
};

struct trial {
  struct world world;
  copal_config config;
  struct request requests[REQUESTS];
  uint32_t issued, ended;
  uint32_t ends[END_COUNT];
  struct owed owed[OWED_MAX];
  size_t owed_count;
};

static void end(struct trial *trial, struct request *request, enum end how) {
  if (request->end != END_NONE) return;
  request->end = how;
  ++trial->ended;
  ++trial->ends[how];
}

static uint32_t number_of(const copal_view *message) {
  uint32_t number = UINT32_MAX;
  if (message->payload.size == sizeof number) memcpy(&number, message->payload.data, sizeof number);
  return number;
}

static uint32_t index_of(const struct trial *trial, const struct node *node) {
  return (uint32_t)(node - trial->world.nodes);
}

/* --- The server's side ------------------------------------------------------------------------ */

static void build_response(copal_message *response, uint8_t *buffer, size_t capacity, copal_type type,
                           uint32_t number) {
  copal_message_init(response, buffer, capacity, type, COPAL_CONTENT);
  copal_message_set_payload(response, &number, sizeof number);
}

static void owe(struct trial *trial, const struct node *node, const copal_rx *rx, uint32_t number) {
  CHECK(&trial->world, trial->owed_count < OWED_MAX && rx->message.token.size == sizeof trial->owed->token);
  struct owed *owed = &trial->owed[trial->owed_count++];
  *owed = (struct owed){.at = trial->world.now + chance_below(&trial->world.chance, 4 * COPAL_SECOND),
                        .server = index_of(trial, node),
                        .number = number,
                        .path = rx->path};
  memcpy(owed->token, rx->message.token.data, sizeof owed->token);
}

static void answer_non(struct trial *trial, const struct node *node, copal_rx *rx, uint32_t number) {
  uint8_t buffer[64];
  copal_message response;
  build_response(&response, buffer, sizeof buffer, COPAL_NON, number);
  CHECK(&trial->world, copal_ack(rx, NULL) == COPAL_ERR_TYPE);
  switch (chance_below(&trial->world.chance, 3)) {
    case 0: CHECK(&trial->world, copal_respond(rx, &response, NULL) == COPAL_OK); break;
    case 1: owe(trial, node, rx, number); break;
    case 2:
      CHECK(&trial->world, copal_reset(rx) == COPAL_OK);
      CHECK(&trial->world, copal_reset(rx) == COPAL_ERR_RESPONDED);
      trial->requests[number].reset = true;
      break;
  }
}

static void answer_con(struct trial *trial, const struct node *node, copal_rx *rx, uint32_t number) {
  struct request *request = &trial->requests[number];
  uint8_t buffer[64];
  copal_message response;
  build_response(&response, buffer, sizeof buffer, COPAL_CON, number);
  switch (chance_below(&trial->world.chance, 6)) {
    case 0:
    case 1:
      request->acknowledged = true;
      CHECK(&trial->world, copal_ack(rx, &response) == COPAL_OK);
      break;
    case 2:
      request->acknowledged = true;
      CHECK(&trial->world, copal_ack(rx, NULL) == COPAL_OK);
      owe(trial, node, rx, number);
      break;
    case 3:
      request->reset = true;
      CHECK(&trial->world, copal_reset(rx) == COPAL_OK);
      break;
    case 4:
      request->acknowledged = true;
      CHECK(&trial->world, copal_respond(rx, &response, NULL) == COPAL_OK && copal_ack(rx, NULL) == COPAL_OK);
      break;
    case 5: owe(trial, node, rx, number); return; /* never acknowledged: the response alone must do */
  }
  CHECK(&trial->world, rx->has_responded);
  CHECK(&trial->world, copal_ack(rx, NULL) == COPAL_ERR_RESPONDED && copal_reset(rx) == COPAL_ERR_RESPONDED);
}

static void on_request(struct trial *trial, const struct node *node, copal_rx *rx) {
  uint32_t number = number_of(&rx->message);
  CHECK(&trial->world, number < trial->issued);
  struct request *request = &trial->requests[number];
  CHECK(&trial->world, request->client != index_of(trial, node) && request->con == (rx->type == COPAL_CON));
  /* RFC 7252 4.5: "SHOULD process any request or response in the message only once". */
  CHECK(&trial->world, ++request->handed_out == 1);
  if (rx->type == COPAL_CON)
    answer_con(trial, node, rx, number);
  else
    answer_non(trial, node, rx, number);
}

static bool pay(struct trial *trial, const struct owed *owed) {
  uint8_t buffer[64];
  copal_message response;
  build_response(&response, buffer, sizeof buffer, chance_hits(&trial->world.chance, 500) ? COPAL_CON : COPAL_NON,
                 owed->number);
  copal_message_set_token(&response, owed->token, sizeof owed->token);
  return copal_send_path(trial->world.nodes[owed->server].endpoint, &response, &owed->path, NULL) == COPAL_OK;
}

static copal_time next_payment(const struct trial *trial) {
  copal_time next = COPAL_NEVER;
  for (size_t i = 0; i < trial->owed_count; ++i)
    if (trial->owed[i].at < next) next = trial->owed[i].at;
  return next;
}

static void pay_what_is_due(struct trial *trial) {
  for (size_t i = 0; i < trial->owed_count; ++i) {
    if (trial->owed[i].at > trial->world.now) continue;
    CHECK(&trial->world, pay(trial, &trial->owed[i]));
    trial->owed[i--] = trial->owed[--trial->owed_count];
  }
}

/* --- The client's side ------------------------------------------------------------------------ */

static struct request *request_of(struct trial *trial, const struct node *node, copal_tx tx) {
  for (uint32_t i = 0; i < trial->issued; ++i) {
    struct request *request = &trial->requests[i];
    if (request->client == index_of(trial, node) && copal_same_tx(request->tx, tx)) return request;
  }
  return NULL;
}

static void on_response(struct trial *trial, const struct node *node, copal_rx *rx) {
  struct request *request = request_of(trial, node, rx->request);
  /* A response that is overtaken by the end of its request's record belongs to nothing any more. */
  CHECK(&trial->world, request != NULL || copal_tx_none(rx->request));
  if (rx->type == COPAL_CON) CHECK(&trial->world, copal_ack(rx, NULL) == COPAL_OK);
  if (request == NULL) return;
  copal_tx_info info;
  CHECK(&trial->world, copal_tx_get(node->endpoint, request->tx, &info) == COPAL_OK && info.has_response);
  CHECK(&trial->world, info.state == COPAL_TX_ANSWERED && info.transmissions_left == 0);
  CHECK(&trial->world, rx->message.code == COPAL_CONTENT && number_of(&rx->message) == request->number);
  CHECK(&trial->world, request->handed_out == 1 && !request->reset);
  if (rx->type == COPAL_ACK) CHECK(&trial->world, copal_same_tx(rx->pertains_to, rx->request));
  /* Only a duplicate of the ACK comes again: message IDs of CONs and NONs are remembered. */
  CHECK(&trial->world, request->responses++ == 0 || rx->type == COPAL_ACK);
  end(trial, request, END_RESPONSE);
}

static void on_reply(struct trial *trial, const struct node *node, const copal_rx *rx) {
  struct request *request = request_of(trial, node, rx->pertains_to);
  if (request == NULL) return; /* to a separate response, or too late */
  copal_tx_info info;
  copal_rx kept;
  CHECK(&trial->world, copal_tx_get(node->endpoint, request->tx, &info) == COPAL_OK && info.responses_count > 0);
  CHECK(&trial->world, copal_tx_response(node->endpoint, request->tx, 0, &kept) == COPAL_OK);
  CHECK(&trial->world, info.message_id == kept.message.message_id && copal_same_tx(kept.pertains_to, request->tx));
  CHECK(&trial->world, rx->type == COPAL_RST ? request->reset : request->acknowledged);
  if (rx->type == COPAL_RST) end(trial, request, END_RESET);
}

static void on_failure(struct trial *trial, const struct node *node, const copal_event *event) {
  struct request *request = request_of(trial, node, event->tx);
  copal_tx_info info;
  CHECK(&trial->world, copal_tx_get(node->endpoint, event->tx, &info) == COPAL_OK);
  CHECK(&trial->world, event->error == COPAL_ERR_TIMEOUT && info.is_unacknowledged && info.transmissions == 5);
  CHECK(&trial->world, info.state == COPAL_TX_UNACKNOWLEDGED && info.response_type == -1);
  if (request != NULL) end(trial, request, END_FAILURE);
}

static void on_event(struct node *node, const copal_event *event, void *context) {
  struct trial *trial = (struct trial *)context;
  copal_rx rx = event->rx;
  if (event->kind == COPAL_EVENT_FAILED)
    on_failure(trial, node, event);
  else if (copal_code_is_request(rx.message.code))
    on_request(trial, node, &rx);
  else if (copal_code_is_response(rx.message.code))
    on_response(trial, node, &rx);
  else
    on_reply(trial, node, &rx);
}

static void issue(struct trial *trial) {
  struct world *world = &trial->world;
  struct request *request = &trial->requests[trial->issued];
  *request = (struct request){.number = trial->issued,
                              .client = (uint32_t)chance_below(&world->chance, NODES),
                              .con = chance_hits(&world->chance, 700)};
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, request->con ? COPAL_CON : COPAL_NON,
                     chance_hits(&world->chance, 500) ? COPAL_GET : COPAL_POST);
  copal_message_set_payload(&message, &request->number, sizeof request->number);
  const copal_address *server = &world->nodes[(request->client + 1) % NODES].address;
  copal_endpoint *endpoint = world->nodes[request->client].endpoint;
  CHECK(world, copal_send(endpoint, &message, server, &request->tx) == COPAL_OK);
  copal_tx_info info;
  CHECK(world, copal_tx_get(endpoint, request->tx, &info) == COPAL_OK && info.state == COPAL_TX_QUEUED);
  CHECK(world, info.transmission_time == COPAL_NEVER && info.next_event_time == world->now);
  ++trial->issued;
}

/* What nobody answered ends with its record. */
static void look_for_ended_lifetimes(struct trial *trial) {
  for (uint32_t i = 0; i < trial->issued; ++i) {
    struct request *request = &trial->requests[i];
    copal_tx_info info;
    if (request->end != END_NONE) continue;
    if (copal_tx_get(trial->world.nodes[request->client].endpoint, request->tx, &info) == COPAL_ERR_STALE)
      end(trial, request, END_LIFETIME);
  }
}

/* --- A run ------------------------------------------------------------------------------------ */

static void check_end(const struct trial *trial) {
  const struct world *world = &trial->world;
  for (uint32_t i = 0; i < REQUESTS; ++i) {
    copal_tx_info info;
    CHECK(world, trial->requests[i].end != END_NONE);
    CHECK(world, copal_tx_get(world->nodes[trial->requests[i].client].endpoint, trial->requests[i].tx, &info) ==
                     COPAL_ERR_STALE);
  }
  for (size_t i = 0; i < NODES; ++i) {
    copal_usage usage = copal_endpoint_usage(world->nodes[i].endpoint);
    CHECK(world, usage.exchanges == 0 && usage.deferred == 0 && usage.receptions == 0 && usage.messages_size == 0);
  }
  if (world->network.lost == 0) {
    CHECK(world, trial->ends[END_RESPONSE] + trial->ends[END_RESET] == REQUESTS);
    return;
  }
  CHECK(world, trial->ends[END_RESPONSE] > REQUESTS / 3 && trial->ends[END_RESET] > REQUESTS / 20);
  CHECK(world, trial->ends[END_FAILURE] > 0 && trial->ends[END_LIFETIME] > REQUESTS / 50);
}

static copal_config plan(void) {
  copal_config config = copal_config_small();
  config.raw = true;
  config.exchanges_max = 8192;
  config.messages_size = 4 << 20;
  config.replies_size = 4 << 20;
  config.peer_replies_max = UINT16_MAX;
  config.outbox_max = 256;
  config.receptions_max = 8192;
  config.parameters.nstart = 16;
  config.parameters.probing_rate = 0;
  return config;
}

static uint64_t run(const struct link *link, uint64_t seed) {
  struct trial *trial = malloc(sizeof *trial);
  assert_non_null(trial);
  *trial = (struct trial){.config = plan()};
  world_init(&trial->world, seed, link);
  for (size_t i = 0; i < NODES; ++i) world_add(&trial->world, &trial->config, on_event, trial);
  uint32_t step = 0;
  bool happens = true;
  while (trial->issued < REQUESTS || trial->owed_count > 0 || happens) {
    CHECK(&trial->world, ++step < STEPS_MAX);
    if (trial->issued < REQUESTS && trial->issued - trial->ended < OUTSTANDING_MAX) issue(trial);
    happens = world_step(&trial->world, next_payment(trial));
    pay_what_is_due(trial);
    if (step % 64 == 0 || !happens) look_for_ended_lifetimes(trial);
  }
  check_end(trial);
  uint64_t digest = trial->world.network.digest;
  world_release(&trial->world);
  free(trial);
  return digest;
}

static void every_record_tells_how_its_message_ended(void **state) {
  (void)state;
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&bad, seed);
}

static void a_good_network_answers_every_request(void **state) {
  (void)state;
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, SEEDS, &seed); ++i) run(&good, seed);
}

static void the_same_seed_gives_the_same_traffic(void **state) {
  (void)state;
  uint64_t seed;
  for (unsigned i = 0; world_seed(i, 1, &seed); ++i) {
    uint64_t digest = run(&bad, seed);
    assert_true(run(&bad, seed) == digest);
    assert_true(run(&bad, seed + 1) != digest);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_record_tells_how_its_message_ended, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(a_good_network_answers_every_request, world_prepare, world_report),
      cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_traffic, world_prepare, world_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
