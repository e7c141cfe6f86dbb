/* Bodies in blocks on a server: what may go wrong between the blocks, and what is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"
#include "support/steps.h"

struct scene {
  struct bare *bare;
  struct steps steps;
  int calls, abandoned;
  size_t received;
  size_t body_size;
  copal_code code;
  uint64_t next_offset; /* of the next part */
  uint64_t announced;
  bool refuses_parts;
  copal_deferred deferred;
  bool defers;
};

static void answer(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_bytes payload = copal_request_rx(request)->message.payload;
  ++scene->calls;
  scene->received = payload.size;
  if (payload.size > 0) assert_memory_equal(payload.data, steps_body(), payload.size);
  if (scene->defers) {
    assert_int_equal(copal_defer(request, &scene->deferred), COPAL_OK);
    return;
  }
  copal_reply(request, scene->code, COPAL_FORMAT_NONE, steps_body(), scene->body_size);
}

static void open_scene(struct scene *scene, copal_code method) {
  copal_config config = copal_config_small();
  config.replies_size = 16384;
  config.body_size_max = 1024;
  config.bodies_size = 4096;
  config.transfers_max = 4;
  config.peer_transfers_max = 3;
  config.peers_max = 8;
  config.amplification_max = 0;
  *scene = (struct scene){.bare = bare_open(&config), .code = COPAL_CHANGED};
  scene->steps = steps_begin(scene->bare, 300);
  assert_int_equal(copal_route(scene->bare->endpoint, method, "/r", answer, scene), COPAL_OK);
}

static copal_usage usage(const struct scene *scene) { return copal_endpoint_usage(scene->bare->endpoint); }

/* --- Uploads -------------------------------------------------------------------------------------- */

/* RFC 7959 2.2: SZX 7 "MUST lead to a 4.00"; RFC 7252 5.4.3: a value of illegal length is as an unknown option. */
static void t21_reserved_sizes_and_long_values(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  steps_exchange(&scene.steps, "PUT 1:0/1/2048 +16", "4.00");
  steps_exchange(&scene.steps, "PUT 2:0/1/2048", "4.00");
  bare_in(scene.bare, "40030009 b172 d40300000000 ff00"); /* Block1 of 4 bytes */
  assert_int_equal(bare_out_one(scene.bare)->view.code, COPAL_BAD_OPTION);
  assert_int_equal(scene.calls, 0);
  bare_close(scene.bare);
}

/* The memory for POSTs, 4 for a peer here, is for those that execute something. */
static void the_blocks_of_a_long_post_do_not_use_up_the_memory_of_posts(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_POST);
  struct steps *steps = &scene.steps;
  for (int round = 0; round < 3; ++round) {
    for (unsigned number = 0; number < 18; ++number) {
      char request[32], response[32];
      snprintf(request, sizeof request, "POST 1:%u/1/16", number);
      snprintf(response, sizeof response, "2.31 1:%u/1/16", number);
      steps_exchange(steps, request, response);
    }
    steps_exchange(steps, "POST 1:18/0/16", "2.04 1:18/0/16");
    --steps->mid;
    steps_exchange(steps, "POST 1:18/0/16", "2.04 1:18/0/16"); /* a duplicate */
    assert_int_equal(scene.calls, round + 1);
  }
  bare_close(scene.bare);
}

/* Its repetition must not be "incomplete": the client would send the whole again, to be executed once more. */
static void the_reply_to_a_posts_last_block_outlives_replies_to_others(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_POST);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "POST 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "POST 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "POST 1:2/0/128", "2.04 1:2/0/128");
  for (unsigned mid = 0; mid < 300; ++mid) {
    bare_in_from(scene.bare, 9000, "4001%04x b172", mid);
    bare_out(scene.bare);
  }
  assert_true(copal_endpoint_counters(scene.bare->endpoint)->replies_evicted > 0);
  --steps->mid;
  steps_exchange(steps, "POST 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

/* RFC 9175 3.3: blocks are put together only if their Request-Tags are the same. */
static void t36_interleaved_uploads_are_kept_apart_by_request_tag(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT tag=01 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT tag=02 1:0/1/64", "2.31 1:0/1/64");
  steps_exchange(steps, "PUT tag=01 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "PUT tag=02 1:1/1/64", "2.31 1:1/1/64");
  steps_exchange(steps, "PUT 1:2/0/128", "4.08"); /* of neither */
  steps_exchange(steps, "PUT tag=02 1:2/0/128", "4.08");
  const copal_view *view = steps_exchange(steps, "PUT tag=01 1:2/0/128", "2.04 1:2/0/128");
  copal_option option;
  /* RFC 9175 3.4: "The Request-Tag option MUST NOT be present in response messages." */
  assert_false(copal_find(view, COPAL_OPTION_REQUEST_TAG, &option));
  assert_int_equal(scene.received, 300);
  assert_int_equal(scene.calls, 1);
  steps->body_size = 150;
  steps_exchange(steps, "PUT tag=02 1:2/0/64", "2.04 1:2/0/64");
  assert_int_equal(scene.received, 150);
  assert_int_equal(usage(&scene).transfers, 0);
  assert_int_equal(usage(&scene).bodies_size, 0);
  bare_close(scene.bare);
}

/* RFC 9175 3.3: a recorded last block must not end another body, nor must one that is over be put together
 * again. */
static void t36_a_last_block_that_is_replayed_ends_no_other_upload(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT tag=01 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT tag=01 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "PUT tag=01 1:2/0/128", "2.04 1:2/0/128");
  uint16_t last = (uint16_t)(steps->mid - 1);
  steps_exchange(steps, "PUT tag=02 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT tag=02 1:1/1/128", "2.31 1:1/1/128");
  uint16_t next = steps->mid;
  steps->mid = last; /* at once: a duplicate, whose answer is given again */
  steps_exchange(steps, "PUT tag=01 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.calls, 1);
  scene.bare->now += 200 * COPAL_SECOND;
  steps->mid = next; /* under another message ID: nobody waits for it */
  steps_exchange(steps, "PUT tag=01 1:2/0/128", "4.08");
  steps_exchange(steps, "PUT 1:2/0/128", "4.08");
  assert_int_equal(scene.calls, 1);
  steps_exchange(steps, "PUT tag=02 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.calls, 2);
  assert_int_equal(scene.received, 300);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

/* RFC 7959 2.5: "If not all previous blocks are available at the server at the time of processing the final block,
 * the transfer fails and error code 4.08 (Request Entity Incomplete, Section 2.9.2) MUST be returned." */
static void t38_gaps_and_late_starts_are_incomplete(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT 1:1048575/1/16 +16", "4.08");
  steps_exchange(steps, "PUT 1:1/0/128", "4.08");
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:2/0/128", "4.08");
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128"); /* the gap was not held against it */
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128"); /* once more: its answer was lost */
  steps_exchange(steps, "PUT 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  steps_exchange(steps, "PUT 1:2/0/128", "4.08"); /* it is over */
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

/* RFC 7959 2.3: "The block size implied by SZX MUST match the size of the payload in bytes, if the M bit is set." */
static void t38_a_short_block_that_is_not_the_last_is_refused(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  steps_exchange(&scene.steps, "PUT 1:0/1/128 +100", "4.00");
  steps_exchange(&scene.steps, "PUT 1:0/1/64 +65", "4.00");
  steps_exchange(&scene.steps, "PUT 1:0/0/64 +65", "2.04 1:0/0/64"); /* one block is a whole body, whatever its size */
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

/* RFC 7252 5.9.2.9: 4.13 "SHOULD include a Size1 Option". */
static void t38_an_announced_size_takes_no_memory_and_one_too_large_is_refused(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  struct steps *steps = &scene.steps;
  const copal_view *view = steps_exchange(steps, "PUT size1=4294967295 1:0/1/128", "4.13");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE1, 0), 1024);
  steps_exchange(steps, "PUT size1=1024 1:0/1/16", "2.31 1:0/1/16");
  assert_int_equal(usage(&scene).bodies_size, 32);
  bare_close(scene.bare);
}

static void a_body_above_the_limit_is_refused_when_it_gets_there(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  struct steps *steps = &scene.steps;
  steps->body_size = 2000;
  for (unsigned number = 0; number < 8; ++number) {
    char request[32], response[32];
    snprintf(request, sizeof request, "PUT 1:%u/1/128", number);
    snprintf(response, sizeof response, "2.31 1:%u/1/128", number);
    steps_exchange(steps, request, response);
  }
  const copal_view *view = steps_exchange(steps, "PUT 1:8/1/128", "4.13");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE1, 0), 1024);
  assert_int_equal(usage(&scene).transfers, 0);
  assert_int_equal(usage(&scene).bodies_size, 0);
  bare_close(scene.bare);
}

/* RFC 7959 2.3: "the server MUST NOT assemble them into a single request". */
static void t38_a_content_format_that_changes_is_incomplete(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  steps_exchange(&scene.steps, "PUT ct=0 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(&scene.steps, "PUT ct=50 1:1/1/128", "4.08");
  bare_close(scene.bare);
}

static void block_0_begins_anew(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:2/0/128", "4.08");
  steps_exchange(steps, "PUT 1:1/1/128", "2.31 1:1/1/128");
  steps_exchange(steps, "PUT 1:2/0/128", "2.04 1:2/0/128");
  assert_int_equal(scene.received, 300);
  bare_close(scene.bare);
}

static void t52_dropped_uploads_are_bounded_and_freed_by_time(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  for (int i = 0; i < 200; ++i) {
    scene.steps.port = (uint16_t)(6000 + i % 5); /* of five peers, four have room */
    char request[40];
    snprintf(request, sizeof request, "PUT tag=%02x 1:0/1/128", i & 0xff);
    steps_send(&scene.steps, request);
    bare_out(scene.bare);
    assert_true(usage(&scene).transfers <= 4);
    assert_true(usage(&scene).bodies_size <= 4096);
  }
  assert_true(copal_endpoint_counters(scene.bare->endpoint)->transfers_full > 0);
  scene.steps.port = 7000;
  steps_exchange(&scene.steps, "PUT 1:0/1/128", "5.03");
  scene.bare->now += 248 * COPAL_SECOND;
  bare_out(scene.bare);
  assert_int_equal(usage(&scene).transfers, 0);
  assert_int_equal(usage(&scene).bodies_size, 0);
  steps_exchange(&scene.steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  bare_close(scene.bare);
}

/* --- Parts ---------------------------------------------------------------------------------------- */

static void take_part(copal_request *request, void *context) {
  struct scene *scene = context;
  copal_part part = copal_request_part(request);
  ++scene->calls;
  if (part.offset == 0) {
    assert_null(*part.state);
    *part.state = scene;
    scene->next_offset = 0;
    scene->announced = part.total;
  }
  assert_ptr_equal(*part.state, scene);
  assert_int_equal(part.offset, scene->next_offset);
  if (part.size > 0) assert_memory_equal(part.data, steps_body() + part.offset, part.size);
  scene->next_offset += part.size;
  if (part.last || scene->refuses_parts) copal_reply_code(request, scene->code);
}

static void abandon(void *context, void *state) {
  struct scene *scene = context;
  assert_ptr_equal(state, scene);
  ++scene->abandoned;
}

static void open_parts(struct scene *scene) {
  open_scene(scene, COPAL_GET);
  assert_int_equal(copal_route(scene->bare->endpoint, COPAL_PUT, "/r", take_part, scene), COPAL_OK);
  assert_int_equal(copal_route_parts(scene->bare->endpoint, COPAL_PUT, "/r", abandon), COPAL_OK);
}

static void parts_come_in_order_and_take_no_memory(void **state) {
  (void)state;
  struct scene scene;
  open_parts(&scene);
  struct steps *steps = &scene.steps;
  steps->body_size = 60000; /* far above body_size_max */
  for (unsigned number = 0; number < 468; ++number) {
    char request[40], response[40];
    snprintf(request, sizeof request, "PUT size1=60000 1:%u/1/128", number);
    snprintf(response, sizeof response, "2.31 1:%u/1/128", number);
    steps_exchange(steps, request, response);
    assert_int_equal(usage(&scene).bodies_size, 0);
  }
  steps_exchange(steps, "PUT size1=60000 1:468/0/128", "2.04 1:468/0/128");
  assert_int_equal(scene.calls, 469);
  assert_int_equal(scene.next_offset, 60000);
  assert_int_equal(scene.announced, 60000);
  assert_int_equal(scene.abandoned, 0);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

static void a_body_in_one_message_is_one_part(void **state) {
  (void)state;
  struct scene scene;
  open_parts(&scene);
  steps_exchange(&scene.steps, "PUT +100", "2.04");
  assert_int_equal(scene.next_offset, 100);
  assert_true(scene.announced == COPAL_SIZE_UNKNOWN);
  bare_close(scene.bare);
}

static void an_upload_that_ends_early_is_abandoned_once(void **state) {
  (void)state;
  struct scene scene;
  open_parts(&scene);
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128"); /* anew */
  assert_int_equal(scene.abandoned, 1);
  scene.bare->now += 248 * COPAL_SECOND;
  assert_true(copal_endpoint_deadline(scene.bare->endpoint) <= scene.bare->now);
  bare_out(scene.bare);
  assert_int_equal(scene.abandoned, 2);
  steps_exchange(steps, "PUT 1:0/1/128", "2.31 1:0/1/128");
  scene.refuses_parts = true;
  scene.code = COPAL_CONFLICT;
  steps_exchange(steps, "PUT 1:1/1/128", "4.09 1:1/0/128"); /* its own doing: it knows */
  assert_int_equal(scene.abandoned, 2);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

/* --- Replies -------------------------------------------------------------------------------------- */

static void a_get_is_answered_block_by_block_from_what_the_handler_gives(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_GET);
  scene.code = COPAL_CONTENT;
  scene.body_size = 300;
  struct steps *steps = &scene.steps;
  const copal_view *view = steps_exchange(steps, "GET", "2.05 2:0/1/128");
  copal_option etag, other;
  assert_true(copal_find(view, COPAL_OPTION_ETAG, &etag));
  uint8_t first[8];
  memcpy(first, etag.value, sizeof first);
  view = steps_exchange(steps, "GET 2:2/0/128", "2.05 2:2/0/128"); /* any block, in any order */
  assert_true(copal_find(view, COPAL_OPTION_ETAG, &other));
  assert_memory_equal(other.value, first, sizeof first);
  /* RFC 7959 2.4: "the client MUST set the M bit of a Block2 Option to zero and the server MUST ignore it". */
  steps_exchange(steps, "GET 2:2/1/128", "2.05 2:2/0/128");
  steps_exchange(steps, "GET 2:18/0/16", "2.05 2:18/0/16");
  steps_exchange(steps, "GET 2:19/0/16", "4.00");
  steps_exchange(steps, "GET 2:1048575/0/128", "4.00");
  scene.body_size = 299; /* T37: another body has another ETag */
  view = steps_exchange(steps, "GET 2:1/0/128", "2.05 2:1/1/128");
  assert_true(copal_find(view, COPAL_OPTION_ETAG, &other));
  assert_memory_not_equal(other.value, first, sizeof first);
  assert_int_equal(usage(&scene).transfers, 0);
  bare_close(scene.bare);
}

static void a_body_that_fits_says_its_block_only_when_asked(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_GET);
  scene.code = COPAL_CONTENT;
  scene.body_size = 100;
  steps_exchange(&scene.steps, "GET", "2.05");
  steps_exchange(&scene.steps, "GET 2:0/0/128", "2.05 2:0/0/128");
  scene.body_size = 0;
  steps_exchange(&scene.steps, "GET 2:0/0/128", "2.05 2:0/0/128");
  bare_close(scene.bare);
}

/* An ETag would be taken for the changed resource's. */
static void no_body_has_no_block_and_no_etag(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_PUT);
  copal_option option;
  const copal_view *view = steps_exchange(&scene.steps, "PUT 2:0/0/128 +16", "2.04");
  assert_false(copal_find(view, COPAL_OPTION_ETAG, &option));
  assert_false(copal_find(view, COPAL_OPTION_SIZE2, &option));
  bare_close(scene.bare);
}

static void the_reply_to_a_post_is_kept_and_the_post_not_repeated(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_POST);
  scene.body_size = 600;
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "POST +10", "2.04 2:0/1/128");
  steps_exchange(steps, "POST 2:4/0/128", "2.04 2:4/0/128");
  steps_exchange(steps, "POST 2:1/0/128", "2.04 2:1/1/128");
  assert_int_equal(scene.calls, 1);
  steps_exchange(steps, "POST /r tag=07 2:1/0/128", "4.08"); /* of nothing that is kept */
  steps->port = 7000;
  steps_exchange(steps, "POST 2:1/0/128", "4.08"); /* not theirs */
  steps->port = BARE_PORT;
  scene.bare->now += 248 * COPAL_SECOND;
  bare_out(scene.bare);
  assert_int_equal(usage(&scene).transfers, 0);
  steps_exchange(steps, "POST 2:1/0/128", "4.08");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

static void kept_replies_make_room_for_newer_ones_but_not_uploads(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_POST);
  scene.body_size = 900;
  for (int i = 0; i < 12; ++i) {
    scene.steps.port = (uint16_t)(6000 + i % 6);
    steps_exchange(&scene.steps, "POST +10", "2.04 2:0/1/128");
    assert_true(usage(&scene).transfers <= 4);
  }
  steps_exchange(&scene.steps, "POST 2:1/0/128", "2.04 2:1/1/128");
  bare_close(scene.bare);
}

/* A deferred answer knows of blocks, too. */
static void a_deferred_answer_goes_in_blocks(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_POST);
  scene.defers = true;
  struct steps *steps = &scene.steps;
  steps_exchange(steps, "POST 1:0/1/128", "2.31 1:0/1/128");
  steps_exchange(steps, "POST 1:1/1/128", "2.31 1:1/1/128");
  steps_send(steps, "POST 1:2/0/128 2:0/0/64");
  assert_out(scene.bare, "");
  uint8_t buffer[1000];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CHANGED);
  copal_message_set_payload(&response, steps_body(), 500);
  assert_int_equal(copal_deferred_reply(scene.bare->endpoint, scene.deferred, &response), COPAL_OK);
  char text[100];
  steps_describe(&bare_out_one(scene.bare)->view, text, sizeof text);
  assert_string_equal(text, "2.04 2:0/1/64 1:2/0/128");
  steps_exchange(steps, "POST 2:7/0/64", "2.04 2:7/0/64");
  assert_int_equal(scene.calls, 1);
  bare_close(scene.bare);
}

/* --- Readers -------------------------------------------------------------------------------------- */

struct source {
  uint64_t size, said;
  int reads;
  bool fails;
};

static uint64_t read_source(void *context, uint64_t offset, void *buffer, size_t size) {
  struct source *source = context;
  ++source->reads;
  if (source->fails) return COPAL_SIZE_UNKNOWN;
  if (offset >= source->size) return 0;
  uint64_t left = source->size - offset;
  if (left < size) size = (size_t)left;
  memcpy(buffer, steps_body() + offset, size);
  return size;
}

static copal_error reader_error;

static void answer_reader(copal_request *request, void *context) {
  struct source *source = context;
  copal_message *reply = copal_reply_message(request);
  copal_message_add(reply, COPAL_OPTION_ETAG, "v", 1);
  reader_error = copal_reply_reader(request, source->said, read_source, source);
}

static void a_reader_is_asked_for_the_wanted_block_only(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_DELETE);
  struct source source = {.size = 60000, .said = 60000};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_GET, "/f", answer_reader, &source), COPAL_OK);
  struct steps *steps = &scene.steps;
  const copal_view *view = steps_exchange(steps, "GET /f", "2.05 2:0/1/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 60000);
  assert_int_equal(source.reads, 1);
  view = steps_exchange(steps, "GET /f 2:300/0/128", "2.05 2:300/1/128");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 0);
  view = steps_exchange(steps, "GET /f size2=0 2:300/0/64", "2.05 2:300/1/64");
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_SIZE2, 0), 60000);
  steps_exchange(steps, "GET /f 2:468/0/128", "2.05 2:468/0/128");
  steps_exchange(steps, "GET /f 2:469/0/128", "4.00");
  steps_exchange(steps, "GET /f etag=76", "2.03");
  source.said = COPAL_SIZE_UNKNOWN;
  steps_exchange(steps, "GET /f", "2.05 2:0/1/128");
  steps_exchange(steps, "GET /f 2:468/0/128", "2.05 2:468/0/128");
  source.size = 128 * 4; /* it ends with a block */
  steps_exchange(steps, "GET /f 2:3/0/128", "2.05 2:3/0/128");
  steps_exchange(steps, "GET /f 2:4/0/128", "4.00");
  source.size = 100;
  steps_exchange(steps, "GET /f", "2.05");
  source.fails = true;
  steps_exchange(steps, "GET /f 2:1/0/128", "5.00");
  assert_int_equal(reader_error, COPAL_ERR_BODY_READ);
  source = (struct source){.size = 100, .said = 200}; /* it promised more */
  steps_exchange(steps, "GET /f 2:0/0/128", "5.00");
  bare_close(scene.bare);
}

static void the_reader_of_a_post_is_read_once_to_its_end(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene, COPAL_DELETE);
  struct source source = {.size = 700, .said = 700};
  assert_int_equal(copal_route(scene.bare->endpoint, COPAL_POST, "/f", answer_reader, &source), COPAL_OK);
  steps_exchange(&scene.steps, "POST /f", "2.05 2:0/1/128");
  int reads = source.reads;
  steps_exchange(&scene.steps, "POST /f 2:5/0/128", "2.05 2:5/0/128");
  assert_int_equal(source.reads, reads);
  source.size = source.said = 2000;
  steps_exchange(&scene.steps, "POST /f", "5.00");
  assert_int_equal(reader_error, COPAL_ERR_MESSAGE_SIZE);
  bare_close(scene.bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t21_reserved_sizes_and_long_values),
      cmocka_unit_test(the_blocks_of_a_long_post_do_not_use_up_the_memory_of_posts),
      cmocka_unit_test(the_reply_to_a_posts_last_block_outlives_replies_to_others),
      cmocka_unit_test(t36_interleaved_uploads_are_kept_apart_by_request_tag),
      cmocka_unit_test(t36_a_last_block_that_is_replayed_ends_no_other_upload),
      cmocka_unit_test(t38_gaps_and_late_starts_are_incomplete),
      cmocka_unit_test(t38_a_short_block_that_is_not_the_last_is_refused),
      cmocka_unit_test(t38_an_announced_size_takes_no_memory_and_one_too_large_is_refused),
      cmocka_unit_test(a_body_above_the_limit_is_refused_when_it_gets_there),
      cmocka_unit_test(t38_a_content_format_that_changes_is_incomplete),
      cmocka_unit_test(block_0_begins_anew),
      cmocka_unit_test(t52_dropped_uploads_are_bounded_and_freed_by_time),
      cmocka_unit_test(parts_come_in_order_and_take_no_memory),
      cmocka_unit_test(a_body_in_one_message_is_one_part),
      cmocka_unit_test(an_upload_that_ends_early_is_abandoned_once),
      cmocka_unit_test(a_get_is_answered_block_by_block_from_what_the_handler_gives),
      cmocka_unit_test(a_body_that_fits_says_its_block_only_when_asked),
      cmocka_unit_test(no_body_has_no_block_and_no_etag),
      cmocka_unit_test(the_reply_to_a_post_is_kept_and_the_post_not_repeated),
      cmocka_unit_test(kept_replies_make_room_for_newer_ones_but_not_uploads),
      cmocka_unit_test(a_deferred_answer_goes_in_blocks),
      cmocka_unit_test(a_reader_is_asked_for_the_wanted_block_only),
      cmocka_unit_test(the_reader_of_a_post_is_read_once_to_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
