/* The plugtests' resources for bodies in blocks, BLOCK_01 to 06, as far as they are more than exhibits. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/line/value.h"
#include "cli/serve/plugtest.h"

static void create(copal_request *request, void *context);
static void created_get(copal_request *request, void *context);
static void created_delete(copal_request *request, void *context);
static struct exhibit *find_created(copal_request *request, struct plugtest *plugtest);
static void post(copal_request *request, void *context);

static const struct plugtest_route routes[] = {
    {COPAL_POST, "/large-create", create, "title=\"POST creates something large\";rt=\"block\""},
    {COPAL_GET, "/large-create/{name}", created_get, NULL},
    {COPAL_DELETE, "/large-create/{name}", created_delete, NULL},
    {COPAL_POST, "/large-post", post, "title=\"POST has a large answer\";rt=\"block\""},
};

copal_error plugtest_block_attach(struct plugtest *plugtest, copal_endpoint *endpoint) {
  return plugtest_routes(plugtest, endpoint, routes, sizeof routes / sizeof routes[0]);
}

/* BLOCK_04. The latest few stay, the oldest makes room. */
static void create(copal_request *request, void *context) {
  struct plugtest *plugtest = context;
  const copal_view *message = &copal_request_rx(request)->message;
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  struct exhibit *exhibit = &plugtest->created[plugtest->created_count % PLUGTEST_CREATED_MAX];
  if (!exhibit_set(exhibit, format, message->payload.data, message->payload.size)) {
    exhibit_reply_too_large(request);
    return;
  }
  char name[12];
  snprintf(name, sizeof name, "%" PRIu32, ++plugtest->created_count);
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CREATED);
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, "large-create");
  copal_message_add_text(reply, COPAL_OPTION_LOCATION_PATH, name);
}

static void created_get(copal_request *request, void *context) {
  const struct exhibit *exhibit = find_created(request, (struct plugtest *)context);
  if (exhibit != NULL) {
    exhibit_reply(request, exhibit);
  } else {
    copal_reply_code(request, COPAL_NOT_FOUND);
  }
}

static void created_delete(copal_request *request, void *context) {
  struct exhibit *exhibit = find_created(request, (struct plugtest *)context);
  if (exhibit != NULL) exhibit_delete(exhibit);
  copal_reply_code(request, COPAL_DELETED);
}

static struct exhibit *find_created(copal_request *request, struct plugtest *plugtest) {
  copal_bytes name = copal_request_parameter(request, "name");
  char text[12];
  uint32_t number;
  if (name.size >= sizeof text) return NULL;
  snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.data);
  if (!value_number(text, plugtest->created_count, &number) || number == 0) return NULL;
  if (plugtest->created_count - number >= PLUGTEST_CREATED_MAX) return NULL;
  return &plugtest->created[(number - 1) % PLUGTEST_CREATED_MAX];
}

/* BLOCK_05: an answer that is large, too, whatever was posted. */
static void post(copal_request *request, void *context) {
  (void)context;
  char text[2560];
  size_t posted = copal_request_rx(request)->message.payload.size, size = 0;
  for (unsigned line = 0; size + 64 <= sizeof text; ++line) {
    size += (size_t)snprintf(text + size, sizeof text - size, "line %u: %zu bytes were posted to /large-post\n", line,
                             posted);
  }
  copal_reply(request, COPAL_CHANGED, COPAL_TEXT_PLAIN, text, size);
}
