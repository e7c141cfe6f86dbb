/* The example exchanges of RFC 7959 section 3, from the server's side: Figures 2 to 11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/steps.h"

/* Answers with a body of that size, and notes what came. */
struct resource {
  size_t body_size;
  copal_code code;
  int calls;
  size_t received;
};

static void answer(copal_request *request, void *context) {
  struct resource *resource = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  ++resource->calls;
  resource->received = payload.size;
  if (payload.size > 0) assert_memory_equal(payload.data, steps_body(), payload.size);
  copal_reply(request, resource->code, COPAL_FORMAT_NONE, steps_body(), resource->body_size);
}

static struct bare *open_server(copal_code method, struct resource *resource) {
  copal_config config = copal_config_small();
  config.replies_size = 8192;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  config.amplification_max = 0;
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, method, "/r", answer, resource), COPAL_OK);
  return bare;
}

static void figure_2_simple_get(void **state) {
  (void)state;
  struct resource resource = {.body_size = 300, .code = COPAL_CONTENT};
  struct bare *bare = open_server(COPAL_GET, &resource);
  struct steps steps = steps_begin(bare, 0);
  const copal_view *view = steps_exchange(&steps, "GET", "2.05 2:0/1/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 300);
  steps_exchange(&steps, "GET 2:1/0/128", "2.05 2:1/1/128");
  view = steps_exchange(&steps, "GET 2:2/0/128", "2.05 2:2/0/128");
  assert_int_equal(view->payload.size, 300 - 256);
  bare_close(bare);
}

/* RFC 7959 2.4: "A server MUST use the block size indicated or a smaller size." */
static void figure_3_early_negotiation(void **state) {
  (void)state;
  struct resource resource = {.body_size = 380, .code = COPAL_CONTENT};
  struct bare *bare = open_server(COPAL_GET, &resource);
  struct steps steps = steps_begin(bare, 0);
  for (unsigned number = 0; number < 6; ++number) {
    char request[32], response[32];
    snprintf(request, sizeof request, "GET 2:%u/0/64", number);
    snprintf(response, sizeof response, "2.05 2:%u/%d/64", number, number < 5);
    steps_exchange(&steps, request, response);
  }
  bare_close(bare);
}

static void figure_4_late_negotiation(void **state) {
  (void)state;
  struct resource resource = {.body_size = 380, .code = COPAL_CONTENT};
  struct bare *bare = open_server(COPAL_GET, &resource);
  struct steps steps = steps_begin(bare, 0);
  steps_exchange(&steps, "GET", "2.05 2:0/1/128");
  steps_exchange(&steps, "GET 2:2/0/64", "2.05 2:2/1/64");
  steps_exchange(&steps, "GET 2:3/0/64", "2.05 2:3/1/64");
  steps_exchange(&steps, "GET 2:4/0/64", "2.05 2:4/1/64");
  steps_exchange(&steps, "GET 2:5/0/64", "2.05 2:5/0/64");
  bare_close(bare);
}

/* What the server sees when its ACK was lost; when a CON was, it sees nothing of it. */
static void figures_5_and_6_a_repeated_request_gets_the_same_block(void **state) {
  (void)state;
  struct resource resource = {.body_size = 380, .code = COPAL_CONTENT};
  struct bare *bare = open_server(COPAL_GET, &resource);
  struct steps steps = steps_begin(bare, 0);
  steps_exchange(&steps, "GET", "2.05 2:0/1/128");
  steps_exchange(&steps, "GET 2:2/0/64", "2.05 2:2/1/64");
  --steps.mid;
  steps_exchange(&steps, "GET 2:2/0/64", "2.05 2:2/1/64");
  assert_int_equal(resource.calls, 2);
  steps_exchange(&steps, "GET 2:5/0/64", "2.05 2:5/0/64");
  bare_close(bare);
}

static void figure_7_atomic_put(void **state) {
  (void)state;
  struct resource resource = {.code = COPAL_CHANGED};
  struct bare *bare = open_server(COPAL_PUT, &resource);
  struct steps steps = steps_begin(bare, 300);
  steps_exchange(&steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&steps, "PUT 1:1/1/128", "2.31 1:1/1/128");
  assert_int_equal(resource.calls, 0);
  steps_exchange(&steps, "PUT 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(resource.calls, 1);
  assert_int_equal(resource.received, 300);
  bare_close(bare);
}

/* A handler that answers a part has the last word: a resource that is built in place is no business of a server that
 * sees to it that a body is processed once. */
static void answer_part(copal_request *request, void *context) {
  (void)context;
  copal_reply_code(request, COPAL_CHANGED);
}

static void figure_8_an_answer_to_a_part_is_final(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_PUT, "/r", answer_part, NULL), COPAL_OK);
  assert_int_equal(copal_route_parts(bare->endpoint, COPAL_PUT, "/r", NULL), COPAL_OK);
  struct steps steps = steps_begin(bare, 300);
  steps_exchange(&steps, "PUT 1:0/1/128", "2.04 1:0/0/128");
  steps_exchange(&steps, "PUT 1:1/1/128", "4.08");
  bare_close(bare);
}

/* A server whose datagrams are small names a smaller size; the client counts in it from then on. */
static void figure_9_put_with_negotiation(void **state) {
  (void)state;
  struct resource resource = {.code = COPAL_CHANGED};
  copal_config config = copal_config_small();
  config.message_size_max = 160;
  struct bare *bare = bare_open(&config);
  assert_int_equal(copal_route(bare->endpoint, COPAL_PUT, "/r", answer, &resource), COPAL_OK);
  struct steps steps = steps_begin(bare, 128 + 64 + 64 + 50);
  steps_exchange(&steps, "PUT 1:0/1/128", "2.31 1:0/1/64");
  steps_exchange(&steps, "PUT 1:2/1/64", "2.31 1:2/1/64");
  steps_exchange(&steps, "PUT 1:3/1/64", "2.31 1:3/1/64");
  steps_exchange(&steps, "PUT 1:4/0/64", "2.04 1:4/0/64");
  assert_int_equal(resource.received, steps.body_size);
  bare_close(bare);
}

/* RFC 7959 2.3: "In this case, the response MUST NOT carry a Block2 Option." */
static void figure_10_post_with_a_response_in_blocks(void **state) {
  (void)state;
  struct resource resource = {.body_size = 500, .code = COPAL_CHANGED};
  struct bare *bare = open_server(COPAL_POST, &resource);
  struct steps steps = steps_begin(bare, 300);
  steps_exchange(&steps, "POST 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&steps, "POST 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(&steps, "POST 1:2/0/128", "2.04 2:0/1/128 1:2/0/128");
  steps_exchange(&steps, "POST 2:1/0/128", "2.04 2:1/1/128");
  steps_exchange(&steps, "POST 2:2/0/128", "2.04 2:2/1/128");
  steps_exchange(&steps, "POST 2:3/0/128", "2.04 2:3/0/128");
  assert_int_equal(resource.calls, 1);
  bare_close(bare);
}

static void figure_11_post_with_early_negotiation(void **state) {
  (void)state;
  struct resource resource = {.body_size = 250, .code = COPAL_CHANGED};
  struct bare *bare = open_server(COPAL_POST, &resource);
  struct steps steps = steps_begin(bare, 300);
  steps_exchange(&steps, "POST 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&steps, "POST 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(&steps, "POST 1:2/0/128 2:0/0/64", "2.04 2:0/1/64 1:2/0/128");
  steps_exchange(&steps, "POST 2:1/0/64", "2.04 2:1/1/64");
  steps_exchange(&steps, "POST 2:2/0/64", "2.04 2:2/1/64");
  steps_exchange(&steps, "POST 2:3/0/64", "2.04 2:3/0/64");
  assert_int_equal(resource.calls, 1);
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figure_2_simple_get),
      cmocka_unit_test(figure_3_early_negotiation),
      cmocka_unit_test(figure_4_late_negotiation),
      cmocka_unit_test(figures_5_and_6_a_repeated_request_gets_the_same_block),
      cmocka_unit_test(figure_7_atomic_put),
      cmocka_unit_test(figure_8_an_answer_to_a_part_is_final),
      cmocka_unit_test(figure_9_put_with_negotiation),
      cmocka_unit_test(figure_10_post_with_a_response_in_blocks),
      cmocka_unit_test(figure_11_post_with_early_negotiation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
