/* A body of more blocks than a peer has message IDs, from one endpoint to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

enum { BLOCK = 64, BLOCKS = 63000 }; /* 61,440 IDs are all there are for a peer */

static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 31 + (offset >> 13)); }

static uint64_t give(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context;
  uint64_t left = (uint64_t)BLOCK * BLOCKS - offset;
  if (left < size) size = (size_t)left;
  for (size_t i = 0; i < size; ++i) ((uint8_t *)buffer)[i] = byte_at(offset + i);
  return size;
}

static void serve(copal_request *request, void *context) {
  copal_reply_reader(request, (uint64_t)BLOCK * BLOCKS, give, context);
}

struct taking {
  uint64_t size;
  copal_error error;
  bool done;
};

static bool take(void *context, uint64_t offset, const void *data, size_t size) {
  struct taking *taking = context;
  assert_true(offset == taking->size);
  for (size_t i = 0; i < size; ++i) assert_int_equal(((const uint8_t *)data)[i], byte_at(offset + i));
  taking->size += size;
  return true;
}

static void finish(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct taking *taking = context;
  taking->error = result->error;
  taking->done = true;
}

static void pass(struct bare *from, struct bare *to, uint16_t port) {
  copal_datagram datagrams[8];
  size_t count = copal_endpoint_output(from->endpoint, from->now, datagrams, 8);
  for (size_t i = 0; i < count; ++i) {
    copal_path path = bare_path(port);
    bare_in_bytes(to, &path, datagrams[i].data, datagrams[i].size);
  }
}

/* Decision 0013: it does not stop for want of message IDs. */
static void more_blocks_than_message_ids_pass_without_a_stop(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  struct bare *server = bare_open(&config), *client = bare_open_seeded(&config, 7);
  assert_int_equal(copal_route(server->endpoint, COPAL_GET, "/a", serve, NULL), COPAL_OK);
  struct taking taking = {0};
  struct bare_message message;
  copal_address remote = bare_address(BARE_PORT);
  copal_call_options options = {.message = bare_write(&message, COPAL_CON, COPAL_GET, "a", NULL),
                                .remote = &remote,
                                .handler = finish,
                                .context = &taking,
                                .write = take,
                                .body_context = &taking,
                                .block_size = BLOCK};
  assert_int_equal(copal_call_begin(client->endpoint, &options, NULL), COPAL_OK);
  copal_time began = client->now;
  for (int round = 0; !taking.done && round < 2 * BLOCKS; ++round) {
    pass(client, server, 6000);
    pass(server, client, BARE_PORT);
    client->now = server->now += COPAL_MILLISECOND;
  }
  assert_true(taking.done);
  assert_int_equal(taking.error, COPAL_OK);
  assert_true(taking.size == (uint64_t)BLOCK * BLOCKS);
  assert_true(client->now - began < 100 * COPAL_SECOND);
  bare_close(client);
  bare_close(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(more_blocks_than_message_ids_pass_without_a_stop)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
