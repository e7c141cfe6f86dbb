/* Observations of different things whose hashes are the same do not share a registration. RFC 7641 section 3.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "rest/variant.h"
#include "support/collision.h"
#include "support/watchers.h"

struct request {
  uint8_t buffer[64];
  copal_message message;
};

static void write_request(struct request *request, uint32_t number) {
  copal_message_init(&request->message, request->buffer, sizeof request->buffer, COPAL_CON, COPAL_GET);
  copal_message_add(&request->message, COPAL_OPTION_URI_PATH, &number, sizeof number);
}

static copal_address remote_of(uint32_t number) {
  copal_address remote = bare_address(BARE_PORT);
  memcpy(remote.bytes + 1, &number, 3);
  return remote;
}

/* What an observation is found by. */
static uint32_t hash(const copal_endpoint *endpoint, uint32_t path_number, uint32_t remote_number) {
  struct request request;
  write_request(&request, path_number);
  copal_view view = copal_message_view(&request.message);
  copal_path path = {.remote = remote_of(remote_number)};
  struct path packed = path_pack(&path);
  const struct hash_key *key = &endpoint->operations.key;
  return (uint32_t)hash_words(key, variant_target(key, &view), path_hash(&endpoint->paths, &packed));
}

static uint32_t hash_of_path(void *context, uint32_t number) { return hash(context, number, 0); }
static uint32_t hash_of_remote(void *context, uint32_t number) { return hash(context, 0, number); }

static bool any(uint32_t a, uint32_t b) { return a != b; }

static void begin(struct watchers *watchers, char letter, uint32_t path_number, uint32_t remote_number) {
  struct request request;
  write_request(&request, path_number);
  copal_address remote = remote_of(remote_number);
  copal_call_options options = {.remote = &remote};
  assert_int_equal(watcher_try(watchers, letter, &request.message, &options), COPAL_OK);
}

/* The next request is a registration, and is acknowledged. */
static void registers(struct watchers *watchers) {
  const struct bare_sent *sent = bare_out_one(watchers->talk->bare);
  assert_int_equal(copal_find_uint(&sent->view, COPAL_OPTION_OBSERVE, 9), 0);
  const uint8_t ack[] = {0x60, 0, sent->bytes[2], sent->bytes[3]};
  copal_path path = sent->path;
  bare_in_bytes(watchers->talk->bare, &path, ack, sizeof ack);
}

static void paths_with_the_same_hash_are_told_apart(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(3);
  uint32_t numbers[2];
  collision_find(hash_of_path, watchers->talk->bare->endpoint, any, numbers);
  begin(watchers, 'A', numbers[0], 0);
  registers(watchers);
  begin(watchers, 'B', numbers[1], 0);
  registers(watchers);
  const struct operation *operations = watchers->talk->bare->endpoint->operations.records;
  assert_int_equal(operations[0].alike, operations[1].alike);
  watchers_close(watchers);
}

static void servers_with_the_same_hash_are_told_apart(void **state) {
  (void)state;
  struct watchers *watchers = watchers_open(3);
  uint32_t numbers[2];
  collision_find(hash_of_remote, watchers->talk->bare->endpoint, any, numbers);
  begin(watchers, 'A', 0, numbers[0]);
  registers(watchers);
  begin(watchers, 'B', 0, numbers[1]);
  registers(watchers);
  const struct operation *operations = watchers->talk->bare->endpoint->operations.records;
  assert_int_equal(operations[0].alike, operations[1].alike);
  watchers_close(watchers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_with_the_same_hash_are_told_apart),
      cmocka_unit_test(servers_with_the_same_hash_are_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
