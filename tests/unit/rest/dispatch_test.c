/* From a request to its handler, and the answers that need none. In hex, as they go over the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/bare.h"

static void hello(copal_request *request, void *context) {
  ++*(int *)context;
  copal_reply_text(request, "hi");
}

static void json(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CONTENT, COPAL_JSON, "{}", 2);
}

static void changed(copal_request *request, void *context) {
  (void)context;
  copal_reply(request, COPAL_CHANGED, COPAL_JSON, "{}", 2);
}

static void mute(copal_request *request, void *context) {
  (void)request;
  (void)context;
}

static void broken(copal_request *request, void *context) {
  (void)context;
  copal_message *reply = copal_reply_message(request);
  copal_message_add(reply, COPAL_OPTION_ETAG, "123456789", 9); /* too long: latched */
  copal_message_set_payload(reply, "x", 1);
}

static int hellos;

static struct bare *open_server(void) {
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  hellos = 0;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/a", hello, &hellos), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/j", json, NULL), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_PUT, "/j", changed, NULL), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_FETCH, "/j", json, NULL), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/mute", mute, NULL), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/broken", broken, NULL), COPAL_OK);
  return bare;
}

static void a_request_reaches_its_handler_and_the_reply_its_sender(void **state) {
  (void)state;
  struct bare *bare = open_server();
  bare_expect(bare, "41010001 ab b161", "61450001abc0ff6869");
  assert_int_equal(hellos, 1);
  bare_close(bare);
}

/* RFC 7252 5.2.3: "If the request … is Non-confirmable, then the response SHOULD be returned in a Non-confirmable
 * message as well." */
static void a_non_is_answered_by_a_non_with_an_id_of_its_own(void **state) {
  (void)state;
  struct bare *bare = open_server();
  bare_in(bare, "51010001abb161");
  const struct bare_sent *sent = bare_out_one(bare);
  assert_int_equal(sent->view.type, COPAL_NON);
  assert_int_equal(sent->view.code, COPAL_CONTENT);
  assert_int_equal(sent->view.token.data[0], 0xab);
  uint16_t first = sent->view.message_id;
  bare_in(bare, "51010002abb161");
  assert_int_equal(bare_out_one(bare)->view.message_id, (uint16_t)(first + 1));
  bare_close(bare);
}

/* RFC 7252 5.8: "A request with an unrecognized or unsupported Method Code MUST generate a 4.05 (Method Not
 * Allowed) piggybacked response." RFC 7252 5.10.2: "An endpoint receiving a request with a Proxy-Uri Option that is
 * unable or unwilling to act as a forward-proxy for the request MUST cause the return of a 5.05 (Proxying Not
 * Supported) response." */
static void errors_that_need_no_handler(void **state) {
  (void)state;
  struct bare *bare = open_server();
  bare_expect(bare, "40010001b178", "60840001" BARE_NOT_FOUND);          /* 4.04: no such route */
  bare_expect(bare, "40010002", "60840002" BARE_NOT_FOUND);              /* nor at the root */
  bare_expect(bare, "40030003b161", "60850003" BARE_METHOD_NOT_ALLOWED); /* 4.05: no such method */
  bare_expect(bare, "40080004b161", "60850004" BARE_METHOD_NOT_ALLOWED); /* nor an unknown one */
  bare_expect(bare, "40010005b1610161", "60840005" BARE_NOT_FOUND);      /* "/a/a" */
  bare_expect(bare, "40010006 dd1600 636f61703a2f2f682f616161 61",
              "60a50006" BARE_PROXYING_NOT_SUPPORTED);                                 /* 5.05: Proxy-Uri */
  bare_expect(bare, "40010007 d41a 636f6170", "60a50007" BARE_PROXYING_NOT_SUPPORTED); /* Proxy-Scheme */
  bare_expect(bare, "40010008b46d757465", "60a00008" BARE_INTERNAL_SERVER_ERROR); /* 5.00: the handler said nothing */
  bare_expect(bare, "40010009b662726f6b656e", "60a00009" BARE_INTERNAL_SERVER_ERROR); /* or what cannot be said */
  assert_int_equal(hellos, 0);
  bare_close(bare);
}

/* RFC 7252 5.10.4: "If the preferred Content-Format cannot be returned, then a 4.06 "Not Acceptable" MUST be sent". */
static void an_accept_that_is_not_met_gets_4_06_where_only_a_representation_is_refused(void **state) {
  (void)state;
  struct bare *bare = open_server();
  bare_expect(bare, "40010001b16a6132", "60450001c132ff7b7d");           /* Accept 50 */
  bare_expect(bare, "40010002b16a613c", "60860002" BARE_NOT_ACCEPTABLE); /* Accept 60 */
  bare_expect(bare, "40010003b16a60", "60860003" BARE_NOT_ACCEPTABLE);   /* Accept 0 */
  bare_expect(bare, "40010004b16a620032", "60450004c132ff7b7d");         /* leading zero: still 50 (3.2) */
  bare_expect(bare, "40050005b16a613c", "60860005" BARE_NOT_ACCEPTABLE);
  bare_expect(bare, "40030006b16a613c", "60440006c132ff7b7d");      /* a PUT has changed things: that is to be said */
  bare_expect(bare, "40010007b1786132", "60840007" BARE_NOT_FOUND); /* an error takes precedence */
  bare_close(bare);
}

/* RFC 7252 5.4.1: "This response SHOULD include a diagnostic payload describing the unrecognized option(s)". RFC 9290
 * 3.1.1 has an entry for them. */
static void assert_refused(struct bare *bare, const char *in, uint16_t number, const char *detail) {
  bare_in(bare, "%s", in);
  const copal_view *view = &bare_out_one(bare)->view;
  copal_problem problem;
  assert_int_equal(view->type, COPAL_ACK);
  assert_int_equal(view->code, COPAL_BAD_OPTION);
  assert_int_equal(copal_find_uint(view, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE), COPAL_PROBLEM);
  assert_true(copal_problem_read(view->payload, &problem));
  assert_int_equal(problem.options_count, 1);
  assert_int_equal(problem.options[0], number);
  assert_int_equal(problem.title.size, 10);
  assert_memory_equal(problem.title.data, "Bad Option", 10);
  assert_int_equal(problem.detail.size, strlen(detail));
  assert_memory_equal(problem.detail.data, detail, strlen(detail));
}

/* RFC 7252 5.4.1, 5.4.3, 5.4.5: what is critical and not understood. RFC 7252 5.4.1: "Unrecognized options of class
 * "critical" that occur in a Non-confirmable message MUST cause the message to be rejected". */
static void t16_t18_critical_options_that_are_not_understood_get_4_02_or_nothing(void **state) {
  (void)state;
  struct bare *bare = open_server();
  assert_refused(bare, "40010001b161 e1fe25 00", 65341, "option 65341");        /* unknown and odd */
  assert_refused(bare, "40010002 30 8161", 3, "option 3, Uri-Host");            /* of no bytes */
  assert_refused(bare, "40010003 73010203 4161", 7, "option 7, Uri-Port");      /* of 3 bytes */
  assert_refused(bare, "40010004 5178 6161", 5, "option 5, If-None-Match");     /* with a value */
  assert_refused(bare, "40010005 b161 6132 0132", 17, "option 17, Accept");     /* twice */
  assert_refused(bare, "40010006 b161 63010203", 17, "option 17, Accept");      /* of 3 bytes */
  for (int i = 0; i < 2; ++i) bare_expect(bare, "50010007 b161 e1fe25 00", ""); /* a NON is rejected in silence */
  assert_int_equal(hellos, 0);
  bare_expect(bare, "40010008b161", "60450008c0ff6869");
  bare_close(bare);
}

static void t17_elective_options_are_ignored_whatever_they_are(void **state) {
  (void)state;
  struct bare *bare = open_server();
  bare_expect(bare, "40010001 b161 e1fe24 00", "60450001c0ff6869");             /* unknown, even */
  bare_expect(bare, "40010002 49 010203040506070809 7161", "60450002c0ff6869"); /* ETag of 9 bytes */
  bare_expect(bare, "40010003 64 00000001 5161", "60450003c0ff6869");           /* Observe of 4 bytes */
  bare_expect(bare, "40010004 b161 3100 00", "60450004c0ff6869");               /* Max-Age twice */
  assert_int_equal(hellos, 4);
  bare_close(bare);
}

static void reply_size(copal_request *request, void *context) {
  (void)context;
  char digit[2] = {(char)('0' + copal_request_rx(request)->message.payload.size), 0};
  copal_reply_text(request, digit);
}

/* RFC 7252 5.5: "If a Method or Response Code is not defined to have a payload, then … a recipient MUST ignore it." */
static void a_payload_is_for_methods_that_have_one(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  static const copal_code methods[] = {COPAL_GET, COPAL_PUT, COPAL_DELETE};
  static const char sizes[] = "020";
  for (uint8_t i = 0; i < 3; ++i) {
    char request[32], reply[32];
    assert_int_equal(copal_route(bare->endpoint, methods[i], "/size", reply_size, NULL), COPAL_OK);
    snprintf(request, sizeof request, "40%02x000%u b473697a65 ff6869", (unsigned)methods[i], i);
    snprintf(reply, sizeof reply, "6045000%uc0ff%02x", i, (unsigned)sizes[i]);
    bare_expect(bare, request, reply);
  }
  bare_close(bare);
}

static void t20_paths_are_bytes(void **state) {
  (void)state;
  struct bare *bare = open_server();
  bare_expect(bare, "40010001 b3612f61", "60840001" BARE_NOT_FOUND); /* "a/a" is one segment */
  bare_expect(bare, "40010002 b26100", "60840002" BARE_NOT_FOUND);
  bare_expect(bare, "40010003 b2ff80", "60840003" BARE_NOT_FOUND);
  bare_expect(bare, "40010004 b22e2e 0161", "60840004" BARE_NOT_FOUND); /* "..", "a" */
  bare_expect(bare, "40010005 b12e 0161", "60840005" BARE_NOT_FOUND);
  bare_close(bare);
}

static void answer_with_code(copal_request *request, void *context) {
  copal_message_set_code(copal_reply_message(request), *(const uint8_t *)context);
}

/* More than a message holds: it would have to be kept for the client to fetch its blocks. */
static void answer_with_body(copal_request *request, void *context) {
  static const uint8_t body[400];
  answer_with_code(request, context);
  assert_int_equal(copal_reply_body(request, body, sizeof body), COPAL_ERR_TYPE);
}

static uint64_t read_zeros(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context;
  memset(buffer, 0, size);
  return offset < 400 ? size : 0;
}

static void answer_with_reader(copal_request *request, void *context) {
  answer_with_code(request, context);
  assert_int_equal(copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_zeros, NULL), COPAL_ERR_TYPE);
}

/* RFC 7252 12.1: only the classes 2, 4 and 5 are responses. What a handler took from elsewhere may be anything. */
static void a_code_that_is_no_response_is_an_internal_error(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  struct bare *bare = bare_open(&config);
  uint8_t code;
  assert_int_equal(copal_route(bare->endpoint, COPAL_GET, "/c", answer_with_code, &code), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_FETCH, "/c", answer_with_body, &code), COPAL_OK);
  assert_int_equal(copal_route(bare->endpoint, COPAL_PUT, "/c", answer_with_reader, &code), COPAL_OK);
  static const uint8_t codes[] = {COPAL_EMPTY, COPAL_GET, COPAL_CODE(1, 1), COPAL_CODE(3, 3), COPAL_CSM};
  for (uint8_t i = 0; i < sizeof codes; ++i) {
    code = codes[i];
    bare_in(bare, "400100%02xb163", i + 1);
    assert_int_equal(bare_out_one(bare)->view.code, COPAL_INTERNAL_SERVER_ERROR);
    bare_in(bare, "400101%02xb163d1ea02", i + 1); /* with No-Response for success only */
    assert_int_equal(bare_out_one(bare)->view.code, COPAL_INTERNAL_SERVER_ERROR);
    bare_in(bare, "400502%02xb163", i + 1);
    assert_int_equal(bare_out_one(bare)->view.code, COPAL_INTERNAL_SERVER_ERROR);
    bare_in(bare, "400303%02xb163", i + 1);
    assert_int_equal(bare_out_one(bare)->view.code, COPAL_INTERNAL_SERVER_ERROR);
  }
  bare_close(bare);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_reaches_its_handler_and_the_reply_its_sender),
      cmocka_unit_test(a_non_is_answered_by_a_non_with_an_id_of_its_own),
      cmocka_unit_test(errors_that_need_no_handler),
      cmocka_unit_test(an_accept_that_is_not_met_gets_4_06_where_only_a_representation_is_refused),
      cmocka_unit_test(t16_t18_critical_options_that_are_not_understood_get_4_02_or_nothing),
      cmocka_unit_test(t17_elective_options_are_ignored_whatever_they_are),
      cmocka_unit_test(a_payload_is_for_methods_that_have_one),
      cmocka_unit_test(t20_paths_are_bytes),
      cmocka_unit_test(a_code_that_is_no_response_is_an_internal_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
