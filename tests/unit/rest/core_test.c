/* GET /.well-known/core: what is listed, what a query leaves of it, and what happens when it does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static void handler(copal_request *request, void *context) {
  (void)context;
  copal_reply_code(request, COPAL_CHANGED);
}

static void add(struct bare *bare, const char *pattern, const char *attributes) {
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, pattern, handler, NULL), COPAL_OK);
  if (attributes == NULL) return;
  assert_int_equal(copal_route_attributes(bare->endpoint, pattern, attributes), COPAL_OK);
}

static struct bare *open_server(void) {
  copal_config config = copal_config_small();
  config.amplification_max = 0;
  config.routes_max = 20;
  return bare_open(&config);
}

/* What GET /.well-known/core?query answers: the payload, or the code. */
static const char *discover_as(struct bare *bare, copal_type type, const char *query) {
  static char text[300];
  struct bare_message message;
  static uint16_t mid;
  copal_message *written = bare_write(&message, type, COPAL_GET, ".well-known", NULL);
  copal_message_add_text(written, COPAL_OPTION_URI_PATH, "core");
  if (query != NULL) copal_message_add_text(written, COPAL_OPTION_URI_QUERY, query);
  message.buffer[2] = (uint8_t)(++mid >> 8);
  message.buffer[3] = (uint8_t)mid;
  copal_path path = bare_path(BARE_PORT);
  bare_in_bytes(bare, &path, message.buffer, written->size);
  const copal_view *view = &bare_out_one(bare)->view;
  if (view->code != COPAL_CONTENT) {
    sprintf(text, "%d.%02d", view->code >> 5, view->code & 31);
    return text;
  }
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE), COPAL_LINK_FORMAT);
  memcpy(text, view->payload.data, view->payload.size);
  text[view->payload.size] = 0;
  return text;
}

static const char *discover(struct bare *bare, const char *query) { return discover_as(bare, COPAL_CON, query); }

/* RFC 6690 4: "The resource representation of this resource MUST be the CoRE Link Format". */
static void routes_are_listed_with_their_attributes(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/sensors/temp", "rt=\"temperature-c\";if=\"sensor\"");
  add(bare, "/sensors/{id}", NULL); /* no link: nobody knows its names */
  add(bare, "/files/*", NULL);
  add(bare, "/", NULL);
  assert_int_equal(copal_route(bare->endpoint, COPAL_PUT, "/sensors/temp", handler, NULL), COPAL_OK);
  static const char expected[] = "</>,</sensors/temp>;rt=\"temperature-c\";if=\"sensor\",</files>";
  assert_string_equal(discover(bare, NULL), expected);
  assert_string_equal(discover_as(bare, COPAL_NON, NULL), expected);
  bare_close(bare);
}

static void nothing_to_list_is_an_empty_list(void **state) {
  (void)state;
  struct bare *bare = open_server();
  assert_string_equal(discover(bare, NULL), "");
  add(bare, "/a", "rt=x");
  assert_string_equal(discover(bare, "rt=y"), "");
  bare_close(bare);
}

/* RFC 6690 4.1 */
static void a_query_leaves_the_links_that_match(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/a", "rt=\"x y\";ct=0");
  add(bare, "/ab", "rt=y;if=z");
  add(bare, "/b", NULL);
  assert_string_equal(discover(bare, "rt=y"), "</a>;rt=\"x y\";ct=0,</ab>;rt=y;if=z");
  assert_string_equal(discover(bare, "rt=x"), "</a>;rt=\"x y\";ct=0");
  assert_string_equal(discover(bare, "if=*"), "</ab>;rt=y;if=z");
  assert_string_equal(discover(bare, "href=/b"), "</b>");
  assert_string_equal(discover(bare, "href=/a*"), "</a>;rt=\"x y\";ct=0,</ab>;rt=y;if=z");
  bare_close(bare);
}

/* RFC 6690 4.1: "A multicast request with a query string SHOULD NOT be responded to if filtering is not supported or if
 * the filter does not match (to avoid a needless response storm)." */
static void a_group_is_answered_by_those_who_have_what_is_asked_for(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/a", "rt=\"t\"");
  copal_path group = bare_group_path(BARE_PORT);
  static const char *const filters[] = {"72743d74", "72743d75"}; /* rt=t, rt=u */
  for (int i = 0; i < 2; ++i) {
    char request[80];
    snprintf(request, sizeof request, "5001000%d bb2e77656c6c2d6b6e6f776e 04636f7265 44%s", i, filters[i]);
    bare_in_path(bare, &group, request);
    bare->now += 10 * COPAL_SECOND;
    bare_out(bare);
    assert_int_equal(bare->sent_count, i == 0);
  }
  bare_close(bare);
}

/* RFC 6690 4.1 has one filter. Hundreds of them, each compared with each link, would be much work for a datagram. */
static void few_filters_are_enough(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/a", "rt=x;if=y;ct=0");
  bare_expect(bare, "40010001 bb2e77656c6c2d6b6e6f776e 04636f7265 4472743d78 0469663d79 0463743d30 0469663d2a",
              "60450001c128ff3c2f613e3b72743d783b69663d793b63743d30");
  bare_in(bare, "40010002 bb2e77656c6c2d6b6e6f776e 04636f7265 4472743d78 0472743d78 0472743d78 0472743d78 0472743d78");
  assert_int_equal(bare_out_one(bare)->view.code, COPAL_BAD_REQUEST);
  bare_close(bare);
}

/* What fits one datagram goes in one, and what does not goes in blocks that make the same list. */
static void a_long_list_comes_in_blocks(void **state) {
  (void)state;
  for (size_t size = 220; size < 260; ++size) {
    struct bare *bare = open_server();
    char attributes[300], list[600], expected[600];
    memset(attributes, 'a', sizeof attributes);
    attributes[size] = 0;
    add(bare, "/a", attributes);
    add(bare, "/b", "rt=x");
    int length = snprintf(expected, sizeof expected, "</a>;%s,</b>;rt=x", attributes);
    size_t at = 0;
    bool more = true;
    for (unsigned number = 0; more; ++number) {
      bare_in(bare, "4001%04x bb2e77656c6c2d6b6e6f776e 04636f7265 c1%02x", 0x100 + number, number << 4 | 2);
      const copal_view *view = &bare_out_one(bare)->view;
      assert_int_equal(view->code, COPAL_CONTENT);
      copal_block block = copal_block_of(copal_find_uint(view, COPAL_OPTION_BLOCK2, UINT32_MAX));
      assert_int_equal(block.number, number);
      assert_int_equal(block.szx, 2);
      memcpy(list + at, view->payload.data, view->payload.size);
      at += view->payload.size;
      more = block.more;
      assert_true(!more || view->payload.size == 64);
    }
    assert_int_equal(at, length);
    assert_memory_equal(list, expected, at);
    bare_close(bare);
  }
}

/* RFC 7959 2.4: "The server SHOULD include an ETag Option in each response", so that no list is put together from two.
 */
static void blocks_of_a_list_have_its_etag(void **state) {
  (void)state;
  struct bare *bare = open_server();
  static const char path[] = "bb2e77656c6c2d6b6e6f776e 04636f7265";
  add(bare, "/a", "rt=\"0123456789\"");
  add(bare, "/b", "rt=\"0123456789\"");
  copal_option first, other;
  bare_in(bare, "40010001 %s c100", path);
  assert_true(copal_find(&bare_out_one(bare)->view, COPAL_OPTION_ETAG, &first));
  uint8_t etag[8];
  memcpy(etag, first.value, sizeof etag);
  bare_in(bare, "40010002 %s c110", path);
  assert_true(copal_find(&bare_out_one(bare)->view, COPAL_OPTION_ETAG, &other));
  assert_memory_equal(other.value, etag, sizeof etag);
  assert_int_equal(copal_route_attributes(bare->endpoint, "/a", "rt=\"9876543210\""), COPAL_OK);
  bare_in(bare, "40010003 %s c110", path);
  assert_true(copal_find(&bare_out_one(bare)->view, COPAL_OPTION_ETAG, &other));
  assert_memory_not_equal(other.value, etag, sizeof etag);
  bare_close(bare);
}

static void only_get_and_only_link_format(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/a", NULL);
  bare_expect(bare, "40020001 bb2e77656c6c2d6b6e6f776e 04636f7265", "60850001" BARE_METHOD_NOT_ALLOWED);
  bare_expect(bare, "40010002 bb2e77656c6c2d6b6e6f776e 04636f7265 6132", "60860002" BARE_NOT_ACCEPTABLE);
  bare_expect(bare, "40010003 bb2e77656c6c2d6b6e6f776e 04636f7265 6128", "60450003c128ff3c2f613e");
  bare_expect(bare, "40010004 bb2e77656c6c2d6b6e6f776e", "60840004" BARE_NOT_FOUND);
  bare_expect(bare, "40010005 bb2e77656c6c2d6b6e6f776e 04636f7265 00", "60840005" BARE_NOT_FOUND);
  bare_close(bare);
}

/* RFC 7252 5.4.1: what is critical and not understood here "MUST cause the return of a 4.02 (Bad Option) response". A
 * list has no version to compare, and takes no body. */
static void conditions_and_uploads_are_refused(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/a", NULL);
  static const char *const requests[] = {
      "40010001 11aa ab2e77656c6c2d6b6e6f776e 04636f7265",  /* If-Match */
      "40010002 10 ab2e77656c6c2d6b6e6f776e 04636f7265",    /* its existence */
      "40010003 50 6b2e77656c6c2d6b6e6f776e 04636f7265",    /* If-None-Match */
      "40010004 bb2e77656c6c2d6b6e6f776e 04636f7265 d10308" /* Block1 */
  };
  for (size_t i = 0; i < sizeof requests / sizeof *requests; ++i) {
    bare_in(bare, "%s", requests[i]);
    assert_int_equal(bare_out_one(bare)->view.code, COPAL_BAD_OPTION);
  }
  bare_close(bare);
}

static void an_application_may_answer_it_itself(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/.well-known/core", NULL);
  assert_string_equal(discover(bare, NULL), "2.04");
  bare_close(bare);
}

/* RFC 7641 6: "The "obs" attribute, when present, is a hint indicating that the destination of a link is useful for
 * observation"; it "MUST NOT appear more than once". */
static void what_can_be_observed_says_so(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/a", "rt=\"x\"");
  add(bare, "/b", "obs;rt=\"x\"");
  add(bare, "/c", NULL);
  add(bare, "/d", "rt=\"x\"");
  for (const char *const *at = (const char *const[]){"/a", "/b", "/c", NULL}; *at != NULL; ++at)
    assert_int_equal(copal_route_observable(bare->endpoint, *at, 0), COPAL_OK);
  assert_string_equal(discover(bare, NULL), "</a>;rt=\"x\";obs,</b>;obs;rt=\"x\",</c>;obs,</d>;rt=\"x\"");
  assert_string_equal(discover(bare, "obs"), "</a>;rt=\"x\";obs,</b>;obs;rt=\"x\",</c>;obs");
  bare_close(bare);
}

/* One link for each target, however many patterns lead to it. */
static void a_tail_is_listed_by_what_it_begins_with_and_not_beside_it(void **state) {
  (void)state;
  struct bare *bare = open_server();
  add(bare, "/*", NULL);
  assert_string_equal(discover(bare, NULL), "</>");
  add(bare, "/a/*", "rt=tail");
  assert_string_equal(discover(bare, NULL), "</>,</a>;rt=tail");
  add(bare, "/a", "rt=own");
  assert_string_equal(discover(bare, NULL), "</>,</a>;rt=own");
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(routes_are_listed_with_their_attributes),
      cmocka_unit_test(nothing_to_list_is_an_empty_list),
      cmocka_unit_test(a_query_leaves_the_links_that_match),
      cmocka_unit_test(a_group_is_answered_by_those_who_have_what_is_asked_for),
      cmocka_unit_test(few_filters_are_enough),
      cmocka_unit_test(a_long_list_comes_in_blocks),
      cmocka_unit_test(blocks_of_a_list_have_its_etag),
      cmocka_unit_test(only_get_and_only_link_format),
      cmocka_unit_test(conditions_and_uploads_are_refused),
      cmocka_unit_test(an_application_may_answer_it_itself),
      cmocka_unit_test(what_can_be_observed_says_so),
      cmocka_unit_test(a_tail_is_listed_by_what_it_begins_with_and_not_beside_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
