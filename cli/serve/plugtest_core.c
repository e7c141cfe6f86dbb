/* The plugtests' resources for messages and methods, CORE_01 to 31, as far as they are more than exhibits. */
#include <string.h>

#include "cli/serve/plugtest.h"

static void test_create(copal_request *request, void *context);
static void separate(copal_request *request, void *context);
static void query(copal_request *request, void *context);
static void location_query(copal_request *request, void *context);
static void multi_format(copal_request *request, void *context);

static const struct plugtest_route routes[] = {
    {COPAL_POST, "/test", test_create, NULL},
    {COPAL_GET, "/separate", separate, "title=\"Answers later\";ct=0"},
    {COPAL_GET, "/query", query, "title=\"Tells its query\";ct=0"},
    {COPAL_POST, "/location-query", location_query, "title=\"POST tells a query\""},
    {COPAL_GET, "/multi-format", multi_format, "title=\"In four formats\";ct=\"0 41 50 60\""},
};

static const uint16_t formats[] = {COPAL_TEXT_PLAIN, COPAL_XML, COPAL_JSON, COPAL_CBOR};

copal_error plugtest_core_attach(struct plugtest *plugtest, copal_endpoint *endpoint) {
  copal_error error = plugtest_routes(plugtest, endpoint, routes, sizeof routes / sizeof routes[0]);
  if (error != COPAL_OK) return error;
  return copal_route_offers(endpoint, "/multi-format", formats, sizeof formats / sizeof formats[0]);
}

/* CORE_04, 08, 18 */
static void test_create(copal_request *request, void *context) {
  (void)context;
  static const char *const path[] = {"location1", "location2", "location3"};
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CREATED);
  for (size_t i = 0; i < sizeof path / sizeof path[0]; ++i) {
    copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, path[i]);
  }
}

/* CORE_09, 11, 16, 17 */
static void separate(copal_request *request, void *context) {
  struct plugtest *plugtest = context;
  later_owe(&plugtest->later, request, copal_request_rx(request)->time + plugtest->delay);
}

/* CORE_14 */
static void query(copal_request *request, void *context) {
  (void)context;
  static const char empty[] = "no query";
  uint8_t text[1024];
  size_t size = 0;
  copal_options walk = copal_options_of(&copal_request_rx(request)->message);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_QUERY || option.size >= sizeof text - size) continue;
    if (option.size > 0) memcpy(text + size, option.value, option.size);
    size += option.size;
    text[size++] = '\n';
  }
  if (size == 0) {
    copal_reply_text(request, empty);
  } else {
    copal_reply(request, COPAL_CONTENT, COPAL_TEXT_PLAIN, text, size);
  }
}

/* CORE_19, 25 */
static void location_query(copal_request *request, void *context) {
  (void)context;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CREATED);
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_QUERY, "first=1");
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_QUERY, "second=2");
}

/* CORE_20, 26 */
static void multi_format(copal_request *request, void *context) {
  (void)context;
  /* {"format": 60} */
  static const uint8_t cbor[] = {0xa1, 0x66, 'f', 'o', 'r', 'm', 'a', 't', 0x18, 0x3c};
  static const struct {
    uint16_t format;
    const void *body;
    size_t size;
  } bodies[] = {
      {COPAL_TEXT_PLAIN, "format 0", 8},
      {COPAL_XML, "<format>41</format>", 19},
      {COPAL_JSON, "{\"format\":50}", 13},
      {COPAL_CBOR, cbor, sizeof cbor},
  };
  uint32_t wanted = copal_request_format(request);
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; ++i) {
    if (bodies[i].format != wanted) continue;
    copal_reply(request, COPAL_CONTENT, wanted, bodies[i].body, bodies[i].size);
    return;
  }
}
