/* The URIs of RFC 7252: sections 6.3 and Appendix B, both ways, and the plugtests' requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"
#include "copal/uri.h"

#define VALUES_MAX 8

/* An example of Appendix B. */
typedef struct example {
  const char *destination;
  const char *host; /* NULL where there is no Uri-Host */
  const char *path[VALUES_MAX], *query[VALUES_MAX];
  const char *uri;
  const char *composed; /* where 6.5 gives another text than the appendix prints; else NULL */
} example;

static const example examples[] = {
    {.destination = "[2001:db8::2:1]:5683", .uri = "coap://[2001:db8::2:1]/"},
    {.destination = "[2001:db8::2:1]:5683", .host = "example.net", .uri = "coap://example.net/"},
    {.destination = "[2001:db8::2:1]:5683",
     .host = "example.net",
     .path = {".well-known", "core"},
     .uri = "coap://example.net/.well-known/core"},
    {.destination = "[2001:db8::2:1]:5683",
     .host = "xn--18j4d.example",
     .path = {"\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf"},
     .uri = "coap://xn--18j4d.example/%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF"},
    {.destination = "198.51.100.1:61616",
     .path = {"", "/", "", ""},
     .query = {"//", "?&"},
     .uri = "coap://198.51.100.1:61616//%2F//?%2F%2F&?%26",
     /* The appendix encodes "/" in the query and leaves "?", while 6.5 step 8 leaves both: the appendix is an example,
      * the algorithm is the rule. Both texts decompose to the same options, which is tested below. */
     .composed = "coap://198.51.100.1:61616//%2F//?//&?%26"},
};

enum { EXAMPLE_COUNT = sizeof examples / sizeof *examples };

static uint8_t storage[512], other_storage[512];

static void add_all(copal_message *message, uint16_t number, const char *const *values) {
  for (size_t i = 0; i < VALUES_MAX && values[i] != NULL; ++i) copal_message_add_text(message, number, values[i]);
}

static copal_message message_of(const example *given) {
  copal_message message;
  copal_message_init(&message, storage, sizeof storage, COPAL_CON, COPAL_GET);
  if (given->host != NULL) copal_message_add_text(&message, COPAL_OPTION_URI_HOST, given->host);
  add_all(&message, COPAL_OPTION_URI_PATH, given->path);
  add_all(&message, COPAL_OPTION_URI_QUERY, given->query);
  assert_int_equal(message.error, COPAL_OK);
  return message;
}

static copal_message decompose(const char *text) {
  copal_uri uri;
  copal_message message;
  assert_int_equal(copal_uri_parse(text, strlen(text), &uri), COPAL_OK);
  copal_message_init(&message, other_storage, sizeof other_storage, COPAL_CON, COPAL_GET);
  assert_int_equal(copal_uri_to_options(&uri, &message), COPAL_OK);
  return message;
}

static void appendix_b_composes(void **state) {
  (void)state;
  for (size_t i = 0; i < EXAMPLE_COUNT; ++i) {
    char text[256];
    copal_message message = message_of(&examples[i]);
    copal_view view = copal_message_view(&message);
    int size = copal_uri_write(&view, COPAL_SCHEME_COAP, examples[i].destination, true, text, sizeof text);
    assert_int_equal(size, strlen(text));
    assert_string_equal(text, examples[i].composed != NULL ? examples[i].composed : examples[i].uri);
  }
}

static void appendix_b_decomposes(void **state) {
  (void)state;
  for (size_t i = 0; i < EXAMPLE_COUNT; ++i) {
    const char *const texts[] = {examples[i].uri, examples[i].composed};
    for (size_t k = 0; k < 2 && texts[k] != NULL; ++k) {
      copal_message expected = message_of(&examples[i]), message = decompose(texts[k]);
      assert_int_equal(message.size, expected.size);
      assert_memory_equal(message.buffer, expected.buffer, message.size);
    }
  }
}

/* RFC 7252 6.3: "the following three URIs are equivalent and cause the same options and option values to appear in the
 * CoAP messages". */
static void section_6_3_equivalents_give_the_same_options(void **state) {
  (void)state;
  static const char *const equivalents[] = {
      "coap://example.com:5683/~sensors/temp.xml",
      "coap://EXAMPLE.com/%7Esensors/temp.xml",
      "coap://EXAMPLE.com:/%7esensors/temp.xml",
  };
  const example expected = {.host = "example.com", .path = {"~sensors", "temp.xml"}};
  for (size_t i = 0; i < sizeof equivalents / sizeof *equivalents; ++i) {
    copal_uri uri;
    assert_int_equal(copal_uri_parse(equivalents[i], strlen(equivalents[i]), &uri), COPAL_OK);
    assert_int_equal(uri.port, 5683);
    copal_message wanted = message_of(&expected), message = decompose(equivalents[i]);
    assert_int_equal(message.size, wanted.size);
    assert_memory_equal(message.buffer, wanted.buffer, message.size);
  }
}

/* RFC 7252 6.3: "such URIs are normalized", and 6.5 makes them so. */
static void section_6_3_equivalents_compose_to_the_normal_form(void **state) {
  (void)state;
  char text[64];
  copal_message message = decompose("coap://EXAMPLE.com:5683/%7Esensors/temp.xml");
  copal_view view = copal_message_view(&message);
  assert_int_equal(copal_uri_write(&view, COPAL_SCHEME_COAP, "[2001:db8::1]:5683", true, text, sizeof text), 36);
  assert_string_equal(text, "coap://example.com/~sensors/temp.xml");
}

/* RFC 7252 6.1 and 6.2: the default ports. */
static void section_6_2_default_ports(void **state) {
  (void)state;
  copal_uri uri;
  assert_int_equal(copal_uri_parse("coap://h/", 9, &uri), COPAL_OK);
  assert_int_equal(uri.port, 5683);
  assert_int_equal(copal_uri_parse("coaps://h/", 10, &uri), COPAL_OK);
  assert_int_equal(uri.port, 5684);
}

/* TD_COAP_CORE_13: three Uri-Path options. TD_COAP_CORE_14: one Uri-Query each. */
static void plugtest_requests(void **state) {
  (void)state;
  static const struct {
    const char *uri;
    example options;
  } requests[] = {
      {"coap://192.0.2.1/seg1/seg2/seg3", {.path = {"seg1", "seg2", "seg3"}}},
      {"coap://192.0.2.1/query?first=1&second=2&third=3",
       {.path = {"query"}, .query = {"first=1", "second=2", "third=3"}}},
      {"coap://192.0.2.1/.well-known/core?href=/link*", {.path = {".well-known", "core"}, .query = {"href=/link*"}}},
  };
  for (size_t i = 0; i < sizeof requests / sizeof *requests; ++i) {
    char text[128];
    copal_message expected = message_of(&requests[i].options), message = decompose(requests[i].uri);
    assert_int_equal(message.size, expected.size);
    assert_memory_equal(message.buffer, expected.buffer, message.size);
    copal_view view = copal_message_view(&message);
    assert_true(copal_uri_write(&view, COPAL_SCHEME_COAP, "192.0.2.1", true, text, sizeof text) > 0);
    assert_string_equal(text, requests[i].uri);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(appendix_b_composes),
      cmocka_unit_test(appendix_b_decomposes),
      cmocka_unit_test(section_6_3_equivalents_give_the_same_options),
      cmocka_unit_test(section_6_3_equivalents_compose_to_the_normal_form),
      cmocka_unit_test(section_6_2_default_ports),
      cmocka_unit_test(plugtest_requests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
