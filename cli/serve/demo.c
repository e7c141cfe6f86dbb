/* The demonstration's resources: /hello, /counter, /uptime, /async. Those of /store are in demo_store.c. Knows no
 * socket: what the handlers do would be the same on a bare endpoint, but for the clock. */
#include <stdatomic.h>
#include <stdio.h>

#include "cli/serve/audience.h"
#include "cli/serve/bulletin.h"
#include "cli/serve/demo_store.h"
#include "cli/serve/later.h"
#include "cli/serve/site.h"

/* What all threads have in common. */
struct demo {
  copal_time begin;
  copal_time delay; /* of /async */
  atomic_uint counter;
  struct bulletin counter_changes;
  struct demo_store store;
};

/* What each thread has for itself: the observers on its endpoint, the answers owed there. */
struct demo_share {
  struct audience audience;
  struct later later;
  struct bulletin_reader counter_changes;
};

static void hello(copal_request *request, void *context);
static void counter_read(copal_request *request, void *context);
static void counter_add(copal_request *request, void *context);
static void uptime(copal_request *request, void *context);
static void async(copal_request *request, void *context);

static struct demo demo = {.counter_changes = BULLETIN_INITIAL, .store = DEMO_STORE_INITIAL};
static _Thread_local struct demo_share share;

static const struct {
  copal_code method;
  const char *pattern;
  copal_handler *handler;
  const char *attributes;
} routes[] = {
    {COPAL_GET, "/hello", hello, "title=\"A greeting\";ct=0"},
    {COPAL_GET, "/counter", counter_read, "title=\"GET reads, POST adds one\";rt=\"counter\";ct=0"},
    {COPAL_POST, "/counter", counter_add, NULL},
    {COPAL_GET, "/uptime", uptime, "title=\"Seconds since the server began\";rt=\"uptime\";ct=0"},
    {COPAL_GET, "/async", async, "title=\"Answers later\";ct=0"},
};

static enum status demo_open(const struct settings *settings) {
  /* Threads open one after the other. */
  if (demo.begin == 0) demo.begin = copal_now();
  demo.delay = settings->delay;
  return STATUS_SUCCESS;
}

static copal_error demo_attach(copal_endpoint *endpoint) {
  static const uint16_t text[] = {COPAL_TEXT_PLAIN};
  copal_error error = COPAL_OK;
  for (size_t i = 0; error == COPAL_OK && i < sizeof routes / sizeof routes[0]; ++i) {
    error = copal_route(endpoint, routes[i].method, routes[i].pattern, routes[i].handler, &demo);
    if (error != COPAL_OK || routes[i].attributes == NULL) continue;
    error = copal_route_attributes(endpoint, routes[i].pattern, routes[i].attributes);
    if (error == COPAL_OK) error = copal_route_offers(endpoint, routes[i].pattern, text, 1);
  }
  if (error == COPAL_OK) error = copal_route_observable(endpoint, "/counter", 0);
  if (error == COPAL_OK) error = demo_store_attach(&demo.store, endpoint);
  audience_add(&share.audience, endpoint);
  bulletin_subscribe(&demo.counter_changes, &share.counter_changes, endpoint);
  return error;
}

static copal_time demo_deadline(void) { return later_deadline(&share.later); }

static void demo_work(copal_time now) {
  later_work(&share.later, now, "this answer took its time\n");
  if (bulletin_read(&demo.counter_changes, &share.counter_changes)) audience_notify(&share.audience, "/counter");
}

static void demo_settle(void) { demo_store_settle(&demo.store); }

static void demo_finish(copal_time end) { later_end(&share.later, end); }

const struct site demo_site = {.open = demo_open,
                               .attach = demo_attach,
                               .deadline = demo_deadline,
                               .work = demo_work,
                               .settle = demo_settle,
                               .finish = demo_finish};

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "Hello, constrained world!\n");
}

static void counter_read(copal_request *request, void *context) {
  struct demo *state = context;
  char text[16];
  snprintf(text, sizeof text, "%u", atomic_load(&state->counter));
  copal_reply_text(request, text);
}

static void counter_add(copal_request *request, void *context) {
  struct demo *state = context;
  char text[16];
  int size = snprintf(text, sizeof text, "%u", atomic_fetch_add(&state->counter, 1) + 1);
  copal_reply(request, COPAL_CHANGED, COPAL_TEXT_PLAIN, text, (size_t)size);
  audience_notify(&share.audience, "/counter");
  bulletin_post(&state->counter_changes, &share.counter_changes);
}

static void uptime(copal_request *request, void *context) {
  const struct demo *state = context;
  char text[32];
  int size = snprintf(text, sizeof text, "%.3f", (double)(copal_now() - state->begin) / (double)COPAL_SECOND);
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 1);
  copal_reply_body(request, text, (size_t)size);
}

static void async(copal_request *request, void *context) {
  const struct demo *state = context;
  later_owe(&share.later, request, copal_now() + state->delay);
}
